//! Threads as their followers see them (core reference, chapter 8).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::World;
use super::model::Post;

impl World {
    /// `thread_updated` for the followers of a reply's thread.
    pub(crate) fn announce_thread(&mut self, id: &str, mentions: &BTreeSet<String>) {
        let Some(post) = self.posts.get(id).filter(|p| !p.root_id.is_empty()) else {
            return;
        };
        let (root, channel, author) = (
            post.root_id.clone(),
            post.channel_id.clone(),
            post.user_id.clone(),
        );
        let team = self
            .channels
            .get(&channel)
            .map(|c| c.team_id.clone())
            .unwrap_or_default();
        let followers: Vec<String> = self
            .threads
            .iter()
            .filter(|((r, _), t)| *r == root && t.following)
            .map(|((_, u), _)| u.clone())
            .collect();
        for user in followers {
            let Some(thread) = self.thread_json(&root, &user, true) else {
                continue;
            };
            let unread = thread["unread_replies"].as_i64().unwrap_or(0);
            let mentioned = thread["unread_mentions"].as_i64().unwrap_or(0);
            let data = json!({
                "thread": thread.to_string(),
                "previous_unread_replies": (unread - i64::from(user != author)).max(0),
                "previous_unread_mentions":
                    (mentioned - i64::from(mentions.contains(&user))).max(0),
            });
            self.emit_user_in(&user, &channel, &team, "thread_updated", data);
        }
    }

    /// A thread as one user sees it.
    pub(crate) fn thread_json(&self, root: &str, user: &str, extended: bool) -> Option<Value> {
        let post = self.posts.get(root)?;
        let state = self
            .threads
            .get(&(root.to_owned(), user.to_owned()))
            .cloned()
            .unwrap_or_default();
        let replies = self.live_replies(root);
        let unread = replies
            .iter()
            .filter(|r| r.create_at > state.last_viewed_at && r.user_id != user)
            .count();
        let mut ids: Vec<&str> = vec![&post.user_id];
        for reply in &replies {
            if !ids.contains(&reply.user_id.as_str()) {
                ids.push(&reply.user_id);
            }
        }
        let participants: Vec<Value> = ids
            .iter()
            .filter_map(|id| self.users.get(*id))
            .map(|u| {
                if extended {
                    u.json(false)
                } else {
                    json!({"id": u.id})
                }
            })
            .collect();
        Some(json!({
            "id": root, "reply_count": replies.len(),
            "last_reply_at": replies.last().map_or(0, |r| r.create_at),
            "last_viewed_at": state.last_viewed_at, "participants": participants,
            "post": self.post_json(post, user), "unread_replies": unread,
            "unread_mentions": state.unread_mentions, "is_urgent": false, "delete_at": post.delete_at,
            "is_following": state.following,
        }))
    }

    /// The replies of a root that are not deleted, oldest first.
    pub(crate) fn live_replies(&self, root: &str) -> Vec<&Post> {
        self.replies
            .get(root)
            .into_iter()
            .flatten()
            .filter_map(|id| self.posts.get(id))
            .filter(|p| p.delete_at == 0)
            .collect()
    }
}
