//! Notifications, and what they may show of others' texts.

use crate::id::{CallId, ChannelId};
use crate::snapshot::ServerTag;

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
    use super::*;

    #[test]
    fn hostile_text_becomes_one_plain_line() {
        assert_eq!(plain("  a\n\n\tb\u{202e}c\u{7}  ", 20), "a bc");
        assert_eq!(plain("\u{200b}\u{200f}", 20), "");
        assert_eq!(plain("abcdef", 3), "ab…");
        assert_eq!(plain("abc", 3), "abc");
        assert_eq!(plain(&"x".repeat(1_000_000), 300).chars().count(), 300);
    }
}
