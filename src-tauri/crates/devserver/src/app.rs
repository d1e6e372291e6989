//! What all tasks of one server share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc, watch};

use crate::sfu::SfuEvent;
use crate::world::World;

/// The state behind its one lock, and the signals that need none.
#[derive(Debug)]
pub(crate) struct App {
    world: Mutex<World>,
    /// Becomes true when the server stops.
    pub(crate) closing: watch::Sender<bool>,
    /// A timer was filed.
    pub(crate) timers: Arc<Notify>,
    /// Sockets that are open, to wait for at the end.
    pub(crate) sockets: Gauge,
    /// Where an SFU reports; kept for the one that replaces it after a restart.
    pub(crate) sfu_events: mpsc::Sender<SfuEvent>,
}

impl App {
    pub(crate) fn new(
        world: World,
        timers: Arc<Notify>,
        sfu_events: mpsc::Sender<SfuEvent>,
    ) -> Self {
        Self {
            world: Mutex::new(world),
            closing: watch::Sender::new(false),
            timers,
            sockets: Gauge::default(),
            sfu_events,
        }
    }

    /// Returns when the server stops.
    pub(crate) async fn stopped(&self) {
        let mut closing = self.closing.subscribe();
        // The sender lives in `self`, so this cannot fail before.
        let _ = closing.wait_for(|c| *c).await;
    }

    /// Takes the lock. Never hold it across an `.await`.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        // A panic in one handler is a bug there; the others go on with the state as it is.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts what is open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauge(Arc<AtomicUsize>);

impl Gauge {
    /// Counts one more until the guard is dropped.
    pub(crate) fn enter(&self) -> Entered {
        self.0.fetch_add(1, Ordering::Relaxed);
        Entered(self.0.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One that is open.
#[derive(Debug)]
pub(crate) struct Entered(Arc<AtomicUsize>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
