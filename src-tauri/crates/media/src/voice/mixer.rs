//! All voices into one: gains, sum, limiter.

use crate::block::{BLOCK, Block};

/// How loud a voice is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volume(f32);

impl Volume {
    /// As it comes.
    pub const UNITY: Self = Self(1.0);

    /// Per cent; more than 200 is taken for 200.
    #[must_use]
    pub fn from_percent(percent: u16) -> Self {
        Self(f32::from(percent.min(200)) / 100.0)
    }
}

impl Default for Volume {
    fn default() -> Self {
        Self::UNITY
    }
}

/// One voice's way into the mix: a gain that moves without clicks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fader {
    wanted: Volume,
    now: Volume,
}

impl Fader {
    /// A fader that stands at this volume.
    #[must_use]
    pub fn at(volume: Volume) -> Self {
        Self {
            wanted: volume,
            now: volume,
        }
    }

    /// Moves within the next block.
    pub fn set(&mut self, volume: Volume) {
        self.wanted = volume;
    }

    /// Applies the gain.
    pub fn apply(&mut self, block: &mut [f32; BLOCK]) {
        let (from, to) = (self.now.0, self.wanted.0);
        if from == to {
            if to != 1.0 {
                for sample in block.iter_mut() {
                    *sample *= to;
                }
            }
        } else {
            for (n, sample) in block.iter_mut().enumerate() {
                *sample *= from + (to - from) * n as f32 / BLOCK as f32;
            }
            self.now = self.wanted;
        }
    }
}

/// Sums voices and keeps the sum below full scale.
#[derive(Debug)]
pub struct Mixer {
    sum: [f32; BLOCK],
    gain: f32,
}

impl Mixer {
    /// The limiter keeps the sum below this, so that the resampler behind it does not overshoot full scale.
    const CEILING: f32 = 0.95;
    /// The gain comes back by this factor every 10 ms: 6 dB in half a second, slow enough not to pump.
    const RELEASE: f32 = 1.014;
    /// The gain goes down within 1 ms; what is too loud meanwhile is clipped.
    const ATTACK: usize = 48;

    /// An empty mix.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sum: [0.0; BLOCK],
            gain: 1.0,
        }
    }

    /// Adds a voice.
    pub fn add(&mut self, block: &[f32; BLOCK]) {
        for (sum, sample) in self.sum.iter_mut().zip(block) {
            *sum += sample;
        }
    }

    /// Yields the mix and begins the next one.
    pub fn finish(&mut self, out: &mut Block) {
        let peak = self.sum.iter().fold(0.0f32, |peak, s| peak.max(s.abs()));
        let from = self.gain;
        let allowed = if peak > Self::CEILING {
            Self::CEILING / peak
        } else {
            1.0
        };
        let to = allowed.min(from * Self::RELEASE).min(1.0);
        // Down at once, up over the whole block.
        let ramp = if to < from { Self::ATTACK } else { BLOCK };
        for (n, (out, sum)) in out.0.iter_mut().zip(&self.sum).enumerate() {
            let gain = if n < ramp {
                from + (to - from) * n as f32 / ramp as f32
            } else {
                to
            };
            *out = sum * gain;
        }
        self.gain = to;
        self.sum.fill(0.0);
        out.sanitise();
    }
}

impl Default for Mixer {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, amplitude: f32, block: usize) -> [f32; BLOCK] {
        std::array::from_fn(|n| {
            let t = (block * BLOCK + n) as f32 / 48_000.0;
            amplitude * (t * hz * std::f32::consts::TAU).sin()
        })
    }

    #[test]
    fn two_quiet_voices_are_summed_exactly() {
        let mut mixer = Mixer::new();
        let mut out = Block::SILENCE;
        for n in 0..10 {
            let (a, b) = (tone(440.0, 0.3, n), tone(1000.0, 0.4, n));
            mixer.add(&a);
            mixer.add(&b);
            mixer.finish(&mut out);
            for n in 0..BLOCK {
                assert!((out.0[n] - a[n] - b[n]).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn ten_loud_voices_are_turned_down_and_come_back() {
        let mut mixer = Mixer::new();
        let mut out = Block::SILENCE;
        let mut clipped = 0;
        for n in 0..50 {
            for voice in 0..10 {
                mixer.add(&tone(200.0 + 37.0 * voice as f32, 0.9, n));
            }
            mixer.finish(&mut out);
            clipped += out.0.iter().filter(|s| s.abs() >= 1.0).count();
        }
        assert!(clipped < 100, "{clipped} of 24000 samples clipped");
        for n in 0..300 {
            mixer.add(&tone(440.0, 0.5, n));
            mixer.finish(&mut out);
        }
        let peak = out.0.iter().fold(0.0f32, |p, s| p.max(s.abs()));
        assert!((peak - 0.5).abs() < 0.01, "still turned down: {peak}");
    }

    #[test]
    fn a_volume_change_does_not_click() {
        let mut fader = Fader::at(Volume::from_percent(100));
        let mut block = [0.5; BLOCK];
        fader.set(Volume::from_percent(900));
        fader.apply(&mut block);
        let step = block
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max);
        assert!(step < 0.002);
        let mut block = [0.25; BLOCK];
        fader.apply(&mut block);
        assert_eq!(block, [0.5; BLOCK], "200 per cent is the most");
        fader.set(Volume::from_percent(0));
        fader.apply(&mut block);
        let mut block = [0.5; BLOCK];
        fader.apply(&mut block);
        assert_eq!(block, [0.0; BLOCK]);
    }
}
