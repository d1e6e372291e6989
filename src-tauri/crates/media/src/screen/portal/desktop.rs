//! The conversation with the desktop: `org.freedesktop.portal.ScreenCast` on the session bus.
//!
//! Each question has an answer in two parts: the call names a request at once, and the request's `Response` comes when
//! the person has decided, which may take as long as they like. A thread of the connection turns signals into events,
//! so that waiting can be given up.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use zbus::blocking::connection::Builder;
use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, MessageIterator};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{MatchRule, message};

use crate::screen::ScreenError;
use crate::screen::memory::PortalMemory;

const NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const INTERFACE: &str = "org.freedesktop.portal.ScreenCast";

/// A call that asks nobody is answered within this, even where the portal must be started for it first.
const PATIENCE: Duration = Duration::from_secs(25);

/// Monitors and windows (`AvailableSourceTypes`).
const SOURCES: u32 = 1 | 2;

/// Cursor modes: none, painted into the picture, beside it.
const CURSOR_HIDDEN: u32 = 1;
const CURSOR_PAINTED: u32 = 2;

/// Permission until it is revoked (`persist_mode`), which version 4 of the interface knows.
const FOR_GOOD: u32 = 2;
const FOR_GOOD_SINCE: u32 = 4;

/// Longest token that is kept; those of today have some 40 characters.
const LONGEST_TOKEN: usize = 4096;

type Options<'a> = HashMap<&'a str, Value<'a>>;
type Results = HashMap<String, OwnedValue>;

/// What the bus tells.
enum News {
    /// A request was answered: its path, the code, and what belongs to it.
    Answer(String, u32, Results),
    /// The portal has left the bus.
    Left,
}

/// A running permission. Ends with its value.
pub(super) struct Session {
    connection: Connection,
    path: OwnedObjectPath,
    closed: Arc<AtomicBool>,
}

impl Session {
    /// The desktop has ended it: the person has clicked its own "stop", or what was shared is gone.
    pub(super) fn closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.closed() {
            let session = "org.freedesktop.portal.Session";
            let close =
                self.connection
                    .call_method(Some(NAME), &self.path, Some(session), "Close", &());
            if let Err(error) = close {
                tracing::debug!(%error, "the portal's session");
            }
        }
        // Ends the thread that listens, too.
        let _ = self.connection.clone().close();
    }
}

/// What the desktop has granted.
pub(super) struct Granted {
    pub(super) session: Session,
    /// PipeWire's socket.
    pub(super) remote: OwnedFd,
    /// The stream's node.
    pub(super) node: u32,
}

/// A connection, and what it hears.
struct Portal {
    connection: Connection,
    news: Receiver<News>,
    closed: Arc<AtomicBool>,
}

/// Connects to the bus at this address (the session's without one).
fn bus(address: Option<&str>) -> Result<Connection, ScreenError> {
    let builder = match address {
        Some(address) => Builder::address(address),
        None => Builder::session(),
    };
    let connected = builder.and_then(|builder| builder.method_timeout(PATIENCE).build());
    connected.map_err(|error| ScreenError::NoPortal(Some(Box::new(error))))
}

/// Whether there is a portal that can share screens. May start it.
///
/// # Errors
/// [`ScreenError::NoPortal`].
pub(super) fn present(address: Option<&str>) -> Result<(), ScreenError> {
    let connection = bus(address)?;
    let sources: u32 = property(&connection, "AvailableSourceTypes")?;
    match sources & SOURCES {
        0 => Err(ScreenError::NoPortal(None)),
        _ => Ok(()),
    }
}

fn property(connection: &Connection, name: &str) -> Result<u32, ScreenError> {
    let properties = Some("org.freedesktop.DBus.Properties");
    let reply = connection
        .call_method(Some(NAME), PATH, properties, "Get", &(INTERFACE, name))
        .map_err(problem)?;
    let value: OwnedValue = reply.body().deserialize().map_err(problem)?;
    u32::try_from(&*value).map_err(|error| problem(error.into()))
}

/// Asks for permission to see a screen; the desktop shows its dialog, unless it remembers us by the kept token.
/// `stopped` is asked now and then whether anybody is still interested.
///
/// # Errors
/// [`ScreenError::NoPortal`], [`ScreenError::Cancelled`], [`ScreenError::Denied`], or [`ScreenError::Failed`].
pub(super) fn ask(
    address: Option<&str>,
    memory: &dyn PortalMemory,
    again: bool,
    stopped: &dyn Fn() -> bool,
) -> Result<Granted, ScreenError> {
    let connection = bus(address)?;
    let wanted = property(&connection, "AvailableSourceTypes")? & SOURCES;
    if wanted == 0 {
        return Err(ScreenError::NoPortal(None));
    }
    // An old portal lacks these.
    let cursors = property(&connection, "AvailableCursorModes").unwrap_or(0);
    let version = property(&connection, "version").unwrap_or(1);
    let mut portal = Portal::listen(connection)?;

    let token = fresh("session");
    let options = Options::from([("session_handle_token", Value::from(token.as_str()))]);
    let made = portal.request("CreateSession", None, None, options, stopped)?;
    let path = made
        .get("session_handle")
        .and_then(|handle| match &**handle {
            Value::Str(path) => ObjectPath::try_from(path.as_str()).ok(),
            Value::ObjectPath(path) => Some(path.clone()),
            _ => None,
        });
    let path = OwnedObjectPath::from(path.ok_or(ScreenError::Failed(None))?.into_owned());
    let session = Session {
        connection: portal.connection.clone(),
        path: path.clone(),
        closed: Arc::clone(&portal.closed),
    };

    let mut options = Options::from([
        ("types", Value::from(wanted)),
        ("multiple", Value::from(false)),
    ]);
    if let Some(mode) = [CURSOR_PAINTED, CURSOR_HIDDEN]
        .into_iter()
        .find(|mode| cursors & mode != 0)
    {
        options.insert("cursor_mode", Value::from(mode));
    }
    let kept = memory.token();
    if version >= FOR_GOOD_SINCE {
        options.insert("persist_mode", Value::from(FOR_GOOD));
        if let Some(token) = kept.as_deref().filter(|_| again) {
            options.insert("restore_token", Value::from(token));
        }
    }
    portal.request("SelectSources", Some(&path), None, options, stopped)?;
    let started = portal.request("Start", Some(&path), Some(""), Options::new(), stopped)?;

    // It holds for one time, and the next one comes with each permission.
    let next = started
        .get("restore_token")
        .and_then(|token| <&str>::try_from(token).ok())
        .filter(|token| !token.is_empty() && token.len() <= LONGEST_TOKEN);
    if next.map(str::to_owned) != kept {
        memory.keep(next);
    }
    let node = started
        .get("streams")
        .and_then(first_node)
        .ok_or(ScreenError::Failed(None))?;
    let reply = portal
        .connection
        .call_method(
            Some(NAME),
            PATH,
            Some(INTERFACE),
            "OpenPipeWireRemote",
            &(&path, Options::new()),
        )
        .map_err(problem)?;
    let remote: zbus::zvariant::OwnedFd = reply.body().deserialize().map_err(problem)?;
    Ok(Granted {
        session,
        remote: remote.into(),
        node,
    })
}

/// The first stream's node, from `a(ua{sv})`.
fn first_node(streams: &OwnedValue) -> Option<u32> {
    let Value::Array(streams) = &**streams else {
        return None;
    };
    let Value::Structure(stream) = streams.first()? else {
        return None;
    };
    match stream.fields().first()? {
        Value::U32(node) => Some(*node),
        _ => None,
    }
}

/// A token nobody else on the bus uses: it becomes part of a path.
fn fresh(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("halloo_{what}_{}_{number}", std::process::id())
}

impl Portal {
    fn listen(connection: Connection) -> Result<Self, ScreenError> {
        let rules = [
            ("org.freedesktop.portal.Request", "Response", NAME),
            ("org.freedesktop.portal.Session", "Closed", NAME),
            (
                "org.freedesktop.DBus",
                "NameOwnerChanged",
                "org.freedesktop.DBus",
            ),
        ];
        // Listening begins before anything is asked: answers may come before the call's own.
        let messages = MessageIterator::from(&connection);
        let bus = DBusProxy::new(&connection).map_err(problem)?;
        for (interface, member, sender) in rules {
            let rule = MatchRule::builder()
                .msg_type(message::Type::Signal)
                .sender(sender)
                .and_then(|rule| rule.interface(interface))
                .and_then(|rule| rule.member(member));
            let rule = match member {
                "NameOwnerChanged" => rule.and_then(|rule| rule.arg(0, NAME)),
                _ => rule,
            };
            let rule = rule.map_err(problem)?.build();
            bus.add_match_rule(rule)
                .map_err(|error| problem(error.into()))?;
        }
        let (tell, news) = channel();
        let closed = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&closed);
        // Ends with the connection.
        std::thread::Builder::new()
            .name("halloo-portal".to_owned())
            .spawn(move || {
                for message in messages.map_while(Result::ok) {
                    hear(&message, &tell, &ended);
                }
            })
            .map_err(|error| ScreenError::Failed(Some(error.into())))?;
        Ok(Self {
            connection,
            news,
            closed,
        })
    }

    /// Asks, and waits for the answer.
    fn request(
        &mut self,
        method: &str,
        session: Option<&OwnedObjectPath>,
        parent: Option<&str>,
        mut options: Options<'_>,
        stopped: &dyn Fn() -> bool,
    ) -> Result<Results, ScreenError> {
        let token = fresh("request");
        options.insert("handle_token", Value::from(token));
        let call = |body: &dyn Fn() -> zbus::Result<zbus::Message>| body().map_err(problem);
        let (bus, portal) = (&self.connection, Some(INTERFACE));
        let reply = call(&|| match (session, parent) {
            (Some(session), Some(parent)) => bus.call_method(
                Some(NAME),
                PATH,
                portal,
                method,
                &(session, parent, &options),
            ),
            (Some(session), None) => {
                bus.call_method(Some(NAME), PATH, portal, method, &(session, &options))
            }
            (None, _) => bus.call_method(Some(NAME), PATH, portal, method, &(&options,)),
        })?;
        let request: OwnedObjectPath = reply.body().deserialize().map_err(problem)?;
        loop {
            match self.news.recv_timeout(Duration::from_millis(200)) {
                Ok(News::Answer(path, code, results)) if path == request.as_str() => {
                    return match code {
                        0 => Ok(results),
                        1 => Err(ScreenError::Cancelled),
                        _ => Err(ScreenError::Denied),
                    };
                }
                Ok(News::Answer(..)) => {}
                Ok(News::Left) => return Err(ScreenError::NoPortal(None)),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(ScreenError::NoPortal(None));
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) if stopped() => {
                    // Takes the dialog from the screen.
                    let interface = Some("org.freedesktop.portal.Request");
                    let _ = bus.call_method(Some(NAME), &request, interface, "Close", &());
                    return Err(ScreenError::Cancelled);
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

fn hear(message: &zbus::Message, tell: &Sender<News>, closed: &AtomicBool) {
    let header = message.header();
    if header.message_type() != message::Type::Signal {
        return;
    }
    let path = header.path().map(ToString::to_string).unwrap_or_default();
    let news = match header.member().map(|member| member.as_str()) {
        Some("Response") => message
            .body()
            .deserialize::<(u32, Results)>()
            .ok()
            .map(|(code, results)| News::Answer(path, code, results)),
        // The connection has one session only.
        Some("Closed") => {
            closed.store(true, Ordering::Release);
            None
        }
        Some("NameOwnerChanged") => {
            let changed = message.body().deserialize::<(String, String, String)>();
            // A portal that is only just being started has had no owner before.
            let left = changed.is_ok_and(|(name, _, new)| name == NAME && new.is_empty());
            if left {
                closed.store(true, Ordering::Release);
            }
            left.then_some(News::Left)
        }
        _ => None,
    };
    if let Some(news) = news {
        let _ = tell.send(news); // Nobody waits any more.
    }
}

/// What an error of the bus means for sharing.
fn problem(error: zbus::Error) -> ScreenError {
    let name = match &error {
        // It did not answer in time, or the bus is gone.
        zbus::Error::InputOutput(_) => return ScreenError::NoPortal(Some(Box::new(error))),
        zbus::Error::MethodError(name, ..) => name.as_str().to_owned(),
        zbus::Error::FDO(error) => zbus::DBusError::name(&**error).to_string(),
        _ => String::new(),
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    match last {
        "AccessDenied" | "NotAllowed" => ScreenError::Denied,
        "Cancelled" => ScreenError::Cancelled,
        "ServiceUnknown" | "NameHasNoOwner" | "UnknownInterface" | "UnknownMethod"
        | "UnknownObject" | "UnknownProperty" | "InvalidArgs" | "SpawnFailed" | "ChildExited"
        | "ExecFailed" | "NotFound" | "NoReply" | "TimedOut" => {
            ScreenError::NoPortal(Some(Box::new(error)))
        }
        _ => ScreenError::Failed(Some(Box::new(error))),
    }
}
