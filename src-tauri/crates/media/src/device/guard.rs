//! The thread that keeps a device open, where the system has none of its own for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Fault;
use super::ring::Status;
use crate::error::MediaError;
use crate::voice::priority;

/// Says once whether the device could be opened.
pub(super) type Ready = SyncSender<Result<(), MediaError>>;

/// Keeps a device open; closes it, and waits for that, when dropped.
pub(super) struct Guard {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Guard {
    /// Starts `work`, which opens the device, says so, and then serves it until it is told to stop. An error that it ends
    /// with later is a fault of the device.
    ///
    /// # Errors
    /// What `work` could not open it for, [`MediaError::Busy`] if it says nothing within `patience`.
    pub(super) fn start(
        name: &str,
        patience: Duration,
        status: Arc<Status>,
        work: impl FnOnce(&AtomicBool, &Ready) -> Result<(), MediaError> + Send + 'static,
    ) -> Result<Self, MediaError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, opened) = sync_channel(1);
        let theirs = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                priority::raise();
                if let Err(error) = work(&theirs, &ready) {
                    status.report(match error {
                        MediaError::Missing => Fault::Gone,
                        _ => Fault::Reopen,
                    });
                    // Heard only if it is the first word.
                    let _ = ready.try_send(Err(error));
                }
            })
            .map_err(|error| MediaError::Failed(Some(Box::new(error))))?;
        let mut guard = Self {
            stop,
            thread: Some(thread),
        };
        match opened.recv_timeout(patience) {
            Ok(Ok(())) => Ok(guard),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                // A system that hangs is not waited for: the thread finds out by itself that nobody wants it any more.
                guard.thread = None;
                Err(MediaError::Busy(None))
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that was not reported.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::device::ring;
    use crate::device::{AudioSource, Format};

    const LONG: Duration = Duration::from_secs(60);
    const MONO: Format = Format {
        rate: 48_000,
        channels: 1,
    };

    #[test]
    fn what_cannot_be_opened_says_why_and_what_hangs_is_not_waited_for() {
        let status = || ring::capture(MONO).0.status();
        let refused = Guard::start("refused", LONG, status(), |_, _| Err(MediaError::Denied));
        assert!(matches!(refused, Err(MediaError::Denied)));
        let (told, ended) = channel();
        let (go_on, waits) = channel::<()>();
        let hung = Guard::start("hung", Duration::ZERO, status(), move |stop, _| {
            let _ = waits.recv();
            let _ = told.send(stop.load(Ordering::Acquire));
            Ok(())
        });
        assert!(matches!(hung, Err(MediaError::Busy(None))));
        drop(go_on);
        assert!(ended.recv().unwrap(), "it is told that nobody waits");
    }

    #[test]
    fn a_device_that_fails_later_has_a_fault_and_one_that_is_closed_none() {
        let (mut feed, tap) = ring::capture(MONO);
        let status = feed.status();
        let (fail, told) = channel::<()>();
        let guard = Guard::start("device", LONG, status, move |_, ready| {
            ready.try_send(Ok(())).unwrap();
            feed.push(std::iter::repeat_n(0.5, 480));
            let _ = told.recv();
            Err(MediaError::Busy(None))
        })
        .unwrap();
        let mut source = ring::RingSource::new(tap, ());
        assert_eq!(source.fault(), None);
        drop(fail);
        drop(guard);
        assert_eq!(source.fault(), Some(Fault::Reopen));
        assert_eq!(source.read(&mut [0.0; 960]), 480);

        let (feed, tap) = ring::capture(MONO);
        let guard = Guard::start("closed", LONG, feed.status(), |stop, ready| {
            ready.try_send(Ok(())).unwrap();
            while !stop.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            Ok(())
        });
        drop(guard.unwrap());
        assert_eq!(ring::RingSource::new(tap, ()).fault(), None);
    }
}
