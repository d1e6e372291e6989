//! Files, in memory (core reference, chapter 9).

use std::sync::Arc;

use axum::extract::{FromRequest, Multipart, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Json, Refusal, Reply, created, ok};
use super::auth::Caller;
use super::avatar;
use super::system::MAX_FILE;
use crate::app::App;
use crate::world::World;
use crate::world::model::StoredFile;

fn missing() -> Refusal {
    Refusal::not_found("app.file_info.get.app_error")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct UploadQuery {
    channel_id: Option<String>,
    filename: Option<String>,
}

/// `POST /files`: multipart, or the bytes as they are.
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Reply {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let mut channel = query.channel_id.unwrap_or_default();
    let mut clients: Vec<String> = Vec::new();
    let mut parts: Vec<(String, String, Bytes)> = Vec::new();
    let broken = |e: &dyn std::fmt::Display| Refusal::bad(e.to_string());
    if kind.starts_with("multipart/form-data") {
        let mut form = Multipart::from_request(request, &())
            .await
            .map_err(|e| broken(&e))?;
        while let Some(field) = form.next_field().await.map_err(|e| broken(&e))? {
            let name = field.name().unwrap_or_default().to_owned();
            if let Some(file) = field.file_name().map(str::to_owned) {
                let mime = field.content_type().unwrap_or_default().to_owned();
                parts.push((file, mime, field.bytes().await.map_err(|e| broken(&e))?));
            } else {
                let text = field.text().await.map_err(|e| broken(&e))?;
                match name.as_str() {
                    "channel_id" if parts.is_empty() => channel = text,
                    "client_ids" if parts.is_empty() => clients.push(text),
                    _ => return Err(Refusal::bad("Unknown or misplaced form field.")),
                }
            }
        }
    } else {
        let bytes = axum::body::to_bytes(request.into_body(), MAX_FILE)
            .await
            .map_err(|_| too_large())?;
        parts.push((query.filename.unwrap_or_default(), kind, bytes));
    }
    if !clients.is_empty() && clients.len() != parts.len() {
        return Err(Refusal::bad(
            "Number of client_ids does not match the files.",
        ));
    }
    if parts.iter().any(|(_, _, b)| b.len() > MAX_FILE) {
        return Err(too_large());
    }
    let mut world = app.lock();
    if !world.can_post(&caller.id, &channel) {
        return Err(Refusal::permission());
    }
    let infos: Vec<Value> = parts
        .into_iter()
        .map(|(name, mime, bytes)| {
            let id = world.store_file(&caller.id, &channel, &name, &mime, bytes);
            world.files[&id].json()
        })
        .collect();
    created(json!({"file_infos": infos, "client_ids": clients}))
}

fn too_large() -> Refusal {
    let id = "api.file.upload_file.too_large_detailed.app_error";
    Refusal::new(413, id, "Unable to upload file. File is too large.")
}

impl World {
    /// Keeps a file; the answer is its id.
    pub(crate) fn store_file(
        &mut self,
        user: &str,
        channel: &str,
        name: &str,
        mime: &str,
        bytes: Bytes,
    ) -> String {
        let id = self.ids.next_id();
        let extension = name.rsplit_once('.').map_or("", |(_, e)| e).to_lowercase();
        let mime = match extension.as_str() {
            "png" => "image/png",
            "jpg" | "jpeg" => "image/jpeg",
            "gif" => "image/gif",
            "txt" | "md" => "text/plain",
            "vtt" => "text/vtt",
            "mp4" => "video/mp4",
            "wav" => "audio/wav",
            "pdf" => "application/pdf",
            _ if mime.is_empty() => "application/octet-stream",
            _ => mime,
        };
        let file = StoredFile {
            id: id.clone(),
            user_id: user.to_owned(),
            channel_id: channel.to_owned(),
            create_at: self.stamp(),
            name: name.to_owned(),
            mime: mime.to_owned(),
            size: avatar::png_size(&bytes),
            bytes,
            ..StoredFile::default()
        };
        self.files.insert(id.clone(), file);
        id
    }
}

/// A file the caller may see: orphans belong to their owner, the others to the channel.
fn readable<'w>(world: &'w World, caller: &Caller, id: &str) -> Result<&'w StoredFile, Refusal> {
    let file = world.files.get(id).ok_or_else(missing)?;
    if file.user_id == caller.id || world.can_read(&caller.id, &file.channel_id) {
        Ok(file)
    } else {
        Err(Refusal::permission())
    }
}

/// `GET /files/{id}/info`.
pub(crate) async fn info(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let world = app.lock();
    ok(readable(&world, &caller, &id)?.json())
}

/// `GET /posts/{id}/files/info`.
pub(crate) async fn of_post(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let world = app.lock();
    let post = world.posts.get(&id).ok_or_else(missing)?;
    ok(post
        .file_ids
        .iter()
        .filter_map(|f| readable(&world, &caller, f).ok())
        .map(StoredFile::json)
        .collect())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DownloadQuery {
    download: Option<String>,
}

/// `GET /files/{id}` with byte ranges; `HEAD` comes with it.
pub(crate) async fn download(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<DownloadQuery>,
    headers: HeaderMap,
) -> Reply {
    let world = app.lock();
    let file = readable(&world, &caller, &id)?;
    let total = file.bytes.len();
    let range = headers
        .get(header::RANGE)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| parse_range(v, total));
    let (status, bytes) = match range {
        Some((start, end)) => (StatusCode::PARTIAL_CONTENT, file.bytes.slice(start..=end)),
        None => (StatusCode::OK, file.bytes.clone()),
    };
    let kind = file.mime.clone();
    let how = if query.download.is_some() || !kind.starts_with("image/") {
        "attachment"
    } else {
        "inline"
    };
    let plain: String = file
        .name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._- ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    drop(world);
    let mut response: Response = (status, bytes).into_response();
    let out = response.headers_mut();
    let mut put = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            out.insert(name, value);
        }
    };
    put(header::CONTENT_TYPE, kind);
    put(header::ACCEPT_RANGES, "bytes".to_owned());
    put(
        header::CONTENT_DISPOSITION,
        format!("{how}; filename=\"{plain}\""),
    );
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned());
    if let Some((start, end)) = range {
        put(
            header::CONTENT_RANGE,
            format!("bytes {start}-{end}/{total}"),
        );
    }
    Ok(response)
}

/// One range of `bytes=a-b`, `bytes=a-` or `bytes=-n`; inclusive ends.
fn parse_range(text: &str, total: usize) -> Option<(usize, usize)> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let last = total.checked_sub(1)?;
    let (start, end) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(a), Ok(b)) => (a, b.min(last)),
        (Ok(a), Err(_)) => (a, last),
        (Err(_), Ok(n)) => (total.saturating_sub(n), last),
        _ => return None,
    };
    (start <= end).then_some((start, end))
}

/// `GET /files/{id}/thumbnail` and `/preview`: pictures are served as they are.
pub(crate) async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Reply {
    let world = app.lock();
    let file = readable(&world, &caller, &id)?;
    if file.size.is_none() {
        return Err(missing());
    }
    let mut response = file.bytes.clone().into_response();
    if let Ok(kind) = HeaderValue::from_str(&file.mime) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    Ok(response)
}

/// `POST /uploads`: the first half of a large upload.
pub(crate) async fn begin_upload(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Value>,
) -> Reply {
    let mut world = app.lock();
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let size = body["file_size"].as_u64().unwrap_or(0);
    if usize::try_from(size).map_or(true, |n| n > MAX_FILE) {
        return Err(too_large());
    }
    let channel = text("channel_id");
    if !world.can_post(&caller.id, &channel) {
        return Err(Refusal::permission());
    }
    let id = world.store_file(&caller.id, &channel, &text("filename"), "", Bytes::new());
    let total = usize::try_from(size).unwrap_or(0);
    world.uploads.insert(id.clone(), (total, Vec::new()));
    created(json!({
        "id": id, "type": "attachment", "create_at": world.files[&id].create_at,
        "user_id": caller.id, "channel_id": channel, "filename": text("filename"),
        "file_size": size, "file_offset": 0,
    }))
}

/// `POST /uploads/{id}`: a chunk; 204 until the last one, which answers the file info.
pub(crate) async fn continue_upload(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    chunk: Bytes,
) -> Reply {
    let mut world = app.lock();
    readable(&world, &caller, &id)?;
    let (total, bytes) = world.uploads.get_mut(&id).ok_or_else(missing)?;
    if bytes.len() + chunk.len() > *total {
        return Err(Refusal::bad("More bytes than announced."));
    }
    bytes.extend_from_slice(&chunk);
    if bytes.len() < *total {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let (_, bytes) = world.uploads.remove(&id).ok_or_else(missing)?;
    let file = world.files.get_mut(&id).ok_or_else(missing)?;
    file.size = avatar::png_size(&bytes);
    file.bytes = bytes.into();
    ok(file.json())
}

#[cfg(test)]
mod tests {
    use super::parse_range;

    #[test]
    fn ranges_are_read_and_kept_inside_the_file() {
        assert_eq!(parse_range("bytes=0-4", 10), Some((0, 4)));
        assert_eq!(parse_range("bytes=4-", 10), Some((4, 9)));
        assert_eq!(parse_range("bytes=-3", 10), Some((7, 9)));
        assert_eq!(parse_range("bytes=5-99", 10), Some((5, 9)));
        assert_eq!(parse_range("bytes=12-", 10), None);
        assert_eq!(parse_range("bytes=0-0", 0), None);
        assert_eq!(parse_range("lines=0-1", 10), None);
    }
}
