//! The thread that asks which devices there are.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::handle::{Controls, Shared};
use super::thread::Control;
use crate::device::{AudioHost, Devices};

/// Asks the system which devices there are, on a thread of its own because that may block: often while sound moves,
/// rarely otherwise.
pub(super) fn list_devices(
    host: &Arc<dyn AudioHost>,
    shared: &Arc<Shared>,
    wake: &Receiver<()>,
    voice: &Controls,
) {
    /// An unplugged device is noticed within half a second.
    const BUSY: Duration = Duration::from_millis(400);
    const IDLE: Duration = Duration::from_secs(3);
    /// Listing may take this share of the time: where it opens every device (ALSA), it is done rarely.
    const SHARE: u32 = 10;
    let mut last: Option<Devices> = None;
    loop {
        let start = Instant::now();
        let devices = host.devices();
        let cost = start.elapsed();
        if last.as_ref() != Some(&devices) {
            last = Some(devices.clone());
            if !voice.send(Control::Devices(devices)) {
                return;
            }
        }
        let moves =
            shared.want_input.load(Ordering::Acquire) || shared.want_output.load(Ordering::Acquire);
        let pause = if moves { BUSY } else { IDLE };
        match wake.recv_timeout(pause.max(cost * SHARE)) {
            Ok(()) => while wake.try_recv().is_ok() {},
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if shared.stopped.load(Ordering::Acquire) {
            return;
        }
    }
}
