//! The voice engine.

pub mod apm;
pub mod handle;
