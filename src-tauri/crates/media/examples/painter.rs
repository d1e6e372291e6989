//! A screen to measure with: paints its age into its pixels, and does what it is told.
//!
//! An override-redirect window covers the X screen. Its upper left corner carries the wall clock as a bar code; below
//! is text. Orders come as lines: `frozen` (nothing changes), `bar` (the code, 30 times a second), `scroll` (the
//! text moves 8 pixels 30 times a second, with the code), `save FILE` (a picture of the screen as it is, grey as video
//! has it, PGM), `quit`. Each order is answered with the code's clock.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(target_os = "linux")]
fn main() {
    linux::paint().expect("an X server");
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::BufRead;
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::{Duration, Instant};

    use calls_media::screen::barcode;
    use x11rb::connection::Connection;
    use x11rb::protocol::xproto::{
        ConnectionExt, CreateGCAux, CreateWindowAux, Gcontext, ImageFormat, Pixmap, Rectangle,
        Window, WindowClass,
    };
    use x11rb::rust_connection::RustConnection;

    type Failed = Box<dyn std::error::Error>;

    /// Pictures a second.
    const FPS: u32 = 30;
    /// Pixels that the text moves with each picture.
    const STEP: i16 = 8;
    /// Height of the strip that the code has to itself.
    const STRIP: i16 = 48;
    /// Letters in a line of text.
    const LETTERS: usize = 255;

    struct Painter {
        x: RustConnection,
        window: Window,
        gc: Gcontext,
        text: Pixmap,
        width: u16,
        height: u16,
        /// Of the text's pixmap.
        length: u16,
        offset: i16,
    }

    pub(super) fn paint() -> Result<(), Failed> {
        let mut painter = Painter::open()?;
        let (orders, inbox) = channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if orders.send(line).is_err() {
                    return;
                }
            }
        });
        let mut mode = "frozen".to_owned();
        painter.show()?;
        let mut due = Instant::now();
        loop {
            let wait = match mode.as_str() {
                "frozen" => Duration::from_secs(3600),
                _ => due.saturating_duration_since(Instant::now()),
            };
            match inbox.recv_timeout(wait) {
                Ok(order) if order == "quit" => return Ok(()),
                Ok(order) if order.starts_with("save ") => {
                    painter.save(&order[5..])?;
                    println!("{{\"mode\": \"{order}\", \"clock\": {}}}", barcode::now());
                }
                Ok(order) => {
                    mode = order;
                    due = Instant::now();
                    println!("{{\"mode\": \"{mode}\", \"clock\": {}}}", barcode::now());
                }
                Err(RecvTimeoutError::Timeout) => {
                    if mode == "scroll" {
                        painter.scroll()?;
                    }
                    painter.code()?;
                    painter.x.flush()?;
                    due = (due + Duration::from_secs(1) / FPS).max(Instant::now());
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    impl Painter {
        fn open() -> Result<Self, Failed> {
            let (x, number) = x11rb::connect(None)?;
            let screen = &x.setup().roots[number];
            let (width, height) = (screen.width_in_pixels, screen.height_in_pixels);
            let (root, depth) = (screen.root, screen.root_depth);
            let (black, white) = (screen.black_pixel, screen.white_pixel);
            let length = height * 2;
            let window = x.generate_id()?;
            let look = CreateWindowAux::new()
                .override_redirect(1)
                .background_pixel(white);
            let kind = WindowClass::INPUT_OUTPUT;
            x.create_window(0, window, root, 0, 0, width, height, 0, kind, 0, &look)?;
            x.map_window(window)?;
            let font = x.generate_id()?;
            x.open_font(font, b"fixed")?;
            let gc = x.generate_id()?;
            let look = CreateGCAux::new()
                .foreground(black)
                .background(white)
                .graphics_exposures(0)
                .font(font);
            x.create_gc(gc, window, &look)?;
            let text = x.generate_id()?;
            x.create_pixmap(depth, text, root, width, length)?;
            let painter = Self {
                x,
                window,
                gc,
                text,
                width,
                height,
                length,
                offset: 0,
            };
            painter.fill(text, white, 0, 0, width, length)?;
            painter.color(black)?;
            painter.write()?;
            Ok(painter)
        }

        fn color(&self, pixel: u32) -> Result<(), Failed> {
            let look = x11rb::protocol::xproto::ChangeGCAux::new().foreground(pixel);
            self.x.change_gc(self.gc, &look)?;
            Ok(())
        }

        fn fill(
            &self,
            on: u32,
            pixel: u32,
            left: i16,
            top: i16,
            width: u16,
            height: u16,
        ) -> Result<(), Failed> {
            self.color(pixel)?;
            let all = Rectangle {
                x: left,
                y: top,
                width,
                height,
            };
            self.x.poly_fill_rectangle(on, self.gc, &[all])?;
            Ok(())
        }

        /// Lines of words, always the same.
        fn write(&self) -> Result<(), Failed> {
            let mut seed = 1_u32;
            let mut next = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed >> 16
            };
            let mut y = 13;
            while y < self.length as i16 {
                let mut line = String::new();
                while line.len() < LETTERS {
                    for _ in 0..2 + next() % 9 {
                        line.push(char::from(b'a' + (next() % 26) as u8));
                    }
                    line.push(' ');
                }
                line.truncate(LETTERS);
                self.x
                    .image_text8(self.text, self.gc, 8, y, line.as_bytes())?;
                // "fixed" is six pixels wide: a second column fills the screen.
                self.x.image_text8(
                    self.text,
                    self.gc,
                    8 + 6 * LETTERS as i16,
                    y,
                    &line.as_bytes()[..60],
                )?;
                y += 15;
            }
            Ok(())
        }

        fn show(&mut self) -> Result<(), Failed> {
            self.scroll()?;
            self.code()?;
            self.x.flush()?;
            Ok(())
        }

        fn scroll(&mut self) -> Result<(), Failed> {
            self.offset = (self.offset + STEP) % (self.length - self.height) as i16;
            let height = self.height - STRIP as u16;
            self.x.copy_area(
                self.text,
                self.window,
                self.gc,
                0,
                self.offset,
                0,
                STRIP,
                self.width,
                height,
            )?;
            Ok(())
        }

        /// Writes what is seen, as the luma of video: black is 16, white is 235.
        fn save(&self, path: &str) -> Result<(), Failed> {
            let format = ImageFormat::Z_PIXMAP;
            let (width, height) = (self.width, self.height);
            let image = self
                .x
                .get_image(format, self.window, 0, 0, width, height, !0)?
                .reply()?;
            let mut file = format!("P5 {width} {height} 255\n").into_bytes();
            file.extend(image.data.chunks_exact(4).map(|bgra| {
                let [b, g, r] = [bgra[0], bgra[1], bgra[2]].map(f64::from);
                (16.0 + (65.481 * r + 128.553 * g + 24.966 * b) / 255.0).round() as u8
            }));
            Ok(std::fs::write(path, file)?)
        }

        fn code(&self) -> Result<(), Failed> {
            let cells = barcode::cells(barcode::now());
            let all = |white: bool| {
                (0_i16..)
                    .zip(cells)
                    .filter(move |(_, cell)| *cell == white)
                    .map(|(at, _)| Rectangle {
                        x: at * barcode::CELL as i16,
                        y: 0,
                        width: barcode::CELL as u16,
                        height: barcode::CELL as u16,
                    })
                    .collect::<Vec<_>>()
            };
            for (white, pixel) in [(true, 0x00ff_ffff), (false, 0)] {
                self.color(pixel)?;
                self.x
                    .poly_fill_rectangle(self.window, self.gc, &all(white))?;
            }
            self.color(0)?;
            Ok(())
        }
    }
}
