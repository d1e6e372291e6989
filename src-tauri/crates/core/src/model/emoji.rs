//! An emoji as it travels: by name and by code points.

/// Longest text that is shown in place of an emoji, bytes. The longest sequence in use (a family with skin tones) has
/// 41.
const LONGEST: usize = 64;

/// An emoji, as a reaction (calls-v1-signaling §2.10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Emoji {
    /// Mattermost's short name, without colons; may be empty.
    pub name: String,
    /// Code points in lower-case hexadecimal, joined by `-`.
    pub unified: String,
    /// The skin tone's code point in hexadecimal, already part of `unified`; may be empty.
    pub skin: String,
    /// The characters themselves; may be empty.
    pub literal: String,
}

impl Emoji {
    /// What to show: the characters, else those that the code points give, else the name between colons. What others
    /// send is cut to a length that cannot spoil a view, and controls are left out.
    #[must_use]
    pub fn text(&self) -> String {
        let given = tame(&self.literal);
        if !given.is_empty() {
            return given;
        }
        let decoded: Option<String> = (!self.unified.is_empty()
            && self.unified.len() <= 2 * LONGEST)
            .then(|| {
                self.unified
                    .split('-')
                    .map(|code| u32::from_str_radix(code, 16).ok().and_then(char::from_u32))
                    .collect()
            })
            .flatten();
        let decoded = tame(&decoded.unwrap_or_default());
        if !decoded.is_empty() {
            return decoded;
        }
        let name = tame(&self.name);
        if name.is_empty() {
            "?".to_owned()
        } else {
            format!(":{name}:")
        }
    }

    /// Whether two are the same picture; one of them may have come back from the server with less said.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        if self.unified.is_empty() || other.unified.is_empty() {
            self.text() == other.text()
        } else {
            self.unified.eq_ignore_ascii_case(&other.unified)
        }
    }
}

/// Without controls and direction marks, and not too long. The joiner and the variation selectors stay: emoji are made
/// of them.
fn tame(text: &str) -> String {
    let fits = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut tamed = String::new();
    for c in text.chars().filter(fits) {
        if tamed.len() + c.len_utf8() > LONGEST {
            // Half an emoji is worse than none.
            return String::new();
        }
        tamed.push(c);
    }
    tamed.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emoji(name: &str, unified: &str, literal: &str) -> Emoji {
        Emoji {
            name: name.to_owned(),
            unified: unified.to_owned(),
            literal: literal.to_owned(),
            ..Emoji::default()
        }
    }

    #[test]
    fn an_emoji_is_shown_by_the_best_that_was_told_of_it() {
        for (sent, shown) in [
            (emoji("heart", "2764-fe0f", "❤️"), "❤️"),
            (emoji("heart", "2764-fe0f", ""), "❤\u{fe0f}"),
            (emoji("+1", "1f44d-1f3fd", ""), "👍🏽"),
            (emoji("partyparrot", "", ""), ":partyparrot:"),
            (emoji("", "zz", ""), "?"),
            (emoji("x", "110000", ""), ":x:"),
            (emoji("", "", ""), "?"),
        ] {
            assert_eq!(sent.text(), shown, "{sent:?}");
        }
    }

    #[test]
    fn what_a_stranger_sends_cannot_spoil_a_view() {
        let long = "👍".repeat(40);
        assert_eq!(emoji("", "", &long).text(), "?");
        assert_eq!(emoji("a\u{202e}b\n", "", "").text(), ":ab:");
        assert_eq!(emoji("", &"1f44d-".repeat(500), "").text(), "?");
    }
}
