//! A client made of str0m, without sockets.

use crate::sfu::engine::Identity;
use crate::sfu::sdp::Sdp;
use std::collections::{HashMap, VecDeque};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Frequency, KeyframeRequestKind, Mid};
use str0m::net::{Protocol, Receive, Transmit};
use str0m::rtp::{Extension, ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

/// What a client does with an offer of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sfu) enum Manners {
    Answers,
    Ignores,
}

pub(in crate::sfu) struct Client {
    pub(in crate::sfu) rtc: Rtc,
    pub(super) addr: SocketAddr,
    pub(in crate::sfu) session: &'static str,
    pub(in crate::sfu) channel: Option<ChannelId>,
    pub(in crate::sfu) connected: bool,
    pub(in crate::sfu) manners: Manners,
    /// Offers have no `a=ssrc` lines.
    pub(in crate::sfu) hides_ssrcs: bool,
    pub(super) pending: Option<SdpPendingOffer>,
    /// Offers of the server, as text.
    pub(in crate::sfu) offers: Vec<String>,
    /// Answers of the server.
    pub(in crate::sfu) answers: Vec<String>,
    pub(in crate::sfu) candidates: Vec<String>,
    /// Messages on the data channel, as they came.
    pub(in crate::sfu) messages: Vec<Vec<u8>>,
    pub(in crate::sfu) packets: Vec<RtpPacket>,
    pub(in crate::sfu) key_frames_wanted: usize,
    pub(in crate::sfu) closed: bool,
    pub(super) outbox: VecDeque<Transmit>,
    pub(super) wake: Instant,
    pub(super) now: Instant,
    /// Packets written on each line.
    sent: HashMap<Mid, u64>,
}

impl Client {
    pub(super) fn new(session: &'static str, port: u16, now: Instant) -> Self {
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
    pub(in crate::sfu) fn write(&mut self, mid: Mid, level: i8, payload: &[u8]) {
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

    pub(in crate::sfu) fn want_key_frame(&mut self, mid: Mid) {
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_rx_by_mid(mid, None).unwrap();
        stream.request_keyframe(KeyframeRequestKind::Pli);
    }

    pub(in crate::sfu) fn say(&mut self, bytes: &[u8]) {
        let channel = self.channel.unwrap();
        assert!(
            self.rtc
                .channel(channel)
                .unwrap()
                .write(true, bytes)
                .unwrap()
        );
    }

    pub(in crate::sfu) fn say_sdp(&mut self, kind: &str, sdp: &str) {
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
    pub(in crate::sfu) fn locks(&self) -> Vec<bool> {
        let locks = self.messages.iter().filter(|m| m[..2] == [0xcc, 7]);
        locks.map(|m| m[2] == 0xc3).collect()
    }

    /// The newest offer of the server.
    pub(in crate::sfu) fn last_offer(&self) -> Sdp {
        Sdp::parse(self.offers.last().unwrap()).unwrap()
    }

    pub(super) fn take_signal(&mut self, json: &str) -> Option<String> {
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
    pub(super) fn take_description(&mut self, json: &str) -> Option<String> {
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

    pub(super) fn receive(&mut self, now: Instant, transmit: &Transmit) {
        let receive = Receive::new(
            Protocol::Udp,
            transmit.source,
            transmit.destination,
            &transmit.contents,
        )
        .unwrap();
        self.input(Input::Receive(now, receive));
    }

    pub(super) fn input(&mut self, input: Input<'_>) {
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

    pub(super) fn take(&mut self, event: Event) {
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
