use std::time::{Duration, Instant};

use super::*;
use crate::testing::dominant;

fn tone(hz: f64, block: usize) -> Block {
    Block(std::array::from_fn(|n| {
        let t = (block * BLOCK + n) as f64 / 48_000.0;
        (0.4 * (t * hz * std::f64::consts::TAU).sin()) as f32
    }))
}

/// An engine, its gate, and the number of its next packet.
struct Client {
    engine: VoiceEngine,
    switch: GateSwitch,
    seq: u16,
}

impl Client {
    fn new() -> Self {
        let switch = GateSwitch::default();
        Self {
            engine: VoiceEngine::new(Sound::RAW, switch.clone(), Arc::default()).unwrap(),
            switch,
            seq: 0,
        }
    }

    fn hear(&mut self, id: &str, volume: u16) {
        let track = Track::new(
            id.into(),
            id.into(),
            Volume::from_percent(volume),
            Arc::default(),
        );
        self.engine.open_track(track.unwrap());
    }

    fn speak(&mut self, mut block: Block, now: Instant) -> Option<MediaPacket> {
        let frame = self.engine.capture(&mut block)?;
        self.seq += 1;
        Some(MediaPacket {
            seq: self.seq,
            rtp_time: frame.rtp_time,
            marker: frame.talk_start,
            arrived: now,
            data: frame.data,
        })
    }

    fn play(&mut self, heard: &mut Vec<f32>) {
        let mut block = Block::SILENCE;
        self.engine.render(&mut block, |_| {});
        heard.extend_from_slice(&block.0);
    }
}

#[test]
fn a_tone_in_is_the_same_tone_out_and_two_are_mixed() {
    let (mut a, mut b, mut c) = (Client::new(), Client::new(), Client::new());
    c.hear("a", 100);
    c.hear("b", 50);
    a.switch.set(true);
    b.switch.set(true);
    let mut heard = Vec::new();
    let mut now = Instant::now();
    for block in 0..500 {
        if let Some(packet) = a.speak(tone(440.0, block), now) {
            c.engine.push(&"a".into(), packet);
        }
        if let Some(packet) = b.speak(tone(1_000.0, block), now) {
            c.engine.push(&"b".into(), packet);
        }
        c.play(&mut heard);
        now += Duration::from_millis(10);
    }
    let late = &heard[96_000..192_000];
    let low = dominant(late, 300.0, 600.0);
    let high = dominant(late, 800.0, 1_200.0);
    println!("heard {low:?} and {high:?}");
    assert!((low.hz - 440.0).abs() < 0.5);
    assert!((high.hz - 1_000.0).abs() < 0.5);
    let ratio = low.share / high.share;
    assert!(
        (3.0..5.3).contains(&ratio),
        "half as loud is a quarter of the energy: {ratio}"
    );
    let mut figures = VoiceFigures::default();
    c.engine.figures(&mut figures);
    assert_eq!(figures.concealed, 0);
    assert_eq!(figures.packets_in, 1_000);
    assert_eq!(figures.packets_late, 0);
}

#[test]
fn a_closed_gate_lets_nothing_through_bit_by_bit() {
    // Two microphones that hear different things while muted and the same while not: what is sent is the same.
    let secrets = [tone(300.0, 0), Block([0.9; BLOCK])];
    let mut sent: Vec<Vec<EncodedFrame>> = Vec::new();
    for secret in &secrets {
        let mut client = Client::new();
        let mut frames = Vec::new();
        for block in 0..400usize {
            let open = (100..150).contains(&block) || (251..300).contains(&block);
            client.switch.set(open);
            let mut sound = if open {
                tone(440.0, block)
            } else {
                secret.clone()
            };
            let frame = client.engine.capture(&mut sound);
            // The one that ends a talk spurt is silence, and the same whatever the microphone hears.
            let farewell = matches!(block, 150 | 300);
            assert_eq!(!open && frame.is_some(), farewell, "a frame while muted");
            assert!(!farewell || frame.as_ref().unwrap().level == Some(127));
            frames.extend(frame);
        }
        sent.push(frames);
    }
    assert_eq!(sent[0].len(), 50 + 1 + 49 + 1);
    for (a, b) in sent[0].iter().zip(&sent[1]) {
        assert_eq!(a.data, b.data);
        assert_eq!(a.level, b.level);
        assert_eq!(a.rtp_time, b.rtp_time);
    }
    let starts: Vec<u32> = sent[0]
        .iter()
        .filter(|frame| frame.talk_start)
        .map(|frame| frame.rtp_time)
        .collect();
    // The clock ran on while muted, and the frame begins with the first block after the gate opened.
    assert_eq!(starts, [100 * 480, 251 * 480]);
}

#[test]
fn frames_are_short_in_small_calls_and_tell_their_loudness() {
    let mut client = Client::new();
    client.switch.set(true);
    let frames = |client: &mut Client| -> Vec<EncodedFrame> {
        (0..20)
            .filter_map(|n| client.engine.capture(&mut tone(440.0, n)))
            .collect()
    };
    let small = frames(&mut client);
    assert_eq!(small.len(), 20);
    // 0.4 of full scale: −8 dB, and a sine is 3 dB below a square wave.
    assert_eq!(small[3].level, Some(11));
    assert_eq!((small[3].duration, small[3].talk_start), (480, false));
    assert_eq!(small[4].rtp_time, small[3].rtp_time.wrapping_add(480));
    // Packets get lost: redundancy covers more in longer frames.
    client.engine.set_loss(0.1, false);
    let lossy = frames(&mut client);
    assert_eq!((lossy.len(), lossy[1].duration), (10, 960));
    for _ in 0..30 {
        client.engine.set_loss(0.0, false);
    }
    assert_eq!(frames(&mut client).len(), 20);
    // Others come: their server has enough to do.
    for id in ["a", "b", "c", "d"] {
        client.hear(id, 100);
    }
    let large = frames(&mut client);
    assert_eq!((large.len(), large[1].duration), (10, 960));
    assert_eq!(large[1].rtp_time, large[0].rtp_time.wrapping_add(960));
}

#[test]
fn processing_rests_behind_a_gate_that_has_been_closed_for_long() {
    let mut rest = Rest::default();
    assert!((0..499).all(|_| rest.wakes(false)), "muted for a word");
    assert!(!rest.wakes(false), "after five seconds");
    assert!(!rest.is_awake(), "the other end, too");
    assert!(rest.wakes(true), "heard again");
    assert!(rest.is_awake());
}

#[test]
fn the_first_sound_of_a_track_is_told_once() {
    let (mut a, mut b) = (Client::new(), Client::new());
    b.hear("a", 100);
    a.switch.set(true);
    let mut told = Vec::new();
    let mut now = Instant::now();
    for block in 0..100 {
        let sound = if block < 50 {
            Block::SILENCE
        } else {
            tone(440.0, block)
        };
        if let Some(packet) = a.speak(sound, now) {
            b.engine.push(&"a".into(), packet);
        }
        b.engine.render(&mut Block::default(), |session| {
            told.push((block, session.clone()))
        });
        now += Duration::from_millis(10);
    }
    assert_eq!(told.len(), 1);
    assert!((50..58).contains(&told[0].0), "{told:?}");
    assert_eq!(told[0].1, SessionId::from("a"));
}

#[test]
fn a_broken_microphone_is_survived() {
    let mut client = Client::new();
    client.switch.set(true);
    for bad in [f32::NAN, f32::INFINITY, -1e30, 1e30, f32::MIN_POSITIVE] {
        for _ in 0..20 {
            client.engine.capture(&mut Block([bad; BLOCK]));
        }
    }
    let mut frames = 0;
    for block in 0..10 {
        frames += u32::from(client.engine.capture(&mut tone(440.0, block)).is_some());
    }
    assert_eq!(frames, 10);
}

#[test]
fn replacing_and_closing_tracks_keeps_the_counts() {
    let (mut a, mut b) = (Client::new(), Client::new());
    a.switch.set(true);
    let mut now = Instant::now();
    for round in 0..5 {
        b.hear("a", 100);
        for block in 0..20 {
            if let Some(packet) = a.speak(tone(440.0, round * 20 + block), now) {
                b.engine.push(&"a".into(), packet);
            }
            b.play(&mut Vec::new());
            now += Duration::from_millis(10);
        }
    }
    b.engine.close_track(&"a".into());
    b.engine.close_track(&"a".into());
    assert!(b.engine.has_no_tracks());
    let mut figures = VoiceFigures::default();
    b.engine.figures(&mut figures);
    assert_eq!(figures.packets_in, 100);
}

#[test]
fn the_total_volume_and_deafness_change_what_is_heard() {
    let mut client = Client::new();
    let mut peak = |sound: Sound, deafened: bool| {
        client.engine.set_sound(sound);
        client.engine.set_deafened(deafened);
        client.engine.play_melody();
        let mut out = Block::SILENCE;
        // The first block fades to the new volume; the loudest moment of a note comes after 0.2 s.
        (0..30).fold(0.0f32, |peak, n| {
            client.engine.render(&mut out, |_| {});
            let loudest = out.0.iter().fold(0.0f32, |loudest, s| loudest.max(s.abs()));
            if n == 0 { peak } else { peak.max(loudest) }
        })
    };
    let whole = peak(Sound::RAW, false);
    let half = peak(
        Sound {
            output_volume: 50,
            ..Sound::RAW
        },
        false,
    );
    assert!((0.2..0.3).contains(&whole), "{whole}");
    assert!((half / whole - 0.5).abs() < 0.02, "{half} of {whole}");
    assert_eq!(peak(Sound::RAW, true), 0.0);
}

#[test]
fn our_own_volume_and_voice_activation_change_what_is_sent() {
    let mut client = Client::new();
    client.switch.set(true);
    let mut frames = |sound: Sound| {
        client.engine.set_sound(sound);
        let mut levels = Vec::new();
        for n in 0..40 {
            if let Some(frame) = client.engine.capture(&mut tone(440.0, n)) {
                levels.push(frame.level.unwrap());
            }
        }
        levels
    };
    let plain = frames(Sound::RAW);
    let soft = frames(Sound {
        input_volume: 10,
        ..Sound::RAW
    });
    assert_eq!(plain.len(), 40);
    // 20 dB softer; the header counts decibels below full scale.
    let (plain, soft) = (plain[39], soft[39]);
    assert!((19..=21).contains(&(soft - plain)), "{plain} {soft}");
    let quiet = frames(Sound {
        input_volume: 10,
        threshold: Some(-20),
        ..Sound::RAW
    });
    assert!(
        quiet.len() <= 1,
        "only the farewell leaves: {}",
        quiet.len()
    );
}

#[test]
fn one_hears_oneself_without_a_word_to_the_others() {
    let mut client = Client::new();
    client.engine.try_out(TrialStep::Record);
    for block in 0..300 {
        let mut sound = tone(440.0, block);
        assert!(client.engine.capture(&mut sound).is_none(), "sent");
    }
    client.engine.try_out(TrialStep::Play);
    let mut heard = Vec::new();
    for _ in 0..400 {
        client.play(&mut heard);
    }
    let own = dominant(&heard[48_000..96_000], 300.0, 600.0);
    assert!((own.hz - 440.0).abs() < 0.5, "{own:?}");
    // Three seconds were said, the fourth is silence.
    assert!(heard[3 * 48_000..].iter().all(|sample| sample.abs() < 1e-3));
    client.engine.try_out(TrialStep::End);
}
