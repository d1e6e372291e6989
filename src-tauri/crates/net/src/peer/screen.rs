//! Our shared screen: VP8 frames into RTP (RFC 7741), one stream or two layers of one track.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use calls_core::port::media::{EncodedFrame, FrameOutlet, Layer, MediaKind};
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp;
use rtc::rtp::extension::HeaderExtension;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use rtc::shared::error::Error as WireError;
use rtc::shared::marshal::{Marshal, MarshalSize};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::PeerConnection;
use webrtc::rtp_transceiver::RtpTransceiver;

use super::config::{MID_URI, RID_URI, VP8_PAYLOAD_TYPE, vp8};
use super::media;
use super::send::random;
use crate::error::NetError;

/// Frames between engine and network: one of each layer, and one more while the first is being sent.
const FRAMES: usize = 4;
/// Bytes of VP8 in a packet: with all headers and the encryption it stays below what every network carries (1200 of
/// UDP payload).
const PAYLOAD: usize = 1100;
/// Packets leave at this multiple of the budget: a key frame is through quickly, and still does not arrive as one
/// burst that overflows somebody's buffer.
const PACE: u64 = 4;
/// The same, in halves, on a line that has shown its limits: what is sent faster than it carries waits before the line,
/// and the voice that comes after it waits, too.
const THIN_PACE: u64 = 3;
/// Below this budget a line is thin: it is the one that is begun with, so it has been cut.
const THIN: u64 = START;
/// What is begun with.
const START: u64 = super::budget::START as u64;
/// Never slower: a picture must get through.
const LEAST_PACE: u64 = 500_000;
/// Packets are spread over steps of this length.
const STEP: Duration = Duration::from_millis(2);

/// One encoding's stream.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    pub(super) layer: Layer,
    pub(super) ssrc: u32,
    rid: Option<&'static str>,
}

/// The screen track of one peer.
pub(super) struct Screen {
    transceiver: Arc<dyn RtpTransceiver>,
    track: Arc<TrackLocalStaticRTP>,
    streams: Vec<Stream>,
    connected: Arc<AtomicBool>,
    budget: Arc<AtomicU32>,
    writer: Option<JoinHandle<()>>,
}

impl Screen {
    /// Adds the track on a media section of its own, for sending only. `stream` is the name that the server was told.
    pub(super) async fn add(
        connection: &dyn PeerConnection,
        connected: Arc<AtomicBool>,
        budget: Arc<AtomicU32>,
        stream: &str,
        simulcast: bool,
    ) -> Result<Self, NetError> {
        // Only these names exist for the server, and this order is the official client's.
        let layers: &[(Layer, Option<&'static str>)] = if simulcast {
            &[(Layer::Low, Some("l")), (Layer::High, Some("h"))]
        } else {
            &[(Layer::Low, None)]
        };
        let streams: Vec<Stream> = layers
            .iter()
            .map(|(layer, rid)| Stream {
                layer: *layer,
                ssrc: random() as u32,
                rid: *rid,
            })
            .collect();
        let encodings: Vec<_> = streams
            .iter()
            .map(|stream| RTCRtpEncodingParameters {
                rtp_coding_parameters: RTCRtpCodingParameters {
                    rid: stream.rid.unwrap_or_default().into(),
                    ssrc: Some(stream.ssrc),
                    ..Default::default()
                },
                active: true,
                codec: vp8(),
                ..Default::default()
            })
            .collect();
        let track = MediaStreamTrack::new(
            stream.to_owned(),
            format!("{:016x}", random()),
            "screen".to_owned(),
            RtpCodecKind::Video,
            encodings.clone(),
        );
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        let init = RTCRtpTransceiverInit {
            direction: RTCRtpTransceiverDirection::Sendonly,
            streams: vec![stream.to_owned()],
            send_encodings: encodings,
        };
        let transceiver = connection
            .add_transceiver_from_track(Arc::clone(&track) as _, Some(init))
            .await
            .map_err(media)?;
        Ok(Self {
            transceiver,
            track,
            streams,
            connected,
            budget,
            writer: None,
        })
    }

    pub(super) fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// The engine's end, once the track is negotiated.
    pub(super) async fn outlet(&mut self) -> Result<Box<dyn FrameOutlet>, NetError> {
        let sender = self.transceiver.sender().await.map_err(media)?;
        let mut payload_type = VP8_PAYLOAD_TYPE;
        if let Some(sender) = sender {
            let parameters = sender.get_parameters().await.map_err(media)?;
            if let Some(codec) = parameters.rtp_parameters.codecs.first() {
                payload_type = codec.payload_type;
            }
        }
        let mid = self.transceiver.mid().await.map_err(media)?;
        if let Some(writer) = self.writer.take() {
            writer.abort();
        }
        let (frames, inbox) = mpsc::channel(FRAMES);
        let writer = Writer {
            inbox,
            track: Arc::clone(&self.track),
            connected: Arc::clone(&self.connected),
            budget: Arc::clone(&self.budget),
            mid: mid.unwrap_or_default(),
            streams: self
                .streams
                .iter()
                .map(|stream| (stream.clone(), Packetizer::new(payload_type, stream.ssrc)))
                .collect(),
            free_at: Instant::now(),
        };
        self.writer = Some(tokio::spawn(writer.run()));
        Ok(Box::new(Outlet(frames)))
    }

    /// Takes the track away again, to be offered next.
    pub(super) async fn remove(mut self, connection: &dyn PeerConnection) -> Result<(), NetError> {
        if let Some(writer) = self.writer.take() {
            writer.abort();
        }
        match self.transceiver.sender().await.map_err(media)? {
            Some(sender) => connection.remove_track(&sender).await.map_err(media),
            None => Ok(()),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.abort();
        }
    }
}

struct Outlet(mpsc::Sender<EncodedFrame>);

impl FrameOutlet for Outlet {
    fn try_send(&mut self, frame: EncodedFrame) -> bool {
        frame.kind == MediaKind::Screen && self.0.try_send(frame).is_ok()
    }

    fn ready(&self) -> bool {
        // One that waits while another is being sent: more would only be old.
        self.0.capacity() >= FRAMES - 1
    }
}

/// Splits frames into packets.
struct Packetizer {
    payload_type: u8,
    ssrc: u32,
    /// Of the next packet.
    sequence: u16,
    /// RTP time starts anywhere (RFC 3550 §5.1).
    offset: u32,
    /// 15 bits; grows with every frame.
    picture: u16,
}

impl Packetizer {
    fn new(payload_type: u8, ssrc: u32) -> Self {
        Self {
            payload_type,
            ssrc,
            sequence: random() as u16,
            offset: random() as u32,
            picture: random() as u16,
        }
    }

    fn packets(&mut self, frame: &EncodedFrame) -> Vec<rtp::Packet> {
        self.picture = self.picture.wrapping_add(1) & 0x7fff;
        let pieces = frame.data.len().div_ceil(PAYLOAD).max(1);
        // Equal sizes: a small last packet would cost as much as a large one.
        let length = frame.data.len().div_ceil(pieces).max(1);
        let mut packets = Vec::with_capacity(pieces);
        for (at, piece) in frame.data.chunks(length).enumerate() {
            let mut payload = BytesMut::with_capacity(4 + piece.len());
            // RFC 7741 §4.2: extended, beginning of the frame; then a picture id of 15 bits.
            payload.put_u8(if at == 0 { 0x90 } else { 0x80 });
            payload.put_u8(0x80);
            payload.put_u16(0x8000 | self.picture);
            payload.extend_from_slice(piece);
            let header = rtp::Header {
                version: 2,
                marker: (at + 1) * length >= frame.data.len(),
                payload_type: self.payload_type,
                sequence_number: self.sequence,
                timestamp: self.offset.wrapping_add(frame.rtp_time),
                ssrc: self.ssrc,
                ..Default::default()
            };
            self.sequence = self.sequence.wrapping_add(1);
            packets.push(rtp::Packet {
                header,
                payload: payload.freeze(),
            });
        }
        packets
    }
}

struct Writer {
    inbox: mpsc::Receiver<EncodedFrame>,
    track: Arc<TrackLocalStaticRTP>,
    connected: Arc<AtomicBool>,
    budget: Arc<AtomicU32>,
    mid: String,
    streams: Vec<(Stream, Packetizer)>,
    /// When what was sent so far is through, at the pace of now.
    free_at: Instant,
}

impl Writer {
    async fn run(mut self) {
        let mut failures = 0_u64;
        while let Some(frame) = self.inbox.recv().await {
            if !self.connected.load(Ordering::Relaxed) {
                continue;
            }
            let of_layer = |(stream, _): &&mut (Stream, Packetizer)| stream.layer == frame.layer;
            let Some((stream, packetizer)) = self.streams.iter_mut().find(of_layer) else {
                continue;
            };
            let rid = stream.rid;
            let pace = pace(self.budget.load(Ordering::Relaxed).into());
            for packet in packetizer.packets(&frame) {
                let now = Instant::now();
                if self.free_at > now + STEP {
                    sleep_until(self.free_at).await;
                }
                let bits = packet.payload.len() as u64 * 8;
                self.free_at =
                    self.free_at.max(now) + Duration::from_micros(bits * 1_000_000 / pace);
                // Two layers of one section are told apart by these; one stream by its SSRC.
                let extensions = rid.map_or_else(Vec::new, |rid| {
                    vec![text(MID_URI, &self.mid), text(RID_URI, rid)]
                });
                let written = self
                    .track
                    .write_rtp_with_extensions(packet, &extensions)
                    .await;
                if let Err(error) = written {
                    failures += 1;
                    if failures.is_power_of_two() {
                        tracing::debug!(%error, failures, "screen packet not sent");
                    }
                }
            }
        }
    }
}

/// Bits per second at which packets leave, for a budget; 0 is none yet, which says nothing against the line.
fn pace(budget: u64) -> u64 {
    let budget = if budget == 0 { START } else { budget };
    let pace = if budget < THIN {
        budget * THIN_PACE / 2
    } else {
        budget * PACE
    };
    pace.max(LEAST_PACE)
}

/// A header extension whose value is text.
fn text(uri: &'static str, value: &str) -> HeaderExtension {
    HeaderExtension::Custom {
        uri: uri.into(),
        extension: Box::new(Text(Bytes::copy_from_slice(value.as_bytes()))),
    }
}

struct Text(Bytes);

impl MarshalSize for Text {
    fn marshal_size(&self) -> usize {
        self.0.len()
    }
}

impl Marshal for Text {
    fn marshal_to(&self, buf: &mut [u8]) -> Result<usize, WireError> {
        let room = buf
            .get_mut(..self.0.len())
            .ok_or(WireError::ErrBufferTooSmall)?;
        room.copy_from_slice(&self.0);
        Ok(self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: usize) -> EncodedFrame {
        EncodedFrame {
            kind: MediaKind::Screen,
            layer: Layer::Low,
            rtp_time: 9000,
            duration: 9000,
            key: true,
            level: None,
            talk_start: false,
            data: (0..length).map(|at| at as u8).collect::<Vec<_>>().into(),
        }
    }

    #[test]
    fn packets_leave_quickly_until_a_line_has_shown_its_limits() {
        assert_eq!(pace(0), 8_000_000, "nobody has said anything yet");
        assert_eq!(pace(START), 8_000_000);
        assert_eq!(pace(5_000_000), 20_000_000);
        assert_eq!(pace(1_000_000), 1_500_000);
        assert_eq!(pace(150_000), LEAST_PACE);
    }

    #[test]
    fn frames_are_split_evenly_and_marked_at_both_ends() {
        let mut packetizer = Packetizer::new(96, 5);
        let whole = frame(2500);
        let packets = packetizer.packets(&whole);
        assert_eq!(packets.len(), 3);
        let starts: Vec<u8> = packets.iter().map(|packet| packet.payload[0]).collect();
        assert_eq!(starts, [0x90, 0x80, 0x80]);
        let markers: Vec<bool> = packets.iter().map(|packet| packet.header.marker).collect();
        assert_eq!(markers, [false, false, true]);
        let joined: Vec<u8> = packets
            .iter()
            .flat_map(|packet| packet.payload[4..].to_vec())
            .collect();
        assert_eq!(joined, whole.data);
        let first = packets[0].header.sequence_number;
        assert_eq!(packets[2].header.sequence_number, first.wrapping_add(2));
        let next = packetizer.packets(&frame(1));
        assert_eq!(next.len(), 1);
        assert!(next[0].header.marker);
        assert_eq!(next[0].payload[0], 0x90);
        let picture =
            |packet: &rtp::Packet| u16::from_be_bytes([packet.payload[2], packet.payload[3]]);
        assert_eq!(
            picture(&next[0]) & 0x7fff,
            (picture(&packets[0]) + 1) & 0x7fff
        );
    }
}
