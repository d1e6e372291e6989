//! Notices: what a person is told, as a stable code. The words live in `ui/src/lib/i18n.ts`.

use std::collections::BTreeMap;

use serde::Serialize;
use ts_rs::TS;

use crate::command::Command;

/// How much it matters, and how long it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Gone after five seconds.
    Info,
    /// Stays until solved.
    Warning,
    /// Stays until closed.
    Error,
}

/// Something the person should know.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Unique among the notices shown, for closing.
    pub id: u32,
    /// Stable code, for instance `mic.denied`; see `ui.md` §5.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// Values for the sentence's blanks (`name`, `server`, `seconds`…).
    pub values: BTreeMap<String, String>,
    /// What the button does, if there is one.
    pub retry: Option<Command>,
    /// Technical words for "Details": the server's own text, an error. Never needed to understand the sentence.
    pub detail: Option<String>,
}
