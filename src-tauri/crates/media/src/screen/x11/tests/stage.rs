//! An X server with a program that draws, and somebody who watches.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use x11rb::protocol::randr::{MonitorInfo, NotifyMask};
use x11rb::protocol::xproto::{
    ChangeGCAux, ConfigureWindowAux, CreateGCAux, CreateWindowAux, Gcontext, PropMode, Rectangle,
};
use x11rb::wrapper::ConnectionExt as _;

use super::super::*;
use crate::screen::{Look, Rect, convert};
use crate::video::{I420, Size};

pub(super) const RED: u32 = 0x00ff_0000;
pub(super) const GREEN: u32 = 0x0000_ff00;
pub(super) const BLUE: u32 = 0x0000_00ff;
pub(super) const GREY: u32 = 0x0080_8080;

/// An X server, and a program on it that is not us.
pub(super) struct Stage {
    server: Child,
    display: String,
    pub(super) x: X,
    pen: Gcontext,
}

impl Stage {
    /// `None`, with a message, where Xvfb is not installed.
    pub(super) fn new(options: &[&str]) -> Option<Self> {
        let server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "800x600x24"])
            .args(["-nolisten", "tcp", "-noreset"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut server = match server {
            Ok(server) => server,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                assert!(std::env::var_os("CI").is_none(), "Xvfb is not installed");
                println!("skipped: Xvfb is not installed");
                return None;
            }
            Err(error) => panic!("Xvfb does not start: {error}"),
        };
        let mut number = String::new();
        let stdout = server.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut number).unwrap();
        let display = format!(":{}", number.trim());
        let x = X::connect(Some(&display)).unwrap();
        let pen = x.connection.generate_id().unwrap();
        let stage = Self {
            server,
            display,
            x,
            pen,
        };
        let connection = &stage.x.connection;
        connection
            .create_gc(stage.pen, stage.x.root, &CreateGCAux::new())
            .unwrap();
        stage.paint(stage.x.root, GREY, (0, 0, 800, 600));
        stage.point(790, 590);
        Some(stage)
    }

    pub(super) fn host(&self) -> X11Host {
        X11Host {
            display: Some(self.display.clone()),
        }
    }

    pub(super) fn open(&self, id: &str) -> Watcher {
        self.try_open(id).unwrap()
    }

    pub(super) fn try_open(&self, id: &str) -> Result<Watcher, ScreenError> {
        let source = self.host().open(&SourceId::from(id), &|| false)?;
        Ok(Watcher {
            picture: I420::black(source.size()),
            source,
            parts: Vec::new(),
        })
    }

    /// Waits until the server has done all that was asked.
    pub(super) fn done(&self) {
        self.x.connection.sync().unwrap();
    }

    pub(super) fn paint(
        &self,
        window: Window,
        colour: u32,
        (x, y, width, height): (i16, i16, u16, u16),
    ) {
        let connection = &self.x.connection;
        let colour = ChangeGCAux::new().foreground(colour);
        connection.change_gc(self.pen, &colour).unwrap();
        let all = [Rectangle {
            x,
            y,
            width,
            height,
        }];
        connection
            .poly_fill_rectangle(window, self.pen, &all)
            .unwrap();
        self.done();
    }

    pub(super) fn point(&self, x: i16, y: i16) {
        let none = x11rb::NONE;
        self.x
            .connection
            .warp_pointer(none, self.x.root, 0, 0, 0, 0, x, y)
            .unwrap();
        self.done();
    }

    /// A window of somebody's, shown.
    pub(super) fn window(
        &self,
        title: &str,
        colour: u32,
        (x, y): (i16, i16),
        size: (u16, u16),
    ) -> Window {
        let connection = &self.x.connection;
        let window = connection.generate_id().unwrap();
        let look = CreateWindowAux::new().background_pixel(colour);
        connection
            .create_window(
                x11rb::COPY_DEPTH_FROM_PARENT,
                window,
                self.x.root,
                x,
                y,
                size.0,
                size.1,
                0,
                WindowClass::INPUT_OUTPUT,
                x11rb::COPY_FROM_PARENT,
                &look,
            )
            .unwrap();
        let (name, kind) = (AtomEnum::WM_NAME, AtomEnum::STRING);
        connection
            .change_property8(PropMode::REPLACE, window, name, kind, title.as_bytes())
            .unwrap();
        connection.map_window(window).unwrap();
        self.done();
        window
    }

    pub(super) fn number(&self, window: Window, name: &str, value: u32) {
        let name = self.x.atom(name).unwrap();
        self.x
            .connection
            .change_property32(
                PropMode::REPLACE,
                window,
                name,
                AtomEnum::CARDINAL,
                &[value],
            )
            .unwrap();
        self.done();
    }

    pub(super) fn configure(&self, window: Window, change: ConfigureWindowAux) {
        self.x.connection.configure_window(window, &change).unwrap();
        self.done();
    }

    /// Makes a part of the screen a monitor of this name.
    pub(super) fn monitor(&self, name: &str, (x, width): (i16, u16), primary: bool) {
        let info = MonitorInfo {
            name: self.x.atom(name).unwrap(),
            primary,
            automatic: false,
            x,
            y: 0,
            width,
            height: 600,
            width_in_millimeters: 100,
            height_in_millimeters: 100,
            outputs: Vec::new(),
        };
        let connection = &self.x.connection;
        connection.randr_set_monitor(self.x.root, info).unwrap();
        self.done();
    }

    /// Another resolution of the only output; `None` switches it off.
    pub(super) fn resolution(&self, size: Option<(u16, u16)>) {
        let connection = &self.x.connection;
        let root = self.x.root;
        connection
            .randr_select_input(root, NotifyMask::SCREEN_CHANGE)
            .unwrap();
        let all = connection.randr_get_screen_resources(root).unwrap();
        let all = all.reply().unwrap();
        let (crtc, output) = (all.crtcs[0], all.outputs[0]);
        let set = |mode: u32, outputs: &[u32]| {
            let rotation = randr::Rotation::ROTATE0;
            connection
                .randr_set_crtc_config(crtc, 0, 0, 0, 0, mode, rotation, outputs)
                .unwrap()
                .reply()
                .unwrap();
        };
        set(0, &[]);
        let Some((width, height)) = size else {
            return self.done();
        };
        connection
            .randr_set_screen_size(root, width, height, 100, 100)
            .unwrap();
        let mode = randr::ModeInfo {
            width,
            height,
            name_len: 4,
            ..randr::ModeInfo::default()
        };
        let mode = connection.randr_create_mode(root, mode, b"test").unwrap();
        let mode = mode.reply().unwrap().mode;
        connection.randr_add_output_mode(output, mode).unwrap();
        set(mode, &[output]);
        self.done();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Somebody who watches a source.
pub(super) struct Watcher {
    pub(super) source: Box<dyn ScreenSource>,
    picture: I420,
    pub(super) parts: Vec<Rect>,
}

impl Watcher {
    pub(super) fn look(&mut self, wait: Duration) -> Result<Look, ScreenError> {
        let Self {
            source,
            picture,
            parts,
        } = self;
        parts.clear();
        let look = source.look(wait, &mut |patch| {
            parts.push(patch.rect);
            assert!(convert::paint(picture, &patch), "{:?}", patch.rect);
        })?;
        if let Look::Resized(size) = look {
            *picture = I420::black(size);
        }
        Ok(look)
    }

    /// Looks until a place has this colour, 5 s at most: on a busy machine the word of a change comes late.
    pub(super) fn until(&mut self, (x, y): (u32, u32), colour: u32) {
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end && self.at(x, y) != colour {
            self.look(Duration::from_millis(50)).unwrap();
        }
    }

    /// Looks until all that has happened is seen.
    pub(super) fn settle(&mut self) {
        while self.look(Duration::from_millis(30)).unwrap() != Look::Same {}
    }

    pub(super) fn size(&self) -> (u32, u32) {
        let size = self.source.size();
        assert_eq!(size, self.picture.size());
        (size.width, size.height)
    }

    /// The colour at a place, without its lowest bits.
    pub(super) fn at(&self, x: u32, y: u32) -> u32 {
        let rgb = convert::to_rgb(&self.picture);
        let at = (y * self.picture.size().width + x) as usize * 3;
        let round = |value: u8| match value {
            0..20 => 0,
            110..150 => 0x80,
            236.. => 0xff,
            other => u32::from(other),
        };
        round(rgb[at]) << 16 | round(rgb[at + 1]) << 8 | round(rgb[at + 2])
    }

    pub(super) fn gone(&mut self) {
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            match self.look(Duration::from_millis(50)) {
                Ok(_) => assert!(Instant::now() < end, "it never ends"),
                Err(error) => return assert!(matches!(error, ScreenError::Gone), "{error:?}"),
            }
        }
    }

    /// Whether a pixel is something else than the grey of the screen.
    pub(super) fn at_luma(&self, x: u32, y: u32) -> bool {
        let size: Size = self.picture.size();
        let luma = self.picture.planes().0[(y * size.width + x) as usize];
        // Grey 128 in limited range is 126.
        luma.abs_diff(126) > 8
    }
}
