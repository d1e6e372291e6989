//! Halloo at home on the desktop: sleep, idleness, the tray, signing in with the browser, other loudspeakers, and the
//! sounds of a call.

use std::sync::atomic::Ordering;

use super::keys::Elsewhere;
use super::portal::{Machine, Menu};
use super::service::{Hanging, Quiet};
use super::*;

#[test]
fn sleep_idleness_do_not_disturb_and_the_language_are_the_persons() {
    let _stage = alone();
    let folder = folder("desktop");
    let _devices = Devices::new();
    let service = Service::start();
    let machine = Machine::start();
    let server = Server::start(&folder);
    let profile = folder.join("alice");
    Halloo::settings(&profile, &json!({"appearance": {"language": "de"}}));
    let bus = std::env::var("DBUS_SESSION_BUS_ADDRESS").unwrap();
    // GNOME's settings are read by its own program.
    let (bin, banners) = (folder.join("bin"), folder.join("show-banners"));
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(&banners, "true\n").unwrap();
    let script = format!(
        "#!/bin/sh\n[ \"$3\" = show-banners ] && cat '{}'\n",
        banners.display()
    );
    std::fs::write(bin.join("gsettings"), script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bin.join("gsettings"), mode).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    // One bus stands for both.
    let system = [
        ("DBUS_SYSTEM_BUS_ADDRESS", bus.as_str()),
        ("XDG_CURRENT_DESKTOP", "ubuntu:GNOME"),
        ("PATH", path.as_str()),
    ];
    let alice = Halloo::start_in(&server, "alice", &profile, &["--hidden"], &system);
    let ids = Ids::of(&server);
    let account = Account::of(&server, "alice");
    let presence = || account.ask("GET", "users/me/status", "")["status"].clone();
    // It looks every ten seconds; meanwhile the rest is tried.
    machine.idle.store(400_000, Ordering::SeqCst);

    ids.rings(&server, "slept", 1);
    alice.waits_for("ringing", true);
    let note = wait_for("the notification", || service.log.open().into_iter().next());
    println!("notification: {:?} {:?}", note.title, note.body);
    assert!(note.body.ends_with("lädt dich zu einem Anruf ein"));
    machine.wakes();
    alice.waits_for("ringing", false);
    assert_eq!(alice.status()["incoming"], 1, "it can still be joined");
    ids.ends(&server);
    alice.waits_for("missed", 1);
    wait_for("word of the missed call", || {
        let notes = service.log.open();
        let missed = notes.first()?;
        (missed.body.starts_with("Verpasster Anruf von")
            && missed.buttons == ["default", "call-back"])
        .then_some(())
    });

    service.disturb_not(true);
    alice.waits_for("quiet", true);
    let before = service.log.all().len();
    ids.rings(&server, "quiet", 1);
    alice.waits_for("incoming", 1);
    let status = alice.status();
    assert_eq!(
        (&status["ringing"], service.log.all().len()),
        (&json!(false), before)
    );
    ids.ends(&server);
    service.disturb_not(false);
    alice.waits_for("quiet", false);
    for whose in [Quiet::Dunst, Quiet::Xfce, Quiet::Gnome] {
        for quiet in [true, false] {
            if matches!(whose, Quiet::Gnome) {
                std::fs::write(&banners, format!("{}\n", !quiet)).unwrap();
            }
            service.quiet(whose, quiet);
            alice.waits_for("quiet", quiet);
        }
    }
    ids.rings(&server, "loud", 1);
    alice.waits_for("ringing", true);
    ids.ends(&server);
    alice.waits_for("incoming", 0);

    // A message is answered from its notification.
    let bob = Account::of(&server, "bob");
    let post = json!({"channel_id": ids.direct, "message": "Lunch?"});
    bob.ask("POST", "posts", &post.to_string());
    let note = wait_for("the message", || {
        let notes = service.log.open();
        notes.into_iter().find(|note| note.body.contains("Lunch?"))
    });
    assert_eq!(note.buttons, ["default", "inline-reply"]);
    // Somebody listens for replies a moment after it is shown.
    std::thread::sleep(Duration::from_millis(300));
    service.reply(note.id, "At twelve");
    wait_for("the reply", || {
        let path = format!("channels/{}/posts?per_page=5", ids.direct);
        let posts = bob.ask("GET", &path, "");
        let said = posts["posts"].as_object()?.values();
        said.into_iter()
            .any(|post| post["message"] == "At twelve")
            .then_some(())
    });

    wait_for("away", || (presence() == "away").then_some(()));
    machine.idle.store(500, Ordering::SeqCst);
    wait_for("online", || (presence() == "online").then_some(()));
    println!("away after five minutes without a key, online again with the first");
}

#[test]
fn the_tray_mutes_asks_before_quitting_a_call_and_leaves() {
    let _stage = alone();
    let folder = folder("tray");
    let _devices = Devices::new();
    let service = Service::start();
    let server = Server::start(&folder);
    let alice = Halloo::start(&server, "alice", &folder.join("alice"), &["--hidden"]);
    let menu = wait_for("the tray's menu", || {
        let item = service.tray.lock().unwrap().first().cloned()?;
        Menu::of(&item)
    });
    alice.ctl(&["join", "Town Square"]);
    alice.waits_for("call", "live");
    wait_for("the menu to know of the call", || {
        let items = menu.items();
        items
            .iter()
            .any(|(_, label, on)| label == "Unmute" && *on)
            .then_some(())
    });
    println!("the tray's menu in a call: {:?}", menu.items());
    wait_for("the screen to be kept awake", || {
        (service.awake.lock().unwrap().len() == 1).then_some(())
    });
    menu.choose("Unmute");
    alice.waits_for("microphone", "open");
    menu.choose("Quit");
    alice.waits_for("quitting", true);
    assert_eq!(alice.status()["call"], "live");
    wait_for("the question's window", || {
        let log = std::fs::read_to_string(folder.join("alice/halloo.log")).unwrap_or_default();
        log.contains("page loaded").then_some(())
    });
    std::thread::sleep(Duration::from_millis(1500));
    picture(&folder, "quit-question.png");
    menu.choose("Leave the call");
    alice.waits_for("call", "idle");
    alice.waits_for("quitting", false);
    wait_for("the screen to be allowed to sleep", || {
        service.awake.lock().unwrap().is_empty().then_some(())
    });
    let mut alice = alice;
    menu.choose("Quit");
    wait_for("the end", || alice.child.try_wait().ok().flatten());
}

#[test]
fn signing_in_with_the_browser_leads_back_through_the_link_it_registered() {
    let _stage = alone();
    let folder = folder("sso");
    let _devices = Devices::new();
    let server = Server::start(&folder);
    server.switch(&json!({"sso": true}));
    // The person's browser: opens the page, and presses its button, which goes to whoever registered the scheme.
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let desktop_file = folder.join("data/applications/halloo.desktop");
    let script = format!(
        "#!/bin/sh\necho \"$1\" >> '{0}/browser.log'\n\
         link=$(curl -s \"$1\" | sed -n 's/.*href=\"\\(mattermost:[^\"]*\\)\".*/\\1/p')\n\
         echo \"$link\" >> '{0}/browser.log'\n\
         grep -q 'x-scheme-handler/mattermost' '{1}' || exit 1\n\
         exec '{2}' \"$link\"\n",
        folder.display(),
        desktop_file.display(),
        program().display(),
    );
    for name in ["xdg-open", "gio", "gnome-open", "kde-open", "wslview"] {
        let path = bin.join(name);
        std::fs::write(&path, &script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
    }
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let at = |name: &str| folder.join(name).display().to_string();
    let (data, config) = (at("data"), at("config"));
    let environment = [
        ("PATH", path.as_str()),
        ("XDG_DATA_HOME", data.as_str()),
        ("XDG_CONFIG_HOME", config.as_str()),
        ("XDG_UTILS_DEBUG_LEVEL", "0"),
    ];
    let words = ["--server", server.url.as_str()];
    let window = driver::Window::open(program(), &words, &environment, &folder.join("window.log"));
    wait_for("the link to be registered", || {
        let text = std::fs::read_to_string(&desktop_file).ok()?;
        let schemes = ["x-scheme-handler/halloo;", "x-scheme-handler/mattermost;"];
        schemes.iter().all(|one| text.contains(one)).then_some(())
    });
    let button = window.test_id("outside-gitlab");
    window.picture(&folder.join("sign-in.png"));
    button.click();
    window.find("[data-testid=channel-row]");
    let log = std::fs::read_to_string(folder.join("browser.log")).unwrap();
    println!("the browser saw:\n{log}");
    assert!(log.contains("/oauth/gitlab/login?desktop_token="));
    // Nothing of it stays in our own log.
    let secret = log.split("server_token=").nth(1).unwrap().trim().to_owned();
    let ours = std::fs::read_to_string(folder.join("window.log")).unwrap();
    assert!(!ours.contains(&secret));
    window.terminate();
}

#[test]
fn a_ring_is_heard_where_it_is_wanted_as_loud_as_it_is_wanted() {
    let _stage = alone();
    let folder = folder("ring-device");
    let _devices = Devices::new();
    let other = Sink::load("e2e_other");
    let _service = Service::start();
    let server = Server::start(&folder);
    let ids = Ids::of(&server);
    let listed = Command::new(program())
        .args(["devices", "--json"])
        .output()
        .unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let device = listed["devices"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|one| {
            let id = one["id"].as_str()?;
            let ours = one["role"] == "output" && id.contains("e2e_other");
            ours.then(|| id.to_owned())
        })
        .unwrap_or_else(|| panic!("{listed}"));
    let (here, there) = (Ear::open(), Ear::at("e2e_other"));
    let mut peaks = Vec::new();
    for (n, (device, volume)) in [
        (json!({"type": "device", "device": device}), 100),
        (json!({"type": "device", "device": device}), 50),
        (json!({"type": "all"}), 100),
    ]
    .into_iter()
    .enumerate()
    {
        let profile = folder.join(format!("alice{n}"));
        let alerts = json!({"device": device, "volume": volume});
        Halloo::settings(&profile, &json!({ "alerts": alerts }));
        let alice = Halloo::start(&server, "alice", &profile, &["--hidden"]);
        here.forget();
        there.forget();
        ids.rings(&server, &format!("device{n}"), 1);
        wait_for("the ring on the other device", || there.first());
        if device["type"] == "all" {
            wait_for("the ring on the default device", || here.first());
        }
        std::thread::sleep(Duration::from_millis(1500));
        ids.ends(&server);
        alice.waits_for("ringing", false);
        println!(
            "{alerts}: peak there {}, at the default {}",
            there.peak(),
            here.peak()
        );
        peaks.push((there.peak(), here.peak()));
    }
    assert_eq!((peaks[0].1, peaks[1].1), (0, 0), "only where it is wanted");
    let ratio = f64::from(peaks[0].0) / f64::from(peaks[1].0);
    assert!((3.0..5.5).contains(&ratio), "half is a quarter: {ratio}");
    let (there, here) = peaks[2];
    assert!(there > 300 && here > 300, "all means all: {:?}", peaks[2]);
    drop(other);
}

#[test]
fn a_notification_service_that_hangs_holds_up_nothing_and_the_next_one_is_used() {
    let _stage = alone();
    let folder = folder("ring-hang");
    let _devices = Devices::new();
    let hanging = Hanging::start();
    let server = Server::start(&folder);
    let ids = Ids::of(&server);
    let mut alice = Halloo::start(&server, "alice", &folder.join("alice"), &["--hidden"]);
    let ear = Ear::open();
    let logged = |what: &str| {
        let log = std::fs::read_to_string(folder.join("alice/halloo.log")).unwrap_or_default();
        log.matches(what).count()
    };
    let asked = |hanging: &Hanging, what: &str| {
        let asked = hanging.asked();
        asked.iter().filter(|member| *member == what).count()
    };
    for call in ["hang1", "hang2"] {
        ear.forget();
        let sent = Instant::now();
        ids.rings(&server, call, 1);
        let began = wait_for("the ring", || ear.first()) - sent;
        assert!(began < Duration::from_secs(1), "{began:?}");
        let told = Instant::now();
        assert_eq!(alice.status()["incoming"], 1);
        let answered = told.elapsed();
        assert!(answered < Duration::from_secs(1), "{answered:?}");
        wait_for("the popup", || (logged("page loaded") > 0).then_some(()));
        wait_for("the service to be asked", || {
            (asked(&hanging, "GetCapabilities") > 0).then_some(())
        });
        println!("{call}: heard after {began:?}, status within {answered:?}");
        ids.ends(&server);
        alice.waits_for("ringing", false);
    }
    // Whoever is asked while nobody has the name would be started: this machine may have such a service.
    wait_for("it to be given up", || {
        (asked(&hanging, "GetCapabilities") == logged("does not answer")).then_some(())
    });
    println!("asked of the service that hangs: {:?}", hanging.asked());
    drop(hanging);

    // Whoever takes its place is used at once, and not first when the other has been left alone long enough.
    let service = Service::start();
    for quiet in [true, false] {
        service.disturb_not(quiet);
        alice.waits_for("quiet", quiet);
    }
    ids.rings(&server, "shown", 1);
    let note = wait_for("the notification", || service.log.open().into_iter().next());
    assert_eq!(note.buttons, ["default", "join", "ignore"]);
    drop(service);

    // It leaves while yet another hangs.
    let hanging = Hanging::start();
    ids.ends(&server);
    wait_for("the service to be asked", || {
        (asked(&hanging, "CloseNotification") > 0).then_some(())
    });
    let told = Instant::now();
    let id = alice.child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(sent.success());
    let left = wait_for("the end", || alice.child.try_wait().ok().flatten());
    println!("left with {left} after {:?}", told.elapsed());
    assert!(left.success(), "{left}");
    assert!(told.elapsed() < Duration::from_secs(5));
}

/// One more loudspeaker; unloaded when dropped.
struct Sink(String);

impl Sink {
    fn load(name: &str) -> Self {
        let loaded = Command::new("pactl")
            .args(["load-module", "module-null-sink", "rate=48000"])
            .arg(format!("sink_name={name}"))
            .output()
            .unwrap();
        Self(String::from_utf8_lossy(&loaded.stdout).trim().to_owned())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = Command::new("pactl")
            .args(["unload-module", &self.0])
            .status();
    }
}

#[test]
fn the_sounds_of_a_call_are_heard_and_whoever_calls_hears_that_it_rings() {
    let _stage = alone();
    let folder = folder("cues");
    let _devices = Devices::new();
    let _service = Service::start();
    let server = Server::start(&folder);
    let alice = Halloo::start(&server, "alice", &folder.join("alice"), &["--hidden"]);
    let ear = Ear::open();
    // Silence of half a second, then the next sound.
    let settles = || {
        wait_for("silence", || {
            let last = ear.last();
            last.is_none_or(|at| at.elapsed() > Duration::from_millis(500))
                .then_some(())
        });
        ear.forget();
    };
    let hears = |what: &str, begun: Instant| {
        let first = wait_for(what, || ear.first());
        println!("{what}: heard after {:?}", first - begun);
        settles();
    };
    let begun = Instant::now();
    alice.ctl(&["join", "Town Square"]);
    hears("our own joining", begun);
    alice.waits_for("call", "live");
    let begun = Instant::now();
    let bob = server.caller("bob", &["--channel", "Town Square", "--play", "silence"]);
    hears("somebody's joining (from the start of his program)", begun);
    let begun = Instant::now();
    alice.ctl(&["leave"]);
    hears("our own leaving", begun);
    assert_eq!(bob.leave(), 0);

    let begun = Instant::now();
    alice.ctl(&["join", "@bob"]);
    let first = wait_for("the tone of whoever calls", || ear.first());
    println!("ringback: heard after {:?}", first - begun);
    alice.waits_for("calling", true);
    let bob = server.caller("bob", &["--dm", "alice", "--play", "silence"]);
    alice.waits_for("calling", false);
    let answered = Instant::now();
    std::thread::sleep(Duration::from_millis(2500));
    // What is heard after the answer is the cue of his coming, not a further tone of four seconds.
    let last = ear.last().unwrap();
    println!(
        "last sound {:?} after the answer",
        last.saturating_duration_since(answered)
    );
    assert!(last.saturating_duration_since(answered) < Duration::from_millis(1500));
    assert_eq!(bob.leave(), 0);
}

#[test]
fn the_window_asks_for_attention_when_a_call_comes_and_it_is_not_in_front() {
    let _stage = alone();
    let folder = folder("attention");
    let _devices = Devices::new();
    let _service = Service::start();
    let server = Server::start(&folder);
    let alice = Halloo::start(&server, "alice", &folder.join("alice"), &[]);
    wait_for("the page", || {
        let log = std::fs::read_to_string(folder.join("alice/halloo.log")).unwrap_or_default();
        log.contains("page loaded").then_some(())
    });
    let elsewhere = Elsewhere::open();
    assert!(!elsewhere.is_hailed("Halloo"));
    Ids::of(&server).rings(&server, "hail", 1);
    alice.waits_for("ringing", true);
    wait_for("the window to ask for attention", || {
        elsewhere.is_hailed("Halloo").then_some(())
    });
}
