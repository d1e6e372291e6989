//! A screen is shown at one end and seen at the other: the pixels themselves tell when they were painted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use calls_client::ClientEvent;
use calls_core::command::Command;
use calls_core::id::SessionId;
use calls_core::snapshot::OurShare;
use calls_media::device::signal::Signal;
use calls_media::screen::barcode;
use calls_media::video::view::View;

mod support;

use calls_media::testing::dominant;
use support::{LIMIT, Person, World, rms, tone};

/// The test picture's usual width.
const WIDTH: u32 = 1280;

fn show(source: &str) -> Command {
    Command::StartShare {
        source: source.into(),
        motion: false,
        sound: false,
    }
}

async fn shows(person: &mut Person, source: &str) {
    person.does(show(source));
    let shown = person
        .until("our share", |now| {
            matches!(now.share.ours, OurShare::On { .. })
        })
        .await;
    assert_eq!(shown.share.presenter, shown.call.session);
}

async fn stops(person: &mut Person) {
    person.does(Command::StopShare);
    person
        .until("the end of our share", |now| {
            now.share.ours == OurShare::Off && now.share.presenter.is_none()
        })
        .await;
}

/// The view of somebody's screen, once it is there.
async fn view_of(person: &mut Person, session: &SessionId) -> Arc<View> {
    person
        .until("somebody else's screen", |now| {
            now.share.presenter.as_ref() == Some(session)
        })
        .await;
    let limit = Instant::now() + LIMIT;
    loop {
        let views = person.client.screens().views();
        if let Some(view) = views
            .into_iter()
            .find(|view| view.track.session == *session)
        {
            return view;
        }
        assert!(Instant::now() < limit, "no picture was offered");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Reads so many pictures; gives their ages in milliseconds and how long the first took.
async fn watch(view: Arc<View>, pictures: usize) -> (Vec<u32>, Duration) {
    let begun = Instant::now();
    let watching = tokio::task::spawn_blocking(move || {
        let (mut ages, mut after, mut first) = (Vec::new(), 0, None);
        while ages.len() < pictures {
            assert!(
                begun.elapsed() < LIMIT,
                "{} of {pictures} pictures",
                ages.len()
            );
            let Some(picture) = view.next(after, Duration::from_secs(1)) else {
                continue;
            };
            first.get_or_insert(begun.elapsed());
            after = picture.number;
            assert_eq!(picture.picture.size().width, WIDTH);
            let painted = barcode::read(&picture.picture, WIDTH)
                .unwrap_or_else(|| panic!("picture {} has no readable code", picture.number));
            ages.push(barcode::now().wrapping_sub(painted) & 0x7fff_ffff);
        }
        (ages, first.unwrap_or_default())
    });
    watching.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_shows_the_other_sees_and_again_and_the_other_way_round() {
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let a = alice.join("Standup").await;
    let b = bob.join("Standup").await;

    shows(&mut alice, "pattern").await;
    let view = view_of(&mut bob, &a).await;
    let (mut ages, first) = watch(Arc::clone(&view), 20).await;
    ages.sort_unstable();
    println!(
        "first picture after {first:?}, ages {ages:?} ms, {:?}",
        view.figures()
    );
    assert!(ages[10] < 1500, "the pictures are old: {ages:?}");
    assert_eq!(view.figures().failed, 0);
    stops(&mut alice).await;
    bob.until("nobody's screen", |now| now.share.presenter.is_none())
        .await;

    // The same section carries the second share.
    shows(&mut alice, "pattern").await;
    let view = view_of(&mut bob, &a).await;
    watch(view, 5).await;
    stops(&mut alice).await;
    bob.until("nobody's screen", |now| now.share.presenter.is_none())
        .await;

    shows(&mut bob, "pattern").await;
    let view = view_of(&mut alice, &b).await;
    watch(view, 5).await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_begin_together_one_shows_and_the_other_is_told() {
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    alice.join("Standup").await;
    bob.join("Standup").await;
    alice.does(show("pattern"));
    bob.does(show("pattern"));
    let settled = |now: &calls_core::snapshot::Snapshot| match now.share.ours {
        OurShare::On { .. } => true,
        OurShare::Off => now
            .notices
            .iter()
            .any(|notice| matches!(notice.code.as_str(), "share.refused" | "share.taken")),
        OurShare::Starting { .. } => false,
    };
    let at_alice = alice.until("an answer", settled).await;
    let at_bob = bob.until("an answer", settled).await;
    let on = [at_alice, at_bob]
        .iter()
        .filter(|now| matches!(now.share.ours, OurShare::On { .. }))
        .count();
    assert_eq!(on, 1);
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_layers_are_sent_and_the_picture_goes_on_when_the_server_changes_between_them() {
    let world = World::with(|switches| {
        switches.simulcast = true;
        switches.dc_signaling = true;
    })
    .await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let a = alice.join("Standup").await;
    bob.join("Standup").await;
    shows(&mut alice, "pattern").await;
    let view = view_of(&mut bob, &a).await;
    watch(view, 10).await;
    let figures = alice.client.screens().figures().unwrap();
    println!("{figures:?}");
    assert!(figures.keys >= 2, "each layer begins with a key frame");
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_is_not_shared_and_said() {
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    alice.join("Standup").await;
    alice.does(show("window:0x1"));
    let code = alice
        .event("the end of the share", |event| match event {
            ClientEvent::ShareStopped { code } => Some(code.clone()),
            _ => None,
        })
        .await;
    assert_eq!(code.as_deref(), Some("share.unsupported"));
    let now = alice
        .until("no share", |now| now.share.ours == OurShare::Off)
        .await;
    assert_eq!(now.share.presenter, None, "the server was never asked");
    alice.stop().await;
    world.stop().await;
}

/// What is heard, a second at a time, until `enough` says so.
async fn hears_until(person: &Person, what: &str, enough: impl Fn(&[f32]) -> bool) -> Vec<f32> {
    let limit = Instant::now() + LIMIT;
    loop {
        let heard = person.listen(Duration::from_secs(1)).await;
        if heard.len() > 24_000 && enough(&heard) {
            return heard;
        }
        assert!(Instant::now() < limit, "not heard: {what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_other_programs_play_goes_along_has_its_own_volume_and_does_not_come_back() {
    let world = World::with(|switches| switches.dc_signaling = true).await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let mut bob = world.person("bob", tone(440.0)).await;
    alice.host.set_played(tone(1000.0));
    let a = alice.join("Standup").await;
    bob.join("Standup").await;
    bob.unmute().await;
    alice.does(Command::StartShare {
        source: "pattern".into(),
        motion: false,
        sound: true,
    });
    bob.until("a screen with sound", |now| {
        now.share.presenter.as_ref() == Some(&a) && now.share.sound
    })
    .await;
    let near = |hz: f32, want: f32| (hz - want).abs() < 3.0;
    let heard = hears_until(&bob, "the tone", |pcm| {
        let found = dominant(pcm, 200.0, 2000.0);
        near(found.hz as f32, 1000.0) && found.share > 0.9
    })
    .await;
    println!("bob hears it at {:.3}", rms(&heard));
    assert!(
        rms(&heard) > 0.25,
        "a tone of half amplitude: {}",
        rms(&heard)
    );
    // Alice hears Bob, and nothing else: neither her own machine's sound nor herself.
    let at_alice = hears_until(&alice, "bob", |pcm| rms(pcm) > 0.05).await;
    let found = dominant(&at_alice, 200.0, 2000.0);
    assert!(
        near(found.hz as f32, 440.0) && found.share > 0.9,
        "{found:?}"
    );
    let now = bob.now();
    let presenter = now.call.participants.iter().find(|one| one.session == a);
    assert!(
        presenter.is_some_and(|one| !one.speaking && one.muted),
        "music is nobody's voice: {presenter:?}"
    );

    bob.does(Command::SetShareVolume { percent: 0 });
    hears_until(&bob, "silence", |pcm| rms(pcm) < 1e-4).await;
    bob.does(Command::SetShareVolume { percent: 100 });
    hears_until(&bob, "the tone again", |pcm| rms(pcm) > 0.25).await;

    // Held: the sound, too.
    alice.does(Command::SetLocked { locked: true });
    hears_until(&bob, "silence while the machine is locked", |pcm| {
        rms(pcm) < 1e-3
    })
    .await;
    alice.does(Command::SetLocked { locked: false });
    hears_until(&bob, "the tone after that", |pcm| rms(pcm) > 0.25).await;

    stops(&mut alice).await;
    bob.until("the end of the sound", |now| !now.share.sound)
        .await;
    hears_until(&bob, "silence after the share", |pcm| rms(pcm) < 1e-3).await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_is_held_stands_still_for_the_others_and_goes_on() {
    let world = World::new().await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    let a = alice.join("Standup").await;
    bob.join("Standup").await;
    shows(&mut alice, "pattern").await;
    let view = view_of(&mut bob, &a).await;
    watch(Arc::clone(&view), 10).await;
    for hold in [
        (
            Command::PauseShare { paused: true },
            Command::PauseShare { paused: false },
        ),
        (
            Command::SetLocked { locked: true },
            Command::SetLocked { locked: false },
        ),
    ] {
        let (holds, goes_on) = hold;
        alice.does(holds);
        // What was painted before may still arrive, and gets sharper: the code in it says when it was painted.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let code = |view: &View| {
            let picture = view.next(0, Duration::from_secs(1)).expect("a picture");
            barcode::read(&picture.picture, WIDTH).expect("a readable code")
        };
        let held = code(&view);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(code(&view), held, "the picture stands still");
        alice.does(goes_on);
        let limit = Instant::now() + LIMIT;
        while code(&view) == held {
            assert!(Instant::now() < limit, "the picture does not go on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_presenter_who_leaves_is_gone_and_one_who_returns_is_seen_again() {
    let world = World::with(|switches| switches.dc_signaling = true).await;
    let mut alice = world.person("alice", Signal::Silence).await;
    let mut bob = world.person("bob", Signal::Silence).await;
    alice.host.set_played(tone(1000.0));
    bob.join("Standup").await;
    for _ in 0..2 {
        let a = alice.join("Standup").await;
        alice.does(Command::StartShare {
            source: "pattern".into(),
            motion: false,
            sound: true,
        });
        let view = view_of(&mut bob, &a).await;
        watch(view, 5).await;
        bob.until("the screen's sound", |now| now.share.sound).await;
        alice.leave().await;
        let now = bob
            .until("nobody's screen", |now| {
                now.share.presenter.is_none() && !now.share.sound
            })
            .await;
        assert!(now.share.allowed && now.share.picker.is_none());
        let limit = Instant::now() + LIMIT;
        while !bob.client.screens().views().is_empty() {
            assert!(Instant::now() < limit, "a view is left behind");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        hears_until(&bob, "silence", |pcm| rms(pcm) < 1e-3).await;
    }
    // Whoever waited may show their own now.
    shows(&mut bob, "pattern").await;
    stops(&mut bob).await;
    alice.stop().await;
    bob.stop().await;
    world.stop().await;
}
