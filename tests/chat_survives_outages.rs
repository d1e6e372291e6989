//! Two people write while their connections break again and again: nothing is lost, nothing comes twice, and both read
//! it in the server's order. Each has a wire of their own to the server, through which everything passes.
//!
//! 8 s of it in every run; `HALLOO_OUTAGE_SECONDS=60 cargo test --workspace --test chat_survives_outages -- --nocapture`
//! is the long form. `HALLOO_SEED` chooses other weather.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use calls_client::NullShell;
use calls_core::command::Command;
use calls_core::snapshot::{Account, Delivery, Link, PostRow};
use calls_devserver::Fault;
use calls_media::FakeHost;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

#[path = "window_e2e/api.rs"]
mod api;
mod support;

use api::Api;
use support::{LIMIT, PASSWORD, Person, World};

/// How a wire behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Weather {
    /// As it should.
    Clear,
    /// Every connection ends, and none can be made.
    Cut,
    /// Nothing moves, nothing ends.
    Frozen,
    /// What is said arrives, and no answer comes back; then the connection ends. The worst for whoever must not say
    /// things twice.
    OneWay,
}

/// A wire to the server.
struct Wire {
    weather: watch::Sender<Weather>,
    url: String,
}

impl Wire {
    async fn to(server: SocketAddr) -> Self {
        let (weather, sky) = watch::channel(Weather::Clear);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *sky.borrow() == Weather::Cut {
                    continue;
                }
                let sky = sky.clone();
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(server).await {
                        carry(client, server, sky).await;
                    }
                });
            }
        });
        Self { weather, url }
    }
}

/// Carries bytes both ways until an end closes or the weather ends it.
async fn carry(mut client: TcpStream, mut server: TcpStream, mut sky: watch::Receiver<Weather>) {
    let (mut up, mut down) = (vec![0; 16_384], vec![0; 16_384]);
    let mut deaf = false;
    loop {
        let weather = *sky.borrow_and_update();
        let flows = weather != Weather::Frozen;
        // Bytes are missing in the middle: the connection is of no use any more.
        if weather == Weather::Cut || deaf && weather != Weather::OneWay {
            return;
        }
        deaf |= weather == Weather::OneWay;
        let carried = tokio::select! {
            changed = sky.changed() => changed.is_ok(),
            read = client.read(&mut up), if flows => match read {
                Ok(n) if n > 0 => server.write_all(&up[..n]).await.is_ok(),
                _ => false,
            },
            read = server.read(&mut down), if flows => match read {
                Ok(n) if n > 0 => deaf || client.write_all(&down[..n]).await.is_ok(),
                _ => false,
            },
        };
        if !carried {
            return;
        }
    }
}

/// Numbers that are the same in every run (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn between(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(low + self.below(high - low))
    }
}

/// One person's weather until the end; the answer is how often each kind came.
async fn storm(
    world: &World,
    wire: &Wire,
    user: &str,
    until: Instant,
    mut dice: Dice,
) -> BTreeMap<String, u32> {
    let mut count = BTreeMap::new();
    while Instant::now() < until {
        sleep(dice.between(300, 1_500)).await;
        let kind = match dice.below(10) {
            0..4 => Weather::Cut,
            4..7 => Weather::OneWay,
            7..9 => Weather::Frozen,
            _ => {
                let fault = Fault::ForgetConnection {
                    user: Some(user.to_owned()),
                    connection: None,
                };
                // There may be none at the moment.
                let _ = world.server.fault(fault).await;
                *count
                    .entry("forgotten by the server".to_owned())
                    .or_default() += 1;
                continue;
            }
        };
        *count.entry(format!("{kind:?}").to_lowercase()).or_default() += 1;
        wire.weather.send_replace(kind);
        sleep(dice.between(100, 1_800)).await;
        wire.weather.send_replace(Weather::Clear);
    }
    wire.weather.send_replace(Weather::Clear);
    count
}

/// Somebody writes until the end; the answer is what.
async fn write(
    person: &Person,
    channel: &calls_core::id::ChannelId,
    name: &str,
    until: Instant,
    mut dice: Dice,
) -> Vec<String> {
    let mut written = Vec::new();
    while Instant::now() < until {
        let text = format!("{name} {}", written.len() + 1);
        person.does(Command::SendPost {
            channel: channel.clone(),
            root: None,
            text: text.clone(),
        });
        written.push(text);
        sleep(dice.between(120, 520)).await;
    }
    written
}

/// Waits until everything of theirs has arrived. What the server refused is sent again, as a person would.
async fn settle(person: &mut Person, channel: &calls_core::id::ChannelId) -> usize {
    let mut again = 0;
    loop {
        let unsent = |row: &PostRow| row.delivery != Delivery::Sent;
        let stuck = |row: &PostRow| matches!(row.delivery, Delivery::Failed { .. });
        let now = person
            .until("everything to be sent", |now| {
                now.timeline.channel.as_ref() == Some(channel)
                    && (!now.timeline.posts.iter().any(unsent)
                        || now.timeline.posts.iter().any(stuck))
            })
            .await;
        let failed: Vec<_> = now
            .timeline
            .posts
            .iter()
            .filter_map(|row| match &row.delivery {
                Delivery::Failed { pending, .. } => Some(pending.clone()),
                _ => None,
            })
            .collect();
        if failed.is_empty() {
            return again;
        }
        again += failed.len();
        for pending in failed {
            person.does(Command::RetryPost { pending });
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// What a person reads of what was written.
fn reads(person: &Person) -> Vec<String> {
    let now = person.now();
    let texts = now.timeline.posts.iter().map(|row| row.message.clone());
    texts.filter(|text| ours(text)).collect()
}

fn ours(text: &str) -> bool {
    ["alice ", "bob "].iter().any(|name| {
        text.strip_prefix(name)
            .is_some_and(|rest| rest.parse::<u32>().is_ok())
    })
}

/// What the server has, oldest first.
fn on_the_server(api: &Api, channel: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for page in 0.. {
        let answer = api.get(&format!(
            "/channels/{channel}/posts?page={page}&per_page=200"
        ));
        let order = answer["order"].as_array().cloned().unwrap_or_default();
        if order.is_empty() {
            break;
        }
        let text = |id: &serde_json::Value| {
            answer["posts"][id.as_str().unwrap()]["message"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        texts.extend(order.iter().map(text));
    }
    texts.reverse();
    texts.retain(|text| ours(text));
    texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_written_is_lost_or_doubled_while_the_connection_breaks() {
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let length = Duration::from_secs(number("HALLOO_OUTAGE_SECONDS", 8));
    let seed = number("HALLOO_SEED", 20_261_122);
    let world = World::new().await;
    let server: SocketAddr = world
        .server
        .url()
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .parse()
        .unwrap();
    let mut people = Vec::new();
    for name in ["alice", "bob"] {
        let wire = Wire::to(server).await;
        let mut person = Person::start(Some(&wire.url), None, FakeHost::new(), Arc::new(NullShell));
        person
            .until("the sign-in form", |now| {
                matches!(now.account, Account::SignedOut { .. })
            })
            .await;
        person.sign_in(name, PASSWORD).await;
        let channel = person.channel("Standup").id;
        person.does(Command::OpenChannel {
            channel: channel.clone(),
        });
        person
            .until("the channel", |now| {
                now.timeline.channel.as_ref() == Some(&channel) && !now.timeline.loading
            })
            .await;
        people.push((name, wire, person, channel));
    }
    let until = Instant::now() + length;
    let [(_, first, alice, channel), (_, second, bob, _)] = &people[..] else {
        panic!()
    };
    let (alice_wrote, bob_wrote, at_alice, at_bob) = tokio::join!(
        write(alice, channel, "alice", until, Dice(seed)),
        write(bob, channel, "bob", until, Dice(seed ^ 0x5555)),
        storm(&world, first, "alice", until, Dice(seed ^ 0xaaaa)),
        storm(&world, second, "bob", until, Dice(seed ^ 0x1234)),
    );
    let healed = Instant::now();
    let port = server.port();
    let id = channel.as_str().to_owned();
    let mut again = Vec::new();
    for (_, _, person, channel) in &mut people {
        person.until("the link", |now| now.link == Link::Up).await;
        again.push(settle(person, channel).await);
    }
    let arrived = healed.elapsed();
    let there = tokio::task::spawn_blocking(move || {
        on_the_server(&Api::sign_in(port, "carol", PASSWORD), &id)
    })
    .await
    .unwrap();

    println!(
        "{} s of weather, seed {seed}: alice {at_alice:?}, bob {at_bob:?}; alice wrote {}, bob {}; \
         all arrived {:.1} s after the last cut, sent again by hand: {again:?}",
        length.as_secs(),
        alice_wrote.len(),
        bob_wrote.len(),
        arrived.as_secs_f64(),
    );
    let mut problems = 0;
    for (name, wrote) in [("alice", &alice_wrote), ("bob", &bob_wrote)] {
        let prefix = format!("{name} ");
        let of: Vec<&String> = there
            .iter()
            .filter(|text| text.starts_with(&prefix))
            .collect();
        let lost = wrote.iter().filter(|text| !of.contains(text)).count();
        let doubled = of.len() + lost - wrote.len();
        let turned = of
            .windows(2)
            .filter(|pair| {
                let n = |text: &str| text.rsplit(' ').next().unwrap().parse::<u32>().unwrap();
                n(pair[0]) > n(pair[1])
            })
            .count();
        println!(
            "{name}: {} on the server, {lost} lost, {doubled} twice, {turned} out of the order they were written in",
            of.len()
        );
        problems += lost + doubled + turned;
    }
    // Both read what the server has, in its order.
    for (name, _, person, _) in &mut people {
        let same = timeout(LIMIT, async {
            while reads(person) != there {
                sleep(Duration::from_millis(50)).await;
            }
        });
        if same.await.is_err() {
            println!("{name} reads {:?}\ninstead of {there:?}", reads(person));
            problems += 1;
        } else {
            println!("{name} reads all {} in the server's order", there.len());
        }
    }
    assert_eq!(problems, 0);
    for (_, _, person, _) in people {
        person.stop().await;
    }
    world.stop().await;
}
