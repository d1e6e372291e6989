//! People, presence and preferences (core reference, chapters 4 and 6).

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Json, Refusal, Reply, done, ok};
use super::auth::Caller;
use super::{avatar, resolve};
use crate::app::App;
use crate::world::model::User;

/// `GET /users/{id}`, also `me`.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let world = app.lock();
    let id = resolve(&id, &caller);
    let user = world
        .users
        .get(&id)
        .ok_or_else(|| Refusal::not_found("app.user.missing_account.const"))?;
    ok(user.json(id == caller.id))
}

/// `GET /users/username/{name}`.
pub(crate) async fn by_name(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Reply {
    let world = app.lock();
    let user = world
        .user_named(&name)
        .ok_or_else(|| Refusal::not_found("app.user.get_by_username.app_error"))?;
    ok(user.json(user.id == caller.id))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Typing {
    channel_id: String,
    parent_id: String,
}

/// `POST /users/me/typing`: what `user_typing` does on the WebSocket.
pub(crate) async fn typing(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Typing>,
) -> Reply {
    let mut world = app.lock();
    if !world.can_read(&caller.id, &body.channel_id) {
        return Err(Refusal::permission());
    }
    let data = json!({"user_id": caller.id, "parent_id": body.parent_id});
    world.emit_channel_except(&body.channel_id, "typing", data, Some(&caller.id));
    done()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListQuery {
    in_channel: Option<String>,
    in_team: Option<String>,
    not_in_channel: Option<String>,
    active: Option<bool>,
    page: Option<usize>,
    per_page: Option<usize>,
    since: Option<i64>,
}

/// `GET /users?in_channel=…`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Reply {
    let world = app.lock();
    if let Some(channel) = &query.in_channel
        && !world.can_read(&caller.id, channel)
    {
        return Err(Refusal::permission());
    }
    let in_channel = |id: &Option<String>, user: &User| {
        id.as_ref()
            .and_then(|c| world.channels.get(c))
            .is_some_and(|c| c.members.contains_key(&user.id))
    };
    let mut found: Vec<&User> = world
        .users
        .values()
        .filter(|u| query.in_channel.is_none() || in_channel(&query.in_channel, u))
        .filter(|u| query.not_in_channel.is_none() || !in_channel(&query.not_in_channel, u))
        .filter(|u| {
            query.in_team.as_ref().is_none_or(|t| {
                world
                    .teams
                    .get(t)
                    .is_some_and(|t| t.members.contains_key(&u.id))
            })
        })
        .filter(|u| query.active != Some(true) || u.delete_at == 0)
        .collect();
    found.sort_by(|a, b| a.username.cmp(&b.username));
    ok(super::page(&found, query.page, query.per_page)
        .iter()
        .map(|u| u.json(u.id == caller.id))
        .collect())
}

/// `POST /users/ids`.
pub(crate) async fn by_ids(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
    Json(ids): Json<Vec<String>>,
) -> Reply {
    let world = app.lock();
    ok(ids
        .iter()
        .filter_map(|id| world.users.get(id))
        .filter(|u| query.since.is_none_or(|since| u.update_at > since))
        .map(|u| u.json(u.id == caller.id))
        .collect())
}

/// `POST /users/usernames`.
pub(crate) async fn by_names(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(names): Json<Vec<String>>,
) -> Reply {
    let world = app.lock();
    ok(names
        .iter()
        .filter_map(|n| world.user_named(n))
        .map(|u| u.json(u.id == caller.id))
        .collect())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Search {
    term: String,
    in_channel_id: String,
    not_in_channel_id: String,
    team_id: String,
    allow_inactive: bool,
    limit: Option<usize>,
}

/// `POST /users/search`.
pub(crate) async fn search(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(query): Json<Search>,
) -> Reply {
    if query.term.is_empty() {
        return Err(Refusal::bad("Invalid or missing term in request body."));
    }
    if !query.not_in_channel_id.is_empty() && query.team_id.is_empty() {
        return Err(Refusal::bad("Invalid or missing team_id in request body."));
    }
    let world = app.lock();
    let within = |channel: &str, user: &str| {
        world
            .channels
            .get(channel)
            .is_some_and(|c| c.members.contains_key(user))
    };
    let limit = query.limit.unwrap_or(100).min(1000);
    ok(world
        .users
        .values()
        .filter(|u| matches_term(u, &query.term))
        .filter(|u| query.allow_inactive || u.delete_at == 0)
        .filter(|u| query.in_channel_id.is_empty() || within(&query.in_channel_id, &u.id))
        .filter(|u| query.not_in_channel_id.is_empty() || !within(&query.not_in_channel_id, &u.id))
        .take(limit)
        .map(|u| u.json(u.id == caller.id))
        .collect())
}

fn matches_term(user: &User, term: &str) -> bool {
    let term = term.trim_start_matches('@').to_lowercase();
    [
        &user.username,
        &user.first_name,
        &user.last_name,
        &user.nickname,
    ]
    .iter()
    .any(|field| field.to_lowercase().starts_with(&term))
        || user.full_name().to_lowercase().starts_with(&term)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Complete {
    name: String,
    in_channel: Option<String>,
    in_team: Option<String>,
    limit: Option<usize>,
}

/// `GET /users/autocomplete`.
pub(crate) async fn autocomplete(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(query): Query<Complete>,
) -> Reply {
    if query.in_channel.is_some() && query.in_team.is_none() {
        return Err(Refusal::bad("Invalid or missing in_team parameter."));
    }
    let world = app.lock();
    let channel = query
        .in_channel
        .as_ref()
        .and_then(|c| world.channels.get(c));
    let limit = query.limit.unwrap_or(100).min(1000);
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for user in world.users.values().filter(|u| u.delete_at == 0) {
        if matches_term(user, &query.name) {
            match channel {
                Some(c) if !c.members.contains_key(&user.id) => outside.push(user.json(false)),
                _ => inside.push(user.json(false)),
            }
        }
    }
    inside.truncate(limit);
    outside.truncate(limit);
    let mut body = json!({"users": inside, "agents": []});
    if channel.is_some() {
        body["out_of_channel"] = outside.into();
    }
    ok(body)
}

/// `GET /users/known`.
pub(crate) async fn known(State(app): State<Arc<App>>, caller: Caller) -> Reply {
    let world = app.lock();
    let mut ids: Vec<&String> = world
        .channels
        .values()
        .filter(|c| c.members.contains_key(&caller.id))
        .flat_map(|c| c.members.keys())
        .filter(|id| **id != caller.id)
        .collect();
    ids.sort();
    ids.dedup();
    ok(json!(ids))
}

/// `POST /users/group_channels`: who is in these group channels.
pub(crate) async fn group_channels(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(ids): Json<Vec<String>>,
) -> Reply {
    let world = app.lock();
    let map: Map<String, Value> = ids
        .iter()
        .filter_map(|id| world.channels.get(id))
        .filter(|c| c.members.contains_key(&caller.id))
        .map(|c| {
            let users: Vec<Value> = c
                .members
                .keys()
                .filter(|id| **id != caller.id)
                .filter_map(|id| world.users.get(id))
                .map(|u| u.json(false))
                .collect();
            (c.id.clone(), users.into())
        })
        .collect();
    ok(map.into())
}

/// `PUT /users/me/patch`.
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Map<String, Value>>,
) -> Reply {
    let mut world = app.lock();
    let id = resolve(&id, &caller);
    if id != caller.id {
        return Err(Refusal::permission());
    }
    let now = world.stamp();
    let user = world.users.get_mut(&id).ok_or_else(Refusal::session)?;
    for (key, value) in body {
        match (key.as_str(), value) {
            ("first_name", Value::String(s)) => user.first_name = s,
            ("last_name", Value::String(s)) => user.last_name = s,
            ("nickname", Value::String(s)) => user.nickname = s,
            ("position", Value::String(s)) => user.position = s,
            ("locale", Value::String(s)) => user.locale = s,
            // The map is replaced as a whole.
            ("notify_props", Value::Object(map)) => user.notify_props = map,
            ("props", Value::Object(map)) => user.props = map,
            _ => {}
        }
    }
    user.update_at = now;
    let (own, others) = (user.json(true), user.json(false));
    world.emit_user(&id, "user_updated", json!({"user": own}));
    announce_user(&mut world, &id, &others);
    ok(own)
}

/// `user_updated` carries a real object, not a string, and others see less of it.
fn announce_user(world: &mut crate::world::World, id: &str, others: &Value) {
    let users: Vec<String> = world.hub.users().into_iter().filter(|u| u != id).collect();
    for user in users {
        world.emit_user(&user, "user_updated", json!({"user": others}));
    }
}

/// `GET /users/{id}/image`.
pub(crate) async fn image(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Reply {
    let world = app.lock();
    let user = world
        .users
        .get(&id)
        .ok_or_else(|| Refusal::not_found("app.user.missing_account.const"))?;
    let etag = "\"0\"";
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|v| v == etag)
    {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let initials: String = [&user.first_name, &user.last_name]
        .iter()
        .filter_map(|n| n.chars().next())
        .collect();
    let initials = if initials.is_empty() {
        user.username.chars().take(1).collect()
    } else {
        initials
    };
    let png = avatar::draw(&user.id, &initials.to_uppercase());
    let mut response = png.into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
    out.insert(header::ETAG, HeaderValue::from_static(etag));
    let cache = HeaderValue::from_static("max-age=86400, private");
    out.insert(header::CACHE_CONTROL, cache);
    Ok(response)
}

/// `PUT` and `DELETE /users/{id}/status/custom`.
pub(crate) async fn custom_status(
    State(app): State<Arc<App>>,
    caller: Caller,
    method: axum::http::Method,
    body: bytes::Bytes,
) -> Reply {
    let mut world = app.lock();
    let now = world.stamp();
    let user = world
        .users
        .get_mut(&caller.id)
        .ok_or_else(Refusal::session)?;
    if method == axum::http::Method::DELETE {
        user.props.remove("customStatus");
    } else {
        let value: Value =
            serde_json::from_slice(&body).map_err(|e| Refusal::bad(e.to_string()))?;
        user.props
            .insert("customStatus".to_owned(), value.to_string().into());
    }
    user.update_at = now;
    let (own, others) = (user.json(true), user.json(false));
    world.emit_user(&caller.id, "user_updated", json!({"user": own}));
    announce_user(&mut world, &caller.id, &others);
    done()
}

/// `POST /users`: the people of a development server are seeded.
pub(crate) async fn no_sign_up() -> Reply {
    let id = "api.user.create_user.signup_email_disabled.app_error";
    Err(Refusal::new(501, id, "User sign-up is disabled."))
}
