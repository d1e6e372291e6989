/**
 * Every word of the interface, and the only place where words are. Codes come from the core; sentences from here.
 * Say what happened, then what to do. Present tense, names first, no "please", "oops" or exclamation mark.
 */
import { callSentences, callWords } from "./callwords";
import { chatSentences, chatWords } from "./chatwords";
import { caps } from "./keys";
import { personalWords } from "./personalwords";
import { language, pseudo, PSEUDO, type Catalogue, type Forms } from "./language.svelte";
import { number } from "./numbers";
import { ringSentences, ringWords } from "./ringwords";
import { ownSentences } from "./sentences";
import { settingsWords } from "./settingswords";

export type Values = { [key in string]?: string | number };

/** A notice in words: the fact, what else there is to say, and the verb of its button. */
export interface Sentence {
  lead: string;
  rest?: string;
  button?: string;
}

const words = {
  "app.name": "Halloo",
  "somebody": "Somebody",
  "the.server": "the server",
  "a.device": "A device",
  "unknown": "Something did not work.",
  "the.command": "The command",
  "close": "Close",
  "cancel": "Cancel",
  "details": "Details",
  "details.copy": "Copy details",
  "retry": "Try again",

  "find.title": "Where is your server?",
  "find.label": "Server address",
  "find.hint": "Ask whoever invited you. It is what you type in the browser.",
  "find.busy": "Looking for a Mattermost server…",
  "find.submit": "Continue",
  "find.check": "Check the spelling, and that you are on the company network or VPN.",
  "trust.title": "Is this really {server}?",
  "trust.changed": "{server} shows another certificate",
  "trust.text": "Nobody whom this system knows vouches for its certificate. Compare the fingerprint with the one that the administrator has, by telephone or in person. If it is the same, you can trust it.",
  "trust.changed.text": "You trusted a certificate of this server before, and this is not it. Either the administrator has replaced it, or somebody has put themselves between you and the server. Ask before you trust it.",
  "trust.fingerprint": "Fingerprint (SHA-256)",
  "trust.subject": "For",
  "trust.issuer": "Signed by",
  "trust.dates": "Valid",
  "trust.span": "{from} to {until}",
  "trust.sure": "I have compared the fingerprint with the administrator’s.",
  "trust.submit": "Trust this certificate for this server",
  "step": "Step {n} of {all}",
  "hero.title": "Your team, within earshot.",
  "hero.text": "Calls and channels from your own Mattermost server. Nothing passes through anyone else.",
  "who.title": "Sign in",
  "who.login": "Email or username",
  "who.password": "Password",
  "who.show": "Show password",
  "who.submit": "Sign in",
  "who.busy": "Signing in…",
  "who.change": "Change",
  "who.token": "Use an access token",
  "who.kept": "Your password is not kept",
  "server.encrypted": "encrypted",
  "server.open": "not encrypted",
  "server.local": "on this computer",
  "server.mattermost": "Mattermost {version}",
  "server.calls": "Calls {version}",
  "server.insecure": "This connection is not encrypted.",
  "server.insecure.rest": "Others on the way can read your password and messages. Use it only on a network that you trust.",
  "server.plain": "{name} runs Mattermost, but the Calls plugin is off. You can read and write, not call.",
  "token.title": "Use an access token",
  "token.label": "Personal access token",
  "token.hint": "Made in Mattermost under Profile, Security. Your administrator must allow it.",
  "token.back": "Use a password",
  "code.title": "Enter your code",
  "code.from": "From your authenticator app, for {login}.",
  "code.label": "Six digit code",
  "code.hint": "Signs in by itself after the sixth digit.",
  "back": "Back",

  "side.label": "Channels",
  "side.open": "Show channels",
  "side.live": "Live now",
  "side.channels": "Channels",
  "side.direct": "Direct messages",
  "side.none": "No channels yet.",
  "side.jump": "Jump to…",
  "side.jump.what": "a channel or person",
  "side.jump.label": "Jump to channel or person",
  "side.jump.none": "Nothing by that name.",
  "team.switch": "{team} {server}, switch team or sign out",
  "team.one": "{team} {server}, sign out",
  "team.signout": "Sign out of {server}",
  "team.label": "Teams",
  "servers.label": "Servers",
  "servers.add": "Add a server",
  "servers.new": "New server",
  "servers.remove": "Remove {server}",
  "servers.remove.title": "Remove {server}?",
  "servers.remove.text": "You are signed out there, and drafts of that server are forgotten. Your other servers stay as they are.",
  "servers.remove.go": "Remove",
  "servers.cancel": "Do not add a server",
  "servers.call": "in a call",
  "servers.rings": "a call comes in",
  "servers.lost": "not connected",
  "servers.out": "not signed in",
  "row.unread": "unread",
  "row.call": { one: "{n} person in the call", other: "{n} people in the call" },
  "row.mentions": { one: "{n} mention", other: "{n} mentions" },
  "row.muted": "muted",
  "row.archived": "archived",
  "row.group": "group",
  "row.private": "private",
  "row.draft": "draft",
  "live.join": "Join",
  "live.join.label": "Join call in {name}",
  "presence.online": "online",
  "presence.away": "away",
  "presence.dnd": "do not disturb",
  "presence.ooo": "out of office",
  "presence.offline": "offline",
  "self.online": "Online",
  "self.away": "Away",
  "self.dnd": "Do not disturb",
  "self.ooo": "Out of office",
  "self.offline": "Offline",
  "self.incall": "In a call",
  "self.devices": "Sound devices",

  "call.start": "Start call",
  "call.join": "Join call",
  "call.joining": "Joining…",
  "call.joining.cancel": "Joining… Cancel",
  "call.in": "In this call",
  "call.off.link": "No connection to the server.",
  "call.off.server": "No calls on this server.",
  "call.back": "Call back",
  "call.leave": "Leave",
  "call.leave.label": "Leave call",
  "call.cancel.label": "Stop joining",
  "call.again": "Try again",
  "call.failed": "Not connected",
  "call.bar": "Your call in {place}",
  "call.controls": "Call controls",
  "share.label": "Share your screen",
  "share.stop.label": "Stop sharing",
  "share.stop": "Stop",
  "share.sound": "Share sound",
  "share.sound.rest": "What other programs play is heard too; the call itself is not sent back.",
  "share.volume": "Loudness of the shared sound",
  "share.locked": "Held while this computer is locked",
  "share.held": "Held: {name}",
  "settings.quiet.sharing": "Held back while I share a screen",
  "settings.quiet.sharing.text": "Everybody who watches would read them.",
  "share.ask": "Ask to show mine",
  "share.ask.rest": "Writes to {name}",
  "share.ask.text": "May I share my screen?",
  "share.pause": "Hold the picture",
  "share.resume": "Go on showing",
  "share.busy": "{name} is sharing. One person at a time.",
  "share.what": "What do you want to show?",
  "share.find": "Find a window",
  "share.again": "Look again",
  "share.screens": "Screens",
  "share.windows": "Windows",
  "share.screen": "Screen {n}",
  "share.portal": "Screen or window",
  "share.portal.again": "The same as last time",
  "share.portal.again.rest": "your desktop remembers it",
  "share.portal.choose": "Choose a screen or window",
  "share.portal.choose.rest": "your desktop asks which",
  "share.looking": "Looking for screens and windows…",
  "share.none": "Nothing here can be shown.",
  "share.kind": "What matters",
  "share.text": "Text",
  "share.text.rest": "full size, sharp",
  "share.motion": "Motion",
  "share.motion.rest": "smooth, for films",
  "share.start": "Share {name}",
  "share.start.none": "Share",
  "share.this": "your screen",
  "share.starting": "Starting…",
  "share.sharing": "You are sharing {name}",
  "share.stage": "Screen of {name}",
  "share.picture": "The shared screen. Double click for full screen.",
  "share.size": "Height of the picture",
  "share.waiting": "The picture is coming…",
  "share.mine": "Your screen, as the others see it",
  "share.of": "{name} is sharing",
  "zoom.in": "Larger",
  "zoom.out": "Smaller",
  "zoom.fit": "Fit",
  "zoom.full": "Full screen",
  "call.connecting": "Connecting…",
  "call.connecting.rest": "Opening the sound path",
  "call.joining.rest": "Asking to be let in",
  "call.reconnecting": "Reconnecting…",
  "call.media.flows": "You still hear each other.",
  "call.media.lost": "Others may not hear you.",
  "call.quiet": "No one is talking",
  "call.alone": "Only you so far",
  "call.alone.direct": "Nobody else is here yet",
  "call.talking.you": "You are talking",
  "call.talking.one": "{name} is talking",
  "call.talking.two": "{name} and {other} are talking",
  "call.talking.many": "{n} people are talking",
  "call.timer": "Duration {time}",
  "call.hands.one": "{name} raised a hand",
  "mic.mute": "Mute",
  "mic.unmute": "Unmute",
  "mic.word.muted": "Muted",
  "mic.word.opening": "Opening microphone…",
  "mic.word.open": "Microphone on",
  "mic.word.unavailable": "Listening only",
  "mic.unavailable.label": "No microphone. You are listening",
  "mic.note.muted": "You are muted. Hold {key} to talk",
  "hand.raise": "Raise hand",
  "hand.lower": "Lower hand",
  "people": { one: "{n} person", other: "{n} people" },
  "hands": { one: "{n} hand raised", other: "{n} hands raised" },
  "people.label": "People in the call",
  "nth": { one: "{n}st", two: "{n}nd", few: "{n}rd", other: "{n}th" },
  "person.device": "device {n}",
  "people.devices": { one: "{n} on two devices", other: "{n} on two devices" },
  "person.you": "(you)",
  "person.host": "Host",
  "person.options": "Options for {name}",
  "person.volume": "Volume of {name}",
  "person.silence": "Silence for me only",
  "person.unsilence": "Hear again",
  "person.message": "Message",
  "state.talking": "talking",
  "state.muted": "muted",
  "state.unmuted": "microphone on",
  "state.sharing": "sharing",
  "state.hand": "hand raised, {nth}",
  "more": "Sound devices",
  "device.input": "Microphone",
  "device.output": "Speaker",
  "device.default": "System default",
  "device.default.named": "System default · {name}",
  "device.none.input": "No microphone found",
  "device.none.output": "No speaker found",
  "device.gone": "{name} (unplugged)",
  "device.level": "Microphone level",
  "quality.good": "Connection good",
  "quality.fair": "Connection fair",
  "quality.poor": "Connection poor",
  "quality.unknown": "Connection not measured yet",
  "quality.numbers": "{rtt}, {loss} lost",
  "switch.title": "Leave {place} for {other}?",
  "switch.text": "You can be in one call at a time.",
  "switch.other": "the other call",
  "switch.stay": "Stay",
  "switch.go": "Leave and join",

  "head.label": "Channel",
  "log.label": "Messages",
  "log.new": "New",
  "log.newest": "Newest messages",
  "log.older": "Loading older messages…",
  "log.loading": "Loading messages…",
  "log.start": "This is the start of {name}",
  "log.start.direct": "This is the start of your messages with {name}",
  "log.start.text": "Write the first message, or start a call: everyone here will see it.",
  "log.start.quiet": "Nobody has written here yet.",
  "log.pick": "No channel open",
  "log.pick.text": "Choose one on the side, or press {key} to jump.",
  "post.today": "Today",
  "post.yesterday": "Yesterday",
  "post.edited": "edited",
  "post.waiting": "waiting to send",
  "post.sending": "sending…",
  "post.failed": "not sent",
  "post.retry": "Try again",
  "post.delete": "Delete",
  "post.ephemeral": "Only you see this",
  "post.reply": "Reply in a thread",
  "post.replies": { one: "{n} reply", other: "{n} replies" },
  "table": "Table",
  "code.copy": "Copy code",
  "code.copied": "Copied",
  "task.done": "done",
  "task.open": "not done",
  "post.bot": "Bot",
  "card.started": "started a call",
  "card.called": "called",
  "card.live": "Call in progress",
  "card.mine": "You are in this call",
  "card.ended": "Call ended",
  "card.missed": "Missed call",
  "card.unanswered": "No answer",
  "card.calling": "Calling…",
  "card.declined": "Call declined",
  "card.cancelled": "Call cancelled",
  "card.people": { one: "{n} person", other: "{n} people" },
  "time.less": "less than a minute",
  "compose.to": "Write to {name}",
  "compose.offline": "Write to {name}, it is sent when you are back",
  "compose.archived": "{name} is archived. It can be read, not written.",
  "compose.label": "Message",
  "compose.send": "Send",
  "compose.hint": "Enter sends, Shift Enter breaks the line",
  "compose.long": { one: "{n} character too many", other: "{n} characters too many" },
  "offline.lead": "No connection to {server}.",
  "offline.text": "You see what was here when the connection broke.",
  "offline.now": "Trying again now.",
  "offline.next": "Next try in {s} s.",
  "offline.try": "Try now",
  "offline.wait": "Connecting to {server}…",
  "notices.label": "Notices",

  "incoming.calls": "is calling you",
  "incoming.calls.group": "is calling the group",
  "incoming.waits": "is still waiting",
  "incoming.elsewhere": "You answered on another device.",
  "incoming.join": "Join",
  "incoming.switch": "Switch",
  "incoming.ignore": "Ignore",
  "incoming.ignore.named": "Ignore {name}",
  "incoming.decline": "Decline",
  "incoming.silence": "Silence",
  "incoming.silence.label": "Silence the ring",
  "incoming.muted": "Join muted",
  "incoming.block": "Block {name}",
  "incoming.more": { one: "and {n} more", other: "and {n} more" },
  "incoming.in": "{n} in the call",
  ...settingsWords,
  ...callWords,
  ...chatWords,
  ...ringWords,
  ...personalWords,
} as const;

export type Word = keyof typeof words;

const sentences: Record<string, Sentence> = { ...ownSentences, ...chatSentences, ...callSentences, ...ringSentences };

/** What every other language is measured by, and falls back on. */
export const english: Catalogue = { words, sentences };

/** A word or sentence of the interface, its blanks filled. `n` chooses between one and many. */
export function t(word: Word, values: Values = {}): string {
  return worded(word, values, "cardinal");
}

/** A place in a row: "1st", "2nd". */
export function ordinal(word: Word, n: number): string {
  return worded(word, { n }, "ordinal");
}

function worded(word: Word, values: Values, type: Intl.PluralRuleType): string {
  const own = language.catalogue?.words[word];
  const found: string | Forms = own ?? words[word];
  if (typeof found === "string") return fill(speak(found), values);
  // A language that we lack the word in is counted as English is.
  const form = found[plural(own ? language.tag : "en", type).select(Number(values["n"]))] ?? found.other ?? found.one ?? "";
  return fill(speak(form), values);
}

function speak(text: string): string {
  return language.tag === PSEUDO ? pseudo(text) : text;
}

/** A notice's code in words. Unknown codes say what the server said, so that nothing is ever silent. */
export function sentence(code: string, values: Values = {}, detail: string | null = null): Sentence {
  const found = own(language.catalogue?.sentences, code) ?? own(sentences, code);
  if (!found) return detail ? { lead: detail } : { lead: t("unknown") };
  const set = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== undefined));
  const known: Values = { key: caps("Control+Shift+Space"), ...set };
  return {
    lead: fillOrDrop(found.lead, { ...stand(), ...known }) ?? t("unknown"),
    rest: found.rest && fillOrDrop(found.rest, known),
    button: found.button && speak(found.button),
  };
}

/** Who and what stands in for the unknown where the sentence cannot do without. */
const stand = (): Values => ({
  name: t("somebody"),
  names: t("somebody"),
  server: t("the.server"),
  device: t("a.device"),
  command: t("the.command"),
});

/** Whether a code has words of its own. */
export function isKnown(code: string): boolean {
  return Object.hasOwn(sentences, code);
}

/** What a table says about a name from outside, which may be one that every object has: `constructor`. */
function own<T>(table: Record<string, T> | undefined, name: string): T | undefined {
  return table && Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The sentence as one string. */
export function plain(code: string, values: Values = {}, detail: string | null = null): string {
  const { lead, rest } = sentence(code, values, detail);
  // A part with an unknown value may have taken the full stop with it.
  const ended = /[.?!…。]$/.test(lead) ? lead : `${lead}${language.tag === "ja" ? "。" : "."}`;
  return rest ? `${ended}${ended.endsWith("。") ? "" : " "}${rest}` : lead;
}

const rules = new Map<string, Intl.PluralRules>();

function plural(tag: string, type: Intl.PluralRuleType): Intl.PluralRules {
  const key = `${tag} ${type}`;
  const known = rules.get(key) ?? new Intl.PluralRules(tag, { type });
  rules.set(key, known);
  return known;
}

/** Counts are written as the language writes numbers; what is no count, a port or a version, stays as it is. */
function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (blank, key: string) => {
    const value = values[key];
    return key === "n" && typeof value === "number" ? number(value) : String(value ?? blank);
  });
}

/** Leaves out the parts that speak of something unknown, rather than show a blank. */
function fillOrDrop(text: string, values: Values): string | undefined {
  const known = (part: string) => [...part.matchAll(/\{(\w+)\}/g)].every(([, key = ""]) => values[key] !== undefined);
  // At full stops, also those of languages that put no space behind them.
  const parts = text.split(/(?<=\.) |(?<=。)/);
  return parts.filter(known).map((part) => fill(speak(part), values)).join(/。/.test(text) ? "" : " ") || undefined;
}
