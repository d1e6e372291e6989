//! Peers that vanish, faults on demand, and nonsense from the network.

use std::time::Duration;

use str0m::media::MediaKind;

use super::{ALICE, BOB, seconds, two};
use crate::sfu::{CloseReason, SfuEvent, SfuFault};

#[test]
fn a_silent_peer_is_given_up_after_thirty_seconds_and_a_closed_one_at_once() {
    let mut world = two(true);
    let cut = SfuFault::CutPath {
        session: Some(ALICE.to_owned()),
        cut: true,
    };
    world.events.clear();
    world.switch.fault(world.now, cut);
    world.run(seconds(27));
    assert!(world.events.is_empty());
    world.run(seconds(4));
    let closed = |session: &str, reason| SfuEvent::Closed {
        session: session.to_owned(),
        reason,
    };
    assert_eq!(world.events, [closed(ALICE, CloseReason::IceFailed)]);
    world.events.clear();
    world.client(BOB).rtc.close().unwrap();
    world.run(Duration::from_millis(100));
    assert_eq!(world.events, [closed(BOB, CloseReason::PeerClosed)]);
    assert_eq!(world.switch.stats().peers, 0);
    assert!(world.switch.calls.is_empty() && world.switch.tracks.is_empty());
}

#[test]
fn faults_withhold_an_answer_hold_the_lock_and_kick() {
    let mut world = two(true);
    let session = || ALICE.to_owned();
    world
        .switch
        .fault(world.now, SfuFault::WithholdAnswer { session: session() });
    let answers = world.clients[ALICE].answers.len();
    world.lock(ALICE);
    world.offer_track(ALICE, MediaKind::Audio, "mic");
    world.run(seconds(2));
    assert_eq!(world.clients[ALICE].answers.len(), answers);
    world.client(ALICE).say(&[8]);
    world.run(Duration::from_millis(50));

    world.switch.fault(
        world.now,
        SfuFault::HoldLock {
            session: session(),
            held: true,
        },
    );
    world.client(ALICE).messages.clear();
    world.client(ALICE).say(&[7]);
    world.run(Duration::from_millis(50));
    assert_eq!(world.clients[ALICE].locks(), [false]);
    world.switch.fault(
        world.now,
        SfuFault::HoldLock {
            session: session(),
            held: false,
        },
    );
    world.lock(ALICE);

    world
        .switch
        .fault(world.now, SfuFault::Kick { session: session() });
    world.run(Duration::from_millis(50));
    assert!(world.clients[ALICE].closed);
    let closed = SfuEvent::Closed {
        session: session(),
        reason: CloseReason::Kicked,
    };
    assert_eq!(world.events.last(), Some(&closed));
}

#[test]
fn garbage_from_the_network_changes_nothing() {
    let mut world = two(true);
    let from = "10.0.0.2:50000".parse().unwrap();
    let to = crate::sfu::testing::SERVER.parse().unwrap();
    let mut random: u32 = 7;
    for len in 0..300_usize {
        let mut bytes = vec![0_u8; len];
        for byte in &mut bytes {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (random >> 24) as u8;
        }
        // Of each sort: STUN, DTLS, RTP, RTCP.
        for first in [0, 1, 22, 23, 0x80, 0x81, 0xff] {
            if let Some(byte) = bytes.first_mut() {
                *byte = first;
            }
            world
                .switch
                .handle_datagram(world.now, str0m::net::Protocol::Udp, from, to, &bytes);
        }
    }
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 20, |_| -30);
    assert!(world.clients[BOB].packets.len() > 10);
}
