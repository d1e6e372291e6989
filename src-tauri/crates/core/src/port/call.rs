//! What the core asks of a call's back end, and what it hears of a call.

use std::sync::Arc;

use crate::id::{ChannelId, Millis, PostId, SessionId, UserId};
use crate::model::{CallState, CallsConfig, Emoji, Job, JobKind, Participant, RtcStats};
use crate::snapshot::Quality;

use super::BoxFuture;
use super::media::MediaPort;

/// What a back end needs to join a call.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinTicket {
    /// Where.
    pub channel: ChannelId,
    /// Heading, if this starts the call.
    pub title: String,
    /// The thread that becomes the call's chat, if this starts the call; `None` makes a new one.
    pub thread: Option<PostId>,
    /// What the server offers.
    pub config: CallsConfig,
    /// Who we are.
    pub me: UserId,
    /// The person holds a key to talk: the first word is to be heard, too. The way for the voice is made as soon as the
    /// call is up, and nothing is sent on it before the microphone is open.
    pub talks: bool,
}

/// What a person wants of a running call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallIntent {
    /// Tell the others that our microphone is off or on. The gate itself is in the media engine.
    Mute(bool),
    /// Hand up or down.
    RaiseHand(bool),
    /// Show everybody an emoji.
    React(Emoji),
    /// Share our screen, or stop. Another number is another share.
    Share(Option<ShareTicket>),
}

/// One share of our screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareTicket {
    /// Grows with every share.
    pub number: u32,
    /// Sound goes along.
    pub sound: bool,
}

/// What happens in a call.
#[derive(Clone, Debug, PartialEq)]
pub enum CallEvent {
    /// The server let us in: our session.
    Accepted(SessionId),
    /// Media connected, for the first time or again.
    Connected,
    /// Something is lost and being repaired.
    Reconnecting {
        /// Sound still flows.
        media_flows: bool,
    },
    /// The voice track is on its way: what the gate lets through is heard from now on. Said once for each session
    /// (each [`CallEvent::Accepted`]); it holds through interruptions that the session survives.
    VoiceReady,
    /// The whole state; replaces everything known.
    State(Box<CallState>),
    /// Somebody joined.
    Joined(Participant),
    /// Somebody left.
    Left(SessionId),
    /// Microphone of a session.
    Muted(SessionId, bool),
    /// Somebody talks, or stops.
    Speaking(SessionId, bool),
    /// A hand, with the server's time when up.
    Hand(SessionId, Option<Millis>),
    /// Who shares the screen now.
    Sharing(Option<SessionId>),
    /// Our share has been granted and negotiated: pictures flow.
    ShareReady,
    /// Our share was not granted: somebody else was faster, or it is not allowed.
    ShareRefused,
    /// The sound of our share could not be negotiated: the picture goes on without it.
    ShareSilent,
    /// The sound of somebody's shared screen began (true) or ended.
    SharedSound(SessionId, bool),
    /// The server has ended our share.
    ShareEnded,
    /// The host asks us to stop sharing.
    StopShareRequested,
    /// Who is host now.
    Host(Option<UserId>),
    /// The host asks us to mute ourselves.
    MuteRequested,
    /// The host, or this administrator, asks us to lower our hand.
    LowerHandRequested(Option<UserId>),
    /// The host removes somebody else.
    Removed(SessionId),
    /// Somebody reacts, at this time of the server's.
    Reacted(SessionId, Emoji, Millis),
    /// A recording, transcription or captioning has changed.
    Job(JobKind, Job),
    /// What somebody said, in writing.
    Caption(SessionId, String),
    /// Counters of every stream, each ten seconds and when asked for.
    Rtc(Box<RtcStats>),
    /// The connection's figures, each second. The media engine's own are added above.
    Quality(Quality),
    /// Over. Nothing follows.
    Ended(EndReason),
}

/// Why a call is over for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// We left.
    Left,
    /// The host ended it for everyone, or the server closed it.
    EndedForAll,
    /// The host removed us.
    Removed,
    /// The server refused to let us in.
    Refused(Refusal),
    /// Media did not connect within the time allowed.
    MediaTimeout,
    /// Connected once, lost, and not repaired.
    Lost(String),
    /// The session is over: sign in again.
    Unauthorised,
    /// The server speaks something that we do not (Calls v2, or broken).
    Unsupported(String),
}

/// Why the server refused to let us in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// May not post here.
    Forbidden,
    /// The channel is archived.
    Archived,
    /// Direct messages only, without a licence.
    GroupCallsOff,
    /// Switched off in this channel.
    Disabled,
    /// Test mode, and we are not an administrator.
    TestMode,
    /// Too many people.
    Full,
    /// Anything else, in the server's words.
    Other(String),
}

/// Takes a call's events. Never blocks for long.
pub type EventSink = Arc<dyn Fn(CallEvent) + Send + Sync>;

/// A way to be in a call: Calls v1 over WebSocket and SDP, later others.
pub trait CallBackend: Send + Sync {
    /// Starts joining and returns at once; everything else is said through `events`, the last of which is
    /// [`CallEvent::Ended`], exactly once.
    fn join(
        &self,
        ticket: JoinTicket,
        media: Arc<dyn MediaPort>,
        events: EventSink,
    ) -> Box<dyn ActiveCall>;
}

/// A call we are in, or joining.
pub trait ActiveCall: Send {
    /// Does it as soon as it can. Intents given before the call is connected are kept; the last one counts.
    fn apply(&mut self, intent: CallIntent);
    /// Leaves. Resolves when the server has been told and everything is freed, within two seconds.
    fn leave(self: Box<Self>) -> BoxFuture<()>;
}
