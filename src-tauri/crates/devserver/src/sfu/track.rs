//! A track that a client sends: what it is, who gets it.

use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

use str0m::rtp::Ssrc;

use super::peer::Packet;
use super::switch::PeerId;

/// Packets kept of a video track for retransmission (rtcd: 256 for each SSRC).
pub(crate) const KEPT: usize = 256;

/// Counts tracks up; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TrackId(pub(crate) u64);

/// The first part of a track's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrackKind {
    Voice,
    Screen,
    ScreenAudio,
    Video,
}

/// The layer of a simulcast track; a track without rid counts as `l`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    Low,
    High,
}

/// A track.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) owner: PeerId,
    pub(crate) kind: TrackKind,
    /// SSRC at its sender.
    pub(crate) ssrc: Ssrc,
    pub(crate) layer: Layer,
    /// Whether it came with a rid.
    pub(crate) simulcast: bool,
    /// `<type>_<session>_<8 characters>`.
    pub(crate) label: String,
    /// Whether those who join now are offered it.
    pub(crate) listed: bool,
    /// Who is, or is about to be, sent it.
    pub(crate) receivers: Vec<PeerId>,
    pub(crate) kept: VecDeque<Packet>,
    /// When the sender was last asked for a key frame.
    pub(crate) asked: Option<Instant>,
}

impl TrackKind {
    pub(crate) fn is_video(self) -> bool {
        matches!(self, Self::Screen | Self::Video)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Voice => "voice",
            Self::Screen => "screen",
            Self::ScreenAudio => "screen-audio",
            Self::Video => "video",
        }
    }
}

impl fmt::Display for TrackKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Track {
    /// Keeps a packet for those who miss it.
    pub(crate) fn keep(&mut self, packet: Packet) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(packet);
    }

    /// The newest kept packet with this number.
    pub(crate) fn kept(&self, number: u16) -> Option<&Packet> {
        self.kept
            .iter()
            .rev()
            .find(|packet| packet.seq.as_u16() == number)
    }

    /// Whether a key frame may be asked for now: once a second for each source (rtcd `session.go`).
    pub(crate) fn may_ask(&mut self, now: Instant) -> bool {
        let may = self
            .asked
            .is_none_or(|at| now.saturating_duration_since(at).as_millis() >= 1000);
        if may {
            self.asked = Some(now);
        }
        may
    }
}
