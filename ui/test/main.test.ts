import { fireEvent } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { describe, expect, it, vi } from "vitest";

import type { Directory } from "../src/bindings";
import * as cast from "../src/fake/cast";
import { all, changeNotices, id, maybe, show } from "./render";

const row = (name: string) => {
  const found = document.querySelector<HTMLElement>(`[data-testid="channel-row"][data-channel-name="${name}"]`);
  if (!found) throw new Error(`no row ${name}`);
  return found;
};

describe("the sidebar", () => {
  it("says all about a channel in its name", async () => {
    await show("main");
    const names = all("channel-row").map((one) => one.getAttribute("aria-label"));
    expect(names).toContain("announcements, unread");
    expect(names).toContain("incident-room, 3 mentions, private");
    expect(names).toContain("release-2-9, 5 people in the call");
    expect(names).toContain("deploys, muted");
    expect(names).toContain("release-2-8, archived");
    expect(names).toContain("standup, draft");
    expect(names).toContain("Bob Tanaka, 1 mention, online");
    expect(names).toContain("Dave, Heidi, 2 people in the call, group");
    expect(row("release-2-9").getAttribute("aria-current")).toBe("page");
  });

  it("opens channels by click and by arrows", async () => {
    const bridge = await show("main");
    await fireEvent.click(row("design"));
    row("release-2-9").focus();
    await fireEvent.keyDown(row("release-2-9"), { key: "ArrowDown" });
    expect(document.activeElement).toBe(row("Bob Tanaka"));
    await fireEvent.keyDown(row("Bob Tanaka"), { key: "ArrowUp" });
    expect(document.activeElement).toBe(row("release-2-9"));
    expect(bridge.commands).toEqual([{ type: "openChannel", channel: "design" }]);
  });

  it("lists calls going on, with Join where they are not on screen", async () => {
    const bridge = await show("main");
    expect(all("live-row").map((one) => one.dataset["channelName"])).toEqual(["release-2-9", "Dave, Heidi"]);
    await fireEvent.click(id("live-join"));
    expect(all("live-join")).toHaveLength(1);
    expect(bridge.commands).toEqual([{ type: "joinCall", channel: "group", title: null, switch: false }]);
  });

  it("names who is in a call, on the faces beside it", async () => {
    await show("main");
    const [here, elsewhere] = all("live-row");
    const faces = here?.querySelector<HTMLElement>(".faces");
    expect(faces?.title).toBe("Bob Tanaka, Carol Okafor, Erin Walsh, Dave Lindqvist, Frank Castillo");
    expect(faces?.getAttribute("aria-label")).toBe(faces?.title);
    expect(faces?.textContent).toContain("+3");
    expect(elsewhere?.querySelector(".faces")).toBeNull();
    // In the list of channels the mark has no faces, and tells the names to whom points at it.
    const rows = all("channel-row").filter((row) => row.querySelector('[data-testid="row-call"]'));
    expect(rows.map((row) => row.querySelector<HTMLElement>('[data-testid="row-call"]')?.title)).toContain(faces?.title);
  });

  it("switches teams and signs out", async () => {
    const bridge = await show("main");
    const user = userEvent.setup();
    await user.click(id("team-button"));
    await user.click(document.querySelector('[data-team-name="pilots"]')!);
    expect(maybe("team-row")).toBeNull();
    await user.click(id("team-button"));
    await user.keyboard("{Escape}");
    expect(maybe("team-row")).toBeNull();
    expect(document.activeElement).toBe(id("team-button"));
    await user.click(id("team-button"));
    await user.click(id("sign-out"));
    expect(bridge.commands).toEqual([{ type: "openTeam", team: "pilots" }, { type: "signOut" }]);
  });

  it("jumps by name", async () => {
    const bridge = await show("main");
    const user = userEvent.setup();
    await user.keyboard("{Control>}k{/Control}");
    await user.type(id("jump-input"), "castil{Enter}");
    expect(bridge.commands.filter((one) => one.type !== "find")).toEqual([{ type: "openChannel", channel: "dm-frank" }]);
    expect(maybe("jump-input")).toBeNull();
  });

  it("tests the microphone outside a call", async () => {
    const bridge = await show("main");
    await fireEvent.click(id("device-menu-button"));
    expect(id("device-input-select")).toBeTruthy();
    expect(bridge.commands).toEqual([{ type: "watchLevel", on: true }]);
  });
});

describe("the call button", () => {
  it.each([
    ["main", "join", "Join call"],
    ["empty", "start", "Start call"],
    ["joining", "joining", "Joining…"],
    ["live", "in", "In this call"],
    ["archived", "off", "Start call"],
    ["offline", "off", "Join call"],
    ["no-calls", "off", "Start call"],
  ] as const)("in %s is %s", async (scene, state, words) => {
    await show(scene);
    const button = id("call-button");
    expect(button.dataset["state"]).toBe(state);
    expect(button.textContent).toContain(words);
    expect(button.getAttribute("aria-disabled")).toBe(String(state === "off"));
  });

  it("joins once, and not at all when it is off", async () => {
    const bridge = await show("archived");
    await fireEvent.click(id("call-button"));
    expect(bridge.commands).toEqual([]);
    expect(document.getElementById("call-reason")?.textContent).toBe("This channel is archived.");
  });

  it("answers to its keys from anywhere, even the composer", async () => {
    const bridge = await show("main");
    await fireEvent.keyDown(id("composer-input"), { code: "KeyS", key: "s", ctrlKey: true, altKey: true });
    await fireEvent.keyDown(id("composer-input"), { code: "KeyS", key: "s", ctrlKey: true, altKey: true, repeat: true });
    expect(bridge.commands).toEqual([{ type: "joinCall", channel: "release", title: null, switch: false }]);
  });
});

describe("the timeline", () => {
  it("draws messages as elements, never as HTML", async () => {
    await show("markdown");
    expect(document.querySelector("script, img[src=x]")).toBeNull();
    const log = document.querySelector('[role="log"]')!;
    expect(log.textContent).toContain("<img src=x onerror=alert(1)>");
    expect([...log.querySelectorAll("a")].map((one) => one.getAttribute("href"))).toEqual([
      "https://example.org/a_(b)?c=d",
      "https://example.org/",
      "https://example.org/p.png",
    ]);
    expect([...log.querySelectorAll(".ment")].map((one) => one.textContent)).toEqual(["@bob", "@channel"]);
    expect(log.querySelectorAll("br")).toHaveLength(2);
  });

  it("opens links outside", async () => {
    const open = vi.spyOn(window, "open").mockReturnValue(null);
    await show("main");
    const link = document.querySelector<HTMLAnchorElement>('a[href="https://tracker.example/4182"]')!;
    const went = await fireEvent.click(link);
    expect(went).toBe(false);
    expect(open).toHaveBeenCalledWith("https://tracker.example/4182", "_blank", "noopener");
    open.mockRestore();
  });

  it("marks days and what is new", async () => {
    await show("main");
    const words = [...document.querySelectorAll('[role="separator"]')].map((one) => one.textContent);
    expect(words).toEqual(["Yesterday", "Today", "New"]);
  });

  it("says what waits and what was not sent, and what can be done about it", async () => {
    const bridge = await show("offline");
    const [waiting, failed] = all("post-row").slice(-2);
    expect(waiting?.textContent).toContain("waiting to send");
    expect(failed?.textContent).toContain("not sent");
    expect(failed?.textContent).toContain("The file is larger than the server allows (20 MB).");
    const [again, away] = [...failed!.querySelectorAll(".under button")];
    await fireEvent.click(again!);
    await fireEvent.click(away!);
    expect(bridge.commands).toEqual([
      { type: "retryPost", pending: "alice:2" },
      { type: "discardPost", pending: "alice:2" },
    ]);
  });

  it("shows a call as what became of it", async () => {
    await show("direct");
    const cards = all("call-card").map((card) => card.textContent?.replace(/\s+/g, " ").trim());
    expect(cards[0]).toContain("Missed call");
    expect(cards[0]).toContain("Call back");
    expect(cards[1]).toContain("No answer");
    expect(cards[2]).toContain("17 minutes");
  });

  it("shows on the card of a call when it ended, how long it was, and what was recorded", async () => {
    const [from, to] = [new Date(2026, 4, 4, 9, 15).getTime(), new Date(2026, 4, 4, 9, 32).getTime()];
    const call = (recordings: number, transcripts: number) => ({
      ...cast.callPost("carol", from, to, "Review", "ended"),
      kind: { type: "call" as const, title: "Review", startAt: from, endAt: to, status: "ended", recordings, transcripts },
    });
    await show(cast.snapshot({ posts: [call(0, 0), call(1, 2)], firstUnread: null }));
    const cards = all("call-card").map((card) => card.textContent?.replace(/\s+/g, " ").replace(/ ?· ?/g, " · ").trim());
    expect(cards[0]).toMatch(/^Review 0?9:15( AM)? – 0?9:32( AM)? · 17 minutes$/);
    expect(cards[0]).not.toContain("recording");
    expect(cards[0]).not.toContain("transcript");
    expect(cards[1]).toContain("17 minutes · 1 recording · 2 transcripts");
  });

  it("offers to join the call of a post, or to leave it", async () => {
    const bridge = await show("main");
    const card = () => all("call-card").at(-1)!;
    expect(card().textContent).toContain("Go / no-go for 2.9");
    await fireEvent.click(card().querySelector("button")!);
    bridge.change({ slice: "directory", value: cast.inCall({}).directory });
    await tick();
    expect(card().textContent).toContain("You are in this call");
    await fireEvent.click(card().querySelector("button")!);
    expect(bridge.commands).toEqual([
      { type: "joinCall", channel: "release", title: null, switch: false },
      { type: "leaveCall" },
    ]);
  });

  it("keeps every row it has when one more comes", async () => {
    const bridge = await show(cast.snapshot({ posts: cast.manyPosts(60) }));
    const before = all("post-row");
    expect(before).toHaveLength(60);
    const posts = structuredClone([...bridge.first.timeline.posts, cast.post("bob", Date.now(), "and one")]);
    bridge.change({ slice: "timeline", value: { ...bridge.first.timeline, posts } });
    await tick();
    const after = all("post-row");
    expect(after).toHaveLength(61);
    expect(after.slice(0, 60).every((element, at) => element === before[at])).toBe(true);
  });

  it("asks for older posts where there are some", async () => {
    const bridge = await show("main");
    // jsdom has no heights: the beginning is always near.
    await fireEvent.scroll(document.querySelector('[role="log"]')!);
    await vi.waitFor(() => expect(bridge.store.timeline.atStart).toBe(false));
    bridge.change({ slice: "timeline", value: { ...bridge.first.timeline, atStart: true } });
    await tick();
    expect(document.body.textContent).toContain("This is the start of #release-2-9");
  });

  it("shows rows while the first page is on its way, and not the posts of another channel", async () => {
    const bridge = await show("loading");
    expect(document.querySelector('[aria-label="Loading messages…"]')).toBeTruthy();
    bridge.change({ slice: "timeline", value: { ...bridge.first.timeline, loading: false, channel: "design", posts: cast.posts } });
    await tick();
    expect(all("post-row")).toEqual([]);
  });
});

describe("the composer", () => {
  const field = () => id<HTMLTextAreaElement>("composer-input");
  const goTo = async (bridge: Awaited<ReturnType<typeof show>>, channel: string, change: Partial<Directory> = {}) => {
    bridge.change({ slice: "directory", value: { ...bridge.first.directory, ...change, channel } });
    await tick();
  };

  it("sends with Enter and breaks with Shift Enter", async () => {
    const bridge = await show("main");
    const user = userEvent.setup();
    expect(id<HTMLButtonElement>("composer-send").disabled).toBe(true);
    await user.type(field(), "one{Shift>}{Enter}{/Shift}two{Enter}");
    expect(bridge.commands.filter((one) => one.type === "sendPost")).toEqual([
      { type: "sendPost", channel: "release", root: null, text: "one\ntwo" },
    ]);
    expect(bridge.commands.at(-1)?.type).toBe("sendPost");
    expect(field().value).toBe("");
  });

  it("does not send what an input method is still composing", async () => {
    const bridge = await show("main");
    await userEvent.setup().type(field(), "に");
    await fireEvent.keyDown(field(), { key: "Enter", isComposing: true });
    await fireEvent.keyDown(field(), { key: "Enter", keyCode: 229 });
    expect(bridge.commands.filter((one) => one.type === "sendPost")).toEqual([]);
  });

  it("never loses what was typed: it waits in its channel", async () => {
    const bridge = await show("main");
    const user = userEvent.setup();
    await user.type(field(), "half a thought");
    await goTo(bridge, "standup");
    expect(bridge.commands).toContainEqual({ type: "saveDraft", channel: "release", root: null, text: "half a thought" });
    expect(field().value).toBe("Yesterday: the jitter buffer.");
    // The core's own copy is a round trip behind.
    await goTo(bridge, "release");
    expect(field().value).toBe("half a thought");
  });

  it("gives back what the core did not take", async () => {
    await show("main", "main", true);
    const user = userEvent.setup();
    await user.type(field(), "precious{Enter}");
    await vi.waitFor(() => expect(field().value).toBe("precious"));
  });

  it("shows again what the core gives back, before what was typed since", async () => {
    const bridge = await show("main");
    const user = userEvent.setup();
    const draft = (text: string) =>
      goTo(bridge, "release", { channels: bridge.first.directory.channels.map((one) => (one.id === "release" ? { ...one, draft: text } : one)) });
    await user.type(field(), "/nonsense{Enter}");
    await draft("/nonsense");
    expect(field().value).toBe("/nonsense");
    await user.clear(field());
    await user.type(field(), "/more{Enter}next");
    await draft("/more");
    expect(field().value).toBe("/more\nnext");
  });

  it("says when a text is too long, and keeps it", async () => {
    await show("main");
    field().value = "x".repeat(16_390);
    await fireEvent.input(field());
    expect(document.body.textContent).toContain("7 characters too many");
    expect(id<HTMLButtonElement>("composer-send").disabled).toBe(true);
  });

  it("is closed where nothing can be written, and open while offline", async () => {
    await show("archived");
    expect(maybe("composer-input")).toBeNull();
    expect(document.body.textContent).toContain("#release-2-8 is archived.");
  });

  it("says that a message will wait", async () => {
    await show("offline");
    expect(field().placeholder).toBe("Write to #release-2-9, it is sent when you are back");
  });
});

describe("notices", () => {
  it("shows the newest three, with what can be done", async () => {
    const bridge = await show("notices");
    expect(all("notice").map((one) => one.dataset["code"])).toEqual(["request.failed", "mic.denied", "device.back"]);
    const [failed, denied] = all("notice");
    expect(failed?.textContent).toContain("POST /posts: 500 out of paper");
    expect(denied?.getAttribute("role")).toBe("alert");
    const [again, close] = [...denied!.querySelectorAll("button")];
    await fireEvent.click(again!);
    await fireEvent.click(close!);
    expect(bridge.commands).toEqual([
      { type: "setMuted", muted: false },
      { type: "dismissNotice", id: 3 },
    ]);
  });

  it("updates one that repeats itself in its place", async () => {
    const bridge = await show("notices");
    const before = all("notice")[2];
    await changeNotices(bridge, [cast.notice("device.back", "info", { device: "HDMI monitor" }, 2)]);
    expect(all("notice")).toEqual([before]);
    expect(before?.textContent).toContain("HDMI monitor is back.");
  });
});

describe("without a connection", () => {
  it("keeps everything readable, greys it, and offers to try now", async () => {
    const bridge = await show("offline");
    expect(id("offline").textContent).toContain("No connection to chat.harbour.example.");
    expect(id("offline").textContent).toContain("Next try in 4 s.");
    expect(all("live-row")).toEqual([]);
    await fireEvent.click(id("offline").querySelector("button")!);
    expect(bridge.commands).toEqual([{ type: "reconnect" }]);
    bridge.change({ slice: "link", value: { state: "up" } });
    await tick();
    expect(maybe("offline")).toBeNull();
  });
});

describe("the keyboard", () => {
  it("walks through the parts of the window with F6", async () => {
    // jsdom has no boxes; pretend that everything has one.
    const boxes = vi.spyOn(Element.prototype, "getClientRects").mockReturnValue([{}] as unknown as DOMRectList);
    await show("live");
    const part = () => document.activeElement?.closest<HTMLElement>("[data-region]")?.dataset["region"];
    row("release-2-9").focus();
    const seen = [];
    for (let step = 0; step < 5; step += 1) {
      await fireEvent.keyDown(document.activeElement ?? window, { key: "F6" });
      seen.push(part());
    }
    expect(seen).toEqual(["2", "3", "4", "8", "1"]);
    await fireEvent.keyDown(document.activeElement ?? window, { key: "F6", shiftKey: true });
    expect(part()).toBe("8");
    boxes.mockRestore();
  });

  it("tells the core whether anybody is looking", async () => {
    const bridge = await show("main");
    await fireEvent.blur(window);
    await fireEvent.focus(window);
    expect(bridge.commands).toEqual([
      { type: "setFocus", focused: false },
      { type: "setFocus", focused: true },
    ]);
  });
});
