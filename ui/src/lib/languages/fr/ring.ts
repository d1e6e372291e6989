/** French words and sentences of being called, of calling, and of coming and going. */
import type { Catalogue } from "../../language.svelte";

export const ringWords = {
  "who.outside": "Se connecter avec {name}",
  "who.outside.sso": "l’authentification unique",
  "who.outside.or": "ou",
  "who.outside.title": "Continuez dans votre navigateur",
  "who.outside.text": "Une fois connecté, il vous ramène ici.",
  "who.outside.paste": "Rien ne se passe ? Copiez l’adresse de son bouton « Ouvrir » et collez-la ici.",
  "who.outside.link": "Adresse du navigateur",
  "quit.title": "Quitter Halloo ?",
  "quit.text": "Vous êtes en appel dans {place}. Quitter y met fin pour vous.",
  "quit.stay": "Rester en appel",
  "quit.go": "Quitter l’appel et Halloo",
  "calling": "Appel en cours…",
  "calling.none": "Pas encore de réponse.",
  "calling.wait": "Continuer d’attendre",
  "calling.hang": "Raccrocher",
  "missed.title": "Appels manqués",
  "missed.label": "Rappeler {name}",
  "missed.clear": "Vider la liste",
  "ring.system": "Respecter « Ne pas déranger » de cet ordinateur",
  "ring.system.text": "ni sonnerie ni notification, là où le bureau le signale",
  "ring.system.on": "activé en ce moment",
  "ring.try": "Essayer",
  "ring.try.call": "Appel entrant",
  "ring.try.text": "Carol, de la démonstration, vous appelle",
  "notes.hand": "Son quand quelqu’un lève la main",
  "notes.record": "Son quand un enregistrement commence",
  "notes.cues": "Volume des sons d’un appel",
  "keys.here": "Ces touches ne fonctionnent que lorsque Halloo a le clavier.",
  "keys.ask": "Demander au bureau",
} satisfies Catalogue["words"];

export const ringSentences = {
  "sso.stale": { lead: "Cette connexion est expirée.", rest: "Recommencez ici." },
  "sso.refused": { lead: "Le serveur n’a pas accepté la connexion du navigateur.", rest: "Demandez à votre administrateur." },
  "call.declined": { lead: "{name} a refusé votre appel." },
  "call.no_answer": { lead: "{name} n’a pas répondu." },
} satisfies Catalogue["sentences"];
