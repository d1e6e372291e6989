//! Keeps the screen and the computer from sleeping while we are in a call.

#[cfg(all(unix, not(target_os = "macos")))]
#[path = "awake/linux.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "awake/macos.rs"]
mod system;
#[cfg(windows)]
#[path = "awake/windows.rs"]
mod system;

pub(crate) use system::Awake;
