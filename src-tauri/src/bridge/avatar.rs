//! Pictures: portraits at `avatar://localhost/<user id>?v=<version>`, and `…/thumbnail/<id>`, `…/preview/<id>`,
//! `…/whole/<id>` for files and `…/emoji/<id>`, fetched by the core with its token. The page itself has neither a
//! token nor a network.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use calls_client::{ClientHandle, Image};
use calls_core::id::{FileId, Millis, UserId};
use calls_core::snapshot::Account;
use tauri::http::{Request, Response, StatusCode, header};

use crate::start::Running;

/// The scheme (on Windows `http://avatar.localhost/`). Named in the content security policy.
pub(crate) const SCHEME: &str = "avatar";

/// Memory for portraits. At about 10 kB each that is 1600 people; the page keeps what it shows besides.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// A server may send anything as a portrait; more than this is not one.
const LARGEST: usize = 1024 * 1024;

/// Larger pictures are looked at outside, after they were saved.
const LARGEST_IMAGE: usize = 4 * 1024 * 1024;

/// A portrait: its bytes and their kind.
type Picture = Arc<(Bytes, &'static str)>;

/// Portraits seen lately. The key holds the version, so a new portrait is a new entry.
#[derive(Default)]
pub(crate) struct Portraits {
    cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    // Least lately used first. A few hundred entries: walking them is cheaper than one repaint.
    entries: VecDeque<(String, Picture)>,
    bytes: usize,
}

impl Cache {
    fn find(&mut self, key: &str) -> Option<Picture> {
        let at = self.entries.iter().position(|(known, _)| known == key)?;
        let entry = self.entries.remove(at)?;
        let picture = Arc::clone(&entry.1);
        self.entries.push_back(entry);
        Some(picture)
    }

    fn keep(&mut self, key: String, picture: Picture) {
        if self.find(&key).is_some() {
            return;
        }
        self.bytes += picture.0.len();
        self.entries.push_back((key, picture));
        while self.bytes > CACHE_BYTES {
            let Some((_, oldest)) = self.entries.pop_front() else {
                return;
            };
            self.bytes -= oldest.0.len();
        }
    }
}

impl Portraits {
    fn find(&self, key: &str) -> Option<Picture> {
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .find(key)
    }

    fn keep(&self, key: String, picture: Picture) {
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keep(key, picture);
    }
}

/// Answers a request for a portrait. 404 when there is none: the page then shows initials.
pub(crate) async fn serve(
    core: Running,
    portraits: Arc<Portraits>,
    request: Request<Vec<u8>>,
) -> Response<Vec<u8>> {
    let Some(wanted) = wanted(request.uri().path()) else {
        return answer(StatusCode::BAD_REQUEST, None);
    };
    // With the account's address: user ids of two servers may be equal on development servers.
    let whose = match &wanted {
        Wanted::Portrait(user) => core.handle().of_person(user),
        Wanted::Image(of) => core.handle().of_image(of),
    };
    let Some(whose) = whose else {
        return answer(StatusCode::NOT_FOUND, None);
    };
    let key = format!("{} {}", server(&whose), request.uri());
    if let Some(picture) = portraits.find(&key) {
        return answer(StatusCode::OK, Some(&picture));
    }
    let (bytes, largest) = match wanted {
        Wanted::Portrait(user) => {
            let version = version_of(request.uri().query());
            (whose.picture(&user, version).await, LARGEST)
        }
        Wanted::Image(of) => (whose.image(of).await, LARGEST_IMAGE),
    };
    match bytes {
        Some(bytes) if bytes.len() <= largest => match kind_of(&bytes) {
            Some(kind) => {
                let picture = Arc::new((bytes, kind));
                portraits.keep(key, Arc::clone(&picture));
                answer(StatusCode::OK, Some(&picture))
            }
            None => answer(StatusCode::NOT_FOUND, None),
        },
        _ => answer(StatusCode::NOT_FOUND, None),
    }
}

/// Address of the server that a client is signed in to.
fn server(client: &ClientHandle) -> String {
    match &client.snapshot().account {
        Account::SignedIn { server, .. } => server.url.clone(),
        _ => String::new(),
    }
}

/// What is asked for.
#[derive(Debug, PartialEq)]
enum Wanted {
    Portrait(UserId),
    Image(Image),
}

fn wanted(path: &str) -> Option<Wanted> {
    let path = path.strip_prefix('/')?;
    let (kind, id) = path.split_once('/').unwrap_or(("", path));
    let plausible = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if !plausible {
        return None;
    }
    Some(match kind {
        "" => Wanted::Portrait(UserId::from(id)),
        "thumbnail" => Wanted::Image(Image::Thumbnail(FileId::from(id))),
        "preview" => Wanted::Image(Image::Preview(FileId::from(id))),
        "whole" => Wanted::Image(Image::Whole(FileId::from(id))),
        "emoji" => Wanted::Image(Image::Emoji(id.to_owned())),
        _ => return None,
    })
}

/// The portrait's version; 0 if the page gives none.
fn version_of(query: Option<&str>) -> Millis {
    query
        .and_then(|query| query.strip_prefix("v="))
        .and_then(|version| version.parse().ok())
        .unwrap_or(0)
}

/// What the bytes are, by their first ones. Only pixels: an SVG could hold scripts and links.
fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}

fn answer(status: StatusCode, picture: Option<&Picture>) -> Response<Vec<u8>> {
    let mut response = Response::new(
        picture
            .map(|picture| picture.0.to_vec())
            .unwrap_or_default(),
    );
    *response.status_mut() = status;
    if let Some(picture) = picture {
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static(picture.1),
        );
        // The version is in the address, so what is under it never changes.
        headers.insert(
            header::CACHE_CONTROL,
            header::HeaderValue::from_static("private, max-age=86400, immutable"),
        );
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn picture(size: usize) -> Picture {
        Arc::new((Bytes::from(vec![0; size]), "image/png"))
    }

    #[test]
    fn the_cache_forgets_what_was_not_looked_at() {
        let mut cache = Cache::default();
        cache.keep("a".to_owned(), picture(CACHE_BYTES / 2));
        cache.keep("b".to_owned(), picture(CACHE_BYTES / 2));
        assert!(cache.find("a").is_some());
        cache.keep("c".to_owned(), picture(1));
        assert!(cache.find("b").is_none());
        assert!(cache.find("a").is_some() && cache.find("c").is_some());
        assert_eq!(cache.bytes, CACHE_BYTES / 2 + 1);
        cache.keep("c".to_owned(), picture(9));
        assert_eq!(cache.bytes, CACHE_BYTES / 2 + 1, "kept twice counts once");
    }

    #[test]
    fn only_a_plausible_user_is_asked_for() {
        let portrait = Wanted::Portrait(UserId::from("abc123"));
        assert_eq!(wanted("/abc123"), Some(portrait));
        let preview = Wanted::Image(Image::Preview(FileId::from("f1")));
        assert_eq!(wanted("/preview/f1"), Some(preview));
        let long = format!("/{}", "a".repeat(65));
        for path in [
            "",
            "/",
            "/../users",
            "/a/b",
            "/a%2e",
            "/preview/../x",
            &long,
        ] {
            assert_eq!(wanted(path), None, "{path}");
        }
    }

    #[test]
    fn a_version_is_a_number_or_none() {
        assert_eq!(version_of(Some("v=17")), 17);
        assert_eq!(version_of(Some("v=x")), 0);
        assert_eq!(version_of(None), 0);
    }

    #[test]
    fn only_pixels_are_portraits() {
        assert_eq!(kind_of(b"\x89PNG\r\n\x1a\n"), Some("image/png"));
        assert_eq!(kind_of(b"RIFF0000WEBPVP8 "), Some("image/webp"));
        assert_eq!(kind_of(b"<svg onload='x()'/>"), None);
        assert_eq!(kind_of(b""), None);
    }
}
