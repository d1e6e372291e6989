//! Which messages notify, and how many notifications that makes.

use super::*;
use crate::alert::{AlertSettings, AlertWish, Note, NoteKey, Words};

fn story_with(change: impl FnOnce(&mut DirectoryLoad, &mut AlertSettings)) -> Story {
    let (mut load, mut with, mut alerts) = (directory(), calls(), AlertSettings::default());
    with.config.ringing = true;
    change(&mut load, &mut alerts);
    let memory = Memory {
        alerts,
        ..Memory::default()
    };
    let mut story = Story::signed_in_with(load, Some(with), memory);
    story.does(Command::SetFocus { focused: false });
    story.effects.clear();
    story
}

fn says(channel: &str, author: &str, name: &str, at: Millis) -> Post {
    Post {
        channel: id(channel),
        ..post(name, author, at)
    }
}

fn notes(story: &mut Story) -> Vec<Note> {
    story
        .effects()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Alert(AlertWish::Show(note)) => Some(*note),
            _ => None,
        })
        .collect()
}

fn withdrawn(story: &mut Story) -> usize {
    story
        .effects()
        .iter()
        .filter(|effect| matches!(effect, Effect::Alert(AlertWish::Withdraw(_))))
        .count()
}

fn hears(story: &mut Story, post: Post, mentions_me: bool) {
    story.hears(ServerEvent::Posted {
        post: Box::new(post),
        mentions_me,
        author_online: false,
    });
}

type Change = fn(&mut DirectoryLoad, &mut AlertSettings);

fn channel_level(load: &mut DirectoryLoad, channel: &str, level: &str) {
    let member = load
        .memberships
        .iter_mut()
        .find(|member| member.channel == id(channel));
    level.clone_into(&mut member.unwrap().desktop);
}

#[test]
fn messages_notify_by_the_settings_of_the_user_and_the_channel() {
    // What holds; in which channel; whether it mentions us; whether it is told.
    let rows: &[(&str, Change, &str, bool, bool)] = &[
        ("direct", |_, _| {}, "dm-bob", false, true),
        ("group", |_, _| {}, "group", false, true),
        ("channel, no mention", |_, _| {}, "design", false, false),
        ("channel, mention", |_, _| {}, "design", true, true),
        (
            "all",
            |load, _| load.notify = load.notify.with("desktop", "all"),
            "design",
            false,
            true,
        ),
        (
            "none",
            |load, _| load.notify = load.notify.with("desktop", "none"),
            "dm-bob",
            true,
            false,
        ),
        (
            "channel says all",
            |load, _| channel_level(load, "design", "all"),
            "design",
            false,
            true,
        ),
        (
            "channel says none",
            |load, _| channel_level(load, "dm-bob", "none"),
            "dm-bob",
            true,
            false,
        ),
        (
            "channel muted",
            |load, _| {
                load.memberships
                    .iter_mut()
                    .for_each(|member| member.muted = true)
            },
            "dm-bob",
            true,
            false,
        ),
        (
            "do not disturb",
            |load, _| load.presences.push(("alice".into(), Presence::Dnd)),
            "dm-bob",
            true,
            false,
        ),
        (
            "blocked",
            |_, alerts| {
                alerts.blocked.insert("bob".into(), String::new());
            },
            "dm-bob",
            true,
            false,
        ),
        (
            "quiet hours",
            |_, alerts| {
                alerts.quiet = crate::alert::QuietHours {
                    on: true,
                    from: 0,
                    to: 1439,
                }
            },
            "dm-bob",
            true,
            false,
        ),
    ];
    for (what, change, channel, mention, told) in rows {
        let mut story = story_with(change);
        hears(&mut story, says(channel, "bob", "hello", 10), *mention);
        assert_eq!(notes(&mut story).len(), usize::from(*told), "{what}");
    }
}

#[test]
fn our_own_words_system_messages_and_ringing_calls_do_not_notify() {
    let mut story = story_with(|load, _| load.notify = load.notify.with("desktop", "all"));
    hears(&mut story, says("dm-bob", "alice", "mine", 10), false);
    let system = Post {
        kind: PostKind::System,
        ..says("design", "bob", "joined", 20)
    };
    hears(&mut story, system, false);
    let call = crate::model::CallPost {
        title: String::new(),
        start_at: DAY,
        end_at: 0,
        status: String::new(),
        recordings: 0,
        transcripts: 0,
    };
    let card = Post {
        kind: PostKind::Call(call.clone()),
        ..says("dm-bob", "bob", "call", 30)
    };
    hears(&mut story, card, false);
    assert_eq!(notes(&mut story), []);
    // In channels nothing rings: there the post is told like any other.
    let card = Post {
        kind: PostKind::Call(call),
        ..says("design", "bob", "call2", 40)
    };
    hears(&mut story, card, false);
    assert_eq!(notes(&mut story).len(), 1);
}

#[test]
fn replies_in_the_chat_of_our_call_notify_only_if_they_mention_us_unless_wanted() {
    let all: Change = |load, _| load.notify = load.notify.with("desktop", "all");
    let wanted: Change = |load, alerts| {
        load.notify = load.notify.with("desktop", "all");
        alerts.call_chat = true;
    };
    // What was chosen; in the call; whether it mentions us; told.
    for (change, inside, mention, told) in [
        (all, true, false, false),
        (all, true, true, true),
        (wanted, true, false, true),
        (all, false, false, true),
    ] {
        let mut story = story_with(change);
        if inside {
            story.does(join("design"));
            story.call(CallEvent::Accepted("sa".into()));
            let state = call_state("design", &[("sa", "alice"), ("sb", "bob")]);
            story.call(CallEvent::State(Box::new(state)));
            story.call(CallEvent::Connected);
            story.effects.clear();
        }
        let reply = Post {
            root: Some("thread".into()),
            ..says("design", "bob", "in the chat", 10)
        };
        hears(&mut story, reply, mention);
        assert_eq!(
            notes(&mut story).len(),
            usize::from(told),
            "in the call: {inside}, mention: {mention}"
        );
    }
}

#[test]
fn what_is_being_read_does_not_notify_and_reading_withdraws() {
    let mut story = story_with(|_, _| {});
    story.does(open("dm-bob"));
    hears(&mut story, says("dm-bob", "bob", "one", 10), false);
    assert_eq!(
        notes(&mut story).len(),
        1,
        "open, but the window is not in front"
    );
    story.does(Command::SetFocus { focused: true });
    assert_eq!(withdrawn(&mut story), 1);
    hears(&mut story, says("dm-bob", "bob", "two", 20), false);
    assert_eq!(notes(&mut story), []);
    story.does(Command::SetFocus { focused: false });
    hears(&mut story, says("group", "bob", "three", 30), false);
    story.effects.clear();
    story.hears(ServerEvent::Viewed(vec![(id("group"), DAY + 40)]));
    assert_eq!(withdrawn(&mut story), 1, "read on another device");
}

#[test]
fn a_hundred_messages_of_one_channel_are_one_notification_that_counts() {
    let mut story = story_with(|_, _| {});
    for n in 0..100 {
        hears(
            &mut story,
            says("dm-bob", "bob", &format!("line {n}"), 10 + n),
            false,
        );
    }
    let shown = notes(&mut story);
    assert_eq!(shown.len(), 1, "the first at once");
    assert!(!shown[0].silent);
    story.seconds(2);
    let shown = notes(&mut story);
    assert_eq!(shown.len(), 1, "the rest together");
    assert_eq!(shown[0].key, NoteKey::Messages(id("dm-bob")));
    assert_eq!(
        shown[0].body,
        Words::New {
            text: "line 99".to_owned(),
            count: 100
        }
    );
    assert!(shown[0].silent, "heard once");
}

#[test]
fn messages_of_many_channels_at_once_end_in_one_notification() {
    let mut story = story_with(|load, _| {
        for n in 0..40 {
            let name = format!("busy{n}");
            load.channels.push(channel(&name, ChannelKind::Public));
            load.memberships.push(member(&name));
        }
        load.notify = load.notify.with("desktop", "all");
    });
    for n in 0..40 {
        hears(
            &mut story,
            says(&format!("busy{n}"), "bob", &format!("p{n}"), 10 + n),
            false,
        );
    }
    story.seconds(30);
    let shown = notes(&mut story);
    assert!(shown.len() <= 8, "{}", shown.len());
    assert!(shown.iter().any(|note| note.key == NoteKey::ManyMessages));
}

#[test]
fn without_the_text_only_the_name_is_shown() {
    let mut story = story_with(|_, alerts| alerts.message_text = false);
    hears(&mut story, says("dm-bob", "bob", "the secret", 10), false);
    let shown = notes(&mut story);
    assert_eq!(
        (&shown[0].title, &shown[0].body),
        (&Words::Plain("bob".to_owned()), &Words::default())
    );
}

#[test]
fn a_server_that_may_not_notify_does_not() {
    let mut story = story_with(|_, alerts| alerts.trust.notify = false);
    hears(&mut story, says("town-square", "bob", "p1", DAY), true);
    assert_eq!(notes(&mut story), []);
    // Whether notifications arrive at all can be tried out still.
    story.does(Command::TestNote);
    assert_eq!(notes(&mut story).len(), 1);
}
