//! The media engine as *one* call sees it: what a call still does after it was left reaches nobody.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use calls_core::id::TrackId;
use calls_core::port::media::{
    Feedback, FrameOutlet, MediaPort, PacketInlet, RemoteTrack, ScreenOutlet,
};

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
    showing: bool,
    sounding: bool,
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
        if std::mem::take(&mut state.showing) {
            self.engine.set_screen_outlet(None);
        }
        if std::mem::take(&mut state.sounding) {
            self.engine.set_sound_outlet(None);
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

    fn set_screen_outlet(&self, outlet: Option<ScreenOutlet>) {
        let mut state = self.state();
        if !state.retired {
            state.showing = outlet.is_some();
            self.engine.set_screen_outlet(outlet);
        }
    }

    fn set_sound_outlet(&self, outlet: Option<Box<dyn FrameOutlet>>) {
        let mut state = self.state();
        if !state.retired {
            state.sounding = outlet.is_some();
            self.engine.set_sound_outlet(outlet);
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

#[cfg(test)]
mod tests {
    use super::*;
    use calls_core::port::media::{EncodedFrame, MediaKind, MediaPacket};
    use std::time::Instant;

    /// Says what it was told.
    #[derive(Default)]
    struct Engine {
        told: Mutex<Vec<String>>,
    }

    impl Engine {
        fn told(&self) -> Vec<String> {
            std::mem::take(&mut self.told.lock().unwrap())
        }

        fn hear(&self, what: impl Into<String>) {
            self.told.lock().unwrap().push(what.into());
        }
    }

    impl MediaPort for Engine {
        fn set_voice_outlet(&self, outlet: Option<Box<dyn FrameOutlet>>) {
            self.hear(if outlet.is_some() {
                "outlet"
            } else {
                "no outlet"
            });
        }

        fn open_track(&self, track: RemoteTrack) -> Box<dyn PacketInlet> {
            self.hear(format!("open {}", track.id));
            Box::new(Heard)
        }

        fn close_track(&self, id: &TrackId) {
            self.hear(format!("close {id}"));
        }

        fn feedback(&self, _feedback: Feedback) {
            self.hear("feedback");
        }
    }

    struct Heard;

    impl PacketInlet for Heard {
        fn push(&mut self, _packet: MediaPacket) -> bool {
            true
        }
    }

    struct Outlet;

    impl FrameOutlet for Outlet {
        fn try_send(&mut self, _frame: EncodedFrame) -> bool {
            true
        }
    }

    fn track(id: &str) -> RemoteTrack {
        RemoteTrack {
            id: id.into(),
            kind: MediaKind::Voice,
            session: "s".into(),
        }
    }

    fn packet() -> MediaPacket {
        MediaPacket {
            seq: 1,
            rtp_time: 0,
            marker: false,
            arrived: Instant::now(),
            data: bytes::Bytes::new(),
        }
    }

    const LOSS: Feedback = Feedback::VoiceLoss {
        share: 0.1,
        congested: false,
    };

    #[test]
    fn what_a_call_says_reaches_the_engine_until_it_is_left() {
        let engine = Arc::new(Engine::default());
        let port = CallPort::new(engine.clone());
        port.set_voice_outlet(Some(Box::new(Outlet)));
        assert!(port.open_track(track("a")).push(packet()));
        port.open_track(track("b"));
        port.close_track(&"a".into());
        port.feedback(LOSS);
        let expected = ["outlet", "open a", "open b", "close a", "feedback"];
        assert_eq!(engine.told(), expected);
    }

    #[test]
    fn leaving_cuts_its_voice_and_its_tracks_and_silences_the_rest() {
        let engine = Arc::new(Engine::default());
        let port = CallPort::new(engine.clone());
        port.set_voice_outlet(Some(Box::new(Outlet)));
        port.open_track(track("a"));
        engine.told();
        port.retire();
        assert_eq!(engine.told(), ["no outlet", "close a"]);
        // The next call may have its outlet in place by now.
        port.set_voice_outlet(None);
        port.close_track(&"a".into());
        port.feedback(LOSS);
        assert!(!port.open_track(track("late")).push(packet()));
        port.retire();
        assert_eq!(engine.told(), Vec::<String>::new());
    }

    #[test]
    fn a_track_that_another_call_opened_is_not_closed() {
        let engine = Arc::new(Engine::default());
        let port = CallPort::new(engine.clone());
        port.close_track(&"foreign".into());
        assert!(engine.told().is_empty());
    }
}
