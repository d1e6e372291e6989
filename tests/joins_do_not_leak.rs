//! Two hundred joins and leaves in a row leave nothing behind: no file, no thread, no task, no memory, no session.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use calls_client::ClientEvent;
use calls_core::command::Command;
use calls_core::snapshot::CallPhase;
use calls_media::device::signal::Signal;

mod support;

use support::{World, tone};

/// How often. The first ones fill caches and pools, and are not counted.
const JOINS: usize = 200;
const WARM_UP: usize = 20;

/// What this process holds; `None` where the system does not tell.
#[derive(Clone, Copy, Debug)]
struct Held {
    files: usize,
    threads: usize,
    kilobytes: usize,
}

fn held() -> Option<Held> {
    let files = std::fs::read_dir("/proc/self/fd").ok()?.count();
    let threads = std::fs::read_dir("/proc/self/task").ok()?.count();
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(Held {
        files,
        threads,
        kilobytes,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_joins_and_leaves_leave_nothing_behind() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    bob.join("Standup").await;
    let metrics = tokio::runtime::Handle::current().metrics();
    let mut connected = Vec::new();
    let mut before = None;
    for n in 0..JOINS {
        let session = alice.join("Standup").await;
        let after = alice
            .event("the connection", |event| match event {
                ClientEvent::Connected { after, .. } => Some(*after),
                _ => None,
            })
            .await;
        connected.push(after);
        // The order of the two is of no importance: sometimes the microphone opens, sometimes we leave at once.
        if n % 5 == 0 {
            alice.unmute().await;
            bob.hears(&session).await;
        }
        alice.leave().await;
        bob.until("bob alone", |now| now.call.participants.len() == 1)
            .await;
        if n + 1 == WARM_UP {
            settle(&world).await;
            before = held().map(|held| (held, metrics.num_alive_tasks()));
        }
    }
    settle(&world).await;
    let stats = world.server.stats();
    assert_eq!(stats["sessions"], 1, "{stats}");
    connected.sort_unstable();
    println!(
        "{JOINS} joins: connected after {:?} (median), {:?} (p95), {:?} (worst)",
        connected[JOINS / 2],
        connected[JOINS * 95 / 100],
        connected[JOINS - 1]
    );
    if let (Some((before, tasks)), Some(after)) = (before, held()) {
        let alive = metrics.num_alive_tasks();
        println!(
            "after {WARM_UP}: {before:?}, {tasks} tasks; after {JOINS}: {after:?}, {alive} tasks"
        );
        assert!(after.files <= before.files + 3, "files leak");
        assert!(after.threads <= before.threads + 2, "threads leak");
        assert!(alive <= tasks + 5, "tasks leak");
        // Client and server share this process: 180 calls of both sides may not cost 20 MB.
        assert!(after.kilobytes <= before.kilobytes + 20_000, "memory leaks");
    }
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

/// Waits until the server has only bob's session, and what was closed is freed.
async fn settle(world: &World) {
    let begun = Instant::now();
    while world.server.stats()["sessions"] != 1 || world.server.stats()["sockets"] != 3 {
        assert!(begun.elapsed() < support::LIMIT, "{}", world.server.stats());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_while_joining_leaves_no_ghost_whatever_the_moment() {
    let world = World::new().await;
    let alice = world.person("alice", tone(440.0)).await;
    let standup = alice.channel("Standup").id;
    for n in 0..40_u64 {
        alice.does(Command::JoinCall {
            channel: standup.clone(),
            title: None,
            switch: false,
        });
        tokio::time::sleep(Duration::from_millis(n * 7)).await;
        alice.does(Command::LeaveCall);
    }
    let begun = Instant::now();
    while world.server.stats()["sessions"] != 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{}",
            world.server.stats()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(alice.now().call.phase, CallPhase::Idle);
    alice.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_in_a_call_leaves_it_within_two_seconds() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    alice.join("Standup").await;
    bob.join("Standup").await;
    let begun = Instant::now();
    alice.stop().await;
    let took = begun.elapsed();
    println!("stopped after {took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    bob.until("bob alone", |now| now.call.participants.len() == 1)
        .await;
    assert!(begun.elapsed() < Duration::from_secs(5));
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switching_calls_leaves_the_old_one_and_is_heard_in_the_new_one() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    alice.join("Standup").await;
    alice.unmute().await;
    bob.join("Off-Topic").await;
    let other = alice.channel("Off-Topic").id;
    alice.does(Command::JoinCall {
        channel: other.clone(),
        title: None,
        switch: false,
    });
    alice
        .until("the question", |now| {
            now.call.switch_to.as_ref() == Some(&other)
        })
        .await;
    alice.does(Command::JoinCall {
        channel: other.clone(),
        title: None,
        switch: true,
    });
    let now = alice
        .until("the other call", |now| {
            now.call.phase == CallPhase::Live && now.call.channel.as_ref() == Some(&other)
        })
        .await;
    alice.unmute().await;
    bob.hears(&now.call.session.clone().unwrap()).await;
    assert!(support::rms(&bob.listen(Duration::from_secs(1)).await) > 0.05);
    let begun = Instant::now();
    while world.server.stats()["calls"] != 1 {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{}",
            world.server.stats()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}
