//! Bad networks on demand.

use std::collections::HashMap;

use str0m::net::Transmit;

use super::SfuFault;

/// Faults of the path, for one session or (`None`) for all.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    paths: HashMap<Option<String>, Path>,
    /// State of the random numbers; seeded the same each time, so that a run can be repeated.
    random: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Path {
    outgoing: f32,
    incoming: f32,
    cut: bool,
    noise: f32,
    payload: f32,
}

/// Room for what follows a datagram as noise, bytes: an Ethernet frame's payload less IP and UDP.
const LONGEST: u64 = 1472;

impl Faults {
    /// Takes the faults of the path; others are not for here.
    pub(crate) fn set(&mut self, fault: SfuFault) {
        let session = match fault {
            SfuFault::DropPackets {
                session,
                outgoing,
                incoming,
            } => {
                let path = self.paths.entry(session.clone()).or_default();
                path.outgoing = outgoing;
                path.incoming = incoming;
                session
            }
            SfuFault::CutPath { session, cut } => {
                self.paths.entry(session.clone()).or_default().cut = cut;
                session
            }
            SfuFault::GarblePackets {
                session,
                noise,
                payload,
            } => {
                let path = self.paths.entry(session.clone()).or_default();
                path.noise = noise;
                path.payload = payload;
                session
            }
            _ => return,
        };
        if self.paths.get(&session) == Some(&Path::default()) {
            self.paths.remove(&session);
        }
    }

    /// The session is gone.
    pub(crate) fn forget(&mut self, session: &str) {
        if !self.paths.is_empty() {
            self.paths.remove(&Some(session.to_owned()));
        }
    }

    pub(crate) fn drops_incoming(&mut self, session: &str, packet: &[u8]) -> bool {
        self.drops(session, packet, |path| path.incoming)
    }

    /// Removes what is lost from `transmits[first..]`, all of one session, and adds the noise of that path.
    pub(crate) fn filter_outgoing(
        &mut self,
        session: &str,
        transmits: &mut Vec<Transmit>,
        first: usize,
    ) {
        if self.paths.is_empty() {
            return;
        }
        let mut n = 0;
        transmits.retain(|transmit| {
            n += 1;
            n <= first || !self.drops(session, &transmit.contents, |path| path.outgoing)
        });
        let Some(noise) = self.path(session).map(|path| path.noise) else {
            return;
        };
        for at in first.min(transmits.len())..transmits.len() {
            if self.random() < noise
                && let Some(Transmit {
                    proto,
                    source,
                    destination,
                    contents,
                }) = transmits.get(at)
            {
                let broken = Transmit {
                    proto: *proto,
                    source: *source,
                    destination: *destination,
                    contents: self.broken(contents).into(),
                };
                transmits.push(broken);
            }
        }
    }

    /// Something like this datagram that must not be believed.
    fn broken(&mut self, datagram: &[u8]) -> Vec<u8> {
        let mut bytes = datagram.to_vec();
        match self.next() % 4 {
            // Damaged on the way.
            0 => {
                let at = self.next() % (bytes.len() as u64).max(1);
                if let Some(byte) = usize::try_from(at).ok().and_then(|at| bytes.get_mut(at)) {
                    *byte ^= 0x55;
                }
            }
            // Cut short.
            1 => {
                let left = self.next() % (bytes.len() as u64).max(1);
                bytes.truncate(usize::try_from(left).unwrap_or_default());
            }
            // Noise that begins as the datagram does.
            2 => {
                let whole = std::mem::take(&mut bytes);
                bytes.extend(whole.iter().take(2));
                bytes.extend(whole.iter().skip(2).map(|_| self.byte()));
            }
            // Noise.
            _ => {
                let length = self.next() % LONGEST;
                bytes = (0..length).map(|_| self.byte()).collect();
            }
        }
        bytes
    }

    /// Noise in the place of a payload, as often as was asked for; `None` leaves the payload as it is.
    pub(crate) fn garble(&mut self, session: &str, payload: &[u8]) -> Option<Vec<u8>> {
        let share = self.path(session)?.payload;
        (self.random() < share).then(|| payload.iter().map(|_| self.byte()).collect())
    }

    fn path(&self, session: &str) -> Option<Path> {
        if self.paths.is_empty() {
            return None;
        }
        let own = self.paths.get(&Some(session.to_owned()));
        own.or_else(|| self.paths.get(&None)).copied()
    }

    fn drops(&mut self, session: &str, packet: &[u8], share: impl Fn(&Path) -> f32) -> bool {
        let Some(path) = self.path(session) else {
            return false;
        };
        // RTP and RTCP (RFC 7983); other packets are only lost when the path is cut.
        let media = packet
            .first()
            .is_some_and(|first| (128..192).contains(first))
            && !packet
                .get(1)
                .is_some_and(|second| (192..=223).contains(second));
        path.cut || (media && self.random() < share(&path))
    }

    /// 0…1.
    fn random(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    /// splitmix64.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTP: [u8; 12] = [0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9];
    const RTCP: [u8; 8] = [0x80, 200, 0, 1, 0, 0, 0, 0];

    #[test]
    fn only_the_wanted_share_of_rtp_is_lost() {
        let mut faults = Faults::default();
        assert!(!faults.drops_incoming("a", &RTP));
        faults.set(SfuFault::DropPackets {
            session: Some("a".to_owned()),
            outgoing: 0.0,
            incoming: 0.2,
        });
        let lost = (0..10_000)
            .filter(|_| faults.drops_incoming("a", &RTP))
            .count();
        assert!((1800..2200).contains(&lost), "{lost}");
        assert!((0..1000).all(|_| !faults.drops_incoming("a", &RTCP)));
        assert!((0..1000).all(|_| !faults.drops_incoming("b", &RTP)));
    }

    #[test]
    fn only_the_wanted_share_of_payloads_is_noise() {
        let mut faults = Faults::default();
        assert_eq!(faults.garble("a", &[7; 100]), None);
        faults.set(SfuFault::GarblePackets {
            session: Some("a".to_owned()),
            noise: 0.0,
            payload: 0.5,
        });
        let noise: Vec<_> = (0..1000)
            .filter_map(|_| faults.garble("a", &[7; 100]))
            .collect();
        assert!((400..600).contains(&noise.len()), "{}", noise.len());
        assert!(noise.iter().all(|n| n.len() == 100 && n[..] != [7; 100]));
        assert_eq!(faults.garble("b", &[7; 100]), None);
    }

    #[test]
    fn a_cut_path_loses_everything_until_it_is_mended() {
        let mut faults = Faults::default();
        let cut = |cut| SfuFault::CutPath { session: None, cut };
        faults.set(cut(true));
        assert!(faults.drops_incoming("a", &RTCP) && faults.drops_incoming("b", &RTP));
        faults.set(cut(false));
        assert!(!faults.drops_incoming("a", &RTP));
        assert!(faults.paths.is_empty());
    }
}
