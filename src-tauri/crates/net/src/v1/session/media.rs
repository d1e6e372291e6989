//! What a session has once it is let in: the peer, its negotiation and its figures.

use std::time::Instant;

use calls_core::model::{PairStats, RtcStats};
use calls_core::port::media::Feedback;
use calls_core::snapshot::Quality;
use calls_core::wire::dc::{Message, Writer};
use tokio::sync::mpsc;

use super::super::dc::{Beat, Figures};
use super::super::negotiate::{Abilities, Change, Negotiator};
use super::queue::Queue;
use crate::error::NetError;
use crate::peer::stats::{Interval, mos};
use crate::peer::{Peer, PeerConfig, PeerEvent};

/// The media side of one session.
pub(super) struct Media {
    pub(super) peer: Peer,
    pub(super) events: mpsc::Receiver<PeerEvent>,
    pub(super) negotiator: Negotiator,
    /// The data channel's duties while it is open.
    pub(super) beat: Option<Beat>,
    /// How often publishing has failed in a row.
    pub(super) failures: u32,
    worst: Worst,
    queue: Queue,
    /// Seconds measured.
    seconds: u32,
    /// Ways that the server was told of.
    pairs: Vec<PairStats>,
}

/// The worst figures since the server was last told.
#[derive(Default)]
struct Worst {
    loss: Option<f64>,
    jitter: Option<f64>,
}

impl Media {
    /// Builds the peer; its first offer is due at once.
    pub(super) async fn new(config: &PeerConfig, abilities: Abilities) -> Result<Self, NetError> {
        let (peer, events) = Peer::new(config).await?;
        Ok(Self {
            peer,
            events,
            negotiator: Negotiator::new(abilities),
            beat: None,
            failures: 0,
            worst: Worst::default(),
            queue: Queue::default(),
            seconds: 0,
            pairs: Vec::new(),
        })
    }

    /// Makes an offer, after a change of our tracks. `screen` is the name that the server knows our screen by.
    pub(super) async fn offer(
        &mut self,
        change: Option<Change>,
        screen: Option<&str>,
        simulcast: bool,
    ) -> Result<String, NetError> {
        match (change, screen) {
            (Some(Change::Voice), _) => self.peer.add_voice().await?,
            (Some(Change::Screen), Some(stream)) => {
                self.peer.add_screen(stream, simulcast).await?;
            }
            (Some(Change::NoScreen), _) => self.peer.remove_screen().await?,
            (Some(Change::Sound), Some(stream)) => self.peer.add_sound(stream).await?,
            (Some(Change::NoSound), _) => self.peer.remove_sound().await?,
            // Stopped meanwhile: an offer without it does no harm.
            (Some(Change::Screen | Change::Sound), None) | (None, _) => {}
        }
        self.peer.offer().await
    }

    /// Sends on the data channel. A message that cannot be sent is lost with its connection.
    pub(super) async fn say(&self, message: &Message) {
        let sent = match message.write(Writer::Client) {
            Ok(bytes) => self.peer.send(&bytes).await,
            Err(error) => {
                tracing::warn!(%error, "message cannot be written");
                return;
            }
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "message not sent on the data channel");
        }
    }

    /// Time has passed: the lock, and the data channel's duties.
    pub(super) async fn tick(&mut self, now: Instant) {
        self.negotiator.tick(now);
        let messages = match &mut self.beat {
            Some(beat) => {
                let worst = &mut self.worst;
                beat.tick(now, || Figures {
                    loss: worst.loss.take(),
                    jitter: worst.jitter.take(),
                })
            }
            None => Vec::new(),
        };
        for message in messages {
            self.say(&message).await;
        }
    }

    /// When [`Self::tick`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let beat = self.beat.as_ref().map(Beat::deadline);
        self.negotiator.deadline().into_iter().chain(beat).min()
    }

    /// Whether the counters are to be told: after the first two seconds, then each four.
    pub(super) fn counters_due(&self) -> bool {
        self.seconds % 4 == 2
    }

    /// Whether the server is to be told which ways were found: every two seconds for half a minute, as the official
    /// client does (signaling 2.11).
    pub(super) fn pairs_due(&self) -> bool {
        self.seconds <= 30 && self.seconds.is_multiple_of(2)
    }

    /// Ways that were found since the last time.
    pub(super) fn fresh_pairs(&mut self, counters: &RtcStats) -> Vec<PairStats> {
        let mut fresh = Vec::new();
        for pair in counters
            .pairs
            .iter()
            .filter(|pair| pair.state == "succeeded")
        {
            // Which of them is in use is not part of the metric.
            let pair = PairStats {
                nominated: false,
                ..pair.clone()
            };
            if !self.pairs.contains(&pair) {
                self.pairs.push(pair.clone());
                fresh.push(pair);
            }
        }
        fresh
    }

    /// The figures since the last time, and what the other side says about our voice.
    pub(super) fn measure(&mut self) -> (Quality, Option<Feedback>) {
        let interval = self.peer.measure();
        self.seconds = self.seconds.wrapping_add(1);
        self.worst.add(&interval);
        let rtt = self.beat.as_ref().and_then(Beat::rtt);
        let congested = self.queue.is_long(Instant::now(), rtt);
        let rtt = rtt.unwrap_or_default();
        let report = interval.report;
        let loss = interval.loss.unwrap_or(0.0);
        let jitter = interval.jitter.unwrap_or(0.0);
        let worse = |own: f64, other: Option<f64>| own.max(other.unwrap_or(0.0));
        let score = mos(
            rtt,
            worse(jitter, report.map(|report| report.jitter)),
            worse(f64::from(loss), report.map(|report| f64::from(report.loss))),
        );
        let quality = Quality {
            rtt_ms: rtt.as_secs_f32() * 1000.0,
            loss,
            jitter_ms: (jitter * 1000.0) as f32,
            bitrate_in: interval.bitrate_in,
            bitrate_out: interval.bitrate_out,
            mos: score,
            ..Quality::default()
        };
        let feedback = report.map(|report| Feedback::VoiceLoss {
            share: report.loss,
            congested,
        });
        (quality, feedback)
    }
}

impl Worst {
    /// The larger of both directions, as the official client reports it.
    fn add(&mut self, interval: &Interval) {
        let report = interval.report;
        let losses = [interval.loss, report.map(|report| report.loss)];
        let jitters = [interval.jitter, report.map(|report| report.jitter)];
        for loss in losses.into_iter().flatten() {
            let loss = f64::from(loss);
            self.loss = Some(self.loss.map_or(loss, |worst| worst.max(loss)));
        }
        for jitter in jitters.into_iter().flatten() {
            self.jitter = Some(self.jitter.map_or(jitter, |worst| worst.max(jitter)));
        }
    }
}
