#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

const LIMIT: Duration = Duration::from_secs(10);

/// Long enough never to happen in a test, unless it is what is tested.
const NEVER: Duration = Duration::from_secs(3600);

const QUICK: Policy = Policy {
    ping: NEVER,
    delay: |_| Duration::from_millis(1),
    give_up: None,
};

/// A server that does what the test says.
struct Server {
    listener: TcpListener,
    target: Target,
}

/// One accepted connection.
struct Accepted {
    socket: WebSocketStream<TcpStream>,
    query: String,
    bearer: String,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let rest = Rest::new("Test/1 Mattermost/1");
        let token = Secret::new("tok");
        rest.set_account(server.clone(), Some(token.clone()));
        let target = Target {
            server,
            token,
            rest,
        };
        Self { listener, target }
    }

    async fn accept(&self) -> Accepted {
        let (stream, _) = timeout(LIMIT, self.listener.accept())
            .await
            .unwrap()
            .unwrap();
        let (mut query, mut bearer) = (String::new(), String::new());
        #[allow(clippy::result_large_err)]
        let note = |request: &Request, response: Response| {
            query = request.uri().query().unwrap_or("").to_owned();
            bearer = request.headers()["authorization"]
                .to_str()
                .unwrap()
                .to_owned();
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, note)
            .await
            .unwrap();
        Accepted {
            socket,
            query,
            bearer,
        }
    }

    /// Answers plain HTTP with 401 until it is dropped.
    async fn refuse(self) {
        loop {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let mut seen = Vec::new();
            let mut chunk = [0; 1024];
            while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
                let n = stream.read(&mut chunk).await.unwrap();
                seen.extend_from_slice(&chunk[..n]);
            }
            let body = r#"{"id":"api.context.session_expired.app_error","message":"x"}"#;
            let answer = format!(
                "HTTP/1.1 401 Unauthorized\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

impl Accepted {
    async fn say(&mut self, value: Value) {
        self.socket
            .send(Message::text(value.to_string()))
            .await
            .unwrap();
    }

    async fn hello(&mut self, id: &str) {
        let hello = json!({"event": "hello", "data": {"connection_id": id}, "seq": 0});
        self.say(hello).await;
    }

    async fn event(&mut self, name: &str, seq: i64) {
        self.say(json!({"event": name, "data": {}, "seq": seq}))
            .await;
    }

    /// The client's next message.
    async fn hear(&mut self) -> Value {
        loop {
            match timeout(LIMIT, self.socket.next()).await.unwrap() {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Close(_))) | None => return Value::Null,
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("{error}"),
            }
        }
    }

    /// Waits for a ping and answers it.
    async fn pong(&mut self) {
        let ping = self.hear().await;
        assert_eq!(ping["action"], "ping");
        self.say(json!({"status": "OK", "seq_reply": ping["seq"], "data": {"text": "pong"}}))
            .await;
    }
}

/// What the line says next, in short; greetings are left out.
async fn next(events: &mut mpsc::Receiver<LineEvent>) -> String {
    loop {
        match timeout(LIMIT, events.recv()).await.unwrap() {
            Some(LineEvent::Event(event)) if event.event == "hello" => {}
            Some(LineEvent::Event(event)) => return format!("{} {}", event.event, event.seq),
            Some(LineEvent::Up {
                connection,
                resumed,
            }) => {
                return format!("up {connection} {resumed}");
            }
            Some(LineEvent::Down { attempt, .. }) => return format!("down {attempt}"),
            Some(LineEvent::GaveUp(_)) => return "gave up".into(),
            Some(LineEvent::Unauthorised) => return "unauthorised".into(),
            Some(LineEvent::Untrusted(distrust)) => return format!("untrusted {}", distrust.why),
            None => return "ended".into(),
        }
    }
}

#[tokio::test]
async fn a_lost_connection_is_resumed_where_it_stopped() {
    let server = Server::start().await;
    let (_line, mut events) = Line::open(server.target.clone(), QUICK);
    let mut first = server.accept().await;
    assert_eq!(first.query, "connection_id=&sequence_number=0");
    assert_eq!(first.bearer, "Bearer tok");
    first.event("too_early", 5).await;
    first.hello("abc").await;
    first.event("one", 1).await;
    assert_eq!(next(&mut events).await, "up abc false");
    assert_eq!(next(&mut events).await, "one 1");
    drop(first);
    assert_eq!(next(&mut events).await, "down 1");
    let mut second = server.accept().await;
    assert_eq!(second.query, "connection_id=abc&sequence_number=2");
    // The old connection lives on: no greeting, but what was missed, and the answer to the ping.
    second.event("two", 2).await;
    second.pong().await;
    assert_eq!(next(&mut events).await, "up abc true");
    assert_eq!(next(&mut events).await, "two 2");
    second.event("three", 3).await;
    assert_eq!(next(&mut events).await, "three 3");
}

#[tokio::test]
async fn a_quiet_resumed_connection_is_recognised_by_the_answer_to_the_ping() {
    let server = Server::start().await;
    let (_line, mut events) = Line::open(server.target.clone(), QUICK);
    let mut first = server.accept().await;
    first.hello("abc").await;
    assert_eq!(next(&mut events).await, "up abc false");
    drop(first);
    assert_eq!(next(&mut events).await, "down 1");
    server.accept().await.pong().await;
    assert_eq!(next(&mut events).await, "up abc true");
}

#[tokio::test]
async fn a_new_id_after_a_loss_means_that_events_may_be_missing() {
    let server = Server::start().await;
    let (line, mut events) = Line::open(server.target.clone(), QUICK);
    let mut first = server.accept().await;
    first.hello("abc").await;
    assert_eq!(next(&mut events).await, "up abc false");
    line.send("one".into(), None);
    assert_eq!(first.hear().await["seq"], 1, "the ping");
    assert_eq!(first.hear().await["seq"], 2);
    drop(first);
    assert_eq!(next(&mut events).await, "down 1");
    let mut second = server.accept().await;
    second.hello("def").await;
    assert_eq!(next(&mut events).await, "up def false");
    second.event("one", 1).await;
    assert_eq!(next(&mut events).await, "one 1");
}

#[tokio::test]
async fn a_gap_in_the_numbers_ends_the_connection_and_asks_for_the_missing_one() {
    let server = Server::start().await;
    let (_line, mut events) = Line::open(server.target.clone(), QUICK);
    let mut first = server.accept().await;
    first.hello("abc").await;
    first.event("one", 1).await;
    first.event("three", 3).await;
    assert_eq!(next(&mut events).await, "up abc false");
    assert_eq!(next(&mut events).await, "one 1");
    assert_eq!(next(&mut events).await, "down 1");
    let second = server.accept().await;
    assert_eq!(second.query, "connection_id=abc&sequence_number=2");
}

#[tokio::test]
async fn a_missing_pong_ends_the_connection() {
    let server = Server::start().await;
    let policy = Policy {
        ping: Duration::from_millis(30),
        ..QUICK
    };
    let (_line, mut events) = Line::open(server.target.clone(), policy);
    let mut first = server.accept().await;
    first.hello("abc").await;
    assert_eq!(next(&mut events).await, "up abc false");
    // The socket stays open and silent, as after a lost network.
    assert_eq!(next(&mut events).await, "down 1");
    drop(first);
}

#[tokio::test]
async fn an_expired_session_is_told_from_a_lost_network() {
    let server = Server::start().await;
    let (_line, mut events) = Line::open(server.target.clone(), QUICK);
    let refusing = tokio::spawn(server.refuse());
    assert_eq!(next(&mut events).await, "unauthorised");
    assert_eq!(next(&mut events).await, "ended");
    refusing.abort();
}

#[tokio::test]
async fn a_session_that_expires_later_shows_in_the_answer_to_a_ping() {
    let server = Server::start().await;
    let (_line, mut events) = Line::open(server.target.clone(), QUICK);
    let mut first = server.accept().await;
    first.hello("abc").await;
    assert_eq!(next(&mut events).await, "up abc false");
    let ping = first.hear().await;
    let error = json!({"id": "api.context.session_expired.app_error", "status_code": 401});
    first
        .say(json!({"status": "FAIL", "seq_reply": ping["seq"], "error": error}))
        .await;
    assert_eq!(next(&mut events).await, "unauthorised");
}

#[tokio::test]
async fn last_words_are_said_even_when_the_line_is_down() {
    let server = Server::start().await;
    let policy = Policy {
        delay: |_| NEVER,
        ..QUICK
    };
    let (line, mut events) = Line::open(server.target.clone(), policy);
    let mut first = server.accept().await;
    first.hello("abc").await;
    assert_eq!(next(&mut events).await, "up abc false");
    drop(first);
    assert_eq!(next(&mut events).await, "down 1");
    let words = LastWords {
        reopened: vec![("sorry".to_owned(), None)],
        always: vec![("bye".to_owned(), None)],
    };
    let closing = tokio::spawn(line.close(words, LIMIT));
    let mut second = server.accept().await;
    second.hello("def").await;
    let mut heard = Vec::new();
    loop {
        match second.hear().await {
            Value::Null => break,
            value => heard.push(value["action"].as_str().unwrap().to_owned()),
        }
    }
    assert_eq!(heard, ["ping", "sorry", "bye"]);
    drop(second);
    timeout(LIMIT, closing).await.unwrap().unwrap();
}

#[tokio::test]
async fn closing_is_bounded_when_nobody_answers() {
    let server = Server::start().await;
    let (line, mut events) = Line::open(server.target.clone(), QUICK);
    let mut first = server.accept().await;
    first.hello("abc").await;
    assert_eq!(next(&mut events).await, "up abc false");
    drop(server);
    drop(first);
    assert_eq!(next(&mut events).await, "down 1");
    let begun = Instant::now();
    let words = LastWords {
        always: vec![("bye".to_owned(), None)],
        ..LastWords::default()
    };
    line.close(words, Duration::from_millis(200)).await;
    assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn tries_end_when_the_time_is_up() {
    let server = Server::start().await;
    let target = server.target.clone();
    drop(server);
    let policy = Policy {
        give_up: Some(Duration::from_millis(50)),
        ..QUICK
    };
    let (_line, mut events) = Line::open(target, policy);
    loop {
        match next(&mut events).await.as_str() {
            "gave up" => break,
            said => assert!(said.starts_with("down"), "{said}"),
        }
    }
}

#[tokio::test]
async fn garbage_from_the_server_is_skipped() {
    let server = Server::start().await;
    let (line, mut events) = Line::open(server.target.clone(), QUICK);
    let mut first = server.accept().await;
    first.hello("abc").await;
    for text in [
        "",
        "nonsense",
        "[]",
        "{}",
        "{\"event\":5}",
        "{\"seq_reply\":\"x\"}",
    ] {
        first.socket.send(Message::text(text)).await.unwrap();
    }
    first
        .socket
        .send(Message::binary(vec![1, 2, 3]))
        .await
        .unwrap();
    first.event("one", 1).await;
    assert_eq!(next(&mut events).await, "up abc false");
    assert_eq!(next(&mut events).await, "one 1");
    line.send_sdp(vec![0x78, 0x9c]);
    let frame = loop {
        match timeout(LIMIT, first.socket.next()).await.unwrap() {
            Some(Ok(Message::Binary(frame))) => break frame,
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(dc::read_sdp_frame(&frame).unwrap(), (2, vec![0x78, 0x9c]));
}

#[tokio::test]
async fn after_a_sleep_a_connection_that_only_seems_open_is_found_out_within_seconds() {
    let server = Server::start().await;
    let (line, mut events) = Line::open(server.target.clone(), QUICK);
    let mut first = server.accept().await;
    first.hello("one").await;
    first.pong().await;
    loop {
        match timeout(LIMIT, events.recv()).await.unwrap().unwrap() {
            LineEvent::Up { .. } => break,
            LineEvent::Event(_) => {}
            other => panic!("{other:?}"),
        }
    }
    // Alive: it answers, and nothing happens.
    line.retry_now();
    first.pong().await;
    // What comes behind the answer shows that it has arrived.
    first.event("after", 1).await;
    loop {
        match timeout(LIMIT, events.recv()).await.unwrap().unwrap() {
            LineEvent::Event(event) if event.event == "after" => break,
            LineEvent::Event(_) => {}
            other => panic!("{other:?}"),
        }
    }
    // Dead: it does not, and another connection is made long before the next regular ping.
    line.retry_now();
    let begun = Instant::now();
    let mut second = server.accept().await;
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        second.query.contains("connection_id=one"),
        "{}",
        second.query
    );
    second.pong().await;
}
