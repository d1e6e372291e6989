//! What the parts put out: effects in order, questions under way, notices, and which slices have changed.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::command::{Command, HostAction};
use crate::effect::{ClientEvent, Effect};
use crate::id::{ChannelId, PendingId, PostId, RequestId, TeamId, UserId};
use crate::port::{Page, Request};

use super::notices::Notices;

/// Longest wait after which a wish is still carried out by itself: later nobody expects it any more.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

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
    Calls,
    Incoming,
    Alerts,
    Share,
    Network,
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
    /// The network test.
    Ways,
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
    /// Our own status, for the time of a call.
    Busy,
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
    /// A direct channel to call somebody in.
    CallTo(UserId),
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

impl Asked {
    /// Made once more by itself when the server is too busy: wishes about calls, of which the plugin takes ten at once
    /// and then three a second (calls-v1-rest, the chapter of limits).
    fn is_repeated(&self) -> bool {
        matches!(
            self,
            Self::Moderate(_)
                | Self::EndCall
                | Self::Record { .. }
                | Self::Dismiss
                | Self::Decline(_)
                | Self::Calls
        )
    }
}

/// The shared outlet of all parts.
#[derive(Debug, Default)]
pub(crate) struct Out {
    queue: VecDeque<Effect>,
    asked: BTreeMap<RequestId, Asked>,
    /// Requests that are made once more if the server is too busy, by the question under way.
    kept: BTreeMap<RequestId, Request>,
    /// Those that wait for the time that the server asked for.
    waiting: Vec<(Instant, Asked, Request)>,
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
        let again = why.is_repeated().then(|| request.clone());
        let id = self.put(why, request);
        if let Some(again) = again {
            self.kept.insert(id, again);
        }
    }

    fn put(&mut self, why: Asked, request: Request) -> RequestId {
        self.last += 1;
        let id = RequestId(self.last);
        self.asked.insert(id, why);
        self.push(Effect::Request(id, request));
        id
    }

    /// The server was too busy for a question, and says how long: made once more then, if it is of that kind and the
    /// time is bearable. False leaves the failure to whoever asked.
    pub(crate) fn repeat(&mut self, now: Instant, id: RequestId, after: Duration) -> bool {
        let Some(request) = self.kept.remove(&id).filter(|_| after <= LONGEST_WAIT) else {
            return false;
        };
        let Some(why) = self.asked.remove(&id) else {
            return false;
        };
        self.waiting.push((now + after, why, request));
        true
    }

    /// When [`Self::handle_timeout`] has something to ask.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.waiting.iter().map(|(at, ..)| *at).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let (due, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(at, ..)| *at <= now);
        self.waiting = waiting;
        let due: Vec<(Instant, Asked, Request)> = due;
        for (_, why, request) in due {
            self.put(why, request);
        }
    }

    /// What an answer is to; `None` for one that nobody waits for any more.
    pub(crate) fn answered(&mut self, id: RequestId) -> Option<Asked> {
        self.kept.remove(&id);
        self.asked.remove(&id)
    }

    /// True while a question of this kind is under way.
    pub(crate) fn waits(&self, which: impl Fn(&Asked) -> bool) -> bool {
        let later = self.waiting.iter().map(|(_, why, _)| why);
        self.asked.values().chain(later).any(which)
    }

    /// Answers to these questions are of no interest any more.
    pub(crate) fn forget(&mut self, which: impl Fn(&Asked) -> bool) {
        self.asked.retain(|_, asked| !which(asked));
        self.waiting.retain(|(_, asked, _)| !which(asked));
        self.kept.retain(|id, _| self.asked.contains_key(id));
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
