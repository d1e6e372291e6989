//! Before and around sign-in: finding a server, and proving who we are.

use calls_core::port::{Reply, RequestError, Secret};
use calls_core::snapshot::{Outside, OutsideService, ServerInfo};
use calls_core::wire;
use serde_json::Value;
use url::{Host, Url};

use super::http::{self, Http, MAX_JSON};
use crate::translate;

/// Looks for a server at an address as typed: without scheme, with the path of a channel link, with a sub-path.
pub(super) async fn find(http: &Http, address: &str) -> Result<Reply, RequestError> {
    let mut failure = None;
    for site in candidates(address) {
        match ping(http, &site).await {
            Ok(site) => return describe(http, &site).await.map(Reply::Found),
            Err(error) => {
                tracing::debug!(%site, %error, "no server here");
                // "There is something, but not Mattermost" says more than "nothing answers".
                let telling = matches!(
                    error,
                    RequestError::NotUnderstood(_) | RequestError::Refused { .. }
                );
                if telling || failure.is_none() {
                    failure = Some(error);
                }
            }
        }
    }
    // A refusal of a ping (404 …) is somebody else's server.
    Err(match failure {
        None => RequestError::NotUnderstood(format!("not an address: {address}")),
        Some(RequestError::Refused { status, .. }) => {
            RequestError::NotUnderstood(format!("status {status} instead of Mattermost"))
        }
        Some(RequestError::Unauthorised) => RequestError::NotUnderstood("status 401".into()),
        Some(other) => other,
    })
}

/// The site addresses that may be meant, best first: https before http (which only counts for this very machine or
/// when typed), the path as typed before its parents.
fn candidates(address: &str) -> Vec<Url> {
    let address = address.trim();
    let schemes: &[&str] = if address.contains("://") {
        &[""]
    } else {
        &["https://", "http://"]
    };
    let mut found = Vec::new();
    for scheme in schemes {
        let Some(url) = http::site_url(&format!("{scheme}{address}")) else {
            continue;
        };
        if *scheme == "http://" && !is_loopback(&url) {
            continue;
        }
        let mut path: Vec<String> = url
            .path_segments()
            .map(|segments| {
                segments
                    .filter(|s| !s.is_empty())
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default();
        // A pasted link to a channel has the site's own path in front of at least two more parts.
        path.truncate(4);
        loop {
            let mut site = url.clone();
            if let Ok(mut segments) = site.path_segments_mut() {
                segments.clear().extend(&path);
            }
            found.push(site);
            if path.pop().is_none() {
                break;
            }
        }
    }
    found
}

/// True if the address is this very machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Asks whether Mattermost answers; the address it answered from in the end (http may lead to https).
async fn ping(http: &Http, site: &Url) -> Result<String, RequestError> {
    let url = http::address(site.as_str(), &["api", "v4", "system", "ping"], &[])?;
    let answer = match http.send(http.get(url, None), MAX_JSON).await {
        Ok(answer) => answer,
        // Unhealthy, but it is one.
        Err(RequestError::Refused { status: 500, .. }) => return Ok(text_of(site)),
        Err(error) => return Err(error),
    };
    let ping: wire::rest::Ping = http::json(&answer.body)?;
    if ping.status.is_empty() {
        return Err(RequestError::NotUnderstood("another kind of server".into()));
    }
    let mut site = answer.url;
    if let Ok(mut segments) = site.path_segments_mut() {
        // api, v4, system, ping
        segments.pop().pop().pop().pop();
    }
    site.set_query(None);
    Ok(text_of(&site))
}

fn text_of(site: &Url) -> String {
    site.as_str().trim_end_matches('/').to_owned()
}

async fn describe(http: &Http, site: &str) -> Result<ServerInfo, RequestError> {
    let config = async {
        let url = http::address(
            site,
            &["api", "v4", "config", "client"],
            &[("format", "old")],
        )?;
        let answer = http.send(http.get(url, None), MAX_JSON).await?;
        http::json::<wire::rest::ClientConfig>(&answer.body)
    };
    let (config, calls) = tokio::join!(config, calls_version(http, site));
    let config = config?;
    let text = |key: &str| {
        let value = config.get(key).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let url = Url::parse(site).map_err(|_| RequestError::NotUnderstood(site.to_owned()))?;
    Ok(ServerInfo {
        insecure: url.scheme() == "http" && !is_loopback(&url),
        url: site.to_owned(),
        name: text("SiteName"),
        version: text("Version"),
        calls_version: calls,
        outside: outside(&text),
    })
}

/// The ways to sign in with a browser that the server's configuration names (mattermost-core §2.1).
fn outside(text: &impl Fn(&str) -> String) -> Vec<Outside> {
    let switch = |service| match service {
        OutsideService::Gitlab => ("EnableSignUpWithGitLab", "GitLabButtonText"),
        OutsideService::Google => ("EnableSignUpWithGoogle", ""),
        OutsideService::Office365 => ("EnableSignUpWithOffice365", ""),
        OutsideService::Openid => ("EnableSignUpWithOpenId", "OpenIdButtonText"),
        OutsideService::Saml => ("EnableSaml", "SamlLoginButtonText"),
    };
    let on = |service: &OutsideService| text(switch(*service).0) == "true";
    OutsideService::ALL
        .into_iter()
        .filter(on)
        .map(|service| Outside {
            service,
            label: text(switch(service).1).chars().take(60).collect(),
        })
        .collect()
}

/// The version of the Calls plugin; `None` without it. Never fails: sign-in works without calls.
async fn calls_version(http: &Http, site: &str) -> Option<String> {
    let url = http::address(site, &["api", "v4", "plugins", "webapp"], &[]).ok()?;
    let answer = http.send(http.get(url, None), MAX_JSON).await.ok()?;
    let manifests: Vec<wire::rest::Manifest> = http::json(&answer.body).ok()?;
    manifests
        .into_iter()
        .find(|manifest| manifest.id == wire::calls::PLUGIN_ID)
        .map(|manifest| manifest.version)
}

/// Signs in with a password.
pub(super) async fn sign_in(
    http: &Http,
    server: &str,
    login: String,
    password: &Secret,
    code: Option<&Secret>,
) -> Result<Reply, RequestError> {
    let body = wire::rest::Login {
        login_id: login,
        password: password.reveal().to_owned(),
        token: code
            .map(|code| code.reveal().to_owned())
            .unwrap_or_default(),
        device_id: String::new(),
    };
    let url = http::address(server, &["api", "v4", "users", "login"], &[])?;
    log_in(http, url, &body).await
}

/// Signs in with what the person's browser brought back.
pub(super) async fn sign_in_outside(
    http: &Http,
    server: &str,
    token: &Secret,
) -> Result<Reply, RequestError> {
    let path = ["api", "v4", "users", "login", "desktop_token"];
    let body = serde_json::json!({"token": token.reveal(), "device_id": ""});
    log_in(http, http::address(server, &path, &[])?, &body).await
}

async fn log_in(
    http: &Http,
    url: Url,
    body: &(impl serde::Serialize + Sync),
) -> Result<Reply, RequestError> {
    let answer = match http.send(http.post(url, None, body), MAX_JSON).await {
        // There is no session yet that could have expired: an unknown 401 is a failed login.
        Err(RequestError::Unauthorised) => {
            return Err(RequestError::Refused {
                status: 401,
                id: String::new(),
                message: String::new(),
            });
        }
        answer => answer?,
    };
    let me: wire::rest::User = http::json(&answer.body)?;
    let token = answer
        .headers
        .get("token")
        .and_then(|token| token.to_str().ok())
        .filter(|token| !token.is_empty())
        .ok_or_else(|| RequestError::NotUnderstood("no token in the answer".into()))?;
    signed_in(me, Secret::new(token))
}

/// Signs in with a token that we have.
pub(super) async fn check_token(
    http: &Http,
    server: &str,
    token: Secret,
) -> Result<Reply, RequestError> {
    let url = http::address(server, &["api", "v4", "users", "me"], &[])?;
    let answer = http.send(http.get(url, Some(&token)), MAX_JSON).await?;
    signed_in(http::json(&answer.body)?, token)
}

fn signed_in(me: wire::rest::User, token: Secret) -> Result<Reply, RequestError> {
    if me.id.is_empty() {
        return Err(RequestError::NotUnderstood("a user without an id".into()));
    }
    Ok(Reply::SignedIn {
        token,
        me: Box::new(translate::user_of(me)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(address: &str) -> Vec<String> {
        candidates(address).iter().map(text_of).collect()
    }

    #[test]
    fn what_people_type_becomes_addresses_to_try() {
        assert_eq!(texts(" chat.example.org "), ["https://chat.example.org"]);
        assert_eq!(
            texts("http://chat.example.org"),
            ["http://chat.example.org"]
        );
        assert_eq!(
            texts("localhost:8065"),
            ["https://localhost:8065", "http://localhost:8065"]
        );
        assert_eq!(
            texts("127.0.0.1:8065/"),
            ["https://127.0.0.1:8065", "http://127.0.0.1:8065"]
        );
        assert_eq!(
            texts("https://host/chat/team"),
            [
                "https://host/chat/team",
                "https://host/chat",
                "https://host"
            ]
        );
        assert_eq!(texts("mailto:a@b"), ["https://mailto:a@b"; 0]);
        assert_eq!(texts(""), [""; 0]);
        assert_eq!(texts("ftp://host"), [""; 0]);
    }

    #[test]
    fn this_machine_is_recognised_by_all_its_names() {
        let cases = [
            ("http://localhost", true),
            ("http://app.localhost:1", true),
            ("http://127.8.0.1", true),
            ("http://[::1]:8065", true),
            ("http://localhost.example.org", false),
            ("http://10.0.0.1", false),
        ];
        for (text, expected) in cases {
            let url = Url::parse(text);
            assert_eq!(url.ok().as_ref().map(is_loopback), Some(expected), "{text}");
        }
    }
}
