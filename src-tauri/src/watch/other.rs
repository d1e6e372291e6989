//! Windows and macOS. That they have slept is seen by the clocks; whether they are set to do not disturb they tell
//! nobody who is not their own.

use std::time::Duration;

use crate::start::Running;

pub(super) fn begin(_core: &Running) {}

/// How long nobody has touched anything.
pub(super) struct Idleness;

impl Idleness {
    pub(super) fn open() -> Self {
        Self
    }

    pub(super) fn time(&mut self) -> Option<Duration> {
        system_idle_time::get_idle_time().ok()
    }
}
