//! The development server, seen from outside: over HTTP and WebSocket, as any client sees it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "server/calls.rs"]
mod calls;
#[path = "server/chat.rs"]
mod chat;
#[path = "server/faults.rs"]
mod faults;
#[path = "server/plugin.rs"]
mod plugin;
#[path = "server/sign_in.rs"]
mod sign_in;
#[path = "server/socket.rs"]
mod socket;
#[path = "server/support.rs"]
mod support;
