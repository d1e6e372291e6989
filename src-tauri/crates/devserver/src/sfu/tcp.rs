//! ICE over TCP: the framing of RFC 4571 (two bytes of length in network order before each packet).

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
