use super::damper::HALF;
use super::*;
use crate::voice::level::Dbov;

/// A seeded source of chance, −0.5 to 0.5.
struct Chance(u32);

impl Chance {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 as f32 / u32::MAX as f32 - 0.5
    }
}

/// Something like speech: noise through a resonance, in syllables.
struct Talker {
    chance: Chance,
    held: f32,
    at: usize,
    pace: f32,
}

impl Talker {
    fn new(seed: u32, pace: f32) -> Self {
        Self {
            chance: Chance(seed),
            held: 0.0,
            at: 0,
            pace,
        }
    }

    fn say(&mut self) -> Block {
        Block(std::array::from_fn(|_| {
            self.at += 1;
            let envelope = (self.at as f32 / 48_000.0 * self.pace * std::f32::consts::TAU).sin();
            self.held += 0.2 * (self.chance.next() - self.held);
            self.held * envelope.max(0.0) * 1.2
        }))
    }
}

/// A room with a device before it: echoes after some samples, each with a loudness.
struct Room {
    line: Vec<f32>,
    at: usize,
    ways: Vec<(usize, f32)>,
}

impl Room {
    fn new(delay: usize) -> Self {
        let mut chance = Chance(5);
        let mut ways = vec![(delay, 0.3)];
        // Reflections within 40 ms, softer and softer.
        for n in 1..40 {
            ways.push((delay + n * 47, 0.2 * 0.9_f32.powi(n as i32) * chance.next()));
        }
        Self {
            line: vec![0.0; 48_000],
            at: 0,
            ways,
        }
    }

    /// What the microphone hears of a played block.
    fn echo(&mut self, played: &Block) -> Block {
        Block(std::array::from_fn(|n| {
            let length = self.line.len();
            self.line[self.at % length] = played.0[n];
            let heard = self
                .ways
                .iter()
                .map(|(delay, gain)| gain * self.line[(self.at + length - delay) % length])
                .sum();
            self.at += 1;
            heard
        }))
    }
}

fn power(block: &Block) -> f64 {
    block.0.iter().map(|s| f64::from(s * s)).sum()
}

fn decibels(before: f64, after: f64) -> f64 {
    10.0 * (before / after.max(1e-12)).log10()
}

/// Runs with somebody far away talking, through `room` (told the second); echo before and after, in decibels, for each second.
fn removed(
    canceller: &mut EchoCanceller,
    seconds: usize,
    mut room: impl FnMut(usize, &Block) -> Block,
) -> Vec<f64> {
    let mut far = Talker::new(7, 3.1);
    let mut hiss = Chance(99);
    (0..seconds)
        .map(|second| {
            let (mut before, mut after) = (0.0, 0.0);
            for _ in 0..100 {
                let said = far.say();
                canceller.played(&said);
                let mut heard = room(second, &said);
                before += power(&heard);
                for sample in &mut heard.0 {
                    *sample += hiss.next() * 2e-5;
                }
                canceller.captured(&mut heard);
                after += power(&heard);
            }
            decibels(before, after)
        })
        .collect()
}

#[test]
fn an_echo_is_gone_within_two_seconds_wherever_the_device_puts_it() {
    for delay in [960, 3_360, 8_640] {
        let mut room = Room::new(delay);
        let found = removed(&mut EchoCanceller::new(), 5, |_, said| room.echo(said));
        println!("{} ms: removed per second, dB: {found:.0?}", delay / 48);
        assert!(found[1] > 15.0, "in the second second {:.1} dB", found[1]);
        assert!(found[2..].iter().all(|db| *db > 30.0), "{found:.1?}");
    }
}

#[test]
fn a_way_that_jumps_is_found_again_within_two_seconds() {
    let mut before = Room::new(3_168);
    let mut after = Room::new(3_456);
    let found = removed(&mut EchoCanceller::new(), 9, |second, said| {
        let (one, other) = (before.echo(said), after.echo(said));
        if second < 5 { one } else { other }
    });
    println!("removed per second, jump after 5 s, dB: {found:.0?}");
    assert!(found[7] > 20.0 && found[8] > 25.0, "{found:.1?}");
}

#[test]
fn an_echo_that_begins_late_is_found_like_one_that_was_always_there() {
    // A headset is taken off, or plugged out where the system does not tell.
    let mut room = Room::new(3_168);
    let found = removed(&mut EchoCanceller::new(), 16, |second, said| {
        let echo = room.echo(said);
        if second < 10 { Block::SILENCE } else { echo }
    });
    println!("removed per second, echo from the tenth on, dB: {found:.0?}");
    assert!(found[12] > 20.0 && found[13] > 25.0, "{found:.1?}");
}

#[test]
fn a_loudspeaker_that_bends_the_sound_is_damped_all_the_same() {
    let mut room = Room::new(3_168);
    let found = removed(&mut EchoCanceller::new(), 6, |_, said| {
        let bent = Block(said.0.map(|s| (s * 8.0).tanh() / 8.0));
        room.echo(&bent)
    });
    println!("removed per second of bent sound, dB: {found:.0?}");
    assert!(found[3..].iter().all(|db| *db > 18.0), "{found:.1?}");
}

#[test]
fn who_talks_here_is_kept_while_others_talk() {
    let mut canceller = EchoCanceller::new();
    let mut room = Room::new(3_168);
    let mut far = Talker::new(7, 3.1);
    let mut near = Talker::new(1_234, 2.3);
    let (mut echo, mut wrong, mut right) = (0.0, 0.0, 0.0);
    let mut late = [0.0; HALF];
    for block in 0..1_000 {
        let said = far.say();
        canceller.played(&said);
        let mut heard = room.echo(&said);
        let spoken = if block < 300 {
            Block::SILENCE
        } else {
            near.say()
        };
        if block >= 300 {
            echo += power(&heard);
        }
        for (sample, spoken) in heard.0.iter_mut().zip(&spoken.0) {
            *sample += spoken;
        }
        canceller.captured(&mut heard);
        // As late as the canceller is.
        let mut expected = Block::SILENCE;
        expected.0[..HALF].copy_from_slice(&late);
        expected.0[HALF..].copy_from_slice(&spoken.0[..BLOCK - HALF]);
        late.copy_from_slice(&spoken.0[BLOCK - HALF..]);
        if block >= 300 {
            right += power(&expected);
            for (sample, expected) in heard.0.iter().zip(&expected.0) {
                wrong += f64::from((sample - expected).powi(2));
            }
        }
    }
    let (before, after) = (decibels(right, echo), decibels(right, wrong));
    println!("voice here against everything else: {before:.1} -> {after:.1} dB");
    assert!(after > before + 5.0 && after > 10.0);
}

#[test]
fn a_voice_passes_untouched_while_nothing_is_played() {
    let mut canceller = EchoCanceller::new();
    let mut near = Talker::new(3, 2.0);
    let mut late = [0.0; HALF];
    for _ in 0..100 {
        let spoken = near.say();
        let mut heard = spoken.clone();
        canceller.captured(&mut heard);
        assert_eq!(heard.0[..HALF], late);
        assert_eq!(heard.0[HALF..], spoken.0[..BLOCK - HALF]);
        late.copy_from_slice(&spoken.0[BLOCK - HALF..]);
    }
}

#[test]
fn loud_nonsense_and_uneven_turns_leave_it_in_order() {
    let mut canceller = EchoCanceller::new();
    let mut chance = Chance(11);
    for n in 0..300 {
        let noise = Block(std::array::from_fn(|_| chance.next() * 2e3));
        for _ in 0..n % 4 {
            canceller.played(&noise);
        }
        let mut heard = Block(std::array::from_fn(|_| chance.next() * 2e3));
        canceller.captured(&mut heard);
        assert!(heard.0.iter().all(|s| s.is_finite()), "block {n}");
    }
    let mut room = Room::new(960);
    let found = removed(&mut canceller, 8, |_, said| room.echo(said));
    println!("after nonsense, removed per second, dB: {found:.0?}");
    assert!(found[7] > 20.0, "{found:.1?}");
    let mut silence = Block::SILENCE;
    for _ in 0..2 * PARTITIONS {
        canceller.played(&Block::SILENCE);
        silence = Block::SILENCE;
        canceller.captured(&mut silence);
    }
    assert!(Dbov::of(&silence.0) < Dbov(-90.0));
}
