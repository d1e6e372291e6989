//! X11: passive grabs of single keys (X protocol, `GrabKey`). A thread waits for their events, so that nothing lies
//! between the key and the microphone; polling libraries look every 50 ms.

use std::sync::{Arc, Mutex, PoisonError};

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ConnectionExt, GrabMode, Keycode, ModMask};
use x11rb::rust_connection::RustConnection;

use calls_core::alert::KeysReach;

use super::{Act, Chord, Heard, Told};

/// Caps lock and num lock must not make a key another one: each is grabbed with and without them.
const LOCKS: [u16; 4] = [0, 0x02, 0x10, 0x12];

/// Modifiers that make a key another one: shift, control, alt, super.
const MATTER: u16 = 0x01 | 0x04 | 0x08 | 0x40;

/// The connection with what it holds.
pub(crate) struct System {
    shared: Arc<Shared>,
}

struct Shared {
    display: RustConnection,
    root: u32,
    held: Mutex<Vec<(Act, Keycode, u16)>>,
    heard: Heard,
}

impl System {
    /// Connects; `None` without X11.
    pub(super) fn open(heard: Heard) -> Option<Self> {
        let (display, screen) = RustConnection::connect(None).ok()?;
        let root = display.setup().roots.get(screen)?.root;
        let shared = Arc::new(Shared {
            display,
            root,
            held: Mutex::default(),
            heard,
        });
        let listens = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("keys".to_owned())
            .spawn(move || listens.listen())
            .ok()?;
        Some(Self { shared })
    }

    /// Holds these keys and no others.
    pub(super) fn hold(&self, chords: Vec<(Act, Chord)>) {
        if let Err(why) = self.shared.hold(chords) {
            tracing::warn!(%why, "keys that work everywhere");
        }
    }
}

impl Shared {
    fn hold(&self, chords: Vec<(Act, Chord)>) -> Result<(), x11rb::errors::ReplyOrIdError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, key, modifiers) in held.drain(..) {
            for lock in LOCKS {
                self.display
                    .ungrab_key(key, self.root, ModMask::from(modifiers | lock))?;
            }
        }
        let mut all = true;
        let some = !chords.is_empty();
        for (act, chord) in chords {
            let Some(key) = self.keycode(&chord.key)? else {
                tracing::warn!(key = chord.key, "this keyboard has no such key");
                all = false;
                continue;
            };
            let mut modifiers = 0;
            for (on, bit) in [
                (chord.shift, 0x01),
                (chord.control, 0x04),
                (chord.alt, 0x08),
                (chord.meta, 0x40),
            ] {
                if on {
                    modifiers |= bit;
                }
            }
            let mut taken = false;
            for lock in LOCKS {
                let grab = self.display.grab_key(
                    false,
                    self.root,
                    ModMask::from(modifiers | lock),
                    key,
                    GrabMode::ASYNC,
                    GrabMode::ASYNC,
                )?;
                // BadAccess: another program holds it.
                taken |= grab.check().is_err();
            }
            if taken {
                tracing::warn!(?chord, "another program holds this key");
                all = false;
                (self.heard)(Told::Taken(act));
            }
            held.push((act, key, modifiers));
        }
        self.display.flush()?;
        if some && all {
            (self.heard)(Told::Reach(KeysReach::Everywhere));
        }
        Ok(())
    }

    fn keycode(&self, name: &str) -> Result<Option<Keycode>, x11rb::errors::ReplyOrIdError> {
        let Some(wanted) = keysym(name) else {
            return Ok(None);
        };
        let setup = self.display.setup();
        let count = setup.max_keycode - setup.min_keycode + 1;
        let map = self
            .display
            .get_keyboard_mapping(setup.min_keycode, count)?
            .reply()?;
        let each = usize::from(map.keysyms_per_keycode).max(1);
        let at = map
            .keysyms
            .chunks(each)
            .position(|syms| syms.contains(&wanted));
        Ok(at
            .and_then(|at| u8::try_from(at).ok())
            .and_then(|at| setup.min_keycode.checked_add(at)))
    }

    fn listen(&self) {
        // A key that is held repeats as release and press of the same time; the press is looked at before the
        // release is believed.
        let mut next: Option<Event> = None;
        loop {
            let event = match next.take() {
                Some(event) => event,
                None => match self.display.wait_for_event() {
                    Ok(event) => event,
                    Err(why) => {
                        tracing::info!(%why, "no keys any more");
                        return;
                    }
                },
            };
            match event {
                Event::KeyPress(key) => {
                    if let Some(act) = self.act(key.detail, u16::from(key.state)) {
                        (self.heard)(Told::Key(act, true));
                    }
                }
                Event::KeyRelease(key) => {
                    next = self.display.poll_for_event().ok().flatten();
                    let repeats = matches!(
                        &next,
                        Some(Event::KeyPress(again)) if again.detail == key.detail && again.time == key.time
                    );
                    if repeats {
                        next = None;
                    } else if let Some(act) = self.released(key.detail) {
                        (self.heard)(Told::Key(act, false));
                    }
                }
                _ => {}
            }
        }
    }

    fn act(&self, key: Keycode, state: u16) -> Option<Act> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter()
            .find(|(_, code, modifiers)| *code == key && *modifiers == state & MATTER)
            .map(|(act, ..)| *act)
    }

    /// Modifiers may be let go before the key.
    fn released(&self, key: Keycode) -> Option<Act> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter()
            .find(|(_, code, _)| *code == key)
            .map(|(act, ..)| *act)
    }
}

/// X's number for a key's name (`keysymdef.h`).
fn keysym(name: &str) -> Option<u32> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return c
            .is_ascii_graphic()
            .then(|| u32::from(c.to_ascii_lowercase()));
    }
    if let Some(number) = name
        .strip_prefix(['F', 'f'])
        .and_then(|n| n.parse::<u32>().ok())
    {
        return (1..=35).contains(&number).then_some(0xffbd + number);
    }
    Some(match name.to_lowercase().as_str() {
        "space" => 0x20,
        "tab" => 0xff09,
        "enter" => 0xff0d,
        "pause" => 0xff13,
        "scrolllock" => 0xff14,
        "escape" => 0xff1b,
        "home" => 0xff50,
        "end" => 0xff57,
        "pageup" => 0xff55,
        "pagedown" => 0xff56,
        "insert" => 0xff63,
        "delete" => 0xffff,
        "capslock" => 0xffe5,
        "controlright" => 0xffe4,
        "altright" => 0xffea,
        "menu" => 0xff67,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_numbers() {
        for (name, number) in [
            ("F1", 0xffbe),
            ("F12", 0xffc9),
            ("m", 0x6d),
            ("M", 0x6d),
            ("Space", 0x20),
        ] {
            assert_eq!(keysym(name), Some(number), "{name}");
        }
        assert_eq!(keysym("F0"), None);
        assert_eq!(keysym("Nonsense"), None);
    }
}
