//! Files, both ways, in pieces: none has to fit into memory twice, and progress can be told.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use calls_core::id::{ChannelId, FileId};
use calls_core::model::File;
use calls_core::port::RequestError;
use calls_core::wire::rest;
use futures_util::stream;
use reqwest::header::{CONTENT_RANGE, RANGE};
use tokio::io::AsyncWriteExt;

use super::http::{self, MAX_JSON, MAX_PICTURE};
use super::{Rest, translate};

/// Piece of a file on its way. Small enough that progress moves, large enough to cost nothing.
const PIECE: usize = 64 * 1024;

/// A part of a file that is played, bytes: a second or two of most lines, and few questions for an hour of sound.
const PART: usize = 1 << 20;

/// Largest file that is handed over whole by a server that does not do parts, bytes.
const WHOLE: usize = 256 << 20;

/// Longest wait for a part. 1 MiB in it are 70 kbit/s.
const PART_PATIENCE: Duration = Duration::from_secs(120);

/// Largest file that is saved, bytes: more than any server is set to take, less than fills a disk by mistake.
const LARGEST: u64 = 16 << 30;

impl Rest {
    /// Sends a file, for a post in a channel. `progress` hears how many bytes have left.
    ///
    /// # Errors
    /// See [`RequestError`]; 413 when it is larger than the server takes.
    pub async fn upload(
        &self,
        channel: &ChannelId,
        name: &str,
        bytes: Bytes,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<File, RequestError> {
        let account = self.account();
        let query = [("channel_id", channel.as_str()), ("filename", name)];
        let url = http::address(&account.server, &["api", "v4", "files"], &query)?;
        let length = bytes.len() as u64;
        let pieces = stream::unfold((bytes, 0_u64), move |(mut rest, sent)| {
            progress(sent);
            let next = (!rest.is_empty()).then(|| {
                let piece = rest.split_to(PIECE.min(rest.len()));
                let sent = sent + piece.len() as u64;
                (Ok::<_, std::io::Error>(piece), (rest, sent))
            });
            std::future::ready(next)
        });
        let body = reqwest::Body::wrap_stream(pieces);
        let request = self
            .http
            .send_body(url, account.token.as_ref(), length, body);
        let answer = self.http.send(request, MAX_JSON).await?;
        let stored: rest::FileUpload = http::json(&answer.body)?;
        let file = stored.file_infos.into_iter().next();
        file.map(translate::file_of)
            .ok_or_else(|| RequestError::NotUnderstood("no file in the answer".to_owned()))
    }

    /// A picture of a file (JPEG or PNG, at most 4 MiB): small for a list, larger for a look.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn file_picture(&self, file: &FileId, small: bool) -> Result<Bytes, RequestError> {
        let what = if small { "thumbnail" } else { "preview" };
        self.image(&["api", "v4", "files", file.as_str(), what])
            .await
    }

    /// A file as it is, if it is no larger than a picture (4 MiB): what the server made no smaller picture of.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn small_file(&self, file: &FileId) -> Result<Bytes, RequestError> {
        self.image(&["api", "v4", "files", file.as_str()]).await
    }

    /// The picture of a custom emoji.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn emoji_picture(&self, id: &str) -> Result<Bytes, RequestError> {
        self.image(&["api", "v4", "emoji", id, "image"]).await
    }

    /// What stands in a file from a byte on, at most 1 MiB. A server that does not do parts
    /// (RFC 9110 §14.2) hands over all of it, up to 256 MiB, when the beginning is asked for.
    ///
    /// # Errors
    /// See [`RequestError`]; 416 behind the file's end.
    pub async fn file_part(&self, file: &FileId, from: u64) -> Result<Bytes, RequestError> {
        let account = self.account();
        let url = http::address(&account.server, &["api", "v4", "files", file.as_str()], &[])?;
        let last = from.saturating_add(PART as u64 - 1);
        let request = self
            .http
            .get(url, account.token.as_ref())
            .header(RANGE, format!("bytes={from}-{last}"))
            .timeout(PART_PATIENCE);
        let limit = if from == 0 { WHOLE } else { PART };
        let answer = self.http.send(request, limit).await?;
        let range = answer.headers.get(CONTENT_RANGE);
        let begins = range.and_then(|range| range.to_str().ok()?.strip_prefix("bytes "));
        match begins.and_then(|range| range.split_once('-')?.0.parse::<u64>().ok()) {
            Some(begin) if begin == from => Ok(answer.body),
            None if from == 0 => Ok(answer.body),
            _ => Err(RequestError::NotUnderstood(
                "another part of the file".to_owned(),
            )),
        }
    }

    async fn image(&self, path: &[&str]) -> Result<Bytes, RequestError> {
        let account = self.account();
        let url = http::address(&account.server, path, &[])?;
        let request = self.http.get(url, account.token.as_ref());
        Ok(self.http.send(request, MAX_PICTURE).await?.body)
    }

    /// Writes a file of the server's to `path`, which must not exist. What was begun is removed if it fails.
    ///
    /// # Errors
    /// See [`RequestError`]; [`RequestError::Refused`] with status 0 when the disk does not take it.
    pub async fn save(&self, file: &FileId, path: &Path) -> Result<(), RequestError> {
        let account = self.account();
        let url = http::address(&account.server, &["api", "v4", "files", file.as_str()], &[])?;
        let request = self.http.get(url, account.token.as_ref());
        let response = self.http.open(request).await?;
        let written = write(response, path).await;
        if written.is_err() {
            // It may never have been made.
            let _ = tokio::fs::remove_file(path).await;
        }
        written
    }
}

async fn write(mut response: reqwest::Response, path: &Path) -> Result<(), RequestError> {
    let disk = |error: std::io::Error| RequestError::Refused {
        status: 0,
        id: String::new(),
        message: error.to_string(),
    };
    let mut out = tokio::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .await
        .map_err(disk)?;
    let mut length = 0_u64;
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| crate::error::from_http(&error))?
    {
        length += chunk.len() as u64;
        if length > LARGEST {
            return Err(RequestError::NotUnderstood("a file without end".to_owned()));
        }
        out.write_all(&chunk).await.map_err(disk)?;
    }
    out.flush().await.map_err(disk)
}
