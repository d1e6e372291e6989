//! The signaling lock, and rounds of negotiation that go wrong.

use std::time::Duration;

use str0m::media::{Direction, MediaKind};

use super::{ALICE, BOB, CAROL, DAVE, seconds, two};
use crate::sfu::testing::{Manners, World};
use crate::sfu::{CloseReason, SfuEvent};

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
