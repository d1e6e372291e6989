//! A real Wayland desktop without a screen: sway, PipeWire, and the portal with the part for wlroots.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::*;

/// Whoever nobody is: sway does not run as root.
const NOBODY: u32 = 65_534;

const SIZE: (u32, u32) = (640, 360);

/// The running desktop; gone when dropped.
struct Wayland {
    folder: PathBuf,
    environment: Vec<(&'static str, String)>,
    programs: Vec<Child>,
}

impl Wayland {
    fn start(logs: &Path) -> Self {
        // Short, because socket paths may have 108 bytes only.
        let folder = std::env::temp_dir().join(format!("halloo-wl-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let private = folder.join("sway");
        std::fs::create_dir_all(&private).unwrap();
        let mut desktop = Self {
            folder: folder.clone(),
            environment: Vec::new(),
            programs: Vec::new(),
        };
        let at = |name: &str| folder.join(name).display().to_string();
        // Nobody is asked which screen: that is what a person would do.
        std::fs::create_dir_all(folder.join("config/xdg-desktop-portal-wlr")).unwrap();
        let chosen = "[screencast]\nchooser_type=none\noutput_name=HEADLESS-1\n";
        std::fs::write(folder.join("config/xdg-desktop-portal-wlr/config"), chosen).unwrap();
        let (width, height) = SIZE;
        let config = format!("output HEADLESS-1 resolution {width}x{height}\nxwayland disable\n");
        std::fs::write(folder.join("sway.conf"), config).unwrap();
        // A bus that starts nothing by itself: what this machine has installed is no part of the test.
        let config = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            at("bus")
        );
        std::fs::write(folder.join("bus.conf"), config).unwrap();

        let mut bus = Command::new("dbus-daemon");
        bus.args(["--nofork", "--nopidfile", "--print-address=1"])
            .arg(format!("--config-file={}", at("bus.conf")))
            .stdout(Stdio::piped());
        let stdout = desktop.run(&mut bus, logs, "bus").stdout.take().unwrap();
        let mut address = String::new();
        BufReader::new(stdout).read_line(&mut address).unwrap();
        desktop.environment = vec![
            ("XDG_RUNTIME_DIR", at("")),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_STATE_HOME", at("")),
            ("XDG_DATA_HOME", at("data")),
            ("XDG_CURRENT_DESKTOP", "sway".to_owned()),
            ("XDG_SESSION_TYPE", "wayland".to_owned()),
            ("DBUS_SESSION_BUS_ADDRESS", address.trim_end().to_owned()),
            ("WAYLAND_DISPLAY", at("wayland-told")),
            ("SWAYSOCK", at("sway/ipc")),
            ("DISPLAY", String::new()),
        ];
        desktop.run(&mut Command::new("pipewire"), logs, "pipewire");
        desktop.waits_for("pipewire-0");
        desktop.run(&mut Command::new("wireplumber"), logs, "wireplumber");
        desktop.sway(&private, logs);
        desktop.waits_for("sway/wayland-1");
        let proxy =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ringing_e2e/wayland_proxy.py");
        let mut python = Command::new("python3");
        python
            .arg(proxy)
            .args([at("wayland-told"), at("sway/wayland-1")]);
        desktop.run(&mut python, logs, "proxy");
        desktop.waits_for("wayland-told");
        desktop.portal(
            "xdg-desktop-portal-wlr",
            "org.freedesktop.impl.portal.desktop.wlr",
            logs,
        );
        desktop.portal("xdg-desktop-portal", "org.freedesktop.portal.Desktop", logs);
        desktop
    }

    fn run(&mut self, command: &mut Command, logs: &Path, name: &str) -> &mut Child {
        let log = std::fs::File::create(logs.join(format!("{name}.log"))).unwrap();
        let child = command
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|why| panic!("{command:?}: {why}"));
        self.programs.push(child);
        self.programs.last_mut().unwrap()
    }

    fn waits_for(&self, file: &str) {
        let path = self.folder.join(file);
        wait_for(&path.display().to_string(), || path.exists().then_some(()));
    }

    /// The desktop itself, drawn by the processor.
    fn sway(&mut self, private: &Path, logs: &Path) {
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(private, mode).unwrap();
        let root = std::os::unix::fs::chown(private, Some(NOBODY), Some(NOBODY)).is_ok();
        let mut sway = if root {
            let mut nobody = Command::new("setpriv");
            nobody
                .args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")])
                .args(["--clear-groups", "sway"]);
            nobody
        } else {
            Command::new("sway")
        };
        sway.arg("--config").arg(self.folder.join("sway.conf"));
        let log = std::fs::File::create(logs.join("sway.log")).unwrap();
        let child = sway
            .envs(self.environment.iter().cloned())
            .env_remove("WAYLAND_DISPLAY")
            .env("XDG_RUNTIME_DIR", private)
            .env("HOME", private)
            .env("WLR_BACKENDS", "headless")
            .env("WLR_RENDERER", "pixman")
            .env("WLR_LIBINPUT_NO_DEVICES", "1")
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|why| panic!("{sway:?}: {why}"));
        self.programs.push(child);
    }

    /// A part of the portal, until it has its name.
    fn portal(&mut self, program: &str, name: &str, logs: &Path) {
        let mut command = Command::new(Path::new("/usr/libexec").join(program));
        self.run(&mut command, logs, program);
        let address = self
            .environment
            .iter()
            .find(|(name, _)| *name == "DBUS_SESSION_BUS_ADDRESS");
        let bus = zbus::blocking::connection::Builder::address(address.unwrap().1.as_str())
            .and_then(zbus::blocking::connection::Builder::build)
            .unwrap();
        let names = zbus::blocking::fdo::DBusProxy::new(&bus).unwrap();
        let name = zbus::names::BusName::try_from(name).unwrap();
        wait_for(program, || {
            names.name_has_owner(name.clone()).unwrap().then_some(())
        });
    }

    /// Fills the screen with a colour.
    fn paint(&self, colour: &str) {
        let said = Command::new("swaymsg")
            .args(["output", "HEADLESS-1", "bg", colour, "solid_color"])
            .envs(self.environment.iter().cloned())
            .output()
            .unwrap();
        assert!(said.status.success(), "{said:?}");
    }
}

impl Drop for Wayland {
    fn drop(&mut self) {
        for program in self.programs.iter_mut().rev() {
            let _ = Command::new("kill")
                .args(["-TERM", &program.id().to_string()])
                .status();
            let end = Instant::now() + Duration::from_secs(2);
            while Instant::now() < end && !matches!(program.try_wait(), Ok(Some(_))) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = program.kill();
            let _ = program.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The middle of the newest picture in a folder, red, green and blue.
fn middle(folder: &Path) -> Option<[u8; 3]> {
    let mut pictures: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "png"))
        .collect();
    pictures.sort();
    // The last one may still be written.
    pictures.iter().rev().find_map(|path| {
        let file = BufReader::new(std::fs::File::open(path).ok()?);
        let mut reader = png::Decoder::new(file).read_info().ok()?;
        let mut pixels = vec![0; reader.output_buffer_size()?];
        let info = reader.next_frame(&mut pixels).ok()?;
        let at = (info.height / 2 * info.width + info.width / 2) as usize * 3;
        pixels.get(at..at + 3)?.try_into().ok()
    })
}

#[test]
fn a_real_wayland_desktop_is_shared_through_its_portal() {
    let _stage = alone();
    let folder = folder("wayland");
    let desktop = Wayland::start(&folder);
    let server = Server::start(&folder);
    let watched = folder.join("watched");
    let call = ["--channel", "Town Square", "--play", "silence"];
    let bob = server.caller(
        "bob",
        &[&call[..], &["--save-screen", watched.to_str().unwrap()]].concat(),
    );
    bob.wait_for("connected");
    let environment: HashMap<_, _> = desktop.environment.iter().cloned().collect();
    let alice = server.caller_in(
        "alice",
        &[&call[..], &["--share", "screen"]].concat(),
        environment,
    );
    let started = alice.wait_for("share_started");
    println!("shared: {started}");
    assert_eq!(
        (&started["width"], &started["height"]),
        (&SIZE.0.into(), &SIZE.1.into())
    );
    for (colour, expected) in [
        ("#336699", [0x33, 0x66, 0x99]),
        ("#993333", [0x99, 0x33, 0x33]),
    ] {
        let mut painted: Option<Instant> = None;
        let seen = wait_for(colour, || {
            // A picture a second is kept, of those that come: it may have been one of the moment before.
            if painted.is_none_or(|at| at.elapsed() > Duration::from_secs(2)) {
                desktop.paint(colour);
                painted = Some(Instant::now());
            }
            let seen = middle(&watched)?;
            let near = |(one, other): (&u8, &u8)| one.abs_diff(*other) < 8;
            seen.iter().zip(&expected).all(near).then_some(seen)
        });
        println!("{colour} is seen as {seen:02x?}");
    }
    assert_eq!(alice.leave(), 0);
    assert_eq!(bob.leave(), 0);
}
