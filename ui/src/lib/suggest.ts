import type { Compose, Directory } from "../bindings";
import { codes } from "./emoji";

/** What is being typed that something can follow. */
export interface Trigger {
  kind: "mention" | "emoji" | "command";
  /** Where it begins, with its sign. */
  from: number;
  /** From there to the cursor. */
  text: string;
}

/** One thing that may follow. */
export interface Suggestion {
  /** What takes the trigger's place. */
  insert: string;
  /** What is shown: a name, a code, a command. */
  label: string;
  about: string;
  /** Whose face stands beside it. */
  user?: string;
  /** The emoji itself, or the name of one of the server's own. */
  emoji?: { text?: string; name: string };
}

/** Most that are shown. */
const MOST = 8;

/** What the text before the cursor asks for. */
export function trigger(text: string, cursor: number): Trigger | undefined {
  const before = text.slice(0, cursor);
  if (before.startsWith("/") && !before.includes("\n")) return { kind: "command", from: 0, text: before };
  const mention = /(?:^|[\s(])(@[\p{L}\p{N}._-]*)$/u.exec(before);
  if (mention) return { kind: "mention", from: cursor - (mention[1]?.length ?? 0), text: mention[1] ?? "" };
  const emoji = /(?:^|[\s(])(:[a-z0-9_+-]{2,})$/i.exec(before);
  if (emoji) return { kind: "emoji", from: cursor - (emoji[1]?.length ?? 0), text: emoji[1] ?? "" };
  return undefined;
}

const plainly = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();

/** What may follow, from what is known here and what the server has said. */
export function suggestions(
  trigger: Trigger,
  compose: Compose,
  directory: Directory,
  custom: readonly { name: string }[],
  everybody: readonly { name: string; about: string }[],
): Suggestion[] {
  if (trigger.kind === "command") {
    if (compose.text !== trigger.text) return [];
    return compose.commands.slice(0, MOST).map((hint) => ({
      insert: `${hint.complete} `,
      label: hint.suggestion.startsWith("/") || hint.complete.includes(" ") ? hint.suggestion : `/${hint.suggestion}`,
      about: [hint.hint, hint.description].filter(Boolean).join(" · "),
    }));
  }
  if (trigger.kind === "emoji") {
    const start = trigger.text.slice(1).toLowerCase();
    const own = custom.filter((one) => one.name.startsWith(start)).slice(0, 3);
    return [
      ...codes(start, MOST).map((one) => ({ insert: `:${one.name}: `, label: `:${one.name}:`, about: "", emoji: one })),
      ...own.map((one) => ({ insert: `:${one.name}: `, label: `:${one.name}:`, about: "", emoji: { name: one.name } })),
    ].slice(0, MOST);
  }
  const typed = plainly(trigger.text.slice(1));
  // The server's own list, if it is the one for this; before it comes, those whom we know.
  const known = compose.text === trigger.text ? compose.people : Object.keys(directory.people);
  const people = known
    .flatMap((id) => directory.people[id] ?? [])
    .filter(({ user, name }) => !user.deactivated && [user.username, name, user.nickname, ...name.split(" ")].some((one) => plainly(one).startsWith(typed)))
    .slice(0, MOST)
    .map(({ user, name }) => ({ insert: `@${user.username} `, label: name, about: `@${user.username}`, user: user.id }));
  const all = everybody
    .filter((one) => typed !== "" && one.name.startsWith(typed))
    .map((one) => ({ insert: `@${one.name} `, label: `@${one.name}`, about: one.about }));
  return [...people, ...all].slice(0, MOST);
}
