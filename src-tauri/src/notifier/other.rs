//! macOS and Windows, through notify-rust. Both wait for a click by blocking a thread; it is their own.

use std::sync::atomic::AtomicU32;
use std::sync::{Mutex, PoisonError};

use calls_core::alert::Note;
use notify_rust::{Notification, NotificationResponse};
use tokio::sync::oneshot;

use super::{Clicked, name};

/// A notification that is shown.
pub(super) struct Handle {
    clicked: Mutex<Option<oneshot::Receiver<Option<Clicked>>>>,
}

/// Shows it. These systems replace nothing; an older one leaves by itself.
pub(super) async fn show(
    note: &Note,
    _id: &AtomicU32,
) -> Result<Handle, notify_rust::error::Error> {
    let speech = crate::words::spoken();
    let mut shown = Notification::new();
    shown
        .appname("Halloo")
        .summary(&super::title(note))
        .body(&speech.say(&note.body));
    for one in &note.buttons {
        shown.action(name(*one), speech.button(*one));
    }
    let (tell, told) = oneshot::channel();
    let (click, clicked) = oneshot::channel();
    let spawned = std::thread::Builder::new()
        .name("notification".to_owned())
        .spawn(move || match shown.show() {
            Ok(handle) => {
                let _ = tell.send(Ok(()));
                // If it fails, who waits hears that nobody will click.
                let _ = handle.wait_for_response(|response: &NotificationResponse| {
                    let _ = click.send(Clicked::from_response(response));
                });
            }
            Err(why) => {
                let _ = tell.send(Err(why));
            }
        });
    if let Err(why) = spawned {
        return Err(why.to_string().as_str().into());
    }
    match told.await {
        Ok(Err(why)) => Err(why),
        _ => Ok(Handle {
            clicked: Mutex::new(Some(clicked)),
        }),
    }
}

/// Waits for a click; `None` when it was closed.
pub(super) async fn wait(handle: &Handle) -> Option<Clicked> {
    let clicked = handle
        .clicked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()?;
    clicked.await.ok().flatten()
}

/// These systems give no way to take one away; it goes by itself.
pub(super) async fn close(_handle: &Handle) {}

/// The system itself, always.
pub(super) async fn owner() -> Option<String> {
    None
}
