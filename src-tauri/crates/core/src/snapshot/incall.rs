//! What a call shows beside its people: reactions, the recording, captions, the chat.

use serde::Serialize;
use ts_rs::TS;

use crate::id::{ChannelId, Millis, PostId, SessionId};

use super::PostRow;

/// A reaction on screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CallReaction {
    /// Unique within the call.
    pub id: u32,
    /// Whose.
    pub session: SessionId,
    /// Their name on screen.
    pub name: String,
    /// It is ours.
    pub me: bool,
    /// The emoji itself, or its name between colons.
    pub text: String,
}

/// A recording that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// It has begun; before, only the host sees it.
    pub runs: bool,
    /// When the server stops it by itself: Unix milliseconds by *our* clock; `None` while unknown.
    #[ts(type = "number | null")]
    pub ends_at: Option<Millis>,
}

/// What is to be said about the recording (calls-v1-rest §14.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum RecordingPrompt {
    /// To the host: it runs, tell everyone.
    Host,
    /// To everybody else: it runs, whoever stays agrees.
    Consent,
    /// To the host: it is about to end by itself, at the time of [`Recording::ends_at`].
    Soon,
    /// To the host: it has ended, the file comes.
    Done,
    /// To the host: it failed.
    Failed {
        /// The server's words.
        reason: String,
    },
}

/// What somebody said, in writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Caption {
    /// Whose.
    pub session: SessionId,
    /// Their name on screen.
    pub name: String,
    /// What.
    pub text: String,
}

/// What somebody said earlier in the call, in writing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// Their name on screen, at that time.
    pub name: String,
    /// What.
    pub text: String,
    /// When they began, Unix milliseconds by *our* clock.
    #[ts(type = "number")]
    pub at: Millis,
}

/// The thread of our call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CallChat {
    /// Where.
    pub channel: Option<ChannelId>,
    /// Its root: the call's own post, unless the call was started in a thread.
    pub root: Option<PostId>,
    /// The replies, oldest first.
    pub posts: Vec<PostRow>,
    /// They are on their way.
    pub loading: bool,
    /// Replies of others that were not seen.
    pub unread: u32,
    /// Of these, those that mention us.
    pub mentions: u32,
}
