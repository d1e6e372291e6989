//! Our ring tones and cues, made of sines: `cargo xtask sounds` writes them to `assets/sounds`.
//!
//! They are written down here as notes, so that nobody's recording is in the repository and a change can be read.
//! Each note is struck, not blown: a fast rise and an exponential fall over a few partials. Rings leave a second of
//! silence at their end, because a ring without pauses makes people hurry.

use std::f64::consts::TAU;
use std::path::Path;

use crate::error::TaskError;
use crate::place::Place;

/// Samples a second. Nothing in them sounds above 8 kHz.
const RATE: f64 = 24_000.0;

/// Loudest sample of a ring, of full scale; cues are quieter by their own levels.
const PEAK: f64 = 0.6;

/// A struck note.
#[derive(Debug, Clone, Copy)]
struct Note {
    /// When, seconds.
    at: f64,
    /// Semitones above A4 (440 Hz).
    pitch: f64,
    /// Time in which it falls to a third, seconds.
    fall: f64,
    /// How loud, 0..1.
    level: f64,
}

/// What strikes.
#[derive(Debug, Clone, Copy)]
enum Body {
    /// Warm: mostly the fundamental.
    Wood,
    /// Bright, a little out of tune, as bells are.
    Bell,
    /// Hard: odd partials.
    Reed,
}

impl Body {
    /// Partials: ratio to the fundamental, strength, how much faster they fall.
    fn partials(self) -> &'static [(f64, f64, f64)] {
        match self {
            Self::Wood => &[(1.0, 1.0, 1.0), (2.0, 0.28, 1.8), (4.0, 0.1, 4.0)],
            Self::Bell => &[
                (1.0, 1.0, 1.0),
                (2.0, 0.5, 1.4),
                (2.76, 0.34, 2.0),
                (5.4, 0.16, 4.5),
            ],
            Self::Reed => &[
                (1.0, 1.0, 1.0),
                (3.0, 0.4, 1.2),
                (5.0, 0.2, 1.6),
                (7.0, 0.1, 2.0),
            ],
        }
    }
}

/// A sound: its file's name, length in seconds, body, loudest sample and notes.
struct Sound {
    name: &'static str,
    seconds: f64,
    body: Body,
    peak: f64,
    notes: Vec<Note>,
}

/// Notes at equal distances.
fn run(from: f64, step: f64, fall: f64, pitches: &[f64]) -> Vec<Note> {
    pitches
        .iter()
        .enumerate()
        .map(|(n, pitch)| Note {
            at: from + step * n as f64,
            pitch: *pitch,
            fall,
            level: 1.0,
        })
        .collect()
}

fn sounds() -> Vec<Sound> {
    let sound = |name, seconds, body, peak, notes| Sound {
        name,
        seconds,
        body,
        peak,
        notes,
    };
    let urgent = [0.0, 0.36, 0.72]
        .into_iter()
        .flat_map(|at| run(at, 0.09, 0.12, &[12.0, 15.0, 12.0]))
        .collect();
    let harbour = [(0.0, 1.0), (0.9, 0.6), (1.25, 0.8)]
        .into_iter()
        .map(|(at, level)| Note {
            at,
            pitch: -5.0,
            fall: 0.8,
            level,
        })
        .collect();
    vec![
        sound(
            "ring-calm",
            3.4,
            Body::Wood,
            PEAK,
            run(0.0, 0.42, 0.5, &[-2.0, 2.0, 5.0, 10.0]),
        ),
        sound(
            "ring-dynamic",
            3.0,
            Body::Wood,
            PEAK,
            run(
                0.0,
                0.14,
                0.22,
                &[0.0, 7.0, 3.0, 10.0, 5.0, 12.0, 7.0, 15.0, 12.0],
            ),
        ),
        sound("ring-urgent", 2.0, Body::Reed, PEAK, urgent),
        sound(
            "ring-cheerful",
            3.2,
            Body::Bell,
            PEAK,
            run(0.0, 0.2, 0.35, &[3.0, 7.0, 10.0, 7.0, 12.0, 10.0, 15.0]),
        ),
        sound("ring-harbour", 3.6, Body::Bell, PEAK, harbour),
        sound(
            "ring-lantern",
            3.0,
            Body::Wood,
            0.4,
            run(0.0, 0.55, 0.6, &[-14.0, -9.0]),
        ),
        sound(
            "join-self",
            0.5,
            Body::Wood,
            0.3,
            run(0.0, 0.1, 0.14, &[3.0, 10.0]),
        ),
        sound(
            "join",
            0.4,
            Body::Wood,
            0.22,
            run(0.0, 0.09, 0.1, &[7.0, 12.0]),
        ),
        sound(
            "leave",
            0.5,
            Body::Wood,
            0.3,
            run(0.0, 0.1, 0.14, &[10.0, 3.0]),
        ),
        sound(
            "mute",
            0.25,
            Body::Wood,
            0.2,
            run(0.0, 0.07, 0.06, &[5.0, 0.0]),
        ),
        sound(
            "unmute",
            0.25,
            Body::Wood,
            0.2,
            run(0.0, 0.07, 0.06, &[0.0, 5.0]),
        ),
        sound(
            "hand",
            0.5,
            Body::Bell,
            0.22,
            run(0.0, 0.1, 0.15, &[12.0, 15.0]),
        ),
        sound(
            "share",
            0.5,
            Body::Bell,
            0.22,
            run(0.0, 0.08, 0.14, &[5.0, 10.0, 17.0]),
        ),
        sound(
            "record",
            0.5,
            Body::Wood,
            0.22,
            run(0.0, 0.12, 0.14, &[0.0, 0.0, 7.0]),
        ),
        // Heard by whoever calls, again and again: soft, low, and mostly silence.
        sound(
            "ringback",
            4.0,
            Body::Wood,
            0.16,
            run(0.0, 0.4, 0.5, &[-9.0, -2.0]),
        ),
        sound(
            "message",
            0.4,
            Body::Bell,
            0.22,
            run(0.0, 0.1, 0.12, &[15.0]),
        ),
    ]
}

/// The sound as 16-bit samples.
fn render(sound: &Sound) -> Vec<i16> {
    let count = (sound.seconds * RATE) as usize;
    let mut samples = vec![0.0f64; count];
    for note in &sound.notes {
        let hz = 440.0 * (note.pitch / 12.0).exp2();
        let first = (note.at * RATE) as usize;
        for (n, sample) in samples.iter_mut().skip(first).enumerate() {
            let t = n as f64 / RATE;
            // Three milliseconds of rise: less clicks.
            let rise = (t / 0.003).min(1.0);
            for (ratio, strength, haste) in sound.body.partials() {
                let fall = (-t * haste / note.fall).exp();
                *sample += note.level * rise * fall * strength * (TAU * hz * ratio * t).sin();
            }
        }
    }
    // The end fades, so that a repetition joins without a click.
    let fade = (0.02 * RATE) as usize;
    for n in 0..fade.min(count) {
        samples[count - 1 - n] *= n as f64 / fade as f64;
    }
    let loudest = samples
        .iter()
        .fold(1e-9, |most: f64, sample| most.max(sample.abs()));
    samples
        .iter()
        .map(|sample| (sample / loudest * sound.peak * f64::from(i16::MAX)).round() as i16)
        .collect()
}

/// A WAV file: 16 bit, mono (RIFF, `fmt ` and `data` only).
fn wav(samples: &[i16]) -> Vec<u8> {
    let rate = RATE as u32;
    let bytes = u32::try_from(samples.len() * 2).unwrap_or(0);
    let mut file = Vec::with_capacity(samples.len() * 2 + 44);
    file.extend(b"RIFF");
    file.extend((bytes + 36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
    file.extend(1u16.to_le_bytes());
    file.extend(1u16.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2).to_le_bytes());
    file.extend(2u16.to_le_bytes());
    file.extend(16u16.to_le_bytes());
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    for sample in samples {
        file.extend(sample.to_le_bytes());
    }
    file
}

/// Writes all of them.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write(place: &Place) -> Result<(), TaskError> {
    let folder = place.root.join("assets/sounds");
    std::fs::create_dir_all(&folder).map_err(TaskError::file(&folder))?;
    for sound in sounds() {
        let path = folder.join(format!("{}.wav", sound.name));
        std::fs::write(&path, wav(&render(&sound))).map_err(TaskError::file(&path))?;
        println!("{}: {:.1} s", name_of(&path), sound.seconds);
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_committed_sounds_are_those_written_down_here() {
        for sound in sounds() {
            let path = Place::find()
                .root
                .join(format!("assets/sounds/{}.wav", sound.name));
            let held = std::fs::read(&path).unwrap();
            let made = wav(&render(&sound));
            assert_eq!(held.len(), made.len(), "{}: cargo xtask sounds", sound.name);
            assert_eq!(held[..44], made[..44]);
            // Sines differ in the last bit between systems.
            let differs = held[44..]
                .chunks_exact(2)
                .zip(made[44..].chunks_exact(2))
                .any(|(a, b)| {
                    let sample = |bytes: &[u8]| i32::from(i16::from_le_bytes([bytes[0], bytes[1]]));
                    (sample(a) - sample(b)).abs() > 2
                });
            assert!(!differs, "{}: cargo xtask sounds", sound.name);
        }
    }

    #[test]
    fn rings_end_in_silence_and_nothing_clips_or_clicks() {
        for sound in sounds() {
            let samples = render(&sound);
            let loudest = samples.iter().map(|s| i32::from(*s).abs()).max().unwrap();
            assert!(loudest < 20_000, "{}", sound.name);
            assert!(samples.first().unwrap().abs() < 200 && samples.last().unwrap().abs() < 200);
            if sound.name.starts_with("ring-") {
                let tail = &samples[samples.len() - 2400..];
                assert!(tail.iter().all(|s| s.abs() < 2000), "{}", sound.name);
            }
        }
    }
}
