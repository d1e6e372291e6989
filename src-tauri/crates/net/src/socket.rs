//! The account's WebSocket.

use std::sync::Arc;

use calls_core::port::{LinkEvent, Secret, ServerEvent};

/// What the account's WebSocket says.
#[derive(Clone, Debug, PartialEq)]
pub enum SocketEvent {
    /// The link itself.
    Link(LinkEvent),
    /// The server.
    Server(ServerEvent),
}

/// The account's WebSocket: one task, which connects, resumes and tries again until it is closed.
#[derive(Debug)]
pub struct Socket {}

impl Socket {
    /// Starts connecting to `server` (site address). Must be called inside a tokio runtime. `sink` must not block.
    pub fn open(
        server: String,
        token: Secret,
        sink: Arc<dyn Fn(SocketEvent) + Send + Sync>,
    ) -> Self {
        let _ = (server, token, sink);
        Self {}
    }

    /// Ends the current wait between two tries.
    pub fn retry_now(&self) {}

    /// Closes the link; nothing is said afterwards.
    pub async fn close(self) {}
}
