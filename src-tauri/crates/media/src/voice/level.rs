//! Loudness: dBov for the network, a meter for eyes, and who speaks.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Loudness relative to the loudest possible signal, in decibels, 0 or less; the reference is a square wave of
/// full scale, so a sine of full scale has −3 dBov (RFC 6465 §3).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Dbov(pub f32);

impl Dbov {
    /// Digital silence, as far as RFC 6464 can say it.
    pub const SILENCE: Self = Self(-127.0);

    /// Loudness of some samples (−1..1).
    #[must_use]
    pub fn of(samples: &[f32]) -> Self {
        if samples.is_empty() {
            return Self::SILENCE;
        }
        let energy: f32 = samples.iter().map(|s| s * s).sum();
        let mean = energy / samples.len() as f32;
        // 10^-12.7 is −127 dBov: below is nothing.
        if mean.is_nan() || mean < 2.0e-13 {
            return Self::SILENCE;
        }
        Self((10.0 * mean.log10()).clamp(-127.0, 0.0))
    }

    /// As the audio-level header extension says it: 0 (loudest) to 127 (silence), −dBov (RFC 6464 §3).
    #[must_use]
    pub fn to_extension(self) -> u8 {
        // Clamped first: the value fits.
        (-self.0).clamp(0.0, 127.0).round() as u8
    }

    /// For meters: 0 (−60 dBov or less) to 1 (0 dBov), logarithmic.
    #[must_use]
    pub fn to_meter(self) -> f32 {
        (1.0 + self.0 / 60.0).clamp(0.0, 1.0)
    }
}

/// The loudness of a room in which nobody speaks: the softest lately.
#[derive(Clone, Copy, Debug, Default)]
pub struct Floor(Option<f32>);

impl Floor {
    /// It rises by so many decibels with every 10 ms: a fan that is switched on is part of the room after some seconds, and
    /// the pauses between words come soon enough to hold it down.
    const RISE: f32 = 0.03;
    /// Somebody is louder than the room by so many decibels.
    const ABOVE: f32 = 9.0;

    /// Takes the loudness of the next 10 ms; says whether it is more than the room.
    pub fn is_exceeded(&mut self, level: Dbov) -> bool {
        let floor = self
            .0
            .map_or(level.0, |floor| level.0.min(floor + Self::RISE));
        self.0 = Some(floor);
        level.0 > floor + Self::ABOVE
    }
}

/// Whether somebody speaks: quick to believe it, slow to give it up, so that it does not flicker between words.
#[derive(Clone, Copy, Debug, Default)]
pub struct Speaking {
    on: bool,
    blocks: u16,
}

impl Speaking {
    /// Louder than this for [`Speaking::ATTACK`] blocks: speaks.
    const ON: Dbov = Dbov(-45.0);
    /// Softer than this for [`Speaking::RELEASE`] blocks: does not. The distance to `ON` is the hysteresis.
    const OFF: Dbov = Dbov(-52.0);
    /// 30 ms: longer than a click of a key.
    const ATTACK: u16 = 3;
    /// 400 ms: longer than the stop between two words.
    const RELEASE: u16 = 40;

    /// Takes the loudness of the next 10 ms and says whether there is speech.
    pub fn update(&mut self, level: Dbov) -> bool {
        let towards_change = if self.on {
            level < Self::OFF
        } else {
            level > Self::ON
        };
        self.blocks = if towards_change { self.blocks + 1 } else { 0 };
        let needed = if self.on { Self::RELEASE } else { Self::ATTACK };
        if self.blocks >= needed {
            self.on = !self.on;
            self.blocks = 0;
        }
        self.on
    }
}

/// A meter that the voice thread writes and anybody reads, without a lock.
#[derive(Debug, Default)]
pub struct Meter {
    level: AtomicU32,
    speaking: AtomicBool,
}

impl Meter {
    /// Falls by this factor every 10 ms: half in about 140 ms, so that a reader at 10 Hz sees each syllable.
    const FALL: f32 = 0.95;

    /// Takes the loudness of the next 10 ms.
    pub fn update(&self, level: Dbov, speaking: bool) {
        let old = f32::from_bits(self.level.load(Ordering::Relaxed));
        let mut new = level.to_meter().max(old * Self::FALL);
        if new < 0.001 {
            new = 0.0;
        }
        self.level.store(new.to_bits(), Ordering::Relaxed);
        self.speaking.store(speaking, Ordering::Relaxed);
    }

    /// Back to nothing.
    pub fn clear(&self) {
        self.level.store(0, Ordering::Relaxed);
        self.speaking.store(false, Ordering::Relaxed);
    }

    /// 0 (silence) to 1 (full scale), logarithmic over 60 dB.
    #[must_use]
    pub fn level(&self) -> f32 {
        f32::from_bits(self.level.load(Ordering::Relaxed))
    }

    /// Whether there is speech.
    #[must_use]
    pub fn speaking(&self) -> bool {
        self.speaking.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(amplitude: f32) -> Vec<f32> {
        (0..4800)
            .map(|n| amplitude * (n as f32 * 440.0 * std::f32::consts::TAU / 48_000.0).sin())
            .collect()
    }

    #[test]
    fn a_full_scale_sine_is_three_decibels_below_overload() {
        assert_eq!(Dbov::of(&sine(1.0)).to_extension(), 3);
        assert_eq!(Dbov::of(&sine(0.1)).to_extension(), 23);
        assert_eq!(Dbov::of(&[1.0; 480]).to_extension(), 0);
        assert_eq!(Dbov::of(&[0.0; 480]).to_extension(), 127);
        assert_eq!(Dbov::of(&[]).to_extension(), 127);
        assert_eq!(Dbov::of(&[f32::NAN]).to_extension(), 127);
    }

    #[test]
    fn a_room_is_not_louder_than_itself_and_a_voice_in_it_is() {
        let mut floor = Floor::default();
        // A fan at −40 dBov, then somebody at −22 dBov in words of 300 ms, then a louder fan.
        assert!((0..500).all(|n| !floor.is_exceeded(Dbov(-40.0 + (n % 3) as f32))));
        let words = (0..1000).filter(|n| n % 50 < 30);
        let heard = words
            .filter(|_| {
                let spoken = floor.is_exceeded(Dbov(-22.0));
                floor.is_exceeded(Dbov(-40.0));
                spoken
            })
            .count();
        assert_eq!(heard, 600);
        let fan = (0..1000).filter(|_| floor.is_exceeded(Dbov(-28.0))).count();
        assert!(fan < 200, "for {fan} blocks a fan is somebody");
    }

    #[test]
    fn the_meter_spans_sixty_decibels_and_falls_slowly() {
        assert_eq!(Dbov(0.0).to_meter(), 1.0);
        assert_eq!(Dbov(-30.0).to_meter(), 0.5);
        assert_eq!(Dbov(-90.0).to_meter(), 0.0);
        let meter = Meter::default();
        meter.update(Dbov(-6.0), true);
        for _ in 0..10 {
            meter.update(Dbov::SILENCE, false);
        }
        assert!(meter.level() > 0.4, "a syllable 100 ms ago is still seen");
        for _ in 0..200 {
            meter.update(Dbov::SILENCE, false);
        }
        assert_eq!(meter.level(), 0.0);
    }

    #[test]
    fn a_click_is_not_speech_and_a_short_pause_does_not_end_it() {
        let mut speaking = Speaking::default();
        assert!(!speaking.update(Dbov(-10.0)));
        assert!(!speaking.update(Dbov(-80.0)));
        for _ in 0..3 {
            speaking.update(Dbov(-30.0));
        }
        assert!(speaking.update(Dbov(-30.0)));
        for _ in 0..30 {
            assert!(speaking.update(Dbov(-80.0)));
        }
        for _ in 0..20 {
            speaking.update(Dbov(-80.0));
        }
        assert!(!speaking.update(Dbov(-80.0)));
    }
}
