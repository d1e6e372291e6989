//! org.freedesktop.ScreenSaver, which GNOME, KDE, XFCE and others answer. The inhibition ends with its connection,
//! so that it cannot outlive the program.

use zbus::blocking::{Connection, Proxy};

const NAME: &str = "org.freedesktop.ScreenSaver";

/// The wish not to sleep; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Awake {
    // Dropping it tells the thread.
    _hold: std::sync::mpsc::Sender<()>,
}

impl Awake {
    /// Asks the desktop, on a thread of its own: a desktop that hangs keeps nobody waiting.
    pub(crate) fn hold() -> Option<Self> {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        std::thread::Builder::new()
            .name("awake".to_owned())
            .spawn(move || {
                if let Err(why) = inhibit(&held) {
                    tracing::info!(%why, "the screen may sleep during the call");
                }
            })
            .ok()?;
        Some(Self { _hold: hold })
    }
}

fn inhibit(held: &std::sync::mpsc::Receiver<()>) -> zbus::Result<()> {
    let bus = Connection::session()?;
    let saver = Proxy::new(&bus, NAME, "/org/freedesktop/ScreenSaver", NAME)?;
    let cookie: u32 = saver.call("Inhibit", &("Halloo", "In a call"))?;
    // Until the other end is dropped.
    let _ = held.recv();
    saver.call("UnInhibit", &(cookie,))
}
