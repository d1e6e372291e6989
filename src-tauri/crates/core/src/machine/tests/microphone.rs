use super::*;
use crate::alert::DesktopNews;

fn mute(muted: bool) -> Command {
    Command::SetMuted { muted }
}

/// What left the machine about the microphone, in order.
fn steps(effects: Vec<Effect>) -> Vec<&'static str> {
    effects
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Media(MediaWish::Gate(true)) => Some("gate open"),
            Effect::Media(MediaWish::Gate(false)) => Some("gate shut"),
            Effect::Call(_, CallWish::Apply(CallIntent::Mute(true))) => Some("say muted"),
            Effect::Call(_, CallWish::Apply(CallIntent::Mute(false))) => Some("say unmuted"),
            Effect::Patch(patch) if matches!(patch.slice, Slice::Call(_)) => Some("draw"),
            _ => None,
        })
        .collect()
}

#[test]
fn mute_shuts_the_gate_then_tells_the_others_then_draws() {
    let mut story = Story::in_call("dm-bob");
    assert_eq!(story.see_call().microphone, Microphone::Open);
    story.does(mute(true));
    assert_eq!(steps(story.effects()), ["gate shut", "say muted", "draw"]);
    assert_eq!(story.see_call().microphone, Microphone::Muted);
}

#[test]
fn channels_begin_muted_and_direct_and_group_calls_open_when_connected() {
    for (channel, opens) in [
        ("town-square", false),
        ("secret", false),
        ("dm-bob", true),
        ("group", true),
    ] {
        let story = Story::in_call(channel);
        assert_eq!(story.gate, opens, "{channel}");
        let expected = if opens {
            Microphone::Open
        } else {
            Microphone::Muted
        };
        assert_eq!(story.see_call().microphone, expected, "{channel}");
    }
}

#[test]
fn nothing_opens_before_the_call_is_connected() {
    let mut story = Story::joining("dm-bob");
    story.media(MediaEvent::Ready(DeviceRole::Input));
    story.does(mute(false));
    assert!(!story.gate);
    assert_eq!(story.see_call().microphone, Microphone::Opening);
    story.call(CallEvent::Accepted("sa".into()));
    assert!(!story.gate);
    story.call(CallEvent::Connected);
    assert!(story.gate);
    assert_eq!(
        story.see_call().microphone,
        Microphone::Opening,
        "nobody hears us before the track is on its way"
    );
    story.call(CallEvent::VoiceReady);
    assert_eq!(story.see_call().microphone, Microphone::Open);
}

#[test]
fn it_is_not_shown_open_while_the_device_is_still_being_opened() {
    let mut story = Story::joining("dm-bob");
    story.call(CallEvent::Accepted("sa".into()));
    story.call(CallEvent::Connected);
    story.call(CallEvent::VoiceReady);
    assert_eq!(story.see_call().microphone, Microphone::Opening);
    story.media(MediaEvent::Ready(DeviceRole::Input));
    assert_eq!(story.see_call().microphone, Microphone::Open);
}

#[test]
fn who_mutes_while_joining_a_direct_call_stays_muted() {
    let mut story = Story::joining("dm-bob");
    story.does(mute(true));
    story.call(CallEvent::Accepted("sa".into()));
    story.call(CallEvent::Connected);
    assert!(!story.gate);
    assert_eq!(story.see_call().microphone, Microphone::Muted);
}

#[test]
fn what_one_begins_with_is_said_for_a_while() {
    for (channel, code) in [("town-square", "call.muted"), ("dm-bob", "call.unmuted")] {
        let mut story = Story::joining(channel);
        story.call(CallEvent::Accepted("sa".into()));
        story.call(CallEvent::Connected);
        assert_eq!(story.codes(), [code]);
        story.seconds(5);
        assert!(story.codes().is_empty());
    }
}

#[test]
fn the_host_mutes_us_in_the_same_order_and_is_named() {
    let mut story = Story::in_call("dm-bob");
    story.call(CallEvent::MuteRequested);
    assert_eq!(steps(story.effects()), ["gate shut", "say muted", "draw"]);
    assert_eq!(story.notice("call.muted_by").values["name"], "Bob Stone");
    assert_eq!(story.see_call().microphone, Microphone::Muted);
    // Nobody else can unmute us; we can.
    story.does(mute(false));
    assert_eq!(story.see_call().microphone, Microphone::Open);
}

#[test]
fn the_gate_is_shut_while_media_are_lost_and_opens_again_after() {
    let mut story = Story::in_call("dm-bob");
    story.call(CallEvent::Reconnecting { media_flows: false });
    assert!(!story.gate);
    assert_eq!(story.see_call().microphone, Microphone::Opening);
    story.effects();
    story.call(CallEvent::Connected);
    assert!(story.gate);
    assert_eq!(
        story.see_call().microphone,
        Microphone::Open,
        "the same session still has its track"
    );
    assert!(
        steps(story.effects()).contains(&"say unmuted"),
        "an unmute that got lost would leave us talking to nobody"
    );
}

#[test]
fn a_new_session_needs_a_new_voice_track_before_anybody_hears_us() {
    let mut story = Story::in_call("dm-bob");
    story.call(CallEvent::Reconnecting { media_flows: false });
    story.call(CallEvent::Accepted("sa2".into()));
    story.call(CallEvent::Connected);
    assert_eq!(story.see_call().microphone, Microphone::Opening);
    story.call(CallEvent::VoiceReady);
    assert_eq!(story.see_call().microphone, Microphone::Open);
}

#[test]
fn a_call_that_the_computer_slept_through_is_joined_again_with_the_microphone_as_it_was() {
    for muted in [false, true] {
        let mut story = Story::in_call("dm-bob");
        story.does(mute(muted));
        story.effects();
        // Half an hour, of which the steady clock knows nothing.
        story.unix += 30 * 60 * 1000;
        story.input(Input::Desktop(DesktopNews::Woke));
        assert!(
            story
                .effects()
                .contains(&Effect::Link(crate::effect::LinkWish::Retry)),
            "the line is looked at without anybody's asking"
        );
        assert_eq!(story.see_call().phase, CallPhase::Live);
        // Whatever the back end finds out by itself, it asks nothing of the person.
        story.call(CallEvent::Reconnecting { media_flows: false });
        assert!(!story.gate);
        story.call(CallEvent::Accepted("sa2".into()));
        story.call(CallEvent::Connected);
        story.call(CallEvent::VoiceReady);
        assert_eq!(story.see_call().phase, CallPhase::Live);
        assert_eq!(story.gate, !muted);
        let expected = if muted {
            Microphone::Muted
        } else {
            Microphone::Open
        };
        assert_eq!(story.see_call().microphone, expected);
        assert!(story.see().notices.is_empty(), "{:?}", story.codes());
    }
}

#[test]
fn only_the_link_lost_leaves_the_microphone_open() {
    let mut story = Story::in_call("dm-bob");
    story.call(CallEvent::Reconnecting { media_flows: true });
    assert!(story.gate);
    assert_eq!(story.see_call().microphone, Microphone::Open);
}

#[test]
fn muting_while_reconnecting_holds_when_connected_again() {
    let mut story = Story::in_call("dm-bob");
    story.call(CallEvent::Reconnecting { media_flows: false });
    story.does(mute(true));
    story.call(CallEvent::Connected);
    story.call(CallEvent::VoiceReady);
    assert!(!story.gate);
    assert_eq!(story.see_call().microphone, Microphone::Muted);
}

#[test]
fn without_a_microphone_one_listens_and_is_told_so() {
    for (problem, code) in [
        (DeviceProblem::Missing, "mic.none"),
        (DeviceProblem::Denied, "mic.denied"),
        (DeviceProblem::Busy, "mic.busy"),
    ] {
        let mut story = Story::joining("dm-bob");
        story.media(MediaEvent::Unavailable(DeviceRole::Input, problem));
        story.call(CallEvent::Accepted("sa".into()));
        story.call(CallEvent::Connected);
        story.call(CallEvent::VoiceReady);
        assert_eq!(story.see_call().phase, CallPhase::Live);
        assert_eq!(story.see_call().microphone, Microphone::Unavailable);
        assert!(!story.gate);
        story.seconds(60);
        assert_eq!(story.codes(), [code], "until it is solved");
    }
}

#[test]
fn a_microphone_that_appears_does_not_open_by_itself() {
    let mut story = Story::joining("dm-bob");
    story.media(MediaEvent::Unavailable(
        DeviceRole::Input,
        DeviceProblem::Missing,
    ));
    story.call(CallEvent::Accepted("sa".into()));
    story.call(CallEvent::Connected);
    story.call(CallEvent::VoiceReady);
    story.media(MediaEvent::Ready(DeviceRole::Input));
    assert_eq!(story.see_call().microphone, Microphone::Muted);
    assert!(!story.gate);
    assert!(!story.codes().contains(&"mic.none"));
    story.does(mute(false));
    assert_eq!(story.see_call().microphone, Microphone::Open);
}

#[test]
fn a_microphone_that_breaks_in_the_call_mutes_us_for_the_others_too() {
    let mut story = Story::in_call("dm-bob");
    story.media(MediaEvent::Unavailable(
        DeviceRole::Input,
        DeviceProblem::Busy,
    ));
    assert_eq!(steps(story.effects())[..2], ["gate shut", "say muted"]);
    assert_eq!(story.see_call().microphone, Microphone::Unavailable);
}

#[test]
fn unmuting_without_a_microphone_tries_to_open_it_once_more() {
    let mut story = Story::in_call("town-square");
    story.media(MediaEvent::Unavailable(
        DeviceRole::Input,
        DeviceProblem::Denied,
    ));
    story.effects();
    story.does(mute(false));
    let effects = story.effects();
    assert!(effects.contains(&Effect::Media(MediaWish::Run {
        input: true,
        output: true
    })));
    assert!(!steps(effects).contains(&"say unmuted"));
    assert_eq!(story.see_call().microphone, Microphone::Unavailable);
}

#[test]
fn leaving_shuts_the_gate_before_anything_else() {
    let mut story = Story::in_call("dm-bob");
    story.does(Command::LeaveCall);
    let effects = story.effects();
    assert_eq!(effects[0], Effect::Media(MediaWish::Gate(false)));
    assert_eq!(story.see_call().microphone, Microphone::Muted);
}

#[test]
fn our_own_row_shows_what_is_and_not_what_the_server_believes() {
    let mut story = Story::in_call("dm-bob");
    story.call(CallEvent::Muted("sa".into(), true));
    let me = |story: &Story| {
        story
            .see_call()
            .participants
            .iter()
            .find(|row| row.me)
            .unwrap()
            .muted
    };
    assert!(!me(&story));
    story.does(mute(true));
    story.call(CallEvent::Muted("sa".into(), false));
    assert!(me(&story));
}

/// A thousand random steps: whatever happens in whatever order, the invariants of `Story::input` hold.
#[test]
fn no_order_of_events_opens_the_gate_by_mistake() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |n: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % n
    };
    for _ in 0..20 {
        let mut story = Story::signed_in();
        let mut unmuted_by_hand = false;
        for _ in 0..300 {
            match random(16) {
                0 => story.does(join("dm-bob")),
                1 => story.does(join("town-square")),
                2 => story.does(Command::JoinCall {
                    channel: id("design"),
                    title: None,
                    switch: true,
                }),
                3 => story.does(Command::LeaveCall),
                4 => story.does(mute(true)),
                5 => {
                    story.does(mute(false));
                    unmuted_by_hand = true;
                }
                6 => story.call(CallEvent::Accepted("sa".into())),
                7 => story.call(CallEvent::Connected),
                8 => story.call(CallEvent::VoiceReady),
                9 => story.call(CallEvent::Reconnecting {
                    media_flows: random(2) == 0,
                }),
                10 => story.call(CallEvent::MuteRequested),
                11 => story.media(MediaEvent::Ready(DeviceRole::Input)),
                12 => story.media(MediaEvent::Unavailable(
                    DeviceRole::Input,
                    DeviceProblem::Missing,
                )),
                13 => story.call(CallEvent::Ended(EndReason::Lost(String::new()))),
                14 => story.input(Input::Call(
                    CallNumber(random(5) as u32),
                    CallEvent::Connected,
                )),
                _ => story.wait(Duration::from_millis(random(3000))),
            }
            if story.gate && !unmuted_by_hand {
                assert_eq!(
                    story.see_call().kind,
                    Some(ChannelKind::Direct),
                    "only direct calls open by themselves"
                );
            }
            if story.gate {
                assert_ne!(story.see_call().microphone, Microphone::Unavailable);
            }
        }
    }
}
