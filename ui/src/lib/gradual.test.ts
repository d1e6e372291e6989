import { afterEach, describe, expect, it, vi } from "vitest";

import { first, inTurn } from "./gradual";
import { parse } from "./markdown";

describe("a long message", () => {
  const text = ["# a", "**b** c *d*", "- e\n- f **g**\n  - h", "> i\n> > j", "|k|l|\n|-|-|\n|1|2|\n|3|4|", "```js\n1\n```", "end"].join("\n\n");
  const tree = parse(text);

  it("is whole when it fits, and then the very same tree", () => {
    const { blocks, all } = first(tree, 1_000);
    expect(all).toBe(true);
    expect(blocks).toBe(tree);
  });

  it("grows by what is added, and what was there stays the same object", () => {
    let before = first(tree, 1);
    expect(before.all).toBe(false);
    expect(before.blocks).toHaveLength(1);
    const letters = (blocks: unknown) => JSON.stringify(blocks).length;
    for (let pieces = 2; pieces < 160; pieces += 1) {
      const now = first(tree, pieces);
      expect(letters(now.blocks)).toBeGreaterThanOrEqual(letters(before.blocks));
      // Whatever was complete is not made anew.
      before.blocks.forEach((block, at) => {
        if (block === tree[at]) expect(now.blocks[at]).toBe(block);
      });
      before = now;
    }
    expect(before).toEqual({ blocks: tree, all: true });
  });

  it("has a table's rows and a list's entries one after the other", () => {
    const table = first(parse("|k|l|\n|-|-|\n|1|2|\n|3|4|\n|5|6|"), 6);
    expect(table.all).toBe(false);
    expect(table.blocks[0]?.type === "table" && table.blocks[0].rows.length).toBe(1);
    const list = first(parse("- a\n- b\n- c"), 5);
    expect(list.blocks[0]?.type === "list" && list.blocks[0].items.length).toBe(2);
  });
});

describe("long work", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is done one thing a frame, in the order of asking, and not at all once nobody wants it", () => {
    const frames: (() => void)[] = [];
    vi.stubGlobal("requestAnimationFrame", (frame: () => void) => frames.push(frame));
    const done: string[] = [];
    const again = () => {
      done.push("a");
      if (done.length < 4) inTurn(again);
    };
    inTurn(again);
    const never = inTurn(() => done.push("never"));
    inTurn(() => done.push("b"));
    never();
    for (let n = 0; frames.length > 0; n += 1) {
      const before = done.length;
      frames.shift()?.();
      expect(done.length).toBeLessThanOrEqual(before + 1);
    }
    expect(done).toEqual(["a", "b", "a", "a"]);
  });
});
