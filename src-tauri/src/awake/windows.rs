//! Windows: the wish belongs to a thread, so it gets one of its own. It ends with that thread, and the thread with the
//! program, so that it cannot outlive it.

use calls_media::power;

/// The wish not to sleep; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Awake {
    // Dropping it tells the thread.
    _hold: std::sync::mpsc::Sender<()>,
}

impl Awake {
    /// Tells the system, from a thread of its own.
    pub(crate) fn hold() -> Option<Self> {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        std::thread::Builder::new()
            .name("awake".to_owned())
            .spawn(move || {
                if !power::this_thread_wants(power::Wish::Awake) {
                    tracing::info!("the screen may sleep during the call");
                }
                // Until the other end is dropped.
                let _ = held.recv();
                let _ = power::this_thread_wants(power::Wish::Nothing);
            })
            .ok()?;
        Some(Self { _hold: hold })
    }
}
