//! The Calls plugin, version 1: REST bodies, WebSocket actions and events.
//!
//! Many fields *named* call id hold a **channel** id; each field says what it really holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod event;

pub use event::{CallsEvent, Who, channel_of, read_event};

/// The plugin.
pub const PLUGIN_ID: &str = "com.mattermost.calls";
/// What every action and event of the plugin begins with.
pub const PREFIX: &str = "custom_com.mattermost.calls_";
/// Base of the plugin's REST addresses, below the site address.
pub const REST_BASE: &str = "/plugins/com.mattermost.calls";

/// A call (`GET /channels`, and as text in the `call_state` event).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Call {
    /// Identity of the call itself.
    pub id: String,
    /// Begin.
    pub start_at: i64,
    /// Everybody in it, in no order, without bots.
    pub sessions: Vec<Session>,
    /// Root post of its thread.
    pub thread_id: String,
    /// Its own post.
    pub post_id: String,
    /// Who shares the screen; empty for nobody.
    pub screen_sharing_session_id: String,
    /// Who started it.
    pub owner_id: String,
    /// Who may control it; empty while nobody is eligible.
    pub host_id: String,
    /// Recording, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<Job>,
    /// Transcription, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcription: Option<Job>,
    /// Live captions, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live_captions: Option<Job>,
    /// User id → true, for the asking user only.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dismissed_notification: BTreeMap<String, bool>,
}

/// One participant's connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Identity: the connection id of the WebSocket on which it joined.
    pub session_id: String,
    /// Whose.
    pub user_id: String,
    /// Microphone on.
    pub unmuted: bool,
    /// When the hand went up; 0 when down.
    pub raised_hand: i64,
    /// Camera on.
    pub video: bool,
}

/// A recording, transcription or captioning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Job {
    /// `recording`, `transcribing`, `captioning`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Asked for.
    pub init_at: i64,
    /// Began; 0 while starting.
    pub start_at: i64,
    /// Ended; 0 while running.
    pub end_at: i64,
    /// Why it failed; empty otherwise.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub err: String,
}

impl Job {
    /// True between begin and end.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.start_at > 0 && self.end_at == 0 && self.err.is_empty()
    }
}

/// One entry of `GET /channels`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallsChannel {
    /// Which channel.
    pub channel_id: String,
    /// Switched on or off explicitly; absent when neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The call going on there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
}

/// `GET /version`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Version {
    /// Plugin version.
    pub version: String,
    /// Media server version; absent with the embedded one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rtcd_version: String,
}

/// `GET /config`. Administrators get more keys, among them secrets: never log the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Config {
    /// STUN and TURN servers; TURN entries without credentials are withheld.
    #[serde(rename = "ICEServersConfigs")]
    pub ice_servers_configs: Vec<IceServer>,
    /// Live mode, else test mode.
    pub default_enabled: bool,
    /// 0 = no limit.
    pub max_call_participants: u32,
    /// `GET /turn-credentials` before joining.
    #[serde(rename = "NeedsTURNCredentials")]
    pub needs_turn_credentials: bool,
    /// Screens may be shared.
    pub allow_screen_sharing: bool,
    /// Two layers of a shared screen.
    pub enable_simulcast: bool,
    /// Direct and group calls ring.
    pub enable_ringing: bool,
    /// Calls can be recorded.
    pub enable_recordings: bool,
    /// Recordings are transcribed.
    pub enable_transcriptions: bool,
    /// What is said is shown while a recording runs.
    pub enable_live_captions: bool,
    /// Longest recording, minutes.
    pub max_recording_duration: u32,
    /// The host's controls are licensed.
    pub host_controls_allowed: bool,
    /// Calls outside direct messages are licensed.
    pub group_calls_allowed: bool,
    /// Offers may travel over the data channel.
    #[serde(rename = "EnableDCSignaling")]
    pub enable_dc_signaling: bool,
}

impl Default for Config {
    /// What holds for keys that an older server does not send: everything off, but screens may be shared.
    fn default() -> Self {
        Self {
            ice_servers_configs: Vec::new(),
            default_enabled: false,
            max_call_participants: 0,
            needs_turn_credentials: false,
            allow_screen_sharing: true,
            enable_simulcast: false,
            enable_ringing: false,
            enable_recordings: false,
            enable_transcriptions: false,
            enable_live_captions: false,
            max_recording_duration: 0,
            host_controls_allowed: false,
            group_calls_allowed: false,
            enable_dc_signaling: false,
        }
    }
}

/// A STUN or TURN server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct IceServer {
    /// Addresses.
    pub urls: Vec<String>,
    /// TURN user name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// TURN password.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub credential: String,
}

/// Data of the action `join`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Join {
    /// Where.
    #[serde(rename = "channelID")]
    pub channel_id: String,
    /// Heading of the call's post, if this starts the call.
    pub title: String,
    /// Root post to attach it to.
    #[serde(rename = "threadID")]
    pub thread_id: String,
    /// We send *and* receive AV1. A VP8-only client that says true gets black screens.
    #[serde(rename = "av1Support")]
    pub av1_support: bool,
    /// The server shall send its offers over the data channel.
    #[serde(rename = "dcSignaling")]
    pub dc_signaling: bool,
}

/// Data of the action `reconnect`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reconnect {
    /// Where.
    #[serde(rename = "channelID")]
    pub channel_id: String,
    /// Our session.
    #[serde(rename = "originalConnID")]
    pub original_conn_id: String,
    /// The connection that was lost.
    #[serde(rename = "prevConnID")]
    pub prev_conn_id: String,
}

/// A session description, as it lies inside `sdp`, `signal` and data-channel messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// `offer` or `answer`.
    #[serde(rename = "type")]
    pub kind: String,
    /// RFC 8866 text.
    pub sdp: String,
}

/// An ICE candidate, as W3C's `RTCIceCandidateInit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Candidate {
    /// `candidate:…`; empty means nothing.
    pub candidate: String,
    /// Media section by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// Media section by position.
    #[serde(rename = "sdpMLineIndex", skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u16>,
    /// Which ICE generation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

/// What an event `signal` holds in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// An offer or answer.
    Description(Description),
    /// A candidate.
    Candidate(Candidate),
}

/// Reads the text of a `signal` event.
///
/// # Errors
/// Not JSON, or of an unknown type.
pub fn read_signal(text: &str) -> Result<Signal, serde_json::Error> {
    #[derive(Deserialize)]
    struct Raw {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        sdp: String,
        #[serde(default)]
        candidate: Candidate,
    }
    let raw: Raw = super::parse(text.as_bytes())?;
    match raw.kind.as_str() {
        "candidate" => Ok(Signal::Candidate(raw.candidate)),
        "offer" | "answer" => Ok(Signal::Description(Description {
            kind: raw.kind,
            sdp: raw.sdp,
        })),
        _ => Err(serde::de::Error::custom("unknown signal type")),
    }
}

/// An emoji, as text inside the action `react` and as an object inside the event `user_reacted`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Emoji {
    /// Mattermost's short name; may be empty.
    pub name: String,
    /// Code points in lower-case hexadecimal, joined by `-`.
    pub unified: String,
    /// Skin tone.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub skin: String,
    /// The characters themselves.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub literal: String,
}
