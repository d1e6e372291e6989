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
use crate::device::AudioHost;
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
    let format = source.format();
    if format.rate != RATE || !matches!(format.channels, 1 | 2) {
        return Err(MediaError::Failed(None));
    }
    let mut frames = Frames::new(format.channels == 2)?;
    let woken = source.wake(std::thread::current());
    let mut pcm = [0.0; 2 * FRAME];
    let epoch = Instant::now();
    while !stopped.load(Ordering::Acquire) {
        let mut moved = false;
        loop {
            let n = source.read(&mut pcm);
            if n == 0 {
                break;
            }
            moved = true;
            // Held like the picture.
            if paused.load(Ordering::Acquire) {
                pcm[..n].fill(0.0);
            }
            let now = (epoch.elapsed().as_micros() * 48 / 1_000) as u32;
            frames.push(&pcm[..n], now, &mut |frame| {
                // A network that is too slow for sound loses it; there is nobody to tell.
                let _ = outlet.try_send(frame);
            });
        }
        if source.fault().is_some() {
            return Err(MediaError::Missing);
        }
        std::thread::park_timeout(match (woken, moved) {
            (true, _) => WOKEN,
            (false, true) => TICK,
            (false, false) => IDLE,
        });
    }
    Ok(())
}

/// Samples to frames.
struct Frames {
    encoder: SoundEncoder,
    stereo: bool,
    pcm: [f32; 2 * FRAME],
    filled: usize,
    /// Of the next frame; runs on over pauses.
    rtp_time: u32,
    /// Frames of silence in a row.
    silent: u32,
}

impl Frames {
    fn new(stereo: bool) -> Result<Self, MediaError> {
        Ok(Self {
            encoder: SoundEncoder::new()?,
            stereo,
            pcm: [0.0; 2 * FRAME],
            filled: 0,
            rtp_time: 0,
            // Nothing was sent yet.
            silent: FAREWELL,
        })
    }

    /// Takes samples that came at `now` (48 kHz).
    fn push(&mut self, samples: &[f32], now: u32, send: &mut dyn FnMut(EncodedFrame)) {
        for sample in samples {
            let copies = if self.stereo { 1 } else { 2 };
            for _ in 0..copies {
                self.pcm[self.filled] = if sample.is_finite() { *sample } else { 0.0 };
                self.filled += 1;
            }
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
    use super::*;

    fn sent(frames: &mut Frames, samples: &[f32], now: u32) -> Vec<EncodedFrame> {
        let mut sent = Vec::new();
        frames.push(samples, now, &mut |frame| sent.push(frame));
        sent
    }

    #[test]
    fn silence_costs_nothing_and_time_goes_on_over_it() {
        let mut frames = Frames::new(true).unwrap();
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
        let mut frames = Frames::new(false).unwrap();
        assert_eq!(sent(&mut frames, &[0.3; 2 * FRAME], 0).len(), 2);
        assert!(sent(&mut frames, &[f32::NAN; FRAME / 2], 0).is_empty());
        assert_eq!(frames.filled, FRAME);
    }
}
