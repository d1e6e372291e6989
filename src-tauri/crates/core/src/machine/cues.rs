//! The short sounds of a call, from what has changed in its picture (calls-v1-rest §10.4).

use crate::alert::{AlertSettings, Cue};
use crate::id::UserId;
use crate::snapshot::{Call, CallPhase, Microphone};

/// What is heard when the picture of our call changes from one to the other.
pub(crate) fn heard(before: &Call, after: &Call, settings: &AlertSettings) -> Vec<Cue> {
    let mut cues = Vec::new();
    match (is_in(before), is_in(after)) {
        // Whoever calls hears that it rings at the other end (calls-v1-rest §28.2).
        (false, true) if after.calling.is_some() => {}
        (false, true) => cues.push(Cue::JoinSelf),
        (true, false) => cues.push(Cue::Leave),
        (true, true) if before.channel == after.channel => {
            within(before, after, settings, &mut cues)
        }
        _ => {}
    }
    cues
}

fn within(before: &Call, after: &Call, settings: &AlertSettings, cues: &mut Vec<Cue>) {
    let me = after
        .participants
        .iter()
        .find(|one| one.me)
        .map(|one| &one.user);
    let came = users(after)
        .into_iter()
        .any(|user| Some(user) != me && !users(before).contains(&user));
    // Before the first picture of the call all are new.
    let crowd = users(after).len() >= usize::from(settings.join_crowd);
    if came && settings.join_cue && !before.participants.is_empty() && !crowd {
        cues.push(Cue::JoinOther);
    }
    let new = |holds: fn(&crate::snapshot::ParticipantRow) -> bool| {
        after.participants.iter().any(|one| {
            let was = before
                .participants
                .iter()
                .find(|old| old.session == one.session);
            !one.me && holds(one) && was.is_some_and(|old| !holds(old))
        })
    };
    if settings.hand_cue && new(|one| one.hand_raised_at.is_some()) {
        cues.push(Cue::Hand);
    }
    if new(|one| one.sharing) {
        cues.push(Cue::Share);
    }
    let records = |call: &Call| call.recording.as_ref().is_some_and(|it| it.runs);
    if settings.record_cue && records(after) && !records(before) {
        cues.push(Cue::Record);
    }
    if settings.mute_cue {
        match (before.microphone, after.microphone) {
            (Microphone::Open, Microphone::Muted) => cues.push(Cue::Mute),
            (Microphone::Muted | Microphone::Opening, Microphone::Open) => cues.push(Cue::Unmute),
            _ => {}
        }
    }
}

fn is_in(call: &Call) -> bool {
    matches!(call.phase, CallPhase::Live | CallPhase::Reconnecting { .. })
}

fn users(call: &Call) -> Vec<&UserId> {
    let mut seen = Vec::new();
    for one in &call.participants {
        if !seen.contains(&&one.user) {
            seen.push(&one.user);
        }
    }
    seen
}
