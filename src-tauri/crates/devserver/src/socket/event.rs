//! Events as they go out, and which of them a client does not want to hear.

use std::sync::Arc;

use serde_json::{Value, json};

/// Whom an event is for, as the receiver sees it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Broadcast {
    pub(crate) omit_users: Vec<String>,
    pub(crate) user_id: String,
    pub(crate) channel_id: String,
    pub(crate) team_id: String,
    pub(crate) connection_id: String,
}

/// An event without its number: everything but the last field is printed once for all receivers.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) name: Arc<str>,
    pub(super) channel: Arc<str>,
    head: Arc<str>,
}

impl Event {
    pub(crate) fn new(name: &str, data: Value, broadcast: &Broadcast) -> Self {
        let omit = if broadcast.omit_users.is_empty() {
            Value::Null
        } else {
            broadcast
                .omit_users
                .iter()
                .map(|u| (u.clone(), Value::Bool(true)))
                .collect()
        };
        let channel = broadcast.channel_id.as_str().into();
        let broadcast = json!({
            "omit_users": omit, "user_id": broadcast.user_id, "channel_id": broadcast.channel_id,
            "team_id": broadcast.team_id, "connection_id": broadcast.connection_id,
            "omit_connection_id": "",
        });
        let head = format!(
            "{{\"event\":{},\"data\":{data},\"broadcast\":{broadcast}",
            Value::from(name)
        );
        Self {
            name: name.into(),
            channel,
            head: head.into(),
        }
    }

    pub(super) fn numbered(&self, seq: i64) -> String {
        format!("{},\"seq\":{seq}}}", self.head)
    }
}

/// What the `presence` action says is on a client's screen (core reference 12.5).
#[derive(Clone, Debug, Default)]
pub(crate) struct OnScreen {
    pub(crate) channel: Option<String>,
    /// The channel of the thread in the side bar.
    pub(crate) side: Option<String>,
    /// The channel of the thread in the thread view.
    pub(crate) view: Option<String>,
}

impl OnScreen {
    /// Typing and reactions elsewhere are not sent, but only once all three were told.
    pub(super) fn hides(&self, event: &Event) -> bool {
        let scoped = ["typing", "reaction_added", "reaction_removed"].contains(&&*event.name);
        let (Some(channel), Some(side), Some(view)) = (&self.channel, &self.side, &self.view)
        else {
            return false;
        };
        scoped && ![channel, side, view].contains(&&event.channel.to_string())
    }
}
