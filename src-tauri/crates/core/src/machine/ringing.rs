//! Calls that come: which are shown, which ring, and when that ends.
//!
//! [`rules`] is the table of what forbids what. This file keeps, for each call, how far its ring is, and holds the
//! table against it after every input: so whatever happens (it was answered, dismissed, ended, the channel was muted,
//! the person went into do-not-disturb) ends the ring through the same few lines.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::alert::{AlertSettings, AlertWish, NoteKey, Ring, RingFor, Tone};
use crate::effect::Effect;
use crate::id::{CallId, ChannelId, Millis, UserId};
use crate::input::Now;
use crate::model::{CallState, ChannelKind, NotifyProps};
use crate::snapshot::MissedCall;

use super::directory::Directory;
use super::out::{Out, Part};

mod draw;
mod missed;
pub(crate) mod rules;
mod world;

pub(crate) use world::World;

use rules::{Turn, judge};

/// How long the notification of a call that does not ring stays, and the longest ring.
const STAYS: Duration = Duration::from_secs(30);

/// A ring outlives the connection by this much: shorter losses repair themselves unnoticed; after longer ones nobody
/// knows whether the caller still waits.
const CUT_OFF: Duration = Duration::from_secs(5);

/// How long "You answered on another device" is shown.
const ELSEWHERE: Duration = Duration::from_secs(2);

/// Cards at once. More calls than that at one moment are no calls but noise.
const CARDS: usize = 8;

/// Calls remembered as having been shown or dismissed. Older ones have ended long ago.
const REMEMBERED: usize = 1024;

/// Calls of one person in [`FLOOD_TIME`] that ring. People redial twice; a program does it a thousand times.
const RINGS_OF_ONE: usize = 3;

/// Calls of all people in [`FLOOD_TIME`] that ring or notify.
const RINGS_OF_ALL: usize = 10;

const FLOOD_TIME: Duration = Duration::from_secs(60);

/// The part of the machine that knows who calls us.
#[derive(Debug, Default)]
pub(crate) struct Ringing {
    /// Oldest first.
    cards: Vec<Card>,
    /// Calls that were shown once: they never ring again.
    shown: VecDeque<CallId>,
    /// Calls dismissed by us, here or elsewhere: never shown again.
    dismissed: VecDeque<CallId>,
    /// Who called, and when, in the last minute.
    callers: VecDeque<(UserId, Instant)>,
    /// What the shell was last told to do: something rings.
    sounds: bool,
    /// The server has told the state of a direct call, which those do that can decline (calls-v1-rest §28.1).
    declines: bool,
    /// Since when the link is lost.
    lost: Option<Instant>,
    /// When the computer woke up, by both clocks (the second is the server's).
    woke: Option<(Instant, Millis)>,
    /// Newest first.
    missed: Vec<MissedCall>,
    /// Those of them that a notification shows.
    missed_notes: Vec<CallId>,
    /// Minutes that our clock is ahead of UTC here.
    zone: i32,
}

/// A call that comes.
#[derive(Debug)]
struct Card {
    call: CallId,
    channel: ChannelId,
    caller: UserId,
    since_unix: Millis,
    sound: Sound,
    /// Its notification is to be withdrawn then.
    note: Option<Instant>,
    /// The ring is to end, whatever the table says.
    stop: Option<&'static str>,
    /// It was called too often.
    flood: bool,
    /// The person was to hear of it: it rang, or was shown as a notification.
    told: bool,
    /// It was answered on another device, and goes then.
    elsewhere: Option<Instant>,
}

/// How far a ring is. It goes down this list only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sound {
    /// Its turn comes when another stops; not later than then.
    Waits(Instant),
    /// Until then.
    Rings(Instant),
    /// Was, or never will be; why, for the log.
    Silent(&'static str),
}

impl Ringing {
    /// The computer has slept: what rang then rings no more, and what began then does not ring now.
    pub(crate) fn woke(&mut self, now: Instant, server_now: Millis) {
        self.silence("slept through");
        self.woke = Some((now, server_now));
    }

    /// The link is up, or lost.
    pub(crate) fn linked(&mut self, now: Instant, up: bool) {
        if up {
            self.lost = None;
        } else {
            self.lost.get_or_insert(now);
        }
    }

    /// Where we are: minutes ahead of UTC.
    pub(crate) fn zone(&mut self, minutes: i32) {
        self.zone = minutes.clamp(-24 * 60, 24 * 60);
    }

    /// The server tells states of direct calls, or has refused to decline one.
    pub(crate) fn can_decline(&mut self, can: bool, out: &mut Out) {
        if self.declines != can {
            self.declines = can;
            out.dirty(Part::Incoming);
        }
    }

    fn card(&self, channel: &ChannelId) -> Option<&Card> {
        self.cards
            .iter()
            .find(|card| card.channel == *channel && card.elsewhere.is_none())
    }

    /// Whether declining tells the caller.
    pub(crate) fn declinable(&self, channel: &ChannelId, directory: &Directory) -> bool {
        let direct = directory
            .channel(channel)
            .is_some_and(|channel| channel.kind == ChannelKind::Direct);
        self.declines && direct
    }

    /// This call is dismissed, with whichever client.
    pub(crate) fn dismiss(&mut self, call: &CallId) {
        remember(&mut self.dismissed, call);
    }

    /// The person dismisses the call of a channel here.
    pub(crate) fn dismiss_in(&mut self, channel: &ChannelId) -> bool {
        let Some(call) = self.card(channel).map(|card| card.call.clone()) else {
            return false;
        };
        self.dismiss(&call);
        true
    }

    /// We joined a call with another client: no ring goes on (calls-v1-rest §15.2).
    pub(crate) fn joined_elsewhere(&mut self) {
        self.silence("joined elsewhere");
    }

    /// Nothing rings any more; the cards stay.
    pub(crate) fn silence(&mut self, why: &'static str) {
        for card in &mut self.cards {
            card.stop = Some(why);
        }
    }

    /// Forgets everything, for another account.
    pub(crate) fn clear(&mut self, out: &mut Out) {
        for card in std::mem::take(&mut self.cards) {
            withdraw(card.note, &card.call, out);
        }
        self.attended(out);
        self.sound(None, out);
        *self = Self {
            zone: self.zone,
            ..Self::default()
        };
        out.dirty(Part::Incoming);
    }

    /// Holds the table against every call. Called after each input.
    pub(crate) fn settle(&mut self, now: Now, world: &World<'_>, out: &mut Out) {
        let had = !self.cards.is_empty();
        let instant = now.instant;
        while let Some((_, at)) = self.callers.front()
            && instant.saturating_duration_since(*at) >= FLOOD_TIME
        {
            self.callers.pop_front();
        }
        self.go(now, world, out);
        self.come(now, world, out);
        self.ring(now, world, out);
        // Drawn anew while there are any: who is in them and where we are changes too.
        if had || !self.cards.is_empty() {
            out.dirty(Part::Incoming);
        }
    }

    /// Takes away what is no incoming call any more, and what has been shown long enough.
    fn go(&mut self, now: Now, world: &World<'_>, out: &mut Out) {
        let instant = now.instant;
        for mut card in std::mem::take(&mut self.cards) {
            if let Some(until) = card.elsewhere {
                if instant < until {
                    self.cards.push(card);
                }
                continue;
            }
            let call = world.directory.calls.running(&card.channel);
            let Some(call) = call.filter(|call| call.id == card.call) else {
                withdraw(card.note, &card.call, out);
                if !self.dismissed.contains(&card.call) {
                    self.miss(now, world, &card, out);
                }
                continue;
            };
            let facts = self.facts(now, world, call, card.flood);
            if !judge(&facts).card {
                withdraw(card.note, &card.call, out);
                // Whoever leaves it again knows of it.
                remember(&mut self.dismissed, &card.call);
                if facts.joined && world.our_call != Some(&card.channel) && !facts.dismissed {
                    card.elsewhere = Some(instant + ELSEWHERE);
                    card.sound = Sound::Silent("answered elsewhere");
                    card.note = None;
                    self.cards.push(card);
                }
                continue;
            }
            if card.note.is_some_and(|until| instant >= until) {
                withdraw(card.note.take(), &card.call, out);
            }
            self.cards.push(card);
        }
    }

    /// Takes in what has become an incoming call.
    fn come(&mut self, now: Now, world: &World<'_>, out: &mut Out) {
        let mut fresh: Vec<&CallState> = world
            .directory
            .calls
            .all()
            .filter(|call| {
                !call.id.is_empty() && !self.cards.iter().any(|card| card.call == call.id)
            })
            .collect();
        fresh.sort_by_key(|call| (call.start_at, call.id.clone()));
        for call in fresh {
            if self.cards.len() >= CARDS {
                break;
            }
            let again = self.shown.contains(&call.id);
            // Judged without the flood first: who is no caller at all is not counted as one.
            if !judge(&self.facts(now, world, call, false)).card {
                continue;
            }
            let flood = !again && self.floods(now.instant, &call.owner);
            let verdict = judge(&self.facts(now, world, call, flood));
            let until = now.instant + Duration::from_secs(world.settings.ring_for.seconds().into());
            let sound = match verdict.ring {
                _ if again => Sound::Silent("has rung before"),
                Turn::Now => Sound::Waits(until),
                Turn::Later => Sound::Waits(until),
                Turn::Never(why) => Sound::Silent(why),
            };
            remember(&mut self.shown, &call.id);
            let mut card = Card {
                call: call.id.clone(),
                channel: call.channel.clone(),
                caller: call.owner.clone(),
                since_unix: now.unix,
                sound,
                note: None,
                stop: None,
                flood,
                told: verdict.note || !matches!(verdict.ring, Turn::Never(_)),
                elsewhere: None,
            };
            if verdict.note && !again {
                card.note = Some(now.instant + STAYS);
                let note = self.note(world, &card, verdict);
                out.push(Effect::Alert(AlertWish::Show(Box::new(note))));
            }
            tracing::info!(call = %card.call, sound = ?card.sound, "a call comes in");
            self.cards.push(card);
        }
    }

    /// Counts a caller; true when they, or all together, have called too often.
    fn floods(&mut self, now: Instant, caller: &UserId) -> bool {
        let of_one = self.callers.iter().filter(|(one, _)| one == caller).count();
        let flood = of_one >= RINGS_OF_ONE || self.callers.len() >= RINGS_OF_ALL;
        // What has flooded need not be counted further; the list stays short.
        if self.callers.len() < 4 * RINGS_OF_ALL {
            self.callers.push_back((caller.clone(), now));
        }
        flood
    }

    /// Stops what may not ring, and lets the oldest that may ring do so.
    fn ring(&mut self, now: Now, world: &World<'_>, out: &mut Out) {
        let mut ringing = None;
        for at in 0..self.cards.len() {
            let card = &self.cards[at];
            let (Sound::Waits(until) | Sound::Rings(until)) = card.sound else {
                continue;
            };
            let call = world.directory.calls.running(&card.channel);
            let why = match call {
                _ if card.stop.is_some() => card.stop,
                _ if now.instant >= until => Some("long enough"),
                None => Some("ended"),
                Some(call) => match judge(&self.facts(now, world, call, card.flood)).ring {
                    Turn::Never(why) => Some(why),
                    Turn::Now | Turn::Later => None,
                },
            };
            let card = &mut self.cards[at];
            match (card.sound, why) {
                (sound, Some(why)) => {
                    if matches!(sound, Sound::Rings(_)) {
                        tracing::info!(call = %card.call, why, "the ring ends");
                        let (note, call) = (card.note.take(), card.call.clone());
                        withdraw(note, &call, out);
                    }
                    self.cards[at].sound = Sound::Silent(why);
                }
                (Sound::Rings(_), None) => ringing = Some(at),
                _ => {}
            }
        }
        // The one that rings goes on; else the oldest that waits has its turn.
        let turn = ringing.or_else(|| {
            self.cards
                .iter()
                .position(|card| matches!(card.sound, Sound::Waits(_)))
        });
        if let Some(at) = turn
            && let Sound::Waits(until) = self.cards[at].sound
        {
            self.cards[at].sound = Sound::Rings(until);
            let left = until.saturating_duration_since(now.instant);
            let ring = ring_of(world, left);
            self.sounds = false;
            self.sound(Some(ring), out);
        } else if turn.is_none() {
            self.sound(None, out);
        }
    }

    /// Tells the shell, if that is anything new.
    fn sound(&mut self, ring: Option<Ring>, out: &mut Out) {
        match ring {
            Some(ring) if !self.sounds => {
                self.sounds = true;
                out.push(Effect::Alert(AlertWish::Ring(ring)));
            }
            None if self.sounds => {
                self.sounds = false;
                out.push(Effect::Alert(AlertWish::Silence));
            }
            _ => {}
        }
    }

    /// When the table must be held against the calls again.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let cut_off = self
            .lost
            .map(|since| since + CUT_OFF)
            .filter(|_| self.sounds);
        self.cards
            .iter()
            .flat_map(|card| {
                let sound = match card.sound {
                    Sound::Waits(until) | Sound::Rings(until) => Some(until),
                    Sound::Silent(_) => None,
                };
                [sound, card.note, card.elsewhere]
            })
            .flatten()
            .chain(cut_off)
            .min()
    }

    /// The call that rings now.
    pub(crate) fn poll_ring(&self) -> Option<&CallId> {
        self.cards
            .iter()
            .find(|card| matches!(card.sound, Sound::Rings(_)))
            .map(|card| &card.call)
    }
}

/// The tone that the person has chosen.
pub(crate) fn tone(props: &NotifyProps, settings: &AlertSettings) -> Tone {
    settings
        .tone
        .unwrap_or_else(|| Tone::named(props.calls_tone()))
}

fn ring_of(world: &World<'_>, left: Duration) -> Ring {
    Ring {
        tone: tone(world.props, world.settings),
        volume: world.settings.volume,
        device: world.settings.device.clone(),
        seconds: u16::try_from(left.as_secs().max(1)).unwrap_or(u16::MAX),
        once: world.settings.ring_for == RingFor::Once,
    }
}

fn withdraw(note: Option<Instant>, call: &CallId, out: &mut Out) {
    if note.is_some() {
        out.push(Effect::Alert(AlertWish::Withdraw(NoteKey::Call(
            call.clone(),
        ))));
    }
}

fn remember(list: &mut VecDeque<CallId>, call: &CallId) {
    if list.contains(call) {
        return;
    }
    if list.len() >= REMEMBERED {
        list.pop_front();
    }
    list.push_back(call.clone());
}

/// Minute of the local day, 0 to 1439.
pub(crate) fn minute_of_day(unix: Millis, zone: i32) -> u16 {
    let minutes = unix.div_euclid(60_000).saturating_add(zone.into());
    u16::try_from(minutes.rem_euclid(24 * 60)).unwrap_or(0)
}
