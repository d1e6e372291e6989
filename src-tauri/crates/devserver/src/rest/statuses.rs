//! Presence (core reference 4.3).

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::Value;

use super::answer::{Json, Refusal, Reply, ok};
use super::auth::Caller;
use super::resolve;
use crate::app::App;
use crate::world::model::User;
use crate::world::{World, now_ms};

/// `POST /users/status/ids`.
pub(crate) async fn by_ids(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Json(ids): Json<Vec<String>>,
) -> Reply {
    if ids.iter().any(|id| id.len() != 26) {
        return Err(Refusal::bad("Invalid or missing user_ids in request body."));
    }
    let world = app.lock();
    ok(ids
        .iter()
        .filter_map(|id| world.users.get(id))
        .map(User::status_json)
        .collect())
}

/// `GET /users/{id}/status`.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let world = app.lock();
    let user = world
        .users
        .get(&resolve(&id, &caller))
        .ok_or_else(|| Refusal::not_found("app.user.missing_account.const"))?;
    ok(user.status_json())
}

/// `PUT /users/{id}/status`: the body must name the real id.
pub(crate) async fn set(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Reply {
    let mut world = app.lock();
    let id = resolve(&id, &caller);
    if body["user_id"].as_str() != Some(id.as_str()) {
        return Err(Refusal::bad("Invalid or missing user_id in request body."));
    }
    if id != caller.id {
        return Err(Refusal::permission());
    }
    let status = body["status"].as_str().unwrap_or_default();
    if !["online", "away", "dnd", "offline"].contains(&status) {
        return Err(Refusal::bad("Invalid or missing status in request body."));
    }
    let end = body["dnd_end_time"].as_i64().unwrap_or(0) / 60 * 60;
    world.set_status(&id, status, true, if status == "dnd" { end } else { 0 });
    let user = world.users.get(&id).ok_or_else(Refusal::session)?;
    ok(user.status_json())
}

/// Marks a user as active now.
pub(crate) fn touch(world: &mut World, user: &str) {
    if let Some(u) = world.users.get_mut(user) {
        u.status.last_activity_at = now_ms();
    }
}
