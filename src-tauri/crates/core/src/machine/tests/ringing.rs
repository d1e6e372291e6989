//! Every row of the matrix of calls-v1-rest §15.8, every reason to stop, and what a server or a caller may try.

use super::*;
use crate::alert::{
    AlertSettings, AlertWish, DesktopNews, NoteButton, NoteKey, QuietHours, RingFor, Tone, Words,
};
use crate::model::NotifyProps;

/// Signed in where calls ring, with the window not in front.
fn story_with(
    change: impl FnOnce(&mut DirectoryLoad, &mut CallsLoad, &mut AlertSettings),
) -> Story {
    let (mut load, mut calls, mut alerts) = (directory(), calls(), AlertSettings::default());
    calls.config.ringing = true;
    load.users.push(user("erin"));
    change(&mut load, &mut calls, &mut alerts);
    let memory = Memory {
        alerts,
        ..Memory::default()
    };
    let mut story = Story::signed_in_with(load, Some(calls), memory);
    story.does(Command::SetFocus { focused: false });
    story
}

fn story() -> Story {
    let mut story = story_with(|_, _, _| {});
    story.effects.clear();
    story
}

fn prop(load: &mut DirectoryLoad, name: &str, word: &str) {
    load.notify = load.notify.with(name, word);
}

fn membership<'a>(load: &'a mut DirectoryLoad, channel: &str) -> &'a mut Membership {
    load.memberships
        .iter_mut()
        .find(|member| member.channel == id(channel))
        .unwrap()
}

fn starts(call: &str, channel: &str, owner: &str) -> ServerEvent {
    ServerEvent::CallStarted {
        channel: id(channel),
        call: CallId::from(call),
        start_at: DAY,
        owner: owner.into(),
        host: Some(owner.into()),
        thread: None,
    }
}

fn joins(channel: &str, user: &str) -> ServerEvent {
    ServerEvent::CallJoined {
        channel: id(channel),
        user: user.into(),
        session: format!("s-{user}").as_str().into(),
    }
}

fn leaves(channel: &str, user: &str) -> ServerEvent {
    ServerEvent::CallLeft {
        channel: id(channel),
        user: user.into(),
        session: format!("s-{user}").as_str().into(),
    }
}

fn calls_alice(story: &mut Story, call: &str, channel: &str, owner: &str) {
    story.hears(starts(call, channel, owner));
    story.hears(joins(channel, owner));
}

/// What was heard and shown since the last time.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Noticed {
    rings: usize,
    silences: usize,
    notes: usize,
    loud_notes: usize,
    withdrawn: usize,
}

fn noticed(story: &mut Story) -> Noticed {
    let mut seen = Noticed::default();
    for effect in story.effects() {
        match effect {
            Effect::Alert(AlertWish::Ring(_)) => seen.rings += 1,
            Effect::Alert(AlertWish::Silence) => seen.silences += 1,
            Effect::Alert(AlertWish::Show(note)) if matches!(note.key, NoteKey::Call(_)) => {
                seen.notes += 1;
                seen.loud_notes += usize::from(!note.silent);
            }
            Effect::Alert(AlertWish::Withdraw(NoteKey::Call(_))) => seen.withdrawn += 1,
            _ => {}
        }
    }
    seen
}

fn cards(story: &Story) -> Vec<&str> {
    let calls = &story.see().incoming.calls;
    calls.iter().map(|call| call.call.as_str()).collect()
}

fn rings(story: &Story) -> bool {
    story.see().incoming.calls.iter().any(|call| call.ringing)
}

type Change = fn(&mut DirectoryLoad, &mut CallsLoad, &mut AlertSettings);

#[test]
fn every_row_of_the_official_matrix_holds() {
    // Situation, change, card, notification, ring.
    let rows: &[(&str, Change, bool, bool, bool)] = &[
        (
            "default, window not in front",
            |_, _, _| {},
            true,
            true,
            true,
        ),
        (
            "user desktop = none",
            |load, _, _| prop(load, "desktop", "none"),
            true,
            false,
            false,
        ),
        (
            "user calls_desktop_sound = false",
            |load, _, _| prop(load, "calls_desktop_sound", "false"),
            true,
            true,
            false,
        ),
        (
            "channel desktop = none",
            |load, _, _| membership(load, "dm-bob").desktop = "none".to_owned(),
            true,
            false,
            true,
        ),
        (
            "channel desktop_sound = off",
            |load, _, _| membership(load, "dm-bob").desktop_sound = "off".to_owned(),
            true,
            true,
            true,
        ),
        (
            "channel muted",
            |load, _, _| membership(load, "dm-bob").muted = true,
            true,
            false,
            false,
        ),
        (
            "do not disturb",
            |load, _, _| load.presences.push(("alice".into(), Presence::Dnd)),
            true,
            false,
            false,
        ),
        (
            "out of office",
            |load, _, _| load.presences.push(("alice".into(), Presence::Ooo)),
            true,
            false,
            false,
        ),
        (
            "ringing off on the server",
            |_, calls, _| calls.config.ringing = false,
            false,
            false,
            false,
        ),
        (
            "quiet hours",
            |_, _, alerts| {
                alerts.quiet = QuietHours {
                    on: true,
                    from: 0,
                    to: 1439,
                }
            },
            true,
            false,
            false,
        ),
        (
            "caller blocked",
            |_, _, alerts| {
                alerts.blocked.insert("bob".into(), String::new());
            },
            false,
            false,
            false,
        ),
        (
            "notifications of calls off",
            |_, _, alerts| alerts.call_notes = false,
            true,
            false,
            true,
        ),
    ];
    for (what, change, card, note, ring) in rows {
        let mut story = story_with(change);
        story.effects.clear();
        calls_alice(&mut story, "c1", "dm-bob", "bob");
        let seen = noticed(&mut story);
        assert_eq!(cards(&story).len(), usize::from(*card), "{what}: card");
        assert_eq!(seen.notes, usize::from(*note), "{what}: notification");
        assert_eq!(seen.rings, usize::from(*ring), "{what}: ring");
        assert_eq!(rings(&story), *ring, "{what}");
        // Silent from the outset, or the ring is the sound.
        assert!(seen.loud_notes == 0 || !ring, "{what}");
        println!("§15.8 {what}: card {card}, notification {note}, ring {ring}");
    }
}

#[test]
fn a_call_while_we_are_in_another_is_shown_and_told_but_does_not_ring() {
    let mut story = story();
    story.does(join("town-square"));
    story.effects.clear();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    let seen = noticed(&mut story);
    assert_eq!((seen.notes, seen.rings), (1, 0));
    assert!(story.see().incoming.calls[0].in_call);
    story.does(Command::LeaveCall);
    assert_eq!(noticed(&mut story).rings, 0, "it never rings later");
    assert!(!story.see().incoming.calls[0].in_call);
}

#[test]
fn a_call_while_we_are_in_one_at_another_server_is_shown_and_told_but_does_not_ring() {
    let mut story = story();
    story.input(Input::Desktop(DesktopNews::Elsewhere(
        crate::alert::Elsewhere {
            in_call: true,
            shows_everything: false,
        },
    )));
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    let seen = noticed(&mut story);
    assert_eq!((seen.notes, seen.rings), (1, 0));
    assert!(story.see().incoming.calls[0].in_call, "answering switches");
}

#[test]
fn with_the_window_in_front_there_is_a_ring_and_a_card_but_no_notification_even_later() {
    let mut story = story();
    story.does(Command::SetFocus { focused: true });
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    let seen = noticed(&mut story);
    assert_eq!((seen.notes, seen.rings), (0, 1));
    story.does(Command::SetFocus { focused: false });
    assert_eq!(noticed(&mut story).notes, 0);
}

#[test]
fn a_second_call_waits_silently_and_has_its_turn_when_the_first_stops() {
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    story.seconds(10);
    calls_alice(&mut story, "c2", "group", "dave");
    let seen = noticed(&mut story);
    assert_eq!((seen.rings, seen.notes), (1, 2), "one ring at a time");
    assert_eq!(cards(&story), ["c1", "c2"]);
    story.does(Command::IgnoreCall {
        channel: id("dm-bob"),
    });
    assert_eq!(noticed(&mut story).rings, 1);
    assert_eq!(cards(&story), ["c2"]);
    // Thirty seconds after it came, not after its turn came.
    story.seconds(29);
    assert!(rings(&story));
    story.seconds(1);
    assert!(!rings(&story));
    assert_eq!(noticed(&mut story).silences, 1);
}

#[test]
fn a_second_call_after_the_first_stopped_ringing_rings() {
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    story.seconds(30);
    assert_eq!(noticed(&mut story).rings, 1);
    calls_alice(&mut story, "c2", "group", "dave");
    assert_eq!(noticed(&mut story).rings, 1);
    assert_eq!(cards(&story), ["c1", "c2"], "the first is still joinable");
}

#[test]
fn a_call_that_goes_on_at_the_start_of_the_program_rings() {
    let mut story = story_with(|_, calls, _| {
        calls.channels.push(CallsChannel {
            channel: id("dm-bob"),
            enabled: None,
            call: Some(call_state("dm-bob", &[("sb", "bob")])),
        });
    });
    // The window is in front for the first moment of a story: so no notification.
    assert_eq!(noticed(&mut story).rings, 1);
    assert!(rings(&story));
}

#[test]
fn a_call_that_was_dismissed_does_not_ring_after_a_restart() {
    let mut story = story_with(|_, calls, _| {
        calls.channels.push(CallsChannel {
            channel: id("dm-bob"),
            enabled: None,
            call: Some(CallState {
                dismissed: true,
                ..call_state("dm-bob", &[("sb", "bob")])
            }),
        });
    });
    assert_eq!(noticed(&mut story), Noticed::default());
    assert!(cards(&story).is_empty());
}

#[test]
fn every_reason_ends_the_ring_once_and_withdraws_the_notification() {
    type Happens = fn(&mut Story);
    // What happens, and whether the card stays.
    let reasons: &[(&str, Happens, bool)] = &[
        (
            "joined here",
            |s| {
                s.does(Command::AnswerCall {
                    channel: id("dm-bob"),
                    muted: false,
                    switch: false,
                })
            },
            false,
        ),
        (
            "joined here as any call is",
            |s| s.does(join("dm-bob")),
            false,
        ),
        (
            "ignored here",
            |s| {
                s.does(Command::IgnoreCall {
                    channel: id("dm-bob"),
                })
            },
            false,
        ),
        (
            "declined here",
            |s| {
                s.does(Command::DeclineCall {
                    channel: id("dm-bob"),
                })
            },
            false,
        ),
        (
            "dismissed on another client",
            |s| s.hears(ServerEvent::CallDismissed("c1".into())),
            false,
        ),
        (
            "caller hung up",
            |s| s.hears(leaves("dm-bob", "bob")),
            false,
        ),
        (
            "ended",
            |s| s.hears(ServerEvent::CallEnded(id("dm-bob"))),
            false,
        ),
        ("30 seconds", |s| s.seconds(30), true),
        ("silenced", |s| s.does(Command::SilenceRing), true),
        (
            "do not disturb",
            |s| s.hears(ServerEvent::PresenceChanged("alice".into(), Presence::Dnd)),
            true,
        ),
        (
            "out of office",
            |s| s.hears(ServerEvent::PresenceChanged("alice".into(), Presence::Ooo)),
            true,
        ),
        (
            "channel muted",
            |s| {
                s.hears(ServerEvent::ChannelChanged(id("dm-bob")));
                let muted = Membership {
                    muted: true,
                    ..member("dm-bob")
                };
                s.answer(
                    |request| matches!(request, Request::LoadChannel(_)),
                    Reply::Channel(Box::new(direct("bob")), Box::new(muted), Vec::new()),
                );
            },
            true,
        ),
        (
            "ringing switched off",
            |s| s.does(Command::SetRinging { on: false }),
            true,
        ),
        (
            "notifications switched off elsewhere",
            |s| {
                let props = NotifyProps::default().with("desktop", "none");
                s.hears(ServerEvent::MeChanged(
                    Box::new(user("alice")),
                    Box::new(props),
                ));
            },
            true,
        ),
        (
            "joined another call here",
            |s| s.does(join("town-square")),
            true,
        ),
        (
            "joined another call elsewhere",
            |s| s.hears(joins("town-square", "alice")),
            true,
        ),
        (
            "caller blocked",
            |s| {
                s.does(Command::BlockCaller {
                    user: "bob".into(),
                    blocked: true,
                })
            },
            false,
        ),
        (
            "left the channel",
            |s| s.hears(ServerEvent::ChannelLeft(id("dm-bob"))),
            false,
        ),
        (
            "outage",
            |s| {
                s.down(1);
                s.seconds(5);
            },
            true,
        ),
        ("signed out", |s| s.does(Command::SignOut), false),
        (
            "session expired",
            |s| s.link(LinkEvent::Unauthorised),
            false,
        ),
    ];
    for (what, happens, card) in reasons {
        let mut story = story();
        calls_alice(&mut story, "c1", "dm-bob", "bob");
        assert_eq!(noticed(&mut story).rings, 1, "{what}");
        happens(&mut story);
        let seen = noticed(&mut story);
        assert_eq!(seen.silences, 1, "{what}: the ring ends");
        assert_eq!(seen.withdrawn, 1, "{what}: the notification goes");
        assert!(!rings(&story), "{what}");
        assert_eq!(cards(&story).len(), usize::from(*card), "{what}: card");
        story.seconds(60);
        let later = noticed(&mut story);
        assert_eq!(
            (later.rings, later.silences, later.notes),
            (0, 0, 0),
            "{what}: never twice"
        );
    }
}

#[test]
fn answering_on_another_device_is_said_for_two_seconds() {
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    story.effects.clear();
    story.hears(joins("dm-bob", "alice"));
    assert_eq!(noticed(&mut story).silences, 1);
    assert!(story.see().incoming.calls[0].elsewhere);
    story.seconds(2);
    assert!(cards(&story).is_empty());
    // Left there again: who was in it knows of it.
    story.hears(leaves("dm-bob", "alice"));
    assert!(cards(&story).is_empty());
}

#[test]
fn an_event_told_twice_or_a_fresh_load_does_not_ring_twice() {
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    story.hears(ServerEvent::CallsStale);
    let mut running = call_state("dm-bob", &[("s-bob", "bob")]);
    running.id = "c1".into();
    let calls = CallsLoad {
        config: CallsConfig {
            ringing: true,
            ..config()
        },
        channels: vec![CallsChannel {
            channel: id("dm-bob"),
            enabled: None,
            call: Some(running),
        }],
    };
    story.answer(is_calls, Reply::Calls(Some(Box::new(calls))));
    let seen = noticed(&mut story);
    assert_eq!((seen.rings, seen.notes), (1, 1));
    assert_eq!(cards(&story), ["c1"]);
}

#[test]
fn a_short_outage_does_not_end_the_ring_and_a_long_one_does_not_let_it_begin_again() {
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    story.down(1);
    story.seconds(4);
    story.link(LinkEvent::Up { resumed: true });
    story.seconds(4);
    assert!(rings(&story));
    story.down(1);
    story.seconds(6);
    story.link(LinkEvent::Up { resumed: true });
    assert!(!rings(&story));
    assert_eq!(noticed(&mut story).rings, 1);
    assert_eq!(cards(&story), ["c1"]);
}

#[test]
fn a_call_that_ended_during_an_outage_is_gone_after_it() {
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    story.down(1);
    story.seconds(3);
    story.up();
    let calls = CallsLoad {
        config: CallsConfig {
            ringing: true,
            ..config()
        },
        channels: Vec::new(),
    };
    story.answer(is_calls, Reply::Calls(Some(Box::new(calls))));
    assert!(cards(&story).is_empty());
    assert_eq!(noticed(&mut story).silences, 1);
}

fn sleeps(story: &mut Story, seconds: u64) {
    // The steady clock stands still meanwhile, on some systems; the other one runs on.
    story.unix += i64::try_from(seconds * 1000).unwrap();
    story.input(Input::Desktop(DesktopNews::Woke));
}

#[test]
fn a_ring_that_the_computer_slept_through_does_not_sound_when_it_wakes() {
    // It rang before.
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    assert!(rings(&story));
    sleeps(&mut story, 600);
    assert!(!rings(&story));
    assert_eq!(noticed(&mut story).silences, 1);
    assert_eq!(cards(&story), ["c1"], "it can still be joined");
    assert!(
        story
            .effects
            .iter()
            .all(|effect| !matches!(effect, Effect::Alert(AlertWish::Ring(_))))
    );
    // It began meanwhile: the server tells when the line is back.
    let mut story = self::story();
    sleeps(&mut story, 600);
    calls_alice(&mut story, "c2", "dm-bob", "bob");
    let seen = noticed(&mut story);
    assert_eq!((seen.rings, seen.notes), (0, 1), "shown, not heard");
    assert_eq!(cards(&story), ["c2"]);
    // One that begins after waking rings.
    let mut later = starts("c3", "group", "dave");
    if let ServerEvent::CallStarted { start_at, .. } = &mut later {
        *start_at = story.unix;
    }
    story.hears(later);
    story.hears(joins("group", "dave"));
    assert_eq!(noticed(&mut story).rings, 1);
}

#[test]
fn waking_up_tries_the_connection_at_once() {
    let mut story = story();
    story.down(3);
    story.effects.clear();
    sleeps(&mut story, 600);
    assert!(story.effects().contains(&Effect::Link(LinkWish::Retry)));
}

#[test]
fn the_system_set_to_do_not_disturb_is_heeded_unless_the_person_wants_otherwise() {
    for (heeds, heard) in [(true, 0), (false, 1)] {
        let mut story = story_with(|_, _, alerts| alerts.heed_system = heeds);
        story.input(Input::Desktop(DesktopNews::DoNotDisturb(true)));
        assert_eq!(story.see().alerts.system_quiet, heeds);
        story.effects.clear();
        calls_alice(&mut story, "c1", "dm-bob", "bob");
        let seen = noticed(&mut story);
        assert_eq!((seen.rings, seen.notes), (heard, heard));
        assert_eq!(cards(&story), ["c1"], "the card is there all the same");
    }
    // Set while it rings.
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    story.input(Input::Desktop(DesktopNews::DoNotDisturb(true)));
    assert!(!rings(&story));
}

#[test]
fn a_call_that_nobody_answered_is_listed_and_told_until_the_person_looks() {
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    story.effects.clear();
    story.hears(ServerEvent::CallEnded(id("dm-bob")));
    let missed = &story.see().incoming.missed;
    assert_eq!((missed.len(), missed[0].name.as_str()), (1, "Bob Stone"));
    let told = story.effects().into_iter().find_map(|effect| match effect {
        Effect::Alert(AlertWish::Show(note)) => Some(note),
        _ => None,
    });
    let told = told.unwrap();
    assert_eq!(told.key, NoteKey::Missed("c1".into()));
    assert_eq!(told.buttons, [NoteButton::CallBack]);
    story.does(Command::SetFocus { focused: true });
    assert!(
        story
            .effects()
            .contains(&Effect::Alert(AlertWish::Withdraw(NoteKey::Missed(
                "c1".into()
            ))))
    );
    assert_eq!(story.see().incoming.missed.len(), 1, "listed on");
    story.does(Command::OpenChannel {
        channel: id("dm-bob"),
    });
    assert!(story.see().incoming.missed.is_empty());

    // Whoever dismissed it, or answered, has missed nothing.
    for happens in [
        (|s: &mut Story| {
            s.does(Command::IgnoreCall {
                channel: id("dm-bob"),
            })
        }) as fn(&mut Story),
        |s| s.hears(joins("dm-bob", "alice")),
        |s| s.hears(ServerEvent::CallDismissed("c1".into())),
    ] {
        let mut story = self::story();
        calls_alice(&mut story, "c1", "dm-bob", "bob");
        happens(&mut story);
        story.seconds(5);
        story.hears(ServerEvent::CallEnded(id("dm-bob")));
        assert!(story.see().incoming.missed.is_empty());
    }
}

#[test]
fn missed_calls_are_bounded() {
    let mut story = story();
    for n in 0..200 {
        calls_alice(&mut story, &format!("c{n}"), "dm-bob", "bob");
        story.hears(ServerEvent::CallEnded(id("dm-bob")));
        story.seconds(10);
    }
    assert_eq!(story.see().incoming.missed.len(), 20);
    story.does(Command::ForgetMissed);
    assert!(story.see().incoming.missed.is_empty());
}

#[test]
fn our_own_call_and_calls_in_channels_do_not_come_in_unless_chosen() {
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "alice");
    calls_alice(&mut story, "c2", "design", "bob");
    assert_eq!(noticed(&mut story), Noticed::default());
    let mut settings = story.see().alerts.settings.clone();
    settings.channels.insert(id("design"));
    story.does(Command::SetAlerts {
        settings: Box::new(settings),
    });
    assert_eq!(noticed(&mut story).rings, 1);
    assert_eq!(cards(&story), ["c2"]);
}

#[test]
fn joining_tells_our_other_clients_to_be_quiet() {
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    story.does(join("dm-bob"));
    let dismissed = story.request(|request| *request == Request::DismissCall(id("dm-bob")));
    assert!(dismissed.is_some());
}

#[test]
fn declining_is_offered_where_the_server_has_it_and_falls_back_to_ignoring() {
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    assert!(!story.see().incoming.calls[0].declinable);
    let card = Post {
        kind: PostKind::Call(crate::model::CallPost {
            title: String::new(),
            start_at: DAY,
            end_at: 0,
            status: "calling".to_owned(),
            recordings: 0,
            transcripts: 0,
        }),
        channel: id("dm-bob"),
        ..post("card", "bob", 5)
    };
    story.hears(posted(card));
    assert!(story.see().incoming.calls[0].declinable);
    story.does(Command::DeclineCall {
        channel: id("dm-bob"),
    });
    assert!(cards(&story).is_empty());
    story.fail(
        |request| matches!(request, Request::DeclineCall(_)),
        refused(404, ""),
    );
    assert!(
        story
            .request(|request| matches!(request, Request::DismissCall(_)))
            .is_some()
    );
    calls_alice(&mut story, "c2", "dm-bob", "bob");
    assert!(!story.see().incoming.calls[0].declinable);
}

#[test]
fn a_notification_has_the_buttons_that_work() {
    let mut story = story();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    let note = story.effects().into_iter().find_map(|effect| match effect {
        Effect::Alert(AlertWish::Show(note)) => Some(note),
        _ => None,
    });
    let note = note.unwrap();
    assert_eq!(note.buttons, [NoteButton::Join, NoteButton::Ignore]);
    let name = "Bob Stone".to_owned();
    assert_eq!(note.title, Words::Plain(name.clone()));
    assert_eq!(note.body, Words::Invites { name });
    assert!(note.silent, "the ring is its sound");
}

#[test]
fn the_tone_is_the_one_chosen_and_ends_with_the_time_chosen() {
    for (change, tone, seconds) in [
        ((|_, _, _| {}) as Change, Tone::Calm, 30),
        (
            |load, _, _| prop(load, "calls_notification_sound", "Urgent"),
            Tone::Urgent,
            30,
        ),
        (
            |load, _, _| prop(load, "calls_notification_sound", "Trumpets"),
            Tone::Calm,
            30,
        ),
        (
            |_, _, alerts| alerts.tone = Some(Tone::Harbour),
            Tone::Harbour,
            30,
        ),
        (
            |_, _, alerts| alerts.ring_for = RingFor::Short,
            Tone::Calm,
            15,
        ),
        (
            |_, _, alerts| alerts.ring_for = RingFor::Once,
            Tone::Calm,
            6,
        ),
    ] {
        let mut story = story_with(change);
        story.effects.clear();
        calls_alice(&mut story, "c1", "dm-bob", "bob");
        let ring = story.effects().into_iter().find_map(|effect| match effect {
            Effect::Alert(AlertWish::Ring(ring)) => Some(ring),
            _ => None,
        });
        let ring = ring.unwrap();
        assert_eq!((ring.tone, ring.seconds), (tone, seconds));
        story.seconds(u64::from(seconds) - 1);
        assert!(rings(&story));
        story.seconds(1);
        assert!(!rings(&story));
    }
}

#[test]
fn a_thousand_calls_in_a_minute_ring_one_at_a_time_and_seldom_and_blocking_is_offered() {
    let mut story = story();
    let mut offered = false;
    let mut most_cards = 0;
    for n in 0..1000 {
        let call = format!("c{n}");
        calls_alice(&mut story, &call, "dm-bob", "bob");
        let ringing = story
            .see()
            .incoming
            .calls
            .iter()
            .filter(|call| call.ringing)
            .count();
        assert!(ringing <= 1);
        offered |= story
            .see()
            .incoming
            .calls
            .iter()
            .any(|call| call.offer_block);
        most_cards = most_cards.max(cards(&story).len());
        story.wait(Duration::from_millis(30));
        story.hears(ServerEvent::CallEnded(id("dm-bob")));
        story.wait(Duration::from_millis(30));
    }
    let seen = noticed(&mut story);
    assert_eq!(seen.rings, 3);
    assert_eq!(seen.notes, 3);
    assert_eq!(seen.withdrawn, 3);
    assert!(offered);
    assert!(most_cards <= 8);
    assert!(story.requests.len() < 20, "{}", story.requests.len());
    // Blocked: not even a card, and nothing of it is forgotten by a restart.
    story.does(Command::BlockCaller {
        user: "bob".into(),
        blocked: true,
    });
    assert!(story.effects().iter().any(|effect| matches!(
        effect,
        Effect::Remember(Remember::Alerts(settings)) if settings.blocked.contains_key(&"bob".into())
    )));
    story.seconds(120);
    calls_alice(&mut story, "later", "dm-bob", "bob");
    assert!(cards(&story).is_empty());
    story.does(Command::BlockCaller {
        user: "bob".into(),
        blocked: false,
    });
    assert_eq!(cards(&story), ["later"]);
}

#[test]
fn a_name_made_to_deceive_is_shown_as_one_plain_line() {
    let mut story = story_with(|load, _, _| {
        load.users[0].first_name = "Bob\u{202e}<b>\n\n".to_owned();
        load.users[0].last_name = "x".repeat(100_000);
    });
    story.effects.clear();
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    let name = story.see().incoming.calls[0].name.clone();
    assert!(name.starts_with("Bob<b> xxx"), "{name}");
    assert!(name.chars().count() <= 60);
}

#[test]
fn setting_a_tone_asks_the_server_for_official_ones_and_keeps_ours_here() {
    let mut story = story();
    story.does(Command::SetTone { tone: Tone::Urgent });
    assert_eq!(story.see().alerts.tone, Tone::Urgent);
    let (id, request) = story
        .request(|request| matches!(request, Request::SetNotify(_)))
        .unwrap();
    assert!(matches!(request, Request::SetNotify(props) if props.calls_tone() == "Urgent"));
    story.input(Input::Reply(id, Err(offline())));
    assert_eq!(
        story.see().alerts.tone,
        Tone::Calm,
        "not kept there, not shown here"
    );
    story.does(Command::SetTone {
        tone: Tone::Lantern,
    });
    assert_eq!(story.see().alerts.tone, Tone::Lantern);
    assert!(
        story
            .request(|request| matches!(request, Request::SetNotify(_)))
            .is_none()
    );
}

#[test]
fn a_preview_ends_after_five_seconds_and_never_disturbs_a_ring() {
    let mut story = story();
    story.does(Command::PreviewTone {
        tone: Some(Tone::Cheerful),
    });
    assert_eq!(story.see().alerts.preview, Some(Tone::Cheerful));
    story.seconds(5);
    assert_eq!(story.see().alerts.preview, None);
    calls_alice(&mut story, "c1", "dm-bob", "bob");
    story.effects.clear();
    story.does(Command::PreviewTone {
        tone: Some(Tone::Cheerful),
    });
    story.does(Command::PreviewTone { tone: None });
    assert_eq!(noticed(&mut story), Noticed::default());
    assert!(rings(&story));
}

#[test]
fn a_server_that_may_not_ring_or_notify_still_shows_its_calls() {
    for (ring, notify) in [(true, true), (false, true), (true, false), (false, false)] {
        let mut story = story_with(|_, _, alerts| {
            alerts.trust.ring = ring;
            alerts.trust.notify = notify;
        });
        story.effects.clear();
        calls_alice(&mut story, "c1", "dm-bob", "bob");
        let heard = noticed(&mut story);
        assert_eq!(heard.rings, usize::from(ring));
        assert_eq!(heard.notes, usize::from(notify));
        assert_eq!(story.see().incoming.calls.len(), 1);
    }
}
