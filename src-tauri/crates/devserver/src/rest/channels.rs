//! Channels (core reference 5.2–5.4); who is in them is in [`super::members`].

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Json, Refusal, Reply, created, done, ok};
use super::auth::Caller;
use crate::app::App;
use crate::world::World;
use crate::world::model::{Channel, Kind};

pub(crate) fn missing() -> Refusal {
    Refusal::not_found("app.channel.get.existing.app_error")
}

/// A channel the caller may read.
pub(crate) fn readable<'w>(
    world: &'w World,
    caller: &Caller,
    id: &str,
) -> Result<&'w Channel, Refusal> {
    let channel = world.channels.get(id).ok_or_else(missing)?;
    let guest = world.users.get(&caller.id).is_some_and(|u| u.is_guest());
    let public = channel.kind == Kind::Open
        && !guest
        && world
            .teams
            .get(&channel.team_id)
            .is_some_and(|t| t.members.contains_key(&caller.id));
    if channel.members.contains_key(&caller.id) || public {
        Ok(channel)
    } else {
        Err(Refusal::permission())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListQuery {
    pub(crate) include_deleted: Option<bool>,
    pub(crate) last_delete_at: Option<i64>,
    pub(crate) page: Option<i64>,
    pub(crate) per_page: Option<usize>,
    pub(crate) name: Option<String>,
}

fn my_channels<'w>(
    world: &'w World,
    user: &'w str,
    query: &'w ListQuery,
) -> impl Iterator<Item = &'w Channel> {
    let since = query.last_delete_at.unwrap_or(0);
    let deleted = query.include_deleted == Some(true);
    world
        .channels
        .values()
        .filter(move |c| c.members.contains_key(user))
        .filter(move |c| c.delete_at == 0 || (deleted && c.delete_at >= since))
}

/// `GET /users/me/channels`: all of them, of all teams.
pub(crate) async fn mine(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Reply {
    let world = app.lock();
    ok(my_channels(&world, &caller.id, &query)
        .map(Channel::json)
        .collect())
}

/// `GET /users/me/teams/{team}/channels`: the personal channels are among them.
pub(crate) async fn mine_in_team(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, team)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Reply {
    let world = app.lock();
    ok(my_channels(&world, &caller.id, &query)
        .filter(|c| c.team_id == team || c.kind.is_personal())
        .map(Channel::json)
        .collect())
}

/// `GET /channels/{id}`.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let world = app.lock();
    ok(readable(&world, &caller, &id)?.json())
}

/// `GET /teams/{team}/channels/name/{name}`.
pub(crate) async fn by_name(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((team, name)): Path<(String, String)>,
) -> Reply {
    let world = app.lock();
    find_named(&world, &caller, &team, &name)
}

/// `GET /teams/name/{team}/channels/name/{name}`.
pub(crate) async fn by_names(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((team, name)): Path<(String, String)>,
) -> Reply {
    let world = app.lock();
    let team = world.teams.values().find(|t| t.name == team);
    let team = team.map(|t| t.id.clone()).ok_or_else(missing)?;
    find_named(&world, &caller, &team, &name)
}

fn find_named(world: &World, caller: &Caller, team: &str, name: &str) -> Reply {
    let found = world
        .channels
        .values()
        .find(|c| c.name == name && (c.team_id == team || c.kind.is_personal()))
        .ok_or_else(missing)?;
    ok(readable(world, caller, &found.id)?.json())
}

/// `GET /teams/{team}/channels`: public channels; also `…/autocomplete?name=`.
pub(crate) async fn public(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(team): Path<String>,
    Query(query): Query<ListQuery>,
) -> Reply {
    let world = app.lock();
    let term = query.name.clone().unwrap_or_default().to_lowercase();
    let mut found: Vec<&Channel> = world
        .channels
        .values()
        .filter(|c| c.team_id == team && c.kind == Kind::Open && c.delete_at == 0)
        .filter(|_| !world.users.get(&caller.id).is_some_and(|u| u.is_guest()))
        .filter(|c| c.name.contains(&term) || c.display_name.to_lowercase().contains(&term))
        .collect();
    found.sort_by(|a, b| a.display_name.cmp(&b.display_name));
    let page = query.page.and_then(|p| usize::try_from(p).ok());
    ok(super::page(&found, page, query.per_page)
        .iter()
        .map(|c| c.json())
        .collect())
}

/// `POST /teams/{team}/channels/search`.
pub(crate) async fn search(
    state: State<Arc<App>>,
    caller: Caller,
    team: Path<String>,
    Json(body): Json<Value>,
) -> Reply {
    let query = ListQuery {
        name: body["term"].as_str().map(str::to_owned),
        ..ListQuery::default()
    };
    public(state, caller, team, Query(query)).await
}

/// `POST /channels/direct`: real ids; one id is a channel with oneself.
pub(crate) async fn direct(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(ids): Json<Vec<String>>,
) -> Reply {
    let mut world = app.lock();
    let (Some(a), Some(b)) = (ids.first(), ids.last()) else {
        return Err(Refusal::bad("Invalid or missing user_ids in request body."));
    };
    if ids.len() > 2 || !ids.contains(&caller.id) {
        return Err(Refusal::permission());
    }
    if ids.iter().any(|id| !world.users.contains_key(id)) {
        return Err(Refusal::bad("Invalid user id."));
    }
    let (id, new) = world.direct_channel(a, b);
    if new {
        let other = if *a == caller.id { b } else { a };
        let data = json!({"creator_id": caller.id, "teammate_id": other});
        for user in [a, b] {
            world.emit_user_in(user, &id, "", "direct_added", data.clone());
            if a == b {
                break;
            }
        }
    }
    created(readable(&world, &caller, &id)?.json())
}

/// `POST /channels/group`.
pub(crate) async fn group(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(mut ids): Json<Vec<String>>,
) -> Reply {
    let mut world = app.lock();
    if !ids.contains(&caller.id) {
        ids.push(caller.id.clone());
    }
    ids.sort();
    ids.dedup();
    if !(3..=8).contains(&ids.len()) || ids.iter().any(|id| !world.users.contains_key(id)) {
        let id = "api.channel.create_group.bad_size.app_error";
        let text = "Group message channels must contain at least 3 and no more than 8 users.";
        return Err(Refusal::new(400, id, text));
    }
    let (id, new) = world.group_channel(&ids);
    if new {
        let data = json!({"teammate_ids": json!(ids).to_string()});
        for user in &ids {
            world.emit_user_in(user, &id, "", "group_added", data.clone());
        }
    }
    created(readable(&world, &caller, &id)?.json())
}

/// `POST /channels`.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Value>,
) -> Reply {
    let mut world = app.lock();
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let kind = match body["type"].as_str() {
        Some("O") => Kind::Open,
        Some("P") => Kind::Private,
        _ => return Err(Refusal::bad("Invalid type.")),
    };
    let (team, name) = (text("team_id"), text("name"));
    let member = world
        .teams
        .get(&team)
        .is_some_and(|t| t.members.contains_key(&caller.id));
    if !member {
        return Err(Refusal::permission());
    }
    if name.is_empty() || name.len() > 64 {
        return Err(Refusal::bad("Invalid name."));
    }
    if world
        .channels
        .values()
        .any(|c| c.team_id == team && c.name == name)
    {
        let id = "store.sql_channel.save_channel.exists.app_error";
        let text = "A channel with that name already exists on the same team.";
        return Err(Refusal::new(400, id, text));
    }
    let channel = Channel {
        team_id: team.clone(),
        kind,
        name,
        display_name: text("display_name"),
        header: text("header"),
        purpose: text("purpose"),
        ..Channel::default()
    };
    let id = world.add_channel(channel, std::slice::from_ref(&caller.id));
    let data = json!({"channel_id": id, "team_id": team});
    world.emit_user(&caller.id, "channel_created", data);
    created(readable(&world, &caller, &id)?.json())
}

/// `PUT /channels/{id}/patch`.
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Map<String, Value>>,
) -> Reply {
    let mut world = app.lock();
    readable(&world, &caller, &id)?;
    let now = world.stamp();
    let channel = world.channels.get_mut(&id).ok_or_else(missing)?;
    for (key, value) in body {
        match (key.as_str(), value) {
            ("header", Value::String(s)) => channel.header = s,
            ("purpose", Value::String(s)) => channel.purpose = s,
            ("display_name", Value::String(s)) => channel.display_name = s,
            ("name", Value::String(s)) => channel.name = s,
            _ => {}
        }
    }
    channel.update_at = now;
    let value = channel.json();
    world.emit_channel(
        &id,
        "channel_updated",
        json!({"channel": value.to_string()}),
    );
    ok(value)
}

/// `DELETE /channels/{id}`: archives it.
pub(crate) async fn archive(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let mut world = app.lock();
    if readable(&world, &caller, &id)?.name == "town-square" {
        let id = "api.channel.delete_channel.cannot.app_error";
        return Err(Refusal::new(
            400,
            id,
            "Unable to archive the default channel.",
        ));
    }
    let now = world.stamp();
    set_archived(&mut world, &id, now);
    done()
}

/// `POST /channels/{id}/restore`.
pub(crate) async fn restore(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let mut world = app.lock();
    readable(&world, &caller, &id)?;
    set_archived(&mut world, &id, 0);
    ok(readable(&world, &caller, &id)?.json())
}

fn set_archived(world: &mut World, id: &str, at: i64) {
    let Some(channel) = world.channels.get_mut(id) else {
        return;
    };
    channel.delete_at = at;
    let (team, open) = (channel.team_id.clone(), channel.kind == Kind::Open);
    let (event, data) = if at > 0 {
        (
            "channel_deleted",
            json!({"channel_id": id, "delete_at": at}),
        )
    } else {
        ("channel_restored", json!({"channel_id": id}))
    };
    if open {
        world.emit_team(&team, event, data);
    } else {
        world.emit_channel(id, event, data);
    }
}

/// `GET /channels/{id}/stats`.
pub(crate) async fn stats(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let world = app.lock();
    let channel = readable(&world, &caller, &id)?;
    let pinned = world
        .timelines
        .get(&id)
        .into_iter()
        .flatten()
        .filter_map(|p| world.posts.get(p))
        .filter(|p| p.is_pinned && p.delete_at == 0)
        .count();
    ok(json!({
        "channel_id": id, "member_count": channel.members.len(), "guest_count": 0,
        "pinnedpost_count": pinned, "files_count": 0,
    }))
}
