use super::*;

fn draft(text: &str) -> Command {
    Command::SaveDraft {
        channel: id("town-square"),
        root: None,
        text: text.to_owned(),
    }
}

fn created(story: &mut Story) -> (RequestId, Request) {
    story.request(is_create).expect("nothing was sent")
}

fn pending_of(request: &Request) -> crate::id::PendingId {
    match request {
        Request::CreatePost { pending, .. } => pending.clone(),
        other => panic!("{other:?}"),
    }
}

fn text_of(request: &Request) -> &str {
    match request {
        Request::CreatePost { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

fn confirmed(request: &Request, name: &str) -> Post {
    Post {
        message: text_of(request).to_owned(),
        pending: Some(pending_of(request)),
        ..post(name, "alice", 50)
    }
}

fn delivery(story: &Story) -> Vec<&Delivery> {
    story
        .see()
        .timeline
        .posts
        .iter()
        .map(|row: &PostRow| &row.delivery)
        .collect()
}

#[test]
fn a_message_shows_at_once_as_waiting_and_then_as_sent() {
    let mut story = Story::signed_in();
    story.does(draft("hello"));
    story.does(say("hello"));
    assert_eq!(story.messages(), ["hello"]);
    assert!(matches!(delivery(&story)[..], [Delivery::Waiting { .. }]));
    assert_eq!(
        story.row("town-square").draft,
        "",
        "what was sent is no draft any more"
    );
    let (request, asked) = created(&mut story);
    assert!(pending_of(&asked).as_str().starts_with("alice:"));
    story.reply(request, Reply::Post(Box::new(confirmed(&asked, "p1"))));
    assert_eq!(story.messages(), ["hello"]);
    assert_eq!(delivery(&story), [&Delivery::Sent]);
}

#[test]
fn answer_and_event_in_either_order_make_one_post() {
    for event_first in [true, false] {
        let mut story = Story::signed_in();
        story.does(say("hello"));
        let (request, asked) = created(&mut story);
        let post = confirmed(&asked, "p1");
        if event_first {
            story.hears(posted(post.clone()));
            assert_eq!(story.messages(), ["hello"]);
            story.reply(request, Reply::Post(Box::new(post)));
        } else {
            story.reply(request, Reply::Post(Box::new(post.clone())));
            story.hears(posted(post));
        }
        assert_eq!(story.messages(), ["hello"]);
        assert_eq!(delivery(&story), [&Delivery::Sent]);
        assert!(!story.row("town-square").unread);
    }
}

#[test]
fn messages_leave_one_after_the_other_with_ids_of_their_own() {
    let mut story = Story::signed_in();
    story.does(say("one"));
    story.does(say("two"));
    let (first, one) = created(&mut story);
    assert!(
        story.request(is_create).is_none(),
        "the second waits for the first"
    );
    story.reply(first, Reply::Post(Box::new(confirmed(&one, "p1"))));
    let (_, two) = created(&mut story);
    assert_eq!(text_of(&two), "two");
    assert_ne!(pending_of(&one), pending_of(&two));
}

#[test]
fn an_answer_that_does_not_come_is_asked_for_again_with_the_same_id() {
    let mut story = Story::signed_in();
    story.does(say("hello"));
    let (request, one) = created(&mut story);
    story.input(Input::Reply(request, Err(RequestError::TimedOut)));
    assert!(matches!(delivery(&story)[..], [Delivery::Waiting { .. }]));
    story.seconds(3);
    let (_, again) = created(&mut story);
    assert_eq!(pending_of(&one), pending_of(&again));
}

#[test]
fn offline_messages_wait_for_the_link() {
    let mut story = Story::signed_in();
    story.down(1);
    story.does(say("hello"));
    let (request, _) = created(&mut story);
    story.input(Input::Reply(request, Err(offline())));
    story.seconds(60);
    while let Some((request, _)) = story.request(is_create) {
        story.input(Input::Reply(request, Err(offline())));
    }
    assert!(matches!(delivery(&story)[..], [Delivery::Waiting { .. }]));
    story.seconds(600);
    assert!(
        story.request(is_create).is_none(),
        "the server has forgotten the id: better wait than post twice"
    );
    story.up();
    story.requests.clear();
    story.seconds(3);
    assert_eq!(text_of(&created(&mut story).1), "hello");
}

#[test]
fn a_post_that_had_arrived_after_all_is_recognised_when_catching_up() {
    let mut story = Story::signed_in();
    story.does(say("hello"));
    let (request, _) = created(&mut story);
    story.down(1);
    story.input(Input::Reply(request, Err(RequestError::TimedOut)));
    story.up();
    let list = vec![Post {
        message: "hello".to_owned(),
        ..post("p1", "alice", 50)
    }];
    story.answer(
        is_posts,
        Reply::Posts {
            posts: list,
            at_start: true,
        },
    );
    assert_eq!(story.messages(), ["hello"]);
    assert_eq!(delivery(&story), [&Delivery::Sent]);
    story.seconds(60);
    assert!(story.request(is_create).is_none());
}

#[test]
fn a_refused_message_stays_with_the_reason_and_can_be_tried_again_or_given_up() {
    let mut story = Story::signed_in();
    for (error, reason) in [
        (
            refused(400, "api.post.create_post.can_not_post_to_deleted.error"),
            "post.archived",
        ),
        (
            refused(400, "api.post.create_post.root_id.app_error"),
            "post.thread_gone",
        ),
        (
            refused(403, "api.context.permissions.app_error"),
            "the server's words",
        ),
    ] {
        story.does(say("hello"));
        story.fail(is_create, error);
        let Some(Delivery::Failed {
            pending,
            reason: said,
        }) = delivery(&story).pop().cloned()
        else {
            panic!()
        };
        assert_eq!(said, reason);
        story.does(Command::RetryPost {
            pending: pending.clone(),
        });
        assert!(matches!(delivery(&story)[..], [Delivery::Waiting { .. }]));
        story.fail(is_create, refused(403, ""));
        story.does(Command::DiscardPost { pending });
        assert!(story.messages().is_empty());
    }
}

#[test]
fn a_failed_message_does_not_hold_up_the_next() {
    let mut story = Story::signed_in();
    story.does(say("one"));
    story.does(say("two"));
    story.fail(is_create, refused(403, ""));
    assert_eq!(text_of(&created(&mut story).1), "two");
}

#[test]
fn a_busy_server_is_given_the_time_it_asks_for() {
    let mut story = Story::signed_in();
    story.does(say("hello"));
    let after = Duration::from_secs(9);
    story.fail(is_create, RequestError::RateLimited { after });
    story.seconds(8);
    assert!(story.request(is_create).is_none());
    story.seconds(1);
    assert!(story.request(is_create).is_some());
}

#[test]
fn a_message_too_long_is_not_sent_and_not_lost() {
    let mut story = Story::signed_in();
    let long = "ä".repeat(101);
    story.does(say(&long));
    assert!(story.request(is_create).is_none());
    assert_eq!(story.notice("post.too_long").values["n"], "101");
    assert_eq!(story.notice("post.too_long").values["max"], "100");
    assert_eq!(story.row("town-square").draft, long);
    story.does(say(&"ä".repeat(100)));
    assert!(
        story.request(is_create).is_some(),
        "characters count, not bytes"
    );
}

#[test]
fn nothing_is_sent_for_nothing() {
    let mut story = Story::signed_in();
    story.does(say("  \n "));
    assert!(story.requests.is_empty());
}

#[test]
fn drafts_are_kept_by_channel_and_over_a_restart() {
    let mut story = Story::signed_in();
    story.does(draft("half a th"));
    assert_eq!(story.row("town-square").draft, "half a th");
    assert!(story.effects().contains(&Effect::Remember(Remember::Draft(
        id("town-square"),
        "half a th".to_owned()
    ))));
    story.does(draft("half a th"));
    assert_eq!(story.effects(), [], "unchanged");
    let drafts = BTreeMap::from([(id("design"), "from last time".to_owned())]);
    let story = Story::signed_in_with(
        directory(),
        Some(calls()),
        Memory {
            drafts,
            ..Memory::default()
        },
    );
    assert_eq!(story.row("design").draft, "from last time");
}

#[test]
fn other_slash_commands_are_the_servers() {
    let mut story = Story::signed_in();
    story.does(say("/away"));
    let (_, asked) = story.request(is_execute).unwrap();
    let expected = Request::Execute {
        channel: id("town-square"),
        root: None,
        team: Some("team".into()),
        command: "/away".to_owned(),
    };
    assert_eq!(asked, expected);
    assert!(story.messages().is_empty());
    for text in ["/call link", "/call", "/caller start"] {
        story.does(say(text));
        assert!(story.request(is_execute).is_some(), "{text}");
    }
    // In a direct channel the open team goes along.
    story.does(Command::SendPost {
        channel: id("dm-bob"),
        root: None,
        text: "/away".to_owned(),
    });
    assert!(matches!(
        story.request(is_execute).unwrap().1,
        Request::Execute { team: Some(_), .. }
    ));
}

#[test]
fn a_slash_command_that_nobody_knows_comes_back() {
    let mut story = Story::signed_in();
    story.does(say("/sheila go"));
    story.fail(
        is_execute,
        refused(404, "api.command.execute_command.not_found.app_error"),
    );
    assert_eq!(story.notice("command.unknown").values["command"], "/sheila");
    assert_eq!(story.row("town-square").draft, "/sheila go");
}

#[test]
fn a_slash_command_that_failed_comes_back_before_what_was_typed_since() {
    let mut story = Story::signed_in();
    story.does(say("/away"));
    story.does(draft("next"));
    story.fail(is_execute, offline());
    assert_eq!(story.codes(), ["command.failed"]);
    assert_eq!(story.row("town-square").draft, "/away\nnext");
}

#[test]
fn only_we_see_what_the_server_whispers() {
    let mut story = Story::signed_in();
    story.hears(posted(Post {
        kind: PostKind::Ephemeral,
        ..post("psst", "bob", 10)
    }));
    assert_eq!(story.messages(), ["psst"]);
    assert!(!story.row("town-square").unread);
    assert!(story.request(is_view).is_none());
}
