/** Several servers: the rail, adding and removing one, and that what concerns one goes to that one. */
import { fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { describe, expect, it } from "vitest";

import * as cast from "../src/fake/cast";
import { all, id, maybe, show } from "./render";

const user = userEvent.setup();

describe("the rail", () => {
  it("is not there with one server", async () => {
    const bridge = await show("main");
    expect(maybe("server-rail")).toBeNull();
    await user.click(id("team-button"));
    expect(maybe("server-remove")).toBeNull();
    await user.click(id("server-add-item"));
    expect(bridge.commands).toContainEqual({ type: "addServer" });
  });

  it("says of each server what is to be known, in words", async () => {
    await show("servers");
    expect(all("server").map((one) => one.getAttribute("aria-label"))).toEqual([
      "Harbour, unread",
      "Lighthouse, in a call, 3 mentions",
      "Tugboats, a call comes in, unread, not connected",
    ]);
    expect(all("server").map((one) => one.getAttribute("aria-current"))).toEqual(["page", null, null]);
  });

  it("shows another server by a click, by a key wherever the focus is, and by arrows", async () => {
    const bridge = await show("servers");
    await user.click(all("server")[1]!);
    const typed = id<HTMLTextAreaElement>("composer-input");
    typed.focus();
    await fireEvent.keyDown(typed, { code: "Digit3", key: "³", ctrlKey: true, altKey: true });
    await fireEvent.keyDown(typed, { code: "Digit2", key: "2", metaKey: true, altKey: true });
    // What is shown already, what is not there, and what is no such key.
    await fireEvent.keyDown(typed, { code: "Digit1", key: "1", ctrlKey: true, altKey: true });
    await fireEvent.keyDown(typed, { code: "Digit9", key: "9", ctrlKey: true, altKey: true });
    await fireEvent.keyDown(typed, { code: "Digit2", key: "2", ctrlKey: true });
    expect(bridge.commands.filter((one) => one.type === "showServer")).toEqual([
      { type: "showServer", server: 1 },
      { type: "showServer", server: 3 },
      { type: "showServer", server: 1 },
    ]);
    all("server")[0]!.focus();
    await user.keyboard("{ArrowDown}");
    expect(document.activeElement).toBe(all("server")[1]);
  });

  it("comes and goes with the second server, and another person's page is a new one", async () => {
    const bridge = await show("main");
    bridge.change({ slice: "servers", value: cast.servers });
    await tick();
    expect(all("server")).toHaveLength(3);
    expect(maybe("composer-input")).not.toBeNull();
    bridge.change({ slice: "servers", value: [] });
    await tick();
    expect(maybe("server-rail")).toBeNull();
  });
});

describe("adding and removing", () => {
  it("asks before it removes the server that is shown, and removes only that", async () => {
    const bridge = await show("servers");
    await user.click(id("team-button"));
    await user.click(id("server-remove"));
    expect(id("remove-server-question").textContent).toContain("Remove Harbour?");
    expect(bridge.commands.filter((one) => one.type === "removeServer")).toEqual([]);
    await user.click(id("remove-server-go"));
    expect(bridge.commands).toContainEqual({ type: "removeServer", server: 0 });
  });

  it("offers the way back from a server that is not to be added after all", async () => {
    const bridge = await show("servers-add");
    expect(id("address-input")).toBeTruthy();
    await user.click(id("server-cancel"));
    expect(bridge.commands).toContainEqual({ type: "removeServer", server: 4 });
  });
});

describe("what concerns one server", () => {
  it("is answered there, and the popup names it", async () => {
    const bridge = await show("servers-incoming", "incoming");
    expect(id("incoming-server").textContent).toBe("Tugboats");
    await user.click(id("incoming-join"));
    await user.click(id("incoming-ignore"));
    expect(bridge.commands).toEqual([
      { type: "at", server: 3, command: { type: "answerCall", channel: "dm-bob", muted: false, switch: false } },
      { type: "at", server: 3, command: { type: "ignoreCall", channel: "dm-bob" } },
    ]);
  });

  it("is said to the one that has the call, whichever is shown, and the bar names it", async () => {
    const bridge = await show("servers-call");
    expect(id("call-server").textContent).toBe("Lighthouse");
    await user.click(id("mute-button"));
    expect(bridge.commands).toContainEqual({ type: "at", server: 1, command: { type: "setMuted", muted: false } });
    // What is beside the bar is of the server that is shown.
    await user.click(all("channel-row")[1] ?? document.querySelector<HTMLElement>(".side li button")!);
    expect(bridge.commands.at(-1)?.type).toBe("openChannel");
  });
});

describe("another server with the same ids", () => {
  const call = (channel: string) => ({ channel, place: "Night watch", server: { number: 1, name: "Lighthouse" } });

  it("does not make a channel here the one with our call", async () => {
    const { directory } = cast.snapshot();
    const going = { startAt: Date.now(), users: ["bob"], mine: false, dismissed: false };
    const channels = directory.channels.map((row) => (row.id === "release" ? { ...row, call: going } : row));
    const there = { ...cast.inCall(call("release")), directory: { ...directory, channels }, servers: cast.servers };
    const bridge = await show(there);
    expect(id("call-button").dataset["state"]).toBe("join");
    expect(maybe("join-toast")).not.toBeNull();
    bridge.change({ slice: "call", value: { ...there.call, server: null } });
    await tick();
    expect(id("call-button").dataset["state"]).toBe("in");
    expect(maybe("join-toast")).toBeNull();
  });

  it("calls at the same time as this one, and each is answered where it is", async () => {
    const from = (number: number) => cast.incoming("dm-bob", "bob", { call: "one", inCall: true, server: { number, name: `server ${number}` } });
    const both = { calls: [from(0), from(3)], missed: [] };
    const bridge = await show({ ...cast.inCall(call("night")), incoming: both, servers: cast.servers });
    const joins = document.querySelectorAll<HTMLElement>('[data-testid="incoming-row"] .btn');
    expect(joins).toHaveLength(2);
    for (const button of joins) await user.click(button);
    const answer = { type: "answerCall", channel: "dm-bob", muted: false, switch: false };
    expect(bridge.commands.filter((one) => one.type === "at")).toEqual([
      { type: "at", server: 3, command: answer },
      { type: "at", server: 0, command: answer },
    ]);
  });

  it("gets the second try of its own call, and not the switch that another one asks about", async () => {
    const failed = { type: "failed" as const, code: "call.lost", values: {}, detail: null, retry: true };
    const bridge = await show({ ...cast.inCall({ ...call("release"), phase: failed, participants: [] }), servers: cast.servers });
    await user.click(id("call-failure-retry"));
    expect(bridge.commands.at(-1)).toEqual({ type: "at", server: 1, command: { type: "joinCall", channel: "release", title: null, switch: false } });
  });

  it("is not asked from the call's window to switch to a channel that is not its own", async () => {
    const bridge = await show({ ...cast.inCall({ ...call("night"), switchTo: "release" }), servers: cast.servers }, "stage");
    await user.click(id("switch-confirm"));
    expect(bridge.commands.at(-1)).toEqual({ type: "at", server: 0, command: { type: "joinCall", channel: "release", title: null, switch: true } });
  });
});

describe("what a server may do", () => {
  it("is set for each in the settings, and said to that one", async () => {
    const bridge = await show("servers");
    await user.click(id("settings-button"));
    await user.click(id("settings-page-servers"));
    expect(all("server-trust").map((one) => one.getAttribute("aria-label"))).toEqual(["Harbour", "Lighthouse", "Tugboats"]);
    const on = (name: string) => all(name).map((one) => one.getAttribute("aria-checked"));
    expect(on("trust-microphone")).toEqual(["true", "true", "false"]);
    expect(on("trust-ring")).toEqual(["true", "true", "true"]);
    expect(all("trust-links")[2]!.getAttribute("aria-label")).toBe("Open links: Tugboats");
    await user.click(all("trust-microphone")[2]!);
    await user.click(all("trust-ring")[1]!);
    expect(bridge.commands.filter((one) => one.type === "at")).toEqual([
      { type: "at", server: 3, command: { type: "setTrust", grant: "microphone", allowed: true } },
      { type: "at", server: 1, command: { type: "setTrust", grant: "ring", allowed: false } },
    ]);
    await user.click(all("trust-remove")[1]!);
    expect(id("remove-server-question").textContent).toContain("Remove Lighthouse?");
    await user.click(id("remove-server-go"));
    expect(bridge.commands).toContainEqual({ type: "removeServer", server: 1 });
  });

  it("is there with one server too, whose name needs no saying", async () => {
    const bridge = await show("main");
    await user.click(id("settings-button"));
    await user.click(id("settings-page-servers"));
    expect(all("server-trust")).toHaveLength(1);
    expect(id("trust-screen").getAttribute("aria-label")).toBe("Share the screen");
    await user.click(id("trust-screen"));
    expect(bridge.commands.at(-1)).toEqual({ type: "setTrust", grant: "screen", allowed: false });
    await user.click(id("settings-server-add"));
    expect(bridge.commands.at(-1)).toEqual({ type: "addServer" });
  });

  it("is said in a line before the first sign-in, as long as it may everything", async () => {
    const bridge = await show("sign-in");
    expect(id("trust-new").textContent).toContain("use your microphone in calls");
    const { alerts } = bridge.first;
    bridge.change({ slice: "alerts", value: { ...alerts, settings: { ...alerts.settings, trust: { ...alerts.settings.trust, notify: false } } } });
    await tick();
    expect(maybe("trust-new")).toBeNull();
  });

  it("says why one only listens, with the button that allows to talk", async () => {
    const bridge = await show("listening-untrusted");
    expect(id("notice").textContent).toContain("This server may not use the microphone.");
    expect(id("mute-button").getAttribute("aria-label")).toBe("This server may not use the microphone. You are listening");
    const allow = { type: "setTrust", grant: "microphone", allowed: true };
    await user.click(id("notice-act"));
    await user.click(id("trust-microphone"));
    expect(bridge.commands.filter((one) => one.type === "setTrust")).toEqual([allow, allow]);
  });

  it("shows who is not connected by more than a fainter name", async () => {
    await show("servers");
    expect(all("server").map((one) => one.querySelector(".away") !== null)).toEqual([false, false, true]);
  });
});
