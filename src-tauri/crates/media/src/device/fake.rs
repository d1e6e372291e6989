//! Devices without hardware.

use calls_core::id::DeviceId;

use super::{AudioHost, AudioSink, AudioSource, Devices};
use crate::error::MediaError;

/// A scripted set of devices.
#[derive(Clone, Default)]
pub struct FakeHost {}

impl AudioHost for FakeHost {
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
        false
    }
}
