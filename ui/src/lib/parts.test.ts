import { describe, expect, it } from "vitest";

import * as cast from "../fake/cast";
import { callState } from "./callstate";
import { day, duration, hue, initials, nth, sign, span } from "./format";
import { caps, chord } from "./keys";
import { rows } from "./rows";
import { share } from "./share";
import { commandFor } from "./shortcuts";
import { hands, talking } from "./talking";

describe("times", () => {
  it("writes durations as minutes and seconds", () => {
    expect([0, 5_000, 245_000, 3_845_000, -7].map(duration)).toEqual(["00:00", "00:05", "04:05", "1:04:05", "00:00"]);
  });
  it("says how long a call was", () => {
    expect([20_000, 60_000, 47 * 60_000, 65 * 60_000, 120 * 60_000].map(span)).toEqual([
      "less than a minute",
      "1 minute",
      "47 minutes",
      "1 hour 5 minutes",
      "2 hours",
    ]);
  });
  it("names days by their distance, also over a change of the clock", () => {
    const now = new Date(2026, 2, 30, 9).getTime();
    expect(day(new Date(2026, 2, 30, 0, 1).getTime(), now)).toBe("Today");
    expect(day(new Date(2026, 2, 29, 23, 59).getTime(), now)).toBe("Yesterday");
    expect(day(new Date(2026, 2, 27).getTime(), now)).toBe("Friday 27 March");
    expect(day(new Date(2024, 2, 27).getTime(), now)).toBe("27 March 2024");
  });
});

describe("names", () => {
  it("makes two letters of any name", () => {
    expect(["Bob Tanaka", "alice", "a.b", "", "李 雷", "👩‍🚀 x"].map(initials)).toEqual(["BT", "A", "AB", "?", "李雷", "👩X"]);
    expect(["Harbour", "x", "", "東京"].map(sign)).toEqual(["Hr", "X", "?", "東京"]);
  });
  it("keeps colours steady and in range", () => {
    expect(hue("abc")).toBe(hue("abc"));
    for (const id of ["", "a", "ü".repeat(100)]) expect(hue(id)).toSatisfy((angle: number) => angle >= 0 && angle < 360);
  });
  it("orders hands", () => {
    expect([1, 2, 3, 4, 11, 12, 21].map(nth)).toEqual(["1st", "2nd", "3rd", "4th", "11th", "12th", "21st"]);
  });
});

describe("timeline rows", () => {
  it("separates days and what is new, and joins what one person says in a row", () => {
    const at = new Date(2026, 2, 30, 12).getTime();
    const posts = [
      cast.post("bob", at - 86_400_000, "yesterday"),
      cast.post("bob", at, "one"),
      cast.post("bob", at + 60_000, "two"),
      cast.post("bob", at + 20 * 60_000, "later"),
      cast.post("carol", at + 20 * 60_000 + 1, "hi"),
      cast.post("carol", at + 20 * 60_000 + 2, "new"),
    ];
    const kinds = rows(posts, posts[5]?.id ?? null).map((row) => (row.type === "post" ? (row.continued ? "more" : "post") : row.type));
    expect(kinds).toEqual(["day", "post", "day", "post", "more", "post", "post", "new", "post"]);
  });
  it("gives every row its own key, even for posts of one moment", () => {
    const keys = rows(cast.manyPosts(300), null).map((row) => row.key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("structural sharing", () => {
  const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  it("keeps what is equal", () => {
    const old = { list: [{ id: "a", n: 1 }, { id: "b", n: 2 }], other: { deep: [1, 2] } };
    expect(share(old, copy(old))).toBe(old);
    const next = { ...copy(old), list: [{ id: "a", n: 1 }, { id: "b", n: 3 }] };
    const shared = share(old, next);
    expect(shared).toEqual(next);
    expect(shared.list[0]).toBe(old.list[0]);
    expect(shared.list[1]).not.toBe(old.list[1]);
    expect(shared.other).toBe(old.other);
  });
  it("follows things that move in a list", () => {
    const old = [{ id: "a" }, { id: "b" }];
    const next = share(old, [{ id: "z" }, { id: "a" }, { id: "b" }]);
    expect(next.slice(1)).toEqual(old);
    expect(next[1]).toBe(old[0]);
  });
  it("sees what disappears, and what becomes undefined, null or another kind", () => {
    expect(share({ a: 1, b: 2 }, { a: 1 })).toEqual({ a: 1 });
    expect(share({ a: { b: 1 } }, { a: null })).toEqual({ a: null });
    expect(share([1, 2], { length: 2 } as unknown)).toEqual({ length: 2 });
    expect(share({ a: undefined }, { b: undefined } as object)).toEqual({ b: undefined });
  });
});

describe("keys", () => {
  const press = (init: KeyboardEventInit) => chord(new KeyboardEvent("keydown", init));
  it("names chords by the place of the letter", () => {
    expect(press({ code: "KeyS", key: "ß", ctrlKey: true, altKey: true })).toBe("Control+Alt+S");
    expect(press({ code: "Space", key: " ", ctrlKey: true, shiftKey: true })).toBe("Control+Shift+Space");
    expect(press({ code: "F6", key: "F6" })).toBe("F6");
    expect(caps("Control+K")).toBe("Ctrl K");
  });

  it("turns chords into commands, if they mean anything now", () => {
    const idle = cast.snapshot();
    const live = cast.inCall({});
    expect(commandFor("Control+Alt+S", idle)).toMatchObject({ type: "joinCall", channel: "release", switch: false });
    expect(commandFor("Control+Alt+S", live)).toBeUndefined();
    expect(commandFor("Control+Alt+S", cast.open("old"))).toBeUndefined();
    expect(commandFor("Control+Shift+Space", idle)).toBeUndefined();
    expect(commandFor("Control+Shift+Space", live)).toEqual({ type: "setMuted", muted: false });
    expect(commandFor("Control+Shift+Space", cast.inCall({ microphone: "open" }))).toEqual({ type: "setMuted", muted: true });
    expect(commandFor("Control+Shift+Space", cast.inCall({ microphone: "opening" }))).toEqual({ type: "setMuted", muted: true });
    expect(commandFor("Control+Shift+L", live)).toEqual({ type: "leaveCall" });
    expect(commandFor("Control+Shift+Y", live)).toEqual({ type: "raiseHand", raised: true });
    expect(commandFor("Alt+Shift+ArrowDown", idle)).toEqual({ type: "openChannel", channel: "support" });
    expect(commandFor("Alt+Shift+ArrowUp", idle)).toEqual({ type: "openChannel", channel: "incident" });
    expect(commandFor("Control+C", live)).toBeUndefined();
  });
});

describe("the call button's state", () => {
  const { channels } = cast.snapshot().directory;
  const of = (id: string, whole = cast.snapshot(), available = true) => {
    const row = whole.directory.channels.find((one) => one.id === id) ?? channels[0];
    if (!row) throw new Error("no channel");
    return callState(row, whole.call, whole.link, available);
  };
  it("follows channel, call, link and server", () => {
    expect(of("design")).toEqual({ type: "start" });
    expect(of("release")).toEqual({ type: "join" });
    expect(of("old")).toEqual({ type: "off", why: "call.archived" });
    expect(of("design", cast.snapshot(), false)).toEqual({ type: "off", why: "server" });
    expect(of("design", { ...cast.snapshot(), link: { state: "lost", retryIn: 1, attempt: 1 } })).toEqual({ type: "off", why: "link" });
    expect(of("release", cast.inCall({ phase: { type: "joining" } }))).toEqual({ type: "joining" });
    expect(of("release", cast.inCall({ phase: { type: "connecting" } }))).toEqual({ type: "joining" });
    expect(of("release", cast.inCall({}))).toEqual({ type: "in" });
    expect(of("group", cast.inCall({}))).toEqual({ type: "join" });
  });
});

describe("who is talking", () => {
  const people = cast.inCall({}).call.participants;
  const say = (...names: string[]) =>
    people.map((person) => ({ ...person, speaking: names.includes(person.user) }));
  it("says it in one line", () => {
    expect(talking(say(), undefined, false).line).toBe("No one is talking");
    expect(talking(say("bob"), undefined, false).line).toBe("Bob is talking");
    expect(talking(say("alice"), undefined, false).line).toBe("You are talking");
    expect(talking(say("bob", "carol"), undefined, false).line).toBe("Bob and Carol are talking");
    expect(talking(say("bob", "carol", "dave"), undefined, false).line).toBe("3 people are talking");
    expect(talking(people.slice(0, 1), undefined, false).line).toBe("Only you so far");
    expect(talking([], undefined, false).face).toBeUndefined();
  });
  it("keeps the face of who spoke last", () => {
    expect(talking(say(), "session-dave", false).face?.user).toBe("dave");
    expect(talking(say(), "session-gone", false).face?.user).toBe("bob");
  });
  it("orders raised hands by time", () => {
    const up = people.map((person, at) => ({ ...person, handRaisedAt: at < 2 ? 100 - at : null }));
    expect([...hands(up)].map(([session, place]) => [session, place])).toEqual([
      ["session-bob", 1],
      ["session-alice", 2],
    ]);
  });
});
