/** French, in the polite form ("vous"). */
import type { Catalogue } from "../language.svelte";
import { callSentences, callWords } from "./fr/call";
import { chatSentences, chatWords } from "./fr/chat";
import { sentences } from "./fr/sentences";
import { settingsWords } from "./fr/settings";
import { words } from "./fr/words";

export default {
  words: { ...words, ...settingsWords, ...callWords, ...chatWords },
  sentences: { ...sentences, ...callSentences, ...chatSentences },
} satisfies Catalogue;
