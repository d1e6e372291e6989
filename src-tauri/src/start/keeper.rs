//! Keeps what the client wants remembered: settings in the file, the session in the key store. The conductor only
//! leaves a note; a thread of its own writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use calls_client::{AlertWish, Clients, House, Remember, SavedSession};
use calls_core::command::DeviceRole;
use calls_core::id::ServerNumber;
use calls_core::port::BoxFuture;

use crate::desk::Desk;
use crate::logging::{self, Redactor};
use crate::secrets::SecretStore;
use crate::settings::{ServerSettings, Settings, SettingsFile};

/// Notes that wait for the disk. They come at a person's speed, so a full queue means that the disk hangs: then the
/// newest are lost, and that is logged.
const QUEUE: usize = 1024;

/// How long the program waits at its end for a key store that is erasing a token. One that is open needs milliseconds; one that
/// asks for its password does not get it from somebody who is leaving.
const ERASING: Duration = Duration::from_secs(2);

/// Full volume, which need not be remembered.
const PLAIN_VOLUME: u16 = 100;

/// Something to be written.
enum Note {
    Remember(ServerNumber, Remember),
    /// The windows show it.
    Shows(ServerNumber),
    /// Nothing of it is kept any more.
    Forget(ServerNumber),
}

/// The [`House`] of a window.
pub(crate) struct Keeper {
    notes: Mutex<Option<SyncSender<Note>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    store: SecretStore,
    redactor: Arc<Redactor>,
    runtime: tokio::runtime::Handle,
    clients: OnceLock<Clients>,
    desk: OnceLock<Arc<Desk>>,
    /// For which address a server's token is kept, so that it can be forgotten.
    addresses: Mutex<BTreeMap<ServerNumber, String>>,
    /// Tokens that the key store is erasing; a person signs out a few times in a run.
    erasing: Mutex<Vec<tokio::task::JoinHandle<()>>>,
    /// Where the log is.
    folder: PathBuf,
}

impl Keeper {
    /// Must be made on the runtime that the client runs on.
    pub(crate) fn new(file: SettingsFile, store: SecretStore, redactor: Arc<Redactor>) -> Self {
        let value = file.value();
        let more = value.more.iter().map(|one| one.server.clone());
        let addresses = (0..)
            .map(ServerNumber)
            .zip(std::iter::once(value.server.clone()).chain(more))
            .filter_map(|(number, address)| Some((number, address?)));
        let addresses = addresses.collect();
        let folder = file.folder().to_owned();
        let (notes, inbox) = sync_channel(QUEUE);
        let writer = std::thread::Builder::new()
            .name("settings".to_owned())
            .spawn(move || write(file, &inbox))
            .inspect_err(|why| tracing::error!(%why, "no thread for the settings"))
            .ok();
        Self {
            notes: Mutex::new(Some(notes)),
            writer: Mutex::new(writer),
            store,
            redactor,
            runtime: tokio::runtime::Handle::current(),
            clients: OnceLock::new(),
            desk: OnceLock::new(),
            addresses: Mutex::new(addresses),
            erasing: Mutex::default(),
            folder,
        }
    }

    /// What plays and shows what the client wants heard and shown.
    pub(crate) fn furnish(&self, desk: Arc<Desk>) {
        // Called once.
        let _ = self.desk.set(desk);
    }

    /// Whom to tell whether the key store took a session.
    pub(crate) fn serve(&self, clients: Clients) {
        // Called once.
        let _ = self.clients.set(clients);
    }

    /// The person's data folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns when everything is on the disk, and tokens are erased as far as the key store answers.
    pub(crate) async fn finish(&self) {
        let erasing = std::mem::take(&mut *self.erasing());
        let erased = async {
            for one in erasing {
                let _ = one.await; // It fails only if it panicked, which is in the log already.
            }
        };
        if tokio::time::timeout(ERASING, erased).await.is_err() {
            tracing::warn!("the key store may still have a session: it does not answer");
        }
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            // It fails only if the writer panicked, which is in the log already.
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }

    fn note(&self, what: Note) {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(notes) = notes.as_ref() else { return };
        match notes.try_send(what) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                tracing::warn!("settings are not written: the disk hangs")
            }
            Err(TrySendError::Disconnected(_)) => tracing::warn!("settings are not written"),
        }
    }

    fn keep_session(&self, number: ServerNumber, session: &SavedSession) {
        self.redactor.hide(session.token.reveal());
        self.addresses().insert(number, session.server.clone());
        let kept = self.store.keep(&session.server, &session.token);
        let clients = self.clients.get().cloned();
        self.runtime.spawn(async move {
            let kept = kept.await;
            if let Err(why) = &kept {
                tracing::warn!(%why, "the session is not kept");
            }
            if let Some(clients) = clients {
                clients.session_kept(number, kept.is_ok());
            }
        });
    }

    fn forget_session(&self, number: ServerNumber) {
        let Some(address) = self.addresses().remove(&number) else {
            return;
        };
        let forgotten = self.store.forget(&address);
        let erasing = self.runtime.spawn(async move {
            if let Err(why) = forgotten.await {
                tracing::warn!(%why, "the key store may still have the session");
            }
        });
        self.erasing().push(erasing);
    }

    fn erasing(&self) -> std::sync::MutexGuard<'_, Vec<tokio::task::JoinHandle<()>>> {
        self.erasing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn addresses(&self) -> std::sync::MutexGuard<'_, BTreeMap<ServerNumber, String>> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl House for Keeper {
    fn downloads(&self) -> Option<std::path::PathBuf> {
        dirs::download_dir().or_else(dirs::home_dir)
    }

    fn remember(&self, server: ServerNumber, what: Remember) {
        match &what {
            Remember::Session(Some(session)) => self.keep_session(server, session),
            Remember::Session(None) => self.forget_session(server),
            _ => {}
        }
        self.note(Note::Remember(server, what));
    }

    fn alert(&self, server: ServerNumber, wish: AlertWish) {
        if let Some(desk) = self.desk.get() {
            desk.alert(server, wish);
        }
    }

    fn shows(&self, server: ServerNumber) {
        self.note(Note::Shows(server));
    }

    fn forget(&self, server: ServerNumber) {
        self.forget_session(server);
        self.note(Note::Forget(server));
    }

    fn logs(&self) -> BoxFuture<Option<String>> {
        let folder = self.folder.clone();
        Box::pin(async move {
            // The only failures are a panic, and a runtime that is ending.
            let read = tokio::task::spawn_blocking(move || logging::newest(&folder));
            read.await.ok().flatten()
        })
    }
}

/// The permission to see the screen, as it is and as it is kept.
pub(crate) struct SharePermission {
    token: Mutex<Option<String>>,
    keeper: Arc<Keeper>,
}

impl SharePermission {
    /// What was kept, and where to keep what comes.
    pub(crate) fn new(token: Option<String>, keeper: Arc<Keeper>) -> Self {
        Self {
            token: Mutex::new(token),
            keeper,
        }
    }
}

impl calls_media::PortalMemory for SharePermission {
    fn token(&self) -> Option<String> {
        self.token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn keep(&self, token: Option<&str>) {
        let token = token.map(str::to_owned);
        self.token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&token);
        // No server's: the desktop asks about the program.
        self.keeper.note(Note::Remember(
            ServerNumber(0),
            Remember::SharePermission(token),
        ));
    }
}

/// Writes until nobody can leave notes any more. What has come together is written once.
fn write(mut file: SettingsFile, inbox: &Receiver<Note>) {
    let mut order = Order::of(file.value());
    while let Ok(first) = inbox.recv() {
        let written = file.change(|settings| {
            for note in std::iter::once(first).chain(inbox.try_iter()) {
                order.take(settings, note);
            }
        });
        if let Err(why) = written {
            tracing::warn!(%why, cause = ?std::error::Error::source(&why), "settings are not kept");
        }
    }
}

/// Which server's settings are where in the file: the first, then those of [`Settings::more`].
struct Order(Vec<ServerNumber>);

impl Order {
    fn of(settings: &Settings) -> Self {
        Self((0..=settings.more.len() as u32).map(ServerNumber).collect())
    }

    fn place(&self, number: ServerNumber) -> Option<usize> {
        self.0.iter().position(|one| *one == number)
    }

    fn take(&mut self, settings: &mut Settings, note: Note) {
        match note {
            Note::Remember(number, what) => self.remember(settings, number, what),
            Note::Shows(number) => {
                let address = self.place(number).and_then(|at| match at.checked_sub(1) {
                    None => settings.server.clone(),
                    Some(at) => settings.more.get(at)?.server.clone(),
                });
                // With one server there is nothing to choose from.
                if settings.more.is_empty() {
                    settings.shown = None;
                } else if address.is_some() {
                    settings.shown = address;
                }
            }
            Note::Forget(number) => {
                if let Some(at) = self.place(number) {
                    settings.forget(at);
                    self.0.remove(at);
                    if self.0.is_empty() {
                        self.0.push(number);
                    }
                }
            }
        }
    }

    fn remember(&mut self, settings: &mut Settings, number: ServerNumber, what: Remember) {
        let own = matches!(
            what,
            Remember::Session(_)
                | Remember::Server(_)
                | Remember::Place(_)
                | Remember::Draft(..)
                | Remember::Volume(..)
        );
        let at = match self.place(number) {
            Some(at) => at,
            // One that was added is kept from its first session on.
            None if matches!(what, Remember::Session(Some(_))) => {
                settings.more.push(ServerSettings::default());
                self.0.push(number);
                settings.more.len()
            }
            None if own => return,
            None => {
                let alerts = (
                    settings.alerts.channels.clone(),
                    settings.alerts.blocked.clone(),
                    settings.alerts.trust,
                );
                apply(settings, what);
                (
                    settings.alerts.channels,
                    settings.alerts.blocked,
                    settings.alerts.trust,
                ) = alerts;
                return;
            }
        };
        settings.swap(at);
        apply(settings, what);
        settings.swap(at);
    }
}

fn apply(settings: &mut Settings, what: Remember) {
    match what {
        Remember::Session(Some(session)) => {
            settings.server = Some(session.server);
            settings.login = Some(session.login);
        }
        // The name stays, for the sign-in form.
        Remember::Session(None) => {}
        Remember::Server(server) => settings.server = server,
        Remember::Place(channel) => settings.place = Some(channel),
        Remember::Device(DeviceRole::Input, device) => settings.input = device,
        Remember::Device(DeviceRole::Output, device) => settings.output = device,
        Remember::DeviceName(role, Some(name)) => {
            settings.device_names.insert(role, name);
        }
        Remember::DeviceName(role, None) => {
            settings.device_names.remove(&role);
        }
        Remember::Draft(channel, text) => {
            if text.is_empty() {
                settings.drafts.remove(&channel);
            } else {
                settings.drafts.insert(channel, text);
            }
        }
        Remember::Appearance(appearance) => settings.appearance = appearance,
        Remember::Calls(calls) => settings.calls = *calls,
        Remember::Alerts(alerts) => settings.alerts = *alerts,
        Remember::Sound(sound) => settings.sound = sound,
        Remember::Trust(host, fingerprint) => settings.trust_in(host, &fingerprint),
        Remember::SharePermission(token) => settings.share_permission = token,
        Remember::Volume(user, PLAIN_VOLUME) => {
            settings.volumes.remove(&user);
        }
        Remember::Volume(user, percent) => {
            settings.volumes.insert(user, percent);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::secrets::{SecretsError, Vault};
    use crate::testing::TemporaryFolder;
    use calls_core::id::{ChannelId, UserId};
    use calls_core::port::Secret;

    struct NoVault;

    impl Vault for NoVault {
        fn set(&mut self, _: &str, _: &str) -> Result<(), SecretsError> {
            Err(SecretsError::Unavailable("none".to_owned()))
        }
        fn get(&mut self, _: &str) -> Result<Option<String>, SecretsError> {
            Err(SecretsError::Unavailable("none".to_owned()))
        }
        fn delete(&mut self, _: &str) -> Result<(), SecretsError> {
            Err(SecretsError::Unavailable("none".to_owned()))
        }
    }

    #[tokio::test]
    async fn what_is_remembered_is_on_the_disk_at_the_end_and_the_token_is_not() {
        let folder = TemporaryFolder::new("keeper");
        let store = SecretStore::new(NoVault, Duration::from_secs(5));
        let keeper = Keeper::new(SettingsFile::load(folder.path()), store, Arc::default());
        let keep = |what| keeper.remember(ServerNumber(0), what);
        keep(Remember::Session(Some(SavedSession {
            server: "https://a".to_owned(),
            login: "alice".to_owned(),
            token: Secret::new("the-secret-token"),
        })));
        keep(Remember::Place(ChannelId::from("c")));
        keep(Remember::Draft(
            ChannelId::from("c"),
            "half a sen".to_owned(),
        ));
        keep(Remember::Draft(ChannelId::from("d"), "x".to_owned()));
        keep(Remember::Draft(ChannelId::from("d"), String::new()));
        keep(Remember::Volume(UserId::from("u"), 150));
        keep(Remember::Volume(UserId::from("v"), 50));
        keep(Remember::Volume(UserId::from("v"), 100));
        // Another server, added and used: its own things are its own, the person's are one.
        let other = |what| keeper.remember(ServerNumber(4), what);
        other(Remember::Place(ChannelId::from("lost")));
        other(Remember::Session(Some(SavedSession {
            server: "https://b".to_owned(),
            login: "bob".to_owned(),
            token: Secret::new("the-other-token"),
        })));
        other(Remember::Place(ChannelId::from("of-b")));
        other(Remember::Sound(calls_core::snapshot::Sound {
            input_volume: 70,
            ..calls_core::snapshot::Sound::default()
        }));
        keeper.shows(ServerNumber(4));
        let keeper = Arc::new(keeper);
        let permission = SharePermission::new(None, Arc::clone(&keeper));
        calls_media::PortalMemory::keep(&permission, Some("of-the-desktop"));
        let known = calls_media::PortalMemory::token(&permission);
        assert_eq!(known.as_deref(), Some("of-the-desktop"));
        keeper.finish().await;

        let file = SettingsFile::load(folder.path());
        let settings = file.value();
        assert_eq!(settings.server.as_deref(), Some("https://a"));
        assert_eq!(settings.login.as_deref(), Some("alice"));
        assert_eq!(settings.place, Some(ChannelId::from("c")));
        assert_eq!(settings.drafts.len(), 1);
        assert_eq!(settings.volumes.len(), 1);
        assert_eq!(settings.share_permission, known);
        assert_eq!(settings.more.len(), 1);
        assert_eq!(settings.more[0].server.as_deref(), Some("https://b"));
        assert_eq!(settings.more[0].place, Some(ChannelId::from("of-b")));
        assert_eq!(settings.shown.as_deref(), Some("https://b"));
        assert_eq!(settings.sound.input_volume, 70);
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(!text.contains("the-secret-token") && !text.contains("the-other-token"));
        }
    }

    /// Holds tokens, and takes its time to erase one.
    #[derive(Clone, Default)]
    struct SlowVault(Arc<Mutex<BTreeMap<String, String>>>);

    impl Vault for SlowVault {
        fn set(&mut self, name: &str, secret: &str) -> Result<(), SecretsError> {
            let mut held = self.0.lock().unwrap();
            held.insert(name.to_owned(), secret.to_owned());
            Ok(())
        }
        fn get(&mut self, name: &str) -> Result<Option<String>, SecretsError> {
            Ok(self.0.lock().unwrap().get(name).cloned())
        }
        fn delete(&mut self, name: &str) -> Result<(), SecretsError> {
            std::thread::sleep(Duration::from_millis(100));
            self.0.lock().unwrap().remove(name);
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_removed_servers_token_is_erased_before_the_program_ends() {
        let folder = TemporaryFolder::new("keeper-removed");
        let vault = SlowVault::default();
        let store = SecretStore::new(vault.clone(), Duration::from_secs(5));
        let keeper = Keeper::new(SettingsFile::load(folder.path()), store, Arc::default());
        for (number, server) in [(0, "https://a"), (1, "https://b")] {
            let session = SavedSession {
                server: server.to_owned(),
                login: "alice".to_owned(),
                token: Secret::new("t"),
            };
            keeper.remember(ServerNumber(number), Remember::Session(Some(session)));
        }
        keeper.remember(ServerNumber(1), Remember::Session(None));
        keeper.forget(ServerNumber(1));
        keeper.finish().await;
        let held: Vec<String> = vault.0.lock().unwrap().keys().cloned().collect();
        assert_eq!(held.len(), 1);
        assert!(held[0].ends_with("https://a"), "{held:?}");
        let file = SettingsFile::load(folder.path());
        assert_eq!(file.value().server.as_deref(), Some("https://a"));
        assert!(file.value().more.is_empty());
    }
}
