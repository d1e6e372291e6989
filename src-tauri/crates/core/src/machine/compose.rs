//! What we write: drafts, posts on their way, slash commands. Nothing that was typed is ever lost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::effect::{Effect, Remember};
use crate::id::{ChannelId, FileId, Millis, PendingId, PostId, TeamId, UserId};
use crate::model::Post;
use crate::port::{Request, RequestError};
use crate::snapshot::Delivery;

use super::account::detailed;
use super::notices::Draft;
use super::out::{Asked, Out, Part};

mod uploads;

pub(crate) use uploads::{MOST, Refused, Uploads};

/// Wait before a post is tried again whose fate is unknown. The server knows a pending id for 30 s
/// (mattermost-core §7.3), within which sending again cannot make a second post.
const RETRY: Duration = Duration::from_secs(3);

/// For so long the server is sure to know a pending id; less than its 30 s, because the way there takes time.
const KNOWN_FOR: Duration = Duration::from_secs(25);

/// Posts that may wait. More come only from a script that does not look; they are refused, with their text kept.
const WAITING: usize = 200;

/// Clocks differ: how much older than our sending a post of ours may be stamped and still be the one.
const SAME: Millis = 10 * 60 * 1000;

/// The part of the machine that knows what we write.
#[derive(Debug, Default)]
pub(crate) struct Compose {
    /// By place, see [`place`].
    drafts: BTreeMap<ChannelId, String>,
    pub(crate) uploads: Uploads,
    waiting: Vec<Pending>,
    last_stamp: Millis,
    online: bool,
}

/// A post of ours that the server has not confirmed.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) id: PendingId,
    pub(crate) channel: ChannelId,
    pub(crate) root: Option<PostId>,
    pub(crate) text: String,
    pub(crate) files: Vec<FileId>,
    /// By our clock.
    pub(crate) at: Millis,
    first_sent: Option<Instant>,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    /// To be sent as soon as its turn comes; not before the time given.
    Queued {
        not_before: Option<Instant>,
    },
    /// The server has it, or not: the answer is on its way.
    Asked,
    /// Sent, and no answer came: it may be on the server.
    Doubtful {
        not_before: Option<Instant>,
    },
    Failed {
        reason: String,
    },
}

/// Where something is written: a channel, or a thread in it (`channel/root`).
pub(crate) fn place(channel: &ChannelId, root: Option<&PostId>) -> ChannelId {
    match root {
        Some(root) => ChannelId::new(format!("{channel}/{root}")),
        None => channel.clone(),
    }
}

impl Pending {
    fn is_forgotten(&self, now: Instant) -> bool {
        self.first_sent
            .is_some_and(|at| now.saturating_duration_since(at) > KNOWN_FOR)
    }

    pub(crate) fn delivery(&self) -> Delivery {
        match &self.state {
            State::Failed { reason } => Delivery::Failed {
                pending: self.id.clone(),
                reason: reason.clone(),
            },
            _ => Delivery::Waiting {
                pending: self.id.clone(),
            },
        }
    }
}

impl Compose {
    pub(crate) fn drafts(&self) -> &BTreeMap<ChannelId, String> {
        &self.drafts
    }

    pub(crate) fn remembered(&mut self, drafts: BTreeMap<ChannelId, String>) {
        self.drafts = drafts;
    }

    /// Keeps the text that was typed but not sent.
    pub(crate) fn save(&mut self, channel: ChannelId, text: String, out: &mut Out) {
        let before = self.drafts.get(&channel).map_or("", String::as_str);
        if before == text {
            return;
        }
        out.push(Effect::Remember(Remember::Draft(
            channel.clone(),
            text.clone(),
        )));
        if text.is_empty() {
            self.drafts.remove(&channel);
        } else {
            self.drafts.insert(channel, text);
        }
        out.dirty(Part::Directory);
        out.dirty(Part::Thread);
    }

    /// Puts text back where it was typed, before what was typed since.
    fn give_back(&mut self, channel: &ChannelId, text: &str, out: &mut Out) {
        let text = match self.drafts.get(channel) {
            Some(draft) if draft == text => draft.clone(),
            Some(draft) => format!("{text}\n{draft}"),
            None => text.to_owned(),
        };
        self.save(channel.clone(), text, out);
    }

    /// The posts of a channel that are on their way, in the order they were written.
    pub(crate) fn waiting(&self, channel: &ChannelId) -> impl Iterator<Item = &Pending> {
        self.waiting
            .iter()
            .filter(move |pending| pending.channel == *channel)
    }

    /// Takes a post to be sent.
    #[allow(clippy::too_many_arguments)] // Each is what it says; a struct for one caller would hide them.
    pub(crate) fn post(
        &mut self,
        now: Instant,
        unix: Millis,
        me: &UserId,
        channel: ChannelId,
        root: Option<PostId>,
        text: String,
        files: Vec<FileId>,
        longest: usize,
        out: &mut Out,
    ) {
        let length = text.chars().count();
        if length > longest || self.waiting.len() >= WAITING {
            let notice = if length > longest {
                Draft::new("post.too_long")
                    .value("n", length.to_string())
                    .value("max", longest.to_string())
            } else {
                Draft::new("post.failed")
            };
            out.notices.raise(now, notice);
            self.save(place(&channel, root.as_ref()), text, out);
            return;
        }
        out.notices.solve("post.too_long");
        // Unique even if two are written within a millisecond.
        self.last_stamp = unix.max(self.last_stamp + 1);
        let id = PendingId::new(format!("{me}:{}", self.last_stamp));
        self.save(place(&channel, root.as_ref()), String::new(), out);
        self.waiting.push(Pending {
            id,
            channel,
            root,
            text,
            files,
            at: unix,
            first_sent: None,
            state: State::Queued { not_before: None },
        });
        dirty(out);
        self.send(now, out);
    }

    /// Sends what is due: of each channel one after the other, so that the order stays.
    pub(crate) fn send(&mut self, now: Instant, out: &mut Out) {
        let mut busy: Vec<ChannelId> = Vec::new();
        for pending in &mut self.waiting {
            if busy.contains(&pending.channel) {
                continue;
            }
            match &pending.state {
                State::Failed { .. } => continue,
                State::Asked => {}
                // Without the link we would not hear that it has arrived after all, and the server may have forgotten
                // its id: sending again could make a second post.
                State::Doubtful { .. } if !self.online && pending.is_forgotten(now) => {
                    pending.state = State::Doubtful { not_before: None };
                }
                State::Queued { not_before } | State::Doubtful { not_before } => {
                    if not_before.is_none_or(|at| at <= now) {
                        pending.state = State::Asked;
                        pending.first_sent.get_or_insert(now);
                        out.ask(
                            Asked::Create(pending.id.clone()),
                            Request::CreatePost {
                                channel: pending.channel.clone(),
                                root: pending.root.clone(),
                                message: pending.text.clone(),
                                files: pending.files.clone(),
                                pending: pending.id.clone(),
                            },
                        );
                    }
                }
            }
            busy.push(pending.channel.clone());
        }
    }

    /// The link is up. What never left goes now; what may have arrived gets time to be heard of first.
    pub(crate) fn link_up(&mut self, now: Instant, out: &mut Out) {
        self.online = true;
        for pending in &mut self.waiting {
            match &mut pending.state {
                State::Queued { not_before } => *not_before = None,
                State::Doubtful { not_before } => *not_before = Some(now + RETRY),
                State::Asked | State::Failed { .. } => {}
            }
        }
        self.send(now, out);
    }

    /// The link is down.
    pub(crate) fn link_down(&mut self) {
        self.online = false;
    }

    /// The channels in which a post of ours may have arrived without our knowing.
    pub(crate) fn doubtful(&self) -> Vec<ChannelId> {
        self.waiting
            .iter()
            .filter(|pending| matches!(pending.state, State::Doubtful { .. }))
            .map(|pending| pending.channel.clone())
            .collect()
    }

    /// A post of ours is on the server.
    pub(crate) fn arrived(&mut self, now: Instant, post: &Post, me: &UserId, out: &mut Out) {
        if post.author != *me {
            return;
        }
        let at = self.waiting.iter().position(|pending| {
            if let Some(id) = &post.pending {
                return pending.id == *id;
            }
            // Lists do not tell the pending id. One whose answer was lost is known by what it says.
            matches!(pending.state, State::Doubtful { .. })
                && pending.channel == post.channel
                && pending.root == post.root
                && pending.text == post.message
                && post.create_at >= pending.at - SAME
        });
        if let Some(at) = at {
            self.waiting.remove(at);
            dirty(out);
            self.send(now, out);
        }
    }

    /// A post of ours could not be sent.
    pub(crate) fn refused(
        &mut self,
        now: Instant,
        id: &PendingId,
        error: &RequestError,
        out: &mut Out,
    ) {
        let Some(pending) = self.waiting.iter_mut().find(|pending| pending.id == *id) else {
            return;
        };
        dirty(out);
        pending.state = match error {
            // Not trusted: the gate of a hotel, as likely as not, and later there is a network behind it.
            RequestError::Offline(_) | RequestError::TimedOut | RequestError::Untrusted(_) => {
                State::Doubtful {
                    not_before: Some(now + RETRY),
                }
            }
            RequestError::RateLimited { after } => State::Queued {
                not_before: Some(now + *after),
            },
            RequestError::Refused { id, message, .. } => match id.as_str() {
                // The first try is still being stored.
                "api.post.deduplicate_create_post.pending" => State::Doubtful {
                    not_before: Some(now + RETRY),
                },
                "api.post.create_post.can_not_post_to_deleted.error" => failed("post.archived"),
                "api.post.create_post.root_id.app_error" => failed("post.thread_gone"),
                _ if message.is_empty() => failed("post.failed"),
                _ => failed(message),
            },
            RequestError::NotUnderstood(_) | RequestError::Unauthorised => failed("post.failed"),
        };
        self.send(now, out);
    }

    /// A person tries again.
    pub(crate) fn retry(&mut self, now: Instant, id: &PendingId, out: &mut Out) {
        if let Some(pending) = self.waiting.iter_mut().find(|pending| pending.id == *id)
            && matches!(pending.state, State::Failed { .. })
        {
            pending.state = State::Queued { not_before: None };
            dirty(out);
            self.send(now, out);
        }
    }

    /// A person gives it up.
    pub(crate) fn discard(&mut self, id: &PendingId, out: &mut Out) {
        let before = self.waiting.len();
        self.waiting
            .retain(|pending| pending.id != *id || pending.state == State::Asked);
        if self.waiting.len() != before {
            dirty(out);
        }
    }

    /// Sends a slash command.
    pub(crate) fn execute(
        &mut self,
        channel: ChannelId,
        team: Option<TeamId>,
        text: String,
        root: Option<PostId>,
        out: &mut Out,
    ) {
        self.save(place(&channel, root.as_ref()), String::new(), out);
        out.ask(
            Asked::Execute {
                channel: place(&channel, root.as_ref()),
                text: text.clone(),
            },
            Request::Execute {
                channel,
                team,
                root,
                command: text,
            },
        );
    }

    /// A slash command failed: the text comes back.
    pub(crate) fn not_executed(
        &mut self,
        now: Instant,
        channel: &ChannelId,
        text: &str,
        error: &RequestError,
        out: &mut Out,
    ) {
        let unknown = matches!(
            error,
            RequestError::Refused { id, .. } if id == "api.command.execute_command.not_found.app_error"
        );
        let code = if unknown {
            "command.unknown"
        } else {
            "command.failed"
        };
        let trigger = text.split_whitespace().next().unwrap_or(text);
        let notice = Draft::new(code).value("command", trigger);
        out.notices.raise(now, detailed(notice, error));
        self.give_back(channel, text, out);
    }

    /// The session is over: what was not sent becomes drafts again. A post that may have arrived is among it; losing
    /// it would be worse than finding it twice.
    pub(crate) fn suspend(&mut self, out: &mut Out) {
        // Backwards, because each is put before what is there.
        for pending in std::mem::take(&mut self.waiting).into_iter().rev() {
            let place = place(&pending.channel, pending.root.as_ref());
            self.give_back(&place, &pending.text, out);
        }
    }

    /// The person has signed out: nothing of theirs stays.
    pub(crate) fn clear(&mut self, out: &mut Out) {
        self.waiting.clear();
        for (channel, _) in std::mem::take(&mut self.drafts) {
            out.push(Effect::Remember(Remember::Draft(channel, String::new())));
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        // Only the first of each channel can be sent; the deadlines behind it do not count yet.
        let mut busy: Vec<&ChannelId> = Vec::new();
        let mut first: Option<Instant> = None;
        for pending in &self.waiting {
            if matches!(pending.state, State::Failed { .. }) || busy.contains(&&pending.channel) {
                continue;
            }
            busy.push(&pending.channel);
            if let State::Queued { not_before } | State::Doubtful { not_before } = pending.state
                && let Some(at) = not_before
            {
                first = Some(first.map_or(at, |first| first.min(at)));
            }
        }
        first
    }
}

/// A post of ours is shown in the channel, in its thread, and in our call's chat.
fn dirty(out: &mut Out) {
    out.dirty(Part::Timeline);
    out.dirty(Part::Thread);
    out.dirty(Part::Chat);
}

fn failed(reason: &str) -> State {
    State::Failed {
        reason: reason.to_owned(),
    }
}
