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
