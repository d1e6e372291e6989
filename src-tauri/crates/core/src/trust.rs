//! What a server may do on this computer (DV-09).
//!
//! Enforced here, where rings, notifications, the microphone and the screen are decided on, and not by what a page shows.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What a server may do, kept for each. Whoever signs in somewhere wants calls from there: a new one may do everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
pub struct Trust {
    /// Its calls ring; else they are only shown.
    pub ring: bool,
    /// It notifies.
    pub notify: bool,
    /// What is said is sent to its calls; else one listens there, and the microphone is not even opened.
    pub microphone: bool,
    /// A screen can be shown in its calls.
    pub screen: bool,
    /// Links in what is written there are opened outside.
    pub links: bool,
}

impl Default for Trust {
    fn default() -> Self {
        Self {
            ring: true,
            notify: true,
            microphone: true,
            screen: true,
            links: true,
        }
    }
}

/// One of the things that a server may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Grant {
    /// See [`Trust::ring`].
    Ring,
    /// See [`Trust::notify`].
    Notify,
    /// See [`Trust::microphone`].
    Microphone,
    /// See [`Trust::screen`].
    Screen,
    /// See [`Trust::links`].
    Links,
}

impl Grant {
    /// The notice that says that it is not allowed, with the button that allows it; `None` where nothing is missed that
    /// the person has asked for.
    pub(crate) fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Ring | Self::Notify => None,
            Self::Microphone => Some("trust.microphone"),
            Self::Screen => Some("trust.screen"),
            Self::Links => Some("trust.links"),
        }
    }
}

impl Trust {
    /// Whether it may.
    #[must_use]
    pub fn allows(self, grant: Grant) -> bool {
        match grant {
            Grant::Ring => self.ring,
            Grant::Notify => self.notify,
            Grant::Microphone => self.microphone,
            Grant::Screen => self.screen,
            Grant::Links => self.links,
        }
    }

    /// The same, with one of them allowed or not.
    #[must_use]
    pub fn with(mut self, grant: Grant, allowed: bool) -> Self {
        *match grant {
            Grant::Ring => &mut self.ring,
            Grant::Notify => &mut self.notify,
            Grant::Microphone => &mut self.microphone,
            Grant::Screen => &mut self.screen,
            Grant::Links => &mut self.links,
        } = allowed;
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_not_in_the_file_is_allowed_and_each_grant_is_its_own() {
        let read: Trust = serde_json::from_str(r#"{"ring":false}"#).unwrap();
        assert_eq!(read, Trust::default().with(Grant::Ring, false));
        let all = [
            Grant::Ring,
            Grant::Notify,
            Grant::Microphone,
            Grant::Screen,
            Grant::Links,
        ];
        for one in all {
            let without = Trust::default().with(one, false);
            for other in all {
                assert_eq!(without.allows(other), one != other, "{one:?} {other:?}");
            }
        }
    }
}
