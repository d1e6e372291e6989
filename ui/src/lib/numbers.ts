/** Numbers and measures, as the reader's language writes them. */
import { kept } from "./locale.svelte";

const plain = kept((tag, least = "0", most = "0") => new Intl.NumberFormat(tag, { minimumFractionDigits: Number(least), maximumFractionDigits: Number(most) }));
const shares = kept((tag, digits = "0") => new Intl.NumberFormat(tag, { style: "percent", minimumFractionDigits: Number(digits), maximumFractionDigits: Number(digits) }));
const measures = kept((tag, unit = "second", unitDisplay = "short") => new Intl.NumberFormat(tag, { style: "unit", unit, unitDisplay: unitDisplay as "short" | "long", maximumFractionDigits: 0 }));

/** `1,234`; with at least `least` and at most `most` digits behind the point. */
export function number(n: number, least = 0, most = least): string {
  return plain(String(least), String(most)).format(n);
}

/** A share of one: 0.5 is "50%". */
export function percent(share: number, digits = 0): string {
  return shares(String(digits)).format(share);
}

/** "480 ms" and the like, by the unit's name in `Intl`; `long` writes it out: "5 minutes". */
export function measure(n: number, unit: "millisecond" | "minute" | "hour", width: "short" | "long" = "short"): string {
  return measures(unit, width).format(n);
}
