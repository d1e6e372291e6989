//! What happens inside a session: descriptions, messages, negotiation, its end.

use std::time::Instant;

use str0m::Candidate;

use super::dc;
use super::engine::guarded;
use super::negotiation::{Refusal, Via};
use super::peer::PeerEvent;
use super::switch::{PeerId, Switch};
use super::track::TrackId;
use super::{CloseReason, SfuEvent};

impl Switch {
    pub(crate) fn describe(&mut self, now: Instant, id: PeerId, json: &str, via: Via) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let first = !peer.negotiation.started();
        let mut signals = Vec::new();
        let result = peer.handle_description(json, via, &mut signals);
        if let Err(refusal) = result {
            tracing::debug!(session = %peer.session, %refusal, "description not used");
            if first || refusal == Refusal::Broken {
                let reason = if first {
                    CloseReason::BadOffer
                } else {
                    CloseReason::Broken
                };
                self.remove(now, id, Some(reason));
                return;
            }
        }
        if first && peer.negotiation.started() {
            peer.last_heard = now;
        }
        let session = peer.session.clone();
        let creds = peer.rtc.direct_api().local_ice_credentials();
        let mid = peer.negotiation.first_mid.clone();
        let restarted = self.ufrags.insert(creds.ufrag.clone(), id).is_none();
        let mut candidates = Vec::new();
        if first || restarted {
            candidates = self.candidate_signals(&creds.ufrag, &mid);
        }
        // Candidates may overtake the answer in rtcd; here the first always does, the others never.
        let rest = candidates.split_off(candidates.len().min(1));
        for json in candidates.into_iter().chain(signals).chain(rest) {
            self.events.push_back(SfuEvent::Signal {
                session: session.clone(),
                json,
            });
        }
        self.advance(now, id);
    }

    fn candidate_signals(&self, ufrag: &str, mid: &str) -> Vec<String> {
        let json = |mut candidate: Candidate| {
            candidate.set_ufrag(ufrag);
            let text = candidate.to_sdp_string();
            serde_json::json!({
                "candidate": {
                    "candidate": text.trim_start_matches("a="),
                    "sdpMid": mid,
                    "sdpMLineIndex": 0,
                    "usernameFragment": null,
                },
                "type": "candidate",
            })
            .to_string()
        };
        self.announced_candidates().into_iter().map(json).collect()
    }

    pub(crate) fn handle_events(&mut self, now: Instant, id: PeerId, events: Vec<PeerEvent>) {
        for event in events {
            let Some(peer) = self.peers.get_mut(&id) else {
                return;
            };
            match event {
                PeerEvent::Connected => {
                    peer.connected = true;
                    let session = peer.session.clone();
                    self.events.push_back(SfuEvent::Connected { session });
                }
                PeerEvent::ChannelOpen => {
                    if !std::mem::replace(&mut peer.initialized, true) {
                        self.offer_present_tracks(id);
                    }
                    self.advance(now, id);
                }
                PeerEvent::Message(data) => self.handle_message(now, id, &data),
                PeerEvent::Rtp(packet) => self.handle_rtp(now, id, *packet),
                PeerEvent::KeyFrameWanted(mid) => self.want_key_frame(now, id, mid),
                PeerEvent::Missing(ssrc, numbers) => self.repeat(id, ssrc, &numbers),
                PeerEvent::Loss(ssrc, loss) => self.handle_loss(now, id, ssrc, loss),
                PeerEvent::Closed => self.remove(now, id, Some(CloseReason::PeerClosed)),
                PeerEvent::Broken => self.remove(now, id, Some(CloseReason::Broken)),
            }
        }
    }

    fn handle_message(&mut self, now: Instant, id: PeerId, data: &[u8]) {
        self.touch(id);
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        // Clients of before rtcd 0.18 send this text.
        if data == b"ping" {
            peer.send_raw(false, b"pong");
            return;
        }
        match dc::decode(data) {
            Ok(dc::Incoming::Ping) => {
                peer.send(&dc::Outgoing::Pong);
            }
            Ok(dc::Incoming::Sdp(json)) => self.describe(now, id, &json, Via::DataChannel),
            Ok(dc::Incoming::Lock) => {
                let granted = !peer.negotiation.hold_lock && peer.lock.try_lock();
                peer.send(&dc::Outgoing::Lock(granted));
            }
            Ok(dc::Incoming::Unlock) => {
                if !peer.lock.unlock() {
                    tracing::debug!(session = %peer.session, "unlocked what was not locked");
                }
                self.advance(now, id);
            }
            Ok(dc::Incoming::Metric) => {}
            Ok(dc::Incoming::Unknown(kind)) => {
                tracing::debug!(session = %peer.session, kind, "message of an unknown type");
            }
            Err(error) => {
                tracing::debug!(session = %peer.session, %error, "message cannot be read");
            }
        }
    }

    /// Goes on with a peer's negotiation.
    pub(crate) fn advance(&mut self, now: Instant, id: PeerId) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let mut signals = Vec::new();
        peer.advance(now, |track| self.tracks.contains_key(&track), &mut signals);
        for json in signals {
            self.events.push_back(SfuEvent::Signal {
                session: peer.session.clone(),
                json,
            });
        }
        self.touch(id);
    }

    /// Forgets a peer: closes it and takes its tracks from the others.
    pub(crate) fn remove(&mut self, now: Instant, id: PeerId, reason: Option<CloseReason>) {
        let Some(mut peer) = self.peers.remove(&id) else {
            return;
        };
        let first = self.transmits.len();
        let _ = guarded(|| peer.rtc.close()); // What cannot be closed is dropped just below.
        for _ in 0..4 {
            let _ = peer.settle(now, &mut self.transmits);
        }
        self.faults
            .filter_outgoing(&peer.session, &mut self.transmits, first);
        self.sessions.remove(&peer.session);
        self.ufrags.retain(|_, owner| *owner != id);
        self.sources.retain(|_, owner| *owner != id);
        if let Some(at) = self.scheduled.remove(&id) {
            self.wakes.remove(&(at, id));
        }
        for out in &peer.outs {
            if let Some(track) = self.tracks.get_mut(&out.track) {
                track.receivers.retain(|receiver| *receiver != id);
            }
        }
        if let Some(call) = self.calls.get_mut(&peer.call) {
            call.sessions.retain(|session| *session != id);
            if call.screen == Some(id) {
                call.screen = None;
            }
            if call.sessions.is_empty() {
                self.calls.remove(&peer.call);
            }
        }
        // What just stops goes first, so that the rounds for the video already tell of it.
        let (video, audio): (Vec<TrackId>, _) = peer.published.iter().partition(|track| {
            self.tracks
                .get(track)
                .is_some_and(|track| track.kind.is_video())
        });
        for track in audio.into_iter().chain(video) {
            self.end_track(now, track);
        }
        self.faults.forget(&peer.session);
        if let Some(reason) = reason {
            self.events.push_back(SfuEvent::Closed {
                session: peer.session,
                reason,
            });
        }
    }
}
