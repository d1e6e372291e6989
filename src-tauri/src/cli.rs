//! The same client without a window: for scripts, bots and tests.

use std::io::Write;
use std::sync::Arc;

use calls_core::command::{Command, DeviceRole};
use calls_core::snapshot::Sound;
use calls_media::{AudioHost, FileHost, PlaySpec};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::args::{CallArguments, Common, Ctl, CtlArguments, exit};
use crate::control::{self, Ask};
use crate::{fail, logging, start};

mod call;
mod netcheck;
mod report;
mod view;

/// What is logged without being asked: a script's standard error is for trouble.
const QUIET: &str = "error";

/// `halloo devices`: lists the sound devices. Returns the exit code.
#[must_use]
pub(crate) fn devices(json: bool) -> u8 {
    let rows = calls_media::system_audio().devices().rows;
    let text = if json {
        let list: Vec<_> = rows
            .iter()
            .map(|row| json!({"id": row.id, "name": row.name, "role": row.role, "default": row.is_default}))
            .collect();
        json!({ "devices": list }).to_string()
    } else {
        let mut text = String::new();
        for (role, title) in [
            (DeviceRole::Input, "Microphones"),
            (DeviceRole::Output, "Loudspeakers"),
        ] {
            text.push_str(title);
            text.push('\n');
            for row in rows.iter().filter(|row| row.role == role) {
                let star = if row.is_default { '*' } else { ' ' };
                text.push_str(&format!("{star} {}  ({})\n", row.name, row.id));
            }
        }
        text.truncate(text.trim_end().len());
        text
    };
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => exit::OK,
        Err(_) => exit::FAILED,
    }
}

/// `halloo ctl`: speaks to the Halloo that runs. Returns the exit code.
#[must_use]
pub(crate) fn ctl(runtime: &Runtime, common: &Common, arguments: &CtlArguments) -> u8 {
    let folder = match crate::settings::data_folder(common.profile.as_deref()) {
        Ok(folder) => folder,
        Err(why) => return fail(&why),
    };
    let ask = match &arguments.what {
        Ctl::Mute => Ask::Mute,
        Ctl::Unmute => Ask::Unmute,
        Ctl::Toggle => Ask::Toggle,
        Ctl::Join { place } => Ask::Join {
            place: place.clone(),
        },
        Ctl::Leave => Ask::Leave,
        Ctl::Status => Ask::Status,
        Ctl::Show => Ask::Show { address: None },
        Ctl::Quit => Ask::Quit,
    };
    let answer = runtime
        .block_on(control::ask(&folder, &ask))
        .unwrap_or_else(|| json!({"ok": false, "error": "Halloo does not run"}));
    let done = answer["ok"] == true;
    let text = if arguments.json {
        answer.to_string()
    } else if !done {
        format!("halloo: {}", answer["error"].as_str().unwrap_or("failed"))
    } else if matches!(ask, Ask::Status) {
        let lines = answer.as_object().into_iter().flatten();
        lines
            .filter(|(key, _)| *key != "ok")
            .map(|(key, value)| match value.as_str() {
                Some(word) => format!("{key}: {word}"),
                None => format!("{key}: {value}"),
            })
            .collect::<Vec<_>>()
            .join("\n")
    } else {
        String::new()
    };
    if !text.is_empty() {
        // Nobody may be reading.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
    if done { exit::OK } else { exit::FAILED }
}

/// `halloo netcheck`: which ways there are. Returns the exit code.
#[must_use]
pub(crate) fn netcheck(runtime: &Runtime, common: &Common, json: bool) -> u8 {
    let redactor = logging::start(Some(common.log.as_deref().unwrap_or(QUIET)), None);
    let _inside = runtime.enter();
    // No device is opened outside a call.
    let audio = match FileHost::new(PlaySpec::Silence, None) {
        Ok(audio) => Arc::new(audio),
        Err(why) => return fail(&why),
    };
    let screens = calls_client::ScreenSetup::default();
    match start::without_window(common, redactor, audio, Sound::default(), screens, None) {
        Ok(running) => runtime.block_on(netcheck::run(&running, json)),
        Err(why) => {
            fail(&why);
            exit::USAGE
        }
    }
}

/// `halloo call`: is in a call until asked to leave. Returns the exit code.
#[must_use]
pub(crate) fn call(runtime: &Runtime, common: &Common, arguments: &CallArguments) -> u8 {
    let redactor = logging::start(Some(common.log.as_deref().unwrap_or(QUIET)), None);
    let audio = match audio(arguments) {
        Ok(audio) => audio,
        Err(why) => {
            fail(&why);
            return exit::USAGE;
        }
    };
    let sound = if arguments.raw_microphone {
        Sound::RAW
    } else {
        Sound::default()
    };
    let _inside = runtime.enter();
    let screens = calls_client::ScreenSetup {
        host: calls_media::system_screens(std::sync::Arc::new(calls_media::Forgetful)),
        limits: calls_media::Limits {
            bitrate: arguments.share_rate.map(|rate| rate.saturating_mul(1000)),
            fps: arguments.share_fps,
        },
        save: arguments.save_screen.clone(),
    };
    let dumps = arguments.save_sound.clone();
    let running = match start::without_window(common, redactor, audio, sound, screens, dumps) {
        Ok(running) => running,
        Err(why) => {
            fail(&why);
            return exit::USAGE;
        }
    };
    if arguments.save_sound.is_some() {
        running.dispatch(Command::DumpSound { on: true });
    }
    let _viewer = arguments.view.and_then(|size| {
        let started = view::Viewer::start(running.handle().screens(), size);
        started
            .inspect_err(|why| tracing::warn!(%why, "nothing is watched"))
            .ok()
    });
    runtime.block_on(call::run(&running, arguments))
}

/// Why the files that stand in for devices cannot be used.
#[derive(Debug, thiserror::Error)]
enum SoundError {
    /// `--play` makes no sense.
    #[error("--play")]
    Play(#[from] calls_media::PlaySpecError),
    /// A file cannot be read or written.
    #[error("--play or --record")]
    File(#[from] calls_media::MediaError),
}

/// The machine's devices, or files in their place. With only one of them given, the other end is silence: half a
/// script and half a person in one call would help nobody.
fn audio(arguments: &CallArguments) -> Result<Arc<dyn AudioHost>, SoundError> {
    if arguments.play.is_none() && arguments.record.is_none() {
        return Ok(calls_media::system_audio());
    }
    let play = arguments
        .play
        .as_deref()
        .unwrap_or("silence")
        .parse::<PlaySpec>()?;
    Ok(Arc::new(FileHost::new(play, arguments.record.clone())?))
}
