//! Links: what they open, and what they must not do.

use super::*;

fn address(text: &str) -> Command {
    Command::OpenAddress {
        address: text.to_owned(),
    }
}

#[test]
fn a_link_opens_its_channel_by_name_and_by_identity() {
    let mut story = Story::signed_in();
    story.does(address(
        "mattermost://chat.example.org/team/channels/design",
    ));
    assert_eq!(story.see().directory.channel, Some(id("design")));
    story.does(address("https://chat.example.org/team/channels/secret"));
    assert_eq!(story.see().directory.channel, Some(id("secret")));
    story.does(address("halloo://chat.example.org/team/messages/@bob"));
    assert_eq!(story.see().directory.channel, Some(id("dm-bob")));
    assert!(story.codes().is_empty());
}

#[test]
fn a_call_link_joins_the_call_that_goes_on_and_asks_before_it_would_start_one() {
    let link = "https://chat.example.org/team/channels/design?join_call=true";
    let mut story = Story::signed_in();
    story.does(address(link));
    assert_eq!(story.see_call().phase, CallPhase::Idle);
    let wish = story.notice("link.start").retry.clone().unwrap();
    story.does(wish);
    assert_eq!(
        story.see_call().channel,
        Some(id("design")),
        "after the person agreed"
    );

    let mut story = Story::signed_in();
    story.hears(ServerEvent::CallState(Box::new(call_state(
        "design",
        &[("sb", "bob")],
    ))));
    story.does(address(link));
    assert_eq!(story.see_call().phase, CallPhase::Joining);
    // The same link again changes nothing.
    story.does(address(link));
    assert!(story.codes().is_empty());
}

#[test]
fn a_link_to_another_server_is_named_and_nothing_is_sent() {
    let mut story = Story::signed_in();
    story.does(address(
        "mattermost://evil.example/team/channels/design?join_call=true",
    ));
    assert_eq!(
        story.notice("link.foreign").values["server"],
        "evil.example"
    );
    assert!(story.requests.is_empty() && story.see_call().phase == CallPhase::Idle);
    for text in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "halloo:",
        "https://chat.example.org@evil.example/",
    ] {
        let before = story.see().directory.channel.clone();
        story.does(address(text));
        assert!(story.requests.is_empty(), "{text}");
        assert_eq!(story.see().directory.channel, before, "{text}");
    }
    // Before any server is known, too: it is named, and looked for only if the person agrees.
    let mut story = Story::new();
    story.does(address("halloo://new.example/team/channels/design"));
    assert!(story.requests.is_empty());
    assert_eq!(
        story.notice("link.new_server").retry,
        Some(Command::FindServer {
            address: "new.example".to_owned()
        })
    );
}

#[test]
fn a_link_that_came_before_the_sign_in_is_opened_after_it() {
    let mut story = Story::new();
    story.input(Input::Start(Box::new(Memory {
        session: Some(session()),
        ..Memory::default()
    })));
    story.does(address("https://chat.example.org/team/channels/design"));
    story.answer(is_find, Reply::Found(server()));
    story.answer(is_check, accepted());
    story.up();
    story.answer(is_directory, Reply::Directory(Box::new(directory())));
    assert_eq!(story.see().directory.channel, Some(id("design")));
}

#[test]
fn a_channel_that_is_not_ours_is_asked_for_once_and_said_to_be_nowhere() {
    let mut story = Story::signed_in();
    story.does(address("https://chat.example.org/team/channels/elsewhere"));
    story.fail(
        |request| matches!(request, Request::FindChannel { team, name } if team == "team" && name == "elsewhere"),
        refused(404, ""),
    );
    story.notice("link.nowhere");
}

#[test]
fn the_link_of_a_direct_call_leads_back_into_it() {
    let mut story = Story::in_call("dm-bob");
    let link = story.see_call().link.clone();
    assert!(
        link.contains("/channels/dm-bob") && link.ends_with("?join_call=true"),
        "{link}"
    );
    story.does(Command::LeaveCall);
    story.does(open("town-square"));
    story.hears(ServerEvent::CallState(Box::new(call_state(
        "dm-bob",
        &[("sb", "bob")],
    ))));
    story.does(address(&link));
    assert_eq!(story.see().directory.channel, Some(id("dm-bob")));
    assert_eq!(story.see_call().phase, CallPhase::Joining);
    assert_eq!(story.see_call().channel, Some(id("dm-bob")));
}

#[test]
fn a_link_into_a_channel_of_another_team_shows_that_team() {
    let mut load = directory();
    load.teams.push(Team {
        id: "crew".into(),
        name: "crew".to_owned(),
        display_name: "Crew".to_owned(),
    });
    load.channels.push(Channel {
        team: Some("crew".into()),
        ..channel("deck", ChannelKind::Public)
    });
    load.memberships.push(member("deck"));
    let mut story = Story::signed_in_with(load, Some(calls()), Memory::default());
    story.does(open("town-square"));
    assert_eq!(story.see().directory.team, Some("team".into()));
    let mut call = call_state("deck", &[("sb", "bob")]);
    call.id = "call2".into();
    story.hears(ServerEvent::CallState(Box::new(call)));
    story.does(address(
        "https://chat.example.org/crew/channels/deck?join_call=true",
    ));
    assert_eq!(story.see().directory.team, Some("crew".into()));
    assert_eq!(story.see().directory.channel, Some(id("deck")));
    assert_eq!(story.see_call().phase, CallPhase::Joining);
    // The chat of that call works while the first team is on show.
    story.call(CallEvent::Accepted("sa".into()));
    let state = call_state("deck", &[("sa", "alice"), ("sb", "bob")]);
    story.call(CallEvent::State(Box::new(state)));
    story.call(CallEvent::Connected);
    story.does(Command::OpenTeam {
        team: "team".into(),
    });
    story.answer(
        |request| matches!(request, Request::LoadThread(_)),
        Reply::Thread { posts: Vec::new() },
    );
    story.hears(posted(Post {
        channel: id("deck"),
        root: Some("thread".into()),
        ..post("from another team", "bob", 10)
    }));
    assert_eq!(story.see().directory.team, Some("team".into()));
    assert_eq!(story.see().chat.posts.len(), 1);
    assert_eq!(story.see().chat.unread, 1);
}

#[test]
fn a_call_link_into_an_archived_channel_shows_it_and_starts_nothing() {
    let mut story = Story::signed_in();
    story.does(address(
        "https://chat.example.org/team/channels/old?join_call=true",
    ));
    assert_eq!(story.see().directory.channel, Some(id("old")));
    assert_eq!(story.see_call().phase, CallPhase::Idle);
    assert!(
        story.codes().contains(&"call.archived"),
        "{:?}",
        story.codes()
    );
    assert!(
        !story.codes().contains(&"link.start"),
        "there is nothing to start"
    );
}

#[test]
fn push_to_talk_opens_while_it_is_held_and_a_moment_longer() {
    let mut story = Story::in_call("town-square");
    assert_eq!(story.see_call().microphone, Microphone::Muted);
    story.does(Command::HoldToTalk { held: true });
    assert!(story.gate, "in the same turn");
    // The key repeats.
    story.does(Command::HoldToTalk { held: true });
    story.does(Command::HoldToTalk { held: false });
    story.wait(Duration::from_millis(150));
    assert!(story.gate, "the tail");
    story.wait(Duration::from_millis(60));
    assert!(!story.gate);
    assert_eq!(story.see_call().microphone, Microphone::Muted);
    // Who talks already is not muted by the key.
    story.does(Command::SetMuted { muted: false });
    story.does(Command::HoldToTalk { held: true });
    story.does(Command::HoldToTalk { held: false });
    story.seconds(1);
    assert!(story.gate);
    story.does(Command::ToggleMute);
    assert!(!story.gate);
}

#[test]
fn a_key_mutes_while_it_is_held_and_opens_only_what_it_has_shut() {
    let mut story = Story::in_call("town-square");
    let key = |story: &mut Story, held| story.does(Command::HoldToMute { held });
    // Who is muted stays muted.
    key(&mut story, true);
    key(&mut story, false);
    assert!(!story.gate);
    story.does(Command::SetMuted { muted: false });
    key(&mut story, true);
    assert!(!story.gate, "in the same turn");
    assert_eq!(story.see_call().microphone, Microphone::Muted);
    // The key repeats.
    key(&mut story, true);
    key(&mut story, false);
    assert!(story.gate);
    assert_eq!(story.see_call().microphone, Microphone::Open);
    // Muted by the host while it is held: that counts.
    key(&mut story, true);
    story.call(CallEvent::MuteRequested);
    key(&mut story, false);
    assert!(!story.gate);
    // So does one's own button, and the end of the call.
    story.does(Command::SetMuted { muted: false });
    key(&mut story, true);
    story.does(Command::SetMuted { muted: true });
    key(&mut story, false);
    assert!(!story.gate);
    story.does(Command::SetMuted { muted: false });
    key(&mut story, true);
    story.does(Command::LeaveCall);
    key(&mut story, false);
    assert!(!story.gate);
}
