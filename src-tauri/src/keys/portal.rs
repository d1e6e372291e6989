//! Wayland: the desktop's `org.freedesktop.portal.GlobalShortcuts`. The desktop asks the person, and may give the
//! keys other names than they wished for; press and release come as `Activated` and `Deactivated`.
//!
//! One thread asks, and may wait for the person as long as they like; another one hears the keys.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use calls_core::alert::KeysReach;
use zbus::blocking::{Connection, MessageIterator, Proxy};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{MatchRule, Message};

use super::{Act, Chord, Heard, Told};

const DESKTOP: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const SHORTCUTS: &str = "org.freedesktop.portal.GlobalShortcuts";
const REQUEST: &str = "org.freedesktop.portal.Request";
const SESSION: &str = "org.freedesktop.portal.Session";

/// The name of our desktop file, by which the portal knows us (host registry of newer portals).
const APP: &str = "halloo";

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
enum PortalError {
    /// There is no portal, or it knows no such keys.
    #[error("the portal")]
    Bus(#[from] zbus::Error),
    /// The person, or the desktop, said no.
    #[error("refused with {0}")]
    Refused(u32),
    /// An answer that makes no sense.
    #[error("the portal's answer is not understood")]
    Answer,
}

/// The session in which our keys are held.
type Held = Arc<Mutex<Option<OwnedObjectPath>>>;

/// A wish is all that anybody sees of it.
pub(crate) struct System {
    wishes: Sender<Vec<(Act, Chord)>>,
}

impl System {
    /// Connects; `None` without a session bus.
    pub(super) fn open(heard: Heard) -> Option<Self> {
        let (wishes, inbox) = channel();
        std::thread::Builder::new()
            .name("keys".to_owned())
            .spawn(move || match Connection::session() {
                Ok(bus) => serve(&bus, &inbox, &heard),
                Err(why) => {
                    tracing::info!(%why, "no keys without a session bus");
                    heard(Told::Reach(KeysReach::Window));
                }
            })
            .ok()?;
        Some(Self { wishes })
    }

    pub(super) fn hold(&self, chords: Vec<(Act, Chord)>) {
        // The thread has ended where there is no bus, and said so.
        let _ = self.wishes.send(chords);
    }
}

fn serve(bus: &Connection, inbox: &Receiver<Vec<(Act, Chord)>>, heard: &Heard) {
    let held = Held::default();
    let listens = {
        let (bus, held, heard) = (bus.clone(), Arc::clone(&held), Arc::clone(heard));
        std::thread::Builder::new()
            .name("keys-heard".to_owned())
            .spawn(move || {
                if let Err(why) = listen(&bus, &held, &heard) {
                    tracing::info!(%why, "no keys any more");
                }
            })
    };
    if listens.is_err() {
        heard(Told::Reach(KeysReach::Window));
        return;
    }
    let mut number = 0;
    while let Ok(mut chords) = inbox.recv() {
        // Only the newest wish counts.
        while let Ok(newer) = inbox.try_recv() {
            chords = newer;
        }
        number += 1;
        let before = held.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(session) = before {
            close(bus, &session);
        }
        if chords.is_empty() {
            continue;
        }
        match bind(bus, &chords, number, &held) {
            Ok(()) => heard(Told::Reach(KeysReach::Everywhere)),
            Err(why) => {
                tracing::info!(%why, "the desktop gives no keys");
                heard(Told::Reach(KeysReach::Window));
            }
        }
    }
    let last = held.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(session) = last {
        close(bus, &session);
    }
}

/// Gives the keys of a session back.
fn close(bus: &Connection, session: &OwnedObjectPath) {
    let closed = Proxy::new(bus, DESKTOP, session, SESSION)
        .and_then(|proxy| proxy.call::<_, _, ()>("Close", &()));
    if let Err(why) = closed {
        tracing::debug!(%why, "a session of the portal");
    }
}

/// Makes a session and has the keys bound in it.
fn bind(
    bus: &Connection,
    chords: &[(Act, Chord)],
    number: u32,
    held: &Held,
) -> Result<(), PortalError> {
    // Newer portals want to know which program outside of a sandbox asks; older ones do not know the question.
    let known = Proxy::new(bus, DESKTOP, PATH, "org.freedesktop.host.portal.Registry").and_then(
        |registry| {
            let options = HashMap::<&str, Value<'_>>::new();
            registry.call::<_, _, ()>("Register", &(APP, options))
        },
    );
    if let Err(why) = known {
        tracing::debug!(%why, "the portal keeps no register");
    }
    let portal = Proxy::new(bus, DESKTOP, PATH, SHORTCUTS)?;
    let session = format!("halloo{number}");
    let mut made = ask(bus, &format!("halloo_make{number}"), |token| {
        let options = HashMap::from([
            ("handle_token", Value::from(token)),
            ("session_handle_token", Value::from(session.as_str())),
        ]);
        portal.call("CreateSession", &(options,))
    })?;
    let session = made.remove("session_handle").ok_or(PortalError::Answer)?;
    // A string, as the interface has it by an old mistake; some send a path.
    let session = match &*session {
        Value::Str(text) => ObjectPath::try_from(text.as_str()).ok().map(Into::into),
        Value::ObjectPath(path) => Some(OwnedObjectPath::from(path.to_owned())),
        _ => None,
    }
    .ok_or(PortalError::Answer)?;
    // From now on, so that not even the first press is missed.
    *held.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
    let shortcuts: Vec<(&str, HashMap<&str, Value<'_>>)> = chords
        .iter()
        .map(|(act, chord)| {
            let about = HashMap::from([
                ("description", Value::from(description(*act))),
                ("preferred_trigger", Value::from(trigger(chord))),
            ]);
            (name(*act), about)
        })
        .collect();
    let bound = ask(bus, &format!("halloo_bind{number}"), |token| {
        let options = HashMap::from([("handle_token", Value::from(token))]);
        portal.call("BindShortcuts", &(&session, &shortcuts, "", options))
    });
    if let Err(why) = bound {
        held.lock().unwrap_or_else(PoisonError::into_inner).take();
        close(bus, &session);
        return Err(why);
    }
    Ok(())
}

/// Asks, and waits for the answer, which is a signal of an object that is named in advance.
fn ask(
    bus: &Connection,
    token: &str,
    call: impl FnOnce(&str) -> zbus::Result<OwnedObjectPath>,
) -> Result<HashMap<String, OwnedValue>, PortalError> {
    let sender = bus
        .unique_name()
        .map(|name| name.trim_start_matches(':').replace('.', "_"))
        .unwrap_or_default();
    let path = format!("{PATH}/request/{sender}/{token}");
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .interface(REQUEST)?
        .member("Response")?
        .path(path)?
        .build();
    let mut answers = MessageIterator::for_match_rule(rule, bus, Some(4))?;
    call(token)?;
    let answer = answers.next().ok_or(PortalError::Answer)??;
    let (code, results): (u32, HashMap<String, OwnedValue>) = answer.body().deserialize()?;
    match code {
        0 => Ok(results),
        code => Err(PortalError::Refused(code)),
    }
}

/// Hears the keys, until the bus is gone.
fn listen(bus: &Connection, held: &Held, heard: &Heard) -> zbus::Result<()> {
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .path(PATH)?
        .interface(SHORTCUTS)?
        .build();
    // A person presses slower than this.
    for message in MessageIterator::for_match_rule(rule, bus, Some(64))? {
        let message = message?;
        if let Some((act, down)) = key_of(&message, held) {
            heard(Told::Key(act, down));
        }
    }
    Ok(())
}

fn key_of(message: &Message, held: &Held) -> Option<(Act, bool)> {
    let header = message.header();
    let down = match header.member()?.as_str() {
        "Activated" => true,
        "Deactivated" => false,
        _ => return None,
    };
    let body = message.body();
    let (session, id, _time, _options): (ObjectPath<'_>, String, u64, HashMap<String, OwnedValue>) =
        body.deserialize().ok()?;
    let held = held.lock().unwrap_or_else(PoisonError::into_inner);
    if held.as_ref().is_none_or(|ours| **ours != session) {
        return None;
    }
    [Act::Talk, Act::Mute, Act::Hush]
        .into_iter()
        .find(|act| name(*act) == id)
        .map(|act| (act, down))
}

/// By what the portal knows a key of ours, for good: the desktop keeps the person's choice under it.
fn name(act: Act) -> &'static str {
    match act {
        Act::Talk => "talk",
        Act::Mute => "mute",
        Act::Hush => "hush",
    }
}

/// What the desktop shows the person.
fn description(act: Act) -> &'static str {
    let words = crate::words::spoken();
    match act {
        Act::Talk => words.key_talk,
        Act::Mute => words.key_mute,
        Act::Hush => words.key_hush,
    }
}

/// The chord in the spelling of the XDG shortcuts specification.
fn trigger(chord: &Chord) -> String {
    let mut text = String::new();
    for (on, word) in [
        (chord.control, "CTRL+"),
        (chord.alt, "ALT+"),
        (chord.shift, "SHIFT+"),
        (chord.meta, "LOGO+"),
    ] {
        if on {
            text.push_str(word);
        }
    }
    let key = match chord.key.to_lowercase().as_str() {
        "space" => "space".to_owned(),
        "enter" => "Return".to_owned(),
        "pageup" => "Page_Up".to_owned(),
        "pagedown" => "Page_Down".to_owned(),
        "scrolllock" => "Scroll_Lock".to_owned(),
        "capslock" => "Caps_Lock".to_owned(),
        one if one.chars().count() == 1 => one.to_owned(),
        _ => chord.key.clone(),
    };
    text.push_str(&key);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_are_spelled_as_the_desktop_reads_them() {
        for (ours, theirs) in [
            ("Ctrl+Shift+Space", "CTRL+SHIFT+space"),
            ("F9", "F9"),
            ("Meta+M", "LOGO+m"),
            ("Alt+PageUp", "ALT+Page_Up"),
        ] {
            let chord = Chord::parse(ours).unwrap_or_default();
            assert_eq!(trigger(&chord), theirs);
        }
    }
}
