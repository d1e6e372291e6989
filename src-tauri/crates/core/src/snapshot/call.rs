//! The call we are in, as its windows draw it.

use std::collections::BTreeMap;

use serde::Serialize;
use ts_rs::TS;

use crate::id::{ChannelId, Millis, PostId, SessionId, UserId};
use crate::model::ChannelKind;

use super::ServerTag;
use super::incall::{CallReaction, Caption, Recording, RecordingPrompt, Said};

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
    /// How each person's sound and screen reach us, where something came in the last seconds.
    pub streams: Vec<StreamQuality>,
    /// The way that media takes; `None` until known.
    pub path: Option<MediaPath>,
    /// The ways that were tried, the one in use first; at most 16.
    pub ways: Vec<TriedWay>,
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
    /// What was said in this call, oldest first, while somebody reads it; empty else.
    pub said: Vec<Said>,
    /// There is something of that kind to read.
    pub said_something: bool,
    /// Address that leads into this call; empty when idle.
    pub link: String,
    /// We call somebody, and they have not answered yet.
    pub calling: Option<Calling>,
    /// At which server it is, where there are several and another one is shown.
    pub server: Option<ServerTag>,
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

/// How a stream of somebody's reaches us, measured every four seconds.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct StreamQuality {
    /// Whose.
    pub session: SessionId,
    /// It carries pictures; else sound.
    pub video: bool,
    /// Share of its packets that were lost, 0..1.
    pub loss: f32,
    /// Interarrival jitter (RFC 3550 §6.4.1), milliseconds.
    pub jitter_ms: f32,
}

/// The way between us and the media server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MediaPath {
    /// Over a TURN server.
    pub relayed: bool,
    /// Over TCP; else UDP. Of a relayed way: between the relay and the media server.
    pub tcp: bool,
}

/// A way to the media server that was tried: a candidate pair of ICE (RFC 8445 §6.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct TriedWay {
    /// Kind of our end's address: `host`, `srflx`, `prflx` or `relay`.
    pub local: String,
    /// Kind of the other end's address, likewise.
    pub remote: String,
    /// `udp` or `tcp`.
    pub protocol: String,
    /// What came of it.
    pub state: WayState,
}

/// What came of a way that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum WayState {
    /// Media takes it.
    InUse,
    /// It would do as well.
    Open,
    /// No answer yet.
    Trying,
    /// It does not lead there.
    Failed,
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
