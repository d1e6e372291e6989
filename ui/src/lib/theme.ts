import type { AccountLook, Appearance } from "../bindings";

/** How the interface looks until the core has said otherwise. */
export const PLAIN: Appearance = { theme: "system", textPercent: 100, density: "comfortable", motion: "system", language: "", clock: "system" };

/**
 * Dresses the page: colours, size of text, distances, motion. Where the system is to decide it is followed: light,
 * dark, or contrast where more of it is asked for on a dark ground. Returns how to stop following.
 */
export function dress(root: HTMLElement, { theme: wanted, textPercent, density, motion }: Appearance, account?: AccountLook): () => void {
  // What the account says nothing about is left to the system.
  const theme = wanted !== "mattermost" ? wanted : account?.dark == null ? "system" : account.dark ? "dark" : "light";
  root.style.fontSize = `${textPercent}%`;
  root.dataset["density"] = density;
  root.dataset["motion"] = motion;
  if (theme !== "system") {
    root.dataset["theme"] = theme;
    return () => {};
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const more = matchMedia("(prefers-contrast: more)");
  const apply = () => {
    root.dataset["theme"] = dark.matches ? (more.matches ? "contrast" : "dark") : "light";
  };
  apply();
  dark.addEventListener("change", apply);
  more.addEventListener("change", apply);
  return () => {
    dark.removeEventListener("change", apply);
    more.removeEventListener("change", apply);
  };
}
