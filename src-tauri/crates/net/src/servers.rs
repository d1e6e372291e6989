//! Addresses of STUN and TURN servers, as an administrator writes them (RFC 7064, RFC 7065).

use calls_core::model::IceServer;

/// Servers that are used; a list longer than this helps nobody.
pub(crate) const MOST: usize = 8;
/// Ports without a word about them: RFC 8489 §18.7.
const PORT: u16 = 3478;
/// … and with TLS.
const SECURE_PORT: u16 = 5349;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// Datagrams.
    Udp,
    /// A TCP connection.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// What may be asked of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Only our address as it sees it.
    Stun,
    /// To forward; with name and password.
    Turn {
        /// Often the time until which it is good, and a name.
        username: String,
        /// The password.
        credential: String,
    },
}

/// A STUN or TURN server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    /// What it does.
    pub(crate) role: Role,
    /// How it is reached.
    pub(crate) way: Way,
    /// A name, or an IP address (without brackets).
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
}

/// The servers that we can use, at most [`MOST`]. An address that is none, a way that nobody speaks (STUN over TCP, TURN over
/// DTLS) and a relay without a password are left out: one mistake of an administrator must not take the other servers away.
pub(crate) fn usable(configured: &[IceServer]) -> Vec<Server> {
    let mut servers: Vec<Server> = Vec::new();
    for entry in configured {
        for url in &entry.urls {
            let Some(server) = parse(url, &entry.username, &entry.credential) else {
                tracing::debug!("an address of a STUN or TURN server cannot be used");
                continue;
            };
            if servers.len() < MOST && !servers.contains(&server) {
                servers.push(server);
            }
        }
    }
    servers
}

fn parse(url: &str, username: &str, credential: &str) -> Option<Server> {
    let (scheme, rest) = url.trim().split_once(':')?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let transport = match query {
        "" => None,
        query => Some(query.strip_prefix("transport=")?),
    };
    let (turn, way) = match (scheme.to_ascii_lowercase().as_str(), transport) {
        ("stun", None | Some("udp")) => (false, Way::Udp),
        ("turn", None | Some("udp")) => (true, Way::Udp),
        ("turn", Some("tcp")) => (true, Way::Tcp),
        ("turns", None | Some("tcp")) => (true, Way::Tls),
        _ => return None,
    };
    let role = if !turn {
        Role::Stun
    } else if username.is_empty() || credential.is_empty() {
        return None;
    } else {
        Role::Turn {
            username: username.to_owned(),
            credential: credential.to_owned(),
        }
    };
    let (host, port) = place_of(place)?;
    let usual = if way == Way::Tls { SECURE_PORT } else { PORT };
    Some(Server {
        role,
        way,
        host,
        port: port.unwrap_or(usual),
    })
}

/// Host and port; an IPv6 address is in brackets.
fn place_of(place: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            let _: std::net::Ipv6Addr = host.parse().ok()?;
            (
                host,
                port.strip_prefix(':').or(port.is_empty().then_some("")),
            )
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, Some("")),
        },
    };
    let port = match port? {
        "" => None,
        port => Some(port.parse().ok().filter(|port| *port != 0)?),
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || "/@[]#?\\".contains(c);
    (!host.is_empty() && host.len() <= 253 && !host.contains(odd)).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn addresses_are_read_as_the_standards_have_them() {
        let read = |url| {
            let server = parse(url, "name", "word")?;
            let turn = matches!(server.role, Role::Turn { .. });
            Some((turn, server.way, server.host, server.port))
        };
        let host = || "example.com".to_owned();
        assert_eq!(
            read("stun:example.com"),
            Some((false, Way::Udp, host(), 3478))
        );
        assert_eq!(
            read("turn:example.com:443"),
            Some((true, Way::Udp, host(), 443))
        );
        assert_eq!(
            read("turn:example.com?transport=tcp"),
            Some((true, Way::Tcp, host(), 3478))
        );
        assert_eq!(
            read("TURNS:example.com?transport=tcp"),
            Some((true, Way::Tls, host(), 5349))
        );
        assert_eq!(
            read("turn:[2001:db8::1]:80"),
            Some((true, Way::Udp, "2001:db8::1".to_owned(), 80))
        );
        for bad in [
            "",
            "turn",
            "turn:",
            "http:example.com",
            "turn:example.com:0",
            "turn:example.com:99999",
            "turns:example.com?transport=udp",
            "stun:example.com?transport=tcp",
            "turn:[::1",
            "turn:[zz]:1",
            "turn://example.com",
            "turn:a b",
            "turn:example.com?x=y",
            "turn:u@example.com",
            "turn:[::1]x",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(
            parse("turn:example.com", "", ""),
            None,
            "nobody forwards for a stranger"
        );
    }

    #[test]
    fn one_bad_address_leaves_the_others_and_a_flood_is_cut() {
        let entry = |urls: Vec<String>| IceServer {
            urls,
            username: "name".into(),
            credential: "word".into(),
        };
        let mixed = entry(vec![
            "nonsense".into(),
            "turn:a".into(),
            "turn:a".into(),
            "stun:b".into(),
        ]);
        assert_eq!(usable(&[mixed]).len(), 2);
        let flood = (0..10_000).map(|n| format!("turn:host{n}")).collect();
        assert_eq!(usable(&[entry(flood)]).len(), MOST);
    }
}
