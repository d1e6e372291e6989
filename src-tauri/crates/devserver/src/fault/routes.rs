//! The development routes other than the faults: switches, counters, and who is in which call.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::restart_sfu;
use crate::app::App;
use crate::config::Switches;
use crate::rest::answer::Json;
use crate::world::World;

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
    fn announce_switches(&mut self, before: &Switches) {
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
            "calls_started": self.calls.started, "metrics": self.calls.metrics, "timers": self.timers.len(),
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
