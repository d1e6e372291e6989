//! macOS: displays through Quartz (`displays.rs`), single windows through ScreenCaptureKit (macOS 12.3).
//!
//! Both need the person's permission, which is given in the system's settings only. Whoever lacks it is asked by the
//! system once; after that the right page of the settings is opened at each try.
#![allow(unsafe_code)]

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use calls_core::id::SourceId;
use calls_core::port::media::{ShareSource, SourceKind};
use screencapturekit::cv::CVPixelBufferLockFlags;
use screencapturekit::prelude::*;
use screencapturekit::stream::delegate_trait::ErrorHandler;

use super::displays::{self, DisplaySource};
use super::latest::{Latest, LatestSource};
use super::{ScreenError, ScreenHost, ScreenSource};

/// Smaller windows are tool tips and helpers that nobody wants to share.
const SMALLEST: f64 = 32.0;

/// Windows listed at most, and their titles' length: a broken program could have thousands.
const MOST_WINDOWS: usize = 200;
const LONGEST_TITLE: usize = 200;

/// How long a window may take to give its first picture.
const PATIENCE: Duration = Duration::from_secs(3);

/// The page of the system's settings where screen recording is allowed.
const SETTINGS: &str =
    "x-apple.systempreferences:com.apple.preference.security?Privacy_ScreenCapture";

#[link(name = "CoreGraphics", kind = "framework")]
unsafe extern "C" {
    /// Whether we may see the screen (macOS 10.15).
    safe fn CGPreflightScreenCaptureAccess() -> bool;
    /// Asks the person, if they have never been asked.
    safe fn CGRequestScreenCaptureAccess() -> bool;
}

/// The displays and windows of this session.
#[derive(Clone, Copy, Debug, Default)]
pub struct MacHost;

impl ScreenHost for MacHost {
    fn sources(&self) -> Result<Vec<ShareSource>, ScreenError> {
        // Displays are known without permission; trying to share one asks for it.
        let mut sources = displays::list();
        if CGPreflightScreenCaptureAccess() {
            sources.extend(windows().into_iter().map(|window| window.1));
        }
        match sources.is_empty() {
            true => Err(ScreenError::Unsupported(None)),
            false => Ok(sources),
        }
    }

    fn open(
        &self,
        id: &SourceId,
        _stopped: &dyn Fn() -> bool,
    ) -> Result<Box<dyn ScreenSource>, ScreenError> {
        if !CGPreflightScreenCaptureAccess() && !CGRequestScreenCaptureAccess() {
            show_settings();
            return Err(ScreenError::Denied);
        }
        open(id)
    }

    fn glance(&self, id: &SourceId) -> Result<Box<dyn ScreenSource>, ScreenError> {
        match CGPreflightScreenCaptureAccess() {
            true => open(id),
            false => Err(ScreenError::Denied),
        }
    }
}

fn open(id: &SourceId) -> Result<Box<dyn ScreenSource>, ScreenError> {
    let (kind, which) = id.as_str().split_once(':').unwrap_or((id.as_str(), ""));
    match kind {
        "screen" => Ok(Box::new(DisplaySource::open(which)?)),
        "window" => {
            let wanted = which.to_lowercase();
            let found = windows().into_iter().find(|(_, source)| {
                source.id == *id || source.name.to_lowercase().contains(&wanted)
            });
            let (window, _) = found.ok_or(ScreenError::Gone)?;
            Ok(Box::new(capture(&window)?))
        }
        _ => Err(ScreenError::Gone),
    }
}

fn show_settings() {
    let opened = Command::new("open")
        .arg(SETTINGS)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if let Err(error) = opened {
        tracing::warn!(%error, "the system's settings do not open");
    }
}

/// Windows of other programs that are on screen.
fn windows() -> Vec<(SCWindow, ShareSource)> {
    let content = SCShareableContent::create()
        .with_exclude_desktop_windows(true)
        .with_on_screen_windows_only(true)
        .get();
    let Ok(content) = content else {
        return Vec::new();
    };
    let us = i32::try_from(std::process::id()).unwrap_or(0);
    let mut found = Vec::new();
    for window in content.windows() {
        let owner = window.owning_application().map(|owner| owner.process_id());
        let size = window.frame().size;
        // Menus, the dock and the like lie in other layers.
        let usual = window.window_layer() == 0 && size.width >= SMALLEST && size.height >= SMALLEST;
        let title = window.title().unwrap_or_default();
        if owner == Some(us) || !usual || title.trim().is_empty() || found.len() >= MOST_WINDOWS {
            continue;
        }
        let clean = title.chars().filter(|letter| !letter.is_control());
        let source = ShareSource {
            id: SourceId::new(format!("window:{:#x}", window.window_id())),
            name: clean.take(LONGEST_TITLE).collect(),
            kind: SourceKind::Window,
            width: size.width as u32,
            height: size.height as u32,
        };
        found.push((window, source));
    }
    found
}

/// Takes the pictures from the system.
struct Taker(Arc<Latest>);

impl SCStreamOutputTrait for Taker {
    fn did_output_sample_buffer(&self, sample: CMSampleBuffer, _kind: SCStreamOutputType) {
        // A sample without a picture says that nothing has changed.
        let Some(buffer) = sample.pixel_buffer() else {
            return;
        };
        let Ok(locked) = buffer.lock(CVPixelBufferLockFlags::READ_ONLY) else {
            return;
        };
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let (width, height) = (side(locked.width()), side(locked.height()));
        let stride = locked.bytes_per_row();
        // SAFETY: locked for reading, and not written by anybody until it is unlocked.
        if let Some(pixels) = unsafe { locked.as_slice() } {
            self.0.put(width, height, pixels, stride);
        }
    }
}

/// Stops the stream when it goes.
struct Running(SCStream);

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.0.stop_capture() {
            tracing::debug!(?error, "window capture");
        }
    }
}

fn capture(window: &SCWindow) -> Result<LatestSource<Running>, ScreenError> {
    let failed = |error: SCError| ScreenError::Failed(Some(format!("{error:?}").into()));
    let filter = SCContentFilter::create()
        .with_window(window)
        .build()
        .map_err(failed)?;
    let scale = f64::from(filter.point_pixel_scale()).max(1.0);
    let size = window.frame().size;
    let config = SCStreamConfiguration::new()
        .with_width((size.width * scale) as u32)
        .with_height((size.height * scale) as u32)
        .with_pixel_format(PixelFormat::BGRA)
        .with_shows_cursor(true)
        .with_minimum_frame_interval(&CMTime::new(1, 30))
        .with_queue_depth(3);
    let latest = Arc::new(Latest::default());
    let ended = Arc::clone(&latest);
    let stopped = ErrorHandler::new(move |error: SCError| {
        tracing::info!(?error, "ScreenCaptureKit ended the stream");
        ended.end();
    });
    let mut stream = SCStream::new_with_delegate(&filter, &config, stopped).map_err(failed)?;
    stream
        .add_output_handler(Taker(Arc::clone(&latest)), SCStreamOutputType::Screen)
        .map_err(failed)?;
    stream.start_capture().map_err(failed)?;
    LatestSource::new(latest, Running(stream), PATIENCE)
}
