//! The task of the SFU: sockets and clock around [`Switch`].
//!
//! UDP is read in batches; what the batch caused is sent in one go afterwards. What the kernel does not
//! take at once is dropped, as on a full network. Each TCP connection has a small task that cuts the
//! stream into packets; both of its queues are bounded (packets in: 256 for all, out: 128 each, a full
//! queue drops).

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use str0m::net::{Protocol, Transmit};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::bind::bind_all;
use super::engine::Identity;
use super::switch::{Setup, Switch};
use super::tcp::{self, TcpInput};
use super::{DEAD_AFTER, Passage, Request, SfuConfig, SfuError, SfuEvent, SfuFault};

/// Datagrams read before anything else is looked at.
const BATCH: usize = 64;
/// Events kept when their receiver is slow; the oldest are dropped beyond.
const EVENTS: usize = 4096;
/// The sockets of one address.
struct Local {
    addr: SocketAddr,
    udp: UdpSocket,
}

/// What the task woke up for.
enum Work {
    Request(Option<Request>),
    Tcp(TcpInput),
    /// Something to read on this socket.
    Udp(usize),
    /// The receiver of events has room again (`true`) or is gone.
    Room(bool),
    Time,
}

/// The running SFU.
pub(crate) struct Runner {
    switch: Switch,
    locals: Vec<Local>,
    requests: mpsc::Receiver<Request>,
    events: mpsc::Sender<SfuEvent>,
    overflows: Arc<AtomicU64>,
    passage: Passage,
    tcp_input: mpsc::Receiver<TcpInput>,
    tcp_output: HashMap<SocketAddr, mpsc::Sender<Vec<u8>>>,
    listeners: JoinSet<()>,
    transmits: Vec<Transmit>,
    buffer: Box<[u8]>,
}

impl Runner {
    /// Opens the sockets. Gives the address to announce, too.
    pub(crate) fn open(
        config: &SfuConfig,
        requests: mpsc::Receiver<Request>,
        events: mpsc::Sender<SfuEvent>,
        overflows: Arc<AtomicU64>,
    ) -> Result<(Self, SocketAddr), SfuError> {
        let failed = |source| SfuError::Bind {
            addr: config.bind,
            source,
        };
        let (pairs, port) = bind_all(config.bind).map_err(failed)?;
        let identity = Identity::new().ok_or(SfuError::Certificate)?;
        let (tcp_sender, tcp_input) = mpsc::channel(256);
        let mut listeners = JoinSet::new();
        let mut locals = Vec::new();
        for (addr, udp, listener) in pairs {
            listeners.spawn(tcp::listen(listener, addr, tcp_sender.clone()));
            locals.push(Local { addr, udp });
        }
        let setup = Setup {
            local: locals.iter().map(|local| local.addr).collect(),
            announce: config.announce,
            simulcast: config.simulcast,
            dead_after: DEAD_AFTER,
        };
        let runner = Self {
            switch: Switch::new(setup, identity),
            locals,
            requests,
            events,
            overflows,
            passage: Passage::Free,
            tcp_input,
            tcp_output: HashMap::new(),
            listeners,
            transmits: Vec::new(),
            buffer: vec![0; 65_536].into(),
        };
        Ok((runner, SocketAddr::new(config.bind.ip(), port)))
    }

    /// Works until it is stopped or the last handle is dropped.
    pub(crate) async fn run(mut self) {
        let mut stopped = None;
        loop {
            let wake = self.switch.next_wake();
            let sleep = tokio::time::sleep_until(
                wake.unwrap_or_else(|| Instant::now() + Duration::from_secs(60))
                    .into(),
            );
            let waiting = !self.switch.events.is_empty();
            let input = tokio::select! {
                request = self.requests.recv() => Work::Request(request),
                Some(input) = self.tcp_input.recv() => Work::Tcp(input),
                n = readable(&self.locals) => Work::Udp(n),
                room = async { self.events.reserve().await.is_ok() }, if waiting => Work::Room(room),
                () = sleep => Work::Time,
            };
            match input {
                Work::Request(Some(Request::Stop(reply))) => {
                    stopped = Some(reply);
                    break;
                }
                Work::Request(Some(request)) => self.handle(request),
                Work::Request(None) => break,
                Work::Tcp(input) => self.handle_tcp(input),
                Work::Udp(n) => self.read(n),
                Work::Room(false) => self.switch.events.clear(), // Nobody listens any more.
                Work::Room(true) | Work::Time => {}
            }
            self.work();
        }
        self.switch.close_all(Instant::now());
        self.work();
        self.listeners.shutdown().await;
        drop(self);
        if let Some(reply) = stopped {
            let _ = reply.send(()); // Who asked may have gone.
        }
    }

    /// Lets the switch do what is due and carries out what it wants.
    fn work(&mut self) {
        let now = Instant::now();
        self.switch.handle_time(now);
        self.switch.settle(now);
        let mut transmits = std::mem::take(&mut self.transmits);
        self.switch.take_transmits(&mut transmits);
        for transmit in transmits.drain(..) {
            self.transmit(&transmit);
        }
        self.transmits = transmits;
        while let Some(event) = self.switch.events.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
                self.switch.events.push_front(event);
                break;
            }
        }
        while self.switch.events.len() > EVENTS {
            self.switch.events.pop_front();
            self.switch.stats.overflows += 1;
        }
    }

    fn transmit(&mut self, transmit: &Transmit) {
        if transmit.proto == Protocol::Udp {
            if !self.passage.udp(transmit.destination) {
                return;
            }
            let local = self
                .locals
                .iter()
                .find(|local| local.addr == transmit.source);
            let sent = local.map(|local| {
                local
                    .udp
                    .try_send_to(&transmit.contents, transmit.destination)
            });
            if !matches!(sent, Some(Ok(_))) {
                self.switch.stats.packets_dropped += 1;
            }
            return;
        }
        let queue = self.tcp_output.get(&transmit.destination);
        let frame = tcp::framed(&transmit.contents);
        if let (Some(queue), Some(frame)) = (queue, frame)
            && queue.try_send(frame).is_err()
        {
            self.switch.stats.packets_dropped += 1;
        }
    }

    fn read(&mut self, n: usize) {
        let Some(local) = self.locals.get(n) else {
            return;
        };
        for _ in 0..BATCH {
            // An error may be an ICMP message about an earlier packet: the next read goes on.
            let (len, source) = match local.udp.try_recv_from(&mut self.buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => continue,
            };
            if !self.passage.udp(source) {
                continue;
            }
            let now = Instant::now();
            let bytes = &self.buffer[..len];
            self.switch
                .handle_datagram(now, Protocol::Udp, source, local.addr, bytes);
        }
    }

    fn handle_tcp(&mut self, input: TcpInput) {
        match input {
            TcpInput::Opened(source, output) => {
                self.tcp_output.insert(source, output);
            }
            TcpInput::Packet(..) if !self.passage.tcp() => {}
            TcpInput::Packet(source, local, bytes) => {
                self.switch.stats.tcp_in += 1;
                self.switch
                    .handle_datagram(Instant::now(), Protocol::Tcp, source, local, &bytes);
            }
            TcpInput::Closed(source) => {
                self.tcp_output.remove(&source);
            }
        }
    }

    fn handle(&mut self, request: Request) {
        let now = Instant::now();
        let switch = &mut self.switch;
        match request {
            Request::Open {
                session,
                call,
                dc_signaling,
            } => switch.open(now, session, call, dc_signaling),
            Request::Close(session) => switch.close(now, &session),
            Request::Sdp(session, json) => switch.sdp(now, &session, &json),
            Request::Candidate(session, json) => switch.candidate(&session, &json),
            Request::Mute(session, muted) => switch.mute(&session, muted),
            Request::Screen(session, stream) => switch.screen_stream(now, &session, stream),
            Request::Video(session, stream) => switch.video_stream(&session, stream),
            Request::Fault(SfuFault::Passage(passage)) => self.passage = passage,
            Request::Fault(fault) => switch.fault(now, fault),
            Request::Stats(reply) => {
                let mut stats = switch.stats();
                stats.overflows += self.overflows.load(Ordering::Relaxed);
                let _ = reply.send(stats); // Who asked may have gone.
            }
            Request::Stop(_) => {} // Handled by the loop.
        }
    }
}

/// The first socket that has something to read.
async fn readable(locals: &[Local]) -> usize {
    std::future::poll_fn(|cx| {
        for (n, local) in locals.iter().enumerate() {
            if local.udp.poll_recv_ready(cx).is_ready() {
                return std::task::Poll::Ready(n);
            }
        }
        std::task::Poll::Pending
    })
    .await
}
