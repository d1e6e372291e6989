use super::*;
use crate::effect::TrialStep;
use crate::snapshot::{Noise, Sound, Trial};

fn row(role: DeviceRole, name: &str) -> DeviceRow {
    DeviceRow {
        id: name.into(),
        name: name.to_owned(),
        role,
        is_default: false,
    }
}

fn runs(effects: &[Effect]) -> Vec<(bool, bool)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Media(MediaWish::Run { input, output }) => Some((*input, *output)),
            _ => None,
        })
        .collect()
}

#[test]
fn devices_are_listed_by_their_end() {
    let mut story = Story::signed_in();
    story.media(MediaEvent::Devices(vec![
        row(DeviceRole::Input, "mic"),
        row(DeviceRole::Output, "phones"),
    ]));
    assert_eq!(story.see().devices.inputs.len(), 1);
    assert_eq!(story.see().devices.outputs[0].name, "phones");
}

#[test]
fn a_choice_is_used_at_once_and_remembered() {
    let mut story = Story::signed_in();
    let device = Some("mic".into());
    story.does(Command::ChooseDevice {
        role: DeviceRole::Input,
        device: device.clone(),
    });
    assert_eq!(story.see().devices.input, device);
    let effects = story.effects();
    assert!(effects.contains(&Effect::Media(MediaWish::Choose(
        DeviceRole::Input,
        device.clone()
    ))));
    assert!(effects.contains(&Effect::Remember(Remember::Device(
        DeviceRole::Input,
        device
    ))));
}

#[test]
fn the_microphone_is_open_only_in_a_call_or_while_somebody_watches_its_level() {
    let mut story = Story::signed_in();
    story.does(Command::WatchLevel { on: true });
    assert_eq!(runs(&story.effects()), [(true, false)]);
    story.does(join("town-square"));
    assert_eq!(runs(&story.effects()), [(true, true)]);
    story.does(Command::WatchLevel { on: false });
    assert_eq!(runs(&story.effects()), []);
    story.does(Command::LeaveCall);
    assert_eq!(runs(&story.effects()), [(false, false)]);
}

#[test]
fn a_device_that_vanishes_is_named_with_its_stand_in_and_its_return() {
    let mut story = Story::in_call("town-square");
    story.media(MediaEvent::DeviceLost {
        role: DeviceRole::Input,
        name: "Headset".to_owned(),
        now: Some("Built-in".to_owned()),
    });
    let notice = story.notice("mic.changed");
    assert_eq!(
        (
            notice.values["device"].as_str(),
            notice.values["other"].as_str()
        ),
        ("Headset", "Built-in")
    );
    assert_eq!(story.see_call().phase, CallPhase::Live, "the call goes on");
    story.media(MediaEvent::DeviceBack {
        role: DeviceRole::Input,
        name: "Headset".to_owned(),
    });
    assert_eq!(story.codes(), ["device.back"]);
    assert_eq!(story.notice("device.back").values["device"], "Headset");
}

#[test]
fn a_loudspeaker_that_is_missing_has_its_notice_until_it_works() {
    let mut story = Story::in_call("town-square");
    story.media(MediaEvent::Unavailable(
        DeviceRole::Output,
        DeviceProblem::Missing,
    ));
    story.seconds(60);
    assert_eq!(story.codes(), ["speaker.none"]);
    story.media(MediaEvent::Ready(DeviceRole::Output));
    assert!(story.codes().is_empty());
}

#[test]
fn a_volume_is_a_persons_on_all_their_devices_and_in_the_next_call() {
    let mut story = Story::in_call("town-square");
    story.call(CallEvent::Joined(participant("sb2", "bob")));
    story.does(Command::SetVolume {
        session: "sb".into(),
        percent: 500,
    });
    let effects = story.effects();
    for session in ["sb", "sb2"] {
        assert!(effects.contains(&Effect::Media(MediaWish::Volume(session.into(), 200))));
    }
    assert!(effects.contains(&Effect::Remember(Remember::Volume("bob".into(), 200))));
    assert!(
        story
            .see_call()
            .participants
            .iter()
            .filter(|row| row.user == "bob".into())
            .all(|row| row.volume == 200)
    );
    story.does(Command::LeaveCall);
    story.does(join("town-square"));
    story.call(CallEvent::Joined(participant("sb3", "bob")));
    assert!(
        story
            .effects()
            .contains(&Effect::Media(MediaWish::Volume("sb3".into(), 200)))
    );
}

#[test]
fn sound_is_changed_at_once_kept_in_its_range_and_remembered() {
    let mut story = Story::signed_in();
    let sound = Sound {
        noise: Noise::Strong,
        echo: false,
        output_volume: 900,
        threshold: Some(-120),
        ..Sound::default()
    };
    story.does(Command::SetSound { sound });
    let kept = story.see().devices.sound;
    assert_eq!((kept.output_volume, kept.threshold), (200, Some(-90)));
    assert_eq!((kept.noise, kept.echo), (Noise::Strong, false));
    let effects = story.effects();
    assert!(effects.contains(&Effect::Media(MediaWish::Sound(kept))));
    assert!(effects.contains(&Effect::Remember(Remember::Sound(kept))));
    story.does(Command::SetSound { sound });
    assert!(
        !story
            .effects()
            .iter()
            .any(|effect| matches!(effect, Effect::Media(_))),
        "nothing has changed"
    );
}

#[test]
fn deafened_is_not_remembered() {
    let mut story = Story::signed_in();
    story.does(Command::SetDeafened { deafened: true });
    assert!(story.see().devices.deafened);
    let effects = story.effects();
    assert!(effects.contains(&Effect::Media(MediaWish::Deafen(true))));
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Remember(_)))
    );
}

#[test]
fn the_loudspeaker_is_open_for_its_test_and_closed_afterwards() {
    let mut story = Story::signed_in();
    story.does(Command::PlayTestTone);
    let effects = story.effects();
    assert!(effects.contains(&Effect::Media(MediaWish::TestTone)));
    assert_eq!(runs(&effects), [(false, true)]);
    story.wait(Duration::from_secs(5));
    assert_eq!(runs(&story.effects()), [(false, false)]);
}

#[test]
fn sound_files_end_by_themselves() {
    let mut story = Story::signed_in();
    story.does(Command::DumpSound { on: true });
    assert!(story.see().devices.dumping);
    story.wait(Duration::from_secs(301));
    assert!(!story.see().devices.dumping);
    assert!(
        story
            .effects()
            .contains(&Effect::Media(MediaWish::Dump(false)))
    );
}

#[test]
fn a_chosen_device_is_known_by_its_name_when_its_identity_has_changed() {
    let named = |id: &str, name: &str| DeviceRow {
        id: id.into(),
        ..row(DeviceRole::Input, name)
    };
    let mut story = Story::signed_in();
    let list = |story: &mut Story, rows: Vec<DeviceRow>| story.media(MediaEvent::Devices(rows));
    list(
        &mut story,
        vec![named("usb-1", "Headset"), named("in", "Desk")],
    );
    story.does(Command::ChooseDevice {
        role: DeviceRole::Input,
        device: Some("usb-1".into()),
    });
    let name = Remember::DeviceName(DeviceRole::Input, Some("Headset".to_owned()));
    assert!(story.effects().contains(&Effect::Remember(name)));
    // Gone: it is waited for, not replaced by another choice.
    list(&mut story, vec![named("in", "Desk")]);
    assert_eq!(story.see().devices.input, Some("usb-1".into()));
    // Two of that name: nobody can tell which.
    list(
        &mut story,
        vec![named("usb-2", "Headset"), named("usb-3", "Headset")],
    );
    assert_eq!(story.see().devices.input, Some("usb-1".into()));
    // Plugged in elsewhere, with another identity.
    list(
        &mut story,
        vec![named("usb-2", "Headset"), named("in", "Desk")],
    );
    assert_eq!(story.see().devices.input, Some("usb-2".into()));
    assert!(story.effects().contains(&Effect::Media(MediaWish::Choose(
        DeviceRole::Input,
        Some("usb-2".into())
    ))));
    // The same in the next run.
    let memory = Memory {
        input: Some("usb-2".into()),
        device_names: [(DeviceRole::Input, "Headset".to_owned())].into(),
        ..Memory::default()
    };
    let mut next = Story::signed_in_with(directory(), Some(calls()), memory);
    list(&mut next, vec![named("usb-9", "Headset")]);
    assert_eq!(next.see().devices.input, Some("usb-9".into()));
}

#[test]
fn one_can_be_recorded_and_hear_oneself_with_the_devices_open_no_longer_than_that() {
    let mut story = Story::signed_in();
    story.does(Command::HearMyself { on: true });
    assert_eq!(story.see().devices.trial, Some(Trial::Recording));
    let effects = story.effects();
    assert!(effects.contains(&Effect::Media(MediaWish::Trial(TrialStep::Record))));
    assert_eq!(runs(&effects), [(true, false)]);
    story.wait(Duration::from_secs(5));
    assert_eq!(story.see().devices.trial, Some(Trial::Playing));
    let effects = story.effects();
    assert!(effects.contains(&Effect::Media(MediaWish::Trial(TrialStep::Play))));
    assert_eq!(runs(&effects), [(false, true)]);
    story.wait(Duration::from_secs(6));
    assert_eq!(story.see().devices.trial, None);
    let effects = story.effects();
    assert!(effects.contains(&Effect::Media(MediaWish::Trial(TrialStep::End))));
    assert_eq!(runs(&effects), [(false, false)]);
}

#[test]
fn hearing_oneself_ends_when_the_person_or_a_call_wants() {
    let mut story = Story::signed_in();
    story.does(Command::HearMyself { on: true });
    story.does(Command::HearMyself { on: false });
    assert_eq!(story.see().devices.trial, None);
    story.does(Command::HearMyself { on: true });
    story.does(join("town-square"));
    assert_eq!(story.see().devices.trial, None);
    story.effects();
    story.does(Command::HearMyself { on: true });
    assert_eq!(story.see().devices.trial, None);
    let after = story.effects();
    assert_eq!(runs(&after), []);
    assert_eq!(
        after.iter().rev().find_map(|effect| match effect {
            Effect::Media(MediaWish::Trial(step)) => Some(*step),
            _ => None,
        }),
        Some(TrialStep::End)
    );
}

#[test]
fn music_goes_out_untreated_and_everything_else_stays_as_it_was_chosen() {
    let chosen = Sound {
        noise: Noise::Strong,
        threshold: Some(-40),
        input_volume: 80,
        original: true,
        ..Sound::default()
    };
    let sent = chosen.untreated();
    assert!(!sent.echo && !sent.gain && !sent.high_pass);
    assert_eq!((sent.noise, sent.threshold), (Noise::Off, None));
    assert_eq!((sent.input_volume, sent.original), (80, true));
    assert_eq!(chosen.noise, Noise::Strong);
}
