//! Memory shared with the X server, into which it writes pixels.
#![allow(unsafe_code)]

use std::fs::File;

use memmap2::{MmapMut, MmapOptions};
use x11rb::connection::{Connection, RequestConnection as _};
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{Drawable, ImageFormat};
use x11rb::rust_connection::RustConnection;

use super::failed;
use crate::screen::ScreenError;

/// A segment. It has no name in the system, so that nobody else can read our screen through it, and nothing stays
/// behind when we die.
#[derive(Debug)]
pub(super) struct Segment {
    id: shm::Seg,
    memory: MmapMut,
}

impl Segment {
    /// Makes one of at least `length` bytes; `None` if the server is elsewhere, or old.
    pub(super) fn new(
        connection: &RustConnection,
        length: usize,
    ) -> Result<Option<Self>, ScreenError> {
        let present = connection
            .extension_information(shm::X11_EXTENSION_NAME)
            .map_err(failed)?;
        if present.is_none() {
            return Ok(None);
        }
        let version = connection.shm_query_version().map_err(failed)?.reply();
        if !version.is_ok_and(|version| (version.major_version, version.minor_version) >= (1, 2)) {
            return Ok(None);
        }
        let Ok(size) = u32::try_from(length) else {
            return Ok(None);
        };
        let id = connection.generate_id().map_err(failed)?;
        let made = connection
            .shm_create_segment(id, size, false)
            .map_err(failed)?;
        let Ok(made) = made.reply() else {
            return Ok(None); // Over the network there is no shared memory.
        };
        let file = File::from(made.shm_fd);
        // SAFETY: the file has no name and only the server has it open besides us. It writes only while we wait for
        // its reply to `fetch`, and it never makes the file shorter.
        let memory = unsafe { MmapOptions::new().len(length).map_mut(&file) };
        match memory {
            Ok(memory) => Ok(Some(Self { id, memory })),
            Err(error) => {
                tracing::info!(%error, "no shared memory with the X server");
                Ok(None)
            }
        }
    }

    /// Room, bytes.
    pub(super) fn len(&self) -> usize {
        self.memory.len()
    }

    /// Lets the server write a rectangle of a drawable; gives its pixels, row by row without padding. `None` if the
    /// drawable does not reach so far (any more).
    pub(super) fn fetch(
        &mut self,
        connection: &RustConnection,
        drawable: Drawable,
        (x, y): (i16, i16),
        (width, height): (u16, u16),
    ) -> Result<Option<&mut [u8]>, ScreenError> {
        let length = usize::from(width) * usize::from(height) * 4;
        if length > self.memory.len() {
            return Ok(None);
        }
        let asked = connection.shm_get_image(
            drawable,
            x,
            y,
            width,
            height,
            !0,
            ImageFormat::Z_PIXMAP.into(),
            self.id,
            0,
        );
        match asked.map_err(failed)?.reply() {
            Ok(_) => Ok(self.memory.get_mut(..length)),
            Err(x11rb::errors::ReplyError::X11Error(_)) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }
}
