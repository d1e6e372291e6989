//! See Cargo.toml.

pub mod sfu;
