//! Files of the server's, saved among the person's downloads: under a name that is free, and whole or not at all.

use std::path::{Path, PathBuf};

use calls_core::id::FileId;
use calls_core::port::RequestError;

use crate::net::Net;

/// Names tried until one is free. Somebody with more copies than that has another problem.
const TRIES: u32 = 1000;

/// Saves a file. It is written beside its place first, so that half a file never bears the name.
pub(super) async fn save(
    net: &dyn Net,
    file: &FileId,
    folder: &Path,
    name: &str,
) -> Result<String, RequestError> {
    let disk = |error: std::io::Error| RequestError::Refused {
        status: 0,
        id: String::new(),
        message: error.to_string(),
    };
    tokio::fs::create_dir_all(folder).await.map_err(disk)?;
    let place = free(folder, name).await.map_err(disk)?;
    let part = folder.join(format!(".{}.part", file.as_str()));
    // Left over from a run that was cut off.
    let _ = tokio::fs::remove_file(&part).await;
    let saved = match net.save(file.clone(), part.clone()).await {
        Ok(()) => tokio::fs::rename(&part, &place).await.map_err(disk),
        Err(error) => Err(error),
    };
    if saved.is_err() {
        // Nothing more can be done about what cannot be removed.
        let _ = tokio::fs::remove_file(&part).await;
        let _ = tokio::fs::remove_file(&place).await;
    }
    saved.map(|()| place.display().to_string())
}

/// `name`, `name (2)`, … whichever does not exist; made at once, so that two savings do not meet.
async fn free(folder: &Path, name: &str) -> std::io::Result<PathBuf> {
    let (stem, ending) = match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, format!(".{ending}")),
        _ => (name, String::new()),
    };
    for number in 1..=TRIES {
        let tried = match number {
            1 => folder.join(name),
            number => folder.join(format!("{stem} ({number}){ending}")),
        };
        let made = tokio::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&tried)
            .await;
        match made {
            Ok(_) => return Ok(tried),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}
