//! The desktop around the windows: what the core wants heard and shown there, and what comes back from it.

use std::sync::{Arc, OnceLock};

use calls_client::{AlertWish, Clients};
use calls_core::command::Command;
use calls_core::id::ServerNumber;
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
    client: OnceLock<Clients>,
    /// The window is to come to the front.
    front: Notify,
    /// The program is to end.
    quit: Notify,
    /// The desktop is to be asked for the keys once more.
    keys: Notify,
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
    pub(crate) fn serve(&self, client: Clients) {
        // Called once.
        let _ = self.back.client.set(client);
    }

    /// Plays or shows what a server's client wants; returns at once.
    pub(crate) fn alert(&self, server: ServerNumber, wish: AlertWish) {
        match wish {
            AlertWish::Ring(ring) => self.ringer.ring(ring),
            AlertWish::Silence => self.ringer.silence(),
            AlertWish::Cue {
                cue,
                device,
                volume,
            } => self.ringer.cue(cue, device, volume),
            AlertWish::Ringback(Some(device)) => self.ringer.ringback(device),
            AlertWish::Ringback(None) => self.ringer.ringback_ends(),
            AlertWish::Show(note) => self.notifier.show(server, note),
            AlertWish::Withdraw(key) => self.notifier.withdraw(server, key),
            AlertWish::Browse(address) => browse(address),
            AlertWish::Front => self.back.front.notify_one(),
            AlertWish::Quit => self.back.quit.notify_one(),
            AlertWish::AskForKeys => self.back.keys.notify_one(),
            AlertWish::CallMe => call_me(),
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

    /// Resolves when the program is to end.
    pub(crate) async fn quits(&self) {
        self.back.quit.notified().await;
    }

    /// Resolves when the desktop is to be asked for the keys once more.
    pub(crate) async fn asks_for_keys(&self) {
        self.back.keys.notified().await;
    }
}

/// Where the demonstration listens for the wish to be called: an address with a port.
const CALLER: &str = "HALLOO_DEMO_CALLER";

/// Whether this is the demonstration.
pub(crate) fn is_demo() -> bool {
    std::env::var_os(CALLER).is_some()
}

/// Knocks at the demonstration's door; it knows what that means.
fn call_me() {
    let Ok(address) = std::env::var(CALLER) else {
        return;
    };
    tokio::spawn(async move {
        if let Err(why) = tokio::net::TcpStream::connect(address).await {
            tracing::warn!(%why, "the demonstration is not there");
        }
    });
}

/// Opens an address of the server's in the person's browser. Finding one may take a while.
fn browse(address: String) {
    tokio::task::spawn_blocking(move || {
        if let Err(why) = crate::links::open(&address) {
            tracing::warn!(%why, "the browser does not open");
        }
    });
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
