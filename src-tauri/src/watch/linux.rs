//! Linux: logind tells of sleep, GNOME and KDE of idleness (elsewhere X11 does), and each desktop in its own way of
//! do not disturb.

use std::time::Duration;

use calls_core::alert::DesktopNews;
use x11rb::connection::Connection as _;
use x11rb::protocol::screensaver::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use zbus::MatchRule;
use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, MessageIterator, Proxy, connection};
use zbus::message::Type;
use zbus::names::BusName;
use zbus::zvariant::{OwnedValue, Value};

use crate::start::Running;

const NOTIFICATIONS: (&str, &str) = (
    "org.freedesktop.Notifications",
    "/org/freedesktop/Notifications",
);

/// How long a desktop may take to answer a question; whoever hangs is taken for silent. A service that has come since
/// is heard only afterwards.
const PATIENCE: Duration = Duration::from_secs(2);

/// Begins to listen.
pub(super) fn begin(core: &Running) {
    let (sleeps, quiet) = (core.clone(), core.clone());
    let threads = [
        spawn("sleep", move || follow_sleep(&sleeps)),
        spawn("quiet", move || follow_quiet(&quiet)),
    ];
    for why in threads.into_iter().filter_map(Result::err) {
        tracing::warn!(%why, "the desktop is not listened to");
    }
}

fn spawn(
    name: &'static str,
    work: impl FnOnce() -> zbus::Result<()> + Send + 'static,
) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            if let Err(why) = work() {
                tracing::info!(%why, name, "this desktop does not tell");
            }
        })
        .map(drop)
}

/// `PrepareForSleep(false)` of logind: awake again.
fn follow_sleep(core: &Running) -> zbus::Result<()> {
    let bus = Connection::system()?;
    let rule = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender("org.freedesktop.login1")?
        .path("/org/freedesktop/login1")?
        .interface("org.freedesktop.login1.Manager")?
        .member("PrepareForSleep")?
        .build();
    for message in MessageIterator::for_match_rule(rule, &bus, Some(8))? {
        let before: bool = message?.body().deserialize()?;
        if !before {
            core.handle().desktop(DesktopNews::Woke);
        }
    }
    Ok(())
}

/// Do not disturb, as far as desktops tell: the `Inhibited` property of notification services (KDE), dunst's
/// `paused`, GNOME's `show-banners`, Xfce's `do-not-disturb`.
fn follow_quiet(core: &Running) -> zbus::Result<()> {
    // Two connections: what is asked on the one must not wait behind what is heard on the other.
    let ears = Connection::session()?;
    let mouth = connection::Builder::session()?
        .method_timeout(PATIENCE)
        .build()?;
    let dbus = DBusProxy::new(&ears)?;
    let (name, path) = NOTIFICATIONS;
    let signal = || MatchRule::builder().msg_type(Type::Signal);
    let rules = [
        signal()
            .path(path)?
            .interface("org.freedesktop.DBus.Properties")?
            .build(),
        // Another service has taken over, or the first has come.
        signal()
            .sender("org.freedesktop.DBus")?
            .member("NameOwnerChanged")?
            .add_arg(name)?
            .build(),
        signal().interface("ca.desrt.dconf.Writer")?.build(),
        signal()
            .interface("org.xfce.Xfconf")?
            .member("PropertyChanged")?
            .build(),
    ];
    for rule in rules {
        dbus.add_match_rule(rule)?;
    }
    let mut quiet = is_quiet(&mouth);
    core.handle().desktop(DesktopNews::DoNotDisturb(quiet));
    for message in MessageIterator::from(&ears) {
        let message = message?;
        if message.message_type() != Type::Signal || !concerns(&message) {
            continue;
        }
        let now = is_quiet(&mouth);
        if now != quiet {
            quiet = now;
            tracing::info!(quiet, "do not disturb");
            core.handle().desktop(DesktopNews::DoNotDisturb(quiet));
        }
    }
    Ok(())
}

/// Whether a signal may be about do not disturb. Settings change for many reasons.
fn concerns(message: &zbus::Message) -> bool {
    let header = message.header();
    let Some(interface) = header.interface() else {
        return false;
    };
    match interface.as_str() {
        "org.freedesktop.DBus.Properties" | "org.freedesktop.DBus" => true,
        "ca.desrt.dconf.Writer" => message
            .body()
            .deserialize::<(String, Vec<String>, String)>()
            .is_ok_and(|(prefix, ..)| prefix.starts_with("/org/gnome/desktop/notifications/")),
        "org.xfce.Xfconf" => message
            .body()
            .deserialize::<(String, String, OwnedValue)>()
            .is_ok_and(|(channel, ..)| channel == "xfce4-notifyd"),
        _ => false,
    }
}

fn is_quiet(bus: &Connection) -> bool {
    let (service, path) = NOTIFICATIONS;
    // Not called into being for the question's sake.
    let there = |name: &str| {
        let dbus = DBusProxy::new(bus).ok()?;
        dbus.name_has_owner(BusName::try_from(name).ok()?).ok()
    };
    let mut quiet = false;
    if there(service) == Some(true) {
        for (interface, property) in [
            ("org.freedesktop.Notifications", "Inhibited"),
            ("org.dunstproject.cmd0", "paused"),
        ] {
            quiet |= property_of(bus, service, path, interface, property).unwrap_or(false);
        }
    }
    if there("org.xfce.Xfconf") == Some(true) {
        let asked = Proxy::new(
            bus,
            "org.xfce.Xfconf",
            "/org/xfce/Xfconf",
            "org.xfce.Xfconf",
        )
        .and_then(|proxy| {
            proxy.call::<_, _, OwnedValue>("GetProperty", &("xfce4-notifyd", "/do-not-disturb"))
        });
        quiet |= asked.is_ok_and(|value| matches!(&*value, Value::Bool(true)));
    }
    quiet || gnome_is_quiet()
}

fn property_of(
    bus: &Connection,
    service: &str,
    path: &str,
    interface: &str,
    property: &str,
) -> Option<bool> {
    let proxy = Proxy::new(bus, service, path, "org.freedesktop.DBus.Properties").ok()?;
    let value: OwnedValue = proxy.call("Get", &(interface, property)).ok()?;
    bool::try_from(value).ok()
}

/// GNOME keeps it in its settings, which its own program reads.
fn gnome_is_quiet() -> bool {
    let desktop = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    if !desktop
        .split(':')
        .any(|one| one == "GNOME" || one == "Unity")
    {
        return false;
    }
    std::process::Command::new("gsettings")
        .args(["get", "org.gnome.desktop.notifications", "show-banners"])
        .output()
        .is_ok_and(|answer| answer.stdout.trim_ascii() == b"false")
}

/// How long nobody has touched anything.
pub(super) struct Idleness {
    bus: Option<Connection>,
    x11: Option<(RustConnection, u32)>,
    way: Option<Way>,
}

/// Who tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Mutter,
    Kde,
    X11,
    Nobody,
}

impl Idleness {
    pub(super) fn open() -> Self {
        // XWayland sees only what is done in its own windows.
        let wayland = std::env::var_os("WAYLAND_DISPLAY").is_some();
        let x11 = (!wayland)
            .then(|| RustConnection::connect(None).ok())
            .flatten()
            .and_then(|(display, screen)| {
                let root = display.setup().roots.get(screen)?.root;
                Some((display, root))
            });
        Self {
            bus: connection::Builder::session()
                .and_then(|bus| bus.method_timeout(PATIENCE).build())
                .ok(),
            x11,
            way: None,
        }
    }

    /// `None` where nobody tells.
    pub(super) fn time(&mut self) -> Option<Duration> {
        let ways = [Way::Mutter, Way::Kde, Way::X11];
        // Whoever told once is asked again: one question at a time.
        if let Some(way) = self.way {
            let time = self.ask(way);
            if time.is_some() || way == Way::Nobody {
                return time;
            }
        }
        let found = ways.into_iter().find_map(|way| Some((way, self.ask(way)?)));
        self.way = Some(found.map_or(Way::Nobody, |(way, _)| way));
        found.map(|(_, time)| time)
    }

    fn ask(&self, way: Way) -> Option<Duration> {
        match way {
            Way::Mutter => {
                let name = "org.gnome.Mutter.IdleMonitor";
                let path = "/org/gnome/Mutter/IdleMonitor/Core";
                let bus = self.bus.as_ref()?;
                let monitor = Proxy::new(bus, name, path, name).ok()?;
                let time: u64 = monitor.call("GetIdletime", &()).ok()?;
                Some(Duration::from_millis(time))
            }
            Way::Kde => {
                // Only KDE's answers this; in milliseconds, whatever its documentation says of seconds.
                let name = "org.freedesktop.ScreenSaver";
                let bus = self.bus.as_ref()?;
                let saver = Proxy::new(bus, name, "/ScreenSaver", name).ok()?;
                let time: u32 = saver.call("GetSessionIdleTime", &()).ok()?;
                Some(Duration::from_millis(time.into()))
            }
            Way::X11 => {
                let (display, root) = self.x11.as_ref()?;
                let info = display.screensaver_query_info(*root).ok()?.reply().ok()?;
                Some(Duration::from_millis(info.ms_since_user_input.into()))
            }
            Way::Nobody => None,
        }
    }
}
