//! A complete client without a window.
//!
//! [`Client::start`] wires three things together and returns a [`ClientHandle`]: the pure machine of `calls-core`,
//! the voice engine of `calls-media`, and the network of `calls-net`. One task, the conductor, owns the machine and
//! is its only caller: it waits for an input or a deadline, hands it over, performs every effect without waiting for
//! it (answers come back as inputs) and publishes what has changed. It decides nothing.
//!
//! Everything at the edge can be replaced: sound by an [`calls_media::AudioHost`], memory by a [`Shell`], the
//! network by a [`Net`].
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod clients;
mod conductor;
mod handle;
mod net;
mod perform;
mod shell;
mod studio;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use calls_core::id::{ChannelId, DeviceId, UserId};
use calls_core::input::Memory;
use calls_core::port::Fingerprint;
use calls_core::preferences::Appearance;
use calls_core::snapshot::Sound;
use calls_media::{AudioHost, Limits, NoScreens, ScreenHost};

pub use calls_core::effect::ClientEvent;
pub use calls_core::input::Attach;
pub use clients::{Clients, House, NoHouse};
pub use handle::{ClientHandle, Patches, Update};
pub use net::{Image, Line, Net, Progress, SocketSink};
pub use shell::{AlertWish, NullShell, Remember, SavedSession, Shell};

/// How a client starts: what the last run left behind, and who we say we are.
#[derive(Clone, Debug, Default)]
pub struct ClientConfig {
    /// What Mattermost keeps with the session; must not begin with `Mattermost` (that makes it a mobile client).
    pub user_agent: String,
    /// The session, if the key store has one.
    pub session: Option<SavedSession>,
    /// The server last used, or named on the command line.
    pub server: Option<String>,
    /// Certificates that the person trusts, by host.
    pub trusted: BTreeMap<String, Fingerprint>,
    /// The channel that was open last; `None` opens the first one.
    pub place: Option<ChannelId>,
    /// No channel is opened by itself (and none marked as read): for clients without a window.
    pub headless: bool,
    /// Chosen microphone; `None` follows the system.
    pub input: Option<DeviceId>,
    /// Chosen loudspeaker; `None` follows the system.
    pub output: Option<DeviceId>,
    /// What the chosen devices call themselves.
    pub device_names: BTreeMap<calls_core::command::DeviceRole, String>,
    /// What is done to the sound.
    pub sound: Sound,
    /// Where the three sound files of `DumpSound` go; `None`: nowhere.
    pub dumps: Option<PathBuf>,
    /// Text typed but not sent.
    pub drafts: BTreeMap<ChannelId, String>,
    /// How loud we hear people, per cent, where it is not 100.
    pub volumes: BTreeMap<UserId, u16>,
    /// How the interface looks.
    pub appearance: Appearance,
    /// How our own calls behave.
    pub calls: calls_core::preferences::CallPreferences,
    /// How the person wants to be called.
    pub alerts: calls_core::alert::AlertSettings,
    /// Screens: ours, and others'.
    pub screens: ScreenSetup,
}

/// How screens are shared and watched. The default knows no screen but the test pattern.
#[derive(Clone)]
pub struct ScreenSetup {
    /// Where screens and windows come from.
    pub host: Arc<dyn ScreenHost>,
    /// Other limits for what we send than the server expects.
    pub limits: Limits,
    /// Where watched screens are stored, if they are.
    pub save: Option<PathBuf>,
}

impl Default for ScreenSetup {
    fn default() -> Self {
        Self {
            host: Arc::new(NoScreens),
            limits: Limits::default(),
            save: None,
        }
    }
}

impl std::fmt::Debug for ScreenSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScreenSetup")
            .field("limits", &self.limits)
            .field("save", &self.save)
            .finish_non_exhaustive()
    }
}

impl ClientConfig {
    fn memory(self) -> Memory {
        Memory {
            session: self.session,
            server: self.server,
            place: self.place,
            headless: self.headless,
            input: self.input,
            output: self.output,
            device_names: self.device_names,
            drafts: self.drafts,
            volumes: self.volumes,
            appearance: self.appearance,
            calls: self.calls,
            alerts: self.alerts,
            sound: self.sound,
        }
    }
}

/// Starts clients.
#[derive(Clone, Copy, Debug)]
pub struct Client;

impl Client {
    /// Starts a client on the current tokio runtime.
    pub fn start(
        config: ClientConfig,
        audio: Arc<dyn AudioHost>,
        shell: Arc<dyn Shell>,
    ) -> ClientHandle {
        let net = Arc::new(net::RealNet::new(
            &config.user_agent,
            config.trusted.clone(),
        ));
        Self::start_with(config, audio, shell, net)
    }

    /// Starts a client on another network: for tests.
    pub fn start_with(
        config: ClientConfig,
        audio: Arc<dyn AudioHost>,
        shell: Arc<dyn Shell>,
        net: Arc<dyn Net>,
    ) -> ClientHandle {
        let studio = Arc::new(studio::Studio::open(&config, audio));
        conductor::start(config, &studio, shell, net)
    }
}
