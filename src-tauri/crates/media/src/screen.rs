//! The edge to the machine's screens, and the engine between them and the network.
//!
//! A [`ScreenSource`] tells *what has changed*, because most of a screen does not: what is unchanged is neither
//! fetched, converted nor encoded. [`thread`] turns changes into VP8 frames, [`handle::Screens`] is the whole as
//! everybody else sees it.

pub mod barcode;
pub mod convert;
mod differ;
#[cfg(any(windows, target_os = "macos", target_os = "linux"))]
mod displays;
pub mod handle;
#[cfg(any(windows, target_os = "macos", test))]
mod latest;
pub mod layers;
#[cfg(target_os = "macos")]
pub mod macos;
pub mod memory;
pub mod none;
pub mod pattern;
#[cfg(target_os = "linux")]
pub mod portal;
mod scroll;
pub mod sharpen;
mod sound;
mod stream;
pub mod system;
pub mod thread;
#[cfg(windows)]
pub mod windows;
#[cfg(target_os = "linux")]
pub mod x11;

use std::time::Duration;

use calls_core::id::SourceId;
use calls_core::port::media::{ShareProblem, ShareSource};

use crate::error::Cause;
use crate::video::Size;

/// The title of our windows that are left out of a shared screen where that is our own business (X11). It counts for those
/// of our own process only.
pub const ASIDE: &str = "Halloo: call";

/// A rectangle of a picture, pixels from its upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl Rect {
    /// All of a picture.
    #[must_use]
    pub fn all(size: Size) -> Self {
        Self {
            x: 0,
            y: 0,
            width: size.width,
            height: size.height,
        }
    }

    /// The smallest one around both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return if self.is_empty() { other } else { self };
        }
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let end = |start: u32, long: u32| start.saturating_add(long);
        let right = end(self.x, self.width).max(end(other.x, other.width));
        let bottom = end(self.y, self.height).max(end(other.y, other.height));
        Self {
            x,
            y,
            width: right - x,
            height: bottom - y,
        }
    }

    /// Nothing at all.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The part inside a picture, its corners moved outwards to even pixels as 4:2:0 wants them.
    #[must_use]
    pub fn even_in(self, size: Size) -> Self {
        let x = (self.x & !1).min(size.width);
        let y = (self.y & !1).min(size.height);
        let right = self.x.saturating_add(self.width).saturating_add(1) & !1;
        let bottom = self.y.saturating_add(self.height).saturating_add(1) & !1;
        Self {
            x,
            y,
            width: right.min(size.width).saturating_sub(x),
            height: bottom.min(size.height).saturating_sub(y),
        }
    }
}

/// Changed pixels.
#[derive(Clone, Copy, Debug)]
pub struct Patch<'a> {
    /// Where they belong. Corners are even, or at the picture's edge.
    pub rect: Rect,
    /// BGRA (the fourth byte means nothing), row by row.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// What a look at the screen showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing has changed.
    Same,
    /// Patches were handed over.
    Changed,
    /// The picture has another size now; nothing was handed over, everything will be at the next look.
    Resized(Size),
}

/// Why a screen cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// It does not exist (any more): a window was closed, a monitor unplugged.
    #[error("what was shared is gone")]
    Gone,
    /// The system, or the person asked by it, does not allow it.
    #[error("the system does not allow it")]
    Denied,
    /// The person has closed the system's question.
    #[error("the choice was cancelled")]
    Cancelled,
    /// The desktop has no portal for it (Wayland).
    #[error("the desktop has no portal for screens")]
    NoPortal(#[source] Option<Cause>),
    /// There is a portal, and PipeWire, which carries the pictures, is not installed.
    #[error("PipeWire is not installed")]
    NoPipeWire(#[source] Option<Cause>),
    /// Screens cannot be captured here at all (no display).
    #[error("screens cannot be captured here")]
    Unsupported(#[source] Option<Cause>),
    /// It should work and does not.
    #[error("the screen cannot be captured")]
    Failed(#[source] Option<Cause>),
}

impl ScreenError {
    /// The same as the core's word for it.
    #[must_use]
    pub fn problem(&self) -> ShareProblem {
        match self {
            Self::Gone => ShareProblem::Gone,
            Self::Denied => ShareProblem::Denied,
            Self::Cancelled => ShareProblem::Cancelled,
            Self::NoPortal(_) => ShareProblem::NoPortal,
            Self::NoPipeWire(_) => ShareProblem::NoPipeWire,
            Self::Unsupported(_) => ShareProblem::Unsupported,
            Self::Failed(_) => ShareProblem::Failed,
        }
    }
}

/// A small picture of a source: RGB, rows without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Pixels.
    pub size: Size,
    /// PNG.
    pub png: Vec<u8>,
}

/// Where screens and windows come from. Called from threads that may block.
pub trait ScreenHost: Send + Sync {
    /// Screens and windows that can be shared now, screens first. Our own windows are not among them.
    ///
    /// # Errors
    /// [`ScreenError::Unsupported`] without a display, [`ScreenError::Denied`] if the system forbids it.
    fn sources(&self) -> Result<Vec<ShareSource>, ScreenError>;

    /// Opens a source on the calling thread, which then owns it. Where the system asks the person first, that lasts;
    /// `stopped` is asked now and then whether anybody is still interested.
    ///
    /// # Errors
    /// [`ScreenError::Gone`] if there is no such source, or as [`ScreenHost::sources`]; [`ScreenError::Cancelled`] when
    /// the system's own dialog was closed.
    fn open(
        &self,
        id: &SourceId,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Box<dyn ScreenSource>, ScreenError>;

    /// Opens a source for a thumbnail, if that asks nobody anything.
    ///
    /// # Errors
    /// As [`ScreenHost::open`].
    fn glance(&self, id: &SourceId) -> Result<Box<dyn ScreenSource>, ScreenError> {
        self.open(id, &|| false)
    }

    /// Shows those who sit at this machine what is being shared, until the returned value is dropped; `None` where
    /// that is the system's own business, or cannot be done.
    fn mark(&self, id: &SourceId) -> Option<Box<dyn Send>> {
        let _ = id;
        None
    }
}

/// An open screen or window. Lives on one thread, hence need not be `Send`.
pub trait ScreenSource {
    /// Size of the picture now.
    fn size(&self) -> Size;

    /// Waits for a change for at most `wait`, and hands over what changed since the last look (at the first one:
    /// everything).
    ///
    /// # Errors
    /// [`ScreenError::Gone`] when a window was closed or a screen unplugged.
    fn look(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(Patch<'_>),
    ) -> Result<Look, ScreenError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_grow_to_even_corners_and_stay_inside() {
        let size = Size {
            width: 101,
            height: 50,
        };
        let rect = |x, y, width, height| Rect {
            x,
            y,
            width,
            height,
        };
        assert_eq!(rect(3, 5, 4, 4).even_in(size), rect(2, 4, 6, 6));
        assert_eq!(rect(100, 0, 1, 1).even_in(size), rect(100, 0, 1, 2));
        assert!(rect(200, 0, 5, 5).even_in(size).is_empty());
        assert_eq!(
            rect(0, 0, u32::MAX, u32::MAX).even_in(size),
            Rect::all(size)
        );
    }
}
