/** What they wrote. */
import type { Compose, PostKind, PostRow, Thread } from "../../bindings";
import { MINUTE, now, today, yesterday, people } from "./people";

export const noThread: Thread = { root: null, channel: null, posts: [], loading: false, gone: false, following: false, typing: [], draft: "" };

let count = 0;

/** A post that has arrived. */
export function post(author: string, createAt: number, message: string, more: Partial<PostRow> = {}): PostRow {
  count += 1;
  return {
    id: `post${count}`,
    author,
    authorName: people[author]?.name ?? author,
    message,
    kind: { type: "message" },
    createAt,
    edited: false,
    root: null,
    replyCount: 0,
    delivery: { state: "sent" },
    reactions: [],
    files: [],
    editable: author === "alice",
    deletable: author === "alice",
    following: false,
    ...more,
  };
}

/** A call's own post. */
export function callPost(author: string, startAt: number, endAt: number, title = "", status = "", replyCount = 0): PostRow {
  const kind: PostKind = { type: "call", title, startAt, endAt, status, recordings: 0, transcripts: 0 };
  return post(author, startAt, "", { kind, replyCount });
}

export const firstUnread = callPost("bob", today(9, 48), 0, "Go / no-go for 2.9", "", 6);

export const posts: PostRow[] = [
  callPost("heidi", yesterday(16, 2), yesterday(16, 49), "", "ended", 11),
  post("frank", yesterday(17, 20), "> Will the old call post format stay readable?\n\nYes, the card falls back to plain text when a field is missing."),
  post("grace", today(9, 12), "Packaging for arm64 is green. Two things left before we cut:\n- the `resume` path after sleep, see [#4182](https://tracker.example/4182)\n- release notes, @alice can you take those?", { replyCount: 4 }),
  post("dave", today(9, 31), "Sleep bug reproduced. We gave up before the network was back. With the fix:\n```\nresume: path changed wlan0 → eth0, rejoin ok (412 ms)\n```"),
  post("dave", today(9, 33), "It is up for review, needs one more pair of eyes."),
  firstUnread,
];

export const offlinePosts: PostRow[] = [
  post("grace", today(9, 12), "Packaging for arm64 is green."),
  post("dave", today(9, 31), "It is up for review, needs one more pair of eyes."),
  post("erin", today(9, 57), "Joining from the train, will be listen-only until Bristol."),
  post("alice", today(10, 1), "Reviewed, two small remarks on the back-off.", { delivery: { state: "waiting", pending: "alice:1" } }),
  post("alice", today(10, 2), "Screenshot of the trace, 48 MB", {
    delivery: { state: "failed", pending: "alice:2", reason: "The file is larger than the server allows (20 MB)." },
  }),
];

export const directPosts: PostRow[] = [
  callPost("carol", today(9, 5), today(9, 5) + 30_000, "", "no_answer"),
  post("carol", today(9, 6), "Never mind, found it. :sweat_smile:"),
  callPost("alice", today(9, 8), today(9, 8) + 20_000, "", "no_answer"),
  callPost("carol", today(9, 15), today(9, 32), "", "ended"),
];

export const markdownPosts: PostRow[] = [
  post("grace", today(8, 50), "# Release 2.9\n\nWhat **must** be _done_, ~~maybe~~ **_certainly_** before Thursday, says @bob, not @nobody :rocket: :unknown_code:\n\n1. cut the branch\n2. tag it\n   - `v2.9.0`\n   - sign\n3. tell @channel"),
  post("deploybot", today(8, 55), "```rust\nfn main() {\n    println!(\"<script>alert(1)</script>\");\n}\n```\n---\n> a quote\n> > in a quote\n\nsnake_case_stays, 2 * 3 * 4 too, and https://example.org/a_(b)?c=d, too."),
  post("heidi", today(9, 1), "<img src=x onerror=alert(1)> [no](javascript:alert(1)) [yes](https://example.org) ![picture](https://example.org/p.png)\nline two\nline three", { edited: true }),
  post("ivan", today(9, 3), "مرحبا، كيف الحال؟ **نص عريض** and some English.", { kind: { type: "message" } }),
  post("frank", today(9, 4), "frank joined the channel.", { kind: { type: "system" } }),
];

/** A long afternoon, up to a moment. */
export function manyPosts(n: number, until = now): PostRow[] {
  const authors = Object.keys(people);
  return Array.from({ length: n }, (_, at) =>
    post(
      authors[Math.floor(at / 3) % authors.length] ?? "bob",
      until - (n - at) * 4 * MINUTE,
      `Message **${at}** of ${n}, with \`code\` and a [link](https://example.org/${at}).${at % 7 === 0 ? "\n- one\n- two" : ""}`,
    ),
  );
}

/** A long past of every kind of post, as the development server's large world has it. */
export function archive(n: number): PostRow[] {
  const authors = Object.keys(people);
  const text = (at: number): string =>
    [
      `Message ${at}, with **marks**, \`code\` and https://example.org/${at}.`,
      `${"A longer thought about the timer. ".repeat(12)}That was thought number ${at}.`,
      `\`\`\`rust\nlet n = ${at};\nfor step in 0..n {\n    turn(step);\n}\n\`\`\``,
      `| loss | target | concealed |\n|---|---|---|\n| ${at} | 24 ms | 0.0 % |\n| 5 % | 61 ms | 0.4 % |`,
      `> said before\n\n- one\n- [x] two\n- [ ] number ${at}`,
      `@alice did you see ~standup? :tada: :coffee: ${at}`,
      `### Build ${at}\n1. compile\n2. test\n3. ~~hope~~ ship`,
    ][at % 10] ?? `Short word number ${at}.`;
  return Array.from({ length: n }, (_, at) =>
    post(authors[Math.floor(at / 3) % authors.length] ?? "bob", now - (n - at) * 20 * MINUTE, text(at), {
      id: `archive-${at}`,
      ...(at % 23 === 3 ? { files: [{ id: `drawing-${at}`, name: `drawing ${at}.png`, extension: "png", mime: "image/png", size: 5_000, width: 128, height: 128, hasPreview: true }] } : {}),
      ...(at % 7 === 2 ? { reactions: [{ emoji: "tada", count: 3, mine: false, names: ["Bob", "Carol", "Dave"] }] } : {}),
      ...(at % 37 === 8 ? { kind: { type: "system" as const } } : {}),
      ...(at % 53 === 11 ? { replyCount: 3 } : {}),
    }),
  );
}

/** What the demo shows in a channel. */
export function postsOf(channel: string): PostRow[] {
  if (channel === "release") return posts;
  if (channel.startsWith("dm-")) return directPosts;
  return [];
}

/** Files, reactions, a table and code: what a channel is made of. */
export const richPosts: PostRow[] = [
  post("bob", today(9, 12), "The numbers of last night, before we talk:\n\n| build | p50 | p99 | verdict |\n|:--|--:|--:|:-:|\n| 2.8.4 | 41 ms | 180 ms | :white_check_mark: |\n| 2.9.0-rc1 | 38 ms | **412 ms** | :x: |\n| 2.9.0-rc2 | 37 ms | 176 ms | :white_check_mark: |", {
    reactions: [
      { emoji: "eyes", count: 3, mine: true, names: ["Alice Moreau", "Carol Okafor", "Dave Lindqvist"] },
      { emoji: "tada", count: 1, mine: false, names: ["Erin Walsh"] },
      { emoji: "halloo", count: 2, mine: false, names: ["Grace Kim", "Frank Castillo"] },
    ],
    replyCount: 3,
    following: true,
  }),
  post("carol", today(9, 20), "Found it. The timer was armed twice:\n\n```rust\n// Once is enough.\nfn arm(&mut self, now: Instant) {\n    if self.deadline.is_none() {\n        self.deadline = Some(now + Duration::from_millis(250));\n    }\n}\n```"),
  post("erin", today(9, 31), "How it looks now", {
    files: [
      { id: "file1", name: "waterfall.png", extension: "png", size: 184_233, mime: "image/png", width: 640, height: 400, hasPreview: true },
      { id: "file2", name: "trace-2026-11-22-with-a-rather-long-name.json.gz", extension: "gz", size: 2_411_000, mime: "application/gzip", width: 0, height: 0, hasPreview: false },
    ],
    reactions: [{ emoji: "+1", count: 12, mine: false, names: ["Bob Tanaka", "Carol Okafor"] }],
  }),
  post("alice", today(9, 40), "Shipping rc2 then. @bob can you cut it? :halloo:", { edited: true }),
];

export const uploading: Compose = {
  uploads: {
    release: [
      { id: 1, name: "screenshot.png", size: 420_000, state: { type: "done", file: "f", picture: true } },
      { id: 2, name: "recording.mp4", size: 48_000_000, state: { type: "sending", sent: 19_000_000 } },
      { id: 3, name: "notes.docx", size: 90_000, state: { type: "failed", reason: "file.failed" } },
    ],
  },
  text: "",
  people: [],
  commands: [],
};

const root = richPosts[0];

export const thread: Thread = {
  root: root?.id ?? null,
  channel: "release",
  posts: [
    ...(root ? [root] : []),
    post("dave", today(9, 15), "412? That is the old machine.", { root: root?.id ?? null }),
    post("bob", today(9, 16), "No, the new one. I ran it three times.", { root: root?.id ?? null }),
    post("alice", today(9, 18), "Let us look at the timer first.", { root: root?.id ?? null }),
  ],
  loading: false,
  gone: false,
  following: true,
  typing: ["Dave Lindqvist"],
  draft: "",
};
