//! Where things lie: the checkout, the target directory and the user's cache.

use std::path::{Path, PathBuf};

/// The folders a chore works in.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// Cargo's target directory (`CARGO_TARGET_DIR`, or `target` in the checkout).
    pub(crate) target: PathBuf,
    /// `halloo` in the user's cache directory: tools, virtual environments, other platforms' compilers.
    pub(crate) cache: PathBuf,
    /// Whose programs are run: `debug` or `release`, as Cargo names the folders.
    pub(crate) profile: &'static str,
}

impl Place {
    /// Finds the folders from the environment that Cargo gives to `cargo run`.
    pub(crate) fn find() -> Self {
        // The manifest is at src-tauri/crates/xtask of the checkout, three folders down.
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.ancestors().nth(3).unwrap_or(here).to_path_buf();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|dir| dir.is_absolute())
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
            .unwrap_or_else(|| target.clone())
            .join("halloo");
        Self {
            root,
            target,
            cache,
            profile: "debug",
        }
    }

    /// The same with optimised programs: what measurements are made with.
    pub(crate) fn released(&self) -> Self {
        Self {
            profile: "release",
            ..self.clone()
        }
    }

    /// A program that `cargo build` leaves in the target directory.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.target
            .join(self.profile)
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Whether `made` is missing or older than `from`, so that it must be made again.
    pub(crate) fn stale(made: &Path, from: &Path) -> bool {
        let time = |path: &Path| path.metadata().and_then(|meta| meta.modified()).ok();
        match (time(made), time(from)) {
            (Some(made), Some(from)) => made < from,
            (made, _) => made.is_none(),
        }
    }
}
