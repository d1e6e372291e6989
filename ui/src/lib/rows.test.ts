import { describe, expect, it } from "vitest";

import * as cast from "../fake/cast";
import { CHUNK, chunks, rows } from "./rows";

const keys = (lines: ReturnType<typeof rows>, anchor: number) =>
  new Map(chunks(lines, anchor).map((group) => [group.key, group.lines.filter((line) => line.type === "post").map((line) => line.key)]));

describe("groups of lines", () => {
  const posts = cast.manyPosts(200);

  it("hold every line once, in order", () => {
    const lines = rows(posts, null);
    expect(chunks(lines, 0).flatMap((group) => group.lines)).toEqual(lines);
  });

  it("stay what they are when lines come before and behind", () => {
    const before = keys(rows(posts.slice(60, 180), null), 0);
    // The anchor is post 60: it is now the 45th of those drawn.
    const after = keys(rows(posts.slice(15), null), 45);
    for (const [key, group] of before) {
      const whole = key >= 0 && group.length === CHUNK;
      if (whole) expect(after.get(key)).toEqual(group);
    }
    expect([...after.keys()][0]).toBeLessThan(0);
  });
});
