//! Everything the machine can want.

use std::time::Duration;

use bytes::Bytes;

use crate::alert::{AlertSettings, AlertWish};
use crate::command::DeviceRole;
use crate::id::{ChannelId, DeviceId, FileId, RequestId, SessionId, SourceId, UploadId, UserId};
use crate::input::{CallNumber, SavedSession};
use crate::port::media::{ScreenFrame, ShareRequest};
use crate::port::{CallIntent, EndReason, Fingerprint, JoinTicket, Request, Secret};
use crate::preferences::{Appearance, CallPreferences};
use crate::snapshot::{Patch, Quality, Sound};

/// One thing the machine wants done. Performed in order, without waiting; answers come back as inputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Everything from now on is about this server, with this token.
    Account {
        /// Site address.
        server: String,
        /// `None` forgets it.
        token: Option<Secret>,
    },
    /// Trust this certificate for this host and port from now on.
    Trust {
        /// A name or an address, with the port.
        host: String,
        /// Of exactly this one.
        fingerprint: Fingerprint,
    },
    /// Ask the server something.
    Request(RequestId, Request),
    /// Send a file to the server. Answer with [`crate::input::Input::Upload`].
    Upload(UploadId, Box<UploadWish>),
    /// Stop sending it; nothing more is heard of it.
    StopUpload(UploadId),
    /// Save a file of the server's among the person's downloads. Answer with [`crate::input::Input::Saved`].
    Save {
        /// Which.
        file: FileId,
        /// A harmless name: no folders, no hidden files, nothing that a system reserves.
        name: String,
    },
    /// The account's WebSocket.
    Link(LinkWish),
    /// Our call.
    Call(CallNumber, CallWish),
    /// Sound.
    Media(MediaWish),
    /// Something to be heard or shown outside the windows.
    Alert(AlertWish),
    /// Keep something for the next run.
    Remember(Remember),
    /// A slice of the snapshot has changed. At most one for each slice between two inputs.
    Patch(Box<Patch>),
    /// Something happened that a script would want to know.
    Tell(ClientEvent),
}

/// A file to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadWish {
    /// Where it will be posted.
    pub channel: ChannelId,
    /// What it is called.
    pub name: String,
    /// Its content.
    pub bytes: Bytes,
}

/// What is wanted of the account's WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkWish {
    /// Open, in place of any other.
    Open {
        /// Site address.
        server: String,
        /// Token.
        token: Secret,
    },
    /// Do not wait for the end of the back-off; if it seems open, look at once whether it is.
    Retry,
    /// Tell the server that the person is here, or is not (mattermost-core §12.5).
    Active(bool),
    /// Close.
    Close,
}

/// What is wanted of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum CallWish {
    /// Join. At most one call at a time.
    Join(Box<JoinTicket>),
    /// Tell the others.
    Apply(CallIntent),
    /// Leave; whatever it still says is of no interest.
    Leave,
}

/// One step of hearing oneself. What is recorded stays in memory and goes to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialStep {
    /// Keep what the microphone hears, as the others would get it; five seconds at most.
    Record,
    /// Play what was kept, once.
    Play,
    /// Forget it.
    End,
}

/// What is wanted of the sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaWish {
    /// Which device ends are open.
    Run {
        /// Microphone.
        input: bool,
        /// Loudspeaker.
        output: bool,
    },
    /// The mute gate: open lets the microphone's sound out.
    Gate(bool),
    /// Use this device; `None` follows the system.
    Choose(DeviceRole, Option<DeviceId>),
    /// How loud a session is heard, per cent, 0 to 200.
    Volume(SessionId, u16),
    /// How loud the sound of a session's shared screen is heard, per cent, 0 to 200.
    ShareVolume(SessionId, u16),
    /// What is done to the sound.
    Sound(Sound),
    /// Nothing of the others is heard.
    Deafen(bool),
    /// Play the melody of the loudspeaker test.
    TestTone,
    /// Record the microphone for oneself, play that back, or forget it.
    Trial(TrialStep),
    /// Begin or end to write the three sound files.
    Dump(bool),
    /// Say what can be shared.
    ListScreens,
    /// Open this to be shared, in place of anything else; `None` closes it.
    Share(Option<ShareRequest>),
    /// Smooth movement matters more than sharp text, or the other way round.
    ShareMotion(bool),
    /// Hold the shared picture, or go on.
    SharePause(bool),
}

/// Something to keep for the next run.
#[derive(Clone, Debug, PartialEq)]
pub enum Remember {
    /// The session, in the key store; `None` forgets it. Answer with [`crate::input::Input::SessionKept`].
    Session(Option<SavedSession>),
    /// The server in use; `None` when a person wants another one.
    Server(Option<String>),
    /// The channel that is open.
    Place(ChannelId),
    /// The chosen device; `None` follows the system.
    Device(DeviceRole, Option<DeviceId>),
    /// What the chosen device calls itself; `None` forgets it.
    DeviceName(DeviceRole, Option<String>),
    /// Text typed but not sent; empty forgets it.
    Draft(ChannelId, String),
    /// How loud somebody is heard, per cent; 100 is as if it was never set.
    Volume(UserId, u16),
    /// How the interface looks.
    Appearance(Appearance),
    /// How our own calls behave.
    Calls(Box<CallPreferences>),
    /// How the person wants to be called.
    Alerts(Box<AlertSettings>),
    /// What is done to the sound.
    Sound(Sound),
    /// The person trusts this certificate for this host and port.
    Trust(String, Fingerprint),
    /// By what the desktop knows again that we may see the screen (Wayland); `None` forgets it.
    SharePermission(Option<String>),
}

/// Something that happened, for scripts and the command line. The interface draws snapshots instead.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientEvent {
    /// A server answers at the address; sign-in is possible.
    ServerFound {
        /// Site address.
        url: String,
    },
    /// Signed in, and the channels are known.
    SignedIn {
        /// We.
        user: UserId,
        /// Our user name.
        username: String,
    },
    /// Sign-in failed, or the session is over.
    SignInRefused {
        /// Notice code.
        code: String,
    },
    /// The server let us into the call.
    Joined {
        /// Our session.
        session: SessionId,
    },
    /// Media connected.
    Connected {
        /// Since the wish to join; after a reconnection since the loss.
        after: Duration,
        /// It was connected before.
        again: bool,
    },
    /// Somebody is in the call (also: was there before us), or has left.
    Participant {
        /// Session.
        session: SessionId,
        /// Who.
        user: UserId,
        /// Name on screen; the user id while unknown.
        name: String,
        /// Came; else left.
        joined: bool,
    },
    /// The first sound of somebody was played.
    FirstAudio {
        /// Whose.
        session: SessionId,
        /// Since the wish to join.
        after: Duration,
    },
    /// Figures of the connection, each second.
    Quality(Quality),
    /// Our screen is being shared: pictures flow.
    ShareStarted {
        /// What.
        source: SourceId,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Since the wish.
        after: Duration,
    },
    /// Our share is over.
    ShareStopped {
        /// Notice code; `None` when it was stopped on purpose.
        code: Option<String>,
    },
    /// Somebody's screen is to be seen, or not any more. We may be that.
    Presenter {
        /// Whose.
        session: SessionId,
        /// It is.
        on: bool,
    },
    /// A picture of a watched screen, while it is stored.
    ScreenFrame(ScreenFrame),
    /// A notice was shown.
    Notice {
        /// Stable code.
        code: String,
        /// Technical words.
        detail: Option<String>,
    },
    /// A recording was asked for, or is over.
    Recording {
        /// It goes on.
        on: bool,
    },
    /// The call is over for us.
    Ended {
        /// Why.
        reason: EndReason,
        /// Notice code; `None` when we left or the call ended for all.
        code: Option<String>,
    },
}
