//! What a buffer from the compositor means: which part of it is the picture, and what of that is new.

use super::library::Region;
use crate::screen::Rect;
use crate::video::Size;

/// More rectangles than this are taken as one around them all.
const MOST_RECTANGLES: usize = 48;

/// What has changed since the last look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Dirty {
    /// These parts of the buffer, in its coordinates.
    Parts(Vec<Region>),
    /// Nobody told: the pictures must be compared.
    Unknown,
}

impl Default for Dirty {
    fn default() -> Self {
        Self::Parts(Vec::new())
    }
}

impl Dirty {
    /// Adds what a newer buffer tells: its list of damaged parts, ended by an empty one, or `None` if it has no list.
    ///
    /// An empty list does not mean that nothing has changed: some compositors leave it empty when they do not know.
    pub(super) fn add(&mut self, damage: Option<&[Region]>) {
        let told = damage.map(|list| {
            let ends = |region: &Region| region.width == 0 || region.height == 0;
            let count = list.iter().position(ends).unwrap_or(list.len());
            &list[..count]
        });
        match (self, told) {
            (Self::Unknown, _) => {}
            (Self::Parts(parts), Some(told)) if !told.is_empty() => {
                parts.extend_from_slice(told);
                if parts.len() > MOST_RECTANGLES {
                    let all = around(parts);
                    parts.clear();
                    parts.push(all);
                }
            }
            (dirty, _) => *dirty = Self::Unknown,
        }
    }
}

fn around(parts: &[Region]) -> Region {
    let side = |start: i32, length: u32| i64::from(start) + i64::from(length);
    let left = parts.iter().map(|part| part.x).min().unwrap_or_default();
    let top = parts.iter().map(|part| part.y).min().unwrap_or_default();
    let right = parts.iter().map(|part| side(part.x, part.width)).max();
    let bottom = parts.iter().map(|part| side(part.y, part.height)).max();
    let length = |end: Option<i64>, start: i32| {
        u32::try_from(end.unwrap_or_default() - i64::from(start)).unwrap_or(u32::MAX)
    };
    Region {
        x: left,
        y: top,
        width: length(right, left),
        height: length(bottom, top),
    }
}

/// The part of a buffer of this size that is the picture: all of it, unless a valid crop says otherwise.
pub(super) fn view(size: (u32, u32), crop: Option<Region>) -> Option<(Rect, Size)> {
    let whole = Rect {
        x: 0,
        y: 0,
        width: size.0,
        height: size.1,
    };
    let cropped = crop.and_then(|crop| {
        let rect = Rect {
            x: u32::try_from(crop.x).ok()?,
            y: u32::try_from(crop.y).ok()?,
            width: crop.width,
            height: crop.height,
        };
        let inside = !rect.is_empty()
            && rect.x.checked_add(rect.width)? <= size.0
            && rect.y.checked_add(rect.height)? <= size.1;
        inside.then_some(rect)
    });
    let rect = cropped.unwrap_or(whole);
    Some((rect, Size::checked(rect.width, rect.height)?))
}

/// A damaged part of a buffer as a part of the picture in it, with even corners; `None` if it lies outside.
pub(super) fn placed(part: Region, view: Rect, size: Size) -> Option<Rect> {
    let clamp = |value: i64, start: u32, most: u32| {
        (value - i64::from(start)).clamp(0, i64::from(most)) as u32
    };
    let x = clamp(part.x.into(), view.x, size.width);
    let y = clamp(part.y.into(), view.y, size.height);
    let right = i64::from(part.x) + i64::from(part.width);
    let bottom = i64::from(part.y) + i64::from(part.height);
    let rect = Rect {
        x,
        y,
        width: clamp(right, view.x, size.width) - x,
        height: clamp(bottom, view.y, size.height) - y,
    };
    (!rect.is_empty()).then(|| rect.even_in(size))
}

/// How a pixel's four bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As we want them.
    Blue,
    /// Red and blue change places.
    Red,
}

impl Order {
    /// BGRx, BGRA, RGBx and RGBA of `enum spa_video_format`; the first is preferred.
    pub(super) const FORMATS: [u32; 4] = [8, 12, 7, 11];

    /// What a format means; `None` if we did not offer it.
    pub(super) fn of(format: u32) -> Option<Self> {
        match format {
            8 | 12 => Some(Self::Blue),
            7 | 11 => Some(Self::Red),
            _ => None,
        }
    }
}

/// Copies a part of a picture with red and blue exchanged, without padding. `data` begins at the part's first pixel.
pub(super) fn swapped(rect: Rect, data: &[u8], stride: usize, into: &mut Vec<u8>) {
    let row = rect.width as usize * 4;
    into.clear();
    into.reserve(row * rect.height as usize);
    for line in data.chunks(stride).take(rect.height as usize) {
        for pixel in line[..row.min(line.len())].chunks_exact(4) {
            into.extend([pixel[2], pixel[1], pixel[0], pixel[3]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(x: i32, y: i32, width: u32, height: u32) -> Region {
        Region {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn damage_adds_up_until_somebody_does_not_tell() {
        let mut dirty = Dirty::default();
        let list = [region(1, 2, 3, 4), region(0, 0, 0, 0), region(9, 9, 9, 9)];
        dirty.add(Some(&list));
        assert_eq!(dirty, Dirty::Parts(vec![list[0]]));
        for _ in 0..60 {
            dirty.add(Some(&[region(-5, 0, 10, 10), region(100, 50, 8, 8)]));
        }
        let Dirty::Parts(parts) = &dirty else {
            panic!("{dirty:?}")
        };
        assert!(parts.len() <= MOST_RECTANGLES && parts.contains(&region(-5, 0, 113, 58)));
        dirty.add(Some(&[]));
        assert_eq!(dirty, Dirty::Unknown);
        let mut dirty = Dirty::default();
        dirty.add(None);
        dirty.add(Some(&list));
        assert_eq!(dirty, Dirty::Unknown);
    }

    #[test]
    fn a_crop_counts_only_inside_the_buffer() {
        let whole = view((100, 50), None).unwrap();
        assert_eq!(whole.1, Size::checked(100, 50).unwrap());
        let (rect, size) = view((100, 50), Some(region(10, 5, 60, 40))).unwrap();
        assert_eq!((rect.x, rect.y), (10, 5));
        assert_eq!(size, Size::checked(60, 40).unwrap());
        for wrong in [
            region(-1, 0, 10, 10),
            region(0, 0, 101, 10),
            region(5, 5, 0, 0),
            region(5, 5, u32::MAX, 2),
        ] {
            assert_eq!(view((100, 50), Some(wrong)), Some(whole), "{wrong:?}");
        }
        assert_eq!(view((0, 50), None), None);
        assert_eq!(view((99_999, 50), None), None);
    }

    #[test]
    fn damage_is_moved_into_the_crop_and_cut_at_its_edges() {
        let (view, size) = view((200, 100), Some(region(50, 20, 100, 60))).unwrap();
        let at = |x, y, width, height| placed(region(x, y, width, height), view, size);
        let rect = |x, y, width, height| {
            Some(Rect {
                x,
                y,
                width,
                height,
            })
        };
        assert_eq!(at(0, 0, 60, 30), rect(0, 0, 10, 10));
        assert_eq!(at(61, 31, 3, 3), rect(10, 10, 4, 4));
        assert_eq!(at(0, 0, 10, 10), None);
        assert_eq!(
            at(i32::MIN, i32::MIN, u32::MAX, u32::MAX),
            rect(0, 0, 100, 60)
        );
        assert_eq!(at(i32::MAX, 30, u32::MAX, 4), None);
    }

    #[test]
    fn red_and_blue_change_places_and_padding_is_left_out() {
        let mut swap = Vec::new();
        let data = [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 9, 10, 11, 12, 13, 14, 15, 16];
        let rect = Rect {
            x: 0,
            y: 0,
            width: 2,
            height: 2,
        };
        swapped(rect, &data, 10, &mut swap);
        assert_eq!(
            swap,
            [3, 2, 1, 4, 7, 6, 5, 8, 11, 10, 9, 12, 15, 14, 13, 16]
        );
    }
}
