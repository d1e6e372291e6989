//! Pictures: how they lie in memory, and the codec that packs them.
//!
//! Inside, a picture is I420 (planar 4:2:0, BT.601, limited range), because that is what VP8 takes and yields.
//! [`vpx`] is the only file of the crate's codecs with `unsafe` code.

pub mod assemble;
pub mod bands;
pub mod ivf;
pub mod moves;
pub mod png;
pub mod view;
pub mod vpx;

use std::ops::Range;

/// Longest side of a picture that we look at: what a VP8 header can say is 16383, and 8K screens exist.
pub const MAX_SIDE: u32 = 8192;

/// Most pixels of a picture that we look at: 8K is 33 million. A hostile header could otherwise ask for 400 MB.
pub const MAX_PIXELS: u64 = 36_000_000;

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Pixels, 1 to [`MAX_SIDE`].
    pub width: u32,
    /// Pixels, 1 to [`MAX_SIDE`].
    pub height: u32,
}

impl Size {
    /// A size that we are willing to handle; `None` for nothing and for monsters.
    #[must_use]
    pub fn checked(width: u32, height: u32) -> Option<Self> {
        let fits = width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE;
        (fits && u64::from(width) * u64::from(height) <= MAX_PIXELS)
            .then_some(Self { width, height })
    }

    /// The chroma planes' size: half, rounded up.
    #[must_use]
    pub fn chroma(self) -> Self {
        Self {
            width: self.width.div_ceil(2),
            height: self.height.div_ceil(2),
        }
    }

    /// Pixels.
    #[must_use]
    pub fn area(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Bytes of an I420 picture of this size without padding.
    #[must_use]
    pub fn i420_len(self) -> usize {
        self.area() + 2 * self.chroma().area()
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}×{}", self.width, self.height)
    }
}

/// A picture: planes Y, U, V one after the other, rows without padding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct I420 {
    size: Size,
    data: Vec<u8>,
}

impl I420 {
    /// A black picture.
    #[must_use]
    pub fn black(size: Size) -> Self {
        let mut data = vec![128; size.i420_len()];
        data[..size.area()].fill(16);
        Self { size, data }
    }

    /// Takes planes that somebody else has put one after the other; `None` if their length does not fit.
    #[must_use]
    pub fn from_planes(size: Size, data: Vec<u8>) -> Option<Self> {
        (data.len() == size.i420_len()).then_some(Self { size, data })
    }

    /// Its size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// All planes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// The planes Y, U, V. Their rows are `width` and twice `chroma().width` bytes long.
    #[must_use]
    pub fn planes(&self) -> (&[u8], &[u8], &[u8]) {
        let (y, uv) = self.data.split_at(self.size.area());
        let (u, v) = uv.split_at(self.size.chroma().area());
        (y, u, v)
    }

    /// The planes Y, U, V, to be written.
    pub fn planes_mut(&mut self) -> (&mut [u8], &mut [u8], &mut [u8]) {
        let (y, uv) = self.data.split_at_mut(self.size.area());
        let (u, v) = uv.split_at_mut(self.size.chroma().area());
        (y, u, v)
    }

    /// Takes so many rows from another picture of the same size, from `top` on (both even).
    pub fn copy_rows(&mut self, from: &Self, top: u32, height: u32) {
        if from.size != self.size {
            return;
        }
        let (size, chroma) = (self.size, self.size.chroma());
        let bottom = top.saturating_add(height).min(size.height);
        let rows = |width: u32, scale: u32| {
            let width = width as usize;
            (top / scale) as usize * width..bottom.div_ceil(scale) as usize * width
        };
        let (luma, colour) = (rows(size.width, 1), rows(chroma.width, 2));
        if luma.is_empty() {
            return;
        }
        let (y, u, v) = self.planes_mut();
        let planes = from.planes();
        y[luma.clone()].copy_from_slice(&planes.0[luma]);
        u[colour.clone()].copy_from_slice(&planes.1[colour.clone()]);
        v[colour.clone()].copy_from_slice(&planes.2[colour]);
    }

    /// The same picture at another size, each plane by itself, averaging what falls together. Meant for making
    /// smaller; larger works and is coarse.
    #[must_use]
    pub fn scaled(&self, to: Size) -> Self {
        if to == self.size {
            return self.clone();
        }
        let mut data = Vec::with_capacity(to.i420_len());
        self.scaled_rows(to, (0, to.height), &mut data);
        Self { size: to, data }
    }

    /// Appends some rows of the picture at another size: from the first (even) to before the second (even, or the
    /// height), of the planes Y, U, V one after the other.
    pub fn scaled_rows(&self, to: Size, (top, bottom): (u32, u32), out: &mut Vec<u8>) {
        let (y, u, v) = self.planes();
        let (from_chroma, to_chroma) = (self.size.chroma(), to.chroma());
        let bottom = bottom.min(to.height);
        let luma = top as usize..bottom as usize;
        let colour = (top / 2) as usize..bottom.div_ceil(2) as usize;
        if to == self.size {
            let bytes = |rows: &Range<usize>, width: u32| {
                rows.start * width as usize..rows.end * width as usize
            };
            out.extend_from_slice(&y[bytes(&luma, to.width)]);
            out.extend_from_slice(&u[bytes(&colour, to_chroma.width)]);
            out.extend_from_slice(&v[bytes(&colour, to_chroma.width)]);
            return;
        }
        let columns = Columns::new(self.size.width, to.width);
        scale(y, self.size, to, luma, &columns, out);
        let columns = Columns::new(from_chroma.width, to_chroma.width);
        scale(u, from_chroma, to_chroma, colour.clone(), &columns, out);
        scale(v, from_chroma, to_chroma, colour, &columns, out);
    }
}

/// Which columns of a picture fall together in each column of a smaller one.
struct Columns(Vec<(u16, u16)>);

impl Columns {
    fn new(from: u32, to: u32) -> Self {
        let column = |column: u32| {
            let left = column * from / to;
            let right = ((column + 1) * from).div_ceil(to).clamp(left + 1, from);
            // Sides are at most `MAX_SIDE`.
            (left as u16, right as u16)
        };
        Self((0..to).map(column).collect())
    }
}

/// Fractions of the multiplication that stands for a division. Exact for boxes of less than [`LARGE`] pixels: the
/// error of a quotient is less than what rounds it to another number.
const SHIFT: u32 = 24;
const LARGE: u32 = 256;

/// Averages the box of `from` that each pixel of `to` covers. Rows are summed first, so that the inner loop runs over
/// neighbouring bytes, which the compiler turns into vector instructions.
fn scale(
    from: &[u8],
    from_size: Size,
    to_size: Size,
    rows: Range<usize>,
    columns: &Columns,
    out: &mut Vec<u8>,
) {
    let from_width = from_size.width as usize;
    let (from_height, to_height) = (from_size.height as usize, to_size.height as usize);
    let mut sums = vec![0_u32; from_width];
    for line in rows {
        let top = line * from_height / to_height;
        let bottom = ((line + 1) * from_height).div_ceil(to_height).max(top + 1);
        let lines = bottom.min(from_height) - top;
        let mut sources =
            from[top * from_width..(top + lines) * from_width].chunks_exact(from_width);
        if let Some(first) = sources.next() {
            for (sum, value) in sums.iter_mut().zip(first) {
                *sum = u32::from(*value);
            }
        }
        for source in sources {
            for (sum, value) in sums.iter_mut().zip(source) {
                *sum += u32::from(*value);
            }
        }
        // Boxes of one picture have two widths at most.
        let mut known = (0, 0);
        out.extend(columns.0.iter().map(|&(left, right)| {
            let part = &sums[usize::from(left)..usize::from(right)];
            let box_size = part.len() as u32 * lines as u32;
            let sum = match part {
                [one] => *one,
                [one, two] => one + two,
                more => more.iter().sum(),
            } + box_size / 2;
            if box_size >= LARGE {
                return (sum / box_size) as u8;
            }
            if known.0 != box_size {
                known = (box_size, (1 << SHIFT) / box_size + 1);
            }
            ((u64::from(sum) * u64::from(known.1)) >> SHIFT) as u8
        }));
    }
}

/// Something that went wrong with a codec. Nothing else of the call suffers.
#[derive(Debug, thiserror::Error)]
pub enum VideoError {
    /// The codec cannot be set up: give up on this picture stream.
    #[error("the video codec does not start ({0})")]
    Setup(&'static str),
    /// A frame cannot be packed: try the next one.
    #[error("a picture cannot be encoded (libvpx says {0})")]
    Encode(i32),
    /// A frame is damaged: ask for a key frame.
    #[error("a picture cannot be decoded (libvpx says {0})")]
    Decode(i32),
    /// A frame is larger than anything sensible: ignore its sender.
    #[error("a picture of {width}×{height} is too large")]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_have_room_for_their_chroma() {
        let size = Size::checked(3, 5).unwrap();
        assert_eq!(
            size.chroma(),
            Size {
                width: 2,
                height: 3
            }
        );
        assert_eq!(size.i420_len(), 15 + 12);
        assert_eq!(I420::black(size).planes().2.len(), 6);
    }

    #[test]
    fn nothing_and_monsters_are_no_sizes() {
        for (width, height) in [
            (0, 1),
            (1, 0),
            (8193, 1),
            (8192, 8192),
            (u32::MAX, u32::MAX),
        ] {
            assert_eq!(Size::checked(width, height), None, "{width}×{height}");
        }
        assert!(Size::checked(7680, 4320).is_some());
    }

    #[test]
    fn scaling_averages_and_keeps_flat_areas_flat() {
        let size = Size::checked(8, 4).unwrap();
        let mut picture = I420::black(size);
        let (y, _, _) = picture.planes_mut();
        for (at, value) in y.iter_mut().enumerate() {
            *value = if at % 2 == 0 { 100 } else { 200 };
        }
        let half = picture.scaled(Size::checked(4, 2).unwrap());
        let (y, u, v) = half.planes();
        assert!(y.iter().all(|value| *value == 150), "{y:?}");
        assert!(u.iter().chain(v).all(|value| *value == 128));
        let odd = picture.scaled(Size::checked(3, 3).unwrap());
        assert_eq!(
            odd.size(),
            Size {
                width: 3,
                height: 3
            }
        );
        assert!(
            odd.planes()
                .0
                .iter()
                .all(|value| (100..=200).contains(value))
        );
    }
}
