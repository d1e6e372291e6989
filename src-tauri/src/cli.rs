//! The same client without a window: for scripts, bots and tests.

use std::io::Write;
use std::sync::Arc;

use calls_core::command::DeviceRole;
use calls_media::{AudioHost, FileHost, PlaySpec};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::args::{CallArguments, Common, exit};
use crate::{fail, logging, start};

mod call;
mod report;

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
    let _inside = runtime.enter();
    let running = match start::without_window(common, redactor, audio) {
        Ok(running) => running,
        Err(why) => {
            fail(&why);
            return exit::USAGE;
        }
    };
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
