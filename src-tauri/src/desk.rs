//! The desktop around the windows: what the core wants heard and shown there, and what comes back from it.

use std::sync::{Arc, OnceLock};

use calls_client::{AlertWish, ClientHandle};
use calls_core::command::Command;
use tokio::sync::Notify;

use crate::notifier::{Clicks, Notifier};
use crate::ringer::Ringer;

/// Plays and shows what the core wants, without ever waiting for it.
pub(crate) struct Desk {
    ringer: Ringer,
    notifier: Notifier,
    back: Arc<Back>,
}

/// What comes back from the desktop.
#[derive(Default)]
struct Back {
    client: OnceLock<ClientHandle>,
    /// The window is to come to the front.
    front: Notify,
}

impl Desk {
    /// Must be made on the runtime that the client runs on.
    pub(crate) fn new() -> Arc<Self> {
        let back = Arc::new(Back::default());
        let clicks: Arc<dyn Clicks> = Arc::clone(&back) as Arc<dyn Clicks>;
        Arc::new(Self {
            ringer: Ringer::default(),
            notifier: Notifier::start(&tokio::runtime::Handle::current(), clicks),
            back,
        })
    }

    /// Whom clicks are for.
    pub(crate) fn serve(&self, client: ClientHandle) {
        // Called once.
        let _ = self.back.client.set(client);
    }

    /// Plays or shows; returns at once.
    pub(crate) fn alert(&self, wish: AlertWish) {
        match wish {
            AlertWish::Ring(ring) => self.ringer.ring(ring),
            AlertWish::Silence => self.ringer.silence(),
            AlertWish::Cue { cue, device } => self.ringer.cue(cue, device),
            AlertWish::Show(note) => self.notifier.show(note),
            AlertWish::Withdraw(key) => self.notifier.withdraw(key),
        }
    }

    /// Brings the window to the front, soon.
    pub(crate) fn show(&self) {
        self.back.front.notify_one();
    }

    /// Resolves when the window is to come to the front.
    pub(crate) async fn shown(&self) {
        self.back.front.notified().await;
    }
}

impl Clicks for Back {
    fn does(&self, command: Option<Command>, show: bool) {
        if let (Some(command), Some(client)) = (command, self.client.get()) {
            client.dispatch(command);
        }
        if show {
            self.front.notify_one();
        }
    }

    fn shown(&self, shown: bool) {
        if let Some(client) = self.client.get() {
            client.note_shown(shown);
        }
    }
}

/// How far local time is ahead of UTC now, minutes.
pub(crate) fn zone() -> i32 {
    jiff::Zoned::now().offset().seconds() / 60
}
