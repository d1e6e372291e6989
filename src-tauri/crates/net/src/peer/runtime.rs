//! Tokio for the WebRTC stack, with four differences.
//!
//! **TURN may go over TCP and TLS**; see `relay.rs`.
//!
//! **TCP is dialled and never accepted.** The stack offers "active" TCP candidates only for addresses on which it listens. A client has no use for a port
//! that strangers can connect to (and operating systems ask about it), so the listener is closed at once and only
//! its address is kept.
//!
//! **DTLS waits for ICE.** The server begins DTLS as soon as its own side of ICE is through, which is before ours; what
//! the stack answers to that is dropped, because it does not know yet where to send it, and the server tries again
//! after a whole second. So DTLS is kept back until ICE is through here, too (a few milliseconds).
//!
//! **What comes in is noted**: by which of our addresses, and how much; see `path.rs`.

use std::collections::VecDeque;
use std::future::{Future, pending};
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

use super::path::Noted;
use super::relay::{Inbox, Shared};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Datagrams kept back per socket: a flight of the handshake. The other side repeats what is lost.
const MAX_HELD: usize = 8;

/// See the module's page.
#[derive(Debug)]
pub(super) struct Dialer {
    tokio: TokioRuntime,
    through: Arc<AtomicBool>,
    relays: Shared,
    noted: Arc<Noted>,
}

impl Dialer {
    /// `through` becomes true when ICE is, on the connection's own task: it looks at its sockets right afterwards.
    pub(super) fn new(through: Arc<AtomicBool>, relays: Shared, noted: Arc<Noted>) -> Self {
        Self {
            tokio: TokioRuntime,
            through,
            relays,
            noted,
        }
    }
}

impl Runtime for Dialer {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.tokio.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let local = socket.local_addr()?;
        Ok(Arc::new(Patient {
            inner: self.tokio.wrap_udp_socket(socket)?,
            local,
            through: Arc::clone(&self.through),
            relays: Arc::clone(&self.relays),
            noted: Arc::clone(&self.noted),
            inbox: Inbox::default(),
            held: Mutex::default(),
        }))
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        Ok(Arc::new(Deaf(listener.local_addr()?)))
    }

    fn connect_tcp<'a>(
        &'a self,
        remote_addr: SocketAddr,
    ) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        Box::pin(async move {
            let inner = self.tokio.connect_tcp(remote_addr).await?;
            let stream = Noting {
                ends: (inner.local_addr()?, inner.peer_addr()?),
                inner,
                noted: Arc::clone(&self.noted),
            };
            Ok(Arc::new(stream) as Arc<dyn AsyncTcpStream>)
        })
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            match self.relays.resolve(host).await {
                Some(addresses) => addresses,
                None => self.tokio.resolve_host(host).await,
            }
        })
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        self.tokio.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.tokio.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.tokio.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        self.tokio.yield_now()
    }

    fn name(&self) -> &'static str {
        "dialer"
    }
}

/// A listener that hears nothing.
#[derive(Debug)]
struct Deaf(SocketAddr);

impl AsyncTcpListener for Deaf {
    fn accept<'a>(&'a self) -> Boxed<'a, io::Result<(Arc<dyn AsyncTcpStream>, SocketAddr)>> {
        Box::pin(pending())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0)
    }
}

/// A stream that notes what comes in.
#[derive(Debug)]
struct Noting {
    inner: Arc<dyn AsyncTcpStream>,
    ends: (SocketAddr, SocketAddr),
    noted: Arc<Noted>,
}

impl AsyncTcpStream for Noting {
    fn read<'a, 'b>(&'a self, buf: &'b mut [u8]) -> Boxed<'b, io::Result<usize>>
    where
        'a: 'b,
    {
        Box::pin(async move {
            let count = self.inner.read(buf).await?;
            // A packet behind its length (RFC 4571); where one ends elsewhere, the next tells as much.
            if let Some(packet) = buf.get(2..count) {
                self.noted.came(self.ends.0, self.ends.1, packet);
            }
            Ok(count)
        })
    }

    fn write_all<'a, 'b>(&'a self, buf: &'b [u8]) -> Boxed<'b, io::Result<()>>
    where
        'a: 'b,
    {
        self.inner.write_all(buf)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }
}

/// A socket that keeps DTLS back until ICE is through, and knows of TURN servers that do not speak UDP.
#[derive(Debug)]
struct Patient {
    inner: Arc<dyn AsyncUdpSocket>,
    local: SocketAddr,
    through: Arc<AtomicBool>,
    relays: Shared,
    inbox: Inbox,
    noted: Arc<Noted>,
    held: Mutex<VecDeque<(Vec<u8>, RecvMeta)>>,
}

impl Patient {
    fn held(&self) -> std::sync::MutexGuard<'_, VecDeque<(Vec<u8>, RecvMeta)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncUdpSocket for Patient {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let (to, bytes) = (transmit.destination, transmit.contents);
        let step = transmit.segment_size.unwrap_or(bytes.len()).max(1);
        let relayed = bytes.chunks(step).fold(false, |_, packet| {
            self.relays
                .take(to, self.local, self.inbox.sender(), packet)
        });
        if relayed {
            return Poll::Ready(Ok(bytes.len()));
        }
        self.inner.poll_send(cx, transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            let through = self.through.load(Ordering::Relaxed);
            if through
                && let Some((bytes, about)) = self.held().pop_front()
                && let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut())
                && let Some(room) = buf.get_mut(..bytes.len())
            {
                room.copy_from_slice(&bytes);
                *meta = about;
                return Poll::Ready(Ok(1));
            }
            if let Poll::Ready(Some((from, packet))) = self.inbox.poll(cx) {
                if let Some((local, remote)) = self.relays.ends(from) {
                    self.noted.came(local, remote, &packet);
                }
                if let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut())
                    && let Some(room) = buf.get_mut(..packet.len())
                {
                    room.copy_from_slice(&packet);
                    *meta = RecvMeta::default();
                    (meta.addr, meta.len, meta.stride) = (from, packet.len(), packet.len().max(1));
                    return Poll::Ready(Ok(1));
                }
                continue;
            }
            let polled = self.inner.poll_recv(cx, bufs, meta);
            if let Poll::Ready(Ok(count)) = polled {
                for (buf, meta) in bufs.iter().zip(meta.iter()).take(count) {
                    let packet = buf.get(..meta.len).unwrap_or_default();
                    self.noted.came(self.local, meta.addr, packet);
                }
            }
            // The stack asks for one message at a time.
            if let (false, Poll::Ready(Ok(1))) = (through, &polled)
                && let (Some(buf), Some(meta)) = (bufs.first(), meta.first())
                && let Some(bytes) = buf.get(..meta.len).filter(|bytes| is_dtls(bytes))
            {
                let mut held = self.held();
                if held.len() < MAX_HELD {
                    held.push_back((bytes.to_vec(), *meta));
                }
                continue;
            }
            return polled;
        }
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }
}

/// RFC 7983 §7: the first byte tells the protocol.
fn is_dtls(datagram: &[u8]) -> bool {
    datagram
        .first()
        .is_some_and(|first| (20..=63).contains(first))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::TcpListener;

    use super::super::relay::Relays;
    use super::*;

    #[tokio::test]
    async fn what_comes_in_over_a_stream_is_noted() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (noted, relays) = (Arc::<Noted>::default(), Arc::new(Relays::new(Vec::new())));
        let dialer = Dialer::new(Arc::default(), relays, Arc::clone(&noted));
        let remote = listener.local_addr().unwrap();
        let stream = dialer.connect_tcp(remote).await.unwrap();
        let (mut server, ours) = listener.accept().await.unwrap();
        assert_eq!(noted.path().ends, None);
        // A length, and RTP.
        server.write_all(&[0, 4, 128, 111, 0, 1]).await.unwrap();
        let mut read = [0; 64];
        assert_eq!(stream.read(&mut read).await.unwrap(), 6);
        assert_eq!(noted.path().ends, Some((ours, remote)));
    }
}
