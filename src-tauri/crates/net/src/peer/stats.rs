//! Figures of the connection, from the packets themselves: the stack's own are in odd units, or missing.

use std::time::{Duration, Instant};

use calls_core::model::StreamStats;

/// A jump of the sequence number larger than this is a restart, not a loss (RFC 3550 appendix A.1 has 3000).
const MAX_JUMP: i16 = 3000;

/// Reception of one RTP stream (RFC 3550 appendix A.3 and A.8).
#[derive(Debug)]
pub(crate) struct Reception {
    clock: f64,
    begun: bool,
    last: u16,
    /// Packets that should have come, and that came, since the last interval.
    expected: u64,
    received: u64,
    transit: Option<(Instant, u32)>,
    /// Seconds.
    jitter: f64,
    totals: Totals,
}

/// What a stream has counted since it began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    expected: u64,
    packets: u64,
    bytes: u64,
}

impl Totals {
    /// A packet was sent.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }

    /// As they are told.
    pub(crate) fn told(&self, ssrc: u32) -> StreamStats {
        StreamStats {
            ssrc,
            packets: self.packets,
            bytes: self.bytes,
            ..StreamStats::default()
        }
    }
}

impl Reception {
    /// A stream with this RTP clock in hertz.
    pub(crate) fn new(clock: u32) -> Self {
        Self {
            clock: f64::from(clock),
            begun: false,
            last: 0,
            expected: 0,
            received: 0,
            transit: None,
            jitter: 0.0,
            totals: Totals::default(),
        }
    }

    /// Bytes of the packet that just came.
    pub(crate) fn weighed(&mut self, bytes: usize) {
        self.totals.bytes += bytes as u64;
    }

    /// Everything since the stream began, but for what has come since the last interval.
    pub(crate) fn told(&self, ssrc: u32, video: bool) -> StreamStats {
        let Totals {
            expected, packets, ..
        } = self.totals;
        StreamStats {
            video,
            lost: expected.saturating_sub(packets),
            jitter: self.jitter,
            ..self.totals.told(ssrc)
        }
    }

    /// A packet came.
    pub(crate) fn packet(&mut self, seq: u16, rtp_time: u32, marker: bool, arrived: Instant) {
        let step = seq.wrapping_sub(self.last).cast_signed();
        self.received += 1;
        if !self.begun || step.checked_abs().is_none_or(|step| step > MAX_JUMP) {
            self.begun = true;
            self.last = seq;
            self.expected += 1;
            self.transit = None;
        } else if step > 0 {
            self.last = seq;
            self.expected += u64::from(step.unsigned_abs());
        }
        // After a pause neither the sender's nor our clock says anything about the way.
        if let Some((before, time)) = self.transit
            && !marker
        {
            let way = arrived.saturating_duration_since(before).as_secs_f64();
            let sent = f64::from(rtp_time.wrapping_sub(time).cast_signed()) / self.clock;
            let difference = (way - sent).abs();
            // More than a second between two packets is a pause as well.
            if difference < 1.0 {
                self.jitter += (difference - self.jitter) / 16.0;
            }
        }
        self.transit = Some((arrived, rtp_time));
    }

    fn interval(&mut self) -> (u64, u64) {
        let figures = (self.expected, self.received);
        self.totals.expected += self.expected;
        self.totals.packets += self.received;
        (self.expected, self.received) = (0, 0);
        figures
    }
}

/// What the other side says about our voice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Report {
    /// Share lost, 0..1.
    pub(crate) loss: f32,
    /// Jitter, seconds.
    pub(crate) jitter: f64,
}

/// The figures of one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Interval {
    /// Share of packets lost on the way to us, 0..1; `None` if none was expected.
    pub(crate) loss: Option<f32>,
    /// Mean jitter of the streams heard, seconds.
    pub(crate) jitter: Option<f64>,
    /// Bits per second.
    pub(crate) bitrate_in: u32,
    /// Bits per second.
    pub(crate) bitrate_out: u32,
    /// The newest report about our voice.
    pub(crate) report: Option<Report>,
}

/// Adds up what passes.
#[derive(Debug)]
pub(crate) struct Meter {
    since: Instant,
    bytes_in: u64,
    bytes_out: u64,
    report: Option<Report>,
}

impl Meter {
    /// Starts measuring.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            since: now,
            bytes_in: 0,
            bytes_out: 0,
            report: None,
        }
    }

    /// Bytes that came.
    pub(crate) fn came(&mut self, bytes: usize) {
        self.bytes_in += bytes as u64;
    }

    /// Bytes that went.
    pub(crate) fn went(&mut self, bytes: usize) {
        self.bytes_out += bytes as u64;
    }

    /// A receiver report about our voice.
    pub(crate) fn reported(&mut self, report: Report) {
        self.report = Some(report);
    }

    /// Ends the interval and starts the next.
    pub(crate) fn measure<'a>(
        &mut self,
        now: Instant,
        streams: impl Iterator<Item = &'a mut Reception>,
    ) -> Interval {
        let (mut expected, mut received, mut heard, mut jitter) = (0_u64, 0_u64, 0_u32, 0.0);
        for stream in streams {
            let (e, r) = stream.interval();
            if r > 0 {
                heard += 1;
                jitter += stream.jitter;
            }
            expected += e;
            received += r;
        }
        let seconds = now
            .saturating_duration_since(self.since)
            .max(Duration::from_millis(1))
            .as_secs_f64();
        let interval = Interval {
            loss: (expected > 0).then(|| {
                // Duplicates and late ones can make more of them than expected.
                let lost = expected.saturating_sub(received);
                lost as f32 / expected as f32
            }),
            jitter: (heard > 0).then(|| jitter / f64::from(heard)),
            bitrate_in: rate(self.bytes_in, seconds),
            bitrate_out: rate(self.bytes_out, seconds),
            report: self.report.take(),
        };
        (self.bytes_in, self.bytes_out, self.since) = (0, 0, now);
        interval
    }
}

fn rate(bytes: u64, seconds: f64) -> u32 {
    (bytes as f64 * 8.0 / seconds) as u32
}

/// Mean opinion score, 1 to 4.5, by the official client's formula (signaling 6).
pub(crate) fn mos(rtt: Duration, jitter: f64, loss: f64) -> f32 {
    let latency = rtt.as_secs_f64() * 1000.0 / 2.0;
    let effective = latency + 2.0 * jitter * 1000.0 + 10.0;
    let r = if effective < 160.0 {
        93.2 - effective / 40.0
    } else {
        93.2 - (effective - 120.0) / 10.0
    };
    let r = r - 2.5 * loss * 100.0;
    let score = if r < 0.0 {
        1.0
    } else if r > 100.0 {
        4.5
    } else {
        1.0 + 0.035 * r + 7e-6 * r * (r - 60.0) * (100.0 - r)
    };
    score as f32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn feed(seqs: impl IntoIterator<Item = u16>) -> (u64, u64) {
        let now = Instant::now();
        let mut reception = Reception::new(48_000);
        for seq in seqs {
            reception.packet(seq, 0, false, now);
        }
        reception.interval()
    }

    #[test]
    fn losses_are_counted_across_the_wrap_and_late_ones_make_up() {
        assert_eq!(feed([65_534, 65_535, 0, 1]), (4, 4));
        assert_eq!(feed([65_534, 1, 0]), (4, 3));
        assert_eq!(feed([10, 11, 13, 12, 14]), (5, 5));
        assert_eq!(feed([10, 10, 10]), (1, 3));
        assert_eq!(feed([10, 40_000, 40_001]), (3, 3), "a restart is no loss");
        assert_eq!(feed([0, 32_768]), (2, 2));
    }

    #[test]
    fn an_even_stream_has_no_jitter_and_an_uneven_one_has_its_own() {
        let start = Instant::now();
        let run = |shake: u64| {
            let mut reception = Reception::new(48_000);
            for n in 0..500_u16 {
                let late = if n % 2 == 0 { 0 } else { shake };
                let arrived = start + Duration::from_millis(u64::from(n) * 20 + late);
                reception.packet(n, u32::from(n) * 960, false, arrived);
            }
            reception.jitter
        };
        assert!(run(0) < 1e-6);
        assert!((run(8) - 0.008).abs() < 5e-4, "{}", run(8));
    }

    #[test]
    fn a_pause_is_no_jitter() {
        let start = Instant::now();
        let mut reception = Reception::new(48_000);
        reception.packet(1, 0, false, start);
        reception.packet(2, 960, true, start + Duration::from_secs(5));
        reception.packet(3, 1920, false, start + Duration::from_secs(50));
        assert!(reception.jitter < 1e-9);
    }

    #[test]
    fn an_interval_has_rates_and_shares_and_starts_the_next_one() {
        let start = Instant::now();
        let mut meter = Meter::new(start);
        let mut stream = Reception::new(48_000);
        for seq in [1, 2, 3, 5] {
            stream.packet(seq, u32::from(seq) * 960, false, start);
        }
        meter.came(1000);
        meter.went(500);
        let now = start + Duration::from_secs(2);
        let interval = meter.measure(now, std::iter::once(&mut stream));
        assert_eq!(interval.loss, Some(0.2));
        assert_eq!((interval.bitrate_in, interval.bitrate_out), (4000, 2000));
        let next = meter.measure(now + Duration::from_secs(1), std::iter::once(&mut stream));
        assert_eq!(next, Interval::default());
    }

    #[test]
    fn the_score_follows_the_formula() {
        let score = |ms, jitter, loss| mos(Duration::from_millis(ms), jitter, loss);
        assert!((score(0, 0.0, 0.0) - 4.40).abs() < 0.01);
        assert!((score(40, 0.005, 0.01) - 4.33).abs() < 0.05);
        assert!(score(400, 0.03, 0.05) < 3.5);
        assert!((score(60_000, 1.0, 1.0) - 1.0).abs() < f32::EPSILON);
    }
}
