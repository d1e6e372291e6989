//! Contract tests that every [`crate::AudioHost`] must pass.
