//! `/call …`, as far as it is ours (calls-v1-rest §16).

use crate::command::Command;
use crate::id::{ChannelId, PostId};
use crate::input::Now;
use crate::port::Request;

use super::super::Machine;
use super::super::compose::place;
use super::super::notices::Draft;
use super::super::out::Asked;

impl Machine {
    /// Does what a person typed after a slash.
    pub(super) fn slash(
        &mut self,
        now: Now,
        channel: ChannelId,
        root: Option<PostId>,
        mut text: String,
    ) {
        if let Some(call) = text.strip_prefix("/call") {
            let words: Vec<&str> = call.split_whitespace().collect();
            let alone = call.is_empty() || call.starts_with(char::is_whitespace);
            if alone && words == ["stats"] {
                // The server wraps them into a message that only we see.
                text = format!("/call stats {}", self.call.stats_word());
            } else if alone && self.call_command(now, &channel, root.clone(), &words) {
                let place = place(&channel, root.as_ref());
                self.compose.save(place, String::new(), &mut self.out);
                return;
            }
        }
        let team = self.directory.team_for(&channel).cloned();
        self.compose
            .execute(channel, team, text, root, &mut self.out);
    }

    /// False leaves the command to the server.
    fn call_command(
        &mut self,
        now: Now,
        channel: &ChannelId,
        root: Option<PostId>,
        words: &[&str],
    ) -> bool {
        let here = self.call.channel() == Some(channel);
        match words {
            ["start" | "join", ..] if here => self.complain(now, "call.already"),
            ["start", ..] if self.directory.calls.running(channel).is_some() => {
                let join = Command::JoinCall {
                    channel: channel.clone(),
                    title: None,
                    switch: false,
                };
                let notice = Draft::new("call.running").retry(join);
                self.out.notices.raise(now.instant, notice);
            }
            ["start", title @ ..] => {
                let title = (!title.is_empty()).then(|| title.join(" "));
                self.join_in(now, channel, title, root, false);
            }
            ["join"] => self.join_in(now, channel, None, root, false),
            ["leave"] if here => self.call.leave(&mut self.out),
            ["end"] if here => self.call.end(now, &self.directory, &mut self.out),
            ["end"] => self.end_elsewhere(now, channel),
            ["recording", word @ ("start" | "stop")] if here => {
                let on = *word == "start";
                self.call
                    .record(now.instant, on, &self.directory, &mut self.out);
            }
            ["leave"] | ["recording", "start" | "stop"] => self.complain(now, "call.not_here"),
            ["logs"] => self.upload_logs(channel),
            _ => return false,
        }
        true
    }

    /// Ends a call that we are not in. Administrators may; so may the host, from another device.
    fn end_elsewhere(&mut self, now: Now, channel: &ChannelId) {
        let Some(call) = self.directory.calls.running(channel) else {
            self.complain(now, "call.not_here");
            return;
        };
        if call.host.as_ref() == Some(self.directory.me()) || self.directory.is_admin() {
            self.out
                .ask(Asked::EndCall, Request::EndCall(channel.clone()));
        } else {
            self.complain(now, "call.not_host");
        }
    }

    fn upload_logs(&mut self, channel: &ChannelId) {
        if let Some(team) = self.directory.team_for(channel).cloned() {
            // Whoever performs it has the log; we have none.
            let request = Request::UploadLogs {
                channel: channel.clone(),
                team,
                logs: String::new(),
            };
            self.out.ask(Asked::Logs, request);
        }
    }
}
