//! Doing what the negotiation asks for.

use calls_core::port::CallEvent;
use calls_core::port::media::MediaKind;
use calls_core::wire::calls::Description;
use calls_core::wire::dc::{self as wire_dc, Message};

use super::super::negotiate::{Act, Change, Failure, Way};
use super::super::now;
use super::{MAX_FAILURES, Out, REPUBLISH, Session, Step, lost};

impl Session<'_> {
    /// Does everything that the negotiation asks for.
    pub(super) async fn negotiate(&mut self) -> Step {
        while let Some(media) = &mut self.media {
            let Some(act) = media.negotiator.poll() else {
                break;
            };
            self.act(act).await?;
        }
        Ok(())
    }

    async fn act(&mut self, act: Act) -> Step {
        let simulcast = self.call.ticket.config.simulcast;
        let Some(media) = &mut self.media else {
            return Ok(());
        };
        match act {
            Act::Offer(change) => match media.offer(change, self.share.stream(), simulcast).await {
                Ok(sdp) => media.negotiator.offered(sdp, now()),
                Err(error) => {
                    tracing::warn!(%error, "no offer");
                    media.negotiator.broke(now());
                }
            },
            Act::Answer(offer) => {
                self.open_tracks(&offer);
                if let Some(media) = &mut self.media {
                    match media.peer.answer(offer).await {
                        Ok(sdp) => media.negotiator.answered(sdp, now()),
                        Err(error) => {
                            // Unanswered, the server is wedged for good: only a new session helps.
                            tracing::warn!(%error, "the server's offer cannot be answered");
                            return Err(lost("negotiation failed"));
                        }
                    }
                }
            }
            Act::Apply(answer) => match media.peer.accept(answer).await {
                Ok(()) => media.negotiator.applied(now()),
                Err(error) => {
                    tracing::warn!(%error, "the server's answer cannot be applied");
                    media.negotiator.broke(now());
                }
            },
            Act::Rollback => {
                if let Err(error) = media.peer.rollback().await {
                    tracing::warn!(%error, "no rollback");
                    return Err(lost("negotiation failed"));
                }
            }
            Act::Candidate(candidate) => {
                if let Err(error) = media.peer.add_candidate(candidate).await {
                    tracing::debug!(%error, "candidate not usable");
                }
            }
            Act::Send { kind, sdp, way } => {
                let kind = kind.to_owned();
                match wire_dc::deflate(&Description { kind, sdp }) {
                    Ok(compressed) if way == Way::Channel => {
                        media.say(&Message::Sdp(compressed)).await;
                    }
                    Ok(compressed) => self.out(Out::Sdp(compressed)),
                    Err(error) => tracing::warn!(%error, "description cannot be written"),
                }
            }
            Act::Lock => media.say(&Message::Lock).await,
            Act::Unlock => media.say(&Message::Unlock).await,
            Act::Published(Change::Screen) => {
                media.failures = 0;
                return self.share_published().await;
            }
            Act::Published(Change::Sound) => {
                media.failures = 0;
                self.sound_published().await;
            }
            Act::Published(Change::NoScreen | Change::NoSound) => media.failures = 0,
            Act::Published(Change::Voice) => match media.peer.voice_outlet().await {
                Ok(outlet) => {
                    media.failures = 0;
                    self.engine.connect(outlet);
                    self.call.tell(CallEvent::VoiceReady);
                }
                Err(error) => {
                    tracing::warn!(%error, "no voice track");
                    return Err(lost("negotiation failed"));
                }
            },
            Act::NotPublished(change, failure) => return self.not_published(change, failure),
        }
        Ok(())
    }

    fn not_published(&mut self, change: Change, failure: Failure) -> Step {
        let Some(media) = &mut self.media else {
            return Ok(());
        };
        tracing::warn!(?change, ?failure, "not published");
        media.failures += 1;
        if !media.negotiator.settled() || media.failures >= MAX_FAILURES {
            return Err(lost("negotiation failed"));
        }
        match change {
            Change::Voice => self.deadlines.publish = Some(now() + REPUBLISH),
            Change::Screen => self.share_not_published(),
            Change::Sound => self.call.tell(CallEvent::ShareSilent),
            // Nothing is sent on it any more; the next change takes it along.
            Change::NoScreen | Change::NoSound => {}
        }
        Ok(())
    }

    fn open_tracks(&mut self, offer: &str) {
        let changes = self.tracks.offer(offer);
        for id in changes.closed {
            self.close_track(&id);
        }
        let Some(media) = &self.media else {
            return;
        };
        for incoming in changes.opened {
            let track = incoming.track;
            tracing::debug!(id = %track.id, kind = ?track.kind, "track");
            if track.kind == MediaKind::ScreenAudio {
                let event = CallEvent::SharedSound(track.session.clone(), true);
                self.call.tell(event);
            }
            let inlet = self.engine.open(track.clone());
            media
                .peer
                .open_track(track.id, track.session, track.kind, incoming.ssrcs, inlet);
        }
    }
}
