//! Where packets wait, in the order in which they were sent.

use bytes::Bytes;
use calls_core::port::media::MediaPacket;

use crate::voice::opus;

/// A packet with its place in the order.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Extended sequence number.
    pub seq: i64,
    /// Extended timestamp of the first sample, 48 kHz.
    pub rtp: i64,
    /// Samples in it.
    pub duration: usize,
    /// The Opus packet.
    pub data: Bytes,
    /// It came along with a later one.
    pub copied: bool,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filed {
    /// It waits now.
    Kept {
        /// Extended sequence number.
        seq: i64,
        /// Extended timestamp.
        rtp: i64,
    },
    /// It waits now; everything before was thrown away, because the sender started anew or ran far ahead.
    Restarted {
        /// Extended sequence number.
        seq: i64,
        /// Extended timestamp.
        rtp: i64,
    },
    /// It came too late.
    Late {
        /// Extended timestamp.
        rtp: i64,
    },
    /// It is here already.
    Twice,
    /// It cannot be used, or not yet.
    Refused,
}

/// Places, so at most this many packets wait: 2.5 s at 20 ms, far more than the longest wait.
const PLACES: usize = 128;
/// A jump of the sequence number beyond this is not reordering. Two packets in a row must agree on it before it is
/// believed (RFC 3550 A.1), so that a single forged packet does not stop the sound.
const JUMP: i64 = 100;

/// Packets by sequence number; a fixed number of places, nothing is allocated.
#[derive(Debug)]
pub struct Shelf {
    places: Vec<Option<Stored>>,
    /// Newest packet seen: extended sequence number and timestamp.
    newest: Option<(i64, i64)>,
    /// After a jump: the sequence number that would confirm it.
    suspect: Option<u16>,
    /// Packets before this one are late.
    next: i64,
    waiting: usize,
}

impl Shelf {
    /// An empty shelf.
    #[must_use]
    pub fn new() -> Self {
        Self {
            places: vec![None; PLACES],
            newest: None,
            suspect: None,
            next: i64::MIN,
            waiting: 0,
        }
    }

    /// Files a packet.
    pub fn file(&mut self, packet: MediaPacket) -> Filed {
        let Some(duration) = opus::duration(&packet.data) else {
            return Filed::Refused;
        };
        let Some((newest_seq, newest_rtp)) = self.newest else {
            return self.restart(packet, duration);
        };
        let seq_step = i64::from(packet.seq.wrapping_sub(newest_seq as u16) as i16);
        let rtp_step = i64::from(packet.rtp_time.wrapping_sub(newest_rtp as u32) as i32);
        // Time must run with the numbers. It may run faster (a pause), but not backwards.
        let sane = seq_step.abs() <= JUMP
            && (seq_step == 0) == (rtp_step == 0)
            && (seq_step > 0) == (rtp_step > 0);
        if !sane {
            let expected = self.suspect.replace(packet.seq.wrapping_add(1));
            return if expected == Some(packet.seq) {
                self.restart(packet, duration)
            } else {
                Filed::Refused
            };
        }
        self.suspect = None;
        let (seq, rtp) = (newest_seq + seq_step, newest_rtp + rtp_step);
        if seq < self.next {
            return Filed::Late { rtp };
        }
        if seq - self.next >= PLACES as i64 {
            return self.restart(packet, duration);
        }
        let place = &mut self.places[seq.rem_euclid(PLACES as i64) as usize];
        if place.is_some() {
            return Filed::Twice;
        }
        *place = Some(Stored {
            seq,
            rtp,
            duration,
            data: packet.data,
            copied: false,
        });
        self.waiting += 1;
        if seq_step > 0 {
            self.newest = Some((seq, rtp));
        }
        Filed::Kept { seq, rtp }
    }

    /// Files a packet that came along with a later one, if it has not come itself and can still be used.
    pub fn file_copy(&mut self, seq: i64, rtp: i64, data: Bytes) -> bool {
        let Some(duration) = opus::duration(&data) else {
            return false;
        };
        let place = &mut self.places[seq.rem_euclid(PLACES as i64) as usize];
        if !(self.next..self.next + PLACES as i64).contains(&seq) || place.is_some() {
            return false;
        }
        *place = Some(Stored {
            seq,
            rtp,
            duration,
            data,
            copied: true,
        });
        self.waiting += 1;
        true
    }

    fn restart(&mut self, packet: MediaPacket, duration: usize) -> Filed {
        self.places.fill(None);
        self.suspect = None;
        // Far from zero, so that packets reordered before the first one have numbers too.
        let seq = i64::from(packet.seq) + (1 << 32);
        let rtp = i64::from(packet.rtp_time) + (1 << 40);
        self.places[seq.rem_euclid(PLACES as i64) as usize] = Some(Stored {
            seq,
            rtp,
            duration,
            data: packet.data,
            copied: false,
        });
        self.waiting = 1;
        self.newest = Some((seq, rtp));
        // A few older ones may still come.
        self.next = seq - 8;
        Filed::Restarted { seq, rtp }
    }

    /// From now on, packets before this one are late.
    pub fn expect(&mut self, next: i64) {
        debug_assert!(next >= self.next, "the order runs forwards");
        // Bounded: never more than one round.
        for seq in self.next.max(next - PLACES as i64)..next {
            if self.places[seq.rem_euclid(PLACES as i64) as usize]
                .take()
                .is_some()
            {
                self.waiting -= 1;
            }
        }
        self.next = next;
    }

    /// The first packet that waits.
    #[must_use]
    pub fn first(&self) -> Option<&Stored> {
        self.first_where(|_| true)
    }

    /// The first packet that waits and did not come along with a later one.
    #[must_use]
    pub fn first_itself(&self) -> Option<&Stored> {
        self.first_where(|stored| !stored.copied)
    }

    fn first_where(&self, wanted: impl Fn(&Stored) -> bool) -> Option<&Stored> {
        if self.waiting == 0 {
            return None;
        }
        (self.next..self.next + PLACES as i64)
            .filter_map(|seq| self.places[seq.rem_euclid(PLACES as i64) as usize].as_ref())
            .find(|stored| wanted(stored))
    }

    /// Number of the newest packet that was ever filed.
    #[must_use]
    pub fn newest_seq(&self) -> Option<i64> {
        self.newest.map(|(seq, _)| seq)
    }

    /// Timestamp of the newest packet that was ever filed.
    #[must_use]
    pub fn newest_rtp(&self) -> Option<i64> {
        self.newest.map(|(_, rtp)| rtp)
    }

    /// Takes the first packet away; packets before it are late from now on.
    pub fn take_first(&mut self) -> Option<Stored> {
        let seq = self.first()?.seq;
        self.expect(seq);
        let taken = self.places[seq.rem_euclid(PLACES as i64) as usize].take();
        self.waiting -= 1;
        self.next = seq + 1;
        taken
    }
}

impl Default for Shelf {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Instant;

    use super::*;

    fn packet(seq: u16, rtp_time: u32) -> MediaPacket {
        MediaPacket {
            seq,
            rtp_time,
            marker: false,
            arrived: Instant::now(),
            // Hybrid, full band, 20 ms, one frame.
            data: Bytes::from_static(&[0x78, 0, 0, 0]),
        }
    }

    fn order(shelf: &mut Shelf) -> Vec<u16> {
        std::iter::from_fn(|| shelf.take_first().map(|stored| stored.seq as u16)).collect()
    }

    #[test]
    fn packets_come_out_in_order_across_the_wrap() {
        let mut shelf = Shelf::new();
        let start = u32::MAX - 1_000;
        for n in [0u16, 2, 1, 4, 3, 3] {
            shelf.file(packet(
                65_533u16.wrapping_add(n),
                start.wrapping_add(u32::from(n) * 960),
            ));
        }
        assert_eq!(order(&mut shelf), [65_533, 65_534, 65_535, 0, 1]);
    }

    #[test]
    fn an_older_packet_before_the_first_is_welcome_until_it_is_late() {
        let mut shelf = Shelf::new();
        shelf.file(packet(10, 9_600));
        assert!(matches!(shelf.file(packet(9, 8_640)), Filed::Kept { .. }));
        assert_eq!(order(&mut shelf), [9, 10]);
        assert!(matches!(shelf.file(packet(8, 7_680)), Filed::Late { .. }));
        assert!(matches!(shelf.file(packet(10, 9_600)), Filed::Late { .. }));
    }

    #[test]
    fn one_forged_packet_changes_nothing_but_two_in_a_row_are_a_new_sender() {
        let mut shelf = Shelf::new();
        shelf.file(packet(10, 9_600));
        assert_eq!(shelf.file(packet(30_000, 9_700)), Filed::Refused);
        assert!(matches!(shelf.file(packet(11, 10_560)), Filed::Kept { .. }));
        // Time running backwards while the numbers go on.
        assert_eq!(shelf.file(packet(12, 100)), Filed::Refused);
        assert!(matches!(
            shelf.file(packet(13, 1_060)),
            Filed::Restarted { .. }
        ));
        assert_eq!(order(&mut shelf), [13]);
    }

    #[test]
    fn whatever_comes_waits_once_and_leaves_in_order() {
        let mut state = 7u64;
        let mut below = |count: i64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64 % count
        };
        let (mut restarts, mut copies) = (0, 0);
        for _ in 0..20 {
            let mut shelf = Shelf::new();
            // What waits, in the order of the numbers, and whether it is a copy.
            let mut waiting = BTreeMap::new();
            let mut next = i64::MIN;
            let Filed::Restarted { seq: mut top, .. } = shelf.file(packet(60_000, 0)) else {
                panic!("the first one begins");
            };
            waiting.insert(top, false);
            for _ in 0..2_000 {
                let seq = top + below(140) - 70;
                // Time that runs with the numbers, or does not.
                let rtp = (seq - top + if below(50) == 0 { below(9) - 4 } else { 0 }) * 960;
                let newest = shelf.newest_rtp().unwrap();
                match below(8) {
                    0..3 => match shelf.file(packet(seq as u16, (newest + rtp) as u32)) {
                        Filed::Kept { seq: kept, .. } => {
                            assert_eq!(kept, seq);
                            assert!(seq >= next, "it would be late");
                            assert_eq!(waiting.insert(seq, false), None);
                            top = top.max(seq);
                        }
                        Filed::Restarted { seq, .. } => {
                            waiting = BTreeMap::from([(seq, false)]);
                            (top, next) = (seq, i64::MIN);
                            restarts += 1;
                        }
                        Filed::Twice => assert!(waiting.contains_key(&seq)),
                        Filed::Late { .. } => assert!(seq < shelf.next),
                        Filed::Refused => {}
                    },
                    3..6 => {
                        let data = if below(5) == 0 {
                            &[][..]
                        } else {
                            &[0x78, 0, 0]
                        };
                        if shelf.file_copy(seq, newest + rtp, Bytes::from_static(data)) {
                            assert!(seq >= next && !data.is_empty());
                            assert_eq!(waiting.insert(seq, true), None);
                            copies += 1;
                        }
                    }
                    6 => {
                        let taken = shelf.take_first();
                        assert_eq!(
                            taken.as_ref().map(|taken| (taken.seq, taken.copied)),
                            waiting.pop_first()
                        );
                        next = taken.map_or(next, |taken| taken.seq + 1);
                    }
                    _ => {
                        next = shelf.next + below(3);
                        shelf.expect(next);
                        waiting = waiting.split_off(&next);
                    }
                }
                assert!(waiting.len() <= PLACES);
                assert_eq!(shelf.waiting, waiting.len());
                let first = |copied: bool| waiting.iter().find(|(_, it)| copied || !**it);
                assert_eq!(shelf.first().map(|it| it.seq), first(true).map(|it| *it.0));
                assert_eq!(
                    shelf.first_itself().map(|it| it.seq),
                    first(false).map(|it| *it.0)
                );
            }
        }
        assert!(restarts > 20 && copies > 1_000, "{restarts}, {copies}");
    }

    #[test]
    fn a_full_shelf_starts_anew() {
        let mut shelf = Shelf::new();
        let mut restarts = 0;
        for n in 0..500u16 {
            if let Filed::Restarted { .. } = shelf.file(packet(n, u32::from(n) * 960)) {
                restarts += 1;
            }
        }
        assert!(restarts > 2);
        assert!(order(&mut shelf).len() <= PLACES);
    }
}
