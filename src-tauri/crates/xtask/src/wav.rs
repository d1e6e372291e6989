//! Sound files: a small synthesised melody for the bot, and what was heard in a recording.

use std::f64::consts::TAU;
use std::path::Path;

use crate::error::TaskError;

/// Samples per second of everything written here.
const RATE: u32 = 48_000;

/// Notes of the bot's melody in hertz: a pentatonic scale, so that any order is pleasant. Each lasts 0.4 s,
/// with a swell and a pause, because the server's detection of speech needs a level that changes.
const NOTES: &[f64] = &[
    440.0, 523.25, 587.33, 659.25, 783.99, 659.25, 587.33, 523.25,
];

/// Writes the melody as 16-bit mono at 48 kHz.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_melody(path: &Path) -> Result<(), TaskError> {
    let length = RATE as usize * 2 / 5;
    let mut samples = Vec::with_capacity(NOTES.len() * length);
    for note in NOTES {
        for n in 0..length {
            let at = n as f64 / f64::from(RATE);
            let part = n as f64 / length as f64;
            // Rises and falls within the first three quarters of the note, silent after.
            let swell = if part < 0.75 {
                (part / 0.75 * TAU / 2.0).sin()
            } else {
                0.0
            };
            let voice = (TAU * note * at).sin() * 0.7 + (TAU * note * 2.0 * at).sin() * 0.2;
            samples.push((voice * swell * 0.4 * f64::from(i16::MAX)) as i16);
        }
    }
    write(path, &samples)
}

/// Writes a steady tone of half of full scale.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_tone(path: &Path, hertz: f64, seconds: u32) -> Result<(), TaskError> {
    let sample = |n: u32| {
        ((TAU * hertz * f64::from(n) / f64::from(RATE)).sin() * 0.5 * f64::from(i16::MAX)) as i16
    };
    write(path, &(0..RATE * seconds).map(sample).collect::<Vec<_>>())
}

/// Writes 16-bit mono at 48 kHz.
fn write(path: &Path, samples: &[i16]) -> Result<(), TaskError> {
    let bytes = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + bytes).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16u32.to_le_bytes());
    // PCM, one channel, then rates, then 2 bytes a frame of 16 bits.
    file.extend_from_slice(&1u16.to_le_bytes());
    file.extend_from_slice(&1u16.to_le_bytes());
    file.extend_from_slice(&RATE.to_le_bytes());
    file.extend_from_slice(&(RATE * 2).to_le_bytes());
    file.extend_from_slice(&2u16.to_le_bytes());
    file.extend_from_slice(&16u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&bytes.to_le_bytes());
    for sample in samples {
        file.extend_from_slice(&sample.to_le_bytes());
    }
    std::fs::write(path, file).map_err(TaskError::file(path))
}

/// What a recording holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Heard {
    /// Length in seconds.
    pub(crate) seconds: f64,
    /// Loudness of the loudest second, decibels below full scale (0 is a full-scale square wave).
    pub(crate) level: f64,
    /// The strongest frequency between 100 Hz and 2 kHz in that second, hertz, in steps of 1 Hz.
    pub(crate) frequency: f64,
}

/// Reads a 16-bit or 32-bit-float WAV and tells what it holds; `None` if it holds no full second.
///
/// # Errors
/// When it cannot be read or is no WAV of these kinds.
pub(crate) fn listen(path: &Path) -> Result<Option<Heard>, TaskError> {
    let bytes = std::fs::read(path).map_err(TaskError::file(path))?;
    let Some((rate, samples)) = parse(&bytes) else {
        return Err(TaskError::Unexpected(format!(
            "{} is no WAV file that can be read here",
            path.display()
        )));
    };
    let second = rate as usize;
    let energy = |part: &[f64]| part.iter().map(|x| x * x).sum::<f64>() / part.len().max(1) as f64;
    let loudest = samples
        .chunks_exact(second.max(1))
        .max_by(|a, b| energy(a).total_cmp(&energy(b)));
    Ok(loudest.map(|loudest| Heard {
        seconds: samples.len() as f64 / f64::from(rate),
        level: 10.0 * energy(loudest).max(1e-12).log10(),
        frequency: (100..2000)
            .map(f64::from)
            .max_by(|a, b| power(loudest, *a, rate).total_cmp(&power(loudest, *b, rate)))
            .unwrap_or(0.0),
    }))
}

/// The power at one frequency (Goertzel's algorithm).
fn power(samples: &[f64], hertz: f64, rate: u32) -> f64 {
    let turn = 2.0 * (TAU * hertz / f64::from(rate)).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + turn * last - before, last);
    }
    last * last + before * before - turn * last * before
}

/// Rate and the first channel, −1..1. `None` for anything that is not such a file.
fn parse(bytes: &[u8]) -> Option<(u32, Vec<f64>)> {
    let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let half = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    if bytes.get(..4)? != b"RIFF" || bytes.get(8..12)? != b"WAVE" {
        return None;
    }
    let (mut at, mut rate, mut frame, mut bits) = (12, 0, 0, 0);
    loop {
        let name = bytes.get(at..at + 4)?;
        let length = word(at + 4)? as usize;
        let body = at + 8;
        if name == b"fmt " {
            rate = word(body + 4)?;
            frame = usize::from(half(body + 12)?);
            bits = half(body + 14)?;
        }
        if name == b"data" {
            if rate == 0 || frame < usize::from(bits / 8) || !matches!(bits, 16 | 32) {
                return None;
            }
            // A recording that is still being written says a length of 0 or too much.
            let end = if length == 0 {
                bytes.len()
            } else {
                (body + length).min(bytes.len())
            };
            let samples = bytes
                .get(body..end)?
                .chunks_exact(frame)
                .map(|frame| match *frame {
                    [a, b, ..] if bits == 16 => f64::from(i16::from_le_bytes([a, b])) / 32_768.0,
                    [a, b, c, d, ..] => f64::from(f32::from_le_bytes([a, b, c, d])),
                    _ => 0.0,
                });
            return Some((rate, samples.collect()));
        }
        at = body.checked_add(length)?.checked_add(length % 2)?;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_written_tone_is_heard_at_its_frequency_and_level() {
        let path = std::env::temp_dir().join(format!("halloo-tone-{}.wav", std::process::id()));
        write_tone(&path, 440.0, 2).unwrap();
        let heard = listen(&path).unwrap().unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!((heard.frequency - 440.0).abs() < 1.5, "{heard:?}");
        // Half of full scale is −6 dB, a sine 3 dB less.
        assert!((heard.level + 9.03).abs() < 0.1, "{heard:?}");
        assert!((heard.seconds - 2.0).abs() < 1e-9, "{heard:?}");
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        for bytes in [
            &b""[..],
            b"RIFF",
            b"RIFF\0\0\0\0WAVEdata\xff\xff\xff\xff",
            &[0; 64],
        ] {
            assert!(parse(bytes).is_none());
        }
    }
}
