//! Voice and screens are two engines; a call back end sees them as one.

use std::sync::Arc;

use calls_core::id::TrackId;
use calls_core::port::media::{
    Feedback, FrameOutlet, MediaKind, MediaPort, PacketInlet, RemoteTrack, ScreenOutlet,
};

/// Sends each track to the engine that it belongs to.
pub(crate) struct Engines {
    pub(crate) voice: Arc<dyn MediaPort>,
    pub(crate) screens: Arc<dyn MediaPort>,
}

impl MediaPort for Engines {
    fn set_voice_outlet(&self, outlet: Option<Box<dyn FrameOutlet>>) {
        self.voice.set_voice_outlet(outlet);
    }

    fn set_screen_outlet(&self, outlet: Option<ScreenOutlet>) {
        self.screens.set_screen_outlet(outlet);
    }

    fn set_sound_outlet(&self, outlet: Option<Box<dyn FrameOutlet>>) {
        self.screens.set_sound_outlet(outlet);
    }

    fn open_track(&self, track: RemoteTrack) -> Box<dyn PacketInlet> {
        match track.kind {
            MediaKind::Screen => self.screens.open_track(track),
            MediaKind::Voice | MediaKind::ScreenAudio => self.voice.open_track(track),
        }
    }

    fn close_track(&self, id: &TrackId) {
        // Only one of them knows it.
        self.voice.close_track(id);
        self.screens.close_track(id);
    }

    fn feedback(&self, feedback: Feedback) {
        match feedback {
            Feedback::KeyFrame(_) | Feedback::Budget(_) => self.screens.feedback(feedback),
            Feedback::VoiceLoss { .. } => self.voice.feedback(feedback),
        }
    }
}
