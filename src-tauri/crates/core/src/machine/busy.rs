//! "Do not disturb" on the server while we are in a call, for those who want that; taken back afterwards.
//!
//! The status belongs to the person. It is set only over the plain one, and whatever they set meanwhile, here or
//! elsewhere, stays as it is. It is given an end, so that a program that was killed leaves it for hours and not for ever.

use crate::id::{Millis, UserId};
use crate::input::Now;
use crate::model::Presence;
use crate::port::Request;

use super::Machine;
use super::out::Asked;

/// The server ends it by itself then, milliseconds. Few calls are longer.
const LONGEST: Millis = 4 * 60 * 60 * 1000;

/// Whose the status is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Busy {
    /// The person's.
    #[default]
    Off,
    /// Ours; whether the server has told of it.
    Ours {
        /// It has.
        seen: bool,
    },
    /// The person has decided otherwise during this call, or the server has refused.
    Theirs,
    /// Being taken back.
    Ending,
    /// Could not be taken back; it is tried again when the connection has been lost and found.
    Owed {
        /// It has been lost.
        lost: bool,
    },
}

impl Machine {
    /// Sets the status, or takes it back; after each input.
    pub(super) fn settle_busy(&mut self, now: Now) {
        if !self.account.is_in() {
            self.busy = Busy::Off;
            return;
        }
        let wanted = self.alerts.settings.busy_in_call && self.call.is_on();
        let me = self.directory.me().clone();
        let presence = self.directory.presence(&me);
        match self.busy {
            Busy::Ours { seen: false } if presence == Presence::Dnd => {
                self.busy = Busy::Ours { seen: true };
            }
            Busy::Ours { seen: true } if presence != Presence::Dnd => self.busy = Busy::Theirs,
            Busy::Owed { .. } if presence != Presence::Dnd => self.busy = Busy::Off,
            Busy::Owed { .. } if !self.link.is_up() => self.busy = Busy::Owed { lost: true },
            _ => {}
        }
        // What was asked is answered first: two at once could come in any order.
        if !self.link.is_up() || self.out.waits(|asked| matches!(asked, Asked::Busy)) {
            return;
        }
        match (self.busy, wanted) {
            (Busy::Off, true) if presence == Presence::Online => {
                let until = self.clock.server_now(now.unix).saturating_add(LONGEST);
                self.ask_presence(me, Presence::Dnd, Some(until));
                self.busy = Busy::Ours { seen: false };
            }
            (Busy::Owed { .. }, true) => self.busy = Busy::Ours { seen: true },
            (Busy::Ours { .. } | Busy::Owed { lost: true }, false) => {
                self.ask_presence(me, Presence::Online, None);
                self.busy = Busy::Ending;
            }
            (Busy::Theirs, false) => self.busy = Busy::Off,
            _ => {}
        }
    }

    fn ask_presence(&mut self, user: UserId, presence: Presence, until: Option<Millis>) {
        let request = Request::SetPresence {
            user,
            presence,
            until,
        };
        self.out.ask(Asked::Busy, request);
    }

    /// Whether what was asked was done.
    pub(super) fn busy_answered(&mut self, done: bool) {
        self.busy = match (self.busy, done) {
            (Busy::Ending, true) => Busy::Off,
            (Busy::Ending, false) => Busy::Owed { lost: false },
            (Busy::Ours { .. }, false) => Busy::Theirs,
            (busy, _) => busy,
        };
    }

    /// The server tells of a status. The second time that it tells the same, the person has set it.
    pub(super) fn busy_told(&mut self, user: &UserId, presence: Presence) {
        let again = presence == Presence::Dnd && self.busy == (Busy::Ours { seen: true });
        if again && user == self.directory.me() {
            self.busy = Busy::Theirs;
        }
    }
}
