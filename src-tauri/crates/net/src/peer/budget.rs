//! How much may be sent: an estimate from what the other side says about the arrival of our packets.
//!
//! Packets that take longer and longer wait in a queue somewhere: then less must be sent, at once, or voice waits in
//! the same queue. Losses that are more than the odd one mean the same. Otherwise a little more is tried, as long as
//! what is allowed is used at all: a frozen screen sends nothing and proves nothing, so its budget stays as it was.
//!
//! (The stack's own estimator follows the received rate down when nothing is sent, which is most of the time here.)

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rtc::interceptor::{BandwidthEstimator, PacketReport};

/// Bits per second at first: a text screen with voice. A thinner line shows itself within half a second.
pub(super) const START: f64 = 2_000_000.0;
/// Never less: voice and a picture now and then.
const LEAST: f64 = 150_000.0;
/// Never more: beyond that the encoder has nothing to say.
const MOST: f64 = 20_000_000.0;

/// Packets that wait so long in a queue have too many before them.
const QUEUE_HIGH: f64 = 0.100;
/// With so little waiting more may be tried.
const QUEUE_LOW: f64 = 0.040;
/// A packet's shortest way is the shortest of so long: routes change, clocks drift.
const BASE_WINDOW: Duration = Duration::from_secs(15);
/// After a cut its effect must be seen before the next.
const CUT_PAUSE: Duration = Duration::from_millis(300);
/// Losses are counted over so many packets.
const LOSS_WINDOW: u32 = 100;
/// Losses below this are the air's, not ours; above that, a queue overflows.
const LOSS_HIGH: f64 = 0.10;
const LOSS_LOW: f64 = 0.02;
/// The received rate is a mean over this.
const RATE_WINDOW: Duration = Duration::from_millis(1000);

/// The estimate.
#[derive(Debug)]
pub(super) struct Budget {
    target: f64,
    epoch: Option<Instant>,
    /// Shortest ways (seconds, with an unknown constant in it) of this window and the last.
    base: [f64; 2],
    base_since: Option<Instant>,
    /// Packets that arrived, when we heard of it, and their bits.
    arrived: VecDeque<(Instant, f64)>,
    lost: u32,
    seen: u32,
    cut_at: Option<Instant>,
    raised_at: Option<Instant>,
    /// Something was wrong before: from then on more is tried slowly.
    careful: bool,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            target: START,
            epoch: None,
            base: [f64::INFINITY; 2],
            base_since: None,
            arrived: VecDeque::new(),
            lost: 0,
            seen: 0,
            cut_at: None,
            raised_at: None,
            careful: false,
        }
    }

    /// Bits per second that arrived lately.
    fn rate(&self) -> f64 {
        let bits: f64 = self.arrived.iter().map(|(_, bits)| bits).sum();
        bits / RATE_WINDOW.as_secs_f64()
    }

    fn cut(&mut self, now: Instant, to: f64) {
        let early = self
            .cut_at
            .is_some_and(|at| now.saturating_duration_since(at) < CUT_PAUSE);
        if !early {
            self.target = to.min(self.target).clamp(LEAST, MOST);
            self.cut_at = Some(now);
            self.careful = true;
        }
        self.raised_at = Some(now);
    }

    fn raise(&mut self, now: Instant) {
        let since = self.raised_at.replace(now).unwrap_or(now);
        let seconds = now.saturating_duration_since(since).as_secs_f64().min(0.5);
        // What is not used cannot be proved.
        if self.rate() > 0.5 * self.target {
            let growth: f64 = if self.careful { 1.08 } else { 1.5 };
            self.target = (self.target * growth.powf(seconds)).clamp(LEAST, MOST);
        }
    }
}

impl BandwidthEstimator for Budget {
    fn on_reports(&mut self, now: Instant, reports: &[PacketReport]) {
        let epoch = *self.epoch.get_or_insert(now);
        let since = *self.base_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= BASE_WINDOW {
            self.base = [f64::INFINITY, self.base[0]];
            self.base_since = Some(now);
        }
        // The least of the batch: within it our own pictures queue up behind each other, which is no congestion.
        let mut least = f64::INFINITY;
        for report in reports {
            self.seen += 1;
            let Some(arrival) = report.arrival.filter(|_| report.arrived) else {
                self.lost += u32::from(!report.arrived);
                continue;
            };
            self.arrived.push_back((now, report.size as f64 * 8.0));
            // Signed: the first packets left before the first report came.
            let left = match report.departure.checked_duration_since(epoch) {
                Some(after) => after.as_secs_f64(),
                None => -epoch
                    .saturating_duration_since(report.departure)
                    .as_secs_f64(),
            };
            least = least.min(arrival.as_secs_f64() - left);
        }
        while self
            .arrived
            .front()
            .is_some_and(|(at, _)| now.saturating_duration_since(*at) > RATE_WINDOW)
        {
            self.arrived.pop_front();
        }
        if least.is_finite() {
            self.base[0] = self.base[0].min(least);
            let queue = least - self.base[0].min(self.base[1]);
            if queue > QUEUE_HIGH {
                let rate = self.rate();
                self.cut(now, 0.85 * rate.max(0.5 * self.target));
            } else if queue < QUEUE_LOW {
                self.raise(now);
            } else {
                self.raised_at = Some(now);
            }
        }
        if self.seen >= LOSS_WINDOW {
            let loss = f64::from(self.lost) / f64::from(self.seen);
            (self.seen, self.lost) = (0, 0);
            if loss > LOSS_HIGH {
                self.cut(now, self.target * (1.0 - 0.5 * loss));
            } else if loss > LOSS_LOW {
                self.careful = true;
            }
        }
    }

    fn target_bitrate(&self) -> f64 {
        self.target
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rtc::rtcp::transport_feedbacks::cc_feedback_report::Ecn;

    /// Bytes of every packet.
    const SIZE: usize = 1200;
    /// Pace of reports.
    const EVERY: Duration = Duration::from_millis(100);

    /// A line of `capacity` bits per second on which each `loss`th packet is lost (0: none), and to which
    /// `sent(target)` is sent for `seconds`. Gives the longest queue of the last second, in seconds.
    fn run(
        budget: &mut Budget,
        capacity: f64,
        loss: u64,
        seconds: u32,
        sent: impl Fn(f64) -> f64,
    ) -> f64 {
        let start = Instant::now();
        let (mut busy_until, mut id, mut worst) = (0.0_f64, 0_u64, 0.0_f64);
        let mut on_the_way: VecDeque<PacketReport> = VecDeque::new();
        for step in 0..seconds * 10 {
            let bits = sent(budget.target_bitrate()) * EVERY.as_secs_f64();
            let packets = (bits / (SIZE as f64 * 8.0)).ceil() as u32;
            for n in 0..packets {
                let departure = start + EVERY * step + EVERY * n / packets;
                let left = departure.duration_since(start).as_secs_f64();
                busy_until = busy_until.max(left) + SIZE as f64 * 8.0 / capacity;
                id += 1;
                if step + 10 >= seconds * 10 {
                    worst = worst.max(busy_until - left);
                }
                on_the_way.push_back(PacketReport {
                    ssrc: 1,
                    id,
                    rtp_sequence_number: id as u16,
                    is_twcc: true,
                    twcc_sequence_number: id as u16,
                    size: SIZE,
                    arrived: loss == 0 || id % loss != 0,
                    departure,
                    arrival: Some(Duration::from_secs_f64(busy_until)),
                    ecn: Ecn::NotEct,
                });
            }
            // Only what has come can be reported.
            let passed = EVERY * (step + 1);
            let mut reports = Vec::new();
            while on_the_way
                .front()
                .is_some_and(|report| report.arrival <= Some(passed))
            {
                let Some(mut report) = on_the_way.pop_front() else {
                    break;
                };
                report.arrival = report.arrival.filter(|_| report.arrived);
                reports.push(report);
            }
            budget.on_reports(start + passed, &reports);
        }
        worst
    }

    #[test]
    fn a_wide_line_is_used_and_a_thin_one_is_not_filled_up() {
        let mut wide = Budget::new();
        run(&mut wide, 50e6, 0, 10, |target| target);
        assert!(wide.target_bitrate() > 10e6, "{}", wide.target_bitrate());
        let mut thin = Budget::new();
        let queue = run(&mut thin, 600e3, 0, 15, |target| target);
        let target = thin.target_bitrate();
        assert!((200e3..900e3).contains(&target), "{target}");
        assert!(queue < 0.5, "{queue} s of queue");
    }

    #[test]
    fn who_sends_nothing_keeps_what_was_allowed() {
        let mut budget = Budget::new();
        run(&mut budget, 50e6, 0, 60, |_| 20e3);
        assert!((budget.target_bitrate() - START).abs() < 1.0);
    }

    #[test]
    fn losses_of_the_air_are_borne_and_heavy_ones_are_not() {
        let mut air = Budget::new();
        run(&mut air, 50e6, 20, 10, |target| target);
        assert!(air.target_bitrate() > START, "{}", air.target_bitrate());
        let mut heavy = Budget::new();
        run(&mut heavy, 50e6, 4, 10, |target| target);
        assert!(heavy.target_bitrate() < START, "{}", heavy.target_bitrate());
    }
}
