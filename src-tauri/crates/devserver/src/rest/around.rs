//! What lies around every answer: the faults before it, its headers after it, and CORS for pages of this
//! machine.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use super::answer::Refusal;
use crate::app::App;
use crate::socket;

/// What happens to every request: faults first, then the answer, then its headers.
pub(crate) async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let origin = local_origin(request.headers());
    let path = request.uri().path().to_owned();
    let mut response = if request.method() == Method::OPTIONS && origin.is_some() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        match spoil(&app, &path).await {
            Some(spoiled) => spoiled,
            None => next.run(request).await,
        }
    };
    let out = response.headers_mut();
    let version = format!("{}.dev.0123abcd.false", socket::actions::VERSION);
    if let Ok(value) = HeaderValue::from_str(&version) {
        out.insert("x-version-id", value);
    }
    let id = HeaderValue::from_static("devserverxxxxxxxxxxxxxxxxx");
    out.insert("x-request-id", id);
    if let Some(origin) = origin {
        allow(out, origin);
    }
    response
}

/// Pages of this machine may call the server from a browser, as with `AllowCorsFrom`.
fn local_origin(headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    if origin == "null" {
        // A page opened from a file.
        return Some(origin.clone());
    }
    let url = url::Url::parse(origin.to_str().ok()?).ok()?;
    let local = ["localhost", "127.0.0.1", "[::1]", "tauri.localhost"];
    local.contains(&url.host_str()?).then(|| origin.clone())
}

fn allow(out: &mut HeaderMap, origin: HeaderValue) {
    const HEADERS: &str = "authorization, content-type, x-csrf-token, x-requested-with, \
                           connection-id, accept-language, cache-control";
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
        (
            header::ACCESS_CONTROL_ALLOW_METHODS,
            "GET, POST, PUT, PATCH, DELETE, HEAD",
        ),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "token, x-version-id, x-request-id",
        ),
    ];
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in fixed {
        out.insert(name, HeaderValue::from_static(value));
    }
}

/// The fault that is planned for this path, if any.
async fn spoil(app: &Arc<App>, path: &str) -> Option<Response> {
    if path.starts_with("/dev/") || path == "/api/v4/websocket" {
        return None;
    }
    let fault = {
        let mut world = app.lock();
        let list = &mut world.faults.rest;
        let found = list.iter_mut().find(|f| path.starts_with(&f.prefix))?;
        if let Some(left) = &mut found.left {
            *left = left.saturating_sub(1);
        }
        let found = found.clone();
        list.retain(|f| f.left != Some(0));
        found
    };
    if !fault.delay.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(fault.delay) => {}
            () = app.stopped() => {}
        }
    }
    if fault.html {
        let page = "<!DOCTYPE html><html><head><title>Welcome to our Wi-Fi</title></head>\
                    <body><h1>Please accept the terms</h1></body></html>";
        return Some(Html(page).into_response());
    }
    let status = StatusCode::from_u16(fault.status?).ok()?;
    let mut response = if status == StatusCode::TOO_MANY_REQUESTS {
        // Plain text, unlike every other error.
        (status, "limit exceeded").into_response()
    } else if status == StatusCode::UNAUTHORIZED {
        Refusal::session().into_response()
    } else {
        let body = Html(format!("<html><body><h1>{status}</h1></body></html>"));
        (status, body).into_response()
    };
    if let Some(seconds) = fault.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Some(response)
}
