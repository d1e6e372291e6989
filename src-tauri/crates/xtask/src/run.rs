//! Running programs: by hand-over, by capture, and with their closing lines counted.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::behaviours;
use crate::child::Running;
use crate::count::Count;
use crate::error::TaskError;

/// A command in a folder of the checkout, without what Cargo set for xtask itself.
///
/// `cargo run` tells its child about the package it runs. Passed on to another Cargo these variables
/// would make build scripts that watch them run again, and with them everything that follows.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || text == "CARGO_PRIMARY_PACKAGE"
        {
            command.env_remove(&name);
        }
    }
    command
}

/// A program and its arguments as one line, for messages.
pub(crate) fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// Runs to the end, showing everything.
///
/// # Errors
/// When the program cannot be started or ends with another code than 0.
pub(crate) fn show(command: &mut Command) -> Result<(), TaskError> {
    let status = Running::start(command)?.end(command)?;
    check(command, status)
}

/// Runs to the end and gives back what it printed, with standard error shown.
///
/// # Errors
/// As [`show`].
pub(crate) fn capture(command: &mut Command) -> Result<String, TaskError> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| start(command, source))?;
    check(command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program runs and ends with code 0; prints nothing.
pub(crate) fn quiet(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs to the end, showing everything, and adds up the closing lines of the test runners in it.
///
/// # Errors
/// As [`show`]; the count of what passed is lost then, for a failed step counts as one failure.
pub(crate) fn counted(command: &mut Command) -> Result<Count, TaskError> {
    let mut child = Running::start(command.stdout(Stdio::piped()))?;
    let mut count = Count::default();
    if let Some(stdout) = child.stdout() {
        let mut out = std::io::stdout();
        for line in BufReader::new(stdout).split(b'\n') {
            let Ok(line) = line else { break };
            // A closed terminal must not stop the tests.
            let _ = out
                .write_all(&line)
                .and_then(|()| out.write_all(b"\n"))
                .and_then(|()| out.flush());
            let line = String::from_utf8_lossy(&line);
            count.read(&line);
            behaviours::note(&line);
        }
    }
    let status = child.end(command)?;
    check(command, status)?;
    Ok(count)
}

/// The error of a program that could not be started or watched.
pub(crate) fn start(command: &Command, source: std::io::Error) -> TaskError {
    TaskError::Start {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    }
}

fn check(command: &Command, status: std::process::ExitStatus) -> Result<(), TaskError> {
    if status.success() {
        return Ok(());
    }
    Err(TaskError::Failed {
        program: line(command),
        status: status.to_string(),
    })
}
