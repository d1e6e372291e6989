//! Counters of a media connection, for `/call stats` and the statistics panel.

use crate::id::SessionId;

/// One RTP stream, since it began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamStats {
    /// Identity on the wire.
    pub ssrc: u32,
    /// Whose it is, if we receive it and it was named.
    pub session: Option<SessionId>,
    /// It carries pictures; else sound.
    pub video: bool,
    /// We send it; else we receive it.
    pub sent: bool,
    /// Packets sent or received.
    pub packets: u64,
    /// Bytes sent or received, with RTP headers.
    pub bytes: u64,
    /// Packets lost on the way to us, or by the other side's report on the way to them.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 §6.4.1), seconds; ours, or as the other side reports it.
    pub jitter: f64,
    /// Share lost in the last interval that the other side reports, 0..1; 0 for streams that we receive.
    pub fraction_lost: f64,
}

/// A way that ICE has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairStats {
    /// `succeeded`, `in-progress`, `failed`…
    pub state: String,
    /// This is the one in use.
    pub nominated: bool,
    /// Our end: `host`, `srflx`, `prflx`, `relay`.
    pub local_type: String,
    /// `udp` or `tcp`.
    pub local_protocol: String,
    /// The other end, likewise.
    pub remote_type: String,
    /// `udp` or `tcp`.
    pub remote_protocol: String,
}

/// Everything a media connection counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RtcStats {
    /// The streams that flow, or have flowed.
    pub streams: Vec<StreamStats>,
    /// The ways that were tried.
    pub pairs: Vec<PairStats>,
}
