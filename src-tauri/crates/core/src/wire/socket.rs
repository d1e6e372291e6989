//! The envelope of Mattermost's WebSocket.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rest::ErrorBody;

/// Client to server: a text frame of JSON, or a binary frame with the same map in MessagePack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What, for instance `ping` or `custom_com.mattermost.calls_join`.
    pub action: String,
    /// Our counter: 1 for the first message on a connection id.
    pub seq: i64,
    /// Its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// Server to client: a text frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// Something happened.
    Event(Event),
    /// The answer to one of our requests; carries no `seq` of its own.
    Reply(Reply),
}

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// Its name.
    pub event: String,
    /// Its values.
    pub data: Map<String, Value>,
    /// Whom it was sent to.
    pub broadcast: Broadcast,
    /// The server's counter on this connection: 0 for `hello`.
    pub seq: i64,
}

/// Whom an event was sent to; empty strings where unused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Broadcast {
    /// All connections of a user.
    pub user_id: String,
    /// All members of a channel.
    pub channel_id: String,
    /// All members of a team.
    pub team_id: String,
    /// One connection.
    pub connection_id: String,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reply {
    /// `OK` or `FAIL`.
    pub status: String,
    /// Which request it answers.
    pub seq_reply: i64,
    /// Values.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// Reads a text frame of the server.
///
/// # Errors
/// It is neither an event nor an answer.
pub fn read(text: &[u8]) -> Result<Frame, serde_json::Error> {
    let value: Value = serde_json::from_slice(text)?;
    if value.get("event").is_some_and(Value::is_string) {
        super::from_value::<Event>(value).map(Frame::Event)
    } else if value.get("seq_reply").is_some() {
        super::from_value::<Reply>(value).map(Frame::Reply)
    } else {
        Err(serde::de::Error::custom("neither an event nor a reply"))
    }
}

impl Event {
    /// A text value; empty when missing or something else.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.data.get(key).and_then(Value::as_str).unwrap_or("")
    }
}
