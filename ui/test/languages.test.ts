/** Every language says all that English says, with the same blanks, and is spoken as soon as it is chosen. */
import { tick } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";

import { clock, day, nth, span } from "../src/lib/format";
import { english, plain, t } from "../src/lib/i18n";
import { language, languages, PSEUDO, type Catalogue, type Forms } from "../src/lib/language.svelte";
import { commas, list } from "../src/lib/names";
import { percent } from "../src/lib/numbers";
import { PLAIN } from "../src/lib/theme";
import { id, show } from "./render";

/** Names, signs, units and words that other languages have taken over: the same as in English, and right so. */
const same: Record<string, readonly string[]> = {
  all: ["app.name", "server.mattermost", "server.calls", "ring.for.short", "ring.for.full", "key.alt", "key.escape", "unit.kbits", "unit.decibels", "rec", "reaction", "size.kb", "size.mb", "stats.server", "device.default.named", "rec.failed.rest", "call.ending.rest"],
  de: ["details", "team.label", "presence.online", "presence.offline", "self.online", "self.offline", "share.text", "person.host", "post.bot", "look.system", "advanced.server", "thread", "thread.in", "emoji.pick", "suggest.emoji", "stats.jitter", "size.b"],
  es: ["post.bot", "key.ctrl", "size.b"],
  fr: ["row.mentions", "person.message", "device.input", "log.label", "post.bot", "compose.label", "incoming.silence", "settings.notifications", "ring.volume", "notes.messages", "key.ctrl"],
};

const files = import.meta.glob<{ default: Catalogue }>("../src/lib/languages/*.ts", { eager: true });
const catalogues = Object.entries(files).map(([path, file]) => [path.replace(/.*\/|\.ts$/g, ""), file.default] as const);

/** Every text of a catalogue by a key of its own. */
function texts({ words, sentences }: Catalogue): [string, string | Forms][] {
  return [
    ...Object.entries(words),
    ...Object.entries(sentences).flatMap(([code, parts]) => Object.entries(parts).map(([part, text]): [string, string] => [`${code}.${part}`, text])),
  ];
}
const forms = (text: string | Forms) => (typeof text === "string" ? [text] : Object.values(text));
const blanks = (text: string) => [...new Set([...text.matchAll(/\{\w+\}/g)].map(([blank]) => blank))].sort().join(" ");
const englishTexts = new Map(texts(english));

afterEach(async () => {
  await language.choose("en");
});

describe("the languages", () => {
  it("are those that the settings offer", () => {
    expect(languages.map((one) => one.tag)).toEqual(expect.arrayContaining(catalogues.map(([tag]) => tag)));
  });

  it.each(catalogues)("have all keys of English and no others: %s", (_, catalogue) => {
    expect(Object.keys(catalogue.words).sort()).toEqual(Object.keys(english.words).sort());
    expect(texts(catalogue).map(([key]) => key).sort()).toEqual([...englishTexts.keys()].sort());
  });

  it.each(catalogues)("have the blanks of English: %s", (_, catalogue) => {
    const wrong = texts(catalogue).flatMap(([key, text]) => {
      const wanted = blanks(forms(englishTexts.get(key) ?? "").join());
      return forms(text).filter((form) => blanks(form) !== wanted).map((form) => `${key}: ${form}`);
    });
    expect(wrong).toEqual([]);
  });

  it.each(catalogues)("have no text that is empty or still English: %s", (tag, catalogue) => {
    const known = new Set([...(same["all"] ?? []), ...(same[tag] ?? [])]);
    const wrong = texts(catalogue).filter(([key, text]) => forms(text).some((form) => form.trim() === "") || (!known.has(key) && JSON.stringify(text) === JSON.stringify(englishTexts.get(key))));
    expect(wrong).toEqual([]);
  });

  it.each(catalogues)("count as the language does: %s", (tag, catalogue) => {
    const wrong = texts(catalogue).flatMap(([key, text]) => {
      const counted = typeof englishTexts.get(key) === "object";
      if (typeof text === "string") return counted ? [`${key} does not count`] : [];
      const categories: readonly string[] = new Intl.PluralRules(tag, { type: key === "nth" ? "ordinal" : "cardinal" }).resolvedOptions().pluralCategories;
      // `many` is for millions in French and Spanish; the other form does for what is counted here.
      const needed = categories.filter((one) => one !== "many");
      const given = Object.keys(text);
      return counted && needed.every((one) => given.includes(one)) && given.every((one) => categories.includes(one)) ? [] : [`${key}: ${given.join()}`];
    });
    expect(wrong).toEqual([]);
  });

  it("keep every part of a sentence that can do without an unknown value", () => {
    // A part is left out with the blank it holds, so blanks must not be gathered into one part.
    for (const [tag, { sentences }] of catalogues) {
      for (const [code, { lead, rest }] of Object.entries(sentences)) {
        const parts = (text: string | undefined) => (text ?? "").split(/(?<=\.) |(?<=。)/).filter((part) => blanks(part) === "" && part).length > 0;
        const other = english.sentences[code];
        expect([tag, code, parts(lead), parts(rest)]).toEqual([tag, code, parts(other?.lead), parts(other?.rest)]);
      }
    }
  });
});

describe("the language", () => {
  const speak = (bridge: Awaited<ReturnType<typeof show>>, tag: string) => bridge.change({ slice: "appearance", value: { ...PLAIN, language: tag } });

  it("is chosen in the settings, and spoken at once by everything on screen", async () => {
    const bridge = await show("main");
    const root = document.documentElement;
    expect(root.lang).toBe("en");
    const before = [...document.querySelectorAll("time")].map((time) => time.title);
    id("settings-button").click();
    await tick();
    id("settings-page-appearance").click();
    await tick();
    const choice = id<HTMLSelectElement>("language");
    choice.value = "de";
    choice.dispatchEvent(new Event("change", { bubbles: true }));
    expect(bridge.commands.at(-1)).toEqual({ type: "setAppearance", appearance: { ...PLAIN, language: "de" } });
    speak(bridge, "de");
    await vi.waitFor(() => expect(root.lang).toBe("de"));
    expect(root.dir).toBe("ltr");
    expect(id("settings").textContent).toContain("Sprache");
    expect(id("settings-page-sound").textContent).toContain("Ton und Geräte");
    expect(id("settings").textContent).toContain(percent(1));
    id("settings-page-appearance").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    await tick();
    expect(id("settings-button").getAttribute("aria-label")).toBe("Einstellungen");
    const german = [...document.querySelectorAll("time")].map((time) => time.title);
    expect(german.length).toBeGreaterThan(0);
    expect(german).not.toEqual(before);

    speak(bridge, "en");
    await vi.waitFor(() => expect(root.lang).toBe("en"));
    expect(id("settings-button").getAttribute("aria-label")).toBe("Settings");
    // The same elements as before, written anew.
    expect([...document.querySelectorAll("time")].map((time) => time.title)).toEqual(before);
  });

  it("is the system's where none is chosen, with its region, and English where we do not speak it", async () => {
    await language.choose("", ["pt-BR", "de-AT", "en-US"]);
    expect([language.tag, language.locale]).toEqual(["de", "de-AT"]);
    await language.choose("", ["ko-KR", "pt"]);
    expect([language.tag, language.locale]).toEqual(["en", "en"]);
    await language.choose("de", ["en-GB"]);
    expect([language.tag, language.locale]).toEqual(["de", "de"]);
    await language.choose("tlh");
    expect(language.tag).toBe("en");
  });

  it("is the one chosen last, however long the others take", async () => {
    const slow = language.choose("de");
    await language.choose("en");
    await slow;
    expect([language.tag, t("settings")]).toEqual(["en", "Settings"]);
  });

  it("says in English what it has no words for, and counts it in English", async () => {
    await language.choose("de");
    language.catalogue = { words: { people: { other: "{n} Leute" } }, sentences: {} };
    expect([t("settings"), t("row.mentions", { n: 1 }), t("people", { n: 1 }), plain("call.ended")]).toEqual(["Settings", "1 mention", "1 Leute", "The call has ended."]);
  });

  it("is English made strange where forgotten strings are looked for, from right to left", async () => {
    await language.choose(PSEUDO);
    expect([language.tag, language.dir, language.locale]).toEqual([PSEUDO, "rtl", "en"]);
    expect(t("settings")).not.toBe("Settings");
    expect(t("people", { n: 3 })).toContain("3 ");
    expect(plain("call.joined", { name: "Ann" })).toContain("Ann ");
  });
});
