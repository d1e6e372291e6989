//! The numbers of events: what comes next, what is old, what is missing (mattermost-core 12.6).

use calls_core::wire::socket::Event;

/// What is needed to resume a connection.
#[derive(Debug, Default)]
pub(super) struct Resume {
    id: String,
    next: i64,
}

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// The server greets.
    Hello {
        /// With a connection id that we did not have: events before it may be lost.
        fresh: bool,
    },
    /// The one expected.
    Next,
    /// Seen before, or sent before the greeting.
    Old,
    /// One before it is missing.
    Gap,
}

impl Resume {
    /// True once there is something to resume.
    pub(super) fn known(&self) -> bool {
        !self.id.is_empty()
    }

    /// Connection id; empty before the first `hello`.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Number of the next event.
    pub(super) fn next(&self) -> i64 {
        self.next
    }

    /// Starts over: the next connection will be a fresh one.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes an event into account.
    pub(super) fn take(&mut self, event: &Event) -> Taken {
        if event.event == "hello" {
            let id = event.text("connection_id");
            if id.is_empty() {
                return Taken::Old;
            }
            let fresh = id != self.id;
            self.id = id.to_owned();
            self.next = event.seq.saturating_add(1);
            return Taken::Hello { fresh };
        }
        if !self.known() || event.seq < self.next {
            return Taken::Old;
        }
        if event.seq > self.next {
            return Taken::Gap;
        }
        self.next = self.next.saturating_add(1);
        Taken::Next
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use serde_json::json;

    fn event(name: &str, id: &str, seq: i64) -> Event {
        calls_core::wire::from_value(
            json!({"event": name, "data": {"connection_id": id}, "seq": seq}),
        )
        .unwrap()
    }

    #[test]
    fn events_are_taken_in_order_and_gaps_are_noticed() {
        let mut resume = Resume::default();
        assert_eq!(resume.take(&event("typing", "", 0)), Taken::Old);
        assert_eq!(
            resume.take(&event("hello", "a", 0)),
            Taken::Hello { fresh: true }
        );
        assert_eq!(resume.take(&event("typing", "", 1)), Taken::Next);
        assert_eq!(resume.take(&event("typing", "", 1)), Taken::Old);
        assert_eq!(resume.take(&event("typing", "", 3)), Taken::Gap);
        assert_eq!((resume.id(), resume.next()), ("a", 2));
    }

    #[test]
    fn a_new_id_starts_the_numbers_again() {
        let mut resume = Resume::default();
        resume.take(&event("hello", "a", 0));
        resume.take(&event("typing", "", 1));
        assert_eq!(
            resume.take(&event("hello", "b", 0)),
            Taken::Hello { fresh: true }
        );
        assert_eq!((resume.id(), resume.next()), ("b", 1));
        assert_eq!(
            resume.take(&event("hello", "b", 0)),
            Taken::Hello { fresh: false }
        );
        assert_eq!(resume.take(&event("hello", "", 0)), Taken::Old);
    }
}
