//! A tone or a file instead of a microphone, and a file instead of a loudspeaker: the windowless client's devices.
//! Both keep real time.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use calls_core::command::DeviceRole;
use calls_core::id::DeviceId;
use calls_core::snapshot::DeviceRow;
use rtrb::{Consumer, Producer, RingBuffer};

use super::signal::Signal;
use super::{AudioHost, AudioSink, AudioSource, Devices, Fault, Format};
use crate::block::RATE;
use crate::error::MediaError;

/// Format of both ends.
const FORMAT: Format = Format {
    rate: RATE,
    channels: 1,
};
/// The source keeps so much, 1 s, before it drops the oldest.
const KEPT: u64 = RATE as u64;
/// The sink holds so much, 30 ms: the voice thread may be late by that on a busy machine.
const AHEAD: u64 = 30 * RATE as u64 / 1_000;
/// Samples that may wait for the disk, 10 s. When full, the newest are dropped.
const BACKLOG: usize = 10 * RATE as usize;
/// The file is written this often, and the length in its header with it, so that a killed program leaves a valid file.
const WRITE: Duration = Duration::from_millis(500);
/// Closing waits for the disk no longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is played into the call.
#[derive(Clone, Debug, PartialEq)]
pub enum PlaySpec {
    /// Nothing.
    Silence,
    /// A sine of half amplitude.
    Tone {
        /// Frequency, hertz, 20 to 20 000.
        hz: f32,
    },
    /// A WAV file, any rate and number of channels; begins when the mute gate first opens.
    Wav {
        /// Where it lies.
        path: PathBuf,
        /// Again and again, or once and then silence.
        repeat: bool,
    },
}

/// A play specification that cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected FILE.wav, loop:FILE.wav, tone:HZ (20 to 20000) or silence")]
pub struct PlaySpecError;

impl FromStr for PlaySpec {
    type Err = PlaySpecError;

    /// `tone:440`, `silence`, `FILE.wav` or `loop:FILE.wav`.
    fn from_str(text: &str) -> Result<Self, PlaySpecError> {
        if text == "silence" {
            return Ok(Self::Silence);
        }
        if let Some(hz) = text.strip_prefix("tone:") {
            let hz: f32 = hz.parse().map_err(|_| PlaySpecError)?;
            return if (20.0..=20_000.0).contains(&hz) {
                Ok(Self::Tone { hz })
            } else {
                Err(PlaySpecError)
            };
        }
        let (path, repeat) = match text.strip_prefix("loop:") {
            Some(path) => (path, true),
            None => (text, false),
        };
        if path.is_empty() {
            return Err(PlaySpecError);
        }
        Ok(Self::Wav {
            path: path.into(),
            repeat,
        })
    }
}

/// One input that plays a [`PlaySpec`], and one output that records to a file or to nowhere.
pub struct FileHost {
    signal: Signal,
    /// A clip begins when it can be heard; a tone has no beginning.
    waits: bool,
    recorder: Recorder,
}

impl FileHost {
    /// Opens the files. `record`: mono 48 kHz 16 bit WAV, replaced if it exists.
    ///
    /// # Errors
    /// [`MediaError::File`] if the clip cannot be read or the recording cannot be created.
    pub fn new(play: PlaySpec, record: Option<PathBuf>) -> Result<Self, MediaError> {
        let waits = matches!(play, PlaySpec::Wav { .. });
        let signal = match play {
            PlaySpec::Silence => Signal::Silence,
            PlaySpec::Tone { hz } => Signal::Tone { hz, amplitude: 0.5 },
            PlaySpec::Wav { path, repeat } => Signal::clip(&path, repeat)?,
        };
        let recorder = match record {
            Some(path) => Recorder::to(&path)?,
            None => Recorder::default(),
        };
        Ok(Self {
            signal,
            waits,
            recorder,
        })
    }
}

impl AudioHost for FileHost {
    fn devices(&self) -> Devices {
        let row = |role, id: &str, name: &str| DeviceRow {
            id: id.into(),
            name: name.to_owned(),
            role,
            is_default: true,
        };
        Devices {
            rows: vec![
                row(DeviceRole::Input, "file:play", "Playback of a file"),
                row(DeviceRole::Output, "file:record", "Recording to a file"),
            ],
        }
    }

    fn open_source(&self, id: &DeviceId) -> Result<Box<dyn AudioSource>, MediaError> {
        if id.as_str() != "file:play" {
            return Err(MediaError::Missing);
        }
        Ok(Box::new(FileSource {
            signal: self.signal.clone(),
            start: Instant::now(),
            read: 0,
            lost: 0,
            began: (!self.waits).then_some(0),
        }))
    }

    fn open_sink(&self, id: &DeviceId) -> Result<Box<dyn AudioSink>, MediaError> {
        if id.as_str() != "file:record" {
            return Err(MediaError::Missing);
        }
        Ok(Box::new(FileSink {
            recorder: self.recorder.clone(),
            start: Instant::now(),
            written: 0,
            lost: 0,
            before: self.recorder.written(),
            taken: 0,
        }))
    }

    fn is_acoustic(&self) -> bool {
        false
    }
}

fn frames(since: Instant) -> u64 {
    (since.elapsed().as_micros() * u128::from(RATE) / 1_000_000) as u64
}

struct FileSource {
    signal: Signal,
    start: Instant,
    read: u64,
    lost: u64,
    /// Where in our time the signal begins.
    began: Option<u64>,
}

impl AudioSource for FileSource {
    fn format(&self) -> Format {
        FORMAT
    }

    fn read(&mut self, pcm: &mut [f32]) -> usize {
        let mut there = frames(self.start).saturating_sub(self.read);
        if there > KEPT {
            self.lost += there - KEPT;
            self.read += there - KEPT;
            there = KEPT;
        }
        let n = pcm.len().min(there as usize);
        for (k, sample) in pcm[..n].iter_mut().enumerate() {
            *sample = match self.began {
                Some(began) => self.signal.sample(self.read + k as u64 - began),
                None => 0.0,
            };
        }
        self.read += n as u64;
        n
    }

    fn fault(&self) -> Option<Fault> {
        None
    }

    fn overruns(&self) -> u64 {
        self.lost
    }

    fn gate_opened(&mut self) {
        self.began.get_or_insert(self.read);
    }
}

/// The way to the file. The disk may be slow: it is written on a thread of its own.
#[derive(Clone, Default)]
struct Recorder(Option<Arc<Recording>>);

struct Recording {
    ring: Mutex<Producer<f32>>,
    /// Samples that are in the file.
    written: Arc<AtomicU64>,
    writer: Thread,
}

impl Recorder {
    fn to(path: &Path) -> Result<Self, MediaError> {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: RATE,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let file = hound::WavWriter::create(path, spec)
            .map_err(|cause| MediaError::File(Box::new(cause)))?;
        let (ring, samples) = RingBuffer::new(BACKLOG);
        let written = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&written);
        let thread = std::thread::Builder::new()
            .name("halloo-record".into())
            .spawn(move || {
                if let Err(error) = write_down(file, samples, &count) {
                    tracing::warn!(%error, "the recording ends here");
                }
            })
            .map_err(|cause| MediaError::File(Box::new(cause)))?;
        Ok(Self(Some(Arc::new(Recording {
            ring: Mutex::new(ring),
            written,
            writer: thread.thread().clone(),
        }))))
    }

    /// Appends, and says how many samples were taken.
    fn push(&self, silence: usize, pcm: &[f32]) -> u64 {
        let Some(recording) = &self.0 else { return 0 };
        // Only one sink at a time: nobody else holds it.
        let mut ring = recording
            .ring
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut taken = 0;
        for sample in std::iter::repeat_n(&0.0, silence).chain(pcm) {
            if ring.push(*sample).is_err() {
                break;
            }
            taken += 1;
        }
        taken
    }

    /// Waits until so many samples more than `before` are in the file.
    fn settle(&self, before: u64, taken: u64) {
        let Some(recording) = &self.0 else { return };
        let end = Instant::now() + PATIENCE;
        while recording.written.load(Ordering::Acquire) < before + taken && Instant::now() < end {
            recording.writer.unpark();
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn written(&self) -> u64 {
        self.0
            .as_ref()
            .map_or(0, |recording| recording.written.load(Ordering::Acquire))
    }
}

/// Runs until the host and all its sinks are gone.
fn write_down(
    mut file: hound::WavWriter<BufWriter<File>>,
    mut samples: Consumer<f32>,
    written: &AtomicU64,
) -> Result<(), hound::Error> {
    loop {
        let gone = samples.is_abandoned();
        let mut count = 0;
        while let Ok(sample) = samples.pop() {
            let sample = (sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16;
            file.write_sample(sample)?;
            count += 1;
        }
        if count > 0 {
            file.flush()?;
            written.fetch_add(count, Ordering::Release);
        }
        if gone {
            return file.finalize();
        }
        std::thread::park_timeout(WRITE);
    }
}

struct FileSink {
    recorder: Recorder,
    start: Instant,
    written: u64,
    lost: u64,
    /// Samples in the file when this sink was opened, and handed to it since.
    before: u64,
    taken: u64,
}

impl AudioSink for FileSink {
    fn format(&self) -> Format {
        FORMAT
    }

    fn room(&self) -> usize {
        (frames(self.start) + AHEAD).saturating_sub(self.written) as usize
    }

    fn write(&mut self, pcm: &[f32]) -> usize {
        let n = pcm.len().min(self.room());
        let played = frames(self.start);
        let missing = if self.written > 0 {
            played.saturating_sub(self.written)
        } else {
            0
        };
        self.lost += missing;
        self.written += missing + n as u64;
        self.taken += self.recorder.push(missing as usize, &pcm[..n]);
        n
    }

    fn fault(&self) -> Option<Fault> {
        None
    }

    fn underruns(&self) -> u64 {
        self.lost
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        self.recorder.settle(self.before, self.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn play_specifications_are_understood() {
        for (text, meant) in [
            ("silence", Some(PlaySpec::Silence)),
            ("tone:440", Some(PlaySpec::Tone { hz: 440.0 })),
            ("tone:5", None),
            ("tone:NaN", None),
            ("tone:x", None),
            ("", None),
            ("loop:", None),
            (
                "a.wav",
                Some(PlaySpec::Wav {
                    path: "a.wav".into(),
                    repeat: false,
                }),
            ),
            (
                "loop:a.wav",
                Some(PlaySpec::Wav {
                    path: "a.wav".into(),
                    repeat: true,
                }),
            ),
        ] {
            assert_eq!(text.parse::<PlaySpec>().ok(), meant, "{text}");
        }
    }

    #[test]
    fn a_missing_clip_and_an_impossible_recording_are_errors() {
        let clip = PlaySpec::Wav {
            path: "/nowhere/clip.wav".into(),
            repeat: false,
        };
        assert!(matches!(
            FileHost::new(clip, None),
            Err(MediaError::File(_))
        ));
        assert!(matches!(
            FileHost::new(PlaySpec::Silence, Some("/nowhere/out.wav".into())),
            Err(MediaError::File(_))
        ));
    }
}
