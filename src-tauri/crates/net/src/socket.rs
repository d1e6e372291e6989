//! The account's WebSocket.

use std::sync::Arc;
use std::time::Duration;

use calls_core::port::{LinkEvent, Secret, ServerEvent};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::line::{LastWords, Line, LineEvent, Policy, Target};
use crate::rest::Rest;
use crate::tls::Trust;
use crate::translate::Translator;

/// What the account's WebSocket says.
#[derive(Clone, Debug, PartialEq)]
pub enum SocketEvent {
    /// The link itself.
    Link(LinkEvent),
    /// The server.
    Server(ServerEvent),
}

/// Takes what the account's WebSocket says. Must not block.
pub type SocketSink = Arc<dyn Fn(SocketEvent) + Send + Sync>;

/// The pace of the official desktop client (mattermost-core 12.4).
const PING: Duration = Duration::from_secs(30);
/// How long closing may take.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// The account's WebSocket: one task, which connects, resumes and tries again until it is closed.
/// Dropping it closes without a goodbye.
#[derive(Debug)]
pub struct Socket {
    line: Line,
    listener: JoinHandle<()>,
}

impl Socket {
    /// Starts connecting to `server` (site address), which may be one of `trust`. Must be called inside a tokio runtime. `sink` must not block;
    /// nothing follows [`LinkEvent::Unauthorised`].
    pub fn open(server: String, token: Secret, trust: Trust, sink: SocketSink) -> Self {
        let agent = concat!("Halloo/", env!("CARGO_PKG_VERSION"), " Mattermost/6.0.0");
        let rest = Rest::with_trust(agent, trust);
        rest.set_account(server.clone(), Some(token.clone()));
        let target = Target {
            server,
            token,
            rest,
        };
        let policy = Policy {
            ping: PING,
            delay: backoff,
            give_up: None,
        };
        let (line, events) = Line::open(target, policy);
        let listener = tokio::spawn(listen(events, sink));
        Self { line, listener }
    }

    /// Ends the current wait between two tries: the person asks for it, or the computer has slept. A connection that
    /// seems open has three seconds to answer.
    pub fn retry_now(&self) {
        self.line.retry_now();
    }

    /// Tells the server that the person is here, or is not; a status that was set by hand stays (mattermost-core §4.3).
    pub fn active(&self, active: bool) {
        let data = serde_json::json!({"user_is_active": active, "manual": false});
        self.line
            .send("user_update_active_status".to_owned(), Some(data));
    }

    /// Closes the link; nothing is said afterwards.
    pub async fn close(self) {
        self.listener.abort();
        // Wait until it is really gone, so that "nothing is said afterwards" holds.
        let _ = self.listener.await;
        self.line.close(LastWords::default(), CLOSE_LIMIT).await;
    }
}

async fn listen(mut events: mpsc::Receiver<LineEvent>, sink: SocketSink) {
    let mut translator = Translator::default();
    while let Some(event) = events.recv().await {
        let link = match event {
            LineEvent::Event(event) => {
                if event.event == "hello" {
                    translator.hello(&event);
                }
                if let Some(event) = translator.event(&event) {
                    sink(SocketEvent::Server(event));
                }
                continue;
            }
            LineEvent::Up { resumed, .. } => LinkEvent::Up { resumed },
            LineEvent::Down { attempt, retry_in } => LinkEvent::Down { attempt, retry_in },
            LineEvent::Unauthorised => LinkEvent::Unauthorised,
            LineEvent::Untrusted(distrust) => LinkEvent::Untrusted(distrust),
            // Only an address that is none ends this line, and sign-in has used the address before.
            LineEvent::GaveUp(error) => {
                tracing::error!(error, "the account's WebSocket cannot be opened");
                LinkEvent::Down {
                    attempt: u32::MAX,
                    retry_in: Duration::MAX,
                }
            }
        };
        if let LinkEvent::Up { .. } = link {
            let (unknown, malformed) = translator.counts();
            tracing::debug!(unknown, malformed, "link is up");
        }
        sink(SocketEvent::Link(link));
    }
}

/// Mattermost's schedule (12.7), but the first try comes after one second: most losses are short.
fn backoff(attempt: u32) -> Duration {
    let base = match attempt {
        0 | 1 => return Duration::from_secs(1),
        2..=7 => 3,
        n => u64::from(n).saturating_mul(3 * u64::from(n)).min(300),
    };
    Duration::from_secs(base) + jitter()
}

/// 0 to 2 s, so that a server's restart does not bring everybody back in the same moment. The clock's fast digits
/// are random enough for that.
fn jitter() -> Duration {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.subsec_nanos());
    Duration::from_millis(u64::from(nanos / 1_000 % 2_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_quickly_first_and_never_less_than_every_five_minutes() {
        assert_eq!(backoff(1), Duration::from_secs(1));
        for attempt in 2..=7 {
            let delay = backoff(attempt);
            assert!((3.0..5.0).contains(&delay.as_secs_f32()), "{delay:?}");
        }
        assert!(backoff(8) >= Duration::from_secs(192));
        assert!(backoff(u32::MAX) < Duration::from_secs(303));
    }
}
