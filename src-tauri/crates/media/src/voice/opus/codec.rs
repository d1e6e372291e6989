//! libopus itself, where its safe wrapper stops: the decoder's complexity (deep concealment, NoLACE) and deep redundancy
//! (DRED, RFC draft-ietf-mlcodec-opus-dred). The only unsafe code of the voice.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr::NonNull;

use opusic_sys as ffi;

/// Samples per second, everywhere.
const RATE: i32 = 48_000;

/// What libopus said no with: one of its own error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("libopus: error {0}")]
pub(super) struct Refused(c_int);

fn checked(code: c_int) -> Result<c_int, Refused> {
    if code < 0 {
        Err(Refused(code))
    } else {
        Ok(code)
    }
}

/// Lengths that libopus counts in `int`; slices of ours are never near its end.
fn int(length: usize) -> c_int {
    c_int::try_from(length).unwrap_or(c_int::MAX)
}

/// One of the encoder's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// Bits per second.
    Bitrate,
    /// 0 to 10.
    Complexity,
    /// Redundancy of one frame in the next (LBRR): 0 or 1.
    InbandFec,
    /// Loss to expect, per cent.
    Loss,
    /// Redundancy of many frames in the padding (DRED): how far back, in units of 10 ms, 0 to 104.
    Dred,
}

/// What an encoder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// One channel of speech, with redundancy against loss.
    Voice,
    /// One channel of anything, 4 ms sooner and for a third of the work: the transform alone (RFC 6716 §2.1.1), without
    /// redundancy.
    Quick,
    /// Two channels of anything.
    Music,
}

/// An encoder.
#[derive(Debug)]
pub(super) struct Encoder {
    state: NonNull<ffi::OpusEncoder>,
    channels: usize,
}

// SAFETY: the state belongs to this value alone, and libopus keeps nothing per thread.
unsafe impl Send for Encoder {}

impl Encoder {
    pub(super) fn new(purpose: Purpose) -> Result<Self, Refused> {
        let (channels, application) = match purpose {
            Purpose::Voice => (1, ffi::OPUS_APPLICATION_VOIP),
            Purpose::Quick => (1, ffi::OPUS_APPLICATION_RESTRICTED_LOWDELAY),
            Purpose::Music => (2, ffi::OPUS_APPLICATION_AUDIO),
        };
        let mut code = 0;
        // SAFETY: the arguments are among those that the function documents; it writes to `code` alone.
        let state =
            unsafe { ffi::opus_encoder_create(RATE, int(channels), application, &mut code) };
        checked(code)?;
        let state = NonNull::new(state).ok_or(Refused(code))?;
        Ok(Self { state, channels })
    }

    pub(super) fn set(&mut self, setting: Setting, value: i32) -> Result<(), Refused> {
        let request = match setting {
            Setting::Bitrate => ffi::OPUS_SET_BITRATE_REQUEST,
            Setting::Complexity => ffi::OPUS_SET_COMPLEXITY_REQUEST,
            Setting::InbandFec => ffi::OPUS_SET_INBAND_FEC_REQUEST,
            Setting::Loss => ffi::OPUS_SET_PACKET_LOSS_PERC_REQUEST,
            Setting::Dred => ffi::OPUS_SET_DRED_DURATION_REQUEST,
        };
        // SAFETY: the state is alive; each of these requests takes exactly one `opus_int32`.
        checked(unsafe { ffi::opus_encoder_ctl(self.state.as_ptr(), request, value) }).map(drop)
    }

    /// Forgets what was encoded; settings stay.
    pub(super) fn reset(&mut self) -> Result<(), Refused> {
        // SAFETY: the state is alive; this request takes nothing.
        checked(unsafe { ffi::opus_encoder_ctl(self.state.as_ptr(), ffi::OPUS_RESET_STATE) })
            .map(drop)
    }

    /// Encodes one frame (interleaved); says how many bytes of `packet` it takes.
    pub(super) fn encode(&mut self, pcm: &[f32], packet: &mut [u8]) -> Result<usize, Refused> {
        // SAFETY: the state is alive, and both lengths are those of the slices; libopus counts samples per channel.
        let length = checked(unsafe {
            ffi::opus_encode_float(
                self.state.as_ptr(),
                pcm.as_ptr(),
                int(pcm.len() / self.channels),
                packet.as_mut_ptr(),
                int(packet.len()),
            )
        })?;
        Ok(length as usize)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_encoder_create`, and dropped once.
        unsafe { ffi::opus_encoder_destroy(self.state.as_ptr()) }
    }
}

/// A decoder: mono.
#[derive(Debug)]
pub(super) struct Decoder(NonNull<ffi::OpusDecoder>);

// SAFETY: as for the encoder.
unsafe impl Send for Decoder {}

impl Decoder {
    pub(super) fn new() -> Result<Self, Refused> {
        let mut code = 0;
        // SAFETY: the arguments are among those that the function documents; it writes to `code` alone.
        let state = unsafe { ffi::opus_decoder_create(RATE, 1, &mut code) };
        checked(code)?;
        NonNull::new(state).map(Self).ok_or(Refused(code))
    }

    /// 0 to 10: from 5 on losses are concealed by a network, from 6 on (LACE) and 7 on (NoLACE) low rates sound better.
    pub(super) fn set_complexity(&mut self, value: i32) -> Result<(), Refused> {
        // SAFETY: the state is alive; this request takes exactly one `opus_int32`.
        checked(unsafe {
            ffi::opus_decoder_ctl(self.0.as_ptr(), ffi::OPUS_SET_COMPLEXITY_REQUEST, value)
        })
        .map(drop)
    }

    /// Decodes a packet, or conceals (`None`), into `pcm`; with `redundancy` what the packet holds of the frame before it.
    pub(super) fn decode(
        &mut self,
        packet: Option<&[u8]>,
        pcm: &mut [f32],
        redundancy: bool,
    ) -> Result<usize, Refused> {
        let (data, length) = match packet {
            // An empty packet would be taken for a lost one.
            Some([]) => return Err(Refused(ffi::OPUS_INVALID_PACKET)),
            Some(bytes) => (bytes.as_ptr(), int(bytes.len())),
            None => (std::ptr::null(), 0),
        };
        // SAFETY: the state is alive, both lengths are those of the slices, and no packet is a null pointer by contract.
        let samples = checked(unsafe {
            ffi::opus_decode_float(
                self.0.as_ptr(),
                data,
                length,
                pcm.as_mut_ptr(),
                int(pcm.len()),
                c_int::from(redundancy),
            )
        })?;
        Ok(samples as usize)
    }

    /// Fills `pcm` with what `deep` knows of the sound `before` samples before its packet.
    pub(super) fn decode_deep(
        &mut self,
        deep: &Deep,
        before: usize,
        pcm: &mut [f32],
    ) -> Result<usize, Refused> {
        // SAFETY: both states are alive, and the length is that of the slice.
        let samples = checked(unsafe {
            ffi::opus_decoder_dred_decode_float(
                self.0.as_ptr(),
                deep.data.as_ptr(),
                int(before),
                pcm.as_mut_ptr(),
                int(pcm.len()),
            )
        })?;
        Ok(samples as usize)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_decoder_create`, and dropped once.
        unsafe { ffi::opus_decoder_destroy(self.0.as_ptr()) }
    }
}

/// The deep redundancy of one packet.
#[derive(Debug)]
pub(super) struct Deep {
    decoder: NonNull<ffi::OpusDREDDecoder>,
    data: NonNull<ffi::OpusDRED>,
}

// SAFETY: as for the encoder.
unsafe impl Send for Deep {}

impl Deep {
    pub(super) fn new() -> Result<Self, Refused> {
        let mut code = 0;
        // SAFETY: it writes to `code` alone.
        let decoder = unsafe { ffi::opus_dred_decoder_create(&mut code) };
        checked(code)?;
        let decoder = NonNull::new(decoder).ok_or(Refused(code))?;
        // SAFETY: it writes to `code` alone.
        let data = unsafe { ffi::opus_dred_alloc(&mut code) };
        match (checked(code), NonNull::new(data)) {
            (Ok(_), Some(data)) => Ok(Self { decoder, data }),
            _ => {
                // SAFETY: made above, and not used again.
                unsafe { ffi::opus_dred_decoder_destroy(decoder.as_ptr()) };
                Err(Refused(code))
            }
        }
    }

    /// Reads what a packet holds of the `most` samples before it; says how far back it reaches, in samples, 0 if it holds
    /// nothing.
    pub(super) fn parse(&mut self, packet: &[u8], most: usize) -> Result<usize, Refused> {
        let mut silent = 0;
        // SAFETY: both states are alive, the length is that of the slice, and `silent` is written alone.
        let reach = checked(unsafe {
            ffi::opus_dred_parse(
                self.decoder.as_ptr(),
                self.data.as_ptr(),
                packet.as_ptr(),
                int(packet.len()),
                int(most),
                RATE,
                &mut silent,
                0,
            )
        })?;
        Ok(reach as usize)
    }
}

impl Drop for Deep {
    fn drop(&mut self) {
        // SAFETY: made by the functions that these belong to, and dropped once.
        unsafe {
            ffi::opus_dred_free(self.data.as_ptr());
            ffi::opus_dred_decoder_destroy(self.decoder.as_ptr());
        }
    }
}
