/** The demo's core: answers a little. */
import type { Call, ChannelRow, Command, ParticipantRow, Snapshot, Slice, Timeline } from "../bindings";
import type { FakeBridge } from "../fake";
import * as cast from "./cast";

/** Just enough of a core to click around in. */
export class Play {
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
