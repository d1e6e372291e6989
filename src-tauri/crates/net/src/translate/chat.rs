//! People, places, posts and files.

use calls_core::id::{CategoryId, ChannelId, FileId, PendingId, PostId, TeamId, UserId};
use calls_core::model::{
    CallPost, Category, CategoryKind, Channel, ChannelKind, File, Membership, NotifyProps, Post,
    PostKind, Presence, Reaction, Subtitles, Team, User,
};
use calls_core::wire::rest;
use serde_json::Value;

use super::some;

/// A user.
pub(crate) fn user_of(user: rest::User) -> User {
    User {
        is_admin: user.roles.split(' ').any(|role| role == "system_admin"),
        id: UserId::new(user.id),
        username: user.username,
        first_name: user.first_name,
        last_name: user.last_name,
        nickname: user.nickname,
        is_bot: user.is_bot,
        deactivated: user.delete_at > 0,
        picture_version: user.last_picture_update,
    }
}

/// Our own notification settings.
pub(crate) fn notify_props_of(user: &rest::User) -> NotifyProps {
    NotifyProps(
        user.notify_props
            .iter()
            .filter_map(|(name, word)| Some((name.clone(), word.as_str()?.to_owned())))
            .collect(),
    )
}

/// A presence.
pub(crate) fn presence_of(status: &str) -> Presence {
    match status {
        "online" => Presence::Online,
        "away" => Presence::Away,
        "dnd" => Presence::Dnd,
        "ooo" => Presence::Ooo,
        _ => Presence::Offline,
    }
}

/// How the server calls a presence.
pub(crate) fn status_of(presence: Presence) -> &'static str {
    match presence {
        Presence::Online => "online",
        Presence::Away => "away",
        Presence::Dnd => "dnd",
        Presence::Ooo => "ooo",
        Presence::Offline => "offline",
    }
}

/// A team.
pub(crate) fn team_of(team: rest::Team) -> Team {
    Team {
        id: TeamId::new(team.id),
        name: team.name,
        display_name: team.display_name,
    }
}

/// A channel; `None` for a kind that we do not know.
pub(crate) fn channel_of(channel: rest::Channel) -> Option<Channel> {
    let kind = match channel.kind.as_str() {
        "O" => ChannelKind::Public,
        "P" => ChannelKind::Private,
        "D" => ChannelKind::Direct,
        "G" => ChannelKind::Group,
        _ => return None,
    };
    Some(Channel {
        id: ChannelId::new(channel.id),
        team: some(channel.team_id, TeamId::new),
        kind,
        name: channel.name,
        display_name: channel.display_name,
        header: channel.header,
        archived: channel.delete_at > 0,
        last_post_at: channel.last_post_at,
        total_posts: channel.total_msg_count,
        total_root_posts: channel.total_msg_count_root,
    })
}

/// A membership.
pub(crate) fn membership_of(member: rest::ChannelMember) -> Membership {
    let prop = |key: &str| {
        let value = member.notify_props.get(key).and_then(Value::as_str);
        value.unwrap_or("default").to_owned()
    };
    Membership {
        read_posts: member.msg_count,
        read_root_posts: member.msg_count_root,
        mentions: member.mention_count,
        root_mentions: member.mention_count_root,
        last_viewed_at: member.last_viewed_at,
        admin: member.scheme_admin,
        muted: prop("mark_unread") == "mention",
        desktop: prop("desktop"),
        desktop_sound: prop("desktop_sound"),
        channel: ChannelId::new(member.channel_id),
    }
}

/// A post.
pub(crate) fn post_of(post: rest::Post) -> Post {
    let text = |key: &str| post.props.get(key).and_then(Value::as_str).unwrap_or("");
    let number = |key: &str| post.props.get(key).and_then(Value::as_i64).unwrap_or(0);
    // Each job has an entry, and a file once it is done; the server keeps no promise about their shapes (§6.3).
    let files = |key: &str| {
        let jobs = post.props.get(key).and_then(Value::as_object);
        let done = jobs
            .into_iter()
            .flat_map(|jobs| jobs.values())
            .filter(|job| {
                job.get("file_id")
                    .and_then(Value::as_str)
                    .is_some_and(|file| !file.is_empty())
            });
        u32::try_from(done.count()).unwrap_or(u32::MAX)
    };
    let kind = match post.kind.as_str() {
        "" | "me" | "slack_attachment" | "reminder" => PostKind::Message,
        "system_ephemeral" => PostKind::Ephemeral,
        "custom_calls" => PostKind::Call(CallPost {
            title: text("title").to_owned(),
            start_at: number("start_at"),
            end_at: number("end_at"),
            status: text("call_status").to_owned(),
            recordings: files("recordings"),
            transcripts: files("transcriptions"),
        }),
        "custom_calls_recording" => PostKind::Recording {
            subtitles: subtitles_of(post.props.get("captions")),
        },
        kind if kind.starts_with("system_") => PostKind::System,
        _ => PostKind::Other,
    };
    let from_hook = matches!(text("from_webhook"), "true");
    let override_name = if from_hook {
        text("override_username").to_owned()
    } else {
        String::new()
    };
    Post {
        id: PostId::new(post.id),
        channel: ChannelId::new(post.channel_id),
        author: UserId::new(post.user_id),
        root: some(post.root_id, PostId::new),
        message: post.message,
        kind,
        create_at: post.create_at,
        update_at: post.update_at,
        edit_at: post.edit_at,
        delete_at: post.delete_at,
        pending: some(post.pending_post_id, PendingId::new),
        reply_count: post.reply_count,
        override_name,
        reactions: reactions_of(post.metadata.reactions.unwrap_or_default()),
        files: post
            .metadata
            .files
            .unwrap_or_default()
            .into_iter()
            .map(file_of)
            .collect(),
        following: post.is_following,
        last_reply_at: post.last_reply_at,
    }
}

/// Most languages that a recording is written down in.
const LANGUAGES: usize = 20;

/// Subtitles of a recording (calls-v1-rest §6.4). Every field may be missing, or be something else.
fn subtitles_of(list: Option<&Value>) -> Vec<Subtitles> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    list.take(LANGUAGES)
        .filter_map(|one| {
            Some(Subtitles {
                file: some(text(one, "file_id"), FileId::new)?,
                title: text(one, "title"),
                language: text(one, "language"),
            })
        })
        .collect()
}

/// Reactions, the oldest first.
fn reactions_of(mut reactions: Vec<rest::Reaction>) -> Vec<Reaction> {
    reactions.sort_by_key(|reaction| reaction.create_at);
    reactions
        .into_iter()
        .map(|reaction| Reaction {
            user: UserId::new(reaction.user_id),
            emoji: reaction.emoji_name,
        })
        .collect()
}

/// A file.
pub(crate) fn file_of(file: rest::FileInfo) -> File {
    let pixels = |size: i64| u32::try_from(size).unwrap_or(0);
    File {
        id: FileId::new(file.id),
        extension: file.extension.to_lowercase(),
        name: file.name,
        size: file.size.max(0),
        mime: file.mime_type,
        width: pixels(file.width),
        height: pixels(file.height),
        has_preview: file.has_preview_image,
    }
}

/// A category of the channel list.
pub(crate) fn category_of(category: rest::Category) -> Category {
    Category {
        kind: match category.kind.as_str() {
            "favorites" => CategoryKind::Favorites,
            "channels" => CategoryKind::Channels,
            "direct_messages" => CategoryKind::Direct,
            _ => CategoryKind::Custom,
        },
        id: CategoryId::new(category.id),
        team: TeamId::new(category.team_id),
        name: category.display_name,
        channels: category
            .channel_ids
            .into_iter()
            .map(ChannelId::new)
            .collect(),
        sorting: category.sorting,
        collapsed: category.collapsed,
        muted: category.muted,
    }
}

/// The same in the server's words.
pub(crate) fn category_for(category: Category, me: &str) -> rest::Category {
    let kind = match category.kind {
        CategoryKind::Favorites => "favorites",
        CategoryKind::Channels => "channels",
        CategoryKind::Direct => "direct_messages",
        CategoryKind::Custom => "custom",
    };
    rest::Category {
        id: category.id.as_str().to_owned(),
        user_id: me.to_owned(),
        team_id: category.team.as_str().to_owned(),
        kind: kind.to_owned(),
        display_name: category.name,
        sorting: category.sorting,
        muted: category.muted,
        collapsed: category.collapsed,
        channel_ids: category
            .channels
            .into_iter()
            .map(|channel| channel.as_str().to_owned())
            .collect(),
    }
}
