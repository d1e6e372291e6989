//! One request in, one reply out, over HTTPS.

use bytes::Bytes;
use calls_core::id::UserId;
use calls_core::port::{Reply, Request, RequestError, Secret};

/// Performs requests for one account. Cheap to clone: clones share connections and the account.
#[derive(Clone, Debug)]
pub struct Rest {}

impl Rest {
    /// A client that calls itself `user_agent` (which Mattermost keeps with the session).
    #[must_use]
    pub fn new(user_agent: &str) -> Self {
        let _ = user_agent;
        Self {}
    }

    /// Sets the server (site address without a slash at the end) and the token for everything that follows.
    pub fn set_account(&self, server: String, token: Option<Secret>) {
        let _ = (server, token);
    }

    /// Performs a request.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn perform(&self, request: Request) -> Result<Reply, RequestError> {
        let _ = request;
        Err(RequestError::TimedOut)
    }

    /// The portrait of a user, as the server's image bytes (PNG or JPEG). `version` makes the address unique.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn picture(&self, user: &UserId, version: i64) -> Result<Bytes, RequestError> {
        let _ = (user, version);
        Err(RequestError::TimedOut)
    }
}
