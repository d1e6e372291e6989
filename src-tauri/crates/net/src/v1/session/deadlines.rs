//! What must have happened by when.

use std::time::Instant;

/// The deadlines of one session; those that are not running are `None`.
#[derive(Default)]
pub(super) struct Deadlines {
    /// The server must have let us in.
    pub(super) join: Option<Instant>,
    /// Media must be connected.
    pub(super) connect: Option<Instant>,
    /// The state must have come after a reconnect.
    pub(super) state: Option<Instant>,
    /// The next figures.
    pub(super) measure: Option<Instant>,
    /// The next try to publish.
    pub(super) publish: Option<Instant>,
    /// The server may be told of a mute.
    pub(super) mute: Option<Instant>,
}

impl Deadlines {
    /// True once, when the moment has come.
    pub(super) fn due(slot: &mut Option<Instant>, now: Instant) -> bool {
        slot.take_if(|at| *at <= now).is_some()
    }

    /// All that are running.
    pub(super) fn next(&self) -> impl Iterator<Item = Instant> {
        [
            self.join,
            self.connect,
            self.state,
            self.measure,
            self.publish,
            self.mute,
        ]
        .into_iter()
        .flatten()
    }
}
