import { fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { partOf } from "../src/fake/recorded";
import { LARGEST } from "../src/lib/media";
import { all, id, maybe, show } from "./render";

/** What jsdom lacks: addresses of blobs, and what can be played. */
const addresses = new Map<string, Blob>();
const made: Blob[] = [];
let codecs = "maybe";
beforeEach(() => {
  addresses.clear();
  made.length = 0;
  codecs = "maybe";
  URL.createObjectURL = (blob) => {
    const address = `blob:halloo/${made.push(blob as Blob)}`;
    addresses.set(address, blob as Blob);
    return address;
  };
  URL.revokeObjectURL = (address) => void addresses.delete(address);
  vi.spyOn(HTMLMediaElement.prototype, "canPlayType").mockImplementation(() => codecs as CanPlayTypeResult);
});
afterEach(() => void vi.restoreAllMocks());

const media = () => id<HTMLVideoElement>("player-media");
/** Presses the n-th button that plays something, and waits until it does. */
async function play(n: number): Promise<void> {
  await fireEvent.click(all("file-play")[n]!);
  await vi.waitFor(() => expect(maybe("player-media") ?? maybe("player-problem")).toBeTruthy());
  await tick();
}
/** As a browser does once it has read the beginning. */
async function lasts(seconds: number, width = 0): Promise<void> {
  Object.defineProperty(media(), "duration", { value: seconds, configurable: true });
  Object.defineProperty(media(), "videoWidth", { value: width, configurable: true });
  await fireEvent(media(), new Event("durationchange"));
  await fireEvent(media(), new Event("loadedmetadata"));
}

describe("a recording", () => {
  it("is fetched when somebody presses, part by part, and played from the page itself", async () => {
    const bridge = await show("recording-post");
    expect(all("file-play").map((one) => one.getAttribute("aria-label"))).toEqual(["Play Call_Release_gate.mp4", "Play slow link.wav", "Play whole day.webm"]);
    expect(document.querySelector("video, audio")).toBeNull();
    expect(bridge.parts.asked).toEqual([]);
    await play(0);
    expect(bridge.parts.asked).toEqual(["recording 0", "recording 100000", "recording 200000", "subtitles 0"]);
    expect(media().src).toMatch(/^blob:halloo\//);
    expect(addresses.get(media().src)).toMatchObject({ size: 240_044, type: "video/mp4" });
    expect(media().paused).toBe(false);
    expect(media().querySelector("track")).toMatchObject({ srclang: "en", label: "English" });
    expect(id("player-toggle").getAttribute("aria-label")).toBe("Pause");
    await fireEvent.click(id("player-close"));
    expect(addresses.size).toBe(0);
    expect(maybe("player")).toBeNull();
  });

  it("is gone through with the keyboard, and says where it is", async () => {
    await show("recording-post");
    await play(0);
    await lasts(1_500, 1_280);
    const seek = id<HTMLInputElement>("player-seek");
    expect(seek.getAttribute("aria-label")).toBe("Position");
    const keys = async (...names: string[]) => {
      for (const key of names) await fireEvent.keyDown(seek, { key });
      return media().currentTime;
    };
    expect(await keys("ArrowRight", "ArrowRight", "ArrowLeft")).toBe(5);
    expect(await keys("PageUp", "ArrowUp")).toBe(40);
    expect(seek.getAttribute("aria-valuetext")).toBe("00:40 of 25:00");
    expect(id("player-time").textContent).toBe("00:40\u00a0/ 25:00");
    expect(await keys("End")).toBe(1_500);
    expect(await keys("Home")).toBe(0);
    document.documentElement.dir = "rtl";
    seek.style.direction = "rtl";
    expect(await keys("ArrowLeft")).toBe(5);
    await fireEvent.input(seek, { target: { value: "90" } });
    expect(media().currentTime).toBe(90);
  });

  it("has its volume, speed and subtitles", async () => {
    await show("recording-post");
    const user = userEvent.setup();
    await play(0);
    await fireEvent.input(id("player-volume"), { target: { value: "0.5" } });
    expect(media().volume).toBe(0.5);
    expect(id("player-volume").getAttribute("aria-valuetext")).toBe("50%");
    await user.click(id("player-mute"));
    expect(media().muted).toBe(true);
    expect(id("player-mute").getAttribute("aria-label")).toBe("Unmute");
    await user.click(id("player-speed"));
    await fireEvent(media(), new Event("ratechange"));
    expect(media().playbackRate).toBe(1.25);
    expect(id("player-speed").getAttribute("aria-label")).toBe("Speed 1.25");
    expect(id("player-subtitles").getAttribute("aria-pressed")).toBe("true");
    await user.click(id("player-subtitles"));
    expect(id("player-subtitles").getAttribute("aria-pressed")).toBe("false");
    await user.click(id("player-toggle"));
    expect(media().paused).toBe(true);
    expect(id("player-toggle").getAttribute("aria-label")).toBe("Play");
  });

  it("stops when another one is played, and one without a picture says so", async () => {
    await show("recording-post");
    await play(0);
    const first = media();
    await lasts(30, 0);
    expect(first.hidden).toBe(true);
    expect(id("player").textContent).toContain("No picture");
    await fireEvent.click(all("file-play")[0]!);
    await vi.waitFor(() => expect(all("player-media")).toHaveLength(2));
    await tick();
    expect(first.paused).toBe(true);
    expect(all("player-media")[1]).toMatchObject({ paused: false, hidden: true });
  });

  it("is offered for saving where it cannot be played", async () => {
    const bridge = await show("recording-post");
    codecs = "";
    await play(0);
    expect(id("player-problem").textContent).toContain("cannot play this kind");
    expect(bridge.parts.asked).toEqual([]);
    await fireEvent.click(id("player-save"));
    expect(bridge.commands).toEqual([{ type: "saveFile", file: "recording", name: "Call_Release_gate.mp4" }]);
    await fireEvent.click(id("player-close"));
    codecs = "maybe";
    await play(2);
    expect(id("player-problem").textContent).toContain("too large");
    expect(bridge.parts.asked).toEqual([]);
    await fireEvent.click(id("player-close"));
    // What was promised turns out to be something else.
    await play(1);
    await fireEvent(media(), new Event("error"));
    expect(id("player-problem").textContent).toContain("cannot play this kind");
    expect(document.querySelector("video")).toBeNull();
  });

  it("is asked for again when it did not come, and never longer than announced", async () => {
    const bridge = await show("recording-post");
    bridge.parts.answer = () => Promise.reject(new Error("no line"));
    await play(1);
    expect(id("player-problem").textContent).toBe("The file did not come.");
    bridge.parts.answer = async () => new ArrayBuffer(LARGEST + 1);
    await fireEvent.click(id("player-again"));
    await vi.waitFor(() => expect(id("player-problem").textContent).toBe("The file did not come."));
    bridge.parts.answer = async () => new ArrayBuffer(0);
    await fireEvent.click(id("player-again"));
    await vi.waitFor(() => expect(maybe("player-problem")).toBeTruthy());
    bridge.parts.answer = partOf;
    await fireEvent.click(id("player-again"));
    await vi.waitFor(() => expect(maybe("player-media")).toBeTruthy());
    expect(made).toHaveLength(1);
  });

  it("is left alone by whoever closes it while it comes", async () => {
    const bridge = await show("recording-post");
    let come = (_: ArrayBuffer) => {};
    bridge.parts.answer = () => new Promise<ArrayBuffer>((done) => (come = done));
    await fireEvent.click(all("file-play")[1]!);
    await tick();
    expect(id("player").textContent).toContain("Loading, 0%");
    await fireEvent.click(id("player-close"));
    come(new ArrayBuffer(100_000));
    await tick();
    await tick();
    expect(bridge.parts.asked).toEqual(["voice 0"]);
    expect(made).toEqual([]);
  });
});
