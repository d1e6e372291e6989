//! Messages on the data channel (rtcd `service/rtc/dc/msg.go`): a MessagePack integer, the type, directly
//! followed by an optional MessagePack payload.
//!
//! rtcd writes the type as `cc NN`, the JavaScript client as a fixint; every integer form is read. Written
//! by hand, independent of the client's codec, so that both cannot agree on a mistake.

use std::io::{Read as _, Write as _};

/// More than this does not come out of a compressed SDP (the plugin's limit since 1.12.2).
pub(crate) const MAX_SDP: u64 = 64 * 1024;

/// What a client sends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Incoming {
    /// Answered with a pong.
    Ping,
    /// `{"type":"offer"|"answer","sdp":…}`, decompressed.
    Sdp(String),
    /// Wants the signaling lock.
    Lock,
    /// Gives it back.
    Unlock,
    /// Loss, round trip time or jitter (types 4 to 6): only statistics in rtcd.
    Metric,
    /// A type that nobody knows; ignored.
    Unknown(u64),
}

/// What the server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outgoing<'a> {
    /// The answer to a ping.
    Pong,
    /// `{"type":…,"sdp":…}`, not yet compressed.
    Sdp(&'a str),
    /// Whether the lock was granted.
    Lock(bool),
    /// What is sent on which mid: `(mid, type, sender_id)`.
    MediaMap(&'a [(String, &'static str, String)]),
}

/// Why a message could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DcError {
    /// It ends too early.
    #[error("the message is cut short")]
    Short,
    /// Another MessagePack type is needed there.
    #[error("0x{0:02x} is no {1}")]
    Unexpected(u8, &'static str),
    /// The payload of an SDP message is no zlib stream, or too long.
    #[error("the description cannot be decompressed")]
    Inflate(#[source] std::io::Error),
    /// The description is not UTF-8.
    #[error("the description is no text")]
    Text,
}

/// Reads a message.
pub(crate) fn decode(message: &[u8]) -> Result<Incoming, DcError> {
    let mut rest = message;
    Ok(match integer(&mut rest)? {
        1 => Incoming::Ping,
        3 => Incoming::Sdp(inflate(bytes(&mut rest)?)?),
        4..=6 => Incoming::Metric,
        7 => Incoming::Lock,
        8 => Incoming::Unlock,
        other => Incoming::Unknown(other),
    })
}

/// Writes a message as rtcd does, down to the byte.
pub(crate) fn encode(message: &Outgoing<'_>) -> Result<Vec<u8>, DcError> {
    Ok(match message {
        Outgoing::Pong => vec![0xcc, 2],
        Outgoing::Lock(granted) => vec![0xcc, 7, if *granted { 0xc3 } else { 0xc2 }],
        Outgoing::Sdp(json) => {
            let packed = deflate(json).map_err(DcError::Inflate)?;
            let mut out = vec![0xcc, 3];
            write_bin(&mut out, &packed);
            out
        }
        Outgoing::MediaMap(entries) => {
            let mut out = vec![0xcc, 9];
            if entries.len() < 16 {
                out.push(0x80 | entries.len() as u8);
            } else {
                out.push(0xde);
                out.extend_from_slice(&(entries.len().min(0xffff) as u16).to_be_bytes());
            }
            for (mid, kind, sender) in entries.iter().take(0xffff) {
                write_str(&mut out, mid);
                out.push(0x82);
                write_str(&mut out, "type");
                write_str(&mut out, kind);
                write_str(&mut out, "sender_id");
                write_str(&mut out, sender);
            }
            out
        }
    })
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], DcError> {
    if rest.len() < count {
        return Err(DcError::Short);
    }
    let (head, tail) = rest.split_at(count);
    *rest = tail;
    Ok(head)
}

/// A big-endian number of up to eight bytes.
fn number(rest: &mut &[u8], size: usize) -> Result<u64, DcError> {
    let bytes = take(rest, size)?;
    Ok(bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn integer(rest: &mut &[u8]) -> Result<u64, DcError> {
    match take(rest, 1)?[0] {
        fix @ 0..=0x7f => Ok(u64::from(fix)),
        0xcc | 0xd0 => number(rest, 1),
        0xcd | 0xd1 => number(rest, 2),
        0xce | 0xd2 => number(rest, 4),
        0xcf | 0xd3 => number(rest, 8),
        other => Err(DcError::Unexpected(other, "integer")),
    }
}

/// *bin* or, as rtcd's library allows, *str*.
fn bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DcError> {
    let len = match take(rest, 1)?[0] {
        fix @ 0xa0..=0xbf => u64::from(fix & 0x1f),
        0xc4 | 0xd9 => number(rest, 1)?,
        0xc5 | 0xda => number(rest, 2)?,
        0xc6 | 0xdb => number(rest, 4)?,
        other => return Err(DcError::Unexpected(other, "byte string")),
    };
    take(rest, usize::try_from(len).unwrap_or(usize::MAX))
}

fn write_bin(out: &mut Vec<u8>, bytes: &[u8]) {
    match bytes.len() {
        len @ 0..=0xff => out.extend_from_slice(&[0xc4, len as u8]),
        len @ 0x100..=0xffff => {
            out.push(0xc5);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(0xc6);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(bytes);
}

/// Ids and type names only: shorter than 256 bytes.
fn write_str(out: &mut Vec<u8>, text: &str) {
    let len = text.len().min(0xff);
    if len < 32 {
        out.push(0xa0 | len as u8);
    } else {
        out.extend_from_slice(&[0xd9, len as u8]);
    }
    out.extend_from_slice(&text.as_bytes()[..len]);
}

fn inflate(packed: &[u8]) -> Result<String, DcError> {
    let mut plain = Vec::new();
    let read = flate2::read::ZlibDecoder::new(packed)
        .take(MAX_SDP + 1)
        .read_to_end(&mut plain)
        .map_err(DcError::Inflate)?;
    if read as u64 > MAX_SDP {
        return Err(DcError::Inflate(std::io::ErrorKind::FileTooLarge.into()));
    }
    String::from_utf8(plain).map_err(|_| DcError::Text)
}

fn deflate(text: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SESSION: &str = "connalicexxxxxxxxxxxxxxxxx";

    #[test]
    fn every_encoding_of_the_type_is_read() {
        for bytes in [
            &[0x01][..],
            &[0xcc, 1],
            &[0xd0, 1],
            &[0xcd, 0, 1],
            &[0xce, 0, 0, 0, 1],
        ] {
            assert_eq!(decode(bytes).unwrap(), Incoming::Ping, "{bytes:02x?}");
        }
        assert_eq!(decode(&[0x07]).unwrap(), Incoming::Lock);
        assert_eq!(decode(&[0xcc, 0x07]).unwrap(), Incoming::Lock);
        assert_eq!(decode(&[0x08]).unwrap(), Incoming::Unlock);
        assert_eq!(decode(&[0xcc, 0x08]).unwrap(), Incoming::Unlock);
    }

    #[test]
    fn metrics_are_known_whatever_number_they_carry() {
        let loss = [0x04, 0xcb, 0x3f, 0x8a, 0x9f, 0xbe, 0x76, 0xc8, 0xb4, 0x39];
        assert_eq!(decode(&loss).unwrap(), Incoming::Metric);
        assert_eq!(decode(&[0x04, 0x00]).unwrap(), Incoming::Metric);
        assert_eq!(decode(&[0x05, 0xcb]).unwrap(), Incoming::Metric);
        assert_eq!(decode(&[0xcc, 0x06, 0x01]).unwrap(), Incoming::Metric);
    }

    #[test]
    fn the_server_writes_rtcds_bytes() {
        assert_eq!(encode(&Outgoing::Pong).unwrap(), [0xcc, 0x02]);
        assert_eq!(encode(&Outgoing::Lock(true)).unwrap(), [0xcc, 0x07, 0xc3]);
        assert_eq!(encode(&Outgoing::Lock(false)).unwrap(), [0xcc, 0x07, 0xc2]);
        assert_eq!(
            encode(&Outgoing::MediaMap(&[])).unwrap(),
            [0xcc, 0x09, 0x80]
        );
        let map = [("1".to_owned(), "voice", SESSION.to_owned())];
        let mut expected = vec![0xcc, 0x09, 0x81, 0xa1, 0x31, 0x82, 0xa4];
        expected.extend_from_slice(b"type\xa5voice\xa9sender_id\xba");
        expected.extend_from_slice(SESSION.as_bytes());
        assert_eq!(encode(&Outgoing::MediaMap(&map)).unwrap(), expected);
    }

    #[test]
    fn a_map_of_more_than_fifteen_lines_is_a_map16() {
        let map: Vec<_> = (0..20)
            .map(|n| (n.to_string(), "voice", SESSION.to_owned()))
            .collect();
        let bytes = encode(&Outgoing::MediaMap(&map)).unwrap();
        assert_eq!(bytes[..5], [0xcc, 0x09, 0xde, 0x00, 20]);
    }

    #[test]
    fn a_description_survives_the_way_there_and_back() {
        let json = format!(r#"{{"type":"offer","sdp":"{}"}}"#, "v=0\\r\\n".repeat(300));
        let mut bytes = encode(&Outgoing::Sdp(&json)).unwrap();
        assert_eq!(bytes[..2], [0xcc, 0x03]);
        assert!(matches!(bytes[2], 0xc4 | 0xc5));
        assert_eq!(decode(&bytes).unwrap(), Incoming::Sdp(json.clone()));
        // The JavaScript client's form of the type.
        bytes.remove(0);
        assert_eq!(decode(&bytes).unwrap(), Incoming::Sdp(json));
    }

    #[test]
    fn malformed_messages_are_errors() {
        for bytes in [
            &[][..],
            &[0xcc],
            &[0xc0],
            &[0x03],
            &[0x03, 0xc4, 5, 1],
            &[0x03, 0xc4, 2, 0x78, 0x9c],
            &[0x03, 0xc6, 0xff, 0xff, 0xff, 0xff],
            &[0x03, 0x93, 1, 2, 3],
            &[0xcf, 1, 2],
        ] {
            assert!(decode(bytes).is_err(), "{bytes:02x?}");
        }
        assert_eq!(decode(&[42]).unwrap(), Incoming::Unknown(42));
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = deflate(&"x".repeat(MAX_SDP as usize + 1)).unwrap();
        let mut bytes = vec![3];
        write_bin(&mut bytes, &bomb);
        assert!(matches!(decode(&bytes), Err(DcError::Inflate(_))));
    }
}
