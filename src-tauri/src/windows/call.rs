//! The call's two windows: the bar, small and above everything while the person works elsewhere, and the large one.
//!
//! Both draw the core's snapshot, as the main window does: there is nothing to keep in step. The bar is there while a
//! call is, unless the main window is in front (it docks there) or the large window is open.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use calls_core::alert::DesktopNews;
use calls_core::preferences::CallPreferences;
use calls_core::snapshot::{Call, CallPhase};
use tauri::{
    AppHandle, Emitter, Manager, PhysicalPosition, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
    WindowEvent,
};

use super::MAIN;
use super::place::{Place, Places};
use crate::start::Running;

pub(crate) mod bar;

/// The label of the bar, also named in its capability.
pub(crate) const BAR: &str = "call";
/// The label of the large window, likewise.
pub(crate) const STAGE: &str = "stage";

/// The large window at first, and at least.
const STAGE_SIZE: (f64, f64) = (960.0, 640.0);
const STAGE_SMALLEST: (f64, f64) = (560.0, 400.0);
/// Between two of our windows the focus is nowhere for a moment; the bar does not flash up in it.
const SETTLE: Duration = Duration::from_millis(250);
/// How often it is looked whether the screen that the bar lies on is still there. Systems do not tell of that alike.
const LOOK: Duration = Duration::from_secs(3);

/// What decides which window is to be seen.
#[derive(Debug, Default)]
pub(crate) struct CallWindows {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    in_call: bool,
    main_in_front: bool,
    stage_open: bool,
    /// The person has put the bar away until the main window was in front again.
    put_away: bool,
    /// The main window's page hears us.
    main_hears: bool,
    /// The settings are to be shown as soon as it does.
    settings: bool,
    preferences: CallPreferences,
    places: Places,
    /// They have changed since they were written.
    unwritten: bool,
    /// What of the screens could be used when it was last looked.
    screens: Option<Vec<Place>>,
    /// Where the bar was put because its screen had gone.
    put: Option<(i32, i32)>,
}

impl CallWindows {
    /// With the places of the last run.
    pub(crate) fn new(places: Places) -> Self {
        let state = State {
            // The main window opens in front.
            main_in_front: true,
            places,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// Never held while a window is asked for anything: its event may come on this very thread.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The main window does not open at first: a call has its bar at once.
    pub(crate) fn begin_hidden(&self) {
        self.lock().main_in_front = false;
    }

    /// Somebody is in a call, so that closing the main window is a question.
    pub(crate) fn in_call(&self) -> bool {
        self.lock().in_call
    }
}

/// What a page may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Which {
    /// Show the large window.
    Expand,
    /// Close it.
    Collapse,
    /// Show the main window.
    Main,
    /// Show the main window with the settings of sound and devices.
    Settings,
    /// The main window's page hears events from now on.
    Hears,
    /// Put the bar away. The call goes on; the main window brings the bar back.
    Hide,
    /// Move the bar a little.
    Left,
    /// Likewise.
    Right,
    /// Likewise.
    Up,
    /// Likewise.
    Down,
}

/// Opens and closes the windows as calls begin and end. Runs until the core ends.
pub(crate) async fn follow(app: AppHandle, core: Running) {
    let mut snapshots = core.handle().watch();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let (on, place, preferences) = {
            let snapshot = snapshots.borrow_and_update();
            let call = &snapshot.call;
            (is_on(call), call.place.clone(), snapshot.calls.clone())
        };
        let windows = app.state::<CallWindows>();
        let mut follows = false;
        let changed = {
            let mut state = windows.lock();
            let changed = state.in_call != on;
            state.in_call = on;
            state.stage_open &= on;
            if changed {
                state.put_away = false;
                state.stage_open |= on && preferences.large_window;
            }
            if state.preferences != preferences {
                state.preferences = preferences;
                follows = true;
            }
            changed
        };
        if follows && let Some(bar) = app.get_webview_window(BAR) {
            // Let go of before the window is asked for anything.
            let preferences = windows.lock().preferences.clone();
            bar::wear(&bar, &preferences);
        }
        if changed {
            arrange(&app);
        }
        if on && let Some(stage) = app.get_webview_window(STAGE) {
            let _ = stage.set_title(&format!("{place} · Halloo"));
        }
        loop {
            tokio::select! {
                changed = snapshots.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                _ = look.tick(), if on => {
                    bar::keep_in_sight(&app);
                    write_places(&app, &core);
                }
            }
        }
    }
}

fn is_on(call: &Call) -> bool {
    !matches!(call.phase, CallPhase::Idle | CallPhase::Failed { .. })
}

/// A page asks for a window.
pub(crate) fn ask(app: &AppHandle, which: Which) {
    let windows = app.state::<CallWindows>();
    match which {
        Which::Expand => windows.lock().stage_open = true,
        Which::Collapse => windows.lock().stage_open = false,
        Which::Main => super::show_main(app),
        Which::Settings => {
            // A page that is only just loading is told as soon as it hears.
            let hears = {
                let mut state = windows.lock();
                state.settings = !state.main_hears;
                state.main_hears
            };
            super::show_main(app);
            if hears {
                let _ = app.emit_to(MAIN, "settings", ());
            }
        }
        Which::Hears => {
            let wanted = {
                let mut state = windows.lock();
                state.main_hears = true;
                std::mem::take(&mut state.settings)
            };
            if wanted {
                let _ = app.emit_to(MAIN, "settings", ());
            }
        }
        Which::Hide => windows.lock().put_away = true,
        Which::Left => return bar::shift(app, -1.0, 0.0),
        Which::Right => return bar::shift(app, 1.0, 0.0),
        Which::Up => return bar::shift(app, 0.0, -1.0),
        Which::Down => return bar::shift(app, 0.0, 1.0),
    }
    arrange(app);
}

/// An event of one of our windows. True if closing is to be prevented.
pub(crate) fn heard(app: &AppHandle, label: &str, event: &WindowEvent) -> bool {
    let windows = app.state::<CallWindows>();
    match (label, event) {
        (MAIN, WindowEvent::Focused(focused)) => {
            {
                let mut state = windows.lock();
                state.main_in_front = *focused;
                state.put_away &= !*focused;
            }
            settle(app);
        }
        // The call goes on in the bar.
        (MAIN, WindowEvent::Destroyed) => {
            {
                let mut state = windows.lock();
                state.main_in_front = false;
                state.main_hears = false;
            }
            settle(app);
        }
        // What it shows needs no notification.
        (STAGE, WindowEvent::Focused(_) | WindowEvent::Destroyed) => {
            let front = matches!(event, WindowEvent::Focused(true));
            let news = DesktopNews::CallInFront(front);
            app.state::<Running>().handle().desktop(news);
        }
        (STAGE, WindowEvent::CloseRequested { .. }) if windows.in_call() => {
            ask(app, Which::Collapse);
            return true;
        }
        // A window manager's key closes the bar; the call goes on, and without a bar nobody could leave it.
        (BAR, WindowEvent::CloseRequested { .. }) if windows.in_call() => return true,
        (BAR | STAGE, WindowEvent::Moved(_) | WindowEvent::Resized(_)) => remember(app, label),
        _ => {}
    }
    false
}

fn remember(app: &AppHandle, label: &str) {
    let Some(window) = app.get_webview_window(label) else {
        return;
    };
    let (Ok(at), Ok(size), Ok(true)) = (
        window.outer_position(),
        window.inner_size(),
        window.is_visible(),
    ) else {
        return;
    };
    let place = Place {
        x: at.x,
        y: at.y,
        width: size.width,
        height: size.height,
    };
    let windows = app.state::<CallWindows>();
    let mut state = windows.lock();
    if label == BAR && state.put.is_some_and(|put| put == (place.x, place.y)) {
        return;
    }
    state.places.set(label, place);
    state.unwritten = true;
}

/// Writes the places now: a program that is killed has no end at which to do so.
fn write_places(app: &AppHandle, core: &Running) {
    let places = {
        let windows = app.state::<CallWindows>();
        let mut state = windows.lock();
        std::mem::take(&mut state.unwritten).then(|| state.places.clone())
    };
    if let (Some(places), Some(folder)) = (places, core.folder()) {
        places.save(folder);
    }
}

/// The places, to be written when the program ends.
pub(crate) fn places(app: &AppHandle) -> Places {
    app.state::<CallWindows>().lock().places.clone()
}

/// Arranges the windows when the focus has come to rest.
fn settle(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(SETTLE).await;
        arrange(&app);
    });
}

/// Shows what is to be seen, and hides the rest.
fn arrange(app: &AppHandle) {
    let windows = app.state::<CallWindows>();
    let (in_call, stage, bar, places, preferences) = {
        let state = windows.lock();
        let bar = state.in_call && !state.main_in_front && !state.stage_open && !state.put_away;
        (
            state.in_call,
            state.in_call && state.stage_open,
            bar,
            state.places.clone(),
            state.preferences.clone(),
        )
    };
    if !in_call {
        let ours = [BAR, STAGE].map(|label| app.get_webview_window(label).is_some());
        if ours.contains(&true) && app.get_webview_window(MAIN).is_none() {
            // Closed for the call's sake; without it the last window would go, and the program with it.
            super::show_main(app);
        }
        for label in [BAR, STAGE] {
            if let Some(window) = app.get_webview_window(label) {
                let _ = window.destroy();
            }
        }
        return;
    }
    set(app, STAGE, stage, &places, |app| open_stage(app, &places));
    set(app, BAR, bar, &places, |app| {
        bar::open(app, &places, &preferences)
    });
}

fn set(
    app: &AppHandle,
    label: &str,
    shown: bool,
    places: &Places,
    open: impl FnOnce(&AppHandle) -> tauri::Result<WebviewWindow>,
) {
    let outcome = match (app.get_webview_window(label), shown) {
        (Some(window), true) => match label {
            // It is there: moving it now would take it out of the person's hand.
            BAR if window.is_visible().unwrap_or(false) => Ok(()),
            // The bar never takes the keyboard from whoever is writing.
            BAR => bar::show(&window, places),
            _ => window
                .show()
                .and_then(|()| window.unminimize())
                .and_then(|()| window.set_focus()),
        },
        (Some(window), false) => match label {
            BAR => window.hide(),
            // Gone, so that its page costs nothing.
            _ => window.destroy(),
        },
        (None, true) => open(app).map(drop),
        (None, false) => Ok(()),
    };
    if let Err(why) = outcome {
        tracing::warn!(%why, label, "a window of the call did not follow");
    }
}

fn open_stage(app: &AppHandle, places: &Places) -> tauri::Result<WebviewWindow> {
    let stage = super::page(
        WebviewWindowBuilder::new(app, STAGE, WebviewUrl::default())
            .title("Halloo")
            .inner_size(STAGE_SIZE.0, STAGE_SIZE.1)
            .min_inner_size(STAGE_SMALLEST.0, STAGE_SMALLEST.1)
            .visible(false),
    )
    .build()?;
    let screens = stage.available_monitors().unwrap_or_default();
    if let Some(place) = places
        .of(STAGE)
        .filter(|place| bar::is_seen(*place, &screens))
    {
        stage.set_size(tauri::PhysicalSize::new(place.width, place.height))?;
        stage.set_position(PhysicalPosition::new(place.x, place.y))?;
    }
    stage.show()?;
    stage.set_focus()?;
    #[cfg(target_os = "linux")]
    super::reload_after_crash(&stage)?;
    Ok(stage)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_pages_words_for_windows_are_known() {
        for (word, which) in [
            ("expand", Which::Expand),
            ("collapse", Which::Collapse),
            ("main", Which::Main),
            ("settings", Which::Settings),
            ("hears", Which::Hears),
            ("hide", Which::Hide),
            ("left", Which::Left),
            ("right", Which::Right),
            ("up", Which::Up),
            ("down", Which::Down),
        ] {
            let read: Which = serde_json::from_value(word.into()).unwrap();
            assert_eq!(read, which);
        }
    }

    #[test]
    fn a_call_that_failed_needs_no_window_of_its_own() {
        let call = |phase| Call {
            phase,
            ..Call::default()
        };
        assert!(is_on(&call(CallPhase::Joining)));
        assert!(is_on(&call(CallPhase::Live)));
        assert!(!is_on(&call(CallPhase::Idle)));
    }
}
