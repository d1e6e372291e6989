use std::io::Write as _;
use std::time::Duration;

use calls_devserver::{DevServer, Fault};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, PREFIX, Socket, names, server, server_with};

/// alice and bob with a socket each, and the id of the seeded channel.
async fn two(server: &DevServer) -> (Client, Socket, Client, Socket, String) {
    let alice = Client::sign_in(server, "alice").await;
    let bob = Client::sign_in(server, "bob").await;
    let channel = alice.channel("standup").await;
    let mut a = Socket::open(&alice).await;
    let mut b = Socket::open(&bob).await;
    a.settle().await;
    b.settle().await;
    (alice, a, bob, b, channel)
}

/// What a join that must fail is told.
async fn refused(socket: &mut Socket, data: Value) -> String {
    socket.say("join", data).await;
    let error = socket.call("error").await;
    assert_eq!(error["connID"], socket.id);
    error["data"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn starting_and_joining_tell_everything_in_order() {
    let server = server().await;
    let (alice, mut a, bob, mut b, channel) = two(&server).await;
    let heard = a.join(&channel).await;
    assert_eq!(
        names(&heard),
        [
            "call_host_changed",
            "posted",
            "call_start",
            "join",
            "user_joined",
            "call_state"
        ]
    );
    let data = |name: &str| {
        let name = format!("{PREFIX}{name}");
        heard.iter().find(|v| v["event"] == name).unwrap()
    };
    let start = &data("call_start")["data"];
    assert_eq!(start["channelID"], channel);
    assert_eq!(start["owner_id"], alice.id);
    assert_eq!(start["host_id"], alice.id);
    assert_eq!(start["thread_id"], start["post_id"]);
    let host = data("call_host_changed");
    assert_eq!(host["data"]["hostID"], alice.id);
    assert_eq!(host["data"]["call_id"], start["id"]);
    assert_eq!(host["broadcast"]["user_id"], alice.id);
    assert_eq!(host["broadcast"]["channel_id"], channel);
    let join = data("join");
    assert_eq!(join["data"], json!({"connID": a.id}));
    assert_eq!(join["broadcast"]["connection_id"], a.id);
    let joined = &data("user_joined")["data"];
    let expected = json!({"channelID": channel, "user_id": alice.id, "session_id": a.id});
    assert_eq!(*joined, expected);
    let state = &data("call_state")["data"];
    assert_eq!(state["channel_id"], channel);
    let call: Value = serde_json::from_str(state["call"].as_str().unwrap()).unwrap();
    assert_eq!(call["id"], start["id"]);
    let session = json!({
        "session_id": a.id, "user_id": alice.id, "unmuted": false, "raised_hand": 0,
        "video": false,
    });
    assert_eq!(call["sessions"], json!([session]));
    assert!(call.get("recording").is_none() && call.get("dismissed_notification").is_none());
    let posted = heard.iter().find(|v| v["event"] == "posted").unwrap();
    let post: Value = serde_json::from_str(posted["data"]["post"].as_str().unwrap()).unwrap();
    assert_eq!(post["type"], "custom_calls");
    assert_eq!(post["message"], "Alice Ahlberg started a call");

    let seen = b.settle().await;
    assert_eq!(names(&seen), ["posted", "call_start", "user_joined"]);
    let heard = b.join(&channel).await;
    assert_eq!(names(&heard), ["join", "user_joined", "call_state"]);
    assert_eq!(names(&a.settle().await), ["user_joined"]);

    a.say("leave", Value::Null).await;
    let (left, _) = b.until(&format!("{PREFIX}user_left")).await;
    assert_eq!(left["data"]["session_id"], a.id);
    assert_eq!(b.call("call_host_changed").await["hostID"], bob.id);
    b.say("leave", Value::Null).await;
    let (edited, before) = b.until("post_edited").await;
    assert!(!names(&before).contains(&"call_end".to_owned()));
    let post: Value = serde_json::from_str(edited["data"]["post"].as_str().unwrap()).unwrap();
    assert_eq!(post["message"], "Call ended");
    assert!(post["props"]["end_at"].as_i64().unwrap() > 0);
    assert_eq!(server.stats()["sessions"], 0);
    assert_eq!(server.stats()["session_index"], 0);
    assert_eq!(server.stats()["connection_index"], 0);
    server.stop().await;
}

#[tokio::test]
async fn joins_are_refused_with_the_plugins_words() {
    let server = server().await;
    let (alice, mut a, bob, mut b, channel) = two(&server).await;
    let archived = alice
        .get("/api/v4/users/me/channels?include_deleted=true")
        .await
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["name"] == "old-project")
        .unwrap()["id"]
        .clone();
    let disabled = alice.channel("no-calls").await;
    let elsewhere = alice.channel("off-topic").await;
    let carol = Client::sign_in(&server, "carol").await;
    let mut c = Socket::open(&carol).await;
    let private = alice.channel("incident-room").await;
    let readonly = alice.channel("announcements").await;
    assert_eq!(
        refused(&mut c, json!({"channelID": private})).await,
        "forbidden"
    );
    assert_eq!(
        refused(&mut c, json!({"channelID": readonly})).await,
        "forbidden"
    );
    assert_eq!(
        refused(&mut a, json!({"channelID": archived})).await,
        "cannot join call in archived channel"
    );
    assert_eq!(
        refused(&mut a, json!({"channelID": disabled})).await,
        "calls are disabled in the channel"
    );
    let root = alice.write(&channel, "root").await["id"].clone();
    let body = json!({"channel_id": channel, "message": "reply", "root_id": root});
    let reply = bob.post("/api/v4/posts", body).await["id"].clone();
    assert_eq!(
        refused(&mut a, json!({"channelID": channel, "threadID": reply})).await,
        "thread is not a root post"
    );
    assert_eq!(
        refused(&mut a, json!({"channelID": elsewhere, "threadID": root})).await,
        "forbidden"
    );
    server.switch(|s| s.group_calls = false);
    assert_eq!(
        refused(&mut a, json!({"channelID": channel})).await,
        "unlicensed servers only allow calls in DMs"
    );
    server.switch(|s| {
        s.group_calls = true;
        s.test_mode = true;
    });
    assert_eq!(
        refused(&mut a, json!({"channelID": channel})).await,
        "insufficient permissions"
    );
    server.switch(|s| {
        s.test_mode = false;
        s.max_participants = 1;
    });
    a.join(&channel).await;
    assert_eq!(
        refused(&mut b, json!({"channelID": channel})).await,
        "user cannot join because of limits"
    );
    server.switch(|s| s.max_participants = 0);
    assert_eq!(
        refused(&mut a, json!({"channelID": channel})).await,
        "session is already connected"
    );
    let fault = Fault::RefuseJoin {
        user: "bob".to_owned(),
        text: "failed to get rtcd host: no host available".to_owned(),
        count: 1,
    };
    server.fault(fault).await.unwrap();
    assert_eq!(
        refused(&mut b, json!({"channelID": channel})).await,
        "failed to get rtcd host: no host available"
    );
    // An active call may be joined in test mode, too.
    server.switch(|s| s.test_mode = true);
    b.join(&channel).await;
    // No channel at all is dropped, not refused.
    c.say("join", json!({"channelID": 7})).await;
    assert!(!names(&c.settle().await).contains(&"error".to_owned()));
    server.stop().await;
}

#[tokio::test]
async fn states_are_told_to_participants_with_their_mixed_spelling() {
    let server = server().await;
    let (alice, mut a, _bob, mut b, channel) = two(&server).await;
    // Without a session everything but joining is dropped.
    a.say("unmute", Value::Null).await;
    a.join(&channel).await;
    b.join(&channel).await;
    a.settle().await;
    let dave = Client::sign_in(&server, "dave").await;
    let mut outsider = Socket::open(&dave).await;
    outsider.settle().await;

    a.say("unmute", Value::Null).await;
    let who = json!({"channelID": channel, "userID": alice.id, "session_id": a.id});
    assert_eq!(b.call("user_unmuted").await, who);
    a.say("mute", Value::Null).await;
    assert_eq!(b.call("user_muted").await, who);
    a.say("raise_hand", Value::Null).await;
    assert!(
        b.call("user_raise_hand").await["raised_hand"]
            .as_i64()
            .unwrap()
            > 0
    );
    a.say("unraise_hand", Value::Null).await;
    assert_eq!(b.call("user_unraise_hand").await["raised_hand"], 0);
    let emoji = json!({"name": "+1", "unified": "1f44d"}).to_string();
    a.say("react", json!({"data": emoji})).await;
    let reaction = b.call("user_reacted").await;
    assert_eq!(reaction["user_id"], alice.id);
    assert!(reaction.get("userID").is_none());
    let all = json!({"name": "+1", "unified": "1f44d", "skin": "", "literal": ""});
    assert_eq!(reaction["emoji"], all);
    assert!(names(&outsider.settle().await).is_empty());
    // The sender hears itself, too.
    let own = names(&a.settle().await);
    assert!(own.contains(&"user_reacted".to_owned()), "{own:?}");
    server.stop().await;
}

#[tokio::test]
async fn one_screen_at_a_time_and_refusal_is_silence() {
    let server = server().await;
    let (alice, mut a, _bob, mut b, channel) = two(&server).await;
    a.join(&channel).await;
    b.join(&channel).await;
    a.settle().await;
    let stream = |id: &str| json!({"data": json!({"screenStreamID": id}).to_string()});
    a.say("screen_on", stream("s1")).await;
    assert_eq!(b.call("user_screen_on").await["session_id"], a.id);
    a.settle().await;
    b.say("screen_on", stream("s2")).await;
    b.say("screen_off", Value::Null).await;
    assert!(names(&b.settle().await).is_empty());
    assert!(names(&a.settle().await).is_empty());
    b.say("call_state", json!({"channelID": channel})).await;
    let state = b.call("call_state").await;
    let call: Value = serde_json::from_str(state["call"].as_str().unwrap()).unwrap();
    assert_eq!(call["screen_sharing_session_id"], a.id);
    // The sharer goes: `user_screen_off` names nobody.
    a.say("leave", Value::Null).await;
    let off = b.call("user_screen_off").await;
    assert_eq!(off, json!({"channelID": channel}));
    server.switch(|s| s.screen_sharing = false);
    b.settle().await;
    b.say("screen_on", stream("s3")).await;
    assert!(names(&b.settle().await).is_empty());
    assert_eq!(alice.id.len(), 26);
    server.stop().await;
}

#[tokio::test]
async fn a_lost_socket_ends_the_session_after_the_grace() {
    let server = server_with(|c| c.timings.grace = Duration::from_millis(100)).await;
    let (_alice, mut a, _bob, mut b, channel) = two(&server).await;
    a.join(&channel).await;
    b.join(&channel).await;
    let fault = Fault::CutSocket {
        user: Some("alice".to_owned()),
        connection: None,
    };
    server.fault(fault).await.unwrap();
    assert_eq!(b.call("user_left").await["session_id"], a.id);
    server.stop().await;
}

#[tokio::test]
async fn reconnecting_in_time_keeps_the_session_under_its_old_id() {
    let server = server_with(|c| c.timings.grace = Duration::from_millis(300)).await;
    let (alice, mut a, bob, mut b, channel) = two(&server).await;
    a.join(&channel).await;
    b.join(&channel).await;
    b.settle().await;
    let fault = Fault::CutSocket {
        user: Some("alice".to_owned()),
        connection: None,
    };
    server.fault(fault).await.unwrap();
    while a.try_next().await.is_some() {}
    // A new connection, not a resumed one.
    let mut again = Socket::open(&alice).await;
    assert_ne!(again.id, a.id);
    let data = json!({"channelID": channel, "originalConnID": a.id, "prevConnID": a.id});
    again.say("reconnect", data).await;
    // Messages of the new connection are the session's.
    again.say("unmute", Value::Null).await;
    assert_eq!(b.call("user_unmuted").await["session_id"], a.id);
    // Somebody else cannot take it over.
    let data = json!({"channelID": channel, "originalConnID": a.id, "prevConnID": again.id});
    b.say("reconnect", data).await;
    again.say("mute", Value::Null).await;
    assert_eq!(b.call("user_muted").await["userID"], alice.id);
    // The clock has stopped: bob leaves later than the grace, and alice is still there.
    tokio::time::timeout(Duration::from_millis(450), b.call("user_left"))
        .await
        .unwrap_err();
    assert_eq!(server.stats()["sessions"], 2);
    assert_ne!(bob.id, alice.id);
    server.stop().await;
}

#[tokio::test]
async fn a_late_reconnect_and_a_wrong_previous_id_are_silent_failures() {
    let server = server_with(|c| c.timings.grace = Duration::from_millis(100)).await;
    let (alice, mut a, _bob, mut b, channel) = two(&server).await;
    a.join(&channel).await;
    b.join(&channel).await;
    let cut = || Fault::CutSocket {
        user: Some("alice".to_owned()),
        connection: None,
    };
    server.fault(cut()).await.unwrap();
    b.call("user_left").await;
    let mut late = Socket::open(&alice).await;
    late.settle().await;
    let data = json!({"channelID": channel, "originalConnID": a.id, "prevConnID": a.id});
    late.say("reconnect", data).await;
    assert!(names(&late.settle().await).is_empty());
    late.say("call_state", json!({"channelID": channel})).await;
    let state = late.call("call_state").await;
    assert!(!state["call"].as_str().unwrap().contains(&a.id));
    // The wrong previous id binds, but does not stop the clock.
    late.join(&channel).await;
    b.settle().await;
    let lost = late.id.clone();
    server.fault(cut()).await.unwrap();
    let mut wrong = Socket::open(&alice).await;
    let data = json!({"channelID": channel, "originalConnID": lost, "prevConnID": "nonsense"});
    wrong.say("reconnect", data).await;
    assert_eq!(b.call("user_left").await["session_id"], lost);
    server.stop().await;
}

#[tokio::test]
async fn hosts_follow_the_rule_and_a_pinned_one_comes_back() {
    let server = server().await;
    let (alice, mut a, bob, mut b, channel) = two(&server).await;
    let carol = Client::sign_in(&server, "carol").await;
    let mut c = Socket::open(&carol).await;
    a.join(&channel).await;
    b.join(&channel).await;
    c.join(&channel).await;
    let make = format!("calls/{channel}/host/make");
    let body = json!({"new_host_id": carol.id});
    let answer = bob.calls("POST", &make, body.clone()).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["message"], "no permissions");
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    let answer = alice.calls("POST", &make, body).await;
    assert_eq!(
        answer.json(),
        json!({"message": "success", "status_code": 200})
    );
    assert_eq!(b.call("call_host_changed").await["hostID"], carol.id);
    c.say("leave", Value::Null).await;
    assert_eq!(b.call("call_host_changed").await["hostID"], alice.id);
    let mut c2 = Socket::open(&carol).await;
    c2.say("join", json!({"channelID": channel})).await;
    assert_eq!(b.call("call_host_changed").await["hostID"], carol.id);
    // An administrator who is not in the call is obeyed, and named.
    let admin = Client::sign_in(&server, "admin").await;
    b.say("raise_hand", Value::Null).await;
    b.call("user_raise_hand").await;
    let body = json!({"session_id": b.id});
    let lower = format!("calls/{channel}/host/lower-hand");
    assert_eq!(admin.calls("POST", &lower, body.clone()).await.status, 200);
    let told = b.call("host_lower_hand").await;
    assert_eq!(told["host_id"], admin.id);
    assert_eq!(told["session_id"], b.id);
    // Muting a muted session does nothing; an unmuted one is asked.
    let mute = format!("calls/{channel}/host/mute");
    carol.calls("POST", &mute, body.clone()).await;
    b.say("unmute", Value::Null).await;
    b.call("user_unmuted").await;
    carol.calls("POST", &mute, body).await;
    let expected = json!({"channel_id": channel, "session_id": b.id});
    assert_eq!(b.call("host_mute").await, expected);
    server.stop().await;
}

#[tokio::test]
async fn removal_and_the_end_are_enforced() {
    let server = server_with(|c| {
        c.timings.force_remove = Duration::from_millis(50);
        c.timings.force_end = Duration::from_millis(50);
    })
    .await;
    let (alice, mut a, _bob, mut b, channel) = two(&server).await;
    a.join(&channel).await;
    b.join(&channel).await;
    let body = json!({"session_id": b.id});
    alice
        .calls("POST", &format!("calls/{channel}/host/remove"), body)
        .await;
    assert_eq!(b.call("host_removed").await["session_id"], b.id);
    assert_eq!(b.call("user_left").await["session_id"], b.id);
    // Who was removed may come back.
    let mut b = Socket::open(&_bob).await;
    b.join(&channel).await;
    alice
        .calls("POST", &format!("calls/{channel}/host/end"), Value::Null)
        .await;
    assert_eq!(b.call("call_end").await, json!({"channelID": channel}));
    let dave = Client::sign_in(&server, "dave").await;
    let mut d = Socket::open(&dave).await;
    assert_eq!(
        refused(&mut d, json!({"channelID": channel})).await,
        "call has ended"
    );
    b.call("user_left").await;
    b.call("user_left").await;
    b.until("post_edited").await;
    assert_eq!(server.stats()["calls"], 0);
    server.stop().await;
}

#[tokio::test]
async fn leaving_the_channel_ends_the_session() {
    let server = server().await;
    let (_alice, mut a, bob, mut b, channel) = two(&server).await;
    a.join(&channel).await;
    b.join(&channel).await;
    let fault = Fault::RemoveFromChannel {
        user: "bob".to_owned(),
        channel: "standup".to_owned(),
    };
    server.fault(fault).await.unwrap();
    let (removed, _) = b.until("user_removed").await;
    assert_eq!(removed["data"]["channel_id"], channel);
    assert_eq!(removed["broadcast"]["user_id"], bob.id);
    assert_eq!(b.call("user_left").await["session_id"], b.id);
    let (removed, _) = a.until("user_removed").await;
    assert_eq!(removed["data"]["user_id"], bob.id);
    assert_eq!(removed["broadcast"]["channel_id"], channel);
    server.stop().await;
}

#[tokio::test]
async fn an_expired_login_ends_the_session_and_silences_the_socket() {
    let server = server_with(|c| c.timings.session_check = Duration::from_millis(50)).await;
    let (_alice, mut a, bob, mut b, channel) = two(&server).await;
    a.join(&channel).await;
    b.join(&channel).await;
    let fault = Fault::ExpireSession {
        user: Some("bob".to_owned()),
    };
    server.fault(fault).await.unwrap();
    assert_eq!(a.call("user_left").await["session_id"], b.id);
    let me = bob.send("GET", "/api/v4/users/me", Value::Null).await;
    assert_eq!(me.status, 401);
    b.send("ping", Value::Null).await;
    let reply = loop {
        let value = b.next().await;
        assert_ne!(value["event"], format!("{PREFIX}user_left"));
        if value["status"] == "FAIL" {
            break value;
        }
    };
    assert_eq!(reply["error"]["status_code"], 401);
    server.stop().await;
}

#[tokio::test]
async fn the_first_offer_is_answered_by_signal_to_the_session() {
    let server = server().await;
    let (_alice, mut a, _bob, _b, channel) = two(&server).await;
    a.join(&channel).await;
    // SDP as text and as an array of numbers is nothing.
    a.say("sdp", json!({"data": "{\"type\":\"offer\"}"})).await;
    assert!(!names(&a.settle().await).contains(&"signal".to_owned()));
    let sdp = include_str!("offer.sdp").replace('\n', "\r\n");
    let text = json!({"type": "offer", "sdp": sdp}).to_string();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(text.as_bytes()).unwrap();
    let packed = zlib.finish().unwrap();
    let mut frame = vec![0x83, 0xa6];
    frame.extend(b"action\xbf");
    frame.extend(format!("{PREFIX}sdp").as_bytes());
    frame.extend(b"\xa3seq\x05\xa4data\x81\xa4data\xc5");
    frame.extend(u16::try_from(packed.len()).unwrap().to_be_bytes());
    frame.extend(&packed);
    a.raw(Message::binary(frame)).await;
    let mut answered = false;
    let mut candidates = 0;
    while !answered || candidates == 0 {
        let signal = a.call("signal").await;
        assert_eq!(signal["connID"], a.id);
        let body: Value = serde_json::from_str(signal["data"].as_str().unwrap()).unwrap();
        match body["type"].as_str().unwrap() {
            "answer" => {
                assert!(body["sdp"].as_str().unwrap().contains("a=setup:active"));
                answered = true;
            }
            "candidate" => {
                assert!(
                    body["candidate"]["candidate"]
                        .as_str()
                        .unwrap()
                        .contains(" typ host")
                );
                candidates += 1;
            }
            other => panic!("{other}"),
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn messages_above_the_rate_are_dropped() {
    let server = server().await;
    let (_alice, mut a, _bob, mut b, channel) = two(&server).await;
    a.join(&channel).await;
    b.join(&channel).await;
    for _ in 0..150 {
        a.say("unmute", Value::Null).await;
    }
    let heard = a.settle().await;
    let told = names(&heard)
        .iter()
        .filter(|n| *n == "user_unmuted")
        .count();
    assert!((99..=115).contains(&told), "{told}");
    server.stop().await;
}

#[tokio::test]
async fn joins_of_big_channels_come_in_batches() {
    let server = server_with(|c| {
        c.switches.join_batch_members = 2;
        c.timings.join_batch = Duration::from_millis(60);
    })
    .await;
    let (_alice, mut a, bob, mut b, channel) = two(&server).await;
    let start = std::time::Instant::now();
    a.say("join", json!({"channelID": channel})).await;
    assert!(names(&a.settle().await).is_empty());
    b.say("join", json!({"channelID": channel})).await;
    a.call("join").await;
    assert!(start.elapsed() >= Duration::from_millis(60));
    b.call("join").await;
    let state = b.call("call_state").await;
    assert!(state["call"].as_str().unwrap().contains(&bob.id));
    server.stop().await;
}
