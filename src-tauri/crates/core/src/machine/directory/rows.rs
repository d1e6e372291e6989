//! The directory as it is drawn: names, order, badges, and whether a call can be had.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{ChannelId, UserId};
use crate::model::{Channel, ChannelKind, User};
use crate::port::NameFormat;
use crate::snapshot::{ActiveCallRow, ChannelRow, Directory as Slice, Person};

use super::{Directory, Known};

/// What other parts know that the channel list shows.
pub(crate) struct Draw<'a> {
    /// Text typed but not sent.
    pub(crate) drafts: &'a BTreeMap<ChannelId, String>,
    /// Our call, if we have one: where, since when (server clock), and who is in it, each once.
    pub(crate) ours: Option<(&'a ChannelId, ActiveCallRow)>,
}

impl Directory {
    /// The slice of the snapshot.
    pub(crate) fn draw(&self, with: &Draw<'_>) -> Slice {
        let mut here: Vec<_> = self
            .channels
            .values()
            .filter(|known| {
                let channel = &known.channel;
                let shown = self.open.as_ref() == Some(&channel.id) || !channel.archived;
                shown && (channel.kind.is_personal() || channel.team == self.team)
            })
            .map(|known| (known, self.channel_name(&known.channel)))
            .collect();
        here.sort_by_cached_key(|(known, name)| {
            let channel = &known.channel;
            let personal = channel.kind.is_personal();
            // People: whom we spoke with last. Channels: by name.
            let recent = if personal { -channel.last_post_at } else { 0 };
            (personal, recent, name.to_lowercase(), channel.id.clone())
        });
        let categories = self.draw_categories(&here);
        Slice {
            categories,
            max_file_size: self.max_file_size(),
            collapsed_threads: self.collapsed_threads,
            look: self.look,
            teams: self.teams.clone(),
            team: self.team.clone(),
            channel: self.open.clone(),
            channels: here
                .into_iter()
                .map(|(known, name)| self.row(known, name, with))
                .collect(),
            people: self
                .people
                .values()
                .map(|user| (user.id.to_string(), self.draw_person(user)))
                .collect(),
            calls_available: self.calls.config().is_some(),
        }
    }

    fn draw_person(&self, user: &User) -> Person {
        Person {
            user: user.clone(),
            name: self.display_name(user),
            presence: self.presences.get(&user.id).copied().unwrap_or_default(),
        }
    }

    fn row(&self, known: &Known, name: String, with: &Draw<'_>) -> ChannelRow {
        let channel = &known.channel;
        let (_, mentions) = known.unread(self.collapsed_threads);
        ChannelRow {
            id: channel.id.clone(),
            kind: channel.kind,
            name,
            slug: channel.name.clone(),
            header: channel.header.clone(),
            user: self.other(channel),
            unread: known.is_unread(self.collapsed_threads),
            mentions: u32::try_from(mentions.max(0)).unwrap_or(u32::MAX),
            muted: known.member.muted,
            archived: channel.archived,
            call: self.active_call(&channel.id, with),
            call_blocked: self.call_blocked(&channel.id).map(str::to_owned),
            calls_allowed: self.calls_allowed(known),
            draft: with.drafts.get(&channel.id).cloned().unwrap_or_default(),
        }
    }

    fn active_call(&self, channel: &ChannelId, with: &Draw<'_>) -> Option<ActiveCallRow> {
        let running = self.calls.running(channel);
        let ours = with.ours.as_ref().filter(|(at, _)| *at == channel);
        // About our own call only the call itself is believed (calls-v1-rest §8.1).
        if let Some((_, row)) = ours
            && !row.users.is_empty()
        {
            return Some(row.clone());
        }
        let call = running?;
        let mut seen = BTreeSet::new();
        Some(ActiveCallRow {
            start_at: call.start_at,
            users: call
                .participants
                .iter()
                .map(|one| one.user.clone())
                .filter(|user| seen.insert(user.clone()))
                .collect(),
            mine: false,
            dismissed: call.dismissed,
        })
    }

    /// Whether calls are allowed in a channel, if we may change that: administrators always; others in live mode, in their
    /// own channels and in direct and group ones (calls-v1-rest §5.4).
    fn calls_allowed(&self, known: &Known) -> Option<bool> {
        let config = self.calls.config()?;
        let channel = &known.channel;
        let own = known.member.admin || channel.kind.is_personal();
        let ours = self.is_admin() || (config.default_enabled && own);
        (ours && !channel.archived).then(|| self.calls.switch(&channel.id) != Some(false))
    }

    /// Why no call can be started or joined in a channel; `None` if one can (calls-v1-rest §5.2, §5.3, §5.5, §5.6).
    pub(crate) fn call_blocked(&self, id: &ChannelId) -> Option<&'static str> {
        let channel = self.channel(id)?;
        if !self.calls.is_known() {
            return Some("call.loading");
        }
        let Some(config) = self.calls.config() else {
            return Some("server.no_calls");
        };
        if channel.archived {
            return Some("call.archived");
        }
        if let Some(other) = self.other(channel)
            && self.people.get(&other).is_some_and(|user| user.deactivated)
        {
            return Some("call.inactive");
        }
        // A call that goes on can be joined by everybody who may write there, whatever the switches say.
        if let Some(call) = self.calls.running(id) {
            let users: BTreeSet<_> = call.participants.iter().map(|one| &one.user).collect();
            let most = usize::try_from(config.max_participants).unwrap_or(usize::MAX);
            let full = most > 0 && users.len() >= most && !users.contains(&self.me);
            return full.then_some("call.full");
        }
        // Without a licence a group channel is as far from a direct one as a team's channel is.
        if channel.kind != ChannelKind::Direct && !config.group_calls {
            return Some("call.group_off");
        }
        match self.calls.switch(id) {
            Some(false) => Some("call.disabled"),
            Some(true) => None,
            None => (!config.default_enabled && !self.is_admin()).then_some("call.test_mode"),
        }
    }

    /// How a person is called in lists and posts (mattermost-core §4.1).
    pub(crate) fn display_name(&self, user: &User) -> String {
        let full = [user.first_name.trim(), user.last_name.trim()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        let candidates = match self.name_format {
            NameFormat::Username => vec![],
            NameFormat::FullName => vec![full.as_str()],
            NameFormat::NicknameFullName => vec![user.nickname.trim(), full.as_str()],
        };
        candidates
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or(&user.username)
            .to_owned()
    }

    /// How a person is called, by identity; the identity itself while unknown.
    pub(crate) fn name_of(&self, id: &UserId) -> String {
        self.person(id)
            .map_or_else(|| id.to_string(), |user| self.display_name(user))
    }

    /// How a person is called in a call (calls-v1-rest §8.5).
    pub(crate) fn call_name_of(&self, id: &UserId) -> String {
        self.person(id)
            .map_or_else(|| id.to_string(), User::call_name)
    }

    /// A channel's name on screen: for direct channels the other person's, for groups the others'.
    pub(crate) fn channel_name(&self, channel: &Channel) -> String {
        match channel.kind {
            ChannelKind::Public | ChannelKind::Private => {
                if channel.display_name.is_empty() {
                    channel.name.clone()
                } else {
                    channel.display_name.clone()
                }
            }
            ChannelKind::Direct => self
                .other(channel)
                .map_or_else(|| channel.display_name.clone(), |user| self.name_of(&user)),
            ChannelKind::Group => self.group_name(channel),
        }
    }

    /// The server names a group after its members' user names, ours among them.
    fn group_name(&self, channel: &Channel) -> String {
        let mine = self.person(&self.me).map(|me| me.username.as_str());
        let mut names: Vec<_> = channel
            .display_name
            .split(", ")
            .filter(|username| Some(*username) != mine)
            .map(|username| {
                let known = self.by_name.get(username).and_then(|id| self.person(id));
                known.map_or_else(|| username.to_owned(), |user| self.display_name(user))
            })
            .collect();
        names.sort_by_key(|name| name.to_lowercase());
        names.join(", ")
    }
}
