//! Our call: joining, connecting, live, reconnecting, left; who is in it; and the microphone, as it really is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::effect::{CallWish, ClientEvent, Effect, Remember};
use crate::id::{ChannelId, Millis, PostId, SessionId, UserId};
use crate::input::{CallNumber, Now};
use crate::model::{CallState, ChannelKind, Participant};
use crate::port::{EndReason, JoinTicket};
use crate::preferences::CallPreferences;
use crate::snapshot::{ActiveCallRow, CallPhase, MediaPath, Quality, StreamQuality, TriedWay};

use super::clock::ServerClock;
use super::devices::Devices;
use super::directory::Directory;
use super::out::{Out, Part};

mod calling;
mod captions;
mod draw;
mod ending;
mod events;
mod hint;
mod moderate;
mod people;
mod quality;
mod reactions;
mod recording;
mod spoken;
mod stats;
mod voice;

use calling::Outgoing;
use captions::Captions;
use ending::Failure;
use hint::Hint;
use moderate::Ending;
use quality::Watch;
use reactions::Reactions;
use recording::Recorder;
use spoken::Spoken;
use stats::Stats;

/// The part of the machine that knows our call.
#[derive(Debug, Default)]
pub(crate) struct Call {
    last: CallNumber,
    current: Option<Current>,
    failure: Option<Failure>,
    /// A call that somebody wants to switch to, and its heading.
    switch_to: Option<(ChannelId, Option<String>)>,
    preferences: CallPreferences,
    /// The person is in a call at another server.
    pub(crate) elsewhere: bool,
    /// A key is set that opens the microphone while it is held.
    pub(crate) talks: bool,
    /// The server may not hear us: the microphone stays shut, and is not opened for a call.
    listens: bool,
    hint: Hint,
    spoken: Spoken,
    /// The microphone was on when the person wanted to hear nothing; it is on again with the sound.
    reopens: bool,
    volumes: BTreeMap<UserId, u16>,
    /// The gate as last told to the engine.
    gate_open: bool,
    weak: Watch,
    /// Of this call, or of the last one.
    stats: Stats,
    /// The tone of whoever calls sounds.
    ringback: bool,
}

/// The call we are in, or joining.
#[derive(Debug)]
struct Current {
    number: CallNumber,
    channel: ChannelId,
    kind: ChannelKind,
    phase: CallPhase,
    asked_at: Instant,
    /// The same by our clock: stands in for the beginning until that is known.
    asked_unix: Millis,
    lost_at: Option<Instant>,
    session: Option<SessionId>,
    /// The whole, without the participants; `None` until told.
    state: Option<CallState>,
    /// In the order in which they came, as far as known.
    participants: Vec<Participant>,
    speaking: BTreeSet<SessionId>,
    /// The person wants to be heard.
    unmuted: bool,
    /// They hold the key that mutes, and are heard again when they let go of it.
    hushed: bool,
    /// The person has touched the mute button: the default of the channel's kind does not count any more.
    decided: bool,
    hand: bool,
    voice_ready: bool,
    connected: bool,
    quality: Option<Quality>,
    streams: Vec<StreamQuality>,
    path: Option<MediaPath>,
    ways: Vec<TriedWay>,
    /// When the host changed last, server clock.
    host_since: Millis,
    reactions: Reactions,
    recorder: Recorder,
    captions: Captions,
    /// One of the host's controls is on its way to them.
    busy: BTreeSet<SessionId>,
    ending: Option<Ending>,
    outgoing: Outgoing,
}

/// What a call needs of the other parts.
pub(crate) struct Around<'a> {
    pub(crate) directory: &'a mut Directory,
    pub(crate) clock: &'a mut ServerClock,
    pub(crate) devices: &'a Devices,
}

impl Current {
    /// Sound flows to the server and back.
    fn flows(&self) -> bool {
        matches!(
            self.phase,
            CallPhase::Live | CallPhase::Reconnecting { media_flows: true }
        )
    }

    fn participant(&self, session: &SessionId) -> Option<&Participant> {
        self.participants.iter().find(|one| one.session == *session)
    }

    fn is_me(&self, session: &SessionId) -> bool {
        self.session.as_ref() == Some(session)
    }

    fn host(&self) -> Option<&UserId> {
        self.state.as_ref().and_then(|state| state.host.as_ref())
    }
}

impl Call {
    pub(crate) fn remembered(
        &mut self,
        volumes: BTreeMap<UserId, u16>,
        preferences: CallPreferences,
        out: &mut Out,
    ) {
        self.volumes = volumes;
        self.preferences = preferences.in_range();
        out.dirty(Part::Calls);
    }

    /// How the person wants their calls.
    pub(crate) fn preferences(&self) -> &CallPreferences {
        &self.preferences
    }

    /// The person wants their calls like this from now on.
    pub(crate) fn prefer(&mut self, preferences: CallPreferences, out: &mut Out) {
        let preferences = preferences.in_range();
        if self.preferences == preferences {
            return;
        }
        self.preferences = preferences;
        if !self.preferences.talking_hint {
            out.notices.solve("call.talking_muted");
        }
        if self.preferences.no_microphone {
            out.notices.solve("mic.none");
        }
        let kept = Box::new(self.preferences.clone());
        out.push(Effect::Remember(Remember::Calls(kept)));
        out.dirty(Part::Calls);
        out.dirty(Part::Call);
    }

    /// Where we are in a call, or joining one.
    pub(crate) fn channel(&self) -> Option<&ChannelId> {
        self.current.as_ref().map(|current| &current.channel)
    }

    /// Which call that is.
    pub(crate) fn number(&self) -> Option<CallNumber> {
        self.current.as_ref().map(|current| current.number)
    }

    /// True while devices are needed.
    pub(crate) fn is_on(&self) -> bool {
        self.current.is_some()
    }

    /// Whether our call needs the loudspeaker, and the microphone.
    pub(crate) fn ends(&self) -> (bool, bool) {
        (self.is_on(), self.is_on() && !self.listens)
    }

    /// What the channel list shows of our call.
    pub(crate) fn row(
        &self,
        clock: &ServerClock,
        unix: Millis,
    ) -> Option<(&ChannelId, ActiveCallRow)> {
        let current = self.current.as_ref()?;
        current.session.as_ref()?;
        let mut seen = BTreeSet::new();
        let users = current
            .participants
            .iter()
            .map(|one| one.user.clone())
            .filter(|user| seen.insert(user.clone()))
            .collect();
        let start_at = current
            .state
            .as_ref()
            .map_or_else(|| clock.server_now(unix), |state| state.start_at);
        Some((
            &current.channel,
            ActiveCallRow {
                start_at,
                users,
                mine: true,
                dismissed: false,
            },
        ))
    }

    /// Everybody in our call: their presence is shown.
    pub(crate) fn users(&self) -> impl Iterator<Item = UserId> {
        self.current
            .iter()
            .flat_map(|current| current.participants.iter().map(|one| one.user.clone()))
    }

    /// A person wants into a channel's call. The caller has looked whether that is possible.
    #[allow(clippy::too_many_arguments)] // Each is what it says; a struct for one caller would hide them.
    pub(crate) fn join(
        &mut self,
        now: Now,
        channel: &ChannelId,
        title: Option<String>,
        thread: Option<PostId>,
        switch: bool,
        directory: &Directory,
        out: &mut Out,
    ) {
        if self.channel() == Some(channel) {
            self.dismiss(out);
            return;
        }
        if (self.current.is_some() || self.elsewhere) && !switch {
            self.switch_to = Some((channel.clone(), title));
            out.dirty(Part::Call);
            return;
        }
        let title = title.or_else(|| match self.switch_to.take() {
            Some((asked, title)) if asked == *channel => title,
            _ => None,
        });
        // Who lost this very call comes back muted, whatever they were: nobody expects to be heard at once.
        let back = self
            .failure
            .take()
            .is_some_and(|failure| failure.is_loss_of(channel));
        self.leave(out);
        let (Some(place), Some(config)) = (directory.channel(channel), directory.calls.config())
        else {
            return;
        };
        self.switch_to = None;
        self.last = CallNumber(self.last.0 + 1);
        self.weak = Watch::default();
        let ticket = JoinTicket {
            channel: channel.clone(),
            title: title.unwrap_or_default(),
            thread,
            config: config.clone(),
            me: directory.me().clone(),
            talks: self.talks,
        };
        self.current = Some(Current {
            number: self.last,
            channel: channel.clone(),
            kind: place.kind,
            phase: CallPhase::Joining,
            asked_at: now.instant,
            asked_unix: now.unix,
            lost_at: None,
            session: None,
            state: None,
            participants: Vec::new(),
            speaking: BTreeSet::new(),
            unmuted: false,
            hushed: false,
            decided: back,
            hand: false,
            voice_ready: false,
            connected: false,
            quality: None,
            streams: Vec::new(),
            path: None,
            ways: Vec::new(),
            host_since: 0,
            reactions: Reactions::default(),
            recorder: Recorder::default(),
            captions: Captions::default(),
            busy: BTreeSet::new(),
            ending: None,
            outgoing: Outgoing::default(),
        });
        self.stats = Stats::new(channel.clone(), now.unix);
        self.set_gate(false, out);
        out.push(Effect::Call(self.last, CallWish::Join(Box::new(ticket))));
        out.dirty(Part::Call);
        out.dirty(Part::Directory);
    }

    /// Leaves, whatever the state; nothing that the call still says is heard.
    pub(crate) fn leave(&mut self, out: &mut Out) {
        let Some(current) = self.current.take() else {
            return;
        };
        self.shut(out);
        out.push(Effect::Call(current.number, CallWish::Leave));
        out.tell(ClientEvent::Ended {
            reason: EndReason::Left,
            code: None,
        });
    }

    /// The gate is shut and the slices are drawn: what every end of a call has in common.
    fn shut(&mut self, out: &mut Out) {
        self.reopens = false;
        self.set_gate(false, out);
        self.hint.quiet();
        self.spoken.forget();
        for code in [
            "call.weak",
            "call.muted",
            "call.unmuted",
            "call.talking_muted",
            "trust.microphone",
        ] {
            out.notices.solve(code);
        }
        out.dirty(Part::Call);
        out.dirty(Part::Directory);
    }

    /// A person wants, or does not want, to read what is said.
    pub(crate) fn show_captions(&mut self, on: bool, out: &mut Out) {
        let preferences = CallPreferences {
            captions: on,
            ..self.preferences.clone()
        };
        self.prefer(preferences, out);
    }

    /// The microphone at the beginning of a call that is being joined: the channel's default does not count then. A call that
    /// has begun, or that is another one, stays as it is. False if no call is being joined there.
    pub(crate) fn decide(&mut self, channel: &ChannelId, muted: bool) -> bool {
        let current = self.current.as_mut();
        let Some(current) = current.filter(|one| one.channel == *channel) else {
            return false;
        };
        if !current.decided {
            current.decided = true;
            current.unmuted = !muted && !self.listens;
        }
        true
    }

    /// A person reads what was said, or no longer does.
    pub(crate) fn show_said(&mut self, shown: bool, out: &mut Out) {
        if let Some(current) = &mut self.current {
            current.captions.read(shown);
            out.dirty(Part::Call);
        }
    }

    /// Where the chat of our call is: channel and root.
    pub(crate) fn chat(&self) -> Option<(&ChannelId, &PostId)> {
        let current = self.current.as_ref()?;
        let thread = current.state.as_ref()?.thread.as_ref()?;
        Some((&current.channel, thread))
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let current = self.current.as_ref()?;
        [
            current.reactions.poll_timeout(),
            current.recorder.poll_timeout(),
            current.captions.poll_timeout(),
            current.ending.map(|ending| ending.due),
            self.hint.poll_timeout(),
            self.spoken.poll_timeout(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut Out) {
        let Some(current) = &mut self.current else {
            return;
        };
        let gone = [
            current.reactions.handle_timeout(now),
            current.recorder.handle_timeout(now),
            current.captions.handle_timeout(now),
        ];
        if gone.contains(&true) {
            out.dirty(Part::Call);
        }
        self.hint_if_due(now, out);
        self.lower_if_due(now, out);
        self.end_if_due(now, out);
    }

    /// Closes the question, or the failure.
    pub(crate) fn dismiss(&mut self, out: &mut Out) {
        self.switch_to = None;
        self.failure = None;
        out.dirty(Part::Call);
    }

    /// We are no longer in the channel: the server throws us out of the call anyway (calls-v1-rest §21.3).
    pub(crate) fn channel_left(
        &mut self,
        channel: &ChannelId,
        directory: &Directory,
        out: &mut Out,
    ) {
        if self.channel() == Some(channel) {
            let failure = Failure::new("call.channel_left", channel.clone(), directory);
            self.leave(out);
            self.failure = Some(failure);
        }
    }

    /// How long the call has been on its way, for logs.
    fn age(&self, now: Instant) -> Option<Duration> {
        self.current
            .as_ref()
            .map(|current| now.saturating_duration_since(current.asked_at))
    }
}
