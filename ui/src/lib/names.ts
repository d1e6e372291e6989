/** Names in a row, as the language joins them: "Ann, Bob and Cem". */
export function list(names: readonly string[]): string {
  return new Intl.ListFormat(document.documentElement.lang || "en", { type: "conjunction" }).format(names);
}
