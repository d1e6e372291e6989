//! `halloo netcheck`: which ways there are to a server and to its media, without a call.

use std::io::Write;
use std::time::Duration;

use calls_client::ClientEvent;
use calls_core::command::Command;
use calls_core::snapshot::{Account, Network, Reach, Snapshot, Way, WayKind};
use serde_json::json;

use crate::args::exit;
use crate::start::Running;

/// How long signing in and the test may take together.
const PATIENCE: Duration = Duration::from_secs(45);

/// Signs in, tests, prints. Returns the exit code: failed, if the server itself is not reached.
pub(crate) async fn run(running: &Running, json: bool) -> u8 {
    let code = match tokio::time::timeout(PATIENCE, test(running)).await {
        Ok(Ok(network)) => {
            let text = if json {
                object(&network)
            } else {
                table(&network)
            };
            match writeln!(std::io::stdout(), "{text}") {
                Ok(()) => exit::OK,
                Err(_) => exit::FAILED,
            }
        }
        Ok(Err(code)) => {
            let _ = writeln!(std::io::stderr(), "halloo: not signed in: {code}");
            exit::SIGN_IN
        }
        Err(_) => {
            let _ = writeln!(std::io::stderr(), "halloo: no sign-in in time");
            exit::SIGN_IN
        }
    };
    running.stop().await;
    code
}

async fn test(running: &Running) -> Result<Network, String> {
    let mut events = running.handle().events();
    let mut snapshots = running.handle().watch();
    snapshots.mark_changed();
    let mut asked = false;
    loop {
        tokio::select! {
            changed = snapshots.changed() => {
                let ended = |_| "it ended".to_owned();
                changed.map_err(ended)?;
                let snapshot = snapshots.borrow_and_update().clone();
                if !asked && ready(&snapshot) {
                    asked = true;
                    running.dispatch(Command::TestNetwork);
                } else if asked && snapshot.network.at.is_some() && !snapshot.network.running {
                    return Ok(snapshot.network.clone());
                }
            }
            event = events.recv() => {
                if let Ok(ClientEvent::SignInRefused { code }) = event {
                    return Err(code);
                }
            }
        }
    }
}

/// Signed in, and what the Calls plugin names is known, if there is one.
fn ready(snapshot: &Snapshot) -> bool {
    matches!(snapshot.account, Account::SignedIn { .. }) && snapshot.directory.calls_available
}

fn object(network: &Network) -> String {
    json!({ "ways": network.ways }).to_string()
}

fn table(network: &Network) -> String {
    let rows = network.ways.iter().map(|way| {
        let answer = match way.reach {
            Reach::Yes => "yes",
            Reach::No => "no",
            Reach::Unknown => "unknown",
        };
        let ms = way.ms.map(|ms| format!(" ({ms} ms)")).unwrap_or_default();
        let place = if way.place.is_empty() {
            "-"
        } else {
            &way.place
        };
        let name = name(way);
        format!("{answer:7} {name:14} {place}{ms}\n        {}", meaning(way))
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn name(way: &Way) -> &'static str {
    match way.kind {
        WayKind::Site => "server",
        WayKind::Stun => "UDP",
        WayKind::TurnUdp => "relay over UDP",
        WayKind::TurnTcp => "relay over TCP",
        WayKind::TurnTls => "relay over TLS",
        WayKind::Media => "media port",
    }
}

/// As the page says it.
fn meaning(way: &Way) -> &'static str {
    match (way.kind, way.reach) {
        (WayKind::Site, Reach::Yes) => "The server answers.",
        (WayKind::Site, _) => "The server does not answer. Nothing works before it does.",
        (WayKind::Stun, Reach::Yes) => "UDP gets out and back. Calls can take the fast way.",
        (WayKind::Stun, Reach::No) => {
            "UDP does not come back. Calls go over TCP or a relay, with more delay."
        }
        (WayKind::Stun, Reach::Unknown) => {
            "The server names no STUN server: whether UDP passes shows only in a call."
        }
        (WayKind::Media, Reach::Yes) => {
            "TCP to the usual media port is accepted. Whether media passes shows only in a call."
        }
        (WayKind::Media, _) => {
            "The usual media port takes no TCP here. The server may use another: that is known only in a call."
        }
        (_, Reach::Yes) => "The relay takes us.",
        (_, Reach::No) => "The relay cannot be reached so, or does not take us.",
        (_, Reach::Unknown) => {
            "The server names no relay. Where UDP and TCP to its media port are blocked, calls fail."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_a_line_with_its_meaning_below() {
        let way = |kind, reach, ms| Way {
            kind,
            place: "a:1".to_owned(),
            reach,
            ms,
            detail: None,
        };
        let network = Network {
            running: false,
            at: Some(1),
            ways: vec![
                way(WayKind::Site, Reach::Yes, Some(12)),
                way(WayKind::Stun, Reach::No, None),
                way(WayKind::Media, Reach::Unknown, None),
            ],
        };
        let text = table(&network);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[0], "yes     server         a:1 (12 ms)");
        assert!(lines[3].contains("UDP does not come back"));
        assert!(lines[5].contains("known only in a call"));
        let object: serde_json::Value = serde_json::from_str(&object(&network)).unwrap_or_default();
        assert_eq!(object["ways"][1]["reach"], "no");
    }
}
