//! What our processing, our encoder, a bad network and our playout make of a voice, without devices and in virtual time: the
//! same seed gives the same sound on any machine. For finding out which of them costs quality.
//!
//! ```text
//! sound_lab IN.wav OUT.raw [loss=PERCENT] [burst=PACKETS] [jitter=MS] [delay=MS] [seed=N] [report=PERCENT]
//!           [processing=raw|echo|all] [far=FAR.wav] [room=MS] [sender=ours|chromium]
//! ```
//!
//! `IN.wav`: mono, 48 kHz. `OUT.raw`: 16 bit, 48 kHz, two channels: left what went in, right what came out, as
//! `tests/peers/bench/score.py pesq` takes it. `report` is the loss that the sender is told of, else what there is. With
//! `far`, another one talks meanwhile and comes back into the microphone, `room` later and 10 dB softer. With
//! `sender=chromium` the voice is encoded as Chromium's client does it (32 kbit/s, frames of 20 ms, redundancy by the reported
//! loss). Prints one JSON object: packets, bytes, and what the jitter buffer counted.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use calls_core::port::media::{MediaPacket, VoiceFigures};
use calls_core::snapshot::Sound;
use calls_media::block::{BLOCK, Block};
use calls_media::voice::gate::GateSwitch;
use calls_media::voice::mixer::Volume;
use calls_media::voice::opus::VoiceEncoder;
use calls_media::voice::{Track, VoiceEngine};

/// What the command line asks for.
struct Wish {
    loss: f64,
    burst: f64,
    jitter: f64,
    delay: f64,
    seed: u64,
    report: Option<f64>,
    processing: Sound,
    far: Option<String>,
    room: f64,
    chromium: bool,
}

impl Wish {
    fn read(words: impl Iterator<Item = String>) -> Self {
        let mut wish = Self {
            loss: 0.0,
            burst: 1.0,
            jitter: 0.0,
            delay: 20.0,
            seed: 1,
            report: None,
            processing: Sound::RAW,
            far: None,
            room: 20.0,
            chromium: false,
        };
        for word in words {
            let (key, value) = word.split_once('=').expect("KEY=VALUE");
            let number = || value.parse::<f64>().expect("a number");
            match key {
                "loss" => wish.loss = number() / 100.0,
                "burst" => wish.burst = number().max(1.0),
                "jitter" => wish.jitter = number(),
                "delay" => wish.delay = number(),
                "seed" => wish.seed = number() as u64,
                "report" => wish.report = Some(number() / 100.0),
                "processing" => {
                    wish.processing = match value {
                        "raw" => Sound::RAW,
                        "echo" => Sound {
                            echo: true,
                            ..Sound::RAW
                        },
                        "all" => Sound::default(),
                        _ => panic!("no such processing: {value}"),
                    }
                }
                "far" => wish.far = Some(value.to_owned()),
                "room" => wish.room = number(),
                "sender" => wish.chromium = value == "chromium",
                _ => panic!("no such wish: {key}"),
            }
        }
        wish
    }
}

/// A seeded source of chance (Knuth's linear congruential generator, its upper bits).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1_u64 << 31) as f64
    }
}

/// Gilbert's model: losses in bursts of a mean length, of a mean share.
struct Loss {
    share: f64,
    burst: f64,
    bad: bool,
}

impl Loss {
    fn next(&mut self, chance: &mut Chance) -> bool {
        let likely = if self.burst <= 1.0 {
            self.share
        } else if self.bad {
            1.0 - 1.0 / self.burst
        } else {
            self.share / self.burst / (1.0 - self.share).max(1e-9)
        };
        self.bad = chance.next() < likely;
        self.bad
    }
}

fn read(path: &str) -> Vec<f32> {
    let mut file = hound::WavReader::open(path).expect("a sound file");
    assert_eq!((file.spec().channels, file.spec().sample_rate), (1, 48_000));
    file.samples::<i16>()
        .map(|sample| f32::from(sample.unwrap()) / 32_768.0)
        .collect()
}

fn main() {
    let mut words = std::env::args().skip(1);
    let (from, to) = (
        words.next().expect("IN.wav"),
        words.next().expect("OUT.raw"),
    );
    let wish = Wish::read(words);
    let spoken = read(&from);
    let far = wish.far.as_deref().map(read);
    let mut chance = Chance(wish.seed);
    let mut loss = Loss {
        share: wish.loss,
        burst: wish.burst,
        bad: false,
    };

    let gate = GateSwitch::default();
    let mut talker = VoiceEngine::new(wish.processing, gate.clone(), Arc::default()).unwrap();
    let mut listener = VoiceEngine::new(Sound::RAW, GateSwitch::default(), Arc::default()).unwrap();
    let track = || Track::new("t".into(), "s".into(), Volume::UNITY, Arc::default()).unwrap();
    talker.open_track(track());
    listener.open_track(track());
    // Told often enough to be believed.
    for _ in 0..20 {
        talker.set_loss(wish.report.unwrap_or(wish.loss) as f32, false);
    }
    gate.set(true);
    let mut foreign = wish
        .chromium
        .then(|| Foreign::new(wish.report.unwrap_or(wish.loss)));

    let epoch = Instant::now();
    let after = |ms: f64| epoch + Duration::from_secs_f64(ms / 1_000.0);
    let mut flying: Vec<(f64, MediaPacket)> = Vec::new();
    let (mut seq, mut bytes, mut lost) = (0_u16, 0_usize, 0_u32);
    let mut heard: Vec<f32> = Vec::new();
    let mut echo: VecDeque<f32> = vec![0.0; (wish.room * 48.0) as usize].into();
    let mut bridge = Bridge::new();
    for (n, piece) in spoken.chunks_exact(BLOCK).enumerate() {
        let now = (n + 1) as f64 * 10.0;
        let mut block = Block::SILENCE;
        block.0.copy_from_slice(piece);
        if let Some(far) = &far {
            // What the other one says is played here, and heard by this microphone.
            let said = far.iter().skip(n * BLOCK % far.len().max(1)).take(BLOCK);
            bridge.say(said.copied(), &mut talker, after(now), n);
            let mut out = Block::SILENCE;
            talker.render(&mut out, |_| {});
            echo.extend(out.0);
            for sample in &mut block.0 {
                *sample += 0.316 * echo.pop_front().unwrap_or_default();
            }
        }
        let frame = match &mut foreign {
            Some(foreign) => foreign.next(n, &block.0),
            None => talker
                .capture(&mut block)
                .map(|frame| (frame.rtp_time, frame.talk_start, frame.data)),
        };
        if let Some((rtp_time, marker, data)) = frame {
            seq = seq.wrapping_add(1);
            bytes += data.len();
            let at = now + wish.delay + wish.jitter * chance.next();
            if loss.next(&mut chance) {
                lost += 1;
            } else {
                let packet = MediaPacket {
                    seq,
                    rtp_time,
                    marker,
                    arrived: after(at),
                    data,
                };
                flying.push((at, packet));
            }
        }
        flying.sort_by(|a, b| a.0.total_cmp(&b.0));
        let due = flying.partition_point(|(at, _)| *at <= now);
        for (_, packet) in flying.drain(..due) {
            listener.push(&"t".into(), packet);
        }
        let mut out = Block::SILENCE;
        listener.render(&mut out, |_| {});
        heard.extend(out.0);
    }

    let mut raw = Vec::with_capacity(heard.len() * 4);
    for (left, right) in spoken.iter().zip(&heard) {
        for sample in [left, right] {
            raw.extend(((sample.clamp(-1.0, 1.0) * 32_767.0) as i16).to_le_bytes());
        }
    }
    std::fs::write(to, raw).expect("a writable file");
    let mut figures = VoiceFigures::default();
    listener.figures(&mut figures);
    println!(
        "{{\"packets\": {seq}, \"lost\": {lost}, \"bit_s\": {:.0}, \"concealed_percent\": {:.2}, \"target_ms\": {:.1}, \"late\": {}}}",
        bytes as f64 * 8.0 * 48_000.0 / spoken.len() as f64,
        figures.concealed as f64 * 100.0 / figures.samples.max(1) as f64,
        figures.jitter_target_ms,
        figures.packets_late,
    );
}

/// A client that encodes as Chromium does.
struct Foreign {
    encoder: opus::Encoder,
    pending: Vec<f32>,
}

impl Foreign {
    fn new(loss: f64) -> Self {
        let mut encoder =
            opus::Encoder::new(48_000, opus::Channels::Mono, opus::Application::Voip).unwrap();
        encoder.set_bitrate(opus::Bitrate::Bits(32_000)).unwrap();
        encoder.set_complexity(9).unwrap();
        encoder.set_inband_fec(true).unwrap();
        encoder
            .set_packet_loss_perc((loss * 100.0).round() as i32)
            .unwrap();
        Self {
            encoder,
            pending: Vec::new(),
        }
    }

    fn next(&mut self, block: usize, pcm: &[f32]) -> Option<(u32, bool, Bytes)> {
        self.pending.extend_from_slice(pcm);
        if self.pending.len() < 2 * BLOCK {
            return None;
        }
        let data = self.encoder.encode_vec_float(&self.pending, 1_275).unwrap();
        self.pending.clear();
        Some((((block - 1) * BLOCK) as u32, false, data.into()))
    }
}

/// The other one's encoder, right beside the talker.
struct Bridge {
    encoder: VoiceEncoder,
    pending: Vec<f32>,
    seq: u16,
}

impl Bridge {
    fn new() -> Self {
        Self {
            encoder: VoiceEncoder::new().unwrap(),
            pending: Vec::new(),
            seq: 0,
        }
    }

    fn say(
        &mut self,
        said: impl Iterator<Item = f32>,
        to: &mut VoiceEngine,
        now: Instant,
        block: usize,
    ) {
        self.pending.extend(said);
        self.pending.resize(BLOCK, 0.0);
        let data = self.encoder.encode(&self.pending).unwrap();
        self.pending.clear();
        self.seq = self.seq.wrapping_add(1);
        to.push(
            &"t".into(),
            MediaPacket {
                seq: self.seq,
                rtp_time: (block * BLOCK) as u32,
                marker: false,
                arrived: now,
                data,
            },
        );
    }
}
