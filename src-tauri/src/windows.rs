//! The windows; the label chooses the view that the page shows.

use tauri::webview::{Color, NewWindowResponse};
use tauri::{AppHandle, Manager, Theme, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Wry};

use crate::links;

pub(crate) mod call;
pub(crate) mod incoming;
pub(crate) mod place;
#[cfg(target_os = "linux")]
pub(crate) mod rendering;

/// The label of the main window, also named in its capability.
pub(crate) const MAIN: &str = "main";

/// Size at the first start, logical pixels: sidebar 264, a full line of text and the side panel fit.
const SIZE: (f64, f64) = (1280.0, 800.0);

/// Below this the sidebar becomes a drawer and lines get too short to read.
const SMALLEST: (f64, f64) = (720.0, 480.0);

/// What is behind the page until it has been painted: the page's own ground (`--base` in `tokens.css`), so that
/// nothing flashes.
const GROUND_LIGHT: Color = Color(0xfb, 0xfc, 0xfc, 0xff);
const GROUND_DARK: Color = Color(0x13, 0x1b, 0x1e, 0xff);

/// Opens the main window.
///
/// # Errors
///
/// When the system has no display or no webview.
pub(crate) fn open_main(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    let window = page(
        WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default())
            .title("Halloo")
            .inner_size(SIZE.0, SIZE.1)
            .min_inner_size(SMALLEST.0, SMALLEST.1),
    )
    .build()?;
    if window.theme().is_ok_and(|theme| theme == Theme::Dark) {
        window.set_background_color(Some(GROUND_DARK))?;
    }
    #[cfg(target_os = "linux")]
    reload_after_crash(&window)?;
    Ok(window)
}

/// What holds for each of our pages: it stays our page.
fn page<'a, M: Manager<Wry>>(
    builder: WebviewWindowBuilder<'a, Wry, M>,
) -> WebviewWindowBuilder<'a, Wry, M> {
    builder
        .background_color(GROUND_LIGHT)
        // Files are dropped onto the page itself, which attaches them.
        .disable_drag_drop_handler()
        // A file dropped beside the composer must not replace the page.
        .on_navigation(stays_inside)
        .on_new_window(|address, _| {
            outside(&address);
            NewWindowResponse::Deny
        })
        .devtools(cfg!(debug_assertions))
}

/// Brings the main window to the front, made anew if it was closed to the tray.
pub(crate) fn show_main(app: &AppHandle) {
    let shown = match app.get_webview_window(MAIN) {
        Some(window) => window
            .unminimize()
            .and_then(|()| window.show())
            .and_then(|()| window.set_focus()),
        None => open_main(app).map(drop),
    };
    if let Err(why) = shown {
        tracing::warn!(%why, "the window does not come to the front");
    }
}

/// What a small window that lies above others tells the window manager: it is no place to work in, so that tiling managers let
/// it float and nobody hands it the keyboard when it appears, also when it appears again. To be called before it is first shown.
#[cfg(target_os = "linux")]
fn keep_aside(window: &WebviewWindow) -> tauri::Result<()> {
    use webkit2gtk::glib::EnumClass;
    use webkit2gtk::glib::prelude::ObjectExt;

    let small = window.clone();
    window.run_on_main_thread(move || {
        if let Ok(window) = small.gtk_window() {
            let hint = window
                .find_property("type-hint")
                .and_then(|property| EnumClass::with_type(property.value_type()))
                .and_then(|hints| hints.to_value_by_nick("dialog"));
            if let Some(dialog) = hint {
                window.set_property_from_value("type-hint", &dialog);
            }
            window.set_property("focus-on-map", false);
        }
    })
}

/// Windows and macOS hear of this by the window's other traits.
#[cfg(not(target_os = "linux"))]
fn keep_aside(_window: &WebviewWindow) -> tauri::Result<()> {
    Ok(())
}

/// How often a page whose process died is loaded again. A picture that crashes the decoder would do so each time.
#[cfg(target_os = "linux")]
const RELOADS: u32 = 5;

/// The page draws the core's snapshot and holds nothing: after a crash of its process it is simply loaded again,
/// and a call goes on meanwhile. Without this WebKitGTK leaves a white window.
#[cfg(target_os = "linux")]
fn reload_after_crash(window: &WebviewWindow) -> tauri::Result<()> {
    use webkit2gtk::WebViewExt;

    window.with_webview(|webview| {
        let left = std::cell::Cell::new(RELOADS);
        webview
            .inner()
            .connect_web_process_terminated(move |page, why| {
                tracing::error!(?why, "the page's process ended");
                if left.get() > 0 {
                    left.set(left.get() - 1);
                    page.reload();
                }
            });
    })
}

/// Whether a page may be shown in our window: only our own. Everything else goes where links go.
fn stays_inside(address: &Url) -> bool {
    let ours = is_ours(address);
    if !ours {
        outside(address);
    }
    ours
}

fn is_ours(address: &Url) -> bool {
    match (address.scheme(), address.host_str()) {
        // Linux and macOS; Windows serves custom schemes over http.
        ("tauri", Some("localhost")) | ("http" | "https", Some("tauri.localhost")) => true,
        ("about", None) => address.path() == "blank",
        ("http", Some("localhost")) => {
            cfg!(not(feature = "custom-protocol")) && address.port() == Some(5173)
        }
        _ => false,
    }
}

fn outside(address: &Url) {
    if let Err(why) = links::open(address.as_str()) {
        tracing::warn!(%why, "a link was not opened");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn only_our_own_page_is_shown() {
        for (address, ours) in [
            ("tauri://localhost/index.html", true),
            ("http://tauri.localhost/", true),
            ("about:blank", true),
            ("tauri://elsewhere/", false),
            ("https://chat.example/", false),
            ("http://localhost:8065/", false),
            ("data:text/html,x", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_ours(&Url::parse(address).unwrap()), ours, "{address}");
        }
    }
}
