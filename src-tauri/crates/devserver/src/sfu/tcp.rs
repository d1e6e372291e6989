//! ICE over TCP, passive side (RFC 6544): each packet has its length before it (RFC 4571: two bytes, network
//! order). Each connection has a small task; both of its queues are bounded.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A TCP connection must send its first packet within this time, and be silent no longer than it.
const TCP_SILENCE: Duration = Duration::from_secs(30);
/// TCP connections at once.
const TCP_CONNECTIONS: usize = 512;

/// Packets waiting to be written to one connection; more are dropped.
const OUTPUT: usize = 128;

/// What connections tell.
#[derive(Debug)]
pub(crate) enum TcpInput {
    /// From whom, and where packets to it go.
    Opened(SocketAddr, mpsc::Sender<Vec<u8>>),
    /// From whom, to which of our addresses.
    Packet(SocketAddr, SocketAddr, Vec<u8>),
    Closed(SocketAddr),
}

/// The longest packet that is taken; nothing in WebRTC is longer than an Ethernet frame, but the
/// length field allows 65535.
pub(crate) const MAX_PACKET: usize = 4096;

/// Splits a TCP stream into packets.
#[derive(Debug, Default)]
pub(crate) struct Unframer {
    buffer: Vec<u8>,
    read: usize,
}

/// A length no peer of ours sends; the connection is useless from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a framed packet of {0} bytes is too long")]
pub(crate) struct TooLong(pub(crate) usize);

impl Unframer {
    /// Adds what was read from the stream.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.read > 0 {
            self.buffer.drain(..self.read);
            self.read = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete packet. Empty packets are legal in the RFC and skipped here.
    pub(crate) fn poll_packet(&mut self) -> Result<Option<&[u8]>, TooLong> {
        loop {
            let rest = &self.buffer[self.read..];
            let Some((head, rest)) = rest.split_first_chunk::<2>() else {
                return Ok(None);
            };
            let len = usize::from(u16::from_be_bytes(*head));
            if len > MAX_PACKET {
                return Err(TooLong(len));
            }
            if rest.len() < len {
                return Ok(None);
            }
            let start = self.read + 2;
            self.read = start + len;
            if len > 0 {
                return Ok(Some(&self.buffer[start..start + len]));
            }
        }
    }
}

/// The packet with its length before it; `None` when it does not fit a frame.
pub(crate) fn framed(packet: &[u8]) -> Option<Vec<u8>> {
    let len = u16::try_from(packet.len()).ok()?;
    let mut frame = Vec::with_capacity(packet.len() + 2);
    frame.extend_from_slice(&len.to_be_bytes());
    frame.extend_from_slice(packet);
    Some(frame)
}

/// Accepts connections until it is dropped.
pub(crate) async fn listen(
    listener: TcpListener,
    local: SocketAddr,
    input: mpsc::Sender<TcpInput>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, source)) if connections.len() < TCP_CONNECTIONS => {
                    connections.spawn(connection(stream, source, local, input.clone()));
                }
                Ok(_) => {} // Too many: dropped, which closes it.
                // Out of file descriptors, most likely: better soon than busy.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(
    mut stream: TcpStream,
    source: SocketAddr,
    local: SocketAddr,
    input: mpsc::Sender<TcpInput>,
) {
    let _ = stream.set_nodelay(true); // Only costs delay.
    let (output, mut packets) = mpsc::channel::<Vec<u8>>(OUTPUT);
    if input.send(TcpInput::Opened(source, output)).await.is_err() {
        return;
    }
    let mut unframer = Unframer::default();
    let mut buffer = vec![0; 16 * 1024];
    'open: loop {
        tokio::select! {
            read = tokio::time::timeout(TCP_SILENCE, stream.read(&mut buffer)) => {
                let Ok(Ok(len @ 1..)) = read else {
                    break;
                };
                unframer.push(&buffer[..len]);
                loop {
                    let packet = match unframer.poll_packet() {
                        Ok(Some(packet)) => packet.to_vec(),
                        Ok(None) => break,
                        Err(error) => {
                            tracing::debug!(%source, %error, "TCP connection closed");
                            break 'open;
                        }
                    };
                    if input.send(TcpInput::Packet(source, local, packet)).await.is_err() {
                        break 'open;
                    }
                }
            }
            frame = packets.recv() => {
                let Some(frame) = frame else {
                    break;
                };
                let written = tokio::time::timeout(TCP_SILENCE, stream.write_all(&frame)).await;
                if !matches!(written, Ok(Ok(()))) {
                    break;
                }
            }
        }
    }
    let _ = input.send(TcpInput::Closed(source)).await; // The SFU may have stopped.
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn packets_come_out_whole_however_the_stream_is_cut() {
        let packets: Vec<Vec<u8>> = vec![vec![1; 1], vec![2; 300], vec![3; 20], vec![4; 1200]];
        let stream: Vec<u8> = packets.iter().flat_map(|p| framed(p).unwrap()).collect();
        for size in [1, 2, 3, 7, 100, 1500, 5000] {
            let mut unframer = Unframer::default();
            let mut out = Vec::new();
            for piece in stream.chunks(size) {
                unframer.push(piece);
                while let Some(packet) = unframer.poll_packet().unwrap() {
                    out.push(packet.to_vec());
                }
            }
            assert_eq!(out, packets, "cut into pieces of {size}");
        }
    }

    #[test]
    fn empty_packets_are_skipped() {
        let mut unframer = Unframer::default();
        unframer.push(&[0, 0, 0, 0, 0, 1, 9]);
        assert_eq!(unframer.poll_packet(), Ok(Some(&[9_u8][..])));
        assert_eq!(unframer.poll_packet(), Ok(None));
    }

    #[test]
    fn a_length_that_cannot_be_ours_is_an_error() {
        let mut unframer = Unframer::default();
        unframer.push(b"GET / HTTP/1.1\r\n");
        assert_eq!(unframer.poll_packet(), Err(TooLong(0x4745)));
    }

    #[test]
    fn what_does_not_fit_is_not_framed() {
        assert!(framed(&vec![0; 65_536]).is_none());
        assert_eq!(framed(&[7, 8]), Some(vec![0, 2, 7, 8]));
    }
}
