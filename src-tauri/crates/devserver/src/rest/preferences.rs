//! Preferences (core reference, chapter 6).

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::answer::{Json, Refusal, Reply, done, ok};
use super::auth::Caller;
use crate::app::App;
use crate::world::seed;

/// `GET /users/me/preferences`, also with category and name.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<HashMap<String, String>>,
) -> Reply {
    let world = app.lock();
    let (category, name) = (path.get("category"), path.get("name"));
    let found: Vec<Value> = world
        .preferences
        .get(&caller.id)
        .into_iter()
        .flatten()
        .filter(|((c, n), _)| {
            category.is_none_or(|wanted| wanted == c) && name.is_none_or(|wanted| wanted == n)
        })
        .map(|((c, n), v)| seed::preference(&caller.id, c, n, v))
        .collect();
    match (found.into_iter(), name) {
        (mut one, Some(_)) => one.next().map_or_else(
            || Err(Refusal::not_found("app.preference.get.app_error")),
            ok,
        ),
        (all, None) => ok(all.collect()),
    }
}

/// `PUT /users/me/preferences`.
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(list): Json<Vec<Value>>,
) -> Reply {
    change_preferences(&app, &caller, &list, false)
}

/// `POST /users/me/preferences/delete`.
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(list): Json<Vec<Value>>,
) -> Reply {
    change_preferences(&app, &caller, &list, true)
}

fn change_preferences(app: &Arc<App>, caller: &Caller, list: &[Value], remove: bool) -> Reply {
    if list.is_empty() || list.len() > 100 {
        return Err(Refusal::bad(
            "Invalid or missing preferences in request body.",
        ));
    }
    let mut world = app.lock();
    let text = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
    for item in list {
        if text(item, "user_id") != caller.id {
            return Err(Refusal::permission());
        }
        let (category, name) = (text(item, "category"), text(item, "name"));
        let value = text(item, "value");
        if category.is_empty() || category.len() > 32 || name.len() > 32 || value.len() > 20_000 {
            return Err(Refusal::bad("Invalid preference."));
        }
        let own = world.preferences.entry(caller.id.clone()).or_default();
        if remove {
            own.remove(&(category, name));
        } else {
            own.insert((category, name), value);
        }
    }
    let event = if remove {
        "preferences_deleted"
    } else {
        "preferences_changed"
    };
    let data = json!({"preferences": json!(list).to_string()});
    world.emit_user(&caller.id, event, data);
    done()
}
