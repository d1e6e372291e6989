import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";

import { incoming, ringing } from "../src/fake/cast";
import flash from "../src/parts/RingFlash.svelte?raw";
import { id, maybe, show } from "./render";

const user = userEvent.setup();

afterEach(() => vi.restoreAllMocks());

describe("a call that comes in", () => {
  it("is joined, ignored and declined by its buttons", async () => {
    const bridge = await show(ringing(incoming("dm-bob", "bob", { declinable: true })), "incoming");
    await user.click(id("incoming-muted"));
    await user.click(id("incoming-join"));
    await user.click(id("incoming-ignore"));
    await user.click(id("incoming-decline"));
    await user.click(id("incoming-silence"));
    expect(bridge.commands).toEqual([
      { type: "answerCall", channel: "dm-bob", muted: true, switch: false },
      { type: "ignoreCall", channel: "dm-bob" },
      { type: "declineCall", channel: "dm-bob" },
      { type: "silenceRing" },
    ]);
  });

  it("offers no Decline where the server has none", async () => {
    await show(ringing(incoming("dm-bob", "bob")), "incoming");
    expect(maybe("incoming-decline")).toBeNull();
  });

  it("does not take the keys of somebody who is typing for an answer", async () => {
    let time = 1000;
    vi.spyOn(performance, "now").mockImplementation(() => time);
    const bridge = await show(ringing(incoming("dm-bob", "bob")), "incoming");
    time += 590;
    await user.keyboard("{Enter}{Escape}");
    expect(bridge.commands).toEqual([]);
    time += 20;
    await user.keyboard("{Enter}");
    expect(bridge.commands).toEqual([{ type: "answerCall", channel: "dm-bob", muted: false, switch: false }]);
  });

  it("switches from another call, with the newest above the one that rings", async () => {
    await show(ringing(incoming("dm-bob", "bob", { inCall: true }), incoming("dm-grace", "grace", { ringing: false })), "incoming");
    expect(id("incoming-join").textContent).toContain("Switch");
    expect(id("incoming-row").textContent).toContain("Grace Kim");
  });

  it("offers to block who calls too often", async () => {
    const bridge = await show(ringing(incoming("dm-bob", "bob", { offerBlock: true })), "incoming");
    await user.click(id("incoming-block"));
    expect(bridge.commands).toEqual([{ type: "blockCaller", user: "bob", blocked: true }]);
  });

  it.each(["incoming", "main"])("lights up the %s window while it rings, where that is wished", async (label) => {
    const rings = ringing(incoming("dm-bob", "bob"));
    const wished = (flash: boolean) => ({ ...rings.alerts, settings: { ...rings.alerts.settings, flash } });
    const bridge = await show({ ...rings, alerts: wished(true) }, label);
    expect(id("ring-flash").getAttribute("aria-hidden")).toBe("true");
    bridge.change({ slice: "alerts", value: wished(false) });
    await tick();
    expect(maybe("ring-flash")).toBeNull();
    bridge.change({ slice: "alerts", value: wished(true) });
    await tick();
    expect(maybe("ring-flash")).not.toBeNull();
    const calls = rings.incoming.calls.map((call) => ({ ...call, ringing: false }));
    bridge.change({ slice: "incoming", value: { ...rings.incoming, calls } });
    await tick();
    expect(maybe("ring-flash"), "it rang long enough, or was answered elsewhere").toBeNull();
  });

  it("never flashes three times a second", () => {
    const [, every] = /animation: flash ([\d.]+)s/.exec(flash) ?? [];
    expect(Number(every)).toBeGreaterThanOrEqual(0.5);
    // A glow remains where nothing may move: the styles end every animation there.
    expect(/\.flash \{[^}]*box-shadow/.test(flash)).toBe(true);
  });

  it("shows a hostile name as text", async () => {
    await show(ringing(incoming("dm-bob", "bob", { name: "<img src=x onerror=alert(1)>" })), "incoming");
    expect(id("incoming-card").querySelector("img[src=x]")).toBeNull();
  });
});

describe("the page about ringing", () => {
  const open = async () => {
    const bridge = await show("main");
    await user.keyboard("{Control>},{/Control}");
    await user.click(id("settings-page-ringing"));
    bridge.commands.length = 0;
    return bridge;
  };

  it("chooses a tone and lets it be heard", async () => {
    const bridge = await open();
    await user.click(id("tone-urgent"));
    expect(bridge.commands).toEqual([
      { type: "setTone", tone: "urgent" },
      { type: "previewTone", tone: "urgent" },
    ]);
  });

  it("rings on all outputs if asked to, and not at all if asked so", async () => {
    const bridge = await open();
    await user.selectOptions(id("ring-device"), "all");
    await user.click(id("ring-on"));
    expect(bridge.commands[0]).toMatchObject({ type: "setAlerts", settings: { device: { type: "all" }, volume: 80 } });
    expect(bridge.commands[1]).toEqual({ type: "setRinging", on: false });
  });

  it("stops a preview when the page is left", async () => {
    const bridge = await open();
    await user.click(id("settings-page-notifications"));
    expect(bridge.commands).toContainEqual({ type: "previewTone", tone: null });
    await user.click(id("notes-test"));
    expect(bridge.commands).toContainEqual({ type: "testNote" });
  });
});
