//! A hand that has served: who was given the word and has talked lowers it, or we do.

use std::time::{Duration, Instant};

use crate::command::Command;
use crate::effect::{CallWish, Effect};
use crate::port::CallIntent;

use super::super::notices::Draft;
use super::super::out::{Out, Part};
use super::Call;

/// So long somebody talks with their hand up until it is lowered, pauses not counted: "may I?" is shorter.
const SAID: Duration = Duration::from_secs(4);

/// Counts what is said, and heard by the others, while our hand is up.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    /// Since when they talk.
    since: Option<Instant>,
    /// What was said before.
    before: Duration,
}

impl Spoken {
    fn talks(&mut self, now: Instant, talking: bool) {
        if talking {
            self.since.get_or_insert(now);
        } else if let Some(since) = self.since.take() {
            self.before += now.saturating_duration_since(since);
        }
    }

    /// The hand went up or down: nothing was said with it.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.since
            .map(|since| since + SAID.saturating_sub(self.before))
    }
}

impl Call {
    /// Somebody at our microphone begins or ends to talk; it counts while our hand is up and the others hear it.
    pub(super) fn speaks(&mut self, now: Instant, talking: bool) {
        let counts = self
            .current
            .as_ref()
            .is_some_and(|current| current.flows() && current.unmuted && current.hand);
        self.spoken.talks(now, talking && counts);
    }

    pub(super) fn lower_if_due(&mut self, now: Instant, out: &mut Out) {
        if self.spoken.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        self.spoken.forget();
        let Some(current) = &mut self.current else {
            return;
        };
        if !(current.hand && current.unmuted && current.flows()) {
            return;
        }
        current.hand = false;
        let me = current.session.clone();
        for one in &mut current.participants {
            if Some(&one.session) == me.as_ref() {
                one.hand_raised_at = None;
            }
        }
        let intent = CallIntent::RaiseHand(false);
        out.push(Effect::Call(current.number, CallWish::Apply(intent)));
        let again = Command::RaiseHand { raised: true };
        out.notices
            .raise(now, Draft::new("call.hand_served").retry(again));
        out.dirty(Part::Call);
    }
}
