//! The unit of sound.

/// Samples per second inside the engine.
pub const RATE: u32 = 48_000;
/// Samples in a [`Block`]: 10 ms at 48 kHz, the unit in which the echo canceller works.
pub const BLOCK: usize = 480;

/// 10 ms of sound: mono, 48 kHz, 480 samples in −1..1.
#[derive(Clone, Debug, PartialEq)]
pub struct Block(pub [f32; BLOCK]);

impl Block {
    /// Silence.
    pub const SILENCE: Self = Self([0.0; BLOCK]);

    /// Replaces what is not a number by silence and clips the rest to −1..1: a broken driver must not be able to
    /// poison filters that remember.
    pub fn sanitise(&mut self) {
        for sample in &mut self.0 {
            *sample = if sample.is_finite() {
                sample.clamp(-1.0, 1.0)
            } else {
                0.0
            };
        }
    }
}

impl Default for Block {
    fn default() -> Self {
        Self::SILENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_samples_become_silence_and_loud_ones_are_clipped() {
        let mut block = Block::SILENCE;
        block.0[0] = f32::NAN;
        block.0[1] = f32::INFINITY;
        block.0[2] = -7.0;
        block.0[3] = 0.25;
        block.sanitise();
        assert_eq!(&block.0[..4], &[0.0, 0.0, -1.0, 0.25]);
    }
}
