//! Addresses that leave the program: opened by the system, and only if they are what they seem.

use std::path::Path;

/// Why a link is not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    /// Not a kind of address that we hand to the system: a message could otherwise start programs or open files.
    #[error("this kind of link is not opened")]
    Refused,
    /// The system has nothing to open it with.
    #[error("the system cannot open it: {0}")]
    Failed(String),
}

/// The kinds of address that are harmless to hand over.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// Longest address handed over; Windows takes no longer ones, and nobody types them.
const LONGEST: usize = 2048;

/// Opens a web or mail address in the person's browser or mail program.
///
/// # Errors
///
/// [`LinkError::Refused`] for anything else, [`LinkError::Failed`] when the system does not know how.
pub(crate) fn open(address: &str) -> Result<(), LinkError> {
    let address = checked(address)?;
    open::that_detached(address).map_err(|why| LinkError::Failed(why.to_string()))
}

/// Shows a folder of ours in the person's file manager.
///
/// # Errors
///
/// [`LinkError::Failed`] when the system does not know how.
pub(crate) fn show(folder: &Path) -> Result<(), LinkError> {
    open::that_detached(folder).map_err(|why| LinkError::Failed(why.to_string()))
}

/// Opens the page of the system's settings on which the microphone is allowed or chosen.
///
/// # Errors
///
/// [`LinkError::Failed`] where there is no such page, or none of the programs that have one.
pub(crate) fn privacy() -> Result<(), LinkError> {
    let desktop = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    match Page::of(std::env::consts::OS, &desktop) {
        Page::Address(address) => {
            open::that_detached(address).map_err(|why| LinkError::Failed(why.to_string()))
        }
        Page::Programs(programs) => {
            for words in programs {
                let [program, arguments @ ..] = words else {
                    continue;
                };
                let started = std::process::Command::new(program)
                    .args(arguments)
                    .stdin(std::process::Stdio::null())
                    .stdout(std::process::Stdio::null())
                    .stderr(std::process::Stdio::null())
                    .spawn();
                if let Ok(mut child) = started {
                    // Somebody must take note of its end, or it stays as a ghost.
                    std::thread::spawn(move || child.wait());
                    return Ok(());
                }
            }
            Err(LinkError::Failed("no settings of the desktop".to_owned()))
        }
    }
}

/// Where a system allows the microphone.
#[derive(Debug, PartialEq, Eq)]
enum Page {
    /// An address that the system knows.
    Address(&'static str),
    /// Programs and their arguments: the first one that is there.
    Programs(&'static [&'static [&'static str]]),
}

impl Page {
    fn of(system: &str, desktop: &str) -> Self {
        let on = |name: &str| desktop.split(':').any(|one| one.eq_ignore_ascii_case(name));
        match system {
            "macos" => Self::Address(
                "x-apple.systempreferences:com.apple.preference.security?Privacy_Microphone",
            ),
            "windows" => Self::Address("ms-settings:privacy-microphone"),
            _ if on("KDE") => Self::Programs(&[
                &["systemsettings", "kcm_pulseaudio"],
                &["systemsettings5", "kcm_pulseaudio"],
                &["pavucontrol", "--tab=4"],
            ]),
            _ if on("GNOME") || on("Unity") => Self::Programs(&[
                &["gnome-control-center", "microphone"],
                &["gnome-control-center", "sound"],
                &["pavucontrol", "--tab=4"],
            ]),
            _ => Self::Programs(&[
                &["pavucontrol", "--tab=4"],
                &["pavucontrol-qt"],
                &["gnome-control-center", "sound"],
            ]),
        }
    }
}

/// The address in its normal form, if it may leave.
fn checked(address: &str) -> Result<String, LinkError> {
    if address.len() > LONGEST {
        return Err(LinkError::Refused);
    }
    // The parsed form goes out, so that what was checked is what is opened.
    let address = tauri::Url::parse(address).map_err(|_| LinkError::Refused)?;
    if !SCHEMES.contains(&address.scheme()) {
        return Err(LinkError::Refused);
    }
    Ok(address.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn web_and_mail_addresses_may_leave() {
        assert_eq!(
            checked("https://example.org/a b").unwrap(),
            "https://example.org/a%20b"
        );
        assert_eq!(
            checked("HTTP://Example.org").unwrap(),
            "http://example.org/"
        );
        assert_eq!(checked("mailto:a@b.example").unwrap(), "mailto:a@b.example");
    }

    #[test]
    fn each_system_has_its_page_for_the_microphone() {
        for (system, desktop, expected) in [
            ("macos", "", "Privacy_Microphone"),
            ("windows", "", "privacy-microphone"),
            ("linux", "KDE", "kcm_pulseaudio"),
            ("linux", "ubuntu:GNOME", "gnome-control-center"),
            ("linux", "", "pavucontrol"),
            ("freebsd", "XFCE", "pavucontrol"),
        ] {
            let page = format!("{:?}", Page::of(system, desktop));
            assert!(page.contains(expected), "{system} {desktop}: {page}");
        }
    }

    #[test]
    fn nothing_else_may() {
        let long = format!("https://example.org/{}", "a".repeat(LONGEST));
        for address in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "smb://host/share",
            "ms-msdt:/id",
            "/etc/passwd",
            "-flag",
            "",
            "https",
            long.as_str(),
        ] {
            assert_eq!(checked(address), Err(LinkError::Refused), "{address}");
        }
    }
}
