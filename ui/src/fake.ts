/**
 * The interface without a core: scripted snapshots, so that every view can be seen in a plain browser and tested.
 * `?view=` names a scene below; `?theme=` and `?dir=` override what the system says.
 */
import type { Call, CallPhase, ChannelRow, Command, Levels, ParticipantRow, Patch, Slice, Snapshot, Timeline } from "./bindings";
import type { Bridge } from "./bridge";
import * as cast from "./fake/cast";

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

/** Just enough of a core to click around in. */
class Play {
  private readonly first: Timeline;
  constructor(
    private state: Snapshot,
    private readonly bridge: FakeBridge,
  ) {
    this.first = state.timeline;
  }

  /** People's voices, as meters see them. */
  babble(): void {
    setInterval(() => {
      const talk = this.state.call.participants.filter((person) => person.speaking);
      const loud = () => 0.2 + 0.5 * Math.abs(Math.sin(performance.now() / 180));
      this.bridge.levels({ input: loud(), sessions: Object.fromEntries(talk.map((person) => [person.session, loud()])) });
    }, 100);
  }

  /** Figures of a call: those of a minute that is past at once, then one each second. */
  measure(past = 60): void {
    const { call } = this.state;
    if (call.phase.type === "live" && call.quality) {
      this.set({ slice: "call", value: { ...call, quality: cast.measured(past > 0 ? 60 - past : performance.now() / 1_000) } });
    }
    setTimeout(() => this.measure(Math.max(0, past - 1)), past > 0 ? 1 : 1_000);
  }

  handle(command: Command): void {
    const { directory, timeline, call, notices } = this.state;
    switch (command.type) {
      case "findServer":
        this.set({ slice: "account", value: { phase: "finding", address: command.address } });
        this.later(900, { slice: "account", value: { phase: "signedOut", server: cast.server, login: "", codeNeeded: false, outside: false } });
        break;
      case "testNetwork":
        this.set({ slice: "network", value: { ...this.state.network, running: true } });
        this.later(900, { slice: "network", value: cast.network });
        break;
      case "changeServer":
        this.set({ slice: "account", value: { phase: "noServer" } });
        break;
      case "signIn":
      case "signInWithToken":
        this.set({ slice: "account", value: { phase: "signingIn", server: cast.server, login: "alice" } });
        this.later(900, { slice: "account", value: cast.snapshot().account });
        break;
      case "signOut":
        this.set({ slice: "account", value: { phase: "signedOut", server: cast.server, login: "alice", codeNeeded: false, outside: false } });
        break;
      case "openChannel":
        this.set({ slice: "directory", value: { ...directory, channel: command.channel } });
        this.set({ slice: "timeline", value: command.channel === this.first.channel ? this.first : { ...timeline, channel: command.channel, posts: cast.postsOf(command.channel) } });
        break;
      case "sendPost": {
        const post = cast.post("alice", Date.now(), command.text);
        const waiting = { ...post, delivery: { state: "waiting" as const, pending: post.id } };
        this.set({ slice: "timeline", value: { ...timeline, posts: [...timeline.posts, waiting] } });
        this.later(700, { slice: "timeline", value: { ...timeline, posts: [...timeline.posts, post] } });
        break;
      }
      case "loadOlder": {
        const [oldest] = timeline.posts;
        const older = oldest ? cast.manyPosts(30, oldest.createAt) : [];
        this.set({ slice: "timeline", value: { ...timeline, loadingOlder: true } });
        this.later(400, { slice: "timeline", value: { ...timeline, posts: [...older, ...timeline.posts], atStart: timeline.posts.length > 200 } });
        break;
      }
      case "joinCall":
        this.join(command.channel, command.switch);
        break;
      case "joinCallAs":
        this.join(command.channel, false);
        break;
      case "leaveCall":
        this.set({ slice: "call", value: { ...call, phase: { type: "idle" }, channel: null, participants: [] } });
        this.mine(null);
        break;
      case "showEmoji": {
        const id = (call.reactions.at(-1)?.id ?? 0) + 1;
        const mine = cast.reaction(id, "alice", command.literal);
        const me = (person: ParticipantRow) => (person.me ? { ...person, reaction: command.literal } : person);
        this.set({ slice: "call", value: { ...call, reactions: [...call.reactions, mine], participants: call.participants.map(me) } });
        break;
      }
      case "showCaptions":
        this.set({ slice: "call", value: { ...call, captionsShown: command.on } });
        this.set({ slice: "calls", value: { ...this.state.calls, captions: command.on } });
        break;
      case "showSaid":
        this.set({ slice: "call", value: { ...call, said: command.shown ? cast.said() : [] } });
        break;
      case "showChat":
        if (command.shown) this.set({ slice: "chat", value: { ...this.state.chat, unread: 0, mentions: 0 } });
        break;
      case "record": {
        const recording = command.on ? { runs: false, endsAt: null } : null;
        this.set({ slice: "call", value: { ...call, recording, prompt: command.on ? null : { type: "done" } } });
        if (command.on)
          this.later(1500, { slice: "call", value: { ...call, recording: { runs: true, endsAt: Date.now() + 3_600_000 }, prompt: { type: "host" } } });
        break;
      }
      case "dismissRecordingPrompt":
        this.set({ slice: "call", value: { ...call, prompt: null } });
        break;
      case "endCall":
        this.set({ slice: "call", value: { ...call, endingAt: Date.now() + 3000 } });
        break;
      case "undoEndCall":
        this.set({ slice: "call", value: { ...call, endingAt: null } });
        break;
      case "moderate": {
        const { action } = command;
        const change = (person: ParticipantRow): ParticipantRow => {
          if (action.type === "makeHost") return { ...person, host: person.user === action.user };
          if (action.type === "muteOthers") return person.me ? person : { ...person, muted: true, speaking: false };
          if (person.session !== action.session) return person;
          if (action.type === "mute") return { ...person, muted: true, speaking: false };
          return action.type === "lowerHand" ? { ...person, handRaisedAt: null } : person;
        };
        const left = (person: ParticipantRow) => action.type !== "remove" || person.session !== action.session;
        this.set({ slice: "call", value: { ...call, participants: call.participants.filter(left).map(change) } });
        break;
      }
      case "dismissCallProblem":
        this.set({ slice: "call", value: { ...call, switchTo: null, phase: call.phase.type === "failed" ? { type: "idle" } : call.phase } });
        break;
      case "setMuted": {
        const me = (person: ParticipantRow) => (person.me ? { ...person, muted: command.muted, speaking: !command.muted } : person);
        const then: Call = { ...call, microphone: command.muted ? "muted" : "open", participants: call.participants.map(me) };
        if (command.muted) this.set({ slice: "call", value: then });
        else {
          this.set({ slice: "call", value: { ...call, microphone: "opening" } });
          this.later(600, { slice: "call", value: then });
        }
        break;
      }
      case "raiseHand":
      case "setVolume": {
        const change = (person: ParticipantRow): ParticipantRow =>
          command.type === "setVolume"
            ? person.session === command.session ? { ...person, volume: command.percent } : person
            : person.me ? { ...person, handRaisedAt: command.raised ? Date.now() : null } : person;
        this.set({ slice: "call", value: { ...call, participants: call.participants.map(change) } });
        break;
      }
      case "chooseDevice":
        this.set({ slice: "devices", value: { ...this.state.devices, [command.role]: command.device } });
        break;
      case "setSound":
        this.set({ slice: "devices", value: { ...this.state.devices, sound: command.sound } });
        break;
      case "setDeafened":
        this.set({ slice: "devices", value: { ...this.state.devices, deafened: command.deafened } });
        break;
      case "hearMyself":
        this.set({ slice: "devices", value: { ...this.state.devices, trial: command.on ? "recording" : null } });
        break;
      case "dumpSound":
        this.set({ slice: "devices", value: { ...this.state.devices, dumping: command.on } });
        break;
      case "setCalls":
        this.set({ slice: "calls", value: command.calls });
        break;
      case "setAppearance":
        this.set({ slice: "appearance", value: command.appearance });
        break;
      case "openSharePicker":
        this.set({ slice: "share", value: { ...this.state.share, picker: cast.picker } });
        break;
      case "closeSharePicker":
        this.set({ slice: "share", value: { ...this.state.share, picker: null } });
        break;
      case "startShare":
        this.set({ slice: "share", value: cast.sharing(command.source, command.motion) });
        break;
      case "stopShare":
        this.set({ slice: "share", value: cast.noShare });
        break;
      case "dismissNotice":
        this.set({ slice: "notices", value: notices.filter((notice) => notice.id !== command.id) });
        break;
      default:
    }
  }

  private join(channel: string, change: boolean): void {
    const { call, directory } = this.state;
    const row = directory.channels.find((one) => one.id === channel);
    if (!row) return;
    if (call.phase.type === "live" && !change) {
      this.set({ slice: "call", value: { ...call, switchTo: channel } });
      return;
    }
    const users = row.call?.users ?? [];
    const next = cast.inCall({ channel, place: row.name, kind: row.kind, startedAt: Date.now() }, { only: ["alice", ...users], talking: users.slice(0, 1) }).call;
    this.set({ slice: "call", value: { ...next, phase: { type: "joining" }, participants: [] } });
    this.later(800, { slice: "call", value: { ...next, phase: { type: "connecting" } } });
    this.later(1600, { slice: "call", value: next });
    setTimeout(() => this.mine(channel), 1600);
  }

  private mine(channel: string | null): void {
    const { directory } = this.state;
    const mark = (row: ChannelRow): ChannelRow => {
      const users = (row.call?.users ?? []).filter((user) => user !== "alice");
      if (row.id === channel) return { ...row, call: { startAt: row.call?.startAt ?? Date.now(), users: [...users, "alice"], mine: true, dismissed: false } };
      return row.call ? { ...row, call: users.length > 0 ? { ...row.call, users, mine: false, dismissed: false } : null } : row;
    };
    this.set({ slice: "directory", value: { ...directory, channels: directory.channels.map(mark) } });
  }

  private set(slice: Slice): void {
    this.state = { ...this.state, [slice.slice]: slice.value };
    this.bridge.change(slice);
  }

  private later(ms: number, slice: Slice): void {
    setTimeout(() => this.set(slice), ms);
  }
}
