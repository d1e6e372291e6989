//! What the switchboard reads in a client's snapshot.

use std::collections::{BTreeMap, BTreeSet};

use crate::alert::plain;
use crate::id::{ChannelId, UserId};
use crate::snapshot::{Account, CallPhase, Link, OurShare, ServerStanding, Snapshot};
use crate::trust::Trust;

/// What matters of a client's snapshot to the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Glance {
    pub(super) url: String,
    pub(super) name: String,
    pub(super) standing: ServerStanding,
    pub(super) signed_in: bool,
    pub(super) mentions: u32,
    pub(super) channels: u32,
    pub(super) ringing: bool,
    pub(super) in_call: bool,
    /// Asks whether to leave the present call for another.
    pub(super) asks: bool,
    pub(super) shows_everything: bool,
    /// What of its alert settings is about its own people and channels.
    pub(super) own: (BTreeSet<ChannelId>, BTreeMap<UserId, String>),
    /// What it may do.
    pub(super) trust: Trust,
}

impl Glance {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let (server, signed_in) = match &snapshot.account {
            Account::NoServer | Account::Finding { .. } => (None, false),
            Account::SignedOut { server, .. } | Account::SigningIn { server, .. } => {
                (Some(server), false)
            }
            Account::SignedIn { server, .. } => (Some(server), true),
        };
        let standing = match (&snapshot.account, &snapshot.link) {
            (Account::NoServer | Account::Finding { .. }, _) => ServerStanding::New,
            (Account::SignedOut { .. }, _) => ServerStanding::SignedOut,
            (_, Link::Up) => ServerStanding::Up,
            (_, Link::Lost { .. }) => ServerStanding::Lost,
            _ => ServerStanding::Connecting,
        };
        let url = server.map(|server| server.url.clone()).unwrap_or_default();
        let name = server
            .map(|server| plain(&server.name, 60))
            .filter(|name| !name.is_empty() && name != "Mattermost")
            .unwrap_or_else(|| host(&url).to_owned());
        let rows = snapshot.directory.channels.iter();
        let settings = &snapshot.alerts.settings;
        Self {
            url,
            name,
            standing,
            signed_in,
            mentions: rows
                .clone()
                .fold(0, |sum: u32, row| sum.saturating_add(row.mentions)),
            channels: u32::try_from(rows.filter(|row| row.unread && !row.muted).count())
                .unwrap_or(u32::MAX),
            ringing: snapshot.incoming.calls.iter().any(|call| !call.elsewhere),
            in_call: !matches!(
                snapshot.call.phase,
                CallPhase::Idle | CallPhase::Failed { .. }
            ),
            asks: snapshot.call.switch_to.is_some(),
            shows_everything: match &snapshot.share.ours {
                OurShare::Off => false,
                OurShare::Starting { source, .. } | OurShare::On { source, .. } => {
                    !source.as_str().starts_with("window:")
                }
            },
            own: (settings.channels.clone(), settings.blocked.clone()),
            trust: settings.trust,
        }
    }
}

/// `https://chat.example.org/team` is at `chat.example.org`.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
