//! The media engine as *one* call sees it: what a call still does after it was left reaches nobody.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calls_core::id::TrackId;
use calls_core::port::media::{Feedback, FrameOutlet, MediaPort, PacketInlet, RemoteTrack};

/// Stands between a call and the engine. Leaving takes up to two seconds, and the next call must not wait for it: so
/// the old call's port is retired at once, which cuts off its voice and its tracks, and makes the rest of what it says
/// harmless.
pub(crate) struct CallPort {
    engine: Arc<dyn MediaPort>,
    // A lock for bookkeeping of a few entries; never held while waiting.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    retired: bool,
    sending: bool,
    tracks: BTreeSet<TrackId>,
}

impl CallPort {
    pub(crate) fn new(engine: Arc<dyn MediaPort>) -> Self {
        Self {
            engine,
            state: Mutex::default(),
        }
    }

    /// Cuts the call off from the engine, for good.
    pub(crate) fn retire(&self) {
        let mut state = self.state();
        state.retired = true;
        if std::mem::take(&mut state.sending) {
            self.engine.set_voice_outlet(None);
        }
        for track in std::mem::take(&mut state.tracks) {
            self.engine.close_track(&track);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MediaPort for CallPort {
    fn set_voice_outlet(&self, outlet: Option<Box<dyn FrameOutlet>>) {
        let mut state = self.state();
        if !state.retired {
            state.sending = outlet.is_some();
            self.engine.set_voice_outlet(outlet);
        }
    }

    fn open_track(&self, track: RemoteTrack) -> Box<dyn PacketInlet> {
        let mut state = self.state();
        if state.retired {
            return Box::new(Nowhere);
        }
        state.tracks.insert(track.id.clone());
        self.engine.open_track(track)
    }

    fn close_track(&self, id: &TrackId) {
        if self.state().tracks.remove(id) {
            self.engine.close_track(id);
        }
    }

    fn feedback(&self, feedback: Feedback) {
        if !self.state().retired {
            self.engine.feedback(feedback);
        }
    }
}

/// Takes packets of a call that was left.
struct Nowhere;

impl PacketInlet for Nowhere {
    fn push(&mut self, _packet: calls_core::port::media::MediaPacket) -> bool {
        false
    }
}
