/** Every language says all that English says, with the same blanks, and is spoken as soon as it is chosen. */
import { tick } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";

import { clock, day, nth, span, useLocale } from "../src/lib/format";
import { english, plain, t } from "../src/lib/i18n";
import { language, languages, PSEUDO, type Catalogue, type Forms } from "../src/lib/language.svelte";
import { commas, list } from "../src/lib/names";
import { percent } from "../src/lib/numbers";
import { PLAIN } from "../src/lib/theme";
import { id, show } from "./render";

/** Names, signs, units and words that other languages have taken over: the same as in English, and right so. */
const same: Record<string, readonly string[]> = {
  all: ["app.name", "server.mattermost", "server.calls", "ring.for.short", "ring.for.full", "key.alt", "key.escape", "unit.kbits", "unit.decibels", "rec", "reaction", "size.kb", "size.mb", "stats.server", "device.default.named", "rec.failed.rest", "call.ending.rest", "trust.of", "net.stun"],
  de: ["details", "team.label", "presence.online", "presence.offline", "self.online", "self.offline", "share.text", "person.host", "post.bot", "look.system", "advanced.server", "thread", "thread.in", "emoji.pick", "suggest.emoji", "stats.jitter", "stats.person", "net.site", "size.b"],
  es: ["net.no", "post.bot", "key.ctrl", "size.b"],
  ja: ["post.bot", "key.ctrl", "key.shift", "key.enter"],
  fr: ["row.mentions", "person.message", "device.input", "log.label", "post.bot", "compose.label", "incoming.silence", "settings.notifications", "ring.volume", "notes.messages", "key.ctrl", "player.position", "player.volume"],
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

/** What stands in a view word for word. */
function texted(element: Element): string[] {
  return [...element.querySelectorAll("*")].flatMap((one) => [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent ?? ""));
}

afterEach(async () => {
  await language.choose("en");
});

describe("the languages", () => {
  it("are those that the settings offer", () => {
    expect(catalogues.map(([tag]) => tag).sort()).toEqual(languages.map((one) => one.tag).filter((tag) => tag !== "en").sort());
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

  it.each([
    ["en", "en-GB", "1 hour 5 minutes", "3rd", "Ann, Bob and Cem", "Ann, Bob", "50%", "14:05", "Friday 27 March"],
    ["de", "de", "1 Stunde, 5 Minuten", "3.", "Ann, Bob und Cem", "Ann, Bob", "50 %", "14:05", "Freitag, 27. März"],
    ["fr", "fr", "1 heure 5 minutes", "3e", "Ann, Bob et Cem", "Ann, Bob", "50 %", "14:05", "vendredi 27 mars"],
    ["es", "es", "1 hora 5 minutos", "3.ª", "Ann, Bob y Cem", "Ann, Bob", "50 %", "14:05", "viernes, 27 de marzo"],
    ["ja", "ja", "1 時間5 分", "3番目", "Ann、Bob、Cem", "Ann、Bob", "50%", "14:05", "3月27日金曜日"],
  ])("writes spans, places, lists, shares, times and days: %s", async (tag, locale, ...wanted) => {
    await language.choose(tag);
    useLocale(locale);
    const now = new Date(2026, 3, 2, 14, 5).getTime();
    // Which of the many spaces stands there is the business of the Unicode tables.
    const plainly = (text: string) => text.replace(/\s+/g, " ");
    expect([span(65 * 60_000), nth(3), list(["Ann", "Bob", "Cem"]), commas(["Ann", false, "Bob"]), percent(0.5), clock(now), day(new Date(2026, 2, 27).getTime(), now)].map(plainly)).toEqual(wanted);
    useLocale("en-GB");
  });

  it("has the day in 12 or 24 hours where a person wants it otherwise", async () => {
    const time = new Date(2026, 3, 2, 14, 5).getTime();
    const ways = (tag: string) =>
      (["system", "hours12", "hours24"] as const).map((hours) => {
        useLocale(tag, hours);
        return clock(time).replace(/\s/g, " ").toLowerCase();
      });
    expect(ways("en-US")).toEqual(["2:05 pm", "2:05 pm", "14:05"]);
    expect(ways("de")).toEqual(["14:05", "2:05 pm", "14:05"]);
    useLocale("en-GB");
  });

  it.each([["address", "main"], ["sign-in-code", "main"], ["main", "main"], ["main", "settings"], ["live", "main"], ["live", "call"]] as const)("leaves nothing in English behind: %s in %s", async (view, where) => {
    const bridge = await show(view, where === "call" ? "call" : "main");
    if (where === "settings") id("settings-button").click();
    await tick();
    const said = () => [
      ...[...document.querySelectorAll("[aria-label], [title], [placeholder]")].flatMap((one) => ["aria-label", "title", "placeholder"].map((name) => one.getAttribute(name))),
      ...texted(document.body),
    ];
    for (const tag of languages.map((one) => one.tag).filter((one) => one !== "en")) {
      speak(bridge, tag);
      await vi.waitFor(() => expect(document.documentElement.lang).toBe(tag));
      await tick();
      const spoken = new Set(catalogues.filter(([one]) => one === tag).flatMap(([, catalogue]) => texts(catalogue).flatMap(([, text]) => forms(text))));
      const left = new Set([...englishTexts.values()].flatMap(forms).filter((text) => !spoken.has(text)));
      // The team of the example is called like one of the tones.
      left.delete("Harbour");
      expect([tag, ...said().filter((text) => text && left.has(text.trim()))]).toEqual([tag]);
    }
  });

  it("joins sentences without a space where it has none, and leaves out what is unknown", async () => {
    await language.choose("ja");
    expect(plain("call.muted_by")).toBe("誰かがあなたをミュートしました。");
    expect(plain("call.media_timeout")).toBe("音声がつながりませんでした。サーバーは応答しましたが、音声の経路が開きませんでした。");
    await language.choose("de");
    expect(plain("link.lost", { server: "a.example", seconds: 4 })).toBe("Keine Verbindung zu a.example. Nächster Versuch in 4 s.");
    expect(plain("call.muted_by")).toBe("Jemand hat dich stummgeschaltet.");
  });

  it("is English made strange where forgotten strings are looked for, from right to left", async () => {
    await language.choose(PSEUDO);
    expect([language.tag, language.dir, language.locale]).toEqual([PSEUDO, "rtl", "en"]);
    expect(t("settings")).not.toBe("Settings");
    expect(t("people", { n: 3 })).toContain("3 ");
    expect(plain("call.joined", { name: "Ann" })).toContain("Ann ");
  });
});
