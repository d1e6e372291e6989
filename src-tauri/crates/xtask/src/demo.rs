//! One command to a call: a server, somebody who talks in a channel, and the app.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use serde_json::Value;

use crate::child::Running;
use crate::count::Count;
use crate::error::TaskError;
use crate::place::Place;
use crate::rig::Rig;
use crate::run;
use crate::server::{Server, Talking};
use crate::setup::{self, NPM, Need};
use crate::steps::Steps;
use crate::wav::{self, Heard};
use crate::webdriver::Window;

/// The channel the bot talks in.
const CHANNEL: &str = "Standup";

/// When carol calls: late enough to have seen the window.
const CAROL_AFTER: Duration = Duration::from_secs(8);

/// How long the call without a display lasts, from the moment it is live.
const CALL: Duration = Duration::from_secs(8);

/// Sets up, builds and shows a call; with a display for a person, without one for the record.
///
/// # Errors
/// When a step fails; the steps say what to do.
pub(crate) fn run(place: &Place, headless: bool) -> Result<(), TaskError> {
    let display = ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let display = (display || !cfg!(target_os = "linux")) && !headless;
    let mut steps = Steps::new(if display { 3 } else { 4 });
    let need = if display { Need::Build } else { Need::Rig };
    let ready = steps.run("set-up", || {
        setup::prepare(place, need).map(|()| Count::default())
    }) && steps.run("interface", || {
        run::show(run::command(NPM, &place.root.join("ui")).args(["run", "--silent", "build"]))
            .map(|()| Count::default())
    }) && steps.run("build", || {
        let mut cargo = run::command("cargo", &place.root);
        // The same targets as the tests build, so that neither undoes the other's work.
        run::show(cargo.args(["build", "--workspace", "--bins", "--locked"]))
            .map(|()| Count::default())
    });
    if !ready {
        return steps.finish();
    }
    let party = Party::start(place)?;
    if display {
        return party.show(place);
    }
    steps.run("call through the window", || {
        party.drive(place).map(|()| Count::default())
    });
    steps.finish()
}

/// The server and the one who talks.
struct Party {
    bob: Talking,
    // Stopped last.
    server: Server,
    out: PathBuf,
}

impl Party {
    fn start(place: &Place) -> Result<Self, TaskError> {
        let out = place.target.join("demo");
        std::fs::create_dir_all(&out).map_err(TaskError::file(&out))?;
        let server = Server::start(place)?;
        println!("\nDevelopment server: {}", server.url);
        let melody = out.join("melody.wav");
        wav::write_melody(&melody)?;
        let mut bob = run::command(place.program("halloo"), &place.root);
        bob.args([
            "call",
            "--server",
            &server.url,
            "--user",
            "bob",
            "--team",
            &server.team,
            "--channel",
            CHANNEL,
            "--unmuted",
            "--json",
        ])
        .arg("--play")
        .arg(format!("loop:{}", melody.display()))
        .arg("--record")
        .arg(out.join("heard-by-bob.wav"))
        .arg("--profile")
        .arg(out.join("bob"))
        .env("HALLOO_PASSWORD", server.password("bob")?);
        let bob = Talking::start(&mut bob)?;
        bob.next("bob in the call", Duration::from_secs(20), |line| {
            line["event"] == "connected"
        })?;
        println!("bob plays a melody in the call of {CHANNEL}");
        Ok(Self { bob, server, out })
    }

    /// The app as alice, with what makes it sign in by itself.
    fn app(&self, place: &Place) -> Result<(PathBuf, Vec<String>, String), TaskError> {
        let profile = self.out.join("alice");
        // A fresh profile each time: the server behind a remembered account is gone.
        let _ = std::fs::remove_dir_all(&profile);
        let words = [
            "--server",
            &self.server.url,
            "--user",
            "alice",
            "--profile",
            &profile.display().to_string(),
        ]
        .map(str::to_owned);
        Ok((
            place.program("halloo"),
            words.to_vec(),
            self.server.password("alice")?.to_owned(),
        ))
    }

    /// Opens the app for a person and waits until it is closed.
    fn show(&self, place: &Place) -> Result<(), TaskError> {
        let (program, words, password) = self.app(place)?;
        println!(
            "Opening the app, signed in as alice. Open {CHANNEL} and join the call.\n\
             Carol calls in a moment. She calls again when you press Enter here, or the button in Halloo: Settings, \
             Ringing, \"Incoming call\". Quit Halloo to end the demonstration."
        );
        // Where Halloo knocks when its button is pressed.
        let shut = |source| TaskError::Start {
            program: "the door of the demonstration".to_owned(),
            source,
        };
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(shut)?;
        let at = door.local_addr().map_err(shut)?;
        self.let_carol_call(place, door)?;
        let mut app = Running::start(
            run::command(program, &place.root)
                .args(words)
                .env("HALLOO_DEMO_CALLER", at.to_string())
                .env("HALLOO_PASSWORD", password),
        )?;
        // As long as a person likes.
        app.wait("the app", Duration::from_secs(u64::from(u32::MAX)))
            .map(drop)
    }

    /// Carol rings alice once by herself, and again for each Enter and each knock; twenty seconds each time.
    fn let_carol_call(&self, place: &Place, door: TcpListener) -> Result<(), TaskError> {
        let (url, team) = (self.server.url.clone(), self.server.team.clone());
        let password = self.server.password("carol")?.to_owned();
        let (place, out) = (place.clone(), self.out.clone());
        let (again, asked) = sync_channel(1);
        let knocked = again.clone();
        std::thread::spawn(move || {
            for knock in door.incoming() {
                drop(knock);
                // Full: she is about to call anyway.
                let _ = knocked.try_send(());
            }
        });
        std::thread::spawn(move || {
            let mut line = String::new();
            while matches!(std::io::stdin().read_line(&mut line), Ok(read) if read > 0) {
                let _ = again.try_send(());
                line.clear();
            }
        });
        // It ends with us: the program is a child that the interrupt stops, too.
        std::thread::spawn(move || {
            std::thread::sleep(CAROL_AFTER);
            loop {
                let mut carol = run::command(place.program("halloo"), &place.root);
                carol
                    .args(["call", "--server", &url, "--user", "carol", "--team", &team])
                    .args(["--dm", "alice", "--unmuted", "--duration", "20", "--play"])
                    .arg(out.join("melody.wav"))
                    .env("HALLOO_PASSWORD", &password);
                match Running::start(quiet(&mut carol)) {
                    Ok(mut carol) => drop(carol.wait("carol", Duration::from_secs(60))),
                    Err(_) => return,
                }
                if asked.recv().is_err() {
                    return;
                }
            }
        });
        Ok(())
    }

    /// Drives one call through the real window on a desktop of our own and tells what was heard at both ends.
    fn drive(self, place: &Place) -> Result<(), TaskError> {
        let rig = Rig::start()?;
        let (program, words, password) = self.app(place)?;
        let tone = self.out.join("tone.wav");
        wav::write_tone(&tone, 440.0, 60)?;
        let _mouth = Running::start(quiet(
            rig.dress(
                run::command("paplay", &self.out)
                    .arg("--device=micfeed")
                    .arg(&tone),
            ),
        ))?;
        let spoken = self.out.join("heard-by-alice.wav");
        let mut ear = run::command("parecord", &self.out);
        rig.dress(&mut ear).args([
            "--device=spk.monitor",
            // Without it a virtual sink works in blocks of two seconds.
            "--latency-msec=20",
            "--rate=48000",
            "--channels=1",
            "--format=s16le",
            "--file-format=wav",
        ]);
        let ear = Running::start(quiet(ear.arg(&spoken)))?;

        let window = Window::open(
            place,
            &rig,
            &program,
            &words,
            &[("HALLOO_PASSWORD", &password)],
        )?;
        let picture = |name: &str| window.picture(&self.out.join(format!("{name}.png")));
        let channel = format!("[data-testid=channel-row][data-channel-name={CHANNEL:?}]");
        window.find(&channel, 30)?;
        picture("1-signed-in")?;
        window.click(&channel, 10)?;
        // The button belongs to the channel that is shown, and for a moment that is still the one before.
        window.find(&format!("{channel}[aria-current=page]"), 10)?;
        window.find("[data-testid=call-button]", 10)?;
        picture("2-channel")?;
        window.click("[data-testid=call-button]", 10)?;
        window.find("[data-testid=call-phase][data-phase=live]", 20)?;
        window.click("[data-testid=mute-button]", 10)?;
        window.find("[data-testid=mute-button][data-microphone=open]", 10)?;
        self.bob.said();
        // Long enough for a melody; what is wanted here is the sound of it.
        std::thread::sleep(CALL);
        picture("3-in-the-call")?;
        let said = self.bob.said();
        window.click("[data-testid=leave-button]", 10)?;
        self.bob
            .next("alice's leaving", Duration::from_secs(10), |line| {
                line["event"] == "participant" && line["present"] == false
            })?;
        picture("4-left")?;
        drop(window);
        drop(ear);
        let (packets_in, packets_out) = self.server.packets()?;
        let Self {
            bob,
            server: _server,
            out,
        } = self;
        // A recording is whole when its writer has ended.
        drop(bob);

        let alice = wav::listen(&spoken)?;
        let bob = wav::listen(&out.join("heard-by-bob.wav"))?;
        println!("\nWhat was heard");
        report("alice, from bob's melody", alice.as_ref());
        report("bob, from alice's 440 Hz", bob.as_ref());
        println!("  packets through the server  in {packets_in}, out {packets_out}");
        statistics(&said);
        println!("  pictures and recordings: {}", out.display());
        match (alice, bob) {
            (Some(alice), Some(bob))
                if alice.level > -50.0
                    && bob.level > -50.0
                    && (bob.frequency - 440.0).abs() <= 2.0 =>
            {
                Ok(())
            }
            _ => Err(TaskError::Unexpected(
                "the two did not hear each other".to_owned(),
            )),
        }
    }
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdout(Stdio::null()).stderr(Stdio::null())
}

fn report(who: &str, heard: Option<&Heard>) {
    match heard {
        Some(heard) => println!(
            "  {who:<27} level {:.1} dBFS, strongest at {:.0} Hz, {:.1} s recorded",
            heard.level, heard.frequency, heard.seconds
        ),
        None => println!("  {who:<27} nothing"),
    }
}

/// The last statistics that bob's client printed.
fn statistics(said: &[Value]) {
    let Some(last) = said.iter().rev().find(|line| line["event"] == "stats") else {
        println!("  bob's client printed no statistics");
        return;
    };
    let number = |key: &str| last[key].as_f64().unwrap_or(f64::NAN);
    println!(
        "  bob's connection            round trip {:.1} ms, loss {:.2} %, jitter {:.1} ms, concealed {:.2} %, in {:.0} kbit/s, out {:.0} kbit/s",
        number("rtt_ms"),
        number("loss") * 100.0,
        number("jitter_ms"),
        number("concealed_ratio") * 100.0,
        number("bitrate_in") / 1000.0,
        number("bitrate_out") / 1000.0
    );
}
