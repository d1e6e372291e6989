//! The hardware.

use std::sync::Arc;

use calls_core::id::DeviceId;

use super::{AudioHost, AudioSink, AudioSource, Devices};
use crate::error::MediaError;

/// The machine's own sound devices.
#[must_use]
pub fn system_audio() -> Arc<dyn AudioHost> {
    Arc::new(CpalHost)
}

struct CpalHost;

impl AudioHost for CpalHost {
    fn devices(&self) -> Devices {
        Devices::default()
    }
    fn open_source(&self, _id: &DeviceId) -> Result<Box<dyn AudioSource>, MediaError> {
        Err(MediaError::Missing)
    }
    fn open_sink(&self, _id: &DeviceId) -> Result<Box<dyn AudioSink>, MediaError> {
        Err(MediaError::Missing)
    }
    fn is_acoustic(&self) -> bool {
        true
    }
}
