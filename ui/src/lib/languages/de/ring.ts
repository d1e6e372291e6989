/** German words and sentences of being called, of calling, and of coming and going. */
import type { Catalogue } from "../../language.svelte";

export const ringWords = {
  "who.outside": "Mit {name} anmelden",
  "who.outside.sso": "Einmalanmeldung",
  "who.outside.or": "oder",
  "who.outside.title": "Weiter im Browser",
  "who.outside.text": "Wenn du dort angemeldet bist, bringt er dich hierher zurück.",
  "who.outside.paste": "Tut er das nicht? Kopiere die Adresse seines Knopfs „Öffnen“ und füge sie hier ein.",
  "who.outside.link": "Adresse aus dem Browser",
  "quit.title": "Halloo beenden?",
  "quit.text": "Du bist in {place} in einem Anruf. Beim Beenden verlässt du ihn.",
  "quit.stay": "Im Anruf bleiben",
  "quit.go": "Verlassen und beenden",
  "calling": "Es klingelt…",
  "calling.none": "Noch keine Antwort.",
  "calling.wait": "Weiter warten",
  "calling.hang": "Auflegen",
  "missed.title": "Verpasste Anrufe",
  "missed.label": "{name} zurückrufen",
  "missed.clear": "Liste leeren",
  "ring.system": "„Nicht stören“ dieses Computers beachten",
  "ring.system.text": "kein Klingeln, keine Benachrichtigung, wo der Desktop es mitteilt",
  "ring.system.on": "jetzt an",
  "ring.try": "Ausprobieren",
  "ring.try.call": "Eingehender Anruf",
  "ring.try.text": "Carol aus der Vorführung ruft dich an",
  "notes.hand": "Ton, wenn jemand die Hand hebt",
  "notes.record": "Ton, wenn eine Aufnahme beginnt",
  "notes.cues": "Lautstärke der Töne im Anruf",
  "keys.here": "Diese Tasten wirken nur, während Halloo die Tastatur hat.",
  "keys.ask": "Desktop fragen",
} satisfies Catalogue["words"];

export const ringSentences = {
  "sso.stale": { lead: "Diese Anmeldung ist vorbei.", rest: "Beginne sie hier noch einmal." },
  "sso.refused": { lead: "Der Server hat die Anmeldung des Browsers nicht angenommen.", rest: "Frag deine Administration." },
  "call.declined": { lead: "{name} hat deinen Anruf abgelehnt." },
  "call.no_answer": { lead: "{name} hat nicht geantwortet." },
} satisfies Catalogue["sentences"];
