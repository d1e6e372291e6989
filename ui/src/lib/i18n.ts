/**
 * Every word of the interface, and the only place where words are. Codes come from the core; sentences from here.
 * Say what happened, then what to do. Present tense, names first, no "please", "oops" or exclamation mark.
 */
import { callSentences, callWords } from "./callwords";
import { chatSentences, chatWords } from "./chatwords";
import { caps } from "./keys";
import { language, pseudo, PSEUDO, type Catalogue, type Forms } from "./language.svelte";
import { number } from "./numbers";

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
  "share.pause": "Hold the picture",
  "share.resume": "Go on showing",
  "share.busy": "{name} is sharing. One person at a time.",
  "share.what": "What do you want to show?",
  "share.find": "Find a window",
  "share.again": "Look again",
  "share.screens": "Screens",
  "share.windows": "Windows",
  "share.screen": "Screen {n}",
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
  "settings.ringing": "Ringing",
  "settings.ringing.text": "For direct and group calls. Muted channels and do not disturb never ring.",
  "settings.notifications": "Notifications",
  "settings.notifications.text": "What reaches you when Halloo is not in front.",
  "ring.server.off": "This server does not ring. Its administrator can switch ringing on.",
  "ring.on": "Ring for calls",
  "ring.everywhere": "same on all your devices",
  "ring.tone": "Tone",
  "tone.calm": "Calm",
  "tone.dynamic": "Dynamic",
  "tone.urgent": "Urgent",
  "tone.cheerful": "Cheerful",
  "tone.harbour": "Harbour",
  "tone.lantern": "Lantern",
  "ring.device": "Ring on",
  "ring.device.text": "calls stay on your headset",
  "ring.device.all": "All outputs",
  "ring.volume": "Volume",
  "ring.for": "Ring for",
  "ring.for.short": "15 s",
  "ring.for.full": "30 s",
  "ring.for.once": "Once",
  "ring.quiet": "Quiet hours",
  "ring.quiet.text": "no ring, no notification",
  "ring.quiet.from": "Quiet from",
  "ring.quiet.until": "to",
  "ring.quiet.to": "Quiet until",
  "ring.channels": "Channels that ring too",
  "ring.channels.text": "only on this computer",
  "ring.channels.add": "Add a channel",
  "ring.channels.remove": "{name} rings no more",
  "ring.blocked": "Blocked",
  "ring.blocked.text": "their calls and messages stay silent here",
  "ring.unblock": "Unblock {name}",
  "notes.messages": "Messages",
  "notes.all": "All",
  "notes.mention": "Mentions and direct",
  "notes.none": "None",
  "notes.none.text": "calls do not ring either",
  "notes.calls": "Calls, with Join and Ignore buttons",
  "notes.chat": "Replies in my call's chat",
  "notes.chat.text": "off: only mentions, while you are in the call",
  "notes.text": "Show message text",
  "notes.text.text": "off shows only the name",
  "notes.join": "Sound when somebody joins",
  "notes.join.text": "up to 8 people",
  "notes.mute": "Sound when I mute or unmute",
  "notes.tray": "Keep running when the window is closed",
  "notes.tray.text": "where the desktop has a tray",
  "notes.autostart": "Start when I sign in to this computer",
  "notes.hidden": "Start without a window",
  "notes.test": "Self-test",
  "notes.test.send": "Send a test notification",
  "notes.test.arrived": "Arrived",
  "notes.test.lost": "Nothing on this desktop shows notifications. Calls still ring and pop up.",
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
  "keys.talk": "Push to talk",
  "keys.talk.text": "works while another window is in front",
  "keys.mute.text": "works while another window is in front",
  "keys.press": "Press the keys…",
  "keys.choose": "Choose a key",
  "keys.remove": "Remove",
  "keys.tail": "Talk a moment longer",
  "keys.tail.text": "after the key was let go",
  "sound.input.volume": "Microphone volume",
  "sound.output.volume": "Speaker volume",
  "sound.test": "Play a test sound",
  "sound.threshold": "Voice activation",
  "sound.threshold.text": "sends only what is louder than this",
  "sound.threshold.off": "off",
  "sound.voice": "Your voice",
  "sound.echo": "Echo cancellation",
  "sound.echo.text": "off is better with headphones and music",
  "sound.noise": "Noise suppression",
  "sound.noise.text": "strong also removes keys and clicks",
  "sound.noise.off": "Off",
  "sound.noise.standard": "Standard",
  "sound.noise.strong": "Strong",
  "sound.gain": "Automatic volume",
  "sound.gain.text": "never touches the system's own level",
  "sound.dump": "Write sound files",
  "sound.dump.text": "microphone, speaker and what is sent, for five minutes, in the profile folder: for reports of echo",
  "sound.highpass": "Remove rumble",
  "sound.highpass.text": "footsteps, desks, wind",
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
  "key.ctrl": "Ctrl",
  "key.alt": "Alt",
  "key.shift": "Shift",
  "key.space": "Space",
  "key.enter": "Enter",
  "key.escape": "Esc",
  "unit.kbits": "{n} kbit/s",
  "unit.decibels": "{n} dB",
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
  "advanced.log": "Log",
  "advanced.log.open": "Open its folder",
  "advanced.server": "Server",
  "advanced.calls": "Calls plugin",
  "advanced.calls.none": "off",
  "advanced.account": "Signed in as {name}",
  ...callWords,
  ...chatWords,
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
  "link.refused": { lead: "This link does not lead into Mattermost." },
  "link.foreign": { lead: "This link leads to another server: {server}.", rest: "Nothing was sent there." },
  "link.new_server": { lead: "This link leads to {server}.", rest: "Nothing was sent there yet.", button: "Look for it" },
  "link.start": { lead: "There is no call in {channel} now.", button: "Start one" },
  "link.nowhere": { lead: "There is no such channel, or you are not in it." },
  "keys.taken": { lead: "Another program uses {key} already.", rest: "Choose another key in the settings." },
  "link.busy": { lead: "The server asks us to slow down.", rest: "Trying again in {seconds} s." },
  "request.failed": { lead: "The server did not do that.", button: "Try again" },

  // Writing.
  "post.failed": { lead: "The message was not sent.", button: "Try again" },
  "post.too_long": { lead: "The message is longer than the server allows.", rest: "It has {n} characters, {max} are possible." },
  "post.archived": { lead: "This channel is archived.", rest: "It can be read, not written." },
  "post.thread_gone": { lead: "The thread is gone.", rest: "Its first message was deleted." },
  ...chatSentences,
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
  "share.taken": { lead: "Somebody else is sharing.", rest: "One person at a time." },
  "share.refused": { lead: "Nothing was shared.", rest: "Somebody else was faster, or the server does not allow it." },
  "share.off": { lead: "Screens cannot be shared on this server." },
  "share.gone": { lead: "Sharing stopped.", rest: "What you shared was closed." },
  "share.cancelled": { lead: "Nothing was shared." },
  "share.unsupported": { lead: "Screens cannot be shared here.", rest: "There is no display, or the desktop offers no way." },
  "share.failed": { lead: "Sharing stopped.", rest: "The screen could not be captured." },
  "share.ended": { lead: "Sharing stopped.", rest: "The server ended it." },
  "share.lost": { lead: "Sharing stopped.", rest: "The connection was lost; share again if you like." },
  "share.stopped_by": { lead: "The host stopped your sharing." },
  "rec.host": { lead: "You are recording.", rest: "Tell everyone." },
  "rec.done": { lead: "Recording stopped.", rest: "The file appears in the call chat." },
  "rec.soon": { lead: "Recording stops in {n} minutes." },
  "rec.failed": { lead: "Recording stopped.", rest: "{reason}." },
  ...callSentences,
  "keys.local": { lead: "Your desktop has not allowed keys everywhere yet.", button: "Ask the desktop" },
};

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
