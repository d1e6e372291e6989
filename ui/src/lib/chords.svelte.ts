/** Keys that the person has put in place of ours. Whatever shows or hears a key asks here. */
class Chords {
  /** Ours, and theirs in its place. */
  changed = $state.raw<{ readonly [ours in string]?: string }>({});

  /** What a chord that was pressed means in our words; nothing if the person has taken it away from us. */
  meant(pressed: string): string {
    for (const [ours, theirs] of Object.entries(this.changed)) if (theirs === pressed) return ours;
    return this.changed[pressed] === undefined ? pressed : "";
  }

  /** The chord to press for one of ours. */
  of(ours: string): string {
    return this.changed[ours] ?? ours;
  }
}

export const chords = new Chords();
