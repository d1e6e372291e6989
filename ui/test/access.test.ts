import axe from "axe-core";
import { fireEvent } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import type { Scene } from "../src/fake";
import { id, maybe, show } from "./render";

/** What can be judged without a picture; contrast is checked against the tokens. */
async function violations(): Promise<string[]> {
  const found = await axe.run(document.body, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    rules: { "color-contrast": { enabled: false }, "page-has-heading-one": { enabled: false } },
  });
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
}

describe("every scene can be used without eyes or a mouse", () => {
  // Variants of the same picture are left out: axe looks at every element of the page, which takes a while in jsdom.
  const pictures: Scene[] = [
    "main",
    "address-none",
    "sign-in-wrong",
    "sign-in-code",
    "joining",
    "live",
    "live-open",
    "reconnecting",
    "failed",
    "switch",
    "offline",
    "archived",
    "empty",
    "direct",
    "markdown",
    "notices",
    "rich",
    "thread",
  ];
  it.each(pictures)("%s", async (name) => {
    await show(name);
    if (name === "live") await fireEvent.click(id("people-button"));
    if (name === "live-open") await fireEvent.click(id("device-menu-button"));
    if (name === "main") await fireEvent.click(id("team-button"));
    expect(await violations()).toEqual([]);
    // No control without a name.
    const nameless = [...document.querySelectorAll("button")].filter(
      (one) => !one.getAttribute("aria-label") && !one.textContent?.trim(),
    );
    expect(nameless).toEqual([]);
    expect(maybe("composer-input")?.getAttribute("aria-label") ?? "Message").toBe("Message");
  });
});

describe("the call's windows can be used without eyes or a mouse", () => {
  const pictures: [Scene, string, string[]][] = [
    ["host", "stage", ["people-button"]],
    ["host", "stage", ["chat-button", "react-button"]],
    ["host", "stage", ["device-menu-button"]],
    ["captions", "stage", ["device-menu-button", "stats-item"]],
    ["recorded", "call", ["react-button", "emoji-button"]],
    ["ending", "call", ["leave-button"]],
  ];
  it.each(pictures)("%s in %s", async (name, label, presses) => {
    await show(name, label);
    for (const press of presses) await fireEvent.click(id(press));
    expect(await violations()).toEqual([]);
    const nameless = [...document.querySelectorAll("button")].filter(
      (one) => !one.getAttribute("aria-label") && !one.textContent?.trim(),
    );
    expect(nameless).toEqual([]);
  });
});
