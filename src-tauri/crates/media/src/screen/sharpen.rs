//! Which parts of the picture are worth encoding: those that changed, until they are sharp.
//!
//! A macroblock (16×16 pixels) that changed is encoded with the next picture, and again with the following ones until
//! the encoder's quantizer says that it is fine: under motion a picture is coarse, and when it stops it becomes
//! sharp. After that it costs nothing: the encoder's active map leaves it out, and if nothing is left over no picture
//! is encoded at all.

use super::Rect;
use super::scroll::Scrolled;
use crate::video::Size;
use crate::video::moves::Moves;

/// Encodings that a changed block gets at least: the second one repairs what the first one's rounding left.
const LEAST: u8 = 2;

/// Encodings that a changed block gets at most: with 10 pictures a second, two seconds. A rate too low for this
/// picture will not get better by trying on.
const MOST: u8 = 20;

/// A quantizer (0 to 63) that leaves nothing to be desired: text is sharp.
const FINE: u8 = 12;

/// The state of all macroblocks of one encoding.
#[derive(Clone, Debug)]
pub struct Sharpening {
    columns: usize,
    rows: usize,
    /// Encodings since the block changed, with a floor: see [`Sharpening::encoded`]. `DONE` rests.
    tries: Vec<u8>,
    /// The same after the last encoding: what has changed since does not count.
    settled: Vec<u8>,
    active: Vec<u8>,
    pending: usize,
    /// So many blocks that have been seen already are encoded once more with the next picture.
    coarse: usize,
}

const DONE: u8 = u8::MAX;

impl Sharpening {
    /// Of a picture that nobody has seen yet.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let (columns, rows) = (
            size.width.div_ceil(16) as usize,
            size.height.div_ceil(16) as usize,
        );
        Self {
            columns,
            rows,
            tries: vec![0; columns * rows],
            settled: vec![0; columns * rows],
            active: vec![1; columns * rows],
            pending: columns * rows,
            coarse: usize::MAX,
        }
    }

    /// How many blocks that are coarse the next picture may make finer; what is new comes anyway. False if that leaves nothing.
    pub(super) fn admit(&mut self, coarse: usize) -> bool {
        self.coarse = coarse;
        self.tries.contains(&0) || (coarse > 0 && self.pending > 0)
    }

    /// What the next picture encodes. The lowest first: most pages are scrolled down, and what comes into sight stays longest.
    fn choose(&mut self) {
        let mut coarse = self.coarse;
        for (active, tries) in self.active.iter_mut().zip(&self.tries).rev() {
            let wanted = *tries == 0 || (*tries != DONE && coarse > 0);
            coarse -= usize::from(wanted && *tries > 0);
            *active = u8::from(wanted);
        }
    }

    /// This part has changed.
    pub fn changed(&mut self, rect: Rect) {
        if rect.is_empty() {
            return;
        }
        let (left, top) = (rect.x as usize / 16, rect.y as usize / 16);
        let right = ((rect.x + rect.width) as usize)
            .div_ceil(16)
            .min(self.columns);
        let bottom = ((rect.y + rect.height) as usize)
            .div_ceil(16)
            .min(self.rows);
        for row in top..bottom {
            let start = row * self.columns;
            for tries in &mut self.tries[start + left.min(right)..start + right] {
                if *tries == DONE {
                    self.pending += 1;
                }
                *tries = 0;
            }
        }
    }

    /// Blocks have moved, and took with them how sharp they were; `same` ones have not changed after all.
    pub(super) fn moved(&mut self, scrolled: &Scrolled) {
        let Moves { rows, by, .. } = scrolled.moves;
        let before = std::mem::take(&mut self.settled);
        for (at, tries) in self.tries.iter_mut().enumerate() {
            if scrolled.same.get(at) == Some(&true) {
                *tries = before[at];
            } else if scrolled.moves.moved.get(at) == Some(&true) {
                let (column, row) = (at % self.columns, at / self.columns);
                let top = (row as i64 * 16 + i64::from(by)).max(0) as usize;
                // It lay in one block, or across two: the coarser one counts.
                let (first, last) = (top / 16, top.div_ceil(16));
                *tries = [first, last]
                    .into_iter()
                    .map(|row| before[row.min(rows - 1) * self.columns + column])
                    .min()
                    .unwrap_or(0);
            }
        }
        self.pending = self.tries.iter().filter(|tries| **tries != DONE).count();
        self.settled = self.tries.clone();
    }

    /// Everything must be encoded again: somebody needs a key frame.
    pub fn all_changed(&mut self) {
        self.tries.fill(0);
        self.pending = self.tries.len();
    }

    /// There is something to encode.
    #[must_use]
    pub fn pending(&self) -> bool {
        self.pending > 0
    }

    /// Share of the picture to encode, 0..1.
    #[must_use]
    pub fn share(&self) -> f32 {
        self.pending as f32 / self.tries.len().max(1) as f32
    }

    /// The encoder's active map; `None` if everything is active.
    pub fn map(&mut self) -> Option<&[u8]> {
        self.choose();
        if self.active.iter().all(|active| *active == 1) {
            return None;
        }
        Some(&self.active)
    }

    /// A picture was encoded, with this quantizer.
    pub fn encoded(&mut self, quantizer: u8) {
        let fine = quantizer <= FINE;
        self.choose();
        let mut pending = 0;
        for (tries, active) in self.tries.iter_mut().zip(&self.active) {
            if *tries == DONE {
                continue;
            }
            if *active == 0 {
                pending += 1;
                continue;
            }
            *tries += 1;
            if *tries >= MOST || (fine && *tries >= LEAST) {
                *tries = DONE;
            } else {
                pending += 1;
            }
        }
        self.pending = pending;
        self.settled.clone_from(&self.tries);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 100,
        height: 50,
    };

    #[test]
    fn a_new_picture_is_encoded_whole_until_it_is_fine() {
        let mut sharpening = Sharpening::new(SIZE);
        assert!(sharpening.map().is_none());
        for quantizer in [50, 40, 20] {
            sharpening.encoded(quantizer);
            assert!(sharpening.pending());
        }
        sharpening.encoded(FINE);
        assert!(!sharpening.pending());
    }

    #[test]
    fn only_what_changed_is_active_and_it_rests_when_it_is_fine() {
        let mut sharpening = Sharpening::new(SIZE);
        sharpening.encoded(4);
        sharpening.encoded(4);
        let rect = Rect {
            x: 30,
            y: 16,
            width: 4,
            height: 2,
        };
        sharpening.changed(rect);
        let map = sharpening.map().unwrap().to_vec();
        assert_eq!(map.len(), 7 * 4);
        let active: Vec<usize> = (0..map.len()).filter(|at| map[*at] == 1).collect();
        assert_eq!(active, [8, 9]);
        sharpening.encoded(4);
        assert!(sharpening.pending());
        // It changes again meanwhile: counted anew.
        sharpening.changed(rect);
        sharpening.encoded(4);
        assert!(sharpening.pending());
        sharpening.encoded(4);
        assert!(!sharpening.pending());
    }

    #[test]
    fn a_rate_that_is_too_low_does_not_keep_the_encoder_busy_for_ever() {
        let mut sharpening = Sharpening::new(SIZE);
        let mut encodings = 0;
        while sharpening.pending() {
            sharpening.encoded(56);
            encodings += 1;
        }
        assert_eq!(encodings, u32::from(MOST));
        sharpening.all_changed();
        assert!(sharpening.pending());
    }

    #[test]
    fn what_moves_takes_its_sharpness_along() {
        let mut sharpening = Sharpening::new(SIZE);
        sharpening.encoded(4);
        sharpening.encoded(4);
        let line = |y: u32| Rect {
            x: 0,
            y,
            width: 100,
            height: 16,
        };
        sharpening.changed(line(32));
        sharpening.encoded(40);
        // The third row of blocks is coarse. Everything moves up by eight rows, but for the last row of blocks.
        sharpening.changed(Rect::all(SIZE));
        let moved = (0..28).map(|at| at < 14).collect();
        let moves = Moves {
            columns: 7,
            rows: 4,
            moved,
            by: 8,
        };
        let same = (0..28).map(|at| at >= 21).collect();
        sharpening.moved(&Scrolled { moves, same });
        let active: Vec<u8> = sharpening.map().unwrap().to_vec();
        assert_eq!(active[..7], [0; 7], "sharp, and still sharp");
        assert_eq!(active[7..14], [1; 7], "half of it was coarse");
        assert_eq!(active[14..21], [1; 7], "new");
        assert_eq!(active[21..], [0; 7], "not changed after all");
    }

    #[test]
    fn what_is_coarse_waits_for_what_is_new() {
        let mut sharpening = Sharpening::new(SIZE);
        sharpening.encoded(50);
        assert!(!sharpening.admit(0), "nothing is new");
        sharpening.changed(Rect {
            x: 0,
            y: 0,
            width: 16,
            height: 16,
        });
        assert!(sharpening.admit(0));
        assert_eq!(sharpening.map().unwrap().iter().sum::<u8>(), 1);
        sharpening.encoded(50);
        assert!(sharpening.pending(), "the others still are");
        assert!(sharpening.admit(5));
        assert_eq!(sharpening.map().unwrap()[23..], [1; 5], "the lowest");
        assert!(sharpening.admit(usize::MAX));
        assert!(sharpening.map().is_none(), "all of them");
    }

    #[test]
    fn rectangles_beyond_the_edge_are_cut() {
        let mut sharpening = Sharpening::new(SIZE);
        while sharpening.pending() {
            sharpening.encoded(4);
        }
        sharpening.changed(Rect {
            x: 5000,
            y: 0,
            width: 5,
            height: 5,
        });
        sharpening.changed(Rect {
            x: 0,
            y: 5000,
            width: 5,
            height: 5,
        });
        assert!(!sharpening.pending());
        sharpening.changed(Rect {
            x: 96,
            y: 48,
            width: 5000,
            height: 5000,
        });
        assert!((sharpening.share() - 1.0 / 28.0).abs() < 1e-6);
    }
}
