use std::time::Duration;

use calls_devserver::Fault;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, Socket, server, server_with};

#[tokio::test]
async fn hello_comes_first_and_ping_is_answered_without_a_number() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let mut socket = Socket::connect(&alice.url, Some(&alice.token), "").await;
    let hello = socket.hello().await;
    assert_eq!(socket.id.len(), 26);
    assert_eq!(hello["broadcast"]["user_id"], alice.id);
    assert_eq!(hello["broadcast"]["omit_users"], Value::Null);
    assert_eq!(hello["broadcast"]["omit_connection_id"], "");
    socket.send("ping", Value::Null).await;
    let pong = loop {
        let value = socket.next().await;
        if value["seq_reply"] == 1 {
            break value;
        }
    };
    assert_eq!(pong["data"]["text"], "pong");
    assert!(pong.get("seq").is_none() && pong.get("event").is_none());
    server.stop().await;
}

#[tokio::test]
async fn the_challenge_authenticates_but_cannot_resume() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let first = Socket::open(&alice).await;
    let query = format!("?connection_id={}&sequence_number=1", first.id);
    let mut socket = Socket::connect(&alice.url, None, &query).await;
    socket.send("ping", Value::Null).await;
    let refused = socket.next().await;
    assert_eq!(refused["status"], "FAIL");
    assert_eq!(refused["error"]["status_code"], 401);
    let data = json!({"token": alice.token});
    socket.send("authentication_challenge", data).await;
    assert_eq!(socket.next().await, json!({"status": "OK", "seq_reply": 2}));
    socket.hello().await;
    assert_ne!(socket.id, first.id);
    let mut wrong = Socket::connect(&alice.url, None, "").await;
    let data = json!({"token": "nonsense"});
    wrong.send("authentication_challenge", data).await;
    assert!(wrong.is_closed().await);
    server.stop().await;
}

#[tokio::test]
async fn a_socket_without_a_name_is_closed() {
    let server = server_with(|c| c.timings.auth = Duration::from_millis(50)).await;
    let mut nobody = Socket::connect(server.url(), Some("dead"), "").await;
    assert!(nobody.is_closed().await);
    server.stop().await;
}

#[tokio::test]
async fn oversize_and_garbage_close_the_socket() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let ping = |pad: usize| {
        let frame = json!({"action": "ping", "seq": 1, "data": {"p": "x".repeat(pad)}});
        frame.to_string()
    };
    let overhead = ping(0).len();
    let mut good = Socket::open(&alice).await;
    good.raw(Message::text(ping(8192 - overhead))).await;
    assert!(good.settle().await.iter().any(|v| v["seq_reply"] == 1) || good.next_seq > 0);
    for bad in [
        Message::text(ping(8193 - overhead)),
        Message::text("hello"),
        Message::text("[1,2]"),
        Message::binary(vec![0xc1]),
        Message::binary(vec![0x93, 1, 2, 3]),
        Message::binary(vec![0; 9000]),
    ] {
        let mut socket = Socket::open(&alice).await;
        socket.raw(bad.clone()).await;
        let mut left = 10;
        while socket.try_next().await.is_some() {
            left -= 1;
            assert!(left > 0, "{bad:?} was accepted");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn binary_frames_are_messagepack() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let mut socket = Socket::open(&alice).await;
    let mut frame = vec![0x82, 0xa6];
    frame.extend(b"action\xa4ping\xa3seq\x2a");
    socket.raw(Message::binary(frame)).await;
    loop {
        let value = socket.next().await;
        if value["seq_reply"] == 42 {
            break;
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn bad_requests_fail_by_name() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let mut socket = Socket::open(&alice).await;
    for (frame, id) in [
        (json!({"action": "ping", "seq": 0}), "bad_seq"),
        (json!({"seq": 1}), "no_action"),
        (json!({"action": "dance", "seq": 1}), "bad_action"),
    ] {
        socket.raw(Message::text(frame.to_string())).await;
        let reply = loop {
            let value = socket.next().await;
            if value["status"] == "FAIL" {
                break value;
            }
        };
        let found = reply["error"]["id"].as_str().unwrap();
        assert_eq!(found, format!("api.web_socket_router.{id}.app_error"));
    }
    server.stop().await;
}

/// Loses alice's socket and waits until the server has noticed.
async fn lose(server: &calls_devserver::DevServer, socket: Socket) -> (String, i64) {
    let (id, seq) = (socket.id.clone(), socket.next_seq);
    let connection = Some(id.clone());
    let user = None;
    server
        .fault(Fault::CutSocket { user, connection })
        .await
        .unwrap();
    let mut socket = socket;
    while socket.try_next().await.is_some() {}
    let wait = async {
        while server.stats()["inactive_connections"] == 0 {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(5);
    tokio::time::timeout(limit, wait).await.unwrap();
    (id, seq)
}

#[tokio::test]
async fn a_cut_socket_is_resumed_with_what_it_missed() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let bob = Client::sign_in(&server, "bob").await;
    let channel = alice.channel("off-topic").await;
    let mut socket = Socket::open(&alice).await;
    bob.write(&channel, "one").await;
    socket.until("posted").await;
    let (id, seq) = lose(&server, socket).await;
    bob.write(&channel, "two").await;
    // One number back: the last event is replayed, then the missed one follows.
    let mut again = Socket::resume(&alice, &id, seq - 1).await;
    let first = again.next().await;
    assert_eq!(
        (&first["event"], &first["seq"]),
        (&json!("posted"), &json!(seq - 1))
    );
    let (second, _) = again.until("posted").await;
    assert!(second["data"]["post"].as_str().unwrap().contains("two"));
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_resumed_gets_a_new_id() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let bob = Client::sign_in(&server, "bob").await;
    // Still alive.
    let alive = Socket::open(&alice).await;
    let mut other = Socket::resume(&alice, &alive.id, alive.next_seq).await;
    let old = other.id.clone();
    other.hello().await;
    assert_ne!(other.id, old);
    // Unknown.
    let mut unknown = Socket::resume(&alice, "yyyyyyyyyyyyyyyyyyyyyyyyyy", 5).await;
    unknown.hello().await;
    // Somebody else's.
    let (id, seq) = lose(&server, other).await;
    let mut foreign = Socket::resume(&bob, &id, seq).await;
    foreign.hello().await;
    assert_ne!(foreign.id, id);
    // Forgotten.
    let connection = Some(id.clone());
    let user = None;
    server
        .fault(Fault::ForgetConnection { user, connection })
        .await
        .unwrap();
    let mut forgotten = Socket::resume(&alice, &id, seq).await;
    forgotten.hello().await;
    assert_ne!(forgotten.id, id);
    server.stop().await;
}

#[tokio::test]
async fn a_malformed_resume_is_closed_at_once() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let good = Socket::open(&alice).await;
    for query in [
        "?connection_id=short&sequence_number=1".to_owned(),
        format!("?connection_id={}", good.id),
        format!("?connection_id={}&sequence_number=x", good.id),
    ] {
        let mut socket = Socket::connect(&alice.url, Some(&alice.token), &query).await;
        assert!(socket.is_closed().await, "{query}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_dropped() {
    let server = server_with(|c| {
        c.timings.ping = Duration::from_millis(20);
        c.timings.pong = Duration::from_millis(100);
    })
    .await;
    let alice = Client::sign_in(&server, "alice").await;
    // Nobody reads this socket, so nothing answers.
    let socket = Socket::open(&alice).await;
    let wait = async {
        while server.stats()["connections"] != 0 {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(5);
    tokio::time::timeout(limit, wait).await.unwrap();
    drop(socket);
    server.stop().await;
}

#[tokio::test]
async fn stopping_says_goodbye_and_frees_everything() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let mut socket = Socket::open(&alice).await;
    let url = server.url().to_owned();
    server.stop().await;
    assert_eq!(socket.close_code().await, Some(1001));
    let host = url.strip_prefix("http://").unwrap();
    assert!(tokio::net::TcpListener::bind(host).await.is_ok());
}
