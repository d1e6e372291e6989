//! The microphone as it really is, the gate, and how loud we hear the others.

use crate::effect::{CallWish, Effect, MediaWish, Remember};
use crate::id::SessionId;
use crate::port::CallIntent;
use crate::snapshot::Microphone;

use super::super::devices::Devices;
use super::super::out::{Out, Part};
use super::Call;

impl Call {
    /// Microphone off or on. Off: the gate first, then the others, then the picture.
    pub(crate) fn set_muted(&mut self, muted: bool, devices: &mut Devices, out: &mut Out) {
        let Some(current) = &mut self.current else {
            return;
        };
        current.decided = true;
        if !muted && self.listens {
            return;
        }
        if !muted && devices.microphone_fails() {
            // Whoever presses the button has perhaps plugged something in (calls-v1-rest §10.2). Should it work now,
            // they press again: nothing opens by itself.
            devices.reopen_microphone(out);
            return;
        }
        current.unmuted = !muted;
        current.hushed = false;
        self.hint.quiet();
        out.notices.solve("call.talking_muted");
        self.settle_voice(true, out);
    }

    /// The key that mutes while it is held went down or up. Only what it has shut does it open again: whoever was muted
    /// meanwhile by anything else stays so.
    pub(crate) fn hush(&mut self, held: bool, devices: &mut Devices, out: &mut Out) {
        let Some(current) = &mut self.current else {
            return;
        };
        if held && current.unmuted {
            self.set_muted(true, devices, out);
            if let Some(current) = &mut self.current {
                current.hushed = true;
            }
        } else if !held && std::mem::take(&mut current.hushed) {
            self.set_muted(false, devices, out);
        }
    }

    /// Who hears nothing does not talk either; whoever hears again talks if they did before.
    pub(crate) fn deafened(&mut self, deafened: bool, devices: &mut Devices, out: &mut Out) {
        let open = self.current.as_ref().is_some_and(|one| one.unmuted);
        if deafened {
            self.reopens = open;
            if open {
                self.set_muted(true, devices, out);
            }
        } else if std::mem::take(&mut self.reopens) && !open {
            self.set_muted(false, devices, out);
        }
    }

    /// The server may, or may not, hear us. Who talks there just now is muted at once.
    pub(crate) fn listens_only(&mut self, listens: bool, out: &mut Out) {
        if std::mem::replace(&mut self.listens, listens) == listens {
            return;
        }
        self.reopens &= !listens;
        if self.current.is_some() {
            // Direct calls, too, begin muted then.
            self.microphone_failed(out);
        }
    }

    /// Brings gate and server in line with the wish. `tell`: the others hear of it.
    pub(super) fn settle_voice(&mut self, tell: bool, out: &mut Out) {
        let Some(current) = &mut self.current else {
            return;
        };
        if self.listens {
            (current.unmuted, current.hushed) = (false, false);
        }
        let (number, unmuted) = (current.number, current.unmuted);
        let open = unmuted && current.flows();
        self.set_gate(open, out);
        if tell {
            let intent = CallIntent::Mute(!unmuted);
            out.push(Effect::Call(number, CallWish::Apply(intent)));
        }
        out.dirty(Part::Call);
    }

    pub(super) fn set_gate(&mut self, open: bool, out: &mut Out) {
        // Closing is said even if it was closed: it costs nothing, and is the one thing that must never be missed.
        if !open || !self.gate_open {
            out.push(Effect::Media(MediaWish::Gate(open)));
        }
        self.gate_open = open;
    }

    /// The microphone stopped working: the person is muted until they say otherwise.
    pub(crate) fn microphone_failed(&mut self, out: &mut Out) {
        if let Some(current) = &mut self.current {
            let tell = current.unmuted;
            (current.unmuted, current.hushed) = (false, false);
            // A direct call that opens later would open by itself.
            current.decided = true;
            self.settle_voice(tell, out);
        }
    }

    /// What the microphone looks like has changed.
    pub(crate) fn microphone_changed(&self, out: &mut Out) {
        if self.current.is_some() {
            out.dirty(Part::Call);
        }
    }

    /// The microphone, as it really is.
    pub(super) fn microphone(&self, devices: &Devices) -> Microphone {
        let Some(current) = &self.current else {
            return Microphone::Muted;
        };
        if self.listens || devices.microphone_fails() {
            Microphone::Unavailable
        } else if !current.unmuted {
            Microphone::Muted
        } else if self.gate_open
            && current.flows()
            && current.voice_ready
            && devices.microphone_works()
        {
            Microphone::Open
        } else {
            Microphone::Opening
        }
    }

    pub(crate) fn set_volume(&mut self, session: &SessionId, percent: u16, out: &mut Out) {
        let Some(current) = &self.current else {
            return;
        };
        let Some(user) = current.participant(session).map(|one| one.user.clone()) else {
            return;
        };
        let percent = percent.min(200);
        if percent == 100 {
            self.volumes.remove(&user);
        } else {
            self.volumes.insert(user.clone(), percent);
        }
        // All devices of a person are one person.
        for one in current.participants.iter().filter(|one| one.user == user) {
            out.push(Effect::Media(MediaWish::Volume(
                one.session.clone(),
                percent,
            )));
        }
        out.push(Effect::Remember(Remember::Volume(user, percent)));
        out.dirty(Part::Call);
    }
}
