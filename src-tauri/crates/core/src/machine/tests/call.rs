use super::*;

fn order(story: &Story) -> Vec<&str> {
    story
        .see_call()
        .participants
        .iter()
        .map(|row| row.session.as_str())
        .collect()
}

fn ticket(story: &mut Story) -> crate::port::JoinTicket {
    story
        .effects()
        .into_iter()
        .find_map(|effect| match effect {
            Effect::Call(_, CallWish::Join(ticket)) => Some(*ticket),
            _ => None,
        })
        .expect("nobody joined")
}

fn has_join(effects: &[Effect]) -> bool {
    effects
        .iter()
        .any(|effect| matches!(effect, Effect::Call(_, CallWish::Join(_))))
}

#[test]
fn a_call_goes_through_joining_connecting_live_and_idle() {
    let mut story = Story::joining("town-square");
    assert_eq!(story.see_call().phase, CallPhase::Joining);
    assert_eq!(story.see_call().place, "town-square");
    story.call(CallEvent::Accepted("sa".into()));
    assert_eq!(story.see_call().phase, CallPhase::Connecting);
    assert_eq!(story.see_call().session, Some("sa".into()));
    story.wait(Duration::from_millis(700));
    story.call(CallEvent::Connected);
    assert_eq!(story.see_call().phase, CallPhase::Live);
    let told = story.told();
    assert!(told.contains(&ClientEvent::Joined {
        session: "sa".into()
    }));
    assert!(told.contains(&ClientEvent::Connected {
        after: Duration::from_millis(700),
        again: false
    }));
    story.does(Command::LeaveCall);
    assert_eq!(story.see_call().phase, CallPhase::Idle);
    assert_eq!(story.see_call().participants, []);
}

#[test]
fn devices_are_opened_while_the_server_is_asked() {
    let mut story = Story::joining("town-square");
    let effects = story.effects();
    assert!(has_join(&effects));
    assert!(effects.contains(&Effect::Media(MediaWish::Run {
        input: true,
        output: true
    })));
}

#[test]
fn a_title_and_what_the_server_offers_go_along() {
    let mut story = Story::signed_in();
    story.does(Command::JoinCall {
        channel: id("design"),
        title: Some("Release".to_owned()),
        switch: false,
    });
    let ticket = ticket(&mut story);
    assert_eq!(
        (ticket.title.as_str(), ticket.me),
        ("Release", "alice".into())
    );
    assert_eq!(ticket.config, config());
}

/// Signed in, before the Calls plugin has answered.
fn before_the_calls() -> Story {
    let mut story = Story::new();
    story.input(Input::Start(Box::new(Memory {
        session: Some(session()),
        ..Memory::default()
    })));
    story.answer(is_find, Reply::Found(server()));
    story.answer(is_check, accepted());
    story.up();
    story.answer(is_directory, Reply::Directory(Box::new(directory())));
    story
}

#[test]
fn a_call_wished_for_too_early_is_joined_once_the_server_has_answered() {
    let mut story = before_the_calls();
    story.does(join("design"));
    assert_eq!(story.codes(), ["call.loading"]);
    assert!(!has_join(&story.effects()));
    story.answer(is_calls, Reply::Calls(Some(Box::new(calls()))));
    assert!(has_join(&story.effects()));
    assert_eq!(story.see_call().channel, Some(id("design")));
}

#[test]
fn an_early_wish_can_be_taken_back() {
    let mut story = before_the_calls();
    story.does(join("design"));
    story.does(Command::LeaveCall);
    story.answer(is_calls, Reply::Calls(Some(Box::new(calls()))));
    assert!(!has_join(&story.effects()));
    assert_eq!(story.see_call().phase, CallPhase::Idle);
}

#[test]
fn joining_can_be_cancelled() {
    let mut story = Story::joining("town-square");
    story.does(Command::LeaveCall);
    assert_eq!(story.see_call().phase, CallPhase::Idle);
    assert!(
        story
            .effects()
            .iter()
            .any(|effect| matches!(effect, Effect::Call(_, CallWish::Leave)))
    );
    // The server's answer comes too late.
    story.call(CallEvent::Accepted("sa".into()));
    story.call(CallEvent::Connected);
    assert_eq!(story.see_call().phase, CallPhase::Idle);
}

#[test]
fn a_second_click_on_join_changes_nothing() {
    let mut story = Story::in_call("town-square");
    story.does(join("town-square"));
    assert!(!has_join(&story.effects()));
    assert_eq!(story.see_call().phase, CallPhase::Live);
}

#[test]
fn a_call_at_another_server_is_asked_about_too() {
    let mut story = Story::signed_in();
    let elsewhere = |in_call| {
        Input::Desktop(crate::alert::DesktopNews::Elsewhere(
            crate::alert::Elsewhere {
                in_call,
                shows_everything: false,
            },
        ))
    };
    story.input(elsewhere(true));
    story.does(join("town-square"));
    assert_eq!(story.see_call().switch_to, Some(id("town-square")));
    assert!(!has_join(&story.effects()));
    story.does(Command::DismissCallProblem);
    assert_eq!(story.see_call().switch_to, None);
    // It is over there by the time the person says yes.
    story.does(join("town-square"));
    story.input(elsewhere(false));
    story.does(Command::JoinCall {
        channel: id("town-square"),
        title: None,
        switch: true,
    });
    assert!(has_join(&story.effects()));
}

#[test]
fn another_call_is_asked_about_and_then_switched_to() {
    let mut story = Story::in_call("town-square");
    story.does(join("dm-bob"));
    assert_eq!(story.see_call().switch_to, Some(id("dm-bob")));
    assert_eq!(
        story.see_call().channel,
        Some(id("town-square")),
        "still here"
    );
    story.does(Command::DismissCallProblem);
    assert_eq!(story.see_call().switch_to, None);
    story.does(join("dm-bob"));
    story.effects();
    story.does(Command::JoinCall {
        channel: id("dm-bob"),
        title: None,
        switch: true,
    });
    let effects = story.effects();
    let leave = effects
        .iter()
        .position(|effect| matches!(effect, Effect::Call(CallNumber(1), CallWish::Leave)));
    let joined = effects
        .iter()
        .position(|effect| matches!(effect, Effect::Call(CallNumber(2), CallWish::Join(_))));
    assert!(leave.is_some() && leave < joined);
    assert_eq!(story.see_call().channel, Some(id("dm-bob")));
    assert_eq!(story.see_call().switch_to, None);
}

#[test]
fn what_the_old_call_still_says_does_not_reach_the_new_one() {
    let mut story = Story::in_call("town-square");
    story.does(Command::JoinCall {
        channel: id("dm-bob"),
        title: None,
        switch: true,
    });
    story.input(Input::Call(
        CallNumber(1),
        CallEvent::Ended(EndReason::Lost("old".to_owned())),
    ));
    story.input(Input::Call(
        CallNumber(1),
        CallEvent::Joined(participant("sx", "dave")),
    ));
    assert_eq!(story.see_call().phase, CallPhase::Joining);
    assert_eq!(story.see_call().participants, []);
}

#[test]
fn every_end_has_its_picture() {
    let cases: Vec<(EndReason, Option<(&str, bool)>)> = vec![
        (EndReason::Left, None),
        (EndReason::EndedForAll, None),
        (EndReason::Removed, Some(("call.removed", false))),
        (EndReason::MediaTimeout, Some(("call.media_timeout", true))),
        (EndReason::Lost("ice".to_owned()), Some(("call.lost", true))),
        (
            EndReason::Unsupported("v2".to_owned()),
            Some(("call.unsupported", false)),
        ),
        (
            EndReason::Refused(Refusal::Forbidden),
            Some(("call.forbidden", false)),
        ),
        (
            EndReason::Refused(Refusal::Archived),
            Some(("call.archived", false)),
        ),
        (
            EndReason::Refused(Refusal::GroupCallsOff),
            Some(("call.group_off", false)),
        ),
        (
            EndReason::Refused(Refusal::Disabled),
            Some(("call.disabled", false)),
        ),
        (
            EndReason::Refused(Refusal::TestMode),
            Some(("call.test_mode", false)),
        ),
        (EndReason::Refused(Refusal::Full), Some(("call.full", true))),
        (
            EndReason::Refused(Refusal::Other("lock".to_owned())),
            Some(("call.refused", true)),
        ),
    ];
    for (reason, expected) in cases {
        let mut story = Story::in_call("town-square");
        story.call(CallEvent::Ended(reason.clone()));
        match (&story.see_call().phase, expected) {
            (CallPhase::Idle, None) => {}
            (CallPhase::Failed { code, retry, .. }, Some((known, again))) => {
                assert_eq!((code.as_str(), *retry), (known, again), "{reason:?}");
                assert_eq!(story.see_call().channel, Some(id("town-square")));
            }
            other => panic!("{reason:?}: {other:?}"),
        }
        assert!(!story.gate, "{reason:?}");
        assert!(story.see_call().participants.is_empty(), "{reason:?}");
        let told = story.told();
        assert!(told.iter().any(
            |event| matches!(event, ClientEvent::Ended { reason: told, .. } if *told == reason)
        ));
        story.does(Command::DismissCallProblem);
        assert_eq!(story.see_call().phase, CallPhase::Idle, "{reason:?}");
    }
}

#[test]
fn the_words_of_a_failure_have_their_values() {
    let mut story = Story::in_call("town-square");
    story.call(CallEvent::Ended(EndReason::Removed));
    let CallPhase::Failed { values, .. } = &story.see_call().phase else {
        panic!()
    };
    assert_eq!(values["name"], "Bob Stone");
    assert_eq!(values["channel"], "town-square");
    let mut story = Story::joining("town-square");
    story.call(CallEvent::Ended(EndReason::MediaTimeout));
    let CallPhase::Failed { values, .. } = &story.see_call().phase else {
        panic!()
    };
    assert_eq!(values["port"], "8443");
}

#[test]
fn a_failed_call_can_be_tried_again() {
    let mut story = Story::joining("town-square");
    story.call(CallEvent::Ended(EndReason::MediaTimeout));
    story.effects();
    story.does(join("town-square"));
    assert_eq!(story.see_call().phase, CallPhase::Joining);
    assert!(has_join(&story.effects()));
}

#[test]
fn who_lost_a_direct_call_comes_back_muted() {
    let mut story = Story::in_call("dm-bob");
    story.call(CallEvent::Ended(EndReason::Lost("gone".to_owned())));
    story.does(join("dm-bob"));
    story.call(CallEvent::Accepted("sa2".into()));
    story.call(CallEvent::Connected);
    story.call(CallEvent::VoiceReady);
    assert_eq!(story.see_call().microphone, Microphone::Muted);
    // But not in another call, nor in the next one.
    story.does(Command::LeaveCall);
    story.does(join("dm-bob"));
    story.call(CallEvent::Accepted("sa3".into()));
    story.call(CallEvent::Connected);
    assert!(story.gate);
}

#[test]
fn an_expired_session_in_the_call_is_an_expired_session() {
    let mut story = Story::in_call("town-square");
    story.call(CallEvent::Ended(EndReason::Unauthorised));
    assert!(matches!(story.see().account, Account::SignedOut { .. }));
    assert!(story.codes().contains(&"account.expired"));
}

#[test]
fn everybody_is_shown_in_order() {
    let mut story = Story::in_call("town-square");
    let mut state = call_state(
        "town-square",
        &[
            ("sa", "alice"),
            ("sb", "bob"),
            ("sd", "dave"),
            ("se", "erin"),
            ("sf", "fay"),
        ],
    );
    state.participants[2].hand_raised_at = Some(DAY + 500);
    state.participants[3].hand_raised_at = Some(DAY + 100);
    state.participants[4].muted = false;
    state.sharing = Some("sb".into());
    story.call(CallEvent::State(Box::new(state)));
    // Shares; hands, earliest first; can be heard; name.
    assert_eq!(order(&story), ["sb", "se", "sd", "sf", "sa"]);
    story.call(CallEvent::Sharing(None));
    story.call(CallEvent::Hand("se".into(), None));
    story.call(CallEvent::Hand("sd".into(), None));
    story.call(CallEvent::Muted("sf".into(), true));
    // alice, Bob Stone, dave, erin, fay
    assert_eq!(order(&story), ["sa", "sb", "sd", "se", "sf"]);
}

#[test]
fn two_devices_of_one_person_are_two_participants_and_one_user() {
    let mut story = Story::in_call("town-square");
    story.call(CallEvent::Joined(participant("sa2", "alice")));
    let mine: Vec<_> = story
        .see_call()
        .participants
        .iter()
        .map(|row| (row.session.as_str(), row.me))
        .collect();
    assert!(mine.contains(&("sa", true)) && mine.contains(&("sa2", false)));
    let row = story.row("town-square").call.clone().unwrap();
    assert_eq!(row.users, ["alice".into(), "bob".into()]);
    assert!(row.mine);
}

#[test]
fn telling_twice_counts_once() {
    let mut story = Story::in_call("town-square");
    for _ in 0..2 {
        story.call(CallEvent::Joined(participant("sd", "dave")));
    }
    assert_eq!(story.see_call().participants.len(), 3);
    for _ in 0..2 {
        story.call(CallEvent::Left("sd".into()));
    }
    assert_eq!(story.see_call().participants.len(), 2);
}

#[test]
fn events_about_somebody_unknown_do_no_harm() {
    let mut story = Story::in_call("town-square");
    story.call(CallEvent::Left("ghost".into()));
    story.call(CallEvent::Muted("ghost".into(), false));
    story.call(CallEvent::Speaking("ghost".into(), true));
    story.call(CallEvent::Hand("ghost".into(), Some(DAY)));
    story.call(CallEvent::Sharing(Some("ghost".into())));
    story.call(CallEvent::Host(Some("ghost".into())));
    assert_eq!(story.see_call().participants.len(), 2);
}

#[test]
fn the_whole_state_replaces_what_was_known_but_not_us() {
    let mut story = Story::in_call("town-square");
    story.call(CallEvent::Speaking("sb".into(), true));
    let state = call_state("town-square", &[("sd", "dave")]);
    story.call(CallEvent::State(Box::new(state)));
    assert_eq!(order(&story), ["sa", "sd"]);
    assert!(
        story
            .see_call()
            .participants
            .iter()
            .all(|row| !row.speaking)
    );
}

#[test]
fn speaking_lights_up_and_goes_out() {
    let mut story = Story::in_call("town-square");
    let speaking = |story: &Story| {
        story
            .see_call()
            .participants
            .iter()
            .find(|row| row.session == "sb".into())
            .unwrap()
            .speaking
    };
    story.call(CallEvent::Muted("sb".into(), false));
    story.call(CallEvent::Speaking("sb".into(), true));
    assert!(speaking(&story));
    let revision = story.see().revision;
    story.call(CallEvent::Speaking("sb".into(), true));
    assert_eq!(story.see().revision, revision, "nothing new, nothing drawn");
    story.call(CallEvent::Muted("sb".into(), true));
    assert!(!speaking(&story), "who is muted does not talk");
}

#[test]
fn coming_and_going_are_announced_after_we_are_in() {
    let mut story = Story::in_call("town-square");
    let wanted = crate::preferences::CallPreferences {
        left_notes: true,
        ..Default::default()
    };
    story.does(Command::SetCalls {
        calls: Box::new(wanted),
    });
    assert!(
        story.codes().is_empty(),
        "who was there before us is not news"
    );
    story.call(CallEvent::Joined(participant("sd", "dave")));
    assert_eq!(story.notice("call.joined").values["name"], "dave");
    story.seconds(5);
    story.call(CallEvent::Left("sd".into()));
    assert_eq!(story.notice("call.left").values["name"], "dave");
}

#[test]
fn a_new_host_is_announced_and_shown() {
    let mut story = Story::in_call("town-square");
    assert_eq!(story.see_call().host, Some("bob".into()));
    assert!(story.codes().is_empty());
    story.call(CallEvent::Host(Some("alice".into())));
    assert_eq!(story.codes(), ["call.host_you"]);
    assert!(
        story
            .see_call()
            .participants
            .iter()
            .find(|row| row.me)
            .unwrap()
            .host
    );
    story.call(CallEvent::Host(Some("bob".into())));
    assert_eq!(story.codes(), ["call.host"]);
    assert_eq!(story.notice("call.host").values["name"], "Bob Stone");
    story.call(CallEvent::Host(None));
    assert_eq!(story.see_call().host, None);
}

#[test]
fn a_hand_goes_up_at_once_and_can_be_lowered_by_the_host() {
    let mut story = Story::in_call("town-square");
    story.does(Command::RaiseHand { raised: true });
    let hand = |story: &Story| {
        story
            .see_call()
            .participants
            .iter()
            .find(|row| row.me)
            .unwrap()
            .hand_raised_at
    };
    assert!(hand(&story).is_some());
    story.call(CallEvent::Hand("sa".into(), Some(DAY + 42)));
    assert_eq!(hand(&story), Some(DAY + 42));
    assert!(story.codes().is_empty(), "one's own hand is not news");
    story.effects();
    story.call(CallEvent::LowerHandRequested(None));
    assert_eq!(hand(&story), None);
    assert_eq!(
        story.notice("call.hand_lowered").values["name"],
        "Bob Stone"
    );
    assert!(story.effects().contains(&Effect::Call(
        CallNumber(1),
        CallWish::Apply(CallIntent::RaiseHand(false))
    )));
}

#[test]
fn a_hand_goes_down_by_itself_once_its_owner_has_talked_for_a_while() {
    let mut story = Story::in_call("town-square");
    story.does(Command::RaiseHand { raised: true });
    let up = |story: &Story| {
        let call = story.see_call();
        let mut rows = call.participants.iter();
        rows.any(|row| row.me && row.hand_raised_at.is_some())
    };
    story.media(MediaEvent::Talking(true));
    story.seconds(10);
    assert!(up(&story), "muted, nobody has heard it");
    story.media(MediaEvent::Talking(false));
    story.does(Command::SetMuted { muted: false });
    story.media(MediaEvent::Talking(true));
    story.seconds(3);
    story.media(MediaEvent::Talking(false));
    story.seconds(60);
    assert!(up(&story), "a pause says nothing");
    story.effects();
    story.media(MediaEvent::Talking(true));
    story.seconds(2);
    assert!(!up(&story));
    assert!(story.effects().contains(&Effect::Call(
        CallNumber(1),
        CallWish::Apply(CallIntent::RaiseHand(false))
    )));
    let again = story.notice("call.hand_served").retry.clone().unwrap();
    story.does(again);
    assert!(up(&story));
}

#[test]
fn somebody_elses_hand_is_announced_once() {
    let mut story = Story::in_call("town-square");
    story.call(CallEvent::Hand("sb".into(), Some(DAY)));
    assert_eq!(story.notice("call.hand").values["names"], "Bob Stone");
    story.seconds(6);
    story.call(CallEvent::Hand("sb".into(), Some(DAY)));
    assert!(story.codes().is_empty());
}

#[test]
fn the_link_may_be_lost_while_sound_flows_and_both_may_be_lost() {
    let mut story = Story::in_call("town-square");
    story.call(CallEvent::Reconnecting { media_flows: true });
    assert_eq!(
        story.see_call().phase,
        CallPhase::Reconnecting { media_flows: true }
    );
    story.call(CallEvent::Connected);
    assert_eq!(story.see_call().phase, CallPhase::Live);
    let doubt = Effect::Link(crate::effect::LinkWish::Retry);
    assert!(!story.effects().contains(&doubt), "that one mends itself");
    story.call(CallEvent::Reconnecting { media_flows: false });
    assert!(story.effects().contains(&doubt), "the other socket, too");
    story.seconds(3);
    story.effects();
    story.call(CallEvent::Connected);
    assert!(story.told().contains(&ClientEvent::Connected {
        after: Duration::from_secs(3),
        again: true
    }));
}

#[test]
fn a_first_try_that_is_repeated_is_still_connecting() {
    let mut story = Story::joining("town-square");
    story.call(CallEvent::Accepted("sa".into()));
    story.call(CallEvent::Reconnecting { media_flows: false });
    assert_eq!(story.see_call().phase, CallPhase::Connecting);
    story.call(CallEvent::Accepted("sa2".into()));
    story.call(CallEvent::Connected);
    assert_eq!(story.see_call().phase, CallPhase::Live);
    assert!(
        story
            .told()
            .iter()
            .any(|event| matches!(event, ClientEvent::Connected { again: false, .. }))
    );
}

#[test]
fn joined_anew_after_a_loss_the_old_session_is_gone() {
    let mut story = Story::in_call("town-square");
    story.call(CallEvent::Reconnecting { media_flows: false });
    story.call(CallEvent::Accepted("sa2".into()));
    assert_eq!(story.see_call().session, Some("sa2".into()));
    assert_eq!(order(&story).len(), 2);
    assert!(
        matches!(story.see_call().phase, CallPhase::Reconnecting { .. }),
        "not as if it were the first time"
    );
}

#[test]
fn a_weak_connection_is_told_after_ten_seconds_and_taken_back() {
    let mut story = Story::in_call("town-square");
    let sample = |story: &mut Story, mos| {
        for _ in 0..10 {
            story.seconds(1);
            story.call(CallEvent::Quality(Quality {
                mos,
                ..Quality::default()
            }));
        }
    };
    sample(&mut story, 3.0);
    assert_eq!(story.codes(), ["call.weak"]);
    sample(&mut story, 4.2);
    assert!(story.codes().is_empty());
    sample(&mut story, 3.0);
    let id = story.notice("call.weak").id;
    story.does(Command::DismissNotice { id });
    sample(&mut story, 3.0);
    assert!(
        story.codes().is_empty(),
        "closed by hand, it stays away for twenty seconds"
    );
    sample(&mut story, 3.0);
    assert_eq!(story.codes(), ["call.weak"]);
}

#[test]
fn the_timer_counts_by_our_clock() {
    let mut story = Story::signed_in();
    // The server is ten minutes ahead, as its newest post says.
    story.hears(posted(post("now", "bob", 600_000)));
    story.does(join("town-square"));
    story.call(CallEvent::Accepted("sa".into()));
    let mut state = call_state("town-square", &[("sa", "alice")]);
    state.start_at = DAY + 600_000 - 30_000;
    story.call(CallEvent::State(Box::new(state)));
    assert_eq!(story.see_call().started_at, DAY - 30_000);
}

#[test]
fn first_sound_is_told_with_its_delay() {
    let mut story = Story::joining("town-square");
    story.wait(Duration::from_millis(900));
    story.media(MediaEvent::FirstAudio("sb".into()));
    assert!(story.told().contains(&ClientEvent::FirstAudio {
        session: "sb".into(),
        after: Duration::from_millis(900)
    }));
}

#[test]
fn being_removed_from_the_channel_ends_the_call_with_its_own_words() {
    let mut story = Story::in_call("design");
    story.hears(ServerEvent::ChannelLeft(id("design")));
    assert!(
        matches!(&story.see_call().phase, CallPhase::Failed { code, .. } if code == "call.channel_left")
    );
    assert!(
        story
            .effects()
            .iter()
            .any(|effect| matches!(effect, Effect::Call(_, CallWish::Leave)))
    );
}

#[test]
fn a_stranger_in_the_call_gets_a_name_as_soon_as_it_is_known() {
    let mut story = Story::in_call("town-square");
    story.call(CallEvent::Joined(participant("sz", "zoe")));
    let name = |story: &Story| {
        story
            .see_call()
            .participants
            .iter()
            .find(|row| row.session == "sz".into())
            .unwrap()
            .name
            .clone()
    };
    assert_eq!(name(&story), "zoe");
    let zoe = User {
        first_name: "Zoe".to_owned(),
        last_name: "Quill".to_owned(),
        ..user("zoe")
    };
    story.answer(
        |request| *request == Request::LoadUsers(vec!["zoe".into()]),
        Reply::Users(vec![zoe]),
    );
    assert_eq!(name(&story), "Zoe Quill");
}

#[test]
fn where_no_call_can_be_had_a_notice_says_why() {
    let mut story = Story::signed_in();
    for (channel, code) in [("old", "call.archived"), ("dm-carol", "call.inactive")] {
        story.does(join(channel));
        assert!(story.codes().contains(&code), "{channel}");
        assert_eq!(story.see_call().phase, CallPhase::Idle);
    }
    assert_eq!(story.notice("call.inactive").values["name"], "carol");
}

#[test]
fn slash_call_is_done_here() {
    let mut story = Story::signed_in();
    story.does(say("/call start  Weekly  review"));
    assert_eq!(ticket(&mut story).title, "Weekly review");
    story.does(say("/call start"));
    assert!(story.codes().contains(&"call.already"));
    story.does(say("/call leave"));
    assert_eq!(story.see_call().phase, CallPhase::Idle);
    story.does(say("/call leave"));
    assert!(story.codes().contains(&"call.not_here"));
    story.does(say("/call join"));
    assert_eq!(story.see_call().phase, CallPhase::Joining);
    assert!(
        story.request(is_execute).is_none(),
        "the server has heard of none"
    );
    assert!(story.request(is_create).is_none());
}

#[test]
fn slash_call_start_from_another_call_offers_to_switch_and_keeps_the_title() {
    let mut story = Story::in_call("design");
    story.does(say("/call start Weekly review"));
    assert_eq!(story.see_call().channel, Some(id("design")), "asked first");
    assert_eq!(story.see_call().switch_to, Some(id("town-square")));
    story.does(Command::JoinCall {
        channel: id("town-square"),
        title: None,
        switch: true,
    });
    assert_eq!(story.see_call().channel, Some(id("town-square")));
    assert_eq!(ticket(&mut story).title, "Weekly review");
}

#[test]
fn slash_call_start_in_a_running_call_says_so() {
    let mut story = Story::signed_in();
    story.hears(ServerEvent::CallState(Box::new(call_state(
        "town-square",
        &[("sb", "bob")],
    ))));
    story.does(say("/call start"));
    assert_eq!(story.codes(), ["call.running"]);
    story.does(say("/call join"));
    assert_eq!(story.see_call().phase, CallPhase::Joining);
}
