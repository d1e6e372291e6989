//! Which channels have a call, and whether one may be started or joined.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{CallId, ChannelId, Millis, UserId};
use crate::model::{CallState, CallsConfig, Participant};
use crate::port::{CallsLoad, Request};

use super::super::out::{Asked, Out, Part};

/// What is known about calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    plugin: Plugin,
    enabled: BTreeMap<ChannelId, bool>,
    running: BTreeMap<ChannelId, CallState>,
    /// Channels of which an event came while the whole was being asked for: the answer may be older than the event.
    touched: BTreeSet<ChannelId>,
}

/// The Calls plugin of the server.
#[derive(Debug, Default)]
enum Plugin {
    #[default]
    Unknown,
    Missing,
    Here(Box<CallsConfig>),
}

impl Calls {
    /// What the plugin allows; `None` while unknown, and without the plugin.
    pub(crate) fn config(&self) -> Option<&CallsConfig> {
        match &self.plugin {
            Plugin::Here(config) => Some(config),
            Plugin::Unknown | Plugin::Missing => None,
        }
    }

    /// The answer about the plugin is there.
    pub(crate) fn is_known(&self) -> bool {
        !matches!(self.plugin, Plugin::Unknown)
    }

    /// The call going on in a channel.
    pub(crate) fn running(&self, channel: &ChannelId) -> Option<&CallState> {
        self.running.get(channel)
    }

    /// Every call going on in a channel of ours.
    pub(crate) fn all(&self) -> impl Iterator<Item = &CallState> {
        self.running.values()
    }

    /// Calls switched on or off explicitly in a channel.
    pub(crate) fn switch(&self, channel: &ChannelId) -> Option<bool> {
        self.enabled.get(channel).copied()
    }

    pub(crate) fn load(&mut self, out: &mut Out) {
        self.touched.clear();
        // A later answer is at least as true: the earlier question is forgotten.
        out.forget(|asked| *asked == Asked::Calls);
        out.ask(Asked::Calls, Request::LoadCalls);
    }

    /// Takes what is going on; says who is in calls.
    pub(crate) fn loaded(&mut self, load: Option<CallsLoad>, out: &mut Out) -> Vec<UserId> {
        out.dirty(Part::Directory);
        let Some(load) = load else {
            self.plugin = Plugin::Missing;
            self.enabled.clear();
            self.running.clear();
            return Vec::new();
        };
        self.plugin = Plugin::Here(Box::new(load.config));
        self.enabled = load
            .channels
            .iter()
            .filter_map(|row| Some((row.channel.clone(), row.enabled?)))
            .collect();
        let touched = std::mem::take(&mut self.touched);
        self.running.retain(|channel, _| touched.contains(channel));
        for row in load.channels {
            // Entries without sessions are left over from calls that were not closed (calls-v1-rest §8.1).
            if let Some(call) = row.call.filter(|call| !call.participants.is_empty())
                && !touched.contains(&row.channel)
            {
                self.running.insert(row.channel, call);
            }
        }
        self.running
            .values()
            .flat_map(|call| call.participants.iter().map(|one| one.user.clone()))
            .collect()
    }

    fn touch(&mut self, channel: &ChannelId, out: &mut Out) {
        if out.waits(|asked| *asked == Asked::Calls) {
            self.touched.insert(channel.clone());
        }
        out.dirty(Part::Directory);
    }

    pub(crate) fn started(&mut self, call: CallState, out: &mut Out) {
        self.touch(&call.channel, out);
        match self.running.get_mut(&call.channel) {
            // Told twice, or after a first participant.
            Some(known) if known.id == call.id || known.id.is_empty() => {
                let participants = std::mem::take(&mut known.participants);
                *known = CallState {
                    participants,
                    ..call
                };
            }
            _ => {
                self.running.insert(call.channel.clone(), call);
            }
        }
    }

    pub(crate) fn state(&mut self, call: CallState, out: &mut Out) {
        self.touch(&call.channel, out);
        if call.participants.is_empty() {
            self.running.remove(&call.channel);
        } else {
            self.running.insert(call.channel.clone(), call);
        }
    }

    pub(crate) fn joined(
        &mut self,
        channel: &ChannelId,
        participant: Participant,
        server_now: Millis,
        out: &mut Out,
    ) {
        self.touch(channel, out);
        let call = self
            .running
            .entry(channel.clone())
            // The start was missed; the state follows, or the next load.
            .or_insert_with(|| CallState {
                id: "".into(),
                channel: channel.clone(),
                start_at: server_now,
                participants: Vec::new(),
                thread: None,
                post: None,
                sharing: None,
                owner: participant.user.clone(),
                host: None,
                recording: None,
                captions: None,
                dismissed: false,
            });
        if !call
            .participants
            .iter()
            .any(|known| known.session == participant.session)
        {
            call.participants.push(participant);
        }
    }

    /// The last one leaving ends the call (calls-v1-rest §8.3).
    pub(crate) fn left(
        &mut self,
        channel: &ChannelId,
        session: &crate::id::SessionId,
        out: &mut Out,
    ) {
        self.touch(channel, out);
        if let Some(call) = self.running.get_mut(channel) {
            call.participants.retain(|known| known.session != *session);
            if call.participants.is_empty() {
                self.running.remove(channel);
            }
        }
    }

    pub(crate) fn ended(&mut self, channel: &ChannelId, out: &mut Out) {
        self.touch(channel, out);
        self.running.remove(channel);
    }

    /// The call of a channel is of no interest; true if it goes on and was until now.
    pub(crate) fn dismiss_in(&mut self, channel: &ChannelId, out: &mut Out) -> bool {
        let Some(call) = self.running.get_mut(channel) else {
            return false;
        };
        out.dirty(Part::Directory);
        !std::mem::replace(&mut call.dismissed, true)
    }

    /// One of our clients has dismissed a call.
    pub(crate) fn dismissed(&mut self, id: &CallId, out: &mut Out) {
        if let Some(call) = self.running.values_mut().find(|call| call.id == *id) {
            call.dismissed = true;
            out.dirty(Part::Directory);
        }
    }

    pub(crate) fn switched(&mut self, channel: ChannelId, enabled: bool, out: &mut Out) {
        self.enabled.insert(channel, enabled);
        out.dirty(Part::Directory);
    }

    pub(crate) fn forget(&mut self, channel: &ChannelId) {
        self.enabled.remove(channel);
        self.running.remove(channel);
    }
}
