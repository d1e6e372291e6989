//! Devices without hardware: any signal as a microphone, a recorder as a loudspeaker, and a script that plugs,
//! unplugs, stalls and refuses them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use calls_core::command::DeviceRole;
use calls_core::id::DeviceId;
use calls_core::port::media::DeviceProblem;
use calls_core::snapshot::DeviceRow;

use super::signal::Signal;
use super::{AudioHost, AudioSink, AudioSource, Devices, Fault, Format};
use crate::block::RATE;
use crate::error::MediaError;

/// Format of all fake devices.
const FORMAT: Format = Format {
    rate: RATE,
    channels: 1,
};
/// A fake loudspeaker holds so many samples, 20 ms: as a real one.
const AHEAD: u64 = RATE as u64 / 50;
/// A fake microphone keeps so many samples, 1 s, before it drops the oldest.
const KEPT: u64 = RATE as u64;
/// A recording stops growing here: 10 minutes.
const LONGEST: usize = 600 * RATE as usize;

/// The state of what other programs play is kept under this name.
const PLAYED: &str = "(other programs)";

/// A scripted set of devices. Clones share the devices.
#[derive(Clone)]
pub struct FakeHost {
    world: Arc<Mutex<World>>,
}

struct World {
    clock: Clock,
    rows: Vec<DeviceRow>,
    state: BTreeMap<DeviceId, State>,
    acoustic: bool,
}

enum Clock {
    Real(Instant),
    Stepped(Duration),
}

#[derive(Default)]
struct State {
    signal: Signal,
    recording: Vec<f32>,
    refuse: Option<DeviceProblem>,
    stalled: bool,
    /// Counts pluggings: an end that was opened before the last one is dead.
    generation: u32,
    opened: u32,
}

impl Default for FakeHost {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeHost {
    /// No devices yet; time is real.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Clock::Real(Instant::now()))
    }

    /// No devices yet; time stands still until [`FakeHost::advance`].
    #[must_use]
    pub fn stepped() -> Self {
        Self::with(Clock::Stepped(Duration::ZERO))
    }

    /// One microphone `mic` with this signal and one loudspeaker `speaker`, both the system's defaults.
    #[must_use]
    pub fn with_signal(signal: Signal) -> Self {
        let host = Self::new();
        host.plug(DeviceRole::Input, "mic", true);
        host.plug(DeviceRole::Output, "speaker", true);
        host.set_signal("mic", signal);
        host
    }

    fn with(clock: Clock) -> Self {
        Self {
            world: Arc::new(Mutex::new(World {
                clock,
                rows: Vec::new(),
                state: BTreeMap::new(),
                acoustic: false,
            })),
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass (stepped hosts only).
    pub fn advance(&self, by: Duration) {
        if let Clock::Stepped(now) = &mut self.world().clock {
            *now += by;
        }
    }

    /// Adds a device; its name is the same as its identity.
    pub fn plug(&self, role: DeviceRole, id: &str, is_default: bool) {
        let mut world = self.world();
        if is_default {
            for row in world.rows.iter_mut().filter(|row| row.role == role) {
                row.is_default = false;
            }
        }
        world.rows.retain(|row| row.id.as_str() != id);
        world.rows.push(DeviceRow {
            id: id.into(),
            name: id.to_owned(),
            role,
            is_default,
        });
        world.state.entry(id.into()).or_default().generation += 1;
    }

    /// Takes a device away; ends that are open on it are dead.
    pub fn unplug(&self, id: &str) {
        let mut world = self.world();
        world.rows.retain(|row| row.id.as_str() != id);
        world.state.entry(id.into()).or_default().generation += 1;
    }

    /// What other programs play.
    pub fn set_played(&self, signal: Signal) {
        self.set_signal(PLAYED, signal);
    }

    /// What a microphone captures.
    pub fn set_signal(&self, id: &str, signal: Signal) {
        self.world().state.entry(id.into()).or_default().signal = signal;
    }

    /// Lets opening fail, or not any more.
    pub fn set_refusal(&self, id: &str, problem: Option<DeviceProblem>) {
        self.world().state.entry(id.into()).or_default().refuse = problem;
    }

    /// Lets a device deliver nothing without saying why, or go on.
    pub fn set_stalled(&self, id: &str, stalled: bool) {
        self.world().state.entry(id.into()).or_default().stalled = stalled;
    }

    /// Whether the devices count as microphones and loudspeakers in a room (default: no).
    pub fn set_acoustic(&self, acoustic: bool) {
        self.world().acoustic = acoustic;
    }

    /// What a loudspeaker has played so far: mono, 48 kHz, silence where nothing was written in time.
    #[must_use]
    pub fn recording(&self, id: &str) -> Vec<f32> {
        self.world()
            .state
            .get(&DeviceId::from(id))
            .map(|state| state.recording.clone())
            .unwrap_or_default()
    }

    /// How often a device was opened.
    #[must_use]
    pub fn times_opened(&self, id: &str) -> u32 {
        self.world()
            .state
            .get(&DeviceId::from(id))
            .map_or(0, |state| state.opened)
    }

    fn open(&self, role: DeviceRole, id: &DeviceId) -> Result<End, MediaError> {
        let mut world = self.world();
        if !world
            .rows
            .iter()
            .any(|row| row.id == *id && row.role == role)
        {
            return Err(MediaError::Missing);
        }
        let start = world.frames();
        let state = world.state.entry(id.clone()).or_default();
        match state.refuse {
            Some(DeviceProblem::Missing) => return Err(MediaError::Missing),
            Some(DeviceProblem::Denied) => return Err(MediaError::Denied),
            Some(DeviceProblem::Busy) => return Err(MediaError::Busy(None)),
            None => {}
        }
        state.opened += 1;
        Ok(End {
            host: self.clone(),
            id: id.clone(),
            generation: state.generation,
            start,
            moved: 0,
            lost: 0,
        })
    }
}

impl World {
    /// Time in frames since the host was made.
    fn frames(&self) -> u64 {
        let now = match &self.clock {
            Clock::Real(start) => start.elapsed(),
            Clock::Stepped(now) => *now,
        };
        (now.as_micros() * u128::from(RATE) / 1_000_000) as u64
    }
}

impl AudioHost for FakeHost {
    fn devices(&self) -> Devices {
        Devices {
            rows: self.world().rows.clone(),
        }
    }

    fn open_source(&self, id: &DeviceId) -> Result<Box<dyn AudioSource>, MediaError> {
        Ok(Box::new(FakeSource(self.open(DeviceRole::Input, id)?)))
    }

    fn open_sink(&self, id: &DeviceId) -> Result<Box<dyn AudioSink>, MediaError> {
        Ok(Box::new(FakeSink(self.open(DeviceRole::Output, id)?)))
    }

    fn is_acoustic(&self) -> bool {
        self.world().acoustic
    }

    fn has_played(&self) -> bool {
        self.world().state.contains_key(&DeviceId::from(PLAYED))
    }

    fn open_played(&self) -> Result<Box<dyn AudioSource>, MediaError> {
        let mut world = self.world();
        let start = world.frames();
        let id = DeviceId::from(PLAYED);
        let state = world.state.get_mut(&id).ok_or(MediaError::Missing)?;
        state.opened += 1;
        Ok(Box::new(FakeSource(End {
            host: self.clone(),
            generation: state.generation,
            id,
            start,
            moved: 0,
            lost: 0,
        })))
    }
}

struct End {
    host: FakeHost,
    id: DeviceId,
    generation: u32,
    start: u64,
    /// Samples read or written.
    moved: u64,
    lost: u64,
}

impl End {
    fn fault(&self) -> Option<Fault> {
        let world = self.host.world();
        let state = world.state.get(&self.id)?;
        (state.generation != self.generation).then_some(Fault::Gone)
    }
}

struct FakeSource(End);

impl AudioSource for FakeSource {
    fn format(&self) -> Format {
        FORMAT
    }

    fn read(&mut self, pcm: &mut [f32]) -> usize {
        let end = &mut self.0;
        let world = end.host.world();
        let Some(state) = world.state.get(&end.id) else {
            return 0;
        };
        if state.stalled || state.generation != end.generation {
            return 0;
        }
        let mut there = (world.frames() - end.start).saturating_sub(end.moved);
        if there > KEPT {
            end.lost += there - KEPT;
            end.moved += there - KEPT;
            there = KEPT;
        }
        let n = pcm.len().min(there as usize);
        for (k, sample) in pcm[..n].iter_mut().enumerate() {
            *sample = state.signal.sample(end.moved + k as u64);
        }
        end.moved += n as u64;
        n
    }

    fn fault(&self) -> Option<Fault> {
        self.0.fault()
    }

    fn overruns(&self) -> u64 {
        self.0.lost
    }
}

struct FakeSink(End);

impl AudioSink for FakeSink {
    fn format(&self) -> Format {
        FORMAT
    }

    fn room(&self) -> usize {
        let end = &self.0;
        let world = end.host.world();
        match world.state.get(&end.id) {
            Some(state) if !state.stalled && state.generation == end.generation => {
                let wanted = world.frames() - end.start + AHEAD;
                wanted.saturating_sub(end.moved) as usize
            }
            _ => 0,
        }
    }

    fn write(&mut self, pcm: &[f32]) -> usize {
        let room = self.room();
        let end = &mut self.0;
        let mut world = end.host.world();
        let played = world.frames() - end.start;
        let Some(state) = world.state.get_mut(&end.id) else {
            return 0;
        };
        let mut record = |pcm: &[f32]| {
            let n = pcm.len().min(LONGEST - state.recording.len());
            state.recording.extend_from_slice(&pcm[..n]);
        };
        // What should have been played by now and was not, was silence.
        if end.moved > 0 && played > end.moved {
            let missing = played - end.moved;
            end.lost += missing;
            end.moved += missing;
            record(&vec![0.0; (missing as usize).min(LONGEST)]);
        }
        let n = pcm.len().min(room);
        record(&pcm[..n]);
        end.moved += n as u64;
        n
    }

    fn fault(&self) -> Option<Fault> {
        self.0.fault()
    }

    fn underruns(&self) -> u64 {
        self.0.lost
    }
}
