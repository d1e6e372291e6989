//! One Halloo for one person: the running one listens on a private socket, and a second start, a link or
//! `halloo ctl` speaks to it and ends.
//!
//! One line of JSON each way. On Unix the socket lies in a folder that only the person may enter, and is theirs alone
//! (0600); on Windows a named pipe does the same.

use std::path::Path;
use std::time::Duration;

use calls_core::command::Command;
use calls_core::snapshot::{Account, CallPhase, Microphone, Snapshot};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use crate::desk::Desk;
use crate::start::Running;

#[cfg(unix)]
#[path = "control/unix.rs"]
mod system;
#[cfg(windows)]
#[path = "control/windows.rs"]
mod system;

pub(crate) use system::Listener;

/// Longest line taken; a link has 2048 characters at most.
const LONGEST: u64 = 8192;

/// How long the other side may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is asked of the running Halloo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(crate) enum Ask {
    /// Come to the front; with an address, open it.
    Show {
        /// `halloo:`, `mattermost:` or `https:`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    /// Microphone off.
    Mute,
    /// Microphone on.
    Unmute,
    /// Microphone the other way.
    Toggle,
    /// Join the call of a channel: by name, by `@person`, by link, or the call that comes in.
    Join {
        /// Which; nothing answers the call that comes in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<String>,
    },
    /// Leave the call.
    Leave,
    /// What goes on.
    Status,
    /// End the program.
    Quit,
}

/// Asks the running Halloo of this profile; `None` if none runs.
pub(crate) async fn ask(folder: &Path, ask: &Ask) -> Option<Value> {
    let asked = async {
        let stream = system::connect(folder).await.ok()?;
        let (read, mut write) = tokio::io::split(stream);
        let line = serde_json::to_string(ask).ok()?;
        write.write_all(format!("{line}\n").as_bytes()).await.ok()?;
        let mut answer = String::new();
        BufReader::new(read.take(LONGEST * 8))
            .read_line(&mut answer)
            .await
            .ok()?;
        serde_json::from_str(&answer).ok()
    };
    tokio::time::timeout(PATIENCE, asked).await.ok().flatten()
}

/// Answers whoever asks, until the program ends.
pub(crate) async fn serve(
    mut listener: Listener,
    core: Running,
    desk: std::sync::Arc<Desk>,
    quit: std::sync::Arc<tokio::sync::Notify>,
) {
    loop {
        match listener.accept().await {
            Ok(stream) => {
                let (core, desk, quit) = (core.clone(), desk.clone(), quit.clone());
                tokio::spawn(async move {
                    // Whoever asks and does not listen has no answer.
                    let _ = tokio::time::timeout(PATIENCE, one(stream, &core, &desk, &quit)).await;
                });
            }
            Err(why) => {
                tracing::warn!(%why, "the control socket");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

async fn one<S: AsyncRead + AsyncWrite + Send>(
    stream: S,
    core: &Running,
    desk: &Desk,
    quit: &tokio::sync::Notify,
) -> std::io::Result<()> {
    let (read, mut write) = tokio::io::split(stream);
    let mut line = String::new();
    BufReader::new(read.take(LONGEST))
        .read_line(&mut line)
        .await?;
    let answer = match serde_json::from_str::<Ask>(&line) {
        Ok(ask) => act(&ask, core, desk, quit),
        Err(_) => json!({"ok": false, "error": "not understood"}),
    };
    write.write_all(format!("{answer}\n").as_bytes()).await?;
    write.shutdown().await
}

fn act(ask: &Ask, core: &Running, desk: &Desk, quit: &tokio::sync::Notify) -> Value {
    let snapshot = core.snapshot();
    let commands = match ask {
        Ask::Show { address } => {
            desk.show();
            address
                .clone()
                .map(|address| vec![Command::OpenAddress { address }])
                .unwrap_or_default()
        }
        Ask::Mute => vec![Command::SetMuted { muted: true }],
        Ask::Unmute => vec![Command::SetMuted { muted: false }],
        Ask::Toggle => vec![Command::ToggleMute],
        Ask::Leave => vec![Command::LeaveCall],
        Ask::Join { place } => match join(place.as_deref(), &snapshot) {
            Ok(command) => vec![command],
            Err(error) => return json!({"ok": false, "error": error}),
        },
        Ask::Status => return status(&snapshot),
        Ask::Quit => {
            quit.notify_one();
            vec![]
        }
    };
    let in_call = !matches!(
        snapshot.call.phase,
        CallPhase::Idle | CallPhase::Failed { .. }
    );
    if matches!(ask, Ask::Mute | Ask::Unmute | Ask::Toggle | Ask::Leave) && !in_call {
        return json!({"ok": false, "error": "not in a call"});
    }
    for command in commands {
        core.dispatch(command);
    }
    json!({"ok": true})
}

fn join(place: Option<&str>, snapshot: &Snapshot) -> Result<Command, &'static str> {
    let Some(place) = place else {
        let call = snapshot.incoming.calls.iter().find(|call| !call.elsewhere);
        let call = call.ok_or("nobody is calling")?;
        return Ok(Command::AnswerCall {
            channel: call.channel.clone(),
            muted: false,
            switch: true,
        });
    };
    if place.contains(':') {
        return Ok(Command::OpenAddress {
            address: place.to_owned(),
        });
    }
    let directory = &snapshot.directory;
    let found = match place.strip_prefix('@') {
        Some(person) => directory.channels.iter().find(|row| {
            row.user
                .as_ref()
                .and_then(|user| directory.people.get(user.as_str()))
                .is_some_and(|known| known.user.username == person)
        }),
        None => directory
            .channels
            .iter()
            .find(|row| row.name.to_lowercase() == place.to_lowercase()),
    };
    Ok(Command::JoinCall {
        channel: found.ok_or("no such channel")?.id.clone(),
        title: None,
        switch: true,
    })
}

/// What goes on, for scripts: stable names.
fn status(snapshot: &Snapshot) -> Value {
    let (account, user) = match &snapshot.account {
        Account::SignedIn { me, .. } => ("signed-in", Some(me.username.clone())),
        Account::SigningIn { login, .. } => ("signing-in", Some(login.clone())),
        _ => ("signed-out", None),
    };
    let call = &snapshot.call;
    let phase = match call.phase {
        CallPhase::Idle => "idle",
        CallPhase::Joining => "joining",
        CallPhase::Connecting => "connecting",
        CallPhase::Live => "live",
        CallPhase::Reconnecting { .. } => "reconnecting",
        CallPhase::Failed { .. } => "failed",
    };
    let microphone = match call.microphone {
        Microphone::Muted => "muted",
        Microphone::Opening => "opening",
        Microphone::Open => "open",
        Microphone::Unavailable => "unavailable",
    };
    let rings = |ringing: bool| {
        snapshot
            .incoming
            .calls
            .iter()
            .filter(|one| !one.elsewhere && (one.ringing || !ringing))
            .count()
    };
    let unread = snapshot.directory.channels.iter().filter(|row| row.unread);
    let mentions: u32 = snapshot
        .directory
        .channels
        .iter()
        .fold(0, |sum, row| sum.saturating_add(row.mentions));
    json!({
        "ok": true,
        "account": account,
        "user": user,
        "call": phase,
        "place": call.place,
        "microphone": microphone,
        "people": call.participants.len(),
        "incoming": rings(false),
        "ringing": rings(true) > 0,
        "unread": unread.count(),
        "mentions": mentions,
        "missed": snapshot.incoming.missed.len(),
        "calling": call.calling.is_some(),
        "keys": snapshot.alerts.keys,
        "quiet": snapshot.alerts.system_quiet,
        "quitting": snapshot.alerts.quitting,
        "notices": snapshot.notices.iter().map(|notice| notice.code.as_str()).collect::<Vec<_>>(),
    })
}
