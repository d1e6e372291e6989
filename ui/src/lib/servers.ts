import type { Call, Command, ServerTag } from "../bindings";

/**
 * A wish for one of several servers, whichever is shown; with one server, as it is. So is one that names its server already:
 * what lies in a call's window may be about another server than the call.
 */
export function at(server: Pick<ServerTag, "number"> | null | undefined, command: Command): Command {
  return server && command.type !== "at" ? { type: "at", server: server.number, command } : command;
}

/** Our call is in this channel of the server that is shown. Another server may have a channel of the same id. */
export function isHere(call: Pick<Call, "channel" | "server">, channel: string): boolean {
  return !call.server && call.channel === channel;
}

/** Tells calls apart that come from several servers, whose ids may be the same. */
export function keyOf(call: { call: string; server: ServerTag | null }): string {
  return `${call.server?.number ?? ""} ${call.call}`;
}

/** Which server a key stands for: Ctrl or Cmd, Alt and 1 to 9. By its place, since AltGr types other characters there. */
export function serverKey(event: KeyboardEvent): number | undefined {
  if (!(event.ctrlKey || event.metaKey) || !event.altKey || event.shiftKey) return undefined;
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  return digit === undefined ? undefined : Number(digit) - 1;
}
