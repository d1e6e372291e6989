//! The SFU on real sockets of the loopback interface.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;

use super::engine::Identity;
use super::tcp::{Unframer, framed};
use super::{Sfu, SfuConfig, SfuEvent};

const SESSION: &str = "connalicexxxxxxxxxxxxxxxxx";
const PATIENCE: Duration = Duration::from_secs(60);

async fn started() -> (Sfu, mpsc::Receiver<SfuEvent>) {
    let (sender, events) = mpsc::channel(64);
    let config = SfuConfig {
        bind: "127.0.0.1:0".parse().unwrap(),
        announce: None,
        simulcast: false,
    };
    (Sfu::start(config, sender).await.unwrap(), events)
}

/// A way to the server.
enum Path {
    Udp(UdpSocket),
    Tcp(TcpStream, Unframer),
}

impl Path {
    async fn send(&mut self, packet: &[u8], to: SocketAddr) {
        match self {
            Self::Udp(socket) => {
                socket.send_to(packet, to).await.unwrap();
            }
            Self::Tcp(stream, _) => stream.write_all(&framed(packet).unwrap()).await.unwrap(),
        }
    }

    async fn packets(&mut self) -> Vec<Vec<u8>> {
        let mut buffer = vec![0; 4096];
        match self {
            Self::Udp(socket) => {
                let len = socket.recv(&mut buffer).await.unwrap();
                vec![buffer[..len].to_vec()]
            }
            Self::Tcp(stream, unframer) => {
                let len = stream.read(&mut buffer).await.unwrap();
                unframer.push(&buffer[..len]);
                let mut packets = Vec::new();
                while let Some(packet) = unframer.poll_packet().unwrap() {
                    packets.push(packet.to_vec());
                }
                packets
            }
        }
    }
}

/// Connects and opens the data channel over `proto`.
async fn connect(sfu: &Sfu, events: &mut mpsc::Receiver<SfuEvent>, proto: Protocol) {
    let server = sfu.local_addr();
    let (mut path, local) = if proto == Protocol::Udp {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let local = socket.local_addr().unwrap();
        (Path::Udp(socket), local)
    } else {
        let stream = TcpStream::connect(server).await.unwrap();
        let local = stream.local_addr().unwrap();
        (Path::Tcp(stream, Unframer::default()), local)
    };
    let identity = Identity::new().unwrap();
    let mut rtc = RtcConfig::new()
        .set_crypto_provider(identity.provider)
        .set_dtls_cert(identity.certificate)
        .build(Instant::now());
    let candidate = if proto == Protocol::Udp {
        Candidate::host(local, "udp").unwrap()
    } else {
        let tcp = Candidate::builder().tcp().host(local);
        tcp.tcptype(str0m::net::TcpType::Active).build().unwrap()
    };
    rtc.add_local_candidate(candidate);
    let mut api = rtc.sdp_api();
    api.add_channel("calls-dc".to_owned());
    let (offer, pending) = api.apply().unwrap();
    let mut pending = Some(pending);
    sfu.open(SESSION.to_owned(), "call".to_owned(), true);
    sfu.sdp(SESSION, serde_json::to_string(&offer).unwrap());

    let (mut open, mut connected) = (false, false);
    while !(open && connected) {
        let wake = loop {
            match rtc.poll_output().unwrap() {
                Output::Timeout(at) => break at,
                Output::Transmit(transmit) => {
                    path.send(&transmit.contents, transmit.destination).await;
                }
                Output::Event(Event::ChannelOpen(..)) => open = true,
                Output::Event(_) => {}
            }
        };
        tokio::select! {
            packets = path.packets() => {
                for packet in packets {
                    let receive = Receive::new(proto, server, local, &packet).unwrap();
                    rtc.handle_input(Input::Receive(Instant::now(), receive)).unwrap();
                }
            }
            event = events.recv() => match event.unwrap() {
                SfuEvent::Signal { json, .. } => signal(&mut rtc, &mut pending, &json, proto),
                SfuEvent::Connected { .. } => connected = true,
                other => panic!("{other:?}"),
            },
            () = tokio::time::sleep_until(wake.into()) => {
                rtc.handle_input(Input::Timeout(Instant::now())).unwrap();
            }
        }
    }
}

fn signal(rtc: &mut Rtc, pending: &mut Option<SdpPendingOffer>, json: &str, proto: Protocol) {
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    if let Some(text) = value["candidate"]["candidate"].as_str() {
        if text.contains(&format!(" {proto} ")) {
            rtc.add_remote_candidate(Candidate::from_sdp_string(text).unwrap());
        }
    } else {
        let answer = SdpAnswer::from_sdp_string(value["sdp"].as_str().unwrap()).unwrap();
        let pending = pending.take().unwrap();
        rtc.sdp_api().accept_answer(pending, answer).unwrap();
    }
}

#[tokio::test]
async fn a_client_connects_over_udp_and_over_tcp_on_the_same_port() {
    for proto in [Protocol::Udp, Protocol::Tcp] {
        let (sfu, mut events) = started().await;
        let connected = connect(&sfu, &mut events, proto);
        tokio::time::timeout(PATIENCE, connected).await.unwrap();
        let stats = sfu.stats().await;
        assert_eq!((stats.peers, stats.connected), (1, 1), "{proto}");
        sfu.close(SESSION);
        assert_eq!(sfu.stats().await.peers, 0);
        sfu.stop().await;
    }
}

#[tokio::test]
async fn stopping_frees_the_port_and_later_requests_are_harmless() {
    let (sfu, mut events) = started().await;
    let addr = sfu.local_addr();
    assert_ne!(addr.port(), 0);
    let idle = TcpStream::connect(addr).await.unwrap();
    sfu.open(SESSION.to_owned(), "call".to_owned(), false);
    assert_eq!(sfu.stats().await.peers, 1);
    let other = sfu.clone();
    sfu.stop().await;
    drop(idle);
    let _udp = UdpSocket::bind(addr).await.unwrap();
    let _tcp = TcpListener::bind(addr).await.unwrap();
    other.mute(SESSION, true);
    assert_eq!(other.stats().await, super::SfuStats::default());
    assert_eq!(events.recv().await, None);
}

#[tokio::test]
async fn a_stream_that_is_no_ice_is_closed() {
    let (sfu, _events) = started().await;
    let mut stream = TcpStream::connect(sfu.local_addr()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    assert!(read.is_ok() && rest.is_empty());
    sfu.stop().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error() {
    let taken = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (sender, _events) = mpsc::channel(1);
    let config = SfuConfig {
        bind: taken.local_addr().unwrap(),
        announce: None,
        simulcast: false,
    };
    assert!(Sfu::start(config, sender).await.is_err());
}
