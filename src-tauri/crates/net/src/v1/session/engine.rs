//! The media engine as one session uses it: what it has opened there, it closes, however it ends.

use std::sync::Arc;

use calls_core::id::TrackId;
use calls_core::port::media::{
    Feedback, FrameOutlet, MediaPort, PacketInlet, RemoteTrack, ScreenOutlet,
};

/// A session's hold on the engine.
pub(super) struct Engine {
    port: Arc<dyn MediaPort>,
    open: Vec<TrackId>,
}

impl Engine {
    pub(super) fn new(port: Arc<dyn MediaPort>) -> Self {
        Self {
            port,
            open: Vec::new(),
        }
    }

    /// Opens a track; its packets go into the returned inlet.
    pub(super) fn open(&mut self, track: RemoteTrack) -> Box<dyn PacketInlet> {
        self.open.retain(|id| *id != track.id);
        self.open.push(track.id.clone());
        self.port.open_track(track)
    }

    /// Closes a track.
    pub(super) fn close(&mut self, id: &TrackId) {
        self.open.retain(|open| open != id);
        self.port.close_track(id);
    }

    /// Connects the engine's voice to the network.
    pub(super) fn connect(&self, outlet: Box<dyn FrameOutlet>) {
        self.port.set_voice_outlet(Some(outlet));
    }

    /// Connects the engine's screen to the network, or cuts it off.
    pub(super) fn connect_screen(&self, outlet: Option<ScreenOutlet>) {
        self.port.set_screen_outlet(outlet);
    }

    /// Connects the sound of the engine's screen to the network, or cuts it off.
    pub(super) fn connect_sound(&self, outlet: Option<Box<dyn FrameOutlet>>) {
        self.port.set_sound_outlet(outlet);
    }

    /// Passes on what the network says.
    pub(super) fn feedback(&self, feedback: Feedback) {
        self.port.feedback(feedback);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.port.set_voice_outlet(None);
        self.port.set_screen_outlet(None);
        self.port.set_sound_outlet(None);
        for id in self.open.drain(..) {
            self.port.close_track(&id);
        }
    }
}
