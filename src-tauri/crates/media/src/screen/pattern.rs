//! A moving picture that needs no screen: `--share pattern`, demonstrations and tests.
//!
//! Its upper left corner carries the wall clock as a bar code ([`super::barcode`]), so that whoever watches can tell
//! how old a picture is; below, a bar travels over a page of stripes that stands in for text.

use std::time::{Duration, Instant};

use calls_core::id::SourceId;

use super::{Look, Patch, Rect, ScreenError, ScreenSource, barcode};
use crate::video::Size;

/// The usual size.
const SIZE: Size = Size {
    width: 1280,
    height: 720,
};

/// Pixels that the bar moves with each picture.
const STEP: u32 = 8;

/// Height of the strip in which the bar travels, below the code.
const TRACK: u32 = 64;

/// The moving picture.
#[derive(Debug)]
pub struct Pattern {
    size: Size,
    /// Time between two pictures; `None` never changes after the first.
    every: Option<Duration>,
    due: Option<Instant>,
    pictures: u32,
    pixels: Vec<u8>,
}

impl Pattern {
    /// The pattern that an id names: `pattern`, `pattern:WIDTHxHEIGHT`, `pattern:WIDTHxHEIGHT@FPS` (0: never changes).
    #[must_use]
    pub fn named(id: &SourceId) -> Option<Self> {
        let rest = id.as_str().strip_prefix("pattern")?;
        if rest.is_empty() {
            return Some(Self::new(SIZE, 30));
        }
        let rest = rest.strip_prefix(':')?;
        let (size, fps) = rest.split_once('@').unwrap_or((rest, "30"));
        let (width, height) = size.split_once('x')?;
        let size = Size::checked(width.parse().ok()?, height.parse().ok()?)?;
        Some(Self::new(size, fps.parse().ok()?))
    }

    /// A pattern of this size with so many pictures a second.
    #[must_use]
    pub fn new(size: Size, fps: u32) -> Self {
        let mut pixels = vec![255; size.area() * 4];
        for (at, pixel) in pixels.chunks_exact_mut(4).enumerate() {
            let (x, y) = (at % size.width as usize, at / size.width as usize);
            // "Lines of text": dark strokes of varying length on white.
            let line = y / 16;
            let stroke = y % 16 > 3 && y % 16 < 12 && (x * 7 + line * 131) % 23 > 8;
            let text = y > 110 && x > 32 && x < size.width as usize - 32 - line * 37 % 200;
            let value = if text && stroke { 40 } else { 250 };
            pixel[..3].fill(value);
        }
        Self {
            size,
            every: (fps > 0).then(|| Duration::from_secs(1) / fps.min(240)),
            due: None,
            pictures: 0,
            pixels,
        }
    }

    fn fill(&mut self, rect: Rect, value: u8) {
        let right = rect.x.saturating_add(rect.width).min(self.size.width);
        let bottom = rect.y.saturating_add(rect.height).min(self.size.height);
        for y in rect.y.min(bottom)..bottom {
            let row = y as usize * self.size.width as usize;
            let pixels = &mut self.pixels[(row + rect.x.min(right) as usize) * 4..];
            pixels[..(right - rect.x.min(right)) as usize * 4].fill(value);
        }
    }

    /// Paints the next picture; gives what changed.
    fn paint(&mut self) -> Rect {
        for (at, white) in (0_u32..).zip(barcode::cells(barcode::now())) {
            let cell = Rect {
                x: at * barcode::CELL,
                y: 0,
                width: barcode::CELL,
                height: barcode::CELL,
            };
            self.fill(cell, if white { 255 } else { 0 });
        }
        let track = Rect {
            x: 0,
            y: barcode::CELL,
            width: self.size.width,
            height: TRACK,
        };
        self.fill(track, 200);
        let bar = Rect {
            x: self.pictures * STEP % self.size.width.max(1),
            width: 48,
            ..track
        };
        self.fill(bar, 30);
        self.pictures = self.pictures.wrapping_add(1);
        if self.pictures == 1 {
            return Rect::all(self.size);
        }
        Rect {
            height: barcode::CELL + TRACK,
            ..Rect::all(self.size)
        }
        .even_in(self.size)
    }
}

impl ScreenSource for Pattern {
    fn size(&self) -> Size {
        self.size
    }

    fn look(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(Patch<'_>),
    ) -> Result<Look, ScreenError> {
        let now = Instant::now();
        let due = match (self.due, self.every) {
            (None, _) => now,
            (Some(due), Some(_)) => due,
            (Some(_), None) => {
                std::thread::sleep(wait);
                return Ok(Look::Same);
            }
        };
        let left = due.saturating_duration_since(now);
        if left > wait {
            std::thread::sleep(wait);
            return Ok(Look::Same);
        }
        std::thread::sleep(left);
        let every = self.every.unwrap_or_default();
        // A reader that was late does not get all that it missed.
        self.due = Some((due + every).max(now));
        let rect = self.paint();
        let start = (rect.y * self.size.width + rect.x) as usize * 4;
        take(Patch {
            rect,
            data: &self.pixels[start..],
            stride: self.size.width as usize * 4,
        });
        Ok(Look::Changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::convert;
    use crate::video::I420;

    #[test]
    fn ids_are_read_strictly() {
        let size = |id: &str| Pattern::named(&SourceId::from(id)).map(|pattern| pattern.size);
        assert_eq!(size("pattern"), Some(SIZE));
        assert_eq!(size("pattern:640x360"), Size::checked(640, 360));
        assert_eq!(size("pattern:1920x1080@0"), Size::checked(1920, 1080));
        for id in [
            "patterns",
            "pattern:",
            "pattern:0x5",
            "pattern:99999x2",
            "screen:0",
            "pattern:5x5@x",
        ] {
            assert_eq!(size(id), None, "{id}");
        }
    }

    #[test]
    fn every_picture_tells_when_it_was_painted() {
        let mut pattern = Pattern::new(SIZE, 240);
        let mut picture = I420::black(SIZE);
        let mut last = 0;
        for n in 0..5 {
            let look = pattern.look(Duration::from_secs(5), &mut |patch| {
                assert_eq!(patch.rect.height == SIZE.height, n == 0);
                assert!(convert::paint(&mut picture, &patch));
            });
            assert_eq!(look.unwrap(), Look::Changed);
            let read = barcode::read(&picture, SIZE.width).unwrap();
            assert!(read >= last && barcode::now().wrapping_sub(read) < 5000);
            last = read;
        }
    }

    #[test]
    fn a_still_pattern_is_shown_once() {
        let mut pattern = Pattern::new(Size::checked(64, 64).unwrap(), 0);
        let mut taken = 0;
        for _ in 0..3 {
            let _ = pattern.look(Duration::from_millis(1), &mut |_| taken += 1);
        }
        assert_eq!(taken, 1);
    }
}
