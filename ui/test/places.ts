/**
 * Every place of the interface where a string of somebody else's may stand. A sight is one state of the program that
 * shows many strings at once (`scene`), or one after the other (`turn`); its places say where the n-th one is.
 *
 * The purpose of a channel and previews of links are not here: no part of the interface shows them.
 */
import type { ChannelRow, PostRow, Slice, Snapshot } from "../src/bindings";
import * as cast from "../src/fake/cast";

export interface Place {
  name: string;
  /** Drawn as markdown, or letter by letter. */
  how: "markdown" | "text";
  /** The parts of the page that the strings may change, in their order. */
  parts: string;
  /** Letters that turn text are made visible there. */
  turned?: boolean;
  /** Where in it the string stands, for places that show it letter by letter. */
  reads?(part: Element): string | null | undefined;
}

export interface Sight {
  /** Which window. */
  label?: string;
  /** Shows all the strings. */
  scene(texts: readonly string[]): Snapshot;
  /** Shows another string where there is room for one. */
  turn?(first: Snapshot, text: string): Slice[];
  /** Buttons to press first, by test id. */
  press?: string[];
  places: Place[];
}

const inside = (selector: string) => (part: Element) => part.querySelector(selector)?.textContent;

/** A post for every string; all are drawn, since the first one is new. */
function posts(texts: readonly string[], make: (text: string, n: number) => Partial<PostRow>, more: Partial<Snapshot> = {}): Snapshot {
  const all = texts.map((text, n) => ({ ...cast.post(n % 2 ? "bob" : "carol", 1_700_000_000_000 + n * 600_000, "words", make(text, n)), id: `v${n}` }));
  return { ...cast.snapshot({ posts: all, firstUnread: "v0", atStart: true }), ...more };
}

const file = (name: string, extension: string) => ({ id: extension, name, extension, size: 5_000, mime: "text/plain", width: 0, height: 0, hasPreview: false });
const given = (emoji: string) => [{ emoji, count: 2, mine: false, names: [emoji, "Bob"] }];
const oneChannel = (first: Snapshot, change: Partial<ChannelRow>): Slice => ({
  slice: "directory",
  value: { ...first.directory, channels: first.directory.channels.map((row) => (row.id === "release" ? { ...row, ...change } : row)) },
});

export const sights: Sight[] = [
  {
    scene: (texts) => posts(texts, (text) => ({ message: text, authorName: text, files: [file(text, "txt"), file(text, "png")], reactions: given(text) })),
    places: [
      { name: "post", how: "markdown", parts: "article .md" },
      { name: "author", how: "text", parts: "article .who", reads: (part) => part.textContent },
      { name: "file name", how: "text", parts: "article .files", reads: inside("bdi.name"), turned: true },
      { name: "reaction", how: "text", parts: "article .reactions", reads: (part) => part.querySelector(".xs")?.textContent?.slice(1, -1) },
    ],
  },
  {
    scene: (texts) =>
      posts(texts, (text, n) => ({ message: text, kind: { type: "ephemeral" }, edited: true, delivery: { state: "failed", pending: `p${n}`, reason: text }, reactions: given(text) }), {
        emoji: texts.map((name, n) => ({ id: `emoji${n}`, name })),
      }),
    places: [
      { name: "edited post or slash-command reply", how: "markdown", parts: "article .md" },
      { name: "custom emoji", how: "text", parts: "article .reactions" },
      { name: "reason of a failure", how: "text", parts: "article .under", reads: inside(".soft") },
    ],
  },
  {
    // Anybody may write such a post, with any word as the outcome of the call.
    scene: (texts) => posts(texts, (text) => ({ kind: { type: "call", title: text, startAt: 1, endAt: 90_000, status: text, recordings: 1, transcripts: 1 } })),
    places: [{ name: "title and outcome of a call", how: "text", parts: "article", reads: inside(".title") }],
  },
  {
    scene: (texts) => {
      const replies = posts(texts, (message) => ({ message, root: "v0" })).timeline.posts;
      return { ...cast.snapshot({ posts: [] }), thread: { ...cast.thread, root: "v0", posts: replies } };
    },
    places: [{ name: "thread reply", how: "markdown", parts: "article .md" }],
  },
  {
    label: "stage",
    press: ["chat-button"],
    scene: (texts) => ({
      ...cast.inCall({ captions: texts.map((text, n) => ({ session: `s${n}`, name: text, text })) }),
      chat: { ...cast.chat, posts: texts.map((text, n) => ({ ...cast.post(n % 2 ? "bob" : "carol", n * 600_000, text), id: `v${n}`, authorName: text })) },
    }),
    places: [
      { name: "call chat", how: "markdown", parts: '[data-testid="chat-line"] .md' },
      { name: "author in the call chat", how: "text", parts: '[data-testid="chat-line"] .head', reads: inside("bdi") },
      { name: "caption", how: "text", parts: '[data-testid="captions"] p', reads: (part) => part.querySelectorAll("bdi")[1]?.textContent },
    ],
  },
  {
    press: ["team-button"],
    scene: (texts) => {
      const whole = cast.snapshot();
      const channels = texts.map((name, n): ChannelRow => ({ ...cast.channels[1]!, id: `v${n}`, name, slug: name, draft: name }));
      const categories = texts.map((name, n) => ({ id: `c${n}`, kind: "custom" as const, name, folded: false, channels: [`v${n}`] }));
      const teams = texts.map((name, n) => ({ id: `t${n}`, name, displayName: name }));
      return { ...whole, directory: { ...whole.directory, channels, categories, teams, team: "t0", channel: null } };
    },
    places: [
      { name: "channel name", how: "text", parts: '[data-testid="channel-row"]', reads: inside("bdi") },
      { name: "category name", how: "text", parts: '[data-testid="category"]', reads: (part) => part.textContent },
      { name: "team name", how: "text", parts: '[data-testid="team-row"]', reads: inside(".cut") },
    ],
  },
  {
    press: ["channel-menu"],
    scene: () => cast.snapshot({ posts: [] }),
    turn: (first, text) => [
      oneChannel(first, { name: text, header: text }),
      { slice: "timeline", value: { ...first.timeline, typing: [text] } },
    ],
    places: [
      { name: "channel name in the head", how: "text", parts: ".head h1", reads: inside("bdi") },
      { name: "channel header, its first line", how: "text", parts: ".head .about" },
      { name: "channel header", how: "markdown", parts: ".head .md" },
      { name: "who is typing", how: "text", parts: '[data-testid="typing"]' },
    ],
  },
  {
    scene: () => cast.snapshot({ posts: [] }),
    turn: (_, text) => [
      {
        slice: "notices",
        value: [
          cast.notice("call.joined", "info", { name: text }, 1),
          { ...cast.notice("no.such.code", "error", {}, 2), detail: text },
          cast.notice(text, "warning", {}, 3),
        ],
      },
    ],
    places: [
      { name: "value in a notice", how: "text", parts: '[data-code="call.joined"]' },
      { name: "detail of a notice", how: "text", parts: '[data-code="no.such.code"]', reads: inside("b") },
      { name: "code of a notice", how: "text", parts: '[data-testid="notice"]' },
    ],
  },
  {
    label: "incoming",
    scene: () => cast.ringing(cast.incoming("group", "bob", { kind: "group" })),
    turn: (_, text) => [{ slice: "incoming", value: { calls: [cast.incoming("group", "bob", { kind: "group", name: text, place: text })], missed: [] } }],
    places: [
      { name: "who calls", how: "text", parts: '[data-testid="incoming-card"]', reads: inside("h1") },
      { name: "where the call is", how: "text", parts: '[data-testid="incoming-card"]', reads: inside(".top .grow") },
    ],
  },
];
