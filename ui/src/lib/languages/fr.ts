/** French, in the polite form ("vous"). */
import type { Catalogue } from "../language.svelte";
import { callSentences, callWords } from "./fr/call";
import { chatSentences, chatWords } from "./fr/chat";
import { personalWords } from "./fr/personal";
import { ringSentences, ringWords } from "./fr/ring";
import { sentences } from "./fr/sentences";
import { settingsWords } from "./fr/settings";
import { words } from "./fr/words";

export default {
  words: { ...words, ...settingsWords, ...callWords, ...chatWords, ...ringWords, ...personalWords },
  sentences: { ...sentences, ...callSentences, ...chatSentences, ...ringSentences },
} satisfies Catalogue;
