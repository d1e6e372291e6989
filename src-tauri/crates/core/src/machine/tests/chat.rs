use super::*;
use crate::id::{CategoryId, FileId, UploadId};
use crate::input::{Attach, UploadEvent};
use crate::model::{Category, CategoryKind, CommandHint, CustomEmoji, File, FoundChannel};
use crate::snapshot::UploadState;

fn with(posts: Vec<Post>) -> Story {
    let mut story = Story::signed_in();
    for post in posts {
        story.hears(posted(post));
    }
    story
}

fn reaction(story: &Story) -> Vec<(String, u32, bool)> {
    let row = &story.see().timeline.posts[0];
    let told = |one: &crate::snapshot::ReactionRow| (one.emoji.clone(), one.count, one.mine);
    row.reactions.iter().map(told).collect()
}

#[test]
fn a_reaction_shows_at_once_and_goes_when_the_server_does_not_want_it() {
    let mut story = with(vec![post("hello", "bob", 1)]);
    let react = |on| Command::React {
        post: "hello".into(),
        emoji: "tada".to_owned(),
        on,
    };
    story.does(react(true));
    assert_eq!(reaction(&story), [("tada".to_owned(), 1, true)]);
    // The server tells everybody, us too: told twice it counts once.
    let told = |user: &str, on| ServerEvent::Reacted {
        post: "hello".into(),
        user: user.into(),
        emoji: "tada".to_owned(),
        on,
    };
    story.hears(told("alice", true));
    story.hears(told("bob", true));
    assert_eq!(reaction(&story), [("tada".to_owned(), 2, true)]);
    let is_react = |request: &Request| matches!(request, Request::React { .. });
    story.answer(is_react, Reply::Done);
    story.does(react(false));
    assert_eq!(reaction(&story), [("tada".to_owned(), 1, false)]);
    story.fail(is_react, RequestError::TimedOut);
    assert_eq!(reaction(&story), [("tada".to_owned(), 2, true)]);
    assert!(story.notice("request.failed").retry.is_some());
}

#[test]
fn editing_and_deleting_are_offered_where_they_are_allowed_and_again_when_they_fail() {
    let mut story = with(vec![post("mine", "alice", 1), post("theirs", "bob", 2)]);
    let offered: Vec<_> = story
        .see()
        .timeline
        .posts
        .iter()
        .map(|row| (row.editable, row.deletable))
        .collect();
    assert_eq!(offered, [(true, true), (false, false)]);
    let edit = Command::EditPost {
        post: "mine".into(),
        text: " better ".to_owned(),
    };
    story.does(edit.clone());
    let is_edit = |request: &Request| matches!(request, Request::EditPost { message, .. } if message == "better");
    story.fail(is_edit, RequestError::TimedOut);
    assert_eq!(story.notice("post.not_edited").retry, Some(edit.clone()));
    story.does(edit);
    let edited = Post {
        message: "better".to_owned(),
        edit_at: DAY + 9,
        update_at: DAY + 9,
        ..post("mine", "alice", 1)
    };
    story.answer(is_edit, Reply::Post(Box::new(edited)));
    assert_eq!(story.messages(), ["better", "theirs"]);
    story.does(Command::DeletePost {
        post: "mine".into(),
    });
    assert_eq!(
        story.messages().len(),
        2,
        "not before the server has agreed"
    );
    story.answer(
        |request| matches!(request, Request::DeletePost(_)),
        Reply::Done,
    );
    assert_eq!(story.messages(), ["theirs"]);
}

#[test]
fn a_thread_shows_what_is_known_at_once_then_the_whole_then_what_comes() {
    let reply = |name: &str, at| Post {
        root: Some("root".into()),
        ..post(name, "bob", at)
    };
    let mut story = with(vec![post("root", "bob", 1), reply("first", 2)]);
    story.does(Command::OpenThread {
        channel: id("town-square"),
        root: "root".into(),
    });
    let texts = |story: &Story| -> Vec<String> {
        story
            .see()
            .thread
            .posts
            .iter()
            .map(|row| row.message.clone())
            .collect()
    };
    assert_eq!(texts(&story), ["root", "first"]);
    assert!(story.see().thread.loading);
    story.answer(
        |request| matches!(request, Request::LoadThread(_)),
        Reply::Thread {
            posts: vec![
                reply("second", 3),
                post("root", "bob", 1),
                reply("first", 2),
            ],
        },
    );
    assert_eq!(texts(&story), ["root", "first", "second"]);
    assert!(!story.see().thread.loading);
    story.hears(posted(reply("third", 4)));
    story.does(Command::SendPost {
        channel: id("town-square"),
        root: Some("root".into()),
        text: "ours".to_owned(),
    });
    assert_eq!(texts(&story), ["root", "first", "second", "third", "ours"]);
    // A draft of its own, not the channel's.
    story.does(Command::SaveDraft {
        channel: id("town-square"),
        root: Some("root".into()),
        text: "half".to_owned(),
    });
    assert_eq!(story.see().thread.draft, "half");
    assert_eq!(story.row("town-square").draft, "");
    story.hears(ServerEvent::Deleted {
        channel: id("town-square"),
        post: "root".into(),
    });
    assert!(story.see().thread.gone);
    story.does(Command::CloseThread);
    assert_eq!(story.see().thread.root, None);
}

#[test]
fn who_types_is_shown_until_they_stop_or_post() {
    let mut story = with(vec![post("hello", "bob", 1)]);
    let types = |user: &str| ServerEvent::Typing {
        channel: id("town-square"),
        root: None,
        user: user.into(),
    };
    story.hears(types("bob"));
    story.hears(types("dave"));
    assert_eq!(story.see().timeline.typing, ["bob", "dave"]);
    story.hears(posted(post("done", "bob", 2)));
    assert_eq!(story.see().timeline.typing, ["dave"]);
    story.seconds(7);
    assert!(story.see().timeline.typing.is_empty());
}

#[test]
fn typing_is_told_every_few_seconds_and_at_once_after_sending() {
    let mut story = Story::signed_in();
    let types = Command::Typing {
        channel: id("town-square"),
        root: None,
    };
    let is_typing = |request: &Request| matches!(request, Request::Typing { .. });
    story.does(types.clone());
    assert!(story.request(is_typing).is_some());
    story.does(types.clone());
    assert!(story.request(is_typing).is_none());
    story.seconds(5);
    story.does(types.clone());
    assert!(story.request(is_typing).is_some());
    story.does(Command::SendPost {
        channel: id("town-square"),
        root: None,
        text: "hello".to_owned(),
    });
    story.does(types);
    assert!(story.request(is_typing).is_some());
}

fn attach(story: &mut Story, name: &str, size: usize) {
    story.input(Input::Attach(Box::new(Attach {
        channel: id("town-square"),
        root: None,
        name: name.to_owned(),
        bytes: vec![0; size].into(),
    })));
}

fn uploads(story: &Story) -> Vec<UploadState> {
    let here = story.see().compose.uploads.get("town-square");
    here.into_iter()
        .flatten()
        .map(|row| row.state.clone())
        .collect()
}

#[test]
fn files_go_with_the_post_once_they_are_there_and_nothing_is_lost_before() {
    let mut story = Story::signed_in();
    attach(&mut story, "plan.pdf", 100);
    let sent = |effect: &Effect| matches!(effect, Effect::Upload(UploadId(1), wish) if wish.name == "plan.pdf");
    assert!(story.effects().iter().any(sent));
    story.input(Input::Upload(UploadId(1), UploadEvent::Sent(40)));
    assert_eq!(uploads(&story), [UploadState::Sending { sent: 40 }]);
    let say = Command::SendPost {
        channel: id("town-square"),
        root: None,
        text: "the plan".to_owned(),
    };
    let is_create = |request: &Request| matches!(request, Request::CreatePost { .. });
    story.does(say.clone());
    assert!(story.request(is_create).is_none(), "it waits for its file");
    assert_eq!(story.row("town-square").draft, "the plan");
    story.input(Input::Upload(
        UploadId(1),
        UploadEvent::Failed(RequestError::TimedOut),
    ));
    assert!(matches!(uploads(&story)[..], [UploadState::Failed { .. }]));
    story.does(Command::RetryUpload {
        upload: UploadId(1),
    });
    assert!(story.effects().iter().any(sent), "the content was kept");
    let stored = File {
        id: FileId::from("f1"),
        ..File::default()
    };
    story.input(Input::Upload(
        UploadId(1),
        UploadEvent::Done(Box::new(stored)),
    ));
    story.does(say);
    let (_, request) = story.request(is_create).unwrap();
    let Request::CreatePost { files, message, .. } = request else {
        unreachable!()
    };
    assert_eq!(
        (files, message.as_str()),
        (vec![FileId::from("f1")], "the plan")
    );
    assert!(uploads(&story).is_empty());
    assert_eq!(story.row("town-square").draft, "");
}

#[test]
fn what_is_too_large_or_too_much_is_refused_with_a_word_and_what_is_taken_back_stops() {
    let mut story = Story::signed_in();
    attach(&mut story, "film.mkv", 1001);
    assert_eq!(story.notice("file.too_large").values["name"], "film.mkv");
    for at in 0..11 {
        attach(&mut story, &format!("{at}.txt"), 1);
    }
    assert_eq!(uploads(&story).len(), 10);
    assert!(story.codes().contains(&"file.too_many"));
    story.effects();
    story.does(Command::RemoveUpload {
        upload: UploadId(1),
    });
    assert!(story.effects().contains(&Effect::StopUpload(UploadId(1))));
    assert_eq!(uploads(&story).len(), 9);
}

#[test]
fn a_file_is_saved_under_a_harmless_name() {
    let mut story = Story::signed_in();
    story.does(Command::SaveFile {
        file: "f1".into(),
        name: "../../.profile".to_owned(),
    });
    let expected = Effect::Save {
        file: "f1".into(),
        name: "profile".to_owned(),
    };
    assert!(story.effects().contains(&expected));
    story.input(Input::Saved {
        file: "f1".into(),
        result: Ok("/home/alice/Downloads/profile".to_owned()),
    });
    assert_eq!(
        story.notice("file.saved").values["path"],
        "/home/alice/Downloads/profile"
    );
}

fn category(id: &str, kind: CategoryKind, channels: &[&str]) -> Category {
    Category {
        id: CategoryId::from(id),
        team: "team".into(),
        kind,
        channels: channels.iter().map(|one| ChannelId::from(*one)).collect(),
        ..Category::default()
    }
}

#[test]
fn categories_group_the_channels_and_a_favourite_moves_at_once() {
    let mut load = directory();
    load.categories = vec![
        category("fav", CategoryKind::Favorites, &[]),
        category("ours", CategoryKind::Custom, &["secret"]),
        category("chan", CategoryKind::Channels, &["town-square", "design"]),
        category("dm", CategoryKind::Direct, &[]),
    ];
    let mut story = Story::signed_in_with(load, Some(calls()), Memory::default());
    let groups = |story: &Story| -> Vec<(String, Vec<String>)> {
        let rows = story.see().directory.categories.iter();
        rows.map(|row| {
            (
                row.id.to_string(),
                row.channels.iter().map(ToString::to_string).collect(),
            )
        })
        .collect()
    };
    let names: Vec<_> = groups(&story).into_iter().map(|(id, _)| id).collect();
    assert_eq!(names, ["ours", "chan", "dm"], "an empty one is not shown");
    assert_eq!(groups(&story)[1].1, ["design", "town-square"]);
    story.does(Command::SetFavorite {
        channel: id("design"),
        on: true,
    });
    assert_eq!(
        groups(&story)[0],
        ("fav".to_owned(), vec!["design".to_owned()])
    );
    let is_put = |request: &Request| matches!(request, Request::PutCategories(changed) if changed.len() == 2);
    assert!(story.request(is_put).is_some());
    story.does(Command::FoldCategory {
        category: "dm".into(),
        folded: true,
    });
    assert!(story.see().directory.categories.last().unwrap().folded);
    // Every channel of the list is in exactly one group.
    let shown: usize = groups(&story)
        .iter()
        .map(|(_, channels)| channels.len())
        .sum();
    assert_eq!(shown, story.see().directory.channels.len());
}

#[test]
fn the_finder_takes_the_answer_to_what_was_typed_last() {
    let mut story = Story::signed_in();
    let find = |text: &str| Command::Find {
        text: text.to_owned(),
    };
    let is_find = |request: &Request| matches!(request, Request::Find { .. });
    story.does(find("e"));
    let (first, _) = story.request(is_find).unwrap();
    story.does(find("er"));
    let (second, _) = story.request(is_find).unwrap();
    let matches = |user_name: &str, channel: &str| Reply::Matches {
        users: vec![user(user_name)],
        channels: vec![
            FoundChannel {
                id: id(channel),
                name: channel.to_owned(),
            },
            FoundChannel {
                id: id("design"),
                name: "ours already".to_owned(),
            },
        ],
    };
    story.reply(second, matches("erin", "errors"));
    story.reply(first, matches("eve", "events"));
    let finder = &story.see().finder;
    assert_eq!(finder.people, [UserId::from("erin")]);
    assert_eq!(finder.channels.len(), 1);
    assert!(!finder.busy);
    assert!(story.see().directory.people.contains_key("erin"));
    story.does(find(""));
    assert!(story.see().finder.people.is_empty());
}

#[test]
fn mentions_and_commands_are_completed_by_the_server() {
    let mut story = Story::signed_in();
    let complete = |text: &str| Command::Complete {
        channel: id("town-square"),
        root: None,
        text: text.to_owned(),
    };
    story.does(complete("@er"));
    story.answer(
        |request| matches!(request, Request::CompleteUser { text, .. } if text == "er"),
        Reply::Users(vec![user("erin")]),
    );
    assert_eq!(story.see().compose.people, [UserId::from("erin")]);
    assert_eq!(story.see().compose.text, "@er");
    story.does(complete("/ca"));
    assert!(story.see().compose.people.is_empty());
    let hint = CommandHint {
        complete: "/call".to_owned(),
        suggestion: "call".to_owned(),
        hint: String::new(),
        description: String::new(),
    };
    story.answer(
        |request| matches!(request, Request::CompleteCommand { .. }),
        Reply::Hints(vec![hint.clone()]),
    );
    assert_eq!(story.see().compose.commands, [hint]);
}

#[test]
fn groups_are_opened_with_up_to_seven_others() {
    let mut story = Story::signed_in();
    let open = |names: &[&str]| Command::OpenGroup {
        users: names.iter().map(|name| UserId::from(*name)).collect(),
    };
    story.does(open(&["bob", "dave", "alice"]));
    let is_open =
        |request: &Request| matches!(request, Request::OpenGroup(users) if users.len() == 2);
    assert!(story.request(is_open).is_some());
    story.does(open(&["a", "b", "c", "d", "e", "f", "g", "h"]));
    assert!(story.codes().contains(&"group.too_many"));
    story.does(open(&["bob"]));
    assert_eq!(story.see().directory.channel, Some(id("dm-bob")));
}

#[test]
fn custom_emoji_are_asked_for_again_when_some_are_added() {
    let mut story = Story::signed_in_with(directory(), Some(calls()), Memory::default());
    let is_emoji = |request: &Request| matches!(request, Request::LoadEmoji);
    let emoji = |name: &str| CustomEmoji {
        id: name.to_owned(),
        name: name.to_owned(),
    };
    story.answer(is_emoji, Reply::Emoji(vec![emoji("zebra")]));
    assert_eq!(story.see().emoji, [emoji("zebra")]);
    story.hears(ServerEvent::EmojiChanged);
    story.answer(is_emoji, Reply::Emoji(vec![emoji("zebra"), emoji("ant")]));
    assert_eq!(story.see().emoji, [emoji("ant"), emoji("zebra")]);
}

#[test]
fn the_look_is_kept_in_its_bounds_and_remembered() {
    let mut story = Story::signed_in();
    let appearance = crate::preferences::Appearance {
        text_percent: 1000,
        ..Default::default()
    };
    story.does(Command::SetAppearance { appearance });
    assert_eq!(story.see().appearance.text_percent, 200);
    let kept = |effect: &Effect| matches!(effect, Effect::Remember(Remember::Appearance(look)) if look.text_percent == 200);
    assert!(story.effects().iter().any(kept));
}
