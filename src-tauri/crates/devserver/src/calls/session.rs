//! Joining, leaving, losing the socket and coming back (signaling 1.6, 2.1–2.3, 3.2).

use serde_json::json;

use super::{Call, Session};
use crate::clock::{Bucket, Timer};
use crate::socket::request::Request;
use crate::world::model::Kind;
use crate::world::{World, now_ms};

impl World {
    /// `join`.
    pub(crate) fn calls_join(&mut self, connection: &str, user: &str, request: &Request) {
        // Without a channel the message is dropped, not refused.
        let Some(channel) = request.text("channelID").map(str::to_owned) else {
            return;
        };
        let crowd = self.channels.get(&channel).map_or(0, |c| c.members.len());
        if crowd < self.switches.join_batch_members {
            return self.join_now(connection, user, &channel, request);
        }
        let waiting = self.calls.batches.entry(channel.clone()).or_default();
        waiting.push((connection.to_owned(), user.to_owned(), request.clone()));
        if waiting.len() == 1 {
            let delay = self.timings.join_batch;
            self.timers.after(delay, Timer::JoinBatch { channel });
        }
    }

    /// The joins that have gathered in a big channel.
    pub(crate) fn join_batch(&mut self, channel: &str) {
        for (connection, user, request) in self.calls.batches.remove(channel).unwrap_or_default() {
            if self.hub.is_active(&connection) {
                self.join_now(&connection, &user, channel, &request);
            }
        }
    }

    fn join_now(&mut self, connection: &str, user: &str, channel: &str, request: &Request) {
        if let Err(text) = self.try_join(connection, user, channel, request) {
            tracing::debug!(%user, %channel, text, "join refused");
            let data = json!({"data": text, "connID": connection});
            self.calls_to_connection(connection, "error", data);
        }
    }

    fn try_join(
        &mut self,
        connection: &str,
        user: &str,
        channel: &str,
        request: &Request,
    ) -> Result<(), String> {
        if let Some(text) = self.refusal_for(user) {
            return Err(text);
        }
        let refuse = |text: &str| Err(text.to_owned());
        if !self.can_post(user, channel) {
            return refuse("forbidden");
        }
        let Some(place) = self.channels.get(channel) else {
            return refuse("forbidden");
        };
        if place.delete_at > 0 {
            return refuse("cannot join call in archived channel");
        }
        let (kind, enabled) = (place.kind, place.calls_enabled);
        let thread = request.text("threadID").unwrap_or_default().to_owned();
        if !thread.is_empty() {
            match self.posts.get(&thread) {
                None => return refuse("failed to get thread post: not found"),
                Some(p) if p.channel_id != channel => return refuse("forbidden"),
                Some(p) if p.delete_at > 0 => {
                    return refuse("cannot attach call to deleted thread");
                }
                Some(p) if !p.root_id.is_empty() => return refuse("thread is not a root post"),
                Some(_) => {}
            }
        }
        let starting = !self.calls.active.contains_key(channel);
        if starting {
            self.may_start(user, channel, kind, enabled)?;
        }
        let present = self.calls.active.get(channel);
        let count = present.map_or(0, |c| c.sessions.len());
        if self.switches.max_participants > 0 && count >= self.switches.max_participants {
            return refuse("user cannot join because of limits");
        }
        if self.calls.by_connection.contains_key(connection) {
            return refuse("session is already connected");
        }
        if present.is_some_and(|c| c.ending) {
            return refuse("call has ended");
        }
        let token = self.hub.get(connection).map(|c| c.token.clone());
        self.enter(
            connection,
            user,
            channel,
            &token.unwrap_or_default(),
            request,
        );
        Ok(())
    }

    /// The rules that only count while there is no call.
    fn may_start(
        &mut self,
        user: &str,
        channel: &str,
        kind: Kind,
        enabled: Option<bool>,
    ) -> Result<(), String> {
        if kind != Kind::Direct && !self.switches.group_calls {
            let text = "unlicensed servers only allow calls in DMs";
            self.ephemeral(user, channel, "", text);
            return Err(text.to_owned());
        }
        let admin = self.users.get(user).is_some_and(|u| u.is_admin());
        match enabled {
            Some(false) => Err("calls are disabled in the channel".to_owned()),
            Some(true) => Ok(()),
            None if !self.switches.test_mode => Ok(()),
            None if admin => {
                let text = "Currently, calls are not enabled for non-admin users in this server.";
                self.ephemeral(user, channel, "", text);
                Ok(())
            }
            None => Err("insufficient permissions".to_owned()),
        }
    }

    fn refusal_for(&mut self, user: &str) -> Option<String> {
        let name = self.users.get(user).map(|u| u.username.clone())?;
        let list = &mut self.calls.refusals;
        let found = list
            .iter_mut()
            .find(|(who, _, left)| *left > 0 && (who.is_empty() || *who == name))?;
        found.2 -= 1;
        let text = found.1.clone();
        list.retain(|(_, _, left)| *left > 0);
        Some(text)
    }

    /// The session exists from here on; the events come in the plugin's order.
    fn enter(
        &mut self,
        connection: &str,
        user: &str,
        channel: &str,
        token: &str,
        request: &Request,
    ) {
        let now = now_ms();
        let starting = !self.calls.active.contains_key(channel);
        if starting {
            self.calls.started += 1;
            let call = Call {
                id: self.ids.next_id(),
                channel: channel.to_owned(),
                owner: user.to_owned(),
                start_at: now,
                thread: request.text("threadID").unwrap_or_default().to_owned(),
                title: request.text("title").unwrap_or_default().to_owned(),
                ..Call::default()
            };
            self.calls.active.insert(channel.to_owned(), call);
        }
        let session = Session {
            id: connection.to_owned(),
            user: user.to_owned(),
            token: token.to_owned(),
            connection: connection.to_owned(),
            unmuted: false,
            raised_hand: 0,
            video: false,
            lost: None,
            bucket: Bucket::new(10.0, 100.0),
        };
        let Some(call) = self.calls.active.get_mut(channel) else {
            return;
        };
        call.sessions.push(session);
        call.participants.insert(user.to_owned());
        let id = call.id.clone();
        self.calls
            .channel_of
            .insert(connection.to_owned(), channel.to_owned());
        self.calls
            .by_connection
            .insert(connection.to_owned(), connection.to_owned());
        self.sfu
            .open(connection.to_owned(), id, request.flag("dcSignaling"));
        self.choose_host(channel);
        if starting {
            self.create_call_post(channel);
            if let Some(call) = self.calls.active.get(channel) {
                let data = json!({
                    "id": call.id, "start_at": call.start_at, "thread_id": call.thread,
                    "post_id": call.post, "owner_id": call.owner, "host_id": call.host,
                });
                self.calls_to_channel(channel, "call_start", data);
            }
            self.expect_answer(channel);
        }
        self.calls_to_connection(connection, "join", json!({"connID": connection}));
        let data = json!({"user_id": user, "session_id": connection});
        self.calls_to_channel(channel, "user_joined", data);
        self.send_call_state(channel, user, None);
    }

    /// `leave`.
    pub(crate) fn calls_leave(&mut self, connection: &str) {
        if let Some(session) = self.calls.by_connection.get(connection).cloned() {
            self.remove_session(&session);
        }
    }

    /// A session ends, for whatever reason. The last one ends the call; there is no `call_end` then.
    pub(crate) fn remove_session(&mut self, id: &str) {
        let Some(channel) = self.calls.channel_of.remove(id) else {
            return;
        };
        self.sfu.close(id);
        let Some(call) = self.calls.active.get_mut(&channel) else {
            return;
        };
        let Some(place) = call.sessions.iter().position(|s| s.id == id) else {
            return;
        };
        let session = call.sessions.remove(place);
        let was_sharing = call.screen.as_deref() == Some(id);
        if was_sharing {
            call.screen = None;
        }
        self.calls.by_connection.remove(&session.connection);
        let data = json!({"user_id": session.user, "session_id": id});
        self.calls_to_channel(&channel, "user_left", data.clone());
        if !self.can_read(&session.user, &channel) {
            // Who was removed from the channel no longer hears it there.
            let mut data = data;
            data["channelID"] = channel.clone().into();
            self.calls_to_user(&session.user, "user_left", data);
        }
        if was_sharing {
            // Neither user nor session: the sharer is gone.
            self.calls_to_participants(&channel, "user_screen_off", json!({}));
        }
        self.choose_host(&channel);
        let empty = self
            .calls
            .active
            .get(&channel)
            .is_some_and(|c| c.sessions.is_empty());
        if empty {
            self.close_call(&channel, Some(&session.user));
        } else {
            self.one_left(&channel, &session.user);
        }
    }

    /// Forgets a call without sessions and writes its post.
    pub(crate) fn close_call(&mut self, channel: &str, last: Option<&str>) {
        let Some(mut call) = self.calls.active.remove(channel) else {
            return;
        };
        if call.verdict.is_none() {
            call.verdict = self.verdict(&call, last);
        }
        self.stop_jobs(&mut call);
        self.finish_call_post(&call);
    }

    /// The socket of a connection is gone: its session waits for `reconnect`.
    pub(crate) fn calls_socket_lost(&mut self, connection: &str) {
        let Some(session) = self.calls.by_connection.get(connection).cloned() else {
            return;
        };
        self.calls.generation += 1;
        let generation = self.calls.generation;
        if let Some(s) = self.session_mut(&session) {
            s.lost = Some(generation);
        }
        let grace = self.timings.grace;
        self.timers.after(
            grace,
            Timer::Grace {
                session,
                generation,
            },
        );
    }

    /// `reconnect`: binds the session to another connection. Nothing is answered, in success or failure.
    pub(crate) fn calls_reconnect(&mut self, connection: &str, user: &str, request: &Request) {
        let field = |key| request.text(key).filter(|t| !t.is_empty());
        let (Some(channel), Some(original), Some(previous)) = (
            field("channelID"),
            field("originalConnID"),
            field("prevConnID"),
        ) else {
            return;
        };
        let known = self.calls.channel_of.get(original).map(String::as_str) == Some(channel);
        let bound = self.calls.by_connection.get(connection);
        let busy = bound.is_some_and(|s| s != original);
        if !known || busy || !self.can_read(user, channel) {
            tracing::debug!(%original, "reconnect refused");
            return;
        }
        let token = self.hub.get(connection).map(|c| c.token.clone());
        let Some(session) = self.session_mut(original).filter(|s| s.user == user) else {
            return;
        };
        let old = std::mem::replace(&mut session.connection, connection.to_owned());
        session.token = token.unwrap_or_default();
        if old == previous {
            // Only the right previous id stops the clock, as in the plugin.
            session.lost = None;
        }
        self.calls.by_connection.remove(&old);
        self.calls
            .by_connection
            .insert(connection.to_owned(), original.to_owned());
    }

    /// Somebody is no longer a member of the channel.
    pub(crate) fn calls_user_left_channel(&mut self, channel: &str, user: &str) {
        let sessions: Vec<String> = self
            .calls
            .active
            .get(channel)
            .into_iter()
            .flat_map(|c| &c.sessions)
            .filter(|s| s.user == user)
            .map(|s| s.id.clone())
            .collect();
        for session in sessions {
            self.remove_session(&session);
        }
    }

    /// Sessions whose login has ended are closed.
    pub(crate) fn drop_expired_sessions(&mut self) {
        let expired: Vec<String> = self
            .calls
            .active
            .values()
            .flat_map(|c| &c.sessions)
            .filter(|s| self.user_of_token(&s.token).is_none())
            .map(|s| s.id.clone())
            .collect();
        for session in expired {
            self.remove_session(&session);
        }
    }
}
