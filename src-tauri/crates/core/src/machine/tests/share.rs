use super::*;
use crate::port::ShareTicket;
use crate::port::media::{ShareProblem, ShareRequest, ShareSource, SourceKind};
use crate::snapshot::OurShare;

fn start(source: &str) -> Command {
    Command::StartShare {
        source: source.into(),
        motion: false,
        sound: false,
    }
}

/// What left the machine about screens, in order.
fn steps(effects: Vec<Effect>) -> Vec<String> {
    effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Media(MediaWish::ListScreens) => Some("list".into()),
            Effect::Media(MediaWish::Share(Some(ShareRequest { source, .. }))) => {
                Some(format!("open {source}"))
            }
            Effect::Media(MediaWish::Share(None)) => Some("close".into()),
            Effect::Call(
                _,
                CallWish::Apply(CallIntent::Share(Some(ShareTicket { number, .. }))),
            ) => Some(format!("ask {number}")),
            Effect::Call(_, CallWish::Apply(CallIntent::Share(None))) => Some("unask".into()),
            _ => None,
        })
        .collect()
}

fn opened() -> MediaEvent {
    MediaEvent::ShareOpened {
        width: 800,
        height: 600,
    }
}

/// In a call, and our share goes on.
fn sharing() -> Story {
    let mut story = Story::in_call("town-square");
    story.does(start("screen:0"));
    story.media(opened());
    story.call(CallEvent::Sharing(Some("sa".into())));
    story.call(CallEvent::ShareReady);
    story.effects();
    story
}

#[test]
fn the_screen_opens_before_the_server_is_asked_and_closes_before_it_is_told() {
    let mut story = Story::in_call("town-square");
    story.effects();
    story.does(start("screen:0"));
    assert_eq!(steps(story.effects()), ["open screen:0"]);
    assert!(matches!(story.see().share.ours, OurShare::Starting { .. }));
    story.media(opened());
    assert_eq!(steps(story.effects()), ["ask 1"]);
    story.call(CallEvent::Sharing(Some("sa".into())));
    assert!(matches!(story.see().share.ours, OurShare::Starting { .. }));
    story.call(CallEvent::ShareReady);
    assert!(matches!(
        story.see().share.ours,
        OurShare::On { width: 800, .. }
    ));
    story.does(Command::StopShare);
    assert_eq!(steps(story.effects()), ["close", "unask"]);
    assert_eq!(story.see().share.ours, OurShare::Off);
    // The next one is another one.
    story.call(CallEvent::Sharing(None));
    story.does(start("screen:1"));
    story.media(opened());
    assert_eq!(steps(story.effects()), ["open screen:1", "ask 2"]);
}

#[test]
fn whatever_ends_a_share_closes_the_screen_and_says_why() {
    for (event, code) in [
        (CallEvent::ShareRefused, "share.refused"),
        (CallEvent::ShareEnded, "share.ended"),
        (CallEvent::StopShareRequested, "share.stopped_by"),
        (CallEvent::Accepted("another".into()), "share.lost"),
    ] {
        let mut story = sharing();
        story.call(event);
        assert_eq!(steps(story.effects()), ["close", "unask"], "{code}");
        assert!(story.codes().contains(&code), "{code}");
        assert_eq!(story.see().share.ours, OurShare::Off);
    }
    for (problem, code) in [
        (ShareProblem::Gone, "share.gone"),
        (ShareProblem::Denied, "share.denied"),
        (ShareProblem::Cancelled, "share.cancelled"),
        (ShareProblem::NoPortal, "share.no_portal"),
        (ShareProblem::NoPipeWire, "share.no_pipewire"),
        (ShareProblem::Unsupported, "share.unsupported"),
        (ShareProblem::Failed, "share.failed"),
    ] {
        let mut story = sharing();
        story.media(MediaEvent::ShareClosed(problem));
        assert_eq!(steps(story.effects()), ["close", "unask"], "{code}");
        assert!(story.codes().contains(&code), "{code}");
        // Its button, where the sentence has one, tries the same again.
        let notices = &story.see().notices;
        let notice = notices.iter().find(|notice| notice.code == code).unwrap();
        assert!(
            matches!(&notice.retry, Some(Command::StartShare { source, .. }) if source.as_str() == "screen:0"),
            "{:?}",
            notice.retry
        );
    }
}

#[test]
fn after_a_rejoin_the_same_is_shared_again_only_when_wanted() {
    let mut story = sharing();
    story.effects();
    story.call(CallEvent::Accepted("another".into()));
    assert_eq!(steps(story.effects()), ["close", "unask"]);
    // Nobody shares where we have come back to, and that stays so until the person says otherwise.
    story.call(CallEvent::Sharing(None));
    story.seconds(2);
    assert_eq!(steps(story.effects()), Vec::<String>::new());
    let again = story.notice("share.lost").retry.clone().unwrap();
    story.does(again);
    assert_eq!(steps(story.effects()), ["open screen:0"]);
}

#[test]
fn what_cannot_be_opened_is_never_announced() {
    let mut story = Story::in_call("town-square");
    story.does(start("window:0x1"));
    story.effects();
    story.media(MediaEvent::ShareClosed(ShareProblem::Gone));
    assert_eq!(steps(story.effects()), ["close"]);
}

#[test]
fn leaving_the_call_ends_the_share() {
    let mut story = sharing();
    story.does(Command::LeaveCall);
    assert!(steps(story.effects()).contains(&"close".to_owned()));
    assert_eq!(story.see().share.ours, OurShare::Off);
    assert_eq!(story.see().share.presenter, None);
}

#[test]
fn while_somebody_else_shares_we_cannot_and_are_told() {
    let mut story = Story::in_call("town-square");
    story.call(CallEvent::Sharing(Some("sb".into())));
    assert_eq!(story.see().share.presenter, Some("sb".into()));
    story.effects();
    story.does(start("screen:0"));
    story.does(Command::OpenSharePicker);
    assert_eq!(steps(story.effects()), Vec::<String>::new());
    assert!(story.codes().contains(&"share.taken"));
    story.call(CallEvent::Left("sb".into()));
    assert_eq!(story.see().share.presenter, None);
    story.does(start("screen:0"));
    assert_eq!(steps(story.effects()), ["open screen:0"]);
}

#[test]
fn the_picker_shows_what_there_is_and_names_what_is_chosen() {
    let mut story = Story::in_call("town-square");
    story.effects();
    story.does(Command::OpenSharePicker);
    assert_eq!(steps(story.effects()), ["list"]);
    assert!(story.see().share.picker.as_ref().unwrap().loading);
    let source = ShareSource {
        id: "window:0x7".into(),
        name: "Editor".into(),
        kind: SourceKind::Window,
        width: 10,
        height: 10,
    };
    story.media(MediaEvent::ShareSources(Ok(vec![source])));
    let picker = story.see().share.picker.clone().unwrap();
    assert!(!picker.loading && picker.problem.is_none());
    story.does(start("window:0x7"));
    assert_eq!(story.see().share.picker, None);
    let OurShare::Starting { name, .. } = &story.see().share.ours else {
        panic!("{:?}", story.see().share);
    };
    assert_eq!(name, "Editor");
    story.does(Command::OpenSharePicker);
    story.media(MediaEvent::ShareSources(Err(ShareProblem::Denied)));
    let picker = story.see().share.picker.clone().unwrap();
    assert_eq!(picker.problem.as_deref(), Some("share.denied"));
    story.does(Command::CloseSharePicker);
    assert_eq!(story.see().share.picker, None);
}

/// What was asked of the running share, in order.
fn holds(story: &mut Story) -> Vec<bool> {
    let effects = story.effects().into_iter();
    effects
        .filter_map(|effect| match effect {
            Effect::Media(MediaWish::SharePause(held)) => Some(held),
            _ => None,
        })
        .collect()
}

#[test]
fn a_locked_machine_shows_nothing_new_and_unlocking_brings_back_what_was() {
    let mut story = sharing();
    story.does(Command::SetLocked { locked: true });
    assert_eq!(holds(&mut story), [true]);
    assert!(story.see().share.locked);
    // Who holds the picture meanwhile still holds it afterwards.
    story.does(Command::PauseShare { paused: true });
    story.does(Command::SetLocked { locked: false });
    assert_eq!(holds(&mut story), [true, true]);
    assert!(!story.see().share.locked);
    story.does(Command::PauseShare { paused: false });
    assert_eq!(holds(&mut story), [false]);

    // A share that begins behind the lock is held from the start, in the next call as well.
    story.does(Command::StopShare);
    story.call(CallEvent::Sharing(None));
    story.does(Command::SetLocked { locked: true });
    assert!(!story.see().share.locked, "nothing is shared");
    story.does(start("screen:0"));
    assert_eq!(holds(&mut story), [true]);
}

#[test]
fn a_share_whose_sound_fails_goes_on_without_and_says_so_once() {
    let mut story = Story::in_call("town-square");
    story.does(Command::StartShare {
        source: "screen:0".into(),
        motion: false,
        sound: true,
    });
    story.media(opened());
    story.call(CallEvent::Sharing(Some("sa".into())));
    story.call(CallEvent::ShareReady);
    story.media(MediaEvent::ShareSilent);
    story.call(CallEvent::ShareSilent);
    assert!(matches!(
        story.see().share.ours,
        OurShare::On { sound: false, .. }
    ));
    let said = story.codes();
    assert_eq!(
        said.iter().filter(|code| **code == "share.silent").count(),
        1
    );
}

#[test]
fn the_sound_of_a_screen_has_a_volume_of_its_own_until_somebody_else_presents() {
    let mut story = Story::in_call("town-square");
    let volumes = |story: &mut Story| -> Vec<(String, u16)> {
        let effects = story.effects().into_iter();
        effects
            .filter_map(|effect| match effect {
                Effect::Media(MediaWish::ShareVolume(session, percent)) => {
                    Some((session.as_str().to_owned(), percent))
                }
                _ => None,
            })
            .collect()
    };
    story.call(CallEvent::Sharing(Some("sb".into())));
    assert!(!story.see().share.sound);
    story.call(CallEvent::SharedSound("sb".into(), true));
    assert!(story.see().share.sound);
    story.does(Command::SetShareVolume { percent: 900 });
    assert_eq!(volumes(&mut story), [("sb".to_owned(), 200)]);
    assert_eq!(story.see().share.volume, 200);
    story.call(CallEvent::SharedSound("sb".into(), false));
    story.call(CallEvent::Sharing(None));
    assert_eq!(volumes(&mut story), [("sb".to_owned(), 100)]);
    assert!(!story.see().share.sound);
    assert_eq!(story.see().share.volume, 100);
}

#[test]
fn notifications_are_held_back_while_everybody_would_read_them() {
    for (source, quiet, told) in [
        ("screen:0", true, false),
        ("portal", true, false),
        ("window:0x1", true, true),
        ("screen:0", false, true),
    ] {
        let mut story = Story::in_call("town-square");
        story.does(Command::SetFocus { focused: false });
        story.does(Command::SetAlerts {
            settings: Box::new(crate::alert::AlertSettings {
                quiet_sharing: quiet,
                ..Default::default()
            }),
        });
        story.does(start(source));
        story.effects();
        story.hears(ServerEvent::Posted {
            post: Box::new(Post {
                channel: id("dm-bob"),
                ..post("secret", "bob", 5_000)
            }),
            mentions_me: true,
            author_online: false,
        });
        let shown = story
            .effects()
            .iter()
            .any(|effect| matches!(effect, Effect::Alert(crate::alert::AlertWish::Show(_))));
        assert_eq!(shown, told, "{source}, {quiet}");
    }
}
