//! Our call: joining, connecting, live, reconnecting, left; who is in it; and the microphone, as it really is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::effect::{CallWish, ClientEvent, Effect, MediaWish, Remember};
use crate::id::{ChannelId, Millis, SessionId, UserId};
use crate::input::{CallNumber, Now};
use crate::model::{CallState, ChannelKind, Participant};
use crate::port::{CallEvent, CallIntent, EndReason, JoinTicket};
use crate::snapshot::{ActiveCallRow, CallPhase, Microphone, Quality};

use super::clock::ServerClock;
use super::devices::Devices;
use super::directory::Directory;
use super::notices::Draft;
use super::out::{Out, Part};

mod draw;
mod ending;
mod quality;

use ending::Failure;
use quality::Watch;

/// The part of the machine that knows our call.
#[derive(Debug, Default)]
pub(crate) struct Call {
    last: CallNumber,
    current: Option<Current>,
    failure: Option<Failure>,
    /// A call that somebody wants to switch to, and its heading.
    switch_to: Option<(ChannelId, Option<String>)>,
    volumes: BTreeMap<UserId, u16>,
    /// The gate as last told to the engine.
    gate_open: bool,
    weak: Watch,
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
    /// The person has touched the mute button: the default of the channel's kind does not count any more.
    decided: bool,
    hand: bool,
    voice_ready: bool,
    connected: bool,
    quality: Option<Quality>,
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
    pub(crate) fn remembered(&mut self, volumes: BTreeMap<UserId, u16>) {
        self.volumes = volumes;
    }

    /// Where we are in a call, or joining one.
    pub(crate) fn channel(&self) -> Option<&ChannelId> {
        self.current.as_ref().map(|current| &current.channel)
    }

    /// True while devices are needed.
    pub(crate) fn is_on(&self) -> bool {
        self.current.is_some()
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
    pub(crate) fn join(
        &mut self,
        now: Now,
        channel: &ChannelId,
        title: Option<String>,
        switch: bool,
        directory: &Directory,
        out: &mut Out,
    ) {
        if let Some(current) = &self.current {
            if current.channel == *channel {
                self.dismiss(out);
                return;
            }
            if !switch {
                self.switch_to = Some((channel.clone(), title));
                out.dirty(Part::Call);
                return;
            }
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
            config: config.clone(),
            me: directory.me().clone(),
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
            decided: back,
            hand: false,
            voice_ready: false,
            connected: false,
            quality: None,
        });
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
        self.set_gate(false, out);
        for code in ["call.weak", "call.muted", "call.unmuted"] {
            out.notices.solve(code);
        }
        out.dirty(Part::Call);
        out.dirty(Part::Directory);
    }

    /// Closes the question, or the failure.
    pub(crate) fn dismiss(&mut self, out: &mut Out) {
        self.switch_to = None;
        self.failure = None;
        out.dirty(Part::Call);
    }

    /// Microphone off or on. Off: the gate first, then the others, then the picture.
    pub(crate) fn set_muted(&mut self, muted: bool, devices: &mut Devices, out: &mut Out) {
        let Some(current) = &mut self.current else {
            return;
        };
        current.decided = true;
        if !muted && devices.microphone_fails() {
            // Whoever presses the button has perhaps plugged something in (calls-v1-rest §10.2). Should it work now,
            // they press again: nothing opens by itself.
            devices.reopen_microphone(out);
            return;
        }
        current.unmuted = !muted;
        self.settle_voice(true, out);
    }

    /// Brings gate and server in line with the wish. `tell`: the others hear of it.
    fn settle_voice(&mut self, tell: bool, out: &mut Out) {
        let Some(current) = &self.current else {
            return;
        };
        let (number, unmuted) = (current.number, current.unmuted);
        let open = unmuted && current.flows();
        self.set_gate(open, out);
        if tell {
            let intent = CallIntent::Mute(!unmuted);
            out.push(Effect::Call(number, CallWish::Apply(intent)));
        }
        out.dirty(Part::Call);
    }

    fn set_gate(&mut self, open: bool, out: &mut Out) {
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
            current.unmuted = false;
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

    /// The first sound of somebody was played.
    pub(crate) fn first_audio(&self, now: Instant, session: SessionId, out: &mut Out) {
        if let Some(current) = &self.current {
            out.tell(ClientEvent::FirstAudio {
                session,
                after: now.saturating_duration_since(current.asked_at),
            });
        }
    }

    /// Something happened in a call. True if the account's session is over.
    pub(crate) fn handle(
        &mut self,
        now: Now,
        number: CallNumber,
        event: CallEvent,
        around: Around<'_>,
        out: &mut Out,
    ) -> bool {
        let Around {
            directory,
            clock,
            devices,
        } = around;
        let Some(current) = self.current.as_mut().filter(|one| one.number == number) else {
            return false; // A call that we have left.
        };
        match event {
            CallEvent::Accepted(session) => self.accepted(session, directory, out),
            CallEvent::Connected => self.connected(now.instant, devices, out),
            CallEvent::Reconnecting { media_flows } => {
                if !media_flows {
                    current.speaking.clear();
                }
                // A first try that is repeated is still the first connecting.
                if current.connected {
                    current.phase = CallPhase::Reconnecting { media_flows };
                    current.lost_at.get_or_insert(now.instant);
                }
                self.settle_voice(false, out);
            }
            CallEvent::VoiceReady => {
                current.voice_ready = true;
                out.dirty(Part::Call);
            }
            CallEvent::State(state) => self.replace(*state, directory, out),
            CallEvent::Joined(participant) => self.joined(now, participant, directory, out),
            CallEvent::Left(session) => self.left(now, &session, directory, out),
            CallEvent::Muted(session, muted) => {
                if let Some(one) = find(&mut current.participants, &session) {
                    one.muted = muted;
                    if muted {
                        current.speaking.remove(&session);
                    }
                    out.dirty(Part::Call);
                }
            }
            CallEvent::Speaking(session, speaking) => {
                let known = current.participant(&session).is_some();
                let changed = if speaking && known {
                    current.speaking.insert(session)
                } else {
                    current.speaking.remove(&session)
                };
                if changed {
                    out.dirty(Part::Call);
                }
            }
            CallEvent::Hand(session, at) => {
                if let Some(at) = at {
                    clock.saw(at, now.unix);
                }
                self.hand(now, &session, at, directory, out);
            }
            CallEvent::Sharing(session) => {
                if let Some(state) = &mut current.state {
                    state.sharing = session;
                    out.dirty(Part::Call);
                }
            }
            CallEvent::Host(host) => self.host_changed(now, host, directory, out),
            CallEvent::MuteRequested => {
                let host = self.host_name(directory);
                if let Some(current) = &mut self.current {
                    current.unmuted = false;
                    current.decided = true;
                }
                self.settle_voice(true, out);
                let notice = Draft::new("call.muted_by").value("name", host);
                out.notices.raise(now.instant, notice);
            }
            CallEvent::LowerHandRequested => {
                let host = self.host_name(directory);
                self.raise_hand(false, clock, now.unix, out);
                let notice = Draft::new("call.hand_lowered").value("name", host);
                out.notices.raise(now.instant, notice);
            }
            CallEvent::Quality(quality) => {
                current.quality = Some(quality);
                self.weak.sample(now.instant, quality.mos, out);
                out.tell(ClientEvent::Quality(quality));
                out.dirty(Part::Call);
            }
            CallEvent::Ended(reason) => return self.ended(now, reason, directory, out),
        }
        false
    }

    /// A person has closed the warning about the connection.
    pub(crate) fn weak_dismissed(&mut self, now: Instant) {
        self.weak.dismissed(now);
    }

    fn accepted(&mut self, session: SessionId, directory: &mut Directory, out: &mut Out) {
        let Some(current) = &mut self.current else {
            return;
        };
        let before = current.session.replace(session.clone());
        if before.as_ref() == Some(&session) {
            return;
        }
        if let Some(before) = before {
            // Joined anew after a loss: the old session is a ghost that the server drops by itself, and its voice track
            // is gone with it.
            current.voice_ready = false;
            current.participants.retain(|one| one.session != before);
        }
        if current.phase == CallPhase::Joining {
            current.phase = CallPhase::Connecting;
        }
        let me = Participant {
            session: session.clone(),
            user: directory.me().clone(),
            muted: true,
            hand_raised_at: None,
        };
        if current.participant(&session).is_none() {
            current.participants.push(me);
        }
        out.tell(ClientEvent::Joined { session });
        out.dirty(Part::Call);
        out.dirty(Part::Directory);
    }

    fn connected(&mut self, now: Instant, devices: &Devices, out: &mut Out) {
        let Some(current) = &mut self.current else {
            return;
        };
        let again = std::mem::replace(&mut current.connected, true);
        if again && current.phase == CallPhase::Live {
            return;
        }
        let since = current.lost_at.take().unwrap_or(current.asked_at);
        current.phase = CallPhase::Live;
        if !current.decided {
            // Direct and group calls open by themselves; channels begin muted (calls-v1-rest §10.1).
            current.unmuted = current.kind.is_personal() && !devices.microphone_fails();
            current.decided = true;
        }
        let unmuted = current.unmuted;
        out.tell(ClientEvent::Connected {
            after: now.saturating_duration_since(since),
            again,
        });
        // The wish goes out again after a loss: an unmute that got lost would leave us talking to nobody
        // (calls-v1-signaling §10, trap 24).
        self.settle_voice(true, out);
        if !again {
            let code = if unmuted {
                "call.unmuted"
            } else {
                "call.muted"
            };
            out.notices.raise(now, Draft::new(code));
        }
    }

    /// Takes the whole state in place of everything known.
    fn replace(&mut self, mut state: CallState, directory: &mut Directory, out: &mut Out) {
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
        current.state = Some(state);
        let here = current.participants.clone();
        for one in &here {
            self.arrived(one, directory, out);
        }
        out.dirty(Part::Call);
        out.dirty(Part::Directory);
    }

    /// Somebody is here: their name, and how loud we hear them.
    fn arrived(&self, one: &Participant, directory: &mut Directory, out: &mut Out) {
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

    fn joined(&mut self, now: Now, one: Participant, directory: &mut Directory, out: &mut Out) {
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

    fn left(&mut self, now: Now, session: &SessionId, directory: &Directory, out: &mut Out) {
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
        if current.connected && one.user != *directory.me() {
            out.notices
                .raise(now.instant, Draft::new("call.left").value("name", name));
        }
        out.dirty(Part::Call);
        out.dirty(Part::Directory);
    }

    fn hand(
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

    fn host_changed(
        &mut self,
        now: Now,
        host: Option<UserId>,
        directory: &mut Directory,
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

    fn host_name(&self, directory: &Directory) -> String {
        self.current
            .as_ref()
            .and_then(Current::host)
            .map(|host| directory.call_name_of(host))
            .unwrap_or_default()
    }

    /// The microphone, as it really is.
    fn microphone(&self, devices: &Devices) -> Microphone {
        let Some(current) = &self.current else {
            return Microphone::Muted;
        };
        if devices.microphone_fails() {
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

    /// How long the call has been on its way, for logs.
    fn age(&self, now: Instant) -> Option<Duration> {
        self.current
            .as_ref()
            .map(|current| now.saturating_duration_since(current.asked_at))
    }
}

fn find<'a>(
    participants: &'a mut [Participant],
    session: &SessionId,
) -> Option<&'a mut Participant> {
    participants.iter_mut().find(|one| one.session == *session)
}
