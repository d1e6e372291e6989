//! Keeps what the client wants remembered: settings in the file, the session in the key store. The conductor only
//! leaves a note; a thread of its own writes.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use calls_client::{AlertWish, ClientHandle, Remember, SavedSession, Shell};
use calls_core::command::DeviceRole;
use calls_core::port::BoxFuture;

use crate::desk::Desk;
use crate::logging::{self, Redactor};
use crate::secrets::SecretStore;
use crate::settings::{Settings, SettingsFile};

/// Notes that wait for the disk. They come at a person's speed, so a full queue means that the disk hangs: then the
/// newest are lost, and that is logged.
const QUEUE: usize = 1024;

/// Full volume, which need not be remembered.
const PLAIN_VOLUME: u16 = 100;

/// The [`Shell`] of a window.
pub(crate) struct Keeper {
    notes: Mutex<Option<SyncSender<Remember>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    store: SecretStore,
    redactor: Arc<Redactor>,
    runtime: tokio::runtime::Handle,
    client: OnceLock<ClientHandle>,
    desk: OnceLock<Arc<Desk>>,
    /// For which server a token is kept, so that it can be forgotten.
    server: Mutex<Option<String>>,
    /// Where the log is.
    folder: PathBuf,
}

impl Keeper {
    /// Must be made on the runtime that the client runs on.
    pub(crate) fn new(file: SettingsFile, store: SecretStore, redactor: Arc<Redactor>) -> Self {
        let server = file.value().server.clone();
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
            client: OnceLock::new(),
            desk: OnceLock::new(),
            server: Mutex::new(server),
            folder,
        }
    }

    /// What plays and shows what the client wants heard and shown.
    pub(crate) fn furnish(&self, desk: Arc<Desk>) {
        // Called once.
        let _ = self.desk.set(desk);
    }

    /// Whom to tell whether the key store took a session.
    pub(crate) fn serve(&self, client: ClientHandle) {
        // Called once.
        let _ = self.client.set(client);
    }

    /// The person's data folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns when everything is on the disk.
    pub(crate) async fn finish(&self) {
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

    fn note(&self, what: Remember) {
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

    fn keep_session(&self, session: &SavedSession) {
        self.redactor.hide(session.token.reveal());
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.server.clone());
        let kept = self.store.keep(&session.server, &session.token);
        let client = self.client.get().cloned();
        self.runtime.spawn(async move {
            let kept = kept.await;
            if let Err(why) = &kept {
                tracing::warn!(%why, "the session is not kept");
            }
            if let Some(client) = client {
                client.session_kept(kept.is_ok());
            }
        });
    }

    fn forget_session(&self) {
        let server = self
            .server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(server) = server else { return };
        let forgotten = self.store.forget(&server);
        self.runtime.spawn(async move {
            if let Err(why) = forgotten.await {
                tracing::warn!(%why, "the key store may still have the session; the server has ended it");
            }
        });
    }
}

impl Shell for Keeper {
    fn downloads(&self) -> Option<std::path::PathBuf> {
        dirs::download_dir().or_else(dirs::home_dir)
    }

    fn remember(&self, what: Remember) {
        match &what {
            Remember::Session(Some(session)) => self.keep_session(session),
            Remember::Session(None) => self.forget_session(),
            _ => {}
        }
        self.note(what);
    }

    fn alert(&self, wish: AlertWish) {
        if let Some(desk) = self.desk.get() {
            desk.alert(wish);
        }
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
        self.keeper.remember(Remember::SharePermission(token));
    }
}

/// Writes until nobody can leave notes any more. What has come together is written once.
fn write(mut file: SettingsFile, inbox: &Receiver<Remember>) {
    while let Ok(first) = inbox.recv() {
        let written = file.change(|settings| {
            for what in std::iter::once(first).chain(inbox.try_iter()) {
                apply(settings, what);
            }
        });
        if let Err(why) = written {
            tracing::warn!(%why, cause = ?std::error::Error::source(&why), "settings are not kept");
        }
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
    use std::time::Duration;

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
        keeper.remember(Remember::Session(Some(SavedSession {
            server: "https://a".to_owned(),
            login: "alice".to_owned(),
            token: Secret::new("the-secret-token"),
        })));
        keeper.remember(Remember::Place(ChannelId::from("c")));
        keeper.remember(Remember::Draft(
            ChannelId::from("c"),
            "half a sen".to_owned(),
        ));
        keeper.remember(Remember::Draft(ChannelId::from("d"), "x".to_owned()));
        keeper.remember(Remember::Draft(ChannelId::from("d"), String::new()));
        keeper.remember(Remember::Volume(UserId::from("u"), 150));
        keeper.remember(Remember::Volume(UserId::from("v"), 50));
        keeper.remember(Remember::Volume(UserId::from("v"), 100));
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
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            assert!(!text.contains("the-secret-token"));
        }
    }
}
