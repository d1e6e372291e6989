//! Profile pictures: a colour and one or two letters, as a PNG made by hand.
//!
//! PNG (W3C, third edition): signature, IHDR, one IDAT with a zlib stream, IEND.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// Side of the picture, pixels.
const SIDE: usize = 96;
/// One pixel of a letter becomes a square of this side.
const SCALE: usize = 8;
const GLYPH: (usize, usize) = (5, 7);

/// The picture of one user.
pub(crate) fn draw(seed: &str, initials: &str) -> Vec<u8> {
    let hue = seed
        .bytes()
        .fold(7_u32, |h, b| h.wrapping_mul(31).wrapping_add(b.into()));
    let back = PALETTE[hue as usize % PALETTE.len()];
    let mut pixels = vec![back; SIDE * SIDE];
    let letters: Vec<[u8; 7]> = initials.chars().take(2).map(glyph).collect();
    let width = letters.len() * (GLYPH.0 + 1) * SCALE;
    let left = (SIDE + SCALE).saturating_sub(width) / 2;
    let top = (SIDE - GLYPH.1 * SCALE) / 2;
    for (index, rows) in letters.iter().enumerate() {
        for (y, row) in rows.iter().enumerate() {
            for x in (0..GLYPH.0).filter(|x| row & (0x10 >> x) != 0) {
                let (px, py) = (left + (index * (GLYPH.0 + 1) + x) * SCALE, top + y * SCALE);
                for line in py..py + SCALE {
                    for column in px..(px + SCALE).min(SIDE) {
                        pixels[line * SIDE + column] = [255, 255, 255];
                    }
                }
            }
        }
    }
    png(SIDE, SIDE, &pixels)
}

/// Calm colours with enough contrast to white.
const PALETTE: [[u8; 3]; 8] = [
    [0x1e, 0x6f, 0x8c],
    [0x8c, 0x3b, 0x5f],
    [0x4a, 0x6b, 0x2a],
    [0x6b, 0x4f, 0xa0],
    [0xa3, 0x56, 0x2b],
    [0x2b, 0x5c, 0xa3],
    [0x7a, 0x5c, 0x1f],
    [0x3d, 0x5a, 0x5a],
];

/// An RGB picture as a PNG file.
pub(crate) fn png(width: usize, height: usize, pixels: &[[u8; 3]]) -> Vec<u8> {
    let mut raw = Vec::with_capacity((width * 3 + 1) * height);
    for row in pixels.chunks(width.max(1)).take(height) {
        raw.push(0);
        raw.extend(row.iter().flatten());
    }
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Writing into a vector cannot fail.
    let data = zlib.write_all(&raw).and_then(|()| zlib.finish());
    let mut header = Vec::with_capacity(13);
    for side in [width, height] {
        header.extend(u32::try_from(side).unwrap_or(0).to_be_bytes());
    }
    // 8 bits, RGB, deflate, adaptive filters, not interlaced.
    header.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"IDAT", &data.unwrap_or_default());
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    file.extend(u32::try_from(data.len()).unwrap_or(0).to_be_bytes());
    let mut crc = flate2::Crc::new();
    for part in [&kind[..], data] {
        crc.update(part);
        file.extend(part);
    }
    file.extend(crc.sum().to_be_bytes());
}

/// Width and height of a PNG, if it is one.
pub(crate) fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let head = bytes.get(..24)?;
    if !head.starts_with(b"\x89PNG\r\n\x1a\n") {
        return None;
    }
    let number = |at: usize| {
        head[at..at + 4]
            .iter()
            .fold(0_u32, |n, b| n << 8 | u32::from(*b))
    };
    Some((number(16), number(20)))
}

/// A 5×7 letter; what is not known is a box.
fn glyph(letter: char) -> [u8; 7] {
    const LETTERS: [[u8; 7]; 26] = [
        [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11],
        [0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e],
        [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e],
        [0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e],
        [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f],
        [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10],
        [0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0f],
        [0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11],
        [0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e],
        [0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c],
        [0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11],
        [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f],
        [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11],
        [0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11],
        [0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
        [0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10],
        [0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d],
        [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11],
        [0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e],
        [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04],
        [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
        [0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04],
        [0x11, 0x11, 0x11, 0x15, 0x15, 0x15, 0x0a],
        [0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11],
        [0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04],
        [0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f],
    ];
    const DIGITS: [[u8; 7]; 10] = [
        [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e],
        [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e],
        [0x0e, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1f],
        [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e],
        [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02],
        [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e],
        [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e],
        [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
        [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e],
        [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c],
    ];
    match letter {
        'A'..='Z' => LETTERS[letter as usize - 'A' as usize],
        '0'..='9' => DIGITS[letter as usize - '0' as usize],
        _ => [0x1f, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1f],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_a_png_of_its_size_and_people_differ() {
        let a = draw("alice", "AA");
        assert_eq!(png_size(&a), Some((96, 96)));
        assert_ne!(a, draw("bob", "BB"));
        assert_eq!(png_size(b"GIF89a"), None);
    }
}
