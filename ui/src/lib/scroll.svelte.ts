import type { Attachment } from "svelte/attachments";

/** Near enough to the end to count as being there, pixels. */
const NEAR = 48;
/** How close to the beginning older posts are asked for, pixels. */
const EARLY = 400;
/**
 * At most one question in this time, milliseconds, until something came: a page that fails is asked for again, but not
 * in a storm. Whoever reads on and on waits for the network only.
 */
const PATIENCE = 1_500;

/**
 * Keeps the reader's place in a log. WebKit has no scroll anchoring, so it is done by hand: before a change the
 * place is noted, as distance from the end; after it, restored. At the end it follows.
 */
export class Scroll {
  /** The newest is in view. */
  atEnd = $state(true);

  #element: HTMLElement | undefined;
  #fromEnd = 0;
  #height = 0;
  #asked = -Infinity;
  #arrived = false;

  /**
   * When the beginning comes near, `reveal` is called: it draws more of what is here already, and says whether
   * there was any. If not, `older` asks for more.
   */
  constructor(
    readonly reveal: () => boolean,
    readonly older: () => void,
  ) {}

  readonly attach: Attachment<HTMLElement> = (element) => {
    this.#element = element;
    const scrolled = () => this.#look();
    // Pictures, fonts and the window's size change heights too.
    const resized = new ResizeObserver(() => this.#settle());
    resized.observe(element);
    element.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      this.#element = undefined;
      resized.disconnect();
      element.removeEventListener("scroll", scrolled);
    };
  };

  /** A change is coming. */
  before(): void {
    const element = this.#element;
    if (!element) return;
    this.#height = element.scrollHeight;
    this.#fromEnd = element.scrollHeight - element.scrollTop;
  }

  /** The change is on screen. */
  after(): void {
    const element = this.#element;
    if (!element || element.scrollHeight === this.#height) return;
    this.#asked = -Infinity;
    if (this.atEnd) this.toEnd();
    // In the upper half growth was above the reader, which is what a page of older posts is.
    else if (element.scrollTop < EARLY) element.scrollTop = element.scrollHeight - this.#fromEnd;
    this.#look();
  }

  /** A channel was opened: to where new begins, else to the end. Once. */
  arrive(): void {
    const element = this.#element;
    if (this.#arrived || !element) return;
    this.#arrived = true;
    this.toEnd();
    const fresh = element.querySelector<HTMLElement>("[data-new]");
    if (fresh && fresh.offsetTop < element.scrollTop) element.scrollTop = fresh.offsetTop - 60;
    this.#look();
  }

  /** To the newest. */
  toEnd(): void {
    if (this.#element) this.#element.scrollTop = this.#element.scrollHeight;
    this.atEnd = true;
  }

  #settle(): void {
    if (this.atEnd && this.#arrived) this.toEnd();
    this.#look();
  }

  #look(): void {
    const element = this.#element;
    if (!element || !this.#arrived) return;
    this.atEnd = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    if (element.scrollTop >= EARLY) return;
    if (!this.reveal() && performance.now() - this.#asked > PATIENCE) {
      this.#asked = performance.now();
      this.older();
    }
  }
}
