//! A post as it is shown, and reactions to it; the same in the channel, in threads and in the chat of a call.

use crate::id::UserId;
use crate::model::{Post, PostKind, Reaction};
use crate::snapshot::{Delivery, PostRow, ReactionRow};

use super::compose::Pending;
use super::directory::Directory;

/// Adds a reaction, or takes it away. Told twice it counts once.
pub(crate) fn react(post: &mut Post, user: &UserId, emoji: &str, on: bool) {
    post.reactions
        .retain(|one| one.user != *user || one.emoji != emoji);
    if on {
        post.reactions.push(Reaction {
            user: user.clone(),
            emoji: emoji.to_owned(),
        });
    }
}

/// Names shown with a reaction; more would not be read.
const NAMES: usize = 10;

fn reactions(post: &Post, directory: &Directory) -> Vec<ReactionRow> {
    let mut rows: Vec<ReactionRow> = Vec::new();
    for one in &post.reactions {
        let at = rows.iter().position(|row| row.emoji == one.emoji);
        let at = at.unwrap_or_else(|| {
            rows.push(ReactionRow {
                emoji: one.emoji.clone(),
                count: 0,
                mine: false,
                names: Vec::new(),
            });
            rows.len() - 1
        });
        let row = &mut rows[at];
        row.count += 1;
        row.mine |= one.user == *directory.me();
        if row.names.len() < NAMES {
            row.names.push(directory.name_of(&one.user));
        }
    }
    rows
}

/// A post of ours that the server has not confirmed.
pub(crate) fn pending_row(pending: &Pending, directory: &Directory) -> PostRow {
    PostRow {
        id: pending.id.as_str().into(),
        author: directory.me().clone(),
        author_name: directory.name_of(directory.me()),
        message: pending.text.clone(),
        kind: PostKind::Message,
        create_at: pending.at,
        edited: false,
        root: pending.root.clone(),
        reply_count: 0,
        delivery: pending.delivery(),
        reactions: Vec::new(),
        files: Vec::new(),
        editable: false,
        deletable: false,
        following: false,
    }
}

/// A post as it is shown.
pub(crate) fn row(post: &Post, directory: &Directory) -> PostRow {
    let author_name = if post.override_name.is_empty() {
        directory.name_of(&post.author)
    } else {
        post.override_name.clone()
    };
    let mine = post.author == *directory.me() && post.override_name.is_empty();
    let archived = directory
        .channel(&post.channel)
        .is_some_and(|channel| channel.archived);
    PostRow {
        id: post.id.clone(),
        author: post.author.clone(),
        author_name,
        message: post.message.clone(),
        kind: post.kind.clone(),
        create_at: post.create_at,
        edited: post.edit_at > 0,
        root: post.root.clone(),
        reply_count: u32::try_from(post.reply_count.max(0)).unwrap_or(u32::MAX),
        delivery: Delivery::Sent,
        reactions: reactions(post, directory),
        files: post.files.clone(),
        editable: mine && post.kind == PostKind::Message && !archived,
        deletable: (mine || directory.is_admin())
            && matches!(
                post.kind,
                PostKind::Message | PostKind::Recording { .. } | PostKind::Other
            )
            && !archived,
        following: post.following.unwrap_or(false),
    }
}
