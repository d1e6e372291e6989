/** The people, places and posts of the demo and the tests. */
import { PLAIN } from "../lib/theme";
import { QUIET, USUAL } from "../store.svelte";
import type {
  Account,
  Call,
  CallChat,
  CallReaction,
  CategoryRow,
  ChannelKind,
  ChannelRow,
  Command,
  Compose,
  Devices,
  IncomingCall,
  Network,
  Notice,
  ParticipantRow,
  Person,
  PostKind,
  PostRow,
  Presence,
  Quality,
  ServerInfo, ServerRow,
  Severity,
  Share,
  SharePicker,
  Snapshot,
  Thread,
  Timeline,
} from "../bindings";

const files = import.meta.glob<string>("../../demo/*.svg", { query: "?url", import: "default", eager: true });

/** Drawn portraits by user, for those who have one. */
export const portraits: Record<string, string | undefined> = Object.fromEntries(
  Object.entries(files).map(([path, url]) => [/(\w+)\.svg$/.exec(path)?.[1] ?? path, url]),
);

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const now = Date.now();
/** Today at a time of day, however early it is now. */
const today = (hours: number, minutes: number) => new Date(now).setHours(hours, minutes, 0, 0);
const yesterday = (hours: number, minutes: number) => today(hours, minutes) - 24 * HOUR;

export const server: ServerInfo = {
  url: "https://chat.harbour.example",
  name: "Harbour",
  version: "11.4.0",
  callsVersion: "1.12.2",
  insecure: false,
  outside: [],
};

function person(id: string, firstName: string, lastName: string, presence: Presence, isBot = false): Person {
  const user = {
    id,
    username: id,
    firstName,
    lastName,
    nickname: "",
    isBot,
    deactivated: false,
    isAdmin: false,
    pictureVersion: 1,
  };
  return { user, name: `${firstName} ${lastName}`.trim(), presence };
}

export const people: Record<string, Person> = Object.fromEntries(
  [
    person("alice", "Alice", "Moreau", "online"),
    person("bob", "Bob", "Tanaka", "online"),
    person("carol", "Carol", "Okafor", "online"),
    person("dave", "Dave", "Lindqvist", "online"),
    person("erin", "Erin", "Walsh", "online"),
    person("frank", "Frank", "Castillo", "dnd"),
    person("grace", "Grace", "Kim", "away"),
    person("heidi", "Heidi", "Brandt", "online"),
    person("ivan", "Ivan", "Petrov", "offline"),
    person("deploybot", "Deploy", "Bot", "offline", true),
  ].map((one) => [one.user.id, one]),
);

function channel(id: string, kind: ChannelKind, name: string, more: Partial<ChannelRow> = {}): ChannelRow {
  return {
    id,
    kind,
    name,
    slug: name,
    header: "",
    user: null,
    unread: false,
    mentions: 0,
    muted: false,
    archived: false,
    call: null,
    callBlocked: null,
    callsAllowed: null,
    draft: "",
    ...more,
  };
}

export const channels: ChannelRow[] = [
  channel("announcements", "public", "announcements", { unread: true }),
  channel("design", "public", "design", { header: "Tokens, icons, words." }),
  channel("incident", "private", "incident-room", { unread: true, mentions: 3 }),
  channel("release", "public", "release-2-9", {
    header: "Cut on Thursday. Blockers here, everything else in the tracker.",
    call: { startAt: now - 12 * MINUTE - 4_000, users: ["bob", "carol", "erin", "dave", "frank"], mine: false, dismissed: false },
  }),
  channel("standup", "public", "standup", { draft: "Yesterday: the jitter buffer." }),
  channel("support", "public", "support", { unread: true }),
  channel("deploys", "public", "deploys", { muted: true, unread: true }),
  channel("old", "public", "release-2-8", { archived: true, callBlocked: "call.archived" }),
  channel("dm-bob", "direct", "Bob Tanaka", { user: "bob", unread: true, mentions: 1 }),
  channel("dm-grace", "direct", "Grace Kim", { user: "grace" }),
  channel("group", "group", "Dave, Heidi", {
    call: { startAt: now - 3 * MINUTE - 41_000, users: ["dave", "heidi"], mine: false, dismissed: false },
  }),
  channel("dm-frank", "direct", "Frank Castillo", { user: "frank" }),
  channel("dm-carol", "direct", "Carol Okafor", { user: "carol" }),
  channel("dm-ivan", "direct", "Ivan Petrov", { user: "ivan" }),
];

/** Favourites, a folded group, channels, people. */
export const categories: CategoryRow[] = [
  { id: "fav", kind: "favorites", name: "Favorites", folded: false, channels: ["release", "dm-bob"] },
  {
    id: "chan",
    kind: "channels",
    name: "Channels",
    folded: false,
    channels: ["announcements", "design", "incident", "standup", "support", "deploys", "old"],
  },
  { id: "dm", kind: "direct", name: "Direct Messages", folded: false, channels: ["dm-grace", "group", "dm-frank", "dm-carol", "dm-ivan"] },
];

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

const firstUnread = callPost("bob", today(9, 48), 0, "Go / no-go for 2.9", "", 6);

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

/** What was said a while ago. */
export function said(): Call["said"] {
  const line = (minutes: number, name: string, text: string) => ({ at: now - minutes * MINUTE, name, text });
  return [
    line(9, "Carol Okafor", "shall we begin with the numbers from last night"),
    line(8, "Bob Tanaka", "yes, two hundred calls, and nobody was thrown out of one"),
    line(8, "Bob Tanaka", "the longest gap was six hundred milliseconds"),
    line(5, "Dave Lindqvist", "that was the old relay, it is gone since this morning"),
    line(2, "Bob Tanaka", "so the rejoin path is down to four hundred milliseconds"),
    line(1, "Carol Okafor", "and that is on the slow link?"),
  ];
}

/** What the demo shows in a channel. */
export function postsOf(channel: string): PostRow[] {
  if (channel === "release") return posts;
  if (channel.startsWith("dm-")) return directPosts;
  return [];
}

export const devices: Devices = {
  inputs: [
    { id: "jabra", name: "Jabra Evolve2 65", role: "input", isDefault: true },
    { id: "built-in", name: "Built-in microphone", role: "input", isDefault: false },
  ],
  outputs: [
    { id: "jabra-out", name: "Jabra Evolve2 65", role: "output", isDefault: true },
    { id: "hdmi", name: "HDMI monitor", role: "output", isDefault: false },
  ],
  input: null,
  output: null,
  sound: { echo: true, noise: "standard", gain: true, highPass: true, inputVolume: 100, outputVolume: 100, threshold: null, share: true, original: false },
  deafened: false,
  dumping: false,
  trial: null,
};

/** Some lines of a log. */
export const log = [
  "2026-11-22T09:47:01.102Z  INFO signed in server=chat.harbour.example",
  "2026-11-22T09:47:44.310Z  INFO joining channel=release-2-9",
  "2026-11-22T09:47:44.690Z  INFO rtc connected after=380ms",
  "2026-11-22T09:51:02.004Z  WARN link down attempt=1 retry_in=1s",
  "2026-11-22T09:51:03.120Z  INFO link up resumed=true",
].join("\n");

export const quality: Quality = {
  rttMs: 24,
  loss: 0.002,
  jitterMs: 4,
  jitterTargetMs: 40,
  xruns: 0,
  concealedRatio: 0.001,
  bitrateIn: 38_000,
  bitrateOut: 41_000,
  mos: 4.3,
  share: null,
  watch: null,
};

/** The same at some second: a connection that is well, and breathes. */
export function measured(second: number): Quality {
  const wave = (slow: number, size: number) => 1 + size * Math.sin(second / slow) * Math.cos(second * 1.7);
  const dip = Math.abs(second - 38) < 3 ? 4 : 1;
  return {
    ...quality,
    rttMs: Math.round(24 * wave(5, 0.3) * (dip > 1 ? 1.8 : 1)),
    jitterMs: Math.round(4 * wave(3, 0.4)),
    jitterTargetMs: dip > 1 ? 60 : 40,
    loss: 0.002 * dip,
    concealedRatio: 0.001 * dip,
    bitrateIn: Math.round(38_000 * wave(4, 0.25)),
    bitrateOut: Math.round(41_000 * wave(7, 0.2)),
    mos: dip > 1 ? 4 : 4.3,
  };
}

const idle: Call = {
  phase: { type: "idle" },
  channel: null,
  place: "",
  kind: null,
  session: null,
  startedAt: 0,
  microphone: "muted",
  participants: [],
  host: null,
  thread: null,
  quality: null,
  streams: [],
  path: null,
  switchTo: null,
  canModerate: false,
  canEnd: false,
  canRecord: false,
  endingAt: null,
  reactions: [],
  recording: null,
  prompt: null,
  captionsOffered: false,
  captionsShown: false,
  captions: [],
    said: [],
    saidSomething: false,
  link: "",
  calling: null,
  server: null,
};

export const noChat: CallChat = { channel: null, root: null, posts: [], loading: false, unread: 0, mentions: 0 };

/** What was written during the call. */
export const chat: CallChat = {
  ...noChat,
  channel: "release",
  root: "root",
  unread: 2,
  mentions: 1,
  posts: [
    post("bob", today(9, 49), "Checklist: [release-2-9/gates](https://tracker.example/gates)", { root: "root" }),
    post("carol", today(9, 51), "I will share the crash dashboard in a minute.", { root: "root" }),
    post("dave", today(10, 1), "Rejoin is `0.4 s` at p50 now, `1.3 s` at p95.", { root: "root" }),
    post("alice", today(10, 4), "Good enough for **go** from me. :tada:", { root: "root" }),
  ],
};

/** A reaction in the air. */
export function reaction(id: number, user: string, text: string): CallReaction {
  return { id, session: `session-${user}`, name: people[user]?.name ?? user, me: user === "alice", text };
}

/** Signed in, `release-2-9` open. */
export function snapshot(timeline: Partial<Timeline> = {}): Snapshot {
  const me = people["alice"]?.user;
  if (!me) throw new Error("the cast has no alice");
  return {
    revision: 1,
    account: { phase: "signedIn", server, me, remembered: true },
    link: { state: "up" },
    directory: {
      teams: [
        { id: "harbour", name: "harbour", displayName: "Harbour" },
        { id: "pilots", name: "pilots", displayName: "Pilots" },
      ],
      team: "harbour",
      channel: "release",
      channels,
      categories,
      maxFileSize: 100_000_000,
      collapsedThreads: true,
      people,
      callsAvailable: true,
      look: { hours24: null, dark: null },
    },
    timeline: {
      channel: "release",
      posts,
      loading: false,
      loadingOlder: false,
      atStart: false,
      firstUnread: firstUnread.id,
      typing: [],
      ...timeline,
    },
    thread: noThread,
    compose: { uploads: {}, text: "", people: [], commands: [] },
    finder: { text: "", busy: false, people: [], channels: [] },
    emoji: [{ id: "halloo", name: "halloo" }],
    call: idle,
    chat: noChat,
    devices,
    appearance: PLAIN,
    calls: USUAL,
    incoming: { calls: [], missed: [] },
    alerts: QUIET,
    share: noShare,
    notices: [],
    servers: [],
    network: { running: false, at: null, ways: [] },
  };
}

/** What a server may do that was just added. */
export const trusted = { ring: true, notify: true, microphone: true, screen: true, links: true };

/** Three servers: ours, one that wants us, and one that is not to be reached. */
export const servers: ServerRow[] = [
  { number: 0, name: "Harbour", url: server.url, standing: "up", unread: true, mentions: 0, channels: 2, ringing: false, inCall: false, shown: true, trust: trusted },
  { number: 1, name: "Lighthouse", url: "https://light.example", standing: "up", unread: true, mentions: 3, channels: 4, ringing: false, inCall: true, shown: false, trust: trusted },
  { number: 3, name: "Tugboats", url: "https://tugs.example", standing: "lost", unread: true, mentions: 0, channels: 1, ringing: true, inCall: false, shown: false, trust: { ...trusted, microphone: false, links: false } },
];

/** Another channel open. */
export function open(channel: string, timeline: Partial<Timeline> = {}): Snapshot {
  const whole = snapshot({ channel, ...timeline });
  return { ...whole, directory: { ...whole.directory, channel } };
}

function participant(user: string, talking: boolean, muted: boolean): ParticipantRow {
  return {
    session: `session-${user}`,
    user,
    name: people[user]?.name ?? user,
    me: user === "alice",
    host: user === "bob",
    muted,
    speaking: talking,
    handRaisedAt: user === "erin" ? now - 5_000 : null,
    sharing: false,
    volume: user === "bob" ? 120 : 100,
    reaction: null,
    busy: false,
  };
}

/** In the call of `release-2-9`; Bob talks. */
export function inCall(call: Partial<Call>, who: { talking?: string[]; only?: string[]; host?: string } = {}): Snapshot {
  const users = who.only ?? ["alice", "bob", "carol", "erin", "dave"];
  const talking = who.talking ?? ["bob"];
  const microphone = call.microphone ?? "muted";
  const participants = users.map((user) => ({
    ...participant(user, talking.includes(user) && users.length > 1, user === "alice" ? microphone !== "open" : !["bob", ...talking].includes(user)),
    host: user === (who.host ?? "bob"),
  }));
  const whole = snapshot();
  const inside = !["joining", "failed"].includes(call.phase?.type ?? "live");
  const rows = channels.map((row) =>
    row.call && row.id === "release" ? { ...row, call: { ...row.call, users: [...row.call.users.slice(0, 4), ...(inside ? ["alice"] : [])], mine: inside } } : row,
  );
  return {
    ...whole,
    directory: { ...whole.directory, channels: rows },
    timeline: { ...whole.timeline, firstUnread: null },
    call: {
      ...idle,
      phase: { type: "live" },
      channel: "release",
      place: "release-2-9",
      kind: "public",
      session: "session-alice",
      startedAt: now - 18 * MINUTE - 22_000,
      host: "bob",
      thread: "root",
      link: "https://chat.harbour.example/harbour/channels/release?join_call=true",
      participants,
      quality,
      ...call,
    },
  };
}

/** A call with many people. */
export function crowd(n: number): Snapshot {
  const whole = inCall({});
  const names = Object.keys(people);
  const more = Array.from({ length: Math.max(0, n - whole.call.participants.length) }, (_, at): ParticipantRow => {
    const user = names[at % names.length] ?? "bob";
    return { ...participant(user, false, at % 3 > 0), session: `session-${at}`, me: false, host: false, handRaisedAt: null, name: `${people[user]?.name ?? user} ${at}` };
  });
  return { ...whole, call: { ...whole.call, participants: [...whole.call.participants, ...more] } };
}

/** A notice. */
export function notice(
  code: string,
  severity: Severity,
  values: Record<string, string> = {},
  id = 1,
  retry: Command | null = null,
): Notice {
  return { id, code, severity, values, retry, detail: null };
}

/** A certificate that nobody vouches for. */
export function untrusted(code = "server.untrusted"): Notice {
  const values = {
    server: "chat.harbor.example",
    host: "chat.harbor.example",
    fingerprint: Array.from({ length: 32 }, (_, n) => (n * 7 + 11).toString(16).padStart(2, "0").toUpperCase()).join(":"),
    subject: "CN=chat.harbor.example, O=Harbor",
    issuer: "CN=Harbor Internal CA",
    from: String(Date.UTC(2026, 0, 1)),
    until: String(Date.UTC(2027, 0, 1)),
  };
  return notice(code, "error", values, 1, { type: "findServer", address: "chat.harbor.example" });
}

/** What the network test finds where UDP is blocked. */
export const network: Network = {
  running: false,
  at: Date.UTC(2026, 8, 12, 9, 30),
  ways: [
    { kind: "site", place: "chat.harbor.example", reach: "yes", ms: 31, detail: null },
    { kind: "stun", place: "stun.harbor.example:3478", reach: "no", ms: null, detail: null },
    { kind: "turnTls", place: "turn.harbor.example:443", reach: "yes", ms: 88, detail: null },
    { kind: "media", place: "chat.harbor.example:8443", reach: "unknown", ms: null, detail: null },
  ],
};

/** Not signed in. */
export function signIn(account: Account, ...notices: Notice[]): Snapshot {
  const whole = snapshot({ channel: null, posts: [] });
  return { ...whole, account, link: { state: "down" }, notices };
}

/** A call that comes in. */
export function incoming(channel: string, caller: string, change: Partial<IncomingCall> = {}): IncomingCall {
  return {
    call: `call-${caller}`,
    server: null,
    channel,
    kind: "direct",
    place: people[caller]?.name ?? caller,
    caller,
    name: people[caller]?.name ?? caller,
    users: [caller],
    since: Date.now() - 3000,
    ringing: true,
    declinable: false,
    inCall: false,
    elsewhere: false,
    offerBlock: false,
    ...change,
  };
}

/** Signed in, while somebody calls. */
export function ringing(...calls: IncomingCall[]): Snapshot {
  return { ...snapshot(), incoming: { calls, missed: [] } };
}

/** Calls that nobody here answered, newest first. */
export function missed(...callers: string[]): Snapshot {
  const calls = callers.map((caller, at) => ({
    call: `missed-${at}`,
    server: null,
    channel: `dm-${caller}`,
    caller,
    name: people[caller]?.name ?? caller,
    at: now - (at + 1) * 17 * MINUTE,
  }));
  return { ...snapshot(), incoming: { calls: [], missed: calls } };
}

/** Nobody shares. */
export const noShare: Share = { picker: null, ours: { state: "off" }, presenter: null, allowed: true, sound: false, volume: 100, locked: false };

/** What could be shared. */
export const picker: SharePicker = {
  loading: false,
  sources: [
    { id: "screen:0", name: "", kind: "screen", width: 2560, height: 1440 },
    { id: "screen:1", name: "", kind: "screen", width: 1920, height: 1080 },
    { id: "window:0x1", name: "resume.rs – Editor", kind: "window", width: 1200, height: 900 },
    { id: "window:0x2", name: "Crash dashboard – Browser", kind: "window", width: 1400, height: 900 },
    { id: "window:0x3", name: "alice@desk: ~/halloo", kind: "window", width: 900, height: 600 },
    { id: "window:0x4", name: "Release 2.9 – Slides", kind: "window", width: 1280, height: 720 },
  ],
  problem: null,
  sound: true,
};

/** What could be shared under Wayland. */
export const portals: SharePicker = {
  loading: false,
  sources: [
    { id: "portal", name: "", kind: "portal", width: 0, height: 0 },
    { id: "portal:choose", name: "", kind: "portal", width: 0, height: 0 },
  ],
  problem: null,
  sound: false,
};

/** We share. */
export function sharing(source: string, motion: boolean): Share {
  const name = picker.sources.find((one) => one.id === source)?.name ?? "";
  return {
    ...noShare,
    ours: { state: "on", source, name, motion, sound: false, paused: false, width: 2560, height: 1440 },
    presenter: "session-alice",
  };
}

/** A picture of a shared screen: stripes that stand in for text. */
export async function frame(after: number): Promise<ArrayBuffer> {
  if (after > 0) await new Promise((done) => setTimeout(done, 200));
  const [width, height] = [640, 360];
  const bytes = new ArrayBuffer(16 + (width * height * 3) / 2);
  const header = new DataView(bytes);
  [after + 1, width, height].forEach((value, at) => header.setUint32(at * 4, value, true));
  const luma = new Uint8Array(bytes, 16, width * height);
  luma.forEach((_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const text = y % 14 > 4 && y % 14 < 10 && x > 30 && x < 600 - ((y * 37) % 260) && (x + y) % 9 > 2;
    luma[at] = y < 24 ? 90 : text ? 60 : 225;
  });
  new Uint8Array(bytes, 16 + width * height).fill(128);
  return bytes;
}

/** A small picture of a source. */
export async function thumbnail(): Promise<ArrayBuffer> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [320, 200];
  const brush = canvas.getContext("2d");
  if (!brush) throw new Error("no canvas");
  brush.fillStyle = "#e9eff0";
  brush.fillRect(0, 0, 320, 200);
  brush.fillStyle = "#6b8a90";
  for (let line = 0; line < 10; line++) brush.fillRect(20, 20 + line * 17, 80 + ((line * 53) % 190), 7);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  return blob ? blob.arrayBuffer() : new ArrayBuffer(0);
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
