//! Calls that ring or were missed, and how that is told.

use serde::Serialize;
use ts_rs::TS;

use crate::alert::{AlertSettings, KeysReach, MessageLevel, Tone};
use crate::command::Command;
use crate::id::{ChannelId, Millis, UserId};
use crate::model::ChannelKind;

use super::ServerTag;

/// Calls that come in, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Incoming {
    /// At most eight.
    pub calls: Vec<IncomingCall>,
    /// Calls that ended before anybody of us answered, newest first, at most twenty; of this run.
    pub missed: Vec<MissedCall>,
}

/// A call that ended before we answered.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct MissedCall {
    /// Identity of the call.
    pub call: String,
    /// At which server, where there are several.
    pub server: Option<ServerTag>,
    /// Where.
    pub channel: ChannelId,
    /// Who called.
    pub caller: UserId,
    /// Their name, one plain line.
    pub name: String,
    /// When: Unix milliseconds by *our* clock.
    #[ts(type = "number")]
    pub at: Millis,
}

/// A call that comes in.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct IncomingCall {
    /// Identity of the call.
    pub call: String,
    /// At which server, where there are several.
    pub server: Option<ServerTag>,
    /// Where.
    pub channel: ChannelId,
    /// Kind of the channel.
    pub kind: ChannelKind,
    /// The channel's name on screen, one plain line.
    pub place: String,
    /// Who calls.
    pub caller: UserId,
    /// Their name, one plain line.
    pub name: String,
    /// Who is in it, each once, without us.
    pub users: Vec<UserId>,
    /// First seen: Unix milliseconds by *our* clock.
    #[ts(type = "number")]
    pub since: Millis,
    /// It rings at this moment.
    pub ringing: bool,
    /// Declining tells the caller.
    pub declinable: bool,
    /// We are in another call: joining means switching.
    pub in_call: bool,
    /// It was answered on another device, and goes in a moment.
    pub elsewhere: bool,
    /// The caller has called very often: offer to block them.
    pub offer_block: bool,
}

impl IncomingCall {
    /// A wish about this call, for the server where it is.
    #[must_use]
    pub fn at(&self, command: Command) -> Command {
        match &self.server {
            Some(server) => Command::At {
                server: server.number,
                command: Box::new(command),
            },
            None => command,
        }
    }
}

/// How calls and messages reach the person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Alerts {
    /// On this computer.
    pub settings: AlertSettings,
    /// Calls ring (on all devices).
    pub ringing: bool,
    /// The server rings for direct and group calls at all.
    pub server_rings: bool,
    /// The tone that rings.
    pub tone: Tone,
    /// The tone that is being tried.
    pub preview: Option<Tone>,
    /// Which messages notify (on all devices).
    pub messages: MessageLevel,
    /// What became of the test notification: on its way (`None` also before any test), arrived or not.
    pub test: Option<bool>,
    /// How far the keys reach that are to work everywhere.
    pub keys: KeysReach,
    /// The system is set to do not disturb, and that is heeded.
    pub system_quiet: bool,
    /// The person wants to end the program while in a call: the question to ask.
    pub quitting: bool,
    /// There is somebody who calls when asked to.
    pub demo: bool,
}
