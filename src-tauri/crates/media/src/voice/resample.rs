//! From a device's rate and channels to [`Block`]s, and back.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

use crate::block::{BLOCK, Block, RATE};
use crate::device::Format;
use crate::error::MediaError;

/// Rates that we convert.
pub const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;
/// Most channels that we convert.
pub const CHANNELS: u16 = 32;
/// Half the filter is delay: 64 samples of the input, 1.3 ms at 48 kHz. Shorter filters are dull above 15 kHz.
const FILTER: usize = 128;
/// Clocks of sound cards differ by less than 0.1 %; twice that is the range of the correction.
const CORRECTION: f64 = 1.002;

/// How much faster (positive) or slower a device's clock runs than ours, parts per million.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drift(pub f64);

impl Drift {
    fn ratio(self) -> f64 {
        let ppm = if self.0.is_finite() { self.0 } else { 0.0 };
        (1.0 + ppm / 1e6).clamp(1.0 / CORRECTION, CORRECTION)
    }
}

fn resampler(ratio: f64, chunk: usize, fixed: FixedAsync) -> Result<Async<f32>, MediaError> {
    let filter = SincInterpolationParameters::new(FILTER, WindowFunction::BlackmanHarris2)
        .oversampling_factor(256)
        .interpolation(SincInterpolationType::Linear);
    Async::new_sinc(ratio, CORRECTION, &filter, chunk, 1, fixed)
        .map_err(|cause| MediaError::Failed(Some(Box::new(cause))))
}

fn check(format: Format) -> Result<(), MediaError> {
    if RATES.contains(&format.rate) && (1..=CHANNELS).contains(&format.channels) {
        Ok(())
    } else {
        Err(MediaError::Failed(None))
    }
}

/// A microphone's samples to blocks. The channels are averaged.
pub struct ToBlocks {
    channels: usize,
    /// `None`: the rates agree.
    resampler: Option<Async<f32>>,
    /// Mono samples at the device's rate, waiting.
    waiting: Vec<f32>,
    filled: usize,
}

impl ToBlocks {
    /// A converter.
    ///
    /// # Errors
    /// [`MediaError::Failed`] if the format is outside of what we convert.
    pub fn new(format: Format) -> Result<Self, MediaError> {
        check(format)?;
        let ratio = f64::from(RATE) / f64::from(format.rate);
        let resampler = if format.rate == RATE {
            None
        } else {
            Some(resampler(ratio, BLOCK, FixedAsync::Output)?)
        };
        let most = resampler
            .as_ref()
            .map_or(BLOCK, |resampler| resampler.input_frames_max());
        Ok(Self {
            channels: usize::from(format.channels),
            resampler,
            waiting: vec![0.0; most],
            filled: 0,
        })
    }

    /// Samples (interleaved) that are still needed for the next block.
    #[must_use]
    pub fn needed(&self) -> usize {
        self.frames().saturating_sub(self.filled) * self.channels
    }

    fn frames(&self) -> usize {
        self.resampler
            .as_ref()
            .map_or(BLOCK, |resampler| resampler.input_frames_next())
            .min(self.waiting.len())
    }

    /// Takes samples (interleaved, at most [`ToBlocks::needed`]; more is dropped) and fills `block` once there are
    /// enough; true if it did.
    pub fn push(&mut self, pcm: &[f32], block: &mut Block) -> bool {
        let scale = 1.0 / self.channels as f32;
        for frame in pcm.chunks_exact(self.channels) {
            let Some(place) = self.waiting.get_mut(self.filled) else {
                break;
            };
            *place = if self.channels == 1 {
                frame[0]
            } else {
                frame.iter().sum::<f32>() * scale
            };
            self.filled += 1;
        }
        let frames = self.frames();
        if self.filled < frames {
            return false;
        }
        self.filled = 0;
        match &mut self.resampler {
            None => block.0.copy_from_slice(&self.waiting[..BLOCK]),
            Some(resampler) => {
                // Broken samples must not enter a filter that remembers them.
                for sample in &mut self.waiting {
                    if !sample.is_finite() {
                        *sample = 0.0;
                    }
                }
                let (Ok(from), Ok(mut to)) = (
                    InterleavedSlice::new(&self.waiting, 1, self.waiting.len()),
                    InterleavedSlice::new_mut(&mut block.0, 1, BLOCK),
                ) else {
                    return false;
                };
                // It can only refuse sizes, and these are its own.
                if resampler.process_into_buffer(&from, &mut to, None).is_err() {
                    block.0.fill(0.0);
                }
            }
        }
        block.sanitise();
        true
    }

    /// Corrects for a device clock that runs away. Without effect if the rates agree.
    pub fn set_drift(&mut self, drift: Drift) {
        // A faster device delivers more samples a second: fewer of ours per one of its.
        adjust(self.resampler.as_mut(), 1.0 / drift.ratio());
    }
}

/// Blocks to a loudspeaker's samples. All channels get the same.
pub struct FromBlocks {
    channels: usize,
    resampler: Option<Async<f32>>,
    mono: Vec<f32>,
    pcm: Vec<f32>,
}

impl FromBlocks {
    /// A converter.
    ///
    /// # Errors
    /// [`MediaError::Failed`] if the format is outside of what we convert.
    pub fn new(format: Format) -> Result<Self, MediaError> {
        check(format)?;
        let ratio = f64::from(format.rate) / f64::from(RATE);
        let resampler = if format.rate == RATE {
            None
        } else {
            Some(resampler(ratio, BLOCK, FixedAsync::Input)?)
        };
        let most = resampler
            .as_ref()
            .map_or(BLOCK, |resampler| resampler.output_frames_max());
        let channels = usize::from(format.channels);
        Ok(Self {
            channels,
            resampler,
            mono: vec![0.0; most],
            pcm: vec![0.0; most * channels],
        })
    }

    /// Samples (interleaved) that the next block will make, at most.
    #[must_use]
    pub fn yields(&self) -> usize {
        self.resampler
            .as_ref()
            .map_or(BLOCK, |resampler| resampler.output_frames_next())
            * self.channels
    }

    /// Converts a block to the device's samples, interleaved.
    pub fn convert(&mut self, block: &Block) -> &[f32] {
        let frames = match &mut self.resampler {
            None => {
                self.mono[..BLOCK].copy_from_slice(&block.0);
                BLOCK
            }
            Some(resampler) => {
                let most = self.mono.len();
                let (Ok(from), Ok(mut to)) = (
                    InterleavedSlice::new(&block.0[..], 1, BLOCK),
                    InterleavedSlice::new_mut(&mut self.mono, 1, most),
                ) else {
                    return &[];
                };
                match resampler.process_into_buffer(&from, &mut to, None) {
                    Ok((_, frames)) => frames.min(most),
                    Err(_) => 0,
                }
            }
        };
        for (frame, sample) in self
            .pcm
            .chunks_exact_mut(self.channels)
            .zip(&self.mono[..frames])
        {
            frame.fill(sample.clamp(-1.0, 1.0));
        }
        &self.pcm[..frames * self.channels]
    }

    /// Corrects for a device clock that runs away. Without effect if the rates agree.
    pub fn set_drift(&mut self, drift: Drift) {
        adjust(self.resampler.as_mut(), drift.ratio());
    }
}

fn adjust(resampler: Option<&mut Async<f32>>, ratio: f64) {
    if let Some(adjustable) = resampler.and_then(|resampler| resampler.as_adjustable()) {
        // Clamped before: it cannot be out of range.
        let _ = adjustable.set_resample_ratio_relative(ratio, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Loudness of a sine at `hz` in `pcm` against everything else, decibels.
    fn purity(pcm: &[f32], hz: f64, rate: f64) -> f64 {
        let (mut s, mut c) = (0.0, 0.0);
        for (n, sample) in pcm.iter().enumerate() {
            let phase = n as f64 * hz * std::f64::consts::TAU / rate;
            s += f64::from(*sample) * phase.sin();
            c += f64::from(*sample) * phase.cos();
        }
        let scale = 2.0 / pcm.len() as f64;
        let (s, c) = (s * scale, c * scale);
        let (mut signal, mut rest) = (0.0, 1e-20);
        for (n, sample) in pcm.iter().enumerate() {
            let phase = n as f64 * hz * std::f64::consts::TAU / rate;
            let wanted = s * phase.sin() + c * phase.cos();
            signal += wanted * wanted;
            rest += (f64::from(*sample) - wanted).powi(2);
        }
        10.0 * (signal / rest).log10()
    }

    #[test]
    fn a_tone_survives_every_rate_in_both_directions() {
        for rate in [8_000u32, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000] {
            for channels in [1u16, 2, 6] {
                let format = Format { rate, channels };
                let mut to = ToBlocks::new(format).unwrap();
                let mut heard = Vec::new();
                let mut at = 0usize;
                while heard.len() < 48_000 {
                    let frames = to.needed() / usize::from(channels);
                    let pcm: Vec<f32> = (0..frames)
                        .flat_map(|n| {
                            let t = (at + n) as f64 / f64::from(rate);
                            let s = 0.5 * (t * 1_000.0 * std::f64::consts::TAU).sin() as f32;
                            std::iter::repeat_n(s, usize::from(channels))
                        })
                        .collect();
                    at += frames;
                    let mut block = Block::SILENCE;
                    if to.push(&pcm, &mut block) {
                        heard.extend_from_slice(&block.0);
                    }
                }
                let snr = purity(&heard[9_600..], 1_000.0, 48_000.0);
                assert!(snr > 60.0, "{format:?} to blocks: {snr:.1} dB");

                let mut from = FromBlocks::new(format).unwrap();
                let mut played = Vec::new();
                for block in heard.chunks_exact(BLOCK) {
                    let mut pcm = Block::SILENCE;
                    pcm.0.copy_from_slice(block);
                    played.extend(from.convert(&pcm).iter().step_by(usize::from(channels)));
                }
                let skip = played.len() / 3;
                let snr = purity(&played[skip..], 1_000.0, f64::from(rate));
                assert!(snr > 60.0, "{format:?} from blocks: {snr:.1} dB");
                if channels == 1 {
                    println!("{rate} Hz and back: {snr:.1} dB");
                }
            }
        }
    }

    #[test]
    fn drift_changes_how_much_is_needed() {
        let format = Format {
            rate: 44_100,
            channels: 1,
        };
        let count = |drift| {
            let mut from = FromBlocks::new(format).unwrap();
            from.set_drift(Drift(drift));
            (0..1000)
                .map(|_| from.convert(&Block::SILENCE).len())
                .sum::<usize>() as f64
        };
        let (slow, even, fast) = (count(-500.0), count(0.0), count(500.0));
        assert!((even - 441_000.0).abs() < 100.0);
        assert!(((fast - even) / even * 1e6 - 500.0).abs() < 50.0);
        assert!(((slow - even) / even * 1e6 + 500.0).abs() < 50.0);
        count(f64::NAN);
    }

    #[test]
    fn strange_formats_are_refused_and_broken_samples_survived() {
        for (rate, channels) in [(0, 1), (7_999, 1), (200_000, 2), (48_000, 0), (48_000, 33)] {
            assert!(ToBlocks::new(Format { rate, channels }).is_err());
            assert!(FromBlocks::new(Format { rate, channels }).is_err());
        }
        let mut to = ToBlocks::new(Format {
            rate: 44_100,
            channels: 2,
        })
        .unwrap();
        let mut block = Block::SILENCE;
        for round in 0..20 {
            let bad = if round < 5 { f32::NAN } else { 0.25 };
            to.push(&vec![bad; to.needed()], &mut block);
        }
        assert!(block.0.iter().all(|s| (s - 0.25).abs() < 0.01));
    }
}
