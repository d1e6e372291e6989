//! Who we are, where, and whether the server is there.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::model::User;

/// Sign-in, step by step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(
    tag = "phase",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Account {
    /// No server yet: ask for its address.
    #[default]
    NoServer,
    /// Looking whether a server answers.
    Finding {
        /// As typed.
        address: String,
    },
    /// A server answers: ask who it is.
    SignedOut {
        /// Its address.
        server: ServerInfo,
        /// The user name to show in the form.
        login: String,
        /// The server has asked for a one-time code.
        code_needed: bool,
        /// The person signs in with their browser; waiting for it to bring them back.
        outside: bool,
    },
    /// Waiting for the server's answer, or loading the first data.
    SigningIn {
        /// Its address.
        server: ServerInfo,
        /// As whom.
        login: String,
    },
    /// Signed in.
    SignedIn {
        /// Where.
        server: ServerInfo,
        /// As whom.
        me: User,
        /// The session outlives the program (the key store has the token).
        remembered: bool,
    },
}

/// A server, before sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ServerInfo {
    /// Site address with scheme, without a slash at the end.
    pub url: String,
    /// The name it gives itself.
    pub name: String,
    /// Mattermost version.
    pub version: String,
    /// Calls plugin version; `None` without the plugin.
    pub calls_version: Option<String>,
    /// The address is not encrypted (`http:`) and not this machine.
    pub insecure: bool,
    /// Ways to sign in with the browser, in the order of the server's own page.
    pub outside: Vec<Outside>,
}

/// A way to sign in with the person's browser (mattermost-core §3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Outside {
    /// Which.
    pub service: OutsideService,
    /// What the server calls it; may be empty.
    pub label: String,
}

/// Who vouches for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum OutsideService {
    /// GitLab.
    Gitlab,
    /// Google.
    Google,
    /// Microsoft.
    Office365,
    /// OpenID Connect.
    Openid,
    /// SAML.
    Saml,
}

impl OutsideService {
    /// All of them, in the order of the server's own page.
    pub const ALL: [Self; 5] = [
        Self::Gitlab,
        Self::Google,
        Self::Office365,
        Self::Openid,
        Self::Saml,
    ];

    /// Path on the server, below the site address.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Gitlab => "oauth/gitlab/login",
            Self::Google => "oauth/google/login",
            Self::Office365 => "oauth/office365/login",
            Self::Openid => "oauth/openid/login",
            Self::Saml => "login/sso/saml",
        }
    }
}

/// The connection to the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Link {
    /// Not signed in.
    #[default]
    Down,
    /// Being made.
    Connecting,
    /// Live.
    Up,
    /// Lost; trying again.
    Lost {
        /// Seconds until the next try.
        retry_in: u32,
        /// How many tries have failed.
        attempt: u32,
    },
}
