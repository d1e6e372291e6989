//! The real window, driven as a person drives it, with sound in its microphone and an ear at its loudspeaker.
//!
//! `cargo xtask test` runs this with a display, a session bus and PulseAudio of its own; by hand:
//! `cargo test --test window_e2e` inside such a desktop. Each test leaves screenshots, recordings and logs in
//! `target/e2e/<test>`.

#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub)]
// These tests drive Linux's WebKitWebDriver and PulseAudio; other systems have neither.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

#[path = "window_e2e/api.rs"]
mod api;
#[path = "window_e2e/driver.rs"]
mod driver;
#[path = "window_e2e/limits.rs"]
mod limits;
#[path = "window_e2e/player.rs"]
mod player;
#[path = "window_e2e/processes.rs"]
mod processes;
#[path = "window_e2e/servers.rs"]
mod servers;
#[path = "window_e2e/sound.rs"]
mod sound;
#[path = "window_e2e/stage.rs"]
mod stage;
#[path = "window_e2e/stress.rs"]
mod stress;

use driver::{Window, wait_for};
use processes::{memory, process_tree};
use sound::{Devices, Heard};
use stage::{Server, alone, folder};

/// What alice says, and what bob says.
const ALICE_HZ: f64 = 440.0;
const BOB_HZ: f64 = 660.0;

/// The channel that the tests call in.
const CHANNEL: &str = "Town Square";

fn type_address(window: &Window, address: &str) {
    let field = window.test_id("address-input");
    field.clear();
    field.type_text(address);
    window.test_id("address-submit").click();
}

fn sign_in(window: &Window, login: &str, password: &str) {
    let field = window.test_id("login-input");
    field.clear();
    field.type_text(login);
    let field = window.test_id("password-input");
    field.clear();
    field.type_text(password);
    window.test_id("sign-in-submit").click();
}

fn open_channel(window: &Window, name: &str) {
    window
        .find(&format!(
            "[data-testid=channel-row][data-channel-name=\"{name}\"]"
        ))
        .click();
    window.test_id("composer-input");
}

fn phase(window: &Window, phase: &str) {
    window.attribute_is("call-phase", "data-phase", phase);
}

#[test]
fn two_people_hear_each_other_through_the_window() {
    let _stage = alone();
    let folder = folder("call");
    let shot = |window: &Window, name: &str| window.screenshot(&folder.join(format!("{name}.png")));
    let devices = Devices::new();
    let server = Server::start(&folder);
    let begun = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
        * 1000.0;
    let window = server.window(&folder);

    window.test_id("address-input");
    shot(&window, "1-address");
    type_address(&window, &server.url);
    window.test_id("login-input");
    shot(&window, "2-sign-in");
    sign_in(&window, "alice", &server.password);

    open_channel(&window, CHANNEL);
    window.test_id("post-row");
    shot(&window, "3-channel");

    let clicked = Instant::now();
    window.test_id("call-button").click();
    window.test_id("call-bar");
    window.picture(&folder.join("4-joining.png"));
    phase(&window, "live");
    println!("click to live: {:?} (with WebDriver)", clicked.elapsed());
    // What support looks for in a log, in the words of the official client.
    wait_for("the mark in the log", || {
        let log = std::fs::read_to_string(folder.join("profile/halloo.log")).unwrap_or_default();
        log.contains("rtc connected").then_some(())
    });
    // In a channel the microphone stays off until the person says otherwise.
    window.attribute_is("mute-button", "data-microphone", "muted");
    shot(&window, "5-live-alone");

    let bob_heard = folder.join("bob-heard.wav");
    let bob_says = folder.join("bob-says.wav");
    // A whole number of syllables and of periods, so that it can be repeated without a click.
    sound::write_syllables(&bob_says, BOB_HZ, 8.0);
    let bob = server.caller(
        "bob",
        &[
            "--channel",
            CHANNEL,
            "--unmuted",
            "--play",
            &format!("loop:{}", bob_says.display()),
            "--record",
            bob_heard.to_str().unwrap(),
        ],
    );
    bob.wait_for("connected");
    let ear = devices.listen(&folder.join("alice-heard.wav"));
    window.test_id("people-button").click();
    window.find("[data-testid=participant-row][data-me=false][data-speaking=true]");
    shot(&window, "6-bob-speaks");

    let voice = devices.say(ALICE_HZ, &folder);
    window.test_id("mute-button").click();
    window.attribute_is("mute-button", "data-microphone", "open");
    bob.wait_for("first_audio");
    // Five seconds of both talking, counted by bob's own statistics.
    let from = bob.said().len();
    wait_for("five seconds of talk", || {
        let stats = bob
            .said()
            .iter()
            .skip(from)
            .filter(|line| line["event"] == "stats")
            .count();
        (stats >= 6).then_some(())
    });
    shot(&window, "7-both-talk");
    let alice_heard = ear.stop();

    window.test_id("device-menu-button").click();
    window.test_id("device-input-select");
    wait_for("the level to move", || {
        let level = window.test_id("input-level").attribute("aria-valuenow")?;
        (level.parse::<f64>().ok()? > 0.0).then_some(())
    });
    shot(&window, "8-devices");
    window.test_id("device-menu-button").click();

    window.test_id("mute-button").click();
    window.attribute_is("mute-button", "data-microphone", "muted");
    drop(voice);
    shot(&window, "9-muted-again");
    let painted = window
        .script("return performance.timeOrigin + (performance.getEntriesByType('paint')[0]?.startTime ?? NaN)")
        .as_f64();
    if let Some(ms) = painted {
        println!("start to painted: {:.0} ms", ms - begun);
    }
    memory(window.program_id());
    // She started the call, so that leaving is a question.
    window.test_id("leave-button").click();
    window.test_id("leave-all");
    shot(&window, "10-leaving");
    window.test_id("leave-only").click();
    window.gone("[data-testid=call-bar]");
    shot(&window, "11-left");
    let stats = bob
        .said()
        .iter()
        .rfind(|line| line["event"] == "stats")
        .cloned();
    println!("bob's last figures: {}", stats.unwrap_or_default());
    assert_eq!(bob.leave(), 0);

    is_tone("alice heard", &alice_heard.last(5.0), BOB_HZ);
    let bob_heard = Heard::read(&bob_heard);
    is_tone("bob heard", &bob_heard, ALICE_HZ);
}

/// What is heard must be this tone, and mostly this tone.
fn is_tone(who: &str, heard: &Heard, expected: f64) {
    let (pitch, purity) = heard.syllables();
    println!(
        "{who}: {pitch:.1} Hz, level {:.3}, {:.0} % of the power in it, {:.1} s",
        heard.level(),
        purity * 100.0,
        heard.seconds()
    );
    assert!(heard.level() > 0.01, "{who} nothing: {}", heard.level());
    assert!(
        (pitch - expected).abs() <= 2.0,
        "{who} {pitch} Hz instead of {expected}"
    );
    assert!(
        purity > 0.5,
        "{who} only {purity} of the power at {pitch} Hz"
    );
}

#[test]
fn what_goes_wrong_at_sign_in_is_said() {
    let _stage = alone();
    let folder = folder("sign-in");
    let server = Server::start(&folder);
    let window = server.window(&folder);
    let notice = |code: &str, shot: &str| {
        window.attribute_is("notice", "data-code", code);
        window.screenshot(&folder.join(format!("{shot}.png")));
    };

    type_address(&window, &Server::nowhere());
    notice("server.none", "1-no-server");
    type_address(&window, &server.url);
    sign_in(&window, "alice", "not the password");
    notice("account.wrong", "2-wrong-password");
    sign_in(&window, "alice", &server.password);
    window.find("[data-testid=channel-row]");
    assert!(!window.text().contains(&server.password));
    let log = std::fs::read_to_string(folder.join("profile/halloo.log")).unwrap();
    assert!(
        !log.contains(&server.password),
        "the log tells the password"
    );
}

#[test]
fn a_call_that_cannot_be_joined_says_why() {
    let _stage = alone();
    let folder = folder("cannot-join");
    let _devices = Devices::new();
    let server = Server::start(&folder);
    server.switch(&json!({"max_participants": 1}));
    let bob = server.caller("bob", &["--channel", CHANNEL, "--play", "tone:660"]);
    bob.wait_for("connected");
    let window = server.window_as("alice", &folder);
    open_channel(&window, CHANNEL);
    window.screenshot(&folder.join("1-a-call-goes-on.png"));
    // Said before anybody clicks in vain.
    let button = window.find("[data-testid=call-button][aria-disabled=true]");
    button.click();
    let reason = window.script("return document.getElementById('call-reason').textContent");
    assert!(
        reason
            .as_str()
            .is_some_and(|reason| reason.contains("full")),
        "{reason}"
    );
    assert!(window.look("[data-testid=call-bar]").is_none());
    window.screenshot(&folder.join("2-full.png"));

    // What cannot be known before is told when trying, and nothing is left behind.
    server.switch(&json!({"max_participants": 0}));
    assert_eq!(bob.leave(), 0);
    window.find("[data-testid=call-button][data-state=start]");
    server.fault(
        &json!({"fault": "refuse_join", "user": "alice", "text": "the media server is busy"}),
    );
    window.test_id("call-button").click();
    window.test_id("call-failure");
    let code = window
        .script("return document.querySelector('[data-testid=call-failure-code]').textContent");
    println!("told: {code}");
    window.screenshot(&folder.join("3-failed.png"));
    window.test_id("call-failure-close").click();
    window.gone("[data-testid=call-bar]");
}

#[test]
fn without_the_plugin_there_is_no_call_to_start() {
    let _stage = alone();
    let folder = folder("no-plugin");
    let server = Server::start(&folder);
    server.switch(&json!({"plugin_missing": true}));
    let window = server.window_as("alice", &folder);
    open_channel(&window, CHANNEL);
    let button = window.look("[data-testid=call-button]");
    assert!(
        button.is_none_or(|button| button.attribute("disabled").is_some()
            || button.attribute("aria-disabled").is_some())
    );
    window.screenshot(&folder.join("1-no-plugin.png"));
}

#[test]
fn closing_the_window_leaves_the_call() {
    let _stage = alone();
    let folder = folder("close");
    let _devices = Devices::new();
    let server = Server::start(&folder);
    let bob = server.caller("bob", &["--channel", CHANNEL, "--play", "tone:660"]);
    bob.wait_for("connected");
    let window = server.window_as("alice", &folder);
    open_channel(&window, CHANNEL);
    window.test_id("call-button").click();
    phase(&window, "live");
    let joined = wait_for("bob to see alice", || {
        bob.said()
            .iter()
            .filter(|line| {
                line["event"] == "participant" && line["present"] == true && line["me"] == false
            })
            .count()
            .checked_sub(1)
    });
    assert_eq!(joined, 0);
    let asked = Instant::now();
    window.terminate();
    wait_for("bob to see alice go", || {
        let gone = |line: &Value| line["event"] == "participant" && line["present"] == false;
        bob.said().iter().any(gone).then_some(())
    });
    println!(
        "asked to end until ended and gone from the call: {:?}",
        asked.elapsed()
    );
    assert!(asked.elapsed() < Duration::from_secs(6));
    assert_eq!(bob.leave(), 0);
}

#[test]
fn a_lost_link_is_shown_and_repaired_while_the_call_goes_on() {
    let _stage = alone();
    let folder = folder("reconnect");
    let _devices = Devices::new();
    let server = Server::start(&folder);
    let window = server.window_as("alice", &folder);
    open_channel(&window, CHANNEL);
    window.test_id("call-button").click();
    phase(&window, "live");
    server.fault(&json!({"fault": "cut_socket", "user": "alice"}));
    phase(&window, "reconnecting");
    window.picture(&folder.join("1-reconnecting.png"));
    phase(&window, "live");
    window.screenshot(&folder.join("2-live-again.png"));
    window.test_id("leave-button").click();
    window.gone("[data-testid=call-bar]");
}

#[test]
fn a_crashed_page_comes_back_and_the_call_goes_on() {
    let _stage = alone();
    let folder = folder("crash");
    let _devices = Devices::new();
    let server = Server::start(&folder);
    let bob = server.caller("bob", &["--channel", CHANNEL, "--play", "silence"]);
    bob.wait_for("connected");
    let window = server.window_as("alice", &folder);
    open_channel(&window, CHANNEL);
    window.test_id("call-button").click();
    phase(&window, "live");

    // The driver loses its page with the process, so the log tells the rest. (SIGSEGV would not do: the script
    // engine has a handler of its own for it.)
    let loads = || {
        let log = std::fs::read_to_string(folder.join("profile/halloo.log")).unwrap_or_default();
        log.matches("page loaded").count()
    };
    assert_eq!(loads(), 1);
    let (page, _, _) = process_tree(window.program_id())
        .into_iter()
        .find(|(_, name, _)| name.starts_with("WebKitWebProc"))
        .unwrap();
    let _ = std::process::Command::new("kill")
        .args(["-KILL", &page.to_string()])
        .status();
    wait_for("the page to be loaded again", || {
        (loads() == 2).then_some(())
    });
    let left = |line: &Value| line["event"] == "participant" && line["present"] == false;
    assert!(!bob.said().iter().any(left), "alice left the call");
    assert_eq!(bob.leave(), 0);
}

#[test]
fn a_screen_is_shown_held_by_the_lock_stopped_and_seen_through_the_window() {
    let _stage = alone();
    let folder = folder("share");
    let _devices = Devices::new();
    let server = Server::start(&folder);
    let stored = folder.join("seen-by-bob");
    let bob = server.caller(
        "bob",
        &[
            "--channel",
            CHANNEL,
            "--play",
            "silence",
            "--save-screen",
            stored.to_str().unwrap(),
        ],
    );
    bob.wait_for("connected");
    let window = server.window_as("alice", &folder);
    let shot = |name: &str| window.screenshot(&folder.join(format!("{name}.png")));
    open_channel(&window, CHANNEL);
    window.test_id("call-button").click();
    phase(&window, "live");

    window.test_id("share-button").click();
    window.test_id("share-source");
    wait_for("a picture of each source", || {
        let ready = window.script(
            "const all = [...document.querySelectorAll('[data-testid=share-source] img')];\
             return all.length > 0 && all.every((one) => one.complete && one.naturalWidth > 0)",
        );
        ready.as_bool().filter(|ready| *ready)
    });
    shot("1-picker");
    window.test_id("share-start").click();
    window.attribute_is("share-pill", "data-state", "on");
    let picture = bob.wait_for("screen_frame");
    println!("bob sees {} × {}", picture["width"], picture["height"]);
    window.find("[data-testid=share-canvas].shown");
    shot("2-sharing");
    window.picture(&folder.join("3-the-whole-screen.png"));

    // As a desktop says it.
    let saver = |locked: bool| {
        let said = std::process::Command::new("dbus-send")
            .args([
                "--session",
                "--type=signal",
                "/org/gnome/ScreenSaver",
                "org.gnome.ScreenSaver.ActiveChanged",
                &format!("boolean:{locked}"),
            ])
            .status();
        assert!(said.unwrap().success());
    };
    let pill = |part: &str| {
        wait_for(part, || {
            let text = window
                .script("return document.querySelector('[data-testid=share-pill]')?.textContent");
            text.as_str()?.contains(part).then_some(())
        });
    };
    saver(true);
    pill("Held while this computer is locked");
    shot("4-locked");
    saver(false);
    pill("You are sharing");

    window.test_id("share-stop").click();
    window.gone("[data-testid=share-pill]");
    window.gone("[data-testid=share-stage]");
    assert_eq!(bob.leave(), 0);

    // The other way round.
    let carol = server.caller(
        "carol",
        &[
            "--channel",
            CHANNEL,
            "--play",
            "silence",
            "--share",
            "pattern",
        ],
    );
    carol.wait_for("share_started");
    window.find("[data-testid=share-canvas].shown");
    shot("5-watching");
    let size = || {
        let size = window.script(
            "const all = document.querySelector('[data-testid=share-canvas]'); return [all.width, all.height]",
        );
        (size[0].as_u64().unwrap_or(0), size[1].as_u64().unwrap_or(0))
    };
    println!("painted at {:?}", size());
    assert_eq!(carol.leave(), 0);
    window.gone("[data-testid=share-stage]");
}
