//! Plain data: what exists on a server, in our words.

use serde::Serialize;
use ts_rs::TS;

use crate::id::{
    CallId, CategoryId, ChannelId, FileId, Millis, PendingId, PostId, SessionId, TeamId, UserId,
};

mod emoji;
mod job;
mod stats;

pub use emoji::Emoji;
pub use job::{Job, JobKind};
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

/// What became of a call, as its post says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct CallPost {
    /// Title given at the start; may be empty.
    pub title: String,
    /// Begin.
    #[ts(type = "number")]
    pub start_at: Millis,
    /// End; 0 while the call goes on.
    #[ts(type = "number")]
    pub end_at: Millis,
    /// `calling`, `ended`, `no_answer`, `canceled_by_caller`, `declined`, or empty on older servers.
    pub status: String,
    /// Recordings with a file.
    pub recordings: u32,
    /// Transcripts with a file.
    pub transcripts: u32,
}

/// Subtitles of a recording: a WebVTT file of the server's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Subtitles {
    /// What they are called; may be empty.
    pub title: String,
    /// BCP 47 tag; may be empty, or anything else.
    pub language: String,
    /// The file.
    pub file: FileId,
}

/// What kind of post it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum PostKind {
    /// Somebody wrote it.
    Message,
    /// The server wrote it (joined, left, header changed).
    System,
    /// Only we see it, and only until the program ends.
    Ephemeral,
    /// A call began here.
    Call(CallPost),
    /// The file of a call's recording.
    Recording {
        /// What was said, once it was written down.
        subtitles: Vec<Subtitles>,
    },
    /// A kind that we do not know: shown as its text.
    Other,
}

/// A post as the server tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Identity.
    pub id: PostId,
    /// Channel.
    pub channel: ChannelId,
    /// Author.
    pub author: UserId,
    /// The thread it replies to; `None` for a root post.
    pub root: Option<PostId>,
    /// Text, Mattermost markdown.
    pub message: String,
    /// Kind.
    pub kind: PostKind,
    /// Made.
    pub create_at: Millis,
    /// Changed in any way (the order of `since`).
    pub update_at: Millis,
    /// Edited by its author; 0 if never.
    pub edit_at: Millis,
    /// Deleted; 0 if not.
    pub delete_at: Millis,
    /// The client-made id under which we sent it; `None` for other people's.
    pub pending: Option<PendingId>,
    /// Replies in its thread.
    pub reply_count: i64,
    /// A name that replaces the author's (web hooks), may be empty.
    pub override_name: String,
    /// Who reacted with what, oldest first.
    pub reactions: Vec<Reaction>,
    /// What is attached.
    pub files: Vec<File>,
    /// We follow the thread that begins here; `None` where the server does not say.
    pub following: Option<bool>,
    /// Time of the newest reply; 0 if there is none, or the server does not say.
    pub last_reply_at: Millis,
}

/// Somebody's reaction to a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// Whose.
    pub user: UserId,
    /// Name of the emoji, without colons.
    pub emoji: String,
}

/// A file attached to a post.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Identity.
    pub id: FileId,
    /// As its sender called it. Shown as it is, never used as a path.
    pub name: String,
    /// What follows the last dot, small letters; may be empty.
    pub extension: String,
    /// Bytes.
    #[ts(type = "number")]
    pub size: i64,
    /// MIME type as the server says.
    pub mime: String,
    /// Pixels of a picture; 0 for others.
    pub width: u32,
    /// Pixels of a picture; 0 for others.
    pub height: u32,
    /// The server has a smaller picture of it.
    pub has_preview: bool,
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

/// One connection to a call. A user on two devices is two participants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Identity inside the call.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// Microphone off.
    pub muted: bool,
    /// When the hand went up (server clock); `None` when down.
    pub hand_raised_at: Option<Millis>,
}

/// A call as the server describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallState {
    /// Identity of the call.
    pub id: CallId,
    /// Where.
    pub channel: ChannelId,
    /// Begin, server clock.
    pub start_at: Millis,
    /// Everybody in it, in no order, without bots.
    pub participants: Vec<Participant>,
    /// Root of the call's thread.
    pub thread: Option<PostId>,
    /// The call's own post.
    pub post: Option<PostId>,
    /// Who shares the screen.
    pub sharing: Option<SessionId>,
    /// Who started it.
    pub owner: UserId,
    /// Who may control it; `None` while nobody is eligible.
    pub host: Option<UserId>,
    /// The recording asked for last, if any.
    pub recording: Option<Job>,
    /// The captions asked for last, if any.
    pub captions: Option<Job>,
    /// We have dismissed this call's ringing.
    pub dismissed: bool,
}

/// What the Calls plugin allows and offers (`GET /config`, `GET /version`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallsConfig {
    /// Plugin version, for instance `1.12.2`; empty if unknown.
    pub version: String,
    /// Media server version; empty with the embedded one.
    pub rtcd_version: String,
    /// Anybody may start a call where it is not explicitly switched off; else administrators only ("test mode").
    pub default_enabled: bool,
    /// Highest number of sessions in a call; 0 = no limit.
    pub max_participants: u32,
    /// Short-lived TURN credentials must be fetched before joining.
    pub needs_turn_credentials: bool,
    /// Screens may be shared.
    pub allow_screen_sharing: bool,
    /// Two layers of the shared screen.
    pub simulcast: bool,
    /// Direct and group calls ring.
    pub ringing: bool,
    /// The host's controls are licensed.
    pub host_controls: bool,
    /// Calls outside direct messages are licensed.
    pub group_calls: bool,
    /// Calls can be recorded.
    pub recordings: bool,
    /// Recordings are transcribed.
    pub transcriptions: bool,
    /// Longest recording, minutes; 0 = unknown.
    pub max_recording_minutes: u32,
    /// Offers travel over the data channel.
    pub dc_signaling: bool,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServer>,
}

/// A STUN or TURN server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:`, `turn:` and `turns:` addresses.
    pub urls: Vec<String>,
    /// TURN user name, else empty.
    pub username: String,
    /// TURN password, else empty.
    pub credential: String,
}

/// What `/channels` of the plugin says about one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallsChannel {
    /// Which.
    pub channel: ChannelId,
    /// Calls switched on or off explicitly; `None` = the server's default holds.
    pub enabled: Option<bool>,
    /// The call going on there.
    pub call: Option<CallState>,
}
