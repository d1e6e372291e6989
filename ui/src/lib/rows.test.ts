import { describe, expect, it } from "vitest";

import * as cast from "../fake/cast";
import { Heights } from "./heights";
import { guess, rows } from "./rows";

describe("the height of a post that was never drawn", () => {
  const high = (message: string, more: Partial<Parameters<typeof cast.post>[3]> = {}) => guess(cast.post("bob", 1, message, more), false);

  it("grows with its lines, its length, and what hangs on it", () => {
    expect(high("a\nb")).toBeGreaterThan(high("a"));
    expect(high("word ".repeat(100))).toBeGreaterThan(high("word"));
    expect(high("a", { reactions: [{ emoji: "tada", count: 1, mine: false, names: ["Bob"] }] })).toBeGreaterThan(high("a"));
    expect(guess(cast.post("bob", 1, "a"), true)).toBeLessThan(high("a"));
  });

  it("has an end, whatever was written", () => {
    expect(high("\n".repeat(60_000))).toBeLessThan(4_000);
  });
});

describe("heights", () => {
  const lines = Array.from({ length: 5_000 }, (_, n) => ({ key: `k${n}`, guess: 10 + (n % 7) }));
  const sums = (of: readonly { guess: number }[]) => of.reduce((sum, line) => sum + line.guess, 0);

  it("find every line at its place", () => {
    const heights = new Heights();
    heights.take(lines);
    expect(heights.total).toBe(sums(lines));
    for (const at of [0, 1, 17, 2_500, 4_999]) {
      expect(heights.top(at)).toBe(sums(lines.slice(0, at)));
      expect(heights.at(heights.top(at))).toBe(at);
      expect(heights.at(heights.top(at) + 5)).toBe(at);
    }
    expect([heights.at(-100), heights.at(1e9)]).toEqual([0, 4_999]);
  });

  it("remember what was measured when lines come before", () => {
    const heights = new Heights();
    heights.take(lines);
    expect(heights.measure(100, 90)).toBe(90 - (10 + (100 % 7)));
    expect(heights.measure(100, 90)).toBe(0);
    const more = [{ key: "older", guess: 1_000 }, ...lines];
    heights.take(more);
    expect(heights.top(102) - heights.top(101)).toBe(90);
    expect(heights.find("k100", 101)).toBe(101);
    expect(heights.find("k100", 5)).toBe(101);
    expect(heights.find("nobody", 5)).toBe(-1);
  });

  it("of no lines are nothing", () => {
    const heights = new Heights();
    heights.take([]);
    expect([heights.total, heights.at(50), heights.top(3), heights.measure(0, 5)]).toEqual([0, 0, 0, 0]);
  });
});

describe("lines", () => {
  it("stand for every post once, in order", () => {
    const posts = cast.manyPosts(200);
    const all = rows(posts, null);
    expect(all.filter((line) => line.type === "post").map((line) => line.key)).toEqual(posts.map((post) => post.id));
  });
});
