//! What the other programs play: the sound that goes along with a shared screen.
//!
//! A loudspeaker's monitor would have the call itself in it, and everybody would hear themselves come back. So each
//! other program's stream is recorded by itself (`pa_stream_set_monitor_stream`, which PipeWire's server has as well),
//! and the sum of these is what is shared: our own voice playout, tones and rings are not in it, on whichever device
//! they play. Streams that belong to no program (loops, filters, combined outputs) carry what is recorded already.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use libpulse_binding::callbacks::ListResult;
use libpulse_binding::context::introspect::SinkInputInfo;
use libpulse_binding::context::subscribe::InterestMaskSet;
use libpulse_binding::def::BufferAttr;
use libpulse_binding::proplist::properties;
use libpulse_binding::sample::{Format as SampleFormat, Spec};
use libpulse_binding::stream::{FlagSet, PeekResult, State, Stream};

use super::stream::{OPENS, TURN, bytes};
use super::{Link, PATIENCE, refused};
use crate::block::RATE;
use crate::device::guard::{Guard, Ready};
use crate::device::ring::{self, CaptureFeed, RingSource};
use crate::device::{AudioSource, Format};
use crate::error::MediaError;

/// The server converts whatever the programs play.
const FORMAT: Format = Format {
    rate: RATE,
    channels: 2,
};
/// Programs' sound is added up in steps of this length.
const STEP: Duration = Duration::from_millis(10);
/// Samples in a step, both channels.
const STEP_SAMPLES: usize = RATE as usize / 100 * 2;
/// A stream is heard once it is so far ahead: the server's messages do not come evenly.
const AHEAD: usize = 3 * STEP_SAMPLES;
/// More than this waits only if its clock is faster than ours: then the oldest goes.
const MOST: usize = 12 * STEP_SAMPLES;
/// Programs that are recorded at once; whoever plays more than this at a time hears the rest alone.
const PROGRAMS: usize = 32;

/// Opens what all other programs play.
pub(in crate::device) fn open_played() -> Result<Box<dyn AudioSource>, MediaError> {
    let (feed, tap) = ring::capture(FORMAT);
    let status = feed.status();
    let guard = Guard::start("shared-sound", OPENS, status, move |stop, ready| {
        record(&mut Link::open()?, feed, stop, ready)
    })?;
    Ok(Box::new(RingSource::new(tap, guard)))
}

/// One program's stream, being recorded.
struct Tap {
    stream: Stream,
    queue: Queue,
}

impl Tap {
    fn open(link: &mut Link, input: u32) -> Result<Self, MediaError> {
        let spec = Spec {
            format: SampleFormat::FLOAT32NE,
            channels: u8::try_from(FORMAT.channels).unwrap_or(2),
            rate: FORMAT.rate,
        };
        let mut stream = Stream::new(&mut link.context, "Shared sound", &spec, None)
            .ok_or_else(|| refused(link.context.errno()))?;
        stream.set_monitor_stream(input).map_err(refused)?;
        let attr = BufferAttr {
            maxlength: u32::MAX,
            tlength: u32::MAX,
            prebuf: u32::MAX,
            minreq: u32::MAX,
            fragsize: bytes(FORMAT, 10),
        };
        // A program that is silent shall not keep a device awake because of us.
        let flags = FlagSet::ADJUST_LATENCY | FlagSet::DONT_INHIBIT_AUTO_SUSPEND;
        stream
            .connect_record(None, Some(&attr), flags)
            .map_err(refused)?;
        Ok(Self {
            stream,
            queue: Queue::default(),
        })
    }

    /// Takes what came; false once the stream has ended.
    fn fetch(&mut self) -> bool {
        match self.stream.get_state() {
            State::Ready => {}
            State::Failed | State::Terminated => return false,
            _ => return true,
        }
        loop {
            match self.stream.peek() {
                Ok(PeekResult::Empty) => return true,
                Ok(PeekResult::Data(pcm)) => self.queue.push(
                    pcm.as_chunks::<{ size_of::<f32>() }>()
                        .0
                        .iter()
                        .map(|sample| f32::from_ne_bytes(*sample)),
                ),
                Ok(PeekResult::Hole(_)) => {}
                Err(_) => return false,
            }
            if self.stream.discard().is_err() {
                return false;
            }
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        // Ended already, if the program has.
        let _ = self.stream.disconnect();
    }
}

/// What waits of one program.
#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<f32>,
    heard: bool,
}

impl Queue {
    fn push(&mut self, samples: impl Iterator<Item = f32>) {
        self.waiting.extend(samples);
        if self.waiting.len() > MOST {
            let whole = (self.waiting.len() - AHEAD) / 2 * 2;
            self.waiting.drain(..whole);
        }
    }

    /// Adds the next step; false if there was nothing.
    fn add_to(&mut self, sum: &mut [f32; STEP_SAMPLES]) -> bool {
        if !self.heard && self.waiting.len() < AHEAD {
            return false;
        }
        self.heard = !self.waiting.is_empty();
        let taken = self.waiting.len().min(STEP_SAMPLES);
        for (sum, sample) in sum.iter_mut().zip(self.waiting.drain(..taken)) {
            *sum += sample;
        }
        self.heard
    }
}

fn record(
    link: &mut Link,
    mut feed: CaptureFeed,
    stop: &AtomicBool,
    ready: &Ready,
) -> Result<(), MediaError> {
    let changed = Rc::new(Cell::new(true));
    let flag = Rc::clone(&changed);
    link.context
        .set_subscribe_callback(Some(Box::new(move |_, _, _| flag.set(true))));
    let _subscribed = link.context.subscribe(InterestMaskSet::SINK_INPUT, |_| {});
    let mut taps: BTreeMap<u32, Tap> = BTreeMap::new();
    let mut begun = false;
    let mut due = Instant::now();
    while !stop.load(Ordering::Acquire) {
        if !link.is_up() {
            return Err(MediaError::Busy(None));
        }
        if changed.take() {
            let playing = others(link)?;
            taps.retain(|input, _| playing.contains(input));
            for input in playing {
                if taps.len() < PROGRAMS && !taps.contains_key(&input) {
                    taps.insert(input, Tap::open(link, input)?);
                }
            }
            if !std::mem::replace(&mut begun, true) {
                // Whoever waited has given up if nobody hears it; then `stop` is set.
                let _ = ready.try_send(Ok(()));
            }
        }
        let before = taps.len();
        taps.retain(|_, tap| tap.fetch());
        if taps.len() < before {
            // It ended, or moved to another device; then it is in the list and recorded again.
            changed.set(true);
        }
        due = mix(&mut taps, &mut feed, due, Instant::now());
        // The server's messages wake us while somebody plays.
        link.turn(if taps.is_empty() { TURN } else { STEP })?;
    }
    Ok(())
}

/// Adds up what is due by now; gives when the next step is.
fn mix(
    taps: &mut BTreeMap<u32, Tap>,
    feed: &mut CaptureFeed,
    mut due: Instant,
    now: Instant,
) -> Instant {
    if now.saturating_duration_since(due) > STEP * 15 {
        due = now - STEP; // We slept; what was missed is missed.
    }
    while due + STEP <= now {
        due += STEP;
        let mut sum = [0.0; STEP_SAMPLES];
        let mut any = false;
        for tap in taps.values_mut() {
            any |= tap.queue.add_to(&mut sum);
        }
        if any {
            feed.push(sum.iter().map(|sample| sample.clamp(-1.0, 1.0)));
        }
    }
    due
}

/// The streams of other programs.
fn others(link: &mut Link) -> Result<Vec<u32>, MediaError> {
    #[derive(Default)]
    struct Found {
        inputs: Vec<u32>,
        done: bool,
        failed: bool,
    }
    let found = Rc::new(RefCell::new(Found::default()));
    let theirs = Rc::clone(&found);
    let asked = link
        .context
        .introspect()
        .get_sink_input_info_list(move |item| {
            let mut found = theirs.borrow_mut();
            match item {
                ListResult::Item(input) if is_other(input) => found.inputs.push(input.index),
                ListResult::Item(_) => {}
                ListResult::End => found.done = true,
                ListResult::Error => found.failed = true,
            }
        });
    let end = Instant::now() + PATIENCE;
    while !found.borrow().done && !found.borrow().failed {
        if !link.is_up() || Instant::now() >= end {
            return Err(MediaError::Busy(None));
        }
        link.turn(PATIENCE)?;
    }
    drop(asked);
    let found = found.take();
    if found.failed {
        return Err(MediaError::Failed(None));
    }
    Ok(found.inputs)
}

fn is_other(input: &SinkInputInfo<'_>) -> bool {
    let said = |key: &str| input.proplist.get_str(key);
    let filter = said("media.role").is_some_and(|role| role == "filter");
    let process = said(properties::APPLICATION_PROCESS_ID);
    let binary = said(properties::APPLICATION_PROCESS_BINARY);
    // Ring tones come through another library, which names the process here only.
    let named = said(properties::APPLICATION_NAME).unwrap_or_default();
    let tone = named == format!("cpal-pulseaudio-{}", std::process::id());
    input.client.is_some() && !filter && !tone && !is_us(process.as_deref(), binary.as_deref())
}

/// Whether a program is this one. Sandboxes count processes each for itself, so that many programs are number 2: the name
/// of the program's file tells them apart.
fn is_us(process: Option<&str>, binary: Option<&str>) -> bool {
    let us = std::env::current_exe().ok();
    let us = us.as_deref().and_then(std::path::Path::file_name);
    let same_file = match (binary, us) {
        (Some(theirs), Some(ours)) => ours == theirs,
        _ => true,
    };
    process.and_then(|id| id.parse().ok()) == Some(std::process::id()) && same_file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_heard_from_when_it_is_ahead_to_its_last_sample() {
        let mut queue = Queue::default();
        let mut sum = [0.0; STEP_SAMPLES];
        queue.push(std::iter::repeat_n(0.5, AHEAD - 2));
        assert!(!queue.add_to(&mut sum), "it has just begun");
        queue.push(std::iter::repeat_n(0.5, 2));
        for _ in 0..AHEAD / STEP_SAMPLES {
            assert!(queue.add_to(&mut sum));
        }
        assert!((sum[7] - 1.5).abs() < 1e-6, "steps are added up");
        assert!(!queue.add_to(&mut sum), "it has stopped");
        queue.push(std::iter::repeat_n(0.5, 2));
        assert!(!queue.add_to(&mut sum), "and must be ahead again");
    }

    #[test]
    fn a_clock_that_is_too_fast_costs_the_oldest() {
        let mut queue = Queue::default();
        queue.push((0..2 * MOST).map(|n| n as f32));
        assert_eq!(queue.waiting.len(), AHEAD);
        assert_eq!(queue.waiting.back(), Some(&((2 * MOST - 1) as f32)));
    }

    #[test]
    fn we_are_a_process_and_a_file() {
        let process = std::process::id().to_string();
        let file = std::env::current_exe().unwrap();
        let file = file.file_name().unwrap().to_str().unwrap();
        assert!(is_us(Some(&process), Some(file)));
        assert!(is_us(Some(&process), None));
        assert!(!is_us(Some(&process), Some("player")), "another sandbox");
        assert!(!is_us(Some("1"), Some(file)), "another one of us");
        assert!(!is_us(None, None) && !is_us(Some("x"), None));
    }
}
