//! What the person is told outside the windows: messages, what concerns them in their call, and its sounds.

use std::time::{Duration, Instant};

use crate::alert::{AlertWish, CallNews, Note, NoteKey, Words, plain};
use crate::effect::Effect;
use crate::input::Now;
use crate::model::{Post, PostKind};
use crate::snapshot::Call as CallSlice;

use super::super::Machine;
use super::super::out::Part;
use super::super::ringing::minute_of_day;
use super::super::{cues, messages};

/// How long a test notification may take until it counts as not arrived.
const TEST: Duration = Duration::from_secs(4);

impl Machine {
    pub(super) fn test_note(&mut self, now: Instant) {
        self.alerts.test = None;
        self.alerts.test_until = Some(now + TEST);
        self.out.push(Effect::Alert(AlertWish::Show(Box::new(Note {
            server: None,
            key: NoteKey::Test,
            channel: None,
            title: Words::Plain("Halloo".to_owned()),
            body: Words::Arrives,
            silent: false,
            buttons: Vec::new(),
        }))));
        self.out.dirty(Part::Alerts);
    }

    /// Whether the test notification was shown.
    pub(in crate::machine) fn note_shown(&mut self, shown: bool) {
        if self.alerts.test_until.take().is_some() {
            self.alerts.test = Some(shown);
            self.out.dirty(Part::Alerts);
        }
    }

    /// A post has come: told, if the person wants that.
    pub(in crate::machine) fn tell_of_post(
        &mut self,
        now: Now,
        post: &Post,
        mentions_me: bool,
        looking: bool,
    ) {
        if looking {
            self.ringing.seen(&post.channel, &mut self.out);
        }
        if let PostKind::Call(call) = &post.kind
            && !call.status.is_empty()
        {
            self.ringing.can_decline(true, &mut self.out);
        }
        let quiet = self.alerts.settings.quiet;
        let around = messages::Around {
            directory: &self.directory,
            props: &self.alerts.props,
            settings: &self.alerts.settings,
            looking,
            call_thread: self.snapshot.call.thread.as_ref(),
            quiet: !self.alerts.settings.trust.notify
                || quiet.hold(minute_of_day(now.unix, self.alerts.zone))
                || self.shows_notes()
                || self.system_quiet(),
        };
        self.messages
            .posted(now.instant, post, mentions_me, &around, &mut self.out);
    }

    /// A notification would be read by everybody who watches our screen, and the person does not want that.
    pub(super) fn shows_notes(&self) -> bool {
        let everything = self.share.shows_everything() || self.desktop.other.shows_everything;
        self.alerts.settings.quiet_sharing && everything
    }

    /// A notice was raised. What concerns us in our call is a notification while no window shows it.
    pub(in crate::machine) fn tell_of_notice(&mut self, code: &str) {
        let call = &self.snapshot.call;
        if self.focused
            || self.desktop.call_in_front
            || self.headless
            || self.shows_notes()
            || !self.alerts.settings.trust.notify
            || !self.call.preferences().call_notes
        {
            return;
        }
        let Some(channel) = call.channel.clone() else {
            return;
        };
        let Some(notice) = self.snapshot.notices.iter().find(|one| one.code == code) else {
            return;
        };
        let hosts = call.host.as_ref() == Some(self.directory.me());
        let (what, value) = match code {
            "call.hand" if hosts => (CallNews::Hand, "names"),
            "call.muted_by" => (CallNews::Muted, "name"),
            "call.hand_lowered" => (CallNews::HandLowered, "name"),
            "call.host_you" => (CallNews::Host, "name"),
            "share.stopped_by" => (CallNews::ShareStopped, "name"),
            _ => return,
        };
        let name = notice.values.get(value).filter(|name| !name.is_empty());
        let name = name.map(|name| plain(name, 60));
        self.alerts.in_call = true;
        self.out.push(Effect::Alert(AlertWish::Show(Box::new(Note {
            server: None,
            key: NoteKey::InCall,
            channel: Some(channel),
            title: Words::Plain(plain(&call.place, 120)),
            body: Words::InCall { what, name },
            silent: false,
            buttons: Vec::new(),
        }))));
    }

    /// The sounds of our call, before its new picture replaces the old one.
    pub(in crate::machine) fn cue(&mut self, after: &CallSlice) {
        let cues = cues::heard(&self.snapshot.call, after, &self.alerts.settings);
        // A call that failed before it was live says so with words.
        let device = self.devices.slice().output.clone();
        let volume = self.alerts.settings.cue_volume;
        for cue in cues {
            let device = device.clone();
            self.out.push(Effect::Alert(AlertWish::Cue {
                cue,
                device,
                volume,
            }));
        }
    }
}
