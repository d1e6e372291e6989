//! Messages of the data channel, and the compressed session descriptions that travel in them and in the
//! WebSocket's binary frames.
//!
//! A message is a MessagePack *type* directly followed by an optional MessagePack *payload*. The official client
//! writes the type as a fixint (`07`), the server as uint8 (`cc 07`); both sides read both.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Serialize};

use super::calls::{Description, PREFIX};

/// The largest session description accepted, decompressed (plugin 1.12.2: 64 KiB).
pub const MAX_DESCRIPTION: usize = 64 * 1024;

/// A message of the data channel.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Client: answer this.
    Ping,
    /// Server: the answer.
    Pong,
    /// A description, compressed: see [`inflate`] and [`deflate`].
    Sdp(Vec<u8>),
    /// Client: share of packets lost, 0..1.
    LossRate(f64),
    /// Client: round trip in seconds.
    RoundTripTime(f64),
    /// Client: jitter in seconds.
    Jitter(f64),
    /// Client: may I offer?
    Lock,
    /// Server: you may (true), or somebody else does (false).
    LockReply(bool),
    /// Client: I am done.
    Unlock,
    /// Server: what each media section carries.
    MediaMap(BTreeMap<String, MediaEntry>),
    /// A type that we do not know.
    Unknown(u64),
}

/// One entry of a media map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MediaEntry {
    /// `voice`, `screen`, `screen-audio`, `video`.
    #[serde(rename = "type")]
    pub kind: String,
    /// **Wrong** in real servers: the receiver's own session. Never trust it.
    pub sender_id: String,
}

/// Who writes: it decides how the type is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Fixint types.
    Client,
    /// uint8 types.
    Server,
}

/// Why a message was not understood.
#[derive(Debug, thiserror::Error)]
pub enum DcError {
    /// Not MessagePack, cut short, or of another shape.
    #[error("malformed data-channel message")]
    Malformed(#[source] rmp_serde::decode::Error),
    /// Not a zlib stream, or too large.
    #[error("malformed compressed description")]
    Compression(#[source] std::io::Error),
    /// Not a session description.
    #[error("malformed description")]
    Description(#[source] serde_json::Error),
    /// Cannot be written.
    #[error("cannot be encoded")]
    Encode(#[source] rmp_serde::encode::Error),
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// The bytes are not a message; a message of an unknown type is not an error.
    pub fn read(bytes: &[u8]) -> Result<Self, DcError> {
        let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
        let kind = u64::deserialize(&mut reader).map_err(DcError::Malformed)?;
        let number = |reader: &mut rmp_serde::Deserializer<_>| {
            f64::deserialize(reader).map_err(DcError::Malformed)
        };
        Ok(match kind {
            1 => Self::Ping,
            2 => Self::Pong,
            3 => Self::Sdp(
                serde_bytes::ByteBuf::deserialize(&mut reader)
                    .map_err(DcError::Malformed)?
                    .into_vec(),
            ),
            4 => Self::LossRate(number(&mut reader)?),
            5 => Self::RoundTripTime(number(&mut reader)?),
            6 => Self::Jitter(number(&mut reader)?),
            // The same number asks and answers: only the answer has a payload.
            7 => match bool::deserialize(&mut reader) {
                Ok(granted) => Self::LockReply(granted),
                Err(_) => Self::Lock,
            },
            8 => Self::Unlock,
            9 => Self::MediaMap(BTreeMap::deserialize(&mut reader).map_err(DcError::Malformed)?),
            other => Self::Unknown(other),
        })
    }

    /// Writes a message.
    ///
    /// # Errors
    /// Never in practice: memory is the only thing written to.
    pub fn write(&self, writer: Writer) -> Result<Vec<u8>, DcError> {
        let kind: u8 = match self {
            Self::Ping => 1,
            Self::Pong => 2,
            Self::Sdp(_) => 3,
            Self::LossRate(_) => 4,
            Self::RoundTripTime(_) => 5,
            Self::Jitter(_) => 6,
            Self::Lock | Self::LockReply(_) => 7,
            Self::Unlock => 8,
            Self::MediaMap(_) => 9,
            Self::Unknown(kind) => u8::try_from(*kind).unwrap_or(u8::MAX),
        };
        let mut bytes = match writer {
            Writer::Client if kind < 0x80 => vec![kind],
            _ => vec![0xcc, kind],
        };
        match self {
            Self::Sdp(data) => put(&mut bytes, serde_bytes::Bytes::new(data)),
            Self::LossRate(value) | Self::RoundTripTime(value) | Self::Jitter(value) => {
                put(&mut bytes, value)
            }
            Self::LockReply(granted) => put(&mut bytes, granted),
            Self::MediaMap(map) => put(&mut bytes, map),
            _ => Ok(()),
        }?;
        Ok(bytes)
    }
}

fn put<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) -> Result<(), DcError> {
    // Maps, not arrays, for structs: the other side looks for names.
    let mut writer = rmp_serde::Serializer::new(bytes).with_struct_map();
    value.serialize(&mut writer).map_err(DcError::Encode)
}

/// Compresses a description: zlib (RFC 1950) of its JSON.
///
/// # Errors
/// Never in practice: memory is the only thing written to.
pub fn deflate(description: &Description) -> Result<Vec<u8>, DcError> {
    let json = serde_json::to_vec(description).map_err(DcError::Description)?;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&json).map_err(DcError::Compression)?;
    encoder.finish().map_err(DcError::Compression)
}

/// Decompresses a description, at most [`MAX_DESCRIPTION`] bytes of it.
///
/// # Errors
/// Not zlib, too large, or not a description.
pub fn inflate(bytes: &[u8]) -> Result<Description, DcError> {
    let mut json = Vec::new();
    ZlibDecoder::new(bytes)
        .take(MAX_DESCRIPTION as u64 + 1)
        .read_to_end(&mut json)
        .map_err(DcError::Compression)?;
    if json.len() > MAX_DESCRIPTION {
        let error = std::io::Error::other("description too large");
        return Err(DcError::Compression(error));
    }
    serde_json::from_slice(&json).map_err(DcError::Description)
}

#[derive(Serialize, Deserialize)]
struct SdpData {
    // *bin*, not *str* and not an array of numbers: the server rejects those silently.
    #[serde(with = "serde_bytes")]
    data: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct SdpFrame {
    action: String,
    seq: i64,
    data: SdpData,
}

/// The binary WebSocket frame of the action `sdp`.
///
/// # Errors
/// Never in practice: memory is the only thing written to.
pub fn write_sdp_frame(seq: i64, compressed: Vec<u8>) -> Result<Vec<u8>, DcError> {
    let mut bytes = Vec::with_capacity(compressed.len() + 64);
    let frame = SdpFrame {
        action: format!("{PREFIX}sdp"),
        seq,
        data: SdpData { data: compressed },
    };
    put(&mut bytes, &frame)?;
    Ok(bytes)
}

/// Reads a binary WebSocket frame of the action `sdp`: its number and compressed description.
///
/// # Errors
/// Another shape, or another action.
pub fn read_sdp_frame(bytes: &[u8]) -> Result<(i64, Vec<u8>), DcError> {
    let frame: SdpFrame = rmp_serde::from_slice(bytes).map_err(DcError::Malformed)?;
    if frame.action.strip_prefix(PREFIX) != Some("sdp") {
        let error = serde::de::Error::custom("another action");
        return Err(DcError::Malformed(error));
    }
    Ok((frame.seq, frame.data.data))
}
