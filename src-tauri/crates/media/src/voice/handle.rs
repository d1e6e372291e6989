//! [`Voice`]: the voice thread as everybody else sees it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{JoinHandle, Thread};

use calls_core::command::DeviceRole;
use calls_core::effect::TrialStep;
use calls_core::id::{DeviceId, SessionId, TrackId};
use calls_core::port::media::{
    DeviceProblem, Feedback, FrameOutlet, MediaEvent, MediaKind, MediaPacket, MediaPort,
    PacketInlet, RemoteTrack, VoiceFigures,
};
use calls_core::snapshot::{Levels, Sound};
use rtrb::{Producer, RingBuffer};

use super::gate::GateSwitch;
use super::level::Meter;
use super::lister::list_devices;
use super::mixer::Volume;
use super::thread::{Control, VoiceThread, lock};
use crate::device::AudioHost;

/// Where the engine reports to. Called on the voice thread: must not block.
pub type MediaEventSink = Arc<dyn Fn(MediaEvent) + Send + Sync>;

/// How the engine starts.
#[derive(Clone, Debug, Default)]
pub struct VoiceConfig {
    /// Chosen microphone; `None` follows the system.
    pub input: Option<DeviceId>,
    /// Chosen loudspeaker; `None` follows the system.
    pub output: Option<DeviceId>,
    /// What is done to the sound. Files and tones are never processed.
    pub sound: Sound,
    /// The folder for the files of [`Voice::dump`]; `None`: nowhere.
    pub dumps: Option<PathBuf>,
}

/// Packets that may wait between the network and the voice thread, per track: 1.3 s at 20 ms. When full, the newest
/// is dropped, and the jitter buffer conceals.
const INLET: usize = 64;

/// Orders that may wait for the voice thread, which each of them wakes. When full, the sender waits: an order must not get
/// lost.
const CONTROLS: usize = 1_024;

/// What both sides touch.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) gate: GateSwitch,
    pub(super) want_input: AtomicBool,
    pub(super) want_output: AtomicBool,
    pub(super) stopped: AtomicBool,
    /// The microphone's meter.
    pub(super) input: Arc<Meter>,
    pub(super) figures: Mutex<VoiceFigures>,
    /// The voice thread writes to the meters, never to this list.
    tracks: Mutex<Vec<(RemoteTrack, Arc<Meter>)>>,
    volumes: Mutex<BTreeMap<SessionId, Volume>>,
    /// Of the sound of shared screens.
    share_volumes: Mutex<BTreeMap<SessionId, Volume>>,
    /// The voice thread, once it runs.
    pub(super) thread: OnceLock<Thread>,
}

impl Shared {
    /// The voice thread looks at once.
    pub(super) fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// The way to tell the voice thread something.
#[derive(Clone)]
pub(super) struct Controls {
    queue: SyncSender<Control>,
    shared: Arc<Shared>,
}

impl Controls {
    /// Tells it; false if the thread is gone.
    pub(super) fn send(&self, control: Control) -> bool {
        let sent = self.queue.send(control).is_ok();
        self.shared.wake();
        sent
    }
}

/// The voice engine on its thread. Dropping it stops the thread too.
pub struct Voice {
    shared: Arc<Shared>,
    controls: Controls,
    list: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Voice {
    /// Starts the thread and returns at once. Devices are listed soon (`MediaEvent::Devices`); none is opened yet.
    #[must_use]
    pub fn start(host: Arc<dyn AudioHost>, config: VoiceConfig, events: MediaEventSink) -> Self {
        let shared = Arc::new(Shared::default());
        let (queue, inbox) = sync_channel(CONTROLS);
        let controls = Controls {
            queue,
            shared: Arc::clone(&shared),
        };
        let (list, wake) = sync_channel(1);
        // Ends by itself: when the voice thread is gone, or with the flag. Not joined, because a sound server that
        // hangs would hang us.
        let lister = {
            let (host, shared, voice) = (Arc::clone(&host), Arc::clone(&shared), controls.clone());
            std::thread::Builder::new()
                .name("halloo-devices".into())
                .spawn(move || list_devices(&host, &shared, &wake, &voice))
        };
        let thread = {
            let (shared, events, list) = (Arc::clone(&shared), Arc::clone(&events), list.clone());
            std::thread::Builder::new()
                .name("halloo-voice".into())
                .spawn(move || {
                    let failed = Arc::clone(&events);
                    match VoiceThread::new(host, shared, config, events, list) {
                        Ok(thread) => thread.run(&inbox),
                        Err(error) => {
                            tracing::error!(%error, "the voice engine cannot start");
                            no_sound(&failed);
                        }
                    }
                })
        };
        if let Err(error) = &lister {
            tracing::error!(%error, "sound devices cannot be listed");
        }
        let thread = thread
            .inspect_err(|error| {
                tracing::error!(%error, "the voice thread cannot start");
                no_sound(&events);
            })
            .ok();
        Self {
            shared,
            controls,
            list,
            thread,
        }
    }

    /// The engine as a call back end sees it.
    #[must_use]
    pub fn port(&self) -> Arc<dyn MediaPort> {
        Arc::new(VoicePort {
            shared: Arc::clone(&self.shared),
            controls: self.controls.clone(),
        })
    }

    /// Opens or closes the device ends: both in a call, the input alone while somebody watches the level.
    pub fn set_running(&self, input: bool, output: bool) {
        self.shared.want_input.store(input, Ordering::Release);
        self.shared.want_output.store(output, Ordering::Release);
        self.tell(Control::Wake);
        // The lister looks more often now.
        let _ = self.list.try_send(());
    }

    /// Closes both device ends and the gate and hears everybody again, for whoever has the engine next: ends that they
    /// open are opened anew, and what comes of it is told anew.
    pub fn rest(&self) {
        self.shared.gate.set(false);
        self.shared.want_input.store(false, Ordering::Release);
        self.shared.want_output.store(false, Ordering::Release);
        self.tell(Control::Trial(TrialStep::End));
        self.tell(Control::Deafen(false));
        self.tell(Control::Rest);
    }

    /// Opens or closes the mute gate; effective within one block (10 ms), without a lock. Closed at first.
    pub fn set_gate(&self, open: bool) {
        self.shared.gate.set(open);
        // It may be waiting for more than one block of a microphone that nobody heard.
        if let Some(thread) = self.shared.thread.get().filter(|_| open) {
            thread.unpark();
        }
    }

    /// Chooses a device; `None` follows the system.
    pub fn choose(&self, role: DeviceRole, device: Option<DeviceId>) {
        self.tell(Control::Choose(role, device));
    }

    /// How loud we hear a session, per cent, 0 to 200. Remembered for sessions that have no track yet.
    pub fn set_volume(&self, session: &SessionId, percent: u16) {
        let volume = Volume::from_percent(percent);
        lock(&self.shared.volumes).insert(session.clone(), volume);
        self.tell(Control::Volume(session.clone(), MediaKind::Voice, volume));
    }

    /// How loud we hear the sound of a session's shared screen, per cent, 0 to 200.
    pub fn set_share_volume(&self, session: &SessionId, percent: u16) {
        let volume = Volume::from_percent(percent);
        lock(&self.shared.share_volumes).insert(session.clone(), volume);
        let kind = MediaKind::ScreenAudio;
        self.tell(Control::Volume(session.clone(), kind, volume));
    }

    /// What is done to the sound, from the next block on.
    pub fn set_sound(&self, sound: Sound) {
        self.tell(Control::Sound(sound));
    }

    /// Nothing of the others is heard, or all again.
    pub fn set_deafened(&self, deafened: bool) {
        self.tell(Control::Deafen(deafened));
    }

    /// Plays a short melody, once the loudspeaker is open.
    pub fn play_test_tone(&self) {
        self.tell(Control::TestTone);
    }

    /// Keeps what the microphone hears, plays it, or forgets it, once the devices are open.
    pub fn try_out(&self, step: TrialStep) {
        self.tell(Control::Trial(step));
    }

    /// Begins to write `near.wav`, `far.wav` and `clean.wav` into the folder of [`VoiceConfig::dumps`], over older ones,
    /// or ends it. It ends by itself after five minutes.
    pub fn dump(&self, on: bool) {
        self.tell(Control::Dump(on));
    }

    /// Loudness now, for meters: the microphone before the gate, and each session before its volume.
    #[must_use]
    pub fn levels(&self) -> Levels {
        let mut levels = Levels {
            input: self.shared.input.level(),
            ..Levels::default()
        };
        let tracks = lock(&self.shared.tracks);
        for (track, meter) in tracks.iter().filter(|(track, _)| is_voice(track)) {
            let level = levels
                .sessions
                .entry(track.session.as_str().to_owned())
                .or_default();
            *level = level.max(meter.level());
        }
        levels
    }

    /// Whether we speak, muted or not: for "you are muted" hints.
    #[must_use]
    pub fn is_speaking(&self) -> bool {
        self.shared.input.speaking()
    }

    /// Sessions of which we hear speech now.
    #[must_use]
    pub fn speaking(&self) -> Vec<SessionId> {
        lock(&self.shared.tracks)
            .iter()
            .filter(|(track, meter)| is_voice(track) && meter.speaking())
            .map(|(track, _)| track.session.clone())
            .collect()
    }

    /// Counters and figures since the start; at most 50 ms old.
    #[must_use]
    pub fn figures(&self) -> VoiceFigures {
        *lock(&self.shared.figures)
    }

    /// Stops and joins the thread; devices are closed when this returns.
    pub fn close(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        self.shared.stopped.store(true, Ordering::Release);
        self.tell(Control::Stop);
        // Wakes the lister, which then ends.
        let _ = self.list.try_send(());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the voice thread panicked");
        }
    }

    fn tell(&self, control: Control) {
        // If the thread is gone, somebody has been told already.
        self.controls.send(control);
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A screen's sound is nobody's speech.
fn is_voice(track: &RemoteTrack) -> bool {
    track.kind == MediaKind::Voice
}

fn no_sound(events: &MediaEventSink) {
    for role in [DeviceRole::Input, DeviceRole::Output] {
        events(MediaEvent::Unavailable(role, DeviceProblem::Busy));
    }
}

struct VoicePort {
    shared: Arc<Shared>,
    controls: Controls,
}

impl MediaPort for VoicePort {
    fn set_voice_outlet(&self, outlet: Option<Box<dyn FrameOutlet>>) {
        self.controls.send(Control::Outlet(outlet));
    }

    fn open_track(&self, track: RemoteTrack) -> Box<dyn PacketInlet> {
        let (packets, consumer) = RingBuffer::new(INLET);
        if track.kind == MediaKind::Screen {
            // Pictures are not ours; the packets end here.
            return Box::new(Inlet(packets));
        }
        let meter = Arc::new(Meter::default());
        let volumes = match track.kind {
            MediaKind::ScreenAudio => &self.shared.share_volumes,
            MediaKind::Voice | MediaKind::Screen => &self.shared.volumes,
        };
        let volume = lock(volumes)
            .get(&track.session)
            .copied()
            .unwrap_or_default();
        {
            let mut tracks = lock(&self.shared.tracks);
            tracks.retain(|(other, _)| other.id != track.id);
            tracks.push((track.clone(), Arc::clone(&meter)));
        }
        self.controls.send(Control::OpenTrack {
            track,
            packets: consumer,
            meter,
            volume,
        });
        Box::new(Inlet(packets))
    }

    fn close_track(&self, id: &TrackId) {
        lock(&self.shared.tracks).retain(|(track, _)| track.id != *id);
        self.controls.send(Control::CloseTrack(id.clone()));
    }

    fn feedback(&self, feedback: Feedback) {
        self.controls.send(Control::Feedback(feedback));
    }
}

struct Inlet(Producer<MediaPacket>);

impl PacketInlet for Inlet {
    fn push(&mut self, packet: MediaPacket) -> bool {
        !self.0.is_abandoned() && self.0.push(packet).is_ok()
    }
}
