/**
 * Colours for code: words, texts, numbers and remarks of the languages people paste most. Not a parser: it walks once
 * over the text, and what it does not know stays plain. It makes pieces, never HTML.
 */

export type Kind = "plain" | "word" | "text" | "number" | "remark";

/** A run of one colour. */
export interface Piece {
  kind: Kind;
  text: string;
}

interface Language {
  words: ReadonlySet<string>;
  /** How a remark to the end of the line begins. */
  line?: string;
  /** How a remark over lines begins and ends. */
  block?: readonly [string, string];
  /** Marks around texts. */
  quotes: string;
}

const set = (words: string) => new Set(words.split(" "));
const C: Pick<Language, "line" | "block"> = { line: "//", block: ["/*", "*/"] };

const js: Language = {
  ...C,
  quotes: "\"'`",
  words: set("async await break case catch class const continue default delete do else enum export extends false finally for from function if implements import in instanceof interface let new null of return static super switch this throw true try type typeof undefined var void while with yield"),
};
const rust: Language = {
  ...C,
  quotes: '"',
  words: set("as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while"),
};
const python: Language = {
  line: "#",
  block: ['"""', '"""'],
  quotes: "\"'",
  words: set("and as assert async await break class continue def del elif else except False finally for from global if import in is lambda None nonlocal not or pass raise return True try while with yield"),
};
const go: Language = {
  ...C,
  quotes: "\"'`",
  words: set("break case chan const continue default defer else fallthrough false for func go goto if import interface map nil package range return select struct switch true type var"),
};
const c: Language = {
  ...C,
  quotes: "\"'",
  words: set("auto bool break case catch char class const constexpr continue default delete do double else enum extern false final float for friend if inline int long namespace new noexcept nullptr operator override private protected public return short signed sizeof static struct super switch template this throw throws true try typedef typename union unsigned using var virtual void volatile while abstract boolean byte extends implements import instanceof interface package null string foreach in is as async await get set fun val when"),
};
const shell: Language = {
  line: "#",
  quotes: "\"'",
  words: set("case cd do done echo elif else esac exit export fi for function if in local read return set sudo test then unset until while"),
};
const sql: Language = {
  line: "--",
  block: ["/*", "*/"],
  quotes: "'\"",
  words: set("add all alter and as asc begin between by case commit create delete desc distinct drop else end exists from group having in index inner insert into is join key left like limit not null on or order outer primary right rollback select set table then union unique update values view when where with"),
};
const data: Language = { line: "#", quotes: "\"'", words: set("true false null yes no on off") };
const json: Language = { quotes: '"', words: set("true false null") };

const languages: Record<string, Language> = {
  js, jsx: js, javascript: js, ts: js, tsx: js, typescript: js, svelte: js,
  rust, rs: rust, python, py: python, go, golang: go,
  c, h: c, cpp: c, "c++": c, cs: c, csharp: c, java: c, kotlin: c, kt: c, swift: c, php: c,
  sh: shell, bash: shell, shell, zsh: shell, console: shell, dockerfile: shell, makefile: shell,
  sql, yaml: data, yml: data, toml: data, ini: data, properties: data, json, jsonc: { ...json, ...C },
};

/** Longest code that is coloured; longer is a log. */
const LONGEST = 20_000;
/** Most pieces: a hundred lines and more of what people write. What is behind stays plain. */
export const PIECES = 800;

/** The code in pieces. */
export function highlight(language: string, text: string): Piece[] {
  const known = Object.hasOwn(languages, language.toLowerCase()) ? languages[language.toLowerCase()] : undefined;
  if (!known || text.length > LONGEST) return [{ kind: "plain", text }];
  const anyCase = known === sql;
  const out: Piece[] = [];
  const add = (kind: Kind, piece: string) => {
    const last = out[out.length - 1];
    if (last?.kind === kind) last.text += piece;
    else if (piece) out.push({ kind, text: piece });
  };
  let at = 0;
  while (at < text.length) {
    if (out.length >= PIECES) {
      out.push({ kind: "plain", text: text.slice(at) });
      break;
    }
    const letter = text[at] ?? "";
    let end = at + 1;
    let kind: Kind = "plain";
    if (known.block && text.startsWith(known.block[0], at)) {
      const close = text.indexOf(known.block[1], at + known.block[0].length);
      end = close < 0 ? text.length : close + known.block[1].length;
      kind = known.block[0].startsWith('"') ? "text" : "remark";
    } else if (known.line && text.startsWith(known.line, at)) {
      const close = text.indexOf("\n", at);
      end = close < 0 ? text.length : close;
      kind = "remark";
    } else if (known.quotes.includes(letter)) {
      end = closing(text, at, letter);
      kind = "text";
    } else if (/[\p{L}_$]/u.test(letter)) {
      while (end < text.length && /[\p{L}\p{N}_$]/u.test(text[end] ?? "")) end += 1;
      const word = text.slice(at, end);
      kind = known.words.has(anyCase ? word.toLowerCase() : word) ? "word" : "plain";
    } else if (/\d/.test(letter)) {
      while (end < text.length && /[\w.]/.test(text[end] ?? "")) end += 1;
      kind = "number";
    }
    add(kind, text.slice(at, end));
    at = end;
  }
  return out;
}

/** Behind the mark that ends a text; without one it ends with the line, except in back-ticks. */
function closing(text: string, from: number, mark: string): number {
  for (let at = from + 1; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === "\\") at += 1;
    else if (letter === mark) return at + 1;
    else if (letter === "\n" && mark !== "`") return at;
  }
  return text.length;
}
