import { groups } from "./emoji-data";

/** An emoji that can be chosen. */
export interface Choice {
  character: string;
  /** Mattermost's name for it. */
  name: string;
  /** Everything it can be found by, in lower case. */
  words: string;
  /** It comes in skin tones. */
  toned: boolean;
}

/** The skin tones, none first. */
export const TONES = ["", "\u{1f3fb}", "\u{1f3fc}", "\u{1f3fd}", "\u{1f3fe}", "\u{1f3ff}"] as const;

function read(line: string): Choice {
  const [head = "", names = "", words = ""] = line.split(" ");
  const toned = head.endsWith("*");
  return {
    character: toned ? head.slice(0, -1) : head,
    name: names.split("/")[0] ?? "",
    words: `${names} ${words}`.replaceAll("_", " ").toLowerCase(),
    toned,
  };
}

/** All emoji, by group. */
export const catalogue: ReadonlyMap<string, readonly Choice[]> = new Map(
  Object.entries(groups).map(([group, lines]) => [group, lines.split("\n").map(read)]),
);

/** Those whose names or words begin with every word typed; whose name begins with it come first. */
export function search(text: string, most = 120): Choice[] {
  const typed = text.toLowerCase().replaceAll("_", " ").replaceAll(":", "").trim().split(/\s+/).filter(Boolean);
  const first = typed[0];
  if (!first) return [];
  const fits = (words: string, one: string) => new RegExp(`(^|[\\s,/+-])${escape(one)}`).test(words) || words.startsWith(one);
  const found = [...catalogue.values()].flat().filter((choice) => typed.every((one) => fits(choice.words, one)));
  return found.sort((a, b) => Number(b.words.startsWith(first)) - Number(a.words.startsWith(first))).slice(0, most);
}

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The emoji in a skin tone, where it has any. The tone follows the first code point and takes a variation selector's place. */
export function toned(choice: Choice, tone: string): string {
  if (!tone || !choice.toned) return choice.character;
  const [first = "", ...rest] = [...choice.character];
  return [first, tone, ...(rest[0] === "\u{fe0f}" ? rest.slice(1) : rest)].join("");
}

const RECENT = "halloo.emoji.recent";
const TONE = "halloo.emoji.tone";
const KEPT = 16;

/** What was used last: this person's habit on this computer, so it stays in the page. */
export function recent(): { name: string; character: string }[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(RECENT) ?? "[]");
    if (!Array.isArray(kept)) return [];
    return kept.flatMap((one: unknown) => {
      const [name, character] = Array.isArray(one) ? (one as unknown[]) : [];
      return typeof name === "string" && typeof character === "string" ? [{ name, character }] : [];
    });
  } catch {
    return [];
  }
}

/** Remembers a choice. */
export function used(name: string, character: string): void {
  const rest = recent().filter((one) => one.name !== name);
  keep(RECENT, JSON.stringify([{ name, character }, ...rest].slice(0, KEPT).map((one) => [one.name, one.character])));
}

export const tone = (): string => {
  try {
    return localStorage.getItem(TONE) ?? "";
  } catch {
    return "";
  }
};
export const keepTone = (chosen: string): void => keep(TONE, chosen);

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Without storage the habit lasts as long as the page.
  }
}
