//! Where events go: standard error, and a file that never grows beyond its bound. No secret reaches either:
//! every line passes the redactor.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

mod redact;

pub(crate) use redact::Redactor;

/// One log file's size. Two are kept, so an hour of trouble at `debug` is still there, in 4 MB.
const FILE_LIMIT: u64 = 2 * 1024 * 1024;

/// Name of the log inside the data folder; the one before it has `.1` added.
const FILE_NAME: &str = "halloo.log";

/// What is logged without being asked: our own work, and trouble of others. webrtc's crates tell each lost
/// packet at `warn`.
const DEFAULT_FILTER: &str = "info,webrtc=error,rtc=error,rtc_ice=error,rtc_dtls=error,rtc_sctp=error,zbus=warn,pulseaudio=warn";

/// Sends events to standard error and, if a folder is given, to the log file. Returns what must be told of
/// every secret. Does nothing but return it if a subscriber is set already (tests).
///
/// A log that cannot be written is not worth stopping for: it is said once on standard error.
pub(crate) fn start(filter: Option<&str>, folder: Option<&Path>) -> Arc<Redactor> {
    let redactor = Arc::new(Redactor::default());
    let filter = filter
        .and_then(|text| EnvFilter::try_new(text).ok())
        .unwrap_or_else(|| EnvFilter::new(DEFAULT_FILTER));
    let to_stderr = tracing_subscriber::fmt::layer()
        .with_target(false)
        .compact()
        .with_ansi(false)
        .with_writer(Redacted {
            redactor: Arc::clone(&redactor),
            inner: Arc::new(Mutex::new(io::stderr())),
        });
    let file = folder.and_then(|folder| match RotatingFile::open(folder, FILE_LIMIT) {
        Ok(file) => Some(file),
        Err(why) => {
            let _ = writeln!(io::stderr(), "no log file in {}: {why}", folder.display());
            None
        }
    });
    let to_file = file.map(|file| {
        tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(Redacted {
                redactor: Arc::clone(&redactor),
                inner: Arc::new(Mutex::new(file)),
            })
    });
    // The only error is that somebody was first.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(to_stderr)
        .with(to_file)
        .try_init();
    log_panics();
    redactor
}

/// The newest mebibyte of the log in a data folder, in whole lines, for those who help; the server takes no more
/// (calls-v1-rest §22.1). `None` if there is none.
#[must_use]
pub(crate) fn newest(folder: &Path) -> Option<String> {
    const MOST: usize = 1024 * 1024;
    let path = folder.join(FILE_NAME);
    let mut text = fs::read(path.with_extension("log.1")).unwrap_or_default();
    text.extend(fs::read(&path).unwrap_or_default());
    if text.len() > MOST {
        let cut = text.len() - MOST;
        let line = text[cut..].iter().position(|byte| *byte == b'\n');
        text.drain(..cut + line.map_or(0, |at| at + 1));
    }
    (!text.is_empty()).then(|| String::from_utf8_lossy(&text).into_owned())
}

/// Writes a log to be handed on into a folder, under a name that is not taken yet.
pub(crate) fn save(folder: &Path, log: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    for n in 1..1000 {
        let name = if n == 1 {
            "halloo-log.txt".to_owned()
        } else {
            format!("halloo-log-{n}.txt")
        };
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(log.as_bytes())?;
                return Ok(path);
            }
            Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(why),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// A panic is a bug of ours; it must be in the log that is sent to us.
fn log_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "{}", panic.payload_as_str().unwrap_or("panic"));
        before(panic);
    }));
}

/// A writer whose lines are redacted. One lock a line; nothing that must be quick logs.
struct Redacted<W> {
    redactor: Arc<Redactor>,
    inner: Arc<Mutex<W>>,
}

impl<'a, W: Write + 'a> MakeWriter<'a> for Redacted<W> {
    type Writer = RedactedLine<'a, W>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactedLine { to: self }
    }
}

struct RedactedLine<'a, W> {
    to: &'a Redacted<W>,
}

impl<W: Write> Write for RedactedLine<'_, W> {
    // The subscriber hands over one whole event at a time, so a secret is never cut in two.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let clean = self.to.redactor.clean(&text);
        self.to
            .inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write_all(clean.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to
            .inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .flush()
    }
}

/// A file that moves aside when it is full.
struct RotatingFile {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
}

impl RotatingFile {
    fn open(folder: &Path, limit: u64) -> io::Result<Self> {
        let path = folder.join(FILE_NAME);
        let file = private_file(&path)?;
        let size = file.metadata()?.len();
        Ok(Self {
            path,
            file,
            size,
            limit,
        })
    }

    fn rotate(&mut self) -> io::Result<()> {
        fs::rename(&self.path, self.path.with_extension("log.1"))?;
        self.file = private_file(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

impl Write for RotatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size > 0 && self.size + bytes.len() as u64 > self.limit {
            self.rotate()?;
        }
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Only the person may read it: names of channels and people are in it.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::testing::TemporaryFolder;

    #[test]
    fn a_saved_log_replaces_no_other() {
        let folder = TemporaryFolder::new("log-saved");
        let first = save(folder.path(), "one").unwrap();
        let second = save(folder.path(), "two").unwrap();
        assert_ne!(first, second);
        assert_eq!(fs::read_to_string(first).unwrap(), "one");
        assert_eq!(fs::read_to_string(second).unwrap(), "two");
    }

    #[test]
    fn the_log_never_grows_beyond_two_files() {
        let folder = TemporaryFolder::new("log");
        let mut file = RotatingFile::open(folder.path(), 1000).unwrap();
        for _ in 0..200 {
            file.write_all(&[b'x'; 99]).unwrap();
            file.write_all(b"\n").unwrap();
        }
        let sizes: Vec<u64> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .collect();
        assert_eq!(sizes.len(), 2);
        assert!(sizes.iter().all(|size| *size <= 1000), "{sizes:?}");
    }

    #[test]
    fn a_log_goes_on_where_it_ended() {
        let folder = TemporaryFolder::new("log-again");
        RotatingFile::open(folder.path(), 1000)
            .unwrap()
            .write_all(b"one\n")
            .unwrap();
        RotatingFile::open(folder.path(), 1000)
            .unwrap()
            .write_all(b"two\n")
            .unwrap();
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }

    #[test]
    fn the_newest_of_the_log_is_whole_lines_and_at_most_a_mebibyte() {
        let folder = TemporaryFolder::new("log-newest");
        assert_eq!(newest(folder.path()), None);
        let old = "old line\n".repeat(200_000);
        fs::write(folder.path().join("halloo.log.1"), old).unwrap();
        fs::write(folder.path().join(FILE_NAME), "last line\n").unwrap();
        let text = newest(folder.path()).unwrap();
        assert!(text.len() <= 1024 * 1024 && text.len() > 1024 * 1000);
        assert!(text.starts_with("old line\n") && text.ends_with("\nlast line\n"));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_person_may_read_the_log() {
        use std::os::unix::fs::PermissionsExt;
        let folder = TemporaryFolder::new("log-mode");
        RotatingFile::open(folder.path(), 1000).unwrap();
        let mode = fs::metadata(folder.path().join(FILE_NAME))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_event_with_a_secret_in_it_is_written_without_it() {
        let redactor = Arc::new(Redactor::default());
        redactor.hide("kx93tokenvalue26characters");
        let out = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(Redacted {
                redactor,
                inner: Arc::clone(&out),
            });
        tracing::subscriber::with_default(subscriber.finish(), || {
            tracing::info!(value = "kx93tokenvalue26characters", "signed in");
        });
        let text = String::from_utf8(out.lock().unwrap().clone()).unwrap();
        assert!(text.contains("signed in"), "{text}");
        assert!(text.contains("•••"), "{text}");
        assert!(!text.contains("kx93"), "{text}");
    }
}
