//! What a block costs: printed, and bounded loosely because the machine may be busy.
//! `cargo test -p calls-media --test budget -- --nocapture`
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use calls_core::port::media::{EncodedFrame, MediaPacket};
use calls_core::snapshot::{Noise, Sound};
use calls_media::Block;
use calls_media::block::BLOCK;
use calls_media::voice::apm::Apm;
use calls_media::voice::gate::GateSwitch;
use calls_media::voice::mixer::Volume;
use calls_media::voice::{Track, VoiceEngine};

/// Blocks measured each time: 5 s of sound.
const BLOCKS: usize = 500;

fn voice(at: usize) -> f32 {
    let t = at as f32 / 48_000.0;
    let phase = t * 130.0 + 0.8 * (t * 3.0).sin();
    let envelope = 0.55 + 0.45 * (t * 4.0 * std::f32::consts::TAU).sin();
    (1..12)
        .map(|k| (phase * k as f32 * std::f32::consts::TAU).sin() / (k as f32 + 1.0))
        .sum::<f32>()
        * envelope
        * 0.2
}

fn engine(sound: Sound) -> VoiceEngine {
    let gate = GateSwitch::default();
    gate.set(true);
    VoiceEngine::new(sound, gate, Arc::default()).unwrap()
}

fn block(n: usize) -> Block {
    Block(std::array::from_fn(|k| voice(n * BLOCK + k)))
}

/// Median time of a block: robust against other work on the machine.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Mean of pairs: a frame is encoded in every second block.
fn pairs(times: &[Duration]) -> Vec<Duration> {
    times
        .chunks_exact(2)
        .map(|pair| (pair[0] + pair[1]) / 2)
        .collect()
}

fn frames() -> Vec<EncodedFrame> {
    let mut engine = engine(Sound::RAW);
    (0..BLOCKS)
        .filter_map(|n| engine.capture(&mut block(n)))
        .collect()
}

#[test]
fn a_block_costs_little() {
    for (name, processing) in [
        ("encode alone", Sound::RAW),
        (
            "echo + encode",
            Sound {
                echo: true,
                ..Sound::RAW
            },
        ),
        (
            "noise + encode",
            Sound {
                noise: Noise::Standard,
                ..Sound::RAW
            },
        ),
        ("echo + noise + gain + encode", Sound::default()),
    ] {
        let mut engine = engine(processing);
        let mut times = Vec::new();
        for n in 0..BLOCKS {
            engine.render(&mut block(n + 7_000), |_| {});
            let mut captured = block(n);
            let start = Instant::now();
            engine.capture(&mut captured);
            times.push(start.elapsed());
        }
        let cost = median(pairs(&times));
        println!("capture, {name}: {cost:?} per 10 ms block");
        assert!(cost < Duration::from_millis(3), "{cost:?}");
    }
    let mut apm = Apm::new(Sound {
        echo: true,
        ..Sound::RAW
    });
    let times = (0..BLOCKS)
        .map(|n| {
            let (far, mut captured) = (block(n + 7_000), block(n));
            let start = Instant::now();
            apm.played(&far);
            apm.captured(&mut captured);
            start.elapsed()
        })
        .collect();
    let cost = median(times);
    println!("echo of what is played: {cost:?} per 10 ms block");
    assert!(cost < Duration::from_millis(3), "{cost:?}");
    let frames = frames();
    // Blocks of 10 ms in each.
    let step = frames[0].duration as usize / BLOCK;
    for tracks in [0usize, 1, 3, 10] {
        let mut engine = engine(Sound::RAW);
        let ids: Vec<_> = (0..tracks)
            .map(|n| format!("t{n}").as_str().into())
            .collect();
        for id in &ids {
            engine.open_track(
                Track::new(
                    calls_core::id::TrackId::clone(id),
                    "s".into(),
                    Volume::UNITY,
                    Arc::default(),
                )
                .unwrap(),
            );
        }
        let mut now = Instant::now();
        let mut times = Vec::new();
        let mut out = Block::SILENCE;
        for n in 0..BLOCKS {
            if n.is_multiple_of(step) {
                let frame = &frames[n / step];
                for id in &ids {
                    engine.push(
                        id,
                        MediaPacket {
                            seq: (n / step) as u16,
                            rtp_time: frame.rtp_time,
                            marker: false,
                            arrived: now,
                            data: frame.data.clone(),
                        },
                    );
                }
            }
            let start = Instant::now();
            engine.render(&mut out, |_| {});
            times.push(start.elapsed());
            now += Duration::from_millis(10);
        }
        let cost = median(pairs(&times));
        println!("render, {tracks} tracks: {cost:?} per 10 ms block");
        assert!(cost < Duration::from_millis(3), "{cost:?}");
    }
}

#[test]
fn the_engine_adds_one_frame_and_one_wait() {
    // Silence, then a tone: when does it come out, in samples and hence in time?
    let mut sender = engine(Sound::RAW);
    let mut receiver = engine(Sound::RAW);
    receiver.open_track(Track::new("t".into(), "s".into(), Volume::UNITY, Arc::default()).unwrap());
    let start = 200 * BLOCK;
    let mut now = Instant::now();
    let (mut seq, mut heard) = (0, Vec::new());
    let mut first_frame = None;
    for n in 0..400 {
        let mut captured = Block(std::array::from_fn(|k| {
            let at = n * BLOCK + k;
            if at < start {
                0.0
            } else {
                ((at - start) as f32 * 0.13).sin() * 0.5
            }
        }));
        if let Some(frame) = sender.capture(&mut captured) {
            if frame.level < Some(60) && first_frame.is_none() {
                first_frame = Some(n);
            }
            receiver.push(
                &"t".into(),
                MediaPacket {
                    seq,
                    rtp_time: frame.rtp_time,
                    marker: frame.talk_start,
                    arrived: now,
                    data: frame.data,
                },
            );
            seq += 1;
        }
        let mut out = Block::SILENCE;
        receiver.render(&mut out, |_| {});
        heard.extend_from_slice(&out.0);
        now += Duration::from_millis(10);
    }
    let frame_after = (first_frame.unwrap() + 1) * 10 - 2_000;
    let onset = heard.iter().position(|s| s.abs() > 0.1).unwrap();
    let through = (onset as f64 - start as f64) / 48.0 + 10.0;
    println!(
        "capture to frame: {frame_after} ms (a frame is 20 ms); captured sample to rendered sample at zero jitter: {through:.1} ms, of it 6.5 ms codec look-ahead"
    );
    assert!(frame_after <= 20);
    assert!(through < 62.0, "{through}");
}
