//! org.freedesktop.Notifications, through notify-rust and zbus.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use calls_core::alert::{Note, NoteKey};
use notify_rust::{Hint, Notification, NotificationHandle, NotificationResponse, Timeout, Urgency};

use super::{Clicked, button, escaped, label, name};

/// How long asking for the service's abilities may take.
const ASKING: Duration = Duration::from_secs(2);

/// Shows it; an `id` that is not 0 is replaced, and told.
pub(super) async fn show(
    note: &Note,
    id: &AtomicU32,
) -> Result<NotificationHandle, notify_rust::error::Error> {
    let abilities = abilities().await;
    let can = |what: &str| abilities.iter().any(|ability| ability == what);
    let call = matches!(note.key, NoteKey::Call(_));
    let mut shown = Notification::new();
    shown
        .appname("Halloo")
        .icon("halloo")
        .summary(&note.title)
        .hint(Hint::DesktopEntry("halloo".to_owned()))
        .hint(Hint::Category(
            if call { "call.incoming" } else { "im.received" }.to_owned(),
        ))
        .urgency(if call {
            Urgency::Critical
        } else {
            Urgency::Normal
        })
        .timeout(if call {
            Timeout::Never
        } else {
            Timeout::Default
        });
    // Where nothing is taken for markup, escapes would show.
    if can("body-markup") || abilities.is_empty() {
        shown.body(&escaped(&note.body));
    } else {
        shown.body(&note.body);
    }
    if note.silent {
        shown.hint(Hint::SuppressSound(true));
    }
    if can("actions") {
        shown.action("default", "Open");
        for one in &note.buttons {
            shown.action(name(*one), label(*one));
        }
    }
    let before = id.load(Ordering::Relaxed);
    if before != 0 {
        shown.id(before);
    }
    let handle = shown.show_async().await?;
    id.store(handle.id(), Ordering::Relaxed);
    Ok(handle)
}

/// What the service can; nothing if it does not say.
async fn abilities() -> Vec<String> {
    let asked = tokio::task::spawn_blocking(notify_rust::get_capabilities);
    match tokio::time::timeout(ASKING, asked).await {
        Ok(Ok(Ok(abilities))) => abilities,
        _ => Vec::new(),
    }
}

/// Waits for a click; `None` when it was closed.
pub(super) async fn wait(handle: &NotificationHandle) -> Option<Clicked> {
    let mut clicked = None;
    handle
        .wait_for_action_async(|response| {
            clicked = match response {
                NotificationResponse::Default => Some(Clicked::Itself),
                NotificationResponse::Action(action) => button(action).map(Clicked::Button),
                NotificationResponse::Reply(text) => Some(Clicked::Reply(text.clone())),
                NotificationResponse::Closed(_) => None,
            };
        })
        .await;
    clicked
}

/// Takes it away.
pub(super) async fn close(handle: &NotificationHandle) {
    handle.close_async().await;
}
