//! The chat of our call: the replies in its thread, and how many of them were not seen.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{ChannelId, PostId, UserId};
use crate::model::{Post, PostKind};
use crate::port::Request;
use crate::snapshot::{CallChat as Slice, PostRow};

use super::compose::Compose;
use super::directory::Directory;
use super::out::{Asked, Out, Part};
use super::row::{pending_row, react, row};

/// Replies kept. Longer threads are read in the channel.
const POSTS: usize = 500;

/// The part of the machine that knows the chat of our call.
#[derive(Debug, Default)]
pub(crate) struct CallChat {
    place: Option<(ChannelId, PostId)>,
    posts: BTreeMap<PostId, Post>,
    loaded: bool,
    /// It is before the person's eyes.
    shown: bool,
    unread: BTreeSet<PostId>,
    mentions: BTreeSet<PostId>,
}

impl CallChat {
    /// Our call has this chat now, or none.
    pub(crate) fn follow(
        &mut self,
        place: Option<(&ChannelId, &PostId)>,
        directory: &Directory,
        out: &mut Out,
    ) {
        let here = self.place.as_ref().map(|(channel, root)| (channel, root));
        if here == place {
            return;
        }
        out.forget(|asked| matches!(asked, Asked::CallChat(_)));
        *self = Self {
            place: place.map(|(channel, root)| (channel.clone(), root.clone())),
            shown: self.shown && place.is_some(),
            ..Self::default()
        };
        out.dirty(Part::Chat);
        self.load(out);
        // Followed, its replies count as unread everywhere. Direct channels have no team of their own;
        // any of ours will do (mattermost-core §8).
        if let Some((channel, root)) = &self.place
            && let Some(team) = directory.team_for(channel).cloned()
        {
            let root = root.clone();
            out.ask(
                Asked::Followed,
                Request::FollowThread {
                    team,
                    root,
                    on: true,
                },
            );
        }
    }

    /// Loads it, or once more after events may have been missed.
    pub(crate) fn load(&self, out: &mut Out) {
        if let Some((_, root)) = &self.place {
            let why = Asked::CallChat(root.clone());
            if !out.waits(|asked| *asked == why) {
                out.ask(why, Request::LoadThread(root.clone()));
            }
        }
    }

    /// It came.
    pub(crate) fn loaded(&mut self, root: &PostId, posts: Vec<Post>, out: &mut Out) {
        if self.place.as_ref().is_none_or(|(_, here)| here != root) {
            return;
        }
        // What is not in it was deleted meanwhile; only we have what is ephemeral.
        self.posts
            .retain(|_, post| post.kind == PostKind::Ephemeral);
        self.loaded = true;
        for post in posts {
            self.keep(post);
        }
        let posts = &self.posts;
        self.unread.retain(|id| posts.contains_key(id));
        self.mentions.retain(|id| posts.contains_key(id));
        out.dirty(Part::Chat);
    }

    /// It could not be had; the link's coming up loads it again.
    pub(crate) fn failed(&mut self, out: &mut Out) {
        self.loaded = true;
        out.dirty(Part::Chat);
    }

    fn is_here(&self, post: &Post) -> bool {
        self.place
            .as_ref()
            .is_some_and(|(_, root)| post.root.as_ref() == Some(root))
    }

    fn keep(&mut self, post: Post) {
        if !self.is_here(&post) || post.delete_at > 0 {
            return;
        }
        self.posts.insert(post.id.clone(), post);
        if self.posts.len() > POSTS {
            let oldest = self.posts.values().min_by_key(|post| post.create_at);
            if let Some(oldest) = oldest.map(|post| post.id.clone()) {
                self.posts.remove(&oldest);
            }
        }
    }

    /// A post was made.
    pub(crate) fn posted(
        &mut self,
        post: &Post,
        mentions_me: bool,
        directory: &Directory,
        out: &mut Out,
    ) {
        if !self.is_here(post) {
            return;
        }
        let fresh = !self.posts.contains_key(&post.id);
        self.keep(post.clone());
        let others = post.author != *directory.me() && post.kind == PostKind::Message;
        if fresh && others && !self.shown {
            self.unread.insert(post.id.clone());
            if mentions_me {
                self.mentions.insert(post.id.clone());
            }
        }
        out.dirty(Part::Chat);
    }

    /// A post was changed.
    pub(crate) fn edited(&mut self, post: &Post, out: &mut Out) {
        let newer = |old: &Post| old.update_at <= post.update_at;
        if self.posts.get(&post.id).is_some_and(newer) {
            self.keep(post.clone());
            out.dirty(Part::Chat);
        }
    }

    pub(crate) fn deleted(&mut self, post: &PostId, out: &mut Out) {
        if self.posts.remove(post).is_some() {
            self.unread.remove(post);
            self.mentions.remove(post);
            out.dirty(Part::Chat);
        }
    }

    /// Somebody reacted, or took it back.
    pub(crate) fn reacted(
        &mut self,
        id: &PostId,
        user: &UserId,
        emoji: &str,
        on: bool,
        out: &mut Out,
    ) {
        if let Some(post) = self.posts.get_mut(id) {
            react(post, user, emoji, on);
            out.dirty(Part::Chat);
        }
    }

    /// It is, or is no longer, before the person's eyes.
    pub(crate) fn show(&mut self, shown: bool, out: &mut Out) {
        self.shown = shown;
        if shown && !(self.unread.is_empty() && self.mentions.is_empty()) {
            self.unread.clear();
            self.mentions.clear();
            out.dirty(Part::Chat);
        }
    }

    /// The slice of the snapshot.
    pub(crate) fn draw(&self, directory: &Directory, compose: &Compose) -> Slice {
        let Some((channel, root)) = &self.place else {
            return Slice::default();
        };
        let mut posts: Vec<_> = self.posts.values().collect();
        posts.sort_by(|a, b| (a.create_at, &a.id).cmp(&(b.create_at, &b.id)));
        let mut rows: Vec<PostRow> = posts.into_iter().map(|post| row(post, directory)).collect();
        let waiting = compose
            .waiting(channel)
            .filter(|pending| pending.root.as_ref() == Some(root));
        rows.extend(waiting.map(|pending| pending_row(pending, directory)));
        let count = |set: &BTreeSet<PostId>| u32::try_from(set.len()).unwrap_or(u32::MAX);
        Slice {
            channel: Some(channel.clone()),
            root: Some(root.clone()),
            posts: rows,
            loading: !self.loaded,
            unread: count(&self.unread),
            mentions: count(&self.mentions),
        }
    }
}
