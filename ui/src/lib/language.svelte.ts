/** Which language the interface speaks, and what it says in it. English is always at hand; others are fetched when chosen. */

/** One wording for each way that the language counts. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>>;

/** What a catalogue holds: the same keys as English; what is missing is said in English. */
export interface Catalogue {
  words: Record<string, string | Forms>;
  sentences: Record<string, { lead: string; rest?: string; button?: string }>;
}

/** Languages in their own words, in the order of display. `x-rtl` is for testing the layout from right to left. */
export const languages: readonly { tag: string; name: string }[] = [
  { tag: "en", name: "English" },
  { tag: "de", name: "Deutsch" },
  { tag: "fr", name: "Français" },
  { tag: "es", name: "Español" },
  { tag: "ja", name: "日本語" },
];

/** A made-up language, long and from right to left, in which a forgotten string stands out. */
export const PSEUDO = "x-rtl";

/** One file a language; each is fetched when somebody wants it. */
const files = import.meta.glob<{ default: Catalogue }>("./languages/*.ts");

class Language {
  /** Tag of the language in use. */
  tag = $state("en");
  /** The same with its region, for dates and numbers: `de-AT` where the system says so. */
  locale = $state("en");
  /** Its catalogue; nothing for English and the pseudo-language, which is made from English. */
  catalogue = $state.raw<Catalogue>();
  /** A language has been chosen and is at hand. */
  ready = $state(false);
  #wanted = "en";

  /** The direction of its writing. */
  get dir(): "ltr" | "rtl" {
    return this.tag === PSEUDO || /^(?:ar|fa|he|ur)\b/.test(this.tag) ? "rtl" : "ltr";
  }

  /** Chooses a language; an empty tag follows the system, an unknown one is English. Resolves when it is spoken. */
  async choose(tag: string, system: readonly string[] = navigator.languages): Promise<void> {
    const wanted = tag === PSEUDO ? PSEUDO : (known(tag ? [tag] : system) ?? "en");
    this.#wanted = wanted;
    const file = files[`./languages/${wanted}.ts`];
    // English is there at once, without a moment in another language.
    if (!file) return this.#speak(wanted, system);
    const catalogue = (await file().catch(() => undefined))?.default;
    // Another one may have been chosen while this one was on its way.
    if (this.#wanted === wanted) this.#speak(catalogue ? wanted : "en", system, catalogue);
  }

  #speak(tag: string, system: readonly string[], catalogue?: Catalogue): void {
    this.catalogue = catalogue;
    this.tag = tag;
    this.locale = system.find((one) => base(one) === tag) ?? (tag === PSEUDO ? "en" : tag);
    this.ready = true;
  }
}

const base = (tag: string) => tag.toLowerCase().split("-")[0];

/** The first language of the list that we speak: `de-AT` is `de`. */
function known(tags: readonly string[]): string | undefined {
  return tags.map(base).find((tag) => languages.some((one) => one.tag === tag));
}

export const language = new Language();

/** Text made long, strange and right-to-left, with its blanks untouched. */
export function pseudo(text: string): string {
  const letters: Record<string, string> = { a: "á", e: "é", i: "ï", o: "ö", u: "ü", c: "ç", n: "ñ", y: "ý", s: "š", A: "Å", E: "Ë", I: "Î", O: "Ø", U: "Û", S: "Š" };
  const strange = text.replace(/\{\w+\}|[aeioucnysAEIOUS]/g, (found) => letters[found] ?? found);
  return `\u2067[${strange}${"·".repeat(Math.ceil(text.length * 0.3))}]\u2069`;
}
