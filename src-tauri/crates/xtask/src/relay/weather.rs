//! What happens to each packet: decided from a seed, packet by packet, without a clock of its own.

use std::time::{Duration, Instant};

use serde_json::Value;

/// What the network shall be like.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Forecast {
    /// Where chance begins.
    pub(crate) seed: u64,
    /// Share of packets that get lost, 0..1.
    pub(crate) loss: f64,
    /// Mean number of packets lost in a row; up to 1 means that losses know nothing of each other.
    pub(crate) burst: f64,
    /// Delay of every packet, milliseconds.
    pub(crate) delay_ms: f64,
    /// Delay of each packet on top, evenly from 0 to this, milliseconds. The order is kept.
    pub(crate) jitter_ms: f64,
}

impl Forecast {
    /// Reads an order; what is left out, or makes no sense, is 0.
    pub(crate) fn read(order: &Value) -> Self {
        let number = |key: &str| {
            order[key]
                .as_f64()
                .filter(|value| value.is_finite() && *value >= 0.0)
                .unwrap_or(0.0)
        };
        Self {
            seed: order["seed"].as_u64().unwrap_or(0),
            loss: number("loss").min(1.0),
            burst: number("burst").min(1_000.0),
            delay_ms: number("delay_ms").min(10_000.0),
            jitter_ms: number("jitter_ms").min(10_000.0),
        }
    }
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fate {
    /// It goes on at once.
    Now,
    /// It goes on then.
    At(Instant),
    /// It does not go on.
    Lost,
}

/// Decides for one packet after the other.
#[derive(Debug)]
pub(crate) struct Weather {
    forecast: Forecast,
    state: u64,
    /// In a burst of losses.
    raining: bool,
    /// The last delivery; none is earlier.
    last: Option<Instant>,
}

impl Weather {
    pub(crate) fn new(forecast: Forecast) -> Self {
        Self {
            forecast,
            state: forecast.seed,
            raining: false,
            last: None,
        }
    }

    /// Evenly from 0 to 1 (SplitMix64, Steele et al. 2014).
    fn chance(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The fate of the next packet, which is here `now`.
    pub(crate) fn next(&mut self, now: Instant) -> Fate {
        // Two draws for every packet, whatever becomes of it: the n-th packet has the same luck in every run.
        let (luck, wait) = (self.chance(), self.chance());
        let Forecast {
            loss,
            burst,
            delay_ms,
            jitter_ms,
            ..
        } = self.forecast;
        let lost = if burst > 1.0 {
            // Gilbert's model: out of the rain with 1/burst, into it so that the share comes out.
            let enter = (loss / burst / (1.0 - loss).max(1e-9)).min(1.0);
            self.raining = if self.raining {
                luck >= 1.0 / burst
            } else {
                luck < enter
            };
            self.raining
        } else {
            luck < loss
        };
        if lost {
            return Fate::Lost;
        }
        let delay = delay_ms + wait * jitter_ms;
        if delay <= 0.0 && self.last.is_none_or(|last| last <= now) {
            return Fate::Now;
        }
        let at = now + Duration::from_secs_f64(delay / 1_000.0);
        let at = self.last.map_or(at, |last| last.max(at));
        self.last = Some(at);
        Fate::At(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(forecast: Forecast, count: usize) -> Vec<Fate> {
        let mut weather = Weather::new(forecast);
        let start = Instant::now();
        (0..count as u64)
            .map(|n| weather.next(start + Duration::from_millis(n * 20)))
            .collect()
    }

    #[test]
    fn fair_weather_lets_everything_pass_at_once() {
        assert!(
            fates(Forecast::default(), 100)
                .iter()
                .all(|fate| *fate == Fate::Now)
        );
    }

    #[test]
    fn the_share_comes_out_alone_and_in_bursts_and_the_same_seed_gives_the_same() {
        for burst in [0.0, 3.0] {
            let forecast = Forecast {
                seed: 5,
                loss: 0.2,
                burst,
                ..Forecast::default()
            };
            let lost: Vec<bool> = fates(forecast, 20_000)
                .iter()
                .map(|fate| *fate == Fate::Lost)
                .collect();
            let share = lost.iter().filter(|lost| **lost).count() as f64 / 20_000.0;
            assert!((share - 0.2).abs() < 0.02, "{share}");
            let runs = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
            let length = share * 20_000.0 / runs as f64;
            let expected = if burst > 1.0 { burst } else { 1.25 };
            assert!((length - expected).abs() < 0.3, "{length} in a row");
            let again: Vec<bool> = fates(forecast, 20_000)
                .iter()
                .map(|fate| *fate == Fate::Lost)
                .collect();
            assert_eq!(lost, again);
        }
    }

    #[test]
    fn jitter_keeps_the_order_and_its_bounds() {
        let forecast = Forecast {
            delay_ms: 20.0,
            jitter_ms: 100.0,
            ..Forecast::default()
        };
        let mut weather = Weather::new(forecast);
        let start = Instant::now();
        let mut last = start;
        for n in 0..1_000 {
            let now = start + Duration::from_millis(n * 20);
            let Fate::At(at) = weather.next(now) else {
                panic!("no delay");
            };
            assert!(at >= last && at >= now + Duration::from_millis(20));
            assert!(at <= now + Duration::from_millis(121));
            last = at;
        }
    }

    #[test]
    fn nonsense_is_fair_weather() {
        let order = serde_json::json!({"loss": -1, "jitter_ms": "much", "seed": 1.5});
        assert_eq!(Forecast::read(&order), Forecast::default());
    }
}
