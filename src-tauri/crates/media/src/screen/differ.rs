//! What has changed between two pictures, for systems that do not say.
//!
//! A copy of the last picture is compared with the new one, tile by tile. That reads
//! two pictures, and saves converting and encoding one.

use super::Rect;
use crate::video::Size;

/// Side of a tile, pixels. Whole macroblocks, and rows of 256 bytes, which compare fast.
const TILE: u32 = 64;

/// The last picture.
#[derive(Debug, Default)]
pub(super) struct Differ {
    size: Size,
    /// BGRA without padding.
    last: Vec<u8>,
}

impl Differ {
    /// Forgets the last picture: the next one is new everywhere.
    #[cfg(any(target_os = "linux", test))]
    pub(super) fn forget(&mut self) {
        self.last = Vec::new();
    }

    /// Whether there is a picture to compare with.
    pub(super) fn knows(&self, size: Size) -> bool {
        self.size == size && !self.last.is_empty()
    }

    /// Finds what differs from the last picture, keeping the new one: rectangles with even corners, side by side ones
    /// in one. `data` must have `size.height` rows of `stride` bytes, the last one perhaps without padding; if it has
    /// not, nothing is found.
    pub(super) fn compare(&mut self, size: Size, data: &[u8], stride: usize) -> Vec<Rect> {
        let row = size.width as usize * 4;
        let needed = (size.height as usize - 1) * stride + row;
        if stride < row || data.len() < needed {
            return Vec::new();
        }
        if !self.knows(size) {
            self.size = size;
            self.last.clear();
            self.last.reserve_exact(row * size.height as usize);
            for line in data.chunks(stride).take(size.height as usize) {
                self.last.extend_from_slice(&line[..row]);
            }
            return vec![Rect::all(size)];
        }
        let mut found: Vec<Rect> = Vec::new();
        let tiles = size.width.div_ceil(TILE) as usize;
        let mut changed = vec![false; tiles];
        for top in (0..size.height).step_by(TILE as usize) {
            let height = TILE.min(size.height - top);
            changed.fill(false);
            for y in top..top + height {
                let new = &data[y as usize * stride..][..row];
                let old = &mut self.last[y as usize * row..][..row];
                // Most rows are the same, and one comparison says so.
                if new == old {
                    continue;
                }
                let sides = old
                    .chunks(TILE as usize * 4)
                    .zip(new.chunks(TILE as usize * 4));
                for (changed, (old, new)) in changed.iter_mut().zip(sides) {
                    *changed |= old != new;
                }
                old.copy_from_slice(new);
            }
            let mut at = 0;
            while at < tiles {
                let run = changed[at..].iter().take_while(|changed| **changed).count();
                if run > 0 {
                    let x = at as u32 * TILE;
                    let width = (run as u32 * TILE).min(size.width - x);
                    let rect = Rect {
                        x,
                        y: top,
                        width,
                        height,
                    };
                    // The same tiles one row further down belong to the same rectangle.
                    match found.iter_mut().find(|above| {
                        above.x == x && above.width == width && above.y + above.height == top
                    }) {
                        Some(above) => above.height += height,
                        None => found.push(rect),
                    }
                }
                at += run.max(1);
            }
        }
        found
    }

    /// Takes over a part that is known to have changed, if there is a picture to keep up to date. `data` begins at the
    /// part's first pixel.
    #[cfg(any(target_os = "linux", test))]
    pub(super) fn note(&mut self, rect: Rect, data: &[u8], stride: usize) {
        if self.last.is_empty() {
            return;
        }
        let row = self.size.width as usize * 4;
        let width = rect.width as usize * 4;
        for (y, line) in (rect.y as usize..).zip(data.chunks(stride).take(rect.height as usize)) {
            let start = y * row + rect.x as usize * 4;
            if let (Some(old), Some(new)) =
                (self.last.get_mut(start..start + width), line.get(..width))
            {
                old.copy_from_slice(new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn what_changed_is_found_by_tiles_and_only_once() {
        let size = Size::checked(200, 150).unwrap();
        let stride = 200 * 4 + 32;
        let mut data = vec![7; stride * 150];
        let mut differ = Differ::default();
        assert_eq!(differ.compare(size, &data, stride), [Rect::all(size)]);
        assert!(differ.compare(size, &data, stride).is_empty());
        // Padding is no picture.
        data[200 * 4 + 5] = 1;
        assert!(differ.compare(size, &data, stride).is_empty());
        // Two tiles below each other, and one at the lower right edge.
        data[10 * stride + 70 * 4] = 1;
        data[100 * stride + 100 * 4] = 1;
        data[149 * stride + 199 * 4] = 1;
        assert_eq!(
            differ.compare(size, &data, stride),
            [rect(64, 0, 64, 128), rect(192, 128, 8, 22)]
        );
        assert!(differ.compare(size, &data, stride).is_empty());
    }

    #[test]
    fn what_somebody_else_told_is_not_found_again() {
        let size = Size::checked(64, 64).unwrap();
        let mut data = vec![0; 64 * 64 * 4];
        let mut differ = Differ::default();
        let _ = differ.compare(size, &data, 256);
        let start = 10 * 256 + 20 * 4;
        data[start] = 9;
        differ.note(rect(20, 10, 2, 2), &data[start..], 256);
        assert!(differ.compare(size, &data, 256).is_empty());
        differ.forget();
        assert_eq!(differ.compare(size, &data, 256), [Rect::all(size)]);
    }

    #[test]
    fn a_picture_that_is_too_short_changes_nothing() {
        let size = Size::checked(64, 64).unwrap();
        let mut differ = Differ::default();
        assert!(differ.compare(size, &[0; 100], 256).is_empty());
        assert!(differ.compare(size, &vec![0; 64 * 256], 255).is_empty());
    }
}
