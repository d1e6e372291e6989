//! The popup of calls that come in: above everything, without taking the keyboard from what the person does.

use tauri::{AppHandle, LogicalPosition, LogicalSize, Manager, WebviewUrl, WebviewWindowBuilder};

/// Its label, also named in its capability.
pub(crate) const INCOMING: &str = "incoming";

/// Width, and height of the large card, logical pixels.
const CARD: (f64, f64) = (380.0, 220.0);

/// Height of each further call.
const ROW: f64 = 48.0;

/// Rows at most; more calls than that are counted in the last one.
const ROWS: usize = 4;

/// Distance from the edges of the screen.
const MARGIN: f64 = 24.0;

/// Shows the popup for so many calls, resizes it, or closes it for none.
pub(crate) fn show(app: &AppHandle, calls: usize) {
    let shown = app.get_webview_window(INCOMING);
    if calls == 0 {
        if let Some(window) = shown {
            // It may be closing by itself.
            let _ = window.destroy();
        }
        return;
    }
    let height = CARD.1 + ROW * (calls - 1).min(ROWS) as f64;
    let result =
        match shown {
            Some(window) => window
                .set_size(LogicalSize::new(CARD.0, height))
                .and_then(|()| match place(app, height) {
                    Some(at) => window.set_position(at),
                    None => Ok(()),
                }),
            None => open(app, height),
        };
    if let Err(why) = result {
        tracing::warn!(%why, "the popup of a call");
    }
}

fn open(app: &AppHandle, height: f64) -> tauri::Result<()> {
    let mut builder = WebviewWindowBuilder::new(app, INCOMING, WebviewUrl::default())
        .title("Halloo: incoming call")
        .inner_size(CARD.0, height)
        // Without this GTK makes undecorated windows at least 200 pixels high.
        .resizable(true)
        .decorations(false)
        .always_on_top(true)
        .visible_on_all_workspaces(true)
        .skip_taskbar(true)
        .focused(false)
        .visible(false)
        .on_navigation(super::stays_inside)
        .on_new_window(|_, _| tauri::webview::NewWindowResponse::Deny)
        .devtools(false);
    if let Some(at) = place(app, height) {
        builder = builder.position(at.x, at.y);
    }
    let popup = builder.build()?;
    super::keep_aside(&popup)?;
    popup.show()
}

/// Lower end of the main screen, where clocks and notifications are.
fn place(app: &AppHandle, height: f64) -> Option<LogicalPosition<f64>> {
    let screen = app.primary_monitor().ok().flatten()?;
    let scale = screen.scale_factor();
    let size = screen.size().to_logical::<f64>(scale);
    let origin = screen.position().to_logical::<f64>(scale);
    Some(LogicalPosition::new(
        origin.x + size.width - CARD.0 - MARGIN,
        origin.y + size.height - height - MARGIN * 2.0,
    ))
}
