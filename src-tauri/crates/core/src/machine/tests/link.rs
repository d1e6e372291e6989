use super::*;

#[test]
fn a_short_loss_is_shown_but_not_announced() {
    let mut story = Story::signed_in();
    story.down(1);
    assert_eq!(
        story.see().link,
        Link::Lost {
            retry_in: 3,
            attempt: 1
        }
    );
    assert!(story.codes().is_empty());
    story.seconds(3);
    assert_eq!(story.see().link, Link::Connecting);
    story.link(LinkEvent::Up { resumed: true });
    assert_eq!(story.see().link, Link::Up);
    assert!(story.codes().is_empty());
}

#[test]
fn a_long_loss_is_announced_and_so_is_the_return() {
    let mut story = Story::signed_in();
    story.down(1);
    story.seconds(3);
    story.down(2);
    let notice = story.notice("link.lost");
    assert_eq!(notice.values["server"], "chat.example.org");
    assert_eq!(notice.retry, Some(Command::Reconnect));
    story.link(LinkEvent::Up { resumed: true });
    assert_eq!(story.codes(), ["link.back"]);
    story.seconds(5);
    assert!(story.codes().is_empty(), "gone by itself");
}

#[test]
fn the_same_notice_changes_in_its_place() {
    let mut story = Story::signed_in();
    story.down(2);
    let first = story.notice("link.lost").id;
    story.link(LinkEvent::Down {
        attempt: 3,
        retry_in: Duration::from_secs(12),
    });
    assert_eq!(story.codes(), ["link.lost"]);
    assert_eq!(story.notice("link.lost").id, first);
    assert_eq!(story.notice("link.lost").values["seconds"], "12");
}

#[test]
fn try_now_is_passed_on() {
    let mut story = Story::signed_in();
    story.down(2);
    story.does(Command::Reconnect);
    assert!(story.effects().contains(&Effect::Link(LinkWish::Retry)));
}

#[test]
fn after_a_gap_everything_is_loaded_again() {
    let mut story = Story::signed_in();
    story.hears(posted(post("first", "bob", 10)));
    story.requests.clear();
    story.down(1);
    story.up();
    assert!(story.request(is_directory).is_some());
    assert!(story.request(is_calls).is_some());
    let (_, posts) = story.request(is_posts).unwrap();
    assert_eq!(
        posts,
        Request::LoadPosts {
            channel: id("town-square"),
            page: Page::Since(DAY + 10)
        }
    );
}

#[test]
fn after_a_resumed_link_nothing_is_loaded() {
    let mut story = Story::signed_in();
    story.down(1);
    story.link(LinkEvent::Up { resumed: true });
    assert!(story.requests.is_empty());
}

#[test]
fn without_websockets_the_channels_can_still_be_read() {
    let mut story = Story::new();
    story.input(Input::Start(Box::new(Memory {
        session: Some(session()),
        ..Memory::default()
    })));
    story.answer(is_check, accepted());
    story.down(1);
    story.answer(is_directory, Reply::Directory(Box::new(directory())));
    assert!(matches!(story.see().account, Account::SignedIn { .. }));
}

#[test]
fn first_data_that_do_not_come_are_asked_for_again() {
    let mut story = Story::new();
    story.input(Input::Start(Box::new(Memory {
        session: Some(session()),
        ..Memory::default()
    })));
    story.answer(is_check, accepted());
    story.up();
    story.fail(is_directory, RequestError::TimedOut);
    assert_eq!(story.codes(), ["link.lost"]);
    story.seconds(5);
    story.answer(is_directory, Reply::Directory(Box::new(directory())));
    assert!(matches!(story.see().account, Account::SignedIn { .. }));
}

#[test]
fn a_directory_that_grows_stale_while_it_is_loaded_is_loaded_once_more() {
    let mut story = Story::signed_in();
    story.hears(ServerEvent::DirectoryStale);
    story.hears(ServerEvent::DirectoryStale);
    story.hears(ServerEvent::DirectoryStale);
    story.answer(is_directory, Reply::Directory(Box::new(directory())));
    story.answer(is_directory, Reply::Directory(Box::new(directory())));
    assert!(
        story.request(is_directory).is_none(),
        "once after it, and no more"
    );
}
