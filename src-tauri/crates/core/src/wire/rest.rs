//! Bodies of Mattermost's REST API v4, as far as a calls client needs them. Times are Unix milliseconds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `POST /users/login`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// E-mail address, user name or LDAP field.
    pub login_id: String,
    /// Password.
    pub password: String,
    /// One-time code; left out when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// Empty: anything else makes a mobile session.
    #[serde(default)]
    pub device_id: String,
}

/// An error body. Match on `id`: `message` is translated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorBody {
    /// Stable name, for instance `api.context.session_expired.app_error`.
    pub id: String,
    /// Sentence in the reader's language.
    pub message: String,
    /// The shape of internal failures of the Calls plugin: `{"error": "…"}`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// HTTP status again.
    pub status_code: u16,
}

/// `GET /system/ping`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ping {
    /// `OK` or `UNHEALTHY`.
    pub status: String,
}

/// `GET /config/client?format=old`: a map of strings, even for numbers and truth values.
pub type ClientConfig = BTreeMap<String, Value>;

/// One entry of `GET /plugins/webapp`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// Plugin, for instance `com.mattermost.calls`.
    pub id: String,
    /// Its version.
    pub version: String,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Identity.
    pub id: String,
    /// The @name.
    pub username: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Nickname.
    pub nickname: String,
    /// Words separated by spaces (`system_admin system_user`).
    pub roles: String,
    /// More than 0: deactivated.
    pub delete_at: i64,
    /// Changes with the portrait.
    pub last_picture_update: i64,
    /// Not a person.
    pub is_bot: bool,
    /// Notification settings, as words; only in our own account.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub notify_props: BTreeMap<String, Value>,
}

/// Presence of a user (`POST /users/status/ids`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Whose.
    pub user_id: String,
    /// `online`, `away`, `dnd`, `offline`, `ooo`.
    pub status: String,
}

/// A team.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Team {
    /// Identity.
    pub id: String,
    /// Name in addresses.
    pub name: String,
    /// Name on screen.
    pub display_name: String,
    /// More than 0: archived.
    pub delete_at: i64,
}

/// A channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Channel {
    /// Identity.
    pub id: String,
    /// Team; empty for direct and group channels.
    pub team_id: String,
    /// `O` public, `P` private, `D` direct, `G` group.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name in addresses; of a direct channel the two user ids joined by `__`.
    pub name: String,
    /// Name on screen; empty for direct channels.
    pub display_name: String,
    /// The line under the name.
    pub header: String,
    /// More than 0: archived.
    pub delete_at: i64,
    /// Time of the newest post.
    pub last_post_at: i64,
    /// Posts.
    pub total_msg_count: i64,
    /// Posts that are not replies.
    pub total_msg_count_root: i64,
}

/// A membership of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelMember {
    /// The channel.
    pub channel_id: String,
    /// The member.
    pub user_id: String,
    /// When they last looked; -1 for others.
    pub last_viewed_at: i64,
    /// Posts read.
    pub msg_count: i64,
    /// Root posts read.
    pub msg_count_root: i64,
    /// Unread mentions.
    pub mention_count: i64,
    /// Unread mentions in root posts.
    pub mention_count_root: i64,
    /// An administrator of the channel.
    pub scheme_admin: bool,
    /// Per-channel settings: `desktop`, `mark_unread` and others.
    pub notify_props: BTreeMap<String, Value>,
}

/// A preference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preference {
    /// Whose.
    pub user_id: String,
    /// Group, for instance `display_settings`.
    pub category: String,
    /// Name, for instance `name_format`.
    pub name: String,
    /// Always text.
    pub value: String,
}

/// A post.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Post {
    /// Identity.
    pub id: String,
    /// Made.
    pub create_at: i64,
    /// Changed in any way.
    pub update_at: i64,
    /// Edited by its author; 0 if never.
    pub edit_at: i64,
    /// Deleted; 0 if not.
    pub delete_at: i64,
    /// Author.
    pub user_id: String,
    /// Where.
    pub channel_id: String,
    /// Root of its thread; empty for a root post.
    pub root_id: String,
    /// Text.
    pub message: String,
    /// Empty for what people write; `system_*`, `custom_calls`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Additions of plugins and web hooks.
    pub props: Map<String, Value>,
    /// The author's client's own id.
    pub pending_post_id: String,
    /// Replies.
    pub reply_count: i64,
    /// Time of the newest reply (collapsed threads only).
    pub last_reply_at: i64,
    /// We follow it (collapsed threads only).
    pub is_following: Option<bool>,
    /// What goes with it.
    pub metadata: PostMetadata,
}

/// What goes with a post.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PostMetadata {
    /// Who reacted with what; `null` for none.
    pub reactions: Option<Vec<Reaction>>,
    /// What is attached; `null` for none.
    pub files: Option<Vec<FileInfo>>,
}

/// A reaction: in a post, in `reaction_added` and `reaction_removed`, and as a body of `POST /reactions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reaction {
    /// Whose.
    pub user_id: String,
    /// To which post.
    pub post_id: String,
    /// Without colons.
    pub emoji_name: String,
    /// When.
    #[serde(skip_serializing_if = "is_zero")]
    pub create_at: i64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileInfo {
    /// Identity.
    pub id: String,
    /// As its sender called it.
    pub name: String,
    /// What follows the last dot.
    pub extension: String,
    /// Bytes.
    pub size: i64,
    /// MIME type.
    pub mime_type: String,
    /// Pixels of a picture.
    pub width: i64,
    /// Pixels of a picture.
    pub height: i64,
    /// There is a smaller picture.
    pub has_preview_image: bool,
}

/// `POST /files`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FileUpload {
    /// What was stored.
    pub file_infos: Vec<FileInfo>,
}

/// `GET /users/me/teams/{team}/channels/categories`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Categories {
    /// The categories.
    pub categories: Vec<Category>,
    /// Their order.
    pub order: Vec<String>,
}

/// A category of the channel list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Category {
    /// Identity.
    pub id: String,
    /// Whose.
    pub user_id: String,
    /// In which team.
    pub team_id: String,
    /// `favorites`, `channels`, `direct_messages`, `custom`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name on screen.
    pub display_name: String,
    /// Empty, `alpha`, `recent` or `manual`.
    pub sorting: String,
    /// Muted.
    pub muted: bool,
    /// Folded.
    pub collapsed: bool,
    /// What is in it.
    pub channel_ids: Vec<String>,
}

/// One entry of `GET /emoji`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Emoji {
    /// Identity.
    pub id: String,
    /// Without colons.
    pub name: String,
    /// More than 0: deleted.
    pub delete_at: i64,
}

/// `GET /users/autocomplete`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserCompletions {
    /// Those in the channel.
    pub users: Vec<User>,
    /// Those who are not.
    pub out_of_channel: Option<Vec<User>>,
}

/// One entry of `GET /teams/{id}/commands/autocomplete_suggestions`. The server spells these with capitals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Suggestion {
    /// The whole text, without the slash.
    pub complete: String,
    /// The choice.
    pub suggestion: String,
    /// What may follow.
    pub hint: String,
    /// One line.
    pub description: String,
}

/// A list of posts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PostList {
    /// What was asked for, newest first.
    pub order: Vec<String>,
    /// The posts; may hold roots of replies besides.
    pub posts: BTreeMap<String, Post>,
    /// The newest older post; empty when there is none.
    pub prev_post_id: String,
    /// The oldest newer post; empty when there is none.
    pub next_post_id: String,
}

/// `POST /posts`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewPost {
    /// Where.
    pub channel_id: String,
    /// Thread; empty for a root post.
    pub root_id: String,
    /// Text.
    pub message: String,
    /// What is attached.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub file_ids: Vec<String>,
    /// `<user id>:<ms>`: the server stores one post per value.
    pub pending_post_id: String,
}

/// `POST /commands/execute`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecuteCommand {
    /// Where.
    pub channel_id: String,
    /// The open team; the server overwrites it for team channels.
    pub team_id: String,
    /// Thread in which it was typed; empty in none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub root_id: String,
    /// With the slash.
    pub command: String,
}

/// `POST /channels/members/me/view`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewChannel {
    /// Empty: no channel is open.
    pub channel_id: String,
    /// We know threads.
    pub collapsed_threads_supported: bool,
}
