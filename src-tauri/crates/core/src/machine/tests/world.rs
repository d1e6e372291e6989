//! The little world: Alice (we), Bob, Carol (deactivated); one team with some channels.

use super::*;

/// 2026-01-01, the day on which all stories begin.
pub(super) const DAY: Millis = 1_767_225_600_000;

pub(super) const SERVER: &str = "https://chat.example.org";

pub(super) fn id(channel: &str) -> ChannelId {
    ChannelId::from(channel)
}

pub(super) fn server() -> ServerInfo {
    ServerInfo {
        url: SERVER.to_owned(),
        name: "Example".to_owned(),
        version: "11.6.0".to_owned(),
        calls_version: Some("1.12.2".to_owned()),
        insecure: false,
        outside: vec![Outside {
            service: OutsideService::Gitlab,
            label: String::new(),
        }],
    }
}

pub(super) fn session() -> SavedSession {
    SavedSession {
        server: SERVER.to_owned(),
        login: "alice".to_owned(),
        token: Secret::new("t0ken"),
    }
}

pub(super) fn user(name: &str) -> User {
    User {
        id: name.into(),
        username: name.to_owned(),
        ..User::default()
    }
}

pub(super) fn accepted() -> Reply {
    Reply::SignedIn {
        token: Secret::new("t0ken"),
        me: Box::new(user("alice")),
    }
}

pub(super) fn channel(name: &str, kind: ChannelKind) -> Channel {
    Channel {
        id: id(name),
        team: (!kind.is_personal()).then(|| "team".into()),
        kind,
        name: name.to_owned(),
        display_name: match kind {
            ChannelKind::Direct => String::new(),
            ChannelKind::Group => "alice, bob, dave".to_owned(),
            _ => name.to_owned(),
        },
        header: String::new(),
        archived: false,
        last_post_at: 0,
        total_posts: 0,
        total_root_posts: 0,
    }
}

pub(super) fn direct(with: &str) -> Channel {
    let (low, high) = if with < "alice" {
        (with, "alice")
    } else {
        ("alice", with)
    };
    Channel {
        id: id(&format!("dm-{with}")),
        name: format!("{low}__{high}"),
        ..channel("dm", ChannelKind::Direct)
    }
}

pub(super) fn member(channel: &str) -> Membership {
    Membership {
        channel: id(channel),
        desktop: "default".to_owned(),
        ..Membership::default()
    }
}

pub(super) fn directory() -> DirectoryLoad {
    let channels = vec![
        channel("town-square", ChannelKind::Public),
        channel("design", ChannelKind::Public),
        channel("secret", ChannelKind::Private),
        Channel {
            archived: true,
            ..channel("old", ChannelKind::Public)
        },
        direct("bob"),
        direct("carol"),
        channel("group", ChannelKind::Group),
    ];
    DirectoryLoad {
        me: user("alice"),
        teams: vec![Team {
            id: "team".into(),
            name: "team".to_owned(),
            display_name: "Team".to_owned(),
        }],
        memberships: channels.iter().map(|one| member(one.id.as_str())).collect(),
        channels,
        users: vec![
            User {
                first_name: "Bob".to_owned(),
                last_name: "Stone".to_owned(),
                nickname: "Bobby".to_owned(),
                ..user("bob")
            },
            User {
                deactivated: true,
                ..user("carol")
            },
            user("dave"),
        ],
        presences: vec![("bob".into(), Presence::Away)],
        look: crate::preferences::AccountLook::default(),
        name_format: NameFormat::Username,
        collapsed_threads: false,
        max_post_size: 100,
        notify: NotifyProps::default(),
        max_file_size: 1000,
        categories: Vec::new(),
    }
}

pub(super) fn config() -> CallsConfig {
    CallsConfig {
        allow_screen_sharing: true,
        version: "1.12.2".to_owned(),
        default_enabled: true,
        group_calls: true,
        ..CallsConfig::default()
    }
}

pub(super) fn calls() -> CallsLoad {
    CallsLoad {
        config: config(),
        channels: Vec::new(),
    }
}

pub(super) fn participant(session: &str, user: &str) -> Participant {
    Participant {
        session: session.into(),
        user: user.into(),
        muted: true,
        hand_raised_at: None,
    }
}

pub(super) fn call_state(channel: &str, participants: &[(&str, &str)]) -> CallState {
    CallState {
        id: "call1".into(),
        channel: id(channel),
        start_at: DAY - 60_000,
        participants: participants
            .iter()
            .map(|(session, user)| participant(session, user))
            .collect(),
        thread: Some("thread".into()),
        post: Some("thread".into()),
        sharing: None,
        owner: "bob".into(),
        host: Some("bob".into()),
        recording: None,
        captions: None,
        dismissed: false,
    }
}

pub(super) fn post(name: &str, author: &str, at: Millis) -> Post {
    Post {
        id: name.into(),
        channel: id("town-square"),
        author: author.into(),
        root: None,
        message: name.to_owned(),
        kind: PostKind::Message,
        create_at: DAY + at,
        update_at: DAY + at,
        edit_at: 0,
        delete_at: 0,
        pending: None,
        reply_count: 0,
        override_name: String::new(),
        reactions: Vec::new(),
        files: Vec::new(),
        following: None,
        last_reply_at: 0,
    }
}

pub(super) fn posted(post: Post) -> ServerEvent {
    ServerEvent::Posted {
        post: Box::new(post),
        mentions_me: false,
        author_online: false,
    }
}

pub(super) fn join(channel: &str) -> Command {
    Command::JoinCall {
        channel: id(channel),
        title: None,
        switch: false,
    }
}

pub(super) fn open(channel: &str) -> Command {
    Command::OpenChannel {
        channel: id(channel),
    }
}

pub(super) fn say(text: &str) -> Command {
    Command::SendPost {
        channel: id("town-square"),
        root: None,
        text: text.to_owned(),
    }
}

pub(super) fn refused(status: u16, id: &str) -> RequestError {
    RequestError::Refused {
        status,
        id: id.to_owned(),
        message: "the server's words".to_owned(),
    }
}

pub(super) fn offline() -> RequestError {
    RequestError::Offline("connection refused".to_owned())
}

pub(super) fn is_find(request: &Request) -> bool {
    matches!(request, Request::FindServer { .. })
}

pub(super) fn is_check(request: &Request) -> bool {
    matches!(request, Request::CheckToken { .. })
}

pub(super) fn is_sign_in(request: &Request) -> bool {
    matches!(request, Request::SignIn { .. })
}

pub(super) fn is_directory(request: &Request) -> bool {
    *request == Request::LoadDirectory
}

pub(super) fn is_calls(request: &Request) -> bool {
    *request == Request::LoadCalls
}

pub(super) fn is_posts(request: &Request) -> bool {
    matches!(request, Request::LoadPosts { .. })
}

pub(super) fn is_create(request: &Request) -> bool {
    matches!(request, Request::CreatePost { .. })
}

pub(super) fn is_execute(request: &Request) -> bool {
    matches!(request, Request::Execute { .. })
}

pub(super) fn is_view(request: &Request) -> bool {
    matches!(request, Request::ViewChannel(_))
}
