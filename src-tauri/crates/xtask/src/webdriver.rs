//! The few WebDriver calls that a demonstration needs, spoken to WebKitWebDriver over plain HTTP
//! (W3C WebDriver, 2018).

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::child::Running;
use crate::error::TaskError;
use crate::http;
use crate::place::Place;
use crate::rig::Rig;
use crate::run;

/// The key under which WebDriver names an element (W3C WebDriver §11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How often something awaited is looked for.
const POLL: Duration = Duration::from_millis(100);

/// A driver with one session: one real window of the app.
#[derive(Debug)]
pub(crate) struct Window {
    port: u16,
    session: String,
    _driver: Running,
}

impl Window {
    /// Starts the driver in the rig and lets it open `program`.
    ///
    /// # Errors
    /// When the driver does not come up within 20 s or the app does not open a window.
    pub(crate) fn open(
        place: &Place,
        rig: &Rig,
        program: &Path,
        words: &[String],
        env: &[(&str, &str)],
    ) -> Result<Self, TaskError> {
        let port = free_port()?;
        let mut driver = run::command("WebKitWebDriver", &place.root);
        rig.dress(&mut driver)
            .args(["--host=127.0.0.1", &format!("--port={port}")]);
        // The app inherits the driver's environment; this variable makes wry accept automation.
        driver
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .envs(env.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        let driver = Running::start(&mut driver)?;
        let from = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if from.elapsed() > Duration::from_secs(20) {
                return Err(TaskError::Late {
                    what: "WebKitWebDriver".to_owned(),
                    seconds: 20,
                });
            }
            std::thread::sleep(POLL);
        }
        let wanted = json!({"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": {"binary": program, "args": words}}}});
        let mut window = Self {
            port,
            session: String::new(),
            _driver: driver,
        };
        let answer = window.ask("POST", "/session", &wanted)?;
        window.session = answer["sessionId"].as_str().unwrap_or_default().to_owned();
        if window.session.is_empty() {
            return Err(TaskError::Unexpected(format!("no window: {answer}")));
        }
        Ok(window)
    }

    /// Waits for an element and gives back its id.
    ///
    /// # Errors
    /// [`TaskError::Late`] when it is not there within `seconds`.
    pub(crate) fn find(&self, css: &str, seconds: u64) -> Result<String, TaskError> {
        let from = Instant::now();
        loop {
            let found = self.ask(
                "POST",
                &self.path("/element"),
                &json!({"using": "css selector", "value": css}),
            );
            if let Some(id) = found
                .as_ref()
                .ok()
                .and_then(|found| found[ELEMENT].as_str())
            {
                return Ok(id.to_owned());
            }
            if from.elapsed() > Duration::from_secs(seconds) {
                return Err(TaskError::Late {
                    what: format!("{css} in the window"),
                    seconds,
                });
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits for an element and clicks it.
    ///
    /// # Errors
    /// As [`Window::find`], or when it cannot be clicked.
    pub(crate) fn click(&self, css: &str, seconds: u64) -> Result<(), TaskError> {
        let id = self.find(css, seconds)?;
        self.ask(
            "POST",
            &self.path(&format!("/element/{id}/click")),
            &json!({}),
        )
        .map(drop)
    }

    /// Writes a picture of the window as PNG.
    ///
    /// # Errors
    /// When the driver gives none or the file cannot be written.
    pub(crate) fn picture(&self, path: &Path) -> Result<(), TaskError> {
        let answer = self.ask("GET", &self.path("/screenshot"), &Value::Null)?;
        let png = base64(answer.as_str().unwrap_or_default());
        std::fs::write(path, png).map_err(TaskError::file(path))
    }

    fn path(&self, rest: &str) -> String {
        format!("/session/{}{rest}", self.session)
    }

    /// One request; gives back `value` of the answer.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, TaskError> {
        let value = http::ask(self.port, method, path, body)?["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(TaskError::Unexpected(format!(
                "{error}: {}",
                value["message"]
            ))),
            None => Ok(value),
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // Lets the app close in order; the driver and what it started are stopped after that in any case.
        let _ = self.ask("DELETE", &self.path(""), &Value::Null);
    }
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16, TaskError> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener
        .map(|address| address.port())
        .map_err(|source| TaskError::Start {
            program: "a local port".to_owned(),
            source,
        })
}

/// Decodes base64 (RFC 4648 §4); what is no digit of it is passed over.
fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0);
    for c in text.bytes() {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_every_length_is_decoded() {
        for (text, plain) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9v\nYmFy", "foobar"),
        ] {
            assert_eq!(base64(text), plain.as_bytes());
        }
    }
}
