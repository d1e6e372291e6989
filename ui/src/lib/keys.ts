import type { Attachment } from "svelte/attachments";

import { chords } from "./chords.svelte";
import { t, type Word } from "./i18n";

/** A key together with what is held, as `aria-keyshortcuts` writes it: `Control+Shift+Space`. */
export function pressed(event: KeyboardEvent): string {
  const held = [
    (event.ctrlKey || event.metaKey) && "Control",
    event.altKey && "Alt",
    event.shiftKey && "Shift",
  ].filter(Boolean);
  // By place for letters, so that a layout's own AltGr characters do not get in the way.
  const key = /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : event.code === "Space" ? "Space" : event.key;
  return [...held, key].join("+");
}

const mac = typeof navigator !== "undefined" && /Mac/.test(navigator.platform);

/** The same in our words: what the person has put in place of one of our chords is that chord. */
export function chord(event: KeyboardEvent): string {
  return chords.meant(pressed(event));
}

/** Keys that a Mac writes with a sign of its own, and arrows. */
const signs: Record<string, string> = {
  ...(mac ? { Control: "⌘", Alt: "⌥", Shift: "⇧" } : {}),
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
};

/** Keys with a word on them, which differs by country. */
const worded: Record<string, Word> = { Control: "key.ctrl", Alt: "key.alt", Shift: "key.shift", Space: "key.space", Enter: "key.enter", Escape: "key.escape" };

/** One of our chords as people read it, or what they have put in its place: `Ctrl Shift Space`, or `⌘ ⇧ Space`. */
export function caps(keys: string): string {
  return chords
    .of(keys)
    .split("+")
    .map((key) => {
      const word = worded[key];
      return signs[key] ?? (word ? t(word) : key);
    })
    .join(" ");
}

/** Whether somebody is writing: plain keys are theirs then. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches("input:not([type=range]), textarea, select"))
  );
}

/** Whether somebody is in the middle of writing: a text field with text in it has the focus. */
export function isWriting(target: Element | null): target is HTMLInputElement | HTMLTextAreaElement {
  return (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) && isTyping(target) && target.value !== "";
}

/** What can have the focus, in order. */
const FOCUSABLE =
  'a[href], button:not([disabled]), input:not([disabled]), textarea:not([disabled]), summary, [tabindex="0"]';

/** F6: on to the next part of the window, which are the elements with `data-region`, in the order they name. */
export function nextRegion(back: boolean): void {
  const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")]
    .filter((region) => region.getClientRects().length > 0)
    .sort((a, b) => Number(a.dataset["region"]) - Number(b.dataset["region"]));
  // The innermost one: the bar lies inside the sidebar.
  const inside = document.activeElement?.closest<HTMLElement>("[data-region]");
  const here = inside ? regions.indexOf(inside) : -1;
  for (let step = 1; step <= regions.length; step += 1) {
    const index = (here + (back ? -step : step) + 2 * regions.length) % regions.length;
    const region = regions[here < 0 && back ? regions.length - step : index];
    const first = region?.querySelector<HTMLElement>('[aria-current="page"]') ?? region?.querySelector<HTMLElement>(FOCUSABLE);
    const target = region?.matches("[tabindex]") ? region : first;
    if (target) {
      target.focus();
      return;
    }
  }
}

/**
 * One Tab stop for many things; arrows move among those marked `data-stop`. In a `row` left and right follow the
 * direction of the text.
 */
export function arrows(axis: "row" | "column"): Attachment<HTMLElement> {
  return (element) => {
    const stops = () => [...element.querySelectorAll<HTMLElement>("[data-stop]")].filter((stop) => !stop.hasAttribute("disabled"));
    const settle = (chosen?: HTMLElement) => {
      const all = stops();
      const one = chosen ?? all.find((stop) => stop.dataset["stop"] === "first") ?? all[0];
      for (const stop of all) stop.tabIndex = stop === one ? 0 : -1;
    };
    const move = (event: KeyboardEvent) => {
      const from = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-stop]") : null;
      if (!from || event.altKey || event.ctrlKey || event.metaKey) return;
      const all = stops();
      const rtl = getComputedStyle(element).direction === "rtl";
      const on = axis === "column" ? "ArrowDown" : rtl ? "ArrowLeft" : "ArrowRight";
      const off = axis === "column" ? "ArrowUp" : rtl ? "ArrowRight" : "ArrowLeft";
      const at = all.indexOf(from);
      const to =
        event.key === on ? at + 1 : event.key === off ? at - 1 : event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : undefined;
      if (to === undefined) return;
      event.preventDefault();
      const next = all[axis === "row" ? (to + all.length) % all.length : Math.min(Math.max(to, 0), all.length - 1)];
      settle(next);
      next?.focus();
    };
    const focused = (event: FocusEvent) => {
      if (event.target instanceof HTMLElement && event.target.matches("[data-stop]")) settle(event.target);
    };
    const watch = new MutationObserver(() => {
      const active = element.contains(document.activeElement) ? (document.activeElement as HTMLElement) : undefined;
      settle(active?.matches("[data-stop]") ? active : undefined);
    });
    settle();
    watch.observe(element, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-stop", "disabled"] });
    element.addEventListener("keydown", move);
    element.addEventListener("focusin", focused);
    return () => {
      watch.disconnect();
      element.removeEventListener("keydown", move);
      element.removeEventListener("focusin", focused);
    };
  };
}
