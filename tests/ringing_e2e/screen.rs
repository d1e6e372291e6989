//! A screen of its own with a window manager, looked at from outside as the manager sees it (Extended Window Manager Hints
//! 1.5), and hands: a mouse and a keyboard. No page is driven: these windows are what nobody looks at for long.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux,
    EventMask, ImageFormat, PropMode, Window, WindowClass,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::driver::wait_for;

const KEY: (u8, u8) = (2, 3);
const BUTTON: (u8, u8) = (4, 5);
const MOTION: u8 = 6;

/// Where a window lies, pixels of the screen, without a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    pub x: i32,
    pub y: i32,
    pub width: u32,
    pub height: u32,
}

impl Area {
    pub fn at(&self) -> (i32, i32) {
        (self.x, self.y)
    }
}

/// The screen; gone when dropped.
pub struct Screen {
    server: Child,
    manager: Child,
    /// As in `DISPLAY`.
    pub name: String,
    x: RustConnection,
    root: Window,
}

impl Screen {
    /// With a window manager and its words.
    pub fn start(manager: &str, words: &[&str], (width, height): (u16, u16)) -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .args(["-screen", "0", &format!("{width}x{height}x24")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb");
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut number)
            .unwrap();
        let name = format!(":{}", number.trim());
        let (x, screen) = RustConnection::connect(Some(&name)).unwrap();
        let root = x.setup().roots[screen].root;
        let manager = Command::new(manager)
            .args(words)
            .env("DISPLAY", &name)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|why| panic!("{manager}: {why}"));
        let screen = Self {
            server,
            manager,
            name,
            x,
            root,
        };
        wait_for("the window manager", || {
            let check = screen.numbers(root, "_NET_SUPPORTING_WM_CHECK");
            (!check.is_empty()).then_some(())
        });
        screen
    }

    fn atom(&self, name: &str) -> u32 {
        let asked = self.x.intern_atom(false, name.as_bytes()).unwrap();
        asked.reply().unwrap().atom
    }

    fn numbers(&self, window: Window, property: &str) -> Vec<u32> {
        let property = self.atom(property);
        self.x
            .get_property(false, window, property, AtomEnum::ANY, 0, 1024)
            .ok()
            .and_then(|asked| asked.reply().ok())
            .and_then(|reply| reply.value32().map(Iterator::collect))
            .unwrap_or_default()
    }

    /// The windows that there are, the topmost last.
    fn windows(&self) -> Vec<Window> {
        self.numbers(self.root, "_NET_CLIENT_LIST_STACKING")
    }

    fn title(&self, window: Window) -> String {
        let (property, text) = (self.atom("_NET_WM_NAME"), self.atom("UTF8_STRING"));
        self.x
            .get_property(false, window, property, text, 0, 1024)
            .ok()
            .and_then(|asked| asked.reply().ok())
            .map(|reply| String::from_utf8_lossy(&reply.value).into_owned())
            .unwrap_or_default()
    }

    /// How many windows of this title there are.
    pub fn count(&self, title: &str) -> usize {
        let windows = self.windows().into_iter();
        windows.filter(|one| self.title(*one) == title).count()
    }

    /// Waits for a window of this title that is drawn.
    pub fn find(&self, title: &str) -> Window {
        wait_for(title, || {
            let mut windows = self.windows().into_iter();
            windows.find(|one| self.title(*one) == title)
        })
    }

    /// Waits until there is none.
    pub fn none(&self, title: &str) {
        wait_for(&format!("no {title}"), || {
            (self.count(title) == 0).then_some(())
        });
    }

    /// Whether the first lies above the second.
    pub fn is_above(&self, upper: Window, lower: Window) -> bool {
        let all = self.windows();
        let at = |wanted| all.iter().position(|one| *one == wanted);
        at(upper) > at(lower)
    }

    /// Whether it is in a state, as `ABOVE`.
    pub fn is(&self, window: Window, state: &str) -> bool {
        let state = self.atom(&format!("_NET_WM_STATE_{state}"));
        self.numbers(window, "_NET_WM_STATE").contains(&state)
    }

    /// It is on all workspaces.
    pub fn is_everywhere(&self, window: Window) -> bool {
        self.is(window, "STICKY") || self.numbers(window, "_NET_WM_DESKTOP") == [u32::MAX]
    }

    /// The window with the focus.
    pub fn active(&self) -> Option<Window> {
        self.numbers(self.root, "_NET_ACTIVE_WINDOW")
            .first()
            .copied()
    }

    pub fn area(&self, window: Window) -> Option<Area> {
        let size = self.x.get_geometry(window).ok()?.reply().ok()?;
        let at = self.x.translate_coordinates(window, self.root, 0, 0).ok()?;
        let at = at.reply().ok()?;
        Some(Area {
            x: at.dst_x.into(),
            y: at.dst_y.into(),
            width: size.width.into(),
            height: size.height.into(),
        })
    }

    /// Waits until it lies like that.
    pub fn lies(&self, what: &str, window: Window, like: impl Fn(Area) -> bool) -> Area {
        let mut last = None;
        let end = Instant::now() + Duration::from_secs(15);
        while Instant::now() < end {
            last = self.area(window);
            if let Some(area) = last.filter(|area| like(*area)) {
                return area;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        panic!("{what}: {last:?}");
    }

    /// Waits until something is drawn in it: letters alone have more shades than a window that is still blank.
    pub fn drawn(&self, window: Window) {
        wait_for("a drawn window", || {
            let area = self.area(window)?;
            let (x, y) = (i16::try_from(area.x).ok()?, i16::try_from(area.y).ok()?);
            let (width, height) = (area.width.try_into().ok()?, area.height.try_into().ok()?);
            let image = self
                .x
                .get_image(ImageFormat::Z_PIXMAP, self.root, x, y, width, height, !0);
            let image = image.ok()?.reply().ok()?;
            let shades: BTreeSet<&[u8]> = image.data.chunks(4).collect();
            (shades.len() > 16).then_some(())
        });
    }

    fn ask(&self, window: Window, what: &str, data: [u32; 5]) {
        let event = ClientMessageEvent::new(32, window, self.atom(what), data);
        let mask = EventMask::SUBSTRUCTURE_NOTIFY | EventMask::SUBSTRUCTURE_REDIRECT;
        self.x.send_event(false, self.root, mask, event).unwrap();
        self.x.flush().unwrap();
    }

    /// Brings a window to the front, as a pager does.
    pub fn activate(&self, window: Window) {
        self.ask(window, "_NET_ACTIVE_WINDOW", [2, 0, 0, 0, 0]);
        wait_for("the focus", || {
            (self.active() == Some(window)).then_some(())
        });
    }

    /// Closes a window, as its cross does.
    pub fn close(&self, window: Window) {
        self.ask(window, "_NET_CLOSE_WINDOW", [0, 2, 0, 0, 0]);
    }

    /// Asks the manager for another size.
    pub fn resize(&self, window: Window, width: u32, height: u32) {
        let aux = ConfigureWindowAux::new().width(width).height(height);
        self.x.configure_window(window, &aux).unwrap();
        self.x.flush().unwrap();
    }

    /// Opens a window of another program, with the focus.
    pub fn program(&self) -> Window {
        let window = self.x.generate_id().unwrap();
        let aux = CreateWindowAux::new().background_pixel(0x0033_6699);
        let (depth, class) = (x11rb::COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT);
        self.x
            .create_window(
                depth,
                window,
                self.root,
                0,
                0,
                900,
                600,
                0,
                class,
                x11rb::COPY_FROM_PARENT,
                &aux,
            )
            .unwrap();
        let (name, text) = (self.atom("_NET_WM_NAME"), self.atom("UTF8_STRING"));
        let mode = PropMode::REPLACE;
        self.x
            .change_property8(mode, window, name, text, b"Other program")
            .unwrap();
        // A window manager that is only just starting may overlook it.
        for _ in 0..20 {
            self.x.map_window(window).unwrap();
            self.x.flush().unwrap();
            let end = Instant::now() + Duration::from_millis(500);
            while Instant::now() < end {
                if self.windows().contains(&window) {
                    self.activate(window);
                    return window;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            self.x.unmap_window(window).unwrap();
        }
        panic!("the window manager manages nothing");
    }

    fn fake(&self, kind: u8, detail: u8, x: i32, y: i32) {
        let (x, y) = (i16::try_from(x).unwrap(), i16::try_from(y).unwrap());
        self.x
            .xtest_fake_input(kind, detail, 0, self.root, x, y, 0)
            .unwrap();
        // In its turn: what comes next finds this done.
        self.x.sync().unwrap();
    }

    pub fn click(&self, x: i32, y: i32) {
        self.fake(MOTION, 0, x, y);
        self.fake(BUTTON.0, 1, 0, 0);
        self.fake(BUTTON.1, 1, 0, 0);
    }

    /// Drags what lies at a place to another one.
    pub fn drag(&self, from: (i32, i32), to: (i32, i32)) {
        self.fake(MOTION, 0, from.0, from.1);
        self.fake(BUTTON.0, 1, 0, 0);
        for step in 1..=10 {
            // A hand takes its time, and the window manager has to take hold first.
            std::thread::sleep(Duration::from_millis(30));
            let part = |from: i32, to: i32| from + (to - from) * step / 10;
            self.fake(MOTION, 0, part(from.0, to.0), part(from.1, to.1));
        }
        self.fake(BUTTON.1, 1, 0, 0);
    }

    fn code(&self, sym: u32) -> u8 {
        let setup = self.x.setup();
        let count = setup.max_keycode - setup.min_keycode + 1;
        let map = self.x.get_keyboard_mapping(setup.min_keycode, count);
        let map = map.unwrap().reply().unwrap();
        let mut syms = map.keysyms.chunks(map.keysyms_per_keycode.into());
        let at = syms.position(|syms| syms.contains(&sym)).unwrap();
        setup.min_keycode + u8::try_from(at).unwrap()
    }

    /// Presses keys, all together; they stay down.
    pub fn press(&self, syms: &[u32]) {
        for sym in syms {
            self.fake(KEY.0, self.code(*sym), 0, 0);
        }
    }

    /// Lets go of keys.
    pub fn release(&self, syms: &[u32]) {
        for sym in syms.iter().rev() {
            self.fake(KEY.1, self.code(*sym), 0, 0);
        }
    }

    /// Another resolution of the only output.
    pub fn resolution(&self, width: u16, height: u16) {
        let all = self.x.randr_get_screen_resources(self.root).unwrap();
        let all = all.reply().unwrap();
        let (crtc, output) = (all.crtcs[0], all.outputs[0]);
        let set = |mode: u32, outputs: &[u32]| {
            let rotation = randr::Rotation::ROTATE0;
            let set = self
                .x
                .randr_set_crtc_config(crtc, 0, 0, 0, 0, mode, rotation, outputs);
            set.unwrap().reply().unwrap();
        };
        set(0, &[]);
        self.x
            .randr_set_screen_size(self.root, width, height, 300, 200)
            .unwrap();
        let name = format!("{width}x{height}");
        let mode = randr::ModeInfo {
            width,
            height,
            name_len: u16::try_from(name.len()).unwrap(),
            ..randr::ModeInfo::default()
        };
        let known = all.modes.iter();
        let mut known = known.filter(|one| (one.width, one.height) == (width, height));
        let mode = known.next().map_or_else(
            || {
                let made = self.x.randr_create_mode(self.root, mode, name.as_bytes());
                let mode = made.unwrap().reply().unwrap().mode;
                self.x.randr_add_output_mode(output, mode).unwrap();
                mode
            },
            |known| known.id,
        );
        set(mode, &[output]);
        self.x.sync().unwrap();
    }

    /// What is to be seen on it.
    pub fn picture(&self, file: &Path) {
        let _ = Command::new("import")
            .args(["-display", &self.name, "-window", "root"])
            .arg(file)
            .status();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for child in [&mut self.manager, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
