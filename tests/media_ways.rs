//! Where UDP does not pass, media goes over TCP; where nothing passes directly, over a TURN server, however that is reached.
//! The TURN server is coturn, the media server str0m: neither is ours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;
use std::time::Duration;

use calls_client::ClientEvent;
use calls_core::command::Command as Wish;
use calls_core::snapshot::{Reach, WayKind};
use calls_devserver::sfu::Passage;
use calls_devserver::{Config, Fault};
use calls_media::device::signal::Signal;

#[path = "support/turn.rs"]
mod turn;

mod support;

use support::{World, rms, tone};
use turn::{Coturn, SECRET, Speaks};

/// Sound is worked on in real time: one call at a time, or the tests judge each other's load.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A call in which one talks and the other listens, by no other way than this; returns how long both took to be connected.
async fn talk(world: &World, only: Passage) -> [Duration; 2] {
    world.server.fault(Fault::Passage { only }).await.unwrap();
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let a = alice.join("Standup").await;
    let connected = |event: &ClientEvent| match event {
        ClientEvent::Connected { after, .. } => Some(*after),
        _ => None,
    };
    let first = alice.event("a connection", connected).await;
    bob.join("Standup").await;
    let second = bob.event("a connection", connected).await;
    alice.unmute().await;
    bob.hears(&a).await;
    let pcm = bob.listen(Duration::from_millis(1500)).await;
    let level = rms(&pcm[pcm.len() / 2..]);
    println!("{only:?}: connected after {first:?} and {second:?}, heard at {level:.3}");
    assert!(level > 0.05, "heard at {level}");
    alice.leave().await;
    bob.leave().await;
    alice.stop().await;
    bob.stop().await;
    [first, second]
}

async fn relayed(speaks: Speaks) {
    let turn = Coturn::start(speaks).await;
    let mut config = Config::default();
    config.switches.turn_secret = Some(SECRET.to_owned());
    // Mistakes of an administrator among it.
    config.switches.turn_urls = vec!["turn:".to_owned(), "https://x".to_owned(), turn.url()];
    let world = World::start(config).await;
    let (first, last) = turn.relays();
    talk(&world, Passage::Relayed(first, last)).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_udp_is_blocked_a_call_goes_over_tcp() {
    let _alone = ALONE.lock().await;
    let world = World::new().await;
    talk(&world, Passage::Tcp).await;
    let packets = world.server.media_stats().await.tcp_in;
    assert!(packets > 50, "{packets} over TCP");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_over_a_turn_server_by_udp() {
    let _alone = ALONE.lock().await;
    relayed(Speaks::Udp).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_over_a_turn_server_by_tcp() {
    let _alone = ALONE.lock().await;
    relayed(Speaks::Tcp).await;
}

/// In a process of its own, whose system trusts the authority that vouches for the TURN server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_over_a_turn_server_by_tls_if_its_certificate_is_trusted() {
    let _alone = ALONE.lock().await;
    let turn = Coturn::start(Speaks::Tls).await;
    let (first, last) = turn.relays();
    let test = "inside_a_process_that_trusts_the_turn_server";
    let inner = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--ignored", "--nocapture"])
        .env("SSL_CERT_FILE", turn.authority())
        .env("HALLOO_TURN", format!("{} {first} {last}", turn.url()))
        .output();
    let inner = inner.unwrap();
    let said = String::from_utf8_lossy(&inner.stdout);
    println!("{said}");
    assert!(
        inner.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above it"]
async fn inside_a_process_that_trusts_the_turn_server() {
    let told = std::env::var("HALLOO_TURN").unwrap();
    let [url, first, last]: [&str; 3] = told.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let mut config = Config::default();
    config.switches.turn_secret = Some(SECRET.to_owned());
    config.switches.turn_urls = vec![url.to_owned()];
    let world = World::start(config).await;
    talk(
        &world,
        Passage::Relayed(first.parse().unwrap(), last.parse().unwrap()),
    )
    .await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_test_tells_which_ways_there_are_without_a_call() {
    let _alone = ALONE.lock().await;
    let turn = Coturn::start(Speaks::Tcp).await;
    let nobody = turn::free_port();
    let mut config = Config::default();
    config.switches.turn_secret = Some(SECRET.to_owned());
    config.switches.turn_urls = vec![
        turn.url(),
        format!("turns:127.0.0.1:{nobody}"),
        format!("turn:127.0.0.1:{nobody}"),
    ];
    config.switches.stun_urls = vec![format!("stun:127.0.0.1:{nobody}")];
    let world = World::start(config).await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let mut tested = async || {
        alice.does(Wish::TestNetwork);
        alice.until("a test", |now| now.network.running).await;
        let now = alice.until("its end", |now| !now.network.running).await;
        println!("{:#?}", now.network.ways);
        let ways = now.network.ways.iter();
        ways.map(|way| (way.kind, way.reach)).collect::<Vec<_>>()
    };
    let ways = tested().await;
    assert_eq!(
        ways[..5],
        [
            (WayKind::Site, Reach::Yes),
            (WayKind::Stun, Reach::No),
            (WayKind::TurnTcp, Reach::Yes),
            (WayKind::TurnTls, Reach::No),
            (WayKind::TurnUdp, Reach::No),
        ]
    );
    assert_eq!(ways[5].0, WayKind::Media);
    assert_ne!(ways[5].1, Reach::No, "a refusal there says nothing");
    // A relay that answers but does not take us is none.
    world
        .server
        .switch(|switches| switches.turn_secret = Some("another".to_owned()));
    assert_eq!(tested().await[2], (WayKind::TurnTcp, Reach::No));
    assert_eq!(
        world.server.stats()["sessions"],
        0,
        "nobody has joined anything"
    );
    alice.stop().await;
    world.stop().await;
}
