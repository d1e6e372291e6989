#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

use crate::address::{Host as _, System};
use calls_core::port::media::{EncodedFrame, Layer, MediaPacket};
use calls_core::wire::calls::Description;
use calls_core::wire::dc;
use std::time::Instant;

const LIMIT: Duration = Duration::from_secs(20);

struct End {
    peer: Peer,
    events: mpsc::Receiver<PeerEvent>,
    connected: bool,
    open: bool,
}

impl End {
    async fn new() -> Self {
        let config = PeerConfig {
            loopback: true,
            ..PeerConfig::default()
        };
        let (peer, events) = Peer::new(&config).await.unwrap();
        Self {
            peer,
            events,
            connected: false,
            open: false,
        }
    }

    async fn take(&mut self, event: PeerEvent, other: &Peer) {
        match event {
            PeerEvent::Candidate(candidate) => {
                assert_eq!(candidate.sdp_mid.as_deref(), Some("0"));
                // Of another family or interface, perhaps.
                let _ = other.add_candidate(candidate).await;
            }
            PeerEvent::Connected => self.connected = true,
            PeerEvent::Channel(open) => self.open = open,
            event => panic!("{event:?}"),
        }
    }
}

async fn negotiate(from: &End, to: &End) -> (String, String) {
    let offer = from.peer.offer().await.unwrap();
    let answer = to.peer.answer(offer.clone()).await.unwrap();
    from.peer.accept(answer.clone()).await.unwrap();
    (offer, answer)
}

async fn connect() -> (End, End, String) {
    let (mut a, mut b) = (End::new().await, End::new().await);
    let (offer, _) = negotiate(&a, &b).await;
    let connecting = async {
        while !(a.connected && b.connected && a.open) {
            tokio::select! {
                event = a.events.recv() => a.take(event.unwrap(), &b.peer).await,
                event = b.events.recv() => b.take(event.unwrap(), &a.peer).await,
            }
        }
    };
    timeout(LIMIT, connecting).await.expect("connected in time");
    (a, b, offer)
}

struct Inlet(mpsc::UnboundedSender<MediaPacket>);

impl PacketInlet for Inlet {
    fn push(&mut self, packet: MediaPacket) -> bool {
        self.0.send(packet).is_ok()
    }
}

fn ssrc_of(sdp: &str) -> u32 {
    let line = sdp.lines().find(|line| line.starts_with("a=ssrc:"));
    let number = line.and_then(|line| line[7..].split(' ').next());
    number.expect("an SSRC line").parse().unwrap()
}

fn frame(n: u32) -> EncodedFrame {
    EncodedFrame {
        kind: MediaKind::Voice,
        layer: Layer::Low,
        rtp_time: n * 960,
        duration: 960,
        key: false,
        level: Some(40),
        talk_start: n == 0,
        data: Bytes::from(n.to_be_bytes().to_vec()),
    }
}

fn compressed(sdp: &str) -> usize {
    let description = Description {
        kind: "offer".into(),
        sdp: sdp.into(),
    };
    dc::deflate(&description).unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voice_crosses_and_the_offers_are_as_the_server_wants_them() {
    let (mut a, b, first) = connect().await;
    assert!(!first.contains("m=audio") && first.contains("m=application"));
    assert!(compressed(&first) < 2000, "{}", compressed(&first));

    a.peer.add_voice().await.unwrap();
    a.peer.add_voice().await.unwrap();
    let (offer, _) = negotiate(&a, &b).await;
    assert_eq!(offer.matches("m=audio").count(), 1, "{offer}");
    for line in [
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:5 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "a=rtcp-fb:111 transport-cc",
        "a=ssrc:",
        "a=msid:",
        "a=sendrecv",
    ] {
        assert!(offer.contains(line), "{line} is missing in {offer}");
    }
    assert!(compressed(&offer) < 4000, "{}", compressed(&offer));

    let (packets, mut inbox) = mpsc::unbounded_channel();
    let id = TrackId::from("voice_a_1");
    let inlet = Box::new(Inlet(packets));
    b.peer.open_track(
        id.clone(),
        "s".into(),
        MediaKind::Voice,
        vec![ssrc_of(&offer)],
        inlet,
    );
    let mut outlet = a.peer.voice_outlet().await.unwrap();
    let sending = async {
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        for n in 0..100 {
            pace.tick().await;
            while !outlet.try_send(frame(n)) {
                pace.tick().await;
            }
        }
    };
    let receiving = async {
        let mut heard = Vec::new();
        while heard.len() < 100 {
            heard.push(inbox.recv().await.unwrap());
        }
        heard
    };
    let (heard, ()) = timeout(LIMIT, async { tokio::join!(receiving, sending) })
        .await
        .expect("all packets in time");
    for (n, packet) in heard.iter().enumerate() {
        let n = u32::try_from(n).unwrap();
        assert_eq!(packet.data, n.to_be_bytes()[..], "in order and whole");
        assert_eq!(packet.rtp_time.wrapping_sub(heard[0].rtp_time), n * 960);
        assert_eq!(u32::from(packet.seq.wrapping_sub(heard[0].seq)), n);
        assert_eq!(packet.marker, n == 0);
        assert!(packet.arrived <= Instant::now());
    }
    let path = b.peer.path();
    let (ours, theirs) = path.ends.expect("a path");
    assert!(path.packets >= 100, "{path:?}");
    assert!(!System.is_gone(ours) && !System.is_gone(theirs), "{path:?}");
    let figures = b.peer.measure();
    assert_eq!(figures.loss, Some(0.0));
    assert!(figures.bitrate_in > 0 && a.peer.measure().bitrate_out > 0);

    b.peer.close_track(&id);
    assert!(inbox.recv().await.is_none(), "nothing after the end");
    a.peer.close().await;
    b.peer.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_nobody_answers_is_taken_back_and_made_again() {
    let (mut a, b, _) = connect().await;
    a.peer.add_voice().await.unwrap();
    a.peer.offer().await.unwrap();
    a.peer.rollback().await.unwrap();
    // The other side's offer is answered in between.
    negotiate(&b, &a).await;
    let (offer, _) = negotiate(&a, &b).await;
    assert_eq!(offer.matches("m=audio").count(), 1, "{offer}");
    assert!(a.peer.voice_outlet().await.is_ok());
    a.peer.close().await;
    b.peer.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_descriptions_and_candidates_are_errors() {
    let end = End::new().await;
    for text in [
        "",
        "nonsense",
        "v=0\r\n",
        "v=0\r\nm=audio 9 X\r\n",
        "\0\0\0",
    ] {
        assert!(end.peer.answer(text.into()).await.is_err(), "{text:?}");
        assert!(end.peer.accept(text.into()).await.is_err(), "{text:?}");
        let candidate = Candidate {
            candidate: text.into(),
            ..Candidate::default()
        };
        assert!(end.peer.add_candidate(candidate).await.is_err());
    }
    end.peer.close().await;
}
