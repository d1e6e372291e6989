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

/** Lines drawn, or put away, together. */
const CHUNK = 20;

/**
 * Lines in groups that stay the same when lines come before or behind them: counted from a post that was there at the
 * beginning, whose line is number `anchor` among the posts drawn.
 */
export function chunks(lines: readonly Row[], anchor: number): { key: number; lines: Row[] }[] {
  const out: { key: number; lines: Row[] }[] = [];
  let posts = 0;
  for (const line of lines) {
    const key = Math.floor((posts - anchor) / CHUNK);
    const last = out[out.length - 1];
    if (last?.key === key) last.lines.push(line);
    else out.push({ key, lines: [line] });
    if (line.type === "post") posts += 1;
  }
  return out;
}

/** Where drawing begins when a channel opens: few posts, but always from where new begins. */
export function opening(posts: readonly PostRow[], firstUnread: string | null): number {
  const fresh = posts.findIndex((post) => post.id === firstUnread);
  const last = posts.length - FIRST;
  return Math.max(0, fresh < 0 ? last : Math.min(last, fresh - 5));
}

/** Posts with the separators between them: days, where new begins, and who goes on talking. */
export function rows(posts: readonly PostRow[], firstUnread: string | null): Row[] {
  const out: Row[] = [];
  let before: PostRow | undefined;
  for (const post of posts) {
    const newDay = !before || midnight(before.createAt) !== midnight(post.createAt);
    const isNew = post.id === firstUnread;
    if (newDay) out.push({ type: "day", key: `day ${midnight(post.createAt)} ${post.id}`, at: post.createAt });
    if (isNew) out.push({ type: "new", key: "new" });
    out.push({ type: "post", key: rowKey(post), post, continued: !newDay && !isNew && continues(before, post) });
    before = post;
  }
  return out;
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
