//! Joining, and voices that come, pass, are muted and go.

use std::collections::HashSet;
use std::time::Duration;

use str0m::media::{Direction, MediaKind};

use super::{ALICE, BOB, CAROL, DAVE, seconds, two};
use crate::sfu::SfuEvent;
use crate::sfu::sdp::Kind;
use crate::sfu::testing::World;

#[test]
fn the_first_answer_is_that_of_a_dtls_client_and_candidates_come_beside_it() {
    let world = two(false);
    let alice = &world.clients[ALICE];
    assert!(alice.connected);
    let answer = &alice.answers[0];
    assert!(answer.contains("a=setup:active\r\n"), "{answer}");
    assert!(!answer.contains("a=candidate"), "{answer}");
    assert_eq!(alice.candidates.len(), 2);
    assert!(alice.candidates[0].contains(" udp ") && alice.candidates[0].contains("ufrag"));
    assert!(alice.candidates[1].contains("tcptype passive"));
    let connected = |session: &str| SfuEvent::Connected {
        session: session.to_owned(),
    };
    assert_eq!(world.events, [connected(ALICE), connected(BOB)]);
}

#[test]
fn a_voice_is_offered_with_its_sender_and_passes_with_numbers_and_times_unchanged() {
    for dc_signaling in [true, false] {
        let mut world = two(dc_signaling);
        let mid = world.publish(ALICE, MediaKind::Audio, "mic");
        assert!(world.clients[BOB].offers.is_empty(), "nothing was sent yet");
        world.speak(ALICE, mid, 50, |_| -30);

        let bob = &world.clients[BOB];
        let [offer] = &bob.offers[..] else {
            panic!("one offer, not {}", bob.offers.len());
        };
        let track = offer
            .lines()
            .find_map(|line| line.strip_prefix(&format!("a=msid:{ALICE} ")))
            .unwrap();
        let parts: Vec<_> = track.split('_').collect();
        assert_eq!(parts[..2], ["voice", ALICE]);
        assert_eq!(parts[2].len(), 8);
        assert!(offer.contains(&format!(" cname:{ALICE}\r\n")));
        assert!(offer.contains(&format!(" msid:{ALICE} {track}\r\n")));
        assert!(offer.contains("a=setup:actpass"));

        // The map comes before the offer, with the receiver's own id as the sender.
        let map = bob.messages.iter().find(|m| m[..2] == [0xcc, 9]).unwrap();
        assert!(map.ends_with(BOB.as_bytes()));

        assert!(bob.packets.len() > 40, "{}", bob.packets.len());
        let ssrc = bob.packets[0].header.ssrc;
        for pair in bob.packets.windows(2) {
            let [a, b] = pair else { continue };
            assert_eq!(b.header.ssrc, ssrc);
            assert_eq!(b.header.sequence_number, a.header.sequence_number + 1);
            assert_eq!(b.header.timestamp, a.header.timestamp + 960);
            assert_eq!(b.header.ext_vals.audio_level, Some(-30));
        }
        let last = bob.packets.last().unwrap();
        assert_eq!(last.header.sequence_number, 1049);
        assert!(world.clients[ALICE].offers.is_empty(), "bob is silent");
    }
}

#[test]
fn who_joins_later_is_offered_what_is_there_one_offer_at_a_time() {
    let mut world = two(true);
    for session in [ALICE, BOB] {
        let mid = world.publish(session, MediaKind::Audio, "mic");
        world.speak(session, mid, 2, |_| -30);
    }
    world.run(seconds(1));
    world.join(CAROL, true);
    world.run(seconds(1));
    let carol = &world.clients[CAROL];
    assert_eq!(carol.offers.len(), 2);
    let voices = |offer: &str| offer.matches("a=msid:").count();
    assert_eq!((voices(&carol.offers[0]), voices(&carol.offers[1])), (1, 2));
}

#[test]
fn a_remote_voice_may_come_on_the_line_of_the_own_microphone() {
    let mut world = two(true);
    let alice = world.publish(ALICE, MediaKind::Audio, "mic");
    let answer = world.clients[ALICE].answers.last().unwrap();
    let answer = crate::sfu::sdp::Sdp::parse(answer).unwrap();
    let line = answer
        .sections
        .iter()
        .find(|s| s.kind() == Some(Kind::Audio))
        .unwrap();
    assert_eq!(
        (line.direction(), line.stream_id()),
        (Direction::RecvOnly, None)
    );
    assert!(line.ssrcs().is_empty());

    let bob = world.publish(BOB, MediaKind::Audio, "mic");
    world.speak(BOB, bob, 30, |_| -20);
    let offer = world.clients[ALICE].last_offer();
    let line = offer
        .sections
        .iter()
        .find(|s| s.kind() == Some(Kind::Audio))
        .unwrap();
    assert_eq!(line.mid(), Some(&*alice.to_string()));
    assert_eq!(
        (line.direction(), line.stream_id()),
        (Direction::SendRecv, Some(BOB))
    );
    assert!(world.clients[ALICE].packets.len() > 20);
    // And both directions of the line work.
    world.speak(ALICE, alice, 30, |_| -20);
    assert!(world.clients[BOB].packets.len() > 20);
}

#[test]
fn candidates_may_come_before_the_offer() {
    let mut world = World::new();
    world.open(ALICE, true);
    let init = r#"{"candidate":"candidate:1 1 udp 2130706431 10.0.0.2 50000 typ host","sdpMid":"0","sdpMLineIndex":0}"#;
    world.switch.candidate(ALICE, init);
    for odd in [
        "",
        "{}",
        r#"{"candidate":""}"#,
        r#"{"candidate":"candidate:1 1 udp 1 abc.local 9 typ host"}"#,
    ] {
        world.switch.candidate(ALICE, odd);
    }
    world.first_offer(ALICE);
    world.run_until(|world| world.clients[ALICE].connected);
}

#[test]
fn pings_of_both_kinds_are_answered_and_nonsense_is_not() {
    let mut world = two(true);
    world.client(ALICE).messages.clear();
    for message in [
        &[1][..],
        &[0xcc, 1],
        b"ping",
        &[4, 0],
        &[5, 0xcb, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0xc1],
        &[99],
        &[],
        &[3, 0xc4, 3, 1, 2, 3],
    ] {
        world.client(ALICE).say(message);
        world.run(Duration::from_millis(20));
    }
    let replies: Vec<&[u8]> = world.clients[ALICE]
        .messages
        .iter()
        .map(|m| &m[..])
        .collect();
    assert_eq!(replies, [&[0xcc, 2][..], &[0xcc, 2], b"pong"]);
}

#[test]
fn a_muted_voice_is_discarded_until_unmute() {
    let mut world = two(true);
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 20, |_| -30);
    world.switch.mute(ALICE, true);
    world.run(Duration::from_millis(20));
    let heard = world.clients[BOB].packets.len();
    world.speak(ALICE, mid, 20, |_| -30);
    assert_eq!(world.clients[BOB].packets.len(), heard);
    world.switch.mute(ALICE, false);
    world.speak(ALICE, mid, 20, |_| -30);
    assert!(world.clients[BOB].packets.len() >= heard + 19);
    let off = SfuEvent::VoiceOff {
        session: ALICE.to_owned(),
    };
    assert!(world.events.contains(&off), "each mute says so");
}

#[test]
fn a_mute_before_the_first_packet_is_ignored() {
    let mut world = two(true);
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.switch.mute(ALICE, true);
    world.speak(ALICE, mid, 20, |_| -30);
    assert!(!world.clients[BOB].packets.is_empty());
}

#[test]
fn varying_levels_are_a_voice_and_a_tone_is_none() {
    let mut world = two(true);
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 100, |_| -20);
    let on = SfuEvent::VoiceOn {
        session: ALICE.to_owned(),
    };
    assert!(!world.events.contains(&on));
    world.speak(
        ALICE,
        mid,
        100,
        |n| if (n / 5) % 2 == 0 { -20 } else { -70 },
    );
    assert!(world.events.contains(&on));
}

#[test]
fn the_voice_of_who_left_stays_as_a_line_without_a_track() {
    let mut world = two(true);
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 10, |_| -30);
    let voice = world.clients[BOB].last_offer();
    let voice = voice.sections.last().unwrap().mid().unwrap().to_owned();
    world.switch.close(world.now, ALICE);
    world.run(seconds(1));
    assert!(world.clients[ALICE].closed, "DTLS is closed");
    assert_eq!(world.clients[BOB].offers.len(), 1, "no offer tells it");

    world.join(CAROL, true);
    let mid = world.publish(CAROL, MediaKind::Audio, "mic");
    world.speak(CAROL, mid, 20, |_| -30);
    let offer = world.clients[BOB].last_offer();
    let old = offer
        .sections
        .iter()
        .find(|s| s.mid() == Some(&voice))
        .unwrap();
    assert_eq!(
        (old.direction(), old.stream_id()),
        (Direction::SendRecv, None)
    );
    assert!(old.ssrcs().is_empty());
    assert_eq!(offer.sections.last().unwrap().stream_id(), Some(CAROL));
    let heard = world.clients[BOB].packets.len();
    world.speak(CAROL, mid, 20, |_| -30);
    assert!(world.clients[BOB].packets.len() >= heard + 19);
}

#[test]
fn a_voice_without_an_announced_ssrc_is_found_by_its_lonely_line() {
    let mut world = two(true);
    world.client(ALICE).hides_ssrcs = true;
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 20, |_| -30);
    assert!(world.clients[BOB].packets.len() > 10);
}

#[test]
fn calls_do_not_hear_each_other_and_a_session_can_be_opened_anew() {
    let mut world = two(true);
    world.open_in("another call", CAROL, true);
    world.first_offer(CAROL);
    world.run_until(|world| world.clients[CAROL].channel.is_some());
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 20, |_| -30);
    assert!(world.clients[CAROL].offers.is_empty());
    assert!(!world.clients[BOB].offers.is_empty());

    world.events.clear();
    world.join(ALICE, true);
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    let heard = world.clients[BOB].packets.len();
    world.speak(ALICE, mid, 20, |_| -30);
    assert!(world.clients[BOB].packets.len() > heard + 10);
    assert_eq!(world.switch.stats().peers, 3);
    let closed = |event: &SfuEvent| matches!(event, SfuEvent::Closed { .. });
    assert!(!world.events.iter().any(closed), "who opens again knows");
}

#[test]
fn a_call_of_four_hears_everybody_and_leaves_nothing_behind() {
    let mut world = two(true);
    world.join(CAROL, false);
    world.join(DAVE, true);
    let all = [ALICE, BOB, CAROL, DAVE];
    let mids: Vec<_> = all
        .iter()
        .map(|session| (*session, world.publish(session, MediaKind::Audio, "mic")))
        .collect();
    for _ in 0..100 {
        for (session, mid) in &mids {
            world.client(session).write(*mid, -30, &[9; 60]);
        }
        world.run(Duration::from_millis(20));
    }
    for session in all {
        let sources: HashSet<_> = world.clients[session]
            .packets
            .iter()
            .map(|p| p.header.ssrc)
            .collect();
        assert_eq!(sources.len(), 3, "{session}");
        assert_eq!(world.clients[session].offers.len(), 3, "{session}");
    }
    let stats = world.switch.stats();
    assert_eq!((stats.peers, stats.tracks_in, stats.tracks_out), (4, 4, 12));
    for session in all {
        world.switch.close(world.now, session);
        world.run(Duration::from_millis(50));
    }
    let stats = world.switch.stats();
    assert_eq!((stats.peers, stats.tracks_in, stats.tracks_out), (0, 0, 0));
    assert_eq!(world.switch.next_wake(), None);
}
