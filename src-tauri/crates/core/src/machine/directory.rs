//! Teams, channels and people; what is unread; which channel is open.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use crate::effect::{Effect, Remember};
use crate::id::{ChannelId, Millis, PostId, TeamId, UserId};
use crate::model::{
    Category, Channel, ChannelKind, Membership, Post, PostKind, Presence, Team, User,
};
use crate::port::{DirectoryLoad, NameFormat, Request};

use super::out::{Asked, Out, Part};

mod calls;
mod categories;
mod people;
mod rows;

pub(crate) use calls::Calls;
pub(crate) use rows::Draw;

use people::PRESENCE_EVERY;

/// Posts whose counting is remembered, so that one told twice counts once.
const COUNTED: usize = 256;

/// The part of the machine that knows the directory.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    me: UserId,
    teams: Vec<Team>,
    channels: BTreeMap<ChannelId, Known>,
    people: BTreeMap<UserId, User>,
    /// Who has which user name.
    by_name: BTreeMap<String, UserId>,
    presences: BTreeMap<UserId, Presence>,
    name_format: NameFormat,
    collapsed_threads: bool,
    look: crate::preferences::AccountLook,
    max_post_size: usize,
    max_file_size: u64,
    categories: Vec<Category>,
    team: Option<TeamId>,
    open: Option<ChannelId>,
    /// Where we were last in each team.
    places: BTreeMap<TeamId, ChannelId>,
    counted: VecDeque<PostId>,
    /// People seen in posts and calls who are not known yet.
    strangers: BTreeSet<UserId>,
    /// People whom the server does not know either: never asked for again.
    unknown: BTreeSet<UserId>,
    next_presence: Option<Instant>,
    stale: bool,
    pub(crate) calls: Calls,
}

/// A channel of ours.
#[derive(Debug)]
struct Known {
    channel: Channel,
    member: Membership,
    /// The counters include every post up to then: an event about an older one counts nothing.
    counted_until: Millis,
}

impl Known {
    fn new(channel: Channel, member: Membership) -> Self {
        Self {
            counted_until: channel.last_post_at,
            channel,
            member,
        }
    }

    /// Unread posts and mentions (mattermost-core §14.1).
    fn unread(&self, collapsed_threads: bool) -> (i64, i64) {
        let (channel, member) = (&self.channel, &self.member);
        if collapsed_threads {
            (
                channel.total_root_posts - member.read_root_posts,
                member.root_mentions,
            )
        } else {
            (channel.total_posts - member.read_posts, member.mentions)
        }
    }

    fn is_unread(&self, collapsed_threads: bool) -> bool {
        let (unread, mentions) = self.unread(collapsed_threads);
        mentions > 0 || (unread > 0 && !self.member.muted)
    }

    fn mark_read(&mut self, at: Millis) {
        self.member.read_posts = self.channel.total_posts;
        self.member.read_root_posts = self.channel.total_root_posts;
        self.member.mentions = 0;
        self.member.root_mentions = 0;
        self.member.last_viewed_at = self.member.last_viewed_at.max(at);
    }
}

impl Directory {
    pub(crate) fn me(&self) -> &UserId {
        &self.me
    }

    pub(crate) fn open_channel(&self) -> Option<&ChannelId> {
        self.open.as_ref()
    }

    pub(crate) fn team(&self) -> Option<&TeamId> {
        self.team.as_ref()
    }

    pub(crate) fn channel(&self, id: &ChannelId) -> Option<&Channel> {
        self.channels.get(id).map(|known| &known.channel)
    }

    /// Our membership of a channel.
    pub(crate) fn membership(&self, id: &ChannelId) -> Option<&Membership> {
        self.channels.get(id).map(|known| &known.member)
    }

    /// The channel with this name in the team with that name.
    pub(crate) fn channel_named(&self, team: &str, name: &str) -> Option<&Channel> {
        let team = self.teams.iter().find(|known| known.name == team)?;
        self.channels
            .values()
            .map(|known| &known.channel)
            .find(|channel| channel.team.as_ref() == Some(&team.id) && channel.name == name)
    }

    pub(crate) fn collapsed_threads(&self) -> bool {
        self.collapsed_threads
    }

    /// Longest post, characters; 16383 while the server has not said (mattermost-core §7.1).
    pub(crate) fn max_post_size(&self) -> usize {
        if self.max_post_size == 0 {
            16_383
        } else {
            self.max_post_size
        }
    }

    /// Largest file, bytes; the server's own default while it has not said.
    pub(crate) fn max_file_size(&self) -> u64 {
        if self.max_file_size == 0 {
            100 * 1024 * 1024
        } else {
            self.max_file_size
        }
    }

    /// The team to name where the server wants one: the channel's, else the open one.
    pub(crate) fn team_for(&self, channel: &ChannelId) -> Option<&TeamId> {
        self.channel(channel)
            .and_then(|known| known.team.as_ref())
            .or(self.team.as_ref())
    }

    /// Shown at once; the server tells again.
    pub(crate) fn set_muted(&mut self, channel: &ChannelId, on: bool, out: &mut Out) {
        if let Some(known) = self.channels.get_mut(channel) {
            known.member.muted = on;
            out.dirty(Part::Directory);
        }
    }

    /// When we last looked into a channel that has something new since.
    pub(crate) fn unread_since(&self, id: &ChannelId) -> Option<Millis> {
        let known = self.channels.get(id)?;
        let (unread, mentions) = known.unread(self.collapsed_threads);
        (unread > 0 || mentions > 0).then_some(known.member.last_viewed_at)
    }

    /// Asks for everything. While an answer is on its way the question is put again after it, because the answer may
    /// be older than the change that made us ask.
    pub(crate) fn load(&mut self, out: &mut Out) {
        if out.waits(|asked| *asked == Asked::Directory) {
            self.stale = true;
        } else {
            self.stale = false;
            out.ask(Asked::Directory, Request::LoadDirectory);
        }
    }

    /// Takes a fresh directory in place of the old one.
    pub(crate) fn loaded(&mut self, now: Instant, load: DirectoryLoad, out: &mut Out) {
        self.me = load.me.id.clone();
        self.name_format = load.name_format;
        self.collapsed_threads = load.collapsed_threads;
        self.look = load.look;
        self.max_post_size = load.max_post_size;
        self.max_file_size = load.max_file_size;
        self.categories = load.categories;
        self.teams = load.teams;
        self.teams
            .sort_by_cached_key(|team| (team.display_name.to_lowercase(), team.id.clone()));
        let mut members: BTreeMap<_, _> = load
            .memberships
            .into_iter()
            .map(|member| (member.channel.clone(), member))
            .collect();
        self.channels = load
            .channels
            .into_iter()
            .map(|channel| {
                let member = members.remove(&channel.id).unwrap_or_default();
                (channel.id.clone(), Known::new(channel, member))
            })
            .collect();
        self.met([load.me]);
        self.met(load.users);
        self.presences.extend(load.presences);
        if let Some(open) = &self.open
            && !self.channels.contains_key(open)
        {
            self.open = None;
        }
        if !self
            .teams
            .iter()
            .any(|team| Some(&team.id) == self.team.as_ref())
        {
            self.team = self.teams.first().map(|team| team.id.clone());
        }
        self.next_presence = Some(now + PRESENCE_EVERY);
        // Somebody unknown before may exist now; and what was counted before is in the counters, or told once more.
        self.unknown.clear();
        self.counted.clear();
        if std::mem::take(&mut self.stale) {
            self.load(out);
        }
        out.dirty(Part::Directory);
        out.dirty(Part::Timeline);
        out.dirty(Part::Call);
        out.dirty(Part::Chat);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, out: &mut Out) {
        *self = Self::default();
        out.dirty(Part::Directory);
    }

    /// A channel came, or changed.
    pub(crate) fn channel_loaded(
        &mut self,
        channel: Channel,
        member: Membership,
        users: Vec<User>,
        out: &mut Out,
    ) {
        self.met(users);
        self.channels
            .insert(channel.id.clone(), Known::new(channel, member));
        out.dirty(Part::Directory);
        out.dirty(Part::Call);
    }

    pub(crate) fn channel_gone(&mut self, id: &ChannelId, out: &mut Out) {
        self.channels.remove(id);
        self.calls.forget(id);
        if self.open.as_ref() == Some(id) {
            self.open = None;
        }
        out.dirty(Part::Directory);
    }

    pub(crate) fn archived(&mut self, id: &ChannelId, out: &mut Out) {
        if let Some(known) = self.channels.get_mut(id) {
            known.channel.archived = true;
            out.dirty(Part::Directory);
        }
    }

    /// Loads a channel, unless that is under way.
    pub(crate) fn load_channel(id: &ChannelId, out: &mut Out) {
        if !out.waits(|asked| matches!(asked, Asked::Channel { channel, .. } if channel == id)) {
            out.ask(
                Asked::Channel {
                    channel: id.clone(),
                    open: false,
                },
                Request::LoadChannel(id.clone()),
            );
        }
    }

    /// Counts a post (mattermost-core §14.2). `looking`: the person sees it at this moment.
    pub(crate) fn posted(&mut self, post: &Post, mentions_me: bool, looking: bool, out: &mut Out) {
        let Some(known) = self.channels.get_mut(&post.channel) else {
            Self::load_channel(&post.channel, out);
            return;
        };
        if post.kind == PostKind::Ephemeral
            || post.create_at <= known.counted_until
            || self.counted.contains(&post.id)
        {
            return;
        }
        self.counted.push_back(post.id.clone());
        if self.counted.len() > COUNTED {
            self.counted.pop_front();
        }
        let channel = &mut known.channel;
        channel.last_post_at = channel.last_post_at.max(post.create_at);
        out.dirty(Part::Directory);
        // Somebody came or left, a header changed: in the total on no side of the subtraction.
        if post.kind == PostKind::System {
            return;
        }
        let root = post.root.is_none();
        channel.total_posts += 1;
        channel.total_root_posts += i64::from(root);
        let own = post.author == self.me && post.override_name.is_empty();
        if own {
            // The server marks the channel read for its author, except for a reply in a collapsed thread.
            if root || !self.collapsed_threads {
                known.mark_read(post.create_at);
            }
        } else if looking {
            known.mark_read(post.create_at);
        } else if mentions_me {
            known.member.mentions += 1;
            known.member.root_mentions += i64::from(root);
        }
    }

    /// Marks a channel read, here and on the server.
    pub(crate) fn view(&mut self, id: &ChannelId, at: Millis, out: &mut Out) {
        let Some(known) = self.channels.get_mut(id) else {
            return;
        };
        known.mark_read(at);
        out.dirty(Part::Directory);
        out.ask(Asked::View, Request::ViewChannel(id.clone()));
    }

    /// Another client of ours has read channels.
    pub(crate) fn viewed(&mut self, channels: &[(ChannelId, Millis)], out: &mut Out) {
        for (id, at) in channels {
            if let Some(known) = self.channels.get_mut(id) {
                known.mark_read(*at);
                out.dirty(Part::Directory);
            }
        }
    }

    /// Shows a channel; false if it is not known.
    pub(crate) fn show(&mut self, id: &ChannelId, out: &mut Out) -> bool {
        let Some(known) = self.channels.get(id) else {
            return false;
        };
        if let Some(team) = &known.channel.team {
            self.team = Some(team.clone());
            self.places.insert(team.clone(), id.clone());
        }
        if self.open.as_ref() != Some(id) {
            self.open = Some(id.clone());
            out.push(Effect::Remember(Remember::Place(id.clone())));
        }
        out.dirty(Part::Directory);
        true
    }

    /// The channel to show in a team: where we were last, else its town square, else its first.
    pub(crate) fn place_in(&self, team: &TeamId) -> Option<ChannelId> {
        let last = self.places.get(team);
        if let Some(last) = last.filter(|id| self.channels.contains_key(id)) {
            return Some(last.clone());
        }
        let mut here: Vec<_> = self
            .channels
            .values()
            .map(|known| &known.channel)
            .filter(|channel| channel.team.as_ref() == Some(team) && !channel.archived)
            .collect();
        here.sort_by_key(|channel| {
            (
                channel.name != "town-square",
                channel.display_name.to_lowercase(),
            )
        });
        here.first().map(|channel| channel.id.clone())
    }

    /// Opens a team; says which channel to show in it.
    pub(crate) fn open_team(&mut self, team: &TeamId, out: &mut Out) -> Option<ChannelId> {
        if !self.teams.iter().any(|known| known.id == *team) {
            return None;
        }
        self.team = Some(team.clone());
        out.dirty(Part::Directory);
        self.place_in(team)
    }

    /// The direct channel with somebody, if it exists already (mattermost-core §5.2: both ids, the smaller first).
    pub(crate) fn direct_with(&self, user: &UserId) -> Option<ChannelId> {
        let (low, high) = if *user < self.me {
            (user, &self.me)
        } else {
            (&self.me, user)
        };
        let name = format!("{low}__{high}");
        self.channels
            .values()
            .find(|known| known.channel.kind == ChannelKind::Direct && known.channel.name == name)
            .map(|known| known.channel.id.clone())
    }

    /// The address that leads into a channel's call (calls-v1-rest §17); empty without a team to name in it.
    pub(crate) fn call_link(&self, site: &str, channel: &ChannelId) -> String {
        let team = self
            .channel(channel)
            .and_then(|one| one.team.as_ref())
            .or(self.team.as_ref());
        let team = self.teams.iter().find(|known| Some(&known.id) == team);
        team.map_or_else(String::new, |team| {
            format!("{site}/{}/channels/{channel}?join_call=true", team.name)
        })
    }

    /// The other person of a direct channel; ourselves in the one with ourselves.
    pub(crate) fn other(&self, channel: &Channel) -> Option<UserId> {
        if channel.kind != ChannelKind::Direct {
            return None;
        }
        let (a, b) = channel.name.split_once("__")?;
        Some(UserId::from(if a == self.me.as_str() { b } else { a }))
    }
}
