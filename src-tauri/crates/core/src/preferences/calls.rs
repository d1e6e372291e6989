//! How our own calls behave on this computer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::model::ChannelKind;

/// How our own calls behave on this computer. Unknown values in a settings file become the defaults, field by field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct CallPreferences {
    /// The microphone when we join the call of a channel.
    pub channels: AtJoin,
    /// The microphone when we join a direct or group call.
    pub direct: AtJoin,
    /// There is no microphone here on purpose: not said again in every call.
    pub no_microphone: bool,
    /// Say so when somebody talks while muted. The sound is only measured here, and goes nowhere.
    pub talking_hint: bool,
    /// Say when somebody leaves.
    pub left_notes: bool,
    /// What concerns us in the call (a hand for the host, being muted) is a notification while no window of ours is in
    /// front.
    pub call_notes: bool,
    /// Show reactions.
    pub reactions: bool,
    /// Show what is said in writing, where the server offers it.
    pub captions: bool,
    /// How large that is written.
    pub caption_size: CaptionSize,
    /// Where that is written.
    pub caption_place: CaptionPlace,
    /// Look at the microphone and at who is inside before joining: it then takes a second click.
    pub look_first: bool,
    /// Open the large window with each call.
    pub large_window: bool,
    /// What the small window lies above.
    pub level: WindowLevel,
    /// The small window is a narrow one.
    pub narrow: bool,
    /// Keys inside our windows that the person has changed: ours, as `Control+Shift+L`, and theirs in its place.
    pub keys: BTreeMap<String, String>,
}

impl Default for CallPreferences {
    fn default() -> Self {
        Self {
            channels: AtJoin::Muted,
            direct: AtJoin::Open,
            no_microphone: false,
            talking_hint: true,
            left_notes: false,
            call_notes: true,
            reactions: true,
            captions: false,
            caption_size: CaptionSize::Medium,
            caption_place: CaptionPlace::Below,
            look_first: false,
            large_window: false,
            level: WindowLevel::Everywhere,
            narrow: false,
            keys: BTreeMap::new(),
        }
    }
}

impl CallPreferences {
    /// The same without what nobody would choose by hand, whoever wrote it.
    #[must_use]
    pub fn in_range(mut self) -> Self {
        /// There are fewer keys, and none has a longer name.
        const MOST: usize = 64;
        self.keys
            .retain(|ours, theirs| ours.len() <= MOST && theirs.len() <= MOST);
        while self.keys.len() > MOST {
            self.keys.pop_last();
        }
        self
    }

    /// Whether the microphone opens by itself when a call of this kind is joined.
    #[must_use]
    pub fn opens(&self, kind: ChannelKind) -> bool {
        let at = if kind.is_personal() {
            self.direct
        } else {
            self.channels
        };
        at == AtJoin::Open
    }
}

/// The microphone when a call is joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum AtJoin {
    /// Off, until the person turns it on.
    Muted,
    /// On, as soon as the call is connected.
    Open,
}

/// How large captions are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CaptionSize {
    /// As labels.
    Small,
    /// As messages.
    #[default]
    Medium,
    /// To be read from across the room.
    Large,
}

/// Where captions stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CaptionPlace {
    /// Between the people and the controls.
    #[default]
    Below,
    /// At the top.
    Above,
}

/// What the small window of a call lies above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum WindowLevel {
    /// Nothing: it is a window like any other.
    Ordinary,
    /// Other windows, on its own workspace.
    Above,
    /// Other windows, on every workspace.
    #[default]
    Everywhere,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_official_rule_holds_until_somebody_chooses_another() {
        let usual = CallPreferences::default();
        let kinds = |preferences: &CallPreferences| {
            [
                ChannelKind::Public,
                ChannelKind::Private,
                ChannelKind::Direct,
                ChannelKind::Group,
            ]
            .map(|kind| preferences.opens(kind))
        };
        assert_eq!(kinds(&usual), [false, false, true, true]);
        let swapped = CallPreferences {
            channels: AtJoin::Open,
            direct: AtJoin::Muted,
            ..usual
        };
        assert_eq!(kinds(&swapped), [true, true, false, false]);
    }

    #[test]
    fn a_file_that_lacks_fields_gives_their_defaults() {
        let read: CallPreferences = serde_json::from_str(r#"{"captions":true}"#).unwrap();
        assert!(read.captions && read.talking_hint && read.reactions && !read.left_notes);
    }
}
