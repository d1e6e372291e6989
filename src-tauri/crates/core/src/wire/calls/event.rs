//! Events of the plugin, as the WebSocket brings them.

use serde_json::Value;

use super::{Call, Emoji, Job, PREFIX};
use crate::wire::{self, socket::Event};

/// Whose microphone, hand or screen: `{userID, session_id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The user; spelled `userID` or `user_id`.
    pub user: String,
    /// The session; missing in `user_screen_off` when the sharer's session vanished.
    pub session: String,
}

/// An event of the plugin. The channel is asked with [`channel_of`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallsEvent {
    /// Our join was accepted, on this connection.
    Join {
        /// Connection id.
        conn: String,
    },
    /// Our join was refused.
    Error {
        /// Connection id.
        conn: String,
        /// English text.
        text: String,
    },
    /// A description or candidate for this session.
    Signal {
        /// Session id, even after the connection id changed.
        conn: String,
        /// See [`super::read_signal`].
        text: String,
    },
    /// A call began.
    CallStart {
        /// The call itself.
        call: String,
        /// Begin.
        start_at: i64,
        /// Root post.
        thread: String,
        /// Started by.
        owner: String,
        /// Host.
        host: String,
    },
    /// The whole state.
    CallState(Box<Call>),
    /// Ended for everyone.
    CallEnd,
    /// Somebody joined.
    UserJoined(Who),
    /// Somebody left.
    UserLeft(Who),
    /// Microphone off (true) or on.
    Muted(Who, bool),
    /// Talks (true) or stops.
    Voice(Who, bool),
    /// Screen on (true) or off.
    Screen(Who, bool),
    /// Hand: server time, or 0 when lowered.
    Hand(Who, i64),
    /// New host; empty for nobody.
    HostChanged(String),
    /// A job of this kind changed.
    JobState(Job),
    /// The host asks this session to mute itself.
    HostMute {
        /// Session.
        session: String,
    },
    /// The host asks this session to stop sharing.
    HostScreenOff {
        /// Session.
        session: String,
    },
    /// The host asks this session to lower its hand.
    HostLowerHand {
        /// Session.
        session: String,
        /// Who asks: the host, or an administrator who need not be in the call.
        host: String,
    },
    /// The host removed this session.
    HostRemoved {
        /// Session.
        session: String,
        /// Whose.
        user: String,
    },
    /// Somebody reacts.
    Reacted {
        /// Who.
        who: Who,
        /// With what.
        emoji: Emoji,
        /// When, server clock.
        at: i64,
    },
    /// What somebody said, in writing.
    Caption {
        /// Who.
        who: Who,
        /// What.
        text: String,
    },
    /// A user has dismissed a call, or joined it, with one of their clients.
    Dismissed {
        /// Who.
        user: String,
        /// The call itself.
        call: String,
    },
    /// Calls were switched on or off in the channel.
    Enabled(bool),
    /// Another event of the plugin that says nothing to us.
    Other,
}

/// The channel an event of the plugin is about; empty when it does not say.
#[must_use]
pub fn channel_of(event: &Event) -> &str {
    ["channelID", "channel_id"]
        .into_iter()
        .map(|key| event.text(key))
        .find(|text| !text.is_empty())
        .unwrap_or(&event.broadcast.channel_id)
}

/// Reads an event of the plugin; `None` if it is not one, or broken.
#[must_use]
pub fn read_event(event: &Event) -> Option<CallsEvent> {
    let name = event.event.strip_prefix(PREFIX)?;
    let conn = || event.text("connID").to_owned();
    let session = || event.text("session_id").to_owned();
    let number = |key: &str| event.data.get(key).and_then(Value::as_i64).unwrap_or(0);
    let who = || {
        let user = match event.text("userID") {
            "" => event.text("user_id"),
            user => user,
        };
        Who {
            user: user.to_owned(),
            session: session(),
        }
    };
    Some(match name {
        "join" => CallsEvent::Join { conn: conn() },
        "error" => CallsEvent::Error {
            conn: conn(),
            text: event.text("data").to_owned(),
        },
        "signal" => CallsEvent::Signal {
            conn: conn(),
            text: event.text("data").to_owned(),
        },
        "call_start" => CallsEvent::CallStart {
            call: event.text("id").to_owned(),
            start_at: number("start_at"),
            thread: event.text("thread_id").to_owned(),
            owner: event.text("owner_id").to_owned(),
            host: event.text("host_id").to_owned(),
        },
        "call_state" => {
            CallsEvent::CallState(Box::new(wire::parse(event.text("call").as_bytes()).ok()?))
        }
        "call_end" => CallsEvent::CallEnd,
        "user_joined" => CallsEvent::UserJoined(who()),
        "user_left" => CallsEvent::UserLeft(who()),
        "user_muted" => CallsEvent::Muted(who(), true),
        "user_unmuted" => CallsEvent::Muted(who(), false),
        "user_voice_on" => CallsEvent::Voice(who(), true),
        "user_voice_off" => CallsEvent::Voice(who(), false),
        "user_screen_on" => CallsEvent::Screen(who(), true),
        "user_screen_off" => CallsEvent::Screen(who(), false),
        "user_raise_hand" => CallsEvent::Hand(who(), number("raised_hand")),
        "user_unraise_hand" => CallsEvent::Hand(who(), 0),
        "call_host_changed" => CallsEvent::HostChanged(event.text("hostID").to_owned()),
        "call_job_state" => {
            let job = event.data.get("jobState").cloned()?;
            CallsEvent::JobState(wire::from_value(job).ok()?)
        }
        "host_mute" => CallsEvent::HostMute { session: session() },
        "host_screen_off" => CallsEvent::HostScreenOff { session: session() },
        "host_lower_hand" => CallsEvent::HostLowerHand {
            session: session(),
            host: event.text("host_id").to_owned(),
        },
        "host_removed" => CallsEvent::HostRemoved {
            session: session(),
            user: event.text("user_id").to_owned(),
        },
        "user_reacted" => {
            let emoji = event.data.get("emoji").cloned()?;
            CallsEvent::Reacted {
                who: who(),
                emoji: wire::from_value(emoji).ok()?,
                at: number("timestamp"),
            }
        }
        "caption" => CallsEvent::Caption {
            who: who(),
            text: event.text("text").to_owned(),
        },
        "user_dismissed_notification" => CallsEvent::Dismissed {
            user: who().user,
            call: event.text("callID").to_owned(),
        },
        "channel_enable_voice" => CallsEvent::Enabled(true),
        "channel_disable_voice" => CallsEvent::Enabled(false),
        _ => CallsEvent::Other,
    })
}
