/** Spanish, in the familiar form ("tú"). */
import type { Catalogue } from "../language.svelte";
import { callSentences, callWords } from "./es/call";
import { chatSentences, chatWords } from "./es/chat";
import { personalWords } from "./es/personal";
import { ringSentences, ringWords } from "./es/ring";
import { sentences } from "./es/sentences";
import { settingsWords } from "./es/settings";
import { words } from "./es/words";

export default {
  words: { ...words, ...settingsWords, ...callWords, ...chatWords, ...ringWords, ...personalWords },
  sentences: { ...sentences, ...callSentences, ...chatSentences, ...ringSentences },
} satisfies Catalogue;
