/**
 * Long and nested texts: whatever is hard to read, as long as a server takes it, and 64 KB of it. Reading stays below 50 ms,
 * and little of it is drawn as markdown; what no server takes is not read at all. Here what is drawn is only counted, in
 * elements: jsdom takes many times as long as a browser. The real window does the same in `tests/window_e2e/stress.rs`.
 */
import { cleanup, render } from "@testing-library/svelte";
import { flushSync } from "svelte";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";

import { parse } from "../src/lib/markdown";
import { texts } from "./heavy";
import Heavy from "./Heavy.svelte";

/** Goal, milliseconds, median. */
const GOAL = 50;
const RUNS = 7;
/** Most elements of a message: what is left of a browser's 50 ms after reading. */
const ELEMENTS = 2_500;
/** Most elements that are drawn in one frame: what is left of a browser's 50 ms. */
const AT_ONCE = 700;

const figures: { name: string; median: number; elements: number; plain: boolean }[] = [];

afterEach(cleanup);
afterAll(() => {
  for (const { name, median, elements } of figures.toSorted((a, b) => b.median - a.median).slice(0, 5)) {
    console.info(`${name}: read in ${median.toFixed(1)} ms, ${elements} elements`);
  }
  const read = Math.max(...figures.map((one) => one.median));
  const elements = Math.max(...figures.map((one) => one.elements));
  console.info(`64 KB and 16 KB, ${figures.length} texts: slowest read in ${read.toFixed(1)} ms (goal ${GOAL}, median of ${RUNS}), most elements ${elements}, ${figures.filter((one) => one.plain).length} end as plain text`);
});

/** As much as a server takes is read; more is not. */
const most = texts.map(([name, text]): [string, string] => [`${name}, cut`, text.slice(0, 16_380)]);

describe("64 KB and 16 KB", () => {
  it.each([...texts, ...most])("of %s are read quickly, drawn in bounds, and nothing is lost", async (name, text) => {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      // Another letter at the end: what was read once is remembered.
      const fresh = text.slice(0, -1) + String.fromCharCode(0x61 + run);
      const began = performance.now();
      parse(fresh);
      times.push(performance.now() - began);
    }
    const median = times.toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Infinity;
    const { container } = render(Heavy, { text: `${text.slice(0, -4)} end` });
    flushSync();
    const most = container.querySelectorAll("*").length;
    // The rest follows, a little in each frame.
    await vi.waitUntil(() => container.querySelector('[aria-busy="true"]') === null, { timeout: 10_000, interval: 5 });
    const elements = container.querySelectorAll("*").length;
    figures.push({ name, median, elements, plain: container.querySelector(".plain") !== null });
    const all = container.querySelector<HTMLElement>('[data-testid="plain-all"]');
    all?.click();
    flushSync();
    if (all || !/[<`[]/.test(text)) expect(container.textContent?.trimEnd()).toMatch(/end\s*(Show less)?$/);
    expect(most, "of one frame").toBeLessThan(AT_ONCE);
    expect(elements).toBeLessThan(ELEMENTS);
    expect(median).toBeLessThan(GOAL);
    if (text.length > 32_768) expect(elements, "more than a server takes is shown as it is").toBeLessThan(12);
  });
});
