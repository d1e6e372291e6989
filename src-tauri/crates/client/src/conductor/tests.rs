//! The conductor over a network that is a script: no sockets, no server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use bytes::Bytes;
use calls_core::command::Command;
use calls_core::effect::UploadWish;
use calls_core::id::{FileId, Millis, UserId};
use calls_core::model::{CallsConfig, Channel, ChannelKind, File, Membership, User};
use calls_core::port::media::MediaPort;
use calls_core::port::{
    ActiveCall, BoxFuture, CallBackend, CallEvent, CallIntent, CallsLoad, DirectoryLoad, EventSink,
    JoinTicket, Reply, Request, RequestError, Secret,
};
use calls_core::snapshot::{Account, CallPhase, Microphone, Quality, ServerInfo};
use calls_media::FakeHost;
use calls_media::device::signal::Signal;
use calls_net::SocketEvent;
use tokio::time::timeout;

use super::*;
use crate::handle::Update;
use crate::net::{Image, Line, Progress, SocketSink};
use crate::shell::{Remember, SavedSession};
use crate::{Client, ClientConfig};

/// Nothing here takes so long.
const LIMIT: Duration = Duration::from_secs(20);

const SERVER: &str = "https://chat.example.org";

/// A network that answers from a script and writes down what it was asked to do.
#[derive(Default)]
struct Script {
    log: Mutex<Vec<String>>,
    line: Mutex<Option<SocketSink>>,
    call: Mutex<Option<EventSink>>,
}

impl Script {
    fn note(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    fn call(&self, event: CallEvent) {
        let events = self.call.lock().unwrap().clone().expect("nobody joined");
        events(event);
    }
}

/// What the client is given, and what the test keeps.
#[derive(Clone, Default)]
struct Network(Arc<Script>);

impl Net for Network {
    fn set_account(&self, server: String, token: Option<Secret>) {
        self.0.note(format!("account {server} {}", token.is_some()));
    }

    fn trust(&self, host: &str, fingerprint: calls_core::port::Fingerprint) {
        self.0
            .note(format!("trust {host} {}", fingerprint.as_str()));
    }

    fn perform(&self, request: Request) -> BoxFuture<Result<Reply, RequestError>> {
        Box::pin(async move { answer(request) })
    }

    fn open_line(&self, _server: String, _token: Secret, sink: SocketSink) -> Box<dyn Line> {
        self.0.note("line opened");
        sink(SocketEvent::Link(LinkEvent::Up { resumed: false }));
        *self.0.line.lock().unwrap() = Some(sink);
        Box::new(ScriptLine(self.0.clone()))
    }

    fn backend(&self, _server: String, _token: Secret) -> Arc<dyn CallBackend> {
        Arc::new(self.clone())
    }

    fn picture(&self, _user: UserId, _version: Millis) -> BoxFuture<Option<Bytes>> {
        Box::pin(async { Some(Bytes::from_static(b"png")) })
    }

    fn image(&self, _of: Image) -> BoxFuture<Option<Bytes>> {
        Box::pin(async { None })
    }

    fn file_part(&self, _file: FileId, _from: u64) -> BoxFuture<Option<Bytes>> {
        Box::pin(async { None })
    }

    fn upload(
        &self,
        wish: UploadWish,
        progress: Progress,
    ) -> BoxFuture<Result<File, RequestError>> {
        self.0.note(format!("upload {}", wish.name));
        progress(wish.bytes.len() as u64);
        Box::pin(async { Ok(File::default()) })
    }

    fn save(&self, file: FileId, path: PathBuf) -> BoxFuture<Result<(), RequestError>> {
        self.0.note(format!("save {file}"));
        Box::pin(async move {
            std::fs::write(path, b"content").map_err(|why| RequestError::Offline(why.to_string()))
        })
    }
}

impl CallBackend for Network {
    fn join(
        &self,
        ticket: JoinTicket,
        _media: Arc<dyn MediaPort>,
        events: EventSink,
    ) -> Box<dyn ActiveCall> {
        self.0.note(format!("join {}", ticket.channel));
        *self.0.call.lock().unwrap() = Some(events);
        Box::new(ScriptCall(self.0.clone()))
    }
}

struct ScriptLine(Arc<Script>);

impl Line for ScriptLine {
    fn active(&self, _active: bool) {}

    fn retry_now(&self) {
        self.0.note("line retried");
    }

    fn close(self: Box<Self>) -> BoxFuture<()> {
        Box::pin(async move { self.0.note("line closed") })
    }
}

struct ScriptCall(Arc<Script>);

impl ActiveCall for ScriptCall {
    fn apply(&mut self, intent: CallIntent) {
        self.0.note(format!("{intent:?}"));
    }

    fn leave(self: Box<Self>) -> BoxFuture<()> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.0.note("left");
        })
    }
}

fn answer(request: Request) -> Result<Reply, RequestError> {
    let me = User {
        id: "alice".into(),
        username: "alice".to_owned(),
        ..User::default()
    };
    Ok(match request {
        Request::FindServer { .. } => Reply::Found(ServerInfo {
            url: SERVER.to_owned(),
            ..ServerInfo::default()
        }),
        Request::SignIn { .. } => Reply::SignedIn {
            token: Secret::new("t"),
            me: Box::new(me),
        },
        Request::LoadDirectory => Reply::Directory(Box::new(DirectoryLoad {
            look: Default::default(),
            me,
            channels: vec![Channel {
                id: "dm".into(),
                team: None,
                kind: ChannelKind::Direct,
                name: "alice__bob".to_owned(),
                display_name: String::new(),
                header: String::new(),
                archived: false,
                last_post_at: 0,
                total_posts: 0,
                total_root_posts: 0,
            }],
            memberships: vec![Membership {
                channel: "dm".into(),
                ..Membership::default()
            }],
            ..DirectoryLoad::default()
        })),
        Request::LoadCalls => Reply::Calls(Some(Box::new(CallsLoad {
            config: CallsConfig {
                default_enabled: true,
                ..CallsConfig::default()
            },
            channels: Vec::new(),
        }))),
        Request::LoadPosts { .. } => Reply::Posts {
            posts: Vec::new(),
            at_start: true,
        },
        Request::LoadUsers(_) => Reply::Users(Vec::new()),
        Request::LoadPresences(_) => Reply::Presences(Vec::new()),
        Request::ViewChannel(_) | Request::SignOut => Reply::Done,
        _ => return Err(RequestError::TimedOut),
    })
}

/// Keeps what it was told to.
#[derive(Default)]
struct Notebook(Mutex<Vec<Remember>>);

impl Shell for Notebook {
    fn remember(&self, what: Remember) {
        self.0.lock().unwrap().push(what);
    }
}

struct Rig {
    client: ClientHandle,
    script: Arc<Script>,
    notebook: Arc<Notebook>,
}

impl Rig {
    fn start() -> Self {
        let network = Network::default();
        let notebook = Arc::new(Notebook::default());
        let host = FakeHost::with_signal(Signal::Silence);
        let config = ClientConfig {
            server: Some(SERVER.to_owned()),
            volumes: BTreeMap::new(),
            ..ClientConfig::default()
        };
        let script = network.0.clone();
        let client =
            Client::start_with(config, Arc::new(host), notebook.clone(), Arc::new(network));
        Self {
            client,
            script,
            notebook,
        }
    }

    async fn until(&self, what: &str, so: impl FnMut(&Arc<Snapshot>) -> bool) -> Arc<Snapshot> {
        let mut watch = self.client.watch();
        match timeout(LIMIT, watch.wait_for(so)).await {
            Ok(Ok(now)) => now.clone(),
            _ => panic!("waited in vain for {what}: {:?}", self.client.snapshot()),
        }
    }

    async fn signed_in() -> Self {
        let rig = Self::start();
        rig.until("the form", |now| {
            matches!(now.account, Account::SignedOut { .. })
        })
        .await;
        rig.client.dispatch(Command::SignIn {
            login: "alice".to_owned(),
            password: "secret".to_owned(),
            code: None,
        });
        rig.until("calls", |now| now.directory.calls_available)
            .await;
        rig
    }

    async fn in_call() -> Self {
        let rig = Self::signed_in().await;
        rig.client.dispatch(Command::JoinCall {
            channel: "dm".into(),
            title: None,
            switch: false,
        });
        rig.until("joining", |now| now.call.phase == CallPhase::Joining)
            .await;
        rig.script.call(CallEvent::Accepted("sa".into()));
        rig.script.call(CallEvent::Connected);
        rig.script.call(CallEvent::VoiceReady);
        rig.until("an open microphone", |now| {
            now.call.microphone == Microphone::Open
        })
        .await;
        rig
    }

    async fn stop(self) -> Vec<String> {
        timeout(LIMIT, self.client.stop()).await.expect("stops");
        self.script.log()
    }
}

#[tokio::test]
async fn signs_in_and_remembers_the_session() {
    let rig = Rig::signed_in().await;
    let kept = rig.notebook.0.lock().unwrap().clone();
    let session = SavedSession {
        server: SERVER.to_owned(),
        login: "alice".to_owned(),
        token: Secret::new("t"),
    };
    assert!(kept.contains(&Remember::Session(Some(session))));
    rig.client.session_kept(true);
    rig.until("remembered", |now| {
        matches!(
            now.account,
            Account::SignedIn {
                remembered: true,
                ..
            }
        )
    })
    .await;
    let log = rig.stop().await;
    let expected = [
        format!("account {SERVER} true"),
        "line opened".to_owned(),
        "line closed".to_owned(),
    ];
    assert_eq!(log, expected);
}

#[tokio::test]
async fn intents_go_to_the_call_and_stopping_leaves_it_first() {
    let rig = Rig::in_call().await;
    rig.client.dispatch(Command::SetMuted { muted: true });
    rig.until("muted", |now| now.call.microphone == Microphone::Muted)
        .await;
    let log = rig.stop().await;
    let at = |what: &str| log.iter().position(|line| line == what);
    assert!(at("join dm") < at("Mute(false)"), "{log:?}");
    assert!(at("Mute(false)") < at("Mute(true)"), "{log:?}");
    assert!(at("Mute(true)") < at("left"), "{log:?}");
    assert!(
        at("left").is_some() && at("line closed").is_some(),
        "{log:?}"
    );
}

#[tokio::test]
async fn leaving_is_done_at_once_and_finished_in_the_background() {
    let rig = Rig::in_call().await;
    rig.client.dispatch(Command::LeaveCall);
    rig.until("idle", |now| now.call.phase == CallPhase::Idle)
        .await;
    assert!(!rig.script.log().contains(&"left".to_owned()));
    assert!(rig.stop().await.contains(&"left".to_owned()));
}

#[tokio::test]
async fn the_engines_figures_are_added_to_the_networks() {
    let rig = Rig::in_call().await;
    rig.script.call(CallEvent::Quality(Quality {
        rtt_ms: 12.0,
        jitter_target_ms: -1.0,
        concealed_ratio: -1.0,
        ..Quality::default()
    }));
    let now = rig.until("figures", |now| now.call.quality.is_some()).await;
    let quality = now.call.quality.unwrap();
    assert!((quality.rtt_ms - 12.0).abs() < f32::EPSILON);
    assert!(quality.jitter_target_ms >= 0.0);
    assert!(quality.concealed_ratio >= 0.0);
    rig.stop().await;
}

#[tokio::test]
async fn patches_lead_from_any_snapshot_to_the_present() {
    let rig = Rig::signed_in().await;
    let mut patches = rig.client.patches();
    let revision = rig.client.snapshot().revision;
    rig.client.dispatch(Command::SaveDraft {
        channel: "dm".into(),
        root: None,
        text: "half a th".to_owned(),
    });
    let update = timeout(LIMIT, patches.next()).await.unwrap().unwrap();
    let Update::Patch(patch) = update else {
        panic!("{update:?}")
    };
    assert!(patch.revision > revision);
    rig.stop().await;
    let ended = async { while patches.next().await.is_some() {} };
    timeout(LIMIT, ended)
        .await
        .expect("patches end with the client");
}

#[tokio::test]
async fn who_reads_patches_too_slowly_gets_the_whole() {
    let rig = Rig::signed_in().await;
    let mut patches = rig.client.patches();
    for n in 0..2 * OUTBOX {
        // Each is awaited, so that none is lost for want of room in the inbox.
        rig.client.dispatch(Command::SaveDraft {
            channel: "dm".into(),
            root: None,
            text: n.to_string(),
        });
        rig.until("the draft", |now| {
            now.directory.channels[0].draft == n.to_string()
        })
        .await;
    }
    let first = timeout(LIMIT, patches.next()).await.unwrap();
    let Some(Update::Whole(whole)) = first else {
        panic!("{first:?}")
    };
    assert_eq!(whole.revision, rig.client.snapshot().revision);
    rig.stop().await;
}

#[tokio::test]
async fn after_inputs_were_lost_everything_is_loaded_again() {
    let (inbox, mut inputs) = Inbox::new();
    for _ in 0..=INBOX {
        inbox.send(Input::Tick);
    }
    assert!(
        inbox.overflowed.load(Ordering::Relaxed),
        "and it was noticed"
    );
    inputs.close();
    inbox.send(Input::Tick);
}

#[tokio::test]
async fn dropping_the_last_handle_stops_the_client() {
    let rig = Rig::signed_in().await;
    let mut events = rig.client.events();
    drop(rig.client);
    let ended = async {
        while !matches!(
            events.recv().await,
            Err(broadcast::error::RecvError::Closed)
        ) {}
    };
    timeout(LIMIT, ended).await.expect("the conductor ends");
}

#[tokio::test]
async fn a_handle_to_a_client_that_has_stopped_is_harmless() {
    let rig = Rig::signed_in().await;
    let other = rig.client.clone();
    rig.stop().await;
    other.dispatch(Command::Reconnect);
    assert_eq!(other.levels().sessions.len(), 0);
    assert!(other.patches().next().await.is_none());
    assert!(other.events().recv().await.is_err());
    assert_eq!(
        other.picture(&"alice".into(), 1).await,
        Some(Bytes::from_static(b"png"))
    );
    other.stop().await;
}
