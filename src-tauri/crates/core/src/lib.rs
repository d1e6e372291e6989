//! What Halloo *is*: the model, every decision, and the words at its edges. No input, no output.
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
