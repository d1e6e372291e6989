//! The rings between device callbacks and the voice thread. What a callback does is here, so that a test can show
//! that it neither locks nor allocates.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use super::{AudioSink, AudioSource, Fault, Format};

/// Length of a ring, milliseconds: the voice thread may sleep for so long before captured samples are lost, and a device
/// may take so much at once. It is room, not delay.
const LENGTH_MS: u32 = 200;
/// What the voice thread adds or takes at once.
const BLOCK_MS: u32 = 10;
/// How long the voice thread may take, at first, from being woken until a block is missing.
const SLACK_MS: u32 = 5;
/// Added to that whenever the device found too little…
const STEP_MS: u32 = 5;
/// …up to this. What waits in the ring is delay.
const MOST_SLACK_MS: u32 = 60;
/// Taken back after so long without a miss, seconds.
const CALM_S: u64 = 20;
/// A patient reader is woken when so many more blocks wait.
const PATIENCE: usize = 7;
/// What is missed until so much was written belongs to the beginning.
const SETTLES_MS: u32 = 300;

/// Faults and counts, written by callbacks, read by the voice thread.
#[derive(Debug, Default)]
pub struct Status {
    fault: AtomicU8,
    lost: AtomicU64,
    period: AtomicUsize,
    /// With so many samples waiting who waits is woken: for playout so many or fewer (there is room for a block), for capture
    /// so many or more (there is a whole one).
    mark: AtomicUsize,
    /// Who waits at the other end, and whether it comes by often anyway.
    waiting: OnceLock<Thread>,
    patient: AtomicBool,
    /// Who rests between a microphone's messages, and whether it was called from its rest.
    resting: OnceLock<Thread>,
    called: AtomicBool,
    /// Samples that were captured before anybody wanted them.
    let_go: AtomicU64,
}

impl Status {
    /// Reports a fault; the first one stays. Callable from any callback.
    pub fn report(&self, fault: Fault) {
        let code = match fault {
            Fault::Gone => 1,
            Fault::Reopen => 2,
        };
        let _ = self
            .fault
            .compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Wakes who waits: one system call that does not wait.
    fn wake(&self) {
        if let Some(thread) = self.waiting.get() {
            thread.unpark();
        }
    }

    fn fault(&self) -> Option<Fault> {
        match self.fault.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Fault::Gone),
            _ => Some(Fault::Reopen),
        }
    }
}

fn samples(format: Format, ms: u32) -> usize {
    (format.rate * ms / 1_000) as usize * usize::from(format.channels)
}

/// A ring for a microphone: the callback's end, and the voice thread's.
#[must_use]
pub fn capture(format: Format) -> (CaptureFeed, CaptureTap) {
    let (producer, consumer) = RingBuffer::new(samples(format, LENGTH_MS));
    let status = Arc::new(Status::default());
    (
        CaptureFeed {
            ring: producer,
            channels: usize::from(format.channels),
            block: samples(format, BLOCK_MS),
            status: Arc::clone(&status),
        },
        CaptureTap {
            ring: consumer,
            format,
            status,
        },
    )
}

/// A ring for a loudspeaker: the callback's end, and the voice thread's.
#[must_use]
pub fn playout(format: Format) -> (PlayoutDrain, PlayoutTap) {
    let (producer, consumer) = RingBuffer::new(samples(format, LENGTH_MS));
    let status = Arc::new(Status::default());
    // Until the device has called, assume that it takes 10 ms at once.
    status.period.store(samples(format, 10), Ordering::Relaxed);
    status.mark.store(usize::MAX, Ordering::Relaxed);
    (
        PlayoutDrain {
            ring: consumer,
            started: false,
            status: Arc::clone(&status),
        },
        PlayoutTap {
            ring: producer,
            format,
            status,
            slack_ms: SLACK_MS,
            written: 0,
            missed: 0,
            calm: 0,
        },
    )
}

/// A microphone callback's end.
#[derive(Debug)]
pub struct CaptureFeed {
    ring: Producer<f32>,
    channels: usize,
    block: usize,
    status: Arc<Status>,
}

impl CaptureFeed {
    /// Takes what the device captured (interleaved). If the ring is full, the newest frames are dropped and counted.
    pub fn push(&mut self, pcm: impl ExactSizeIterator<Item = f32>) {
        let all = pcm.len();
        let room = self.ring.slots().min(all);
        let whole = room - room % self.channels.max(1);
        if let Ok(chunk) = self.ring.write_chunk_uninit(whole) {
            chunk.fill_from_iter(pcm);
        }
        if whole < all {
            self.status
                .lost
                .fetch_add((all - whole) as u64, Ordering::Relaxed);
        }
        if self.waiting() >= self.status.mark.load(Ordering::Relaxed) {
            self.status.wake();
        }
    }

    /// Samples that must still come until the voice thread has something to do; while it has, until it has once more. A block at
    /// most, or eight if it is patient: whoever wants more at once still takes what there is.
    #[must_use]
    pub fn missing(&self) -> usize {
        let patient = self.status.patient.load(Ordering::Relaxed);
        let most = self.block * if patient { 1 + PATIENCE } else { 1 };
        let mark = self.status.mark.load(Ordering::Relaxed).min(most);
        let waiting = self.waiting();
        if waiting < mark {
            mark - waiting
        } else {
            (mark + self.block.max(mark)).saturating_sub(waiting)
        }
    }

    /// Rests, unless the reader becomes impatient. True if it does: what was captured meanwhile it does not want any more
    /// ([`CaptureFeed::let_go`]).
    pub fn rest(&self, most: Duration) -> bool {
        let status = &self.status;
        status.resting.get_or_init(std::thread::current);
        if !most.is_zero() {
            std::thread::park_timeout(most);
        }
        status.called.swap(false, Ordering::Relaxed)
    }

    /// Counts so many samples as time that went by.
    pub fn let_go(&mut self, samples: usize) {
        let samples = samples as u64;
        self.status.let_go.fetch_add(samples, Ordering::Relaxed);
    }

    fn waiting(&self) -> usize {
        self.ring.buffer().capacity() - self.ring.slots()
    }

    /// Where faults are reported.
    #[must_use]
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status)
    }
}

/// The voice thread's end of a microphone ring.
#[derive(Debug)]
pub struct CaptureTap {
    ring: Consumer<f32>,
    format: Format,
    status: Arc<Status>,
}

/// A loudspeaker callback's end.
#[derive(Debug)]
pub struct PlayoutDrain {
    ring: Consumer<f32>,
    started: bool,
    status: Arc<Status>,
}

impl PlayoutDrain {
    /// Fills the device's buffer; what is missing is silence, and counted once sound has begun.
    pub fn fill<T: Copy>(&mut self, out: &mut [T], silence: T, convert: impl Fn(f32) -> T) {
        // The largest request counts, and is forgotten slowly: some servers ask for odd amounts.
        let period = self.status.period.load(Ordering::Relaxed);
        self.status
            .period
            .store(out.len().max(period - period / 128), Ordering::Relaxed);
        let there = self.ring.slots().min(out.len());
        let (filled, rest) = out.split_at_mut(there);
        if let Ok(chunk) = self.ring.read_chunk(there) {
            let (first, second) = chunk.as_slices();
            for (out, sample) in filled.iter_mut().zip(first.iter().chain(second)) {
                *out = convert(*sample);
            }
            chunk.commit_all();
        }
        self.started |= there > 0;
        if !rest.is_empty() {
            rest.fill(silence);
            if self.started {
                self.status
                    .lost
                    .fetch_add(rest.len() as u64, Ordering::Relaxed);
            }
        }
        // The other end adds whole blocks: before one is missing there is nothing to wake it for.
        if self.ring.slots() <= self.status.mark.load(Ordering::Relaxed) {
            self.status.wake();
        }
    }

    /// Where faults are reported.
    #[must_use]
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status)
    }
}

/// The voice thread's end of a loudspeaker ring.
#[derive(Debug)]
pub struct PlayoutTap {
    ring: Producer<f32>,
    format: Format,
    status: Arc<Status>,
    slack_ms: u32,
    written: u64,
    missed: u64,
    calm: u64,
}

/// A [`CaptureTap`] together with what keeps its callback alive.
pub struct RingSource<G> {
    tap: CaptureTap,
    _guard: G,
}

impl<G> RingSource<G> {
    /// Joins the two.
    pub fn new(tap: CaptureTap, guard: G) -> Self {
        Self { tap, _guard: guard }
    }
}

impl<G> AudioSource for RingSource<G> {
    fn format(&self) -> Format {
        self.tap.format
    }

    fn read(&mut self, pcm: &mut [f32]) -> usize {
        let there = self.tap.ring.slots().min(pcm.len());
        let whole = there - there % usize::from(self.tap.format.channels.max(1));
        // The rest of what was asked for completes a block; some devices bring a thousand crumbs a second.
        let later = if self.tap.status.patient.load(Ordering::Relaxed) {
            PATIENCE * samples(self.tap.format, BLOCK_MS)
        } else {
            0
        };
        self.tap
            .status
            .mark
            .store(pcm.len() - whole + later, Ordering::Relaxed);
        let (filled, _) = self.tap.ring.pop_partial_slice(&mut pcm[..whole]);
        filled.len()
    }

    fn fault(&self) -> Option<Fault> {
        self.tap.status.fault()
    }

    fn overruns(&self) -> u64 {
        self.tap.status.lost.load(Ordering::Relaxed)
    }

    fn wake(&mut self, reader: Thread) -> bool {
        self.tap.status.waiting.set(reader).is_ok()
    }

    fn set_patient(&mut self, patient: bool) {
        let status = &self.tap.status;
        let was = status.patient.swap(patient, Ordering::Relaxed);
        if was
            && !patient
            && let Some(thread) = status.resting.get()
        {
            status.called.store(true, Ordering::Relaxed);
            thread.unpark();
        }
    }

    fn let_go(&self) -> u64 {
        self.tap.status.let_go.load(Ordering::Relaxed)
    }
}

/// A [`PlayoutTap`] together with what keeps its callback alive.
pub struct RingSink<G> {
    tap: PlayoutTap,
    _guard: G,
}

impl<G> RingSink<G> {
    /// Joins the two.
    pub fn new(tap: PlayoutTap, guard: G) -> Self {
        Self { tap, _guard: guard }
    }
}

impl<G> AudioSink for RingSink<G> {
    fn format(&self) -> Format {
        self.tap.format
    }

    fn room(&self) -> usize {
        let tap = &self.tap;
        let period = tap.status.period.load(Ordering::Relaxed);
        let slack = samples(tap.format, tap.slack_ms);
        let block = samples(tap.format, BLOCK_MS);
        let capacity = tap.ring.buffer().capacity();
        // A device that takes little at once comes the sooner for more.
        let wanted = (period + slack).max(block + slack.saturating_sub(period));
        let wanted = wanted.min(capacity);
        let low = wanted.saturating_sub(block);
        tap.status.mark.store(low, Ordering::Relaxed);
        let waiting = capacity - tap.ring.slots();
        wanted.saturating_sub(waiting)
    }

    fn wake(&mut self, writer: Thread) -> bool {
        self.tap.status.waiting.set(writer).is_ok()
    }

    fn write(&mut self, pcm: &[f32]) -> usize {
        let tap = &mut self.tap;
        let missed = tap.status.lost.load(Ordering::Relaxed);
        let settled = tap.written >= samples(tap.format, SETTLES_MS) as u64;
        tap.written += pcm.len() as u64;
        if !settled {
            tap.missed = missed;
        } else if missed > tap.missed {
            tap.missed = missed;
            tap.calm = 0;
            tap.slack_ms = (tap.slack_ms + STEP_MS).min(MOST_SLACK_MS);
        } else {
            tap.calm += pcm.len() as u64;
            let calm = CALM_S * u64::from(tap.format.rate) * u64::from(tap.format.channels);
            if tap.calm > calm {
                tap.calm = 0;
                tap.slack_ms = (tap.slack_ms - STEP_MS).max(SLACK_MS);
            }
        }
        let (filled, _) = tap.ring.push_partial_slice(pcm);
        filled.len()
    }

    fn fault(&self) -> Option<Fault> {
        self.tap.status.fault()
    }

    fn underruns(&self) -> u64 {
        self.tap.status.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEREO: Format = Format {
        rate: 48_000,
        channels: 2,
    };

    #[test]
    fn captured_samples_come_through_and_a_full_ring_drops_whole_new_frames() {
        let (mut feed, tap) = capture(STEREO);
        let mut source = RingSource::new(tap, ());
        feed.push((0..960).map(|n| n as f32));
        let mut pcm = [0.0; 961];
        assert_eq!(source.read(&mut pcm), 960);
        assert_eq!(pcm[959], 959.0);
        feed.push((0..19_201).map(|n| n as f32));
        assert_eq!(source.overruns(), 1);
        assert_eq!(source.read(&mut pcm), 960);
        assert_eq!(pcm[1], 1.0);
        feed.status().report(Fault::Reopen);
        feed.status().report(Fault::Gone);
        assert_eq!(source.fault(), Some(Fault::Reopen));
    }

    #[test]
    fn a_microphone_knows_how_much_is_missing_for_a_block() {
        let (mut feed, tap) = capture(Format {
            rate: 48_000,
            channels: 1,
        });
        let mut source = RingSource::new(tap, ());
        let mut pcm = [0.0; 480];
        assert_eq!(source.read(&mut pcm), 0);
        assert_eq!(feed.missing(), 480);
        feed.push((0..100).map(|n| n as f32));
        assert_eq!(feed.missing(), 380);
        feed.push((0..400).map(|n| n as f32));
        assert_eq!(feed.missing(), 460, "for the next one");
        assert_eq!(source.read(&mut pcm), 480);
        assert_eq!(source.read(&mut pcm), 20);
        assert_eq!(feed.missing(), 460);
        assert_eq!(source.read(&mut [0.0; 48_000]), 0);
        assert_eq!(feed.missing(), 480);
    }

    #[test]
    fn a_patient_reader_is_woken_for_eight_blocks() {
        let (mut feed, tap) = capture(Format {
            rate: 48_000,
            channels: 1,
        });
        let mut source = RingSource::new(tap, ());
        assert!(source.wake(std::thread::current()));
        // Whether it was woken is known by whether it sleeps.
        let woken = || {
            let begun = std::time::Instant::now();
            std::thread::park_timeout(std::time::Duration::from_millis(200));
            begun.elapsed() < std::time::Duration::from_millis(150)
        };
        let mut pcm = [0.0; 480];
        source.read(&mut pcm);
        feed.push([0.0; 480].into_iter());
        assert!(woken());
        assert_eq!(source.read(&mut pcm), 480);
        source.set_patient(true);
        source.read(&mut pcm);
        feed.push([0.0; 8 * 480 - 1].into_iter());
        assert!(!woken());
        feed.push([0.0; 1].into_iter());
        assert!(woken());
        assert_eq!(source.read(&mut pcm), 480);
        source.set_patient(false);
        source.read(&mut pcm);
        feed.push([0.0; 1].into_iter());
        assert!(woken(), "what waits is enough");
    }

    #[test]
    fn who_feeds_a_patient_reader_rests_until_it_becomes_impatient() {
        let (mut feed, tap) = capture(Format {
            rate: 48_000,
            channels: 1,
        });
        let mut source = RingSource::new(tap, ());
        let long = Duration::from_secs(20);
        assert!(!feed.rest(Duration::ZERO));
        source.set_patient(true);
        source.read(&mut [0.0; 480]);
        assert_eq!(feed.missing(), 8 * 480);
        feed.push([0.0; 8 * 480].into_iter());
        assert_eq!(feed.missing(), 8 * 480, "all are there; as many more");
        let begun = std::time::Instant::now();
        source.set_patient(true);
        source.set_patient(false);
        assert!(feed.rest(long));
        assert!(begun.elapsed() < long / 2);
        feed.let_go(1_000);
        assert_eq!(source.let_go(), 1_000);
        source.set_patient(false);
        assert!(
            !feed.rest(Duration::from_millis(1)),
            "it was impatient before"
        );
    }

    #[test]
    fn the_playout_ring_is_kept_just_full_enough_and_grows_when_it_missed() {
        let (mut drain, tap) = playout(STEREO);
        let mut sink = RingSink::new(tap, ());
        let mut out = [9i16; 960];
        drain.fill(&mut out, 0, |s| (s * 32_767.0) as i16);
        assert_eq!(out, [0; 960]);
        assert_eq!(sink.underruns(), 0, "nothing had begun");
        assert_eq!(sink.room(), 960 + 480, "one period and 5 ms");
        assert_eq!(sink.write(&[0.5; 1_440]), 1_440);
        assert_eq!(sink.room(), 0);
        drain.fill(&mut out, 0, |s| (s * 32_767.0) as i16);
        assert_eq!(out, [16_383; 960]);
        assert_eq!(sink.room(), 960);
        drain.fill(&mut out, 0, |s| (s * 32_767.0) as i16);
        drain.fill(&mut out, 0, |s| (s * 32_767.0) as i16);
        assert_eq!(sink.underruns(), 480 + 960);
        sink.write(&[0.5; 960]);
        assert_eq!(sink.room(), 480, "the beginning does not count");
        for _ in 0..30 {
            drain.fill(&mut out, 0, |s| (s * 32_767.0) as i16);
            sink.write(&[0.5; 960]);
        }
        drain.fill(&mut out, 0, |s| (s * 32_767.0) as i16);
        drain.fill(&mut out, 0, |s| (s * 32_767.0) as i16);
        sink.write(&[0.5; 960]);
        assert_eq!(sink.room(), 480 + 480, "5 ms more than before");
    }
}
