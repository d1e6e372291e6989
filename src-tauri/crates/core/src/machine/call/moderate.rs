//! What a host may do, and ending the call for everyone.

use std::time::{Duration, Instant};

use crate::command::HostAction;
use crate::id::{Millis, SessionId, UserId};
use crate::input::Now;
use crate::port::{Request, RequestError};

use super::super::account::detailed;
use super::super::directory::Directory;
use super::super::notices::Draft;
use super::super::out::{Asked, Out, Part};
use super::{Call, Current};

/// How long ending a call for everyone can be taken back.
const UNDO: Duration = Duration::from_secs(3);

/// A call that is about to end for everyone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) due: Instant,
    /// The same by our clock.
    pub(super) at: Millis,
}

impl Current {
    /// Host, or administrator of the server: whom the server lets control a call.
    pub(super) fn controls(&self, directory: &Directory) -> bool {
        self.session.is_some() && (self.host() == Some(directory.me()) || directory.is_admin())
    }

    /// As [`Current::controls`], where the server has the host's controls at all.
    pub(super) fn moderates(&self, directory: &Directory) -> bool {
        let licensed = directory
            .calls
            .config()
            .is_some_and(|one| one.host_controls);
        licensed && self.controls(directory)
    }
}

/// Whom it is about, if about one.
fn target(action: &HostAction) -> Option<&SessionId> {
    match action {
        HostAction::Mute { session }
        | HostAction::StopShare { session }
        | HostAction::LowerHand { session }
        | HostAction::Remove { session } => Some(session),
        HostAction::MakeHost { .. } | HostAction::MuteOthers => None,
    }
}

impl Call {
    /// A person uses one of the host's controls.
    pub(crate) fn moderate(
        &mut self,
        now: Instant,
        action: HostAction,
        directory: &Directory,
        out: &mut Out,
    ) {
        let Some(current) = &mut self.current else {
            return;
        };
        if !current.moderates(directory) {
            out.notices.raise(now, Draft::new("call.not_host"));
            return;
        }
        let here = |session: &SessionId| current.participant(session).is_some();
        if target(&action).is_some_and(|session| !here(session)) {
            return; // They have left meanwhile.
        }
        out.notices.solve("call.host_refused");
        let busy = current.busied(&action);
        current.busy.extend(busy);
        let why = Asked::Moderate(action.clone());
        let channel = current.channel.clone();
        if !out.waits(|asked| *asked == why) {
            out.ask(why, Request::Moderate { channel, action });
        }
        out.dirty(Part::Call);
    }

    /// The server has, or has not, done what the host asked for.
    pub(crate) fn moderated(
        &mut self,
        now: Instant,
        action: &HostAction,
        error: Option<&RequestError>,
        directory: &Directory,
        out: &mut Out,
    ) {
        let Some(current) = &mut self.current else {
            return;
        };
        for session in current.busied(action) {
            current.busy.remove(&session);
        }
        out.dirty(Part::Call);
        if let Some(error) = error {
            let name = target(action)
                .and_then(|session| current.participant(session))
                .map(|one| directory.call_name_of(&one.user))
                .unwrap_or_default();
            let notice = Draft::new("call.host_refused").value("name", name);
            out.notices.raise(now, detailed(notice, error));
        }
    }

    /// A person ends the call for everyone: in three seconds.
    pub(crate) fn end(&mut self, now: Now, directory: &Directory, out: &mut Out) {
        let Some(current) = &mut self.current else {
            out.notices.raise(now.instant, Draft::new("call.not_here"));
            return;
        };
        if !current.controls(directory) {
            out.notices.raise(now.instant, Draft::new("call.not_host"));
            return;
        }
        current.ending.get_or_insert(Ending {
            due: now.instant + UNDO,
            at: now.unix + i64::try_from(UNDO.as_millis()).unwrap_or(0),
        });
        out.notices.solve("call.ended_not");
        out.dirty(Part::Call);
    }

    /// … but not after all.
    pub(crate) fn undo_end(&mut self, out: &mut Out) {
        if let Some(current) = &mut self.current {
            current.ending = None;
            out.dirty(Part::Call);
        }
    }

    /// Ends the call, its time being up. What follows comes from the server, as for everybody.
    pub(super) fn end_if_due(&mut self, now: Instant, out: &mut Out) {
        let Some(current) = &mut self.current else {
            return;
        };
        if current.ending.is_some_and(|ending| ending.due <= now) {
            current.ending = None;
            let channel = current.channel.clone();
            out.ask(Asked::EndCall, Request::EndCall(channel));
            out.dirty(Part::Call);
        }
    }

    /// The server did not end the call.
    pub(crate) fn not_ended(now: Instant, error: &RequestError, out: &mut Out) {
        out.notices
            .raise(now, detailed(Draft::new("call.ended_not"), error));
    }
}

impl Current {
    /// The sessions that show that something is on its way to them.
    fn busied(&self, action: &HostAction) -> Vec<SessionId> {
        let of = |user: &UserId| {
            let theirs = self.participants.iter().filter(|one| one.user == *user);
            theirs.map(|one| one.session.clone()).collect()
        };
        match action {
            HostAction::MakeHost { user } => of(user),
            HostAction::MuteOthers => Vec::new(),
            _ => target(action).cloned().into_iter().collect(),
        }
    }
}
