import type { Sentence } from "./i18n";

/** The words of being called, of calling, and of coming and going. Part of the catalogue in `i18n.ts`. */
export const ringWords = {
  "who.outside": "Sign in with {name}",
  "who.outside.sso": "single sign-on",
  "who.outside.or": "or",
  "who.outside.title": "Go on in your browser",
  "who.outside.text": "When you are signed in there, it brings you back here.",
  "who.outside.paste": "Did it not? Copy the address of its button “Open” and paste it here.",
  "who.outside.link": "Address from the browser",
  "quit.title": "Quit Halloo?",
  "quit.text": "You are in a call in {place}. Quitting leaves it.",
  "quit.stay": "Stay in the call",
  "quit.go": "Leave and quit",
  "calling": "Calling…",
  "calling.none": "No answer yet.",
  "calling.wait": "Keep waiting",
  "calling.hang": "Hang up",
  "missed.title": "Missed calls",
  "missed.label": "Call {name} back",
  "missed.clear": "Clear the list",
  "ring.system": "Heed do not disturb of this computer",
  "ring.system.text": "no ring, no notification, where the desktop tells",
  "ring.system.on": "on now",
  "ring.try": "Try it",
  "ring.try.call": "Incoming call",
  "ring.try.text": "Carol of the demonstration calls you",
  "notes.hand": "Sound when somebody raises a hand",
  "notes.record": "Sound when a recording begins",
  "notes.cues": "Volume of a call's sounds",
  "keys.here": "These keys work only while Halloo has the keyboard.",
  "keys.ask": "Ask the desktop",
} as const;

export const ringSentences: Record<string, Sentence> = {
  "sso.stale": { lead: "This sign-in is over.", rest: "Start it again here." },
  "sso.refused": { lead: "The server did not take the browser's sign-in.", rest: "Ask your administrator." },
  "call.declined": { lead: "{name} declined your call." },
  "call.no_answer": { lead: "{name} did not answer." },
};
