//! The Calls v1 back end against the development server, whose media side is another WebRTC stack: joining, voice
//! both ways, and everything that a network or a server does at the worst moment. Media is a double here: frames
//! are numbers, so that each can be recognised.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use calls_core::id::{ChannelId, SessionId, TrackId, UserId};
use calls_core::model::{Channel, ChannelKind, User};
use calls_core::port::media::{
    EncodedFrame, Feedback, FrameOutlet, Layer, MediaKind, MediaPacket, MediaPort, PacketInlet,
    RemoteTrack,
};
use calls_core::port::{
    ActiveCall, CallBackend, CallEvent, CallIntent, CallsLoad, EndReason, JoinTicket, Refusal,
    Reply, Request, RequestError, Secret,
};
use calls_devserver::{Config, DevServer, Fault};
use calls_net::{CallsV1, Lane, Rest};
use tokio::sync::mpsc;
use tokio::time::timeout;

const AGENT: &str = "Test/1 Mattermost/6.0.0";
const PASSWORD: &str = "Halloo-dev-1";
/// Nothing here takes so long; a lost event must not hang the tests.
const LIMIT: Duration = Duration::from_secs(40);

/// The engine's double.
#[derive(Default)]
struct Media {
    outlet: Mutex<Option<Box<dyn FrameOutlet>>>,
    heard: Mutex<Vec<mpsc::UnboundedSender<(SessionId, MediaPacket)>>>,
    open: Mutex<Vec<RemoteTrack>>,
    feedback: Mutex<Vec<Feedback>>,
}

struct Inlet {
    session: SessionId,
    sink: Option<mpsc::UnboundedSender<(SessionId, MediaPacket)>>,
}

impl PacketInlet for Inlet {
    fn push(&mut self, packet: MediaPacket) -> bool {
        let sent = (self.session.clone(), packet);
        self.sink
            .as_ref()
            .is_some_and(|sink| sink.send(sent).is_ok())
    }
}

impl MediaPort for Media {
    fn set_voice_outlet(&self, outlet: Option<Box<dyn FrameOutlet>>) {
        *self.outlet.lock().unwrap() = outlet;
    }

    fn open_track(&self, track: RemoteTrack) -> Box<dyn PacketInlet> {
        let session = track.session.clone();
        let mut open = self.open.lock().unwrap();
        open.retain(|old| old.id != track.id);
        open.push(track);
        let sink = self.heard.lock().unwrap().first().cloned();
        Box::new(Inlet { session, sink })
    }

    fn close_track(&self, id: &TrackId) {
        self.open.lock().unwrap().retain(|track| track.id != *id);
    }

    fn feedback(&self, feedback: Feedback) {
        self.feedback.lock().unwrap().push(feedback);
    }
}

impl Media {
    /// Hands a numbered frame to the network; false if there is none, or it is full.
    fn say(&self, n: u32) -> bool {
        let mut outlet = self.outlet.lock().unwrap();
        let Some(outlet) = outlet.as_mut() else {
            return false;
        };
        outlet.try_send(EncodedFrame {
            kind: MediaKind::Voice,
            layer: Layer::Low,
            rtp_time: n * 960,
            duration: 960,
            key: false,
            // Uneven, as speech is: the server's detector looks at the deviation.
            level: Some(if (n / 5).is_multiple_of(2) { 20 } else { 90 }),
            talk_start: n == 0,
            data: Bytes::from(n.to_be_bytes().to_vec()),
        })
    }
}

/// Somebody signed in.
#[derive(Clone)]
struct Person {
    rest: Rest,
    server: String,
    token: Secret,
    me: User,
    channels: Vec<Channel>,
    calls: CallsLoad,
}

impl Person {
    async fn sign_in(server: &DevServer, name: &str) -> Self {
        let rest = Rest::new(AGENT);
        let request = Request::SignIn {
            server: server.url().to_owned(),
            login: name.to_owned(),
            password: Secret::new(PASSWORD),
            code: None,
        };
        let Reply::SignedIn { token, me } = rest.perform(request).await.unwrap() else {
            panic!("not signed in");
        };
        rest.set_account(server.url().to_owned(), Some(token.clone()));
        let Reply::Directory(directory) = rest.perform(Request::LoadDirectory).await.unwrap()
        else {
            panic!("no directory");
        };
        let Reply::Calls(Some(calls)) = rest.perform(Request::LoadCalls).await.unwrap() else {
            panic!("no calls");
        };
        Self {
            rest,
            server: server.url().to_owned(),
            token,
            me: *me,
            channels: directory.channels,
            calls: *calls,
        }
    }

    fn channel(&self, name: &str) -> ChannelId {
        let found = self.channels.iter().find(|channel| channel.name == name);
        found.expect("the channel").id.clone()
    }

    fn join(&self, channel: &ChannelId) -> Party {
        let media = Arc::new(Media::default());
        let (sink, heard) = mpsc::unbounded_channel();
        media.heard.lock().unwrap().push(sink);
        let (events, inbox) = mpsc::unbounded_channel();
        let backend = CallsV1::new(
            self.server.clone(),
            self.token.clone(),
            self.rest.clone(),
            Lane::default(),
        );
        let ticket = JoinTicket {
            channel: channel.clone(),
            title: String::new(),
            thread: None,
            config: self.calls.config.clone(),
            me: self.me.id.clone(),
            talks: false,
        };
        let begun = Instant::now();
        let call = backend.join(
            ticket,
            Arc::clone(&media) as _,
            Arc::new(move |event| drop(events.send(event))),
        );
        Party {
            call: Some(call),
            media,
            events: inbox,
            heard,
            begun,
            session: SessionId::default(),
            seen: Vec::new(),
        }
    }
}

/// Somebody in a call.
struct Party {
    call: Option<Box<dyn ActiveCall>>,
    media: Arc<Media>,
    events: mpsc::UnboundedReceiver<CallEvent>,
    heard: mpsc::UnboundedReceiver<(SessionId, MediaPacket)>,
    begun: Instant,
    session: SessionId,
    seen: Vec<CallEvent>,
}

impl Party {
    /// Waits for an event that fits.
    async fn until<T>(&mut self, what: &str, fits: impl Fn(&CallEvent) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let event = self.events.recv().await.expect("events until the end");
                if let CallEvent::Accepted(session) = &event {
                    self.session = session.clone();
                }
                self.seen.push(event.clone());
                if let Some(found) = fits(&event) {
                    return found;
                }
                if let CallEvent::Ended(reason) = event {
                    panic!("ended with {reason:?} while waiting for {what}");
                }
            }
        };
        match timeout(LIMIT, waiting).await {
            Ok(found) => found,
            Err(_) => panic!("no {what}; seen: {:#?}", self.seen),
        }
    }

    async fn connected(&mut self) -> Duration {
        let connected = |event: &CallEvent| matches!(event, CallEvent::Connected).then_some(());
        self.until("connection", connected).await;
        self.begun.elapsed()
    }

    async fn reconnecting(&mut self) -> bool {
        self.until("reconnecting", |event| match event {
            CallEvent::Reconnecting { media_flows } => Some(*media_flows),
            _ => None,
        })
        .await
    }

    async fn ended(&mut self) -> EndReason {
        self.until("end", |event| match event {
            CallEvent::Ended(reason) => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    fn mute(&mut self, muted: bool) {
        self.call.as_mut().unwrap().apply(CallIntent::Mute(muted));
    }

    async fn unmute(&mut self) {
        self.mute(false);
        let ready = |event: &CallEvent| matches!(event, CallEvent::VoiceReady).then_some(());
        self.until("voice", ready).await;
    }

    /// Waits until packets of a session are heard, while `speaker` speaks; returns their numbers.
    async fn hear(&mut self, from: &SessionId, speaker: &Media, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        let mut n = 0;
        let hearing = async {
            while numbers.len() < count {
                tokio::select! {
                    _ = pace.tick() => {
                        // A stalled machine catches up with a burst, for which the outlet has no room.
                        n += u32::from(speaker.say(n));
                    }
                    heard = self.heard.recv() => {
                        let (session, packet) = heard.unwrap();
                        if session == *from {
                            numbers.push(u32::from_be_bytes(packet.data[..].try_into().unwrap()));
                        }
                    }
                }
            }
        };
        let in_time = timeout(LIMIT, hearing).await.is_ok();
        assert!(in_time, "heard only {} packets", numbers.len());
        numbers
    }

    async fn leave(mut self) {
        let begun = Instant::now();
        self.call.take().unwrap().leave().await;
        assert!(
            begun.elapsed() < Duration::from_millis(2500),
            "{:?}",
            begun.elapsed()
        );
        assert!(self.media.outlet.lock().unwrap().is_none());
        assert!(self.media.open.lock().unwrap().is_empty());
    }
}

fn all_in_order(numbers: &[u32]) -> bool {
    numbers.windows(2).all(|pair| pair[1] == pair[0] + 1)
}

async fn server(dc_signaling: bool) -> DevServer {
    let mut config = Config::default();
    config.switches.dc_signaling = dc_signaling;
    config.switches.rest_limit = false;
    DevServer::start(config).await.unwrap()
}

fn sessions(server: &DevServer) -> u64 {
    server.stats()["sessions"]
        .as_u64()
        .expect("a count of sessions")
}

/// Waits for the server to have this many sessions.
async fn until_sessions(server: &DevServer, count: u64) {
    let begun = Instant::now();
    while sessions(server) != count {
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{}",
            server.stats()
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_hear_each_other_in_both_signaling_modes() {
    for dc_signaling in [false, true] {
        let server = server(dc_signaling).await;
        let alice = Person::sign_in(&server, "alice").await;
        let bob = Person::sign_in(&server, "bob").await;
        let channel = alice.channel("standup");
        let mut a = alice.join(&channel);
        println!(
            "dc {dc_signaling}: first connected in {:?}",
            a.connected().await
        );
        a.unmute().await;
        let mut b = bob.join(&channel);
        println!(
            "dc {dc_signaling}: second connected in {:?}",
            b.connected().await
        );
        let numbers = b.hear(&a.session, &a.media, 100).await;
        assert!(all_in_order(&numbers), "{numbers:?}");
        b.unmute().await;
        let numbers = a.hear(&b.session, &b.media, 100).await;
        assert!(all_in_order(&numbers), "{numbers:?}");
        // Speaking, muting and hands are seen by the other.
        let bob_session = b.session.clone();
        a.until("speaking", |event| match event {
            CallEvent::Speaking(session, true) => (*session == bob_session).then_some(()),
            _ => None,
        })
        .await;
        b.mute(true);
        a.until("mute", |event| match event {
            CallEvent::Muted(session, true) => (*session == bob_session).then_some(()),
            _ => None,
        })
        .await;
        b.call.as_mut().unwrap().apply(CallIntent::RaiseHand(true));
        a.until("hand", |event| match event {
            CallEvent::Hand(session, Some(_)) => (*session == bob_session).then_some(()),
            _ => None,
        })
        .await;
        // The second unmute needs no new track.
        b.mute(false);
        a.until("unmute", |event| match event {
            CallEvent::Muted(session, false) => (*session == bob_session).then_some(()),
            _ => None,
        })
        .await;
        assert!(all_in_order(&a.hear(&b.session, &b.media, 20).await));
        let quality = a
            .until("quality", |event| match event {
                CallEvent::Quality(quality) if quality.bitrate_in > 0 => Some(*quality),
                _ => None,
            })
            .await;
        println!("dc {dc_signaling}: {quality:?}");
        assert!(quality.rtt_ms > 0.0 && quality.rtt_ms < 1000.0);
        assert!(quality.mos > 3.5);
        b.leave().await;
        a.until("leaving", |event| match event {
            CallEvent::Left(session) => (*session == bob_session).then_some(()),
            _ => None,
        })
        .await;
        assert!(a.media.open.lock().unwrap().is_empty());
        a.leave().await;
        until_sessions(&server, 0).await;
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_people_are_told_apart() {
    let server = server(true).await;
    let mut parties = Vec::new();
    for name in ["alice", "bob", "carol"] {
        let person = Person::sign_in(&server, name).await;
        let mut party = person.join(&person.channel("standup"));
        party.connected().await;
        party.unmute().await;
        parties.push(party);
    }
    for listener in 0..3 {
        for speaker in 0..3 {
            if listener != speaker {
                let media = Arc::clone(&parties[speaker].media);
                let session = parties[speaker].session.clone();
                parties[listener].hear(&session, &media, 10).await;
            }
        }
        assert_eq!(parties[listener].media.open.lock().unwrap().len(), 2);
    }
    for party in parties {
        party.leave().await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_say_why() {
    let server = server(false).await;
    let alice = Person::sign_in(&server, "alice").await;
    let refused = async |channel: &str| {
        let mut party = alice.join(&alice.channel(channel));
        party.ended().await
    };
    let expect = |refusal| EndReason::Refused(refusal);
    assert_eq!(refused("old-project").await, expect(Refusal::Archived));
    assert_eq!(refused("no-calls").await, expect(Refusal::Disabled));
    server.switch(|switches| switches.test_mode = true);
    assert_eq!(refused("standup").await, expect(Refusal::TestMode));
    server.switch(|switches| switches.group_calls = false);
    assert_eq!(refused("standup").await, expect(Refusal::GroupCallsOff));
    server.switch(|switches| {
        switches.test_mode = false;
        switches.group_calls = true;
        switches.max_participants = 1;
    });
    let bob = Person::sign_in(&server, "bob").await;
    let mut first = bob.join(&bob.channel("standup"));
    first.connected().await;
    assert_eq!(refused("standup").await, expect(Refusal::Full));
    let fault = Fault::RefuseJoin {
        user: "alice".into(),
        text: "the moon is full".into(),
        count: 1,
    };
    server.fault(fault).await.unwrap();
    let moon = Refusal::Other("the moon is full".into());
    assert_eq!(refused("standup").await, expect(moon));
    let carol = Person::sign_in(&server, "carol").await;
    let mut party = carol.join(&carol.channel("announcements"));
    assert_eq!(party.ended().await, expect(Refusal::Forbidden));
    first.leave().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_major_version_is_not_attempted() {
    let server = server(false).await;
    server.switch(|switches| switches.plugin_version = "2.0.1".into());
    let alice = Person::sign_in(&server, "alice").await;
    let mut party = alice.join(&alice.channel("standup"));
    assert_eq!(party.ended().await, EndReason::Unsupported("2.0.1".into()));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_socket_is_resumed_while_the_voice_goes_on() {
    for forgotten in [false, true] {
        let server = server(false).await;
        let alice = Person::sign_in(&server, "alice").await;
        let bob = Person::sign_in(&server, "bob").await;
        let channel = alice.channel("standup");
        let (mut a, mut b) = (alice.join(&channel), bob.join(&channel));
        a.connected().await;
        b.connected().await;
        a.unmute().await;
        b.hear(&a.session, &a.media, 10).await;
        let connection = Some(a.session.to_string());
        if forgotten {
            // The server takes the connection for a new one; the session stays.
            let fault = Fault::ForgetConnection {
                user: None,
                connection,
            };
            server.fault(fault).await.unwrap();
        } else {
            let fault = Fault::CutSocket {
                user: None,
                connection,
            };
            server.fault(fault).await.unwrap();
        }
        assert!(a.reconnecting().await, "media flows");
        let before = a.session.clone();
        a.connected().await;
        assert_eq!(a.session, before);
        let heard = b.hear(&a.session, &a.media, 20).await;
        assert!(all_in_order(&heard), "{heard:?}");
        // Signals still reach us: somebody new is heard after the cut.
        b.unmute().await;
        a.hear(&b.session, &b.media, 10).await;
        a.leave().await;
        b.leave().await;
        until_sessions(&server, 0).await;
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_peer_is_replaced_by_a_new_session_that_speaks_again() {
    let server = server(true).await;
    let alice = Person::sign_in(&server, "alice").await;
    let bob = Person::sign_in(&server, "bob").await;
    let channel = alice.channel("standup");
    let (mut a, mut b) = (alice.join(&channel), bob.join(&channel));
    a.connected().await;
    b.connected().await;
    a.unmute().await;
    b.hear(&a.session, &a.media, 10).await;
    let before = a.session.clone();
    let kick = |session: &SessionId| Fault::KickPeer {
        user: None,
        session: Some(session.to_string()),
    };
    server.fault(kick(&before)).await.unwrap();
    assert!(!a.reconnecting().await, "media is lost");
    a.connected().await;
    assert_ne!(a.session, before);
    let ready = |event: &CallEvent| matches!(event, CallEvent::VoiceReady).then_some(());
    a.until("voice", ready).await;
    b.hear(&a.session, &a.media, 10).await;
    // A second time within half a minute is once too often.
    server.fault(kick(&a.session)).await.unwrap();
    assert!(matches!(a.ended().await, EndReason::Lost(_)));
    b.leave().await;
    until_sessions(&server, 0).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_survives_a_restart_of_the_sfu() {
    let server = server(false).await;
    let alice = Person::sign_in(&server, "alice").await;
    let bob = Person::sign_in(&server, "bob").await;
    let channel = alice.channel("standup");
    let (mut a, mut b) = (alice.join(&channel), bob.join(&channel));
    a.connected().await;
    b.connected().await;
    a.unmute().await;
    server.fault(Fault::RestartSfu).await.unwrap();
    a.reconnecting().await;
    b.reconnecting().await;
    a.connected().await;
    b.connected().await;
    b.hear(&a.session, &a.media, 10).await;
    a.leave().await;
    b.leave().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_lock_and_a_withheld_answer_only_delay_the_voice() {
    let server = server(true).await;
    let alice = Person::sign_in(&server, "alice").await;
    let bob = Person::sign_in(&server, "bob").await;
    let channel = alice.channel("standup");
    let (mut a, mut b) = (alice.join(&channel), bob.join(&channel));
    a.connected().await;
    b.connected().await;
    let hold = |session: &SessionId, held| Fault::HoldLock {
        user: None,
        session: Some(session.to_string()),
        held,
    };
    server.fault(hold(&a.session, true)).await.unwrap();
    a.mute(false);
    let alice_session = a.session.clone();
    b.until("unmute", |event| match event {
        CallEvent::Muted(session, false) => (*session == alice_session).then_some(()),
        _ => None,
    })
    .await;
    server.fault(hold(&a.session, false)).await.unwrap();
    let ready = |event: &CallEvent| matches!(event, CallEvent::VoiceReady).then_some(());
    a.until("voice", ready).await;
    b.hear(&a.session, &a.media, 10).await;

    let withhold = Fault::WithholdAnswer {
        user: None,
        session: Some(b.session.to_string()),
    };
    server.fault(withhold).await.unwrap();
    let begun = Instant::now();
    b.unmute().await;
    let taken = begun.elapsed();
    println!("voice after a withheld answer: {taken:?}");
    assert!(taken > Duration::from_secs(4), "{taken:?}");
    a.hear(&b.session, &b.media, 10).await;
    a.leave().await;
    b.leave().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_login_and_a_removal_end_the_call_with_their_reasons() {
    let server = server(false).await;
    let alice = Person::sign_in(&server, "alice").await;
    let bob = Person::sign_in(&server, "bob").await;
    let channel = alice.channel("standup");
    let (mut a, mut b) = (alice.join(&channel), bob.join(&channel));
    a.connected().await;
    b.connected().await;
    let remove = Fault::RemoveFromChannel {
        user: "bob".into(),
        channel: "standup".into(),
    };
    server.fault(remove).await.unwrap();
    assert_eq!(b.ended().await, EndReason::Removed);
    let user = Some("alice".to_owned());
    server.fault(Fault::ExpireSession { user }).await.unwrap();
    assert_eq!(a.ended().await, EndReason::Unauthorised);
    until_sessions(&server, 0).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_leaves_no_ghost_even_before_the_join_is_through_or_while_the_line_is_down() {
    let server = server(false).await;
    let alice = Person::sign_in(&server, "alice").await;
    let channel = alice.channel("standup");
    // At once.
    alice.join(&channel).leave().await;
    until_sessions(&server, 0).await;
    // Let in, but not connected.
    let mut party = alice.join(&channel);
    let accepted = |event: &CallEvent| matches!(event, CallEvent::Accepted(_)).then_some(());
    party.until("acceptance", accepted).await;
    party.leave().await;
    until_sessions(&server, 0).await;
    // Cut off.
    let mut party = alice.join(&channel);
    party.connected().await;
    let fault = Fault::CutSocket {
        user: None,
        connection: Some(party.session.to_string()),
    };
    server.fault(fault).await.unwrap();
    party.reconnecting().await;
    party.leave().await;
    until_sessions(&server, 0).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_every_way_in_does_no_harm() {
    let server = server(true).await;
    let alice = Person::sign_in(&server, "alice").await;
    let mut a = alice.join(&alice.channel("standup"));
    a.connected().await;
    for text in [
        "",
        "{",
        "null",
        "{\"event\":\"custom_com.mattermost.calls_signal\",\"data\":7}",
    ] {
        let fault = Fault::SendGarbage {
            user: None,
            connection: Some(a.session.to_string()),
            text: text.into(),
        };
        server.fault(fault).await.unwrap();
    }
    a.unmute().await;
    a.leave().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joining_and_leaving_again_and_again_leaks_nothing() {
    let server = server(true).await;
    let alice = Person::sign_in(&server, "alice").await;
    let channel = alice.channel("standup");
    let rounds: usize = std::env::var("HALLOO_JOINS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20);
    let files = || std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let round = async || {
        let mut party = alice.join(&channel);
        let accepted = |event: &CallEvent| matches!(event, CallEvent::Accepted(_)).then_some(());
        party.until("acceptance", accepted).await;
        let accepted = party.begun.elapsed();
        let connected = party.connected().await;
        party.unmute().await;
        let taken = (connected, accepted, party.begun.elapsed());
        party.leave().await;
        until_sessions(&server, 0).await;
        taken
    };
    // What is made once and kept.
    round().await;
    let (files_before, tasks_before) = (files(), tasks());
    let mut times = Vec::new();
    for _ in 0..rounds {
        times.push(round().await);
    }
    times.sort();
    let middle = times[times.len() / 2];
    println!(
        "{rounds} joins: connected median {:?} (accepted {:?}, voice {:?}), p95 {:?}, worst {:?}; files {files_before} -> {}, tasks {tasks_before} -> {}",
        middle.0,
        middle.1,
        middle.2,
        times[times.len() * 95 / 100].0,
        times[times.len() - 1].0,
        files(),
        tasks()
    );
    assert!(files() <= files_before + 4);
    assert!(tasks() <= tasks_before + 4);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_are_found_and_strangers_are_recognised() {
    let server = server(false).await;
    let rest = Rest::new(AGENT);
    let address = server.url().trim_start_matches("http://").to_owned();
    let found = rest.perform(Request::FindServer { address }).await;
    let Ok(Reply::Found(info)) = found else {
        panic!("{found:?}");
    };
    assert_eq!(info.url, server.url());
    assert_eq!(info.calls_version.as_deref(), Some("1.12.2"));
    assert!(!info.insecure, "this very machine");
    let page = Fault::Rest {
        prefix: "/".into(),
        delay_ms: 0,
        html: true,
        status: None,
        retry_after: None,
        count: None,
    };
    server.fault(page).await.unwrap();
    let address = server.url().to_owned();
    let found = rest.perform(Request::FindServer { address }).await;
    assert!(
        matches!(found, Err(RequestError::NotUnderstood(_))),
        "{found:?}"
    );
    server.fault(Fault::ClearRest).await.unwrap();
    let url = server.url().to_owned();
    let sign_in = |password: &str| Request::SignIn {
        server: url.clone(),
        login: "alice".into(),
        password: Secret::new(password),
        code: None,
    };
    let wrong = rest.perform(sign_in("wrong")).await;
    let Err(RequestError::Refused {
        status: 401, id, ..
    }) = wrong
    else {
        panic!("{wrong:?}");
    };
    assert!(id.starts_with("api.user.login.invalid_credentials"), "{id}");
    server.stop().await;
    let found = rest.perform(sign_in(PASSWORD)).await;
    assert!(matches!(found, Err(RequestError::Offline(_))), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_posts_and_people_are_loaded() {
    let server = server(false).await;
    let alice = Person::sign_in(&server, "alice").await;
    let rest = &alice.rest;
    let kinds = |kind| alice.channels.iter().filter(|c| c.kind == kind).count();
    assert!(kinds(ChannelKind::Public) >= 5);
    assert_eq!(kinds(ChannelKind::Direct), 1);
    assert_eq!(kinds(ChannelKind::Group), 1);
    let channel = alice.channel("standup");
    let page = calls_core::port::Page::Newest;
    let request = Request::LoadPosts {
        channel: channel.clone(),
        page,
    };
    let Reply::Posts { posts, .. } = rest.perform(request).await.unwrap() else {
        panic!("no posts");
    };
    assert!(!posts.is_empty());
    let pending = calls_core::id::PendingId::new(format!("{}:1", alice.me.id));
    let request = Request::CreatePost {
        channel: channel.clone(),
        files: Vec::new(),
        root: None,
        message: "hello".into(),
        pending: pending.clone(),
    };
    let Reply::Post(post) = rest.perform(request).await.unwrap() else {
        panic!("no post");
    };
    assert_eq!(
        (post.message.as_str(), post.pending),
        ("hello", Some(pending))
    );
    for request in [
        Request::ViewChannel(channel.clone()),
        Request::LoadChannel(channel),
        Request::LoadUsers(vec![alice.me.id.clone()]),
        Request::LoadPresences(vec![alice.me.id.clone()]),
        Request::OpenDirect {
            me: alice.me.id.clone(),
            user: UserId::new(posts[0].author.to_string()),
        },
    ] {
        let named = format!("{request:?}");
        let reply = rest.perform(request).await;
        assert!(reply.is_ok(), "{named}: {reply:?}");
    }
    let picture = rest.picture(&alice.me.id, alice.me.picture_version).await;
    assert!(!picture.unwrap().is_empty());
    assert_eq!(rest.perform(Request::SignOut).await, Ok(Reply::Done));
    let after = rest.perform(Request::LoadDirectory).await;
    assert_eq!(after, Err(RequestError::Unauthorised));
    server.stop().await;
}
