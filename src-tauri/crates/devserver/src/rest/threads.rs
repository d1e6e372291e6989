//! Followed threads (core reference, chapter 8).

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refusal, Reply, done, ok};
use super::auth::Caller;
use crate::app::App;
use crate::world::{World, now_ms};

fn missing() -> Refusal {
    Refusal::not_found("app.user.get_thread_membership_for_user.not_found")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListQuery {
    per_page: Option<usize>,
    #[serde(rename = "pageSize")]
    page_size: Option<usize>,
    unread: Option<bool>,
    extended: Option<bool>,
    since: Option<i64>,
    before: Option<String>,
    after: Option<String>,
    #[serde(rename = "totalsOnly")]
    totals_only: Option<bool>,
}

impl World {
    /// Roots the user follows in the team (and in personal channels), newest reply first.
    pub(crate) fn followed(&self, user: &str, team: &str) -> Vec<Value> {
        let mut found: Vec<Value> = self
            .threads
            .iter()
            .filter(|((_, u), t)| u == user && t.following)
            .filter_map(|((root, _), _)| {
                let post = self.posts.get(root).filter(|p| p.delete_at == 0)?;
                let channel = self.channels.get(&post.channel_id)?;
                let here = channel.team_id == team || channel.kind.is_personal();
                (here && channel.members.contains_key(user))
                    .then(|| self.thread_json(root, user, true))?
            })
            .collect();
        found.sort_by_key(|t| std::cmp::Reverse(t["last_reply_at"].as_i64()));
        found
    }
}

/// `GET /users/me/teams/{team}/threads`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, team)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Reply {
    let world = app.lock();
    let all = world.followed(&caller.id, &team);
    let number = |t: &Value, key: &str| t[key].as_i64().unwrap_or(0);
    let unread_threads = all
        .iter()
        .filter(|t| number(t, "unread_replies") > 0)
        .count();
    let unread_mentions: i64 = all.iter().map(|t| number(t, "unread_mentions")).sum();
    let mut body = json!({
        "total": all.len(), "total_unread_threads": unread_threads,
        "total_unread_mentions": unread_mentions, "total_unread_urgent_mentions": 0,
    });
    if query.totals_only == Some(true) {
        body["threads"] = json!([]);
        return ok(body);
    }
    let place = |id: &String| all.iter().position(|t| t["id"].as_str() == Some(id));
    let start = query.before.as_ref().and_then(place).map_or(0, |i| i + 1);
    let end = query.after.as_ref().and_then(place).unwrap_or(all.len());
    let limit = query.per_page.or(query.page_size).unwrap_or(25).min(200);
    let threads: Vec<&Value> = all
        .iter()
        .enumerate()
        .filter(|(i, _)| (start..end).contains(i))
        .map(|(_, t)| t)
        .filter(|t| query.unread != Some(true) || number(t, "unread_replies") > 0)
        .filter(|t| query.since.is_none_or(|s| number(t, "last_reply_at") > s))
        .take(limit)
        .collect();
    body["threads"] = json!(threads);
    let _ = query.extended;
    ok(body)
}

/// `GET /users/me/teams/{team}/threads/{id}`.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Reply {
    let world = app.lock();
    let post = world.posts.get(&id).ok_or_else(missing)?;
    if !world.can_read(&caller.id, &post.channel_id) {
        return Err(Refusal::permission());
    }
    ok(world
        .thread_json(&id, &caller.id, true)
        .ok_or_else(missing)?)
}

/// `PUT` and `DELETE …/threads/{id}/following`.
pub(crate) async fn follow(
    State(app): State<Arc<App>>,
    caller: Caller,
    method: Method,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Reply {
    let mut world = app.lock();
    let post = world.posts.get(&id).ok_or_else(missing)?;
    let channel = post.channel_id.clone();
    if !world.can_read(&caller.id, &channel) {
        return Err(Refusal::permission());
    }
    let state = method != Method::DELETE;
    let thread = world
        .threads
        .entry((id.clone(), caller.id.clone()))
        .or_default();
    thread.following = state;
    if thread.last_viewed_at == 0 {
        thread.last_viewed_at = now_ms();
    }
    let replies = world.live_replies(&id).len();
    let team = world
        .channels
        .get(&channel)
        .map(|c| c.team_id.clone())
        .unwrap_or_default();
    let data = json!({"thread_id": id, "state": state, "reply_count": replies});
    world.emit_user_in(&caller.id, "", &team, "thread_follow_changed", data);
    done()
}

/// `PUT …/threads/{id}/read/{ms}`.
pub(crate) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, team, id, at)): Path<(String, String, String, i64)>,
) -> Reply {
    let mut world = app.lock();
    let value = mark(&mut world, &caller, &team, &id, at).ok_or_else(missing)?;
    ok(value)
}

/// `POST …/threads/{id}/set_unread/{post}`.
pub(crate) async fn set_unread(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, team, id, post)): Path<(String, String, String, String)>,
) -> Reply {
    let mut world = app.lock();
    let at = world.posts.get(&post).ok_or_else(missing)?.create_at - 1;
    let value = mark(&mut world, &caller, &team, &id, at).ok_or_else(missing)?;
    ok(value)
}

fn mark(world: &mut World, caller: &Caller, team: &str, id: &str, at: i64) -> Option<Value> {
    let before = world.thread_json(id, &caller.id, true)?;
    let state = world
        .threads
        .entry((id.to_owned(), caller.id.clone()))
        .or_default();
    state.last_viewed_at = at;
    state.unread_mentions = 0;
    let after = world.thread_json(id, &caller.id, true)?;
    let channel = world.posts.get(id)?.channel_id.clone();
    let data = json!({
        "thread_id": id, "timestamp": at, "unread_mentions": after["unread_mentions"],
        "unread_replies": after["unread_replies"],
        "previous_unread_mentions": before["unread_mentions"],
        "previous_unread_replies": before["unread_replies"], "channel_id": channel,
    });
    world.emit_user_in(&caller.id, "", team, "thread_read_changed", data);
    Some(after)
}

/// `PUT …/threads/read`: everything in the team.
pub(crate) async fn read_all(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, team)): Path<(String, String)>,
) -> Reply {
    let mut world = app.lock();
    let now = now_ms();
    for ((_, user), state) in &mut world.threads {
        if *user == caller.id {
            state.last_viewed_at = now;
            state.unread_mentions = 0;
        }
    }
    world.emit_user_in(&caller.id, "", &team, "thread_read_changed", json!({}));
    done()
}
