//! Whether a page was scrolled: by how many rows, and which blocks of the picture show it.
//!
//! Rows are compared in strips, by sums of their pixels: a row that is there twice says nothing, one that is there once says how
//! far it has come. What most of them say is tried on every block of 16×16 pixels, pixel by pixel.

use std::collections::HashMap;

use super::Rect;
use crate::video::I420;
use crate::video::moves::{FARTHEST, Moves, chroma_row};

/// Strips that rows are compared in, pixels: narrow enough for two columns of text beside each other.
const STRIP: usize = 128;

/// Rows that must agree, at least, and one of how many of all that say anything.
const LEAST: usize = 24;
const AGREE: usize = 4;

/// Blocks that must have moved for it to be worth a frame.
const WORTH: usize = 48;

/// How much a pixel's colour may differ where a move by an odd number of rows has to guess it.
const ALIKE: u8 = 12;

/// What has become of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scrolled {
    pub(super) moves: Moves,
    /// Blocks in the rectangle that are as they were, where they were.
    pub(super) same: Vec<bool>,
}

/// Compares two pictures of one size within a rectangle. `None` if nothing, or too little, has moved up or down.
pub(super) fn find(old: &I420, new: &I420, within: Rect) -> Option<Scrolled> {
    let size = new.size();
    if old.size() != size {
        return None;
    }
    let by = distance(old, new, within)?;
    let (columns, rows) = (
        size.width.div_ceil(16) as usize,
        size.height.div_ceil(16) as usize,
    );
    let mut found = Scrolled {
        moves: Moves {
            columns,
            rows,
            moved: vec![false; columns * rows],
            by,
        },
        same: vec![false; columns * rows],
    };
    let (left, right) = (within.x / 16, (within.x + within.width).div_ceil(16));
    let (top, bottom) = (within.y / 16, (within.y + within.height).div_ceil(16));
    let mut count = 0;
    for row in top as usize..(bottom as usize).min(rows) {
        for column in left as usize..(right as usize).min(columns) {
            let at = row * columns + column;
            if is_like(old, new, column, row, 0) {
                found.same[at] = true;
            } else if is_like(old, new, column, row, by) {
                found.moves.moved[at] = true;
                count += 1;
            }
        }
    }
    (count >= WORTH).then_some(found)
}

/// What most rows say: new row = old row + this.
fn distance(old: &I420, new: &I420, within: Rect) -> Option<i32> {
    let width = new.size().width as usize;
    let (top, bottom) = (within.y as usize, (within.y + within.height) as usize);
    let (left, right) = (within.x as usize, (within.x + within.width) as usize);
    let mut votes: HashMap<i32, usize> = HashMap::new();
    let mut voters = 0;
    // Where a row of this sum is; none if there are two.
    let mut places: HashMap<u64, Option<usize>> = HashMap::new();
    for start in (left..right).step_by(STRIP) {
        let end = (start + STRIP).min(right);
        let row =
            |picture: &I420, y: usize| sum(&picture.planes().0[y * width + start..y * width + end]);
        places.clear();
        for y in top..bottom {
            places
                .entry(row(old, y))
                .and_modify(|place| *place = None)
                .or_insert(Some(y));
        }
        for y in top..bottom {
            let Some(Some(was)) = places.get(&row(new, y)) else {
                continue;
            };
            voters += 1;
            let by = *was as i64 - y as i64;
            if by != 0 && by.unsigned_abs() <= FARTHEST.unsigned_abs().into() {
                *votes.entry(by as i32).or_default() += 1;
            }
        }
    }
    let (by, count) = votes
        .into_iter()
        .max_by_key(|(by, count)| (*count, -by.abs(), *by))?;
    (count >= LEAST && count * AGREE >= voters).then_some(by)
}

/// A sum of a row that is another one for nearly every other row.
fn sum(pixels: &[u8]) -> u64 {
    let mut sum = 0x9e37_79b9_7f4a_7c15_u64;
    let mut words = pixels.chunks_exact(8);
    for word in words.by_ref() {
        let word = word.try_into().map_or(0, u64::from_le_bytes);
        sum = (sum.rotate_left(23) ^ word).wrapping_mul(0x2545_f491_4f6c_dd1d);
    }
    for byte in words.remainder() {
        sum = (sum.rotate_left(23) ^ u64::from(*byte)).wrapping_mul(0x2545_f491_4f6c_dd1d);
    }
    sum
}

/// Whether a block shows what was `by` rows below it. One that is not whole, or was not, is another one.
fn is_like(old: &I420, new: &I420, column: usize, row: usize, by: i32) -> bool {
    let size = new.size();
    let (width, height) = (size.width as usize, size.height as usize);
    let (x, y) = (column * 16, row * 16);
    let from = y as i64 + i64::from(by);
    if x + 16 > width || y + 16 > height || from < 0 || from + 16 > height as i64 {
        return false;
    }
    let from = from as usize;
    let (old_planes, new_planes) = (old.planes(), new.planes());
    let luma = (0..16).all(|line| {
        let (was, is) = ((from + line) * width + x, (y + line) * width + x);
        old_planes.0[was..was + 16] == new_planes.0[is..is + 16]
    });
    if !luma {
        return false;
    }
    let chroma = size.chroma();
    let (wide, high) = (chroma.width as usize, chroma.height as usize);
    let most = if by % 2 == 0 { 0 } else { ALIKE };
    [(old_planes.1, new_planes.1), (old_planes.2, new_planes.2)]
        .into_iter()
        .all(|(old, new)| {
            (0..8).all(|line| {
                let is = (y / 2 + line) * wide + x / 2;
                let mut was = [0; 8];
                chroma_row(old, (wide, high), (x / 2, y / 2 + line), by, &mut was);
                was.iter()
                    .zip(&new[is..is + 8])
                    .all(|(was, is)| was.abs_diff(*is) <= most)
            })
        })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::video::Size;

    const SIZE: Size = Size {
        width: 640,
        height: 360,
    };

    /// Lines of "text" on white, with room between them; `top` is how far the page was scrolled.
    pub(in crate::screen) fn page(size: Size, top: usize) -> I420 {
        let mut picture = I420::black(size);
        let width = size.width as usize;
        for (y, row) in picture.planes_mut().0.chunks_exact_mut(width).enumerate() {
            let y = y + top;
            for (x, pixel) in row.iter_mut().enumerate() {
                let letter = (x as u32 / 7).wrapping_mul(2_654_435_761)
                    ^ (y as u32 / 13).wrapping_mul(40_503);
                let dot = (letter ^ (x as u32 % 7 * 31 + y as u32 % 13 * 101))
                    .wrapping_mul(2_246_822_519);
                let ink = y % 13 < 9 && x % 7 < 5 && dot >> 31 == 1;
                *pixel = if ink { 16 } else { 235 };
            }
        }
        picture
    }

    #[test]
    fn a_page_that_is_scrolled_is_found_up_and_down() {
        for by in [8_i32, 20, 53, -31, 240] {
            let (old, new) = (page(SIZE, 300), page(SIZE, (300 + by) as usize));
            let found = find(&old, &new, Rect::all(SIZE)).unwrap();
            assert_eq!(found.moves.by, by);
            let moved = found.moves.moved.iter().filter(|one| **one).count();
            let there = (360 - by.unsigned_abs() as usize) / 16 - 1;
            assert!(moved >= there * 40, "{moved} of {}", there * 40);
        }
    }

    #[test]
    fn beside_what_stands_still_and_what_is_new_only_the_page_has_moved() {
        let (old, mut new) = (page(SIZE, 0), page(SIZE, 24));
        let width = SIZE.width as usize;
        for (y, row) in new.planes_mut().0.chunks_exact_mut(width).enumerate() {
            // A list at the left that stands still, and a head that is new.
            row[..160].copy_from_slice(&old.planes().0[y * width..y * width + 160]);
            if y < 32 {
                row[160..].fill(y as u8);
            }
        }
        let found = find(&old, &new, Rect::all(SIZE)).unwrap();
        assert_eq!(found.moves.by, 24);
        for (at, (moved, same)) in found.moves.moved.iter().zip(&found.same).enumerate() {
            let (column, row) = (at % 40, at / 40);
            assert!(!moved || (column >= 10 && row >= 2), "{column} {row}");
            assert_eq!(*same, column < 10 && row < 22, "{column} {row}");
        }
    }

    #[test]
    fn another_page_and_a_few_moved_lines_are_no_scrolling() {
        let old = page(SIZE, 0);
        assert_eq!(find(&old, &page(SIZE, 5_000), Rect::all(SIZE)), None);
        assert_eq!(find(&old, &old, Rect::all(SIZE)), None);
        let grey = I420::black(SIZE);
        assert_eq!(find(&grey, &grey, Rect::all(SIZE)), None);
        let small = Rect {
            x: 0,
            y: 0,
            width: 64,
            height: 64,
        };
        assert_eq!(find(&old, &page(SIZE, 16), small), None);
        let other = Size::checked(320, 200).unwrap();
        assert_eq!(find(&page(other, 0), &old, Rect::all(SIZE)), None);
    }
}
