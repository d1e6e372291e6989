//! The windows of a call on a desktop: where they lie, above what, when they are there at all, and who has the keyboard.

use super::screen::Screen;
use super::*;

/// Title of the small window, by which shared screens leave it out.
const BAR: &str = "Halloo: call";
const STAGE: &str = "Town Square · Halloo";
const MAIN: &str = "Halloo";

const CONTROL: u32 = 0xffe3;
const SHIFT: u32 = 0xffe1;
const RIGHT: u32 = 0xff53;
const UP: u32 = 0xff52;
const SPACE: u32 = 0x20;

/// Buttons at the upper edge of the bar, from its upper right corner, at a scale of one.
const HIDE: (i32, i32) = (-15, 11);
const EXPAND: (i32, i32) = (-59, 11);
/// By this it is taken.
const GRIP: (i32, i32) = (-200, 11);

/// Alice without a window of hers, on that screen.
fn start(server: &Server, profile: &Path, screen: &Screen, more: &[(&str, &str)]) -> Halloo {
    let mut environment = vec![("DISPLAY", screen.name.as_str())];
    environment.extend(more);
    Halloo::start_in(server, "alice", profile, &["--hidden"], &environment)
}

fn join(alice: &Halloo) {
    alice.ctl(&["join", "Town Square"]);
    alice.waits_for("call", "live");
}

/// Where something of the bar is now.
fn spot(screen: &Screen, bar: u32, (x, y): (i32, i32)) -> (i32, i32) {
    let area = screen.area(bar).expect("the bar");
    (area.x + i32::try_from(area.width).unwrap() + x, area.y + y)
}

/// Does something again and again until it has worked: a page that is only just there hears nothing.
fn until<T>(what: &str, mut act: impl FnMut(), mut worked: impl FnMut() -> Option<T>) -> T {
    for _ in 0..20 {
        act();
        let end = Instant::now() + Duration::from_secs(1);
        while Instant::now() < end {
            if let Some(found) = worked() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }
    panic!("{what}");
}

#[test]
fn the_windows_of_a_call_keep_out_of_the_way_and_keep_their_places() {
    let _stage = alone();
    let folder = folder("places");
    let _devices = Devices::new();
    let _service = Service::start();
    let server = Server::start(&folder);
    let says = folder.join("bob-says.wav");
    sound::write_syllables(&says, 440.0, 8.0);
    let words = format!("loop:{}", says.display());
    let mut bob = vec!["--channel", "Town Square", "--unmuted", "--play"];
    bob.push(&words);
    let bob = server.caller("bob", &bob);
    bob.wait_for("connected");
    let screen = Screen::start("openbox", &["--sm-disable"], (1600, 1000));
    let profile = folder.join("alice");
    let other = screen.program();
    let alice = start(&server, &profile, &screen, &[]);
    join(&alice);

    // Lower left, above everything, on all workspaces, in no list of windows, and without the keyboard.
    let bar = screen.find(BAR);
    let first = screen.lies("the bar", bar, |area| area.width == 360);
    assert_eq!(first.x, 24);
    assert!((700..1000).contains(&first.y), "{first:?}");
    for state in ["ABOVE", "SKIP_TASKBAR"] {
        wait_for(state, || screen.is(bar, state).then_some(()));
    }
    assert!(screen.is_everywhere(bar) && screen.is_above(bar, other));
    assert_eq!(screen.active(), Some(other));
    // It is as high as what is in it, and all of it is on the screen.
    screen.lies("its height", bar, |area| area.height != 172);
    screen.picture(&folder.join("1-bar.png"));

    // By mouse, by keys, and Space talks while it is held.
    until(
        "taken by its grip",
        || {
            let from = spot(&screen, bar, GRIP);
            screen.drag(from, (700, 300));
        },
        || screen.area(bar).filter(|area| area.x > 400),
    );
    let dragged = screen.lies("where it was let go", bar, |area| area.y < 400);
    let (x, y) = spot(&screen, bar, GRIP);
    screen.click(x, y);
    let step = [CONTROL, SHIFT, RIGHT];
    screen.press(&step);
    screen.release(&step);
    screen.lies("a step", bar, |area| area.x == dragged.x + 32);
    let step = [CONTROL, SHIFT, UP];
    screen.press(&step);
    screen.release(&step);
    let place = screen.lies("a step", bar, |area| area.y == dragged.y - 32);
    screen.press(&[SPACE]);
    alice.waits_for("microphone", "open");
    screen.release(&[SPACE]);
    alice.waits_for("microphone", "muted");

    // A smaller screen, and the larger one again.
    screen.resolution(640, 480);
    let small = screen.lies("all of it on the small screen", bar, |area| {
        area.x >= 0 && area.x + 360 <= 640 && area.y + i32::try_from(area.height).unwrap() <= 480
    });
    println!("on a screen of 640×480 it lies at {:?}", small.at());
    screen.resolution(1600, 1000);
    screen.lies("its place", bar, |area| area.at() == place.at());

    // Put away, nothing is to be seen, and everything to be heard.
    let (x, y) = spot(&screen, bar, HIDE);
    until(
        "put away",
        || screen.click(x, y),
        || (screen.count(BAR) == 0).then_some(()),
    );
    assert_eq!(screen.count(MAIN), 0);
    let ear = Ear::open();
    wait_for("bob, with no window open", || ear.first());
    drop(ear);
    screen.activate(other);

    // The main window brings it back: there it is docked, elsewhere it is a window, and still has no keyboard.
    let show = || {
        let profile = profile.to_str().unwrap();
        let second = Command::new(program())
            .args(["--profile", profile])
            .status();
        assert!(second.unwrap().success());
    };
    show();
    let main = screen.find(MAIN);
    wait_for("the main window in front", || {
        (screen.active() == Some(main)).then_some(())
    });
    screen.activate(other);
    let bar = screen.find(BAR);
    screen.lies("its place", bar, |area| area.at() == place.at());
    screen.activate(main);
    screen.none(BAR);
    screen.activate(other);
    let bar = screen.find(BAR);
    screen.lies("its place", bar, |area| area.at() == place.at());
    assert_eq!(screen.active(), Some(other));

    // The large window takes its place, once, and keeps its size.
    let expand = |bar| {
        until(
            "the large window",
            || {
                if screen.count(BAR) > 0 && screen.count(STAGE) == 0 {
                    let (x, y) = spot(&screen, bar, EXPAND);
                    screen.click(x, y);
                }
            },
            || (screen.count(STAGE) == 1).then(|| screen.find(STAGE)),
        )
    };
    let stage = expand(bar);
    screen.none(BAR);
    screen.activate(other);
    screen.resize(stage, 800, 500);
    screen.lies("its new size", stage, |area| {
        (area.width, area.height) == (800, 500)
    });
    assert_eq!((screen.count(BAR), screen.count(STAGE)), (0, 1));
    screen.picture(&folder.join("2-large.png"));
    screen.close(stage);
    screen.none(STAGE);
    screen.activate(other);
    let bar = screen.find(BAR);
    assert_eq!(alice.status()["call"], "live");
    let stage = expand(bar);
    screen.lies("its size", stage, |area| {
        (area.width, area.height) == (800, 500)
    });

    // With the call they go.
    alice.ctl(&["leave"]);
    screen.none(STAGE);
    screen.none(BAR);
    drop(alice);

    // The next run knows the place; narrow and ordinary, at twice the scale.
    let calls = json!({"narrow": true, "level": "ordinary"});
    Halloo::settings(&profile, &json!({ "calls": calls }));
    let alice = start(&server, &profile, &screen, &[("GDK_SCALE", "2")]);
    join(&alice);
    let bar = screen.find(BAR);
    let large = screen.lies("twice as large", bar, |area| area.width == 528);
    let off = (large.x - place.x).abs().max((large.y - place.y).abs());
    assert!(off <= 2, "{large:?}, not {place:?}");
    assert!(!screen.is(bar, "ABOVE") && !screen.is_everywhere(bar));
    screen.lies("its height", bar, |area| area.height != 344);
    screen.drawn(bar);
    screen.picture(&folder.join("3-scale.png"));
    drop(alice);
    drop(screen);

    // A tiling manager tiles what one works in, and lets the small window float.
    let config = folder.join("i3");
    std::fs::write(
        &config,
        "font pango:DejaVu Sans 9\nfocus_follows_mouse no\n",
    )
    .unwrap();
    let screen = Screen::start("i3", &["-c", config.to_str().unwrap()], (1200, 800));
    let other = screen.program();
    let alone = screen.lies("tiled", other, |area| area.width > 1100);
    std::fs::remove_file(profile.join("settings.json")).unwrap();
    let alice = start(&server, &profile, &screen, &[]);
    join(&alice);
    let bar = screen.find(BAR);
    screen.lies("floating", bar, |area| {
        area.width == 360 && area.height < 300
    });
    let now = screen.area(other).expect("the other window");
    assert_eq!(now.width, alone.width, "it has made room");
    assert_eq!(screen.active(), Some(other));
    screen.drawn(bar);
    screen.picture(&folder.join("4-tiled.png"));
    drop(alice);
    assert_eq!(bob.leave(), 0);
}
