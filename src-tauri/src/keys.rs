//! Keys that work while another window has the focus: push to talk, and mute.

use std::sync::Arc;

use calls_core::alert::{DesktopNews, GlobalKeys, KeysReach};
use calls_core::command::Command;
use tauri::AppHandle;

use crate::start::Running;

#[cfg(all(unix, not(target_os = "macos")))]
#[path = "keys/linux.rs"]
mod system;
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[path = "keys/other.rs"]
mod system;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The microphone is open while it is held.
    Talk,
    /// The microphone goes off or on.
    Mute,
    /// The microphone is shut while it is held.
    Hush,
}

impl Act {
    /// The key that the person has chosen for it.
    fn key(self, keys: &GlobalKeys) -> &String {
        match self {
            Self::Talk => &keys.talk,
            Self::Mute => &keys.mute,
            Self::Hush => &keys.hush,
        }
    }
}

/// What the system says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A key went down, or up.
    Key(Act, bool),
    /// How far the keys reach now.
    Reach(KeysReach),
    /// Another program holds this one.
    Taken(Act),
}

/// Whom the system tells; quick, and called from any thread.
type Heard = Arc<dyn Fn(Told) + Send + Sync>;

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
    core: Running,
    app: AppHandle,
    system: Option<system::System>,
    held: GlobalKeys,
}

impl Keys {
    /// Holds nothing yet.
    pub(crate) fn new(app: AppHandle, core: &Running) -> Self {
        Self {
            core: core.clone(),
            app,
            system: None,
            held: GlobalKeys::default(),
        }
    }

    /// Holds these keys instead of the last ones.
    pub(crate) fn hold(&mut self, keys: &GlobalKeys) {
        // How long the microphone stays open is no affair of the system's.
        let same = |key: fn(&GlobalKeys) -> &String| key(keys) == key(&self.held);
        if !(same(|keys| &keys.talk) && same(|keys| &keys.mute) && same(|keys| &keys.hush)) {
            self.held = keys.clone();
            self.take();
        }
    }

    /// Asks the system once more.
    pub(crate) fn again(&mut self) {
        self.system = None;
        self.take();
    }

    fn take(&mut self) {
        let wanted = [Act::Talk, Act::Mute, Act::Hush].map(|act| (act, act.key(&self.held)));
        let chords: Vec<(Act, Chord)> = wanted
            .into_iter()
            .filter_map(|(act, text)| Some((act, Chord::parse(text)?)))
            .collect();
        if chords.is_empty() {
            self.core
                .handle()
                .desktop(DesktopNews::Keys(KeysReach::Unknown));
        }
        // Whoever wants no such keys has no thread for them.
        if self.system.is_none() && !chords.is_empty() {
            let (core, held) = (self.core.clone(), self.held.clone());
            let heard: Heard = Arc::new(move |told| hear(&core, &held, told));
            self.system = system::System::open(&self.app, heard);
            if self.system.is_none() {
                tracing::info!("this desktop has no keys that work everywhere");
                self.core
                    .handle()
                    .desktop(DesktopNews::Keys(KeysReach::Window));
            }
        }
        if let Some(system) = &self.system {
            system.hold(chords);
        }
    }
}

fn hear(core: &Running, held: &GlobalKeys, told: Told) {
    match told {
        Told::Key(Act::Talk, down) => core.dispatch(Command::HoldToTalk { held: down }),
        Told::Key(Act::Mute, true) => core.dispatch(Command::ToggleMute),
        Told::Key(Act::Mute, false) => {}
        Told::Key(Act::Hush, down) => core.dispatch(Command::HoldToMute { held: down }),
        Told::Reach(reach) => core.handle().desktop(DesktopNews::Keys(reach)),
        Told::Taken(act) => {
            // The wish may have changed meanwhile; then the settings know it better than we do.
            let settings = &core.snapshot().alerts.settings.keys;
            let (now, then) = (act.key(settings), act.key(held));
            let key = if now.is_empty() { then } else { now };
            core.handle().desktop(DesktopNews::KeyTaken(key.clone()));
        }
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
