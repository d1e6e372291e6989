//! `/api/v4/websocket`: the upgrade, who it is, and one loop per socket.
//!
//! A socket is dull: it moves frames between the wire and its connection in [`hub`], sends ping
//! frames, and ends. What a message means is decided in [`actions`] and in `calls`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::app::App;
use crate::rest::auth;
use crate::world::World;

pub(crate) mod actions;
pub(crate) mod event;
pub(crate) mod hub;
pub(crate) mod request;

use hub::{Attached, Next, Sabotage};
use request::Request;

/// The server's limit for one message of a client, in bytes.
const MAX_MESSAGE: usize = 8192;
/// How long a write may take before the socket counts as dead.
const WRITE: Duration = Duration::from_secs(30);

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Params {
    connection_id: Option<String>,
    sequence_number: Option<String>,
}

/// The route.
pub(crate) async fn upgrade(
    State(app): State<Arc<App>>,
    Query(params): Query<Params>,
    headers: HeaderMap,
    ws: WebSocketUpgrade,
) -> Response {
    if !origin_matches(&headers) {
        let text = "URL Blocked because of CORS.";
        return (StatusCode::BAD_REQUEST, text).into_response();
    }
    // A socket needs no CSRF header: the cookie alone is enough here.
    let token = auth::socket_token(&headers);
    let ws = ws.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    ws.on_upgrade(move |socket| async move {
        let _open = app.sockets.enter();
        serve(&app, socket, token, params).await;
    })
}

/// Without `Origin` anything passes; with one, its host must be ours.
fn origin_matches(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let Some(origin) = text("origin").filter(|o| *o != "null") else {
        return true;
    };
    let Ok(origin) = url::Url::parse(origin) else {
        return false;
    };
    // Tauri and development pages are served from elsewhere on the same machine.
    let local = ["localhost", "127.0.0.1", "[::1]", "tauri.localhost"];
    let host = origin.host_str().unwrap_or_default();
    text("host").is_some_and(|h| h.split(':').next() == Some(host)) || local.contains(&host)
}

/// Why a socket ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The client went, or the wire broke.
    Gone,
    /// The client broke a rule.
    Refused(u16, &'static str),
    /// The server is stopping.
    Stopping,
    /// Without a close frame.
    Cut,
    /// The connection is no longer ours.
    Detached,
}

async fn serve(app: &Arc<App>, mut socket: WebSocket, token: Option<String>, params: Params) {
    let upgrade_user = token
        .as_deref()
        .and_then(|t| app.lock().user_of_token(t).map(str::to_owned));
    let wanted = params.connection_id.unwrap_or_default();
    let sequence = params.sequence_number.map(|s| s.parse::<i64>());
    if !wanted.is_empty() {
        let malformed = wanted.len() != 26 || !wanted.bytes().all(|b| b.is_ascii_alphanumeric());
        if malformed || !matches!(sequence, Some(Ok(_))) {
            return;
        }
    }
    let number = app.lock().hub.next_socket();
    let (user, token, resumable) = match (upgrade_user, token) {
        (Some(user), Some(token)) => (user, token, true),
        _ => match challenge(app, &mut socket).await {
            Some((user, token)) => (user, token, false),
            None => return,
        },
    };
    let sequence = match sequence {
        Some(Ok(n)) if resumable && !wanted.is_empty() => Some(n),
        _ => None,
    };
    let (attached, wake) = app.lock().attach(
        &user,
        &token,
        number,
        sequence.map(|n| (wanted.as_str(), n)),
    );
    let (Attached::New(id) | Attached::Resumed(id)) = attached;
    tracing::debug!(connection = %id, %user, "socket open");
    let end = run(app, &mut socket, &id, number, &wake).await;
    tracing::debug!(connection = %id, ?end, "socket closed");
    app.lock().socket_closed(&id, number);
    finish(socket, end).await;
}

/// Waits for `authentication_challenge`; `None` means the socket is closed without explanation.
async fn challenge(app: &Arc<App>, socket: &mut WebSocket) -> Option<(String, String)> {
    let limit = app.lock().timings.auth;
    let deadline = Instant::now() + limit;
    let stopped = app.stopped();
    tokio::pin!(stopped);
    loop {
        let message = tokio::select! {
            m = socket.recv() => m?.ok()?,
            () = tokio::time::sleep_until(deadline) => return None,
            () = &mut stopped => return None,
        };
        let request = match message {
            Message::Text(text) => Request::from_text(text.as_str()).ok()?,
            Message::Binary(bytes) => Request::from_packed(&bytes).ok()?,
            Message::Close(_) => return None,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        if request.action == "authentication_challenge" {
            let token = request.text("token")?.to_owned();
            let user = app.lock().user_of_token(&token)?.to_owned();
            let reply = json!({"status": "OK", "seq_reply": request.seq});
            socket.send(Message::text(reply.to_string())).await.ok()?;
            return Some((user, token));
        }
        if !request.action.starts_with("custom_") {
            let id = "api.web_socket_router.not_authenticated.app_error";
            let text = "WebSocket connection is not authenticated. Please log in and try again.";
            let reply = actions::failure(request.seq, id, text, 401);
            socket.send(Message::text(reply.to_string())).await.ok()?;
        }
    }
}

async fn run(app: &Arc<App>, socket: &mut WebSocket, id: &str, number: u64, wake: &Notify) -> End {
    let timings = app.lock().timings.clone();
    let mut ping = tokio::time::interval_at(Instant::now() + timings.ping, timings.ping);
    let mut pong_due = Instant::now() + timings.pong;
    let stopped = app.stopped();
    tokio::pin!(stopped);
    loop {
        let mut wait = pong_due;
        loop {
            let next = app.lock().hub.next(id, number, Instant::now());
            match next {
                Next::Send(text) => {
                    let sent = tokio::time::timeout(WRITE, socket.send(Message::text(text)));
                    if !matches!(sent.await, Ok(Ok(()))) {
                        return End::Gone;
                    }
                }
                Next::Wait(until) => {
                    wait = wait.min(until);
                    break;
                }
                Next::Idle => break,
                Next::Detached => return End::Detached,
                Next::Fail(Sabotage::Cut) => return End::Cut,
                Next::Fail(how) => {
                    if how == Sabotage::Vanish {
                        app.lock().socket_closed(id, number);
                    }
                    // Holding the socket without touching it is what a dead network looks like.
                    tokio::select! {
                        () = tokio::time::sleep_until(pong_due) => {}
                        () = &mut stopped => {}
                    }
                    return End::Cut;
                }
            }
        }
        tokio::select! {
            message = socket.recv() => match message {
                None | Some(Ok(Message::Close(_))) => return End::Gone,
                Some(Err(error)) => {
                    tracing::debug!(connection = %id, %error, "socket broke");
                    return End::Refused(1009, "");
                }
                Some(Ok(Message::Pong(_))) => pong_due = Instant::now() + timings.pong,
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(Message::Text(text))) => match Request::from_text(text.as_str()) {
                    Ok(request) => app.lock().handle_request(id, &request),
                    Err(error) => {
                        tracing::debug!(connection = %id, %error, "garbage");
                        return End::Refused(1003, "");
                    }
                },
                Some(Ok(Message::Binary(bytes))) => match Request::from_packed(&bytes) {
                    Ok(request) => app.lock().handle_request(id, &request),
                    Err(error) => {
                        tracing::debug!(connection = %id, %error, "garbage");
                        return End::Refused(1003, "");
                    }
                },
            },
            () = wake.notified() => {}
            () = tokio::time::sleep_until(wait) => {
                if Instant::now() >= pong_due {
                    return End::Gone;
                }
            }
            _ = ping.tick() => {
                if socket.send(Message::Ping(bytes::Bytes::new())).await.is_err() {
                    return End::Gone;
                }
            }
            () = &mut stopped => return End::Stopping,
        }
    }
}

/// Says goodbye as far as the reason allows.
async fn finish(mut socket: WebSocket, end: End) {
    let (code, reason) = match end {
        End::Gone | End::Cut | End::Detached => return,
        End::Refused(code, reason) => (code, reason),
        End::Stopping => (1001, "server is stopping"),
    };
    let frame = CloseFrame {
        code,
        reason: reason.into(),
    };
    // The peer may be gone already; there is nobody to tell then.
    let _ = tokio::time::timeout(
        Duration::from_millis(200),
        socket.send(Message::Close(Some(frame))),
    )
    .await;
}

impl World {
    /// Gives a socket its connection: the old one if it can be resumed, else a new one with `hello`.
    pub(crate) fn attach(
        &mut self,
        user: &str,
        token: &str,
        socket: u64,
        wanted: Option<(&str, i64)>,
    ) -> (Attached, Arc<Notify>) {
        if let Some((id, seq)) = wanted
            && let Some(wake) = self.hub.resume(id, seq, user, token, socket)
        {
            self.auto_status(user, "online");
            return (Attached::Resumed(id.to_owned()), wake);
        }
        let id = self.ids.next_id();
        let wake = self.hub.open(&id, user, token, socket);
        let data = json!({
            "connection_id": id, "server_hostname": "halloo-dev",
            "server_version": format!("{}.dev.{}.false", actions::VERSION, "0123abcd"),
        });
        let broadcast = event::Broadcast {
            user_id: user.to_owned(),
            ..event::Broadcast::default()
        };
        self.hub
            .push_to(&id, &event::Event::new("hello", data, &broadcast));
        self.auto_status(user, "online");
        (Attached::New(id), wake)
    }

    /// The end of a socket: the connection goes inactive and the Calls plugin is told.
    pub(crate) fn socket_closed(&mut self, connection: &str, socket: u64) {
        let user = self.hub.get(connection).map(|c| c.user.clone());
        if self.hub.detach(connection, socket) || user.is_none() {
            self.calls_socket_lost(connection);
        }
        if let Some(user) = user
            && !self.hub.is_online(&user)
        {
            self.auto_status(&user, "offline");
        }
    }
}
