//! Every chore by one command: `cargo xtask demo | test | bench | check-platforms` and more.
//!
//! It has few dependencies, so that it builds in seconds on a machine where nothing else builds yet: its
//! first job is to find out what is missing there.
#![forbid(unsafe_code)]

mod behaviours;
mod bench;
mod child;
mod count;
mod demo;
mod error;
mod http;
mod notices;
mod place;
mod platforms;
mod relay;
mod rig;
mod run;
mod server;
mod setup;
mod sounds;
mod steps;
mod test;
mod wav;
mod webdriver;

use std::process::ExitCode;

use error::TaskError;
use place::Place;

const USAGE: &str = "\
Usage: cargo xtask CHORE

  demo                       set up, build, start a server and a talking bot, open the app
                             (without a display: drive one call through the real window and tell what was heard)
       --headless            do so even with a display
  test                       every check
       --only STEP[,STEP…]   some steps: setup fmt ui clippy build unit e2e peers bench docs deny
                             behaviours
  check-platforms            type-check everything for Windows and macOS, from Linux
       --only TARGET         one target: x86_64-pc-windows-gnu or aarch64-apple-darwin
  bench join [--joins N]     time from join to connected and to first audio, ours beside Chromium's
  bench crowd [--clients N] [--seconds S]
                             many clients in one call; memory and CPU of the server
  bench voice [--quick] [--rounds N] [--only mouth,pesq,echo,muted,join,cpu,memory] [--seed N]
                             our voice beside Chromium's: target/bench/voice.json and report.html
  bench soak [--minutes N]   an hour in a call: does memory, a file or a thread grow?
  relay                      a UDP relay that loses and delays as told on its standard input (see its source)
  bench screen [--quick] [--rounds N]
                             sharing a screen, ours beside Chromium's: CPU, delay, pictures a second, sharpness
  rig PROGRAM [WORDS…]       run a program on a display, session bus and sound devices of our own
  sounds                     write our ring tones and cues to assets/sounds
  notices                    write THIRD-PARTY notices into the target directory
";

fn main() -> ExitCode {
    child::stop_on_interrupt();
    match chore(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(TaskError::Usage(said)) => {
            eprintln!("{said}\n\n{USAGE}");
            ExitCode::from(2)
        }
        Err(TaskError::Steps(_)) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn chore(words: &[String]) -> Result<(), TaskError> {
    let place = Place::find();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["demo"] => demo::run(&place, false),
        ["demo", "--headless"] => demo::run(&place, true),
        ["test"] => test::run(&place, None),
        ["test", "--only", step] => test::run(&place, Some(step)),
        ["check-platforms"] => platforms::run(&place, None),
        ["check-platforms", "--only", target] => platforms::run(&place, Some(target)),
        ["bench", kind, options @ ..] => bench::run(&place, kind, options),
        ["relay"] => relay::run(),
        ["rig", program, words @ ..] => {
            setup::prepare(&place, setup::Need::Rig)?;
            let rig = rig::Rig::start()?;
            run::show(rig.dress(run::command(program, &place.root).args(words)))
        }
        ["sounds"] => sounds::write(&place),
        ["notices"] => notices::run(&place),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(TaskError::Usage(format!(
            "Unknown: cargo xtask {}",
            words.join(" ")
        ))),
    }
}
