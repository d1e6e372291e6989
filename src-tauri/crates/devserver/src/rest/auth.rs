//! Who is asking (core reference 1.2): the first credential found decides, a cookie before a header.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::{Json, Refusal, Reply, done, ok};
use crate::app::App;

/// The user behind a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) id: String,
    pub(crate) token: String,
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let caller = identify(parts, app).ok_or_else(Refusal::session)?;
        let world = app.lock();
        // The path is without `/api/v4` here: the routes are nested.
        let exempt = ["/users/me", "/users/logout"].contains(&parts.uri.path());
        let without = world
            .users
            .get(&caller.id)
            .is_some_and(|u| u.mfa_code.is_none());
        if world.switches.enforce_mfa && without && !exempt {
            let id = "api.context.mfa_required.app_error";
            let text = "Multi-factor authentication is required on this server.";
            return Err(Refusal::new(403, id, text));
        }
        Ok(caller)
    }
}

/// The same for plugin routes, where the core forwards the unknown as anonymous.
#[derive(Clone, Debug)]
pub(crate) struct PluginCaller(pub(crate) Option<Caller>);

impl FromRequestParts<Arc<App>> for PluginCaller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self(identify(parts, app)))
    }
}

fn identify(parts: &Parts, app: &Arc<App>) -> Option<Caller> {
    let world = app.lock();
    if let Some(token) = cookie(&parts.headers, "MMAUTHTOKEN") {
        // The first credential wins, also when it is bad.
        let id = world.user_of_token(&token)?.to_owned();
        let csrf = parts.headers.get("x-csrf-token");
        let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS)
            || csrf.and_then(|v| v.to_str().ok()) == Some(world.logins[&token].csrf.as_str())
            || parts
                .headers
                .get("x-requested-with")
                .is_some_and(|v| v == "XMLHttpRequest");
        return safe.then_some(Caller { id, token });
    }
    let token = bearer(&parts.headers).or_else(|| query_token(parts))?;
    let id = world.user_of_token(&token)?.to_owned();
    Some(Caller { id, token })
}

/// `?access_token=` counts for plugin routes only; elsewhere it is for OAuth applications.
fn query_token(parts: &Parts) -> Option<String> {
    if !parts.uri.path().starts_with("/plugins/") {
        return None;
    }
    let query = parts.uri.query()?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(k, _)| k == "access_token")
        .map(|(_, v)| v.into_owned())
}

/// The token an upgrade request carries, if any.
pub(crate) fn socket_token(headers: &HeaderMap) -> Option<String> {
    cookie(headers, "MMAUTHTOKEN").or_else(|| bearer(headers))
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let known = ["bearer", "token"]
        .iter()
        .any(|s| scheme.eq_ignore_ascii_case(s));
    known.then(|| token.trim().to_owned())
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(k, v)| *k == name && !v.is_empty())
        .map(|(_, v)| v.to_owned())
}

/// `POST /users/login`.
pub(crate) async fn login(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Reply {
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let (login_id, password, code) = (text("login_id"), text("password"), text("token"));
    let mut world = app.lock();
    let invalid = || {
        Refusal::new(
            401,
            "api.user.login.invalid_credentials_email_username",
            "Enter a valid email or username and/or password.",
        )
    };
    if password.is_empty() {
        let message = "Password field must not be blank.";
        return Err(Refusal::new(
            401,
            "api.user.login.blank_pwd.app_error",
            message,
        ));
    }
    let name = login_id.strip_suffix("@halloo.test").unwrap_or(login_id);
    let id = world.user_named(name).ok_or_else(invalid)?.id.clone();
    let user = world.users.get_mut(&id).ok_or_else(invalid)?;
    if user.is_bot {
        let id = "api.user.login.bot_login_forbidden.app_error";
        return Err(Refusal::new(401, id, "Bot login is forbidden."));
    }
    if user.failed_logins >= 10 {
        let id = "api.user.check_user_login_attempts.too_many.app_error";
        let message = "Your account is locked because of too many failed password attempts.";
        return Err(Refusal::new(401, id, message));
    }
    if user.password != password {
        user.failed_logins += 1;
        return Err(invalid());
    }
    if user.delete_at > 0 {
        let id = "api.user.login.inactive.app_error";
        let message = "Login failed because your account has been deactivated.";
        return Err(Refusal::new(401, id, message));
    }
    match &user.mfa_code {
        Some(wanted) if wanted != code => {
            let well_formed = code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit());
            let id = if well_formed {
                user.failed_logins += 1;
                "api.user.check_user_mfa.bad_code.app_error"
            } else {
                "mfa.validate_token.authenticate.app_error"
            };
            return Err(Refusal::new(401, id, "Invalid MFA token."));
        }
        _ => {}
    }
    user.failed_logins = 0;
    let body = user.json(true);
    let token = world.login(&id);
    let csrf = world.logins[&token].csrf.clone();
    drop(world);
    let mut response = Json(body).into_response();
    let out = response.headers_mut();
    put(out, "token", &token);
    if headers
        .get("x-requested-with")
        .is_some_and(|v| v == "XMLHttpRequest")
    {
        let id = &id;
        for cookie in [
            format!("MMAUTHTOKEN={token}; Path=/; HttpOnly"),
            format!("MMUSERID={id}; Path=/"),
            format!("MMCSRF={csrf}; Path=/"),
        ] {
            if let Ok(value) = HeaderValue::from_str(&cookie) {
                out.append(header::SET_COOKIE, value);
            }
        }
    }
    Ok(response)
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// `POST /users/login/desktop_token`: the end of a single sign-on (core reference 3.4).
pub(crate) async fn desktop_token(State(app): State<Arc<App>>, Json(body): Json<Value>) -> Reply {
    let mut world = app.lock();
    let token = body["token"].as_str().unwrap_or_default();
    let limit = world.timings.desktop_token;
    let user = world
        .desktop_tokens
        .remove(token)
        .filter(|(_, made)| made.elapsed() < limit)
        .map(|(user, _)| user);
    let Some(user) = user else {
        let id = "app.desktop_token.validate.invalid";
        return Err(Refusal::new(401, id, "Token is not valid or has expired."));
    };
    // All of the user's tokens go with the first that is used.
    world.desktop_tokens.retain(|_, (u, _)| *u != user);
    let token = world.login(&user);
    let body = world.users.get(&user).map(|u| u.json(true));
    drop(world);
    let mut response = Json(body).into_response();
    put(response.headers_mut(), "token", &token);
    Ok(response)
}

/// Parameters of the single sign-on pages.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct SsoQuery {
    desktop_token: String,
    /// Who signs in at the imagined provider; alice by default. Not a parameter of real servers.
    user: Option<String>,
}

/// `GET /oauth/{service}/login?desktop_token=…`: the imagined provider agrees at once, and the page that
/// follows is the one that hands over to the app. Real servers redirect to `/login/desktop` first; the
/// link is the same.
pub(crate) async fn sso(
    State(app): State<Arc<App>>,
    Query(query): Query<SsoQuery>,
    headers: HeaderMap,
) -> Reply {
    let mut world = app.lock();
    let name = query.user.as_deref().unwrap_or("alice");
    let user = world.user_named(name).map(|u| u.id.clone());
    let user = user.ok_or_else(|| Refusal::bad("Nobody has that name."))?;
    let server_token = format!("{}{}", world.ids.next_id(), world.ids.next_id());
    let made = tokio::time::Instant::now();
    world
        .desktop_tokens
        .insert(server_token.clone(), (user, made));
    let host = headers
        .get(header::HOST)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default();
    let client_token: String = query
        .desktop_token
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .collect();
    let link = format!(
        "mattermost://{host}/login/desktop?client_token={client_token}&server_token={server_token}"
    );
    let page = format!(
        "<!DOCTYPE html><html><head><title>Signed in</title></head>\
         <body><a id=\"open\" href=\"{link}\">Open in the app</a></body></html>"
    );
    Ok(Html(page).into_response())
}

/// `POST /users/logout`: fine with a dead token too.
pub(crate) async fn logout(State(app): State<Arc<App>>, caller: PluginCaller) -> Reply {
    if let Some(caller) = caller.0 {
        app.lock().expire_login(&caller.token);
    }
    let mut response: Response = done()?;
    for name in ["MMAUTHTOKEN", "MMUSERID", "MMCSRF"] {
        if let Ok(value) = HeaderValue::from_str(&format!("{name}=; Path=/; Max-Age=0")) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    Ok(response)
}

/// `GET /users/me/sessions`.
pub(crate) async fn sessions(State(app): State<Arc<App>>, caller: Caller) -> Reply {
    let world = app.lock();
    let list: Vec<Value> = world
        .logins
        .values()
        .filter(|l| l.user == caller.id && !l.expired)
        .map(|l| {
            json!({
                "id": l.id, "token": "", "create_at": l.create_at,
                "expires_at": l.create_at + 30 * 86_400_000_i64, "last_activity_at": l.create_at,
                "user_id": l.user, "device_id": "", "roles": "system_user", "is_oauth": false,
                "props": {}, "team_members": null,
            })
        })
        .collect();
    ok(list.into())
}

/// `POST /users/me/sessions/revoke`.
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Value>,
) -> Reply {
    let mut world = app.lock();
    let wanted = body.get("session_id").and_then(Value::as_str);
    let token = world
        .logins
        .iter()
        .find(|(_, l)| l.user == caller.id && Some(l.id.as_str()) == wanted)
        .map(|(t, _)| t.clone())
        .ok_or_else(|| Refusal::bad("Invalid session_id."))?;
    world.expire_login(&token);
    done()
}

/// `POST /users/{id}/tokens`: a personal access token, which is a login that never idles out.
pub(crate) async fn make_token(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(user): Path<String>,
    Json(body): Json<Value>,
) -> Reply {
    let mut world = app.lock();
    if user != "me" && user != caller.id {
        return Err(Refusal::permission());
    }
    let token = world.login(&caller.id);
    let id = world.logins[&token].id.clone();
    ok(json!({
        "id": id, "token": token, "user_id": caller.id, "is_active": true,
        "description": body.get("description").cloned().unwrap_or_default(),
    }))
}
