//! Emoji that people show each other (calls-v1-rest §11.5).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::effect::{CallWish, Effect};
use crate::id::{Millis, SessionId};
use crate::model::Emoji;
use crate::port::CallIntent;
use crate::snapshot::CallReaction;

use super::super::directory::Directory;
use super::super::out::{Out, Part};
use super::{Call, Current};

/// How long a reaction is shown.
const SHOWN: Duration = Duration::from_secs(10);

/// Most reactions shown at once; the oldest make room.
const MOST: usize = 50;

/// Our own that the server has not told back. More come only from somebody who leans on the key; the server would drop
/// what exceeds its rate, and other wishes with it.
const UNTOLD: usize = 5;

/// The reactions shown now.
#[derive(Debug, Default)]
pub(super) struct Reactions {
    shown: VecDeque<Shown>,
    last: u32,
}

#[derive(Debug)]
struct Shown {
    id: u32,
    session: SessionId,
    emoji: Emoji,
    /// Server clock; 0 for ours until it is told back.
    at: Millis,
    until: Instant,
}

impl Reactions {
    fn push(&mut self, now: Instant, session: SessionId, emoji: Emoji, at: Millis) {
        self.last = self.last.wrapping_add(1);
        self.shown.push_back(Shown {
            id: self.last,
            session,
            emoji,
            at,
            until: now + SHOWN,
        });
        if self.shown.len() > MOST {
            self.shown.pop_front();
        }
    }

    /// The person's newest, as it is shown beside their name; and when it came.
    pub(super) fn of(&self, session: &SessionId) -> Option<String> {
        let newest = self.shown.iter().rfind(|one| one.session == *session)?;
        Some(newest.emoji.text())
    }

    /// Place in the order of reactions: the oldest comes first (§11.1).
    pub(super) fn order(&self, session: &SessionId) -> usize {
        let at = self.shown.iter().position(|one| one.session == *session);
        at.unwrap_or(usize::MAX)
    }

    /// Whoever leaves takes their reactions along.
    pub(super) fn forget(&mut self, session: &SessionId) {
        self.shown.retain(|one| one.session != *session);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.shown.front().map(|one| one.until)
    }

    /// True if something is no longer shown.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let before = self.shown.len();
        self.shown.retain(|one| now < one.until);
        self.shown.len() != before
    }

    pub(super) fn draw(&self, current: &Current, directory: &Directory) -> Vec<CallReaction> {
        let rows = self.shown.iter().map(|one| {
            let user = current.participant(&one.session).map(|who| &who.user);
            CallReaction {
                id: one.id,
                session: one.session.clone(),
                name: user.map_or_else(String::new, |user| directory.call_name_of(user)),
                me: current.is_me(&one.session),
                text: one.emoji.text(),
            }
        });
        rows.collect()
    }
}

impl Call {
    /// A person shows an emoji. It is seen here at once, and by the others when the server has passed it on.
    pub(crate) fn react(&mut self, now: Instant, name: String, literal: &str, out: &mut Out) {
        let Some(current) = self.current.as_mut().filter(|one| one.connected) else {
            return;
        };
        let Some(me) = current.session.clone() else {
            return;
        };
        let literal = literal.trim();
        let untold = current.reactions.shown.iter();
        let untold = untold
            .filter(|one| one.session == me && one.at == 0)
            .count();
        if literal.is_empty() || untold >= UNTOLD {
            return;
        }
        let codes: Vec<_> = literal
            .chars()
            .map(|c| format!("{:x}", u32::from(c)))
            .collect();
        let tone = literal
            .chars()
            .find(|c| ('\u{1f3fb}'..='\u{1f3ff}').contains(c));
        let emoji = Emoji {
            name,
            unified: codes.join("-"),
            skin: tone
                .map(|c| format!("{:x}", u32::from(c)))
                .unwrap_or_default(),
            literal: literal.to_owned(),
        };
        current.reactions.push(now, me, emoji.clone(), 0);
        let intent = CallIntent::React(emoji);
        out.push(Effect::Call(current.number, CallWish::Apply(intent)));
        out.dirty(Part::Call);
    }

    /// Somebody shows an emoji; also what comes back of our own.
    pub(super) fn reacted(
        &mut self,
        now: Instant,
        session: SessionId,
        emoji: Emoji,
        at: Millis,
        out: &mut Out,
    ) {
        let Some(current) = &mut self.current else {
            return;
        };
        if current.participant(&session).is_none() {
            return;
        }
        if current.is_me(&session)
            && let Some(ours) = current
                .reactions
                .shown
                .iter_mut()
                .find(|one| one.session == session && one.at == 0 && one.emoji.is_same(&emoji))
        {
            ours.at = at.max(1);
            return;
        }
        current.reactions.push(now, session, emoji, at.max(1));
        out.dirty(Part::Call);
    }
}
