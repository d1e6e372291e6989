//! The desktop as it may be: a portal that gives keys or refuses them, a system that sleeps, nobody at the keyboard.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use zbus::blocking::{Connection, connection};
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

const PATH: &str = "/org/freedesktop/portal/desktop";
const SHORTCUTS: &str = "org.freedesktop.portal.GlobalShortcuts";

/// A shortcut as it was asked for: its id, description and wished trigger.
pub type Asked = Vec<(String, String, String)>;

#[derive(Clone, Default)]
struct Shared {
    /// What the person says: 0 yes, 1 no.
    answer: Arc<AtomicU32>,
    session: Arc<Mutex<Option<OwnedObjectPath>>>,
    asked: Arc<Mutex<Asked>>,
}

struct Shortcuts(Shared);

/// `:1.5` and a token make the path on which the answer is awaited.
fn handle(kind: &str, sender: &str, options: &HashMap<String, OwnedValue>, key: &str) -> String {
    let token = options
        .get(key)
        .and_then(|value| <&str>::try_from(value).ok())
        .unwrap_or("none");
    let sender = sender.trim_start_matches(':').replace('.', "_");
    format!("{PATH}/{kind}/{sender}/{token}")
}

async fn respond(
    bus: &zbus::Connection,
    to: &str,
    path: &str,
    code: u32,
    results: HashMap<&str, Value<'_>>,
) {
    bus.emit_signal(
        Some(to),
        path,
        "org.freedesktop.portal.Request",
        "Response",
        &(code, results),
    )
    .await
    .unwrap();
}

#[zbus::interface(name = "org.freedesktop.portal.GlobalShortcuts")]
impl Shortcuts {
    async fn create_session(
        &self,
        options: HashMap<String, OwnedValue>,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] bus: &zbus::Connection,
    ) -> OwnedObjectPath {
        let sender = header.sender().unwrap().to_string();
        let request = handle("request", &sender, &options, "handle_token");
        let session = handle("session", &sender, &options, "session_handle_token");
        let path = OwnedObjectPath::try_from(session.as_str()).unwrap();
        *self.0.session.lock().unwrap() = Some(path);
        let results = HashMap::from([("session_handle", Value::from(session.as_str()))]);
        respond(bus, &sender, &request, 0, results).await;
        OwnedObjectPath::try_from(request).unwrap()
    }

    async fn bind_shortcuts(
        &self,
        session: OwnedObjectPath,
        shortcuts: Vec<(String, HashMap<String, OwnedValue>)>,
        _parent: String,
        options: HashMap<String, OwnedValue>,
        #[zbus(header)] header: zbus::message::Header<'_>,
        #[zbus(connection)] bus: &zbus::Connection,
    ) -> OwnedObjectPath {
        assert_eq!(self.0.session.lock().unwrap().as_ref(), Some(&session));
        let sender = header.sender().unwrap().to_string();
        let request = handle("request", &sender, &options, "handle_token");
        let text = |about: &HashMap<String, OwnedValue>, key: &str| {
            let value = about
                .get(key)
                .and_then(|value| <&str>::try_from(value).ok());
            value.unwrap_or_default().to_owned()
        };
        *self.0.asked.lock().unwrap() = shortcuts
            .iter()
            .map(|(id, about)| {
                (
                    id.clone(),
                    text(about, "description"),
                    text(about, "preferred_trigger"),
                )
            })
            .collect();
        let code = self.0.answer.load(Ordering::SeqCst);
        respond(bus, &sender, &request, code, HashMap::new()).await;
        OwnedObjectPath::try_from(request).unwrap()
    }
}

/// A bus on which nothing comes into being by itself: where a real portal is installed, asking for one starts it.
pub struct Bus {
    daemon: Child,
    /// Its address.
    pub address: String,
}

impl Bus {
    /// Starts one.
    pub fn start(folder: &Path) -> Self {
        let config = folder.join("bus.conf");
        let text = "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>\
             <auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\"/>\
             <allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>";
        std::fs::write(&config, text).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            daemon,
            address: address.trim().to_owned(),
        }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A running portal; gone when dropped.
pub struct Portal {
    bus: Connection,
    shared: Shared,
}

impl Portal {
    /// Takes its name on that bus; the person says yes (0) or no (1).
    pub fn start(bus: &Bus, answer: u32) -> Self {
        let shared = Shared::default();
        shared.answer.store(answer, Ordering::SeqCst);
        let bus = connection::Builder::address(bus.address.as_str())
            .and_then(|bus| bus.name("org.freedesktop.portal.Desktop"))
            .and_then(|bus| bus.serve_at(PATH, Shortcuts(shared.clone())))
            .and_then(connection::Builder::build)
            .unwrap();
        Self { bus, shared }
    }

    /// What was asked for last.
    pub fn asked(&self) -> Asked {
        self.shared.asked.lock().unwrap().clone()
    }

    /// A key goes down, or up.
    pub fn key(&self, id: &str, down: bool) {
        let session = self.shared.session.lock().unwrap().clone().unwrap();
        let signal = if down { "Activated" } else { "Deactivated" };
        let options = HashMap::<&str, Value<'_>>::new();
        self.bus
            .emit_signal(
                None::<&str>,
                PATH,
                SHORTCUTS,
                signal,
                &(session, id, 0u64, options),
            )
            .unwrap();
    }
}

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
