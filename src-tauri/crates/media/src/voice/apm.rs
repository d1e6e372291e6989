//! Echo, noise and gain: what is done to the microphone's sound.

use sonora::config::{
    AdaptiveDigital, EchoCanceller, FixedDigital, GainController2, HighPassFilter,
    MaxProcessingRate, NoiseSuppression, NoiseSuppressionLevel, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};

use crate::block::{BLOCK, Block, RATE};

/// What is done to the microphone's sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processing {
    /// Remove the echo of what we play.
    pub echo: bool,
    /// Remove steady noise.
    pub noise: bool,
    /// Bring the voice to an even loudness.
    pub gain: bool,
}

impl Processing {
    /// Nothing is done.
    pub const OFF: Self = Self {
        echo: false,
        noise: false,
        gain: false,
    };
}

impl Default for Processing {
    /// Everything on.
    fn default() -> Self {
        Self {
            echo: true,
            noise: true,
            gain: true,
        }
    }
}

/// The processor of the microphone's sound. A closed choice, hence no trait.
pub enum Apm {
    /// Nothing is done: files, tones, and people who want it so.
    Off,
    /// The WebRTC audio processing in Rust.
    Sonora(Box<Sonora>),
}

impl Apm {
    /// A processor for this choice.
    #[must_use]
    pub fn new(processing: Processing) -> Self {
        if processing == Processing::OFF {
            Self::Off
        } else {
            Self::Sonora(Box::new(Sonora::new(processing)))
        }
    }

    /// Looks at a block that is about to be played. In order: played first, then captured.
    pub fn played(&mut self, block: &Block) {
        if let Self::Sonora(sonora) = self {
            sonora.played(block);
        }
    }

    /// Cleans a captured block.
    pub fn captured(&mut self, block: &mut Block) {
        if let Self::Sonora(sonora) = self {
            sonora.captured(block);
        }
    }
}

impl std::fmt::Debug for Apm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::Sonora(_) => "Sonora",
        })
    }
}

/// `sonora` with our settings.
pub struct Sonora {
    inner: AudioProcessing,
    scratch: Block,
}

impl Sonora {
    fn new(processing: Processing) -> Self {
        let config = Config {
            pipeline: Pipeline {
                // 32 kHz would cut the voice at 16 kHz; the cost is small (measured in `tests/budget.rs`).
                maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
                multi_channel_render: false,
                multi_channel_capture: false,
                ..Pipeline::default()
            },
            high_pass_filter: Some(HighPassFilter::default()),
            echo_canceller: processing.echo.then(EchoCanceller::default),
            noise_suppression: processing.noise.then(|| NoiseSuppression {
                level: NoiseSuppressionLevel::High,
                ..NoiseSuppression::default()
            }),
            gain_controller2: processing.gain.then(|| GainController2 {
                input_volume_controller: false,
                adaptive_digital: Some(AdaptiveDigital {
                    // Much less than the default of 50 dB: nobody wants to hear the neighbour's room.
                    max_gain_db: 24.0,
                    initial_gain_db: 6.0,
                    ..AdaptiveDigital::default()
                }),
                fixed_digital: FixedDigital::default(),
            }),
            ..Config::default()
        };
        let stream = StreamConfig::new(RATE, 1);
        debug_assert_eq!(stream.num_frames(), BLOCK);
        Self {
            inner: AudioProcessing::builder()
                .config(config)
                .capture_config(stream)
                .render_config(stream)
                .build(),
            scratch: Block::SILENCE,
        }
    }

    fn played(&mut self, block: &Block) {
        // It can only refuse formats, and ours is fixed.
        let done = self
            .inner
            .process_render_f32(&[&block.0], &mut [&mut self.scratch.0]);
        debug_assert!(done.is_ok());
    }

    fn captured(&mut self, block: &mut Block) {
        let done = self
            .inner
            .process_capture_f32(&[&block.0], &mut [&mut self.scratch.0]);
        debug_assert!(done.is_ok());
        if done.is_ok() {
            block.0 = self.scratch.0;
            block.sanitise();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::level::Dbov;

    struct Noise(u32);
    impl Noise {
        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            self.0 as f32 / u32::MAX as f32 - 0.5
        }
    }

    /// Something speech-like: noise in syllables.
    fn syllable(noise: &mut Noise, n: usize, held: &mut f32) -> f32 {
        let envelope = ((n as f32 / 48_000.0 * 4.0 * std::f32::consts::TAU).sin()).max(0.0);
        *held += 0.15 * (noise.next() - *held);
        *held * envelope * 1.5
    }

    #[test]
    fn the_echo_of_what_we_play_is_removed() {
        let mut apm = Apm::new(Processing {
            echo: true,
            noise: false,
            gain: false,
        });
        let mut noise = Noise(7);
        let mut held = 0.0;
        // Echo: 40 ms late, 12 dB softer, through a short room.
        let mut line = vec![0.0f32; 48_000 * 8];
        let (mut before, mut after) = (0.0f64, 0.0f64);
        for block in 0..800 {
            let mut far = Block::SILENCE;
            for n in 0..BLOCK {
                let at = block * BLOCK + n;
                let sample = syllable(&mut noise, at, &mut held);
                far.0[n] = sample;
                for (delay, gain) in [(1_920, 0.2), (2_150, 0.1), (2_711, -0.05)] {
                    if let Some(cell) = line.get_mut(at + delay) {
                        *cell += sample * gain;
                    }
                }
            }
            apm.played(&far);
            let mut near = Block::SILENCE;
            near.0.copy_from_slice(&line[block * BLOCK..][..BLOCK]);
            if block >= 600 {
                before += near.0.iter().map(|s| f64::from(s * s)).sum::<f64>();
            }
            apm.captured(&mut near);
            if block >= 600 {
                after += near.0.iter().map(|s| f64::from(s * s)).sum::<f64>();
            }
        }
        let removed = 10.0 * (before / after.max(1e-12)).log10();
        println!("echo removed after 6 s: {removed:.1} dB");
        assert!(removed > 25.0, "{removed:.1} dB");
    }

    #[test]
    fn steady_noise_becomes_softer_and_off_is_bit_exact() {
        let mut apm = Apm::new(Processing {
            echo: false,
            noise: true,
            gain: false,
        });
        let mut noise = Noise(3);
        let (mut before, mut after) = (Dbov::SILENCE, Dbov::SILENCE);
        for _ in 0..400 {
            let mut block = Block(std::array::from_fn(|_| noise.next() * 0.02));
            before = Dbov::of(&block.0);
            apm.captured(&mut block);
            after = Dbov::of(&block.0);
        }
        println!("white noise {:.1} -> {:.1} dBov", before.0, after.0);
        assert!(after.0 < before.0 - 10.0);
        let mut off = Apm::new(Processing::OFF);
        let mut block = Block(std::array::from_fn(|_| noise.next()));
        let same = block.clone();
        off.played(&same);
        off.captured(&mut block);
        assert_eq!(block, same);
    }
}
