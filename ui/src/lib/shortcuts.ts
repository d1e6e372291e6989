import type { Call, ChannelRow, Command, Devices, Directory, Link, Share } from "../bindings";
import { callState, inCall } from "./callstate";

/** What keys act on. */
export interface Situation {
  directory: Directory;
  call: Call;
  link: Link;
  share: Share;
  devices: Devices;
}

/** The command a chord stands for, if it means anything now. The names are those of `chord()`. */
export function commandFor(keys: string, { directory, call, link, share, devices }: Situation): Command | undefined {
  const open = directory.channels.find((channel) => channel.id === directory.channel);
  switch (keys) {
    case "Control+Q":
      return { type: "quit", sure: false };
    case "Control+Alt+S":
      return open && join(open, call, link, directory.callsAvailable);
    case "Control+Shift+Space":
      return inCall(call) ? { type: "setMuted", muted: talks(call) } : undefined;
    case "Control+Shift+L":
      return inCall(call) ? { type: "leaveCall" } : undefined;
    case "Control+Shift+D":
      return inCall(call) ? { type: "setDeafened", deafened: !devices.deafened } : undefined;
    case "Control+Shift+E":
      if (!inCall(call) || !share.allowed) return undefined;
      return { type: share.ours.state === "off" ? "openSharePicker" : "stopShare" };
    case "Control+Alt+R":
      // Stopping asks first, which is the view's affair.
      return inCall(call) && call.canRecord && !call.recording ? { type: "record", on: true } : undefined;
    case "Control+Shift+Y": {
      const me = call.participants.find((person) => person.me);
      return me && inCall(call) ? { type: "raiseHand", raised: me.handRaisedAt === null } : undefined;
    }
    case "Alt+Shift+ArrowDown":
    case "Alt+Shift+ArrowUp": {
      const next = nextUnread(directory, keys.endsWith("Down") ? 1 : -1);
      return next && { type: "openChannel", channel: next.id };
    }
    default:
      return undefined;
  }
}

/** Push to talk with one key: opens the microphone while it is held, and shuts only what it has opened. */
export function hold(call: () => Call, dispatch: (command: Command) => void): { press(): void; release(): void } {
  let talking = false;
  return {
    press() {
      if (call().phase.type !== "live" || talks(call())) return;
      talking = true;
      dispatch({ type: "setMuted", muted: false });
    },
    release() {
      if (!talking) return;
      talking = false;
      dispatch({ type: "setMuted", muted: true });
    },
  };
}

/** The microphone is on, or on its way. */
export function talks(call: Call): boolean {
  return call.microphone === "open" || call.microphone === "opening";
}

function join(channel: ChannelRow, call: Call, link: Link, available: boolean): Command | undefined {
  const state = callState(channel, call, link, available);
  return state.type === "start" || state.type === "join"
    ? { type: "joinCall", channel: channel.id, title: null, switch: false }
    : undefined;
}

function nextUnread({ channels, channel }: Directory, step: 1 | -1): ChannelRow | undefined {
  const here = channels.findIndex((one) => one.id === channel);
  for (let distance = 1; distance <= channels.length; distance += 1) {
    const at = (here + step * distance + channels.length * 2) % channels.length;
    const one = channels[at];
    if (one && one.id !== channel && (one.mentions > 0 || (one.unread && !one.muted))) return one;
  }
  return undefined;
}
