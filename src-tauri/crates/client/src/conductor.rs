//! The conductor: one task that owns the machine. It waits, hands over one input, performs every effect, publishes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use calls_core::effect::{ClientEvent, Effect};
use calls_core::input::{Input, Now};
use calls_core::machine::Machine;
use calls_core::port::LinkEvent;
use calls_core::snapshot::{Patch, Snapshot};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;

use crate::ClientConfig;
use crate::handle::ClientHandle;
use crate::net::Net;
use crate::perform::{Performer, VoiceMeter};
use crate::shell::Shell;
use crate::studio::{Lease, Studio};

/// Inputs that may wait. The conductor needs well under a millisecond for each, so that this many mean that it has
/// been held up for seconds; a smaller number would lose events when a large directory is drawn.
const INBOX: usize = 4096;

/// Patches and events that a reader may be behind. A reader of patches that misses some gets the whole snapshot.
const OUTBOX: usize = 1024;

/// Longest sleep without a deadline; the loop wakes for inputs anyway.
const IDLE: Duration = Duration::from_secs(3600);

/// Where adapters put what they hear. Never blocks: adapters call it on their own threads and tasks.
///
/// Full means that the conductor hangs; the input is dropped, counted and repaired by loading everything again.
#[derive(Clone)]
pub(crate) struct Inbox {
    sender: mpsc::Sender<Input>,
    overflowed: Arc<AtomicBool>,
}

impl Inbox {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Input>) {
        let (sender, receiver) = mpsc::channel(INBOX);
        let overflowed = Arc::new(AtomicBool::new(false));
        (Self { sender, overflowed }, receiver)
    }

    /// Hands over an input.
    pub(crate) fn send(&self, input: Input) {
        match self.sender.try_send(input) {
            // Closed: the client has stopped, and nobody is interested any more.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.overflowed.store(true, Ordering::Relaxed);
            }
        }
    }
}

/// Starts the conductor and returns the handle to it.
pub(crate) fn start(
    config: ClientConfig,
    studio: &Arc<Studio>,
    shell: Arc<dyn Shell>,
    net: Arc<dyn Net>,
) -> ClientHandle {
    let (inbox, inputs) = Inbox::new();
    let machine = Machine::new();
    let (snapshots, snapshot) = watch::channel(Arc::new(machine.snapshot().clone()));
    let (patches, _) = broadcast::channel(OUTBOX);
    let (events, _) = broadcast::channel(OUTBOX);
    let (stop, stopping) = watch::channel(false);
    inbox.send(Input::Start(Box::new(config.memory())));
    let weak = (patches.downgrade(), events.downgrade());
    let lease = Arc::new(Lease::new(Arc::clone(studio), inbox.clone()));
    let meter = Arc::new(VoiceMeter(Arc::downgrade(lease.voice())));
    let (screens, lent) = (Arc::clone(lease.screens()), Arc::downgrade(&lease));
    let conductor = Conductor {
        machine,
        inputs,
        overflowed: inbox.overflowed.clone(),
        performer: Performer::new(inbox.clone(), lease, net.clone(), shell),
        snapshots,
        patches,
        events,
        stopping,
    };
    let task = tokio::spawn(conductor.run());
    ClientHandle::new(
        inbox, snapshot, weak.0, weak.1, meter, screens, lent, net, stop, task,
    )
}

struct Conductor {
    machine: Machine,
    inputs: mpsc::Receiver<Input>,
    overflowed: Arc<AtomicBool>,
    performer: Performer,
    snapshots: watch::Sender<Arc<Snapshot>>,
    patches: broadcast::Sender<Arc<Patch>>,
    events: broadcast::Sender<ClientEvent>,
    stopping: watch::Receiver<bool>,
}

impl Conductor {
    async fn run(mut self) {
        loop {
            let deadline = match self.machine.poll_timeout() {
                Some(deadline) => Instant::from_std(deadline),
                None => Instant::now() + IDLE,
            };
            let input = tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stop| *stop) => break,
                input = self.inputs.recv() => match input {
                    Some(input) => input,
                    None => break,
                },
                () = tokio::time::sleep_until(deadline) => Input::Tick,
            };
            self.turn(input);
            if self.overflowed.swap(false, Ordering::Relaxed) {
                tracing::error!("inputs were lost: loading everything again");
                self.turn(Input::Link(LinkEvent::Up { resumed: false }));
            }
        }
        self.performer.close().await;
    }

    /// One input, and all that follows from it.
    fn turn(&mut self, input: Input) {
        self.machine.handle(now(), input);
        let mut changed = Vec::new();
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Patch(patch) => changed.push(Arc::from(patch)),
                // Sending fails only when nobody listens.
                Effect::Tell(event) => drop(self.events.send(event)),
                effect => self.performer.perform(effect),
            }
        }
        if changed.is_empty() {
            return;
        }
        // The snapshot first: who is told of a patch may ask for the whole at once.
        self.snapshots
            .send_replace(Arc::new(self.machine.snapshot().clone()));
        for patch in changed {
            let _ = self.patches.send(patch); // Fails only when nobody listens.
        }
    }
}

fn now() -> Now {
    let unix = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        });
    Now {
        instant: Instant::now().into_std(),
        unix,
    }
}

#[cfg(test)]
mod tests;
