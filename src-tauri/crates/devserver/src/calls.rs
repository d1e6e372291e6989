//! The Calls plugin: one call per channel, sessions keyed by connection id, and the events of the
//! signaling reference (chapters 2 and 3) with their exact names, scopes and order.
//!
//! This page holds the state and the events; joining and leaving are in [`session`], the messages of
//! clients in [`message`], host controls in [`host`], the simulated recorder in [`job`], the newer DM
//! behaviour in [`direct`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use crate::clock::{Bucket, Timer};
use crate::sfu::SfuEvent;
use crate::socket::event::{Broadcast, Event};
use crate::socket::request::Request;
use crate::world::model::{Kind, Post};
use crate::world::{World, now_ms};

pub(crate) mod direct;
pub(crate) mod host;
pub(crate) mod job;
pub(crate) mod message;
mod mp4;
pub(crate) mod session;

use job::Job;

/// Before every event name of the plugin.
const PREFIX: &str = "custom_com.mattermost.calls_";

/// All calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// By channel.
    pub(crate) active: BTreeMap<String, Call>,
    /// Session → channel.
    pub(crate) channel_of: HashMap<String, String>,
    /// Connection → session.
    pub(crate) by_connection: HashMap<String, String>,
    /// Texts that a fault wants the next joins refused with, per user (empty: anybody).
    pub(crate) refusals: Vec<(String, String, u32)>,
    /// Joins of big channels that wait for their batch: connection, user, request.
    pub(crate) batches: HashMap<String, Vec<(String, String, Request)>>,
    /// Calls started since the server runs.
    pub(crate) started: u64,
    /// Metrics that clients have sent.
    pub(crate) metrics: u64,
    generation: u64,
}

/// One call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) channel: String,
    pub(crate) owner: String,
    pub(crate) host: String,
    /// Chosen by "make host"; regains host rights on return.
    pub(crate) pinned_host: Option<String>,
    pub(crate) start_at: i64,
    pub(crate) post: String,
    pub(crate) thread: String,
    pub(crate) title: String,
    /// In the order of joining.
    pub(crate) sessions: Vec<Session>,
    /// Everybody who was ever in it.
    pub(crate) participants: BTreeSet<String>,
    /// The sharing session.
    pub(crate) screen: Option<String>,
    pub(crate) recording: Option<Job>,
    pub(crate) transcription: Option<Job>,
    pub(crate) captions: Option<Job>,
    pub(crate) dismissed: BTreeSet<String>,
    /// The host ended it; stragglers are closed soon.
    pub(crate) ending: bool,
    /// What `call_status` becomes at the end (newer DM behaviour).
    pub(crate) verdict: Option<&'static str>,
}

/// One participant's connection.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) token: String,
    /// The connection it is bound to now.
    pub(crate) connection: String,
    pub(crate) unmuted: bool,
    pub(crate) raised_hand: i64,
    pub(crate) video: bool,
    /// Which loss of the socket is being waited for; `None` while it is there.
    pub(crate) lost: Option<u64>,
    pub(crate) bucket: Bucket,
}

impl Call {
    pub(crate) fn session(&self, id: &str) -> Option<&Session> {
        self.sessions.iter().find(|s| s.id == id)
    }

    pub(crate) fn session_mut(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|s| s.id == id)
    }

    pub(crate) fn has_user(&self, user: &str) -> bool {
        self.sessions.iter().any(|s| s.user == user)
    }

    /// Distinct users, in the order of joining.
    pub(crate) fn users(&self) -> Vec<String> {
        let mut users: Vec<String> = Vec::new();
        for session in &self.sessions {
            if !users.contains(&session.user) {
                users.push(session.user.clone());
            }
        }
        users
    }

    /// The object of signaling 3.5, as `viewer` may see it.
    pub(crate) fn json(&self, viewer: &str) -> Value {
        let sessions: Vec<Value> = self
            .sessions
            .iter()
            .map(|s| {
                json!({
                    "session_id": s.id, "user_id": s.user, "unmuted": s.unmuted,
                    "raised_hand": s.raised_hand, "video": s.video,
                })
            })
            .collect();
        let mut value = json!({
            "id": self.id, "start_at": self.start_at, "sessions": sessions,
            "thread_id": self.thread, "post_id": self.post,
            "screen_sharing_session_id": self.screen.clone().unwrap_or_default(),
            "owner_id": self.owner, "host_id": self.host,
        });
        for (key, job) in [
            ("recording", &self.recording),
            ("transcription", &self.transcription),
            ("live_captions", &self.captions),
        ] {
            if let Some(job) = job {
                value[key] = job.json(false);
            }
        }
        if self.dismissed.contains(viewer) {
            value["dismissed_notification"] = json!({ viewer: true });
        }
        value
    }
}

impl World {
    /// An event of the plugin to all members of the channel.
    pub(crate) fn calls_to_channel(&mut self, channel: &str, name: &str, mut data: Value) {
        data["channelID"] = channel.into();
        self.emit_channel(channel, &format!("{PREFIX}{name}"), data);
    }

    /// … to everybody who has a session in the call, a copy per user.
    pub(crate) fn calls_to_participants(&mut self, channel: &str, name: &str, mut data: Value) {
        data["channelID"] = channel.into();
        let Some(call) = self.calls.active.get(channel) else {
            return;
        };
        let name = format!("{PREFIX}{name}");
        for user in call.users() {
            self.emit_user_in(&user, channel, "", &name, data.clone());
        }
    }

    /// … to one user's connections.
    pub(crate) fn calls_to_user(&mut self, user: &str, name: &str, data: Value) {
        self.emit_user(user, &format!("{PREFIX}{name}"), data);
    }

    /// … to one connection.
    pub(crate) fn calls_to_connection(&mut self, connection: &str, name: &str, data: Value) {
        self.emit_connection(connection, &format!("{PREFIX}{name}"), data);
    }

    /// `call_state` to a user, or as a reply to one connection.
    pub(crate) fn send_call_state(&mut self, channel: &str, user: &str, connection: Option<&str>) {
        let Some(call) = self.calls.active.get(channel) else {
            return;
        };
        // A JSON document inside a string: that is how the plugin does it.
        let data = json!({"channel_id": channel, "call": call.json(user).to_string()});
        match connection {
            Some(connection) => self.calls_to_connection(connection, "call_state", data),
            None => self.calls_to_user(user, "call_state", data),
        }
    }

    /// Pinned host if present, else the present host if present, else who joined first, else nobody.
    pub(crate) fn choose_host(&mut self, channel: &str) {
        let Some(call) = self.calls.active.get_mut(channel) else {
            return;
        };
        let pinned = call.pinned_host.clone().filter(|u| call.has_user(u));
        let host = pinned
            .or_else(|| Some(call.host.clone()).filter(|u| call.has_user(u)))
            .or_else(|| call.sessions.first().map(|s| s.user.clone()))
            .unwrap_or_default();
        if host != call.host {
            call.host.clone_from(&host);
            let data = json!({"hostID": host, "call_id": call.id});
            self.calls_to_participants(channel, "call_host_changed", data);
        }
    }

    /// The post that announces a call, written as the user who starts it.
    fn create_call_post(&mut self, channel: &str) {
        let Some(call) = self.calls.active.get(channel) else {
            return;
        };
        let name = self
            .users
            .get(&call.owner)
            .map(super::world::model::User::full_name)
            .unwrap_or_default();
        let text = format!("{name} started a call");
        let mut props = json!({
            "from_plugin": "true", "title": call.title, "start_at": call.start_at,
            "attachments": [{"fallback": text, "title": text, "text": text}],
        });
        let direct = self
            .channels
            .get(channel)
            .is_some_and(|c| c.kind == Kind::Direct);
        if self.switches.dm_calls && direct {
            props["call_status"] = "calling".into();
        }
        let post = Post {
            user_id: call.owner.clone(),
            channel_id: channel.to_owned(),
            root_id: call.thread.clone(),
            message: text,
            kind: "custom_calls".to_owned(),
            props: props.as_object().cloned().unwrap_or_default(),
            ..Post::default()
        };
        // Whoever may join may post, so this does not fail; without a post a call is still a call.
        let id = self.create_post(post, true).unwrap_or_default();
        if let Some(call) = self.calls.active.get_mut(channel) {
            call.post.clone_from(&id);
            if call.thread.is_empty() {
                call.thread = id;
            }
        }
    }

    /// Writes the end into the call's post.
    pub(crate) fn finish_call_post(&mut self, call: &Call) {
        let end = now_ms();
        let newer = self.switches.dm_calls;
        let status = call.verdict.unwrap_or("ended");
        let text = match status {
            "no_answer" => "No answer",
            "canceled_by_caller" => "Call canceled",
            "declined" => "Call declined",
            _ => "Call ended",
        };
        let Some(post) = self.posts.get_mut(&call.post) else {
            return;
        };
        text.clone_into(&mut post.message);
        post.update_at = end.max(post.update_at + 1);
        let mut set = |key: &str, value: Value| {
            post.props.insert(key.to_owned(), value);
        };
        set("end_at", end.into());
        // The list is empty after a normal end (quirk of the plugin); newer ones fill it.
        let people: Vec<&String> = call.participants.iter().filter(|_| newer).collect();
        set("participants", json!(people));
        set(
            "attachments",
            json!([{"fallback": text, "title": text, "text": text}]),
        );
        if newer {
            set("call_status", status.into());
        }
        for key in ["recordings", "transcriptions"] {
            post.props
                .entry(key)
                .or_insert_with(|| Value::Object(Map::new()));
        }
        self.announce_edit(&call.post);
    }

    /// What the SFU reports.
    pub(crate) fn sfu_event(&mut self, event: SfuEvent) {
        match event {
            SfuEvent::Signal { session, json } => {
                let Some(connection) = self.session(&session).map(|s| s.connection.clone()) else {
                    return;
                };
                // After a reconnect the original id stays in the data, only the address is new.
                let data = json!({"connID": session, "data": json});
                let broadcast = Broadcast {
                    connection_id: connection.clone(),
                    ..Broadcast::default()
                };
                let event = Event::new(&format!("{PREFIX}signal"), data, &broadcast);
                self.hub.push_to(&connection, &event);
            }
            SfuEvent::VoiceOn { session } => self.voice(&session, "user_voice_on"),
            SfuEvent::VoiceOff { session } => self.voice(&session, "user_voice_off"),
            SfuEvent::Connected { session } => tracing::debug!(%session, "media connected"),
            SfuEvent::Closed { session, reason } => {
                tracing::debug!(%session, ?reason, "media closed");
                self.remove_session(&session);
            }
        }
    }

    fn voice(&mut self, session: &str, name: &str) {
        let Some(channel) = self.calls.channel_of.get(session).cloned() else {
            return;
        };
        if let Some(s) = self.session(session) {
            let data = json!({"userID": s.user, "session_id": s.id});
            self.calls_to_participants(&channel, name, data);
        }
        if name == "user_voice_on" {
            self.caption(&channel, session);
        }
    }

    /// The session of that id.
    pub(crate) fn session(&self, id: &str) -> Option<&Session> {
        let channel = self.calls.channel_of.get(id)?;
        self.calls.active.get(channel)?.session(id)
    }

    pub(crate) fn session_mut(&mut self, id: &str) -> Option<&mut Session> {
        let channel = self.calls.channel_of.get(id)?;
        self.calls.active.get_mut(channel)?.session_mut(id)
    }

    /// The channel of the call of that id.
    pub(crate) fn channel_of_call(&self, call: &str) -> Option<String> {
        let found = self.calls.active.values().find(|c| c.id == call);
        found.map(|c| c.channel.clone())
    }

    /// A timer is due.
    pub(crate) fn fire(&mut self, timer: Timer) {
        match timer {
            Timer::Grace {
                session,
                generation,
            } => {
                if self.session(&session).and_then(|s| s.lost) == Some(generation) {
                    self.remove_session(&session);
                }
            }
            Timer::JoinBatch { channel } => self.join_batch(&channel),
            Timer::ForceRemove { session } => self.remove_session(&session),
            Timer::ForceEnd { call } => self.force_end(&call),
            Timer::NoAnswer { call } => self.no_answer(&call),
            Timer::RecorderStarts { call, job } => self.recorder_starts(&call, &job),
            Timer::RecorderTimeout { call, job } => self.recorder_timeout(&call, &job),
            Timer::RecorderPosts {
                channel,
                job,
                length,
            } => self.recorder_posts(&channel, &job, length),
            Timer::RecorderMax { call, job } => self.recorder_max(&call, &job),
            Timer::SessionCheck => {
                self.drop_expired_sessions();
                let again = self.timings.session_check;
                self.timers.after(again, Timer::SessionCheck);
            }
            Timer::Reap => {
                let limit = self.timings.reap;
                self.hub.reap(limit);
                self.timers.after(limit, Timer::Reap);
            }
        }
    }
}
