import { fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";

import type { Scene } from "../src/fake";
import * as cast from "../src/fake/cast";
import { chords } from "../src/lib/chords.svelte";
import { clock } from "../src/lib/format";
import { PLAIN } from "../src/lib/theme";
import { USUAL } from "../src/store.svelte";
import { all, changeCall, changeNotices, id, maybe, show } from "./render";

afterEach(() => {
  chords.changed = {};
});

async function page(scene: Scene, name: string) {
  const bridge = await show(scene);
  await fireEvent.click(id("settings-button"));
  await fireEvent.click(id(`settings-page-${name}`));
  return bridge;
}

/** Gives what is copied. */
function clipboard(): string[] {
  const copied: string[] = [];
  Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText: async (text: string) => void copied.push(text) } });
  return copied;
}

describe("how calls behave", () => {
  it("is asked of the core as a whole, one change at a time", async () => {
    const bridge = await page("main", "calls");
    const asked = () => bridge.commands.filter((one) => one.type === "setCalls").map((one) => one.calls);
    const segment = (which: string, value: string) => fireEvent.click(id(which).querySelector(`[data-value="${value}"]`)!);
    await segment("calls-channels", "open");
    await segment("calls-direct", "muted");
    await segment("calls-level", "above");
    await segment("calls-caption-size", "large");
    await segment("calls-caption-place", "above");
    for (const one of ["noMicrophone", "leftNotes", "narrow", "largeWindow", "captions"]) await fireEvent.click(id(`calls-${one}`));
    for (const one of ["talkingHint", "callNotes", "reactions"]) await fireEvent.click(id(`calls-${one}`));
    expect(asked()).toEqual([
      { ...USUAL, channels: "open" },
      { ...USUAL, direct: "muted" },
      { ...USUAL, level: "above" },
      { ...USUAL, captionSize: "large" },
      { ...USUAL, captionPlace: "above" },
      { ...USUAL, noMicrophone: true },
      { ...USUAL, leftNotes: true },
      { ...USUAL, narrow: true },
      { ...USUAL, largeWindow: true },
      { ...USUAL, captions: true },
      { ...USUAL, talkingHint: false },
      { ...USUAL, callNotes: false },
      { ...USUAL, reactions: false },
    ]);
    // Only what the core has taken is shown.
    expect(id("calls-narrow").getAttribute("aria-checked")).toBe("false");
    bridge.change({ slice: "calls", value: { ...USUAL, narrow: true } });
    await tick();
    expect(id("calls-narrow").getAttribute("aria-checked")).toBe("true");
  });

  it.each(["main", "call", "stage"])("writes captions as large and where they are wanted: %s", async (label) => {
    const bridge = await show("captions", label);
    expect(id("captions").dataset["size"]).toBe("medium");
    const below = id("captions").compareDocumentPosition(label === "stage" ? document.querySelector("[data-testid=tile]")! : id("mute-button"));
    bridge.change({ slice: "calls", value: { ...USUAL, captionSize: "large", captionPlace: "above" } });
    await tick();
    expect(id("captions").dataset["size"]).toBe("large");
    expect(all("captions")).toHaveLength(1);
    if (label === "stage") {
      const above = id("captions").compareDocumentPosition(document.querySelector("[data-testid=tile]")!);
      expect(below & Node.DOCUMENT_POSITION_PRECEDING).toBeTruthy();
      expect(above & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    }
  });

  it.each(["main", "call", "stage"])("lets one hear nothing, says so, and hear again: %s", async (label) => {
    const bridge = await show("live", label);
    await fireEvent.click(id("device-menu-button"));
    await fireEvent.click(id("deafen-switch"));
    await fireEvent.keyDown(window, { code: "KeyD", key: "D", ctrlKey: true, shiftKey: true });
    bridge.change({ slice: "devices", value: { ...cast.devices, deafened: true } });
    await tick();
    expect(id("deaf-strip").textContent).toContain("You hear nothing.");
    await fireEvent.click(id("undeafen"));
    expect(bridge.commands.filter((one) => one.type === "setDeafened")).toEqual([
      { type: "setDeafened", deafened: true },
      { type: "setDeafened", deafened: true },
      { type: "setDeafened", deafened: false },
    ]);
  });

  it("puts the small window away and moves it by keys", async () => {
    const bridge = await show("live", "call");
    await fireEvent.click(id("hide-button"));
    for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) await fireEvent.keyDown(window, { key, code: key, ctrlKey: true, shiftKey: true });
    expect(bridge.asked).toEqual(["hide", "left", "right", "up", "down"]);
  });
});

describe("what is said about the microphone", () => {
  it("offers what helps", async () => {
    const bridge = await show("live");
    await changeNotices(bridge, [cast.notice("call.talking_muted", "info", {}, 1, { type: "setMuted", muted: false })]);
    expect(id("notice").textContent).toContain("It sounds as if you are talking.");
    await fireEvent.click(id("notice-act"));
    await changeNotices(bridge, [cast.notice("mic.none", "warning", {}, 2, { type: "forgoMicrophone" })]);
    expect(id("notice-act").textContent).toBe("Don't say it again");
    await fireEvent.click(id("notice-act"));
    expect(bridge.commands).toEqual([{ type: "setMuted", muted: false }, { type: "forgoMicrophone" }]);
    await changeNotices(bridge, [cast.notice("mic.denied", "warning", {}, 3)]);
    expect(id("notice-act").textContent).toBe("Open settings");
    await fireEvent.click(id("notice-act"));
    expect(bridge.asked).toEqual(["privacy"]);
  });
});

describe("the offer of a call", () => {
  it("is closed for all devices, and gone when the core says so", async () => {
    const bridge = await show("main");
    await fireEvent.click(id("toast-close"));
    expect(bridge.commands).toEqual([{ type: "ignoreCall", channel: "release" }]);
    const { directory } = bridge.first;
    const channels = directory.channels.map((row) => (row.call ? { ...row, call: { ...row.call, dismissed: true } } : row));
    bridge.change({ slice: "directory", value: { ...directory, channels } });
    await tick();
    expect(maybe("join-toast")).toBeNull();
    expect(id("call-button").dataset["state"]).toBe("join");
  });

  it("can be taken muted", async () => {
    const bridge = await show("main");
    await fireEvent.click(id("call-options"));
    await fireEvent.click(id("join-muted"));
    expect(bridge.commands).toContainEqual({ type: "answerCall", channel: "release", muted: true, switch: false });
  });

  it("that failed leads to help", async () => {
    const open = vi.spyOn(window, "open").mockReturnValue(null);
    await show("failed");
    await fireEvent.click(id("call-help"));
    expect(open.mock.calls[0]?.[0]).toContain("docs.mattermost.com");
    open.mockRestore();
  });
});

describe("the card of a person", () => {
  it("opens from what they wrote, and calls or writes to them", async () => {
    const bridge = await show("main");
    const author = all("post-author").find((one) => one.textContent === "Bob Tanaka")!;
    await fireEvent.click(author);
    expect(id("person-card").textContent).toContain("@bob");
    await fireEvent.click(id("person-call"));
    expect(maybe("person-card")).toBeNull();
    await fireEvent.click(author);
    await fireEvent.click(id("person-message"));
    expect(bridge.commands).toEqual([
      { type: "callPerson", user: "bob" },
      { type: "openDirect", user: "bob" },
    ]);
  });

  it("offers no call to ourselves, to bots, and where there can be none", async () => {
    const bridge = await show("main");
    const mine = all("post-author").find((one) => one.textContent === "Alice Moreau");
    if (mine) {
      await fireEvent.click(mine);
      expect(maybe("person-call")).toBeNull();
      await fireEvent.click(id("person-close"));
    }
    const { directory } = bridge.first;
    bridge.change({ slice: "directory", value: { ...directory, channels: directory.channels.map((row) => (row.user === "bob" ? { ...row, callBlocked: "call.inactive" } : row)) } });
    await tick();
    await fireEvent.click(all("post-author").find((one) => one.textContent === "Bob Tanaka")!);
    expect(maybe("person-call")).toBeNull();
    expect(id("person-message")).toBeTruthy();
  });

  it("opens from the list of people in a call too", async () => {
    await show("live");
    await fireEvent.click(id("people-button"));
    const row = all("participant-row").find((one) => one.dataset["session"] === "session-bob")!;
    await fireEvent.click(row.querySelector("[aria-expanded]")!);
    await fireEvent.click(id("person-about"));
    expect(id("person-card").textContent).toContain("@bob");
  });
});

describe("the log", () => {
  it("is read, searched, copied and saved", async () => {
    const copied = clipboard();
    const user = userEvent.setup({ writeToClipboard: false });
    const bridge = await page("main", "advanced");
    await user.click(id("log-show"));
    await vi.waitFor(() => expect(id("log-lines").textContent).toContain("rtc connected"));
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText: async (text: string) => void copied.push(text) } });
    await user.type(id("log-find"), "LINK");
    expect(id("log-lines").textContent?.split("\n")).toHaveLength(2);
    await user.click(id("log-copy"));
    expect(copied[0]).toContain("link up resumed=true");
    expect(copied[0]).not.toContain("rtc connected");
    await user.click(id("log-save"));
    await vi.waitFor(() => expect(id("log-done").textContent).toBe("Saved as /home/alice/Downloads/halloo-log.txt"));
    expect(bridge.asked).toEqual(["save log"]);
    await user.click(id("log-show"));
    expect(maybe("log-view")).toBeNull();
  });

  it("stands under the versions of program, server and plugin", async () => {
    await page("main", "advanced");
    expect(id("version").textContent).toMatch(/^Halloo \d+\.\d+\.\d+$/);
    expect(id("settings").textContent).toContain("11.4.0");
    expect(id("settings").textContent).toContain("1.12.2");
  });
});

describe("shortcuts", () => {
  it("can be changed, do what they say, and come back", async () => {
    const bridge = await page("live", "shortcuts");
    const asked = () => bridge.commands.filter((one) => one.type === "setCalls").map((one) => one.calls.keys);
    await fireEvent.click(id("key-keys.leave"));
    await fireEvent.keyDown(window, { code: "KeyQ", key: "q", ctrlKey: true, altKey: true });
    expect(asked()).toEqual([{ "Control+Shift+L": "Control+Alt+Q" }]);
    bridge.change({ slice: "calls", value: { ...USUAL, keys: { "Control+Shift+L": "Control+Alt+Q" } } });
    await tick();
    expect(id("key-keys.leave").textContent?.trim()).toBe("Ctrl Alt Q");
    bridge.commands.length = 0;
    await fireEvent.keyDown(window, { code: "KeyL", key: "L", ctrlKey: true, shiftKey: true });
    expect(bridge.commands).toEqual([]);
    await fireEvent.keyDown(window, { code: "KeyQ", key: "q", ctrlKey: true, altKey: true });
    expect(bridge.commands).toEqual([{ type: "leaveCall" }]);
    await fireEvent.click(id("key-again"));
    expect(asked().at(-1)).toEqual({});
  });

  it("take a chord from whatever had it before", async () => {
    const bridge = await page("live", "shortcuts");
    bridge.change({ slice: "calls", value: { ...USUAL, keys: { "Control+Shift+L": "Control+Alt+Q" } } });
    await tick();
    await fireEvent.click(id("key-keys.hand"));
    await fireEvent.keyDown(window, { code: "KeyQ", key: "q", ctrlKey: true, altKey: true });
    const last = bridge.commands.findLast((one) => one.type === "setCalls");
    expect(last?.calls.keys).toEqual({ "Control+Shift+Y": "Control+Alt+Q" });
    // Escape changes nothing.
    const before = bridge.commands.length;
    await fireEvent.click(id("key-keys.hand"));
    await fireEvent.keyDown(window, { code: "Escape", key: "Escape" });
    expect(bridge.commands).toHaveLength(before);
  });
});

describe("what the account says about looks", () => {
  const noon = new Date(2026, 0, 1, 13, 5).getTime();

  it("decides on the clock unless another one was chosen here", async () => {
    const bridge = await show("main");
    const { directory } = bridge.first;
    const is = async (hours24: boolean | null, chosen: "system" | "hours12" | "hours24") => {
      bridge.change({ slice: "directory", value: { ...directory, look: { hours24, dark: null } } }, { slice: "appearance", value: { ...PLAIN, language: "en", clock: chosen } });
      await tick();
      return clock(noon);
    };
    expect(await is(true, "system")).toBe("13:05");
    expect(await is(false, "system")).toMatch(/1:05\sPM/);
    expect(await is(true, "hours12")).toMatch(/1:05\sPM/);
    expect(await is(false, "hours24")).toBe("13:05");
  });

  it("decides between light and dark where that is wanted", async () => {
    const bridge = await show("main");
    const { directory } = bridge.first;
    const theme = async (dark: boolean | null) => {
      bridge.change({ slice: "directory", value: { ...directory, look: { hours24: null, dark } } }, { slice: "appearance", value: { ...PLAIN, theme: "mattermost" } });
      await tick();
      return document.documentElement.dataset["theme"];
    };
    expect(await theme(true)).toBe("dark");
    expect(await theme(false)).toBe("light");
    // Nothing matches in a page without media queries: the system is a light one.
    expect(await theme(null)).toBe("light");
  });
});

describe("a server that says things twice", () => {
  it("does not break the page", async () => {
    const twice = <T,>(list: readonly T[]) => [...list, ...list];
    const { first, ...bridge } = await show("rich");
    const { timeline, directory, call, chat, thread } = { ...first, thread: cast.thread };
    const posts = timeline.posts.map((post) => ({ ...post, files: twice(post.files), reactions: twice(post.reactions) }));
    bridge.change(
      { slice: "timeline", value: { ...timeline, posts: twice(posts) } },
      { slice: "directory", value: { ...directory, teams: twice(directory.teams), channels: twice(directory.channels), categories: twice(directory.categories) } },
      { slice: "thread", value: { ...thread, posts: twice(thread.posts) } },
      { slice: "chat", value: { ...chat, posts: twice(chat.posts) } },
      { slice: "call", value: { ...call, participants: twice(cast.inCall({}).call.participants), captions: [] } },
    );
    await tick();
    expect(all("post-row").length).toBeGreaterThan(0);
    const live = cast.inCall({}).call;
    await changeCall(bridge, { ...live, participants: twice(live.participants), reactions: twice([cast.reaction(1, "bob", "🎉")]) });
    expect(id("call-bar")).toBeTruthy();
    const rows = all("channel-row").map((row) => row.dataset["channel"] ?? row.textContent);
    expect(new Set(rows).size).toBe(rows.length);
  });
});

describe("the chat of a call", () => {
  it("shows files, and is drawn in groups that far away are not", async () => {
    const { first, ...bridge } = await show("host", "stage");
    await fireEvent.click(id("chat-button"));
    const file = { id: "f1", name: "recording.mp4", extension: "mp4", size: 5_000, mime: "video/mp4", width: 0, height: 0, hasPreview: false };
    const words = { ...file, id: "f2", name: "recording.vtt", extension: "vtt", mime: "text/vtt" };
    const many = Array.from({ length: 200 }, (_, n) => ({ ...cast.post("bob", n * 1000, `line ${n}`), id: `c${n}`, root: "root", files: n === 199 ? [file, words] : [] }));
    bridge.change({ slice: "chat", value: { ...cast.chat, posts: many } });
    await tick();
    const names = [...id("call-chat").querySelectorAll("bdi.name")].map((one) => one.textContent);
    expect(names).toEqual(["recording.mp4", "recording.vtt"]);
    expect(all("chat-line").length).toBe(200);
    expect(first.call.phase.type).toBe("live");
  });
});

describe("looking before joining", () => {
  it("shows who is inside and the microphone, and joins as decided there", async () => {
    const bridge = await show("look-first");
    await fireEvent.click(id("call-button"));
    expect(bridge.commands.filter((one) => /join/.test(one.type))).toEqual([]);
    expect(bridge.commands.at(-1)).toEqual({ type: "watchLevel", on: true });
    const dialog = id("join-preview");
    expect(dialog.querySelector(".faces")).not.toBeNull();
    bridge.levels({ input: 0.5, sessions: {} });
    await tick();
    expect(id("input-level").dataset["level"]).toBe("0.50");
    await fireEvent.change(id("settings-input"), { target: { value: "built-in" } });
    expect(bridge.commands.at(-1)).toEqual({ type: "chooseDevice", role: "input", device: "built-in" });
    const segments = [...id("preview-mic").querySelectorAll<HTMLElement>('[role="radio"], button, input')];
    await fireEvent.click(segments[1]!);
    await fireEvent.click(id("preview-join"));
    expect(bridge.commands.filter((one) => /join/.test(one.type))).toEqual([{ type: "joinCallAs", channel: "release", title: null, muted: false }]);
    expect(maybe("join-preview")).toBeNull();
    expect(bridge.commands.at(-1)).toEqual({ type: "watchLevel", on: false });
  });

  it("is left without joining, and is not asked for unless wanted", async () => {
    const bridge = await show("look-first");
    await fireEvent.click(id("call-button"));
    await fireEvent.click(id("join-preview").querySelector(".acts button")!);
    expect(maybe("join-preview")).toBeNull();
    expect(bridge.commands.filter((one) => /join/.test(one.type))).toEqual([]);
    bridge.change({ slice: "calls", value: USUAL });
    await tick();
    await fireEvent.click(id("call-button"));
    expect(bridge.commands.at(-1)).toEqual({ type: "joinCall", channel: "release", title: null, switch: false });
  });
});

describe("what was said in a call", () => {
  it.each(["stage", "call"])("is read again beside the call, and told only while it is read: %s", async (label) => {
    const { first, ...bridge } = await show("captions", label);
    await fireEvent.click(id("device-menu-button"));
    await fireEvent.click(id("said-item"));
    expect(bridge.commands).toContainEqual({ type: "showSaid", shown: true });
    expect(id("said").textContent).toContain("Nothing yet");
    await changeCall(bridge, { ...first.call, said: cast.said() });
    const lines = [...id("said").querySelectorAll("p")].map((one) => one.textContent?.replace(/\s+/g, " ").trim());
    expect(lines).toHaveLength(6);
    expect(lines[1]).toMatch(/^Bob Tanaka \d?\d:\d\d( [AP]M)? ?yes, two hundred calls/);
    expect(lines[2], "a name is said once").toBe("the longest gap was six hundred milliseconds");
    const written = clipboard();
    await fireEvent.click(id("said-copy"));
    await tick();
    expect(written[0]?.split("\n")).toHaveLength(6);
    expect(written[0]).toMatch(/Bob Tanaka: the longest gap/);
    if (label === "stage") await fireEvent.click(id("side").querySelector('[aria-label="Close"]')!);
    else await fireEvent.keyDown(id("call-panel"), { key: "Escape" });
    await tick();
    expect(bridge.commands).toContainEqual({ type: "showSaid", shown: false });
    expect(maybe("said")).toBeNull();
  });
});

describe("a shared screen", () => {
  it("is scaled and moved by keys", async () => {
    await show("share-watch", "stage");
    const frame = id("share-frame");
    expect(frame.tabIndex).toBe(0);
    const moved: number[][] = [];
    frame.scrollBy = ((x: number, y: number) => void moved.push([x, y])) as typeof frame.scrollBy;
    const press = (key: string) => fireEvent.keyDown(frame, { key });
    await press("ArrowDown");
    expect(moved).toEqual([]);
    await press("+");
    expect(frame.classList).toContain("zoomed");
    for (const key of ["ArrowDown", "ArrowRight", "ArrowUp", "ArrowLeft"]) await press(key);
    expect(moved).toEqual([[0, 64], [64, 0], [0, -64], [-64, 0]]);
    await press("0");
    expect(frame.classList).not.toContain("zoomed");
  });
});

/** Every place that a key can reach, in every window that has controls. */
describe("the keyboard alone", () => {
  const scenes: [Scene, string, string[]][] = [
    ["main", "main", []],
    ["live", "call", []],
    ["host", "stage", []],
    ["incoming-stack", "incoming", []],
    ["share-picker", "main", []],
    ["main", "main", ["settings-button", "settings-page-calls"]],
    ["main", "main", ["settings-button", "settings-page-ringing"]],
    ["main", "main", ["settings-button", "settings-page-notifications"]],
    ["main", "main", ["settings-button", "settings-page-sound"]],
    ["main", "main", ["settings-button", "settings-page-shortcuts"]],
    ["main", "main", ["settings-button", "settings-page-advanced"]],
  ];
  it.each(scenes)("reaches every control of %s in the window %s %j", async (scene, label, press) => {
    await show(scene, label);
    for (const one of press) await fireEvent.click(id(one));
    const controls = [...document.querySelectorAll<HTMLElement>("button, input, select, textarea, a[href]")].filter((one) => !one.matches(":disabled") && !one.closest("[hidden], [inert]"));
    expect(controls.length).toBeGreaterThan(2);
    const lost = controls.filter((one) => {
      if (one.tabIndex >= 0) return false;
      // Others are reached by arrows from one that Tab reaches, or with the row that they belong to.
      if (one.closest('[data-testid="post-row"]')) return false;
      if (one.getAttribute("role") === "option") return ![...(one.closest('[role="listbox"]')?.querySelectorAll<HTMLElement>('[role="option"]') ?? [])].some((option) => option.tabIndex === 0);
      if (one.dataset["stop"] === undefined) return true;
      let group = one.parentElement;
      while (group && ![...group.querySelectorAll<HTMLElement>("[data-stop]")].some((stop) => stop.tabIndex === 0)) group = group.parentElement;
      return !group;
    });
    expect(lost.map((one) => one.outerHTML.slice(0, 120))).toEqual([]);
  });
});
