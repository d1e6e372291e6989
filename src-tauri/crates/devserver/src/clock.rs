//! Things that happen later: one ordered list, one task that waits for the next of them.
//!
//! One list instead of a task per timer means nothing is left behind when a call ends early: a timer
//! that no longer applies finds its call or session gone and does nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// What can be due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// A call session has waited long enough for its socket.
    Grace {
        session: String,
        /// Only the newest loss counts.
        generation: u64,
    },
    /// The joins of a big channel are worked off.
    JoinBatch { channel: String },
    /// A removed participant who did not go.
    ForceRemove { session: String },
    /// A call ended by its host in which people linger.
    ForceEnd { call: String },
    /// A DM call that nobody answered.
    NoAnswer { call: String },
    /// The simulated recorder reports.
    RecorderStarts { call: String, job: String },
    /// The recorder had its time.
    RecorderTimeout { call: String, job: String },
    /// The recording's file is ready.
    RecorderPosts {
        channel: String,
        job: String,
        /// How long it was, milliseconds.
        length: i64,
    },
    /// The recording reached its maximum length.
    RecorderMax { call: String, job: String },
    /// Call sessions are checked against their login.
    SessionCheck,
    /// Old closed connections are forgotten.
    Reap,
}

/// The list of timers.
#[derive(Debug)]
pub(crate) struct Timers {
    list: BTreeMap<(Instant, u64), Timer>,
    count: u64,
    wake: Arc<Notify>,
}

impl Timers {
    pub(crate) fn new(wake: Arc<Notify>) -> Self {
        Self {
            list: BTreeMap::new(),
            count: 0,
            wake,
        }
    }

    /// Files a timer.
    pub(crate) fn after(&mut self, delay: Duration, timer: Timer) {
        self.count += 1;
        self.list
            .insert((Instant::now() + delay, self.count), timer);
        self.wake.notify_one();
    }

    /// Takes the next timer that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let key = *self.list.keys().next()?;
        if key.0 <= now {
            self.list.remove(&key)
        } else {
            None
        }
    }

    /// When the next timer is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.list.keys().next().map(|key| key.0)
    }

    /// How many timers wait.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }
}

/// A token bucket: `rate` per second, at most `burst` at once.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    filled: Instant,
    rate: f64,
    burst: f64,
}

impl Bucket {
    pub(crate) fn new(rate: f64, burst: f64) -> Self {
        Self {
            tokens: burst,
            filled: Instant::now(),
            rate,
            burst,
        }
    }

    /// Takes a token, if there is one.
    pub(crate) fn try_take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + passed * self.rate).min(self.burst);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn timers_come_in_order_and_only_when_due() {
        let mut timers = Timers::new(Arc::new(Notify::new()));
        timers.after(Duration::from_secs(2), Timer::Reap);
        timers.after(Duration::from_secs(1), Timer::SessionCheck);
        assert_eq!(timers.pop_due(Instant::now()), None);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(timers.pop_due(Instant::now()), Some(Timer::SessionCheck));
        assert_eq!(timers.pop_due(Instant::now()), Some(Timer::Reap));
        assert_eq!(timers.pop_due(Instant::now()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::new(1.0, 10.0);
        let taken = (0..20).filter(|_| bucket.try_take(Instant::now())).count();
        assert_eq!(taken, 10);
        tokio::time::advance(Duration::from_millis(2100)).await;
        let taken = (0..20).filter(|_| bucket.try_take(Instant::now())).count();
        assert_eq!(taken, 2);
    }
}
