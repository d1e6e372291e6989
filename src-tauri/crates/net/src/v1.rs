//! Calls v1: the plugin's own signaling and SFU.

use std::sync::Arc;

use calls_core::port::media::MediaPort;
use calls_core::port::{
    ActiveCall, BoxFuture, CallBackend, CallIntent, EventSink, JoinTicket, Secret,
};

use crate::rest::Rest;

/// The call back end for the plugin's own SFU.
#[derive(Clone, Debug)]
pub struct CallsV1 {}

impl CallsV1 {
    /// For calls on `server` (site address) with `token`; `rest` fetches TURN credentials.
    #[must_use]
    pub fn new(server: String, token: Secret, rest: Rest) -> Self {
        let _ = (server, token, rest);
        Self {}
    }
}

impl CallBackend for CallsV1 {
    fn join(
        &self,
        ticket: JoinTicket,
        media: Arc<dyn MediaPort>,
        events: EventSink,
    ) -> Box<dyn ActiveCall> {
        let _ = (ticket, media, events);
        Box::new(Active {})
    }
}

struct Active {}

impl ActiveCall for Active {
    fn apply(&mut self, intent: CallIntent) {
        let _ = intent;
    }

    fn leave(self: Box<Self>) -> BoxFuture<()> {
        Box::pin(async {})
    }
}
