//! After mute nothing of our microphone leaves, whatever the network does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use calls_core::command::Command;
use calls_core::snapshot::{CallPhase, Microphone};
use calls_devserver::Fault;
use calls_media::device::signal::Signal;

mod support;

use support::{Person, World, rms, tone};

/// What is louder than this was sent; silence and comfort noise are far below.
const SILENT: f64 = 0.002;

async fn pair(world: &World) -> (Person, Person) {
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let a = alice.join("Standup").await;
    bob.join("Standup").await;
    alice.unmute().await;
    bob.hears(&a).await;
    (alice, bob)
}

fn mute(person: &Person) {
    person.does(Command::SetMuted { muted: true });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_side_falls_silent_within_two_hundred_milliseconds_and_no_frame_follows() {
    let world = World::new().await;
    let (mut alice, mut bob) = pair(&world).await;
    assert!(rms(&bob.listen(Duration::from_millis(500)).await) > 0.05);
    mute(&alice);
    alice
        .until("the muted button", |now| {
            now.call.microphone == Microphone::Muted
        })
        .await;
    // On its way: one frame being encoded, the network, the jitter buffer, the loudspeaker.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let frames = alice.client.figures().frames_out;
    let after = bob.listen(Duration::from_secs(2)).await;
    let left = alice.client.figures().frames_out - frames;
    println!(
        "after mute: level {:.5}, frames that left {left}",
        rms(&after)
    );
    assert!(rms(&after) < SILENT, "{}", rms(&after));
    assert_eq!(left, 0, "frames left after the mute");
    bob.until("alice shown muted", |now| {
        now.call
            .participants
            .iter()
            .any(|row| row.name == "Alice Ahlberg" && row.muted)
    })
    .await;
    // And back.
    alice.unmute().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        rms(&bob.listen(Duration::from_millis(500)).await) > 0.05,
        "heard again"
    );
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mute_holds_while_the_link_is_lost_and_after_it_is_back() {
    let world = World::new().await;
    let (mut alice, bob) = pair(&world).await;
    let cut = Fault::CutSocket {
        user: Some("alice".to_owned()),
        connection: None,
    };
    world.server.fault(cut).await.unwrap();
    // The server cannot be told now; the gate does not ask it.
    mute(&alice);
    alice
        .until("the muted button", |now| {
            now.call.microphone == Microphone::Muted
        })
        .await;
    let frames = alice.client.figures().frames_out;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let pcm = bob.listen(Duration::from_secs(1)).await;
    let levels: Vec<_> = pcm.chunks(4800).map(rms).collect();
    let left = alice.client.figures().frames_out - frames;
    println!("{left} frames left after the mute; bob hears {levels:?}");
    assert!(rms(&pcm) < SILENT);
    alice
        .until("a live call again", |now| now.call.phase == CallPhase::Live)
        .await;
    assert_eq!(alice.now().call.microphone, Microphone::Muted);
    assert!(rms(&bob.listen(Duration::from_secs(1)).await) < SILENT);
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_before_the_first_unmute() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    alice.join("Standup").await;
    bob.join("Standup").await;
    let pcm = bob.listen(Duration::from_secs(2)).await;
    assert!(rms(&pcm) < SILENT);
    assert_eq!(alice.client.figures().frames_out, 0);
    assert!(
        alice.client.levels().input > 0.3,
        "the microphone works all the same"
    );
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_closes_the_microphone() {
    let world = World::new().await;
    let (mut alice, bob) = pair(&world).await;
    alice.leave().await;
    let frames = alice.client.figures().frames_out;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(alice.client.figures().frames_out, frames);
    assert!(alice.client.levels().input < 0.01, "the device is closed");
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}
