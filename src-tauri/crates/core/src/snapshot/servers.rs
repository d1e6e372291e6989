//! The person's servers, where there are several.

use serde::Serialize;
use ts_rs::TS;

use crate::id::ServerNumber;
use crate::trust::Trust;

/// Names a server to the person, and to whoever brings an answer back to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerTag {
    /// Which.
    pub number: ServerNumber,
    /// What it calls itself, or its host; one plain line.
    pub name: String,
}

/// One of the person's servers, as the switcher shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerRow {
    /// Which.
    pub number: ServerNumber,
    /// What it calls itself, or its host; empty for one whose address is not known yet.
    pub name: String,
    /// Site address; empty while unknown.
    pub url: String,
    /// How it is with us and it.
    pub standing: ServerStanding,
    /// Something is unread.
    pub unread: bool,
    /// Unread mentions.
    pub mentions: u32,
    /// Channels with something unread.
    pub channels: u32,
    /// A call comes in.
    pub ringing: bool,
    /// We are in a call there, or joining one.
    pub in_call: bool,
    /// What it may do on this computer.
    pub trust: Trust,
    /// The windows show it.
    pub shown: bool,
}

/// How it is with us and a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ServerStanding {
    /// Its address is asked for.
    #[default]
    New,
    /// Not signed in.
    SignedOut,
    /// The connection is being made.
    Connecting,
    /// Connected.
    Up,
    /// The connection is lost, and tried again.
    Lost,
}
