//! The edges of the core: what it asks of a server and of a call back end. Adapters live in other crates.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::command::HostAction;
use crate::id::{CallId, ChannelId, FileId, Millis, PendingId, PostId, SessionId, TeamId, UserId};
use crate::model::{
    CallState, CallsChannel, CallsConfig, Category, Channel, CommandHint, CustomEmoji, Emoji,
    FoundChannel, IceServer, Job, JobKind, Membership, NotifyProps, Participant, Post, Presence,
    RtcStats, Team, User,
};
use crate::snapshot::{Quality, ServerInfo, Way};

pub mod media;
mod trust;

pub use trust::{Certificate, Distrust, Fingerprint};

use media::MediaPort;

/// A future that can be sent between threads.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A secret: prints as dots, so that it cannot reach a log.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("•••")
    }
}

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

/// What the server's WebSocket says, in our words.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerEvent {
    /// A post was made, or changed (also: ephemeral).
    Posted {
        /// It.
        post: Box<Post>,
        /// It mentions us.
        mentions_me: bool,
        /// The author is online.
        author_online: bool,
    },
    /// A post was edited, or its card changed.
    Edited(Box<Post>),
    /// A post was deleted.
    Deleted {
        /// Where.
        channel: ChannelId,
        /// Which.
        post: PostId,
    },
    /// Somebody reacted to a post, or took it back.
    Reacted {
        /// Which post.
        post: PostId,
        /// Who.
        user: UserId,
        /// Name of the emoji.
        emoji: String,
        /// Reacted; else took it back.
        on: bool,
    },
    /// Somebody is typing.
    Typing {
        /// Where.
        channel: ChannelId,
        /// In which thread.
        root: Option<PostId>,
        /// Who.
        user: UserId,
    },
    /// We follow a thread from now on, or no more.
    Followed {
        /// Which.
        root: PostId,
        /// Follow.
        on: bool,
    },
    /// Categories of a team changed.
    CategoriesChanged(TeamId),
    /// Emoji were added.
    EmojiChanged,
    /// Channels were read on another of our clients.
    Viewed(Vec<(ChannelId, Millis)>),
    /// We came into a channel, or it was made or changed: load it.
    ChannelChanged(ChannelId),
    /// A channel was archived.
    ChannelArchived(ChannelId),
    /// We are no longer in the channel.
    ChannelLeft(ChannelId),
    /// Teams or memberships changed in a way that needs a fresh directory.
    DirectoryStale,
    /// Somebody's account changed.
    UserChanged(Box<User>),
    /// Our own account changed, and perhaps our notification settings.
    MeChanged(Box<User>, Box<NotifyProps>),
    /// We have dismissed a call, with one of our clients.
    CallDismissed(CallId),
    /// Our own presence changed.
    PresenceChanged(UserId, Presence),
    /// The Calls plugin came, went or changed.
    CallsStale,
    /// A call began.
    CallStarted {
        /// Where.
        channel: ChannelId,
        /// Which.
        call: CallId,
        /// Server clock.
        start_at: Millis,
        /// By whom.
        owner: UserId,
        /// Host, usually the same.
        host: Option<UserId>,
        /// Root of its thread.
        thread: Option<PostId>,
    },
    /// A call was ended for everyone.
    CallEnded(ChannelId),
    /// Somebody joined a call.
    CallJoined {
        /// Where.
        channel: ChannelId,
        /// Who.
        user: UserId,
        /// With which session.
        session: SessionId,
    },
    /// Somebody left a call. The last one leaving ends it without another event.
    CallLeft {
        /// Where.
        channel: ChannelId,
        /// Who.
        user: UserId,
        /// With which session.
        session: SessionId,
    },
    /// The whole state of a call.
    CallState(Box<CallState>),
    /// Calls were switched on or off in a channel.
    CallsEnabled {
        /// Where.
        channel: ChannelId,
        /// On.
        enabled: bool,
    },
}

/// The state of the account's WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// Live. After a gap in the events (`resumed` = false) everything must be loaded again.
    Up {
        /// Nothing was lost since the last time.
        resumed: bool,
    },
    /// Lost; the next try comes then.
    Down {
        /// How many tries have failed.
        attempt: u32,
        /// Until the next.
        retry_in: Duration,
    },
    /// The token is no longer good.
    Unauthorised,
    /// The server's certificate is not trusted: nothing was told to it. [`LinkEvent::Down`] follows.
    Untrusted(Distrust),
}

/// What a back end needs to join a call.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinTicket {
    /// Where.
    pub channel: ChannelId,
    /// Heading, if this starts the call.
    pub title: String,
    /// The thread that becomes the call's chat, if this starts the call; `None` makes a new one.
    pub thread: Option<PostId>,
    /// What the server offers.
    pub config: CallsConfig,
    /// Who we are.
    pub me: UserId,
    /// The person holds a key to talk: the first word is to be heard, too. The way for the voice is made as soon as the
    /// call is up, and nothing is sent on it before the microphone is open.
    pub talks: bool,
}

/// What a person wants of a running call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallIntent {
    /// Tell the others that our microphone is off or on. The gate itself is in the media engine.
    Mute(bool),
    /// Hand up or down.
    RaiseHand(bool),
    /// Show everybody an emoji.
    React(Emoji),
    /// Share our screen, or stop. Another number is another share.
    Share(Option<ShareTicket>),
}

/// One share of our screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareTicket {
    /// Grows with every share.
    pub number: u32,
    /// Sound goes along.
    pub sound: bool,
}

/// What happens in a call.
#[derive(Clone, Debug, PartialEq)]
pub enum CallEvent {
    /// The server let us in: our session.
    Accepted(SessionId),
    /// Media connected, for the first time or again.
    Connected,
    /// Something is lost and being repaired.
    Reconnecting {
        /// Sound still flows.
        media_flows: bool,
    },
    /// The voice track is on its way: what the gate lets through is heard from now on. Said once for each session
    /// (each [`CallEvent::Accepted`]); it holds through interruptions that the session survives.
    VoiceReady,
    /// The whole state; replaces everything known.
    State(Box<CallState>),
    /// Somebody joined.
    Joined(Participant),
    /// Somebody left.
    Left(SessionId),
    /// Microphone of a session.
    Muted(SessionId, bool),
    /// Somebody talks, or stops.
    Speaking(SessionId, bool),
    /// A hand, with the server's time when up.
    Hand(SessionId, Option<Millis>),
    /// Who shares the screen now.
    Sharing(Option<SessionId>),
    /// Our share has been granted and negotiated: pictures flow.
    ShareReady,
    /// Our share was not granted: somebody else was faster, or it is not allowed.
    ShareRefused,
    /// The sound of our share could not be negotiated: the picture goes on without it.
    ShareSilent,
    /// The sound of somebody's shared screen began (true) or ended.
    SharedSound(SessionId, bool),
    /// The server has ended our share.
    ShareEnded,
    /// The host asks us to stop sharing.
    StopShareRequested,
    /// Who is host now.
    Host(Option<UserId>),
    /// The host asks us to mute ourselves.
    MuteRequested,
    /// The host, or this administrator, asks us to lower our hand.
    LowerHandRequested(Option<UserId>),
    /// The host removes somebody else.
    Removed(SessionId),
    /// Somebody reacts, at this time of the server's.
    Reacted(SessionId, Emoji, Millis),
    /// A recording, transcription or captioning has changed.
    Job(JobKind, Job),
    /// What somebody said, in writing.
    Caption(SessionId, String),
    /// Counters of every stream, each ten seconds and when asked for.
    Rtc(Box<RtcStats>),
    /// The connection's figures, each second. The media engine's own are added above.
    Quality(Quality),
    /// Over. Nothing follows.
    Ended(EndReason),
}

/// Why a call is over for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// We left.
    Left,
    /// The host ended it for everyone, or the server closed it.
    EndedForAll,
    /// The host removed us.
    Removed,
    /// The server refused to let us in.
    Refused(Refusal),
    /// Media did not connect within the time allowed.
    MediaTimeout,
    /// Connected once, lost, and not repaired.
    Lost(String),
    /// The session is over: sign in again.
    Unauthorised,
    /// The server speaks something that we do not (Calls v2, or broken).
    Unsupported(String),
}

/// Why the server refused to let us in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// May not post here.
    Forbidden,
    /// The channel is archived.
    Archived,
    /// Direct messages only, without a licence.
    GroupCallsOff,
    /// Switched off in this channel.
    Disabled,
    /// Test mode, and we are not an administrator.
    TestMode,
    /// Too many people.
    Full,
    /// Anything else, in the server's words.
    Other(String),
}

/// Takes a call's events. Never blocks for long.
pub type EventSink = Arc<dyn Fn(CallEvent) + Send + Sync>;

/// A way to be in a call: Calls v1 over WebSocket and SDP, later others.
pub trait CallBackend: Send + Sync {
    /// Starts joining and returns at once; everything else is said through `events`, the last of which is
    /// [`CallEvent::Ended`], exactly once.
    fn join(
        &self,
        ticket: JoinTicket,
        media: Arc<dyn MediaPort>,
        events: EventSink,
    ) -> Box<dyn ActiveCall>;
}

/// A call we are in, or joining.
pub trait ActiveCall: Send {
    /// Does it as soon as it can. Intents given before the call is connected are kept; the last one counts.
    fn apply(&mut self, intent: CallIntent);
    /// Leaves. Resolves when the server has been told and everything is freed, within two seconds.
    fn leave(self: Box<Self>) -> BoxFuture<()>;
}
