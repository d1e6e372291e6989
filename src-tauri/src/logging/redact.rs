//! Takes secrets out of text: those it was told of, and whatever looks like one.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

/// What stands in for a secret; also what [`calls_core::port::Secret`] prints.
const DOTS: &str = "•••";

/// Shorter words are not hidden wherever they occur: a password "call" would empty the log, and tell itself by that.
const SHORTEST: usize = 6;

/// Words after which a secret follows, up to the next delimiter. Lower case.
const MARKERS: [&str; 9] = [
    "bearer ",
    "mmauthtoken=",
    "token=",
    "token\":\"",
    "token\": \"",
    "password=",
    "password\":\"",
    "password\": \"",
    "credential\":\"",
];

/// Takes secrets out of text.
#[derive(Default)]
pub(crate) struct Redactor {
    known: RwLock<Vec<String>>,
}

impl Redactor {
    /// From now on this word is not printed.
    pub(crate) fn hide(&self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if !known.iter().any(|word| word == secret) {
            known.push(secret.to_owned());
        }
    }

    /// The text without secrets.
    pub(crate) fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut clean = Cow::Borrowed(text);
        for secret in self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            if clean.contains(secret.as_str()) {
                clean = Cow::Owned(clean.replace(secret.as_str(), DOTS));
            }
        }
        match without_marked(&clean) {
            Some(text) => Cow::Owned(text),
            None => clean,
        }
    }
}

/// The text without what follows a marker; `None` if there is no marker.
fn without_marked(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some(end) = next_marker(rest) {
        found = true;
        let (before, after) = rest.split_at(end);
        out.push_str(before);
        // Inside quotes a secret may hold anything but the quote; elsewhere it ends with the word.
        let quoted = before.ends_with('"');
        let length = after
            .find(|c: char| {
                c == '"'
                    || !quoted
                        && (c.is_whitespace() || matches!(c, '\'' | '&' | ';' | ',' | ')' | '}'))
            })
            .unwrap_or(after.len());
        if length > 0 {
            out.push_str(DOTS);
        }
        rest = &after[length..];
    }
    out.push_str(rest);
    found.then_some(out)
}

/// Where the first marker ends. Markers are ASCII, so the position is a character's border in the text as it is.
fn next_marker(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    MARKERS
        .iter()
        .filter_map(|marker| lower.find(marker).map(|at| at + marker.len()))
        .min()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_hidden() {
        let redactor = Redactor::default();
        for (text, clean) in [
            (
                "Authorization: Bearer abc123 sent",
                "Authorization: Bearer ••• sent",
            ),
            (
                "url=wss://x/ws?token=abc&y=1",
                "url=wss://x/ws?token=•••&y=1",
            ),
            (
                r#"{"login":"a","password":"p w"}"#,
                r#"{"login":"a","password":"•••"}"#,
            ),
            (
                "MMAUTHTOKEN=abc; Path=/ token=x",
                "MMAUTHTOKEN=•••; Path=/ token=•••",
            ),
            ("nothing here – ünd Bearers", "nothing here – ünd Bearers"),
            ("token=", "token="),
        ] {
            assert_eq!(redactor.clean(text), clean);
        }
    }

    #[test]
    fn a_known_secret_is_hidden_everywhere() {
        let redactor = Redactor::default();
        redactor.hide("correct horse");
        redactor.hide("correct horse");
        assert_eq!(
            redactor.clean("a correct horse, a correct horse"),
            "a •••, a •••"
        );
        assert_eq!(redactor.known.read().unwrap().len(), 1);
    }

    #[test]
    fn a_short_word_is_left_alone() {
        let redactor = Redactor::default();
        redactor.hide("call");
        redactor.hide("");
        assert_eq!(redactor.clean("call"), "call");
    }
}
