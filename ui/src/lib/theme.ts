/** Follows the system: light, dark, or contrast where more of it is asked for on a dark ground. */
export function followSystem(root: HTMLElement): () => void {
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
