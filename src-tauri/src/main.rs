//! The program: everything is in the library, so that tests can reach it.

#![forbid(unsafe_code)]
// A window program opens no console on Windows; without this each start would flash one.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    halloo::run()
}
