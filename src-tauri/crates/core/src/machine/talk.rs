//! Push to talk: the microphone is open while a key is held, and a moment longer.

use std::time::{Duration, Instant};

/// The key, as far as it has opened the microphone.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    /// The key opened the microphone; when it closes, if the key was let go.
    opened: Option<Option<Instant>>,
}

/// What becomes of the microphone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It opens.
    Open,
    /// It stays as it is.
    Keep,
}

impl Talk {
    /// The key went down or up. `muted`: the microphone is off; `tail`: how long it stays open after the key.
    pub(crate) fn key(&mut self, now: Instant, held: bool, muted: bool, tail: Duration) -> Gate {
        match (held, &mut self.opened) {
            // Who talks already goes on talking: the key changes nothing.
            (true, None) if !muted => Gate::Keep,
            (true, None) => {
                self.opened = Some(None);
                Gate::Open
            }
            // Pressed again within the tail.
            (true, Some(closes)) => {
                *closes = None;
                Gate::Keep
            }
            (false, Some(closes)) => {
                *closes = Some(now + tail);
                Gate::Keep
            }
            (false, None) => Gate::Keep,
        }
    }

    /// True when the microphone is to be closed now.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> bool {
        let over = matches!(self.opened, Some(Some(at)) if at <= now);
        if over {
            self.opened = None;
        }
        over
    }

    /// The person used the mute button: the key has nothing to undo.
    pub(crate) fn forget(&mut self) {
        self.opened = None;
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.opened.flatten()
    }
}
