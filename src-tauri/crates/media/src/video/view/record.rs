//! Keeping what is watched: the VP8 frames as they came, and a picture each second.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use calls_core::port::media::{MediaEvent, RemoteTrack, ScreenFrame};

use super::super::assemble::Frame;
use super::super::ivf::IvfWriter;
use super::super::{I420, Size, png};
use super::{Picture, Tell};
use crate::screen::barcode;

/// One PNG in this time.
const EVERY: Duration = Duration::from_secs(1);

/// Writes files into a folder. A full disk ends the recording and nothing else.
pub(super) struct Recorder {
    folder: PathBuf,
    name: String,
    track: RemoteTrack,
    tell: Tell,
    ivf: Option<IvfWriter>,
    /// RTP time of the first frame, and the last one's, extended.
    first: Option<u32>,
    stored: Option<Instant>,
    pictures: u32,
    /// Writes PNGs on a thread of its own: that takes longer than a picture may.
    painter: Option<SyncSender<(PathBuf, Arc<I420>)>>,
    failed: bool,
}

impl Recorder {
    pub(super) fn new(folder: PathBuf, track: RemoteTrack, tell: Tell) -> Self {
        // Track names come from the server: nothing of them may lead out of the folder.
        let name: String = track
            .id
            .as_str()
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
            .take(64)
            .collect();
        Self {
            folder,
            name,
            track,
            tell,
            ivf: None,
            first: None,
            stored: None,
            pictures: 0,
            painter: painter(),
            failed: false,
        }
    }

    /// Keeps the `n`th picture of this view.
    pub(super) fn frame(&mut self, frame: &Frame, picture: &Picture, n: u64) {
        let size = picture.picture.size();
        let stored = self.keep(frame, picture, size);
        (self.tell)(MediaEvent::ScreenFrame(ScreenFrame {
            session: self.track.session.clone(),
            n,
            width: size.width,
            height: size.height,
            key: frame.key,
            bytes: frame.data.len(),
            code: barcode::read(&picture.picture, size.width),
            at: barcode::now(),
            stored,
        }));
    }

    /// True if a PNG was written.
    fn keep(&mut self, frame: &Frame, picture: &Picture, size: Size) -> bool {
        if self.failed {
            return false;
        }
        let result = self.try_keep(frame, picture, size);
        if let Err(error) = &result {
            tracing::warn!(%error, "the watched screen is not stored any more");
            self.failed = true;
        }
        result.unwrap_or(false)
    }

    fn try_keep(
        &mut self,
        frame: &Frame,
        picture: &Picture,
        size: Size,
    ) -> Result<bool, Box<dyn std::error::Error>> {
        if self.ivf.is_none() {
            std::fs::create_dir_all(&self.folder)?;
            self.ivf = Some(IvfWriter::create(&self.path("ivf"), size)?);
        }
        let first = *self.first.get_or_insert(frame.rtp_time);
        if let Some(ivf) = &mut self.ivf {
            ivf.write(&frame.data, u64::from(frame.rtp_time.wrapping_sub(first)))?;
        }
        if self.stored.is_some_and(|at| at.elapsed() < EVERY) {
            return Ok(false);
        }
        let path = self.path(&format!("{:05}.png", self.pictures + 1));
        let order = (path, Arc::clone(&picture.picture));
        // Still busy with the last one: the next picture will do.
        let taken = self
            .painter
            .as_ref()
            .is_some_and(|to| to.try_send(order).is_ok());
        if taken {
            self.stored = Some(Instant::now());
            self.pictures += 1;
        }
        Ok(taken)
    }

    fn path(&self, end: &str) -> PathBuf {
        Path::new(&self.folder).join(format!("{}.{end}", self.name))
    }

    pub(super) fn finish(self) {
        if let Some(ivf) = self.ivf
            && let Err(error) = ivf.finish()
        {
            tracing::warn!(%error, "the recording is not complete");
        }
    }
}

fn painter() -> Option<SyncSender<(PathBuf, Arc<I420>)>> {
    let (orders, inbox) = sync_channel::<(PathBuf, Arc<I420>)>(1);
    let work = move || {
        for (path, picture) in inbox {
            let written = File::create(&path)
                .map_err(Box::<dyn std::error::Error>::from)
                .and_then(|file| Ok(png::write(&picture, BufWriter::new(file))?));
            if let Err(error) = written {
                tracing::warn!(%error, "a picture is not stored");
            }
        }
    };
    std::thread::Builder::new()
        .name("halloo-png".into())
        .spawn(work)
        .is_ok()
        .then_some(orders)
}
