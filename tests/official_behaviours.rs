//! What the official client's own end-to-end suite looks at and no other test of ours shows between whole clients.
//! `tests/behaviours.md` lists all of it, with the test for each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use calls_core::command::{Command, HostAction};
use calls_core::model::PostKind;
use calls_core::snapshot::{Call, CallPhase, Microphone, OurShare, ParticipantRow, Snapshot};
use calls_devserver::{Config, Fault};
use calls_media::device::signal::Signal;

#[path = "window_e2e/api.rs"]
mod api;
mod support;

use api::Api;
use support::{PASSWORD, Person, World};

fn row<'a>(call: &'a Call, name: &str) -> &'a ParticipantRow {
    let mut rows = call.participants.iter();
    rows.find(|row| row.name.starts_with(name))
        .expect("not in the call")
}

fn has(now: &Snapshot, code: &str) -> bool {
    now.notices.iter().any(|notice| notice.code == code)
}

fn host(now: &Snapshot) -> Option<&str> {
    let mut rows = now.call.participants.iter();
    rows.find(|row| row.host).map(|row| row.name.as_str())
}

async fn people<const N: usize>(world: &World, names: [&str; N]) -> [Person; N] {
    let mut all = Vec::new();
    for name in names {
        all.push(world.person(name, Signal::Silence).await);
    }
    all.try_into().unwrap_or_else(|_| panic!())
}

async fn together(people: &mut [Person]) {
    let count = people.len();
    for person in people.iter_mut() {
        person.join("Standup").await;
    }
    for person in people {
        person
            .until("everybody in the call", |now| {
                now.call.participants.len() == count
            })
            .await;
    }
}

async fn stop(world: World, people: impl IntoIterator<Item = Person>) {
    for person in people {
        person.stop().await;
    }
    world.stop().await;
}

/// Says something in a channel, or does it after a slash.
fn say(person: &Person, text: &str) {
    person.does(Command::SendPost {
        channel: person.channel("Standup").id,
        root: None,
        text: text.to_owned(),
    });
}

/// Speaks to the server without a client.
async fn api<T: Send + 'static>(
    world: &World,
    user: &'static str,
    work: impl FnOnce(Api) -> T + Send + 'static,
) -> T {
    let port = world.server.url().trim_end_matches('/').rsplit(':').next();
    let port = port.unwrap().parse().unwrap();
    let asked = tokio::task::spawn_blocking(move || work(Api::sign_in(port, user, PASSWORD)));
    asked.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_sessions_of_two_people_count_three_and_two_in_the_list_of_channels() {
    let world = World::new().await;
    let mut three = people(&world, ["alice", "alice", "bob"]).await;
    together(&mut three).await;
    let [alice, _, bob] = &mut three;
    let now = bob
        .until("both of alice's devices", |now| {
            now.call.participants.len() == 3
        })
        .await;
    let of_alice = now
        .call
        .participants
        .iter()
        .filter(|row| row.name == "Alice Ahlberg");
    assert_eq!(of_alice.count(), 2);
    let standup = alice.channel("Standup");
    assert_eq!(standup.call.unwrap().users.len(), 2);
    assert_eq!(world.server.stats()["sessions"], 3);
    stop(world, three).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_changes_the_post_of_a_call() {
    let world = World::new().await;
    let [mut alice] = people(&world, ["alice"]).await;
    let standup = alice.channel("Standup").id;
    alice.does(Command::OpenChannel {
        channel: standup.clone(),
    });
    alice.join("Standup").await;
    let running = |now: &Snapshot| {
        let mut posts = now.timeline.posts.iter();
        posts
            .find(|post| matches!(&post.kind, PostKind::Call(call) if call.end_at == 0))
            .cloned()
    };
    let now = alice
        .until("the post of the call", |now| running(now).is_some())
        .await;
    let post = running(&now).unwrap();
    assert!(!post.editable, "nothing offers it");
    let id = post.id.as_str().to_owned();
    let status = api(&world, "alice", move |api| {
        let change = serde_json::json!({"message": "nothing happened"});
        api.status("PUT", &format!("/posts/{id}/patch"), &change)
    })
    .await;
    assert!((400..500).contains(&status), "{status}");
    stop(world, [alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_starts_is_host_then_the_earliest_and_one_who_was_chosen_is_so_again() {
    let world = World::new().await;
    let mut three = people(&world, ["alice", "bob", "carol"]).await;
    together(&mut three).await;
    let [alice, bob, carol] = &mut three;
    assert_eq!(host(&carol.now()), Some("Alice Ahlberg"));
    alice.leave().await;
    carol
        .until("the earliest to be host", |now| {
            host(now) == Some("Bob Brandt")
        })
        .await;
    bob.until("the host's rights", |now| now.call.can_moderate)
        .await;
    let user = row(&bob.now().call, "Carol").user.clone();
    bob.does(Command::Moderate {
        action: HostAction::MakeHost { user },
    });
    bob.until("the one chosen", |now| host(now) == Some("Carol Costa"))
        .await;
    carol.leave().await;
    bob.until("the earliest again", |now| host(now) == Some("Bob Brandt"))
        .await;
    carol.join("Standup").await;
    bob.until("the one chosen to be host again", |now| {
        host(now) == Some("Carol Costa") && now.call.participants.len() == 2
    })
    .await;
    stop(world, three).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_mutes_everybody_else_at_once() {
    let world = World::new().await;
    let mut three = people(&world, ["alice", "bob", "carol"]).await;
    together(&mut three).await;
    for person in &mut three {
        person.unmute().await;
    }
    let [alice, bob, carol] = &mut three;
    alice
        .until("three open microphones", |now| {
            now.call.participants.iter().all(|row| !row.muted)
        })
        .await;
    alice.does(Command::Moderate {
        action: HostAction::MuteOthers,
    });
    for person in [bob, carol] {
        person
            .until("a muted microphone", |now| {
                now.call.microphone == Microphone::Muted && has(now, "call.muted_by")
            })
            .await;
    }
    assert_eq!(alice.now().call.microphone, Microphone::Open);
    stop(world, three).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_stops_somebodys_share_and_they_are_told_by_whom() {
    let world = World::new().await;
    let mut two = people(&world, ["alice", "bob"]).await;
    together(&mut two).await;
    let [alice, bob] = &mut two;
    bob.does(Command::StartShare {
        source: "pattern".into(),
        motion: false,
        sound: false,
    });
    bob.until("our share", |now| {
        matches!(now.share.ours, OurShare::On { .. })
    })
    .await;
    let now = alice
        .until("bob's share", |now| now.share.presenter.is_some())
        .await;
    let session = now.share.presenter.clone().unwrap();
    alice.does(Command::Moderate {
        action: HostAction::StopShare { session },
    });
    bob.until("the end of our share", |now| {
        now.share.ours == OurShare::Off && has(now, "share.stopped_by")
    })
    .await;
    alice
        .until("nobody's share", |now| now.share.presenter.is_none())
        .await;
    stop(world, two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slash_call_starts_joins_and_leaves_between_two_clients() {
    let world = World::new().await;
    let mut two = people(&world, ["alice", "bob"]).await;
    let [alice, bob] = &mut two;
    say(alice, "/call start Planning");
    alice
        .until("a live call", |now| now.call.phase == CallPhase::Live)
        .await;
    let going = |now: &Snapshot| now.directory.channels.iter().any(|row| row.call.is_some());
    bob.until("the call", going).await;
    // Starting a second one is joining the first, after a question.
    say(bob, "/call start");
    let now = bob
        .until("the word that there is one", |now| has(now, "call.running"))
        .await;
    assert_eq!(now.call.phase, CallPhase::Idle);
    say(bob, "/call join");
    bob.until("a live call", |now| now.call.phase == CallPhase::Live)
        .await;
    say(bob, "/call leave");
    bob.until("no call", |now| now.call.phase == CallPhase::Idle)
        .await;
    assert_eq!(alice.now().call.phase, CallPhase::Live);
    stop(world, two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slash_call_end_of_the_host_ends_it_for_everyone_and_of_a_guest_for_nobody() {
    let world = World::new().await;
    let mut two = people(&world, ["alice", "bob"]).await;
    together(&mut two).await;
    let [alice, bob] = &mut two;
    say(bob, "/call end");
    bob.until("a word to the guest", |now| {
        !now.notices.is_empty() && now.call.ending_at.is_none()
    })
    .await;
    assert_eq!(alice.now().call.phase, CallPhase::Live);
    say(alice, "/call end");
    for person in [alice, bob] {
        person
            .until("the end", |now| now.call.phase == CallPhase::Idle)
            .await;
    }
    stop(world, two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_started_in_a_thread_has_its_chat_there() {
    let world = World::new().await;
    let [mut alice] = people(&world, ["alice"]).await;
    let standup = alice.channel("Standup").id;
    alice.does(Command::OpenChannel {
        channel: standup.clone(),
    });
    say(&alice, "Shall we talk about it?");
    let asked = |now: &Snapshot| {
        let mut posts = now.timeline.posts.iter();
        posts
            .find(|post| {
                post.message.starts_with("Shall we")
                    && post.delivery == calls_core::snapshot::Delivery::Sent
            })
            .map(|post| post.id.clone())
    };
    let now = alice
        .until("the question", |now| asked(now).is_some())
        .await;
    let root = asked(&now).unwrap();
    alice.does(Command::SendPost {
        channel: standup,
        root: Some(root.clone()),
        text: "/call start".to_owned(),
    });
    alice
        .until("a call in the thread", |now| {
            now.call.phase == CallPhase::Live && now.call.thread.as_ref() == Some(&root)
        })
        .await;
    stop(world, [alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_arrives_after_the_call_has_ended_and_everybody_has_left() {
    let mut config = Config::default();
    config.timings.recorder_start = Duration::from_millis(200);
    config.timings.recorder_post = Duration::from_millis(800);
    let world = World::start(config).await;
    let mut two = people(&world, ["alice", "bob"]).await;
    together(&mut two).await;
    let [alice, bob] = &mut two;
    alice.does(Command::Record { on: true });
    bob.until("the recording", |now| {
        now.call.recording.is_some_and(|one| one.runs)
    })
    .await;
    let root = bob.now().call.thread.clone().unwrap();
    let channel = bob.channel("Standup").id;
    alice.leave().await;
    bob.leave().await;
    bob.until("no call", |now| {
        now.directory.channels.iter().all(|row| row.call.is_none())
    })
    .await;
    bob.does(Command::OpenThread { channel, root });
    bob.until("the file", |now| {
        let mut posts = now.thread.posts.iter();
        posts.any(|post| post.files.iter().any(|file| file.extension == "mp4"))
    })
    .await;
    stop(world, two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_loses_the_channel_loses_its_call_with_the_right_words() {
    let world = World::new().await;
    let mut two = people(&world, ["alice", "bob"]).await;
    together(&mut two).await;
    let [alice, bob] = &mut two;
    let removed = Fault::RemoveFromChannel {
        user: "bob".to_owned(),
        channel: "standup".to_owned(),
    };
    world.server.fault(removed).await.unwrap();
    let now = bob
        .until("the end of the call", |now| {
            matches!(now.call.phase, CallPhase::Failed { .. })
        })
        .await;
    let CallPhase::Failed { code, .. } = &now.call.phase else {
        panic!()
    };
    println!("told: {code}");
    assert!(code.contains("channel"), "{code}");
    alice
        .until("bob gone", |now| now.call.participants.len() == 1)
        .await;
    stop(world, two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_the_channel_leaves_its_call() {
    let world = World::new().await;
    let mut two = people(&world, ["alice", "bob"]).await;
    together(&mut two).await;
    let [alice, bob] = &mut two;
    let channel = bob.channel("Standup").id;
    bob.does(Command::LeaveChannel { channel });
    bob.until("no call any more", |now| {
        !matches!(
            now.call.phase,
            CallPhase::Live | CallPhase::Reconnecting { .. }
        )
    })
    .await;
    alice
        .until("bob gone", |now| now.call.participants.len() == 1)
        .await;
    stop(world, two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_switched_off_in_a_channel_says_so_before_and_when_tried() {
    let world = World::new().await;
    let [mut alice] = people(&world, ["alice"]).await;
    let row = alice.channel("No Calls Here");
    assert!(row.call_blocked.is_some());
    alice.does(Command::JoinCall {
        channel: row.id,
        title: None,
        switch: false,
    });
    let now = alice
        .until("the reason", |now| !now.notices.is_empty())
        .await;
    println!("told: {:?}", now.notices);
    assert_eq!(now.call.phase, CallPhase::Idle);
    stop(world, [alice]).await;
}
