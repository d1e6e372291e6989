//! What the server answers.

use crate::command::Command;
use crate::id::RequestId;
use crate::input::Now;
use crate::port::{Reply, RequestError};
use crate::snapshot::Account as Phase;

use super::super::Machine;
use super::super::account::detailed;
use super::super::call::Call;
use super::super::notices::Draft;
use super::super::out::Asked;
use super::RELOAD;

impl Machine {
    pub(in crate::machine) fn replied(
        &mut self,
        now: Now,
        id: RequestId,
        result: Result<Reply, RequestError>,
    ) {
        if let Err(RequestError::RateLimited { after }) = &result
            && self.out.repeat(now.instant, id, *after)
        {
            return;
        }
        let Some(asked) = self.out.answered(id) else {
            return; // Nobody waits for it any more.
        };
        match result {
            Ok(reply) => self.answered(now, asked, reply),
            Err(error) => self.failed(now, asked, error),
        }
    }

    pub(super) fn answered(&mut self, now: Now, asked: Asked, reply: Reply) {
        let (instant, out) = (now.instant, &mut self.out);
        match (asked, reply) {
            (Asked::Find { address }, Reply::Found(server)) => {
                self.account.found(instant, address, Ok(server), out);
            }
            (Asked::Describe, Reply::Found(server)) => self.account.described(server, out),
            (
                Asked::SignIn { .. } | Asked::Token | Asked::Outside | Asked::Resume,
                Reply::SignedIn { token, me },
            ) => {
                self.account.accepted(token, *me, out);
                self.link.opening(out);
            }
            (Asked::SignOut, _) => self.account.signed_out(out),
            (Asked::Ways, Reply::Ways(ways)) => self.network_tested(now.unix, Some(ways)),
            (Asked::Directory, Reply::Directory(load)) => {
                self.account.loaded(load.me.clone(), out);
                self.alerts.told(load.notify.clone(), out);
                self.directory.loaded(instant, *load, out);
                for event in std::mem::take(&mut self.meanwhile) {
                    self.server(now, event);
                }
                self.chat_missed();
                self.open_first(now);
                self.open_waiting_address(now);
                let open = self.directory.open_channel().cloned();
                if open.is_none() {
                    self.timeline.close(&mut self.out);
                }
            }
            (Asked::Calls, Reply::Calls(load)) => {
                for user in self.directory.calls.loaded(load.map(|load| *load), out) {
                    self.directory.see(&user);
                }
                self.out.dirty(crate::machine::out::Part::Alerts);
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
            (Asked::Busy, _) => self.busy_answered(true),
            (Asked::Presences, Reply::Presences(presences)) => {
                self.directory.presences(presences, out);
            }
            (Asked::Posts { channel, page }, Reply::Posts { posts, at_start }) => {
                for post in &posts {
                    self.directory.see(&post.author);
                    // One that was here before is not the one that we wait for, even if it says the same.
                    if !self.timeline.knows(post) {
                        self.compose
                            .arrived(instant, post, &self.directory.me().clone(), out);
                    }
                }
                self.timeline
                    .loaded(&channel, &page, posts, at_start, &self.directory, out);
            }
            (Asked::Create(pending), Reply::Post(mut post)) => {
                // Some servers leave it out of the answer; we know what we asked.
                post.pending = Some(pending);
                self.posted(now, &post, false, true, false);
            }
            (Asked::Link { join }, Reply::Channel(channel, member, users)) => {
                let id = channel.id.clone();
                self.channel_came(now, *channel, *member, users, false);
                self.open_linked(now, &id, join);
            }
            (Asked::CallChat(root), Reply::Thread { posts }) => {
                for post in &posts {
                    self.directory.see(&post.author);
                    self.compose
                        .arrived(instant, post, &self.directory.me().clone(), out);
                }
                self.chat.loaded(&root, posts, out);
            }
            (Asked::WriteTo { user, text }, Reply::Channel(channel, member, users)) => {
                let id = channel.id.clone();
                self.channel_came(now, *channel, *member, users, false);
                self.write_to(now, &user, id, text);
            }
            (Asked::CallTo(_), Reply::Channel(channel, member, users)) => {
                let id = channel.id.clone();
                self.channel_came(now, *channel, *member, users, false);
                self.join_call(now, &id, None, false);
            }
            (Asked::Moderate(action), _) => {
                self.call
                    .moderated(instant, &action, None, &self.directory, out);
            }
            (Asked::Logs, _) => out.notices.raise(instant, Draft::new("logs.sent")),
            (
                Asked::Execute { .. }
                | Asked::View
                | Asked::Dismiss
                | Asked::Decline(_)
                | Asked::Notify(_)
                | Asked::Followed
                | Asked::EndCall
                | Asked::Record { .. },
                _,
            ) => {}
            (asked, reply) => self.chat_answered(now, asked, reply),
        }
    }

    pub(super) fn failed(&mut self, now: Now, asked: Asked, error: RequestError) {
        let out = &mut self.out;
        match &asked {
            Asked::Find { address } => {
                let address = address.clone();
                self.account.found(now.instant, address, Err(error), out);
                return;
            }
            Asked::SignIn { .. } | Asked::Token | Asked::Outside | Asked::Resume => {
                self.account.refused(now.instant, &asked, &error, out);
                return;
            }
            Asked::SignOut => {
                self.account.signed_out(out);
                return;
            }
            Asked::Describe => return,
            Asked::Ways => {
                self.network_tested(now.unix, None);
                return;
            }
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
                let after = match error {
                    RequestError::RateLimited { after } => after.max(RELOAD),
                    _ => RELOAD,
                };
                self.reload = Some(now.instant + after);
                if matches!(self.account.phase(), Phase::SigningIn { .. }) {
                    let notice = Draft::new(match error {
                        RequestError::RateLimited { .. } => "link.busy",
                        _ => "link.lost",
                    })
                    .value("server", self.account.server_name())
                    .value("seconds", after.as_secs().to_string())
                    .retry(Command::Reconnect);
                    out.notices.raise(now.instant, detailed(notice, &error));
                }
            }
            Asked::Calls => {
                let after = match error {
                    RequestError::RateLimited { after } => after.max(RELOAD),
                    _ => RELOAD,
                };
                self.reload.get_or_insert(now.instant + after);
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
            Asked::CallChat(_) => self.chat.failed(out),
            Asked::Moderate(action) => {
                self.call
                    .moderated(now.instant, &action, Some(&error), &self.directory, out);
            }
            Asked::EndCall => Call::not_ended(now.instant, &error, out),
            Asked::Record { .. } => Call::not_recorded(now.instant, &error, out),
            Asked::Logs => {
                let notice = Draft::new("logs.none");
                out.notices.raise(now.instant, detailed(notice, &error));
            }
            Asked::Direct | Asked::WriteTo { .. } | Asked::CallTo(_) => {
                let notice = detailed(Draft::new("request.failed"), &error);
                out.notices.raise(now.instant, notice);
            }
            Asked::Link { .. } => self.nowhere(now),
            Asked::Busy => self.busy_answered(false),
            asked @ (Asked::Dismiss | Asked::Decline(_) | Asked::Notify(_)) => {
                self.alert_failed(now, asked, &error);
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
            asked => self.chat_failed(now, asked, &error),
        }
    }
}
