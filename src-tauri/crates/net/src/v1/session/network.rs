//! Whether the network has changed under a session: its address is gone, or the way to the server is another one.
//!
//! ICE would take half a minute to give up such a connection. A look goes along with the figures, once a second, and sends
//! nothing: 7 µs to ask for an address and 12 for a route, on one shared core.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::{Outcome, Session, Step, now};
use crate::address::{Host, System};
use crate::peer::Path;

/// An address that comes back sooner was never gone: sockets that are bound to it go on. Looks are a second apart.
const BLIP: Duration = Duration::from_millis(950);

/// Looks at the path of a session from time to time.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Packets at the last look.
    packets: u64,
    /// When our end was first seen to be gone.
    gone: Option<Instant>,
    /// The way that the system took to the other end when something came in last.
    before: Option<IpAddr>,
}

impl Watch {
    /// Looks once. Says why another session is better than this one, if it is; `flows` while ICE hears something.
    fn look(
        &mut self,
        now: Instant,
        path: Path,
        flows: bool,
        host: &impl Host,
    ) -> Option<&'static str> {
        let (local, remote) = path.ends?;
        if std::mem::replace(&mut self.packets, path.packets) != path.packets {
            self.gone = None;
            self.before = host.source(remote);
            return None;
        }
        if host.is_gone(local) {
            let since = *self.gone.get_or_insert(now);
            let lasts = now.saturating_duration_since(since) >= BLIP;
            // Without another way there is nothing better than waiting for this one.
            let moved = lasts && host.leads(remote);
            return moved.then_some("this computer has another address");
        }
        self.gone = None;
        // Silence alone may pass. After a change of routes it will not.
        let (before, after) = (self.before?, host.source(remote)?);
        let other = !flows && before != after;
        other.then_some("the way to the server is another one")
    }
}

impl Session<'_> {
    /// Gives the session up if the network that it was made in is no more.
    pub(super) fn look_at_network(&mut self) -> Step {
        let Some(media) = &self.media else {
            return Ok(());
        };
        let path = media.peer.path();
        match self.watch.look(now(), path, self.flows, &System) {
            Some(why) => Err(Outcome::Moved(why)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::SocketAddr;

    use super::*;

    /// A machine whose network the test changes.
    #[derive(Clone, Copy)]
    struct Laptop {
        /// Its address.
        has: Option<&'static str>,
    }

    impl Host for Laptop {
        fn is_gone(&self, local: SocketAddr) -> bool {
            self.has != Some(&*local.ip().to_string())
        }

        fn source(&self, _: SocketAddr) -> Option<IpAddr> {
            self.has.map(|ip| ip.parse().unwrap())
        }
    }

    const WLAN: Laptop = Laptop {
        has: Some("10.0.0.2"),
    };
    const CABLE: Laptop = Laptop {
        has: Some("10.1.0.2"),
    };
    const NOTHING: Laptop = Laptop { has: None };

    /// What becomes of one look a second: packets by then, whether ICE hears something, and where the laptop is.
    fn looks(steps: &[(u64, bool, Laptop)]) -> Option<usize> {
        let (mut watch, begun) = (Watch::default(), Instant::now());
        let ends = ["10.0.0.2:1", "10.9.0.1:2"].map(|end| end.parse().unwrap());
        (0_u64..).zip(steps).position(|(second, step)| {
            let path = Path {
                ends: Some((ends[0], ends[1])),
                packets: step.0,
            };
            let now = begun + Duration::from_secs(second);
            watch.look(now, path, step.1, &step.2).is_some()
        })
    }

    #[test]
    fn an_address_that_is_gone_ends_a_session_at_the_second_look() {
        let steps = [(5, true, WLAN), (5, true, CABLE), (5, true, CABLE)];
        assert_eq!(looks(&steps), Some(2));
    }

    #[test]
    fn an_address_that_comes_back_within_a_second_ends_nothing() {
        let steps = [
            (5, true, WLAN),
            (5, true, CABLE),
            (5, true, WLAN),
            (5, true, CABLE),
            (6, true, WLAN),
            (6, true, CABLE),
        ];
        assert_eq!(looks(&steps), None);
    }

    #[test]
    fn two_looks_right_after_each_other_are_one() {
        let path = Path {
            ends: Some(("10.0.0.2:1".parse().unwrap(), "10.9.0.1:2".parse().unwrap())),
            packets: 0,
        };
        let (mut watch, begun) = (Watch::default(), Instant::now());
        let mut at = |millis| {
            let now = begun + Duration::from_millis(millis);
            watch.look(now, path, false, &CABLE).is_some()
        };
        assert!(!at(0) && !at(10) && !at(900));
        assert!(at(1000));
    }

    #[test]
    fn without_another_way_the_old_one_is_waited_for() {
        let steps = [
            (5, true, WLAN),
            (5, true, NOTHING),
            (5, true, NOTHING),
            (5, false, NOTHING),
            (5, false, CABLE),
        ];
        assert_eq!(looks(&steps), Some(4));
        let steps = [(5, true, WLAN), (5, true, NOTHING), (5, true, NOTHING)];
        assert_eq!(looks(&[&steps[..], &[(5, true, WLAN)]].concat()), None);
    }

    #[test]
    fn while_something_comes_in_nothing_is_asked() {
        let steps: Vec<_> = (0..9).map(|packets| (packets + 1, true, CABLE)).collect();
        assert_eq!(looks(&steps), None);
    }

    #[test]
    fn silence_ends_a_session_only_if_the_routes_have_changed_meanwhile() {
        // A VPN comes up: the address stays, and everything goes elsewhere.
        struct Vpn(&'static str);
        impl Host for Vpn {
            fn is_gone(&self, _: SocketAddr) -> bool {
                false
            }
            fn source(&self, _: SocketAddr) -> Option<IpAddr> {
                self.0.parse().ok()
            }
        }
        let path = |packets| Path {
            ends: Some(("10.0.0.2:1".parse().unwrap(), "10.9.0.1:2".parse().unwrap())),
            packets,
        };
        let (direct, tunnel, none) = (Vpn("10.0.0.2"), Vpn("10.200.0.2"), Vpn(""));
        let at = Instant::now();
        let mut watch = Watch::default();
        assert_eq!(watch.look(at, path(1), true, &direct), None);
        assert_eq!(
            watch.look(at, path(1), false, &direct),
            None,
            "only silence"
        );
        assert_eq!(watch.look(at, path(1), true, &tunnel), None, "heard yet");
        assert_eq!(watch.look(at, path(1), false, &none), None, "no way at all");
        assert!(watch.look(at, path(1), false, &tunnel).is_some());
        // Whatever it was, something came in over it since.
        assert_eq!(watch.look(at, path(2), true, &tunnel), None);
        assert_eq!(watch.look(at, path(2), false, &tunnel), None);
    }

    #[test]
    fn before_anything_came_in_there_is_nothing_to_lose() {
        let mut watch = Watch::default();
        let look = |second| Instant::now() + Duration::from_secs(second);
        assert_eq!(watch.look(look(0), Path::default(), false, &CABLE), None);
        assert_eq!(watch.look(look(9), Path::default(), false, &CABLE), None);
    }
}
