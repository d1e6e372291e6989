//! The line around what is shared, on an X server of our own. Skipped, with a message, where Xvfb is not installed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use calls_core::id::SourceId;
use calls_media::screen::{Look, ScreenError, ScreenHost, ScreenSource, x11::X11Host};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    ConfigureWindowAux, ConnectionExt, CreateWindowAux, ImageFormat, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;

/// The test proper runs in a child process whose environment points to our server.
const INSIDE: &str = "HALLOO_FRAME_TEST_INSIDE";
const LINE: u32 = 0x1f_9f_b4;
const WHITE: u32 = 0xff_ff_ff;

#[test]
fn what_is_shared_has_a_line_around_it_that_nobody_clicks_and_nobody_else_sees() {
    if std::env::var_os(INSIDE).is_some() {
        return;
    }
    let server = Command::new("Xvfb")
        .args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "640x480x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut server) = server else {
        println!("SKIPPED: Xvfb is not installed; install it to test what is drawn on a screen");
        return;
    };
    let mut number = String::new();
    let mut out = BufReader::new(server.stdout.take().unwrap());
    out.read_line(&mut number).unwrap();
    let inside = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "inside", "--nocapture"])
        .env(INSIDE, "1")
        .env("DISPLAY", format!(":{}", number.trim()))
        .env_remove("WAYLAND_DISPLAY")
        .status();
    let _ = server.kill();
    let _ = server.wait();
    assert!(inside.unwrap().success());
}

struct Screen {
    x: RustConnection,
    root: Window,
}

impl Screen {
    fn pixel(&self, left: i16, top: i16) -> u32 {
        let asked = self
            .x
            .get_image(ImageFormat::Z_PIXMAP, self.root, left, top, 1, 1, !0);
        let data = asked.unwrap().reply().unwrap().data;
        u32::from_le_bytes([data[0], data[1], data[2], 0])
    }

    fn becomes(&self, what: &str, (left, top): (i16, i16), colour: u32) {
        let end = Instant::now() + Duration::from_secs(10);
        while self.pixel(left, top) != colour {
            assert!(
                Instant::now() < end,
                "{what}: {:06x}",
                self.pixel(left, top)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Looks until something other than nothing has happened.
fn sees(source: &mut dyn ScreenSource) -> Result<(Look, bool), ScreenError> {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let mut line = false;
        let look = source.look(Duration::from_millis(50), &mut |patch| {
            line |= patch
                .data
                .chunks_exact(4)
                .any(|p| p[..3] == [0xb4, 0x9f, 0x1f]);
        })?;
        if look != Look::Same {
            return Ok((look, line));
        }
        assert!(Instant::now() < end, "nothing changes");
    }
}

#[test]
fn inside() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let (x, number) = x11rb::connect(None).unwrap();
    let root = x.setup().roots[number].root;
    let screen = Screen { x, root };
    let x = &screen.x;
    let window = x.generate_id().unwrap();
    let look = CreateWindowAux::new().background_pixel(WHITE);
    let class = WindowClass::INPUT_OUTPUT;
    x.create_window(24, window, root, 100, 100, 200, 150, 0, class, 0, &look)
        .unwrap();
    x.map_window(window).unwrap();
    x.flush().unwrap();
    screen.becomes("the window", (200, 170), WHITE);

    let host = X11Host::new().unwrap();
    let id = SourceId::new(format!("window:{window:#x}"));
    let mut source = host.open(&id, &|| false).unwrap();
    let mark = host.mark(&id).unwrap();
    screen.becomes("left of it", (98, 170), LINE);
    screen.becomes("right of it", (301, 170), LINE);
    screen.becomes("above it", (200, 98), LINE);
    assert_eq!(screen.pixel(200, 170), WHITE, "it is not covered");
    let (seen, line) = sees(&mut *source).unwrap();
    assert_eq!(
        (seen, line),
        (Look::Changed, false),
        "the line is not in its picture"
    );

    x.warp_pointer(x11rb::NONE, root, 0, 0, 0, 0, 98, 170)
        .unwrap();
    let under = x.query_pointer(root).unwrap().reply().unwrap();
    assert_eq!(
        (under.root_x, under.child),
        (98, x11rb::NONE),
        "clicks go through the line"
    );

    x.configure_window(window, &ConfigureWindowAux::new().x(300).y(200).width(240))
        .unwrap();
    x.flush().unwrap();
    screen.becomes("where it went", (298, 270), LINE);
    screen.becomes("its other side", (541, 270), LINE);
    assert_ne!(screen.pixel(98, 170), LINE, "nothing is left behind");
    let resized = loop {
        if let (Look::Resized(size), _) = sees(&mut *source).unwrap() {
            break size;
        }
    };
    assert_eq!((resized.width, resized.height), (240, 150));

    x.unmap_window(window).unwrap();
    x.flush().unwrap();
    screen.becomes("while it is away", (298, 270), 0);
    x.map_window(window).unwrap();
    x.flush().unwrap();
    screen.becomes("when it is back", (298, 270), LINE);
    drop(mark);
    screen.becomes("once nothing is shared", (298, 270), 0);

    // A whole screen has its line at its edges.
    let mark = host.mark(&SourceId::from("screen:0")).unwrap();
    screen.becomes("the upper left corner", (1, 1), LINE);
    screen.becomes("the lower right corner", (638, 478), LINE);
    let mut whole = host.open(&SourceId::from("screen:0"), &|| false).unwrap();
    let (seen, line) = sees(&mut *whole).unwrap();
    assert_eq!((seen, line), (Look::Changed, false), "nobody else sees it");
    drop(whole);
    drop(mark);
    screen.becomes("after that", (1, 1), 0);

    x.destroy_window(window).unwrap();
    x.flush().unwrap();
    let gone = loop {
        if let Err(error) = sees(&mut *source) {
            break error;
        }
    };
    assert!(matches!(gone, ScreenError::Gone), "{gone}");
}
