//! Rings, cues and notifications: what the core wants heard and shown outside its windows, and how the person wants it.
//!
//! The core says *what*; the program around it plays and shows ([`AlertWish`]), and never blocks on either.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::DeviceId;

mod note;
mod settings;

pub use note::{CallNews, Note, NoteButton, NoteKey, Words, plain};
pub use settings::{AlertSettings, GlobalKeys, MessageLevel, QuietHours, RingDevice, RingFor};

/// A ring tone. The first four have the official client's names, and are stored on the server; the others are ours,
/// and stay on this computer. All sounds are our own.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    /// Soft, rising; what rings when nothing was chosen (calls-v1-rest §15.3).
    #[default]
    Calm,
    /// A running figure.
    Dynamic,
    /// Hard to overhear.
    Urgent,
    /// A short tune.
    Cheerful,
    /// Ours: a bell buoy.
    Harbour,
    /// Ours: two low notes, for shared rooms.
    Lantern,
}

impl Tone {
    /// All of them, in the order of the settings.
    pub const ALL: [Self; 6] = [
        Self::Calm,
        Self::Dynamic,
        Self::Urgent,
        Self::Cheerful,
        Self::Harbour,
        Self::Lantern,
    ];

    /// The name under which the server keeps it; `None` for ours, which other clients do not know.
    #[must_use]
    pub fn server_name(self) -> Option<&'static str> {
        match self {
            Self::Calm => Some("Calm"),
            Self::Dynamic => Some("Dynamic"),
            Self::Urgent => Some("Urgent"),
            Self::Cheerful => Some("Cheerful"),
            Self::Harbour | Self::Lantern => None,
        }
    }

    /// What the server's name means; an unknown one is [`Tone::Calm`], as in the official client.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|tone| tone.server_name() == Some(name))
            .unwrap_or_default()
    }

    /// Its file in `assets/sounds`, without the ending.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Calm => "ring-calm",
            Self::Dynamic => "ring-dynamic",
            Self::Urgent => "ring-urgent",
            Self::Cheerful => "ring-cheerful",
            Self::Harbour => "ring-harbour",
            Self::Lantern => "ring-lantern",
        }
    }
}

/// A short sound of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Cue {
    /// We are in.
    JoinSelf,
    /// Somebody else came.
    JoinOther,
    /// We are out.
    Leave,
    /// Our microphone is off.
    Mute,
    /// Our microphone is on.
    Unmute,
    /// Somebody raised a hand.
    Hand,
    /// Somebody shares the screen.
    Share,
    /// The call is recorded from now on.
    Record,
    /// A message.
    Message,
}

impl Cue {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::JoinSelf,
        Self::JoinOther,
        Self::Leave,
        Self::Mute,
        Self::Unmute,
        Self::Hand,
        Self::Share,
        Self::Record,
        Self::Message,
    ];

    /// Its file in `assets/sounds`, without the ending.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::JoinSelf => "join-self",
            Self::JoinOther => "join",
            Self::Leave => "leave",
            Self::Mute => "mute",
            Self::Unmute => "unmute",
            Self::Hand => "hand",
            Self::Share => "share",
            Self::Record => "record",
            Self::Message => "message",
        }
    }
}

/// How far the keys reach that are to work everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum KeysReach {
    /// Nobody has said yet, or there are none to be held.
    #[default]
    Unknown,
    /// They work while another window has the focus.
    Everywhere,
    /// Only while one of our windows has the focus: the desktop has not allowed more, or cannot.
    Window,
}

/// What the desktop around our windows tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DesktopNews {
    /// How far the keys reach now.
    Keys(KeysReach),
    /// Another program holds this key, as it was wished for.
    KeyTaken(String),
    /// The computer has slept, and is awake again.
    Woke,
    /// Nobody has touched keyboard and mouse for minutes; or somebody does again. Repeated while that is so.
    Idle(bool),
    /// The system is set to do not disturb, or is no longer.
    DoNotDisturb(bool),
    /// The large window of the call is in front, or no longer.
    CallInFront(bool),
    /// This is the demonstration: there is somebody who calls when asked to.
    Demo,
    /// What goes on at the person's other servers.
    Elsewhere(Elsewhere),
}

/// What a person does at another server while this one is to know of it: whoever is in a call there is not rung here,
/// and is asked before joining one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// In a call, or joining one.
    pub in_call: bool,
    /// A whole screen is shared there, on which everybody would read our notifications.
    pub shows_everything: bool,
}

/// What the core wants heard or shown outside its windows. None of it may block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertWish {
    /// Ring now, in place of any other ring or preview.
    Ring(Ring),
    /// No ring and no preview any more, at once.
    Silence,
    /// A short sound on the call's loudspeaker.
    Cue {
        /// Which.
        cue: Cue,
        /// The loudspeaker chosen for calls; `None` follows the system.
        device: Option<DeviceId>,
        /// How loud, per cent, 0 to 100.
        volume: u16,
    },
    /// The tone that whoever calls hears until somebody answers, on this loudspeaker (`None` follows the system);
    /// nothing stops it.
    Ringback(Option<Option<DeviceId>>),
    /// Show this.
    Show(Box<Note>),
    /// It is of no interest any more.
    Withdraw(NoteKey),
    /// Open this address in the person's browser. Ours: of the server that the person has chosen.
    Browse(String),
    /// The main window is to come to the front.
    Front,
    /// End the program.
    Quit,
    /// Ask the desktop once more for the keys.
    AskForKeys,
    /// In the demonstration: have somebody call.
    CallMe,
}

/// A ring, or a preview of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// What.
    pub tone: Tone,
    /// How loud, per cent, 0 to 100.
    pub volume: u16,
    /// Where.
    pub device: RingDevice,
    /// How long at most, seconds; the core says earlier when to stop. The tone repeats meanwhile.
    pub seconds: u16,
    /// The tone sounds one time only.
    pub once: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_have_the_official_names_and_unknown_ones_are_calm() {
        for name in ["Calm", "Dynamic", "Urgent", "Cheerful"] {
            assert_eq!(Tone::named(name).server_name(), Some(name));
        }
        assert_eq!(Tone::named("Bing"), Tone::Calm);
        assert_eq!(Tone::named(""), Tone::Calm);
    }
}
