//! The server's clock, as far as it can be known from what the server says.

use crate::id::Millis;

/// How far the server's clock is ahead of ours.
///
/// Nothing that the server has stamped can lie in its future, so each stamp is a lower bound for the difference; the
/// stamps of events that have just happened are off by the way to us only (some ten milliseconds). The largest bound
/// is therefore right to that precision as soon as one fresh event was seen; until then the clocks are taken as equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerClock {
    ahead: Option<Millis>,
}

/// A stamp that lies further in our past is not of something that has just happened.
const FRESH: Millis = 24 * 3600 * 1000;

impl ServerClock {
    /// An event with this stamp has just come.
    pub(crate) fn saw(&mut self, stamp: Millis, our_now: Millis) {
        if stamp <= 0 {
            return;
        }
        let bound = stamp.saturating_sub(our_now);
        if bound < -FRESH {
            return;
        }
        self.ahead = Some(self.ahead.map_or(bound, |ahead| ahead.max(bound)));
    }

    /// A time of the server's by our clock; never in our future.
    pub(crate) fn ours(&self, stamp: Millis, our_now: Millis) -> Millis {
        stamp.saturating_sub(self.ahead.unwrap_or(0)).min(our_now)
    }

    /// Now, by the server's clock.
    pub(crate) fn server_now(&self, our_now: Millis) -> Millis {
        our_now.saturating_add(self.ahead.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_began_now_on_a_server_ahead_of_us_began_now() {
        let mut clock = ServerClock::default();
        clock.saw(1_000_000 + 90_000, 1_000_000);
        assert_eq!(clock.ours(1_000_000 + 90_000, 1_000_000), 1_000_000);
        assert_eq!(clock.server_now(1_000_500), 1_090_500);
    }

    #[test]
    fn a_server_behind_us_is_corrected_too() {
        let mut clock = ServerClock::default();
        clock.saw(940_000, 1_000_000);
        assert_eq!(clock.ours(940_000, 1_000_000), 1_000_000);
    }

    #[test]
    fn an_old_event_that_comes_late_does_not_move_the_clock() {
        let mut clock = ServerClock::default();
        clock.saw(1_000_000, 1_000_000);
        clock.saw(1_000_000, 1_020_000);
        assert_eq!(clock.server_now(1_020_000), 1_020_000);
    }

    #[test]
    fn a_start_is_never_in_the_future() {
        assert_eq!(ServerClock::default().ours(2_000, 1_000), 1_000);
        assert_eq!(ServerClock::default().ours(i64::MAX, 1_000), 1_000);
        assert_eq!(ServerClock::default().ours(i64::MIN, 1_000), i64::MIN);
    }
}
