#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

const WS: Abilities = Abilities {
    dc_signaling: false,
    lock: true,
};
const DC: Abilities = Abilities {
    dc_signaling: true,
    lock: true,
};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn acts(negotiator: &mut Negotiator) -> Vec<Act> {
    std::iter::from_fn(|| negotiator.poll()).collect()
}

fn candidate(text: &str) -> Candidate {
    Candidate {
        candidate: text.into(),
        ..Candidate::default()
    }
}

fn send(kind: &'static str, sdp: &str, way: Way) -> Act {
    Act::Send {
        kind,
        sdp: sdp.into(),
        way,
    }
}

/// A session whose first round is through and whose data channel is open.
fn settled(abilities: Abilities, now: Instant) -> Negotiator {
    let mut n = Negotiator::new(abilities);
    n.offered("first".into(), now);
    n.remote("answer", "first answer".into(), Way::Socket);
    n.applied(now);
    n.channel(true, now);
    acts(&mut n);
    n
}

#[test]
fn the_first_offer_is_made_at_once_without_lock_and_over_the_socket() {
    let now = Instant::now();
    let mut n = Negotiator::new(DC);
    assert_eq!(acts(&mut n), [Act::Offer(None)]);
    n.offered("o".into(), now);
    assert_eq!(acts(&mut n), [send("offer", "o", Way::Socket)]);
    assert_eq!(n.deadline(), None);
    n.remote("answer", "a".into(), Way::Socket);
    assert_eq!(acts(&mut n), [Act::Apply("a".into())]);
    n.applied(now);
    assert_eq!(acts(&mut n), []);
}

#[test]
fn candidates_that_come_before_the_answer_wait_for_it() {
    let now = Instant::now();
    let mut n = Negotiator::new(WS);
    n.offered("o".into(), now);
    acts(&mut n);
    n.candidate(candidate("one"));
    n.candidate(candidate(""));
    n.candidate(candidate("two"));
    assert_eq!(acts(&mut n), []);
    n.remote("answer", "a".into(), Way::Socket);
    assert_eq!(acts(&mut n), [Act::Apply("a".into())]);
    n.applied(now);
    assert_eq!(
        acts(&mut n),
        [
            Act::Candidate(candidate("one")),
            Act::Candidate(candidate("two"))
        ]
    );
    n.candidate(candidate("three"));
    assert_eq!(acts(&mut n), [Act::Candidate(candidate("three"))]);
}

#[test]
fn a_flood_of_early_candidates_is_bounded() {
    let mut n = Negotiator::new(WS);
    for _ in 0..10_000 {
        n.candidate(candidate("x"));
    }
    assert_eq!(n.early_candidates.len(), MAX_CANDIDATES);
}

#[test]
fn publishing_waits_for_the_channel_and_a_busy_lock_then_offers_and_unlocks() {
    for (abilities, way) in [(WS, Way::Socket), (DC, Way::Channel)] {
        let now = Instant::now();
        let mut n = Negotiator::new(abilities);
        n.want(Change::Voice, now);
        n.offered("o".into(), now);
        n.remote("answer", "a".into(), Way::Socket);
        acts(&mut n);
        n.applied(now);
        assert_eq!(acts(&mut n), [], "no lock before the channel is open");
        n.channel(true, now);
        assert_eq!(acts(&mut n), [Act::Lock]);
        n.lock_reply(false, now);
        assert_eq!(n.deadline(), Some(now + ms(50)));
        n.tick(now + ms(49));
        assert_eq!(acts(&mut n), []);
        n.tick(now + ms(50));
        assert_eq!(acts(&mut n), [Act::Lock]);
        n.lock_reply(true, now + ms(60));
        assert_eq!(acts(&mut n), [Act::Offer(Some(Change::Voice))]);
        n.offered("v".into(), now + ms(61));
        assert_eq!(acts(&mut n), [send("offer", "v", way)]);
        n.remote("answer", "va".into(), way);
        assert_eq!(acts(&mut n), [Act::Apply("va".into())]);
        n.applied(now + ms(80));
        assert_eq!(acts(&mut n), [Act::Unlock, Act::Published(Change::Voice)]);
        n.want(Change::Voice, now + ms(90));
        assert_eq!(acts(&mut n), [], "once is enough");
        assert_eq!(n.deadline(), None);
    }
}

#[test]
fn a_server_offer_is_answered_at_once_while_the_lock_is_awaited() {
    let now = Instant::now();
    let mut n = settled(DC, now);
    n.want(Change::Voice, now);
    assert_eq!(acts(&mut n), [Act::Lock]);
    n.lock_reply(false, now);
    n.remote("offer", "so".into(), Way::Channel);
    assert_eq!(acts(&mut n), [Act::Answer("so".into())]);
    n.answered("sa".into(), now);
    assert_eq!(acts(&mut n), [send("answer", "sa", Way::Channel)]);
    n.tick(now + ms(50));
    assert_eq!(acts(&mut n), [Act::Lock]);
}

#[test]
fn an_answer_goes_back_the_way_the_offer_came() {
    let now = Instant::now();
    let mut n = settled(DC, now);
    n.remote("offer", "so".into(), Way::Socket);
    n.answered("sa".into(), now);
    assert_eq!(
        acts(&mut n),
        [Act::Answer("so".into()), send("answer", "sa", Way::Socket)]
    );
}

#[test]
fn several_server_offers_are_answered_one_after_the_other() {
    let now = Instant::now();
    let mut n = settled(WS, now);
    n.remote("offer", "1".into(), Way::Socket);
    n.remote("offer", "2".into(), Way::Socket);
    assert_eq!(acts(&mut n), [Act::Answer("1".into())]);
    n.answered("a1".into(), now);
    assert_eq!(
        acts(&mut n),
        [send("answer", "a1", Way::Socket), Act::Answer("2".into())]
    );
    n.broke(now);
    assert_eq!(acts(&mut n), []);
    n.remote("offer", "3".into(), Way::Socket);
    assert_eq!(acts(&mut n), [Act::Answer("3".into())]);
}

#[test]
fn a_server_offer_before_the_first_answer_waits_for_it() {
    let now = Instant::now();
    let mut n = Negotiator::new(DC);
    n.offered("o".into(), now);
    acts(&mut n);
    n.remote("offer", "so".into(), Way::Channel);
    assert_eq!(acts(&mut n), []);
    n.remote("answer", "a".into(), Way::Socket);
    n.applied(now);
    assert_eq!(
        acts(&mut n),
        [Act::Apply("a".into()), Act::Answer("so".into())]
    );
}

#[test]
fn a_withheld_answer_gives_the_lock_back_before_the_server_drops_tracks() {
    let now = Instant::now();
    let mut n = settled(WS, now);
    n.want(Change::Voice, now);
    n.lock_reply(true, now);
    n.offered("v".into(), now);
    acts(&mut n);
    assert_eq!(n.deadline(), Some(now + ms(4000)));
    n.tick(now + ms(3999));
    assert_eq!(acts(&mut n), []);
    n.tick(now + ms(4000));
    assert_eq!(
        acts(&mut n),
        [
            Act::Unlock,
            Act::NotPublished(Change::Voice, Failure::NoAnswer)
        ]
    );
    // The server may have applied the offer: the very same one is sent again.
    n.want(Change::Voice, now + ms(5000));
    assert_eq!(acts(&mut n), [Act::Lock]);
    n.lock_reply(true, now + ms(5001));
    assert_eq!(acts(&mut n), [send("offer", "v", Way::Socket)]);
    n.remote("answer", "va".into(), Way::Socket);
    n.applied(now + ms(5100));
    assert_eq!(
        acts(&mut n),
        [
            Act::Apply("va".into()),
            Act::Unlock,
            Act::Published(Change::Voice)
        ]
    );
}

/// A session whose voice offer went unanswered.
fn parked(now: Instant) -> Negotiator {
    let mut n = settled(WS, now);
    n.want(Change::Voice, now);
    n.lock_reply(true, now);
    n.offered("v".into(), now);
    n.tick(now + ms(4000));
    acts(&mut n);
    n
}

#[test]
fn a_late_answer_still_counts_and_the_lock_asked_for_meanwhile_goes_back() {
    let now = Instant::now();
    let mut n = parked(now);
    n.want(Change::Voice, now + ms(5000));
    n.remote("answer", "late".into(), Way::Socket);
    assert_eq!(acts(&mut n), [Act::Lock, Act::Apply("late".into())]);
    n.applied(now + ms(5010));
    assert_eq!(acts(&mut n), [Act::Published(Change::Voice)]);
    n.lock_reply(true, now + ms(5020));
    assert_eq!(acts(&mut n), [Act::Unlock]);
}

#[test]
fn a_server_offer_takes_the_unanswered_one_back() {
    let now = Instant::now();
    let mut n = parked(now);
    n.remote("offer", "so".into(), Way::Socket);
    assert_eq!(acts(&mut n), [Act::Rollback, Act::Answer("so".into())]);
    n.answered("sa".into(), now + ms(4100));
    n.want(Change::Voice, now + ms(5000));
    n.lock_reply(true, now + ms(5000));
    assert_eq!(
        acts(&mut n),
        [
            send("answer", "sa", Way::Socket),
            Act::Lock,
            Act::Offer(Some(Change::Voice))
        ]
    );
}

#[test]
fn a_lock_that_stays_busy_is_given_up_without_an_unlock() {
    let now = Instant::now();
    let mut n = settled(WS, now);
    n.want(Change::Voice, now);
    let mut at = now;
    let mut asked = 0;
    loop {
        for act in acts(&mut n) {
            match act {
                Act::Lock => {
                    asked += 1;
                    n.lock_reply(false, at);
                }
                Act::NotPublished(_, failure) => {
                    assert_eq!(failure, Failure::LockBusy);
                    assert_eq!(at, now + LOCK_LIMIT);
                    assert_eq!(asked, 500);
                    // Granted after all, too late: it must not stay ours.
                    n.lock_reply(true, at);
                    assert_eq!(acts(&mut n), [Act::Unlock]);
                    return;
                }
                other => assert_eq!(other, Act::Lock, "never unlock what is not ours"),
            }
        }
        at = n.deadline().unwrap();
        n.tick(at);
    }
}

#[test]
fn a_failure_of_our_own_gives_the_lock_back() {
    let now = Instant::now();
    for after_offer in [false, true] {
        let mut n = settled(WS, now);
        n.want(Change::Voice, now);
        n.lock_reply(true, now);
        if after_offer {
            n.offered("v".into(), now);
        }
        acts(&mut n);
        n.broke(now);
        assert_eq!(
            acts(&mut n),
            [
                Act::Unlock,
                Act::NotPublished(Change::Voice, Failure::Broken)
            ]
        );
    }
}

#[test]
fn muting_while_the_lock_is_awaited_withdraws_and_returns_a_late_grant() {
    let now = Instant::now();
    let mut n = settled(WS, now);
    n.want(Change::Voice, now);
    n.withdraw(Change::Voice);
    assert_eq!(acts(&mut n), [Act::Lock]);
    n.lock_reply(true, now);
    assert_eq!(acts(&mut n), [Act::Unlock]);
    assert_eq!(n.deadline(), None);
}

#[test]
fn without_a_lock_glare_is_repaired_by_yielding() {
    let now = Instant::now();
    let old = Abilities {
        dc_signaling: false,
        lock: false,
    };
    let mut n = settled(old, now);
    n.want(Change::Voice, now);
    assert_eq!(acts(&mut n), [Act::Offer(Some(Change::Voice))]);
    n.offered("v".into(), now);
    acts(&mut n);
    n.remote("offer", "so".into(), Way::Socket);
    assert_eq!(acts(&mut n), [Act::Rollback, Act::Answer("so".into())]);
    n.answered("sa".into(), now);
    assert_eq!(
        acts(&mut n),
        [
            send("answer", "sa", Way::Socket),
            Act::Offer(Some(Change::Voice))
        ]
    );
    n.offered("v2".into(), now);
    n.remote("answer", "va".into(), Way::Socket);
    acts(&mut n);
    n.applied(now);
    assert_eq!(acts(&mut n), [Act::Published(Change::Voice)]);
}

#[test]
fn random_input_never_panics_and_never_unlocks_more_than_it_was_granted() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |n: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % n
    };
    for _ in 0..500 {
        let mut now = Instant::now();
        let abilities = Abilities {
            dc_signaling: random(2) == 0,
            lock: true,
        };
        let mut n = Negotiator::new(abilities);
        let (mut asked, mut owned) = (false, false);
        for _ in 0..200 {
            while let Some(act) = n.poll() {
                match act {
                    Act::Lock => asked = true,
                    Act::Unlock => {
                        assert!(owned, "unlock without owning");
                        owned = false;
                    }
                    Act::Offer(Some(Change::Voice)) => assert!(owned, "offer without the lock"),
                    _ => {}
                }
            }
            now += ms(random(2000));
            match random(12) {
                0 => n.want(Change::Voice, now),
                1 => n.withdraw(Change::Voice),
                2 => n.channel(random(4) > 0, now),
                3 => n.offered("o".into(), now),
                4 => n.answered("a".into(), now),
                5 => n.broke(now),
                6 => n.applied(now),
                7 => n.remote("offer", "o".into(), Way::Socket),
                8 => n.remote("answer", "a".into(), Way::Channel),
                9 => n.candidate(candidate("c")),
                10 if asked => {
                    asked = false;
                    let grant = !owned && random(2) == 0;
                    owned |= grant;
                    n.lock_reply(grant, now);
                }
                _ => n.tick(now),
            }
        }
    }
}
