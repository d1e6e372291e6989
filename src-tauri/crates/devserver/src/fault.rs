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
use crate::sfu::{SfuConfig, SfuFault};
use crate::socket::hub::Sabotage;
use crate::world::World;

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
    let bind = old.local_addr();
    old.stop().await;
    let new = crate::sfu::Sfu::start(SfuConfig { bind, simulcast }, app.sfu_events.clone()).await?;
    let mut world = app.lock();
    world.sfu = new;
    // The new one knows nobody: as with a restarted rtcd, every session is over.
    let sessions: Vec<String> = world.calls.channel_of.keys().cloned().collect();
    for session in sessions {
        world.remove_session(&session);
    }
    Ok(())
}

impl World {
    fn fault_connections(
        &self,
        user: Option<&str>,
        connection: Option<&str>,
    ) -> Result<Vec<String>, FaultError> {
        if let Some(id) = connection {
            return match self.hub.get(id) {
                Some(_) => Ok(vec![id.to_owned()]),
                None => Err(FaultError::Unknown(id.to_owned())),
            };
        }
        let id = user.map(|name| self.fault_user(name)).transpose()?;
        Ok(self.hub.ids(id.as_deref()))
    }

    fn fault_user(&self, name: &str) -> Result<String, FaultError> {
        self.user_named(name)
            .map(|u| u.id.clone())
            .ok_or_else(|| FaultError::Unknown(name.to_owned()))
    }

    fn fault_sessions(
        &self,
        user: Option<&str>,
        session: Option<&str>,
    ) -> Result<Vec<String>, FaultError> {
        if let Some(id) = session {
            return match self.session(id) {
                Some(_) => Ok(vec![id.to_owned()]),
                None => Err(FaultError::Unknown(id.to_owned())),
            };
        }
        let user = user.map(|name| self.fault_user(name)).transpose()?;
        Ok(self
            .calls
            .active
            .values()
            .flat_map(|c| &c.sessions)
            .filter(|s| user.as_ref().is_none_or(|u| s.user == *u))
            .map(|s| s.id.clone())
            .collect())
    }

    fn apply_fault(&mut self, fault: Fault) -> Result<(), FaultError> {
        let sabotage = match fault {
            Fault::CutSocket { .. } => Sabotage::Cut,
            Fault::FreezeSocket { .. } => Sabotage::Freeze,
            _ => Sabotage::Vanish,
        };
        match fault {
            Fault::CutSocket { user, connection }
            | Fault::FreezeSocket { user, connection }
            | Fault::VanishSocket { user, connection } => {
                for id in self.fault_connections(user.as_deref(), connection.as_deref())? {
                    self.hub.sabotage(&id, sabotage);
                }
            }
            Fault::DelayEvents {
                user,
                connection,
                ms,
            } => {
                for id in self.fault_connections(user.as_deref(), connection.as_deref())? {
                    self.hub.delay(&id, Duration::from_millis(ms));
                }
            }
            Fault::SwallowEvents {
                user,
                connection,
                event,
                count,
            } => {
                for id in self.fault_connections(user.as_deref(), connection.as_deref())? {
                    self.hub.swallow(&id, &event, count);
                }
            }
            Fault::ForgetConnection { user, connection } => {
                for id in self.fault_connections(user.as_deref(), connection.as_deref())? {
                    self.hub.forget(&id);
                    self.calls_socket_lost(&id);
                }
            }
            Fault::SendGarbage {
                user,
                connection,
                text,
            } => {
                for id in self.fault_connections(user.as_deref(), connection.as_deref())? {
                    self.hub.raw(&id, &text);
                }
            }
            Fault::RefuseJoin { user, text, count } => {
                self.calls.refusals.push((user, text, count));
            }
            Fault::ExpireSession { user } => {
                let user = user.map(|name| self.fault_user(&name)).transpose()?;
                let tokens: Vec<String> = self
                    .logins
                    .iter()
                    .filter(|(_, l)| user.as_ref().is_none_or(|u| l.user == *u))
                    .map(|(t, _)| t.clone())
                    .collect();
                for token in tokens {
                    self.expire_login(&token);
                }
            }
            Fault::Rest {
                prefix,
                delay_ms,
                html,
                status,
                retry_after,
                count,
            } => self.faults.rest.push(RestFault {
                prefix,
                delay: Duration::from_millis(delay_ms),
                html,
                status,
                retry_after,
                left: count,
            }),
            Fault::ClearRest => self.faults.rest.clear(),
            Fault::Storm { on } => self.faults.storm = on,
            Fault::ConfigChanged => {
                let config = self.client_config(true);
                self.emit_all("config_changed", json!({"config": config}));
            }
            Fault::RemoveFromChannel { user, channel } => {
                let user = self.fault_user(&user)?;
                let id = self
                    .channels
                    .values()
                    .find(|c| c.id == channel || c.name == channel)
                    .map(|c| c.id.clone())
                    .ok_or(FaultError::Unknown(channel))?;
                let admin = self.fault_user("admin")?;
                self.part_channel(&id, &user, &admin);
            }
            // Needs to wait, so it is done outside the lock.
            Fault::RestartSfu => {}
            media => self.apply_media_fault(media)?,
        }
        Ok(())
    }

    fn apply_media_fault(&mut self, fault: Fault) -> Result<(), FaultError> {
        let everybody = |user: &Option<String>, session: &Option<String>| {
            user.is_none() && session.is_none()
        };
        match fault {
            Fault::WithholdAnswer { user, session } => {
                for session in self.fault_sessions(user.as_deref(), session.as_deref())? {
                    self.sfu.fault(SfuFault::WithholdAnswer { session });
                }
            }
            Fault::HoldLock {
                user,
                session,
                held,
            } => {
                for session in self.fault_sessions(user.as_deref(), session.as_deref())? {
                    self.sfu.fault(SfuFault::HoldLock { session, held });
                }
            }
            Fault::KickPeer { user, session } => {
                for session in self.fault_sessions(user.as_deref(), session.as_deref())? {
                    self.sfu.fault(SfuFault::Kick { session });
                }
            }
            Fault::DropPackets {
                user,
                session,
                outgoing,
                incoming,
            } => {
                let drop = |session| SfuFault::DropPackets {
                    session,
                    outgoing,
                    incoming,
                };
                if everybody(&user, &session) {
                    self.sfu.fault(drop(None));
                } else {
                    for id in self.fault_sessions(user.as_deref(), session.as_deref())? {
                        self.sfu.fault(drop(Some(id)));
                    }
                }
            }
            Fault::CutPath { user, session, cut } => {
                if everybody(&user, &session) {
                    self.sfu.fault(SfuFault::CutPath { session: None, cut });
                } else {
                    for id in self.fault_sessions(user.as_deref(), session.as_deref())? {
                        let session = Some(id);
                        self.sfu.fault(SfuFault::CutPath { session, cut });
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// `GET /dev/config`.
pub(crate) async fn config(State(app): State<Arc<App>>) -> Response {
    Json(app.lock().switches.clone()).into_response()
}

/// `PATCH /dev/config`.
pub(crate) async fn set_config(State(app): State<Arc<App>>, Json(patch): Json<Value>) -> Response {
    match change_switches(&app, patch).await {
        Ok(()) => config(State(app)).await,
        Err(error) => (StatusCode::BAD_REQUEST, error).into_response(),
    }
}

/// Merges a patch into the switches, and does what follows from it.
async fn change_switches(app: &Arc<App>, patch: Value) -> Result<(), String> {
    let restart = {
        let mut world = app.lock();
        let before = world.switches.clone();
        let mut all = serde_json::to_value(&before).map_err(|e| e.to_string())?;
        let (Some(map), Value::Object(patch)) = (all.as_object_mut(), patch) else {
            return Err("not an object".to_owned());
        };
        map.extend(patch);
        world.switches = serde_json::from_value(all).map_err(|e| e.to_string())?;
        world.announce_switches(&before);
        before.simulcast != world.switches.simulcast
    };
    if restart {
        restart_sfu(app).await.map_err(|e| e.to_string())?;
    }
    Ok(())
}

impl World {
    fn announce_switches(&mut self, before: &crate::config::Switches) {
        let now = &self.switches;
        if now.plugin_missing != before.plugin_missing
            || now.plugin_version != before.plugin_version
        {
            let name = if now.plugin_missing {
                "plugin_disabled"
            } else {
                "plugin_enabled"
            };
            let data = json!({"manifest": self.calls_manifest()});
            self.emit_all(name, data);
        }
        let now = &self.switches;
        if now.collapsed_threads != before.collapsed_threads
            || now.teammate_name_display != before.teammate_name_display
        {
            let config = self.client_config(true);
            self.emit_all("config_changed", json!({"config": config}));
        }
    }

    /// What the server holds; tests look for what does not go back to where it was.
    pub(crate) fn stats(&self) -> Value {
        let (active, inactive) = self.hub.count();
        let sessions: usize = self.calls.active.values().map(|c| c.sessions.len()).sum();
        json!({
            "connections": active, "inactive_connections": inactive,
            "logins": self.logins.values().filter(|l| !l.expired).count(),
            "calls": self.calls.active.len(), "sessions": sessions,
            "session_index": self.calls.channel_of.len(),
            "connection_index": self.calls.by_connection.len(),
            "calls_started": self.calls.started, "timers": self.timers.len(),
            "events": self.hub.events, "posts": self.posts.len(), "files": self.files.len(),
            "users": self.users.len(), "channels": self.channels.len(),
        })
    }
}

/// `GET /dev/calls`.
pub(crate) async fn calls(State(app): State<Arc<App>>) -> Response {
    let world = app.lock();
    let list: Vec<Value> = world
        .calls
        .active
        .values()
        .map(|c| {
            let mut value = c.json("");
            value["channel_id"] = c.channel.clone().into();
            let people: Vec<Value> = c
                .sessions
                .iter()
                .map(|s| {
                    let name = world.users.get(&s.user).map(|u| u.username.clone());
                    json!({
                        "session_id": s.id, "username": name, "connection_id": s.connection,
                        "connected": world.hub.is_active(&s.connection), "waiting": s.lost.is_some(),
                    })
                })
                .collect();
            value["people"] = people.into();
            value
        })
        .collect();
    Json(list).into_response()
}
