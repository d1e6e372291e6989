//! How a person wants their calls, and what the account wants of every client.

use super::*;
use crate::alert::{AlertWish, DesktopNews, NoteKey, Words};
use crate::model::{Job, JobKind};
use crate::preferences::{AccountLook, AtJoin, CallPreferences};

fn prefer(change: impl FnOnce(&mut CallPreferences)) -> Command {
    let mut calls = CallPreferences::default();
    change(&mut calls);
    Command::SetCalls {
        calls: Box::new(calls),
    }
}

fn live(story: &mut Story, channel: &str) {
    story.does(join(channel));
    story.media(MediaEvent::Ready(DeviceRole::Input));
    story.call(CallEvent::Accepted("sa".into()));
    let state = call_state(channel, &[("sa", "alice"), ("sb", "bob")]);
    story.call(CallEvent::State(Box::new(state)));
    story.call(CallEvent::Connected);
    story.call(CallEvent::VoiceReady);
}

fn notes(story: &mut Story) -> Vec<String> {
    let shown = story
        .effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Alert(AlertWish::Show(note)) if note.key == NoteKey::InCall => {
                match note.body {
                    Words::InCall { what, name } => {
                        Some(format!("{what:?} {}", name.unwrap_or_default()))
                    }
                    other => panic!("{other:?}"),
                }
            }
            _ => None,
        });
    shown.collect()
}

#[test]
fn a_change_holds_is_drawn_and_is_remembered_once() {
    let mut story = Story::signed_in();
    story.does(prefer(|calls| calls.narrow = true));
    assert!(story.see().calls.narrow);
    let kept = |effects: Vec<Effect>| {
        let is_kept = |effect: &Effect| matches!(effect, Effect::Remember(Remember::Calls(_)));
        effects.iter().filter(|effect| is_kept(effect)).count()
    };
    assert_eq!(kept(story.effects()), 1);
    story.does(prefer(|calls| calls.narrow = true));
    assert_eq!(kept(story.effects()), 0);
    // The next run begins with it.
    let memory = Memory {
        calls: story.see().calls.clone(),
        ..Memory::default()
    };
    let next = Story::signed_in_with(directory(), Some(calls()), memory);
    assert!(next.see().calls.narrow);
}

#[test]
fn the_microphone_at_the_beginning_is_as_chosen_for_the_kind_of_channel() {
    for (channel, channels, direct, open) in [
        ("town-square", AtJoin::Open, AtJoin::Open, true),
        ("town-square", AtJoin::Muted, AtJoin::Open, false),
        ("dm-bob", AtJoin::Open, AtJoin::Muted, false),
        ("group", AtJoin::Muted, AtJoin::Open, true),
    ] {
        let mut story = Story::signed_in();
        story.does(prefer(|calls| {
            calls.channels = channels;
            calls.direct = direct;
        }));
        live(&mut story, channel);
        assert_eq!(story.gate, open, "{channel} {channels:?} {direct:?}");
        let said = if open { "call.unmuted" } else { "call.muted" };
        story.notice(said);
    }
}

#[test]
fn whoever_looked_first_comes_in_as_they_decided() {
    for muted in [true, false] {
        let mut story = Story::signed_in();
        story.does(prefer(|calls| {
            calls.channels = if muted { AtJoin::Open } else { AtJoin::Muted };
        }));
        story.does(Command::JoinCallAs {
            channel: "town-square".into(),
            title: None,
            muted,
        });
        story.media(MediaEvent::Ready(DeviceRole::Input));
        story.call(CallEvent::Accepted("sa".into()));
        let state = call_state("town-square", &[("sa", "alice"), ("sb", "bob")]);
        story.call(CallEvent::State(Box::new(state)));
        assert!(!story.gate, "nothing is heard before the call stands");
        story.call(CallEvent::Connected);
        story.call(CallEvent::VoiceReady);
        assert_eq!(story.gate, !muted);
        // Looking at another call changes nothing in this one: it is asked about first.
        story.does(Command::JoinCallAs {
            channel: "dm-bob".into(),
            title: None,
            muted: !muted,
        });
        assert_eq!(story.gate, !muted);
        assert_eq!(story.see_call().switch_to, Some("dm-bob".into()));
        // Nor does joining the one that we are in.
        story.does(Command::JoinCallAs {
            channel: "town-square".into(),
            title: None,
            muted: !muted,
        });
        assert_eq!(story.gate, !muted);
    }
}

#[test]
fn no_microphone_is_said_once_and_never_again_where_that_is_wanted() {
    let mut story = Story::joining("dm-bob");
    let missing = || MediaEvent::Unavailable(DeviceRole::Input, DeviceProblem::Missing);
    story.media(missing());
    let wish = story.notice("mic.none").retry.clone();
    assert_eq!(wish, Some(Command::ForgoMicrophone));
    story.does(Command::ForgoMicrophone);
    assert_eq!(story.codes(), Vec::<&str>::new(), "gone at once");
    assert_eq!(story.see_call().microphone, Microphone::Unavailable);
    story.does(Command::LeaveCall);
    story.does(join("town-square"));
    story.media(missing());
    assert!(story.codes().is_empty(), "and not said in the next call");
    // What is wrong with a microphone that is there is still said.
    story.media(MediaEvent::Unavailable(
        DeviceRole::Input,
        DeviceProblem::Denied,
    ));
    story.notice("mic.denied");
}

#[test]
fn who_talks_while_muted_is_told_but_not_nagged() {
    let mut story = Story::in_call("town-square");
    story.media(MediaEvent::Talking(true));
    story.wait(Duration::from_millis(1400));
    story.media(MediaEvent::Talking(false));
    story.seconds(3);
    assert!(story.codes().is_empty(), "a word to the neighbour");
    story.media(MediaEvent::Talking(true));
    story.wait(Duration::from_millis(1600));
    let unmute = story.notice("call.talking_muted").retry.clone().unwrap();
    assert!(!story.gate, "it is only measured");
    story.seconds(6);
    story.media(MediaEvent::Talking(false));
    story.media(MediaEvent::Talking(true));
    story.seconds(5);
    assert!(story.codes().is_empty(), "half a minute of peace");
    story.media(MediaEvent::Talking(false));
    story.seconds(30);
    story.media(MediaEvent::Talking(true));
    story.seconds(2);
    story.notice("call.talking_muted");
    story.does(unmute);
    assert!(story.gate);
    assert!(!story.codes().contains(&"call.talking_muted"));
    story.seconds(60);
    assert!(
        !story.codes().contains(&"call.talking_muted"),
        "who is heard needs no hint"
    );
}

#[test]
fn the_hint_can_be_switched_off() {
    let mut story = Story::in_call("town-square");
    story.does(prefer(|calls| calls.talking_hint = false));
    story.media(MediaEvent::Talking(true));
    story.seconds(5);
    assert!(story.codes().is_empty());
    // Outside a call nobody is muted.
    let mut story = Story::signed_in();
    story.media(MediaEvent::Talking(true));
    story.seconds(5);
    assert!(story.codes().is_empty());
}

#[test]
fn who_leaves_is_only_named_where_that_is_wanted() {
    for wanted in [false, true] {
        let mut story = Story::in_call("town-square");
        story.does(prefer(|calls| calls.left_notes = wanted));
        story.call(CallEvent::Left("sb".into()));
        assert_eq!(story.codes().contains(&"call.left"), wanted);
    }
}

#[test]
fn hidden_reactions_are_neither_drawn_nor_put_on_rows() {
    let mut story = Story::in_call("town-square");
    story.does(prefer(|calls| calls.reactions = false));
    let thumb = crate::model::Emoji {
        name: "+1".to_owned(),
        unified: "1f44d".to_owned(),
        ..Default::default()
    };
    story.call(CallEvent::Reacted("sb".into(), thumb, DAY));
    assert!(story.see_call().reactions.is_empty());
    let marked = |story: &Story| {
        let rows = story.see_call().participants.iter();
        rows.filter(|row| row.reaction.is_some()).count()
    };
    assert_eq!(marked(&story), 0);
    story.does(prefer(|_| {}));
    assert_eq!(story.see_call().reactions.len(), 1, "they were only hidden");
    assert_eq!(marked(&story), 1);
}

#[test]
fn captions_are_shown_again_in_the_next_call_and_the_next_run() {
    let mut story = Story::in_call("town-square");
    story.does(Command::ShowCaptions { on: true });
    let is_kept = |effect: &Effect| matches!(effect, Effect::Remember(Remember::Calls(calls)) if calls.captions);
    assert!(story.effects().iter().any(is_kept));
    story.does(Command::LeaveCall);
    live(&mut story, "design");
    let running = Job {
        init_at: 1,
        start_at: 2,
        ..Job::default()
    };
    story.call(CallEvent::Job(JobKind::Captions, running));
    story.call(CallEvent::Caption("sb".into(), "again".to_owned()));
    assert_eq!(story.see_call().captions[0].text, "again");
    let memory = Memory {
        calls: story.see().calls.clone(),
        ..Memory::default()
    };
    let mut next = Story::signed_in_with(directory(), Some(calls()), memory);
    live(&mut next, "design");
    assert!(next.see_call().captions_shown);
}

#[test]
fn what_concerns_us_in_the_call_is_a_notification_while_the_window_is_behind() {
    for focused in [true, false] {
        let mut story = Story::in_call("town-square");
        story.call(CallEvent::Host(Some("alice".into())));
        story.does(Command::SetFocus { focused });
        story.effects();
        story.call(CallEvent::Hand("sb".into(), Some(DAY)));
        story.call(CallEvent::Host(Some("bob".into())));
        story.call(CallEvent::MuteRequested);
        let expected: &[&str] = if focused {
            &[]
        } else {
            &["Hand Bob Stone", "Muted Bob Stone"]
        };
        assert_eq!(notes(&mut story), expected);
        // A hand is the host's affair.
        story.call(CallEvent::Joined(participant("sd", "dave")));
        story.call(CallEvent::Hand("sd".into(), Some(DAY)));
        assert_eq!(notes(&mut story), Vec::<String>::new());
    }
    // The large window of the call shows it, too.
    let mut story = Story::in_call("town-square");
    story.does(Command::SetFocus { focused: false });
    for (front, expected) in [(true, 0), (false, 1)] {
        story.input(Input::Desktop(DesktopNews::CallInFront(front)));
        story.effects();
        story.call(CallEvent::MuteRequested);
        assert_eq!(notes(&mut story).len(), expected);
    }
    // It goes with the call.
    story.does(Command::LeaveCall);
    let gone = Effect::Alert(AlertWish::Withdraw(NoteKey::InCall));
    let withdrawn = |story: &mut Story| story.effects().iter().filter(|one| **one == gone).count();
    assert_eq!(withdrawn(&mut story), 1);
    story.does(Command::SetFocus { focused: true });
    assert_eq!(withdrawn(&mut story), 0);
    let mut story = Story::in_call("town-square");
    story.does(Command::SetFocus { focused: false });
    story.does(prefer(|calls| calls.call_notes = false));
    story.effects();
    story.call(CallEvent::MuteRequested);
    assert_eq!(notes(&mut story), Vec::<String>::new());
}

#[test]
fn the_accounts_clock_and_theme_are_told_to_the_page() {
    let mut load = directory();
    load.look = AccountLook {
        hours24: Some(true),
        dark: Some(true),
    };
    let mut story = Story::signed_in_with(load, Some(calls()), Memory::default());
    assert_eq!(story.see().directory.look.hours24, Some(true));
    story.hears(ServerEvent::DirectoryStale);
    story.answer(is_directory, Reply::Directory(Box::new(directory())));
    assert_eq!(story.see().directory.look, AccountLook::default());
}

#[test]
fn who_hears_nothing_is_muted_and_is_as_before_when_they_hear_again() {
    let mut story = Story::in_call("dm-bob");
    assert!(story.gate, "a direct call opens by itself");
    story.does(Command::SetDeafened { deafened: true });
    assert!(!story.gate);
    assert_eq!(story.see_call().microphone, Microphone::Muted);
    story.does(Command::SetDeafened { deafened: false });
    assert!(story.gate);
    // Who was muted stays muted.
    story.does(Command::SetMuted { muted: true });
    story.does(Command::SetDeafened { deafened: true });
    story.does(Command::SetDeafened { deafened: false });
    assert!(!story.gate);
    // And nothing opens in another call.
    story.does(Command::SetMuted { muted: false });
    story.does(Command::SetDeafened { deafened: true });
    story.does(Command::LeaveCall);
    live(&mut story, "town-square");
    story.does(Command::SetDeafened { deafened: false });
    assert!(!story.gate);
}

#[test]
fn a_person_is_called_from_their_card_in_a_channel_that_is_made_if_need_be() {
    let mut story = Story::signed_in();
    story.does(Command::CallPerson { user: "bob".into() });
    assert_eq!(story.see_call().channel, Some(id("dm-bob")));
    story.does(Command::LeaveCall);
    story.does(Command::CallPerson {
        user: "dave".into(),
    });
    assert_eq!(story.see_call().phase, CallPhase::Idle, "no channel yet");
    story.answer(
        |request| matches!(request, Request::OpenDirect { user, .. } if *user == "dave".into()),
        Reply::Channel(
            Box::new(direct("dave")),
            Box::new(member("dm-dave")),
            vec![user("dave")],
        ),
    );
    assert_eq!(story.see_call().channel, Some(id("dm-dave")));
    assert_eq!(story.see().directory.channel, Some(id("town-square")));
}

#[test]
fn keys_that_nobody_has_are_not_kept() {
    let mut story = Story::signed_in();
    story.does(prefer(|calls| {
        calls
            .keys
            .insert("Control+K".to_owned(), "Control+J".to_owned());
        calls.keys.insert("x".repeat(1000), "Control+J".to_owned());
    }));
    assert_eq!(story.see().calls.keys.len(), 1);
    story.does(prefer(|calls| {
        for n in 0..1000 {
            calls.keys.insert(format!("Control+{n}"), String::new());
        }
    }));
    assert_eq!(story.see().calls.keys.len(), 64);
}
