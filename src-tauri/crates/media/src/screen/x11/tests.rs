//! A real X server of our own (Xvfb) with windows, monitors and a cursor.

use std::time::{Duration, Instant};

use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConfigureWindowAux, EventMask, PropMode, StackMode,
};
use x11rb::wrapper::ConnectionExt as _;

use super::*;
use crate::screen::{ASIDE, Look, Rect};

mod stage;

use stage::{BLUE, GREEN, GREY, RED, Stage, Watcher};

#[test]
fn a_whole_screen_is_seen_and_only_what_changes_is_fetched() {
    let Some(stage) = Stage::new(&[]) else { return };
    let mut watcher = stage.open("screen:0");
    assert_eq!(watcher.look(Duration::ZERO).unwrap(), Look::Changed);
    assert_eq!(watcher.size(), (800, 600));
    assert_eq!(watcher.parts, [Rect::all(watcher.source.size())]);
    assert_eq!(watcher.at(400, 300), GREY);
    watcher.settle();
    stage.paint(stage.x.root, RED, (101, 51, 20, 10));
    assert_eq!(watcher.look(Duration::from_secs(5)).unwrap(), Look::Changed);
    let part = Rect {
        x: 100,
        y: 50,
        width: 22,
        height: 12,
    };
    assert_eq!(watcher.parts, [part]);
    assert_eq!((watcher.at(110, 56), watcher.at(130, 56)), (RED, GREY));
    assert_eq!(watcher.look(Duration::from_millis(50)).unwrap(), Look::Same);
    assert!(matches!(stage.try_open("screen:1"), Err(ScreenError::Gone)));
}

#[test]
fn the_cursor_is_drawn_where_it_is_and_nowhere_else() {
    let Some(stage) = Stage::new(&[]) else { return };
    let mut watcher = stage.open("screen:0");
    watcher.settle();
    let changed = |watcher: &Watcher, (left, top): (u32, u32)| {
        let places = (0..30).flat_map(|x| (0..30).map(move |y| (left + x, top + y)));
        places.filter(|(x, y)| watcher.at_luma(*x, *y)).count()
    };
    let before = changed(&watcher, (285, 185));
    assert_eq!(before, 0, "no cursor here yet");
    stage.point(300, 200);
    assert_eq!(
        watcher.look(Duration::from_millis(500)).unwrap(),
        Look::Changed
    );
    assert!(changed(&watcher, (285, 185)) > 10, "the cursor is seen");
    let area: u32 = watcher
        .parts
        .iter()
        .map(|part| part.width * part.height)
        .sum();
    assert!(area < 10_000, "{:?}", watcher.parts);
    stage.point(500, 400);
    assert_eq!(
        watcher.look(Duration::from_millis(500)).unwrap(),
        Look::Changed
    );
    assert_eq!(changed(&watcher, (285, 185)), 0, "it leaves nothing behind");
    assert!(changed(&watcher, (485, 385)) > 10);
}

#[test]
fn a_window_is_followed_while_it_is_covered_moved_resized_and_hidden_until_it_is_closed() {
    let Some(stage) = Stage::new(&[]) else { return };
    let window = stage.window("Plans", RED, (50, 50), (200, 150));
    let mut watcher = stage.open("window:plans");
    watcher.settle();
    assert_eq!(watcher.size(), (200, 150));
    assert_eq!(watcher.at(100, 75), RED);
    // Covered in part: nobody sees the other window.
    let other = stage.window("Secret", BLUE, (100, 100), (300, 200));
    watcher.settle();
    assert_eq!((watcher.at(20, 20), watcher.at(150, 120)), (RED, RED));
    // What is painted beneath it is seen all the same.
    stage.paint(window, GREEN, (120, 100, 60, 40));
    watcher.settle();
    assert_eq!((watcher.at(150, 120), watcher.at(20, 20)), (GREEN, RED));
    // Moved: nothing changes in it.
    stage.configure(window, ConfigureWindowAux::new().x(400).y(300));
    watcher.settle();
    assert_eq!((watcher.at(150, 120), watcher.at(20, 20)), (GREEN, RED));
    // Resized.
    stage.configure(window, ConfigureWindowAux::new().width(300).height(240));
    let end = Instant::now() + Duration::from_secs(5);
    while watcher.size() != (300, 240) {
        assert!(Instant::now() < end, "{:?}", watcher.size());
        let _ = watcher.look(Duration::from_millis(50)).unwrap();
    }
    watcher.settle();
    assert_eq!(watcher.at(290, 230), RED);
    // Hidden: the last picture stays. Shown again: it goes on.
    stage.x.connection.unmap_window(window).unwrap();
    stage.done();
    watcher.settle();
    assert_eq!(watcher.at(290, 230), RED);
    stage.x.connection.map_window(window).unwrap();
    let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
    stage.configure(window, above);
    stage.paint(window, BLUE, (0, 0, 300, 240));
    watcher.settle();
    assert_eq!(watcher.at(10, 10), BLUE);
    // Another window's end is none of our business; its own is.
    stage.x.connection.destroy_window(other).unwrap();
    stage.done();
    watcher.settle();
    stage.x.connection.destroy_window(window).unwrap();
    stage.done();
    watcher.gone();
    assert!(matches!(
        stage.try_open("window:plans"),
        Err(ScreenError::Gone)
    ));
}

#[test]
fn two_monitors_are_two_screens_and_one_that_is_unplugged_is_gone() {
    let Some(stage) = Stage::new(&[]) else { return };
    stage.paint(stage.x.root, RED, (0, 0, 500, 600));
    stage.paint(stage.x.root, GREEN, (500, 0, 300, 600));
    stage.monitor("Left", (0, 500), false);
    stage.monitor("Right", (500, 300), true);
    let listed = stage.host().sources().unwrap();
    let found: Vec<_> = listed
        .iter()
        .filter(|source| source.kind == SourceKind::Screen)
        .map(|source| (source.id.as_str(), source.name.as_str(), source.width))
        .filter(|(_, name, _)| ["Left", "Right"].contains(name))
        .collect();
    // The primary one comes first.
    assert_eq!(
        found,
        [("screen:0", "Right", 300), ("screen:1", "Left", 500)]
    );
    let (mut right, mut left) = (stage.open("screen:0"), stage.open("screen:1"));
    right.settle();
    left.settle();
    assert_eq!((right.size(), left.size()), ((300, 600), (500, 600)));
    assert_eq!((right.at(1, 300), left.at(498, 300)), (GREEN, RED));
    // What happens on one is not fetched for the other.
    stage.paint(stage.x.root, BLUE, (600, 100, 50, 50));
    assert_eq!(right.look(Duration::from_secs(5)).unwrap(), Look::Changed);
    assert_eq!(right.at(125, 125), BLUE);
    assert_eq!(left.look(Duration::from_millis(50)).unwrap(), Look::Same);
    let name = stage.x.atom("Right").unwrap();
    let connection = &stage.x.connection;
    connection.randr_delete_monitor(stage.x.root, name).unwrap();
    stage.done();
    right.gone();
}

#[test]
fn another_resolution_is_followed_and_a_screen_switched_off_is_gone() {
    let Some(stage) = Stage::new(&[]) else { return };
    let mut watcher = stage.open("screen");
    watcher.settle();
    stage.resolution(Some((640, 480)));
    let end = Instant::now() + Duration::from_secs(5);
    while watcher.size() != (640, 480) {
        assert!(Instant::now() < end, "{:?}", watcher.size());
        let _ = watcher.look(Duration::from_millis(50)).unwrap();
    }
    stage.paint(stage.x.root, BLUE, (0, 0, 640, 480));
    watcher.settle();
    assert_eq!(watcher.at(600, 400), BLUE);
    stage.resolution(None);
    watcher.gone();
}

#[test]
fn the_list_has_other_peoples_windows_and_none_of_ours_nor_the_desktops() {
    let Some(stage) = Stage::new(&[]) else { return };
    let ours = stage.window("Halloo", RED, (0, 0), (300, 200));
    stage.number(ours, "_NET_WM_PID", std::process::id());
    let theirs = stage.window("Letter", RED, (0, 0), (300, 200));
    stage.number(theirs, "_NET_WM_PID", std::process::id() ^ 1);
    stage.window("Tip", RED, (0, 0), (20, 10));
    stage.window(" ", RED, (0, 0), (100, 100));
    let panel = stage.window("Panel", RED, (0, 0), (800, 40));
    let connection = &stage.x.connection;
    let kind = stage.x.atom("_NET_WM_WINDOW_TYPE").unwrap();
    let dock = stage.x.atom("_NET_WM_WINDOW_TYPE_DOCK").unwrap();
    connection
        .change_property32(PropMode::REPLACE, panel, kind, AtomEnum::ATOM, &[dock])
        .unwrap();
    let hidden = stage.window("Hidden", RED, (0, 0), (300, 200));
    connection.unmap_window(hidden).unwrap();
    stage.done();
    let listed = stage.host().sources().unwrap();
    let names: Vec<_> = listed
        .iter()
        .filter(|source| source.kind == SourceKind::Window)
        .map(|source| (source.name.as_str(), source.width, source.height))
        .collect();
    assert_eq!(names, [("Letter", 300, 200)]);
}

#[test]
fn our_small_window_is_left_out_and_what_is_beneath_is_seen() {
    let Some(stage) = Stage::new(&[]) else { return };
    let letter = stage.window("Letter", RED, (100, 100), (300, 200));
    let bar = stage.window(ASIDE, GREEN, (150, 150), (100, 50));
    // Another program may call itself as it likes.
    let foreign = stage.window(ASIDE, BLUE, (600, 400), (50, 50));
    stage.number(foreign, "_NET_WM_PID", 1);
    stage.number(bar, "_NET_WM_PID", std::process::id());
    let mut watcher = stage.open("screen:0");
    watcher.settle();
    assert_eq!(watcher.at(170, 170), RED);
    assert_eq!(watcher.at(620, 420), BLUE);
    // It moves half off the letter.
    let change = ConfigureWindowAux::new().x(370).y(150);
    stage.configure(bar, change);
    watcher.until((380, 170), RED);
    watcher.settle();
    assert_eq!((watcher.at(170, 170), watcher.at(380, 170)), (RED, RED));
    assert_ne!(watcher.at(420, 170), GREEN);
    // What is painted beneath shows as soon as the small window changes.
    stage.paint(letter, BLUE, (0, 0, 300, 200));
    stage.paint(bar, GREEN, (0, 0, 100, 50));
    watcher.until((380, 170), BLUE);
    watcher.settle();
    assert_eq!((watcher.at(110, 110), watcher.at(380, 170)), (BLUE, BLUE));
    // Gone, and nobody has seen it.
    stage.x.connection.unmap_window(bar).unwrap();
    stage.done();
    watcher.settle();
    assert_eq!(watcher.at(380, 170), BLUE);
}

#[test]
fn a_server_that_tells_of_no_changes_is_looked_at_and_compared() {
    let Some(stage) = Stage::new(&["-extension", "DAMAGE", "-extension", "MIT-SHM"]) else {
        return;
    };
    let mut watcher = stage.open("screen:0");
    watcher.settle();
    assert_eq!(watcher.at(400, 300), GREY);
    stage.paint(stage.x.root, RED, (130, 70, 20, 10));
    assert_eq!(watcher.look(Duration::from_secs(5)).unwrap(), Look::Changed);
    let tile = Rect {
        x: 128,
        y: 64,
        width: 64,
        height: 64,
    };
    assert_eq!(watcher.parts, [tile]);
    assert_eq!(watcher.at(140, 75), RED);
    assert_eq!(
        watcher.look(Duration::from_millis(250)).unwrap(),
        Look::Same
    );
}

#[test]
fn a_still_screen_wakes_nobody() {
    let Some(stage) = Stage::new(&[]) else { return };
    let mut watcher = stage.open("screen:0");
    watcher.settle();
    let before = cpu();
    let from = Instant::now();
    assert_eq!(
        watcher.look(Duration::from_millis(600)).unwrap(),
        Look::Same
    );
    assert!(from.elapsed() >= Duration::from_millis(600));
    // One wait on a socket: a millisecond is far more than it takes.
    assert!(
        cpu() - before < Duration::from_millis(5),
        "{:?}",
        cpu() - before
    );
}

/// Processor time of this thread.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = text.split(' ').next().unwrap().parse().unwrap();
    Duration::from_nanos(nanoseconds)
}

#[test]
fn a_thumbnail_shows_the_window_as_it_is_now() {
    let Some(stage) = Stage::new(&[]) else { return };
    let window = stage.window("Plans", RED, (50, 50), (400, 100));
    let screens = crate::Screens::new(
        std::sync::Arc::new(stage.host()),
        crate::ScreenConfig::default(),
        std::sync::Arc::new(|_| {}),
    );
    let id = SourceId::new(format!("window:{window:#x}"));
    let first = thumbnail(&screens.thumbnail(&id).unwrap());
    assert_eq!(first, (320, 80, [0xff, 0, 0]));
    stage.paint(window, BLUE, (0, 0, 400, 100));
    let second = thumbnail(&screens.thumbnail(&id).unwrap());
    assert_eq!(second, (320, 80, [0, 0, 0xff]));
    stage.x.connection.destroy_window(window).unwrap();
    stage.done();
    assert!(screens.thumbnail(&id).is_err());
}

/// Its size and the colour of its middle, rounded to black or full.
fn thumbnail(bytes: &[u8]) -> (u32, u32, [u8; 3]) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let middle = (info.height / 2) as usize * info.line_size + info.width as usize / 2 * 3;
    let round = |value: u8| if value > 127 { 0xff } else { 0 };
    let colour = [0, 1, 2].map(|plane| round(pixels[middle + plane]));
    (info.width, info.height, colour)
}

#[test]
fn events_of_the_root_window_are_asked_for_without_taking_them_from_others() {
    let Some(stage) = Stage::new(&[]) else { return };
    // What a window manager does, which only one program may.
    let manage = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_REDIRECT);
    let managed = stage
        .x
        .connection
        .change_window_attributes(stage.x.root, &manage);
    managed.unwrap().check().unwrap();
    let mut watcher = stage.open("screen:0");
    watcher.settle();
    assert_eq!(watcher.at(400, 300), GREY);
}
