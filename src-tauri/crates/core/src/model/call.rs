//! Calls as the server tells of them, and what it allows in them.

use super::Job;
use crate::id::{CallId, ChannelId, Millis, PostId, SessionId, UserId};

/// One connection to a call. A user on two devices is two participants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Identity inside the call.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// Microphone off.
    pub muted: bool,
    /// When the hand went up (server clock); `None` when down.
    pub hand_raised_at: Option<Millis>,
}

/// A call as the server describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallState {
    /// Identity of the call.
    pub id: CallId,
    /// Where.
    pub channel: ChannelId,
    /// Begin, server clock.
    pub start_at: Millis,
    /// Everybody in it, in no order, without bots.
    pub participants: Vec<Participant>,
    /// Root of the call's thread.
    pub thread: Option<PostId>,
    /// The call's own post.
    pub post: Option<PostId>,
    /// Who shares the screen.
    pub sharing: Option<SessionId>,
    /// Who started it.
    pub owner: UserId,
    /// Who may control it; `None` while nobody is eligible.
    pub host: Option<UserId>,
    /// The recording asked for last, if any.
    pub recording: Option<Job>,
    /// The captions asked for last, if any.
    pub captions: Option<Job>,
    /// We have dismissed this call's ringing.
    pub dismissed: bool,
}

/// What the Calls plugin allows and offers (`GET /config`, `GET /version`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallsConfig {
    /// Plugin version, for instance `1.12.2`; empty if unknown.
    pub version: String,
    /// Media server version; empty with the embedded one.
    pub rtcd_version: String,
    /// Anybody may start a call where it is not explicitly switched off; else administrators only ("test mode").
    pub default_enabled: bool,
    /// Highest number of sessions in a call; 0 = no limit.
    pub max_participants: u32,
    /// Short-lived TURN credentials must be fetched before joining.
    pub needs_turn_credentials: bool,
    /// Screens may be shared.
    pub allow_screen_sharing: bool,
    /// Two layers of the shared screen.
    pub simulcast: bool,
    /// Direct and group calls ring.
    pub ringing: bool,
    /// The host's controls are licensed.
    pub host_controls: bool,
    /// Calls outside direct messages are licensed.
    pub group_calls: bool,
    /// Calls can be recorded.
    pub recordings: bool,
    /// Recordings are transcribed.
    pub transcriptions: bool,
    /// Longest recording, minutes; 0 = unknown.
    pub max_recording_minutes: u32,
    /// Offers travel over the data channel.
    pub dc_signaling: bool,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServer>,
}

/// A STUN or TURN server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` addresses.
    pub urls: Vec<String>,
    /// TURN user name, else empty.
    pub username: String,
    /// TURN password, else empty.
    pub credential: String,
}

/// What `/channels` of the plugin says about one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallsChannel {
    /// Which.
    pub channel: ChannelId,
    /// Calls switched on or off explicitly; `None` = the server's default holds.
    pub enabled: Option<bool>,
    /// The call going on there.
    pub call: Option<CallState>,
}
