//! What people do in a call beside talking, between two of our clients over the development server: what one does the
//! other sees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use calls_core::command::{Command, HostAction};
use calls_core::snapshot::{
    Call, CallPhase, Microphone, ParticipantRow, RecordingPrompt, Snapshot,
};
use calls_devserver::{Config, Recorder};
use calls_media::device::signal::Signal;

mod support;

use support::{Person, World, talk, tone};

/// Alice, who is the host because she came first, and Bob.
async fn pair(world: &World) -> (Person, Person) {
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", talk(330.0)).await;
    alice.join("Standup").await;
    bob.join("Standup").await;
    for person in [&mut alice, &mut bob] {
        person
            .until("both in the call", |now| now.call.participants.len() == 2)
            .await;
    }
    (alice, bob)
}

async fn quick() -> World {
    let mut config = Config::default();
    config.timings.recorder_start = Duration::from_millis(200);
    config.timings.recorder_post = Duration::from_millis(200);
    config.switches.transcriptions = true;
    config.switches.live_captions = true;
    World::start(config).await
}

fn row<'a>(call: &'a Call, name: &str) -> &'a ParticipantRow {
    let mut rows = call.participants.iter();
    rows.find(|row| row.name.starts_with(name))
        .expect("not in the call")
}

fn has(now: &Snapshot, code: &str) -> bool {
    now.notices.iter().any(|notice| notice.code == code)
}

fn moderate(person: &Person, action: HostAction) {
    person.does(Command::Moderate { action });
}

async fn stop(world: World, people: impl IntoIterator<Item = Person>) {
    for person in people {
        person.stop().await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reaction_reaches_everybody_and_is_shown_once_to_whoever_made_it() {
    let world = World::new().await;
    let (mut alice, mut bob) = pair(&world).await;
    bob.does(Command::ShowEmoji {
        name: "+1".to_owned(),
        literal: "👍🏽".to_owned(),
    });
    let seen = alice
        .until("the reaction", |now| !now.call.reactions.is_empty())
        .await;
    assert_eq!(seen.call.reactions[0].text, "👍🏽");
    assert_eq!(seen.call.reactions[0].name, "Bob Brandt");
    assert_eq!(row(&seen.call, "Bob").reaction.as_deref(), Some("👍🏽"));
    // Alice answers; when Bob sees that, his own has long come back from the server.
    alice.does(Command::ShowEmoji {
        name: "heart".to_owned(),
        literal: "❤️".to_owned(),
    });
    let seen = bob
        .until("the answer", |now| {
            now.call.reactions.iter().any(|one| one.text == "❤️")
        })
        .await;
    assert_eq!(seen.call.reactions.len(), 2);
    stop(world, [alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_mutes_lowers_hands_over_and_removes() {
    let world = World::new().await;
    let (mut alice, mut bob) = pair(&world).await;
    assert!(alice.now().call.can_moderate && !bob.now().call.can_moderate);
    bob.unmute().await;
    bob.does(Command::RaiseHand { raised: true });
    let seen = alice
        .until("a raised hand and an open microphone", |now| {
            let bob = row(&now.call, "Bob");
            bob.hand_raised_at.is_some() && !bob.muted
        })
        .await;
    let session = row(&seen.call, "Bob").session.clone();
    moderate(
        &alice,
        HostAction::Mute {
            session: session.clone(),
        },
    );
    bob.until("a muted microphone", |now| {
        now.call.microphone == Microphone::Muted && has(now, "call.muted_by")
    })
    .await;
    moderate(
        &alice,
        HostAction::LowerHand {
            session: session.clone(),
        },
    );
    bob.until("a lowered hand", |now| {
        row(&now.call, "Bob").hand_raised_at.is_none() && has(now, "call.hand_lowered")
    })
    .await;
    let user = row(&seen.call, "Bob").user.clone();
    moderate(&alice, HostAction::MakeHost { user });
    bob.until("the host's rights", |now| now.call.can_moderate)
        .await;
    alice
        .until("a guest's", |now| {
            !now.call.can_end && has(now, "call.host")
        })
        .await;
    // What a guest may not do is not even asked for; the host removes.
    let session = row(&bob.now().call, "Alice").session.clone();
    moderate(&bob, HostAction::Remove { session });
    alice
        .until("the removal", |now| {
            matches!(&now.call.phase, CallPhase::Failed { code, .. } if code == "call.removed")
        })
        .await;
    stop(world, [alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ending_for_everyone_can_be_undone_and_then_ends_for_everyone() {
    let world = World::new().await;
    let (mut alice, mut bob) = pair(&world).await;
    alice.does(Command::EndCall);
    alice
        .until("three seconds to think", |now| now.call.ending_at.is_some())
        .await;
    alice.does(Command::UndoEndCall);
    alice
        .until("no end", |now| now.call.ending_at.is_none())
        .await;
    assert_eq!(bob.now().call.phase, CallPhase::Live);
    alice.does(Command::EndCall);
    for person in [&mut alice, &mut bob] {
        person
            .until("the end", |now| now.call.phase == CallPhase::Idle)
            .await;
    }
    stop(world, [alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_asks_everybody_writes_along_and_leaves_a_file_in_the_chat() {
    let world = quick().await;
    let (mut alice, mut bob) = pair(&world).await;
    bob.does(Command::Record { on: true });
    bob.until("a refusal", |now| has(now, "call.not_host"))
        .await;
    bob.does(Command::ShowCaptions { on: true });
    bob.unmute().await;
    alice.does(Command::Record { on: true });
    bob.until("the question of consent", |now| {
        now.call.prompt == Some(RecordingPrompt::Consent)
            && now.call.recording.is_some_and(|one| one.runs)
    })
    .await;
    alice
        .until("the host's reminder", |now| {
            now.call.prompt == Some(RecordingPrompt::Host)
        })
        .await;
    let now = bob
        .until("a caption", |now| !now.call.captions.is_empty())
        .await;
    assert_eq!(now.call.captions[0].name, "Bob Brandt");
    alice.does(Command::Record { on: false });
    alice
        .until("the end of the recording", |now| {
            now.call.prompt == Some(RecordingPrompt::Done) && now.call.recording.is_none()
        })
        .await;
    bob.until("the file in the chat", |now| {
        let mut posts = now.chat.posts.iter();
        posts.any(|post| post.message.contains("recording"))
    })
    .await;
    stop(world, [alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_that_cannot_be_made_says_why_to_the_host() {
    let mut config = Config::default();
    config.switches.recorder = Recorder::Fails("no runner is free".to_owned());
    config.timings.recorder_start = Duration::from_millis(100);
    let world = World::start(config).await;
    let (mut alice, bob) = pair(&world).await;
    alice.does(Command::Record { on: true });
    let reason = "no runner is free".to_owned();
    alice
        .until("the reason", |now| {
            now.call.prompt
                == Some(RecordingPrompt::Failed {
                    reason: reason.clone(),
                })
        })
        .await;
    assert_eq!(bob.now().call.prompt, None);
    stop(world, [alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chat_of_a_call_is_its_thread_and_counts_what_was_not_seen() {
    let world = World::new().await;
    let (mut alice, mut bob) = pair(&world).await;
    let now = alice
        .until("the chat", |now| {
            now.chat.root.is_some() && !now.chat.loading
        })
        .await;
    bob.until("the chat", |now| {
        now.chat.root.is_some() && !now.chat.loading
    })
    .await;
    alice.does(Command::SendPost {
        channel: now.chat.channel.clone().unwrap(),
        root: now.chat.root.clone(),
        text: "hello @bob".to_owned(),
    });
    let seen = bob
        .until("one unread message", |now| now.chat.unread == 1)
        .await;
    assert_eq!(seen.chat.posts[0].message, "hello @bob");
    bob.does(Command::ShowChat { shown: true });
    bob.until("nothing unread", |now| now.chat.unread == 0)
        .await;
    stop(world, [alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_link_leads_into_the_call_and_asks_before_it_starts_one() {
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    alice.join("Standup").await;
    let link = alice.now().call.link.clone();
    bob.does(Command::OpenAddress {
        address: link.clone(),
    });
    bob.until("a live call", |now| now.call.phase == CallPhase::Live)
        .await;
    alice.leave().await;
    bob.leave().await;
    alice
        .until("no call in the channel", |now| {
            now.directory.channels.iter().all(|row| row.call.is_none())
        })
        .await;
    alice.does(Command::OpenAddress { address: link });
    let now = alice
        .until("the question", |now| has(now, "link.start"))
        .await;
    assert_eq!(now.call.phase, CallPhase::Idle);
    stop(world, [alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slash_call_stats_and_link_are_answered_to_us_alone() {
    let world = World::new().await;
    let (mut alice, bob) = pair(&world).await;
    let channel = alice.channel("Standup").id;
    alice.does(Command::OpenChannel {
        channel: channel.clone(),
    });
    alice
        .until("figures", |now| now.call.quality.is_some())
        .await;
    tokio::time::sleep(Duration::from_secs(2)).await; // The counters come with the second figures.
    for (text, answer) in [
        ("/call stats", "\"ssrcStats\""),
        ("/call link", "?join_call=true"),
        ("/call dance", "invalid subcommand"),
    ] {
        alice.does(Command::SendPost {
            channel: channel.clone(),
            root: None,
            text: text.to_owned(),
        });
        alice
            .until(answer, |now| {
                now.timeline
                    .posts
                    .iter()
                    .any(|post| post.message.contains(answer))
            })
            .await;
    }
    stop(world, [alice, bob]).await;
}
