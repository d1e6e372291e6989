//! Keeps the screen from sleeping while we are in a call.

#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) use linux::Awake;
#[cfg(target_os = "macos")]
pub(crate) use macos::Awake;
#[cfg(windows)]
pub(crate) use other::Awake;

#[cfg(all(unix, not(target_os = "macos")))]
mod linux {
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
}

#[cfg(target_os = "macos")]
mod macos {
    //! macOS: `caffeinate`, a part of the system, holds the display awake for as long as it runs; it watches our
    //! process, so that it cannot outlive the program.

    use std::process::{Child, Command, Stdio};

    /// The wish not to sleep; it ends when dropped.
    #[derive(Debug)]
    pub(crate) struct Awake(Child);

    impl Awake {
        pub(crate) fn hold() -> Option<Self> {
            Command::new("/usr/bin/caffeinate")
                .args(["-d", "-i", "-w", &std::process::id().to_string()])
                .stdin(Stdio::null())
                .spawn()
                .ok()
                .map(Self)
        }
    }

    impl Drop for Awake {
        fn drop(&mut self) {
            // It may have ended by itself.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

#[cfg(windows)]
mod other {
    /// Not kept awake on this system yet: sound being played does that on most of them.
    #[derive(Debug)]
    pub(crate) struct Awake;

    impl Awake {
        pub(crate) fn hold() -> Option<Self> {
            None
        }
    }
}
