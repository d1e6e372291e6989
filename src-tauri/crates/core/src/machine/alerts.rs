//! How calls and messages reach the person, and what they say to that: the part that binds `ringing`, `messages`,
//! `cues` and `talk` to the rest.

use std::time::{Duration, Instant};

use crate::alert::{AlertSettings, AlertWish, MessageLevel, NoteKey, Ring, Tone, plain};
use crate::command::Command;
use crate::effect::{Effect, Remember};
use crate::id::{ChannelId, UserId};
use crate::input::Now;
use crate::model::NotifyProps;
use crate::port::{Request, RequestError};
use crate::snapshot::{Alerts as Slice, Microphone};
use crate::trust::Grant;

use super::Machine;
use super::desktop::Desktop;
use super::notices::Draft;
use super::out::{Asked, Out, Part};
use super::ringing::{self, World};
use super::talk::{Gate, Talk};

mod telling;

/// How long a tone is tried (calls-v1-rest §15.3).
const PREVIEW: Duration = Duration::from_secs(5);

/// What the person has chosen, here and on the server.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    pub(crate) settings: AlertSettings,
    pub(crate) props: NotifyProps,
    preview: Option<(Tone, Instant)>,
    test: Option<bool>,
    test_until: Option<Instant>,
    talk: Talk,
    zone: i32,
    /// A notification of our call is shown, as far as we know.
    in_call: bool,
}

impl Alerts {
    pub(crate) fn remembered(&mut self, settings: AlertSettings, out: &mut Out) {
        self.settings = settings.in_range();
        out.dirty(Part::Alerts);
    }

    /// Our settings as the server has them.
    pub(crate) fn told(&mut self, props: NotifyProps, out: &mut Out) {
        if self.props != props {
            self.props = props;
            out.dirty(Part::Alerts);
        }
    }

    fn keep(&mut self, settings: AlertSettings, out: &mut Out) {
        let settings = settings.in_range();
        if self.settings != settings {
            self.settings = settings;
            out.push(Effect::Remember(Remember::Alerts(Box::new(
                self.settings.clone(),
            ))));
            out.dirty(Part::Alerts);
        }
    }

    /// Asks the server to keep a word; it holds here at once, and no more should the server refuse.
    fn set(&mut self, name: &str, word: &str, out: &mut Out) {
        let changed = self.props.with(name, word);
        if changed == self.props {
            return;
        }
        let before = std::mem::replace(&mut self.props, changed.clone());
        out.ask(Asked::Notify(Box::new(before)), Request::SetNotify(changed));
        out.dirty(Part::Alerts);
    }

    /// The server did not take it.
    pub(crate) fn not_set(&mut self, before: NotifyProps, out: &mut Out) {
        self.props = before;
        out.dirty(Part::Alerts);
    }

    fn try_tone(&mut self, now: Instant, tone: Option<Tone>, out: &mut Out) {
        match tone {
            Some(tone) => {
                self.preview = Some((tone, now + PREVIEW));
                out.push(Effect::Alert(AlertWish::Ring(Ring {
                    tone,
                    volume: self.settings.volume,
                    device: self.settings.device.clone(),
                    seconds: u16::try_from(PREVIEW.as_secs()).unwrap_or(5),
                    once: false,
                })));
            }
            None if self.preview.take().is_some() => {
                out.push(Effect::Alert(AlertWish::Silence));
            }
            None => {}
        }
        out.dirty(Part::Alerts);
    }

    pub(crate) fn draw(&self, server_rings: bool, desktop: &Desktop) -> Slice {
        Slice {
            keys: desktop.keys,
            system_quiet: desktop.quiet && self.settings.heed_system,
            quitting: desktop.quitting,
            demo: desktop.demo,
            settings: self.settings.clone(),
            ringing: self.props.calls_ring(),
            server_rings,
            tone: ringing::tone(&self.props, &self.settings),
            preview: self.preview.map(|(tone, _)| tone),
            messages: MessageLevel::named(self.props.desktop()),
            test: self.test,
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        [
            self.preview.map(|(_, until)| until),
            self.test_until,
            self.talk.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

impl Machine {
    /// The commands about calls that come and how we are told.
    pub(super) fn alert_command(&mut self, now: Now, command: Command) {
        let out = &mut self.out;
        match command {
            Command::AnswerCall {
                channel,
                muted,
                switch,
            } => {
                self.join_call(now, &channel, None, switch);
                if muted && self.call.channel() == Some(&channel) {
                    self.call.set_muted(true, &mut self.devices, &mut self.out);
                }
            }
            Command::IgnoreCall { channel } => self.ignore_call(&channel),
            Command::DeclineCall { channel } => {
                let can = self.ringing.declinable(&channel, &self.directory);
                if can && self.ringing.dismiss_in(&channel) {
                    let asked = Asked::Decline(channel.clone());
                    self.out.ask(asked, Request::DeclineCall(channel));
                } else {
                    self.ignore_call(&channel);
                }
            }
            Command::SilenceRing => self.ringing.silence("silenced"),
            Command::BlockCaller { user, blocked } => self.block(&user, blocked),
            Command::SetAlerts { settings } => {
                // What it may do is no setting of the person's for all servers.
                let trust = self.alerts.settings.trust;
                self.alerts.keep(AlertSettings { trust, ..*settings }, out);
            }
            Command::SetTrust { grant, allowed } => self.set_trust(grant, allowed),
            Command::AskTrust { grant } => {
                self.granted(now, grant);
            }
            Command::SetRinging { on } => {
                let word = if on { "true" } else { "false" };
                self.alerts.set("calls_desktop_sound", word, out);
            }
            Command::SetTone { tone } => self.set_tone(tone),
            Command::SetMessages { level } => {
                self.alerts.set("desktop", level.server_name(), out);
            }
            Command::PreviewTone { tone } => {
                // While a call rings, that is preview enough; and nothing may cut it short.
                if self.ringing.poll_ring().is_none() {
                    self.alerts.try_tone(now.instant, tone, out);
                }
            }
            Command::TestNote => self.test_note(now.instant),
            Command::HoldToTalk { held } => {
                if !held || !self.call.is_on() || self.granted(now, Grant::Microphone) {
                    self.hold_to_talk(now.instant, held);
                }
            }
            Command::HoldToMute { held } => {
                // The key to talk has nothing to shut any more.
                self.alerts.talk.forget();
                self.call.hush(held, &mut self.devices, &mut self.out);
            }
            Command::ToggleMute => {
                self.alerts.talk.forget();
                let muted = !self.is_muted();
                let may = muted || !self.call.is_on() || self.granted(now, Grant::Microphone);
                if may {
                    self.call.set_muted(muted, &mut self.devices, &mut self.out);
                }
            }
            Command::OpenAddress { address } => self.open_address(now, &address),
            Command::AskForKeys => self.out.push(Effect::Alert(AlertWish::AskForKeys)),
            Command::Quit { sure } => self.quit(sure),
            Command::Stay => self.stay(),
            Command::KeepCalling => self.call.keep_calling(&mut self.out),
            Command::ForgetMissed => self.ringing.forget_missed(&mut self.out),
            Command::CallMe => {
                if self.desktop.demo {
                    self.out.push(Effect::Alert(AlertWish::CallMe));
                }
            }
            other => tracing::error!(?other, "not a command about alerts"),
        }
    }

    /// Whether the server may do what the person wants just now; if not, they are told, and can allow it.
    pub(super) fn granted(&mut self, now: Now, grant: Grant) -> bool {
        let allowed = self.alerts.settings.trust.allows(grant);
        if let Some(code) = grant.refusal().filter(|_| !allowed) {
            let allow = Command::SetTrust {
                grant,
                allowed: true,
            };
            let notice = Draft::new(code).retry(allow);
            self.out.notices.raise(now.instant, notice);
        }
        allowed
    }

    fn set_trust(&mut self, grant: Grant, allowed: bool) {
        let trust = self.alerts.settings.trust.with(grant, allowed);
        let settings = AlertSettings {
            trust,
            ..self.alerts.settings.clone()
        };
        self.alerts.keep(settings, &mut self.out);
        if let Some(code) = grant.refusal().filter(|_| allowed) {
            self.out.notices.solve(code);
        }
        match grant {
            // Whoever is allowed to talk is not heard yet: they open the microphone themselves.
            Grant::Microphone => self.call.listens_only(!allowed, &mut self.out),
            Grant::Screen if !allowed => self.share.stop(&mut self.out),
            _ => {}
        }
    }

    fn is_muted(&self) -> bool {
        !matches!(
            self.snapshot.call.microphone,
            Microphone::Open | Microphone::Opening
        )
    }

    fn hold_to_talk(&mut self, now: Instant, held: bool) {
        if self.call.channel().is_none() {
            self.alerts.talk.forget();
            return;
        }
        let tail = Duration::from_millis(self.alerts.settings.keys.tail.into());
        let muted = self.is_muted();
        if self.alerts.talk.key(now, held, muted, tail) == Gate::Open {
            self.call.set_muted(false, &mut self.devices, &mut self.out);
        }
    }

    fn ignore_call(&mut self, channel: &ChannelId) {
        let offered = self.directory.calls.dismiss_in(channel, &mut self.out);
        if self.ringing.dismiss_in(channel) || offered {
            self.out
                .ask(Asked::Dismiss, Request::DismissCall(channel.clone()));
        }
    }

    /// Before we join: our other clients fall silent (calls-v1-rest §15.6).
    pub(super) fn answering(&mut self, channel: &ChannelId) {
        if self.ringing.dismiss_in(channel) {
            self.out
                .ask(Asked::Dismiss, Request::DismissCall(channel.clone()));
        }
    }

    fn block(&mut self, user: &UserId, blocked: bool) {
        let mut settings = self.alerts.settings.clone();
        if blocked {
            let name = plain(&self.directory.call_name_of(user), 60);
            settings.blocked.insert(user.clone(), name);
        } else {
            settings.blocked.remove(user);
        }
        self.alerts.keep(settings, &mut self.out);
    }

    fn set_tone(&mut self, tone: Tone) {
        let mut settings = self.alerts.settings.clone();
        match tone.server_name() {
            Some(name) => {
                settings.tone = None;
                self.alerts
                    .set("calls_notification_sound", name, &mut self.out);
            }
            None => settings.tone = Some(tone),
        }
        self.alerts.keep(settings, &mut self.out);
        self.out.dirty(Part::Alerts);
    }

    pub(super) fn zone_is(&mut self, minutes: i32) {
        self.alerts.zone = minutes;
        self.ringing.zone(minutes);
    }

    /// What the server tells about our own settings has changed.
    pub(super) fn notify_told(&mut self, props: NotifyProps) {
        if !props.0.is_empty() && !self.out.waits(|asked| matches!(asked, Asked::Notify(_))) {
            self.alerts.told(props, &mut self.out);
        }
    }

    /// The server has refused to decline, or to keep a setting.
    pub(super) fn alert_failed(&mut self, now: Now, asked: Asked, error: &RequestError) {
        match asked {
            Asked::Decline(channel) => {
                if matches!(error, RequestError::Refused { status: 404, .. }) {
                    self.ringing.can_decline(false, &mut self.out);
                }
                // Then it is ignored, at least.
                self.out.ask(Asked::Dismiss, Request::DismissCall(channel));
            }
            Asked::Notify(before) => {
                self.alerts.not_set(*before, &mut self.out);
                self.out
                    .notices
                    .raise(now.instant, Draft::new("request.failed"));
            }
            // The call is over, or the ring will stop by itself on the other clients.
            _ => tracing::debug!(?asked, %error, "request failed"),
        }
    }

    /// Everything that follows from what has happened; after each input.
    pub(super) fn settle_alerts(&mut self, now: Now) {
        let instant = now.instant;
        if self.alerts.talk.handle_timeout(instant) {
            self.call.set_muted(true, &mut self.devices, &mut self.out);
        }
        if !self.call.is_on() {
            self.alerts.talk.forget();
            // What was to be seen to in the call is over with it.
            if std::mem::take(&mut self.alerts.in_call) {
                let over = AlertWish::Withdraw(NoteKey::InCall);
                self.out.push(Effect::Alert(over));
            }
        }
        if self.alerts.test_until.is_some_and(|at| at <= instant) {
            self.note_shown(false);
        }
        if let Some((_, until)) = self.alerts.preview
            && until <= instant
        {
            self.alerts.preview = None;
            self.out.dirty(Part::Alerts);
        }
        if !self.account.is_in() {
            return;
        }
        self.messages.handle_timeout(instant, &mut self.out);
        for channel in self.messages.channels() {
            if self.directory.unread_since(&channel).is_none() {
                self.messages.seen(&channel, &mut self.out);
            }
        }
        if self.focused {
            self.messages.attended(&mut self.out);
            self.ringing.attended(&mut self.out);
        }
        let system_quiet = self.system_quiet();
        let world = World {
            system_quiet,
            directory: &self.directory,
            props: &self.alerts.props,
            settings: &self.alerts.settings,
            our_call: self.call.channel(),
            other_call: self.desktop.other.in_call,
            in_front: self.focused,
            shown: self.shows_notes(),
        };
        self.ringing.settle(now, &world, &mut self.out);
        if self.ringing.poll_ring().is_some() && self.alerts.preview.take().is_some() {
            // The ring has taken the preview's place.
            self.out.dirty(Part::Alerts);
        }
    }

    /// Another account, or none.
    pub(super) fn clear_alerts(&mut self) {
        self.ringing.clear(&mut self.out);
        self.messages.clear(&mut self.out);
        self.alerts.props = NotifyProps::default();
        self.alerts.talk.forget();
        self.out.dirty(Part::Alerts);
    }

    pub(super) fn draw_incoming(&self) -> crate::snapshot::Incoming {
        self.ringing.draw(&World {
            system_quiet: self.system_quiet(),
            directory: &self.directory,
            props: &self.alerts.props,
            settings: &self.alerts.settings,
            our_call: self.call.channel(),
            other_call: self.desktop.other.in_call,
            in_front: self.focused,
            shown: self.shows_notes(),
        })
    }

    pub(super) fn draw_alerts(&self) -> Slice {
        let config = self.directory.calls.config();
        self.alerts
            .draw(config.is_some_and(|config| config.ringing), &self.desktop)
    }
}
