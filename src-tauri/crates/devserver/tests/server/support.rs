//! A plain HTTP and WebSocket client, written without anything of the server's.

use std::collections::BTreeMap;
use std::time::Duration;

use calls_devserver::{Config, DevServer};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Nothing on loopback may take longer.
const PATIENCE: Duration = Duration::from_secs(5);
pub(crate) const PREFIX: &str = "custom_com.mattermost.calls_";

pub(crate) async fn server() -> DevServer {
    server_with(|_| {}).await
}

pub(crate) async fn server_with(change: impl FnOnce(&mut Config)) -> DevServer {
    let mut config = Config::default();
    config.switches.rest_limit = false;
    change(&mut config);
    DevServer::start(config).await.unwrap()
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One request on a connection of its own.
pub(crate) async fn request(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
    let split = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..split].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    Answer {
        status: status.parse().unwrap(),
        headers: lines
            .filter_map(|l| l.split_once(": "))
            .map(|(k, v)| (k.to_lowercase(), v.to_owned()))
            .collect(),
        body: bytes[split + 4..].to_vec(),
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) id: String,
}

impl Client {
    pub(crate) async fn sign_in(server: &DevServer, name: &str) -> Self {
        let password = server.accounts()[0].password.clone();
        let body = json!({"login_id": name, "password": password}).to_string();
        let path = "/api/v4/users/login";
        let answer = request(server.url(), "POST", path, &[], body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        Self {
            url: server.url().to_owned(),
            token: answer.headers["token"].clone(),
            id: answer.json()["id"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let headers = [("Authorization", bearer.as_str())];
        request(&self.url, method, path, &headers, body.as_bytes()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.send("POST", path, body).await;
        assert!(answer.status < 300, "{path}: {}", answer.text());
        answer.json()
    }

    /// The id of a channel of the seeded team.
    pub(crate) async fn channel(&self, name: &str) -> String {
        let path = format!("/api/v4/teams/name/halloo/channels/name/{name}");
        self.get(&path).await["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn direct(&self, other: &Self) -> String {
        let channel = self
            .post("/api/v4/channels/direct", json!([self.id, other.id]))
            .await;
        channel["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn write(&self, channel: &str, text: &str) -> Value {
        let body = json!({"channel_id": channel, "message": text});
        self.post("/api/v4/posts", body).await
    }

    pub(crate) async fn calls(&self, method: &str, path: &str, body: Value) -> Answer {
        let path = format!("/plugins/com.mattermost.calls/{path}");
        self.send(method, &path, body).await
    }
}

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A WebSocket with its counters.
pub(crate) struct Socket {
    pub(crate) ws: Stream,
    pub(crate) id: String,
    pub(crate) next_seq: i64,
    seq: i64,
}

/// What was heard until something was found.
pub(crate) type Heard = Vec<Value>;

impl Socket {
    /// Opens with the token in the upgrade and waits for `hello`.
    pub(crate) async fn open(client: &Client) -> Self {
        let mut socket = Self::connect(&client.url, Some(&client.token), "").await;
        socket.hello().await;
        socket
    }

    pub(crate) async fn connect(url: &str, token: Option<&str>, query: &str) -> Self {
        let url = url.replace("http://", "ws://");
        let mut request = format!("{url}/api/v4/websocket{query}")
            .into_client_request()
            .unwrap();
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert("authorization", value);
        }
        let (ws, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self {
            ws,
            id: String::new(),
            next_seq: 0,
            seq: 0,
        }
    }

    /// Comes back with the id and number of a lost socket; `hello` is not waited for.
    pub(crate) async fn resume(client: &Client, id: &str, seq: i64) -> Self {
        let query = format!("?connection_id={id}&sequence_number={seq}");
        let mut socket = Self::connect(&client.url, Some(&client.token), &query).await;
        id.clone_into(&mut socket.id);
        socket.next_seq = seq;
        socket
    }

    pub(crate) async fn hello(&mut self) -> Value {
        let hello = self.next().await;
        assert_eq!(hello["event"], "hello");
        assert_eq!(hello["seq"], 0);
        self.id = hello["data"]["connection_id"].as_str().unwrap().to_owned();
        hello
    }

    /// The next JSON message.
    pub(crate) async fn next(&mut self) -> Value {
        self.try_next().await.expect("the socket is open")
    }

    /// The next JSON message, or `None` at the end.
    pub(crate) async fn try_next(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.ws.next()).await;
            match message.expect("something happens")? {
                Ok(Message::Text(text)) => {
                    let value: Value = serde_json::from_str(text.as_str()).unwrap();
                    if let Some(seq) = value["seq"].as_i64() {
                        self.next_seq = seq + 1;
                    }
                    return Some(value);
                }
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Reads until an event of that name; the answer is the event and what came before it.
    pub(crate) async fn until(&mut self, name: &str) -> (Value, Heard) {
        let mut heard = Vec::new();
        loop {
            let value = self.next().await;
            if value["event"] == name {
                return (value, heard);
            }
            heard.push(value);
        }
    }

    /// … of the Calls plugin; the answer is its data.
    pub(crate) async fn call(&mut self, name: &str) -> Value {
        let (event, _) = self.until(&format!("{PREFIX}{name}")).await;
        event["data"].clone()
    }

    /// Asks `ping` and returns the events that came before its reply: nothing else was on the way.
    pub(crate) async fn settle(&mut self) -> Heard {
        let seq = self.send("ping", Value::Null).await;
        let mut heard = Vec::new();
        loop {
            let value = self.next().await;
            if value["seq_reply"] == seq {
                return heard;
            }
            heard.push(value);
        }
    }

    pub(crate) async fn send(&mut self, action: &str, data: Value) -> i64 {
        self.seq += 1;
        let mut message = json!({"action": action, "seq": self.seq});
        if !data.is_null() {
            message["data"] = data;
        }
        self.raw(Message::text(message.to_string())).await;
        self.seq
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        self.ws.send(message).await.unwrap();
    }

    /// A message of the Calls plugin.
    pub(crate) async fn say(&mut self, name: &str, data: Value) {
        self.send(&format!("{PREFIX}{name}"), data).await;
    }

    /// Joins and waits until the state is there.
    pub(crate) async fn join(&mut self, channel: &str) -> Heard {
        self.say("join", json!({"channelID": channel})).await;
        let (event, mut heard) = self.until(&format!("{PREFIX}call_state")).await;
        heard.push(event);
        heard
    }

    /// True if the server closes without another message.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.try_next().await.is_none()
    }

    /// How the socket ended, if with a close frame.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.ws.next()).await;
            match message.expect("something happens")? {
                Ok(Message::Close(frame)) => return frame.map(|f| f.code.into()),
                Err(Error::ConnectionClosed | Error::Protocol(_) | Error::Io(_)) | Ok(_) => {}
                Err(_) => return None,
            }
        }
    }
}

/// Names of events, for comparing an order.
pub(crate) fn names(heard: &[Value]) -> Vec<String> {
    heard
        .iter()
        .filter_map(|v| v["event"].as_str())
        .map(|n| n.strip_prefix(PREFIX).unwrap_or(n).to_owned())
        .collect()
}
