/** Being at home on the desktop: calling and being called, missed calls, quitting, keys, signing in with the browser. */
import { cleanup, fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { describe, expect, it } from "vitest";

import * as cast from "../src/fake/cast";
import { QUIET } from "../src/store.svelte";
import { all, id, maybe, show } from "./render";

const user = userEvent.setup();

describe("calls that come in during a call", () => {
  it.each(["main", "call", "stage"])("are rows above it, the earliest the nearest, and can be switched to or ignored: %s", async (window) => {
    const bridge = await show("incoming-in-call", window);
    const rows = all("incoming-row");
    expect(rows.map((row) => row.querySelector("b")!.textContent)).toEqual(["Dave Lindqvist", "Grace Kim"]);
    await user.click(rows[1]!.querySelector(".voice")!);
    await user.click(rows[0]!.querySelector(".ib")!);
    expect(bridge.commands.filter((one) => one.type === "answerCall" || one.type === "ignoreCall")).toEqual([
      // Asks whether to leave this one.
      { type: "answerCall", channel: "dm-grace", muted: false, switch: false },
      { type: "ignoreCall", channel: "dm-dave" },
    ]);
  });
});

describe("calling somebody", () => {
  it("says that it rings there, and after a while offers to hang up or to wait", async () => {
    await show("calling");
    expect(id("call-phase").textContent).toBe("Calling…");
    expect(maybe("calling-strip")).toBeNull();
    cleanup();
    const bridge = await show("calling-unanswered", "call");
    expect(id("calling-strip").textContent).toContain("No answer yet.");
    await user.click(id("calling-wait"));
    await user.click(id("calling-hang"));
    expect(bridge.commands.slice(-2)).toEqual([{ type: "keepCalling" }, { type: "leaveCall" }]);
  });
});

describe("missed calls", () => {
  it("are listed with who called and when, can be returned, and cleared", async () => {
    const bridge = await show("missed");
    expect(all("missed-row").map((row) => row.querySelector("bdi")!.textContent)).toEqual(["Grace Kim", "Bob Tanaka"]);
    await user.click(all("missed-back")[1]!);
    await user.click(id("missed-clear"));
    expect(bridge.commands.slice(-2)).toEqual([{ type: "joinCall", channel: "dm-bob", title: null, switch: false }, { type: "forgetMissed" }]);
  });
});

describe("quitting", () => {
  it("is asked for by its key, and asked about while in a call", async () => {
    const bridge = await show("live");
    await fireEvent.keyDown(window, { key: "q", code: "KeyQ", ctrlKey: true });
    expect(bridge.commands.at(-1)).toEqual({ type: "quit", sure: false });
    bridge.change({ slice: "alerts", value: { ...QUIET, quitting: true } });
    await tick();
    expect(id("quit-question").textContent).toContain("release-2-9");
    await user.click(id("quit-stay"));
    await user.click(id("quit-go"));
    expect(bridge.commands.slice(-2)).toEqual([{ type: "stay" }, { type: "quit", sure: true }]);
  });
});

describe("keys that the desktop does not give", () => {
  const keys = { talk: "Control+F9", mute: "F8", hush: "F6", tail: 200 };
  const alerts = (reach: "window" | "everywhere") => ({ ...QUIET, keys: reach, settings: { ...QUIET.settings, keys } });

  it("work in our windows", async () => {
    const bridge = await show({ ...cast.snapshot(), alerts: alerts("window") }, "main");
    await fireEvent.keyDown(window, { key: "F9", code: "F9", ctrlKey: true });
    await fireEvent.keyDown(window, { key: "F9", code: "F9", ctrlKey: true, repeat: true });
    await fireEvent.keyUp(window, { key: "F9", code: "F9" });
    await fireEvent.keyDown(window, { key: "F8", code: "F8" });
    const heard = bridge.commands.filter((one) => one.type === "holdToTalk" || one.type === "toggleMute");
    expect(heard).toEqual([{ type: "holdToTalk", held: true }, { type: "holdToTalk", held: false }, { type: "toggleMute" }]);
    // For a cough: shut while it is held.
    await fireEvent.keyDown(window, { key: "F6", code: "F6" });
    await fireEvent.keyUp(window, { key: "F6", code: "F6" });
    expect(bridge.commands.filter((one) => one.type === "holdToMute").map((one) => one.held)).toEqual([true, false]);
  });

  it("are let go when the window loses the keyboard, and not heard twice where the desktop gives them", async () => {
    const bridge = await show({ ...cast.snapshot(), alerts: alerts("window") }, "main");
    await fireEvent.keyDown(window, { key: "F9", code: "F9", ctrlKey: true });
    await fireEvent.blur(window);
    expect(bridge.commands.filter((one) => one.type === "holdToTalk").at(-1)).toEqual({ type: "holdToTalk", held: false });
    cleanup();
    const other = await show({ ...cast.snapshot(), alerts: alerts("everywhere") }, "main");
    await fireEvent.keyDown(window, { key: "F8", code: "F8" });
    expect(other.commands.filter((one) => one.type === "toggleMute")).toEqual([]);
  });

  it("are said to be so in the settings, where the desktop can be asked again", async () => {
    const bridge = await show({ ...cast.snapshot(), alerts: alerts("window") }, "main");
    await user.click(id("settings-button"));
    await user.click(id("settings-page-shortcuts"));
    await user.click(id("keys-ask"));
    expect(bridge.commands.at(-1)).toEqual({ type: "askForKeys" });
    // A key is changed by pressing it.
    await user.click(id("keys-mute"));
    await fireEvent.keyDown(window, { key: "F7", code: "F7" });
    expect(bridge.commands.at(-1)).toEqual({ type: "setAlerts", settings: { ...QUIET.settings, keys: { ...keys, mute: "F7" } } });
  });
});

describe("signing in with the browser", () => {
  it("offers what the server trusts, by its name, and sends a random token along", async () => {
    const bridge = await show("sign-in-outside");
    expect(id("outside-gitlab").textContent).toContain("Sign in with GitLab");
    expect(id("outside-saml").textContent).toContain("Sign in with Harbour ID");
    await user.click(id("outside-gitlab"));
    await user.click(id("outside-gitlab"));
    const tokens = bridge.commands.map((one) => (one.type === "signInOutside" ? one.token : ""));
    expect(tokens.every((token) => /^[0-9a-f]{64}$/.test(token))).toBe(true);
    expect(tokens[0]).not.toBe(tokens[1]);
  });

  it("waits, takes the address by hand, and can be given up", async () => {
    const bridge = await show("sign-in-browser");
    expect(id("outside-waits").textContent).toContain("brings you back");
    await user.type(id("outside-link"), "mattermost://x/login/desktop{Enter}");
    await user.click(id("outside-cancel"));
    expect(bridge.commands.slice(-2)).toEqual([{ type: "openAddress", address: "mattermost://x/login/desktop" }, { type: "cancelOutside" }]);
  });
});

describe("the demonstration", () => {
  it("has a button that lets somebody call, and nowhere else", async () => {
    for (const demo of [true, false]) {
      cleanup();
      const bridge = await show({ ...cast.snapshot(), alerts: { ...QUIET, demo } }, "main");
      await user.click(id("settings-button"));
      await user.click(id("settings-page-ringing"));
      if (!demo) expect(maybe("ring-try")).toBeNull();
      else {
        await user.click(id("ring-try"));
        expect(bridge.commands.at(-1)).toEqual({ type: "callMe" });
      }
    }
  });
});
