//! [`Voice`]: the voice thread as everybody else sees it.

use std::sync::Arc;

use calls_core::command::DeviceRole;
use calls_core::id::{DeviceId, SessionId, TrackId};
use calls_core::port::media::{
    Feedback, FrameOutlet, MediaEvent, MediaPacket, MediaPort, PacketInlet, RemoteTrack,
    VoiceFigures,
};
use calls_core::snapshot::Levels;

use crate::device::AudioHost;
use crate::voice::apm::Processing;

/// Where the engine reports to. Called on the voice thread: must not block.
pub type MediaEventSink = Arc<dyn Fn(MediaEvent) + Send + Sync>;

/// How the engine starts.
#[derive(Clone, Debug, Default)]
pub struct VoiceConfig {
    /// Chosen microphone; `None` follows the system.
    pub input: Option<DeviceId>,
    /// Chosen loudspeaker; `None` follows the system.
    pub output: Option<DeviceId>,
    /// What is done to the microphone's sound. Files and tones are never processed.
    pub processing: Processing,
}

/// The voice engine on its thread.
pub struct Voice {}

impl Voice {
    /// Starts the thread and returns at once. Devices are listed soon (`MediaEvent::Devices`); none is opened yet.
    #[must_use]
    pub fn start(host: Arc<dyn AudioHost>, config: VoiceConfig, events: MediaEventSink) -> Self {
        let _ = (host, config, events);
        Self {}
    }

    /// The engine as a call back end sees it.
    #[must_use]
    pub fn port(&self) -> Arc<dyn MediaPort> {
        Arc::new(NullPort)
    }

    /// Opens or closes the device ends: both in a call, the input alone while somebody watches the level.
    pub fn set_running(&self, input: bool, output: bool) {
        let _ = (input, output);
    }

    /// Opens or closes the mute gate; effective within one block (10 ms), without a lock. Closed at first.
    pub fn set_gate(&self, open: bool) {
        let _ = open;
    }

    /// Chooses a device; `None` follows the system.
    pub fn choose(&self, role: DeviceRole, device: Option<DeviceId>) {
        let _ = (role, device);
    }

    /// How loud we hear a session, per cent, 0 to 200. Remembered for sessions that have no track yet.
    pub fn set_volume(&self, session: &SessionId, percent: u16) {
        let _ = (session, percent);
    }

    /// What is done to the microphone's sound.
    pub fn set_processing(&self, processing: Processing) {
        let _ = processing;
    }

    /// Loudness now, for meters.
    #[must_use]
    pub fn levels(&self) -> Levels {
        Levels::default()
    }

    /// Counters and figures since the start.
    #[must_use]
    pub fn figures(&self) -> VoiceFigures {
        VoiceFigures::default()
    }

    /// Stops and joins the thread; devices are closed when this returns.
    pub fn close(self) {}
}

struct NullPort;
impl MediaPort for NullPort {
    fn set_voice_outlet(&self, _outlet: Option<Box<dyn FrameOutlet>>) {}
    fn open_track(&self, _track: RemoteTrack) -> Box<dyn PacketInlet> {
        Box::new(Self)
    }
    fn close_track(&self, _id: &TrackId) {}
    fn feedback(&self, _feedback: Feedback) {}
}
impl PacketInlet for NullPort {
    fn push(&mut self, _packet: MediaPacket) -> bool {
        false
    }
}
