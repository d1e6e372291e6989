import { fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";

import { language, PSEUDO } from "../src/lib/language.svelte";
import { t } from "../src/lib/i18n";
import { PLAIN } from "../src/lib/theme";
import * as cast from "../src/fake/cast";
import { QUIET } from "../src/store.svelte";
import { all, id, maybe, show } from "./render";

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

  it("test the ways to the server and say in plain words what each result means", async () => {
    const bridge = await show("main");
    await fireEvent.click(id("settings-button"));
    await fireEvent.click(id("settings-page-advanced"));
    await fireEvent.click(id("network-run"));
    expect(bridge.commands.at(-1)).toEqual({ type: "testNetwork" });
    bridge.change({ slice: "network", value: { running: true, at: null, ways: [] } });
    await tick();
    expect(id<HTMLButtonElement>("network-run").disabled).toBe(true);
    bridge.change({ slice: "network", value: cast.network });
    await tick();
    const said = all("network-way").map((row) => [row.dataset["kind"], row.dataset["reach"], row.textContent]);
    expect(said.map(([kind, reach]) => [kind, reach])).toEqual([["site", "yes"], ["stun", "no"], ["turnTls", "yes"], ["media", "unknown"]]);
    expect(said[1]?.[2]).toContain("UDP does not come back. Calls go over TCP or a relay, with more delay.");
    expect(said[2]?.[2]).toContain("88");
    expect(said[3]?.[2]).toContain("known only in a call");
    expect(id<HTMLButtonElement>("network-run").textContent).toContain("Test again");
  });

  it("record one and play that, outside a call only", async () => {
    const { first, ...bridge } = await show("main");
    await fireEvent.click(id("settings-button"));
    await fireEvent.click(id("settings-page-sound"));
    await fireEvent.click(id("sound-hear"));
    expect(bridge.commands.at(-1)).toEqual({ type: "hearMyself", on: true });
    for (const [trial, words] of [["recording", "Say something…"], ["playing", "This is how you sound"]] as const) {
      bridge.change({ slice: "devices", value: { ...first.devices, trial } });
      await tick();
      expect(id("sound-hear-state").textContent).toBe(words);
    }
    await fireEvent.click(id("sound-hear"));
    expect(bridge.commands.at(-1)).toEqual({ type: "hearMyself", on: false });
    bridge.change({ slice: "call", value: cast.inCall({}).call });
    await tick();
    expect(id<HTMLButtonElement>("sound-hear").disabled).toBe(true);
  });

  it("let music go out as it is, by one switch", async () => {
    const { first, ...bridge } = await show("main");
    await fireEvent.click(id("settings-button"));
    await fireEvent.click(id("settings-page-sound"));
    await fireEvent.click(id("sound-original"));
    const sound = { ...first.devices.sound, original: true };
    expect(bridge.commands.at(-1)).toEqual({ type: "setSound", sound });
    bridge.change({ slice: "devices", value: { ...first.devices, sound } });
    await tick();
    for (const one of ["echo", "gain", "highpass"]) expect(id<HTMLButtonElement>(`sound-${one}`).disabled).toBe(true);
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

  it("open where sound is chosen when a window of the call asks", async () => {
    const bridge = await show("live");
    bridge.settings();
    await tick();
    expect(id("settings-page-sound").getAttribute("aria-current")).toBe("page");
  });

  it("lead to the folder with the log", async () => {
    const bridge = await show("main");
    const user = userEvent.setup();
    await user.click(id("settings-button"));
    await user.click(id("settings-page-advanced"));
    await user.click(id("log-folder"));
    expect(bridge.asked).toEqual(["logs"]);
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

  it("list the microphones and speakers, and change them", async () => {
    const bridge = await show("main");
    const user = userEvent.setup();
    await user.click(id("settings-button"));
    await user.click(id("settings-page-sound"));
    const names = (which: string) => [...id<HTMLSelectElement>(which).options].map((one) => one.text);
    expect(names("settings-input")).toEqual(["System default · Jabra Evolve2 65", "Jabra Evolve2 65", "Built-in microphone"]);
    expect(names("settings-output")).toEqual(["System default · Jabra Evolve2 65", "Jabra Evolve2 65", "HDMI monitor"]);
    await user.selectOptions(id("settings-input"), "built-in");
    await user.selectOptions(id("settings-output"), "hdmi");
    bridge.change({ slice: "devices", value: { ...cast.devices, input: "built-in", output: "hdmi" } });
    await tick();
    expect(id<HTMLSelectElement>("settings-input").value).toBe("built-in");
    expect(id<HTMLSelectElement>("settings-output").value).toBe("hdmi");
    await user.selectOptions(id("settings-input"), "");
    expect(bridge.commands.filter((one) => one.type === "chooseDevice")).toEqual([
      { type: "chooseDevice", role: "input", device: "built-in" },
      { type: "chooseDevice", role: "output", device: "hdmi" },
      { type: "chooseDevice", role: "input", device: null },
    ]);
  });

  it("take a key to talk, a moment longer, and give the key back", async () => {
    const bridge = await show("main");
    await fireEvent.click(id("settings-button"));
    await fireEvent.click(id("settings-page-shortcuts"));
    const { settings } = QUIET;
    const asked = () => bridge.commands.filter((one) => one.type === "setAlerts").map((one) => one.settings.keys);
    await fireEvent.click(id("keys-talk"));
    expect(id("keys-talk").textContent).toContain("Press the keys…");
    await fireEvent.keyDown(window, { code: "ControlLeft", key: "Control", ctrlKey: true });
    await fireEvent.keyDown(window, { code: "KeyT", key: "t", ctrlKey: true, altKey: true });
    expect(asked()).toEqual([{ ...settings.keys, talk: "Control+Alt+T" }]);
    // Only what the core has taken is shown.
    expect(id("keys-talk").textContent).toContain("Choose a key");
    const keys = { ...settings.keys, talk: "Control+Alt+T" };
    bridge.change({ slice: "alerts", value: { ...QUIET, settings: { ...settings, keys } } });
    await tick();
    expect(id("keys-talk").textContent).toContain("Ctrl Alt T");
    const tail = document.querySelector<HTMLInputElement>("[aria-label='Talk a moment longer']")!;
    tail.value = "450";
    await fireEvent.change(tail);
    await fireEvent.click([...document.querySelectorAll("button")].find((one) => one.textContent?.trim() === "Remove")!);
    await fireEvent.click(id("keys-talk"));
    await fireEvent.keyDown(window, { code: "Escape", key: "Escape" });
    expect(asked().slice(1)).toEqual([
      { ...keys, tail: 450 },
      { ...keys, talk: "" },
    ]);
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
