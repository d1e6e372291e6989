//! The REST side of the Calls plugin (REST reference, chapters 1–3). `{call_id}` in its paths is
//! always the channel id.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::answer::Json;
use super::auth::{Caller, PluginCaller};
use crate::app::App;
use crate::clock::Bucket;
use crate::id::is_id;
use crate::world::World;

mod answers;

/// A refusal in one of the plugin's shapes.
#[derive(Debug)]
enum No {
    /// Shape A: plain text.
    Text(u16, &'static str),
    /// Shape B: `{"message","status_code"}`.
    Object(u16, String),
}

/// Everything under `/plugins/com.mattermost.calls/`.
pub(crate) async fn route(
    State(app): State<Arc<App>>,
    caller: PluginCaller,
    method: Method,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut world = app.lock();
    if world.switches.plugin_missing {
        return (StatusCode::NOT_FOUND, "404 page not found\n").into_response();
    }
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    match (&method, parts.as_slice()) {
        (&Method::GET, ["version"]) => return Json(world.plugin_version()).into_response(),
        (&Method::GET, ["metrics"]) => return metrics(&world.stats()).into_response(),
        (_, ["standalone", ..]) => return guard_pages(&headers),
        _ => {}
    }
    let Some(caller) = caller.0 else {
        return text(401, "Unauthorized");
    };
    if world.is_limited(&caller.id) && parts.first() != Some(&"bot") {
        let body = "{\"message\": \"too many requests\", \"status_code\": 429}";
        return text(429, body);
    }
    // 1 MiB, and two for logs.
    let limit = if parts.first() == Some(&"logs") { 2 } else { 1 };
    if body.len() > limit * 1024 * 1024 {
        return world.shape(400, "http: request body too large");
    }
    let result = world.calls_route(&caller, &method, &parts, &body);
    match result {
        Ok(response) => response,
        Err(No::Text(code, message)) => text(code, message),
        Err(No::Object(code, message)) => world.shape(code, &message),
    }
}

/// What `GET /metrics` tells, in Prometheus's text form. The names are our own: it counts what this server holds.
fn metrics(stats: &Value) -> impl IntoResponse + use<> {
    let of = |key: &str| stats[key].as_u64().unwrap_or(0);
    let lines = [
        ("connections", "gauge", of("connections")),
        ("calls", "gauge", of("calls")),
        ("call_sessions", "gauge", of("sessions")),
        ("calls_started_total", "counter", of("calls_started")),
        ("events_total", "counter", of("events")),
        ("client_metrics_total", "counter", of("metrics")),
    ];
    let line = |(name, kind, value)| {
        format!("# TYPE halloo_dev_{name} {kind}\nhalloo_dev_{name} {value}\n")
    };
    let text: String = lines.map(line).concat();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

fn text(code: u16, body: &'static str) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, format!("{body}\n")).into_response()
}

/// The widget's pages are not served; the guard in front of them is.
fn guard_pages(headers: &HeaderMap) -> Response {
    let value = |name: &str| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let agent = value("user-agent");
    let official = agent.contains("Mattermost") && agent.contains("Electron");
    let flagged = value("x-calls-recorder") == "true" || value("x-calls-e2e") == "true";
    let same = url::Url::parse(&value("referer"))
        .is_ok_and(|r| r.host_str() == value("host").split(':').next());
    if official || flagged || same {
        text(404, "404 page not found")
    } else {
        text(403, "Forbidden")
    }
}

impl World {
    fn is_limited(&mut self, user: &str) -> bool {
        if self.faults.storm {
            return true;
        }
        if !self.switches.rest_limit {
            return false;
        }
        let bucket = self
            .rest_buckets
            .entry(user.to_owned())
            .or_insert_with(|| Bucket::new(1.0, 10.0));
        !bucket.try_take(Instant::now())
    }

    /// Shape B. On real servers it leaves as `text/plain`, because the header comes too late.
    fn shape(&self, code: u16, message: &str) -> Response {
        let body = json!({"message": message, "status_code": code}).to_string();
        let kind = if self.switches.plain_errors && code >= 400 {
            "text/plain; charset=utf-8"
        } else {
            "application/json"
        };
        let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let kind = HeaderValue::from_static(kind);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }

    fn success(&self) -> Response {
        self.shape(200, "success")
    }

    fn plugin_version(&self) -> Value {
        let mut value = json!({"version": self.switches.plugin_version, "build": "dev"});
        if let Some(rtcd) = &self.switches.rtcd_version {
            value["rtcd_version"] = rtcd.clone().into();
            value["rtcd_build"] = "dev".into();
        }
        value
    }

    fn calls_route(
        &mut self,
        caller: &Caller,
        method: &Method,
        parts: &[&str],
        body: &[u8],
    ) -> Result<Response, No> {
        let user = caller.id.as_str();
        let admin = self.users.get(user).is_some_and(|u| u.is_admin());
        let forbidden = No::Text(403, "Forbidden");
        let get = method == Method::GET;
        let post = method == Method::POST;
        match parts {
            ["config"] if get => Ok(Json(self.calls_config(admin)).into_response()),
            ["env"] if get && admin => Ok(Json(json!({})).into_response()),
            ["stats"] if get && admin => Ok(Json(self.site_stats()).into_response()),
            ["env" | "stats"] if get => Err(forbidden),
            ["channels"] if get => Ok(Json(self.calls_channels(user)).into_response()),
            ["turn-credentials"] if get => self.turn_credentials(user),
            ["logs", "upload"] if post => self.upload_logs(user, body),
            ["cloud-notify-admins"] if post => {
                let body = json!({"error": "not a cloud server"});
                Ok((StatusCode::BAD_REQUEST, Json(body)).into_response())
            }
            ["bot", ..] => Err(forbidden),
            [channel] if is_id(channel) && get => {
                if !self.can_read(user, channel) {
                    return Err(forbidden);
                }
                Ok(Json(self.calls_channel(channel, user)).into_response())
            }
            [channel] if is_id(channel) && post => self.enable_calls(channel, user, admin, body),
            ["calls", channel, rest @ ..] if is_id(channel) => {
                self.call_route(user, method, channel, rest, body)
            }
            ["version" | "config" | "env" | "channels" | "turn-credentials" | "stats"]
            | ["logs", "upload"] => Err(No::Text(405, "Method Not Allowed")),
            _ => Err(No::Text(404, "404 page not found")),
        }
    }

    fn call_route(
        &mut self,
        user: &str,
        method: &Method,
        channel: &str,
        rest: &[&str],
        body: &[u8],
    ) -> Result<Response, No> {
        let known = matches!(
            rest,
            ["active" | "dismiss-notification" | "end" | "decline"] | ["recording" | "host", _]
        );
        if !known {
            return Err(No::Text(404, "404 page not found"));
        }
        if rest == ["active"] {
            if method != Method::GET {
                return Err(No::Text(405, "Method Not Allowed"));
            }
            if !self.can_read(user, channel) {
                return Err(No::Text(403, "Forbidden"));
            }
            let active = self.calls.active.contains_key(channel);
            return Ok(Json(json!({"active": active})).into_response());
        }
        if method != Method::POST {
            return Err(No::Text(405, "Method Not Allowed"));
        }
        let refuse = |code: u16| move |text: &'static str| No::Object(code, text.to_owned());
        match rest {
            ["dismiss-notification"] => self.dismiss(channel, user).map_err(refuse(400))?,
            ["decline"] if self.switches.dm_calls => self
                .decline(channel, user)
                .map_err(|(code, text)| No::Object(code, text.to_owned()))?,
            ["decline"] => return Err(No::Text(404, "404 page not found")),
            ["end"] => self
                .host_control(channel, user, "end", &Value::Null)
                .map_err(refuse(400))?,
            ["recording", action] => {
                let job = self
                    .record(channel, user, action)
                    .map_err(|(code, text)| No::Object(code, text.to_owned()))?;
                return Ok(Json(job).into_response());
            }
            ["host", action] => {
                let known = [
                    "make",
                    "mute",
                    "mute-others",
                    "screen-off",
                    "lower-hand",
                    "remove",
                    "end",
                ];
                if !known.contains(action) {
                    return Err(No::Text(404, "404 page not found"));
                }
                let bare = matches!(*action, "mute-others" | "end");
                let body = if bare {
                    Value::Null
                } else {
                    serde_json::from_slice(body).map_err(|e| No::Object(400, e.to_string()))?
                };
                self.host_control(channel, user, action, &body)
                    .map_err(refuse(400))?;
            }
            _ => return Err(No::Text(404, "404 page not found")),
        }
        Ok(self.success())
    }
}
