//! Memberships: who is in a channel, and what they have read (core reference 5.3 and 5.4).

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};

use super::answer::{Json, Refusal, Reply, created, done, ok};
use super::auth::Caller;
use super::channels::{ListQuery, missing, readable};
use super::{resolve, statuses};
use crate::app::App;

/// `GET /users/me/teams/{team}/channels/members`.
pub(crate) async fn mine_in_team(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, team)): Path<(String, String)>,
) -> Reply {
    let world = app.lock();
    ok(world
        .channels
        .values()
        .filter(|c| c.members.contains_key(&caller.id))
        .filter(|c| c.team_id == team || c.kind.is_personal())
        .map(|c| c.member_json(&caller.id, true))
        .collect())
}

/// `GET /users/me/channel_members`: NDJSON for `page=-1`, else an array.
pub(crate) async fn mine(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Reply {
    let world = app.lock();
    let all: Vec<Value> = world
        .channels
        .values()
        .filter(|c| c.members.contains_key(&caller.id))
        .map(|c| {
            let mut value = c.member_json(&caller.id, true);
            let team = world.teams.get(&c.team_id);
            value["team_display_name"] = team.map_or("", |t| t.display_name.as_str()).into();
            value["team_name"] = team.map_or("", |t| t.name.as_str()).into();
            value["team_update_at"] = team.map_or(0, |t| t.create_at).into();
            value
        })
        .collect();
    if query.page != Some(-1) {
        let page = query.page.and_then(|p| usize::try_from(p).ok());
        return ok(super::page(&all, page, query.per_page).to_vec().into());
    }
    let mut body = String::new();
    for value in all {
        // Writing into a string cannot fail.
        let _ = writeln!(body, "{value}");
    }
    let mut response = body.into_response();
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// `GET /channels/{id}/members`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Reply {
    let world = app.lock();
    let channel = readable(&world, &caller, &id)?;
    let ids: Vec<&String> = channel.members.keys().collect();
    let page = query.page.and_then(|p| usize::try_from(p).ok());
    ok(super::page(&ids, page, query.per_page)
        .iter()
        .map(|u| channel.member_json(u, **u == caller.id))
        .collect())
}

/// `POST /channels/{id}/members/ids`.
pub(crate) async fn by_ids(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(ids): Json<Vec<String>>,
) -> Reply {
    let world = app.lock();
    let channel = readable(&world, &caller, &id)?;
    ok(ids
        .iter()
        .filter(|u| channel.members.contains_key(*u))
        .map(|u| channel.member_json(u, *u == caller.id))
        .collect())
}

/// `GET /channels/{id}/members/{user}`.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, user)): Path<(String, String)>,
) -> Reply {
    let world = app.lock();
    let channel = readable(&world, &caller, &id)?;
    let user = resolve(&user, &caller);
    if !channel.members.contains_key(&user) {
        return Err(Refusal::not_found(
            "app.channel.get_member.missing.app_error",
        ));
    }
    ok(channel.member_json(&user, user == caller.id))
}

/// `POST /channels/{id}/members`: join, or add somebody.
pub(crate) async fn add(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Reply {
    let mut world = app.lock();
    readable(&world, &caller, &id)?;
    let user = body["user_id"].as_str().unwrap_or_default().to_owned();
    if !world.users.contains_key(&user) {
        return Err(Refusal::bad("Invalid or missing user_id in request body."));
    }
    let there = world
        .channels
        .get(&id)
        .is_some_and(|c| c.members.contains_key(&user));
    if !there {
        world.join_channel(&id, &user);
    }
    created(readable(&world, &caller, &id)?.member_json(&user, user == caller.id))
}

/// `DELETE /channels/{id}/members/{user}`.
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, user)): Path<(String, String)>,
) -> Reply {
    let mut world = app.lock();
    let user = resolve(&user, &caller);
    let channel = readable(&world, &caller, &id)?;
    if channel.name == "town-square" || channel.kind.is_personal() {
        let id = "api.channel.remove.default.app_error";
        return Err(Refusal::new(
            400,
            id,
            "Unable to remove user from this channel.",
        ));
    }
    world.part_channel(&id, &user, &caller.id);
    done()
}

/// `GET /users/me/channels/{id}/unread`.
pub(crate) async fn unread(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, id)): Path<(String, String)>,
) -> Reply {
    let world = app.lock();
    let channel = readable(&world, &caller, &id)?;
    let m = channel.members.get(&caller.id).ok_or_else(missing)?;
    ok(json!({
        "team_id": channel.team_id, "channel_id": id, "msg_count": channel.total - m.msg_count,
        "mention_count": m.mention_count, "mention_count_root": m.mention_count_root,
        "urgent_mention_count": 0, "msg_count_root": channel.total_root - m.msg_count_root,
        "notify_props": Value::Object(m.notify_props.clone()),
    }))
}

/// `POST /channels/members/me/view`.
pub(crate) async fn view(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Value>,
) -> Reply {
    let ids = ["channel_id", "prev_channel_id"]
        .iter()
        .filter_map(|key| body[*key].as_str())
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .collect();
    read_channels(&app, &caller, ids)
}

/// `POST /channels/members/me/mark_read`.
pub(crate) async fn mark_read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(ids): Json<Vec<String>>,
) -> Reply {
    read_channels(&app, &caller, ids)
}

fn read_channels(app: &Arc<App>, caller: &Caller, ids: Vec<String>) -> Reply {
    let mut world = app.lock();
    statuses::touch(&mut world, &caller.id);
    let mut times = Map::new();
    for id in ids {
        if let Some(at) = world.view_channel(&id, &caller.id) {
            times.insert(id, at.into());
        }
    }
    if !times.is_empty() {
        let data = json!({"channel_times": Value::Object(times.clone())});
        world.emit_user(&caller.id, "multiple_channels_viewed", data);
    }
    ok(json!({"status": "OK", "last_viewed_at_times": Value::Object(times)}))
}

/// `PUT /channels/{id}/members/{user}/notify_props`.
pub(crate) async fn notify_props(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, user)): Path<(String, String)>,
    Json(body): Json<Map<String, Value>>,
) -> Reply {
    let mut world = app.lock();
    let user = resolve(&user, &caller);
    if user != caller.id {
        return Err(Refusal::permission());
    }
    let now = world.stamp();
    let channel = world.channels.get_mut(&id).ok_or_else(missing)?;
    let member = channel.members.get_mut(&user).ok_or_else(missing)?;
    for (key, value) in body {
        if key != "user_id" && key != "channel_id" && value.is_string() {
            member.notify_props.insert(key, value);
        }
    }
    member.last_update_at = now;
    let text = world.member_text(&id, &user);
    world.emit_user(
        &user,
        "channel_member_updated",
        json!({"channelMember": text}),
    );
    done()
}
