//! The account's WebSocket: up, down, and when to load everything again.

use std::time::{Duration, Instant};

use crate::command::Command;
use crate::snapshot::Link as State;

use super::notices::Draft;
use super::out::{Out, Part};

/// A loss is told only from this try on: the first usually succeeds, and a notice that flashes by helps nobody.
const TOLD_FROM: u32 = 2;

/// The part of the machine that knows the link.
#[derive(Debug, Default)]
pub(crate) struct Link {
    state: State,
    /// When the wait between two tries ends.
    next_try: Option<Instant>,
}

impl Link {
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn is_up(&self) -> bool {
        self.state == State::Up
    }

    fn set(&mut self, state: State, out: &mut Out) {
        self.state = state;
        out.dirty(Part::Link);
    }

    /// The socket is being opened.
    pub(crate) fn opening(&mut self, out: &mut Out) {
        self.next_try = None;
        self.set(State::Connecting, out);
    }

    /// The account is gone, and the socket with it.
    pub(crate) fn closed(&mut self, out: &mut Out) {
        self.next_try = None;
        out.notices.solve("link.lost");
        self.set(State::Down, out);
    }

    pub(crate) fn up(&mut self, now: Instant, server: &str, out: &mut Out) {
        self.next_try = None;
        out.notices.solve("server.untrusted");
        out.notices.solve("server.changed");
        if out.notices.shows("link.lost") {
            out.notices.solve("link.lost");
            out.notices
                .raise(now, Draft::new("link.back").value("server", server));
        }
        self.set(State::Up, out);
    }

    pub(crate) fn down(
        &mut self,
        now: Instant,
        attempt: u32,
        retry_in: Duration,
        server: &str,
        out: &mut Out,
    ) {
        let seconds = u32::try_from(retry_in.as_secs_f32().ceil() as u64).unwrap_or(u32::MAX);
        self.next_try = now.checked_add(retry_in);
        if attempt >= TOLD_FROM {
            out.notices.solve("link.back");
            let notice = Draft::new("link.lost")
                .value("server", server)
                .value("seconds", seconds.to_string())
                .retry(Command::Reconnect);
            out.notices.raise(now, notice);
        }
        self.set(
            State::Lost {
                retry_in: seconds,
                attempt,
            },
            out,
        );
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Out) {
        if self.next_try.is_some_and(|at| now >= at) {
            self.next_try = None;
            if matches!(self.state, State::Lost { .. }) {
                self.set(State::Connecting, out);
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next_try
    }
}
