//! Real devices: a private PulseAudio with null sinks. Skipped, with a message, where pulseaudio is not installed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use calls_core::command::DeviceRole;
use calls_core::port::media::{MediaEvent, MediaKind, RemoteTrack};
use calls_core::snapshot::Sound;
use calls_media::testing::{self, Wire, dominant};
use calls_media::{MediaEventSink, Voice, VoiceConfig, system_audio};

/// A sound server of our own. One per process, because clients find it by environment variables.
struct Pulse {
    server: Child,
    dir: PathBuf,
}

impl Pulse {
    /// Starts it with a virtual loudspeaker `spk`, whose sound the virtual microphone `mic` hears.
    fn start() -> Option<Self> {
        let dir = std::env::temp_dir().join(format!("halloo-pulse-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let socket = dir.join("native");
        let server = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit"])
            // Where it may: other tests keep the machine busy.
            .args(["--realtime=yes", "--high-priority=yes"])
            .arg(format!(
                "--load=module-native-protocol-unix auth-anonymous=1 socket={}",
                socket.display()
            ))
            .arg("--load=module-null-sink sink_name=spk rate=48000 sink_properties=device.description=Speaker")
            .arg("--load=module-remap-source master=spk.monitor source_name=mic source_properties=device.description=Microphone")
            .env("XDG_RUNTIME_DIR", &dir)
            .env("HOME", &dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut server = match server {
            Ok(server) => server,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => panic!("pulseaudio does not start: {error}"),
        };
        let end = Instant::now() + Duration::from_secs(20);
        while !socket.exists() {
            assert!(Instant::now() < end, "pulseaudio makes no socket");
            assert!(server.try_wait().unwrap().is_none(), "pulseaudio ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { server, dir })
    }

    fn pactl(&self, args: &[&str]) -> String {
        let out = Command::new("pactl")
            .args(args)
            .env(
                "PULSE_SERVER",
                format!("unix:{}", self.dir.join("native").display()),
            )
            .env("XDG_RUNTIME_DIR", &self.dir)
            .output()
            .unwrap();
        assert!(out.status.success(), "pactl {args:?}: {out:?}");
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// The tests proper run in a child process whose environment points to our server.
const INSIDE: &str = "HALLOO_PULSE_TEST_INSIDE";

#[test]
fn real_devices_capture_play_vanish_and_return() {
    if std::env::var_os(INSIDE).is_some() {
        return;
    }
    let Some(pulse) = Pulse::start() else {
        println!("SKIPPED: pulseaudio is not installed; install it to test real sound devices");
        return;
    };
    pulse.pactl(&["set-default-sink", "spk"]);
    pulse.pactl(&["set-default-source", "mic"]);
    let mut inside = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "inside", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .env(
            "PULSE_SERVER",
            format!("unix:{}", pulse.dir.join("native").display()),
        )
        .env("XDG_RUNTIME_DIR", &pulse.dir)
        .env("HOME", &pulse.dir)
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(120);
    let status = loop {
        if let Some(status) = inside.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            let _ = inside.kill();
            panic!("the test inside hangs");
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success());
}

fn pactl(args: &[&str]) -> String {
    let out = Command::new("pactl").args(args).output().unwrap();
    assert!(out.status.success(), "pactl {args:?}: {out:?}");
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

#[test]
fn inside() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let host = system_audio();
    let listing = Instant::now();
    let devices = host.devices();
    println!(
        "devices listed in {:?}: {:?}",
        listing.elapsed(),
        devices.rows
    );
    let names: Vec<_> = devices.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["Speaker", "Microphone"], "monitors are not listed");
    assert!(devices.rows.iter().all(|row| row.is_default));

    testing::lists_are_sound(&*host);
    testing::unknown_devices_are_missing(&*host);
    testing::sources_keep_time(&*host, std::thread::sleep);
    testing::sinks_keep_time(&*host, std::thread::sleep);
    testing::ends_reopen(&*host);
    println!("contract kept");

    latency(&*host);
    what_was_captured_before_it_was_wanted_is_left_out(&*host);
    only_others_are_shared(&*host);
    whole_engine();
}

/// Whoever is muted looks at loudness now and then; when the gate opens, what lies in the server is older than that, and time has
/// gone on all the same.
fn what_was_captured_before_it_was_wanted_is_left_out(host: &dyn calls_media::AudioHost) {
    let devices = host.devices();
    let id = &devices.default_of(DeviceRole::Input).unwrap().id;
    let mut source = host.open_source(id).unwrap();
    assert!(source.wake(std::thread::current()));
    let mut pcm = vec![0.0; 480];
    let mut read = 0;
    let mut look = |source: &mut dyn calls_media::AudioSource| {
        let mut now = 0;
        loop {
            let n = source.read(&mut pcm);
            now += n;
            if n == 0 {
                break;
            }
        }
        read += now;
        (now, read)
    };
    let end = Instant::now() + Duration::from_secs(10);
    // The first block, and many more: its beginning is uneven.
    while look(&mut *source).1 < 96_000 {
        assert!(Instant::now() < end, "nothing is captured");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    source.set_patient(true);
    let (begun, (_, before)) = (Instant::now(), look(&mut *source));
    let mut bursts = 0;
    // Until the microphone's thread has just begun to rest.
    while bursts < 5 {
        assert!(Instant::now() < end, "nothing is captured by a patient one");
        std::thread::park_timeout(Duration::from_millis(20));
        bursts += usize::from(look(&mut *source).0 > 4 * 480);
    }
    std::thread::sleep(Duration::from_millis(40));
    source.set_patient(false);
    while source.let_go() == 0 {
        assert!(Instant::now() < end, "nothing was left out");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let (_, after) = look(&mut *source);
    let passed = begun.elapsed().as_secs_f64();
    let told = ((after - before) as u64 + source.let_go()) as f64 / 48_000.0;
    println!(
        "patient: {passed:.3} s passed, {told:.3} s told, {:.0} ms of it left out",
        source.let_go() as f64 / 48.0
    );
    assert!((passed - told).abs() < 0.1, "time has been lost");
}

/// Another program plays 1 kHz, and we play 440 Hz on the same loudspeaker: what is shared is the former alone.
fn only_others_are_shared(host: &dyn calls_media::AudioHost) {
    assert!(host.has_played());
    let mut source = host.open_played().unwrap();
    let format = source.format();
    assert_eq!((format.rate, format.channels), (48_000, 2));
    let mut pcm = vec![0.0; 96_000];
    let id = host
        .devices()
        .default_of(DeviceRole::Output)
        .unwrap()
        .id
        .clone();
    let mut sink = host.open_sink(&id).unwrap();
    let channels = usize::from(sink.format().channels);
    let mut at = 0_u32;
    // We play, and give what was captured meanwhile: the left channel.
    let mut play = |time: Duration| {
        let end = Instant::now() + time;
        let mut heard = Vec::new();
        while Instant::now() < end {
            let room = sink.room() / channels;
            let mine: Vec<f32> = (0..room)
                .flat_map(|_| {
                    at += 1;
                    let phase = f64::from(at) * 440.0 / 48_000.0 * std::f64::consts::TAU;
                    std::iter::repeat_n(0.5 * phase.sin() as f32, channels)
                })
                .collect();
            sink.write(&mine);
            let n = source.read(&mut pcm);
            heard.extend(pcm[..n].iter().step_by(2).copied());
            std::thread::sleep(Duration::from_millis(2));
        }
        heard
    };
    let ours = play(Duration::from_secs(1));
    assert!(
        ours.is_empty(),
        "{} samples of our own were captured",
        ours.len()
    );

    let mut other = Command::new("pacat")
        .args([
            "--raw",
            "--format=s16le",
            "--rate=48000",
            "--channels=1",
            "--latency-msec=40",
        ])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = other.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let tone: Vec<u8> = (0..48_000 * 4)
            .flat_map(|n| {
                let phase = f64::from(n) * 1000.0 / 48_000.0 * std::f64::consts::TAU;
                ((phase.sin() * 16_000.0) as i16).to_le_bytes()
            })
            .collect();
        // It is killed before the end.
        let _ = std::io::Write::write_all(&mut pipe, &tone);
    });
    let heard = play(Duration::from_secs(3));
    let _ = other.kill();
    let _ = other.wait();
    let _ = writer.join();
    let second = &heard[heard.len() - 48_000..];
    let theirs = dominant(second, 800.0, 1_200.0);
    let mine = dominant(second, 400.0, 480.0);
    println!(
        "another program's tone: {:.1} Hz with {:.4} of the energy; our own: {:.6}",
        theirs.hz, theirs.share, mine.share
    );
    assert!(
        (theirs.hz - 1000.0).abs() < 2.0 && theirs.share > 0.98,
        "{theirs:?}"
    );
    assert!(theirs.rms > 0.2, "{theirs:?}");
    assert!(mine.share < 1e-3, "our own sound comes back: {mine:?}");
    let after = play(Duration::from_secs(1));
    let rest = play(Duration::from_millis(300));
    assert!(
        rest.is_empty(),
        "silence costs nothing; {} samples before",
        after.len()
    );
}

/// A click out of the loudspeaker into the microphone.
fn latency(host: &dyn calls_media::AudioHost) {
    let devices = host.devices();
    let mut sink = host
        .open_sink(&devices.default_of(DeviceRole::Output).unwrap().id)
        .unwrap();
    let mut source = host
        .open_source(&devices.default_of(DeviceRole::Input).unwrap().id)
        .unwrap();
    let mut pcm = vec![0.0; 48_000];
    let channels = usize::from(sink.format().channels);
    let mut found = Vec::new();
    for round in 0..6 {
        // Keep both ends running for 300 ms, then one loud burst.
        let quiet_until = Instant::now() + Duration::from_millis(300);
        let mut clicked: Option<Instant> = None;
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            assert!(Instant::now() < end, "the click is not heard");
            let now = Instant::now();
            let room = sink.room() / channels * channels;
            if room > 0 {
                let loud = now > quiet_until && clicked.is_none();
                let value = if loud { 0.8 } else { 0.0 };
                sink.write(&vec![value; room]);
                if loud {
                    clicked = Some(now);
                }
            }
            let n = source.read(&mut pcm);
            if let Some(clicked) = clicked
                && pcm[..n].iter().any(|s| s.abs() > 0.3)
            {
                if round > 0 {
                    found.push(clicked.elapsed());
                }
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    found.sort();
    println!(
        "write to read through PulseAudio (both rings, null sink): median {:?}, worst {:?}",
        found[found.len() / 2],
        found[found.len() - 1]
    );
    assert!(found[found.len() / 2] < Duration::from_millis(150));
}

fn start(config: VoiceConfig) -> (Voice, std::sync::mpsc::Receiver<MediaEvent>) {
    let (to, events) = channel();
    let to = Mutex::new(to);
    let sink: MediaEventSink = Arc::new(move |event| {
        let _ = to.lock().unwrap().send(event);
    });
    (Voice::start(system_audio(), config, sink), events)
}

fn wait(events: &std::sync::mpsc::Receiver<MediaEvent>, wanted: impl Fn(&MediaEvent) -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let event = events.recv_timeout(left).expect("the event comes in time");
        println!("  {event:?}");
        if wanted(&event) {
            return;
        }
    }
}

/// A file plays 440 Hz into the call; the engine plays it on the virtual loudspeaker; a second engine hears it with
/// the virtual microphone and sends it back to a file.
fn whole_engine() {
    let dir = std::env::temp_dir().join(format!("halloo-pulse-out-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let out = dir.join("heard.wav");
    let config = VoiceConfig {
        sound: Sound::RAW,
        ..VoiceConfig::default()
    };
    let quiet: MediaEventSink = Arc::new(|_| {});
    let file = Voice::start(
        Arc::new(
            calls_media::FileHost::new("tone:440".parse().unwrap(), Some(out.clone())).unwrap(),
        ),
        VoiceConfig::default(),
        quiet,
    );
    let (real, events) = start(config);
    let track = |session: &str| RemoteTrack {
        id: session.into(),
        kind: MediaKind::Voice,
        session: session.into(),
    };
    let forth = Wire::new(real.port().open_track(track("file")));
    let back = Wire::new(file.port().open_track(track("real")));
    file.port().set_voice_outlet(Some(Box::new(forth)));
    real.port().set_voice_outlet(Some(Box::new(back)));
    file.set_running(true, true);
    real.set_running(true, true);
    file.set_gate(true);
    real.set_gate(true);
    wait(&events, |event| {
        matches!(event, MediaEvent::Ready(DeviceRole::Input))
    });
    wait(&events, |event| matches!(event, MediaEvent::FirstAudio(_)));
    let end = Instant::now() + Duration::from_secs(30);
    while file.figures().samples < 4 * 48_000 {
        assert!(
            Instant::now() < end,
            "nothing comes back: {:?}",
            file.figures()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    println!("real devices: {:?}", real.figures());
    println!("heard back:   {:?}", file.figures());
    assert!(real.levels().input > 0.5, "{:?}", real.levels());

    // The loudspeaker in use vanishes and comes back.
    let spare = pactl(&["load-module", "module-null-sink", "sink_name=spare"]);
    real.choose(DeviceRole::Output, Some("pulseaudio:spare".into()));
    let end = Instant::now() + Duration::from_secs(10);
    let inputs_on = |sink: &str| {
        let index = pactl(&["list", "short", "sinks"])
            .lines()
            .find(|line| line.split('\t').nth(1) == Some(sink))
            .and_then(|line| line.split('\t').next().map(str::to_owned));
        index.is_some_and(|index| {
            pactl(&["list", "short", "sink-inputs"])
                .lines()
                .any(|line| line.split('\t').nth(1) == Some(index.as_str()))
        })
    };
    while !inputs_on("spare") {
        assert!(Instant::now() < end, "the chosen loudspeaker is not used");
        std::thread::sleep(Duration::from_millis(50));
    }
    let unplugged = Instant::now();
    pactl(&["unload-module", &spare]);
    wait(
        &events,
        |event| matches!(event, MediaEvent::DeviceLost { role: DeviceRole::Output, now: Some(now), .. } if now == "Speaker"),
    );
    println!(
        "unplugged loudspeaker replaced after {:?}",
        unplugged.elapsed()
    );
    let plugged = Instant::now();
    pactl(&["load-module", "module-null-sink", "sink_name=spare"]);
    wait(&events, |event| {
        matches!(event, MediaEvent::DeviceBack { .. })
    });
    println!("returned to it after {:?}", plugged.elapsed());
    real.close();
    file.close();
    let heard: Vec<f32> = hound::WavReader::open(&out)
        .unwrap()
        .samples::<i16>()
        .map(|s| f32::from(s.unwrap()) / 32_768.0)
        .collect();
    let seconds: Vec<_> = heard
        .chunks_exact(48_000)
        .map(|second| dominant(second, 200.0, 2_000.0))
        .collect();
    let good = seconds
        .iter()
        .filter(|found| (found.hz - 440.0).abs() < 2.0 && found.rms > 0.1)
        .count();
    println!("seconds with a clean 440 Hz: {good} of {}", seconds.len());
    assert!(good >= 3, "{seconds:?}");
    std::fs::remove_dir_all(&dir).unwrap();
}
