//! Everything the server knows, in memory and behind one lock.
//!
//! Every request and every socket message takes the lock once, decides, and puts the resulting events
//! into the connections' queues before letting go: the order of events is the order of decisions.
//! Nothing waits while the lock is held.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::calls::Calls;
use crate::clock::{Bucket, Timers};
use crate::config::{Config, Switches, Timings};
use crate::fault::Faults;
use crate::id::IdSource;
use crate::sfu::Sfu;
use crate::socket::event::{Broadcast, Event};
use crate::socket::hub::Hub;

pub(crate) mod channels;
pub(crate) mod model;
pub(crate) mod posts;
pub(crate) mod seed;
pub(crate) mod threads;
pub(crate) mod users;

use model::{Channel, Post, StoredFile, Team, ThreadState, User};

/// A signed-in client.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) user: String,
    /// Id of the session itself, for `GET /users/me/sessions`.
    pub(crate) id: String,
    pub(crate) create_at: i64,
    /// Expired by a fault or revoked: REST says 401, sockets fall silent.
    pub(crate) expired: bool,
    /// The `MMCSRF` value, for clients that use cookies.
    pub(crate) csrf: String,
}

/// The whole state.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) switches: Switches,
    pub(crate) timings: Timings,
    pub(crate) ids: IdSource,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) logins: HashMap<String, Login>,
    pub(crate) teams: BTreeMap<String, Team>,
    pub(crate) channels: BTreeMap<String, Channel>,
    pub(crate) posts: HashMap<String, Post>,
    /// Post ids of a channel, oldest first.
    pub(crate) timelines: HashMap<String, Vec<String>>,
    /// Reply ids of a root, oldest first.
    pub(crate) replies: HashMap<String, Vec<String>>,
    /// (root post, user) → what the user knows of the thread.
    pub(crate) threads: HashMap<(String, String), ThreadState>,
    /// (user, pending id) → what became of it.
    pub(crate) pending: HashMap<(String, String), (String, Instant)>,
    pub(crate) files: HashMap<String, StoredFile>,
    /// Tokens that a single sign-on made: user, and when.
    pub(crate) desktop_tokens: HashMap<String, (String, Instant)>,
    /// Uploads in progress: bytes announced, bytes received.
    pub(crate) uploads: HashMap<String, (usize, Vec<u8>)>,
    /// user → (category, name) → value.
    pub(crate) preferences: HashMap<String, BTreeMap<(String, String), String>>,
    /// (user, team) → the sidebar categories as the client put them.
    pub(crate) categories: HashMap<(String, String), Vec<Value>>,
    pub(crate) hub: Hub,
    pub(crate) calls: Calls,
    pub(crate) timers: Timers,
    pub(crate) faults: Faults,
    /// REST buckets of the Calls plugin, per user.
    pub(crate) rest_buckets: HashMap<String, Bucket>,
    pub(crate) sfu: Sfu,
    pub(crate) site_url: String,
    last_stamp: i64,
}

impl World {
    /// A seeded world.
    pub(crate) fn new(config: &Config, sfu: Sfu, site_url: String, wake: Arc<Notify>) -> Self {
        let mut world = Self {
            switches: config.switches.clone(),
            timings: config.timings.clone(),
            ids: IdSource::fresh(),
            users: BTreeMap::new(),
            logins: HashMap::new(),
            teams: BTreeMap::new(),
            channels: BTreeMap::new(),
            posts: HashMap::new(),
            timelines: HashMap::new(),
            replies: HashMap::new(),
            threads: HashMap::new(),
            pending: HashMap::new(),
            files: HashMap::new(),
            desktop_tokens: HashMap::new(),
            uploads: HashMap::new(),
            preferences: HashMap::new(),
            categories: HashMap::new(),
            hub: Hub::default(),
            calls: Calls::default(),
            timers: Timers::new(wake),
            faults: Faults::default(),
            rest_buckets: HashMap::new(),
            sfu,
            site_url,
            last_stamp: 0,
        };
        seed::plant(&mut world, config.seed);
        world
    }

    /// A server time for a new thing: now, but never the same twice, so that posts keep their order.
    pub(crate) fn stamp(&mut self) -> i64 {
        self.last_stamp = now_ms().max(self.last_stamp + 1);
        self.last_stamp
    }

    /// To all connections of all members of a channel.
    pub(crate) fn emit_channel(&mut self, channel: &str, name: &str, data: Value) {
        self.emit_channel_except(channel, name, data, None);
    }

    /// The same, without one user (the typist of `typing`, for instance).
    pub(crate) fn emit_channel_except(
        &mut self,
        channel: &str,
        name: &str,
        data: Value,
        omit: Option<&str>,
    ) {
        let broadcast = Broadcast {
            channel_id: channel.to_owned(),
            omit_users: omit.map(|u| vec![u.to_owned()]).unwrap_or_default(),
            ..Broadcast::default()
        };
        let event = Event::new(name, data, &broadcast);
        let Some(channel) = self.channels.get(channel) else {
            return;
        };
        self.hub.push_where(&event, |user| {
            omit != Some(user) && channel.members.contains_key(user)
        });
    }

    /// To all connections of one user.
    pub(crate) fn emit_user(&mut self, user: &str, name: &str, data: Value) {
        self.emit_user_in(user, "", "", name, data);
    }

    /// To all connections of one user, with the channel and team in the broadcast.
    pub(crate) fn emit_user_in(
        &mut self,
        user: &str,
        channel: &str,
        team: &str,
        name: &str,
        data: Value,
    ) {
        let broadcast = Broadcast {
            user_id: user.to_owned(),
            channel_id: channel.to_owned(),
            team_id: team.to_owned(),
            ..Broadcast::default()
        };
        let event = Event::new(name, data, &broadcast);
        self.hub.push_where(&event, |u| u == user);
    }

    /// To one connection.
    pub(crate) fn emit_connection(&mut self, connection: &str, name: &str, data: Value) {
        let broadcast = Broadcast {
            connection_id: connection.to_owned(),
            ..Broadcast::default()
        };
        self.hub
            .push_to(connection, &Event::new(name, data, &broadcast));
    }

    /// To everybody in a team.
    pub(crate) fn emit_team(&mut self, team: &str, name: &str, data: Value) {
        let broadcast = Broadcast {
            team_id: team.to_owned(),
            ..Broadcast::default()
        };
        let event = Event::new(name, data, &broadcast);
        let Some(team) = self.teams.get(team) else {
            return;
        };
        self.hub
            .push_where(&event, |user| team.members.contains_key(user));
    }

    /// To everybody.
    pub(crate) fn emit_all(&mut self, name: &str, data: Value) {
        let event = Event::new(name, data, &Broadcast::default());
        self.hub.push_where(&event, |_| true);
    }
}

/// Now, in milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_millis()
        .try_into()
        .unwrap_or(i64::MAX)
}
