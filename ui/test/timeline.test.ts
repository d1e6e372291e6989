/**
 * A channel with ten thousand posts of all kinds: what its lines cost, what one more costs, and that the page holds few
 * of them wherever the reader is. Figures are printed; the bounds are wide, since build machines are shared.
 */
import { cleanup, render } from "@testing-library/svelte";
import { tick } from "svelte";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import App from "../src/App.svelte";
import type { PostRow } from "../src/bindings";
import { stillBridge, type FakeBridge } from "../src/fake";
import * as cast from "../src/fake/cast";
import { Heights } from "../src/lib/heights";
import { Lines, rows } from "../src/lib/rows";
import { share } from "../src/lib/share";
import { Store } from "../src/store.svelte";

const COUNT = 10_000;

/** The n-th post of a lively year: several authors and days, all kinds. */
function mixed(n: number): PostRow {
  const authors = Object.keys(cast.people);
  const author = authors[Math.floor(n / 4) % authors.length] ?? "bob";
  const at = 1_760_000_000_000 + n * 170_000;
  const texts = [
    `Message ${n}, with **marks** and https://example.org/${n}.`,
    `${"A longer thought about the timer. ".repeat(12)}${n}`,
    `\`\`\`rust\nlet n = ${n};\n\`\`\``,
    `| a | b |\n|---|---|\n| ${n} | 2 |`,
    `> said before\n\n- one\n- two ${n}`,
  ];
  const file = (extension: string) => ({ id: `f${n}`, name: `file ${n}.${extension}`, extension, size: 5_000, mime: "", width: 640, height: 400, hasPreview: extension === "png" });
  const more: Partial<PostRow> = {
    id: `m${n}`,
    ...(n % 11 === 3 ? { files: [file(n % 2 ? "png" : "zip")] } : {}),
    ...(n % 7 === 2 ? { reactions: [{ emoji: "tada", count: 3, mine: n % 2 === 0, names: ["Bob", "Carol", "Dave"] }] } : {}),
    ...(n % 13 === 5 ? { replyCount: 4 } : {}),
    ...(n % 37 === 8 ? { kind: { type: "system" as const } } : {}),
    ...(n % 101 === 9 ? { kind: { type: "call" as const, title: "", startAt: at, endAt: at + 60_000, status: "ended", recordings: 0, transcripts: 0 } } : {}),
  };
  return cast.post(author, at, texts[n % texts.length] ?? "", more);
}

const all = Array.from({ length: COUNT }, (_, n) => mixed(n));
const figures: string[] = [];

function median(run: (n: number) => unknown, runs = 9): number {
  const times = Array.from({ length: runs }, (_, n) => {
    const began = performance.now();
    run(n);
    return performance.now() - began;
  });
  return times.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
}

afterAll(() => figures.forEach((line) => console.info(line)));

describe("ten thousand posts", () => {
  it("become lines quickly, and one more leaves the others alone", () => {
    const heights = new Heights();
    const whole = median(() => heights.take(rows(all, null)));
    const kept = new Lines();
    const before = new Set(kept.rows(all, null));
    let posts: PostRow[] = all;
    const one = median((n) => {
      posts = [...posts, mixed(COUNT + n)];
      heights.take(kept.rows(posts, null));
    });
    const after = kept.rows(posts, null);
    expect(after.filter((line) => before.has(line)).length).toBe(before.size);
    expect(after).toEqual(rows(posts, null));
    figures.push(`${COUNT} posts: lines and their places ${whole.toFixed(1)} ms, one more post ${one.toFixed(2)} ms, ${before.size} lines stay the same objects`);
    expect(whole).toBeLessThan(200);
    expect(one).toBeLessThan(20);
  });

  it("have the lines that they would have anew, whatever changes", () => {
    const kept = new Lines();
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    let posts = all.slice(500, 700);
    for (let step = 0; step < 300; step += 1) {
      const at = random(posts.length + 1);
      const kind = random(5);
      if (kind === 0) posts = [...posts, mixed(20_000 + step)];
      else if (kind === 1) posts = posts.toSpliced(at, 1);
      else if (kind === 2) posts = posts.toSpliced(at, 1, mixed(30_000 + step));
      else if (kind === 3) posts = [...all.slice(400, 425).map((post) => ({ ...post, id: `${post.id} ${step}` })), ...posts].slice(0, 260);
      else posts = posts.toSpliced(at, random(4), mixed(40_000 + step), mixed(50_000 + step));
      const fresh = step % 3 === 0 ? (posts[random(posts.length)]?.id ?? null) : null;
      expect(kept.rows(posts, fresh)).toEqual(rows(posts, fresh));
    }
  });

  it("cost little to compare with what was there", () => {
    const next = [...(JSON.parse(JSON.stringify(all)) as PostRow[]), mixed(COUNT)];
    let out: readonly PostRow[] = [];
    const ms = median(() => (out = share(all, next)), 5);
    expect(out.slice(0, COUNT).every((post, at) => post === all[at])).toBe(true);
    figures.push(`${COUNT} posts, a slice with one more compared: ${ms.toFixed(1)} ms`);
    expect(ms).toBeLessThan(500);
  });
});

/** As high as a window is; jsdom has no layout. */
const HIGH = 800;

/** An observer that tells heights as a browser would: every line is as high as its number says. */
class Watcher {
  static all = new Set<Watcher>();
  readonly fresh = new Set<Element>();
  constructor(readonly tell: (entries: ResizeObserverEntry[]) => void) {
    Watcher.all.add(this);
  }
  observe(element: Element) {
    this.fresh.add(element);
  }
  unobserve(element: Element) {
    this.fresh.delete(element);
  }
  disconnect() {
    Watcher.all.delete(this);
  }
  static layout() {
    for (const watcher of Watcher.all) {
      const entries = [...watcher.fresh].filter((one) => one.isConnected).map((target) => ({ target, borderBoxSize: [{ blockSize: tall(target) }] }) as unknown as ResizeObserverEntry);
      watcher.fresh.clear();
      if (entries.length > 0) watcher.tell(entries);
    }
  }
}

/** The height of a line of the feed, pixels: not what anybody guesses. */
function tall(element: Element): number {
  const id = element.querySelector<HTMLElement>("[data-post]")?.dataset["post"];
  if (id) return 40 + ((Number(id.slice(1)) * 37) % 160);
  const gap = element instanceof HTMLElement ? parseFloat(element.style.blockSize) : NaN;
  return Number.isNaN(gap) ? 30 : gap;
}

describe("the page", () => {
  const feed = () => document.querySelector<HTMLElement>(".feed")!;
  const shown = () => [...document.querySelectorAll<HTMLElement>('.feed [data-testid="post-row"]')];
  const height = () => [...(document.querySelector(".feed .inner")?.children ?? [])].reduce((sum, one) => sum + tall(one), 0);
  /** Where a line lies in the window, pixels from the top of the feed. */
  const place = (id: string): number => {
    let sum = 0;
    for (const one of document.querySelector(".feed .inner")?.children ?? []) {
      if (one.querySelector(`[data-post="${id}"]`)) return sum - feed().scrollTop;
      sum += tall(one);
    }
    return NaN;
  };
  const inSight = () => shown().filter((row) => place(row.dataset["post"] ?? "") > -200 && place(row.dataset["post"] ?? "") < HIGH);
  let frames: FrameRequestCallback[] = [];

  beforeEach(() => {
    frames = [];
    vi.stubGlobal("ResizeObserver", Watcher);
    vi.stubGlobal("requestAnimationFrame", (frame: FrameRequestCallback) => frames.push(frame));
    vi.stubGlobal("cancelAnimationFrame", () => (frames = []));
    const only = (value: () => number) => ({ configurable: true, get(this: Element) { return this.classList.contains("feed") ? value() : 0; } });
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockImplementation(function (this: HTMLElement) { return this.classList.contains("feed") || this === document.documentElement ? HIGH : 0; });
    Object.defineProperty(HTMLElement.prototype, "scrollHeight", only(height));
    let top = 0;
    Object.defineProperty(HTMLElement.prototype, "scrollTop", {
      configurable: true,
      get(this: Element) { return this.classList.contains("feed") ? top : 0; },
      set(this: Element, value: number) { if (this.classList.contains("feed")) top = Math.max(0, Math.min(value, height() - HIGH)); },
    });
  });
  afterEach(() => {
    cleanup();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    for (const name of ["scrollHeight", "scrollTop"] as const) Reflect.deleteProperty(HTMLElement.prototype, name);
    Watcher.all.clear();
  });

  /** A frame of the screen: what was asked for, then the layout. */
  async function frame(): Promise<void> {
    await tick();
    const now = frames;
    frames = [];
    for (const one of now) one(performance.now());
    await tick();
    Watcher.layout();
    await tick();
    Watcher.layout();
    await tick();
  }
  async function settle(): Promise<void> {
    for (let n = 0; n < 40; n += 1) {
      await frame();
      // Nothing more was asked for.
      if (frames.length === 0) break;
    }
  }
  async function scrollTo(top: number): Promise<void> {
    feed().scrollTop = top;
    feed().dispatchEvent(new Event("scroll"));
    await frame();
  }

  async function open(firstUnread: string | null, posts: PostRow[] = all): Promise<FakeBridge> {
    const bridge = stillBridge(cast.snapshot({ posts, firstUnread, atStart: true }));
    const store = new Store();
    render(App, { bridge, store });
    await store.connect(bridge);
    await tick();
    return bridge;
  }

  it("draws a screen when a channel opens, the rest around it later, and few of ten thousand anywhere", async () => {
    const bridge = await open(null);
    const atOnce = shown().length;
    expect(feed().getAttribute("aria-live"), "older ones are about to be drawn").toBe("off");
    expect(shown().at(-1)?.dataset["post"]).toBe(`m${COUNT - 1}`);
    await settle();
    let most = shown().length;
    let missing = 0;
    for (let at = 0; at <= 24; at += 1) {
      await scrollTo((height() * at) / 24);
      await frame();
      await frame();
      most = Math.max(most, shown().length);
      if (inSight().length === 0) missing += 1;
    }
    expect(missing).toBe(0);
    await scrollTo(1e9);
    await settle();
    await scrollTo(1e9);
    await settle();
    const began = performance.now();
    bridge.change({ slice: "timeline", value: { ...cast.snapshot().timeline, posts: [...all, mixed(COUNT)], atStart: true, firstUnread: null } });
    await tick();
    const ms = performance.now() - began;
    expect(shown().at(-1)?.dataset["post"]).toBe(`m${COUNT}`);
    figures.push(`${COUNT} posts: ${atOnce} drawn at once, at most ${most} while scrolling from top to bottom; a new post on screen after ${ms.toFixed(0)} ms (jsdom)`);
    expect(atOnce).toBeLessThanOrEqual(30);
    expect(most).toBeLessThanOrEqual(90);
  });

  it("opens where new begins", async () => {
    await open("m5000");
    await settle();
    expect(place("m5000")).toBeGreaterThan(0);
    expect(place("m5000")).toBeLessThan(HIGH / 2);
    expect(document.querySelector("[data-new]")).not.toBeNull();
  });

  it("leaves what is read where it is, whatever height the lines above turn out to have", async () => {
    await open(null);
    await settle();
    await scrollTo(feed().scrollTop - 30_000);
    await settle();
    let jumps = 0;
    for (let step = 0; step < 40; step += 1) {
      const seen = inSight()[2]?.dataset["post"] ?? "";
      const before = place(seen);
      const top = feed().scrollTop;
      await scrollTo(top - 60);
      // Some of the lines above were drawn for the first time in this frame.
      jumps = Math.max(jumps, Math.abs(place(seen) - before - 60));
    }
    expect(jumps).toBeLessThan(1);
  });

  it("leaves what is read where it is when older ones come, and when one above goes", async () => {
    const later = all.slice(4_000);
    const bridge = await open(null, later);
    await settle();
    await scrollTo(3_000);
    await settle();
    const seen = inSight()[2]?.dataset["post"] ?? "";
    const before = place(seen);
    const tell = (posts: PostRow[]) => bridge.change({ slice: "timeline", value: { ...cast.snapshot().timeline, posts, atStart: true, firstUnread: null } });
    tell(all.slice(3_800));
    await frame();
    expect(Math.abs(place(seen) - before)).toBeLessThan(1);
    tell(all.slice(3_800).toSpliced(205, 1));
    await frame();
    expect(Math.abs(place(seen) - before)).toBeLessThan(1);
  });

  it("follows the newest from the end only", async () => {
    const bridge = await open(null);
    await settle();
    const tell = (posts: PostRow[]) => bridge.change({ slice: "timeline", value: { ...cast.snapshot().timeline, posts, atStart: true, firstUnread: null } });
    // Lines around what is seen were no news; this one is.
    expect(feed().getAttribute("aria-live")).toBe("polite");
    tell([...all, mixed(COUNT)]);
    await tick();
    expect(feed().getAttribute("aria-live")).toBe("polite");
    await frame();
    expect(height() - feed().scrollTop).toBe(HIGH);
    // Ten pixels up is up: nothing pulls the reader back.
    await scrollTo(feed().scrollTop - 10);
    await settle();
    expect(height() - feed().scrollTop - HIGH).toBeCloseTo(10, 0);
    await scrollTo(feed().scrollTop - 500);
    await settle();
    const seen = inSight()[0]?.dataset["post"] ?? "";
    const before = place(seen);
    tell([...all, mixed(COUNT), mixed(COUNT + 1)]);
    await settle();
    expect(Math.abs(place(seen) - before)).toBeLessThan(1);
  });

  it("keeps the line with the focus, however far the reader goes", async () => {
    await open(null);
    await settle();
    const row = inSight()[1]!;
    row.focus();
    expect(document.activeElement).toBe(row);
    await scrollTo(100_000);
    await settle();
    expect(inSight().length).toBeGreaterThan(3);
    expect(document.activeElement).toBe(row);
    expect(shown().length).toBeLessThan(90);
    await scrollTo(1e9);
    await settle();
    expect(document.activeElement).toBe(row);
  });
});
