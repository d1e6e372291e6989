//! This machine's own addresses, asked of the system without sending anything.
//!
//! An answer is one or two sockets that are bound, asked and closed again.

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Addresses for documentation (RFC 5737, RFC 3849): routed as everything far away is.
const FAR: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9),
    SocketAddr::new(
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        9,
    ),
];

/// What one asks of the machine that one runs on.
pub(crate) trait Host {
    /// True only if the machine certainly has this address no more.
    fn is_gone(&self, local: SocketAddr) -> bool;
    /// The address that what is sent there would come from; `None` if there is no way.
    fn source(&self, to: SocketAddr) -> Option<IpAddr>;

    /// There is a way there, or at least into the world: the other side may have several addresses.
    fn leads(&self, to: SocketAddr) -> bool {
        [to].into_iter()
            .chain(FAR)
            .any(|to| self.source(to).is_some())
    }

    /// A connection between these addresses is dead, and a new one may live.
    fn has_moved(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        self.is_gone(local) && self.leads(remote)
    }
}

/// This machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct System;

impl Host for System {
    fn is_gone(&self, local: SocketAddr) -> bool {
        let Some(local) = askable(local) else {
            return false;
        };
        UdpSocket::bind(local).is_err_and(|error| says_gone(&error, local))
    }

    fn source(&self, to: SocketAddr) -> Option<IpAddr> {
        let any: IpAddr = match to {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        // Connecting a UDP socket sends nothing; it only asks for a route.
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect(to).ok()?;
        let source = socket.local_addr().ok()?.ip();
        (!source.is_unspecified()).then_some(source)
    }
}

/// The address with any port, as it can be asked for; `None` where the answer would say nothing.
fn askable(local: SocketAddr) -> Option<SocketAddr> {
    let scope = match local {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(six) => six.scope_id(),
    };
    match local.ip().to_canonical() {
        ip if ip.is_unspecified() || ip.is_multicast() => None,
        // Many interfaces may have it, and without a scope none is meant.
        IpAddr::V6(six) if six.is_unicast_link_local() && scope == 0 => None,
        IpAddr::V6(six) => Some(std::net::SocketAddrV6::new(six, 0, 0, scope).into()),
        four => Some(SocketAddr::new(four, 0)),
    }
}

/// Other errors, such as too many open files, say nothing about the address.
fn says_gone(error: &Error, local: SocketAddr) -> bool {
    // ENODEV, of the interface that a scope names. Linux and macOS have the same number.
    const NO_DEVICE: i32 = 19;
    let scoped = matches!(local, SocketAddr::V6(six) if six.scope_id() != 0);
    error.kind() == ErrorKind::AddrNotAvailable
        || (cfg!(unix) && scoped && error.raw_os_error() == Some(NO_DEVICE))
}

/// Whether each family, IPv4 and IPv6, leads out of this machine.
pub(crate) fn families(host: &impl Host) -> [bool; 2] {
    FAR.map(|far| host.source(far).is_some_and(|source| !source.is_loopback()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_is_gone_only_when_that_is_certain() {
        let gone = |address: &str| System.is_gone(address.parse().unwrap());
        // For documentation: nobody has them.
        for address in [
            "192.0.2.77:5000",
            "203.0.113.9:0",
            "[::ffff:192.0.2.77]:5000",
        ] {
            assert!(gone(address), "{address}");
        }
        for address in [
            "127.0.0.1:9",
            "[::ffff:127.0.0.1]:9",
            "0.0.0.0:5000",
            "[::]:5000",
            "[fe80::1]:5000",
            "224.0.0.251:5353",
            "[ff02::fb]:5353",
        ] {
            assert!(!gone(address), "{address}");
        }
        // A port that is taken says nothing about its address.
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(!System.is_gone(taken.local_addr().unwrap()));
    }

    #[test]
    fn only_an_address_that_is_not_there_is_gone() {
        let six = "[2001:db8::7]:0".parse().unwrap();
        let scoped = "[fe80::7%4242]:0".parse().unwrap();
        let says = |kind: ErrorKind, at| says_gone(&kind.into(), at);
        assert!(says(ErrorKind::AddrNotAvailable, six));
        for other in [
            ErrorKind::InvalidInput,
            ErrorKind::PermissionDenied,
            ErrorKind::AddrInUse,
            ErrorKind::Unsupported,
        ] {
            assert!(!says(other, six), "{other:?}");
        }
        let device = Error::from_raw_os_error(19);
        assert_eq!(says_gone(&device, scoped), cfg!(unix));
        assert!(!says_gone(&device, six), "no interface was named");
    }

    #[test]
    fn an_interface_that_is_not_there_takes_its_addresses_along() {
        // Systems without IPv6 say something else, which is no answer.
        let scoped = "[fe80::7%4242]:5000".parse().unwrap();
        if cfg!(target_os = "linux") && UdpSocket::bind("[::1]:0").is_ok() {
            assert!(System.is_gone(scoped));
        }
    }

    #[test]
    fn the_way_to_this_machine_begins_on_it() {
        let to = "127.0.0.1:9".parse().unwrap();
        assert_eq!(System.source(to), Some(Ipv4Addr::LOCALHOST.into()));
        assert!(System.leads(to));
    }

    struct Lost {
        gone: bool,
        ways: Vec<&'static str>,
    }

    impl Host for Lost {
        fn is_gone(&self, _: SocketAddr) -> bool {
            self.gone
        }

        fn source(&self, to: SocketAddr) -> Option<IpAddr> {
            let known = self.ways.contains(&to.ip().to_string().as_str());
            known.then(|| Ipv4Addr::new(10, 0, 0, 9).into())
        }
    }

    #[test]
    fn a_connection_has_moved_when_its_address_is_gone_and_there_is_another_way() {
        let [local, remote] = ["10.0.0.2:1", "10.0.0.1:2"].map(|it| it.parse().unwrap());
        for (gone, ways, moved) in [
            (true, vec!["10.0.0.1"], true),
            (true, vec!["192.0.2.1"], true),
            (true, vec!["2001:db8::1"], true),
            (true, vec![], false),
            (false, vec!["10.0.0.1"], false),
        ] {
            let host = Lost { gone, ways };
            assert_eq!(host.has_moved(local, remote), moved, "{:?}", host.ways);
        }
        let four = Lost {
            gone: false,
            ways: vec!["192.0.2.1"],
        };
        assert_eq!(families(&four), [true, false]);
    }
}
