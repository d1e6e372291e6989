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
//! What is said about m-lines is in [`super::lines`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};

use super::dc;
use super::engine::guarded;
use super::peer::Peer;
use super::sdp::Sdp;
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

/// Why a description was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It is no `{"type","sdp"}` or no SDP.
    #[error("the description cannot be read")]
    Malformed,
    /// str0m does not accept it.
    #[error("the description does not fit the session")]
    Rejected,
    /// str0m panicked over it; its state cannot be trusted any more.
    #[error("the description broke the session")]
    Broken,
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
        json: &str,
        via: Via,
        signals: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        let description: Description =
            serde_json::from_str(json).map_err(|_| Refusal::Malformed)?;
        match description.r#type.as_str() {
            "offer" => self.handle_offer(&description.sdp, via, signals),
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
        if self.relayed || text.is_empty() || text.contains(" tcp ") || text.contains(" TCP ") {
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
            None => return Err(Refusal::Broken),
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
        let json = description("answer", self.unrevealing(answer.to_string()));
        self.signal(via, json, signals);
        for candidate in std::mem::take(&mut self.negotiation.early) {
            self.add_candidate(&candidate);
        }
        Ok(())
    }

    /// A description without our real addresses, where clients shall not know them.
    fn unrevealing(&self, sdp: String) -> String {
        if !self.relayed {
            return sdp;
        }
        sdp.split_inclusive('\n')
            .filter(|line| !line.starts_with("a=candidate"))
            .collect()
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
            None => return Err(Refusal::Broken),
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
        self.signal(via, description("offer", self.unrevealing(offer)), signals);
        self.negotiation.round = Round::WaitAnswer {
            track,
            pending,
            until: now + SIGNALING_TIMEOUT,
        };
        true
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

fn description(kind: &str, sdp: String) -> String {
    let description = Description {
        r#type: kind.to_owned(),
        sdp,
    };
    // Two strings always serialize.
    serde_json::to_string(&description).unwrap_or_default()
}
