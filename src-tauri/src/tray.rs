//! The tray: unread, mentions and the call at a glance; mute, leave and quit in its menu. It is a convenience: where a
//! desktop has none, everything works without.

use calls_core::command::Command;
use calls_core::snapshot::{CallPhase, Microphone, OurShare, Snapshot};
use tauri::image::Image;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Wry};

use crate::start::Running;
use crate::windows;
use crate::words::{self, Speech, fill};

/// The tray icon with its menu.
pub(crate) struct Tray {
    icon: TrayIcon<Wry>,
    mute: MenuItem<Wry>,
    unshare: MenuItem<Wry>,
    leave: MenuItem<Wry>,
    answer: MenuItem<Wry>,
    ignore: MenuItem<Wry>,
    open: MenuItem<Wry>,
    quit: MenuItem<Wry>,
    shown: Look,
    /// The words on it.
    speech: &'static Speech,
}

/// What the tray shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Look {
    tooltip: String,
    mark: Mark,
    in_call: bool,
    open: bool,
    sharing: bool,
    caller: Option<String>,
}

/// The dot on the icon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mark {
    #[default]
    None,
    /// Something is unread.
    Unread,
    /// Somebody wants us: a mention, a call.
    Hail,
    /// In a call, heard.
    Heard,
    /// In a call, muted.
    Muted,
}

impl Look {
    fn of(snapshot: &Snapshot) -> Self {
        let call = &snapshot.call;
        let in_call = !matches!(call.phase, CallPhase::Idle | CallPhase::Failed { .. });
        let open = matches!(call.microphone, Microphone::Open | Microphone::Opening);
        let sharing = in_call && matches!(snapshot.share.ours, OurShare::On { .. });
        let speech = words::spoken();
        let shown = if sharing {
            format!(" {}", speech.screen_seen)
        } else {
            String::new()
        };
        let rows = &snapshot.directory.channels;
        let servers = &snapshot.servers;
        // Of all servers, where there are several.
        let (mentions, unread) = if servers.is_empty() {
            let mentions = rows
                .iter()
                .fold(0, |sum: u32, row| sum.saturating_add(row.mentions));
            (mentions, rows.iter().filter(|row| row.unread).count())
        } else {
            servers.iter().fold((0, 0), |(mentions, unread), row| {
                let mentions: u32 = mentions;
                let unread: usize = unread;
                (
                    mentions.saturating_add(row.mentions),
                    unread.saturating_add(row.channels as usize),
                )
            })
        };
        let incoming = snapshot.incoming.calls.iter().find(|call| !call.elsewhere);
        let missed = snapshot.incoming.missed.len();
        let counted = |pattern, n: usize| fill(pattern, &[&n.to_string()]);
        let caller = incoming.map(|call| match &call.server {
            Some(server) => format!("{} · {}", call.name, server.name),
            None => call.name.clone(),
        });
        let (mark, tooltip) = if let Some(caller) = &caller {
            (Mark::Hail, fill(speech.calling, &[caller]))
        } else if in_call && open {
            (
                Mark::Heard,
                fill(speech.in_call_heard, &[&call.place]) + &shown,
            )
        } else if in_call {
            (
                Mark::Muted,
                fill(speech.in_call_muted, &[&call.place]) + &shown,
            )
        } else if missed > 0 {
            (Mark::Hail, counted(speech.missed_calls, missed))
        } else if mentions > 0 {
            (Mark::Hail, counted(speech.mentions, mentions as usize))
        } else if unread > 0 {
            (Mark::Unread, counted(speech.unread, unread))
        } else {
            (Mark::None, String::new())
        };
        Self {
            tooltip: if tooltip.is_empty() {
                "Halloo".to_owned()
            } else {
                format!("Halloo: {tooltip}")
            },
            mark,
            in_call,
            open,
            sharing,
            caller,
        }
    }
}

impl Tray {
    /// Puts the icon into the tray; `None` where the system has no tray.
    pub(crate) fn open(app: &AppHandle, core: &Running) -> Option<Self> {
        if !is_there() {
            tracing::info!("no tray on this desktop");
            return None;
        }
        // The library behind it panics where a part of the system is missing; without a tray all else still works.
        let built =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Self::build(app, core)));
        match built {
            Ok(Ok(tray)) => Some(tray),
            Ok(Err(why)) => {
                tracing::warn!(%why, "no tray");
                None
            }
            Err(_) => {
                tracing::warn!("no tray: a library is missing");
                None
            }
        }
    }

    fn build(app: &AppHandle, core: &Running) -> tauri::Result<Self> {
        let item = |id: &str, text: &str, enabled: bool| {
            MenuItem::with_id(app, id, text, enabled, None::<&str>)
        };
        let speech = words::spoken();
        let show = item("show", speech.open_halloo, true)?;
        let answer = item("answer", speech.join_call, false)?;
        let ignore = item("ignore", speech.ignore_call, false)?;
        let mute = item("mute", speech.mute, false)?;
        let unshare = item("unshare", speech.unshare, false)?;
        let leave = item("leave", speech.leave, false)?;
        let quit = item("quit", speech.quit, true)?;
        let line = || PredefinedMenuItem::separator(app);
        let menu = Menu::with_items(
            app,
            &[
                &show,
                &line()?,
                &answer,
                &ignore,
                &mute,
                &unshare,
                &leave,
                &line()?,
                &quit,
            ],
        )?;
        let core = core.clone();
        let icon = TrayIconBuilder::with_id("main")
            .icon(picture(Mark::None))
            .tooltip("Halloo")
            .menu(&menu)
            .show_menu_on_left_click(false)
            .on_menu_event(move |app, event| chosen(app, &core, event.id().as_ref()))
            .on_tray_icon_event(|tray, event| {
                if let TrayIconEvent::Click {
                    button: MouseButton::Left,
                    button_state: MouseButtonState::Up,
                    ..
                } = event
                {
                    windows::show_main(tray.app_handle());
                }
            })
            .build(app)?;
        Ok(Self {
            icon,
            mute,
            unshare,
            leave,
            answer,
            ignore,
            open: show,
            quit,
            shown: Look::default(),
            speech,
        })
    }

    /// Shows what has changed.
    pub(crate) fn show(&mut self, snapshot: &Snapshot) {
        let look = Look::of(snapshot);
        let speech = words::spoken();
        let other = !std::ptr::eq(speech, self.speech);
        if look == self.shown && !other {
            return;
        }
        if other {
            self.speech = speech;
            for (item, text) in [
                (&self.open, speech.open_halloo),
                (&self.answer, speech.join_call),
                (&self.ignore, speech.ignore_call),
                (&self.unshare, speech.unshare),
                (&self.leave, speech.leave),
                (&self.quit, speech.quit),
            ] {
                let _ = item.set_text(text);
            }
        }
        // A tray that has gone away in the meantime takes nothing; the rest goes on.
        let _ = self.icon.set_tooltip(Some(&look.tooltip));
        if look.mark != self.shown.mark {
            let _ = self.icon.set_icon(Some(picture(look.mark)));
        }
        let _ = self.mute.set_text(if look.open {
            speech.mute
        } else {
            speech.unmute
        });
        let _ = self.mute.set_enabled(look.in_call);
        let _ = self.unshare.set_enabled(look.sharing);
        let _ = self.leave.set_enabled(look.in_call);
        let _ = self.answer.set_enabled(look.caller.is_some());
        let _ = self.ignore.set_enabled(look.caller.is_some());
        self.shown = look;
    }
}

fn chosen(app: &AppHandle, core: &Running, item: &str) {
    let incoming = || {
        let snapshot = core.snapshot();
        let mut calls = snapshot.incoming.calls.iter();
        calls.find(|call| !call.elsewhere).cloned()
    };
    match item {
        "show" => windows::show_main(app),
        "mute" => core.dispatch(Command::ToggleMute),
        "unshare" => core.dispatch(Command::StopShare),
        "leave" => core.dispatch(Command::LeaveCall),
        "answer" => {
            if let Some(call) = incoming() {
                core.dispatch(call.at(Command::AnswerCall {
                    channel: call.channel.clone(),
                    muted: false,
                    switch: true,
                }));
            }
        }
        "ignore" => {
            if let Some(call) = incoming() {
                let channel = call.channel.clone();
                core.dispatch(call.at(Command::IgnoreCall { channel }));
            }
        }
        "quit" => core.dispatch(Command::Quit { sure: false }),
        _ => {}
    }
}

/// Whether something shows trays. On Linux an icon without one is nowhere, and a window closed to it would be lost.
fn is_there() -> bool {
    #[cfg(all(unix, not(target_os = "macos")))]
    {
        std::thread::spawn(|| {
            let bus = zbus::blocking::Connection::session().ok()?;
            let proxy = zbus::blocking::fdo::DBusProxy::new(&bus).ok()?;
            let name = zbus::names::BusName::try_from("org.kde.StatusNotifierWatcher").ok()?;
            proxy.name_has_owner(name).ok()
        })
        .join()
        .ok()
        .flatten()
        .unwrap_or(false)
    }
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    {
        true
    }
}

/// The icon with its mark, 32 × 32.
fn picture(mark: Mark) -> Image<'static> {
    const SIDE: u32 = 32;
    let plain = Image::from_bytes(include_bytes!("../../icons/32x32.png"));
    let (mut pixels, side) = match plain {
        Ok(image) => (image.rgba().to_vec(), image.width()),
        Err(_) => (vec![0; (SIDE * SIDE * 4) as usize], SIDE),
    };
    let colour = match mark {
        Mark::None => None,
        Mark::Unread => Some([0x0b, 0x5f, 0x6e]),
        Mark::Hail => Some([0xd9, 0x5b, 0x0e]),
        Mark::Heard => Some([0x0e, 0x7a, 0x47]),
        Mark::Muted => Some([0xb3, 0x1b, 0x3d]),
    };
    if let Some([red, green, blue]) = colour {
        let (centre, radius) = (f64::from(side) * 0.76, f64::from(side) * 0.22);
        for y in 0..side {
            for x in 0..side {
                let (dx, dy) = (f64::from(x) + 0.5 - centre, f64::from(y) + 0.5 - centre);
                if dx.hypot(dy) <= radius {
                    let at = ((y * side + x) * 4) as usize;
                    if let Some(pixel) = pixels.get_mut(at..at + 4) {
                        pixel.copy_from_slice(&[red, green, blue, 0xff]);
                    }
                }
            }
        }
    }
    Image::new_owned(pixels, side, side)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_tray_tells_the_most_pressing_thing() {
        let mut snapshot = Snapshot::default();
        assert_eq!(Look::of(&snapshot).mark, Mark::None);
        snapshot.call.phase = CallPhase::Live;
        snapshot.call.place = "Design".to_owned();
        let look = Look::of(&snapshot);
        assert_eq!((look.mark, look.in_call), (Mark::Muted, true));
        assert_eq!(look.tooltip, "Halloo: In a call: Design. You are muted.");
        snapshot.call.microphone = Microphone::Open;
        assert_eq!(Look::of(&snapshot).mark, Mark::Heard);
    }

    #[test]
    fn the_tray_sums_over_all_servers() {
        let row = |mentions, channels| calls_core::snapshot::ServerRow {
            mentions,
            channels,
            ..calls_core::snapshot::ServerRow::default()
        };
        let mut snapshot = Snapshot {
            servers: vec![row(0, 2), row(0, 3)],
            ..Snapshot::default()
        };
        let look = Look::of(&snapshot);
        assert_eq!(look.mark, Mark::Unread);
        assert_eq!(look.tooltip, "Halloo: Unread channels: 5");
        snapshot.servers[1].mentions = 4;
        assert_eq!(Look::of(&snapshot).tooltip, "Halloo: Mentions: 4");
    }

    #[test]
    fn the_tray_tells_that_others_see_the_screen() {
        let mut snapshot = Snapshot::default();
        snapshot.call.phase = CallPhase::Live;
        snapshot.call.place = "Design".to_owned();
        snapshot.share.ours = OurShare::On {
            source: "screen:1".into(),
            name: String::new(),
            motion: false,
            sound: false,
            paused: false,
            width: 640,
            height: 480,
        };
        let look = Look::of(&snapshot);
        assert!(look.sharing);
        assert_eq!(
            look.tooltip,
            "Halloo: In a call: Design. You are muted. Others see your screen."
        );
        // What was shared in a call that is over is seen by nobody.
        snapshot.call.phase = CallPhase::Idle;
        assert!(!Look::of(&snapshot).sharing);
    }

    #[test]
    fn every_mark_changes_the_icon() {
        let plain = picture(Mark::None);
        for mark in [Mark::Unread, Mark::Hail, Mark::Heard, Mark::Muted] {
            assert_ne!(picture(mark).rgba(), plain.rgba(), "{mark:?}");
        }
    }
}
