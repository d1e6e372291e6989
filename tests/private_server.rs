//! A server whose certificate nobody vouches for: it is shown, and it is spoken to only when the person trusts exactly that
//! certificate, over HTTPS and over the WebSocket; another one in its place is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command as Program, Stdio};
use std::sync::{Arc, Mutex, Once};

use calls_client::{NullShell, SavedSession};
use calls_core::command::Command;
use calls_core::notice::Notice;
use calls_core::snapshot::{Account, Link, Snapshot};
use calls_media::FakeHost;
use calls_media::device::signal::Signal;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

mod support;

use support::{PASSWORD, Person, World};

/// TLS in front of the development server.
struct Front {
    address: SocketAddr,
    acceptor: Arc<Mutex<TlsAcceptor>>,
    cut: watch::Sender<()>,
    task: JoinHandle<()>,
}

/// A certificate that has signed itself, and its fingerprint by OpenSSL.
fn identity() -> (TlsAcceptor, String) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let made = rcgen::generate_simple_self_signed(vec!["chat.halloo.test".to_owned()]).unwrap();
    let mut openssl = Program::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut asking = openssl.stdin.take().unwrap();
    asking.write_all(made.cert.pem().as_bytes()).unwrap();
    drop(asking);
    let said = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    let fingerprint = said.trim().split_once('=').unwrap().1.to_owned();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), fingerprint)
}

impl Front {
    async fn before(world: &World, acceptor: TlsAcceptor) -> Self {
        let behind = world
            .server
            .url()
            .strip_prefix("http://")
            .unwrap()
            .to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Arc::new(Mutex::new(acceptor));
        let (cut, cuts) = watch::channel(());
        let now = Arc::clone(&acceptor);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (behind, mut cuts) = (behind.clone(), cuts.clone());
                cuts.mark_unchanged();
                let accepting = now.lock().unwrap().accept(stream);
                tokio::spawn(async move {
                    let carrying = async {
                        let mut outside = accepting.await?;
                        let mut inside = TcpStream::connect(behind).await?;
                        copy_bidirectional(&mut outside, &mut inside).await
                    };
                    tokio::select! {
                        _ = carrying => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Self {
            address,
            acceptor,
            cut,
            task,
        }
    }

    fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// From now on another certificate; whoever is connected is cut off.
    fn change(&self, acceptor: TlsAcceptor) {
        *self.acceptor.lock().unwrap() = acceptor;
        self.cut.send_replace(());
    }
}

fn notice<'a>(now: &'a Snapshot, code: &str) -> Option<&'a Notice> {
    now.notices.iter().find(|notice| notice.code == code)
}

fn trust(notice: &Notice) -> Command {
    Command::TrustServer {
        host: notice.values["host"].clone(),
        fingerprint: notice.values["fingerprint"].clone(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_nobodys_is_shown_trusted_alone_and_missed_when_it_changes() {
    let world = World::new().await;
    let (first, fingerprint) = identity();
    let front = Front::before(&world, first.clone()).await;
    let host = FakeHost::with_signal(Signal::Silence);
    let mut alice = Person::start(Some(&front.url()), None, host.clone(), Arc::new(NullShell));

    let asked = |now: &Snapshot| notice(now, "server.untrusted").is_some();
    let now = alice.until("the question", asked).await;
    let shown = notice(&now, "server.untrusted").unwrap();
    assert_eq!(shown.values["fingerprint"], fingerprint);
    assert_eq!(shown.values["host"], front.address.to_string());
    assert!(
        shown.values["issuer"].contains("rcgen"),
        "{:?}",
        shown.values
    );
    assert!(
        shown.values["subject"].contains("rcgen"),
        "{:?}",
        shown.values
    );
    assert!(shown.values.contains_key("from") && shown.values.contains_key("until"));

    // What nobody was shown cannot be trusted.
    alice.does(Command::TrustServer {
        host: front.address.to_string(),
        fingerprint: format!("{}00", &fingerprint[..93]),
    });
    alice.does(trust(shown));
    let form = |now: &Snapshot| matches!(now.account, Account::SignedOut { .. });
    alice.until("the sign-in form", form).await;
    assert!(notice(&alice.now(), "server.untrusted").is_none());
    alice.sign_in("alice", PASSWORD).await;
    alice
        .until("the WebSocket", |now| now.link == Link::Up)
        .await;

    // Another certificate: refused, and told as what it is.
    let (second, other) = identity();
    assert_ne!(fingerprint, other);
    front.change(second);
    let changed = |now: &Snapshot| notice(now, "server.changed").is_some();
    let now = alice.until("the warning", changed).await;
    assert_ne!(now.link, Link::Up);
    assert_eq!(
        notice(&now, "server.changed").unwrap().values["fingerprint"],
        other
    );
    // The one that is trusted comes back: nothing is asked.
    front.change(first);
    alice.does(Command::Reconnect);
    let now = alice
        .until("the WebSocket", |now| now.link == Link::Up)
        .await;
    assert!(notice(&now, "server.changed").is_none());
    alice.stop().await;

    // A client that was told nothing trusts nothing, whatever token it has.
    let session = SavedSession {
        server: front.url(),
        login: "alice".to_owned(),
        token: calls_core::port::Secret::new("any"),
    };
    let mut other = Person::start(None, Some(session), host, Arc::new(NullShell));
    other.until("the question", asked).await;
    assert!(!matches!(other.now().account, Account::SignedIn { .. }));
    other.stop().await;
    front.task.abort();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_host_have_a_certificate_each() {
    let (here, there) = (World::new().await, World::new().await);
    let ((first, _), (second, _)) = (identity(), identity());
    let fronts = [
        Front::before(&here, first.clone()).await,
        Front::before(&there, second).await,
        Front::before(&here, first).await,
    ];
    let host = FakeHost::with_signal(Signal::Silence);
    let mut alice = Person::start(Some(&fronts[0].url()), None, host, Arc::new(NullShell));
    let asked = |now: &Snapshot| notice(now, "server.untrusted").is_some();
    let form = |now: &Snapshot| matches!(now.account, Account::SignedOut { .. });
    let now = alice.until("the question", asked).await;
    alice.does(trust(notice(&now, "server.untrusted").unwrap()));
    alice.until("the sign-in form", form).await;

    // The other one is asked about for itself, as new and not as changed.
    elsewhere(&mut alice, &fronts[1]).await;
    let now = alice.until("the question about the other", asked).await;
    let shown = notice(&now, "server.untrusted").unwrap();
    assert_eq!(shown.values["host"], fronts[1].address.to_string());
    alice.does(trust(shown));
    alice.until("its sign-in form", form).await;

    // It has changed nothing for the first.
    elsewhere(&mut alice, &fronts[0]).await;
    let now = alice.until("the first one's form", form).await;
    assert_eq!(now.notices, [], "nothing was asked again");

    // Not even the same certificate is good at a port that it was not seen at.
    elsewhere(&mut alice, &fronts[2]).await;
    alice.until("the question about the third", asked).await;
    alice.stop().await;
    for front in fronts {
        front.task.abort();
    }
    here.stop().await;
    there.stop().await;
}

/// Gives up the server, and looks for another.
async fn elsewhere(person: &mut Person, front: &Front) {
    person.does(Command::ChangeServer);
    person
        .until("no server", |now| now.account == Account::NoServer)
        .await;
    person.does(Command::FindServer {
        address: front.url(),
    });
}
