//! A call that comes, as a notification and as the popup show it.

use crate::alert::{Note, NoteButton, NoteKey, Words, plain};
use crate::model::ChannelKind;
use crate::snapshot::{Incoming, IncomingCall};

use super::rules::Verdict;
use super::{Card, RINGS_OF_ONE, Ringing, Sound, World};

impl Ringing {
    pub(super) fn note(&self, world: &World<'_>, card: &Card, verdict: Verdict) -> Note {
        let directory = world.directory;
        let caller = plain(&directory.call_name_of(&card.caller), 60);
        let place = directory.channel(&card.channel);
        let title = match place {
            Some(place) if place.kind != ChannelKind::Direct => {
                plain(&directory.channel_name(place), 120)
            }
            _ => caller.clone(),
        };
        let mut buttons = vec![NoteButton::Join];
        buttons.push(if self.declinable(&card.channel, directory) {
            NoteButton::Decline
        } else {
            NoteButton::Ignore
        });
        Note {
            server: None,
            key: NoteKey::Call(card.call.clone()),
            channel: Some(card.channel.clone()),
            title: Words::Plain(title),
            body: Words::Invites { name: caller },
            // The ring is the sound; without one the system may make its own.
            silent: !verdict.note_sound || matches!(card.sound, Sound::Waits(_)),
            buttons,
        }
    }

    /// What the popup shows.
    pub(crate) fn draw(&self, world: &World<'_>) -> Incoming {
        let directory = world.directory;
        let calls = self.cards.iter().map(|card| {
            let place = directory.channel(&card.channel);
            let running = directory.calls.running(&card.channel);
            let mut users = Vec::new();
            for one in running.iter().flat_map(|call| &call.participants) {
                if !users.contains(&one.user) && one.user != *directory.me() {
                    users.push(one.user.clone());
                }
            }
            let kind = place.map_or(ChannelKind::Direct, |place| place.kind);
            let floods = card.flood
                && self
                    .callers
                    .iter()
                    .filter(|(one, _)| *one == card.caller)
                    .count()
                    >= RINGS_OF_ONE;
            IncomingCall {
                server: None,
                call: card.call.to_string(),
                channel: card.channel.clone(),
                kind,
                place: place
                    .map(|place| plain(&directory.channel_name(place), 120))
                    .unwrap_or_default(),
                caller: card.caller.clone(),
                name: plain(&directory.call_name_of(&card.caller), 60),
                users,
                since: card.since_unix,
                ringing: matches!(card.sound, Sound::Rings(_)),
                declinable: self.declinable(&card.channel, directory),
                in_call: world.our_call.is_some() || world.other_call,
                elsewhere: card.elsewhere.is_some(),
                offer_block: floods,
            }
        });
        Incoming {
            calls: calls.collect(),
            missed: self.missed.clone(),
        }
    }
}
