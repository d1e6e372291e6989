//! What can go wrong with a sound device, sorted by what can be done about it.

use calls_core::port::media::DeviceProblem;

/// A failure of the media layer. The variants say what the caller should do.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// There is no such device (any more): use another one.
    #[error("the sound device does not exist")]
    Missing,
    /// The system does not allow it: ask the person.
    #[error("the system does not allow the use of the sound device")]
    Denied,
    /// Another program holds it, or the sound server is not answering: try again later.
    #[error("the sound device is busy")]
    Busy(#[source] Option<Cause>),
    /// The device works with none of the formats that we can convert, or fails: use another one.
    #[error("the sound device failed")]
    Failed(#[source] Option<Cause>),
    /// A sound file cannot be read or written: give up and say so.
    #[error("the sound file cannot be used")]
    File(#[source] Cause),
}

/// What lies beneath a [`MediaError`]; for the log only.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl MediaError {
    /// The same as the core's word for it.
    #[must_use]
    pub fn problem(&self) -> DeviceProblem {
        match self {
            Self::Missing => DeviceProblem::Missing,
            Self::Denied => DeviceProblem::Denied,
            Self::Busy(_) | Self::Failed(_) | Self::File(_) => DeviceProblem::Busy,
        }
    }
}
