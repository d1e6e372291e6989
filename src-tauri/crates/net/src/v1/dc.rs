//! The data channel's own little duties: pings, and figures for the server every ten seconds.

use std::time::{Duration, Instant};

use calls_core::wire::dc::Message;

/// Pace of pings at first (calls-common's, for good).
const PING: Duration = Duration::from_secs(1);
/// Pace later. The round trip is told every ten seconds, and the server needs no pings; one each second is most of what a
/// muted client sends.
const CALM_PING: Duration = Duration::from_secs(10);
/// So many pings come at the first pace.
const EAGER: u32 = 5;
/// Pace of figures (calls-common's monitor).
const FIGURES: Duration = Duration::from_secs(10);

/// What the server is told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    /// Share of packets lost, 0..1; `None` when nothing was received or reported.
    pub(crate) loss: Option<f64>,
    /// Jitter, seconds; `None` likewise.
    pub(crate) jitter: Option<f64>,
}

/// The heart of an open data channel.
#[derive(Debug)]
pub(crate) struct Beat {
    ping_at: Instant,
    figures_at: Instant,
    pinged: Option<Instant>,
    pings: u32,
    rtt: Option<Duration>,
}

impl Beat {
    /// A channel that opened now.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            ping_at: now,
            figures_at: now + FIGURES,
            pinged: None,
            pings: 0,
            rtt: None,
        }
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Instant {
        self.ping_at.min(self.figures_at)
    }

    /// What to send now; `figures` is asked only when they are due.
    pub(crate) fn tick(&mut self, now: Instant, figures: impl FnOnce() -> Figures) -> Vec<Message> {
        let mut messages = Vec::new();
        if now >= self.ping_at {
            // A late pong must not be taken for the answer to this ping.
            self.pings = self.pings.saturating_add(1);
            self.ping_at = now + if self.pings < EAGER { PING } else { CALM_PING };
            self.pinged = Some(now);
            messages.push(Message::Ping);
        }
        if now >= self.figures_at {
            self.figures_at = now + FIGURES;
            let figures = figures();
            let rtt = self.rtt.map(|rtt| rtt.as_secs_f64());
            messages.extend(figures.loss.map(Message::LossRate));
            messages.extend(rtt.filter(|rtt| *rtt > 0.0).map(Message::RoundTripTime));
            let jitter = figures.jitter.filter(|jitter| *jitter > 0.0);
            messages.extend(jitter.map(Message::Jitter));
        }
        messages
    }

    /// The answer to a ping.
    pub(crate) fn pong(&mut self, now: Instant) {
        if let Some(pinged) = self.pinged.take() {
            self.rtt = Some(now.saturating_duration_since(pinged));
        }
    }

    /// The last round trip measured.
    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_each_second_at_first_then_rarely_and_measures_the_round_trip() {
        let start = Instant::now();
        let mut beat = Beat::new(start);
        let mut pings = 0;
        for ms in 0..24_500 {
            let now = start + Duration::from_millis(ms);
            if now >= beat.deadline() {
                let messages = beat.tick(now, Figures::default);
                if !messages.contains(&Message::Ping) {
                    continue;
                }
                pings += 1;
                beat.pong(now + Duration::from_millis(12));
                beat.pong(now + Duration::from_millis(500));
                assert_eq!(beat.rtt(), Some(Duration::from_millis(12)));
            }
        }
        // At 0, 1, 2, 3 and 4 s, then at 14 and 24 s.
        assert_eq!(pings, 7);
    }

    #[test]
    fn figures_follow_every_ten_seconds_and_unknown_ones_are_left_out() {
        let start = Instant::now();
        let mut beat = Beat::new(start);
        beat.tick(start, Figures::default);
        beat.pong(start + Duration::from_millis(40));
        let figures = || Figures {
            loss: Some(0.0),
            jitter: None,
        };
        assert_eq!(
            beat.tick(start + FIGURES, figures),
            [
                Message::Ping,
                Message::LossRate(0.0),
                Message::RoundTripTime(0.04)
            ]
        );
    }
}
