//! The core server's own WebSocket actions (core reference 12.5).

use serde_json::{Value, json};

use super::request::Request;
use crate::world::{World, now_ms};

/// The version the server says it has.
pub(crate) const VERSION: &str = "11.6.0";
const CUSTOM: &str = "custom_";
const CALLS: &str = "custom_com.mattermost.calls_";

impl World {
    /// Handles a message of an authenticated connection.
    pub(crate) fn handle_request(&mut self, connection: &str, request: &Request) {
        let Some(conn) = self.hub.get(connection) else {
            return;
        };
        let (user, token) = (conn.user.clone(), conn.token.clone());
        if let Some(name) = request.action.strip_prefix(CALLS) {
            if !self.switches.plugin_missing {
                self.calls_message(connection, &user, name, request);
            }
            return;
        }
        if request.action.starts_with(CUSTOM) {
            return;
        }
        if self.user_of_token(&token).is_none() {
            let text = "Invalid or expired session, please login again.";
            let id = "api.context.session_expired.app_error";
            return self.fail(connection, request.seq, id, text, 401);
        }
        if request.seq <= 0 {
            let id = "api.web_socket_router.bad_seq.app_error";
            return self.fail(
                connection,
                0,
                id,
                "Invalid sequence for WebSocket message.",
                400,
            );
        }
        match request.action.as_str() {
            "" => {
                let id = "api.web_socket_router.no_action.app_error";
                self.fail(connection, request.seq, id, "No websocket action.", 400);
            }
            // On a socket that is authenticated already the challenge is ignored without a reply.
            "authentication_challenge" => {}
            "ping" => {
                let data = json!({
                    "text": "pong", "version": VERSION, "server_time": now_ms(), "node_id": "",
                });
                self.ok(connection, request.seq, data);
            }
            "user_typing" => {
                let channel = request.text("channel_id").unwrap_or_default().to_owned();
                if self.can_read(&user, &channel) {
                    let parent = request.text("parent_id").unwrap_or_default();
                    let data = json!({"user_id": user, "parent_id": parent});
                    self.emit_channel_except(&channel, "typing", data, Some(&user));
                }
                self.ok(connection, request.seq, json!({}));
            }
            "user_update_active_status" => {
                let active = request.flag("user_is_active");
                if request.flag("manual") {
                    self.set_status(&user, if active { "online" } else { "away" }, true, 0);
                } else {
                    self.auto_status(&user, if active { "online" } else { "away" });
                }
                self.ok(connection, request.seq, json!({}));
            }
            "get_statuses" => {
                let all: Value = self
                    .users
                    .values()
                    .filter(|u| u.status.status != "offline")
                    .map(|u| (u.id.clone(), Value::from(u.status.status.clone())))
                    .collect();
                self.ok(connection, request.seq, all);
            }
            "get_statuses_by_ids" => {
                let ids = request.data.get("user_ids").and_then(Value::as_array);
                let found: Value = ids
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(|id| {
                        let status = self
                            .users
                            .get(id)
                            .map_or("offline", |u| u.status.status.as_str());
                        (id.to_owned(), Value::from(status))
                    })
                    .collect();
                self.ok(connection, request.seq, found);
            }
            "presence" => {
                let text = |key: &str| request.text(key).map(str::to_owned);
                let (channel, thread) = (text("channel_id"), text("thread_channel_id"));
                let in_view = request.flag("is_thread_view");
                self.hub.on_screen(connection, |screen| {
                    if channel.is_some() {
                        screen.channel = channel;
                    } else if thread.is_some() && in_view {
                        screen.view = thread;
                    } else if thread.is_some() {
                        screen.side = thread;
                    }
                });
                self.ok(connection, request.seq, json!({}));
            }
            "posted_notify_ack" => self.ok(connection, request.seq, json!({})),
            _ => {
                let id = "api.web_socket_router.bad_action.app_error";
                self.fail(
                    connection,
                    request.seq,
                    id,
                    "Unknown WebSocket action.",
                    500,
                );
            }
        }
    }

    fn ok(&mut self, connection: &str, seq: i64, data: Value) {
        let reply = json!({"status": "OK", "seq_reply": seq, "data": data});
        self.hub.reply(connection, &reply);
    }

    fn fail(&mut self, connection: &str, seq: i64, id: &str, text: &str, code: u16) {
        let reply = failure(seq, id, text, code);
        self.hub.reply(connection, &reply);
    }
}

/// The reply to a request that cannot be served.
pub(crate) fn failure(seq: i64, id: &str, text: &str, code: u16) -> Value {
    json!({
        "status": "FAIL", "seq_reply": seq,
        "error": {"id": id, "message": text, "detailed_error": "", "status_code": code},
    })
}
