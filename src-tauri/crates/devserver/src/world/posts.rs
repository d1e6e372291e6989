//! Posts, threads and their counters.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::World;
use super::model::{Kind, Post};

/// Why a post was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PostRefused {
    /// No such channel, or not a member, or read-only.
    Forbidden,
    /// The channel is archived.
    Archived,
    /// The root is gone, elsewhere, or itself a reply.
    BadRoot,
    /// More than 16383 characters.
    TooLong,
}

/// `MaxPostSize`, in characters.
pub(crate) const MAX_POST: usize = 16_383;

impl World {
    /// Creates a post, counts it and tells the channel. The same `pending_post_id` within 30 s gives
    /// the post that is there already.
    pub(crate) fn create_post(
        &mut self,
        mut post: Post,
        set_online: bool,
    ) -> Result<String, PostRefused> {
        if !self.can_post(&post.user_id, &post.channel_id) {
            return Err(PostRefused::Forbidden);
        }
        if self
            .channels
            .get(&post.channel_id)
            .is_some_and(|c| c.delete_at > 0)
        {
            return Err(PostRefused::Archived);
        }
        if post.message.chars().count() > MAX_POST {
            return Err(PostRefused::TooLong);
        }
        if !post.root_id.is_empty() {
            let root = self.posts.get(&post.root_id);
            let good = root.is_some_and(|r| {
                r.channel_id == post.channel_id && r.root_id.is_empty() && r.delete_at == 0
            });
            if !good {
                return Err(PostRefused::BadRoot);
            }
        }
        let now = Instant::now();
        let limit = self.timings.dedupe;
        self.pending
            .retain(|_, (_, made)| now.saturating_duration_since(*made) < limit);
        let key = (post.user_id.clone(), post.pending_post_id.clone());
        if !post.pending_post_id.is_empty()
            && let Some((id, _)) = self.pending.get(&key)
        {
            return Ok(id.clone());
        }
        post.id = self.ids.next_id();
        post.create_at = self.stamp();
        post.update_at = post.create_at;
        let id = post.id.clone();
        if !post.pending_post_id.is_empty() {
            self.pending.insert(key, (id.clone(), now));
        }
        for file in &post.file_ids {
            if let Some(f) = self.files.get_mut(file) {
                f.post_id.clone_from(&id);
            }
        }
        let author = post.user_id.clone();
        let mentions = self.mentions(&post);
        self.store_post(post);
        self.count_post(&id, &mentions);
        if set_online {
            self.auto_status(&author, "online");
        }
        self.announce_post(&id, &mentions, set_online);
        self.announce_thread(&id, &mentions);
        Ok(id)
    }

    /// Files a post that is complete, without counting or telling.
    pub(crate) fn store_post(&mut self, post: Post) {
        let timeline = self.timelines.entry(post.channel_id.clone()).or_default();
        timeline.push(post.id.clone());
        if !post.root_id.is_empty() {
            self.replies
                .entry(post.root_id.clone())
                .or_default()
                .push(post.id.clone());
        }
        self.posts.insert(post.id.clone(), post);
    }

    /// Moves the counters of channel and members for a new post.
    pub(crate) fn count_post(&mut self, id: &str, mentions: &BTreeSet<String>) {
        let Some(post) = self.posts.get(id) else {
            return;
        };
        let root = post.root_id.is_empty();
        let (author, at) = (post.user_id.clone(), post.create_at);
        let Some(c) = self.channels.get_mut(&post.channel_id) else {
            return;
        };
        c.total += 1;
        c.last_post_at = at;
        if root {
            c.total_root += 1;
            c.last_root_post_at = at;
        }
        let (total, total_root) = (c.total, c.total_root);
        for (user, m) in &mut c.members {
            if *user == author {
                m.msg_count = total;
                if root {
                    m.msg_count_root = total_root;
                }
                m.last_viewed_at = at;
            } else if mentions.contains(user) {
                m.mention_count += 1;
                m.mention_count_root += i64::from(root);
            }
        }
        if root {
            return;
        }
        let Some(root_id) = self.posts.get(id).map(|p| p.root_id.clone()) else {
            return;
        };
        let root_author = self.posts.get(&root_id).map(|r| r.user_id.clone());
        // The root's author may be mentioned, too, and counts once.
        let mut followers = mentions.clone();
        followers.extend(root_author);
        followers.insert(author.clone());
        for user in &followers {
            let state = self
                .threads
                .entry((root_id.clone(), user.clone()))
                .or_default();
            state.following = true;
            if *user == author {
                state.last_viewed_at = at;
            } else if mentions.contains(user) {
                state.unread_mentions += 1;
            }
        }
    }

    /// Who is mentioned by a post: by name, by @all, or because it is a direct message.
    fn mentions(&self, post: &Post) -> BTreeSet<String> {
        let Some(channel) = self.channels.get(&post.channel_id) else {
            return BTreeSet::new();
        };
        let words: BTreeSet<String> = post
            .message
            .split(|c: char| !(c.is_alphanumeric() || "@._-".contains(c)))
            .map(|w| w.trim_end_matches(['.', '-', '_']).to_lowercase())
            .collect();
        let everybody = ["@all", "@channel", "@here"]
            .iter()
            .any(|w| words.contains(*w));
        let members = channel.members.keys().filter(|id| **id != post.user_id);
        members
            .filter(|id| {
                let Some(user) = self.users.get(*id) else {
                    return false;
                };
                let name = user.username.to_lowercase();
                everybody
                    || channel.kind == Kind::Direct
                    || words.contains(&format!("@{name}"))
                    || words.contains(&name)
            })
            .cloned()
            .collect()
    }

    /// `posted`: one event for all, and a copy of its own for each who is mentioned or follows.
    fn announce_post(&mut self, id: &str, mentions: &BTreeSet<String>, set_online: bool) {
        use crate::socket::event::{Broadcast, Event};
        let Some(post) = self.posts.get(id) else {
            return;
        };
        let Some(channel) = self.channels.get(&post.channel_id) else {
            return;
        };
        let sender = self
            .users
            .get(&post.user_id)
            .map(|u| format!("@{}", u.username))
            .unwrap_or_default();
        let title = match channel.kind {
            Kind::Direct => sender.clone(),
            _ => channel.display_name.clone(),
        };
        let mut data = json!({
            "channel_display_name": title, "channel_name": channel.name,
            "channel_type": channel.kind.letter(), "post": self.post_json(post, "").to_string(),
            "sender_name": sender, "set_online": set_online, "team_id": channel.team_id,
        });
        let files: Vec<_> = post
            .file_ids
            .iter()
            .filter_map(|f| self.files.get(f))
            .collect();
        if !files.is_empty() {
            data["otherFile"] = "true".into();
            if files.iter().any(|f| f.mime.starts_with("image/")) {
                data["image"] = "true".into();
            }
        }
        let root = post.root_id.clone();
        let members: Vec<String> = channel.members.keys().cloned().collect();
        let broadcast = Broadcast {
            channel_id: channel.id.clone(),
            ..Broadcast::default()
        };
        let plain = Event::new("posted", data.clone(), &broadcast);
        for user in members {
            let follows = !root.is_empty()
                && self
                    .threads
                    .get(&(root.clone(), user.clone()))
                    .is_some_and(|t| t.following);
            if !follows && !mentions.contains(&user) {
                self.hub.push_where(&plain, |u| u == user);
                continue;
            }
            let mut own = data.clone();
            let list = Value::from(json!([user]).to_string());
            if mentions.contains(&user) {
                own["mentions"] = list.clone();
            }
            if follows {
                own["followers"] = list;
            }
            let event = Event::new("posted", own, &broadcast);
            self.hub.push_where(&event, |u| u == user);
        }
    }

    /// The post object. `is_following` needs to know for whom; empty means nobody in particular.
    pub(crate) fn post_json(&self, post: &Post, user: &str) -> Value {
        let replies = self.live_replies(&post.id);
        let files: Vec<Value> = post
            .file_ids
            .iter()
            .filter_map(|f| self.files.get(f))
            .map(super::model::StoredFile::json)
            .collect();
        let mut metadata = Map::new();
        if !files.is_empty() {
            metadata.insert("files".into(), files.into());
        }
        if !post.reactions.is_empty() {
            let list: Vec<Value> = post
                .reactions
                .iter()
                .map(|r| r.json(&post.id, &post.channel_id))
                .collect();
            metadata.insert("reactions".into(), list.into());
        }
        if let Some(priority) = &post.priority {
            metadata.insert("priority".into(), priority.clone());
        }
        let mut value = json!({
            "id": post.id, "create_at": post.create_at, "update_at": post.update_at,
            "edit_at": post.edit_at, "delete_at": post.delete_at, "is_pinned": post.is_pinned,
            "user_id": post.user_id, "channel_id": post.channel_id, "root_id": post.root_id,
            "original_id": "", "message": post.message, "type": post.kind,
            "props": Value::Object(post.props.clone()), "hashtags": "",
            "file_ids": post.file_ids, "pending_post_id": post.pending_post_id, "remote_id": "",
            "reply_count": replies.len(),
            "last_reply_at": replies.last().map_or(0, |r| r.create_at),
            "participants": null, "metadata": Value::Object(metadata),
        });
        if !post.reactions.is_empty() {
            value["has_reactions"] = true.into();
        }
        if !user.is_empty() {
            let following = self
                .threads
                .get(&(post.id.clone(), user.to_owned()))
                .is_some_and(|t| t.following);
            value["is_following"] = following.into();
        }
        value
    }

    /// Tells the channel that a post was changed.
    pub(crate) fn announce_edit(&mut self, id: &str) {
        let Some(post) = self.posts.get(id) else {
            return;
        };
        let (channel, text) = (
            post.channel_id.clone(),
            self.post_json(post, "").to_string(),
        );
        self.emit_channel(&channel, "post_edited", json!({"post": text}));
    }

    /// Soft-deletes a post, and its replies when it is a root.
    pub(crate) fn delete_post(&mut self, id: &str) {
        let now = self.stamp();
        let Some(post) = self.posts.get_mut(id) else {
            return;
        };
        post.delete_at = now;
        post.update_at = now;
        let channel = post.channel_id.clone();
        let text = self
            .posts
            .get(id)
            .map(|p| self.post_json(p, "").to_string())
            .unwrap_or_default();
        for reply in self.replies.get(id).cloned().unwrap_or_default() {
            if let Some(p) = self.posts.get_mut(&reply) {
                p.delete_at = now;
                p.update_at = now;
            }
        }
        self.emit_channel(&channel, "post_deleted", json!({"post": text}));
    }

    /// A message that only one user sees and nobody stores.
    pub(crate) fn ephemeral(&mut self, user: &str, channel: &str, root: &str, message: &str) {
        let now = self.stamp();
        let post = Post {
            id: self.ids.next_id(),
            create_at: now,
            update_at: now,
            user_id: user.to_owned(),
            channel_id: channel.to_owned(),
            root_id: root.to_owned(),
            message: message.to_owned(),
            kind: "system_ephemeral".to_owned(),
            ..Post::default()
        };
        let text = self.post_json(&post, "").to_string();
        self.emit_user_in(
            user,
            channel,
            "",
            "ephemeral_message",
            json!({"post": text}),
        );
    }
}
