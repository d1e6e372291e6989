/** File sizes in words. */
import { t } from "./i18n";
import { number } from "./numbers";

/** How large a file is, as people say it. */
export function size(bytes: number): string {
  if (bytes < 1_000) return t("size.b", { n: bytes });
  const mega = bytes >= 999_500;
  const n = bytes / (mega ? 1_000_000 : 1_000);
  return t(mega ? "size.mb" : "size.kb", { n: number(n, 0, n < 10 ? 1 : 0) });
}
