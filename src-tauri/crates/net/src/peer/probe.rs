//! Which ways there are, tried without a call: STUN bindings and TURN allocations, given back at once.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use calls_core::model::IceServer;
use calls_core::snapshot::{Reach, Way, WayKind};
use futures_util::future::join_all;
use rtc::sansio::Protocol as _;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc::turn::client::{Client, ClientConfig, Event};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::{Instant, sleep_until, timeout};

use super::relay::{Cutter, Stream, connect};
use crate::servers::{Role, Server, Way as By, usable};

/// How long one way may take. STUN's first three tries are over by then (RFC 8489 §6.2.1).
const LIMIT: Duration = Duration::from_secs(4);
/// The port of the media server where nobody has changed it, for UDP and TCP.
const MEDIA_PORT: u16 = 8443;
/// Longest answer.
const MAX_ANSWER: usize = 2048;

/// Tries the servers, and the usual media port of `host`.
pub(crate) async fn ways(configured: &[IceServer], host: &str) -> Vec<Way> {
    let servers = usable(configured);
    let tries: Vec<_> = servers.iter().map(judge).collect();
    let (media, tried) = tokio::join!(media(host), join_all(tries));
    let mut ways = tried;
    let unknown = |kind| Way {
        kind,
        place: String::new(),
        reach: Reach::Unknown,
        ms: None,
        detail: None,
    };
    if !ways.iter().any(|way| way.kind == WayKind::Stun) {
        ways.push(unknown(WayKind::Stun));
    }
    if !ways.iter().any(|way| way.kind.is_relay()) {
        ways.push(unknown(WayKind::TurnUdp));
    }
    ways.push(media);
    ways
}

async fn judge(server: &Server) -> Way {
    let kind = match (&server.role, server.way) {
        (Role::Stun, _) => WayKind::Stun,
        (_, By::Udp) => WayKind::TurnUdp,
        (_, By::Tcp) => WayKind::TurnTcp,
        (_, By::Tls) => WayKind::TurnTls,
    };
    let place = format!("{}:{}", server.host, server.port);
    judged(kind, place, ask(server)).await
}

/// How a try came out.
pub(crate) async fn judged(
    kind: WayKind,
    place: String,
    trying: impl Future<Output = io::Result<()>>,
) -> Way {
    let begun = Instant::now();
    let outcome = timeout(LIMIT, trying).await;
    let ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
    let (reach, ms, detail) = match outcome {
        Ok(Ok(())) => (Reach::Yes, Some(ms), None),
        Ok(Err(error)) => (Reach::No, None, Some(error.to_string())),
        Err(_) => (Reach::No, None, None),
    };
    Way {
        kind,
        place,
        reach,
        ms,
        detail,
    }
}

/// Whether media will pass is known only in a call: the server tells its port there. A refusal here says nothing.
async fn media(host: &str) -> Way {
    let place = format!("{host}:{MEDIA_PORT}");
    let trying = async { TcpStream::connect((host, MEDIA_PORT)).await.map(drop) };
    let mut way = judged(WayKind::Media, place, trying).await;
    if way.reach == Reach::No {
        way.reach = Reach::Unknown;
    }
    way
}

/// The line to a server.
enum Line {
    Udp(UdpSocket),
    Stream(Box<dyn Stream>, Cutter),
}

impl Line {
    async fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.send(packet).await.map(drop),
            // Every STUN message is a multiple of four bytes long.
            Self::Stream(stream, _) => {
                stream.write_all(packet).await?;
                stream.flush().await
            }
        }
    }

    async fn receive(&mut self) -> io::Result<Bytes> {
        match self {
            Self::Udp(socket) => {
                let mut packet = [0; MAX_ANSWER];
                let length = socket.recv(&mut packet).await?;
                Ok(Bytes::copy_from_slice(&packet[..length]))
            }
            Self::Stream(stream, cutter) => loop {
                if let Some(packet) = cutter.next()? {
                    return Ok(packet);
                }
                if stream.read_buf(&mut cutter.buffer).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            },
        }
    }
}

async fn open(server: &Server) -> io::Result<(Line, SocketAddr)> {
    // Over a stream the addresses are never looked at.
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    if server.way != By::Udp {
        let (stream, _) = connect(server).await?;
        return Ok((Line::Stream(stream, Cutter::default()), anywhere));
    }
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in lookup_host((server.host.as_str(), server.port)).await? {
        let any = if address.is_ipv4() {
            "0.0.0.0:0"
        } else {
            "[::]:0"
        };
        let opened = async {
            let socket = UdpSocket::bind(any).await?;
            socket.connect(address).await?;
            Ok(socket)
        };
        match opened.await {
            Ok(socket) => return Ok((Line::Udp(socket), address)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Asks a server for what it is there for.
async fn ask(server: &Server) -> io::Result<()> {
    let (mut line, peer) = open(server).await?;
    let local = SocketAddr::new(
        if peer.is_ipv4() {
            std::net::Ipv4Addr::UNSPECIFIED.into()
        } else {
            std::net::Ipv6Addr::UNSPECIFIED.into()
        },
        0,
    );
    let (username, password) = match &server.role {
        Role::Stun => Default::default(),
        Role::Turn {
            username,
            credential,
        } => (username.clone(), credential.clone()),
    };
    let provider = rtc::crypto::default_provider().map_err(io::Error::other)?;
    let config = ClientConfig {
        stun_serv_addr: peer.to_string(),
        turn_serv_addr: peer.to_string(),
        local_addr: local,
        transport_protocol: TransportProtocol::UDP,
        username,
        password,
        realm: String::new(),
        software: String::new(),
        rto_in_ms: 0,
        allocation_refresh_interval_cap: None,
    };
    let now = || Instant::now().into_std();
    let mut client = Client::new(config, provider).map_err(io::Error::other)?;
    let asked = match server.role {
        Role::Stun => client.send_binding_request(now()),
        Role::Turn { .. } => client.allocate(now()),
    };
    asked.map_err(io::Error::other)?;
    loop {
        while let Some(packet) = client.poll_write() {
            line.send(&packet.message).await?;
        }
        while let Some(event) = client.poll_event() {
            match event {
                Event::BindingResponse(..) => return Ok(()),
                Event::AllocateResponse(_, relayed) => {
                    if let Ok(mut relay) = client.relay(relayed) {
                        let _ = relay.close(now());
                    }
                    while let Some(packet) = client.poll_write() {
                        line.send(&packet.message).await?;
                    }
                    return Ok(());
                }
                Event::BindingError(_, error) | Event::AllocateError(_, error) => {
                    return Err(io::Error::other(error));
                }
                Event::TransactionTimeout(_) => return Err(io::ErrorKind::TimedOut.into()),
                _ => {}
            }
        }
        let wake = client
            .poll_timeout()
            .map_or_else(|| Instant::now() + LIMIT, Instant::from_std);
        let packet = tokio::select! {
            packet = line.receive() => packet?,
            () = sleep_until(wake) => {
                client.handle_timeout(now()).map_err(io::Error::other)?;
                continue;
            }
        };
        let packet = TaggedBytesMut {
            now: now(),
            transport: TransportContext {
                local_addr: local,
                peer_addr: peer,
                transport_protocol: TransportProtocol::UDP,
                ecn: None,
            },
            message: BytesMut::from(&packet[..]),
        };
        // Whatever is no answer to us is passed over.
        if let Err(error) = client.handle_read(packet) {
            tracing::debug!(%error, "STUN");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn stun(address: SocketAddr) -> Vec<IceServer> {
        vec![IceServer {
            urls: vec![format!("stun:{address}")],
            ..IceServer::default()
        }]
    }

    #[tokio::test]
    async fn a_binding_that_is_answered_is_udp_that_passes() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let answering = async {
            let mut request = [0; 1500];
            let (length, from) = server.recv_from(&mut request).await.unwrap();
            assert!(length >= 20);
            // Nonsense before the answer does no harm.
            server.send_to(b"nonsense", from).await.unwrap();
            server
                .send_to(&[1, 1, 0xff, 0xff, 0, 0], from)
                .await
                .unwrap();
            // RFC 8489 §14.2: XOR-MAPPED-ADDRESS.
            let mut answer = vec![1, 1, 0, 12];
            answer.extend(&request[4..20]);
            answer.extend([0, 0x20, 0, 8, 0, 1, 0x12 ^ 0x21, 0x34 ^ 0x12]);
            answer.extend([127 ^ 0x21, 0x12, 0xa4, 1 ^ 0x42]);
            server.send_to(&answer, from).await.unwrap();
        };
        let configured = stun(address);
        let (ways, ()) = tokio::join!(ways(&configured, "127.0.0.1"), answering);
        assert_eq!(ways[0].kind, WayKind::Stun);
        assert_eq!(ways[0].reach, Reach::Yes, "{ways:?}");
        assert_eq!(ways[0].place, address.to_string());
        assert!(ways[0].ms.is_some());
        assert_eq!(ways[1].kind, WayKind::TurnUdp);
        assert_eq!(ways[1].reach, Reach::Unknown, "no relay is named");
        assert_eq!(ways[2].kind, WayKind::Media);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_a_no_after_its_time() {
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let configured = stun(silent.local_addr().unwrap());
        let ways = ways(&configured, "127.0.0.1").await;
        assert_eq!((ways[0].reach, ways[0].ms), (Reach::No, None));
    }
}
