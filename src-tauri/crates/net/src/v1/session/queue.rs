//! Whether packets queue up on the way, by the round trip of the data channel.

use std::time::{Duration, Instant};

/// So much longer than the shortest round trip is a queue; a radio link alone varies by a few tens of milliseconds.
const LONG: Duration = Duration::from_millis(150);
/// The shortest of so long counts, and of so long before: a way that has become longer for good is no queue.
const WINDOW: Duration = Duration::from_secs(60);

/// The shortest round trips lately.
#[derive(Debug, Default)]
pub(super) struct Queue {
    since: Option<Instant>,
    least: Option<Duration>,
    before: Option<Duration>,
}

impl Queue {
    /// Takes the round trip that was measured last; says whether it shows a queue.
    pub(super) fn is_long(&mut self, now: Instant, rtt: Option<Duration>) -> bool {
        let Some(rtt) = rtt else {
            return false;
        };
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= WINDOW {
            self.since = Some(now);
            self.before = self.least.take();
        }
        let least = self.least.map_or(rtt, |least| least.min(rtt));
        self.least = Some(least);
        let base = self.before.map_or(least, |before| before.min(least));
        rtt > base + LONG
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_that_grows_is_a_queue_until_it_has_been_so_for_long() {
        let mut queue = Queue::default();
        let start = Instant::now();
        let at = |second: u64| start + Duration::from_secs(second);
        let ms = |ms| Some(Duration::from_millis(ms));
        assert!(!queue.is_long(at(0), None));
        assert!(!queue.is_long(at(1), ms(400)), "nothing to compare with");
        assert!(!queue.is_long(at(2), ms(30)));
        assert!(!queue.is_long(at(3), ms(120)), "a radio link");
        assert!(queue.is_long(at(4), ms(300)));
        assert!(!queue.is_long(at(5), ms(35)));
        assert!(queue.is_long(at(70), ms(300)));
        assert!(!queue.is_long(at(140), ms(300)), "another way");
    }
}
