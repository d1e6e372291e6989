//! "It sounds as if you are talking": somebody who speaks while muted is told, not too soon and not too often.

use std::time::{Duration, Instant};

use crate::command::Command;

use super::super::notices::Draft;
use super::super::out::Out;
use super::Call;

/// So long somebody must talk on end: a cough and a word to the neighbour are shorter.
const LONG: Duration = Duration::from_millis(1500);

/// Between two hints: whoever talks to the room for an hour is not nagged.
const PAUSE: Duration = Duration::from_secs(30);

/// Listens for talking at a closed gate.
#[derive(Debug, Default)]
pub(super) struct Hint {
    /// Since when they talk.
    since: Option<Instant>,
    /// The last hint.
    given: Option<Instant>,
    /// When to give the next one, should they go on.
    due: Option<Instant>,
}

impl Hint {
    fn talks(&mut self, now: Instant, talking: bool) {
        self.since = talking.then(|| self.since.unwrap_or(now));
        self.due = self.since.map(|since| {
            let rested = self.given.map_or(since, |given| given + PAUSE);
            (since + LONG).max(rested)
        });
    }

    /// What was said so far does not count: they have just muted themselves, or have left.
    pub(super) fn quiet(&mut self) {
        self.since = None;
        self.due = None;
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }
}

impl Call {
    /// Somebody at our microphone begins or ends to talk.
    pub(crate) fn talking(&mut self, now: Instant, talking: bool) {
        let muted = self
            .current
            .as_ref()
            .is_some_and(|current| current.flows() && !current.unmuted);
        self.hint
            .talks(now, talking && muted && self.preferences.talking_hint);
        self.speaks(now, talking);
    }

    pub(super) fn hint_if_due(&mut self, now: Instant, out: &mut Out) {
        if self.hint.due.is_none_or(|due| due > now) {
            return;
        }
        self.hint.due = None;
        let muted = self
            .current
            .as_ref()
            .is_some_and(|current| current.flows() && !current.unmuted);
        if muted && self.preferences.talking_hint {
            self.hint.given = Some(now);
            let unmute = Command::SetMuted { muted: false };
            out.notices
                .raise(now, Draft::new("call.talking_muted").retry(unmute));
        }
    }
}
