/** Texts that are shown as they were written, in pieces that a browser lays out in a frame. */

/** How much of a text is shown at first: what it takes to see what it is, and a browser a few milliseconds to lay out. */
const LETTERS = 1_500;
const LINES = 20;
/** A text that is but a little longer is shown whole. */
const SLACK = 1.5;
/** Letters of a portion, of a text that is shown whole. */
const PORTION = 4_096;

/** The text, or its beginning if it is long; never half a character. */
export function beginning(text: string): string {
  const end = cut(text, LETTERS, LINES);
  return end >= text.length || cut(text, LETTERS * SLACK, LINES * SLACK) >= text.length ? text : text.slice(0, end);
}

/** The text in portions that are not too large; together they are the text but for line ends between them. */
export function portions(text: string): string[] {
  const out: string[] = [];
  for (let from = 0; from < text.length; ) {
    let end = Math.min(text.length, from + PORTION);
    const line = end < text.length ? text.lastIndexOf("\n", end) : -1;
    if (line > from) {
      out.push(text.slice(from, line));
      from = line + 1;
      continue;
    }
    end = whole(text, end);
    out.push(text.slice(from, end));
    from = end;
  }
  return out;
}

/** Where so many letters or lines end. */
function cut(text: string, letters: number, lines: number): number {
  let end = -1;
  for (let line = 0; line < lines; line += 1) {
    end = text.indexOf("\n", end + 1);
    if (end < 0 || end > letters) return whole(text, Math.min(text.length, letters));
  }
  return end;
}

/** Not between the halves of a character. */
function whole(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return at < text.length && code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
