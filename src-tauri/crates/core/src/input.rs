//! Everything the machine can hear.

use std::collections::BTreeMap;
use std::time::Instant;

use bytes::Bytes;

use crate::alert::{AlertSettings, DesktopNews};
use crate::command::{Command, DeviceRole};
use crate::id::{ChannelId, DeviceId, FileId, Millis, PostId, RequestId, UploadId, UserId};
use crate::model::File;
use crate::port::media::MediaEvent;
use crate::port::{CallEvent, LinkEvent, Reply, RequestError, Secret, ServerEvent};
use crate::preferences::{Appearance, CallPreferences};
use crate::snapshot::Sound;

/// The time, twice: one that never jumps, for deadlines; one that people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For durations and deadlines.
    pub instant: Instant,
    /// Milliseconds since the Unix epoch, by *our* clock.
    pub unix: Millis,
}

/// Numbers our calls, so that what an earlier call still says is not taken for the present one's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallNumber(pub u32);

/// A session that outlived the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSession {
    /// Site address.
    pub server: String,
    /// User name, for the sign-in form should the token have expired.
    pub login: String,
    /// Session or personal access token.
    pub token: Secret,
}

/// What the last run left behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// The session, if the key store has one.
    pub session: Option<SavedSession>,
    /// The server last used; its sign-in form is shown when there is no session.
    pub server: Option<String>,
    /// The channel that was open; shown again. `None` opens the first one.
    pub place: Option<ChannelId>,
    /// No channel is opened by itself: for clients without a window.
    pub headless: bool,
    /// Chosen microphone.
    pub input: Option<DeviceId>,
    /// Chosen loudspeaker.
    pub output: Option<DeviceId>,
    /// What they called themselves: systems give devices new identities when they are plugged in elsewhere.
    pub device_names: BTreeMap<DeviceRole, String>,
    /// Text typed but not sent.
    pub drafts: BTreeMap<ChannelId, String>,
    /// How loud we hear people, per cent, where it is not 100.
    pub volumes: BTreeMap<UserId, u16>,
    /// How the interface looks.
    pub appearance: Appearance,
    /// How our own calls behave.
    pub calls: CallPreferences,
    /// How the person wants to be called.
    pub alerts: AlertSettings,
    /// What is done to the sound.
    pub sound: Sound,
}

/// One thing the machine hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The program has started. The first input, once.
    Start(Box<Memory>),
    /// A person asks for something.
    Command(Command),
    /// The server tells something.
    Server(ServerEvent),
    /// The account's WebSocket came or went.
    Link(LinkEvent),
    /// A request was answered.
    Reply(RequestId, Result<Reply, RequestError>),
    /// Something happened in a call.
    Call(CallNumber, CallEvent),
    /// Something happened to the sound.
    Media(MediaEvent),
    /// Whether the key store took the session that was to be remembered.
    SessionKept(bool),
    /// How far local time is ahead of UTC, minutes. Told at the start and whenever it changes.
    Zone(i32),
    /// A notification that was asked for as a test has arrived on the screen, or has not.
    NoteShown(bool),
    /// The desktop around our windows tells something.
    Desktop(DesktopNews),
    /// A person attaches a file to what they are writing.
    Attach(Box<Attach>),
    /// How a file fares on its way to the server.
    Upload(UploadId, UploadEvent),
    /// A file was saved, or not.
    Saved {
        /// Which.
        file: FileId,
        /// Where it lies now (folder and name for the person to read), or why it was not saved.
        result: Result<String, RequestError>,
    },
    /// A deadline has passed (see `Machine::poll_timeout`).
    Tick,
}

/// A file that a person attaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attach {
    /// Where they are writing.
    pub channel: ChannelId,
    /// Thread, if it is a reply.
    pub root: Option<PostId>,
    /// What it is called.
    pub name: String,
    /// Its content.
    pub bytes: Bytes,
}

/// How a file fares on its way to the server.
#[derive(Clone, Debug, PartialEq)]
pub enum UploadEvent {
    /// So many bytes have left.
    Sent(u64),
    /// The server has it.
    Done(Box<File>),
    /// It failed.
    Failed(RequestError),
}
