//! What is written, and what hangs on it.

use serde::Serialize;
use ts_rs::TS;

use crate::id::{ChannelId, FileId, Millis, PendingId, PostId, UserId};

/// What became of a call, as its post says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CallPost {
    /// Title given at the start; may be empty.
    pub title: String,
    /// Begin.
    #[ts(type = "number")]
    pub start_at: Millis,
    /// End; 0 while the call goes on.
    #[ts(type = "number")]
    pub end_at: Millis,
    /// `calling`, `ended`, `no_answer`, `canceled_by_caller`, `declined`, or empty on older servers.
    pub status: String,
    /// Recordings with a file.
    pub recordings: u32,
    /// Transcripts with a file.
    pub transcripts: u32,
}

/// Subtitles of a recording: a WebVTT file of the server's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Subtitles {
    /// What they are called; may be empty.
    pub title: String,
    /// BCP 47 tag; may be empty, or anything else.
    pub language: String,
    /// The file.
    pub file: FileId,
}

/// What kind of post it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum PostKind {
    /// Somebody wrote it.
    Message,
    /// The server wrote it (joined, left, header changed).
    System,
    /// Only we see it, and only until the program ends.
    Ephemeral,
    /// A call began here.
    Call(CallPost),
    /// The file of a call's recording.
    Recording {
        /// What was said, once it was written down.
        subtitles: Vec<Subtitles>,
    },
    /// A kind that we do not know: shown as its text.
    Other,
}

/// A post as the server tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Identity.
    pub id: PostId,
    /// Channel.
    pub channel: ChannelId,
    /// Author.
    pub author: UserId,
    /// The thread it replies to; `None` for a root post.
    pub root: Option<PostId>,
    /// Text, Mattermost markdown.
    pub message: String,
    /// Kind.
    pub kind: PostKind,
    /// Made.
    pub create_at: Millis,
    /// Changed in any way (the order of `since`).
    pub update_at: Millis,
    /// Edited by its author; 0 if never.
    pub edit_at: Millis,
    /// Deleted; 0 if not.
    pub delete_at: Millis,
    /// The client-made id under which we sent it; `None` for other people's.
    pub pending: Option<PendingId>,
    /// Replies in its thread.
    pub reply_count: i64,
    /// A name that replaces the author's (web hooks), may be empty.
    pub override_name: String,
    /// Who reacted with what, oldest first.
    pub reactions: Vec<Reaction>,
    /// What is attached.
    pub files: Vec<File>,
    /// We follow the thread that begins here; `None` where the server does not say.
    pub following: Option<bool>,
    /// Time of the newest reply; 0 if there is none, or the server does not say.
    pub last_reply_at: Millis,
}

/// Somebody's reaction to a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Whose.
    pub user: UserId,
    /// Name of the emoji, without colons.
    pub emoji: String,
}

/// A file attached to a post.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Identity.
    pub id: FileId,
    /// As its sender called it. Shown as it is, never used as a path.
    pub name: String,
    /// What follows the last dot, small letters; may be empty.
    pub extension: String,
    /// Bytes.
    #[ts(type = "number")]
    pub size: i64,
    /// MIME type as the server says.
    pub mime: String,
    /// Pixels of a picture; 0 for others.
    pub width: u32,
    /// Pixels of a picture; 0 for others.
    pub height: u32,
    /// The server has a smaller picture of it.
    pub has_preview: bool,
}
