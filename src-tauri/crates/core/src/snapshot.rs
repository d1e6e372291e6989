//! Everything a view can show: one value, in slices, each patched as a whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::alert::{AlertSettings, KeysReach, MessageLevel, Tone};
use crate::command::DeviceRole;
use crate::id::{
    ChannelId, DeviceId, Millis, PendingId, PostId, SessionId, SourceId, TeamId, UserId,
};
use crate::model::{ChannelKind, CustomEmoji, File, PostKind, Presence, Team, User};
use crate::notice::Notice;
use crate::port::media::ShareSource;
use crate::preferences::{AccountLook, Appearance, CallPreferences};

mod chat;
mod incall;
mod rows;

pub use chat::*;
pub use incall::{CallChat, CallReaction, Caption, Recording, RecordingPrompt};
pub use rows::TimelineChange;

/// The whole state of the interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Grows with every change.
    #[ts(type = "number")]
    pub revision: u64,
    /// Who we are, or what the sign-in form shows.
    pub account: Account,
    /// The connection to the server.
    pub link: Link,
    /// Teams, channels, people.
    pub directory: Directory,
    /// The open channel's posts.
    pub timeline: Timeline,
    /// The thread beside it.
    pub thread: Thread,
    /// What is being written: files on their way, what may follow.
    pub compose: Compose,
    /// What was found by name.
    pub finder: Finder,
    /// Emoji of the server's own, by name.
    pub emoji: Vec<CustomEmoji>,
    /// Our call.
    pub call: Call,
    /// Our call's chat.
    pub chat: CallChat,
    /// Sound devices.
    pub devices: Devices,
    /// How the interface looks.
    pub appearance: Appearance,
    /// How our own calls behave.
    pub calls: CallPreferences,
    /// Calls that come in.
    pub incoming: Incoming,
    /// How calls and messages reach the person.
    pub alerts: Alerts,
    /// Shared screens.
    pub share: Share,
    /// What the person should know, oldest first.
    pub notices: Vec<Notice>,
}

/// One changed slice.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "slice", content = "value", rename_all = "camelCase")]
pub enum Slice {
    /// See [`Snapshot::account`].
    Account(Account),
    /// See [`Snapshot::link`].
    Link(Link),
    /// See [`Snapshot::directory`].
    Directory(Directory),
    /// See [`Snapshot::timeline`].
    Timeline(Timeline),
    /// See [`Snapshot::thread`].
    Thread(Thread),
    /// See [`Snapshot::compose`].
    Compose(Compose),
    /// See [`Snapshot::finder`].
    Finder(Finder),
    /// See [`Snapshot::emoji`].
    Emoji(Vec<CustomEmoji>),
    /// See [`Snapshot::call`].
    Call(Box<Call>),
    /// See [`Snapshot::chat`].
    Chat(CallChat),
    /// See [`Snapshot::devices`].
    Devices(Devices),
    /// See [`Snapshot::appearance`].
    Appearance(Appearance),
    /// See [`Snapshot::calls`].
    Calls(CallPreferences),
    /// See [`Snapshot::incoming`].
    Incoming(Incoming),
    /// See [`Snapshot::alerts`].
    Alerts(Box<Alerts>),
    /// See [`Snapshot::share`].
    Share(Share),
    /// See [`Snapshot::notices`].
    Notices(Vec<Notice>),
}

/// A change of the snapshot. Apply it if its revision is higher than the one held.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Patch {
    /// Revision after the change.
    #[ts(type = "number")]
    pub revision: u64,
    /// New value.
    pub slice: Slice,
}

/// Sign-in, step by step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(
    tag = "phase",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Account {
    /// No server yet: ask for its address.
    #[default]
    NoServer,
    /// Looking whether a server answers.
    Finding {
        /// As typed.
        address: String,
    },
    /// A server answers: ask who it is.
    SignedOut {
        /// Its address.
        server: ServerInfo,
        /// The user name to show in the form.
        login: String,
        /// The server has asked for a one-time code.
        code_needed: bool,
        /// The person signs in with their browser; waiting for it to bring them back.
        outside: bool,
    },
    /// Waiting for the server's answer, or loading the first data.
    SigningIn {
        /// Its address.
        server: ServerInfo,
        /// As whom.
        login: String,
    },
    /// Signed in.
    SignedIn {
        /// Where.
        server: ServerInfo,
        /// As whom.
        me: User,
        /// The session outlives the program (the key store has the token).
        remembered: bool,
    },
}

/// A server, before sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerInfo {
    /// Site address with scheme, without a slash at the end.
    pub url: String,
    /// The name it gives itself.
    pub name: String,
    /// Mattermost version.
    pub version: String,
    /// Calls plugin version; `None` without the plugin.
    pub calls_version: Option<String>,
    /// The address is not encrypted (`http:`) and not this machine.
    pub insecure: bool,
    /// Ways to sign in with the browser, in the order of the server's own page.
    pub outside: Vec<Outside>,
}

/// A way to sign in with the person's browser (mattermost-core §3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Outside {
    /// Which.
    pub service: OutsideService,
    /// What the server calls it; may be empty.
    pub label: String,
}

/// Who vouches for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum OutsideService {
    /// GitLab.
    Gitlab,
    /// Google.
    Google,
    /// Microsoft.
    Office365,
    /// OpenID Connect.
    Openid,
    /// SAML.
    Saml,
}

impl OutsideService {
    /// All of them, in the order of the server's own page.
    pub const ALL: [Self; 5] = [
        Self::Gitlab,
        Self::Google,
        Self::Office365,
        Self::Openid,
        Self::Saml,
    ];

    /// Path on the server, below the site address.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Gitlab => "oauth/gitlab/login",
            Self::Google => "oauth/google/login",
            Self::Office365 => "oauth/office365/login",
            Self::Openid => "oauth/openid/login",
            Self::Saml => "login/sso/saml",
        }
    }
}

/// The connection to the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Link {
    /// Not signed in.
    #[default]
    Down,
    /// Being made.
    Connecting,
    /// Live.
    Up,
    /// Lost; trying again.
    Lost {
        /// Seconds until the next try.
        retry_in: u32,
        /// How many tries have failed.
        attempt: u32,
    },
}

/// Teams, channels and people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// My teams, by name.
    pub teams: Vec<Team>,
    /// The open team.
    pub team: Option<TeamId>,
    /// The open channel.
    pub channel: Option<ChannelId>,
    /// Channels of the open team, then direct and group channels, in order of display.
    pub channels: Vec<ChannelRow>,
    /// How they are grouped, in order of display. Empty while unknown; channels in none are shown at the end.
    pub categories: Vec<CategoryRow>,
    /// Everybody known, by user id: names and presence for posts, rows and tiles.
    pub people: BTreeMap<String, Person>,
    /// Calls are to be had on this server.
    pub calls_available: bool,
    /// Largest file that the server takes, bytes.
    #[ts(type = "number")]
    pub max_file_size: u64,
    /// Replies live in threads only, and are not shown in the channel.
    pub collapsed_threads: bool,
    /// What the account says about looks.
    pub look: AccountLook,
}

/// A channel in the sidebar.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChannelRow {
    /// Identity.
    pub id: ChannelId,
    /// Kind.
    pub kind: ChannelKind,
    /// Name on screen: for direct channels the other person's.
    pub name: String,
    /// Name in addresses, as people type it in links and scripts; for direct channels it means nothing to a person.
    pub slug: String,
    /// The line under the name.
    pub header: String,
    /// Whose presence and portrait to show (direct channels).
    pub user: Option<UserId>,
    /// Unread posts.
    pub unread: bool,
    /// Unread mentions.
    pub mentions: u32,
    /// Muted by the person.
    pub muted: bool,
    /// Read only.
    pub archived: bool,
    /// The call going on there.
    pub call: Option<ActiveCallRow>,
    /// Whether a call can be started or joined here, and if not, why: a notice code (`call.archived`, `call.group_off`…).
    pub call_blocked: Option<String>,
    /// Text typed but not sent.
    pub draft: String,
}

/// A call going on in a channel.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ActiveCallRow {
    /// Begin, server clock.
    #[ts(type = "number")]
    pub start_at: Millis,
    /// Who is in it (each user once), longest first.
    pub users: Vec<UserId>,
    /// We are in it with this client.
    pub mine: bool,
    /// Its offer was closed, with whichever client of ours.
    pub dismissed: bool,
}

/// Somebody, as the interface needs them.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The account.
    pub user: User,
    /// Name on screen by the server's and the person's setting.
    pub name: String,
    /// Whether they are there.
    pub presence: Presence,
}

/// The open channel's posts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// Which channel.
    pub channel: Option<ChannelId>,
    /// Oldest first.
    pub posts: Vec<PostRow>,
    /// The first page is still on its way.
    pub loading: bool,
    /// Older posts are being fetched.
    pub loading_older: bool,
    /// There is nothing older.
    pub at_start: bool,
    /// The first post not read when the channel was opened.
    pub first_unread: Option<PostId>,
    /// Names of those who are typing here.
    pub typing: Vec<String>,
}

/// A post on screen.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PostRow {
    /// Identity; for a post not yet confirmed its pending id.
    pub id: PostId,
    /// Author.
    pub author: UserId,
    /// Author's name on screen.
    pub author_name: String,
    /// Text, Mattermost markdown.
    pub message: String,
    /// Kind.
    pub kind: PostKind,
    /// Made.
    #[ts(type = "number")]
    pub create_at: Millis,
    /// Changed by its author.
    pub edited: bool,
    /// Thread, if it is a reply.
    pub root: Option<PostId>,
    /// Replies in its thread.
    pub reply_count: u32,
    /// Where it is on its way to the server.
    pub delivery: Delivery,
    /// Reactions, by emoji, the oldest first.
    pub reactions: Vec<ReactionRow>,
    /// What is attached.
    pub files: Vec<File>,
    /// We wrote it, and may change it.
    pub editable: bool,
    /// We may delete it.
    pub deletable: bool,
    /// We follow the thread that begins here.
    pub following: bool,
}

/// Where a post is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Delivery {
    /// On the server.
    Sent,
    /// On its way, or waiting for the connection.
    Waiting {
        /// Its id until then.
        pending: PendingId,
    },
    /// Refused.
    Failed {
        /// Its id until then.
        pending: PendingId,
        /// Why: a notice code or the server's text.
        reason: String,
    },
}

/// Our call, and what the call surfaces show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Where it stands.
    pub phase: CallPhase,
    /// Where it is; `None` when idle.
    pub channel: Option<ChannelId>,
    /// Name of the place: the channel, or the other person.
    pub place: String,
    /// Kind of the channel.
    pub kind: Option<ChannelKind>,
    /// Our own session, once joined.
    pub session: Option<SessionId>,
    /// Begin, for the timer: Unix milliseconds by *our* clock.
    #[ts(type = "number")]
    pub started_at: Millis,
    /// The microphone as it really is: never shown open before it is.
    pub microphone: Microphone,
    /// Everybody in it, in order of display.
    pub participants: Vec<ParticipantRow>,
    /// Who may control it.
    pub host: Option<UserId>,
    /// Root post of the call's chat.
    pub thread: Option<PostId>,
    /// Quality of the connection; `None` until measured.
    pub quality: Option<Quality>,
    /// A call that somebody wants to switch to: the question to ask.
    pub switch_to: Option<ChannelId>,
    /// We may use the host's controls.
    pub can_moderate: bool,
    /// We may end it for everyone.
    pub can_end: bool,
    /// We may start and stop recordings.
    pub can_record: bool,
    /// The call ends for everyone at this time, Unix milliseconds by *our* clock, unless that is taken back.
    #[ts(type = "number | null")]
    pub ending_at: Option<Millis>,
    /// Reactions of the last ten seconds, oldest first.
    pub reactions: Vec<CallReaction>,
    /// A recording, from the wish to its end; `None` for those who need not know yet.
    pub recording: Option<Recording>,
    /// What is to be said about the recording.
    pub prompt: Option<RecordingPrompt>,
    /// The server writes along what is said.
    pub captions_offered: bool,
    /// The person wants to see that.
    pub captions_shown: bool,
    /// What was said last, one line for each session, while it is shown.
    pub captions: Vec<Caption>,
    /// Address that leads into this call; empty when idle.
    pub link: String,
    /// We call somebody, and they have not answered yet.
    pub calling: Option<Calling>,
}

/// A direct call of ours that nobody has answered yet (calls-v1-rest §28.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Calling {
    /// Half a minute has passed: offer to hang up, or to wait on.
    pub unanswered: bool,
}

/// Where our call stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum CallPhase {
    /// Not in a call.
    #[default]
    Idle,
    /// Asking the server to let us in.
    Joining,
    /// Let in; making the media connection.
    Connecting,
    /// Sound flows.
    Live,
    /// Something is lost.
    Reconnecting {
        /// Sound still flows; only the signaling link is lost.
        media_flows: bool,
    },
    /// Over, for a reason that the person must see.
    Failed {
        /// Notice code (`call.media_timeout`, `call.full`…).
        code: String,
        /// Values for the sentence.
        values: BTreeMap<String, String>,
        /// The server's own text.
        detail: Option<String>,
        /// Trying again makes sense.
        retry: bool,
    },
}

/// The microphone, as the person must see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Microphone {
    /// Off: nothing leaves.
    #[default]
    Muted,
    /// On its way to on: nothing leaves yet.
    Opening,
    /// On: what is said is sent.
    Open,
    /// There is none, or the system blocks it.
    Unavailable,
}

/// A participant on screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ParticipantRow {
    /// Identity inside the call.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// Name on screen.
    pub name: String,
    /// This is our own session.
    pub me: bool,
    /// May control the call.
    pub host: bool,
    /// Microphone off.
    pub muted: bool,
    /// Is talking now.
    pub speaking: bool,
    /// Hand raised (server clock); `None` when down.
    #[ts(type = "number | null")]
    pub hand_raised_at: Option<Millis>,
    /// Shares the screen.
    pub sharing: bool,
    /// How loud we hear them, per cent, 0 to 200.
    pub volume: u16,
    /// Their last reaction, for ten seconds.
    pub reaction: Option<String>,
    /// One of the host's controls is on its way to them.
    pub busy: bool,
}

/// Quality of the call's connection, measured every second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Quality {
    /// Round trip to the media server, milliseconds.
    pub rtt_ms: f32,
    /// Packets lost on the way to us, 0..1, over the last interval.
    pub loss: f32,
    /// Interarrival jitter (RFC 3550 §6.4.1), milliseconds.
    pub jitter_ms: f32,
    /// What the jitter buffer aims at, milliseconds.
    pub jitter_target_ms: f32,
    /// Samples concealed of all samples played, 0..1, since the call began.
    pub concealed_ratio: f32,
    /// Received, bits per second.
    pub bitrate_in: u32,
    /// Sent, bits per second.
    pub bitrate_out: u32,
    /// Mean opinion score, 1..4.5.
    pub mos: f32,
    /// Samples lost between our devices and us since the call began, because this machine was too busy: each is a click,
    /// ours or theirs.
    pub xruns: u32,
    /// What our shared screen costs; `None` while nothing is shared.
    pub share: Option<ShareQuality>,
    /// How the watched screen comes; `None` while none is there.
    pub watch: Option<WatchQuality>,
}

/// Figures of our shared screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ShareQuality {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Pictures sent per second, all layers.
    pub fps: f32,
    /// Bits per second, all layers.
    pub bitrate: u32,
    /// Bits per second that may be used.
    pub target: u32,
    /// Mean time to encode a picture, milliseconds.
    pub encode_ms: f32,
    /// Coarseness of the last picture, 0 (finest) to 63.
    pub quantizer: u8,
}

/// Figures of the watched screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct WatchQuality {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Pictures decoded per second.
    pub fps: f32,
    /// Mean time to decode a picture, milliseconds.
    pub decode_ms: f32,
    /// Frames that could not be decoded since it began.
    pub failed: u32,
}

/// Sound devices and the choice among them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Devices {
    /// Microphones.
    pub inputs: Vec<DeviceRow>,
    /// Loudspeakers and headphones.
    pub outputs: Vec<DeviceRow>,
    /// Chosen microphone; `None` follows the system.
    pub input: Option<DeviceId>,
    /// Chosen loudspeaker; `None` follows the system.
    pub output: Option<DeviceId>,
    /// What is done to the sound.
    pub sound: Sound,
    /// Nothing of the others is heard, on purpose. Not remembered.
    pub deafened: bool,
    /// The three sound files are being written.
    pub dumping: bool,
}

/// What is done to the sound on its way: everything that a person can switch. Kept from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase")]
pub struct Sound {
    /// Remove the echo of what we play from what the microphone hears.
    pub echo: bool,
    /// Remove noise.
    pub noise: Noise,
    /// Bring the voice to an even loudness.
    pub gain: bool,
    /// Remove rumble below the voice.
    pub high_pass: bool,
    /// Loudness of our microphone, per cent, 0 to 200.
    pub input_volume: u16,
    /// Loudness of everything that is heard, per cent, 0 to 200.
    pub output_volume: u16,
    /// Only let through what is louder than this, dBov, −90 to 0; `None` lets everything through.
    pub threshold: Option<i8>,
    /// What other programs play goes along with a shared screen, unless the person says otherwise this time.
    pub share: bool,
}

impl Sound {
    /// Nothing is done.
    pub const RAW: Self = Self {
        echo: false,
        noise: Noise::Off,
        gain: false,
        high_pass: false,
        input_volume: 100,
        output_volume: 100,
        threshold: None,
        share: true,
    };

    /// The same with every figure within its range.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self {
            input_volume: self.input_volume.min(200),
            output_volume: self.output_volume.min(200),
            threshold: self.threshold.map(|threshold| threshold.clamp(-90, 0)),
            ..self
        }
    }
}

impl Default for Sound {
    fn default() -> Self {
        Self {
            echo: true,
            noise: Noise::Standard,
            gain: true,
            high_pass: true,
            ..Self::RAW
        }
    }
}

/// How much noise is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Noise {
    /// None: for music, and for very good microphones.
    Off,
    /// Steady noise: fans, hum, the street.
    #[default]
    Standard,
    /// Also what is sudden: keys, clicks, a rustle. Takes a little of the voice's colour with it.
    Strong,
}

/// A sound device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeviceRow {
    /// Identity.
    pub id: DeviceId,
    /// As the system calls it.
    pub name: String,
    /// Which end.
    pub role: DeviceRole,
    /// The system's default.
    pub is_default: bool,
}

/// Shared screens: ours, and whose is to be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// The list to choose from, while it is open.
    pub picker: Option<SharePicker>,
    /// Our own.
    pub ours: OurShare,
    /// Whose screen is to be seen (perhaps ours).
    pub presenter: Option<SessionId>,
    /// The server lets screens be shared.
    pub allowed: bool,
    /// The presenter's machine lets its sound be heard along with the screen.
    pub sound: bool,
    /// How loud we hear that sound, per cent, 0 to 200.
    pub volume: u16,
    /// This machine is locked: what we share is held until it is not.
    pub locked: bool,
}

/// What can be shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SharePicker {
    /// Being looked for.
    pub loading: bool,
    /// Screens first, then windows, topmost first.
    pub sources: Vec<ShareSource>,
    /// Why there are none: a notice code.
    pub problem: Option<String>,
    /// What other programs play can go along.
    pub sound: bool,
}

/// Our own share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum OurShare {
    /// Nothing is shared.
    #[default]
    Off,
    /// On its way: nobody sees anything yet.
    Starting {
        /// What.
        source: SourceId,
        /// Its name; may be empty.
        name: String,
    },
    /// Everybody sees it.
    On {
        /// What.
        source: SourceId,
        /// Its name; may be empty.
        name: String,
        /// Smooth movement matters more than sharp text.
        motion: bool,
        /// Sound goes along.
        sound: bool,
        /// The picture is held.
        paused: bool,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

/// Loudness for meters, ten times a second. Lossy: only the newest matters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Levels {
    /// Our microphone before the mute gate, 0 (silence) to 1 (full scale), logarithmic over 60 dB.
    pub input: f32,
    /// What we hear of each session, 0..1, likewise.
    pub sessions: BTreeMap<String, f32>,
}

/// Calls that come in, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Incoming {
    /// At most eight.
    pub calls: Vec<IncomingCall>,
    /// Calls that ended before anybody of us answered, newest first, at most twenty; of this run.
    pub missed: Vec<MissedCall>,
}

/// A call that ended before we answered.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MissedCall {
    /// Identity of the call.
    pub call: String,
    /// Where.
    pub channel: ChannelId,
    /// Who called.
    pub caller: UserId,
    /// Their name, one plain line.
    pub name: String,
    /// When: Unix milliseconds by *our* clock.
    #[ts(type = "number")]
    pub at: Millis,
}

/// A call that comes in.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct IncomingCall {
    /// Identity of the call.
    pub call: String,
    /// Where.
    pub channel: ChannelId,
    /// Kind of the channel.
    pub kind: ChannelKind,
    /// The channel's name on screen, one plain line.
    pub place: String,
    /// Who calls.
    pub caller: UserId,
    /// Their name, one plain line.
    pub name: String,
    /// Who is in it, each once, without us.
    pub users: Vec<UserId>,
    /// First seen: Unix milliseconds by *our* clock.
    #[ts(type = "number")]
    pub since: Millis,
    /// It rings at this moment.
    pub ringing: bool,
    /// Declining tells the caller.
    pub declinable: bool,
    /// We are in another call: joining means switching.
    pub in_call: bool,
    /// It was answered on another device, and goes in a moment.
    pub elsewhere: bool,
    /// The caller has called very often: offer to block them.
    pub offer_block: bool,
}

/// How calls and messages reach the person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Alerts {
    /// On this computer.
    pub settings: AlertSettings,
    /// Calls ring (on all devices).
    pub ringing: bool,
    /// The server rings for direct and group calls at all.
    pub server_rings: bool,
    /// The tone that rings.
    pub tone: Tone,
    /// The tone that is being tried.
    pub preview: Option<Tone>,
    /// Which messages notify (on all devices).
    pub messages: MessageLevel,
    /// What became of the test notification: on its way (`None` also before any test), arrived or not.
    pub test: Option<bool>,
    /// How far the keys reach that are to work everywhere.
    pub keys: KeysReach,
    /// The system is set to do not disturb, and that is heeded.
    pub system_quiet: bool,
    /// The person wants to end the program while in a call: the question to ask.
    pub quitting: bool,
    /// There is somebody who calls when asked to.
    pub demo: bool,
}
