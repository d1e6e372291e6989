/** How dates, times, numbers and lists are written. Views that show any follow when it changes. */
import type { Clock } from "../bindings";

class Locale {
  /** For `Intl`; `undefined` follows the system. */
  tag = $state<string>();
  /** Whether the day has 12 or 24 hours. */
  clock = $state<Clock>("system");
}

export const locale = new Locale();

/** Makes each formatter once, for as long as its key stays the same. */
export function kept<F>(make: (tag: string | undefined, ...options: string[]) => F): (...options: string[]) => F {
  const made = new Map<string, F>();
  return (...options) => {
    const key = [locale.tag, ...options].join(" ");
    const one = made.get(key) ?? make(locale.tag, ...options);
    made.set(key, one);
    return one;
  };
}
