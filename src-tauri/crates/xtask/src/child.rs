//! Programs that run beside a chore and are stopped by their process id, whatever happens.

use std::collections::BTreeSet;
use std::process::{Child, ChildStdout, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::TaskError;
use crate::run;

/// How long a program may take to stop when it is asked to.
const GRACE: Duration = Duration::from_secs(3);

/// The process groups that are running now; an interrupt stops them.
static GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn groups() -> MutexGuard<'static, BTreeSet<u32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running program with its whole process group. Dropping it stops all of them.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    group: u32,
}

impl Running {
    /// Starts a program in a process group of its own.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(command: &mut Command) -> Result<Self, TaskError> {
        own_group(command);
        let child = command
            .spawn()
            .map_err(|source| run::start(command, source))?;
        let group = child.id();
        groups().insert(group);
        Ok(Self { child, group })
    }

    /// Takes the pipe of its standard output, if there is one.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for it to end by itself, as long as it takes.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub(crate) fn end(&mut self, command: &Command) -> Result<ExitStatus, TaskError> {
        self.child
            .wait()
            .map_err(|source| run::start(command, source))
    }

    /// Waits for it to end by itself.
    ///
    /// # Errors
    /// [`TaskError::Late`] when it does not end within `limit`.
    pub(crate) fn wait(&mut self, what: &str, limit: Duration) -> Result<ExitStatus, TaskError> {
        let from = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Ok(status);
            }
            if from.elapsed() > limit {
                return Err(TaskError::Late {
                    what: format!("the end of {what}"),
                    seconds: limit.as_secs(),
                });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let ended = matches!(self.child.try_wait(), Ok(Some(_)));
        if !ended {
            signal("TERM", self.group);
        }
        if self.wait("a program", GRACE).is_err() {
            signal("KILL", self.group);
            // Reaped, so that its id cannot be another program's while we still know it.
            let _ = self.child.wait();
        }
        // Helpers that outlived their leader (WebKit's processes do) are in the same group.
        signal("KILL", self.group);
        groups().remove(&self.group);
    }
}

/// Stops everything that was started when the chore is interrupted or told to end.
pub(crate) fn stop_on_interrupt() {
    let stop = ctrlc::set_handler(|| {
        for group in groups().iter() {
            signal("TERM", *group);
        }
        std::thread::sleep(Duration::from_millis(500));
        for group in groups().iter() {
            signal("KILL", *group);
        }
        // 128 + SIGINT, as shells say it.
        std::process::exit(130);
    });
    if let Err(error) = stop {
        eprintln!("An interrupt will leave programs running: {error}");
    }
}

/// Signals a whole process group by its id. `kill` is the program of that name: the call itself is unsafe code.
fn signal(name: &str, group: u32) {
    if cfg!(unix) {
        // Already gone is fine.
        run::quiet(run::command("kill", std::path::Path::new("/")).args([
            "-s",
            name,
            "--",
            &format!("-{group}"),
        ]));
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}
