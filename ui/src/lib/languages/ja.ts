/** Japanese, in the polite form (です・ます). */
import type { Catalogue } from "../language.svelte";
import { callSentences, callWords } from "./ja/call";
import { chatSentences, chatWords } from "./ja/chat";
import { personalWords } from "./ja/personal";
import { ringSentences, ringWords } from "./ja/ring";
import { sentences } from "./ja/sentences";
import { settingsWords } from "./ja/settings";
import { words } from "./ja/words";

export default {
  words: { ...words, ...settingsWords, ...callWords, ...chatWords, ...ringWords, ...personalWords },
  sentences: { ...sentences, ...callSentences, ...chatSentences, ...ringSentences },
} satisfies Catalogue;
