//! What a person has set once and for all on this computer.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

mod account;
mod calls;

pub use account::AccountLook;
pub use calls::{AtJoin, CallPreferences, CaptionPlace, CaptionSize, WindowLevel};

/// Smallest text, per cent of the usual size. Below, 11 px labels stop being letters.
pub const TEXT_MIN: u16 = 80;
/// Largest text, per cent (WCAG 2.2, 1.4.4: 200 % must be usable).
pub const TEXT_MAX: u16 = 200;

/// How the interface looks. Unknown values in a settings file become the defaults, field by field where they can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Appearance {
    /// Colours.
    pub theme: Theme,
    /// Size of the text, per cent, [`TEXT_MIN`] to [`TEXT_MAX`].
    pub text_percent: u16,
    /// How close rows stand.
    pub density: Density,
    /// Whether things travel.
    pub motion: Motion,
    /// Language tag (`en`, `de`, …); empty follows the system.
    pub language: String,
    /// How times are written.
    pub clock: Clock,
}

impl Default for Appearance {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            text_percent: 100,
            density: Density::default(),
            motion: Motion::default(),
            language: String::new(),
            clock: Clock::default(),
        }
    }
}

impl Appearance {
    /// The same, with what is out of range brought back into it.
    #[must_use]
    pub fn sound(mut self) -> Self {
        self.text_percent = self.text_percent.clamp(TEXT_MIN, TEXT_MAX);
        // A tag is letters, digits and hyphens (BCP 47); more than that is not one.
        let tag = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        if self.language.len() > 16 || !self.language.chars().all(tag) {
            self.language.clear();
        }
        self
    }
}

/// Colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Theme {
    /// As the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
    /// High contrast.
    Contrast,
    /// Light or dark, as the account's theme in Mattermost.
    Mattermost,
}

/// How close rows stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Density {
    /// Room to breathe.
    #[default]
    Comfortable,
    /// More on a screen.
    Compact,
}

/// Whether things travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Motion {
    /// As the system.
    #[default]
    System,
    /// Nothing travels.
    Less,
}

/// How times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Clock {
    /// As the account says in Mattermost, else as the language does.
    #[default]
    System,
    /// 1:05 PM.
    Hours12,
    /// 13:05.
    Hours24,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_out_of_range_is_brought_back() {
        let wild = Appearance {
            text_percent: 900,
            language: "de; rm -rf".to_owned(),
            ..Appearance::default()
        };
        assert_eq!(
            wild.sound(),
            Appearance {
                text_percent: 200,
                ..Appearance::default()
            }
        );
    }

    #[test]
    fn a_file_that_lacks_fields_gives_their_defaults() {
        let read: Appearance = serde_json::from_str(r#"{"theme":"dark"}"#).unwrap();
        assert_eq!(read.theme, Theme::Dark);
        assert_eq!(read.text_percent, 100);
    }
}
