//! coturn, a TURN server that we did not write, on free ports of this machine.
#![allow(dead_code, unreachable_pub)]

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What passwords are made from.
pub const SECRET: &str = "a secret of two servers";

/// Ports for relaying.
const RELAYS: u16 = 30;

/// How it may be spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    Udp,
    Tcp,
    Tls,
}

/// A running server; stopped when it is dropped.
pub struct Coturn {
    child: Child,
    port: u16,
    speaks: Speaks,
    relays: u16,
    folder: PathBuf,
}

impl Coturn {
    /// Starts it, and waits until it listens.
    pub async fn start(speaks: Speaks) -> Self {
        let (port, relays) = (free_port(), free_range());
        let folder =
            std::env::temp_dir().join(format!("halloo-turn-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        authority(&folder);
        let at = |name: &str| folder.join(name).display().to_string();
        let mut command = Command::new("turnserver");
        command
            .args(["-n", "--no-cli", "--no-dtls", "--allow-loopback-peers"])
            .args([
                "-L",
                "127.0.0.1",
                "-E",
                "127.0.0.1",
                "--realm",
                "halloo.test",
            ])
            .args(["--use-auth-secret", "--static-auth-secret", SECRET])
            .args(["--min-port", &relays.to_string()])
            .args(["--max-port", &(relays + RELAYS - 1).to_string()])
            .args(["--log-file", "stdout", "--simple-log"])
            .args(["--pidfile", &at("pid"), "--userdb", &at("users")])
            .args(["--cert", &at("leaf.pem"), "--pkey", &at("leaf.key")]);
        let port_name = if speaks == Speaks::Tls {
            "--tls-listening-port"
        } else {
            "--listening-port"
        };
        command.args([port_name, &port.to_string()]);
        match speaks {
            Speaks::Udp => command.arg("--no-tls"),
            Speaks::Tcp => command.args(["--no-udp", "--no-tls"]),
            Speaks::Tls => command.args(["--no-udp", "--no-tcp"]),
        };
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("coturn is installed (cargo xtask setup)");
        let server = Self {
            child,
            port,
            speaks,
            relays,
            folder,
        };
        // It listens for TCP in every case but does so last.
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(15),
                "coturn does not listen"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    /// Its address, as an administrator writes it.
    pub fn url(&self) -> String {
        let port = self.port;
        match self.speaks {
            Speaks::Udp => format!("turn:127.0.0.1:{port}"),
            Speaks::Tcp => format!("turn:127.0.0.1:{port}?transport=tcp"),
            Speaks::Tls => format!("turns:127.0.0.1:{port}"),
        }
    }

    /// Where it relays: the first and the last port.
    pub fn relays(&self) -> (u16, u16) {
        (self.relays, self.relays + RELAYS - 1)
    }

    /// The authority that vouches for it.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority.pem")
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A company's authority, and a certificate of it for this machine.
fn authority(folder: &Path) {
    let root_key = rcgen::KeyPair::generate().unwrap();
    let mut root = rcgen::CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_cert = root.self_signed(&root_key).unwrap();
    let issuer = rcgen::Issuer::new(root, root_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("authority.pem"), root_cert.pem()).unwrap();
    std::fs::write(folder.join("leaf.pem"), leaf.pem()).unwrap();
    std::fs::write(folder.join("leaf.key"), key.serialize_pem()).unwrap();
}

/// A port that is free for UDP and TCP at this moment.
pub fn free_port() -> u16 {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = udp.local_addr().unwrap().port();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn free_range() -> u16 {
    loop {
        let first = free_port();
        let all = (0..RELAYS).map(|n| first.checked_add(n));
        let free = |port: Option<u16>| {
            let address = SocketAddr::from(([127, 0, 0, 1], port?));
            UdpSocket::bind(address).ok()
        };
        if all.map(free).collect::<Option<Vec<_>>>().is_some() {
            return first;
        }
    }
}
