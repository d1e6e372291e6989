//! Who is in our call: coming, going, hands, and whose call it is.

use crate::effect::{CallWish, ClientEvent, Effect, MediaWish};
use crate::id::{Millis, SessionId, UserId};
use crate::input::Now;
use crate::model::{CallState, Participant};
use crate::port::CallIntent;

use super::super::clock::ServerClock;
use super::super::directory::Directory;
use super::super::notices::Draft;
use super::super::out::{Out, Part};
use super::{Call, Current};

impl Call {
    /// Takes the whole state in place of everything known.
    pub(super) fn replace(
        &mut self,
        now_is: Now,
        mut state: CallState,
        directory: &mut Directory,
        clock: &ServerClock,
        out: &mut Out,
    ) {
        let Some(current) = &mut self.current else {
            return;
        };
        let fresh = std::mem::take(&mut state.participants);
        let old = std::mem::take(&mut current.participants);
        // Those we know stay in their order; the server's is random.
        let mut now: Vec<Participant> = old
            .iter()
            .filter_map(|one| fresh.iter().find(|new| new.session == one.session).cloned())
            .collect();
        for one in fresh {
            if !now.iter().any(|known| known.session == one.session) {
                now.push(one);
            }
        }
        // A state from before our joining does not know us yet; what ends our call is another event.
        if let Some(me) = old.into_iter().find(|one| current.is_me(&one.session))
            && !now.iter().any(|one| one.session == me.session)
        {
            now.push(me);
        }
        current
            .speaking
            .retain(|session| now.iter().any(|one| one.session == *session));
        current.participants = now;
        if current
            .state
            .as_ref()
            .is_none_or(|old| old.host != state.host)
        {
            // When it changed nobody says: the time known, else the beginning (calls-v1-rest §7).
            current.host_since = current.host_since.max(state.start_at);
        }
        let (recording, captions) = (state.recording.take(), state.captions.take());
        current.captions.take(captions);
        current.state = Some(state);
        let here = current.participants.clone();
        for one in &here {
            self.arrived(one, directory, out);
        }
        self.recording(now_is, recording, directory, clock, out);
        out.dirty(Part::Call);
        out.dirty(Part::Directory);
    }

    /// Somebody is here: their name, and how loud we hear them.
    pub(super) fn arrived(&self, one: &Participant, directory: &mut Directory, out: &mut Out) {
        directory.see(&one.user);
        if let Some(percent) = self.volumes.get(&one.user) {
            out.push(Effect::Media(MediaWish::Volume(
                one.session.clone(),
                *percent,
            )));
        }
        out.tell(ClientEvent::Participant {
            session: one.session.clone(),
            user: one.user.clone(),
            name: directory.call_name_of(&one.user),
            joined: true,
        });
    }

    pub(super) fn joined(
        &mut self,
        now: Now,
        one: Participant,
        directory: &mut Directory,
        out: &mut Out,
    ) {
        let Some(current) = &mut self.current else {
            return;
        };
        if current.participant(&one.session).is_some() {
            return;
        }
        let told = current.connected && one.user != *directory.me();
        current.participants.push(one.clone());
        self.arrived(&one, directory, out);
        if told {
            let name = directory.call_name_of(&one.user);
            out.notices
                .raise(now.instant, Draft::new("call.joined").value("name", name));
        }
        out.dirty(Part::Call);
        out.dirty(Part::Directory);
    }

    pub(super) fn left(
        &mut self,
        now: Now,
        session: &SessionId,
        directory: &Directory,
        out: &mut Out,
    ) {
        let Some(current) = &mut self.current else {
            return;
        };
        // Our own going is told by the end of the call.
        if current.is_me(session) {
            return;
        }
        let Some(at) = current
            .participants
            .iter()
            .position(|one| one.session == *session)
        else {
            return;
        };
        let one = current.participants.remove(at);
        current.speaking.remove(session);
        current.reactions.forget(session);
        current.captions.forget(session);
        current.busy.remove(session);
        if let Some(state) = &mut current.state
            && state.sharing.as_ref() == Some(session)
        {
            state.sharing = None;
        }
        let name = directory.call_name_of(&one.user);
        out.tell(ClientEvent::Participant {
            session: one.session,
            user: one.user.clone(),
            name: name.clone(),
            joined: false,
        });
        let told = self.preferences.left_notes && current.connected;
        if told && one.user != *directory.me() {
            out.notices
                .raise(now.instant, Draft::new("call.left").value("name", name));
        }
        out.dirty(Part::Call);
        out.dirty(Part::Directory);
    }

    pub(crate) fn raise_hand(
        &mut self,
        raised: bool,
        clock: &ServerClock,
        unix: Millis,
        out: &mut Out,
    ) {
        let Some(current) = &mut self.current else {
            return;
        };
        current.hand = raised;
        self.spoken.forget();
        let at = raised.then(|| clock.server_now(unix));
        if let Some(me) = current.session.clone()
            && let Some(one) = current
                .participants
                .iter_mut()
                .find(|one| one.session == me)
        {
            // At once by our clock, corrected by the server's event (calls-v1-rest §11.4).
            one.hand_raised_at = at;
        }
        let intent = CallIntent::RaiseHand(raised);
        out.push(Effect::Call(current.number, CallWish::Apply(intent)));
        out.dirty(Part::Call);
    }

    pub(super) fn hand(
        &mut self,
        now: Now,
        session: &SessionId,
        at: Option<Millis>,
        directory: &Directory,
        out: &mut Out,
    ) {
        let Some(current) = &mut self.current else {
            return;
        };
        let mine = current.is_me(session);
        let Some(one) = find(&mut current.participants, session) else {
            return;
        };
        let raised = at.is_some() && one.hand_raised_at.is_none();
        one.hand_raised_at = at;
        let user = one.user.clone();
        if mine {
            current.hand = at.is_some();
        } else if raised {
            let names = directory.call_name_of(&user);
            out.notices
                .raise(now.instant, Draft::new("call.hand").value("names", names));
        }
        out.dirty(Part::Call);
    }

    pub(super) fn host_changed(
        &mut self,
        now: Now,
        host: Option<UserId>,
        directory: &mut Directory,
        clock: &ServerClock,
        out: &mut Out,
    ) {
        let Some(current) = &mut self.current else {
            return;
        };
        let connected = current.connected;
        let Some(state) = &mut current.state else {
            return; // The state brings the host along.
        };
        if state.host == host {
            return;
        }
        state.host.clone_from(&host);
        current.host_since = clock.server_now(now.unix);
        out.dirty(Part::Call);
        let Some(host) = host.filter(|_| connected) else {
            return;
        };
        directory.see(&host);
        let (other, code) = if host == *directory.me() {
            ("call.host", "call.host_you")
        } else {
            ("call.host_you", "call.host")
        };
        out.notices.solve(other);
        let name = directory.call_name_of(&host);
        out.notices
            .raise(now.instant, Draft::new(code).value("name", name));
    }

    pub(super) fn host_name(&self, directory: &Directory) -> String {
        self.current
            .as_ref()
            .and_then(Current::host)
            .map(|host| directory.call_name_of(host))
            .unwrap_or_default()
    }
}

pub(super) fn find<'a>(
    participants: &'a mut [Participant],
    session: &SessionId,
) -> Option<&'a mut Participant> {
    participants.iter_mut().find(|one| one.session == *session)
}
