/**
 * The first so many pieces of a message's tree, so that a long one is drawn in several frames, none of which is long. What
 * fits as a whole is the same object, and stays as it was drawn.
 */
import type { Inline } from "./inline";
import type { Block, Item } from "./markdown";

/** Pieces that one frame draws: a slow machine's webview takes some 20 ms for them. */
export const STEP = 160;
/** What a text shown as it was written weighs, and a box of code: few elements, but many letters to lay out. */
const PLAIN = 60;

/** Pieces of a box of code that are coloured in one frame: each time the webview lays out all of the line that they are in. */
export const CODE_STEP = 60;

/** What waits for a frame of its own, in the order of asking. */
const waiting = new Set<() => void>();
let frame = 0;

/**
 * Does something in a frame in which nothing else of the kind is done, so that many long things at once are no longer frames but
 * more of them. What is given back takes the wish back.
 */
export function inTurn(work: () => void): () => void {
  waiting.add(work);
  frame ||= requestAnimationFrame(turn);
  return () => void waiting.delete(work);
}

function turn(): void {
  const [next] = waiting;
  frame = 0;
  if (!next) return;
  waiting.delete(next);
  if (waiting.size > 0) frame = requestAnimationFrame(turn);
  next();
}

/** As much of it as so many pieces are, in the order of reading, and whether that is all. */
export function first(tree: readonly Block[], pieces: number): { blocks: readonly Block[]; all: boolean } {
  let left = pieces;
  let all = true;

  /** Goes on as long as something is left; the first piece is always drawn, or nothing ever were. */
  function part<T>(list: readonly T[], take: (one: T) => T): readonly T[] {
    const out: T[] = [];
    let same = true;
    for (const one of list) {
      if (left <= 0) {
        all = false;
        return out;
      }
      const taken = take(one);
      same &&= taken === one;
      out.push(taken);
    }
    return same ? list : out;
  }
  /** The same thing with less in it, if it has less in it. */
  function inside<T extends object, K extends keyof T>(one: T, key: K, less: T[K]): T {
    return less === one[key] ? one : { ...one, [key]: less };
  }
  const inline = (node: Inline): Inline => {
    left -= 1;
    return "children" in node ? inside(node, "children", part(node.children, inline) as Inline[]) : node;
  };
  const line = (nodes: readonly Inline[]) => part(nodes, inline) as Inline[];
  const item = (one: Item): Item => {
    left -= one.done === null ? 1 : 8;
    return inside(one, "children", part(one.children, block) as Block[]);
  };
  function block(one: Block): Block {
    left -= 1;
    switch (one.type) {
      case "paragraph":
      case "heading":
        return inside(one, "children", line(one.children));
      case "quote":
        return inside(one, "children", part(one.children, block) as Block[]);
      case "list":
        return inside(one, "items", part(one.items, item) as Item[]);
      case "table": {
        // Its head is one row: the columns would move else.
        one.head.forEach((cell) => (left -= cell.length + 1));
        return inside(
          one,
          "rows",
          part(one.rows, (row) => {
            row.forEach((cell) => (left -= weight(cell) + 1));
            return row;
          }) as Inline[][][],
        );
      }
      case "code":
      case "plain":
        left -= PLAIN;
        return one;
      default:
        return one;
    }
  }
  return { blocks: part(tree, block), all };
}

function weight(nodes: readonly Inline[]): number {
  let sum = nodes.length;
  for (const node of nodes) if ("children" in node) sum += weight(node.children);
  return sum;
}

/** How high a tree was when all of it was drawn, pixels: where it comes back on screen nothing below it moves. */
const heights = new WeakMap<readonly Block[], number>();

/** Keeps it. */
export function measured(tree: readonly Block[], height: number): void {
  if (height > 0) heights.set(tree, height);
}

/** What was kept. */
export function height(tree: readonly Block[]): number | undefined {
  return heights.get(tree);
}
