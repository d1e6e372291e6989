import { SvelteMap } from "svelte/reactivity";

/** How long after sending the empty field counts as ours, milliseconds: by then the core has told what became of it. */
const SETTLED = 1_000;

/**
 * What is typed and not sent, by channel. The core keeps drafts for good; this keeps what it does not know yet: the
 * last half second, and what was just sent. As soon as both agree, the core's word counts alone, so that a text it
 * gives back (a command that failed, a message that was too long) appears again, before whatever was typed since.
 */
export class Drafts {
  readonly #typed = new SvelteMap<string, string>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** What the core can echo: drafts it had, and drafts it was sent. Anything else comes from the core itself. */
  readonly #known = new Map<string, Set<string>>();
  readonly #sent = new Set<string>();

  /** `save` takes a draft to the core, after a pause of `delay` milliseconds. */
  constructor(
    readonly save: (channel: string, text: string) => void,
    readonly delay = 400,
  ) {}

  /** What the composer shows; `kept` is the core's draft. */
  text(channel: string, kept: string): string {
    return this.#typed.get(channel) ?? kept;
  }

  /** Something was typed: remembered at once, saved after a pause. */
  type(channel: string, text: string, kept: string): void {
    this.#typed.set(channel, text);
    this.#sent.delete(channel);
    this.#echoes(channel).add(kept);
    clearTimeout(this.#timers.get(channel));
    this.#timers.set(channel, setTimeout(() => this.flush(channel), this.delay));
  }

  /** Saves now what waits for its pause: on the way out of a channel or a window. */
  flush(channel: string): void {
    if (!this.#timers.has(channel)) return;
    clearTimeout(this.#timers.get(channel));
    this.#timers.delete(channel);
    const text = this.#typed.get(channel) ?? "";
    this.#echoes(channel).add(text);
    this.save(channel, text);
  }

  /** Saves everything that waits. */
  flushAll(): void {
    for (const channel of [...this.#timers.keys()]) this.flush(channel);
  }

  /** It is on its way: the core forgets the draft by itself, or gives it back. */
  sent(channel: string): void {
    clearTimeout(this.#timers.get(channel));
    this.#timers.delete(channel);
    this.#known.delete(channel);
    this.#typed.set(channel, "");
    this.#sent.add(channel);
    setTimeout(() => {
      if (this.#sent.delete(channel)) this.#typed.delete(channel);
    }, SETTLED);
  }

  /** The core's draft, when the composer opens (`opening`) and whenever it changes. */
  heard(channel: string, draft: string, opening = false): void {
    const typed = this.#typed.get(channel);
    if (typed === undefined || (opening && this.#sent.has(channel))) return;
    if (draft === typed) {
      if (!this.#timers.has(channel)) this.#typed.delete(channel);
      return;
    }
    if (this.#known.get(channel)?.has(draft)) return;
    if (typed === "") {
      // Given back after it was sent, and nothing typed since.
      this.#typed.delete(channel);
      this.#sent.delete(channel);
      return;
    }
    if (draft === "") return;
    // Given back before what the core knew was typed since; here more may have been typed.
    const tail = [...this.#echoes(channel)].find((echo) => echo !== "" && draft.endsWith(`\n${echo}`));
    const given = tail === undefined ? draft : draft.slice(0, -tail.length - 1);
    this.#echoes(channel).add(draft);
    this.type(channel, `${given}\n${typed}`, draft);
  }

  #echoes(channel: string): Set<string> {
    const known = this.#known.get(channel) ?? new Set();
    this.#known.set(channel, known);
    return known;
  }
}
