//! The screens of the machine we run on.

use std::sync::Arc;

use super::ScreenHost;
use super::memory::PortalMemory;

/// What this system offers: under Wayland the desktop's portal, elsewhere on Linux X11 where there is an X server, and
/// nothing without either.
#[cfg(target_os = "linux")]
#[must_use]
pub fn system_screens(memory: Arc<dyn PortalMemory>) -> Arc<dyn ScreenHost> {
    // Under Wayland there may be an X server too, which shows only some of the windows; its screens are black.
    if std::env::var_os("WAYLAND_DISPLAY").is_some_and(|name| !name.is_empty()) {
        return Arc::new(super::portal::PortalHost::new(memory));
    }
    match super::x11::X11Host::new() {
        Some(host) => Arc::new(host),
        None => Arc::new(super::none::NoScreens),
    }
}

/// What this system offers: displays through DXGI, windows through the Graphics Capture API.
#[cfg(windows)]
#[must_use]
pub fn system_screens(_memory: Arc<dyn PortalMemory>) -> Arc<dyn ScreenHost> {
    Arc::new(super::windows::WindowsHost)
}

/// What this system offers: displays through Quartz, windows through ScreenCaptureKit.
#[cfg(target_os = "macos")]
#[must_use]
pub fn system_screens(_memory: Arc<dyn PortalMemory>) -> Arc<dyn ScreenHost> {
    Arc::new(super::macos::MacHost)
}

/// What this system offers: nothing.
#[cfg(not(any(windows, target_os = "linux", target_os = "macos")))]
#[must_use]
pub fn system_screens(_memory: Arc<dyn PortalMemory>) -> Arc<dyn ScreenHost> {
    Arc::new(super::none::NoScreens)
}
