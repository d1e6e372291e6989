//! Tokio for the WebRTC stack, with three differences.
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
}

impl Dialer {
    /// `through` becomes true when ICE is, on the connection's own task: it looks at its sockets right afterwards.
    pub(super) fn new(through: Arc<AtomicBool>, relays: Shared) -> Self {
        Self {
            tokio: TokioRuntime,
            through,
            relays,
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
        self.tokio.connect_tcp(remote_addr)
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

/// A socket that keeps DTLS back until ICE is through, and knows of TURN servers that do not speak UDP.
#[derive(Debug)]
struct Patient {
    inner: Arc<dyn AsyncUdpSocket>,
    local: SocketAddr,
    through: Arc<AtomicBool>,
    relays: Shared,
    inbox: Inbox,
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
