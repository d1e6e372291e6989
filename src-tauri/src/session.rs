//! Halloo as a part of the person's session: it starts with it, and the system brings it `halloo:` and `mattermost:`
//! links. The latter are how a browser leads back after a sign-in (mattermost-core §3.4): whoever has Mattermost's own
//! client keeps it for them, where the system can have but one.

use std::io;
use std::path::{Path, PathBuf};

/// Starts with the session, or does so no more.
///
/// # Errors
///
/// When the session's start folder cannot be written.
pub(crate) fn autostart(on: bool, hidden: bool, profile: Option<&Path>) -> io::Result<()> {
    let program = std::env::current_exe()?;
    let mut words = Vec::new();
    if hidden {
        words.push("--hidden".to_owned());
    }
    if let Some(profile) = profile {
        words.push("--profile".to_owned());
        words.push(profile.display().to_string());
    }
    system::autostart(on, &program, &words)
}

/// Tells the system that `halloo:` links are for this program. Done at each start, because programs move.
///
/// # Errors
///
/// When the system's list cannot be written.
pub(crate) fn take_links() -> io::Result<()> {
    system::take_links(&std::env::current_exe()?)
}

#[cfg(all(unix, not(target_os = "macos")))]
mod system {
    use super::*;

    const FILE: &str = "halloo.desktop";

    pub(super) fn autostart(on: bool, program: &Path, words: &[String]) -> io::Result<()> {
        let folder = dirs::config_dir()
            .ok_or(io::ErrorKind::NotFound)?
            .join("autostart");
        let path = folder.join(FILE);
        if on {
            write(&folder, &path, &entry(program, words, ""))
        } else {
            gone(std::fs::remove_file(path))
        }
    }

    pub(super) fn take_links(program: &Path) -> io::Result<()> {
        let folder = dirs::data_dir()
            .ok_or(io::ErrorKind::NotFound)?
            .join("applications");
        let path = folder.join(FILE);
        let more =
            "NoDisplay=true\nMimeType=x-scheme-handler/halloo;x-scheme-handler/mattermost;\n";
        let text = entry(program, &["%u".to_owned()], more);
        if std::fs::read_to_string(&path).is_ok_and(|held| held == text) {
            return Ok(());
        }
        write(&folder, &path, &text)?;
        // On a thread: these are slow scripts. Desktops without them read the file's MimeType themselves.
        std::thread::spawn(move || {
            let run = |program: &str, words: &[&str]| {
                std::process::Command::new(program).args(words).output()
            };
            // A desktop's cache of who opens what.
            let _ = run("update-desktop-database", &[&folder.display().to_string()]);
            let _ = run("xdg-mime", &["default", FILE, "x-scheme-handler/halloo"]);
            let asked = run(
                "xdg-mime",
                &["query", "default", "x-scheme-handler/mattermost"],
            );
            let taken = asked.is_ok_and(|it| {
                let holder = String::from_utf8_lossy(&it.stdout).trim().to_owned();
                !holder.is_empty() && holder != FILE
            });
            if !taken {
                let _ = run(
                    "xdg-mime",
                    &["default", FILE, "x-scheme-handler/mattermost"],
                );
            }
        });
        Ok(())
    }

    fn write(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(path, text)
    }

    /// A desktop entry (Desktop Entry Specification 1.5).
    pub(super) fn entry(program: &Path, words: &[String], more: &str) -> String {
        let mut exec = quoted(&program.display().to_string());
        for word in words {
            exec.push(' ');
            exec.push_str(&if word == "%u" {
                word.clone()
            } else {
                quoted(word)
            });
        }
        format!(
            "[Desktop Entry]\nType=Application\nName=Halloo\nComment=Calls for Mattermost\nExec={exec}\nIcon=halloo\nTerminal=false\n{more}"
        )
    }

    /// A word of `Exec`: in quotes, with what the shell and the field codes would take for theirs escaped.
    fn quoted(word: &str) -> String {
        let mut out = String::from("\"");
        for c in word.chars() {
            match c {
                '"' | '`' | '$' => out.push_str(&format!("\\\\{c}")),
                '\\' => out.push_str("\\\\\\\\"),
                '%' => out.push_str("%%"),
                '\n' | '\r' => {}
                c => out.push(c),
            }
        }
        out.push('"');
        out
    }
}

#[cfg(target_os = "macos")]
mod system {
    use super::*;

    pub(super) fn autostart(on: bool, program: &Path, words: &[String]) -> io::Result<()> {
        let folder = dirs::home_dir()
            .ok_or(io::ErrorKind::NotFound)?
            .join("Library/LaunchAgents");
        let path = folder.join("desktop.halloo.Halloo.plist");
        if !on {
            return gone(std::fs::remove_file(path));
        }
        let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        let words: String = std::iter::once(program.display().to_string())
            .chain(words.iter().cloned())
            .map(|word| format!("<string>{}</string>", escape(&word)))
            .collect();
        std::fs::create_dir_all(&folder)?;
        std::fs::write(
            path,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict><key>Label</key><string>desktop.halloo.Halloo</string><key>ProgramArguments</key><array>{words}</array><key>RunAtLoad</key><true/></dict></plist>\n"
            ),
        )
    }

    /// The bundle's own list (`CFBundleURLTypes`) tells the system.
    pub(super) fn take_links(_program: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(windows)]
mod system {
    use super::*;
    use std::process::Command;

    const RUN: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run";
    const CLASSES: &str = r"HKCU\Software\Classes";

    pub(super) fn autostart(on: bool, program: &Path, words: &[String]) -> io::Result<()> {
        let mut line = format!("\"{}\"", program.display());
        for word in words {
            line.push_str(&format!(" \"{word}\""));
        }
        let done = if on {
            reg(&[
                "add", RUN, "/v", "Halloo", "/t", "REG_SZ", "/d", &line, "/f",
            ])
        } else {
            reg(&["delete", RUN, "/v", "Halloo", "/f"]).or(Ok(()))
        };
        done
    }

    pub(super) fn take_links(program: &Path) -> io::Result<()> {
        let ours = format!("\"{}\" \"%1\"", program.display());
        for scheme in ["halloo", "mattermost"] {
            let class = format!(r"{CLASSES}\{scheme}");
            let command = format!(r"{class}\shell\open\command");
            // Another program's: theirs to keep.
            if scheme == "mattermost" && held(&command).is_some_and(|line| !line.contains("halloo"))
            {
                continue;
            }
            reg(&["add", &class, "/ve", "/d", &format!("URL:{scheme}"), "/f"])?;
            reg(&["add", &class, "/v", "URL Protocol", "/d", "", "/f"])?;
            reg(&["add", &command, "/ve", "/d", &ours, "/f"])?;
        }
        Ok(())
    }

    /// What stands there, in lower case.
    fn held(key: &str) -> Option<String> {
        let answer = Command::new("reg")
            .args(["query", key, "/ve"])
            .output()
            .ok()?;
        answer
            .status
            .success()
            .then(|| String::from_utf8_lossy(&answer.stdout).to_lowercase())
    }

    fn reg(words: &[&str]) -> io::Result<()> {
        let status = Command::new("reg").args(words).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
}

/// What is not there needs no removing.
#[cfg(unix)]
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The profile as it was asked for, if it is not the person's own: what starts later needs it too.
pub(crate) fn foreign_profile(asked: Option<&Path>) -> Option<PathBuf> {
    asked.and_then(|path| path.canonicalize().ok())
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    #[test]
    fn a_desktop_entry_takes_nothing_for_a_command() {
        let entry = system::entry(
            Path::new("/opt/a $(b) \"c\"/halloo"),
            &[
                "--profile".to_owned(),
                "/tmp/50%".to_owned(),
                "%u".to_owned(),
            ],
            "",
        );
        let exec = entry
            .lines()
            .find(|line| line.starts_with("Exec="))
            .unwrap_or_default();
        assert_eq!(
            exec,
            r#"Exec="/opt/a \\$(b) \\"c\\"/halloo" "--profile" "/tmp/50%%" %u"#
        );
    }
}
