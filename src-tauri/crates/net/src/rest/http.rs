//! Requests and answers as such: addresses, the token, limits, and errors in all their shapes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use calls_core::port::{RequestError, Secret};
use calls_core::wire;
use calls_core::wire::rest::ErrorBody;
use reqwest::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::tls::Trust;
use crate::{error, tls};

/// Largest JSON answer, bytes. A directory of ten thousand channels is about 8 MB.
pub(super) const MAX_JSON: usize = 32 << 20;
/// Largest portrait, bytes.
pub(super) const MAX_PICTURE: usize = 4 << 20;
/// Longest wait for a connection. Longer than a lost SYN or two, shorter than patience.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for a whole answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Longest time for a file, either way. 100 MB in it are 0.25 Mbit/s.
const PATIENCE: Duration = Duration::from_secs(3600);

/// The HTTP client: no cookies (a cookie would beat the token and then ask for a CSRF header), no redirects to
/// other hosts. Clones share connections.
#[derive(Clone, Debug)]
pub(super) struct Http {
    user_agent: Arc<str>,
    trust: Trust,
    /// By port: what the person trusts is good for one port, and a client judges all certificates alike. In a run there are two or
    /// three; an address typed by a person adds one.
    clients: Arc<Mutex<BTreeMap<u16, Client>>>,
}

/// An answer with a good status.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Where it came from in the end.
    pub(super) url: Url,
}

impl Http {
    pub(super) fn new(user_agent: &str, trust: &Trust) -> Self {
        Self {
            user_agent: user_agent.into(),
            trust: trust.clone(),
            clients: Arc::default(),
        }
    }

    /// The client for an address. Where it redirects to another port, a certificate there is judged, and asked about, as one of
    /// this port; from plain HTTP's own port people are led to HTTPS's own.
    fn client(&self, url: &Url) -> Client {
        let port = match (url.scheme(), url.port_or_known_default()) {
            ("http", Some(80)) => 443,
            (_, port) => port.unwrap_or_default(),
        };
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients.entry(port).or_insert_with(|| self.build(port));
        client.clone()
    }

    /// Leaves the connections that are kept for further requests; what is under way on them goes on.
    pub(super) fn forget_connections(&self) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.clear();
    }

    fn build(&self, port: u16) -> Client {
        tls::install();
        let tls = tls::client(Some((&self.trust, port))).map(|config| {
            let mut config = rustls::ClientConfig::clone(&config);
            config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            config
        });
        let builder = || {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
            Client::builder()
                .user_agent(&*self.user_agent)
                .default_headers(headers)
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TIMEOUT)
                .redirect(redirect::Policy::custom(follow))
        };
        // What cannot be built here reaches servers on http: at least.
        let client = match tls {
            Ok(config) => builder().tls_backend_preconfigured(config).build(),
            Err(error) => {
                tracing::error!(%error, "https will not work");
                builder().tls_certs_only([]).build()
            }
        };
        client.unwrap_or_default()
    }

    pub(super) fn get(&self, url: Url, token: Option<&Secret>) -> RequestBuilder {
        authorise(self.client(&url).get(url), token)
    }

    pub(super) fn post<B: Serialize + ?Sized>(
        &self,
        url: Url,
        token: Option<&Secret>,
        body: &B,
    ) -> RequestBuilder {
        authorise(self.client(&url).post(url), token).json(body)
    }

    pub(super) fn delete(&self, url: Url, token: Option<&Secret>) -> RequestBuilder {
        authorise(self.client(&url).delete(url), token)
    }

    /// A request that replaces something, with a JSON body.
    pub(super) fn put<B: Serialize + ?Sized>(
        &self,
        url: Url,
        token: Option<&Secret>,
        body: &B,
    ) -> RequestBuilder {
        authorise(self.client(&url).put(url), token).json(body)
    }

    /// A body that is sent in pieces. It may take as long as it takes: the line's speed is nobody's fault.
    pub(super) fn send_body(
        &self,
        url: Url,
        token: Option<&Secret>,
        length: u64,
        body: reqwest::Body,
    ) -> RequestBuilder {
        authorise(self.client(&url).post(url), token)
            .header(reqwest::header::CONTENT_LENGTH, length)
            .timeout(PATIENCE)
            .body(body)
    }

    /// Sends, and hands the answer over before its body.
    pub(super) async fn open(
        &self,
        request: RequestBuilder,
    ) -> Result<reqwest::Response, RequestError> {
        let response = request
            .timeout(PATIENCE)
            .send()
            .await
            .map_err(|error| error::from_http(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let headers = response.headers().clone();
        Err(refusal(status, &headers, &[]))
    }

    /// Sends, and reads the whole answer, at most `limit` bytes.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        limit: usize,
    ) -> Result<Answer, RequestError> {
        let mut response = request
            .send()
            .await
            .map_err(|error| error::from_http(&error))?;
        let status = response.status();
        let headers = response.headers().clone();
        let url = response.url().clone();
        let mut body = BytesMut::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| error::from_http(&error))?
        {
            if body.len() + chunk.len() > limit {
                return Err(RequestError::NotUnderstood("answer too large".into()));
            }
            body.extend_from_slice(&chunk);
        }
        let body = body.freeze();
        if status.is_success() {
            Ok(Answer { headers, body, url })
        } else {
            Err(refusal(status, &headers, &body))
        }
    }
}

fn authorise(request: RequestBuilder, token: Option<&Secret>) -> RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token.reveal()),
        None => request,
    }
}

/// Redirects stay on the host, and never go back from https to http: the token travels with them.
fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let allowed = attempt.previous().last().is_some_and(|from| {
        let to = attempt.url();
        from.host_str() == to.host_str()
            && (from.scheme() == to.scheme() || to.scheme() == "https")
            && attempt.previous().len() <= 5
    });
    if allowed {
        attempt.follow()
    } else {
        attempt.stop()
    }
}

/// What a bad status means. Three shapes of error bodies exist, and plain text, and HTML from proxies: the content
/// decides, never the content type.
fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> RequestError {
    let parsed: Option<ErrorBody> = wire::parse(body).ok();
    if status == StatusCode::TOO_MANY_REQUESTS {
        let seconds = [RETRY_AFTER.as_str(), "x-ratelimit-reset"]
            .into_iter()
            .find_map(|name| headers.get(name)?.to_str().ok()?.parse::<u64>().ok())
            .unwrap_or(1);
        // An administrator's typing error must not lock the client up for a day.
        let after = Duration::from_secs(seconds.clamp(1, 300));
        return RequestError::RateLimited { after };
    }
    let (id, message) = match parsed {
        Some(body) if !body.message.is_empty() || !body.id.is_empty() => (body.id, body.message),
        Some(body) if !body.error.is_empty() => (String::new(), body.error),
        _ => (String::new(), plain(body)),
    };
    if status.is_redirection() {
        return RequestError::NotUnderstood("redirected to another host".into());
    }
    // A failed login is 401 as well; only this one means that the session is over.
    let expired = id.is_empty() || id == "api.context.session_expired.app_error";
    if status == StatusCode::UNAUTHORIZED && expired {
        return RequestError::Unauthorised;
    }
    RequestError::Refused {
        status: status.as_u16(),
        id,
        message,
    }
}

/// Text of an error page for "Details"; empty for HTML, which helps nobody.
fn plain(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with('<') {
        String::new()
    } else {
        text.chars().take(200).collect()
    }
}

/// Reads JSON, whatever the content type says.
pub(super) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, RequestError> {
    wire::parse(body).map_err(|error| {
        let html = body.trim_ascii_start().starts_with(b"<");
        RequestError::NotUnderstood(if html {
            "a web page instead of data".to_owned()
        } else {
            error.to_string()
        })
    })
}

/// An address below a site address, which may have a path of its own (`https://host/chat`).
pub(super) fn address(
    site: &str,
    path: &[&str],
    query: &[(&str, &str)],
) -> Result<Url, RequestError> {
    let mut url = site_url(site).ok_or_else(|| RequestError::NotUnderstood(site.to_owned()))?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

/// A site address as an address; `None` unless it is http or https with a host, and without a name and password.
pub(crate) fn site_url(site: &str) -> Option<Url> {
    let mut url = Url::parse(site).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    let plain = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && plain).then_some(url)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn addresses_keep_the_sub_path_and_quote_what_comes_from_outside() {
        let cases = [
            ("https://host", "https://host/api/v4/users/me?a=1%262"),
            ("https://host/", "https://host/api/v4/users/me?a=1%262"),
            (
                "http://host:8065/chat",
                "http://host:8065/chat/api/v4/users/me?a=1%262",
            ),
        ];
        for (site, expected) in cases {
            let url = address(site, &["api", "v4", "users", "me"], &[("a", "1&2")]).unwrap();
            assert_eq!(url.as_str(), expected);
        }
        let url = address("https://host", &["users", "../../admin?x"], &[]).unwrap();
        assert_eq!(url.as_str(), "https://host/users/..%2F..%2Fadmin%3Fx");
        assert!(address("file:///etc", &["x"], &[]).is_err());
        assert!(address("nonsense", &["x"], &[]).is_err());
    }

    #[test]
    fn every_shape_of_refusal_is_understood() {
        let none = HeaderMap::new();
        let read = |status: u16, body: &str| {
            refusal(
                StatusCode::from_u16(status).unwrap(),
                &none,
                body.as_bytes(),
            )
        };
        let refused = |status, id: &str, message: &str| RequestError::Refused {
            status,
            id: id.into(),
            message: message.into(),
        };
        assert_eq!(
            read(
                403,
                r#"{"id":"api.context.permissions.app_error","message":"no","status_code":403}"#
            ),
            refused(403, "api.context.permissions.app_error", "no")
        );
        assert_eq!(
            read(400, r#"{"message":"no call ongoing","status_code":400}"#),
            refused(400, "", "no call ongoing")
        );
        assert_eq!(read(500, r#"{"error":"boom"}"#), refused(500, "", "boom"));
        assert_eq!(read(403, "Forbidden\n"), refused(403, "", "Forbidden"));
        assert_eq!(read(502, "<html>bad gateway</html>"), refused(502, "", ""));
        assert_eq!(read(401, "Unauthorized"), RequestError::Unauthorised);
        assert_eq!(
            read(
                401,
                r#"{"id":"api.context.session_expired.app_error","message":"x"}"#
            ),
            RequestError::Unauthorised
        );
        assert_eq!(
            read(
                401,
                r#"{"id":"mfa.validate_token.authenticate.app_error","message":"x"}"#
            ),
            refused(401, "mfa.validate_token.authenticate.app_error", "x")
        );
        assert_eq!(
            read(302, ""),
            RequestError::NotUnderstood("redirected to another host".into())
        );
    }

    #[test]
    fn a_rate_limit_says_how_long_within_reason() {
        for (value, seconds) in [("7", 7), ("0", 1), ("86400", 300), ("soon", 1)] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
            let read = refusal(StatusCode::TOO_MANY_REQUESTS, &headers, b"limit exceeded");
            let after = Duration::from_secs(seconds);
            assert_eq!(read, RequestError::RateLimited { after });
        }
    }

    #[test]
    fn a_web_page_instead_of_data_is_named_as_such() {
        let read = json::<wire::rest::User>(b"\n<!doctype html><html></html>");
        assert_eq!(
            read,
            Err(RequestError::NotUnderstood(
                "a web page instead of data".into()
            ))
        );
    }

    /// Answers whatever is asked, and counts connections.
    async fn answer_all(listener: TcpListener, connections: Arc<AtomicUsize>) {
        while let Ok((mut stream, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut asked = [0; 4096];
                while stream.read(&mut asked).await.is_ok_and(|count| count > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    }

    #[tokio::test]
    async fn connections_that_lead_nowhere_are_not_used_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let answering = tokio::spawn(answer_all(listener, Arc::clone(&connections)));
        let http = Http::new("Test/1", &Trust::default());
        let (one, other) = (http.clone(), http);
        let ask = async || {
            let before = connections.load(Ordering::SeqCst);
            one.send(one.get(url.clone(), None), 10).await.unwrap();
            connections.load(Ordering::SeqCst) > before
        };
        assert!(ask().await, "a first connection");
        // It is put by once the answer has been read, which may be a moment later.
        let mut kept = false;
        for _ in 0..10 {
            kept |= !ask().await;
        }
        assert!(kept);
        other.forget_connections();
        assert!(ask().await, "a new one");
        answering.abort();
    }
}
