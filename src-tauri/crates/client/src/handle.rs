//! [`ClientHandle`]: the client as everybody else sees it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use calls_core::command::Command;
use calls_core::effect::ClientEvent;
use calls_core::id::{FileId, Millis, UserId};
use calls_core::input::Input;
use calls_core::port::media::VoiceFigures;
use calls_core::snapshot::{Levels, Patch, Snapshot};
use calls_media::Screens;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::conductor::Inbox;
use crate::net::Net;
use crate::studio::Lease;

/// A running client. Cheap to clone; the client stops when [`ClientHandle::stop`] is called or the last clone is gone.
#[derive(Clone)]
pub struct ClientHandle {
    inner: Arc<Inner>,
}

struct Inner {
    inbox: Inbox,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    // Weak: the conductor holds the senders, so that receivers see the end when it ends.
    patches: broadcast::WeakSender<Arc<Patch>>,
    events: broadcast::WeakSender<ClientEvent>,
    meter: Arc<dyn Meter>,
    screens: Arc<Screens>,
    // Weak, so that whoever holds a handle does not keep the devices open.
    lease: Weak<Lease>,
    net: Arc<dyn Net>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// The voice engine's readings, which are asked for and not sent.
pub(crate) trait Meter: Send + Sync {
    /// Loudness now.
    fn levels(&self) -> Levels;
    /// Counters since the start.
    fn figures(&self) -> VoiceFigures;
}

impl ClientHandle {
    #[allow(clippy::too_many_arguments)] // Called once, by `Client`, with everything it has made.
    pub(crate) fn new(
        inbox: Inbox,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        patches: broadcast::WeakSender<Arc<Patch>>,
        events: broadcast::WeakSender<ClientEvent>,
        meter: Arc<dyn Meter>,
        screens: Arc<Screens>,
        lease: Weak<Lease>,
        net: Arc<dyn Net>,
        stop: watch::Sender<bool>,
        task: JoinHandle<()>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                inbox,
                snapshots,
                patches,
                events,
                meter,
                screens,
                lease,
                net,
                stop,
                task: Mutex::new(Some(task)),
            }),
        }
    }

    /// Asks for something. What comes of it shows in the snapshot.
    pub fn dispatch(&self, command: Command) {
        self.inner.inbox.send(Input::Command(command));
    }

    /// Whether the key store took the session that [`crate::Shell::remember`] was given.
    pub fn session_kept(&self, kept: bool) {
        self.inner.inbox.send(Input::SessionKept(kept));
    }

    /// How far local time is ahead of UTC, minutes; for quiet hours.
    pub fn zone(&self, minutes: i32) {
        self.inner.inbox.send(Input::Zone(minutes));
    }

    /// Whether the test notification that [`crate::Shell::alert`] was given has arrived.
    pub fn note_shown(&self, shown: bool) {
        self.inner.inbox.send(Input::NoteShown(shown));
    }

    /// What the desktop around the windows tells.
    pub fn desktop(&self, news: calls_core::alert::DesktopNews) {
        self.inner.inbox.send(Input::Desktop(news));
    }

    /// Sound and screens are this client's from now on.
    pub(crate) fn lend(&self) {
        // Gone with the conductor.
        if let Some(lease) = self.inner.lease.upgrade() {
            lease.take(None);
        }
    }

    /// The state now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.snapshots.borrow().clone()
    }

    /// The state now, and every later one; who reads slowly skips some.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.inner.snapshots.clone()
    }

    /// The changes from now on. Subscribe first, take the snapshot then, and skip patches that are not newer.
    #[must_use]
    pub fn patches(&self) -> Patches {
        Patches {
            patches: subscribe(&self.inner.patches),
            snapshots: self.inner.snapshots.clone(),
        }
    }

    /// What happens from now on, for scripts. Who reads slower than 1024 events behind loses the oldest.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<ClientEvent> {
        subscribe(&self.inner.events)
    }

    /// Loudness now.
    #[must_use]
    pub fn levels(&self) -> Levels {
        self.inner.meter.levels()
    }

    /// The voice engine's counters since the start.
    #[must_use]
    pub fn figures(&self) -> VoiceFigures {
        self.inner.meter.figures()
    }

    /// Sharing and watching: pictures are pulled from here.
    #[must_use]
    pub fn screens(&self) -> Arc<Screens> {
        Arc::clone(&self.inner.screens)
    }

    /// A portrait, as the server's image bytes; `None` if it cannot be had. `version` is [`calls_core::model::User::picture_version`].
    pub async fn picture(&self, user: &UserId, version: Millis) -> Option<Bytes> {
        self.inner.net.picture(user.clone(), version).await
    }

    /// Another picture, as the server's image bytes; `None` if it cannot be had.
    pub async fn image(&self, of: crate::net::Image) -> Option<Bytes> {
        self.inner.net.image(of).await
    }

    /// What stands in a file of the server's from a byte on, at most a MiB; `None` if it cannot be had.
    pub async fn file_part(&self, file: &FileId, from: u64) -> Option<Bytes> {
        self.inner.net.file_part(file.clone(), from).await
    }

    /// Attaches a file to what is being written somewhere. What comes of it shows in the snapshot.
    pub fn attach(&self, attach: calls_core::input::Attach) {
        self.inner.inbox.send(Input::Attach(Box::new(attach)));
    }

    /// Leaves any call (two seconds at most), closes everything, and returns when it is closed.
    pub async fn stop(self) {
        let _ = self.inner.stop.send(true); // Fails only when the conductor has ended already.
        let task = self
            .inner
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task
            && let Err(why) = task.await
        {
            tracing::error!(%why, "the conductor panicked");
        }
    }
}

pub(crate) fn subscribe<T: Clone>(sender: &broadcast::WeakSender<T>) -> broadcast::Receiver<T> {
    match sender.upgrade() {
        Some(sender) => sender.subscribe(),
        // The client has stopped: a receiver whose sender is gone says so.
        None => broadcast::channel(1).1,
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = self.stop.send(true); // Fails only when the conductor has ended already.
    }
}

/// A change to apply, or everything anew.
#[derive(Clone, Debug)]
pub enum Update {
    /// One slice has changed.
    Patch(Arc<Patch>),
    /// Too many patches were missed: this replaces everything held.
    Whole(Arc<Snapshot>),
}

/// The changes of the snapshot, in order.
pub struct Patches {
    pub(crate) patches: broadcast::Receiver<Arc<Patch>>,
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
}

impl Patches {
    /// Waits for the next change; `None` when the client has stopped.
    pub async fn next(&mut self) -> Option<Update> {
        match self.patches.recv().await {
            Ok(patch) => Some(Update::Patch(patch)),
            Err(broadcast::error::RecvError::Lagged(_)) => {
                // Whatever is queued is older than the snapshot, or will be skipped by its revision.
                Some(Update::Whole(self.snapshots.borrow().clone()))
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
