//! The machine's own sound devices: the sound server where there is one, else the hardware.

use std::sync::Arc;

use calls_core::id::DeviceId;

use super::cpal::Hardware;
use super::{AudioHost, AudioSink, AudioSource, Devices};
use crate::error::MediaError;

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
