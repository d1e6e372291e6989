//! The mouse cursor, which X11 keeps out of its pictures.

use x11rb::protocol::xfixes::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, Window};
use x11rb::rust_connection::RustConnection;

use super::failed;
use crate::screen::{Rect, ScreenError};
use crate::video::Size;

/// Largest side that is painted: nobody has larger ones.
const LARGEST: u16 = 512;

/// The cursor as it looks, and where it was last painted.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    serial: Option<u32>,
    size: (u16, u16),
    hot: (i32, i32),
    /// ARGB, premultiplied.
    pixels: Vec<u32>,
    /// Upper left corner in the picture, if it is to be seen.
    at: Option<(i32, i32)>,
}

impl Cursor {
    /// Looks where the pointer is, and, with `shape`, how it looks. Gives the parts of the picture that change.
    pub(super) fn look(
        &mut self,
        connection: &RustConnection,
        window: Window,
        (left, top): (i32, i32),
        size: Size,
        shape: bool,
    ) -> Result<[Option<Rect>; 2], ScreenError> {
        let asked = connection.query_pointer(window).map_err(failed)?;
        let mut changed = false;
        if shape || self.serial.is_none() {
            changed = self.fetch(connection)?;
        }
        let Ok(pointer) = asked.reply() else {
            return Ok([None, None]); // The window is gone; somebody else will notice.
        };
        let (x, y) = (
            i32::from(pointer.win_x) - left,
            i32::from(pointer.win_y) - top,
        );
        let inside = pointer.same_screen
            && (0..size.width as i32).contains(&x)
            && (0..size.height as i32).contains(&y);
        let at = inside.then(|| (x - self.hot.0, y - self.hot.1));
        if at == self.at && !changed {
            return Ok([None, None]);
        }
        let before = self.rect(size);
        self.at = at;
        Ok([before, self.rect(size)])
    }

    fn fetch(&mut self, connection: &RustConnection) -> Result<bool, ScreenError> {
        let Ok(image) = connection
            .xfixes_get_cursor_image()
            .map_err(failed)?
            .reply()
        else {
            self.serial = Some(0);
            return Ok(false);
        };
        if self.serial == Some(image.cursor_serial) {
            return Ok(false);
        }
        self.serial = Some(image.cursor_serial);
        let whole = usize::from(image.width) * usize::from(image.height);
        if image.width > LARGEST || image.height > LARGEST || image.cursor_image.len() < whole {
            self.pixels.clear();
            self.size = (0, 0);
            return Ok(true);
        }
        self.size = (image.width, image.height);
        self.hot = (image.xhot.into(), image.yhot.into());
        self.pixels = image.cursor_image;
        Ok(true)
    }

    fn rect(&self, size: Size) -> Option<Rect> {
        let (x, y) = self.at?;
        let right = (x + i32::from(self.size.0)).clamp(0, size.width as i32);
        let bottom = (y + i32::from(self.size.1)).clamp(0, size.height as i32);
        let (x, y) = (x.max(0), y.max(0));
        let rect = Rect {
            x: x as u32,
            y: y as u32,
            width: (right - x).max(0) as u32,
            height: (bottom - y).max(0) as u32,
        };
        (!rect.is_empty()).then_some(rect)
    }

    /// Paints the part of the cursor that falls on these pixels (BGRA, without padding).
    pub(super) fn paint(&self, rect: Rect, pixels: &mut [u8]) {
        let Some((left, top)) = self.at else {
            return;
        };
        let width = usize::from(self.size.0);
        for (row, line) in self.pixels.chunks_exact(width.max(1)).enumerate() {
            let y = top + row as i32 - rect.y as i32;
            if !(0..rect.height as i32).contains(&y) {
                continue;
            }
            for (column, argb) in line.iter().enumerate() {
                let x = left + column as i32 - rect.x as i32;
                if !(0..rect.width as i32).contains(&x) {
                    continue;
                }
                let start = (y as usize * rect.width as usize + x as usize) * 4;
                let Some(pixel) = pixels.get_mut(start..start + 3) else {
                    return;
                };
                let [blue, green, red, alpha] = argb.to_le_bytes();
                for (below, above) in pixel.iter_mut().zip([blue, green, red]) {
                    let rest = u16::from(*below) * u16::from(255 - alpha) / 255;
                    *below = u8::try_from(u16::from(above) + rest).unwrap_or(255);
                }
            }
        }
    }
}

/// Asks to be told when the cursor's shape changes.
pub(super) fn watch(connection: &RustConnection, root: Window) -> Result<(), ScreenError> {
    connection
        .xfixes_query_version(5, 0)
        .map_err(failed)?
        .reply()
        .map_err(failed)?;
    connection
        .xfixes_select_cursor_input(root, xfixes::CursorNotifyMask::DISPLAY_CURSOR)
        .map_err(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_at_the_edge_is_painted_in_part_and_blended() {
        let cursor = Cursor {
            size: (2, 2),
            // Opaque red, half blue, nothing, opaque white.
            pixels: vec![0xffff_0000, 0x8000_0080, 0, 0xffff_ffff],
            at: Some((-1, 3)),
            ..Cursor::default()
        };
        let size = Size {
            width: 4,
            height: 5,
        };
        let rect = Rect {
            x: 0,
            y: 3,
            width: 1,
            height: 2,
        };
        assert_eq!(cursor.rect(size), Some(rect));
        let mut pixels = vec![100; 4 * 5 * 4];
        cursor.paint(Rect::all(size), &mut pixels);
        assert_eq!(pixels[3 * 16..3 * 16 + 3], [177, 49, 49]);
        assert_eq!(pixels[4 * 16..4 * 16 + 3], [255, 255, 255]);
        let touched = pixels
            .chunks_exact(4)
            .filter(|pixel| pixel[..3] != [100; 3])
            .count();
        assert_eq!(touched, 2);
    }
}
