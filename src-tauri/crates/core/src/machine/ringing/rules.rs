//! What a call does when it comes: one table for all that forbids a ring, a notification or a card
//! (calls-v1-rest §15.1, §15.3, §15.4, §15.8).

/// What is so at this moment, as far as it matters for a call that comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// `EnableRinging` is off, and the channel is not one that the person wants to ring.
    pub(crate) ringing_off: bool,
    /// We started it.
    pub(crate) own: bool,
    /// We are in it, with whichever client.
    pub(crate) joined: bool,
    /// We have dismissed it, with whichever client.
    pub(crate) dismissed: bool,
    /// Not a direct or group channel, and not chosen by the person.
    pub(crate) elsewhere: bool,
    /// We are not in that channel.
    pub(crate) stranger: bool,
    /// The person does not want to hear of the caller.
    pub(crate) blocked: bool,
    /// The server may not ring.
    pub(crate) no_rings: bool,
    /// The server may not notify.
    pub(crate) no_notes: bool,
    /// The person has muted the channel.
    pub(crate) muted: bool,
    /// Do not disturb, or out of office.
    pub(crate) busy: bool,
    /// User setting `desktop` = `none`.
    pub(crate) desktop_none: bool,
    /// User setting `calls_desktop_sound` = `false`.
    pub(crate) ring_off: bool,
    /// Channel setting `desktop` = `none`.
    pub(crate) channel_none: bool,
    /// Channel setting `desktop_sound` = `off`, or user setting `desktop_sound` = `false`.
    pub(crate) note_silent: bool,
    /// The person wants no notifications of calls on this computer.
    pub(crate) notes_off: bool,
    /// Quiet hours.
    pub(crate) quiet: bool,
    /// A whole screen of ours is shared, and notifications are held back meanwhile.
    pub(crate) shown: bool,
    /// The system is set to do not disturb.
    pub(crate) system_quiet: bool,
    /// It began while the computer slept, too long ago to be answered in time.
    pub(crate) slept: bool,
    /// We are in a call, or joining one.
    pub(crate) in_call: bool,
    /// Another call rings.
    pub(crate) another_rings: bool,
    /// The caller has called too often in the last minute.
    pub(crate) flood: bool,
    /// Our window has the person's attention.
    pub(crate) in_front: bool,
    /// The connection has been lost for too long to know whether the call still goes on.
    pub(crate) cut_off: bool,
}

/// What a fact forbids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// For logs and tests.
    pub(crate) name: &'static str,
    holds: fn(&Facts) -> bool,
    forbids: Forbids,
}

/// Which of the three, or only the notification's sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Forbids {
    /// It is no incoming call.
    Card,
    /// Card only.
    RingAndNote,
    Ring,
    Note,
    /// The ring for now: it may take its turn.
    RingForNow,
    NoteSound,
}

/// Everything that forbids anything.
pub(crate) const RULES: &[Rule] = &[
    rule(
        "ringing is off on the server",
        |f| f.ringing_off,
        Forbids::Card,
    ),
    rule("our own call", |f| f.own, Forbids::Card),
    rule("joined, here or elsewhere", |f| f.joined, Forbids::Card),
    rule(
        "dismissed, here or elsewhere",
        |f| f.dismissed,
        Forbids::Card,
    ),
    rule(
        "not a direct or group channel",
        |f| f.elsewhere,
        Forbids::Card,
    ),
    rule("not a member", |f| f.stranger, Forbids::Card),
    rule("caller blocked", |f| f.blocked, Forbids::Card),
    rule("the server may not ring", |f| f.no_rings, Forbids::Ring),
    rule("the server may not notify", |f| f.no_notes, Forbids::Note),
    rule("channel muted", |f| f.muted, Forbids::RingAndNote),
    rule(
        "do not disturb or out of office",
        |f| f.busy,
        Forbids::RingAndNote,
    ),
    rule(
        "user desktop = none",
        |f| f.desktop_none,
        Forbids::RingAndNote,
    ),
    rule("quiet hours", |f| f.quiet, Forbids::RingAndNote),
    rule(
        "the system is set to do not disturb",
        |f| f.system_quiet,
        Forbids::RingAndNote,
    ),
    rule("slept through", |f| f.slept, Forbids::Ring),
    rule("called too often", |f| f.flood, Forbids::RingAndNote),
    rule(
        "user calls_desktop_sound = false",
        |f| f.ring_off,
        Forbids::Ring,
    ),
    rule("in a call", |f| f.in_call, Forbids::Ring),
    rule("connection lost", |f| f.cut_off, Forbids::Ring),
    rule(
        "another call rings",
        |f| f.another_rings,
        Forbids::RingForNow,
    ),
    rule("channel desktop = none", |f| f.channel_none, Forbids::Note),
    rule("notifications of calls off", |f| f.notes_off, Forbids::Note),
    rule("window in front", |f| f.in_front, Forbids::Note),
    rule("our screen is shown", |f| f.shown, Forbids::Note),
    rule(
        "notification sound off",
        |f| f.note_silent,
        Forbids::NoteSound,
    ),
];

const fn rule(name: &'static str, holds: fn(&Facts) -> bool, forbids: Forbids) -> Rule {
    Rule {
        name,
        holds,
        forbids,
    }
}

/// What a call may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// It is shown as an incoming call.
    pub(crate) card: bool,
    /// As a notification of the system.
    pub(crate) note: bool,
    /// Which may make its own sound.
    pub(crate) note_sound: bool,
    /// It may ring.
    pub(crate) ring: Turn,
}

/// Whether it may ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Now.
    Now,
    /// When the one that rings has stopped.
    Later,
    /// Not at all, and why.
    Never(&'static str),
}

/// Judges by the table.
pub(crate) fn judge(facts: &Facts) -> Verdict {
    let mut verdict = Verdict {
        card: true,
        note: true,
        note_sound: true,
        ring: Turn::Now,
    };
    for rule in RULES.iter().filter(|rule| (rule.holds)(facts)) {
        let never = Turn::Never(rule.name);
        match rule.forbids {
            Forbids::Card => {
                verdict.card = false;
                verdict.note = false;
                verdict.ring = never;
            }
            Forbids::RingAndNote => {
                verdict.note = false;
                verdict.ring = never;
            }
            Forbids::Ring => verdict.ring = never,
            Forbids::RingForNow if verdict.ring == Turn::Now => verdict.ring = Turn::Later,
            Forbids::RingForNow => {}
            Forbids::Note => verdict.note = false,
            Forbids::NoteSound => verdict.note_sound = false,
        }
    }
    verdict
}
