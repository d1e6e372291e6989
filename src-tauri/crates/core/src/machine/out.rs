//! What the parts put out: effects in order, questions under way, notices, and which slices have changed.

use std::collections::{BTreeMap, VecDeque};

use crate::command::{Command, HostAction};
use crate::effect::{ClientEvent, Effect};
use crate::id::{ChannelId, PendingId, PostId, RequestId, TeamId, UserId};
use crate::port::{Page, Request};

use super::notices::Notices;

/// A slice of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Account,
    Link,
    Directory,
    Timeline,
    Thread,
    Compose,
    Finder,
    Emoji,
    Call,
    Chat,
    Devices,
    Appearance,
    Incoming,
    Alerts,
    Share,
}

/// What a request was for; kept until its answer comes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    /// A person typed an address.
    Find {
        address: String,
    },
    /// What the server of a kept session calls itself.
    Describe,
    /// Sign-in with a password; whether a one-time code was sent along.
    SignIn {
        code_given: bool,
    },
    /// Sign-in with a token that was typed.
    Token,
    /// Sign-in with what the browser brought back.
    Outside,
    /// Is the kept session still good?
    Resume,
    SignOut,
    Directory,
    Calls,
    /// A channel that has appeared or changed; whether it is to be opened.
    Channel {
        channel: ChannelId,
        open: bool,
    },
    Direct,
    Users(Vec<UserId>),
    Presences,
    Posts {
        channel: ChannelId,
        page: Page,
    },
    Create(PendingId),
    Execute {
        channel: ChannelId,
        text: String,
    },
    View,
    /// The thread of our call.
    CallChat(PostId),
    /// That we follow it, or have read it.
    Followed,
    Moderate(HostAction),
    EndCall,
    Record {
        on: bool,
    },
    Logs,
    /// A direct channel to write something to.
    WriteTo {
        user: UserId,
        text: String,
    },
    /// A call is dismissed.
    Dismiss,
    /// A call is declined; where.
    Decline(ChannelId),
    /// Our notification settings; what they were before.
    Notify(Box<crate::model::NotifyProps>),
    /// The channel that a link names.
    Link {
        join: bool,
    },
    /// A wish that is only to succeed; if it does not, the notice offers it again.
    Wish(Box<Command>),
    /// A reaction that is shown already.
    React {
        post: PostId,
        emoji: String,
        on: bool,
    },
    Thread(PostId),
    Typing,
    Categories(TeamId),
    PutCategories(TeamId),
    Emoji,
    /// What was typed.
    Search(String),
    Complete(String),
    /// A channel joined by ourselves: it is opened.
    Join(ChannelId),
}

/// The shared outlet of all parts.
#[derive(Debug, Default)]
pub(crate) struct Out {
    queue: VecDeque<Effect>,
    asked: BTreeMap<RequestId, Asked>,
    last: u64,
    dirty: Vec<Part>,
    pub(crate) notices: Notices,
}

impl Out {
    /// Wants something done, after everything wanted before.
    pub(crate) fn push(&mut self, effect: Effect) {
        self.queue.push_back(effect);
    }

    /// Tells scripts.
    pub(crate) fn tell(&mut self, event: ClientEvent) {
        self.push(Effect::Tell(event));
    }

    /// Asks the server.
    pub(crate) fn ask(&mut self, why: Asked, request: Request) {
        self.last += 1;
        let id = RequestId(self.last);
        self.asked.insert(id, why);
        self.push(Effect::Request(id, request));
    }

    /// What an answer is to; `None` for one that nobody waits for any more.
    pub(crate) fn answered(&mut self, id: RequestId) -> Option<Asked> {
        self.asked.remove(&id)
    }

    /// True while a question of this kind is under way.
    pub(crate) fn waits(&self, which: impl Fn(&Asked) -> bool) -> bool {
        self.asked.values().any(which)
    }

    /// Answers to these questions are of no interest any more.
    pub(crate) fn forget(&mut self, which: impl Fn(&Asked) -> bool) {
        self.asked.retain(|_, asked| !which(asked));
    }

    /// A slice must be drawn again.
    pub(crate) fn dirty(&mut self, part: Part) {
        if !self.dirty.contains(&part) {
            self.dirty.push(part);
        }
    }

    /// The slices to draw, each once.
    pub(crate) fn take_dirty(&mut self) -> Vec<Part> {
        let mut parts = std::mem::take(&mut self.dirty);
        parts.sort_unstable();
        parts
    }

    pub(crate) fn pop(&mut self) -> Option<Effect> {
        self.queue.pop_front()
    }
}
