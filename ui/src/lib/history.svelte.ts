import type { Quality } from "../bindings";

/** Samples kept: one comes each second. */
const KEPT = 60;

/** The quality of the last minute. It begins when somebody looks, or when the call does. */
export class History {
  samples = $state.raw<Quality[]>([]);
  #last: Quality | null = null;

  /** Takes the newest; the same object twice is the same second. */
  take(quality: Quality | null): void {
    if (!quality || quality === this.#last) return;
    this.#last = quality;
    this.samples = [...this.samples, quality].slice(-KEPT);
  }

  /** Another call begins. */
  clear(): void {
    this.#last = null;
    this.samples = [];
  }
}
