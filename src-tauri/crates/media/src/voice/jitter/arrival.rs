//! How unevenly packets arrive, and hence how long they must wait.

use std::time::Instant;

/// A delay or a span of sound, milliseconds.
pub type Ms = f32;

/// Learns from arrival times how long packets must wait so that nearly all are there in time.
///
/// Each packet's *relative delay* is how much later it came than the fastest one lately, both measured against
/// their timestamps. The wait is the 99 % quantile of these, plus a margin for the grain of our own playout: each packet
/// that is late is heard, once as concealment and once as the cut that makes up for it. It grows at once and shrinks
/// slowly, so that one that comes and goes does not bend the sound each time.
#[derive(Debug)]
pub struct Arrivals {
    first: Option<(Instant, i64)>,
    /// Fastest packet of this period and of the one before, milliseconds after its timestamp.
    fastest: f64,
    fastest_before: f64,
    in_period: u32,
    strikes: u32,
    seen: u32,
    share: [f32; BUCKETS],
    target: Ms,
}

/// Width of a bucket of the histogram, milliseconds.
const WIDTH: Ms = 2.5;
/// Number of buckets; the last one holds everything above.
const BUCKETS: usize = 96;
/// Share of packets that shall be in time without concealment.
const QUANTILE: f32 = 0.99;
/// Weight of the past against the newest packet: 4 s of memory, and a second late packet within that raises the target
/// (2 × 0.5 % reach the quantile).
const MEMORY: f32 = 0.995;
/// The target falls by so much with each packet (2.5 ms in a second at 20 ms)…
const FALL: Ms = 0.05;
/// …or by this share of what it is too high, if that is more…
const FALL_SHARE: f32 = 0.01;
/// …but at once while this few packets are known.
const GUESSING: u32 = 50;
/// The wait is not shorter than this while even fewer are known: a guess that suits a wired network.
const GUESS: Ms = 20.0;
/// Packets in a period over which the fastest one counts: 4 s at 20 ms. Shorter, and a jittery stretch hides it;
/// longer, and a drifting clock (200 ppm: 0.8 ms in 4 s) spoils it.
const PERIOD: u32 = 200;
/// Added to the quantile: playout takes 10 ms at a time, so that a packet finds half of that more or less than the mean,
/// and threads wake a little late.
const MARGIN: Ms = 5.5;
/// What an even network needs: the width of a bucket and the margin.
const LEAST: Ms = 8.0;
/// More makes a conversation impossible; better conceal.
const MOST: Ms = 200.0;
/// Later than this against the fastest packet, above any wait that we would grant: not jitter, but a sender whose clock
/// stood still (some do while muted), or a new path through the network. Either way the fastest packet is history.
const HISTORY: f64 = 300.0;
/// After a pause this much above the wait suffices: nothing is lost by matching the clocks anew.
const FRESH: f64 = 60.0;
/// So many in a row must say so while sound goes on: one may be a straggler.
const STRIKES: u32 = 3;

impl Arrivals {
    /// Nothing is known.
    #[must_use]
    pub fn new() -> Self {
        Self {
            first: None,
            fastest: f64::MAX,
            fastest_before: f64::MAX,
            in_period: 0,
            strikes: 0,
            seen: 0,
            share: [0.0; BUCKETS],
            target: GUESS,
        }
    }

    /// Takes a packet's arrival and timestamp (48 kHz, extended), and says its relative delay. `begins`: it comes after
    /// a pause, over which the sender's clock may have stood still.
    pub fn note(&mut self, arrived: Instant, rtp_time: i64, begins: bool) -> Ms {
        let (epoch, start) = *self.first.get_or_insert((arrived, rtp_time));
        let arrived = match arrived.checked_duration_since(epoch) {
            Some(later) => later.as_secs_f64(),
            None => -epoch.duration_since(arrived).as_secs_f64(),
        } * 1_000.0;
        let delay = arrived - rtp_time.saturating_sub(start) as f64 / 48.0;
        let base = self.fastest.min(self.fastest_before);
        let late = if base == f64::MAX { 0.0 } else { delay - base };
        self.strikes = if late.abs() > HISTORY {
            self.strikes + 1
        } else {
            0
        };
        let new_start = begins && late.abs() > f64::from(self.target) + FRESH;
        if new_start || self.strikes >= STRIKES {
            // Keep what is known of the network's jitter; only the clocks have to be matched anew.
            self.fastest = delay;
            self.fastest_before = f64::MAX;
            self.in_period = 0;
            self.strikes = 0;
            return 0.0;
        }
        if late < -HISTORY {
            // Not yet believed: a single timestamp from the future must not make all others look late.
            return 0.0;
        }
        if late > HISTORY {
            // Not to be waited for, whatever it is.
            return MOST;
        }
        self.fastest = self.fastest.min(delay);
        let late = (delay - self.fastest.min(self.fastest_before)) as Ms;
        self.in_period += 1;
        if self.in_period >= PERIOD {
            self.in_period = 0;
            self.fastest_before = self.fastest;
            self.fastest = f64::MAX;
        }
        self.learn(late);
        late
    }

    /// How long packets should wait, 8 to 200 ms.
    #[must_use]
    pub fn target(&self) -> Ms {
        self.target
    }

    /// A packet was lost, but a later one that came now gives it back: for the wait it is as if it had come as late as
    /// that. Waiting so long is what makes redundancy worth its bits.
    pub fn note_recoverable(&mut self, late: Ms) {
        if late < HISTORY as Ms {
            self.learn(late);
        }
    }

    fn learn(&mut self, late: Ms) {
        // The first packets count for more: all, 1/2, 1/3, … until the memory is full.
        let keep = MEMORY.min(self.seen as f32 / (self.seen as f32 + 1.0));
        self.seen = self.seen.saturating_add(1);
        let bucket = ((late / WIDTH) as usize).min(BUCKETS - 1);
        for share in &mut self.share {
            *share *= keep;
        }
        self.share[bucket] += 1.0 - keep;
        self.settle();
    }

    fn settle(&mut self) {
        let mut sum = 0.0;
        let mut quantile = BUCKETS as Ms * WIDTH;
        for (n, share) in self.share.iter().enumerate() {
            sum += share;
            if sum >= QUANTILE {
                quantile = (n + 1) as Ms * WIDTH;
                break;
            }
        }
        let least = if self.seen < GUESSING / 2 {
            GUESS
        } else {
            LEAST
        };
        let needed = (quantile + MARGIN).clamp(least, MOST);
        let excess = self.target - needed;
        self.target = if excess <= 0.0 || self.seen <= GUESSING {
            needed
        } else {
            self.target - (excess * FALL_SHARE).max(FALL).min(excess)
        };
    }
}

impl Default for Arrivals {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn run(
        arrivals: &mut Arrivals,
        start: Instant,
        from: u64,
        to: u64,
        jitter: impl Fn(u64) -> u64,
    ) {
        for n in from..to {
            let at = start + Duration::from_millis(n * 20 + jitter(n));
            arrivals.note(at, n as i64 * 960, false);
        }
    }

    #[test]
    fn an_even_network_needs_less_than_a_frame() {
        let mut arrivals = Arrivals::new();
        run(&mut arrivals, Instant::now(), 0, 100, |_| 0);
        assert_eq!(arrivals.target(), LEAST);
    }

    #[test]
    fn a_few_late_packets_raise_the_target_and_quiet_lowers_it_again() {
        let mut arrivals = Arrivals::new();
        let start = Instant::now();
        run(&mut arrivals, start, 0, 500, |_| 0);
        run(&mut arrivals, start, 500, 506, |_| 90);
        assert!(arrivals.target() > 90.0, "{}", arrivals.target());
        let high = arrivals.target();
        run(&mut arrivals, start, 506, 606, |_| 0);
        assert_eq!(arrivals.target(), high, "it may come again");
        run(&mut arrivals, start, 606, 1300, |_| 0);
        assert_eq!(arrivals.target(), LEAST);
    }

    #[test]
    fn a_single_straggler_changes_nothing_and_a_second_one_does() {
        let mut arrivals = Arrivals::new();
        let start = Instant::now();
        run(&mut arrivals, start, 0, 1000, |_| 0);
        run(&mut arrivals, start, 1000, 1001, |_| 30);
        run(&mut arrivals, start, 1001, 1050, |_| 0);
        assert_eq!(arrivals.target(), LEAST);
        run(&mut arrivals, start, 1050, 1051, |_| 30);
        run(&mut arrivals, start, 1051, 1052, |_| 30);
        assert!(arrivals.target() > 30.0, "{}", arrivals.target());
    }

    #[test]
    fn a_clock_set_anew_and_wild_timestamps_do_no_harm() {
        let mut arrivals = Arrivals::new();
        let start = Instant::now();
        run(&mut arrivals, start, 0, 100, |_| 0);
        assert_eq!(arrivals.note(start, i64::MAX, false), 0.0);
        arrivals.note(start + Duration::from_secs(9), i64::MIN, false);
        arrivals.note(start - Duration::from_secs(1), 0, true);
        assert!((LEAST..=200.0).contains(&arrivals.target()));
        run(&mut arrivals, start, 100, 500, |_| 0);
        assert_eq!(arrivals.target(), LEAST);
        // The clock stands still for a second and a half, in a pause and in the middle of sound.
        assert_eq!(
            arrivals.note(start + Duration::from_millis(11_500), 500 * 960, true),
            0.0
        );
        run(&mut arrivals, start, 501, 600, |_| 1_500);
        assert_eq!(arrivals.target(), LEAST);
        run(&mut arrivals, start, 600, 700, |_| 3_000);
        assert!(arrivals.target() < 50.0, "{}", arrivals.target());
    }

    #[test]
    fn losses_that_can_be_made_good_are_waited_for() {
        let mut arrivals = Arrivals::new();
        let start = Instant::now();
        run(&mut arrivals, start, 0, 500, |_| 0);
        for n in 500..800u64 {
            // Every tenth is lost, and comes with the next one.
            if n % 10 == 0 {
                arrivals.note_recoverable(20.0);
            } else {
                let at = start + Duration::from_millis(n * 20);
                arrivals.note(at, n as i64 * 960, false);
            }
        }
        assert!(arrivals.target() > 27.0, "{}", arrivals.target());
        run(&mut arrivals, start, 800, 1_600, |_| 0);
        assert_eq!(arrivals.target(), LEAST);
    }
}
