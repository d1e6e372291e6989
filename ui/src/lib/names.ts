/** Things in a row, as the reader's language joins them. */
import { kept } from "./locale.svelte";

const lists = kept((tag) => new Intl.ListFormat(tag, { type: "conjunction" }));
const spans = kept((tag) => new Intl.ListFormat(tag, { type: "unit", style: "narrow" }));

/** "Ann, Bob and Cem". */
export function list(names: readonly string[]): string {
  return lists().format(names);
}

/** What stands between two of many: "Ann, Bob", "Ann、Bob". What is missing is left out. */
export function commas(parts: readonly (string | false | null | undefined | 0)[]): string {
  const comma = lists().formatToParts(["a", "b", "c"]).find((part) => part.type === "literal");
  return parts.filter(Boolean).join(comma?.value ?? ", ");
}

/** The first few of many: "Ann, Bob +3". */
export function few(names: readonly string[], most = 8): string {
  const rest = names.length - most;
  return rest > 0 ? `${commas(names.slice(0, most))} +${rest}` : commas(names);
}

/** Parts of one measure: "1 hour 5 minutes". */
export function together(parts: readonly string[]): string {
  return spans().format(parts);
}
