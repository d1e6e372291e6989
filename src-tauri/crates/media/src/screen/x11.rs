//! X11: monitors by RandR, windows by Composite, changes by DAMAGE, pixels through shared memory.
//!
//! A screen on which nothing changes costs a wait on a socket. What changes is fetched as it is, rectangle by
//! rectangle; the cursor, which X11 leaves out, is painted on top.

use calls_core::id::SourceId;
use calls_core::port::media::{ShareSource, SourceKind};
use x11rb::connection::{Connection, RequestConnection as _};
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ConnectionExt as _, ImageOrder, MapState, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;

use super::displays::DisplaySource;
use super::{ScreenError, ScreenHost, ScreenSource};
use source::X11Source;

mod aside;
mod cursor;
mod frame;
mod rects;
mod segment;
mod source;
#[cfg(test)]
mod tests;

/// Windows listed at most, and their titles' length: a broken program could have thousands.
const MOST_WINDOWS: usize = 200;
const LONGEST_TITLE: usize = 200;

/// Smaller windows are tool tips and helpers that nobody wants to share.
const SMALLEST: u16 = 32;

/// The X server named by the environment.
#[derive(Clone, Debug)]
pub struct X11Host {
    /// Another one than the environment's.
    display: Option<String>,
}

impl X11Host {
    /// `None` without an X server.
    #[must_use]
    pub fn new() -> Option<Self> {
        X::connect(None).ok().map(|_| Self { display: None })
    }
}

impl ScreenHost for X11Host {
    fn sources(&self) -> Result<Vec<ShareSource>, ScreenError> {
        let x = X::connect(self.display.as_deref())?;
        let mut sources = x.screens()?;
        sources.extend(x.windows()?.into_iter().map(|window| ShareSource {
            id: SourceId::new(format!("window:{:#x}", window.id)),
            name: window.title,
            kind: SourceKind::Window,
            width: window.width.into(),
            height: window.height.into(),
        }));
        Ok(sources)
    }

    fn open(
        &self,
        id: &SourceId,
        _stopped: &dyn Fn() -> bool,
    ) -> Result<Box<dyn ScreenSource>, ScreenError> {
        let x = X::connect(self.display.as_deref())?;
        let (kind, which) = id.as_str().split_once(':').unwrap_or((id.as_str(), ""));
        match kind {
            "screen" => {
                let index = match which {
                    "" => 0,
                    number => number.parse().map_err(|_| ScreenError::Gone)?,
                };
                self.or_through_scrap(X11Source::monitor(x, index), which)
            }
            "window" => {
                let window = x.find_window(which)?;
                Ok(Box::new(X11Source::window(x, window)?))
            }
            _ => Err(ScreenError::Gone),
        }
    }

    fn mark(&self, id: &SourceId) -> Option<Box<dyn Send>> {
        let frame = frame::Frame::show(self.display.as_deref(), id)?;
        Some(Box::new(frame))
    }
}

impl X11Host {
    /// A monitor that our own way could not open, though it is there, is left to `scrap`, which asks less of the
    /// server. It knows the environment's display only.
    fn or_through_scrap(
        &self,
        opened: Result<X11Source, ScreenError>,
        which: &str,
    ) -> Result<Box<dyn ScreenSource>, ScreenError> {
        match opened {
            Ok(source) => Ok(Box::new(source)),
            Err(ScreenError::Failed(cause)) if self.display.is_none() => {
                tracing::info!(?cause, "the display is captured the second way");
                let second = DisplaySource::open(which);
                second.map(|source| Box::new(source) as _)
            }
            Err(error) => Err(error),
        }
    }
}

/// Every error of the X connection: nothing can be done but stop.
pub(super) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> ScreenError {
    ScreenError::Failed(Some(Box::new(error)))
}

/// A connection of our own: it lives as long as a source, or a question.
pub(super) struct X {
    pub(super) connection: RustConnection,
    pub(super) root: Window,
}

/// A monitor, in the coordinates of the root window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Monitor {
    pub(super) name: Atom,
    pub(super) x: i16,
    pub(super) y: i16,
    pub(super) width: u16,
    pub(super) height: u16,
}

struct Listed {
    id: Window,
    title: String,
    width: u16,
    height: u16,
}

impl X {
    fn connect(display: Option<&str>) -> Result<Self, ScreenError> {
        let unsupported =
            |error: Box<dyn std::error::Error + Send + Sync>| ScreenError::Unsupported(Some(error));
        let (connection, number) =
            x11rb::connect(display).map_err(|error| unsupported(error.into()))?;
        let setup = connection.setup();
        let root = setup
            .roots
            .get(number)
            .ok_or(ScreenError::Unsupported(None))?;
        // Every desktop of the last twenty years; anything else would need its own conversion.
        let usual = setup.image_byte_order == ImageOrder::LSB_FIRST
            && setup
                .pixmap_formats
                .iter()
                .any(|format| format.depth == root.root_depth && format.bits_per_pixel == 32);
        if !usual {
            return Err(ScreenError::Unsupported(None));
        }
        let root = root.root;
        Ok(Self { connection, root })
    }

    /// The monitors, the primary one first; the whole screen if nobody tells.
    pub(super) fn monitors(&self) -> Result<Vec<Monitor>, ScreenError> {
        let has_randr = self
            .connection
            .extension_information(randr::X11_EXTENSION_NAME)
            .map_err(failed)?
            .is_some();
        let mut monitors = Vec::new();
        if has_randr {
            self.connection
                .randr_query_version(1, 5)
                .map_err(failed)?
                .reply()
                .map_err(failed)?;
            let asked = self.connection.randr_get_monitors(self.root, true);
            if let Ok(reply) = asked.map_err(failed)?.reply() {
                let mut found = reply.monitors;
                found.sort_by_key(|monitor| (!monitor.primary, monitor.x, monitor.y));
                monitors.extend(found.into_iter().map(|monitor| Monitor {
                    name: monitor.name,
                    x: monitor.x,
                    y: monitor.y,
                    width: monitor.width,
                    height: monitor.height,
                }));
            }
        }
        monitors.retain(|monitor| monitor.width > 0 && monitor.height > 0);
        if monitors.is_empty() {
            let whole = self
                .connection
                .get_geometry(self.root)
                .map_err(failed)?
                .reply()
                .map_err(failed)?;
            monitors.push(Monitor {
                name: 0,
                x: 0,
                y: 0,
                width: whole.width,
                height: whole.height,
            });
        }
        Ok(monitors)
    }

    fn screens(&self) -> Result<Vec<ShareSource>, ScreenError> {
        let monitors = self.monitors()?;
        let many = monitors.len() > 1;
        let mut sources = Vec::with_capacity(monitors.len());
        for (index, monitor) in monitors.iter().enumerate() {
            let name = if many {
                self.atom_name(monitor.name)
            } else {
                String::new()
            };
            sources.push(ShareSource {
                id: SourceId::new(format!("screen:{index}")),
                name,
                kind: SourceKind::Screen,
                width: monitor.width.into(),
                height: monitor.height.into(),
            });
        }
        Ok(sources)
    }

    fn atom_name(&self, atom: Atom) -> String {
        let name = self
            .connection
            .get_atom_name(atom)
            .ok()
            .and_then(|asked| asked.reply().ok());
        name.map(|reply| String::from_utf8_lossy(&reply.name).into_owned())
            .unwrap_or_default()
    }

    fn atom(&self, name: &str) -> Result<Atom, ScreenError> {
        let asked = self.connection.intern_atom(false, name.as_bytes());
        Ok(asked.map_err(failed)?.reply().map_err(failed)?.atom)
    }

    /// The window on the root that this one lies in, with what the window manager put around it.
    fn top(&self, window: Window) -> Result<Window, ScreenError> {
        let mut top = window;
        loop {
            let tree = self.connection.query_tree(top).map_err(failed)?;
            let parent = tree.reply().map_err(|_| ScreenError::Gone)?.parent;
            if parent == self.root || parent == x11rb::NONE {
                return Ok(top);
            }
            top = parent;
        }
    }

    /// The window that `which` means: a number as we give them, or a part of a title.
    fn find_window(&self, which: &str) -> Result<Window, ScreenError> {
        if let Some(number) = which.strip_prefix("0x")
            && let Ok(id) = u32::from_str_radix(number, 16)
        {
            return Ok(id);
        }
        let wanted = which.to_lowercase();
        let windows = self.windows()?;
        let found = windows
            .iter()
            .find(|window| window.title.to_lowercase() == wanted)
            .or_else(|| {
                windows
                    .iter()
                    .find(|window| window.title.to_lowercase().contains(&wanted))
            });
        found.map(|window| window.id).ok_or(ScreenError::Gone)
    }

    /// Visible windows of other programs, the topmost first.
    fn windows(&self) -> Result<Vec<Listed>, ScreenError> {
        let stacking = self.atom("_NET_CLIENT_LIST_STACKING")?;
        let mut ids = self.numbers(self.root, stacking, AtomEnum::WINDOW.into())?;
        if ids.is_empty() {
            // Without a window manager: whatever lies directly on the root.
            let tree = self.connection.query_tree(self.root);
            ids = tree.map_err(failed)?.reply().map_err(failed)?.children;
        }
        let pid = self.atom("_NET_WM_PID")?;
        let kind = self.atom("_NET_WM_WINDOW_TYPE")?;
        let furniture = [
            self.atom("_NET_WM_WINDOW_TYPE_DESKTOP")?,
            self.atom("_NET_WM_WINDOW_TYPE_DOCK")?,
        ];
        let title = (self.atom("_NET_WM_NAME")?, self.atom("UTF8_STRING")?);
        let mut windows = Vec::new();
        for id in ids.into_iter().rev().take(MOST_WINDOWS) {
            // A window may vanish while we ask about it: then it is left out.
            let Some((width, height)) = self.visible(id) else {
                continue;
            };
            let cardinal = AtomEnum::CARDINAL.into();
            let ours = self
                .numbers(id, pid, cardinal)
                .is_ok_and(|owner| owner.first() == Some(&std::process::id()));
            let kinds = self
                .numbers(id, kind, AtomEnum::ATOM.into())
                .unwrap_or_default();
            if ours || kinds.iter().any(|kind| furniture.contains(kind)) {
                continue;
            }
            let name = self
                .text(id, title.0, title.1)
                .or_else(|| self.text(id, AtomEnum::WM_NAME.into(), AtomEnum::STRING.into()));
            let Some(title) = name else {
                continue; // Nobody could tell which one it is.
            };
            windows.push(Listed {
                id,
                title,
                width,
                height,
            });
        }
        Ok(windows)
    }

    /// Its size, if the window can be seen and is worth it.
    fn visible(&self, window: Window) -> Option<(u16, u16)> {
        let attributes = self.connection.get_window_attributes(window).ok()?;
        let geometry = self.connection.get_geometry(window).ok()?;
        let (attributes, geometry) = (attributes.reply().ok()?, geometry.reply().ok()?);
        let shown = attributes.map_state == MapState::VIEWABLE
            && attributes.class == WindowClass::INPUT_OUTPUT;
        (shown && geometry.width >= SMALLEST && geometry.height >= SMALLEST)
            .then_some((geometry.width, geometry.height))
    }

    fn numbers(&self, window: Window, name: Atom, kind: Atom) -> Result<Vec<u32>, ScreenError> {
        let asked = self
            .connection
            .get_property(false, window, name, kind, 0, 4096)
            .map_err(failed)?;
        let Ok(reply) = asked.reply() else {
            return Ok(Vec::new());
        };
        Ok(reply.value32().map(Iterator::collect).unwrap_or_default())
    }

    fn text(&self, window: Window, name: Atom, kind: Atom) -> Option<String> {
        let asked = self
            .connection
            .get_property(false, window, name, kind, 0, 1024)
            .ok()?;
        let text = String::from_utf8_lossy(&asked.reply().ok()?.value).into_owned();
        let clean: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(LONGEST_TITLE)
            .collect();
        (!clean.trim().is_empty()).then_some(clean)
    }
}

/// Run where the environment's display is a server of the test's own (`displays.rs`).
#[cfg(test)]
pub(super) fn second_way_is_taken_when_the_first_one_fails() {
    let host = X11Host::new().unwrap();
    let opened = host.or_through_scrap(Err(ScreenError::Failed(None)), "0");
    assert_eq!((opened.unwrap().size().width), 320);
    let gone = host.or_through_scrap(Err(ScreenError::Gone), "0");
    assert!(matches!(gone, Err(ScreenError::Gone)));
}
