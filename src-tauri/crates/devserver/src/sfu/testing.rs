//! Whole calls in virtual time: clients made of str0m around one [`Switch`], no sockets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{HashMap, VecDeque};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Direction, Frequency, KeyframeRequestKind, MediaKind, Mid};
use str0m::net::{Protocol, Receive, Transmit};
use str0m::rtp::{Extension, ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use super::SfuEvent;
use super::engine::Identity;
use super::sdp::Sdp;
use super::switch::{Setup, Switch};

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

/// What a client does with an offer of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manners {
    Answers,
    Ignores,
}

pub(super) struct Client {
    pub(super) rtc: Rtc,
    addr: SocketAddr,
    pub(super) session: &'static str,
    pub(super) channel: Option<ChannelId>,
    pub(super) connected: bool,
    pub(super) manners: Manners,
    /// Offers have no `a=ssrc` lines.
    pub(super) hides_ssrcs: bool,
    pending: Option<SdpPendingOffer>,
    /// Offers of the server, as text.
    pub(super) offers: Vec<String>,
    /// Answers of the server.
    pub(super) answers: Vec<String>,
    pub(super) candidates: Vec<String>,
    /// Messages on the data channel, as they came.
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) packets: Vec<RtpPacket>,
    pub(super) key_frames_wanted: usize,
    pub(super) closed: bool,
    outbox: VecDeque<Transmit>,
    wake: Instant,
    now: Instant,
    /// Packets written on each line.
    sent: HashMap<Mid, u64>,
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

impl Client {
    fn new(session: &'static str, port: u16, now: Instant) -> Self {
        let identity = Identity::new().unwrap();
        let mut config = RtcConfig::new()
            .clear_codecs()
            .set_crypto_provider(identity.provider)
            .set_dtls_cert(identity.certificate)
            .clear_extension_map()
            .set_extension(1, Extension::AudioLevel)
            .set_extension(2, Extension::RtpMid)
            .set_extension(3, Extension::RtpStreamId)
            .set_extension(5, Extension::TransportSequenceNumber)
            .set_rtp_mode(true);
        // Payload types of their own, so that the SFU has to translate.
        let opus = 100 + (port % 8) as u8;
        config.codec_config().add_config(
            opus.into(),
            None,
            Codec::Opus,
            Frequency::FORTY_EIGHT_KHZ,
            Some(2),
            FormatParams::default(),
        );
        config.codec_config().add_config(
            (opus + 10).into(),
            None,
            Codec::Vp8,
            Frequency::NINETY_KHZ,
            None,
            FormatParams::default(),
        );
        let mut rtc = config.build(now);
        let addr: SocketAddr = ([10, 0, 0, 2], port).into();
        rtc.add_local_candidate(Candidate::host(addr, "udp").unwrap());
        Self {
            rtc,
            addr,
            session,
            channel: None,
            connected: false,
            manners: Manners::Answers,
            hides_ssrcs: false,
            pending: None,
            offers: Vec::new(),
            answers: Vec::new(),
            candidates: Vec::new(),
            messages: Vec::new(),
            packets: Vec::new(),
            key_frames_wanted: 0,
            closed: false,
            outbox: VecDeque::new(),
            wake: now,
            now,
            sent: HashMap::new(),
        }
    }

    /// Sends a packet on a line; numbers and times count up by themselves.
    pub(super) fn write(&mut self, mid: Mid, level: i8, payload: &[u8]) {
        let pt = self.rtc.media(mid).unwrap().remote_pts()[0];
        let n = self.sent.entry(mid).or_insert(0);
        let extensions = ExtensionValues {
            audio_level: Some(level),
            voice_activity: Some(false),
            ..ExtensionValues::default()
        };
        let write = RtpWrite::new(pt, (1000 + *n).into(), 960 * *n as u32, self.now, payload)
            .ext_vals(extensions);
        *n += 1;
        let mut direct = self.rtc.direct_api();
        direct.stream_tx_by_mid(mid, None).unwrap().write_rtp(write);
        self.wake = self.now;
    }

    pub(super) fn want_key_frame(&mut self, mid: Mid) {
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_rx_by_mid(mid, None).unwrap();
        stream.request_keyframe(KeyframeRequestKind::Pli);
    }

    pub(super) fn say(&mut self, bytes: &[u8]) {
        let channel = self.channel.unwrap();
        assert!(
            self.rtc
                .channel(channel)
                .unwrap()
                .write(true, bytes)
                .unwrap()
        );
    }

    pub(super) fn say_sdp(&mut self, kind: &str, sdp: &str) {
        let json = serde_json::json!({"type": kind, "sdp": sdp}).to_string();
        let mut packer =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        packer.write_all(json.as_bytes()).unwrap();
        let packed = packer.finish().unwrap();
        let mut message = vec![3, 0xc5];
        message.extend_from_slice(&(packed.len() as u16).to_be_bytes());
        message.extend_from_slice(&packed);
        self.say(&message);
    }

    /// The lock's answers among the messages.
    pub(super) fn locks(&self) -> Vec<bool> {
        let locks = self.messages.iter().filter(|m| m[..2] == [0xcc, 7]);
        locks.map(|m| m[2] == 0xc3).collect()
    }

    /// The newest offer of the server.
    pub(super) fn last_offer(&self) -> Sdp {
        Sdp::parse(self.offers.last().unwrap()).unwrap()
    }

    fn take_signal(&mut self, json: &str) -> Option<String> {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        if value["type"] == "candidate" {
            let text = value["candidate"]["candidate"].as_str().unwrap();
            self.candidates.push(text.to_owned());
            if text.contains(" udp ") {
                let candidate = Candidate::from_sdp_string(text).unwrap();
                self.rtc.add_remote_candidate(candidate);
            }
            return None;
        }
        self.take_description(json)
    }

    /// Applies a description; gives the answer to send.
    fn take_description(&mut self, json: &str) -> Option<String> {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let sdp = value["sdp"].as_str().unwrap();
        if value["type"] == "answer" {
            self.answers.push(sdp.to_owned());
            // Some tests offer in the client's name.
            let pending = self.pending.take()?;
            let answer = SdpAnswer::from_sdp_string(sdp).unwrap();
            self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
            return None;
        }
        self.offers.push(sdp.to_owned());
        if self.manners == Manners::Ignores {
            return None;
        }
        let offer = SdpOffer::from_sdp_string(sdp).unwrap();
        let answer = self.rtc.sdp_api().accept_offer(offer).unwrap();
        Some(serde_json::to_string(&answer).unwrap())
    }

    fn receive(&mut self, now: Instant, transmit: &Transmit) {
        let receive = Receive::new(
            Protocol::Udp,
            transmit.source,
            transmit.destination,
            &transmit.contents,
        )
        .unwrap();
        self.input(Input::Receive(now, receive));
    }

    fn input(&mut self, input: Input<'_>) {
        let now = match &input {
            Input::Timeout(now) | Input::Receive(now, _) => *now,
        };
        self.now = now;
        self.rtc.handle_input(input).unwrap();
        for _ in 0..1000 {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) if at <= now && self.rtc.is_alive() => {
                    self.rtc.handle_input(Input::Timeout(now)).unwrap();
                }
                Output::Timeout(at) => {
                    self.wake = at.min(now + Duration::from_millis(5));
                    return;
                }
                Output::Transmit(transmit) => self.outbox.push_back(transmit),
                Output::Event(event) => self.take(event),
            }
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Connected => self.connected = true,
            Event::ChannelOpen(id, _) => self.channel = Some(id),
            Event::ChannelData(data) => {
                let answer = sdp_message(&data.data).and_then(|json| self.take_description(&json));
                if let Some(answer) = answer {
                    let value: serde_json::Value = serde_json::from_str(&answer).unwrap();
                    self.say_sdp("answer", value["sdp"].as_str().unwrap());
                }
                self.messages.push(data.data);
            }
            Event::RtpPacket(packet) => self.packets.push(packet),
            Event::KeyframeRequest(_) => self.key_frames_wanted += 1,
            Event::Closed => self.closed = true,
            _ => {}
        }
    }
}

fn sdp_message(message: &[u8]) -> Option<String> {
    let ([0xcc, 3, 0xc4, _, packed @ ..] | [0xcc, 3, 0xc5, _, _, packed @ ..]) = message else {
        return None;
    };
    let mut json = String::new();
    flate2::read::ZlibDecoder::new(packed)
        .read_to_string(&mut json)
        .unwrap();
    Some(json)
}
