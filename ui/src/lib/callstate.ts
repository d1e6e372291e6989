import type { Call, ChannelRow, Link } from "../bindings";
import { isHere } from "./servers";

/** What the call button of a channel says. `why` is `link`, `server` or a notice code. */
export type CallState =
  | { type: "start" }
  | { type: "join" }
  | { type: "joining" }
  | { type: "in" }
  | { type: "off"; why: string };

/** From what the core tells; our own call counts before the server has told anybody about it. */
export function callState(channel: ChannelRow, call: Call, link: Link, callsAvailable: boolean): CallState {
  const { type } = call.phase;
  if (isHere(call, channel.id)) {
    if (type === "joining" || type === "connecting") return { type: "joining" };
    if (type === "live" || type === "reconnecting") return { type: "in" };
  }
  if (!callsAvailable) return { type: "off", why: "server" };
  if (link.state !== "up") return { type: "off", why: "link" };
  if (channel.callBlocked) return { type: "off", why: channel.callBlocked };
  return { type: channel.call ? "join" : "start" };
}

/** Whether we are in a call, or on the way into one: there is a bar then. */
export function inCall(call: Call): boolean {
  return call.phase.type !== "idle" && call.phase.type !== "failed";
}

/** Whether leaving is a question: hosts and administrators may end the call for everyone (calls-v1-rest §20.4). */
export function leaving(call: Call): boolean {
  const { type } = call.phase;
  const others = call.participants.some((person) => !person.me);
  return call.canEnd && others && call.kind !== "direct" && (type === "live" || type === "reconnecting");
}
