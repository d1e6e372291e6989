//! The encoder.

use std::ffi::{c_int, c_uint, c_ulong};
use std::mem::MaybeUninit;
use std::ptr;

use vpx_sys as vpx;

use crate::video::moves::Reference;
use crate::video::{I420, Size, VideoError};

/// RTP's clock for pictures; also libvpx's time base here.
const CLOCK: c_int = 90_000;

/// How a picture stream is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderConfig {
    /// Size of every picture.
    pub size: Size,
    /// Bits per second.
    pub bitrate: u32,
    /// Pictures per second, at most; the rate control spreads the bits over so many.
    pub fps: u32,
    /// Threads of libvpx: 1, or more where cores are to spare.
    pub threads: u32,
    /// Effort, 4 (best) to 16 (fastest). −6 and −12 differ little in time and much in quality, so 6 is the rule.
    pub speed: u8,
    /// Text and windows; otherwise moving pictures.
    pub screen: bool,
}

/// A packed picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// A VP8 frame.
    pub data: Vec<u8>,
    /// It can be decoded without any other.
    pub key: bool,
    /// Quantizer, 0 (finest) to 63.
    pub quantizer: u8,
}

/// A VP8 encoder. Send, but used by one thread at a time (`&mut self`).
pub struct Encoder {
    context: Box<vpx::vpx_codec_ctx_t>,
    settings: vpx::vpx_codec_enc_cfg_t,
    config: EncoderConfig,
    /// Time of the last picture in units of [`CLOCK`]; libvpx wants it to grow.
    last: i64,
}

// SAFETY: libvpx keeps no thread-local state in a context; it must only not be used by two threads at once, which
// `&mut self` on every method sees to.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Starts an encoder.
    ///
    /// # Errors
    /// [`VideoError::Setup`] when libvpx refuses: give up.
    pub fn new(config: EncoderConfig) -> Result<Self, VideoError> {
        let mut settings = MaybeUninit::<vpx::vpx_codec_enc_cfg_t>::zeroed();
        // SAFETY: the interface pointer is libvpx's own static; the function fills the whole struct when it succeeds.
        let mut settings = unsafe {
            let done = vpx::vpx_codec_enc_config_default(
                vpx::vpx_codec_vp8_cx(),
                settings.as_mut_ptr(),
                0,
            );
            if done != vpx::vpx_codec_err_t::VPX_CODEC_OK {
                return Err(VideoError::Setup("no VP8 in this libvpx"));
            }
            settings.assume_init()
        };
        settings.g_w = config.size.width;
        settings.g_h = config.size.height;
        settings.g_timebase.num = 1;
        settings.g_timebase.den = CLOCK;
        settings.g_threads = config.threads;
        settings.g_pass = vpx::vpx_enc_pass::VPX_RC_ONE_PASS;
        settings.g_lag_in_frames = 0;
        settings.g_error_resilient = 0;
        settings.rc_end_usage = vpx::vpx_rc_mode::VPX_CBR;
        settings.rc_target_bitrate = (config.bitrate / 1000).max(1);
        settings.rc_min_quantizer = 4;
        // The coarsest: when everything moves, soon matters more than fine.
        settings.rc_max_quantizer = 63;
        settings.rc_undershoot_pct = 100;
        settings.rc_overshoot_pct = 15;
        settings.rc_buf_sz = 1000;
        settings.rc_buf_initial_sz = 500;
        settings.rc_buf_optimal_sz = 600;
        settings.rc_dropframe_thresh = 0;
        settings.rc_resize_allowed = 0;
        // Key frames are made when somebody asks, and at no other time.
        settings.kf_mode = vpx::vpx_kf_mode::VPX_KF_DISABLED;

        let mut context = Box::new(
            // SAFETY: a C struct of pointers and integers, for which zero is the documented initial state.
            unsafe { MaybeUninit::<vpx::vpx_codec_ctx_t>::zeroed().assume_init() },
        );
        // SAFETY: context and settings live for the call; the context stays where it is, in its box.
        let done = unsafe {
            vpx::vpx_codec_enc_init_ver(
                &mut *context,
                vpx::vpx_codec_vp8_cx(),
                &settings,
                0,
                vpx::VPX_ENCODER_ABI_VERSION as c_int,
            )
        };
        if done != vpx::vpx_codec_err_t::VPX_CODEC_OK {
            return Err(VideoError::Setup("libvpx refused the settings"));
        }
        let mut encoder = Self {
            context,
            settings,
            config,
            last: -1,
        };
        use vpx::vp8e_enc_control_id as id;
        let speed = -c_int::from(config.speed.clamp(4, 16));
        encoder.control(id::VP8E_SET_CPUUSED as c_int, speed)?;
        encoder.control(id::VP8E_SET_STATIC_THRESHOLD as c_int, 100)?;
        encoder.control(id::VP8E_SET_TOKEN_PARTITIONS as c_int, 0)?;
        encoder.control(id::VP8E_SET_NOISE_SENSITIVITY as c_int, 0)?;
        encoder.control(
            id::VP8E_SET_SCREEN_CONTENT_MODE as c_int,
            // 2: a picture that got much too large is dropped, and the next one made coarse at once.
            if config.screen { 2 } else { 0 },
        )?;
        // A key frame may take nine times what an ordinary one does; more would be seconds on a thin line.
        encoder.control(id::VP8E_SET_MAX_INTRA_BITRATE_PCT as c_int, 900)?;
        Ok(encoder)
    }

    fn control(&mut self, id: c_int, value: c_int) -> Result<(), VideoError> {
        // SAFETY: every control used here takes one int by value.
        let done = unsafe { vpx::vpx_codec_control_(&mut *self.context, id, value) };
        if done == vpx::vpx_codec_err_t::VPX_CODEC_OK {
            Ok(())
        } else {
            Err(VideoError::Setup("libvpx refused a setting"))
        }
    }

    /// How it was started, with the bit rate of now.
    #[must_use]
    pub fn config(&self) -> EncoderConfig {
        self.config
    }

    /// Another bit rate, bits per second, from the next picture on.
    ///
    /// # Errors
    /// [`VideoError::Setup`] when libvpx refuses; the former rate stays.
    pub fn set_bitrate(&mut self, bitrate: u32) -> Result<(), VideoError> {
        if bitrate / 1000 == self.config.bitrate / 1000 {
            return Ok(());
        }
        let mut settings = self.settings;
        settings.rc_target_bitrate = (bitrate / 1000).max(1);
        // SAFETY: both live for the call.
        let done = unsafe { vpx::vpx_codec_enc_config_set(&mut *self.context, &settings) };
        if done != vpx::vpx_codec_err_t::VPX_CODEC_OK {
            return Err(VideoError::Setup("libvpx refused the bit rate"));
        }
        self.settings = settings;
        self.config.bitrate = bitrate;
        Ok(())
    }

    /// Which macroblocks (16×16 pixels, row by row) may change: the others keep the former picture and cost nothing.
    /// `None`, or a map of another size, means all.
    ///
    /// # Errors
    /// [`VideoError::Setup`] when libvpx refuses.
    pub fn set_active(&mut self, map: Option<&[u8]>) -> Result<(), VideoError> {
        let rows = self.config.size.height.div_ceil(16);
        let cols = self.config.size.width.div_ceil(16);
        let map = map.filter(|map| map.len() == (rows * cols) as usize);
        let mut active = vpx::vpx_active_map_t {
            // libvpx copies the map and does not write to it, although its declaration would allow that.
            active_map: map.map_or(ptr::null_mut(), |map| map.as_ptr().cast_mut()),
            rows: rows as c_uint,
            cols: cols as c_uint,
        };
        let id = vpx::vp8e_enc_control_id::VP8E_SET_ACTIVEMAP as c_int;
        // SAFETY: this control takes a pointer to a `vpx_active_map_t` whose map has rows × cols bytes, or is null.
        let done =
            unsafe { vpx::vpx_codec_control_(&mut *self.context, id, ptr::from_mut(&mut active)) };
        if done == vpx::vpx_codec_err_t::VPX_CODEC_OK {
            Ok(())
        } else {
            Err(VideoError::Setup("libvpx refused the active map"))
        }
    }

    /// Packs a picture shown at `time` (90 kHz, growing) for `duration`. `None` when the rate control drops it.
    ///
    /// # Errors
    /// [`VideoError::Encode`]; the next picture may work, as a key frame. Also when the picture has another size than
    /// the encoder.
    pub fn encode(
        &mut self,
        picture: &I420,
        time: i64,
        duration: u32,
        key: bool,
    ) -> Result<Option<Packed>, VideoError> {
        if picture.size() != self.config.size {
            return Err(VideoError::Encode(-1));
        }
        let time = time.max(self.last + 1);
        self.last = time;
        let Size { width, height } = picture.size();
        let (y, u, v) = picture.planes();
        let mut image = MaybeUninit::<vpx::vpx_image_t>::zeroed();
        // SAFETY: wraps the planes without copying; they are one block, contiguous, rows without padding (align 1),
        // which is how libvpx lays I420 out itself. libvpx only reads them.
        let image = unsafe {
            let wrapped = vpx::vpx_img_wrap(
                image.as_mut_ptr(),
                vpx::vpx_img_fmt::VPX_IMG_FMT_I420,
                width,
                height,
                1,
                picture.bytes().as_ptr().cast_mut(),
            );
            if wrapped.is_null() {
                return Err(VideoError::Encode(-2));
            }
            let mut image = image.assume_init();
            image.planes[0] = y.as_ptr().cast_mut();
            image.planes[1] = u.as_ptr().cast_mut();
            image.planes[2] = v.as_ptr().cast_mut();
            let chroma = picture.size().chroma().width as c_int;
            image.stride[0] = width as c_int;
            image.stride[1] = chroma;
            image.stride[2] = chroma;
            image
        };
        let flags = if key {
            i64::from(vpx::VPX_EFLAG_FORCE_KF)
        } else {
            0
        };
        // SAFETY: context and image live for the call, and the planes behind the image do.
        let done = unsafe {
            vpx::vpx_codec_encode(
                &mut *self.context,
                &image,
                time,
                c_ulong::from(duration.max(1)),
                flags as _,
                vpx::VPX_DL_REALTIME as c_ulong,
            )
        };
        if done != vpx::vpx_codec_err_t::VPX_CODEC_OK {
            return Err(VideoError::Encode(done as i32));
        }
        Ok(self.packet())
    }

    /// The picture that the next one is predicted from.
    ///
    /// # Errors
    /// [`VideoError::Setup`] when libvpx does not give it.
    pub fn reference(&mut self) -> Result<Reference, VideoError> {
        let Size { width, height } = self.config.size;
        let whole = |side: u32| side.div_ceil(16) as usize * 16;
        let (width, height) = (whole(width), whole(height));
        let mut reference = Reference {
            width,
            height,
            data: vec![0; width * height * 3 / 2],
        };
        let id = vpx::vp8_com_control_id::VP8_COPY_REFERENCE as c_int;
        let last = vpx::vpx_ref_frame_type::VP8_LAST_FRAME;
        self.exchange(id, last, reference.data.as_mut_ptr(), (width, height))?;
        Ok(reference)
    }

    /// From now on pictures are predicted from this one, which the decoder must have, too: as its last, its golden and its
    /// alternate one.
    ///
    /// # Errors
    /// [`VideoError::Setup`] when libvpx refuses, or it has another size: only a key frame makes both sides one again.
    pub fn set_reference(&mut self, reference: &Reference) -> Result<(), VideoError> {
        let Size { width, height } = self.config.size;
        let whole = |side: u32| side.div_ceil(16) as usize * 16;
        let (width, height) = (whole(width), whole(height));
        let fits = (reference.width, reference.height) == (width, height)
            && reference.data.len() == width * height * 3 / 2;
        if !fits {
            return Err(VideoError::Setup("a reference of another size"));
        }
        let id = vpx::vp8_com_control_id::VP8_SET_REFERENCE as c_int;
        use vpx::vpx_ref_frame_type as kind;
        for which in [
            kind::VP8_LAST_FRAME,
            kind::VP8_GOLD_FRAME,
            kind::VP8_ALTR_FRAME,
        ] {
            // libvpx only reads it, although its declaration would allow more.
            let data = reference.data.as_ptr().cast_mut();
            self.exchange(id, which, data, (width, height))?;
        }
        Ok(())
    }

    /// Copies a reference in or out. `data` has room for Y, U and V of this size, which is that of the encoder's own pictures.
    fn exchange(
        &mut self,
        id: c_int,
        which: vpx::vpx_ref_frame_type,
        data: *mut u8,
        (width, height): (usize, usize),
    ) -> Result<(), VideoError> {
        let refused = Err(VideoError::Setup("libvpx does not exchange references"));
        let mut image = MaybeUninit::<vpx::vpx_image_t>::zeroed();
        // SAFETY: describes `data` without touching it; rows without padding, as the caller has them.
        let image = unsafe {
            let wrapped = vpx::vpx_img_wrap(
                image.as_mut_ptr(),
                vpx::vpx_img_fmt::VPX_IMG_FMT_I420,
                width as c_uint,
                height as c_uint,
                1,
                data,
            );
            if wrapped.is_null() {
                return refused;
            }
            image.assume_init()
        };
        let mut exchanged = vpx::vpx_ref_frame_t {
            frame_type: which,
            img: image,
        };
        // SAFETY: these controls take a pointer to a `vpx_ref_frame_t`, and copy as many rows and columns as the encoder's own
        // pictures have, which are whole blocks: exactly what `data` has room for.
        let done = unsafe {
            vpx::vpx_codec_control_(&mut *self.context, id, ptr::from_mut(&mut exchanged))
        };
        if done == vpx::vpx_codec_err_t::VPX_CODEC_OK {
            Ok(())
        } else {
            refused
        }
    }

    fn packet(&mut self) -> Option<Packed> {
        let mut packed: Option<Packed> = None;
        let mut iterator = ptr::null();
        loop {
            // SAFETY: the documented way to walk over the output; a packet is valid until the next call on the context.
            let packet = unsafe { vpx::vpx_codec_get_cx_data(&mut *self.context, &mut iterator) };
            // SAFETY: null or a valid packet, see above.
            let Some(packet) = (unsafe { packet.as_ref() }) else {
                break;
            };
            if packet.kind != vpx::vpx_codec_cx_pkt_kind::VPX_CODEC_CX_FRAME_PKT {
                continue;
            }
            // SAFETY: the kind says which member of the union is set; buffer and length belong together.
            let (data, flags) = unsafe {
                let frame = packet.data.frame;
                let bytes = std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz as usize);
                (bytes.to_vec(), frame.flags)
            };
            packed = Some(Packed {
                data,
                key: flags & vpx::VPX_FRAME_IS_KEY as vpx::vpx_codec_frame_flags_t != 0,
                quantizer: 0,
            });
        }
        if let Some(packed) = &mut packed {
            let mut quantizer: c_int = 0;
            let id = vpx::vp8e_enc_control_id::VP8E_GET_LAST_QUANTIZER_64 as c_int;
            // SAFETY: this control takes a pointer to an int.
            unsafe {
                vpx::vpx_codec_control_(&mut *self.context, id, ptr::from_mut(&mut quantizer));
            }
            packed.quantizer = quantizer.clamp(0, 63) as u8;
        }
        packed
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe {
            vpx::vpx_codec_destroy(&mut *self.context);
        }
    }
}
