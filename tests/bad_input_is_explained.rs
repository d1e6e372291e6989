//! Whatever is wrong, the person gets one clear notice with a stable code, and nothing crashes or hangs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use calls_client::{NullShell, SavedSession};
use calls_core::command::{Command, DeviceRole};
use calls_core::port::Secret;
use calls_core::port::media::DeviceProblem;
use calls_core::snapshot::{Account, CallPhase, Link, Microphone, Snapshot};
use calls_devserver::Fault;
use calls_media::FakeHost;
use calls_media::device::signal::Signal;
use calls_media::testing::dominant;

mod support;

use support::{PASSWORD, Person, World, rms, tone};

fn shows(now: &Snapshot, code: &str) -> bool {
    now.notices.iter().any(|notice| notice.code == code)
}

fn codes(now: &Snapshot) -> Vec<&str> {
    now.notices
        .iter()
        .map(|notice| notice.code.as_str())
        .collect()
}

fn failed(now: &Snapshot) -> Option<&str> {
    match &now.call.phase {
        CallPhase::Failed { code, .. } => Some(code),
        _ => None,
    }
}

fn sign_in(login: &str, password: &str, code: Option<&str>) -> Command {
    Command::SignIn {
        login: login.to_owned(),
        password: password.to_owned(),
        code: code.map(str::to_owned),
    }
}

async fn stranger(world: &World) -> Person {
    world.stranger(FakeHost::with_signal(Signal::Silence)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password() {
    let world = World::new().await;
    let mut person = stranger(&world).await;
    person.does(sign_in("alice", "guess", None));
    let now = person
        .until("the refusal", |now| shows(now, "account.wrong"))
        .await;
    assert_eq!(codes(&now), ["account.wrong"]);
    assert!(matches!(&now.account, Account::SignedOut { login, .. } if login == "alice"));
    // And the right one after it.
    person.sign_in("alice", PASSWORD).await;
    assert!(person.now().notices.is_empty());
    person.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_factor_that_is_needed_then_wrong_then_right() {
    let world = World::new().await;
    let mut person = stranger(&world).await;
    let needed = |now: &Snapshot| {
        matches!(
            now.account,
            Account::SignedOut {
                code_needed: true,
                ..
            }
        )
    };
    person.does(sign_in("mfa", PASSWORD, None));
    person
        .until("the question for the code", |now| {
            needed(now) && shows(now, "account.mfa_needed")
        })
        .await;
    person.does(sign_in("mfa", PASSWORD, Some("000000")));
    person
        .until("the refusal", |now| {
            needed(now) && shows(now, "account.bad_code")
        })
        .await;
    person.does(sign_in("mfa", PASSWORD, Some(world.server.mfa_code())));
    person
        .until("the channels", |now| {
            matches!(now.account, Account::SignedIn { .. })
        })
        .await;
    person.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_expires_while_signed_in_and_in_a_call() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    alice.join("Standup").await;
    let standup = alice.channel("Standup").id;
    alice.does(Command::SaveDraft {
        channel: standup.clone(),
        root: None,
        text: "half a th".to_owned(),
    });
    world
        .server
        .fault(Fault::ExpireSession {
            user: Some("alice".to_owned()),
        })
        .await
        .unwrap();
    // The sockets stay open and silent; the next request hears of it.
    alice.does(Command::SendPost {
        channel: standup.clone(),
        root: None,
        text: "never sent".to_owned(),
    });
    let now = alice
        .until("the form", |now| {
            matches!(now.account, Account::SignedOut { .. })
        })
        .await;
    assert!(shows(&now, "account.expired"), "{:?}", codes(&now));
    assert!(matches!(&now.account, Account::SignedOut { login, .. } if login == "alice"));
    assert_eq!(now.call.phase, CallPhase::Idle);
    alice.sign_in("alice", PASSWORD).await;
    let draft = alice.channel("Standup").draft;
    assert!(
        draft.contains("half a th") || draft.contains("never sent"),
        "{draft}"
    );
    alice.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_token_that_is_no_good() {
    let world = World::new().await;
    let session = SavedSession {
        server: world.server.url().to_owned(),
        login: "alice".to_owned(),
        token: Secret::new("x".repeat(26)),
    };
    let host = FakeHost::with_signal(Signal::Silence);
    let mut person = Person::start(None, Some(session), host, Arc::new(NullShell));
    let now = person
        .until("the form", |now| {
            matches!(now.account, Account::SignedOut { .. })
        })
        .await;
    assert_eq!(codes(&now), ["account.expired"]);
    person.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let host = FakeHost::with_signal(Signal::Silence);
    let mut person = Person::start(None, None, host, Arc::new(NullShell));
    person.does(Command::FindServer {
        address: format!("http://127.0.0.1:{port}"),
    });
    let now = person
        .until("the notice", |now| shows(now, "server.none"))
        .await;
    assert_eq!(codes(&now), ["server.none"]);
    assert_eq!(now.account, Account::NoServer);
    person.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_instead_of_a_server() {
    let world = World::new().await;
    let fault = Fault::Rest {
        prefix: "/".to_owned(),
        delay_ms: 0,
        html: true,
        status: None,
        retry_after: None,
        count: None,
    };
    world.server.fault(fault).await.unwrap();
    let host = FakeHost::with_signal(Signal::Silence);
    let mut person = Person::start(None, None, host, Arc::new(NullShell));
    person.does(Command::FindServer {
        address: world.server.url().to_owned(),
    });
    let now = person
        .until("the notice", |now| shows(now, "server.not_mattermost"))
        .await;
    assert_eq!(codes(&now), ["server.not_mattermost"]);
    person.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_instead_of_answers_while_signed_in_does_not_sign_out() {
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let fault = Fault::Rest {
        prefix: "/".to_owned(),
        delay_ms: 0,
        html: true,
        status: None,
        retry_after: None,
        count: None,
    };
    world.server.fault(fault).await.unwrap();
    alice.does(Command::OpenChannel {
        channel: alice.channel("Standup").id,
    });
    let now = alice
        .until("the notice", |now| shows(now, "request.failed"))
        .await;
    assert!(matches!(now.account, Account::SignedIn { .. }));
    world.server.fault(Fault::ClearRest).await.unwrap();
    let retry = now
        .notices
        .iter()
        .find_map(|notice| notice.retry.clone())
        .unwrap();
    alice.does(retry);
    alice
        .until("the posts", |now| {
            !now.timeline.loading && !now.timeline.posts.is_empty()
        })
        .await;
    alice.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_the_plugin() {
    let world = World::with(|switches| switches.plugin_missing = true).await;
    let mut person = stranger(&world).await;
    let Account::SignedOut { server, .. } = &person.now().account else {
        panic!()
    };
    assert_eq!(server.calls_version, None, "said before anybody signs in");
    person.does(sign_in("alice", PASSWORD, None));
    let now = person
        .until("channels that know of no calls", |now| {
            now.directory
                .channels
                .iter()
                .any(|row| row.call_blocked.as_deref() == Some("server.no_calls"))
        })
        .await;
    assert!(!now.directory.calls_available);
    person.does(Command::JoinCall {
        channel: person.channel("Standup").id,
        title: None,
        switch: false,
    });
    person
        .until("the notice", |now| shows(now, "server.no_calls"))
        .await;
    person.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_switched_off_archived_and_deactivated() {
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let blocked = alice.channel("No Calls Here").call_blocked;
    assert_eq!(blocked.as_deref(), Some("call.disabled"));
    alice.does(Command::JoinCall {
        channel: alice.channel("No Calls Here").id,
        title: None,
        switch: false,
    });
    let now = alice
        .until("the notice", |now| shows(now, "call.disabled"))
        .await;
    assert_eq!(now.call.phase, CallPhase::Idle);
    alice.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_of_the_server_when_it_is_too_late_to_know() {
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    for (text, code) in [
        ("forbidden", "call.forbidden"),
        ("cannot join call in archived channel", "call.archived"),
        (
            "unlicensed servers only allow calls in DMs",
            "call.group_off",
        ),
        ("calls are disabled in the channel", "call.disabled"),
        ("insufficient permissions", "call.test_mode"),
        ("user cannot join because of limits", "call.full"),
        ("failed to get rtcd host: no host available", "call.refused"),
    ] {
        let fault = Fault::RefuseJoin {
            user: "alice".to_owned(),
            text: text.to_owned(),
            count: 1,
        };
        world.server.fault(fault).await.unwrap();
        alice.does(Command::JoinCall {
            channel: alice.channel("Standup").id,
            title: None,
            switch: false,
        });
        let now = alice.until(code, |now| failed(now).is_some()).await;
        assert_eq!(failed(&now), Some(code), "{text}");
        alice.does(Command::DismissCallProblem);
        alice
            .until("idle", |now| now.call.phase == CallPhase::Idle)
            .await;
    }
    // And then it works.
    alice.join("Standup").await;
    alice.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_call() {
    let world = World::with(|switches| switches.max_participants = 1).await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    alice.join("Standup").await;
    bob.until("a full call in the list", |now| {
        now.directory
            .channels
            .iter()
            .any(|row| row.name == "Standup" && row.call_blocked.as_deref() == Some("call.full"))
    })
    .await;
    bob.does(Command::JoinCall {
        channel: bob.channel("Standup").id,
        title: None,
        switch: false,
    });
    bob.until("the notice", |now| shows(now, "call.full")).await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_microphone_means_listening() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let host = FakeHost::new();
    host.plug(DeviceRole::Output, "speaker", true);
    let mut bob = world.stranger(host.clone()).await;
    bob.sign_in("bob", PASSWORD).await;
    let a = alice.join("Standup").await;
    alice.unmute().await;
    bob.join("Standup").await;
    bob.until("the notice", |now| {
        shows(now, "mic.none") && now.call.microphone == Microphone::Unavailable
    })
    .await;
    bob.hears(&a).await;
    assert!(
        rms(&bob.listen(Duration::from_secs(1)).await) > 0.05,
        "listening works"
    );
    // One is plugged in: usable, and not open by itself.
    host.plug(DeviceRole::Input, "mic", true);
    let now = bob
        .until("a microphone", |now| {
            now.call.microphone == Microphone::Muted
        })
        .await;
    assert!(!shows(&now, "mic.none"));
    bob.unmute().await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_microphone_that_the_system_blocks() {
    let world = World::new().await;
    let host = FakeHost::with_signal(Signal::Silence);
    host.set_refusal("mic", Some(DeviceProblem::Denied));
    let mut bob = world.stranger(host).await;
    bob.sign_in("bob", PASSWORD).await;
    bob.join("Standup").await;
    bob.until("the notice", |now| {
        shows(now, "mic.denied") && now.call.microphone == Microphone::Unavailable
    })
    .await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_vanishes_in_the_call_and_comes_back() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    alice.host.plug(DeviceRole::Input, "headset", false);
    alice.host.set_signal("headset", tone(880.0));
    alice.does(Command::ChooseDevice {
        role: DeviceRole::Input,
        device: Some("headset".into()),
    });
    let a = alice.join("Standup").await;
    bob.join("Standup").await;
    alice.unmute().await;
    bob.hears(&a).await;
    let hears = async |hz: f64| {
        let pcm = bob.listen(Duration::from_secs(1)).await;
        let found = calls_media::testing::dominant(&pcm, 100.0, 1200.0);
        assert!(
            (found.hz - hz).abs() <= 3.0,
            "hears {} instead of {hz}",
            found.hz
        );
    };
    hears(880.0).await;
    alice.host.unplug("headset");
    let now = alice
        .until("the notice", |now| shows(now, "mic.changed"))
        .await;
    assert_eq!(now.call.phase, CallPhase::Live, "the call goes on");
    tokio::time::sleep(Duration::from_secs(1)).await;
    hears(440.0).await;
    alice.host.plug(DeviceRole::Input, "headset", false);
    alice
        .until("its return", |now| shows(now, "device.back"))
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    hears(880.0).await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_the_sockets() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let a = alice.join("Standup").await;
    alice.unmute().await;
    bob.join("Standup").await;
    bob.hears(&a).await;
    for text in [
        "",
        "{",
        "null",
        "[]",
        "{\"event\":7}",
        "{\"event\":\"posted\",\"data\":{\"post\":\"{\"},\"seq\":\"x\"}",
        "{\"event\":\"custom_com.mattermost.calls_signal\",\"data\":{\"data\":\"{\\\"type\\\":\\\"offer\\\",\\\"sdp\\\":\\\"v=0\\\"}\"}}",
        "{\"event\":\"custom_com.mattermost.calls_call_state\",\"data\":{\"call\":\"nonsense\"}}",
    ] {
        let fault = Fault::SendGarbage {
            user: Some("bob".to_owned()),
            connection: None,
            text: text.to_owned(),
        };
        world.server.fault(fault).await.unwrap();
    }
    bob.until("both links", |now| {
        now.link == Link::Up && now.call.phase == CallPhase::Live
    })
    .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    bob.until("both links", |now| {
        now.link == Link::Up && now.call.phase == CallPhase::Live
    })
    .await;
    assert!(rms(&bob.listen(Duration::from_secs(1)).await) > 0.05);
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

/// Messages that no server would send on the data channel: broken framings, broken msgpack, true messages with
/// nonsense inside.
fn nonsense_messages() -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = vec![
        vec![0x00],
        vec![0xff; 4],
        vec![0xc1],
        // A map that claims four thousand million entries, a string and a binary that claim as much.
        vec![0xdf, 0xff, 0xff, 0xff, 0xff],
        vec![0xdb, 0xff, 0xff, 0xff, 0xff, b'x'],
        vec![0x82, 0xc6, 0xff, 0xff, 0xff, 0xff],
        b"cc 99{}".to_vec(),
        b"{\"type\":\"offer\",\"sdp\":\"v=0\"}".to_vec(),
        // The framings of this protocol with a payload that is none: two integers, then bytes.
        vec![0x91, 0x01],
        vec![0x92, 0x01, 0xc4, 0x03, 1, 2, 3],
        vec![0x03, 0xc4, 0x05, 0x78, 0x9c, 1, 2, 3],
        vec![0x06, 0x93, 0xc0, 0xc0, 0xc0],
    ];
    // Arrays in arrays, deeper than any stack likes.
    messages.push(vec![0x91; 16_000]);
    // Every first byte, with noise that a linear congruential generator makes.
    let mut state = 1u32;
    for first in 0..=255u8 {
        let mut message = vec![first];
        for _ in 0..(state >> 27) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            message.push((state >> 24) as u8);
        }
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        messages.push(message);
    }
    messages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_the_data_channel() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let a = alice.join("Standup").await;
    alice.unmute().await;
    bob.join("Standup").await;
    bob.hears(&a).await;
    for (n, bytes) in nonsense_messages().into_iter().enumerate() {
        let fault = Fault::SendData {
            user: Some("bob".to_owned()),
            session: None,
            text: n % 2 == 1 && std::str::from_utf8(&bytes).is_ok(),
            bytes,
        };
        world.server.fault(fault).await.unwrap();
    }
    // What is true still arrives on the same channel: the map of a new voice, and its sound.
    let mut carol = world.person("carol", tone(880.0)).await;
    let c = carol.join("Standup").await;
    carol.unmute().await;
    bob.hears(&c).await;
    assert!(rms(&bob.listen(Duration::from_secs(1)).await) > 0.05);
    let now = bob.now();
    assert_eq!(now.call.phase, CallPhase::Live);
    let told = codes(&now);
    assert!(
        told.iter()
            .all(|code| ["call.muted", "call.joined"].contains(code)),
        "{told:?}"
    );
    for person in [alice, bob, carol] {
        person.stop().await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_the_media_path() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let a = alice.join("Standup").await;
    alice.unmute().await;
    bob.join("Standup").await;
    bob.hears(&a).await;
    let garble = |noise, payload| Fault::GarblePackets {
        user: Some("bob".to_owned()),
        session: None,
        noise,
        payload,
    };
    // Damaged, cut and invented datagrams beside the true ones: the sound does not suffer.
    world.server.fault(garble(1.0, 0.0)).await.unwrap();
    let heard = bob.listen(Duration::from_secs(3)).await;
    let clean = rms(&heard);
    assert!(clean > 0.05, "{clean}");
    let hertz = dominant(&heard[heard.len() / 2..], 100.0, 1000.0).hz;
    assert!((hertz - 440.0).abs() < 2.0, "{hertz}");
    // Encrypted as it should be, but not Opus: that is heard, and survived.
    world.server.fault(garble(1.0, 0.5)).await.unwrap();
    bob.listen(Duration::from_secs(2)).await;
    world.server.fault(garble(0.0, 0.0)).await.unwrap();
    bob.listen(Duration::from_secs(1)).await;
    let heard = bob.listen(Duration::from_secs(2)).await;
    let hertz = dominant(&heard[heard.len() / 2..], 100.0, 1000.0).hz;
    assert!((hertz - 440.0).abs() < 2.0, "{hertz}");
    let now = bob.now();
    assert_eq!(now.call.phase, CallPhase::Live);
    assert_eq!(now.link, Link::Up);
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_media_path_that_never_opens() {
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    // Everybody's path, and before there is one: nothing gets through from the first packet on.
    let cut = Fault::CutPath {
        user: None,
        session: None,
        cut: true,
    };
    world.server.fault(cut).await.unwrap();
    let joining = alice.channel("Standup").id;
    alice.does(Command::JoinCall {
        channel: joining,
        title: None,
        switch: false,
    });
    let now = alice
        .until("an end", |now| {
            assert_ne!(now.call.phase, CallPhase::Live);
            failed(now).is_some()
        })
        .await;
    assert_eq!(failed(&now), Some("call.media_timeout"));
    alice.stop().await;
    world.stop().await;
}
