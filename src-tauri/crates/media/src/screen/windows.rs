//! Windows: displays through DXGI (`displays.rs`), single windows through the Graphics Capture API.

use std::sync::Arc;
use std::time::Duration;

use calls_core::id::SourceId;
use calls_core::port::media::{ShareSource, SourceKind};
use windows_capture::capture::{CaptureControl, Context, GraphicsCaptureApiHandler};
use windows_capture::frame::Frame;
use windows_capture::graphics_capture_api::InternalCaptureControl;
use windows_capture::settings::{
    ColorFormat, CursorCaptureSettings, DirtyRegionSettings, DrawBorderSettings,
    MinimumUpdateIntervalSettings, SecondaryWindowSettings, Settings,
};
use windows_capture::window::Window;

use super::displays::{self, DisplaySource};
use super::latest::{Latest, LatestSource};
use super::{ScreenError, ScreenHost, ScreenSource};
use crate::error::Cause;

/// Smaller windows are tool tips and helpers that nobody wants to share.
const SMALLEST: i32 = 32;

/// Windows listed at most, and their titles' length: a broken program could have thousands.
const MOST_WINDOWS: usize = 200;
const LONGEST_TITLE: usize = 200;

/// How long a window may take to give its first picture. A minimised one gives none.
const PATIENCE: Duration = Duration::from_secs(3);

/// The displays and windows of this session.
#[derive(Clone, Copy, Debug, Default)]
pub struct WindowsHost;

impl ScreenHost for WindowsHost {
    fn sources(&self) -> Result<Vec<ShareSource>, ScreenError> {
        let mut sources = displays::list();
        sources.extend(
            windows()
                .into_iter()
                .take(MOST_WINDOWS)
                .map(|window| window.1),
        );
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
        let (kind, which) = id.as_str().split_once(':').unwrap_or((id.as_str(), ""));
        match kind {
            "screen" => Ok(Box::new(DisplaySource::open(which)?)),
            "window" => {
                let wanted = which.to_lowercase();
                let found = windows().into_iter().find(|(_, source)| {
                    source.id == *id || source.name.to_lowercase().contains(&wanted)
                });
                let (window, _) = found.ok_or(ScreenError::Gone)?;
                Ok(Box::new(capture(window)?))
            }
            _ => Err(ScreenError::Gone),
        }
    }
}

/// Windows of other programs that can be captured.
fn windows() -> Vec<(Window, ShareSource)> {
    let all = Window::enumerate().unwrap_or_default();
    let mut found = Vec::new();
    for window in all {
        let ours = window
            .process_id()
            .is_ok_and(|owner| owner == std::process::id());
        let (Ok(width), Ok(height), Ok(title)) = (window.width(), window.height(), window.title())
        else {
            continue; // It has just been closed.
        };
        if ours || width < SMALLEST || height < SMALLEST || title.trim().is_empty() {
            continue;
        }
        let clean = title.chars().filter(|letter| !letter.is_control());
        let source = ShareSource {
            id: SourceId::new(format!("window:{:#x}", window.as_raw_hwnd().addr())),
            name: clean.take(LONGEST_TITLE).collect(),
            kind: SourceKind::Window,
            width: width.unsigned_abs(),
            height: height.unsigned_abs(),
        };
        found.push((window, source));
    }
    found
}

/// Takes the pictures from the system.
struct Taker(Arc<Latest>);

impl GraphicsCaptureApiHandler for Taker {
    type Flags = Arc<Latest>;
    type Error = Cause;

    fn new(context: Context<Self::Flags>) -> Result<Self, Self::Error> {
        Ok(Self(context.flags))
    }

    fn on_frame_arrived(
        &mut self,
        frame: &mut Frame<'_>,
        _control: InternalCaptureControl,
    ) -> Result<(), Self::Error> {
        let mut buffer = frame.buffer()?;
        let (width, height) = (buffer.width(), buffer.height());
        let stride = buffer.row_pitch() as usize;
        self.0.put(width, height, buffer.as_raw_buffer(), stride);
        Ok(())
    }

    fn on_closed(&mut self) -> Result<(), Self::Error> {
        self.0.end();
        Ok(())
    }
}

/// Stops the capture's thread when it goes.
struct Running(Option<CaptureControl<Taker, Cause>>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.take().map(CaptureControl::stop) {
            tracing::debug!(?error, "window capture");
        }
    }
}

fn capture(window: Window) -> Result<LatestSource<Running>, ScreenError> {
    let latest = Arc::new(Latest::default());
    let settings = Settings::new(
        window,
        CursorCaptureSettings::WithCursor,
        DrawBorderSettings::Default,
        SecondaryWindowSettings::Default,
        MinimumUpdateIntervalSettings::Default,
        DirtyRegionSettings::Default,
        ColorFormat::Bgra8,
        Arc::clone(&latest),
    );
    let running = Taker::start_free_threaded(settings)
        .map_err(|error| ScreenError::Failed(Some(format!("{error:?}").into())))?;
    LatestSource::new(latest, Running(Some(running)), PATIENCE)
}
