//! What people do in a call beside talking, between two of our clients over the development server: what one does the
//! other sees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use calls_core::command::{Command, HostAction};
use calls_core::id::FileId;
use calls_core::model::PostKind;
use calls_core::snapshot::{
    Call, CallPhase, Microphone, ParticipantRow, PostRow, RecordingPrompt, Snapshot,
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
    let subtitled = |post: &PostRow| matches!(&post.kind, PostKind::Recording { subtitles } if subtitles.len() == 1);
    let now = bob
        .until("the file in the chat", |now| {
            now.chat.posts.iter().any(subtitled)
        })
        .await;
    // It can be played, from any byte on, with what was said.
    let post = now.chat.posts.iter().find(|post| subtitled(post)).unwrap();
    let PostKind::Recording { subtitles } = &post.kind else {
        panic!("no recording");
    };
    let part = |file: &FileId, from| {
        let (client, file) = (bob.client.clone(), file.clone());
        async move { client.file_part(&file, from).await }
    };
    let film = &post.files[0];
    let all = part(&film.id, 0).await.unwrap();
    assert_eq!(i64::try_from(all.len()).unwrap(), film.size);
    assert_eq!(&all[4..8], b"ftyp");
    assert_eq!(part(&film.id, 100).await.unwrap(), all.slice(100..));
    assert_eq!(
        part(&film.id, all.len() as u64).await,
        None,
        "nothing is behind it"
    );
    let said = part(&subtitles[0].file, 0).await.unwrap();
    assert!(said.starts_with(b"WEBVTT"));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_mutes_all_others_at_once_and_not_themselves() {
    let world = World::new().await;
    let (mut alice, mut bob) = pair(&world).await;
    let mut carol = world.person("carol", tone(550.0)).await;
    carol.join("Standup").await;
    for person in [&mut alice, &mut bob, &mut carol] {
        person.unmute().await;
    }
    alice
        .until("three open microphones", |now| {
            let rows = &now.call.participants;
            rows.len() == 3 && rows.iter().all(|row| !row.muted)
        })
        .await;
    moderate(&alice, HostAction::MuteOthers);
    for person in [&mut bob, &mut carol] {
        person
            .until("a muted microphone", |now| {
                now.call.microphone == Microphone::Muted && has(now, "call.muted_by")
            })
            .await;
    }
    let seen = alice
        .until("the others muted", |now| {
            now.call.participants.iter().all(|row| row.me != row.muted)
        })
        .await;
    assert_eq!(seen.call.microphone, Microphone::Open);
    stop(world, [alice, bob, carol]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_stops_somebodys_share() {
    let world = World::new().await;
    let (mut alice, mut bob) = pair(&world).await;
    bob.does(Command::StartShare {
        source: "pattern".into(),
        motion: false,
        sound: false,
    });
    let seen = alice
        .until("bob's screen", |now| row(&now.call, "Bob").sharing)
        .await;
    let session = row(&seen.call, "Bob").session.clone();
    moderate(&alice, HostAction::StopShare { session });
    bob.until("the end of the share", |now| {
        now.share.ours == calls_core::snapshot::OurShare::Off && has(now, "share.stopped_by")
    })
    .await;
    alice
        .until("no screen", |now| {
            now.share.presenter.is_none() && !row(&now.call, "Bob").sharing
        })
        .await;
    stop(world, [alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slash_call_host_hands_the_call_over() {
    let world = World::new().await;
    let (mut alice, mut bob) = pair(&world).await;
    let say = |person: &Person, text: &str| {
        person.does(Command::SendPost {
            channel: person.channel("Standup").id,
            root: None,
            text: text.to_owned(),
        });
    };
    say(&alice, "/call host @bob");
    bob.until("the host's rights", |now| {
        now.call.can_moderate && has(now, "call.host_you")
    })
    .await;
    alice.until("a guest's", |now| !now.call.can_moderate).await;
    stop(world, [alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_post_of_a_call_is_nobodys_to_edit() {
    let world = World::new().await;
    let (mut alice, bob) = pair(&world).await;
    let channel = alice.channel("Standup").id;
    alice.does(Command::OpenChannel { channel });
    let is_call = |post: &&calls_core::snapshot::PostRow| {
        matches!(post.kind, calls_core::model::PostKind::Call(_))
    };
    let now = alice
        .until("the post of the call", |now| {
            now.timeline.posts.iter().any(|post| is_call(&post))
        })
        .await;
    let post = now.timeline.posts.iter().find(is_call).unwrap();
    assert!(!post.editable, "no button offers it");
    alice.does(Command::EditPost {
        post: post.id.clone(),
        text: "another text".to_owned(),
    });
    let now = alice
        .until("the refusal", |now| has(now, "post.not_edited"))
        .await;
    let kept = now.timeline.posts.iter().find(is_call).unwrap();
    assert_eq!(kept.message, post.message);
    stop(world, [alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_joins_the_call_of_their_channel_and_sees_no_other() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let session = alice.join("Standup").await;
    alice.unmute().await;
    let mut guest = world.person("guest", talk(330.0)).await;
    let channels = guest.now();
    let names: Vec<&str> = channels
        .directory
        .channels
        .iter()
        .map(|row| row.name.as_str())
        .collect();
    assert_eq!(names, ["Standup"]);
    guest.join("Standup").await;
    guest.hears(&session).await;
    guest.unmute().await;
    alice
        .until("the guest's voice", |now| {
            let rows = &now.call.participants;
            rows.iter().any(|row| row.name == "Gil Gast" && !row.muted)
        })
        .await;
    assert!(!guest.now().call.can_moderate);
    let other = alice.channel("Town Square").id;
    guest.does(Command::JoinCall {
        channel: other,
        title: None,
        switch: true,
    });
    guest
        .until("the refusal", |now| has(now, "call.forbidden"))
        .await;
    stop(world, [alice, guest]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_the_offer_of_a_call_closes_it_on_all_devices() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut desk = world.person("bob", Signal::Silence).await;
    let mut laptop = world.person("bob", Signal::Silence).await;
    alice.join("Standup").await;
    let channel = alice.channel("Standup").id;
    let offered = |now: &Snapshot| {
        let mut rows = now.directory.channels.iter();
        rows.find(|row| row.id == channel)
            .and_then(|row| row.call.as_ref())
            .map(|call| !call.dismissed)
    };
    for client in [&mut desk, &mut laptop] {
        client
            .until("the offer", |now| offered(now) == Some(true))
            .await;
    }
    desk.does(Command::IgnoreCall {
        channel: channel.clone(),
    });
    for client in [&mut desk, &mut laptop] {
        client
            .until("no offer", |now| offered(now) == Some(false))
            .await;
    }
    stop(world, [alice, desk, laptop]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ways_that_were_found_are_told_to_the_server_once() {
    let world = World::new().await;
    let (mut alice, bob) = pair(&world).await;
    let mut figures = 0;
    // Figures come each second: after six of them there were three occasions to tell.
    while figures < 6 {
        alice
            .event("figures", |event| {
                matches!(event, calls_client::ClientEvent::Quality(_)).then_some(())
            })
            .await;
        figures += 1;
    }
    let told = world.server.stats()["metrics"].as_u64().unwrap();
    assert!((1..=8).contains(&told), "{told} metrics");
    stop(world, [alice, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slash_call_logs_sends_the_log_to_us_alone() {
    #[derive(Debug)]
    struct Keeps;
    impl calls_client::Shell for Keeps {
        fn remember(&self, _: calls_client::Remember) {}

        fn logs(&self) -> calls_core::port::BoxFuture<Option<String>> {
            Box::pin(async { Some("a line of the log".to_owned()) })
        }
    }
    let world = World::new().await;
    let mut alice = Person::start(
        Some(world.server.url()),
        None,
        calls_media::FakeHost::with_signal(Signal::Silence),
        std::sync::Arc::new(Keeps),
    );
    alice
        .until("the sign-in form", |now| {
            matches!(now.account, calls_core::snapshot::Account::SignedOut { .. })
        })
        .await;
    alice.sign_in("alice", support::PASSWORD).await;
    let channel = alice.channel("Standup").id;
    alice.does(Command::SendPost {
        channel,
        root: None,
        text: "/call logs".to_owned(),
    });
    alice.until("word of it", |now| has(now, "logs.sent")).await;
    let from_the_bot = alice
        .until("the bot's channel", |now| {
            now.directory
                .channels
                .iter()
                .any(|row| row.name == "Calls" || row.name == "calls")
        })
        .await;
    let row = from_the_bot
        .directory
        .channels
        .iter()
        .find(|row| row.name == "Calls" || row.name == "calls")
        .unwrap();
    alice.does(Command::OpenChannel {
        channel: row.id.clone(),
    });
    alice
        .until("the file", |now| {
            now.timeline.posts.iter().any(|post| !post.files.is_empty())
        })
        .await;
    stop(world, [alice]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_who_is_not_the_host_controls_the_call() {
    let world = World::new().await;
    let mut bob = world.person("bob", talk(330.0)).await;
    bob.join("Standup").await;
    bob.unmute().await;
    let mut admin = world.person("admin", tone(440.0)).await;
    admin.join("Standup").await;
    let seen = admin
        .until("bob, heard", |now| {
            let rows = &now.call.participants;
            rows.len() == 2 && rows.iter().any(|row| !row.me && !row.muted)
        })
        .await;
    assert!(seen.call.can_moderate && seen.call.can_end);
    assert_ne!(
        seen.call.host.as_ref(),
        seen.call
            .participants
            .iter()
            .find(|row| row.me)
            .map(|row| &row.user)
    );
    let session = row(&seen.call, "Bob").session.clone();
    moderate(&admin, HostAction::Mute { session });
    bob.until("a muted microphone", |now| {
        now.call.microphone == Microphone::Muted
    })
    .await;
    admin.does(Command::EndCall);
    bob.until("the end", |now| now.call.phase == CallPhase::Idle)
        .await;
    stop(world, [admin, bob]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_forbidden_in_a_direct_channel_and_allowed_again() {
    let world = World::new().await;
    let mut alice = world.person("alice", tone(440.0)).await;
    let mut bob = world.person("bob", talk(330.0)).await;
    let direct = |now: &Snapshot, with: &str| {
        let mut rows = now.directory.channels.iter();
        rows.find(|row| row.user.is_some() && row.name.starts_with(with))
            .cloned()
    };
    let known = alice
        .until("the direct channel", |now| {
            direct(now, "Bob").is_some_and(|row| row.calls_allowed == Some(true))
        })
        .await;
    let channel = direct(&known, "Bob").unwrap().id;
    for on in [false, true] {
        alice.does(Command::AllowCalls {
            channel: channel.clone(),
            on,
        });
        for (person, with) in [(&mut alice, "Bob"), (&mut bob, "Alice")] {
            person
                .until("what the other has switched", |now| {
                    direct(now, with).is_some_and(|row| {
                        row.calls_allowed == Some(on) && row.call_blocked.is_none() == on
                    })
                })
                .await;
        }
    }
    stop(world, [alice, bob]).await;
}
