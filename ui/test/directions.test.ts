/** The interface turns round for languages from right to left, so no style says left or right: it says start and end. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "svelte/compiler";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../src");

/** What is the same in every language, by file and declaration, and why. */
const allowed = new Map([["parts/Code.svelte box-shadow: inset 3px 0 0 var(--line-strong)", "code runs from left to right everywhere"]]);

/** Icons that point, or are read, in the direction of the text. */
const pointing = /(^|-)(left|right|log-out|log-in|send|reply|undo|redo|forward)(-|$)/;

/** The parts of a value that a sign divides, but not inside brackets. */
function split(value: string, sign: string): string[] {
  let depth = 0;
  const found = [""];
  for (const c of value) {
    depth += c === "(" ? 1 : c === ")" ? -1 : 0;
    if (c === sign && depth === 0) found.push("");
    else found[found.length - 1] += c;
  }
  return found.map((part) => part.trim()).filter(Boolean);
}

const zero = (value: string | undefined) => value === undefined || /^-?0[a-z%]*$/.test(value);

/** Whether a declaration makes a difference between left and right. */
export function sided(property: string, value: string): boolean {
  const each = split(value, " ");
  if (/(^|-)(left|right)(-|$)/.test(property)) return true;
  if (/^(text-align|float|clear|justify-\w+|transform-origin|caption-side)$/.test(property)) return /\b(left|right)\b/.test(value);
  if (/gradient\([^)]*\bto (left|right)\b/.test(value)) return true;
  switch (property) {
    case "margin": case "padding": case "inset": case "border-width": case "border-color": case "border-style":
    case "scroll-margin": case "scroll-padding":
      return each.length === 4 && each[1] !== each[3];
    case "border-radius": {
      // From the upper left one on, clockwise; a missing one is as the opposite one.
      const [first = "", second = first, third = first, fourth = second] = each;
      return first !== second || third !== fourth;
    }
    case "translate":
      return value !== "none" && !zero(each[0]);
    case "transform":
      return /translateX|skew|translate\((?!0)/.test(value);
    case "box-shadow":
      return split(value, ",").some((shadow) => !zero(split(shadow, " ").find((part) => /^-?[\d.]|^calc\(/.test(part))));
    default:
      return false;
  }
}

/** Every declaration of a style sheet, with the selector that it stands under. */
function* declarations(css: string): Generator<{ selector: string; property: string; value: string }> {
  let selector = "";
  for (const [, text = "", end] of css.replace(/\/\*.*?\*\//gs, "").matchAll(/([^{};]*)([{};])/g)) {
    const plain = text.trim().replace(/\s+/g, " ");
    if (end === "{") selector = plain;
    const colon = plain.indexOf(":");
    if (end !== "{" && colon > 0) yield { selector, property: plain.slice(0, colon).trim(), value: plain.slice(colon + 1).trim() };
  }
}

const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => /\.(svelte|css)$/.test(file));
const sheets = files.sort().map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }));
const styles = (text: string, file: string) => (file.endsWith(".css") ? [text] : [...text.matchAll(/<style[^>]*>(.*?)<\/style>/gs)].map((match) => match[1] ?? ""));

describe("styles", () => {
  it("are told apart by whether they know left from right", () => {
    const wrong = ["margin-left: 1px", "left: 0", "text-align: right", "padding: 1px 2px 3px 4px", "border-radius: 4px 0", "border-top-left-radius: 1px", "translate: -24px 0", "box-shadow: inset 3px 0 0 red", "inset: auto 0 0 calc(1px + 2px)", "background: linear-gradient(to right, red, blue)"];
    const right = ["margin-inline-start: 1px", "inset-inline-end: 0", "text-align: end", "padding: 1px 2px 3px 2px", "inset: calc(-1 * (var(--a) + var(--b)))", "border-radius: 4px 4px 0 0", "translate: 0 8px", "box-shadow: 0 1px 2px red, inset 0 0 0 1px rgb(0 0 0 / 10%)", "background: linear-gradient(to top, red, blue)"];
    const judged = (all: string[]) => all.filter((one) => sided(...(one.split(": ") as [string, string])));
    expect(judged(wrong)).toEqual(wrong);
    expect(judged(right)).toEqual([]);
  });

  it("say start and end, never left and right", () => {
    const found = sheets.flatMap(({ file, text }) =>
      styles(text, file).flatMap((css) => {
        const all = [...declarations(css)];
        // What has a rule of its own for the other direction is meant so.
        const mirrored = new Set(all.map(({ selector, property }) => selector.replace(/:dir\((ltr|rtl)\)/g, "") + property).filter((_, at) => all[at]?.selector.includes(":dir(")));
        return all.filter(({ selector, property, value }) => !selector.includes(":dir(") && !mirrored.has(selector + property) && sided(property, value))
          .map(({ property, value }) => `${file} ${property}: ${value}`);
      }));
    expect(found.filter((one) => !allowed.has(one))).toEqual([]);
    const attributes = sheets.flatMap(({ file, text }) => [...text.matchAll(/style:(?:[\w-]+-)?(?:left|right)\b|style="[^"]*\b(?:left|right)\s*:/g)].map((match) => `${file} ${match[0]}`));
    expect(attributes).toEqual([]);
  });

  it("turn icons round that point along the line", () => {
    const unturned: string[] = [];
    for (const { file, text } of sheets.filter(({ file }) => file.endsWith(".svelte"))) {
      const names = [...text.matchAll(/import (\w+) from "@lucide\/svelte\/icons\/([\w-]+)"/g)].filter((match) => pointing.test(match[2] ?? "")).map((match) => match[1]);
      const walk = (node: unknown): void => {
        if (Array.isArray(node)) return node.forEach(walk);
        if (typeof node !== "object" || node === null) return;
        const { type, name, start, end } = node as { type?: string; name?: string; start: number; end: number };
        if (type === "Component" && names.includes(name ?? "") && !/class="[^"]*\bflip\b/.test(text.slice(start, end))) unturned.push(`${file} ${name}`);
        Object.values(node).forEach(walk);
      };
      walk(parse(text, { modern: true }).fragment);
    }
    expect(unturned).toEqual([]);
  });
});
