//! What people do in a call beside talking: reactions, the host's controls, recordings, captions, chat, links.

use super::*;
use crate::command::HostAction;
use crate::model::{Emoji, Job, JobKind};
use crate::snapshot::RecordingPrompt;

fn licensed() -> CallsLoad {
    let mut load = calls();
    load.config.host_controls = true;
    load.config.recordings = true;
    load.config.max_recording_minutes = 60;
    load
}

/// In a call with Bob and Dave; the host is whoever is named.
fn in_call_of(host: &str) -> Story {
    let mut story = Story::signed_in_with(directory(), Some(licensed()), Memory::default());
    story.does(join("town-square"));
    story.media(MediaEvent::Ready(DeviceRole::Input));
    story.call(CallEvent::Accepted("sa".into()));
    let state = CallState {
        host: Some(host.into()),
        ..call_state(
            "town-square",
            &[("sa", "alice"), ("sb", "bob"), ("sd", "dave")],
        )
    };
    story.call(CallEvent::State(Box::new(state)));
    story.call(CallEvent::Connected);
    story.call(CallEvent::VoiceReady);
    story.seconds(6);
    story.requests.clear();
    story.effects.clear();
    story
}

fn thumb() -> Emoji {
    Emoji {
        name: "+1".to_owned(),
        unified: "1f44d".to_owned(),
        ..Emoji::default()
    }
}

fn react(literal: &str) -> Command {
    Command::ShowEmoji {
        name: "+1".to_owned(),
        literal: literal.to_owned(),
    }
}

fn shown(story: &Story) -> Vec<(&str, &str)> {
    let rows = story.see_call().reactions.iter();
    rows.map(|one| (one.session.as_str(), one.text.as_str()))
        .collect()
}

fn row<'a>(story: &'a Story, session: &str) -> &'a crate::snapshot::ParticipantRow {
    let mut rows = story.see_call().participants.iter();
    rows.find(|row| row.session == session.into())
        .expect("not in the call")
}

fn moderate(action: HostAction) -> Command {
    Command::Moderate { action }
}

fn is_moderate(request: &Request) -> bool {
    matches!(request, Request::Moderate { .. })
}

fn is_end(request: &Request) -> bool {
    matches!(request, Request::EndCall(_))
}

fn is_record(request: &Request) -> bool {
    matches!(request, Request::Record { .. })
}

fn is_thread(request: &Request) -> bool {
    matches!(request, Request::LoadThread(_))
}

// ---- Reactions.

#[test]
fn a_reaction_is_seen_at_once_told_to_the_others_and_not_doubled_by_its_echo() {
    let mut story = in_call_of("bob");
    story.does(react("👍🏽"));
    assert_eq!(shown(&story), [("sa", "👍🏽")]);
    assert_eq!(row(&story, "sa").reaction.as_deref(), Some("👍🏽"));
    let sent = Emoji {
        unified: "1f44d-1f3fd".to_owned(),
        skin: "1f3fd".to_owned(),
        literal: "👍🏽".to_owned(),
        ..thumb()
    };
    let intent = CallIntent::React(sent.clone());
    assert!(
        story
            .effects()
            .contains(&Effect::Call(CallNumber(1), CallWish::Apply(intent)))
    );
    story.call(CallEvent::Reacted("sa".into(), sent, DAY));
    assert_eq!(shown(&story).len(), 1);
}

#[test]
fn a_reaction_is_gone_after_ten_seconds_and_a_newer_one_keeps_the_icon() {
    let mut story = in_call_of("bob");
    story.call(CallEvent::Reacted("sb".into(), thumb(), DAY));
    story.seconds(6);
    story.call(CallEvent::Reacted("sb".into(), thumb(), DAY + 6000));
    story.seconds(5);
    assert_eq!(shown(&story).len(), 1);
    assert!(row(&story, "sb").reaction.is_some());
    story.seconds(5);
    assert_eq!(shown(&story), []);
    assert_eq!(row(&story, "sb").reaction, None);
}

#[test]
fn a_storm_of_reactions_is_cut_to_fifty_and_ours_to_what_the_server_takes() {
    let mut story = in_call_of("bob");
    for at in 0..80 {
        story.call(CallEvent::Reacted("sb".into(), thumb(), DAY + at));
    }
    assert_eq!(shown(&story).len(), 50);
    story.effects.clear();
    for _ in 0..30 {
        story.does(react("🎉"));
    }
    let sent = story.effects();
    let sent = sent.iter().filter(|effect| {
        matches!(
            effect,
            Effect::Call(_, CallWish::Apply(CallIntent::React(_)))
        )
    });
    assert_eq!(sent.count(), 5);
}

#[test]
fn who_leaves_takes_their_reactions_along_and_strangers_have_none() {
    let mut story = in_call_of("bob");
    story.call(CallEvent::Reacted("sb".into(), thumb(), DAY));
    story.call(CallEvent::Reacted("unknown".into(), thumb(), DAY));
    assert_eq!(shown(&story), [("sb", "👍")]);
    story.call(CallEvent::Left("sb".into()));
    assert_eq!(shown(&story), []);
}

#[test]
fn among_the_muted_a_reaction_comes_first() {
    let mut story = in_call_of("bob");
    let order = |story: &Story| -> Vec<String> {
        let rows = story.see_call().participants.iter();
        rows.map(|row| row.session.to_string()).collect()
    };
    assert_eq!(order(&story), ["sa", "sb", "sd"]);
    story.call(CallEvent::Reacted("sd".into(), thumb(), DAY));
    story.call(CallEvent::Reacted("sb".into(), thumb(), DAY));
    assert_eq!(order(&story), ["sd", "sb", "sa"]);
}

// ---- The host.

#[test]
fn the_hosts_controls_are_for_the_host_where_the_server_has_them() {
    assert!(in_call_of("alice").see_call().can_moderate);
    let mut guest = in_call_of("bob");
    assert!(!guest.see_call().can_moderate && !guest.see_call().can_end);
    guest.does(moderate(HostAction::MuteOthers));
    assert!(guest.request(is_moderate).is_none());
    guest.notice("call.not_host");
    // Handed over, it is theirs.
    guest.call(CallEvent::Host(Some("alice".into())));
    assert!(guest.see_call().can_moderate && guest.see_call().can_record);
    guest.notice("call.host_you");
}

#[test]
fn an_administrator_has_all_controls_without_being_the_host() {
    let mut load = directory();
    load.me.is_admin = true;
    let mut story = Story::signed_in_with(load, Some(licensed()), Memory::default());
    story.does(join("town-square"));
    story.call(CallEvent::Accepted("sa".into()));
    let state = call_state("town-square", &[("sa", "alice"), ("sb", "bob")]);
    story.call(CallEvent::State(Box::new(state)));
    story.call(CallEvent::Connected);
    let call = story.see_call();
    assert_eq!(call.host, Some("bob".into()));
    assert!(call.can_moderate && call.can_end && !call.can_record);
    for action in [
        HostAction::MakeHost {
            user: "alice".into(),
        },
        HostAction::Mute {
            session: "sb".into(),
        },
        HostAction::MuteOthers,
        HostAction::StopShare {
            session: "sb".into(),
        },
        HostAction::LowerHand {
            session: "sb".into(),
        },
        HostAction::Remove {
            session: "sb".into(),
        },
    ] {
        story.does(moderate(action.clone()));
        let (asked, request) = story.request(is_moderate).expect("the server is asked");
        assert!(matches!(request, Request::Moderate { action: asked, .. } if asked == action));
        story.reply(asked, Reply::Done);
    }
    assert!(!story.codes().contains(&"call.not_host"));
}

#[test]
fn a_control_that_the_server_is_too_busy_for_is_asked_again_by_itself() {
    let mut story = in_call_of("alice");
    story.does(moderate(HostAction::MuteOthers));
    let after = Duration::from_secs(2);
    story.fail(is_moderate, RequestError::RateLimited { after });
    assert!(story.request(is_moderate).is_none() && story.codes().is_empty());
    story.does(moderate(HostAction::MuteOthers));
    assert!(
        story.request(is_moderate).is_none(),
        "it is waiting already"
    );
    story.seconds(2);
    story.fail(is_moderate, RequestError::RateLimited { after });
    assert_eq!(
        story.codes(),
        ["call.host_refused"],
        "twice is enough: then the person is told"
    );
    // A server that wants a minute is not obeyed in silence.
    story.does(moderate(HostAction::MuteOthers));
    let after = Duration::from_secs(60);
    story.fail(is_moderate, RequestError::RateLimited { after });
    story.notice("call.host_refused");
    story.seconds(90);
    assert!(story.request(is_moderate).is_none());
}

#[test]
fn a_control_on_its_way_shows_on_the_row_until_the_server_has_answered() {
    let mut story = in_call_of("alice");
    let mute = HostAction::Mute {
        session: "sb".into(),
    };
    story.does(moderate(mute.clone()));
    assert!(row(&story, "sb").busy && !row(&story, "sd").busy);
    let (asked, request) = story.request(is_moderate).unwrap();
    assert_eq!(
        request,
        Request::Moderate {
            channel: id("town-square"),
            action: mute.clone()
        }
    );
    story.reply(asked, Reply::Done);
    assert!(!row(&story, "sb").busy);

    story.does(moderate(mute));
    story.fail(is_moderate, refused(400, ""));
    assert!(!row(&story, "sb").busy);
    let notice = story.notice("call.host_refused");
    assert_eq!(notice.values["name"], "Bob Stone");
    assert_eq!(notice.detail.as_deref(), Some("the server's words"));
}

#[test]
fn who_has_left_meanwhile_is_not_removed() {
    let mut story = in_call_of("alice");
    story.call(CallEvent::Left("sb".into()));
    let session = "sb".into();
    story.does(moderate(HostAction::Remove { session }));
    assert!(story.request(is_moderate).is_none());
}

#[test]
fn ending_for_everyone_waits_three_seconds_and_can_be_taken_back() {
    let mut story = in_call_of("alice");
    story.does(Command::EndCall);
    assert_eq!(story.see_call().ending_at, Some(story.unix + 3000));
    story.seconds(2);
    assert!(story.request(is_end).is_none());
    story.does(Command::UndoEndCall);
    story.seconds(5);
    assert!(story.request(is_end).is_none());
    assert_eq!(story.see_call().ending_at, None);

    story.does(Command::EndCall);
    story.seconds(3);
    assert_eq!(
        story.see_call().phase,
        CallPhase::Live,
        "the server has the last word"
    );
    story.fail(is_end, offline());
    story.notice("call.ended_not");
    story.does(Command::EndCall);
    story.seconds(3);
    story.answer(is_end, Reply::Done);
    story.call(CallEvent::Ended(EndReason::EndedForAll));
    assert_eq!(story.see_call().phase, CallPhase::Idle);
    assert!(!story.codes().contains(&"call.ended_not"));
}

#[test]
fn leaving_takes_the_end_for_everyone_back() {
    let mut story = in_call_of("alice");
    story.does(Command::EndCall);
    story.does(Command::LeaveCall);
    story.seconds(5);
    assert!(story.request(is_end).is_none());
}

#[test]
fn the_removal_of_somebody_else_is_told_and_an_administrator_is_named() {
    let mut story = in_call_of("bob");
    story.call(CallEvent::Removed("sd".into()));
    assert_eq!(story.notice("call.removed_other").values["name"], "dave");
    story.does(Command::RaiseHand { raised: true });
    story.call(CallEvent::LowerHandRequested(Some("dave".into())));
    assert_eq!(story.notice("call.hand_lowered").values["name"], "dave");
    assert_eq!(row(&story, "sa").hand_raised_at, None);
}

#[test]
fn asking_to_unmute_writes_directly_and_makes_the_channel_if_need_be() {
    let mut story = in_call_of("alice");
    let ask = |user: &str| Command::SendDirect {
        user: user.into(),
        text: "Can you unmute?".to_owned(),
    };
    story.does(ask("dave"));
    assert!(story.request(is_create).is_none());
    let made = Channel {
        id: "dm-new".into(),
        team: None,
        kind: ChannelKind::Direct,
        name: "anything".to_owned(),
        display_name: String::new(),
        header: String::new(),
        archived: false,
        last_post_at: 0,
        total_posts: 0,
        total_root_posts: 0,
    };
    let open = story.see().directory.channel.clone();
    let reply = Reply::Channel(Box::new(made), Box::default(), Vec::new());
    story.answer(|asked| matches!(asked, Request::OpenDirect { .. }), reply);
    let (_, request) = story.request(is_create).unwrap();
    let Request::CreatePost {
        channel, message, ..
    } = request
    else {
        unreachable!()
    };
    assert_eq!(
        (channel, message.as_str()),
        ("dm-new".into(), "Can you unmute?")
    );
    assert_eq!(story.notice("call.asked").values["name"], "dave");
    assert_eq!(
        story.see().directory.channel,
        open,
        "what is open stays open"
    );
}

// ---- The recording.

fn job(start_at: Millis, end_at: Millis, error: &str) -> CallEvent {
    CallEvent::Job(
        JobKind::Recording,
        Job {
            init_at: DAY + 1,
            start_at,
            end_at,
            error: error.to_owned(),
        },
    )
}

fn prompt(story: &Story) -> Option<&RecordingPrompt> {
    story.see_call().prompt.as_ref()
}

#[test]
fn everybody_is_told_of_a_recording_and_who_has_agreed_is_not_told_again() {
    let mut story = in_call_of("bob");
    story.call(job(0, 0, ""));
    assert_eq!(
        story.see_call().recording,
        None,
        "preparing is the host's affair"
    );
    story.call(job(story.unix, 0, ""));
    assert!(story.see_call().recording.is_some_and(|one| one.runs));
    assert_eq!(prompt(&story), Some(&RecordingPrompt::Consent));
    story.does(Command::DismissRecordingPrompt);
    assert_eq!(prompt(&story), None);
    story.seconds(30);
    story.call(CallEvent::Host(Some("dave".into())));
    assert_eq!(prompt(&story), None, "agreed is agreed");
    // Who becomes host has to tell the others.
    story.call(CallEvent::Host(Some("alice".into())));
    assert_eq!(prompt(&story), Some(&RecordingPrompt::Host));
    story.call(job(story.unix - 30_000, story.unix, ""));
    assert_eq!(prompt(&story), Some(&RecordingPrompt::Done));
    assert_eq!(story.see_call().recording, None);
}

#[test]
fn the_end_of_a_recording_is_told_to_the_host_alone() {
    let mut story = in_call_of("bob");
    story.call(job(story.unix, 0, ""));
    story.seconds(9);
    story.call(job(story.unix - 9000, story.unix, ""));
    assert_eq!(prompt(&story), None);
}

#[test]
fn a_recording_that_fails_says_why_until_it_is_dismissed() {
    let mut story = in_call_of("alice");
    story.does(Command::Record { on: true });
    story.answer(is_record, Reply::Done);
    story.call(job(0, 0, ""));
    assert!(story.see_call().recording.is_some_and(|one| !one.runs));
    story.call(job(0, story.unix, "no runner"));
    let reason = "no runner".to_owned();
    assert_eq!(prompt(&story), Some(&RecordingPrompt::Failed { reason }));
    story.does(Command::DismissRecordingPrompt);
    assert_eq!(prompt(&story), None);
    story.does(Command::Record { on: true });
    assert!(story.request(is_record).is_some(), "again at once");
}

#[test]
fn ten_minutes_before_the_end_the_host_is_warned_whatever_was_dismissed() {
    let mut story = in_call_of("alice");
    let begun = story.unix;
    story.call(job(begun, 0, ""));
    story.does(Command::DismissRecordingPrompt);
    story.seconds(49 * 60);
    assert_eq!(prompt(&story), None);
    story.seconds(61);
    assert_eq!(prompt(&story), Some(&RecordingPrompt::Soon));
    let ends = story.see_call().recording.unwrap().ends_at;
    assert_eq!(ends, Some(begun + 60 * 60_000));
    story.does(Command::DismissRecordingPrompt);
    assert_eq!(prompt(&story), None);
    story.call(job(begun, begun + 3_600_000, ""));
    assert_eq!(prompt(&story), Some(&RecordingPrompt::Done));
}

#[test]
fn only_the_host_records_and_only_once() {
    let mut guest = in_call_of("bob");
    guest.does(Command::Record { on: true });
    guest.notice("call.not_host");
    let mut host = in_call_of("alice");
    host.does(Command::Record { on: false });
    host.notice("rec.none");
    host.call(job(host.unix, 0, ""));
    host.does(Command::Record { on: true });
    host.notice("rec.already");
    host.does(Command::Record { on: false });
    host.fail(is_record, refused(403, ""));
    assert_eq!(
        host.notice("rec.refused").detail.as_deref(),
        Some("the server's words")
    );
}

#[test]
fn captions_are_shown_when_wanted_one_line_a_person_for_five_seconds() {
    let mut story = in_call_of("bob");
    let said = |text: &str| CallEvent::Caption("sb".into(), text.to_owned());
    let running = Job {
        init_at: 1,
        start_at: 2,
        ..Job::default()
    };
    story.call(CallEvent::Job(JobKind::Captions, running));
    assert!(story.see_call().captions_offered);
    story.call(said("hello"));
    assert_eq!(story.see_call().captions, []);
    story.does(Command::ShowCaptions { on: true });
    story.call(said("hello there"));
    assert_eq!(story.see_call().captions.len(), 1);
    assert_eq!(story.see_call().captions[0].text, "hello there");
    assert_eq!(story.see_call().captions[0].name, "Bob Stone");
    story.seconds(6);
    assert_eq!(story.see_call().captions, []);
}

#[test]
fn what_was_said_can_be_read_again_and_grows_while_a_sentence_does() {
    let mut story = in_call_of("bob");
    let said = |session: &str, text: &str| CallEvent::Caption(session.into(), text.to_owned());
    let running = Job {
        init_at: 1,
        start_at: 2,
        ..Job::default()
    };
    story.call(CallEvent::Job(JobKind::Captions, running));
    assert!(!story.see_call().said_something);
    story.call(said("sb", "the slow"));
    story.call(said("sd", "which link?"));
    story.call(said("sb", "the slow link is down"));
    story.seconds(6);
    story.call(said("sb", "the slow link is up again"));
    assert!(story.see_call().said_something);
    assert_eq!(story.see_call().said, [], "nobody reads it");
    story.does(Command::ShowSaid { shown: true });
    let lines = |story: &Story| -> Vec<(String, String)> {
        let said = story.see_call().said.clone();
        said.into_iter().map(|one| (one.name, one.text)).collect()
    };
    let line = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    assert_eq!(
        lines(&story),
        [
            line("Bob Stone", "the slow link is down"),
            line("dave", "which link?"),
            line("Bob Stone", "the slow link is up again"),
        ],
        "a sentence that grew is one line; the same words later are another"
    );
    assert!(story.see_call().said[0].at <= story.see_call().said[2].at - 6000);
    for n in 0..600 {
        story.call(said("sd", &format!("{n} and so on")));
    }
    assert_eq!(story.see_call().said.len(), 500);
    assert_eq!(story.see_call().said[499].text, "599 and so on");
    story.does(Command::ShowSaid { shown: false });
    assert_eq!(story.see_call().said, []);
}

// ---- Chat.

fn reply_post(name: &str, author: &str, at: Millis) -> Post {
    Post {
        root: Some("thread".into()),
        ..post(name, author, at)
    }
}

#[test]
fn the_calls_thread_is_loaded_followed_and_counted() {
    let mut story = Story::signed_in();
    story.does(join("town-square"));
    story.call(CallEvent::Accepted("sa".into()));
    let state = call_state("town-square", &[("sa", "alice"), ("sb", "bob")]);
    story.call(CallEvent::State(Box::new(state)));
    assert!(story.see().chat.loading);
    assert!(
        story
            .request(|one| matches!(one, Request::FollowThread { .. }))
            .is_some()
    );
    let root = post("thread", "bob", 0);
    story.answer(
        is_thread,
        Reply::Thread {
            posts: vec![root, reply_post("first", "bob", 1)],
        },
    );
    let chat = |story: &Story| -> Vec<String> {
        let posts = story.see().chat.posts.iter();
        posts.map(|post| post.message.clone()).collect()
    };
    assert_eq!(chat(&story), ["first"]);
    assert_eq!(story.see().chat.unread, 0);
    story.hears(posted(reply_post("second", "bob", 2)));
    story.hears(ServerEvent::Posted {
        post: Box::new(reply_post("third", "bob", 3)),
        mentions_me: true,
        author_online: true,
    });
    story.hears(posted(post("elsewhere", "bob", 4)));
    assert_eq!((story.see().chat.unread, story.see().chat.mentions), (2, 1));
    story.does(Command::ShowChat { shown: true });
    assert_eq!((story.see().chat.unread, story.see().chat.mentions), (0, 0));
    story.hears(posted(reply_post("fourth", "bob", 5)));
    assert_eq!(story.see().chat.unread, 0, "it is being read");
    assert_eq!(chat(&story), ["first", "second", "third", "fourth"]);
    story.does(Command::LeaveCall);
    assert_eq!(story.see().chat, crate::snapshot::CallChat::default());
}

#[test]
fn what_is_written_into_the_chat_shows_at_once() {
    let mut story = in_call_of("bob");
    story.does(Command::SendPost {
        channel: id("town-square"),
        root: Some("thread".into()),
        text: "on my way".to_owned(),
    });
    let last = story.see().chat.posts.last().expect("nothing is shown");
    assert_eq!(last.message, "on my way");
    assert!(matches!(last.delivery, Delivery::Waiting { .. }));
}

// ---- Slash commands, and the address of a call.

#[test]
fn slash_call_end_and_recording_act_on_our_call_only() {
    let mut story = in_call_of("alice");
    story.does(say("/call end"));
    assert!(story.see_call().ending_at.is_some());
    story.does(Command::UndoEndCall);
    story.does(say("/call recording start"));
    assert!(story.request(is_record).is_some());
    story.does(Command::SendPost {
        channel: id("design"),
        root: None,
        text: "/call recording start".to_owned(),
    });
    story.notice("call.not_here");
    assert!(story.request(is_execute).is_none());
    story.does(say("/call recording forever"));
    assert!(story.request(is_execute).is_some(), "the server explains");
}

#[test]
fn slash_call_stats_sends_what_was_measured_or_an_empty_object() {
    let mut story = Story::signed_in();
    story.does(say("/call stats"));
    let command = |story: &mut Story| match story.request(is_execute) {
        Some((_, Request::Execute { command, .. })) => command,
        _ => panic!("nothing was sent"),
    };
    assert_eq!(command(&mut story), "/call stats e30=");
    let mut story = in_call_of("bob");
    story.call(CallEvent::Rtc(Box::default()));
    story.does(Command::LeaveCall);
    story.does(say("/call stats"));
    let word = command(&mut story);
    assert!(word.len() > 40, "the last call's are kept: {word}");
}

#[test]
fn slash_call_logs_asks_for_the_log_and_says_what_came_of_it() {
    let mut story = Story::signed_in();
    let is_logs = |request: &Request| matches!(request, Request::UploadLogs { .. });
    story.does(say("/call logs"));
    story.answer(is_logs, Reply::Done);
    story.notice("logs.sent");
    story.does(say("/call logs"));
    story.fail(is_logs, refused(500, ""));
    story.notice("logs.none");
}

#[test]
fn slash_call_link_and_host_are_the_servers() {
    for text in ["/call link", "/call host @bob", "/call", "/call dance"] {
        let mut story = Story::signed_in();
        story.does(say(text));
        assert!(story.request(is_execute).is_some(), "{text}");
    }
}

#[test]
fn slash_call_start_in_a_thread_takes_the_thread_along() {
    let mut story = Story::signed_in();
    story.does(Command::SendPost {
        channel: id("town-square"),
        root: Some("topic".into()),
        text: "/call start Review".to_owned(),
    });
    let ticket = story.effects().into_iter().find_map(|effect| match effect {
        Effect::Call(_, CallWish::Join(ticket)) => Some(ticket),
        _ => None,
    });
    let ticket = ticket.expect("nobody joined");
    assert_eq!(ticket.thread, Some("topic".into()));
    assert_eq!(ticket.title, "Review");
}

#[test]
fn the_address_of_a_call_can_be_handed_on() {
    let story = in_call_of("bob");
    let link = format!(
        "{SERVER}/{}/channels/town-square?join_call=true",
        team_name()
    );
    assert_eq!(story.see_call().link, link);
}

fn team_name() -> String {
    directory().teams[0].name.clone()
}
