//! What devices without hardware capture.

use std::path::Path;
use std::sync::Arc;

use crate::block::{Block, RATE};
use crate::device::Format;
use crate::error::MediaError;
use crate::voice::resample::ToBlocks;

/// Longest clip: 30 minutes, 350 MB in memory.
const LONGEST: usize = 30 * 60 * RATE as usize;

/// A sound as a function of time: mono, 48 kHz.
#[derive(Clone, Debug, Default)]
pub enum Signal {
    /// Nothing.
    #[default]
    Silence,
    /// A sine.
    Tone {
        /// Hertz.
        hz: f32,
        /// 0..1.
        amplitude: f32,
    },
    /// A recording.
    Clip {
        /// Samples, 48 kHz.
        samples: Arc<[f32]>,
        /// Again and again, or once and then silence.
        repeat: bool,
    },
}

impl Signal {
    /// Reads a WAV file of any rate, width and number of channels.
    ///
    /// # Errors
    /// [`MediaError::File`] if it cannot be read or is no WAV file, [`MediaError::Failed`] if its format is outside of
    /// what we convert.
    pub fn clip(path: &Path, repeat: bool) -> Result<Self, MediaError> {
        let wav = |cause: hound::Error| MediaError::File(Box::new(cause));
        let mut reader = hound::WavReader::open(path).map_err(wav)?;
        let spec = reader.spec();
        let interleaved: Vec<f32> = match spec.sample_format {
            hound::SampleFormat::Float => reader
                .samples::<f32>()
                .take(LONGEST)
                .collect::<Result<_, _>>()
                .map_err(wav)?,
            hound::SampleFormat::Int => {
                let full = (1i64 << spec.bits_per_sample.clamp(1, 32).saturating_sub(1)) as f32;
                reader
                    .samples::<i32>()
                    .take(LONGEST)
                    .map(|s| s.map(|s| s as f32 / full))
                    .collect::<Result<_, _>>()
                    .map_err(wav)?
            }
        };
        let mut to = ToBlocks::new(Format {
            rate: spec.sample_rate,
            channels: spec.channels,
        })?;
        let mut samples = Vec::with_capacity(interleaved.len());
        let mut rest = &interleaved[..];
        let mut block = Block::SILENCE;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(to.needed().clamp(1, rest.len()));
            rest = later;
            if to.push(now, &mut block) {
                samples.extend_from_slice(&block.0);
            }
        }
        Ok(Self::Clip {
            samples: samples.into(),
            repeat,
        })
    }

    /// The sample at this place.
    #[must_use]
    pub fn sample(&self, at: u64) -> f32 {
        match self {
            Self::Silence => 0.0,
            Self::Tone { hz, amplitude } => {
                let turns = at as f64 * f64::from(*hz) / f64::from(RATE);
                amplitude * (turns.fract() * std::f64::consts::TAU).sin() as f32
            }
            Self::Clip { samples, repeat } => {
                let length = samples.len() as u64;
                let at = if *repeat && length > 0 {
                    at % length
                } else {
                    at
                };
                usize::try_from(at)
                    .ok()
                    .and_then(|at| samples.get(at))
                    .copied()
                    .unwrap_or(0.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wav_file_of_another_rate_is_converted() {
        let dir = std::env::temp_dir().join(format!("halloo-signal-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("clip.wav");
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 16_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for n in 0..16_000 {
            let s = (n as f32 * 0.1).sin() * 16_000.0;
            writer.write_sample(s as i16).unwrap();
            writer.write_sample(s as i16).unwrap();
        }
        writer.finalize().unwrap();
        let clip = Signal::clip(&path, false).unwrap();
        let peak = (0..48_000)
            .map(|n| clip.sample(n).abs())
            .fold(0.0, f32::max);
        assert!((peak - 16_000.0 / 32_768.0).abs() < 0.01, "{peak}");
        assert_eq!(clip.sample(60_000), 0.0);
        std::fs::write(&path, b"not a wav file").unwrap();
        assert!(matches!(
            Signal::clip(&path, false),
            Err(MediaError::File(_))
        ));
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(Signal::clip(&path, true).is_err());
    }
}
