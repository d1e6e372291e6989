//! Who is typing, and that we are.

use std::time::{Duration, Instant};

use crate::id::{ChannelId, PostId, UserId};
use crate::port::Request;

use super::directory::Directory;
use super::out::{Asked, Out, Part};

/// Told again after so long while typing goes on (`TimeBetweenUserTypingUpdatesMilliseconds`, 5 s).
const AGAIN: Duration = Duration::from_secs(5);

/// Nothing heard for so long: they have stopped. A little longer than others wait before they tell again.
const STOPPED: Duration = Duration::from_secs(6);

/// People remembered at once. In a channel of thousands the names would not fit anyway.
const MOST: usize = 100;

/// The part of the machine that knows who is typing.
#[derive(Debug, Default)]
pub(crate) struct Typing {
    who: Vec<One>,
    told: Option<(ChannelId, Option<PostId>, Instant)>,
}

#[derive(Debug)]
struct One {
    channel: ChannelId,
    root: Option<PostId>,
    user: UserId,
    until: Instant,
}

impl Typing {
    /// Somebody else is typing.
    pub(crate) fn heard(
        &mut self,
        now: Instant,
        channel: ChannelId,
        root: Option<PostId>,
        user: UserId,
        out: &mut Out,
    ) {
        self.who
            .retain(|one| (&one.channel, &one.root, &one.user) != (&channel, &root, &user));
        if self.who.len() < MOST {
            self.who.push(One {
                channel,
                root,
                user,
                until: now + STOPPED,
            });
        }
        dirty(out);
    }

    /// They have posted: they are done.
    pub(crate) fn posted(&mut self, channel: &ChannelId, user: &UserId, out: &mut Out) {
        let before = self.who.len();
        self.who
            .retain(|one| one.channel != *channel || one.user != *user);
        if self.who.len() != before {
            dirty(out);
        }
    }

    /// We are typing.
    pub(crate) fn ours(
        &mut self,
        now: Instant,
        channel: ChannelId,
        root: Option<PostId>,
        out: &mut Out,
    ) {
        let told = self.told.as_ref().is_some_and(|(at, in_root, when)| {
            *at == channel && *in_root == root && now.saturating_duration_since(*when) < AGAIN
        });
        if !told {
            self.told = Some((channel.clone(), root.clone(), now));
            out.ask(Asked::Typing, Request::Typing { channel, root });
        }
    }

    /// We have sent it; the next letter is told at once.
    pub(crate) fn sent(&mut self) {
        self.told = None;
    }

    pub(crate) fn clear(&mut self, out: &mut Out) {
        *self = Self::default();
        dirty(out);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.who.iter().map(|one| one.until).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Out) {
        let before = self.who.len();
        self.who.retain(|one| one.until > now);
        if self.who.len() != before {
            dirty(out);
        }
    }

    /// Names of those who are typing in a place, in the order they began.
    pub(crate) fn names(
        &self,
        channel: &ChannelId,
        root: Option<&PostId>,
        directory: &Directory,
    ) -> Vec<String> {
        self.who
            .iter()
            .filter(|one| one.channel == *channel && one.root.as_ref() == root)
            .filter(|one| one.user != *directory.me())
            .map(|one| directory.name_of(&one.user))
            .collect()
    }
}

fn dirty(out: &mut Out) {
    out.dirty(Part::Timeline);
    out.dirty(Part::Thread);
}
