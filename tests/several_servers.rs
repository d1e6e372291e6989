//! One person, two servers: rung by the one that is not shown, one call at a time over both, and neither hinders nor
//! hears of the other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use calls_client::{AlertWish, ClientConfig, Clients, House, Remember, SavedSession};
use calls_core::alert::NoteKey;
use calls_core::command::Command;
use calls_core::id::{ChannelId, ServerNumber};
use calls_core::port::{Request, RequestError};
use calls_core::snapshot::{Account, CallPhase, ServerStanding, Snapshot};
use calls_media::FakeHost;
use calls_net::Rest;
use tokio::time::timeout;

mod support;

use support::{LIMIT, PASSWORD, World, tone};

const A: ServerNumber = ServerNumber(0);
const B: ServerNumber = ServerNumber(1);
const C: ServerNumber = ServerNumber(2);

/// Writes down what the clients want kept and told.
#[derive(Default)]
struct Notebook {
    sessions: Mutex<Vec<(ServerNumber, SavedSession)>>,
    erased: Mutex<Vec<ServerNumber>>,
    alerts: Mutex<Vec<(ServerNumber, AlertWish)>>,
    forgotten: Mutex<Vec<ServerNumber>>,
}

impl Notebook {
    /// How often a server's call rang, and which server its notification named.
    fn calls(&self, server: ServerNumber) -> (usize, Vec<Option<ServerNumber>>) {
        let alerts = self.alerts.lock().unwrap();
        let of = alerts.iter().filter(|(number, _)| *number == server);
        let rings = of
            .clone()
            .filter(|(_, wish)| matches!(wish, AlertWish::Ring(_)));
        let notes = of.filter_map(|(_, wish)| match wish {
            AlertWish::Show(note) if matches!(note.key, NoteKey::Call(_)) => {
                Some(note.server.as_ref().map(|tag| tag.number))
            }
            _ => None,
        });
        (rings.count(), notes.collect())
    }
}

impl House for Notebook {
    fn remember(&self, server: ServerNumber, what: Remember) {
        match what {
            Remember::Session(Some(session)) => {
                self.sessions.lock().unwrap().push((server, session));
            }
            Remember::Session(None) => self.erased.lock().unwrap().push(server),
            _ => {}
        }
    }

    fn alert(&self, server: ServerNumber, wish: AlertWish) {
        self.alerts.lock().unwrap().push((server, wish));
    }

    fn forget(&self, server: ServerNumber) {
        self.forgotten.lock().unwrap().push(server);
    }
}

/// Somebody with an account at each.
struct Worker {
    clients: Clients,
    notes: Arc<Notebook>,
}

impl Worker {
    fn start(configs: Vec<ClientConfig>) -> Self {
        let notes = Arc::new(Notebook::default());
        let host = Arc::new(FakeHost::with_signal(tone(440.0)));
        let clients = Clients::start(configs, A, host, notes.clone());
        Self { clients, notes }
    }

    fn does(&self, command: Command) {
        self.clients.dispatch(command);
    }

    fn at(&self, server: ServerNumber, command: Command) {
        self.does(Command::At {
            server,
            command: Box::new(command),
        });
    }

    async fn until(&self, what: &str, so: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
        let mut watch = self.clients.watch();
        match timeout(LIMIT, watch.wait_for(|now| so(now))).await {
            Ok(Ok(now)) => now.clone(),
            Ok(Err(_)) => panic!("the clients stopped while waiting for {what}"),
            Err(_) => {
                let now = self.clients.snapshot();
                panic!(
                    "waited in vain for {what}; servers {:?}, account {:?}, call {:?}, incoming {:?}, notices {:?}",
                    now.servers, now.account, now.call, now.incoming, now.notices
                )
            }
        }
    }

    async fn signs_in(&self, server: ServerNumber, login: &str) {
        self.until("the sign-in form", |now| {
            now.servers
                .iter()
                .any(|row| row.number == server && row.standing == ServerStanding::SignedOut)
        })
        .await;
        self.at(
            server,
            Command::SignIn {
                login: login.to_owned(),
                password: PASSWORD.to_owned(),
                code: None,
            },
        );
        self.until("a connected server", |now| up(now, server))
            .await;
    }
}

/// What the server says to somebody who has this session's token.
async fn presented(session: &SavedSession) -> Result<(), RequestError> {
    let request = Request::CheckToken {
        server: session.server.clone(),
        token: session.token.clone(),
    };
    Rest::new("Halloo-Test/1").perform(request).await.map(drop)
}

fn up(now: &Snapshot, server: ServerNumber) -> bool {
    now.servers
        .iter()
        .any(|row| row.number == server && row.standing == ServerStanding::Up)
}

fn me(now: &Snapshot) -> Option<&str> {
    match &now.account {
        Account::SignedIn { me, .. } => Some(&me.username),
        _ => None,
    }
}

fn config(world: &World) -> ClientConfig {
    ClientConfig {
        user_agent: "Halloo-Test/1".to_owned(),
        server: Some(world.server.url().to_owned()),
        ..ClientConfig::default()
    }
}

/// With what the key store has.
fn resumed(session: &SavedSession) -> ClientConfig {
    ClientConfig {
        user_agent: "Halloo-Test/1".to_owned(),
        server: Some(session.server.clone()),
        session: Some(session.clone()),
        ..ClientConfig::default()
    }
}

fn answer(channel: &ChannelId, switch: bool) -> Command {
    Command::AnswerCall {
        channel: channel.clone(),
        muted: false,
        switch,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_ring_one_person_who_has_one_call() {
    let (a, b) = (World::new().await, World::new().await);
    let mut bob_at_a = a.person("bob", tone(660.0)).await;
    let mut alice_at_b = b.person("alice", tone(880.0)).await;
    let worker = Worker::start(vec![config(&a), config(&b)]);
    worker.signs_in(A, "alice").await;
    worker.signs_in(B, "bob").await;
    worker
        .until("Alice's page", |now| {
            me(now) == Some("alice") && now.directory.calls_available
        })
        .await;

    // The one that is not shown rings, and says whose call it is.
    let there = alice_at_b.channel("Bob Brandt").id;
    alice_at_b.join_id(&there).await;
    let now = worker
        .until("a call at B", |now| !now.incoming.calls.is_empty())
        .await;
    let call = &now.incoming.calls[0];
    assert_eq!(call.server.as_ref().unwrap().number, B);
    assert_eq!(call.name, "Alice Ahlberg");
    assert_eq!(me(&now), Some("alice"), "A is shown still");
    assert_eq!(worker.notes.calls(B), (1, vec![Some(B)]));
    assert_eq!(worker.notes.calls(A), (0, vec![]));

    // Answering shows it, and takes the microphone there.
    worker.at(B, answer(&call.channel, false));
    let now = worker
        .until("the call at B", |now| now.call.phase == CallPhase::Live)
        .await;
    assert_eq!(me(&now), Some("bob"));
    assert_eq!(now.call.server, None);
    alice_at_b.hears(&now.call.session.clone().unwrap()).await;
    worker
        .until("the end of the ring", |now| now.incoming.calls.is_empty())
        .await;

    // Rung by A now: shown and told, but not through the call.
    let here = bob_at_a.channel("Alice Ahlberg").id;
    bob_at_a.join_id(&here).await;
    let now = worker
        .until("a call at A", |now| !now.incoming.calls.is_empty())
        .await;
    let call = &now.incoming.calls[0];
    assert_eq!(call.server.as_ref().unwrap().number, A);
    assert!(call.in_call && !call.ringing);
    assert_eq!(worker.notes.calls(A), (0, vec![Some(A)]));

    // Answering asks once, at the server that it is about, while the other call goes on.
    worker.at(A, answer(&call.channel, false));
    let now = worker
        .until("the question", |now| {
            me(now) == Some("alice") && now.call.switch_to.is_some()
        })
        .await;
    assert_eq!(now.call.phase, CallPhase::Live);
    assert_eq!(now.call.server.as_ref().unwrap().number, B);
    worker.does(Command::JoinCall {
        channel: now.call.switch_to.clone().unwrap(),
        title: None,
        switch: true,
    });
    let now = worker
        .until("the call at A", |now| {
            now.call.phase == CallPhase::Live && now.call.server.is_none()
        })
        .await;
    let calls: Vec<bool> = now.servers.iter().map(|row| row.in_call).collect();
    assert_eq!(calls, [true, false]);
    bob_at_a.hears(&now.call.session.clone().unwrap()).await;
    alice_at_b
        .until("an empty call", |now| now.call.participants.len() == 1)
        .await;

    // Nothing of one is seen at the other.
    let said = "only for A";
    worker.does(Command::SendPost {
        channel: here.clone(),
        root: None,
        text: said.to_owned(),
    });
    bob_at_a.does(Command::OpenChannel { channel: here });
    bob_at_a
        .until("the message", |now| {
            now.timeline.posts.iter().any(|post| post.message == said)
        })
        .await;
    alice_at_b.does(Command::OpenChannel { channel: there });
    let now = alice_at_b
        .until("the same channel there", |now| {
            !now.timeline.posts.is_empty() && !now.timeline.loading
        })
        .await;
    assert!(now.timeline.posts.iter().all(|post| post.message != said));

    // One that goes down does not hinder the other, and is removed without it.
    alice_at_b.stop().await;
    b.stop().await;
    worker
        .until("a lost server", |now| {
            now.servers[1].standing == ServerStanding::Lost
        })
        .await;
    bob_at_a
        .until("two in the call", |now| now.call.participants.len() == 2)
        .await;
    worker.does(Command::RemoveServer { server: B });
    let now = worker
        .until("one server", |now| now.servers.is_empty())
        .await;
    assert_eq!(now.call.phase, CallPhase::Live);
    assert_eq!(me(&now), Some("alice"));
    timeout(LIMIT, worker.clients.stop()).await.unwrap();
    bob_at_a
        .until("an empty call", |now| now.call.participants.len() == 1)
        .await;
    bob_at_a.stop().await;
    a.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_added_removed_and_there_again_after_a_restart() {
    let (a, b) = (World::new().await, World::new().await);
    let worker = Worker::start(vec![config(&a)]);
    worker
        .until("the sign-in form", |now| {
            matches!(now.account, Account::SignedOut { .. })
        })
        .await;
    worker.does(Command::SignIn {
        login: "alice".to_owned(),
        password: PASSWORD.to_owned(),
        code: None,
    });
    let now = worker
        .until("Alice's page", |now| me(now) == Some("alice"))
        .await;
    assert_eq!(now.servers, [], "one server is in no list");
    let before = now.revision;

    worker.does(Command::AddServer);
    let now = worker
        .until("an address to type", |now| {
            now.servers.len() == 2 && now.account == Account::NoServer
        })
        .await;
    assert!(now.revision > before, "pages take this for newer");
    worker.does(Command::FindServer {
        address: b.server.url().to_owned(),
    });
    worker.signs_in(B, "bob").await;
    assert!(up(&worker.clients.snapshot(), A));

    // Adding what is there already shows it.
    worker.does(Command::AddServer);
    worker
        .until("an address to type", |now| now.servers.len() == 3)
        .await;
    worker.does(Command::FindServer {
        address: a.server.url().to_owned(),
    });
    worker
        .until("Alice's page again", |now| {
            now.servers.len() == 2 && me(now) == Some("alice")
        })
        .await;
    timeout(LIMIT, worker.clients.stop()).await.unwrap();

    // With what the key store had, both are connected without being asked.
    let sessions = worker.notes.sessions.lock().unwrap().clone();
    let kept: Vec<(u32, &str)> = (sessions.iter())
        .map(|(number, session)| (number.0, session.login.as_str()))
        .collect();
    assert_eq!(kept, [(0, "alice"), (1, "bob")]);
    let of: Vec<SavedSession> = sessions.into_iter().map(|(_, session)| session).collect();
    let worker = Worker::start(of.iter().map(resumed).collect());
    worker
        .until("both servers", |now| up(now, A) && up(now, B))
        .await;

    // Removing the one that is shown signs out there, and only there: its token is good for nothing any more.
    assert_eq!(presented(&of[0]).await, Ok(()));
    worker.does(Command::RemoveServer { server: A });
    worker
        .until("Bob's page", |now| {
            now.servers.is_empty() && me(now) == Some("bob")
        })
        .await;
    worker
        .until("B, still connected", |now| {
            now.link == calls_core::snapshot::Link::Up && !now.directory.channels.is_empty()
        })
        .await;
    // The last one is signed out of, and the program ends at once.
    worker.does(Command::SignOut);
    worker
        .until("the sign-in form", |now| {
            matches!(now.account, Account::SignedOut { .. })
        })
        .await;
    timeout(LIMIT, worker.clients.stop()).await.unwrap();
    assert_eq!(*worker.notes.forgotten.lock().unwrap(), [A]);
    let mut erased = worker.notes.erased.lock().unwrap().clone();
    erased.sort();
    assert_eq!(erased, [A, B]);
    for session in &of {
        assert_eq!(presented(session).await, Err(RequestError::Unauthorised));
    }
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_out_of_reach_is_removed_anyway_and_its_token_erased() {
    let (a, b, c) = (World::new().await, World::new().await, World::new().await);
    let worker = Worker::start(vec![config(&a), config(&b), config(&c)]);
    for (server, login) in [(A, "alice"), (B, "bob"), (C, "carol")] {
        worker.signs_in(server, login).await;
    }
    let sessions = worker.notes.sessions.lock().unwrap().clone();
    // One goes down while it is connected.
    b.stop().await;
    worker
        .until("a lost server", |now| {
            now.servers[1].standing == ServerStanding::Lost
        })
        .await;
    worker.does(Command::RemoveServer { server: B });
    worker
        .until("two servers", |now| now.servers.len() == 2)
        .await;
    timeout(LIMIT, worker.clients.stop()).await.unwrap();
    assert_eq!(*worker.notes.forgotten.lock().unwrap(), [B]);
    assert_eq!(*worker.notes.erased.lock().unwrap(), [B]);

    // The other is down when the program starts.
    c.stop().await;
    let of = |server| {
        let mut all = sessions.iter();
        let (_, session) = all.find(|(number, _)| *number == server).unwrap();
        resumed(session)
    };
    let worker = Worker::start(vec![of(A), of(C)]);
    let c = B; // Numbered from the start.
    worker
        .until("one of two", |now| up(now, A) && !up(now, c))
        .await;
    worker.does(Command::RemoveServer { server: c });
    worker
        .until("one server", |now| now.servers.is_empty())
        .await;
    timeout(LIMIT, worker.clients.stop()).await.unwrap();
    assert_eq!(*worker.notes.forgotten.lock().unwrap(), [c]);
    assert_eq!(*worker.notes.erased.lock().unwrap(), [c]);
    a.stop().await;
}
