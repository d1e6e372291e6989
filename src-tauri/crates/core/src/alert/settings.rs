//! How the person wants to be called, and which messages notify.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::Tone;
use crate::id::{ChannelId, DeviceId, UserId};
use crate::trust::Trust;

/// Where rings are heard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "type", content = "device", rename_all = "camelCase")]
pub enum RingDevice {
    /// Where the system plays.
    #[default]
    System,
    /// On this one; where the system plays while it is not there.
    Device(DeviceId),
    /// On all there are.
    All,
}

/// How long a call rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum RingFor {
    /// 15 seconds.
    Short,
    /// 30 seconds, as long as the official clients ring.
    #[default]
    Full,
    /// The tone, one time.
    Once,
}

impl RingFor {
    /// Longest ring, seconds. A tone is at most six long.
    #[must_use]
    pub fn seconds(self) -> u16 {
        match self {
            Self::Short => 15,
            Self::Full => 30,
            Self::Once => 6,
        }
    }
}

/// Hours without ringing and notifications, each day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct QuietHours {
    /// They hold.
    pub on: bool,
    /// First quiet minute of the day, 0 to 1439, local time.
    pub from: u16,
    /// First minute that is not quiet; before `from` means the next day.
    pub to: u16,
}

impl Default for QuietHours {
    fn default() -> Self {
        Self {
            on: false,
            from: 19 * 60,
            to: 8 * 60,
        }
    }
}

impl QuietHours {
    /// Whether a minute of the day is quiet.
    #[must_use]
    pub fn hold(self, minute: u16) -> bool {
        if !self.on || self.from == self.to {
            false
        } else if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

/// Keys that work while another window has the focus, as `Ctrl+Shift+Space`; empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct GlobalKeys {
    /// Held down: our microphone is open.
    pub talk: String,
    /// Microphone off or on.
    pub mute: String,
    /// Held down: our microphone is shut, for a cough or a word aside.
    pub hush: String,
    /// How long the microphone stays open after the key was let go, milliseconds, 0 to 2000.
    pub tail: u16,
}

/// How the person wants to be called: kept on this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct AlertSettings {
    /// A tone for this computer; `None` rings with the one chosen on the server.
    pub tone: Option<Tone>,
    /// How loud, per cent, 0 to 100.
    pub volume: u16,
    /// Where it rings.
    pub device: RingDevice,
    /// How long it rings.
    pub ring_for: RingFor,
    /// Quiet hours.
    pub quiet: QuietHours,
    /// Channels whose calls ring too, although they are neither direct nor group channels.
    pub channels: BTreeSet<ChannelId>,
    /// Whose calls and messages neither ring nor notify, with their names.
    pub blocked: BTreeMap<UserId, String>,
    /// What the server may do; each has its own, which [`crate::command::Command::SetTrust`] alone changes.
    pub trust: Trust,
    /// Our windows flash while it rings, for those who do not hear it.
    pub flash: bool,
    /// The status on the server is "do not disturb" while we are in a call.
    pub busy_in_call: bool,
    /// Calls are shown as notifications, with buttons.
    pub call_notes: bool,
    /// Notifications show what was written; else only who wrote.
    pub message_text: bool,
    /// While a whole screen of ours is shared, notifications are held back: everybody would read them.
    pub quiet_sharing: bool,
    /// Replies in the chat of our call notify like others.
    pub call_chat: bool,
    /// A sound when somebody joins our call.
    pub join_cue: bool,
    /// From so many people on, one more is not worth a sound, 2 to 100.
    pub join_crowd: u16,
    /// A sound when our microphone goes off or on.
    pub mute_cue: bool,
    /// A sound when somebody raises a hand.
    pub hand_cue: bool,
    /// A sound when our call begins to be recorded.
    pub record_cue: bool,
    /// How loud the sounds of a call are, per cent, 0 to 100.
    pub cue_volume: u16,
    /// Neither rings nor notifies while the system itself is set to do not disturb, where it tells.
    pub heed_system: bool,
    /// Keys that work everywhere.
    pub keys: GlobalKeys,
    /// Closing the window keeps Halloo running where there is a tray.
    pub to_tray: bool,
    /// Starts with the session.
    pub autostart: bool,
    /// That start shows no window.
    pub start_hidden: bool,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            tone: None,
            volume: 80,
            device: RingDevice::System,
            ring_for: RingFor::Full,
            quiet: QuietHours::default(),
            channels: BTreeSet::new(),
            blocked: BTreeMap::new(),
            trust: Trust::default(),
            flash: false,
            busy_in_call: false,
            call_notes: true,
            message_text: true,
            quiet_sharing: true,
            call_chat: false,
            join_cue: true,
            join_crowd: 8,
            mute_cue: false,
            hand_cue: true,
            record_cue: true,
            cue_volume: 100,
            heed_system: true,
            keys: GlobalKeys {
                tail: 200,
                ..GlobalKeys::default()
            },
            to_tray: true,
            autostart: false,
            start_hidden: true,
        }
    }
}

impl AlertSettings {
    /// With values in their ranges and lists of bearable length, whoever wrote them.
    #[must_use]
    pub fn in_range(mut self) -> Self {
        /// More channels or people than anybody picks by hand.
        const MOST: usize = 500;
        self.volume = self.volume.min(100);
        self.cue_volume = self.cue_volume.min(100);
        self.join_crowd = self.join_crowd.clamp(2, 100);
        self.quiet.from = self.quiet.from.min(1439);
        self.quiet.to = self.quiet.to.min(1439);
        self.keys.tail = self.keys.tail.min(2000);
        while self.channels.len() > MOST {
            self.channels.pop_last();
        }
        while self.blocked.len() > MOST {
            self.blocked.pop_last();
        }
        self
    }
}

/// Which messages notify: the user's own setting on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum MessageLevel {
    /// All.
    All,
    /// Mentions and direct messages.
    #[default]
    Mention,
    /// None; calls do not ring either (calls-v1-rest §15.3).
    None,
}

impl MessageLevel {
    /// As the server spells it.
    #[must_use]
    pub fn server_name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mention => "mention",
            Self::None => "none",
        }
    }

    /// What the server's word means; an unknown one is the default.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "all" => Self::All,
            "none" => Self::None,
            _ => Self::Mention,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_pass_midnight() {
        let night = QuietHours {
            on: true,
            from: 19 * 60,
            to: 8 * 60,
        };
        for (minute, quiet) in [
            (19 * 60, true),
            (1439, true),
            (0, true),
            (479, true),
            (480, false),
            (1139, false),
        ] {
            assert_eq!(night.hold(minute), quiet, "{minute}");
        }
        let noon = QuietHours {
            on: true,
            from: 720,
            to: 780,
        };
        assert!(noon.hold(720) && !noon.hold(780) && !noon.hold(719));
        assert!(!QuietHours { on: false, ..night }.hold(0));
        assert!(
            !QuietHours {
                on: true,
                from: 5,
                to: 5
            }
            .hold(5)
        );
    }
}
