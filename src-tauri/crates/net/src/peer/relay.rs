//! TURN over TCP and TLS, which the stack does not know: it is made to see a server that speaks UDP.
//!
//! Each such server gets an address out of the ranges that are set aside for documentation (RFC 5737, RFC 3849), where no packet
//! can ever go. What the stack sends there is written to a TCP connection instead, and what comes back looks as if it came from
//! there. Nothing of this is a socket that another program on this machine could reach.
//!
//! STUN messages and ChannelData carry their lengths themselves; over a stream ChannelData is filled up to four bytes (RFC 8656
//! §12.5), and requests are not repeated (RFC 8489 §6.2.2), so that the stack's repetitions are dropped here. Everything is
//! bounded: what does not fit into a queue is lost, as on any network.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::servers::{Role, Server, Way};
use crate::tls;

/// Packets waiting for one connection: two seconds of voice.
const OUTGOING: usize = 128;
/// Packets waiting for one socket of the stack.
pub(super) const INCOMING: usize = 128;
/// Longest packet of a server. Media and STUN messages are smaller than an Ethernet frame.
const MAX_PACKET: usize = 4096;
/// How long connecting may take, with TLS.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Requests remembered to know a repetition.
const REQUESTS: usize = 32;
/// The addresses that stand for servers; the port is the server's number, from 1.
const V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 211);
const V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 211);
/// Never a real name (RFC 6761 §6.4).
const ZONE: &str = ".relay.invalid";

/// A packet, and which server it is from.
pub(super) type Inward = (SocketAddr, Bytes);

/// Servers by number, and the connections to them.
#[derive(Debug)]
pub(super) struct Relays {
    servers: Vec<Server>,
    lines: Mutex<Vec<Option<Line>>>,
}

/// The connection to a server belongs to the socket of the stack that has asked first: all would go the same way.
#[derive(Debug)]
struct Line {
    owner: SocketAddr,
    outgoing: mpsc::Sender<Bytes>,
    ends: Ends,
}

/// Our address and the server's, once there is a connection.
type Ends = Arc<OnceLock<(SocketAddr, SocketAddr)>>;

/// What the stack is told of a server.
pub(super) struct Told {
    pub(super) url: String,
    pub(super) username: String,
    pub(super) credential: String,
}

impl Relays {
    pub(super) fn new(servers: Vec<Server>) -> Self {
        let lines = servers.iter().map(|_| None).collect();
        Self {
            servers,
            lines: Mutex::new(lines),
        }
    }

    /// The servers under names that only [`Self::resolve`] knows.
    pub(super) fn told(&self) -> impl Iterator<Item = Told> + '_ {
        self.servers.iter().enumerate().map(|(n, server)| {
            let scheme = if server.role == Role::Stun {
                "stun"
            } else {
                "turn"
            };
            let (username, credential) = match &server.role {
                Role::Stun => Default::default(),
                Role::Turn {
                    username,
                    credential,
                } => (username.clone(), credential.clone()),
            };
            Told {
                url: format!("{scheme}:{n}{ZONE}:{}", server.port),
                username,
                credential,
            }
        })
    }

    /// Where packets for a name go; `None` if it is none of ours.
    pub(super) async fn resolve(&self, host: &str) -> Option<io::Result<Vec<SocketAddr>>> {
        let (name, _) = host.rsplit_once(':')?;
        let n: u16 = name.strip_suffix(ZONE)?.parse().ok()?;
        let server = self.servers.get(usize::from(n))?;
        Some(match server.way {
            Way::Udp => lookup_host((server.host.as_str(), server.port))
                .await
                .map(Iterator::collect),
            Way::Tcp | Way::Tls => {
                let at = |ip: IpAddr| SocketAddr::new(ip, n + 1);
                Ok(vec![at(V4.into()), at(V6.into())])
            }
        })
    }

    /// Takes a packet for one of our addresses; false if `to` is none. `from` is the socket, `back` where answers go. Must be
    /// called inside a tokio runtime.
    pub(super) fn take(
        &self,
        to: SocketAddr,
        from: SocketAddr,
        back: &mpsc::Sender<Inward>,
        packet: &[u8],
    ) -> bool {
        if to.ip() != IpAddr::V4(V4) && to.ip() != IpAddr::V6(V6) {
            return false;
        }
        let n = usize::from(to.port()).wrapping_sub(1);
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(server), Some(line)) = (self.servers.get(n), lines.get_mut(n)) else {
            return true;
        };
        if server.way == Way::Udp {
            return true;
        }
        let line = line.get_or_insert_with(|| {
            let (outgoing, packets) = mpsc::channel(OUTGOING);
            let ends = Ends::default();
            // Ends with this connection's sender, or with the server.
            tokio::spawn(serve(
                server.clone(),
                to,
                packets,
                back.clone(),
                Arc::clone(&ends),
            ));
            Line {
                owner: from,
                outgoing,
                ends,
            }
        });
        if line.owner == from && packet.len() <= MAX_PACKET {
            // Full, or the server is gone: lost, and ICE will notice.
            let _ = line.outgoing.try_send(Bytes::copy_from_slice(packet));
        }
        true
    }

    /// The ends of the connection that stands behind one of our addresses.
    pub(super) fn ends(&self, at: SocketAddr) -> Option<(SocketAddr, SocketAddr)> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.get(usize::from(at.port()).wrapping_sub(1))?.as_ref();
        line.and_then(|line| line.ends.get().copied())
    }
}

async fn serve(
    server: Server,
    at: SocketAddr,
    packets: mpsc::Receiver<Bytes>,
    back: mpsc::Sender<Inward>,
    ends: Ends,
) {
    let Server { host, port, .. } = &server;
    let done = match timeout(CONNECT_LIMIT, connect(&server)).await {
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
        Ok(Err(error)) => Err(error),
        Ok(Ok((stream, found))) => {
            let _ = ends.set(found); // Once: a server has one connection.
            carry(stream, at, packets, &back).await
        }
    };
    if let Err(error) = done {
        tracing::info!(host, port, way = ?server.way, %error, "TURN server");
    }
}

/// A stream to a server.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to a server over TCP, with TLS where that is its way. Tells both ends' addresses, ours first.
pub(crate) async fn connect(
    server: &Server,
) -> io::Result<(Box<dyn Stream>, (SocketAddr, SocketAddr))> {
    let stream = TcpStream::connect((server.host.as_str(), server.port)).await?;
    stream.set_nodelay(true)?;
    let ends = (stream.local_addr()?, stream.peer_addr()?);
    if server.way != Way::Tls {
        return Ok((Box::new(stream), ends));
    }
    let name = ServerName::try_from(server.host.clone()).map_err(io::Error::other)?;
    let connector = tokio_rustls::TlsConnector::from(tls::client(None)?);
    Ok((Box::new(connector.connect(name, stream).await?), ends))
}

/// Writes packets and reads them, until either side ends.
async fn carry(
    stream: impl Stream,
    at: SocketAddr,
    mut packets: mpsc::Receiver<Bytes>,
    back: &mpsc::Sender<Inward>,
) -> io::Result<()> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = async {
        let mut cutter = Cutter::default();
        loop {
            if reader.read_buf(&mut cutter.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            while let Some(packet) = cutter.next()? {
                // Waiting here lets TCP slow the server down.
                if back.send((at, packet)).await.is_err() {
                    return Ok(());
                }
            }
        }
    };
    let writing = async {
        let mut requests = Requests::default();
        while let Some(packet) = packets.recv().await {
            if requests.repeated(&packet) {
                continue;
            }
            let filled = packet.len().next_multiple_of(4);
            let mut frame = BytesMut::zeroed(filled);
            frame[..packet.len()].copy_from_slice(&packet);
            writer.write_all(&frame).await?;
            // TLS keeps what it has not been told to send.
            writer.flush().await?;
        }
        writer.shutdown().await
    };
    tokio::select! {
        done = reading => done,
        done = writing => done,
    }
}

/// Cuts a stream into STUN messages and ChannelData.
#[derive(Debug, Default)]
pub(crate) struct Cutter {
    pub(crate) buffer: BytesMut,
}

impl Cutter {
    /// The next whole packet, without what fills it up.
    ///
    /// # Errors
    /// The stream is something else, or a packet is too long; nothing after that can be understood.
    pub(crate) fn next(&mut self) -> io::Result<Option<Bytes>> {
        let Some([first, _, high, low]) = self.buffer.first_chunk().copied() else {
            return Ok(None);
        };
        let body = usize::from(u16::from_be_bytes([high, low]));
        // RFC 8656 §12.
        let length = match first {
            0..=3 if body % 4 == 0 => 20 + body,
            0x40..=0x4f => 4 + body,
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "no TURN server")),
        };
        if length > MAX_PACKET {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "too long"));
        }
        let filled = length.next_multiple_of(4);
        if self.buffer.len() < filled {
            return Ok(None);
        }
        let packet = self.buffer.split_to(length).freeze();
        self.buffer.advance(filled - length);
        Ok(Some(packet))
    }
}

/// The newest requests, by their transaction ids.
#[derive(Debug, Default)]
struct Requests(VecDeque<[u8; 12]>);

impl Requests {
    fn repeated(&mut self, packet: &[u8]) -> bool {
        // A request has both bits of its class clear (RFC 8489 §5).
        let request = matches!(packet, [high, low, ..] if high & 0xc1 == 0 && low & 0x10 == 0);
        let Some(id) = packet.get(8..20).and_then(|id| id.try_into().ok()) else {
            return false;
        };
        if !request {
            return false;
        }
        if self.0.contains(&id) {
            return true;
        }
        if self.0.len() >= REQUESTS {
            self.0.pop_front();
        }
        self.0.push_back(id);
        false
    }
}

/// The packets for one socket, and the way to them.
#[derive(Debug)]
pub(super) struct Inbox {
    sender: mpsc::Sender<Inward>,
    receiver: Mutex<mpsc::Receiver<Inward>>,
}

impl Default for Inbox {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(INCOMING);
        Self {
            sender,
            receiver: Mutex::new(receiver),
        }
    }
}

impl Inbox {
    pub(super) fn sender(&self) -> &mpsc::Sender<Inward> {
        &self.sender
    }

    /// The next packet that came.
    pub(super) fn poll(&self, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Inward>> {
        let mut receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.poll_recv(cx)
    }
}

/// Shared by a connection's sockets.
pub(super) type Shared = Arc<Relays>;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn cut(stream: &[u8], step: usize) -> io::Result<Vec<Bytes>> {
        let mut cutter = Cutter::default();
        let mut packets = Vec::new();
        for part in stream.chunks(step) {
            cutter.buffer.extend_from_slice(part);
            while let Some(packet) = cutter.next()? {
                packets.push(packet);
            }
            assert!(cutter.buffer.len() <= MAX_PACKET + step);
        }
        Ok(packets)
    }

    #[test]
    fn a_stream_is_cut_wherever_it_is_broken() {
        let stun = [&[1, 1, 0, 4][..], &[7; 20]].concat();
        let data = [&[0x40, 1, 0, 5][..], b"voice"].concat();
        let stream = [&stun[..], &data, &[0; 3], &stun].concat();
        for step in 1..=stream.len() {
            assert_eq!(
                cut(&stream, step).unwrap(),
                [&stun[..], &data, &stun],
                "{step}"
            );
        }
    }

    #[test]
    fn what_is_no_turn_server_is_left_at_once() {
        for bad in [
            &b"HTTP/1.1 400 Bad Request"[..],
            &[0x16, 3, 3, 0, 100],
            &[1, 1, 0, 3],
            &[0x40, 0, 0xff, 0xff],
            &[0, 1, 0xff, 0xfc],
        ] {
            assert!(cut(bad, 64).is_err(), "{bad:?}");
        }
        // Whatever comes: an error or packets, never a panic, and never more kept than a packet.
        let mut seed = 1_u64;
        for _ in 0..2000 {
            let noise: Vec<u8> = (0..200)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 40) as u8 & if seed.is_multiple_of(3) { 0x43 } else { 0xff }
                })
                .collect();
            let _ = cut(&noise, 7);
        }
    }

    #[test]
    fn a_request_is_written_once_and_everything_else_always() {
        let mut requests = Requests::default();
        let request = |n| [&[0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[n; 12]].concat();
        assert!(!requests.repeated(&request(1)));
        assert!(requests.repeated(&request(1)));
        assert!(!requests.repeated(&request(2)));
        let indication = [&[0, 0x16, 0, 0][..], &[0; 16]].concat();
        let data = [&[0x40, 0, 0, 16][..], &[0; 16]].concat();
        for _ in 0..3 {
            assert!(!requests.repeated(&indication));
            assert!(!requests.repeated(&data));
            assert!(!requests.repeated(&[0]));
        }
        for n in 0..200 {
            requests.repeated(&request(n));
        }
        assert_eq!(requests.0.len(), REQUESTS);
    }

    #[tokio::test]
    async fn packets_go_over_one_connection_and_come_back_from_the_same_address() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server {
            role: Role::Turn {
                username: "n".into(),
                credential: "w".into(),
            },
            way: Way::Tcp,
            host: "127.0.0.1".into(),
            port: listener.local_addr().unwrap().port(),
        };
        let relays = Relays::new(vec![server]);
        let told: Vec<_> = relays.told().collect();
        let host = told[0].url.strip_prefix("turn:").unwrap();
        let to = relays.resolve(host).await.unwrap().unwrap();
        assert!(relays.resolve("example.com:1").await.is_none());
        let (inbox, from) = (Inbox::default(), SocketAddr::from(([10, 0, 0, 1], 9)));
        let data = [&[0x40, 1, 0, 5][..], b"voice"].concat();
        assert!(relays.take(to[0], from, inbox.sender(), &data));
        // Another socket of the same connection is not asked for: one way is enough.
        let other = SocketAddr::from(([10, 0, 0, 2], 9));
        assert!(relays.take(to[0], other, inbox.sender(), b"@\x01\x00\x00"));
        assert!(!relays.take(from, from, inbox.sender(), &data));
        let (mut stream, ours) = listener.accept().await.unwrap();
        let mut read = [0; 12];
        stream.read_exact(&mut read).await.unwrap();
        assert_eq!(read[..9], data[..]);
        stream.write_all(&read).await.unwrap();
        let back = std::future::poll_fn(|cx| inbox.poll(cx)).await.unwrap();
        assert_eq!(back, (to[0], Bytes::from(data)));
        let ends = Some((ours, listener.local_addr().unwrap()));
        assert_eq!(relays.ends(to[0]), ends);
        assert_eq!(relays.ends(SocketAddr::from(([192, 0, 2, 211], 7))), None);
        drop(relays);
        assert_eq!(
            stream.read(&mut read).await.unwrap(),
            0,
            "closed with its owner"
        );
    }
}
