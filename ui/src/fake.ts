/**
 * The interface without a core: scripted snapshots, so that every view can be seen in a plain browser and tested.
 * `?view=` names a scene below; `?theme=` and `?dir=` override what the system says.
 */
import type { CallPhase, Command, Levels, Patch, Slice, Snapshot } from "./bindings";
import type { Bridge } from "./bridge";
import * as cast from "./fake/cast";
import { Play } from "./fake/play";
import { partOf, recordedPosts } from "./fake/recorded";

export type Scene = keyof typeof scenes;

const failed = (code: string, values: Record<string, string> = {}, detail: string | null = null): CallPhase => ({
  type: "failed",
  code,
  values,
  detail,
  retry: true,
});

/** Every scene is a change of the ordinary state: signed in, one channel open, a call there that is not ours. */
const scenes = {
  "main": () => cast.snapshot(),
  "address": () => cast.signIn({ phase: "noServer" }),
  "finding": () => cast.signIn({ phase: "finding", address: "chat.harbour.example" }),
  "address-untrusted": () => cast.signIn({ phase: "noServer" }, cast.untrusted()),
  "address-changed": () => cast.signIn({ phase: "noServer" }, cast.untrusted("server.changed")),
  "address-none": () => cast.signIn({ phase: "noServer" }, cast.notice("server.none", "error")),
  "sign-in": () => cast.signIn({ phase: "signedOut", server: cast.server, login: "", codeNeeded: false, outside: false }),
  "sign-in-wrong": () =>
    cast.signIn(
      { phase: "signedOut", server: cast.server, login: "alice", codeNeeded: false, outside: false },
      cast.notice("account.wrong", "error"),
    ),
  "sign-in-busy": () => cast.signIn({ phase: "signingIn", server: cast.server, login: "alice" }),
  "sign-in-code": () => cast.signIn({ phase: "signedOut", server: cast.server, login: "alice", codeNeeded: true, outside: false }),
  "sign-in-insecure": () =>
    cast.signIn({
      phase: "signedOut",
      server: { ...cast.server, url: "http://chat.harbour.example", insecure: true },
      login: "",
      codeNeeded: false, outside: false,
    }),
  "sign-in-no-calls": () =>
    cast.signIn({ phase: "signedOut", server: { ...cast.server, callsVersion: null }, login: "", codeNeeded: false, outside: false }),
  "servers": () => ({ ...cast.snapshot(), servers: cast.servers }),
  // The call is in a channel of the other server's: nothing here is in it.
  "servers-call": () => ({ ...cast.inCall({ channel: "night-watch", place: "Night watch", server: { number: 1, name: "Lighthouse" } }), directory: cast.snapshot().directory, servers: cast.servers }),
  "listening-untrusted": () => {
    const whole = cast.inCall({ microphone: "unavailable" });
    const { alerts } = whole;
    const notice = { ...cast.notice("trust.microphone", "warning"), retry: { type: "setTrust" as const, grant: "microphone" as const, allowed: true } };
    return { ...whole, notices: [notice], alerts: { ...alerts, settings: { ...alerts.settings, trust: { ...alerts.settings.trust, microphone: false } } } };
  },
  "servers-add": () => ({
    ...cast.signIn({ phase: "noServer" }),
    servers: [
      ...cast.servers.map((one) => ({ ...one, shown: false })),
      { number: 4, name: "", url: "", standing: "new" as const, unread: false, mentions: 0, channels: 0, ringing: false, inCall: false, shown: true, trust: cast.trusted },
    ],
  }),
  "servers-incoming": () => ({ ...cast.ringing(cast.incoming("dm-bob", "bob", { server: { number: 3, name: "Tugboats" } })), servers: cast.servers }),
  "joining": () => cast.inCall({ phase: { type: "joining" }, participants: [] }),
  "connecting": () => cast.inCall({ phase: { type: "connecting" }, quality: null }),
  "live": () => cast.inCall({}),
  "live-open": () => cast.inCall({ microphone: "open" }, { talking: ["alice"] }),
  "live-opening": () => cast.inCall({ microphone: "opening" }, { talking: [] }),
  "live-listening": () => ({
    ...cast.inCall({ microphone: "unavailable" }),
    notices: [cast.notice("mic.none", "warning")],
    devices: { ...cast.devices, inputs: [] },
  }),
  "live-alone": () => cast.inCall({ quality: null }, { only: ["alice"] }),
  "live-direct": () => cast.inCall({ kind: "direct", place: "Bob Tanaka", microphone: "open" }, { only: ["bob", "alice"] }),
  "reconnecting": () => ({
    ...cast.inCall({ phase: { type: "reconnecting", mediaFlows: false }, quality: { ...cast.quality, mos: 1.6 } }),
  }),
  "reconnecting-flows": () => ({
    ...cast.inCall({ phase: { type: "reconnecting", mediaFlows: true } }),
    link: { state: "lost" as const, retryIn: 4, attempt: 2 },
  }),
  "failed": () => cast.inCall({ phase: failed("call.media_timeout", { port: "8443" }, "udp 8443, tcp 8443 · 15.0 s"), participants: [] }),
  "failed-full": () => cast.inCall({ phase: failed("call.full", { n: "8", max: "8" }), participants: [] }),
  "failed-lost": () => cast.inCall({ phase: failed("call.lost"), participants: [] }),
  "failed-unknown": () => cast.inCall({ phase: failed("call.moon", {}, "the moon is in the wrong phase"), participants: [] }),
  "incoming": () => cast.ringing(cast.incoming("dm-bob", "bob")),
  "incoming-decline": () => cast.ringing(cast.incoming("dm-bob", "bob", { declinable: true })),
  "incoming-stack": () =>
    cast.ringing(
      cast.incoming("dm-bob", "bob", { declinable: true }),
      cast.incoming("group", "dave", { kind: "group", ringing: false }),
      cast.incoming("dm-grace", "grace", { ringing: false }),
    ),
  "incoming-rang-out": () => cast.ringing(cast.incoming("dm-bob", "bob", { ringing: false, since: Date.now() - 48_000 })),
  "incoming-flood": () => cast.ringing(cast.incoming("dm-bob", "bob", { ringing: false, offerBlock: true })),
  "incoming-elsewhere": () => cast.ringing(cast.incoming("dm-bob", "bob", { ringing: false, elsewhere: true })),
  "incoming-in-call": () => ({
    ...cast.inCall({}),
    incoming: { calls: [cast.incoming("dm-grace", "grace", { ringing: false, inCall: true }), cast.incoming("dm-dave", "dave", { ringing: false, inCall: true })], missed: [] },
  }),
  "missed": () => cast.missed("grace", "bob"),
  "calling": () => cast.inCall({ kind: "direct", place: "Bob Tanaka", microphone: "open", calling: { unanswered: false } }, { only: ["alice"], talking: [] }),
  "calling-unanswered": () =>
    cast.inCall({ kind: "direct", place: "Bob Tanaka", microphone: "open", calling: { unanswered: true } }, { only: ["alice"], talking: [] }),
  "quitting": () => {
    const whole = cast.inCall({});
    return { ...whole, alerts: { ...whole.alerts, quitting: true } };
  },
  "sign-in-outside": () =>
    cast.signIn({
      phase: "signedOut",
      server: { ...cast.server, outside: [{ service: "gitlab", label: "" }, { service: "saml", label: "Harbour ID" }] },
      login: "",
      codeNeeded: false,
      outside: false,
    }),
  "sign-in-browser": () => cast.signIn({ phase: "signedOut", server: cast.server, login: "", codeNeeded: false, outside: true }),
  "share-picker": () => ({ ...cast.inCall({}), share: { ...cast.noShare, picker: cast.picker } }),
  "share-portal": () => ({ ...cast.inCall({}), share: { ...cast.noShare, picker: cast.portals } }),
  "share-none": () => ({
    ...cast.inCall({}),
    share: { ...cast.noShare, picker: { loading: false, sources: [], problem: "share.unsupported", sound: false } },
  }),
  "share-mine": () => ({ ...cast.inCall({}), share: cast.sharing("screen:0", false) }),
  "share-heard": () => ({ ...cast.inCall({}), share: { ...cast.noShare, presenter: "session-bob", sound: true } }),
  "share-locked": () => ({ ...cast.inCall({}), share: { ...cast.sharing("screen:0", false), locked: true } }),
  "share-watch": () => ({ ...cast.inCall({}), share: { ...cast.noShare, presenter: "session-bob" } }),
  "host": () => ({
    ...cast.inCall(
      {
        canModerate: true,
        canEnd: true,
        canRecord: true,
        host: "alice",
        recording: { runs: true, endsAt: Date.now() + 40 * 60_000 },
        reactions: [cast.reaction(1, "carol", "🎉"), cast.reaction(2, "dave", "👍🏽"), cast.reaction(3, "alice", "❤️")],
      },
      { host: "alice", talking: ["bob"] },
    ),
    chat: cast.chat,
  }),
  "recorded": () => cast.inCall({ recording: { runs: true, endsAt: null }, prompt: { type: "consent" } }),
  "recording-failed": () =>
    cast.inCall({ canRecord: true, canEnd: true, prompt: { type: "failed", reason: "max concurrent jobs reached" } }, { host: "alice" }),
  "recording-soon": () =>
    cast.inCall(
      { canRecord: true, canEnd: true, recording: { runs: true, endsAt: Date.now() + 9.4 * 60_000 }, prompt: { type: "soon" } },
      { host: "alice" },
    ),
  "captions": () => ({
    ...cast.inCall({
      captionsOffered: true,
      captionsShown: true,
      captions: [
        { session: "session-bob", name: "Bob Tanaka", text: "so the rejoin path is down to four hundred milliseconds" },
        { session: "session-carol", name: "Carol Okafor", text: "and that is on the slow link?" },
      ],
      said: [],
      saidSomething: true,
    }),
    chat: { ...cast.chat, mentions: 0 },
  }),
  "ending": () => cast.inCall({ canEnd: true, endingAt: Date.now() + 3000 }, { host: "alice" }),
  "crowd": () => cast.crowd(23),
  "switch": () => cast.inCall({ switchTo: "group" }),
  "offline": () => ({
    ...cast.snapshot({ posts: cast.offlinePosts }),
    link: { state: "lost" as const, retryIn: 4, attempt: 2 },
  }),
  "loading": () => {
    const whole = cast.snapshot();
    return { ...whole, timeline: { ...whole.timeline, posts: [], loading: true } };
  },
  "empty": () => cast.open("design", { posts: [], atStart: true }),
  "archived": () => cast.open("old"),
  "direct": () => cast.open("dm-carol", { posts: cast.directPosts, atStart: true }),
  "long": () => cast.snapshot({ posts: cast.manyPosts(500) }),
  "archive": () => cast.snapshot({ posts: cast.archive(Number(new URLSearchParams(globalThis.location?.search ?? "").get("posts") ?? 300)), atStart: true, firstUnread: null }),
  "markdown": () => cast.snapshot({ posts: cast.markdownPosts }),
  "rich": () => ({
    ...cast.snapshot({ posts: cast.richPosts, typing: ["Bob Tanaka", "Carol Okafor"], firstUnread: null }),
    compose: cast.uploading,
  }),
  "recording-post": () => cast.snapshot({ posts: recordedPosts, firstUnread: null }),
  "thread": () => ({ ...cast.snapshot({ posts: cast.richPosts, firstUnread: null }), thread: cast.thread }),
  "notices": () => ({
    ...cast.snapshot(),
    notices: [
      cast.notice("call.joined", "info", { name: "Erin Walsh" }, 1),
      cast.notice("device.back", "info", { device: "Jabra Evolve2 65" }, 2),
      cast.notice("mic.denied", "warning", {}, 3, { type: "setMuted", muted: false }),
      { ...cast.notice("request.failed", "error", {}, 4), detail: "POST /posts: 500 out of paper" },
    ],
  }),
  "look-first": () => {
    const whole = cast.snapshot();
    return { ...whole, calls: { ...whole.calls, lookFirst: true } };
  },
  "no-calls": () => {
    const whole = cast.snapshot();
    const channels = whole.directory.channels.map((channel) => ({ ...channel, call: null }));
    return { ...whole, directory: { ...whole.directory, channels, callsAvailable: false } };
  },
} satisfies Record<string, () => Snapshot>;

export const names = Object.keys(scenes) as Scene[];

/** The snapshot of a scene. */
export function scene(name: Scene): Snapshot {
  return scenes[name]();
}

/** What the tests and the demo can see and do behind the bridge. */
export interface FakeBridge extends Bridge {
  /** Every command so far. */
  readonly commands: Command[];
  /** What was asked of the windows. */
  readonly asked: string[];
  /** Every file so far. */
  readonly attached: { channel: string; root: string | null; name: string }[];
  /** Every part of a file that was asked for (which, and from which byte on), and what is answered, if not the ordinary. */
  readonly parts: { asked: string[]; answer: typeof partOf | (() => Promise<ArrayBuffer>) };
  /** Changes slices, as the core would. */
  change(...slices: Slice[]): void;
  /** Loudness, as the core would. */
  levels(levels: Levels): void;
  /** Another window asks for the settings. */
  settings(): void;
}

/** A bridge to nothing: shows a snapshot, remembers what was asked; a deaf one takes no wishes. */
export function stillBridge(first: Snapshot, label = "main", deaf = false): FakeBridge {
  let state = first;
  const patches = new Set<(patch: Patch) => void>();
  const meters = new Set<(levels: Levels) => void>();
  const called = new Set<() => void>();
  const commands: Command[] = [];
  const asked: string[] = [];
  const attached: FakeBridge["attached"] = [];
  const parts: FakeBridge["parts"] = { asked: [], answer: partOf };
  return {
    label,
    commands,
    dispatch: async (command) => {
      if (deaf) throw new Error("nobody hears");
      commands.push(command);
    },
    snapshot: async () => state,
    onPatch: async (heard) => (patches.add(heard), () => patches.delete(heard)),
    onRows: async () => () => undefined,
    onLevels: async (heard) => (meters.add(heard), () => meters.delete(heard)),
    nextFrame: async (_session, after) => cast.frame(after),
    thumbnail: async () => cast.thumbnail(),
    openLink: async (url) => void window.open(url, "_blank", "noopener"),
    openLogs: async () => void asked.push("logs"),
    readLog: async () => cast.log,
    saveLog: async () => (asked.push("save log"), "/home/alice/Downloads/halloo-log.txt"),
    openPrivacy: async () => void asked.push("privacy"),
    window: async (which) => void asked.push(which),
    onSettings: async (heard) => (called.add(heard), () => called.delete(heard)),
    settings: () => called.forEach((heard) => heard()),
    fit: async () => undefined,
    asked,
    avatar: (user) => cast.portraits[user],
    parts,
    filePart: async (file, from) => (parts.asked.push(`${file} ${from}`), parts.answer(file, from)),
    image: () => cast.portraits["erin"],
    attach: async (channel, root, file) => void attached.push({ channel, root, name: file.name }),
    attached,
    change: (...slices) => {
      for (const slice of slices) {
        state = { ...state, revision: state.revision + 1, [slice.slice]: slice.value };
        for (const heard of patches) heard({ revision: state.revision, slice });
      }
    },
    levels: (levels) => meters.forEach((heard) => heard(levels)),
  };
}

/** The demo's bridge: a scene that answers a little. */
export function fakeBridge(search: string): Bridge {
  const query = new URLSearchParams(search);
  const root = document.documentElement;
  const asked = query.get("view");
  const first = scene(names.find((name) => name === asked) ?? "main");
  const theme = (["light", "dark", "contrast"] as const).find((one) => one === query.get("theme")) ?? "system";
  first.appearance = { ...first.appearance, theme, language: query.get("lang") ?? "en", textPercent: Number(query.get("text") ?? 100) };
  if (query.has("dir")) root.dataset["dir"] = query.get("dir") ?? "";
  const bridge = stillBridge(first, query.get("window") ?? "main");
  const play = new Play(first, bridge);
  play.babble();
  play.measure();
  return { ...bridge, dispatch: async (command) => play.handle(command) };
}
