//! The decoder.

use std::ffi::{c_int, c_uint};
use std::mem::MaybeUninit;
use std::ptr;

use vpx_sys as vpx;

use crate::video::{I420, Size, VideoError};

/// A VP8 decoder.
pub struct Decoder {
    context: Box<vpx::vpx_codec_ctx_t>,
}

// SAFETY: as for `Encoder`.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Starts a decoder with one thread: a 1080p picture takes 2 to 5 ms, which no second thread is worth.
    ///
    /// # Errors
    /// [`VideoError::Setup`] when libvpx refuses: give up.
    pub fn new() -> Result<Self, VideoError> {
        let mut context = Box::new(
            // SAFETY: as in `Encoder::new`.
            unsafe { MaybeUninit::<vpx::vpx_codec_ctx_t>::zeroed().assume_init() },
        );
        let settings = vpx::vpx_codec_dec_cfg_t {
            threads: 1,
            w: 0,
            h: 0,
        };
        // SAFETY: context and settings live for the call; the context stays in its box.
        let done = unsafe {
            vpx::vpx_codec_dec_init_ver(
                &mut *context,
                vpx::vpx_codec_vp8_dx(),
                &settings,
                0,
                vpx::VPX_DECODER_ABI_VERSION as c_int,
            )
        };
        if done != vpx::vpx_codec_err_t::VPX_CODEC_OK {
            return Err(VideoError::Setup("no VP8 in this libvpx"));
        }
        Ok(Self { context })
    }

    /// Unpacks a frame; `None` when it shows nothing new.
    ///
    /// # Errors
    /// [`VideoError::TooLarge`] for a header that asks for more than [`crate::video::MAX_PIXELS`] (looked at before libvpx
    /// allocates anything), [`VideoError::Decode`] for a damaged frame: ask for a key frame.
    pub fn decode(&mut self, frame: &[u8]) -> Result<Option<I420>, VideoError> {
        if let Some((width, height)) = key_frame_size(frame)
            && Size::checked(width, height).is_none()
        {
            return Err(VideoError::TooLarge { width, height });
        }
        let length = c_uint::try_from(frame.len()).map_err(|_| VideoError::Decode(-1))?;
        if length == 0 {
            // To libvpx this would mean "a frame was lost".
            return Err(VideoError::Decode(-2));
        }
        // SAFETY: buffer and length belong together and live for the call.
        let done = unsafe {
            vpx::vpx_codec_decode(
                &mut *self.context,
                frame.as_ptr(),
                length,
                ptr::null_mut(),
                0,
            )
        };
        if done != vpx::vpx_codec_err_t::VPX_CODEC_OK {
            return Err(VideoError::Decode(done as i32));
        }
        let mut iterator = ptr::null();
        let mut newest = None;
        loop {
            // SAFETY: the documented way; the image is valid until the next call on the context.
            let image = unsafe { vpx::vpx_codec_get_frame(&mut *self.context, &mut iterator) };
            // SAFETY: null or a valid image, see above.
            let Some(image) = (unsafe { image.as_ref() }) else {
                break;
            };
            newest = Some(copy(image)?);
        }
        Ok(newest)
    }
}

/// Copies an image out of libvpx.
fn copy(image: &vpx::vpx_image_t) -> Result<I420, VideoError> {
    let (width, height) = (image.d_w, image.d_h);
    let size = Size::checked(width, height).ok_or(VideoError::TooLarge { width, height })?;
    let mut data = Vec::with_capacity(size.i420_len());
    for (plane, part) in [size, size.chroma(), size.chroma()].into_iter().enumerate() {
        let (start, stride) = (image.planes[plane], image.stride[plane]);
        if start.is_null() || stride < part.width as c_int {
            return Err(VideoError::Decode(-3));
        }
        for row in 0..part.height as usize {
            // SAFETY: a decoded image has d_h (chroma: half, rounded up) rows of `stride` bytes in each plane.
            let bytes = unsafe {
                std::slice::from_raw_parts(
                    start.add(row * stride as usize).cast_const(),
                    part.width as usize,
                )
            };
            data.extend_from_slice(bytes);
        }
    }
    I420::from_planes(size, data).ok_or(VideoError::Decode(-4))
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe {
            vpx::vpx_codec_destroy(&mut *self.context);
        }
    }
}

/// The size in a key frame's header (RFC 6386 §9.1); `None` for other frames.
#[must_use]
pub fn key_frame_size(frame: &[u8]) -> Option<(u32, u32)> {
    let header = frame.get(..10)?;
    let key = header[0] & 1 == 0;
    if !key || header[3..6] != [0x9d, 0x01, 0x2a] {
        return None;
    }
    let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
    Some((side(header[6], header[7]), side(header[8], header[9])))
}
