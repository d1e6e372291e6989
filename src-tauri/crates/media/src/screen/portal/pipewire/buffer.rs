//! What a buffer of PipeWire's holds: pixels, and what is told about them.

use super::super::library::{self, Buffer, Region, meta};

/// The pixels of a buffer, from its first row to at least the end of its last, and the bytes from one row to the next;
/// `None` if it is not what was agreed on.
///
/// # Safety
/// The buffer must be dequeued, and stay so as long as the result is used. Its memory is shared with the compositor,
/// which leaves it alone until we give it back.
pub(super) unsafe fn pixels<'a>(
    buffer: *mut Buffer,
    (width, height): (u32, u32),
) -> Option<(&'a [u8], usize)> {
    // SAFETY: the library keeps these structures whole; the pointers are checked for what it may leave out.
    let (data, chunk) = unsafe {
        let buffer = (*buffer).buffer.as_ref()?;
        if buffer.n_datas == 0 {
            return None;
        }
        let data = buffer.datas.as_ref()?;
        (data, data.chunk.as_ref()?)
    };
    let row = width as usize * 4;
    let stride = match chunk.stride {
        0 => row,
        stride => usize::try_from(stride).ok()?,
    };
    let needed = stride
        .checked_mul(height.checked_sub(1)? as usize)?
        .checked_add(row)?;
    let room = data.max_size as usize;
    let start = chunk.offset as usize % room.max(1);
    let fits = stride >= row && start.checked_add(needed)? <= room;
    if !fits || data.data.is_null() {
        return None;
    }
    // SAFETY: inside the mapping, which is `max_size` long.
    let bytes = unsafe {
        std::slice::from_raw_parts(data.data.cast::<u8>().cast_const().add(start), room - start)
    };
    Some((bytes, stride))
}

/// What a buffer tells about itself.
pub(super) struct Told {
    /// It has no (whole) picture.
    pub(super) useless: bool,
    pub(super) crop: Option<Region>,
    /// `None` if it has no list of damaged parts.
    pub(super) damage: Option<Vec<Region>>,
}

/// Reads what a buffer tells about itself.
///
/// # Safety
/// The buffer must be dequeued.
pub(super) unsafe fn told(buffer: *mut Buffer) -> Told {
    let mut told = Told {
        useless: true,
        crop: None,
        damage: None,
    };
    // SAFETY: as in `pixels`; metadata is as long as it says, and aligned to 8 bytes.
    unsafe {
        let Some(buffer) = (*buffer).buffer.as_ref() else {
            return told;
        };
        if buffer.n_datas > 0
            && let Some(data) = buffer.datas.as_ref()
            && let Some(chunk) = data.chunk.as_ref()
        {
            told.useless = chunk.size == 0 || chunk.flags & library::CHUNK_CORRUPTED != 0;
        }
        if buffer.metas.is_null() {
            return told;
        }
        for meta in std::slice::from_raw_parts(buffer.metas, buffer.n_metas as usize) {
            let size = meta.size as usize;
            if meta.data.is_null() {
                continue;
            }
            match meta.kind {
                meta::HEADER if size >= 4 => {
                    let flags = meta.data.cast::<u32>().read();
                    told.useless |= flags & library::HEADER_CORRUPTED != 0;
                }
                meta::CROP if size >= size_of::<Region>() => {
                    told.crop = Some(meta.data.cast::<Region>().read());
                }
                meta::DAMAGE => {
                    let count = size / size_of::<Region>();
                    let list = std::slice::from_raw_parts(meta.data.cast::<Region>(), count);
                    told.damage = Some(list.to_vec());
                }
                _ => {}
            }
        }
    }
    told
}
