//! The machine's own sound devices: the sound server where there is one, else the hardware.

use std::sync::Arc;

use calls_core::id::DeviceId;

use super::cpal::Hardware;
use super::{AudioHost, AudioSink, AudioSource, Devices};
use crate::error::MediaError;

/// Whether this system lets programs hear each other, without ourselves.
pub(super) fn has_played() -> bool {
    #[cfg(target_os = "linux")]
    return true;
    #[cfg(any(windows, target_os = "macos"))]
    return super::others::has_played();
    #[cfg(not(any(windows, target_os = "macos", target_os = "linux")))]
    false
}

/// What all other programs play.
pub(super) fn open_played() -> Result<Box<dyn AudioSource>, MediaError> {
    #[cfg(target_os = "linux")]
    return super::pulse::open_played();
    #[cfg(any(windows, target_os = "macos"))]
    return super::others::open_played();
    #[cfg(not(any(windows, target_os = "macos", target_os = "linux")))]
    Err(MediaError::Missing)
}

/// The machine's own sound devices.
#[must_use]
pub fn system_audio() -> Arc<dyn AudioHost> {
    Arc::new(System {
        #[cfg(target_os = "linux")]
        server: super::pulse::Watch::start(),
        hardware: Hardware::default(),
    })
}

struct System {
    /// It shares devices, converts rates and knows names, so it comes first; from when it runs.
    #[cfg(target_os = "linux")]
    server: super::pulse::Watch,
    hardware: Hardware,
}

impl AudioHost for System {
    fn devices(&self) -> Devices {
        #[cfg(target_os = "linux")]
        if let Some(devices) = self.server.devices() {
            return devices;
        }
        self.hardware.devices()
    }

    fn open_source(&self, id: &DeviceId) -> Result<Box<dyn AudioSource>, MediaError> {
        #[cfg(target_os = "linux")]
        if let Some(name) = super::pulse::name_of(id.as_str()) {
            return super::pulse::open_source(name);
        }
        self.hardware.open_source(id)
    }

    fn open_sink(&self, id: &DeviceId) -> Result<Box<dyn AudioSink>, MediaError> {
        #[cfg(target_os = "linux")]
        if let Some(name) = super::pulse::name_of(id.as_str()) {
            return super::pulse::open_sink(name);
        }
        self.hardware.open_sink(id)
    }

    fn is_acoustic(&self) -> bool {
        true
    }
}
