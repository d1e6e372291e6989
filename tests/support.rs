//! A world to test in: the development server in this process, and clients with fake devices.
//!
//! Nothing sleeps blindly: everything waits for a snapshot or an event that must come, within [`LIMIT`].
// Each scenario is a crate of its own, and uses its part of this.
#![allow(dead_code, unreachable_pub)]

use std::sync::Arc;
use std::time::Duration;

use calls_client::{
    Client, ClientConfig, ClientEvent, ClientHandle, NullShell, SavedSession, Shell,
};
use calls_core::command::Command;
use calls_core::id::{ChannelId, SessionId};
use calls_core::snapshot::{Account, CallPhase, ChannelRow, Microphone, Snapshot};
use calls_devserver::{Config, DevServer, Switches};
use calls_media::FakeHost;
use calls_media::device::signal::Signal;
use tokio::sync::broadcast;
use tokio::time::timeout;

/// The password of every seeded account.
pub const PASSWORD: &str = "Halloo-dev-1";

/// Nothing waited for takes so long, even on two busy cores; a loss must not hang the tests.
pub const LIMIT: Duration = Duration::from_secs(45);

/// A server with its world.
pub struct World {
    pub server: DevServer,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with some switches set.
    pub async fn with(change: impl FnOnce(&mut Switches)) -> Self {
        let mut config = Config::default();
        change(&mut config.switches);
        Self::start(config).await
    }

    pub async fn start(config: Config) -> Self {
        let server = DevServer::start(config).await.expect("free ports");
        Self { server }
    }

    /// Somebody signed in, with the given sound at the microphone.
    pub async fn person(&self, name: &str, signal: Signal) -> Person {
        let mut person = self.stranger(FakeHost::with_signal(signal)).await;
        person.sign_in(name, PASSWORD).await;
        person
    }

    /// Somebody before the sign-in form.
    pub async fn stranger(&self, host: FakeHost) -> Person {
        let mut person = Person::start(Some(self.server.url()), None, host, Arc::new(NullShell));
        person
            .until("the sign-in form", |now| {
                matches!(now.account, Account::SignedOut { .. })
            })
            .await;
        person
    }

    /// Ends everything; what is still open on the server afterwards would be a leak.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// A tone of half amplitude.
pub fn tone(hz: f32) -> Signal {
    Signal::Tone { hz, amplitude: 0.5 }
}

/// Somebody who talks: bursts of a tone with pauses between, as the server's voice detection needs them. It learns from
/// changes of level, and takes a constant tone for noise (calls-v1-signaling §10, trap 21).
pub fn talk(hz: f32) -> Signal {
    let samples = (0..48_000)
        .map(|n| {
            let on = (n / 14_400) % 2 == 0;
            let phase = n as f32 / 48_000.0 * hz * std::f32::consts::TAU;
            if on { 0.5 * phase.sin() } else { 0.0 }
        })
        .collect();
    Signal::Clip {
        samples,
        repeat: true,
    }
}

/// A client, its devices, and what it told.
pub struct Person {
    pub client: ClientHandle,
    pub host: FakeHost,
    pub events: broadcast::Receiver<ClientEvent>,
}

impl Person {
    pub fn start(
        server: Option<&str>,
        session: Option<SavedSession>,
        host: FakeHost,
        shell: Arc<dyn Shell>,
    ) -> Self {
        let config = ClientConfig {
            user_agent: "Halloo-Test/1 Mattermost/6.4.0".to_owned(),
            server: server.map(str::to_owned),
            session,
            ..ClientConfig::default()
        };
        let client = Client::start(config, Arc::new(host.clone()), shell);
        let events = client.events();
        Self {
            client,
            host,
            events,
        }
    }

    pub async fn sign_in(&mut self, login: &str, password: &str) {
        self.does(Command::SignIn {
            login: login.to_owned(),
            password: password.to_owned(),
            code: None,
        });
        self.until("the channels", |now| {
            matches!(now.account, Account::SignedIn { .. }) && now.directory.calls_available
        })
        .await;
    }

    pub fn does(&self, command: Command) {
        self.client.dispatch(command);
    }

    pub fn now(&self) -> Arc<Snapshot> {
        self.client.snapshot()
    }

    /// Waits until the snapshot is so.
    pub async fn until(&mut self, what: &str, so: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let mut watch = self.client.watch();
        let waiting = watch.wait_for(|now| so(now));
        match timeout(LIMIT, waiting).await {
            Ok(Ok(now)) => now.clone(),
            Ok(Err(_)) => panic!("the client stopped while waiting for {what}"),
            Err(_) => {
                let now = self.client.snapshot();
                panic!(
                    "waited in vain for {what}; account {:?}, link {:?}, call {:?}, notices {:?}",
                    now.account, now.link, now.call, now.notices
                )
            }
        }
    }

    /// Waits for an event and returns what was picked from it.
    pub async fn event<T>(&mut self, what: &str, pick: impl Fn(&ClientEvent) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let event = self.events.recv().await.expect("the client stopped");
                if let Some(picked) = pick(&event) {
                    return picked;
                }
            }
        };
        match timeout(LIMIT, waiting).await {
            Ok(picked) => picked,
            Err(_) => panic!("waited in vain for {what}: {:?}", self.now().call),
        }
    }

    /// A channel by its name on screen.
    pub fn channel(&self, name: &str) -> ChannelRow {
        let now = self.now();
        now.directory
            .channels
            .iter()
            .find(|row| row.name == name)
            .unwrap_or_else(|| {
                let names: Vec<_> = now.directory.channels.iter().map(|row| &row.name).collect();
                panic!("no channel {name} among {names:?}")
            })
            .clone()
    }

    /// Joins and waits until it is live.
    pub async fn join(&mut self, channel: &str) -> SessionId {
        let id = self.channel(channel).id;
        self.join_id(&id).await
    }

    pub async fn join_id(&mut self, channel: &ChannelId) -> SessionId {
        self.does(Command::JoinCall {
            channel: channel.clone(),
            title: None,
            switch: false,
        });
        let now = self
            .until("a live call", |now| now.call.phase == CallPhase::Live)
            .await;
        now.call.session.clone().expect("a live call has a session")
    }

    /// Opens the microphone and waits until it is really open.
    pub async fn unmute(&mut self) {
        self.does(Command::SetMuted { muted: false });
        self.until("an open microphone", |now| {
            now.call.microphone == Microphone::Open
        })
        .await;
    }

    pub async fn leave(&mut self) {
        self.does(Command::LeaveCall);
        self.until("the end of the call", |now| {
            now.call.phase == CallPhase::Idle
        })
        .await;
    }

    /// Waits until somebody's sound is heard for the first time.
    pub async fn hears(&mut self, session: &SessionId) -> Duration {
        self.event("the first sound", |event| match event {
            ClientEvent::FirstAudio {
                session: whose,
                after,
            } if whose == session => Some(*after),
            _ => None,
        })
        .await
    }

    /// What the loudspeaker played, so far.
    pub fn heard(&self) -> Vec<f32> {
        self.host.recording("speaker")
    }

    /// What the loudspeaker plays from now on for so long (sound takes its time: this is listening, not waiting).
    pub async fn listen(&self, time: Duration) -> Vec<f32> {
        let before = self.heard().len();
        tokio::time::sleep(time).await;
        self.heard().split_off(before)
    }

    pub async fn stop(self) {
        timeout(LIMIT, self.client.stop())
            .await
            .expect("the client stops");
    }
}

/// Level of a piece of sound, root mean square.
pub fn rms(pcm: &[f32]) -> f64 {
    let energy: f64 = pcm.iter().map(|sample| f64::from(sample * sample)).sum();
    (energy / pcm.len().max(1) as f64).sqrt()
}
