//! How like a picture (PGM, grey as video has it) each picture of a recording (IVF) is: one JSON object a picture, with the
//! structural similarity (SSIM, luma, windows of 8×8) of the part below the bar code.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use calls_media::video::vpx::Decoder;
use calls_media::video::{I420, Size};

/// The strip of the code, pixels.
const TOP: usize = 48;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("a recording");
    let real = Grey::read(&arguments.next().expect("a picture")).expect("a PGM");
    let bytes = std::fs::read(path).expect("a readable file");
    let frames = || {
        let mut at = 32;
        let bytes = &bytes;
        std::iter::from_fn(move || {
            let head = bytes.get(at..at + 12)?;
            let length = u32::from_le_bytes(head[..4].try_into().unwrap()) as usize;
            let time = u64::from_le_bytes(head[4..].try_into().unwrap());
            let frame = bytes.get(at + 12..at + 12 + length)?;
            at += 12 + length;
            Some((time, frame))
        })
    };
    let mut decoder = Decoder::new().unwrap();
    for (n, (time, frame)) in (1..).zip(frames()) {
        if let Ok(Some(picture)) = decoder.decode(frame)
            && picture.size() == real.size
        {
            println!(
                "{{\"n\": {n}, \"ms\": {}, \"ssim\": {:.4}}}",
                time / 90,
                ssim(&picture, &real)
            );
        }
    }
}

/// A grey picture.
struct Grey {
    size: Size,
    pixels: Vec<u8>,
}

impl Grey {
    /// Reads a PGM as `painter` writes it: one line, then the pixels.
    fn read(path: &str) -> Option<Self> {
        let file = std::fs::read(path).ok()?;
        let end = file.iter().position(|byte| *byte == b'\n')?;
        let head = std::str::from_utf8(&file[..end]).ok()?;
        let mut words = head.strip_prefix("P5 ")?.split(' ');
        let mut side = || words.next()?.parse().ok();
        let size = Size::checked(side()?, side()?)?;
        let pixels = file[end + 1..].to_vec();
        (pixels.len() == size.area()).then_some(Self { size, pixels })
    }
}

fn ssim(a: &I420, b: &Grey) -> f64 {
    let (width, height) = (a.size().width as usize, a.size().height as usize);
    let (a, b) = (a.planes().0, &b.pixels[..]);
    let (mut sum, mut windows) = (0.0, 0_u32);
    for top in (TOP..height.saturating_sub(8)).step_by(8) {
        for left in (0..width - 8).step_by(8) {
            let (mut sa, mut sb, mut saa, mut sbb, mut sab) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for y in top..top + 8 {
                for x in left..left + 8 {
                    let (p, q) = (f64::from(a[y * width + x]), f64::from(b[y * width + x]));
                    sa += p;
                    sb += q;
                    saa += p * p;
                    sbb += q * q;
                    sab += p * q;
                }
            }
            let (ma, mb) = (sa / 64.0, sb / 64.0);
            let (va, vb) = (saa / 64.0 - ma * ma, sbb / 64.0 - mb * mb);
            let cov = sab / 64.0 - ma * mb;
            let (c1, c2) = (6.5025, 58.5225);
            sum += (2.0 * ma * mb + c1) * (2.0 * cov + c2)
                / ((ma * ma + mb * mb + c1) * (va + vb + c2));
            windows += 1;
        }
    }
    sum / f64::from(windows.max(1))
}
