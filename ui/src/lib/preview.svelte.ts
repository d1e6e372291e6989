import type { CallPreferences, Call, Command } from "../bindings";

/** A call that somebody looks at before they join. */
class Preview {
  wish = $state.raw<Command & { type: "joinCall" }>();

  /** Takes a wish to join, where the person wants to look first. Another call of theirs asks its own question. */
  takes(command: Command, preferences: CallPreferences, call: Call): boolean {
    const idle = call.phase.type === "idle" || call.phase.type === "failed";
    if (command.type !== "joinCall" || !preferences.lookFirst || !idle) return false;
    this.wish = command;
    return true;
  }
}

export const preview = new Preview();
