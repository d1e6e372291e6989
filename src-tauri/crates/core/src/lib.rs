//! What Halloo *is*: the model, every decision, and the words at its edges. No input, no output.
//!
//! **What it owns.** [`machine::Machine`] is one server's client: given an [`input::Input`] and the time, it decides, and
//! yields [`effect::Effect`]s. [`switchboard::Switchboard`] stands above several of them. [`command::Command`] is all that a
//! person can ask for, [`snapshot::Snapshot`] all that a page can show, [`model`] what exists on a server, and [`wire`] how
//! servers spell it. [`port`] are the edges that other crates fill in.
//!
//! **Run rule.** One input, then every effect, before the next input. There are no threads and no clock: whoever calls
//! brings the time.
//!
//! **What it refuses.** To panic at what a server says, to perform anything itself, and to know of sound, sockets or windows.
#![forbid(unsafe_code)]

pub mod alert;
pub mod command;
pub mod effect;
pub mod id;
pub mod input;
pub mod machine;
pub mod model;
pub mod notice;
pub mod port;
pub mod preferences;
pub mod snapshot;
pub mod switchboard;
pub mod trust;
pub mod wire;
