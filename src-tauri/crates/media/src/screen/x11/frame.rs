//! A line around what is shared, for whoever sits at this machine.
//!
//! Four narrow windows that no window manager touches and no click hits. Around a window they lie outside of it, so that
//! they are not in its picture. Around a whole screen there is no outside: there `aside.rs` leaves them out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use calls_core::id::SourceId;
use x11rb::connection::Connection as _;
use x11rb::protocol::shape::SK;
use x11rb::protocol::xfixes::ConnectionExt as _;
use x11rb::protocol::xproto::{
    AtomEnum, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux, EventMask, MapState,
    PropMode, StackMode, Window, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::{X, failed};
use crate::screen::{ASIDE, ScreenError};

/// Pixels.
const THICK: i32 = 4;
/// The interface's accent, which both light and dark desktops let stand out.
const COLOUR: u32 = 0x00_1f_9f_b4;
/// A shared window is looked for so often: the line follows it.
const FOLLOW: Duration = Duration::from_millis(200);
/// Screens change more rarely.
const LOOK: Duration = Duration::from_secs(1);

/// The line; it goes away when this is dropped.
pub(super) struct Frame {
    stopped: Arc<AtomicBool>,
    thread: std::thread::Thread,
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// What the line goes around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    Monitor(usize),
    Window(Window),
}

/// A place on the root window: left, top, width, height.
type Place = (i32, i32, i32, i32);

impl Frame {
    /// Draws the line around a source; `None` if there is no such thing.
    pub(super) fn show(display: Option<&str>, id: &SourceId) -> Option<Self> {
        let x = X::connect(display).ok()?;
        let (kind, which) = id.as_str().split_once(':').unwrap_or((id.as_str(), ""));
        let around = match kind {
            "screen" => Around::Monitor(which.parse().unwrap_or(0)),
            "window" => Around::Window(x.find_window(which).ok()?),
            _ => return None,
        };
        let stopped = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&stopped);
        let thread = std::thread::Builder::new()
            .name("halloo-frame".into())
            .spawn(move || {
                // The windows go with the connection.
                if let Err(error) = draw(&x, around, &theirs) {
                    tracing::debug!(%error, "no line around what is shared");
                }
            })
            .ok()?;
        Some(Self {
            stopped,
            thread: thread.thread().clone(),
        })
    }
}

fn draw(x: &X, around: Around, stopped: &AtomicBool) -> Result<(), ScreenError> {
    let version = x.connection.xfixes_query_version(5, 0).map_err(failed)?;
    version.reply().map_err(failed)?;
    let mut sides = Vec::new();
    for _ in 0..4 {
        sides.push(side(x)?);
    }
    let mut shown: Option<(Place, Option<Window>)> = None;
    while !stopped.load(Ordering::Acquire) {
        let now = place(x, around)?;
        if now != shown {
            match now {
                Some((place, below)) => {
                    let outside = matches!(around, Around::Window(_));
                    for (side, at) in sides.iter().zip(lines(place, outside)) {
                        put(x, *side, at, below)?;
                    }
                }
                None => {
                    for side in &sides {
                        x.connection.unmap_window(*side).map_err(failed)?;
                    }
                }
            }
            x.connection.flush().map_err(failed)?;
            shown = now;
        }
        std::thread::park_timeout(match around {
            Around::Monitor(_) => LOOK,
            Around::Window(_) => FOLLOW,
        });
    }
    Ok(())
}

/// A narrow window that nobody can click.
fn side(x: &X) -> Result<Window, ScreenError> {
    let connection = &x.connection;
    let window = connection.generate_id().map_err(failed)?;
    let look = CreateWindowAux::new()
        .override_redirect(1)
        .background_pixel(COLOUR)
        .event_mask(EventMask::NO_EVENT);
    connection
        .create_window(
            x11rb::COPY_DEPTH_FROM_PARENT,
            window,
            x.root,
            0,
            0,
            1,
            1,
            0,
            WindowClass::INPUT_OUTPUT,
            x11rb::COPY_FROM_PARENT,
            &look,
        )
        .map_err(failed)?;
    // By these it is known as one that others do not see.
    let (pid, name) = (x.atom("_NET_WM_PID")?, AtomEnum::WM_NAME);
    let (cardinal, string) = (AtomEnum::CARDINAL, AtomEnum::STRING);
    connection
        .change_property32(
            PropMode::REPLACE,
            window,
            pid,
            cardinal,
            &[std::process::id()],
        )
        .map_err(failed)?;
    connection
        .change_property8(PropMode::REPLACE, window, name, string, ASIDE.as_bytes())
        .map_err(failed)?;
    let nothing = connection.generate_id().map_err(failed)?;
    connection
        .xfixes_create_region(nothing, &[])
        .map_err(failed)?;
    connection
        .xfixes_set_window_shape_region(window, SK::INPUT, 0, 0, nothing)
        .map_err(failed)?;
    connection.xfixes_destroy_region(nothing).map_err(failed)?;
    Ok(window)
}

/// Where what is shared is now, and above which window the line belongs; `None` while it is not to be seen.
fn place(x: &X, around: Around) -> Result<Option<(Place, Option<Window>)>, ScreenError> {
    match around {
        Around::Monitor(index) => Ok(x.monitors()?.into_iter().nth(index).map(|monitor| {
            let at = (monitor.x.into(), monitor.y.into());
            (
                (at.0, at.1, monitor.width.into(), monitor.height.into()),
                None,
            )
        })),
        Around::Window(window) => {
            let connection = &x.connection;
            let attributes = connection.get_window_attributes(window).map_err(failed)?;
            let attributes = attributes.reply().map_err(|_| ScreenError::Gone)?;
            if attributes.map_state != MapState::VIEWABLE {
                return Ok(None);
            }
            let top = x.top(window)?;
            let geometry = connection.get_geometry(top).map_err(failed)?;
            let geometry = geometry.reply().map_err(|_| ScreenError::Gone)?;
            let border = 2 * i32::from(geometry.border_width);
            let place = (
                geometry.x.into(),
                geometry.y.into(),
                i32::from(geometry.width) + border,
                i32::from(geometry.height) + border,
            );
            Ok(Some((place, Some(top))))
        }
    }
}

/// The four sides: top, bottom, left, right.
fn lines((x, y, width, height): Place, outside: bool) -> [Place; 4] {
    let out = if outside { THICK } else { 0 };
    let (left, top) = (x - out, y - out);
    let (wide, high) = (width + 2 * out, height + 2 * out);
    let between = (high - 2 * THICK).max(1);
    [
        (left, top, wide, THICK),
        (left, top + high - THICK, wide, THICK),
        (left, top + THICK, THICK, between),
        (left + wide - THICK, top + THICK, THICK, between),
    ]
}

fn put(x: &X, side: Window, at: Place, below: Option<Window>) -> Result<(), ScreenError> {
    let (left, top, width, height) = at;
    let mut to = ConfigureWindowAux::new()
        .x(left)
        .y(top)
        .width(width.max(1).unsigned_abs())
        .height(height.max(1).unsigned_abs())
        .stack_mode(StackMode::ABOVE);
    to.sibling = below;
    x.connection.configure_window(side, &to).map_err(failed)?;
    x.connection.map_window(side).map_err(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_lies_outside_of_a_window_and_inside_of_a_screen() {
        let inside = lines((0, 0, 100, 50), false);
        assert_eq!(
            inside,
            [
                (0, 0, 100, 4),
                (0, 46, 100, 4),
                (0, 4, 4, 42),
                (96, 4, 4, 42)
            ]
        );
        let outside = lines((10, 10, 100, 50), true);
        assert_eq!(
            outside,
            [
                (6, 6, 108, 4),
                (6, 60, 108, 4),
                (6, 10, 4, 50),
                (110, 10, 4, 50)
            ]
        );
    }
}
