use std::time::{Duration, Instant};

use super::*;
use crate::voice::opus::{FRAME, VoiceEncoder};

mod hostile;

/// A seeded source of chance.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }

    /// One of so many.
    fn below(&mut self, count: usize) -> usize {
        (self.next() * count as f64) as usize
    }
}

fn tone(hz: f64, at: usize) -> f32 {
    (0.5 * (at as f64 / 48_000.0 * hz * std::f64::consts::TAU).sin()) as f32
}

/// Sound like a voice: harmonics with a wobbling pitch, in syllables.
fn voice(at: usize) -> f32 {
    let t = at as f64 / 48_000.0;
    let phase = t * 130.0 + 0.8 * (t * 3.0).sin();
    let envelope = 0.55 + 0.45 * (t * 4.0 * std::f64::consts::TAU).sin();
    ((1..16)
        .map(|k| (phase * f64::from(k) * std::f64::consts::TAU).sin() / f64::from(k + 1))
        .sum::<f64>()
        * envelope
        * 0.2) as f32
}

/// A sender, a network and a buffer, in virtual time.
struct Rig {
    buffer: JitterBuffer,
    heard: Vec<f32>,
    epoch: Instant,
}

struct Sent {
    at_ms: f64,
    packet: MediaPacket,
}

impl Rig {
    fn new() -> Self {
        Self {
            buffer: JitterBuffer::new().unwrap(),
            heard: Vec::new(),
            epoch: Instant::now(),
        }
    }

    /// A packet with this frame, which arrives then.
    fn sent(&self, n: usize, at_ms: f64, data: bytes::Bytes) -> Sent {
        Sent {
            at_ms,
            packet: MediaPacket {
                seq: (n as u16).wrapping_add(65_500),
                rtp_time: (n as u32).wrapping_mul(960).wrapping_add(u32::MAX - 5_000),
                marker: false,
                arrived: self.epoch + Duration::from_secs_f64(at_ms / 1_000.0),
                data,
            },
        }
    }

    /// Encodes `frames` frames of `sound`; `network` says for each when it arrives after it was sent, milliseconds,
    /// or that it never does.
    fn send(
        &self,
        frames: std::ops::Range<usize>,
        sound: impl Fn(usize) -> f32,
        mut network: impl FnMut(usize) -> Option<f64>,
    ) -> Vec<Sent> {
        let mut encoder = VoiceEncoder::new().unwrap();
        encoder.set_loss(0.2, false);
        let mut sent: Vec<Sent> = frames
            .filter_map(|n| {
                let pcm: [f32; FRAME] = std::array::from_fn(|k| sound(n * FRAME + k));
                let data = encoder.encode(&pcm).unwrap();
                Some(self.sent(n, n as f64 * 20.0 + network(n)?, data))
            })
            .collect();
        sent.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        sent
    }

    /// Plays until `end_ms`; a block is rendered every 10 ms.
    fn run(&mut self, sent: Vec<Sent>, end_ms: f64) {
        let mut sent = sent.into_iter().peekable();
        while (self.heard.len() as f64) < end_ms * 48.0 {
            let now = self.heard.len() as f64 / 48.0;
            while let Some(next) = sent.next_if(|next| next.at_ms <= now) {
                self.buffer.push(next.packet);
            }
            let mut block = [0.0; BLOCK];
            self.buffer.render(&mut block);
            self.heard.extend_from_slice(&block);
        }
    }

    fn concealed(&self) -> f64 {
        let figures = self.buffer.figures();
        figures.concealed as f64 / figures.samples.max(1) as f64
    }
}

/// Dominant frequency by a fine search around the guess, and how much of the energy it holds.
fn frequency(pcm: &[f32], guess: f64) -> (f64, f64) {
    let energy: f64 = pcm.iter().map(|s| f64::from(s * s)).sum();
    let power = |hz: f64| {
        let (mut s, mut c) = (0.0, 0.0);
        for (n, sample) in pcm.iter().enumerate() {
            let phase = n as f64 * hz * std::f64::consts::TAU / 48_000.0;
            s += f64::from(*sample) * phase.sin();
            c += f64::from(*sample) * phase.cos();
        }
        (s * s + c * c) * 2.0 / pcm.len() as f64
    };
    let best = (-200..=200)
        .map(|k| guess + f64::from(k) * 0.1)
        .max_by(|a, b| power(*a).total_cmp(&power(*b)))
        .unwrap();
    (best, power(best) / energy)
}

#[test]
fn a_tone_over_an_even_network_stays_a_tone_without_concealment() {
    let mut rig = Rig::new();
    let sent = rig.send(0..500, |at| tone(440.0, at), |_| Some(30.0));
    rig.run(sent, 10_000.0);
    let (hz, share) = frequency(&rig.heard[48_000..96_000], 440.0);
    println!(
        "440 Hz came out at {hz:.1} Hz with {:.2} % of the energy",
        share * 100.0
    );
    assert!((hz - 440.0).abs() < 0.5);
    assert!(share > 0.95);
    assert_eq!(rig.buffer.figures().concealed, 0);
    // The first guess of the wait was too cautious, and nothing else was ever corrected.
    assert!(rig.buffer.figures().cut < 48 * 25);
    assert_eq!(rig.buffer.target(), 8.0);
}

#[test]
fn a_packet_waits_the_target_and_no_longer_at_zero_jitter() {
    let mut rig = Rig::new();
    // Silence first, then a sudden tone: measure when it is heard.
    let start = 100 * FRAME;
    let sent = rig.send(
        0..200,
        |at| if at < start { 0.0 } else { tone(1_000.0, at) },
        |_| Some(0.0),
    );
    rig.run(sent, 4_000.0);
    let onset = rig.heard.iter().position(|s| s.abs() > 0.1).unwrap();
    // The Opus look-ahead of 6.5 ms is the encoder's, and not the buffer's.
    let wait = (onset as f64 - start as f64) / 48.0;
    println!(
        "packet to rendered sample at zero jitter: {wait:.1} ms, 6.5 ms of it codec look-ahead"
    );
    assert!((8.0..26.0).contains(&wait), "{wait:.1} ms");
}

#[test]
fn jitter_and_reordering_are_absorbed() {
    for (jitter, most) in [(30.0, 0.005), (60.0, 0.01), (100.0, 0.02)] {
        let mut rig = Rig::new();
        let mut chance = Chance(11);
        let sent = rig.send(
            0..1500,
            |at| tone(440.0, at),
            |_| Some(chance.next() * jitter),
        );
        rig.run(sent, 29_900.0);
        let (hz, share) = frequency(&rig.heard[28 * 48_000..29 * 48_000], 440.0);
        let figures = rig.buffer.figures();
        println!(
            "jitter 0..{jitter} ms: target {:.0} ms, wait {:.0} ms, concealed {:.2} %, late {}, cut {} ms, stretched {} ms, {hz:.1} Hz ({:.1} %)",
            rig.buffer.target(),
            rig.buffer.delay(),
            rig.concealed() * 100.0,
            figures.late,
            figures.cut / 48,
            figures.stretched / 48,
            share * 100.0
        );
        assert!(rig.concealed() < most, "{:.4}", rig.concealed());
        assert!((hz - 440.0).abs() < 2.0);
        assert!(f64::from(rig.buffer.delay()) < jitter + 40.0);
    }
}

#[test]
fn redundancy_gives_back_what_is_lost() {
    let lost = |n: usize| n % 20 == 7;
    let mut with = Rig::new();
    with.buffer.deaf = Deaf::ToCopies;
    let sent = with.send(0..400, voice, |n| (!lost(n)).then_some(10.0));
    with.run(sent, 7_900.0);
    // The same losses, but the redundancy is not looked at.
    let mut without = Rig::new();
    without.buffer.deaf = Deaf::ToAll;
    let sent = without.send(0..400, voice, |n| (!lost(n)).then_some(10.0));
    without.run(sent, 7_900.0);
    println!(
        "5 % loss: recovered {}, concealed {:.2} % with and {:.2} % without redundancy",
        with.buffer.figures().recovered / 960,
        with.concealed() * 100.0,
        without.concealed() * 100.0
    );
    assert!(with.buffer.figures().recovered >= 12 * 960);
    assert!(with.concealed() < without.concealed() * 0.4);
    assert!((0.03..0.07).contains(&without.concealed()));
}

#[test]
fn losses_are_counted_and_do_not_move_the_sound_in_time() {
    let mut rig = Rig::new();
    rig.buffer.deaf = Deaf::ToCopies;
    let mut chance = Chance(5);
    // Bursts of two: the next packet gives back one of them well, and the other one roughly.
    let mut burst = 0;
    let sent = rig.send(0..1000, voice, |_| {
        if burst == 0 && chance.next() < 0.05 {
            burst = 2;
        }
        if burst > 0 {
            burst -= 1;
            None
        } else {
            Some(20.0)
        }
    });
    let lost = 1000 - sent.len();
    rig.run(sent, 19_900.0);
    let figures = rig.buffer.figures();
    println!(
        "{lost} of 1000 packets lost in pairs: recovered {}, concealed {:.2} %, wait {:.0} ms",
        figures.recovered / 960,
        rig.concealed() * 100.0,
        rig.buffer.delay()
    );
    let missing = lost as f64 / 1000.0;
    // Measured: 36 % of what was lost is given back, most of what is left is the first of each pair.
    assert!(rig.concealed() < missing * 0.7);
    assert!(
        rig.buffer.delay() < 75.0,
        "losses must not be waited for longer than their redundancy is worth"
    );
    let whole = rig.heard.len() as i64 - figures.samples as i64;
    assert!(whole < 48 * 100, "sound is missing: {} ms", whole / 48);
}

#[test]
fn after_a_burst_of_jitter_the_delay_comes_down_again_by_playing_faster() {
    let mut rig = Rig::new();
    // From second 2 to 2.3 nothing arrives, then everything at once.
    let sent = rig.send(0..1000, voice, |n| {
        Some(if (100..115).contains(&n) {
            300.0 - (n as f64 - 100.0) * 20.0
        } else {
            0.0
        })
    });
    let mut sent = sent;
    let later = sent.split_off(sent.iter().position(|s| s.at_ms > 2_600.0).unwrap());
    rig.run(sent, 2_600.0);
    let raised = rig.buffer.delay();
    rig.run(later, 19_900.0);
    let figures = rig.buffer.figures();
    println!(
        "after a stall of 300 ms: wait {raised:.0} ms, later {:.0} ms (target {:.0}), cut {} ms, concealed {} ms",
        rig.buffer.delay(),
        rig.buffer.target(),
        figures.cut / 48,
        figures.concealed / 48
    );
    assert!(raised > 60.0);
    assert!(rig.buffer.delay() < 45.0);
    assert!(figures.cut > 48 * 100);
}

#[test]
fn a_pause_is_not_a_loss() {
    let mut rig = Rig::new();
    // Talks for a second, is muted for 5 s (numbers go on, time jumps), again and again; one short pause of 60 ms.
    let mut all = Vec::new();
    let mut seq = 0u16;
    for spurt in 0..4u32 {
        let start = [0usize, 300, 353, 600][spurt as usize];
        for mut s in rig.send(start..start + 50, voice, |_| Some(15.0)) {
            s.packet.seq = seq;
            seq += 1;
            all.push(s);
        }
    }
    rig.run(all, 15_000.0);
    let figures = rig.buffer.figures();
    assert_eq!(figures.concealed, 0);
    assert_eq!(figures.late, 0);
    let spoken = figures.samples as f64 / 48_000.0;
    assert!((4.0..4.6).contains(&spoken), "{spoken}");
    assert!(rig.heard[12 * 48_000..].iter().all(|s| s.abs() < 1e-6) || rig.buffer.delay() < 60.0);
}

/// Loudness of a stretch, dBFS.
fn loudness(pcm: &[f32]) -> f64 {
    let energy: f64 = pcm.iter().map(|s| f64::from(s * s)).sum();
    10.0 * (energy / pcm.len() as f64 + 1e-12).log10()
}

#[test]
fn the_noise_of_a_room_goes_on_in_the_pauses_of_a_sender_that_saves_packets_and_ends_with_it() {
    let mut encoder =
        ::opus::Encoder::new(48_000, ::opus::Channels::Mono, ::opus::Application::Voip).unwrap();
    encoder.set_dtx(true).unwrap();
    encoder.set_bitrate(::opus::Bitrate::Bits(24_000)).unwrap();
    let mut chance = Chance(7);
    let mut rig = Rig::new();
    let mut sent = Vec::new();
    let (mut seq, mut unsent) = (0_u16, 0);
    let mut packet = [0; 1_275];
    let mut before = 0;
    for n in 0..400 {
        let pcm: Vec<f32> = (0..FRAME)
            .map(|k| {
                let noise = (chance.next() - 0.5) as f32 * 0.01;
                // Speaks for 2 s, and for 6 s is still there.
                noise + if n < 100 { voice(n * FRAME + k) } else { 0.0 }
            })
            .collect();
        let length = encoder.encode_float(&pcm, &mut packet).unwrap();
        let pause = opus::is_pause(&packet[..length]);
        // The first of a row is sent, the others are what is saved.
        if pause && before <= 2 {
            unsent += 1;
            continue;
        }
        before = length;
        let at_ms = n as f64 * 20.0 + 15.0;
        sent.push(Sent {
            at_ms,
            packet: MediaPacket {
                seq,
                rtp_time: n as u32 * 960,
                marker: false,
                arrived: rig.epoch + Duration::from_secs_f64(at_ms / 1_000.0),
                data: bytes::Bytes::copy_from_slice(&packet[..length]),
            },
        });
        seq += 1;
    }
    assert!(unsent > 200, "{unsent} packets were saved");
    rig.run(sent, 11_000.0);
    let room = loudness(&rig.heard[3 * 48_000..7 * 48_000]);
    let softest = rig.heard[3 * 48_000..7 * 48_000]
        .chunks(4_800)
        .map(loudness)
        .fold(f64::INFINITY, f64::min);
    println!(
        "noise of -50.8 dBFS is heard at {room:.1}, at least {softest:.1}; {unsent} packets saved"
    );
    assert!((-60.0..-45.0).contains(&room), "{room} dBFS");
    assert!(softest > -66.0, "a hole of {softest} dBFS");
    assert_eq!(rig.buffer.figures().concealed, 0);
    assert!(rig.heard[10 * 48_000..].iter().all(|s| *s == 0.0));
}

#[test]
fn a_sender_whose_clock_stands_still_while_muted_is_heard_at_once_and_whole() {
    for pause_ms in [200.0, 400.0, 1_500.0, 10_000.0] {
        let mut rig = Rig::new();
        let mut sent = rig.send(0..200, voice, |_| Some(15.0));
        for s in &mut sent[100..] {
            s.at_ms += pause_ms;
            s.packet.arrived += Duration::from_secs_f64(pause_ms / 1_000.0);
        }
        rig.run(sent, 4_000.0 + pause_ms + 100.0);
        let figures = rig.buffer.figures();
        println!(
            "clock stood still for {pause_ms} ms: concealed {} ms, cut {} ms, wait {:.0} ms",
            figures.concealed / 48,
            figures.cut / 48,
            rig.buffer.delay()
        );
        // The first tenth of a second of the pause looks like lateness.
        assert!(figures.concealed <= 4_800);
        assert!(figures.cut < 48 * 250, "{}", figures.cut / 48);
        assert!(figures.samples >= 48 * (4_000 - 260));
    }
}

#[test]
fn a_pause_with_losses_in_it_is_counted() {
    let mut rig = Rig::new();
    let sent = rig.send(0..300, voice, |n| {
        (!(100..120).contains(&n)).then_some(10.0)
    });
    rig.run(sent, 5_900.0);
    let concealed = rig.buffer.figures().concealed as f64 / 48.0;
    println!("an interruption of 400 ms counts as {concealed:.0} ms concealed");
    assert!((370.0..=430.0).contains(&concealed));
    assert!(rig.buffer.delay() < 50.0);
}

#[test]
fn clocks_that_differ_are_followed_without_concealment() {
    for ppm in [-300.0, 300.0] {
        let mut rig = Rig::new();
        let sent = rig.send(0..6_000, voice, |n| {
            Some(50.0 + n as f64 * 20.0 * ppm / 1e6)
        });
        rig.run(sent, 119_000.0);
        let figures = rig.buffer.figures();
        println!(
            "{ppm:+} ppm over 2 min: wait {:.0} ms, cut {} ms, stretched {} ms, concealed {:.3} %",
            rig.buffer.delay(),
            figures.cut / 48,
            figures.stretched / 48,
            rig.concealed() * 100.0
        );
        assert!(rig.concealed() < 0.001);
        assert!((5.0..45.0).contains(&rig.buffer.delay()));
    }
}

#[test]
fn a_restarted_sender_is_heard_again_within_a_second() {
    let mut rig = Rig::new();
    let mut all = rig.send(0..100, voice, |_| Some(10.0));
    for mut s in rig.send(100..200, |at| tone(440.0, at), |_| Some(10.0)) {
        // Numbers and time start anew.
        s.packet.seq = s.packet.seq.wrapping_add(40_000);
        s.packet.rtp_time = s.packet.rtp_time.wrapping_mul(7);
        s.packet.rtp_time = (s.at_ms * 48.0) as u32;
        all.push(s);
    }
    rig.run(all, 3_900.0);
    let (hz, share) = frequency(&rig.heard[3 * 48_000..(3.8 * 48_000.0) as usize], 440.0);
    assert!((hz - 440.0).abs() < 2.0 && share > 0.9, "{hz} {share}");
}

#[test]
fn deep_redundancy_gives_back_a_part_of_each_burst() {
    // Three in a row, again and again.
    let lost = |n: usize| n > 100 && n % 20 < 3;
    let listen = |deaf: Deaf| {
        let mut rig = Rig::new();
        rig.buffer.deaf = deaf;
        let sent = rig.send(0..600, voice, |n| (!lost(n)).then_some(10.0));
        rig.run(sent, 11_900.0);
        rig
    };
    let (with, without) = (listen(Deaf::ToCopies), listen(Deaf::ToAll));
    println!(
        "bursts of 60 ms, 15 % lost: recovered {} ms, concealed {:.2} % with and {:.2} % without redundancy, target {:.0} ms",
        with.buffer.figures().recovered / 48,
        with.concealed() * 100.0,
        without.concealed() * 100.0,
        with.buffer.target()
    );
    // Waiting stops short of the whole burst (72 of 80 ms): 29 % of it is given back.
    assert!(with.concealed() < without.concealed() * 0.75);
}

#[test]
fn copies_give_back_pairs_as_they_were_and_longer_bursts_but_for_a_part() {
    let listen = |lost: &dyn Fn(usize) -> bool| {
        let mut rig = Rig::new();
        let sent = rig.send(0..600, voice, |n| (!lost(n)).then_some(10.0));
        rig.run(sent, 11_900.0);
        rig
    };
    let pairs = |n: usize| n > 100 && n % 10 < 2;
    let triples = |n: usize| n > 100 && n % 20 < 3;
    let (two, three) = (listen(&pairs), listen(&triples));
    for (rig, what) in [(&two, "pairs"), (&three, "bursts of three")] {
        println!(
            "{what}: recovered {} ms, concealed {:.3} %, target {:.0} ms, wait {:.0} ms",
            rig.buffer.figures().recovered / 48,
            rig.concealed() * 100.0,
            rig.buffer.target(),
            rig.buffer.delay(),
        );
    }
    // The first ones come before their copies are waited for.
    assert!(two.concealed() < 0.01);
    assert!(two.buffer.figures().recovered > 90 * FRAME as u64);
    // Of 13 % lost: the third one is not waited for.
    assert!(three.concealed() < 0.05);
    assert_eq!(two.buffer.figures().late, 0);
    // What is heard is what was said: nothing was lost for the decoder.
    let whole = listen(&|_| false);
    let at = |rig: &Rig| rig.heard.len() - 48_000;
    let likeness = (0..4_800)
        .map(|shift| {
            let (one, other) = (&whole.heard[at(&whole) - shift..], &two.heard[at(&two)..]);
            let dot: f32 = one.iter().zip(other).map(|(a, b)| a * b).sum();
            let energy = |pcm: &[f32]| pcm.iter().map(|s| s * s).sum::<f32>();
            dot / (energy(&one[..other.len()]) * energy(other)).sqrt()
        })
        .fold(0.0, f32::max);
    println!("likeness with and without losses: {likeness:.4}");
    assert!(likeness > 0.9);
}

#[test]
fn the_start_of_a_sentence_that_was_lost_itself_comes_with_its_copy() {
    let mut rig = Rig::new();
    let sent = rig.send(0..50, |at| tone(440.0, at), |n| (n > 1).then_some(10.0));
    assert_eq!(opus::copied(&sent[0].packet.data).count(), 2);
    let mut sent = sent;
    // Something was heard before, long ago.
    let mut first = rig.send(0..1, voice, |_| Some(10.0));
    first[0].packet.seq = first[0].packet.seq.wrapping_sub(1);
    first[0].packet.rtp_time = first[0].packet.rtp_time.wrapping_sub(96_000);
    for sent in &mut sent {
        sent.at_ms += 2_000.0;
        sent.packet.arrived += Duration::from_secs(2);
    }
    first.append(&mut sent);
    rig.run(first, 3_000.0);
    let figures = rig.buffer.figures();
    println!("{figures:?}");
    assert_eq!(
        figures.recovered, FRAME as u64,
        "one: for two the wait is too short"
    );
}
