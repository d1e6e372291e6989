//! Watching: one thread for each remote screen puts packets together, decodes, and keeps the newest picture.
//!
//! Decoding happens only while somebody looks: a picture was asked for within the last seconds, or is being recorded.
//! Whoever looks pulls, so that a slow viewer skips pictures and never builds a queue.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use calls_core::port::media::{MediaEvent, MediaPacket, PacketInlet, RemoteTrack, ViewFigures};

use super::assemble::{Assembler, Frame};
use super::bands::{Bands, Changes};
use super::vpx::Decoder;
use super::{I420, Size, VideoError};
use record::Recorder;

mod record;

/// Packets between network and thread: several key frames of a large screen. When full, the newest is dropped and
/// repaired like any other loss.
const INLET: usize = 2048;

/// So long after the last request for a picture decoding goes on: a viewer that draws asks many times a second.
const ATTENTION: Duration = Duration::from_secs(2);

/// Longest sleep of the thread.
const IDLE: Duration = Duration::from_millis(200);

/// A decoded picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Grows with every picture, and is that of no other view: whoever asks for what came after it cannot be answered
    /// with another screen's.
    pub number: u64,
    /// It.
    pub picture: Arc<I420>,
    /// When its last packet came.
    pub arrived: Instant,
    /// When it was decoded.
    pub decoded: Instant,
}

/// A remote screen, as those see it who look.
#[derive(Debug)]
pub struct View {
    /// Whose screen.
    pub track: RemoteTrack,
    newest: Mutex<Newest>,
    fresh: Condvar,
    looked: Mutex<Option<Instant>>,
    key_wanted: AtomicBool,
    closed: AtomicBool,
    figures: Mutex<ViewFigures>,
}

#[derive(Debug, Default)]
struct Newest {
    picture: Option<Picture>,
    changes: Changes,
}

/// The last number given to a picture.
static LAST: AtomicU64 = AtomicU64::new(0);

impl View {
    /// The newest picture if it is newer than `after` (a [`Picture::number`]; 0 for any); waits for one for at most
    /// `wait`. Blocks its thread.
    #[must_use]
    pub fn next(&self, after: u64, wait: Duration) -> Option<Picture> {
        self.next_changes(after, wait).map(|(picture, _)| picture)
    }

    /// The same, and what has changed since the picture `after`; `None` where that is not known.
    #[must_use]
    pub fn next_changes(&self, after: u64, wait: Duration) -> Option<(Picture, Option<Bands>)> {
        *lock(&self.looked) = Some(Instant::now());
        let is_fresh = |picture: &Picture| picture.number > after;
        let (newest, _) = self
            .fresh
            .wait_timeout_while(lock(&self.newest), wait, |newest| {
                !newest.picture.as_ref().is_some_and(is_fresh) && !self.is_closed()
            })
            .unwrap_or_else(PoisonError::into_inner);
        let picture = newest.picture.clone().filter(is_fresh)?;
        Some((picture, newest.changes.since(after)))
    }

    /// Nothing more will come.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Counters since the view opened.
    #[must_use]
    pub fn figures(&self) -> ViewFigures {
        *lock(&self.figures)
    }

    fn is_looked_at(&self) -> bool {
        lock(&self.looked).is_some_and(|at| at.elapsed() < ATTENTION)
    }
}

/// Where the thread tells of pictures while recording.
pub type Tell = Arc<dyn Fn(MediaEvent) + Send + Sync>;

/// Opens a view: its inlet for the network, and itself. The thread ends when the inlet is dropped.
pub fn open(
    track: RemoteTrack,
    record: Option<PathBuf>,
    tell: Tell,
) -> (Arc<View>, Box<dyn PacketInlet>) {
    let (packets, inbox) = sync_channel(INLET);
    let view = Arc::new(View {
        track,
        newest: Mutex::default(),
        fresh: Condvar::new(),
        looked: Mutex::default(),
        key_wanted: AtomicBool::new(false),
        closed: AtomicBool::new(false),
        figures: Mutex::default(),
    });
    let worker = Worker {
        view: Arc::clone(&view),
        inbox,
        recorder: record.map(|folder| Recorder::new(folder, view.track.clone(), tell)),
        assembler: Assembler::new(),
        decoder: None,
        count: 0,
        second: (Instant::now(), 0),
    };
    let started = std::thread::Builder::new()
        .name("halloo-view".into())
        .spawn(move || worker.run());
    if let Err(error) = started {
        tracing::error!(%error, "the view's thread cannot start");
        view.closed.store(true, Ordering::Release);
    }
    let inlet = Inlet {
        packets,
        view: Arc::clone(&view),
    };
    (view, Box::new(inlet))
}

struct Inlet {
    packets: SyncSender<MediaPacket>,
    view: Arc<View>,
}

impl PacketInlet for Inlet {
    fn push(&mut self, packet: MediaPacket) -> bool {
        self.packets.try_send(packet).is_ok()
    }

    fn wants_key_frame(&self) -> bool {
        self.view.key_wanted.load(Ordering::Acquire)
    }
}

struct Worker {
    view: Arc<View>,
    inbox: Receiver<MediaPacket>,
    recorder: Option<Recorder>,
    assembler: Assembler,
    decoder: Option<Decoder>,
    /// Pictures so far.
    count: u64,
    /// When the last second of figures began, and the pictures since.
    second: (Instant, u32),
}

impl Worker {
    fn run(mut self) {
        loop {
            let now = Instant::now();
            let wait = self
                .assembler
                .deadline()
                .map_or(IDLE, |at| at.saturating_duration_since(now).min(IDLE));
            let first = match self.inbox.recv_timeout(wait) {
                Ok(packet) => Some(packet),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let active = self.recorder.is_some() || self.view.is_looked_at();
            let mut packets = 0;
            for packet in first.into_iter().chain(self.inbox.try_iter()) {
                packets += 1;
                if active {
                    self.assembler.push(packet);
                }
            }
            if !active {
                self.assembler = Assembler::new();
                self.view.key_wanted.store(false, Ordering::Release);
                continue;
            }
            let now = Instant::now();
            let mut newest = None;
            while let Some(frame) = self.assembler.poll(now) {
                newest = self.decode(&frame).or(newest);
            }
            if let Some(picture) = newest {
                self.show(picture);
            }
            let wanted = self.assembler.needs_key_frame() && !self.assembler.key_frame_comes(now);
            self.view.key_wanted.store(wanted, Ordering::Release);
            self.measure(packets);
        }
        self.view.closed.store(true, Ordering::Release);
        self.view.fresh.notify_all();
        if let Some(recorder) = self.recorder.take() {
            recorder.finish();
        }
    }

    fn decode(&mut self, frame: &Frame) -> Option<Picture> {
        let started = Instant::now();
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            empty => match Decoder::new() {
                Ok(decoder) => empty.insert(decoder),
                Err(error) => {
                    tracing::error!(%error, "no decoder");
                    return None;
                }
            },
        };
        let decoded = decoder.decode(&frame.data);
        let mut figures = lock(&self.view.figures);
        match decoded {
            Ok(Some(picture)) => {
                self.count += 1;
                self.second.1 += 1;
                figures.frames += 1;
                figures.keys += u64::from(frame.key);
                figures.width = picture.size().width;
                figures.height = picture.size().height;
                let took = started.elapsed().as_secs_f32() * 1000.0;
                figures.decode_ms += (took - figures.decode_ms) * 0.1;
                drop(figures);
                let picture = Picture {
                    number: LAST.fetch_add(1, Ordering::Relaxed) + 1,
                    picture: Arc::new(picture),
                    arrived: frame.arrived,
                    decoded: Instant::now(),
                };
                if let Some(recorder) = &mut self.recorder {
                    recorder.frame(frame, &picture, self.count);
                }
                Some(picture)
            }
            Ok(None) => None,
            Err(error) => {
                figures.failed += 1;
                drop(figures);
                tracing::debug!(%error, "frame not decoded");
                // A damaged frame leaves the decoder with a damaged picture: only a key frame helps.
                self.assembler.lost();
                if matches!(error, VideoError::Decode(_)) {
                    self.decoder = None;
                }
                None
            }
        }
    }

    fn show(&self, picture: Picture) {
        // Only this thread writes: nobody is kept waiting while two pictures are compared.
        let before = lock(&self.view.newest).picture.clone();
        let changed = before.and_then(|before| Bands::between(&before.picture, &picture.picture));
        let mut newest = lock(&self.view.newest);
        newest.changes.push(picture.number, changed);
        newest.picture = Some(picture);
        drop(newest);
        self.view.fresh.notify_all();
    }

    fn measure(&mut self, packets: u64) {
        let mut figures = lock(&self.view.figures);
        figures.packets += packets;
        figures.packets_dropped = self.assembler.dropped();
        let passed = self.second.0.elapsed();
        if passed >= Duration::from_secs(1) {
            figures.fps = self.second.1 as f32 / passed.as_secs_f32();
            self.second = (Instant::now(), 0);
        }
    }
}

/// Held for microseconds by code that cannot panic; a poisoned one would still hold good data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes that a page draws, made smaller if the page shows less than the picture's size. First a header of four
/// numbers (32 bits each, little endian): the picture's number, width, height, and 0 if all of it follows, as I420. With
/// `changed` the page has an earlier picture, and gets only what is different: then the header's last number is one more
/// than that of the bands that follow, first the rows of each (top, and before which row it ends), then for each band
/// these rows of the planes Y, U and V.
#[must_use]
pub fn page_bytes(
    number: u64,
    picture: &I420,
    viewport: Option<Size>,
    changed: Option<&Bands>,
) -> Vec<u8> {
    let size = viewport
        .and_then(|viewport| fit(picture.size(), viewport))
        .unwrap_or(picture.size());
    let rows = changed.map(|bands| bands.rows(picture.size(), size));
    let header = [
        number as u32,
        size.width,
        size.height,
        rows.as_ref().map_or(0, |rows| rows.len() as u32 + 1),
    ];
    let whole = [(0, size.height)];
    let (listed, bands) = match &rows {
        Some(rows) => (&rows[..], &rows[..]),
        None => (&[][..], &whole[..]),
    };
    let height: u32 = bands.iter().map(|(top, bottom)| bottom - top).sum();
    let room = (size.width + 1) as usize * (height + 1) as usize * 3 / 2;
    let mut bytes = Vec::with_capacity(16 + 8 * listed.len() + room);
    let numbers = header
        .into_iter()
        .chain(listed.iter().flat_map(|(top, bottom)| [*top, *bottom]));
    for value in numbers {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    for rows in bands {
        picture.scaled_rows(size, *rows, &mut bytes);
    }
    bytes
}

/// The picture's size inside a viewport, keeping its shape; `None` if it is worth no scaling.
fn fit(size: Size, viewport: Size) -> Option<Size> {
    let factor = (f64::from(viewport.width) / f64::from(size.width))
        .min(f64::from(viewport.height) / f64::from(size.height));
    // A little smaller is the page's business: scaling twice would only blur text.
    if factor > 0.75 {
        return None;
    }
    let side = |side: u32| (f64::from(side) * factor).round().max(2.0) as u32;
    Size::checked(side(size.width), side(size.height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::vpx::{Encoder, EncoderConfig};
    use calls_core::port::media::MediaKind;

    fn track() -> RemoteTrack {
        RemoteTrack {
            id: "screen_a_1".into(),
            kind: MediaKind::Screen,
            session: "a".into(),
        }
    }

    fn packets(n: u16, key: bool, encoder: &mut Encoder, light: u8) -> MediaPacket {
        let mut picture = I420::black(encoder.config().size);
        picture.planes_mut().0.fill(light);
        let frame = encoder
            .encode(&picture, i64::from(n) * 9000, 9000, key)
            .unwrap()
            .unwrap();
        let mut data = vec![0x10];
        data.extend_from_slice(&frame.data);
        MediaPacket {
            seq: n,
            rtp_time: u32::from(n) * 9000,
            marker: true,
            arrived: Instant::now(),
            data: data.into(),
        }
    }

    fn encoder() -> Encoder {
        Encoder::new(EncoderConfig {
            size: Size::checked(160, 96).unwrap(),
            bitrate: 500_000,
            fps: 10,
            threads: 1,
            speed: 6,
            screen: true,
        })
        .unwrap()
    }

    #[test]
    fn pictures_are_pulled_and_the_end_is_noticed() {
        let (view, mut inlet) = open(track(), None, Arc::new(|_| {}));
        let mut encoder = encoder();
        // Whoever looks makes the thread decode.
        assert!(view.next(0, Duration::ZERO).is_none());
        assert!(inlet.push(packets(1, true, &mut encoder, 50)));
        let first = view.next(0, Duration::from_secs(10)).unwrap();
        assert!(inlet.push(packets(2, false, &mut encoder, 200)));
        let second = view.next(first.number, Duration::from_secs(10)).unwrap();
        assert!(second.number > first.number);
        assert!(second.picture.planes().0[0].abs_diff(200) < 8);
        assert_eq!(view.figures().frames, 2);
        drop(inlet);
        assert!(view.next(second.number, Duration::from_secs(10)).is_none());
        assert!(view.is_closed());
    }

    #[test]
    fn a_key_frame_is_wanted_until_it_comes() {
        let (view, mut inlet) = open(track(), None, Arc::new(|_| {}));
        let mut encoder = encoder();
        let _ = packets(1, true, &mut encoder, 50);
        let _ = view.next(0, Duration::ZERO);
        inlet.push(packets(2, false, &mut encoder, 60));
        let limit = Instant::now() + Duration::from_secs(10);
        while !inlet.wants_key_frame() {
            assert!(Instant::now() < limit, "no key frame was asked for");
            let _ = view.next(0, Duration::from_millis(5));
        }
        inlet.push(packets(3, true, &mut encoder, 70));
        assert!(view.next(0, Duration::from_secs(10)).is_some());
        while inlet.wants_key_frame() {
            assert!(
                Instant::now() < limit,
                "a key frame came and was asked for again"
            );
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_page_gets_what_it_can_show() {
        let picture = I420::black(Size::checked(1920, 1080).unwrap());
        let whole = page_bytes(7, &picture, None, None);
        assert_eq!(whole.len(), 16 + 1920 * 1080 * 3 / 2);
        assert_eq!(
            whole[..12],
            [7, 0, 0, 0, 0x80, 0x07, 0, 0, 0x38, 0x04, 0, 0]
        );
        let small = page_bytes(7, &picture, Size::checked(960, 960), None);
        assert_eq!(small.len(), 16 + 960 * 540 * 3 / 2);
        let near = page_bytes(7, &picture, Size::checked(1900, 1060), None);
        assert_eq!(near.len(), whole.len());
    }

    #[test]
    fn a_page_that_has_a_picture_gets_only_what_is_different() {
        let size = Size::checked(64, 96).unwrap();
        let before = I420::black(size);
        let mut after = before.clone();
        after.planes_mut().0[64 * 40] = 99;
        let changed = Bands::between(&before, &after).unwrap();
        let bytes = page_bytes(7, &after, None, Some(&changed));
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!([0, 4, 8, 12, 16, 20].map(number), [7, 64, 96, 2, 32, 48]);
        assert_eq!(bytes.len(), 24 + 64 * 16 * 3 / 2);
        assert_eq!(bytes[24 + 64 * 8], 99);
        let same = Bands::between(&before, &before).unwrap();
        let nothing = page_bytes(8, &before, None, Some(&same));
        assert_eq!(nothing.len(), 16);
        assert_eq!(nothing[12], 1);
    }

    #[test]
    fn views_tell_what_has_changed_and_never_take_another_views_number_for_theirs() {
        let (view, mut inlet) = open(track(), None, Arc::new(|_| {}));
        let (other, _inlet) = open(track(), None, Arc::new(|_| {}));
        let mut encoder = encoder();
        let _ = (view.next(0, Duration::ZERO), other.next(0, Duration::ZERO));
        assert!(inlet.push(packets(1, true, &mut encoder, 50)));
        let (first, changed) = view.next_changes(0, Duration::from_secs(10)).unwrap();
        assert_eq!(changed, None);
        assert!(inlet.push(packets(2, false, &mut encoder, 200)));
        let (second, changed) = view
            .next_changes(first.number, Duration::from_secs(10))
            .unwrap();
        assert_eq!(
            changed,
            Bands::between(&first.picture, &second.picture),
            "as far as the two differ"
        );
        assert!(changed.is_some_and(|bands| bands != Bands::default()));
        let foreign = first.number.saturating_sub(1);
        let (_, changed) = view.next_changes(foreign, Duration::ZERO).unwrap();
        assert_eq!(changed, None);
    }
}
