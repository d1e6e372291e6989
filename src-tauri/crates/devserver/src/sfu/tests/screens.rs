//! Shared screens and video: lines that come and go, key frames, repeated packets.

use std::collections::HashSet;
use std::time::Duration;

use str0m::media::{Direction, MediaKind, Mid};

use super::{ALICE, BOB, CAROL, seconds, two};
use crate::sfu::sdp::Kind;
use crate::sfu::testing::World;

fn share(world: &mut World, session: &'static str, stream: &'static str) -> Mid {
    let announced = Some(stream.to_owned());
    world.switch.screen_stream(world.now, session, announced);
    let mid = world.publish(session, MediaKind::Video, stream);
    world.speak(session, mid, 20, |_| 0);
    mid
}

#[test]
fn a_screen_comes_and_goes_by_a_round_and_the_next_one_takes_its_line() {
    let mut world = two(true);
    let mid = share(&mut world, ALICE, "screen1");
    let offer = world.clients[BOB].last_offer();
    let line = offer.sections.last().unwrap();
    assert_eq!(
        (line.kind(), line.stream_id()),
        (Some(Kind::Video), Some(ALICE))
    );
    assert!(
        world.clients[BOB]
            .offers
            .last()
            .unwrap()
            .contains(&format!("screen_{ALICE}_"))
    );
    let name = line.mid().unwrap().to_owned();
    let first_ssrc = line.ssrcs();
    assert!(world.clients[BOB].packets.len() > 10);

    world.switch.screen_stream(world.now, ALICE, None);
    world.run(seconds(1));
    let offer = world.clients[BOB].last_offer();
    let line = offer
        .sections
        .iter()
        .find(|s| s.mid() == Some(&name))
        .unwrap();
    assert_eq!(
        (line.direction(), line.stream_id()),
        (Direction::RecvOnly, None)
    );
    assert!(line.ssrcs().is_empty());
    let seen = world.clients[BOB].packets.len();
    world.speak(ALICE, mid, 5, |_| 0);
    assert_eq!(world.clients[BOB].packets.len(), seen);

    world.join(CAROL, true);
    share(&mut world, CAROL, "screen2");
    let offer = world.clients[BOB].last_offer();
    let line = offer
        .sections
        .iter()
        .find(|s| s.mid() == Some(&name))
        .unwrap();
    assert_eq!(
        (line.direction(), line.stream_id()),
        (Direction::SendRecv, Some(CAROL))
    );
    assert_ne!(line.ssrcs(), first_ssrc);
    assert!(world.clients[BOB].packets.len() > seen + 10);
}

#[test]
fn a_screen_of_who_leaves_is_removed_and_its_sound_just_stops() {
    let mut world = two(true);
    share(&mut world, ALICE, "screen1");
    let sound = world.publish(ALICE, MediaKind::Audio, "screen1");
    world.speak(ALICE, sound, 10, |_| -30);
    let offer = world.clients[BOB].offers.last().unwrap();
    assert!(offer.contains(&format!("screen-audio_{ALICE}_")));
    world.switch.close(world.now, ALICE);
    world.run(seconds(1));
    let offer = world.clients[BOB].last_offer();
    let [.., screen, sound] = &offer.sections[..] else {
        panic!("lines");
    };
    assert_eq!(
        (screen.direction(), screen.stream_id()),
        (Direction::RecvOnly, None)
    );
    assert_eq!(
        (sound.direction(), sound.stream_id()),
        (Direction::SendRecv, None)
    );
}

#[test]
fn a_video_that_was_not_announced_is_discarded_for_good() {
    let mut world = two(true);
    let mid = world.publish(ALICE, MediaKind::Video, "secret");
    world.speak(ALICE, mid, 10, |_| 0);
    world
        .switch
        .screen_stream(world.now, ALICE, Some("secret".to_owned()));
    world.speak(ALICE, mid, 10, |_| 0);
    assert!(world.clients[BOB].offers.is_empty());
    // A camera is found by its own announcement.
    world.switch.video_stream(ALICE, Some("camera".to_owned()));
    let mid = world.publish(ALICE, MediaKind::Video, "camera");
    world.speak(ALICE, mid, 10, |_| 0);
    assert!(world.clients[BOB].offers[0].contains(&format!("video_{ALICE}_")));
}

#[test]
fn key_frames_are_asked_for_once_a_second_for_all_receivers_together() {
    let mut world = two(true);
    world.join(CAROL, true);
    let mid = share(&mut world, ALICE, "screen1");
    for _ in 0..40 {
        for session in [BOB, CAROL] {
            let offer = world.clients[session].last_offer();
            let line = offer.sections.last().unwrap().mid().unwrap().into();
            world.client(session).want_key_frame(line);
        }
        world.speak(ALICE, mid, 5, |_| 0);
    }
    // Four seconds.
    let wanted = world.clients[ALICE].key_frames_wanted;
    assert!((4..=5).contains(&wanted), "{wanted}");
}

#[test]
fn a_lost_video_packet_is_sent_again_under_its_own_number() {
    let mut world = two(true);
    let mid = share(&mut world, ALICE, "screen1");
    let offer = world.clients[BOB].last_offer();
    let ssrc = offer.sections.last().unwrap().ssrcs()[0];
    let mut direct = world.client(BOB).rtc.direct_api();
    let line = direct.stream_rx(&ssrc.into()).unwrap().mid();
    direct
        .stream_rx_by_mid(line, None)
        .unwrap()
        .suppress_nack(false);

    // Every seventh RTP packet (not RTCP) is lost the first time.
    let mut seen = HashSet::new();
    world.lose = Box::new(move |transmit| {
        let head = &transmit.contents;
        let number = u16::from_be_bytes([head[2], head[3]]);
        let rtp = head[0] >> 6 == 2 && !(192..224).contains(&head[1]);
        rtp && number % 7 == 0 && seen.insert(number)
    });
    world.client(BOB).packets.clear();
    for n in 0..100 {
        world.client(ALICE).write(mid, 0, &[n; 20]);
        world.run(Duration::from_millis(20));
    }
    world.lose = Box::new(|_| false);
    world.run(seconds(1));
    let mut numbers: Vec<u16> = world.clients[BOB]
        .packets
        .iter()
        .map(|packet| packet.header.sequence_number)
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    let all: Vec<u16> = (1020..1120).collect();
    assert_eq!(numbers, all);
}
