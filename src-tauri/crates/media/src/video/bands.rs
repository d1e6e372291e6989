//! What has changed between two pictures, by bands of rows: whoever has the one needs only these of the other.
//!
//! VP8 packs squares of 16 pixels, and what it leaves alone stays the same to the last bit. Of a screen on which
//! somebody types, most bands stay.

use std::collections::VecDeque;

use super::{I420, MAX_SIDE, Size};

/// Rows of a band: a macroblock of VP8.
const ROWS: u32 = 16;

/// Bits for the bands of the highest picture.
const WORDS: usize = (MAX_SIDE / ROWS / 64) as usize;

/// Rows around a band that are taken for changed too when it is made smaller: a pixel averages what it touches, and
/// colours lie between the rows.
const EDGE: u32 = 4;

/// Unchanged rows between two bands that are not worth a gap.
const GAP: u32 = 16;

/// Some bands of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bands([u64; WORDS]);

impl Bands {
    /// Those in which two pictures differ; `None` if their sizes do.
    #[must_use]
    pub fn between(one: &I420, other: &I420) -> Option<Self> {
        if one.size() != other.size() {
            return None;
        }
        let size = one.size();
        let mut bands = Self::default();
        let (a, b) = (one.planes(), other.planes());
        let (luma, colour) = (size.width as usize, size.chroma().width as usize);
        bands.compare(a.0, b.0, luma * ROWS as usize);
        bands.compare(a.1, b.1, colour * ROWS as usize / 2);
        bands.compare(a.2, b.2, colour * ROWS as usize / 2);
        Some(bands)
    }

    fn compare(&mut self, one: &[u8], other: &[u8], bytes: usize) {
        for (band, (a, b)) in one.chunks(bytes).zip(other.chunks(bytes)).enumerate() {
            if !self.has(band) && a != b {
                self.0[band / 64] |= 1 << (band % 64);
            }
        }
    }

    fn has(&self, band: usize) -> bool {
        self.0[band / 64] & (1 << (band % 64)) != 0
    }

    /// Takes others in.
    pub fn unite(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    /// The rows that they touch in a picture of `from` shown as large as `to`: from the top downwards, beginning and end
    /// even (or the end of the picture), never touching each other.
    #[must_use]
    pub fn rows(&self, from: Size, to: Size) -> Vec<(u32, u32)> {
        let mut rows: Vec<(u32, u32)> = Vec::new();
        let count = from.height.div_ceil(ROWS) as usize;
        for band in (0..count).filter(|band| self.has(*band)) {
            let (top, bottom) = (band as u32 * ROWS, (band as u32 + 1) * ROWS);
            let (top, bottom) = if from == to {
                (top, bottom)
            } else {
                let up = u64::from(top) * u64::from(to.height) / u64::from(from.height);
                let down =
                    (u64::from(bottom) * u64::from(to.height)).div_ceil(u64::from(from.height));
                (
                    (up as u32).saturating_sub(EDGE) & !1,
                    (down as u32 + EDGE).next_multiple_of(2),
                )
            };
            let (top, bottom) = (top.min(to.height & !1), bottom.min(to.height));
            match rows.last_mut() {
                Some((_, end)) if top <= *end + GAP => *end = bottom.max(*end),
                _ if top < bottom => rows.push((top, bottom)),
                _ => {}
            }
        }
        rows
    }
}

/// Pictures of which it is known what they changed; older ones are forgotten.
const REMEMBERED: usize = 64;

/// What the last pictures changed, each after the one before.
#[derive(Debug, Default)]
pub(super) struct Changes(VecDeque<(u64, Bands)>);

impl Changes {
    /// A picture has come, with this number; `None` changes everything.
    pub(super) fn push(&mut self, number: u64, changed: Option<Bands>) {
        if changed.is_none() {
            self.0.clear();
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((number, changed.unwrap_or_default()));
    }

    /// What has changed since a picture; `None` if that is not known.
    pub(super) fn since(&self, number: u64) -> Option<Bands> {
        let at = self.0.iter().position(|(other, _)| *other == number)?;
        let mut all = Bands::default();
        for (_, bands) in self.0.range(at + 1..) {
            all.unite(bands);
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look like chance, the same in every run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, end: u32) -> u32 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((self.0 >> 33) % u64::from(end)) as u32
        }
    }

    #[test]
    fn only_what_differs_is_named() {
        let size = Size::checked(64, 100).unwrap();
        let one = I420::black(size);
        assert_eq!(Bands::between(&one, &one), Some(Bands::default()));
        assert_eq!(
            Bands::between(&one, &I420::black(Size::checked(64, 98).unwrap())),
            None
        );
        let mut other = one.clone();
        other.planes_mut().0[64 * 17] = 1;
        // Chroma row 49 stands for luma rows 98 and 99: the last band, which is cut off.
        other.planes_mut().2[32 * 49] = 1;
        let bands = Bands::between(&one, &other).unwrap();
        assert_eq!(bands.rows(size, size), [(16, 32), (96, 100)]);
    }

    #[test]
    fn a_smaller_picture_made_new_in_the_changed_rows_only_is_as_if_made_whole() {
        let mut dice = Dice(7);
        for _ in 0..60 {
            let from = Size::checked(2 + dice.below(90), 2 + dice.below(200)).unwrap();
            let to = Size::checked(
                2 + dice.below(from.width - 1),
                2 + dice.below(from.height - 1),
            )
            .unwrap();
            let mut old = I420::black(from);
            let (y, u, v) = old.planes_mut();
            for byte in y.iter_mut().chain(u).chain(v) {
                *byte = dice.below(256) as u8;
            }
            let mut new = old.clone();
            let (y, _, v) = new.planes_mut();
            for plane in [y, v] {
                let at = dice.below(plane.len() as u32) as usize;
                plane[at] = !plane[at];
            }
            let bands = Bands::between(&old, &new).unwrap();
            let whole = new.scaled(to);
            let mut partly = old.scaled(to);
            for (top, bottom) in bands.rows(from, to) {
                assert!(top < bottom && top % 2 == 0 && (bottom % 2 == 0 || bottom == to.height));
                partly.copy_rows(&whole, top, bottom - top);
                let mut part = Vec::new();
                new.scaled_rows(to, (top, bottom), &mut part);
                let mut expected = Vec::new();
                whole.scaled_rows(to, (top, bottom), &mut expected);
                assert_eq!(part, expected);
            }
            assert_eq!(partly, whole, "{from} as {to}");
        }
    }

    #[test]
    fn changes_add_up_until_they_are_forgotten() {
        let band = |n: u64| {
            let mut bands = Bands::default();
            bands.0[0] = 1 << n;
            bands
        };
        let mut changes = Changes::default();
        changes.push(10, None);
        changes.push(12, Some(band(0)));
        changes.push(13, Some(band(3)));
        assert_eq!(changes.since(13), Some(Bands::default()));
        assert_eq!(changes.since(12), Some(band(3)));
        assert_eq!(changes.since(10).unwrap().0[0], 0b1001);
        assert_eq!(changes.since(11), None, "that picture was never shown");
        changes.push(14, None);
        assert_eq!(changes.since(13), None, "all is new");
        for number in 15..200 {
            changes.push(number, Some(band(1)));
        }
        assert_eq!(changes.since(14), None);
        assert_eq!(changes.since(199 - 63), Some(band(1)));
    }
}
