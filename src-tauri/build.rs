//! Builds the interface when its sources are newer than what was built, then lets Tauri embed it.
//!
//! One command must do: `cargo build` on a fresh clone runs `npm ci` and `npm run build` in `ui/` by itself.
//! `SKIP_UI_BUILD=1` leaves `ui/dist` as it is (for checks, and where Node is missing), with an empty page if
//! there is none.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// What the interface is built from. Never `ui/` itself: `ui/dist` and `ui/node_modules` change with each build.
const SOURCES: [&str; 8] = [
    "ui/src",
    "ui/public",
    "ui/index.html",
    "ui/package.json",
    "ui/package-lock.json",
    "ui/vite.config.ts",
    "ui/svelte.config.js",
    "ui/tsconfig.json",
];

/// The commands of the bridge. Each one needs its `allow-…` permission in a window's capability.
const COMMANDS: [&str; 14] = [
    "dispatch",
    "snapshot",
    "hear",
    "open_link",
    "open_logs",
    "read_log",
    "save_log",
    "open_privacy",
    "next_frame",
    "thumbnail",
    "call_window",
    "fit_bar",
    "attach",
    "file_part",
];

/// The page that is embedded.
const PAGE: &str = "ui/dist/index.html";

/// What stands in for it when nobody has built it. Recognised, so that a later build replaces it.
const PLACEHOLDER: &str = "<!doctype html><title>Halloo: the interface is not built</title>\n";

fn main() {
    for source in SOURCES {
        // A path that does not exist would make cargo run this script every time.
        if Path::new(source).exists() {
            println!("cargo::rerun-if-changed={source}");
        }
    }
    println!("cargo::rerun-if-changed=src-tauri/build.rs");
    println!("cargo::rerun-if-changed=icons");
    println!("cargo::rerun-if-env-changed=SKIP_UI_BUILD");

    let outcome = if std::env::var_os("SKIP_UI_BUILD").is_some() {
        placeholder()
    } else {
        build_interface()
    };
    if let Err(why) = outcome {
        println!("cargo::error=the interface could not be built: {why}");
        return;
    }

    let attributes = tauri_build::Attributes::new()
        .codegen(tauri_build::CodegenContext::new())
        .app_manifest(tauri_build::AppManifest::new().commands(&COMMANDS))
        // Capabilities are inline in tauri.conf.json; the default folder would be watched for nothing.
        .capabilities_path_pattern("src-tauri/capabilities/**/*");
    if let Err(why) = tauri_build::try_build(attributes) {
        println!("cargo::error={why:#}");
    }
}

/// `npm ci` if the lock file is newer than what is installed, then `npm run build` if a source is newer than
/// the page.
fn build_interface() -> Result<(), String> {
    let installed = changed("ui/node_modules/.package-lock.json");
    if installed.is_none() || changed("ui/package-lock.json") > installed {
        npm(&["ci", "--no-audit", "--no-fund"])?;
    }
    let built = changed(PAGE).filter(|_| !is_placeholder());
    if built.is_none()
        || SOURCES
            .iter()
            .filter_map(|path| newest(Path::new(path)))
            .max()
            > built
    {
        npm(&["run", "build"])?;
    }
    Ok(())
}

/// Tauri insists on a page to embed: for type checks an empty one does.
fn placeholder() -> Result<(), String> {
    if Path::new(PAGE).exists() {
        return Ok(());
    }
    std::fs::create_dir_all("ui/dist")
        .and_then(|()| std::fs::write(PAGE, PLACEHOLDER))
        .map_err(|why| format!("cannot write {PAGE}: {why}"))
}

fn is_placeholder() -> bool {
    std::fs::read_to_string(PAGE).is_ok_and(|page| page == PLACEHOLDER)
}

fn npm(arguments: &[&str]) -> Result<(), String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(program)
        .args(arguments)
        .current_dir("ui")
        .output()
        .map_err(|why| format!("cannot start {program} (is Node 20 or newer installed?): {why}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "`npm {}` ended with {}\n{}\n{}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// When a file was last changed; `None` if there is none.
fn changed(path: &str) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|meta| meta.modified())
        .ok()
}

/// The latest change in a file or a folder and everything below.
fn newest(path: &Path) -> Option<SystemTime> {
    let own = std::fs::metadata(path)
        .and_then(|meta| meta.modified())
        .ok();
    let Ok(entries) = std::fs::read_dir(path) else {
        return own;
    };
    entries
        .flatten()
        .filter_map(|entry| newest(&entry.path()))
        .chain(own)
        .max()
}
