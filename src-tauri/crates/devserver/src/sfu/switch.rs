//! The SFU without its sockets: requests, datagrams and time go in, datagrams and events come out.
//!
//! One owner, no locks, no clock of its own, so that whole calls run in tests in virtual time. A datagram
//! finds its peer by its source address; a STUN request by the user name in it, which also teaches the
//! address. Only peers that something happened to are looked at.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::Candidate;
use str0m::ice::StunMessage;
use str0m::net::{Protocol, Receive, TcpType, Transmit};

use super::engine::{Identity, guarded};
use super::fault::Faults;
use super::negotiation::{Job, Via};
use super::peer::{Incoming, Peer};
use super::track::{Track, TrackId, TrackKind};
use super::{CloseReason, SfuEvent, SfuFault, SfuStats};

/// Addresses remembered for each peer, on average: its candidates, old ports of its NAT.
const SOURCES: usize = 32;

/// Counts sessions up; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PeerId(u64);

/// The sessions that hear each other.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) sessions: Vec<PeerId>,
    /// Who announced a screen.
    pub(crate) screen: Option<PeerId>,
}

/// What the SFU listens on and how patient it is.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// Addresses of the sockets, each for UDP and TCP.
    pub(crate) local: Vec<SocketAddr>,
    /// Told to clients instead.
    pub(crate) announce: Option<SocketAddr>,
    pub(crate) simulcast: bool,
    pub(crate) dead_after: Duration,
}

/// The SFU.
pub(crate) struct Switch {
    setup: Setup,
    identity: Identity,
    pub(crate) peers: HashMap<PeerId, Peer>,
    pub(super) sessions: HashMap<String, PeerId>,
    pub(super) ufrags: HashMap<String, PeerId>,
    pub(super) sources: HashMap<(Protocol, SocketAddr), PeerId>,
    pub(crate) calls: HashMap<String, Call>,
    pub(crate) tracks: HashMap<TrackId, Track>,
    next_id: u64,
    touched: Vec<PeerId>,
    is_touched: HashSet<PeerId>,
    pub(super) wakes: BTreeSet<(Instant, PeerId)>,
    pub(super) scheduled: HashMap<PeerId, Instant>,
    pub(super) transmits: Vec<Transmit>,
    pub(crate) events: VecDeque<SfuEvent>,
    pub(crate) stats: SfuStats,
    pub(super) faults: Faults,
}

impl Switch {
    pub(crate) fn new(setup: Setup, identity: Identity) -> Self {
        Self {
            setup,
            identity,
            peers: HashMap::new(),
            sessions: HashMap::new(),
            ufrags: HashMap::new(),
            sources: HashMap::new(),
            calls: HashMap::new(),
            tracks: HashMap::new(),
            next_id: 0,
            touched: Vec::new(),
            is_touched: HashSet::new(),
            wakes: BTreeSet::new(),
            scheduled: HashMap::new(),
            transmits: Vec::new(),
            events: VecDeque::new(),
            stats: SfuStats::default(),
            faults: Faults::default(),
        }
    }

    pub(crate) fn open(&mut self, now: Instant, session: String, call: String, dc_signaling: bool) {
        if let Some(old) = self.sessions.get(&session) {
            self.remove(now, *old, None);
        }
        let id = PeerId(self.fresh_id());
        let mut peer = Peer::new(session, call, dc_signaling, &self.identity, now);
        peer.relayed = self.setup.announce.is_some();
        for candidate in self.local_candidates() {
            peer.rtc.add_local_candidate(candidate);
        }
        let ufrag = peer.rtc.direct_api().local_ice_credentials().ufrag;
        self.ufrags.insert(ufrag, id);
        self.sessions.insert(peer.session.clone(), id);
        let call = self.calls.entry(peer.call.clone()).or_default();
        call.sessions.push(id);
        self.peers.insert(id, peer);
        self.touch(id);
    }

    pub(crate) fn close(&mut self, now: Instant, session: &str) {
        if let Some(id) = self.sessions.get(session) {
            self.remove(now, *id, None);
        }
    }

    pub(crate) fn close_all(&mut self, now: Instant) {
        let ids: Vec<_> = self.peers.keys().copied().collect();
        for id in ids {
            self.remove(now, id, None);
        }
    }

    pub(crate) fn sdp(&mut self, now: Instant, session: &str, json: &str) {
        if let Some(id) = self.sessions.get(session) {
            self.describe(now, *id, json, Via::WebSocket);
        }
    }

    pub(crate) fn candidate(&mut self, session: &str, json: &str) {
        let Some(id) = self.sessions.get(session).copied() else {
            return;
        };
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.handle_candidate(json);
            self.touch(id);
        }
    }

    pub(crate) fn mute(&mut self, session: &str, muted: bool) {
        let Some(peer) = self.session(session) else {
            return;
        };
        let voice = |track: &TrackId| {
            self.tracks
                .get(track)
                .is_some_and(|track| track.kind == TrackKind::Voice)
        };
        let Some(peer) = self.peers.get_mut(&peer) else {
            return;
        };
        // Before the first voice packet there is no gate: the track will start open.
        if !peer.published.iter().any(voice) {
            return;
        }
        peer.voice_enabled = !muted;
        if muted && let Some(vad) = &mut peer.vad {
            vad.reset();
            self.events.push_back(SfuEvent::VoiceOff {
                session: session.to_owned(),
            });
        }
    }

    pub(crate) fn screen_stream(&mut self, now: Instant, session: &str, stream: Option<String>) {
        let Some(id) = self.session(session) else {
            return;
        };
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(call) = self.calls.get_mut(&peer.call) else {
            return;
        };
        if stream.is_some() {
            peer.screen_stream = stream;
            call.screen.get_or_insert(id);
        } else if call.screen == Some(id) {
            call.screen = None;
            peer.screen_stream = None;
            self.end_screen(now, id);
        }
    }

    pub(crate) fn video_stream(&mut self, session: &str, stream: Option<String>) {
        let id = self.session(session);
        if let Some(peer) = id.and_then(|id| self.peers.get_mut(&id))
            && stream.is_some()
        {
            // Switching off changes nothing in rtcd; the next stream is announced anew.
            peer.video_stream = stream;
        }
    }

    pub(crate) fn fault(&mut self, now: Instant, fault: SfuFault) {
        match fault {
            SfuFault::WithholdAnswer { session } => {
                if let Some(peer) = self
                    .session(&session)
                    .and_then(|id| self.peers.get_mut(&id))
                {
                    peer.negotiation.withhold_answer = true;
                }
            }
            SfuFault::HoldLock { session, held } => {
                if let Some(id) = self.session(&session)
                    && let Some(peer) = self.peers.get_mut(&id)
                {
                    peer.negotiation.hold_lock = held;
                    self.advance(now, id);
                }
            }
            SfuFault::Kick { session } => {
                if let Some(id) = self.session(&session) {
                    self.remove(now, id, Some(CloseReason::Kicked));
                }
            }
            SfuFault::SendData {
                session,
                binary,
                bytes,
            } => {
                if let Some(id) = self.session(&session)
                    && let Some(peer) = self.peers.get_mut(&id)
                {
                    peer.send_raw(binary, &bytes);
                    self.touch(id);
                }
            }
            SfuFault::DeadAfter(time) => {
                self.setup.dead_after = time;
                let all: Vec<_> = self.peers.keys().copied().collect();
                all.into_iter().for_each(|id| self.touch(id));
            }
            path => self.faults.set(path),
        }
    }

    /// Takes a datagram, or a packet from a framed stream.
    pub(crate) fn handle_datagram(
        &mut self,
        now: Instant,
        proto: Protocol,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
    ) {
        let found = self.owner_of(proto, source, bytes);
        let parsed = guarded(|| Receive::new(proto, source, destination, bytes));
        let (Some(id), Some(Ok(receive))) = (found, parsed) else {
            self.stats.packets_dropped += 1;
            return;
        };
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if self.faults.drops_incoming(&peer.session, bytes) {
            return;
        }
        let first = self.transmits.len();
        let events = peer.receive(now, receive, bytes, &mut self.transmits);
        self.faults
            .filter_outgoing(&peer.session, &mut self.transmits, first);
        self.handle_events(now, id, events);
        self.schedule(id);
    }

    /// Looks at everybody whose time has come.
    pub(crate) fn handle_time(&mut self, now: Instant) {
        while let Some((at, id)) = self.wakes.first().copied() {
            if at > now {
                break;
            }
            self.wakes.pop_first();
            self.scheduled.remove(&id);
            let Some(peer) = self.peers.get(&id) else {
                continue;
            };
            let silent = now.saturating_duration_since(peer.last_heard);
            if peer.negotiation.missed(now) {
                self.remove(now, id, Some(CloseReason::NoOffer));
            } else if peer.negotiation.started() && silent >= self.setup.dead_after {
                self.remove(now, id, Some(CloseReason::IceFailed));
            } else {
                self.advance(now, id);
            }
        }
    }

    /// Lets everybody work to whom something happened. To be called after every batch of input.
    pub(crate) fn settle(&mut self, now: Instant) {
        while let Some(id) = self.touched.pop() {
            self.is_touched.remove(&id);
            let Some(peer) = self.peers.get_mut(&id) else {
                continue;
            };
            let first = self.transmits.len();
            let events = peer.settle(now, &mut self.transmits);
            self.faults
                .filter_outgoing(&peer.session, &mut self.transmits, first);
            self.handle_events(now, id, events);
            self.schedule(id);
        }
    }

    /// When [`Switch::handle_time`] is due.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        self.wakes.first().map(|(at, _)| *at)
    }

    pub(crate) fn take_transmits(&mut self, into: &mut Vec<Transmit>) {
        into.append(&mut self.transmits);
    }

    pub(crate) fn stats(&self) -> SfuStats {
        SfuStats {
            peers: self.peers.len(),
            connected: self.peers.values().filter(|peer| peer.connected).count(),
            tracks_in: self.tracks.len(),
            tracks_out: self.peers.values().map(|peer| peer.outs.len()).sum(),
            ..self.stats
        }
    }

    pub(crate) fn simulcast(&self) -> bool {
        self.setup.simulcast
    }

    pub(crate) fn touch(&mut self, id: PeerId) {
        if self.is_touched.insert(id) {
            self.touched.push(id);
        }
    }

    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn session(&self, session: &str) -> Option<PeerId> {
        self.sessions.get(session).copied()
    }

    /// What clients are told.
    pub(super) fn announced_candidates(&self) -> Vec<Candidate> {
        match self.setup.announce {
            Some(addr) => Candidate::builder()
                .udp()
                .host(addr)
                .build()
                .into_iter()
                .collect(),
            None => self.local_candidates(),
        }
    }

    pub(super) fn local_candidates(&self) -> Vec<Candidate> {
        let udp = |addr: &SocketAddr| Candidate::builder().udp().host(*addr).build();
        let tcp = |addr: &SocketAddr| {
            let tcp = Candidate::builder().tcp().host(*addr);
            tcp.tcptype(TcpType::Passive).build()
        };
        let all = self.setup.local.iter();
        all.clone().map(udp).chain(all.map(tcp)).flatten().collect()
    }

    fn owner_of(&mut self, proto: Protocol, source: SocketAddr, bytes: &[u8]) -> Option<PeerId> {
        // 0 and 1 begin STUN messages (RFC 7983); requests name the peer.
        if bytes.first().is_some_and(|first| *first < 2)
            && let Some(Ok(message)) = guarded(|| StunMessage::parse(bytes))
            && let Some((ufrag, _)) = message.split_username()
        {
            let id = self.ufrags.get(ufrag).copied()?;
            // Whoever saw a user name could send from ever new addresses.
            if self.sources.len() < SOURCES * self.peers.len() {
                self.sources.insert((proto, source), id);
            }
            return Some(id);
        }
        self.sources.get(&(proto, source)).copied()
    }

    fn schedule(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get(&id) else {
            return;
        };
        let dead = (peer.negotiation.started()).then(|| peer.last_heard + self.setup.dead_after);
        let at = [peer.wake, peer.negotiation.deadline(), dead]
            .into_iter()
            .flatten()
            .min();
        let old = match at {
            Some(at) => self.scheduled.insert(id, at),
            None => self.scheduled.remove(&id),
        };
        if old == at {
            return;
        }
        if let Some(old) = old {
            self.wakes.remove(&(old, id));
        }
        if let Some(at) = at {
            self.wakes.insert((at, id));
        }
    }

    /// What an SSRC of a peer is.
    pub(crate) fn incoming(&self, id: PeerId, ssrc: str0m::rtp::Ssrc) -> Option<Incoming> {
        self.peers.get(&id)?.incoming.get(&ssrc).copied()
    }

    /// Queues a change of what a peer is sent.
    pub(crate) fn queue(&mut self, id: PeerId, job: Job) {
        if let Some(peer) = self.peers.get_mut(&id)
            && !peer.negotiation.push(job)
        {
            self.stats.overflows += 1;
        }
    }
}
