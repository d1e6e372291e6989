//! Sockets and media paths break; calls and channels go on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use calls_client::ClientEvent;
use calls_core::command::Command;
use calls_core::snapshot::{CallPhase, Link, Microphone};
use calls_devserver::Fault;
use calls_media::device::signal::Signal;
use calls_media::testing::dominant;
use tokio::time::timeout;

mod support;

use support::{LIMIT, Person, World, rms, tone};

fn whose(user: &str) -> Option<String> {
    Some(user.to_owned())
}

async fn pair(world: &World) -> (Person, Person) {
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let a = alice.join("Standup").await;
    bob.join("Standup").await;
    alice.unmute().await;
    bob.hears(&a).await;
    (alice, bob)
}

async fn is_heard(bob: &Person) -> bool {
    let pcm = bob.listen(Duration::from_secs(1)).await;
    let found = dominant(&pcm, 100.0, 1000.0);
    (found.hz - 440.0).abs() <= 2.0 && rms(&pcm) > 0.05
}

/// Listens until she is heard: after a rejoin the server has to lead her voice to him first.
async fn until_heard(bob: &Person) {
    let hearing = async { while !is_heard(bob).await {} };
    timeout(LIMIT, hearing).await.expect("her voice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_socket_is_resumed_while_sound_flows() {
    let world = World::new().await;
    let (mut alice, bob) = pair(&world).await;
    let cut = Fault::CutSocket {
        user: whose("alice"),
        connection: None,
    };
    world.server.fault(cut).await.unwrap();
    alice
        .until("reconnecting with sound", |now| {
            now.call.phase == CallPhase::Reconnecting { media_flows: true }
        })
        .await;
    assert_eq!(
        alice.now().call.microphone,
        Microphone::Open,
        "still heard, and shown so"
    );
    assert!(is_heard(&bob).await);
    alice
        .until("a live call", |now| now.call.phase == CallPhase::Live)
        .await;
    alice.until("the link", |now| now.link == Link::Up).await;
    assert!(is_heard(&bob).await);
    assert_eq!(alice.now().call.participants.len(), 2);
    assert_eq!(
        world.server.stats()["sessions"],
        2,
        "the same sessions, no ghost"
    );
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgot_the_socket_keeps_the_call() {
    let world = World::new().await;
    let (mut alice, bob) = pair(&world).await;
    let forget = Fault::ForgetConnection {
        user: whose("alice"),
        connection: None,
    };
    world.server.fault(forget).await.unwrap();
    alice
        .until("reconnecting", |now| {
            matches!(now.call.phase, CallPhase::Reconnecting { .. })
        })
        .await;
    alice
        .until("a live call with an open microphone", |now| {
            now.call.phase == CallPhase::Live && now.call.microphone == Microphone::Open
        })
        .await;
    assert!(is_heard(&bob).await);
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_peer_is_replaced_once_and_heard_again() {
    let world = World::new().await;
    let (mut alice, mut bob) = pair(&world).await;
    let kick = Fault::KickPeer {
        user: whose("alice"),
        session: None,
    };
    world.server.fault(kick).await.unwrap();
    alice
        .until("lost media", |now| {
            now.call.phase == CallPhase::Reconnecting { media_flows: false }
        })
        .await;
    assert_ne!(
        alice.now().call.microphone,
        Microphone::Open,
        "nobody hears us now"
    );
    alice
        .until("a live call with an open microphone", |now| {
            now.call.phase == CallPhase::Live && now.call.microphone == Microphone::Open
        })
        .await;
    bob.until("two participants", |now| now.call.participants.len() == 2)
        .await;
    until_heard(&bob).await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_during_an_outage_is_there_afterwards() {
    let world = World::new().await;
    let alice = world.person("alice", Signal::Silence).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let standup = alice.channel("Standup").id;
    bob.does(Command::OpenChannel {
        channel: standup.clone(),
    });
    bob.until("the channel", |now| {
        now.timeline.channel.as_ref() == Some(&standup) && !now.timeline.loading
    })
    .await;
    let forget = Fault::ForgetConnection {
        user: whose("bob"),
        connection: None,
    };
    world.server.fault(forget).await.unwrap();
    bob.until("the loss", |now| now.link != Link::Up).await;
    alice.does(Command::SendPost {
        channel: standup.clone(),
        root: None,
        text: "you missed this".to_owned(),
    });
    let now = bob
        .until("the message", |now| {
            now.timeline
                .posts
                .iter()
                .any(|post| post.message == "you missed this")
        })
        .await;
    let times = now
        .timeline
        .posts
        .iter()
        .filter(|post| post.message == "you missed this")
        .count();
    assert_eq!(times, 1);
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_written_while_the_server_fails_arrives_once() {
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let standup = alice.channel("Standup").id;
    alice.does(Command::OpenChannel {
        channel: standup.clone(),
    });
    alice
        .until("the channel", |now| {
            now.timeline.channel.as_ref() == Some(&standup) && !now.timeline.loading
        })
        .await;
    // The server is busy twice, and says when to come again.
    let fault = Fault::Rest {
        prefix: "/api/v4/posts".to_owned(),
        delay_ms: 0,
        html: false,
        status: Some(429),
        retry_after: Some(1),
        count: Some(2),
    };
    world.server.fault(fault).await.unwrap();
    alice.does(Command::SendPost {
        channel: standup,
        root: None,
        text: "against all odds".to_owned(),
    });
    alice
        .until("the message", |now| {
            now.timeline.posts.iter().any(|post| {
                post.message == "against all odds"
                    && post.delivery == calls_core::snapshot::Delivery::Sent
            })
        })
        .await;
    let now = alice.now();
    assert_eq!(
        now.timeline
            .posts
            .iter()
            .filter(|post| post.message == "against all odds")
            .count(),
        1
    );
    alice.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_media_server_that_restarts_is_joined_again() {
    let world = World::new().await;
    let (mut alice, mut bob) = pair(&world).await;
    world.server.fault(Fault::RestartSfu).await.unwrap();
    for person in [&mut alice, &mut bob] {
        person
            .event("the loss", |event| {
                matches!(event, ClientEvent::Connected { again: true, .. }).then_some(())
            })
            .await;
        person
            .until("a live call", |now| now.call.phase == CallPhase::Live)
            .await;
    }
    alice
        .until("an open microphone", |now| {
            now.call.microphone == Microphone::Open
        })
        .await;
    until_heard(&bob).await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raised_hand_is_up_again_after_a_rejoin() {
    let world = World::new().await;
    let (mut alice, mut bob) = pair(&world).await;
    alice.does(Command::RaiseHand { raised: true });
    let up = |now: &calls_core::snapshot::Snapshot| {
        let mut rows = now.call.participants.iter();
        rows.any(|row| !row.me && row.hand_raised_at.is_some())
    };
    let before = bob.until("the hand", up).await;
    let session = |now: &calls_core::snapshot::Snapshot| {
        let mut rows = now.call.participants.iter();
        rows.find(|row| !row.me).map(|row| row.session.clone())
    };
    let old = session(&before);
    let kick = Fault::KickPeer {
        user: whose("alice"),
        session: None,
    };
    world.server.fault(kick).await.unwrap();
    bob.until("the hand of her next session", |now| {
        up(now)
            && now
                .call
                .participants
                .iter()
                .any(|row| row.hand_raised_at.is_some() && Some(&row.session) != old.as_ref())
    })
    .await;
    alice
        .until("live again, muted state and hand as before", |now| {
            now.call.phase == CallPhase::Live
                && now.call.microphone == Microphone::Open
                && now
                    .call
                    .participants
                    .iter()
                    .any(|row| row.me && row.hand_raised_at.is_some())
        })
        .await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}
