//! A direct call of ours that nobody has answered yet: what the caller hears and sees meanwhile (calls-v1-rest §28.2,
//! §28.3). Older servers know nothing of it, so it is worked out here from who is in the call.

use std::time::{Duration, Instant};

use crate::alert::AlertWish;
use crate::effect::Effect;
use crate::id::{DeviceId, Millis};
use crate::input::Now;
use crate::model::{ChannelKind, Post, PostKind};
use crate::snapshot::Calling;

use super::super::Machine;
use super::super::directory::Directory;
use super::super::notices::Draft;
use super::super::out::{Out, Part};
use super::Call;

/// How long the other side rings; after it, nobody is likely to come.
const RINGS: Duration = Duration::from_secs(30);

/// How long after the end of a call it is said what became of it, milliseconds. Older cards change for other reasons.
const FRESH: Millis = 30_000;

/// How far our calling is, in the present call.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Since when we call.
    since: Option<Instant>,
    /// Somebody came: it never begins again in this call.
    answered: bool,
    /// The time is over.
    unanswered: bool,
    /// The person waits on, and wants to be asked no more.
    patient: bool,
}

impl Outgoing {
    pub(super) fn draw(&self) -> Option<Calling> {
        (self.since.is_some() && !self.answered).then_some(Calling {
            unanswered: self.unanswered && !self.patient,
        })
    }

    /// When the time is over.
    fn ends(&self) -> Option<Instant> {
        self.since
            .filter(|_| !self.answered && !self.unanswered)
            .map(|since| since + RINGS)
    }
}

impl Call {
    /// Holds who is in the call against what the caller hears. Called after each input.
    pub(crate) fn settle_calling(
        &mut self,
        now: Instant,
        directory: &Directory,
        output: Option<&DeviceId>,
        out: &mut Out,
    ) {
        let mut sounds = false;
        if let Some(current) = &mut self.current {
            let before = current.outgoing.draw();
            let me = directory.me();
            let ours = current
                .state
                .as_ref()
                .is_some_and(|state| state.owner == *me);
            let going = &mut current.outgoing;
            if current.participants.iter().any(|one| one.user != *me) {
                going.answered = true;
            }
            if current.kind == ChannelKind::Direct && ours && current.session.is_some() {
                let since = *going.since.get_or_insert(now);
                going.unanswered |= now.saturating_duration_since(since) >= RINGS;
            }
            let after = going.draw();
            sounds = after.is_some()
                && !going.unanswered
                && directory
                    .calls
                    .config()
                    .is_some_and(|config| config.ringing);
            if before != after {
                out.dirty(Part::Call);
            }
        }
        if sounds != self.ringback {
            self.ringback = sounds;
            let device = sounds.then(|| output.cloned());
            out.push(Effect::Alert(AlertWish::Ringback(device)));
        }
    }

    /// The person waits on.
    pub(crate) fn keep_calling(&mut self, out: &mut Out) {
        if let Some(current) = &mut self.current {
            current.outgoing.patient = true;
            out.dirty(Part::Call);
        }
    }

    /// When the other side stops ringing.
    pub(crate) fn calling_ends(&self) -> Option<Instant> {
        self.current
            .as_ref()
            .and_then(|current| current.outgoing.ends())
    }
}

impl Machine {
    /// A post has changed. The card of a direct call of ours tells what became of it (calls-v1-rest §28.3).
    pub(in crate::machine) fn call_told(&mut self, now: Now, post: &Post) {
        let PostKind::Call(call) = &post.kind else {
            return;
        };
        let ours = post.author == *self.directory.me();
        let late = self.clock.server_now(now.unix).saturating_sub(call.end_at) > FRESH;
        let code = match call.status.as_str() {
            "declined" => "call.declined",
            "no_answer" => "call.no_answer",
            _ => return,
        };
        if ours && !late {
            let channel = self.directory.channel(&post.channel);
            let name = channel
                .map(|channel| self.directory.channel_name(channel))
                .unwrap_or_default();
            let notice = Draft::new(code).value("name", name);
            self.out.notices.raise(now.instant, notice);
        }
    }
}
