//! Session tokens, in the system's key store or nowhere.
//!
//! A key store may ask the person for a password, and until they answer the call does not return (seen with a
//! locked GNOME keyring: for ever). So one thread of its own does the asking, and everybody else waits for a
//! bounded time, and after one wait in vain not at all, until the store has come back.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use calls_core::port::Secret;
use tokio::sync::oneshot;

/// Under which name the key store lists our entries.
const SERVICE: &str = "Halloo";

/// How long a person may take to unlock the key store. Longer only delays the start of the program; shorter
/// would sign out people who type slowly.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a secret is not in the key store, or not to be had from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SecretsError {
    /// There is no key store, or it is locked and stays so: secrets live in memory until the program ends.
    #[error("no key store: {0}")]
    Unavailable(String),
    /// It did not answer in time.
    #[error("the key store does not answer")]
    TimedOut,
}

/// A place for secrets, by name.
pub(crate) trait Vault: Send {
    /// Keeps a secret.
    ///
    /// # Errors
    ///
    /// [`SecretsError::Unavailable`]: tell the person that it will not be remembered.
    fn set(&mut self, name: &str, secret: &str) -> Result<(), SecretsError>;
    /// A kept secret; `None` if there is none of that name.
    ///
    /// # Errors
    ///
    /// [`SecretsError::Unavailable`]: ask the person to sign in.
    fn get(&mut self, name: &str) -> Result<Option<String>, SecretsError>;
    /// Forgets a secret.
    ///
    /// # Errors
    ///
    /// [`SecretsError::Unavailable`]: it may still be there.
    fn delete(&mut self, name: &str) -> Result<(), SecretsError>;
}

/// The system's own: Secret Service, Keychain or Credential Manager.
#[derive(Debug, Default)]
pub(crate) struct SystemVault;

impl SystemVault {
    fn entry(name: &str) -> Result<keyring::v1::Entry, SecretsError> {
        keyring::v1::Entry::new(SERVICE, name).map_err(unavailable)
    }
}

// The texts of keyring's errors name the store and the failing call, never the secret.
fn unavailable(why: keyring::v1::Error) -> SecretsError {
    SecretsError::Unavailable(match why {
        // Its own text speaks to programmers.
        keyring::v1::Error::NoDefaultStore => match keyring::v1::Entry::store_status() {
            Err(cause) => cause.to_string(),
            Ok(()) => why.to_string(),
        },
        // This one carries what was stored.
        keyring::v1::Error::BadEncoding(_) => "not text".to_owned(),
        why => why.to_string(),
    })
}

impl Vault for SystemVault {
    fn set(&mut self, name: &str, secret: &str) -> Result<(), SecretsError> {
        Self::entry(name)?.set_password(secret).map_err(unavailable)
    }

    fn get(&mut self, name: &str) -> Result<Option<String>, SecretsError> {
        match Self::entry(name)?.get_password() {
            Ok(secret) => Ok(Some(secret)),
            Err(keyring::v1::Error::NoEntry) => Ok(None),
            Err(why) => Err(unavailable(why)),
        }
    }

    fn delete(&mut self, name: &str) -> Result<(), SecretsError> {
        match Self::entry(name)?.delete_credential() {
            Ok(()) | Err(keyring::v1::Error::NoEntry) => Ok(()),
            Err(why) => Err(unavailable(why)),
        }
    }
}

type Job = Box<dyn FnOnce(&mut dyn Vault) + Send>;

/// The secrets of this run. Wishes are done in the order in which they were made, whoever waits for them when.
pub(crate) struct SecretStore {
    // Unbounded, but each wish is a person's sign-in or sign-out.
    jobs: Sender<Job>,
    // The vault let somebody wait in vain and has not come back since: do not wait for it again.
    stuck: Arc<AtomicBool>,
    patience: Duration,
}

impl SecretStore {
    /// Secrets in the system's key store.
    #[must_use]
    pub(crate) fn system() -> Self {
        Self::new(SystemVault, PATIENCE)
    }

    /// Secrets in any vault, which has so long for each answer.
    #[must_use]
    pub(crate) fn new(mut vault: impl Vault + 'static, patience: Duration) -> Self {
        let (jobs, inbox): (Sender<Job>, Receiver<Job>) = channel();
        // Not joined at the end, because it may hang in the system. Without it every wish fails, as it should.
        let thread = std::thread::Builder::new()
            .name("secrets".to_owned())
            .spawn(move || {
                while let Ok(job) = inbox.recv() {
                    job(&mut vault);
                }
            });
        if let Err(why) = thread {
            tracing::error!(%why, "no thread for the key store");
        }
        Self {
            jobs,
            stuck: Arc::default(),
            patience,
        }
    }

    /// Keeps a token.
    ///
    /// # Errors
    ///
    /// When it will not be there the next time.
    pub(crate) fn keep(
        &self,
        server: &str,
        token: &Secret,
    ) -> impl Future<Output = Result<(), SecretsError>> + use<> {
        let (name, token) = (name(server), token.clone());
        self.ask(move |vault| vault.set(&name, token.reveal()))
    }

    /// The token kept for a server.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    pub(crate) fn token(
        &self,
        server: &str,
    ) -> impl Future<Output = Result<Option<Secret>, SecretsError>> + use<> {
        let name = name(server);
        self.ask(move |vault| Ok(vault.get(&name)?.map(Secret::new)))
    }

    /// Forgets the token of a server.
    ///
    /// # Errors
    ///
    /// When it may still be there.
    pub(crate) fn forget(
        &self,
        server: &str,
    ) -> impl Future<Output = Result<(), SecretsError>> + use<> {
        let name = name(server);
        self.ask(move |vault| vault.delete(&name))
    }

    /// Queues the wish now; what is returned only waits for the answer.
    fn ask<T, W>(&self, wish: W) -> impl Future<Output = Result<T, SecretsError>> + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&mut dyn Vault) -> Result<T, SecretsError> + Send + 'static,
    {
        let (answer, outcome) = oneshot::channel();
        let stuck = Arc::clone(&self.stuck);
        let job: Job = Box::new(move |vault| {
            let done = wish(vault);
            stuck.store(false, Ordering::Relaxed);
            // Nobody may be waiting any more.
            let _ = answer.send(done);
        });
        // Fails without a thread; then the answer's sender is dropped with the job.
        let _ = self.jobs.send(job);
        let (stuck, patience) = (Arc::clone(&self.stuck), self.patience);
        async move {
            let patience = if stuck.load(Ordering::Relaxed) {
                Duration::ZERO
            } else {
                patience
            };
            match tokio::time::timeout(patience, outcome).await {
                Ok(Ok(done)) => done,
                Ok(Err(_)) => Err(SecretsError::Unavailable("its thread has ended".to_owned())),
                Err(_) => {
                    stuck.store(true, Ordering::Relaxed);
                    Err(SecretsError::TimedOut)
                }
            }
        }
    }
}

/// Under which name a server's token is kept. One account a server.
fn name(server: &str) -> String {
    format!("session at {server}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct MemoryVault(Arc<Mutex<BTreeMap<String, String>>>);

    impl Vault for MemoryVault {
        fn set(&mut self, name: &str, secret: &str) -> Result<(), SecretsError> {
            self.0
                .lock()
                .unwrap()
                .insert(name.to_owned(), secret.to_owned());
            Ok(())
        }
        fn get(&mut self, name: &str) -> Result<Option<String>, SecretsError> {
            Ok(self.0.lock().unwrap().get(name).cloned())
        }
        fn delete(&mut self, name: &str) -> Result<(), SecretsError> {
            self.0.lock().unwrap().remove(name);
            Ok(())
        }
    }

    /// Like a locked key store: answers when the person has typed the password, here never.
    struct HangingVault(Receiver<()>);

    impl Vault for HangingVault {
        fn set(&mut self, _: &str, _: &str) -> Result<(), SecretsError> {
            let _ = self.0.recv();
            Ok(())
        }
        fn get(&mut self, _: &str) -> Result<Option<String>, SecretsError> {
            let _ = self.0.recv();
            Ok(None)
        }
        fn delete(&mut self, _: &str) -> Result<(), SecretsError> {
            let _ = self.0.recv();
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_token_is_there_until_it_is_forgotten() {
        let vault = MemoryVault::default();
        let store = SecretStore::new(vault.clone(), PATIENCE);
        let token = Secret::new("abc");
        assert_eq!(store.token("https://a").await, Ok(None));
        store.keep("https://a", &token).await.unwrap();
        assert_eq!(store.token("https://a").await, Ok(Some(token)));
        assert_eq!(store.token("https://b").await, Ok(None));
        store.forget("https://a").await.unwrap();
        assert_eq!(store.token("https://a").await, Ok(None));
        assert!(vault.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn wishes_are_done_in_order_even_if_nobody_waits() {
        let vault = MemoryVault::default();
        let store = SecretStore::new(vault.clone(), PATIENCE);
        let kept = store.keep("https://a", &Secret::new("abc"));
        let forgotten = store.forget("https://a");
        forgotten.await.unwrap();
        kept.await.unwrap();
        assert!(vault.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_locked_key_store_costs_its_time_once_and_may_come_back() {
        let (unlock, lock) = channel();
        let store = SecretStore::new(HangingVault(lock), Duration::from_millis(30));
        assert_eq!(store.token("https://a").await, Err(SecretsError::TimedOut));
        let begin = std::time::Instant::now();
        for _ in 0..100 {
            let kept = store.keep("https://a", &Secret::new("x"));
            assert_eq!(kept.await, Err(SecretsError::TimedOut));
        }
        assert!(
            begin.elapsed() < Duration::from_secs(2),
            "100 waits of 30 ms would be 3 s"
        );
        drop(unlock);
        while store.stuck.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
    }

    /// GNOME's key store on a session bus of its own, with a home of its own.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_real_key_store_has_the_token_and_no_file_of_the_persons_has_it_in_the_open() {
        use std::io::{BufRead as _, BufReader, Write as _};
        use std::process::{Child, Command, Stdio};

        /// Ends it with the test.
        struct Part(Child);
        impl Drop for Part {
            fn drop(&mut self) {
                let _ = self.0.kill();
                let _ = self.0.wait();
            }
        }

        let home = crate::testing::TemporaryFolder::new("keyring");
        let at_home = |program: &std::path::Path| {
            let mut command = Command::new(program);
            command
                .env("HOME", home.path())
                .env("XDG_DATA_HOME", home.path().join("data"))
                .env("XDG_RUNTIME_DIR", home.path())
                .env_remove("DISPLAY")
                .stderr(Stdio::null());
            command
        };
        let first_line = |child: &mut Child| {
            let mut line = String::new();
            let mut output = BufReader::new(child.stdout.take().unwrap());
            output.read_line(&mut line).unwrap();
            line.trim().to_owned()
        };
        let mut bus = at_home("dbus-daemon".as_ref())
            .args(["--session", "--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let address = first_line(&mut bus);
        let _bus = Part(bus);
        let mut keyring = at_home("gnome-keyring-daemon".as_ref())
            .args(["--foreground", "--unlock", "--components=secrets"])
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The password ends with its input; the first line comes when it serves.
        keyring.stdin.take().unwrap().write_all(b"sesame").unwrap();
        first_line(&mut keyring);
        let _keyring = Part(keyring);
        let inside = |token: &str| {
            let mut command = at_home(&std::env::current_exe().unwrap());
            let done = command
                .args(["--exact", "--ignored", "--nocapture"])
                .arg("secrets::tests::inside_a_session_with_a_key_store")
                .env("DBUS_SESSION_BUS_ADDRESS", &address)
                .env("HALLOO_TEST_TOKEN", token)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&done.stdout).into_owned();
            assert!(done.status.success() && said.contains("1 passed"), "{said}");
        };
        let token = "kept-where-nobody-reads-3141592653";
        inside(token);
        let mut files = 0;
        let mut folders = vec![home.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    files += 1;
                    let bytes = std::fs::read(entry.path()).unwrap();
                    let found = bytes.windows(token.len()).any(|at| at == token.as_bytes());
                    assert!(!found, "{:?} holds the token", entry.path());
                }
            }
        }
        assert!(files >= 2, "the key store and the settings write files");
        // Another process of the same person finds it, and can forget it.
        inside("");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    #[ignore = "run by the test above it"]
    async fn inside_a_session_with_a_key_store() {
        let token = std::env::var("HALLOO_TEST_TOKEN").unwrap();
        let store = SecretStore::system();
        let server = "https://chat.example";
        if token.is_empty() {
            let held = store.token(server).await.unwrap();
            assert!(held.is_some_and(|it| it.reveal().starts_with("kept-where")));
            store.forget(server).await.unwrap();
            assert_eq!(store.token(server).await, Ok(None));
            return;
        }
        assert_eq!(store.token(server).await, Ok(None));
        store.keep(server, &Secret::new(token)).await.unwrap();
        // What is remembered beside it.
        let folder = crate::settings::data_folder(None).unwrap();
        let mut file = crate::settings::SettingsFile::load(&folder);
        file.change(|value| value.server = Some(server.to_owned()))
            .unwrap();
        file.change(|value| value.login = Some("alice".to_owned()))
            .unwrap();
    }
}
