//! What the core asks of a server, and what it is answered.

use std::time::Duration;

use crate::command::HostAction;
use crate::id::{ChannelId, FileId, Millis, PendingId, PostId, TeamId, UserId};
use crate::model::{
    CallsChannel, CallsConfig, Category, Channel, CommandHint, CustomEmoji, FoundChannel,
    IceServer, Membership, NotifyProps, Post, Presence, Team, User,
};
use crate::snapshot::{ServerInfo, Way};

use super::{Distrust, Secret};

/// What the core asks of a server. One request in, one reply out.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Which ways are there? Answer: [`Reply::Ways`], also when there is none.
    TestWays {
        /// The servers that the plugin names.
        servers: Vec<IceServer>,
        /// There are more, with passwords that have to be asked for.
        credentials: bool,
    },
    /// Is there a server at this address, and which one? Answer: [`Reply::Found`].
    FindServer {
        /// As typed; the scheme may be missing.
        address: String,
    },
    /// Sign in. Answer: [`Reply::SignedIn`].
    SignIn {
        /// Site address.
        server: String,
        /// User name or e-mail address.
        login: String,
        /// Password.
        password: Secret,
        /// One-time code.
        code: Option<Secret>,
    },
    /// Is this token good? Answer: [`Reply::SignedIn`].
    CheckToken {
        /// Site address.
        server: String,
        /// Session or personal access token.
        token: Secret,
    },
    /// Sign in with what the person's browser brought back. Answer: [`Reply::SignedIn`].
    SignInOutside {
        /// Site address.
        server: String,
        /// The server's token; good once, and for three minutes.
        token: Secret,
    },
    /// End the session on the server. Answer: [`Reply::Done`].
    SignOut,
    /// Teams, channels, memberships, people in direct channels, settings. Answer: [`Reply::Directory`].
    LoadDirectory,
    /// Calls: configuration, version, enabled channels, running calls. Answer: [`Reply::Calls`].
    LoadCalls,
    /// One channel with our membership (it was unknown). Answer: [`Reply::Channel`].
    LoadChannel(ChannelId),
    /// Users by id. Answer: [`Reply::Users`].
    LoadUsers(Vec<UserId>),
    /// Presence of users. Answer: [`Reply::Presences`].
    LoadPresences(Vec<UserId>),
    /// Our own status, as if the person had set it. Answer: [`Reply::Done`].
    SetPresence {
        /// We.
        user: UserId,
        /// Online, away, do not disturb or offline.
        presence: Presence,
        /// When the server ends "do not disturb" by itself; cut to whole minutes.
        until: Option<Millis>,
    },
    /// Posts of a channel. Answer: [`Reply::Posts`].
    LoadPosts {
        /// Which channel.
        channel: ChannelId,
        /// Which part of it.
        page: Page,
    },
    /// Post a message. Answer: [`Reply::Post`].
    CreatePost {
        /// Where.
        channel: ChannelId,
        /// Thread, if it is a reply.
        root: Option<PostId>,
        /// Text.
        message: String,
        /// What is attached: uploaded before.
        files: Vec<FileId>,
        /// Our id for it; the server stores one post per id, however often it is sent.
        pending: PendingId,
    },
    /// Change the text of a post of ours. Answer: [`Reply::Post`].
    EditPost {
        /// Which.
        post: PostId,
        /// From now on.
        message: String,
    },
    /// Delete a post. Answer: [`Reply::Done`].
    DeletePost(PostId),
    /// React, or take it back. Answer: [`Reply::Done`].
    React {
        /// We.
        me: UserId,
        /// To which post.
        post: PostId,
        /// Name of the emoji.
        emoji: String,
        /// React; else take it back.
        on: bool,
    },
    /// A whole thread. Answer: [`Reply::Thread`].
    LoadThread(PostId),
    /// Follow a thread, or no more. Answer: [`Reply::Done`].
    FollowThread {
        /// The thread's team; any of ours for direct channels.
        team: TeamId,
        /// The thread.
        root: PostId,
        /// Follow.
        on: bool,
    },
    /// The thread has been read. Answer: [`Reply::Done`].
    ReadThread {
        /// The thread's team; any of ours for direct channels.
        team: TeamId,
        /// The thread.
        root: PostId,
        /// Up to when.
        at: Millis,
    },
    /// Everything from this post on is unread again. Answer: [`Reply::Done`].
    MarkUnread(PostId),
    /// We are typing. Answer: [`Reply::Done`].
    Typing {
        /// Where.
        channel: ChannelId,
        /// Thread, if it is a reply.
        root: Option<PostId>,
    },
    /// Categories of a team. Answer: [`Reply::Categories`].
    LoadCategories(TeamId),
    /// Change categories of one team. Answer: [`Reply::Done`].
    PutCategories(Vec<Category>),
    /// Emoji of the server's own. Answer: [`Reply::Emoji`].
    LoadEmoji,
    /// People and public channels by the beginning of their names. Answer: [`Reply::Matches`].
    Find {
        /// Where to look for channels.
        team: Option<TeamId>,
        /// As typed.
        text: String,
    },
    /// People whom one may want to mention. Answer: [`Reply::Users`].
    CompleteUser {
        /// The channel's team.
        team: Option<TeamId>,
        /// Where.
        channel: ChannelId,
        /// As typed, without the `@`.
        text: String,
    },
    /// What may follow in a slash command. Answer: [`Reply::Hints`].
    CompleteCommand {
        /// The open team.
        team: TeamId,
        /// Where.
        channel: ChannelId,
        /// Thread, if it is a reply.
        root: Option<PostId>,
        /// As typed, with the slash.
        text: String,
    },
    /// Become a member of a public channel. Answer: [`Reply::Channel`].
    JoinChannel {
        /// We.
        me: UserId,
        /// Which.
        channel: ChannelId,
    },
    /// Leave a channel. Answer: [`Reply::Done`].
    LeaveChannel(ChannelId),
    /// Mute a channel, or no more. Answer: [`Reply::Done`].
    MuteChannel {
        /// We.
        me: UserId,
        /// Which.
        channel: ChannelId,
        /// Mute.
        on: bool,
    },
    /// Allow calls in a channel, or no more; a running one goes on (calls-v1-rest §3.6). Answer: [`Reply::Done`].
    AllowCalls {
        /// Which.
        channel: ChannelId,
        /// Allow.
        on: bool,
    },
    /// The group channel with some people, made if need be. Answer: [`Reply::Channel`].
    OpenGroup(Vec<UserId>),
    /// Run a slash command. Answer: [`Reply::Done`].
    Execute {
        /// Where.
        channel: ChannelId,
        /// The open team.
        team: Option<TeamId>,
        /// The thread in which it was typed.
        root: Option<PostId>,
        /// With the slash.
        command: String,
    },
    /// One of the host's controls. Answer: [`Reply::Done`].
    Moderate {
        /// Where the call is.
        channel: ChannelId,
        /// Which.
        action: HostAction,
    },
    /// End the call of a channel for everyone. Answer: [`Reply::Done`].
    EndCall(ChannelId),
    /// Start or stop recording. Answer: [`Reply::Done`].
    Record {
        /// Where the call is.
        channel: ChannelId,
        /// Start.
        on: bool,
    },
    /// Keep the log as a file in the direct channel with the Calls bot. Answer: [`Reply::Done`].
    UploadLogs {
        /// Where it was asked for.
        channel: ChannelId,
        /// Its team, or the open one.
        team: TeamId,
        /// The log, at most 1 MiB (calls-v1-rest §22.1).
        logs: String,
    },
    /// The channel has been read. Answer: [`Reply::Done`].
    ViewChannel(ChannelId),
    /// Our own ringing for the call of a channel ends, on all our clients. Answer: [`Reply::Done`].
    DismissCall(ChannelId),
    /// Refuse the call of a direct channel. Answer: [`Reply::Done`].
    DeclineCall(ChannelId),
    /// Our notification settings, as a whole. Answer: [`Reply::Done`].
    SetNotify(NotifyProps),
    /// A channel by the names in an address. Answer: [`Reply::Channel`].
    FindChannel {
        /// Name of its team.
        team: String,
        /// Its name.
        name: String,
    },
    /// The direct channel with somebody, made if need be. Answer: [`Reply::Channel`].
    OpenDirect {
        /// We.
        me: UserId,
        /// The other.
        user: UserId,
    },
}

/// Which part of a channel's posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// The newest 60.
    Newest,
    /// 60 before this one.
    Before(PostId),
    /// Everything changed since then (new, edited, deleted), at most 1000.
    Since(Millis),
}

/// A server's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// To [`Request::TestWays`].
    Ways(Vec<Way>),
    /// To [`Request::FindServer`].
    Found(ServerInfo),
    /// To [`Request::SignIn`] and [`Request::CheckToken`].
    SignedIn {
        /// For everything from now on.
        token: Secret,
        /// We.
        me: Box<User>,
    },
    /// To [`Request::LoadDirectory`].
    Directory(Box<DirectoryLoad>),
    /// To [`Request::LoadCalls`]; `None` when the plugin is missing or switched off.
    Calls(Option<Box<CallsLoad>>),
    /// To [`Request::LoadChannel`] and [`Request::OpenDirect`].
    Channel(Box<Channel>, Box<Membership>, Vec<User>),
    /// To [`Request::LoadUsers`].
    Users(Vec<User>),
    /// To [`Request::LoadPresences`].
    Presences(Vec<(UserId, Presence)>),
    /// To [`Request::LoadPosts`].
    Posts {
        /// In no order; may hold roots of replies besides what was asked for.
        posts: Vec<Post>,
        /// Nothing older exists.
        at_start: bool,
    },
    /// To [`Request::LoadThread`]: its root and all replies, in no order.
    Thread {
        /// Root and replies.
        posts: Vec<Post>,
    },
    /// To [`Request::LoadCategories`], in the person's order.
    Categories(TeamId, Vec<Category>),
    /// To [`Request::LoadEmoji`].
    Emoji(Vec<CustomEmoji>),
    /// To [`Request::Find`].
    Matches {
        /// People.
        users: Vec<User>,
        /// Public channels.
        channels: Vec<FoundChannel>,
    },
    /// To [`Request::CompleteCommand`].
    Hints(Vec<CommandHint>),
    /// To [`Request::CreatePost`] and [`Request::EditPost`].
    Post(Box<Post>),
    /// It happened.
    Done,
}

/// Everything the channel list needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DirectoryLoad {
    /// We, again (fresh).
    pub me: User,
    /// My teams.
    pub teams: Vec<Team>,
    /// All my channels of all teams.
    pub channels: Vec<Channel>,
    /// My memberships.
    pub memberships: Vec<Membership>,
    /// The people of direct and group channels.
    pub users: Vec<User>,
    /// Their presence, and ours.
    pub presences: Vec<(UserId, Presence)>,
    /// What the account says about looks.
    pub look: crate::preferences::AccountLook,
    /// How names are shown.
    pub name_format: NameFormat,
    /// Replies live in threads only (CRT): unread counts use root posts.
    pub collapsed_threads: bool,
    /// Longest post, characters.
    pub max_post_size: usize,
    /// Our own notification settings.
    pub notify: NotifyProps,
    /// Largest file, bytes.
    pub max_file_size: u64,
    /// Categories of all teams, in the person's order.
    pub categories: Vec<Category>,
}

/// How names are shown (`TeammateNameDisplay`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameFormat {
    /// The user name.
    #[default]
    Username,
    /// First and last name, else the user name.
    FullName,
    /// Nickname, else full name, else user name.
    NicknameFullName,
}

/// Everything about calls at start-up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallsLoad {
    /// What the plugin allows.
    pub config: CallsConfig,
    /// Explicit switches and running calls.
    pub channels: Vec<CallsChannel>,
}

/// Why a request failed, by what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Nothing answers there. Try later.
    #[error("offline: {0}")]
    Offline(String),
    /// No answer in time. Try later.
    #[error("timed out")]
    TimedOut,
    /// Its certificate is not one that the system trusts: nothing was told to it.
    #[error("not trusted: {0}")]
    Untrusted(Distrust),
    /// Something answers, but it is not Mattermost (HTML instead of JSON, wrong shape).
    #[error("not understood: {0}")]
    NotUnderstood(String),
    /// The session is over: sign in again.
    #[error("session expired")]
    Unauthorised,
    /// Too many requests: wait.
    #[error("rate limited")]
    RateLimited {
        /// How long.
        after: Duration,
    },
    /// Refused.
    #[error("refused with {status}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Mattermost's error id, may be empty.
        id: String,
        /// The server's text.
        message: String,
    },
}
