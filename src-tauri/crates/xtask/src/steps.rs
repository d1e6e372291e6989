//! Named steps with their progress and the time each took.

use std::time::{Duration, Instant};

use crate::count::Count;
use crate::error::TaskError;

/// What became of one step.
#[derive(Debug)]
enum Outcome {
    Passed(Count),
    Failed(String),
    Skipped(String),
}

/// A list of steps being worked off. The table at the end is the report of a chore.
#[derive(Debug)]
pub(crate) struct Steps {
    total: usize,
    done: Vec<(String, Duration, Outcome)>,
    started: Instant,
}

impl Steps {
    /// Starts the clock for `total` steps.
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            done: Vec::new(),
            started: Instant::now(),
        }
    }

    /// Runs one step, with its name before and its time after. A failure is kept and the next step may run.
    pub(crate) fn run(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<Count, TaskError>,
    ) -> bool {
        println!(
            "\n==> [{}/{}] {name}",
            self.done.len() + 1,
            self.total.max(self.done.len() + 1)
        );
        let from = Instant::now();
        let result = work();
        let took = from.elapsed();
        let passed = result.is_ok();
        match &result {
            Ok(_) => println!("<== {name}: done in {}", clock(took)),
            Err(error) => println!("<== {name}: FAILED after {}: {error}", clock(took)),
        }
        let outcome = match result {
            Ok(count) => Outcome::Passed(count),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        self.done.push((name.to_owned(), took, outcome));
        passed
    }

    /// Notes a step that cannot be done here, and why.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!(
            "\n==> [{}/{}] {name}: skipped, {why}",
            self.done.len() + 1,
            self.total.max(self.done.len() + 1)
        );
        self.done.push((
            name.to_owned(),
            Duration::ZERO,
            Outcome::Skipped(why.to_owned()),
        ));
    }

    /// Prints the table and, as the last line, how many tests and steps passed and failed.
    ///
    /// A step without a test runner of its own (a format check, a build) counts as one.
    ///
    /// # Errors
    /// When any step failed.
    pub(crate) fn finish(self) -> Result<(), TaskError> {
        let mut sum = Count::default();
        let mut failures = 0;
        println!("\n{:<28} {:>9}  result", "step", "time");
        for (name, took, outcome) in &self.done {
            let said = match outcome {
                Outcome::Passed(count) if *count == Count::default() => {
                    sum.add(Count {
                        passed: 1,
                        failed: 0,
                    });
                    "passed".to_owned()
                }
                Outcome::Passed(count) => {
                    sum.add(*count);
                    format!("{} passed", count.passed)
                }
                Outcome::Failed(error) => {
                    failures += 1;
                    sum.add(Count {
                        passed: 0,
                        failed: 1,
                    });
                    format!("FAILED: {error}")
                }
                Outcome::Skipped(why) => format!("skipped: {why}"),
            };
            println!("{name:<28} {:>9}  {said}", clock(*took));
        }
        println!("{:<28} {:>9}", "all", clock(self.started.elapsed()));
        println!("\n{} passed, {} failed", sum.passed, sum.failed);
        if failures > 0 {
            Err(TaskError::Steps(failures))
        } else {
            Ok(())
        }
    }
}

/// A duration as a person reads it: `4.2 s` or `3 m 07 s`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} m {:02} s", seconds / 60, seconds % 60)
    }
}
