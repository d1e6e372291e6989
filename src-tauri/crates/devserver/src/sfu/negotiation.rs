//! Offers and answers of one client, by rtcd's rules (`service/rtc/session.go`, `sfu.go`):
//!
//! * the client makes the first offer, within 10 s; candidates are kept (40) until then;
//! * an answer goes back on the channel the offer came by, own offers go by data channel if the client
//!   joined with `dcSignaling`, else by WebSocket; before each goes a media map;
//! * own offers add or remove one track each, under the signaling lock: 5 s are waited for the lock, then
//!   that change is dropped; 10 s for the answer, then the session is wedged: no offer of either side
//!   works any more until the client joins again;
//! * the offer of a client is ignored while an own one is pending.
//!
//! m-lines follow pion: a line whose sender is free is used again, also the line of the client's own
//! microphone; a line whose track's sender left keeps `sendrecv` without msid and is not used again.
//! One difference: a line on which the client only sends is left alone, since it could not receive there.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::rtp::Ssrc;

use super::dc;
use super::peer::{Out, Peer, guarded};
use super::sdp::{Announced, Kind, Sdp};
use super::track::{TrackId, TrackKind};

/// How long the first offer, and later each answer, may take (rtcd `signalingTimeout`).
pub(crate) const SIGNALING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server waits for the lock (rtcd `signalingLockTimeout`).
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// Candidates kept before the first offer (rtcd `iceInCh`).
const EARLY_CANDIDATES: usize = 40;
/// Track changes waiting (rtcd `tracksCh`).
const JOBS: usize = 100;

/// On which way a description travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    WebSocket,
    DataChannel,
}

/// A change of what the client is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    Add {
        track: TrackId,
        kind: TrackKind,
        /// The sender's session id.
        stream: String,
        label: String,
    },
    Remove(TrackId),
}

/// An m-line.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) mid: Mid,
    audio: bool,
    slot: Slot,
    /// What the client said last, as it sees it.
    remote: Direction,
    /// Made by an offer of the client.
    theirs: bool,
    /// Refused by the client, or without a codec that we know.
    off: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// Nothing was sent on the line, or it was removed.
    Free,
    /// A track is sent.
    Taken,
    /// The track's sender left.
    Stopped,
}

/// Why a description was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It is no `{"type","sdp"}` or no SDP.
    #[error("the description cannot be read")]
    Malformed,
    /// str0m does not accept it.
    #[error("the description does not fit the session")]
    Rejected,
}

/// What is going on.
pub(crate) struct Negotiation {
    /// The deadline of the first offer; `None` once it was answered.
    first_offer_until: Option<Instant>,
    early: VecDeque<String>,
    /// The mid of the first line, to which candidates belong.
    pub(crate) first_mid: String,
    jobs: VecDeque<Job>,
    round: Round,
    wedged: bool,
    /// Fault: the next answer is not sent.
    pub(crate) withhold_answer: bool,
    /// Fault: nobody gets the lock.
    pub(crate) hold_lock: bool,
}

enum Round {
    Idle,
    WaitLock {
        job: Job,
        until: Instant,
    },
    WaitAnswer {
        track: TrackId,
        pending: SdpPendingOffer,
        until: Instant,
    },
}

#[derive(Serialize, Deserialize)]
struct Description {
    r#type: String,
    sdp: String,
}

impl Negotiation {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            first_offer_until: Some(now + SIGNALING_TIMEOUT),
            early: VecDeque::new(),
            first_mid: String::new(),
            jobs: VecDeque::new(),
            round: Round::Idle,
            wedged: false,
            withhold_answer: false,
            hold_lock: false,
        }
    }

    /// Queues a change; `false` when too many wait.
    pub(crate) fn push(&mut self, job: Job) -> bool {
        let room = self.jobs.len() < JOBS;
        if room {
            self.jobs.push_back(job);
        }
        room
    }

    /// Whether the first offer did not come in time.
    pub(crate) fn missed(&self, now: Instant) -> bool {
        self.first_offer_until.is_some_and(|until| now >= until)
    }

    pub(crate) fn started(&self) -> bool {
        self.first_offer_until.is_none()
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.round {
            Round::Idle => self.first_offer_until,
            Round::WaitLock { until, .. } | Round::WaitAnswer { until, .. } => Some(*until),
        }
    }

    fn offering(&self) -> bool {
        self.wedged || matches!(self.round, Round::WaitAnswer { .. })
    }
}

impl Peer {
    /// Takes a description. What is to be sent by WebSocket is added to `signals`.
    pub(crate) fn handle_description(
        &mut self,
        now: Instant,
        json: &str,
        via: Via,
        signals: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        let description: Description =
            serde_json::from_str(json).map_err(|_| Refusal::Malformed)?;
        match description.r#type.as_str() {
            "offer" => self.handle_offer(now, &description.sdp, via, signals),
            "answer" => self.handle_answer(&description.sdp),
            _ => Err(Refusal::Malformed),
        }
    }

    /// Takes a candidate's `RTCIceCandidateInit` as JSON.
    pub(crate) fn handle_candidate(&mut self, json: &str) {
        #[derive(Deserialize)]
        struct Init {
            candidate: String,
        }
        let Ok(init) = serde_json::from_str::<Init>(json) else {
            return;
        };
        if self.negotiation.started() {
            self.add_candidate(&init.candidate);
        } else if self.negotiation.early.len() < EARLY_CANDIDATES {
            self.negotiation.early.push_back(init.candidate);
        }
    }

    fn add_candidate(&mut self, text: &str) {
        // A TCP candidate of a client is active: it connects to us, there is nothing to try.
        if text.is_empty() || text.contains(" tcp ") || text.contains(" TCP ") {
            return;
        }
        match guarded(|| str0m::Candidate::from_sdp_string(text)) {
            Some(Ok(candidate)) => self.rtc.add_remote_candidate(candidate),
            // For example a `.local` name, useless to a server.
            _ => tracing::trace!(session = %self.session, text, "candidate ignored"),
        }
    }

    fn handle_offer(
        &mut self,
        _now: Instant,
        text: &str,
        via: Via,
        signals: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        if self.negotiation.offering() {
            tracing::debug!(session = %self.session, "offer ignored: own offer pending");
            return Ok(());
        }
        let mut sdp = Sdp::parse(text).map_err(|_| Refusal::Malformed)?;
        let candidates = sdp.take_candidates();
        let remote = sdp.clone();
        sdp.choose_active();
        sdp.keep_known(&mut self.agreed);
        // str0m would put its own payload types on a line on which the client only sends.
        sdp.widen_sendonly();
        let offer = SdpOffer::from_sdp_string(&sdp.to_string()).map_err(|_| Refusal::Malformed)?;
        let answer = match guarded(|| self.rtc.sdp_api().accept_offer(offer)) {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => {
                tracing::debug!(session = %self.session, %error, "offer refused");
                return Err(Refusal::Rejected);
            }
            None => return Err(Refusal::Rejected),
        };
        self.note_remote(&remote, true);
        for candidate in candidates {
            self.add_candidate(&candidate);
        }
        self.align();

        let mut answer = Sdp::parse(&answer.to_sdp_string()).map_err(|_| Refusal::Rejected)?;
        answer.dress(|mid| self.described(mid, true));
        if self.negotiation.first_offer_until.take().is_some() {
            // Trickled; later descriptions contain them all.
            answer.take_candidates();
            let first = answer.sections.first().and_then(|section| section.mid());
            self.negotiation.first_mid = first.unwrap_or_default().to_owned();
        }
        if std::mem::take(&mut self.negotiation.withhold_answer) {
            return Ok(());
        }
        let json = description("answer", answer.to_string());
        self.signal(via, json, signals);
        for candidate in std::mem::take(&mut self.negotiation.early) {
            self.add_candidate(&candidate);
        }
        Ok(())
    }

    fn handle_answer(&mut self, text: &str) -> Result<(), Refusal> {
        if !matches!(self.negotiation.round, Round::WaitAnswer { .. }) {
            tracing::debug!(session = %self.session, "answer ignored: none is awaited");
            return Ok(());
        }
        let Round::WaitAnswer { track, pending, .. } =
            std::mem::replace(&mut self.negotiation.round, Round::Idle)
        else {
            return Ok(());
        };
        let used = self.apply_answer(text, pending);
        self.lock.unlock();
        if used.is_err() {
            // pion keeps waiting for a good answer, and so nothing else can be negotiated.
            self.negotiation.wedged = true;
            self.drop_out(track);
        }
        used
    }

    fn apply_answer(&mut self, text: &str, pending: SdpPendingOffer) -> Result<(), Refusal> {
        let mut sdp = Sdp::parse(text).map_err(|_| Refusal::Malformed)?;
        let candidates = sdp.take_candidates();
        let remote = sdp.clone();
        sdp.keep_known(&mut self.agreed);
        let answer =
            SdpAnswer::from_sdp_string(&sdp.to_string()).map_err(|_| Refusal::Malformed)?;
        match guarded(|| self.rtc.sdp_api().accept_answer(pending, answer)) {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::debug!(session = %self.session, %error, "answer refused");
                return Err(Refusal::Rejected);
            }
            None => return Err(Refusal::Rejected),
        }
        self.note_remote(&remote, false);
        for candidate in candidates {
            self.add_candidate(&candidate);
        }
        self.align();
        for n in 0..self.outs.len() {
            if self.outs[n].pt.is_none() {
                self.outs[n].pt = self.payload_type(self.outs[n].mid);
            }
        }
        Ok(())
    }

    /// Does what can be done now: takes the lock, makes offers, gives up what took too long. `alive` tells
    /// whether a track still exists.
    pub(crate) fn advance(
        &mut self,
        now: Instant,
        alive: impl Fn(TrackId) -> bool,
        signals: &mut Vec<String>,
    ) {
        loop {
            match std::mem::replace(&mut self.negotiation.round, Round::Idle) {
                Round::Idle => {
                    if self.channel.is_none() {
                        return;
                    }
                    let Some(job) = self.negotiation.jobs.pop_front() else {
                        return;
                    };
                    self.negotiation.round = Round::WaitLock {
                        job,
                        until: now + LOCK_TIMEOUT,
                    };
                }
                Round::WaitLock { job, until } => {
                    if !self.negotiation.hold_lock && self.lock.try_lock() {
                        let gone = matches!(&job, Job::Add { track, .. } if !alive(*track));
                        if self.negotiation.wedged || gone || !self.start(now, job, signals) {
                            self.lock.unlock();
                        } else {
                            return;
                        }
                    } else if now >= until {
                        tracing::warn!(session = %self.session, ?job, "no lock: change dropped");
                    } else {
                        self.negotiation.round = Round::WaitLock { job, until };
                        return;
                    }
                }
                Round::WaitAnswer { track, until, .. } if now >= until => {
                    tracing::warn!(session = %self.session, "no answer: the session is wedged");
                    self.negotiation.wedged = true;
                    self.drop_out(track);
                    self.lock.unlock();
                }
                waiting @ Round::WaitAnswer { .. } => {
                    self.negotiation.round = waiting;
                    return;
                }
            }
        }
    }

    /// Makes an offer for a change; `false` when there is nothing to do.
    fn start(&mut self, now: Instant, job: Job, signals: &mut Vec<String>) -> bool {
        let (track, made) = match job {
            Job::Add {
                track,
                kind,
                stream,
                label,
            } => (track, self.offer_track(track, kind, stream, label)),
            Job::Remove(track) => (track, self.offer_removal(track)),
        };
        let Some((offer, pending)) = made else {
            return false;
        };
        let map: Vec<_> = self
            .lines
            .iter()
            .filter_map(|line| self.outs.iter().find(|out| out.mid == line.mid))
            // rtcd puts the receiver's own id where the sender's belongs.
            .map(|out| (out.mid.to_string(), out.kind.name(), self.session.clone()))
            .collect();
        if !self.send(&dc::Outgoing::MediaMap(&map)) {
            tracing::debug!(session = %self.session, "the media map was not sent");
        }
        let via = if self.dc_signaling {
            Via::DataChannel
        } else {
            Via::WebSocket
        };
        self.signal(via, description("offer", offer), signals);
        self.negotiation.round = Round::WaitAnswer {
            track,
            pending,
            until: now + SIGNALING_TIMEOUT,
        };
        true
    }

    fn offer_track(
        &mut self,
        track: TrackId,
        kind: TrackKind,
        stream: String,
        label: String,
    ) -> Option<(String, SdpPendingOffer)> {
        let screen_is_there =
            kind == TrackKind::Screen && self.outs.iter().any(|out| out.kind == kind);
        if screen_is_there || self.out(track).is_some() {
            return None;
        }
        let audio = !kind.is_video();
        let free = self.lines.iter().position(|line| line.takes(audio));
        let (mid, offer, pending, ssrc) = if let Some(n) = free {
            let mid = self.lines[n].mid;
            self.remove_streams(mid);
            let mut direct = self.rtc.direct_api();
            let ssrc = direct.new_ssrc();
            direct.declare_stream_tx(ssrc, None, mid, None);
            self.lines[n].slot = Slot::Taken;
            let (offer, pending) = self.offer_direction(mid, Direction::SendRecv)?;
            (mid, offer, pending, ssrc)
        } else {
            let mut api = self.rtc.sdp_api();
            let media = if audio {
                MediaKind::Audio
            } else {
                MediaKind::Video
            };
            // The track id becomes the CNAME in RTCP, which is to be the sender's session id.
            let mid = api.add_media(
                media,
                Direction::SendRecv,
                Some(stream.clone()),
                Some(stream.clone()),
                None,
            );
            let (offer, pending) = api.apply()?;
            let offer = Sdp::parse(&offer.to_sdp_string()).ok()?;
            let name = mid.to_string();
            let section = offer.sections.iter().find(|s| s.mid() == Some(&name))?;
            let ssrc = Ssrc::from(*section.ssrcs().first()?);
            self.lines.push(Line {
                mid,
                audio,
                slot: Slot::Taken,
                remote: Direction::Inactive,
                theirs: false,
                off: false,
            });
            (mid, offer, pending, ssrc)
        };
        self.outs
            .push(Out::new(track, kind, mid, ssrc, stream, label));
        Some((self.dressed(offer), pending))
    }

    fn offer_removal(&mut self, track: TrackId) -> Option<(String, SdpPendingOffer)> {
        let mid = self.out(track)?.mid;
        self.outs.retain(|out| out.track != track);
        self.remove_streams(mid);
        self.line(mid)?.slot = Slot::Free;
        let (offer, pending) = self.offer_direction(mid, Direction::RecvOnly)?;
        Some((self.dressed(offer), pending))
    }

    fn offer_direction(&mut self, mid: Mid, to: Direction) -> Option<(Sdp, SdpPendingOffer)> {
        let same = self.rtc.media(mid)?.direction() == to;
        let mut api = self.rtc.sdp_api();
        if same {
            // str0m makes no offer without a change.
            api.set_direction(mid, Direction::Inactive);
        }
        api.set_direction(mid, to);
        let (offer, pending) = api.apply()?;
        Some((Sdp::parse(&offer.to_sdp_string()).ok()?, pending))
    }

    /// The sender of a track left: audio just stops, see [`Slot::Stopped`].
    pub(crate) fn drop_out(&mut self, track: TrackId) {
        let Some(mid) = self.out(track).map(|out| out.mid) else {
            return;
        };
        self.outs.retain(|out| out.track != track);
        self.remove_streams(mid);
        if let Some(line) = self.line(mid) {
            line.slot = Slot::Stopped;
        }
    }

    fn dressed(&self, mut offer: Sdp) -> String {
        offer.dress(|mid| self.described(mid, false));
        offer.to_string()
    }

    /// Direction and track of a line, for an answer or an offer.
    fn described(&self, mid: &str, answer: bool) -> Option<(Direction, Option<Announced>)> {
        let line = self.lines.iter().find(|line| line.mid.to_string() == mid)?;
        if line.off {
            return None;
        }
        let announced = self.outs.iter().find(|out| out.mid == line.mid);
        Some((
            line.direction(answer),
            announced.map(|out| Announced {
                ssrc: *out.ssrc,
                stream: out.stream.clone(),
                track: out.label.clone(),
            }),
        ))
    }

    /// Learns from a description of the client.
    fn note_remote(&mut self, remote: &Sdp, offer: bool) {
        for section in &remote.sections {
            let audio = match section.kind() {
                Some(Kind::Audio) => true,
                Some(Kind::Video) => false,
                _ => continue,
            };
            let Some(mid) = section.mid().map(Mid::from) else {
                continue;
            };
            if section.direction().is_sending()
                && let Some(stream) = section.stream_id()
            {
                self.streams.insert(mid, stream.to_owned());
            }
            let off = section.is_off()
                || self
                    .rtc
                    .media(mid)
                    .is_none_or(str0m::media::Media::disabled);
            match self.line(mid) {
                Some(line) => {
                    line.remote = section.direction();
                    line.off = off;
                }
                None => self.lines.push(Line {
                    mid,
                    audio,
                    slot: Slot::Free,
                    remote: section.direction(),
                    theirs: offer,
                    off,
                }),
            }
        }
    }

    /// Makes str0m's lines and streams those that were announced.
    fn align(&mut self) {
        for n in 0..self.lines.len() {
            let (mid, wanted) = (self.lines[n].mid, self.lines[n].direction(true));
            if self.lines[n].off {
                continue;
            }
            if self
                .rtc
                .media(mid)
                .is_some_and(|media| media.direction() != wanted)
            {
                // Takes effect at once; without `apply` there is no offer.
                self.rtc.sdp_api().set_direction(mid, wanted);
            }
            let ours = self
                .outs
                .iter()
                .find(|out| out.mid == mid)
                .map(|out| out.ssrc);
            let mut direct = self.rtc.direct_api();
            while let Some((ssrc, repaired)) = direct
                .stream_tx_by_mid(mid, None)
                .map(|stream| (stream.ssrc(), stream.rtx().is_some()))
            {
                if Some(ssrc) == ours && !repaired {
                    break;
                }
                direct.remove_stream_tx(ssrc);
            }
            if let Some(ssrc) = ours {
                direct.declare_stream_tx(ssrc, None, mid, None);
            }
        }
    }

    /// Audio lines on which the client says it sends.
    pub(crate) fn sending_lines(&self) -> Vec<Mid> {
        let sending = self
            .lines
            .iter()
            .filter(|line| line.audio && !line.off && line.remote.is_sending());
        sending.map(|line| line.mid).collect()
    }

    fn remove_streams(&mut self, mid: Mid) {
        let mut direct = self.rtc.direct_api();
        while let Some(ssrc) = direct
            .stream_tx_by_mid(mid, None)
            .map(|stream| stream.ssrc())
        {
            direct.remove_stream_tx(ssrc);
        }
    }

    fn line(&mut self, mid: Mid) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.mid == mid)
    }

    fn signal(&mut self, via: Via, json: String, signals: &mut Vec<String>) {
        match via {
            Via::WebSocket => signals.push(json),
            Via::DataChannel => {
                if !self.send(&dc::Outgoing::Sdp(&json)) {
                    tracing::warn!(session = %self.session, "a description was not sent");
                }
            }
        }
    }
}

impl Line {
    /// Whether a track can be put on this line.
    fn takes(&self, audio: bool) -> bool {
        self.audio == audio
            && self.slot == Slot::Free
            && !self.off
            && (!self.theirs || self.remote.is_receiving())
    }

    /// What the server says about the line.
    fn direction(&self, answer: bool) -> Direction {
        let send = self.slot != Slot::Free && (!answer || self.remote.is_receiving());
        let receive = !answer || self.remote.is_sending();
        match (send, receive) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }
}

fn description(kind: &str, sdp: String) -> String {
    let description = Description {
        r#type: kind.to_owned(),
        sdp,
    };
    // Two strings always serialize.
    serde_json::to_string(&description).unwrap_or_default()
}
