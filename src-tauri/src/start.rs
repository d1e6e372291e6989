//! Starts the client with what the last run left behind, and what the command line and the environment say.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use calls_client::{ClientConfig, Clients, House, NoHouse, SavedSession, ScreenSetup};
use calls_core::command::Command;
use calls_core::id::ServerNumber;
use calls_core::port::Secret;
use calls_core::snapshot::{Account, Levels, ServerStanding, Snapshot, Sound};
use calls_media::AudioHost;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::args::Common;
use crate::desk::Desk;
use crate::logging::Redactor;
use crate::secrets::{SecretStore, SecretsError};
use crate::settings::{Settings, SettingsFile};

mod credentials;
mod keeper;

pub(crate) use credentials::StartError;

use credentials::Credentials;
use keeper::{Keeper, SharePermission};

/// What Mattermost lists under "active sessions". A name beginning with `Mattermost` would make us a mobile client.
const USER_AGENT: &str = concat!("Halloo/", env!("CARGO_PKG_VERSION"));

/// How long the start waits for the key store. Longer and the window would seem not to come; a token that comes
/// later still signs in.
const KEY_STORE_WAIT: std::time::Duration = std::time::Duration::from_millis(1500);

/// A running client and what goes with it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Running {
    handle: Clients,
    redactor: Arc<Redactor>,
    keeper: Option<Arc<Keeper>>,
    metering: Arc<watch::Sender<bool>>,
    /// A page has taken the whole snapshot since the pump last told one.
    whole: Arc<AtomicBool>,
}

impl Running {
    /// Asks for something. What comes of it shows in the snapshot.
    pub(crate) fn dispatch(&self, command: Command) {
        let wish = match &command {
            Command::At { command, .. } => command.as_ref(),
            other => other,
        };
        match wish {
            Command::SignIn { password, code, .. } => {
                self.redactor.hide(password);
                if let Some(code) = code {
                    self.redactor.hide(code);
                }
            }
            Command::SignInWithToken { token } => self.redactor.hide(token),
            Command::WatchLevel { on } => {
                self.metering.send_replace(*on);
            }
            _ => {}
        }
        self.handle.dispatch(command);
    }

    /// The clients themselves.
    #[must_use]
    pub(crate) fn handle(&self) -> &Clients {
        &self.handle
    }

    /// The person's data folder; `None` for a client that remembers nothing.
    #[must_use]
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.keeper.as_ref().map(|keeper| keeper.folder())
    }

    /// The newest part of the log. Every line was cleaned when it was written; secrets that became known since then are
    /// taken out now.
    #[must_use]
    pub(crate) fn log(&self) -> Option<String> {
        let text = crate::logging::newest(self.folder()?)?;
        Some(self.redactor.clean(&text).into_owned())
    }

    /// Everything a view can show.
    #[must_use]
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.handle.snapshot()
    }

    /// Everything, for a page that begins with it: changes are told from the next whole timeline on only, since
    /// nobody knows between which two the page came.
    #[must_use]
    pub(crate) fn begin(&self) -> Arc<Snapshot> {
        self.whole.store(true, Ordering::SeqCst);
        self.handle.snapshot()
    }

    /// Whether a page has begun since this was last asked.
    pub(crate) fn begun(&self) -> bool {
        self.whole.swap(false, Ordering::SeqCst)
    }

    /// Loudness now.
    #[must_use]
    pub(crate) fn levels(&self) -> Levels {
        self.handle.levels()
    }

    /// Whether a level meter is on screen outside a call.
    #[must_use]
    pub(crate) fn metering(&self) -> watch::Receiver<bool> {
        self.metering.subscribe()
    }

    /// Leaves any call, ends the client, and writes what is to be remembered. Two seconds at most, about.
    pub(crate) async fn stop(&self) {
        self.handle.stop().await;
        if let Some(keeper) = &self.keeper {
            keeper.finish().await;
        }
    }
}

/// The client behind a window: remembers, and asks the person for what it lacks.
///
/// # Errors
///
/// When the command line gives half of what a sign-in needs.
pub(crate) async fn with_window(
    common: &Common,
    folder: &Path,
    redactor: Arc<Redactor>,
    audio: Arc<dyn AudioHost>,
) -> Result<(Running, Arc<Desk>), StartError> {
    let given = Credentials::given(common)?;
    let file = SettingsFile::load(folder);
    let dumps = folder.join("sound");
    let settings = file.value().clone();
    let server = common.server.clone().or_else(|| settings.server.clone());
    let store = SecretStore::system();
    // All at once: a key store that asks for its password does so but once.
    let others: Vec<_> = (settings.more.iter().filter_map(|one| one.server.clone()))
        .map(|address| store.token(&address))
        .collect();
    let deadline = Instant::now() + KEY_STORE_WAIT;
    let mut late = Vec::new();
    let session = match (&server, &given) {
        (Some(server), None) => match in_time(deadline, store.token(server)).await {
            Ok(token) => saved(server, settings.login.as_deref(), token),
            Err(Late) => {
                // The store's own patience is longer: the person is typing its password.
                late.push((ServerNumber(0), store.token(server)));
                None
            }
        },
        (Some(server), Some(Credentials::Token(token))) => Some(SavedSession {
            server: server.clone(),
            login: common.user.clone().unwrap_or_default(),
            token: token.clone(),
        }),
        _ => None,
    };
    let mut sessions = vec![session];
    let more = settings.more.iter().filter(|one| one.server.is_some());
    for ((number, one), token) in (1..).map(ServerNumber).zip(more).zip(others) {
        let address = one.server.as_deref().unwrap_or_default();
        sessions.push(match in_time(deadline, token).await {
            Ok(token) => saved(address, one.login.as_deref(), token),
            Err(Late) => {
                late.push((number, store.token(address)));
                None
            }
        });
    }
    for session in sessions.iter().flatten() {
        redactor.hide(session.token.reveal());
    }
    let shown = settings.shown.as_ref().filter(|_| common.server.is_none());
    let shown = shown.and_then(|shown| {
        let at = settings
            .more
            .iter()
            .position(|one| one.server.as_ref() == Some(shown))?;
        u32::try_from(at + 1).ok()
    });
    let keeper = Arc::new(Keeper::new(file, store, Arc::clone(&redactor)));
    let desk = Desk::new();
    keeper.furnish(Arc::clone(&desk));
    let permission = SharePermission::new(settings.share_permission.clone(), Arc::clone(&keeper));
    let mut configs = Vec::with_capacity(sessions.len());
    for (at, session) in sessions.into_iter().enumerate() {
        let mut settings = settings.clone();
        settings.swap(at);
        let server = if at == 0 {
            server.clone()
        } else {
            settings.server.clone()
        };
        configs.push(ClientConfig {
            session,
            server,
            ..config(settings)
        });
    }
    if let Some(first) = configs.first_mut() {
        first.dumps = Some(dumps);
        first.screens.host = calls_media::system_screens(Arc::new(permission));
    }
    let shown = ServerNumber(shown.unwrap_or(0));
    let running = start(configs, shown, audio, Some(Arc::clone(&keeper)), redactor);
    keeper.serve(running.handle.clone());
    desk.serve(running.handle.clone());
    running.handle.zone(crate::desk::zone());
    running.watch_lock();
    for (server, token) in late {
        let running = running.clone();
        tokio::spawn(async move {
            if let Ok(Some(token)) = token.await {
                running.late_token(server, &token);
            }
        });
    }
    if let Some(given) = given {
        running.sign_in(given);
    }
    Ok((running, desk))
}

/// The client without a window: remembers nothing, and opens no channel. `dumps` is where sound files for reports of
/// echo go, if they are wanted.
///
/// # Errors
///
/// When there is nothing to sign in with.
pub(crate) fn without_window(
    common: &Common,
    redactor: Arc<Redactor>,
    audio: Arc<dyn AudioHost>,
    sound: Sound,
    screens: ScreenSetup,
    dumps: Option<PathBuf>,
) -> Result<Running, StartError> {
    let given = Credentials::given(common)?.ok_or(StartError::NothingToSignInWith)?;
    let server = common.server.clone().ok_or(StartError::NoServer)?;
    let session = match &given {
        Credentials::Token(token) => Some(SavedSession {
            server: server.clone(),
            login: common.user.clone().unwrap_or_default(),
            token: token.clone(),
        }),
        Credentials::Password { .. } => None,
    };
    redactor.hide(given.secret());
    let config = ClientConfig {
        user_agent: USER_AGENT.to_owned(),
        session,
        server: Some(server),
        headless: true,
        trusted: crate::settings::trusted(common.profile.as_deref()),
        sound,
        screens,
        dumps,
        ..ClientConfig::default()
    };
    let running = start(vec![config], ServerNumber(0), audio, None, redactor);
    running.sign_in(given);
    Ok(running)
}

fn start(
    configs: Vec<ClientConfig>,
    shown: ServerNumber,
    audio: Arc<dyn AudioHost>,
    keeper: Option<Arc<Keeper>>,
    redactor: Arc<Redactor>,
) -> Running {
    let house: Arc<dyn House> = match &keeper {
        Some(keeper) => Arc::clone(keeper) as Arc<dyn House>,
        None => Arc::new(NoHouse),
    };
    Running {
        handle: Clients::start(configs, shown, audio, house),
        redactor,
        keeper,
        metering: Arc::new(watch::Sender::new(false)),
        whole: Arc::new(AtomicBool::new(true)),
    }
}

/// The key store takes its time.
struct Late;

/// The token, if the key store has one and tells it in time.
async fn in_time(
    deadline: Instant,
    token: impl Future<Output = Result<Option<Secret>, SecretsError>>,
) -> Result<Option<Secret>, Late> {
    match tokio::time::timeout_at(deadline, token).await {
        Ok(token) => Ok(token.unwrap_or_default()),
        Err(_) => Err(Late),
    }
}

impl Running {
    /// Holds what is shared while the machine is locked.
    pub(crate) fn watch_lock(&self) {
        let client = self.handle.clone();
        crate::locked::watch(move |locked| client.dispatch(Command::SetLocked { locked }));
    }

    /// A token that came after its client was started: signs in, unless the person has done so meanwhile.
    fn late_token(&self, server: ServerNumber, token: &Secret) {
        let snapshot = self.snapshot();
        let waits = match snapshot.servers.iter().find(|row| row.number == server) {
            Some(row) => row.standing == ServerStanding::SignedOut,
            None => matches!(snapshot.account, Account::SignedOut { .. }),
        };
        if waits {
            self.dispatch(Command::At {
                server,
                command: Box::new(Command::SignInWithToken {
                    token: token.reveal().to_owned(),
                }),
            });
        }
    }

    /// Signs in with a password as soon as the server has been found; once. A refusal is shown to whoever watches.
    fn sign_in(&self, given: Credentials) {
        let Credentials::Password { login, password } = given else {
            return;
        };
        let running = self.clone();
        tokio::spawn(async move {
            let mut snapshots = running.handle.watch();
            let ready = snapshots
                .wait_for(|snapshot| {
                    matches!(
                        snapshot.account,
                        Account::SignedOut { .. } | Account::SignedIn { .. }
                    )
                })
                .await
                .is_ok_and(|snapshot| matches!(snapshot.account, Account::SignedOut { .. }));
            if ready {
                running.dispatch(Command::SignIn {
                    login,
                    password: password.reveal().to_owned(),
                    code: None,
                });
            }
        });
    }
}

fn config(settings: Settings) -> ClientConfig {
    ClientConfig {
        user_agent: USER_AGENT.to_owned(),
        trusted: settings.trust(),
        place: settings.place,
        input: settings.input,
        output: settings.output,
        drafts: settings.drafts,
        volumes: settings.volumes,
        appearance: settings.appearance,
        calls: settings.calls,
        device_names: settings.device_names,
        alerts: settings.alerts,
        sound: settings.sound,
        ..ClientConfig::default()
    }
}

fn saved(server: &str, login: Option<&str>, token: Option<Secret>) -> Option<SavedSession> {
    Some(SavedSession {
        server: server.to_owned(),
        login: login.unwrap_or_default().to_owned(),
        token: token?,
    })
}
