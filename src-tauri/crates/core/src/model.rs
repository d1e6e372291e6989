//! Plain data: what exists on a server, in our words.

use serde::Serialize;
use ts_rs::TS;

use crate::id::{CategoryId, ChannelId, Millis, TeamId, UserId};

mod call;
mod emoji;
mod job;
mod post;
mod stats;

pub use call::{CallState, CallsChannel, CallsConfig, IceServer, Participant};
pub use emoji::Emoji;
pub use job::{Job, JobKind};
pub use post::{CallPost, File, Post, PostKind, Reaction, Subtitles};
pub use stats::{PairStats, RtcStats, StreamStats};

/// A team: a set of channels under one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Team {
    /// Identity.
    pub id: TeamId,
    /// Name in addresses (`/name/channels/…`).
    pub name: String,
    /// Name on screen.
    pub display_name: String,
}

/// What kind of channel it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum ChannelKind {
    /// Anybody in the team may join.
    Public,
    /// By invitation.
    Private,
    /// Two people (or one, talking to oneself).
    Direct,
    /// Three to eight people.
    Group,
}

impl ChannelKind {
    /// Direct and group channels ring, and start unmuted.
    #[must_use]
    pub fn is_personal(self) -> bool {
        matches!(self, Self::Direct | Self::Group)
    }
}

/// A channel as the server describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Identity.
    pub id: ChannelId,
    /// Its team; `None` for direct and group channels.
    pub team: Option<TeamId>,
    /// Kind.
    pub kind: ChannelKind,
    /// Name in addresses. For a direct channel `<user id>__<user id>`.
    pub name: String,
    /// Name on screen; empty for direct channels.
    pub display_name: String,
    /// The line under the name.
    pub header: String,
    /// Archived channels can be read but not written, and have no calls.
    pub archived: bool,
    /// Time of the newest post.
    pub last_post_at: Millis,
    /// Posts ever made (all, and without replies).
    pub total_posts: i64,
    /// Root posts ever made.
    pub total_root_posts: i64,
}

/// Our own membership of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// The channel.
    pub channel: ChannelId,
    /// Posts we have read.
    pub read_posts: i64,
    /// Root posts we have read.
    pub read_root_posts: i64,
    /// Unread mentions.
    pub mentions: i64,
    /// Unread mentions in root posts.
    pub root_mentions: i64,
    /// When we last looked.
    pub last_viewed_at: Millis,
    /// We may change the channel's settings.
    pub admin: bool,
    /// The person has muted this channel (`mark_unread` = `mention`).
    pub muted: bool,
    /// Per-channel desktop notification level as the server spells it (`default`, `all`, `mention`, `none`).
    pub desktop: String,
    /// Per-channel sound of notifications as the server spells it (`default`, `on`, `off`).
    pub desktop_sound: String,
}

/// Our own notification settings as the server keeps them: words, by name (mattermost-core §4.4). Kept whole, because
/// the server replaces them as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotifyProps(pub std::collections::BTreeMap<String, String>);

impl NotifyProps {
    fn word<'a>(&'a self, name: &str, missing: &'a str) -> &'a str {
        self.0.get(name).map_or(missing, String::as_str)
    }

    /// Which messages notify: `all`, `mention`, `none`.
    #[must_use]
    pub fn desktop(&self) -> &str {
        self.word("desktop", "mention")
    }

    /// Notifications make a sound.
    #[must_use]
    pub fn sound(&self) -> bool {
        self.word("desktop_sound", "true") == "true"
    }

    /// Calls ring.
    #[must_use]
    pub fn calls_ring(&self) -> bool {
        self.word("calls_desktop_sound", "true") != "false"
    }

    /// The tone's name; may be empty or unknown.
    #[must_use]
    pub fn calls_tone(&self) -> &str {
        self.word("calls_notification_sound", "")
    }

    /// The same with one word changed.
    #[must_use]
    pub fn with(&self, name: &str, word: &str) -> Self {
        let mut changed = self.clone();
        changed.0.insert(name.to_owned(), word.to_owned());
        changed
    }
}

/// A person, or a bot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Identity.
    pub id: UserId,
    /// The @name.
    pub username: String,
    /// First name, may be empty.
    pub first_name: String,
    /// Last name, may be empty.
    pub last_name: String,
    /// Nickname, may be empty.
    pub nickname: String,
    /// Not a person.
    pub is_bot: bool,
    /// The account was deactivated.
    pub deactivated: bool,
    /// System administrator.
    pub is_admin: bool,
    /// Version of the portrait: changes when the picture changes.
    #[ts(type = "number")]
    pub picture_version: Millis,
}

impl User {
    /// The name used in calls: "First Last" if both exist, else the user name.
    #[must_use]
    pub fn call_name(&self) -> String {
        if self.first_name.is_empty() || self.last_name.is_empty() {
            self.username.clone()
        } else {
            format!("{} {}", self.first_name, self.last_name)
        }
    }
}

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Presence {
    /// Active.
    Online,
    /// No activity for some minutes.
    Away,
    /// Do not disturb.
    Dnd,
    /// Out of office.
    Ooo,
    /// Not connected, or unknown.
    #[default]
    Offline,
}

/// What kind of category it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum CategoryKind {
    /// What the person has marked.
    Favorites,
    /// All channels of the team that are in no other.
    #[default]
    Channels,
    /// Direct and group channels.
    Direct,
    /// Made by the person.
    Custom,
}

/// A category of the channel list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Category {
    /// Identity.
    pub id: CategoryId,
    /// Its team.
    pub team: TeamId,
    /// Kind.
    pub kind: CategoryKind,
    /// Name on screen; for the built-in ones in the server's language.
    pub name: String,
    /// What is in it, in the person's order.
    pub channels: Vec<ChannelId>,
    /// Sorted by name (`alpha`), by newest post (`recent`), or as it is (`manual`, empty).
    pub sorting: String,
    /// Folded.
    pub collapsed: bool,
    /// Muted.
    pub muted: bool,
}

/// An emoji that somebody has added to the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CustomEmoji {
    /// Identity, for its picture.
    pub id: String,
    /// Name, without colons.
    pub name: String,
}

/// A public channel found by name, of which we may not be a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct FoundChannel {
    /// Identity.
    pub id: ChannelId,
    /// Name on screen.
    pub name: String,
}

/// What can be typed next in a slash command, as the server suggests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CommandHint {
    /// The text with this choice made, with the slash.
    pub complete: String,
    /// The choice.
    pub suggestion: String,
    /// What may follow.
    pub hint: String,
    /// One line.
    pub description: String,
}
