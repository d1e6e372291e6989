//! Between the core and the page: commands in, events out, and portraits. Nothing else crosses.
//!
//! The page listens first, then asks for the snapshot, then applies patches with a higher revision; so a page that
//! was loaded again, or a second window, is never wrong. Of a timeline only the posts that changed are told; a page that
//! holds another one than the change builds upon asks for the snapshot again.

use std::sync::Arc;

use calls_client::Image;
use calls_core::command::Command;
use calls_core::id::{ChannelId, FileId, PostId, ServerNumber};
use calls_core::snapshot::Snapshot;
use calls_core::trust::{Grant, Trust};
use serde::Serialize;
use tauri::ipc::{Channel, InvokeResponseBody, Response};
use tauri::{AppHandle, State, WebviewWindow};

use crate::links::{self, LinkError};
use crate::logging;
use crate::start::Running;
use crate::windows;
use crate::windows::call::{self, Which};

mod avatar;
mod loudness;
mod pages;
pub(crate) mod picture;
mod pump;

pub(crate) use avatar::{Portraits, SCHEME as AVATAR_SCHEME, serve as serve_avatar};
pub(crate) use pages::Pages;
pub(crate) use pump::pump;

/// Why a link was not opened, for the page: a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "code")]
pub(crate) enum Refused {
    /// This kind of link is not opened.
    #[serde(rename = "link.refused")]
    Link,
    /// There is no picture to be had.
    #[serde(rename = "picture.none")]
    Picture,
    /// A part of a file cannot be had.
    #[serde(rename = "file.none")]
    Part,
    /// What was to be attached did not come as a file.
    #[serde(rename = "file.failed")]
    Attach,
    /// There is no log, or it cannot be written.
    #[serde(rename = "logs.none")]
    Log,
    /// The system has nothing to open the link with.
    #[serde(rename = "link.failed")]
    LinkFailed,
    /// The server that it comes from may not open links.
    #[serde(rename = "trust.links")]
    Untrusted,
}

/// A person's wish. Its outcome is seen in the snapshot.
#[expect(
    clippy::needless_pass_by_value,
    reason = "Tauri hands commands their arguments by value"
)]
#[tauri::command]
pub(crate) fn dispatch(core: State<'_, Running>, command: Command) {
    core.dispatch(command);
}

/// Everything a view can show.
#[expect(
    clippy::needless_pass_by_value,
    reason = "Tauri hands commands their arguments by value"
)]
// Off the main thread: a large directory takes a while to spell out.
#[tauri::command(async)]
pub(crate) fn snapshot(core: State<'_, Running>) -> Arc<Snapshot> {
    core.begin()
}

/// A page hears what changes from now on. `anew`: it has just been loaded, and whatever listened in its window is gone.
#[expect(
    clippy::needless_pass_by_value,
    reason = "Tauri hands commands their arguments by value"
)]
#[tauri::command]
pub(crate) fn hear(
    pages: State<'_, Pages>,
    window: WebviewWindow,
    channel: Channel<InvokeResponseBody>,
    anew: bool,
) {
    pages.hear(window.label(), channel, anew);
}

/// Shows or hides one of the windows. Off the main thread, which must be free to make one.
#[tauri::command(async)]
pub(crate) fn call_window(app: AppHandle, which: Which) {
    call::ask(&app, which);
}

/// How high the bar is, in pixels of its page.
#[tauri::command(async)]
pub(crate) fn fit_bar(window: WebviewWindow, height: f64) {
    if window.label() == call::BAR && height.is_finite() {
        call::bar::fit(&window, height);
    }
}

/// Attaches a file to what is being written. The body is its content; where it goes and what it is called stand in
/// headers, the name percent-encoded.
#[expect(
    clippy::needless_pass_by_value,
    reason = "Tauri hands commands their arguments by value"
)]
#[tauri::command(async)]
pub(crate) fn attach(
    core: State<'_, Running>,
    request: tauri::ipc::Request<'_>,
) -> Result<(), Refused> {
    let tauri::ipc::InvokeBody::Raw(body) = request.body() else {
        return Err(Refused::Attach);
    };
    let header = |name: &str| {
        let value = request.headers().get(name)?.to_str().ok()?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    let channel = header("x-channel").ok_or(Refused::Attach)?;
    // Headers are ASCII, names are not.
    let name = header("x-name").and_then(|name| {
        let address = tauri::Url::parse(&format!("name:?{name}=")).ok()?;
        let (name, _) = address.query_pairs().next()?;
        (!name.is_empty()).then(|| name.into_owned())
    });
    let server = header("x-server").and_then(|number| number.parse().ok());
    let server = server.map(calls_core::id::ServerNumber);
    let attach = calls_client::Attach {
        channel: ChannelId::new(channel),
        root: header("x-root").map(PostId::new),
        name: name.unwrap_or_else(|| "file".to_owned()),
        bytes: bytes::Bytes::copy_from_slice(body),
    };
    core.handle().attach(server, attach);
    Ok(())
}

/// What stands in a file from a byte on, at most a MiB, to be played: the page has neither a token nor a network.
///
/// # Errors
/// There is no such file for us, nothing is behind that byte, or it does not come.
#[tauri::command]
pub(crate) async fn file_part(
    core: State<'_, Running>,
    file: FileId,
    from: u64,
) -> Result<Response, Refused> {
    let whose = core.handle().of_image(&Image::Whole(file.clone()));
    let part = whose.ok_or(Refused::Part)?.file_part(&file, from).await;
    Ok(Response::new(Vec::from(part.ok_or(Refused::Part)?)))
}

/// Shows the folder with the log in the person's file manager.
#[tauri::command]
pub(crate) fn open_logs(core: State<'_, Running>) -> Result<(), Refused> {
    let folder = core.folder().ok_or(Refused::LinkFailed)?;
    links::show(folder).map_err(|why| {
        tracing::warn!(%why, "the folder of the log is not shown");
        Refused::LinkFailed
    })
}

/// The newest part of the log, without secrets, for the person to read.
#[expect(
    clippy::needless_pass_by_value,
    reason = "Tauri hands commands their arguments by value"
)]
#[tauri::command(async)]
pub(crate) fn read_log(core: State<'_, Running>) -> Result<String, Refused> {
    core.log().ok_or(Refused::Log)
}

/// Puts the same among the person's downloads; says where.
#[expect(
    clippy::needless_pass_by_value,
    reason = "Tauri hands commands their arguments by value"
)]
#[tauri::command(async)]
pub(crate) fn save_log(core: State<'_, Running>) -> Result<String, Refused> {
    let log = core.log().ok_or(Refused::Log)?;
    let folder = dirs::download_dir()
        .or_else(dirs::home_dir)
        .ok_or(Refused::Log)?;
    logging::save(&folder, &log)
        .map(|path| path.display().to_string())
        .map_err(|why| {
            tracing::warn!(%why, "the log is not saved");
            Refused::Log
        })
}

/// Opens the system's page on which the microphone is allowed.
#[tauri::command(async)]
pub(crate) fn open_privacy() -> Result<(), Refused> {
    links::privacy().map_err(|why| {
        tracing::info!(%why, "no page about the microphone");
        Refused::LinkFailed
    })
}

/// Opens a web or mail address outside.
#[tauri::command]
pub(crate) fn open_link(
    core: State<'_, Running>,
    window: WebviewWindow,
    url: &str,
) -> Result<(), Refused> {
    // In the windows of a call it is that call's server, whichever is shown.
    let (trust, server) = of_window(&core.snapshot(), window.label() == windows::MAIN);
    if !trust.links {
        let ask = Command::AskTrust {
            grant: Grant::Links,
        };
        core.dispatch(match server {
            Some(server) => Command::At {
                server,
                command: Box::new(ask),
            },
            None => ask,
        });
        return Err(Refused::Untrusted);
    }
    links::open(url).map_err(|why| match why {
        LinkError::Refused => Refused::Link,
        LinkError::Failed(_) => Refused::LinkFailed,
    })
}

/// What the server may do that a window is about, and which it is if it is not the one that is shown.
fn of_window(snapshot: &Snapshot, main: bool) -> (Trust, Option<ServerNumber>) {
    let call = snapshot.call.server.as_ref().filter(|_| !main);
    let other = call.and_then(|tag| snapshot.servers.iter().find(|row| row.number == tag.number));
    match other {
        Some(row) => (row.trust, Some(row.number)),
        None => (snapshot.alerts.settings.trust, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calls_core::snapshot::{ServerRow, ServerTag};

    #[test]
    fn a_link_is_judged_by_the_server_that_its_window_is_about() {
        let none = Trust::default().with(Grant::Links, false);
        let mut snapshot = Snapshot::default();
        snapshot.alerts.settings.trust = none;
        assert_eq!(of_window(&snapshot, true), (none, None));
        assert_eq!(of_window(&snapshot, false), (none, None));
        let number = ServerNumber(2);
        snapshot.servers = vec![ServerRow {
            number,
            ..ServerRow::default()
        }];
        snapshot.call.server = Some(ServerTag {
            number,
            name: String::new(),
        });
        assert_eq!(of_window(&snapshot, true), (none, None));
        let theirs = of_window(&snapshot, false);
        assert_eq!(theirs, (Trust::default(), Some(number)));
    }
}
