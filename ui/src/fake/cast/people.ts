/** Who the demo and the tests are about, and where they meet. */
import type { CategoryRow, ChannelKind, ChannelRow, Person, Presence, ServerInfo } from "../../bindings";

const files = import.meta.glob<string>("../../../demo/*.svg", { query: "?url", import: "default", eager: true });

/** Drawn portraits by user, for those who have one. */
export const portraits: Record<string, string | undefined> = Object.fromEntries(
  Object.entries(files).map(([path, url]) => [/(\w+)\.svg$/.exec(path)?.[1] ?? path, url]),
);

export const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const now = Date.now();
/** Today at a time of day, however early it is now. */
export const today = (hours: number, minutes: number) => new Date(now).setHours(hours, minutes, 0, 0);
export const yesterday = (hours: number, minutes: number) => today(hours, minutes) - 24 * HOUR;

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
