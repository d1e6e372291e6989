//! Third-party notices: who wrote what we ship, under which licence, with the text as it came.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use crate::error::TaskError;
use crate::place::Place;
use crate::run;

/// Writes `THIRD-PARTY-NOTICES.txt` into the target directory.
///
/// # Errors
/// When Cargo or npm cannot tell what is used, or the file cannot be written.
pub(crate) fn run(place: &Place) -> Result<(), TaskError> {
    let mut cargo = run::command("cargo", &place.root);
    let json = run::capture(cargo.args(["metadata", "--format-version", "1", "--locked"]))?;
    let told: Value = serde_json::from_str(&json)
        .map_err(|error| TaskError::Unexpected(format!("cargo metadata: {error}")))?;
    let mut parts = BTreeMap::new();
    for package in told["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| !package["source"].is_null())
    {
        let folder = package["manifest_path"]
            .as_str()
            .map(Path::new)
            .and_then(Path::parent);
        parts.insert(heading(package), folder.map(texts).unwrap_or_default());
    }
    for name in shipped(&place.root.join("ui")) {
        let folder = place.root.join("ui/node_modules").join(&name);
        let manifest = std::fs::read_to_string(folder.join("package.json")).unwrap_or_default();
        if let Ok(package) = serde_json::from_str::<Value>(&manifest) {
            parts.insert(heading(&package), texts(&folder));
        }
    }
    let mut notices = String::from(
        "Halloo contains the work of others. This is what, by whom and under which terms.\n",
    );
    // Many packages come with the very same text: it is printed once, after all that it holds for.
    let mut terms: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (heading, texts) in &parts {
        let _ = write!(notices, "\n{heading}\n");
        for text in texts {
            terms
                .entry(text.trim().to_owned())
                .or_default()
                .push(name_of(heading));
        }
    }
    for (text, names) in &terms {
        let rule = "=".repeat(80);
        let _ = write!(notices, "\n{rule}\nOf {}:\n\n{text}\n", names.join(", "));
    }
    let path = place.target.join("THIRD-PARTY-NOTICES.txt");
    std::fs::create_dir_all(&place.target).map_err(TaskError::file(&place.target))?;
    std::fs::write(&path, notices).map_err(TaskError::file(&path))?;
    println!("{} packages, in {}", parts.len(), path.display());
    Ok(())
}

/// Name, version, licence and authors of a Cargo or npm package.
fn heading(package: &Value) -> String {
    let text = |key: &str| package[key].as_str().unwrap_or("not stated").to_owned();
    let authors: Vec<&str> = package["authors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let authors = if authors.is_empty() {
        String::new()
    } else {
        format!("\nAuthors: {}", authors.join(", "))
    };
    format!(
        "{} {}\nLicence: {}{authors}",
        text("name"),
        text("version"),
        text("license")
    )
}

/// The first line of a heading: name and version.
fn name_of(heading: &str) -> &str {
    heading.lines().next().unwrap_or(heading)
}

/// Packages that the lock file calls "for development", but whose code the build puts into the interface.
const BUNDLED: &[&str] = &["@lucide/svelte", "clsx", "esm-env", "svelte"];

/// The npm packages that end up in the interface: those of the lock file that are not for development,
/// and [`BUNDLED`].
fn shipped(folder: &Path) -> Vec<String> {
    let lock = std::fs::read_to_string(folder.join("package-lock.json")).unwrap_or_default();
    let lock: Value = serde_json::from_str(&lock).unwrap_or_default();
    let packages = lock["packages"].as_object().into_iter().flatten();
    let named =
        packages.filter_map(|(path, package)| Some((path.strip_prefix("node_modules/")?, package)));
    named
        .filter(|(name, package)| package["dev"].as_bool() != Some(true) || BUNDLED.contains(name))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The licence texts lying in a package's folder.
fn texts(folder: &Path) -> Vec<String> {
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    found.retain(|path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_ascii_uppercase();
        path.is_file()
            && ["LICENSE", "LICENCE", "COPYING", "NOTICE"]
                .iter()
                .any(|start| name.starts_with(start))
    });
    found.sort();
    found
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect()
}
