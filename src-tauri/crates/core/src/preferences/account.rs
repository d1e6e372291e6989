//! What the person has chosen in Mattermost, and other clients follow too.

use serde::Serialize;
use ts_rs::TS;

/// What the account says about looks. Where it says nothing, the system is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct AccountLook {
    /// The day has 24 hours; else 12 (`use_military_time`).
    pub hours24: Option<bool>,
    /// The account's theme is a dark one.
    pub dark: Option<bool>,
}

impl AccountLook {
    /// Reads the account's preferences: `clock` as the server keeps `use_military_time`, `theme` as it keeps a theme, a
    /// JSON object of colours.
    #[must_use]
    pub fn read(clock: Option<&str>, theme: Option<&str>) -> Self {
        Self {
            hours24: match clock {
                Some("true") => Some(true),
                Some("false") => Some(false),
                _ => None,
            },
            dark: theme.and_then(is_dark),
        }
    }
}

/// Whether what lies behind a theme's messages is rather black than white. Its names are anybody's to choose.
fn is_dark(theme: &str) -> Option<bool> {
    let theme: serde_json::Value = serde_json::from_str(theme).ok()?;
    let ground = theme.get("centerChannelBg")?.as_str()?.strip_prefix('#')?;
    let digits: Vec<u32> = ground
        .chars()
        .map(|digit| digit.to_digit(16))
        .collect::<Option<_>>()?;
    let [red, green, blue] = match digits.as_slice() {
        [r, g, b] => [r * 17, g * 17, b * 17],
        [a, b, c, d, e, f] => [a * 16 + b, c * 16 + d, e * 16 + f],
        _ => return None,
    };
    // Rec. 601 luma, in thousandths: enough to tell black from white.
    Some(299 * red + 587 * green + 114 * blue < 128_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_light_or_dark_by_its_ground() {
        for (theme, dark) in [
            (
                r##"{"type":"Denim","centerChannelBg":"#ffffff"}"##,
                Some(false),
            ),
            (
                r##"{"type":"Onyx","centerChannelBg":"#090a0b"}"##,
                Some(true),
            ),
            (r##"{"centerChannelBg":"#1E2"}"##, Some(false)),
            (r##"{"centerChannelBg":"#124"}"##, Some(true)),
            (r#"{"centerChannelBg":"red"}"#, None),
            (r##"{"centerChannelBg":"#gggggg"}"##, None),
            (r#"{"centerChannelBg":7}"#, None),
            (r##"{"type":"Denim"}"##, None),
            ("{", None),
            ("", None),
        ] {
            assert_eq!(AccountLook::read(None, Some(theme)).dark, dark, "{theme}");
        }
    }

    #[test]
    fn the_clock_is_the_accounts_if_it_says_anything() {
        for (word, hours) in [
            (Some("true"), Some(true)),
            (Some("false"), Some(false)),
            (Some("yes"), None),
            (None, None),
        ] {
            assert_eq!(AccountLook::read(word, None).hours24, hours);
        }
    }
}
