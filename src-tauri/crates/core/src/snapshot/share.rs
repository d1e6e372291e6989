//! Shared screens: ours and theirs.

use serde::Serialize;
use ts_rs::TS;

use crate::id::{SessionId, SourceId};
use crate::port::media::ShareSource;

/// Shared screens: ours, and whose is to be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// The list to choose from, while it is open.
    pub picker: Option<SharePicker>,
    /// Our own.
    pub ours: OurShare,
    /// Whose screen is to be seen (perhaps ours).
    pub presenter: Option<SessionId>,
    /// The server lets screens be shared.
    pub allowed: bool,
    /// The presenter's machine lets its sound be heard along with the screen.
    pub sound: bool,
    /// How loud we hear that sound, per cent, 0 to 200.
    pub volume: u16,
    /// This machine is locked: what we share is held until it is not.
    pub locked: bool,
}

/// What can be shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct SharePicker {
    /// Being looked for.
    pub loading: bool,
    /// Screens first, then windows, topmost first.
    pub sources: Vec<ShareSource>,
    /// Why there are none: a notice code.
    pub problem: Option<String>,
    /// What other programs play can go along.
    pub sound: bool,
}

/// Our own share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum OurShare {
    /// Nothing is shared.
    #[default]
    Off,
    /// On its way: nobody sees anything yet.
    Starting {
        /// What.
        source: SourceId,
        /// Its name; may be empty.
        name: String,
    },
    /// Everybody sees it.
    On {
        /// What.
        source: SourceId,
        /// Its name; may be empty.
        name: String,
        /// Smooth movement matters more than sharp text.
        motion: bool,
        /// Sound goes along.
        sound: bool,
        /// The picture is held.
        paused: bool,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}
