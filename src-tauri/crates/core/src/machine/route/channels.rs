//! Which channel is open.

use crate::id::{ChannelId, UserId};
use crate::input::Now;
use crate::model::{Channel, Membership, User};
use crate::port::Request;

use super::super::Machine;
use super::super::out::Asked;

impl Machine {
    /// Shows a channel that is known.
    pub(super) fn open(&mut self, now: Now, channel: &ChannelId) {
        let unread_since = self.directory.unread_since(channel);
        if !self.directory.show(channel, &mut self.out) {
            return;
        }
        self.timeline
            .open(channel, unread_since, &self.directory, &mut self.out);
        if self.focused {
            self.directory.view(channel, now.unix, &mut self.out);
        }
    }

    pub(super) fn open_or_load(&mut self, now: Now, channel: ChannelId) {
        if self.directory.channel(&channel).is_some() {
            self.open(now, &channel);
        } else if self.account.is_in() {
            let asked = Asked::Channel {
                channel: channel.clone(),
                open: true,
            };
            self.out.ask(asked, Request::LoadChannel(channel));
        }
    }

    pub(super) fn open_direct(&mut self, now: Now, user: UserId) {
        if let Some(channel) = self.directory.direct_with(&user) {
            self.open(now, &channel);
        } else if self.account.is_in() && !self.out.waits(|asked| *asked == Asked::Direct) {
            let me = self.directory.me().clone();
            self.out
                .ask(Asked::Direct, Request::OpenDirect { me, user });
        }
    }

    pub(super) fn view_if_unread(&mut self, now: Now, channel: &ChannelId) {
        if self.directory.unread_since(channel).is_some() {
            self.directory.view(channel, now.unix, &mut self.out);
        }
    }

    /// After the first data: the channel of the last run, else the first team's town square.
    pub(super) fn open_first(&mut self, now: Now) {
        if self.headless || self.directory.open_channel().is_some() {
            return;
        }
        let last = self.place.take();
        let place = last
            .filter(|id| self.directory.channel(id).is_some())
            .or_else(|| self.directory.place_in(&self.directory.team()?.clone()));
        if let Some(place) = place {
            self.open(now, &place);
        } else {
            self.timeline.close(&mut self.out);
        }
    }

    pub(super) fn channel_gone(&mut self, now: Now, channel: &ChannelId) {
        self.call
            .channel_left(channel, &self.directory, &mut self.out);
        self.directory.channel_gone(channel, &mut self.out);
        self.timeline.forget(channel, &mut self.out);
        self.open_first(now);
    }

    pub(in crate::machine) fn channel_came(
        &mut self,
        now: Now,
        channel: Channel,
        member: Membership,
        users: Vec<User>,
        open: bool,
    ) {
        let id = channel.id.clone();
        self.directory
            .channel_loaded(channel, member, users, &mut self.out);
        if open {
            self.open(now, &id);
        }
    }
}
