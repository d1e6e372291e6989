//! What comes: RTP by SSRC into the engine's inlets, and the other side's reports.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use calls_core::id::TrackId;
use calls_core::port::media::{MediaKind, MediaPacket, PacketInlet};
use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use rtc::shared::marshal::MarshalSize;

use super::lock;
use super::stats::{Interval, Meter, Reception, Report};

/// RTP clock of voice.
const VOICE_CLOCK: u32 = 48_000;
/// RTP clock of pictures.
const VIDEO_CLOCK: u32 = 90_000;

/// Where packets go, and what they tell.
pub(super) struct Ears {
    routes: Vec<Route>,
    meter: Meter,
    voice: Option<u32>,
    strays: u64,
}

struct Route {
    id: TrackId,
    ssrcs: Vec<u32>,
    inlet: Box<dyn PacketInlet>,
    reception: Reception,
}

impl Default for Ears {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            meter: Meter::new(Instant::now()),
            voice: None,
            strays: 0,
        }
    }
}

impl Ears {
    /// The SSRC of our own voice: reports about it matter.
    pub(super) fn set_voice(&mut self, ssrc: u32) {
        self.voice = Some(ssrc);
    }

    /// Adds a route; one with the same name or stream is replaced.
    pub(super) fn open(
        &mut self,
        id: TrackId,
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
            ssrcs,
            inlet,
            reception: Reception::new(clock),
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
        if packet.payload.is_empty() {
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
            }
        }
    }

    fn reports(&mut self, reports: &[ReceptionReport]) {
        for report in reports {
            if Some(report.ssrc) == self.voice {
                self.meter.reported(Report {
                    loss: f32::from(report.fraction_lost) / 256.0,
                    jitter: f64::from(report.jitter) / f64::from(VOICE_CLOCK),
                });
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
}

impl Tap {
    pub(super) fn new(ears: Arc<Mutex<Ears>>) -> Self {
        Self {
            ears,
            reads: VecDeque::new(),
            writes: VecDeque::new(),
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
            lock(&self.ears).meter.went(packet.marshal_size());
        }
        self.writes.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.writes.pop_front()
    }
}

impl Interceptor for Tap {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
