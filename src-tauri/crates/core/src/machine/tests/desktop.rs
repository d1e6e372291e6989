//! The desktop around the windows: idleness, keys, quitting; calling somebody; signing in with the browser; and the
//! sounds of a call at their moments.

use super::*;
use crate::alert::{AlertSettings, AlertWish, Cue, DesktopNews, KeysReach};
use crate::model::{Job, JobKind};

const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn told(story: &mut Story, news: DesktopNews) {
    story.input(Input::Desktop(news));
}

/// What the server was told of our being here since the last time.
fn active(story: &mut Story) -> Vec<bool> {
    story
        .effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Link(LinkWish::Active(active)) => Some(active),
            _ => None,
        })
        .collect()
}

#[test]
fn whoever_is_idle_is_away_and_back_when_active_and_a_call_counts_as_being_here() {
    let mut story = Story::signed_in();
    assert!(active(&mut story).is_empty(), "nobody knows yet");
    told(&mut story, DesktopNews::Idle(false));
    assert_eq!(active(&mut story), [true]);
    told(&mut story, DesktopNews::Idle(false));
    assert!(active(&mut story).is_empty());
    // The server forgets after five minutes.
    story.seconds(250);
    told(&mut story, DesktopNews::Idle(false));
    assert_eq!(active(&mut story), [true]);
    told(&mut story, DesktopNews::Idle(true));
    assert_eq!(active(&mut story), [false]);
    // A connection that is made anew makes us online: told again.
    story.down(1);
    story.up();
    assert_eq!(active(&mut story), [false]);
    story.does(join("town-square"));
    assert_eq!(active(&mut story), [true]);
    story.does(Command::LeaveCall);
    assert_eq!(active(&mut story), [false]);
    told(&mut story, DesktopNews::Idle(false));
    assert_eq!(active(&mut story), [true]);
}

#[test]
fn keys_that_are_taken_or_not_allowed_are_said_and_asked_for_again() {
    let mut story = Story::signed_in();
    told(&mut story, DesktopNews::KeyTaken("Control+F9".to_owned()));
    assert_eq!(story.notice("keys.taken").values["key"], "Control+F9");
    told(&mut story, DesktopNews::Keys(KeysReach::Window));
    assert_eq!(story.see().alerts.keys, KeysReach::Window);
    let wish = story.notice("keys.local").retry.clone().unwrap();
    story.effects.clear();
    story.does(wish);
    assert!(
        story
            .effects()
            .contains(&Effect::Alert(AlertWish::AskForKeys))
    );
    told(&mut story, DesktopNews::Keys(KeysReach::Everywhere));
    assert!(story.codes().is_empty());
}

#[test]
fn quitting_asks_first_only_while_in_a_call() {
    let quits = |story: &mut Story| story.effects().contains(&Effect::Alert(AlertWish::Quit));
    let mut story = Story::signed_in();
    story.does(Command::Quit { sure: false });
    assert!(quits(&mut story));

    let mut story = Story::in_call("town-square");
    story.does(Command::Quit { sure: false });
    assert!(story.see().alerts.quitting);
    let effects = story.effects();
    assert!(effects.contains(&Effect::Alert(AlertWish::Front)));
    assert!(!effects.contains(&Effect::Alert(AlertWish::Quit)));
    story.does(Command::Stay);
    assert!(!story.see().alerts.quitting && story.see_call().phase == CallPhase::Live);
    story.does(Command::Quit { sure: false });
    story.does(Command::Quit { sure: true });
    assert!(quits(&mut story));

    // The call ends while the question stands: there is nothing to ask any more.
    let mut story = Story::in_call("town-square");
    story.does(Command::Quit { sure: false });
    story.call(CallEvent::Ended(EndReason::EndedForAll));
    assert!(!story.see().alerts.quitting);
    assert!(!quits(&mut story));
}

/// Calls Bob on a server that rings, or does not.
fn calling(ringing: bool) -> Story {
    let mut with = calls();
    with.config.ringing = ringing;
    let mut story = Story::signed_in_with(directory(), Some(with), Memory::default());
    story.does(join("dm-bob"));
    story.media(MediaEvent::Ready(DeviceRole::Input));
    story.call(CallEvent::Accepted("sa".into()));
    let state = CallState {
        owner: "alice".into(),
        ..call_state("dm-bob", &[("sa", "alice")])
    };
    story.call(CallEvent::State(Box::new(state)));
    story
}

fn ringbacks(story: &mut Story) -> Vec<bool> {
    story
        .effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Alert(AlertWish::Ringback(device)) => Some(device.is_some()),
            _ => None,
        })
        .collect()
}

fn bob_comes(story: &mut Story) {
    story.call(CallEvent::Joined(Participant {
        session: "sb".into(),
        user: "bob".into(),
        muted: true,
        hand_raised_at: None,
    }));
}

#[test]
fn whoever_calls_sees_and_hears_that_it_rings_until_somebody_answers() {
    let mut story = calling(true);
    assert!(story.see_call().calling.is_some());
    assert_eq!(ringbacks(&mut story), [true]);
    story.call(CallEvent::Connected);
    assert!(
        !cues(&mut story).contains(&Cue::JoinSelf),
        "the tone stands for it"
    );
    bob_comes(&mut story);
    assert_eq!(story.see_call().calling, None);
    assert_eq!(ringbacks(&mut story), [false]);
    // Alone again, nobody is called any more.
    story.call(CallEvent::Left("sb".into()));
    assert_eq!(story.see_call().calling, None);
    assert!(ringbacks(&mut story).is_empty());
}

#[test]
fn after_half_a_minute_hanging_up_is_offered_and_waiting_on_is_heeded() {
    let mut story = calling(true);
    story.call(CallEvent::Connected);
    story.effects.clear();
    story.seconds(30);
    assert!(story.see_call().calling.unwrap().unanswered);
    assert_eq!(ringbacks(&mut story), [false]);
    story.does(Command::KeepCalling);
    assert!(!story.see_call().calling.unwrap().unanswered);
    story.seconds(60);
    assert!(!story.see_call().calling.unwrap().unanswered, "asked once");
    assert!(ringbacks(&mut story).is_empty());
    assert_eq!(story.see_call().phase, CallPhase::Live);
}

#[test]
fn hanging_up_ends_the_tone_and_a_server_that_does_not_ring_has_none() {
    let mut story = calling(true);
    story.effects.clear();
    story.does(Command::LeaveCall);
    assert_eq!(ringbacks(&mut story), [false]);
    let mut story = calling(false);
    assert!(story.see_call().calling.is_some());
    assert!(ringbacks(&mut story).is_empty());
}

#[test]
fn what_became_of_our_call_is_said_once_and_only_to_whoever_called() {
    for (status, author, code) in [
        ("declined", "alice", Some("call.declined")),
        ("no_answer", "alice", Some("call.no_answer")),
        ("ended", "alice", None),
        ("declined", "bob", None),
    ] {
        let mut story = Story::signed_in();
        let card = Post {
            kind: PostKind::Call(crate::model::CallPost {
                title: String::new(),
                start_at: story.unix - 10_000,
                end_at: story.unix,
                status: status.to_owned(),
                recordings: 0,
                transcripts: 0,
            }),
            channel: id("dm-bob"),
            ..post("card", author, 5)
        };
        story.hears(ServerEvent::Edited(Box::new(card)));
        assert_eq!(
            story.codes(),
            code.into_iter().collect::<Vec<_>>(),
            "{status}"
        );
    }
}

// ---- Signing in with the browser.

fn outside() -> Command {
    Command::SignInOutside {
        service: OutsideService::Gitlab,
        token: TOKEN.to_owned(),
    }
}

fn at_the_door() -> Story {
    let mut story = Story::new();
    story.does(Command::FindServer {
        address: "chat.example.org".to_owned(),
    });
    story.answer(is_find, Reply::Found(server()));
    story.effects.clear();
    story
}

fn comes_back(story: &mut Story, client: &str) {
    story.does(Command::OpenAddress {
        address: format!(
            "mattermost://chat.example.org/login/desktop?client_token={client}&server_token=5erver"
        ),
    });
}

fn is_outside(request: &Request) -> bool {
    matches!(request, Request::SignInOutside { .. })
}

#[test]
fn the_browser_is_sent_out_with_a_token_and_believed_only_with_it() {
    let mut story = at_the_door();
    story.does(outside());
    let address = format!("{SERVER}/oauth/gitlab/login?desktop_token={TOKEN}");
    assert!(
        story
            .effects()
            .contains(&Effect::Alert(AlertWish::Browse(address)))
    );
    assert!(matches!(
        story.see().account,
        Account::SignedOut { outside: true, .. }
    ));
    // Somebody else's link, made to sign us in to their account.
    comes_back(&mut story, "e111");
    assert!(story.requests.is_empty());
    story.notice("sso.stale");
    comes_back(&mut story, TOKEN);
    assert!(story.effects().contains(&Effect::Alert(AlertWish::Front)));
    let (at, request) = story.request(is_outside).unwrap();
    assert!(
        matches!(request, Request::SignInOutside { server, token } if server == SERVER && token.reveal() == "5erver")
    );
    story.reply(at, accepted());
    story.up();
    story.answer(is_directory, Reply::Directory(Box::new(directory())));
    assert!(matches!(story.see().account, Account::SignedIn { .. }));
    // The same link again is of no use.
    story.requests.clear();
    comes_back(&mut story, TOKEN);
    assert!(story.requests.is_empty());
}

#[test]
fn a_sign_in_outside_that_nobody_began_or_that_was_given_up_sends_nothing() {
    let mut story = at_the_door();
    comes_back(&mut story, TOKEN);
    assert!(story.requests.is_empty());
    story.does(outside());
    story.does(Command::CancelOutside);
    comes_back(&mut story, TOKEN);
    assert!(story.requests.is_empty());
    assert!(matches!(
        story.see().account,
        Account::SignedOut { outside: false, .. }
    ));
    // Another server's page is no way back either, and a token of another make is none.
    story.does(outside());
    story.does(Command::OpenAddress {
        address: format!(
            "mattermost://evil.example/login/desktop?client_token={TOKEN}&server_token=x"
        ),
    });
    assert!(story.requests.is_empty());
    let mut story = at_the_door();
    for (service, token) in [
        (OutsideService::Gitlab, "short"),
        (OutsideService::Saml, TOKEN),
    ] {
        story.does(Command::SignInOutside {
            service,
            token: token.to_owned(),
        });
        assert!(matches!(
            story.see().account,
            Account::SignedOut { outside: false, .. }
        ));
    }
}

#[test]
fn a_sign_in_outside_that_took_too_long_says_so() {
    let mut story = at_the_door();
    story.does(outside());
    comes_back(&mut story, TOKEN);
    story.fail(
        is_outside,
        refused(401, "app.desktop_token.validate.invalid"),
    );
    story.notice("sso.stale");
    assert!(matches!(story.see().account, Account::SignedOut { .. }));
}

// ---- The sounds of a call.

fn cues(story: &mut Story) -> Vec<Cue> {
    story
        .effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Alert(AlertWish::Cue { cue, .. }) => Some(cue),
            _ => None,
        })
        .collect()
}

pub(super) fn in_call_with(alerts: AlertSettings) -> Story {
    let memory = Memory {
        alerts,
        ..Memory::default()
    };
    let mut story = Story::signed_in_with(directory(), Some(calls()), memory);
    story.does(join("town-square"));
    story.media(MediaEvent::Ready(DeviceRole::Input));
    story.call(CallEvent::Accepted("sa".into()));
    let state = call_state("town-square", &[("sa", "alice"), ("sc", "carol")]);
    story.call(CallEvent::State(Box::new(state)));
    assert!(cues(&mut story).is_empty(), "not in yet");
    story.call(CallEvent::Connected);
    story.call(CallEvent::VoiceReady);
    story
}

fn records() -> CallEvent {
    let job = Job {
        init_at: DAY + 1,
        start_at: DAY + 2,
        end_at: 0,
        error: String::new(),
    };
    CallEvent::Job(JobKind::Recording, job)
}

#[test]
fn the_sounds_of_a_call_come_at_their_moments() {
    let mut story = in_call_with(AlertSettings {
        mute_cue: true,
        ..AlertSettings::default()
    });
    assert_eq!(cues(&mut story), [Cue::JoinSelf]);
    bob_comes(&mut story);
    assert_eq!(cues(&mut story), [Cue::JoinOther]);
    story.does(Command::SetMuted { muted: false });
    assert_eq!(cues(&mut story), [Cue::Unmute]);
    story.does(Command::SetMuted { muted: true });
    assert_eq!(cues(&mut story), [Cue::Mute]);
    story.call(CallEvent::Hand("sb".into(), Some(DAY)));
    assert_eq!(cues(&mut story), [Cue::Hand]);
    story.call(CallEvent::Hand("sb".into(), None));
    assert!(cues(&mut story).is_empty());
    story.call(CallEvent::Sharing(Some("sb".into())));
    assert_eq!(cues(&mut story), [Cue::Share]);
    story.call(records());
    assert_eq!(cues(&mut story), [Cue::Record]);
    story.call(records());
    assert!(cues(&mut story).is_empty(), "said once");
    story.call(CallEvent::Left("sb".into()));
    assert!(cues(&mut story).is_empty(), "others leave silently");
    story.does(Command::LeaveCall);
    assert_eq!(cues(&mut story), [Cue::Leave]);
}

#[test]
fn the_sounds_of_a_call_can_be_switched_off_and_have_a_volume() {
    let mut story = in_call_with(AlertSettings {
        join_cue: false,
        hand_cue: false,
        record_cue: false,
        cue_volume: 40,
        ..AlertSettings::default()
    });
    assert!(story.effects().iter().any(|effect| matches!(
        effect,
        Effect::Alert(AlertWish::Cue {
            cue: Cue::JoinSelf,
            volume: 40,
            ..
        })
    )));
    bob_comes(&mut story);
    story.call(CallEvent::Hand("sb".into(), Some(DAY)));
    story.call(records());
    story.does(Command::SetMuted { muted: false });
    assert!(cues(&mut story).is_empty());
}

#[test]
fn from_eight_people_on_one_more_is_not_worth_a_sound() {
    let mut story = in_call_with(AlertSettings::default());
    story.effects.clear();
    let mut heard = 0;
    for n in 0..10 {
        story.call(CallEvent::Joined(Participant {
            session: format!("s{n}").as_str().into(),
            user: format!("user{n}").as_str().into(),
            muted: true,
            hand_raised_at: None,
        }));
        heard += cues(&mut story).len();
    }
    // Alice and Carol were there: up to the seventh person.
    assert_eq!(heard, 5);
    let settings = |join_crowd| AlertSettings {
        join_crowd,
        ..AlertSettings::default()
    };
    assert_eq!(settings(0).in_range().join_crowd, 2);
    let mut story = in_call_with(settings(4));
    story.effects.clear();
    bob_comes(&mut story);
    assert!(cues(&mut story).len() <= 1);
    for n in 0..4 {
        story.call(CallEvent::Joined(Participant {
            session: format!("s{n}").as_str().into(),
            user: format!("user{n}").as_str().into(),
            muted: true,
            hand_raised_at: None,
        }));
        assert!(cues(&mut story).is_empty(), "a crowd begins where one says");
    }
}
