//! Everything that talks to a server.
//!
//! What owns what: [`Rest`] performs one [`calls_core::port::Request`] at a time over HTTPS, [`Socket`] is the
//! account's WebSocket (one task, resumes by itself), and [`CallsV1`] is the call back end for the Calls
//! plugin's own SFU: a second WebSocket and one WebRTC peer connection per call, as the official client has it.
//!
//! Run rule: every part is one tokio task that owns its state; the outside holds a handle and hears through a
//! callback, which must not block. Only `peer.rs` and `peer/` name `webrtc`.
//!
//! A network that changes: an address that this machine has no more takes with it what was made from it. Calls find that out
//! by a look a second (`v1/session/network.rs`), sockets when they ping, and each begins anew instead of waiting for time-outs.
//!
//! What it refuses: nothing that a server sends may panic; unknown events are counted and skipped; a token never
//! travels to another host than the one it was given for.
#![forbid(unsafe_code)]

mod address;
mod error;
mod lane;
mod line;
mod peer;
mod rest;
mod servers;
mod socket;
mod tls;
mod translate;
mod v1;

pub use lane::Lane;
pub use rest::Rest;
pub use socket::{Socket, SocketEvent, SocketSink};
pub use tls::Trust;
pub use v1::CallsV1;
