//! What a call must do, by which test it is shown, and what became of that test in this run.
//!
//! `tests/behaviours.md` names the tests; the results are read from what the runners print while they run.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::count::{Count, strip_colours};
use crate::error::TaskError;
use crate::place::Place;

/// What is known of the tests of this run: name and whether it passed. The last try counts.
static RESULTS: Mutex<BTreeMap<String, bool>> = Mutex::new(BTreeMap::new());

/// Notes what one line of a runner's output says about a test, if it does.
pub(crate) fn note(line: &str) {
    if let Some((name, passed)) = read(&strip_colours(line)) {
        let mut results = RESULTS.lock().unwrap_or_else(PoisonError::into_inner);
        results.insert(name, passed);
    }
}

/// The name of a test and whether it passed.
///
/// Known are cargo test (`test machine::tests::call::leaves ... ok`), vitest's long form
/// (` ✓ test/call.test.ts > in a call > leaves 12ms`) and the peers' own (`ok      name (1.2 s)`).
fn read(line: &str) -> Option<(String, bool)> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("test ") {
        // With --nocapture the outcome comes on another line; our steps do not use it.
        let (name, outcome) = rest.rsplit_once(" ... ")?;
        let name = name.rsplit("::").next()?.trim();
        return match outcome.split_whitespace().next()? {
            "ok" => Some((name.to_owned(), true)),
            "FAILED" => Some((name.to_owned(), false)),
            _ => None,
        };
    }
    let (mark, rest) = line.split_once(' ')?;
    match mark {
        "✓" | "×" => {
            let name = rest.trim().rsplit(" > ").next()?;
            rest.contains(" > ")
                .then(|| (without_time(name).to_owned(), mark == "✓"))
        }
        "ok" | "FAILED" => Some((without_time(rest.trim()).to_owned(), mark == "ok")),
        _ => None,
    }
}

/// A name without the time behind it: ` 12ms`, ` 1.2s`, ` (1.2 s)`.
fn without_time(name: &str) -> &str {
    let name = name.trim_end();
    if let Some((rest, time)) = name.rsplit_once(" (")
        && time.ends_with("s)")
        && time.starts_with(|c: char| c.is_ascii_digit())
    {
        return rest.trim_end();
    }
    match name.rsplit_once(' ') {
        Some((rest, time))
            if time.starts_with(|c: char| c.is_ascii_digit()) && time.ends_with('s') =>
        {
            rest.trim_end()
        }
        _ => name,
    }
}

/// One row of the list.
#[derive(Debug, PartialEq)]
struct Row {
    behaviour: String,
    /// `FILE::TEST`, one or more.
    tests: Vec<String>,
}

fn rows(text: &str) -> Vec<Row> {
    text.lines()
        .filter_map(|line| {
            line.strip_prefix("| ")?
                .strip_suffix(" |")?
                .split_once(" | ")
        })
        .filter(|(behaviour, _)| *behaviour != "behaviour")
        .map(|(behaviour, tests)| Row {
            behaviour: behaviour.trim().to_owned(),
            tests: tests.split("; ").map(|one| one.trim().to_owned()).collect(),
        })
        .collect()
}

/// Whether a name that ran is the one in the list; `${…}` and `%s` there stand for anything.
fn is(listed: &str, ran: &str) -> bool {
    let mut pieces = Vec::new();
    let mut rest = listed.replace("%s", "${}");
    while let Some((before, after)) = rest.clone().split_once("${") {
        pieces.push(before.to_owned());
        rest = after
            .split_once('}')
            .map_or(String::new(), |(_, behind)| behind.to_owned());
    }
    pieces.push(rest);
    if pieces.len() == 1 {
        return listed == ran;
    }
    let mut at = 0;
    for (n, piece) in pieces.iter().enumerate() {
        match ran[at..].find(piece.as_str()) {
            Some(found) if n > 0 || found == 0 => at += found + piece.len(),
            _ => return false,
        }
    }
    pieces
        .last()
        .is_some_and(|last| ran.ends_with(last.as_str()))
}

/// What became of a row: all its tests passed, one failed, or not all ran.
fn outcome(row: &Row, results: &BTreeMap<String, bool>) -> Option<bool> {
    let mut all = Some(true);
    for test in &row.tests {
        let name = test
            .split_once("::")
            .map_or(test.as_str(), |(_, name)| name);
        let ran: Vec<bool> = results
            .iter()
            .filter(|(ran, _)| is(name, ran))
            .map(|(_, passed)| *passed)
            .collect();
        if ran.contains(&false) {
            return Some(false);
        }
        if ran.is_empty() {
            all = None;
        }
    }
    all
}

/// Prints the table behaviour → test → result.
///
/// # Errors
/// When a test of the list failed, or the list cannot be read. What this run did not include is said, and no failure.
pub(crate) fn table(place: &Place) -> Result<Count, TaskError> {
    let path = place.root.join("tests/behaviours.md");
    let text = std::fs::read_to_string(&path).map_err(TaskError::file(&path))?;
    let results = RESULTS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut count = (0, 0, 0);
    for (n, row) in rows(&text).iter().enumerate() {
        let said = match outcome(row, &results) {
            Some(true) => {
                count.0 += 1;
                "passed"
            }
            Some(false) => {
                count.1 += 1;
                "FAILED"
            }
            None => {
                count.2 += 1;
                "not run"
            }
        };
        println!("{:>3} {said:<8} {}", n + 1, row.behaviour);
        for test in &row.tests {
            println!("             {test}");
        }
    }
    println!(
        "behaviours: {} shown, {} failed, {} not part of this run",
        count.0, count.1, count.2
    );
    if count.1 > 0 {
        return Err(TaskError::Unexpected(format!(
            "{} behaviours are not as they should be",
            count.1
        )));
    }
    Ok(Count::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_each_runner_tell_name_and_outcome() {
        let told = |line: &str| read(line).map(|(name, passed)| format!("{name}: {passed}"));
        for (line, expected) in [
            (
                "test machine::tests::call::leaves_well ... ok",
                Some("leaves_well: true"),
            ),
            ("test leaves_well ... FAILED", Some("leaves_well: false")),
            ("test leaves_well ... ignored", None),
            (
                " ✓ test/call.test.ts > in a call > raises the hand 12ms",
                Some("raises the hand: true"),
            ),
            (
                " × test/call.test.ts > in a call > raises the hand",
                Some("raises the hand: false"),
            ),
            (" ✓ test/call.test.ts (30 tests) 200ms", None),
            (
                "ok      our mute silences Chromium (1.2 s)",
                Some("our mute silences Chromium: true"),
            ),
            ("test result: ok. 3 passed; 0 failed", None),
        ] {
            assert_eq!(told(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn names_with_holes_match_what_ran() {
        assert!(is(
            "mute (${form} form) within ${n} ms",
            "mute (older form) within 200 ms"
        ));
        assert!(!is("mute (${form} form)", "unmute (older form)"));
        assert!(is("is %s", "is idle"));
        assert!(is("plain", "plain"));
        assert!(!is("plain", "plainer"));
    }

    #[test]
    fn a_row_is_shown_when_all_its_tests_passed() {
        let row =
            &rows("## A\n\n| behaviour | test |\n|---|---|\n| leaves | a.rs::one; b.ts::two |")[0];
        let results = |list: &[(&str, bool)]| {
            list.iter()
                .map(|(name, ok)| ((*name).to_owned(), *ok))
                .collect()
        };
        assert_eq!(
            outcome(row, &results(&[("one", true), ("two", true)])),
            Some(true)
        );
        assert_eq!(outcome(row, &results(&[("one", true)])), None);
        assert_eq!(outcome(row, &results(&[("one", false)])), Some(false));
    }
}
