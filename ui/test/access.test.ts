import axe from "axe-core";
import { fireEvent, screen } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import type { Scene } from "../src/fake";
import * as cast from "../src/fake/cast";
import { changeCall, changeNotices, id, maybe, show } from "./render";

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
    "servers",
    "servers-add",
  ];
  it.each(pictures)("%s", async (name) => {
    await show(name);
    if (name === "live") await fireEvent.click(id("people-button"));
    if (name === "live-open") await fireEvent.click(id("device-menu-button"));
    if (name === "main") await fireEvent.click(id("team-button"));
    if (name === "look-first") await fireEvent.click(id("call-button"));
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
    ["captions", "stage", ["device-menu-button", "said-item"]],
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

describe("who cannot see is told", () => {
  /** The live region in which a text stands now: `role` and text. */
  const said = (text: string) => [...document.querySelectorAll('[role="status"], [role="alert"]')].find((one) => one.textContent?.includes(text))?.getAttribute("role");

  it.each(["main", "stage", "call"])("who joined, whose hand is up, and what is recorded: %s", async (label) => {
    const { first, ...bridge } = await show("live", label);
    expect(said("joined") ?? said("raised a hand") ?? said("being recorded")).toBeUndefined();
    await changeNotices(bridge, [cast.notice("call.joined", "info", { name: "Erin Walsh" }, 1), cast.notice("call.hand", "info", { names: "Bob Tanaka" }, 2)]);
    expect(said("Erin Walsh joined.")).toBe("status");
    expect(said("Bob Tanaka raised a hand.")).toBe("status");
    await changeCall(bridge, { ...first.call, recording: { runs: true, endsAt: null }, prompt: { type: "consent" } });
    expect(said("By staying you agree.")).toBe("alert");
  });

  it.each(["main", "call"])("whether the microphone is on, in a place that stays: %s", async (label) => {
    const { first, ...bridge } = await show("live", label);
    const place = [...document.querySelectorAll('[data-testid="call-bar"] [role="status"]')].find((one) => one.textContent?.toLowerCase().includes("muted"));
    expect(place).toBeTruthy();
    await changeCall(bridge, { ...first.call, microphone: "open" });
    expect(place?.isConnected).toBe(true);
    expect(place?.textContent).toBe("Microphone on");
  });

  it("in the large window, when the microphone opens and shuts", async () => {
    const { first, ...bridge } = await show("live", "stage");
    expect(said("Muted")).toBe("status");
    await changeCall(bridge, { ...first.call, microphone: "open" });
    expect(said("Microphone on")).toBe("status");
    expect(said("Muted")).toBeUndefined();
  });

  it("what a thing is: a question, a row of tools, a choice", async () => {
    await show("host");
    expect(screen.getByRole("toolbar", { name: "Call controls" })).toBeTruthy();
    await fireEvent.click(id("device-menu-button"));
    expect(id("device-input-select").getAttribute("role")).toBe("radiogroup");
    await fireEvent.click(id("record-item"));
    expect(screen.getByRole("alertdialog", { name: "Stop recording?" })).toBe(id("stop-recording"));
  });
});
