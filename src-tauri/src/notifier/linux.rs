//! org.freedesktop.Notifications, through notify-rust and zbus.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use calls_core::alert::{Note, NoteButton, NoteKey};
use notify_rust::{Hint, Notification, NotificationHandle, Timeout, Urgency};
use zbus::export::futures_core::Stream;

use super::{Clicked, escaped, name};

/// The action that the service itself makes a field of, and the signal that brings what was typed.
const INLINE: &str = "inline-reply";

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
    let speech = crate::words::spoken();
    let (title, body) = (super::title(note), speech.say(&note.body));
    let mut shown = Notification::new();
    shown
        .appname("Halloo")
        .icon("halloo")
        .summary(&title)
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
        shown.body(&escaped(&body));
    } else {
        shown.body(&body);
    }
    if note.silent {
        shown.hint(Hint::SuppressSound(true));
    }
    if can("actions") {
        shown.action("default", speech.open);
        for one in &note.buttons {
            // Typed into the notification itself, where the service has room for that (KDE's and its likes).
            let typed = *one == NoteButton::Reply && can("inline-reply");
            let action = if typed { INLINE } else { name(*one) };
            shown.action(action, speech.button(*one));
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

/// Under which name and where notification services are found.
const SERVICE: &str = "org.freedesktop.Notifications";
const OBJECT: &str = "/org/freedesktop/Notifications";

/// Who is the service now, by the name that the bus gives every connection anew; `None` if nobody is.
pub(super) async fn owner() -> Option<String> {
    let asked = async {
        let bus = zbus::Connection::session().await?;
        let dbus = zbus::fdo::DBusProxy::new(&bus).await?;
        let name = zbus::names::BusName::try_from(SERVICE)?;
        zbus::Result::Ok(dbus.get_name_owner(name).await?)
    };
    let owner = tokio::time::timeout(ASKING, asked).await.ok()?.ok()?;
    Some(owner.to_string())
}

/// What the service can; nothing if it does not say. Asked without a thread that would be kept by a service that
/// hangs: the program waits for its threads when it ends.
async fn abilities() -> Vec<String> {
    let asked = async {
        let bus = zbus::Connection::session().await?;
        let method = "GetCapabilities";
        let answer = bus.call_method(Some(SERVICE), OBJECT, Some(SERVICE), method, &());
        answer.await?.body().deserialize()
    };
    match tokio::time::timeout(ASKING, asked).await {
        Ok(Ok(abilities)) => abilities,
        _ => Vec::new(),
    }
}

/// Waits for a click or a typed reply; `None` when it was closed.
pub(super) async fn wait(handle: &NotificationHandle) -> Option<Clicked> {
    let mut clicked = None;
    let typed = async {
        match typed(handle.id()).await {
            Ok(text) => text,
            Err(why) => {
                tracing::debug!(%why, "no replies from notifications");
                std::future::pending().await
            }
        }
    };
    tokio::select! {
        text = typed => return Some(Clicked::Reply(text)),
        () = clicks(handle, &mut clicked) => {}
    }
    clicked
}

/// What was typed into the notification with this number (KDE's addition to the specification).
async fn typed(id: u32) -> zbus::Result<String> {
    let bus = zbus::Connection::session().await?;
    let rule = zbus::MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .interface("org.freedesktop.Notifications")?
        .member("NotificationReplied")?
        .build();
    let mut replies = zbus::MessageStream::for_match_rule(rule, &bus, Some(8)).await?;
    loop {
        let reply = std::future::poll_fn(|context| Pin::new(&mut replies).poll_next(context)).await;
        let Some(reply) = reply else {
            // The bus is gone, and the notification with it.
            return std::future::pending().await;
        };
        let (which, text): (u32, String) = reply?.body().deserialize()?;
        if which == id {
            return Ok(text);
        }
    }
}

async fn clicks(handle: &NotificationHandle, clicked: &mut Option<Clicked>) {
    handle
        .wait_for_action_async(|response| {
            *clicked = Clicked::from_response(response);
        })
        .await;
}

/// Takes it away.
pub(super) async fn close(handle: &NotificationHandle) {
    handle.close_async().await;
}
