//! Whole calls in virtual time: clients made of str0m around one [`Switch`], no sockets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::SfuEvent;
use super::engine::Identity;
use super::switch::{Setup, Switch};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use str0m::Input;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Transmit};

mod client;

use client::Client;
pub(super) use client::Manners;

pub(super) const SERVER: &str = "10.0.0.1:8443";

/// The call of everybody, and the time.
pub(super) struct World {
    pub(super) switch: Switch,
    pub(super) now: Instant,
    pub(super) clients: HashMap<&'static str, Client>,
    /// Events for the signaling server except signals, in order.
    pub(super) events: Vec<SfuEvent>,
    /// Datagrams to clients that fulfil this are lost.
    pub(super) lose: Box<dyn FnMut(&Transmit) -> bool>,
}

impl World {
    pub(super) fn new() -> Self {
        let setup = Setup {
            local: vec![SERVER.parse().unwrap()],
            announce: None,
            simulcast: true,
            dead_after: Duration::from_secs(30),
        };
        Self {
            switch: Switch::new(setup, Identity::new().unwrap()),
            now: Instant::now(),
            clients: HashMap::new(),
            events: Vec::new(),
            lose: Box::new(|_| false),
        }
    }

    /// A client joins, and is connected with its data channel open when this returns.
    pub(super) fn join(&mut self, session: &'static str, dc_signaling: bool) {
        self.open(session, dc_signaling);
        self.first_offer(session);
        self.run_until(|world| world.client(session).channel.is_some());
        // The server's side of the channel, too.
        self.run(Duration::from_millis(100));
    }

    pub(super) fn open(&mut self, session: &'static str, dc_signaling: bool) {
        self.open_in("call", session, dc_signaling);
    }

    pub(super) fn open_in(&mut self, call: &str, session: &'static str, dc_signaling: bool) {
        let (call, id) = (call.to_owned(), session.to_owned());
        self.switch.open(self.now, id, call, dc_signaling);
        let port = 50_000 + self.clients.len() as u16;
        let client = Client::new(session, port, self.now);
        self.clients.insert(session, client);
    }

    pub(super) fn first_offer(&mut self, session: &'static str) {
        let client = self.client(session);
        let mut api = client.rtc.sdp_api();
        api.add_channel("calls-dc".to_owned());
        let (offer, pending) = api.apply().unwrap();
        client.pending = Some(pending);
        let json = serde_json::to_string(&offer).unwrap();
        self.switch.sdp(self.now, session, &json);
    }

    pub(super) fn client(&mut self, session: &'static str) -> &mut Client {
        self.clients.get_mut(session).unwrap()
    }

    /// Offers a track under the lock, over the data channel, and waits for the answer.
    pub(super) fn publish(
        &mut self,
        session: &'static str,
        kind: MediaKind,
        stream: &'static str,
    ) -> Mid {
        self.lock(session);
        let mid = self.offer_track(session, kind, stream);
        let answers = self.client(session).answers.len();
        self.run_until(|world| world.client(session).answers.len() > answers);
        self.client(session).say(&[8]);
        self.run(Duration::from_millis(20));
        mid
    }

    pub(super) fn lock(&mut self, session: &'static str) {
        for _ in 0..200 {
            self.client(session).messages.clear();
            self.client(session).say(&[7]);
            self.run_until(|world| !world.client(session).locks().is_empty());
            if self.client(session).locks() == [true] {
                return;
            }
            self.run(Duration::from_millis(50));
        }
        panic!("the lock was not granted");
    }

    pub(super) fn offer_track(
        &mut self,
        session: &'static str,
        kind: MediaKind,
        stream: &'static str,
    ) -> Mid {
        let client = self.client(session);
        let mut api = client.rtc.sdp_api();
        let stream = Some(stream.to_owned());
        let mid = api.add_media(kind, Direction::SendRecv, stream, None, None);
        let (offer, pending) = api.apply().unwrap();
        client.pending = Some(pending);
        let mut text = offer.to_sdp_string();
        if client.hides_ssrcs {
            let kept = text.lines().filter(|line| !line.starts_with("a=ssrc"));
            text = kept.map(|line| format!("{line}\r\n")).collect();
        }
        client.say_sdp("offer", &text);
        mid
    }

    /// Offers new ICE credentials under the lock, over the data channel.
    pub(super) fn restart_ice(&mut self, session: &'static str) {
        self.lock(session);
        let client = self.client(session);
        let mut api = client.rtc.sdp_api();
        api.ice_restart(true);
        let (offer, pending) = api.apply().unwrap();
        client.pending = Some(pending);
        client.say_sdp("offer", &offer.to_sdp_string());
        let answers = client.answers.len();
        self.run_until(|world| world.client(session).answers.len() > answers);
        self.client(session).say(&[8]);
    }

    /// Sends `count` packets, 20 ms apart, with the given level.
    pub(super) fn speak(
        &mut self,
        session: &'static str,
        mid: Mid,
        count: u64,
        level: impl Fn(u64) -> i8,
    ) {
        for n in 0..count {
            self.client(session).write(mid, level(n), &[1, 2, 3]);
            self.run(Duration::from_millis(20));
        }
    }

    pub(super) fn run_until(&mut self, mut done: impl FnMut(&mut Self) -> bool) {
        for _ in 0..30_000 {
            if done(self) {
                return;
            }
            self.run(Duration::from_millis(5));
        }
        panic!("it did not happen in 150 s");
    }

    /// Lets time pass, in steps of 5 ms.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now = end.min(self.now + Duration::from_millis(5));
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.now;
        for client in self.clients.values_mut() {
            if client.wake <= now {
                client.input(Input::Timeout(now));
            }
        }
        // Packets go to and fro until nobody has anything to say.
        for _ in 0..100 {
            self.switch.handle_time(now);
            self.switch.settle(now);
            self.signals();
            let mut busy = false;
            let mut transmits = Vec::new();
            self.switch.take_transmits(&mut transmits);
            for transmit in transmits {
                busy = true;
                if (self.lose)(&transmit) {
                    continue;
                }
                let to = self
                    .clients
                    .values_mut()
                    .find(|c| c.addr == transmit.destination);
                if let Some(client) = to {
                    client.receive(now, &transmit);
                }
            }
            for client in self.clients.values_mut() {
                while let Some(transmit) = client.outbox.pop_front() {
                    busy = true;
                    self.switch.handle_datagram(
                        now,
                        Protocol::Udp,
                        transmit.source,
                        transmit.destination,
                        &transmit.contents,
                    );
                }
            }
            if !busy {
                return;
            }
        }
    }

    fn signals(&mut self) {
        while let Some(event) = self.switch.events.pop_front() {
            let SfuEvent::Signal { session, json } = event else {
                self.events.push(event);
                continue;
            };
            let Some(client) = self.clients.values_mut().find(|c| c.session == session) else {
                continue;
            };
            if let Some(answer) = client.take_signal(&json) {
                let session = client.session;
                self.switch.sdp(self.now, session, &answer);
            }
        }
    }
}
