/**
 * A list in which each key stands once. Lists are drawn by key, and a server that sends something twice must not take the
 * whole page along. The same list if there is nothing to leave out.
 */
export function once<T>(list: readonly T[], key: (one: T) => unknown): T[] {
  const seen = new Set<unknown>();
  for (const one of list) seen.add(key(one));
  if (seen.size === list.length) return list as T[];
  seen.clear();
  return list.filter((one) => !seen.has(key(one)) && seen.add(key(one)));
}
