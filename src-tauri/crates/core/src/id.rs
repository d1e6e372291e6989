//! Identities: parsed newtypes, so that a channel can never be passed where a user is meant.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is; servers and devices are free in what they call things.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The identity as text, as the other side spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// True for the empty identity, which servers use for "none".
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )+};
}

text_id! {
    /// A user account, 26 characters.
    UserId;
    /// A team, 26 characters.
    TeamId;
    /// A channel of any kind (public, private, direct, group), 26 characters.
    ChannelId;
    /// A post, 26 characters.
    PostId;
    /// A call, 26 characters, new for every call. Most server fields *named* call id hold a channel id instead.
    CallId;
    /// One participant's connection to a call: the id of the WebSocket on which it joined.
    SessionId;
    /// The client-made id of a post that the server has not confirmed yet (`<user id>:<ms>`).
    PendingId;
    /// A media track as the SFU names it (`<type>_<session>_<8 characters>`).
    TrackId;
    /// A sound device as the operating system names it; stable enough to be remembered.
    DeviceId;
    /// A file on the server, 26 characters.
    FileId;
    /// A category of the channel list.
    CategoryId;
    /// A screen or window that can be shared.
    SourceId;
}

impl ChannelId {
    /// True if the text has the server's form: 26 lower-case letters and digits.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.0.len() == 26
            && self
                .0
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    }
}

/// Matches an answer to its question; unique for the life of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A file on its way to the server; unique for the life of the machine.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS,
)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct UploadId(pub u32);

/// One of the servers that the person is signed in to; unique for the life of the program, and kept nowhere.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS,
)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct ServerNumber(pub u32);

/// Milliseconds since the Unix epoch, by the server's clock.
pub type Millis = i64;
