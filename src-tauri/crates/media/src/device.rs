//! The edge to the machine's sound: traits, with hardware ([`system_audio`]), doubles ([`fake`]) and files ([`mod@file`]) behind.

mod cpal;
pub mod fake;
pub mod file;
#[cfg(any(windows, target_os = "linux", test))]
mod guard;
#[cfg(any(windows, target_os = "macos", test))]
mod others;
#[cfg(target_os = "linux")]
mod pulse;
pub mod ring;
pub mod signal;
mod system;

use std::thread::Thread;

use calls_core::command::DeviceRole;
use calls_core::id::DeviceId;
use calls_core::snapshot::DeviceRow;

pub use system::system_audio;

use crate::error::MediaError;

/// Longer device names are cut, characters.
const NAME: usize = 120;

/// How a device's samples are laid out: interleaved `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Frames per second, 8 000 to 192 000.
    pub rate: u32,
    /// Samples per frame, 1 to 32.
    pub channels: u16,
}

/// The devices there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// All of them, both roles, in the system's order; monitors of outputs left out.
    pub rows: Vec<DeviceRow>,
}

impl Devices {
    /// Of these; of two with one name in one role (two headsets of one kind), the second becomes "… (2)".
    #[must_use]
    pub fn told_apart(mut rows: Vec<DeviceRow>) -> Self {
        for at in 1..rows.len() {
            let (before, from) = rows.split_at_mut(at);
            let Some(row) = from.first_mut() else { break };
            let numbered = format!("{} (", row.name);
            let of_role = || before.iter().filter(|other| other.role == row.role);
            if of_role().any(|other| other.name == row.name) {
                let same = of_role()
                    .filter(|other| other.name == row.name || other.name.starts_with(&numbered))
                    .count();
                row.name = format!("{} ({})", row.name, same + 1);
            }
        }
        Self { rows }
    }

    /// The devices of one role.
    pub fn of(&self, role: DeviceRole) -> impl Iterator<Item = &DeviceRow> {
        self.rows.iter().filter(move |row| row.role == role)
    }

    /// The device with this identity.
    #[must_use]
    pub fn find(&self, role: DeviceRole, id: &DeviceId) -> Option<&DeviceRow> {
        self.of(role).find(|row| row.id == *id)
    }

    /// The system's default of one role; the first one if the system names none.
    #[must_use]
    pub fn default_of(&self, role: DeviceRole) -> Option<&DeviceRow> {
        self.of(role)
            .find(|row| row.is_default)
            .or_else(|| self.of(role).next())
    }
}

/// Why an open device stopped working.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is gone: use another one.
    Gone,
    /// It must be opened anew (its format changed, the sound server restarted).
    Reopen,
}

/// Where sound devices come from. Called from two threads: the list from one that may block, the rest from the
/// voice thread.
pub trait AudioHost: Send + Sync {
    /// The devices there are now. May block for as long as the sound server takes.
    fn devices(&self) -> Devices;

    /// Opens a microphone; it captures from now on.
    ///
    /// # Errors
    /// [`MediaError::Missing`] if there is no such device, [`MediaError::Denied`] if the system forbids it,
    /// [`MediaError::Busy`] or [`MediaError::Failed`] if it cannot be opened now or at all.
    fn open_source(&self, id: &DeviceId) -> Result<Box<dyn AudioSource>, MediaError>;

    /// Opens a loudspeaker; it plays from now on.
    ///
    /// # Errors
    /// As [`AudioHost::open_source`].
    fn open_sink(&self, id: &DeviceId) -> Result<Box<dyn AudioSink>, MediaError>;

    /// True for microphones and loudspeakers in a room: then echo and noise are removed. False for files and tones.
    fn is_acoustic(&self) -> bool;

    /// Whether what other programs play can be captured.
    fn has_played(&self) -> bool {
        system::has_played()
    }

    /// Opens what all other programs play, without what we play ourselves: 48 kHz, one or two channels. While nobody
    /// plays, nothing comes.
    ///
    /// # Errors
    /// As [`AudioHost::open_source`]; [`MediaError::Missing`] where this cannot be had.
    fn open_played(&self) -> Result<Box<dyn AudioSource>, MediaError> {
        system::open_played()
    }
}

/// An open microphone. Lives on one thread, hence need not be `Send` (cpal's streams are not everywhere).
pub trait AudioSource {
    /// Layout of what [`AudioSource::read`] yields; constant.
    fn format(&self) -> Format;

    /// Copies captured samples (interleaved, whole frames) and says how many; 0 if there are none yet. Never blocks.
    fn read(&mut self, pcm: &mut [f32]) -> usize;

    /// Set once the device does not work any more.
    fn fault(&self) -> Option<Fault>;

    /// Samples lost so far because they were not read in time.
    fn overruns(&self) -> u64;

    /// From now on this thread is to be woken ([`Thread::unpark`]) whenever there is something to read. False if that
    /// cannot be had: then it must look by itself.
    fn wake(&mut self, _reader: Thread) -> bool {
        false
    }

    /// Whether the reader comes by often anyway and wants nothing but to know how loud it is, so that it need not be woken for
    /// every block. Once it wants more, what was captured before is left out. Devices need not care.
    fn set_patient(&mut self, _patient: bool) {}

    /// Samples left out so far because they were captured before they were wanted: time went on by so much.
    fn let_go(&self) -> u64 {
        0
    }

    /// Told when the mute gate opens for the first time: a clip begins only then. Devices need not care.
    fn gate_opened(&mut self) {}
}

/// An open loudspeaker. Lives on one thread.
pub trait AudioSink {
    /// Layout of what [`AudioSink::write`] takes; constant.
    fn format(&self) -> Format;

    /// Samples (interleaved) that should be written now to keep the sink just full enough. Never more than what
    /// [`AudioSink::write`] takes, and small on purpose: what waits here is delay.
    fn room(&self) -> usize;

    /// From now on this thread is to be woken ([`Thread::unpark`]) whenever there is room. False if that cannot be had:
    /// then it must look by itself, every 2.5 ms.
    fn wake(&mut self, _writer: Thread) -> bool {
        false
    }

    /// Takes samples (interleaved, whole frames) and says how many; the rest is the caller's loss. Never blocks.
    fn write(&mut self, pcm: &[f32]) -> usize;

    /// Set once the device does not work any more.
    fn fault(&self) -> Option<Fault>;

    /// Samples that were missing so far when the device wanted them; it played silence instead.
    fn underruns(&self) -> u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_of_one_name_are_told_apart_in_each_role() {
        let row = |name: &str, role| DeviceRow {
            id: DeviceId::new(name.to_owned()),
            name: name.to_owned(),
            role,
            is_default: false,
        };
        let rows = vec![
            row("Headset", DeviceRole::Input),
            row("Headset", DeviceRole::Output),
            row("Headset", DeviceRole::Input),
            row("Webcam", DeviceRole::Input),
            row("Headset", DeviceRole::Input),
        ];
        let told = Devices::told_apart(rows);
        let names: Vec<&str> = told.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(
            names,
            ["Headset", "Headset", "Headset (2)", "Webcam", "Headset (3)"]
        );
    }
}
