import axe from "axe-core";
import { fireEvent } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";

import { names } from "../src/fake";
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
  // "long" is "main" five hundred times: nothing new to find, and axe looks at every pair of elements.
  it.each(names.filter((name) => name !== "long"))("%s", async (name) => {
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
  }, 20_000);
});
