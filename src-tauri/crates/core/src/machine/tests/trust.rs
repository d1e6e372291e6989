//! What a server may not do, it does not, whatever a page says.

use super::*;
use crate::alert::AlertSettings;
use crate::trust::{Grant, Trust};

fn allow(grant: Grant, allowed: bool) -> Command {
    Command::SetTrust { grant, allowed }
}

fn mute(muted: bool) -> Command {
    Command::SetMuted { muted }
}

/// What is wanted of the two ends, the newest.
fn ends(story: &mut Story) -> Option<(bool, bool)> {
    let run = |effect| match effect {
        Effect::Media(MediaWish::Run { input, output }) => Some((input, output)),
        _ => None,
    };
    story.effects().into_iter().filter_map(run).last()
}

/// Signed in where this is not allowed.
fn without(grant: Grant) -> Story {
    let memory = Memory {
        alerts: AlertSettings {
            trust: Trust::default().with(grant, false),
            ..AlertSettings::default()
        },
        ..Memory::default()
    };
    Story::signed_in_with(directory(), Some(calls()), memory)
}

#[test]
fn without_the_microphone_one_listens_is_told_why_and_can_allow_it() {
    let mut story = without(Grant::Microphone);
    story.effects.clear();
    // Where it would open by itself.
    story.does(join("dm-bob"));
    story.call(CallEvent::Accepted("sa".into()));
    let state = call_state("dm-bob", &[("sa", "alice"), ("sb", "bob")]);
    story.call(CallEvent::State(Box::new(state)));
    story.call(CallEvent::Connected);
    story.call(CallEvent::VoiceReady);
    assert_eq!(
        ends(&mut story),
        Some((false, true)),
        "it is not even opened"
    );
    assert!(!story.gate);
    assert_eq!(story.see_call().microphone, Microphone::Unavailable);
    let allowed = allow(Grant::Microphone, true);
    assert_eq!(
        story.notice("trust.microphone").retry,
        Some(allowed.clone())
    );

    // No way of asking opens it.
    for wish in [
        mute(false),
        Command::ToggleMute,
        Command::HoldToTalk { held: true },
        Command::SetDeafened { deafened: true },
        Command::SetDeafened { deafened: false },
    ] {
        story.does(wish);
        assert!(!story.gate);
        assert_eq!(story.see_call().microphone, Microphone::Unavailable);
    }

    story.effects.clear();
    story.does(allowed);
    assert!(!story.codes().contains(&"trust.microphone"));
    assert_eq!(ends(&mut story), Some((true, true)));
    assert_eq!(
        story.see_call().microphone,
        Microphone::Muted,
        "nobody is heard unasked"
    );
    story.media(MediaEvent::Ready(DeviceRole::Input));
    story.does(mute(false));
    assert!(story.gate);
}

#[test]
fn taking_the_microphone_away_mutes_at_once() {
    let mut story = Story::in_call("dm-bob");
    assert!(story.gate);
    story.effects.clear();
    story.does(allow(Grant::Microphone, false));
    assert!(!story.gate);
    assert_eq!(story.see_call().microphone, Microphone::Unavailable);
    let effects = story.effects();
    let told = |effect: &Effect| {
        matches!(
            effect,
            Effect::Call(_, CallWish::Apply(CallIntent::Mute(true)))
        )
    };
    assert!(effects.iter().any(told), "the others see it");
    let kept = |effect: &Effect| matches!(effect, Effect::Remember(Remember::Alerts(all)) if !all.trust.microphone);
    assert!(effects.iter().any(kept));
}

#[test]
fn without_the_screen_nothing_is_shared_and_what_is_shared_ends() {
    let mut story = Story::in_call("town-square");
    story.does(allow(Grant::Screen, false));
    story.effects.clear();
    story.does(Command::OpenSharePicker);
    story.does(Command::StartShare {
        source: "screen:1".into(),
        motion: false,
        sound: false,
    });
    let screens = |effect: &Effect| {
        matches!(
            effect,
            Effect::Media(MediaWish::ListScreens | MediaWish::Share(Some(_)))
        )
    };
    assert!(!story.effects().iter().any(screens));
    let allowed = allow(Grant::Screen, true);
    assert_eq!(story.notice("trust.screen").retry, Some(allowed.clone()));
    story.does(allowed);
    story.does(Command::StartShare {
        source: "screen:1".into(),
        motion: false,
        sound: false,
    });
    story.effects.clear();
    story.does(allow(Grant::Screen, false));
    let ended = |effect: &Effect| matches!(effect, Effect::Media(MediaWish::Share(None)));
    assert!(story.effects().iter().any(ended));
}

#[test]
fn a_setting_of_the_persons_for_all_servers_changes_nothing_of_that() {
    let mut story = Story::signed_in();
    story.does(allow(Grant::Links, false));
    story.does(Command::SetAlerts {
        settings: Box::new(AlertSettings {
            volume: 7,
            ..AlertSettings::default()
        }),
    });
    let settings = &story.see().alerts.settings;
    assert!(!settings.trust.links);
    assert_eq!(settings.volume, 7);
    story.does(Command::AskTrust {
        grant: Grant::Links,
    });
    let allowed = allow(Grant::Links, true);
    assert_eq!(story.notice("trust.links").retry, Some(allowed));
}
