//! Each test tells what several clients look like and what a person wants, and reads what is done about it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::alert::{Note, NoteKey, RingDevice, Tone, Words};
use crate::snapshot::{
    Account, CallPhase, ChannelRow, IncomingCall, Link, Person, ServerInfo, Slice,
};

const A: ServerNumber = ServerNumber(0);
const B: ServerNumber = ServerNumber(1);
const C: ServerNumber = ServerNumber(2);

fn server(name: &str) -> Snapshot {
    let mut snapshot = Snapshot {
        link: Link::Up,
        ..Snapshot::default()
    };
    snapshot.account = Account::SignedIn {
        server: ServerInfo {
            url: format!("https://{name}.example"),
            name: name.to_owned(),
            ..ServerInfo::default()
        },
        me: crate::model::User::default(),
        remembered: true,
    };
    snapshot
}

fn in_call(name: &str) -> Snapshot {
    let mut snapshot = server(name);
    snapshot.call.phase = CallPhase::Live;
    snapshot.call.place = format!("{name}-room");
    snapshot
}

fn drain(board: &mut Switchboard) -> Vec<Act> {
    std::iter::from_fn(|| board.poll_act()).collect()
}

/// Two or three servers, all signed in, the first shown.
fn desk(names: &[&str]) -> Switchboard {
    let mut board = Switchboard::new(names.len() as u32, A);
    for (number, name) in (0..).map(ServerNumber).zip(names) {
        board.handle_snapshot(number, &server(name));
    }
    assert_eq!(drain(&mut board), []);
    board
}

fn does(board: &mut Switchboard, command: Command) -> Vec<Act> {
    board.handle_command(command);
    drain(board)
}

fn at(server: ServerNumber, command: Command) -> Command {
    Command::At {
        server,
        command: Box::new(command),
    }
}

fn join(switch: bool) -> Command {
    Command::JoinCall {
        channel: "c".into(),
        title: None,
        switch,
    }
}

fn ring(volume: u16) -> AlertWish {
    AlertWish::Ring(Ring {
        tone: Tone::Calm,
        volume,
        device: RingDevice::System,
        seconds: 30,
        once: false,
    })
}

fn elsewhere(number: ServerNumber, in_call: bool) -> Act {
    Act::News(
        number,
        DesktopNews::Elsewhere(Elsewhere {
            in_call,
            shows_everything: false,
        }),
    )
}

#[test]
fn one_server_gets_everything_as_it_is_and_is_in_no_list() {
    let mut board = Switchboard::new(1, ServerNumber(7));
    for command in [
        join(true),
        Command::LeaveCall,
        Command::SignOut,
        Command::DismissNotice { id: 3 },
        Command::SetFocus { focused: false },
        Command::OpenAddress {
            address: "https://elsewhere.example".to_owned(),
        },
    ] {
        assert_eq!(
            does(&mut board, command.clone()),
            [Act::Command(A, command)]
        );
    }
    assert_eq!(board.rows(), []);
    assert_eq!(board.tag(A), None);
    let remove = Command::RemoveServer { server: A };
    assert_eq!(
        does(&mut board, remove),
        [Act::Command(A, Command::SignOut)],
        "the last one stays"
    );
}

#[test]
fn a_wish_goes_where_it_belongs() {
    // In a call at B while A is shown.
    let all = [A, B];
    let cases: [(Command, &[ServerNumber]); 12] = [
        (Command::LoadOlder, &[A]),
        (Command::SignOut, &[A]),
        (Command::TestNote, &[A]),
        (Command::LeaveCall, &[B]),
        (Command::ToggleMute, &[B]),
        (Command::HoldToTalk { held: true }, &[B]),
        (Command::StopShare, &[B]),
        (Command::Quit { sure: false }, &[B]),
        (at(A, Command::SetMuted { muted: true }), &[B]),
        (Command::SilenceRing, &all),
        (Command::SetLocked { locked: true }, &all),
        (
            Command::SetSound {
                sound: crate::snapshot::Sound::default(),
            },
            &all,
        ),
    ];
    for (command, expected) in cases {
        let mut board = desk(&["a", "b"]);
        board.handle_snapshot(B, &in_call("b"));
        drain(&mut board);
        let wanted = match &command {
            Command::At { command, .. } => (**command).clone(),
            command => command.clone(),
        };
        let expected: Vec<Act> = expected
            .iter()
            .map(|number| Act::Command(*number, wanted.clone()))
            .collect();
        assert_eq!(does(&mut board, command.clone()), expected, "{command:?}");
    }
}

#[test]
fn settings_of_the_person_are_set_everywhere_but_people_and_channels_stay_where_they_are() {
    let mut board = desk(&["a", "b"]);
    let mut b = server("b");
    b.alerts.settings.blocked = [("troll".into(), "Troll".to_owned())].into();
    board.handle_snapshot(B, &b);
    let mut settings = AlertSettings {
        volume: 12,
        ..AlertSettings::default()
    };
    settings.channels = ["of-a".into()].into();
    let set = Command::SetAlerts {
        settings: Box::new(settings.clone()),
    };
    let acts = does(&mut board, set.clone());
    assert_eq!(acts[0], Act::Command(A, set));
    let Act::Command(B, Command::SetAlerts { settings: other }) = &acts[1] else {
        panic!("{acts:?}");
    };
    assert_eq!(other.volume, 12);
    assert!(other.channels.is_empty());
    assert!(other.blocked.contains_key(&"troll".into()));
}

#[test]
fn what_is_not_shown_has_no_attention() {
    let mut board = desk(&["a", "b"]);
    does(&mut board, Command::SetFocus { focused: true });
    let focus = |number, focused| Act::Command(number, Command::SetFocus { focused });
    assert_eq!(
        does(&mut board, Command::ShowServer { server: B }),
        [
            focus(A, false),
            Act::Show(B),
            focus(B, true),
            // Who tries out their microphone does so no more.
            Act::Command(A, Command::WatchLevel { on: false }),
            Act::Command(A, Command::HearMyself { on: false }),
            Act::Lend(B)
        ]
    );
    assert_eq!(
        does(&mut board, Command::SetFocus { focused: false }),
        [focus(B, false)]
    );
    assert_eq!(
        does(&mut board, Command::ShowServer { server: A })[2],
        focus(A, false)
    );
    assert_eq!(does(&mut board, Command::ShowServer { server: C }), []);
}

#[test]
fn joining_elsewhere_shows_that_server_and_its_client_asks() {
    let mut board = desk(&["a", "b"]);
    board.handle_snapshot(A, &in_call("a"));
    assert_eq!(drain(&mut board), [elsewhere(B, true)]);
    let acts = does(&mut board, at(B, join(false)));
    assert!(acts.contains(&Act::Show(B)));
    assert_eq!(acts.last(), Some(&Act::Command(B, join(false))));
    assert!(
        !acts.iter().any(|act| matches!(act, Act::Lend(_))),
        "the sound stays with the call: {acts:?}"
    );
}

#[test]
fn the_answer_is_held_back_until_the_other_call_is_over() {
    let mut board = desk(&["a", "b"]);
    board.handle_snapshot(A, &in_call("a"));
    does(&mut board, Command::ShowServer { server: B });
    assert_eq!(
        does(&mut board, join(true)),
        [Act::Command(A, Command::LeaveCall)]
    );
    board.handle_snapshot(A, &in_call("a"));
    assert_eq!(drain(&mut board), [], "it is not over yet");
    board.handle_snapshot(A, &server("a"));
    let acts = drain(&mut board);
    let after: Vec<&Act> = acts
        .iter()
        .filter(|act| !matches!(act, Act::Command(A, _)))
        .collect();
    assert_eq!(
        after,
        [
            &Act::Lend(B),
            &elsewhere(B, false),
            &Act::Command(B, join(true))
        ]
    );
    board.handle_snapshot(B, &in_call("b"));
    assert_eq!(drain(&mut board), [elsewhere(A, true)]);
}

#[test]
fn whoever_joins_without_having_been_asked_ends_the_other_call() {
    let mut board = desk(&["a", "b"]);
    board.handle_snapshot(A, &in_call("a"));
    drain(&mut board);
    board.handle_snapshot(B, &in_call("b"));
    let acts = drain(&mut board);
    assert!(acts.contains(&Act::Command(A, Command::LeaveCall)));
    assert!(acts.contains(&Act::Lend(B)));
    assert_eq!(board.sounding(), B);
    board.handle_snapshot(A, &in_call("a"));
    assert_eq!(
        drain(&mut board)
            .iter()
            .filter(|act| matches!(act, Act::Command(B, Command::LeaveCall)))
            .count(),
        0,
        "what is still on its way out does not throw out the new one"
    );
}

#[test]
fn a_question_comes_to_the_front() {
    let mut board = desk(&["a", "b"]);
    board.handle_snapshot(A, &in_call("a"));
    drain(&mut board);
    let mut asking = server("b");
    asking.call.switch_to = Some("c".into());
    board.handle_snapshot(B, &asking);
    assert!(drain(&mut board).contains(&Act::Show(B)));
    does(&mut board, Command::ShowServer { server: A });
    board.handle_snapshot(B, &asking);
    assert_eq!(drain(&mut board), [], "once");
}

#[test]
fn the_first_to_ring_is_heard_and_the_next_when_it_stops() {
    let mut board = desk(&["a", "b"]);
    let mut told = |number, wish| {
        board.handle_alert(number, wish);
        drain(&mut board)
    };
    assert_eq!(told(B, ring(1)), [Act::Alert(B, ring(1))]);
    assert_eq!(told(A, ring(2)), []);
    assert_eq!(told(B, ring(3)), [Act::Alert(B, ring(3))], "another tone");
    assert_eq!(
        told(B, AlertWish::Silence),
        [Act::Alert(B, AlertWish::Silence), Act::Alert(A, ring(2))]
    );
    assert_eq!(
        told(B, AlertWish::Silence),
        [],
        "who does not ring silences nobody"
    );
    assert_eq!(
        told(A, AlertWish::Silence),
        [Act::Alert(A, AlertWish::Silence)]
    );
}

#[test]
fn a_note_names_its_server_where_there_are_several() {
    let note = || {
        AlertWish::Show(Box::new(Note {
            key: NoteKey::Test,
            server: None,
            channel: None,
            title: Words::Arrives,
            body: Words::Arrives,
            silent: true,
            buttons: Vec::new(),
        }))
    };
    let shown = |board: &mut Switchboard| {
        board.handle_alert(A, note());
        match drain(board).pop() {
            Some(Act::Alert(A, AlertWish::Show(note))) => note.server,
            other => panic!("{other:?}"),
        }
    };
    let mut alone = Switchboard::new(1, A);
    alone.handle_snapshot(A, &server("a"));
    assert_eq!(shown(&mut alone), None);
    let tag = shown(&mut desk(&["a", "b"])).unwrap();
    assert_eq!((tag.number, tag.name.as_str()), (A, "a"));
}

#[test]
fn a_link_leads_to_the_server_that_it_names() {
    for (address, expected) in [
        ("mattermost://b.example/team/channels/town", B),
        ("https://B.example/team/channels/town?join_call=true", B),
        ("halloo://a.example/team/channels/town", A),
        ("https://stranger.example/team/channels/town", A),
        ("not an address", A),
    ] {
        let mut board = desk(&["a", "b"]);
        let open = Command::OpenAddress {
            address: address.to_owned(),
        };
        let acts = does(&mut board, open.clone());
        assert!(
            acts.contains(&Act::Command(expected, open)),
            "{address}: {acts:?}"
        );
        assert_eq!(board.shown(), expected, "{address}");
    }
}

#[test]
fn a_server_is_added_once_and_one_that_is_there_already_is_shown_instead() {
    let mut board = desk(&["a", "b"]);
    let acts = does(&mut board, Command::AddServer);
    assert_eq!(acts[0], Act::Start(C));
    assert_eq!(board.shown(), C);
    does(&mut board, Command::ShowServer { server: A });
    let acts = does(&mut board, Command::AddServer);
    assert!(!acts.contains(&Act::Start(ServerNumber(3))), "{acts:?}");
    assert_eq!(board.shown(), C, "the one that is being added");

    let mut found = server("b");
    if let Account::SignedIn { server, .. } = found.account {
        found.account = Account::SignedOut {
            server,
            login: String::new(),
            code_needed: false,
            outside: false,
        };
    }
    board.handle_snapshot(C, &found);
    let acts = drain(&mut board);
    assert!(acts.contains(&Act::Stop(C)), "{acts:?}");
    assert_eq!(board.shown(), B);
    assert_eq!(board.rows().len(), 2);
    board.handle_snapshot(C, &found);
    assert_eq!(drain(&mut board), [], "it speaks its last");
}

#[test]
fn removing_one_touches_no_other() {
    let mut board = desk(&["a", "b", "c"]);
    board.handle_snapshot(B, &in_call("b"));
    board.handle_alert(B, ring(1));
    board.handle_alert(C, ring(2));
    does(&mut board, Command::ShowServer { server: B });
    let acts = does(&mut board, Command::RemoveServer { server: B });
    assert!(acts.contains(&Act::Stop(B)));
    assert!(acts.contains(&Act::Alert(C, ring(2))), "who waited rings");
    assert!(
        !acts
            .iter()
            .any(|act| matches!(act, Act::Command(C, Command::SignOut) | Act::Stop(C)))
    );
    assert_eq!(board.shown(), A);
    assert_eq!(board.sounding(), A);
    let left: Vec<ServerNumber> = board.rows().iter().map(|row| row.number).collect();
    assert_eq!(left, [A, C]);
    assert_eq!(does(&mut board, at(B, Command::LoadOlder)), []);
}

#[test]
fn the_list_says_how_it_is_everywhere() {
    let mut board = desk(&["a", "b"]);
    let mut b = in_call("b");
    b.link = Link::Lost {
        retry_in: 3,
        attempt: 1,
    };
    let row = |mentions, unread, muted| ChannelRow {
        id: "c".into(),
        kind: crate::model::ChannelKind::Public,
        name: String::new(),
        slug: String::new(),
        header: String::new(),
        user: None,
        unread,
        mentions,
        muted,
        archived: false,
        call: None,
        call_blocked: None,
        calls_allowed: None,
        draft: String::new(),
    };
    b.directory.channels = vec![row(2, true, false), row(1, true, false), row(0, true, true)];
    b.incoming.calls = vec![call("x", 5)];
    board.handle_snapshot(B, &b);
    let rows = board.rows();
    assert_eq!((rows[0].name.as_str(), rows[0].shown), ("a", true));
    let b = &rows[1];
    assert_eq!(
        (b.mentions, b.channels, b.ringing, b.in_call, b.standing),
        (3, 2, true, true, ServerStanding::Lost)
    );
}

fn call(id: &str, since: i64) -> IncomingCall {
    IncomingCall {
        call: id.to_owned(),
        server: None,
        channel: "dm".into(),
        kind: crate::model::ChannelKind::Direct,
        place: String::new(),
        caller: "bob".into(),
        name: "Bob".to_owned(),
        users: Vec::new(),
        since,
        ringing: true,
        declinable: false,
        in_call: false,
        elsewhere: false,
        offer_block: false,
    }
}

#[test]
fn the_picture_is_of_the_shown_server_with_the_call_and_the_rings_of_all() {
    let mut board = desk(&["a", "b"]);
    let mut a = in_call("a");
    a.directory.people = BTreeMap::new();
    let mut b = server("b");
    a.incoming.calls = vec![call("same", 9)];
    b.incoming.calls = vec![call("same", 5)];
    let bob = Person {
        user: crate::model::User::default(),
        name: "Bob of B".to_owned(),
        presence: crate::model::Presence::Online,
    };
    b.directory.people = [("bob".to_owned(), bob)].into();
    board.handle_snapshot(A, &a);
    board.handle_snapshot(B, &b);
    let mut lines = BTreeMap::from([(A, Arc::new(a.clone())), (B, Arc::new(b.clone()))]);
    let mut picture = Picture::new(a.clone(), A);
    let before = picture.snapshot().revision;
    picture.draw_all(&board, &lines);
    let seen = picture.snapshot();
    assert!(seen.revision > before, "pages that held the one take this");
    assert_eq!(seen.account, a.account);
    assert_eq!(seen.servers.len(), 2);
    let rings: Vec<(&str, u32)> = (seen.incoming.calls.iter())
        .map(|call| (call.call.as_str(), call.server.as_ref().unwrap().number.0))
        .collect();
    assert_eq!(rings, [("1.same", 1), ("0.same", 0)], "the oldest first");
    assert_eq!(seen.directory.people["bob"].name, "Bob of B");
    assert_eq!(seen.call.server, None, "the call is at the one shown");

    does(&mut board, Command::ShowServer { server: B });
    let patches = picture.settle(&board, &lines);
    assert!(
        matches!(patches[0].slice, Slice::Account(_)),
        "{:?}",
        patches[0]
    );
    let seen = picture.snapshot();
    assert_eq!(seen.account, b.account);
    assert_eq!(seen.call.place, "a-room");
    assert_eq!(seen.call.server.as_ref().unwrap().name, "a");

    // What changes at the other one is of no interest here, but for its call.
    let mut changed = a.clone();
    changed.timeline.loading = true;
    changed.call.place = "other-room".to_owned();
    lines.insert(A, Arc::new(changed.clone()));
    let timeline = Slice::Timeline(changed.timeline.clone());
    assert_eq!(picture.handle_slice(&board, &lines, A, &timeline), []);
    let call = Slice::Call(Box::new(changed.call.clone()));
    let patches = picture.handle_slice(&board, &lines, A, &call);
    assert_eq!(patches.len(), 1);
    assert_eq!(picture.snapshot().call.place, "other-room");
}

#[test]
fn a_notice_is_closed_where_it_was_raised() {
    let mut board = desk(&["a", "b"]);
    board.handle_snapshot(B, &in_call("b"));
    drain(&mut board);
    let notice = |code: &str| crate::notice::Notice {
        id: 1,
        code: code.to_owned(),
        severity: crate::notice::Severity::Info,
        values: BTreeMap::new(),
        retry: Some(Command::AskForKeys),
        detail: None,
    };
    let (mut a, mut b) = (server("a"), in_call("b"));
    a.notices = vec![notice("one"), notice("both")];
    b.notices = vec![notice("both"), notice("other")];
    let lines = BTreeMap::from([(A, Arc::new(a)), (B, Arc::new(b))]);
    let mut picture = Picture::new(Snapshot::default(), A);
    picture.draw_all(&board, &lines);
    let notices = &picture.snapshot().notices;
    let codes: Vec<&str> = notices.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["one", "both", "other"]);
    assert_eq!(notices[2].retry, Some(at(B, Command::AskForKeys)));
    let close = Command::DismissNotice { id: notices[2].id };
    assert_eq!(
        does(&mut board, close),
        [Act::Command(B, Command::DismissNotice { id: 1 })]
    );
}

#[test]
fn what_a_server_may_do_is_said_to_it_alone_and_stands_in_its_row() {
    let mut board = desk(&["a", "b"]);
    let wish = Command::SetTrust {
        grant: crate::trust::Grant::Microphone,
        allowed: false,
    };
    assert_eq!(
        does(&mut board, at(B, wish.clone())),
        [Act::Command(B, wish)],
        "and shows nothing else for it"
    );
    let mut changed = server("b");
    changed.alerts.settings.trust.microphone = false;
    board.handle_snapshot(B, &changed);
    let may: Vec<bool> = (board.rows().iter())
        .map(|row| row.trust.microphone)
        .collect();
    assert_eq!(may, [true, false]);
}
