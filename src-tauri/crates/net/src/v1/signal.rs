//! What the WebSocket says about *our* call, and how refusals read.

use std::hash::{BuildHasher, Hasher, RandomState};

use calls_core::id::{ChannelId, SessionId, UserId};
use calls_core::model::{CallsConfig, Emoji, PairStats};
use calls_core::port::{CallEvent, EndReason, Refusal};
use calls_core::wire::calls::{
    self, CallsEvent, Candidate, Description, Join, PREFIX, Reconnect, Signal as Signalled,
};
use calls_core::wire::socket::Event;
use serde::Serialize;
use serde_json::Value;

use super::negotiate::Abilities;
use crate::line::Action;
use crate::translate::{call_state_of, job_kind_of, job_of, some};

/// Something heard.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// We are in; media can begin.
    Accepted(SessionId),
    /// An offer or answer.
    Description(Description),
    /// A candidate.
    Candidate(Candidate),
    /// To be passed on.
    Tell(CallEvent),
    /// The call is over for us.
    Ended(EndReason),
    /// The server has dropped our session, without anybody wanting it.
    Dropped,
}

/// Who we are in this call.
#[derive(Debug)]
pub(crate) struct Ear {
    channel: ChannelId,
    me: UserId,
    /// The connection now.
    connection: String,
    /// The connection on which we joined; `None` until accepted.
    session: Option<SessionId>,
}

impl Ear {
    /// For a call in this channel.
    pub(crate) fn new(channel: ChannelId, me: UserId) -> Self {
        Self {
            channel,
            me,
            connection: String::new(),
            session: None,
        }
    }

    /// The connection has this id now; returns the former one.
    pub(crate) fn connected(&mut self, connection: String) -> String {
        std::mem::replace(&mut self.connection, connection)
    }

    /// Our session, once accepted.
    pub(crate) fn session(&self) -> Option<&SessionId> {
        self.session.as_ref()
    }

    /// The action that takes over our session after the connection was lost.
    pub(crate) fn reconnect(&self, former: &str) -> Option<Action> {
        let session = self.session.as_ref()?;
        let data = Reconnect {
            channel_id: self.channel.as_str().to_owned(),
            original_conn_id: session.as_str().to_owned(),
            prev_conn_id: former.to_owned(),
        };
        Some(action("reconnect", &data))
    }

    /// The action that asks for the whole state.
    pub(crate) fn ask_state(&self) -> Action {
        let data = serde_json::json!({"channelID": self.channel.as_str()});
        (format!("{PREFIX}call_state"), Some(data))
    }

    /// The action that joins.
    pub(crate) fn join(&self, title: String, thread: String, dc_signaling: bool) -> Action {
        let data = Join {
            channel_id: self.channel.as_str().to_owned(),
            title,
            thread_id: thread,
            dc_signaling,
            // We send and receive VP8 only: saying true would get us black screens.
            av1_support: false,
        };
        action("join", &data)
    }

    /// Takes an event; `None` if it says nothing about our call.
    pub(crate) fn hear(&mut self, event: &Event) -> Option<Heard> {
        if event.event == "user_removed" {
            return self
                .removed(event)
                .then_some(Heard::Ended(EndReason::Removed));
        }
        let read = calls::read_event(event)?;
        match &read {
            CallsEvent::Join { conn } => {
                if self.session.is_some() || *conn != self.connection {
                    return None;
                }
                let session = SessionId::from(conn.as_str());
                self.session = Some(session.clone());
                return Some(Heard::Accepted(session));
            }
            CallsEvent::Error { conn, text } => {
                let reason = EndReason::Refused(refusal(text));
                return self.is_mine(conn).then_some(Heard::Ended(reason));
            }
            CallsEvent::Signal { conn, text } => {
                return self.is_mine(conn).then(|| signalled(text)).flatten();
            }
            _ => {}
        }
        if calls::channel_of(event) != self.channel.as_str() {
            return None;
        }
        self.in_channel(read)
    }

    fn in_channel(&self, event: CallsEvent) -> Option<Heard> {
        let mine = |session: &str| {
            self.session
                .as_ref()
                .is_some_and(|me| me.as_str() == session)
        };
        let tell = |event| Some(Heard::Tell(event));
        match event {
            CallsEvent::CallState(call) => {
                let state = call_state_of(*call, self.channel.clone());
                let listed = self.session.as_ref().is_none_or(|me| {
                    state
                        .participants
                        .iter()
                        .any(|participant| participant.session == *me)
                });
                if listed {
                    tell(CallEvent::State(Box::new(state)))
                } else {
                    Some(Heard::Dropped)
                }
            }
            CallsEvent::UserJoined(who) => {
                tell(CallEvent::Joined(calls_core::model::Participant {
                    session: SessionId::new(who.session),
                    user: UserId::new(who.user),
                    muted: true,
                    hand_raised_at: None,
                }))
            }
            CallsEvent::UserLeft(who) if mine(&who.session) => Some(Heard::Dropped),
            CallsEvent::UserLeft(who) => tell(CallEvent::Left(SessionId::new(who.session))),
            CallsEvent::Muted(who, muted) => {
                tell(CallEvent::Muted(SessionId::new(who.session), muted))
            }
            CallsEvent::Voice(who, on) => {
                tell(CallEvent::Speaking(SessionId::new(who.session), on))
            }
            CallsEvent::Hand(who, at) => tell(CallEvent::Hand(
                SessionId::new(who.session),
                (at > 0).then_some(at),
            )),
            CallsEvent::Screen(who, on) => {
                let sharer = some(who.session, SessionId::new).filter(|_| on);
                tell(CallEvent::Sharing(sharer))
            }
            CallsEvent::HostChanged(host) => tell(CallEvent::Host(some(host, UserId::new))),
            // These reach all devices of the user: only our own session is meant.
            CallsEvent::HostMute { session } if mine(&session) => tell(CallEvent::MuteRequested),
            CallsEvent::HostLowerHand { session, host } if mine(&session) => {
                tell(CallEvent::LowerHandRequested(some(host, UserId::new)))
            }
            CallsEvent::HostScreenOff { session } if mine(&session) => {
                tell(CallEvent::StopShareRequested)
            }
            CallsEvent::HostRemoved { session, .. } if mine(&session) => {
                Some(Heard::Ended(EndReason::Removed))
            }
            CallsEvent::HostRemoved { session, .. } => {
                tell(CallEvent::Removed(SessionId::new(session)))
            }
            CallsEvent::Reacted { who, emoji, at } => tell(CallEvent::Reacted(
                SessionId::new(who.session),
                Emoji {
                    name: emoji.name,
                    unified: emoji.unified,
                    skin: emoji.skin,
                    literal: emoji.literal,
                },
                at,
            )),
            CallsEvent::Caption { who, text } => {
                tell(CallEvent::Caption(SessionId::new(who.session), text))
            }
            CallsEvent::JobState(job) => {
                let kind = job_kind_of(&job.kind)?;
                tell(CallEvent::Job(kind, job_of(job)))
            }
            CallsEvent::CallEnd => Some(Heard::Ended(EndReason::EndedForAll)),
            _ => None,
        }
    }

    fn is_mine(&self, conn: &str) -> bool {
        let session = self.session.as_ref().map(SessionId::as_str);
        !conn.is_empty() && (conn == self.connection || Some(conn) == session)
    }

    /// `user_removed` comes in two shapes: to the members, and to the one removed.
    fn removed(&self, event: &Event) -> bool {
        let channel = match event.text("channel_id") {
            "" => event.broadcast.channel_id.as_str(),
            id => id,
        };
        let user = match event.text("user_id") {
            "" => event.broadcast.user_id.as_str(),
            id => id,
        };
        channel == self.channel.as_str() && user == self.me.as_str()
    }
}

fn signalled(text: &str) -> Option<Heard> {
    match calls::read_signal(text) {
        Ok(Signalled::Description(description)) => Some(Heard::Description(description)),
        Ok(Signalled::Candidate(candidate)) => Some(Heard::Candidate(candidate)),
        Err(error) => {
            tracing::debug!(%error, "malformed signal");
            None
        }
    }
}

/// An action with typed data.
fn action(kind: &str, data: &impl Serialize) -> Action {
    // Plain structs of text and truth values always become JSON.
    let data = serde_json::to_value(data).unwrap_or(Value::Null);
    (format!("{PREFIX}{kind}"), Some(data))
}

/// The action `react`: the emoji as text inside the data.
pub(crate) fn react(emoji: &Emoji) -> Action {
    let emoji = calls::Emoji {
        name: emoji.name.clone(),
        unified: emoji.unified.clone(),
        skin: emoji.skin.clone(),
        literal: emoji.literal.clone(),
    };
    // A struct of texts always becomes JSON.
    let text = serde_json::to_string(&emoji).unwrap_or_default();
    (
        format!("{PREFIX}react"),
        Some(serde_json::json!({ "data": text })),
    )
}

/// The metric that tells of a way that ICE has found (signaling 2.11). Its content is JSON as text inside the data.
pub(crate) fn pair_metric(pair: &PairStats) -> Action {
    let end = |kind: &str, protocol: &str| serde_json::json!({"type": kind, "protocol": protocol});
    let data = serde_json::json!({
        "state": pair.state,
        "local": end(&pair.local_type, &pair.local_protocol),
        "remote": end(&pair.remote_type, &pair.remote_protocol),
    });
    (
        format!("{PREFIX}metric"),
        Some(serde_json::json!({
            "metric_name": "client_ice_candidate_pair",
            "data": data.to_string(),
        })),
    )
}

/// An action without data.
pub(crate) fn bare(kind: &str) -> Action {
    (format!("{PREFIX}{kind}"), None)
}

/// The action that announces our screen; `stream` is the stream name in the offer that follows.
pub(crate) fn screen_on(stream: &str) -> Action {
    // JSON as text inside the data (signaling 2.7).
    let text = serde_json::json!({ "screenStreamID": stream }).to_string();
    (
        format!("{PREFIX}screen_on"),
        Some(serde_json::json!({ "data": text })),
    )
}

/// A new name for a stream: not the session, and unlike every other.
pub(crate) fn stream_name() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// The action `ice`: the candidate as text inside the data.
pub(crate) fn ice(candidate: &Candidate) -> Action {
    let text = serde_json::to_string(candidate).unwrap_or_default();
    (
        format!("{PREFIX}ice"),
        Some(serde_json::json!({ "data": text })),
    )
}

/// What a refused join means. The texts may be wrapped in others (signaling 2.1).
pub(crate) fn refusal(text: &str) -> Refusal {
    let table: [(&str, Refusal); 6] = [
        ("in archived channel", Refusal::Archived),
        ("only allow calls in DMs", Refusal::GroupCallsOff),
        ("calls are disabled", Refusal::Disabled),
        ("insufficient permissions", Refusal::TestMode),
        ("because of limits", Refusal::Full),
        ("forbidden", Refusal::Forbidden),
    ];
    table
        .into_iter()
        .find(|(part, _)| text.contains(part))
        .map_or_else(|| Refusal::Other(text.to_owned()), |(_, refusal)| refusal)
}

/// What the server can do, by its versions (signaling 8.2).
pub(crate) fn abilities(config: &CallsConfig) -> Abilities {
    let plugin = at_least(&config.version, (1, 7, 0));
    let rtcd = config.rtcd_version.is_empty() || at_least(&config.rtcd_version, (1, 1, 0));
    Abilities {
        dc_signaling: config.dc_signaling,
        lock: plugin && rtcd,
    }
}

/// Major version 2 is built on LiveKit and speaks something else.
pub(crate) fn is_supported(config: &CallsConfig) -> bool {
    !at_least(&config.version, (2, 0, 0)) || is_development(&config.version)
}

fn is_development(version: &str) -> bool {
    version == "master" || version.starts_with("dev")
}

fn at_least(version: &str, wanted: (u64, u64, u64)) -> bool {
    if is_development(version) {
        return true;
    }
    let version = version.strip_prefix('v').unwrap_or(version);
    let mut parts = version.split(['.', '-', '+']).map(str::parse::<u64>);
    let mut next = || parts.next().and_then(Result::ok);
    let Some(major) = next() else {
        return false;
    };
    (major, next().unwrap_or(0), next().unwrap_or(0)) >= wanted
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use serde_json::json;

    const CHANNEL: &str = "channel1xxxxxxxxxxxxxxxxxx";
    const ALICE: &str = "connalicexxxxxxxxxxxxxxxxx";
    const BOB: &str = "connbobxxxxxxxxxxxxxxxxxxx";
    const ME: &str = "useralicexxxxxxxxxxxxxxxxx";

    fn event(name: &str, data: Value) -> Event {
        calls_core::wire::from_value(json!({"event": format!("{PREFIX}{name}"), "data": data}))
            .unwrap()
    }

    fn ear() -> Ear {
        let mut ear = Ear::new(ChannelId::from(CHANNEL), UserId::from(ME));
        ear.connected(ALICE.into());
        ear
    }

    fn joined() -> Ear {
        let mut ear = ear();
        ear.hear(&event("join", json!({"connID": ALICE}))).unwrap();
        ear
    }

    /// Whoever announces AV1 is kept from the VP8 of those who send both (ADR 15).
    #[test]
    fn av1_is_never_announced_so_that_screens_come_as_vp8() {
        let (name, data) = ear().join(String::new(), String::new(), true);
        assert_eq!(name, format!("{PREFIX}join"));
        assert_eq!(data.unwrap()["av1Support"], json!(false));
    }

    #[test]
    fn only_our_own_acceptance_counts_and_only_once() {
        let mut ear = ear();
        assert_eq!(ear.hear(&event("join", json!({"connID": BOB}))), None);
        let mine = event("join", json!({"connID": ALICE}));
        let session = SessionId::from(ALICE);
        assert_eq!(ear.hear(&mine), Some(Heard::Accepted(session)));
        assert_eq!(ear.hear(&mine), None);
    }

    #[test]
    fn signals_carry_the_original_id_even_after_the_connection_changed() {
        let mut ear = joined();
        assert_eq!(ear.connected("newconnxxxxxxxxxxxxxxxxxxx".into()), ALICE);
        let data = json!({"type": "answer", "sdp": "v=0"}).to_string();
        for (conn, heard) in [
            (ALICE, true),
            ("newconnxxxxxxxxxxxxxxxxxxx", true),
            (BOB, false),
            ("", false),
        ] {
            let signal = event("signal", json!({"connID": conn, "data": data}));
            assert_eq!(ear.hear(&signal).is_some(), heard, "{conn}");
        }
        let broken = event(
            "signal",
            json!({"connID": ALICE, "data": "{\"type\":\"pranswer\"}"}),
        );
        assert_eq!(ear.hear(&broken), None);
        let reconnect = ear.reconnect(ALICE).unwrap();
        assert_eq!(
            reconnect.1.unwrap(),
            json!({"channelID": CHANNEL, "originalConnID": ALICE, "prevConnID": ALICE})
        );
    }

    #[test]
    fn other_calls_are_not_ours() {
        let mut ear = joined();
        let elsewhere = event(
            "user_joined",
            json!({"channelID": "other", "user_id": "u", "session_id": BOB}),
        );
        assert_eq!(ear.hear(&elsewhere), None);
    }

    #[test]
    fn our_own_disappearance_is_noticed_in_an_event_and_in_the_state() {
        let left = |session: &str| {
            event(
                "user_left",
                json!({"channelID": CHANNEL, "user_id": ME, "session_id": session}),
            )
        };
        assert_eq!(joined().hear(&left(ALICE)), Some(Heard::Dropped));
        let bob = CallEvent::Left(SessionId::from(BOB));
        assert_eq!(joined().hear(&left(BOB)), Some(Heard::Tell(bob)));
        let state = |session: &str| {
            let call = json!({"id": "x", "sessions": [{"session_id": session, "user_id": ME}]});
            event(
                "call_state",
                json!({"channel_id": CHANNEL, "call": call.to_string()}),
            )
        };
        assert_eq!(joined().hear(&state(BOB)), Some(Heard::Dropped));
        assert!(matches!(
            joined().hear(&state(ALICE)),
            Some(Heard::Tell(CallEvent::State(_)))
        ));
        // Before we are in, a state without us is just a state.
        assert!(matches!(
            ear().hear(&state(BOB)),
            Some(Heard::Tell(CallEvent::State(_)))
        ));
    }

    #[test]
    fn the_hosts_wishes_are_for_one_session() {
        let cases = [
            ("host_mute", Some(Heard::Tell(CallEvent::MuteRequested))),
            (
                "host_lower_hand",
                Some(Heard::Tell(CallEvent::LowerHandRequested(None))),
            ),
            ("host_removed", Some(Heard::Ended(EndReason::Removed))),
        ];
        for (name, expected) in cases {
            let to = |session| event(name, json!({"channel_id": CHANNEL, "session_id": session}));
            assert_eq!(joined().hear(&to(ALICE)), expected);
            let others = (name == "host_removed")
                .then(|| Heard::Tell(CallEvent::Removed(SessionId::from(BOB))));
            assert_eq!(joined().hear(&to(BOB)), others);
        }
        let end = event("call_end", json!({"channelID": CHANNEL}));
        let ended = Heard::Ended(EndReason::EndedForAll);
        assert_eq!(joined().hear(&end), Some(ended));
    }

    #[test]
    fn reactions_jobs_and_captions_are_passed_on() {
        let sent = Emoji {
            name: "+1".into(),
            unified: "1f44d".into(),
            literal: "👍".into(),
            ..Emoji::default()
        };
        let (name, data) = react(&sent);
        assert_eq!(name, "custom_com.mattermost.calls_react");
        let text = data.unwrap()["data"].as_str().unwrap().to_owned();
        let emoji: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            emoji,
            json!({"name": "+1", "unified": "1f44d", "literal": "👍"})
        );

        let bob = SessionId::from(BOB);
        let heard = joined().hear(&event(
            "user_reacted",
            json!({"channelID": CHANNEL, "user_id": "b", "session_id": BOB, "timestamp": 5,
                "emoji": {"name": "+1", "skin": "", "unified": "1f44d", "literal": "👍"}}),
        ));
        let reacted = CallEvent::Reacted(bob.clone(), sent, 5);
        assert_eq!(heard, Some(Heard::Tell(reacted)));

        let heard = joined().hear(&event(
            "caption",
            json!({"channel_id": CHANNEL, "user_id": "b", "session_id": BOB, "text": "hello"}),
        ));
        let caption = CallEvent::Caption(bob, "hello".into());
        assert_eq!(heard, Some(Heard::Tell(caption)));

        for (kind, known) in [
            ("recording", true),
            ("captioning", true),
            ("juggling", false),
        ] {
            let heard = joined().hear(&event(
                "call_job_state",
                json!({"callID": CHANNEL, "channelID": CHANNEL, "jobState":
                    {"type": kind, "init_at": 1, "start_at": 2, "end_at": 0, "err": ""}}),
            ));
            assert_eq!(heard.is_some(), known, "{kind}");
        }
    }

    #[test]
    fn a_screen_ends_with_or_without_a_name_and_a_host_may_be_nobody() {
        let off = event("user_screen_off", json!({"channelID": CHANNEL}));
        let ended = Heard::Tell(CallEvent::Sharing(None));
        assert_eq!(joined().hear(&off), Some(ended));
        let host = event(
            "call_host_changed",
            json!({"channelID": CHANNEL, "hostID": ""}),
        );
        assert_eq!(
            joined().hear(&host),
            Some(Heard::Tell(CallEvent::Host(None)))
        );
    }

    #[test]
    fn refusals_are_recognised_inside_longer_texts() {
        let cases = [
            ("forbidden", Refusal::Forbidden),
            ("cannot join call in archived channel", Refusal::Archived),
            (
                "failed to add: unlicensed servers only allow calls in DMs",
                Refusal::GroupCallsOff,
            ),
            ("calls are disabled in the channel", Refusal::Disabled),
            ("insufficient permissions", Refusal::TestMode),
            ("user cannot join because of limits", Refusal::Full),
            ("call has ended", Refusal::Other("call has ended".into())),
        ];
        for (text, expected) in cases {
            assert_eq!(refusal(text), expected);
            let error = event("error", json!({"connID": ALICE, "data": text}));
            let ended = Heard::Ended(EndReason::Refused(expected));
            assert_eq!(ear().hear(&error), Some(ended));
        }
    }

    #[test]
    fn abilities_follow_the_versions() {
        let cases = [
            ("1.7.0", "", true),
            ("v1.12.2", "v1.2.6", true),
            ("1.12.2-rc1+5", "1.1.0", true),
            ("1.6.9", "", false),
            ("1.12.2", "v1.0.9", false),
            ("", "", false),
            ("master", "dev-abc", true),
            ("what", "", false),
        ];
        for (version, rtcd, lock) in cases {
            let config = CallsConfig {
                version: version.into(),
                rtcd_version: rtcd.into(),
                ..CallsConfig::default()
            };
            assert_eq!(abilities(&config).lock, lock, "{version} {rtcd}");
        }
        let supported = |version: &str| {
            is_supported(&CallsConfig {
                version: version.into(),
                ..CallsConfig::default()
            })
        };
        assert!(supported("1.99.0") && supported("") && supported("dev"));
        assert!(!supported("2.0.0") && !supported("v3.1"));
    }

    #[test]
    fn a_candidate_travels_as_text_inside_the_data() {
        let candidate = Candidate {
            candidate: "candidate:1 1 udp 1 10.0.0.1 5 typ host".into(),
            sdp_mid: Some("0".into()),
            sdp_m_line_index: Some(0),
            username_fragment: None,
        };
        let (name, data) = ice(&candidate);
        assert_eq!(name, "custom_com.mattermost.calls_ice");
        assert_eq!(
            data.unwrap()["data"].as_str().unwrap(),
            r#"{"candidate":"candidate:1 1 udp 1 10.0.0.1 5 typ host","sdpMid":"0","sdpMLineIndex":0}"#
        );
    }
}
