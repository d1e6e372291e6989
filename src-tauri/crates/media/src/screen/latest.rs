//! Systems that bring whole pictures on threads of their own (Windows, macOS): the newest one waits here until the
//! screen thread looks; what it has missed is gone.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::differ::Differ;
use super::{Look, Patch, ScreenError, ScreenSource};
use crate::video::Size;

/// Where the system puts its pictures.
#[derive(Debug, Default)]
pub(super) struct Latest {
    inner: Mutex<Inner>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    size: Option<Size>,
    /// BGRA without padding.
    pixels: Vec<u8>,
    fresh: bool,
    ended: bool,
}

impl Latest {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new picture: BGRA, `height` rows of `stride` bytes, the last one perhaps without padding. What does not fit
    /// together, or is nothing or a monster, is left out.
    pub(super) fn put(&self, width: u32, height: u32, data: &[u8], stride: usize) {
        let Some(size) = Size::checked(width, height) else {
            return;
        };
        let row = width as usize * 4;
        let needed = (height as usize - 1)
            .saturating_mul(stride)
            .saturating_add(row);
        if stride < row || data.len() < needed {
            return;
        }
        let mut inner = self.inner();
        inner.pixels.clear();
        for line in data.chunks(stride).take(height as usize) {
            inner.pixels.extend_from_slice(&line[..row]);
        }
        inner.size = Some(size);
        inner.fresh = true;
        self.news.notify_all();
    }

    /// Nothing will come any more.
    pub(super) fn end(&self) {
        self.inner().ended = true;
        self.news.notify_all();
    }

    /// Waits for something new for at most this long.
    fn wait(&self, wait: Duration) -> MutexGuard<'_, Inner> {
        let limit = Instant::now() + wait;
        let mut inner = self.inner();
        while !inner.fresh && !inner.ended {
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.news.wait_timeout(inner, left);
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        inner
    }
}

/// A source of such pictures, and whatever must live as long as they are to come.
pub(super) struct LatestSource<T> {
    latest: Arc<Latest>,
    size: Size,
    differ: Differ,
    /// Stops the system's pictures when it goes.
    _capture: T,
}

impl<T> LatestSource<T> {
    /// Waits for the first picture.
    ///
    /// # Errors
    /// [`ScreenError::Gone`] if it ends before, [`ScreenError::Failed`] if nothing comes.
    pub(super) fn new(
        latest: Arc<Latest>,
        capture: T,
        patience: Duration,
    ) -> Result<Self, ScreenError> {
        let size = {
            let inner = latest.wait(patience);
            match inner.size {
                Some(size) => size,
                None if inner.ended => return Err(ScreenError::Gone),
                None => return Err(ScreenError::Failed(None)),
            }
        };
        Ok(Self {
            latest,
            size,
            differ: Differ::default(),
            _capture: capture,
        })
    }
}

impl<T> ScreenSource for LatestSource<T> {
    fn size(&self) -> Size {
        self.size
    }

    fn look(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(Patch<'_>),
    ) -> Result<Look, ScreenError> {
        let mut inner = self.latest.wait(wait);
        if inner.ended {
            return Err(ScreenError::Gone);
        }
        let Some(size) = inner.size.filter(|_| inner.fresh) else {
            return Ok(Look::Same);
        };
        if size != self.size {
            self.size = size;
            return Ok(Look::Resized(size));
        }
        inner.fresh = false;
        let stride = size.width as usize * 4;
        let dirty = self.differ.compare(size, &inner.pixels, stride);
        for rect in &dirty {
            let start = rect.y as usize * stride + rect.x as usize * 4;
            let data = &inner.pixels[start..];
            take(Patch {
                rect: *rect,
                data,
                stride,
            });
        }
        Ok(match dirty.is_empty() {
            true => Look::Same,
            false => Look::Changed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Rect;

    fn look(source: &mut LatestSource<()>) -> (Look, Vec<Rect>) {
        let mut parts = Vec::new();
        let look = source.look(Duration::ZERO, &mut |patch| parts.push(patch.rect));
        (look.unwrap(), parts)
    }

    #[test]
    fn only_the_newest_picture_is_seen_and_of_it_what_differs() {
        let latest = Arc::new(Latest::default());
        let mut pixels = vec![0; 130 * 4 * 64];
        latest.put(128, 64, &pixels, 520);
        let mut source = LatestSource::new(Arc::clone(&latest), (), Duration::ZERO).unwrap();
        let all = Rect::all(source.size());
        assert_eq!(look(&mut source), (Look::Changed, vec![all]));
        assert_eq!(look(&mut source), (Look::Same, vec![]));
        latest.put(128, 64, &pixels, 520);
        assert_eq!(look(&mut source), (Look::Same, vec![]));
        pixels[70 * 4] = 9;
        latest.put(128, 64, &pixels, 520);
        let half = Rect {
            x: 64,
            width: 64,
            ..all
        };
        assert_eq!(look(&mut source), (Look::Changed, vec![half]));
        let small = Size::checked(64, 64).unwrap();
        latest.put(64, 64, &pixels, 256);
        assert_eq!(look(&mut source), (Look::Resized(small), vec![]));
        assert_eq!(look(&mut source), (Look::Changed, vec![Rect::all(small)]));
        latest.end();
        let ended = source.look(Duration::ZERO, &mut |_| {});
        assert!(matches!(ended, Err(ScreenError::Gone)));
    }

    #[test]
    fn what_does_not_fit_together_is_left_out() {
        let latest = Arc::new(Latest::default());
        latest.put(64, 64, &[0; 100], 256);
        latest.put(64, 64, &[0; 64 * 256], 255);
        latest.put(0, 64, &[], 0);
        latest.put(99_999, 1, &[0; 400_000], 400_000);
        let nothing = LatestSource::new(Arc::clone(&latest), (), Duration::ZERO);
        assert!(matches!(nothing, Err(ScreenError::Failed(_))));
        latest.end();
        let ended = LatestSource::new(latest, (), Duration::from_secs(5));
        assert!(matches!(ended, Err(ScreenError::Gone)));
    }
}
