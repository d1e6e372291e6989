//! Who hears of what. Where two parts must agree about something, it is said here.

use std::time::Duration;

use crate::command::Command;
use crate::id::{ChannelId, FileId, PostId, UserId};
use crate::input::Now;
use crate::port::Request;
use crate::port::media::ShareRequest;
use crate::trust::Grant;

use super::Machine;
use super::compose::place;
use super::notices::Draft;
use super::out::Asked;

mod account;
mod answers;
mod calls;
mod channels;
mod server;
mod slash;

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
            Command::TrustServer { host, fingerprint } => {
                if let Some(again) = self.account.trust(&host, &fingerprint, out) {
                    self.command(now, again);
                }
            }
            Command::TestNetwork => self.test_network(),
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
            Command::SignInOutside { service, token } => {
                self.account.sign_in_outside(service, &token, out);
            }
            Command::CancelOutside => self.account.cancel_outside(out),
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
            Command::OpenChannel { channel } => {
                self.ringing.seen(&channel, &mut self.out);
                self.open_or_load(now, channel);
            }
            Command::OpenDirect { user } => self.open_direct(now, user),
            Command::LoadOlder => self.timeline.load_older(out),
            Command::SaveDraft {
                channel,
                root,
                text,
            } => self.compose.save(place(&channel, root.as_ref()), text, out),
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
                if gained {
                    self.read_thread(now);
                }
            }
            Command::JoinCall {
                channel,
                title,
                switch,
            } => self.join_call(now, &channel, title, switch),
            Command::JoinCallAs {
                channel,
                title,
                muted,
            } => {
                self.join_call(now, &channel, title, false);
                // What waits until the server is known would begin as usual: rather not at all.
                if !self.call.decide(&channel, muted) {
                    self.wish = None;
                }
            }
            Command::LeaveCall => {
                self.wish = None;
                // While the failure of a call is shown, leaving means closing it.
                self.call.leave(out);
                self.call.dismiss(out);
            }
            Command::DismissCallProblem => self.call.dismiss(out),
            Command::SetMuted { muted } => {
                if muted || !self.call.is_on() || self.granted(now, Grant::Microphone) {
                    self.call.set_muted(muted, &mut self.devices, &mut self.out);
                }
            }
            Command::RaiseHand { raised } => {
                self.call.raise_hand(raised, &self.clock, now.unix, out);
            }
            Command::ShowEmoji { name, literal } => self.call.react(instant, name, &literal, out),
            Command::Moderate { action } => {
                self.call.moderate(instant, action, &self.directory, out);
            }
            Command::EndCall => self.call.end(now, &self.directory, out),
            Command::UndoEndCall => self.call.undo_end(out),
            Command::Record { on } => self.call.record(instant, on, &self.directory, out),
            Command::DismissRecordingPrompt => {
                self.call.dismiss_recording_prompt(&self.directory, out);
            }
            Command::ShowCaptions { on } => self.call.show_captions(on, out),
            Command::ShowSaid { shown } => self.call.show_said(shown, out),
            Command::ShowChat { shown } => self.chat.show(shown, out),
            Command::CallPerson { user } => self.call_person(now, user),
            Command::SendDirect { user, text } => self.send_direct(now, user, text),
            Command::SetVolume { session, percent } => {
                self.call.set_volume(&session, percent, out);
            }
            Command::ChooseDevice { role, device } => self.devices.choose(role, device, out),
            Command::WatchLevel { on } => self.devices.watch(on),
            Command::SetAppearance { appearance } => {
                self.appearance = appearance.sound();
                out.push(crate::effect::Effect::Remember(
                    crate::effect::Remember::Appearance(self.appearance.clone()),
                ));
                out.dirty(super::out::Part::Appearance);
            }
            Command::SetCalls { calls } => self.call.prefer(*calls, out),
            Command::ForgoMicrophone => {
                let mut calls = self.call.preferences().clone();
                calls.no_microphone = true;
                self.call.prefer(calls, out);
            }
            command @ (Command::AnswerCall { .. }
            | Command::IgnoreCall { .. }
            | Command::DeclineCall { .. }
            | Command::SilenceRing
            | Command::BlockCaller { .. }
            | Command::SetAlerts { .. }
            | Command::SetTrust { .. }
            | Command::AskTrust { .. }
            | Command::SetRinging { .. }
            | Command::SetTone { .. }
            | Command::SetMessages { .. }
            | Command::PreviewTone { .. }
            | Command::TestNote
            | Command::HoldToTalk { .. }
            | Command::HoldToMute { .. }
            | Command::ToggleMute
            | Command::AskForKeys
            | Command::Quit { .. }
            | Command::Stay
            | Command::KeepCalling
            | Command::ForgetMissed
            | Command::CallMe
            | Command::OpenAddress { .. }) => self.alert_command(now, command),
            // The switchboard's: a machine knows of one server.
            Command::At { .. }
            | Command::ShowServer { .. }
            | Command::AddServer
            | Command::RemoveServer { .. } => {}
            Command::SetSound { sound } => self.devices.set_sound(sound, out),
            Command::SetDeafened { deafened } => {
                if self.devices.slice().deafened != deafened {
                    self.devices.deafen(deafened, out);
                    self.call.deafened(deafened, &mut self.devices, out);
                }
            }
            Command::PlayTestTone => self.devices.test(instant, out),
            Command::HearMyself { on } => self.devices.hear(instant, on, out),
            Command::DumpSound { on } => self.devices.dump(instant, on, out),
            Command::OpenSharePicker => {
                if self.call.is_on() && !self.granted(now, Grant::Screen) {
                    return;
                }
                let allowed = self.may_share();
                self.share.open_picker(now, allowed, &mut self.out);
            }
            Command::CloseSharePicker => self.share.close_picker(out),
            Command::StartShare {
                source,
                motion,
                sound,
            } => {
                if self.call.is_on() && !self.granted(now, Grant::Screen) {
                    return;
                }
                let request = ShareRequest {
                    source,
                    motion,
                    sound,
                };
                let allowed = self.may_share();
                self.share.start(now, request, allowed, &mut self.out);
            }
            Command::StopShare => self.share.stop(out),
            Command::SetShareMotion { motion } => self.share.set_motion(motion, out),
            Command::PauseShare { paused } => self.share.pause(paused, out),
            Command::SetShareVolume { percent } => self.share.set_volume(percent, out),
            Command::SetLocked { locked } => self.share.set_locked(locked, out),
            Command::DismissNotice { id } => {
                if out.notices.close(id).as_deref() == Some("call.weak") {
                    self.call.weak_dismissed(instant);
                }
            }
            // Reading and writing have a file of their own.
            command => self.chat_command(now, command),
        }
    }

    /// The server lets screens be shared.
    pub(super) fn may_share(&self) -> bool {
        let config = self.directory.calls.config();
        config.is_none_or(|config| config.allow_screen_sharing)
    }

    /// Writes to somebody directly, in a channel that is made if need be.
    fn send_direct(&mut self, now: Now, user: UserId, text: String) {
        if text.trim().is_empty() || !self.account.is_in() {
            return;
        }
        let Some(channel) = self.directory.direct_with(&user) else {
            let me = self.directory.me().clone();
            let why = Asked::WriteTo {
                user: user.clone(),
                text,
            };
            if !self.out.waits(|asked| *asked == why) {
                self.out.ask(why, Request::OpenDirect { me, user });
            }
            return;
        };
        self.write_to(now, &user, channel, text);
    }

    /// Calls somebody directly, in a channel that is made if need be.
    fn call_person(&mut self, now: Now, user: UserId) {
        if !self.account.is_in() {
            return;
        }
        if let Some(channel) = self.directory.direct_with(&user) {
            self.join_call(now, &channel, None, false);
            return;
        }
        let me = self.directory.me().clone();
        let why = Asked::CallTo(user.clone());
        if !self.out.waits(|asked| *asked == why) {
            self.out.ask(why, Request::OpenDirect { me, user });
        }
    }

    fn write_to(&mut self, now: Now, user: &UserId, channel: ChannelId, text: String) {
        self.write(now, channel, None, text, Vec::new());
        let name = self.directory.call_name_of(user);
        let notice = Draft::new("call.asked").value("name", name);
        self.out.notices.raise(now.instant, notice);
    }

    fn send_post(&mut self, now: Now, channel: ChannelId, root: Option<PostId>, text: String) {
        if !self.account.is_in() {
            return;
        }
        let place = place(&channel, root.as_ref());
        let Some(files) = self.files_for(&channel, root.as_ref()) else {
            // Sent when the files are there; what was typed waits with them.
            self.compose.save(place, text, &mut self.out);
            return;
        };
        if text.trim().is_empty() && files.is_empty() {
            return;
        }
        self.typing.sent();
        if text.starts_with('/') && text.len() > 1 {
            self.slash(now, channel, root, text);
            return;
        }
        self.write(now, channel, root, text, files);
    }

    fn write(
        &mut self,
        now: Now,
        channel: ChannelId,
        root: Option<PostId>,
        text: String,
        files: Vec<FileId>,
    ) {
        self.compose.post(
            now.instant,
            now.unix,
            &self.directory.me().clone(),
            channel,
            root,
            text,
            files,
            self.directory.max_post_size(),
            &mut self.out,
        );
    }
}
