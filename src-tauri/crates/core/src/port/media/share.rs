//! Screens, as the core and the media engine speak of them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::FrameOutlet;
use crate::id::{SessionId, SourceId};

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum SourceKind {
    /// A whole screen.
    Screen,
    /// One window.
    Window,
    /// Whatever is chosen in the system's own dialog (Wayland).
    Portal,
}

/// Something that can be shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ShareSource {
    /// `screen:N`, `window:N`, `portal` (what was shared the last time), `portal:choose`.
    pub id: SourceId,
    /// As people know it: the monitor's name, the window's title.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// Pixels; 0 while unknown.
    pub width: u32,
    /// Pixels; 0 while unknown.
    pub height: u32,
}

/// What somebody wants to share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareRequest {
    /// Which source.
    pub source: SourceId,
    /// Smooth movement matters more than sharp text.
    pub motion: bool,
    /// What the machine plays goes along.
    pub sound: bool,
}

/// Why a share does not start, or ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareProblem {
    /// The window was closed, the monitor unplugged.
    Gone,
    /// The system does not allow it.
    Denied,
    /// The person closed the system's dialog.
    Cancelled,
    /// The desktop has no portal for screens (Wayland).
    NoPortal,
    /// There is a portal, and PipeWire is not installed.
    NoPipeWire,
    /// Screens cannot be captured here.
    Unsupported,
    /// It should work and does not.
    Failed,
}

/// Where the screen engine puts its frames.
pub struct ScreenOutlet {
    /// All layers.
    pub frames: Box<dyn FrameOutlet>,
    /// The server wants two layers; otherwise only [`super::Layer::Low`] is sent.
    pub simulcast: bool,
}

impl std::fmt::Debug for ScreenOutlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScreenOutlet")
            .field("simulcast", &self.simulcast)
            .finish_non_exhaustive()
    }
}

/// A picture of a watched screen, while it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScreenFrame {
    /// Whose screen.
    pub session: SessionId,
    /// Counts pictures of this track, from 1.
    pub n: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// It stands alone.
    pub key: bool,
    /// Length of the VP8 frame.
    pub bytes: usize,
    /// The number that the picture carries as a bar code, if it does: milliseconds of the wall clock when it was
    /// painted, modulo 2³¹.
    pub code: Option<u32>,
    /// The same clock when it was decoded.
    pub at: u32,
    /// A PNG of it was written.
    pub stored: bool,
}

/// Figures of our own share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScreenFigures {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames encoded, all layers.
    pub frames: u64,
    /// Key frames among them.
    pub keys: u64,
    /// Frames that the network had no room for.
    pub dropped: u64,
    /// Frames per second over the last second, all layers.
    pub fps: f32,
    /// Bits per second over the last second, all layers.
    pub bitrate: u32,
    /// Bits per second that the best layer may use.
    pub target: u32,
    /// Mean time for a frame, milliseconds.
    pub encode_ms: f32,
    /// Coarseness of the last frame, 0 (finest) to 63.
    pub quantizer: u8,
}

/// Figures of a watched screen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ViewFigures {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Pictures decoded.
    pub frames: u64,
    /// Key frames among them.
    pub keys: u64,
    /// Frames that could not be decoded.
    pub failed: u64,
    /// Pictures per second over the last second.
    pub fps: f32,
    /// Mean time for a picture, milliseconds.
    pub decode_ms: f32,
    /// Packets that came.
    pub packets: u64,
    /// Packets that came too late, twice, or without the rest of their frame.
    pub packets_dropped: u64,
}
