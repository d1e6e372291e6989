import { fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { describe, expect, it } from "vitest";

import type { Microphone } from "../src/bindings";
import type { Scene } from "../src/fake";
import * as cast from "../src/fake/cast";
import { all, changeCall, id, maybe, show } from "./render";

const phase = () => id("call-bar").dataset["phase"];

describe("every phase of a call has its picture", () => {
  it.each<[Scene, string, string]>([
    ["joining", "joining", "Joining…"],
    ["connecting", "connecting", "Connecting…"],
    ["live", "live", "Bob is talking"],
    ["live-alone", "live", "Only you so far"],
    ["reconnecting", "reconnecting", "Others may not hear you."],
    ["reconnecting-flows", "reconnecting", "You still hear each other."],
    ["failed", "failed", "Sound could not get through"],
  ])("%s", async (scene, type, words) => {
    await show(scene);
    expect(phase()).toBe(type);
    expect(id("call-phase").dataset["phase"]).toBe(type);
    expect(document.body.textContent).toContain(words);
    expect(maybe("call-failure") !== null).toBe(type === "failed");
    expect(maybe("call-timer") !== null).toBe(type === "live" || type === "reconnecting");
  });

  it("shows no bar without a call", async () => {
    await show("main");
    expect(maybe("call-bar")).toBeNull();
  });

  it("lets go of a join from the bar and from the head", async () => {
    const bridge = await show("joining");
    await fireEvent.click(id("leave-button"));
    await fireEvent.click(id("call-button"));
    expect(bridge.commands).toEqual([{ type: "leaveCall" }, { type: "leaveCall" }]);
  });

  it("counts the minutes", async () => {
    const { first, ...bridge } = await show("live");
    await changeCall(bridge, { ...first.call, startedAt: Date.now() - 65_500 });
    expect(id("call-timer").textContent).toBe("01:05");
  });
});

describe("the microphone is never in doubt", () => {
  it.each<[Microphone, string, string, boolean]>([
    ["muted", "Unmute", "Muted", false],
    ["opening", "Mute", "Opening microphone…", true],
    ["open", "Mute", "Microphone on", true],
    ["unavailable", "No microphone. You are listening", "Listening only", false],
  ])("%s", async (microphone, label, word, muted) => {
    const bridge = await show(cast.inCall({ microphone }));
    const button = id("mute-button");
    expect(button.dataset["microphone"]).toBe(microphone);
    expect(button.getAttribute("aria-label")).toBe(label);
    expect(id("call-bar").textContent).toContain(word);
    await fireEvent.click(button);
    expect(bridge.commands).toEqual([{ type: "setMuted", muted }]);
  });

  it.each(["main", "call", "stage"])("tells its keys in the tooltip of its button: %s", async (label) => {
    const { first, ...bridge } = await show("live", label);
    expect(id("mute-button").title).toBe("Unmute (Ctrl Shift Space)");
    await changeCall(bridge, { ...first.call, microphone: "open" });
    expect(id("mute-button").title).toBe("Mute (Ctrl Shift Space)");
    expect(id("mute-button").getAttribute("aria-keyshortcuts")).toBe("Control+Shift+Space");
  });

  it("is never shown open before the core says so", async () => {
    const { first, ...bridge } = await show("live");
    await fireEvent.click(id("mute-button"));
    expect(id("mute-button").dataset["microphone"]).toBe("muted");
    await changeCall(bridge, { ...first.call, microphone: "opening" });
    expect(id("mute-button").classList).not.toContain("mic-on");
    await changeCall(bridge, { ...first.call, microphone: "open" });
    expect(id("mute-button").classList).toContain("mic-on");
  });
});

describe("in a call", () => {
  it("lists the people with what they do", async () => {
    const bridge = await show("live");
    await fireEvent.click(id("people-button"));
    const rows = all("participant-row");
    expect(rows.map((row) => [row.dataset["session"], row.dataset["speaking"], row.dataset["muted"]])).toEqual([
      ["session-alice", "false", "true"],
      ["session-bob", "true", "false"],
      ["session-carol", "false", "true"],
      ["session-erin", "false", "true"],
      ["session-dave", "false", "true"],
    ]);
    expect(rows[0]?.getAttribute("aria-label")).toBe("Alice Moreau (you), muted");
    expect(rows[1]?.getAttribute("aria-label")).toBe("Bob Tanaka, Host, talking");
    expect(rows[3]?.getAttribute("aria-label")).toBe("Erin Walsh, hand raised, 1st, muted");

    bridge.levels({ input: 0, sessions: { "session-bob": 0.8 } });
    await tick();
    const ring = rows[1]?.querySelector<HTMLElement>(".av");
    expect(ring?.style.getPropertyValue("--level")).toBe("1");
  });

  it("finds one of many people by name, and does not ask where there are few", async () => {
    const { first, ...bridge } = await show(cast.crowd(23));
    await fireEvent.click(id("people-button"));
    const search = document.querySelector<HTMLInputElement>("[aria-label='Search people']")!;
    const user = userEvent.setup();
    expect(all("participant-row")).toHaveLength(23);
    await user.type(search, " GRACE ");
    expect(all("participant-row").length).toBeGreaterThan(0);
    expect(all("participant-row").every((row) => row.getAttribute("aria-label")?.startsWith("Grace Kim"))).toBe(true);
    await user.type(search, "zzz");
    expect(all("participant-row")).toHaveLength(0);
    expect(id("call-panel").textContent).toContain("Nobody by that name.");
    await changeCall(bridge, { ...first.call, participants: first.call.participants.slice(0, 9) });
    expect(document.querySelector("[aria-label='Search people']")).toBeNull();
  });

  it("puts one person's devices under each other, and numbers them", async () => {
    const { first, ...bridge } = await show("live");
    const bob = first.call.participants.find((person) => person.user === "bob")!;
    await changeCall(bridge, { ...first.call, participants: [...first.call.participants, { ...bob, session: "session-bob-2", host: false, speaking: false, muted: true }] });
    await fireEvent.click(id("people-button"));
    const rows = all("participant-row");
    expect(rows.map((row) => row.dataset["session"]).slice(0, 4)).toEqual(["session-alice", "session-bob", "session-bob-2", "session-carol"]);
    expect(rows[2]?.getAttribute("aria-label")).toBe("Bob Tanaka, device 2, muted");
    expect(id("call-panel").textContent).toContain("1 on two devices");
  });

  it("sets how loud one person is", async () => {
    const bridge = await show("live");
    await fireEvent.click(id("people-button"));
    await fireEvent.click(document.querySelector('[aria-label="Options for Bob Tanaka"]')!);
    const slider = id<HTMLInputElement>("volume");
    expect(slider.value).toBe("120");
    slider.value = "50";
    await fireEvent.input(slider);
    await fireEvent.click([...document.querySelectorAll("button")].find((one) => one.textContent?.includes("Silence for me only"))!);
    await fireEvent.click([...document.querySelectorAll("button")].find((one) => one.textContent?.trim() === "Message")!);
    expect(bridge.commands).toEqual([
      { type: "setVolume", session: "session-bob", percent: 50 },
      { type: "setVolume", session: "session-bob", percent: 0 },
      { type: "openDirect", user: "bob" },
    ]);
    expect(document.querySelector('[aria-label="Options for Alice Moreau"]')).toBeNull();
  });

  it("chooses devices, and listens to the microphone only while the menu is open", async () => {
    const bridge = await show("live");
    await fireEvent.click(id("device-menu-button"));
    expect(bridge.commands).toEqual([{ type: "watchLevel", on: true }]);
    bridge.levels({ input: 0.5, sessions: {} });
    await tick();
    expect(id("input-level").getAttribute("aria-valuenow")).toBe("50");
    expect(id("input-level").querySelectorAll(".on")).toHaveLength(11);

    const choices = [...id("device-input-select").querySelectorAll<HTMLElement>("[role=radio]")];
    expect(choices.map((one) => [one.textContent?.trim(), one.getAttribute("aria-checked")])).toEqual([
      ["System default · Jabra Evolve2 65", "true"],
      ["Jabra Evolve2 65", "false"],
      ["Built-in microphone", "false"],
    ]);
    await fireEvent.click(choices[2]!);
    await fireEvent.click(id("device-output-select").querySelector('[data-device="hdmi"]')!);
    await fireEvent.click(id("device-menu-button"));
    expect(bridge.commands.slice(1)).toEqual([
      { type: "chooseDevice", role: "input", device: "built-in" },
      { type: "chooseDevice", role: "output", device: "hdmi" },
      { type: "watchLevel", on: false },
    ]);
  });

  it("keeps a chosen device in the list while it is unplugged", async () => {
    const bridge = await show("live");
    await fireEvent.click(id("device-menu-button"));
    bridge.change({ slice: "devices", value: { ...cast.devices, input: "gone" } });
    await tick();
    expect(id("device-input-select").querySelector("[aria-checked=true]")?.textContent).toContain("gone (unplugged)");
  });

  it("raises the hand, leaves, folds with Escape and gives the focus back", async () => {
    const bridge = await show("live");
    const user = userEvent.setup();
    await user.click(id("hand-button"));
    await user.click(id("people-button"));
    expect(id("people-button").getAttribute("aria-expanded")).toBe("true");
    await user.keyboard("{Escape}");
    expect(id("people-button").getAttribute("aria-expanded")).toBe("false");
    expect(document.activeElement).toBe(id("people-button"));
    await user.click(id("leave-button"));
    expect(bridge.commands).toEqual([{ type: "raiseHand", raised: true }, { type: "leaveCall" }]);
  });

  it("has one Tab stop in its controls, and arrows between them", async () => {
    await show("live");
    const stops = () => [...id("call-bar").querySelectorAll<HTMLElement>("[data-stop]")].filter((one) => one.tabIndex === 0);
    expect(stops()).toEqual([id("mute-button")]);
    id("mute-button").focus();
    await fireEvent.keyDown(id("mute-button"), { key: "ArrowRight" });
    expect(document.activeElement).toBe(id("hand-button"));
    expect(stops()).toEqual([id("hand-button")]);
    await fireEvent.keyDown(id("hand-button"), { key: "End" });
    expect(document.activeElement).toBe(id("leave-button"));
    await fireEvent.keyDown(id("leave-button"), { key: "ArrowRight" });
    expect(document.activeElement).toBe(id("people-button"));
  });

  it("says how good the connection is", async () => {
    const { first, ...bridge } = await show("live");
    expect(id("quality").dataset["bars"]).toBe("3");
    await changeCall(bridge, { ...first.call, quality: { ...cast.quality, mos: 1.5, rttMs: 400, loss: 0.1 } });
    expect(id("quality").dataset["bars"]).toBe("1");
    expect(id("quality").title).toBe("Connection poor · 400 ms, 10.0% lost");
    await changeCall(bridge, { ...first.call, quality: null });
    expect(id("quality").getAttribute("aria-label")).toBe("Connection not measured yet");
  });
});

describe("when it goes wrong", () => {
  it("says why, tries again, or closes", async () => {
    const bridge = await show("failed");
    const dialog = id("call-failure");
    expect(dialog.textContent).toContain("A firewall may block port 8443.");
    expect(id("call-failure-code").textContent).toBe("call.media_timeout · udp 8443, tcp 8443 · 15.0 s");
    await fireEvent.click(id("call-failure-retry"));
    await fireEvent.click(id("call-failure-close"));
    expect(bridge.commands).toEqual([
      { type: "joinCall", channel: "release", title: null, switch: false },
      { type: "dismissCallProblem" },
    ]);
  });

  it("says what the server said when it has no words of its own", async () => {
    await show("failed-unknown");
    expect(id("call-failure").textContent).toContain("the moon is in the wrong phase");
  });

  it("offers no second try where there is none", async () => {
    const { first, ...bridge } = await show("failed-full");
    expect(id("call-failure").textContent).toContain("8 of 8 are in it.");
    if (first.call.phase.type !== "failed") throw new Error("not failed");
    await changeCall(bridge, { ...first.call, phase: { ...first.call.phase, retry: false } });
    expect(maybe("call-failure-retry")).toBeNull();
  });

  it("closes with Escape", async () => {
    const bridge = await show("failed");
    await fireEvent.keyDown(id("call-failure"), { key: "Escape" });
    expect(bridge.commands).toEqual([{ type: "dismissCallProblem" }]);
  });
});

describe("a second call", () => {
  it("asks once, and Stay comes first", async () => {
    const bridge = await show("switch");
    const question = id("switch-question");
    expect(question.textContent).toContain("Leave #release-2-9 for Dave, Heidi?");
    expect(question.querySelector("button")).toBe(id("switch-cancel"));
    await fireEvent.click(id("switch-confirm"));
    await fireEvent.click(id("switch-cancel"));
    expect(bridge.commands).toEqual([
      { type: "joinCall", channel: "group", title: null, switch: true },
      { type: "dismissCallProblem" },
    ]);
  });
});

describe("the question about a second call", () => {
  it("is answered with Stay by Escape", async () => {
    const bridge = await show("switch");
    await fireEvent.keyDown(id("switch-question"), { key: "Escape" });
    expect(bridge.commands).toEqual([{ type: "dismissCallProblem" }]);
  });
});

describe("in a window of its own", () => {
  it("is the same bar", async () => {
    await show("live", "call");
    expect(phase()).toBe("live");
    expect(maybe("channel-row")).toBeNull();
    expect(id("call-bar").textContent).toContain("Hold Space to talk");
  });

  it("talks while Space is held, and only then", async () => {
    const { first, ...bridge } = await show("live", "call");
    await fireEvent.keyDown(id("leave-button"), { code: "Space", key: " " });
    await changeCall(bridge, { ...first.call, microphone: "open" });
    await fireEvent.keyDown(id("leave-button"), { code: "Space", key: " ", repeat: true });
    await fireEvent.keyUp(id("leave-button"), { code: "Space", key: " " });
    expect(bridge.commands).toEqual([
      { type: "setMuted", muted: false },
      { type: "setMuted", muted: true },
    ]);
  });

  it("mutes when the window loses the keyboard in the middle of it", async () => {
    const bridge = await show("live", "call");
    await fireEvent.keyDown(window, { code: "Space", key: " " });
    await fireEvent.blur(window);
    await fireEvent.keyUp(window, { code: "Space", key: " " });
    expect(bridge.commands.map((one) => one.type === "setMuted" && one.muted)).toEqual([false, true]);
  });

  it("leaves an open microphone open", async () => {
    const bridge = await show("live-open", "call");
    await fireEvent.keyDown(window, { code: "Space", key: " " });
    await fireEvent.keyUp(window, { code: "Space", key: " " });
    expect(bridge.commands).toEqual([]);
  });
});
