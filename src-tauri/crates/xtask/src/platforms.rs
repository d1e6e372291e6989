//! Type-checking the whole workspace for Windows and macOS from Linux, so that platform code never rots.
//!
//! No SDK of those systems is needed, for a check neither links nor runs. Three pieces make it possible:
//!
//! - A compiler that comes with its library's sources. Debian has one (`rustc-web`, which Firefox and Chromium
//!   are built with); its packages are unpacked into the user's cache, not installed, as they would replace others.
//! - `-Zbuild-std`: Cargo checks the standard library for the target from these sources.
//! - A C cross-compiler for the build scripts that want one. `ziglang` is one, with the headers of both systems.
//!
//! What this cannot reach is listed in the developer guide.

use std::path::{Path, PathBuf};

use crate::count::Count;
use crate::error::TaskError;
use crate::place::Place;
use crate::run;
use crate::setup;
use crate::steps::Steps;

/// A target and the name zig knows it by.
const TARGETS: &[(&str, &str)] = &[
    ("x86_64-pc-windows-gnu", "x86_64-windows-gnu"),
    ("aarch64-apple-darwin", "aarch64-macos"),
];

/// The compiler, its library for build scripts and procedural macros, the library's sources, and LLVM.
const PACKAGES: &[&str] = &["rustc-web", "libstd-rust-web-dev", "rust-web-src"];

/// The C cross-compiler.
const ZIG: &str = "ziglang==0.17.1";

/// Checks all targets, or one.
///
/// # Errors
/// When a piece cannot be fetched or the code does not check.
pub(crate) fn run(place: &Place, only: Option<&str>) -> Result<(), TaskError> {
    let targets: Vec<_> = TARGETS
        .iter()
        .filter(|(target, _)| only.is_none_or(|only| only == *target))
        .collect();
    if targets.is_empty() {
        return Err(TaskError::Usage(format!(
            "No such target: {}",
            only.unwrap_or_default()
        )));
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("The other platforms are checked from Linux on x86-64 only.");
        return Ok(());
    }
    let tools = Tools::at(place);
    let mut steps = Steps::new(targets.len() + 1);
    let ready = steps.run("compilers", || {
        setup::prepare_platforms()?;
        tools.fetch(place)?;
        Ok(Count::default())
    });
    for (target, zig) in targets {
        if ready {
            steps.run(target, || {
                tools.wrap(target, zig)?;
                run::show(&mut tools.check(place, target)).map(|()| Count::default())
            });
        } else {
            steps.skip(target, "no compiler");
        }
    }
    steps.finish()
}

/// Where the pieces lie in the user's cache.
#[derive(Debug)]
struct Tools {
    folder: PathBuf,
    root: PathBuf,
    zig: PathBuf,
    target: PathBuf,
}

impl Tools {
    fn at(place: &Place) -> Self {
        let folder = place.cache.join("cross");
        Self {
            root: folder.join("root"),
            zig: place.cache.join("zig"),
            target: place.cache.join("platforms"),
            folder,
        }
    }

    /// Fetches what is not there yet.
    fn fetch(&self, place: &Place) -> Result<(), TaskError> {
        setup::virtual_env(&self.zig, &[ZIG])?;
        let done = self.folder.join("unpacked");
        if done.exists() {
            println!("Compiler for other platforms: is there");
            return self.write_compilers();
        }
        println!(
            "Compiler for other platforms: fetching {} into {}",
            PACKAGES.join(" "),
            self.folder.display()
        );
        let debs = self.folder.join("debs");
        // An earlier try may have been interrupted in the middle.
        let _ = std::fs::remove_dir_all(&debs);
        std::fs::create_dir_all(&debs).map_err(TaskError::file(&debs))?;
        let names = self.with_libraries(&place.root)?;
        run::show(
            run::command("apt-get", &debs)
                .args(["download", "-q"])
                .args(&names),
        )?;
        let listing = std::fs::read_dir(&debs).map_err(TaskError::file(&debs))?;
        for deb in listing.flatten() {
            run::show(
                run::command("dpkg", &debs)
                    .arg("-x")
                    .arg(deb.path())
                    .arg(&self.root),
            )?;
        }
        // 150 MB that are not needed any more.
        let _ = std::fs::remove_dir_all(&debs);
        std::fs::write(&done, names.join("\n")).map_err(TaskError::file(done))?;
        self.write_compilers()
    }

    /// The packages and those shared libraries of theirs whose names carry a version.
    fn with_libraries(&self, here: &Path) -> Result<Vec<String>, TaskError> {
        let mut names: Vec<String> = PACKAGES.iter().map(|name| (*name).to_owned()).collect();
        // Two rounds: the compiler needs its library, and that needs LLVM.
        for _ in 0..2 {
            let mut ask = run::command("apt-cache", here);
            let told = run::capture(
                ask.args(["depends", "--no-recommends", "--no-suggests"])
                    .args(&names),
            )?;
            for name in told
                .lines()
                .filter_map(|line| line.trim().strip_prefix("Depends: "))
            {
                let ours = name.starts_with("libstd-rust-web-") || name.starts_with("libllvm");
                if ours && !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
            }
        }
        Ok(names)
    }

    fn write_compilers(&self) -> Result<(), TaskError> {
        // scrap's build script looks at the system that builds and not at the one that is built for: the word that it
        // says is exchanged for the one it would say there.
        let scrap = "if [ \"$CARGO_PKG_NAME\" = scrap ] && [ -n \"$SCRAP_ON\" ]; then\n\
                     \x20 for word do shift; [ \"$word\" = x11 ] && word=$SCRAP_ON; set -- \"$@\" \"$word\"; done\n\
                     fi\n";
        for name in ["rustc", "rustdoc"] {
            let root = self.root.display();
            script(
                &self.folder.join("bin").join(name),
                &format!(
                    "{scrap}LD_LIBRARY_PATH={root}/usr/lib/x86_64-linux-gnu exec {root}/usr/bin/{name} \"$@\"\n"
                ),
            )?;
        }
        Ok(())
    }

    /// Writes the wrappers that make zig a C compiler as the build scripts expect one for `target`.
    fn wrap(&self, target: &str, zig: &str) -> Result<(), TaskError> {
        let python = self.zig.join("bin/python");
        let python = python.display();
        for mode in ["cc", "c++"] {
            // Options that choose a target in another compiler's words are dropped, zig has been told already.
            // Objective-C needs Apple's headers, which are not ours to have: an empty object stands in.
            let text = format!(
                "out= objective= last=\n\
                 for word do\n\
                 \x20 shift\n\
                 \x20 if [ \"$last\" = -arch ]; then last=; continue; fi\n\
                 \x20 [ \"$last\" = -o ] && out=$word\n\
                 \x20 last=$word\n\
                 \x20 case $word in\n\
                 \x20   -arch|--target=*|-mmacosx-version-min=*|-march=*|-mtune=*) continue ;;\n\
                 \x20   *.m|*.mm) objective=yes ;;\n\
                 \x20 esac\n\
                 \x20 set -- \"$@\" \"$word\"\n\
                 done\n\
                 if [ -n \"$objective\" ] && [ -n \"$out\" ]; then\n\
                 \x20 exec {python} -m ziglang cc -target {zig} -x c -c /dev/null -o \"$out\"\n\
                 fi\n\
                 exec {python} -m ziglang {mode} -target {zig} \"$@\"\n"
            );
            script(
                &self.folder.join("bin").join(format!("{target}-{mode}")),
                &text,
            )?;
        }
        script(
            &self.folder.join("bin").join(format!("{target}-ar")),
            &format!("exec {python} -m ziglang ar \"$@\"\n"),
        )?;
        // rustc makes import libraries for Windows even in a check, with a tool of this name.
        script(
            &self.folder.join("bin/x86_64-w64-mingw32-dlltool"),
            &format!("exec {python} -m ziglang dlltool \"$@\"\n"),
        )?;
        // The app's icon and manifest for Windows: nothing is linked here, so an empty file stands in for them.
        script(
            &self.folder.join("bin/x86_64-w64-mingw32-windres"),
            "last=\n\
             for word do\n\
             \x20 case $last in -o|--output) : > \"$word\" ;; esac\n\
             \x20 case $word in --output=*) : > \"${word#--output=}\" ;; esac\n\
             \x20 last=$word\n\
             done\n",
        )
    }

    fn check(&self, place: &Place, target: &str) -> std::process::Command {
        let bin = self.folder.join("bin");
        let mut cargo = run::command("cargo", &place.root);
        let name = target.replace('-', "_");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(bin.clone()).chain(std::env::split_paths(&path)));
        if let Ok(path) = path {
            cargo.env("PATH", path);
        }
        cargo
            .args([
                "check",
                "--workspace",
                "--locked",
                "-Zbuild-std=std,panic_abort",
                "--target",
                target,
            ])
            .env("CARGO_TARGET_DIR", &self.target)
            .env("RUSTC", bin.join("rustc"))
            .env("RUSTDOC", bin.join("rustdoc"))
            // Lets a released compiler take -Z options.
            .env("RUSTC_BOOTSTRAP", "1")
            .env(format!("CC_{name}"), bin.join(format!("{target}-cc")))
            .env(format!("CXX_{name}"), bin.join(format!("{target}-c++")))
            .env(format!("AR_{name}"), bin.join(format!("{target}-ar")))
            .env("SDKROOT", "/")
            .env(
                "SCRAP_ON",
                if target.contains("windows") {
                    "dxgi"
                } else {
                    "quartz"
                },
            )
            // A check does not link, so no libvpx is asked for.
            .env("VPX_VERSION", "1.12.0")
            .env("VPX_LIB_DIR", &self.folder)
            .env("VPX_INCLUDE_DIR", &self.folder)
            .env("VPX_STATIC", "1")
            // A check embeds whatever page there is; the interface is built by the tests.
            .env("SKIP_UI_BUILD", "1")
            // What ScreenCaptureKit's crate is told by docs.rs, which has no Swift either.
            .env("DOCS_RS", "1")
            // The toolchain that runs xtask must not choose the compiler here.
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("RUSTC_WRAPPER");
        cargo
    }
}

/// Writes an executable shell script.
fn script(path: &Path, text: &str) -> Result<(), TaskError> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(TaskError::file(folder))?;
    let text = format!("#!/bin/sh\n{text}");
    // Written only when it changed: Cargo looks at the compiler's time to know whether all must be checked again.
    if std::fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    std::fs::write(path, text).map_err(TaskError::file(path))?;
    executable(path)
}

#[cfg(unix)]
fn executable(path: &Path) -> Result<(), TaskError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
        .map_err(TaskError::file(path))
}

#[cfg(not(unix))]
fn executable(_path: &Path) -> Result<(), TaskError> {
    Ok(())
}
