//! The sound that goes along with a shared screen: what other programs play, as stereo Opus without any of a voice's
//! treatment.
//!
//! A thread of its own, alive while there is an outlet: the screen's thread may spend a tenth of a second on one
//! picture, and the voice thread has a microphone to serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use calls_core::port::media::{EncodedFrame, FrameOutlet, Layer, MediaEvent, MediaKind};

use crate::block::RATE;
use crate::device::{AudioHost, AudioSource, Fault};
use crate::error::MediaError;
use crate::voice::handle::MediaEventSink;
use crate::voice::opus::{FRAME, SoundEncoder};

/// Between two looks while something plays.
const TICK: Duration = Duration::from_millis(10);
/// The same while nothing does. A source holds 200 ms.
const IDLE: Duration = Duration::from_millis(40);
/// The same where the source wakes us: only to see whether it is over.
const WOKEN: Duration = Duration::from_millis(250);
/// Softer than this, −84 dB of full scale, is silence.
const AUDIBLE: f32 = 6e-5;
/// So much silence is sent, 200 ms, before nothing is: receivers go on with the last sound that they got.
const FAREWELL: u32 = 10;

/// Added to the rest before each further try to open a source that failed; the first is made at once.
const REST: Duration = Duration::from_millis(500);
/// So many tries, 7.5 s of rest: a sound server is back in less.
const TRIES: u32 = 6;
/// A failure so long after the one before is a new one. Longer than a rest and an opening that hangs.
const CALM: Duration = Duration::from_secs(15);

/// The running thread. Dropping it stops it.
pub(super) struct Sound {
    stopped: Arc<AtomicBool>,
}

impl Drop for Sound {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
    }
}

impl Sound {
    /// Starts sending what `host` says that others play, except while `paused`.
    pub(super) fn start(
        host: Arc<dyn AudioHost>,
        outlet: Box<dyn FrameOutlet>,
        paused: Arc<AtomicBool>,
        events: MediaEventSink,
    ) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&stopped);
        super::handle::spawn("halloo-sound", move || {
            if let Err(error) = run(&*host, outlet, &paused, &theirs)
                && !theirs.load(Ordering::Acquire)
            {
                tracing::warn!(%error, cause = ?std::error::Error::source(&error), "no sound to share");
                events(MediaEvent::ShareSilent);
            }
        });
        Self { stopped }
    }
}

fn run(
    host: &dyn AudioHost,
    mut outlet: Box<dyn FrameOutlet>,
    paused: &AtomicBool,
    stopped: &AtomicBool,
) -> Result<(), MediaError> {
    let mut source = host.open_played()?;
    let mut frames = Frames::new()?;
    let mut comeback = Comeback::default();
    let epoch = Instant::now();
    let mut take = |pcm: &mut [f32]| {
        // Held like the picture.
        if paused.load(Ordering::Acquire) {
            pcm.fill(0.0);
        }
        let now = (epoch.elapsed().as_micros() * 48 / 1_000) as u32;
        frames.push(pcm, now, &mut |frame| {
            // A network that is too slow for sound loses it; there is nobody to tell.
            let _ = outlet.try_send(frame);
        });
    };
    while let Some(fault) = carry(&mut *source, &mut take, stopped)? {
        if fault == Fault::Gone {
            return Err(MediaError::Missing);
        }
        drop(source);
        let opened = reopen(host, &mut comeback, stopped)?;
        let Some(opened) = opened else { break };
        source = opened;
    }
    Ok(())
}

/// Hands on what comes, in stereo, until the source fails; none if it is not wanted any more.
fn carry(
    source: &mut dyn AudioSource,
    take: &mut dyn FnMut(&mut [f32]),
    stopped: &AtomicBool,
) -> Result<Option<Fault>, MediaError> {
    let format = source.format();
    if format.rate != RATE || !matches!(format.channels, 1 | 2) {
        return Err(MediaError::Failed(None));
    }
    let woken = source.wake(std::thread::current());
    let mut pcm = [0.0; 2 * FRAME];
    while !stopped.load(Ordering::Acquire) {
        let mut moved = false;
        loop {
            let most = FRAME * usize::from(format.channels);
            let n = source.read(&mut pcm[..most]);
            if n == 0 {
                break;
            }
            moved = true;
            let n = if format.channels == 1 {
                twice(&mut pcm, n)
            } else {
                n
            };
            take(&mut pcm[..n]);
        }
        if let Some(fault) = source.fault() {
            return Ok(Some(fault));
        }
        std::thread::park_timeout(match (woken, moved) {
            (true, _) => WOKEN,
            (false, true) => TICK,
            (false, false) => IDLE,
        });
    }
    Ok(None)
}

/// Mono to stereo, in place: the first `n` samples become twice as many.
fn twice(pcm: &mut [f32; 2 * FRAME], n: usize) -> usize {
    for at in (0..n.min(FRAME)).rev() {
        pcm[2 * at + 1] = pcm[at];
        pcm[2 * at] = pcm[at];
    }
    2 * n.min(FRAME)
}

/// Opens the source again; none if it is not wanted any more.
fn reopen(
    host: &dyn AudioHost,
    comeback: &mut Comeback,
    stopped: &AtomicBool,
) -> Result<Option<Box<dyn AudioSource>>, MediaError> {
    let mut failed = MediaError::Missing;
    while let Some(rest) = comeback.rest(Instant::now()) {
        let until = Instant::now() + rest;
        // The old source may still wake us.
        while !stopped.load(Ordering::Acquire) && Instant::now() < until {
            std::thread::park_timeout(WOKEN.min(until - Instant::now()));
        }
        if stopped.load(Ordering::Acquire) {
            return Ok(None);
        }
        match host.open_played() {
            Ok(source) => return Ok(Some(source)),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// When a source that failed is tried again: sound servers are started anew, displays are unplugged.
#[derive(Debug, Default)]
struct Comeback {
    tries: u32,
    last: Option<Instant>,
}

impl Comeback {
    /// It failed at `now`: how long to rest before the next try; none once it has failed too often.
    fn rest(&mut self, now: Instant) -> Option<Duration> {
        let calm = |last| now.saturating_duration_since(last) > CALM;
        if self.last.replace(now).is_some_and(calm) {
            self.tries = 0;
        }
        let rest = REST * self.tries;
        self.tries += 1;
        (self.tries <= TRIES).then_some(rest)
    }
}

/// Samples to frames.
struct Frames {
    encoder: SoundEncoder,
    pcm: [f32; 2 * FRAME],
    filled: usize,
    /// Of the next frame; runs on over pauses.
    rtp_time: u32,
    /// Frames of silence in a row.
    silent: u32,
}

impl Frames {
    fn new() -> Result<Self, MediaError> {
        Ok(Self {
            encoder: SoundEncoder::new()?,
            pcm: [0.0; 2 * FRAME],
            filled: 0,
            rtp_time: 0,
            // Nothing was sent yet.
            silent: FAREWELL,
        })
    }

    /// Takes stereo samples that came at `now` (48 kHz).
    fn push(&mut self, samples: &[f32], now: u32, send: &mut dyn FnMut(EncodedFrame)) {
        for sample in samples {
            self.pcm[self.filled] = if sample.is_finite() { *sample } else { 0.0 };
            self.filled += 1;
            if self.filled == self.pcm.len() {
                self.filled = 0;
                if let Some(frame) = self.frame(now) {
                    send(frame);
                }
            }
        }
    }

    fn frame(&mut self, now: u32) -> Option<EncodedFrame> {
        let rtp_time = self.rtp_time;
        // Counted in samples; where time went on without any, it is the clock's.
        let late = now.wrapping_sub(rtp_time.wrapping_add(FRAME as u32)) as i32;
        let begins = self.silent >= FAREWELL;
        let rtp_time = if begins && late > 0 {
            rtp_time.wrapping_add(late as u32)
        } else {
            rtp_time
        };
        self.rtp_time = rtp_time.wrapping_add(FRAME as u32);
        let audible = self.pcm.iter().any(|sample| sample.abs() > AUDIBLE);
        self.silent = if audible {
            0
        } else {
            self.silent.saturating_add(1)
        };
        if self.silent > FAREWELL || (begins && !audible) {
            return None;
        }
        Some(EncodedFrame {
            kind: MediaKind::ScreenAudio,
            layer: Layer::default(),
            rtp_time,
            duration: FRAME as u32,
            key: false,
            level: None,
            talk_start: begins,
            data: self.encoder.encode(&self.pcm)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::sync::mpsc::{Sender, channel};

    use calls_core::id::DeviceId;

    use super::*;
    use crate::device::{AudioSink, Devices, Format};

    fn sent(frames: &mut Frames, samples: &[f32], now: u32) -> Vec<EncodedFrame> {
        let mut sent = Vec::new();
        frames.push(samples, now, &mut |frame| sent.push(frame));
        sent
    }

    #[test]
    fn silence_costs_nothing_and_time_goes_on_over_it() {
        let mut frames = Frames::new().unwrap();
        let (loud, still) = ([0.3; 2 * FRAME], [0.0; 2 * FRAME]);
        let frame = FRAME as u32;
        assert!(sent(&mut frames, &still, frame).is_empty());
        let first = sent(&mut frames, &loud, 10 * frame);
        assert_eq!(first.len(), 1);
        assert_eq!((first[0].rtp_time, first[0].talk_start), (9 * frame, true));
        let second = sent(&mut frames, &loud, 11 * frame + 7);
        assert_eq!(
            (second[0].rtp_time, second[0].talk_start),
            (10 * frame, false)
        );
        let farewell: usize = (0..30)
            .map(|n| sent(&mut frames, &still, (12 + n) * frame).len())
            .sum();
        assert_eq!(farewell, FAREWELL as usize);
        let again = sent(&mut frames, &loud, 500 * frame);
        assert_eq!(
            (again[0].rtp_time, again[0].talk_start),
            (499 * frame, true)
        );
    }

    #[test]
    fn mono_becomes_both_channels_and_broken_samples_silence() {
        let mut pcm = [0.0; 2 * FRAME];
        pcm[..3].copy_from_slice(&[0.1, 0.2, 0.3]);
        assert_eq!(twice(&mut pcm, 3), 6);
        assert_eq!(pcm[..6], [0.1, 0.1, 0.2, 0.2, 0.3, 0.3]);
        assert_eq!(twice(&mut pcm, FRAME), 2 * FRAME);
        let mut frames = Frames::new().unwrap();
        assert!(sent(&mut frames, &[f32::NAN; FRAME], 0).is_empty());
        assert!(frames.pcm[..frames.filled].iter().all(|s| *s == 0.0));
        assert_eq!(frames.filled, FRAME);
    }

    /// A system whose source fails: what each opening yields.
    struct Failing(Mutex<VecDeque<Result<Brief, MediaError>>>);

    /// A source with so many frames of sound, and then a fault.
    struct Brief {
        channels: u16,
        frames: usize,
        fault: Fault,
    }

    impl AudioHost for Failing {
        fn devices(&self) -> Devices {
            Devices::default()
        }

        fn open_source(&self, _: &DeviceId) -> Result<Box<dyn AudioSource>, MediaError> {
            Err(MediaError::Missing)
        }

        fn open_sink(&self, _: &DeviceId) -> Result<Box<dyn AudioSink>, MediaError> {
            Err(MediaError::Missing)
        }

        fn is_acoustic(&self) -> bool {
            false
        }

        fn open_played(&self) -> Result<Box<dyn AudioSource>, MediaError> {
            let next = self.0.lock().unwrap().pop_front();
            next.unwrap_or(Err(MediaError::Busy(None)))
                .map(|source| Box::new(source) as Box<dyn AudioSource>)
        }
    }

    impl AudioSource for Brief {
        fn format(&self) -> Format {
            Format {
                rate: RATE,
                channels: self.channels,
            }
        }

        fn read(&mut self, pcm: &mut [f32]) -> usize {
            if self.frames == 0 {
                return 0;
            }
            self.frames -= 1;
            pcm.fill(0.3);
            pcm.len()
        }

        fn fault(&self) -> Option<Fault> {
            Some(self.fault)
        }

        fn overruns(&self) -> u64 {
            0
        }
    }

    struct Sent(Sender<EncodedFrame>);

    impl FrameOutlet for Sent {
        fn try_send(&mut self, frame: EncodedFrame) -> bool {
            self.0.send(frame).is_ok()
        }
    }

    #[test]
    fn a_source_that_fails_is_opened_again_and_goes_on_until_it_is_gone() {
        let brief = |channels, frames, fault| {
            Ok(Brief {
                channels,
                frames,
                fault,
            })
        };
        let host = Failing(Mutex::new(VecDeque::from([
            brief(2, 3, Fault::Reopen),
            brief(1, 4, Fault::Gone),
            brief(2, 5, Fault::Gone),
        ])));
        let (outlet, inbox) = channel();
        let no = AtomicBool::new(false);
        let ended = run(&host, Box::new(Sent(outlet)), &no, &no);
        assert!(matches!(ended, Err(MediaError::Missing)));
        let sent: Vec<_> = inbox.iter().collect();
        assert_eq!(sent.len(), 7, "both, and the third was never opened");
        let steps = sent.windows(2).map(|two| two[1].rtp_time - two[0].rtp_time);
        assert!(steps.into_iter().all(|step| step == FRAME as u32));
        assert!(sent[1..].iter().all(|frame| !frame.talk_start));
    }

    #[test]
    fn what_cannot_be_opened_at_first_is_not_tried_again() {
        let host = Failing(Mutex::new(VecDeque::from([Err(MediaError::Denied)])));
        let (outlet, inbox) = channel();
        let no = AtomicBool::new(false);
        let ended = run(&host, Box::new(Sent(outlet)), &no, &no);
        assert!(matches!(ended, Err(MediaError::Denied)));
        assert_eq!(inbox.iter().count(), 0);
    }

    #[test]
    fn it_is_tried_at_once_then_ever_later_and_some_time_no_more() {
        let mut comeback = Comeback::default();
        let mut now = Instant::now();
        let mut rests = Vec::new();
        while let Some(rest) = comeback.rest(now) {
            now += rest;
            rests.push(rest.as_millis());
        }
        assert_eq!(rests, [0, 500, 1_000, 1_500, 2_000, 2_500]);
        assert_eq!(comeback.rest(now), None);
        now += CALM + Duration::from_millis(1);
        assert_eq!(comeback.rest(now), Some(Duration::ZERO), "a new failure");
    }
}
