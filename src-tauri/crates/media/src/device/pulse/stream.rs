//! An open device: a thread that carries samples between the server and a ring.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use libpulse_binding::def::BufferAttr;
use libpulse_binding::proplist::{Proplist, properties};
use libpulse_binding::sample::{Format as SampleFormat, Spec};
use libpulse_binding::stream::{FlagSet, PeekResult, SeekMode, State, Stream};

use super::{Link, PATIENCE, refused};
use crate::block::RATE;
use crate::device::guard::{Guard, Ready};
use crate::device::ring::{self, CaptureFeed, PlayoutDrain, RingSink, RingSource};
use crate::device::{AudioSink, AudioSource, Format};
use crate::error::MediaError;

/// The server converts whatever the device has.
const INPUT: Format = Format {
    rate: RATE,
    channels: 1,
};
const OUTPUT: Format = Format {
    rate: RATE,
    channels: 2,
};
/// A microphone's messages: as much as the voice thread takes at once.
const FRAGMENT_MS: u32 = 10;
/// The messages of some devices are crumbs: while several of them are missing nobody listens, but not up to the last moment, because
/// they do not come evenly.
const EARLY: Duration = Duration::from_millis(1);
/// A loudspeaker asks for so much at once, microseconds: each time costs…
const REQUEST_US: u32 = 3_333;
/// …and has so much waiting at first, in the server and in the device. What waits is delay. Of what is left of it after two
/// requests the server gives one half to the device (`fix_playback_buffer_attr` in its `protocol-native.c`): without any, the
/// device's thread wakes 2,000 times a second, and whoever records what is played gets as many messages.
const WAITING_MS: u32 = 12;
/// After it was given something the loudspeaker's thread rests for so long: what the server says about that is then heard together
/// with its next request. Longer, and a late awakening lets it run dry.
const REST: Duration = Duration::from_micros(2_000);
/// Added to what waits when it ran dry twice…
const STEP_MS: u32 = 5;
/// …within this time: once is a moment's load, which a longer wait for the rest of the call would not undo.
const AGAIN: Duration = Duration::from_secs(10);
/// Running dry is nothing new for so long after the beginning and after a change.
const SETTLES: Duration = Duration::from_millis(500);
/// Taken back after so long without.
const CALM: Duration = Duration::from_secs(30);
/// At most so much waits.
const MOST_WAITING_MS: u32 = 60;
/// A thread looks so often whether its device is still wanted, if the server says nothing.
pub(super) const TURN: Duration = Duration::from_millis(50);

/// Connecting, and then opening. A server that hangs is not waited for any longer.
pub(super) const OPENS: Duration = Duration::from_secs(2 * PATIENCE.as_secs());

/// Length of so many milliseconds, bytes.
pub(super) const fn bytes(format: Format, ms: u32) -> u32 {
    bytes_us(format, ms * 1_000)
}

/// The same of so many microseconds.
const fn bytes_us(format: Format, us: u32) -> u32 {
    format.rate / 1_000 * us / 1_000 * format.channels as u32 * size_of::<f32>() as u32
}

/// Opens a microphone by the server's name of it.
pub(in crate::device) fn open_source(name: &str) -> Result<Box<dyn AudioSource>, MediaError> {
    let (feed, tap) = ring::capture(INPUT);
    let status = feed.status();
    let name = name.to_owned();
    let guard = Guard::start("microphone", OPENS, status, move |stop, ready| {
        capture(&mut Link::open()?, &name, feed, stop, ready)
    })?;
    Ok(Box::new(RingSource::new(tap, guard)))
}

/// Opens a loudspeaker by the server's name of it.
pub(in crate::device) fn open_sink(name: &str) -> Result<Box<dyn AudioSink>, MediaError> {
    let (drain, tap) = ring::playout(OUTPUT);
    let status = drain.status();
    let name = name.to_owned();
    let guard = Guard::start("loudspeaker", OPENS, status, move |stop, ready| {
        play(&mut Link::open()?, &name, drain, stop, ready)
    })?;
    Ok(Box::new(RingSink::new(tap, guard)))
}

fn stream(link: &mut Link, name: &str, format: Format) -> Result<Stream, MediaError> {
    let spec = Spec {
        format: SampleFormat::FLOAT32NE,
        channels: u8::try_from(format.channels).unwrap_or(1),
        rate: format.rate,
    };
    let mut about = Proplist::new().ok_or(MediaError::Failed(None))?;
    // What servers decide by: a headset over Bluetooth goes into its mode for calls, music makes way.
    let _ = about.set_str(properties::MEDIA_ROLE, "phone");
    Stream::new_with_proplist(&mut link.context, name, &spec, None, &mut about)
        .ok_or_else(|| refused(link.context.errno()))
}

/// Waits until the server has opened the device.
fn opened(link: &mut Link, stream: &Stream, ready: &Ready) -> Result<(), MediaError> {
    let end = Instant::now() + PATIENCE;
    loop {
        match stream.get_state() {
            State::Ready => {
                // Whoever waited has given up if nobody hears it; then `stop` is set.
                let _ = ready.try_send(Ok(()));
                return Ok(());
            }
            State::Failed | State::Terminated => return Err(refused(link.context.errno())),
            _ if Instant::now() >= end || !link.is_up() => return Err(MediaError::Busy(None)),
            _ => link.turn(PATIENCE)?,
        }
    }
}

/// Whether the stream goes on.
fn goes_on(link: &Link, stream: &Stream) -> Result<(), MediaError> {
    if !link.is_up() {
        return Err(MediaError::Busy(None));
    }
    match stream.get_state() {
        State::Ready => Ok(()),
        // The server is there and has ended this stream: the device went, and nothing took its place.
        _ => Err(MediaError::Missing),
    }
}

fn capture(
    link: &mut Link,
    name: &str,
    mut feed: CaptureFeed,
    stop: &AtomicBool,
    ready: &Ready,
) -> Result<(), MediaError> {
    let mut stream = stream(link, "Microphone", INPUT)?;
    let attr = BufferAttr {
        maxlength: u32::MAX,
        tlength: u32::MAX,
        prebuf: u32::MAX,
        minreq: u32::MAX,
        fragsize: bytes(INPUT, FRAGMENT_MS),
    };
    stream
        .connect_record(Some(name), Some(&attr), FlagSet::ADJUST_LATENCY)
        .map_err(refused)?;
    opened(link, &stream, ready)?;
    // Whether what comes was captured before anybody wanted it.
    let mut stale = false;
    while !stop.load(Ordering::Acquire) {
        goes_on(link, &stream)?;
        let mut crumb = 0;
        loop {
            match stream.peek().map_err(refused)? {
                PeekResult::Empty => break,
                PeekResult::Data(pcm) => {
                    let (samples, _) = pcm.as_chunks::<{ size_of::<f32>() }>();
                    crumb = samples.len();
                    if stale {
                        feed.let_go(crumb);
                    } else {
                        feed.push(samples.iter().map(|sample| f32::from_ne_bytes(*sample)));
                    }
                }
                // What the server lost is silence: time goes on.
                PeekResult::Hole(length) => {
                    let samples = length / size_of::<f32>();
                    feed.push((0..samples).map(|_| 0.0));
                }
            }
            stream.discard().map_err(refused)?;
        }
        stale = feed.rest(rest(crumb, feed.missing()));
        link.turn(TURN)?;
    }
    // A stream that is being closed has no more to say.
    let _ = stream.disconnect();
    Ok(())
}

/// How long nobody need listen to a microphone whose last message held so many samples, while so many are missing for a block.
fn rest(crumb: usize, missing: usize) -> Duration {
    if crumb == 0 || crumb >= missing {
        return Duration::ZERO;
    }
    let until = Duration::from_micros(missing as u64 * 1_000_000 / u64::from(INPUT.rate));
    until.saturating_sub(EARLY)
}

fn play(
    link: &mut Link,
    name: &str,
    mut drain: PlayoutDrain,
    stop: &AtomicBool,
    ready: &Ready,
) -> Result<(), MediaError> {
    let mut stream = stream(link, "Call", OUTPUT)?;
    let mut reserve = Reserve::new(Instant::now());
    let attr = |waiting| BufferAttr {
        maxlength: u32::MAX,
        tlength: bytes(OUTPUT, waiting),
        prebuf: u32::MAX,
        minreq: bytes_us(OUTPUT, REQUEST_US),
        fragsize: u32::MAX,
    };
    let dry = Rc::new(Cell::new(false));
    let flag = Rc::clone(&dry);
    stream.set_underflow_callback(Some(Box::new(move || flag.set(true))));
    stream
        .connect_playback(
            Some(name),
            Some(&attr(reserve.waiting)),
            FlagSet::ADJUST_LATENCY,
            None,
            None,
        )
        .map_err(refused)?;
    opened(link, &stream, ready)?;
    // As much as a ring holds, so that nothing is allocated while it plays.
    let mut pcm = vec![[0; size_of::<f32>()]; bytes(OUTPUT, 200) as usize / size_of::<f32>()];
    let mut begun = false;
    while !stop.load(Ordering::Acquire) {
        goes_on(link, &stream)?;
        let mut given = false;
        while let Some(samples) = stream.writable_size().map(whole).filter(|n| *n > 0) {
            given = true;
            let samples = samples.min(pcm.len());
            let block = &mut pcm[..samples];
            if begun {
                drain.fill(block, [0; size_of::<f32>()], f32::to_ne_bytes);
            } else {
                // The server's own buffer is filled with silence: the ring is for what comes after.
                block.fill([0; size_of::<f32>()]);
            }
            stream
                .write_copy(block.as_flattened(), 0, SeekMode::Relative)
                .map_err(refused)?;
        }
        begun = true;
        if reserve.changes(Instant::now(), dry.take()) {
            let waiting = reserve.waiting;
            tracing::debug!(waiting, "the loudspeaker's buffer is changed");
            // Answered or not: the next time it runs dry asks again.
            drop(stream.set_buffer_attr(&attr(waiting), |_| {}));
        }
        if given {
            std::thread::sleep(REST);
        }
        link.turn(TURN)?;
    }
    let _ = stream.disconnect();
    Ok(())
}

/// How much shall wait for the device: as little as it gets by with.
struct Reserve {
    /// Milliseconds.
    waiting: u32,
    changed: Instant,
    /// When it ran dry last since the last change.
    dry: Option<Instant>,
}

impl Reserve {
    fn new(now: Instant) -> Self {
        Self {
            waiting: WAITING_MS,
            changed: now,
            dry: None,
        }
    }

    /// Takes whether it ran dry just now; says whether more or less shall wait from now on.
    fn changes(&mut self, now: Instant, ran_dry: bool) -> bool {
        let since = |then| now.saturating_duration_since(then);
        let before = self.waiting;
        if ran_dry && since(self.changed) >= SETTLES {
            let again = self.dry.is_some_and(|dry| since(dry) < AGAIN);
            self.dry = Some(now);
            if again {
                self.waiting = (self.waiting + STEP_MS).min(MOST_WAITING_MS);
            }
        } else if since(self.dry.unwrap_or(self.changed)) >= CALM {
            self.waiting = (self.waiting - STEP_MS).max(WAITING_MS);
            self.changed = now;
            self.dry = None;
        }
        if self.waiting == before {
            return false;
        }
        self.changed = now;
        self.dry = None;
        true
    }
}

/// Whole frames in so many bytes, samples.
fn whole(room: usize) -> usize {
    let channels = usize::from(OUTPUT.channels);
    room / size_of::<f32>() / channels * channels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_grows_when_it_runs_dry_again_and_again_and_shrinks_in_calm() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut reserve = Reserve::new(start);
        assert!(!reserve.changes(at(100), true), "it begins");
        assert!(!reserve.changes(at(2_000), true), "once");
        assert!(!reserve.changes(at(13_000), true), "once more, long after");
        assert!(reserve.changes(at(14_000), true));
        assert_eq!(reserve.waiting, WAITING_MS + STEP_MS);
        assert!(
            !reserve.changes(at(14_010), true),
            "the change is on its way"
        );
        assert!(!reserve.changes(at(43_900), false));
        assert!(reserve.changes(at(44_100), false), "calm for half a minute");
        assert_eq!(reserve.waiting, WAITING_MS);
        assert!(!reserve.changes(at(90_000), false), "never less");
        for n in 0..100 {
            reserve.changes(at(100_000 + n * 1_000), true);
        }
        assert_eq!(reserve.waiting, MOST_WAITING_MS);
    }

    #[test]
    fn a_microphone_of_crumbs_is_not_listened_to_before_a_block_may_be_whole() {
        let ms = Duration::from_millis;
        assert_eq!(rest(128, 480), ms(9));
        assert_eq!(rest(128, 144), ms(2));
        assert_eq!(rest(128, 128), ms(0), "the next one completes it");
        assert_eq!(rest(480, 480), ms(0), "each message is a block");
        assert_eq!(rest(128, 0), ms(0), "somebody is late");
        assert_eq!(rest(0, 480), ms(0), "nothing has come");
    }

    #[test]
    fn lengths_are_whole_frames() {
        assert_eq!(bytes(INPUT, FRAGMENT_MS), 1_920);
        assert_eq!(bytes_us(OUTPUT, REQUEST_US), 1_272);
        assert_eq!(whole(1_927), 480);
        assert_eq!(whole(7), 0);
    }
}
