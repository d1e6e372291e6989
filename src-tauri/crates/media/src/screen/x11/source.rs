//! A monitor or a window, open.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use x11rb::connection::{Connection, RequestConnection as _};
use x11rb::protocol::Event;
use x11rb::protocol::composite::{self, ConnectionExt as _};
use x11rb::protocol::damage::{self, ConnectionExt as _};
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xfixes::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, Drawable, EventMask, ImageFormat, MapState,
    Pixmap, Rectangle, Window,
};

use super::aside::{Area, Aside};
use super::cursor::{self, Cursor};
use super::rects::placed;
use super::segment::Segment;
use super::{Monitor, X, failed};
use crate::screen::differ::Differ;
use crate::screen::{Patch, Rect, ScreenError};
use crate::video::Size;

mod look;

/// So many rectangles are fetched one by one; more are taken as the one around them all.
const MOST_RECTANGLES: usize = 48;

/// What is shared.
enum Target {
    Monitor(Monitor),
    Window {
        id: Window,
        /// What the window shows, even where others cover it; `None` while it is not visible.
        pixmap: Option<Pixmap>,
    },
}

/// How changes are noticed.
enum Changes {
    /// The server tells.
    Told {
        damage: damage::Damage,
        region: xfixes::Region,
    },
    /// It does not (a server without DAMAGE): pictures are compared, not before this time.
    Compared { differ: Differ, due: Instant },
}

/// Pace of comparing: each look fetches and reads the whole picture.
const COMPARE_EVERY: Duration = Duration::from_millis(100);

/// An open source.
pub(super) struct X11Source {
    x: X,
    target: Target,
    size: Size,
    segment: Option<Segment>,
    changes: Changes,
    cursor: Cursor,
    /// The server has XFixes, without which nobody knows what the cursor looks like.
    has_cursor: bool,
    /// Everything is to be handed over.
    fresh: bool,
    damaged: bool,
    cursor_changed: bool,
    /// The geometry may have changed.
    moved: bool,
    gone: bool,
    /// Of a screen: what is left out of it.
    aside: Option<Aside>,
}

impl X11Source {
    pub(super) fn monitor(x: X, index: usize) -> Result<Self, ScreenError> {
        let monitor = x
            .monitors()?
            .into_iter()
            .nth(index)
            .ok_or(ScreenError::Gone)?;
        let has_randr = x
            .connection
            .extension_information(randr::X11_EXTENSION_NAME)
            .map_err(failed)?;
        if has_randr.is_some() {
            x.connection
                .randr_select_input(x.root, randr::NotifyMask::SCREEN_CHANGE)
                .map_err(failed)?;
        }
        // A screen divided anew into monitors is told by the root window only.
        let events = EventMask::STRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_NOTIFY;
        let events = ChangeWindowAttributesAux::new().event_mask(events);
        x.connection
            .change_window_attributes(x.root, &events)
            .map_err(failed)?;
        let size = size_of(monitor.width, monitor.height)?;
        let root = x.root;
        let mut source = Self::open(x, Target::Monitor(monitor), size, root)?;
        source.aside = Aside::new(&source.x);
        Ok(source)
    }

    pub(super) fn window(x: X, id: Window) -> Result<Self, ScreenError> {
        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        x.connection
            .change_window_attributes(id, &events)
            .map_err(failed)?
            .check()
            .map_err(|_| ScreenError::Gone)?;
        x.connection
            .composite_query_version(0, 4)
            .map_err(failed)?
            .reply()
            .map_err(failed)?;
        // Gives the window a picture of its own; undone by the server when our connection ends.
        x.connection
            .composite_redirect_window(id, composite::Redirect::AUTOMATIC)
            .map_err(failed)?
            .check()
            .map_err(failed)?;
        let geometry = x.connection.get_geometry(id).map_err(failed)?;
        let geometry = geometry.reply().map_err(|_| ScreenError::Gone)?;
        let size = size_of(geometry.width, geometry.height)?;
        let target = Target::Window { id, pixmap: None };
        let mut source = Self::open(x, target, size, id)?;
        source.name_pixmap()?;
        Ok(source)
    }

    fn open(x: X, target: Target, size: Size, damaged: Drawable) -> Result<Self, ScreenError> {
        let has = |name| -> Result<bool, ScreenError> {
            let found = x.connection.extension_information(name).map_err(failed)?;
            Ok(found.is_some())
        };
        let has_cursor = has(xfixes::X11_EXTENSION_NAME)?;
        if has_cursor {
            cursor::watch(&x.connection, x.root)?;
        }
        let changes = if has_cursor && has(damage::X11_EXTENSION_NAME)? {
            Changes::watch(&x, damaged)?
        } else {
            tracing::info!("the X server does not tell what changes: pictures are compared");
            Changes::Compared {
                differ: Differ::default(),
                due: Instant::now(),
            }
        };
        let segment = Segment::new(&x.connection, size.area() * 4)?;
        if segment.is_none() {
            tracing::info!("the X server shares no memory with us: pictures come over the socket");
        }
        Ok(Self {
            x,
            target,
            size,
            segment,
            changes,
            cursor: Cursor::default(),
            has_cursor,
            fresh: true,
            damaged: false,
            cursor_changed: true,
            moved: false,
            gone: false,
            aside: None,
        })
    }

    /// Takes what the server has told.
    fn hear(&mut self) -> Result<(), ScreenError> {
        while let Some(event) = self.x.connection.poll_for_event().map_err(failed)? {
            match event {
                Event::DamageNotify(_) => self.damaged = true,
                Event::XfixesCursorNotify(_) => self.cursor_changed = true,
                Event::RandrScreenChangeNotify(_) => self.moved = true,
                Event::ConfigureNotify(event) => self.changed(event.window),
                Event::MapNotify(event) => self.changed(event.window),
                Event::UnmapNotify(event) => self.changed(event.window),
                Event::ReparentNotify(event) => self.changed(event.window),
                Event::CirculateNotify(event) => self.changed(event.window),
                Event::DestroyNotify(event) => {
                    let ours =
                        matches!(self.target, Target::Window { id, .. } if id == event.window);
                    self.gone |= ours;
                    self.changed(event.window);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A window has come, gone or moved: what is shared, or, on a shared screen, one on it.
    fn changed(&mut self, window: Window) {
        match &mut self.aside {
            Some(aside) if window != self.x.root => aside.stale = true,
            _ => self.moved = true,
        }
    }

    /// Finds what of ours is to be left out, if that may have changed.
    fn leave_out(&mut self, found: &mut Vec<Rect>) -> Result<(), ScreenError> {
        let (origin, size) = (self.origin(), self.size);
        let Some(aside) = self.aside.as_mut().filter(|aside| aside.stale) else {
            return Ok(());
        };
        let anew = aside.look(&self.x)?;
        found.extend(anew.into_iter().filter_map(|area| {
            let side = |from: i32, to: i32| u16::try_from(to - from).unwrap_or(u16::MAX);
            let rect = Rectangle {
                x: i16::try_from(area.left).ok()?,
                y: i16::try_from(area.top).ok()?,
                width: side(area.left, area.right),
                height: side(area.top, area.bottom),
            };
            placed(rect, origin, size)
        }));
        Ok(())
    }

    /// Waits until the server says something, or time is over.
    fn wait(&mut self, wait: Duration) -> Result<(), ScreenError> {
        self.x.connection.flush().map_err(failed)?;
        let timeout = Timespec::try_from(wait).unwrap_or_default();
        let mut sockets = [PollFd::new(self.x.connection.stream(), PollFlags::IN)];
        // Interrupted by a signal is as good as over.
        let _ = poll(&mut sockets, Some(&timeout));
        self.hear()
    }

    /// The geometry may have changed: gives the new size, if it did.
    fn follow(&mut self) -> Result<Option<Size>, ScreenError> {
        self.moved = false;
        let size = match &mut self.target {
            Target::Monitor(known) => {
                let monitors = self.x.monitors()?;
                let monitor = monitors
                    .into_iter()
                    .find(|monitor| monitor.name == known.name)
                    .ok_or(ScreenError::Gone)?;
                if *known == monitor {
                    return Ok(None);
                }
                *known = monitor;
                size_of(known.width, known.height)?
            }
            Target::Window { id, .. } => {
                let geometry = self.x.connection.get_geometry(*id).map_err(failed)?;
                let geometry = geometry.reply().map_err(|_| ScreenError::Gone)?;
                size_of(geometry.width, geometry.height)?
            }
        };
        self.name_pixmap()?;
        self.fresh = true;
        if size == self.size {
            return Ok(None);
        }
        self.size = size;
        if self
            .segment
            .as_ref()
            .is_some_and(|segment| segment.len() < size.area() * 4)
        {
            self.segment = Segment::new(&self.x.connection, size.area() * 4)?;
        }
        Ok(Some(size))
    }

    /// A window's picture has another name after each change of its size.
    fn name_pixmap(&mut self) -> Result<(), ScreenError> {
        let Target::Window { id, pixmap } = &mut self.target else {
            return Ok(());
        };
        let connection = &self.x.connection;
        if let Some(old) = pixmap.take() {
            let _ = connection.free_pixmap(old); // Gone with its window, perhaps.
        }
        let attributes = connection.get_window_attributes(*id).map_err(failed)?;
        let attributes = attributes.reply().map_err(|_| ScreenError::Gone)?;
        if attributes.map_state != MapState::VIEWABLE {
            return Ok(()); // Minimised: the last picture stays.
        }
        let name = connection.generate_id().map_err(failed)?;
        let named = connection.composite_name_window_pixmap(*id, name);
        if named.map_err(failed)?.check().is_ok() {
            *pixmap = Some(name);
        }
        Ok(())
    }

    /// Takes the damaged rectangles, in the picture's coordinates.
    fn take_damage(&mut self, found: &mut Vec<Rect>) -> Result<(), ScreenError> {
        self.damaged = false;
        let Changes::Told { damage, region } = self.changes else {
            return Ok(());
        };
        let connection = &self.x.connection;
        connection
            .damage_subtract(damage, x11rb::NONE, region)
            .map_err(failed)?;
        let region = connection.xfixes_fetch_region(region).map_err(failed)?;
        let region = region.reply().map_err(failed)?;
        let origin = self.origin();
        if region.rectangles.len() > MOST_RECTANGLES {
            found.extend(placed(region.extents, origin, self.size));
        } else {
            let all = region.rectangles.into_iter();
            found.extend(all.filter_map(|rect| placed(rect, origin, self.size)));
        }
        Ok(())
    }

    /// Where the picture begins in the coordinates of what is damaged.
    fn origin(&self) -> (i32, i32) {
        match &self.target {
            Target::Monitor(monitor) => (monitor.x.into(), monitor.y.into()),
            Target::Window { .. } => (0, 0),
        }
    }

    /// Looks for changes where nobody tells of them, if it is time to.
    fn compare(&mut self, found: &mut Vec<Rect>) -> Result<(), ScreenError> {
        let size = self.size;
        let Changes::Compared { differ, due } = &mut self.changes else {
            return Ok(());
        };
        let now = Instant::now();
        if *due > now && !self.fresh {
            return Ok(());
        }
        *due = now + COMPARE_EVERY;
        let mut differ = std::mem::take(differ);
        let done = self.pixels(Rect::all(size), &mut |_, pixels| {
            found.extend(differ.compare(size, pixels, size.width as usize * 4));
        });
        if let Changes::Compared { differ: place, .. } = &mut self.changes {
            *place = differ;
        }
        done
    }

    fn fetch(&mut self, rect: Rect, take: &mut dyn FnMut(Patch<'_>)) -> Result<(), ScreenError> {
        self.pixels(rect, &mut |cursor, pixels| {
            cursor.paint(rect, pixels);
            take(Patch {
                rect,
                data: pixels,
                stride: rect.width as usize * 4,
            });
        })
    }

    /// Fetches pixels, if there are any to fetch.
    fn pixels(
        &mut self,
        rect: Rect,
        take: &mut dyn FnMut(&Cursor, &mut [u8]),
    ) -> Result<(), ScreenError> {
        let (drawable, (left, top)) = match &self.target {
            Target::Monitor(monitor) => (self.x.root, (monitor.x, monitor.y)),
            Target::Window { pixmap, .. } => match pixmap {
                Some(pixmap) => (*pixmap, (0, 0)),
                None => return Ok(()),
            },
        };
        // Sides are at most 8192, and corners inside the picture.
        let at = (
            left.wrapping_add(rect.x as i16),
            top.wrapping_add(rect.y as i16),
        );
        let size = (rect.width as u16, rect.height as u16);
        let connection = &self.x.connection;
        let mut copy;
        let pixels = match &mut self.segment {
            Some(segment) => segment.fetch(connection, drawable, at, size)?,
            None => {
                let asked = connection.get_image(
                    ImageFormat::Z_PIXMAP,
                    drawable,
                    at.0,
                    at.1,
                    size.0,
                    size.1,
                    !0,
                );
                copy = asked.map_err(failed)?.reply().ok().map(|image| image.data);
                copy.as_deref_mut()
            }
        };
        let Some(pixels) = pixels else {
            // The window shrank under our hands; the event that says so is on its way.
            self.moved = true;
            return Ok(());
        };
        if let Some(aside) = &self.aside {
            let (left, top) = (at.0.into(), at.1.into());
            let place = Area {
                left,
                top,
                right: left + i32::from(size.0),
                bottom: top + i32::from(size.1),
            };
            aside.cover(&self.x, place, pixels)?;
        }
        take(&self.cursor, pixels);
        Ok(())
    }
}

impl Changes {
    /// Lets the server tell what is painted in a window, and in those inside it.
    fn watch(x: &X, window: Drawable) -> Result<Self, ScreenError> {
        let version = x.connection.damage_query_version(1, 1).map_err(failed)?;
        version.reply().map_err(failed)?;
        let damage = x.connection.generate_id().map_err(failed)?;
        x.connection
            .damage_create(damage, window, damage::ReportLevel::NON_EMPTY)
            .map_err(failed)?
            .check()
            .map_err(failed)?;
        let region = x.connection.generate_id().map_err(failed)?;
        x.connection
            .xfixes_create_region(region, &[])
            .map_err(failed)?;
        Ok(Self::Told { damage, region })
    }
}

fn size_of(width: u16, height: u16) -> Result<Size, ScreenError> {
    Size::checked(width.into(), height.into()).ok_or(ScreenError::Unsupported(None))
}
