use std::time::Duration;

use calls_devserver::Recorder;
use serde_json::{Value, json};

use crate::support::{Client, PREFIX, Socket, names, request, server, server_with};

#[tokio::test]
async fn version_is_public_and_the_rest_is_not() {
    let server = server().await;
    let path = "/plugins/com.mattermost.calls/version";
    let version = request(server.url(), "GET", path, &[], b"").await.json();
    let expected = json!({
        "version": "1.12.2", "build": "dev", "rtcd_version": "v1.2.6", "rtcd_build": "dev",
    });
    assert_eq!(version, expected);
    let path = "/plugins/com.mattermost.calls/config";
    let stranger = request(server.url(), "GET", path, &[], b"").await;
    assert_eq!(
        (stranger.status, stranger.text().trim()),
        (401, "Unauthorized")
    );
    let alice = Client::sign_in(&server, "alice").await;
    let config = alice.calls("GET", "config", Value::Null).await.json();
    let mut keys: Vec<_> = config.as_object().unwrap().keys().cloned().collect();
    keys.sort();
    let mut wanted = [
        "ICEServers",
        "ICEServersConfigs",
        "AllowEnableCalls",
        "DefaultEnabled",
        "MaxCallParticipants",
        "NeedsTURNCredentials",
        "AllowScreenSharing",
        "EnableRecordings",
        "EnableTranscriptions",
        "EnableLiveCaptions",
        "MaxRecordingDuration",
        "EnableSimulcast",
        "EnableRinging",
        "sku_short_name",
        "HostControlsAllowed",
        "EnableAV1",
        "GroupCallsAllowed",
        "EnableDCSignaling",
        "EnableVideo",
    ];
    wanted.sort_unstable();
    assert_eq!(keys, wanted);
    let admin = Client::sign_in(&server, "admin").await;
    let more = admin.calls("GET", "config", Value::Null).await.json();
    assert_eq!(more["UDPServerPort"], server.media_port());
    assert_eq!(alice.calls("GET", "env", Value::Null).await.status, 403);
    assert_eq!(
        admin.calls("GET", "env", Value::Null).await.json(),
        json!({})
    );
    let turn = alice.calls("GET", "turn-credentials", Value::Null).await;
    assert_eq!(turn.status, 403);
    assert_eq!(
        alice.calls("GET", "nonsense", Value::Null).await.status,
        404
    );
    assert_eq!(alice.calls("PUT", "config", Value::Null).await.status, 405);
    server.switch(|s| s.plugin_missing = true);
    assert_eq!(alice.calls("GET", "version", Value::Null).await.status, 404);
    assert_eq!(alice.get("/api/v4/plugins/webapp").await, json!([]));
    server.stop().await;
}

#[tokio::test]
async fn the_eleventh_request_at_once_is_too_many() {
    let server = server_with(|c| c.switches.rest_limit = true).await;
    let alice = Client::sign_in(&server, "alice").await;
    let mut last = None;
    for _ in 0..11 {
        last = Some(alice.calls("GET", "channels", Value::Null).await);
    }
    let last = last.unwrap();
    assert_eq!(last.status, 429);
    let body = "{\"message\": \"too many requests\", \"status_code\": 429}";
    assert_eq!(last.text().trim(), body);
    let bob = Client::sign_in(&server, "bob").await;
    assert_eq!(bob.calls("GET", "channels", Value::Null).await.status, 200);
    server.stop().await;
}

#[tokio::test]
async fn channels_tell_three_states_and_running_calls() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let standup = alice.channel("standup").await;
    let disabled = alice.channel("no-calls").await;
    let one = |list: &Value, id: &str| -> Value {
        let list = list.as_array().unwrap();
        list.iter()
            .find(|c| c["channel_id"] == id)
            .cloned()
            .unwrap_or_default()
    };
    let list = alice.calls("GET", "channels", Value::Null).await.json();
    assert_eq!(one(&list, &standup), Value::Null);
    assert_eq!(one(&list, &disabled)["enabled"], false);
    let mut socket = Socket::open(&alice).await;
    socket.join(&standup).await;
    let list = alice.calls("GET", "channels", Value::Null).await.json();
    assert!(one(&list, &standup).get("enabled").is_none());
    assert_eq!(one(&list, &standup)["call"]["owner_id"], alice.id);
    let path = format!("calls/{standup}/active");
    let active = alice.calls("GET", &path, Value::Null).await.json();
    assert_eq!(active, json!({"active": true}));
    let single = alice.calls("GET", &standup, Value::Null).await.json();
    assert_eq!(single["enabled"], true, "explicit or by default");
    let set = alice.calls("POST", &standup, json!({})).await;
    assert_eq!(set.json(), json!({"channel_id": standup, "enabled": false}));
    let (event, _) = socket
        .until(&format!("{PREFIX}channel_disable_voice"))
        .await;
    assert_eq!(event["broadcast"]["channel_id"], standup);
    let carol = Client::sign_in(&server, "carol").await;
    let refused = carol
        .calls("POST", &standup, json!({"enabled": true}))
        .await;
    assert_eq!(refused.status, 403);
    server.stop().await;
}

#[tokio::test]
async fn dismissing_reaches_all_my_clients_and_lasts_for_the_call() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let bob = Client::sign_in(&server, "bob").await;
    let channel = alice.direct(&bob).await;
    let dismiss = format!("calls/{channel}/dismiss-notification");
    let early = bob.calls("POST", &dismiss, Value::Null).await;
    assert_eq!(
        (early.status, &early.json()["message"]),
        (400, &json!("no call ongoing"))
    );
    let mut a = Socket::open(&alice).await;
    let mut first = Socket::open(&bob).await;
    let mut second = Socket::open(&bob).await;
    a.join(&channel).await;
    let start = first.call("call_start").await;
    second.settle().await;
    assert_eq!(bob.calls("POST", &dismiss, Value::Null).await.status, 200);
    for socket in [&mut first, &mut second] {
        let told = socket.call("user_dismissed_notification").await;
        assert_eq!(told, json!({"userID": bob.id, "callID": start["id"]}));
    }
    let list = bob.calls("GET", "channels", Value::Null).await.json();
    let call = &list
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["channel_id"] == channel)
        .unwrap()["call"];
    assert_eq!(
        call["dismissed_notification"],
        json!({bob.id.clone(): true})
    );
    let list = alice.calls("GET", "channels", Value::Null).await.json();
    assert!(!list.to_string().contains("dismissed_notification"));
    assert!(!names(&a.settle().await).contains(&"user_dismissed_notification".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn a_recording_starts_stops_and_arrives_in_the_thread() {
    let server = server_with(|c| {
        c.timings.recorder_start = Duration::from_millis(20);
        c.timings.recorder_post = Duration::from_millis(20);
    })
    .await;
    let alice = Client::sign_in(&server, "alice").await;
    let bob = Client::sign_in(&server, "bob").await;
    let channel = alice.channel("standup").await;
    let mut a = Socket::open(&alice).await;
    let mut b = Socket::open(&bob).await;
    let start = format!("calls/{channel}/recording/start");
    let stop = format!("calls/{channel}/recording/stop");
    let early = alice.calls("POST", &start, Value::Null).await;
    assert_eq!(early.json()["message"], "no call ongoing");
    a.join(&channel).await;
    b.join(&channel).await;
    let refused = bob.calls("POST", &start, Value::Null).await;
    assert_eq!(refused.json()["message"], "no permissions to record");
    let job = alice.calls("POST", &start, Value::Null).await.json();
    assert_eq!(job["type"], "recording");
    assert_eq!(job["start_at"], 0);
    let told = b.call("call_job_state").await;
    assert_eq!(told["callID"], channel, "it is the channel's id");
    assert_eq!(told["jobState"]["err"], "");
    let running = b.call("call_job_state").await;
    assert!(running["jobState"]["start_at"].as_i64().unwrap() > 0);
    let twice = alice.calls("POST", &start, Value::Null).await;
    assert_eq!(twice.json()["message"], "recording already in progress");
    alice.calls("POST", &stop, Value::Null).await;
    assert!(
        b.call("call_job_state").await["jobState"]["end_at"]
            .as_i64()
            .unwrap()
            > 0
    );
    let post = loop {
        let (posted, _) = b.until("posted").await;
        let post: Value = serde_json::from_str(posted["data"]["post"].as_str().unwrap()).unwrap();
        if post["type"] == "custom_calls_recording" {
            break post;
        }
    };
    let root = post["root_id"].as_str().unwrap();
    assert_eq!(post["props"]["call_post_id"], root);
    let file = post["file_ids"][0].as_str().unwrap();
    let file = format!("/api/v4/files/{file}");
    assert_eq!(bob.send("GET", &file, Value::Null).await.status, 200);
    // A recorder that fails says why.
    server.switch(|s| s.recorder = Recorder::Fails("no disk".to_owned()));
    alice.calls("POST", &start, Value::Null).await;
    let failed = loop {
        let told = b.call("call_job_state").await;
        if told["jobState"]["err"] != "" {
            break told;
        }
    };
    assert_eq!(failed["jobState"]["err"], "no disk");
    server.stop().await;
}

#[tokio::test]
async fn an_unanswered_direct_call_ends_by_itself_on_newer_servers() {
    let server = server_with(|c| {
        c.switches.dm_calls = true;
        c.timings.no_answer = Duration::from_millis(50);
    })
    .await;
    let alice = Client::sign_in(&server, "alice").await;
    let bob = Client::sign_in(&server, "bob").await;
    let channel = alice.direct(&bob).await;
    let mut a = Socket::open(&alice).await;
    let heard = a.join(&channel).await;
    let posted = heard.iter().find(|v| v["event"] == "posted").unwrap();
    assert!(
        posted["data"]["post"]
            .as_str()
            .unwrap()
            .contains("\"call_status\":\"calling\"")
    );
    a.call("call_end").await;
    a.call("user_left").await;
    let (edited, _) = a.until("post_edited").await;
    assert!(
        edited["data"]["post"]
            .as_str()
            .unwrap()
            .contains("\"call_status\":\"no_answer\"")
    );
    server.stop().await;
}

#[tokio::test]
async fn declining_ends_a_direct_call_and_older_servers_do_not_know_it() {
    let server = server().await;
    let alice = Client::sign_in(&server, "alice").await;
    let bob = Client::sign_in(&server, "bob").await;
    let channel = alice.direct(&bob).await;
    let decline = format!("calls/{channel}/decline");
    assert_eq!(bob.calls("POST", &decline, Value::Null).await.status, 404);
    server.switch(|s| s.dm_calls = true);
    assert_eq!(bob.calls("POST", &decline, Value::Null).await.status, 400);
    let mut a = Socket::open(&alice).await;
    let mut b = Socket::open(&bob).await;
    a.join(&channel).await;
    let own = alice.calls("POST", &decline, Value::Null).await;
    assert_eq!(own.status, 403);
    assert_eq!(bob.calls("POST", &decline, Value::Null).await.status, 200);
    b.call("user_dismissed_notification").await;
    b.call("call_end").await;
    a.call("user_left").await;
    let (edited, _) = a.until("post_edited").await;
    assert!(
        edited["data"]["post"]
            .as_str()
            .unwrap()
            .contains("\"call_status\":\"declined\"")
    );
    server.stop().await;
}
