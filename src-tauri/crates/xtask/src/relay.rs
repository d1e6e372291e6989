//! A UDP relay that makes the network worse on purpose: loss and delay from a seed, so that every client that is
//! measured sees the same. (The kernel's own means, netem, is often not there; this needs no rights at all.)
//!
//! It prints `{"port":N}` when it is ready, and then obeys lines of JSON on its standard input, each answered by
//! one line:
//!
//! - `{"to":"127.0.0.1:8443"}`: where everything goes that comes from clients.
//! - `{"seed":7,"loss":0.1,"burst":1,"delay_ms":20,"jitter_ms":30}`: from now on, RTP *towards* the server is treated
//!   so. What is left out is 0. STUN, DTLS and RTCP pass: what is measured is sound, not the handshake.
//! - `{"count":true}`: what has passed since the last such line, in packets and bytes of IP.

mod weather;

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::error::TaskError;
use weather::{Fate, Forecast, Weather};

/// Clients served at once; each has a socket and a thread. More are ignored.
const CLIENTS: usize = 64;
/// A client that is silent for so long is gone, and makes room. Those that live check their path every few seconds
/// (RFC 7675).
const SILENT: Duration = Duration::from_secs(20);
/// Packets that may wait for their time, far more than a second of any call. When full, the newest is dropped.
const WAITING: usize = 16_384;
/// Bytes of IPv4 and UDP headers before the payload.
const HEADERS: u64 = 28;
/// Longest datagram.
const LONGEST: usize = 65_536;

#[derive(Debug, Default)]
struct Counts {
    up_packets: AtomicU64,
    up_bytes: AtomicU64,
    down_packets: AtomicU64,
    down_bytes: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct Shared {
    front: UdpSocket,
    server: Mutex<Option<SocketAddr>>,
    weather: Mutex<Weather>,
    counts: Counts,
}

/// One client's way to the server.
struct Link {
    socket: Arc<UdpSocket>,
    used: Instant,
}

struct Late {
    at: Instant,
    packet: Vec<u8>,
    link: Arc<UdpSocket>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Relays until its standard input ends.
///
/// # Errors
/// When a socket cannot be opened, or nobody reads what it prints.
pub(crate) fn run() -> Result<(), TaskError> {
    let io = TaskError::file("the relay's socket");
    let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(io)?;
    let port = front
        .local_addr()
        .map_err(TaskError::file("the relay's socket"))?
        .port();
    let shared = Arc::new(Shared {
        front,
        server: Mutex::default(),
        weather: Mutex::new(Weather::new(Forecast::default())),
        counts: Counts::default(),
    });
    let (late, queue) = sync_channel(WAITING);
    spawn("relay-up", {
        let shared = Arc::clone(&shared);
        move || from_clients(&shared, &late)
    })?;
    spawn("relay-late", move || deliver(&queue))?;
    say(&json!({ "port": port }))?;
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let Ok(order) = serde_json::from_str::<Value>(&line) else {
            say(&json!({"error": "no JSON"}))?;
            continue;
        };
        say(&obey(&shared, &order))?;
    }
    Ok(())
}

fn obey(shared: &Shared, order: &Value) -> Value {
    if let Some(to) = order["to"].as_str() {
        return match to.parse() {
            Ok(server) => {
                *lock(&shared.server) = Some(server);
                json!({"to": to})
            }
            Err(_) => json!({"error": "no address"}),
        };
    }
    if order["count"].as_bool() == Some(true) {
        let take = |count: &AtomicU64| count.swap(0, Ordering::Relaxed);
        let counts = &shared.counts;
        return json!({
            "up_packets": take(&counts.up_packets), "up_bytes": take(&counts.up_bytes),
            "down_packets": take(&counts.down_packets), "down_bytes": take(&counts.down_bytes),
            "dropped": take(&counts.dropped),
        });
    }
    let forecast = Forecast::read(order);
    *lock(&shared.weather) = Weather::new(forecast);
    json!({"weather": format!("{forecast:?}")})
}

fn say(value: &Value) -> Result<(), TaskError> {
    let mut out = std::io::stdout();
    writeln!(out, "{value}")
        .and_then(|()| out.flush())
        .map_err(TaskError::file("standard output"))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), TaskError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
        .map_err(TaskError::file("a thread"))
}

/// Only RTP is treated (RFC 7983 §7: 128 to 191 is RTP or RTCP; RFC 5761 §4: RTCP has a second byte of 192 to 223).
fn is_rtp(packet: &[u8]) -> bool {
    matches!(packet, [128..=191, kind, ..] if !(192..=223).contains(kind))
}

fn from_clients(shared: &Arc<Shared>, late: &SyncSender<Late>) {
    let mut links: HashMap<SocketAddr, Link> = HashMap::new();
    let mut buffer = vec![0; LONGEST];
    loop {
        // An error here is the echo of a client that is gone (ICMP).
        let Ok((length, client)) = shared.front.recv_from(&mut buffer) else {
            continue;
        };
        let Some(packet) = buffer.get(..length) else {
            continue;
        };
        let now = Instant::now();
        let link = match links.get_mut(&client) {
            Some(link) => {
                link.used = now;
                Arc::clone(&link.socket)
            }
            None => {
                links.retain(|_, link| now.duration_since(link.used) < SILENT);
                let Some(socket) = open(shared, client, links.len()) else {
                    continue;
                };
                let link = Link {
                    socket: Arc::clone(&socket),
                    used: now,
                };
                links.insert(client, link);
                socket
            }
        };
        let counts = &shared.counts;
        counts.up_packets.fetch_add(1, Ordering::Relaxed);
        counts
            .up_bytes
            .fetch_add(length as u64 + HEADERS, Ordering::Relaxed);
        let fate = if is_rtp(packet) {
            lock(&shared.weather).next(now)
        } else {
            Fate::Now
        };
        match fate {
            Fate::Now => {
                // The server may be gone; clients notice by themselves.
                let _ = link.send(packet);
            }
            Fate::Lost => {
                counts.dropped.fetch_add(1, Ordering::Relaxed);
            }
            Fate::At(at) => {
                let packet = packet.to_vec();
                if late.try_send(Late { at, packet, link }).is_err() {
                    counts.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

/// A socket of its own towards the server for each client, so that the server can tell them apart.
fn open(shared: &Arc<Shared>, client: SocketAddr, open: usize) -> Option<Arc<UdpSocket>> {
    let server = (*lock(&shared.server))?;
    if open >= CLIENTS {
        return None;
    }
    let link = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    link.connect(server).ok()?;
    // So that the thread sees when its client is given up.
    link.set_read_timeout(Some(SILENT)).ok()?;
    let link = Arc::new(link);
    let (shared, back) = (Arc::clone(shared), Arc::clone(&link));
    spawn("relay-down", move || to_client(&shared, &back, client)).ok()?;
    Some(link)
}

fn to_client(shared: &Shared, link: &Arc<UdpSocket>, client: SocketAddr) {
    let mut buffer = vec![0; LONGEST];
    loop {
        let Ok(length) = link.recv(&mut buffer) else {
            // Nobody but this thread has it any more.
            if Arc::strong_count(link) == 1 {
                return;
            }
            continue;
        };
        if let Some(packet) = buffer.get(..length) {
            let _ = shared.front.send_to(packet, client);
            let counts = &shared.counts;
            counts.down_packets.fetch_add(1, Ordering::Relaxed);
            counts
                .down_bytes
                .fetch_add(length as u64 + HEADERS, Ordering::Relaxed);
        }
    }
}

/// Sends what waits when its time has come. The order is kept, so the first in the queue is always the next.
fn deliver(queue: &Receiver<Late>) {
    while let Ok(late) = queue.recv() {
        std::thread::sleep(late.at.saturating_duration_since(Instant::now()));
        // The server may be gone; clients notice by themselves.
        let _ = late.link.send(&late.packet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sound_is_treated() {
        assert!(is_rtp(&[0x90, 0xef, 0, 0]), "Opus with the marker");
        assert!(is_rtp(&[0x80, 0x6f]));
        assert!(!is_rtp(&[0x80, 200]), "a sender report");
        assert!(!is_rtp(&[0x81, 206]), "feedback");
        assert!(!is_rtp(&[0, 1]), "STUN");
        assert!(!is_rtp(&[22, 254]), "DTLS");
        assert!(!is_rtp(&[]));
    }
}
