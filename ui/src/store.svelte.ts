import type { Bridge } from "./bridge";
import { cleanCall, cleanDirectory, cleanPosts } from "./lib/clean";
import { share } from "./lib/share";
import { PLAIN } from "./lib/theme";
import type { Account, Alerts, Appearance, Call, CallChat, CallPreferences, Compose, CustomEmoji, Devices, Directory, Finder, Incoming, Levels, Link, Network, Notice, Patch, ServerRow, Share, Slice, Snapshot, Thread, Timeline, TimelineChange } from "./bindings";

/** Until the core has told: its own defaults. */
export const QUIET: Alerts = {
  settings: {
    tone: null,
    volume: 80,
    device: { type: "system" },
    ringFor: "full",
    quiet: { on: false, from: 1140, to: 480 },
    channels: [],
    blocked: {},
    trust: { ring: true, notify: true, microphone: true, screen: true, links: true },
    flash: false,
    busyInCall: false,
    callNotes: true,
    messageText: true,
    quietSharing: true,
    callChat: false,
    joinCue: true,
    joinCrowd: 8,
    muteCue: false,
    handCue: true,
    recordCue: true,
    cueVolume: 100,
    heedSystem: true,
    keys: { talk: "", mute: "", hush: "", tail: 200 },
    toTray: true,
    autostart: false,
    startHidden: true,
  },
  ringing: true,
  serverRings: true,
  tone: "calm",
  preview: null,
  messages: "mention",
  test: null,
  keys: "unknown",
  systemQuiet: false,
  quitting: false,
  demo: false,
};

/** How calls behave until the core has told: its own defaults. */
export const USUAL: CallPreferences = {
  channels: "muted",
  direct: "open",
  noMicrophone: false,
  talkingHint: true,
  leftNotes: false,
  callNotes: true,
  reactions: true,
  captions: false,
  captionSize: "medium",
  captionPlace: "below",
  lookFirst: false,
  largeWindow: false,
  level: "everywhere",
  narrow: false,
  keys: {},
};

const SILENT: Levels = { input: 0, sessions: {} };

/** The core's snapshot, one raw value per slice. Nothing here is ever changed in place, and nothing is decided. */
export class Store {
  /** False until the first snapshot is here. */
  ready = $state(false);
  account = $state.raw<Account>({ phase: "noServer" });
  link = $state.raw<Link>({ state: "down" });
  directory = $state.raw<Directory>({
    teams: [],
    team: null,
    channel: null,
    channels: [],
    categories: [],
    maxFileSize: 0,
    collapsedThreads: false,
    people: {},
    callsAvailable: false,
    look: { hours24: null, dark: null },
  });
  timeline = $state.raw<Timeline>({
    channel: null,
    posts: [],
    loading: false,
    loadingOlder: false,
    atStart: false,
    firstUnread: null,
    typing: [],
  });
  thread = $state.raw<Thread>({ root: null, channel: null, posts: [], loading: false, gone: false, following: false, typing: [], draft: "" });
  compose = $state.raw<Compose>({ uploads: {}, text: "", people: [], commands: [] });
  finder = $state.raw<Finder>({ text: "", busy: false, people: [], channels: [] });
  emoji = $state.raw<CustomEmoji[]>([]);
  network = $state.raw<Network>({ running: false, at: null, ways: [] });
  call = $state.raw<Call>({
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
  });
  chat = $state.raw<CallChat>({ channel: null, root: null, posts: [], loading: false, unread: 0, mentions: 0 });
  devices = $state.raw<Devices>({
    inputs: [],
    outputs: [],
    input: null,
    output: null,
    sound: { echo: true, noise: "standard", gain: true, highPass: true, inputVolume: 100, outputVolume: 100, threshold: null, share: true, original: false },
    deafened: false,
    dumping: false,
    trial: null,
  });
  appearance = $state.raw<Appearance>(PLAIN);
  calls = $state.raw<CallPreferences>(USUAL);
  incoming = $state.raw<Incoming>({ calls: [], missed: [] });
  alerts = $state.raw<Alerts>(QUIET);
  share = $state.raw<Share>({ picker: null, ours: { state: "off" }, presenter: null, allowed: true, sound: false, volume: 100, locked: false });
  notices = $state.raw<Notice[]>([]);
  servers = $state.raw<ServerRow[]>([]);
  levels = $state.raw<Levels>(SILENT);

  // One per slice: a change that touches two slices comes as two patches of the same revision.
  #revisions = new Map<Slice["slice"], number>();
  #whole = -1;
  /** What came while the whole is asked for; nothing while it is not. */
  #early: (() => void)[] | undefined;

  /**
   * Listens first, then asks for the whole, then lets newer patches win: whatever the order of arrival, a
   * reloaded or second window ends up right. Resolves to a function that stops listening.
   */
  async connect(bridge: Bridge): Promise<() => void> {
    this.#early = [];
    const stops = await Promise.all([
      bridge.onPatch((patch) => (this.#early ? this.#early.push(() => this.patch(patch)) : this.patch(patch))),
      bridge.onRows((change) => {
        if (this.#early) this.#early.push(() => this.rows(change));
        else if (!this.rows(change)) void this.#begin(bridge);
      }),
      bridge.onLevels((levels) => (this.levels = levels)),
    ]);
    await this.#begin(bridge);
    return () => stops.forEach((stop) => stop());
  }

  /** Takes the whole, then what came while it was asked for. */
  async #begin(bridge: Bridge): Promise<void> {
    this.#early ??= [];
    const whole = await bridge.snapshot();
    const early = this.#early;
    this.#early = undefined;
    this.replace(whole);
    for (const apply of early) apply();
  }

  /** Takes a whole snapshot. */
  replace(next: Snapshot): void {
    this.#whole = next.revision;
    this.#revisions.clear();
    this.account = share(this.account, next.account);
    this.link = next.link;
    this.directory = share(this.directory, cleanDirectory(next.directory));
    this.timeline = share(this.timeline, cleanPosts(next.timeline));
    this.thread = share(this.thread, cleanPosts(next.thread));
    this.compose = share(this.compose, next.compose);
    this.finder = share(this.finder, next.finder);
    this.emoji = share(this.emoji, next.emoji);
    this.call = share(this.call, cleanCall(next.call));
    this.chat = share(this.chat, cleanPosts(next.chat));
    this.devices = share(this.devices, next.devices);
    this.appearance = share(this.appearance, next.appearance);
    this.calls = share(this.calls, next.calls);
    this.incoming = share(this.incoming, next.incoming);
    this.alerts = share(this.alerts, next.alerts);
    this.share = share(this.share, next.share);
    this.notices = share(this.notices, next.notices);
    this.servers = share(this.servers, next.servers);
    this.network = share(this.network, next.network);
    this.ready = true;
  }

  /** Takes one changed slice, unless something at least as new is here already. */
  patch({ revision, slice }: Patch): void {
    if (revision <= (this.#revisions.get(slice.slice) ?? this.#whole)) return;
    this.#revisions.set(slice.slice, revision);
    this.#take(slice);
  }

  /**
   * Takes what changed of the timeline. False if it builds upon another timeline than the one here: then the whole is
   * needed.
   */
  rows({ revision, base, head, tail, timeline }: TimelineChange): boolean {
    const held = this.#revisions.get("timeline") ?? this.#whole;
    if (revision <= held) return true;
    const old = this.timeline.posts;
    if (this.#revisions.get("timeline") !== base || head + tail > old.length) return false;
    this.#revisions.set("timeline", revision);
    const end = old.length - tail;
    const posts = [...old.slice(0, head), ...share(old.slice(head, end), timeline.posts), ...old.slice(end)];
    const same = posts.length === old.length && posts.every((post, at) => post === old[at]);
    this.timeline = share(this.timeline, { ...timeline, posts: same ? old : posts });
    return true;
  }

  #take(slice: Slice): void {
    switch (slice.slice) {
      case "account":
        this.account = share(this.account, slice.value);
        break;
      case "link":
        // Never shared: the same "retry in 4 s" twice is two different moments.
        this.link = slice.value;
        break;
      case "directory":
        this.directory = share(this.directory, cleanDirectory(slice.value));
        break;
      case "timeline":
        this.timeline = share(this.timeline, cleanPosts(slice.value));
        break;
      case "thread":
        this.thread = share(this.thread, cleanPosts(slice.value));
        break;
      case "compose":
        this.compose = share(this.compose, slice.value);
        break;
      case "finder":
        this.finder = share(this.finder, slice.value);
        break;
      case "emoji":
        this.emoji = share(this.emoji, slice.value);
        break;
      case "call":
        this.call = share(this.call, cleanCall(slice.value));
        if (slice.value.phase.type === "idle") this.levels = SILENT;
        break;
      case "chat":
        this.chat = share(this.chat, cleanPosts(slice.value));
        break;
      case "devices":
        this.devices = share(this.devices, slice.value);
        break;
      case "incoming":
        this.incoming = share(this.incoming, slice.value);
        break;
      case "alerts":
        this.alerts = share(this.alerts, slice.value);
        break;
      case "appearance":
        this.appearance = share(this.appearance, slice.value);
        break;
      case "calls":
        this.calls = share(this.calls, slice.value);
        break;
      case "share":
        this.share = share(this.share, slice.value);
        break;
      case "notices":
        this.notices = share(this.notices, slice.value);
        break;
      case "network":
        this.network = share(this.network, slice.value);
        break;
      case "servers":
        this.servers = share(this.servers, slice.value);
        break;
    }
  }
}
