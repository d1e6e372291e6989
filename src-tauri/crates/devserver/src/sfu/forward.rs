//! Who gets what: tracks come up, are forwarded, and end (rtcd `service/rtc/sfu.go`).

use std::time::Instant;

use str0m::media::{MediaKind, Mid};
use str0m::rtp::{Extension, RtpPacket, Ssrc};

use super::SfuEvent;
use super::negotiation::Job;
use super::peer::{Incoming, Packet, Peer};
use super::switch::{PeerId, Switch};
use super::track::{Layer, Track, TrackId, TrackKind};
use super::vad::Vad;

/// Microseconds since the Unix epoch: what a test on the same machine can compare with its own clock.
fn now_us() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
        })
}

/// SSRCs of one client in its life: each new microphone, each share has new ones.
const SOURCES: usize = 256;

impl Switch {
    /// Takes a packet of a client.
    pub(crate) fn handle_rtp(&mut self, now: Instant, id: PeerId, packet: RtpPacket) {
        self.stats.packets_in += 1;
        self.stats.heard(now_us());
        let ssrc = packet.header.ssrc;
        let known = self.incoming(id, ssrc);
        let incoming = known.unwrap_or_else(|| self.new_source(now, id, ssrc));
        let Incoming::Track(track_id) = incoming else {
            return;
        };
        let (Some(peer), Some(track)) = (self.peers.get_mut(&id), self.tracks.get_mut(&track_id))
        else {
            return;
        };
        let level = packet.header.ext_vals.audio_level;
        if !track.kind.is_video()
            && let (Some(vad), Some(level)) = (&mut peer.vad, level)
            && let Some(voice) = vad.push(level.unsigned_abs().min(127), now)
        {
            let session = peer.session.clone();
            self.events.push_back(if voice {
                SfuEvent::VoiceOn { session }
            } else {
                SfuEvent::VoiceOff { session }
            });
        }
        if track.kind == TrackKind::Voice && !peer.voice_enabled {
            return;
        }
        let packet = Packet {
            seq: packet.seq_no,
            time: packet.header.timestamp,
            marker: packet.header.marker,
            // Extensions of video are stripped; of audio only the level means anything to a receiver.
            level: level
                .filter(|_| !track.kind.is_video())
                .map(|level| (level, packet.header.ext_vals.voice_activity)),
            payload: packet.payload,
            arrived: now,
        };
        let receivers = std::mem::take(&mut track.receivers);
        for receiver in &receivers {
            let Some(peer) = self.peers.get_mut(receiver) else {
                continue;
            };
            let noise = self.faults.garble(&peer.session, &packet.payload);
            let sent = match noise {
                None => peer.forward(track_id, &packet),
                Some(noise) => {
                    let payload = noise.into();
                    peer.forward(
                        track_id,
                        &Packet {
                            payload,
                            ..packet.clone()
                        },
                    )
                }
            };
            if sent {
                self.stats.packets_out += 1;
                self.touch(*receiver);
            }
        }
        if let Some(track) = self.tracks.get_mut(&track_id) {
            track.receivers = receivers;
            if track.kind.is_video() {
                track.keep(packet);
            }
        }
    }

    /// The first packet of an SSRC: decides what it is, by the stream ids announced until now.
    fn new_source(&mut self, now: Instant, id: PeerId, ssrc: Ssrc) -> Incoming {
        // Who makes up new sources all the time is not heard.
        let many = |peer: &Peer| peer.incoming.len() >= SOURCES;
        if self.peers.get(&id).is_none_or(many) {
            return Incoming::Discarded;
        }
        let incoming =
            self.classify(id, ssrc)
                .map_or(Incoming::Discarded, |(kind, layer, simulcast)| {
                    Incoming::Track(self.publish(now, id, ssrc, kind, layer, simulcast))
                });
        if let Some(peer) = self.peers.get_mut(&id) {
            if incoming == Incoming::Discarded {
                tracing::warn!(session = %peer.session, %ssrc, "unexpected video stream");
            }
            peer.incoming.insert(ssrc, incoming);
        }
        incoming
    }

    fn classify(&mut self, id: PeerId, ssrc: Ssrc) -> Option<(TrackKind, Layer, bool)> {
        let call = self.calls.get(&self.peers.get(&id)?.call)?;
        let screen = call
            .screen
            .and_then(|sharer| self.peers.get(&sharer)?.screen_stream.clone());
        let peer = self.peers.get_mut(&id)?;
        let (mid, rid) = {
            let mut direct = peer.rtc.direct_api();
            let stream = direct.stream_rx(&ssrc)?;
            (stream.mid(), stream.rid())
        };
        let stream = peer.streams.get(&mid);
        let is_screen = stream.is_some() && stream == screen.as_ref();
        if peer.rtc.media(mid)?.kind() == MediaKind::Audio {
            let kind = if is_screen {
                TrackKind::ScreenAudio
            } else {
                TrackKind::Voice
            };
            return Some((kind, Layer::Low, false));
        }
        let layer = match rid.as_deref() {
            None | Some("l") => Layer::Low,
            Some("h") => Layer::High,
            Some(_) => return None,
        };
        if is_screen {
            Some((TrackKind::Screen, layer, rid.is_some()))
        } else if stream.is_some() && stream == peer.video_stream.as_ref() {
            Some((TrackKind::Video, layer, rid.is_some()))
        } else {
            None
        }
    }

    fn publish(
        &mut self,
        now: Instant,
        owner: PeerId,
        ssrc: Ssrc,
        kind: TrackKind,
        layer: Layer,
        simulcast: bool,
    ) -> TrackId {
        let track_id = TrackId(self.fresh_id());
        let Some(peer) = self.peers.get_mut(&owner) else {
            return track_id;
        };
        let label = format!("{kind}_{}_{}", peer.session, suffix());
        if kind.is_video() {
            peer.want_repeats(ssrc);
        } else {
            let mid = peer.rtc.direct_api().stream_rx(&ssrc).map(|rx| rx.mid());
            let has_level = mid
                .and_then(|mid| peer.rtc.media(mid))
                .is_some_and(|media| media.remote_extmap().id_of(Extension::AudioLevel).is_some());
            if has_level {
                peer.vad = Some(Vad::new());
            }
        }
        if kind == TrackKind::Voice {
            peer.voice_enabled = true;
        }
        // Who joins later is offered only the newest of each sort.
        for older in &peer.published {
            if let Some(older) = self.tracks.get_mut(older)
                && older.kind == kind
                && older.layer == layer
            {
                older.listed = false;
            }
        }
        peer.published.push(track_id);
        let call = peer.call.clone();
        self.tracks.insert(
            track_id,
            Track {
                owner,
                kind,
                ssrc,
                layer,
                simulcast,
                label,
                listed: true,
                receivers: Vec::new(),
                kept: std::collections::VecDeque::new(),
                asked: None,
            },
        );
        if layer == Layer::Low {
            let sessions = self.calls.get(&call).map(|call| call.sessions.clone());
            for id in sessions.unwrap_or_default() {
                let initialized = self.peers.get(&id).is_some_and(|peer| peer.initialized);
                if id != owner && initialized {
                    self.offer_track(id, track_id);
                    self.advance(now, id);
                }
            }
        }
        track_id
    }

    /// A client is ready: it is offered what the others send.
    pub(crate) fn offer_present_tracks(&mut self, id: PeerId) {
        let Some(call) = self
            .peers
            .get(&id)
            .and_then(|peer| self.calls.get(&peer.call))
        else {
            return;
        };
        let tracks: Vec<TrackId> = call
            .sessions
            .iter()
            .filter(|other| **other != id)
            .filter_map(|other| self.peers.get(other))
            .flat_map(|other| other.published.iter().copied())
            .filter(|track| {
                self.tracks
                    .get(track)
                    .is_some_and(|track| track.listed && track.layer == Layer::Low)
            })
            .collect();
        for track in tracks {
            self.offer_track(id, track);
        }
    }

    /// Queues the offer of a track to a peer.
    pub(crate) fn offer_track(&mut self, id: PeerId, track_id: TrackId) {
        let Some(track) = self.tracks.get_mut(&track_id) else {
            return;
        };
        let Some(owner) = self.peers.get(&track.owner) else {
            return;
        };
        if !track.receivers.contains(&id) {
            track.receivers.push(id);
        }
        let job = Job::Add {
            track: track_id,
            kind: track.kind,
            stream: owner.session.clone(),
            label: track.label.clone(),
        };
        self.queue(id, job);
    }

    /// A receiver wants a key frame: passed on once a second.
    pub(crate) fn want_key_frame(&mut self, now: Instant, id: PeerId, mid: Mid) {
        let Some(peer) = self.peers.get(&id) else {
            return;
        };
        let track = peer
            .outs
            .iter()
            .find(|out| out.mid == mid)
            .map(|out| out.track);
        let Some(track) = track.and_then(|track| self.tracks.get_mut(&track)) else {
            return;
        };
        if !track.kind.is_video() || !track.may_ask(now) {
            return;
        }
        let (owner, ssrc) = (track.owner, track.ssrc);
        if let Some(owner) = self.peers.get_mut(&owner) {
            owner.want_key_frame(ssrc);
        }
        self.touch(owner);
    }

    /// A receiver misses packets: they are sent again, under the same SSRC and number.
    pub(crate) fn repeat(&mut self, id: PeerId, ssrc: Ssrc, numbers: &[u16]) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(track_id) = peer
            .outs
            .iter()
            .find(|out| out.ssrc == ssrc)
            .map(|out| out.track)
        else {
            return;
        };
        let Some(track) = self.tracks.get(&track_id) else {
            return;
        };
        for packet in numbers.iter().filter_map(|number| track.kept(*number)) {
            if peer.forward(track_id, packet) {
                self.stats.packets_out += 1;
            }
        }
        self.touch(id);
    }

    /// The sharer stopped: its screen is taken from everybody, its screen's sound just gets no new listeners.
    pub(crate) fn end_screen(&mut self, now: Instant, id: PeerId) {
        let published = self.peers.get(&id).map(|peer| peer.published.clone());
        for track_id in published.unwrap_or_default() {
            match self.tracks.get_mut(&track_id) {
                Some(track) if track.kind == TrackKind::ScreenAudio => track.listed = false,
                Some(track) if track.kind == TrackKind::Screen => self.end_track(now, track_id),
                _ => {}
            }
        }
    }

    /// A track is over: video is removed from receivers by a round each, audio just stops.
    pub(crate) fn end_track(&mut self, now: Instant, track_id: TrackId) {
        let Some(track) = self.tracks.remove(&track_id) else {
            return;
        };
        for receiver in &track.receivers {
            if track.kind.is_video() {
                self.queue(*receiver, Job::Remove(track_id));
                self.advance(now, *receiver);
            } else if let Some(peer) = self.peers.get_mut(receiver) {
                peer.drop_out(track_id);
                self.touch(*receiver);
            }
        }
        if let Some(owner) = self.peers.get_mut(&track.owner) {
            owner.published.retain(|published| *published != track_id);
        }
    }

    /// What a receiver reports decides its layer of a screen, see [`super::layers`].
    pub(crate) fn handle_loss(&mut self, now: Instant, id: PeerId, ssrc: Ssrc, loss: f32) {
        if !self.simulcast() {
            return;
        }
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(current) = peer
            .outs
            .iter()
            .find(|out| out.ssrc == ssrc)
            .map(|out| out.track)
        else {
            return;
        };
        let Some(track) = self.tracks.get(&current).filter(|track| track.simulcast) else {
            return;
        };
        let Some(wanted) = peer.layers.report(now, track.layer, loss) else {
            return;
        };
        let (owner, kind) = (track.owner, track.kind);
        let other = self.tracks.iter().find(|(_, track)| {
            track.owner == owner && track.kind == kind && track.listed && track.layer == wanted
        });
        let Some(other) = other.map(|(track_id, _)| *track_id) else {
            return; // That layer is not sent: the receiver stays where it is.
        };
        peer.layers.switched(now);
        self.queue(id, Job::Remove(current));
        self.offer_track(id, other);
        self.advance(now, id);
    }
}

/// The random end of a track's label.
fn suffix() -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = *Ssrc::new() as u64 | (*Ssrc::new() as u64) << 32;
    let mut text = String::with_capacity(8);
    for _ in 0..8 {
        text.push(char::from(ALPHABET[(random % 36) as usize]));
        random /= 36;
    }
    text
}
