//! A notification service that writes down what it is shown and clicks when told to; and a tray that has room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use zbus::blocking::{Connection, connection};
use zbus::zvariant::OwnedValue;

/// A notification as it came.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its number.
    pub id: u32,
    /// First line.
    pub title: String,
    /// The rest, as it came: markup is escaped.
    pub body: String,
    /// Names of its buttons, without their texts.
    pub buttons: Vec<String>,
    /// It must make no sound.
    pub silent: bool,
    /// When it came.
    pub at: Instant,
    /// When it was taken away.
    pub closed: Option<Instant>,
}

/// What has been shown so far.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Shown>>>);

impl Log {
    /// Everything, oldest first.
    pub fn all(&self) -> Vec<Shown> {
        self.0.lock().unwrap().clone()
    }

    /// What is on the screen now.
    pub fn open(&self) -> Vec<Shown> {
        self.all()
            .into_iter()
            .filter(|one| one.closed.is_none())
            .collect()
    }
}

struct Notifications {
    log: Log,
    last: u32,
    inhibited: bool,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    fn get_capabilities(&self) -> Vec<String> {
        [
            "actions",
            "body",
            "body-markup",
            "inline-reply",
            "persistence",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    #[allow(clippy::too_many_arguments)]
    fn notify(
        &mut self,
        _app: &str,
        replaces: u32,
        _icon: &str,
        title: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        let id = if replaces == 0 {
            self.last += 1;
            self.last
        } else {
            replaces
        };
        let mut log = self.log.0.lock().unwrap();
        for old in log
            .iter_mut()
            .filter(|one| one.id == id && one.closed.is_none())
        {
            old.closed = Some(Instant::now());
        }
        log.push(Shown {
            id,
            title,
            body,
            buttons: actions.into_iter().step_by(2).collect(),
            silent: hints
                .get("suppress-sound")
                .is_some_and(|value| bool::try_from(value).unwrap_or(false)),
            at: Instant::now(),
            closed: None,
        });
        id
    }

    fn close_notification(&mut self, id: u32) {
        let mut log = self.log.0.lock().unwrap();
        for one in log
            .iter_mut()
            .filter(|one| one.id == id && one.closed.is_none())
        {
            one.closed = Some(Instant::now());
        }
    }

    /// KDE's word for do not disturb.
    #[zbus(property)]
    fn inhibited(&self) -> bool {
        self.inhibited
    }

    fn get_server_information(&self) -> (String, String, String, String) {
        ("recorder", "halloo", "1", "1.2").map_into()
    }
}

/// A notification service that has stopped: it owns the name, takes every call and answers none, not even what its
/// library would answer for it. Gone when dropped.
pub struct Hanging {
    bus: Connection,
    /// Without a tray the window would be open and in front, and a call in sight is not notified.
    _tray: Connection,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Hanging {
    /// Takes the name of the service.
    pub fn start() -> Self {
        let bus = connection::Builder::session()
            .and_then(connection::Builder::build)
            .unwrap();
        let calls = zbus::blocking::MessageIterator::from(&bus);
        bus.request_name("org.freedesktop.Notifications").unwrap();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = Arc::clone(&asked);
        std::thread::spawn(move || {
            for message in calls {
                let Ok(message) = message else { return };
                let header = message.header();
                if let (zbus::message::Type::MethodCall, Some(member)) =
                    (header.message_type(), header.member())
                {
                    told.lock().unwrap().push(member.to_string());
                }
            }
        });
        let tray = connection::Builder::session()
            .and_then(|bus| bus.name("org.kde.StatusNotifierWatcher"))
            .and_then(|bus| bus.serve_at("/StatusNotifierWatcher", Watcher(Arc::default())))
            .and_then(connection::Builder::build)
            .unwrap();
        Self {
            bus,
            _tray: tray,
            asked,
        }
    }

    /// What was asked of it so far, by the names of the methods.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        // The thread's iterator holds the connection too: both end with it.
        let _ = self.bus.clone().close();
    }
}

/// Dunst's own words on the same service.
struct Dunst(bool);

#[zbus::interface(name = "org.dunstproject.cmd0")]
impl Dunst {
    #[zbus(property, name = "paused")]
    fn paused(&self) -> bool {
        self.0
    }
}

/// Where Xfce keeps its settings.
struct Xfconf(bool);

#[zbus::interface(name = "org.xfce.Xfconf")]
impl Xfconf {
    fn get_property(&self, channel: &str, property: &str) -> zbus::fdo::Result<OwnedValue> {
        if (channel, property) == ("xfce4-notifyd", "/do-not-disturb") {
            Ok(self.0.into())
        } else {
            Err(zbus::fdo::Error::InvalidArgs(property.to_owned()))
        }
    }
}

/// What keeps the screen awake, and for whom.
struct Saver(Arc<Mutex<Vec<u32>>>);

#[zbus::interface(name = "org.freedesktop.ScreenSaver")]
impl Saver {
    fn inhibit(&mut self, _who: &str, _why: &str) -> u32 {
        let mut held = self.0.lock().unwrap();
        let cookie = held.last().map_or(7, |last| last + 1);
        held.push(cookie);
        cookie
    }

    fn un_inhibit(&mut self, cookie: u32) {
        self.0.lock().unwrap().retain(|one| *one != cookie);
    }
}

/// Whose do not disturb.
#[derive(Clone, Copy, Debug)]
pub enum Quiet {
    Dunst,
    Xfce,
    /// What its settings say is the affair of `gsettings`; this is the word that they have changed.
    Gnome,
}

trait MapInto {
    fn map_into(self) -> (String, String, String, String);
}

impl MapInto for (&str, &str, &str, &str) {
    fn map_into(self) -> (String, String, String, String) {
        (self.0.into(), self.1.into(), self.2.into(), self.3.into())
    }
}

struct Watcher(Arc<Mutex<Vec<String>>>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(
        &mut self,
        service: String,
        #[zbus(header)] header: zbus::message::Header<'_>,
    ) {
        // Ayatana's library gives its path, others their name.
        let item = if service.starts_with('/') {
            let sender = header.sender().unwrap();
            format!("{sender}{service}")
        } else {
            format!("{service}/StatusNotifierItem")
        };
        self.0.lock().unwrap().push(item);
    }

    fn register_status_notifier_host(&mut self, _service: String) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

/// The running service; gone when dropped.
pub struct Service {
    bus: Connection,
    /// What was shown.
    pub log: Log,
    /// Icons in the tray.
    pub tray: Arc<Mutex<Vec<String>>>,
    /// Who keeps the screen awake.
    pub awake: Arc<Mutex<Vec<u32>>>,
}

impl Service {
    /// Takes both names on the session's bus.
    pub fn start() -> Self {
        let log = Log::default();
        let (tray, awake) = (Arc::default(), Arc::default());
        let bus = connection::Builder::session()
            .and_then(|bus| bus.name("org.freedesktop.Notifications"))
            .and_then(|bus| bus.name("org.kde.StatusNotifierWatcher"))
            .and_then(|bus| {
                bus.serve_at(
                    "/org/freedesktop/Notifications",
                    Notifications {
                        log: log.clone(),
                        last: 0,
                        inhibited: false,
                    },
                )
            })
            .and_then(|bus| bus.serve_at("/StatusNotifierWatcher", Watcher(Arc::clone(&tray))))
            .and_then(|bus| bus.name("org.freedesktop.ScreenSaver"))
            .and_then(|bus| bus.name("org.xfce.Xfconf"))
            .and_then(|bus| bus.serve_at("/org/freedesktop/Notifications", Dunst(false)))
            .and_then(|bus| bus.serve_at("/org/xfce/Xfconf", Xfconf(false)))
            .and_then(|bus| bus.serve_at("/org/freedesktop/ScreenSaver", Saver(Arc::clone(&awake))))
            .and_then(connection::Builder::build)
            .unwrap();
        Self {
            bus,
            log,
            tray,
            awake,
        }
    }

    /// The same in another desktop's way.
    pub fn quiet(&self, whose: Quiet, quiet: bool) {
        let objects = self.bus.object_server();
        let value = zbus::zvariant::Value::from(quiet);
        match whose {
            Quiet::Dunst => {
                let path = "/org/freedesktop/Notifications";
                objects.interface::<_, Dunst>(path).unwrap().get_mut().0 = quiet;
                let changed = HashMap::from([("paused", value)]);
                let body = ("org.dunstproject.cmd0", changed, Vec::<&str>::new());
                self.signal(
                    path,
                    "org.freedesktop.DBus.Properties",
                    "PropertiesChanged",
                    &body,
                );
            }
            Quiet::Xfce => {
                let path = "/org/xfce/Xfconf";
                objects.interface::<_, Xfconf>(path).unwrap().get_mut().0 = quiet;
                let body = ("xfce4-notifyd", "/do-not-disturb", value);
                self.signal(path, "org.xfce.Xfconf", "PropertyChanged", &body);
            }
            Quiet::Gnome => {
                let body = (
                    "/org/gnome/desktop/notifications/show-banners",
                    vec![""],
                    "t",
                );
                self.signal(
                    "/ca/desrt/dconf/Writer/user",
                    "ca.desrt.dconf.Writer",
                    "Notify",
                    &body,
                );
            }
        }
    }

    fn signal<B>(&self, path: &str, interface: &str, member: &str, body: &B)
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        self.bus
            .emit_signal(None::<&str>, path, interface, member, body)
            .unwrap();
    }

    /// The person sets the desktop to do not disturb, or no longer.
    pub fn disturb_not(&self, quiet: bool) {
        let path = "/org/freedesktop/Notifications";
        let object = self
            .bus
            .object_server()
            .interface::<_, Notifications>(path)
            .unwrap();
        object.get_mut().inhibited = quiet;
        let changed = HashMap::from([("Inhibited", zbus::zvariant::Value::from(quiet))]);
        self.bus
            .emit_signal(
                None::<&str>,
                path,
                "org.freedesktop.DBus.Properties",
                "PropertiesChanged",
                &("org.freedesktop.Notifications", changed, Vec::<&str>::new()),
            )
            .unwrap();
    }

    /// Types a reply into a notification.
    pub fn reply(&self, id: u32, text: &str) {
        self.bus
            .emit_signal(
                None::<&str>,
                "/org/freedesktop/Notifications",
                "org.freedesktop.Notifications",
                "NotificationReplied",
                &(id, text),
            )
            .unwrap();
    }

    /// Clicks a button; `default` is the notification itself.
    pub fn click(&self, id: u32, button: &str) {
        let path = "/org/freedesktop/Notifications";
        let interface = "org.freedesktop.Notifications";
        self.bus
            .emit_signal(
                None::<&str>,
                path,
                interface,
                "ActionInvoked",
                &(id, button),
            )
            .unwrap();
    }
}
