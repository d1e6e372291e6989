/**
 * What is typed and not sent, by channel. The core keeps drafts for good; this keeps the last half second and the
 * way back to a channel before its draft has made the round trip. Typed here is newer than anything from there.
 */
export class Drafts {
  readonly #texts = new Map<string, string>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  /** `save` takes a draft to the core. */
  constructor(
    readonly save: (channel: string, text: string) => void,
    readonly delay = 400,
  ) {}

  /** What the composer shows when it opens. */
  text(channel: string, kept: string): string {
    return this.#texts.get(channel) ?? kept;
  }

  /** Something was typed: remembered at once, saved after a pause. */
  type(channel: string, text: string): void {
    this.#texts.set(channel, text);
    clearTimeout(this.#timers.get(channel));
    this.#timers.set(channel, setTimeout(() => this.flush(channel), this.delay));
  }

  /** Saves now what waits for its pause: on the way out of a channel or a window. */
  flush(channel: string): void {
    if (!this.#timers.has(channel)) return;
    clearTimeout(this.#timers.get(channel));
    this.#timers.delete(channel);
    this.save(channel, this.#texts.get(channel) ?? "");
  }

  /** It was sent, or thrown away: nothing is left. */
  clear(channel: string): void {
    clearTimeout(this.#timers.get(channel));
    this.#timers.delete(channel);
    this.#texts.set(channel, "");
    this.save(channel, "");
  }

  /** Saves everything that waits. */
  flushAll(): void {
    for (const channel of [...this.#timers.keys()]) this.flush(channel);
  }
}
