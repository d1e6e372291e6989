//! Calls: wishes of people, and what comes back.

use crate::effect::ClientEvent;
use crate::id::{ChannelId, PostId};
use crate::input::{CallNumber, Now};
use crate::port::CallEvent;
use crate::port::media::MediaEvent;

use super::super::Machine;
use super::super::call::Around;
use crate::trust::Grant;

use super::super::notices::Draft;

impl Machine {
    pub(super) fn complain(&mut self, now: Now, code: &'static str) {
        self.out.notices.raise(now.instant, Draft::new(code));
    }

    pub(in crate::machine) fn join_call(
        &mut self,
        now: Now,
        channel: &ChannelId,
        title: Option<String>,
        switch: bool,
    ) {
        self.join_in(now, channel, title, None, switch);
    }

    /// As [`Machine::join_call`]; `thread` becomes the chat of a call that this starts.
    pub(super) fn join_in(
        &mut self,
        now: Now,
        channel: &ChannelId,
        title: Option<String>,
        thread: Option<PostId>,
        switch: bool,
    ) {
        if !self.account.is_in() {
            return;
        }
        let here = self.call.channel() == Some(channel);
        if self.directory.channel(channel).is_none() {
            // A link may lead anywhere; where we are not a member, the server would not let us in.
            self.complain(now, "call.forbidden");
            return;
        }
        self.wish = None;
        if let Some(code) = self.directory.call_blocked(channel).filter(|_| !here) {
            if code == "call.loading" {
                self.wish = Some((channel.clone(), title));
            }
            let mut notice = Draft::new(code);
            if let Some(place) = self.directory.channel(channel) {
                // `call.inactive` names the person, who is the direct channel's name.
                notice = notice.value("name", self.directory.channel_name(place));
            }
            if let Some(config) = self.directory.calls.config() {
                let running = self.directory.calls.running(channel);
                let n = running.map_or(0, |call| call.participants.len());
                notice = notice
                    .value("n", n.to_string())
                    .value("max", config.max_participants.to_string());
            }
            self.out.notices.raise(now.instant, notice);
            return;
        }
        if switch || !(self.call.is_on() || self.call.elsewhere) {
            self.answering(channel);
        }
        self.call.talks = !self.alerts.settings.keys.talk.is_empty();
        self.call.join(
            now,
            channel,
            title,
            thread,
            switch,
            &self.directory,
            &mut self.out,
        );
        if !here && self.call.channel() == Some(channel) {
            // Who only listens there is told why.
            self.granted(now, Grant::Microphone);
        }
    }

    pub(in crate::machine) fn called(&mut self, now: Now, number: CallNumber, event: CallEvent) {
        let around = Around {
            directory: &mut self.directory,
            clock: &mut self.clock,
            devices: &self.devices,
        };
        self.share.hear(now, number, &event, &mut self.out);
        let expired = self.call.handle(now, number, event, around, &mut self.out);
        if expired {
            self.expire(now);
        }
    }

    pub(in crate::machine) fn sounded(&mut self, now: Now, event: MediaEvent) {
        let at = now;
        let (now, out) = (now.instant, &mut self.out);
        match event {
            MediaEvent::Devices(rows) => self.devices.listed(rows, out),
            MediaEvent::DeviceLost {
                role,
                name,
                now: other,
            } => {
                let alone = self.call.preferences().no_microphone;
                self.devices
                    .lost(now, role, &name, other.as_deref(), alone, out);
            }
            MediaEvent::DeviceBack { role, name } => self.devices.back(now, role, &name, out),
            MediaEvent::Ready(role) => self.devices.ready(role, out),
            MediaEvent::Unavailable(role, problem) => {
                let alone = self.call.preferences().no_microphone;
                self.devices.unavailable(now, role, problem, alone, out);
            }
            MediaEvent::Talking(talking) => return self.call.talking(now, talking),
            MediaEvent::FirstAudio(session) => {
                self.call.first_audio(now, session, out);
                return;
            }
            MediaEvent::ShareSources(found) => return self.share.listed(found, out),
            MediaEvent::ShareSound(possible) => return self.share.sound_possible(possible, out),
            MediaEvent::ShareSilent => return self.share.silent(at, out),
            MediaEvent::ShareOpened { width, height } => {
                return self.share.opened(width, height, out);
            }
            MediaEvent::ShareClosed(problem) => return self.share.closed(at, problem, out),
            MediaEvent::ScreenFrame(frame) => return out.tell(ClientEvent::ScreenFrame(frame)),
        }
        if self.devices.microphone_fails() {
            self.call.microphone_failed(&mut self.out);
        }
        self.call.microphone_changed(&mut self.out);
    }
}
