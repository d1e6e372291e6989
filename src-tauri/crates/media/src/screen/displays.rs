//! Whole displays through `scrap`: DXGI's desktop duplication on Windows, Quartz on macOS. It tells neither what has
//! changed nor where the cursor is; the first is found by comparing, the second is in Quartz' pictures only.
//!
//! X11 has its own way (`x11.rs`), which does without DAMAGE and without shared memory where it must. This one is asked
//! there when that way fails: scrap's shared memory may be read by every user of the machine, it sees no cursor, and it
//! does not notice that a mode has changed.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

#[cfg(any(windows, target_os = "macos", test))]
use calls_core::id::SourceId;
#[cfg(any(windows, target_os = "macos", test))]
use calls_core::port::media::{ShareSource, SourceKind};
use scrap::{Capturer, Display};

use super::differ::Differ;
use super::{Look, Patch, ScreenError, ScreenSource};
use crate::video::Size;

/// Pace of asking whether there is a new picture: it cannot be waited for.
const ASK_EVERY: Duration = Duration::from_millis(15);

/// So long may a display be away (a change of its mode, the lock screen of Windows) before it counts as unplugged.
const PATIENCE: Duration = Duration::from_secs(3);

/// The displays, as sources.
#[cfg(any(windows, target_os = "macos", test))]
pub(super) fn list() -> Vec<ShareSource> {
    let displays = Display::all().unwrap_or_default();
    let known = displays
        .iter()
        .enumerate()
        .map(|(index, display)| ShareSource {
            id: SourceId::new(format!("screen:{index}")),
            name: String::new(),
            kind: SourceKind::Screen,
            width: u32::try_from(display.width()).unwrap_or_default(),
            height: u32::try_from(display.height()).unwrap_or_default(),
        });
    known.collect()
}

/// An open display.
pub(super) struct DisplaySource {
    index: usize,
    capturer: Option<Capturer>,
    size: Size,
    differ: Differ,
    /// Since when there is no picture.
    away: Option<Instant>,
}

impl DisplaySource {
    /// Opens the display that a source's number means (`screen:N`, the first one without a number).
    pub(super) fn open(number: &str) -> Result<Self, ScreenError> {
        let index = match number {
            "" => 0,
            number => number.parse().map_err(|_| ScreenError::Gone)?,
        };
        let (capturer, size) = capturer(index)?;
        Ok(Self {
            index,
            capturer: Some(capturer),
            size,
            differ: Differ::default(),
            away: None,
        })
    }

    /// Opens the display anew: another mode, or another session, has ended the old capture.
    fn again(&mut self) -> Result<Look, ScreenError> {
        self.capturer = None;
        let since = *self.away.get_or_insert_with(Instant::now);
        match capturer(self.index) {
            Ok((capturer, size)) => {
                self.capturer = Some(capturer);
                let same = std::mem::replace(&mut self.size, size) == size;
                Ok(match same {
                    true => Look::Same,
                    false => Look::Resized(size),
                })
            }
            Err(_) if since.elapsed() < PATIENCE => {
                std::thread::sleep(ASK_EVERY);
                Ok(Look::Same)
            }
            Err(error) => Err(error),
        }
    }
}

fn capturer(index: usize) -> Result<(Capturer, Size), ScreenError> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::PermissionDenied => ScreenError::Denied,
        _ => ScreenError::Failed(Some(error.into())),
    };
    let display = Display::all().map_err(failed)?.into_iter().nth(index);
    let capturer = Capturer::new(display.ok_or(ScreenError::Gone)?).map_err(failed)?;
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let size = Size::checked(side(capturer.width()), side(capturer.height()));
    Ok((capturer, size.ok_or(ScreenError::Unsupported(None))?))
}

impl ScreenSource for DisplaySource {
    fn size(&self) -> Size {
        self.size
    }

    fn look(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(Patch<'_>),
    ) -> Result<Look, ScreenError> {
        let limit = Instant::now() + wait;
        let size = self.size;
        loop {
            let Some(capturer) = &mut self.capturer else {
                return self.again();
            };
            let seen = match capturer.frame() {
                Ok(frame) => {
                    // Rows may be padded, the same each.
                    let stride = frame.len() / size.height as usize;
                    let dirty = self.differ.compare(size, &frame, stride);
                    for rect in &dirty {
                        let start = rect.y as usize * stride + rect.x as usize * 4;
                        let data = &frame[start..];
                        take(Patch {
                            rect: *rect,
                            data,
                            stride,
                        });
                    }
                    Ok(!dirty.is_empty())
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
                Err(error) => Err(error),
            };
            match seen {
                Ok(changed) => {
                    self.away = None;
                    if changed {
                        return Ok(Look::Changed);
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the display is opened anew");
                    return self.again();
                }
            }
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Look::Same);
            }
            std::thread::sleep(left.min(ASK_EVERY));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    /// scrap asks the environment for the display, which belongs to the whole process: the test runs in one of its own.
    #[test]
    fn a_display_is_seen_through_scrap() {
        let server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "320x240x24"])
            .args(["-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut server) = server else {
            assert!(std::env::var_os("CI").is_none(), "Xvfb is not installed");
            println!("skipped: Xvfb is not installed");
            return;
        };
        let mut number = String::new();
        let stdout = server.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut number).unwrap();
        let inner = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "screen::displays::tests::inside", "--ignored"])
            .env("DISPLAY", format!(":{}", number.trim()))
            .output();
        let _ = server.kill();
        let _ = server.wait();
        let inner = inner.unwrap();
        let said = String::from_utf8_lossy(&inner.stdout);
        assert!(
            inner.status.success() && said.contains("1 passed"),
            "{inner:?}"
        );
    }

    #[test]
    #[ignore = "run by a_display_is_seen_through_scrap"]
    fn inside() {
        let listed = list();
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].width, listed[0].height), (320, 240));
        assert!(matches!(DisplaySource::open("1"), Err(ScreenError::Gone)));
        let mut source = DisplaySource::open("0").unwrap();
        assert_eq!(source.size(), Size::checked(320, 240).unwrap());
        let mut parts = Vec::new();
        let mut look = |wait| {
            parts.clear();
            let look = source.look(wait, &mut |patch| parts.push(patch.rect));
            (look.unwrap(), parts.clone())
        };
        let all = crate::screen::Rect::all(Size::checked(320, 240).unwrap());
        assert_eq!(look(Duration::from_secs(5)), (Look::Changed, vec![all]));
        let still = look(Duration::from_millis(100));
        assert_eq!(still, (Look::Same, vec![]));
        #[cfg(target_os = "linux")]
        crate::screen::x11::second_way_is_taken_when_the_first_one_fails();
    }
}
