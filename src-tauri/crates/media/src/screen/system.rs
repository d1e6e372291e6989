//! The screens of the machine we run on.

use std::sync::Arc;

use super::ScreenHost;
use super::none::NoScreens;

/// What this system offers: X11 where there is an X server, nothing elsewhere.
#[must_use]
pub fn system_screens() -> Arc<dyn ScreenHost> {
    #[cfg(target_os = "linux")]
    if let Some(host) = super::x11::X11Host::new() {
        return Arc::new(host);
    }
    Arc::new(NoScreens)
}
