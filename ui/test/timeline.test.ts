/**
 * A channel with ten thousand posts of all kinds: what its lines cost, what one more costs, and that the page holds few
 * of them wherever the reader is. Figures are printed; the bounds are wide, since build machines are shared.
 */
import { cleanup, render } from "@testing-library/svelte";
import { tick } from "svelte";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import App from "../src/App.svelte";
import type { PostRow } from "../src/bindings";
import { stillBridge, type FakeBridge } from "../src/fake";
import * as cast from "../src/fake/cast";
import { CHUNK, chunks, Lines, rows } from "../src/lib/rows";
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
    const whole = median(() => chunks(rows(all, null), 0));
    const kept = new Lines();
    const before = kept.groups(kept.rows(all, null), 0);
    let posts: PostRow[] = all;
    const one = median((n) => {
      posts = [...posts, mixed(COUNT + n)];
      kept.groups(kept.rows(posts, null), 0);
    });
    const after = kept.groups(kept.rows(posts, null), 0);
    expect(after.filter((group, at) => group === before[at]).length).toBe(before.length);
    expect(kept.rows(posts, null)).toEqual(rows(posts, null));
    figures.push(`${COUNT} posts: lines and groups ${whole.toFixed(1)} ms, one more post ${one.toFixed(2)} ms, ${before.length} groups stay the same objects`);
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

/** An observer that a test tells what is in view; jsdom has no layout. */
class Watcher {
  static all = new Set<Watcher>();
  target: Element | undefined;
  constructor(readonly tell: (entries: IntersectionObserverEntry[]) => void) {}
  observe(element: Element) {
    this.target = element;
    Watcher.all.add(this);
  }
  unobserve() {}
  disconnect() {
    Watcher.all.delete(this);
  }
}

describe("the page", () => {
  const shown = () => document.querySelectorAll('[data-testid="post-row"]').length;
  beforeAll(() => void Object.assign(globalThis, { IntersectionObserver: Watcher }));
  afterEach(cleanup);

  async function open(firstUnread: string | null): Promise<FakeBridge> {
    const bridge = stillBridge(cast.snapshot({ posts: all, firstUnread, atStart: true }));
    const store = new Store();
    render(App, { bridge, store });
    await store.connect(bridge);
    await tick();
    return bridge;
  }

  /** Brings some groups near and puts the others far, as the observer would. */
  async function look(from: number, until: number): Promise<void> {
    const inner = document.querySelector(".feed .inner");
    const groups = [...(inner?.children ?? [])].filter((one) => [...Watcher.all].some((watcher) => watcher.target === one));
    const places = new Map(groups.map((element, at) => [element as Element, at]));
    for (const watcher of Watcher.all) {
      const at = watcher.target && places.get(watcher.target);
      if (at === undefined) continue;
      const entry = { isIntersecting: at >= from && at < until, boundingClientRect: { height: 900 } };
      watcher.tell([entry as IntersectionObserverEntry]);
    }
    await tick();
    await tick();
  }

  it("draws few of ten thousand unread posts, from the first to the last", async () => {
    const bridge = await open("m0");
    let most = shown();
    const atOnce = most;
    for (let at = 0; at < COUNT / CHUNK; at += 155) {
      await look(at, at + 6);
      most = Math.max(most, shown());
      expect(document.querySelector(`[data-post="m${at * CHUNK}"]`)).not.toBeNull();
    }
    const began = performance.now();
    bridge.change({ slice: "timeline", value: { ...cast.snapshot().timeline, posts: [...all, mixed(COUNT)], atStart: true, firstUnread: "m0" } });
    await tick();
    const ms = performance.now() - began;
    figures.push(`${COUNT} unread posts: ${atOnce} drawn at once, at most ${most} while scrolling from top to bottom; a new post on screen after ${ms.toFixed(0)} ms (jsdom)`);
    expect(atOnce).toBeLessThanOrEqual(200);
    expect(most).toBeLessThanOrEqual(320);
    expect(document.querySelectorAll("[data-away]").length).toBeGreaterThan(400);
  });
});
