/** Spanish words and sentences of being called, of calling, and of coming and going. */
import type { Catalogue } from "../../language.svelte";

export const ringWords = {
  "who.outside": "Iniciar sesión con {name}",
  "who.outside.sso": "inicio de sesión único",
  "who.outside.or": "o",
  "who.outside.title": "Continúa en tu navegador",
  "who.outside.text": "Cuando hayas iniciado sesión allí, te traerá de vuelta.",
  "who.outside.paste": "¿No lo hace? Copia la dirección de su botón «Abrir» y pégala aquí.",
  "who.outside.link": "Dirección del navegador",
  "quit.title": "¿Salir de Halloo?",
  "quit.text": "Estás en una llamada en {place}. Si sales, la dejas.",
  "quit.stay": "Seguir en la llamada",
  "quit.go": "Dejarla y salir",
  "calling": "Llamando…",
  "calling.none": "Aún sin respuesta.",
  "calling.wait": "Seguir esperando",
  "calling.hang": "Colgar",
  "missed.title": "Llamadas perdidas",
  "missed.label": "Devolver la llamada a {name}",
  "missed.clear": "Vaciar la lista",
  "ring.system": "Respetar «No molestar» de este ordenador",
  "ring.system.text": "sin tono ni notificación, donde el escritorio lo indica",
  "ring.system.on": "activado ahora",
  "ring.try": "Probar",
  "ring.try.call": "Llamada entrante",
  "ring.try.text": "Carol, de la demostración, te llama",
  "notes.hand": "Sonido cuando alguien levanta la mano",
  "notes.record": "Sonido cuando empieza una grabación",
  "notes.cues": "Volumen de los sonidos de la llamada",
  "keys.here": "Estas teclas solo funcionan mientras Halloo tiene el teclado.",
  "keys.ask": "Preguntar al escritorio",
} satisfies Catalogue["words"];

export const ringSentences = {
  "sso.stale": { lead: "Este inicio de sesión ha caducado.", rest: "Empieza de nuevo aquí." },
  "sso.refused": { lead: "El servidor no aceptó el inicio de sesión del navegador.", rest: "Pregunta a tu administrador." },
  "call.declined": { lead: "{name} rechazó tu llamada." },
  "call.no_answer": { lead: "{name} no contestó." },
} satisfies Catalogue["sentences"];
