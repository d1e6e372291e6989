//! What can go wrong in a chore. Every variant is a sentence that tells a person what to do next.

use std::path::PathBuf;

/// A chore that could not be finished.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TaskError {
    /// The command line was not understood.
    #[error("{0}")]
    Usage(String),
    /// Something must be installed by hand; the text holds the exact line to run.
    #[error("{0}")]
    Missing(String),
    /// A program could not be started at all.
    #[error("cannot start {program}: {source}")]
    Start {
        /// The program as it was called.
        program: String,
        /// Why the system refused.
        #[source]
        source: std::io::Error,
    },
    /// A program ran and said no.
    #[error("{program} ended with {status}")]
    Failed {
        /// The program with its arguments.
        program: String,
        /// Exit code or signal, as text.
        status: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why the system refused.
        #[source]
        source: std::io::Error,
    },
    /// Something was awaited and did not come.
    #[error("{what} did not come within {seconds} s")]
    Late {
        /// What was awaited.
        what: String,
        /// The limit, in seconds.
        seconds: u64,
    },
    /// A program answered with something else than was agreed.
    #[error("{0}")]
    Unexpected(String),
    /// Some named steps failed; they were already reported one by one.
    #[error("{0} step(s) failed")]
    Steps(usize),
}

impl TaskError {
    /// Wraps an input/output error with the file it is about.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
