//! A Unix socket. It lies beside the settings, in a folder that only the person may enter, or, where that path would
//! be too long for a socket, in the session's run-time folder.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// Longest path of a socket (`sun_path` has 104 bytes on macOS, 108 on Linux).
const LONGEST: usize = 100;

/// The socket of a running program; removed with it.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Listens for this profile. Whoever calls this has asked first and had no answer, so that what lies there is
    /// left over from a program that was killed.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written, or something that is no socket lies there.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path = path(folder);
        if let Ok(held) = std::fs::symlink_metadata(&path) {
            if !held.file_type().is_socket() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            std::fs::remove_file(&path)?;
        }
        let socket = UnixListener::bind(&path)?;
        // The folder keeps others out already; this holds even if it was made by somebody careless.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { socket, path })
    }

    /// The next one who asks.
    pub(crate) async fn accept(&mut self) -> io::Result<UnixStream> {
        self.socket.accept().await.map(|(stream, _)| stream)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may have been removed with its folder.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Reaches the running program of this profile.
pub(super) async fn connect(folder: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path(folder)).await
}

fn path(folder: &Path) -> PathBuf {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let beside = folder.join("control.sock");
    if beside.as_os_str().len() <= LONGEST {
        return beside;
    }
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    let name = format!("halloo-{:016x}.sock", hasher.finish());
    match dirs::runtime_dir() {
        Some(session) => session.join(name),
        None => beside,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::testing::TemporaryFolder;

    #[tokio::test]
    async fn only_the_person_may_speak_to_it_and_a_dead_one_is_replaced() {
        let folder = TemporaryFolder::new("control");
        assert!(connect(folder.path()).await.is_err());
        let first = Listener::open(folder.path()).unwrap();
        let mode = std::fs::metadata(&first.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(connect(folder.path()).await.is_ok());
        // Killed: its socket stays.
        std::mem::forget(first);
        let second = Listener::open(folder.path()).unwrap();
        let path = second.path.clone();
        drop(second);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let folder = TemporaryFolder::new("control-file");
        let lies = path(folder.path());
        std::fs::write(&lies, "precious").unwrap();
        assert!(Listener::open(folder.path()).is_err());
        assert_eq!(std::fs::read_to_string(&lies).unwrap(), "precious");
    }
}
