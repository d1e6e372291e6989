//! What a client may say over the WebSocket (signaling, chapter 2).

use std::io::Read;

use flate2::read::ZlibDecoder;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::socket::request::Request;
use crate::world::{World, now_ms};

/// Limit for a decompressed SDP, bytes (plugin 1.12.2).
const MAX_SDP: u64 = 64 * 1024;

impl World {
    /// A message `custom_com.mattermost.calls_<name>` from an authenticated connection.
    pub(crate) fn calls_message(
        &mut self,
        connection: &str,
        user: &str,
        name: &str,
        request: &Request,
    ) {
        let expired = self
            .hub
            .get(connection)
            .is_none_or(|c| self.user_of_token(&c.token).is_none());
        if expired {
            return;
        }
        // Messages of a session count against its bucket, `leave` too.
        let session = self.calls.by_connection.get(connection).cloned();
        if let Some(id) = &session {
            let limited = self.switches.socket_limit;
            let full = self
                .session_mut(id)
                .is_some_and(|s| !s.bucket.try_take(Instant::now()));
            if full && limited {
                return;
            }
        }
        match name {
            "join" => return self.calls_join(connection, user, request),
            "leave" => return self.calls_leave(connection),
            "reconnect" => return self.calls_reconnect(connection, user, request),
            "call_state" => {
                let channel = request.text("channelID").unwrap_or_default();
                if self.can_read(user, channel) {
                    self.send_call_state(channel, user, Some(connection));
                }
                return;
            }
            _ => {}
        }
        // Everything else needs a session, and is dropped without one.
        let Some(session) = session else {
            return;
        };
        self.session_message(&session, name, request);
    }

    fn session_message(&mut self, id: &str, name: &str, request: &Request) {
        let Some(channel) = self.calls.channel_of.get(id).cloned() else {
            return;
        };
        let Some(session) = self.session_mut(id) else {
            return;
        };
        let user = session.user.clone();
        let who = json!({"userID": user, "session_id": id});
        match name {
            "mute" | "unmute" => {
                session.unmuted = name == "unmute";
                self.sfu.mute(id, name == "mute");
                let event = if name == "mute" {
                    "user_muted"
                } else {
                    "user_unmuted"
                };
                self.calls_to_participants(&channel, event, who);
            }
            "raise_hand" | "unraise_hand" => {
                session.raised_hand = if name == "raise_hand" { now_ms() } else { 0 };
                let mut data = who;
                data["raised_hand"] = session.raised_hand.into();
                self.calls_to_participants(&channel, &format!("user_{name}"), data);
            }
            "video_on" => {
                if let Some(stream) = inner(request, "videoStreamID") {
                    session.video = true;
                    self.sfu.video_stream(id, Some(stream));
                    self.calls_to_participants(&channel, "user_video_on", who);
                }
            }
            "video_off" => {
                session.video = false;
                self.sfu.video_stream(id, None);
                self.calls_to_participants(&channel, "user_video_off", who);
            }
            "screen_on" => self.screen_on(&channel, id, who, request),
            "screen_off" => {
                let Some(call) = self.calls.active.get_mut(&channel) else {
                    return;
                };
                if call.screen.as_deref() != Some(id) {
                    return;
                }
                call.screen = None;
                self.sfu.screen_stream(id, None);
                self.calls_to_participants(&channel, "user_screen_off", who);
            }
            "react" => self.react(&channel, id, &user, request),
            "sdp" => {
                // Only *bin* is SDP; text or an array of numbers is silently no message at all.
                if let Some(json) = request.binary.get("data").and_then(|b| inflate(b)) {
                    self.sfu.sdp(id, json);
                }
            }
            "ice" => {
                if let Some(json) = request.text("data") {
                    self.sfu.candidate(id, json.to_owned());
                }
            }
            "metric" => {
                tracing::trace!(session = %id, "metric");
                self.calls.metrics += 1;
            }
            // `ping` means nothing; captions are the bot's; voice events come from the SFU alone.
            "ping" | "caption" | "voice_on" | "voice_off" => {}
            _ => tracing::debug!(session = %id, name, "unknown message"),
        }
    }

    /// One sharer per call; a refusal is silence.
    fn screen_on(&mut self, channel: &str, id: &str, who: Value, request: &Request) {
        let Some(stream) = inner(request, "screenStreamID") else {
            return;
        };
        if !self.switches.screen_sharing {
            return;
        }
        let Some(call) = self.calls.active.get_mut(channel) else {
            return;
        };
        if call.screen.is_some() {
            return;
        }
        call.screen = Some(id.to_owned());
        self.sfu.screen_stream(id, Some(stream));
        self.calls_to_participants(channel, "user_screen_on", who);
    }

    fn react(&mut self, channel: &str, id: &str, user: &str, request: &Request) {
        let Some(Value::Object(emoji)) = request
            .text("data")
            .and_then(|t| serde_json::from_str(t).ok())
        else {
            return;
        };
        let field = |key: &str| {
            emoji
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let data = json!({
            "user_id": user, "session_id": id, "timestamp": now_ms(),
            "emoji": {
                "name": field("name"), "skin": field("skin"), "unified": field("unified"),
                "literal": field("literal"),
            },
        });
        self.calls_to_participants(channel, "user_reacted", data);
    }
}

/// A text field of the JSON that travels as text in `data.data`.
fn inner(request: &Request, key: &str) -> Option<String> {
    let value: Value = serde_json::from_str(request.text("data")?).ok()?;
    let text = value.get(key)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// zlib → text, with a limit that a bomb cannot pass.
fn inflate(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut reader = ZlibDecoder::new(bytes).take(MAX_SDP + 1);
    reader.read_to_string(&mut text).ok()?;
    (text.len() as u64 <= MAX_SDP).then_some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use std::io::Write;

    fn deflate(text: &[u8]) -> Vec<u8> {
        let mut z = ZlibEncoder::new(Vec::new(), Compression::default());
        z.write_all(text).unwrap();
        z.finish().unwrap()
    }

    #[test]
    fn sdp_is_zlib_and_limited() {
        assert_eq!(inflate(&deflate(b"{}")).as_deref(), Some("{}"));
        assert_eq!(inflate(b"{}"), None);
        assert!(inflate(&deflate(&vec![b'a'; 64 * 1024])).is_some());
        assert!(inflate(&deflate(&vec![b'a'; 64 * 1024 + 1])).is_none());
        assert!(inflate(&deflate(&vec![0; 50_000_000])).is_none());
    }
}
