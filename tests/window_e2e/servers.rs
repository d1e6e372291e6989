//! Two servers in one window: added, told apart, switched, called on, and removed.

use serde_json::json;

use crate::driver::{Window, wait_for};
use crate::sound::Devices;
use crate::stage::{Server, alone, folder};
use crate::{CHANNEL, open_channel, phase, sign_in, type_address};

fn server(window: &Window, number: u32) {
    window
        .find(&format!("[data-testid=server][data-server=\"{number}\"]"))
        .click();
    window.find(&format!(
        "[data-testid=server][data-server=\"{number}\"][aria-current=page]"
    ));
}

fn badge(number: u32, mentions: u32) -> String {
    format!("[data-testid=server][data-server=\"{number}\"][aria-label*=\"{mentions} mention\"]")
}

#[test]
fn two_servers_are_switched_show_what_is_unread_have_one_call_and_one_is_removed() {
    let _stage = alone();
    let folder = folder("servers");
    let shot = |window: &Window, name: &str| window.screenshot(&folder.join(format!("{name}.png")));
    let _devices = Devices::new();
    let first = Server::start(&folder);
    let beside = folder.join("second");
    std::fs::create_dir_all(&beside).unwrap();
    let second = Server::start(&beside);
    let window = first.window_as("alice", &folder);
    open_channel(&window, CHANNEL);
    assert!(window.look("[data-testid=server-rail]").is_none());

    // Added from the menu of the team; what it may do is said before anybody signs in.
    window.test_id("team-button").click();
    window.test_id("server-add-item").click();
    type_address(&window, &second.url);
    window.test_id("trust-new");
    shot(&window, "1-adding");
    sign_in(&window, "bob", &second.password);
    open_channel(&window, CHANNEL);
    window.find("[data-testid=server-rail]");

    // Both have something for the person, wherever they look.
    for (from, writer, reader) in [(&first, "bob", "alice"), (&second, "alice", "bob")] {
        let api = from.api(writer);
        let channel = api.channel("off-topic");
        api.write(&channel, &format!("@{reader} have a look"), &[]);
    }
    window.find(&badge(0, 1));
    window.find(&badge(1, 1));
    shot(&window, "2-both-unread");

    // A call on the second, that goes on while the first is shown.
    let alice = second.caller("alice", &["--channel", CHANNEL, "--play", "silence"]);
    alice.wait_for("connected");
    window.test_id("call-button").click();
    phase(&window, "live");
    server(&window, 0);
    window.test_id("call-server");
    phase(&window, "live");
    shot(&window, "3-call-elsewhere");
    assert!(window.look(&badge(1, 1)).is_some());
    server(&window, 1);

    // It may not hear us any more: at once, and said where we look, with the way back.
    window.test_id("settings-button").click();
    window.test_id("settings-page-servers").click();
    let row = "[data-testid=server-trust][data-server=\"1\"]";
    window
        .find(&format!("{row} [data-testid=trust-microphone]"))
        .click();
    window.attribute_is("mute-button", "data-microphone", "unavailable");
    shot(&window, "4-what-it-may-do");
    window.test_id("mute-button").click();
    window.find("[data-testid=notice][data-code=\"trust.microphone\"]");
    shot(&window, "5-listening");
    window.test_id("notice-act").click();
    window.attribute_is("mute-button", "data-microphone", "muted");

    // Removed: the call with it, and nothing of it stays on this computer.
    window
        .find(&format!("{row} [data-testid=trust-remove]"))
        .click();
    window.test_id("remove-server-question");
    window.test_id("remove-server-go").click();
    window.gone("[data-testid=server-rail]");
    window.gone("[data-testid=call-bar]");
    wait_for("alice to see bob go", || {
        let gone = json!(false);
        let left =
            |line: &serde_json::Value| line["event"] == "participant" && line["present"] == gone;
        alice.said().iter().any(left).then_some(())
    });
    let kept = folder.join("profile/settings.json");
    wait_for("nothing of it in the settings", || {
        let text = std::fs::read_to_string(&kept).ok()?;
        (text.contains(&first.url) && !text.contains(&second.url)).then_some(())
    });
    shot(&window, "6-removed");
    assert_eq!(alice.leave(), 0);
}
