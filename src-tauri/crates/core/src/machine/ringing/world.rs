//! What is known around a call that comes, gathered for the table of [`super::rules`].

use std::time::Duration;

use crate::alert::AlertSettings;
use crate::id::{CallId, ChannelId, Millis};
use crate::input::Now;
use crate::model::{CallState, NotifyProps, Presence};

use super::super::directory::Directory;
use super::rules::Facts;
use super::{CUT_OFF, Ringing, STAYS, Sound, minute_of_day};

/// How long after the computer woke up a call that comes may be one that it slept through: its server tells late.
const AWAKENING: Duration = Duration::from_secs(120);

/// What the ringing needs to know of the rest.
pub(crate) struct World<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) props: &'a NotifyProps,
    pub(crate) settings: &'a AlertSettings,
    /// Where we are in a call, or joining one.
    pub(crate) our_call: Option<&'a ChannelId>,
    /// We are in a call at another server.
    pub(crate) other_call: bool,
    /// Our window has the person's attention.
    pub(crate) in_front: bool,
    /// What pops up would be seen by everybody who watches our screen.
    pub(crate) shown: bool,
    /// The system is set to do not disturb.
    pub(crate) system_quiet: bool,
}

impl Ringing {
    /// What is the case for a call.
    pub(super) fn facts(
        &self,
        now: Now,
        world: &World<'_>,
        call: &CallState,
        flood: bool,
    ) -> Facts {
        let World {
            directory,
            props,
            settings,
            ..
        } = world;
        let me = directory.me();
        let channel = directory.channel(&call.channel);
        let member = directory.membership(&call.channel);
        let chosen = settings.channels.contains(&call.channel);
        let personal = channel.is_some_and(|channel| channel.kind.is_personal());
        let enabled = directory
            .calls
            .config()
            .is_some_and(|config| config.ringing);
        let muted = |call: &CallId| self.dismissed.contains(call);
        // Half a minute is what a call rings: whoever began to call earlier has given up, or sits in the call.
        let slept = self.woke.is_some_and(|(at, server)| {
            now.instant.saturating_duration_since(at) < AWAKENING
                && call.start_at < server.saturating_sub(STAYS.as_millis() as Millis)
        });
        let cut_off = self
            .lost
            .is_some_and(|since| now.instant.saturating_duration_since(since) >= CUT_OFF);
        Facts {
            ringing_off: !enabled && !chosen,
            own: call.owner == *me,
            joined: call.participants.iter().any(|one| one.user == *me)
                || world.our_call == Some(&call.channel),
            dismissed: call.dismissed || muted(&call.id),
            elsewhere: !personal && !chosen,
            stranger: channel.is_none() || member.is_none(),
            blocked: settings.blocked.contains_key(&call.owner),
            no_rings: !settings.trust.ring,
            no_notes: !settings.trust.notify,
            muted: member.is_some_and(|member| member.muted),
            busy: matches!(directory.presence(me), Presence::Dnd | Presence::Ooo),
            desktop_none: props.desktop() == "none",
            ring_off: !props.calls_ring(),
            channel_none: member.is_some_and(|member| member.desktop == "none"),
            note_silent: member.is_some_and(|member| member.desktop_sound == "off")
                || !props.sound(),
            notes_off: !settings.call_notes,
            quiet: settings.quiet.hold(minute_of_day(now.unix, self.zone)),
            system_quiet: world.system_quiet,
            slept,
            in_call: world.our_call.is_some() || world.other_call,
            another_rings: self
                .cards
                .iter()
                .any(|card| card.call != call.id && matches!(card.sound, Sound::Rings(_))),
            flood,
            in_front: world.in_front,
            shown: world.shown,
            cut_off,
        }
    }
}
