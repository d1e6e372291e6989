//! Opening one WebSocket.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::{AUTHORIZATION, USER_AGENT};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use super::Target;
use super::resume::Resume;
use crate::address::{Host as _, System};
use crate::error::NetError;
use crate::rest::site_url;
use crate::tls;

/// An open WebSocket.
pub(super) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Longest wait for the connection and the upgrade together.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest message of a server. `config_changed` can reach some hundred kilobytes.
const MAX_MESSAGE: usize = 16 << 20;

/// Opens the WebSocket of a server, asking to resume what `resume` knows. No `Origin` header is sent: with one,
/// the server would compare it with its own address.
pub(super) fn open(
    target: &Target,
    resume: &Resume,
) -> impl Future<Output = Result<Stream, NetError>> + use<> {
    let request = request(target, resume);
    let trust = target.rest.trust().clone();
    let port = site_url(&target.server).and_then(|url| url.port_or_known_default());
    let port = port.unwrap_or_default(); // Without an address there is no request either.
    async move {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE))
            .max_frame_size(Some(MAX_MESSAGE));
        // Small messages, each of which somebody waits for: no Nagle.
        let request = request?;
        let tls = tls::client(Some((&trust, port))).map_err(NetError::offline)?;
        let tls = Some(Connector::Rustls(tls));
        let opening = connect_async_tls_with_config(request, Some(config), true, tls);
        match timeout(OPEN_TIMEOUT, opening).await {
            Ok(Ok((stream, _))) => Ok(stream),
            Ok(Err(tungstenite::Error::Http(response))) => Err(match response.status() {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => NetError::Unauthorised,
                status => NetError::Protocol(format!("status {status} instead of a WebSocket")),
            }),
            Ok(Err(error)) => Err(NetError::offline(error)),
            Err(_) => Err(NetError::TimedOut("connecting")),
        }
    }
}

/// The network has changed and this connection is of no use, though TCP would try for minutes.
pub(super) fn has_moved(stream: &Stream) -> bool {
    let tcp = match stream.get_ref() {
        MaybeTlsStream::Plain(tcp) => tcp,
        MaybeTlsStream::Rustls(tls) => tls.get_ref().0,
        _ => return false,
    };
    match (tcp.local_addr(), tcp.peer_addr()) {
        (Ok(local), Ok(remote)) => System.has_moved(local, remote),
        _ => false,
    }
}

fn request(
    target: &Target,
    resume: &Resume,
) -> Result<tungstenite::handshake::client::Request, NetError> {
    let bad = || NetError::Address(target.server.clone());
    let mut url = site_url(&target.server).ok_or_else(bad)?;
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["api", "v4", "websocket"]);
    }
    url.query_pairs_mut()
        .append_pair("connection_id", resume.id())
        .append_pair("sequence_number", &resume.next().to_string());
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    // http and https may become ws and wss: all four are "special" schemes.
    url.set_scheme(scheme).map_err(|()| bad())?;
    let mut request = url
        .as_str()
        .into_client_request()
        .map_err(NetError::offline)?;
    let bearer = format!("Bearer {}", target.token.reveal());
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| NetError::Unauthorised)?;
    bearer.set_sensitive(true);
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, bearer);
    if let Ok(agent) = HeaderValue::from_str(target.rest.user_agent()) {
        headers.insert(USER_AGENT, agent);
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::rest::Rest;
    use calls_core::port::Secret;

    #[test]
    fn the_upgrade_carries_the_token_and_what_to_resume() {
        let mut resume = Resume::default();
        let hello =
            serde_json::json!({"event": "hello", "data": {"connection_id": "abc"}, "seq": 0});
        resume.take(&calls_core::wire::from_value(hello).unwrap());
        let target = |server: &str| Target {
            server: server.into(),
            token: Secret::new("tok"),
            rest: Rest::new("X/1 Mattermost/1"),
        };
        let request = request(&target("https://host/chat"), &resume).unwrap();
        assert_eq!(
            request.uri().to_string(),
            "wss://host/chat/api/v4/websocket?connection_id=abc&sequence_number=1"
        );
        assert_eq!(request.headers()["authorization"], "Bearer tok");
        assert!(!request.headers().contains_key("origin"));
        let fresh = super::request(&target("http://127.0.0.1:80"), &Resume::default()).unwrap();
        assert_eq!(
            fresh.uri().to_string(),
            "ws://127.0.0.1/api/v4/websocket?connection_id=&sequence_number=0"
        );
        assert!(super::request(&target("nonsense"), &Resume::default()).is_err());
    }
}
