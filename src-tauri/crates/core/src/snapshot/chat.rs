//! What the channel views show besides the timeline: categories, the thread, what is being written, what was found.

use std::collections::BTreeMap;

use serde::Serialize;
use ts_rs::TS;

use crate::id::{CategoryId, ChannelId, FileId, PostId, UploadId, UserId};
use crate::model::{CategoryKind, CommandHint, FoundChannel};

use super::PostRow;

/// A category of the channel list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CategoryRow {
    /// Identity.
    pub id: CategoryId,
    /// Kind.
    pub kind: CategoryKind,
    /// Name; for the built-in kinds the interface has words of its own.
    pub name: String,
    /// Folded: only what is unread or open is shown.
    pub folded: bool,
    /// What is in it, in order of display; all are in [`super::Directory::channels`].
    pub channels: Vec<ChannelId>,
}

/// A reaction under a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ReactionRow {
    /// Name of the emoji, without colons.
    pub emoji: String,
    /// How often.
    pub count: u32,
    /// One of them is ours.
    pub mine: bool,
    /// Names, at most ten.
    pub names: Vec<String>,
}

/// The thread beside the channel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    /// Its first post; `None` when no thread is open.
    pub root: Option<PostId>,
    /// Where it is.
    pub channel: Option<ChannelId>,
    /// The first post and the replies, oldest first.
    pub posts: Vec<PostRow>,
    /// The posts are still on their way.
    pub loading: bool,
    /// The first post is gone, or cannot be had.
    pub gone: bool,
    /// New replies are told.
    pub following: bool,
    /// Names of those who are typing in it.
    pub typing: Vec<String>,
    /// Text typed but not sent.
    pub draft: String,
}

/// What is being written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Compose {
    /// Files, by the place where they will be posted: a channel id, or `channel/root`.
    pub uploads: BTreeMap<String, Vec<UploadRow>>,
    /// What may follow, for this text.
    pub text: String,
    /// People to mention: those of the channel first.
    pub people: Vec<UserId>,
    /// Slash commands.
    pub commands: Vec<CommandHint>,
}

/// A file on its way to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct UploadRow {
    /// Identity.
    pub id: UploadId,
    /// What it is called.
    pub name: String,
    /// Bytes.
    #[ts(type = "number")]
    pub size: u64,
    /// Where it is.
    pub state: UploadState,
}

/// Where a file is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum UploadState {
    /// Leaving.
    Sending {
        /// Bytes that have left.
        #[ts(type = "number")]
        sent: u64,
    },
    /// On the server.
    Done {
        /// Its identity there.
        file: FileId,
        /// The server has a picture of it.
        picture: bool,
    },
    /// It failed, and can be tried again.
    Failed {
        /// A notice code or the server's text.
        reason: String,
    },
}

/// What was found by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Finder {
    /// What was looked for.
    pub text: String,
    /// The answer is on its way.
    pub busy: bool,
    /// People; all are in [`super::Directory::people`].
    pub people: Vec<UserId>,
    /// Public channels of the team of which we are not a member.
    pub channels: Vec<FoundChannel>,
}
