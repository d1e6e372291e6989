/**
 * The part of Mattermost's markdown that messages live from, as a tree. Nothing here makes HTML: `Markdown.svelte`
 * draws the tree with elements, so a message can contain any text without becoming anything else.
 *
 * Input is hostile. Every step is linear in the length of the text, nesting is cut at `DEPTH`, what is drawn is cut at
 * `WEIGHT` (the rest is plain text), and only addresses with a harmless scheme become links. Inside a line see
 * `inline.ts`.
 */
import { PIECES } from "./highlight";
import { parseInline, type Inline } from "./inline";

export type { Inline };

export type Block =
  | { type: "paragraph"; children: Inline[] }
  | { type: "heading"; level: number; children: Inline[] }
  | { type: "code"; language: string; text: string }
  | { type: "quote"; children: Block[] }
  | { type: "list"; ordered: boolean; start: number; items: Item[] }
  | { type: "table"; align: Align[]; head: Inline[][]; rows: Inline[][][] }
  | { type: "rule" }
  /** What was too long or too much to be looked at, as it was written. */
  | { type: "plain"; text: string };

/** How a column of a table stands. */
export type Align = "start" | "center" | "end";

/** An entry of a list; one with a box says whether it is done. */
export interface Item {
  done: boolean | null;
  children: Block[];
}

/** Deepest quote in a quote or list in a list; deeper ones are shown as text. */
const DEPTH = 8;
/**
 * Longest text that is looked at at all, in characters: the server's own limit (`PostMessageMaxRunesV2`). What is longer
 * was not written by a person, and is shown as it is: that is decided before anything is read.
 */
const LONGEST = 16_383;
/**
 * How much of a message is drawn as markdown, in pieces that become an element or a text. The longest message that the
 * server takes has about as many if every line of it has marks; one that is made of nothing else stays below 50 ms.
 */
const WEIGHT = 1_000;
/** What the box and the button around a piece of code weigh. */
const BOX_WEIGHT = 14;
/** Columns and rows of a table; what is beyond is shown as text. */
const COLUMNS = 24;
const ROWS = 400;
/** More marks over a letter than any language has (UAX #15 §13); thousands of them keep a browser busy for minutes. */
const MARKS = /(\p{M}{30})\p{M}+/gu;
/** Trees kept, so that a message that comes back on screen is not read again: so many, of texts with so many letters. */
const KEPT = 400;
const KEPT_LETTERS = 400_000;

/** The one that was wanted last is at the end. */
const cache = new Map<string, Block[]>();
let letters = 0;

/** The tree of a message. The same text gives the same tree object, as long as it is in use. */
export function parse(text: string): Block[] {
  const known = cache.get(text);
  if (known) {
    cache.delete(text);
    cache.set(text, known);
    return known;
  }
  const tree = read(text);
  cache.set(text, tree);
  letters += text.length;
  for (const [oldest] of cache) {
    if (cache.size <= KEPT && letters <= KEPT_LETTERS) break;
    cache.delete(oldest);
    letters -= oldest.length;
  }
  return tree;
}

function read(text: string): Block[] {
  if (tooLong(text)) return [{ type: "plain", text: text.replace(MARKS, "$1") }];
  const lines = text.replace(MARKS, "$1").replace(/\r\n?/g, "\n").split("\n");
  left = WEIGHT;
  return blocks(lines, 0);
}

/** More characters than a server takes; those beyond the first plane are two letters each. */
function tooLong(text: string): boolean {
  if (text.length <= LONGEST) return false;
  if (text.length > 2 * LONGEST) return true;
  let count = 0;
  for (const _ of text) count += 1;
  return count > LONGEST;
}

/** What may still be drawn of the message that is being read. */
let left = WEIGHT;

function weight(nodes: readonly Inline[]): number {
  let sum = nodes.length;
  for (const node of nodes) if ("children" in node) sum += weight(node.children);
  return sum;
}

/** The inside of a line, or the line as it is if there is too much in it. */
function inside(text: string): Inline[] {
  const nodes = left > 0 ? parseInline(text, left) : undefined;
  const sum = nodes ? weight(nodes) : Infinity;
  if (nodes && sum <= left) {
    left -= sum + 1;
    return nodes;
  }
  left -= 2;
  return text ? [{ type: "text", text }] : [];
}

// No two neighbours in these patterns can match the same letters, so none of them looks at a line twice.
const FENCE = /^ {0,3}(`{3,64}|~{3,64})(?![`~])([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})[ \t]+(\S.*)$/;
const RULE = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:_[ \t]*){3,}|(?:\*[ \t]*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])([ \t]+|$)/;
const BOX = /^\[([ xX])\] (?=\S)/;

function blocks(lines: string[], depth: number): Block[] {
  const out: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    if (line.trim() === "") {
      at += 1;
      continue;
    }
    if (left <= 0) {
      out.push({ type: "plain", text: lines.slice(at).join("\n") });
      break;
    }
    left -= 1;
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (fence) at = code(lines, at, fence, out);
    else if (heading) {
      out.push({ type: "heading", level: heading[1]?.length ?? 1, children: inside(untailed(heading[2] ?? "")) });
      at += 1;
    } else if (RULE.test(line)) {
      out.push({ type: "rule" });
      at += 1;
    } else if (depth < DEPTH && QUOTE.test(line)) at = quote(lines, at, depth, out);
    else if (depth < DEPTH && ITEM.test(line)) at = list(lines, at, depth, out);
    else at = table(lines, at, out) ?? paragraph(lines, at, depth, out);
  }
  return out;
}

/** A row of dashes under a head, as GitHub writes tables; the columns of both must agree. Without `out` it only looks. */
function table(lines: string[], from: number, out?: Block[]): number | undefined {
  const under = lines[from + 1] ?? "";
  const head = under.includes("-") && /^[ \t|:-]+$/.test(under) ? cells(lines[from] ?? "") : undefined;
  if (!head) return undefined;
  const marks = cells(under);
  if (marks?.length !== head.length || head.length > COLUMNS || !marks.every((mark) => /^:?-+:?$/.test(mark))) return undefined;
  const align = marks.map((mark): Align => (mark.endsWith(":") ? (mark.startsWith(":") ? "center" : "end") : "start"));
  if (!out) return from;
  const heads = head.map(inside);
  const rows: Inline[][][] = [];
  let at = from + 2;
  while (at < lines.length && rows.length < ROWS && left > 0) {
    const line = lines[at] ?? "";
    const row = line.includes("|") ? cells(line) : undefined;
    if (!row) break;
    rows.push(align.map((_, column) => inside(row[column] ?? "")));
    at += 1;
  }
  out.push({ type: "table", align, head: heads, rows });
  return at;
}

/** What stands between the bars of a line; nothing if there is no bar. A bar behind a backslash or in code is text. */
function cells(line: string): string[] | undefined {
  const out: string[] = [];
  let cell = "";
  let code = false;
  let bars = 0;
  for (let at = 0; at < line.length; at += 1) {
    const letter = line[at] ?? "";
    if (letter === "\\" && line[at + 1] === "|") {
      cell += "|";
      at += 1;
    } else if (letter === "|" && !code) {
      out.push(cell.trim());
      cell = "";
      bars += 1;
    } else {
      if (letter === "`") code = !code;
      cell += letter;
    }
  }
  out.push(cell.trim());
  if (bars === 0) return undefined;
  if (out[0] === "") out.shift();
  if (out[out.length - 1] === "") out.pop();
  return out.length > 0 ? out : undefined;
}

/** A heading without the `##` that some put behind it too. */
function untailed(text: string): string {
  const whole = text.trimEnd();
  let end = whole.length;
  while (whole[end - 1] === "#") end -= 1;
  return end < whole.length && /[ \t]/.test(whole[end - 1] ?? "") ? whole.slice(0, end).trimEnd() : whole;
}

function code(lines: string[], from: number, fence: RegExpExecArray, out: Block[]): number {
  const mark = fence[1] ?? "```";
  let at = from + 1;
  const close = (line: string) => {
    const text = line.trim();
    return text.length >= mark.length && text === (mark[0] ?? "`").repeat(text.length);
  };
  const body: string[] = [];
  while (at < lines.length && !close(lines[at] ?? "")) body.push(lines[at++] ?? "");
  const text = body.join("\n");
  left -= BOX_WEIGHT + Math.min(PIECES, text.length >> 2);
  out.push({ type: "code", language: (fence[2] ?? "").trim().split(/\s/)[0] ?? "", text });
  return at + 1;
}

function quote(lines: string[], from: number, depth: number, out: Block[]): number {
  let at = from;
  const inner: string[] = [];
  while (at < lines.length && QUOTE.test(lines[at] ?? "")) inner.push((lines[at++] ?? "").replace(QUOTE, ""));
  out.push({ type: "quote", children: blocks(inner, depth + 1) });
  return at;
}

function list(lines: string[], from: number, depth: number, out: Block[]): number {
  const first = ITEM.exec(lines[from] ?? "");
  const ordered = /\d/.test(first?.[2] ?? "");
  const items: Item[] = [];
  let at = from;
  while (at < lines.length && left > 0) {
    const line = lines[at] ?? "";
    const head = ITEM.exec(line);
    if (!head || /\d/.test(head[2] ?? "") !== ordered || RULE.test(line)) break;
    // What belongs to the item is indented to its text, or at least by two.
    const text = line.slice(head[0].length);
    const box = BOX.exec(text);
    const inner = [box ? text.slice(box[0].length) : text];
    at += 1;
    while (at < lines.length) {
      const next = lines[at] ?? "";
      const indent = /^[ \t]*/.exec(next)?.[0].replace(/\t/g, "    ").length ?? 0;
      const blank = next.trim() === "";
      if (blank && !/^(?: {2,}|\t)\S/.test(lines[at + 1] ?? "")) break;
      if (!blank && indent < 2) break;
      inner.push(dedent(next, Math.min(indent, head[0].length)));
      at += 1;
    }
    left -= box ? 8 : 1;
    items.push({ done: box ? box[1] !== " " : null, children: blocks(inner, depth + 1) });
    // One empty line between items does not end the list.
    if ((lines[at] ?? "x").trim() === "" && ITEM.test(lines[at + 1] ?? "")) at += 1;
  }
  out.push({ type: "list", ordered, start: parseInt(first?.[2] ?? "1", 10) || (ordered ? 0 : 1), items });
  return at;
}

function dedent(line: string, by: number): string {
  return line.replace(/\t/g, "    ").slice(by);
}

function paragraph(lines: string[], from: number, depth: number, out: Block[]): number {
  const body = [lines[from] ?? ""];
  let at = from + 1;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const ends = line.trim() === "" || (line.includes("|") && table(lines, at) !== undefined) || FENCE.test(line) || HEADING.test(line) || RULE.test(line);
    if (ends || (depth < DEPTH && (QUOTE.test(line) || ITEM.test(line)))) break;
    body.push(line);
    at += 1;
  }
  const nodes = parseInline(body.map((line) => line.trim()).join("\n"), left);
  left = nodes ? left - weight(nodes) : -1;
  if (!nodes || left < 0) out.push({ type: "plain", text: body.join("\n") });
  else out.push({ type: "paragraph", children: nodes });
  return at;
}
