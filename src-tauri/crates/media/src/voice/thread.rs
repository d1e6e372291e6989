//! The voice thread: moves whole blocks between the device ends and the engine, both ways, whenever a device has taken or
//! brought some.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use calls_core::command::DeviceRole;
use calls_core::effect::TrialStep;
use calls_core::id::{DeviceId, SessionId, TrackId};
use calls_core::port::media::{
    DeviceProblem, Feedback, FrameOutlet, MediaEvent, MediaKind, MediaPacket, RemoteTrack,
};
use calls_core::snapshot::Sound;
use rtrb::Consumer;

use super::dump::Dump;
use super::ends::End;
use super::handle::{MediaEventSink, Shared, VoiceConfig};
use super::level::Meter;
use super::mixer::Volume;
use super::resample::{FromBlocks, ToBlocks};
use super::{Track, VoiceEngine};
use crate::block::{BLOCK, Block, RATE};
use crate::device::{AudioHost, AudioSink, AudioSource, Devices};
use crate::error::MediaError;

/// What the thread is told. Rare: sound itself never comes this way.
pub(super) enum Control {
    OpenTrack {
        track: RemoteTrack,
        packets: Consumer<MediaPacket>,
        meter: Arc<Meter>,
        volume: Volume,
    },
    CloseTrack(TrackId),
    Outlet(Option<Box<dyn FrameOutlet>>),
    Feedback(Feedback),
    Choose(DeviceRole, Option<DeviceId>),
    Volume(SessionId, MediaKind, Volume),
    Sound(Sound),
    Deafen(bool),
    TestTone,
    Trial(TrialStep),
    Dump(bool),
    Devices(Devices),
    /// Close both ends; whoever wants them opens them anew.
    Rest,
    /// Something shared has changed: look.
    Wake,
    Stop,
}

/// Between two looks at devices that cannot wake us. Longer, and their buffers must hold more; shorter, and the machine
/// wakes for nothing.
const TICK: Duration = Duration::from_micros(2_500);
/// The same where all open ones wake us: only faults and wishes are looked for.
const WATCH: Duration = Duration::from_millis(20);
/// The same while nothing is open.
const IDLE: Duration = Duration::from_millis(500);
/// At most so many blocks in one go each way, 1 s: after a long sleep the other way must get its turn too.
const BURST: usize = 100;
/// Figures are published so often.
const PUBLISH: Duration = Duration::from_millis(50);

pub(super) struct VoiceThread {
    host: Arc<dyn AudioHost>,
    shared: Arc<Shared>,
    events: MediaEventSink,
    engine: VoiceEngine,
    /// `None` until the first list came.
    devices: Option<Devices>,
    /// Asks the lister to look now.
    list: SyncSender<()>,
    input: End<Capture>,
    output: End<Playout>,
    dumps: Option<PathBuf>,
    outlet: Option<Box<dyn FrameOutlet>>,
    inlets: Vec<(TrackId, Consumer<MediaPacket>)>,
    /// Up to when the microphone's time has been accounted for, while it is not captured.
    captured_until: Instant,
    /// Up to when playout has been pulled by the clock, while there is no loudspeaker.
    played_until: Instant,
    block: Block,
    pcm: Vec<f32>,
    frames_out: u64,
    frames_dropped: u64,
    overruns: u64,
    underruns: u64,
    published: Instant,
    /// Whether somebody talks at the microphone, as last told.
    talking: bool,
}

struct Capture {
    source: Box<dyn AudioSource>,
    to: ToBlocks,
    overruns: u64,
    /// Samples that went by without being read.
    gone: u64,
    /// It wakes us when it brings something.
    woken: bool,
}

struct Playout {
    sink: Box<dyn AudioSink>,
    from: FromBlocks,
    underruns: u64,
    /// It wakes us when it takes something.
    woken: bool,
}

impl VoiceThread {
    pub(super) fn new(
        host: Arc<dyn AudioHost>,
        shared: Arc<Shared>,
        config: VoiceConfig,
        events: MediaEventSink,
        list: SyncSender<()>,
    ) -> Result<Self, MediaError> {
        let sound = treatable(host.as_ref(), config.sound);
        let now = Instant::now();
        Ok(Self {
            engine: VoiceEngine::new(sound, shared.gate.clone(), Arc::clone(&shared.input))?,
            host,
            shared,
            events,
            devices: None,
            list,
            input: End::new(DeviceRole::Input, config.input),
            output: End::new(DeviceRole::Output, config.output),
            dumps: config.dumps,
            outlet: None,
            inlets: Vec::new(),
            captured_until: now,
            played_until: now,
            block: Block::SILENCE,
            pcm: Vec::new(),
            frames_out: 0,
            frames_dropped: 0,
            overruns: 0,
            underruns: 0,
            published: now,
            talking: false,
        })
    }

    pub(super) fn run(mut self, controls: &Receiver<Control>) {
        let _guard = PanicGuard(Arc::clone(&self.events));
        super::priority::raise();
        let _ = self.shared.thread.set(std::thread::current());
        let mut next = Instant::now();
        loop {
            // All that has come, before sound moves again.
            loop {
                match controls.try_recv() {
                    Ok(Control::Stop) | Err(TryRecvError::Disconnected) => return,
                    Ok(control) => self.control(control),
                    Err(TryRecvError::Empty) => break,
                }
            }
            let pause = self.tick(Instant::now());
            let now = Instant::now();
            // Keep the beat, but neither catch up with it after a stall nor finish a sleep that was cut short.
            next = (next + pause).clamp(now, now + pause);
            std::thread::park_timeout(next - now);
        }
    }

    fn control(&mut self, control: Control) {
        match control {
            Control::OpenTrack {
                track,
                packets,
                meter,
                volume,
            } => match Track::new(track.id.clone(), track.session, volume, meter)
                .map(|made| made.carrying(track.kind))
            {
                Ok(made) => {
                    if self.engine.has_no_tracks() {
                        self.played_until = Instant::now();
                    }
                    self.engine.open_track(made);
                    self.inlets.retain(|(id, _)| *id != track.id);
                    self.inlets.push((track.id, packets));
                }
                Err(error) => tracing::error!(%error, "a remote track cannot be heard"),
            },
            Control::CloseTrack(id) => {
                self.engine.close_track(&id);
                self.inlets.retain(|(inlet, _)| *inlet != id);
            }
            Control::Outlet(outlet) => self.outlet = outlet,
            Control::Feedback(Feedback::VoiceLoss { share, congested }) => {
                self.engine.set_loss(share, congested);
            }
            Control::Feedback(Feedback::KeyFrame(_) | Feedback::Budget(_)) => {}
            Control::Choose(DeviceRole::Input, device) => self.input.choose(device),
            Control::Choose(DeviceRole::Output, device) => self.output.choose(device),
            Control::Volume(session, kind, volume) => {
                self.engine.set_volume(&session, kind, volume);
            }
            Control::Sound(sound) => {
                let sound = treatable(self.host.as_ref(), sound);
                self.engine.set_sound(sound);
            }
            Control::Deafen(deafened) => self.engine.set_deafened(deafened),
            Control::TestTone => self.engine.play_melody(),
            Control::Trial(step) => self.engine.try_out(step),
            Control::Dump(on) => {
                let dump = self.dumps.as_deref().filter(|_| on).and_then(Dump::begin);
                self.engine.set_dump(dump);
            }
            Control::Devices(devices) => {
                (self.events)(MediaEvent::Devices(devices.rows.clone()));
                self.devices = Some(devices);
            }
            Control::Rest => {
                let now = Instant::now();
                self.update_input(now, false);
                self.update_output(now, false);
            }
            Control::Wake | Control::Stop => {}
        }
    }

    /// Moves what there is; says how long nothing happens unless somebody wakes us.
    fn tick(&mut self, now: Instant) -> Duration {
        let want_input = self.shared.want_input.load(Ordering::Acquire);
        let want_output = self.shared.want_output.load(Ordering::Acquire);
        self.update_input(now, want_input);
        self.update_output(now, want_output);
        self.capture(now);
        for (id, packets) in &mut self.inlets {
            while let Ok(packet) = packets.pop() {
                self.engine.push(id, packet);
            }
        }
        self.play(now);
        let busy = want_input || want_output || !self.inlets.is_empty();
        if now.saturating_duration_since(self.published) >= PUBLISH || !busy {
            self.published = now;
            self.publish();
            let talking = self.shared.input.speaking();
            if talking != self.talking {
                self.talking = talking;
                (self.events)(MediaEvent::Talking(talking));
            }
        }
        if !busy {
            IDLE
        } else if self.is_woken() {
            WATCH
        } else {
            TICK
        }
    }

    /// Whether sound comes and goes with a call for us: both ends are open, and wake us.
    fn is_woken(&mut self) -> bool {
        let input = self.input.port().map(|capture| capture.woken);
        let output = self.output.port().map(|playout| playout.woken);
        // Without a loudspeaker tracks are played to nobody, by the clock.
        input.unwrap_or(true) && output.unwrap_or(self.inlets.is_empty())
    }

    fn update_input(&mut self, now: Instant, wanted: bool) {
        let was_open = self.input.is_open();
        let (true, Some(devices)) = (wanted, &self.devices) else {
            if was_open {
                self.input.close();
                self.captured_until = now;
                self.shared.input.clear();
            }
            return;
        };
        let host = &self.host;
        let events = &self.events;
        let changed = self.input.update(
            now,
            devices,
            |capture| capture.source.fault(),
            |id| {
                let mut source = host.open_source(id)?;
                let to = ToBlocks::new(source.format())?;
                Ok(Capture {
                    woken: source.wake(std::thread::current()),
                    source,
                    to,
                    overruns: 0,
                    gone: 0,
                })
            },
            &mut |event| events(event),
        );
        if changed {
            self.after_change();
            if was_open {
                self.captured_until = now;
            }
            if self.input.is_open() {
                // The network's clock went on while nothing was captured.
                let gap = Instant::now().saturating_duration_since(self.captured_until);
                self.engine
                    .skip_capture((gap.as_micros() * u128::from(RATE) / 1_000_000) as u64);
            }
        }
    }

    fn update_output(&mut self, now: Instant, wanted: bool) {
        let was_open = self.output.is_open();
        let (true, Some(devices)) = (wanted, &self.devices) else {
            if was_open {
                self.output.close();
                self.played_until = now;
            }
            return;
        };
        let host = &self.host;
        let events = &self.events;
        let changed = self.output.update(
            now,
            devices,
            |playout| playout.sink.fault(),
            |id| {
                let mut sink = host.open_sink(id)?;
                let from = FromBlocks::new(sink.format())?;
                Ok(Playout {
                    woken: sink.wake(std::thread::current()),
                    sink,
                    from,
                    underruns: 0,
                })
            },
            &mut |event| events(event),
        );
        if changed {
            self.after_change();
            if was_open {
                self.played_until = now;
            }
        }
    }

    fn after_change(&mut self) {
        let most = self.input.port().map_or(0, |capture| {
            // The need varies by a frame or two when rates differ.
            capture.to.needed() * 2 + 64
        });
        if self.pcm.len() < most {
            self.pcm.resize(most, 0.0);
        }
        // What made it change may have changed the list too. If the lister has been asked already, that will do.
        let _ = self.list.try_send(());
    }

    fn capture(&mut self, now: Instant) {
        let gate_open = self.shared.gate.is_open();
        // The loudspeaker wakes us for every block; of who is muted that will do for the meter.
        let often = self.output.port().is_some_and(|playout| playout.woken);
        let patient = often && !gate_open && self.engine.rests();
        let Some(capture) = self.input.port() else {
            return;
        };
        capture.source.set_patient(patient);
        if gate_open {
            capture.source.gate_opened();
        }
        let mut moved = false;
        for _ in 0..BURST {
            let needed = capture.to.needed().min(self.pcm.len());
            let n = capture.source.read(&mut self.pcm[..needed]);
            if n == 0 {
                break;
            }
            moved = true;
            if !capture.to.push(&self.pcm[..n], &mut self.block) {
                continue;
            }
            if let Some(frame) = self.engine.capture(&mut self.block)
                && let Some(outlet) = &mut self.outlet
            {
                if outlet.try_send(frame) {
                    self.frames_out += 1;
                } else {
                    self.frames_dropped += 1;
                }
            }
        }
        let overruns = capture.source.overruns();
        self.overruns += overruns - capture.overruns;
        capture.overruns = overruns;
        let gone = overruns + capture.source.let_go();
        if gone > capture.gone {
            let format = capture.source.format();
            let frames = (gone - capture.gone) / u64::from(format.channels.max(1));
            capture.gone = gone;
            self.engine
                .skip_capture(frames * u64::from(RATE) / u64::from(format.rate.max(1)));
        }
        if moved {
            self.input.moved(now);
        }
    }

    fn play(&mut self, now: Instant) {
        let events = &self.events;
        let first = |session: &SessionId| events(MediaEvent::FirstAudio(session.clone()));
        let Some(playout) = self.output.port() else {
            if self.engine.has_no_tracks() {
                return;
            }
            // Nobody listens, but statistics, meters and first sounds shall still be true.
            const TEN_MS: Duration = Duration::from_millis(10);
            if now.saturating_duration_since(self.played_until) > TEN_MS * BURST as u32 {
                self.played_until = now;
            }
            while self.played_until + TEN_MS <= now {
                self.played_until += TEN_MS;
                self.engine.render(&mut self.block, first);
            }
            return;
        };
        let mut moved = false;
        for _ in 0..BURST {
            if playout.sink.room() < playout.from.yields() {
                break;
            }
            moved = true;
            self.engine.render(&mut self.block, first);
            playout.sink.write(playout.from.convert(&self.block));
        }
        let underruns = playout.sink.underruns();
        self.underruns += underruns - playout.underruns;
        playout.underruns = underruns;
        if moved {
            self.output.moved(now);
        }
    }

    fn publish(&mut self) {
        // A reader holds it for a copy; if just now, the next time will do.
        let Ok(mut figures) = self.shared.figures.try_lock() else {
            return;
        };
        self.engine.figures(&mut figures);
        figures.frames_out = self.frames_out;
        figures.frames_dropped = self.frames_dropped;
        figures.capture_overruns = self.overruns;
        figures.playout_underruns = self.underruns;
    }
}

/// Files and tones have neither echo nor noise, and music is wanted as it is: only loudness can be changed.
fn treatable(host: &dyn AudioHost, sound: Sound) -> Sound {
    if host.is_acoustic() && !sound.original {
        sound
    } else {
        sound.untreated()
    }
}

/// Tells that there is no sound any more if the thread dies of a bug.
struct PanicGuard(MediaEventSink);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for role in [DeviceRole::Input, DeviceRole::Output] {
                (self.0)(MediaEvent::Unavailable(role, DeviceProblem::Busy));
            }
        }
    }
}

/// Locks that nobody holds while panicking are not poisoned; if one is, its value is still good.
pub(super) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const _: () = assert!(BLOCK as u32 * 100 == RATE, "a block is 10 ms");
