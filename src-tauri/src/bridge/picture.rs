//! Pictures for the page: shared screens as raw planes, and thumbnails. They are pulled, one at a time, so that a slow
//! page gets fewer and never a queue.

use std::sync::Arc;
use std::time::Duration;

use calls_core::id::{SessionId, SourceId};
use calls_media::Screens;
use calls_media::video::Size;
use calls_media::video::view::page_bytes;
use tauri::State;
use tauri::ipc::Response;

use super::Refused;
use crate::start::Running;

/// How long a page waits for a new picture before it asks again.
const PATIENCE: Duration = Duration::from_secs(1);

/// Pace of our own preview: enough to see that it is alive.
const PREVIEW_EVERY: Duration = Duration::from_millis(250);

/// The next picture of a session's screen (our own without one); empty if there is no new one. A page that has the
/// picture `after`, at this size, gets only what has changed since; 0 asks for a whole one.
///
/// # Errors
/// The work could not be done.
#[tauri::command]
pub(crate) async fn next_frame(
    core: State<'_, Running>,
    session: Option<SessionId>,
    after: u64,
    width: u32,
    height: u32,
) -> Result<Response, Refused> {
    let screens = core.handle().screens();
    let viewport = Size::checked(width, height);
    let work = move || match session {
        Some(session) => remote(&screens, &session, after, viewport),
        None => own(&screens, after, viewport),
    };
    let bytes = tauri::async_runtime::spawn_blocking(work).await;
    Ok(Response::new(bytes.map_err(|_| Refused::Picture)?))
}

/// A small picture of something that can be shared, as PNG.
///
/// # Errors
/// It cannot be captured.
#[tauri::command]
pub(crate) async fn thumbnail(
    core: State<'_, Running>,
    source: SourceId,
) -> Result<Response, Refused> {
    let screens = core.handle().screens();
    let work = move || screens.thumbnail(&source);
    let done = tauri::async_runtime::spawn_blocking(work).await;
    match done {
        Ok(Ok(png)) => Ok(Response::new(png)),
        Ok(Err(_)) | Err(_) => Err(Refused::Picture),
    }
}

fn remote(screens: &Screens, session: &SessionId, after: u64, viewport: Option<Size>) -> Vec<u8> {
    let views = screens.views();
    let Some(view) = views.iter().find(|view| view.track.session == *session) else {
        // Not there yet: the page asks again.
        std::thread::sleep(Duration::from_millis(100));
        return Vec::new();
    };
    match view.next_changes(after, PATIENCE) {
        Some((picture, changed)) => {
            page_bytes(picture.number, &picture.picture, viewport, changed.as_ref())
        }
        None => Vec::new(),
    }
}

fn own(screens: &Arc<Screens>, after: u64, viewport: Option<Size>) -> Vec<u8> {
    if after > 0 {
        std::thread::sleep(PREVIEW_EVERY);
    }
    match screens.preview() {
        Some(picture) => page_bytes(after.wrapping_add(1), &picture, viewport, None),
        None => {
            std::thread::sleep(Duration::from_millis(100));
            Vec::new()
        }
    }
}
