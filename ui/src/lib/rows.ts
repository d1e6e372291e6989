import { midnight } from "./format";
import type { PostRow } from "../bindings";

/** A line of the timeline. */
export type Row = (
  | { type: "start" | "older" | "new" }
  | { type: "day"; at: number }
  | { type: "post"; post: PostRow; continued: boolean }
) & {
  key: string;
  /** About how high it is, pixels, until it was drawn. */
  guess: number;
};

/** What stands before the first post: the channel's beginning, or that more is on its way. */
export const START: Row = { type: "start", key: "start", guess: 170 };
export const OLDER: Row = { type: "older", key: "older", guess: 40 };

/** How long after the last word of the same person the name is said again. */
const PAUSE = 5 * 60_000;

/** Keeps the lines of a timeline from one change to the next: what did not change is the same object. */
export class Lines {
  #posts: readonly PostRow[] = [];
  #fresh: string | null = null;
  #lines: Row[] = [];

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
    if (newDay) out.push({ type: "day", key: `day ${from} ${post.id}`, guess: SEPARATOR, at: post.createAt });
    if (isNew) out.push({ type: "new", key: "new", guess: SEPARATOR });
    const continued = !newDay && !isNew && continues(before, post);
    out.push({ type: "post", key: rowKey(post), guess: guess(post, continued), post, continued });
    before = post;
  }
  return out;
}

/** Heights in the ordinary size of letters, pixels; letters in a line. */
const SEPARATOR = 36;
const NAME = 24;
const LINE = 23;
const LETTERS = 92;

/** About how high a post is. Only the bar beside the list and the room for what is not drawn yet live from it. */
export function guess(post: PostRow, continued: boolean): number {
  let high = continued ? 3 : 10 + NAME;
  if (post.kind.type === "call") high += 84;
  else if (post.message) {
    let from = 0;
    const { message } = post;
    // As many lines as a screen or two has: nobody notices more.
    for (let lines = 0; from <= message.length && lines < 80; lines += 1) {
      const end = message.indexOf("\n", from);
      const until = end < 0 ? message.length : end;
      high += Math.max(1, Math.ceil((until - from) / LETTERS)) * LINE;
      from = until + 1;
    }
  }
  for (const file of post.files) high += 8 + (file.hasPreview && file.height > 0 ? Math.min(300, file.height) : 48);
  if (post.reactions.length > 0) high += 30;
  if (post.replyCount > 0) high += 27;
  return high;
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
