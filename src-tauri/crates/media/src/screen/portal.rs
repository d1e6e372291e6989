//! Wayland, where no program sees the screen unless the person allows it in a dialog of the desktop's: the portal
//! gives the permission (`portal/desktop.rs`), PipeWire the pictures (`portal/pipewire.rs`). See ADR 11.

use std::sync::Arc;
use std::time::Duration;

use calls_core::id::SourceId;
use calls_core::port::media::{ShareSource, SourceKind};

use super::memory::PortalMemory;
use super::{Look, Patch, ScreenError, ScreenHost, ScreenSource};
use crate::video::Size;

mod desktop;
mod frame;
mod library;
mod pipewire;
mod pod;
#[cfg(test)]
mod tests;

/// What was shared the last time, without a dialog where the desktop remembers it.
const AGAIN: &str = "portal";
/// The dialog, in any case.
const CHOOSE: &str = "portal:choose";

/// The desktop's portal.
pub struct PortalHost {
    memory: Arc<dyn PortalMemory>,
    /// The bus; the session's without one.
    bus: Option<String>,
    library: &'static str,
}

impl std::fmt::Debug for PortalHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PortalHost").finish_non_exhaustive()
    }
}

impl PortalHost {
    /// The portal of this session. Whether there is one shows when it is asked.
    #[must_use]
    pub fn new(memory: Arc<dyn PortalMemory>) -> Self {
        Self {
            memory,
            bus: None,
            library: library::NAME,
        }
    }
}

impl ScreenHost for PortalHost {
    fn sources(&self) -> Result<Vec<ShareSource>, ScreenError> {
        desktop::present(self.bus.as_deref())?;
        pipewire::library(self.library)?;
        let entry = |id: &str| ShareSource {
            id: SourceId::from(id),
            name: String::new(),
            kind: SourceKind::Portal,
            width: 0,
            height: 0,
        };
        let mut sources = Vec::new();
        if self.memory.token().is_some() {
            sources.push(entry(AGAIN));
        }
        sources.push(entry(CHOOSE));
        Ok(sources)
    }

    fn open(
        &self,
        id: &SourceId,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Box<dyn ScreenSource>, ScreenError> {
        let again = match id.as_str() {
            AGAIN => true,
            CHOOSE => false,
            // Screens and windows by name are not ours to choose; `--share screen` means the dialog.
            id if id.starts_with("screen") || id.starts_with("window") => true,
            _ => return Err(ScreenError::Gone),
        };
        // Nobody is asked for a permission that could not be used.
        let api = pipewire::library(self.library)?;
        let granted = desktop::ask(self.bus.as_deref(), &*self.memory, again, stopped)?;
        let stream = pipewire::PipeWireSource::connect(api, granted.remote, granted.node)?;
        Ok(Box::new(PortalSource {
            stream,
            session: granted.session,
        }))
    }

    fn glance(&self, _id: &SourceId) -> Result<Box<dyn ScreenSource>, ScreenError> {
        // A thumbnail is not worth a dialog.
        Err(ScreenError::Unsupported(None))
    }
}

/// A permission and its stream. The stream ends first.
struct PortalSource {
    stream: pipewire::PipeWireSource,
    session: desktop::Session,
}

impl ScreenSource for PortalSource {
    fn size(&self) -> Size {
        self.stream.size()
    }

    fn look(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(Patch<'_>),
    ) -> Result<Look, ScreenError> {
        if self.session.closed() {
            return Err(ScreenError::Gone);
        }
        self.stream.look(wait, take)
    }
}
