//! Files that are played in the window: heard at its loudspeaker, and fetched by nobody but the core.

use serde_json::json;

use crate::driver::wait_for;
use crate::sound::{self, Devices};
use crate::stage::{Server, alone, folder};
use crate::{CHANNEL, is_tone, open_channel};

/// What is played.
const HZ: f64 = 550.0;
/// How long, seconds: at 48 kHz and 16 bits more than one part of a file.
const LENGTH: f64 = 16.0;
/// How WebDriver calls the right arrow.
const RIGHT: &str = "\u{e014}";

#[test]
fn a_file_is_played_where_it_stands_and_heard() {
    let _stage = alone();
    let folder = folder("player");
    let devices = Devices::new();
    let server = Server::start(&folder);
    let tone = folder.join("tone.wav");
    sound::write_syllables(&tone, HZ, LENGTH);
    let bob = server.api("bob");
    let channel = bob.channel("town-square");
    let bytes = std::fs::read(&tone).unwrap();
    let good = bob.upload_bytes(&channel, "what I mean.wav", "audio/wav", &bytes);
    // A server may call anything a film.
    let bad = bob.upload_bytes(
        &channel,
        "film.webm",
        "video/webm",
        b"<script>hit(0)</script>",
    );
    bob.write(&channel, "listen", &[good, bad]);

    let window = server.window_as("alice", &folder);
    open_channel(&window, CHANNEL);
    window.test_id("file-play");
    window.script(
        "window.told = [];
         document.addEventListener('securitypolicyviolation', (event) => told.push(event.violatedDirective + ' ' + event.blockedURI));
         return 0",
    );
    let before = window.script("return document.querySelectorAll('video, audio').length");
    assert_eq!(before, 0, "nothing loads before somebody asks");

    let ear = devices.listen(&folder.join("heard.wav"));
    window.find("[aria-label=\"Play what I mean.wav\"]").click();
    window.test_id("player-media");
    let at = || {
        let at = window
            .script("return document.querySelector('[data-testid=player-media]').currentTime");
        at.as_f64().unwrap()
    };
    wait_for("three seconds of it", || (at() > 3.0).then_some(()));
    window.screenshot(&folder.join("1-plays.png"));
    let length =
        window.script("return document.querySelector('[data-testid=player-media]').duration");
    assert!((length.as_f64().unwrap() - LENGTH).abs() < 0.1, "{length}");
    let from = at();
    window.test_id("player-seek").type_text(RIGHT);
    assert!(at() >= from + 4.9, "from {from} s to {} s", at());
    window.test_id("player-toggle").click();
    window.attribute_is("player-toggle", "aria-label", "Play");
    let heard = ear.stop();
    is_tone("alice heard", &heard, HZ);

    // What is none is said to be none; saving is offered.
    window.find("[aria-label=\"Play film.webm\"]").click();
    window.test_id("player-problem");
    window.screenshot(&folder.join("2-cannot-be-played.png"));
    window.test_id("player-save");

    let told = window.script(
        "const asked = performance.getEntriesByType('resource').map((one) => one.name);
         return {told, away: asked.filter((url) => !/^(tauri|ipc|avatar|data|blob):/.test(url))}",
    );
    assert_eq!(told, json!({"told": [], "away": []}));
    window.test_id("player-close").click();
    window.terminate();
}
