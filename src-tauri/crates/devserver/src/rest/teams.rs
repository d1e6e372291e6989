//! Teams and the sidebar (core reference 5.1 and 5.5).

use std::sync::Arc;

use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::answer::{Json, Refusal, Reply, done, ok};
use super::auth::Caller;
use crate::app::App;
use crate::world::World;
use crate::world::model::{Channel, Team};

/// `GET /users/me/teams`.
pub(crate) async fn mine(State(app): State<Arc<App>>, caller: Caller) -> Reply {
    let world = app.lock();
    ok(world
        .teams
        .values()
        .filter(|t| t.members.contains_key(&caller.id))
        .map(Team::json)
        .collect())
}

/// `GET /users/me/teams/members`.
pub(crate) async fn my_members(State(app): State<Arc<App>>, caller: Caller) -> Reply {
    let world = app.lock();
    ok(world
        .teams
        .values()
        .filter(|t| t.members.contains_key(&caller.id))
        .map(|t| t.member_json(&caller.id))
        .collect())
}

/// `GET /users/me/teams/unread`.
pub(crate) async fn unread(State(app): State<Arc<App>>, caller: Caller) -> Reply {
    let world = app.lock();
    ok(world
        .teams
        .values()
        .filter(|t| t.members.contains_key(&caller.id))
        .map(|t| {
            let (mut msgs, mut msgs_root, mut mentions, mut mentions_root) = (0, 0, 0, 0);
            for c in world.channels.values().filter(|c| c.team_id == t.id) {
                if let Some(m) = c.members.get(&caller.id).filter(|_| c.delete_at == 0) {
                    msgs += c.total - m.msg_count;
                    msgs_root += c.total_root - m.msg_count_root;
                    mentions += m.mention_count;
                    mentions_root += m.mention_count_root;
                }
            }
            let threads = world.followed(&caller.id, &t.id);
            let number = |v: &Value, key: &str| v[key].as_i64().unwrap_or(0);
            let unread = threads.iter().filter(|v| number(v, "unread_replies") > 0);
            let mentioned: i64 = threads.iter().map(|v| number(v, "unread_mentions")).sum();
            json!({
                "team_id": t.id, "msg_count": msgs, "mention_count": mentions,
                "msg_count_root": msgs_root, "mention_count_root": mentions_root,
                "thread_count": unread.count(),
                "thread_mention_count": mentioned, "thread_urgent_mention_count": 0,
            })
        })
        .collect())
}

/// `GET /teams/{id}`.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let world = app.lock();
    let team = world
        .teams
        .get(&id)
        .filter(|t| t.members.contains_key(&caller.id));
    team.map_or_else(
        || Err(Refusal::not_found("app.team.get.find.app_error")),
        |t| ok(t.json()),
    )
}

/// `GET /teams/name/{name}`.
pub(crate) async fn by_name(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Reply {
    let world = app.lock();
    let team = world
        .teams
        .values()
        .find(|t| t.name == name && t.members.contains_key(&caller.id));
    team.map_or_else(
        || Err(Refusal::not_found("app.team.get_by_name.missing.app_error")),
        |t| ok(t.json()),
    )
}

/// `GET /teams/{id}/members/{user}`.
pub(crate) async fn member(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((team, user)): Path<(String, String)>,
) -> Reply {
    let world = app.lock();
    let user = super::resolve(&user, &caller);
    let team = world
        .teams
        .get(&team)
        .filter(|t| t.members.contains_key(&user));
    team.map_or_else(
        || Err(Refusal::not_found("app.team.get_member.missing.app_error")),
        |t| ok(t.member_json(&user)),
    )
}

/// `GET /teams/{id}/stats`.
pub(crate) async fn stats(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let world = app.lock();
    let count = world.teams.get(&id).map_or(0, |t| t.members.len());
    ok(json!({"team_id": id, "total_member_count": count, "active_member_count": count}))
}

impl World {
    /// The sidebar of one user in one team. Every channel is in exactly one category.
    fn sidebar(&self, user: &str, team: &str) -> Vec<Value> {
        let key = (user.to_owned(), team.to_owned());
        let visible: Vec<&Channel> = self
            .channels
            .values()
            .filter(|c| c.members.contains_key(user) && c.delete_at == 0)
            .filter(|c| c.team_id == team || c.kind.is_personal())
            .collect();
        let mut categories = self.categories.get(&key).cloned().unwrap_or_else(|| {
            [
                ("favorites", "Favorites"),
                ("channels", "Channels"),
                ("direct_messages", "Direct Messages"),
            ]
            .iter()
            .enumerate()
            .map(|(order, (kind, title))| {
                json!({
                    "id": format!("{kind}_{user}_{team}"), "user_id": user, "team_id": team,
                    "type": kind, "display_name": title, "sort_order": order * 10,
                    "sorting": if *kind == "direct_messages" { "recent" } else { "" },
                    "muted": false, "collapsed": false, "channel_ids": [],
                })
            })
            .collect()
        });
        let listed: Vec<String> = categories
            .iter()
            .flat_map(|c| c["channel_ids"].as_array().cloned().unwrap_or_default())
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect();
        for category in &mut categories {
            if let Some(ids) = category["channel_ids"].as_array_mut() {
                ids.retain(|id| visible.iter().any(|c| Some(c.id.as_str()) == id.as_str()));
            }
            let kind = category["type"].as_str().unwrap_or_default().to_owned();
            let mut missing: Vec<&&Channel> = visible
                .iter()
                .filter(|c| !listed.contains(&c.id))
                .filter(|c| match kind.as_str() {
                    "direct_messages" => c.kind.is_personal(),
                    "channels" => !c.kind.is_personal(),
                    _ => false,
                })
                .collect();
            missing.sort_by(|a, b| a.display_name.cmp(&b.display_name));
            if let Some(ids) = category["channel_ids"].as_array_mut() {
                ids.extend(missing.iter().map(|c| Value::from(c.id.clone())));
            }
        }
        categories
    }
}

/// `GET …/channels/categories`.
pub(crate) async fn categories(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, team)): Path<(String, String)>,
) -> Reply {
    let world = app.lock();
    let mut list = world.sidebar(&caller.id, &team);
    list.sort_by_key(|c| c["sort_order"].as_i64().unwrap_or(0));
    let order: Vec<Value> = list.iter().map(|c| c["id"].clone()).collect();
    ok(json!({"categories": list, "order": order}))
}

/// `PUT …/channels/categories`: whole categories; a move sends both.
pub(crate) async fn put_categories(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, team)): Path<(String, String)>,
    Json(changed): Json<Vec<Value>>,
) -> Reply {
    let mut world = app.lock();
    let mut list = world.sidebar(&caller.id, &team);
    for category in &changed {
        let moved = category["channel_ids"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for other in &mut list {
            if other["id"] == category["id"] {
                *other = category.clone();
            } else if let Some(ids) = other["channel_ids"].as_array_mut() {
                ids.retain(|id| !moved.contains(id));
            }
        }
    }
    world
        .categories
        .insert((caller.id.clone(), team.clone()), list);
    let data = json!({"updatedCategories": json!(changed).to_string()});
    world.emit_user_in(&caller.id, "", &team, "sidebar_category_updated", data);
    ok(changed.into())
}

/// `POST …/channels/categories`.
pub(crate) async fn add_category(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, team)): Path<(String, String)>,
    Json(mut category): Json<Value>,
) -> Reply {
    let mut world = app.lock();
    if !category.is_object() {
        return Err(Refusal::bad("Invalid or missing category in request body."));
    }
    let id = world.ids.next_id();
    category["id"] = id.clone().into();
    category["user_id"] = caller.id.clone().into();
    category["team_id"] = team.clone().into();
    category["type"] = "custom".into();
    category["sort_order"] = 5.into();
    if !category["channel_ids"].is_array() {
        category["channel_ids"] = json!([]);
    }
    let mut list = world.sidebar(&caller.id, &team);
    list.insert(1.min(list.len()), category.clone());
    world
        .categories
        .insert((caller.id.clone(), team.clone()), list);
    let data = json!({"category_id": id});
    world.emit_user_in(&caller.id, "", &team, "sidebar_category_created", data);
    super::answer::created(category)
}

/// `PUT …/channels/categories/order`.
pub(crate) async fn order(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, team)): Path<(String, String)>,
    Json(ids): Json<Vec<String>>,
) -> Reply {
    let mut world = app.lock();
    let mut list = world.sidebar(&caller.id, &team);
    for category in &mut list {
        let place = ids
            .iter()
            .position(|id| Some(id.as_str()) == category["id"].as_str());
        category["sort_order"] = (place.unwrap_or(ids.len()) * 10).into();
    }
    world
        .categories
        .insert((caller.id.clone(), team.clone()), list);
    let data = json!({ "order": ids });
    world.emit_user_in(
        &caller.id,
        "",
        &team,
        "sidebar_category_order_updated",
        data,
    );
    ok(json!(ids))
}

/// `DELETE …/channels/categories/{id}`.
pub(crate) async fn delete_category(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, team, id)): Path<(String, String, String)>,
) -> Reply {
    let mut world = app.lock();
    let mut list = world.sidebar(&caller.id, &team);
    list.retain(|c| c["id"].as_str() != Some(id.as_str()) || c["type"] != "custom");
    world
        .categories
        .insert((caller.id.clone(), team.clone()), list);
    let data = json!({"category_id": id});
    world.emit_user_in(&caller.id, "", &team, "sidebar_category_deleted", data);
    done()
}
