//! What the server tells by itself.

use crate::input::Now;
use crate::model::{CallState, Participant, Post, PostKind, Presence};
use crate::port::ServerEvent;

use super::super::Machine;
use super::super::directory::Directory;
use super::super::out::Asked;
use super::MEANWHILE;

impl Machine {
    pub(in crate::machine) fn server(&mut self, now: Now, event: ServerEvent) {
        let loading = self.out.waits(|asked| *asked == Asked::Directory);
        let counts = matches!(event, ServerEvent::Posted { .. } | ServerEvent::Viewed(_));
        if loading && (counts || !self.account.is_in()) && self.meanwhile.len() < MEANWHILE {
            self.meanwhile.push(event.clone());
        }
        if !self.account.is_in() {
            return;
        }
        let out = &mut self.out;
        match event {
            ServerEvent::Posted {
                post,
                mentions_me,
                author_online,
            } => self.posted(now, &post, mentions_me, author_online, true),
            ServerEvent::Edited(post) => {
                self.call_told(now, &post);
                let out = &mut self.out;
                self.timeline.edited(&post, true, out);
                self.chat.edited(&post, out);
                self.thread.posted(&post, out);
            }
            ServerEvent::Deleted { channel, post } => {
                self.timeline.deleted(&channel, &post, out);
                self.chat.deleted(&post, out);
                self.thread.deleted(&post, out);
            }
            ServerEvent::Viewed(channels) => self.directory.viewed(&channels, out),
            ServerEvent::ChannelChanged(channel) => Directory::load_channel(&channel, out),
            ServerEvent::ChannelArchived(channel) => self.directory.archived(&channel, out),
            ServerEvent::ChannelLeft(channel) => self.channel_gone(now, &channel),
            ServerEvent::DirectoryStale => self.directory.load(out),
            ServerEvent::UserChanged(user) => {
                self.account.changed(&user, out);
                self.directory.user_changed(*user, out);
            }
            ServerEvent::MeChanged(user, props) => {
                self.account.changed(&user, out);
                self.directory.user_changed(*user, out);
                self.notify_told(*props);
            }
            ServerEvent::CallDismissed(call) => {
                self.directory.calls.dismissed(&call, out);
                self.ringing.dismiss(&call);
            }
            ServerEvent::PresenceChanged(user, presence) => {
                self.busy_told(&user, presence);
                self.directory
                    .presences(vec![(user, presence)], &mut self.out);
            }
            ServerEvent::CallsStale => self.directory.calls.load(out),
            ServerEvent::CallStarted {
                channel,
                call,
                start_at,
                owner,
                host,
                thread,
            } => {
                self.clock.saw(start_at, now.unix);
                self.directory.see(&owner);
                let call = CallState {
                    id: call,
                    channel,
                    start_at,
                    participants: Vec::new(),
                    post: thread.clone(),
                    thread,
                    sharing: None,
                    owner,
                    host,
                    recording: None,
                    captions: None,
                    dismissed: false,
                };
                self.directory.calls.started(call, out);
            }
            ServerEvent::CallEnded(channel) => self.directory.calls.ended(&channel, out),
            ServerEvent::CallJoined {
                channel,
                user,
                session,
            } => {
                self.directory.see(&user);
                if user == *self.directory.me() {
                    self.ringing.joined_elsewhere();
                }
                let one = Participant {
                    session,
                    user,
                    muted: true,
                    hand_raised_at: None,
                };
                let server_now = self.clock.server_now(now.unix);
                self.directory.calls.joined(&channel, one, server_now, out);
            }
            ServerEvent::CallLeft {
                channel, session, ..
            } => self.directory.calls.left(&channel, &session, out),
            ServerEvent::CallState(state) => {
                for one in &state.participants {
                    self.directory.see(&one.user);
                }
                self.directory.calls.state(*state, out);
            }
            ServerEvent::CallsEnabled { channel, enabled } => {
                self.directory.calls.switched(channel, enabled, out);
            }
            event => self.chat_event(now, event),
        }
    }

    /// A post was made: an event `told` so, or the answer to our own request did.
    pub(super) fn posted(
        &mut self,
        now: Now,
        post: &Post,
        mentions_me: bool,
        author_online: bool,
        told: bool,
    ) {
        if post.kind != PostKind::Ephemeral {
            self.clock.saw(post.create_at, now.unix);
        }
        self.directory.see(&post.author);
        if author_online && post.author != *self.directory.me() {
            self.directory
                .presences(vec![(post.author.clone(), Presence::Online)], &mut self.out);
        }
        let me = self.directory.me().clone();
        let open = self.directory.open_channel() == Some(&post.channel);
        let looking = open && self.focused;
        self.directory
            .posted(post, mentions_me, looking, &mut self.out);
        self.tell_of_post(now, post, mentions_me, looking);
        self.timeline.posted(post, told, &mut self.out);
        self.chat
            .posted(post, mentions_me, &self.directory, &mut self.out);
        self.chat_posted(now, post);
        self.compose.arrived(now.instant, post, &me, &mut self.out);
        if looking && post.author != me && post.kind != PostKind::Ephemeral {
            self.directory
                .view(&post.channel, post.create_at, &mut self.out);
        }
    }
}
