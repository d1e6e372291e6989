//! Keys that work while another window has the focus: push to talk, and mute.

use calls_core::alert::GlobalKeys;
use calls_core::command::Command;

use crate::start::Running;

#[cfg(all(unix, not(target_os = "macos")))]
#[path = "keys/x11.rs"]
mod system;
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[path = "keys/none.rs"]
mod system;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The microphone is open while it is held.
    Talk,
    /// The microphone goes off or on.
    Mute,
}

/// A key with its modifiers, as `Ctrl+Shift+Space`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chord {
    pub(crate) control: bool,
    pub(crate) shift: bool,
    pub(crate) alt: bool,
    pub(crate) meta: bool,
    /// The key's name: a letter, a digit, `F1`…, or a name such as `Space`.
    pub(crate) key: String,
}

impl Chord {
    /// Reads one; `None` for nothing and for nonsense.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut chord = Self::default();
        for part in text.split('+').map(str::trim) {
            match part.to_lowercase().as_str() {
                "ctrl" | "control" => chord.control = true,
                "shift" => chord.shift = true,
                "alt" => chord.alt = true,
                "meta" | "super" | "cmd" => chord.meta = true,
                "" => return None,
                _ if chord.key.is_empty() && part.chars().count() <= 16 => {
                    part.clone_into(&mut chord.key)
                }
                _ => return None,
            }
        }
        (!chord.key.is_empty()).then_some(chord)
    }
}

/// The keys held for us; none any more when dropped.
pub(crate) struct Keys {
    system: Option<system::System>,
    held: GlobalKeys,
}

impl Keys {
    /// Connects to the system, if it lets programs have such keys.
    pub(crate) fn open(core: &Running) -> Self {
        let core = core.clone();
        let system = system::System::open(move |act, down| match act {
            Act::Talk => core.dispatch(Command::HoldToTalk { held: down }),
            Act::Mute if down => core.dispatch(Command::ToggleMute),
            Act::Mute => {}
        });
        if system.is_none() {
            tracing::info!("this desktop has no keys that work everywhere");
        }
        Self {
            system,
            held: GlobalKeys::default(),
        }
    }

    /// Holds these keys instead of the last ones.
    pub(crate) fn hold(&mut self, keys: &GlobalKeys) {
        if *keys == self.held {
            return;
        }
        self.held = keys.clone();
        let Some(system) = &self.system else { return };
        let wanted = [(Act::Talk, &keys.talk), (Act::Mute, &keys.mute)];
        let chords: Vec<(Act, Chord)> = wanted
            .into_iter()
            .filter_map(|(act, text)| Some((act, Chord::parse(text)?)))
            .collect();
        system.hold(chords);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn chords_are_read_as_people_write_them() {
        let chord = Chord::parse("Ctrl+Shift+Space").unwrap();
        assert!(chord.control && chord.shift && !chord.alt && !chord.meta);
        assert_eq!(chord.key, "Space");
        assert_eq!(Chord::parse("F9").unwrap().key, "F9");
        for nonsense in ["", "Ctrl", "Ctrl+", "+", "a+b", "Ctrl++"] {
            assert_eq!(Chord::parse(nonsense), None, "{nonsense}");
        }
    }
}
