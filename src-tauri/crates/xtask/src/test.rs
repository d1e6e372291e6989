//! Everything CI runs, as named steps: the cheap ones that fail early first, then those that share a build.

use std::process::Command;

use crate::behaviours;
use crate::bench;
use crate::count::Count;
use crate::error::TaskError;
use crate::place::Place;
use crate::rig::Rig;
use crate::run;
use crate::setup::{self, NPM, Need};
use crate::steps::Steps;

/// A step's name and its work.
type Step = (&'static str, fn(&Place) -> Result<Count, TaskError>);

/// In the order they run.
const STEPS: &[Step] = &[
    ("setup", set_up),
    ("fmt", |place| {
        shown(cargo(place).args(["fmt", "--all", "--check"]))
    }),
    ("ui", interface),
    ("clippy", |place| {
        shown(cargo(place).args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    }),
    ("build", |place| {
        shown(cargo(place).args(["build", "--workspace", "--all-targets", "--locked"]))
    }),
    ("unit", |place| {
        run::counted(cargo(place).args(["test", "--workspace", "--locked"]))
    }),
    ("e2e", window),
    ("peers", peers),
    ("bench", |place| {
        twice("bench", || bench::sound(place, "voice", &["--quick"])).map(|()| Count::default())
    }),
    ("docs", |place| {
        shown(
            cargo(place)
                .args(["doc", "--workspace", "--no-deps", "--locked"])
                .env("RUSTDOCFLAGS", "-D warnings"),
        )
    }),
    ("deny", licences),
    ("behaviours", behaviours::table),
];

/// Runs all steps, or those named, separated by commas.
///
/// # Errors
/// When any step fails. Without set-up or a build nothing after it is tried.
pub(crate) fn run(place: &Place, only: Option<&str>) -> Result<(), TaskError> {
    let chosen: Vec<&Step> = STEPS
        .iter()
        .filter(|(name, _)| only.is_none_or(|only| only.split(',').any(|one| one == *name)))
        .collect();
    if chosen.is_empty() {
        let known: Vec<_> = STEPS.iter().map(|(name, _)| *name).collect();
        return Err(TaskError::Usage(format!(
            "No such step: {}; there are {}",
            only.unwrap_or_default(),
            known.join(" ")
        )));
    }
    let mut steps = Steps::new(chosen.len());
    let mut broken = None;
    for (name, work) in chosen {
        match broken {
            Some(cause) => steps.skip(name, cause),
            None => {
                let passed = steps.run(name, || work(place));
                broken = match (passed, *name) {
                    (false, "setup") => Some("the set-up failed"),
                    (false, "build") => Some("the build failed"),
                    _ => None,
                };
            }
        }
    }
    steps.finish()
}

fn cargo(place: &Place) -> Command {
    run::command("cargo", &place.root)
}

fn shown(command: &mut Command) -> Result<Count, TaskError> {
    run::show(command).map(|()| Count::default())
}

fn set_up(place: &Place) -> Result<Count, TaskError> {
    setup::prepare(place, Need::Bench).map(|()| Count::default())
}

/// Types, tests and the build of the interface. The app embeds what this builds.
fn interface(place: &Place) -> Result<Count, TaskError> {
    let npm = |script: &str| {
        let mut npm = run::command(NPM, &place.root.join("ui"));
        npm.args(["run", "--silent", script]).env("CI", "true");
        npm
    };
    run::show(&mut npm("check"))?;
    // Every test by its name: the table of behaviours is made of them.
    let count = run::counted(npm("test").args(["--", "--reporter=verbose"]))?;
    run::show(&mut npm("build"))?;
    Ok(count)
}

/// What measures real time gets a second try, which is said: the machine may have had something else to do.
fn twice<T>(what: &str, mut work: impl FnMut() -> Result<T, TaskError>) -> Result<T, TaskError> {
    work().or_else(|error| {
        println!("==> {what}: once more, because {error}");
        work()
    })
}

/// The window's own tests, each try on a fresh desktop of our own. Its pictures are kept in `target/e2e`.
fn window(place: &Place) -> Result<Count, TaskError> {
    twice("e2e", || window_once(place))
}

fn window_once(place: &Place) -> Result<Count, TaskError> {
    let rig = Rig::start()?;
    let mut tests = cargo(place);
    tests.args([
        "test",
        "--workspace",
        "--locked",
        "--no-fail-fast",
        "--test",
        "window_e2e",
        "--test",
        "ringing_e2e",
    ]);
    run::counted(
        rig.dress(&mut tests)
            .env("HALLOO_E2E_OUT", place.target.join("e2e")),
    )
}

/// Peers that we did not write: Mattermost's npm clients, Chromium and aiortc.
fn peers(place: &Place) -> Result<Count, TaskError> {
    run::counted(&mut foreign(place, &["test"]))
}

/// The Node program of the foreign peers with everything it needs to find.
pub(crate) fn foreign(place: &Place, words: &[&str]) -> Command {
    let mut node = run::command("node", &place.root.join("tests/peers"));
    node.arg("run.mjs")
        .args(words)
        .env("HALLOO", place.program("halloo"))
        .env("HALLOO_DEVSERVER", place.program("calls-devserver"))
        .env(
            "HALLOO_EXAMPLES",
            place.target.join(place.profile).join("examples"),
        )
        .env("HALLOO_AIORTC_PYTHON", setup::aiortc_python(place))
        .env("HALLOO_PEERS_OUT", place.target.join("peers"));
    node
}

/// Who may depend on what, licences and sources. Advisories need a database from the internet, which not every
/// machine that builds this reaches: `cargo deny check advisories` is for people.
fn licences(place: &Place) -> Result<Count, TaskError> {
    let mut deny = run::command(setup::cargo_deny_program(place), &place.root);
    shown(deny.args([
        "--workspace",
        "--locked",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))
}
