/** Every word that people read comes from the catalogue: no view has text of its own. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, type AST } from "svelte/compiler";
import { describe, expect, it } from "vitest";

/** Attributes that are read, or read out. */
const spoken = new Set(["aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "aria-placeholder", "title", "placeholder", "alt", "label", "text", "hint"]);

/** What may stand in a view as it is, and why. */
const allowed = new Map([
  ["chat.example.org", "an address as an example, reserved for that (RFC 2606)"],
  ["A", "a letter as a specimen of its size"],
]);

/** Whether there is anything to translate in it: signs, numbers and separators are the same everywhere. */
const hasWords = (text: string) => /\p{L}/u.test(text.replace(/&\w+;/g, ""));

type Node = { type: string; start: number; end: number } & Record<string, unknown>;

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "type" in value && typeof (value as Node).type === "string";

/** Texts that an expression may yield: `late ? "Late" : "Early"`, "`${n} left`"; what is called or compared is none. */
function yields(node: unknown): string[] {
  if (!isNode(node)) return [];
  switch (node.type) {
    case "Literal":
      return typeof node["value"] === "string" ? [node["value"]] : [];
    case "TemplateLiteral":
      return [...(node["quasis"] as { value: { cooked: string } }[]).map((part) => part.value.cooked), ...(node["expressions"] as unknown[]).flatMap(yields)];
    case "ConditionalExpression":
      return [...yields(node["consequent"]), ...yields(node["alternate"])];
    case "LogicalExpression":
      return [...yields(node["left"]), ...yields(node["right"])];
    case "BinaryExpression":
      return node["operator"] === "+" ? [...yields(node["left"]), ...yields(node["right"])] : [];
    default:
      return [];
  }
}

/** All literal text of a view that people would read or hear. */
export function literals(source: string): string[] {
  const found: string[] = [];
  const take = (text: string) => {
    const plain = text.trim().replace(/\s+/g, " ");
    if (hasWords(plain) && !allowed.has(plain)) found.push(plain);
  };
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk);
    if (!isNode(node)) return;
    if (node.type === "Attribute") {
      if (!spoken.has(node["name"] as string)) return;
      for (const part of [node["value"]].flat()) {
        if (!isNode(part)) continue;
        if (part.type === "Text") take(part["data"] as string);
        else yields(part["expression"]).forEach(take);
      }
      return;
    }
    if (node.type === "StyleDirective" || node.type === "ClassDirective") return;
    if (node.type === "ExpressionTag") yields(node["expression"]).forEach(take);
    if (node.type === "Text") return take(node["data"] as string);
    Object.values(node).forEach(walk);
  };
  const root = parse(source, { modern: true }) as AST.Root;
  walk(root.fragment);
  // In a script most texts are names of things; those of several words are for people, unless they are for developers.
  const script = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(script);
    if (!isNode(node) || isFor(node, /^console$|Error$/)) return;
    yields(node).filter((text) => /\p{L}{2,} (?:\p{L}{2,}|$)/u.test(text)).forEach(take);
    if (node.type !== "TemplateLiteral") Object.values(node).forEach(script);
    else script(node["expressions"]);
  };
  script(root.instance?.content.body);
  script(root.module?.content.body);
  return [...new Set(found)];
}

/** Whether it is a call of something by that name: `console.warn(…)`, `new Error(…)`. */
function isFor(node: Node, name: RegExp): boolean {
  if (node.type !== "CallExpression" && node.type !== "NewExpression") return false;
  const callee = node["callee"] as { name?: string; object?: { name?: string } };
  return name.test(callee.name ?? callee.object?.name ?? "");
}

function views(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? views(path) : path.endsWith(".svelte") ? [path] : [];
  });
}

describe("the views", () => {
  it("have no words of their own", () => {
    const files = views("src");
    expect(files.length).toBeGreaterThan(80);
    const found = files.flatMap((file) => literals(readFileSync(file, "utf8")).map((text) => `${file}: ${text}`));
    expect(found).toEqual([]);
  });

  it("are searched everywhere", () => {
    const view = `<script lang="ts">
      const name = $state("two words"); const key = "aria-label"; console.warn("not for people");
    </script>
    <p class="not read" title={late ? "Too late" : t("x")}>Text {n > 1 ? \`and \${n} more\` : ""} {#if "Enter" === key}· 1{/if}</p>
    <Part label="Labelled" hint="{n} left">{#snippet inside()}<b>deep</b>{/snippet}</Part>`;
    expect(literals(view).sort()).toEqual(["Labelled", "Text", "Too late", "and", "deep", "left", "more", "two words"]);
  });
});
