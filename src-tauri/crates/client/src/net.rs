//! The edge to the servers, as one trait: the real thing, and room for a double in tests.

use std::sync::Arc;

use bytes::Bytes;
use calls_core::id::{Millis, UserId};
use calls_core::port::{BoxFuture, CallBackend, Reply, Request, RequestError, Secret};
use calls_net::{CallsV1, Rest, Socket, SocketEvent};

/// Takes what the account's WebSocket says. Must not block.
pub type SocketSink = Arc<dyn Fn(SocketEvent) + Send + Sync>;

/// An open WebSocket of the account.
pub trait Line: Send {
    /// Ends the wait between two tries.
    fn retry_now(&self);
    /// Closes it; nothing is said afterwards.
    fn close(self: Box<Self>) -> BoxFuture<()>;
}

/// Everything that goes over the network.
pub trait Net: Send + Sync {
    /// Sets the server and the token for everything that follows.
    fn set_account(&self, server: String, token: Option<Secret>);
    /// Performs a request, with the account as it is now.
    fn perform(&self, request: Request) -> BoxFuture<Result<Reply, RequestError>>;
    /// Opens the account's WebSocket.
    fn open_line(&self, server: String, token: Secret, sink: SocketSink) -> Box<dyn Line>;
    /// The way into calls on this server.
    fn backend(&self, server: String, token: Secret) -> Arc<dyn CallBackend>;
    /// A portrait as image bytes.
    fn picture(&self, user: UserId, version: Millis) -> BoxFuture<Option<Bytes>>;
}

/// The real network.
pub(crate) struct RealNet {
    rest: Rest,
}

impl RealNet {
    pub(crate) fn new(user_agent: &str) -> Self {
        Self {
            rest: Rest::new(user_agent),
        }
    }
}

impl Net for RealNet {
    fn set_account(&self, server: String, token: Option<Secret>) {
        self.rest.set_account(server, token);
    }

    fn perform(&self, request: Request) -> BoxFuture<Result<Reply, RequestError>> {
        let rest = self.rest.clone();
        Box::pin(async move { rest.perform(request).await })
    }

    fn open_line(&self, server: String, token: Secret, sink: SocketSink) -> Box<dyn Line> {
        Box::new(RealLine(Socket::open(server, token, sink)))
    }

    fn backend(&self, server: String, token: Secret) -> Arc<dyn CallBackend> {
        Arc::new(CallsV1::new(server, token, self.rest.clone()))
    }

    fn picture(&self, user: UserId, version: Millis) -> BoxFuture<Option<Bytes>> {
        let rest = self.rest.clone();
        Box::pin(async move { rest.picture(&user, version).await.ok() })
    }
}

struct RealLine(Socket);

impl Line for RealLine {
    fn retry_now(&self) {
        self.0.retry_now();
    }

    fn close(self: Box<Self>) -> BoxFuture<()> {
        Box::pin(self.0.close())
    }
}
