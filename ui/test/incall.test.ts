import { fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { describe, expect, it, vi } from "vitest";

import type { Scene } from "../src/fake";
import * as cast from "../src/fake/cast";
import { all, changeCall, id, maybe, show } from "./render";

/** The large window. */
const stage = (scene: Scene) => show(scene, "stage");

describe("reactions", () => {
  it("has five quick ones, in the bar and in the large window", async () => {
    for (const label of ["main", "call", "stage"]) {
      const bridge = await show("live", label);
      await fireEvent.click(id("react-button"));
      await fireEvent.click(id("react-+1"));
      await fireEvent.click(id("react-tada"));
      expect(bridge.commands.filter((one) => one.type === "showEmoji")).toEqual([
        { type: "showEmoji", name: "+1", literal: "👍" },
        { type: "showEmoji", name: "tada", literal: "🎉" },
      ]);
      document.body.replaceChildren();
    }
  });

  it("finds any other by name, in the skin tone chosen, and remembers it", async () => {
    localStorage.clear();
    const bridge = await stage("live");
    const user = userEvent.setup();
    await user.click(id("react-button"));
    await user.click(id("emoji-button"));
    await vi.waitFor(() => expect(document.querySelectorAll(".grid button").length).toBeGreaterThan(1500), { timeout: 5000 });
    await user.click(document.querySelector<HTMLElement>('[role=radio][aria-label="Medium"]')!);
    await user.type(id("emoji-search"), "thumbs up{Enter}");
    expect(bridge.commands).toContainEqual({ type: "showEmoji", name: "+1", literal: "👍🏽" });
    await user.click(id("react-button"));
    await user.click(id("emoji-button"));
    await vi.waitFor(() => expect(id("emoji-picker").textContent).toContain("Used last"));
    localStorage.clear();
  });

  it("flies once, and says to readers who reacts", async () => {
    const { first, ...bridge } = await stage("live");
    expect(document.querySelectorAll(".fly")).toHaveLength(0);
    await changeCall(bridge, { ...first.call, reactions: [cast.reaction(1, "bob", "🎉")] });
    expect(document.querySelectorAll(".fly")).toHaveLength(1);
    expect(id("stage").textContent).toContain("Bob Tanaka reacts with 🎉");
  });

  it("does not fly again for who comes later", async () => {
    await stage("host");
    expect(document.querySelectorAll(".fly")).toHaveLength(0);
  });
});

describe("hands", () => {
  it("names who raised one, the earliest first", async () => {
    const { first, ...bridge } = await stage("live");
    const up = (user: string, at: number) => (person: (typeof first.call.participants)[number]) =>
      person.user === user ? { ...person, handRaisedAt: at } : person;
    const participants = first.call.participants.map(up("bob", 1)).map(up("carol", 2)).map(up("dave", 3));
    await changeCall(bridge, { ...first.call, participants });
    expect(id("hand-chip").title).toBe("Bob, Carol and 2 others raised a hand");
  });

  it.each(["main", "call"])("are named in the bar too: %s", async (label) => {
    const { first, ...bridge } = await show("live", label);
    const chip = () => id("call-bar").querySelector<HTMLElement>("[data-testid=hand-chip]");
    expect(chip()?.textContent?.trim()).toBe("Erin");
    expect(chip()?.title).toBe("Erin raised a hand");
    await changeCall(bridge, { ...first.call, participants: first.call.participants.map((one) => ({ ...one, handRaisedAt: null })) });
    expect(chip()).toBeNull();
  });
});

describe("the host's controls", () => {
  it("are not there for guests", async () => {
    await show("live");
    await fireEvent.click(id("people-button"));
    await fireEvent.click(document.querySelector('[aria-label="Options for Bob Tanaka"]')!);
    expect(maybe("host-mute")).toBeNull();
    expect(maybe("mute-others")).toBeNull();
  });

  it("mute, lower, hand over, remove after asking, and ask to unmute by a message", async () => {
    const bridge = await show("host");
    await fireEvent.click(id("people-button"));
    await fireEvent.click(id("mute-others"));
    await fireEvent.click(document.querySelector('[aria-label="Options for Bob Tanaka"]')!);
    await fireEvent.click(id("host-mute"));
    await fireEvent.click(id("host-make"));
    await fireEvent.click(id("host-remove"));
    expect(id("remove-question").textContent).toContain("Remove Bob Tanaka from the call?");
    await fireEvent.click(id("remove-go"));
    await fireEvent.click(document.querySelector('[aria-label="Options for Bob Tanaka"]')!);
    await fireEvent.click(document.querySelector('[aria-label="Options for Erin Walsh"]')!);
    await fireEvent.click(id("host-lower"));
    await fireEvent.click(id("host-unmute"));
    expect(bridge.commands).toEqual([
      { type: "moderate", action: { type: "muteOthers" } },
      { type: "moderate", action: { type: "mute", session: "session-bob" } },
      { type: "moderate", action: { type: "makeHost", user: "bob" } },
      { type: "moderate", action: { type: "remove", session: "session-bob" } },
      { type: "moderate", action: { type: "lowerHand", session: "session-erin" } },
      { type: "sendDirect", user: "erin", text: "Can you unmute yourself in the call?" },
    ]);
  });

  it("stop the share of whoever shares, and of nobody else", async () => {
    const { first, ...bridge } = await show("host");
    await changeCall(bridge, { ...first.call, participants: first.call.participants.map((one) => ({ ...one, sharing: one.user === "bob" })) });
    await fireEvent.click(id("people-button"));
    await fireEvent.click(document.querySelector('[aria-label="Options for Carol Okafor"]')!);
    expect(maybe("host-stop")).toBeNull();
    await fireEvent.click(document.querySelector('[aria-label="Options for Bob Tanaka"]')!);
    await fireEvent.click(id("host-stop"));
    expect(bridge.commands).toEqual([{ type: "moderate", action: { type: "stopShare", session: "session-bob" } }]);
  });

  it("asks whoever may end the call what leaving means, and takes the end back", async () => {
    const { first, ...bridge } = await show("host");
    await fireEvent.click(id("leave-button"));
    expect(bridge.commands).toEqual([]);
    await fireEvent.click(id("leave-all"));
    await changeCall(bridge, { ...first.call, endingAt: Date.now() + 3000 });
    expect(id("ending").textContent).toContain("Ending the call for 5 people…");
    await fireEvent.click(id("ending-undo"));
    await fireEvent.click(id("leave-button"));
    await fireEvent.click(id("leave-only"));
    expect(bridge.commands).toEqual([{ type: "endCall" }, { type: "undoEndCall" }, { type: "leaveCall" }]);
  });

  it("leaves at once when nobody else is there, and in direct calls", async () => {
    const { first, ...bridge } = await show("host");
    await changeCall(bridge, { ...first.call, participants: first.call.participants.filter((one) => one.me) });
    await fireEvent.click(id("leave-button"));
    await changeCall(bridge, { ...first.call, kind: "direct" });
    await fireEvent.click(id("leave-button"));
    expect(bridge.commands).toEqual([{ type: "leaveCall" }, { type: "leaveCall" }]);
  });
});

describe("recording", () => {
  it("asks everybody whether they stay", async () => {
    const bridge = await show("recorded", "call");
    expect(id("record-prompt").textContent).toContain("By staying you agree. The recording goes to #release-2-9.");
    expect(id("rec-badge").dataset["runs"]).toBe("true");
    await fireEvent.click(id("record-dismiss"));
    await fireEvent.click(id("record-leave"));
    expect(bridge.commands).toEqual([{ type: "dismissRecordingPrompt" }, { type: "leaveCall" }]);
  });

  it("is started and, after a question, stopped by the host", async () => {
    const { first, ...bridge } = await show("host");
    await changeCall(bridge, { ...first.call, recording: null });
    await fireEvent.click(id("device-menu-button"));
    await fireEvent.click(id("record-item"));
    await changeCall(bridge, { ...first.call, recording: { runs: false, endsAt: null } });
    expect(id("rec-badge").getAttribute("aria-label")).toContain("Recording is being prepared");
    await fireEvent.click(id("record-item"));
    await fireEvent.click(id("stop-recording-go"));
    expect(bridge.commands.filter((one) => one.type === "record")).toEqual([
      { type: "record", on: true },
      { type: "record", on: false },
    ]);
  });

  it.each<[Scene, string]>([
    ["recording-failed", "Recording stopped. max concurrent jobs reached."],
    ["recording-soon", "Recording stops in 9 minutes."],
  ])("%s", async (scene, words) => {
    await stage(scene);
    expect(id("record-prompt").textContent?.replace(/\s+/g, " ")).toContain(words);
  });
});

describe("the large window", () => {
  it("shows everybody as a tile, with what they do", async () => {
    await stage("live");
    expect(all("tile").map((tile) => tile.getAttribute("aria-label"))).toEqual([
      "Alice Moreau (you), muted",
      "Bob Tanaka, Host, talking",
      "Carol Okafor, muted",
      "Erin Walsh, hand raised, 1st, muted",
      "Dave Lindqvist, muted",
    ]);
  });

  it.each([
    [1, "1"],
    [4, "2"],
    [9, "3"],
    [16, "4"],
  ])("puts %i people into %s columns", async (n, columns) => {
    const whole = cast.crowd(n);
    const participants = whole.call.participants.slice(0, n);
    await show({ ...whole, call: { ...whole.call, participants } }, "stage");
    expect(id("grid").dataset["columns"]).toBe(columns);
  });

  it("turns pages of sixteen, whoever talks on the first", async () => {
    const whole = cast.crowd(23);
    const last = whole.call.participants.at(-1)!;
    const participants = whole.call.participants.map((one) => ({ ...one, speaking: one === last }));
    await show({ ...whole, call: { ...whole.call, participants } }, "stage");
    expect(all("tile")).toHaveLength(16);
    expect(all("tile")[0]?.dataset["session"]).toBe(last.session);
    await fireEvent.click(document.querySelector('[aria-label="Next page"]')!);
    expect(all("tile")).toHaveLength(7);
    expect(id("page").textContent).toBe("Page 2 of 2");
  });

  it("gives a shared screen the stage, and the people a strip", async () => {
    await stage("share-watch");
    expect(id("share-stage").getAttribute("aria-label")).toContain("Bob Tanaka");
    expect(document.querySelector(".strip")).not.toBeNull();
  });

  it("has the chat of the call beside it, and says what is unread", async () => {
    const bridge = await stage("host");
    expect(id("chat-button").getAttribute("aria-label")).toBe("Call chat, 2 unread messages");
    const user = userEvent.setup();
    await user.click(id("chat-button"));
    expect(all("chat-line")).toHaveLength(4);
    await user.type(id("chat-input"), "on my way{Enter}");
    await user.click(document.querySelector('[aria-label="Close"]')!);
    expect(bridge.commands.filter((one) => one.type !== "typing")).toEqual([
      { type: "showChat", shown: true },
      { type: "sendPost", channel: "release", root: "root", text: "on my way" },
      { type: "showChat", shown: false },
    ]);
  });

  it("takes files, emoji and names in its chat", async () => {
    const bridge = await stage("host");
    await fireEvent.click(id("chat-button"));
    const file = new File(["words"], "notes.txt", { type: "text/plain" });
    await userEvent.setup().upload(id<HTMLInputElement>("attach-input"), file);
    expect(bridge.attached).toEqual([{ channel: "release", root: "root", name: "notes.txt" }]);
    const user = userEvent.setup();
    await user.type(id("chat-input"), "well done :tad");
    await user.keyboard("{Enter}");
    expect(id<HTMLTextAreaElement>("chat-input").value).toContain(":tada: ");
    await user.type(id("chat-input"), "@bo");
    await tick();
    expect(document.querySelector('[role="option"]')?.textContent).toContain("Bob");
    await user.clear(id("chat-input"));
  });

  it("shows what has just been written in a bubble, for a while, and not what was unread before", async () => {
    vi.useFakeTimers();
    try {
      for (const label of ["stage", "call"]) {
        const { first, ...bridge } = await show("host", label);
        expect(maybe("chat-bubble")).toBeNull();
        const write = async (text: string, unread: number) => {
          const posts = [...first.chat.posts, { ...cast.post("bob", 9e12, text), root: "root" }];
          bridge.change({ slice: "chat", value: { ...first.chat, posts, unread } });
          await tick();
        };
        await write("<b>the build</b> is green", 3);
        expect(id("chat-bubble").textContent).toContain("<b>the build</b> is green");
        expect(id("chat-bubble").getAttribute("aria-label")).toBe("Bob Tanaka wrote. Open the chat");
        vi.advanceTimersByTime(8001);
        await tick();
        expect(maybe("chat-bubble")).toBeNull();
        await write("and the tests", 4);
        await fireEvent.click(id("chat-bubble"));
        expect(id("call-chat")).toBeTruthy();
        expect(maybe("chat-bubble")).toBeNull();
        document.body.replaceChildren();
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it("shows what is said, in writing", async () => {
    await stage("captions");
    expect(id("captions").textContent).toContain("Carol Okafor and that is on the slow link?");
  });

  it("shows the figures of the last minute", async () => {
    const { first, ...bridge } = await stage("live");
    await fireEvent.click(id("device-menu-button"));
    await fireEvent.click(id("stats-item"));
    await changeCall(bridge, { ...first.call, quality: { ...cast.quality, rttMs: 480 } });
    const figure = document.querySelector('[data-figure="stats.rtt"]');
    expect(figure?.textContent).toBe("480 ms");
    expect(figure?.classList).toContain("bad");
    expect(document.querySelectorAll("polyline")).toHaveLength(8);
  });

  it("tells loss and jitter of each person, and which way media takes", async () => {
    const { first, ...bridge } = await stage("live");
    await fireEvent.click(id("device-menu-button"));
    await fireEvent.click(id("stats-item"));
    const who = first.call.participants.at(-1)!;
    const streams = [
      { session: who.session, video: false, loss: 0.08, jitterMs: 6 },
      { session: "gone", video: false, loss: 0, jitterMs: 1 },
    ];
    await changeCall(bridge, { ...first.call, quality: cast.quality, streams, path: { relayed: false, tcp: true } });
    const rows = [...document.querySelectorAll('[data-testid="stats-person"]')];
    expect(rows).toHaveLength(1);
    expect(rows[0]?.textContent).toContain(who.name);
    expect(rows[0]?.querySelector(".bad")?.textContent).toBe("8.0%");
    expect(id("stats-path").textContent).toBe("Directly over TCP: UDP does not pass here");
    await changeCall(bridge, { ...first.call, quality: cast.quality, streams, path: { relayed: true, tcp: false } });
    expect(id("stats-path").textContent).toContain("relay");
  });

  it("shows every way that was tried, and what came of it", async () => {
    const { first, ...bridge } = await stage("live");
    await fireEvent.click(id("device-menu-button"));
    await fireEvent.click(id("stats-item"));
    expect(maybe("stats-ways")).toBeNull();
    const ways = [
      { local: "relay", remote: "host", protocol: "udp", state: "inUse" as const },
      { local: "host", remote: "host", protocol: "tcp", state: "trying" as const },
      { local: "srflx", remote: "host", protocol: "udp", state: "failed" as const },
    ];
    await changeCall(bridge, { ...first.call, quality: cast.quality, ways });
    const rows = [...id("stats-ways").querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent));
    expect(rows).toEqual([["relay → host · UDP", "in use"], ["host → host · TCP", "being tried"], ["srflx → host · UDP", "no way through"]]);
  });

  it("goes back to the small one", async () => {
    const bridge = await stage("live");
    await fireEvent.click(id("collapse-button"));
    expect(bridge.asked).toEqual(["collapse"]);
  });
});

describe("the small window", () => {
  it("opens the large one and the main one", async () => {
    const bridge = await show("live", "call");
    await fireEvent.click(id("expand-button"));
    await fireEvent.click(id("main-button"));
    expect(bridge.asked).toEqual(["expand", "main"]);
    await fireEvent.click(id("device-menu-button"));
    await fireEvent.click(id("settings-item"));
    expect(bridge.asked).toEqual(["expand", "main", "settings"]);
  });

  it("unfolds the chat of the call, and writes into it", async () => {
    const bridge = await show("host", "call");
    const user = userEvent.setup();
    expect(id("device-menu-button").getAttribute("aria-label")).toContain("2 unread messages");
    await user.click(id("device-menu-button"));
    await user.click(id("chat-item"));
    expect(all("chat-line")).toHaveLength(4);
    await user.type(id("chat-input"), "on my way{Enter}");
    expect(bridge.commands.filter((one) => one.type !== "watchLevel" && one.type !== "typing")).toEqual([
      { type: "showChat", shown: true },
      { type: "sendPost", channel: "release", root: "root", text: "on my way" },
    ]);
  });

  it("copies the link of the call, and says so", async () => {
    const copied: string[] = [];
    const { first } = await show("live", "call");
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText: async (text: string) => void copied.push(text) } });
    await fireEvent.click(id("device-menu-button"));
    await fireEvent.click(id("link-item"));
    await vi.waitFor(() => expect(id("link-item").textContent).toContain("Link copied"));
    expect(copied).toEqual([first.call.link]);
  });
});

describe("ways into a call", () => {
  it("offers the call of the channel in a line that can be closed", async () => {
    const bridge = await show("main");
    expect(id("join-toast").textContent).toContain("Call in progress");
    await fireEvent.click(id("toast-join"));
    await fireEvent.click(id("toast-close"));
    expect(bridge.commands).toEqual([
      { type: "joinCall", channel: "release", title: null, switch: false },
      { type: "ignoreCall", channel: "release" },
    ]);
  });
});

describe("the line that offers a call", () => {
  it("stays closed for that call, and comes back for the next", async () => {
    const { change, first, commands } = await show("main");
    await fireEvent.click(id("toast-close"));
    expect(commands).toContainEqual({ type: "ignoreCall", channel: "release" });
    const with_ = (startAt: number, dismissed: boolean) => ({
      slice: "directory" as const,
      value: { ...first.directory, channels: first.directory.channels.map((row) => (row.id === "release" ? { ...row, call: { ...row.call!, startAt, dismissed } } : row)) },
    });
    const going = first.directory.channels.find((row) => row.id === "release")!.call!;
    change(with_(going.startAt, true));
    await tick();
    expect(maybe("join-toast")).toBeNull();
    change(with_(going.startAt + 60_000, false));
    await tick();
    expect(id("join-toast").textContent).toContain("Call in progress");
  });
});

describe("other ways to call", () => {
  it("starts a call with a title, and copies its link", async () => {
    const copied: string[] = [];
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText: async (text: string) => void copied.push(text) } });
    const bridge = await show("empty");
    const user = userEvent.setup({ writeToClipboard: false });
    Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText: async (text: string) => void copied.push(text) } });
    await user.click(id("call-options"));
    await user.click(id("copy-link"));
    await user.click(id("copy-invite"));
    await user.type(id("call-title"), "Review{Enter}");
    expect(copied[0]).toBe("https://chat.harbour.example/harbour/channels/design?join_call=true");
    expect(copied[1]).toMatch(/SUMMARY:Call: #design\r\nLOCATION:https:/);
    expect(bridge.commands.filter((one) => one.type === "joinCall")).toEqual([
      { type: "joinCall", channel: "design", title: "Review", switch: false },
    ]);
  });
});
