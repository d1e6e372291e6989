/** A call of theirs: who is in it, what is said and measured. */
import type { Call, CallChat, CallReaction, Devices, IncomingCall, Network, ParticipantRow, Quality } from "../../bindings";
import { MINUTE, now, today, people } from "./people";
import { post } from "./posts";

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

export const idle: Call = {
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
  ways: [],
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

/** A reaction in the air. */
export function reaction(id: number, user: string, text: string): CallReaction {
  return { id, session: `session-${user}`, name: people[user]?.name ?? user, me: user === "alice", text };
}

export function participant(user: string, talking: boolean, muted: boolean): ParticipantRow {
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
