//! The bar: where it lies, how large it is, and that it stays in sight.

use calls_core::preferences::{CallPreferences, WindowLevel};
use tauri::{
    AppHandle, LogicalSize, Manager, Monitor, PhysicalPosition, WebviewUrl, WebviewWindow,
    WebviewWindowBuilder,
};

use super::super::place::{Place, Places};
use super::{BAR, CallWindows};

/// The bar's width, logical pixels, and its height until the page has said how high it is.
const BAR_SIZE: (f64, f64) = (360.0, 172.0);
/// The width of a narrow one: the seven controls of the smallest size still stand in one row.
const BAR_NARROW: f64 = 264.0;
/// Neither lower nor higher the bar becomes, whatever the page says.
const BAR_HEIGHT: (f64, f64) = (60.0, 660.0);
/// Room between the bar and the edges of the screen at first, physical pixels.
const MARGIN: i32 = 24;
/// How far a key moves the bar, logical pixels.
const STEP: f64 = 32.0;

/// Keeps the bar in sight: all of it when screens have come, gone or changed, enough of it to be taken hold of at any time.
/// The place that the person has chosen is not forgotten: it is the bar's again when its screen is there again.
pub(super) fn keep_in_sight(app: &AppHandle) {
    let Some(bar) = app
        .get_webview_window(BAR)
        .filter(|bar| bar.is_visible().unwrap_or(false))
    else {
        return;
    };
    let (Some(now), Ok(monitors)) = (place_of(&bar), bar.available_monitors()) else {
        return;
    };
    let screens = usable(&monitors);
    if screens.is_empty() {
        return;
    }
    let windows = app.state::<CallWindows>();
    let (changed, wish) = {
        let mut state = windows.lock();
        let changed = state.screens.as_ref().is_some_and(|old| *old != screens);
        state.screens = Some(screens.clone());
        (changed, state.places.of(BAR).unwrap_or(now))
    };
    if !changed && is_seen(now, &monitors) {
        return;
    }
    let wish = Place {
        width: now.width,
        height: now.height,
        ..wish
    };
    let to = wish.inside(&screens);
    // What moves for the screen's sake is no choice of the person's.
    windows.lock().put = (to != wish).then_some((to.x, to.y));
    if (to.x, to.y) != (now.x, now.y) {
        let _ = bar.set_position(PhysicalPosition::new(to.x, to.y));
    }
}

/// Where the bar is, physical pixels.
fn place_of(bar: &WebviewWindow) -> Option<Place> {
    let (at, size) = (bar.outer_position().ok()?, bar.outer_size().ok()?);
    Some(Place {
        x: at.x,
        y: at.y,
        width: size.width,
        height: size.height,
    })
}

/// What of the screens no panel covers.
fn usable(screens: &[Monitor]) -> Vec<Place> {
    screens
        .iter()
        .map(|screen| {
            let area = screen.work_area();
            Place {
                x: area.position.x,
                y: area.position.y,
                width: area.size.width,
                height: area.size.height,
            }
        })
        .filter(|area| area.width > 0 && area.height > 0)
        .collect()
}

/// Shows the bar once more, where it was: window managers forget the place of a window that is hidden.
pub(super) fn show(bar: &WebviewWindow, places: &Places) -> tauri::Result<()> {
    let screens = bar.available_monitors().unwrap_or_default();
    bar.show()?;
    match places.of(BAR).filter(|place| is_seen(*place, &screens)) {
        Some(place) => bar.set_position(PhysicalPosition::new(place.x, place.y)),
        None => Ok(()),
    }
}

/// How the person wants the bar.
pub(super) fn wear(bar: &WebviewWindow, preferences: &CallPreferences) {
    let level = preferences.level;
    let done = bar
        .set_always_on_top(level != WindowLevel::Ordinary)
        .and_then(|()| bar.set_visible_on_all_workspaces(level == WindowLevel::Everywhere))
        .and_then(|()| {
            let scale = bar.scale_factor()?;
            let height = f64::from(bar.inner_size()?.height) / scale;
            bar.set_size(LogicalSize::new(width(preferences), height))
        });
    if let Err(why) = done {
        tracing::warn!(%why, "the bar does not follow its settings");
    }
}

fn width(preferences: &CallPreferences) -> f64 {
    if preferences.narrow {
        BAR_NARROW
    } else {
        BAR_SIZE.0
    }
}

/// Moves the bar by a key, and never out of sight.
pub(super) fn shift(app: &AppHandle, right: f64, down: f64) {
    let Some(bar) = app.get_webview_window(BAR) else {
        return;
    };
    let (Some(now), Ok(scale), Ok(screens)) =
        (place_of(&bar), bar.scale_factor(), bar.available_monitors())
    else {
        return;
    };
    let place = Place {
        x: now.x.saturating_add((right * STEP * scale) as i32),
        y: now.y.saturating_add((down * STEP * scale) as i32),
        ..now
    };
    if is_seen(place, &screens) {
        let _ = bar.set_position(PhysicalPosition::new(place.x, place.y));
    }
}

/// The bar's page says how high it is. The bar grows away from the edge of the screen that is nearer.
pub(crate) fn fit(bar: &WebviewWindow, height: f64) {
    let height = height.clamp(BAR_HEIGHT.0, BAR_HEIGHT.1);
    let (Ok(size), Ok(at), Ok(scale)) =
        (bar.inner_size(), bar.outer_position(), bar.scale_factor())
    else {
        return;
    };
    let wanted = (height * scale).round() as u32;
    if size.height == wanted {
        return;
    }
    let lower = bar.current_monitor().ok().flatten().is_some_and(|screen| {
        let middle = screen.position().y + i32::try_from(screen.size().height / 2).unwrap_or(0);
        at.y + i32::try_from(size.height / 2).unwrap_or(0) > middle
    });
    let wide = width(&bar.state::<CallWindows>().lock().preferences);
    let _ = bar.set_size(LogicalSize::new(wide, height));
    if lower {
        let grown = i64::from(wanted) - i64::from(size.height);
        let y = i64::from(at.y) - grown;
        let y = i32::try_from(y.max(0)).unwrap_or(at.y);
        let _ = bar.set_position(PhysicalPosition::new(at.x, y));
    }
}

pub(super) fn open(
    app: &AppHandle,
    places: &Places,
    preferences: &CallPreferences,
) -> tauri::Result<WebviewWindow> {
    let bar = super::super::page(
        WebviewWindowBuilder::new(app, BAR, WebviewUrl::default())
            // Others do not see it on a shared screen: known by its title on X11, by a wish of ours elsewhere.
            .title(calls_media::screen::ASIDE)
            .content_protected(true)
            .inner_size(width(preferences), BAR_SIZE.1)
            .decorations(false)
            .always_on_top(preferences.level != WindowLevel::Ordinary)
            .visible_on_all_workspaces(preferences.level == WindowLevel::Everywhere)
            .skip_taskbar(true)
            .maximizable(false)
            .minimizable(false)
            .focused(false)
            .visible(false),
    )
    .build()?;
    super::super::keep_aside(&bar)?;
    let screens = bar.available_monitors().unwrap_or_default();
    let at = places
        .of(BAR)
        .filter(|place| is_seen(*place, &screens))
        .map(|place| (place.x, place.y))
        .or_else(|| first_place(&bar));
    if let Some((x, y)) = at {
        bar.set_position(PhysicalPosition::new(x, y))?;
    }
    bar.show()?;
    #[cfg(target_os = "linux")]
    super::super::reload_after_crash(&bar)?;
    Ok(bar)
}

/// The lower left of the main screen, above its panels.
fn first_place(bar: &WebviewWindow) -> Option<(i32, i32)> {
    let screen = bar.primary_monitor().ok().flatten()?;
    let area = screen.work_area();
    let height = i32::try_from(area.size.height).ok()?;
    let own = (BAR_SIZE.1 * screen.scale_factor()) as i32;
    let at = area.position;
    Some((at.x + MARGIN, at.y + height - own - MARGIN))
}

/// Whether enough of it lies on a screen to be taken hold of: a screen may have gone since.
pub(super) fn is_seen(place: Place, screens: &[Monitor]) -> bool {
    screens.iter().any(|screen| {
        let (at, size) = (screen.position(), screen.size());
        place.overlaps(at.x, at.y, size.width, size.height)
    })
}
