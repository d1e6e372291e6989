//! Our shared screen, as the server wants it: announced first, granted by an event, then offered (signaling 5.5).
//!
//! A refusal is silent, so the grant is waited for and not longer than three seconds. Offering the track earlier would
//! get it thrown away for good: over the data channel an offer overtakes the announcement.

use std::time::{Duration, Instant};

use calls_core::id::SessionId;
use calls_core::port::media::ScreenOutlet;
use calls_core::port::{CallEvent, ShareTicket};

use super::super::negotiate::Change;
use super::super::{now, signal};
use super::{Out, Session, Step, lost};

/// How long the grant may take. Somebody else is sharing if it does not come.
const GRANT_LIMIT: Duration = Duration::from_secs(3);

/// Where our share stands.
#[derive(Debug, Default)]
pub(super) enum Share {
    /// Nothing is shared.
    #[default]
    Off,
    /// Announced.
    Asking {
        ticket: ShareTicket,
        stream: String,
        until: Instant,
    },
    /// Granted: the track is being offered, or sends.
    Granted { ticket: ShareTicket, stream: String },
    /// Over, and the person has not been heard about it yet.
    Ended(ShareTicket),
}

impl Share {
    fn ticket(&self) -> Option<ShareTicket> {
        match self {
            Self::Off => None,
            Self::Asking { ticket, .. } | Self::Granted { ticket, .. } | Self::Ended(ticket) => {
                Some(*ticket)
            }
        }
    }

    /// When the grant is given up.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self {
            Self::Asking { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// The name of the stream to offer.
    pub(super) fn stream(&self) -> Option<&str> {
        match self {
            Self::Granted { stream, .. } => Some(stream),
            _ => None,
        }
    }
}

impl Session<'_> {
    /// Brings the share to what the person wants.
    pub(super) fn follow_share(&mut self, wanted: Option<ShareTicket>) {
        if self.share.ticket() == wanted {
            return;
        }
        self.end_share(true);
        self.share = Share::Off;
        let Some(ticket) = wanted.filter(|_| self.up) else {
            return;
        };
        let stream = signal::stream_name();
        self.out(Out::Action(signal::screen_on(&stream)));
        self.share = Share::Asking {
            ticket,
            stream,
            until: now() + GRANT_LIMIT,
        };
    }

    /// Takes the track away; with `say`, tells the server.
    fn end_share(&mut self, say: bool) {
        let granted = matches!(self.share, Share::Granted { .. });
        if !granted && !matches!(self.share, Share::Asking { .. }) {
            return;
        }
        self.engine.connect_screen(None);
        self.engine.connect_sound(None);
        let sound = self.share.ticket().is_some_and(|ticket| ticket.sound);
        if say {
            self.out(Out::Action(signal::bare("screen_off")));
        }
        if let Some(media) = self.media.as_mut().filter(|_| granted) {
            media.negotiator.withdraw(Change::Screen);
            media.negotiator.withdraw(Change::Sound);
            media.negotiator.want(Change::NoScreen, now());
            if sound {
                media.negotiator.want(Change::NoSound, now());
            }
        }
    }

    /// The share is over without the person's doing.
    fn lose_share(&mut self, say: bool, event: CallEvent) {
        let Some(ticket) = self.share.ticket() else {
            return;
        };
        self.end_share(say);
        self.share = Share::Ended(ticket);
        self.call.tell(event);
    }

    /// Somebody presents, or nobody does.
    pub(super) fn presents(&mut self, presenter: Option<&SessionId>) {
        let mine = presenter.is_some() && presenter == self.ear.session();
        match &mut self.share {
            Share::Asking { ticket, stream, .. } if mine => {
                self.share = Share::Granted {
                    ticket: *ticket,
                    stream: std::mem::take(stream),
                };
                if let Some(media) = &mut self.media {
                    media.negotiator.want(Change::Screen, now());
                }
            }
            Share::Asking { .. } if presenter.is_some() => {
                self.lose_share(false, CallEvent::ShareRefused);
            }
            Share::Granted { .. } if !mine => self.lose_share(false, CallEvent::ShareEnded),
            _ => {}
        }
    }

    /// Nobody has answered.
    pub(super) fn share_time(&mut self, now: Instant) {
        if self.share.deadline().is_some_and(|at| at <= now) {
            self.lose_share(true, CallEvent::ShareRefused);
        }
    }

    /// The track is negotiated.
    pub(super) async fn share_published(&mut self) -> Step {
        let simulcast = self.call.ticket.config.simulcast;
        let Some(media) = self
            .media
            .as_mut()
            .filter(|_| self.share.stream().is_some())
        else {
            return Ok(());
        };
        match media.peer.screen_outlet().await {
            Ok(frames) => {
                self.engine
                    .connect_screen(Some(ScreenOutlet { frames, simulcast }));
                self.call.tell(CallEvent::ShareReady);
                // A round of its own, after the picture's.
                if self.share.ticket().is_some_and(|ticket| ticket.sound) {
                    media.negotiator.want(Change::Sound, now());
                }
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "no screen track");
                Err(lost("negotiation failed"))
            }
        }
    }

    /// The sound that belongs to our screen is negotiated. Without it the picture goes on.
    pub(super) async fn sound_published(&mut self) {
        let Some(media) = self
            .media
            .as_mut()
            .filter(|_| self.share.stream().is_some())
        else {
            return;
        };
        match media.peer.sound_outlet().await {
            Ok(outlet) => self.engine.connect_sound(Some(outlet)),
            Err(error) => {
                tracing::warn!(%error, "no track for the screen's sound");
                self.call.tell(CallEvent::ShareSilent);
            }
        }
    }

    /// The track could not be negotiated.
    pub(super) fn share_not_published(&mut self) {
        self.lose_share(true, CallEvent::ShareRefused);
    }
}
