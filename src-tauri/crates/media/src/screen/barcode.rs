//! Numbers in pixels: a bar code that survives every codec, with which a picture tells when it was painted.
//!
//! 32 black or white cells of 40×40 pixels in a row at the upper left: 31 bits, highest first, then one that makes the
//! number of white cells even. The benchmark's painter and the other clients' pages read and write the same.

use crate::video::I420;

/// Cells in the code.
pub const CELLS: u32 = 32;

/// Side of a cell, pixels, in the picture as it was painted.
pub const CELL: u32 = 40;

/// The cells of a number, of which the lowest 31 bits count: true is white.
#[must_use]
pub fn cells(number: u32) -> [bool; CELLS as usize] {
    let mut cells = [false; CELLS as usize];
    let mut even = false;
    for (at, cell) in cells.iter_mut().take(31).enumerate() {
        *cell = number >> (30 - at) & 1 == 1;
        even ^= *cell;
    }
    cells[31] = even;
    cells
}

/// Reads the number out of a picture, whose width was `painted` pixels originally (it may have been scaled since).
/// `None` without a code, or with a damaged one.
#[must_use]
pub fn read(picture: &I420, painted: u32) -> Option<u32> {
    let size = picture.size();
    if painted < CELLS * CELL {
        return None;
    }
    let row = u64::from(CELL / 2) * u64::from(size.width) / u64::from(painted);
    let (y, _, _) = picture.planes();
    let line = y.get(row as usize * size.width as usize..)?;
    let mut number = 0_u32;
    let mut even = false;
    for at in 0..CELLS {
        let column = u64::from(at * CELL + CELL / 2) * u64::from(size.width) / u64::from(painted);
        let value = *line.get(column as usize)?;
        // Neither black nor white is no code.
        let white = match value {
            0..=90 => false,
            160..=255 => true,
            _ => return None,
        };
        even ^= white;
        if at < 31 {
            number = number << 1 | u32::from(white);
        }
    }
    // All black is what an empty screen looks like.
    (!even && number != 0).then_some(number)
}

/// Milliseconds of the wall clock, as the code carries them: the lowest 31 bits.
#[must_use]
pub fn now() -> u32 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    (now.map_or(0, |since| since.as_millis()) & 0x7fff_ffff) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::Size;

    fn painted(number: u32) -> I420 {
        let size = Size::checked(1280, 64).unwrap();
        let mut picture = I420::black(size);
        for row in picture.planes_mut().0.chunks_exact_mut(1280).take(40) {
            for (at, white) in cells(number).into_iter().enumerate() {
                row[at * 40..][..40].fill(if white { 235 } else { 16 });
            }
        }
        picture
    }

    #[test]
    fn numbers_are_read_back_from_smaller_pictures_too() {
        for number in [1, 0x7fff_ffff, 0x1234_5678, 1_700_000_000] {
            let picture = painted(number);
            assert_eq!(read(&picture, 1280), Some(number));
            let half = picture.scaled(Size::checked(640, 32).unwrap());
            assert_eq!(read(&half, 1280), Some(number));
        }
    }

    #[test]
    fn what_is_no_code_is_not_read() {
        let mut picture = painted(77);
        picture.planes_mut().0[20 * 1280 + 20] = 235;
        assert_eq!(read(&picture, 1280), None);
        picture.planes_mut().0[20 * 1280 + 20] = 120;
        assert_eq!(read(&picture, 1280), None);
        assert_eq!(
            read(&I420::black(Size::checked(1280, 64).unwrap()), 1280),
            None
        );
        assert_eq!(read(&I420::black(Size::checked(4, 4).unwrap()), 1280), None);
    }
}
