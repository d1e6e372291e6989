//! Calls v1: the plugin's own signaling and SFU.
//!
//! Each call has a WebSocket of its own, as the official client has it: the id of that connection *is* the session.
//! `session.rs` is one session from join to end; this file runs sessions one after the other, because a session that
//! is lost is not repaired (no ICE restart in the official client either) but replaced by a new one, once; one whose
//! network has changed, as often as that happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use calls_core::model::Emoji;
use calls_core::port::media::MediaPort;
use calls_core::port::{
    ActiveCall, BoxFuture, CallBackend, CallEvent, CallIntent, EndReason, EventSink, JoinTicket,
    Secret, ShareTicket,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::lane::Lane;
use crate::line::Target;
use crate::peer::PeerConfig;
use crate::rest::{Rest, is_loopback, site_url};
use session::{Outcome, Session};

mod dc;
mod negotiate;
mod session;
mod signal;
mod tracks;

/// A session that was connected for so long has proved that the call can be repaired again.
const PROVED: Duration = Duration::from_secs(30);
/// How long leaving may take (the port's promise).
const LEAVE_LIMIT: Duration = Duration::from_secs(2);
/// Reactions kept for sending. More at once than these nobody can see; the oldest are dropped.
const REACTIONS: usize = 8;
/// A TURN server that cannot be named in time is done without, as in the official client.
const TURN_LIMIT: Duration = Duration::from_secs(3);

/// The call back end for the plugin's own SFU.
#[derive(Clone, Debug)]
pub struct CallsV1 {
    target: Target,
    lane: Lane,
}

impl CallsV1 {
    /// For calls on `server` (site address) with `token`; `rest` lends its connections, `lane` its thread.
    #[must_use]
    pub fn new(server: String, token: Secret, rest: Rest, lane: Lane) -> Self {
        let rest = rest.with_account(server.clone(), token.clone());
        Self {
            target: Target {
                server,
                token,
                rest,
            },
            lane,
        }
    }
}

impl CallBackend for CallsV1 {
    /// Must be called inside a tokio runtime.
    fn join(
        &self,
        ticket: JoinTicket,
        media: Arc<dyn MediaPort>,
        events: EventSink,
    ) -> Box<dyn ActiveCall> {
        let (wish, wishes) = watch::channel(Wish::default());
        let call = Call {
            target: self.target.clone(),
            ticket,
            media,
            events: Arc::clone(&events),
            wishes: wishes.clone(),
        };
        let worker = self.lane.spawn(call.run());
        let stop = worker.abort_handle();
        let supervisor = self.lane.spawn(async move {
            let reason = worker.await.unwrap_or_else(|error| {
                if wishes.borrow().leave {
                    EndReason::Left
                } else {
                    tracing::error!(%error, "the call's task ended");
                    EndReason::Lost("internal error".into())
                }
            });
            events(CallEvent::Ended(reason));
        });
        Box::new(Active {
            wish,
            supervisor: Some(supervisor),
            stop,
        })
    }
}

/// What is wanted of the call now. Only the newest wish counts, so this is a state and no queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) unmuted: bool,
    pub(crate) hand: bool,
    pub(crate) share: Option<ShareTicket>,
    /// Reactions, the newest last, each with its number: who has sent up to a number sends the later ones.
    pub(crate) reactions: VecDeque<(u64, Emoji)>,
    pub(crate) leave: bool,
}

impl Wish {
    fn react(&mut self, emoji: Emoji) {
        let last = self.reactions.back().map_or(0, |(number, _)| *number);
        if self.reactions.len() >= REACTIONS {
            self.reactions.pop_front();
        }
        self.reactions.push_back((last + 1, emoji));
    }
}

struct Active {
    wish: watch::Sender<Wish>,
    supervisor: Option<JoinHandle<()>>,
    stop: tokio::task::AbortHandle,
}

impl ActiveCall for Active {
    fn apply(&mut self, intent: CallIntent) {
        self.wish.send_if_modified(|wish| {
            let before = wish.clone();
            match intent {
                CallIntent::Mute(muted) => wish.unmuted = !muted,
                CallIntent::RaiseHand(up) => wish.hand = up,
                CallIntent::Share(share) => wish.share = share,
                CallIntent::React(emoji) => wish.react(emoji),
            }
            *wish != before
        });
    }

    fn leave(mut self: Box<Self>) -> BoxFuture<()> {
        let supervisor = self.supervisor.take();
        Box::pin(async move {
            self.wish.send_modify(|wish| wish.leave = true);
            let Some(mut supervisor) = supervisor else {
                return;
            };
            if timeout(LEAVE_LIMIT, &mut supervisor).await.is_err() {
                tracing::warn!("leaving took too long");
                self.stop.abort();
                let _ = supervisor.await;
            }
        })
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        // Nobody can ask for anything any more, so the call ends.
        self.wish.send_modify(|wish| wish.leave = true);
    }
}

/// One call: a session, or a second one after it, and as many as the network changes.
pub(crate) struct Call {
    pub(crate) target: Target,
    pub(crate) ticket: JoinTicket,
    pub(crate) media: Arc<dyn MediaPort>,
    pub(crate) events: EventSink,
    pub(crate) wishes: watch::Receiver<Wish>,
}

impl Call {
    async fn run(mut self) -> EndReason {
        if !signal::is_supported(&self.ticket.config) {
            return EndReason::Unsupported(self.ticket.config.version.clone());
        }
        let mut repaired = false;
        loop {
            let Some(peer) = self.peer_config().await else {
                return EndReason::Left;
            };
            let mut session = Session::open(&self, peer);
            let outcome = session.run().await;
            let connected_at = session.connected_at();
            let why = match &outcome {
                Outcome::Ended(_) => None,
                Outcome::Lost(why) => Some(why.as_str()),
                Outcome::Moved(why) => Some(*why),
            };
            if let Some(why) = why {
                tracing::info!(why, "session lost");
                self.tell(CallEvent::Reconnecting { media_flows: false });
            }
            session.close().await;
            match outcome {
                Outcome::Ended(reason) => return reason,
                _ if self.wishes.borrow().leave => return EndReason::Left,
                Outcome::Lost(why) => {
                    let proved = connected_at.is_some_and(|at| at.elapsed() >= PROVED);
                    if repaired && !proved {
                        return EndReason::Lost(why);
                    }
                    repaired = true;
                }
                // As often as it happens: nothing was wrong with the call. What requests went over is gone as well.
                Outcome::Moved(_) => self.target.rest.forget_connections(),
            }
        }
    }

    pub(crate) fn tell(&self, event: CallEvent) {
        (self.events)(event);
    }

    /// Where media may go; `None` if we are to leave meanwhile.
    async fn peer_config(&mut self) -> Option<PeerConfig> {
        let config = &self.ticket.config;
        let mut peer = PeerConfig {
            ice_servers: config.ice_servers.clone(),
            loopback: site_url(&self.target.server).is_some_and(|url| is_loopback(&url)),
        };
        if config.needs_turn_credentials {
            let asking = timeout(TURN_LIMIT, self.target.rest.turn_credentials());
            tokio::select! {
                answer = asking => match answer {
                    Ok(Ok(servers)) => peer.ice_servers.extend(servers),
                    Ok(Err(error)) => tracing::warn!(%error, "no TURN credentials"),
                    Err(_) => tracing::warn!("no TURN credentials in time"),
                },
                _ = self.wishes.wait_for(|wish| wish.leave) => return None,
            }
        }
        (!self.wishes.borrow().leave).then_some(peer)
    }
}

/// Now, by tokio's clock, as the pure parts want it.
pub(crate) fn now() -> std::time::Instant {
    Instant::now().into_std()
}
