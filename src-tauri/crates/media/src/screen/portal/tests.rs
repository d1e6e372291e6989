//! A portal that does as it is told, and a real PipeWire with a real stream.
#![allow(unsafe_code)]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use super::library::Region;
use super::*;
use crate::screen::{Rect, convert};
use crate::video::I420;

mod mock;
mod producer;

use mock::{Answer, Mock};
use producer::Producer;

/// BGRx and RGBx of `enum spa_video_format`.
const BGRX: u32 = 8;
const RGBX: u32 = 7;

/// Blue, green, red, nothing.
const RED: [u8; 4] = [0, 0, 255, 0];
const GREEN: [u8; 4] = [0, 255, 0, 0];

/// Programs and a folder that end with the test.
struct Desktop {
    folder: PathBuf,
    bus: String,
    programs: Vec<Child>,
}

impl Desktop {
    /// A session bus of our own; `None` where there is no program for it.
    fn new() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("halloo-portal-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let mut desktop = Self {
            bus: String::new(),
            folder,
            programs: Vec::new(),
        };
        // Starts nothing by itself: what this machine has installed is no part of the tests.
        let config = desktop.folder.join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            desktop.folder.join("bus").display()
        );
        std::fs::write(&config, text).unwrap();
        desktop.start(
            Command::new("dbus-daemon")
                .args(["--nofork", "--nopidfile", "--print-address=1"])
                .arg(format!("--config-file={}", config.display())),
        )?;
        let stdout = desktop.programs[0].stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut desktop.bus).unwrap();
        desktop.bus.truncate(desktop.bus.trim_end().len());
        Some(desktop)
    }

    /// Also PipeWire, and what connects its streams.
    fn with_pipewire() -> Option<Self> {
        let mut desktop = Self::new()?;
        desktop.start(&mut Command::new("pipewire"))?;
        let end = Instant::now() + Duration::from_secs(20);
        while !desktop.socket().exists() {
            assert!(Instant::now() < end, "PipeWire makes no socket");
            std::thread::sleep(Duration::from_millis(10));
        }
        desktop.start(&mut Command::new("wireplumber"))?;
        Some(desktop)
    }

    fn start(&mut self, command: &mut Command) -> Option<()> {
        let started = command
            .env("XDG_RUNTIME_DIR", &self.folder)
            .env("XDG_STATE_HOME", &self.folder)
            .env("HOME", &self.folder)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env_remove("PIPEWIRE_REMOTE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(child) => {
                self.programs.push(child);
                Some(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "{command:?} is not installed"
                );
                println!("skipped: {command:?} is not installed");
                None
            }
            Err(error) => panic!("{command:?} does not start: {error}"),
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("pipewire-0")
    }

    fn host(&self) -> (PortalHost, Arc<Kept>) {
        let memory = Arc::new(Kept::default());
        let host = PortalHost {
            memory: Arc::clone(&memory) as Arc<dyn PortalMemory>,
            bus: Some(self.bus.clone()),
            library: library::NAME,
        };
        (host, memory)
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for program in self.programs.iter_mut().rev() {
            let _ = program.kill();
            let _ = program.wait();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[derive(Default)]
struct Kept(Mutex<Option<String>>);

impl PortalMemory for Kept {
    fn token(&self) -> Option<String> {
        self.0.lock().unwrap().clone()
    }

    fn keep(&self, token: Option<&str>) {
        *self.0.lock().unwrap() = token.map(str::to_owned);
    }
}

/// Somebody who watches: the picture as it is, and which parts of it came last.
struct Watcher {
    source: Box<dyn ScreenSource>,
    picture: I420,
    parts: Vec<Rect>,
}

impl Watcher {
    fn new(source: Box<dyn ScreenSource>) -> Self {
        Self {
            picture: I420::black(source.size()),
            source,
            parts: Vec::new(),
        }
    }

    fn look(&mut self, wait: Duration) -> Result<Look, ScreenError> {
        self.parts.clear();
        let Self {
            source,
            picture,
            parts,
        } = self;
        let look = source.look(wait, &mut |patch| {
            parts.push(patch.rect);
            assert!(convert::paint(picture, &patch), "{:?}", patch.rect);
        })?;
        if let Look::Resized(size) = look {
            self.picture = I420::black(size);
        }
        Ok(look)
    }

    /// Looks until something has changed.
    fn change(&mut self) -> Look {
        let look = self.look(Duration::from_secs(10)).unwrap();
        assert_ne!(look, Look::Same, "nothing comes");
        look
    }

    /// Looks until what was shared is gone.
    fn end(&mut self) {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            match self.look(Duration::from_millis(50)) {
                Ok(_) => assert!(Instant::now() < end, "it never ends"),
                Err(error) => {
                    assert!(matches!(error, ScreenError::Gone), "{error:?}");
                    return;
                }
            }
        }
    }

    /// Red, green and blue at a place, 0 to 255.
    fn colour(&self, x: u32, y: u32) -> [u8; 3] {
        let rgb = convert::to_rgb(&self.picture);
        let at = (y * self.picture.size().width + x) as usize * 3;
        [rgb[at], rgb[at + 1], rgb[at + 2]]
    }
}

/// Paints until it is seen: what is painted before PipeWire has told both sides to begin is lost, as it is on a real
/// desktop. Then until all of it is seen.
fn show(producer: &Producer, watcher: &mut Watcher, pixel: impl Fn(u32, u32) -> [u8; 4]) {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        producer.paint(&[], &pixel);
        if watcher.look(Duration::from_millis(100)).unwrap() == Look::Changed {
            break;
        }
        assert!(Instant::now() < end, "nothing comes");
    }
    while watcher.look(Duration::from_millis(50)).unwrap() != Look::Same {}
}

fn is(colour: [u8; 3], wanted: [u8; 4]) -> bool {
    let [blue, green, red, _] = wanted;
    let near = |a: u8, b: u8| a.abs_diff(b) < 12;
    near(colour[0], red) && near(colour[1], green) && near(colour[2], blue)
}

fn open(host: &PortalHost, id: &str) -> Result<Box<dyn ScreenSource>, ScreenError> {
    host.open(&SourceId::from(id), &|| false)
}

/// The left half has one colour, the right half another.
fn halves(width: u32, left: [u8; 4], right: [u8; 4]) -> impl Fn(u32, u32) -> [u8; 4] {
    move |x, _| if x < width / 2 { left } else { right }
}

#[test]
fn what_is_granted_is_seen_followed_and_asked_for_once_only() {
    let Some(desktop) = Desktop::with_pipewire() else {
        return;
    };
    let mock = Mock::start(&desktop.bus);
    let producer = Producer::new(&desktop.socket(), BGRX, (320, 200), true);
    let grant = |token| Answer::Grant {
        node: producer.node(),
        socket: desktop.socket(),
        token,
    };
    mock.script.lock().unwrap().answer = grant("first");
    let (host, memory) = desktop.host();
    let listed = host.sources().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].id.as_str(), listed[0].kind),
        ("portal:choose", SourceKind::Portal)
    );
    assert!(
        host.glance(&listed[0].id).is_err(),
        "a thumbnail asks nobody"
    );

    // Granted: the right size and colours.
    let mut watcher = Watcher::new(open(&host, "portal:choose").unwrap());
    assert_eq!(watcher.source.size(), Size::checked(320, 200).unwrap());
    show(&producer, &mut watcher, halves(320, RED, GREEN));
    assert!(
        is(watcher.colour(10, 100), RED),
        "{:?}",
        watcher.colour(10, 100)
    );
    assert!(
        is(watcher.colour(310, 100), GREEN),
        "{:?}",
        watcher.colour(310, 100)
    );
    {
        let script = mock.script.lock().unwrap();
        let asked = script.last("SelectSources");
        let number = |name: &str| u32::try_from(&asked[name]).unwrap();
        assert_eq!(number("types"), 3, "monitors and windows");
        assert_eq!(number("cursor_mode"), 2, "the cursor is in the picture");
        assert_eq!(number("persist_mode"), 2);
        assert!(!asked.contains_key("restore_token"));
    }

    // Nothing happens: nothing comes.
    assert_eq!(watcher.look(Duration::from_millis(60)).unwrap(), Look::Same);
    // Told damage: only that is fetched, even if more has been painted.
    let damage = [Region {
        x: 31,
        y: 11,
        width: 20,
        height: 10,
    }];
    producer.paint(&damage, |_, _| GREEN);
    assert_eq!(watcher.change(), Look::Changed);
    let part = Rect {
        x: 30,
        y: 10,
        width: 22,
        height: 12,
    };
    assert_eq!(watcher.parts, [part]);
    assert!(
        is(watcher.colour(40, 15), GREEN),
        "{:?}",
        watcher.colour(40, 15)
    );
    assert!(
        is(watcher.colour(40, 60), RED),
        "{:?}",
        watcher.colour(40, 60)
    );
    // Without damage the pictures are compared.
    producer.paint(&[], |_, _| GREEN);
    assert_eq!(watcher.change(), Look::Changed);
    producer.paint(&[], |_, _| GREEN);
    assert_eq!(
        watcher.look(Duration::from_millis(300)).unwrap(),
        Look::Same
    );
    assert!(watcher.parts.is_empty());

    // Another size in the middle of it.
    producer.resize((200, 100));
    show(&producer, &mut watcher, halves(200, GREEN, RED));
    assert_eq!(watcher.source.size(), Size::checked(200, 100).unwrap());
    assert!(is(watcher.colour(10, 50), GREEN) && is(watcher.colour(190, 50), RED));

    // The session is closed when nobody watches any more; the next time the token goes along.
    drop(watcher);
    assert_eq!(memory.token().as_deref(), Some("first"));
    {
        let mut script = mock.script.lock().unwrap();
        assert_eq!(script.closed, [script.session.clone().unwrap()]);
        script.answer = grant("second");
    }
    let ids: Vec<_> = host
        .sources()
        .unwrap()
        .into_iter()
        .map(|source| source.id)
        .collect();
    assert_eq!(
        ids,
        [SourceId::from("portal"), SourceId::from("portal:choose")]
    );
    let mut watcher = Watcher::new(open(&host, "portal").unwrap());
    {
        let script = mock.script.lock().unwrap();
        let token = &script.last("SelectSources")["restore_token"];
        assert_eq!(<&str>::try_from(token).unwrap(), "first");
    }
    assert_eq!(memory.token().as_deref(), Some("second"));
    show(&producer, &mut watcher, halves(200, RED, RED));
    assert!(is(watcher.colour(50, 50), RED));

    // The compositor ends the stream.
    drop(producer);
    watcher.end();
}

#[test]
fn other_colours_order_no_damage_and_the_desktops_own_stop() {
    let Some(desktop) = Desktop::with_pipewire() else {
        return;
    };
    let mock = Mock::start(&desktop.bus);
    let producer = Producer::new(&desktop.socket(), RGBX, (256, 128), false);
    mock.script.lock().unwrap().answer = Answer::Grant {
        node: producer.node(),
        socket: desktop.socket(),
        token: "",
    };
    let (host, memory) = desktop.host();
    memory.keep(Some("old"));
    let mut watcher = Watcher::new(open(&host, "portal:choose").unwrap());
    assert_eq!(memory.token(), None, "a permission for one time only");
    assert!(
        !mock
            .script
            .lock()
            .unwrap()
            .last("SelectSources")
            .contains_key("restore_token"),
        "whoever wants to choose is asked"
    );
    // In this order red comes first.
    let red_first = |[blue, green, red, x]: [u8; 4]| [red, green, blue, x];
    show(&producer, &mut watcher, |_, _| red_first(RED));
    assert!(
        is(watcher.colour(128, 64), RED),
        "{:?}",
        watcher.colour(128, 64)
    );
    // The first comparison has nothing to compare with.
    producer.paint(&[], |_, _| red_first(RED));
    while watcher.look(Duration::from_millis(100)).unwrap() != Look::Same {}
    producer.paint(&[], |x, y| {
        red_first(if x < 64 && y < 64 { GREEN } else { RED })
    });
    watcher.change();
    let tile = Rect {
        x: 0,
        y: 0,
        width: 64,
        height: 64,
    };
    assert_eq!(watcher.parts, [tile]);
    assert!(is(watcher.colour(20, 20), GREEN) && is(watcher.colour(100, 20), RED));

    mock.close_session();
    watcher.end();
}

#[test]
fn whoever_refuses_cancels_or_is_not_there_is_told_apart() {
    let Some(desktop) = Desktop::new() else {
        return;
    };
    let (host, memory) = desktop.host();
    // No portal on the bus.
    assert!(matches!(host.sources(), Err(ScreenError::NoPortal(_))));
    assert!(matches!(
        open(&host, "portal"),
        Err(ScreenError::NoPortal(_))
    ));

    let mock = Mock::start(&desktop.bus);
    memory.keep(Some("kept"));
    assert!(matches!(open(&host, "portal"), Err(ScreenError::Cancelled)));
    mock.script.lock().unwrap().answer = Answer::Refuse;
    assert!(matches!(open(&host, "portal"), Err(ScreenError::Denied)));
    assert_eq!(
        memory.token().as_deref(),
        Some("kept"),
        "a permission outlives a refusal"
    );

    // Given up while the dialog is open: it is taken from the screen.
    mock.script.lock().unwrap().answer = Answer::Silence;
    let given_up = host.open(&SourceId::from("portal"), &|| true);
    assert!(matches!(given_up, Err(ScreenError::Cancelled)));
    let closed = mock.script.lock().unwrap().closed.clone();
    assert!(
        closed.iter().any(|path| path.contains("/request/")),
        "{closed:?}"
    );

    // The portal dies while it asks.
    let connection = mock.connection.clone();
    let leaves = std::thread::spawn(move || {
        let end = Instant::now() + Duration::from_secs(10);
        while mock
            .script
            .lock()
            .unwrap()
            .calls
            .iter()
            .filter(|call| call.0 == "Start")
            .count()
            < 4
        {
            assert!(Instant::now() < end);
            std::thread::sleep(Duration::from_millis(5));
        }
        connection.close().unwrap();
    });
    assert!(matches!(
        open(&host, "portal"),
        Err(ScreenError::NoPortal(_))
    ));
    leaves.join().unwrap();

    // No bus.
    let nowhere = PortalHost {
        bus: Some(format!(
            "unix:path={}",
            desktop.folder.join("none").display()
        )),
        ..desktop.host().0
    };
    assert!(matches!(nowhere.sources(), Err(ScreenError::NoPortal(_))));
}

#[test]
fn without_pipewire_nobody_is_asked() {
    let Some(desktop) = Desktop::new() else {
        return;
    };
    let mock = Mock::start(&desktop.bus);
    let host = PortalHost {
        library: "libpipewire-that-is-not-there.so.0",
        ..desktop.host().0
    };
    assert!(matches!(host.sources(), Err(ScreenError::NoPipeWire(_))));
    assert!(matches!(
        open(&host, "portal"),
        Err(ScreenError::NoPipeWire(_))
    ));
    assert!(mock.script.lock().unwrap().calls.is_empty());
    // A bus whose portal has a PipeWire that does not answer.
    let socket = desktop.folder.join("dead");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    mock.script.lock().unwrap().answer = Answer::Grant {
        node: 1,
        socket,
        token: "",
    };
    drop(std::thread::spawn(move || drop(listener.accept())));
    let failed = open(&desktop.host().0, "portal");
    assert!(matches!(failed, Err(ScreenError::Failed(_))));
}
