import { fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";

import { language, PSEUDO } from "../src/lib/language.svelte";
import { t } from "../src/lib/i18n";
import { PLAIN } from "../src/lib/theme";
import { id, maybe, show } from "./render";

afterEach(async () => {
  await language.choose("en");
});

describe("the settings", () => {
  it("open by key and by button, and close by Escape to where one was", async () => {
    await show("main");
    const user = userEvent.setup();
    id("settings-button").focus();
    await user.click(id("settings-button"));
    expect(id("settings")).toBeTruthy();
    expect(maybe("post-row")).toBeNull();
    await user.keyboard("{Escape}");
    expect(maybe("settings")).toBeNull();
    await user.keyboard("{Control>},{/Control}");
    expect(id("settings-page-appearance").getAttribute("aria-current")).toBe("page");
  });

  it("list the shortcuts under the question mark, but not while somebody writes", async () => {
    await show("main");
    const user = userEvent.setup();
    await user.type(id("composer-input"), "why?");
    expect(maybe("settings")).toBeNull();
    id("settings-button").focus();
    await user.keyboard("?");
    expect(id("settings-page-shortcuts").getAttribute("aria-current")).toBe("page");
  });

  it("find a page by the name of a setting", async () => {
    await show("main");
    const user = userEvent.setup();
    await user.click(id("settings-button"));
    await user.type(id("settings-find"), "text si");
    expect(maybe("settings-page-advanced")).toBeNull();
    expect(id("settings-page-appearance")).toBeTruthy();
  });

  it("ask the core for a look, and wear what it says", async () => {
    const bridge = await show("main");
    await fireEvent.click(id("settings-button"));
    await fireEvent.click(id("theme-dark"));
    expect(bridge.commands.at(-1)).toEqual({ type: "setAppearance", appearance: { ...PLAIN, theme: "dark" } });
    bridge.change({ slice: "appearance", value: { ...PLAIN, theme: "dark", textPercent: 150, density: "compact", motion: "less" } });
    await tick();
    const root = document.documentElement;
    expect(root.dataset).toMatchObject({ theme: "dark", density: "compact", motion: "less" });
    expect(root.style.fontSize).toBe("150%");
    expect(id("theme-dark").getAttribute("aria-checked")).toBe("true");
  });

  it("keep the call in sight", async () => {
    await show("live");
    await fireEvent.click(id("settings-button"));
    expect(id("mute-button")).toBeTruthy();
  });

  it("turn the page round for a language from right to left", async () => {
    const bridge = await show("main");
    bridge.change({ slice: "appearance", value: { ...PLAIN, language: PSEUDO } });
    await vi.waitFor(() => expect(document.documentElement.dir).toBe("rtl"));
    expect(t("people", { n: 2 })).toContain("2 ");
    expect(id("settings-button").getAttribute("aria-label")).toBe(t("settings"));
    expect(t("settings")).not.toBe("Settings");
  });
});
