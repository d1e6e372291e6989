/** What comes from a server may hold the same thing twice; lists on the page may not. */
import type { Call, CallChat, Directory, PostRow, Thread, Timeline } from "../bindings";
import { once } from "./once";

const keyOf = (post: PostRow) => (post.delivery.state === "sent" ? post.id : post.delivery.pending);

function posts(list: PostRow[]): PostRow[] {
  let changed = false;
  const clean = once(list, keyOf).map((post) => {
    const files = once(post.files, (file) => file.id);
    const reactions = once(post.reactions, (one) => one.emoji);
    if (files === post.files && reactions === post.reactions) return post;
    changed = true;
    return { ...post, files, reactions };
  });
  return changed || clean.length !== list.length ? clean : list;
}

/** The same with each post, file and reaction once. */
export function cleanPosts<T extends Timeline | Thread | CallChat>(slice: T): T {
  const clean = posts(slice.posts);
  return clean === slice.posts ? slice : { ...slice, posts: clean };
}

/** The same with each team, channel and category once, and each channel in one category. */
export function cleanDirectory(slice: Directory): Directory {
  const teams = once(slice.teams, (one) => one.id);
  const channels = once(slice.channels, (one) => one.id);
  const listed = new Set<string>();
  let moved = false;
  const categories = once(slice.categories, (one) => one.id).map((category) => {
    const own = category.channels.filter((channel) => !listed.has(channel) && listed.add(channel));
    if (own.length === category.channels.length) return category;
    moved = true;
    return { ...category, channels: own };
  });
  const same = !moved && teams === slice.teams && channels === slice.channels && categories.length === slice.categories.length;
  return same ? slice : { ...slice, teams, channels, categories };
}

/** The same with each session, caption and reaction once. */
export function cleanCall(slice: Call): Call {
  const participants = once(slice.participants, (one) => one.session);
  const captions = once(slice.captions, (one) => one.session);
  const reactions = once(slice.reactions, (one) => one.id);
  const same = participants === slice.participants && captions === slice.captions && reactions === slice.reactions;
  return same ? slice : { ...slice, participants, captions, reactions };
}
