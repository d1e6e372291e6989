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

afterEach(() => {
  document.documentElement.removeAttribute("dir");
});

// jsdom has no media queries: nothing matches.
window.matchMedia ??= (query) =>
  ({ matches: false, media: query, addEventListener() {}, removeEventListener() {} }) as unknown as MediaQueryList;
