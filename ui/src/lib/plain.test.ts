import { describe, expect, it } from "vitest";

import { beginning, portions } from "./plain";

/** No half of a character. */
const wellFormed = (text: string) => !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);

describe("a long text as it was written", () => {
  it("is shown whole if it is short, or but a little too long", () => {
    expect(beginning("a\nb")).toBe("a\nb");
    expect(beginning("x".repeat(2_000))).toHaveLength(2_000);
    expect(beginning("x\n".repeat(25))).toHaveLength(50);
  });

  it("begins with so many letters, or so many lines", () => {
    expect(beginning("x".repeat(65_536))).toHaveLength(1_500);
    expect(beginning("ab\n".repeat(9_000)).split("\n")).toHaveLength(20);
  });

  it("is never cut through a character", () => {
    const text = `x${"👋".repeat(10_000)}`;
    expect(wellFormed(beginning(text))).toBe(true);
    expect(portions(text).every(wellFormed)).toBe(true);
    expect(portions(text).join("")).toBe(text);
  });

  it("comes in portions that together are all of it", () => {
    const lines = Array.from({ length: 5_000 }, (_, n) => `line ${n}`).join("\n");
    expect(portions(lines).join("\n")).toBe(lines);
    expect(portions(lines).every((one) => one.length <= 4_096)).toBe(true);
    expect(portions("")).toEqual([]);
    expect(portions("\n".repeat(9_000)).length).toBeLessThan(9_000);
  });
});
