//! A development server that a Mattermost client with Calls can work against: the REST subset, the
//! WebSocket hub, the Calls plugin and an SFU, with everything in memory.
//!
//! It is written from the protocol documents, on purpose without the client's wire types, so that
//! client and server cannot agree on a mistake; and its media side is another WebRTC stack than the
//! client's.
//!
//! **Shape.** All state is one `World` behind one lock. A request or a socket message takes the lock,
//! decides, queues the resulting events, and lets go; nothing waits inside. Around it are dull tasks: one
//! per socket, one for the timers, one for what the SFU reports, and the SFU itself.
//!
//! **Faults** (`/dev/faults`) are part of the design: whatever a network, a proxy or a real server does
//! to a client at the worst moment can be done to it here, on demand. See [`Fault`].
//!
//! **What it refuses to be**: safe. Passwords are printed, the development routes need no login. It
//! belongs on a loopback address.
#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::app::App;
use crate::clock::Timer;
use crate::sfu::{Sfu, SfuConfig, SfuEvent};
use crate::world::{World, seed};

mod app;
mod calls;
mod clock;
mod config;
mod fault;
mod id;
mod rest;
pub mod sfu;
mod socket;
mod world;

pub use config::{Config, Recorder, Seed, Switches, Timings};
pub use fault::{Fault, FaultError};

/// What the SFU may report before somebody looks. A full queue loses reports; the SFU counts them.
const SFU_EVENTS: usize = 1024;
/// How long the end may take: sockets and requests that do not go by then are dropped.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The HTTP port could not be opened: take another one.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address that was wanted.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The media port could not be opened: take another one.
    #[error(transparent)]
    Sfu(#[from] sfu::SfuError),
}

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Account {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

/// A running server.
#[derive(Debug)]
pub struct DevServer {
    app: Arc<App>,
    url: String,
    media_port: u16,
    accounts: Vec<Account>,
    tasks: Vec<JoinHandle<()>>,
}

impl DevServer {
    /// Starts a server; it is ready when this returns.
    ///
    /// # Errors
    /// [`StartError`] when a port is taken; port 0 in the configuration takes any free one.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let addr = config.listen;
        let listen = |source| StartError::Listen { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(listen)?;
        let local = listener.local_addr().map_err(listen)?;
        let (events, reports) = mpsc::channel(SFU_EVENTS);
        let media = SfuConfig {
            bind: SocketAddr::new(addr.ip(), config.media_port),
            announce: config.media_announce,
            simulcast: config.switches.simulcast,
        };
        let sfu = match config.foreign_sfu {
            Some(addr) => Sfu::connect(addr, events.clone()).await?,
            None => Sfu::start(media, events.clone()).await?,
        };
        let media_port = sfu.local_addr().port();
        let url = format!("http://{local}");
        let wake = Arc::new(Notify::new());
        let mut world = World::new(&config, sfu, url.clone(), wake.clone());
        world
            .timers
            .after(config.timings.session_check, Timer::SessionCheck);
        world.timers.after(config.timings.reap, Timer::Reap);
        let accounts = seed::accounts(&world)
            .into_iter()
            .map(|(username, password)| Account { username, password })
            .collect();
        let app = Arc::new(App::new(world, wake, events));
        let tasks = vec![
            tokio::spawn(serve(app.clone(), listener)),
            tokio::spawn(run_timers(app.clone())),
            tokio::spawn(run_reports(app.clone(), reports)),
        ];
        tracing::info!(%url, media_port, "development server is ready");
        Ok(Self {
            app,
            url,
            media_port,
            accounts,
            tasks,
        })
    }

    /// `http://address:port`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The UDP and ICE-TCP port of the SFU.
    pub fn media_port(&self) -> u16 {
        self.media_port
    }

    /// Who can sign in; the friendliest first, administrator and the one with a second factor last.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The name of the seeded team.
    pub fn team(&self) -> &'static str {
        seed::TEAM
    }

    /// The name of the channel to try first.
    pub fn channel(&self) -> &'static str {
        seed::CHANNEL
    }

    /// The code that signs the account `mfa` in.
    pub fn mfa_code(&self) -> &'static str {
        seed::MFA_CODE
    }

    /// The line that `calls-devserver --json` prints.
    pub fn announcement(&self) -> Value {
        json!({
            "url": self.url, "media_port": self.media_port, "team": self.team(),
            "channel": self.channel(), "accounts": self.accounts,
        })
    }

    /// What the server holds, as `GET /dev/stats` without the SFU's counters.
    pub fn stats(&self) -> Value {
        let mut value = self.app.lock().stats();
        value["sockets"] = self.app.sockets.count().into();
        value
    }

    /// The SFU's counters.
    pub async fn media_stats(&self) -> sfu::SfuStats {
        let sfu = self.app.lock().sfu.clone();
        sfu.stats().await
    }

    /// Makes a fault happen.
    ///
    /// # Errors
    /// [`FaultError`] when it names somebody who is not there.
    pub async fn fault(&self, fault: Fault) -> Result<(), FaultError> {
        fault::apply(&self.app, fault).await
    }

    /// Changes switches in the running server. (A changed `simulcast` takes effect with the next SFU:
    /// use [`Fault::RestartSfu`].)
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.app.lock().switches);
    }

    /// Stops everything and waits for it: sockets get a close frame, ports are free afterwards.
    pub async fn stop(self) {
        self.app.closing.send_replace(true);
        let deadline = Instant::now() + PATIENCE;
        for mut task in self.tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
            }
        }
        let sfu = self.app.lock().sfu.clone();
        if tokio::time::timeout(PATIENCE, sfu.stop()).await.is_err() {
            tracing::error!("the SFU did not stop");
        }
    }
}

/// HTTP, until the server stops. Open sockets end by themselves then.
async fn serve(app: Arc<App>, listener: TcpListener) {
    use axum::serve::ListenerExt as _;
    let closing = app.clone();
    let listener = listener.tap_io(|stream| {
        // Small frames must not wait for each other; without the option it only gets slower.
        let _ = stream.set_nodelay(true);
    });
    let router = rest::router(app.clone());
    let end = async move { closing.stopped().await };
    let serving = axum::serve(listener, router).with_graceful_shutdown(end);
    if let Err(error) = serving.await {
        tracing::error!(%error, "HTTP server ended");
    }
}

/// Waits for the next timer, until the server stops.
async fn run_timers(app: Arc<App>) {
    let stopped = app.stopped();
    tokio::pin!(stopped);
    loop {
        let next = {
            let mut world = app.lock();
            while let Some(timer) = world.timers.pop_due(Instant::now()) {
                world.fire(timer);
            }
            world.timers.next()
        };
        let due = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = app.timers.notified() => {}
            () = &mut stopped => return,
        }
    }
}

/// Takes in what the SFU reports, until the server stops.
async fn run_reports(app: Arc<App>, mut reports: mpsc::Receiver<SfuEvent>) {
    let stopped = app.stopped();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            event = reports.recv() => match event {
                Some(event) => app.lock().sfu_event(event),
                None => return,
            },
            () = &mut stopped => return,
        }
    }
}
