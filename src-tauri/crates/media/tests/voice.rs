//! The engine on its thread, in real time, with devices that are not there.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use calls_core::command::DeviceRole;
use calls_core::port::media::{
    DeviceProblem, EncodedFrame, FrameOutlet, MediaEvent, MediaKind, RemoteTrack,
};
use calls_media::device::signal::Signal;
use calls_media::testing::{Dominant, Wire, dominant};
use calls_media::{AudioHost, FakeHost, FileHost, MediaEventSink, PlaySpec, Voice, VoiceConfig};

/// Nothing here takes longer on a busy machine.
const LONG: Duration = Duration::from_secs(20);

struct Client {
    voice: Voice,
    events: Receiver<MediaEvent>,
}

fn start(host: Arc<dyn AudioHost>, config: VoiceConfig) -> Client {
    let (to, events) = channel();
    let to = Mutex::new(to);
    let sink: MediaEventSink = Arc::new(move |event| {
        let _ = to.lock().unwrap().send(event);
    });
    Client {
        voice: Voice::start(host, config, sink),
        events,
    }
}

impl Client {
    /// Waits for an event that `wanted` recognises; others are dropped.
    fn wait<T>(&self, mut wanted: impl FnMut(MediaEvent) -> Option<T>) -> T {
        let end = Instant::now() + LONG;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let event = self
                .events
                .recv_timeout(left)
                .expect("the event comes in time");
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    }

    fn wait_for(&self, wanted: &MediaEvent) {
        self.wait(|event| (event == *wanted).then_some(()));
    }
}

/// Waits until something is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !so() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn tone(hz: f32) -> Signal {
    Signal::Tone { hz, amplitude: 0.5 }
}

fn track(session: &str) -> RemoteTrack {
    RemoteTrack {
        id: format!("voice_{session}").as_str().into(),
        kind: MediaKind::Voice,
        session: session.into(),
    }
}

/// The purest second: real time on a machine that is busy with other tests has its holes.
fn best_second(heard: &[f32]) -> Dominant {
    heard
        .chunks_exact(48_000)
        .map(|second| dominant(second, 200.0, 2_000.0))
        .max_by(|a, b| a.share.total_cmp(&b.share))
        .expect("a second of sound")
}

/// Frames of `from` are heard by `to` under this session.
fn connect(from: &Client, to: &Client, session: &str) -> Arc<std::sync::atomic::AtomicU64> {
    let wire = Wire::new(to.voice.port().open_track(track(session)));
    let passed = wire.passed();
    from.voice.port().set_voice_outlet(Some(Box::new(wire)));
    passed
}

#[test]
fn two_clients_hear_each_others_tones() {
    let (a_host, b_host) = (
        FakeHost::with_signal(tone(440.0)),
        FakeHost::with_signal(tone(1_000.0)),
    );
    let a = start(Arc::new(a_host.clone()), VoiceConfig::default());
    let b = start(Arc::new(b_host.clone()), VoiceConfig::default());
    connect(&a, &b, "a");
    connect(&b, &a, "b");
    for client in [&a, &b] {
        client.voice.set_running(true, true);
        client.voice.set_gate(true);
    }
    let begun = Instant::now();
    a.wait_for(&MediaEvent::FirstAudio("b".into()));
    b.wait_for(&MediaEvent::FirstAudio("a".into()));
    println!("first sound after {:?}", begun.elapsed());
    assert!(
        begun.elapsed() < Duration::from_millis(400),
        "an idle thread must wake at once"
    );
    until("4 s of sound", || {
        b.voice.figures().samples > 4 * 48_000 && a.voice.figures().samples > 4 * 48_000
    });
    let levels = b.voice.levels();
    let figures = b.voice.figures();
    println!("b heard a: {figures:?}, levels {levels:?}");
    assert!(levels.input > 0.8 && levels.sessions["a"] > 0.8);
    assert_eq!(b.voice.speaking(), ["a".into()]);
    a.voice.close();
    b.voice.close();
    for (host, hz) in [(&b_host, 440.0), (&a_host, 1_000.0)] {
        let heard = host.recording("speaker");
        let found = best_second(&heard);
        println!("heard {found:?}");
        assert!((found.hz - hz).abs() < 2.0, "{found:?}");
        assert!(found.rms > 0.2);
    }
    assert!(figures.concealed * 20 < figures.samples, "{figures:?}");
}

/// Remembers when frames came.
struct Watch(Arc<Mutex<Vec<(Instant, EncodedFrame)>>>);

impl FrameOutlet for Watch {
    fn try_send(&mut self, frame: EncodedFrame) -> bool {
        self.0.lock().unwrap().push((Instant::now(), frame));
        true
    }
}

#[test]
fn the_gate_closes_and_opens_within_a_block() {
    let host = FakeHost::with_signal(tone(440.0));
    let client = start(Arc::new(host), VoiceConfig::default());
    let seen = Arc::new(Mutex::new(Vec::new()));
    client
        .voice
        .port()
        .set_voice_outlet(Some(Box::new(Watch(Arc::clone(&seen)))));
    client.voice.set_running(true, true);
    client.wait_for(&MediaEvent::Ready(DeviceRole::Input));
    until("the microphone is heard by us", || {
        client.voice.levels().input > 0.5
    });
    assert!(seen.lock().unwrap().is_empty(), "closed at first");
    let mut delays = Vec::new();
    for _ in 0..10 {
        let before = seen.lock().unwrap().len();
        let opened = Instant::now();
        client.voice.set_gate(true);
        until("frames come", || seen.lock().unwrap().len() >= before + 5);
        client.voice.set_gate(false);
        {
            let seen = seen.lock().unwrap();
            let (at, frame) = &seen[before];
            assert!(frame.talk_start);
            delays.push(at.duration_since(opened));
        }
        // The engine may be inside a block when the gate closes (long, if the machine is busy); after that nothing comes.
        std::thread::sleep(Duration::from_millis(150));
        let after = seen.lock().unwrap().len();
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!(seen.lock().unwrap().len(), after, "a frame while muted");
    }
    delays.sort();
    println!(
        "gate opened to first frame (20 ms of sound in it): median {:?}",
        delays[5]
    );
    assert!(delays[5] < Duration::from_millis(60), "{delays:?}");
    // The clock ran on: as much time as between the frames.
    let seen = seen.lock().unwrap();
    let (first, last) = (&seen[0], &seen[seen.len() - 1]);
    let wall = last.0.duration_since(first.0).as_secs_f64();
    let clock = f64::from(last.1.rtp_time.wrapping_sub(first.1.rtp_time)) / 48_000.0;
    assert!(
        (wall - clock).abs() < 0.2,
        "{wall} s passed, {clock} s by the timestamps"
    );
}

#[test]
fn an_unplugged_microphone_is_replaced_and_used_again_when_it_is_back() {
    let host = FakeHost::with_signal(tone(300.0));
    host.plug(DeviceRole::Input, "headset", false);
    host.set_signal("headset", tone(440.0));
    let config = VoiceConfig {
        input: Some("headset".into()),
        ..VoiceConfig::default()
    };
    let listener_host = FakeHost::with_signal(Signal::Silence);
    let listener = start(Arc::new(listener_host.clone()), VoiceConfig::default());
    let client = start(Arc::new(host.clone()), config);
    connect(&client, &listener, "a");
    listener.voice.set_running(true, true);
    client.voice.set_running(true, true);
    client.voice.set_gate(true);
    listener.wait_for(&MediaEvent::FirstAudio("a".into()));
    let pitch = |hz: f64| {
        let heard = listener_host.recording("speaker");
        heard.len() > 24_000 && {
            let found = dominant(&heard[heard.len() - 24_000..], 200.0, 600.0);
            (found.hz - hz).abs() < 5.0 && found.share > 0.8
        }
    };
    until("the headset is heard", || pitch(440.0));
    let unplugged = Instant::now();
    host.unplug("headset");
    client.wait_for(&MediaEvent::DeviceLost {
        role: DeviceRole::Input,
        name: "headset".into(),
        now: Some("mic".into()),
    });
    println!("replaced after {:?}", unplugged.elapsed());
    assert!(unplugged.elapsed() < Duration::from_secs(2));
    until("the other microphone is heard", || pitch(300.0));
    host.plug(DeviceRole::Input, "headset", false);
    client.wait_for(&MediaEvent::DeviceBack {
        role: DeviceRole::Input,
        name: "headset".into(),
    });
    until("the headset is heard again", || pitch(440.0));
    // A choice in the call.
    client.voice.choose(DeviceRole::Input, Some("mic".into()));
    until("the chosen microphone is heard", || pitch(300.0));
}

#[test]
fn without_any_device_statistics_and_first_audio_still_work() {
    let talker = start(
        Arc::new(FakeHost::with_signal(tone(440.0))),
        VoiceConfig::default(),
    );
    let deaf = start(Arc::new(FakeHost::new()), VoiceConfig::default());
    connect(&talker, &deaf, "a");
    deaf.voice.set_running(true, true);
    talker.voice.set_running(true, true);
    talker.voice.set_gate(true);
    for role in [DeviceRole::Input, DeviceRole::Output] {
        deaf.wait_for(&MediaEvent::Unavailable(role, DeviceProblem::Missing));
    }
    deaf.wait_for(&MediaEvent::FirstAudio("a".into()));
    until("sound is counted", || deaf.voice.figures().samples > 48_000);
    assert!(deaf.voice.levels().sessions["a"] > 0.8);
    deaf.voice.set_gate(true);
    assert_eq!(deaf.voice.figures().frames_out, 0);
}

#[test]
fn a_microphone_that_delivers_nothing_is_given_up() {
    let host = FakeHost::with_signal(tone(440.0));
    host.plug(DeviceRole::Input, "spare", false);
    host.set_stalled("mic", true);
    let client = start(Arc::new(host.clone()), VoiceConfig::default());
    client.voice.set_running(true, false);
    client.wait_for(&MediaEvent::DeviceLost {
        role: DeviceRole::Input,
        name: "mic".into(),
        now: Some("spare".into()),
    });
    assert!(host.times_opened("mic") >= 2, "it had a second chance");
}

#[test]
fn nothing_is_open_before_it_is_wanted_nor_after() {
    let host = FakeHost::with_signal(tone(440.0));
    let client = start(Arc::new(host.clone()), VoiceConfig::default());
    let rows = client.wait(|event| match event {
        MediaEvent::Devices(rows) => Some(rows),
        _ => None,
    });
    assert_eq!(rows.len(), 2);
    assert_eq!(host.times_opened("mic") + host.times_opened("speaker"), 0);
    client.voice.set_running(true, false);
    client.wait_for(&MediaEvent::Ready(DeviceRole::Input));
    until("the level is seen", || client.voice.levels().input > 0.5);
    assert_eq!(host.times_opened("speaker"), 0);
    client.voice.set_running(false, false);
    until("the level is gone", || client.voice.levels().input == 0.0);
    client.voice.close();
}

#[test]
fn an_idle_thread_wakes_at_once() {
    let client = start(
        Arc::new(FakeHost::with_signal(tone(440.0))),
        VoiceConfig::default(),
    );
    client.wait(|event| matches!(event, MediaEvent::Devices(_)).then_some(()));
    // The best of some: the machine may be busy.
    let best = (0..5)
        .map(|_| {
            let begun = Instant::now();
            client.voice.set_running(true, false);
            until("the level is seen", || client.voice.levels().input > 0.5);
            let took = begun.elapsed();
            client.voice.set_running(false, false);
            until("the level is gone", || client.voice.levels().input == 0.0);
            took
        })
        .min();
    println!("idle to first block: {best:?}");
    assert!(best < Some(Duration::from_millis(200)));
}

#[test]
fn the_windowless_clients_files_carry_the_tone() {
    let dir = std::env::temp_dir().join(format!("halloo-voice-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let out = dir.join("heard.wav");
    let a = start(
        Arc::new(FileHost::new("tone:440".parse::<PlaySpec>().unwrap(), None).unwrap()),
        VoiceConfig::default(),
    );
    let b = start(
        Arc::new(FileHost::new(PlaySpec::Silence, Some(out.clone())).unwrap()),
        VoiceConfig::default(),
    );
    let passed = connect(&a, &b, "a");
    a.voice.set_running(true, true);
    b.voice.set_running(true, true);
    a.voice.set_gate(true);
    until("3 s of sound", || b.voice.figures().samples > 3 * 48_000);
    let figures = b.voice.figures();
    a.voice.close();
    b.voice.close();
    assert!(passed.load(Ordering::Relaxed) > 140);
    let heard: Vec<f32> = hound::WavReader::open(&out)
        .unwrap()
        .samples::<i16>()
        .map(|s| f32::from(s.unwrap()) / 32_768.0)
        .collect();
    let found = best_second(&heard);
    println!("recorded {found:?}; {figures:?}");
    assert!((found.hz - 440.0).abs() < 2.0);
    assert!(figures.concealed * 20 < figures.samples, "{figures:?}");
    std::fs::remove_dir_all(&dir).unwrap();
}
