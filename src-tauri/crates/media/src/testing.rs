//! Contract tests that every [`AudioHost`] must pass, and what tests of sound need everywhere: an ear and a wire.
//! The contracts panic when a host breaks them: that is their purpose.
//!
//! `pass` lets time go by: a sleep for hosts that keep real time, a step for the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use calls_core::command::DeviceRole;
use calls_core::id::DeviceId;
use calls_core::port::media::{EncodedFrame, FrameOutlet, MediaPacket, PacketInlet};

use crate::device::AudioHost;
use crate::error::MediaError;
use crate::voice::resample::{CHANNELS, RATES};

/// Identities are unique per role, names are there, and at most one device per role is the default.
///
/// # Panics
/// If the host breaks the contract.
pub fn lists_are_sound(host: &dyn AudioHost) {
    let devices = host.devices();
    for role in [DeviceRole::Input, DeviceRole::Output] {
        let ids: Vec<_> = devices.of(role).map(|row| &row.id).collect();
        for (n, id) in ids.iter().enumerate() {
            assert!(!id.is_empty(), "a device without identity");
            assert!(!ids[..n].contains(id), "{id} is listed twice");
        }
        assert!(
            devices.of(role).filter(|row| row.is_default).count() <= 1,
            "two defaults"
        );
        assert!(devices.of(role).all(|row| !row.name.is_empty()));
    }
    assert_eq!(host.devices(), devices, "the list changes by itself");
}

/// An unknown device is [`MediaError::Missing`], not a crash and not another device.
///
/// # Panics
/// If the host breaks the contract.
pub fn unknown_devices_are_missing(host: &dyn AudioHost) {
    let id = DeviceId::from("no such device");
    assert!(matches!(host.open_source(&id), Err(MediaError::Missing)));
    assert!(matches!(host.open_sink(&id), Err(MediaError::Missing)));
}

/// The default microphone delivers sound in whole frames, in real time within a tenth, and never blocks.
///
/// # Panics
/// If the host breaks the contract, or has no microphone.
pub fn sources_keep_time(host: &dyn AudioHost, mut pass: impl FnMut(Duration)) {
    let devices = host.devices();
    let row = devices.default_of(DeviceRole::Input);
    assert!(row.is_some(), "no microphone to test with");
    let Some(row) = row else { return };
    let opened = host.open_source(&row.id);
    assert!(opened.is_ok(), "{:?}", opened.err());
    let Ok(mut source) = opened else { return };
    let format = source.format();
    assert!(RATES.contains(&format.rate) && (1..=CHANNELS).contains(&format.channels));
    let mut pcm = vec![0.0; format.rate as usize * usize::from(format.channels)];
    // The beginning may be late (PulseAudio's virtual devices first finish a block of two seconds) and lumpy.
    let mut lumps = 0;
    for _ in 0..400 {
        pass(Duration::from_millis(10));
        lumps += usize::from(source.read(&mut pcm) > 0);
        if lumps > 20 {
            break;
        }
    }
    let mut read = 0;
    for _ in 0..100 {
        pass(Duration::from_millis(10));
        let n = source.read(&mut pcm);
        assert_eq!(n % usize::from(format.channels), 0, "half a frame");
        assert!(pcm[..n].iter().all(|s| s.is_finite()));
        read += n / usize::from(format.channels);
        assert_eq!(source.fault(), None);
    }
    // What was lost because we slept too long on a busy machine counts as delivered.
    let lost = source.overruns() as f64 / f64::from(format.channels);
    let seconds = (read as f64 + lost) / f64::from(format.rate);
    // A sleep may take longer than asked for, never shorter.
    assert!(seconds > 0.9, "only {seconds:.2} s of sound in a second");
}

/// The default loudspeaker takes sound in real time within a tenth once it is full, and takes what it has room for.
///
/// # Panics
/// If the host breaks the contract, or has no loudspeaker.
pub fn sinks_keep_time(host: &dyn AudioHost, mut pass: impl FnMut(Duration)) {
    let devices = host.devices();
    let row = devices.default_of(DeviceRole::Output);
    assert!(row.is_some(), "no loudspeaker to test with");
    let Some(row) = row else { return };
    let opened = host.open_sink(&row.id);
    assert!(opened.is_ok(), "{:?}", opened.err());
    let Ok(mut sink) = opened else { return };
    let format = sink.format();
    assert!(RATES.contains(&format.rate) && (1..=CHANNELS).contains(&format.channels));
    let channels = usize::from(format.channels);
    let second = format.rate as usize * channels;
    let silence = vec![0.0; second];
    let mut step = || {
        pass(Duration::from_millis(10));
        let room = sink.room();
        assert!(room <= second, "a sink that wants more than a second");
        let whole = room - room % channels;
        let n = sink.write(&silence[..whole]);
        assert_eq!(n, whole, "a sink must take what it has room for");
        assert_eq!(sink.fault(), None);
        n
    };
    // The beginning may be slow: PulseAudio's virtual sinks first finish a block of two seconds.
    let mut warm = 0;
    for _ in 0..400 {
        warm += step();
        if warm > second / 4 {
            break;
        }
    }
    let written: usize = (0..100).map(|_| step()).sum();
    let seconds = written as f64 / second as f64;
    assert!(seconds > 0.9, "only {seconds:.2} s of sound in a second");
}

/// Ends can be closed and opened again at once, and both roles at the same time.
///
/// # Panics
/// If the host breaks the contract.
pub fn ends_reopen(host: &dyn AudioHost) {
    let devices = host.devices();
    for _ in 0..3 {
        let source = devices
            .default_of(DeviceRole::Input)
            .map(|row| host.open_source(&row.id));
        let sink = devices
            .default_of(DeviceRole::Output)
            .map(|row| host.open_sink(&row.id));
        assert!(source.is_none_or(|opened| opened.is_ok()));
        assert!(sink.is_none_or(|opened| opened.is_ok()));
    }
}

/// How much of `pcm` (48 kHz) lies at the strongest frequency between `low` and `high` hertz, and which it is, to a
/// tenth of a hertz for a second of sound.
#[must_use]
pub fn dominant(pcm: &[f32], low: f64, high: f64) -> Dominant {
    let energy: f64 = pcm.iter().map(|s| f64::from(s * s)).sum();
    let power = |hz: f64| {
        // Goertzel, as a rotating phasor.
        let step = hz * std::f64::consts::TAU / 48_000.0;
        let (cos, sin) = (step.cos(), step.sin());
        let (mut re, mut im, mut c, mut s) = (0.0, 0.0, 1.0, 0.0);
        for sample in pcm {
            re += f64::from(*sample) * c;
            im += f64::from(*sample) * s;
            (c, s) = (c * cos - s * sin, s * cos + c * sin);
        }
        (re * re + im * im) * 2.0 / pcm.len().max(1) as f64
    };
    // Half a bin first, then finer around the best.
    let bin = 24_000.0 / pcm.len().max(1) as f64;
    let search = |from: f64, to: f64, step: f64| {
        let mut best = (from, 0.0);
        let mut hz = from;
        while hz <= to {
            let found = power(hz);
            if found > best.1 {
                best = (hz, found);
            }
            hz += step;
        }
        best
    };
    let (near, _) = search(low, high, bin.max(0.5));
    let (hz, found) = search(
        near - bin.max(0.5),
        near + bin.max(0.5),
        bin.max(0.5) / 10.0,
    );
    Dominant {
        hz,
        share: if energy > 0.0 { found / energy } else { 0.0 },
        rms: (energy / pcm.len().max(1) as f64).sqrt(),
    }
}

/// What [`dominant`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dominant {
    /// Hertz.
    pub hz: f64,
    /// Share of the energy, 0..1.
    pub share: f64,
    /// Root mean square of the whole, 0..1.
    pub rms: f64,
}

/// A network without a network: frames that go in come out as packets of another engine's track at once.
pub struct Wire {
    inlet: Box<dyn PacketInlet>,
    seq: u16,
    passed: Arc<AtomicU64>,
}

impl Wire {
    /// A wire into this inlet.
    #[must_use]
    pub fn new(inlet: Box<dyn PacketInlet>) -> Self {
        Self {
            inlet,
            seq: 0,
            passed: Arc::default(),
        }
    }

    /// Counts the frames that have passed.
    #[must_use]
    pub fn passed(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.passed)
    }
}

impl FrameOutlet for Wire {
    fn try_send(&mut self, frame: EncodedFrame) -> bool {
        self.passed.fetch_add(1, Ordering::Relaxed);
        self.seq = self.seq.wrapping_add(1);
        self.inlet.push(MediaPacket {
            seq: self.seq,
            rtp_time: frame.rtp_time,
            marker: frame.talk_start,
            arrived: Instant::now(),
            data: frame.data,
        })
    }
}
