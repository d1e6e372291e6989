//! WebDriver (W3C), as much of it as a window test needs, spoken to WebKitGTK's own driver over plain HTTP.
//!
//! Blocking and on the standard library alone: a WebDriver crate would bring a second HTTP client and change the
//! features of the whole tree (rebuilding the window for each test run).

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything that we wait for in the window may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often we look. WebDriver has no events.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// The member that holds an element's id (W3C WebDriver §12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running window with its driver. Both are gone when it is dropped.
pub struct Window {
    driver: Child,
    port: u16,
    session: String,
    program: u32,
    folder: PathBuf,
}

impl Window {
    /// Starts the program under the driver. `environment` is the program's too.
    pub fn open(
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        log: &Path,
    ) -> Self {
        let port = free_port();
        let folder = log.parent().unwrap().to_owned();
        let log = std::fs::File::create(log).unwrap();
        let driver = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .envs(environment.iter().copied())
            // Tauri lets itself be driven only when asked to.
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("WebKitWebDriver (package webkit2gtk-driver)");
        let mut window = Self {
            driver,
            port,
            session: String::new(),
            program: 0,
            folder,
        };
        wait_for("the driver", || {
            TcpStream::connect(("127.0.0.1", port)).ok().map(drop)
        });
        let answer = window.request(
            "POST",
            "/session",
            Some(json!({"capabilities": {"alwaysMatch": {
                "webkitgtk:browserOptions": {"binary": program, "args": arguments}
            }}})),
        );
        window.session = answer["sessionId"]
            .as_str()
            .expect("a session id")
            .to_owned();
        window.program = child_of(window.driver.id());
        window
    }

    /// The process under test.
    pub fn program_id(&self) -> u32 {
        self.program
    }

    /// Asks the program to end, as a session manager does, and waits until it has.
    pub fn terminate(&self) {
        let _ = Command::new("kill")
            .args(["-TERM", &self.program.to_string()])
            .status();
        wait_for("the program to end", || ended(self.program).then_some(()));
    }

    /// Waits for the first element that matches a CSS selector.
    pub fn find(&self, selector: &str) -> Element<'_> {
        wait_for(selector, || self.look(selector))
    }

    /// The first element that matches now.
    pub fn look(&self, selector: &str) -> Option<Element<'_>> {
        let answer = self
            .try_command(
                "POST",
                "/element",
                json!({"using": "css selector", "value": selector}),
            )
            .ok()?;
        let id = answer[ELEMENT].as_str()?.to_owned();
        Some(Element { window: self, id })
    }

    /// Waits for the element with this `data-testid`.
    pub fn test_id(&self, id: &str) -> Element<'_> {
        self.find(&format!("[data-testid={id}]"))
    }

    /// Waits until nothing matches.
    pub fn gone(&self, selector: &str) {
        wait_for(&format!("{selector} to go"), || {
            self.look(selector).is_none().then_some(())
        });
    }

    /// Waits until a test id's attribute has a value.
    pub fn attribute_is(&self, id: &str, name: &str, value: &str) {
        self.find(&format!("[data-testid={id}][{name}=\"{value}\"]"));
    }

    /// Runs a script in the page; `return` gives a value.
    pub fn script(&self, script: &str) -> Value {
        self.try_command(
            "POST",
            "/execute/sync",
            json!({"script": script, "args": []}),
        )
        .unwrap()
    }

    /// How many pages the driver knows: popups would be more.
    pub fn handles(&self) -> usize {
        let handles = self.try_command("GET", "/window/handles", Value::Null);
        handles.unwrap().as_array().map_or(0, Vec::len)
    }

    /// Everything the page shows as text.
    pub fn text(&self) -> String {
        self.script("return document.body.innerText")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Saves what the window shows, once it shows it: pictures loaded, movements over, painted.
    pub fn screenshot(&self, path: &Path) {
        self.script(
            "return new Promise((done) => {
                const ends = performance.now() + 3000;
                const look = () => {
                    const moves = document.getAnimations().some((a) =>
                        a.playState === 'running' && a.effect?.getComputedTiming().endTime !== Infinity);
                    const loads = [...document.images].some((image) => !image.complete);
                    if ((moves || loads) && performance.now() < ends) setTimeout(look, 20);
                    else requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)));
                };
                look();
            })",
        );
        self.picture(path);
    }

    /// Saves what the window shows at this moment, for states that pass.
    pub fn picture(&self, path: &Path) {
        let picture = self.try_picture().unwrap();
        std::fs::write(path, base64(&picture)).unwrap();
    }

    /// Without a compositor (no graphics card) WebKit gives a picture with the next drawing, and a page that stands still
    /// has none: a pixel nobody sees changes meanwhile.
    fn try_picture(&self) -> Result<String, String> {
        self.try_command(
            "POST",
            "/execute/sync",
            json!({"args": [], "script": "
                const dot = document.createElement('i');
                dot.style.cssText = 'position:fixed;inset:0 auto auto 0;width:1px;height:1px;pointer-events:none';
                document.documentElement.append(dot);
                let on = false;
                const timer = setInterval(() => {
                    on = !on;
                    dot.style.background = on ? 'rgba(0,0,0,0.004)' : 'rgba(0,0,0,0.008)';
                }, 20);
                setTimeout(() => { clearInterval(timer); dot.remove(); }, 1500);"}),
        )?;
        match self.try_command("GET", "/screenshot", Value::Null)? {
            Value::String(picture) => Ok(picture),
            other => Err(format!("no picture: {other}")),
        }
    }

    fn try_command(&self, method: &str, path: &str, body: Value) -> Result<Value, String> {
        let body = (!body.is_null()).then_some(body);
        let answer = self.try_request(method, &format!("/session/{}{path}", self.session), body)?;
        Ok(answer)
    }

    fn request(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.try_request(method, path, body).unwrap()
    }

    fn try_request(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, String> {
        let answer = http(self.port, method, path, body.as_ref()).map_err(|why| why.to_string())?;
        let value = answer.get("value").cloned().unwrap_or_default();
        match value.get("error") {
            Some(error) => Err(format!("{error}: {}", value["message"])),
            None => Ok(value),
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Ok(picture) = self.try_picture()
        {
            let _ = std::fs::write(self.folder.join("failed.png"), base64(&picture));
        }
        // Ending the session would only blank the window: WebKit closes the page, not the program.
        if self.program != 0 && !ended(self.program) {
            let id = self.program.to_string();
            let _ = Command::new("kill").args(["-TERM", &id]).status();
            let patience = Instant::now() + Duration::from_secs(10);
            while !ended(self.program) && Instant::now() < patience {
                std::thread::sleep(LOOK_EVERY);
            }
            if !ended(self.program) {
                let _ = Command::new("kill").args(["-KILL", &id]).status();
            }
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The first process that the driver started.
fn child_of(driver: u32) -> u32 {
    std::fs::read_to_string(format!("/proc/{driver}/task/{driver}/children"))
        .ok()
        .and_then(|text| {
            text.split_whitespace()
                .next()
                .and_then(|id| id.parse().ok())
        })
        .expect("the driver has a child")
}

/// Whether a process is gone, or only waits for the driver to notice.
fn ended(process: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).map_or(true, |stat| {
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('Z'))
    })
}

/// Something in the page.
pub struct Element<'a> {
    window: &'a Window,
    id: String,
}

impl Element<'_> {
    /// Clicks it as a person would: scrolled into view, in the middle. Waits until it can be clicked.
    pub fn click(&self) {
        wait_for("an element to be clickable", || {
            self.command("POST", "click", json!({})).ok()
        });
    }

    /// Types into it.
    pub fn type_text(&self, text: &str) {
        wait_for("an element to take keys", || {
            self.command("POST", "value", json!({"text": text})).ok()
        });
    }

    /// Empties it.
    pub fn clear(&self) {
        self.command("POST", "clear", json!({})).unwrap();
    }

    /// One of its attributes.
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.command("GET", &format!("attribute/{name}"), Value::Null)
            .ok()
            .and_then(|value| value.as_str().map(ToOwned::to_owned))
    }

    fn command(&self, method: &str, what: &str, body: Value) -> Result<Value, String> {
        self.window
            .try_command(method, &format!("/element/{}/{what}", self.id), body)
    }
}

/// Looks until there is an answer.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A port that nobody uses now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// One HTTP/1.1 request with a JSON answer on a connection of its own.
pub fn http(port: u16, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE * 2))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut head =
        format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n");
    if !body.is_empty() || method == "POST" {
        let _ = write!(
            head,
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut length = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
    let mut text = Vec::new();
    match length {
        Some(length) => {
            text.resize(length, 0);
            reader.read_exact(&mut text)?;
        }
        None => {
            reader.read_to_end(&mut text)?;
        }
    }
    Ok(serde_json::from_slice(&text).unwrap_or_default())
}

/// Decodes base64 (RFC 4648 §4); other characters are skipped.
fn base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let (mut bits, mut count, mut out) = (0u32, 0, Vec::with_capacity(text.len() / 4 * 3));
    for value in text.bytes().filter_map(digit) {
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    out
}
