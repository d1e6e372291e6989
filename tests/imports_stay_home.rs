//! The rules of the house that Cargo cannot enforce: which file may name which library.
//!
//! Who may *depend* on what is checked by `cargo deny` (`deny.toml`); here it is about files. When a rule
//! fails, either move the code to the file that owns the library, or change the rule and the developer guide.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// The checkout: three folders above the crate that runs this test.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .unwrap()
        .to_path_buf()
}

/// Every file under `folder` with one of these extensions, as a path relative to the checkout.
fn files(folder: &str, extensions: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if !matches!(
                    name.as_str(),
                    "node_modules" | "dist" | "target" | "bindings"
                ) {
                    folders.push(path);
                }
            } else if extensions
                .iter()
                .any(|extension| name.ends_with(&format!(".{extension}")))
            {
                let text = fs::read_to_string(&path).unwrap();
                let path = path
                    .strip_prefix(root())
                    .unwrap()
                    .to_string_lossy()
                    .replace('\\', "/");
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

/// The lines before a file's tests, without comments.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text
        .lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]");
    lines
        .map(|(number, line)| (number + 1, line.trim()))
        .filter(|(_, line)| !line.starts_with("//") && !line.starts_with('*'))
}

/// Whether a line names a crate as the start of a path: `use cpal…`, `cpal::…`, `extern crate cpal`.
fn names(line: &str, library: &str) -> bool {
    let mut from = 0;
    while let Some(at) = line[from..].find(library) {
        let (start, end) = (from + at, from + at + library.len());
        let before = line[..start].chars().next_back();
        let starts = before
            .is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':' || c == '"' || c == '.'))
            || line[..start].ends_with("(::");
        let after = &line[end..];
        if starts
            && (after.starts_with("::")
                || (line.starts_with("use ") && after.starts_with([';', ' '])))
        {
            return true;
        }
        from = end;
    }
    false
}

/// What is where it must not be, as `file:line: text`.
fn trespasses(folder: &str, allowed: &[&str], is: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files(folder, &["rs"]) {
        // Tests may name what the code beside them may not; they are files of their own or come last.
        let tests = path.ends_with("/tests.rs") || path.contains("/tests/");
        if tests || allowed.iter().any(|home| path.starts_with(home)) {
            continue;
        }
        found.extend(
            code(&text)
                .filter(|(_, line)| is(line))
                .map(|(number, line)| format!("{path}:{number}: {line}")),
        );
    }
    found
}

#[test]
fn heavy_libraries_are_named_only_in_their_home() {
    const HOMES: &[(&str, &[&str])] = &[
        ("tauri", &["src-tauri/src/", "src-tauri/build.rs"]),
        ("rodio", &["src-tauri/src/"]),
        ("notify_rust", &["src-tauri/src/"]),
        ("keyring", &["src-tauri/src/"]),
        (
            "webrtc",
            &[
                "src-tauri/crates/net/src/peer.rs",
                "src-tauri/crates/net/src/peer/",
            ],
        ),
        (
            "rtc",
            &[
                "src-tauri/crates/net/src/peer.rs",
                "src-tauri/crates/net/src/peer/",
            ],
        ),
        (
            "cpal",
            &[
                "src-tauri/crates/media/src/device/cpal.rs",
                "src-tauri/crates/media/src/device/cpal/",
            ],
        ),
        (
            "libpulse_binding",
            &[
                "src-tauri/crates/media/src/device/pulse.rs",
                "src-tauri/crates/media/src/device/pulse/",
            ],
        ),
        ("scrap", &["src-tauri/crates/media/src/screen/displays.rs"]),
        ("vpx_sys", &["src-tauri/crates/media/src/video/vpx/"]),
        (
            "x11rb",
            &[
                "src-tauri/crates/media/src/screen/x11.rs",
                "src-tauri/crates/media/src/screen/x11/",
                "src-tauri/crates/media/examples/",
                "src-tauri/crates/media/tests/",
                "src-tauri/src/",
            ],
        ),
        ("str0m", &["src-tauri/crates/devserver/src/sfu"]),
    ];
    for (library, homes) in HOMES {
        let found = trespasses("src-tauri", homes, |line| names(line, library));
        assert!(
            found.is_empty(),
            "{library} belongs to {homes:?} only:\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn the_core_does_no_input_or_output() {
    let forbidden = [
        "tokio::",
        "std::thread",
        "std::net",
        "Instant::now",
        "SystemTime::now",
        "std::fs",
        "std::process",
    ];
    let found = trespasses("src-tauri/crates/core/src", &[], |line| {
        forbidden.iter().any(|word| line.contains(word))
    });
    assert!(found.is_empty(), "the core is pure:\n{}", found.join("\n"));
}

#[test]
fn media_knows_no_tokio() {
    let found = trespasses("src-tauri/crates/media/src", &[], |line| {
        names(line, "tokio")
    });
    assert!(
        found.is_empty(),
        "sound has threads of its own:\n{}",
        found.join("\n")
    );
}

#[test]
fn decisions_never_read_the_servers_spelling() {
    let found: Vec<_> = files("src-tauri/crates/core/src/machine", &["rs"])
        .into_iter()
        .chain(
            files("src-tauri/crates/core/src", &["rs"])
                .into_iter()
                .filter(|(path, _)| path.ends_with("/machine.rs")),
        )
        .flat_map(|(path, text)| {
            let lines =
                code(&text).filter(|(_, line)| names(line, "wire") || line.contains("crate::wire"));
            lines
                .map(|(number, line)| format!("{path}:{number}: {line}"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(
        found.is_empty(),
        "net translates wire into model:\n{}",
        found.join("\n")
    );
}

#[test]
fn no_crate_has_unsafe_code_without_saying_so() {
    for name in ["core", "net", "client", "devserver", "xtask"] {
        let folder = root().join("src-tauri/crates").join(name).join("src");
        for file in ["lib.rs", "main.rs"]
            .map(|file| folder.join(file))
            .iter()
            .filter(|file| file.exists())
        {
            let text = fs::read_to_string(file).unwrap();
            assert!(
                text.contains("#![forbid(unsafe_code)]"),
                "{} must forbid unsafe code",
                file.display()
            );
        }
    }
    for file in ["lib.rs", "main.rs"] {
        let text = fs::read_to_string(root().join("src-tauri/src").join(file)).unwrap();
        assert!(
            text.contains("#![forbid(unsafe_code)]"),
            "src-tauri/src/{file} must forbid unsafe code"
        );
    }
}

#[test]
fn the_interface_reaches_the_shell_through_one_file() {
    let found: Vec<_> = files("ui/src", &["ts", "svelte"])
        .into_iter()
        .filter(|(path, _)| path != "ui/src/bridge.ts" && !path.ends_with(".test.ts"))
        .filter(|(_, text)| text.contains("@tauri-apps/api"))
        .map(|(path, _)| path)
        .collect();
    assert!(
        found.is_empty(),
        "only bridge.ts imports @tauri-apps/api, not {found:?}"
    );
}

#[test]
fn no_mod_rs() {
    let found: Vec<_> = files("src-tauri", &["rs"])
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.ends_with("/mod.rs"))
        .collect();
    assert!(found.is_empty(), "foo.rs beside foo/: {found:?}");
}

#[test]
fn names_tells_a_crate_from_a_module_of_the_same_name() {
    for line in [
        "use cpal::Stream;",
        "let x = cpal::default_host();",
        "use cpal;",
        "fn f(x: &cpal::Device)",
    ] {
        assert!(names(line, "cpal"), "{line}");
    }
    for line in [
        "use crate::device::cpal::open;",
        "use super::cpal::X;",
        "mod cpal;",
        "\"cpal::x\"",
        "mycpal::x",
        "self::cpal::x",
    ] {
        assert!(!names(line, "cpal"), "{line}");
    }
}
