import { describe, expect, it } from "vitest";

import { safeAddress } from "./inline";
import { parse, type Block, type Inline } from "./markdown";

const inline = (text: string): Inline[] => {
  const [block] = parse(text);
  if (block?.type !== "paragraph") throw new Error(`not a paragraph: ${JSON.stringify(block)}`);
  return block.children;
};
const text = (value: string): Inline => ({ type: "text", text: value });

describe("a line", () => {
  it.each<[string, Inline[]]>([
    ["**bold**", [{ type: "strong", children: [text("bold")] }]],
    ["_it_ and *it*", [{ type: "em", children: [text("it")] }, text(" and "), { type: "em", children: [text("it")] }]],
    ["~~gone~~", [{ type: "del", children: [text("gone")] }]],
    ["***both***", [{ type: "em", children: [{ type: "strong", children: [text("both")] }] }]],
    ["**a _b_**", [{ type: "strong", children: [text("a "), { type: "em", children: [text("b")] }] }]],
    ["`**raw** <b>`", [{ type: "code", text: "**raw** <b>" }]],
    ["``a`b``", [{ type: "code", text: "a`b" }]],
    ["snake_case_name", [text("snake_case_name")]],
    ["2 * 3 * 4", [text("2 * 3 * 4")]],
    ["**open", [text("**open")]],
    ["a ~ b ~~ c", [text("a ~ b ~~ c")]],
    [String.raw`\*no\*`, [text("*no*")]],
    ["one\ntwo", [text("one"), { type: "break" }, text("two")]],
    [":tada: :nothing_like_it:", [{ type: "emoji", name: "tada", text: "🎉" }, text(" "), { type: "custom", name: "nothing_like_it" }]],
    ["at 10:30:45", [text("at 10:30:45")]],
    ["hi @bob.", [text("hi "), { type: "mention", name: "bob" }, text(".")]],
    ["mail a@b.example", [text("mail a@b.example")]],
    ["<script>alert(1)</script>", [text("<script>alert(1)</script>")]],
  ])("%s", (source, expected) => {
    expect(inline(source)).toEqual(expected);
  });

  it("links what can be opened safely, and leaves the rest as text", () => {
    const link = (href: string, label = href): Inline => ({ type: "link", href, children: [text(label)] });
    expect(inline("[docs](https://e.example/a)")).toEqual([link("https://e.example/a", "docs")]);
    expect(inline("see https://e.example/a_(b)?c=d, ok")).toEqual([
      text("see "),
      link("https://e.example/a_(b)?c=d"),
      text(", ok"),
    ]);
    expect(inline("(https://e.example/)")).toEqual([text("("), link("https://e.example/"), text(")")]);
    expect(inline("![cat](https://e.example/cat.png)")).toEqual([link("https://e.example/cat.png", "cat")]);
    expect(inline("<https://e.example/>")).toEqual([link("https://e.example/")]);
    expect(inline("www.e.example")).toEqual([link("http://www.e.example/", "www.e.example")]);
  });

  it.each([
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>",
    "file:///etc/passwd",
    "vbscript:x",
    "//e.example",
    "/relative",
    "https://",
    "halloo:x",
    "\u0001javascript:x",
  ])("never links %s", (address) => {
    expect(safeAddress(address)).toBeUndefined();
    expect(JSON.stringify(parse(`[x](${address})`))).not.toContain('"link"');
  });

  it("makes no link inside a link", () => {
    const sources = ["[a [b](https://b.example/) c](https://a.example/)", "[https://b.example](https://a.example)", "[*www.b.example*](https://a.example)"];
    for (const source of sources) {
      for (const node of inline(source)) {
        if (node.type === "link") expect(JSON.stringify(node.children)).not.toContain('"link"');
      }
    }
    expect(inline("[https://b.example](https://a.example/)")).toEqual([
      { type: "link", href: "https://a.example/", children: [text("https://b.example")] },
    ]);
  });
});

describe("blocks", () => {
  const types = (source: string) => parse(source).map((block) => block.type);

  it("knows fences, quotes, lists, headings and rules", () => {
    expect(types("# T\ntext\n```js\nx\n```\n> q\n- a\n\n---")).toEqual([
      "heading",
      "paragraph",
      "code",
      "quote",
      "list",
      "rule",
    ]);
  });

  it("keeps fenced code as it is, closed or not", () => {
    expect(parse("```rust\n*a*\n\n  b\n```")).toEqual([{ type: "code", language: "rust", text: "*a*\n\n  b" }]);
    expect(parse("```\nopen")).toEqual([{ type: "code", language: "", text: "open" }]);
  });

  it("nests lists by indentation and counts from where they begin", () => {
    const [list] = parse("3. a\n   - b\n   - c\n4. d");
    expect(list).toMatchObject({ type: "list", ordered: true, start: 3 });
    const items = (list as Block & { type: "list" }).items;
    expect(items).toHaveLength(2);
    expect(items[0]?.children.map((block) => block.type)).toEqual(["paragraph", "list"]);
  });

  it("knows what is done and what is not", () => {
    const [list] = parse("- [x] one\n- [ ] two\n- [y] three\n- []");
    expect((list as Block & { type: "list" }).items.map((item) => item.done)).toEqual([true, false, null, null]);
  });

  it("shows an empty message as nothing", () => {
    expect(parse("")).toEqual([]);
    expect(parse(" \n\n ")).toEqual([]);
  });

  it("gives the same tree for the same text", () => {
    expect(parse("**same**")).toBe(parse("**same**"));
  });
});

describe("hostile input", () => {
  const depth = (value: unknown): number =>
    Array.isArray(value)
      ? Math.max(0, ...value.map(depth))
      : typeof value === "object" && value !== null
        ? 1 + Math.max(0, ...Object.values(value).map(depth))
        : 0;

  it.each<[string, string]>([
    ["stars", "*".repeat(16_000)],
    ["balanced stars", `${"*".repeat(8_000)}a${"*".repeat(8_000)}`],
    ["openers", "*a ".repeat(5_000)],
    ["openers and closers", "*a **b ".repeat(2_000) + "c** d* ".repeat(2_000)],
    ["mixed marks", "*_~~".repeat(4_000)],
    ["underscores", "_a_ ".repeat(4_000)],
    ["brackets", "[".repeat(16_000)],
    ["half links", "[a](".repeat(4_000)],
    ["closers", "](".repeat(8_000)],
    ["back-ticks", Array.from({ length: 170 }, (_, n) => "`".repeat(n + 1)).join("a")],
    ["single back-ticks", "`a``b".repeat(3_000)],
    ["quotes", ">".repeat(16_000)],
    ["quotes, spaced", "> ".repeat(8_000)],
    ["lists", "- ".repeat(8_000)],
    ["nested lists", Array.from({ length: 300 }, (_, n) => `${" ".repeat(n * 2)}- x`).join("\n")],
    ["heading tail", `# a${" ".repeat(15_000)}#${" ".repeat(900)}x`],
    ["fence tail", `\`\`\`${"a".repeat(16_000)}\``],
    ["tildes", "~".repeat(16_000)],
    ["colons", ":a".repeat(8_000)],
    ["ats", "@a".repeat(8_000)],
    ["addresses", "https://".repeat(2_000)],
    ["www", "www.".repeat(4_000)],
    ["angle", "<https://a".repeat(1_600)],
    ["blank lines in a list", `- a\n${"\n".repeat(15_000)}`],
    ["backslashes", "\\".repeat(16_000)],
    ["lone surrogates", "\ud800".repeat(8_000)],
    ["a megabyte", "word *x* ".repeat(120_000)],
  ])("%s: quick, shallow and without loss", (_, source) => {
    const before = performance.now();
    const tree = parse(source);
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(depth(tree)).toBeLessThan(80);
  });
});

describe("a table", () => {
  const table = (text: string) => parse(text).find((block) => block.type === "table");

  it("has a head, rows and columns that stand as the dashes say", () => {
    const found = table("| a | b | c |\n|:--|:-:|--:|\n| 1 | **2** | `x|y` |\n| only |");
    expect(found).toMatchObject({ align: ["start", "center", "end"] });
    if (found?.type !== "table") throw new Error("no table");
    expect(found.head.map((cell) => cell[0])).toEqual([text("a"), text("b"), text("c")]);
    expect(found.rows).toHaveLength(2);
    expect(found.rows[0]?.[1]?.[0]).toMatchObject({ type: "strong" });
    expect(found.rows[0]?.[2]).toEqual([{ type: "code", text: "x|y" }]);
    expect(found.rows[1]).toHaveLength(3);
  });

  it("is only one where head and dashes agree", () => {
    expect(table("a | b\n---")).toBeUndefined();
    expect(table("a | b\n--- | --- | ---")).toBeUndefined();
    expect(table("no bars\n---")).toBeUndefined();
    expect(table("words before\na | b\n--- | ---\n1 | 2")).toBeDefined();
  });

  it("takes no time for a wall of bars", () => {
    const began = performance.now();
    parse(`${"|".repeat(5000)}\n${"|-".repeat(5000)}\n${"|a".repeat(3000)}`);
    parse(Array.from({ length: 2000 }, () => "| x").join("\n"));
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});
