//! Failing on purpose: `POST /dev/faults`, and the rest of the development routes.
//!
//! None of these routes needs a login: the server is for developers and listens on loopback.
//!
//! | route | what |
//! |---|---|
//! | `GET /dev/stats` | what the server holds: sessions, sockets, calls, timers, SFU counters |
//! | `GET /dev/config` | the switches as they are |
//! | `PATCH /dev/config` | changes some of them; the answer is all of them |
//! | `GET /dev/calls` | the calls and their sessions |
//! | `POST /dev/faults` | one [`Fault`], or an array of them |

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::rest::answer::Json;
use crate::sfu::SfuConfig;

mod apply;
pub(crate) mod routes;

/// Faults that last until they are taken back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// The Calls routes answer 429, whatever the rate.
    pub(crate) storm: bool,
    /// Answers to REST requests; see [`Fault::Rest`].
    pub(crate) rest: Vec<RestFault>,
}

/// What happens to requests whose path begins with a prefix.
#[derive(Clone, Debug)]
pub(crate) struct RestFault {
    pub(crate) prefix: String,
    pub(crate) delay: Duration,
    pub(crate) html: bool,
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<u32>,
    /// `None` lasts until cleared.
    pub(crate) left: Option<u32>,
}

/// One fault. `user` is a user name; sockets and sessions of that user are meant, and of everybody
/// when it is left out. `connection` and `session` name a single one.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Closes the TCP connection under a WebSocket without a close frame.
    CutSocket {
        /// Whose.
        user: Option<String>,
        /// Which.
        connection: Option<String>,
    },
    /// The socket falls silent both ways; the server believes it to be alive for 100 s.
    FreezeSocket {
        /// Whose.
        user: Option<String>,
        /// Which.
        connection: Option<String>,
    },
    /// The socket falls silent both ways and the server has noticed: it can be resumed.
    VanishSocket {
        /// Whose.
        user: Option<String>,
        /// Which.
        connection: Option<String>,
    },
    /// Every event from now on comes `ms` later; 0 ends that.
    DelayEvents {
        /// Whose.
        user: Option<String>,
        /// Which.
        connection: Option<String>,
        /// Milliseconds.
        ms: u64,
    },
    /// The next `count` events (of one name, or of any) are numbered but not sent.
    SwallowEvents {
        /// Whose.
        user: Option<String>,
        /// Which.
        connection: Option<String>,
        /// Event name; empty for any.
        #[serde(default)]
        event: String,
        /// How many.
        #[serde(default = "one")]
        count: u32,
    },
    /// The server forgets a connection: resuming it gives a new id. An open socket of it ends.
    ForgetConnection {
        /// Whose.
        user: Option<String>,
        /// Which.
        connection: Option<String>,
    },
    /// The next `count` joins are refused with this text.
    RefuseJoin {
        /// Whose.
        #[serde(default)]
        user: String,
        /// The text of the `error` event.
        text: String,
        /// How many.
        #[serde(default = "one")]
        count: u32,
    },
    /// All logins of the user expire: REST answers 401, sockets stay open and silent.
    ExpireSession {
        /// Whose.
        user: Option<String>,
    },
    /// Sends bytes that are not an event as a text frame.
    SendGarbage {
        /// Whose.
        user: Option<String>,
        /// Which.
        connection: Option<String>,
        /// The frame.
        text: String,
    },
    /// Sends an event that nothing caused, properly numbered, as a strange or hostile server would.
    SendEvent {
        /// To whom.
        user: String,
        /// Its name.
        event: String,
        /// Its data.
        data: serde_json::Value,
        /// The channel in its broadcast, by id; empty for none.
        #[serde(default)]
        channel: String,
        /// How many; `{n}` in the texts of the data becomes the number of each.
        #[serde(default = "one")]
        count: u32,
    },
    /// Requests under `prefix` are answered late, with HTML, or with a status of their own.
    Rest {
        /// Beginning of the path, `/` for all (the development routes are never touched).
        #[serde(default = "slash")]
        prefix: String,
        /// Delay before the answer, milliseconds.
        #[serde(default)]
        delay_ms: u64,
        /// 200 with an HTML page, as a captive portal does.
        #[serde(default)]
        html: bool,
        /// This status instead of an answer; 429 and 5xx carry the body of a real server or proxy.
        status: Option<u16>,
        /// The `Retry-After` header, seconds.
        retry_after: Option<u32>,
        /// How many requests; all until `clear_rest` when left out.
        count: Option<u32>,
    },
    /// Takes every REST fault back.
    ClearRest,
    /// The Calls routes answer 429 until this is sent again with `false`.
    Storm {
        /// Whether it storms.
        on: bool,
    },
    /// Ends the SFU and starts another on the same port. All call sessions end as their peers do.
    RestartSfu,
    /// The SFU does not answer the next offer.
    WithholdAnswer {
        /// Whose.
        user: Option<String>,
        /// Which.
        session: Option<String>,
    },
    /// The SFU's signaling lock looks taken, or normal again.
    HoldLock {
        /// Whose.
        user: Option<String>,
        /// Which.
        session: Option<String>,
        /// Whether it is held.
        held: bool,
    },
    /// Shares of the RTP packets are lost.
    DropPackets {
        /// Whose; everybody's when both are left out.
        user: Option<String>,
        /// Which.
        session: Option<String>,
        /// Server → client, 0…1.
        #[serde(default)]
        outgoing: f32,
        /// Client → server, 0…1.
        #[serde(default)]
        incoming: f32,
    },
    /// The media path is cut, or whole again.
    CutPath {
        /// Whose; everybody's when both are left out.
        user: Option<String>,
        /// Which.
        session: Option<String>,
        /// Whether it is cut.
        cut: bool,
    },
    /// The network lets everybody's media through only so; see [`Passage`](crate::sfu::Passage).
    Passage {
        /// How.
        only: crate::sfu::Passage,
    },
    /// Nonsense on the media path; see [`SfuFault::GarblePackets`](crate::sfu::SfuFault::GarblePackets).
    GarblePackets {
        /// Whose; everybody's when both are left out.
        user: Option<String>,
        /// Which.
        session: Option<String>,
        /// Share of datagrams to the client that are followed by a broken one, 0…1.
        #[serde(default)]
        noise: f32,
        /// Share of forwarded RTP packets whose payload is noise, 0…1.
        #[serde(default)]
        payload: f32,
    },
    /// Bytes on the data channel that need not mean anything.
    SendData {
        /// Whose.
        user: Option<String>,
        /// Which.
        session: Option<String>,
        /// As text instead of binary.
        #[serde(default)]
        text: bool,
        /// The message, an array of numbers.
        bytes: Vec<u8>,
    },
    /// The SFU closes the peer.
    KickPeer {
        /// Whose.
        user: Option<String>,
        /// Which.
        session: Option<String>,
    },
    /// The server sends `config_changed` with the current client configuration.
    ConfigChanged,
    /// An administrator removes a user from a channel.
    RemoveFromChannel {
        /// Whom.
        user: String,
        /// Channel name or id.
        channel: String,
    },
}

fn one() -> u32 {
    1
}

fn slash() -> String {
    "/".to_owned()
}

/// A fault named somebody or something that is not there.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// No such user, connection, session or channel.
    #[error("nobody and nothing is called {0}")]
    Unknown(String),
    /// The SFU could not be started again.
    #[error("the SFU did not start again")]
    Sfu(#[from] crate::sfu::SfuError),
}

/// `POST /dev/faults`.
pub(crate) async fn route(State(app): State<Arc<App>>, Json(body): Json<Value>) -> Response {
    let list = match body {
        Value::Array(list) => list,
        one => vec![one],
    };
    for value in list {
        let fault: Fault = match serde_json::from_value(value) {
            Ok(fault) => fault,
            Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
        };
        if let Err(error) = apply(&app, fault).await {
            return (StatusCode::BAD_REQUEST, error.to_string()).into_response();
        }
    }
    Json(json!({"status": "OK"})).into_response()
}

/// Makes it happen.
pub(crate) async fn apply(app: &Arc<App>, fault: Fault) -> Result<(), FaultError> {
    if let Fault::RestartSfu = fault {
        return restart_sfu(app).await;
    }
    app.lock().apply_fault(fault)
}

/// Ends the SFU and starts another one on the same port.
pub(crate) async fn restart_sfu(app: &Arc<App>) -> Result<(), FaultError> {
    let (old, simulcast) = {
        let world = app.lock();
        (world.sfu.clone(), world.switches.simulcast)
    };
    let (bind, announce) = (old.local_addr(), old.announce());
    old.stop().await;
    let new = crate::sfu::Sfu::start(
        SfuConfig {
            bind,
            announce,
            simulcast,
        },
        app.sfu_events.clone(),
    )
    .await?;
    let mut world = app.lock();
    world.sfu = new;
    // The new one knows nobody: as with a restarted rtcd, every session is over.
    let sessions: Vec<String> = world.calls.channel_of.keys().cloned().collect();
    for session in sessions {
        world.remove_session(&session);
    }
    Ok(())
}
