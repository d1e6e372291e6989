//! Windows and macOS, through `global-hotkey`: it wants to live on the main thread, whose event loop brings the keys.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use calls_core::alert::KeysReach;
use global_hotkey::hotkey::HotKey;
use global_hotkey::{GlobalHotKeyEvent, GlobalHotKeyManager, HotKeyState};
use tauri::AppHandle;

use super::{Act, Chord, Heard, Told};

thread_local! {
    /// Of the main thread.
    static MANAGER: RefCell<Option<(GlobalHotKeyManager, Vec<HotKey>)>> = const { RefCell::new(None) };
}

/// Which key does what now, and whom to tell; the library takes one listener for the whole run.
static LISTENS: Mutex<Option<(Heard, Vec<(u32, Act)>)>> = Mutex::new(None);

/// The wish to hold keys.
pub(super) struct System {
    app: AppHandle,
    heard: Heard,
}

impl System {
    pub(super) fn open(app: &AppHandle, heard: Heard) -> Option<Self> {
        GlobalHotKeyEvent::set_event_handler(Some(|event: GlobalHotKeyEvent| {
            let listens = LISTENS.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((heard, acts)) = &*listens
                && let Some((_, act)) = acts.iter().find(|(id, _)| *id == event.id)
            {
                heard(Told::Key(*act, event.state == HotKeyState::Pressed));
            }
        }));
        Some(Self {
            app: app.clone(),
            heard,
        })
    }

    pub(super) fn hold(&self, chords: Vec<(Act, Chord)>) {
        let heard = Arc::clone(&self.heard);
        let held = self.app.run_on_main_thread(move || {
            MANAGER.with_borrow_mut(|manager| take(manager, &heard, &chords));
        });
        if held.is_err() {
            tracing::warn!("keys that work everywhere: the program ends");
        }
    }
}

fn take(
    manager: &mut Option<(GlobalHotKeyManager, Vec<HotKey>)>,
    heard: &Heard,
    chords: &[(Act, Chord)],
) {
    if manager.is_none() {
        match GlobalHotKeyManager::new() {
            Ok(made) => *manager = Some((made, Vec::new())),
            Err(why) => {
                tracing::warn!(%why, "keys that work everywhere");
                heard(Told::Reach(KeysReach::Window));
                return;
            }
        }
    }
    let Some((manager, held)) = manager else {
        return;
    };
    for key in held.drain(..) {
        // Whatever it says, we want it no more.
        let _ = manager.unregister(key);
    }
    let (mut acts, mut all) = (Vec::new(), true);
    for (act, chord) in chords {
        let taken = spelled(chord)
            .parse::<HotKey>()
            .ok()
            .filter(|key| manager.register(*key).is_ok());
        match taken {
            Some(key) => {
                held.push(key);
                acts.push((key.id(), *act));
            }
            None => {
                all = false;
                heard(Told::Taken(*act));
            }
        }
    }
    let some = !acts.is_empty();
    *LISTENS.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(heard), acts));
    if some && all {
        heard(Told::Reach(KeysReach::Everywhere));
    }
}

/// As the library spells chords.
fn spelled(chord: &Chord) -> String {
    let mut text = String::new();
    for (on, word) in [
        (chord.control, "Control+"),
        (chord.shift, "Shift+"),
        (chord.alt, "Alt+"),
        (chord.meta, "Super+"),
    ] {
        if on {
            text.push_str(word);
        }
    }
    let mut letters = chord.key.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii_alphabetic() => {
            text.push_str("Key");
            text.push(letter.to_ascii_uppercase());
        }
        (Some(digit), None) if digit.is_ascii_digit() => {
            text.push_str("Digit");
            text.push(digit);
        }
        _ => text.push_str(&chord.key),
    }
    text
}
