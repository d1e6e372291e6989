import { fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { describe, expect, it } from "vitest";

import * as cast from "../src/fake/cast";
import { all, id, maybe, show } from "./render";

describe("sharing one's screen", () => {
  it("asks for the list by button and by key, and only while in the call", async () => {
    const bridge = await show("live");
    await fireEvent.click(id("share-button"));
    await userEvent.keyboard("{Control>}{Shift>}E{/Shift}{/Control}");
    expect(bridge.commands).toEqual([{ type: "openSharePicker" }, { type: "openSharePicker" }]);
  });

  it("has no button where the server does not allow it", async () => {
    const bridge = await show("live");
    bridge.change({ slice: "share", value: { ...cast.noShare, allowed: false } });
    await tick();
    expect(maybe("share-button")).toBeNull();
  });

  it("offers screens and windows, the first one chosen, and finds windows by name", async () => {
    const bridge = await show("share-picker");
    expect(all("share-source")).toHaveLength(6);
    expect(id("share-start").textContent).toContain("Share Screen 1");
    await userEvent.type(document.querySelector("input[type=search]") as HTMLInputElement, "slides");
    expect(all("share-source")).toHaveLength(3);
    await fireEvent.click(all("share-source")[2] as HTMLElement);
    await fireEvent.click(id("share-start"));
    expect(bridge.commands).toEqual([{ type: "startShare", source: "window:0x4", motion: false, sound: false }]);
  });

  it("says why nothing can be shared", async () => {
    await show("share-none");
    expect(id("share-picker").textContent).toContain("Screens cannot be shared here.");
    expect(id<HTMLButtonElement>("share-start").disabled).toBe(true);
  });

  it("shows a pill with Stop while we share, and our picture", async () => {
    const bridge = await show("share-mine");
    expect(id("share-pill").dataset["state"]).toBe("on");
    expect(id("share-stage").textContent).toContain("Your screen, as the others see it");
    await fireEvent.click(id("share-stop"));
    expect(bridge.commands).toEqual([{ type: "stopShare" }]);
  });

  it("cannot begin while somebody else shares, and says who does", async () => {
    await show("share-watch");
    const button = id<HTMLButtonElement>("share-button");
    expect(button.disabled).toBe(true);
    expect(button.getAttribute("aria-label")).toBe("Bob Tanaka is sharing. One person at a time.");
    expect(id("share-stage").textContent).toContain("Bob Tanaka is sharing");
  });
});
