//! The servers' own spelling: serde types for what Mattermost and the Calls plugin write on the wire.
//!
//! Nothing here decides anything; `calls-net` turns these types into the [model](crate::model). Every field that
//! may be missing has a default, unknown fields are skipped, and `null` counts as missing, because servers of
//! many years speak this: see [`parse`].

use serde::de::DeserializeOwned;
use serde_json::Value;

pub mod calls;
pub mod dc;
pub mod rest;
pub mod socket;

/// Reads JSON as servers write it: `null` counts as "not there".
///
/// # Errors
/// The text is not JSON, or not of this shape.
pub fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, serde_json::Error> {
    from_value(serde_json::from_slice(text)?)
}

/// As [`parse`], for JSON that has been read already.
///
/// # Errors
/// The value is not of this shape.
pub fn from_value<T: DeserializeOwned>(mut value: Value) -> Result<T, serde_json::Error> {
    drop_nulls(&mut value);
    serde_json::from_value(value)
}

/// Removes object members that are `null`. Depth is bounded by the parser's own limit (128).
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
