//! Who takes part: the development server, the window, and others without one.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::api::Api;
use crate::driver::{Window, http, wait_for};

/// The program under test.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_halloo"))
}

/// The virtual sound devices are the machine's defaults, and two cores carry one window: one test at a time.
pub fn alone() -> MutexGuard<'static, ()> {
    static STAGE: Mutex<()> = Mutex::new(());
    STAGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where screenshots, recordings and logs stay after the test: `target/e2e/<name>`, emptied first.
pub fn folder(name: &str) -> PathBuf {
    let all = std::env::var_os("HALLOO_E2E_OUT").map_or_else(
        || {
            program()
                .parent()
                .and_then(Path::parent)
                .unwrap()
                .join("e2e")
        },
        PathBuf::from,
    );
    let folder = all.join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A development server of its own for each test.
pub struct Server {
    child: Child,
    /// Its address.
    pub url: String,
    port: u16,
    /// The name of a public channel without a call.
    pub team: String,
    /// Password of every account.
    pub password: String,
}

impl Server {
    /// Starts it, on free ports.
    pub fn start(folder: &Path) -> Self {
        Self::with_world("small", folder)
    }

    /// Starts it with one of its worlds.
    pub fn with_world(seed: &str, folder: &Path) -> Self {
        let program = std::env::var_os("HALLOO_DEVSERVER").map_or_else(
            || program().with_file_name("calls-devserver"),
            PathBuf::from,
        );
        let log = std::fs::File::create(folder.join("server.log")).unwrap();
        let mut child = Command::new(&program)
            .args([
                "--listen",
                "127.0.0.1:0",
                "--media-port",
                "0",
                "--seed",
                seed,
                "--json",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|why| panic!("{}: {why}", program.display()));
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value =
            serde_json::from_str(&line).unwrap_or_else(|why| panic!("{line:?}: {why}"));
        let url = ready["url"].as_str().unwrap().to_owned();
        let port = url
            .rsplit(':')
            .next()
            .unwrap()
            .trim_end_matches('/')
            .parse()
            .unwrap();
        Self {
            child,
            port,
            team: ready["team"].as_str().unwrap().to_owned(),
            password: ready["accounts"][0]["password"]
                .as_str()
                .unwrap()
                .to_owned(),
            url,
        }
    }

    /// Switches something as its administrator would, or as bad luck would.
    pub fn switch(&self, change: &Value) {
        http(self.port, "PATCH", "/dev/config", Some(change)).unwrap();
    }

    /// Breaks something.
    pub fn fault(&self, fault: &Value) {
        http(self.port, "POST", "/dev/faults", Some(fault)).unwrap();
    }

    /// Speaks to it as one of its people would, without a program of ours.
    pub fn api(&self, user: &str) -> Api {
        Api::sign_in(self.port, user, &self.password)
    }

    /// An address at which nobody listens.
    pub fn nowhere() -> String {
        format!("http://127.0.0.1:{}", crate::driver::free_port())
    }

    /// Opens the window at its very first start.
    pub fn window(&self, folder: &Path) -> Window {
        let profile = folder.join("profile");
        let profile = profile.to_str().unwrap();
        Window::open(
            program(),
            &["--profile", profile],
            &[],
            &folder.join("window.log"),
        )
    }

    /// Opens the window signed in, as scripts do.
    pub fn window_as(&self, user: &str, folder: &Path) -> Window {
        self.window_told(user, folder, &[])
    }

    /// The same with more in its environment.
    pub fn window_told(&self, user: &str, folder: &Path, more: &[(&str, &str)]) -> Window {
        let profile = folder.join("profile");
        let arguments = [
            "--profile",
            profile.to_str().unwrap(),
            "--server",
            &self.url,
            "--user",
            user,
        ];
        let secret = [("HALLOO_PASSWORD", self.password.as_str())];
        let environment = [&secret, more].concat();
        Window::open(
            program(),
            &arguments,
            &environment,
            &folder.join("window.log"),
        )
    }

    /// Somebody in a call without a window.
    pub fn caller(&self, user: &str, arguments: &[&str]) -> Caller {
        self.caller_in(user, arguments, [])
    }

    /// The same on another desktop.
    pub fn caller_in(
        &self,
        user: &str,
        arguments: &[&str],
        environment: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Caller {
        let mut child = Command::new(program())
            .args([
                "call", "--json", "--server", &self.url, "--user", user, "--team", &self.team,
            ])
            .args(arguments)
            .env("HALLOO_PASSWORD", &self.password)
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let output = child.stdout.take().unwrap();
        let list = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line)
                    .unwrap_or_else(|why| json!({"bad": line, "why": why.to_string()}));
                list.lock().unwrap().push(line);
            }
        });
        Caller { child, said }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}

/// Somebody in a call without a window.
pub struct Caller {
    child: Child,
    said: Arc<Mutex<Vec<Value>>>,
}

impl Caller {
    /// Waits for an event of this kind.
    pub fn wait_for(&self, event: &str) -> Value {
        wait_for(event, || {
            self.said().into_iter().find(|line| line["event"] == event)
        })
    }

    /// Everything said so far.
    pub fn said(&self) -> Vec<Value> {
        self.said.lock().unwrap().clone()
    }

    /// Asks it to leave, waits, and gives its exit code.
    pub fn leave(mut self) -> i32 {
        let _ = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for line in self.said() {
                println!("caller: {line}");
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
