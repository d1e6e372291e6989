//! Keys while another window has the focus: X11's, and those that the desktop's portal gives under Wayland.

use std::time::{SystemTime, UNIX_EPOCH};

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateWindowAux, GrabMode, InputFocus, ModMask, WindowClass,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use super::portal::{Bus, Portal};
use super::*;

/// X's number for F1; the others follow.
const F1: u32 = 0xffbe;
const PRESS: u8 = 2;
const RELEASE: u8 = 3;

/// A keyboard, and a window of another program that has the focus.
pub struct Elsewhere {
    display: RustConnection,
    root: u32,
    window: u32,
}

impl Elsewhere {
    pub fn open() -> Self {
        let (display, screen) = RustConnection::connect(None).unwrap();
        let root = display.setup().roots[screen].root;
        let window = display.generate_id().unwrap();
        display
            .create_window(
                x11rb::COPY_DEPTH_FROM_PARENT,
                window,
                root,
                50,
                50,
                300,
                200,
                0,
                WindowClass::INPUT_OUTPUT,
                0,
                &CreateWindowAux::new(),
            )
            .unwrap();
        display.map_window(window).unwrap();
        display.flush().unwrap();
        let elsewhere = Self {
            display,
            root,
            window,
        };
        elsewhere.focus();
        elsewhere
    }

    pub fn focus(&self) {
        wait_for("the focus of another window", || {
            self.display
                .set_input_focus(InputFocus::PARENT, self.window, x11rb::CURRENT_TIME)
                .ok()?
                // Refused while the window manager is still mapping it.
                .check()
                .ok()?;
            let focus = self.display.get_input_focus().ok()?.reply().ok()?;
            (focus.focus == self.window).then_some(())
        });
    }

    fn code(&self, sym: u32) -> u8 {
        let setup = self.display.setup();
        let count = setup.max_keycode - setup.min_keycode + 1;
        let map = self
            .display
            .get_keyboard_mapping(setup.min_keycode, count)
            .unwrap()
            .reply()
            .unwrap();
        let at = map
            .keysyms
            .chunks(map.keysyms_per_keycode.into())
            .position(|syms| syms.contains(&sym))
            .unwrap();
        setup.min_keycode + u8::try_from(at).unwrap()
    }

    fn key(&self, code: u8, kind: u8) {
        self.display
            .xtest_fake_input(kind, code, 0, x11rb::NONE, 0, 0, 0)
            .unwrap();
        self.display.flush().unwrap();
    }

    /// Whether a window of this name asks for attention.
    pub fn is_hailed(&self, name: &str) -> bool {
        let atom = |name: &str| {
            let asked = self.display.intern_atom(false, name.as_bytes()).unwrap();
            asked.reply().unwrap().atom
        };
        let property = |window, which: u32| {
            let kind = AtomEnum::ANY;
            let asked = self
                .display
                .get_property(false, window, which, kind, 0, 1024);
            asked.unwrap().reply().ok()
        };
        let list = property(self.root, atom("_NET_CLIENT_LIST")).unwrap();
        let windows: Vec<u32> = list.value32().into_iter().flatten().collect();
        windows.into_iter().any(|window| {
            let title = property(window, AtomEnum::WM_NAME.into());
            let ours = title.is_some_and(|title| title.value == name.as_bytes());
            let hints = property(window, AtomEnum::WM_HINTS.into());
            let flags = hints.and_then(|hints| hints.value32()?.next()).unwrap_or(0);
            // ICCCM 4.1.2.4: UrgencyHint.
            ours && flags & 256 != 0
        })
    }
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_micros()).unwrap()
}

fn after(later: u64, earlier: u64) -> Duration {
    Duration::from_micros(later.saturating_sub(earlier))
}

/// When the last packet came, and the last one after a silence.
fn packets(server: &Server) -> (u64, u64) {
    let port = server.url.rsplit(':').next().unwrap().parse().unwrap();
    let stats = driver::http(port, "GET", "/dev/stats", None).unwrap();
    let at = |name: &str| stats["sfu"][name].as_u64().unwrap();
    (at("packet_at"), at("spurt_at"))
}

#[test]
fn keys_talk_while_another_window_has_the_focus_and_the_first_packet_leaves_at_once() {
    const TIMES: usize = 20;
    const TAIL: u64 = 150;
    let _stage = alone();
    let folder = folder("keys-x11");
    let devices = Devices::new();
    let _voice = devices.say(440.0, &folder);
    // The microphone is a loop that brings blocks as long as its slowest listener allows, a second at first: with one that
    // is in a hurry it is as quick as a real one from the beginning.
    let _hurry = Ear::at("e2e_mouth");
    let _service = Service::start();
    let server = Server::start(&folder);
    let elsewhere = Elsewhere::open();
    // Another program was there first.
    let (talk, taken) = (elsewhere.code(F1 + 8), elsewhere.code(F1 + 6));
    elsewhere
        .display
        .grab_key(
            false,
            elsewhere.root,
            ModMask::ANY,
            taken,
            GrabMode::ASYNC,
            GrabMode::ASYNC,
        )
        .unwrap()
        .check()
        .unwrap();
    let profile = folder.join("alice");
    Halloo::settings(
        &profile,
        &json!({"alerts": {"keys": {"talk": "F9", "mute": "F7", "hush": "F8", "tail": TAIL}}}),
    );
    let alice = Halloo::start(&server, "alice", &profile, &["--hidden"]);
    wait_for("word of the key that is taken", || {
        alice.status()["notices"]
            .as_array()?
            .contains(&json!("keys.taken"))
            .then_some(())
    });
    alice.ctl(&["join", "Town Square"]);
    alice.waits_for("call", "live");
    assert_eq!(alice.status()["microphone"], "muted");
    // The bar of the call is above everything, and must not have taken the keyboard.
    elsewhere.focus();
    let (mut starts, mut ends) = (Vec::new(), Vec::new());
    for n in 0..=TIMES {
        let pressed = now_us();
        elsewhere.key(talk, PRESS);
        let first = wait_for("the first packet", || {
            let (_, spurt) = packets(&server);
            (spurt > pressed).then_some(spurt)
        });
        std::thread::sleep(Duration::from_millis(120));
        let released = now_us();
        elsewhere.key(talk, RELEASE);
        let last = wait_for("the last packet", || {
            let (last, _) = packets(&server);
            (now_us() > last + 120_000).then_some(last)
        });
        if n == 0 {
            let very_first = after(first, pressed);
            println!("the very first press of a call: {very_first:?}");
            assert!(very_first < Duration::from_millis(250), "{very_first:?}");
        } else {
            starts.push(after(first, pressed));
            ends.push(after(last, released));
        }
    }
    // The bar of the call is there, and lives.
    wait_for("the bar's page", || {
        let log = std::fs::read_to_string(profile.join("halloo.log")).unwrap_or_default();
        assert!(!log.contains("the page's process ended"), "{log}");
        log.contains("page loaded").then_some(())
    });
    picture(&folder, "bar.png");
    let focus = elsewhere.display.get_input_focus().unwrap();
    assert_eq!(focus.reply().unwrap().focus, elsewhere.window);
    println!("press to first packet at the server: {starts:?}");
    let (start, late) = (percentile(&mut starts, 50), percentile(&mut starts, 95));
    println!("press to first packet: median {start:?}, p95 {late:?} of {TIMES}");
    let (end, slow) = (percentile(&mut ends, 50), percentile(&mut ends, 95));
    println!("release to last packet with a tail of {TAIL} ms: median {end:?}, p95 {slow:?}");
    // A busy machine may be late.
    assert!(start < Duration::from_millis(60), "{start:?}");
    let tail = Duration::from_millis(TAIL);
    assert!(end > tail - Duration::from_millis(30) && end < tail + Duration::from_millis(80));
    assert_eq!(alice.status()["microphone"], "muted");
    // For a cough: nothing leaves while this one is held.
    alice.ctl(&["unmute"]);
    alice.waits_for("microphone", "open");
    let hush = elsewhere.code(F1 + 7);
    for _ in 0..2 {
        elsewhere.key(hush, PRESS);
        alice.waits_for("microphone", "muted");
        wait_for("silence", || {
            let (last, _) = packets(&server);
            (now_us() > last + 120_000).then_some(())
        });
        elsewhere.key(hush, RELEASE);
        alice.waits_for("microphone", "open");
    }
}

#[test]
fn under_wayland_the_desktop_gives_the_keys_or_refuses_them_and_both_are_said() {
    let _stage = alone();
    let folder = folder("keys-portal");
    let _devices = Devices::new();
    let bus = Bus::start(&folder);
    let server = Server::start(&folder);
    let profile = folder.join("alice");
    let keys = json!({"alerts": {"keys": {"talk": "Control+Space", "mute": "F8", "tail": 0}}});
    // The windows themselves are X11's, as there is no Wayland here.
    let wayland = [
        ("WAYLAND_DISPLAY", "none"),
        ("GDK_BACKEND", "x11"),
        ("DBUS_SESSION_BUS_ADDRESS", bus.address.as_str()),
    ];
    let start = || {
        Halloo::settings(&profile, &keys);
        Halloo::start_in(&server, "alice", &profile, &["--hidden"], &wayland)
    };
    for refusing in [None, Some(1)] {
        let _portal = refusing.map(|answer| Portal::start(&bus, answer));
        let alice = start();
        alice.waits_for("keys", "window");
        let notices = alice.status()["notices"].clone();
        let said = notices.as_array().unwrap().contains(&json!("keys.local"));
        assert!(said, "{refusing:?}: {notices}");
        println!("portal {refusing:?}: the keys work in the window, and that is said");
    }
    let portal = Portal::start(&bus, 0);
    let alice = start();
    alice.waits_for("keys", "everywhere");
    let asked = portal.asked();
    println!("asked of the portal: {asked:?}");
    let wished = |id: &str| {
        let found = asked.iter().find(|(one, ..)| one == id).unwrap();
        found.2.clone()
    };
    assert_eq!(
        (wished("talk"), wished("mute")),
        ("CTRL+space".to_owned(), "F8".to_owned())
    );
    let notices = alice.status()["notices"].clone();
    assert!(!notices.as_array().unwrap().contains(&json!("keys.local")));
    alice.ctl(&["join", "Town Square"]);
    alice.waits_for("call", "live");
    for _ in 0..3 {
        portal.key("talk", true);
        alice.waits_for("microphone", "open");
        portal.key("talk", false);
        alice.waits_for("microphone", "muted");
    }
    portal.key("mute", true);
    portal.key("mute", false);
    alice.waits_for("microphone", "open");
}
