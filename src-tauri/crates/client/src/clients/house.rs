//! The program around the clients, and each client's way to it.

use std::sync::{Arc, Weak};

use calls_core::alert::AlertWish;
use calls_core::id::ServerNumber;
use calls_core::port::BoxFuture;

use super::exchange::Exchange;
use crate::shell::{Remember, Shell};

/// What the program around several clients does for them: a [`Shell`] that knows which server asks.
pub trait House: Send + Sync {
    /// Keeps something of a server's, or of the person's, for the next run; as [`Shell::remember`].
    fn remember(&self, server: ServerNumber, what: Remember);

    /// Something is to be heard or shown; as [`Shell::alert`].
    fn alert(&self, _server: ServerNumber, _wish: AlertWish) {}

    /// The windows show this server from now on.
    fn shows(&self, _server: ServerNumber) {}

    /// Nothing of this server is to be kept any more.
    fn forget(&self, _server: ServerNumber) {}

    /// As [`Shell::logs`].
    fn logs(&self) -> BoxFuture<Option<String>> {
        Box::pin(std::future::ready(None))
    }

    /// As [`Shell::downloads`].
    fn downloads(&self) -> Option<std::path::PathBuf> {
        None
    }
}

/// Remembers nothing: for tests, bots and the command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHouse;

impl House for NoHouse {
    fn remember(&self, _server: ServerNumber, _what: Remember) {}
}

/// One client's way out.
pub(super) struct LineShell {
    pub(super) number: ServerNumber,
    pub(super) house: Arc<dyn House>,
    pub(super) clients: Weak<Exchange>,
}

impl Shell for LineShell {
    fn remember(&self, what: Remember) {
        self.house.remember(self.number, what);
    }

    fn alert(&self, wish: AlertWish) {
        let Some(clients) = self.clients.upgrade() else {
            return;
        };
        let mut state = clients.state();
        state.board.handle_alert(self.number, wish);
        clients.settle(&mut state);
    }

    fn logs(&self) -> BoxFuture<Option<String>> {
        self.house.logs()
    }

    fn downloads(&self) -> Option<std::path::PathBuf> {
        self.house.downloads()
    }
}
