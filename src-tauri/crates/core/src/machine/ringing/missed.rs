//! Calls that ended before anybody of us answered: listed in the window, and told by a notification until the person is
//! back at it.

use crate::alert::{AlertWish, Note, NoteButton, NoteKey, Words, plain};
use crate::effect::Effect;
use crate::id::ChannelId;
use crate::input::Now;
use crate::model::Presence;
use crate::snapshot::MissedCall;

use super::super::out::{Out, Part};
use super::{Card, Ringing, World, minute_of_day};

/// Missed calls that are listed. Whoever missed more looks into the channels anyway.
const MISSED: usize = 20;

impl Ringing {
    /// The person is back at the window, which lists what was missed.
    pub(crate) fn attended(&mut self, out: &mut Out) {
        for call in self.missed_notes.drain(..) {
            out.push(Effect::Alert(AlertWish::Withdraw(NoteKey::Missed(call))));
        }
    }

    /// The person knows of the calls that were missed.
    pub(crate) fn forget_missed(&mut self, out: &mut Out) {
        self.attended(out);
        self.missed.clear();
        out.dirty(Part::Incoming);
    }

    /// The person was in that channel's call, or reads it: nothing there is missed any more.
    pub(crate) fn seen(&mut self, channel: &ChannelId, out: &mut Out) {
        let before = self.missed.len();
        self.missed.retain(|missed| missed.channel != *channel);
        if self.missed.len() != before {
            out.dirty(Part::Incoming);
        }
    }

    /// A call ended before anybody of us answered.
    pub(super) fn miss(&mut self, now: Now, world: &World<'_>, card: &Card, out: &mut Out) {
        let name = plain(&world.directory.call_name_of(&card.caller), 60);
        self.missed.insert(
            0,
            MissedCall {
                server: None,
                call: card.call.to_string(),
                channel: card.channel.clone(),
                caller: card.caller.clone(),
                name: name.clone(),
                at: now.unix,
            },
        );
        self.missed.truncate(MISSED);
        out.dirty(Part::Incoming);
        let busy = matches!(
            world.directory.presence(world.directory.me()),
            Presence::Dnd | Presence::Ooo
        );
        let quiet = world
            .settings
            .quiet
            .hold(minute_of_day(now.unix, self.zone));
        let told = card.told && world.settings.call_notes && !world.in_front;
        if !told || busy || quiet || world.system_quiet || world.shown {
            return;
        }
        if self.missed_notes.len() >= MISSED {
            let oldest = self.missed_notes.remove(0);
            out.push(Effect::Alert(AlertWish::Withdraw(NoteKey::Missed(oldest))));
        }
        self.missed_notes.push(card.call.clone());
        out.push(Effect::Alert(AlertWish::Show(Box::new(Note {
            server: None,
            key: NoteKey::Missed(card.call.clone()),
            channel: Some(card.channel.clone()),
            title: Words::Plain(name.clone()),
            body: Words::Missed { name },
            silent: true,
            buttons: vec![NoteButton::CallBack],
        }))));
    }
}
