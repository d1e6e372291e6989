use super::*;

fn names(story: &Story) -> Vec<&str> {
    story
        .see()
        .directory
        .channels
        .iter()
        .map(|row| row.name.as_str())
        .collect()
}

fn signed_in_with(change: impl FnOnce(&mut DirectoryLoad, &mut CallsLoad)) -> Story {
    let (mut load, mut with) = (directory(), calls());
    change(&mut load, &mut with);
    Story::signed_in_with(load, Some(with), Memory::default())
}

fn blocked(story: &Story, channel: &str) -> Option<String> {
    story.row(channel).call_blocked.clone()
}

fn in_channel(name: &str, channel: &str, author: &str, at: Millis) -> Post {
    Post {
        channel: id(channel),
        ..post(name, author, at)
    }
}

fn mention(post: Post) -> ServerEvent {
    ServerEvent::Posted {
        post: Box::new(post),
        mentions_me: true,
        author_online: false,
    }
}

#[test]
fn channels_come_by_name_then_people_by_who_spoke_last() {
    let mut story = Story::signed_in();
    assert_eq!(
        names(&story),
        [
            "design",
            "secret",
            "town-square",
            "bob",
            "bob, dave",
            "carol"
        ]
    );
    story.hears(posted(in_channel("hello", "dm-carol", "carol", 10)));
    assert_eq!(names(&story)[3..], ["carol", "bob", "bob, dave"]);
}

#[test]
fn archived_channels_are_hidden_unless_open() {
    let mut story = Story::signed_in();
    assert!(!names(&story).contains(&"old"));
    story.does(open("old"));
    assert!(story.row("old").archived);
}

#[test]
fn people_are_called_as_the_setting_says() {
    for (format, dm, group) in [
        (NameFormat::Username, "bob", "bob, dave"),
        (NameFormat::FullName, "Bob Stone", "Bob Stone, dave"),
        (NameFormat::NicknameFullName, "Bobby", "Bobby, dave"),
    ] {
        let story = signed_in_with(|load, _| load.name_format = format);
        assert_eq!(story.row("dm-bob").name, dm);
        assert_eq!(story.row("group").name, group);
        assert_eq!(story.see().directory.people["bob"].name, dm);
    }
}

#[test]
fn the_channel_with_oneself_has_ones_own_name() {
    let story = signed_in_with(|load, _| {
        load.channels.push(Channel {
            id: id("self"),
            name: "alice__alice".to_owned(),
            ..channel("self", ChannelKind::Direct)
        });
    });
    assert_eq!(story.row("self").name, "alice");
    assert_eq!(story.row("self").user, Some("alice".into()));
}

#[test]
fn a_post_elsewhere_makes_a_channel_unread_and_a_mention_counts() {
    let mut story = Story::signed_in();
    story.hears(posted(in_channel("a", "design", "bob", 10)));
    assert!(story.row("design").unread);
    assert_eq!(story.row("design").mentions, 0);
    story.hears(mention(in_channel("b", "design", "bob", 20)));
    assert_eq!(story.row("design").mentions, 1);
}

#[test]
fn in_a_muted_channel_only_mentions_show() {
    let mut story = signed_in_with(|load, _| {
        load.memberships
            .iter_mut()
            .find(|one| one.channel == id("design"))
            .unwrap()
            .muted = true;
    });
    story.hears(posted(in_channel("a", "design", "bob", 10)));
    assert!(!story.row("design").unread);
    story.hears(mention(in_channel("b", "design", "bob", 20)));
    assert!(story.row("design").unread);
}

#[test]
fn with_collapsed_threads_replies_do_not_make_unread() {
    let mut story = signed_in_with(|load, _| load.collapsed_threads = true);
    let reply = Post {
        root: Some("r".into()),
        ..in_channel("a", "design", "bob", 10)
    };
    story.hears(posted(reply));
    assert!(!story.row("design").unread);
    story.hears(posted(in_channel("b", "design", "bob", 20)));
    assert!(story.row("design").unread);
}

#[test]
fn comings_and_goings_do_not_make_unread() {
    let mut story = Story::signed_in();
    let system = Post {
        kind: PostKind::System,
        ..in_channel("joined", "design", "bob", 10)
    };
    story.hears(posted(system));
    let ephemeral = Post {
        kind: PostKind::Ephemeral,
        ..in_channel("only you", "design", "bob", 20)
    };
    story.hears(posted(ephemeral));
    assert!(!story.row("design").unread);
}

#[test]
fn an_own_post_from_another_client_marks_read() {
    let mut story = Story::signed_in();
    story.hears(mention(in_channel("a", "design", "bob", 10)));
    story.hears(posted(in_channel("b", "design", "alice", 20)));
    assert!(!story.row("design").unread);
    assert_eq!(story.row("design").mentions, 0);
}

#[test]
fn a_post_told_twice_counts_once() {
    let mut story = Story::signed_in();
    for _ in 0..3 {
        story.hears(mention(in_channel("a", "design", "bob", 10)));
    }
    assert_eq!(story.row("design").mentions, 1);
}

#[test]
fn a_post_that_the_loaded_counters_include_does_not_count_again() {
    let mut story = signed_in_with(|load, _| {
        let design = load
            .channels
            .iter_mut()
            .find(|one| one.id == id("design"))
            .unwrap();
        design.last_post_at = DAY + 10;
        design.total_posts = 1;
        design.total_root_posts = 1;
        load.memberships
            .iter_mut()
            .find(|one| one.channel == id("design"))
            .unwrap()
            .mentions = 1;
    });
    story.hears(mention(in_channel("a", "design", "bob", 10)));
    assert_eq!(story.row("design").mentions, 1);
}

#[test]
fn a_post_in_the_open_focused_channel_is_read_at_once() {
    let mut story = Story::signed_in();
    story.hears(mention(post("a", "bob", 10)));
    assert!(!story.row("town-square").unread);
    assert_eq!(story.row("town-square").mentions, 0);
    assert!(story.request(is_view).is_some(), "the server hears of it");
}

#[test]
fn while_nobody_looks_the_open_channel_grows_unread_and_focus_reads_it() {
    let mut story = Story::signed_in();
    story.does(Command::SetFocus { focused: false });
    story.hears(mention(post("a", "bob", 10)));
    assert_eq!(story.row("town-square").mentions, 1);
    assert!(story.request(is_view).is_none());
    story.does(Command::SetFocus { focused: true });
    assert_eq!(story.row("town-square").mentions, 0);
    assert!(story.request(is_view).is_some());
    story.does(Command::SetFocus { focused: false });
    story.does(Command::SetFocus { focused: true });
    assert!(
        story.request(is_view).is_none(),
        "there was nothing to read"
    );
}

#[test]
fn reading_elsewhere_reads_here() {
    let mut story = Story::signed_in();
    story.hears(mention(in_channel("a", "design", "bob", 10)));
    story.hears(ServerEvent::Viewed(vec![(id("design"), DAY + 20)]));
    assert!(!story.row("design").unread);
    assert_eq!(story.row("design").mentions, 0);
}

#[test]
fn a_post_in_an_unknown_channel_loads_the_channel_once() {
    let mut story = Story::signed_in();
    story.hears(posted(in_channel("a", "new", "bob", 10)));
    story.hears(posted(in_channel("b", "new", "bob", 20)));
    let new = Channel {
        last_post_at: DAY + 20,
        total_posts: 2,
        total_root_posts: 2,
        ..channel("new", ChannelKind::Public)
    };
    story.answer(
        |request| *request == Request::LoadChannel(id("new")),
        Reply::Channel(Box::new(new), Box::new(member("new")), Vec::new()),
    );
    assert!(story.row("new").unread);
    assert!(
        story
            .request(|request| matches!(request, Request::LoadChannel(_)))
            .is_none()
    );
}

#[test]
fn the_town_square_opens_first_and_the_channel_of_the_last_run_if_there_is_one() {
    let story = Story::signed_in_with(directory(), Some(calls()), Memory::default());
    assert_eq!(story.see().directory.channel, Some(id("town-square")));
    let memory = Memory {
        place: Some(id("dm-bob")),
        ..Memory::default()
    };
    let story = Story::signed_in_with(directory(), Some(calls()), memory);
    assert_eq!(story.see().directory.channel, Some(id("dm-bob")));
    let memory = Memory {
        place: Some(id("gone")),
        ..Memory::default()
    };
    let story = Story::signed_in_with(directory(), Some(calls()), memory);
    assert_eq!(story.see().directory.channel, Some(id("town-square")));
}

#[test]
fn without_a_window_nothing_is_opened_and_nothing_marked_read() {
    let memory = Memory {
        headless: true,
        ..Memory::default()
    };
    let mut story = Story::signed_in_with(directory(), Some(calls()), memory);
    assert_eq!(story.see().directory.channel, None);
    assert!(story.request(is_view).is_none() && story.request(is_posts).is_none());
}

#[test]
fn opening_a_channel_reads_it_here_and_on_the_server() {
    let mut story = Story::signed_in();
    story.hears(mention(in_channel("a", "design", "bob", 10)));
    story.does(open("design"));
    assert!(!story.row("design").unread);
    assert_eq!(
        story.request(is_view).unwrap().1,
        Request::ViewChannel(id("design"))
    );
    assert!(
        story
            .effects()
            .contains(&Effect::Remember(Remember::Place(id("design"))))
    );
}

#[test]
fn a_direct_channel_opens_whether_it_exists_or_not() {
    let mut story = Story::signed_in();
    story.does(Command::OpenDirect { user: "bob".into() });
    assert_eq!(story.see().directory.channel, Some(id("dm-bob")));
    story.does(Command::OpenDirect {
        user: "dave".into(),
    });
    let is_open = |request: &Request| {
        *request
            == Request::OpenDirect {
                me: "alice".into(),
                user: "dave".into(),
            }
    };
    story.answer(
        is_open,
        Reply::Channel(
            Box::new(direct("dave")),
            Box::new(member("dm-dave")),
            vec![user("dave")],
        ),
    );
    assert_eq!(story.see().directory.channel, Some(id("dm-dave")));
}

#[test]
fn a_team_opens_where_we_were_last_in_it() {
    let mut story = signed_in_with(|load, _| {
        load.teams.push(Team {
            id: "zoo".into(),
            name: "zoo".to_owned(),
            display_name: "Zoo".to_owned(),
        });
        for name in ["zoo-square", "zoo-other"] {
            load.channels.push(Channel {
                team: Some("zoo".into()),
                name: if name == "zoo-square" {
                    "town-square".to_owned()
                } else {
                    name.to_owned()
                },
                ..channel(name, ChannelKind::Public)
            });
        }
    });
    let zoo = || Command::OpenTeam {
        team: TeamId::from("zoo"),
    };
    story.does(open("design"));
    story.does(zoo());
    assert_eq!(story.see().directory.channel, Some(id("zoo-square")));
    assert!(
        !names(&story).contains(&"design"),
        "the other team's channels are out of sight"
    );
    assert!(names(&story).contains(&"bob"), "people are everywhere");
    story.does(open("zoo-other"));
    story.does(Command::OpenTeam {
        team: TeamId::from("team"),
    });
    assert_eq!(story.see().directory.channel, Some(id("design")));
    story.does(zoo());
    assert_eq!(story.see().directory.channel, Some(id("zoo-other")));
}

#[test]
fn losing_the_open_channel_shows_another() {
    let mut story = Story::signed_in();
    story.does(open("design"));
    story.hears(ServerEvent::ChannelLeft(id("design")));
    assert_eq!(story.see().directory.channel, Some(id("town-square")));
    assert_eq!(story.see().timeline.channel, Some(id("town-square")));
    assert!(!names(&story).contains(&"design"));
}

#[test]
fn a_channel_that_cannot_be_loaded_any_more_is_gone() {
    let mut story = Story::signed_in();
    story.hears(ServerEvent::ChannelChanged(id("design")));
    story.fail(
        |request| *request == Request::LoadChannel(id("design")),
        refused(403, "api.context.permissions.app_error"),
    );
    assert!(!names(&story).contains(&"design"));
}

#[test]
fn presence_is_asked_for_every_minute_while_the_link_is_up() {
    let is_presences = |request: &Request| matches!(request, Request::LoadPresences(_));
    let mut story = Story::signed_in();
    assert_eq!(story.see().directory.people["bob"].presence, Presence::Away);
    story.seconds(59);
    assert!(story.request(is_presences).is_none());
    story.seconds(1);
    let (_, Request::LoadPresences(users)) = story.request(is_presences).unwrap() else {
        panic!()
    };
    assert!(users.contains(&"bob".into()) && users.contains(&"alice".into()));
    story.down(1);
    story.seconds(120);
    assert!(story.request(is_presences).is_none());
}

#[test]
fn who_writes_is_there() {
    let mut story = Story::signed_in();
    story.hears(ServerEvent::Posted {
        post: Box::new(post("a", "bob", 10)),
        mentions_me: false,
        author_online: true,
    });
    assert_eq!(
        story.see().directory.people["bob"].presence,
        Presence::Online
    );
    story.hears(ServerEvent::PresenceChanged("alice".into(), Presence::Dnd));
    assert_eq!(
        story.see().directory.people["alice"].presence,
        Presence::Dnd
    );
}

#[test]
fn somebody_unknown_is_asked_for_once_even_if_they_do_not_exist() {
    let is_users = |request: &Request| matches!(request, Request::LoadUsers(_));
    let mut story = Story::signed_in();
    story.hears(posted(post("a", "zoe", 10)));
    story.hears(posted(post("b", "zoe", 20)));
    story.answer(is_users, Reply::Users(Vec::new()));
    story.hears(posted(post("c", "zoe", 30)));
    assert!(story.request(is_users).is_none());
}

#[test]
fn a_renamed_person_is_renamed_everywhere() {
    let mut story = Story::in_call("town-square");
    story.hears(posted(post("a", "bob", 10)));
    let robert = User {
        first_name: "Robert".to_owned(),
        last_name: "Stone".to_owned(),
        username: "robert".to_owned(),
        ..user("bob")
    };
    story.hears(ServerEvent::UserChanged(Box::new(robert)));
    assert_eq!(story.row("dm-bob").name, "robert");
    assert_eq!(story.see().timeline.posts[0].author_name, "robert");
    assert!(
        story
            .see_call()
            .participants
            .iter()
            .any(|row| row.name == "Robert Stone")
    );
}

#[test]
fn what_is_told_while_the_directory_is_on_its_way_is_not_lost() {
    let mut story = Story::new();
    story.input(Input::Start(Box::new(Memory {
        session: Some(session()),
        ..Memory::default()
    })));
    story.answer(is_check, accepted());
    story.up();
    // Older than the answer, newer than the answer.
    story.hears(mention(in_channel("a", "design", "bob", 10)));
    story.hears(mention(in_channel("b", "design", "bob", 20)));
    let mut load = directory();
    let design = load
        .channels
        .iter_mut()
        .find(|one| one.id == id("design"))
        .unwrap();
    design.last_post_at = DAY + 10;
    design.total_posts = 1;
    design.total_root_posts = 1;
    load.memberships
        .iter_mut()
        .find(|one| one.channel == id("design"))
        .unwrap()
        .mentions = 1;
    story.answer(is_directory, Reply::Directory(Box::new(load)));
    assert_eq!(story.row("design").mentions, 2);
}

#[test]
fn a_directory_that_is_older_than_an_event_does_not_uncount_it() {
    let mut story = Story::signed_in();
    story.hears(ServerEvent::DirectoryStale);
    story.hears(mention(in_channel("a", "design", "bob", 10)));
    assert_eq!(story.row("design").mentions, 1);
    story.answer(is_directory, Reply::Directory(Box::new(directory())));
    assert_eq!(story.row("design").mentions, 1);
}

#[test]
fn a_call_in_a_channel_that_is_not_ours_cannot_be_joined() {
    let mut story = Story::in_call("town-square");
    story.does(Command::JoinCall {
        channel: id("elsewhere"),
        title: None,
        switch: true,
    });
    assert_eq!(story.codes(), ["call.forbidden"]);
    assert_eq!(
        story.see_call().phase,
        CallPhase::Live,
        "and the call that we are in is not left for it"
    );
}

// ---- Calls in channels.

#[test]
fn a_call_appears_grows_shrinks_and_ends_with_the_last() {
    let mut story = Story::signed_in();
    story.hears(ServerEvent::CallStarted {
        channel: id("design"),
        call: CallId::from("c1"),
        start_at: DAY,
        owner: "bob".into(),
        host: Some("bob".into()),
        thread: None,
    });
    let joined = |user: &str, session: &str| ServerEvent::CallJoined {
        channel: id("design"),
        user: user.into(),
        session: session.into(),
    };
    let left = |user: &str, session: &str| ServerEvent::CallLeft {
        channel: id("design"),
        user: user.into(),
        session: session.into(),
    };
    story.hears(joined("bob", "s1"));
    story.hears(joined("dave", "s2"));
    story.hears(joined("bob", "s3"));
    let row = story.row("design").call.clone().unwrap();
    assert_eq!(row.users, [UserId::from("bob"), UserId::from("dave")]);
    assert_eq!((row.start_at, row.mine), (DAY, false));
    story.hears(left("bob", "s1"));
    assert_eq!(
        story.row("design").call.clone().unwrap().users,
        [UserId::from("dave"), UserId::from("bob")]
    );
    story.hears(left("bob", "s3"));
    story.hears(left("dave", "s2"));
    assert_eq!(
        story.row("design").call,
        None,
        "no event says that it is over"
    );
}

#[test]
fn a_call_ended_for_all_is_gone_at_once() {
    let mut story = Story::signed_in();
    story.hears(ServerEvent::CallState(Box::new(call_state(
        "design",
        &[("s1", "bob")],
    ))));
    story.hears(ServerEvent::CallEnded(id("design")));
    assert_eq!(story.row("design").call, None);
}

#[test]
fn calls_that_run_when_we_come_are_shown_and_empty_leftovers_are_not() {
    let story = signed_in_with(|_, calls| {
        calls.channels = vec![
            CallsChannel {
                channel: id("design"),
                enabled: None,
                call: Some(call_state("design", &[("s1", "bob")])),
            },
            CallsChannel {
                channel: id("secret"),
                enabled: None,
                call: Some(call_state("secret", &[])),
            },
        ];
    });
    assert!(story.row("design").call.is_some());
    assert!(story.row("secret").call.is_none());
}

#[test]
fn an_answer_older_than_an_event_does_not_undo_it() {
    let mut story = Story::signed_in();
    story.hears(ServerEvent::CallsStale);
    story.hears(ServerEvent::CallState(Box::new(call_state(
        "design",
        &[("s1", "bob")],
    ))));
    story.answer(is_calls, Reply::Calls(Some(Box::new(calls()))));
    assert!(story.row("design").call.is_some());
}

#[test]
fn whether_a_call_can_be_had_follows_the_rules() {
    type Change = fn(&mut DirectoryLoad, &mut CallsLoad);
    let running = |calls: &mut CallsLoad, channel: &str, users: &[(&str, &str)], enabled| {
        calls.channels.push(CallsChannel {
            channel: id(channel),
            enabled,
            call: Some(call_state(channel, users)),
        });
    };
    let switch = |calls: &mut CallsLoad, channel: &str, on| {
        calls.channels.push(CallsChannel {
            channel: id(channel),
            enabled: Some(on),
            call: None,
        });
    };
    let _ = (running, switch);
    let admin: Change = |load, _| load.me.is_admin = true;
    let test_mode: Change = |_, calls| calls.config.default_enabled = false;
    // Anybody may start one where nothing is said.
    let story = signed_in_with(|_, _| {});
    assert_eq!(blocked(&story, "design"), None);
    assert_eq!(blocked(&story, "dm-bob"), None);
    assert_eq!(
        blocked(&story, "dm-carol").as_deref(),
        Some("call.inactive")
    );
    // Test mode: administrators only, and where calls are switched on.
    let story = signed_in_with(test_mode);
    assert_eq!(blocked(&story, "design").as_deref(), Some("call.test_mode"));
    let story = signed_in_with(|load, calls| {
        test_mode(load, calls);
        admin(load, calls);
    });
    assert_eq!(blocked(&story, "design"), None);
    let story = signed_in_with(|load, calls| {
        test_mode(load, calls);
        switch(calls, "design", true);
    });
    assert_eq!(blocked(&story, "design"), None);
    // Switched off: nobody, not even administrators.
    let story = signed_in_with(|load, calls| {
        admin(load, calls);
        switch(calls, "design", false);
    });
    assert_eq!(blocked(&story, "design").as_deref(), Some("call.disabled"));
    // Without the licence: direct messages only, and a group is none.
    let story = signed_in_with(|_, calls| calls.config.group_calls = false);
    assert_eq!(blocked(&story, "design").as_deref(), Some("call.group_off"));
    assert_eq!(blocked(&story, "group").as_deref(), Some("call.group_off"));
    assert_eq!(blocked(&story, "dm-bob"), None);
    // A call that goes on can be joined whatever the switches say.
    let story = signed_in_with(|_, calls| {
        calls.config.group_calls = false;
        running(calls, "design", &[("s1", "bob")], Some(false));
    });
    assert_eq!(blocked(&story, "design"), None);
    // Unless it is full; people count, not devices; who is in it already may come again.
    for (users, full) in [
        (vec![("s1", "bob"), ("s2", "dave")], true),
        (vec![("s1", "bob"), ("s2", "bob")], false),
        (vec![("s1", "bob"), ("s2", "alice")], false),
    ] {
        let story = signed_in_with(|_, calls| {
            calls.config.max_participants = 2;
            running(calls, "design", &users, None);
        });
        assert_eq!(
            blocked(&story, "design"),
            full.then(|| "call.full".to_owned()),
            "{users:?}"
        );
    }
}

#[test]
fn without_the_plugin_there_are_no_calls_and_before_its_answer_nothing_is_promised() {
    let mut story = Story::signed_in_with(directory(), None, Memory::default());
    assert!(!story.see().directory.calls_available);
    assert_eq!(
        blocked(&story, "design").as_deref(),
        Some("server.no_calls")
    );
    story.hears(ServerEvent::CallsStale);
    story.answer(is_calls, Reply::Calls(Some(Box::new(calls()))));
    assert!(story.see().directory.calls_available);
    assert_eq!(blocked(&story, "design"), None);
}

#[test]
fn switching_calls_off_in_a_channel_is_seen_at_once() {
    let mut story = Story::signed_in();
    story.hears(ServerEvent::CallsEnabled {
        channel: id("design"),
        enabled: false,
    });
    assert_eq!(blocked(&story, "design").as_deref(), Some("call.disabled"));
    story.does(join("design"));
    assert_eq!(story.codes(), ["call.disabled"]);
}

#[test]
fn archiving_a_channel_blocks_its_calls() {
    let mut story = Story::signed_in();
    story.does(open("design"));
    story.hears(ServerEvent::ChannelArchived(id("design")));
    assert_eq!(blocked(&story, "design").as_deref(), Some("call.archived"));
}

#[test]
fn calls_are_allowed_and_forbidden_by_those_who_may() {
    let allowed = |story: &Story, channel: &str| story.row(channel).calls_allowed;
    let story = Story::signed_in();
    assert_eq!(allowed(&story, "design"), None, "a member like any other");
    assert_eq!(allowed(&story, "dm-bob"), Some(true));
    let own =
        |load: &mut DirectoryLoad| load.memberships.iter_mut().for_each(|one| one.admin = true);
    let mut story = signed_in_with(|load, _| own(load));
    assert_eq!(allowed(&story, "design"), Some(true));
    story.does(Command::AllowCalls {
        channel: id("design"),
        on: false,
    });
    let asked = |request: &Request| matches!(request, Request::AllowCalls { on: false, .. });
    story.answer(asked, Reply::Done);
    story.hears(ServerEvent::CallsEnabled {
        channel: id("design"),
        enabled: false,
    });
    assert_eq!(allowed(&story, "design"), Some(false));
    assert_eq!(
        story.row("design").call_blocked.as_deref(),
        Some("call.disabled")
    );
    // Test mode leaves it to the system's administrators.
    let story = signed_in_with(|load, calls| {
        calls.config.default_enabled = false;
        own(load);
    });
    assert_eq!(allowed(&story, "design"), None);
}
