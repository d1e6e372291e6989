//! Measurements that are too long for the tests. They print JSON, one object a line, or write it to `target/bench`.

use crate::error::TaskError;
use crate::place::Place;
use crate::rig::Rig;
use crate::run;
use crate::setup::{self, Need};
use crate::test::foreign;

/// Runs one measurement.
///
/// # Errors
/// When it is unknown, cannot run, or what it measures is broken.
pub(crate) fn run(place: &Place, kind: &str, options: &[&str]) -> Result<(), TaskError> {
    if !matches!(kind, "join" | "crowd" | "voice" | "screen" | "soak") {
        return Err(TaskError::Usage(format!(
            "Unknown: cargo xtask bench {kind}"
        )));
    }
    setup::prepare(
        place,
        if matches!(kind, "voice" | "soak") {
            Need::Bench
        } else {
            Need::Tests
        },
    )?;
    // What is quoted is what people run: optimised.
    let place = &place.released();
    run::show(run::command("cargo", &place.root).args([
        "build",
        "--release",
        "--workspace",
        "--bins",
        "--locked",
    ]))?;
    if matches!(kind, "voice" | "soak") {
        return sound(place, kind, options);
    }
    if kind == "screen" {
        run::show(run::command("cargo", &place.root).args([
            "build",
            "--release",
            "--workspace",
            "--examples",
            "--locked",
        ]))?;
    }
    let mut words = vec![kind];
    words.extend(options);
    run::show(&mut foreign(place, &words))
}

/// A bench of sound (`voice` or `soak`) on a desktop and a sound server of its own. Everything that it runs must have been
/// built.
///
/// # Errors
/// When it cannot run, or something could not be measured. Targets that are missed are no error.
pub(crate) fn sound(place: &Place, kind: &str, options: &[&str]) -> Result<(), TaskError> {
    let rig = Rig::start()?;
    let mut words = vec![kind];
    words.extend(options);
    let mut bench = foreign(place, &words);
    bench
        // By its place: a build may have replaced the file that runs.
        .env("HALLOO_XTASK", place.program("xtask"))
        .env("HALLOO_BENCH_OUT", place.target.join("bench"))
        .env("HALLOO_BENCH_PYTHON", setup::bench_python(place));
    run::show(rig.dress(&mut bench))
}
