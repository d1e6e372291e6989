//! Whole copies of the packets before, in a packet's padding (RFC 6716 §3.2.5): what got lost comes back as it was.
//!
//! Opus' own redundancy makes a lost frame up again from a few bits. A copy is the frame itself, so that the decoder never
//! learns that anything was lost; it costs its bits once more, and is sent only where packets do get lost. SFUs forward it
//! untouched, and decoders that do not know it pass over it, as they do over deep redundancy (DRED).
//!
//! ```text
//! padding  = extension, then what libopus has put there
//! extension = ID and L flag (1 byte), length (laced), "Hc", copies      (draft-ietf-mlcodec-opus-extension §3)
//! copy      = samples before this packet / 120 (1 byte), length (laced), the packet with one frame and no padding
//! ```
//!
//! A laced length is a row of bytes that are summed; the first that is not 255 ends it. The nearest packet comes first, and
//! each is that of the sequence number before.

use std::ops::Range;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{GRAIN, LONGEST, duration, is_pause};

/// Most copies in a packet.
pub(super) const MOST: usize = 2;
/// Longest packet with copies: it shall fit into a datagram everywhere, with what RTP, SRTP and TURN put around it.
const LARGEST: usize = 1_100;
/// Our extension among those for experiments, with the flag that a length follows.
const ID: u8 = 121 << 1 | 1;
/// Nobody else's experiment begins like this.
const MARK: &[u8; 2] = b"Hc";

/// An earlier packet that came along with a later one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// How many sequence numbers before.
    pub packets: i64,
    /// How many samples before (48 kHz).
    pub samples: i64,
    /// The packet.
    pub data: Bytes,
}

/// The packets that were encoded last, the newest first.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// Each with the samples in it.
    kept: [Option<(Bytes, usize)>; MOST],
}

impl Copies {
    /// The next packet does not follow what was encoded before.
    pub(super) fn forget(&mut self) {
        self.kept = Default::default();
    }

    /// A packet of so many samples was made.
    pub(super) fn keep(&mut self, packet: &Bytes, samples: usize) {
        if is_pause(packet) {
            self.forget();
            return;
        }
        self.kept.rotate_right(1);
        self.kept[0] = Some((packet.clone(), samples));
    }

    /// Writes a packet of one frame with copies of up to `count` packets before it; without, if they do not fit.
    pub(super) fn write(&self, packet: &[u8], count: usize, out: &mut BytesMut) {
        let Some(Parts { frame, padding }) = parts(packet).filter(|_| !is_pause(packet)) else {
            return out.extend_from_slice(packet);
        };
        let mut samples = 0;
        let mut copies: [(u8, u8, &[u8]); MOST] = Default::default();
        let mut content = MARK.len();
        let mut written = 0;
        for (kept, place) in self.kept.iter().take(count).flatten().zip(&mut copies) {
            samples += kept.1;
            let (Ok(before), Some(parts)) = (u8::try_from(samples / GRAIN), parts(&kept.0)) else {
                break;
            };
            let copied = &kept.0[parts.frame];
            let more = 1 + laced(copied.len() + 1) + 1 + copied.len();
            if packet.len() + content + more + 10 > LARGEST {
                break;
            }
            content += more;
            *place = (before, kept.0[0] & !3, copied);
            written += 1;
        }
        if written == 0 {
            return out.extend_from_slice(packet);
        }
        // One frame, with padding.
        out.put_slice(&[packet[0] | 3, 0x41]);
        let mut padded = 1 + laced(content) + content + padding.len();
        while padded > 254 {
            out.put_u8(255);
            padded -= 254;
        }
        out.put_u8(padded as u8);
        out.extend_from_slice(&packet[frame]);
        out.put_u8(ID);
        put_laced(out, content);
        out.put_slice(MARK);
        for (before, toc, frame) in &copies[..written] {
            out.put_u8(*before);
            put_laced(out, frame.len() + 1);
            out.put_u8(*toc);
            out.extend_from_slice(frame);
        }
        out.extend_from_slice(&packet[padding]);
    }
}

/// The earlier packets that came along with this one, the nearest first.
pub fn copied(packet: &Bytes) -> impl Iterator<Item = Copied> {
    let mut rest = extension(packet).map_or(Bytes::new(), |range| packet.slice(range));
    let mut samples = 0;
    (1..=MOST as i64).map_while(move |packets| {
        let before = rest.try_get_u8().ok()? as usize * GRAIN;
        let length = take_laced(&mut rest)?;
        if length > rest.len() {
            return None;
        }
        let data = rest.split_to(length);
        // It ends where the one after it begins.
        let held = duration(&data).filter(|_| !is_pause(&data))?;
        let follows = before == samples + held && before <= LONGEST;
        samples = before;
        follows.then_some(Copied {
            packets,
            samples: before as i64,
            data,
        })
    })
}

/// What else is in a packet's padding.
pub(super) fn other_padding(packet: &[u8]) -> usize {
    let Some(Parts { padding, .. }) = parts(packet) else {
        return 0;
    };
    match extension(packet) {
        Some(ours) => padding.end - ours.end,
        None => padding.len(),
    }
}

/// Where the frame and the padding of a packet are.
struct Parts {
    frame: Range<usize>,
    padding: Range<usize>,
}

/// Of a packet with one frame; `None` for any other.
fn parts(packet: &[u8]) -> Option<Parts> {
    let end = packet.len();
    match packet.first()? & 3 {
        0 => Some(Parts {
            frame: 1..end,
            padding: end..end,
        }),
        3 => {
            let count = *packet.get(1)?;
            if count & 0x3f != 1 {
                return None;
            }
            let mut at = 2;
            let mut padding = 0;
            if count & 0x40 != 0 {
                // 255 stands for 254 bytes, and says that another length follows.
                while *packet.get(at)? == 255 {
                    padding += 254;
                    at += 1;
                }
                padding += usize::from(*packet.get(at)?);
                at += 1;
            }
            let split = end.checked_sub(padding).filter(|split| *split >= at)?;
            Some(Parts {
                frame: at..split,
                padding: split..end,
            })
        }
        _ => None,
    }
}

/// Where the copies are, if the padding begins with them.
fn extension(packet: &[u8]) -> Option<Range<usize>> {
    let padding = parts(packet)?.padding;
    let mut rest = packet.get(padding.clone())?.strip_prefix(&[ID])?;
    let length = take_laced(&mut rest)?;
    let from = padding.end - rest.len();
    let content = rest.get(..length)?.strip_prefix(MARK)?;
    Some(from + MARK.len()..from + MARK.len() + content.len())
}

/// Bytes that a laced length takes.
fn laced(length: usize) -> usize {
    length / 255 + 1
}

fn put_laced(out: &mut BytesMut, length: usize) {
    out.put_bytes(255, length / 255);
    out.put_u8((length % 255) as u8);
}

fn take_laced(from: &mut impl Buf) -> Option<usize> {
    let mut length = 0;
    loop {
        let byte = from.try_get_u8().ok()?;
        length += usize::from(byte);
        if byte != 255 {
            return Some(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::opus::{FRAME, VoiceDecoder, VoiceEncoder};

    /// A packet of one frame of 20 ms (hybrid, full band) with this in it.
    fn packet(fill: u8, length: usize) -> Bytes {
        std::iter::once(0x78)
            .chain(std::iter::repeat_n(fill, length))
            .collect()
    }

    fn written(copies: &Copies, packet: &[u8], count: usize) -> Bytes {
        let mut out = BytesMut::new();
        copies.write(packet, count, &mut out);
        out.freeze()
    }

    #[test]
    fn what_is_written_is_read_again_at_every_length() {
        for length in [3, 100, 253, 254, 255, 256, 300] {
            let mut copies = Copies::default();
            let mut all = Vec::new();
            for n in 0..4 {
                let bare = packet(n, length);
                let whole = written(&copies, &bare, MOST);
                assert_eq!(duration(&whole), Some(960), "older decoders see one frame");
                let parts = parts(&whole).unwrap();
                assert_eq!(&whole[parts.frame], &bare[1..], "and the frame itself");
                assert_eq!(other_padding(&whole), 0);
                copies.keep(&whole, 960);
                all.push((bare, whole));
            }
            let got: Vec<_> = copied(&all[3].1).collect();
            let expected: Vec<_> = (1..=2)
                .map(|back| Copied {
                    packets: back,
                    samples: back * 960,
                    data: all[3 - back as usize].0.clone(),
                })
                .collect();
            assert_eq!(got, expected, "{length} bytes");
            assert_eq!(copied(&all[1].1).count(), 1);
            assert_eq!(copied(&all[0].1).count(), 0);
        }
    }

    #[test]
    fn what_libopus_put_into_the_padding_stays_there() {
        let mut copies = Copies::default();
        copies.keep(&packet(1, 50), 960);
        // One frame of 3 bytes, and a padding of 4 with an extension to the end.
        let deep = [0x7b, 0x41, 4, 9, 9, 9, 126 << 1, b'D', 1, 2];
        let whole = written(&copies, &deep, 1);
        assert!(whole.ends_with(&deep[6..]));
        assert_eq!(other_padding(&whole), 4);
        assert_eq!(copied(&whole).count(), 1);
        assert_eq!(&whole[parts(&whole).unwrap().frame], &[9, 9, 9]);
    }

    #[test]
    fn nothing_is_copied_over_a_gap_nor_into_a_pause_nor_beyond_a_datagram() {
        let mut copies = Copies::default();
        copies.keep(&packet(1, 50), 960);
        copies.forget();
        let bare = packet(2, 50);
        assert_eq!(written(&copies, &bare, MOST), bare);
        copies.keep(&bare, 960);
        assert_eq!(written(&copies, &[0x78], MOST), [0x78][..]);
        copies.keep(&Bytes::from_static(&[0x78]), 960);
        assert_eq!(written(&copies, &bare, MOST), bare);
        for fill in 0..2 {
            copies.keep(&packet(fill, 500), 960);
        }
        let whole = written(&copies, &packet(3, 500), MOST);
        assert_eq!(copied(&whole).count(), 1);
        assert!(whole.len() <= LARGEST);
        assert_eq!(written(&copies, &bare, 0), bare);
    }

    #[test]
    fn whatever_comes_is_read_without_harm() {
        let mut copies = Copies::default();
        for n in 0..2 {
            copies.keep(&packet(n, 260), 960);
        }
        let whole = written(&copies, &packet(3, 20), MOST);
        for end in 0..whole.len() {
            let cut = whole.slice(..end);
            assert!(copied(&cut).count() <= MOST);
            other_padding(&cut);
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut bent = whole.to_vec();
                bent[at] ^= 1 << bit;
                let bent = Bytes::from(bent);
                for copy in copied(&bent) {
                    assert!((0..=LONGEST as i64).contains(&copy.samples));
                    assert!(duration(&copy.data).is_some());
                }
                other_padding(&bent);
            }
        }
    }

    /// A seeded source of chance: one of so many.
    fn chance(seed: u64) -> impl FnMut(usize) -> usize {
        let mut state = seed;
        move |count| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % count
        }
    }

    /// Reads whatever it is, and says how many copies are in it.
    fn read(packet: &Bytes) -> usize {
        let whole = packet.as_ptr_range();
        let (mut end, mut samples, mut count) = (whole.start, 0, 0);
        for copy in copied(packet) {
            let place = copy.data.as_ptr_range();
            assert!(end <= place.start && place.end <= whole.end, "{packet:?}");
            count += 1;
            assert_eq!(copy.packets, count);
            // Each ends where the one before it begins.
            let held = duration(&copy.data).unwrap() as i64;
            assert_eq!(copy.samples, samples + held, "{packet:?}");
            assert!(!is_pause(&copy.data));
            (end, samples) = (place.end, copy.samples);
        }
        assert!(count <= MOST as i64 && samples <= LONGEST as i64);
        if let Some(Parts { frame, padding }) = parts(packet) {
            assert!(0 < frame.start && frame.start <= frame.end);
            assert_eq!((frame.end, padding.end), (padding.start, packet.len()));
            assert!(other_padding(packet) <= padding.len());
        } else {
            assert_eq!((count, other_padding(packet)), (0, 0));
        }
        count as usize
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        let mut below = chance(1);
        let mut read_some = 0;
        for _ in 0..50_000 {
            let mut bytes: Vec<u8> = (0..below(60)).map(|_| below(256) as u8).collect();
            if below(4) > 0 {
                // Nearly as it should be: here and there a length, a start or a packet is another.
                let mut wrong = |right: usize| match below(12) {
                    0 => [0, 1, 2, 17, 253, 254, 255][below(7)],
                    1 => right + 1,
                    2 => right.saturating_sub(1),
                    _ => right,
                };
                let mut content = MARK.to_vec();
                for n in 1..=3 {
                    let length = wrong(20);
                    content.push(wrong(8 * n) as u8);
                    content.extend([wrong(length + 1) as u8, wrong(0x78) as u8]);
                    content.extend(std::iter::repeat_n(7, length));
                }
                let mut padding = vec![wrong(ID.into()) as u8, wrong(content.len()) as u8];
                padding.append(&mut content);
                let mut whole = vec![
                    wrong(0x7b) as u8,
                    wrong(0x41) as u8,
                    wrong(padding.len()) as u8,
                ];
                whole.extend([7; 9]);
                whole.append(&mut padding);
                bytes = whole;
            }
            read_some += read(&bytes.into()).min(1);
        }
        println!("{read_some} of 50000 had copies in them");
        assert!((1_000..45_000).contains(&read_some), "{read_some}");
    }

    #[test]
    fn what_one_sender_writes_is_what_another_reads() {
        let mut below = chance(2);
        let mut copies = Copies::default();
        // Each as it is alone, the newest first, with the samples in it.
        let mut before: Vec<(Bytes, usize)> = Vec::new();
        let mut seen = [0; MOST + 1];
        for _ in 0..20_000 {
            // Hybrid 20 and 10 ms, transform 20 ms, and voice 60 ms (RFC 6716 §3.1).
            let (toc, samples) = [(0x78, 960), (0x70, 480), (0xf8, 960), (0x18, 2_880)][below(4)];
            let length = [3, 20, 120, 252, 253, 254, 255, 256, 400][below(9)] + below(3);
            let frame: Vec<u8> = (0..length).map(|_| below(256) as u8).collect();
            let alone: Bytes = [&[toc][..], &frame].concat().into();
            let more = [0, 0, 9, 254, 255][below(5)];
            let packet: Bytes = match more {
                0 => alone.clone(),
                254 => [&[toc | 3, 0x41, 255, 0][..], &frame, &[8; 254]]
                    .concat()
                    .into(),
                255 => [&[toc | 3, 0x41, 255, 1][..], &frame, &[8; 255]]
                    .concat()
                    .into(),
                _ => [&[toc | 3, 0x41, 9][..], &frame, &[8; 9]].concat().into(),
            };
            let count = below(MOST + 1);
            let whole = written(&copies, &packet, count);

            assert_eq!(duration(&whole), Some(samples));
            let Parts { frame: at, .. } = parts(&whole).unwrap();
            assert_eq!(&whole[at], frame);
            assert_eq!(other_padding(&whole), more);
            let got: Vec<Copied> = copied(&whole).collect();
            assert_eq!(read(&whole), got.len());
            seen[got.len()] += 1;
            let mut start = 0;
            for (copy, (data, samples)) in got.iter().zip(&before) {
                start += *samples as i64;
                assert_eq!((&copy.data, copy.samples), (data, start));
            }
            if got.is_empty() {
                assert_eq!(whole, packet);
            } else {
                assert!(whole.len() <= LARGEST);
            }
            // Only what would not fit is left out.
            if let Some((data, _)) = before.iter().take(count).nth(got.len()) {
                assert!(whole.len().max(packet.len()) + data.len() + 20 > LARGEST);
            }

            match below(20) {
                0 => {
                    copies.forget();
                    before.clear();
                }
                1 => {
                    copies.keep(&Bytes::from_static(&[0x78]), 960);
                    before.clear();
                }
                _ => {
                    copies.keep(&whole, samples);
                    before.insert(0, (alone, samples));
                    before.truncate(MOST);
                }
            }
        }
        println!("{seen:?} packets with none, one and two copies");
        assert!(seen.iter().all(|seen| *seen > 1_000));
    }

    #[test]
    fn libopus_hears_the_same_with_and_without_copies() {
        let mut encoder = VoiceEncoder::new().unwrap();
        for _ in 0..5 {
            encoder.set_loss(0.2, false);
        }
        let [mut one, mut two] = [(); 2].map(|()| VoiceDecoder::new().unwrap());
        let (mut with, mut without) = ([0.0; FRAME], [0.0; FRAME]);
        let mut came = 0;
        for n in 0..50 {
            let pcm: [f32; FRAME] = std::array::from_fn(|k| {
                let at = (n * FRAME + k) as f32;
                (at * 0.03).sin() * 0.3 + (at * 0.0007).sin() * 0.2
            });
            let whole = encoder.encode(&pcm).unwrap();
            came += copied(&whole).count();
            let bare = [&[whole[0] & !3], &whole[parts(&whole).unwrap().frame]].concat();
            assert_eq!(one.decode(&whole, &mut with), Some(FRAME));
            assert_eq!(two.decode(&bare, &mut without), Some(FRAME));
            assert_eq!(with, without, "frame {n}");
        }
        assert!(came > 90, "{came}");
    }
}
