//! Two voice engines in one process, on this machine's real devices: what the first one's microphone hears, the second one
//! plays. Between them is nothing but a loss and a delay of a seed's making, so that what is measured is ours alone.
//!
//! `mouth_to_ear [raw] [loss=0.1] [jitter=30] [delay=20] [seed=1]`, until its standard input ends. Prints the figures of the
//! listener each second, as JSON.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use calls_core::port::media::{
    EncodedFrame, Feedback, FrameOutlet, MediaKind, MediaPacket, RemoteTrack,
};
use calls_core::snapshot::Sound;
use calls_media::{Voice, VoiceConfig, system_audio};

struct Wire {
    packets: Sender<(Instant, MediaPacket)>,
    seq: u16,
    state: u64,
    loss: f64,
    jitter: f64,
    delay: f64,
    last: Instant,
}

impl Wire {
    fn chance(&mut self) -> f64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as f64 / (1u64 << 31) as f64
    }
}

impl FrameOutlet for Wire {
    fn try_send(&mut self, frame: EncodedFrame) -> bool {
        let (lost, wait) = (self.chance() < self.loss, self.chance());
        let seq = self.seq;
        self.seq = seq.wrapping_add(1);
        if lost {
            return true;
        }
        let delay = Duration::from_secs_f64((self.delay + wait * self.jitter) / 1_000.0);
        // The order is kept.
        let at = (Instant::now() + delay).max(self.last);
        self.last = at;
        let packet = MediaPacket {
            seq,
            rtp_time: frame.rtp_time,
            marker: frame.talk_start,
            arrived: at,
            data: frame.data,
        };
        self.packets.send((at, packet)).is_ok()
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |key: &str| {
        words
            .iter()
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('=')?.parse().ok())
            .unwrap_or(0.0)
    };
    let sound = if words.iter().any(|word| word == "raw") {
        Sound::RAW
    } else {
        Sound::default()
    };
    let config = || VoiceConfig {
        sound,
        ..VoiceConfig::default()
    };
    let talker = Voice::start(system_audio(), config(), Arc::new(|_| {}));
    let listener = Voice::start(system_audio(), config(), Arc::new(|_| {}));
    let (packets, wire) = channel::<(Instant, MediaPacket)>();
    talker.port().set_voice_outlet(Some(Box::new(Wire {
        packets,
        seq: 0,
        state: number("seed") as u64 + 1,
        loss: number("loss"),
        jitter: number("jitter"),
        delay: number("delay"),
        last: Instant::now(),
    })));
    talker.port().feedback(Feedback::VoiceLoss {
        share: number("loss") as f32,
        congested: false,
    });
    let mut inlet = listener.port().open_track(RemoteTrack {
        id: "voice".into(),
        kind: MediaKind::Voice,
        session: "talker".into(),
    });
    std::thread::spawn(move || {
        while let Ok((at, mut packet)) = wire.recv() {
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            packet.arrived = Instant::now();
            inlet.push(packet);
        }
    });
    talker.set_running(true, true);
    listener.set_running(true, true);
    talker.set_gate(true);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let figures = listener.figures();
            println!(
                "{{\"target_ms\":{:.1},\"samples\":{},\"concealed\":{},\"underruns\":{},\"overruns\":{}}}",
                figures.jitter_target_ms,
                figures.samples,
                figures.concealed,
                figures.playout_underruns,
                figures.capture_overruns
            );
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    talker.close();
}
