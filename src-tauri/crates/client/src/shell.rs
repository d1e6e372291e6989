//! The edge to the program around the client: what it keeps for the next run.

pub use calls_core::alert::AlertWish;
pub use calls_core::effect::Remember;
pub use calls_core::input::SavedSession;

use calls_core::port::BoxFuture;

/// What the program around the client does for it.
pub trait Shell: Send + Sync {
    /// Keeps something for the next run. Called on the conductor's task: must not block, so a key store is asked on
    /// another thread, and [`crate::ClientHandle::session_kept`] told what came of [`Remember::Session`].
    fn remember(&self, what: Remember);

    /// Something is to be heard or shown outside the windows. Called on the conductor's task: must not block, whatever
    /// sound devices and notification services do. Programs without a person do nothing.
    fn alert(&self, _wish: AlertWish) {}

    /// The newest mebibyte of the log, without secrets; `None` if none is kept.
    fn logs(&self) -> BoxFuture<Option<String>> {
        Box::pin(std::future::ready(None))
    }

    /// The folder for files that a person saves; `None` if there is none, and nothing can be saved.
    fn downloads(&self) -> Option<std::path::PathBuf> {
        None
    }
}

/// Remembers nothing: for tests, bots and the command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullShell;

impl Shell for NullShell {
    fn remember(&self, _what: Remember) {}
}
