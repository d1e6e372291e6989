//! The network test: which ways there are, before anybody needs them.

use crate::id::Millis;
use crate::port::Request;
use crate::snapshot::Way;

use super::Machine;
use super::out::{Asked, Part};

impl Machine {
    /// A person wants to know. One test at a time.
    pub(super) fn test_network(&mut self) {
        if self.network.running || !self.account.has_session() {
            return;
        }
        self.network.running = true;
        let config = self.directory.calls.config();
        let request = Request::TestWays {
            servers: config.map(|it| it.ice_servers.clone()).unwrap_or_default(),
            credentials: config.is_some_and(|it| it.needs_turn_credentials),
        };
        self.out.ask(Asked::Ways, request);
        self.out.dirty(Part::Network);
    }

    /// What was found; `None` if the test itself failed.
    pub(super) fn network_tested(&mut self, unix: Millis, ways: Option<Vec<Way>>) {
        self.network.running = false;
        if let Some(ways) = ways {
            self.network.ways = ways;
            self.network.at = Some(unix);
        }
        self.out.dirty(Part::Network);
    }
}
