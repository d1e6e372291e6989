//! Sound devices, what is done to the sound, and how loud it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::command::DeviceRole;
use crate::id::DeviceId;

/// Sound devices and the choice among them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Devices {
    /// Microphones.
    pub inputs: Vec<DeviceRow>,
    /// Loudspeakers and headphones.
    pub outputs: Vec<DeviceRow>,
    /// Chosen microphone; `None` follows the system.
    pub input: Option<DeviceId>,
    /// Chosen loudspeaker; `None` follows the system.
    pub output: Option<DeviceId>,
    /// What is done to the sound.
    pub sound: Sound,
    /// Nothing of the others is heard, on purpose. Not remembered.
    pub deafened: bool,
    /// The three sound files are being written.
    pub dumping: bool,
    /// Hearing oneself, if that was asked for.
    pub trial: Option<Trial>,
}

/// Where the trial of the microphone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Trial {
    /// The microphone is recorded.
    Recording,
    /// What was recorded is played.
    Playing,
}

/// What is done to the sound on its way: everything that a person can switch. Kept from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase")]
pub struct Sound {
    /// Remove the echo of what we play from what the microphone hears.
    pub echo: bool,
    /// Remove noise.
    pub noise: Noise,
    /// Bring the voice to an even loudness.
    pub gain: bool,
    /// Remove rumble below the voice.
    pub high_pass: bool,
    /// Loudness of our microphone, per cent, 0 to 200.
    pub input_volume: u16,
    /// Loudness of everything that is heard, per cent, 0 to 200.
    pub output_volume: u16,
    /// Only let through what is louder than this, dBov, −90 to 0; `None` lets everything through.
    pub threshold: Option<i8>,
    /// What other programs play goes along with a shared screen, unless the person says otherwise this time.
    pub share: bool,
    /// For music: the microphone goes out as it is, whatever is said above about echo, noise, loudness, rumble and the
    /// threshold, which comes back afterwards.
    pub original: bool,
}

impl Sound {
    /// Nothing is done.
    pub const RAW: Self = Self {
        echo: false,
        noise: Noise::Off,
        gain: false,
        high_pass: false,
        input_volume: 100,
        output_volume: 100,
        threshold: None,
        share: true,
        original: false,
    };

    /// The same, but for the treatment of the microphone: there is none.
    #[must_use]
    pub fn untreated(self) -> Self {
        Self {
            echo: false,
            noise: Noise::Off,
            gain: false,
            high_pass: false,
            threshold: None,
            ..self
        }
    }

    /// The same with every figure within its range.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self {
            input_volume: self.input_volume.min(200),
            output_volume: self.output_volume.min(200),
            threshold: self.threshold.map(|threshold| threshold.clamp(-90, 0)),
            ..self
        }
    }
}

impl Default for Sound {
    fn default() -> Self {
        Self {
            echo: true,
            noise: Noise::Standard,
            gain: true,
            high_pass: true,
            ..Self::RAW
        }
    }
}

/// How much noise is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Noise {
    /// None: for music, and for very good microphones.
    Off,
    /// Steady noise: fans, hum, the street.
    #[default]
    Standard,
    /// Also what is sudden: keys, clicks, a rustle. Takes a little of the voice's colour with it.
    Strong,
}

/// A sound device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeviceRow {
    /// Identity.
    pub id: DeviceId,
    /// As the system calls it.
    pub name: String,
    /// Which end.
    pub role: DeviceRole,
    /// The system's default.
    pub is_default: bool,
}

/// Loudness for meters, ten times a second. Lossy: only the newest matters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Levels {
    /// Our microphone before the mute gate, 0 (silence) to 1 (full scale), logarithmic over 60 dB.
    pub input: f32,
    /// What we hear of each session, 0..1, likewise.
    pub sessions: BTreeMap<String, f32>,
}
