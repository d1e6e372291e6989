//! The selective forwarding unit: one UDP socket, one ICE-TCP listener on the same port number, one
//! task, many peers.
//!
//! It behaves like Mattermost's `rtcd` towards a client, on **str0m** instead of pion, so that the client
//! meets a WebRTC implementation that is not its own. `switch` holds the rules without sockets and clock
//! (`sessions`: signaling, `negotiation` and `lines`: offers, `forward`: media); `run` gives it both.
//! Nothing waits and nothing is shared: one task owns everything, handles send it requests.
//!
//! Known differences from rtcd, none of which a client should notice:
//!
//! * mids of lines that the server makes are three random characters instead of numbers;
//! * only VP8, no AV1 (`EnableAV1` is off on this server);
//! * TWCC feedback comes each 50 ms instead of 100 ms; there is no bandwidth estimate towards receivers,
//!   simulcast layers follow reported loss;
//! * audio levels on forwarded packets are under the receiver's extension id (rtcd passes ids unchanged);
//! * a lost answer to an own offer wedges a session as in rtcd, but a late one is dropped instead of being
//!   taken for the answer to a later offer;
//! * of the server's first two candidates one always comes before the answer and one after it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use run::Runner;

mod bind;
mod dc;
mod engine;
mod fault;
mod foreign;
mod forward;
mod layers;
mod lines;
mod lock;
mod negotiation;
mod peer;
mod run;
mod sdp;
mod sessions;
#[cfg(test)]
mod socket_tests;
mod switch;
mod tcp;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod track;
mod vad;

/// How the SFU is set up.
#[derive(Debug, Clone)]
pub struct SfuConfig {
    /// Where UDP and ICE-TCP listen, both on the same port number; port 0 takes any free one.
    pub bind: SocketAddr,
    /// Told to clients instead of the real address; see [`crate::Config::media_announce`].
    pub announce: Option<SocketAddr>,
    /// Whether receivers may be switched to the layer `h` of a screen sent in two layers. Without it
    /// everybody keeps `l` (server option `EnableSimulcast`).
    pub simulcast: bool,
}

/// How long a peer may be silent before it is given up: with pion, and so with rtcd, 5 s until
/// "disconnected" and 25 s more until "failed". See [`SfuFault::DeadAfter`].
pub const DEAD_AFTER: Duration = Duration::from_secs(30);

/// What the SFU tells the signaling server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SfuEvent {
    /// Send `json` to the session's connection as the `data` of a `signal` event.
    Signal {
        /// The session it is for.
        session: String,
        /// `{"type":"answer"|"offer","sdp":…}` or `{"type":"candidate","candidate":{…}}`.
        json: String,
    },
    /// The session began to speak.
    VoiceOn {
        /// The speaker.
        session: String,
    },
    /// The session stopped speaking (also after every mute).
    VoiceOff {
        /// The speaker.
        session: String,
    },
    /// ICE and DTLS are up for the first time.
    Connected {
        /// The session.
        session: String,
    },
    /// The SFU has given the session up; it is already forgotten here. Not sent after [`Sfu::close`].
    Closed {
        /// The session.
        session: String,
        /// Why.
        reason: CloseReason,
    },
}

/// Why the SFU gave up a session by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// No offer came in the first 10 s.
    NoOffer,
    /// The first offer could not be used.
    BadOffer,
    /// Nothing was heard from the peer for about 30 s.
    IceFailed,
    /// The peer closed its side (DTLS close or SCTP abort).
    PeerClosed,
    /// The peer's state machine reported an error it cannot recover from.
    Broken,
    /// [`SfuFault::Kick`].
    Kicked,
}

/// A fault made on demand, for tests of the client.
#[derive(Debug, Clone, PartialEq)]
pub enum SfuFault {
    /// Do not answer the next offer of this session.
    WithholdAnswer {
        /// The session.
        session: String,
    },
    /// Make the session's signaling lock look taken (`true`) or normal again (`false`).
    HoldLock {
        /// The session.
        session: String,
        /// Whether the lock is held.
        held: bool,
    },
    /// Drop this share (0…1) of the RTP packets the server sends and of those it receives.
    DropPackets {
        /// The session, or every session.
        session: Option<String>,
        /// Share of packets sent to the client that are lost, 0…1.
        outgoing: f32,
        /// Share of packets from the client that are lost, 0…1.
        incoming: f32,
    },
    /// Behave as if the network path were cut (`true`): nothing is read from or sent to the peer.
    CutPath {
        /// The session, or every session.
        session: Option<String>,
        /// Whether the path is cut.
        cut: bool,
    },
    /// Send nonsense to the client, as a broken or hostile peer or network would.
    GarblePackets {
        /// The session, or every session.
        session: Option<String>,
        /// Share (0…1) of datagrams to the client that are followed by a broken one: damaged, cut short, or noise.
        noise: f32,
        /// Share (0…1) of forwarded RTP packets whose payload is noise; they are encrypted as others are.
        payload: f32,
    },
    /// Send this on the session's data channel, whatever it means.
    SendData {
        /// The session.
        session: String,
        /// As a binary message, or as text (then it should be UTF-8).
        binary: bool,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Give a silent peer up after this time instead of [`DEAD_AFTER`].
    DeadAfter(Duration),
    /// The network lets media through only so; see [`Passage`].
    Passage(Passage),
    /// Close the peer as a removed session is closed: DTLS close, then `Closed`.
    Kick {
        /// The session.
        session: String,
    },
}

/// What a firewall between the clients and the SFU lets through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    /// Everything.
    #[default]
    Free,
    /// No UDP.
    Tcp,
    /// Only UDP whose other end has a port from the first to the second: those of a TURN server.
    Relayed(u16, u16),
}

impl Passage {
    /// Whether UDP to or from there passes.
    pub(crate) fn udp(self, other: SocketAddr) -> bool {
        match self {
            Self::Free => true,
            Self::Tcp => false,
            Self::Relayed(first, last) => (first..=last).contains(&other.port()),
        }
    }

    /// Whether TCP does.
    pub(crate) fn tcp(self) -> bool {
        !matches!(self, Self::Relayed(..))
    }
}

/// What the SFU counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SfuStats {
    /// Sessions that are open.
    pub peers: usize,
    /// Sessions whose DTLS is up.
    pub connected: usize,
    /// Tracks that clients send.
    pub tracks_in: usize,
    /// Tracks that the SFU sends.
    pub tracks_out: usize,
    /// Of the packets that came, those over TCP.
    pub tcp_in: u64,
    /// RTP packets received since the start.
    pub packets_in: u64,
    /// RTP packets forwarded since the start.
    pub packets_out: u64,
    /// Datagrams (or framed packets) that belonged to no peer or could not be parsed.
    pub packets_dropped: u64,
    /// Requests and events dropped because a queue was full.
    pub overflows: u64,
    /// When the last RTP packet came, microseconds since the Unix epoch.
    pub packet_at: u64,
    /// When the last one came that followed a silence of at least [`SPURT_US`]: somebody began to talk.
    pub spurt_at: u64,
}

/// A silence between packets after which the next one begins something, microseconds.
pub const SPURT_US: u64 = 60_000;

impl SfuStats {
    /// An RTP packet came, at this many microseconds since the Unix epoch.
    pub(crate) fn heard(&mut self, at: u64) {
        if at.saturating_sub(self.packet_at) >= SPURT_US {
            self.spurt_at = at;
        }
        self.packet_at = at;
    }
}

/// Why the SFU did not start.
#[derive(Debug, thiserror::Error)]
pub enum SfuError {
    /// No certificate for DTLS could be made.
    #[error("no DTLS certificate could be made")]
    Certificate,
    /// A socket could not be opened.
    #[error("the media port {addr} cannot be opened")]
    Bind {
        /// The address that was wanted.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Nothing listens where the foreign SFU should be.
    #[error("the foreign SFU at {addr} cannot be reached")]
    Foreign {
        /// Where it should be.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// A handle on the running SFU; clones share it.
///
/// Every method only puts a request into a bounded queue (1024) and returns; when the queue is full
/// the request is dropped and counted, as on a server that is overloaded.
#[derive(Debug, Clone)]
pub struct Sfu {
    requests: mpsc::Sender<Request>,
    local_addr: SocketAddr,
    announce: Option<SocketAddr>,
    overflows: Arc<AtomicU64>,
}

impl Sfu {
    /// Opens the sockets and starts the task. Events go to `events`; the SFU never waits for a slow
    /// receiver, it drops and counts (a queue of 1024 is plenty).
    ///
    /// # Errors
    /// [`SfuError::Bind`] when UDP and TCP could not be had on one port number.
    pub async fn start(
        config: SfuConfig,
        events: mpsc::Sender<SfuEvent>,
    ) -> Result<Self, SfuError> {
        let (requests, queue) = mpsc::channel(1024);
        let overflows = Arc::new(AtomicU64::new(0));
        let (runner, local_addr) = Runner::open(&config, queue, events, Arc::clone(&overflows))?;
        // It ends when it is stopped, which waits for it, or with the last handle.
        tokio::spawn(runner.run());
        Ok(Self {
            requests,
            local_addr,
            announce: config.announce,
            overflows,
        })
    }

    /// Uses an SFU in another process instead of ours: a second judge of the client. The line protocol is
    /// on the page of the `foreign` module. Faults, cameras and counters are not available.
    ///
    /// # Errors
    /// [`SfuError::Foreign`] when nothing listens at `addr`.
    pub async fn connect(
        addr: SocketAddr,
        events: mpsc::Sender<SfuEvent>,
    ) -> Result<Self, SfuError> {
        let stream = foreign::connect(addr)
            .await
            .map_err(|source| SfuError::Foreign { addr, source })?;
        let (requests, queue) = mpsc::channel(1024);
        // It ends when it is stopped, with the last handle, or with the other process.
        tokio::spawn(foreign::run(stream, queue, events));
        Ok(Self {
            requests,
            local_addr: addr,
            announce: None,
            overflows: Arc::default(),
        })
    }

    /// The media address; UDP and TCP share its port. With a foreign SFU its control address.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What clients are told instead, if anything.
    pub fn announce(&self) -> Option<SocketAddr> {
        self.announce
    }

    /// A session joined `call`: its first offer is due within 10 s. With `dc_signaling` the server's
    /// own offers travel on the data channel, else as [`SfuEvent::Signal`].
    pub fn open(&self, session: String, call: String, dc_signaling: bool) {
        self.send(Request::Open {
            session,
            call,
            dc_signaling,
        });
    }

    /// The session left.
    pub fn close(&self, session: &str) {
        self.send(Request::Close(session.to_owned()));
    }

    /// An SDP that came over the WebSocket, decompressed: `{"type":"offer"|"answer","sdp":…}`.
    pub fn sdp(&self, session: &str, json: String) {
        self.send(Request::Sdp(session.to_owned(), json));
    }

    /// A candidate that came over the WebSocket: the JSON of an `RTCIceCandidateInit`.
    pub fn candidate(&self, session: &str, json: String) {
        self.send(Request::Candidate(session.to_owned(), json));
    }

    /// The session muted or unmuted its voice.
    pub fn mute(&self, session: &str, muted: bool) {
        self.send(Request::Mute(session.to_owned(), muted));
    }

    /// The session announced its screen's stream id, or stopped sharing (`None`).
    pub fn screen_stream(&self, session: &str, stream: Option<String>) {
        self.send(Request::Screen(session.to_owned(), stream));
    }

    /// The session announced its camera's stream id, or switched it off (`None`).
    pub fn video_stream(&self, session: &str, stream: Option<String>) {
        self.send(Request::Video(session.to_owned(), stream));
    }

    /// Makes a fault.
    pub fn fault(&self, fault: SfuFault) {
        self.send(Request::Fault(fault));
    }

    /// The counters of now; all zero once the SFU has stopped.
    pub async fn stats(&self) -> SfuStats {
        let (reply, answer) = oneshot::channel();
        self.send(Request::Stats(reply));
        answer.await.unwrap_or_default()
    }

    /// Closes every peer and the sockets, and returns when they are closed.
    pub async fn stop(self) {
        let (reply, answer) = oneshot::channel();
        if self.requests.send(Request::Stop(reply)).await.is_ok() {
            let _ = answer.await; // An error means that the task has ended already.
        }
    }

    fn send(&self, request: Request) {
        if self.requests.try_send(request).is_err() {
            self.overflows.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("an SFU request was dropped");
        }
    }
}

#[derive(Debug)]
enum Request {
    Open {
        session: String,
        call: String,
        dc_signaling: bool,
    },
    Close(String),
    Sdp(String, String),
    Candidate(String, String),
    Mute(String, bool),
    Screen(String, Option<String>),
    Video(String, Option<String>),
    Fault(SfuFault),
    Stats(oneshot::Sender<SfuStats>),
    Stop(oneshot::Sender<()>),
}
