import { fireEvent, render } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { describe, expect, it, vi } from "vitest";

import App from "../src/App.svelte";
import { scene, stillBridge } from "../src/fake";
import * as cast from "../src/fake/cast";
import { Store } from "../src/store.svelte";
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
    expect(bridge.commands).toEqual([{ type: "startShare", source: "window:0x4", motion: false, sound: true }]);
  });

  it("lets the sound go along as the settings say, or as one says this time", async () => {
    const bridge = await show("share-picker");
    expect(id("share-sound").getAttribute("aria-checked")).toBe("true");
    await fireEvent.click(id("share-sound"));
    await fireEvent.click(id("share-start"));
    expect(bridge.commands).toEqual([{ type: "startShare", source: "screen:0", motion: false, sound: false }]);
    // Where sound cannot be shared there is no switch, and none is asked for.
    bridge.change({ slice: "share", value: { ...cast.noShare, picker: { ...cast.picker, sound: false } } });
    await tick();
    expect(maybe("share-sound")).toBeNull();
    await fireEvent.click(id("share-start"));
    expect(bridge.commands.at(-1)).toMatchObject({ sound: false });
  });

  it("has a setting for that, which is on", async () => {
    const bridge = await show("main");
    await fireEvent.click(id("settings-button"));
    await fireEvent.click(id("settings-page-sound"));
    await fireEvent.click(id("sound-share"));
    expect(bridge.commands.at(-1)).toMatchObject({ type: "setSound", sound: { share: false } });
  });

  it("gives the sound of a screen a slider of its own, where there is sound", async () => {
    const bridge = await show("share-heard");
    const slider = id<HTMLInputElement>("share-volume");
    expect(slider.value).toBe("100");
    await fireEvent.input(slider, { target: { value: "40" } });
    expect(bridge.commands).toEqual([{ type: "setShareVolume", percent: 40 }]);
    bridge.change({ slice: "share", value: { ...cast.noShare, presenter: "session-bob" } });
    await tick();
    expect(maybe("share-volume")).toBeNull();
  });

  it("asks who presents to let one show something, once, by a message", async () => {
    const bridge = await show("share-watch");
    await fireEvent.click(id("share-ask"));
    expect(bridge.commands).toEqual([{ type: "sendDirect", user: "bob", text: "May I share my screen?" }]);
    expect(id<HTMLButtonElement>("share-ask").disabled).toBe(true);
  });

  it("says that the picture is held while the computer is locked", async () => {
    await show("share-locked");
    expect(id("share-pill").textContent).toContain("Held while this computer is locked");
  });

  it("has its pill in the small window and the large one, and nobody's hall of mirrors", async () => {
    const bridge = await show("share-mine", "call");
    expect(maybe("share-stage")).toBeNull();
    await fireEvent.click(id("share-stop"));
    expect(bridge.commands).toEqual([{ type: "stopShare" }]);
    await show("share-mine", "stage");
    expect(id("share-pill").textContent).toContain("You are sharing");
  });

  it("shows others' screens in the small window, with full screen in one click", async () => {
    await show("share-watch", "call");
    let asked: Element | undefined;
    Element.prototype.requestFullscreen = async function () {
      asked = this;
    };
    await fireEvent.click(id("share-full"));
    expect(asked).toBe(id("share-stage"));
    expect([...id("share-stage").querySelectorAll("button")]).toHaveLength(1);
  });

  it("leaves the choice to the desktop under Wayland, and offers the same as last time first", async () => {
    const bridge = await show("share-portal");
    expect(all("share-source").map((one) => one.textContent?.trim().split("\n")[0])).toEqual([
      expect.stringContaining("The same as last time"),
      expect.stringContaining("Choose a screen or window"),
    ]);
    expect(maybe("share-thumbnail")).toBeNull();
    expect(document.querySelector("input[type=search]")).toBeNull();
    expect(id("share-start").textContent?.trim()).toBe("Share");
    await fireEvent.click(all("share-source")[1] as HTMLElement);
    await fireEvent.click(id("share-start"));
    expect(bridge.commands).toEqual([{ type: "startShare", source: "portal:choose", motion: false, sound: false }]);
  });

  it("renews the small pictures while the choice is open", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const bridge = stillBridge(scene("share-picker"), "main", false);
      const asked = vi.spyOn(bridge, "thumbnail");
      const store = new Store();
      render(App, { bridge, store });
      await store.connect(bridge);
      await vi.advanceTimersByTimeAsync(100);
      expect(asked).toHaveBeenCalledTimes(6);
      await vi.advanceTimersByTimeAsync(2100);
      expect(asked).toHaveBeenCalledTimes(12);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each(["no_portal", "no_pipewire"])("says what to install (%s)", async (problem) => {
    const bridge = await show("share-portal");
    const picker = { loading: false, sources: [], problem: `share.${problem}`, sound: false };
    bridge.change({ slice: "share", value: { ...cast.noShare, picker } });
    await tick();
    expect(id("share-picker").textContent).toContain("Install");
    expect(id<HTMLButtonElement>("share-start").disabled).toBe(true);
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

  it("can be held and goes on", async () => {
    const bridge = await show("share-mine");
    await fireEvent.click(document.querySelector('[aria-label="Hold the picture"]')!);
    const whole = cast.sharing("screen:0", false);
    if (whole.ours.state !== "on") throw new Error("not shared");
    bridge.change({ slice: "share", value: { ...whole, ours: { ...whole.ours, paused: true } } });
    await tick();
    expect(document.querySelector('[aria-label="Hold the picture"]')).toBeNull();
    await fireEvent.click(document.querySelector('[aria-label="Go on showing"]')!);
    expect(bridge.commands).toEqual([
      { type: "pauseShare", paused: true },
      { type: "pauseShare", paused: false },
    ]);
  });

  it("cannot begin while somebody else shares, and says who does", async () => {
    await show("share-watch");
    const button = id<HTMLButtonElement>("share-button");
    expect(button.disabled).toBe(true);
    expect(button.getAttribute("aria-label")).toBe("Bob Tanaka is sharing. One person at a time.");
    expect(id("share-stage").textContent).toContain("Bob Tanaka is sharing");
  });
});

describe.each(["main", "stage"])("a shared screen in the window %s", (label) => {
  const frame = () => document.querySelector<HTMLElement>("[data-testid=share-stage] .frame")!;
  const button = (name: string) => [...id("share-stage").querySelectorAll("button")].find((one) => (one.getAttribute("aria-label") ?? one.textContent) === name)!;

  it("fills the screen by button and by double click, and lets go of it again", async () => {
    await show("share-watch", label);
    let full: Element | null = null;
    const asked: (Element | null)[] = [];
    Element.prototype.requestFullscreen = async function () {
      asked.push((full = this));
    };
    document.exitFullscreen = async () => void asked.push((full = null));
    Object.defineProperty(document, "fullscreenElement", { configurable: true, get: () => full });
    await fireEvent.click(id("share-full"));
    await fireEvent.click(id("share-full"));
    await fireEvent.dblClick(frame());
    await fireEvent.dblClick(frame());
    expect(asked).toEqual([id("share-stage"), null, id("share-stage"), null]);
  });

  it("grows, shrinks, fits and stands one to one, by button and by wheel", async () => {
    await show("share-watch", label);
    const canvas = id<HTMLCanvasElement>("share-canvas");
    await vi.waitFor(() => expect(canvas.classList).toContain("shown"));
    // The picture is 640 wide and fits as it is.
    Object.defineProperty(canvas, "clientWidth", { configurable: true, value: 640 });
    const width = () => canvas.style.inlineSize;
    expect(width()).toBe("");
    expect(button("Fit").getAttribute("aria-pressed")).toBe("true");
    await fireEvent.click(button("Larger"));
    expect(width()).toBe("960px");
    await fireEvent.click(button("1:1"));
    expect(width()).toBe("640px");
    expect(button("1:1").getAttribute("aria-pressed")).toBe("true");
    await fireEvent.click(button("Smaller"));
    expect(width()).toBe("480px");
    await fireEvent.wheel(frame(), { deltaY: -1, ctrlKey: true });
    expect(width()).toBe("640px");
    await fireEvent.wheel(frame(), { deltaY: -1 });
    expect(width()).toBe("640px");
    await fireEvent.click(button("Fit"));
    expect(width()).toBe("");
  });

  it("is moved about by dragging once it is larger", async () => {
    await show("share-watch", label);
    await vi.waitFor(() => expect(id("share-canvas").classList).toContain("shown"));
    const moved: [number, number][] = [];
    Object.assign(frame(), { setPointerCapture() {}, scrollTo: (x: number, y: number) => void moved.push([x, y]) });
    // jsdom's pointer events know no place.
    const pointer = (type: string, clientX: number, clientY: number) => fireEvent(frame(), new MouseEvent(type, { bubbles: true, clientX, clientY }));
    const drag = async () => {
      await pointer("pointerdown", 300, 200);
      await pointer("pointermove", 250, 180);
      await pointer("pointerup", 250, 180);
      await pointer("pointermove", 100, 100);
    };
    await drag();
    expect(moved).toEqual([]);
    await fireEvent.click(button("1:1"));
    await drag();
    expect(moved).toEqual([[50, 20]]);
  });
});
