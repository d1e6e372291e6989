/**
 * Structural sharing: whatever is equal in both values is taken from the old one.
 *
 * A slice arrives as a whole, freshly parsed. Without this, one new post would make every row of the timeline a
 * new object, and every row would be looked at again. With it, an unchanged row stays the same object and Svelte
 * stops there. Lists of things with an identity are matched by it, so that a page of older posts in front does
 * not shift the rest.
 */
export function share<T>(old: unknown, next: T): T {
  if (Object.is(old, next)) return next;
  if (Array.isArray(next)) return shareList(Array.isArray(old) ? old : [], next) as T;
  if (!isRecord(next) || !isRecord(old)) return next;
  const keys = Object.keys(next);
  let same = keys.length === Object.keys(old).length;
  // Mostly nothing has changed: a new object is made at the first difference only. It has no prototype, so that a name
  // from outside (`constructor`, `__proto__`) finds nothing that the server has not sent.
  let out: Record<string, unknown> | undefined;
  for (const [at, key] of keys.entries()) {
    const before = Object.hasOwn(old, key) ? old[key] : undefined;
    const kept = share(before, next[key]);
    if (!Object.is(kept, before) || !Object.hasOwn(old, key)) same = false;
    if (!same && !out) {
      out = Object.create(null) as Record<string, unknown>;
      for (const earlier of keys.slice(0, at)) out[earlier] = old[earlier];
    }
    if (out) out[key] = kept;
  }
  return (same ? old : out ?? next) as T;
}

function shareList(old: readonly unknown[], next: readonly unknown[]): readonly unknown[] {
  const known = new Map<string | number, unknown>();
  for (const item of old) {
    const key = identity(item);
    if (key !== undefined) known.set(key, item);
  }
  let same = old.length === next.length;
  const out = next.map((item, index) => {
    const key = identity(item);
    const kept = share(key === undefined ? old[index] : known.get(key), item);
    if (!Object.is(kept, old[index])) same = false;
    return kept;
  });
  return same ? old : out;
}

function identity(item: unknown): string | number | undefined {
  if (!isRecord(item)) return undefined;
  const id = item["id"] ?? item["session"];
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
