//! Who hears of what. Where two parts must agree about something, it is said here.

use std::time::Duration;

use crate::command::Command;
use crate::id::{ChannelId, PostId, RequestId};
use crate::input::{CallNumber, Now};
use crate::model::{CallState, Participant, Post, PostKind};
use crate::port::media::MediaEvent;
use crate::port::{CallEvent, LinkEvent, Reply, Request, RequestError, ServerEvent};
use crate::snapshot::Account as Phase;

use super::Machine;
use super::account::detailed;
use super::call::Around;
use super::directory::Directory;
use super::notices::Draft;
use super::out::Asked;

/// Events kept while the directory is on its way. More than fit mean minutes of waiting; then some unread marks are
/// missing until the channel is opened.
const MEANWHILE: usize = 1024;

/// Wait before the first data are asked for again after a failure.
const RELOAD: Duration = Duration::from_secs(5);

impl Machine {
    pub(super) fn command(&mut self, now: Now, command: Command) {
        let (instant, out) = (now.instant, &mut self.out);
        match command {
            Command::FindServer { address } => self.account.find_server(&address, out),
            Command::ChangeServer => {
                self.sign_out();
                self.account.change_server(&mut self.out);
            }
            Command::SignIn {
                login,
                password,
                code,
            } => self.account.sign_in(login, password, code, out),
            Command::SignInWithToken { token } => self.account.sign_in_with_token(token, out),
            Command::SignOut => self.sign_out(),
            Command::Reconnect => {
                self.account.retry_now(instant, out);
                if self.account.has_session() {
                    out.push(crate::effect::Effect::Link(crate::effect::LinkWish::Retry));
                }
            }
            Command::OpenTeam { team } => {
                if let Some(channel) = self.directory.open_team(&team, out) {
                    self.open(now, &channel);
                }
            }
            Command::OpenChannel { channel } => self.open_or_load(now, channel),
            Command::OpenDirect { user } => self.open_direct(now, user),
            Command::LoadOlder => self.timeline.load_older(out),
            Command::SaveDraft { channel, text } => self.compose.save(channel, text, out),
            Command::SendPost {
                channel,
                root,
                text,
            } => self.send_post(now, channel, root, text),
            Command::RetryPost { pending } => self.compose.retry(instant, &pending, out),
            Command::DiscardPost { pending } => self.compose.discard(&pending, out),
            Command::SetFocus { focused } => {
                let gained = focused && !self.focused;
                self.focused = focused;
                if gained && let Some(open) = self.directory.open_channel().cloned() {
                    self.view_if_unread(now, &open);
                }
            }
            Command::JoinCall {
                channel,
                title,
                switch,
            } => self.join_call(now, &channel, title, switch),
            Command::LeaveCall => {
                self.wish = None;
                // While the failure of a call is shown, leaving means closing it.
                self.call.leave(out);
                self.call.dismiss(out);
            }
            Command::DismissCallProblem => self.call.dismiss(out),
            Command::SetMuted { muted } => self.call.set_muted(muted, &mut self.devices, out),
            Command::RaiseHand { raised } => {
                self.call.raise_hand(raised, &self.clock, now.unix, out);
            }
            Command::SetVolume { session, percent } => {
                self.call.set_volume(&session, percent, out);
            }
            Command::ChooseDevice { role, device } => self.devices.choose(role, device, out),
            Command::WatchLevel { on } => self.devices.watch(on),
            Command::DismissNotice { id } => {
                if out.notices.close(id).as_deref() == Some("call.weak") {
                    self.call.weak_dismissed(instant);
                }
            }
        }
    }

    // ---- The account, and what hangs on it.

    fn sign_out(&mut self) {
        self.call.leave(&mut self.out);
        self.call.dismiss(&mut self.out);
        self.account.sign_out(&mut self.out);
        self.compose.clear(&mut self.out);
        self.forget_server();
    }

    /// The session is over. What was typed stays.
    fn expire(&mut self, now: Now) {
        self.call.leave(&mut self.out);
        self.call.dismiss(&mut self.out);
        self.account.expire(now.instant, &mut self.out);
        self.compose.suspend(&mut self.out);
        self.forget_server();
    }

    fn forget_server(&mut self) {
        self.out
            .forget(|asked| !matches!(asked, Asked::SignOut | Asked::Describe));
        self.reload = None;
        self.wish = None;
        self.meanwhile.clear();
        self.compose.link_down();
        self.link.closed(&mut self.out);
        self.directory.clear(&mut self.out);
        self.timeline.clear(&mut self.out);
    }

    /// Asks for everything that a view shows.
    pub(super) fn load_everything(&mut self) {
        self.reload = None;
        if !self.account.has_session() {
            return;
        }
        self.directory.load(&mut self.out);
        self.directory.calls.load(&mut self.out);
        if self.account.is_in() {
            self.timeline.missed(&mut self.out);
            for channel in self.compose.doubtful() {
                self.timeline.refresh(&channel, &mut self.out);
            }
        }
    }

    pub(super) fn linked(&mut self, now: Now, event: LinkEvent) {
        if !self.account.has_session() {
            return; // The last words of a socket that is being closed.
        }
        let server = self.account.server_name();
        match event {
            LinkEvent::Up { resumed } => {
                self.link.up(now.instant, &server, &mut self.out);
                self.compose.link_up(now.instant, &mut self.out);
                // Loaded only now that events flow: loaded before, what happened in between would be missed.
                if !resumed || !self.account.is_in() {
                    self.load_everything();
                }
            }
            LinkEvent::Down { attempt, retry_in } => {
                self.link
                    .down(now.instant, attempt, retry_in, &server, &mut self.out);
                self.compose.link_down();
                // Where WebSockets are blocked there is still something to read.
                let loading = self.out.waits(|asked| *asked == Asked::Directory);
                if !self.account.is_in() && !loading && self.reload.is_none() {
                    self.load_everything();
                }
            }
            LinkEvent::Unauthorised => self.expire(now),
        }
    }

    // ---- Channels.

    /// Shows a channel that is known.
    fn open(&mut self, now: Now, channel: &ChannelId) {
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

    fn open_or_load(&mut self, now: Now, channel: ChannelId) {
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

    fn open_direct(&mut self, now: Now, user: crate::id::UserId) {
        if let Some(channel) = self.directory.direct_with(&user) {
            self.open(now, &channel);
        } else if self.account.is_in() && !self.out.waits(|asked| *asked == Asked::Direct) {
            let me = self.directory.me().clone();
            self.out
                .ask(Asked::Direct, Request::OpenDirect { me, user });
        }
    }

    fn view_if_unread(&mut self, now: Now, channel: &ChannelId) {
        if self.directory.unread_since(channel).is_some() {
            self.directory.view(channel, now.unix, &mut self.out);
        }
    }

    /// After the first data: the channel of the last run, else the first team's town square.
    fn open_first(&mut self, now: Now) {
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

    fn channel_gone(&mut self, now: Now, channel: &ChannelId) {
        self.call
            .channel_left(channel, &self.directory, &mut self.out);
        self.directory.channel_gone(channel, &mut self.out);
        self.timeline.forget(channel, &mut self.out);
        self.open_first(now);
    }

    // ---- Writing.

    fn send_post(&mut self, now: Now, channel: ChannelId, root: Option<PostId>, text: String) {
        if text.trim().is_empty() || !self.account.is_in() {
            return;
        }
        if text.starts_with('/') && text.len() > 1 {
            if let Some(call) = text.strip_prefix("/call") {
                let mut words = call.split_whitespace();
                let alone = call.is_empty() || call.starts_with(char::is_whitespace);
                if alone && self.call_command(now, &channel, words.next(), words) {
                    self.compose.save(channel, String::new(), &mut self.out);
                    return;
                }
            }
            let team = self
                .directory
                .channel(&channel)
                .and_then(|known| known.team.clone())
                .or_else(|| self.directory.team().cloned());
            self.compose.execute(channel, team, text, &mut self.out);
            return;
        }
        self.compose.post(
            now.instant,
            now.unix,
            &self.directory.me().clone(),
            channel,
            root,
            text,
            self.directory.max_post_size(),
            &mut self.out,
        );
    }

    /// `/call start`, `join` and `leave` are ours (calls-v1-rest §16); false leaves the command to the server.
    fn call_command<'a>(
        &mut self,
        now: Now,
        channel: &ChannelId,
        word: Option<&str>,
        rest: impl Iterator<Item = &'a str>,
    ) -> bool {
        let starting = match word {
            Some("start") => true,
            Some("join") => false,
            Some("leave") => {
                if self.call.channel() == Some(channel) {
                    self.call.leave(&mut self.out);
                } else {
                    self.complain(now, "call.not_here");
                }
                return true;
            }
            _ => return false,
        };
        if starting && self.directory.calls.running(channel).is_some() {
            self.complain(now, "call.running");
        } else if self.call.is_on() {
            self.complain(now, "call.already");
        } else {
            let title = rest.collect::<Vec<_>>().join(" ");
            let title = (!title.is_empty()).then_some(title);
            self.join_call(now, channel, title, false);
        }
        true
    }

    fn complain(&mut self, now: Now, code: &'static str) {
        self.out.notices.raise(now.instant, Draft::new(code));
    }

    // ---- Calls.

    fn join_call(&mut self, now: Now, channel: &ChannelId, title: Option<String>, switch: bool) {
        if !self.account.is_in() {
            return;
        }
        let here = self.call.channel() == Some(channel);
        if self.directory.channel(channel).is_none() {
            // A link may lead anywhere; where we are not a member, the server would not let us in.
            self.complain(now, "call.forbidden");
            return;
        }
        self.wish = None;
        if let Some(code) = self.directory.call_blocked(channel).filter(|_| !here) {
            if code == "call.loading" {
                self.wish = Some((channel.clone(), title));
            }
            let mut notice = Draft::new(code);
            if let Some(place) = self.directory.channel(channel) {
                // `call.inactive` names the person, who is the direct channel's name.
                notice = notice.value("name", self.directory.channel_name(place));
            }
            if let Some(config) = self.directory.calls.config() {
                let running = self.directory.calls.running(channel);
                let n = running.map_or(0, |call| call.participants.len());
                notice = notice
                    .value("n", n.to_string())
                    .value("max", config.max_participants.to_string());
            }
            self.out.notices.raise(now.instant, notice);
            return;
        }
        self.call
            .join(now, channel, title, switch, &self.directory, &mut self.out);
    }

    pub(super) fn called(&mut self, now: Now, number: CallNumber, event: CallEvent) {
        let around = Around {
            directory: &mut self.directory,
            clock: &mut self.clock,
            devices: &self.devices,
        };
        let expired = self.call.handle(now, number, event, around, &mut self.out);
        if expired {
            self.expire(now);
        }
    }

    pub(super) fn sounded(&mut self, now: Now, event: MediaEvent) {
        let (now, out) = (now.instant, &mut self.out);
        match event {
            MediaEvent::Devices(rows) => self.devices.listed(rows, out),
            MediaEvent::DeviceLost {
                role,
                name,
                now: other,
            } => {
                self.devices.lost(now, role, &name, other.as_deref(), out);
            }
            MediaEvent::DeviceBack { role, name } => self.devices.back(now, role, &name, out),
            MediaEvent::Ready(role) => self.devices.ready(role, out),
            MediaEvent::Unavailable(role, problem) => {
                self.devices.unavailable(now, role, problem, out);
            }
            MediaEvent::FirstAudio(session) => {
                self.call.first_audio(now, session, out);
                return;
            }
        }
        if self.devices.microphone_fails() {
            self.call.microphone_failed(&mut self.out);
        }
        self.call.microphone_changed(&mut self.out);
    }

    // ---- The server.

    pub(super) fn server(&mut self, now: Now, event: ServerEvent) {
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
            } => self.posted(now, &post, mentions_me, author_online),
            ServerEvent::Edited(post) => self.timeline.edited(&post, out),
            ServerEvent::Deleted { channel, post } => self.timeline.deleted(&channel, &post, out),
            ServerEvent::Viewed(channels) => self.directory.viewed(&channels, out),
            ServerEvent::ChannelChanged(channel) => Directory::load_channel(&channel, out),
            ServerEvent::ChannelArchived(channel) => self.directory.archived(&channel, out),
            ServerEvent::ChannelLeft(channel) => self.channel_gone(now, &channel),
            ServerEvent::DirectoryStale => self.directory.load(out),
            ServerEvent::UserChanged(user) => {
                self.account.changed(&user, out);
                self.directory.user_changed(*user, out);
            }
            ServerEvent::PresenceChanged(user, presence) => {
                self.directory.presences(vec![(user, presence)], out);
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
                    recording: false,
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
        }
    }

    fn posted(&mut self, now: Now, post: &Post, mentions_me: bool, author_online: bool) {
        if post.kind != PostKind::Ephemeral {
            self.clock.saw(post.create_at, now.unix);
        }
        self.directory.see(&post.author);
        if author_online && post.author != *self.directory.me() {
            self.directory.presences(
                vec![(post.author.clone(), crate::model::Presence::Online)],
                &mut self.out,
            );
        }
        let me = self.directory.me().clone();
        let open = self.directory.open_channel() == Some(&post.channel);
        let looking = open && self.focused;
        self.directory
            .posted(post, mentions_me, looking, &mut self.out);
        self.timeline.posted(post, &mut self.out);
        self.compose.arrived(now.instant, post, &me, &mut self.out);
        if looking && post.author != me && post.kind != PostKind::Ephemeral {
            self.directory
                .view(&post.channel, post.create_at, &mut self.out);
        }
    }

    // ---- Answers.

    pub(super) fn replied(&mut self, now: Now, id: RequestId, result: Result<Reply, RequestError>) {
        let Some(asked) = self.out.answered(id) else {
            return; // Nobody waits for it any more.
        };
        match result {
            Ok(reply) => self.answered(now, asked, reply),
            Err(error) => self.failed(now, asked, error),
        }
    }

    fn answered(&mut self, now: Now, asked: Asked, reply: Reply) {
        let (instant, out) = (now.instant, &mut self.out);
        match (asked, reply) {
            (Asked::Find { address }, Reply::Found(server)) => {
                self.account.found(instant, address, Ok(server), out);
            }
            (Asked::Describe, Reply::Found(server)) => self.account.described(server, out),
            (
                Asked::SignIn { .. } | Asked::Token | Asked::Resume,
                Reply::SignedIn { token, me },
            ) => {
                self.account.accepted(token, *me, out);
                self.link.opening(out);
            }
            (Asked::SignOut, _) => self.account.signed_out(out),
            (Asked::Directory, Reply::Directory(load)) => {
                self.account.loaded(load.me.clone(), out);
                self.directory.loaded(instant, *load, out);
                for event in std::mem::take(&mut self.meanwhile) {
                    self.server(now, event);
                }
                self.open_first(now);
                let open = self.directory.open_channel().cloned();
                if open.is_none() {
                    self.timeline.close(&mut self.out);
                }
            }
            (Asked::Calls, Reply::Calls(load)) => {
                for user in self.directory.calls.loaded(load.map(|load| *load), out) {
                    self.directory.see(&user);
                }
                if let Some((channel, title)) = self.wish.take() {
                    self.join_call(now, &channel, title, false);
                }
            }
            (Asked::Channel { open, .. }, Reply::Channel(channel, member, users)) => {
                self.channel_came(now, *channel, *member, users, open);
            }
            (Asked::Direct, Reply::Channel(channel, member, users)) => {
                self.channel_came(now, *channel, *member, users, true);
            }
            (Asked::Users(ids), Reply::Users(users)) => {
                self.directory.looked_up(ids, users, out);
            }
            (Asked::Presences, Reply::Presences(presences)) => {
                self.directory.presences(presences, out);
            }
            (Asked::Posts { channel, page }, Reply::Posts { posts, at_start }) => {
                for post in &posts {
                    self.directory.see(&post.author);
                    self.compose
                        .arrived(instant, post, &self.directory.me().clone(), out);
                }
                self.timeline
                    .loaded(&channel, &page, posts, at_start, &self.directory, out);
            }
            (Asked::Create(pending), Reply::Post(mut post)) => {
                // Some servers leave it out of the answer; we know what we asked.
                post.pending = Some(pending);
                self.posted(now, &post, false, true);
            }
            (Asked::Execute { .. } | Asked::View, _) => {}
            (asked, reply) => {
                tracing::warn!(?asked, ?reply, "an answer to something else");
            }
        }
    }

    fn channel_came(
        &mut self,
        now: Now,
        channel: crate::model::Channel,
        member: crate::model::Membership,
        users: Vec<crate::model::User>,
        open: bool,
    ) {
        let id = channel.id.clone();
        self.directory
            .channel_loaded(channel, member, users, &mut self.out);
        if open {
            self.open(now, &id);
        }
    }

    fn failed(&mut self, now: Now, asked: Asked, error: RequestError) {
        let out = &mut self.out;
        match &asked {
            Asked::Find { address } => {
                let address = address.clone();
                self.account.found(now.instant, address, Err(error), out);
                return;
            }
            Asked::SignIn { .. } | Asked::Token | Asked::Resume => {
                self.account.refused(now.instant, &asked, &error, out);
                return;
            }
            Asked::SignOut => {
                self.account.signed_out(out);
                return;
            }
            Asked::Describe => return,
            _ => {}
        }
        if error == RequestError::Unauthorised {
            // Typed text first, so that it is saved with the rest.
            if let Asked::Execute { channel, text } = &asked {
                self.compose
                    .not_executed(now.instant, channel, text, &error, out);
                out.notices.solve("command.failed");
            }
            self.expire(now);
            return;
        }
        match asked {
            Asked::Directory => {
                self.reload = Some(now.instant + RELOAD);
                if matches!(self.account.phase(), Phase::SigningIn { .. }) {
                    let notice = Draft::new(match error {
                        RequestError::RateLimited { .. } => "link.busy",
                        _ => "link.lost",
                    })
                    .value("server", self.account.server_name())
                    .value("seconds", RELOAD.as_secs().to_string())
                    .retry(Command::Reconnect);
                    out.notices.raise(now.instant, detailed(notice, &error));
                }
            }
            Asked::Calls => {
                self.reload.get_or_insert(now.instant + RELOAD);
            }
            Asked::Channel { channel, open } => {
                let gone = matches!(
                    error,
                    RequestError::Refused {
                        status: 403 | 404,
                        ..
                    }
                );
                if open {
                    let notice = Draft::new("request.failed").retry(Command::OpenChannel {
                        channel: channel.clone(),
                    });
                    out.notices.raise(now.instant, detailed(notice, &error));
                }
                if gone {
                    self.channel_gone(now, &channel);
                }
            }
            Asked::Direct => {
                let notice = detailed(Draft::new("request.failed"), &error);
                out.notices.raise(now.instant, notice);
            }
            Asked::Posts { channel, .. } => {
                self.timeline.failed(&channel, out);
                // While the link is down the notice about that says enough, and coming up loads them.
                if self.link.is_up() && self.directory.open_channel() == Some(&channel) {
                    let notice =
                        Draft::new("request.failed").retry(Command::OpenChannel { channel });
                    out.notices.raise(now.instant, detailed(notice, &error));
                }
            }
            Asked::Create(pending) => {
                self.compose.refused(now.instant, &pending, &error, out);
            }
            Asked::Execute { channel, text } => {
                self.compose
                    .not_executed(now.instant, &channel, &text, &error, out);
            }
            // Asked again at their own time, or when they are needed.
            _ => tracing::debug!(?asked, %error, "request failed"),
        }
    }
}
