//! The things a server keeps, and how they look in JSON (core reference, chapters 4, 5 and 7).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// An account.
#[derive(Clone, Debug, Default)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) nickname: String,
    pub(crate) position: String,
    pub(crate) roles: String,
    pub(crate) locale: String,
    pub(crate) create_at: i64,
    pub(crate) update_at: i64,
    pub(crate) delete_at: i64,
    pub(crate) is_bot: bool,
    /// The code that signs this account in; `None` means no second factor.
    pub(crate) mfa_code: Option<String>,
    /// Wrong passwords in a row; ten lock the account.
    pub(crate) failed_logins: u32,
    pub(crate) props: Map<String, Value>,
    pub(crate) notify_props: Map<String, Value>,
    pub(crate) status: Status,
}

/// Presence.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) status: String,
    pub(crate) manual: bool,
    pub(crate) last_activity_at: i64,
    /// Unix **seconds**, the one exception among the server's times.
    pub(crate) dnd_end_time: i64,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            status: "offline".to_owned(),
            manual: false,
            last_activity_at: 0,
            dnd_end_time: 0,
        }
    }
}

impl User {
    /// What new accounts have for `notify_props`.
    pub(crate) fn default_notify_props() -> Map<String, Value> {
        let pairs = [
            ("desktop", "mention"),
            ("desktop_sound", "true"),
            ("desktop_threads", "all"),
            ("mention_keys", ""),
            ("highlight_keys", ""),
            ("first_name", "false"),
            ("channel", "true"),
            ("comments", "never"),
            ("push", "mention"),
            ("push_status", "online"),
            ("push_threads", "all"),
            ("email", "true"),
            ("email_threads", "all"),
        ];
        pairs
            .into_iter()
            .map(|(k, v)| (k.to_owned(), Value::from(v)))
            .collect()
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.roles.split(' ').any(|r| r == "system_admin")
    }

    /// A guest: sees and joins nothing but the channels that they were asked into.
    pub(crate) fn is_guest(&self) -> bool {
        self.roles.split(' ').any(|r| r == "system_guest")
    }

    /// "First Last" if there are names, else the user name.
    pub(crate) fn full_name(&self) -> String {
        let full = format!("{} {}", self.first_name, self.last_name);
        if full.trim().is_empty() {
            self.username.clone()
        } else {
            full.trim().to_owned()
        }
    }

    /// The user object; `own` adds what only the account itself sees.
    pub(crate) fn json(&self, own: bool) -> Value {
        let mut value = json!({
            "id": self.id, "create_at": self.create_at, "update_at": self.update_at,
            "delete_at": self.delete_at, "username": self.username, "auth_data": "",
            "auth_service": "", "email": format!("{}@halloo.test", self.username),
            "nickname": self.nickname, "first_name": self.first_name, "last_name": self.last_name,
            "position": self.position, "roles": self.roles, "locale": self.locale,
            "timezone": {"automaticTimezone": "", "manualTimezone": "", "useAutomaticTimezone": "true"},
            "last_picture_update": 0, "disable_welcome_email": false,
            "props": Value::Object(self.props.clone()), "remote_id": null,
        });
        if self.is_bot {
            value["is_bot"] = true.into();
            value["bot_description"] = "".into();
        }
        if own {
            value["notify_props"] = Value::Object(self.notify_props.clone());
            value["email_verified"] = true.into();
            value["mfa_active"] = self.mfa_code.is_some().into();
        }
        value
    }

    /// The status object of this user.
    pub(crate) fn status_json(&self) -> Value {
        json!({
            "user_id": self.id, "status": self.status.status, "manual": self.status.manual,
            "last_activity_at": self.status.last_activity_at,
            "dnd_end_time": self.status.dnd_end_time,
        })
    }
}

/// A team.
#[derive(Clone, Debug, Default)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) create_at: i64,
    /// Members and whether they are team admins.
    pub(crate) members: BTreeMap<String, bool>,
}

impl Team {
    pub(crate) fn json(&self) -> Value {
        json!({
            "id": self.id, "create_at": self.create_at, "update_at": self.create_at, "delete_at": 0,
            "display_name": self.display_name, "name": self.name, "description": "", "email": "",
            "type": "O", "company_name": "", "allowed_domains": "", "invite_id": "",
            "allow_open_invite": true, "last_team_icon_update": 0, "scheme_id": null,
            "group_constrained": null, "policy_id": null,
        })
    }

    pub(crate) fn member_json(&self, user: &str) -> Value {
        let admin = self.members.get(user).copied().unwrap_or(false);
        json!({
            "team_id": self.id, "user_id": user,
            "roles": if admin { "team_user team_admin" } else { "team_user" },
            "delete_at": 0, "scheme_guest": false, "scheme_user": true, "scheme_admin": admin,
            "explicit_roles": "",
        })
    }
}

/// The four kinds of channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Open,
    Private,
    Direct,
    Group,
}

impl Kind {
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Open => "O",
            Self::Private => "P",
            Self::Direct => "D",
            Self::Group => "G",
        }
    }

    /// Direct and group channels belong to no team.
    pub(crate) fn is_personal(self) -> bool {
        matches!(self, Self::Direct | Self::Group)
    }
}

/// A channel of any kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) team_id: String,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) header: String,
    pub(crate) purpose: String,
    pub(crate) creator_id: String,
    pub(crate) create_at: i64,
    pub(crate) update_at: i64,
    pub(crate) delete_at: i64,
    pub(crate) last_post_at: i64,
    pub(crate) last_root_post_at: i64,
    pub(crate) total: i64,
    pub(crate) total_root: i64,
    pub(crate) members: BTreeMap<String, Member>,
    /// The explicit record of the Calls plugin: on, off, or none.
    pub(crate) calls_enabled: Option<bool>,
    /// Members who may read but not post.
    pub(crate) read_only: BTreeSet<String>,
}

impl Channel {
    pub(crate) fn json(&self) -> Value {
        json!({
            "id": self.id, "create_at": self.create_at, "update_at": self.update_at,
            "delete_at": self.delete_at, "team_id": self.team_id, "type": self.kind.letter(),
            "display_name": self.display_name, "name": self.name, "header": self.header,
            "purpose": self.purpose, "last_post_at": self.last_post_at,
            "total_msg_count": self.total, "extra_update_at": 0, "creator_id": self.creator_id,
            "scheme_id": null, "props": null, "group_constrained": null, "shared": null,
            "total_msg_count_root": self.total_root, "policy_id": null,
            "last_root_post_at": self.last_root_post_at,
        })
    }

    /// The membership as its owner sees it, or as others do (times hidden).
    pub(crate) fn member_json(&self, user: &str, own: bool) -> Value {
        let fallback = Member::default();
        let m = self.members.get(user).unwrap_or(&fallback);
        let hide = |t: i64| if own { t } else { -1 };
        json!({
            "channel_id": self.id, "user_id": user,
            "roles": if m.admin { "channel_user channel_admin" } else { "channel_user" },
            "last_viewed_at": hide(m.last_viewed_at), "msg_count": m.msg_count,
            "mention_count": m.mention_count, "mention_count_root": m.mention_count_root,
            "urgent_mention_count": 0, "msg_count_root": m.msg_count_root,
            "notify_props": Value::Object(m.notify_props.clone()),
            "last_update_at": hide(m.last_update_at), "scheme_guest": false, "scheme_user": true,
            "scheme_admin": m.admin, "explicit_roles": "",
        })
    }
}

/// A membership.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) admin: bool,
    pub(crate) last_viewed_at: i64,
    pub(crate) last_update_at: i64,
    pub(crate) msg_count: i64,
    pub(crate) msg_count_root: i64,
    pub(crate) mention_count: i64,
    pub(crate) mention_count_root: i64,
    pub(crate) notify_props: Map<String, Value>,
}

impl Default for Member {
    fn default() -> Self {
        let props = [
            ("desktop", "default"),
            ("mark_unread", "all"),
            ("push", "default"),
            ("email", "default"),
            ("ignore_channel_mentions", "default"),
            ("channel_auto_follow_threads", "off"),
        ];
        Self {
            admin: false,
            last_viewed_at: 0,
            last_update_at: 0,
            msg_count: 0,
            msg_count_root: 0,
            mention_count: 0,
            mention_count_root: 0,
            notify_props: props
                .into_iter()
                .map(|(k, v)| (k.to_owned(), Value::from(v)))
                .collect(),
        }
    }
}

/// A message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Post {
    pub(crate) id: String,
    pub(crate) create_at: i64,
    pub(crate) update_at: i64,
    pub(crate) edit_at: i64,
    pub(crate) delete_at: i64,
    pub(crate) is_pinned: bool,
    pub(crate) user_id: String,
    pub(crate) channel_id: String,
    pub(crate) root_id: String,
    pub(crate) message: String,
    pub(crate) kind: String,
    pub(crate) props: Map<String, Value>,
    pub(crate) file_ids: Vec<String>,
    pub(crate) pending_post_id: String,
    pub(crate) priority: Option<Value>,
    pub(crate) reactions: Vec<Reaction>,
}

/// An emoji that somebody put on a post.
#[derive(Clone, Debug)]
pub(crate) struct Reaction {
    pub(crate) user_id: String,
    pub(crate) emoji_name: String,
    pub(crate) create_at: i64,
}

impl Reaction {
    pub(crate) fn json(&self, post: &str, channel: &str) -> Value {
        json!({
            "user_id": self.user_id, "post_id": post, "emoji_name": self.emoji_name,
            "create_at": self.create_at, "update_at": self.create_at, "delete_at": 0,
            "remote_id": "", "channel_id": channel,
        })
    }
}

/// A stored file; the bytes stay in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoredFile {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) post_id: String,
    pub(crate) channel_id: String,
    pub(crate) create_at: i64,
    pub(crate) name: String,
    pub(crate) mime: String,
    pub(crate) bytes: bytes::Bytes,
    /// Width and height in pixels, if it is a PNG.
    pub(crate) size: Option<(u32, u32)>,
}

impl StoredFile {
    pub(crate) fn json(&self) -> Value {
        let extension = self.name.rsplit_once('.').map_or("", |(_, e)| e);
        let (width, height) = self.size.unwrap_or((0, 0));
        json!({
            "id": self.id, "user_id": self.user_id, "post_id": self.post_id,
            "channel_id": self.channel_id, "create_at": self.create_at, "update_at": self.create_at,
            "delete_at": 0, "name": self.name, "extension": extension, "size": self.bytes.len(),
            "mime_type": self.mime, "width": width, "height": height,
            "has_preview_image": self.size.is_some(), "mini_preview": null, "remote_id": "",
            "archived": false,
        })
    }
}

/// What one user knows of one thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThreadState {
    pub(crate) following: bool,
    pub(crate) last_viewed_at: i64,
    pub(crate) unread_mentions: i64,
}
