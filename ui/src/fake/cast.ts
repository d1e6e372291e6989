/** The people, places and posts of the demo and the tests, as whole states of the program. */
import { PLAIN } from "../lib/theme";
import { QUIET, USUAL } from "../store.svelte";
import type { Account, Call, Command, IncomingCall, Notice, ParticipantRow, ServerRow, Severity, Snapshot, Timeline } from "../bindings";
import { MINUTE, now, server, people, channels, categories } from "./cast/people";
import { noThread, firstUnread, posts } from "./cast/posts";
import { devices, quality, idle, noChat, participant } from "./cast/call";
import { noShare } from "./cast/share";

export * from "./cast/call";
export * from "./cast/people";
export * from "./cast/posts";
export * from "./cast/share";

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
    host: "chat.harbor.example:443",
    fingerprint: Array.from({ length: 32 }, (_, n) => (n * 7 + 11).toString(16).padStart(2, "0").toUpperCase()).join(":"),
    subject: "CN=chat.harbor.example, O=Harbor",
    issuer: "CN=Harbor Internal CA",
    from: String(Date.UTC(2026, 0, 1)),
    until: String(Date.UTC(2027, 0, 1)),
  };
  return notice(code, "error", values, 1, { type: "findServer", address: "chat.harbor.example" });
}

/** Not signed in. */
export function signIn(account: Account, ...notices: Notice[]): Snapshot {
  const whole = snapshot({ channel: null, posts: [] });
  return { ...whole, account, link: { state: "down" }, notices };
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
