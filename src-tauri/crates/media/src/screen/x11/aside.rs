//! What of ours is left out of a shared screen: the line around it, and the small window of the call.
//!
//! X11 knows no window that is seen here and not captured. Where one of ours lies, what is beneath is put together from
//! the other windows' own pictures, which Composite keeps. What changes beneath shows with the next change of the place
//! (the clock in the small window makes one each second).

use x11rb::connection::Connection as _;
use x11rb::protocol::composite::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, GetGeometryReply, ImageFormat, MapState, Window, WindowClass,
};

use super::{X, failed};
use crate::screen::{ASIDE, ScreenError};

/// Windows that are looked at, at most.
const MOST: usize = 1000;

/// Where neither a window nor a background picture is: black, as bare X screens are. BGRA.
const GROUND: [u8; 4] = [0, 0, 0, 0xff];

/// A place on the root window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

impl Area {
    fn of(window: &GetGeometryReply) -> Self {
        let border = 2 * i32::from(window.border_width);
        let (left, top) = (i32::from(window.x), i32::from(window.y));
        Self {
            left,
            top,
            right: left + i32::from(window.width) + border,
            bottom: top + i32::from(window.height) + border,
        }
    }

    /// What both cover.
    fn and(self, other: Self) -> Option<Self> {
        let both = Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        };
        (both.left < both.right && both.top < both.bottom).then_some(both)
    }

    fn width(self) -> usize {
        usize::try_from(self.right - self.left).unwrap_or(0)
    }

    fn height(self) -> usize {
        usize::try_from(self.bottom - self.top).unwrap_or(0)
    }
}

/// A window on the root that others may see.
#[derive(Clone, Copy, Debug)]
struct Seen {
    id: Window,
    area: Area,
    /// It may let through what is beneath.
    clear: bool,
}

/// What is left out now, and what is seen instead.
#[derive(Debug)]
pub(super) struct Aside {
    hidden: Vec<Area>,
    /// From the bottom to the top.
    seen: Vec<Seen>,
    /// Windows have come, gone or moved since.
    pub(super) stale: bool,
    /// The windows' own pictures are kept for us.
    kept: bool,
}

impl Aside {
    /// `None` where the server does not keep windows' pictures.
    pub(super) fn new(x: &X) -> Option<Self> {
        x.connection
            .composite_query_version(0, 4)
            .ok()?
            .reply()
            .ok()?;
        Some(Self {
            hidden: Vec::new(),
            seen: Vec::new(),
            stale: true,
            kept: false,
        })
    }

    /// Looks where our windows are. Gives the places that must be fetched again.
    pub(super) fn look(&mut self, x: &X) -> Result<Vec<Area>, ScreenError> {
        self.stale = false;
        let connection = &x.connection;
        let tree = connection.query_tree(x.root).map_err(failed)?;
        let mut children = tree.reply().map_err(failed)?.children;
        children.truncate(MOST);
        let ours = ours(x, &children)?;
        let before = std::mem::take(&mut self.hidden);
        self.seen.clear();
        if !ours.is_empty() {
            let mut asked = Vec::with_capacity(children.len());
            for id in children {
                let attributes = connection.get_window_attributes(id).map_err(failed)?;
                asked.push((id, attributes, connection.get_geometry(id).map_err(failed)?));
            }
            for (id, attributes, geometry) in asked {
                // It may have gone meanwhile.
                let (Ok(attributes), Ok(geometry)) = (attributes.reply(), geometry.reply()) else {
                    continue;
                };
                let shown = attributes.map_state == MapState::VIEWABLE
                    && attributes.class == WindowClass::INPUT_OUTPUT;
                let area = Area::of(&geometry);
                match (shown, ours.contains(&id)) {
                    (false, _) => {}
                    (true, true) => self.hidden.push(area),
                    (true, false) => self.seen.push(Seen {
                        id,
                        area,
                        clear: geometry.depth == 32,
                    }),
                }
            }
        }
        if !self.hidden.is_empty() && !self.kept {
            // Undone by the server when our connection ends.
            let wish = composite::Redirect::AUTOMATIC;
            let kept = connection.composite_redirect_subwindows(x.root, wish);
            self.kept = kept.map_err(failed)?.check().is_ok();
        }
        Ok(if before == self.hidden {
            Vec::new()
        } else {
            let changed = before.iter().chain(&self.hidden);
            changed.copied().collect()
        })
    }

    /// Paints what is beneath our windows over them, in pixels (BGRA) that were fetched from this place.
    pub(super) fn cover(&self, x: &X, place: Area, pixels: &mut [u8]) -> Result<(), ScreenError> {
        for hidden in &self.hidden {
            let Some(part) = hidden.and(place) else {
                continue;
            };
            let picture = self.beneath(x, part)?;
            let (wide, from) = (place.width() * 4, part.width() * 4);
            let left = usize::try_from(part.left - place.left).unwrap_or(0) * 4;
            let top = usize::try_from(part.top - place.top).unwrap_or(0);
            let lines = pixels.chunks_exact_mut(wide).skip(top);
            for (line, row) in lines.zip(picture.chunks_exact(from)) {
                line[left..left + from].copy_from_slice(row);
            }
        }
        Ok(())
    }

    /// What would be seen there without us.
    fn beneath(&self, x: &X, part: Area) -> Result<Vec<u8>, ScreenError> {
        let whole = |seen: &&Seen| !seen.clear && seen.area.and(part) == Some(part);
        let lowest = self.seen.iter().rposition(|seen| whole(&seen));
        let mut picture = match lowest {
            Some(_) => GROUND.repeat(part.width() * part.height()),
            None => ground(x, part)?,
        };
        for seen in &self.seen[lowest.unwrap_or(0)..] {
            let Some(cut) = seen.area.and(part) else {
                continue;
            };
            if let Some(image) = own_picture(x, seen, cut)? {
                paste(&mut picture, part, &image, cut, seen.clear);
            }
        }
        Ok(picture)
    }
}

/// Those on the root that are to be left out, or that hold one that is.
fn ours(x: &X, children: &[Window]) -> Result<Vec<Window>, ScreenError> {
    let connection = &x.connection;
    let clients = x.atom("_NET_CLIENT_LIST_STACKING")?;
    let clients = x.numbers(x.root, clients, AtomEnum::WINDOW.into())?;
    let pid = x.atom("_NET_WM_PID")?;
    let (any, cardinal) = (AtomEnum::ANY, AtomEnum::CARDINAL);
    let mut asked = Vec::new();
    for id in children.iter().chain(clients.iter().take(MOST)) {
        let owner = connection.get_property(false, *id, pid, cardinal, 0, 1);
        let title = connection.get_property(false, *id, AtomEnum::WM_NAME, any, 0, 16);
        asked.push((*id, owner.map_err(failed)?, title.map_err(failed)?));
    }
    let mut found = Vec::new();
    for (id, owner, title) in asked {
        let (Ok(owner), Ok(title)) = (owner.reply(), title.reply()) else {
            continue;
        };
        let owner = owner.value32().and_then(|mut numbers| numbers.next());
        if owner == Some(std::process::id())
            && title.value == ASIDE.as_bytes()
            && let Ok(top) = x.top(id)
        {
            found.push(top);
        }
    }
    Ok(found)
}

/// The background, as desktops leave it where others find it.
fn ground(x: &X, part: Area) -> Result<Vec<u8>, ScreenError> {
    let name = x.atom("_XROOTPMAP_ID")?;
    let pixmap = x.numbers(x.root, name, AtomEnum::PIXMAP.into())?;
    let bytes = part.width() * part.height() * 4;
    let plain = || GROUND.repeat(part.width() * part.height());
    let Some(pixmap) = pixmap.first().filter(|pixmap| **pixmap != x11rb::NONE) else {
        return Ok(plain());
    };
    let image = x.image(
        *pixmap,
        (part.left, part.top),
        (part.width(), part.height()),
    )?;
    Ok(image
        .filter(|image| image.len() == bytes)
        .unwrap_or_else(plain))
}

/// A part of what a window shows, whether others cover it or not.
fn own_picture(x: &X, seen: &Seen, cut: Area) -> Result<Option<Vec<u8>>, ScreenError> {
    let connection = &x.connection;
    let name = connection.generate_id().map_err(failed)?;
    let named = connection.composite_name_window_pixmap(seen.id, name);
    if named.map_err(failed)?.check().is_err() {
        return Ok(None); // It has just gone.
    }
    let at = (cut.left - seen.area.left, cut.top - seen.area.top);
    let image = x.image(name, at, (cut.width(), cut.height()));
    connection.free_pixmap(name).map_err(failed)?;
    Ok(image?.filter(|image| image.len() == cut.width() * cut.height() * 4))
}

/// Puts an image of `cut` where it belongs in a picture of `part`.
fn paste(picture: &mut [u8], part: Area, image: &[u8], cut: Area, clear: bool) {
    let (wide, row) = (part.width() * 4, cut.width() * 4);
    let left = usize::try_from(cut.left - part.left).unwrap_or(0) * 4;
    let top = usize::try_from(cut.top - part.top).unwrap_or(0);
    let lines = picture.chunks_exact_mut(wide).skip(top);
    for (line, from) in lines.zip(image.chunks_exact(row)) {
        let to = &mut line[left..left + row];
        if !clear {
            to.copy_from_slice(from);
            continue;
        }
        for (to, from) in to.chunks_exact_mut(4).zip(from.chunks_exact(4)) {
            // Colours are multiplied with their alpha already.
            let through = 255 - u16::from(from[3]);
            for (to, from) in to.iter_mut().zip(from) {
                let sum = u16::from(*from) + (u16::from(*to) * through + 127) / 255;
                *to = u8::try_from(sum).unwrap_or(u8::MAX);
            }
        }
    }
}

impl X {
    /// The pixels of a part of a drawable; `None` if there is no such part.
    fn image(
        &self,
        drawable: u32,
        (left, top): (i32, i32),
        (width, height): (usize, usize),
    ) -> Result<Option<Vec<u8>>, ScreenError> {
        let (Ok(left), Ok(top)) = (i16::try_from(left), i16::try_from(top)) else {
            return Ok(None);
        };
        let (Ok(width), Ok(height)) = (u16::try_from(width), u16::try_from(height)) else {
            return Ok(None);
        };
        let format = ImageFormat::Z_PIXMAP;
        let asked = self
            .connection
            .get_image(format, drawable, left, top, width, height, !0);
        Ok(asked.map_err(failed)?.reply().ok().map(|image| image.data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_through_is_mixed_with_what_is_beneath() {
        let area = |left, top, right, bottom| Area {
            left,
            top,
            right,
            bottom,
        };
        assert_eq!(area(0, 0, 4, 4).and(area(4, 0, 8, 8)), None);
        let part = area(10, 10, 12, 11);
        let mut picture = [200, 100, 0, 255, 200, 100, 0, 255];
        let half = [50, 50, 50, 128];
        paste(&mut picture, part, &half, area(11, 10, 12, 11), true);
        assert_eq!(picture, [200, 100, 0, 255, 150, 100, 50, 255]);
        paste(&mut picture, part, &half, area(10, 10, 11, 11), false);
        assert_eq!(picture[..4], half);
    }
}
