//! Posts and reactions (core reference, chapter 7).

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Json, Refusal, Reply, created, done, ok};
use super::auth::Caller;
use super::resolve;
use crate::app::App;
use crate::world::World;
use crate::world::model::{Post, Reaction};
use crate::world::posts::PostRefused;

pub(crate) fn missing() -> Refusal {
    Refusal::not_found("app.post.get.app_error")
}

impl From<PostRefused> for Refusal {
    fn from(refused: PostRefused) -> Self {
        match refused {
            PostRefused::Forbidden => Self::permission(),
            PostRefused::Archived => Self::new(
                400,
                "api.post.create_post.can_not_post_to_deleted.error",
                "Can not post to deleted channel.",
            ),
            PostRefused::BadRoot => Self::new(
                400,
                "api.post.create_post.root_id.app_error",
                "Invalid RootId parameter.",
            ),
            PostRefused::TooLong => Self::new(
                400,
                "model.post.is_valid.msg.app_error",
                "Message property is longer than the maximum permitted length.",
            ),
        }
    }
}

/// A post the caller may read.
pub(crate) fn readable<'w>(
    world: &'w World,
    caller: &Caller,
    id: &str,
) -> Result<&'w Post, Refusal> {
    let post = world.posts.get(id).filter(|p| p.delete_at == 0);
    let post = post.ok_or_else(missing)?;
    if world.can_read(&caller.id, &post.channel_id) {
        Ok(post)
    } else {
        Err(Refusal::permission())
    }
}

/// `GET /posts/{id}`.
pub(crate) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let world = app.lock();
    ok(world.post_json(readable(&world, &caller, &id)?, &caller.id))
}

/// `POST /posts/ids`.
pub(crate) async fn by_ids(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(ids): Json<Vec<String>>,
) -> Reply {
    let world = app.lock();
    ok(ids
        .iter()
        .filter_map(|id| readable(&world, &caller, id).ok())
        .map(|p| world.post_json(p, &caller.id))
        .collect())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CreateQuery {
    set_online: Option<bool>,
}

/// `POST /posts`.
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<CreateQuery>,
    Json(body): Json<Value>,
) -> Reply {
    let mut world = app.lock();
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let strings = |key: &str| -> Vec<String> {
        let list = body[key].as_array().cloned().unwrap_or_default();
        list.iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    };
    let (message, file_ids) = (text("message"), strings("file_ids"));
    if message.is_empty() && file_ids.is_empty() {
        let id = "model.post.is_valid.msg.app_error";
        return Err(Refusal::new(400, id, "Invalid message."));
    }
    if file_ids.len() > 10 {
        let id = "api.post.create_post.too_many_files.app_error";
        return Err(Refusal::new(400, id, "Too many files."));
    }
    let post = Post {
        user_id: caller.id.clone(),
        channel_id: text("channel_id"),
        root_id: text("root_id"),
        message,
        props: body["props"].as_object().cloned().unwrap_or_default(),
        file_ids,
        pending_post_id: text("pending_post_id"),
        priority: body["metadata"].get("priority").cloned(),
        ..Post::default()
    };
    let id = world.create_post(post, query.set_online.unwrap_or(true))?;
    created(world.post_json(readable(&world, &caller, &id)?, &caller.id))
}

/// `PUT /posts/{id}/patch`, and `PUT /posts/{id}` which is the same for the message.
pub(crate) async fn patch(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Reply {
    let mut world = app.lock();
    let post = readable(&world, &caller, &id)?;
    // The author of a call post may not edit it; only the plugin may.
    if post.user_id != caller.id || post.kind.starts_with("custom_calls") {
        return Err(Refusal::permission());
    }
    let now = world.stamp();
    let post = world.posts.get_mut(&id).ok_or_else(missing)?;
    if let Some(message) = body["message"].as_str()
        && message != post.message
    {
        message.clone_into(&mut post.message);
        post.edit_at = now;
    }
    if let Some(files) = body["file_ids"].as_array() {
        post.file_ids = files
            .iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect();
    }
    if let Some(props) = body["props"].as_object() {
        post.props = props.clone();
    }
    if let Some(pinned) = body["is_pinned"].as_bool() {
        post.is_pinned = pinned;
    }
    post.update_at = now;
    world.announce_edit(&id);
    ok(world.post_json(readable(&world, &caller, &id)?, &caller.id))
}

/// `DELETE /posts/{id}`.
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let mut world = app.lock();
    let post = readable(&world, &caller, &id)?;
    let admin = world.users.get(&caller.id).is_some_and(|u| u.is_admin());
    if post.user_id != caller.id && !admin {
        return Err(Refusal::permission());
    }
    world.delete_post(&id);
    done()
}

/// `POST /posts/{id}/pin` and `/unpin`.
pub(crate) async fn pin(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, action)): Path<(String, String)>,
) -> Reply {
    let mut world = app.lock();
    readable(&world, &caller, &id)?;
    let now = world.stamp();
    let post = world.posts.get_mut(&id).ok_or_else(missing)?;
    post.is_pinned = match action.as_str() {
        "pin" => true,
        "unpin" => false,
        _ => return Err(missing()),
    };
    post.update_at = now;
    world.announce_edit(&id);
    done()
}

/// `POST /users/me/posts/{id}/set_unread`.
pub(crate) async fn set_unread(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, id)): Path<(String, String)>,
) -> Reply {
    let mut world = app.lock();
    let post = readable(&world, &caller, &id)?;
    let (channel, at) = (post.channel_id.clone(), post.create_at);
    let later: Vec<bool> = world
        .timelines
        .get(&channel)
        .into_iter()
        .flatten()
        .filter_map(|p| world.posts.get(p))
        .filter(|p| p.create_at >= at && p.delete_at == 0)
        .map(|p| p.root_id.is_empty())
        .collect();
    let unread = i64::try_from(later.len()).unwrap_or(0);
    let unread_root = i64::try_from(later.iter().filter(|r| **r).count()).unwrap_or(0);
    let c = world.channels.get_mut(&channel).ok_or_else(missing)?;
    let (total, total_root) = (c.total, c.total_root);
    let m = c.members.get_mut(&caller.id).ok_or_else(missing)?;
    m.msg_count = (total - unread).max(0);
    m.msg_count_root = (total_root - unread_root).max(0);
    m.last_viewed_at = at - 1;
    let data = json!({
        "msg_count": m.msg_count, "msg_count_root": m.msg_count_root,
        "mention_count": m.mention_count, "mention_count_root": m.mention_count_root,
        "urgent_mention_count": 0, "last_viewed_at": m.last_viewed_at, "post_id": id,
    });
    world.emit_user_in(&caller.id, &channel, "", "post_unread", data.clone());
    ok(data)
}

/// `POST /reactions`.
pub(crate) async fn react(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Value>,
) -> Reply {
    let mut world = app.lock();
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let (post_id, emoji) = (text("post_id"), text("emoji_name"));
    if text("user_id") != caller.id {
        return Err(Refusal::permission());
    }
    let named = !emoji.is_empty()
        && emoji.len() <= 64
        && emoji
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-_".contains(&b));
    if !named {
        return Err(Refusal::bad("Invalid emoji_name."));
    }
    let channel = readable(&world, &caller, &post_id)?.channel_id.clone();
    let now = world.stamp();
    let post = world.posts.get_mut(&post_id).ok_or_else(missing)?;
    let same = |r: &&Reaction| r.user_id == caller.id && r.emoji_name == emoji;
    if let Some(there) = post.reactions.iter().find(same) {
        return ok(there.json(&post_id, &channel));
    }
    let reaction = Reaction {
        user_id: caller.id.clone(),
        emoji_name: emoji,
        create_at: now,
    };
    let value = reaction.json(&post_id, &channel);
    post.reactions.push(reaction);
    post.update_at = now;
    let data = json!({"reaction": value.to_string()});
    world.emit_channel(&channel, "reaction_added", data);
    ok(value)
}

/// `DELETE /users/me/posts/{post}/reactions/{emoji}`.
pub(crate) async fn unreact(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((user, post_id, emoji)): Path<(String, String, String)>,
) -> Reply {
    let mut world = app.lock();
    if resolve(&user, &caller) != caller.id {
        return Err(Refusal::permission());
    }
    let channel = readable(&world, &caller, &post_id)?.channel_id.clone();
    let now = world.stamp();
    let post = world.posts.get_mut(&post_id).ok_or_else(missing)?;
    let place = post
        .reactions
        .iter()
        .position(|r| r.user_id == caller.id && r.emoji_name == emoji);
    if let Some(place) = place {
        let reaction = post.reactions.remove(place).json(&post_id, &channel);
        post.update_at = now;
        let data = json!({"reaction": reaction.to_string()});
        world.emit_channel(&channel, "reaction_removed", data);
    }
    done()
}

/// `GET /posts/{id}/reactions`.
pub(crate) async fn reactions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let world = app.lock();
    let post = readable(&world, &caller, &id)?;
    ok(post
        .reactions
        .iter()
        .map(|r| r.json(&post.id, &post.channel_id))
        .collect())
}
