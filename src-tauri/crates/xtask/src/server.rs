//! The development server and headless clients, as programs beside a chore.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::child::Running;
use crate::error::TaskError;
use crate::http;
use crate::place::Place;
use crate::run;

/// A development server that is ready.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its address, `http://127.0.0.1:…`.
    pub(crate) url: String,
    /// The name of the seeded team.
    pub(crate) team: String,
    told: Value,
    _program: Talking,
}

impl Server {
    /// Starts it on any free ports and waits for the line that says so.
    ///
    /// # Errors
    /// When it is not ready within 20 s.
    pub(crate) fn start(place: &Place) -> Result<Self, TaskError> {
        let mut command = run::command(place.program("calls-devserver"), &place.root);
        command.args([
            "--listen",
            "127.0.0.1:0",
            "--media-port",
            "0",
            "--seed",
            "small",
            "--json",
        ]);
        let program = Talking::start(&mut command)?;
        let told = program.next("the development server", Duration::from_secs(20), |line| {
            line["url"].is_string()
        })?;
        let text = |key: &str| told[key].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            url: text("url"),
            team: text("team"),
            told,
            _program: program,
        })
    }

    /// Packets that its SFU took in and gave out since it started.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn packets(&self) -> Result<(u64, u64), TaskError> {
        let port = self
            .url
            .rsplit(':')
            .next()
            .and_then(|port| port.trim_end_matches('/').parse().ok());
        let port = port.ok_or_else(|| TaskError::Unexpected(format!("no port in {}", self.url)))?;
        let told = http::ask(port, "GET", "/dev/stats", &Value::Null)?;
        let count = |key: &str| told["sfu"][key].as_u64().unwrap_or(0);
        Ok((count("packets_in"), count("packets_out")))
    }

    /// The password of a seeded account.
    ///
    /// # Errors
    /// When there is no such account.
    pub(crate) fn password(&self, name: &str) -> Result<&str, TaskError> {
        let mut accounts = self.told["accounts"].as_array().into_iter().flatten();
        accounts
            .find(|account| account["username"] == name)
            .and_then(|account| account["password"].as_str())
            .ok_or_else(|| {
                TaskError::Unexpected(format!("the development server has no account {name}"))
            })
    }
}

/// A program that prints one JSON object a line.
#[derive(Debug)]
pub(crate) struct Talking {
    _program: Running,
    lines: Receiver<Value>,
}

impl Talking {
    /// Starts a program and listens to it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(command: &mut std::process::Command) -> Result<Self, TaskError> {
        let mut program = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::inherit()))?;
        let stdout = program.stdout();
        // 4096 lines are over an hour of a client's statistics; beyond that the program waits for us.
        let (tell, lines) = sync_channel(4096);
        std::thread::spawn(move || {
            for line in stdout
                .into_iter()
                .flat_map(|pipe| BufReader::new(pipe).lines())
                .map_while(Result::ok)
            {
                // Lines that are no JSON are for people.
                if let Ok(value) = serde_json::from_str(&line)
                    && tell.send(value).is_err()
                {
                    break;
                }
            }
        });
        Ok(Self {
            _program: program,
            lines,
        })
    }

    /// The next line that is `wanted`; others are passed over.
    ///
    /// # Errors
    /// When it does not come within `limit`, or the program ends first.
    pub(crate) fn next(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value, TaskError> {
        let until = Instant::now() + limit;
        loop {
            match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(line) if wanted(&line) => return Ok(line),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(TaskError::Late {
                        what: what.to_owned(),
                        seconds: limit.as_secs(),
                    });
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(TaskError::Unexpected(format!(
                        "{what}: the program ended before"
                    )));
                }
            }
        }
    }

    /// Everything printed since the last look.
    pub(crate) fn said(&self) -> Vec<Value> {
        self.lines.try_iter().collect()
    }
}
