//! The servers' spelling, by golden files in `tests/fixtures/wire`: what they send is read to the last field we use,
//! what we send is written as they expect it, and nothing malformed can do harm. The files follow the protocol's
//! documents and real servers, not this code, so that client and development server cannot agree on a mistake.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use calls_core::wire::calls::{self, CallsEvent, Who};
use calls_core::wire::dc::{self, Message, Writer};
use calls_core::wire::socket::{self, Event, Frame, Request};
use calls_core::wire::{self, rest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const ALICE: &str = "connalicexxxxxxxxxxxxxxxxx";
const BOB: &str = "connbobxxxxxxxxxxxxxxxxxxx";
const USER_ALICE: &str = "useralicexxxxxxxxxxxxxxxxx";
const USER_BOB: &str = "userbobxxxxxxxxxxxxxxxxxxx";
const CHANNEL: &str = "channel1xxxxxxxxxxxxxxxxxx";
const CALL: &str = "callidxxxxxxxxxxxxxxxxxxxx";
const POST: &str = "postidxxxxxxxxxxxxxxxxxxxx";

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("tests/fixtures/wire").join(name))
        .find(|path| path.exists())
        .expect("the fixture exists");
    fs::read_to_string(path).unwrap()
}

/// Reads a fixture as a type, and checks that what the type writes is part of the fixture.
fn read<T: DeserializeOwned + Serialize>(name: &str) -> T {
    let text = fixture(name);
    let value: T = wire::parse(text.as_bytes()).unwrap();
    let written = serde_json::to_value(&value).unwrap();
    assert_part_of(&written, &serde_json::from_str(&text).unwrap(), name);
    value
}

/// Everything in `part` is in `whole`; what only our defaults have filled in may be missing there.
fn assert_part_of(part: &Value, whole: &Value, at: &str) {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            for (key, value) in part {
                let at = format!("{at}.{key}");
                match whole.get(key) {
                    None | Some(Value::Null) => {
                        let empty = match value {
                            Value::Bool(flag) => !flag,
                            Value::Number(number) => number.as_i64() == Some(0),
                            Value::String(text) => text.is_empty(),
                            Value::Array(items) => items.is_empty(),
                            Value::Object(members) => members.is_empty(),
                            Value::Null => true,
                        };
                        assert!(empty, "{at} is made up");
                    }
                    Some(there) => assert_part_of(value, there, &at),
                }
            }
        }
        (Value::Array(part), Value::Array(whole)) => {
            assert_eq!(part.len(), whole.len(), "{at}");
            for (index, (part, whole)) in part.iter().zip(whole).enumerate() {
                assert_part_of(part, whole, &format!("{at}[{index}]"));
            }
        }
        _ => assert_eq!(part, whole, "{at}"),
    }
}

#[test]
fn every_event_of_a_call_is_read() {
    let bob = || Who {
        user: USER_BOB.into(),
        session: BOB.into(),
    };
    let call: calls::Call = read("call_state.json");
    let expected = vec![
        None,
        Some(CallsEvent::Join { conn: ALICE.into() }),
        Some(CallsEvent::Error {
            conn: ALICE.into(),
            text: "forbidden".into(),
        }),
        Some(CallsEvent::Signal {
            conn: ALICE.into(),
            text: "{\"type\":\"answer\",\"sdp\":\"v=0\\r\\n\"}".into(),
        }),
        Some(CallsEvent::CallStart {
            call: CALL.into(),
            start_at: 1_790_000_000_123,
            thread: POST.into(),
            owner: USER_ALICE.into(),
            host: USER_ALICE.into(),
        }),
        Some(CallsEvent::CallState(Box::new(call))),
        Some(CallsEvent::CallEnd),
        Some(CallsEvent::UserJoined(bob())),
        Some(CallsEvent::UserLeft(bob())),
        Some(CallsEvent::Muted(bob(), true)),
        Some(CallsEvent::Muted(bob(), false)),
        Some(CallsEvent::Voice(bob(), true)),
        Some(CallsEvent::Voice(bob(), false)),
        Some(CallsEvent::Screen(bob(), true)),
        Some(CallsEvent::Screen(Who::default(), false)),
        Some(CallsEvent::Hand(bob(), 1_790_000_030_555)),
        Some(CallsEvent::Hand(bob(), 0)),
        Some(CallsEvent::HostChanged(String::new())),
        Some(CallsEvent::JobState(calls::Job {
            kind: "recording".into(),
            init_at: 1,
            start_at: 2,
            ..calls::Job::default()
        })),
        Some(CallsEvent::HostMute {
            session: ALICE.into(),
        }),
        Some(CallsEvent::HostScreenOff {
            session: ALICE.into(),
        }),
        Some(CallsEvent::HostLowerHand {
            session: ALICE.into(),
            host: "userbobxxxxxxxxxxxxxxxxxxx".into(),
        }),
        Some(CallsEvent::HostRemoved {
            session: ALICE.into(),
            user: USER_ALICE.into(),
        }),
        Some(CallsEvent::Enabled(true)),
        Some(CallsEvent::Enabled(false)),
        Some(CallsEvent::Reacted {
            who: bob(),
            emoji: calls::Emoji {
                name: "heart".into(),
                unified: "2764-fe0f".into(),
                literal: "❤️".into(),
                ..calls::Emoji::default()
            },
            at: 1_790_000_000_000,
        }),
    ];
    let frames: Vec<Value> = serde_json::from_str(&fixture("events.json")).unwrap();
    assert_eq!(frames.len(), expected.len());
    for (seq, (frame, expected)) in frames.iter().zip(expected).enumerate() {
        let Frame::Event(event) = socket::read(frame.to_string().as_bytes()).unwrap() else {
            panic!("{frame} is no event");
        };
        assert_eq!(event.seq, i64::try_from(seq).unwrap());
        assert_eq!(calls::read_event(&event), expected, "{frame}");
        let personal = ["hello", "join", "error", "signal"]
            .iter()
            .any(|name| event.event.ends_with(name));
        if !personal {
            assert_eq!(calls::channel_of(&event), CHANNEL, "{frame}");
        }
        let written = serde_json::to_value(&event).unwrap();
        assert_part_of(&written, frame, &event.event);
    }
}

#[test]
fn replies_are_told_from_events() {
    let frames: Vec<Value> = serde_json::from_str(&fixture("replies.json")).unwrap();
    let read = |value: &Value| match socket::read(value.to_string().as_bytes()).unwrap() {
        Frame::Reply(reply) => reply,
        Frame::Event(event) => panic!("{event:?}"),
    };
    let pong = read(&frames[0]);
    assert_eq!(
        (pong.seq_reply, pong.data["text"].as_str()),
        (7, Some("pong"))
    );
    let failure = read(&frames[1]);
    assert_eq!(failure.error.unwrap().status_code, 500);
}

#[test]
fn every_action_is_written_as_the_server_reads_it() {
    let actions: Vec<Value> = serde_json::from_str(&fixture("actions.json")).unwrap();
    for action in &actions {
        let request: Request = serde_json::from_value(action.clone()).unwrap();
        assert_eq!(serde_json::to_value(&request).unwrap(), *action);
    }
    let join = calls::Join {
        channel_id: CHANNEL.into(),
        dc_signaling: true,
        ..calls::Join::default()
    };
    assert_eq!(serde_json::to_value(&join).unwrap(), actions[1]["data"]);
    let reconnect = calls::Reconnect {
        channel_id: CHANNEL.into(),
        original_conn_id: ALICE.into(),
        prev_conn_id: ALICE.into(),
    };
    assert_eq!(
        serde_json::to_value(&reconnect).unwrap(),
        actions[2]["data"]
    );
    let text = actions[5]["data"]["data"].as_str().unwrap();
    let candidate: calls::Candidate = wire::parse(text.as_bytes()).unwrap();
    assert_eq!(candidate.username_fragment.as_deref(), Some("Xk3v"));
    assert_eq!(serde_json::to_string(&candidate).unwrap(), text);
}

#[test]
fn configuration_and_version_are_read_with_their_odd_keys() {
    let config: calls::Config = wire::parse(fixture("config.json").as_bytes()).unwrap();
    assert!(config.needs_turn_credentials && config.enable_dc_signaling && config.enable_simulcast);
    assert!(config.host_controls_allowed && config.group_calls_allowed && config.enable_ringing);
    assert!(config.default_enabled && !config.allow_screen_sharing);
    assert_eq!(config.max_call_participants, 8);
    assert_eq!(config.ice_servers_configs[1].credential, "c");
    let bare: calls::Config = wire::parse(fixture("config_null.json").as_bytes()).unwrap();
    assert_eq!(bare, calls::Config::default());
    assert!(bare.allow_screen_sharing);
    let version: calls::Version = read("version.json");
    assert_eq!(version.rtcd_version, "v1.2.6");
    let channels: Vec<calls::CallsChannel> = read("channels.json");
    let enabled: Vec<Option<bool>> = channels.iter().map(|channel| channel.enabled).collect();
    assert_eq!(enabled, [Some(true), Some(false), None]);
}

#[test]
fn the_core_bodies_are_read() {
    assert_eq!(read::<rest::User>("user.json").last_picture_update, 77);
    assert_eq!(read::<rest::Channel>("channel.json").kind, "D");
    let member: rest::ChannelMember = read("member.json");
    assert_eq!(member.notify_props["mark_unread"], "mention");
    let posts: rest::PostList = read("posts.json");
    assert_eq!(posts.posts[POST].props["title"], "Weekly");
    let error: rest::ErrorBody = read("error.json");
    assert_eq!(error.id, "api.context.session_expired.app_error");
}

/// The lines of `dc.txt`: a name and bytes.
fn bytes_of() -> BTreeMap<String, Vec<u8>> {
    let text = fixture("dc.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, hex) = line.split_once(": ").unwrap();
            let bytes = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                .collect();
            (name.to_owned(), bytes)
        })
        .collect()
}

#[test]
fn messages_of_the_data_channel_are_read_in_both_encodings() {
    let bytes = bytes_of();
    let read = |name: &str| Message::read(&bytes[name]).unwrap();
    let entry = dc::MediaEntry {
        kind: "voice".into(),
        sender_id: ALICE.into(),
    };
    let cases = [
        ("client ping", Message::Ping),
        ("server signed ping", Message::Ping),
        ("server pong", Message::Pong),
        ("client loss 0.013", Message::LossRate(0.013)),
        ("client loss 0", Message::LossRate(0.0)),
        ("client loss 1", Message::LossRate(1.0)),
        ("client rtt 0.25", Message::RoundTripTime(0.25)),
        ("client jitter 0.5", Message::Jitter(0.5)),
        ("client lock", Message::Lock),
        ("server granted", Message::LockReply(true)),
        ("server busy", Message::LockReply(false)),
        ("client unlock", Message::Unlock),
        (
            "server map",
            Message::MediaMap([("1".to_owned(), entry)].into()),
        ),
        ("server empty map", Message::MediaMap(BTreeMap::new())),
        ("server unknown", Message::Unknown(42)),
    ];
    for (name, expected) in cases {
        assert_eq!(read(name), expected, "{name}");
        let writer = if name.starts_with("client") {
            Writer::Client
        } else {
            Writer::Server
        };
        // JavaScript writes whole numbers short, and the signed form is nobody's: both are only read.
        if !["client loss 0", "client loss 1", "server signed ping"].contains(&name) {
            assert_eq!(expected.write(writer).unwrap(), bytes[name], "{name}");
        }
    }
}

#[test]
fn descriptions_are_zlib_inside_binary_values() {
    let bytes = bytes_of();
    let description = |name: &str| match Message::read(&bytes[name]).unwrap() {
        Message::Sdp(compressed) => dc::inflate(&compressed).unwrap(),
        other => panic!("{other:?}"),
    };
    let offer = description("client sdp");
    assert_eq!(
        (offer.kind.as_str(), offer.sdp.as_str()),
        ("offer", "v=0\r\n")
    );
    assert_eq!(description("server sdp").kind, "answer");
    let (seq, compressed) = dc::read_sdp_frame(&bytes["frame sdp"]).unwrap();
    assert_eq!((seq, dc::inflate(&compressed).unwrap()), (4, offer.clone()));
    // The documented beginning: a map of three, the action, the number, and *bin*.
    let frame = dc::write_sdp_frame(4, compressed).unwrap();
    assert_eq!(frame, bytes["frame sdp"]);
    let own = dc::deflate(&offer).unwrap();
    assert_eq!(own[0], 0x78, "zlib, neither raw deflate nor gzip");
    assert_eq!(dc::inflate(&own).unwrap(), offer);
}

#[test]
fn a_bomb_is_not_inflated() {
    let huge = calls::Description {
        kind: "offer".into(),
        sdp: "a".repeat(10 * dc::MAX_DESCRIPTION),
    };
    assert!(dc::inflate(&dc::deflate(&huge).unwrap()).is_err());
}

#[test]
fn malformed_input_is_refused_and_never_panics() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let feed = |bytes: &[u8]| {
        let _ = Message::read(bytes);
        let _ = dc::inflate(bytes);
        let _ = dc::read_sdp_frame(bytes);
        let _ = calls::read_signal(&String::from_utf8_lossy(bytes));
        if let Ok(Frame::Event(event)) = socket::read(bytes) {
            let _ = calls::read_event(&event);
            let _ = calls::channel_of(&event);
        }
    };
    let mut samples: Vec<Vec<u8>> = bytes_of().into_values().collect();
    let events: Vec<Value> = serde_json::from_str(&fixture("events.json")).unwrap();
    samples.extend(events.iter().map(|event| event.to_string().into_bytes()));
    for sample in &samples {
        for length in 0..sample.len() {
            feed(&sample[..length]);
        }
        for _ in 0..200 {
            let mut broken = sample.clone();
            for _ in 0..=random() % 4 {
                let at = usize::try_from(random()).unwrap() % broken.len();
                broken[at] = random().to_le_bytes()[0];
            }
            feed(&broken);
        }
    }
    feed(&[0xdd, 0xff, 0xff, 0xff, 0xff]);
    feed("[".repeat(100_000).as_bytes());
    for (name, data) in [
        ("user_joined", "[]"),
        ("call_state", "{\"call\":7}"),
        ("call_job_state", "{\"jobState\":[]}"),
    ] {
        let text = format!("{{\"event\":\"{}{name}\",\"data\":{data}}}", calls::PREFIX);
        feed(text.as_bytes());
    }
    let nested: Result<Event, _> = wire::parse("{\"data\":".repeat(500).as_bytes());
    assert!(nested.is_err());
}
