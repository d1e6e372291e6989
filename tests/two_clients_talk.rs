//! Sound goes in at one end and comes out at the other: the same tone, whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use calls_core::command::Command;
use calls_core::snapshot::Microphone;
use calls_media::device::signal::Signal;
use calls_media::testing::dominant;

mod support;

/// Sound is worked on in real time: one call at a time, or the tests judge each other's load.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

use support::{World, rms, tone};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tone_goes_in_at_one_end_and_comes_out_at_the_other_and_back() {
    let _alone = ALONE.lock().await;
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", tone(660.0)).await;
    let a = alice.join("Standup").await;
    let b = bob.join("Standup").await;
    assert_eq!(
        alice.now().call.microphone,
        Microphone::Muted,
        "a channel's call begins muted"
    );
    alice.unmute().await;
    bob.unmute().await;
    bob.hears(&a).await;
    alice.hears(&b).await;
    // The first second holds the buffers' settling.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = (alice.client.figures(), bob.client.figures());
    let seconds = 20;
    let listening = Duration::from_secs(seconds);
    let (at_alice, at_bob) = tokio::join!(alice.listen(listening), bob.listen(listening));
    for (who, pcm, hz, person, before) in [
        ("bob", &at_bob, 440.0, &bob, before.1),
        ("alice", &at_alice, 660.0, &alice, before.0),
    ] {
        // A second of it, for the frequency.
        let second = &pcm[pcm.len() / 2..pcm.len() / 2 + 48_000];
        let found = dominant(second, 100.0, 1000.0);
        let now = person.client.figures();
        let samples = now.samples - before.samples;
        let concealed = (now.concealed - before.concealed) as f64 / samples.max(1) as f64;
        println!(
            "{who} hears {:.1} Hz, level {:.3}, purity {:.3}, concealed {:.2} % of {samples}, target {:.0} ms, figures {now:?}",
            found.hz,
            found.rms,
            found.share,
            concealed * 100.0,
            now.jitter_target_ms
        );
        assert!(
            (found.hz - hz).abs() <= 2.0,
            "{who} hears {} Hz instead of {hz}",
            found.hz
        );
        assert!(found.rms > 0.05, "{who} hears it at {}", found.rms);
        assert!(
            found.share > 0.8,
            "{who} hears it with {} of its energy",
            found.share
        );
        assert!(concealed <= 0.005, "{who}: {concealed} concealed");
        assert!(
            samples > (seconds - 2) * 48_000,
            "{who} heard only {samples} samples"
        );
    }
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_people_hear_the_other_two_mixed() {
    let _alone = ALONE.lock().await;
    let world = World::with(|switches| switches.dc_signaling = true).await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", tone(1000.0)).await;
    let mut dave = world.person("dave", Signal::Silence).await;
    let a = alice.join("Standup").await;
    alice.unmute().await;
    let b = bob.join("Standup").await;
    bob.unmute().await;
    dave.join("Standup").await;
    let (mut first_a, mut first_b) = (false, false);
    while !(first_a && first_b) {
        let who = dave
            .event("both voices", |event| match event {
                calls_client::ClientEvent::FirstAudio { session, .. } => Some(session.clone()),
                _ => None,
            })
            .await;
        first_a |= who == a;
        first_b |= who == b;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let pcm = dave.listen(Duration::from_secs(2)).await;
    let low = dominant(&pcm[..48_000], 300.0, 600.0);
    let high = dominant(&pcm[..48_000], 800.0, 1200.0);
    println!("dave hears {low:?} and {high:?}");
    assert!((low.hz - 440.0).abs() <= 2.0 && (high.hz - 1000.0).abs() <= 2.0);
    assert!(
        low.share > 0.25 && high.share > 0.25,
        "both, and neither drowns the other"
    );
    let levels = dave.client.levels();
    assert!(
        levels.sessions[a.as_str()] > 0.3 && levels.sessions[b.as_str()] > 0.3,
        "{levels:?}"
    );
    for person in [alice, bob, dave] {
        person.stop().await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_talks_is_lit_up_and_goes_out_again() {
    let _alone = ALONE.lock().await;
    let world = World::new().await;
    let mut alice = world.person("alice", support::talk(500.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let a = alice.join("Standup").await;
    bob.join("Standup").await;
    alice.unmute().await;
    let talks = |now: &calls_core::snapshot::Snapshot| {
        now.call
            .participants
            .iter()
            .any(|row| row.session == a && row.speaking)
    };
    bob.until("alice talking", talks).await;
    alice.until("ourselves talking", talks).await;
    alice.does(Command::SetMuted { muted: true });
    bob.until("alice silent", |now| !talks(now)).await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_direct_call_opens_its_microphone_by_itself() {
    let _alone = ALONE.lock().await;
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let a = alice.join("Bob Brandt").await;
    alice
        .until("an open microphone", |now| {
            now.call.microphone == Microphone::Open
        })
        .await;
    bob.join("Alice Ahlberg").await;
    bob.hears(&a).await;
    let pcm = bob.listen(Duration::from_secs(1)).await;
    assert!(rms(&pcm) > 0.05);
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_writes_the_other_reads() {
    let _alone = ALONE.lock().await;
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let standup = alice.channel("Standup").id;
    alice.does(Command::OpenChannel {
        channel: standup.clone(),
    });
    bob.does(Command::OpenChannel {
        channel: standup.clone(),
    });
    bob.until("the open channel", |now| {
        now.timeline.channel.as_ref() == Some(&standup) && !now.timeline.loading
    })
    .await;
    alice.does(Command::SendPost {
        channel: standup.clone(),
        root: None,
        text: "Good **morning**".to_owned(),
    });
    let said = |now: &calls_core::snapshot::Snapshot| {
        now.timeline
            .posts
            .iter()
            .filter(|post| {
                post.message == "Good **morning**"
                    && post.delivery == calls_core::snapshot::Delivery::Sent
            })
            .count()
            == 1
    };
    alice.until("our own message", said).await;
    let now = bob.until("the message", said).await;
    let post = now.timeline.posts.last().unwrap();
    assert_eq!(post.author_name, "Alice Ahlberg");
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_seen_in_the_channel_list_of_those_outside() {
    let _alone = ALONE.lock().await;
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    alice.join("Standup").await;
    let standup = alice.channel("Standup").id;
    let call_of = |now: &calls_core::snapshot::Snapshot| {
        now.directory
            .channels
            .iter()
            .find(|row| row.id == standup)
            .and_then(|row| row.call.clone())
    };
    bob.until("the call", |now| {
        call_of(now).is_some_and(|call| call.users.len() == 1 && !call.mine)
    })
    .await;
    bob.join("Standup").await;
    alice
        .until("two people", |now| {
            call_of(now).is_some_and(|call| call.users.len() == 2 && call.mine)
        })
        .await;
    alice.leave().await;
    bob.until("one person", |now| now.call.participants.len() == 1)
        .await;
    bob.leave().await;
    alice
        .until("the end of the call", |now| call_of(now).is_none())
        .await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}
