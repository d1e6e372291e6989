import { flushSync, tick, untrack } from "svelte";
import type { Attachment } from "svelte/attachments";

import { Heights, type Tall } from "./heights";

/** Near enough to the end to count as being there, pixels. */
const NEAR = 48;
/** How close to the beginning older posts are asked for, pixels: some screens, so that whoever reads on need not wait. */
const EARLY = 2_000;
/**
 * At most one question in this time, milliseconds, until something came: a page that fails is asked for again, but not
 * in a storm. Whoever reads on and on waits for the network only.
 */
const PATIENCE = 1_500;
/** How far beyond what is seen lines are drawn ahead, and how much farther they may stay, pixels. */
const AHEAD = 900;
const LINGER = 700;
/** With as much drawn ahead nothing hurries, pixels. */
const EASE = 300;
/**
 * Lines drawn ahead in a frame while nothing hurries, else, and lines drawn in a frame at all. A line takes some milliseconds
 * with its layout where the processor draws; a frame has sixteen. Who turns the wheel meets lines
 * at this pace; who drags the bar sees them come in over a few frames.
 */
const EASY = 1;
const CALM = 2;
const HURRY = 7;
/** Lines taken away in a frame. */
const AWAY = 2;
/** After so long without scrolling the wheel has come to rest, milliseconds. */
const REST = 160;
/** Lines drawn where nothing can be measured, which is in tests: the newest, and the unread ones. */
const BLIND = 70;
const MOST_BLIND = 200;
/** Lines that stay because somebody marks text across them. */
const MARKED = 300;

/** The room of lines that are not drawn, pixels. */
export interface Gap {
  type: "gap";
  key: string;
  height: number;
}

/** Lines `from` ≤ n < `to`. */
interface Range {
  from: number;
  to: number;
}

/**
 * Which lines of a long list are drawn, and that the reader's place stays. Only what is seen and a little around it has
 * elements. WebKit has no scroll anchoring, so it is done here: whatever changes above the line at the top of the view, that
 * line stays where it is. At the end it follows.
 *
 * A line that is drawn for the first time is a little higher or lower than was thought. Above the reader that is taken from
 * the empty room before it: the lines stay where they are, and the wheel, which a change of `scrollTop` would stop on some
 * systems, turns on. What was taken so is given back when it rests.
 */
export class View<T extends Tall & { type: string }> {
  /** The newest is in view. */
  atEnd = $state(true);
  /** Older lines are being drawn around what is seen: they are no news, and nobody should be told of them. */
  #drawing = $state(false);

  readonly #heights = new Heights();
  #lines: readonly T[] = [];
  #range = $state.raw<Range>({ from: 0, to: 0 });
  /** Changes with the lines, and with the room before those that are drawn. */
  #version = $state(0);
  /** How much smaller than thought the room before the drawn lines is, pixels. */
  #owed = 0;
  #element: HTMLElement | undefined;
  #inner: HTMLElement | undefined;
  readonly #keys = new WeakMap<Element, string>();
  #watch: ResizeObserver | undefined;
  /** Height of what scrolls; 0 where nothing can be measured. */
  #seen = 0;
  #y = 0;
  /** It stands at the very end, and stays there. */
  #stuck = true;
  #frame = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #asked = -Infinity;
  #arrived = false;

  /** `older` is called when the beginning comes near. */
  constructor(readonly older: () => void) {}

  /** What is added now is new: a reader may say it. */
  get live(): boolean {
    return this.atEnd && !this.#drawing;
  }

  /** What to draw. */
  readonly pieces: readonly (T | Gap)[] = $derived.by(() => {
    void this.#version;
    const { from, to } = this.#range;
    const out: (T | Gap)[] = [];
    const gap = (key: string, begin: number, end: number, less = 0) => {
      // No post has such a key.
      if (end > begin) out.push({ type: "gap", key: `\0${key}`, height: Math.max(0, this.#heights.top(end) - this.#heights.top(begin) - less) });
    };
    // The lines themselves: what has not changed is the same object, and nothing in it is looked at again.
    const draw = (begin: number, end: number) => void out.push(...this.#lines.slice(begin, end));
    // A line with the focus stays, wherever the reader goes: what is written in it would be lost. So does what plays. The names of the gaps are
    // such that its element is never moved, which would take the focus.
    const held = this.#held(from, to);
    if (held !== undefined && held < from) {
      gap("first", 0, held);
      draw(held, held + 1);
      gap("second", held + 1, from, this.#owed);
    } else gap("first", 0, from, this.#owed);
    draw(from, to);
    if (held !== undefined && held >= to) {
      gap("third", to, held);
      draw(held, held + 1);
      gap("last", held + 1, this.#lines.length);
    } else gap("last", to, this.#lines.length);
    return out;
  });

  /** Takes the lines, before they are drawn, whenever they change. `fresh`: the line where new begins, for the arrival. */
  take(lines: readonly T[], fresh: string | undefined): void {
    if (lines === this.#lines) return;
    untrack(() => {
      const old = this.#range;
      const before = this.#lines;
      const grown = lines.length - before.length;
      // What the view begins with, as candidates: the first of them that is still there keeps its place.
      const places = this.#arrived && !this.#stuck ? this.#places() : [];
      const wasLast = old.to >= before.length;
      this.#lines = lines;
      this.#heights.take(lines);
      if (!this.#arrived) {
        if (lines.length > 0) this.#arrive(fresh);
        return;
      }
      const find = (at: number, step: 1 | -1): number => {
        for (; at >= old.from && at < old.to; at += step) {
          const key = before[at]?.key;
          const here = key === undefined ? -1 : this.#heights.find(key, at + grown);
          if (here >= 0) return here;
        }
        return -1;
      };
      const blind = this.#seen === 0 && old.from === 0;
      const from = blind ? 0 : find(old.from, 1);
      const last = find(old.to - 1, -1);
      if (from >= 0 && last >= from) this.#range = { from, to: wasLast && this.atEnd ? lines.length : last + 1 };
      else this.#range = { from: Math.max(0, lines.length - BLIND), to: lines.length };
      this.#version += 1;
      void tick().then(() => this.#settle(places));
    });
  }

  /** The element that scrolls. */
  readonly attach: Attachment<HTMLElement> = (element) => {
    this.#element = element;
    this.#seen = element.clientHeight;
    const scrolled = () => {
      clearTimeout(this.#rest);
      this.#rest = setTimeout(() => this.#repay(), REST);
      this.#look();
    };
    this.#watch = new ResizeObserver((entries) => this.#measured(entries));
    this.#watch.observe(element);
    element.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#rest);
      this.#frame = 0;
      this.#watch?.disconnect();
      this.#element = undefined;
      element.removeEventListener("scroll", scrolled);
    };
  };

  /** The element with the lines in it. */
  readonly attachInner: Attachment<HTMLElement> = (element) => {
    this.#inner = element;
    return () => (this.#inner = undefined);
  };

  /** A line. Its height is told by the browser after the layout and before it is painted: nobody has to ask. */
  attachLine(key: string): Attachment<HTMLElement> {
    return (element) => {
      this.#keys.set(element, key);
      this.#watch?.observe(element);
      return () => this.#watch?.unobserve(element);
    };
  }

  /** To the newest. */
  toEnd(): void {
    const count = this.#lines.length;
    if (this.#range.to < count) this.#range = { from: Math.max(0, this.#heights.at(this.#heights.total - this.#height())), to: count };
    this.atEnd = this.#stuck = true;
    void tick().then(() => this.#bottom());
  }

  /** Scrolls on, and draws what is there at once, so that it can have the focus. */
  step(direction: 1 | -1): void {
    const element = this.#element;
    if (!element) return;
    element.scrollTop += direction * Math.max(120, this.#height() / 2);
    this.#look();
    if (this.#seen > 0) flushSync(() => void this.#draw());
  }

  #arrive(fresh: string | undefined): void {
    this.#arrived = true;
    const count = this.#lines.length;
    const begin = fresh === undefined ? -1 : this.#heights.find(fresh, -1);
    // Before the first layout: the window is as high as it can be. Nothing is where nothing can be measured.
    const high = this.#seen || document.documentElement.clientHeight;
    this.#version += 1;
    if (high === 0) {
      const from = Math.max(0, begin < 0 ? count - BLIND : Math.min(count - BLIND, begin - 5));
      this.#range = { from, to: Math.min(count, from + MOST_BLIND) };
      return;
    }
    const last = this.#heights.at(Math.max(0, this.#heights.total - high));
    const unread = begin >= 0 && begin <= last;
    const from = unread ? this.#heights.at(Math.max(0, this.#heights.top(begin) - 100)) : last;
    // The screen and no more: what is around it comes in the frames after.
    this.#range = { from, to: unread ? Math.min(count, this.#heights.at(this.#heights.top(from) + high) + 1) : count };
    this.atEnd = this.#stuck = !unread;
    this.#drawing = true;
    void tick().then(() => {
      const element = this.#element;
      if (!element) return;
      if (unread) element.scrollTop = this.#heights.top(begin) - 60;
      else this.#bottom();
      this.#look();
    });
  }

  #height(): number {
    return this.#seen || 800;
  }

  /** Where the view begins among the lines. */
  #top(): number {
    return (this.#element?.scrollTop ?? 0) + this.#owed;
  }

  /** The lines at the top of the view, and how far each lies above it. */
  #places(): { key: string; over: number }[] {
    const y = this.#top();
    const first = this.#heights.at(y);
    return Array.from({ length: 12 }, (_, n) => first + n).flatMap((at) => {
      const key = this.#heights.key(at);
      return key === undefined ? [] : [{ key, over: y - this.#heights.top(at) }];
    });
  }

  /** After a change: the line at the top of the view stands where it stood. */
  #settle(places: readonly { key: string; over: number }[]): void {
    if (!this.#element) return;
    this.#asked = -Infinity;
    if (this.atEnd) this.#bottom();
    else {
      for (const { key, over } of places) {
        const at = this.#heights.find(key, this.#range.from);
        if (at < 0) continue;
        this.#go(this.#heights.top(at) + over);
        break;
      }
    }
    this.#look();
  }

  /** Puts the top of the view there, and makes every gap what it should be. */
  #go(y: number): void {
    if (this.#owed !== 0) {
      this.#owed = 0;
      flushSync(() => (this.#version += 1));
    }
    const element = this.#element;
    if (element && Math.abs(element.scrollTop - y) > 0.5) element.scrollTop = y;
    if (element) this.#y = element.scrollTop;
  }

  /** Gives back what was taken from the room before the lines. */
  #repay(): void {
    if (this.#owed !== 0) this.#go(this.#top());
  }

  #bottom(): void {
    const element = this.#element;
    if (!element) return;
    element.scrollTop = element.scrollHeight;
    this.#y = element.scrollTop;
    this.#stuck = true;
  }

  #measured(entries: readonly ResizeObserverEntry[]): void {
    const element = this.#element;
    if (!element) return;
    const top = this.#heights.at(this.#top());
    let above = 0;
    let hint = this.#range.from;
    for (const entry of entries) {
      if (entry.target === element) {
        this.#seen = element.clientHeight;
        continue;
      }
      const key = this.#keys.get(entry.target);
      if (key === undefined || !entry.target.isConnected) continue;
      const at = this.#heights.find(key, hint);
      if (at < 0) continue;
      hint = at + 1;
      const grown = this.#heights.measure(at, entry.borderBoxSize?.[0]?.blockSize ?? entry.contentRect.height);
      if (at < top) above += grown;
    }
    if (this.#stuck && this.#arrived) this.#bottom();
    else if (above !== 0) {
      this.#owed += above;
      const { from } = this.#range;
      // There is room to take it from, or the view has to move.
      if (from > 0 && this.#heights.top(from) > this.#owed) flushSync(() => (this.#version += 1));
      else this.#go(this.#top());
    }
    this.#look();
  }

  /** What should be drawn if the view begins there. */
  #wanted(y: number, ahead: number): Range {
    const to = this.#heights.at(y + this.#height() + ahead) + 1;
    return { from: this.#heights.at(Math.max(0, y - ahead)), to: Math.min(this.#lines.length, to) };
  }

  #look(): void {
    const element = this.#element;
    if (!element || !this.#arrived) return;
    const y = element.scrollTop;
    const left = element.scrollHeight - y - element.clientHeight;
    if (left < 4) this.#stuck = true;
    else if (y < this.#y - 1) this.#stuck = false;
    this.#y = y;
    this.atEnd = this.#stuck || left < NEAR;
    this.#later();
    if (y < EARLY && performance.now() - this.#asked > PATIENCE) {
      this.#asked = performance.now();
      this.older();
    }
  }

  /** Draws what is missing, in this frame's measure, and goes on in the next. */
  #later(): void {
    if (this.#frame || this.#seen === 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const more = this.#draw();
      if (more) this.#later();
      else this.#drawing = false;
    });
  }

  /** One frame's worth. False if everything is as it should be. */
  #draw(): boolean {
    const y = this.#top();
    const seen = this.#wanted(y, 0);
    const wanted = this.#wanted(y, AHEAD);
    const keep = this.#wanted(y, AHEAD + LINGER);
    let { from, to } = this.#range;
    // Somewhere else altogether: begin anew at the top of the view.
    if (to <= seen.from || from >= seen.to) from = to = seen.from;
    let left = HURRY;
    while (left > 0 && to < seen.to) (to += 1), (left -= 1);
    while (left > 0 && from > seen.from) (from -= 1), (left -= 1);
    const near = this.#wanted(y, EASE);
    left = Math.min(left, to >= near.to && from <= near.from ? EASY : CALM);
    while (left > 0 && (to < wanted.to || from > wanted.from)) {
      if (to < wanted.to) (to += 1), (left -= 1);
      if (left > 0 && from > wanted.from) (from -= 1), (left -= 1);
    }
    if (!this.#marking() || to - from > MARKED) {
      from = Math.max(from, Math.min(keep.from, from + AWAY));
      to = Math.min(to, Math.max(keep.to, to - AWAY));
    }
    if (from < this.#range.from || to > this.#range.to) this.#drawing = true;
    if (from !== this.#range.from || to !== this.#range.to) this.#range = { from, to };
    return from > wanted.from || to < wanted.to || from < keep.from || to > keep.to;
  }

  /** The line with the focus, else one in which something plays, if it lies outside of a range. */
  #held(from: number, to: number): number | undefined {
    const focus = document.activeElement;
    const line = (focus && this.#inner?.contains(focus) ? focus : this.#inner?.querySelector("[data-plays]"))?.closest("[data-line]");
    const key = line && this.#keys.get(line);
    const at = key ? this.#heights.find(key, from) : -1;
    return at >= 0 && (at < from || at >= to) ? at : undefined;
  }

  /** Somebody marks text in it. */
  #marking(): boolean {
    const marked = document.getSelection();
    return marked?.isCollapsed === false && (this.#inner?.contains(marked.anchorNode) ?? false);
  }
}
