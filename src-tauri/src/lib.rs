//! Halloo's program: the window (`shell.rs`), the same client without one (`cli.rs`), and what both need of the
//! system: settings, secrets, a log.
//!
//! It decides nothing. Commands go to the client as they are, its snapshot comes back as it is; what a person sees
//! and hears is decided in `calls-core`.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

mod args;
mod awake;
mod bridge;
mod cli;
mod control;
mod desk;
mod keys;
mod links;
mod locked;
mod logging;
mod notifier;
mod ringer;
mod secrets;
mod session;
mod settings;
mod shell;
mod start;
#[cfg(test)]
mod testing;
mod tray;
mod watch;
mod windows;
mod words;

use args::{Action, Arguments, exit};

/// Threads for the network and the conductor. None of their work is long; two let one wait for the other's lock.
const WORKERS: usize = 2;

/// The program. Returns its exit code: 0 left, 1 failed, 2 usage, 3 sign-in refused, 4 cannot join, 5 no media.
#[must_use]
pub fn run() -> ExitCode {
    let begun = Instant::now();
    let arguments = Arguments::parse();
    ExitCode::from(dispatch(arguments, begun))
}

fn dispatch(arguments: Arguments, begun: Instant) -> u8 {
    if let Some(Action::Devices { json }) = arguments.action {
        return cli::devices(json);
    }
    #[cfg(target_os = "linux")]
    if arguments.action.is_none() {
        windows::rendering::begin_anew_if_lavish();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("worker")
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(why) => return fail(&why),
    };
    let code = match arguments.action {
        Some(Action::Ctl(ref ctl)) => cli::ctl(&runtime, &arguments.common, ctl),
        Some(Action::Netcheck { json }) => cli::netcheck(&runtime, &arguments.common, json),
        Some(Action::Call(ref call)) => cli::call(&runtime, &arguments.common, call),
        _ => window(&runtime, &arguments, begun),
    };
    // Nothing of ours is left by now; a name look-up or a key store that hangs must not keep us.
    runtime.shutdown_background();
    code
}

fn window(runtime: &tokio::runtime::Runtime, arguments: &Arguments, begun: Instant) -> u8 {
    let folder = match settings::data_folder(arguments.common.profile.as_deref()) {
        Ok(folder) => folder,
        Err(why) => return fail(&why),
    };
    let redactor = logging::start(arguments.common.log.as_deref(), Some(&folder));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "Halloo starts");
    let shown = control::Ask::Show {
        address: arguments.address.clone(),
    };
    if runtime.block_on(control::ask(&folder, &shown)).is_some() {
        tracing::info!("Halloo runs already: it was told to come to the front");
        return exit::OK;
    }
    let (core, desk) = match runtime.block_on(start::with_window(
        &arguments.common,
        &folder,
        redactor,
        calls_media::system_audio(),
    )) {
        Ok(core) => core,
        Err(why) => return fail(&why),
    };
    if let Some(address) = arguments.address.clone() {
        core.dispatch(calls_core::command::Command::OpenAddress { address });
    }
    let around = shell::Around {
        desk,
        folder: &folder,
        hidden: arguments.hidden,
        profile: session::foreign_profile(arguments.common.profile.as_deref()),
        begun,
    };
    match shell::run(&core, runtime.handle(), &around) {
        Ok(()) => exit::OK,
        Err(why) => {
            runtime.block_on(core.stop());
            fail(&why)
        }
    }
}

/// Says what failed, with its causes, where a person at a terminal looks.
fn fail(why: &dyn std::error::Error) -> u8 {
    let mut text = format!("halloo: {why}");
    let mut cause = why.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    // Nobody may be reading.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{text}\n").as_bytes());
    exit::FAILED
}
