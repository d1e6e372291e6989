import { midnight } from "./format";
import type { PostRow } from "../bindings";

/** A line of the timeline. */
export type Row =
  | { type: "day"; key: string; at: number }
  | { type: "new"; key: string }
  | { type: "post"; key: string; post: PostRow; continued: boolean };

/** How long after the last word of the same person the name is said again. */
const PAUSE = 5 * 60_000;

/** Posts drawn when a channel opens: two or three screens. */
const FIRST = 60;
/** Posts added whenever the reader comes near the first one drawn: little enough to fit into a frame or two. */
export const MORE = 25;

/** Posts drawn, or put away, together. */
export const CHUNK = 8;

/** Lines drawn, or put away, together. */
export interface Group {
  key: number;
  lines: Row[];
}

/**
 * Lines in groups that stay the same when lines come before or behind them: counted from a post that was there at the
 * beginning, whose line is number `anchor` among the posts drawn. A group of `before` that has the same lines is taken
 * as it is, so that nothing in it is looked at again.
 */
export function chunks(lines: readonly Row[], anchor: number, before: readonly Group[] = []): Group[] {
  const known = new Map(before.map((group) => [group.key, group]));
  const out: Group[] = [];
  let posts = 0;
  let group: Group | undefined;
  const done = () => {
    const same = group && known.get(group.key);
    if (group && same && same.lines.length === group.lines.length && same.lines.every((line, at) => line === group?.lines[at])) out[out.length - 1] = same;
  };
  for (const line of lines) {
    const key = Math.floor((posts - anchor) / CHUNK);
    if (group?.key === key) group.lines.push(line);
    else {
      done();
      out.push((group = { key, lines: [line] }));
    }
    if (line.type === "post") posts += 1;
  }
  done();
  return out;
}

/** Keeps the lines and groups of a timeline from one change to the next: what did not change is the same object. */
export class Lines {
  #posts: readonly PostRow[] = [];
  #fresh: string | null = null;
  #lines: Row[] = [];
  #groups: Group[] = [];

  /** The lines of these posts. Only posts that are new or changed, and those behind them, are looked at. */
  rows(posts: readonly PostRow[], firstUnread: string | null): Row[] {
    const old = this.#posts;
    const same = this.#fresh === firstUnread;
    let head = 0;
    while (same && head < posts.length && head < old.length && posts[head] === old[head]) head += 1;
    let tail = 0;
    while (same && tail < posts.length - head && tail < old.length - head && posts[posts.length - 1 - tail] === old[old.length - 1 - tail]) tail += 1;
    // The post behind a changed one may now go on, or no longer.
    if (head < posts.length || head < old.length) tail = Math.max(0, tail - 1);
    if (head === posts.length && head === old.length) return this.#lines;
    const start = place(this.#lines, head);
    const end = this.#lines.length - place(this.#lines, tail, true);
    const middle = rows(posts.slice(head, posts.length - tail), firstUnread, posts[head - 1]);
    this.#lines = [...this.#lines.slice(0, start), ...middle, ...this.#lines.slice(end)];
    this.#posts = posts;
    this.#fresh = firstUnread;
    return this.#lines;
  }

  /** The lines in groups. */
  groups(lines: readonly Row[], anchor: number): Group[] {
    return (this.#groups = chunks(lines, anchor, this.#groups));
  }
}

/** How many lines the first posts take, or the last ones with the separators before them. */
function place(lines: readonly Row[], posts: number, fromEnd = false): number {
  let count = 0;
  let seen = 0;
  while (count < lines.length && seen < posts) {
    if (lines[fromEnd ? lines.length - 1 - count : count]?.type === "post") seen += 1;
    count += 1;
  }
  while (fromEnd && posts > 0 && count < lines.length && lines[lines.length - 1 - count]?.type !== "post") count += 1;
  return count;
}

/** Where drawing begins when a channel opens: few posts, but always from where new begins. */
export function opening(posts: readonly PostRow[], firstUnread: string | null): number {
  const fresh = posts.findIndex((post) => post.id === firstUnread);
  const last = posts.length - FIRST;
  return Math.max(0, fresh < 0 ? last : Math.min(last, fresh - 5));
}

/** Posts with the separators between them: days, where new begins, and who goes on talking. */
export function rows(posts: readonly PostRow[], firstUnread: string | null, last?: PostRow): Row[] {
  const out: Row[] = [];
  let before = last;
  // The calendar is asked once a day, not once a post.
  let [from, until] = before ? dayOf(before.createAt) : [0, 0];
  for (const post of posts) {
    const newDay = !before || post.createAt < from || post.createAt >= until;
    if (newDay) [from, until] = dayOf(post.createAt);
    const isNew = post.id === firstUnread;
    if (newDay) out.push({ type: "day", key: `day ${from} ${post.id}`, at: post.createAt });
    if (isNew) out.push({ type: "new", key: "new" });
    out.push({ type: "post", key: rowKey(post), post, continued: !newDay && !isNew && continues(before, post) });
    before = post;
  }
  return out;
}

/** Begin and end of the local day of a moment. */
function dayOf(ms: number): [number, number] {
  const from = midnight(ms);
  return [from, new Date(from).setHours(24, 0, 0, 0)];
}

/** The same element from the first key stroke of sending to the server's answer, if the core keeps the id. */
function rowKey(post: PostRow): string {
  return post.delivery.state === "sent" ? post.id : post.delivery.pending;
}

function continues(before: PostRow | undefined, post: PostRow): boolean {
  return (
    before !== undefined &&
    before.author === post.author &&
    before.authorName === post.authorName &&
    before.kind.type === "message" &&
    post.kind.type === "message" &&
    before.root === post.root &&
    before.delivery.state === "sent" &&
    post.delivery.state === "sent" &&
    post.createAt - before.createAt < PAUSE
  );
}
