/** German, in the familiar form ("du"). */
import type { Catalogue } from "../language.svelte";
import { callSentences, callWords } from "./de/call";
import { chatSentences, chatWords } from "./de/chat";
import { personalWords } from "./de/personal";
import { ringSentences, ringWords } from "./de/ring";
import { sentences } from "./de/sentences";
import { settingsWords } from "./de/settings";
import { words } from "./de/words";

export default {
  words: { ...words, ...settingsWords, ...callWords, ...chatWords, ...ringWords, ...personalWords },
  sentences: { ...sentences, ...callSentences, ...chatSentences, ...ringSentences },
} satisfies Catalogue;
