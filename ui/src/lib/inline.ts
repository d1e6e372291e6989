import { emoji } from "./emoji";

/** What a line of a message consists of. */
export type Inline =
  | { type: "text"; text: string }
  | { type: "strong" | "em" | "del"; children: Inline[] }
  | { type: "code"; text: string }
  | { type: "link"; href: string; children: Inline[] }
  | { type: "mention"; name: string }
  | { type: "emoji"; name: string; text: string }
  /** A code that is no standard emoji: the server may have one of that name. */
  | { type: "custom"; name: string }
  | { type: "break" };

type Mark = "*" | "_" | "~";
type Run = { mark: Mark; count: number; opens: boolean; closes: boolean };
type Part = { node: Inline } | { run: Run };

/** Deepest emphasis in emphasis; deeper marks stay as they are. */
const DEPTH = 12;
/** Most marks in a row that mean something; a line of stars is a line of stars. */
const LONGEST_RUN = 3;
/** Longest address of a written link. */
const ADDRESS = 2_048;

const PUNCTUATION = /[\p{P}\p{S}]/u;
const BARE = /(?:https?:\/\/|www\.)[^\s<>"`]+/iy;
const ANGLE = /<((?:https?:\/\/|mailto:)[^\s<>"]+)>/iy;
const MENTION = /@[a-z0-9](?:[a-z0-9._-]*[a-z0-9_])?/iy;
const EMOJI = /:([a-z0-9_+-]{1,64}):/iy;
const PLAIN = /[^\\`*_~[\]!<@:hHwW\n]+/y;

/**
 * The inside of a paragraph, where every line break counts. Nothing if it has more than `most` pieces that are no text: then
 * reading ends where that is known, and not at the end of the text.
 */
export function parseInline(text: string, most: number): Inline[] | undefined {
  return new Scanner(text).run(most);
}

/** The address if opening it is harmless, else nothing: no scripts, no files, no programs. */
export function safeAddress(text: string): string | undefined {
  const address = /^www\./i.test(text) ? `http://${text}` : text;
  if (!/^(?:https?:\/\/|mailto:)\S+$/i.test(address)) return undefined;
  try {
    return new URL(address).href;
  } catch {
    return undefined;
  }
}

class Scanner {
  #at = 0;
  readonly #parts: Part[] = [];
  /** Places in `#parts` of `[` that may yet become links. */
  #brackets: number[] = [];
  /** Where runs of back-ticks begin, by their length, the last first: each is met once. */
  #ticks: Map<number, number[]> | undefined;
  /** Up to here no address begins: one that is none is not read again from within. */
  #none = 0;
  /** What will be more than text; two marks make one piece. */
  #pieces = 0;

  constructor(readonly text: string) {}

  run(most: number): Inline[] | undefined {
    while (this.#at < this.text.length) {
      if (this.#pieces > most) return undefined;
      this.#step();
    }
    return emphasise(this.#parts);
  }

  #step(): void {
    const letter = this.text[this.#at] ?? "";
    switch (letter) {
      case "\n":
        this.#node({ type: "break" }, 1);
        return;
      case "\\":
        this.#escape();
        return;
      case "`":
        this.#code();
        return;
      case "*":
      case "_":
      case "~":
        this.#marks(letter);
        return;
      case "!":
        // A picture is shown as a link: nothing is fetched from elsewhere.
        if (this.text[this.#at + 1] === "[") this.#at += 1;
        else this.#say(1);
        return;
      case "[":
        this.#brackets.push(this.#parts.length);
        this.#say(1);
        return;
      case "]":
        this.#link();
        return;
      case "<":
        this.#address(ANGLE, 1);
        return;
      case "@":
        this.#mention();
        return;
      case ":":
        this.#emoji();
        return;
      case "h":
      case "H":
      case "w":
      case "W":
        this.#address(BARE, 0);
        return;
      default: {
        this.#say(this.#match(PLAIN)?.[0].length ?? 1);
      }
    }
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.text);
  }

  #node(node: Inline, length: number): void {
    this.#parts.push({ node });
    if (node.type !== "text") this.#pieces += 1;
    this.#at += length;
  }

  #say(length: number): void {
    this.#node({ type: "text", text: this.text.slice(this.#at, this.#at + length) }, length);
  }

  #afterWord(): boolean {
    return this.#at > 0 && /[\p{L}\p{N}_]/u.test(this.text[this.#at - 1] ?? "");
  }

  #escape(): void {
    const next = this.text[this.#at + 1] ?? "";
    if (/[!-/:-@[-`{-~]/.test(next)) this.#node({ type: "text", text: next }, 2);
    else this.#say(1);
  }

  #code(): void {
    let length = 1;
    while (this.text[this.#at + length] === "`") length += 1;
    const same = (this.#ticks ??= ticks(this.text)).get(length) ?? [];
    while ((same[same.length - 1] ?? Infinity) <= this.#at) same.pop();
    const close = same[same.length - 1];
    if (close !== undefined) {
      const inner = this.text.slice(this.#at + length, close).replace(/\n/g, " ");
      const padded = inner.length > 2 && inner.startsWith(" ") && inner.endsWith(" ") && inner.trim() !== "";
      this.#node({ type: "code", text: padded ? inner.slice(1, -1) : inner }, close + length - this.#at);
      return;
    }
    this.#say(length);
  }

  #marks(mark: Mark): void {
    let count = 1;
    while (this.text[this.#at + count] === mark) count += 1;
    if (count > LONGEST_RUN) {
      this.#say(count);
      return;
    }
    const before = this.text[this.#at - 1] ?? " ";
    const after = this.text[this.#at + count] ?? " ";
    const space = (letter: string) => /\s/.test(letter);
    const point = (letter: string) => PUNCTUATION.test(letter);
    const left = !space(after) && (!point(after) || space(before) || point(before));
    const right = !space(before) && (!point(before) || space(after) || point(after));
    // Only `_` keeps out of words (CommonMark 0.31 §6.2), so that snake_case stays as it is.
    const opens = left && (mark !== "_" || !right || point(before));
    const closes = right && (mark !== "_" || !left || point(after));
    this.#parts.push({ run: { mark, count, opens, closes } });
    this.#pieces += 0.5;
    this.#at += count;
  }

  #link(): void {
    const open = this.#brackets.pop();
    const target = open === undefined ? undefined : destination(this.text, this.#at + 1);
    const href = target && safeAddress(target.address);
    if (open === undefined || !target || !href) {
      this.#say(1);
      return;
    }
    const inside = this.#parts.splice(open).slice(1);
    // No link in a link: an address that is its own label is only a label.
    const children = emphasise(inside.flatMap(unlinked));
    this.#node({ type: "link", href, children: children.length > 0 ? children : [{ type: "text", text: href }] }, 0);
    this.#at = target.end;
    this.#brackets = [];
  }

  #address(pattern: RegExp, wrap: number): void {
    const found = this.#at < this.#none || this.#afterWord() ? null : this.#match(pattern);
    const raw = found && found[0].length <= ADDRESS ? (wrap ? (found[1] ?? "") : trimmed(found[0])) : "";
    const href = raw ? safeAddress(raw) : undefined;
    if (!href) {
      if (found) this.#none = this.#at + found[0].length;
      this.#say(1);
      return;
    }
    this.#node({ type: "link", href, children: [{ type: "text", text: raw }] }, raw.length + 2 * wrap);
  }

  #mention(): void {
    const found = this.#afterWord() ? null : this.#match(MENTION);
    if (found) this.#node({ type: "mention", name: found[0].slice(1) }, found[0].length);
    else this.#say(1);
  }

  #emoji(): void {
    const found = this.#match(EMOJI);
    const text = found ? emoji(found[1] ?? "") : undefined;
    if (found && text) this.#node({ type: "emoji", name: found[1] ?? "", text }, found[0].length);
    // Times are no emoji: `10:30:45`.
    else if (found && /[a-z]/i.test(found[1] ?? "") && !this.#afterWord()) this.#node({ type: "custom", name: found[1] ?? "" }, found[0].length);
    else this.#say(1);
  }
}

function unlinked(part: Part): Part[] {
  return "node" in part && part.node.type === "link" ? part.node.children.map((node) => ({ node })) : [part];
}

/** Where runs of back-ticks of each length begin, the last first. */
function ticks(text: string): Map<number, number[]> {
  const runs = new Map<number, number[]>();
  for (const run of text.matchAll(/`+/g)) {
    const same = runs.get(run[0].length);
    if (same) same.push(run.index);
    else runs.set(run[0].length, [run.index]);
  }
  for (const same of runs.values()) same.reverse();
  return runs;
}

const TITLE = /"[^"]*"/y;

/** `(address "title")` behind a `]`. Read once from left to right: a pattern would try every way to share out spaces. */
function destination(text: string, from: number): { address: string; end: number } | undefined {
  if (text[from] !== "(") return undefined;
  const most = Math.min(text.length, from + ADDRESS);
  let at = from + 1;
  const room = () => {
    while (at < most && /\s/.test(text[at] ?? "")) at += 1;
  };
  room();
  const angle = text[at] === "<";
  if (angle) at += 1;
  const begin = at;
  let open = 0;
  for (; at < most; at += 1) {
    const letter = text[at] ?? "";
    if (/[\s<>]/.test(letter) || (letter === ")" && open === 0) || (letter === "(" && open === 1)) break;
    if (letter === "(") open += 1;
    else if (letter === ")") open -= 1;
  }
  const address = text.slice(begin, at);
  if (text[at] === ">") at += 1;
  const end = at;
  room();
  TITLE.lastIndex = at;
  const title = at > end && text[at] === '"' ? TITLE.exec(text) : null;
  if (title) at += title[0].length;
  room();
  return open === 0 && at < most && text[at] === ")" ? { address, end: at + 1 } : undefined;
}

/** A bare address without the punctuation of the sentence around it. */
function trimmed(raw: string): string {
  let end = raw.length;
  let balance = 0;
  for (const letter of raw) balance += letter === "(" ? 1 : letter === ")" ? -1 : 0;
  while (end > 0) {
    const last = raw[end - 1] ?? "";
    if (last === ")" && balance < 0) balance += 1;
    else if (!/[.,:;!?'"*_~\]]/.test(last)) break;
    end -= 1;
  }
  return raw.slice(0, end);
}

/** Pairs the marks. A stack of open ones; closing one flattens what was left open inside, so each is met once. */
function emphasise(parts: readonly Part[]): Inline[] {
  type Frame = { run: Run | undefined; children: Inline[] };
  const stack: Frame[] = [{ run: undefined, children: [] }];
  const open: Record<Mark, number> = { "*": 0, _: 0, "~": 0 };
  const top = () => stack[stack.length - 1] ?? { run: undefined, children: [] };
  const flatten = () => {
    const frame = stack.pop();
    if (!frame?.run) return;
    open[frame.run.mark] -= 1;
    text(top().children, frame.run.mark.repeat(frame.run.count));
    for (const child of frame.children) append(top().children, child);
  };

  for (const part of parts) {
    if ("node" in part) {
      append(top().children, part.node);
      continue;
    }
    const { mark, opens, closes } = part.run;
    let { count } = part.run;
    while (closes && count > 0 && open[mark] > 0) {
      while (top().run?.mark !== mark) flatten();
      const frame = top();
      const opener = frame.run;
      if (!opener) break;
      const use = Math.min(2, opener.count, count);
      if (mark === "~" && use < 2) break;
      const type = mark === "~" ? "del" : use === 2 ? "strong" : "em";
      const node: Inline = { type, children: frame.children };
      count -= use;
      if (opener.count > use) {
        frame.run = { ...opener, count: opener.count - use };
        frame.children = [node];
      } else {
        stack.pop();
        open[mark] -= 1;
        append(top().children, node);
      }
    }
    if (count === 0) continue;
    if (opens && stack.length <= DEPTH) {
      stack.push({ run: { ...part.run, count }, children: [] });
      open[mark] += 1;
    } else text(top().children, mark.repeat(count));
  }
  while (stack.length > 1) flatten();
  return top().children;
}

function text(into: Inline[], more: string): void {
  append(into, { type: "text", text: more });
}

/** Adds a node; text grows the text before it. */
function append(into: Inline[], node: Inline): void {
  const last = into[into.length - 1];
  if (node.type === "text" && last?.type === "text") into[into.length - 1] = { type: "text", text: last.text + node.text };
  else into.push(node);
}
