/**
 * Every word of the interface, and the only place where words are. Codes come from the core; sentences from here.
 * Say what happened, then what to do. Present tense, names first, no "please", "oops" or exclamation mark.
 */
import { caps } from "./keys";
import { language, pseudo, PSEUDO } from "./language.svelte";

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
  "quality.numbers": "{rtt} ms, {loss} % lost",
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
  "time.minutes": { one: "{n} minute", other: "{n} minutes" },
  "time.hours": { one: "{n} hour", other: "{n} hours" },
  "time.less": "less than a minute",
  "compose.to": "Write to {name}",
  "compose.offline": "Write to {name}, it is sent when you are back",
  "compose.archived": "{name} is archived. It can be read, not written.",
  "compose.label": "Message",
  "compose.send": "Send",
  "compose.hint": "Enter sends, Shift Enter breaks the line",
  "compose.long": "{n} characters too many",
  "offline.lead": "No connection to {server}.",
  "offline.text": "You see what was here when the connection broke.",
  "offline.now": "Trying again now.",
  "offline.next": "Next try in {s} s.",
  "offline.try": "Try now",
  "offline.wait": "Connecting to {server}…",
  "notices.label": "Notices",

  "settings": "Settings",
  "settings.back": "Back to channels",
  "settings.find": "Find a setting",
  "settings.none": "No setting by that name.",
  "settings.local": "Settings stay on this computer.",
  "settings.sound": "Sound and devices",
  "settings.sound.text": "Changes apply at once, also in a running call.",
  "settings.appearance": "Appearance",
  "settings.appearance.text": "Follows your system until you choose.",
  "settings.shortcuts": "Shortcuts",
  "settings.shortcuts.text": "What the keys do.",
  "settings.advanced": "Advanced",
  "settings.advanced.text": "For when something is not right.",
  "settings.level": "Level",
  "settings.level.text": "speak as you would in a call",
  "look.theme": "Theme",
  "look.system": "System",
  "look.light": "Light",
  "look.dark": "Dark",
  "look.contrast": "High contrast",
  "look.text": "Text size",
  "look.density": "Density",
  "look.comfortable": "Comfortable",
  "look.compact": "Compact",
  "look.motion": "Motion",
  "look.motion.system": "As the system",
  "look.motion.less": "Less",
  "look.motion.text": "less: reactions appear without rising",
  "look.language": "Language",
  "look.language.system": "As the system",
  "look.clock": "Time of day",
  "look.clock.system": "As the language",
  "look.clock.12": "12 hours",
  "look.clock.24": "24 hours",
  "keys.call": "In a call",
  "keys.anywhere": "Anywhere in Halloo",
  "keys.writing": "While writing",
  "keys.mute": "Mute or unmute",
  "keys.hand": "Raise or lower hand",
  "keys.people": "People in the call",
  "keys.leave": "Leave",
  "keys.start": "Start or join in this channel",
  "keys.jump": "Jump to",
  "keys.next": "Next unread",
  "keys.previous": "Previous unread",
  "keys.part": "Next part of the window",
  "keys.settings": "Settings",
  "keys.list": "This list",
  "keys.send": "Send",
  "keys.line": "New line",
  "keys.edit": "Edit your last message",
  "advanced.server": "Server",
  "advanced.calls": "Calls plugin",
  "advanced.calls.none": "off",
  "advanced.version": "Mattermost {version}",
  "advanced.account": "Signed in as {name}",
} as const;

export type Word = keyof typeof words;

const sentences: Record<string, Sentence> = {
  // Signing in.
  "server.none": { lead: "No server answers at this address.", button: "Try again" },
  "server.not_mattermost": { lead: "This is not a Mattermost server.", rest: "Something else answers at this address." },
  "server.no_calls": { lead: "No calls on this server.", rest: "You can read and write, not call." },
  "account.wrong": { lead: "That did not match.", rest: "Check the password, or whether Caps Lock is on." },
  "account.bad_token": { lead: "The server does not know this token.", rest: "It may have been revoked. Make a new one." },
  "account.mfa_needed": { lead: "This account asks for a code." },
  "account.bad_code": { lead: "That code did not match.", rest: "Wait for the next one and type it again." },
  "account.locked": { lead: "Too many attempts.", rest: "The server has locked this account for now. Your administrator can open it." },
  "account.inactive": { lead: "This account is deactivated.", rest: "Ask your administrator." },
  "account.unverified": { lead: "Your email address is not verified yet.", rest: "Open the link in the mail from your server, then sign in." },
  "account.mfa_enrol": { lead: "This server wants a second step for every account.", rest: "Set it up once in the browser, then sign in here." },
  "account.refused": { lead: "The server did not let you sign in." },
  "account.expired": { lead: "You were signed out of {server}.", rest: "Drafts are kept.", button: "Sign in" },
  "secrets.none": { lead: "No key store on this system.", rest: "You stay signed in until Halloo quits." },

  // The connection.
  "link.lost": { lead: "No connection to {server}.", rest: "Next try in {seconds} s.", button: "Try now" },
  "link.back": { lead: "Connected again." },
  "link.busy": { lead: "The server asks us to slow down.", rest: "Trying again in {seconds} s." },
  "request.failed": { lead: "The server did not do that.", button: "Try again" },

  // Writing.
  "post.failed": { lead: "The message was not sent.", button: "Try again" },
  "post.too_long": { lead: "The message is longer than the server allows.", rest: "It has {n} characters, {max} are possible." },
  "post.archived": { lead: "This channel is archived.", rest: "It can be read, not written." },
  "post.thread_gone": { lead: "The thread is gone.", rest: "Its first message was deleted." },
  "command.unknown": { lead: "The server does not know {command}.", rest: "To send the text as it is, put a space in front." },
  "command.failed": { lead: "{command} did not work." },

  // Why there is no call.
  "call.loading": { lead: "Looking whether calls are possible here." },
  "call.archived": { lead: "This channel is archived." },
  "call.inactive": { lead: "{name}'s account is deactivated." },
  "call.group_off": { lead: "This server allows calls in direct messages only." },
  "call.disabled": { lead: "Calls are switched off in this channel." },
  "call.test_mode": { lead: "Calls are in test mode.", rest: "Only administrators can start one." },
  "call.full": { lead: "This call is full.", rest: "{n} of {max} are in it. Try again when somebody has left.", button: "Try again" },
  "call.forbidden": { lead: "You may not call here.", rest: "Ask whoever runs the channel." },
  "call.refused": { lead: "The server did not let you in.", button: "Try again" },
  "call.unsupported": { lead: "This server's calls are of a kind that Halloo does not speak yet." },
  "call.already": { lead: "You are in this call already.", rest: "On this device." },
  "call.running": { lead: "A call is going on here already.", rest: "Join it instead.", button: "Join call" },
  "call.not_here": { lead: "There is no call here any more." },

  // Why a call ended.
  "call.media_timeout": { lead: "Sound could not get through", rest: "The server answered, but no sound path opened. A firewall may block port {port}.", button: "Try again" },
  "call.lost": { lead: "You lost the call", rest: "It may still be running. You come back muted.", button: "Rejoin muted" },
  "call.removed": { lead: "{name} removed you from the call.", rest: "You can still read the channel. If this was a mistake, ask {name}." },
  "call.channel_left": { lead: "You are no longer in this channel.", rest: "The call goes on without you." },
  "call.ended": { lead: "The call has ended." },

  // In a call.
  "call.muted": { lead: "You are muted.", rest: "Press {key} to talk." },
  "call.unmuted": { lead: "You are unmuted." },
  "call.talking_muted": { lead: "It sounds as if you are talking.", rest: "You are muted.", button: "Unmute" },
  "call.joined": { lead: "{name} joined." },
  "call.left": { lead: "{name} left." },
  "call.hand": { lead: "{names} raised a hand." },
  "call.hand_lowered": { lead: "{name} lowered your hand." },
  "call.muted_by": { lead: "{name} muted you." },
  "call.share_stopped_by": { lead: "{name} stopped your sharing." },
  "call.host": { lead: "{name} is now the host." },
  "call.host_you": { lead: "You are now the host." },
  "call.removed_other": { lead: "{name} was removed." },
  "call.weak": { lead: "Your connection is weak.", rest: "Others may hear gaps." },
  "call.other_weak": { lead: "{name}'s connection is weak." },
  "call.elsewhere": { lead: "You answered on another device." },
  "call.ending": { lead: "Ending the call for {n} people…", rest: "{s}", button: "Undo" },

  // Sound devices.
  "mic.denied": { lead: "Your system blocks the microphone.", rest: "You can listen. To talk, allow Halloo in the privacy settings.", button: "Try again" },
  "mic.none": { lead: "You are listening.", rest: "No microphone found; plug one in at any time.", button: "Try again" },
  "mic.busy": { lead: "Another program holds the microphone.", rest: "You can listen. Close the other program, then unmute.", button: "Try again" },
  "mic.changed": { lead: "{device} unplugged.", rest: "Using {other}." },
  "speaker.none": { lead: "No speaker found.", rest: "Plug one in to hear the others.", button: "Try again" },
  "speaker.denied": { lead: "Your system blocks the speaker.", rest: "Choose another one.", button: "Try again" },
  "speaker.busy": { lead: "Another program holds the speaker.", rest: "Choose another one, or close that program.", button: "Try again" },
  "speaker.changed": { lead: "{device} unplugged.", rest: "Using {other}." },
  "device.back": { lead: "{device} is back." },

  // Sharing and recording.
  "share.on": { lead: "You are sharing {source}." },
  "share.viewing": { lead: "{name} is sharing." },
  "share.denied": { lead: "Nothing was shared.", rest: "Your system did not allow it, or the chooser was closed.", button: "Try again" },
  "share.busy": { lead: "{name} is sharing.", rest: "One person at a time." },
  "rec.on": { lead: "This call is being recorded.", rest: "By staying you agree. The recording and a transcript go to {channel}.", button: "Understood" },
  "rec.host": { lead: "You are recording.", rest: "Tell everyone." },
  "rec.done": { lead: "Recording stopped.", rest: "The file appears in the call chat." },
  "rec.soon": { lead: "Recording stops in {n} minutes." },
  "rec.failed": { lead: "Recording stopped.", rest: "{reason}." },
  "keys.local": { lead: "Your desktop has not allowed keys everywhere yet.", button: "Ask the desktop" },
};

/** A word or sentence of the interface, its blanks filled. `n` chooses between one and many. */
export function t(word: Word, values: Values = {}): string {
  const found: string | Partial<Record<Intl.LDMLPluralRule, string>> = language.catalogue?.words[word] ?? words[word];
  if (typeof found === "string") return fill(speak(found), values);
  // A language that we lack the word in is counted as English is.
  const rules = language.catalogue?.words[word] ? plural(language.tag) : plural("en");
  const form = found[rules.select(Number(values["n"]))] ?? found.other ?? found.one ?? "";
  return fill(speak(form), values);
}

function speak(text: string): string {
  return language.tag === PSEUDO ? pseudo(text) : text;
}

/** A notice's code in words. Unknown codes say what the server said, so that nothing is ever silent. */
export function sentence(code: string, values: Values = {}, detail: string | null = null): Sentence {
  const found = language.catalogue?.sentences[code] ?? sentences[code];
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
  return code in sentences;
}

/** The sentence as one string. */
export function plain(code: string, values: Values = {}, detail: string | null = null): string {
  const { lead, rest } = sentence(code, values, detail);
  // A part with an unknown value may have taken the full stop with it.
  const ended = /[.?!…]$/.test(lead) ? lead : `${lead}.`;
  return rest ? `${ended} ${rest}` : lead;
}

const rules = new Map<string, Intl.PluralRules>();

function plural(tag: string): Intl.PluralRules {
  const known = rules.get(tag) ?? new Intl.PluralRules(tag);
  rules.set(tag, known);
  return known;
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (blank, key: string) => String(values[key] ?? blank));
}

/** Leaves out the parts that speak of something unknown, rather than show a blank. */
function fillOrDrop(text: string, values: Values): string | undefined {
  const known = (part: string) => [...part.matchAll(/\{(\w+)\}/g)].every(([, key = ""]) => values[key] !== undefined);
  // At full stops, also those of languages that put no space behind them.
  const parts = text.split(/(?<=\.) |(?<=。)/);
  return parts.filter(known).map((part) => fill(speak(part), values)).join(/。/.test(text) ? "" : " ") || undefined;
}
