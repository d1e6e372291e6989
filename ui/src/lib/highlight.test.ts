import { describe, expect, it } from "vitest";

import { highlight } from "./highlight";

const kinds = (language: string, text: string) =>
  highlight(language, text)
    .filter((piece) => piece.kind !== "plain")
    .map((piece) => `${piece.kind}:${piece.text}`);

describe("code in colours", () => {
  it("knows words, texts, numbers and remarks", () => {
    expect(kinds("rust", 'let n = 42; // why\nlet s = "a \\" b";')).toEqual([
      "word:let",
      "number:42",
      "remark:// why",
      "word:let",
      'text:"a \\" b"',
    ]);
    expect(kinds("sql", "SELECT a FROM b -- c")).toEqual(["word:SELECT", "word:FROM", "remark:-- c"]);
    expect(kinds("py", "x = 'it' # no")).toEqual(["text:'it'", "remark:# no"]);
  });

  it("loses no letter, whatever is pasted", () => {
    for (const text of ['"never closed', "/* never closed", "\\", "\u0000é漢字'x", "`a\nb"]) {
      for (const language of ["js", "rust", "python", "sh", "constructor", "__proto__", "klingon", ""]) {
        expect(highlight(language, text).map((piece) => piece.text).join("")).toBe(text);
      }
    }
  });

  it("leaves a log plain", () => {
    expect(highlight("js", "let ".repeat(10_000))).toHaveLength(1);
  });
});
