//! Systems on which we hold no such keys yet.

use super::{Act, Chord};

/// Nothing.
pub(super) struct System;

impl System {
    pub(super) fn open(_heard: impl Fn(Act, bool) + Send + 'static) -> Option<Self> {
        None
    }

    pub(super) fn hold(&self, _chords: Vec<(Act, Chord)>) {}
}
