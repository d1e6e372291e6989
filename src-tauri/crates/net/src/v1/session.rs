//! One session: from the join to the moment when it ends or is lost.
//!
//! One task owns everything: the line, the peer, the negotiation. It listens to all of them and to the person's
//! wishes, and does what the [`Negotiator`] says. No device is waited for: the server closes a session that has not
//! offered within ten seconds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use calls_core::port::media::MediaKind;
use calls_core::port::{CallEvent, EndReason, Refusal};
use calls_core::wire::calls::Description;
use calls_core::wire::dc::{self as wire_dc, Message};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

use super::dc::Beat;
use super::negotiate::{Change, Way};
use super::signal::{self, Ear, Heard};
use super::tracks::{self, Tracks};
use super::{Call, Wish, now};
use crate::line::{Action, LastWords, Line, LineEvent, Policy};
use crate::peer::{PeerConfig, PeerEvent};
use deadlines::Deadlines;
use engine::Engine;
use media::Media;
use network::Watch;
use share::Share;

mod act;
mod deadlines;
mod engine;
mod media;
mod network;
mod queue;
mod share;

/// The official client's numbers (signaling 1.4, 1.5): ping every 5 s, 1.0, 1.5, 2.0 … s between tries, 30 s in all.
const POLICY: Policy = Policy {
    ping: Duration::from_secs(5),
    delay: |attempt| Duration::from_millis(500 + 500 * attempt as u64),
    give_up: Some(Duration::from_secs(30)),
};
/// How long the server may think about a join. Large channels are let in in batches of a second.
const JOIN_LIMIT: Duration = Duration::from_secs(15);
/// How long media may take to connect (calls-common).
const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// How long the state may take after a reconnect; the server says nothing at all when the call is over.
const STATE_LIMIT: Duration = Duration::from_secs(5);
/// Pause before the voice track is tried again.
const REPUBLISH: Duration = Duration::from_secs(1);
/// So often publishing may fail before the session is taken for wedged (signaling 4.6).
const MAX_FAILURES: u32 = 3;
/// How long the server is not told of a mute. At its word it drops our packets, also the frame of silence that keeps
/// receivers from repeating the last sound; that one is on its way within 30 ms. The microphone is off at once.
const MUTE_DELAY: Duration = Duration::from_millis(60);
/// Messages kept while the line is down: candidates and an answer or two.
const OUTBOX: usize = 64;
/// How long the last words may take, within the two seconds for leaving.
const CLOSE_LIMIT: Duration = Duration::from_millis(1500);

/// How a session ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The call is over.
    Ended(EndReason),
    /// The session is, but another one may do.
    Lost(String),
    /// The network that the session was made in is no more; the next one has another.
    Moved(&'static str),
}

/// One session.
pub(crate) struct Session<'a> {
    call: &'a Call,
    peer_config: PeerConfig,
    wishes: watch::Receiver<Wish>,
    line: Line,
    line_events: mpsc::Receiver<LineEvent>,
    up: bool,
    join_sent: bool,
    ear: Ear,
    outbox: VecDeque<Out>,
    media: Option<Media>,
    tracks: Tracks,
    engine: Engine,
    told: Told,
    share: Share,
    deadlines: Deadlines,
    watch: Watch,
    connected_at: Option<tokio::time::Instant>,
    /// Media is connected right now.
    flows: bool,
}

enum Out {
    Action(Action),
    Sdp(Vec<u8>),
}

/// What the server believes about us.
#[derive(Default)]
struct Told {
    unmuted: bool,
    hand: bool,
    /// Number of the last reaction.
    reaction: u64,
}

type Step = Result<(), Outcome>;

fn ended(reason: EndReason) -> Outcome {
    Outcome::Ended(reason)
}

fn lost(why: impl Into<String>) -> Outcome {
    Outcome::Lost(why.into())
}

impl<'a> Session<'a> {
    /// Starts connecting.
    pub(crate) fn open(call: &'a Call, peer_config: PeerConfig) -> Self {
        // What was shown to the others in an earlier session is not shown again.
        let reactions = &call.wishes.borrow().reactions;
        let reaction = reactions.back().map_or(0, |(number, _)| *number);
        let (line, line_events) = Line::open(call.target.clone(), POLICY);
        Self {
            peer_config,
            wishes: call.wishes.clone(),
            line,
            line_events,
            up: false,
            join_sent: false,
            ear: Ear::new(call.ticket.channel.clone(), call.ticket.me.clone()),
            outbox: VecDeque::new(),
            media: None,
            tracks: Tracks::default(),
            engine: Engine::new(Arc::clone(&call.media)),
            told: Told {
                reaction,
                ..Told::default()
            },
            share: Share::default(),
            deadlines: Deadlines::default(),
            watch: Watch::default(),
            connected_at: None,
            flows: false,
            call,
        }
    }

    /// When media was connected first.
    pub(crate) fn connected_at(&self) -> Option<tokio::time::Instant> {
        self.connected_at
    }

    /// Runs the session to its end.
    pub(crate) async fn run(&mut self) -> Outcome {
        loop {
            let deadline = self.next_deadline();
            let step = tokio::select! {
                event = self.line_events.recv() => match event {
                    Some(event) => self.line_said(event).await,
                    None => Err(lost("the line ended")),
                },
                event = heard(&mut self.media) => match event {
                    Some(event) => self.peer_said(event).await,
                    None => Err(lost("the media connection ended")),
                },
                changed = self.wishes.changed() => match changed {
                    Ok(()) if self.wishes.borrow().leave => Err(ended(EndReason::Left)),
                    Ok(()) => self.follow_wishes(false).await,
                    Err(_) => Err(ended(EndReason::Left)),
                },
                () = sleep_until(deadline.into()) => self.time_passed().await,
            };
            if let Err(outcome) = step {
                return outcome;
            }
        }
    }

    /// Frees everything, and says goodbye even when nothing works any more: the server would keep a ghost.
    pub(crate) async fn close(mut self) {
        drop(self.engine);
        let mut words = LastWords::default();
        if self.join_sent {
            let former = self.ear.connected(String::new());
            let reconnect = self.ear.reconnect(&former);
            if self.up {
                words.reopened.extend(reconnect);
            } else {
                words.always.extend(reconnect);
            }
            words.always.push(signal::bare("leave"));
        }
        let closing = async {
            if let Some(media) = self.media.take() {
                media.peer.close().await;
            }
        };
        tokio::join!(closing, self.line.close(words, CLOSE_LIMIT));
    }

    fn next_deadline(&self) -> Instant {
        self.deadlines
            .next()
            .chain(self.media.as_ref().and_then(Media::deadline))
            .chain(self.share.deadline())
            .min()
            // Something always happens before: the line pings every five seconds.
            .unwrap_or_else(|| now() + Duration::from_secs(3600))
    }

    async fn time_passed(&mut self) -> Step {
        let now = now();
        if Deadlines::due(&mut self.deadlines.join, now) {
            let text = "the server did not answer the join".to_owned();
            return Err(ended(EndReason::Refused(Refusal::Other(text))));
        }
        if Deadlines::due(&mut self.deadlines.connect, now) {
            return Err(ended(EndReason::MediaTimeout));
        }
        if Deadlines::due(&mut self.deadlines.state, now) {
            // Silence means that there is no call any more; but while media flows there must be one.
            if !self.flows {
                return Err(ended(EndReason::EndedForAll));
            }
            let ask = self.ear.ask_state();
            self.out(Out::Action(ask));
        }
        if Deadlines::due(&mut self.deadlines.measure, now) {
            self.deadlines.measure = Some(now + Duration::from_secs(1));
            self.look_at_network()?;
            self.measure();
            if let Some(media) = self.media.as_mut().filter(|media| media.pairs_due()) {
                let counters = media.peer.counters().await;
                for pair in media.fresh_pairs(&counters) {
                    self.out(Out::Action(signal::pair_metric(&pair)));
                }
            }
            if let Some(media) = self.media.as_mut().filter(|media| media.counters_due()) {
                let counters = media.peer.counters().await;
                self.call.tell(CallEvent::Rtc(Box::new(counters)));
            }
        }
        if Deadlines::due(&mut self.deadlines.mute, now) && self.up && self.told.unmuted {
            self.out(Out::Action(signal::bare("mute")));
            self.told.unmuted = false;
        }
        self.share_time(now);
        if Deadlines::due(&mut self.deadlines.publish, now) {
            self.follow_wishes(false).await?;
        }
        if let Some(media) = &mut self.media {
            media.tick(now).await;
        }
        self.negotiate().await
    }

    async fn line_said(&mut self, event: LineEvent) -> Step {
        match event {
            LineEvent::Up {
                connection,
                resumed,
            } => self.line_up(connection, resumed).await,
            // `Down` follows, and the account's own line has told it.
            LineEvent::Untrusted(_) => Ok(()),
            LineEvent::Event(event) => match self.ear.hear(&event) {
                Some(heard) => self.heard(heard).await,
                None => Ok(()),
            },
            LineEvent::Down { .. } => {
                if self.up && self.ear.session().is_some() {
                    let media_flows = self.flows;
                    self.call.tell(CallEvent::Reconnecting { media_flows });
                }
                self.up = false;
                self.deadlines.state = None;
                Ok(())
            }
            LineEvent::GaveUp(error) => Err(ended(EndReason::Lost(error))),
            LineEvent::Unauthorised => Err(ended(EndReason::Unauthorised)),
        }
    }

    async fn line_up(&mut self, connection: String, resumed: bool) -> Step {
        self.up = true;
        let former = self.ear.connected(connection);
        let Some(reconnect) = self.ear.reconnect(&former) else {
            // Not let in yet. A join on a connection that lives on is still being thought about.
            if !(self.join_sent && resumed) {
                let ticket = &self.call.ticket;
                let thread = ticket.thread.as_ref();
                let thread = thread.map(|post| post.as_str().to_owned());
                let join = self.ear.join(
                    ticket.title.clone(),
                    thread.unwrap_or_default(),
                    ticket.config.dc_signaling,
                );
                self.join_sent = true;
                self.deadlines.join.get_or_insert(now() + JOIN_LIMIT);
                self.out(Out::Action(join));
            }
            return Ok(());
        };
        // The order matters: what is sent before `reconnect` may hit a session that is not ours yet.
        self.line.send(reconnect.0, reconnect.1);
        let ask = self.ear.ask_state();
        self.line.send(ask.0, ask.1);
        self.deadlines.state = Some(now() + STATE_LIMIT);
        for out in std::mem::take(&mut self.outbox) {
            self.out(out);
        }
        if self.flows {
            self.call.tell(CallEvent::Connected);
        }
        self.follow_wishes(true).await
    }

    async fn heard(&mut self, heard: Heard) -> Step {
        match heard {
            Heard::Accepted(session) => {
                self.deadlines.join = None;
                self.deadlines.connect = Some(now() + CONNECT_LIMIT);
                let abilities = signal::abilities(&self.call.ticket.config);
                let media = Media::new(&self.peer_config, abilities).await;
                self.media = Some(media.map_err(|error| {
                    tracing::error!(%error, "no media connection can be made");
                    ended(EndReason::MediaTimeout)
                })?);
                if let Some(media) = &self.media {
                    media.peer.report_to(Arc::clone(&self.call.media));
                }
                self.call.tell(CallEvent::Accepted(session));
            }
            Heard::Description(description) => self.description(description, Way::Socket),
            Heard::Candidate(candidate) => {
                if let Some(media) = &mut self.media {
                    media.negotiator.candidate(candidate);
                }
            }
            Heard::Tell(event) => {
                self.passing(&event);
                self.call.tell(event);
            }
            Heard::Ended(reason) => return Err(ended(reason)),
            Heard::Dropped => return Err(lost("the server dropped the session")),
        }
        self.negotiate().await
    }

    /// Looks at what is passed on: some of it is the only sign that tracks have ended (signaling 5.4).
    fn passing(&mut self, event: &CallEvent) {
        match event {
            CallEvent::Sharing(presenter) => self.presents(presenter.as_ref()),
            CallEvent::State(state) => self.presents(state.sharing.as_ref()),
            _ => {}
        }
        let closed = match event {
            CallEvent::Left(session) => self.tracks.forget(|track| track.session == *session),
            CallEvent::Sharing(None) => self
                .tracks
                .forget(|track| track.kind == MediaKind::ScreenAudio),
            CallEvent::State(state) if self.deadlines.state.take().is_some() => {
                // We may have missed who left.
                self.tracks.forget(|track| {
                    !state
                        .participants
                        .iter()
                        .any(|participant| participant.session == track.session)
                })
            }
            _ => return,
        };
        for id in closed {
            self.close_track(&id);
        }
    }

    fn close_track(&mut self, id: &calls_core::id::TrackId) {
        if let Some(media) = &self.media {
            media.peer.close_track(id);
        }
        if let Some(session) = tracks::sound_of(id) {
            self.call.tell(CallEvent::SharedSound(session, false));
        }
        self.engine.close(id);
    }

    fn description(&mut self, description: Description, way: Way) {
        if let Some(media) = &mut self.media {
            media
                .negotiator
                .remote(&description.kind, description.sdp, way);
        }
    }

    async fn peer_said(&mut self, event: PeerEvent) -> Step {
        match event {
            PeerEvent::Candidate(candidate) => self.out(Out::Action(signal::ice(&candidate))),
            PeerEvent::Connected => {
                self.flows = true;
                self.deadlines.connect = None;
                self.connected_at
                    .get_or_insert_with(tokio::time::Instant::now);
                self.deadlines
                    .measure
                    .get_or_insert(now() + Duration::from_secs(1));
                if self.up {
                    self.call.tell(CallEvent::Connected);
                }
                self.follow_wishes(false).await?;
            }
            PeerEvent::Disconnected => {
                self.flows = false;
                self.call
                    .tell(CallEvent::Reconnecting { media_flows: false });
                self.look_at_network()?;
            }
            PeerEvent::Failed if self.connected_at.is_some() => {
                self.flows = false;
                return Err(lost("the media connection was lost"));
            }
            PeerEvent::Failed => return Err(ended(EndReason::MediaTimeout)),
            PeerEvent::Channel(open) => {
                if let Some(media) = &mut self.media {
                    media.beat = open.then(|| Beat::new(now()));
                    media.negotiator.channel(open, now());
                }
            }
            PeerEvent::Message(bytes) => self.message(&bytes),
        }
        self.negotiate().await
    }

    fn message(&mut self, bytes: &Bytes) {
        let message = match Message::read(bytes) {
            Ok(message) => message,
            Err(error) => {
                tracing::debug!(%error, "malformed message on the data channel");
                return;
            }
        };
        let Some(media) = &mut self.media else {
            return;
        };
        match message {
            Message::Pong => {
                if let Some(beat) = &mut media.beat {
                    beat.pong(now());
                }
            }
            Message::Sdp(compressed) => match wire_dc::inflate(&compressed) {
                Ok(description) => self.description(description, Way::Channel),
                Err(error) => tracing::debug!(%error, "malformed description"),
            },
            Message::LockReply(granted) => media.negotiator.lock_reply(granted, now()),
            Message::MediaMap(map) => self.tracks.set_map(map),
            // Nothing else is the server's to say.
            other => tracing::debug!(?other, "message on the data channel"),
        }
    }

    /// Brings the server, and the voice track, to what the person wants. With `again` everything is said once more:
    /// the server may have missed it.
    async fn follow_wishes(&mut self, again: bool) -> Step {
        // Nothing is heard of us before media is connected, so nobody is told that we can be heard.
        if self.connected_at.is_none() {
            return Ok(());
        }
        let wish = self.wishes.borrow_and_update().clone();
        if self.up {
            if wish.unmuted {
                self.deadlines.mute = None;
            }
            if again || (wish.unmuted && !self.told.unmuted) {
                let kind = if wish.unmuted { "unmute" } else { "mute" };
                self.out(Out::Action(signal::bare(kind)));
                self.told.unmuted = wish.unmuted;
            } else if self.told.unmuted && !wish.unmuted {
                self.deadlines.mute.get_or_insert(now() + MUTE_DELAY);
            }
            if self.told.hand != wish.hand || (again && wish.hand) {
                let kind = if wish.hand {
                    "raise_hand"
                } else {
                    "unraise_hand"
                };
                self.out(Out::Action(signal::bare(kind)));
                self.told.hand = wish.hand;
            }
            for (number, emoji) in &wish.reactions {
                if *number > self.told.reaction {
                    self.out(Out::Action(signal::react(emoji)));
                    self.told.reaction = *number;
                }
            }
        }
        self.follow_share(wish.share);
        if let Some(media) = &mut self.media {
            // A track that is published makes the server offer it to everybody, hence not before it is of use
            // (signaling 5.2). Who holds a key to talk will use it, and would lose their first word to that round.
            if wish.unmuted || self.call.ticket.talks {
                media.negotiator.want(Change::Voice, now());
            } else {
                media.negotiator.withdraw(Change::Voice);
                self.deadlines.publish = None;
            }
        }
        self.negotiate().await
    }

    /// Sends, or keeps until the line is up again.
    fn out(&mut self, out: Out) {
        match (self.up, out) {
            (true, Out::Action((name, data))) => self.line.send(name, data),
            (true, Out::Sdp(compressed)) => self.line.send_sdp(compressed),
            (false, out) if self.outbox.len() < OUTBOX => self.outbox.push_back(out),
            (false, _) => tracing::debug!("line is down and the outbox full: message dropped"),
        }
    }

    fn measure(&mut self) {
        let Some(media) = &mut self.media else {
            return;
        };
        let (quality, report) = media.measure();
        if let Some(report) = report {
            self.engine.feedback(report);
        }
        if self.flows {
            self.call.tell(CallEvent::Quality(quality));
        }
    }
}

/// The peer's next event; never, while there is no peer.
async fn heard(media: &mut Option<Media>) -> Option<PeerEvent> {
    match media {
        Some(media) => media.events.recv().await,
        None => std::future::pending().await,
    }
}
