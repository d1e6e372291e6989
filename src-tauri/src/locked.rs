//! Tells when this machine is locked: what is shared is held then (see the core's `share.rs`).

#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) use linux::watch;
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub(crate) use other::watch;

#[cfg(all(unix, not(target_os = "macos")))]
mod linux {
    //! The desktops' own screen savers on the session's bus (GNOME, KDE, Cinnamon, MATE, XFCE), and logind's word on the
    //! system's. Whoever says that the machine is locked is believed until it says otherwise.

    use std::collections::{BTreeMap, HashMap};
    use std::sync::mpsc::{Sender, channel};

    use zbus::blocking::{Connection, MessageIterator, Proxy};
    use zbus::zvariant::Value;
    use zbus::{MatchRule, message};

    /// Interfaces with the same signal, and where their object is.
    const SAVERS: [(&str, &str); 5] = [
        (
            "org.freedesktop.ScreenSaver",
            "/org/freedesktop/ScreenSaver",
        ),
        ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
        ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
        ("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
        ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
    ];
    const SESSION: &str = "org.freedesktop.login1.Session";

    /// Calls `tell` with each change, on a thread of its own, until the program ends. A desktop without any of this is
    /// never locked.
    pub(crate) fn watch(tell: impl Fn(bool) + Send + 'static) {
        let (said, heard) = channel();
        for (name, listen) in [
            (
                "lock-desktop",
                desktop as fn(&Sender<Said>) -> zbus::Result<()>,
            ),
            ("lock-session", session),
        ] {
            let said = said.clone();
            let spawned = std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || {
                    if let Err(why) = listen(&said) {
                        tracing::debug!(%why, name, "nobody says when the machine is locked");
                    }
                });
            if let Err(why) = spawned {
                tracing::warn!(%why, name, "no thread");
            }
        }
        drop(said);
        let spawned = std::thread::Builder::new()
            .name("lock".to_owned())
            .spawn(move || {
                let (mut says, mut locked) = (BTreeMap::new(), false);
                while let Ok((who, active)) = heard.recv() {
                    says.insert(who, active);
                    let now = says.values().any(|active| *active);
                    if now != locked {
                        locked = now;
                        tracing::info!(locked, "the machine");
                        tell(locked);
                    }
                }
            });
        if let Err(why) = spawned {
            tracing::warn!(%why, "no thread");
        }
    }

    /// Who says it, and what.
    type Said = (&'static str, bool);

    fn desktop(said: &Sender<Said>) -> zbus::Result<()> {
        let bus = Connection::session()?;
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .member("ActiveChanged")?
            .build();
        let signals = MessageIterator::for_match_rule(rule, &bus, None)?;
        for (interface, path) in SAVERS {
            // Asked only where it runs: a question would start it.
            let dbus = zbus::blocking::fdo::DBusProxy::new(&bus)?;
            if !dbus.name_has_owner(interface.try_into()?)? {
                continue;
            }
            let saver = Proxy::new(&bus, interface, path, interface)?;
            if let Ok(active) = saver.call::<_, _, bool>("GetActive", &()) {
                let _ = said.send((interface, active));
            }
        }
        for signal in signals {
            let signal = signal?;
            let header = signal.header();
            let from = header.interface().map(|name| name.as_str().to_owned());
            let known = SAVERS
                .iter()
                .find(|(interface, _)| from.as_deref() == Some(*interface));
            let (Some((interface, _)), Ok(active)) = (known, signal.body().deserialize::<bool>())
            else {
                continue;
            };
            if said.send((*interface, active)).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn session(said: &Sender<Said>) -> zbus::Result<()> {
        const LOGIND: &str = "org.freedesktop.login1";
        let bus = Connection::system()?;
        // The session that this process belongs to.
        let path = "/org/freedesktop/login1/session/auto";
        let ours = Proxy::new(&bus, LOGIND, path, SESSION)?;
        let id: String = ours.get_property("Id")?;
        let manager = Proxy::new(
            &bus,
            LOGIND,
            "/org/freedesktop/login1",
            "org.freedesktop.login1.Manager",
        )?;
        // Signals come from the session's proper path.
        let path: zbus::zvariant::OwnedObjectPath = manager.call("GetSession", &(id,))?;
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .sender(LOGIND)?
            .path(path)?
            .interface("org.freedesktop.DBus.Properties")?
            .member("PropertiesChanged")?
            .build();
        let signals = MessageIterator::for_match_rule(rule, &bus, None)?;
        if let Ok(locked) = ours.get_property::<bool>("LockedHint") {
            let _ = said.send((SESSION, locked));
        }
        for signal in signals {
            let signal = signal?;
            let body = signal.body();
            let Ok((_, changed, _)) =
                body.deserialize::<(String, HashMap<String, Value<'_>>, Vec<String>)>()
            else {
                continue;
            };
            if let Some(Value::Bool(locked)) = changed.get("LockedHint")
                && said.send((SESSION, *locked)).is_err()
            {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
mod other {
    /// Not known on this system: its lock screen is not among what can be captured.
    pub(crate) fn watch(_tell: impl Fn(bool) + Send + 'static) {}
}
