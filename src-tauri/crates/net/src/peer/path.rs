//! The way that media takes, by what came in.
//!
//! Not by ICE's candidates: theirs may be names, a NAT's addresses or a relay's, and sockets know better.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// The way that media takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path {
    /// Our address and the one that media comes from, which may be a relay's; `None` before the first packet.
    pub(crate) ends: Option<(SocketAddr, SocketAddr)>,
    /// Packets that came in at our end so far.
    pub(crate) packets: u64,
}

/// Kept by a connection's sockets.
#[derive(Debug, Default)]
pub(super) struct Noted(Mutex<Path>);

impl Noted {
    /// A packet came in. Checks of ways that are not taken do not change the path.
    pub(super) fn came(&self, local: SocketAddr, remote: SocketAddr, packet: &[u8]) {
        let mut path = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_check(packet) {
            path.ends = Some((local, remote));
        }
        if path.ends.is_some_and(|(ours, _)| ours == local) {
            path.packets = path.packets.wrapping_add(1);
        }
    }

    pub(super) fn path(&self) -> Path {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// STUN, by the first byte (RFC 7983 §7).
fn is_check(packet: &[u8]) -> bool {
    matches!(packet.first(), None | Some(0..=3))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_path_is_where_media_comes_in_whatever_else_is_checked() {
        let [wlan, cable, server] =
            ["10.0.0.2:1", "10.1.0.2:1", "10.9.0.1:2"].map(|it| it.parse().unwrap());
        let noted = Noted::default();
        noted.came(wlan, server, &[1, 1]);
        assert_eq!(noted.path(), Path::default(), "only a check");
        noted.came(wlan, server, &[22, 0]);
        noted.came(wlan, server, &[128, 111]);
        noted.came(cable, server, &[0, 1]);
        let expected = Path {
            ends: Some((wlan, server)),
            packets: 2,
        };
        assert_eq!(noted.path(), expected);
        noted.came(wlan, server, &[0, 1]);
        assert_eq!(noted.path().packets, 3, "an answer that comes in is a sign");
        noted.came(cable, server, &[0x40, 0]);
        assert_eq!(noted.path().ends, Some((cable, server)));
    }
}
