//! What is missing on this machine, and how it is installed.
//!
//! Rust and Node are expected; everything else is a Debian package, a lock file's contents, or a tool
//! kept in the user's cache. Nothing is downloaded twice: each part first looks whether it is there.

use std::path::{Path, PathBuf};

use crate::error::TaskError;
use crate::place::Place;
use crate::run;

/// Needed to compile the app.
const BUILD: &[&str] = &[
    "build-essential",
    "cmake",
    "libasound2-dev",
    "libayatana-appindicator3-dev",
    "libpulse-dev",
    "librsvg2-dev",
    "libvpx-dev",
    "libwebkit2gtk-4.1-dev",
    "libxcb-randr0-dev",
    "libxcb-shm0-dev",
    "pkg-config",
];

/// Needed to drive a real window without a display, with sound.
const RIG: &[&str] = &[
    "curl",
    "dbus",
    "fonts-dejavu-core",
    "fonts-noto-color-emoji",
    "i3-wm",
    "libasound2-plugins",
    "openbox",
    "pipewire",
    "pulseaudio",
    "pulseaudio-utils",
    "python3",
    "sway",
    "webkit2gtk-driver",
    "wireplumber",
    "xdg-desktop-portal",
    "xdg-desktop-portal-wlr",
    "xvfb",
];

/// Needed for the peers that we did not write.
const PEERS: &[&str] = &[
    "chromium",
    "coturn",
    "gnome-keyring",
    "openssl",
    "python3",
    "python3-venv",
    "strace",
];

/// Needed to make and to judge speech in the benches; the headers build `pesq`, which is C.
const BENCH: &[&str] = &["espeak-ng", "python3-dev"];

/// PESQ (ITU-T P.862), and what reads recordings.
const SCORING: &[&str] = &["numpy==2.4.6", "scipy==1.17.1", "pesq==0.0.4"];

/// Needed to fetch other platforms' compilers (they are only unpacked, never installed).
const PLATFORMS: &[&str] = &["python3", "python3-venv"];

/// The licence and dependency checker; its rules are in `deny.toml`.
const CARGO_DENY: &str = "0.20.2";

/// aiortc: a WebRTC stack in Python, the third one our server must talk to.
const AIORTC: &[&str] = &[
    "aiortc==1.16.0",
    "aiohttp==3.14.5",
    "msgpack==1.2.4",
    "numpy==2.4.6",
];

/// What a chore needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Only to compile and show the app.
    Build,
    /// Also a display, sound devices and a session bus of our own.
    Rig,
    /// Also Chromium, Node packages, aiortc and cargo-deny.
    Tests,
    /// Also speech synthesis and PESQ.
    Bench,
}

/// Installs what is missing for `need`.
///
/// # Errors
/// [`TaskError::Missing`] with the exact line to run when this user may not install packages.
pub(crate) fn prepare(place: &Place, need: Need) -> Result<(), TaskError> {
    let mut packages = BUILD.to_vec();
    if need >= Need::Rig {
        packages.extend(RIG);
    }
    if need >= Need::Tests {
        packages.extend(PEERS);
    }
    if need >= Need::Bench {
        packages.extend(BENCH);
    }
    debian(&packages)?;
    node()?;
    npm_ci(&place.root.join("ui"))?;
    if need >= Need::Tests {
        npm_ci(&place.root.join("tests/peers"))?;
        aiortc(place)?;
        cargo_deny(place)?;
    }
    if need >= Need::Bench {
        virtual_env(&place.cache.join("scoring"), SCORING)?;
    }
    Ok(())
}

/// Installs what `check-platforms` needs besides Rust.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn prepare_platforms() -> Result<(), TaskError> {
    debian(PLATFORMS)
}

/// Installs those of `packages` that dpkg does not know as installed.
fn debian(packages: &[&str]) -> Result<(), TaskError> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let here = Path::new("/");
    if !run::quiet(run::command("dpkg-query", here).arg("--version")) {
        println!(
            "This is no Debian: please see that these are installed: {}",
            packages.join(" ")
        );
        return Ok(());
    }
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !installed(package))
        .collect();
    if missing.is_empty() {
        println!("System packages: all {} are there", packages.len());
        return Ok(());
    }
    let by_hand = format!(
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends {}",
        missing.join(" ")
    );
    let Some(prefix) = may_install() else {
        return Err(TaskError::Missing(format!(
            "These system packages are missing. Please run this line, then try again:\n  {by_hand}"
        )));
    };
    println!("System packages: installing {}", missing.join(" "));
    let apt = |words: &[&str]| {
        let mut command = run::command(prefix.first().copied().unwrap_or("apt-get"), here);
        command
            .args(prefix.iter().skip(1))
            .env("DEBIAN_FRONTEND", "noninteractive");
        if !prefix.is_empty() {
            command.arg("apt-get");
        }
        command.args(words);
        command
    };
    let mut install = vec!["install", "-y", "-q", "--no-install-recommends"];
    install.extend(&missing);
    // An old package list is the usual reason for a failure, a fresh one costs seconds: always get it first.
    run::show(&mut apt(&["update", "-q"]))?;
    run::show(&mut apt(&install)).map_err(|error| {
        TaskError::Missing(format!("The system packages could not be installed ({error}). Please run this line, then try again:\n  {by_hand}"))
    })
}

fn installed(package: &str) -> bool {
    // A package may have become a virtual one (libasound2 on newer systems): then its provider counts.
    let known = run::command("dpkg-query", Path::new("/"))
        .args(["-W", "-f", "${db:Status-Abbrev}", package])
        .stderr(std::process::Stdio::null())
        .output();
    known.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("ii"))
}

/// How packages may be installed: directly as root, through sudo without a question, or not at all.
fn may_install() -> Option<&'static [&'static str]> {
    let here = Path::new("/");
    let id = run::capture(run::command("id", here).arg("-u")).unwrap_or_default();
    if id.trim() == "0" {
        Some(&[])
    } else if run::quiet(run::command("sudo", here).args(["-n", "true"])) {
        Some(&["sudo", "-n"])
    } else {
        None
    }
}

/// Node 20 or newer must be there; it is not ours to replace.
fn node() -> Result<(), TaskError> {
    let version =
        run::capture(run::command("node", Path::new("/")).arg("--version")).map_err(|_| {
            TaskError::Missing(
                "Node is missing. Please install Node 20 or newer, then try again.".to_owned(),
            )
        })?;
    let major = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|number| number.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 20) {
        return Ok(());
    }
    Err(TaskError::Missing(format!(
        "Node 20 or newer is needed, this is {}. Please update it, then try again.",
        version.trim()
    )))
}

/// The program's name differs on Windows, where npm is a script.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Installs the packages of a lock file, if they are older than it.
fn npm_ci(folder: &Path) -> Result<(), TaskError> {
    let lock = folder.join("package-lock.json");
    let made = folder.join("node_modules/.package-lock.json");
    if !Place::stale(&made, &lock) {
        println!("Node packages of {}: up to date", name_of(folder));
        return Ok(());
    }
    println!("Node packages of {}: installing", name_of(folder));
    run::show(run::command(NPM, folder).args([
        "ci",
        "--no-fund",
        "--no-audit",
        "--loglevel=error",
    ]))?;
    // npm keeps the file's time when nothing changed; without this the next run would install again.
    let now = std::fs::File::options()
        .append(true)
        .open(&made)
        .and_then(|file| file.set_modified(std::time::SystemTime::now()));
    now.map_err(TaskError::file(made))
}

fn name_of(folder: &Path) -> String {
    folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Where cargo-deny lies in the user's cache.
pub(crate) fn cargo_deny_program(place: &Place) -> PathBuf {
    place.cache.join(format!(
        "tools-{CARGO_DENY}/bin/cargo-deny{}",
        std::env::consts::EXE_SUFFIX
    ))
}

fn cargo_deny(place: &Place) -> Result<(), TaskError> {
    if cargo_deny_program(place).exists() {
        println!("cargo-deny {CARGO_DENY}: is there");
        return Ok(());
    }
    println!(
        "cargo-deny {CARGO_DENY}: building it once, into {}",
        place.cache.display()
    );
    let root = place.cache.join(format!("tools-{CARGO_DENY}"));
    let mut install = run::command("cargo", &place.root);
    // A target directory of its own: our profile and flags must not make it build again. Unoptimised, for it works for
    // seconds only, and compiling it is what takes long.
    install
        .env("CARGO_TARGET_DIR", root.join("build"))
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .args([
            "install",
            "--debug",
            "--locked",
            "--quiet",
            "--version",
            CARGO_DENY,
            "--root",
        ]);
    run::show(install.arg(&root).arg("cargo-deny"))?;
    // Only the program is needed from here on; a leftover folder is no reason to fail.
    let _ = std::fs::remove_dir_all(root.join("build"));
    Ok(())
}

/// The Python of the virtual environment that holds aiortc.
pub(crate) fn aiortc_python(place: &Place) -> PathBuf {
    place.cache.join("aiortc/bin/python")
}

/// The Python of the virtual environment that holds PESQ.
pub(crate) fn bench_python(place: &Place) -> PathBuf {
    place.cache.join("scoring/bin/python")
}

fn aiortc(place: &Place) -> Result<(), TaskError> {
    virtual_env(&place.cache.join("aiortc"), AIORTC)
}

/// A Python virtual environment with exactly these packages. A file in it tells what it was made for.
///
/// # Errors
/// When Python or its package client fails.
pub(crate) fn virtual_env(folder: &Path, packages: &[&str]) -> Result<(), TaskError> {
    let note = folder.join("made-for");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&note).is_ok_and(|text| text == wanted) {
        println!("Python packages of {}: up to date", name_of(folder));
        return Ok(());
    }
    println!(
        "Python packages of {}: installing {}",
        name_of(folder),
        packages.join(" ")
    );
    let here = Path::new("/");
    run::show(
        run::command("python3", here)
            .args(["-m", "venv", "--clear"])
            .arg(folder),
    )?;
    run::show(
        run::command(folder.join("bin/python"), here)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(packages),
    )?;
    std::fs::write(&note, wanted).map_err(TaskError::file(note))
}
