//! macOS: ScreenCaptureKit's sound without our own process (macOS 13). It asks for the permission that a shared screen
//! has already.

use std::sync::{Arc, Mutex, PoisonError};

use screencapturekit::error::SCStreamErrorCode;
use screencapturekit::prelude::*;

use super::{FORMAT, Inlet, Piece};
use crate::device::ring::{RingSource, Status};
use crate::device::{AudioSource, Fault};
use crate::error::MediaError;

/// Sound comes along with a picture, which nobody wants here: as small and as seldom as can be.
const PICTURE: u32 = 2;

/// Whether this system can leave us out: older ones do not keep the wish.
pub(in crate::device) fn has_played() -> bool {
    wish().captures_audio()
}

fn wish() -> SCStreamConfiguration {
    SCStreamConfiguration::new()
        .with_width(PICTURE)
        .with_height(PICTURE)
        .with_minimum_frame_interval(&CMTime::new(1, 1))
        .with_captures_audio(true)
        .with_excludes_current_process_audio(true)
        .with_sample_rate(FORMAT.rate.cast_signed())
        .with_channel_count(i32::from(FORMAT.channels))
}

/// Opens what all other programs play.
pub(in crate::device) fn open_played() -> Result<Box<dyn AudioSource>, MediaError> {
    let wish = wish();
    if !wish.captures_audio() || !wish.excludes_current_process_audio() {
        return Err(MediaError::Missing);
    }
    let content = SCShareableContent::get().map_err(refused)?;
    let displays = content.displays();
    // Any will do: sound is of all programs, wherever their windows are.
    let display = displays.first().ok_or(MediaError::Missing)?;
    let filter = SCContentFilter::create()
        .with_display(display)
        .with_excluding_windows(&[])
        .build()
        .map_err(refused)?;
    let (inlet, tap) = Inlet::new();
    let status = inlet.status();
    let ended = Arc::clone(&status);
    let stopped = ErrorHandler::new(move |error: SCError| {
        tracing::info!(?error, "ScreenCaptureKit ended the sound");
        ended.report(match error.stream_error_code() {
            // The person has: it is not begun again against their will.
            Some(SCStreamErrorCode::UserStopped | SCStreamErrorCode::UserDeclined) => Fault::Gone,
            // The display was unplugged, or the system's service was started anew.
            _ => Fault::Reopen,
        });
    });
    let mut stream = SCStream::new_with_delegate(&filter, &wish, stopped).map_err(refused)?;
    let taker = Taker {
        inlet: Mutex::new(inlet),
        status,
    };
    stream
        .add_output_handler(taker, SCStreamOutputType::Audio)
        .map_err(refused)?;
    stream.start_capture().map_err(refused)?;
    Ok(Box::new(RingSource::new(tap, Running(stream))))
}

/// Takes the sound from the system, which brings it on one queue.
struct Taker {
    inlet: Mutex<Inlet>,
    status: Arc<Status>,
}

impl SCStreamOutputTrait for Taker {
    fn did_output_sample_buffer(&self, sample: CMSampleBuffer, _kind: SCStreamOutputType) {
        if !is_as_wished(&sample) {
            // Noise for everybody, if it were read.
            return self.status.report(Fault::Gone);
        }
        let Ok(list) = sample.audio_buffer_list() else {
            return;
        };
        let pieces: Vec<Piece<'_>> = list
            .iter()
            .map(|buffer| Piece {
                data: buffer.data(),
                channels: buffer.number_channels as usize,
            })
            .collect();
        let mut inlet = self.inlet.lock().unwrap_or_else(PoisonError::into_inner);
        inlet.take(&pieces);
    }
}

/// 32-bit floats at our rate.
fn is_as_wished(sample: &CMSampleBuffer) -> bool {
    sample.format_description().is_some_and(|format| {
        format.audio_is_float()
            && !format.audio_is_big_endian()
            && format.audio_bits_per_channel() == Some(32)
            && format.audio_sample_rate() == Some(f64::from(FORMAT.rate))
    })
}

/// Stops the stream when it goes.
struct Running(SCStream);

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.0.stop_capture() {
            tracing::debug!(?error, "shared sound");
        }
    }
}

fn refused(error: SCError) -> MediaError {
    match error.stream_error_code() {
        Some(SCStreamErrorCode::UserDeclined) => MediaError::Denied,
        _ => MediaError::Failed(Some(Box::new(error))),
    }
}
