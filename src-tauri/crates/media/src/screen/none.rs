//! No screens at all: for clients on machines without a display, and for tests that need none.

use calls_core::id::SourceId;
use calls_core::port::media::ShareSource;

use super::pattern::Pattern;
use super::{ScreenError, ScreenHost, ScreenSource};

/// Offers nothing but the test pattern, which needs no display.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoScreens;

impl ScreenHost for NoScreens {
    fn sources(&self) -> Result<Vec<ShareSource>, ScreenError> {
        Err(ScreenError::Unsupported(None))
    }

    fn open(
        &self,
        id: &SourceId,
        _stopped: &dyn Fn() -> bool,
    ) -> Result<Box<dyn ScreenSource>, ScreenError> {
        match Pattern::named(id) {
            Some(pattern) => Ok(Box::new(pattern)),
            None => Err(ScreenError::Unsupported(None)),
        }
    }
}
