//! The desktop as it may be: a system that sleeps, nobody at the keyboard, a tray with a menu.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zbus::blocking::{Connection, connection};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

struct IdleMonitor(Arc<AtomicU64>);

#[zbus::interface(name = "org.gnome.Mutter.IdleMonitor")]
impl IdleMonitor {
    fn get_idletime(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Nobody at the keyboard, and a lid that opens.
pub struct Machine {
    bus: Connection,
    /// For how long nobody has touched anything, milliseconds.
    pub idle: Arc<AtomicU64>,
}

impl Machine {
    /// Takes the names of GNOME's idle monitor and of logind on the session's bus, which stands for the system's too.
    pub fn start() -> Self {
        let idle = Arc::<AtomicU64>::default();
        let bus = connection::Builder::session()
            .and_then(|bus| bus.name("org.gnome.Mutter.IdleMonitor"))
            .and_then(|bus| bus.name("org.freedesktop.login1"))
            .and_then(|bus| {
                bus.serve_at(
                    "/org/gnome/Mutter/IdleMonitor/Core",
                    IdleMonitor(Arc::clone(&idle)),
                )
            })
            .and_then(connection::Builder::build)
            .unwrap();
        Self { bus, idle }
    }

    /// The computer has slept, and wakes.
    pub fn wakes(&self) {
        for before in [true, false] {
            self.bus
                .emit_signal(
                    None::<&str>,
                    "/org/freedesktop/login1",
                    "org.freedesktop.login1.Manager",
                    "PrepareForSleep",
                    &(before,),
                )
                .unwrap();
        }
    }
}

/// A tray's menu, as whoever shows it sees it.
pub struct Menu {
    bus: Connection,
    service: String,
    path: String,
}

impl Menu {
    /// The menu of an item that has registered itself; `None` while it has none.
    pub fn of(item: &str) -> Option<Self> {
        let bus = Connection::session().ok()?;
        let at = item.find('/')?;
        let (service, path) = (item[..at].to_owned(), &item[at..]);
        let owner =
            zbus::blocking::Proxy::new(&bus, service.as_str(), path, "org.kde.StatusNotifierItem")
                .ok()?;
        let menu: OwnedObjectPath = owner.get_property("Menu").ok()?;
        let path = menu.as_str().to_owned();
        drop(owner);
        Some(Self { bus, service, path })
    }

    fn proxy(&self) -> zbus::blocking::Proxy<'_> {
        zbus::blocking::Proxy::new(
            &self.bus,
            self.service.as_str(),
            self.path.as_str(),
            "com.canonical.dbusmenu",
        )
        .unwrap()
    }

    /// Its texts with their numbers, and whether they can be chosen.
    pub fn items(&self) -> Vec<(i32, String, bool)> {
        type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);
        let (_, (_, _, children)): (u32, Layout) = self
            .proxy()
            .call("GetLayout", &(0i32, -1i32, Vec::<&str>::new()))
            .unwrap();
        children
            .into_iter()
            .filter_map(|child| {
                let (id, about, _) = Layout::try_from(child).ok()?;
                let label = about.get("label")?;
                let label = <&str>::try_from(label).ok()?.to_owned();
                let enabled = about
                    .get("enabled")
                    .and_then(|value| bool::try_from(value).ok());
                Some((id, label, enabled.unwrap_or(true)))
            })
            .collect()
    }

    /// Chooses the item with this text.
    pub fn choose(&self, label: &str) {
        let items = self.items();
        let (id, ..) = items
            .iter()
            .find(|(_, text, enabled)| text == label && *enabled)
            .unwrap_or_else(|| panic!("{label} among {items:?}"));
        self.proxy()
            .call::<_, _, ()>("Event", &(*id, "clicked", Value::from(0i32), 0u32))
            .unwrap();
    }
}
