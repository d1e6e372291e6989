//! Our voice, and the sound of our screen: encoded frames into RTP.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use calls_core::port::media::{EncodedFrame, FrameOutlet, MediaKind};
use rtc::media_stream::MediaStreamTrack;
use rtc::rtp;
use rtc::rtp::extension::HeaderExtension;
use rtc::rtp::extension::audio_level_extension::AudioLevelExtension;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::PeerConnection;
use webrtc::rtp_transceiver::RtpTransceiver;

use super::config::{OPUS_PAYLOAD_TYPE, opus};
use super::media;
use crate::error::NetError;

/// Frames between engine and network, 20 ms each. More would only be late.
const FRAMES: usize = 8;

/// The voice track of one peer, or the track of its screen's sound.
pub(super) struct Voice {
    kind: MediaKind,
    transceiver: Arc<dyn RtpTransceiver>,
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    connected: Arc<AtomicBool>,
    writer: Option<JoinHandle<()>>,
}

impl Voice {
    /// Adds the track on a media section of its own. Sending *and* receiving: the server puts other people's voices
    /// on the same section. With the name of a shared screen it is that screen's sound, and only sent.
    pub(super) async fn add(
        connection: &dyn PeerConnection,
        connected: Arc<AtomicBool>,
        screen: Option<&str>,
    ) -> Result<Self, NetError> {
        let ssrc = random() as u32;
        let (kind, stream, direction) = match screen {
            Some(stream) => (
                MediaKind::ScreenAudio,
                stream.to_owned(),
                RTCRtpTransceiverDirection::Sendonly,
            ),
            None => (
                MediaKind::Voice,
                format!("{:016x}", random()),
                RTCRtpTransceiverDirection::Sendrecv,
            ),
        };
        let coding = RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            ..Default::default()
        };
        let encoding = RTCRtpEncodingParameters {
            rtp_coding_parameters: coding,
            active: true,
            codec: opus(),
            ..Default::default()
        };
        let track = MediaStreamTrack::new(
            stream.clone(),
            format!("{:016x}", random()),
            if screen.is_some() { "sound" } else { "voice" }.to_owned(),
            RtpCodecKind::Audio,
            vec![encoding.clone()],
        );
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        let init = RTCRtpTransceiverInit {
            direction,
            streams: vec![stream],
            send_encodings: vec![encoding],
        };
        let transceiver = connection
            .add_transceiver_from_track(Arc::clone(&track) as _, Some(init))
            .await
            .map_err(media)?;
        Ok(Self {
            kind,
            transceiver,
            track,
            ssrc,
            connected,
            writer: None,
        })
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The engine's end. Asking again replaces the former one, and begins a new numbering: mutes do not ask again.
    pub(super) async fn outlet(&mut self) -> Result<Box<dyn FrameOutlet>, NetError> {
        let sender = self.transceiver.sender().await.map_err(media)?;
        let mut payload_type = OPUS_PAYLOAD_TYPE;
        if let Some(sender) = sender {
            let parameters = sender.get_parameters().await.map_err(media)?;
            if let Some(codec) = parameters.rtp_parameters.codecs.first() {
                payload_type = codec.payload_type;
            }
        }
        if let Some(writer) = self.writer.take() {
            writer.abort();
        }
        let (frames, inbox) = mpsc::channel(FRAMES);
        let writer = Writer {
            inbox,
            track: Arc::clone(&self.track),
            connected: Arc::clone(&self.connected),
            // The server takes a level for somebody's voice, and would show the presenter as speaking.
            levels: self.kind == MediaKind::Voice,
            packetizer: Packetizer {
                payload_type,
                ssrc: self.ssrc,
                sequence: random() as u16,
                offset: random() as u32,
            },
        };
        self.writer = Some(tokio::spawn(writer.run()));
        Ok(Box::new(Outlet(self.kind, frames)))
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

impl Drop for Voice {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.abort();
        }
    }
}

/// Random enough for identifiers that only must differ.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

struct Outlet(MediaKind, mpsc::Sender<EncodedFrame>);

impl FrameOutlet for Outlet {
    fn try_send(&mut self, frame: EncodedFrame) -> bool {
        frame.kind == self.0 && self.1.try_send(frame).is_ok()
    }
}

/// Turns frames into packets.
struct Packetizer {
    payload_type: u8,
    ssrc: u32,
    /// Of the next packet.
    sequence: u16,
    /// RTP time starts anywhere (RFC 3550 §5.1).
    offset: u32,
}

impl Packetizer {
    fn packet(&mut self, frame: &EncodedFrame) -> rtp::Packet {
        let header = rtp::Header {
            version: 2,
            marker: frame.talk_start,
            payload_type: self.payload_type,
            sequence_number: self.sequence,
            timestamp: self.offset.wrapping_add(frame.rtp_time),
            ssrc: self.ssrc,
            ..Default::default()
        };
        self.sequence = self.sequence.wrapping_add(1);
        rtp::Packet {
            header,
            payload: frame.data.clone(),
        }
    }
}

struct Writer {
    inbox: mpsc::Receiver<EncodedFrame>,
    track: Arc<TrackLocalStaticRTP>,
    connected: Arc<AtomicBool>,
    /// Each packet tells how loud it is.
    levels: bool,
    packetizer: Packetizer,
}

impl Writer {
    async fn run(mut self) {
        let mut failures = 0_u64;
        while let Some(frame) = self.inbox.recv().await {
            // Before DTLS is through, the stack would warn about every packet.
            if !self.connected.load(Ordering::Relaxed) {
                continue;
            }
            let packet = self.packetizer.packet(&frame);
            // On every packet: without it the server never sees us speak.
            let level = AudioLevelExtension {
                level: frame.level.unwrap_or(127).min(127),
                voice: frame.level.is_some_and(|level| level < 127),
            };
            let extension = [HeaderExtension::AudioLevel(level)];
            let extensions: &[HeaderExtension] = if self.levels { &extension } else { &[] };
            if let Err(error) = self
                .track
                .write_rtp_with_extensions(packet, extensions)
                .await
            {
                failures += 1;
                if failures.is_power_of_two() {
                    tracing::debug!(%error, failures, "voice packet not sent");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use calls_core::port::media::Layer;

    fn frame(rtp_time: u32, talk_start: bool) -> EncodedFrame {
        EncodedFrame {
            kind: MediaKind::Voice,
            layer: Layer::Low,
            rtp_time,
            duration: 960,
            key: false,
            level: Some(30),
            talk_start,
            data: Bytes::from_static(b"opus"),
        }
    }

    #[test]
    fn numbers_go_on_over_a_pause_while_time_jumps_and_the_marker_begins_the_spurt() {
        let mut packetizer = Packetizer {
            payload_type: 111,
            ssrc: 7,
            sequence: u16::MAX,
            offset: u32::MAX,
        };
        let first = packetizer.packet(&frame(0, true)).header;
        let second = packetizer.packet(&frame(96_000, true)).header;
        let third = packetizer.packet(&frame(96_960, false)).header;
        let numbers = [&first, &second, &third].map(|header| header.sequence_number);
        assert_eq!(numbers, [u16::MAX, 0, 1]);
        assert_eq!(second.timestamp.wrapping_sub(first.timestamp), 96_000);
        assert_eq!(
            [first.marker, second.marker, third.marker],
            [true, true, false]
        );
    }

    #[test]
    fn a_full_outlet_drops_and_says_so() {
        let (frames, _inbox) = mpsc::channel(FRAMES);
        let mut outlet = Outlet(MediaKind::Voice, frames);
        let taken = (0..20).filter(|_| outlet.try_send(frame(0, false))).count();
        assert_eq!(taken, FRAMES);
        let mut screen = frame(0, false);
        screen.kind = MediaKind::Screen;
        assert!(!outlet.try_send(screen));
    }
}
