//! What a client meets, told as stories; the numbers are chapters of the protocol document.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::time::Duration;

use str0m::media::{Direction, MediaKind};

use super::sdp::Kind;
use super::testing::{Manners, World};
use super::{CloseReason, SfuEvent, SfuFault};

const ALICE: &str = "connalicexxxxxxxxxxxxxxxxx";
const BOB: &str = "connbobxxxxxxxxxxxxxxxxxxx";
const CAROL: &str = "conncarolxxxxxxxxxxxxxxxxx";
const DAVE: &str = "conndavexxxxxxxxxxxxxxxxxx";

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn two(dc_signaling: bool) -> World {
    let mut world = World::new();
    world.join(ALICE, dc_signaling);
    world.join(BOB, dc_signaling);
    world
}

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
    let answer = super::sdp::Sdp::parse(answer).unwrap();
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
fn the_lock_is_busy_during_the_round_of_the_server_and_granted_after() {
    let mut world = two(true);
    world.client(BOB).manners = Manners::Ignores;
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 2, |_| -30);
    world.client(BOB).messages.clear();
    world.client(BOB).say(&[0xcc, 7]);
    world.run(seconds(1));
    assert_eq!(world.clients[BOB].locks(), [false]);
    world.run(seconds(10));
    world.client(BOB).say(&[7]);
    world.run(seconds(1));
    assert_eq!(world.clients[BOB].locks(), [false, true]);
}

#[test]
fn a_track_is_lost_when_the_client_keeps_the_lock_for_five_seconds() {
    let mut world = two(true);
    world.lock(BOB);
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 2, |_| -30);
    world.run(Duration::from_millis(5200));
    world.client(BOB).say(&[8]);
    world.speak(ALICE, mid, 100, |_| -30);
    assert!(world.clients[BOB].offers.is_empty());
    assert!(world.clients[BOB].packets.is_empty());
}

#[test]
fn the_server_waits_less_than_five_seconds_for_the_lock() {
    let mut world = two(true);
    world.lock(BOB);
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 2, |_| -30);
    world.run(seconds(4));
    assert!(world.clients[BOB].offers.is_empty());
    world.client(BOB).say(&[8]);
    world.speak(ALICE, mid, 10, |_| -30);
    assert_eq!(world.clients[BOB].offers.len(), 1);
}

#[test]
fn without_an_answer_for_ten_seconds_nothing_can_be_negotiated_any_more() {
    let mut world = two(true);
    world.client(BOB).manners = Manners::Ignores;
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 2, |_| -30);
    world.run(seconds(11));
    world.client(BOB).manners = Manners::Answers;
    world.lock(BOB);
    let answers = world.clients[BOB].answers.len();
    world.offer_track(BOB, MediaKind::Audio, "mic");
    world.run(seconds(5));
    assert_eq!(
        world.clients[BOB].answers.len(),
        answers,
        "the offer is ignored"
    );
    world.client(BOB).say(&[8]);

    world.join(CAROL, true);
    let mid = world.publish(CAROL, MediaKind::Audio, "mic");
    world.speak(CAROL, mid, 20, |_| -30);
    assert_eq!(world.clients[BOB].offers.len(), 1, "no further offer");
    assert_eq!(world.clients[ALICE].offers.len(), 1, "the others go on");
}

#[test]
fn an_offer_during_an_offer_of_the_server_is_ignored() {
    let mut world = two(true);
    world.client(BOB).manners = Manners::Ignores;
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 2, |_| -30);
    let answers = world.clients[BOB].answers.len();
    world.offer_track(BOB, MediaKind::Audio, "mic");
    world.run(seconds(2));
    assert_eq!(world.clients[BOB].answers.len(), answers);
}

#[test]
fn a_session_without_an_offer_is_closed_after_ten_seconds() {
    let mut world = World::new();
    world.open(ALICE, true);
    world.run(Duration::from_millis(9900));
    assert!(world.events.is_empty());
    world.run(Duration::from_millis(200));
    let closed = SfuEvent::Closed {
        session: ALICE.to_owned(),
        reason: CloseReason::NoOffer,
    };
    assert_eq!(world.events, [closed]);
    assert_eq!(world.switch.stats().peers, 0);
}

#[test]
fn a_first_offer_that_cannot_be_read_closes_the_session() {
    for json in [
        "",
        "{}",
        r#"{"type":"offer","sdp":"v=1"}"#,
        r#"{"type":"offer","sdp":"v=0\r\nm=audio"}"#,
    ] {
        let mut world = World::new();
        world.open(ALICE, true);
        world.switch.sdp(world.now, ALICE, json);
        world.run(Duration::from_millis(10));
        let closed = SfuEvent::Closed {
            session: ALICE.to_owned(),
            reason: CloseReason::BadOffer,
        };
        assert_eq!(world.events, [closed], "{json}");
    }
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

fn share(world: &mut World, session: &'static str, stream: &'static str) -> str0m::media::Mid {
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
fn mutilated_offers_cost_at_most_their_session() {
    let mut world = two(true);
    world.lock(ALICE);
    let client = world.client(ALICE);
    let mut api = client.rtc.sdp_api();
    api.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
    api.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
    let (offer, _) = api.apply().unwrap();
    let good = offer.to_sdp_string();
    let lines: Vec<&str> = good.lines().collect();
    let mut random: u32 = 11;
    let mut below = |n: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % n
    };
    for n in 0..300 {
        let mut bad: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        for _ in 0..=below(4) {
            let at = below(bad.len());
            match below(4) {
                0 => drop(bad.remove(at)),
                1 => bad.insert(at, lines[below(lines.len())].to_owned()),
                2 => {
                    let len = below(bad[at].len() + 1);
                    bad[at].truncate(len);
                }
                _ => bad[at] = bad[at].replace(['0', '1'], &below(70_000).to_string()),
            }
        }
        let sdp = bad.join("\r\n") + "\r\n";
        let json = serde_json::json!({"type": "offer", "sdp": sdp}).to_string();
        // Now as a first offer, now to a session that is up.
        let session = if n % 2 == 0 { CAROL } else { BOB };
        if n % 2 == 0 {
            world
                .switch
                .open(world.now, CAROL.to_owned(), "call".to_owned(), true);
        }
        world.switch.sdp(world.now, session, &json);
        world.run(Duration::from_millis(5));
    }
    world.switch.close(world.now, CAROL);
    world.switch.close(world.now, BOB);
    world.client(ALICE).say(&[8]);
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.join(DAVE, true);
    world.speak(ALICE, mid, 30, |_| -30);
    assert!(world.clients[DAVE].packets.len() > 10);
}

#[test]
fn a_client_may_restart_ice_under_the_lock() {
    let mut world = two(true);
    let mid = world.publish(ALICE, MediaKind::Audio, "mic");
    world.speak(ALICE, mid, 10, |_| -30);
    let old = world.clients[ALICE].candidates.len();
    world.restart_ice(ALICE);
    world.run(seconds(1));
    assert_eq!(world.clients[ALICE].candidates.len(), old + 2, "told again");
    let heard = world.clients[BOB].packets.len();
    world.speak(ALICE, mid, 50, |_| -30);
    assert!(world.clients[BOB].packets.len() >= heard + 45);
    world.run(seconds(40));
    assert_eq!(world.switch.stats().peers, 2);
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
fn garbage_from_the_network_changes_nothing() {
    let mut world = two(true);
    let from = "10.0.0.2:50000".parse().unwrap();
    let to = super::testing::SERVER.parse().unwrap();
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
