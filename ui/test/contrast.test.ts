/** Colours that can be told from their grounds, and states that can be told without any. */
import { readFileSync } from "node:fs";
import { tick } from "svelte";
import { describe, expect, it } from "vitest";

import { id, show } from "./render";

const css = readFileSync("src/styles/tokens.css", "utf8");

/** Text, and what is no text: WCAG 2.2, 1.4.3 and 1.4.11. High contrast asks more of text: 1.4.6. */
const NEEDED = { light: { text: 4.5, part: 3 }, dark: { text: 4.5, part: 3 }, contrast: { text: 7, part: 4.5 } } as const;

const roles = ["accent", "voice", "hail", "danger"] as const;
const pairs: [front: string, ground: string, kind: "text" | "part"][] = [
  ...["ink", "ink-2", "ink-3"].flatMap((ink) => ["base", "sunken", "raised", "hover", "selected", "tile"].map((on) => [ink, on, "text"] as [string, string, "text"])),
  ...roles.flatMap((role) => [[`${role}-on`, role, "text"] as [string, string, "text"], [`${role}-on`, `${role}-hover`, "text"] as [string, string, "text"]]),
  ...roles.flatMap((role) => ["base", "sunken", "raised", `${role}-soft`].map((on) => [`${role}-text`, on, "text"] as [string, string, "text"])),
  ["warn-text", "warn-soft", "text"],
  ...["warn", "hail", "danger", "voice", "accent"].map((role) => ["ink", `${role}-soft`, "text"] as [string, string, "text"]),
  ...["ink", "ink-2"].map((ink) => [ink, "stage", "text"] as [string, string, "text"]),
  ...["ink", "ink-2", "danger-text"].map((ink) => [ink, "control", "text"] as [string, string, "text"]),
  ["ink", "control-on", "text"],
  ...["base", "sunken", "raised", "stage", "tile"].flatMap((on) => [["voice-ring", on, "part"] as [string, string, "part"], ["focus", on, "part"] as [string, string, "part"]]),
  ...["base", "raised", "sunken"].map((on) => ["line-strong", on, "part"] as [string, string, "part"]),
  ...["hail", "danger"].map((one) => [one, "base", "part"] as [string, string, "part"]),
];

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function ratio(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}
function theme(name: string): Record<string, string> {
  const block = new RegExp(`\\[data-theme="${name}"\\]\\s*\\{(.*?)\\n\\}`, "s").exec(css)?.[1] ?? "";
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, key = "", value = ""]) => [key, value]));
}

describe("the colours", () => {
  it.each(["light", "dark", "contrast"] as const)("can be told from their grounds: %s", (name) => {
    const tokens = theme(name);
    const weak = pairs
      .map(([front, ground, kind]) => ({ pair: `${front} on ${ground}`, ratio: ratio(tokens[front] ?? "", tokens[ground] ?? ""), needed: NEEDED[name][kind] }))
      .filter((one) => !(one.ratio >= one.needed))
      .map((one) => `${one.pair}: ${one.ratio.toFixed(2)} of ${one.needed}`);
    expect(weak).toEqual([]);
  });
});

describe("without any colour", () => {
  it("the four states of the microphone have words and signs of their own", async () => {
    const seen = new Set<string>();
    for (const scene of ["live", "live-open", "live-opening", "live-listening"] as const) {
      for (const label of ["main", "call"]) {
        await show(scene, label);
        const button = id("mute-button");
        const words = id("call-bar").querySelector(".note-line [role=status]")?.textContent ?? "";
        seen.add(`${label} ${words}`);
        expect(button.getAttribute("aria-label")).toBeTruthy();
        expect(button.querySelector("svg")).toBeTruthy();
        document.body.replaceChildren();
      }
    }
    expect(seen.size).toBe(8);
  });

  it("who talks, is muted, shares or raises a hand is said and drawn", async () => {
    await show("live");
    id("people-button").click();
    await tick();
    const rows = [...document.querySelectorAll<HTMLElement>('[data-testid="participant-row"]')];
    for (const row of rows) {
      const label = row.getAttribute("aria-label") ?? "";
      const muted = row.dataset["muted"] === "true";
      expect(/talking|muted|microphone on/.test(label), label).toBe(true);
      expect(label.includes("muted") || !muted || row.dataset["speaking"] === "true", label).toBe(true);
      expect(row.querySelector(".marks svg")).toBeTruthy();
    }
  });
});
