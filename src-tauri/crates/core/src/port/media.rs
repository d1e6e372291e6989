//! The seam between a call back end and the media engine: encoded media, nothing else.

use std::time::Instant;

use bytes::Bytes;

use crate::command::DeviceRole;
use crate::id::{SessionId, TrackId};
use crate::snapshot::DeviceRow;

mod share;

pub use share::{
    ScreenFigures, ScreenFrame, ScreenOutlet, ShareProblem, ShareRequest, ShareSource, SourceKind,
    ViewFigures,
};

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// A microphone: Opus, 48 kHz clock.
    Voice,
    /// A screen: VP8, 90 kHz clock.
    Screen,
    /// The sound of a shared screen: Opus, 48 kHz clock.
    ScreenAudio,
}

/// Simulcast layer of a shared screen (rtcd `simulcast.go`: rids `l` and `h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The only layer, or the low one.
    #[default]
    Low,
    /// The high layer.
    High,
}

/// One encoded frame on its way out.
#[derive(Clone, Debug)]
pub struct EncodedFrame {
    /// What it is.
    pub kind: MediaKind,
    /// Which layer (screens only).
    pub layer: Layer,
    /// RTP timestamp in the clock of its kind. Runs on while muted.
    pub rtp_time: u32,
    /// Duration in RTP clock units: 960 for 20 ms of Opus.
    pub duration: u32,
    /// Key frame (screens only).
    pub key: bool,
    /// Loudness for the audio-level extension (RFC 6464): 0 (loudest) to 127 (silence), −dBov.
    pub level: Option<u8>,
    /// First frame after a pause: the RTP marker bit of a talk spurt (RFC 3551 §4.1).
    pub talk_start: bool,
    /// Opus packet or VP8 frame.
    pub data: Bytes,
}

/// One RTP payload on its way in.
#[derive(Clone, Debug)]
pub struct MediaPacket {
    /// RTP sequence number.
    pub seq: u16,
    /// RTP timestamp.
    pub rtp_time: u32,
    /// RTP marker bit.
    pub marker: bool,
    /// When it left the socket.
    pub arrived: Instant,
    /// Payload, without padding.
    pub data: Bytes,
}

/// A remote track that has opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteTrack {
    /// Identity.
    pub id: TrackId,
    /// What it carries.
    pub kind: MediaKind,
    /// Whose it is.
    pub session: SessionId,
}

/// What the network tells the encoders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Feedback {
    /// Somebody cannot decode: send a key frame.
    KeyFrame(Layer),
    /// What may be sent, bits per second, for all media together.
    Budget(u32),
    /// What becomes of our voice packets.
    VoiceLoss {
        /// Share that gets lost, 0..1 (RTCP receiver reports).
        share: f32,
        /// They queue up on the way: the round trip takes much longer than it could.
        congested: bool,
    },
}

/// Where the engine puts its frames. Never blocks.
pub trait FrameOutlet: Send {
    /// Hands over a frame; false if it was dropped because the network side is full or gone.
    fn try_send(&mut self, frame: EncodedFrame) -> bool;

    /// There is room: asked before a picture is encoded, so that none is encoded in vain.
    fn ready(&self) -> bool {
        true
    }
}

/// Where a back end puts one track's packets. Never blocks.
pub trait PacketInlet: Send {
    /// Hands over a packet; false if it was dropped because the engine is full or gone.
    fn push(&mut self, packet: MediaPacket) -> bool;

    /// Nothing can be shown without a key frame: the sender is to be asked, again and again until this is false.
    fn wants_key_frame(&self) -> bool {
        false
    }
}

/// The media engine, as a call back end sees it.
pub trait MediaPort: Send + Sync {
    /// Connects the engine's outgoing voice to the network, or cuts it off. Frames only come while the
    /// mute gate is open.
    fn set_voice_outlet(&self, outlet: Option<Box<dyn FrameOutlet>>);
    /// Connects our shared screen to the network, or cuts it off. Without a share this does nothing.
    fn set_screen_outlet(&self, outlet: Option<ScreenOutlet>) {
        drop(outlet);
    }
    /// Connects the sound of our shared screen to the network, or cuts it off.
    fn set_sound_outlet(&self, outlet: Option<Box<dyn FrameOutlet>>) {
        drop(outlet);
    }
    /// A remote track opened; its packets go into the returned inlet. Opening an id again replaces it.
    fn open_track(&self, track: RemoteTrack) -> Box<dyn PacketInlet>;
    /// A remote track ended.
    fn close_track(&self, id: &TrackId);
    /// What the network tells the encoders.
    fn feedback(&self, feedback: Feedback);
}

/// What the media engine tells the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// The devices there are, whenever the list changes.
    Devices(Vec<DeviceRow>),
    /// A device in use vanished or broke; `now` is the name of the one used instead.
    DeviceLost {
        /// Which end.
        role: DeviceRole,
        /// Its name.
        name: String,
        /// What is used instead; `None` when there is nothing else.
        now: Option<String>,
    },
    /// The chosen device is back, and in use again.
    DeviceBack {
        /// Which end.
        role: DeviceRole,
        /// Its name.
        name: String,
    },
    /// The end works now.
    Ready(DeviceRole),
    /// The end does not work.
    Unavailable(DeviceRole, DeviceProblem),
    /// Somebody at our own microphone begins or ends to talk, muted or not. Measured here; it goes nowhere.
    Talking(bool),
    /// The first sound of a remote track was played.
    FirstAudio(SessionId),
    /// Whether what other programs play can be shared along with a screen; told before [`MediaEvent::ShareSources`].
    ShareSound(bool),
    /// What other programs play cannot be captured (any more): the share goes on without it.
    ShareSilent,
    /// What can be shared now, or why nothing can.
    ShareSources(Result<Vec<ShareSource>, ShareProblem>),
    /// What was to be shared is open, and has this size.
    ShareOpened {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// The share could not start, or ended by itself.
    ShareClosed(ShareProblem),
    /// A picture of a watched screen was stored.
    ScreenFrame(ScreenFrame),
}

/// Why a sound device cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceProblem {
    /// There is none.
    Missing,
    /// The system does not allow it.
    Denied,
    /// Another program holds it, or it fails.
    Busy,
}

/// The voice engine's own figures since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VoiceFigures {
    /// Largest target delay of the jitter buffers now, milliseconds.
    pub jitter_target_ms: f32,
    /// Samples played for remote tracks (48 kHz, summed over tracks).
    pub samples: u64,
    /// Samples of these that were concealed because their packet was lost or late. DTX pauses do not count.
    pub concealed: u64,
    /// Packets that came.
    pub packets_in: u64,
    /// Packets that came too late, or twice.
    pub packets_late: u64,
    /// Frames encoded and handed to the network.
    pub frames_out: u64,
    /// Frames dropped because the network side was full.
    pub frames_dropped: u64,
    /// Capture samples lost because the voice thread was late.
    pub capture_overruns: u64,
    /// Playout samples missing because the voice thread was late.
    pub playout_underruns: u64,
}
