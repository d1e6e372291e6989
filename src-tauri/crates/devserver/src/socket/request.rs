//! What a client sends: JSON in text frames, MessagePack in binary frames, the same object in both.

use std::collections::HashMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// How deep a MessagePack value may nest. The library's own limit of 1024 overflows the stack of a
/// worker thread in a development build; no message of the protocol is deeper than four.
const MAX_DEPTH: usize = 32;

/// A client's message.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Request {
    pub(crate) action: String,
    pub(crate) seq: i64,
    pub(crate) data: Map<String, Value>,
    /// Fields of `data` that were MessagePack *bin*; JSON cannot hold them.
    pub(crate) binary: HashMap<String, Vec<u8>>,
}

/// The frame was not a request; the server closes the socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Garbage {
    #[error("not JSON")]
    Json(#[source] serde_json::Error),
    #[error("not MessagePack")]
    Packed(#[source] rmp_serde::decode::Error),
    #[error("not an object with an action")]
    Shape,
}

impl Request {
    /// Reads a text frame.
    pub(crate) fn from_text(text: &str) -> Result<Self, Garbage> {
        let Value::Object(map) = serde_json::from_str(text).map_err(Garbage::Json)? else {
            return Err(Garbage::Shape);
        };
        let action = match map.get("action") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(s)) => s.clone(),
            Some(_) => return Err(Garbage::Shape),
        };
        let data = match map.get("data") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(m)) => m.clone(),
            Some(_) => return Err(Garbage::Shape),
        };
        Ok(Self {
            action,
            seq: map.get("seq").and_then(Value::as_i64).unwrap_or(0),
            data,
            binary: HashMap::new(),
        })
    }

    /// Reads a binary frame: a MessagePack map (an array is refused, as by the server).
    pub(crate) fn from_packed(bytes: &[u8]) -> Result<Self, Garbage> {
        let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
        reader.set_max_depth(MAX_DEPTH);
        let value = Packed::deserialize(&mut reader).map_err(Garbage::Packed)?;
        let Packed::Map(fields) = value else {
            return Err(Garbage::Shape);
        };
        let mut request = Self::default();
        for (key, value) in fields {
            match (key.as_str(), value) {
                ("action", Packed::Plain(Value::String(s))) => request.action = s,
                ("seq", Packed::Plain(v)) => request.seq = v.as_i64().unwrap_or(0),
                ("data", Packed::Map(data)) => {
                    for (key, value) in data {
                        if let Packed::Binary(bytes) = value {
                            request.binary.insert(key, bytes);
                        } else {
                            request.data.insert(key, value.into_json());
                        }
                    }
                }
                ("data", Packed::Plain(Value::Null)) => {}
                ("action" | "data", _) => return Err(Garbage::Shape),
                _ => {}
            }
        }
        Ok(request)
    }

    /// A text field of `data`.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key).and_then(Value::as_str)
    }

    /// A boolean field of `data`; absent is false.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.data.get(key).and_then(Value::as_bool).unwrap_or(false)
    }
}

/// Any MessagePack value, with *bin* told apart.
#[derive(Debug)]
enum Packed {
    Plain(Value),
    Binary(Vec<u8>),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Packed {
    fn into_json(self) -> Value {
        match self {
            Self::Plain(v) => v,
            Self::Binary(_) => Value::Null,
            Self::List(list) => list.into_iter().map(Self::into_json).collect(),
            Self::Map(map) => map
                .into_iter()
                .map(|(k, v)| (k, v.into_json()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PackedVisitor)
    }
}

struct PackedVisitor;

impl<'de> Visitor<'de> for PackedVisitor {
    type Value = Packed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a MessagePack value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Packed, E> {
        Ok(Packed::Plain(v.into()))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Packed, E> {
        Ok(Packed::Plain(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Packed, E> {
        Ok(Packed::Plain(v.into()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Packed, E> {
        Ok(Packed::Plain(v.into()))
    }

    fn visit_str<E>(self, v: &str) -> Result<Packed, E> {
        Ok(Packed::Plain(v.into()))
    }

    fn visit_bytes<E>(self, v: &[u8]) -> Result<Packed, E> {
        Ok(Packed::Binary(v.to_vec()))
    }

    fn visit_unit<E>(self) -> Result<Packed, E> {
        Ok(Packed::Plain(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Packed, E> {
        Ok(Packed::Plain(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Packed, A::Error> {
        // The claimed length is not trusted: nothing is reserved.
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Packed::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Packed, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = map.next_entry()? {
            fields.push(entry);
        }
        Ok(Packed::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_bytes_of_the_reference_are_understood() {
        // 83 a6 "action" a1 "x" a3 "seq" 04 a4 "data" 81 a4 "data" c4 02 78 9c
        let mut bytes = vec![0x83, 0xa6];
        bytes.extend(b"action\xa1x\xa3seq\x04\xa4data\x81\xa4data\xc4\x02\x78\x9c");
        let request = Request::from_packed(&bytes).unwrap();
        assert_eq!((request.action.as_str(), request.seq), ("x", 4));
        assert_eq!(request.binary["data"], [0x78, 0x9c]);
    }

    #[test]
    fn text_and_arrays_where_bytes_belong_are_not_binary() {
        let mut text = vec![0x82, 0xa6];
        text.extend(b"action\xa1x\xa4data\x81\xa4data\xa2hi");
        let request = Request::from_packed(&text).unwrap();
        assert!(request.binary.is_empty());
        assert_eq!(request.text("data"), Some("hi"));
        let mut list = vec![0x82, 0xa6];
        list.extend(b"action\xa1x\xa4data\x81\xa4data\x92\x78\x01");
        assert!(Request::from_packed(&list).unwrap().binary.is_empty());
    }

    #[test]
    fn what_is_not_a_map_is_garbage() {
        assert!(Request::from_packed(&[0x93, 0xa1, b'x', 0x01, 0xc0]).is_err());
        assert!(Request::from_packed(&[]).is_err());
        assert!(Request::from_packed(&[0xdf, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(Request::from_text("[]").is_err());
        assert!(Request::from_text("{\"action\":1}").is_err());
        assert!(Request::from_text("hello").is_err());
        let deep = [0x91_u8; 8000];
        assert!(Request::from_packed(&deep).is_err());
    }

    #[test]
    fn text_frames_may_leave_data_out() {
        let request = Request::from_text(r#"{"action":"ping","seq":7}"#).unwrap();
        assert_eq!((request.action.as_str(), request.seq), ("ping", 7));
        assert!(request.data.is_empty());
    }
}
