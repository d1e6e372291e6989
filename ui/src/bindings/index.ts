// Generated from calls-core by tests/bindings_are_fresh.rs. Never edited by hand.

/**
 * A user account, 26 characters.
 */
export type UserId = string;

/**
 * A team, 26 characters.
 */
export type TeamId = string;

/**
 * A channel of any kind (public, private, direct, group), 26 characters.
 */
export type ChannelId = string;

/**
 * A post, 26 characters.
 */
export type PostId = string;

/**
 * One participant's connection to a call: the id of the WebSocket on which it joined.
 */
export type SessionId = string;

/**
 * The client-made id of a post that the server has not confirmed yet (`<user id>:<ms>`).
 */
export type PendingId = string;

/**
 * A sound device as the operating system names it; stable enough to be remembered.
 */
export type DeviceId = string;

/**
 * A screen or window that can be shared.
 */
export type SourceId = string;

/**
 * A file on the server, 26 characters.
 */
export type FileId = string;

/**
 * A category of the channel list.
 */
export type CategoryId = string;

/**
 * A file on its way to the server; unique for the life of the machine.
 */
export type UploadId = number;

/**
 * One of the servers that the person is signed in to; unique for the life of the program, and kept nowhere.
 */
export type ServerNumber = number;

/**
 * A team: a set of channels under one name.
 */
export type Team = { 
/**
 * Identity.
 */
id: TeamId, 
/**
 * Name in addresses (`/name/channels/…`).
 */
name: string, 
/**
 * Name on screen.
 */
displayName: string, };

/**
 * What kind of channel it is.
 */
export type ChannelKind = "public" | "private" | "direct" | "group";

/**
 * A person, or a bot.
 */
export type User = { 
/**
 * Identity.
 */
id: UserId, 
/**
 * The @name.
 */
username: string, 
/**
 * First name, may be empty.
 */
firstName: string, 
/**
 * Last name, may be empty.
 */
lastName: string, 
/**
 * Nickname, may be empty.
 */
nickname: string, 
/**
 * Not a person.
 */
isBot: boolean, 
/**
 * The account was deactivated.
 */
deactivated: boolean, 
/**
 * System administrator.
 */
isAdmin: boolean, 
/**
 * Version of the portrait: changes when the picture changes.
 */
pictureVersion: number, };

/**
 * Whether somebody is there.
 */
export type Presence = "online" | "away" | "dnd" | "ooo" | "offline";

/**
 * What became of a call, as its post says.
 */
export type CallPost = { 
/**
 * Title given at the start; may be empty.
 */
title: string, 
/**
 * Begin.
 */
startAt: number, 
/**
 * End; 0 while the call goes on.
 */
endAt: number, 
/**
 * `calling`, `ended`, `no_answer`, `canceled_by_caller`, `declined`, or empty on older servers.
 */
status: string, 
/**
 * Recordings with a file.
 */
recordings: number, 
/**
 * Transcripts with a file.
 */
transcripts: number, };

/**
 * Subtitles of a recording: a WebVTT file of the server's.
 */
export type Subtitles = { 
/**
 * What they are called; may be empty.
 */
title: string, 
/**
 * BCP 47 tag; may be empty, or anything else.
 */
language: string, 
/**
 * The file.
 */
file: FileId, };

/**
 * What kind of post it is.
 */
export type PostKind = { "type": "message" } | { "type": "system" } | { "type": "ephemeral" } | { "type": "call" } & CallPost | { "type": "recording", 
/**
 * What was said, once it was written down.
 */
subtitles: Array<Subtitles>, } | { "type": "other" };

/**
 * A file attached to a post.
 */
export type File = { 
/**
 * Identity.
 */
id: FileId, 
/**
 * As its sender called it. Shown as it is, never used as a path.
 */
name: string, 
/**
 * What follows the last dot, small letters; may be empty.
 */
extension: string, 
/**
 * Bytes.
 */
size: number, 
/**
 * MIME type as the server says.
 */
mime: string, 
/**
 * Pixels of a picture; 0 for others.
 */
width: number, 
/**
 * Pixels of a picture; 0 for others.
 */
height: number, 
/**
 * The server has a smaller picture of it.
 */
hasPreview: boolean, };

/**
 * What kind of category it is.
 */
export type CategoryKind = "favorites" | "channels" | "direct" | "custom";

/**
 * An emoji that somebody has added to the server.
 */
export type CustomEmoji = { 
/**
 * Identity, for its picture.
 */
id: string, 
/**
 * Name, without colons.
 */
name: string, };

/**
 * A public channel found by name, of which we may not be a member.
 */
export type FoundChannel = { 
/**
 * Identity.
 */
id: ChannelId, 
/**
 * Name on screen.
 */
name: string, };

/**
 * What can be typed next in a slash command, as the server suggests.
 */
export type CommandHint = { 
/**
 * The text with this choice made, with the slash.
 */
complete: string, 
/**
 * The choice.
 */
suggestion: string, 
/**
 * What may follow.
 */
hint: string, 
/**
 * One line.
 */
description: string, };

/**
 * Colours.
 */
export type Theme = "system" | "light" | "dark" | "contrast" | "mattermost";

/**
 * How close rows stand.
 */
export type Density = "comfortable" | "compact";

/**
 * Whether things travel.
 */
export type Motion = "system" | "less";

/**
 * How times are written.
 */
export type Clock = "system" | "hours12" | "hours24";

/**
 * How the interface looks. Unknown values in a settings file become the defaults, field by field where they can.
 */
export type Appearance = { 
/**
 * Colours.
 */
theme: Theme, 
/**
 * Size of the text, per cent, [`TEXT_MIN`] to [`TEXT_MAX`].
 */
textPercent: number, 
/**
 * How close rows stand.
 */
density: Density, 
/**
 * Whether things travel.
 */
motion: Motion, 
/**
 * Language tag (`en`, `de`, …); empty follows the system.
 */
language: string, 
/**
 * How times are written.
 */
clock: Clock, };

/**
 * What the account says about looks. Where it says nothing, the system is followed.
 */
export type AccountLook = { 
/**
 * The day has 24 hours; else 12 (`use_military_time`).
 */
hours24: boolean | null, 
/**
 * The account's theme is a dark one.
 */
dark: boolean | null, };

/**
 * The microphone when a call is joined.
 */
export type AtJoin = "muted" | "open";

/**
 * How large captions are.
 */
export type CaptionSize = "small" | "medium" | "large";

/**
 * Where captions stand.
 */
export type CaptionPlace = "below" | "above";

/**
 * What the small window of a call lies above.
 */
export type WindowLevel = "ordinary" | "above" | "everywhere";

/**
 * How our own calls behave on this computer. Unknown values in a settings file become the defaults, field by field.
 */
export type CallPreferences = { 
/**
 * The microphone when we join the call of a channel.
 */
channels: AtJoin, 
/**
 * The microphone when we join a direct or group call.
 */
direct: AtJoin, 
/**
 * There is no microphone here on purpose: not said again in every call.
 */
noMicrophone: boolean, 
/**
 * Say so when somebody talks while muted. The sound is only measured here, and goes nowhere.
 */
talkingHint: boolean, 
/**
 * Say when somebody leaves.
 */
leftNotes: boolean, 
/**
 * What concerns us in the call (a hand for the host, being muted) is a notification while no window of ours is in
 * front.
 */
callNotes: boolean, 
/**
 * Show reactions.
 */
reactions: boolean, 
/**
 * Show what is said in writing, where the server offers it.
 */
captions: boolean, 
/**
 * How large that is written.
 */
captionSize: CaptionSize, 
/**
 * Where that is written.
 */
captionPlace: CaptionPlace, 
/**
 * Look at the microphone and at who is inside before joining: it then takes a second click.
 */
lookFirst: boolean, 
/**
 * Open the large window with each call.
 */
largeWindow: boolean, 
/**
 * What the small window lies above.
 */
level: WindowLevel, 
/**
 * The small window is a narrow one.
 */
narrow: boolean, 
/**
 * Keys inside our windows that the person has changed: ours, as `Control+Shift+L`, and theirs in its place.
 */
keys: { [key in string]: string }, };

/**
 * Which end of the sound.
 */
export type DeviceRole = "input" | "output";

/**
 * What a host may do to a call (calls-v1-rest §3.10). All but making a host are requests to the other's client.
 */
export type HostAction = { "type": "makeHost", 
/**
 * To whom.
 */
user: UserId, } | { "type": "mute", 
/**
 * Whom.
 */
session: SessionId, } | { "type": "muteOthers" } | { "type": "stopShare", 
/**
 * Whose.
 */
session: SessionId, } | { "type": "lowerHand", 
/**
 * Whose.
 */
session: SessionId, } | { "type": "remove", 
/**
 * Whom.
 */
session: SessionId, };

/**
 * A ring tone. The first four have the official client's names, and are stored on the server; the others are ours,
 * and stay on this computer. All sounds are our own.
 */
export type Tone = "calm" | "dynamic" | "urgent" | "cheerful" | "harbour" | "lantern";

/**
 * Where rings are heard.
 */
export type RingDevice = { "type": "system" } | { "type": "device", "device": DeviceId } | { "type": "all" };

/**
 * How long a call rings.
 */
export type RingFor = "short" | "full" | "once";

/**
 * Hours without ringing and notifications, each day.
 */
export type QuietHours = { 
/**
 * They hold.
 */
on: boolean, 
/**
 * First quiet minute of the day, 0 to 1439, local time.
 */
from: number, 
/**
 * First minute that is not quiet; before `from` means the next day.
 */
to: number, };

/**
 * Keys that work while another window has the focus, as `Ctrl+Shift+Space`; empty for none.
 */
export type GlobalKeys = { 
/**
 * Held down: our microphone is open.
 */
talk: string, 
/**
 * Microphone off or on.
 */
mute: string, 
/**
 * Held down: our microphone is shut, for a cough or a word aside.
 */
hush: string, 
/**
 * How long the microphone stays open after the key was let go, milliseconds, 0 to 2000.
 */
tail: number, };

/**
 * What a server may do, kept for each. Whoever signs in somewhere wants calls from there: a new one may do everything.
 */
export type Trust = { 
/**
 * Its calls ring; else they are only shown.
 */
ring: boolean, 
/**
 * It notifies.
 */
notify: boolean, 
/**
 * What is said is sent to its calls; else one listens there, and the microphone is not even opened.
 */
microphone: boolean, 
/**
 * A screen can be shown in its calls.
 */
screen: boolean, 
/**
 * Links in what is written there are opened outside.
 */
links: boolean, };

/**
 * One of the things that a server may do.
 */
export type Grant = "ring" | "notify" | "microphone" | "screen" | "links";

/**
 * How the person wants to be called: kept on this computer.
 */
export type AlertSettings = { 
/**
 * A tone for this computer; `None` rings with the one chosen on the server.
 */
tone: Tone | null, 
/**
 * How loud, per cent, 0 to 100.
 */
volume: number, 
/**
 * Where it rings.
 */
device: RingDevice, 
/**
 * How long it rings.
 */
ringFor: RingFor, 
/**
 * Quiet hours.
 */
quiet: QuietHours, 
/**
 * Channels whose calls ring too, although they are neither direct nor group channels.
 */
channels: Array<ChannelId>, 
/**
 * Whose calls and messages neither ring nor notify, with their names.
 */
blocked: { [key in UserId]: string }, 
/**
 * What the server may do; each has its own, which [`crate::command::Command::SetTrust`] alone changes.
 */
trust: Trust, 
/**
 * Our windows flash while it rings, for those who do not hear it.
 */
flash: boolean, 
/**
 * The status on the server is "do not disturb" while we are in a call.
 */
busyInCall: boolean, 
/**
 * Calls are shown as notifications, with buttons.
 */
callNotes: boolean, 
/**
 * Notifications show what was written; else only who wrote.
 */
messageText: boolean, 
/**
 * While a whole screen of ours is shared, notifications are held back: everybody would read them.
 */
quietSharing: boolean, 
/**
 * Replies in the chat of our call notify like others.
 */
callChat: boolean, 
/**
 * A sound when somebody joins our call.
 */
joinCue: boolean, 
/**
 * From so many people on, one more is not worth a sound, 2 to 100.
 */
joinCrowd: number, 
/**
 * A sound when our microphone goes off or on.
 */
muteCue: boolean, 
/**
 * A sound when somebody raises a hand.
 */
handCue: boolean, 
/**
 * A sound when our call begins to be recorded.
 */
recordCue: boolean, 
/**
 * How loud the sounds of a call are, per cent, 0 to 100.
 */
cueVolume: number, 
/**
 * Neither rings nor notifies while the system itself is set to do not disturb, where it tells.
 */
heedSystem: boolean, 
/**
 * Keys that work everywhere.
 */
keys: GlobalKeys, 
/**
 * Closing the window keeps Halloo running where there is a tray.
 */
toTray: boolean, 
/**
 * Starts with the session.
 */
autostart: boolean, 
/**
 * That start shows no window.
 */
startHidden: boolean, };

/**
 * Which messages notify: the user's own setting on the server.
 */
export type MessageLevel = "all" | "mention" | "none";

/**
 * How far the keys reach that are to work everywhere.
 */
export type KeysReach = "unknown" | "everywhere" | "window";

/**
 * Who vouches for the person.
 */
export type OutsideService = "gitlab" | "google" | "office365" | "openid" | "saml";

/**
 * A way to sign in with the person's browser (mattermost-core §3.4).
 */
export type Outside = { 
/**
 * Which.
 */
service: OutsideService, 
/**
 * What the server calls it; may be empty.
 */
label: string, };

/**
 * A person's wish.
 */
export type Command = { "type": "findServer", 
/**
 * As typed.
 */
address: string, } | { "type": "trustServer", 
/**
 * As the notice has it.
 */
host: string, 
/**
 * As the notice has it.
 */
fingerprint: string, } | { "type": "testNetwork" } | { "type": "changeServer" } | { "type": "signIn", 
/**
 * User name or e-mail address.
 */
login: string, 
/**
 * Password. Never logged.
 */
password: string, 
/**
 * One-time code, when the server has asked for it.
 */
code: string | null, } | { "type": "signInWithToken", 
/**
 * The token. Never logged.
 */
token: string, } | { "type": "signInOutside", 
/**
 * Which of the server's ways.
 */
service: OutsideService, 
/**
 * 64 random hexadecimal digits, made by whoever asks: what comes back must carry them.
 */
token: string, } | { "type": "cancelOutside" } | { "type": "signOut" } | { "type": "reconnect" } | { "type": "openTeam", 
/**
 * Which.
 */
team: TeamId, } | { "type": "openChannel", 
/**
 * Which.
 */
channel: ChannelId, } | { "type": "openDirect", 
/**
 * With whom.
 */
user: UserId, } | { "type": "loadOlder" } | { "type": "saveDraft", 
/**
 * Where.
 */
channel: ChannelId, 
/**
 * Thread, if it is a reply.
 */
root: PostId | null, 
/**
 * Text; empty removes the draft.
 */
text: string, } | { "type": "sendPost", 
/**
 * Where.
 */
channel: ChannelId, 
/**
 * Thread, if it is a reply.
 */
root: PostId | null, 
/**
 * Mattermost markdown. A text beginning with `/` is a slash command.
 */
text: string, } | { "type": "editPost", 
/**
 * Which.
 */
post: PostId, 
/**
 * From now on.
 */
text: string, } | { "type": "deletePost", 
/**
 * Which.
 */
post: PostId, } | { "type": "react", 
/**
 * Which.
 */
post: PostId, 
/**
 * Name of the emoji, without colons.
 */
emoji: string, 
/**
 * React; else take it back.
 */
on: boolean, } | { "type": "openThread", 
/**
 * Where.
 */
channel: ChannelId, 
/**
 * Its first post, or any reply's root.
 */
root: PostId, } | { "type": "closeThread" } | { "type": "followThread", 
/**
 * Which.
 */
root: PostId, 
/**
 * Follow.
 */
on: boolean, } | { "type": "markUnread", 
/**
 * Which.
 */
post: PostId, } | { "type": "typing", 
/**
 * Where.
 */
channel: ChannelId, 
/**
 * Thread, if it is a reply.
 */
root: PostId | null, } | { "type": "removeUpload", 
/**
 * Which.
 */
upload: UploadId, } | { "type": "retryUpload", 
/**
 * Which.
 */
upload: UploadId, } | { "type": "saveFile", 
/**
 * Which.
 */
file: FileId, 
/**
 * What to call it; made harmless.
 */
name: string, } | { "type": "find", 
/**
 * As typed; empty forgets what was found.
 */
text: string, } | { "type": "complete", 
/**
 * Where.
 */
channel: ChannelId, 
/**
 * Thread, if it is a reply.
 */
root: PostId | null, 
/**
 * From the `@` or `/` to the cursor; empty forgets what was found.
 */
text: string, } | { "type": "openGroup", 
/**
 * With whom, without us: two to seven.
 */
users: Array<UserId>, } | { "type": "joinChannel", 
/**
 * Which.
 */
channel: ChannelId, } | { "type": "leaveChannel", 
/**
 * Which.
 */
channel: ChannelId, } | { "type": "muteChannel", 
/**
 * Which.
 */
channel: ChannelId, 
/**
 * Mute.
 */
on: boolean, } | { "type": "allowCalls", 
/**
 * Which.
 */
channel: ChannelId, 
/**
 * Allow.
 */
on: boolean, } | { "type": "setFavorite", 
/**
 * Which.
 */
channel: ChannelId, 
/**
 * Put it there.
 */
on: boolean, } | { "type": "foldCategory", 
/**
 * Which.
 */
category: CategoryId, 
/**
 * Fold.
 */
folded: boolean, } | { "type": "retryPost", 
/**
 * Which.
 */
pending: PendingId, } | { "type": "discardPost", 
/**
 * Which.
 */
pending: PendingId, } | { "type": "setFocus", 
/**
 * Has it.
 */
focused: boolean, } | { "type": "joinCall", 
/**
 * Where.
 */
channel: ChannelId, 
/**
 * Heading of a call that this starts.
 */
title: string | null, 
/**
 * Leave the present call without asking.
 */
switch: boolean, } | { "type": "joinCallAs", 
/**
 * Where.
 */
channel: ChannelId, 
/**
 * Heading of a call that this starts.
 */
title: string | null, 
/**
 * The microphone stays off.
 */
muted: boolean, } | { "type": "leaveCall" } | { "type": "dismissCallProblem" } | { "type": "setMuted", 
/**
 * Off.
 */
muted: boolean, } | { "type": "raiseHand", 
/**
 * Up.
 */
raised: boolean, } | { "type": "showEmoji", 
/**
 * Mattermost's short name, without colons.
 */
name: string, 
/**
 * The characters, with skin tone.
 */
literal: string, } | { "type": "moderate", 
/**
 * Which.
 */
action: HostAction, } | { "type": "endCall" } | { "type": "undoEndCall" } | { "type": "record", 
/**
 * Start.
 */
on: boolean, } | { "type": "dismissRecordingPrompt" } | { "type": "showCaptions", 
/**
 * Show.
 */
on: boolean, } | { "type": "showSaid", 
/**
 * It is.
 */
shown: boolean, } | { "type": "showChat", 
/**
 * It is.
 */
shown: boolean, } | { "type": "callPerson", 
/**
 * Whom.
 */
user: UserId, } | { "type": "sendDirect", 
/**
 * To whom.
 */
user: UserId, 
/**
 * Mattermost markdown.
 */
text: string, } | { "type": "setVolume", 
/**
 * Whom.
 */
session: SessionId, 
/**
 * Per cent, 0 to 200.
 */
percent: number, } | { "type": "setShareVolume", 
/**
 * Per cent, 0 to 200.
 */
percent: number, } | { "type": "setLocked", 
/**
 * Locked.
 */
locked: boolean, } | { "type": "chooseDevice", 
/**
 * Which end.
 */
role: DeviceRole, 
/**
 * Which; `None` follows the system's default.
 */
device: DeviceId | null, } | { "type": "watchLevel", 
/**
 * Watch.
 */
on: boolean, } | { "type": "setAppearance", 
/**
 * From now on.
 */
appearance: Appearance, } | { "type": "setCalls", 
/**
 * From now on.
 */
calls: CallPreferences, } | { "type": "forgoMicrophone" } | { "type": "answerCall", 
/**
 * Where.
 */
channel: ChannelId, 
/**
 * With the microphone off, whatever the channel's kind.
 */
muted: boolean, 
/**
 * Leave the present call without asking.
 */
switch: boolean, } | { "type": "ignoreCall", 
/**
 * Where.
 */
channel: ChannelId, } | { "type": "declineCall", 
/**
 * Where.
 */
channel: ChannelId, } | { "type": "silenceRing" } | { "type": "blockCaller", 
/**
 * Who.
 */
user: UserId, 
/**
 * Block; else unblock.
 */
blocked: boolean, } | { "type": "setAlerts", 
/**
 * All of it.
 */
settings: AlertSettings, } | { "type": "setTrust", 
/**
 * Which of it.
 */
grant: Grant, 
/**
 * It may.
 */
allowed: boolean, } | { "type": "askTrust", 
/**
 * What.
 */
grant: Grant, } | { "type": "setRinging", 
/**
 * They do.
 */
on: boolean, } | { "type": "setTone", 
/**
 * Which.
 */
tone: Tone, } | { "type": "setMessages", 
/**
 * Which.
 */
level: MessageLevel, } | { "type": "previewTone", 
/**
 * Which.
 */
tone: Tone | null, } | { "type": "testNote" } | { "type": "holdToTalk", 
/**
 * Down.
 */
held: boolean, } | { "type": "holdToMute", 
/**
 * Down.
 */
held: boolean, } | { "type": "toggleMute" } | { "type": "openAddress", 
/**
 * As it came from the system or the page.
 */
address: string, } | { "type": "askForKeys" } | { "type": "quit", 
/**
 * The person has been asked.
 */
sure: boolean, } | { "type": "stay" } | { "type": "keepCalling" } | { "type": "forgetMissed" } | { "type": "callMe" } | { "type": "setSound", 
/**
 * Everything, as it shall be.
 */
sound: Sound, } | { "type": "setDeafened", 
/**
 * Hear nothing.
 */
deafened: boolean, } | { "type": "playTestTone" } | { "type": "hearMyself", 
/**
 * Begin, or end at once.
 */
on: boolean, } | { "type": "dumpSound", 
/**
 * Begin, or end.
 */
on: boolean, } | { "type": "openSharePicker" } | { "type": "closeSharePicker" } | { "type": "startShare", 
/**
 * Which.
 */
source: SourceId, 
/**
 * Smooth movement matters more than sharp text.
 */
motion: boolean, 
/**
 * What the machine plays goes along.
 */
sound: boolean, } | { "type": "stopShare" } | { "type": "setShareMotion", 
/**
 * Movement.
 */
motion: boolean, } | { "type": "pauseShare", 
/**
 * Hold.
 */
paused: boolean, } | { "type": "at", 
/**
 * Which.
 */
server: ServerNumber, 
/**
 * What.
 */
command: Command, } | { "type": "showServer", 
/**
 * Which.
 */
server: ServerNumber, } | { "type": "addServer" } | { "type": "removeServer", 
/**
 * Which.
 */
server: ServerNumber, } | { "type": "dismissNotice", 
/**
 * Its number.
 */
id: number, };

/**
 * How much it matters, and how long it stays.
 */
export type Severity = "info" | "warning" | "error";

/**
 * Something the person should know.
 */
export type Notice = { 
/**
 * Unique among the notices shown, for closing.
 */
id: number, 
/**
 * Stable code, for instance `mic.denied`; see `ui.md` §5.
 */
code: string, 
/**
 * How much it matters.
 */
severity: Severity, 
/**
 * Values for the sentence's blanks (`name`, `server`, `seconds`…).
 */
values: { [key in string]: string }, 
/**
 * What the button does, if there is one.
 */
retry: Command | null, 
/**
 * Technical words for "Details": the server's own text, an error. Never needed to understand the sentence.
 */
detail: string | null, };

/**
 * A call that comes in.
 */
export type IncomingCall = { 
/**
 * Identity of the call.
 */
call: string, 
/**
 * At which server, where there are several.
 */
server: ServerTag | null, 
/**
 * Where.
 */
channel: ChannelId, 
/**
 * Kind of the channel.
 */
kind: ChannelKind, 
/**
 * The channel's name on screen, one plain line.
 */
place: string, 
/**
 * Who calls.
 */
caller: UserId, 
/**
 * Their name, one plain line.
 */
name: string, 
/**
 * Who is in it, each once, without us.
 */
users: Array<UserId>, 
/**
 * First seen: Unix milliseconds by *our* clock.
 */
since: number, 
/**
 * It rings at this moment.
 */
ringing: boolean, 
/**
 * Declining tells the caller.
 */
declinable: boolean, 
/**
 * We are in another call: joining means switching.
 */
inCall: boolean, 
/**
 * It was answered on another device, and goes in a moment.
 */
elsewhere: boolean, 
/**
 * The caller has called very often: offer to block them.
 */
offerBlock: boolean, };

/**
 * A call that ended before we answered.
 */
export type MissedCall = { 
/**
 * Identity of the call.
 */
call: string, 
/**
 * At which server, where there are several.
 */
server: ServerTag | null, 
/**
 * Where.
 */
channel: ChannelId, 
/**
 * Who called.
 */
caller: UserId, 
/**
 * Their name, one plain line.
 */
name: string, 
/**
 * When: Unix milliseconds by *our* clock.
 */
at: number, };

/**
 * Calls that come in, oldest first.
 */
export type Incoming = { 
/**
 * At most eight.
 */
calls: Array<IncomingCall>, 
/**
 * Calls that ended before anybody of us answered, newest first, at most twenty; of this run.
 */
missed: Array<MissedCall>, };

/**
 * How calls and messages reach the person.
 */
export type Alerts = { 
/**
 * On this computer.
 */
settings: AlertSettings, 
/**
 * Calls ring (on all devices).
 */
ringing: boolean, 
/**
 * The server rings for direct and group calls at all.
 */
serverRings: boolean, 
/**
 * The tone that rings.
 */
tone: Tone, 
/**
 * The tone that is being tried.
 */
preview: Tone | null, 
/**
 * Which messages notify (on all devices).
 */
messages: MessageLevel, 
/**
 * What became of the test notification: on its way (`None` also before any test), arrived or not.
 */
test: boolean | null, 
/**
 * How far the keys reach that are to work everywhere.
 */
keys: KeysReach, 
/**
 * The system is set to do not disturb, and that is heeded.
 */
systemQuiet: boolean, 
/**
 * The person wants to end the program while in a call: the question to ask.
 */
quitting: boolean, 
/**
 * There is somebody who calls when asked to.
 */
demo: boolean, };

/**
 * A server, before sign-in.
 */
export type ServerInfo = { 
/**
 * Site address with scheme, without a slash at the end.
 */
url: string, 
/**
 * The name it gives itself.
 */
name: string, 
/**
 * Mattermost version.
 */
version: string, 
/**
 * Calls plugin version; `None` without the plugin.
 */
callsVersion: string | null, 
/**
 * The address is not encrypted (`http:`) and not this machine.
 */
insecure: boolean, 
/**
 * Ways to sign in with the browser, in the order of the server's own page.
 */
outside: Array<Outside>, };

/**
 * Sign-in, step by step.
 */
export type Account = { "phase": "noServer" } | { "phase": "finding", 
/**
 * As typed.
 */
address: string, } | { "phase": "signedOut", 
/**
 * Its address.
 */
server: ServerInfo, 
/**
 * The user name to show in the form.
 */
login: string, 
/**
 * The server has asked for a one-time code.
 */
codeNeeded: boolean, 
/**
 * The person signs in with their browser; waiting for it to bring them back.
 */
outside: boolean, } | { "phase": "signingIn", 
/**
 * Its address.
 */
server: ServerInfo, 
/**
 * As whom.
 */
login: string, } | { "phase": "signedIn", 
/**
 * Where.
 */
server: ServerInfo, 
/**
 * As whom.
 */
me: User, 
/**
 * The session outlives the program (the key store has the token).
 */
remembered: boolean, };

/**
 * The connection to the server.
 */
export type Link = { "state": "down" } | { "state": "connecting" } | { "state": "up" } | { "state": "lost", 
/**
 * Seconds until the next try.
 */
retryIn: number, 
/**
 * How many tries have failed.
 */
attempt: number, };

/**
 * A call going on in a channel.
 */
export type ActiveCallRow = { 
/**
 * Begin, server clock.
 */
startAt: number, 
/**
 * Who is in it (each user once), longest first.
 */
users: Array<UserId>, 
/**
 * We are in it with this client.
 */
mine: boolean, 
/**
 * Its offer was closed, with whichever client of ours.
 */
dismissed: boolean, };

/**
 * A channel in the sidebar.
 */
export type ChannelRow = { 
/**
 * Identity.
 */
id: ChannelId, 
/**
 * Kind.
 */
kind: ChannelKind, 
/**
 * Name on screen: for direct channels the other person's.
 */
name: string, 
/**
 * Name in addresses, as people type it in links and scripts; for direct channels it means nothing to a person.
 */
slug: string, 
/**
 * The line under the name.
 */
header: string, 
/**
 * Whose presence and portrait to show (direct channels).
 */
user: UserId | null, 
/**
 * Unread posts.
 */
unread: boolean, 
/**
 * Unread mentions.
 */
mentions: number, 
/**
 * Muted by the person.
 */
muted: boolean, 
/**
 * Read only.
 */
archived: boolean, 
/**
 * The call going on there.
 */
call: ActiveCallRow | null, 
/**
 * Whether a call can be started or joined here, and if not, why: a notice code (`call.archived`, `call.group_off`…).
 */
callBlocked: string | null, 
/**
 * Whether calls are allowed here, where it is ours to say; else `None`.
 */
callsAllowed: boolean | null, 
/**
 * Text typed but not sent.
 */
draft: string, };

/**
 * Somebody, as the interface needs them.
 */
export type Person = { 
/**
 * The account.
 */
user: User, 
/**
 * Name on screen by the server's and the person's setting.
 */
name: string, 
/**
 * Whether they are there.
 */
presence: Presence, };

/**
 * Teams, channels and people.
 */
export type Directory = { 
/**
 * My teams, by name.
 */
teams: Array<Team>, 
/**
 * The open team.
 */
team: TeamId | null, 
/**
 * The open channel.
 */
channel: ChannelId | null, 
/**
 * Channels of the open team, then direct and group channels, in order of display.
 */
channels: Array<ChannelRow>, 
/**
 * How they are grouped, in order of display. Empty while unknown; channels in none are shown at the end.
 */
categories: Array<CategoryRow>, 
/**
 * Everybody known, by user id: names and presence for posts, rows and tiles.
 */
people: { [key in string]: Person }, 
/**
 * Calls are to be had on this server.
 */
callsAvailable: boolean, 
/**
 * Largest file that the server takes, bytes.
 */
maxFileSize: number, 
/**
 * Replies live in threads only, and are not shown in the channel.
 */
collapsedThreads: boolean, 
/**
 * What the account says about looks.
 */
look: AccountLook, };

/**
 * Where a post is on its way.
 */
export type Delivery = { "state": "sent" } | { "state": "waiting", 
/**
 * Its id until then.
 */
pending: PendingId, } | { "state": "failed", 
/**
 * Its id until then.
 */
pending: PendingId, 
/**
 * Why: a notice code or the server's text.
 */
reason: string, };

/**
 * A category of the channel list.
 */
export type CategoryRow = { 
/**
 * Identity.
 */
id: CategoryId, 
/**
 * Kind.
 */
kind: CategoryKind, 
/**
 * Name; for the built-in kinds the interface has words of its own.
 */
name: string, 
/**
 * Folded: only what is unread or open is shown.
 */
folded: boolean, 
/**
 * What is in it, in order of display; all are in [`super::Directory::channels`].
 */
channels: Array<ChannelId>, };

/**
 * A reaction under a post.
 */
export type ReactionRow = { 
/**
 * Name of the emoji, without colons.
 */
emoji: string, 
/**
 * How often.
 */
count: number, 
/**
 * One of them is ours.
 */
mine: boolean, 
/**
 * Names, at most ten.
 */
names: Array<string>, };

/**
 * A post on screen.
 */
export type PostRow = { 
/**
 * Identity; for a post not yet confirmed its pending id.
 */
id: PostId, 
/**
 * Author.
 */
author: UserId, 
/**
 * Author's name on screen.
 */
authorName: string, 
/**
 * Text, Mattermost markdown.
 */
message: string, 
/**
 * Kind.
 */
kind: PostKind, 
/**
 * Made.
 */
createAt: number, 
/**
 * Changed by its author.
 */
edited: boolean, 
/**
 * Thread, if it is a reply.
 */
root: PostId | null, 
/**
 * Replies in its thread.
 */
replyCount: number, 
/**
 * Where it is on its way to the server.
 */
delivery: Delivery, 
/**
 * Reactions, by emoji, the oldest first.
 */
reactions: Array<ReactionRow>, 
/**
 * What is attached.
 */
files: Array<File>, 
/**
 * We wrote it, and may change it.
 */
editable: boolean, 
/**
 * We may delete it.
 */
deletable: boolean, 
/**
 * We follow the thread that begins here.
 */
following: boolean, };

/**
 * The open channel's posts.
 */
export type Timeline = { 
/**
 * Which channel.
 */
channel: ChannelId | null, 
/**
 * Oldest first.
 */
posts: Array<PostRow>, 
/**
 * The first page is still on its way.
 */
loading: boolean, 
/**
 * Older posts are being fetched.
 */
loadingOlder: boolean, 
/**
 * There is nothing older.
 */
atStart: boolean, 
/**
 * The first post not read when the channel was opened.
 */
firstUnread: PostId | null, 
/**
 * Names of those who are typing here.
 */
typing: Array<string>, };

/**
 * The thread beside the channel.
 */
export type Thread = { 
/**
 * Its first post; `None` when no thread is open.
 */
root: PostId | null, 
/**
 * Where it is.
 */
channel: ChannelId | null, 
/**
 * The first post and the replies, oldest first.
 */
posts: Array<PostRow>, 
/**
 * The posts are still on their way.
 */
loading: boolean, 
/**
 * The first post is gone, or cannot be had.
 */
gone: boolean, 
/**
 * New replies are told.
 */
following: boolean, 
/**
 * Names of those who are typing in it.
 */
typing: Array<string>, 
/**
 * Text typed but not sent.
 */
draft: string, };

/**
 * Where a file is on its way.
 */
export type UploadState = { "type": "sending", 
/**
 * Bytes that have left.
 */
sent: number, } | { "type": "done", 
/**
 * Its identity there.
 */
file: FileId, 
/**
 * The server has a picture of it.
 */
picture: boolean, } | { "type": "failed", 
/**
 * A notice code or the server's text.
 */
reason: string, };

/**
 * A file on its way to the server.
 */
export type UploadRow = { 
/**
 * Identity.
 */
id: UploadId, 
/**
 * What it is called.
 */
name: string, 
/**
 * Bytes.
 */
size: number, 
/**
 * Where it is.
 */
state: UploadState, };

/**
 * What is being written.
 */
export type Compose = { 
/**
 * Files, by the place where they will be posted: a channel id, or `channel/root`.
 */
uploads: { [key in string]: Array<UploadRow> }, 
/**
 * What may follow, for this text.
 */
text: string, 
/**
 * People to mention: those of the channel first.
 */
people: Array<UserId>, 
/**
 * Slash commands.
 */
commands: Array<CommandHint>, };

/**
 * What was found by name.
 */
export type Finder = { 
/**
 * What was looked for.
 */
text: string, 
/**
 * The answer is on its way.
 */
busy: boolean, 
/**
 * People; all are in [`super::Directory::people`].
 */
people: Array<UserId>, 
/**
 * Public channels of the team of which we are not a member.
 */
channels: Array<FoundChannel>, };

/**
 * Where our call stands.
 */
export type CallPhase = { "type": "idle" } | { "type": "joining" } | { "type": "connecting" } | { "type": "live" } | { "type": "reconnecting", 
/**
 * Sound still flows; only the signaling link is lost.
 */
mediaFlows: boolean, } | { "type": "failed", 
/**
 * Notice code (`call.media_timeout`, `call.full`…).
 */
code: string, 
/**
 * Values for the sentence.
 */
values: { [key in string]: string }, 
/**
 * The server's own text.
 */
detail: string | null, 
/**
 * Trying again makes sense.
 */
retry: boolean, };

/**
 * The microphone, as the person must see it.
 */
export type Microphone = "muted" | "opening" | "open" | "unavailable";

/**
 * A participant on screen.
 */
export type ParticipantRow = { 
/**
 * Identity inside the call.
 */
session: SessionId, 
/**
 * Whose.
 */
user: UserId, 
/**
 * Name on screen.
 */
name: string, 
/**
 * This is our own session.
 */
me: boolean, 
/**
 * May control the call.
 */
host: boolean, 
/**
 * Microphone off.
 */
muted: boolean, 
/**
 * Is talking now.
 */
speaking: boolean, 
/**
 * Hand raised (server clock); `None` when down.
 */
handRaisedAt: number | null, 
/**
 * Shares the screen.
 */
sharing: boolean, 
/**
 * How loud we hear them, per cent, 0 to 200.
 */
volume: number, 
/**
 * Their last reaction, for ten seconds.
 */
reaction: string | null, 
/**
 * One of the host's controls is on its way to them.
 */
busy: boolean, };

/**
 * Figures of our shared screen.
 */
export type ShareQuality = { 
/**
 * Pixels.
 */
width: number, 
/**
 * Pixels.
 */
height: number, 
/**
 * Pictures sent per second, all layers.
 */
fps: number, 
/**
 * Bits per second, all layers.
 */
bitrate: number, 
/**
 * Bits per second that may be used.
 */
target: number, 
/**
 * Mean time to encode a picture, milliseconds.
 */
encodeMs: number, 
/**
 * Coarseness of the last picture, 0 (finest) to 63.
 */
quantizer: number, };

/**
 * Figures of the watched screen.
 */
export type WatchQuality = { 
/**
 * Pixels.
 */
width: number, 
/**
 * Pixels.
 */
height: number, 
/**
 * Pictures decoded per second.
 */
fps: number, 
/**
 * Mean time to decode a picture, milliseconds.
 */
decodeMs: number, 
/**
 * Frames that could not be decoded since it began.
 */
failed: number, };

/**
 * How a stream of somebody's reaches us, measured every four seconds.
 */
export type StreamQuality = { 
/**
 * Whose.
 */
session: SessionId, 
/**
 * It carries pictures; else sound.
 */
video: boolean, 
/**
 * Share of its packets that were lost, 0..1.
 */
loss: number, 
/**
 * Interarrival jitter (RFC 3550 §6.4.1), milliseconds.
 */
jitterMs: number, };

/**
 * The way between us and the media server.
 */
export type MediaPath = { 
/**
 * Over a TURN server.
 */
relayed: boolean, 
/**
 * Over TCP; else UDP. Of a relayed way: between the relay and the media server.
 */
tcp: boolean, };

/**
 * A way to the media server that was tried: a candidate pair of ICE (RFC 8445 §6.1.2).
 */
export type TriedWay = { 
/**
 * Kind of our end's address: `host`, `srflx`, `prflx` or `relay`.
 */
local: string, 
/**
 * Kind of the other end's address, likewise.
 */
remote: string, 
/**
 * `udp` or `tcp`.
 */
protocol: string, 
/**
 * What came of it.
 */
state: WayState, };

/**
 * What came of a way that was tried.
 */
export type WayState = "inUse" | "open" | "trying" | "failed";

/**
 * What is tried.
 */
export type WayKind = "site" | "stun" | "turnUdp" | "turnTcp" | "turnTls" | "media";

/**
 * Whether a way can be gone.
 */
export type Reach = "yes" | "no" | "unknown";

/**
 * A way to the server or to its media, and whether it can be gone.
 */
export type Way = { 
/**
 * Which.
 */
kind: WayKind, 
/**
 * Host and port; empty where nothing is configured.
 */
place: string, 
/**
 * Whether it can.
 */
reach: Reach, 
/**
 * How long that took, milliseconds.
 */
ms: number | null, 
/**
 * Technical words about a failure.
 */
detail: string | null, };

/**
 * What the network test has found.
 */
export type Network = { 
/**
 * It is going on.
 */
running: boolean, 
/**
 * When it was over last (our clock).
 */
at: number | null, 
/**
 * What it found then.
 */
ways: Array<Way>, };

/**
 * Quality of the call's connection, measured every second.
 */
export type Quality = { 
/**
 * Round trip to the media server, milliseconds.
 */
rttMs: number, 
/**
 * Packets lost on the way to us, 0..1, over the last interval.
 */
loss: number, 
/**
 * Interarrival jitter (RFC 3550 §6.4.1), milliseconds.
 */
jitterMs: number, 
/**
 * What the jitter buffer aims at, milliseconds.
 */
jitterTargetMs: number, 
/**
 * Samples concealed of all samples played, 0..1, since the call began.
 */
concealedRatio: number, 
/**
 * Received, bits per second.
 */
bitrateIn: number, 
/**
 * Sent, bits per second.
 */
bitrateOut: number, 
/**
 * Mean opinion score, 1..4.5.
 */
mos: number, 
/**
 * Samples lost between our devices and us since the call began, because this machine was too busy: each is a click,
 * ours or theirs.
 */
xruns: number, 
/**
 * What our shared screen costs; `None` while nothing is shared.
 */
share: ShareQuality | null, 
/**
 * How the watched screen comes; `None` while none is there.
 */
watch: WatchQuality | null, };

/**
 * A reaction on screen.
 */
export type CallReaction = { 
/**
 * Unique within the call.
 */
id: number, 
/**
 * Whose.
 */
session: SessionId, 
/**
 * Their name on screen.
 */
name: string, 
/**
 * It is ours.
 */
me: boolean, 
/**
 * The emoji itself, or its name between colons.
 */
text: string, };

/**
 * A recording that is being made.
 */
export type Recording = { 
/**
 * It has begun; before, only the host sees it.
 */
runs: boolean, 
/**
 * When the server stops it by itself: Unix milliseconds by *our* clock; `None` while unknown.
 */
endsAt: number | null, };

/**
 * What is to be said about the recording (calls-v1-rest §14.3).
 */
export type RecordingPrompt = { "type": "host" } | { "type": "consent" } | { "type": "soon" } | { "type": "done" } | { "type": "failed", 
/**
 * The server's words.
 */
reason: string, };

/**
 * What somebody said, in writing.
 */
export type Caption = { 
/**
 * Whose.
 */
session: SessionId, 
/**
 * Their name on screen.
 */
name: string, 
/**
 * What.
 */
text: string, };

/**
 * What somebody said earlier in the call, in writing.
 */
export type Said = { 
/**
 * Their name on screen, at that time.
 */
name: string, 
/**
 * What.
 */
text: string, 
/**
 * When they began, Unix milliseconds by *our* clock.
 */
at: number, };

/**
 * The thread of our call.
 */
export type CallChat = { 
/**
 * Where.
 */
channel: ChannelId | null, 
/**
 * Its root: the call's own post, unless the call was started in a thread.
 */
root: PostId | null, 
/**
 * The replies, oldest first.
 */
posts: Array<PostRow>, 
/**
 * They are on their way.
 */
loading: boolean, 
/**
 * Replies of others that were not seen.
 */
unread: number, 
/**
 * Of these, those that mention us.
 */
mentions: number, };

/**
 * A direct call of ours that nobody has answered yet (calls-v1-rest §28.2).
 */
export type Calling = { 
/**
 * Half a minute has passed: offer to hang up, or to wait on.
 */
unanswered: boolean, };

/**
 * Our call, and what the call surfaces show.
 */
export type Call = { 
/**
 * Where it stands.
 */
phase: CallPhase, 
/**
 * Where it is; `None` when idle.
 */
channel: ChannelId | null, 
/**
 * Name of the place: the channel, or the other person.
 */
place: string, 
/**
 * Kind of the channel.
 */
kind: ChannelKind | null, 
/**
 * Our own session, once joined.
 */
session: SessionId | null, 
/**
 * Begin, for the timer: Unix milliseconds by *our* clock.
 */
startedAt: number, 
/**
 * The microphone as it really is: never shown open before it is.
 */
microphone: Microphone, 
/**
 * Everybody in it, in order of display.
 */
participants: Array<ParticipantRow>, 
/**
 * Who may control it.
 */
host: UserId | null, 
/**
 * Root post of the call's chat.
 */
thread: PostId | null, 
/**
 * Quality of the connection; `None` until measured.
 */
quality: Quality | null, 
/**
 * How each person's sound and screen reach us, where something came in the last seconds.
 */
streams: Array<StreamQuality>, 
/**
 * The way that media takes; `None` until known.
 */
path: MediaPath | null, 
/**
 * The ways that were tried, the one in use first; at most 16.
 */
ways: Array<TriedWay>, 
/**
 * A call that somebody wants to switch to: the question to ask.
 */
switchTo: ChannelId | null, 
/**
 * We may use the host's controls.
 */
canModerate: boolean, 
/**
 * We may end it for everyone.
 */
canEnd: boolean, 
/**
 * We may start and stop recordings.
 */
canRecord: boolean, 
/**
 * The call ends for everyone at this time, Unix milliseconds by *our* clock, unless that is taken back.
 */
endingAt: number | null, 
/**
 * Reactions of the last ten seconds, oldest first.
 */
reactions: Array<CallReaction>, 
/**
 * A recording, from the wish to its end; `None` for those who need not know yet.
 */
recording: Recording | null, 
/**
 * What is to be said about the recording.
 */
prompt: RecordingPrompt | null, 
/**
 * The server writes along what is said.
 */
captionsOffered: boolean, 
/**
 * The person wants to see that.
 */
captionsShown: boolean, 
/**
 * What was said last, one line for each session, while it is shown.
 */
captions: Array<Caption>, 
/**
 * What was said in this call, oldest first, while somebody reads it; empty else.
 */
said: Array<Said>, 
/**
 * There is something of that kind to read.
 */
saidSomething: boolean, 
/**
 * Address that leads into this call; empty when idle.
 */
link: string, 
/**
 * We call somebody, and they have not answered yet.
 */
calling: Calling | null, 
/**
 * At which server it is, where there are several and another one is shown.
 */
server: ServerTag | null, };

/**
 * How much noise is removed.
 */
export type Noise = "off" | "standard" | "strong";

/**
 * What is done to the sound on its way: everything that a person can switch. Kept from run to run.
 */
export type Sound = { 
/**
 * Remove the echo of what we play from what the microphone hears.
 */
echo: boolean, 
/**
 * Remove noise.
 */
noise: Noise, 
/**
 * Bring the voice to an even loudness.
 */
gain: boolean, 
/**
 * Remove rumble below the voice.
 */
highPass: boolean, 
/**
 * Loudness of our microphone, per cent, 0 to 200.
 */
inputVolume: number, 
/**
 * Loudness of everything that is heard, per cent, 0 to 200.
 */
outputVolume: number, 
/**
 * Only let through what is louder than this, dBov, −90 to 0; `None` lets everything through.
 */
threshold: number | null, 
/**
 * What other programs play goes along with a shared screen, unless the person says otherwise this time.
 */
share: boolean, 
/**
 * For music: the microphone goes out as it is, whatever is said above about echo, noise, loudness, rumble and the
 * threshold, which comes back afterwards.
 */
original: boolean, };

/**
 * A sound device.
 */
export type DeviceRow = { 
/**
 * Identity.
 */
id: DeviceId, 
/**
 * As the system calls it.
 */
name: string, 
/**
 * Which end.
 */
role: DeviceRole, 
/**
 * The system's default.
 */
isDefault: boolean, };

/**
 * Where the trial of the microphone is.
 */
export type Trial = "recording" | "playing";

/**
 * Sound devices and the choice among them.
 */
export type Devices = { 
/**
 * Microphones.
 */
inputs: Array<DeviceRow>, 
/**
 * Loudspeakers and headphones.
 */
outputs: Array<DeviceRow>, 
/**
 * Chosen microphone; `None` follows the system.
 */
input: DeviceId | null, 
/**
 * Chosen loudspeaker; `None` follows the system.
 */
output: DeviceId | null, 
/**
 * What is done to the sound.
 */
sound: Sound, 
/**
 * Nothing of the others is heard, on purpose. Not remembered.
 */
deafened: boolean, 
/**
 * The three sound files are being written.
 */
dumping: boolean, 
/**
 * Hearing oneself, if that was asked for.
 */
trial: Trial | null, };

/**
 * What a source is.
 */
export type SourceKind = "screen" | "window" | "portal";

/**
 * Something that can be shared.
 */
export type ShareSource = { 
/**
 * `screen:N`, `window:N`, `portal` (what was shared the last time), `portal:choose`.
 */
id: SourceId, 
/**
 * As people know it: the monitor's name, the window's title.
 */
name: string, 
/**
 * What it is.
 */
kind: SourceKind, 
/**
 * Pixels; 0 while unknown.
 */
width: number, 
/**
 * Pixels; 0 while unknown.
 */
height: number, };

/**
 * What can be shared.
 */
export type SharePicker = { 
/**
 * Being looked for.
 */
loading: boolean, 
/**
 * Screens first, then windows, topmost first.
 */
sources: Array<ShareSource>, 
/**
 * Why there are none: a notice code.
 */
problem: string | null, 
/**
 * What other programs play can go along.
 */
sound: boolean, };

/**
 * Our own share.
 */
export type OurShare = { "state": "off" } | { "state": "starting", 
/**
 * What.
 */
source: SourceId, 
/**
 * Its name; may be empty.
 */
name: string, } | { "state": "on", 
/**
 * What.
 */
source: SourceId, 
/**
 * Its name; may be empty.
 */
name: string, 
/**
 * Smooth movement matters more than sharp text.
 */
motion: boolean, 
/**
 * Sound goes along.
 */
sound: boolean, 
/**
 * The picture is held.
 */
paused: boolean, 
/**
 * Pixels.
 */
width: number, 
/**
 * Pixels.
 */
height: number, };

/**
 * Shared screens: ours, and whose is to be seen.
 */
export type Share = { 
/**
 * The list to choose from, while it is open.
 */
picker: SharePicker | null, 
/**
 * Our own.
 */
ours: OurShare, 
/**
 * Whose screen is to be seen (perhaps ours).
 */
presenter: SessionId | null, 
/**
 * The server lets screens be shared.
 */
allowed: boolean, 
/**
 * The presenter's machine lets its sound be heard along with the screen.
 */
sound: boolean, 
/**
 * How loud we hear that sound, per cent, 0 to 200.
 */
volume: number, 
/**
 * This machine is locked: what we share is held until it is not.
 */
locked: boolean, };

/**
 * Loudness for meters, ten times a second. Lossy: only the newest matters.
 */
export type Levels = { 
/**
 * Our microphone before the mute gate, 0 (silence) to 1 (full scale), logarithmic over 60 dB.
 */
input: number, 
/**
 * What we hear of each session, 0..1, likewise.
 */
sessions: { [key in string]: number }, };

/**
 * Names a server to the person, and to whoever brings an answer back to it.
 */
export type ServerTag = { 
/**
 * Which.
 */
number: ServerNumber, 
/**
 * What it calls itself, or its host; one plain line.
 */
name: string, };

/**
 * How it is with us and a server.
 */
export type ServerStanding = "new" | "signedOut" | "connecting" | "up" | "lost";

/**
 * One of the person's servers, as the switcher shows it.
 */
export type ServerRow = { 
/**
 * Which.
 */
number: ServerNumber, 
/**
 * What it calls itself, or its host; empty for one whose address is not known yet.
 */
name: string, 
/**
 * Site address; empty while unknown.
 */
url: string, 
/**
 * How it is with us and it.
 */
standing: ServerStanding, 
/**
 * Something is unread.
 */
unread: boolean, 
/**
 * Unread mentions.
 */
mentions: number, 
/**
 * Channels with something unread.
 */
channels: number, 
/**
 * A call comes in.
 */
ringing: boolean, 
/**
 * We are in a call there, or joining one.
 */
inCall: boolean, 
/**
 * What it may do on this computer.
 */
trust: Trust, 
/**
 * The windows show it.
 */
shown: boolean, };

/**
 * The whole state of the interface.
 */
export type Snapshot = { 
/**
 * Grows with every change.
 */
revision: number, 
/**
 * Who we are, or what the sign-in form shows.
 */
account: Account, 
/**
 * The connection to the server.
 */
link: Link, 
/**
 * Teams, channels, people.
 */
directory: Directory, 
/**
 * The open channel's posts.
 */
timeline: Timeline, 
/**
 * The thread beside it.
 */
thread: Thread, 
/**
 * What is being written: files on their way, what may follow.
 */
compose: Compose, 
/**
 * What was found by name.
 */
finder: Finder, 
/**
 * Emoji of the server's own, by name.
 */
emoji: Array<CustomEmoji>, 
/**
 * Our call.
 */
call: Call, 
/**
 * Our call's chat.
 */
chat: CallChat, 
/**
 * Sound devices.
 */
devices: Devices, 
/**
 * How the interface looks.
 */
appearance: Appearance, 
/**
 * How our own calls behave.
 */
calls: CallPreferences, 
/**
 * Calls that come in.
 */
incoming: Incoming, 
/**
 * How calls and messages reach the person.
 */
alerts: Alerts, 
/**
 * Shared screens.
 */
share: Share, 
/**
 * What the person should know, oldest first.
 */
notices: Array<Notice>, 
/**
 * The network test.
 */
network: Network, 
/**
 * The person's servers, in order of display; none while there is but one.
 */
servers: Array<ServerRow>, };

/**
 * One changed slice.
 */
export type Slice = { "slice": "account", "value": Account } | { "slice": "link", "value": Link } | { "slice": "directory", "value": Directory } | { "slice": "timeline", "value": Timeline } | { "slice": "thread", "value": Thread } | { "slice": "compose", "value": Compose } | { "slice": "finder", "value": Finder } | { "slice": "emoji", "value": Array<CustomEmoji> } | { "slice": "call", "value": Call } | { "slice": "chat", "value": CallChat } | { "slice": "devices", "value": Devices } | { "slice": "appearance", "value": Appearance } | { "slice": "calls", "value": CallPreferences } | { "slice": "incoming", "value": Incoming } | { "slice": "alerts", "value": Alerts } | { "slice": "share", "value": Share } | { "slice": "notices", "value": Array<Notice> } | { "slice": "network", "value": Network } | { "slice": "servers", "value": Array<ServerRow> };

/**
 * A change of the snapshot. Apply it if its revision is higher than the one held.
 */
export type Patch = { 
/**
 * Revision after the change.
 */
revision: number, 
/**
 * New value.
 */
slice: Slice, };

/**
 * A change of the timeline, for a page that holds the timeline of `base`.
 */
export type TimelineChange = { 
/**
 * Revision after the change.
 */
revision: number, 
/**
 * Revision of the timeline that this builds upon.
 */
base: number, 
/**
 * So many posts at the beginning stay as they are.
 */
head: number, 
/**
 * So many posts at the end stay as they are.
 */
tail: number, 
/**
 * The new timeline; of its posts only those between.
 */
timeline: Timeline, };
