//! One client: its str0m instance, what it sends and what it is sent.
//!
//! Where pion and str0m differ and how it is bridged:
//!
//! * str0m gives an m-line its identity (msid, SSRC) when it is made; pion attaches tracks to lines later
//!   and takes them off again. So the lines are kept here and descriptions are edited ([`super::sdp`]).
//! * str0m only retransmits through RTX, which rtcd does not negotiate. NACKs are read from str0m's raw
//!   RTCP and answered by writing the packet again under its old number.
//! * str0m does not send NACKs for a stream without RTX; it is told to for video.
//! * TWCC feedback goes out each 50 ms (pion: 100 ms), and there is no bandwidth estimate towards
//!   receivers; layers are chosen by reported loss ([`super::layers`]).
//! * mids of lines that the SFU makes are three random characters (pion counts up).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::channel::ChannelId;
use str0m::media::{KeyframeRequestKind, Mid, Pt};
use str0m::net::{Receive, Transmit};
use str0m::rtp::rtcp::Rtcp;
use str0m::rtp::{ExtensionValues, RawPacket, RtpPacket, RtpWrite, SeqNo, Ssrc};
use str0m::{Event, Input, Output, Rtc};

use super::dc;
use super::engine::{Identity, config, guarded};
use super::layers::Layers;
use super::lines::Line;
use super::lock::SignalingLock;
use super::negotiation::Negotiation;
use super::sdp::PayloadTypes;
use super::track::{TrackId, TrackKind};
use super::vad::Vad;

/// What happened inside a peer.
#[derive(Debug)]
pub(crate) enum PeerEvent {
    Connected,
    ChannelOpen,
    Message(Vec<u8>),
    Rtp(Box<RtpPacket>),
    /// The receiver wants a key frame of what is sent on this line.
    KeyFrameWanted(Mid),
    /// The receiver misses packets: the low 16 bits of their numbers.
    Missing(Ssrc, Vec<u16>),
    /// The receiver reports this share of lost packets, 0…1.
    Loss(Ssrc, f32),
    /// The remote side closed.
    Closed,
    /// str0m gave up.
    Broken,
}

/// What a peer does with packets of one incoming SSRC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incoming {
    Track(TrackId),
    /// The stream was not announced in time: discarded for good.
    Discarded,
}

/// A track that this peer is sent.
#[derive(Debug)]
pub(crate) struct Out {
    pub(crate) track: TrackId,
    pub(crate) kind: TrackKind,
    pub(crate) mid: Mid,
    pub(crate) ssrc: Ssrc,
    /// Stream id and CNAME: the sender's session.
    pub(crate) stream: String,
    /// `<type>_<session>_<8 characters>`.
    pub(crate) label: String,
    /// Payload type of this receiver; known when its answer was applied, nothing is sent before.
    pub(crate) pt: Option<Pt>,
    /// Roll-overs of the source before the first packet: the receiver's SRTP counts from 0.
    roc: Option<u64>,
}

/// A client.
pub(crate) struct Peer {
    pub(crate) session: String,
    pub(crate) call: String,
    pub(crate) dc_signaling: bool,
    pub(crate) rtc: Rtc,
    pub(crate) channel: Option<ChannelId>,
    pub(crate) connected: bool,
    /// It reaches us through a relay only: no candidate but the relay's is told or tried.
    pub(crate) relayed: bool,
    pub(crate) last_heard: Instant,
    /// When str0m wants to be called again.
    pub(crate) wake: Option<Instant>,
    // Negotiation
    pub(crate) lock: SignalingLock,
    pub(crate) negotiation: Negotiation,
    pub(crate) lines: Vec<Line>,
    pub(crate) agreed: PayloadTypes,
    /// Stream id that the client announced for each line it sends on.
    pub(crate) streams: HashMap<Mid, String>,
    // What it is sent
    pub(crate) outs: Vec<Out>,
    pub(crate) layers: Layers,
    // What it sends
    pub(crate) incoming: HashMap<Ssrc, Incoming>,
    pub(crate) published: Vec<TrackId>,
    pub(crate) voice_enabled: bool,
    pub(crate) vad: Option<Vad>,
    pub(crate) screen_stream: Option<String>,
    pub(crate) video_stream: Option<String>,
    /// Tracks of the others have been queued (once, when the data channel opened).
    pub(crate) initialized: bool,
}

/// A packet of a source, kept for retransmission.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) seq: SeqNo,
    pub(crate) time: u32,
    pub(crate) marker: bool,
    pub(crate) level: Option<(i8, Option<bool>)>,
    pub(crate) payload: Arc<[u8]>,
    pub(crate) arrived: Instant,
}

impl Out {
    pub(crate) fn new(
        track: TrackId,
        kind: TrackKind,
        mid: Mid,
        ssrc: Ssrc,
        stream: String,
        label: String,
    ) -> Self {
        Self {
            track,
            kind,
            mid,
            ssrc,
            stream,
            label,
            pt: None,
            roc: None,
        }
    }
}

impl Peer {
    pub(crate) fn new(
        session: String,
        call: String,
        dc_signaling: bool,
        identity: &Identity,
        now: Instant,
    ) -> Self {
        Self {
            session,
            call,
            dc_signaling,
            rtc: config(identity).build(now),
            channel: None,
            connected: false,
            relayed: false,
            last_heard: now,
            wake: None,
            lock: SignalingLock::default(),
            negotiation: Negotiation::new(now),
            lines: Vec::new(),
            agreed: PayloadTypes::default(),
            streams: HashMap::new(),
            outs: Vec::new(),
            layers: Layers::default(),
            incoming: HashMap::new(),
            published: Vec::new(),
            voice_enabled: true,
            vad: None,
            screen_stream: None,
            video_stream: None,
            initialized: false,
        }
    }

    /// Hands a datagram over and collects what comes of it.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        receive: Receive<'_>,
        bytes: &[u8],
        transmits: &mut Vec<Transmit>,
    ) -> Vec<PeerEvent> {
        self.last_heard = now;
        self.guess_source(bytes);
        let taken = guarded(|| self.rtc.handle_input(Input::Receive(now, receive)));
        if !matches!(taken, Some(Ok(()))) {
            return vec![PeerEvent::Broken];
        }
        let mut events = Vec::new();
        self.drain(now, transmits, &mut events);
        events
    }

    /// MID is not negotiated for audio, so a stream without `a=ssrc` line belongs to nothing. pion takes it
    /// for the audio line that nothing has come on yet, and so does this.
    fn guess_source(&mut self, packet: &[u8]) {
        let [0x80..=0xbf, pt, _, _, _, _, _, _, a, b, c, d, ..] = *packet else {
            return;
        };
        let ssrc = Ssrc::from(u32::from_be_bytes([a, b, c, d]));
        if Some(pt & 0x7f) != self.agreed.opus || self.incoming.contains_key(&ssrc) {
            return;
        }
        let sending = self.sending_lines();
        let mut direct = self.rtc.direct_api();
        if direct.stream_rx(&ssrc).is_some() {
            return;
        }
        for mid in sending {
            if direct.stream_rx_by_mid(mid, None).is_none() {
                let stream = direct.expect_stream_rx(ssrc, None, mid, None);
                stream.suppress_nack(true); // Sound is never repeated.
                return;
            }
        }
    }

    /// Lets time pass and collects what comes of it.
    pub(crate) fn settle(&mut self, now: Instant, transmits: &mut Vec<Transmit>) -> Vec<PeerEvent> {
        let mut events = Vec::new();
        // A timeout may be due at once (written packets are); a few rounds always suffice.
        for _ in 0..8 {
            let taken = guarded(|| self.rtc.handle_input(Input::Timeout(now)));
            if !matches!(taken, Some(Ok(()))) {
                events.push(PeerEvent::Broken);
                break;
            }
            self.drain(now, transmits, &mut events);
            if self.wake.is_none_or(|wake| wake > now) {
                return events;
            }
        }
        self.wake = Some(now + Duration::from_millis(1));
        events
    }

    fn drain(&mut self, now: Instant, transmits: &mut Vec<Transmit>, events: &mut Vec<PeerEvent>) {
        loop {
            match guarded(|| self.rtc.poll_output()) {
                Some(Ok(Output::Timeout(at))) => {
                    // str0m says "never" with an instant decades away.
                    self.wake = (at < now + Duration::from_secs(3600)).then_some(at);
                    return;
                }
                Some(Ok(Output::Transmit(transmit))) => transmits.push(transmit),
                Some(Ok(Output::Event(event))) => self.translate(event, events),
                Some(Err(error)) => {
                    tracing::debug!(session = %self.session, %error, "peer failed");
                    events.push(PeerEvent::Broken);
                    return;
                }
                None => {
                    events.push(PeerEvent::Broken);
                    return;
                }
            }
        }
    }

    fn translate(&mut self, event: Event, events: &mut Vec<PeerEvent>) {
        match event {
            Event::Connected => events.push(PeerEvent::Connected),
            Event::ChannelOpen(id, label) => {
                tracing::debug!(session = %self.session, label, "data channel open");
                self.channel = Some(id);
                events.push(PeerEvent::ChannelOpen);
            }
            Event::ChannelData(data) => events.push(PeerEvent::Message(data.data)),
            Event::RtpPacket(packet) => events.push(PeerEvent::Rtp(Box::new(packet))),
            Event::KeyframeRequest(request) if request.kind == KeyframeRequestKind::Pli => {
                events.push(PeerEvent::KeyFrameWanted(request.mid));
            }
            Event::RawPacket(packet) => {
                if let RawPacket::RtcpRx(rtcp) = *packet {
                    feedback(&rtcp, events);
                }
            }
            Event::Closed => events.push(PeerEvent::Closed),
            _ => {}
        }
    }

    /// Writes on the data channel; `false` when it is not open or full.
    pub(crate) fn send(&mut self, message: &dc::Outgoing<'_>) -> bool {
        let Ok(bytes) = dc::encode(message) else {
            return false;
        };
        self.send_raw(true, &bytes)
    }

    pub(crate) fn send_raw(&mut self, binary: bool, bytes: &[u8]) -> bool {
        self.channel
            .and_then(|id| self.rtc.channel(id))
            .is_some_and(|mut channel| channel.write(binary, bytes).unwrap_or(false))
    }

    pub(crate) fn out(&mut self, track: TrackId) -> Option<&mut Out> {
        self.outs.iter_mut().find(|out| out.track == track)
    }

    /// Forwards a packet; `false` when this peer is not (yet) sent the track.
    pub(crate) fn forward(&mut self, track: TrackId, packet: &Packet) -> bool {
        let Some(out) = self.outs.iter_mut().find(|out| out.track == track) else {
            return false;
        };
        let Some(pt) = out.pt else {
            return false;
        };
        let base = *out.roc.get_or_insert(packet.seq.roc()) << 16;
        let Some(seq) = packet.seq.checked_sub(base) else {
            return false; // From before this receiver's first packet.
        };
        let mut extensions = ExtensionValues::default();
        if let Some((level, voice)) = packet.level {
            extensions.audio_level = Some(level);
            // str0m writes the extension only with both.
            extensions.voice_activity = Some(voice.unwrap_or(false));
        }
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx(&out.ssrc) else {
            return false;
        };
        let write = RtpWrite::new(
            pt,
            seq.into(),
            packet.time,
            packet.arrived,
            Arc::clone(&packet.payload),
        )
        .marker(packet.marker)
        .ext_vals(extensions);
        stream.write_rtp(write);
        true
    }

    /// Asks the client for a key frame.
    pub(crate) fn want_key_frame(&mut self, ssrc: Ssrc) {
        if let Some(stream) = self.rtc.direct_api().stream_rx(&ssrc) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    /// Lets the client repeat lost packets of this stream.
    pub(crate) fn want_repeats(&mut self, ssrc: Ssrc) {
        let mut direct = self.rtc.direct_api();
        if let Some((mid, rid)) = direct
            .stream_rx(&ssrc)
            .map(|stream| (stream.mid(), stream.rid()))
            // Asked for by line, since that makes str0m look again at who wants repeats.
            && let Some(stream) = direct.stream_rx_by_mid(mid, rid)
        {
            stream.suppress_nack(false);
        }
    }

    /// The payload type under which this peer takes what is sent on a line.
    pub(crate) fn payload_type(&self, mid: Mid) -> Option<Pt> {
        let media = self.rtc.media(mid)?;
        let codecs = self.rtc.codec_config();
        media
            .remote_pts()
            .iter()
            .copied()
            .find(|pt| codecs.params().iter().any(|params| params.pt() == *pt))
    }
}

fn feedback(rtcp: &Rtcp, events: &mut Vec<PeerEvent>) {
    match rtcp {
        Rtcp::Nack(nack) => {
            let missing = nack
                .reports
                .iter()
                .flat_map(|entry| {
                    let rest = (0..16).filter(|bit| entry.blp >> bit & 1 == 1);
                    std::iter::once(entry.pid)
                        .chain(rest.map(|bit| entry.pid.wrapping_add(bit + 1)))
                })
                .collect();
            events.push(PeerEvent::Missing(nack.ssrc, missing));
        }
        Rtcp::ReceiverReport(report) => {
            for block in report.reports.iter() {
                let loss = f32::from(block.fraction_lost) / 256.0;
                events.push(PeerEvent::Loss(block.ssrc, loss));
            }
        }
        _ => {}
    }
}
