//! The network test.

use serde::Serialize;
use ts_rs::TS;

use crate::id::Millis;

/// What the network test has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// It is going on.
    pub running: bool,
    /// When it was over last (our clock).
    #[ts(type = "number | null")]
    pub at: Option<Millis>,
    /// What it found then.
    pub ways: Vec<Way>,
}

/// A way to the server or to its media, and whether it can be gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Way {
    /// Which.
    pub kind: WayKind,
    /// Host and port; empty where nothing is configured.
    pub place: String,
    /// Whether it can.
    pub reach: Reach,
    /// How long that took, milliseconds.
    pub ms: Option<u32>,
    /// Technical words about a failure.
    pub detail: Option<String>,
}

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum WayKind {
    /// The site itself.
    Site,
    /// A STUN binding: UDP gets out and back.
    Stun,
    /// An allocation at a TURN server, over UDP.
    TurnUdp,
    /// … over TCP.
    TurnTcp,
    /// … over TLS.
    TurnTls,
    /// TCP to the media server's usual port.
    Media,
}

impl WayKind {
    /// A relay.
    #[must_use]
    pub fn is_relay(self) -> bool {
        matches!(self, Self::TurnUdp | Self::TurnTcp | Self::TurnTls)
    }
}

/// Whether a way can be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Reach {
    /// It was gone just now.
    Yes,
    /// It was tried in vain.
    No,
    /// It cannot be known before a call.
    Unknown,
}
