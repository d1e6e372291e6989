//! Who offers when: the pure half of WebRTC signaling for Calls v1.
//!
//! The server is impolite: an offer that it does not expect is silently ignored, and one that *it* makes must be
//! answered within ten seconds or the session is wedged for good. So the client makes the first offer alone, and
//! every later one under the server's lock, one media section at a time (signaling 4.4 to 4.6). Server offers are
//! answered at once, whatever we are waiting for.
//!
//! Inputs are methods, outputs are drained with [`Negotiator::poll`], time is an argument.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use calls_core::wire::calls::Candidate;

/// Pause between two attempts to take the lock (calls-common: 50 ms).
const LOCK_RETRY: Duration = Duration::from_millis(50);
/// How long the lock may be busy. The official 5 s starve in large calls, where the server takes it once per track.
const LOCK_LIMIT: Duration = Duration::from_secs(25);
/// How long an answer may take while we hold the lock. The server drops tracks that wait longer than 5 s for it.
const ANSWER_LIMIT: Duration = Duration::from_secs(4);
/// Candidates kept until there is a description to which they belong. A server sends about ten.
const MAX_CANDIDATES: usize = 64;

/// Which way a description travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The WebSocket.
    Socket,
    /// The data channel.
    Channel,
}

/// What has to be done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Make the change (if any), create an offer, apply it locally, hand it to [`Negotiator::offered`].
    Offer(Option<Change>),
    /// Apply this offer of the server, create an answer, apply it, hand it to [`Negotiator::answered`].
    Answer(String),
    /// Apply this answer of the server.
    Apply(String),
    /// Take our offer back.
    Rollback,
    /// Add this remote candidate.
    Candidate(Candidate),
    /// Send this description.
    Send {
        /// `offer` or `answer`.
        kind: &'static str,
        /// Its text.
        sdp: String,
        /// On which way.
        way: Way,
    },
    /// Ask for the lock.
    Lock,
    /// Give the lock back.
    Unlock,
    /// The change is negotiated.
    Published(Change),
    /// It is not, and nothing is in the way of trying again.
    NotPublished(Change, Failure),
}

/// A change of our own media sections. Each has a round of its own: the server takes one section at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The voice track begins.
    Voice,
    /// The screen track begins.
    Screen,
    /// The screen track ends.
    NoScreen,
    /// The sound that belongs to the screen begins.
    Sound,
    /// It ends.
    NoSound,
}

/// Why a publishing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The lock was busy for too long.
    LockBusy,
    /// No answer to our offer.
    NoAnswer,
    /// The offer or the answer was refused by our own side.
    Broken,
}

/// What the server can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// Offers travel over the data channel once it is open.
    pub(crate) dc_signaling: bool,
    /// The lock exists.
    pub(crate) lock: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// Nothing of ours is under way.
    Idle,
    /// Asking for the lock.
    Locking {
        since: Instant,
        /// When to ask (again); `None` while an answer is outstanding.
        ask_at: Option<Instant>,
    },
    /// The offer is being made.
    Offering {
        locked: bool,
        change: Option<Change>,
    },
    /// Waiting for the answer.
    Offered {
        locked: bool,
        change: Option<Change>,
        since: Instant,
    },
}

/// The negotiation of one session.
#[derive(Debug)]
pub(crate) struct Negotiator {
    abilities: Abilities,
    channel_open: bool,
    /// The first offer has been answered.
    settled: bool,
    /// There is a remote description, so candidates can be added.
    remote: bool,
    /// A server offer is being answered.
    answering: Option<Way>,
    round: Round,
    /// Our offer that nobody has answered in time. The server may have applied it all the same, so it stays
    /// applied here, too, and is sent again as it is: one made anew would name its section differently.
    parked: Option<(String, Change)>,
    /// The offer that is being answered.
    sent: Option<String>,
    /// Wanted and not negotiated yet, in order.
    wanted: VecDeque<Change>,
    published: bool,
    early_offers: VecDeque<(String, Way)>,
    early_candidates: VecDeque<Candidate>,
    acts: VecDeque<Act>,
}

impl Negotiator {
    /// A session that has just been accepted: the first offer is due at once (the server waits ten seconds).
    pub(crate) fn new(abilities: Abilities) -> Self {
        let round = Round::Offering {
            locked: false,
            change: None,
        };
        Self {
            abilities,
            channel_open: false,
            settled: false,
            remote: false,
            answering: None,
            round,
            parked: None,
            sent: None,
            wanted: VecDeque::new(),
            published: false,
            early_offers: VecDeque::new(),
            early_candidates: VecDeque::new(),
            acts: VecDeque::from([Act::Offer(None)]),
        }
    }

    /// The first round is through: there is something that can connect.
    pub(crate) fn settled(&self) -> bool {
        self.settled
    }

    /// What to do next.
    pub(crate) fn poll(&mut self) -> Option<Act> {
        self.acts.pop_front()
    }

    /// When [`Self::tick`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.round {
            Round::Locking { since, ask_at } => {
                let limit = since + LOCK_LIMIT;
                Some(ask_at.map_or(limit, |at| at.min(limit)))
            }
            // The first offer has no limit of its own: the media connection's fifteen seconds cover it.
            Round::Offered { since, .. } if self.settled => Some(since + ANSWER_LIMIT),
            _ => None,
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Instant) {
        match self.round {
            Round::Locking { since, .. } if now >= since + LOCK_LIMIT => {
                self.fail(Failure::LockBusy);
            }
            Round::Locking {
                since,
                ask_at: Some(at),
            } if now >= at => self.ask(since),
            Round::Offered { since, change, .. } if self.settled && now >= since + ANSWER_LIMIT => {
                self.parked = self.sent.take().zip(change);
                self.fail(Failure::NoAnswer);
            }
            _ => {}
        }
    }

    /// A change is wanted. Asking twice is harmless; the voice track begins once.
    pub(crate) fn want(&mut self, change: Change, now: Instant) {
        if change == Change::Voice && self.published {
            return;
        }
        let under_way = match self.round {
            Round::Offering { change, .. } | Round::Offered { change, .. } => change,
            _ => None,
        };
        if under_way != Some(change) && !self.wanted.contains(&change) {
            self.wanted.push_back(change);
        }
        self.start(now);
    }

    /// A change is no longer wanted, if it is not on its way already.
    pub(crate) fn withdraw(&mut self, change: Change) {
        self.wanted.retain(|wanted| *wanted != change);
        if let Round::Locking { .. } = self.round
            && self.wanted.is_empty()
        {
            // An outstanding request may still be granted: see `lock_reply`.
            self.round = Round::Idle;
        }
    }

    /// The data channel opened or closed.
    pub(crate) fn channel(&mut self, open: bool, now: Instant) {
        self.channel_open = open;
        self.start(now);
    }

    /// Our offer is made and applied locally.
    pub(crate) fn offered(&mut self, sdp: String, now: Instant) {
        if let Round::Offering { locked, change } = self.round {
            self.send_offer(sdp, locked, change, now);
        }
    }

    fn send_offer(&mut self, sdp: String, locked: bool, change: Option<Change>, now: Instant) {
        self.round = Round::Offered {
            locked,
            change,
            since: now,
        };
        self.sent = Some(sdp.clone());
        let way = if self.abilities.dc_signaling && self.channel_open {
            Way::Channel
        } else {
            Way::Socket
        };
        self.acts.push_back(Act::Send {
            kind: "offer",
            sdp,
            way,
        });
    }

    /// Our answer to the server's offer is made and applied locally.
    pub(crate) fn answered(&mut self, sdp: String, now: Instant) {
        let Some(way) = self.answering.take() else {
            return;
        };
        self.acts.push_back(Act::Send {
            kind: "answer",
            sdp,
            way,
        });
        self.became_remote();
        self.next_offer();
        self.start(now);
    }

    /// An [`Act::Offer`], [`Act::Apply`] or [`Act::Answer`] could not be done.
    pub(crate) fn broke(&mut self, now: Instant) {
        if self.answering.take().is_some() {
            self.next_offer();
            self.start(now);
            return;
        }
        if let Round::Offering { .. } | Round::Offered { .. } = self.round {
            self.fail(Failure::Broken);
        }
    }

    /// The server's answer to our offer has been applied.
    pub(crate) fn applied(&mut self, now: Instant) {
        self.became_remote();
        let change = match self.round {
            Round::Offered { locked, change, .. } => {
                self.round = Round::Idle;
                self.sent = None;
                self.settled = true;
                if locked {
                    self.acts.push_back(Act::Unlock);
                }
                change
            }
            // Late, but good. A lock that is being asked for meanwhile goes back: see `lock_reply`.
            Round::Idle | Round::Locking { .. } => match self.parked.take() {
                Some((_, change)) => {
                    self.round = Round::Idle;
                    Some(change)
                }
                None => return,
            },
            Round::Offering { .. } => return,
        };
        if let Some(change) = change {
            self.published |= change == Change::Voice;
            self.wanted.retain(|wanted| *wanted != change);
            self.acts.push_back(Act::Published(change));
        }
        self.next_offer();
        self.start(now);
    }

    /// A description from the server.
    pub(crate) fn remote(&mut self, kind: &str, sdp: String, way: Way) {
        match (kind, self.round) {
            ("answer", Round::Offered { .. }) => self.acts.push_back(Act::Apply(sdp)),
            ("answer", Round::Idle | Round::Locking { .. }) if self.parked.is_some() => {
                self.acts.push_back(Act::Apply(sdp));
            }
            // Late, or to an offer that we took back.
            ("answer", _) => tracing::debug!("answer without an offer"),
            ("offer", _) => {
                self.early_offers.push_back((sdp, way));
                self.next_offer();
            }
            _ => tracing::debug!(kind, "description of an unknown kind"),
        }
    }

    /// A candidate from the server; it may come before any description.
    pub(crate) fn candidate(&mut self, candidate: Candidate) {
        if candidate.candidate.is_empty() {
            return;
        }
        if self.remote {
            self.acts.push_back(Act::Candidate(candidate));
        } else if self.early_candidates.len() < MAX_CANDIDATES {
            self.early_candidates.push_back(candidate);
        }
    }

    /// The server's answer to [`Act::Lock`].
    pub(crate) fn lock_reply(&mut self, granted: bool, now: Instant) {
        match (self.round, granted) {
            (Round::Locking { .. }, true) => self.offer(true, now),
            (Round::Locking { since, .. }, false) => {
                let ask_at = Some(now + LOCK_RETRY);
                self.round = Round::Locking { since, ask_at };
            }
            // We own what we no longer want: the server would wait for us for ever.
            (Round::Idle, true) => self.acts.push_back(Act::Unlock),
            _ => {}
        }
    }

    /// Starts our next round, if there is one and nothing is in the way.
    fn start(&mut self, now: Instant) {
        let free = self.settled && self.round == Round::Idle && self.answering.is_none();
        if self.wanted.is_empty() || !free {
            return;
        }
        if !self.abilities.lock {
            self.offer(false, now);
        } else if self.channel_open {
            self.ask(now);
        }
    }

    fn ask(&mut self, since: Instant) {
        self.round = Round::Locking {
            since,
            ask_at: None,
        };
        self.acts.push_back(Act::Lock);
    }

    fn offer(&mut self, locked: bool, now: Instant) {
        if let Some((sdp, change)) = self.parked.take() {
            self.send_offer(sdp, locked, Some(change), now);
            return;
        }
        let change = self.wanted.pop_front();
        self.round = Round::Offering { locked, change };
        self.acts.push_back(Act::Offer(change));
    }

    /// Ends our round without success. Whatever went wrong, the lock goes back if we own it.
    fn fail(&mut self, failure: Failure) {
        let (locked, change) = match self.round {
            Round::Offering { locked, change } | Round::Offered { locked, change, .. } => {
                (locked, change)
            }
            _ => (false, self.wanted.pop_front()),
        };
        self.round = Round::Idle;
        if locked {
            self.acts.push_back(Act::Unlock);
        }
        // The very first round has no change: without it there is no session.
        let change = change.unwrap_or(Change::Voice);
        self.wanted.retain(|wanted| *wanted != change);
        self.acts.push_back(Act::NotPublished(change, failure));
        self.next_offer();
    }

    /// Answers the server's next offer, if it can be answered now.
    fn next_offer(&mut self) {
        // Before our first round is through there is nothing to which it could belong; one at a time.
        if !self.settled || self.answering.is_some() {
            return;
        }
        // Between creating an offer and sending it there is no await in which an offer could be heard, but one may
        // have been heard just before.
        if let Round::Offering { .. } = self.round {
            return;
        }
        let Some((sdp, way)) = self.early_offers.pop_front() else {
            return;
        };
        if self.parked.take().is_some() {
            self.acts.push_back(Act::Rollback);
        }
        if let Round::Offered { locked, change, .. } = self.round {
            // Glare: possible only without the lock, or when the server let it run out. The server ignores our
            // offer, so it is taken back and made again.
            self.acts.push_back(Act::Rollback);
            if locked {
                self.acts.push_back(Act::Unlock);
            }
            self.round = Round::Idle;
            self.sent = None;
            if let Some(change) = change {
                self.wanted.push_front(change);
            }
        }
        self.answering = Some(way);
        self.acts.push_back(Act::Answer(sdp));
    }

    fn became_remote(&mut self) {
        self.remote = true;
        let candidates = self.early_candidates.drain(..);
        self.acts.extend(candidates.map(Act::Candidate));
    }
}

#[cfg(test)]
mod tests;
