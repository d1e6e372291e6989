use super::*;
use crate::port::Distrust;

fn sign_in(code: Option<&str>) -> Command {
    Command::SignIn {
        login: "alice".to_owned(),
        password: "secret".to_owned(),
        code: code.map(str::to_owned),
    }
}

fn is_signed_out(story: &Story) -> bool {
    matches!(story.see().account, Account::SignedOut { .. })
}

#[test]
fn asks_for_a_server_then_who_we_are_then_shows_channels() {
    let mut story = Story::new();
    story.input(Input::Start(Box::default()));
    assert_eq!(story.see().account, Account::NoServer);
    story.does(Command::FindServer {
        address: " chat.example.org ".to_owned(),
    });
    assert!(
        matches!(&story.see().account, Account::Finding { address } if address == "chat.example.org")
    );
    story.answer(is_find, Reply::Found(server()));
    assert!(is_signed_out(&story));
    story.does(sign_in(None));
    assert!(matches!(story.see().account, Account::SigningIn { .. }));
    story.answer(is_sign_in, accepted());
    assert_eq!(story.see().link, Link::Connecting);
    story.up();
    assert!(matches!(story.see().account, Account::SigningIn { .. }));
    story.answer(is_directory, Reply::Directory(Box::new(directory())));
    let Account::SignedIn { me, remembered, .. } = &story.see().account else {
        panic!("signed in");
    };
    assert_eq!(me.username, "alice");
    assert!(!remembered, "nobody has said that the key store took it");
    story.input(Input::SessionKept(true));
    assert!(matches!(
        story.see().account,
        Account::SignedIn {
            remembered: true,
            ..
        }
    ));
    assert!(story.told().contains(&ClientEvent::SignedIn {
        user: "alice".into(),
        username: "alice".to_owned()
    }));
}

#[test]
fn remembers_session_and_server_and_opens_the_link_with_the_token() {
    let mut story = Story::at_sign_in();
    story.does(sign_in(None));
    story.answer(is_sign_in, accepted());
    let effects = story.effects();
    assert!(effects.contains(&Effect::Remember(Remember::Server(Some(SERVER.to_owned())))));
    assert!(effects.contains(&Effect::Remember(Remember::Session(Some(session())))));
    let account = effects
        .iter()
        .position(|effect| matches!(effect, Effect::Account { .. }));
    let link = effects
        .iter()
        .position(|effect| matches!(effect, Effect::Link(LinkWish::Open { .. })));
    assert!(
        account < link,
        "requests have the token before the link asks for anything"
    );
}

#[test]
fn every_way_to_fail_at_the_address_has_its_code() {
    let table = [
        (offline(), "server.none"),
        (RequestError::TimedOut, "server.none"),
        (
            RequestError::Untrusted(Distrust {
                why: "unknown issuer".to_owned(),
                ..Distrust::default()
            }),
            "server.untrusted",
        ),
        (
            RequestError::NotUnderstood("<html>".to_owned()),
            "server.not_mattermost",
        ),
        (refused(404, ""), "server.not_mattermost"),
    ];
    for (error, code) in table {
        let mut story = Story::new();
        story.does(Command::FindServer {
            address: "nowhere".to_owned(),
        });
        story.fail(is_find, error.clone());
        assert_eq!(story.see().account, Account::NoServer, "{error:?}");
        assert_eq!(story.codes(), [code], "{error:?}");
        assert_eq!(story.notice(code).values["server"], "nowhere");
    }
}

#[test]
fn every_way_to_fail_at_the_password_has_its_code() {
    let table = [
        (
            "api.user.login.invalid_credentials_email_username",
            "account.wrong",
            false,
        ),
        ("api.user.login.blank_pwd.app_error", "account.wrong", false),
        (
            "mfa.validate_token.authenticate.app_error",
            "account.mfa_needed",
            true,
        ),
        (
            "api.user.check_user_mfa.bad_code.app_error",
            "account.bad_code",
            true,
        ),
        (
            "api.user.login.inactive.app_error",
            "account.inactive",
            false,
        ),
        (
            "api.user.login.not_verified.app_error",
            "account.unverified",
            false,
        ),
        (
            "api.user.check_user_login_attempts.too_many.app_error",
            "account.locked",
            false,
        ),
        (
            "api.context.mfa_required.app_error",
            "account.mfa_enrol",
            false,
        ),
        (
            "api.user.login.bot_login_forbidden.app_error",
            "account.refused",
            false,
        ),
    ];
    for (error, code, needed) in table {
        let mut story = Story::at_sign_in();
        story.does(sign_in(None));
        story.fail(is_sign_in, refused(401, error));
        assert_eq!(story.codes(), [code], "{error}");
        let Account::SignedOut {
            code_needed, login, ..
        } = &story.see().account
        else {
            panic!("{error}: back at the form");
        };
        assert_eq!(*code_needed, needed, "{error}");
        assert_eq!(login, "alice", "{error}: what was typed stays");
        assert_eq!(
            story.notice(code).detail.as_deref(),
            Some("the server's words")
        );
    }
}

#[test]
fn a_malformed_code_is_a_wrong_code_and_not_a_missing_one() {
    let mut story = Story::at_sign_in();
    story.does(sign_in(Some("12")));
    story.fail(
        is_sign_in,
        refused(401, "mfa.validate_token.authenticate.app_error"),
    );
    assert_eq!(story.codes(), ["account.bad_code"]);
    assert!(matches!(
        story.see().account,
        Account::SignedOut {
            code_needed: true,
            ..
        }
    ));
}

#[test]
fn the_next_try_clears_what_the_last_one_said() {
    let mut story = Story::at_sign_in();
    story.does(sign_in(None));
    story.fail(
        is_sign_in,
        refused(401, "api.user.login.invalid_credentials_email"),
    );
    story.does(sign_in(None));
    assert!(story.codes().is_empty());
}

#[test]
fn an_unknown_token_is_a_bad_token() {
    let mut story = Story::at_sign_in();
    story.does(Command::SignInWithToken {
        token: "guess".to_owned(),
    });
    story.fail(is_check, RequestError::Unauthorised);
    assert_eq!(story.codes(), ["account.bad_token"]);
    assert!(is_signed_out(&story));
}

#[test]
fn too_many_tries_say_how_long_to_wait() {
    let mut story = Story::at_sign_in();
    story.does(sign_in(None));
    let after = Duration::from_secs(7);
    story.fail(is_sign_in, RequestError::RateLimited { after });
    assert_eq!(story.notice("link.busy").values["seconds"], "7");
}

#[test]
fn a_kept_session_signs_in_by_itself() {
    let story = Story::signed_in();
    assert!(
        matches!(&story.see().account, Account::SignedIn { server: info, remembered: true, .. } if *info == server())
    );
    assert!(story.codes().is_empty());
}

#[test]
fn a_kept_session_waits_for_a_server_that_is_not_there_yet() {
    let mut story = Story::new();
    story.input(Input::Start(Box::new(Memory {
        session: Some(session()),
        ..Memory::default()
    })));
    story.fail(is_check, offline());
    assert!(matches!(story.see().account, Account::SigningIn { .. }));
    assert_eq!(story.codes(), ["link.lost"]);
    story.seconds(2);
    story.fail(
        is_check,
        RequestError::NotUnderstood("captive portal".to_owned()),
    );
    story.seconds(4);
    story.answer(is_check, accepted());
    assert!(story.codes().is_empty());
    assert_eq!(story.see().link, Link::Connecting);
}

#[test]
fn try_now_does_not_wait_for_the_back_off() {
    let mut story = Story::new();
    story.input(Input::Start(Box::new(Memory {
        session: Some(session()),
        ..Memory::default()
    })));
    story.fail(is_check, offline());
    story.does(Command::Reconnect);
    story.answer(is_check, accepted());
}

#[test]
fn a_kept_session_that_has_expired_asks_for_the_password_with_the_name_filled_in() {
    let mut story = Story::new();
    story.input(Input::Start(Box::new(Memory {
        session: Some(session()),
        ..Memory::default()
    })));
    story.fail(is_check, RequestError::Unauthorised);
    assert!(matches!(&story.see().account, Account::SignedOut { login, .. } if login == "alice"));
    assert_eq!(
        story.notice("account.expired").values["server"],
        "chat.example.org"
    );
    assert!(
        story
            .effects()
            .contains(&Effect::Remember(Remember::Session(None)))
    );
}

#[test]
fn the_server_of_the_last_run_is_looked_for_until_it_answers() {
    let mut story = Story::new();
    story.input(Input::Start(Box::new(Memory {
        server: Some(SERVER.to_owned()),
        ..Memory::default()
    })));
    for _ in 0..3 {
        story.fail(is_find, offline());
        assert!(matches!(story.see().account, Account::Finding { .. }));
        story.seconds(30);
    }
    story.answer(is_find, Reply::Found(server()));
    assert!(is_signed_out(&story));
    assert!(story.codes().is_empty());
}

#[test]
fn only_the_last_address_counts() {
    let mut story = Story::new();
    story.does(Command::FindServer {
        address: "one".to_owned(),
    });
    story.does(Command::FindServer {
        address: "two".to_owned(),
    });
    story.answer(
        is_find,
        Reply::Found(ServerInfo {
            url: "https://one".to_owned(),
            ..server()
        }),
    );
    assert!(matches!(&story.see().account, Account::Finding { address } if address == "two"));
    story.answer(is_find, Reply::Found(server()));
    assert!(is_signed_out(&story));
}

#[test]
fn an_expired_token_anywhere_ends_the_session_and_keeps_what_was_typed() {
    let mut story = Story::in_call("town-square");
    story.does(Command::SaveDraft {
        channel: id("design"),
        root: None,
        text: "half a th".to_owned(),
    });
    story.does(say("never sent"));
    story.fail(is_create, RequestError::Unauthorised);
    assert!(matches!(&story.see().account, Account::SignedOut { login, .. } if login == "alice"));
    assert!(story.codes().contains(&"account.expired"));
    assert_eq!(story.see_call().phase, CallPhase::Idle);
    assert!(!story.gate);
    let effects = story.effects();
    assert!(effects.contains(&Effect::Link(LinkWish::Close)));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Call(_, CallWish::Leave)))
    );
    assert!(effects.contains(&Effect::Remember(Remember::Draft(
        id("town-square"),
        "never sent".to_owned()
    ))));
    // Signed in again: both are where they were typed.
    story.does(sign_in(None));
    story.answer(is_sign_in, accepted());
    story.up();
    story.answer(is_directory, Reply::Directory(Box::new(directory())));
    assert_eq!(story.row("design").draft, "half a th");
    assert_eq!(story.row("town-square").draft, "never sent");
    assert!(!story.codes().contains(&"account.expired"));
}

#[test]
fn the_link_may_be_the_first_to_notice_that_the_session_is_over() {
    let mut story = Story::signed_in();
    story.link(LinkEvent::Unauthorised);
    assert!(is_signed_out(&story));
    assert_eq!(story.codes(), ["account.expired"]);
    assert_eq!(story.see().link, Link::Down);
    // What the old socket still says is nobody's business.
    story.up();
    assert_eq!(story.see().link, Link::Down);
}

#[test]
fn signing_out_leaves_the_call_tells_the_server_and_forgets_everything() {
    let mut story = Story::in_call("town-square");
    story.does(Command::SignOut);
    assert!(is_signed_out(&story));
    assert!(story.codes().is_empty(), "that was no accident");
    assert_eq!(story.see().directory.channels, []);
    assert!(story.see().directory.people.is_empty());
    let effects = story.effects();
    let leave = effects
        .iter()
        .position(|effect| matches!(effect, Effect::Call(_, CallWish::Leave)));
    let sign_out = effects
        .iter()
        .position(|effect| matches!(effect, Effect::Request(_, Request::SignOut)));
    assert!(leave.is_some() && leave < sign_out);
    let forgets = |effects: &[Effect]| {
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Account { token: None, .. }))
    };
    assert!(!forgets(&effects), "the request still needs the token");
    story.answer(|request| *request == Request::SignOut, Reply::Done);
    assert!(forgets(&story.effects()));
}

#[test]
fn a_session_that_waits_for_its_server_is_ended_too() {
    let mut story = Story::new();
    story.input(Input::Start(Box::new(Memory {
        session: Some(session()),
        ..Memory::default()
    })));
    story.fail(is_check, RequestError::TimedOut);
    story.effects();
    story.does(Command::SignOut);
    assert!(is_signed_out(&story));
    let effects = story.effects();
    let place = |which: &dyn Fn(&Effect) -> bool| effects.iter().position(which);
    let account = place(
        &|effect| matches!(effect, Effect::Account { token: Some(token), .. } if *token == session().token),
    );
    let sign_out = place(&|effect| matches!(effect, Effect::Request(_, Request::SignOut)));
    let erased = place(&|effect| matches!(effect, Effect::Remember(Remember::Session(None))));
    assert!(account.is_some() && account < sign_out && erased.is_some());
    story.fail(
        |request| *request == Request::SignOut,
        RequestError::TimedOut,
    );
    let forgotten = Effect::Account {
        server: SERVER.to_owned(),
        token: None,
    };
    assert!(story.effects().contains(&forgotten));
    story.seconds(600);
    assert!(story.request(is_check).is_none(), "nobody tries it again");
}

#[test]
fn late_answers_of_the_old_session_do_not_touch_the_new_one() {
    let mut story = Story::signed_in();
    story.does(open("design"));
    let (old, _) = story.request(is_posts).unwrap();
    story.does(Command::SignOut);
    story.input(Input::Reply(old, Err(RequestError::Unauthorised)));
    assert!(story.codes().is_empty());
}

#[test]
fn changing_the_server_forgets_it() {
    let mut story = Story::at_sign_in();
    story.does(Command::ChangeServer);
    assert_eq!(story.see().account, Account::NoServer);
    assert!(
        story
            .effects()
            .contains(&Effect::Remember(Remember::Server(None)))
    );
}

#[test]
fn without_a_key_store_it_is_said_openly() {
    let mut story = Story::signed_in();
    story.input(Input::SessionKept(false));
    assert_eq!(story.codes(), ["secrets.none"]);
    assert!(matches!(
        story.see().account,
        Account::SignedIn {
            remembered: false,
            ..
        }
    ));
}

#[test]
fn passwords_and_tokens_print_as_dots() {
    let mut story = Story::at_sign_in();
    story.does(sign_in(Some("123456")));
    let (_, request) = story.request(is_sign_in).unwrap();
    let printed = format!("{request:?}");
    assert!(
        !printed.contains("secret") && !printed.contains("123456"),
        "{printed}"
    );
}

#[test]
fn only_a_certificate_that_was_shown_is_trusted_and_then_the_server_is_tried_again() {
    let mut story = Story::new();
    story.does(Command::FindServer {
        address: "https://chat.private".to_owned(),
    });
    let fingerprint = crate::port::Fingerprint::of(&[7; 32]);
    let certificate = crate::port::Certificate {
        fingerprint: fingerprint.clone(),
        subject: "CN=chat".to_owned(),
        issuer: "CN=nobody".to_owned(),
        not_before: 1,
        not_after: 2,
    };
    let distrust = Distrust {
        host: "chat.private".to_owned(),
        certificate: Some(Box::new(certificate)),
        ..Distrust::default()
    };
    story.fail(
        |request| matches!(request, Request::FindServer { .. }),
        RequestError::Untrusted(distrust),
    );
    let trust = |host: &str, fingerprint: &str| Command::TrustServer {
        host: host.to_owned(),
        fingerprint: fingerprint.to_owned(),
    };
    story.effects();
    let trusted = |effects: &[Effect]| {
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Trust { host, .. } if host == "chat.private"))
    };
    for wrong in [
        trust("chat.other", fingerprint.as_str()),
        trust(
            "chat.private",
            crate::port::Fingerprint::of(&[8; 32]).as_str(),
        ),
        trust("", ""),
    ] {
        story.does(wrong);
        assert!(!trusted(&story.effects()));
    }
    story.does(trust("chat.private", fingerprint.as_str()));
    assert!(trusted(&story.effects()));
    assert!(matches!(story.see().account, Account::Finding { .. }));
}
