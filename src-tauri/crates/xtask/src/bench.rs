//! Measurements that are too long for the tests. They print JSON, one object a line.

use crate::error::TaskError;
use crate::place::Place;
use crate::run;
use crate::setup::{self, Need};
use crate::test::foreign;

/// Runs one measurement.
///
/// # Errors
/// When it is unknown, cannot run, or what it measures is broken.
pub(crate) fn run(place: &Place, kind: &str, options: &[&str]) -> Result<(), TaskError> {
    if !matches!(kind, "join" | "crowd") {
        return Err(TaskError::Usage(format!(
            "Unknown: cargo xtask bench {kind}"
        )));
    }
    setup::prepare(place, Need::Tests)?;
    run::show(run::command("cargo", &place.root).args([
        "build",
        "--workspace",
        "--bins",
        "--locked",
    ]))?;
    let mut words = vec![kind];
    words.extend(options);
    run::show(&mut foreign(place, &words))
}
