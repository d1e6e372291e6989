//! Linux: X11's grabs, or the desktop's portal under Wayland.

#[path = "portal.rs"]
mod portal;
#[path = "x11.rs"]
mod x11;

use tauri::AppHandle;

use super::{Act, Chord, Heard, Told};

/// Whichever of the two it is.
pub(super) enum System {
    X11(x11::System),
    Portal(portal::System),
}

impl System {
    pub(super) fn open(_app: &AppHandle, heard: Heard) -> Option<Self> {
        // Under Wayland XWayland lets itself be grabbed, but hears keys only while one of its own windows has the
        // focus: that would be a promise not kept.
        if std::env::var_os("WAYLAND_DISPLAY").is_some() {
            portal::System::open(heard).map(Self::Portal)
        } else {
            x11::System::open(heard).map(Self::X11)
        }
    }

    pub(super) fn hold(&self, chords: Vec<(Act, Chord)>) {
        match self {
            Self::X11(system) => system.hold(chords),
            Self::Portal(system) => system.hold(chords),
        }
    }
}
