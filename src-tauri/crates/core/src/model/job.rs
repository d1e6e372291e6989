//! What a server does beside a call: recording, transcribing, captioning.

use crate::id::Millis;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Sound and shared screen into a file.
    Recording,
    /// The recording's words into a text, afterwards.
    Transcription,
    /// Words on screen while they are said.
    Captions,
}

/// A job's life, by the server's clock (calls-v1-rest §2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Asked for.
    pub init_at: Millis,
    /// Began; 0 while starting.
    pub start_at: Millis,
    /// Ended; 0 while it goes on.
    pub end_at: Millis,
    /// Why it failed, in the server's words; empty otherwise.
    pub error: String,
}

impl Job {
    /// Asked for and not over: it can be stopped (calls-v1-rest §14.1).
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.init_at > self.end_at && self.error.is_empty()
    }

    /// Between begin and end.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.start_at > self.end_at && self.error.is_empty()
    }
}
