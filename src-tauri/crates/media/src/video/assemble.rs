//! RTP payloads into whole VP8 frames (RFC 7741).
//!
//! Packets that the network lost are sent again on request, so they come late and out of order: a gap is waited for.
//! Only when that takes too long, the frames up to the next key frame are given up, and the caller asks for one.
//! Time is an argument; memory is bounded.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use calls_core::port::media::MediaPacket;

/// How long a missing packet may take. The server asks for it within 100 ms and so do we; three round trips of a slow
/// line fit. Longer, and a key frame is the faster way out.
pub const GAP_WAIT: Duration = Duration::from_millis(500);

/// How long a key frame may be on its way once it has begun. A screen full of text has half a megabyte.
const KEY_WAIT: Duration = Duration::from_millis(1500);

/// Packets kept: 2.4 MB, several key frames of a large screen. More mean that nothing fits together.
const MAX_PACKETS: usize = 2048;

/// A jump of the sequence number larger than this is another stream, not a loss.
const MAX_JUMP: i64 = 3000;

/// A whole frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// VP8 data.
    pub data: Vec<u8>,
    /// It can be decoded without any other.
    pub key: bool,
    /// RTP timestamp, 90 kHz.
    pub rtp_time: u32,
    /// When its last packet came.
    pub arrived: Instant,
}

#[derive(Debug)]
struct Part {
    rtp_time: u32,
    marker: bool,
    /// First packet of a frame.
    start: bool,
    key: bool,
    arrived: Instant,
    data: Bytes,
}

/// Puts the packets of one stream together.
#[derive(Debug, Default)]
pub struct Assembler {
    parts: BTreeMap<i64, Part>,
    /// Highest extended sequence number.
    highest: Option<i64>,
    /// The sequence number with which the next frame begins; `None` until a key frame has come.
    next: Option<i64>,
    gap_since: Option<Instant>,
    dropped: u64,
}

impl Assembler {
    /// An assembler that waits for a key frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing can be shown before a key frame comes.
    #[must_use]
    pub fn needs_key_frame(&self) -> bool {
        self.next.is_none()
    }

    /// A key frame has begun to come: asking for another one now would only make both late.
    #[must_use]
    pub fn key_frame_comes(&self, now: Instant) -> bool {
        self.parts
            .values()
            .any(|part| part.key && now.saturating_duration_since(part.arrived) < KEY_WAIT)
    }

    /// The decoder cannot go on from here.
    pub fn lost(&mut self) {
        self.next = None;
        self.gap_since = None;
    }

    /// Packets thrown away because they were late, malformed, or had no frame to belong to.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Files a packet.
    pub fn push(&mut self, packet: MediaPacket) {
        let Some(seq) = self.extended(packet.seq) else {
            self.parts.clear();
            self.lost();
            self.highest = Some(i64::from(packet.seq));
            return self.push(packet);
        };
        if self.next.is_some_and(|next| seq < next) || self.parts.contains_key(&seq) {
            self.dropped += 1;
            return;
        }
        let part = if packet.data.is_empty() {
            // Padding: it only fills the numbering.
            Part {
                rtp_time: packet.rtp_time,
                marker: false,
                start: false,
                key: false,
                arrived: packet.arrived,
                data: Bytes::new(),
            }
        } else {
            let Some((start, offset)) = descriptor(&packet.data) else {
                self.dropped += 1;
                return;
            };
            let data = packet.data.slice(offset..);
            Part {
                rtp_time: packet.rtp_time,
                marker: packet.marker,
                start,
                // RFC 6386 §9.1: the first bit of a frame is 0 for a key frame.
                key: start && data.first().is_some_and(|first| first & 1 == 0),
                arrived: packet.arrived,
                data,
            }
        };
        if self.parts.len() >= MAX_PACKETS {
            self.dropped += self.parts.len() as u64;
            self.parts.clear();
            self.lost();
        }
        self.parts.insert(seq, part);
    }

    /// The sequence number among its neighbours; `None` when it has none.
    fn extended(&mut self, seq: u16) -> Option<i64> {
        let Some(highest) = self.highest else {
            self.highest = Some(i64::from(seq));
            return self.highest;
        };
        let step = i64::from(seq.wrapping_sub(highest as u16).cast_signed());
        if step.abs() > MAX_JUMP {
            return None;
        }
        self.highest = Some(highest.max(highest + step));
        Some(highest + step)
    }

    /// The next whole frame, in order.
    pub fn poll(&mut self, now: Instant) -> Option<Frame> {
        loop {
            let Some(next) = self.next else {
                return self.poll_key();
            };
            match self.end_of(next) {
                End::At(end) => return Some(self.take(next, end)),
                End::Padding => {
                    self.parts.remove(&next);
                    self.next = Some(next + 1);
                }
                End::Broken => self.lost(),
                End::Missing => {
                    let later = self
                        .parts
                        .range(next..)
                        .any(|(_, part)| !part.data.is_empty());
                    if !later {
                        self.gap_since = None;
                        return None;
                    }
                    let since = *self.gap_since.get_or_insert(now);
                    let waited = now.saturating_duration_since(since) >= GAP_WAIT;
                    if !waited && self.whole_key_after(next).is_none() {
                        return None;
                    }
                    self.lost();
                }
            }
        }
    }

    /// When [`Self::poll`] has something to do without another packet.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.gap_since.map(|since| since + GAP_WAIT)
    }

    fn poll_key(&mut self) -> Option<Frame> {
        let first = *self.parts.first_key_value()?.0;
        let Some((start, end)) = self.whole_key_after(first) else {
            // Nothing before the newest beginning of a key frame will ever be shown.
            let keep = self
                .parts
                .iter()
                .rev()
                .find(|(_, part)| part.key)
                .map(|(seq, _)| *seq);
            let before = self.parts.len();
            match keep {
                Some(keep) => self.parts = self.parts.split_off(&keep),
                None => self.parts.clear(),
            }
            self.dropped += (before - self.parts.len()) as u64;
            return None;
        };
        Some(self.take(start, end))
    }

    fn take(&mut self, start: i64, end: i64) -> Frame {
        let rest = self.parts.split_off(&(end + 1));
        let taken = std::mem::replace(&mut self.parts, rest);
        let mut frame = Frame {
            data: Vec::with_capacity(taken.values().map(|part| part.data.len()).sum()),
            key: false,
            rtp_time: 0,
            arrived: Instant::now(),
        };
        let mut first = true;
        for part in taken.range(start..).map(|(_, part)| part) {
            if first {
                frame.key = part.key;
                frame.rtp_time = part.rtp_time;
                frame.arrived = part.arrived;
                first = false;
            }
            frame.arrived = frame.arrived.max(part.arrived);
            frame.data.extend_from_slice(&part.data);
        }
        self.next = Some(end + 1);
        self.gap_since = None;
        frame
    }

    /// Where the frame that begins at `start` ends.
    fn end_of(&self, start: i64) -> End {
        let Some(first) = self.parts.get(&start) else {
            return End::Missing;
        };
        if first.data.is_empty() {
            return End::Padding;
        }
        if !first.start {
            return End::Broken;
        }
        let mut at = start;
        loop {
            let Some(part) = self.parts.get(&at) else {
                return End::Missing;
            };
            let other = part.rtp_time != first.rtp_time || (at > start && part.start);
            if other || (at > start && part.data.is_empty()) {
                // A sender that sets no marker: the next frame's beginning ends this one.
                return End::At(at - 1);
            }
            if part.marker {
                return End::At(at);
            }
            at += 1;
        }
    }

    /// The newest whole key frame at or after `from`.
    fn whole_key_after(&self, from: i64) -> Option<(i64, i64)> {
        self.parts
            .range(from..)
            .rev()
            .filter(|(_, part)| part.key)
            .find_map(|(seq, _)| match self.end_of(*seq) {
                End::At(end) => Some((*seq, end)),
                _ => None,
            })
    }
}

enum End {
    At(i64),
    Padding,
    Missing,
    Broken,
}

/// Reads the VP8 payload descriptor (RFC 7741 §4.2): whether a frame begins here, and where its data do.
fn descriptor(payload: &[u8]) -> Option<(bool, usize)> {
    let first = *payload.first()?;
    // S bit and partition index 0. Other partitions may begin packets, too, but no frames.
    let start = first & 0x10 != 0 && first & 0x07 == 0;
    let mut at = 1;
    if first & 0x80 != 0 {
        let extra = *payload.get(at)?;
        at += 1;
        if extra & 0x80 != 0 {
            // Picture id, 7 or 15 bits.
            at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
        }
        if extra & 0x40 != 0 {
            at += 1;
        }
        if extra & 0x30 != 0 {
            at += 1;
        }
    }
    (at < payload.len()).then_some((start, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stream {
        seq: u16,
        time: u32,
        epoch: Instant,
    }

    impl Stream {
        fn new(seq: u16) -> Self {
            Self {
                seq,
                time: 0,
                epoch: Instant::now(),
            }
        }

        /// A frame in `parts` packets, whose bytes tell `n`.
        fn frame(&mut self, n: u8, key: bool, parts: usize) -> Vec<MediaPacket> {
            self.time += 3000;
            (0..parts)
                .map(|part| {
                    let start = part == 0;
                    let mut data = vec![if start { 0x90 } else { 0x80 }, 0x80, 0x80, n];
                    data.push(if start { u8::from(!key) } else { 0xff });
                    data.push(n);
                    let packet = MediaPacket {
                        seq: self.seq,
                        rtp_time: self.time,
                        marker: part + 1 == parts,
                        arrived: self.epoch,
                        data: data.into(),
                    };
                    self.seq = self.seq.wrapping_add(1);
                    packet
                })
                .collect()
        }
    }

    fn polled(assembler: &mut Assembler, now: Instant) -> Vec<u8> {
        std::iter::from_fn(|| assembler.poll(now))
            .map(|frame| frame.data[1])
            .collect()
    }

    #[test]
    fn frames_come_whole_and_in_order_whatever_the_order_of_packets() {
        for order in 0..24_u64 {
            let mut stream = Stream::new(u16::MAX - 3);
            let mut packets = stream.frame(0, true, 3);
            for n in 1..6 {
                packets.extend(stream.frame(n, false, 2));
            }
            // Shuffled within windows of four, differently each time; the very first stays.
            let mut seed = order;
            for window in packets[1..].chunks_mut(4) {
                for at in (1..window.len()).rev() {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    window.swap(at, (seed >> 33) as usize % (at + 1));
                }
            }
            let mut assembler = Assembler::new();
            let mut seen = Vec::new();
            for packet in packets {
                assembler.push(packet);
                seen.extend(polled(&mut assembler, stream.epoch));
            }
            assert_eq!(seen, [0, 1, 2, 3, 4, 5], "order {order}");
        }
    }

    #[test]
    fn nothing_is_shown_before_a_key_frame() {
        let mut stream = Stream::new(7);
        let mut assembler = Assembler::new();
        for packet in stream.frame(1, false, 2) {
            assembler.push(packet);
        }
        assert!(polled(&mut assembler, stream.epoch).is_empty());
        assert!(assembler.needs_key_frame());
        for packet in stream.frame(2, true, 2) {
            assembler.push(packet);
        }
        assert_eq!(polled(&mut assembler, stream.epoch), [2]);
        assert!(!assembler.needs_key_frame());
    }

    #[test]
    fn a_lost_packet_is_waited_for_and_then_given_up_for_a_key_frame() {
        let mut stream = Stream::new(0);
        let mut assembler = Assembler::new();
        let epoch = stream.epoch;
        stream
            .frame(0, true, 1)
            .into_iter()
            .for_each(|p| assembler.push(p));
        let lost = stream.frame(1, false, 1);
        stream
            .frame(2, false, 1)
            .into_iter()
            .for_each(|p| assembler.push(p));
        assert_eq!(polled(&mut assembler, epoch), [0]);
        assert_eq!(assembler.deadline(), Some(epoch + GAP_WAIT));
        // It comes after all.
        lost.into_iter().for_each(|p| assembler.push(p));
        assert_eq!(polled(&mut assembler, epoch), [1, 2]);
        assert_eq!(assembler.deadline(), None);
        // The next one does not.
        stream.frame(3, false, 1);
        stream
            .frame(4, false, 1)
            .into_iter()
            .for_each(|p| assembler.push(p));
        assert!(polled(&mut assembler, epoch).is_empty());
        assert!(!assembler.needs_key_frame());
        assert!(polled(&mut assembler, epoch + GAP_WAIT).is_empty());
        assert!(assembler.needs_key_frame());
        stream
            .frame(5, true, 2)
            .into_iter()
            .for_each(|p| assembler.push(p));
        assert_eq!(polled(&mut assembler, epoch + GAP_WAIT), [5]);
    }

    #[test]
    fn a_key_frame_that_has_begun_is_waited_for_and_not_for_ever() {
        let mut stream = Stream::new(0);
        let mut assembler = Assembler::new();
        let begun = stream.frame(0, true, 3).swap_remove(0);
        assert!(!assembler.key_frame_comes(stream.epoch));
        assembler.push(begun);
        assert!(polled(&mut assembler, stream.epoch).is_empty());
        assert!(assembler.needs_key_frame() && assembler.key_frame_comes(stream.epoch));
        assert!(!assembler.key_frame_comes(stream.epoch + KEY_WAIT));
    }

    #[test]
    fn a_whole_key_frame_ends_the_waiting_at_once() {
        let mut stream = Stream::new(0);
        let mut assembler = Assembler::new();
        stream
            .frame(0, true, 1)
            .into_iter()
            .for_each(|p| assembler.push(p));
        stream.frame(1, false, 1);
        stream
            .frame(2, false, 1)
            .into_iter()
            .for_each(|p| assembler.push(p));
        stream
            .frame(3, true, 1)
            .into_iter()
            .for_each(|p| assembler.push(p));
        // The newest beginning is the one worth showing.
        assert_eq!(polled(&mut assembler, stream.epoch), [3]);
    }

    #[test]
    fn padding_between_frames_is_no_gap() {
        let mut stream = Stream::new(10);
        let mut assembler = Assembler::new();
        stream
            .frame(0, true, 1)
            .into_iter()
            .for_each(|p| assembler.push(p));
        let mut padding = stream.frame(9, false, 1);
        padding[0].data = Bytes::new();
        padding.into_iter().for_each(|p| assembler.push(p));
        stream
            .frame(1, false, 1)
            .into_iter()
            .for_each(|p| assembler.push(p));
        assert_eq!(polled(&mut assembler, stream.epoch), [0, 1]);
    }

    #[test]
    fn a_new_stream_under_the_same_name_begins_anew() {
        let mut assembler = Assembler::new();
        let mut first = Stream::new(100);
        first
            .frame(1, true, 1)
            .into_iter()
            .for_each(|p| assembler.push(p));
        assert_eq!(polled(&mut assembler, first.epoch), [1]);
        let mut second = Stream::new(40_000);
        second
            .frame(2, true, 1)
            .into_iter()
            .for_each(|p| assembler.push(p));
        assert_eq!(polled(&mut assembler, first.epoch), [2]);
    }

    #[test]
    fn hostile_packets_neither_panic_nor_fill_the_memory() {
        let mut assembler = Assembler::new();
        let epoch = Instant::now();
        let mut seed = 9_u64;
        for n in 0..20_000_u32 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let length = (seed >> 60) as usize;
            let data: Vec<u8> = (0..length).map(|at| (seed >> (at % 8 * 8)) as u8).collect();
            assembler.push(MediaPacket {
                seq: if n % 3 == 0 {
                    (seed >> 40) as u16
                } else {
                    n as u16
                },
                rtp_time: (seed >> 20) as u32,
                marker: seed & 1 == 0,
                arrived: epoch,
                data: data.into(),
            });
            if n % 7 == 0 {
                polled_any(&mut assembler, epoch + Duration::from_millis(u64::from(n)));
            }
            assert!(assembler.parts.len() <= MAX_PACKETS);
        }
    }

    fn polled_any(assembler: &mut Assembler, now: Instant) {
        while assembler.poll(now).is_some() {}
    }
}
