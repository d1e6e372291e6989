/**
 * Where the lines of a long list lie, without asking the browser: what was measured, and a guess for the others. Asking for
 * a place costs half a millisecond and more when something has just changed; adding numbers costs nothing.
 */
export interface Tall {
  key: string;
  /** About how high it will be, pixels. */
  guess: number;
}

/** Heights of a list's lines, as sums. */
export class Heights {
  #lines: readonly Tall[] = [];
  /** `#tops[n]` is where line `n` begins, pixels; the last is the height of all. */
  #tops = new Float64Array(1);
  #count = 0;
  /** Measured heights by key. What was measured once is known when it comes back. */
  readonly #measured = new Map<string, number>();

  /** How many lines there are. */
  get count(): number {
    return this.#count;
  }

  /** How high all are, pixels. */
  get total(): number {
    return this.#tops[this.#count] ?? 0;
  }

  /** Where a line begins, pixels from the first one's top. One behind the last: where that ends. */
  top(at: number): number {
    return this.#tops[Math.max(0, Math.min(at, this.#count))] ?? 0;
  }

  /** The line at this height; the first or last one if there is none. */
  at(y: number): number {
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#tops[middle] ?? 0) <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  /** Other lines. */
  take(lines: readonly Tall[]): void {
    if (lines === this.#lines) return;
    this.#lines = lines;
    this.#count = lines.length;
    if (this.#tops.length <= lines.length) this.#tops = new Float64Array(Math.ceil((lines.length + 64) * 1.3));
    let sum = 0;
    for (let at = 0; at < lines.length; at += 1) {
      const line = lines[at];
      this.#tops[at] = sum;
      if (line) sum += this.#measured.get(line.key) ?? line.guess;
    }
    this.#tops[lines.length] = sum;
  }

  /** A line is so high. Says how much higher than was thought; nothing changes if it is none of these lines. */
  measure(at: number, height: number): number {
    const line = this.#lines[at];
    if (!line) return 0;
    this.#measured.set(line.key, height);
    const grown = height - (this.top(at + 1) - this.top(at));
    if (Math.abs(grown) < 0.01) return 0;
    for (let behind = at + 1; behind <= this.#count; behind += 1) this.#tops[behind] = (this.#tops[behind] ?? 0) + grown;
    return grown;
  }

  /** Where a key stands. `near` is looked at first: lines move together. */
  find(key: string, near: number): number {
    if (this.#lines[near]?.key === key) return near;
    return this.#lines.findIndex((line) => line.key === key);
  }

  /** The key of a line. */
  key(at: number): string | undefined {
    return this.#lines[at]?.key;
  }
}
