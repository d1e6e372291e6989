//! The edges of the core: what it asks of a server and of a call back end. Adapters live in other crates.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::id::{CallId, ChannelId, Millis, PostId, SessionId, TeamId, UserId};
use crate::model::{CallState, NotifyProps, Post, Presence, User};

mod call;
pub mod media;
mod request;
mod trust;

pub use call::{
    ActiveCall, CallBackend, CallEvent, CallIntent, EndReason, EventSink, JoinTicket, Refusal,
    ShareTicket,
};
pub use request::{CallsLoad, DirectoryLoad, NameFormat, Page, Reply, Request, RequestError};
pub use trust::{Certificate, Distrust, Fingerprint};

/// A future that can be sent between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A secret: prints as dots, so that it cannot reach a log.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("•••")
    }
}

/// What the server's WebSocket says, in our words.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerEvent {
    /// A post was made, or changed (also: ephemeral).
    Posted {
        /// It.
        post: Box<Post>,
        /// It mentions us.
        mentions_me: bool,
        /// The author is online.
        author_online: bool,
    },
    /// A post was edited, or its card changed.
    Edited(Box<Post>),
    /// A post was deleted.
    Deleted {
        /// Where.
        channel: ChannelId,
        /// Which.
        post: PostId,
    },
    /// Somebody reacted to a post, or took it back.
    Reacted {
        /// Which post.
        post: PostId,
        /// Who.
        user: UserId,
        /// Name of the emoji.
        emoji: String,
        /// Reacted; else took it back.
        on: bool,
    },
    /// Somebody is typing.
    Typing {
        /// Where.
        channel: ChannelId,
        /// In which thread.
        root: Option<PostId>,
        /// Who.
        user: UserId,
    },
    /// We follow a thread from now on, or no more.
    Followed {
        /// Which.
        root: PostId,
        /// Follow.
        on: bool,
    },
    /// Categories of a team changed.
    CategoriesChanged(TeamId),
    /// Emoji were added.
    EmojiChanged,
    /// Channels were read on another of our clients.
    Viewed(Vec<(ChannelId, Millis)>),
    /// We came into a channel, or it was made or changed: load it.
    ChannelChanged(ChannelId),
    /// A channel was archived.
    ChannelArchived(ChannelId),
    /// We are no longer in the channel.
    ChannelLeft(ChannelId),
    /// Teams or memberships changed in a way that needs a fresh directory.
    DirectoryStale,
    /// Somebody's account changed.
    UserChanged(Box<User>),
    /// Our own account changed, and perhaps our notification settings.
    MeChanged(Box<User>, Box<NotifyProps>),
    /// We have dismissed a call, with one of our clients.
    CallDismissed(CallId),
    /// Our own presence changed.
    PresenceChanged(UserId, Presence),
    /// The Calls plugin came, went or changed.
    CallsStale,
    /// A call began.
    CallStarted {
        /// Where.
        channel: ChannelId,
        /// Which.
        call: CallId,
        /// Server clock.
        start_at: Millis,
        /// By whom.
        owner: UserId,
        /// Host, usually the same.
        host: Option<UserId>,
        /// Root of its thread.
        thread: Option<PostId>,
    },
    /// A call was ended for everyone.
    CallEnded(ChannelId),
    /// Somebody joined a call.
    CallJoined {
        /// Where.
        channel: ChannelId,
        /// Who.
        user: UserId,
        /// With which session.
        session: SessionId,
    },
    /// Somebody left a call. The last one leaving ends it without another event.
    CallLeft {
        /// Where.
        channel: ChannelId,
        /// Who.
        user: UserId,
        /// With which session.
        session: SessionId,
    },
    /// The whole state of a call.
    CallState(Box<CallState>),
    /// Calls were switched on or off in a channel.
    CallsEnabled {
        /// Where.
        channel: ChannelId,
        /// On.
        enabled: bool,
    },
}

/// The state of the account's WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// Live. After a gap in the events (`resumed` = false) everything must be loaded again.
    Up {
        /// Nothing was lost since the last time.
        resumed: bool,
    },
    /// Lost; the next try comes then.
    Down {
        /// How many tries have failed.
        attempt: u32,
        /// Until the next.
        retry_in: Duration,
    },
    /// The token is no longer good.
    Unauthorised,
    /// The server's certificate is not trusted: nothing was told to it. [`LinkEvent::Down`] follows.
    Untrusted(Distrust),
}
