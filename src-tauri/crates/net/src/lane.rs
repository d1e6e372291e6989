//! The thread that the packets of a call travel on.
//!
//! A call's tasks hand each other every packet several times. On threads that share their work each of these steps may
//! wake another thread; on one of their own none does, and nothing that a program does besides (reading a directory of
//! thousands, drawing) makes a packet wait.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// One thread for the tasks of calls. Clones share it, and so does each task while it runs; it begins with the first task and ends
/// with the last of them.
#[derive(Clone, Debug, Default)]
pub struct Lane(Arc<OnceLock<Option<Thread>>>);

#[derive(Debug)]
struct Thread {
    handle: Handle,
    /// The thread ends when this is dropped.
    _on: oneshot::Sender<()>,
}

impl Lane {
    /// Runs a task there; on the caller's runtime if there can be no thread.
    pub(crate) fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        match self.0.get_or_init(Thread::start) {
            Some(thread) => {
                let lane = self.clone();
                thread.handle.spawn(async move {
                    let done = task.await;
                    drop(lane);
                    done
                })
            }
            None => tokio::spawn(task),
        }
    }
}

impl Thread {
    fn start() -> Option<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .inspect_err(|error| tracing::warn!(%error, "calls have no thread of their own"))
            .ok()?;
        let handle = runtime.handle().clone();
        let (on, off) = oneshot::channel::<()>();
        std::thread::Builder::new()
            .name("calls".to_owned())
            .spawn(move || {
                // Nobody sends anything: it ends when the other end is gone.
                let _ = runtime.block_on(off);
            })
            .inspect_err(|error| tracing::warn!(%error, "calls have no thread of their own"))
            .ok()?;
        Some(Self { handle, _on: on })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_goes_on_when_nobody_else_has_the_lane() {
        let (go, gone) = oneshot::channel();
        let task = Lane::default().spawn(gone);
        assert!(go.send(7).is_ok());
        assert_eq!(task.await.ok().and_then(Result::ok), Some(7));
    }

    #[tokio::test]
    async fn a_task_and_what_it_begins_run_on_a_thread_of_their_own() {
        let lane = Lane::default();
        let name = || std::thread::current().name().map(str::to_owned);
        let first = lane.spawn(async move { name() }).await;
        let second = lane
            .clone()
            .spawn(async move { tokio::spawn(async move { name() }).await })
            .await;
        assert_eq!(first.ok().flatten().as_deref(), Some("calls"));
        let second = second.ok().and_then(Result::ok).flatten();
        assert_eq!(second.as_deref(), Some("calls"));
    }
}
