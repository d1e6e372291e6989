//! The sound server of a Linux desktop, PulseAudio or PipeWire in its place, through libpulse: the only file that
//! names it.
//!
//! cpal speaks to the same server, but its client clears a megabyte twice for each message and asks for the delay
//! after each block (`docs/adr/0008-libpulse.md` has the figures). Device identities are cpal's, so that what was
//! chosen stays chosen, and ring tones (rodio, on cpal) find the same devices.
//!
//! **Threads.** Each open device has a thread with its own connection: a server that hangs holds up nobody else. One
//! more thread keeps the list of devices, and is told by the server when it changes.

mod list;
mod others;
mod stream;

use std::time::{Duration, Instant};

use libpulse_binding::context::{Context, FlagSet, State};
use libpulse_binding::error::{Code, PAErr};
use libpulse_binding::mainloop::standard::Mainloop;
use libpulse_binding::proplist::{Proplist, properties};
use libpulse_binding::time::MicroSeconds;

pub(super) use list::Watch;
pub(super) use others::open_played;
pub(super) use stream::{open_sink, open_source};

use crate::error::MediaError;

/// What device identities begin with, as cpal's do.
const HOST: &str = "pulseaudio:";
/// A server that does not answer for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The server's name of a device of ours; none if it is not one of the sound server's.
pub(super) fn name_of(id: &str) -> Option<&str> {
    id.strip_prefix(HOST)
}

/// A connection, usable on the thread that made it.
struct Link {
    // In this order: what depends on the other is dropped first.
    context: Context,
    mainloop: Mainloop,
}

impl Link {
    /// Connects. A server that is not running is not started: whoever wants sound has one.
    fn open() -> Result<Self, MediaError> {
        let mainloop = Mainloop::new().ok_or(MediaError::Failed(None))?;
        let mut about = Proplist::new().ok_or(MediaError::Failed(None))?;
        for (key, value) in [
            (properties::APPLICATION_NAME, "Halloo"),
            (properties::APPLICATION_ID, "halloo"),
            (properties::APPLICATION_ICON_NAME, "halloo"),
        ] {
            // Decoration: sound goes without it.
            let _ = about.set_str(key, value);
        }
        let context = Context::new_with_proplist(&mainloop, "Halloo", &about)
            .ok_or(MediaError::Failed(None))?;
        let mut link = Self { context, mainloop };
        link.context
            .connect(None, FlagSet::NOAUTOSPAWN, None)
            .map_err(refused)?;
        let end = Instant::now() + PATIENCE;
        loop {
            match link.context.get_state() {
                State::Ready => return Ok(link),
                State::Failed | State::Terminated => return Err(refused(link.context.errno())),
                _ if Instant::now() >= end => return Err(MediaError::Busy(None)),
                _ => link.turn(PATIENCE)?,
            }
        }
    }

    /// Waits for what the server says, so long at most, and handles it.
    fn turn(&mut self, most: Duration) -> Result<(), MediaError> {
        let most = MicroSeconds(u64::try_from(most.as_micros()).unwrap_or(u64::MAX));
        self.mainloop.prepare(Some(most)).map_err(refused)?;
        self.mainloop.poll().map_err(refused)?;
        self.mainloop.dispatch().map_err(refused)?;
        Ok(())
    }

    fn is_up(&self) -> bool {
        self.context.get_state().is_good()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.context.disconnect();
    }
}

fn refused(error: PAErr) -> MediaError {
    match Code::try_from(error) {
        Ok(Code::NoEntity) => MediaError::Missing,
        Ok(Code::Access) => MediaError::Denied,
        Ok(Code::ConnectionRefused | Code::Busy | Code::Timeout) => {
            MediaError::Busy(Some(Box::new(error)))
        }
        _ => MediaError::Failed(Some(Box::new(error))),
    }
}
