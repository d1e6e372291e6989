//! A VP8 frame of our own making: parts of the picture move up or down, and nothing else happens.
//!
//! libvpx looks for movement near where it expects it. A page that is scrolled has moved by more than that, all of it looks new,
//! and a picture of text is as large as a key frame. Whoever knows by how much it has moved says so in a byte or two for each
//! sixteenth of a line: this is that frame (RFC 6386 §9 and §19). It has no residue and no filter, so that what it shows is
//! known to the last bit ([`Reference::shifted`]), and it leaves the decoder's probabilities as they were.

/// Rows that a block may move by: what a vector says in quarters of a pixel (RFC 6386 §17.2).
pub const FARTHEST: i32 = 255;

/// Which blocks of 16×16 pixels move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moves {
    /// Blocks in a row.
    pub columns: usize,
    /// Rows of blocks.
    pub rows: usize,
    /// Row by row: whether the block shows what was `by` rows below it. It lies within the picture there.
    pub moved: Vec<bool>,
    /// Pixels, −255 to 255.
    pub by: i32,
}

/// The planes that an encoder predicts from, in whole blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Pixels, a multiple of 16.
    pub width: usize,
    /// Likewise.
    pub height: usize,
    /// Y, U and V, rows without padding.
    pub data: Vec<u8>,
}

impl Reference {
    /// What the decoder has after the frame.
    #[must_use]
    pub fn shifted(&self, moves: &Moves) -> Self {
        let mut new = self.clone();
        let luma = self.width * self.height;
        let (wide, high) = (self.width / 2, self.height / 2);
        let blocks = moves.moved.iter().enumerate().filter(|(_, moved)| **moved);
        for (at, _) in blocks {
            let (column, row) = (at % moves.columns, at / moves.columns);
            for line in 0..16 {
                let to = (row * 16 + line) * self.width + column * 16;
                let from =
                    clamped(row * 16 + line, moves.by, self.height) * self.width + column * 16;
                new.data[to..to + 16].copy_from_slice(&self.data[from..from + 16]);
            }
            for plane in 0..2 {
                let start = luma + plane * wide * high;
                let old = &self.data[start..start + wide * high];
                for line in 0..8 {
                    let to = start + (row * 8 + line) * wide + column * 8;
                    chroma_row(
                        old,
                        (wide, high),
                        (column * 8, row * 8 + line),
                        moves.by,
                        &mut new.data[to..to + 8],
                    );
                }
            }
        }
        new
    }
}

fn clamped(row: usize, by: i32, height: usize) -> usize {
    let row = i64::try_from(row).unwrap_or(i64::MAX) + i64::from(by);
    usize::try_from(row.max(0)).map_or(0, |row| row.min(height.saturating_sub(1)))
}

/// Some pixels of a row of chroma after a move of `by` rows of luma: half as many, and in between for an odd number
/// (the filter of six taps, RFC 6386 §18.3).
pub(crate) fn chroma_row(
    plane: &[u8],
    (width, height): (usize, usize),
    (x, y): (usize, usize),
    by: i32,
    into: &mut [u8],
) {
    let line = |offset: i32| {
        let start = clamped(y, offset, height) * width + x;
        &plane[start..start + into.len()]
    };
    let whole = by.div_euclid(2);
    if by % 2 == 0 {
        into.copy_from_slice(line(whole));
        return;
    }
    let lines = [-2, -1, 0, 1, 2, 3].map(|tap| line(whole + tap));
    for (at, pixel) in into.iter_mut().enumerate() {
        let taps = [3, -16, 77, 77, -16, 3];
        let sum: i32 = lines
            .iter()
            .zip(taps)
            .map(|(line, tap)| i32::from(line[at]) * tap)
            .sum();
        *pixel = ((sum + 64) >> 7).clamp(0, 255) as u8;
    }
}

/// The frame. `None` if the moves are none that it can say.
#[must_use]
pub fn frame(moves: &Moves) -> Option<Vec<u8>> {
    let Moves {
        columns, rows, by, ..
    } = *moves;
    if moves.moved.len() != columns * rows || by == 0 || by.abs() > FARTHEST {
        return None;
    }
    let mut bits = Bits::default();
    // No segments, normal filter at level 0 (none at all), sharpness 0, no adjustments, one partition.
    bits.literal(1, 0);
    bits.literal(1, 0);
    bits.literal(6, 0);
    bits.literal(3, 0);
    bits.literal(1, 0);
    bits.literal(2, 0);
    // A quantizer that nothing is multiplied with, and no differences from it.
    bits.literal(7, 0);
    bits.literal(5, 0);
    // All three references become this picture: of the encoder's we know too little to leave one alone.
    bits.literal(1, 1);
    bits.literal(1, 1);
    bits.literal(2, 0);
    // Probabilities are as before when this is over; the last picture is this one.
    bits.literal(1, 0);
    bits.literal(1, 1);
    for row in COEFFICIENT_UPDATES {
        for at in 0..11 {
            bits.put(row.get(at).copied().unwrap_or(255), false);
        }
    }
    // Blocks may say that they have no residue, and all do; all are predicted from the last picture.
    bits.literal(1, 1);
    bits.literal(8, 1);
    bits.literal(8, 1);
    bits.literal(8, 255);
    bits.literal(8, 128);
    bits.literal(1, 0);
    bits.literal(1, 0);
    for (updates, vectors) in VECTOR_UPDATES.iter().zip(VECTORS) {
        for (update, to) in updates.iter().zip(vectors) {
            bits.put(*update, true);
            bits.literal(7, u32::from(to / 2));
        }
    }
    for row in 0..rows {
        for column in 0..columns {
            bits.put(1, true);
            bits.put(1, true);
            bits.put(255, false);
            block(&mut bits, moves, column, row)?;
        }
    }
    let first = bits.end();
    let length = u32::try_from(first.len())
        .ok()
        .filter(|length| *length < 1 << 19)?;
    // Not a key frame, version 0, to be shown.
    let tag = 1 | (1 << 4) | (length << 5);
    let mut frame = tag.to_le_bytes()[..3].to_vec();
    frame.extend(first);
    // The partition of residues: decoders want one, although nobody reads it.
    frame.extend([0; 4]);
    Some(frame)
}

/// How one block is predicted (RFC 6386 §16.3).
fn block(bits: &mut Bits, moves: &Moves, column: usize, row: usize) -> Option<()> {
    let Moves {
        columns, rows, by, ..
    } = *moves;
    let moved = |column: usize, row: usize| moves.moved[row * columns + column];
    let vector = |column, row| if moved(column, row) { by } else { 0 };
    let above = (row > 0).then(|| vector(column, row - 1));
    let left = (column > 0).then(|| vector(column - 1, row));
    let corner = (row > 0 && column > 0).then(|| vector(column - 1, row - 1));
    // There are two vectors only, so that of the three that are kept (none, nearest, near) the last is never there.
    let mut counts = [0_usize; 4];
    let mut found = false;
    for (neighbour, weight) in [(above, 2), (left, 2), (corner, 1)] {
        match neighbour {
            None => {}
            Some(0) => counts[0] += weight,
            Some(_) => {
                found = true;
                counts[1] += weight;
            }
        }
    }
    let inside = |vector: i32| {
        let (row, rows) = (i32::try_from(row).ok()?, i32::try_from(rows).ok()?);
        Some(vector.clamp(-(row + 1) * 16, (rows - row) * 16))
    };
    let nearest = if found { inside(by)? } else { 0 };
    let best = if counts[1] >= counts[0] { nearest } else { 0 };
    let probability = |at: usize| MODES[counts[at]][at];
    if !moved(column, row) {
        bits.put(probability(0), false);
        return Some(());
    }
    bits.put(probability(0), true);
    if nearest == by {
        bits.put(probability(1), false);
        return Some(());
    }
    bits.put(probability(1), true);
    bits.put(probability(2), true);
    bits.put(probability(3), false);
    bits.vector((by - best) * 4, &VECTORS[0]);
    bits.vector(0, &VECTORS[1]);
    Some(())
}

/// Probabilities of the modes by what the neighbours do (RFC 6386 §16.3).
const MODES: [[u8; 4]; 6] = [
    [7, 1, 1, 143],
    [14, 18, 14, 107],
    [135, 64, 57, 68],
    [60, 56, 128, 65],
    [159, 134, 128, 34],
    [234, 188, 128, 28],
];

/// How probable it is that the probability of a part of a vector does not change: rows, columns (RFC 6386 §17.2).
const VECTOR_UPDATES: [[u8; 19]; 2] = [
    [
        237, 246, 253, 253, 254, 254, 254, 254, 254, 254, 254, 254, 254, 254, 250, 250, 252, 254,
        254,
    ],
    [
        231, 243, 245, 253, 254, 254, 254, 254, 254, 254, 254, 254, 254, 254, 251, 251, 254, 254,
        254,
    ],
];

/// The probabilities that we say: rows are far, columns are none. Even, as they are said in halves.
const VECTORS: [[u8; 19]; 2] = [
    [
        2, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
    ],
    [
        254, 128, 254, 254, 254, 254, 254, 254, 254, 128, 128, 128, 128, 128, 128, 128, 128, 128,
        128,
    ],
];

/// How probable it is that the probability of a coefficient does not change, by kind of block, band and neighbours
/// (RFC 6386 §13.4): eleven each, those that are not written are 255.
#[rustfmt::skip]
const COEFFICIENT_UPDATES: [&[u8]; 96] = [
    &[], &[], &[],
    &[176, 246], &[223, 241, 252], &[249, 253, 253],
    &[255, 244, 252], &[234, 254, 254], &[253],
    &[255, 246, 254], &[239, 253, 254], &[254, 255, 254],
    &[255, 248, 254], &[251, 255, 254], &[],
    &[255, 253, 254], &[251, 254, 254], &[254, 255, 254],
    &[255, 254, 253, 255, 254], &[250, 255, 254, 255, 254], &[254],
    &[], &[], &[],
    &[217], &[225, 252, 241, 253, 255, 255, 254], &[234, 250, 241, 250, 253, 255, 253, 254],
    &[255, 254], &[223, 254, 254], &[238, 253, 254, 254],
    &[255, 248, 254], &[249, 254], &[],
    &[255, 253], &[247, 254], &[],
    &[255, 253, 254], &[252], &[],
    &[255, 254, 254], &[253], &[],
    &[255, 254, 253], &[250], &[254],
    &[], &[], &[],
    &[186, 251, 250], &[234, 251, 244, 254], &[251, 251, 243, 253, 254, 255, 254],
    &[255, 253, 254], &[236, 253, 254], &[251, 253, 253, 254, 254],
    &[255, 254, 254], &[254, 254, 254], &[],
    &[255, 254], &[254, 254], &[254],
    &[], &[254], &[],
    &[], &[], &[],
    &[], &[], &[],
    &[], &[], &[],
    &[248], &[250, 254, 252, 254], &[248, 254, 249, 253],
    &[255, 253, 253], &[246, 253, 253], &[252, 254, 251, 254, 254],
    &[255, 254, 252], &[248, 254, 253], &[253, 255, 254, 254],
    &[255, 251, 254], &[245, 251, 254], &[253, 253, 254],
    &[255, 251, 253], &[252, 253, 254], &[255, 254],
    &[255, 252], &[249, 255, 254], &[255, 255, 254],
    &[255, 255, 253], &[250], &[],
    &[], &[254], &[],
];

/// Writes yes and no by their probabilities (RFC 6386 §7.3).
struct Bits {
    out: Vec<u8>,
    /// Lower end of the interval, of which the upper 8 of `8 + pending` bits are the next byte.
    low: u64,
    range: u32,
    pending: u32,
}

impl Default for Bits {
    fn default() -> Self {
        Self {
            out: Vec::new(),
            low: 0,
            range: 255,
            pending: 0,
        }
    }
}

impl Bits {
    /// `probability`: that of no, of 256.
    fn put(&mut self, probability: u8, yes: bool) {
        let split = 1 + (((self.range - 1) * u32::from(probability)) >> 8);
        if yes {
            self.low += u64::from(split);
            self.range -= split;
        } else {
            self.range = split;
        }
        while self.range < 128 {
            self.range <<= 1;
            self.low <<= 1;
            self.pending += 1;
            self.write();
        }
    }

    fn write(&mut self) {
        if self.pending < 24 {
            return;
        }
        let top = self.low >> 24;
        if top > 0xff {
            for byte in self.out.iter_mut().rev() {
                *byte = byte.wrapping_add(1);
                if *byte != 0 {
                    break;
                }
            }
        }
        self.out.push(top as u8);
        self.low &= 0xff_ffff;
        self.pending = 16;
    }

    fn literal(&mut self, width: u32, value: u32) {
        for at in (0..width).rev() {
            self.put(128, (value >> at) & 1 == 1);
        }
    }

    /// One side of a vector, quarters of a pixel, below 1024.
    fn vector(&mut self, value: i32, probabilities: &[u8; 19]) {
        let length = value.unsigned_abs();
        let bit = |at: usize| (length >> at) & 1 == 1;
        if length < 8 {
            self.put(probabilities[0], false);
            // A tree of three levels, whose second and third begin at 1 and 4 by the first, and so on.
            let (high, middle) = (usize::from(bit(2)), usize::from(bit(1)));
            self.put(probabilities[2], bit(2));
            self.put(probabilities[3 + 3 * high], bit(1));
            self.put(probabilities[4 + 3 * high + middle], bit(0));
        } else {
            self.put(probabilities[0], true);
            for at in [0, 1, 2, 9, 8, 7, 6, 5, 4] {
                self.put(probabilities[9 + at], bit(at));
            }
            // Without any above it, this one is known to be set.
            if length > 15 {
                self.put(probabilities[12], bit(3));
            }
        }
        if length > 0 {
            self.put(probabilities[1], value < 0);
        }
    }

    fn end(mut self) -> Vec<u8> {
        for _ in 0..32 {
            self.low <<= 1;
            self.pending += 1;
            self.write();
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::vpx::{Decoder, Encoder, EncoderConfig};
    use crate::video::{I420, Size};

    /// Text-like noise that goes on below.
    fn page(size: Size, top: usize) -> I420 {
        let mut picture = I420::black(size);
        let width = size.width as usize;
        let noise = |x: usize, y: usize| {
            let mixed = ((x as u32).wrapping_mul(2_654_435_761) ^ (y as u32).wrapping_mul(40_503))
                .wrapping_mul(2_246_822_519);
            mixed >> 24
        };
        let (luma, u, _) = picture.planes_mut();
        for (y, row) in luma.chunks_exact_mut(width).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = if noise(x / 2, (y + top) / 2) > 150 {
                    16
                } else {
                    235
                };
            }
        }
        for (y, row) in u.chunks_exact_mut(width.div_ceil(2)).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = 100 + (noise(x / 4, (y + top / 2) / 4) >> 3) as u8;
            }
        }
        picture
    }

    fn moves(size: Size, by: i32, which: impl Fn(usize, usize) -> bool) -> Moves {
        let (columns, rows) = (
            size.width.div_ceil(16) as usize,
            size.height.div_ceil(16) as usize,
        );
        let height = size.height as i32;
        let moved = (0..columns * rows)
            .map(|at| {
                let (column, row) = (at % columns, at / columns);
                let top = row as i32 * 16 + by;
                top >= 0 && top + 16 <= height && which(column, row)
            })
            .collect();
        Moves {
            columns,
            rows,
            moved,
            by,
        }
    }

    /// Encoder and decoder stay of one mind, whatever moves: the frame shows what was computed, and what libvpx packs after it
    /// is unpacked to what libvpx has.
    #[test]
    fn what_moves_is_seen_to_the_last_bit_and_libvpx_goes_on_from_there() {
        for (width, height) in [(320, 240), (328, 232)] {
            let size = Size::checked(width, height).unwrap();
            let mut encoder = Encoder::new(EncoderConfig {
                size,
                bitrate: 3_000_000,
                fps: 10,
                threads: 1,
                speed: 6,
                screen: true,
            })
            .unwrap();
            let mut decoder = Decoder::new().unwrap();
            let visible = |reference: &Reference| {
                let rows = reference.data.chunks_exact(reference.width);
                rows.take(height as usize)
                    .flat_map(|row| row[..width as usize].to_vec())
                    .collect::<Vec<u8>>()
            };
            let same = |encoder: &mut Encoder, seen: &I420| {
                let has = encoder.reference().unwrap();
                assert!(visible(&has) == seen.planes().0, "luma differs");
                let chroma = |plane: usize| {
                    let (wide, high) = (has.width / 2, has.height / 2);
                    let start = has.width * has.height + plane * wide * high;
                    has.data[start..start + wide * high]
                        .chunks_exact(wide)
                        .take(height as usize / 2)
                        .flat_map(|row| row[..width as usize / 2].to_vec())
                        .collect::<Vec<u8>>()
                };
                assert!(chroma(0) == seen.planes().1, "U differs");
                assert!(chroma(1) == seen.planes().2, "V differs");
            };
            let mut time = 0;
            let mut top = 0;
            let mut pack = |encoder: &mut Encoder, decoder: &mut Decoder, top: usize, key: bool| {
                time += 9000;
                let packed = encoder.encode(&page(size, top), time, 9000, key).unwrap();
                packed.map(|packed| decoder.decode(&packed.data).unwrap().unwrap())
            };
            let seen = pack(&mut encoder, &mut decoder, top, true).unwrap();
            same(&mut encoder, &seen);
            let whiches: [fn(usize, usize) -> bool; 4] = [
                |_, _| true,
                |column, _| column > 3,
                |column, row| (column + row) % 2 == 0,
                |column, row| column % 5 < 3 && row % 4 > 0,
            ];
            for (n, by) in [8, 20, -13, 1, -2, 100, 57, -160, 16, 3]
                .into_iter()
                .enumerate()
            {
                let moves = moves(size, by, whiches[n % 4]);
                let bytes = frame(&moves).unwrap();
                let before = encoder.reference().unwrap();
                encoder.set_reference(&before.shifted(&moves)).unwrap();
                let seen = decoder.decode(&bytes).unwrap().unwrap();
                same(&mut encoder, &seen);
                top = (top as i64 + 400 + i64::from(by)) as usize;
                if let Some(seen) = pack(&mut encoder, &mut decoder, top, n == 6) {
                    same(&mut encoder, &seen);
                }
            }
        }
    }

    #[test]
    fn a_page_that_moves_takes_few_bytes() {
        let size = Size::checked(1920, 1080).unwrap();
        let all = frame(&moves(size, 20, |_, _| true)).unwrap();
        println!("a whole page moves: {} bytes", all.len());
        assert!(all.len() < 2500, "{}", all.len());
        let none = Moves {
            by: 0,
            ..moves(size, 0, |_, _| true)
        };
        assert_eq!(frame(&none), None);
        assert_eq!(frame(&moves(size, 256, |_, _| true)), None);
    }
}
