//! What comes: RTP by SSRC into the engine's inlets, and the other side's reports.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use calls_core::id::{SessionId, TrackId};
use calls_core::model::StreamStats;
use calls_core::port::media::{Feedback, Layer, MediaKind, MediaPacket, MediaPort, PacketInlet};
use rtc::interceptor::{
    Attribute, AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket,
};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;
use rtc::shared::marshal::MarshalSize;

use super::lock;
use super::stats::{Interval, Meter, Reception, Report, Totals};

/// RTP clock of voice.
const VOICE_CLOCK: u32 = 48_000;
/// RTP clock of pictures.
const VIDEO_CLOCK: u32 = 90_000;
/// Pace of requests for a key frame. The server passes on one a second; which one, is its business.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// So often it is looked whether somebody wants one.
const ASK_LOOK: Duration = Duration::from_millis(100);

/// Streams of ours that are counted. A call has a voice and at most three of a screen; each rejoining has new ones.
const SENT: usize = 16;

/// Where packets go, and what they tell.
pub(super) struct Ears {
    routes: Vec<Route>,
    meter: Meter,
    voice: Option<u32>,
    /// The SSRC of our screen's sound.
    sound: Option<u32>,
    /// Our shared screen's streams.
    screen: Vec<(u32, Layer)>,
    /// Who wants to hear what the network says.
    engine: Option<Arc<dyn MediaPort>>,
    /// Bits per second for everything; 0 until there is an estimate.
    budget: Arc<AtomicU32>,
    /// The newest report about our voice, and packets lost since it began.
    heard: Option<(Report, u64)>,
    sent: BTreeMap<u32, Totals>,
    strays: u64,
}

struct Route {
    video: bool,
    id: TrackId,
    session: SessionId,
    ssrcs: Vec<u32>,
    kind: MediaKind,
    inlet: Box<dyn PacketInlet>,
    reception: Reception,
    asked: Option<Instant>,
}

impl Default for Ears {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            meter: Meter::new(Instant::now()),
            voice: None,
            sound: None,
            screen: Vec::new(),
            engine: None,
            budget: Arc::default(),
            heard: None,
            sent: BTreeMap::new(),
            strays: 0,
        }
    }
}

impl Ears {
    /// The SSRC of our own voice: reports about it matter.
    pub(super) fn set_voice(&mut self, ssrc: u32) {
        self.voice = Some(ssrc);
    }

    /// The SSRC of our screen's sound, while there is one.
    pub(super) fn set_sound(&mut self, ssrc: Option<u32>) {
        self.sound = ssrc;
    }

    /// The streams of our shared screen: requests about them matter.
    pub(super) fn set_screen(&mut self, streams: Vec<(u32, Layer)>) {
        self.screen = streams;
    }

    /// Who is told what the network says.
    pub(super) fn set_engine(&mut self, engine: Arc<dyn MediaPort>) {
        self.engine = Some(engine);
    }

    /// The newest estimate of what may be sent, bits per second; 0 until there is one.
    pub(super) fn budget(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.budget)
    }

    fn tell(&self, feedback: Feedback) {
        if let Some(engine) = &self.engine {
            engine.feedback(feedback);
        }
    }

    fn estimated(&mut self, bits_per_second: f64) {
        let bits = bits_per_second as u32;
        self.budget.store(bits, Ordering::Relaxed);
        self.tell(Feedback::Budget(bits));
    }

    /// The streams that need a key frame and were not asked for one just now.
    fn wanting(&mut self, now: Instant) -> Vec<u32> {
        let mut wanting = Vec::new();
        for route in &mut self.routes {
            let early = route
                .asked
                .is_some_and(|at| now.saturating_duration_since(at) < ASK_AGAIN);
            if !early && route.kind == MediaKind::Screen && route.inlet.wants_key_frame() {
                route.asked = Some(now);
                wanting.extend(route.ssrcs.first());
            }
        }
        wanting
    }

    fn watches(&self) -> bool {
        self.routes
            .iter()
            .any(|route| route.kind == MediaKind::Screen)
    }

    /// Adds a route; one with the same name or stream is replaced.
    pub(super) fn open(
        &mut self,
        id: TrackId,
        session: SessionId,
        kind: MediaKind,
        ssrcs: Vec<u32>,
        inlet: Box<dyn PacketInlet>,
    ) {
        self.routes
            .retain(|route| route.id != id && !route.ssrcs.iter().any(|s| ssrcs.contains(s)));
        let clock = match kind {
            MediaKind::Voice | MediaKind::ScreenAudio => VOICE_CLOCK,
            MediaKind::Screen => VIDEO_CLOCK,
        };
        self.routes.push(Route {
            id,
            session,
            ssrcs,
            kind,
            inlet,
            reception: Reception::new(clock),
            asked: None,
            video: kind == MediaKind::Screen,
        });
    }

    /// Removes a route.
    pub(super) fn close(&mut self, id: &TrackId) {
        self.routes.retain(|route| route.id != *id);
    }

    /// Ends the interval of the figures.
    pub(super) fn measure(&mut self, now: Instant) -> Interval {
        let receptions = self.routes.iter_mut().map(|route| &mut route.reception);
        self.meter.measure(now, receptions)
    }

    /// What every stream has counted.
    pub(super) fn streams(&self) -> Vec<StreamStats> {
        let came = self.routes.iter().map(|route| {
            let ssrc = route.ssrcs.first().copied().unwrap_or(0);
            StreamStats {
                session: Some(route.session.clone()),
                ..route.reception.told(ssrc, route.video)
            }
        });
        let went = self.sent.iter().map(|(ssrc, totals)| {
            let voice = Some(*ssrc) == self.voice;
            let (report, lost) = self.heard.filter(|_| voice).unzip();
            StreamStats {
                sent: true,
                video: !voice && Some(*ssrc) != self.sound,
                lost: lost.unwrap_or(0),
                jitter: report.map_or(0.0, |report| report.jitter),
                fraction_lost: report.map_or(0.0, |report| f64::from(report.loss)),
                ..totals.told(*ssrc)
            }
        });
        came.chain(went).collect()
    }

    /// A packet of ours goes.
    fn went(&mut self, packet: &rtc::rtp::Packet) {
        let bytes = packet.marshal_size();
        self.meter.went(bytes);
        let ssrc = packet.header.ssrc;
        if self.sent.len() < SENT || self.sent.contains_key(&ssrc) {
            self.sent.entry(ssrc).or_default().sent(bytes);
        }
    }

    fn rtp(&mut self, packet: &rtc::rtp::Packet, arrived: Instant) {
        self.meter.came(packet.marshal_size());
        let header = &packet.header;
        // A handful of routes, so a scan beats a map.
        let route = self
            .routes
            .iter_mut()
            .find(|route| route.ssrcs.contains(&header.ssrc));
        let Some(route) = route else {
            self.strays += 1;
            if self.strays.is_power_of_two() {
                tracing::debug!(
                    ssrc = header.ssrc,
                    strays = self.strays,
                    "unexpected stream"
                );
            }
            return;
        };
        route.reception.packet(
            header.sequence_number,
            header.timestamp,
            header.marker,
            arrived,
        );
        route.reception.weighed(packet.marshal_size());
        // Padding says nothing, but it fills the numbering of pictures, where a gap would be waited for.
        if packet.payload.is_empty() && route.kind != MediaKind::Screen {
            return;
        }
        // A full inlet counts what it drops; there is nobody else to tell.
        let _ = route.inlet.push(MediaPacket {
            seq: header.sequence_number,
            rtp_time: header.timestamp,
            marker: header.marker,
            arrived,
            data: packet.payload.clone(),
        });
    }

    fn rtcp(&mut self, packets: &[Box<dyn rtc::rtcp::Packet>]) {
        for packet in packets {
            self.meter.came(packet.marshal_size());
            let any = packet.as_any();
            // Senders report inside their own sender reports.
            if let Some(report) = any.downcast_ref::<ReceiverReport>() {
                self.reports(&report.reports);
            } else if let Some(report) = any.downcast_ref::<SenderReport>() {
                self.reports(&report.reports);
            } else if let Some(request) = any.downcast_ref::<PictureLossIndication>() {
                self.key_frame(request.media_ssrc);
            } else if let Some(request) = any.downcast_ref::<FullIntraRequest>() {
                for entry in &request.fir {
                    self.key_frame(entry.ssrc);
                }
            }
        }
    }

    fn key_frame(&self, ssrc: u32) {
        if let Some((_, layer)) = self.screen.iter().find(|(known, _)| *known == ssrc) {
            self.tell(Feedback::KeyFrame(*layer));
        }
    }

    fn reports(&mut self, reports: &[ReceptionReport]) {
        for report in reports {
            if Some(report.ssrc) == self.voice {
                let told = Report {
                    loss: f32::from(report.fraction_lost) / 256.0,
                    jitter: f64::from(report.jitter) / f64::from(VOICE_CLOCK),
                };
                self.heard = Some((told, u64::from(report.total_lost)));
                self.meter.reported(told);
            }
        }
    }
}

/// The interceptor nearest to the application. It takes RTP out of the chain: the stack's own tracks would queue it
/// once more, and log each packet that nobody fetches there.
pub(super) struct Tap {
    ears: Arc<Mutex<Ears>>,
    reads: VecDeque<TaggedPacket>,
    writes: VecDeque<TaggedPacket>,
    looked: Option<Instant>,
}

impl Tap {
    pub(super) fn new(ears: Arc<Mutex<Ears>>) -> Self {
        Self {
            ears,
            reads: VecDeque::new(),
            writes: VecDeque::new(),
            looked: None,
        }
    }

    /// Asks for the key frames that are wanted.
    fn ask(&mut self, now: Instant) {
        self.looked = Some(now);
        for media_ssrc in lock(&self.ears).wanting(now) {
            let request = PictureLossIndication {
                sender_ssrc: 0,
                media_ssrc,
            };
            self.writes.push_back(TaggedPacket {
                now,
                transport: TransportContext::default(),
                message: AttributedPacket::new(Packet::Rtcp(vec![Box::new(request)])),
            });
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Tap {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        let any = Attribute::TargetBitrateChanged {
            bits_per_second: 0.0,
        };
        if let Some(Attribute::TargetBitrateChanged { bits_per_second }) = message.message.get(&any)
        {
            lock(&self.ears).estimated(*bits_per_second);
        }
        match &message.message.packet {
            Packet::Rtp(packet) => lock(&self.ears).rtp(packet, message.now),
            Packet::Rtcp(packets) => {
                lock(&self.ears).rtcp(packets);
                self.reads.push_back(message);
            }
            _ => self.reads.push_back(message),
        }
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.reads.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &message.message.packet {
            lock(&self.ears).went(packet);
        }
        self.writes.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        if self
            .looked
            .is_none_or(|at| now.saturating_duration_since(at) >= ASK_LOOK)
        {
            self.ask(now);
        }
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        if !lock(&self.ears).watches() {
            return None;
        }
        Some(self.looked.map_or_else(Instant::now, |at| at + ASK_LOOK))
    }
}

impl Interceptor for Tap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
