//! Plays ring tones and cues with rodio.
//!
//! Each sound has a thread of its own, which opens the device, plays and ends: a device that is busy, slow or gone
//! keeps nobody waiting but its own sound, and nothing is open while nothing sounds.

use std::io;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use calls_core::alert::{Cue, Ring, RingDevice, Tone};
use calls_core::id::DeviceId;
use rodio::cpal::traits::{DeviceTrait, HostTrait};
use rodio::{DeviceSinkBuilder, MixerDeviceSink, Source};

/// Threads at once. Sounds last seconds at most, and only one rings; more than this means devices that hang.
const THREADS: usize = 8;

/// Outputs that ring together at most.
const OUTPUTS: usize = 6;

/// Frames in the device's buffer, 10 ms at 48 kHz: what was given to the device is heard even after the end. (The
/// default may mean two seconds with PulseAudio.)
const BUFFER: u32 = 480;

/// Longest tone of whoever calls; the core says earlier when to stop.
const RINGBACK: Duration = Duration::from_secs(40);

/// Longest cue.
const CUE: Duration = Duration::from_secs(2);

/// Sound servers before bare hardware, as for calls.
const SERVERS: [&str; 2] = ["pipewire", "pulseaudio"];

macro_rules! sound {
    ($name:literal) => {
        include_bytes!(concat!("../../assets/sounds/", $name, ".wav"))
    };
}

/// Rings, and gives cues.
#[derive(Debug, Default)]
pub(crate) struct Ringer {
    ring: Mutex<Option<Arc<Stop>>>,
    ringback: Mutex<Option<Arc<Stop>>>,
    threads: Arc<AtomicUsize>,
}

/// Ends a sound from another thread.
#[derive(Debug, Default)]
struct Stop {
    stopped: Mutex<bool>,
    told: Condvar,
}

impl Stop {
    fn stop(&self) {
        *lock(&self.stopped) = true;
        self.told.notify_all();
    }

    fn is_stopped(&self) -> bool {
        *lock(&self.stopped)
    }

    /// Waits until it is stopped, or so long.
    fn wait(&self, time: Duration) {
        let guard = lock(&self.stopped);
        // Poisoned or not: the sound ends.
        let _ = self
            .told
            .wait_timeout_while(guard, time, |stopped| !*stopped);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a sound is not heard. The log tells; the card and the notification are there anyway.
#[derive(Debug, thiserror::Error)]
enum RingError {
    /// There is no such device, or none at all.
    #[error("there is no loudspeaker")]
    NoDevice,
    /// The device cannot be opened.
    #[error("the loudspeaker cannot be opened")]
    Open(#[from] rodio::DeviceSinkError),
    /// A file of ours is not what it should be.
    #[error("a sound of ours is broken")]
    Sound,
}

impl Ringer {
    /// Rings, in place of what rings now. Returns at once.
    pub(crate) fn ring(&self, ring: Ring) {
        let stop = Arc::new(Stop::default());
        let before = lock(&self.ring).replace(Arc::clone(&stop));
        if let Some(before) = before {
            before.stop();
        }
        self.play("ring", move |begun| {
            let pcm = samples(tone(ring.tone)).ok_or(RingError::Sound)?;
            let on = |sink: MixerDeviceSink| ring_on(&sink, &ring, &pcm, &stop, begun);
            match &ring.device {
                RingDevice::System => on(open(None)?),
                RingDevice::Device(device) => on(open(Some(device))?),
                RingDevice::All => {
                    let all = outputs();
                    if all.is_empty() {
                        on(open(None)?);
                    }
                    // Each has its own connection to the sound server (several sounds of one connection were heard on
                    // one output only), and one that hangs holds up none of the others.
                    std::thread::scope(|scope| {
                        for device in &all {
                            scope.spawn(|| match named(&host(), device).map(open_one) {
                                Some(Ok(sink)) => on(sink),
                                Some(Err(why)) => tracing::warn!(%why, "not heard on one output"),
                                None => tracing::info!("an output has just gone"),
                            });
                        }
                    });
                }
            }
            Ok(())
        });
    }

    /// Nothing rings any more.
    pub(crate) fn silence(&self) {
        if let Some(ring) = lock(&self.ring).take() {
            ring.stop();
        }
    }

    /// What whoever calls hears until somebody answers.
    pub(crate) fn ringback(&self, device: Option<DeviceId>) {
        let stop = Arc::new(Stop::default());
        if let Some(before) = lock(&self.ringback).replace(Arc::clone(&stop)) {
            before.stop();
        }
        self.play("ringback", move |_| {
            let pcm = samples(sound!("ringback")).ok_or(RingError::Sound)?;
            let sink = open(device.as_ref())?;
            sink.mixer().add(pcm.source().repeat_infinite());
            stop.wait(RINGBACK);
            Ok(())
        });
    }

    /// Somebody has answered, or nobody will.
    pub(crate) fn ringback_ends(&self) {
        if let Some(ringback) = lock(&self.ringback).take() {
            ringback.stop();
        }
    }

    /// A short sound.
    pub(crate) fn cue(&self, cue: Cue, device: Option<DeviceId>, volume: u16) {
        self.play("cue", move |_| {
            let pcm = samples(sound(cue)).ok_or(RingError::Sound)?;
            let length = Duration::from_secs_f64(pcm.len() as f64 / f64::from(pcm.rate));
            let sink = open(device.as_ref())?;
            tracing::debug!(?cue, "sounds");
            sink.mixer().add(pcm.source().amplify(loudness(volume)));
            // What is in the device's buffer must be heard, too.
            std::thread::sleep((length + Duration::from_millis(60)).min(CUE));
            Ok(())
        });
    }

    fn play(
        &self,
        what: &'static str,
        work: impl FnOnce(Instant) -> Result<(), RingError> + Send + 'static,
    ) {
        let begun = Instant::now();
        let threads = Arc::clone(&self.threads);
        if threads.fetch_add(1, Ordering::Relaxed) >= THREADS {
            threads.fetch_sub(1, Ordering::Relaxed);
            tracing::warn!(what, "not heard: the sound devices hang");
            return;
        }
        let held = Arc::clone(&threads);
        let spawned = std::thread::Builder::new()
            .name("ringer".to_owned())
            .spawn(move || {
                if let Err(why) = work(begun) {
                    tracing::warn!(what, %why, cause = ?std::error::Error::source(&why), "not heard");
                }
                held.fetch_sub(1, Ordering::Relaxed);
            });
        if let Err(why) = spawned {
            threads.fetch_sub(1, Ordering::Relaxed);
            log_spawn(&why);
        }
    }
}

fn log_spawn(why: &io::Error) {
    tracing::error!(%why, "no thread for a sound");
}

/// Per cent to a factor that sounds like it: half as loud at 50.
fn loudness(percent: u16) -> f32 {
    (f32::from(percent.min(100)) / 100.0).powi(2)
}

/// Rings on one output until it is stopped, or long enough.
fn ring_on(sink: &MixerDeviceSink, ring: &Ring, pcm: &Pcm, stop: &Stop, begun: Instant) {
    let source = pcm.source().amplify(loudness(ring.volume));
    if ring.once {
        sink.mixer().add(source);
    } else {
        sink.mixer().add(source.repeat_infinite());
    }
    tracing::info!(ms = begun.elapsed().as_millis(), "rings");
    let longest = Duration::from_secs(ring.seconds.into());
    stop.wait(if ring.once {
        Duration::from_secs_f64(pcm.len() as f64 / f64::from(pcm.rate)).min(longest)
    } else {
        longest
    });
    tracing::info!(
        ms = begun.elapsed().as_millis(),
        stopped = stop.is_stopped(),
        "rang"
    );
}

/// Where sounds come from: a sound server, or else bare hardware.
fn host() -> rodio::cpal::Host {
    SERVERS
        .iter()
        .find_map(|name| rodio::cpal::host_from_id(name.parse().ok()?).ok())
        .unwrap_or_else(rodio::cpal::default_host)
}

/// All outputs, as far as a ring goes to them.
fn outputs() -> Vec<DeviceId> {
    let host = host();
    let devices = host.output_devices().into_iter().flatten();
    devices
        .filter_map(|device| Some(DeviceId::new(device.id().ok()?.to_string())))
        .take(OUTPUTS)
        .collect()
}

fn named(host: &rodio::cpal::Host, id: &DeviceId) -> Option<rodio::cpal::Device> {
    let is =
        |device: &rodio::cpal::Device| device.id().is_ok_and(|it| it.to_string() == id.as_str());
    host.output_devices().into_iter().flatten().find(is)
}

/// Opens the output of this name; the system's own if there is none, or it is gone.
fn open(wish: Option<&DeviceId>) -> Result<MixerDeviceSink, RingError> {
    let host = host();
    if let Some(device) = wish.and_then(|id| named(&host, id)) {
        match open_one(device) {
            Ok(sink) => return Ok(sink),
            Err(why) => tracing::info!(%why, "the output that was chosen does not open"),
        }
    }
    open_one(host.default_output_device().ok_or(RingError::NoDevice)?)
}

fn open_one(device: rodio::cpal::Device) -> Result<MixerDeviceSink, RingError> {
    let mut sink = DeviceSinkBuilder::from_device(device)?
        .with_buffer_size(rodio::cpal::BufferSize::Fixed(BUFFER))
        .with_error_callback(|why| tracing::debug!(%why, "while a sound played"))
        .open_sink_or_fallback()?;
    sink.log_on_drop(false);
    Ok(sink)
}

/// Sound in memory, mono.
struct Pcm {
    rate: u32,
    samples: Vec<f32>,
}

impl Pcm {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn source(&self) -> rodio::buffer::SamplesBuffer {
        let rate = NonZero::new(self.rate).unwrap_or(NonZero::<u32>::MIN);
        rodio::buffer::SamplesBuffer::new(NonZero::<u16>::MIN, rate, self.samples.clone())
    }
}

/// Reads one of our own files: 16 bit, mono, with the shortest header (`xtask/src/sounds.rs` writes them).
fn samples(file: &[u8]) -> Option<Pcm> {
    let rate = u32::from_le_bytes(file.get(24..28)?.try_into().ok()?);
    let samples = file
        .get(44..)?
        .chunks_exact(2)
        .map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])) / f32::from(i16::MAX))
        .collect();
    Some(Pcm { rate, samples })
}

fn tone(tone: Tone) -> &'static [u8] {
    match tone {
        Tone::Calm => sound!("ring-calm"),
        Tone::Dynamic => sound!("ring-dynamic"),
        Tone::Urgent => sound!("ring-urgent"),
        Tone::Cheerful => sound!("ring-cheerful"),
        Tone::Harbour => sound!("ring-harbour"),
        Tone::Lantern => sound!("ring-lantern"),
    }
}

fn sound(cue: Cue) -> &'static [u8] {
    match cue {
        Cue::JoinSelf => sound!("join-self"),
        Cue::JoinOther => sound!("join"),
        Cue::Leave => sound!("leave"),
        Cue::Mute => sound!("mute"),
        Cue::Unmute => sound!("unmute"),
        Cue::Hand => sound!("hand"),
        Cue::Share => sound!("share"),
        Cue::Record => sound!("record"),
        Cue::Message => sound!("message"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn all_sounds_are_there_and_of_bearable_length() {
        for (file, most) in Tone::ALL
            .into_iter()
            .map(|one| (tone(one), 6.0))
            .chain(Cue::ALL.into_iter().map(|one| (sound(one), 1.0)))
        {
            let pcm = samples(file).unwrap();
            let seconds = pcm.len() as f64 / f64::from(pcm.rate);
            assert!((0.1..=most).contains(&seconds), "{seconds}");
            assert_eq!(pcm.rate, 24_000);
        }
    }

    #[test]
    fn a_stop_ends_the_wait_at_once_even_if_it_came_first() {
        let stop = Arc::new(Stop::default());
        stop.stop();
        let begun = Instant::now();
        stop.wait(Duration::from_secs(60));
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
