//! A portal that does as it is told, on a bus of its own.

use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::message::Header;
use zbus::zvariant::{Fd, ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{fdo, interface};

pub(super) type Options = HashMap<String, OwnedValue>;

/// What happens when the person is asked.
#[derive(Clone, Debug, Default)]
pub(super) enum Answer {
    /// Permission for this node of the PipeWire behind this socket, with a token for the next time.
    Grant {
        node: u32,
        socket: PathBuf,
        token: &'static str,
    },
    /// The dialog was closed.
    #[default]
    Cancel,
    /// The desktop refuses.
    Refuse,
    /// The dialog stays open.
    Silence,
}

/// What the portal does, and what it was asked.
#[derive(Default)]
pub(super) struct Script {
    pub(super) answer: Answer,
    pub(super) calls: Vec<(&'static str, Options)>,
    /// Paths that were closed.
    pub(super) closed: Vec<String>,
    pub(super) session: Option<String>,
}

impl Script {
    /// The options of the last call of this method.
    pub(super) fn last(&self, method: &str) -> &Options {
        let mut calls = self.calls.iter().rev();
        &calls.find(|(name, _)| *name == method).unwrap().1
    }
}

/// The portal on the bus.
pub(super) struct Mock {
    pub(super) connection: Connection,
    pub(super) script: Arc<Mutex<Script>>,
}

impl Mock {
    /// Takes its name on the bus at this address.
    pub(super) fn start(address: &str) -> Self {
        let script = Arc::<Mutex<Script>>::default();
        let cast = ScreenCast(Arc::clone(&script));
        let connection = Builder::address(address)
            .unwrap()
            .serve_at("/org/freedesktop/portal/desktop", cast)
            .unwrap()
            .name("org.freedesktop.portal.Desktop")
            .unwrap()
            .build()
            .unwrap();
        Self { connection, script }
    }

    /// Ends the session as a desktop's own "stop" does.
    pub(super) fn close_session(&self) {
        let session = self.script.lock().unwrap().session.clone().unwrap();
        let interface = "org.freedesktop.portal.Session";
        let details = HashMap::<String, OwnedValue>::new();
        self.connection
            .emit_signal(None::<&str>, session, interface, "Closed", &(details,))
            .unwrap();
    }
}

struct ScreenCast(Arc<Mutex<Script>>);

/// A request, and a session: both can be closed.
struct Request(Arc<Mutex<Script>>);
struct Session(Arc<Mutex<Script>>);

#[interface(name = "org.freedesktop.portal.Request")]
impl Request {
    fn close(&self, #[zbus(header)] header: Header<'_>) {
        let path = header.path().unwrap().to_string();
        self.0.lock().unwrap().closed.push(path);
    }
}

#[interface(name = "org.freedesktop.portal.Session")]
impl Session {
    fn close(&self, #[zbus(header)] header: Header<'_>) {
        let path = header.path().unwrap().to_string();
        self.0.lock().unwrap().closed.push(path);
    }
}

impl ScreenCast {
    /// Makes a request and answers it.
    async fn answer(
        &self,
        connection: &zbus::Connection,
        header: &Header<'_>,
        options: &Options,
        answer: Option<(u32, HashMap<&str, Value<'_>>)>,
    ) -> OwnedObjectPath {
        let path = path("request", header, options, "handle_token");
        let request = Request(Arc::clone(&self.0));
        let _ = connection.object_server().at(&path, request).await;
        if let Some(answer) = answer {
            connection
                .emit_signal(
                    header.sender().map(|name| name.as_str()),
                    &path,
                    "org.freedesktop.portal.Request",
                    "Response",
                    &answer,
                )
                .await
                .unwrap();
        }
        path
    }
}

fn path(kind: &str, header: &Header<'_>, options: &Options, token: &str) -> OwnedObjectPath {
    let sender = header.sender().unwrap().to_string();
    let sender = sender.trim_start_matches(':').replace('.', "_");
    let token = <&str>::try_from(&options[token]).unwrap();
    let path = format!("/org/freedesktop/portal/desktop/{kind}/{sender}/{token}");
    ObjectPath::try_from(path).unwrap().into()
}

#[interface(name = "org.freedesktop.portal.ScreenCast")]
impl ScreenCast {
    async fn create_session(
        &self,
        options: Options,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> OwnedObjectPath {
        let session = path("session", &header, &options, "session_handle_token");
        let object = Session(Arc::clone(&self.0));
        let _ = connection.object_server().at(&session, object).await;
        self.0.lock().unwrap().session = Some(session.to_string());
        let results = HashMap::from([("session_handle", Value::from(session.as_str()))]);
        self.answer(connection, &header, &options, Some((0, results)))
            .await
    }

    async fn select_sources(
        &self,
        _session: ObjectPath<'_>,
        options: Options,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> OwnedObjectPath {
        let done = Some((0, HashMap::new()));
        let path = self.answer(connection, &header, &options, done).await;
        let mut script = self.0.lock().unwrap();
        script.calls.push(("SelectSources", options));
        path
    }

    async fn start(
        &self,
        _session: ObjectPath<'_>,
        _parent: &str,
        options: Options,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
    ) -> OwnedObjectPath {
        let answer = {
            let mut script = self.0.lock().unwrap();
            script.calls.push(("Start", Options::new()));
            script.answer.clone()
        };
        let answer = match answer {
            Answer::Grant { node, token, .. } => {
                let properties = HashMap::from([("size", Value::from((320, 200)))]);
                let streams = Value::from(vec![(node, properties)]);
                let results =
                    HashMap::from([("streams", streams), ("restore_token", Value::from(token))]);
                Some((0, results))
            }
            Answer::Cancel => Some((1, HashMap::new())),
            Answer::Refuse => Some((2, HashMap::new())),
            Answer::Silence => None,
        };
        self.answer(connection, &header, &options, answer).await
    }

    fn open_pipe_wire_remote(
        &self,
        _session: ObjectPath<'_>,
        _options: Options,
    ) -> fdo::Result<Fd<'static>> {
        match &self.0.lock().unwrap().answer {
            Answer::Grant { socket, .. } => {
                let stream = UnixStream::connect(socket).unwrap();
                Ok(Fd::from(std::os::fd::OwnedFd::from(stream)))
            }
            _ => Err(fdo::Error::AccessDenied("no".to_owned())),
        }
    }

    #[zbus(property)]
    fn available_source_types(&self) -> u32 {
        7
    }

    #[zbus(property)]
    fn available_cursor_modes(&self) -> u32 {
        7
    }

    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        4
    }
}
