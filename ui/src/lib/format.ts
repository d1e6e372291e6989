/** How people, days and spans of time are written. */
import type { Clock } from "../bindings";
import { ordinal, t } from "./i18n";
import { PSEUDO } from "./language.svelte";
import { kept, locale } from "./locale.svelte";
import { together } from "./names";
import { measure } from "./numbers";

/** The person's language, and whether they count to 12 or to 24. Tests name both, so as not to depend on the machine. */
export function useLocale(tag: string | undefined, clock: Clock = "system"): void {
  locale.tag = tag === PSEUDO ? "en" : tag;
  locale.clock = clock;
}

const styles = {
  time: { hour: "numeric", minute: "2-digit" },
  day: { weekday: "long", day: "numeric", month: "long" },
  year: { day: "numeric", month: "long", year: "numeric" },
  full: { dateStyle: "full", timeStyle: "short" },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

/**
 * A moment that a calendar has: others, which anybody can write into a call's post, become its first or last day. The
 * formats of the system throw on them, and the whole channel would not be drawn.
 */
function sane(ms: number): number {
  const LAST = 8.64e15;
  return Number.isFinite(ms) ? Math.min(LAST, Math.max(-LAST, ms)) : 0;
}

/** A moment as machines read it. */
export function stamp(ms: number): string {
  return new Date(sane(ms)).toISOString();
}

const formats = kept((tag, style = "", clock = "") => {
  const cycle = clock === "system" ? {} : { hour12: clock === "hours12" };
  return new Intl.DateTimeFormat(tag, { ...styles[style as keyof typeof styles], ...cycle });
});

const write = (style: keyof typeof styles, ms: number) =>
  formats(style, style === "time" || style === "full" ? locale.clock : "system").format(sane(ms));

/** Time of day. */
export function clock(ms: number): string {
  return write("time", ms);
}

/** Day and time in full, for the tooltip. */
export function moment(ms: number): string {
  return write("full", ms);
}

/** A date with its year. */
export function date(ms: number): string {
  return write("year", ms);
}

/** Today, Yesterday, a weekday with its date, or a date with its year. */
export function day(ms: number, now: number): string {
  const distance = Math.round((midnight(now) - midnight(ms)) / 86_400_000);
  if (distance === 0) return t("post.today");
  if (distance === 1) return t("post.yesterday");
  return write(distance > 0 && distance < 300 ? "day" : "year", ms);
}

/** Start of the local day, which tells days apart. */
export function midnight(ms: number): number {
  return new Date(sane(ms)).setHours(0, 0, 0, 0);
}

/** `4:05`, `1:04:05`: minutes always, hours when there are any. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** How long something has been going on, where little room is: "4 min", "1 hr 5 min"; at least a minute. */
export function age(ms: number): string {
  const minutes = Math.max(1, Math.floor(ms / 60_000));
  const hours = Math.floor(minutes / 60);
  const rest = measure(minutes % 60, "minute");
  return hours > 0 ? `${measure(hours, "hour")} ${rest}` : rest;
}

/** "47 minutes", "1 hour 5 minutes". */
export function span(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return t("time.less");
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  const parts = [hours > 0 && measure(hours, "hour", "long"), (rest > 0 || hours === 0) && measure(rest, "minute", "long")];
  return together(parts.filter((part) => part !== false));
}

/** Two letters for a face without a picture. */
export function initials(name: string): string {
  const parts = name.replace(/^@/, "").split(/[\s._-]+/u).filter(Boolean);
  const letters = parts.length > 1 ? [parts[0], parts[parts.length - 1]] : [parts[0]];
  return letters.map((part) => [...(part ?? "?")][0] ?? "?").join("").toLocaleUpperCase();
}

/** The team's two-letter sign: `Hb` for Harbour. */
export function sign(name: string): string {
  const letters = [...name.replace(/[^\p{L}\p{N}]/gu, "")];
  const second = letters.slice(1).find((letter) => !/[aeiou]/i.test(letter)) ?? letters[1] ?? "";
  return ((letters[0] ?? "?").toLocaleUpperCase() + second.toLocaleLowerCase());
}

/** A steady colour angle for somebody, 0..359. */
export function hue(id: string): number {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 3600;
  return Math.floor(sum / 10);
}

/** Order of a raised hand: 1st, 2nd, 3rd. */
export const nth = (n: number): string => ordinal("nth", n);

/** The address without its scheme. */
export function host(url: string): string {
  return url.replace(/^[a-z]+:\/\//i, "");
}

/** First name, for short lines. */
export function first(name: string): string {
  return name.split(/\s+/)[0] || name;
}

/**
 * A file's name with the letters that turn text made visible: `photo\u202egnp.exe` would be read as `photoexe.png`.
 * Unicode TR 36 §2.
 */
export function straight(name: string): string {
  return name.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
