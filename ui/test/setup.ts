import { afterEach } from "vitest";

import { useLocale } from "../src/lib/format";

useLocale("en-GB");

// jsdom has no layout, so it has nothing to observe either.
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};

// axe draws letters to tell icons from words; jsdom cannot draw.
HTMLCanvasElement.prototype.getContext = () => null;

// jsdom has the element, but not its methods.
HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
  this.open = false;
};

// jsdom plays nothing. Here what is told to play says that it does, and stops when it is told to, or to read something else.
const playing = new WeakSet<HTMLMediaElement>();
const media = HTMLMediaElement.prototype;
Object.defineProperty(media, "paused", {
  get(this: HTMLMediaElement) {
    return !playing.has(this);
  },
});
media.play = async function () {
  playing.add(this);
  this.dispatchEvent(new Event("play"));
};
media.pause = function () {
  if (playing.delete(this)) this.dispatchEvent(new Event("pause"));
};
media.load = function () {
  playing.delete(this);
};

afterEach(() => {
  document.documentElement.removeAttribute("dir");
});

// jsdom has no media queries: nothing matches.
window.matchMedia ??= (query) =>
  ({ matches: false, media: query, addEventListener() {}, removeEventListener() {} }) as unknown as MediaQueryList;
