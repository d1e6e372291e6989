import type { Command, ServerTag } from "../bindings";

/** A wish for one of several servers, whichever is shown; with one server, as it is. */
export function at(server: ServerTag | null | undefined, command: Command): Command {
  return server ? { type: "at", server: server.number, command } : command;
}

/** Which server a key stands for: Ctrl or Cmd, Alt and 1 to 9. By its place, since AltGr types other characters there. */
export function serverKey(event: KeyboardEvent): number | undefined {
  if (!(event.ctrlKey || event.metaKey) || !event.altKey || event.shiftKey) return undefined;
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  return digit === undefined ? undefined : Number(digit) - 1;
}
