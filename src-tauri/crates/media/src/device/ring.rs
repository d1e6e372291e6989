//! The rings between device callbacks and the voice thread.
