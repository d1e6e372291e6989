//! Halloo as a part of the person's session: it starts with it, and the system brings it `halloo:` links.

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
        let more = "NoDisplay=true\nMimeType=x-scheme-handler/halloo;\n";
        let text = entry(program, &["%u".to_owned()], more);
        if std::fs::read_to_string(&path).is_ok_and(|held| held == text) {
            return Ok(());
        }
        write(&folder, &path, &text)?;
        // Desktops without it read the file's MimeType themselves.
        let _ = std::process::Command::new("xdg-mime")
            .args(["default", FILE, "x-scheme-handler/halloo"])
            .spawn();
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
    const LINKS: &str = r"HKCU\Software\Classes\halloo";

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
        reg(&["add", LINKS, "/ve", "/d", "URL:Halloo", "/f"])?;
        reg(&["add", LINKS, "/v", "URL Protocol", "/d", "", "/f"])?;
        let line = format!("\"{}\" \"%1\"", program.display());
        let key = format!(r"{LINKS}\shell\open\command");
        reg(&["add", &key, "/ve", "/d", &line, "/f"])
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
