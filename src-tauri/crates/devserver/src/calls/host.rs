//! Host controls (REST reference 3.10): requests to clients, enforced only where the plugin does.

use serde_json::{Value, json};

use super::Call;
use crate::clock::Timer;
use crate::world::World;

/// Why a host control was refused; the text goes to the client with status 400.
pub(crate) type Refused = &'static str;

const NO_CALL: Refused = "no call ongoing";
const NO_PERMISSION: Refused = "no permissions";
const NOT_THERE: Refused = "requested session or user is not in the call";

impl World {
    /// The call of a channel, if this user may control it: the host, or any system administrator.
    fn controlled(&mut self, channel: &str, user: &str) -> Result<&mut Call, Refused> {
        let admin = self.users.get(user).is_some_and(|u| u.is_admin());
        let call = self.calls.active.get_mut(channel).ok_or(NO_CALL)?;
        if call.host == user || admin {
            Ok(call)
        } else {
            Err(NO_PERMISSION)
        }
    }

    /// One of the routes under `/calls/{channel}/host/`.
    pub(crate) fn host_control(
        &mut self,
        channel: &str,
        user: &str,
        action: &str,
        body: &Value,
    ) -> Result<(), Refused> {
        let call = self.controlled(channel, user)?;
        let call_id = call.id.clone();
        if action == "mute-others" {
            let targets: Vec<(String, String)> = call
                .sessions
                .iter()
                .filter(|s| s.unmuted && s.user != user)
                .map(|s| (s.user.clone(), s.id.clone()))
                .collect();
            for (target, session) in targets {
                let data = json!({"channel_id": channel, "session_id": session});
                self.calls_to_user(&target, "host_mute", data);
            }
            return Ok(());
        }
        if action == "end" {
            self.end_for_all(channel);
            return Ok(());
        }
        if action == "make" {
            let wanted = body["new_host_id"].as_str().unwrap_or_default().to_owned();
            return self.make_host(channel, user, &wanted);
        }
        let wanted = body["session_id"].as_str().unwrap_or_default();
        let session = call.session(wanted).ok_or(NOT_THERE)?.clone();
        let sharing = call.screen.as_deref() == Some(wanted);
        let data = json!({"channel_id": channel, "session_id": session.id});
        match action {
            "mute" if session.unmuted => self.calls_to_user(&session.user, "host_mute", data),
            "screen-off" if sharing => self.calls_to_user(&session.user, "host_screen_off", data),
            "lower-hand" if session.raised_hand > 0 => {
                let mut data = data;
                data["call_id"] = call_id.into();
                data["host_id"] = user.into();
                self.calls_to_user(&session.user, "host_lower_hand", data);
            }
            "remove" => {
                let mut data = data;
                data["call_id"] = call_id.into();
                data["user_id"] = session.user.clone().into();
                self.calls_to_participants(channel, "host_removed", data);
                let delay = self.timings.force_remove;
                let session = session.id;
                self.timers.after(delay, Timer::ForceRemove { session });
            }
            _ => {}
        }
        Ok(())
    }

    /// Hands the call over and pins the new host.
    pub(crate) fn make_host(
        &mut self,
        channel: &str,
        user: &str,
        wanted: &str,
    ) -> Result<(), Refused> {
        let bot = self.users.get(wanted).is_some_and(|u| u.is_bot);
        let call = self.controlled(channel, user)?;
        if bot {
            return Err("cannot assign the bot to be host: not allowed");
        }
        if !call.has_user(wanted) {
            return Err(NOT_THERE);
        }
        call.pinned_host = Some(wanted.to_owned());
        self.choose_host(channel);
        Ok(())
    }

    /// `call_end` to the channel; whoever is still there in 5 s is closed.
    pub(crate) fn end_for_all(&mut self, channel: &str) {
        self.calls_to_channel(channel, "call_end", json!({}));
        let Some(call) = self.calls.active.get_mut(channel) else {
            return;
        };
        call.ending = true;
        let call = call.clone();
        self.finish_call_post(&call);
        let delay = self.timings.force_end;
        self.timers.after(delay, Timer::ForceEnd { call: call.id });
    }

    /// Closes every session of a call, and so the call.
    pub(crate) fn force_end(&mut self, call: &str) {
        let Some(channel) = self.channel_of_call(call) else {
            return;
        };
        let sessions: Vec<String> = self
            .calls
            .active
            .get(&channel)
            .into_iter()
            .flat_map(|c| &c.sessions)
            .map(|s| s.id.clone())
            .collect();
        for session in sessions {
            self.remove_session(&session);
        }
    }

    /// Stops ringing for one user on all their clients.
    pub(crate) fn dismiss(&mut self, channel: &str, user: &str) -> Result<(), Refused> {
        let call = self.calls.active.get_mut(channel).ok_or(NO_CALL)?;
        call.dismissed.insert(user.to_owned());
        let data = json!({"userID": user, "callID": call.id});
        self.calls_to_user(user, "user_dismissed_notification", data);
        Ok(())
    }
}
