//! Everything a view can show: one value, in slices, each patched as a whole.

use std::collections::BTreeMap;

use serde::Serialize;
use ts_rs::TS;

use crate::id::{ChannelId, Millis, PendingId, PostId, TeamId, UserId};
use crate::model::{ChannelKind, CustomEmoji, File, PostKind, Presence, Team, User};
use crate::notice::Notice;
use crate::preferences::{AccountLook, Appearance, CallPreferences};

mod account;
mod call;
mod chat;
mod incall;
mod incoming;
mod network;
mod rows;
mod servers;
mod share;
mod sound;

pub use account::*;
pub use call::*;
pub use chat::*;
pub use incall::{CallChat, CallReaction, Caption, Recording, RecordingPrompt, Said};
pub use incoming::*;
pub use network::*;
pub use rows::TimelineChange;
pub use servers::{ServerRow, ServerStanding, ServerTag};
pub use share::*;
pub use sound::*;

/// The whole state of the interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Grows with every change.
    #[ts(type = "number")]
    pub revision: u64,
    /// Who we are, or what the sign-in form shows.
    pub account: Account,
    /// The connection to the server.
    pub link: Link,
    /// Teams, channels, people.
    pub directory: Directory,
    /// The open channel's posts.
    pub timeline: Timeline,
    /// The thread beside it.
    pub thread: Thread,
    /// What is being written: files on their way, what may follow.
    pub compose: Compose,
    /// What was found by name.
    pub finder: Finder,
    /// Emoji of the server's own, by name.
    pub emoji: Vec<CustomEmoji>,
    /// Our call.
    pub call: Call,
    /// Our call's chat.
    pub chat: CallChat,
    /// Sound devices.
    pub devices: Devices,
    /// How the interface looks.
    pub appearance: Appearance,
    /// How our own calls behave.
    pub calls: CallPreferences,
    /// Calls that come in.
    pub incoming: Incoming,
    /// How calls and messages reach the person.
    pub alerts: Alerts,
    /// Shared screens.
    pub share: Share,
    /// What the person should know, oldest first.
    pub notices: Vec<Notice>,
    /// The network test.
    pub network: Network,
    /// The person's servers, in order of display; none while there is but one.
    pub servers: Vec<ServerRow>,
}

impl Snapshot {
    /// Everything, slice by slice.
    #[must_use]
    pub fn slices(&self) -> Vec<Slice> {
        let all = self.clone();
        vec![
            Slice::Account(all.account),
            Slice::Link(all.link),
            Slice::Directory(all.directory),
            Slice::Timeline(all.timeline),
            Slice::Thread(all.thread),
            Slice::Compose(all.compose),
            Slice::Finder(all.finder),
            Slice::Emoji(all.emoji),
            Slice::Call(Box::new(all.call)),
            Slice::Chat(all.chat),
            Slice::Devices(all.devices),
            Slice::Appearance(all.appearance),
            Slice::Calls(all.calls),
            Slice::Incoming(all.incoming),
            Slice::Alerts(Box::new(all.alerts)),
            Slice::Share(all.share),
            Slice::Notices(all.notices),
            Slice::Network(all.network),
            Slice::Servers(all.servers),
        ]
    }

    /// Puts a slice in its place; the change to tell, if it was another one.
    #[must_use]
    pub fn put(&mut self, slice: Slice) -> Option<Patch> {
        let changed = match &slice {
            Slice::Account(new) => replace(&mut self.account, new),
            Slice::Link(new) => replace(&mut self.link, new),
            Slice::Directory(new) => replace(&mut self.directory, new),
            Slice::Timeline(new) => replace(&mut self.timeline, new),
            Slice::Thread(new) => replace(&mut self.thread, new),
            Slice::Compose(new) => replace(&mut self.compose, new),
            Slice::Finder(new) => replace(&mut self.finder, new),
            Slice::Emoji(new) => replace(&mut self.emoji, new),
            Slice::Call(new) => replace(&mut self.call, new),
            Slice::Chat(new) => replace(&mut self.chat, new),
            Slice::Devices(new) => replace(&mut self.devices, new),
            Slice::Appearance(new) => replace(&mut self.appearance, new),
            Slice::Calls(new) => replace(&mut self.calls, new),
            Slice::Incoming(new) => replace(&mut self.incoming, new),
            Slice::Alerts(new) => replace(&mut self.alerts, new),
            Slice::Share(new) => replace(&mut self.share, new),
            Slice::Notices(new) => replace(&mut self.notices, new),
            Slice::Network(new) => replace(&mut self.network, new),
            Slice::Servers(new) => replace(&mut self.servers, new),
        };
        if !changed {
            return None;
        }
        self.revision += 1;
        Some(Patch {
            revision: self.revision,
            slice,
        })
    }
}

/// True if it was another one.
fn replace<T: Clone + PartialEq>(held: &mut T, new: &T) -> bool {
    if held == new {
        return false;
    }
    held.clone_from(new);
    true
}

/// One changed slice.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(tag = "slice", content = "value", rename_all = "camelCase")]
pub enum Slice {
    /// See [`Snapshot::account`].
    Account(Account),
    /// See [`Snapshot::link`].
    Link(Link),
    /// See [`Snapshot::directory`].
    Directory(Directory),
    /// See [`Snapshot::timeline`].
    Timeline(Timeline),
    /// See [`Snapshot::thread`].
    Thread(Thread),
    /// See [`Snapshot::compose`].
    Compose(Compose),
    /// See [`Snapshot::finder`].
    Finder(Finder),
    /// See [`Snapshot::emoji`].
    Emoji(Vec<CustomEmoji>),
    /// See [`Snapshot::call`].
    Call(Box<Call>),
    /// See [`Snapshot::chat`].
    Chat(CallChat),
    /// See [`Snapshot::devices`].
    Devices(Devices),
    /// See [`Snapshot::appearance`].
    Appearance(Appearance),
    /// See [`Snapshot::calls`].
    Calls(CallPreferences),
    /// See [`Snapshot::incoming`].
    Incoming(Incoming),
    /// See [`Snapshot::alerts`].
    Alerts(Box<Alerts>),
    /// See [`Snapshot::share`].
    Share(Share),
    /// See [`Snapshot::notices`].
    Notices(Vec<Notice>),
    /// See [`Snapshot::network`].
    Network(Network),
    /// See [`Snapshot::servers`].
    Servers(Vec<ServerRow>),
}

/// A change of the snapshot. Apply it if its revision is higher than the one held.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Patch {
    /// Revision after the change.
    #[ts(type = "number")]
    pub revision: u64,
    /// New value.
    pub slice: Slice,
}

/// Teams, channels and people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// My teams, by name.
    pub teams: Vec<Team>,
    /// The open team.
    pub team: Option<TeamId>,
    /// The open channel.
    pub channel: Option<ChannelId>,
    /// Channels of the open team, then direct and group channels, in order of display.
    pub channels: Vec<ChannelRow>,
    /// How they are grouped, in order of display. Empty while unknown; channels in none are shown at the end.
    pub categories: Vec<CategoryRow>,
    /// Everybody known, by user id: names and presence for posts, rows and tiles.
    pub people: BTreeMap<String, Person>,
    /// Calls are to be had on this server.
    pub calls_available: bool,
    /// Largest file that the server takes, bytes.
    #[ts(type = "number")]
    pub max_file_size: u64,
    /// Replies live in threads only, and are not shown in the channel.
    pub collapsed_threads: bool,
    /// What the account says about looks.
    pub look: AccountLook,
}

/// A channel in the sidebar.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChannelRow {
    /// Identity.
    pub id: ChannelId,
    /// Kind.
    pub kind: ChannelKind,
    /// Name on screen: for direct channels the other person's.
    pub name: String,
    /// Name in addresses, as people type it in links and scripts; for direct channels it means nothing to a person.
    pub slug: String,
    /// The line under the name.
    pub header: String,
    /// Whose presence and portrait to show (direct channels).
    pub user: Option<UserId>,
    /// Unread posts.
    pub unread: bool,
    /// Unread mentions.
    pub mentions: u32,
    /// Muted by the person.
    pub muted: bool,
    /// Read only.
    pub archived: bool,
    /// The call going on there.
    pub call: Option<ActiveCallRow>,
    /// Whether a call can be started or joined here, and if not, why: a notice code (`call.archived`, `call.group_off`…).
    pub call_blocked: Option<String>,
    /// Whether calls are allowed here, where it is ours to say; else `None`.
    pub calls_allowed: Option<bool>,
    /// Text typed but not sent.
    pub draft: String,
}

/// A call going on in a channel.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ActiveCallRow {
    /// Begin, server clock.
    #[ts(type = "number")]
    pub start_at: Millis,
    /// Who is in it (each user once), longest first.
    pub users: Vec<UserId>,
    /// We are in it with this client.
    pub mine: bool,
    /// Its offer was closed, with whichever client of ours.
    pub dismissed: bool,
}

/// Somebody, as the interface needs them.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The account.
    pub user: User,
    /// Name on screen by the server's and the person's setting.
    pub name: String,
    /// Whether they are there.
    pub presence: Presence,
}

/// The open channel's posts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// Which channel.
    pub channel: Option<ChannelId>,
    /// Oldest first.
    pub posts: Vec<PostRow>,
    /// The first page is still on its way.
    pub loading: bool,
    /// Older posts are being fetched.
    pub loading_older: bool,
    /// There is nothing older.
    pub at_start: bool,
    /// The first post not read when the channel was opened.
    pub first_unread: Option<PostId>,
    /// Names of those who are typing here.
    pub typing: Vec<String>,
}

/// A post on screen.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct PostRow {
    /// Identity; for a post not yet confirmed its pending id.
    pub id: PostId,
    /// Author.
    pub author: UserId,
    /// Author's name on screen.
    pub author_name: String,
    /// Text, Mattermost markdown.
    pub message: String,
    /// Kind.
    pub kind: PostKind,
    /// Made.
    #[ts(type = "number")]
    pub create_at: Millis,
    /// Changed by its author.
    pub edited: bool,
    /// Thread, if it is a reply.
    pub root: Option<PostId>,
    /// Replies in its thread.
    pub reply_count: u32,
    /// Where it is on its way to the server.
    pub delivery: Delivery,
    /// Reactions, by emoji, the oldest first.
    pub reactions: Vec<ReactionRow>,
    /// What is attached.
    pub files: Vec<File>,
    /// We wrote it, and may change it.
    pub editable: bool,
    /// We may delete it.
    pub deletable: bool,
    /// We follow the thread that begins here.
    pub following: bool,
}

/// Where a post is on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Delivery {
    /// On the server.
    Sent,
    /// On its way, or waiting for the connection.
    Waiting {
        /// Its id until then.
        pending: PendingId,
    },
    /// Refused.
    Failed {
        /// Its id until then.
        pending: PendingId,
        /// Why: a notice code or the server's text.
        reason: String,
    },
}
