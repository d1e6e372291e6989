//! Packets that no honest sender and no kind network would bring, and copies that lie.

use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::voice::opus::LONGEST;

/// A shelf has 128 places. Besides what waits there only the packet at hand is kept.
const KEPT: usize = 129;
/// Frames sound in so many tones by turns, so that each is known when it is heard.
const TONES: usize = 16;

/// Hertz. Frames hold whole periods of it, so that there is no click from one to the next.
fn pitch(frame: usize) -> f64 {
    600.0 + 200.0 * (frame % TONES) as f64
}

/// Frames in their tones, each in a packet without redundancy of any kind.
fn packets(count: usize) -> Vec<Bytes> {
    let mut encoder = VoiceEncoder::new().unwrap();
    (0..count)
        .map(|n| {
            let pcm: [f32; FRAME] = std::array::from_fn(|k| tone(pitch(n), k));
            let packet = encoder.encode(&pcm).unwrap();
            assert_eq!(packet[0] & 3, 0, "one frame and nothing else");
            packet
        })
        .collect()
}

fn laced(length: usize) -> impl Iterator<Item = u8> {
    std::iter::repeat_n(255, length / 255).chain([(length % 255) as u8])
}

/// Copies as they stand in the padding: the start of each, in units of 2.5 ms before the packet, and the copied packet.
fn extension(copies: &[(u8, &[u8])]) -> Vec<u8> {
    let mut content = b"Hc".to_vec();
    for (before, data) in copies {
        content.push(*before);
        content.extend(laced(data.len()));
        content.extend_from_slice(data);
    }
    let mut whole = vec![121 << 1 | 1];
    whole.extend(laced(content.len()));
    whole.append(&mut content);
    whole
}

/// A packet of one frame without padding, with this padding.
fn padded(packet: &[u8], padding: &[u8]) -> Bytes {
    if padding.is_empty() {
        return Bytes::copy_from_slice(packet);
    }
    let mut whole = vec![packet[0] | 3, 0x41];
    // Each 255 says that 254 bytes and another length follow.
    let more = (padding.len() - 1) / 254;
    whole.extend(std::iter::repeat_n(255, more));
    whole.push((padding.len() - 254 * more) as u8);
    whole.extend_from_slice(&packet[1..]);
    whole.extend_from_slice(padding);
    whole.into()
}

/// What is done to the copies in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    None,
    /// They end too early.
    Cut,
    /// A length says what is not so: of the whole, or of one copy.
    Length,
    /// They are not marked as ours.
    Mark,
    /// They begin where no packet began.
    Time,
    /// They hold more than they say, or less.
    Duration,
    /// Bits are turned anywhere in them.
    Bits,
    /// They are of quite another packet.
    Other,
    /// The nearest comes in the place of both.
    Twice,
}

/// Damage that can be told from the copies themselves: none of it is ever heard.
const EVIDENT: [Damage; 5] = [
    Damage::Cut,
    Damage::Length,
    Damage::Mark,
    Damage::Time,
    Damage::Duration,
];
const ANY: [Damage; 9] = [
    Damage::None,
    Damage::Cut,
    Damage::Length,
    Damage::Mark,
    Damage::Time,
    Damage::Duration,
    Damage::Bits,
    Damage::Other,
    Damage::Twice,
];

/// The packet with up to two copies of those before it, damaged.
fn with_copies(packets: &[Bytes], n: usize, damage: Damage, chance: &mut Chance) -> Bytes {
    let back = |back: usize| n.checked_sub(back).map(|at| &packets[at][..]);
    let mut copies: Vec<(u8, &[u8])> = (1..=2)
        .filter_map(|k| Some((8 * k as u8, back(k)?)))
        .collect();
    let Some(nearest) = copies.first().copied() else {
        return packets[n].clone();
    };
    // The same in less time: 10 ms (RFC 6716 §3.1).
    let shorter: Vec<u8> = std::iter::once(nearest.1[0] - 8)
        .chain(nearest.1[1..].iter().copied())
        .collect();
    match damage {
        Damage::Time => copies[0].0 = [0, 7, 9, 16, 255][chance.below(5)],
        Damage::Duration => copies[0].1 = &shorter,
        Damage::Other => {
            for (_, data) in &mut copies {
                *data = &packets[chance.below(packets.len())];
            }
        }
        Damage::Twice => copies = vec![nearest, (nearest.0 * 2, nearest.1)],
        _ => {}
    }
    let mut padding = extension(&copies);
    let mark = padding.windows(2).position(|two| two == b"Hc").unwrap();
    match damage {
        Damage::Cut => padding.truncate(1 + chance.below(nearest.1.len())),
        // Of the whole: beyond the packet, or beyond any.
        Damage::Length if chance.next() < 0.5 => {
            let byte = 255 - chance.below(2) as u8;
            let count = 2 + chance.below(8);
            padding[1..][..count].fill(byte);
        }
        // Of the nearest copy, behind its mark and its start.
        Damage::Length => {
            let length = &mut padding[mark + 3];
            let (right, wrong) = (*length, [0, 1, 2, 255][chance.below(4)]);
            *length = if wrong == right { 0 } else { wrong };
        }
        Damage::Mark => padding[[0, mark][chance.below(2)]] ^= 2,
        Damage::Bits => {
            for _ in 0..=chance.below(4) {
                let at = chance.below(padding.len());
                padding[at] ^= 1 << chance.below(8);
            }
        }
        _ => {}
    }
    let whole = padded(&packets[n], &padding);
    match damage {
        Damage::None => assert_eq!(opus::copied(&whole).count(), copies.len()),
        _ if EVIDENT.contains(&damage) => assert_eq!(opus::copied(&whole).count(), 0, "{damage:?}"),
        _ => {}
    }
    whole
}

/// When which frame is first heard, milliseconds. Panics if a frame is heard again, or after a later one.
fn frames_heard(heard: &[f32]) -> Vec<(f64, usize)> {
    const WINDOW: usize = 480;
    let ears: Vec<Vec<(f32, f32)>> = (0..TONES)
        .map(|n| {
            (0..WINDOW)
                .map(|k| {
                    let phase = k as f64 / 48_000.0 * pitch(n) * std::f64::consts::TAU;
                    (phase.sin() as f32, phase.cos() as f32)
                })
                .collect()
        })
        .collect();
    let mut frames: Vec<(f64, usize)> = Vec::new();
    for at in (0..heard.len() - WINDOW).step_by(WINDOW / 2) {
        let window = &heard[at..at + WINDOW];
        let energy: f32 = window.iter().map(|s| s * s).sum();
        if energy < 0.01 * WINDOW as f32 {
            continue;
        }
        let power = |ear: &Vec<(f32, f32)>| {
            let (mut s, mut c) = (0.0, 0.0);
            for (sample, (sine, cosine)) in window.iter().zip(ear) {
                s += sample * sine;
                c += sample * cosine;
            }
            (s * s + c * c) * 2.0 / WINDOW as f32
        };
        // Between two frames neither is clear.
        let Some(tone) = ears.iter().position(|ear| power(ear) > 0.8 * energy) else {
            continue;
        };
        let ms = at as f64 / 48.0;
        let Some((_, last)) = frames.last().copied() else {
            frames.push((ms, tone));
            continue;
        };
        let step = (tone + TONES - last % TONES) % TONES;
        assert!(
            step < TONES / 2,
            "frame {} after {last}, at {ms:.0} ms",
            (last + step).saturating_sub(TONES)
        );
        if step > 0 {
            frames.push((ms, last + step));
        }
    }
    frames
}

/// A packet that tells when nobody has it any more.
struct Kept(
    Vec<u8>,
    #[expect(dead_code, reason = "it is counted")] Arc<()>,
);

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[test]
fn nothing_that_a_network_can_send_panics_or_hangs_or_is_kept_for_long() {
    let mut chance = Chance(99);
    let epoch = Instant::now();
    let plain = packets(600);
    for round in 0..24usize {
        let wild = round % 4;
        let kept = Arc::new(());
        let mut buffer = JitterBuffer::new().unwrap();
        // A sturdy one brings copies and redundancy by itself.
        let mut encoder = VoiceEncoder::new().unwrap();
        for _ in 0..5 {
            encoder.set_loss(0.2, false);
        }
        let sturdy = round / 4 % 2 == 1;
        let mut before: Option<(u16, u32, Vec<u8>)> = None;
        let mut block = [0.0; BLOCK];
        let (mut seq, mut rtp) = (0u16, 0u32);
        let push = |buffer: &mut JitterBuffer, seq, rtp_time, ms: usize, data: &[u8]| {
            buffer.push(MediaPacket {
                seq,
                rtp_time,
                marker: false,
                arrived: epoch + Duration::from_millis(ms as u64),
                data: Bytes::from_owner(Kept(data.to_vec(), kept.clone())),
            });
        };
        let check = |buffer: &JitterBuffer| {
            assert!(Arc::strong_count(&kept) - 1 <= KEPT);
            assert!(buffer.pcm.len() <= 3 * LONGEST);
            assert!((8.0..=200.0).contains(&buffer.target()));
            assert!(buffer.delay().is_finite());
        };
        for step in 0..500 {
            if chance.next() < 0.8 {
                let whole = if sturdy {
                    let pcm: [f32; FRAME] = std::array::from_fn(|k| voice(step * FRAME + k));
                    encoder.encode(&pcm).unwrap()
                } else {
                    let damage = ANY[chance.below(ANY.len())];
                    with_copies(&plain, step, damage, &mut chance)
                };
                let data: Vec<u8> = match chance.below(6) {
                    0 if wild > 0 => (0..chance.below(80))
                        .map(|_| chance.below(256) as u8)
                        .collect(),
                    1 if wild > 1 => whole[..chance.below(whole.len())].to_vec(),
                    2 if wild > 1 => {
                        let mut data = whole.to_vec();
                        let at = chance.below(data.len());
                        data[at] ^= 1 << chance.below(8);
                        data
                    }
                    _ => whole.to_vec(),
                };
                if wild > 2 && chance.next() < 0.3 {
                    seq = chance.below(65_536) as u16;
                }
                if wild > 0 && chance.next() < 0.2 {
                    rtp = (chance.next() * 4_294_967_296.0) as u32;
                }
                let ms = step * 20 + chance.below(4_000);
                push(&mut buffer, seq, rtp, ms, &data);
                // Those before come again, with what they brought, or with the same numbers and something else.
                match (before.take(), chance.below(8)) {
                    (Some((seq, rtp, data)), 0) => push(&mut buffer, seq, rtp, ms, &data),
                    (Some((seq, rtp, _)), 1) => push(&mut buffer, seq, rtp, ms, &data),
                    _ => {}
                }
                before = Some((seq, rtp, data));
                seq = seq.wrapping_add(chance.below(3) as u16);
                rtp = rtp.wrapping_add(match wild {
                    0 => FRAME as u32,
                    _ => chance.below(4_000) as u32,
                });
            }
            for _ in 0..2 {
                buffer.render(&mut block);
                assert!(block.iter().all(|s| s.is_finite()));
            }
            check(&buffer);
        }
        let figures = buffer.figures();
        assert!(figures.concealed <= figures.samples + 48_000);
        // Whatever it was: who speaks next is heard.
        let mut heard = Vec::new();
        for (n, data) in plain.iter().take(100).enumerate() {
            seq = seq.wrapping_add(1);
            rtp = rtp.wrapping_add(FRAME as u32);
            push(&mut buffer, seq, rtp, 10_000 + n * 20, data);
            for _ in 0..2 {
                buffer.render(&mut block);
                heard.extend_from_slice(&block);
            }
            check(&buffer);
        }
        let frames = frames_heard(&heard[50 * FRAME..]);
        println!(
            "round {round}: {figures:?}, then {} of 50 frames",
            frames.len()
        );
        assert!(frames.len() > 40, "{} of 50", frames.len());
        drop(buffer);
        assert_eq!(Arc::strong_count(&kept), 1);
    }
}

#[test]
fn copies_of_what_came_change_nothing_whatever_they_say() {
    let mut chance = Chance(3);
    let plain = packets(300);
    let mut with = Rig::new();
    let mut without = Rig::new();
    let network = |n: usize| n as f64 * 20.0 + (n % 3) as f64 * 6.0;
    let sent = (0..plain.len())
        .map(|n| {
            // Before the first one nothing came.
            let damage = if n < 3 {
                Damage::None
            } else {
                ANY[chance.below(ANY.len())]
            };
            with.sent(n, network(n), with_copies(&plain, n, damage, &mut chance))
        })
        .collect();
    with.run(sent, 6_000.0);
    let sent = (0..plain.len())
        .map(|n| without.sent(n, network(n), plain[n].clone()))
        .collect();
    without.run(sent, 6_000.0);
    assert_eq!(with.buffer.figures(), without.buffer.figures());
    assert!(with.heard == without.heard);
    assert!(frames_heard(&with.heard).len() > 280);
}

#[test]
fn what_is_lost_is_heard_once_and_in_its_place_whatever_else_comes_along() {
    for (seed, honest) in [(1, 1.0), (2, 1.0), (3, 0.6), (4, 0.0)] {
        let mut chance = Chance(seed);
        let plain = packets(600);
        let mut rig = Rig::new();
        let mut sent = Vec::new();
        let mut lost = 0;
        for n in 0..plain.len() {
            let damage = if chance.next() < honest {
                Damage::None
            } else {
                EVIDENT[chance.below(EVIDENT.len())]
            };
            let data = with_copies(&plain, n, damage, &mut chance);
            if n > 50 && chance.next() < 0.1 {
                lost += 1;
                continue;
            }
            // Some overtake others, and some come twice.
            for _ in 0..=usize::from(chance.next() < 0.1) {
                let at_ms = n as f64 * 20.0 + chance.next() * 45.0;
                sent.push(rig.sent(n, at_ms, data.clone()));
            }
        }
        sent.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        rig.run(sent, 12_000.0);
        let frames = frames_heard(&rig.heard);
        let waits = frames.iter().skip(100).map(|(ms, n)| ms - *n as f64 * 20.0);
        let (least, most) = waits.fold((f64::MAX, f64::MIN), |(least, most), wait| {
            (least.min(wait), most.max(wait))
        });
        let figures = rig.buffer.figures();
        println!(
            "{:.0} % of the copies are true, {lost} packets lost: {} frames heard, {least:.0}..{most:.0} ms after they were sent, \
             {} recovered, {:.2} % concealed, target {:.0} ms",
            honest * 100.0,
            frames.len(),
            figures.recovered / FRAME as u64,
            rig.concealed() * 100.0,
            rig.buffer.target()
        );
        assert!(least > 0.0 && most < 150.0, "{least}..{most} ms");
        assert!(most - least < 60.0, "{least}..{most} ms");
        if honest == 1.0 {
            assert!(rig.concealed() < 0.01 && frames.len() > 590);
        } else {
            assert!(rig.concealed() < 0.15 && frames.len() > 500);
        }
    }
}

#[test]
fn an_original_that_comes_after_its_copy_is_heard_once_and_in_time() {
    let plain = packets(400);
    let mut chance = Chance(1);
    let mut rig = Rig::new();
    let mut sent: Vec<_> = (0..plain.len())
        .map(|n| {
            // Behind the next one and its copy.
            let late = if n % 10 == 5 { 27.0 } else { 0.0 };
            let data = with_copies(&plain, n, Damage::None, &mut chance);
            rig.sent(n, n as f64 * 20.0 + late, data)
        })
        .collect();
    sent.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
    rig.run(sent, 8_000.0);
    let figures = rig.buffer.figures();
    let frames = frames_heard(&rig.heard);
    let waits = || frames.iter().skip(50).map(|(ms, n)| ms - *n as f64 * 20.0);
    let (least, most) = (
        waits().fold(f64::MAX, f64::min),
        waits().fold(0.0, f64::max),
    );
    println!(
        "{} of 400 frames heard, {least:.0}..{most:.0} ms after they were sent, {figures:?}",
        frames.len()
    );
    assert!(frames.len() > 397);
    assert_eq!(
        (figures.concealed, figures.cut, figures.stretched),
        (0, 0, 0)
    );
    assert!(most - least < 15.0, "{least}..{most} ms");
}
