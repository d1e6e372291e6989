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

/// Every code there is, with its weight: those of notices, of [`crate::snapshot::CallPhase::Failed`], of
/// [`crate::snapshot::ChannelRow::call_blocked`] and of [`crate::snapshot::Delivery::Failed`].
pub const CODES: &[(&str, Severity)] = &[
    // Signing in.
    ("server.none", Severity::Error),
    ("server.untrusted", Severity::Error),
    ("server.changed", Severity::Error),
    ("server.not_mattermost", Severity::Error),
    ("server.no_calls", Severity::Error),
    ("account.wrong", Severity::Error),
    ("account.bad_token", Severity::Error),
    ("account.mfa_needed", Severity::Info),
    ("account.bad_code", Severity::Error),
    ("account.locked", Severity::Error),
    ("account.inactive", Severity::Error),
    ("account.unverified", Severity::Error),
    ("account.mfa_enrol", Severity::Error),
    ("account.refused", Severity::Error),
    ("account.expired", Severity::Warning),
    ("secrets.none", Severity::Info),
    // The connection.
    ("link.lost", Severity::Warning),
    ("link.back", Severity::Info),
    ("link.busy", Severity::Info),
    ("request.failed", Severity::Error),
    // Links.
    ("link.refused", Severity::Error),
    ("link.foreign", Severity::Error),
    ("link.new_server", Severity::Error),
    ("link.start", Severity::Error),
    ("link.nowhere", Severity::Error),
    // What a server may not do.
    ("trust.microphone", Severity::Warning),
    ("trust.screen", Severity::Warning),
    ("trust.links", Severity::Warning),
    // Keys that work everywhere.
    ("keys.local", Severity::Warning),
    ("keys.taken", Severity::Warning),
    ("sso.stale", Severity::Error),
    ("sso.refused", Severity::Error),
    ("call.declined", Severity::Info),
    ("call.no_answer", Severity::Info),
    // Writing.
    ("post.too_long", Severity::Error),
    ("post.archived", Severity::Error),
    ("post.thread_gone", Severity::Error),
    ("post.failed", Severity::Error),
    ("post.not_edited", Severity::Error),
    ("post.not_deleted", Severity::Error),
    ("file.too_large", Severity::Error),
    ("file.too_many", Severity::Error),
    ("file.failed", Severity::Error),
    ("file.saved", Severity::Info),
    ("file.not_saved", Severity::Error),
    ("group.too_many", Severity::Error),
    ("command.unknown", Severity::Error),
    ("command.failed", Severity::Error),
    // Why there is no call.
    ("call.loading", Severity::Info),
    ("call.archived", Severity::Error),
    ("call.inactive", Severity::Error),
    ("call.group_off", Severity::Error),
    ("call.disabled", Severity::Error),
    ("call.test_mode", Severity::Error),
    ("call.full", Severity::Error),
    ("call.forbidden", Severity::Error),
    ("call.refused", Severity::Error),
    ("call.unsupported", Severity::Error),
    ("call.already", Severity::Error),
    ("call.running", Severity::Error),
    ("call.not_here", Severity::Error),
    // Why a call ended.
    ("call.media_timeout", Severity::Error),
    ("call.lost", Severity::Error),
    ("call.removed", Severity::Error),
    ("call.channel_left", Severity::Error),
    // In a call.
    ("call.muted", Severity::Info),
    ("call.unmuted", Severity::Info),
    ("call.talking_muted", Severity::Info),
    ("call.joined", Severity::Info),
    ("call.left", Severity::Info),
    ("call.hand", Severity::Info),
    ("call.hand_lowered", Severity::Info),
    ("call.hand_served", Severity::Info),
    ("call.muted_by", Severity::Info),
    ("call.host", Severity::Info),
    ("call.host_you", Severity::Info),
    ("call.removed_other", Severity::Info),
    ("call.host_refused", Severity::Error),
    ("call.not_host", Severity::Error),
    ("call.ended_not", Severity::Error),
    ("call.asked", Severity::Info),
    ("rec.refused", Severity::Error),
    ("rec.none", Severity::Error),
    ("rec.already", Severity::Error),
    ("logs.sent", Severity::Info),
    ("logs.none", Severity::Error),
    ("call.weak", Severity::Warning),
    // Screens.
    ("share.off", Severity::Error),
    ("share.taken", Severity::Info),
    ("share.refused", Severity::Error),
    ("share.gone", Severity::Info),
    ("share.silent", Severity::Info),
    ("share.denied", Severity::Error),
    ("share.cancelled", Severity::Info),
    ("share.unsupported", Severity::Error),
    ("share.failed", Severity::Error),
    ("share.ended", Severity::Error),
    ("share.lost", Severity::Error),
    ("share.stopped_by", Severity::Info),
    // Sound devices.
    ("mic.none", Severity::Warning),
    ("mic.denied", Severity::Warning),
    ("mic.busy", Severity::Warning),
    ("mic.changed", Severity::Info),
    ("speaker.none", Severity::Warning),
    ("speaker.denied", Severity::Warning),
    ("speaker.busy", Severity::Warning),
    ("speaker.changed", Severity::Info),
    ("device.back", Severity::Info),
];

/// The weight of a code; an unknown one is an error, which stays until it is closed.
#[must_use]
pub fn severity(code: &str) -> Severity {
    CODES
        .iter()
        .find(|(known, _)| *known == code)
        .map_or(Severity::Error, |(_, severity)| *severity)
}
