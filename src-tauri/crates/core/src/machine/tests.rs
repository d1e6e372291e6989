//! Whole stories in virtual time. [`Story`] plays the conductor: it hands in inputs, drains effects, and after every
//! turn checks what must always be true.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::command::{Command, DeviceRole};
use crate::effect::{CallWish, ClientEvent, Effect, LinkWish, MediaWish, Remember};
use crate::id::{CallId, ChannelId, Millis, RequestId, TeamId, UserId};
use crate::input::{CallNumber, Input, Memory, Now, SavedSession};
use crate::model::{
    CallState, CallsChannel, CallsConfig, Channel, ChannelKind, Membership, NotifyProps,
    Participant, Post, PostKind, Presence, Team, User,
};
use crate::notice::Notice;
use crate::port::media::{DeviceProblem, MediaEvent};
use crate::port::{
    CallEvent, CallIntent, CallsLoad, DirectoryLoad, EndReason, LinkEvent, NameFormat, Page,
    Refusal, Reply, Request, RequestError, Secret, ServerEvent,
};
use crate::snapshot::{
    Account, Call, CallPhase, ChannelRow, Delivery, DeviceRow, Link, Microphone, Outside,
    OutsideService, PostRow, Quality, ServerInfo, Slice, Snapshot,
};

use super::Machine;

mod account;
mod busy;
mod call;
mod chat;
mod compose;
mod desktop;
mod devices;
mod directory;
mod incall;
mod link;
mod messages;
mod microphone;
mod network;
mod places;
mod preferences;
mod ringing;
mod share;
mod timeline;
mod trust;

/// 2026-01-01, the day on which all stories begin.
const DAY: Millis = 1_767_225_600_000;

const SERVER: &str = "https://chat.example.org";

struct Story {
    machine: Machine,
    now: Instant,
    unix: Millis,
    effects: Vec<Effect>,
    requests: Vec<(RequestId, Request)>,
    shadow: Snapshot,
    gate: bool,
    calls: u32,
}

impl Story {
    fn new() -> Self {
        let machine = Machine::new();
        Self {
            shadow: machine.snapshot().clone(),
            machine,
            now: Instant::now(),
            unix: DAY,
            effects: Vec::new(),
            requests: Vec::new(),
            gate: false,
            calls: 0,
        }
    }

    fn input(&mut self, input: Input) {
        let now = Now {
            instant: self.now,
            unix: self.unix,
        };
        self.machine.handle(now, input);
        let mut slices = Vec::new();
        while let Some(effect) = self.machine.poll_effect() {
            match &effect {
                Effect::Request(id, request) => self.requests.push((*id, request.clone())),
                Effect::Media(MediaWish::Gate(open)) => self.gate = *open,
                Effect::Call(CallNumber(number), CallWish::Join(_)) => self.calls = *number,
                Effect::Patch(patch) => {
                    assert!(patch.revision > self.shadow.revision, "revisions grow");
                    let slice = std::mem::discriminant(&patch.slice);
                    assert!(!slices.contains(&slice), "one patch for each slice");
                    slices.push(slice);
                    self.shadow.revision = patch.revision;
                    apply(&mut self.shadow, patch.slice.clone());
                }
                _ => {}
            }
            self.effects.push(effect);
        }
        assert_eq!(
            &self.shadow,
            self.machine.snapshot(),
            "patches tell everything"
        );
        let call = &self.machine.snapshot().call;
        let flows = matches!(
            call.phase,
            CallPhase::Live | CallPhase::Reconnecting { media_flows: true }
        );
        assert!(
            !self.gate || flows,
            "the gate is open only while sound flows"
        );
        assert!(
            call.microphone != Microphone::Open || self.gate,
            "a microphone is shown open only behind an open gate"
        );
        assert!(
            call.microphone != Microphone::Muted || !self.gate,
            "a microphone shown muted is muted"
        );
        if let Some(at) = self.machine.poll_timeout() {
            assert!(at > self.now, "a deadline that has passed was handled");
        }
    }

    fn does(&mut self, command: Command) {
        self.input(Input::Command(command));
    }

    fn hears(&mut self, event: ServerEvent) {
        self.input(Input::Server(event));
    }

    fn link(&mut self, event: LinkEvent) {
        self.input(Input::Link(event));
    }

    fn up(&mut self) {
        self.link(LinkEvent::Up { resumed: false });
    }

    fn down(&mut self, attempt: u32) {
        let retry_in = Duration::from_secs(3);
        self.link(LinkEvent::Down { attempt, retry_in });
    }

    /// An event of the call that was joined last.
    fn call(&mut self, event: CallEvent) {
        self.input(Input::Call(CallNumber(self.calls), event));
    }

    fn media(&mut self, event: MediaEvent) {
        self.input(Input::Media(event));
    }

    /// Time passes; deadlines are kept.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        for _ in 0..10_000 {
            match self.machine.poll_timeout() {
                Some(at) if at <= end => {
                    self.advance(at);
                    self.input(Input::Tick);
                }
                _ => {
                    self.advance(end);
                    return;
                }
            }
        }
        panic!("the machine asks to be woken without end");
    }

    fn advance(&mut self, to: Instant) {
        let passed = to.saturating_duration_since(self.now);
        self.unix += i64::try_from(passed.as_millis()).unwrap();
        self.now = to;
    }

    fn seconds(&mut self, seconds: u64) {
        self.wait(Duration::from_secs(seconds));
    }

    /// The request that was made, which is thereby taken.
    fn request(&mut self, which: impl Fn(&Request) -> bool) -> Option<(RequestId, Request)> {
        let at = self
            .requests
            .iter()
            .position(|(_, request)| which(request))?;
        Some(self.requests.remove(at))
    }

    fn reply(&mut self, id: RequestId, reply: Reply) {
        self.input(Input::Reply(id, Ok(reply)));
    }

    /// Answers the first request of this kind.
    #[track_caller]
    fn answer(&mut self, which: impl Fn(&Request) -> bool, reply: Reply) {
        let (id, _) = self.request(which).expect("nothing of this kind was asked");
        self.reply(id, reply);
    }

    #[track_caller]
    fn fail(&mut self, which: impl Fn(&Request) -> bool, error: RequestError) {
        let (id, _) = self.request(which).expect("nothing of this kind was asked");
        self.input(Input::Reply(id, Err(error)));
    }

    /// Everything that was wanted since the last time.
    fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// What scripts were told since the last time.
    fn told(&mut self) -> Vec<ClientEvent> {
        self.effects()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Tell(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    fn see(&self) -> &Snapshot {
        self.machine.snapshot()
    }

    fn codes(&self) -> Vec<&str> {
        self.see()
            .notices
            .iter()
            .map(|notice| notice.code.as_str())
            .collect()
    }

    #[track_caller]
    fn notice(&self, code: &str) -> &Notice {
        self.see()
            .notices
            .iter()
            .find(|notice| notice.code == code)
            .unwrap_or_else(|| panic!("{code} is not shown, but {:?}", self.codes()))
    }

    #[track_caller]
    fn row(&self, channel: &str) -> &ChannelRow {
        self.see()
            .directory
            .channels
            .iter()
            .find(|row| row.id == id(channel))
            .unwrap_or_else(|| panic!("{channel} is not in the list"))
    }

    fn see_call(&self) -> &Call {
        &self.see().call
    }

    fn messages(&self) -> Vec<&str> {
        self.see()
            .timeline
            .posts
            .iter()
            .map(|post| post.message.as_str())
            .collect()
    }

    // ---- Beginnings of stories.

    /// A server was found, and asks who we are.
    fn at_sign_in() -> Self {
        let mut story = Self::new();
        story.does(Command::FindServer {
            address: "chat.example.org".to_owned(),
        });
        story.answer(is_find, Reply::Found(server()));
        story
    }

    /// Signed in; the directory and calls are loaded, nothing is open.
    fn signed_in_with(load: DirectoryLoad, calls: Option<CallsLoad>, memory: Memory) -> Self {
        let mut story = Self::new();
        story.input(Input::Start(Box::new(Memory {
            session: Some(session()),
            ..memory
        })));
        story.answer(is_find, Reply::Found(server()));
        story.answer(is_check, accepted());
        story.up();
        story.answer(is_directory, Reply::Directory(Box::new(load)));
        story.answer(is_calls, Reply::Calls(calls.map(Box::new)));
        story
    }

    /// Signed in as Alice, town square open and empty.
    fn signed_in() -> Self {
        let mut story = Self::signed_in_with(directory(), Some(calls()), Memory::default());
        story.answer(
            is_posts,
            Reply::Posts {
                posts: Vec::new(),
                at_start: true,
            },
        );
        story.requests.clear();
        story.effects.clear();
        story
    }

    /// Joining the call of a channel.
    fn joining(channel: &str) -> Self {
        let mut story = Self::signed_in();
        story.does(join(channel));
        story
    }

    /// In a call with Bob, whose session is `sb`; ours is `sa`. The microphone works.
    fn in_call(channel: &str) -> Self {
        let mut story = Self::joining(channel);
        story.media(MediaEvent::Ready(DeviceRole::Input));
        story.call(CallEvent::Accepted("sa".into()));
        let state = call_state(channel, &[("sa", "alice"), ("sb", "bob")]);
        story.call(CallEvent::State(Box::new(state)));
        story.call(CallEvent::Connected);
        story.call(CallEvent::VoiceReady);
        story.seconds(6);
        story.effects.clear();
        story
    }
}

fn apply(snapshot: &mut Snapshot, slice: Slice) {
    match slice {
        Slice::Account(value) => snapshot.account = value,
        Slice::Link(value) => snapshot.link = value,
        Slice::Directory(value) => snapshot.directory = value,
        Slice::Timeline(value) => snapshot.timeline = value,
        Slice::Thread(value) => snapshot.thread = value,
        Slice::Compose(value) => snapshot.compose = value,
        Slice::Finder(value) => snapshot.finder = value,
        Slice::Network(new) => snapshot.network = new,
        Slice::Emoji(value) => snapshot.emoji = value,
        Slice::Call(value) => snapshot.call = *value,
        Slice::Share(new) => snapshot.share = new,
        Slice::Chat(value) => snapshot.chat = value,
        Slice::Devices(value) => snapshot.devices = value,
        Slice::Appearance(value) => snapshot.appearance = value,
        Slice::Calls(value) => snapshot.calls = value,
        Slice::Incoming(value) => snapshot.incoming = value,
        Slice::Alerts(value) => snapshot.alerts = *value,
        Slice::Notices(value) => snapshot.notices = value,
        Slice::Servers(value) => snapshot.servers = value,
    }
}

// ---- The little world: Alice (we), Bob, Carol (deactivated); one team with some channels.

fn id(channel: &str) -> ChannelId {
    ChannelId::from(channel)
}

fn server() -> ServerInfo {
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

fn session() -> SavedSession {
    SavedSession {
        server: SERVER.to_owned(),
        login: "alice".to_owned(),
        token: Secret::new("t0ken"),
    }
}

fn user(name: &str) -> User {
    User {
        id: name.into(),
        username: name.to_owned(),
        ..User::default()
    }
}

fn accepted() -> Reply {
    Reply::SignedIn {
        token: Secret::new("t0ken"),
        me: Box::new(user("alice")),
    }
}

fn channel(name: &str, kind: ChannelKind) -> Channel {
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

fn direct(with: &str) -> Channel {
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

fn member(channel: &str) -> Membership {
    Membership {
        channel: id(channel),
        desktop: "default".to_owned(),
        ..Membership::default()
    }
}

fn directory() -> DirectoryLoad {
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

fn config() -> CallsConfig {
    CallsConfig {
        allow_screen_sharing: true,
        version: "1.12.2".to_owned(),
        default_enabled: true,
        group_calls: true,
        ..CallsConfig::default()
    }
}

fn calls() -> CallsLoad {
    CallsLoad {
        config: config(),
        channels: Vec::new(),
    }
}

fn participant(session: &str, user: &str) -> Participant {
    Participant {
        session: session.into(),
        user: user.into(),
        muted: true,
        hand_raised_at: None,
    }
}

fn call_state(channel: &str, participants: &[(&str, &str)]) -> CallState {
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

fn post(name: &str, author: &str, at: Millis) -> Post {
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

fn posted(post: Post) -> ServerEvent {
    ServerEvent::Posted {
        post: Box::new(post),
        mentions_me: false,
        author_online: false,
    }
}

fn join(channel: &str) -> Command {
    Command::JoinCall {
        channel: id(channel),
        title: None,
        switch: false,
    }
}

fn open(channel: &str) -> Command {
    Command::OpenChannel {
        channel: id(channel),
    }
}

fn say(text: &str) -> Command {
    Command::SendPost {
        channel: id("town-square"),
        root: None,
        text: text.to_owned(),
    }
}

fn refused(status: u16, id: &str) -> RequestError {
    RequestError::Refused {
        status,
        id: id.to_owned(),
        message: "the server's words".to_owned(),
    }
}

fn offline() -> RequestError {
    RequestError::Offline("connection refused".to_owned())
}

fn is_find(request: &Request) -> bool {
    matches!(request, Request::FindServer { .. })
}

fn is_check(request: &Request) -> bool {
    matches!(request, Request::CheckToken { .. })
}

fn is_sign_in(request: &Request) -> bool {
    matches!(request, Request::SignIn { .. })
}

fn is_directory(request: &Request) -> bool {
    *request == Request::LoadDirectory
}

fn is_calls(request: &Request) -> bool {
    *request == Request::LoadCalls
}

fn is_posts(request: &Request) -> bool {
    matches!(request, Request::LoadPosts { .. })
}

fn is_create(request: &Request) -> bool {
    matches!(request, Request::CreatePost { .. })
}

fn is_execute(request: &Request) -> bool {
    matches!(request, Request::Execute { .. })
}

fn is_view(request: &Request) -> bool {
    matches!(request, Request::ViewChannel(_))
}
