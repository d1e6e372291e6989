//! What is remembered between runs, except secrets: one small JSON file.
//!
//! The file carries a version. Fields that we do not know (a newer Halloo wrote them) are kept as they are, so
//! that going back a version loses nothing. It is written to a neighbour and moved into place: a crash or a full
//! disk leaves the old one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use calls_core::alert::AlertSettings;
use calls_core::command::DeviceRole;
use calls_core::id::{ChannelId, DeviceId, UserId};
use calls_core::port::Fingerprint;
use calls_core::preferences::{Appearance, CallPreferences};
use calls_core::snapshot::Sound;
use calls_core::trust::Trust;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Name of the file inside the data folder.
const FILE_NAME: &str = "settings.json";

/// The version we write.
const VERSION: u32 = 1;

/// Servers besides the first; the core takes no more either.
const MOST_MORE: usize = 8;

/// What is remembered between runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Settings {
    /// Which version of Halloo's settings this is.
    version: u32,
    /// Site address of the server used last.
    pub server: Option<String>,
    /// User name used there.
    pub login: Option<String>,
    /// The channel that was open.
    pub place: Option<ChannelId>,
    /// Chosen microphone; `None` follows the system.
    pub input: Option<DeviceId>,
    /// Chosen loudspeaker; `None` follows the system.
    pub output: Option<DeviceId>,
    /// What the chosen devices call themselves.
    #[serde(deserialize_with = "forgiving")]
    pub device_names: BTreeMap<DeviceRole, String>,
    /// Text typed but not sent, by channel.
    pub drafts: BTreeMap<ChannelId, String>,
    /// How loud people are heard, per cent, where it is not 100.
    pub volumes: BTreeMap<UserId, u16>,
    /// How the interface looks.
    #[serde(deserialize_with = "forgiving")]
    pub appearance: Appearance,
    /// How our own calls behave.
    #[serde(deserialize_with = "forgiving")]
    pub calls: CallPreferences,
    /// How the person wants to be called.
    #[serde(deserialize_with = "forgiving")]
    pub alerts: AlertSettings,
    /// What is done to the sound.
    #[serde(deserialize_with = "forgiving")]
    pub sound: Sound,
    /// Certificates that the person trusts although the system does not: SHA-256, by host and port.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "forgiving"
    )]
    trusted: BTreeMap<String, String>,
    /// By what the desktop knows again that we may see the screen (Wayland).
    pub share_permission: Option<String>,
    /// The person's other servers, in the order they were added. The first one's are above: an older Halloo knows that.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "forgiving_list"
    )]
    pub more: Vec<ServerSettings>,
    /// Site address of the server that was shown, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// Whatever a newer version wrote.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            server: None,
            login: None,
            place: None,
            input: None,
            output: None,
            device_names: BTreeMap::new(),
            drafts: BTreeMap::new(),
            volumes: BTreeMap::new(),
            appearance: Appearance::default(),
            calls: CallPreferences::default(),
            alerts: AlertSettings::default(),
            sound: Sound::default(),
            trusted: BTreeMap::new(),
            share_permission: None,
            more: Vec::new(),
            shown: None,
            unknown: Map::new(),
        }
    }
}

/// What is remembered of a server alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ServerSettings {
    /// Site address.
    pub server: Option<String>,
    /// User name used there.
    pub login: Option<String>,
    /// The channel that was open.
    pub place: Option<ChannelId>,
    /// Text typed but not sent, by channel.
    pub drafts: BTreeMap<ChannelId, String>,
    /// How loud people are heard, per cent, where it is not 100.
    pub volumes: BTreeMap<UserId, u16>,
    /// Channels whose calls ring too.
    pub channels: BTreeSet<ChannelId>,
    /// Whose calls and messages neither ring nor notify.
    pub blocked: BTreeMap<UserId, String>,
    /// What it may do.
    pub trust: Trust,
}

impl Settings {
    /// Certificates that the person trusts; what is no fingerprint is left out.
    pub(crate) fn trust(&self) -> BTreeMap<String, Fingerprint> {
        let read = |(host, text): (&String, &String)| {
            Some((host.to_ascii_lowercase(), Fingerprint::read(text)?))
        };
        self.trusted.iter().filter_map(read).collect()
    }

    /// The person trusts this certificate for this host and port, in place of an earlier one.
    pub(crate) fn trust_in(&mut self, host: String, fingerprint: &Fingerprint) {
        let host = host.to_ascii_lowercase();
        self.trusted.insert(host, fingerprint.as_str().to_owned());
    }

    /// Puts a server's own settings in the first one's place and the first one's in its; done twice, all is as before.
    /// 0 is the first one itself; one that is not there changes nothing.
    pub(crate) fn swap(&mut self, at: usize) {
        use std::mem::swap;
        let Some(other) = at.checked_sub(1).and_then(|at| self.more.get_mut(at)) else {
            return;
        };
        swap(&mut self.server, &mut other.server);
        swap(&mut self.login, &mut other.login);
        swap(&mut self.place, &mut other.place);
        swap(&mut self.drafts, &mut other.drafts);
        swap(&mut self.volumes, &mut other.volumes);
        swap(&mut self.alerts.channels, &mut other.channels);
        swap(&mut self.alerts.blocked, &mut other.blocked);
        swap(&mut self.alerts.trust, &mut other.trust);
    }

    /// The places of the person's servers, as certificates are kept by.
    fn places(&self) -> Vec<String> {
        let more = self.more.iter().map(|one| &one.server);
        let sites = std::iter::once(&self.server).chain(more);
        sites
            .filter_map(|site| place_of(site.as_deref()?))
            .collect()
    }

    /// Forgets a server, and that its certificate was trusted; the next one takes the place of the first.
    pub(crate) fn forget(&mut self, at: usize) {
        let before = self.places();
        self.forget_site(at);
        let left = self.places();
        self.trusted
            .retain(|place, _| !before.contains(place) || left.contains(place));
    }

    fn forget_site(&mut self, at: usize) {
        if at == 0 && self.more.is_empty() {
            (self.server, self.login, self.place) = (None, None, None);
            self.drafts.clear();
            self.volumes.clear();
            self.alerts.channels.clear();
            self.alerts.blocked.clear();
            self.alerts.trust = Trust::default();
            return;
        }
        if at == 0 {
            self.swap(1);
        }
        let at = at.saturating_sub(1);
        if at < self.more.len() {
            self.more.remove(at);
        }
    }
}

/// Host and port of a site that is spoken to by TLS, as in [`calls_core::port::Distrust::host`].
fn place_of(site: &str) -> Option<String> {
    let site = tauri::Url::parse(site).ok()?;
    let port = site.port_or_known_default()?;
    (site.scheme() == "https").then_some(format!("{}:{port}", site.host_str()?))
}

/// Servers that a newer version wrote in a way that we cannot read are left out.
fn forgiving_list<'de, D>(from: D) -> Result<Vec<ServerSettings>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    let Value::Array(all) = Value::deserialize(from)? else {
        return Ok(Vec::new());
    };
    let read = all
        .into_iter()
        .filter_map(|one| serde_json::from_value(one).ok());
    Ok(read
        .filter(|one: &ServerSettings| one.server.is_some())
        .take(MOST_MORE)
        .collect())
}

/// A value of a newer version that we cannot read becomes the default, and costs nothing but itself: not even its
/// neighbours in the same group.
fn forgiving<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Serialize + serde::de::DeserializeOwned + Default,
{
    let value = Value::deserialize(from)?;
    if let Ok(all) = T::deserialize(&value) {
        return Ok(all);
    }
    let mut best = T::default();
    let (Value::Object(theirs), Ok(Value::Object(mut ours))) = (value, serde_json::to_value(&best))
    else {
        return Ok(best);
    };
    for (name, value) in theirs {
        let before = ours.insert(name.clone(), value);
        match T::deserialize(&Value::Object(ours.clone())) {
            Ok(with) => best = with,
            Err(_) => match before {
                Some(before) => drop(ours.insert(name, before)),
                None => drop(ours.remove(&name)),
            },
        }
    }
    Ok(best)
}

/// Why settings could not be kept. They hold for this run; say so and go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// The data folder cannot be made or written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no folder for the person's data on this system: `--profile` names one.
    #[error("there is no folder for data")]
    NoFolder,
}

/// The settings, and the file they come from.
#[derive(Debug)]
pub(crate) struct SettingsFile {
    path: PathBuf,
    value: Settings,
}

impl SettingsFile {
    /// Reads the settings of a data folder. A missing file gives the defaults; one that cannot be understood is
    /// set aside as `settings.json.broken`, because the person may want to look at it, and gives the defaults.
    #[must_use]
    pub(crate) fn load(folder: &Path) -> Self {
        let path = folder.join(FILE_NAME);
        let value = match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(value) => value,
                Err(why) => {
                    tracing::warn!(%why, "settings are not readable; starting with the defaults");
                    if let Err(why) = fs::rename(&path, path.with_extension("json.broken")) {
                        tracing::warn!(%why, "the unreadable settings could not be set aside");
                    }
                    Settings::default()
                }
            },
            Err(why) if why.kind() == io::ErrorKind::NotFound => Settings::default(),
            Err(why) => {
                tracing::warn!(%why, "settings cannot be read; starting with the defaults");
                Settings::default()
            }
        };
        Self { path, value }
    }

    /// The person's data folder.
    #[must_use]
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// The settings.
    #[must_use]
    pub(crate) fn value(&self) -> &Settings {
        &self.value
    }

    /// Changes the settings and writes them, if that changes anything.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; the change holds until the program ends.
    pub(crate) fn change(
        &mut self,
        change: impl FnOnce(&mut Settings),
    ) -> Result<(), SettingsError> {
        let before = self.value.clone();
        change(&mut self.value);
        if before == self.value {
            return Ok(());
        }
        self.write().map_err(|source| SettingsError::Write {
            path: self.path.clone(),
            source,
        })
    }

    fn write(&self) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&self.value)?;
        let neighbour = self.path.with_extension("json.new");
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&neighbour)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&neighbour, &self.path)
    }
}

/// The folder for settings and logs, made if need be, readable by the person alone.
///
/// # Errors
///
/// When it cannot be made, or the system names none.
pub(crate) fn data_folder(asked: Option<&Path>) -> Result<PathBuf, SettingsError> {
    let folder = place(asked).ok_or(SettingsError::NoFolder)?;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(&folder) {
        Ok(()) => Ok(folder),
        Err(source) => Err(SettingsError::Write {
            path: folder,
            source,
        }),
    }
}

/// Where it is, or will be.
fn place(asked: Option<&Path>) -> Option<PathBuf> {
    match asked {
        Some(folder) => Some(folder.to_owned()),
        None => dirs::data_dir().map(|folder| folder.join("halloo")),
    }
}

/// Certificates that the person trusts, by host and port, for a run that keeps nothing: it makes no folder, and touches no file.
#[must_use]
pub(crate) fn trusted(asked: Option<&Path>) -> BTreeMap<String, Fingerprint> {
    let text = place(asked).and_then(|folder| fs::read(folder.join(FILE_NAME)).ok());
    let settings: Option<Settings> = text.and_then(|text| serde_json::from_slice(&text).ok());
    settings.map(|one| one.trust()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::testing::TemporaryFolder;
    use calls_core::trust::Grant;

    #[test]
    fn what_is_changed_is_there_the_next_time() {
        let folder = TemporaryFolder::new("settings");
        let mut file = SettingsFile::load(folder.path());
        assert_eq!(file.value(), &Settings::default());
        file.change(|value| {
            value.server = Some("https://chat.example".to_owned());
            value.input = Some(DeviceId::from("mic"));
        })
        .unwrap();
        assert_eq!(SettingsFile::load(folder.path()).value(), file.value());
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "no neighbour is left behind");
    }

    #[test]
    fn fields_of_a_newer_version_survive() {
        let folder = TemporaryFolder::new("settings-newer");
        let path = folder.path().join(FILE_NAME);
        fs::write(
            &path,
            r#"{"version":7,"login":"alice","colour":{"of":"tomorrow"}}"#,
        )
        .unwrap();
        let mut file = SettingsFile::load(folder.path());
        assert_eq!(file.value().login.as_deref(), Some("alice"));
        file.change(|value| value.login = Some("bob".to_owned()))
            .unwrap();
        let text: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(text["colour"]["of"], "tomorrow");
        assert_eq!(text["version"], 7);
        assert_eq!(text["login"], "bob");
    }

    #[test]
    fn a_word_of_a_newer_version_costs_only_itself() {
        let folder = TemporaryFolder::new("settings-word");
        let mut alerts = serde_json::to_value(AlertSettings {
            volume: 7,
            ..AlertSettings::default()
        })
        .unwrap();
        alerts["tone"] = "tune-of-tomorrow".into();
        let text = serde_json::json!({"login": "alice", "alerts": alerts});
        fs::write(folder.path().join(FILE_NAME), text.to_string()).unwrap();
        let file = SettingsFile::load(folder.path());
        assert_eq!(file.value().login.as_deref(), Some("alice"));
        assert_eq!(file.value().alerts.volume, 7);
        assert_eq!(file.value().alerts.tone, AlertSettings::default().tone);
    }

    #[test]
    fn unreadable_settings_are_set_aside() {
        let folder = TemporaryFolder::new("settings-broken");
        for garbage in ["", "{", "[]", "\u{0}", r#"{"server":7}"#] {
            fs::write(folder.path().join(FILE_NAME), garbage).unwrap();
            assert_eq!(
                SettingsFile::load(folder.path()).value(),
                &Settings::default()
            );
            let aside = fs::read_to_string(folder.path().join("settings.json.broken")).unwrap();
            assert_eq!(aside, garbage);
        }
    }

    #[test]
    fn servers_keep_their_own_and_the_next_takes_the_place_of_the_first() {
        let other = |n: &str| ServerSettings {
            server: Some(format!("https://{n}")),
            place: Some(ChannelId::from(n)),
            blocked: [(UserId::from(n), n.to_owned())].into(),
            trust: Trust::default().with(Grant::Ring, false),
            ..ServerSettings::default()
        };
        let mut settings = Settings {
            server: Some("https://a".to_owned()),
            place: Some(ChannelId::from("a")),
            more: vec![other("b"), other("c")],
            ..Settings::default()
        };
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), settings);
        let before = settings.clone();
        settings.swap(2);
        assert_eq!(settings.server.as_deref(), Some("https://c"));
        assert!(settings.alerts.blocked.contains_key(&UserId::from("c")));
        assert!(!settings.alerts.trust.ring && before.alerts.trust.ring);
        settings.swap(2);
        settings.swap(7);
        assert_eq!(settings, before);
        settings.forget(1);
        settings.forget(0);
        assert_eq!(settings.server.as_deref(), Some("https://c"));
        assert_eq!(settings.place, Some(ChannelId::from("c")));
        assert!(settings.more.is_empty());
        settings.forget(0);
        assert_eq!(settings.server, None);
        assert_eq!(
            settings.alerts,
            AlertSettings::default(),
            "nothing of it is left"
        );
    }

    #[test]
    fn a_trusted_certificate_goes_with_the_last_server_at_its_place() {
        let folder = TemporaryFolder::new("settings-places");
        let certificate = Fingerprint::of(&[1; 32]);
        let text = serde_json::json!({
            "server": "https://chat.example",
            "more": [
                {"server": "https://chat.example:8443/mattermost"},
                {"server": "https://[::1]:8065"},
                {"server": "https://chat.example/other"},
            ],
        });
        fs::write(folder.path().join(FILE_NAME), text.to_string()).unwrap();
        let mut file = SettingsFile::load(folder.path());
        let places = ["chat.example:443", "chat.example:8443", "[::1]:8065"];
        for place in places {
            file.change(|settings| settings.trust_in(place.to_owned(), &certificate))
                .unwrap();
        }
        let mut left = |at| -> Vec<String> {
            file.change(|settings| settings.forget(at)).unwrap();
            file.value().trust().into_keys().collect()
        };
        assert_eq!(
            left(0),
            ["[::1]:8065", "chat.example:443", "chat.example:8443"]
        );
        assert_eq!(left(0), ["[::1]:8065", "chat.example:443"]);
        assert_eq!(left(0), ["chat.example:443"]);
        assert!(left(0).is_empty());
    }

    #[test]
    fn trusted_certificates_are_kept_by_host_and_what_is_none_is_left_out() {
        let folder = TemporaryFolder::new("settings-trust");
        let mut file = SettingsFile::load(folder.path());
        let of = |byte| Fingerprint::of(&[byte; 32]);
        file.change(|value| value.trust_in("Chat.Example".to_owned(), &of(1)))
            .unwrap();
        file.change(|value| value.trust_in("chat.example".to_owned(), &of(2)))
            .unwrap();
        let held = SettingsFile::load(folder.path()).value().trust();
        assert_eq!(held, [("chat.example".to_owned(), of(2))].into());
        assert_eq!(trusted(Some(folder.path())), held);
        let nowhere = folder.path().join("nowhere");
        assert!(trusted(Some(&nowhere)).is_empty());
        assert!(!nowhere.exists());
        let text = r#"{"trusted":{"a":"nonsense","b":7}}"#;
        let settings: Settings = serde_json::from_str(text).unwrap();
        assert!(settings.trust().is_empty());
    }

    #[test]
    fn a_list_of_servers_that_makes_no_sense_costs_only_itself() {
        for list in [r#""x""#, r#"[7,{"server":3},{"login":"nobody"}]"#] {
            let text = format!(r#"{{"login":"alice","more":{list}}}"#);
            let settings: Settings = serde_json::from_str(&text).unwrap();
            assert_eq!(settings.login.as_deref(), Some("alice"));
            assert!(settings.more.is_empty());
        }
    }

    #[test]
    fn a_change_that_changes_nothing_writes_nothing() {
        let folder = TemporaryFolder::new("settings-same");
        let mut file = SettingsFile::load(folder.path());
        file.change(|value| value.login = None).unwrap();
        assert!(!folder.path().join(FILE_NAME).exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_person_may_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = TemporaryFolder::new("settings-mode");
        let inner = data_folder(Some(&folder.path().join("a/b"))).unwrap();
        let mut file = SettingsFile::load(&inner);
        file.change(|value| value.login = Some("alice".to_owned()))
            .unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&inner), 0o700);
        assert_eq!(mode(&inner.join(FILE_NAME)), 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_cannot_be_written_is_told_and_the_change_holds() {
        let folder = TemporaryFolder::new("settings-gone");
        let mut file = SettingsFile::load(&folder.path().join("is-not-there"));
        let outcome = file.change(|value| value.login = Some("alice".to_owned()));
        assert!(matches!(outcome, Err(SettingsError::Write { .. })));
        assert_eq!(file.value().login.as_deref(), Some("alice"));
    }
}
