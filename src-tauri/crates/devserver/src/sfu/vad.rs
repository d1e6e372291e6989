//! Voice detection from the levels in the RTP header (RFC 6464), as rtcd's `service/rtc/vad/vad.go` does
//! it: not the level matters but how much it varies.

use std::time::{Duration, Instant};

/// Levels looked at: one second at 20 ms.
const SAMPLES: usize = 50;
/// The voice starts when the levels deviate by more than this many dB.
const ON_DEVIATION: u8 = 10;
/// It ends when they deviate by less than this many dB …
const OFF_DEVIATION: u8 = 4;
/// … and at least this long after it started.
const MIN_ON: Duration = Duration::from_secs(2);

/// The detector of one session.
#[derive(Debug)]
pub(crate) struct Vad {
    levels: Vec<u8>,
    next: usize,
    activated: Option<Instant>,
    voice: bool,
}

impl Vad {
    pub(crate) fn new() -> Self {
        Self {
            levels: Vec::with_capacity(SAMPLES),
            next: 0,
            activated: None,
            voice: false,
        }
    }

    /// Takes the level of a packet (0…127, in −dBov) and tells when the voice started (`true`) or
    /// stopped (`false`). The first 50 levels only fill the window.
    pub(crate) fn push(&mut self, level: u8, now: Instant) -> Option<bool> {
        if self.levels.len() < SAMPLES {
            self.levels.push(level);
            return None;
        }
        self.levels[self.next] = level;
        self.next = (self.next + 1) % SAMPLES;

        let deviation = deviation(&self.levels);
        if !self.voice && deviation > ON_DEVIATION {
            self.activated = Some(now);
            self.voice = true;
            return Some(true);
        }
        let long_enough = self
            .activated
            .is_none_or(|at| now.saturating_duration_since(at) >= MIN_ON);
        if self.voice && deviation < OFF_DEVIATION && long_enough {
            self.voice = false;
            return Some(false);
        }
        None
    }

    /// Forgets everything, as after a mute. rtcd reports "voice off" then, also if it was off.
    pub(crate) fn reset(&mut self) {
        *self = Self::new();
    }
}

/// The standard deviation of a sample; rtcd rounds the mean and the result to whole dB.
fn deviation(levels: &[u8]) -> u8 {
    let count = levels.len() as f64;
    let mean = (levels.iter().map(|level| f64::from(*level)).sum::<f64>() / count).round();
    let squares: f64 = levels
        .iter()
        .map(|level| (f64::from(*level) - mean).powi(2))
        .sum();
    (squares / (count - 1.0)).sqrt().round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(vad: &mut Vad, levels: impl Iterator<Item = u8>, now: &mut Instant) -> Vec<bool> {
        levels
            .filter_map(|level| {
                *now += Duration::from_millis(20);
                vad.push(level, *now)
            })
            .collect()
    }

    #[test]
    fn a_constant_tone_is_no_voice() {
        let mut now = Instant::now();
        let mut vad = Vad::new();
        let said = fed(&mut vad, std::iter::repeat_n(20, 500), &mut now);
        assert!(said.is_empty());
    }

    #[test]
    fn varying_levels_start_the_voice_once_and_steady_ones_end_it() {
        let mut now = Instant::now();
        let mut vad = Vad::new();
        let talk = (0..200).map(|n| if (n / 10) % 2 == 0 { 20 } else { 60 });
        assert_eq!(fed(&mut vad, talk, &mut now), [true]);
        let hush = std::iter::repeat_n(90, 60);
        assert_eq!(fed(&mut vad, hush, &mut now), [false]);
    }

    #[test]
    fn the_voice_stays_on_for_two_seconds() {
        let mut now = Instant::now();
        let mut vad = Vad::new();
        let _ = fed(&mut vad, std::iter::repeat_n(90, 50), &mut now);
        let word = std::iter::repeat_n(30, 8);
        assert_eq!(fed(&mut vad, word, &mut now), [true]);
        let started = now;
        let mut off = None;
        while off.is_none() {
            now += Duration::from_millis(20);
            off = vad.push(90, now);
        }
        assert_eq!(off, Some(false));
        let lasted = now - started;
        assert!(lasted >= Duration::from_millis(1800) && lasted < Duration::from_millis(2200));
    }

    #[test]
    fn a_reset_needs_a_full_window_again() {
        let mut now = Instant::now();
        let mut vad = Vad::new();
        let talk = || (0..60).map(|n| if n % 2 == 0 { 20 } else { 60 });
        assert_eq!(fed(&mut vad, talk(), &mut now), [true]);
        vad.reset();
        assert!(fed(&mut vad, talk().take(50), &mut now).is_empty());
        assert_eq!(fed(&mut vad, talk(), &mut now), [true]);
    }

    #[test]
    fn the_deviation_is_that_of_rtcd() {
        let levels: Vec<u8> = (0..10).map(|n| if n % 2 == 0 { 55 } else { 45 }).collect();
        assert_eq!(deviation(&levels), 5);
        assert_eq!(deviation(&[45; 10]), 0);
    }
}
