//! The connections: their queues, their numbers, and what is kept for those who come back.
//!
//! It follows the server's `web_hub.go`/`web_conn.go` (signaling reference 1.6): an event gets its
//! number when it is *sent*, the last 128 sent ones are kept for replay, up to 256 unsent ones wait,
//! and a connection whose socket died stays as *inactive* until it is resumed or reaped.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::event::{Event, OnScreen};

/// Events kept for a resumed connection.
const REPLAY: usize = 128;
/// Unsent frames per connection; one more closes it. The server's own numbers.
const QUEUE: usize = 256;
/// From here on a slow connection gets no chatter.
const BUSY: usize = 128;
/// What counts as chatter.
const CHATTER: [&str; 3] = ["typing", "status_change", "multiple_channels_viewed"];

#[derive(Debug)]
enum Frame {
    Event(Event, Instant),
    Reply(String),
}

/// How a connection is made to fail on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// The TCP connection is closed without a close frame.
    Cut,
    /// Nothing is read or written any more; the server believes the connection to be alive.
    Freeze,
    /// The same silence, but the server has noticed and would resume the connection.
    Vanish,
}

/// One WebSocket connection, with or without its socket.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) user: String,
    pub(crate) token: String,
    next_seq: i64,
    sent: VecDeque<(i64, Event)>,
    queue: VecDeque<Frame>,
    /// The socket that serves it now; `None` is inactive.
    socket: Option<u64>,
    inactive_since: Instant,
    wake: Arc<Notify>,
    silent: bool,
    overflowed: bool,
    sabotage: Option<Sabotage>,
    delay: Duration,
    swallow: VecDeque<(String, u32)>,
    on_screen: OnScreen,
}

/// What a socket should do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send this text.
    Send(String),
    /// Nothing to do before this moment.
    Wait(Instant),
    /// Nothing to do.
    Idle,
    /// Go away; another socket serves the connection or it was dropped.
    Detached,
    /// Fail as told.
    Fail(Sabotage),
}

/// How an upgrade was received.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Attached {
    /// A new connection of this id; `hello` is in its queue.
    New(String),
    /// The old one goes on.
    Resumed(String),
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    conns: HashMap<String, Conn>,
    sockets: u64,
    /// Events made since the server runs.
    pub(crate) events: u64,
}

impl Hub {
    /// A number for a new socket.
    pub(crate) fn next_socket(&mut self) -> u64 {
        self.sockets += 1;
        self.sockets
    }

    /// Opens a new connection; the caller queues `hello`.
    pub(crate) fn open(&mut self, id: &str, user: &str, token: &str, socket: u64) -> Arc<Notify> {
        let wake = Arc::new(Notify::new());
        let conn = Conn {
            user: user.to_owned(),
            token: token.to_owned(),
            next_seq: 0,
            sent: VecDeque::new(),
            queue: VecDeque::new(),
            socket: Some(socket),
            inactive_since: Instant::now(),
            wake: wake.clone(),
            silent: false,
            overflowed: false,
            sabotage: None,
            delay: Duration::ZERO,
            swallow: VecDeque::new(),
            on_screen: OnScreen::default(),
        };
        self.conns.insert(id.to_owned(), conn);
        wake
    }

    /// Takes an inactive connection up again, if its events from `seq` on are still there.
    /// `None` means: give it a new id.
    pub(crate) fn resume(
        &mut self,
        id: &str,
        seq: i64,
        user: &str,
        token: &str,
        socket: u64,
    ) -> Option<Arc<Notify>> {
        let conn = self.conns.get_mut(id)?;
        if conn.user != user || conn.socket.is_some() {
            return None;
        }
        let first = conn.sent.front().map_or(conn.next_seq, |(n, _)| *n);
        if seq == 0 {
            // The server restarts its numbers and replays nothing (reference 1.6, last row).
            conn.sent.clear();
            conn.next_seq = 0;
        } else if seq < first || seq > conn.next_seq {
            self.conns.remove(id);
            return None;
        } else {
            let mut again: VecDeque<Frame> = VecDeque::new();
            while conn.sent.back().is_some_and(|(n, _)| *n >= seq) {
                if let Some((n, event)) = conn.sent.pop_back() {
                    conn.next_seq = n;
                    again.push_front(Frame::Event(event, Instant::now()));
                }
            }
            again.append(&mut conn.queue);
            conn.queue = again;
        }
        conn.socket = Some(socket);
        token.clone_into(&mut conn.token);
        conn.wake = Arc::new(Notify::new());
        conn.sabotage = None;
        Some(conn.wake.clone())
    }

    /// A socket ended. True if the connection was served by it (and is inactive from now on).
    pub(crate) fn detach(&mut self, id: &str, socket: u64) -> bool {
        let Some(conn) = self.conns.get_mut(id) else {
            return false;
        };
        if conn.socket != Some(socket) {
            return false;
        }
        conn.socket = None;
        conn.inactive_since = Instant::now();
        conn.queue.retain(|f| matches!(f, Frame::Event(..)));
        if conn.overflowed {
            self.conns.remove(id);
        }
        true
    }

    /// The next thing for a socket to do.
    pub(crate) fn next(&mut self, id: &str, socket: u64, now: Instant) -> Next {
        let Some(conn) = self.conns.get_mut(id) else {
            return Next::Detached;
        };
        if conn.socket != Some(socket) || conn.overflowed {
            return Next::Detached;
        }
        if let Some(sabotage) = conn.sabotage.take() {
            return Next::Fail(sabotage);
        }
        loop {
            match conn.queue.front() {
                None => return Next::Idle,
                Some(Frame::Event(_, due)) if *due > now => return Next::Wait(*due),
                Some(_) => {}
            }
            match conn.queue.pop_front() {
                Some(Frame::Reply(text)) => return Next::Send(text),
                Some(Frame::Event(event, _)) => {
                    let seq = conn.next_seq;
                    conn.next_seq += 1;
                    if conn.sent.len() == REPLAY {
                        conn.sent.pop_front();
                    }
                    let text = event.numbered(seq);
                    let swallowed = conn.swallow(&event.name);
                    conn.sent.push_back((seq, event));
                    if !swallowed {
                        return Next::Send(text);
                    }
                }
                None => return Next::Idle,
            }
        }
    }

    /// Queues an event for every connection whose user passes.
    pub(crate) fn push_where(&mut self, event: &Event, wanted: impl Fn(&str) -> bool) {
        self.events += 1;
        let mut dropped = Vec::new();
        for (id, conn) in &mut self.conns {
            if wanted(&conn.user) && !conn.push(event) {
                dropped.push(id.clone());
            }
        }
        for id in dropped {
            self.conns.remove(&id);
        }
    }

    /// Queues an event for one connection.
    pub(crate) fn push_to(&mut self, id: &str, event: &Event) {
        self.events += 1;
        if self.conns.get_mut(id).is_some_and(|c| !c.push(event)) {
            self.conns.remove(id);
        }
    }

    /// Queues the reply to a request.
    pub(crate) fn reply(&mut self, id: &str, reply: &Value) {
        if let Some(conn) = self.conns.get_mut(id) {
            if conn.queue.len() < QUEUE {
                conn.queue.push_back(Frame::Reply(reply.to_string()));
            } else {
                conn.overflowed = true;
            }
            conn.wake.notify_one();
        }
    }

    /// Queues a text frame as it is, for the tests of those who must survive it.
    pub(crate) fn raw(&mut self, id: &str, text: &str) {
        if let Some(conn) = self.conns.get_mut(id) {
            conn.queue.push_back(Frame::Reply(text.to_owned()));
            conn.wake.notify_one();
        }
    }

    /// The connections of a revoked login get nothing more.
    pub(crate) fn silence(&mut self, token: &str) {
        for conn in self.conns.values_mut().filter(|c| c.token == token) {
            conn.silent = true;
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Conn> {
        self.conns.get(id)
    }

    /// True if the connection has a socket.
    pub(crate) fn is_active(&self, id: &str) -> bool {
        self.conns.get(id).is_some_and(|c| c.socket.is_some())
    }

    /// True if the user has any socket open.
    pub(crate) fn is_online(&self, user: &str) -> bool {
        self.conns
            .values()
            .any(|c| c.user == user && c.socket.is_some())
    }

    /// Ids of the connections of a user, or of all.
    pub(crate) fn ids(&self, user: Option<&str>) -> Vec<String> {
        self.conns
            .iter()
            .filter(|(_, c)| user.is_none_or(|u| c.user == u))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Users with a socket.
    pub(crate) fn users(&self) -> HashSet<String> {
        self.conns
            .values()
            .filter(|c| c.socket.is_some())
            .map(|c| c.user.clone())
            .collect()
    }

    /// A client tells what is on its screen.
    pub(crate) fn on_screen(&mut self, id: &str, change: impl FnOnce(&mut OnScreen)) {
        if let Some(conn) = self.conns.get_mut(id) {
            change(&mut conn.on_screen);
        }
    }

    /// Makes a connection fail.
    pub(crate) fn sabotage(&mut self, id: &str, how: Sabotage) {
        if let Some(conn) = self.conns.get_mut(id) {
            conn.sabotage = Some(how);
            conn.wake.notify_one();
        }
    }

    /// Forgets a connection: a later resume gets a new id. Its socket, if any, ends.
    pub(crate) fn forget(&mut self, id: &str) -> bool {
        self.conns
            .remove(id)
            .inspect(|c| c.wake.notify_one())
            .is_some()
    }

    /// Delays every later event of a connection; zero ends that.
    pub(crate) fn delay(&mut self, id: &str, delay: Duration) {
        if let Some(conn) = self.conns.get_mut(id) {
            conn.delay = delay;
        }
    }

    /// The next `count` events of that name (empty: of any name) are numbered but not sent.
    pub(crate) fn swallow(&mut self, id: &str, name: &str, count: u32) {
        if let Some(conn) = self.conns.get_mut(id) {
            conn.swallow.push_back((name.to_owned(), count));
        }
    }

    /// Forgets inactive connections that nobody came back for.
    pub(crate) fn reap(&mut self, limit: Duration) {
        self.conns
            .retain(|_, c| c.socket.is_some() || c.inactive_since.elapsed() < limit);
    }

    /// (with a socket, without one)
    pub(crate) fn count(&self) -> (usize, usize) {
        let active = self.conns.values().filter(|c| c.socket.is_some()).count();
        (active, self.conns.len() - active)
    }
}

impl Conn {
    /// False if the connection has to be dropped.
    fn push(&mut self, event: &Event) -> bool {
        if self.silent || self.overflowed || self.on_screen.hides(event) {
            return true;
        }
        if self.queue.len() >= BUSY && CHATTER.contains(&&*event.name) {
            return true;
        }
        if self.queue.len() >= QUEUE {
            self.overflowed = true;
            self.queue.clear();
            self.wake.notify_one();
            return self.socket.is_some();
        }
        let due = Instant::now() + self.delay;
        self.queue.push_back(Frame::Event(event.clone(), due));
        self.wake.notify_one();
        true
    }

    fn swallow(&mut self, name: &str) -> bool {
        let Some(found) = self
            .swallow
            .iter_mut()
            .find(|(wanted, _)| wanted.is_empty() || wanted == name)
        else {
            return false;
        };
        found.1 = found.1.saturating_sub(1);
        self.swallow.retain(|(_, left)| *left > 0);
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::socket::event::Broadcast;
    use serde_json::json;

    fn event(n: usize) -> Event {
        Event::new("e", json!({ "n": n }), &Broadcast::default())
    }

    fn drain(hub: &mut Hub, id: &str, socket: u64) -> Vec<i64> {
        let mut seqs = Vec::new();
        while let Next::Send(text) = hub.next(id, socket, Instant::now()) {
            let v: Value = serde_json::from_str(&text).unwrap();
            seqs.push(v["seq"].as_i64().unwrap());
        }
        seqs
    }

    /// A connection that has sent `sent` events, lost its socket, and has `waiting` more.
    fn lost(sent: usize, waiting: usize) -> Hub {
        let mut hub = Hub::default();
        hub.open("c", "u", "t", 1);
        for n in 0..sent {
            hub.push_to("c", &event(n));
            drain(&mut hub, "c", 1);
        }
        assert!(hub.detach("c", 1));
        for n in 0..waiting {
            hub.push_to("c", &event(sent + n));
        }
        hub
    }

    #[test]
    fn a_resumed_connection_gets_what_it_missed_under_the_old_numbers() {
        let mut hub = lost(10, 3);
        assert!(hub.resume("c", 8, "u", "t", 2).is_some());
        assert_eq!(drain(&mut hub, "c", 2), [8, 9, 10, 11, 12]);
    }

    #[test]
    fn nothing_missed_means_only_the_queue() {
        let mut hub = lost(10, 2);
        assert!(hub.resume("c", 10, "u", "t", 2).is_some());
        assert_eq!(drain(&mut hub, "c", 2), [10, 11]);
    }

    #[test]
    fn too_old_unknown_alive_or_foreign_gets_a_new_id() {
        assert!(lost(200, 0).resume("c", 71, "u", "t", 2).is_none());
        assert!(lost(200, 0).resume("c", 72, "u", "t", 2).is_some());
        assert!(lost(10, 0).resume("x", 5, "u", "t", 2).is_none());
        assert!(lost(10, 0).resume("c", 5, "other", "t", 2).is_none());
        assert!(lost(10, 0).resume("c", 11, "u", "t", 2).is_none());
        let mut alive = Hub::default();
        alive.open("c", "u", "t", 1);
        assert!(alive.resume("c", 0, "u", "t", 2).is_none());
    }

    #[test]
    fn sequence_zero_resumes_without_replay_and_restarts_the_numbers() {
        let mut hub = lost(10, 1);
        assert!(hub.resume("c", 0, "u", "t", 2).is_some());
        assert_eq!(drain(&mut hub, "c", 2), [0]);
    }

    #[test]
    fn an_overfull_inactive_connection_is_dropped() {
        let mut hub = lost(1, QUEUE);
        assert!(hub.get("c").is_some());
        hub.push_to("c", &event(0));
        assert!(hub.get("c").is_none());
    }

    #[test]
    fn a_slow_connection_loses_chatter_first_and_is_closed_when_full() {
        let mut hub = Hub::default();
        hub.open("c", "u", "t", 1);
        for n in 0..BUSY {
            hub.push_to("c", &event(n));
        }
        hub.push_to("c", &Event::new("typing", json!({}), &Broadcast::default()));
        assert_eq!(hub.get("c").unwrap().queue.len(), BUSY);
        for n in BUSY..=QUEUE {
            hub.push_to("c", &event(n));
        }
        assert_eq!(hub.next("c", 1, Instant::now()), Next::Detached);
    }

    #[test]
    fn a_swallowed_event_leaves_a_gap_but_can_be_replayed() {
        let mut hub = Hub::default();
        hub.open("c", "u", "t", 1);
        hub.swallow("c", "", 1);
        hub.push_to("c", &event(0));
        hub.push_to("c", &event(1));
        assert_eq!(drain(&mut hub, "c", 1), [1]);
        hub.detach("c", 1);
        assert!(hub.resume("c", 1, "u", "t", 2).is_some());
        assert_eq!(drain(&mut hub, "c", 2), [1]);
    }

    #[test]
    fn what_is_not_on_the_screen_is_not_told_once_all_of_it_is_known() {
        let mut hub = Hub::default();
        hub.open("c", "u", "t", 1);
        let typing = |channel: &str| {
            let broadcast = Broadcast {
                channel_id: channel.to_owned(),
                ..Broadcast::default()
            };
            Event::new("typing", json!({}), &broadcast)
        };
        hub.on_screen("c", |s| s.channel = Some("here".to_owned()));
        hub.push_to("c", &typing("elsewhere"));
        assert_eq!(drain(&mut hub, "c", 1).len(), 1);
        hub.on_screen("c", |s| {
            s.side = Some(String::new());
            s.view = Some(String::new());
        });
        hub.push_to("c", &typing("elsewhere"));
        assert_eq!(drain(&mut hub, "c", 1).len(), 0);
        hub.push_to("c", &typing("here"));
        assert_eq!(drain(&mut hub, "c", 1).len(), 1);
    }

    #[test]
    fn an_expired_login_hears_nothing_more() {
        let mut hub = Hub::default();
        hub.open("c", "u", "t", 1);
        hub.silence("t");
        hub.push_to("c", &event(0));
        assert_eq!(hub.next("c", 1, Instant::now()), Next::Idle);
    }
}
