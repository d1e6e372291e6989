//! Lists of posts: pages, what changed since, around the unread, pinned, found, and threads (core
//! reference 7.2, 7.3 and 8).

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Json, Refusal, Reply, ok};
use super::auth::Caller;
use super::posts::{missing, readable};
use crate::app::App;
use crate::world::World;
use crate::world::model::Post;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListQuery {
    page: Option<usize>,
    per_page: Option<usize>,
    before: Option<String>,
    after: Option<String>,
    since: Option<i64>,
    #[serde(rename = "collapsedThreads")]
    collapsed: Option<bool>,
    #[serde(rename = "skipFetchThreads")]
    skip_threads: Option<bool>,
    limit_before: Option<usize>,
    limit_after: Option<usize>,
}

/// `GET /channels/{id}/posts`.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(channel): Path<String>,
    Query(query): Query<ListQuery>,
) -> Reply {
    let world = app.lock();
    if !world.can_read(&caller.id, &channel) {
        return Err(Refusal::permission());
    }
    let all: Vec<&Post> = world
        .timelines
        .get(&channel)
        .into_iter()
        .flatten()
        .filter_map(|id| world.posts.get(id))
        .collect();
    if let Some(since) = query.since {
        // New, edited and deleted ones; at most 1000, newest first.
        let mut found: Vec<&Post> = all.into_iter().filter(|p| p.update_at > since).collect();
        found.reverse();
        found.truncate(1000);
        return ok(list_json(&world, &caller, &found, "", "", &query));
    }
    let collapsed = query.collapsed == Some(true);
    let visible: Vec<&Post> = all
        .into_iter()
        .filter(|p| p.delete_at == 0 && (!collapsed || p.root_id.is_empty()))
        .collect();
    let per_page = query.per_page.unwrap_or(60).min(200);
    let skip = query.page.unwrap_or(0).saturating_mul(per_page);
    let at = |id: &str| {
        let post = world.posts.get(id)?;
        Some(visible.partition_point(|p| (p.create_at, &p.id) < (post.create_at, &post.id)))
    };
    let (start, end) = match (&query.before, &query.after) {
        (Some(id), _) => {
            let end = at(id).ok_or_else(missing)?.saturating_sub(skip);
            (end.saturating_sub(per_page), end)
        }
        (None, Some(id)) => {
            let start = (at(id).ok_or_else(missing)? + 1 + skip).min(visible.len());
            (start, (start + per_page).min(visible.len()))
        }
        (None, None) => {
            let end = visible.len().saturating_sub(skip);
            (end.saturating_sub(per_page), end)
        }
    };
    ok(window(&world, &caller, &visible, start, end, &query))
}

/// `GET /users/me/channels/{id}/posts/unread`.
pub(crate) async fn around_unread(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, channel)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Reply {
    let world = app.lock();
    if !world.can_read(&caller.id, &channel) {
        return Err(Refusal::permission());
    }
    let before = query.limit_before.unwrap_or(60);
    let after = query.limit_after.unwrap_or(60);
    if !(1..=200).contains(&after) || before > 200 {
        return Err(Refusal::bad("Invalid limit."));
    }
    let collapsed = query.collapsed == Some(true);
    let visible: Vec<&Post> = world
        .timelines
        .get(&channel)
        .into_iter()
        .flatten()
        .filter_map(|id| world.posts.get(id))
        .filter(|p| p.delete_at == 0 && (!collapsed || p.root_id.is_empty()))
        .collect();
    let seen = world
        .channels
        .get(&channel)
        .and_then(|c| c.members.get(&caller.id))
        .map_or(0, |m| m.last_viewed_at);
    let first = visible.partition_point(|p| p.create_at <= seen);
    let (start, end) = if first == visible.len() {
        (first.saturating_sub(before.max(1)), first)
    } else {
        (
            first.saturating_sub(before),
            (first + after).min(visible.len()),
        )
    };
    ok(window(&world, &caller, &visible, start, end, &query))
}

fn window(
    world: &World,
    caller: &Caller,
    visible: &[&Post],
    start: usize,
    end: usize,
    query: &ListQuery,
) -> Value {
    let prev = start.checked_sub(1).map_or("", |i| visible[i].id.as_str());
    let next = visible.get(end).map_or("", |p| p.id.as_str());
    let found: Vec<&Post> = visible[start..end].iter().rev().copied().collect();
    list_json(world, caller, &found, next, prev, query)
}

/// The list object: `order` newest first; `posts` also holds the roots of replies.
fn list_json(
    world: &World,
    caller: &Caller,
    found: &[&Post],
    next: &str,
    prev: &str,
    query: &ListQuery,
) -> Value {
    let mut posts = Map::new();
    for post in found {
        posts.insert(post.id.clone(), world.post_json(post, &caller.id));
        if query.skip_threads == Some(true) || query.collapsed == Some(true) {
            continue;
        }
        if let Some(root) = world.posts.get(&post.root_id) {
            posts
                .entry(root.id.clone())
                .or_insert_with(|| world.post_json(root, &caller.id));
        }
    }
    let order: Vec<&String> = found.iter().map(|p| &p.id).collect();
    json!({
        "order": order, "posts": Value::Object(posts), "next_post_id": next, "prev_post_id": prev,
        "has_next": false, "first_inaccessible_post_time": 0,
    })
}

/// `GET /channels/{id}/pinned`.
pub(crate) async fn pinned(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(channel): Path<String>,
) -> Reply {
    let world = app.lock();
    if !world.can_read(&caller.id, &channel) {
        return Err(Refusal::permission());
    }
    let found: Vec<&Post> = world
        .timelines
        .get(&channel)
        .into_iter()
        .flatten()
        .rev()
        .filter_map(|id| world.posts.get(id))
        .filter(|p| p.is_pinned && p.delete_at == 0)
        .collect();
    ok(list_json(
        &world,
        &caller,
        &found,
        "",
        "",
        &ListQuery::default(),
    ))
}

/// `POST /teams/{team}/posts/search`: plain words and `from:`, `in:`.
pub(crate) async fn search(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(_team): Path<String>,
    Json(body): Json<Value>,
) -> Reply {
    let world = app.lock();
    let terms = body["terms"].as_str().unwrap_or_default().to_lowercase();
    if terms.trim().is_empty() {
        return Err(Refusal::bad("Invalid or missing terms in request body."));
    }
    let mut found: Vec<&Post> = world
        .posts
        .values()
        .filter(|p| p.delete_at == 0 && world.can_read(&caller.id, &p.channel_id))
        .filter(|p| {
            terms.split_whitespace().all(|word| {
                if let Some(name) = word.strip_prefix("from:") {
                    return world.user_named(name).is_some_and(|u| u.id == p.user_id);
                }
                if let Some(name) = word.strip_prefix("in:") {
                    let name = name.trim_start_matches('~');
                    return world
                        .channels
                        .get(&p.channel_id)
                        .is_some_and(|c| c.name == name);
                }
                p.message.to_lowercase().contains(word.trim_matches('"'))
            })
        })
        .collect();
    found.sort_by_key(|p| std::cmp::Reverse(p.create_at));
    found.truncate(100);
    ok(list_json(
        &world,
        &caller,
        &found,
        "",
        "",
        &ListQuery::default(),
    ))
}

/// `GET /posts/{id}/thread`.
pub(crate) async fn thread(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ThreadQuery>,
) -> Reply {
    let world = app.lock();
    let post = readable(&world, &caller, &id)?;
    let root = if post.root_id.is_empty() {
        post
    } else {
        readable(&world, &caller, &post.root_id)?
    };
    let mut replies = world.live_replies(&root.id);
    if let Some(at) = query
        .from_update_at
        .filter(|_| query.updates_only == Some(true))
    {
        replies.retain(|p| p.update_at > at);
    }
    let up = query.direction.as_deref() != Some("down");
    if up {
        replies.reverse();
    }
    if let Some(at) = query.from_create_at {
        let from = query.from_post.as_deref().unwrap_or_default();
        replies.retain(|p| {
            let later = (p.create_at, p.id.as_str()) > (at, from);
            if up {
                p.create_at < at && p.id != from
            } else {
                later
            }
        });
    }
    let per_page = query.per_page.filter(|n| *n > 0).unwrap_or(usize::MAX);
    let more = replies.len() > per_page;
    replies.truncate(per_page);
    let mut order: Vec<&Post> = replies;
    if !up {
        order.reverse();
    }
    order.push(root);
    let mut value = list_json(&world, &caller, &order, "", "", &ListQuery::default());
    value["has_next"] = more.into();
    ok(value)
}

/// Parameters of `GET /posts/{id}/thread`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ThreadQuery {
    per_page: Option<usize>,
    direction: Option<String>,
    from_create_at: Option<i64>,
    from_post: Option<String>,
    from_update_at: Option<i64>,
    updates_only: Option<bool>,
}
