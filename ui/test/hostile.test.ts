/**
 * What others write stays text. Every vector of `vectors.ts` goes into posts, and five hundred to each other place
 * of `places.ts`, through the real components; `judge.ts` looks at what came of it. Nothing runs (jsdom runs scripts and `on…` attributes here),
 * nothing is there that our components do not draw, links lead where links may lead, and the words can still be read.
 */
import { cleanup, fireEvent, render } from "@testing-library/svelte";
import { tick } from "svelte";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";

import App from "../src/App.svelte";
import type { Snapshot } from "../src/bindings";
import { stillBridge, type FakeBridge } from "../src/fake";
import * as cast from "../src/fake/cast";
import { straight } from "../src/lib/format";
import { share } from "../src/lib/share";
import { Store } from "../src/store.svelte";
import { findings, missing, reread, skeleton, strange } from "./judge";
import { sights, type Place, type Sight } from "./places";
import { lines, vectors, type Vector } from "./vectors";

const all = vectors();
/** Five of nine, for every place but posts: drawing all of them everywhere takes minutes. */
const some = all.filter((_, n) => n % 9 < 5);
/** Strings drawn at a time where a scene shows many. */
const BATCH = 140;
/** Harmless, and drawn the same everywhere. */
const PLAIN = "plain words";

declare const jsdom: { window: object };
const ran: unknown[] = [];
const opened: string[] = [];
let drawn = 0;

beforeEach(() => {
  // In the page's own world, where scripts would run.
  Object.assign(jsdom.window, { hit: (what: unknown) => ran.push(what) });
});
afterEach(() => {
  cleanup();
  ran.length = opened.length = 0;
});
afterAll(() => {
  const places = sights.flatMap((sight) => sight.places);
  console.info(`${all.length} vectors, ${places.length} places: ${drawn} drawn and judged`);
});

async function mount(first: Snapshot, sight: Sight): Promise<FakeBridge> {
  const bridge: FakeBridge = {
    ...stillBridge(first, sight.label),
    openLink: async (url) => void opened.push(url),
    image: (kind, id) => `avatar://localhost/${kind}/${encodeURIComponent(id)}`,
    avatar: (user, version) => `avatar://localhost/${encodeURIComponent(user)}?v=${version}`,
  };
  const store = new Store();
  render(App, { bridge, store });
  await store.connect(bridge);
  await tick();
  for (const button of sight.press ?? []) await fireEvent.click(document.querySelector(`[data-testid="${button}"]`)!);
  return bridge;
}

function partsOf(place: Place, count: number): Element[] {
  const found = [...document.querySelectorAll(place.parts)];
  if (found.length < count) throw new Error(`${place.name}: ${found.length} drawn of ${count}`);
  return found;
}

/** Presses and nudges everything, as a person or a page would. */
function nudge(element: Element): string[] {
  const wrong: string[] = [];
  for (const one of [element, ...element.querySelectorAll("*")]) {
    for (const name of ["load", "mouseover", "toggle"]) one.dispatchEvent(new Event(name));
    if (!(one instanceof HTMLAnchorElement)) continue;
    opened.length = 0;
    const went = one.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    if (went) wrong.push(`${one.href} is followed inside the window`);
    if (opened.join() !== one.getAttribute("href")) wrong.push(`${one.href} opens as ${opened.join()}`);
  }
  return wrong;
}

/** Everything wrong with a place after it was given a vector. */
function judge(place: Place, element: Element, vector: Vector, usual: string): string[] {
  const wrong = [...findings(element), ...findings(reread(element)).map((what) => `read again: ${what}`)];
  if (place.how === "markdown") {
    wrong.push(...strange(element), ...nudge(element));
    if (!vector.silent) wrong.push(...missing(vector.text, element).map((word) => `“${word}” cannot be read`));
  } else {
    if (skeleton(element) !== usual) wrong.push("drawn with other elements than plain words");
    const read = place.reads?.(element);
    if (place.reads && read !== (place.turned ? straight(vector.text) : vector.text)) wrong.push(`reads ${JSON.stringify(read)}`);
  }
  if (ran.length > 0) wrong.push(`ran: ${ran.splice(0).join()}`);
  drawn += 1;
  return wrong.map((what) => `${place.name}, ${vector.family}, ${JSON.stringify(vector.text.slice(0, 120))}: ${what}`);
}

/** How a place is drawn with plain words. Neighbours differ: a name is not said twice. */
const usualOf = (sight: Sight, count: number) => sight.places.map((place) => (place.how === "text" ? partsOf(place, count).map(skeleton) : []));

async function many(sight: Sight): Promise<string[]> {
  await mount(sight.scene(Array<string>(BATCH).fill(PLAIN)), sight);
  const usual = usualOf(sight, BATCH);
  cleanup();
  const wrong: string[] = [];
  const given = sight === sights[0] ? all : some;
  for (let from = 0; from < given.length; from += BATCH) {
    const batch = given.slice(from, from + BATCH);
    await mount(sight.scene(batch.map((one) => one.text)), sight);
    sight.places.forEach((place, at) => {
      const parts = partsOf(place, batch.length);
      batch.forEach((vector, n) => wrong.push(...judge(place, parts[n]!, vector, usual[at]?.[n] ?? "")));
    });
    wrong.push(...findings(document.body));
    cleanup();
  }
  return wrong;
}

async function oneByOne(sight: Sight, turn: NonNullable<Sight["turn"]>): Promise<string[]> {
  const first = sight.scene([]);
  const bridge = await mount(first, sight);
  const show = async (text: string) => {
    bridge.change(...turn(first, text));
    await tick();
  };
  await show(PLAIN);
  const usual = usualOf(sight, 1);
  const wrong: string[] = [];
  for (const vector of some) {
    await show(vector.text);
    sight.places.forEach((place, at) => wrong.push(...judge(place, partsOf(place, 1)[0]!, vector, usual[at]?.[0] ?? "")));
  }
  wrong.push(...findings(document.body));
  return wrong;
}

describe("hostile strings", () => {
  it("are five hundred and more, no two alike, and can be written down", () => {
    expect(some.length).toBeGreaterThanOrEqual(500);
    expect(new Set(all.map((one) => one.text)).size).toBe(all.length);
    const read = lines().split("\n").map((line): Vector => JSON.parse(line));
    expect(read.map((one) => one.text)).toEqual(all.map((one) => one.text));
  });

  it("would be noticed if they came to life", async () => {
    const page = document.createElement("main");
    document.body.append(page);
    page.innerHTML = `<b onclick="hit(1)" style="background:url(x)">x</b><a href="javascript:hit(2)">x</a><img src="https://e.example/x"><svg><set /></svg>`;
    page.append(Object.assign(document.createElement("script"), { textContent: "hit(3)" }));
    page.querySelector("b")?.click();
    const found = findings(page).join("\n");
    page.remove();
    expect(ran).toEqual([3, 1]);
    for (const what of ["onclick", "style", "javascript:", "src=", "<set>", "<script>"]) expect(found).toContain(what);
    // And most vectors do come to life where they are taken for HTML.
    const alive = all.filter((one) => findings(new DOMParser().parseFromString(`<body>${one.text}`, "text/html").body).length > 0);
    console.info(`${alive.length} of ${all.length} vectors are more than text when a page takes them for HTML`);
    expect(alive.length).toBeGreaterThanOrEqual(500);
  });

  it("follow no link inside the window", async () => {
    const good = ["https://e.example/a", "http://e.example/", "mailto:bob@e.example"];
    await mount(cast.snapshot({ posts: [cast.post("bob", 1, good.map((to) => `[press](${to})`).join(" "))] }), sights[0]!);
    const links = [...document.querySelectorAll<HTMLAnchorElement>("article .md a")];
    expect(links.map((one) => one.getAttribute("href"))).toEqual(good);
    expect(links.flatMap((one) => nudge(one))).toEqual([]);
    // The middle button opens outside too; the right one only asks for a menu.
    for (const button of [1, 2]) {
      opened.length = 0;
      const went = links[0]?.dispatchEvent(new MouseEvent("auxclick", { bubbles: true, cancelable: true, button }));
      expect([went, opened.length]).toEqual([false, button === 1 ? 1 : 0]);
    }
  });

  it("and moments that no calendar has leave the channel drawn", async () => {
    const moments = [9e15, -9e15, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE, Number.NaN, Number.POSITIVE_INFINITY];
    const posts = moments.flatMap((ms) => [
      cast.post("bob", ms, "words"),
      cast.post("bob", 1, "", { kind: { type: "call", title: "", startAt: ms, endAt: Math.abs(ms) / 2, status: "constructor", recordings: ms, transcripts: 0 } }),
    ]);
    await mount(cast.snapshot({ posts, firstUnread: posts[0]?.id ?? null }), sights[0]!);
    expect(document.querySelectorAll("article.msg")).toHaveLength(posts.length);
  });

  it("as keys find nothing that the server has not sent", () => {
    const people = share({}, JSON.parse('{"__proto__": {"name": "x"}, "bob": {"name": "Bob"}}') as Record<string, { name: string }>);
    expect([people["constructor"], people["toString"], people["bob"]?.name]).toEqual([undefined, undefined, "Bob"]);
    expect(({} as Record<string, unknown>)["name"]).toBeUndefined();
  });

  it.each(sights.map((sight): [string, Sight] => [sight.places.map((place) => place.name).join(", "), sight]))(
    "stay text: %s",
    async (_, sight) => {
      const wrong = await (sight.turn ? oneByOne(sight, sight.turn) : many(sight));
      expect(wrong.slice(0, 20), `${wrong.length} findings`).toEqual([]);
      expect(ran).toEqual([]);
    },
    240_000,
  );
});
