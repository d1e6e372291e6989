//! One WebRTC peer connection, with everything that is peculiar to the stack hidden behind it.
//!
//! Only this file and `peer/` name `webrtc` and `rtc`. The connection's own driver task does the work; methods here
//! hand it something and return. Media does not pass through the stack's tracks: an interceptor of ours at the end
//! of the chain takes each voice packet by its SSRC and hands it to the engine on the spot (`receive.rs`), which
//! leaves no queue that could overflow and no guess about which section a packet belongs to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use calls_core::id::{SessionId, TrackId};
use calls_core::model::{IceServer, RtcStats};
use calls_core::port::media::{FrameOutlet, MediaKind, MediaPort, PacketInlet};
use calls_core::wire::calls::Candidate;
use tokio::sync::mpsc;
use tokio::time::timeout;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceCandidateInit, RTCIceConnectionState,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSdpType, RTCSessionDescription,
    StatsSelector,
};

use crate::error::NetError;
use path::Noted;
use receive::Ears;
use screen::Screen;
use send::Voice;

mod budget;
mod config;
mod pairs;
mod path;
pub(crate) mod probe;
mod receive;
pub(crate) mod relay;
mod runtime;
mod screen;
mod send;
pub(crate) mod stats;

pub(crate) use path::Path;

/// Events waiting for the owner, who always listens: candidates, states, and messages of the data channel.
const EVENTS: usize = 256;
/// How long a clean end may take: DTLS and SCTP say goodbye, TURN allocations are released.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// What a peer is made with.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeerConfig {
    /// STUN and TURN servers.
    pub(crate) ice_servers: Vec<IceServer>,
    /// The server is this very machine: offer loopback addresses as well.
    pub(crate) loopback: bool,
}

/// What a peer says.
#[derive(Debug)]
pub(crate) enum PeerEvent {
    /// A way to reach us.
    Candidate(Candidate),
    /// Media flows, for the first time or again.
    Connected,
    /// Nothing comes any more; it may come back by itself.
    Disconnected,
    /// It will not come back.
    Failed,
    /// The data channel opened (true) or closed.
    Channel(bool),
    /// A message of the data channel.
    Message(Bytes),
}

/// One peer connection. Must be closed; dropping it closes it in the background.
pub(crate) struct Peer {
    connection: Arc<dyn PeerConnection>,
    channel: Arc<dyn DataChannel>,
    ears: Arc<Mutex<Ears>>,
    connected: Arc<AtomicBool>,
    noted: Arc<Noted>,
    voice: Option<Voice>,
    screen: Option<Screen>,
    /// The sound that belongs to the screen.
    sound: Option<Voice>,
    closed: bool,
}

impl Peer {
    /// Builds a connection with one data channel and nothing else (signaling 4.1).
    ///
    /// # Errors
    /// No socket can be bound.
    pub(crate) async fn new(
        config: &PeerConfig,
    ) -> Result<(Self, mpsc::Receiver<PeerEvent>), NetError> {
        let (events, outbox) = mpsc::channel(EVENTS);
        let ears = Arc::new(Mutex::new(Ears::default()));
        let connected = Arc::new(AtomicBool::new(false));
        let handler = Handler {
            events: events.clone(),
            connected: Arc::clone(&connected),
            through: Arc::default(),
        };
        let through = Arc::clone(&handler.through);
        let noted = Arc::<Noted>::default();
        let connection = config::build(
            config,
            Arc::new(handler),
            Arc::clone(&ears),
            through,
            Arc::clone(&noted),
        )
        .await?;
        // The label is the official client's; exactly one channel, or the server splits its messages among them.
        let channel = connection
            .create_data_channel("calls-dc", None)
            .await
            .map_err(media)?;
        // Ends with the connection, which ends the channel's stream of events.
        tokio::spawn(listen(Arc::clone(&channel), events));
        let peer = Self {
            connection,
            channel,
            ears,
            connected,
            noted,
            voice: None,
            screen: None,
            sound: None,
            closed: false,
        };
        Ok((peer, outbox))
    }

    /// Creates an offer and applies it.
    pub(crate) async fn offer(&self) -> Result<String, NetError> {
        let offer = self.connection.create_offer(None).await.map_err(media)?;
        let sdp = offer.sdp.clone();
        self.connection
            .set_local_description(offer)
            .await
            .map_err(media)?;
        Ok(sdp)
    }

    /// Applies the server's offer, creates an answer and applies that.
    pub(crate) async fn answer(&self, offer: String) -> Result<String, NetError> {
        let offer = RTCSessionDescription::offer(offer).map_err(media)?;
        self.connection
            .set_remote_description(offer)
            .await
            .map_err(media)?;
        let answer = self.connection.create_answer(None).await.map_err(media)?;
        let sdp = answer.sdp.clone();
        self.connection
            .set_local_description(answer)
            .await
            .map_err(media)?;
        Ok(sdp)
    }

    /// Applies the server's answer.
    pub(crate) async fn accept(&self, answer: String) -> Result<(), NetError> {
        let answer = RTCSessionDescription::answer(answer).map_err(media)?;
        self.connection
            .set_remote_description(answer)
            .await
            .map_err(media)
    }

    /// Takes our offer back.
    pub(crate) async fn rollback(&self) -> Result<(), NetError> {
        let rollback = RTCSessionDescription::rollback(None).map_err(media)?;
        debug_assert_eq!(rollback.sdp_type, RTCSdpType::Rollback);
        self.connection
            .set_local_description(rollback)
            .await
            .map_err(media)
    }

    /// Adds a way to reach the server.
    pub(crate) async fn add_candidate(&self, candidate: Candidate) -> Result<(), NetError> {
        let init = RTCIceCandidateInit {
            candidate: candidate.candidate,
            sdp_mid: candidate.sdp_mid,
            sdp_mline_index: candidate.sdp_m_line_index,
            username_fragment: None,
            url: None,
        };
        self.connection.add_ice_candidate(init).await.map_err(media)
    }

    /// Adds the voice track, to be offered next. A second call changes nothing.
    pub(crate) async fn add_voice(&mut self) -> Result<(), NetError> {
        if self.voice.is_none() {
            let voice = Voice::add(&*self.connection, Arc::clone(&self.connected), None).await?;
            lock(&self.ears).set_voice(voice.ssrc());
            self.voice = Some(voice);
        }
        Ok(())
    }

    /// The engine's end of the voice track, once it is negotiated.
    pub(crate) async fn voice_outlet(&mut self) -> Result<Box<dyn FrameOutlet>, NetError> {
        match &mut self.voice {
            Some(voice) => voice.outlet().await,
            None => Err(NetError::Protocol("no voice track".into())),
        }
    }

    /// Adds the screen track, to be offered next; `stream` is the name that the server was told.
    pub(crate) async fn add_screen(
        &mut self,
        stream: &str,
        simulcast: bool,
    ) -> Result<(), NetError> {
        self.remove_screen().await?;
        let (connected, budget) = (Arc::clone(&self.connected), lock(&self.ears).budget());
        let connection = &*self.connection;
        let screen = Screen::add(connection, connected, budget, stream, simulcast).await?;
        let streams = screen.streams().iter();
        let streams = streams.map(|stream| (stream.ssrc, stream.layer)).collect();
        lock(&self.ears).set_screen(streams);
        self.screen = Some(screen);
        Ok(())
    }

    /// Takes the screen track away, to be offered next. Without one nothing happens.
    pub(crate) async fn remove_screen(&mut self) -> Result<(), NetError> {
        lock(&self.ears).set_screen(Vec::new());
        match self.screen.take() {
            Some(screen) => screen.remove(&*self.connection).await,
            None => Ok(()),
        }
    }

    /// The engine's end of the screen track, once it is negotiated.
    pub(crate) async fn screen_outlet(&mut self) -> Result<Box<dyn FrameOutlet>, NetError> {
        match &mut self.screen {
            Some(screen) => screen.outlet().await,
            None => Err(NetError::Protocol("no screen track".into())),
        }
    }

    /// Adds the track of the screen's sound, to be offered next; `stream` is the screen's name: by that the server tells it
    /// from a voice.
    pub(crate) async fn add_sound(&mut self, stream: &str) -> Result<(), NetError> {
        self.remove_sound().await?;
        let connected = Arc::clone(&self.connected);
        let sound = Voice::add(&*self.connection, connected, Some(stream)).await?;
        lock(&self.ears).set_sound(Some(sound.ssrc()));
        self.sound = Some(sound);
        Ok(())
    }

    /// Takes that track away, to be offered next. Without one nothing happens.
    pub(crate) async fn remove_sound(&mut self) -> Result<(), NetError> {
        lock(&self.ears).set_sound(None);
        match self.sound.take() {
            Some(sound) => sound.remove(&*self.connection).await,
            None => Ok(()),
        }
    }

    /// The engine's end of that track, once it is negotiated.
    pub(crate) async fn sound_outlet(&mut self) -> Result<Box<dyn FrameOutlet>, NetError> {
        match &mut self.sound {
            Some(sound) => sound.outlet().await,
            None => Err(NetError::Protocol("no track for the screen's sound".into())),
        }
    }

    /// Who is told of requests for key frames, and of the budget.
    pub(crate) fn report_to(&self, engine: Arc<dyn MediaPort>) {
        lock(&self.ears).set_engine(engine);
    }

    /// From now on packets of these streams go there.
    pub(crate) fn open_track(
        &self,
        id: TrackId,
        session: SessionId,
        kind: MediaKind,
        ssrcs: Vec<u32>,
        inlet: Box<dyn PacketInlet>,
    ) {
        lock(&self.ears).open(id, session, kind, ssrcs, inlet);
    }

    /// Packets of this track are dropped from now on.
    pub(crate) fn close_track(&self, id: &TrackId) {
        lock(&self.ears).close(id);
    }

    /// The figures since the last call.
    pub(crate) fn measure(&self) -> stats::Interval {
        lock(&self.ears).measure(std::time::Instant::now())
    }

    /// The way that media takes now.
    pub(crate) fn path(&self) -> Path {
        self.noted.path()
    }

    /// Everything counted since the beginning.
    pub(crate) async fn counters(&self) -> RtcStats {
        let report = self
            .connection
            .get_stats(std::time::Instant::now(), StatsSelector::None)
            .await;
        RtcStats {
            streams: lock(&self.ears).streams(),
            pairs: pairs::pairs(&report),
        }
    }

    /// Sends a message on the data channel.
    pub(crate) async fn send(&self, message: &[u8]) -> Result<(), NetError> {
        self.channel
            .send(BytesMut::from(message))
            .await
            .map_err(media)
    }

    /// Ends the connection cleanly, so that the server notices at once.
    pub(crate) async fn close(mut self) {
        self.closed = true;
        self.voice = None;
        self.screen = None;
        self.sound = None;
        if timeout(CLOSE_LIMIT, self.connection.close()).await.is_err() {
            tracing::warn!("the media connection did not end in time");
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The driver task lives on until it is told to stop.
        if !self.closed
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let connection = Arc::clone(&self.connection);
            runtime.spawn(async move {
                let _ = timeout(CLOSE_LIMIT, connection.close()).await;
            });
        }
    }
}

struct Handler {
    events: mpsc::Sender<PeerEvent>,
    connected: Arc<AtomicBool>,
    /// ICE has found a way.
    through: Arc<AtomicBool>,
}

impl Handler {
    /// Called on the driver's task, which must not wait for us.
    fn say(&self, event: PeerEvent) {
        if self.events.try_send(event).is_err() {
            tracing::warn!("nobody listens to the media connection");
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        match event.candidate.to_json() {
            Ok(init) if !init.candidate.is_empty() => self.say(PeerEvent::Candidate(Candidate {
                candidate: init.candidate,
                // Everything is bundled on the first section.
                sdp_mid: Some("0".into()),
                sdp_m_line_index: Some(0),
                username_fragment: None,
            })),
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "candidate cannot be written"),
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        if let RTCIceConnectionState::Connected | RTCIceConnectionState::Completed = state {
            self.through.store(true, Ordering::Relaxed);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        tracing::debug!(%state, "media connection");
        let connected = state == RTCPeerConnectionState::Connected;
        self.connected.store(connected, Ordering::Relaxed);
        match state {
            RTCPeerConnectionState::Connected => self.say(PeerEvent::Connected),
            RTCPeerConnectionState::Disconnected => self.say(PeerEvent::Disconnected),
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => {
                self.say(PeerEvent::Failed);
            }
            _ => {}
        }
    }
}

async fn listen(channel: Arc<dyn DataChannel>, events: mpsc::Sender<PeerEvent>) {
    while let Some(event) = channel.poll().await {
        let event = match event {
            DataChannelEvent::OnOpen => PeerEvent::Channel(true),
            DataChannelEvent::OnClose => PeerEvent::Channel(false),
            // Text is the legacy ping and pong, which we neither send nor answer.
            DataChannelEvent::OnMessage(message) if message.is_string => continue,
            DataChannelEvent::OnMessage(message) => PeerEvent::Message(message.data.freeze()),
            _ => continue,
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}

/// The stack's errors become ours.
fn media(error: webrtc::error::Error) -> NetError {
    NetError::Media(Box::new(error))
}

/// A lock held for microseconds by code that cannot panic; a poisoned one would still hold good data.
fn lock(ears: &Mutex<Ears>) -> MutexGuard<'_, Ears> {
    ears.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
