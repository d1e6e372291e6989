//! The desktop around our windows: sleep, idleness, keys that work everywhere, and the wish to end the program.

use std::time::{Duration, Instant};

use crate::alert::{AlertWish, DesktopNews, Elsewhere, KeysReach};
use crate::command::Command;
use crate::effect::{Effect, LinkWish};
use crate::input::Now;

use super::Machine;
use super::notices::Draft;
use super::out::Part;

/// The server takes whoever does nothing for five minutes for away (mattermost-core §4.3): we say that we are here
/// a little more often.
const STILL_HERE: Duration = Duration::from_secs(240);

/// What the desktop has told.
#[derive(Debug, Default)]
pub(crate) struct Desktop {
    /// Nobody touches keyboard and mouse; `None` where nothing tells.
    idle: Option<bool>,
    /// What the server was told last, and when; forgotten with the connection.
    told: Option<(bool, Instant)>,
    pub(crate) keys: KeysReach,
    pub(crate) quiet: bool,
    pub(crate) quitting: bool,
    pub(crate) demo: bool,
    /// The person looks at the call's large window.
    pub(crate) call_in_front: bool,
    /// What the person does at other servers.
    pub(crate) other: Elsewhere,
}

impl Machine {
    pub(super) fn desktop_told(&mut self, now: Now, news: DesktopNews) {
        match news {
            DesktopNews::Keys(reach) => {
                self.desktop.keys = reach;
                match reach {
                    KeysReach::Window => {
                        let notice = Draft::new("keys.local").retry(Command::AskForKeys);
                        self.out.notices.raise(now.instant, notice);
                    }
                    KeysReach::Everywhere | KeysReach::Unknown => {
                        self.out.notices.solve("keys.local");
                        self.out.notices.solve("keys.taken");
                    }
                }
            }
            DesktopNews::KeyTaken(key) => {
                let notice = Draft::new("keys.taken").value("key", key);
                self.out.notices.raise(now.instant, notice);
            }
            DesktopNews::Woke => self.woke(now),
            DesktopNews::Idle(idle) => self.desktop.idle = Some(idle),
            DesktopNews::DoNotDisturb(quiet) => self.desktop.quiet = quiet,
            DesktopNews::CallInFront(front) => self.desktop.call_in_front = front,
            DesktopNews::Demo => self.desktop.demo = true,
            DesktopNews::Elsewhere(other) => {
                self.desktop.other = other;
                self.call.elsewhere = other.in_call;
                self.out.dirty(Part::Incoming);
            }
        }
        self.out.dirty(Part::Alerts);
    }

    /// The computer has slept. The socket may be dead without anybody having noticed.
    fn woke(&mut self, now: Now) {
        tracing::info!("awake again");
        self.ringing
            .woke(now.instant, self.clock.server_now(now.unix));
        self.desktop.told = None;
        self.account.retry_now(now.instant, &mut self.out);
        if self.account.has_session() {
            self.out.push(Effect::Link(LinkWish::Retry));
        }
    }

    /// The system is set to do not disturb, and the person wants that heeded.
    pub(super) fn system_quiet(&self) -> bool {
        self.desktop.quiet && self.alerts.settings.heed_system
    }

    /// Tells the server whether anybody is here; after each input. A status that was set by hand is the server's to
    /// keep: it is told with `manual: false`. Whoever is in a call is here.
    pub(super) fn settle_presence(&mut self, now: Instant) {
        if !self.account.is_in() || !self.link.is_up() {
            self.desktop.told = None;
            return;
        }
        let Some(idle) = self.desktop.idle else {
            return;
        };
        let active = !idle || self.call.is_on() || self.desktop.other.in_call;
        let due = match self.desktop.told {
            None => true,
            Some((told, _)) if told != active => true,
            Some((_, at)) => active && now.saturating_duration_since(at) >= STILL_HERE,
        };
        if due {
            self.desktop.told = Some((active, now));
            self.out.push(Effect::Link(LinkWish::Active(active)));
        }
    }

    /// Ends the program, or asks whether to.
    pub(super) fn quit(&mut self, sure: bool) {
        if sure || !self.call.is_on() {
            self.desktop.quitting = false;
            self.out.push(Effect::Alert(AlertWish::Quit));
        } else {
            self.desktop.quitting = true;
            self.out.push(Effect::Alert(AlertWish::Front));
        }
        self.out.dirty(Part::Alerts);
    }

    /// The person stays.
    pub(super) fn stay(&mut self) {
        self.desktop.quitting = false;
        self.out.dirty(Part::Alerts);
    }

    /// A question about a call that is over is none.
    pub(super) fn settle_quit(&mut self) {
        if self.desktop.quitting && !self.call.is_on() {
            self.stay();
        }
    }
}
