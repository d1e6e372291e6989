use std::time::{Duration, Instant};

use calls_devserver::{DevServer, Seed};
use serde_json::{Value, json};

use crate::support::{Client, Socket, names, request, server, server_with};

async fn fault(server: &DevServer, body: Value) {
    let body = body.to_string();
    let answer = request(server.url(), "POST", "/dev/faults", &[], body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn rest_answers_can_be_html_slow_and_refused() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let me = "/api/v4/users/me";
    let body = json!({"fault": "rest", "prefix": "/api/v4/users", "html": true, "count": 1});
    fault(&server, body).await;
    let page = alice.send("GET", me, Value::Null).await;
    assert_eq!(page.status, 200);
    assert!(page.text().starts_with("<!DOCTYPE html>"));
    assert_eq!(alice.send("GET", me, Value::Null).await.status, 200);
    fault(
        &server,
        json!({"fault": "rest", "status": 429, "retry_after": 7}),
    )
    .await;
    let limited = alice.send("GET", me, Value::Null).await;
    assert_eq!(
        (limited.status, limited.text()),
        (429, "limit exceeded".to_owned())
    );
    assert_eq!(limited.headers["retry-after"], "7");
    fault(&server, json!({"fault": "clear_rest"})).await;
    fault(
        &server,
        json!({"fault": "rest", "delay_ms": 120, "count": 1}),
    )
    .await;
    let start = Instant::now();
    alice.get(me).await;
    assert!(start.elapsed() >= Duration::from_millis(120));
    fault(&server, json!({"fault": "storm", "on": true})).await;
    assert_eq!(
        alice.calls("GET", "channels", Value::Null).await.status,
        429
    );
    server.stop().await;
}

#[tokio::test]
async fn unknown_faults_and_people_are_refused() {
    let server = server().await;
    for body in [
        json!({"fault": "explode"}),
        json!({"fault": "cut_socket", "user": "nobody"}),
        json!({"fault": "cut_socket", "usr": "alice"}),
        json!({"fault": "kick_peer", "session": "nothing"}),
    ] {
        let body = body.to_string();
        let answer = request(server.url(), "POST", "/dev/faults", &[], body.as_bytes()).await;
        assert_eq!(answer.status, 400, "{body}");
    }
    let bad = request(server.url(), "PATCH", "/dev/config", &[], b"{\"ringin\":1}").await;
    assert_eq!(bad.status, 400);
    server.stop().await;
}

#[tokio::test]
async fn events_can_be_swallowed_and_delayed() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let bob = Client::sign_in(&server, "bob").await;
    let channel = alice.channel("off-topic").await;
    let mut socket = Socket::open(&alice).await;
    socket.settle().await;
    let before = socket.next_seq;
    fault(
        &server,
        json!({"fault": "swallow_events", "user": "alice", "event": "posted"}),
    )
    .await;
    bob.write(&channel, "lost").await;
    bob.write(&channel, "found").await;
    let (posted, _) = socket.until("posted").await;
    assert!(posted["data"]["post"].as_str().unwrap().contains("found"));
    assert!(posted["seq"].as_i64().unwrap() > before);
    fault(
        &server,
        json!({"fault": "delay_events", "user": "alice", "ms": 150}),
    )
    .await;
    let start = Instant::now();
    bob.write(&channel, "late").await;
    socket.until("posted").await;
    assert!(start.elapsed() >= Duration::from_millis(140));
    server.stop().await;
}

#[tokio::test]
async fn a_frozen_socket_is_silent_and_still_counts_as_alive() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let mut socket = Socket::open(&alice).await;
    socket.settle().await;
    fault(&server, json!({"fault": "freeze_socket", "user": "alice"})).await;
    socket.send("ping", Value::Null).await;
    let silence = tokio::time::timeout(Duration::from_millis(100), socket.try_next());
    assert!(silence.await.is_err());
    let mut other = Socket::resume(&alice, &socket.id, socket.next_seq).await;
    other.hello().await;
    assert_ne!(other.id, socket.id);
    server.stop().await;
}

#[tokio::test]
async fn a_vanished_socket_is_silent_but_can_be_resumed() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let mut socket = Socket::open(&alice).await;
    socket.settle().await;
    fault(&server, json!({"fault": "vanish_socket", "user": "alice"})).await;
    let wait = async {
        while server.stats()["inactive_connections"] == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), wait)
        .await
        .unwrap();
    let mut other = Socket::resume(&alice, &socket.id, socket.next_seq).await;
    assert!(!names(&other.settle().await).contains(&"hello".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn switches_change_while_it_runs() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let mut socket = Socket::open(&alice).await;
    let path = "/dev/config";
    let patch = br#"{"dc_signaling":true,"max_participants":3,"ice_servers_null":true}"#;
    let all = request(server.url(), "PATCH", path, &[], patch)
        .await
        .json();
    assert_eq!(all["dc_signaling"], true);
    let config = alice.calls("GET", "config", Value::Null).await.json();
    assert_eq!(config["EnableDCSignaling"], true);
    assert_eq!(config["MaxCallParticipants"], 3);
    assert_eq!(config["ICEServersConfigs"], Value::Null);
    request(
        server.url(),
        "PATCH",
        path,
        &[],
        b"{\"plugin_missing\":true}",
    )
    .await;
    socket.until("plugin_disabled").await;
    request(
        server.url(),
        "PATCH",
        path,
        &[],
        b"{\"plugin_missing\":false}",
    )
    .await;
    let (event, _) = socket.until("plugin_enabled").await;
    assert_eq!(event["data"]["manifest"]["id"], "com.mattermost.calls");
    server.stop().await;
}

#[tokio::test]
async fn every_switch_of_an_administrator_reaches_the_clients() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let stun = json!(["stun:stun.example:3478"]);
    let servers = json!([{ "urls": stun }]);
    for (switch, set, key, told) in [
        ("ringing", json!(false), "EnableRinging", json!(false)),
        ("test_mode", json!(true), "DefaultEnabled", json!(false)),
        ("recordings", json!(false), "EnableRecordings", json!(false)),
        (
            "transcriptions",
            json!(true),
            "EnableTranscriptions",
            json!(true),
        ),
        (
            "live_captions",
            json!(true),
            "EnableLiveCaptions",
            json!(true),
        ),
        (
            "max_recording_minutes",
            json!(5),
            "MaxRecordingDuration",
            json!(5),
        ),
        (
            "screen_sharing",
            json!(false),
            "AllowScreenSharing",
            json!(false),
        ),
        (
            "group_calls",
            json!(false),
            "GroupCallsAllowed",
            json!(false),
        ),
        (
            "host_controls",
            json!(false),
            "HostControlsAllowed",
            json!(false),
        ),
        (
            "max_participants",
            json!(3),
            "MaxCallParticipants",
            json!(3),
        ),
        ("video", json!(true), "EnableVideo", json!(true)),
        ("simulcast", json!(true), "EnableSimulcast", json!(true)),
        (
            "dc_signaling",
            json!(true),
            "EnableDCSignaling",
            json!(true),
        ),
        ("stun_urls", stun, "ICEServersConfigs", servers),
        (
            "turn_secret",
            json!("word"),
            "NeedsTURNCredentials",
            json!(true),
        ),
    ] {
        let before = alice.calls("GET", "config", Value::Null).await.json();
        assert_ne!(before[key], told, "{switch} was so before");
        let patch = json!({ switch: set }).to_string();
        let answer = request(server.url(), "PATCH", "/dev/config", &[], patch.as_bytes()).await;
        assert_eq!(answer.status, 200, "{switch}");
        let after = alice.calls("GET", "config", Value::Null).await.json();
        assert_eq!(after[key], told, "{switch}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_address_for_metrics_counts_what_there_is() {
    let server = server().await;
    let read = async || {
        let path = "/plugins/com.mattermost.calls/metrics";
        let answer = request(server.url(), "GET", path, &[], b"").await;
        assert_eq!(answer.status, 200, "nobody has to be signed in");
        let text = answer.text();
        move |name: &str| -> u64 {
            let name = format!("halloo_dev_{name} ");
            let line = text.lines().find_map(|line| line.strip_prefix(&name));
            line.unwrap().parse().unwrap()
        }
    };
    let before = read().await;
    assert_eq!(before("calls") + before("call_sessions"), 0);
    let alice = Client::sign_in(&server, "alice").await;
    let mut socket = Socket::open(&alice).await;
    socket.join(&alice.channel("standup").await).await;
    let after = read().await;
    for name in ["calls", "call_sessions", "calls_started_total"] {
        assert_eq!(after(name), before(name) + 1, "{name}");
    }
    assert_eq!(after("connections"), before("connections") + 1);
    assert!(after("events_total") > before("events_total"));
    server.stop().await;
}

#[tokio::test]
async fn restarting_the_sfu_ends_every_session_on_the_same_port() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let channel = alice.channel("standup").await;
    let mut socket = Socket::open(&alice).await;
    socket.join(&channel).await;
    let port = server.media_port();
    fault(&server, json!({"fault": "restart_sfu"})).await;
    assert_eq!(socket.call("user_left").await["session_id"], socket.id);
    assert_eq!(server.stats()["sessions"], 0);
    let mut again = Socket::open(&alice).await;
    again.join(&channel).await;
    assert_eq!(server.media_port(), port);
    server.stop().await;
}

#[tokio::test]
async fn the_large_world_has_sixty_more_people_and_starts_quickly() {
    let start = Instant::now();
    let server = server_with(|c| c.seed = Seed::Large).await;
    let took = start.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(server.accounts().iter().any(|a| a.username == "user60"));
    let user = Client::sign_in(&server, "user42").await;
    let channels = user.get("/api/v4/users/me/channels").await;
    assert!(channels.as_array().unwrap().len() >= 60);
    let mut socket = Socket::open(&user).await;
    socket.join(&user.channel("standup").await).await;
    server.stop().await;
}

#[tokio::test]
async fn two_hundred_joins_leave_nothing_behind() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let channel = alice.channel("standup").await;
    let mut socket = Socket::open(&alice).await;
    let before = server.stats();
    for _ in 0..200 {
        let mut guest = Socket::open(&alice).await;
        guest.join(&channel).await;
        guest.say("leave", Value::Null).await;
        guest.call("user_left").await;
        guest.ws.close(None).await.unwrap();
        socket.until("post_edited").await;
    }
    let wait = async {
        while server.stats()["connections"] != 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), wait)
        .await
        .unwrap();
    let after = server.stats();
    for key in [
        "calls",
        "sessions",
        "session_index",
        "connection_index",
        "timers",
    ] {
        assert_eq!(before[key], after[key], "{key}");
    }
    server.stop().await;
}
