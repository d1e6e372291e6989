//! The command line. Secrets never travel here: a process list shows arguments to everybody.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Exit codes, for scripts.
pub(crate) mod exit {
    /// All is well: the call was left, the list was printed.
    pub(crate) const OK: u8 = 0;
    /// Something of ours failed (no display, data folder not writable).
    pub(crate) const FAILED: u8 = 1;
    /// The command line does not make sense (also clap's own code).
    pub(crate) const USAGE: u8 = 2;
    /// The server refused the sign-in, or is not there.
    pub(crate) const SIGN_IN: u8 = 3;
    /// The call cannot be joined, or was lost.
    pub(crate) const CANNOT_JOIN: u8 = 4;
    /// Joined, but media did not connect.
    pub(crate) const NO_MEDIA: u8 = 5;
}

/// A native desktop client for Mattermost Calls.
#[derive(Debug, Parser)]
#[command(
    name = "halloo",
    version,
    args_conflicts_with_subcommands = false,
    subcommand_precedence_over_arg = true,
    after_help = "Secrets come from the environment: HALLOO_PASSWORD (with --user) or HALLOO_TOKEN. \
                  Nothing secret is ever taken from an argument.\n\
                  Exit codes: 0 left, 1 failed, 2 usage, 3 sign-in refused, 4 cannot join, 5 no media."
)]
pub(crate) struct Arguments {
    /// Options that hold with and without a window.
    #[command(flatten)]
    pub common: Common,
    /// Start without a window, in the tray.
    #[arg(long)]
    pub hidden: bool,
    /// An address to open: a channel or a call, as `https:`, `mattermost:` or `halloo:`.
    #[arg(value_name = "ADDRESS")]
    pub address: Option<String>,
    /// What to do; without it the window opens.
    #[command(subcommand)]
    pub action: Option<Action>,
}

/// Options that hold with and without a window.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Common {
    /// Address of the Mattermost server.
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// User name or e-mail address to sign in with (password in HALLOO_PASSWORD).
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// Folder for settings and logs, instead of the user's own.
    #[arg(long, global = true, value_name = "DIR")]
    pub profile: Option<PathBuf>,
    /// What to log: error, warn, info, debug, trace, or a filter such as `info,calls_net=debug`.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log: Option<String>,
}

/// What can be done without the window.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Action {
    /// Be in a call without a window.
    Call(Box<CallArguments>),
    /// Speak to the Halloo that runs.
    Ctl(CtlArguments),
    /// Test which ways there are to a server and to its media, without a call.
    Netcheck {
        /// One JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// List the sound devices.
    Devices {
        /// One JSON object instead of a table.
        #[arg(long)]
        json: bool,
    },
}

/// `halloo ctl`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CtlArguments {
    /// What it shall do.
    #[command(subcommand)]
    pub what: Ctl,
    /// One JSON object instead of words.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What the running Halloo can be asked to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Ctl {
    /// Microphone off.
    Mute,
    /// Microphone on.
    Unmute,
    /// Microphone the other way.
    Toggle,
    /// Join a call: a channel's name, `@person` or a link; without one, the call that comes in.
    Join {
        /// Where.
        place: Option<String>,
    },
    /// Leave the call.
    Leave,
    /// What goes on.
    Status,
    /// Bring the window to the front.
    Show,
    /// End the program.
    Quit,
}

/// `halloo call`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CallArguments {
    /// Team, by its name in addresses or on screen; the first one if left out.
    #[arg(long, value_name = "TEAM")]
    pub team: Option<String>,
    /// Channel, by its name on screen (case does not matter).
    #[arg(
        long,
        value_name = "CHANNEL",
        conflicts_with = "dm",
        required_unless_present = "dm"
    )]
    pub channel: Option<String>,
    /// Call this person instead.
    #[arg(long, value_name = "USER")]
    pub dm: Option<String>,
    /// Open the microphone as soon as the call is live.
    #[arg(long)]
    pub unmuted: bool,
    /// Instead of the microphone: a WAV file (`loop:` before it plays it again and again), `tone:HZ` or `silence`.
    #[arg(long, value_name = "FILE.wav|loop:FILE.wav|tone:HZ|silence")]
    pub play: Option<String>,
    /// Send the microphone's sound as it is: no echo cancellation, noise suppression or gain control.
    #[arg(long)]
    pub raw_microphone: bool,
    /// Instead of the loudspeaker: a WAV file (48 kHz, mono).
    #[arg(long, value_name = "FILE.wav")]
    pub record: Option<PathBuf>,
    /// Write what the microphone hears, what is played and what is sent into `near.wav`, `far.wav` and `clean.wav`
    /// there, for at most five minutes: for reports of echo.
    #[arg(long, value_name = "DIR")]
    pub save_sound: Option<PathBuf>,
    /// Share a screen (0 is the first), a window by a part of its title, or a moving test picture.
    #[arg(long, value_name = "screen[:N]|window:TITLE|pattern")]
    pub share: Option<String>,
    /// Smooth movement matters more than sharp text.
    #[arg(long, requires = "share")]
    pub share_motion: bool,
    /// Let what other programs play be heard along with the screen
    #[arg(long, requires = "share")]
    pub share_sound: bool,
    /// Send the screen with at most this many kbit/s, instead of what the server expects.
    #[arg(long, value_name = "KBIT")]
    pub share_rate: Option<u32>,
    /// Send at most this many pictures of the screen a second.
    #[arg(long, value_name = "N")]
    pub share_fps: Option<u32>,
    /// Store watched screens there: a PNG each second, and the VP8 as IVF.
    #[arg(long, value_name = "DIR")]
    pub save_screen: Option<PathBuf>,
    /// Watch what others share as a page of this size would, without drawing it: for measuring.
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub view: Option<calls_media::video::Size>,
    /// Leave after this long, counted from the moment the media connects.
    #[arg(long, value_name = "SECONDS")]
    pub duration: Option<f64>,
    /// One JSON object a line instead of sentences.
    #[arg(long)]
    pub json: bool,
}

/// `1280x720`.
fn size(text: &str) -> Result<calls_media::video::Size, SizeError> {
    let (width, height) = text.split_once('x').ok_or(SizeError)?;
    let side = |side: &str| side.parse::<u32>().map_err(|_| SizeError);
    calls_media::video::Size::checked(side(width)?, side(height)?).ok_or(SizeError)
}

/// No size at all, or no usable one.
#[derive(Debug, thiserror::Error)]
#[error("a size is written 1280x720")]
struct SizeError;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn no_argument_takes_a_secret() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                assert!(
                    !name.contains("password") && !name.contains("token"),
                    "{name}"
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&Arguments::command());
    }

    #[test]
    fn a_call_needs_a_channel_or_a_person() {
        assert!(Arguments::try_parse_from(["halloo", "call"]).is_err());
        assert!(
            Arguments::try_parse_from(["halloo", "call", "--channel", "x", "--dm", "y"]).is_err()
        );
        let parsed =
            Arguments::try_parse_from(["halloo", "call", "--dm", "bob", "--server", "s"]).unwrap();
        assert_eq!(parsed.common.server.as_deref(), Some("s"));
        assert!(
            matches!(parsed.action, Some(Action::Call(call)) if call.dm.as_deref() == Some("bob"))
        );
    }
}
