//! Echo, noise and gain: what is done to the microphone's sound.

use calls_core::snapshot::{Noise, Sound};
use nnnoiseless::DenoiseState;
use sonora::config::{
    AdaptiveDigital, FixedDigital, GainController2, HighPassFilter, MaxProcessingRate,
    NoiseSuppression, NoiseSuppressionLevel, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};

use crate::block::{BLOCK, Block, RATE};
use crate::voice::canceller::EchoCanceller;

/// The processor of the microphone's sound. Its switches can be turned while it runs.
#[derive(Default)]
pub struct Apm {
    /// Before everything else: it learns the way of the sound, which nothing must bend. `None` while it is off.
    canceller: Option<Box<EchoCanceller>>,
    /// The WebRTC audio processing in Rust; `None` while it has nothing to do.
    sonora: Option<Box<Sonora>>,
    /// The recurrent network for strong noise suppression (RNNoise, Valin 2018); `None` while it is off.
    strong: Option<Box<Strong>>,
}

impl Apm {
    /// A processor for this choice.
    #[must_use]
    pub fn new(sound: Sound) -> Self {
        let mut apm = Self::default();
        apm.set(sound);
        apm
    }

    /// Turns the switches. What stays on goes on with what it has learnt.
    pub fn set(&mut self, sound: Sound) {
        if sound.echo {
            self.canceller.get_or_insert_default();
        } else {
            self.canceller = None;
        }
        if sound.noise != Noise::Off || sound.gain || sound.high_pass {
            match &mut self.sonora {
                Some(sonora) => sonora.set(sound),
                None => self.sonora = Some(Box::new(Sonora::new(sound))),
            }
        } else {
            self.sonora = None;
        }
        if sound.noise == Noise::Strong {
            self.strong.get_or_insert_with(|| Box::new(Strong::new()));
        } else {
            self.strong = None;
        }
    }

    /// Looks at a block that is about to be played. In order: played first, then captured.
    pub fn played(&mut self, block: &Block) {
        if let Some(canceller) = &mut self.canceller {
            canceller.played(block);
        }
    }

    /// Cleans a captured block.
    pub fn captured(&mut self, block: &mut Block) {
        if let Some(canceller) = &mut self.canceller {
            canceller.captured(block);
            block.sanitise();
        }
        if let Some(sonora) = &mut self.sonora {
            sonora.captured(block);
        }
        if let Some(strong) = &mut self.strong {
            strong.captured(block);
        }
    }
}

impl std::fmt::Debug for Apm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Apm")
            .field("canceller", &self.canceller.is_some())
            .field("sonora", &self.sonora.is_some())
            .field("strong", &self.strong.is_some())
            .finish()
    }
}

/// `nnnoiseless` with its buffers. Adds 10 ms of delay (it overlaps its windows by half).
struct Strong {
    inner: Box<DenoiseState<'static>>,
    scaled: [f32; BLOCK],
    out: [f32; BLOCK],
}

impl Strong {
    /// It works in the range of 16-bit samples.
    const SCALE: f32 = 32_768.0;

    fn new() -> Self {
        Self {
            inner: DenoiseState::new(),
            scaled: [0.0; BLOCK],
            out: [0.0; BLOCK],
        }
    }

    fn captured(&mut self, block: &mut Block) {
        for (scaled, sample) in self.scaled.iter_mut().zip(&block.0) {
            *scaled = sample * Self::SCALE;
        }
        self.inner.process_frame(&mut self.out, &self.scaled);
        for (sample, out) in block.0.iter_mut().zip(&self.out) {
            *sample = out / Self::SCALE;
        }
        block.sanitise();
    }
}

const _: () = assert!(
    DenoiseState::FRAME_SIZE == BLOCK,
    "the network takes 10 ms at 48 kHz"
);

/// `sonora` with our settings.
struct Sonora {
    inner: AudioProcessing,
    scratch: Block,
}

impl Sonora {
    fn new(sound: Sound) -> Self {
        let stream = StreamConfig::new(RATE, 1);
        debug_assert_eq!(stream.num_frames(), BLOCK);
        Self {
            inner: AudioProcessing::builder()
                .config(config(sound))
                .capture_config(stream)
                .render_config(stream)
                .build(),
            scratch: Block::SILENCE,
        }
    }

    fn set(&mut self, sound: Sound) {
        self.inner.apply_config(config(sound));
    }

    fn captured(&mut self, block: &mut Block) {
        // It can only refuse formats, and ours is fixed.
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

fn config(sound: Sound) -> Config {
    Config {
        pipeline: Pipeline {
            // 32 kHz would cut the voice at 16 kHz; the cost is small (measured in `tests/budget.rs`).
            maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
            multi_channel_render: false,
            multi_channel_capture: false,
            ..Pipeline::default()
        },
        // What it takes away lies in the lowest of the three bands that the noise suppression needs anyway.
        high_pass_filter: sound.high_pass.then(|| HighPassFilter {
            apply_in_full_band: sound.noise == Noise::Off,
        }),
        // Ours comes before it, and keeps what is said here while others talk (`voice/canceller.rs`).
        echo_canceller: None,
        noise_suppression: (sound.noise != Noise::Off).then(|| NoiseSuppression {
            level: NoiseSuppressionLevel::High,
            ..NoiseSuppression::default()
        }),
        gain_controller2: sound.gain.then(|| GainController2 {
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::level::Dbov;

    struct Chance(u32);
    impl Chance {
        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            self.0 as f32 / u32::MAX as f32 - 0.5
        }
    }

    /// Something speech-like: noise in syllables.
    fn syllable(noise: &mut Chance, n: usize, held: &mut f32) -> f32 {
        let envelope = ((n as f32 / 48_000.0 * 4.0 * std::f32::consts::TAU).sin()).max(0.0);
        *held += 0.15 * (noise.next() - *held);
        *held * envelope * 1.5
    }

    #[test]
    fn the_echo_of_what_we_play_is_removed() {
        let mut apm = Apm::new(Sound {
            echo: true,
            ..Sound::RAW
        });
        let mut noise = Chance(7);
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
        let mut apm = Apm::new(Sound {
            noise: Noise::Standard,
            ..Sound::RAW
        });
        let mut noise = Chance(3);
        let (mut before, mut after) = (Dbov::SILENCE, Dbov::SILENCE);
        for _ in 0..400 {
            let mut block = Block(std::array::from_fn(|_| noise.next() * 0.02));
            before = Dbov::of(&block.0);
            apm.captured(&mut block);
            after = Dbov::of(&block.0);
        }
        println!("white noise {:.1} -> {:.1} dBov", before.0, after.0);
        assert!(after.0 < before.0 - 10.0);
        let mut off = Apm::new(Sound::RAW);
        let mut block = Block(std::array::from_fn(|_| noise.next()));
        let same = block.clone();
        off.played(&same);
        off.captured(&mut block);
        assert_eq!(block, same);
    }

    #[test]
    fn clicks_that_the_standard_leaves_are_softened_by_the_strong_one() {
        let energy = |sound: Sound| {
            let mut apm = Apm::new(sound);
            let mut noise = Chance(9);
            let mut after = 0.0f64;
            for n in 0..600 {
                // A key is pressed five times a second: 3 ms of noise.
                let mut block = Block(std::array::from_fn(|k| {
                    let loud = n % 20 == 0 && k < 144;
                    noise.next() * if loud { 0.5 } else { 0.001 }
                }));
                apm.captured(&mut block);
                if n >= 300 {
                    after += block.0.iter().map(|s| f64::from(s * s)).sum::<f64>();
                }
            }
            10.0 * after.max(1e-12).log10()
        };
        let standard = energy(Sound {
            noise: Noise::Standard,
            ..Sound::RAW
        });
        let strong = energy(Sound {
            noise: Noise::Strong,
            ..Sound::RAW
        });
        println!("clicks: standard {standard:.1} dB, strong {strong:.1} dB");
        assert!(strong < standard - 2.0);
    }

    #[test]
    fn turning_a_switch_does_not_forget_the_echo() {
        let echo = Sound {
            echo: true,
            ..Sound::RAW
        };
        let mut apm = Apm::new(echo);
        let mut noise = Chance(7);
        let mut held = 0.0;
        let mut line = vec![0.0f32; 48_000 * 8];
        let (mut before, mut after) = (0.0f64, 0.0f64);
        for block in 0..600 {
            if block == 500 {
                apm.set(Sound {
                    noise: Noise::Standard,
                    ..echo
                });
            }
            let mut far = Block::SILENCE;
            for n in 0..BLOCK {
                let at = block * BLOCK + n;
                far.0[n] = syllable(&mut noise, at, &mut held);
                line[at + 1_920] += far.0[n] * 0.2;
            }
            apm.played(&far);
            let mut near = Block::SILENCE;
            near.0.copy_from_slice(&line[block * BLOCK..][..BLOCK]);
            let square = |block: &Block| block.0.iter().map(|s| f64::from(s * s)).sum::<f64>();
            if (510..550).contains(&block) {
                before += square(&near);
            }
            apm.captured(&mut near);
            if (510..550).contains(&block) {
                after += square(&near);
            }
        }
        let removed = 10.0 * (before / after.max(1e-12)).log10();
        println!("echo removed 0.1 s after a switch: {removed:.1} dB");
        assert!(removed > 20.0, "{removed:.1} dB");
    }
}
