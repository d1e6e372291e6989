use super::*;

fn page(posts: Vec<Post>, at_start: bool) -> Reply {
    Reply::Posts { posts, at_start }
}

/// Town square with the posts `p1`…`p60` loaded, more before them.
fn with_page() -> Story {
    let mut story = Story::signed_in_with(directory(), Some(calls()), Memory::default());
    let posts = (1..=60)
        .map(|n| post(&format!("p{n:02}"), "bob", n * 10))
        .collect();
    story.answer(is_posts, page(posts, false));
    story.requests.clear();
    story
}

#[test]
fn opening_loads_the_newest_page_oldest_first() {
    let mut story = Story::signed_in_with(directory(), Some(calls()), Memory::default());
    assert!(story.see().timeline.loading);
    story.answer(
        is_posts,
        page(vec![post("b", "bob", 20), post("a", "bob", 10)], true),
    );
    assert!(!story.see().timeline.loading);
    assert!(story.see().timeline.at_start);
    assert_eq!(story.messages(), ["a", "b"]);
}

#[test]
fn a_post_that_comes_before_the_page_is_not_lost() {
    let mut story = Story::signed_in_with(directory(), Some(calls()), Memory::default());
    story.hears(posted(post("new", "bob", 99)));
    story.answer(is_posts, page(vec![post("old", "bob", 10)], true));
    assert_eq!(story.messages(), ["old", "new"]);
}

#[test]
fn older_posts_come_on_demand_and_once() {
    let mut story = with_page();
    story.does(Command::LoadOlder);
    story.does(Command::LoadOlder);
    assert!(story.see().timeline.loading_older);
    let (request, asked) = story.request(is_posts).unwrap();
    assert_eq!(
        asked,
        Request::LoadPosts {
            channel: id("town-square"),
            page: Page::Before("p01".into())
        }
    );
    assert!(story.request(is_posts).is_none());
    story.reply(request, page(vec![post("p00", "bob", 1)], true));
    assert_eq!(story.messages()[..2], ["p00", "p01"]);
    assert!(story.see().timeline.at_start && !story.see().timeline.loading_older);
    story.does(Command::LoadOlder);
    assert!(story.request(is_posts).is_none(), "there is nothing older");
}

#[test]
fn roots_of_replies_far_above_do_not_stand_alone() {
    let mut story = Story::signed_in_with(directory(), Some(calls()), Memory::default());
    let mut posts: Vec<_> = (1..=60)
        .map(|n| post(&format!("p{n:02}"), "bob", 1000 + n))
        .collect();
    posts[5].root = Some("far".into());
    posts.push(post("far", "bob", 1));
    story.answer(is_posts, page(posts, false));
    assert!(!story.messages().contains(&"far"));
    assert_eq!(story.messages().len(), 60);
}

#[test]
fn edits_show_deletions_vanish_and_take_their_replies_along() {
    let mut story = with_page();
    let edited = Post {
        message: "better".to_owned(),
        edit_at: DAY + 5000,
        update_at: DAY + 5000,
        ..post("p60", "bob", 600)
    };
    story.hears(ServerEvent::Edited(Box::new(edited.clone())));
    let last = story.see().timeline.posts.last().unwrap();
    assert!(last.edited && last.message == "better");
    // Overtaken by a newer one.
    story.hears(ServerEvent::Edited(Box::new(Post {
        message: "worse".to_owned(),
        update_at: DAY + 4000,
        ..edited
    })));
    assert_eq!(story.see().timeline.posts.last().unwrap().message, "better");
    story.hears(posted(Post {
        root: Some("p60".into()),
        ..post("reply", "bob", 700)
    }));
    assert_eq!(
        story
            .see()
            .timeline
            .posts
            .iter()
            .find(|row| row.id == "p60".into())
            .unwrap()
            .reply_count,
        1
    );
    story.hears(ServerEvent::Deleted {
        channel: id("town-square"),
        post: "p60".into(),
    });
    assert_eq!(story.messages().last(), Some(&"p59"));
}

#[test]
fn with_collapsed_threads_replies_are_not_in_the_channel() {
    let mut load = directory();
    load.collapsed_threads = true;
    let mut story = Story::signed_in_with(load, Some(calls()), Memory::default());
    story.answer(is_posts, page(vec![post("root", "bob", 10)], true));
    story.hears(posted(Post {
        root: Some("root".into()),
        ..post("reply", "bob", 20)
    }));
    assert_eq!(story.messages(), ["root"]);
    assert_eq!(story.see().timeline.posts[0].reply_count, 1);
}

#[test]
fn what_came_during_an_outage_is_caught_up() {
    let mut story = with_page();
    story.down(1);
    story.up();
    let (request, asked) = story.request(is_posts).unwrap();
    assert_eq!(
        asked,
        Request::LoadPosts {
            channel: id("town-square"),
            page: Page::Since(DAY + 600)
        }
    );
    let deleted = Post {
        delete_at: DAY + 900,
        update_at: DAY + 900,
        ..post("p59", "bob", 590)
    };
    let edited = Post {
        message: "edited".to_owned(),
        update_at: DAY + 910,
        ..post("p58", "bob", 580)
    };
    let above = Post {
        update_at: DAY + 920,
        ..post("above", "bob", 2)
    };
    story.reply(
        request,
        page(vec![post("new", "bob", 900), deleted, edited, above], false),
    );
    let messages = story.messages();
    assert_eq!(messages[messages.len() - 3..], ["edited", "p60", "new"]);
    assert!(
        !messages.contains(&"above"),
        "what lies above the page comes with its page"
    );
}

#[test]
fn after_an_outage_too_long_to_catch_up_the_page_is_loaded_anew() {
    let mut story = with_page();
    story.down(1);
    story.up();
    let many = (0..1000)
        .map(|n| post(&format!("n{n}"), "bob", 1000 + n))
        .collect();
    story.answer(is_posts, page(many, false));
    assert!(story.see().timeline.loading);
    story.answer(
        |request| {
            matches!(
                request,
                Request::LoadPosts {
                    page: Page::Newest,
                    ..
                }
            )
        },
        page(vec![post("fresh", "bob", 9000)], false),
    );
    assert_eq!(story.messages(), ["fresh"]);
}

#[test]
fn a_channel_seen_before_is_there_at_once_and_catches_up_after_a_gap() {
    let mut story = with_page();
    story.does(open("design"));
    story.answer(is_posts, page(Vec::new(), true));
    story.hears(posted(post("meanwhile", "bob", 700)));
    story.requests.clear();
    story.does(open("town-square"));
    assert!(!story.see().timeline.loading);
    assert_eq!(story.messages().last(), Some(&"meanwhile"));
    assert!(
        story.request(is_posts).is_none(),
        "events have kept it fresh"
    );
    story.does(open("design"));
    story.down(1);
    story.up();
    story.requests.clear();
    story.does(open("town-square"));
    assert!(matches!(
        story.request(is_posts).unwrap().1,
        Request::LoadPosts {
            page: Page::Since(_),
            ..
        }
    ));
}

#[test]
fn the_first_unread_post_is_marked_when_a_channel_is_opened() {
    let mut story = Story::signed_in();
    let at = |name: &str, author: &str, at| Post {
        channel: id("design"),
        ..post(name, author, at)
    };
    story.hears(ServerEvent::Viewed(vec![(id("design"), DAY + 15)]));
    story.hears(posted(at("seen", "bob", 10)));
    story.hears(posted(at("mine", "alice", 14)));
    story.hears(posted(at("news", "bob", 20)));
    story.does(open("design"));
    story.answer(
        is_posts,
        page(vec![at("seen", "bob", 10), at("news", "bob", 20)], true),
    );
    assert_eq!(story.see().timeline.first_unread, Some("news".into()));
    // Opened again, all is read.
    story.does(open("town-square"));
    story.does(open("design"));
    assert_eq!(story.see().timeline.first_unread, None);
}

#[test]
fn posts_that_cannot_be_loaded_can_be_asked_for_again() {
    let mut story = Story::signed_in();
    story.does(open("design"));
    story.fail(is_posts, refused(500, ""));
    let retry = story.notice("request.failed").retry.clone().unwrap();
    story.does(retry);
    story.answer(is_posts, page(Vec::new(), true));
    assert!(!story.see().timeline.loading);
}

#[test]
fn a_hook_speaks_under_its_own_name() {
    let mut story = Story::signed_in();
    story.hears(posted(Post {
        override_name: "Build".to_owned(),
        ..post("red", "bob", 10)
    }));
    assert_eq!(story.see().timeline.posts[0].author_name, "Build");
}

#[test]
fn posts_of_another_channel_in_an_answer_are_not_shown() {
    let mut story = Story::signed_in();
    story.does(open("design"));
    story.answer(is_posts, page(vec![post("stray", "bob", 10)], true));
    assert!(story.messages().is_empty());
}

#[test]
fn the_answer_to_a_post_of_ours_does_not_hide_what_others_wrote_before_it_unheard() {
    let mut story = with_page();
    // The socket is dead and nobody has noticed: what is written goes out and is answered.
    story.does(say("ours"));
    let (request, _) = story.request(is_create).unwrap();
    story.reply(request, Reply::Post(Box::new(post("ours", "alice", 900))));
    story.down(1);
    story.requests.clear();
    story.up();
    let (request, asked) = story.request(is_posts).unwrap();
    assert_eq!(
        asked,
        Request::LoadPosts {
            channel: id("town-square"),
            page: Page::Since(DAY + 600)
        }
    );
    let missed = vec![post("theirs", "bob", 800), post("ours", "alice", 900)];
    story.reply(request, page(missed, false));
    let messages = story.messages();
    assert_eq!(messages[messages.len() - 2..], ["theirs", "ours"]);
}

#[test]
fn what_is_missed_while_the_missed_is_on_its_way_is_asked_for_again() {
    let mut story = with_page();
    story.down(1);
    story.up();
    let (first, _) = story.request(is_posts).unwrap();
    story.down(1);
    story.up();
    // What happens before everything is here moves nothing.
    story.hears(posted(post("later", "bob", 990)));
    story.reply(first, page(vec![post("b", "bob", 700)], false));
    let (second, asked) = story.request(is_posts).unwrap();
    assert_eq!(
        asked,
        Request::LoadPosts {
            channel: id("town-square"),
            page: Page::Since(DAY + 700)
        }
    );
    story.reply(
        second,
        page(
            vec![post("c", "bob", 800), post("later", "bob", 990)],
            false,
        ),
    );
    let messages = story.messages();
    assert_eq!(messages[messages.len() - 3..], ["b", "c", "later"]);
    assert!(story.request(is_posts).is_none());
}

#[test]
fn the_same_words_said_before_are_not_taken_for_those_on_their_way() {
    let mut story = with_page();
    story.does(say("ok"));
    let (request, _) = story.request(is_create).unwrap();
    let said = Post {
        message: "ok".to_owned(),
        ..post("first", "alice", 900)
    };
    story.reply(request, Reply::Post(Box::new(said.clone())));
    story.does(say("ok"));
    story.fail(is_create, RequestError::TimedOut);
    story.down(1);
    story.up();
    let (request, _) = story.request(is_posts).unwrap();
    story.reply(request, page(vec![said], false));
    story.seconds(4);
    assert!(
        story.request(is_create).is_some(),
        "the second is still to be sent"
    );
}
