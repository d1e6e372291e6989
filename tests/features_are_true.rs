//! `tests/features.csv` tells what Halloo can do. A feature that is called done names the test that proves it,
//! and here it is checked that this test exists.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The states a feature may be in.
const STATES: &[&str] = &["done", "partial", "no", "not-applicable"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .unwrap()
        .to_path_buf()
}

/// The rows without the heading: id, state, proof. A proof in double quotes may hold commas.
fn rows() -> Vec<(String, String, String)> {
    let text = fs::read_to_string(root().join("tests/features.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("id,state,proof"));
    lines
        .map(|line| {
            let mut cells = line.splitn(3, ',');
            let mut cell = || {
                cells
                    .next()
                    .unwrap_or_else(|| panic!("three columns: {line}"))
                    .trim()
                    .to_owned()
            };
            let (id, state, proof) = (cell(), cell(), cell());
            (id, state, proof.trim_matches('"').to_owned())
        })
        .collect()
}

/// Whether `path::name` names a test: the file is there and holds a test of that name.
fn proves(proof: &str) -> Result<(), String> {
    let (path, name) = proof.split_once("::").ok_or("a proof is FILE::TEST")?;
    let text = fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))?;
    let found = match Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
    {
        Some("rs") => text.contains(&format!("fn {name}(")),
        Some("ts" | "mjs") => ["'", "\"", "`"]
            .iter()
            .any(|quote| text.contains(&format!("{quote}{name}{quote}"))),
        Some("py") => text.contains(&format!("def {name}(")),
        _ => return Err(format!("{path} is no kind of test file")),
    };
    if found {
        Ok(())
    } else {
        Err(format!("{path} has no test {name}"))
    }
}

#[test]
fn every_feature_has_one_row_with_a_known_state() {
    let mut seen = BTreeMap::new();
    for (id, state, proof) in rows() {
        assert!(
            STATES.contains(&state.as_str()),
            "{id}: {state} is none of {STATES:?}"
        );
        assert!(!proof.is_empty(), "{id}: say by which test, or why not");
        assert!(seen.insert(id.clone(), ()).is_none(), "{id} comes twice");
    }
    assert_eq!(seen.len(), 326, "one row per feature of the list");
}

#[test]
fn every_named_proof_exists() {
    let mut wrong = Vec::new();
    for (id, state, proof) in rows() {
        // What is only partly there names its tests as well, and then says what is missing: `FILE::TEST; rest`.
        let proofs = proof
            .split(';')
            .map(str::trim)
            .filter(|part| part.contains("::"));
        let named: Vec<_> = proofs.collect();
        if state == "done" && named.is_empty() {
            wrong.push(format!("{id} is called done and names no test"));
        }
        wrong.extend(
            named
                .iter()
                .filter_map(|proof| proves(proof).err())
                .map(|error| format!("{id}: {error}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The behaviours of `tests/behaviours.md` with their tests.
fn behaviours() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(root().join("tests/behaviours.md")).unwrap();
    text.lines()
        .filter_map(|line| {
            line.strip_prefix("| ")?
                .strip_suffix(" |")?
                .split_once(" | ")
        })
        .filter(|(behaviour, _)| *behaviour != "behaviour")
        .map(|(behaviour, tests)| {
            let tests = tests.split("; ").map(str::to_owned).collect();
            (behaviour.to_owned(), tests)
        })
        .collect()
}

#[test]
fn every_behaviour_of_a_call_names_tests_that_exist() {
    let all = behaviours();
    println!("{} behaviours", all.len());
    assert!(all.len() >= 80, "only {} behaviours", all.len());
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    for (behaviour, tests) in all {
        wrong.extend(
            tests
                .iter()
                .filter_map(|test| proves(test).err())
                .map(|error| format!("{behaviour}: {error}")),
        );
        if seen.insert(behaviour.clone(), ()).is_some() {
            wrong.push(format!("{behaviour} comes twice"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
