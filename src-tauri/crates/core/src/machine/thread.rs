//! The thread that is open: its posts, whether we follow it.

use std::collections::BTreeMap;

use crate::id::{ChannelId, Millis, PostId, UserId};
use crate::model::Post;
use crate::port::Request;
use crate::snapshot::Thread as Slice;

use super::compose::{Compose, place};
use super::directory::Directory;
use super::out::{Asked, Out, Part};
use super::row::{pending_row, react, row};
use super::typing::Typing;

/// Posts kept of a thread. A longer one loses its oldest replies.
const POSTS: usize = 2000;

/// The part of the machine that knows the open thread.
#[derive(Debug, Default)]
pub(crate) struct Thread {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    root: PostId,
    channel: ChannelId,
    posts: BTreeMap<PostId, Post>,
    loaded: bool,
    gone: bool,
    following: Option<bool>,
}

impl Thread {
    /// The open thread.
    pub(crate) fn root(&self) -> Option<&PostId> {
        self.open.as_ref().map(|open| &open.root)
    }

    /// Where it is.
    pub(crate) fn channel(&self) -> Option<&ChannelId> {
        self.open.as_ref().map(|open| &open.channel)
    }

    /// Shows a thread. `known` are posts of it that we have already.
    pub(crate) fn open(
        &mut self,
        channel: ChannelId,
        root: PostId,
        known: impl Iterator<Item = Post>,
        out: &mut Out,
    ) {
        if self.root() != Some(&root) {
            let posts: BTreeMap<_, _> = known.map(|post| (post.id.clone(), post)).collect();
            self.open = Some(Open {
                following: posts.get(&root).and_then(|post| post.following),
                root,
                channel,
                posts,
                loaded: false,
                gone: false,
            });
        }
        self.refresh(out);
        out.dirty(Part::Thread);
    }

    pub(crate) fn close(&mut self, out: &mut Out) {
        if self.open.take().is_some() {
            out.dirty(Part::Thread);
        }
    }

    /// Events may have been missed.
    pub(crate) fn refresh(&self, out: &mut Out) {
        let Some(open) = &self.open else { return };
        let why = Asked::Thread(open.root.clone());
        if !out.waits(|asked| *asked == why) {
            out.ask(why, Request::LoadThread(open.root.clone()));
        }
    }

    /// It came. The answer is the whole: what is not in it is gone, unless it is newer.
    pub(crate) fn loaded(&mut self, root: &PostId, posts: Vec<Post>, out: &mut Out) {
        let Some(open) = self.open.as_mut().filter(|open| open.root == *root) else {
            return;
        };
        let newest = posts.iter().map(|post| post.create_at).max().unwrap_or(0);
        open.posts.retain(|_, post| post.create_at > newest);
        for post in posts {
            open.insert(post);
        }
        open.loaded = true;
        open.gone = !open.posts.contains_key(root);
        out.dirty(Part::Thread);
    }

    /// It could not be had; `gone`: and never will be.
    pub(crate) fn failed(&mut self, root: &PostId, gone: bool, out: &mut Out) {
        if let Some(open) = self.open.as_mut().filter(|open| open.root == *root) {
            open.loaded = true;
            open.gone |= gone;
            out.dirty(Part::Thread);
        }
    }

    /// A post was made or changed.
    pub(crate) fn posted(&mut self, post: &Post, out: &mut Out) {
        if let Some(open) = &mut self.open
            && (post.id == open.root || post.root.as_ref() == Some(&open.root))
        {
            open.insert(post.clone());
            out.dirty(Part::Thread);
        }
    }

    pub(crate) fn deleted(&mut self, post: &PostId, out: &mut Out) {
        if let Some(open) = &mut self.open {
            if open.root == *post {
                open.gone = true;
                open.posts.clear();
                out.dirty(Part::Thread);
            } else if open.posts.remove(post).is_some() {
                out.dirty(Part::Thread);
            }
        }
    }

    pub(crate) fn reacted(
        &mut self,
        id: &PostId,
        user: &UserId,
        emoji: &str,
        on: bool,
        out: &mut Out,
    ) {
        if let Some(post) = self.open.as_mut().and_then(|open| open.posts.get_mut(id)) {
            react(post, user, emoji, on);
            out.dirty(Part::Thread);
        }
    }

    /// We follow a thread from now on, or no more.
    pub(crate) fn followed(&mut self, root: &PostId, on: bool, out: &mut Out) {
        if let Some(open) = self.open.as_mut().filter(|open| open.root == *root) {
            open.following = Some(on);
            out.dirty(Part::Thread);
        }
    }

    /// Time of the newest post.
    pub(crate) fn newest(&self) -> Millis {
        let posts = self.open.iter().flat_map(|open| open.posts.values());
        posts.map(|post| post.create_at).max().unwrap_or(0)
    }

    /// The slice of the snapshot.
    pub(crate) fn draw(&self, directory: &Directory, compose: &Compose, typing: &Typing) -> Slice {
        let Some(open) = &self.open else {
            return Slice::default();
        };
        let mut posts: Vec<_> = open.posts.values().collect();
        // The first post first, whatever the clocks say.
        posts.sort_by(|a, b| {
            let key = |post: &Post| (post.root.is_some(), post.create_at);
            (key(a), &a.id).cmp(&(key(b), &b.id))
        });
        let mut rows: Vec<_> = posts.into_iter().map(|post| row(post, directory)).collect();
        rows.extend(
            compose
                .waiting(&open.channel)
                .filter(|pending| pending.root.as_ref() == Some(&open.root))
                .map(|pending| pending_row(pending, directory)),
        );
        let draft = compose
            .drafts()
            .get(&place(&open.channel, Some(&open.root)));
        Slice {
            root: Some(open.root.clone()),
            channel: Some(open.channel.clone()),
            posts: rows,
            loading: !open.loaded,
            gone: open.gone,
            following: open.following.unwrap_or(false),
            typing: typing.names(&open.channel, Some(&open.root), directory),
            draft: draft.cloned().unwrap_or_default(),
        }
    }
}

impl Open {
    fn insert(&mut self, post: Post) {
        if post.delete_at > 0 {
            self.posts.remove(&post.id);
            return;
        }
        if post.id == self.root && post.following.is_some() {
            self.following = post.following;
        }
        let older = |known: &Post| known.update_at > post.update_at;
        if self.posts.get(&post.id).is_some_and(older) {
            return; // Overtaken.
        }
        self.posts.insert(post.id.clone(), post);
        while self.posts.len() > POSTS {
            let replies = self.posts.values().filter(|post| post.root.is_some());
            let Some(oldest) = replies
                .min_by_key(|post| post.create_at)
                .map(|post| post.id.clone())
            else {
                return;
            };
            self.posts.remove(&oldest);
        }
    }
}
