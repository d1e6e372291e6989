//! How WebKitGTK draws where no graphics card helps.
//!
//! WebKit's compositor wants OpenGL. Without a card Mesa computes OpenGL on the processor, and each change of a page,
//! be it a clock's digit, costs tens of milliseconds of it. Drawn plainly, only what changed is drawn.

use std::env;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tauri::plugin::{Builder, TauriPlugin};
use tauri::{Webview, Wry};
use webkit2gtk::{HardwareAccelerationPolicy, SettingsExt, WebViewExt};

/// Where the kernel lists what can draw.
const CARDS: &str = "/dev/dri";

/// What such a device is called; `card*` alone only shows pictures.
const DRAWS: &str = "renderD";

/// What GDK and WebKit are told by the environment.
///
/// GDK asks for OpenGL when it opens the display, whether or not anything is drawn with it, and without a card that brings a
/// compiler for shaders into memory, 20 MiB, for as long as the program runs. WebKit hears of a page's settings only when the
/// page has begun; a page whose window changes its size before that (the bar of a call does) crashes in the compositor that it
/// must not have.
const SWITCHES: [(&str, &str); 2] = [
    ("GDK_GL", "disable"),
    ("WEBKIT_DISABLE_COMPOSITING_MODE", "1"),
];

/// What WebKit's JavaScript takes for the memory of the machine: 128 MiB.
///
/// It collects what is no longer used when as much again was added, which on a large machine is hundreds of MiB: it does not
/// count what the elements hang on that it would free. Scrolled from top to bottom, a channel of ten thousand posts left
/// 148 MiB behind, and 60 MiB with this, at the same pace.
const FRUGAL: (&str, &str) = ("JSC_forceRAMSize", "134217728");

/// What the environment must say and does not.
fn missing(card: bool, told: impl Fn(&str) -> bool) -> Vec<(&'static str, &'static str)> {
    let plain: &[_] = if card { &[] } else { &SWITCHES };
    let all = plain.iter().chain([&FRUGAL]).copied();
    all.filter(|(name, _)| !told(name)).collect()
}

/// Begins the program anew with an environment in which WebKit is frugal, and without OpenGL where that would be computed. It
/// must be decided before anything else runs: the environment of a program cannot be changed later without risk. Comes back
/// if there is nothing to change, or no way to.
pub(crate) fn begin_anew_if_lavish() {
    let told = |name: &str| env::var_os(name).is_some();
    let wanted = missing(has_card(Path::new(CARDS)), told);
    if wanted.is_empty() {
        return;
    }
    let Ok(program) = env::current_exe() else {
        return;
    };
    let mut again = Command::new(program);
    again.args(env::args_os().skip(1)).envs(wanted);
    let why = again.exec();
    // Before the log: whoever reads this wonders about memory.
    eprintln!("halloo: not begun anew with a frugal webview: {why}");
}

/// Sees to each page of ours before it is loaded.
pub(crate) fn plugin() -> TauriPlugin<Wry> {
    let card = has_card(Path::new(CARDS));
    if !card {
        tracing::info!("no graphics card: pages are drawn by the processor");
    }
    Builder::new("rendering")
        .on_webview_ready(move |webview| {
            if !card {
                draw_plainly(&webview);
            }
        })
        .build()
}

fn draw_plainly(webview: &Webview) {
    let done = webview.with_webview(|webview| {
        if let Some(settings) = webview.inner().settings() {
            settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
        }
    });
    if let Err(why) = done {
        tracing::warn!(%why, "the page cannot be drawn plainly");
    }
}

/// Whether the machine has something that draws. A virtual machine that lends its host's card counts.
fn has_card(devices: &Path) -> bool {
    fs::read_dir(devices).is_ok_and(|entries| {
        entries
            .filter_map(Result::ok)
            .any(|entry| entry.file_name().to_string_lossy().starts_with(DRAWS))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_program_begins_anew_once_and_what_a_person_has_said_stays() {
        assert_eq!(missing(true, |_| false), [FRUGAL]);
        assert_eq!(missing(false, |_| false).len(), 3);
        assert_eq!(missing(false, |name| name == FRUGAL.0), SWITCHES);
        assert!(missing(false, |_| true).is_empty(), "it would never end");
    }

    #[test]
    fn a_card_is_what_draws_and_not_what_only_shows() {
        let folder = crate::testing::TemporaryFolder::new("cards");
        let devices = folder.path();
        assert!(!has_card(&devices.join("nowhere")), "no such folder");
        assert!(!has_card(devices), "an empty one");
        fs::write(devices.join("card0"), "").unwrap();
        assert!(!has_card(devices), "it shows");
        fs::write(devices.join("renderD128"), "").unwrap();
        assert!(has_card(devices), "it draws");
    }
}
