//! A desktop of our own: display, window manager, session bus and sound devices.
//!
//! Everything lives in one private folder and is stopped by its process id when the [`Rig`] is dropped or
//! the chore is interrupted, so that runs neither disturb a person's desktop nor each other.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::child::Running;
use crate::error::TaskError;
use crate::run;

/// How long a part of the rig may take to come up.
const START: Duration = Duration::from_secs(20);

/// The running parts and the environment that makes a program use them.
#[derive(Debug)]
pub(crate) struct Rig {
    env: Vec<(&'static str, String)>,
    folder: PathBuf,
    // Stopped in this order: programs before the bus and the display they use.
    _parts: Vec<Running>,
}

impl Rig {
    /// Starts all parts and waits until each is ready.
    ///
    /// # Errors
    /// When a part is missing or does not come up within 20 s.
    pub(crate) fn start() -> Result<Self, TaskError> {
        // Short, because socket paths may have 108 bytes only.
        let folder = std::env::temp_dir().join(format!("halloo-rig-{}", std::process::id()));
        for name in ["run", "config", "data", "cache"] {
            let path = folder.join(name);
            std::fs::create_dir_all(&path).map_err(TaskError::file(&path))?;
        }
        private(&folder.join("run"))?;
        let at = |name: &str| folder.join(name).display().to_string();
        let mut env = vec![
            ("XDG_RUNTIME_DIR", at("run")),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_DATA_HOME", at("data")),
            ("XDG_CACHE_HOME", at("cache")),
        ];
        let mut parts = Vec::new();

        let mut screen = run::command("Xvfb", &folder);
        screen.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1600x1000x24",
            "-nolisten",
            "tcp",
            "-noreset",
        ]);
        let (screen, number) = first_line(screen, "Xvfb")?;
        env.push(("DISPLAY", format!(":{number}")));

        let mut bus = run::command("dbus-daemon", &folder);
        bus.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
        bus.arg(format!(
            "--address=unix:path={}",
            folder.join("run/bus").display()
        ));
        let (bus, address) = first_line(bus, "dbus-daemon")?;
        env.push(("DBUS_SESSION_BUS_ADDRESS", address));

        let mut windows = run::command("openbox", &folder);
        windows
            .args(["--sm-disable"])
            .envs(env.iter().cloned())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        parts.push(Running::start(&mut windows)?);

        parts.push(sound(&folder, &env)?);
        env.push((
            "PULSE_SERVER",
            format!("unix:{}", folder.join("run/pulse/native").display()),
        ));
        parts.push(bus);
        parts.push(screen);
        let rig = Self {
            env,
            folder,
            _parts: parts,
        };
        rig.wait_for_sound()?;
        Ok(rig)
    }

    /// Makes a program use this desktop.
    pub(crate) fn dress<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env_remove("WAYLAND_DISPLAY")
            .envs(self.env.iter().cloned())
    }

    fn wait_for_sound(&self) -> Result<(), TaskError> {
        let from = Instant::now();
        while !run::quiet(
            self.dress(run::command("pactl", &self.folder).args(["get-source-volume", "mic"])),
        ) {
            if from.elapsed() > START {
                return Err(TaskError::Late {
                    what: "PulseAudio".to_owned(),
                    seconds: START.as_secs(),
                });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self._parts.clear();
        // What remains of a private folder in /tmp does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// PulseAudio with a loudspeaker `spk` (what it plays is heard on `spk.monitor`) and a microphone `mic`
/// (what is played to the sink `micfeed` is spoken into it).
fn sound(folder: &Path, env: &[(&'static str, String)]) -> Result<Running, TaskError> {
    let script = folder.join("pulse.pa");
    let text = "load-module module-native-protocol-unix auth-anonymous=1\n\
         load-module module-null-sink sink_name=spk rate=48000 sink_properties=device.description=Loudspeaker\n\
         load-module module-null-sink sink_name=micfeed rate=48000 sink_properties=device.description=MicrophoneFeed\n\
         load-module module-remap-source master=micfeed.monitor source_name=mic source_properties=device.description=Microphone\n\
         set-default-sink spk\n\
         set-default-source mic\n";
    std::fs::write(&script, text).map_err(TaskError::file(&script))?;
    let mut pulse = run::command("pulseaudio", folder);
    pulse.args([
        "-n",
        "--daemonize=no",
        "--exit-idle-time=-1",
        "--use-pid-file=no",
        "--log-level=error",
        "--log-target=stderr",
    ]);
    pulse
        .arg("-F")
        .arg(&script)
        .envs(env.iter().cloned())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Running::start(&mut pulse)
}

/// Starts a program that prints one line when it is ready, and gives back that line.
fn first_line(mut command: Command, name: &str) -> Result<(Running, String), TaskError> {
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Running::start(&mut command)?;
    let stdout = child.stdout();
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        // The receiver may have given up; reading on keeps the pipe from filling.
        let _ = tell.send(read_line(stdout));
    });
    match told.recv_timeout(START) {
        Ok(Some(line)) => Ok((child, line)),
        Ok(None) => Err(TaskError::Unexpected(format!("{name} ended at once"))),
        Err(_) => Err(TaskError::Late {
            what: name.to_owned(),
            seconds: START.as_secs(),
        }),
    }
}

fn read_line(stdout: Option<ChildStdout>) -> Option<String> {
    let mut line = String::new();
    BufReader::new(stdout?).read_line(&mut line).ok()?;
    let line = line.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

#[cfg(unix)]
fn private(folder: &Path) -> Result<(), TaskError> {
    use std::os::unix::fs::PermissionsExt;
    // D-Bus and PulseAudio refuse a run-time folder that others may enter.
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
        .map_err(TaskError::file(folder))
}

#[cfg(not(unix))]
fn private(_folder: &Path) -> Result<(), TaskError> {
    Ok(())
}
