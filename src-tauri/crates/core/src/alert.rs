//! Rings, cues and notifications: what the core wants heard and shown outside its windows, and how the person wants it.
//!
//! The core says *what*; the program around it plays and shows ([`AlertWish`]), and never blocks on either.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::id::{CallId, ChannelId, DeviceId, UserId};
use crate::snapshot::ServerTag;
use crate::trust::Trust;

/// A ring tone. The first four have the official client's names, and are stored on the server; the others are ours,
/// and stay on this computer. All sounds are our own.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS,
)]
#[serde(rename_all = "camelCase")]
pub enum Tone {
    /// Soft, rising; what rings when nothing was chosen (calls-v1-rest §15.3).
    #[default]
    Calm,
    /// A running figure.
    Dynamic,
    /// Hard to overhear.
    Urgent,
    /// A short tune.
    Cheerful,
    /// Ours: a bell buoy.
    Harbour,
    /// Ours: two low notes, for shared rooms.
    Lantern,
}

impl Tone {
    /// All of them, in the order of the settings.
    pub const ALL: [Self; 6] = [
        Self::Calm,
        Self::Dynamic,
        Self::Urgent,
        Self::Cheerful,
        Self::Harbour,
        Self::Lantern,
    ];

    /// The name under which the server keeps it; `None` for ours, which other clients do not know.
    #[must_use]
    pub fn server_name(self) -> Option<&'static str> {
        match self {
            Self::Calm => Some("Calm"),
            Self::Dynamic => Some("Dynamic"),
            Self::Urgent => Some("Urgent"),
            Self::Cheerful => Some("Cheerful"),
            Self::Harbour | Self::Lantern => None,
        }
    }

    /// What the server's name means; an unknown one is [`Tone::Calm`], as in the official client.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|tone| tone.server_name() == Some(name))
            .unwrap_or_default()
    }

    /// Its file in `assets/sounds`, without the ending.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Calm => "ring-calm",
            Self::Dynamic => "ring-dynamic",
            Self::Urgent => "ring-urgent",
            Self::Cheerful => "ring-cheerful",
            Self::Harbour => "ring-harbour",
            Self::Lantern => "ring-lantern",
        }
    }
}

/// A short sound of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Cue {
    /// We are in.
    JoinSelf,
    /// Somebody else came.
    JoinOther,
    /// We are out.
    Leave,
    /// Our microphone is off.
    Mute,
    /// Our microphone is on.
    Unmute,
    /// Somebody raised a hand.
    Hand,
    /// Somebody shares the screen.
    Share,
    /// The call is recorded from now on.
    Record,
    /// A message.
    Message,
}

impl Cue {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::JoinSelf,
        Self::JoinOther,
        Self::Leave,
        Self::Mute,
        Self::Unmute,
        Self::Hand,
        Self::Share,
        Self::Record,
        Self::Message,
    ];

    /// Its file in `assets/sounds`, without the ending.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::JoinSelf => "join-self",
            Self::JoinOther => "join",
            Self::Leave => "leave",
            Self::Mute => "mute",
            Self::Unmute => "unmute",
            Self::Hand => "hand",
            Self::Share => "share",
            Self::Record => "record",
            Self::Message => "message",
        }
    }
}

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

/// Which notification: showing another one with the same key replaces it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoteKey {
    /// A call that rings.
    Call(CallId),
    /// A call that nobody here answered.
    Missed(CallId),
    /// New messages of a channel.
    Messages(ChannelId),
    /// New messages of many channels.
    ManyMessages,
    /// What concerns us in our call.
    InCall,
    /// The person wants to see whether notifications arrive.
    Test,
}

/// A notification. Its texts are plain: whoever shows them escapes what its system would take for markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which.
    pub key: NoteKey,
    /// Whose it is, where there are several servers: its name is shown, and a click leads there.
    pub server: Option<ServerTag>,
    /// Where a click leads.
    pub channel: Option<ChannelId>,
    /// First line, at most 120 characters of others' text, one line.
    pub title: Words,
    /// The rest, at most 300 characters of others' text; may be empty.
    pub body: Words,
    /// Makes no sound of its own.
    pub silent: bool,
    /// Buttons, most important first.
    pub buttons: Vec<NoteButton>,
}

/// What a notification says. Whoever shows it says it in the person's language; names and texts are plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// As it is: a name, a message, or nothing.
    Plain(String),
    /// Somebody calls.
    Invites {
        /// Who.
        name: String,
    },
    /// Somebody has called in vain.
    Missed {
        /// Who.
        name: String,
    },
    /// Somebody writes in a channel.
    In {
        /// Who.
        name: String,
        /// Where.
        place: String,
    },
    /// So many new messages, under the text of the last one, if that is to be read.
    New {
        /// Text; may be empty.
        text: String,
        /// How many.
        count: u32,
    },
    /// Something in our call that concerns us.
    InCall {
        /// What.
        what: CallNews,
        /// Whose doing; nobody for the host, whose name need not be known.
        name: Option<String>,
    },
    /// The test.
    Arrives,
}

/// What may happen to us in a call, or is ours to see to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallNews {
    /// Somebody raised a hand, and we are the host.
    Hand,
    /// Somebody muted us.
    Muted,
    /// Somebody lowered our hand.
    HandLowered,
    /// We are the host now.
    Host,
    /// Somebody stopped our sharing.
    ShareStopped,
}

impl Default for Words {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

/// A button of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteButton {
    /// Join the call; from another call after a question.
    Join,
    /// Decline the call, where the server can tell the caller.
    Decline,
    /// Ignore the call.
    Ignore,
    /// Answer the message.
    Reply,
    /// Call whoever called.
    CallBack,
}

/// How far the keys reach that are to work everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum KeysReach {
    /// Nobody has said yet, or there are none to be held.
    #[default]
    Unknown,
    /// They work while another window has the focus.
    Everywhere,
    /// Only while one of our windows has the focus: the desktop has not allowed more, or cannot.
    Window,
}

/// What the desktop around our windows tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DesktopNews {
    /// How far the keys reach now.
    Keys(KeysReach),
    /// Another program holds this key, as it was wished for.
    KeyTaken(String),
    /// The computer has slept, and is awake again.
    Woke,
    /// Nobody has touched keyboard and mouse for minutes; or somebody does again. Repeated while that is so.
    Idle(bool),
    /// The system is set to do not disturb, or is no longer.
    DoNotDisturb(bool),
    /// The large window of the call is in front, or no longer.
    CallInFront(bool),
    /// This is the demonstration: there is somebody who calls when asked to.
    Demo,
    /// What goes on at the person's other servers.
    Elsewhere(Elsewhere),
}

/// What a person does at another server while this one is to know of it: whoever is in a call there is not rung here,
/// and is asked before joining one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// In a call, or joining one.
    pub in_call: bool,
    /// A whole screen is shared there, on which everybody would read our notifications.
    pub shows_everything: bool,
}

/// What the core wants heard or shown outside its windows. None of it may block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertWish {
    /// Ring now, in place of any other ring or preview.
    Ring(Ring),
    /// No ring and no preview any more, at once.
    Silence,
    /// A short sound on the call's loudspeaker.
    Cue {
        /// Which.
        cue: Cue,
        /// The loudspeaker chosen for calls; `None` follows the system.
        device: Option<DeviceId>,
        /// How loud, per cent, 0 to 100.
        volume: u16,
    },
    /// The tone that whoever calls hears until somebody answers, on this loudspeaker (`None` follows the system);
    /// nothing stops it.
    Ringback(Option<Option<DeviceId>>),
    /// Show this.
    Show(Box<Note>),
    /// It is of no interest any more.
    Withdraw(NoteKey),
    /// Open this address in the person's browser. Ours: of the server that the person has chosen.
    Browse(String),
    /// The main window is to come to the front.
    Front,
    /// End the program.
    Quit,
    /// Ask the desktop once more for the keys.
    AskForKeys,
    /// In the demonstration: have somebody call.
    CallMe,
}

/// A ring, or a preview of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// What.
    pub tone: Tone,
    /// How loud, per cent, 0 to 100.
    pub volume: u16,
    /// Where.
    pub device: RingDevice,
    /// How long at most, seconds; the core says earlier when to stop. The tone repeats meanwhile.
    pub seconds: u16,
    /// The tone sounds one time only.
    pub once: bool,
}

/// A text of somebody else's as a notification may show it: one paragraph, no control characters, nothing that turns
/// the direction of what stands around it, at most `most` characters.
#[must_use]
pub fn plain(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    for c in text.chars() {
        let c = if c.is_whitespace() { ' ' } else { c };
        // Overrides, embeddings and isolates (UAX #9), zero-width and tag characters: a name made of them reads as another.
        let hidden = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
        if hidden || (c == ' ' && (out.is_empty() || out.ends_with(' '))) {
            continue;
        }
        if count == most {
            out.pop();
            out.push('…');
            break;
        }
        out.push(c);
        count += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
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

    #[test]
    fn tones_have_the_official_names_and_unknown_ones_are_calm() {
        for name in ["Calm", "Dynamic", "Urgent", "Cheerful"] {
            assert_eq!(Tone::named(name).server_name(), Some(name));
        }
        assert_eq!(Tone::named("Bing"), Tone::Calm);
        assert_eq!(Tone::named(""), Tone::Calm);
    }

    #[test]
    fn hostile_text_becomes_one_plain_line() {
        assert_eq!(plain("  a\n\n\tb\u{202e}c\u{7}  ", 20), "a bc");
        assert_eq!(plain("\u{200b}\u{200f}", 20), "");
        assert_eq!(plain("abcdef", 3), "ab…");
        assert_eq!(plain("abc", 3), "abc");
        assert_eq!(plain(&"x".repeat(1_000_000), 300).chars().count(), 300);
    }
}
