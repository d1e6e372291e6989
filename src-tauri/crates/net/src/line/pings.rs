//! The pace of application pings.

use std::time::Duration;

use tokio::time::Instant;

/// The pace of application pings.
pub(super) struct Pings {
    every: Duration,
    /// When the next one is due.
    pub(super) next: Instant,
    waiting: Option<i64>,
}

impl Pings {
    /// The first one is due at once.
    pub(super) fn new(every: Duration) -> Self {
        Self {
            every,
            next: Instant::now(),
            waiting: None,
        }
    }

    /// The moment has come: true if a ping with this number is to be sent, false if the last one is unanswered.
    pub(super) fn due(&mut self, seq: i64) -> bool {
        self.next = Instant::now() + self.every;
        self.waiting.replace(seq).is_none()
    }

    /// Asks at once, and gives up after so long: whoever waits has a reason to doubt. False if a ping is under way,
    /// which then has only so long yet.
    pub(super) fn hurry(&mut self, seq: i64, patience: Duration) -> bool {
        self.next = Instant::now() + patience;
        if self.waiting.is_some() {
            return false;
        }
        self.waiting = Some(seq);
        true
    }

    /// An answer came: true if it is to the ping under way.
    pub(super) fn answered(&mut self, seq: i64) -> bool {
        let mine = self.waiting == Some(seq);
        if mine {
            self.waiting = None;
        }
        mine
    }
}
