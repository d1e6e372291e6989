//! What the back end tells of our call.

use std::time::Instant;

use crate::effect::{ClientEvent, Effect, LinkWish};
use crate::id::SessionId;
use crate::input::{CallNumber, Now};
use crate::model::{JobKind, Participant};
use crate::port::CallEvent;
use crate::snapshot::CallPhase;

use super::super::devices::Devices;
use super::super::directory::Directory;
use super::super::notices::Draft;
use super::super::out::{Out, Part};
use super::people::find;
use super::{Around, Call};

impl Call {
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
                    // What has cut the media may have cut the account's socket, which would notice a minute later.
                    out.push(Effect::Link(LinkWish::Retry));
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
            CallEvent::State(state) => self.replace(now, *state, directory, clock, out),
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
            // Heard by the part that knows screens.
            CallEvent::ShareReady
            | CallEvent::ShareRefused
            | CallEvent::ShareSilent
            | CallEvent::SharedSound(..)
            | CallEvent::ShareEnded
            | CallEvent::StopShareRequested => {}
            CallEvent::Host(host) => self.host_changed(now, host, directory, clock, out),
            CallEvent::MuteRequested => {
                let host = self.host_name(directory);
                if let Some(current) = &mut self.current {
                    (current.unmuted, current.hushed) = (false, false);
                    current.decided = true;
                }
                self.settle_voice(true, out);
                let notice = Draft::new("call.muted_by").value("name", host);
                out.notices.raise(now.instant, notice);
            }
            CallEvent::LowerHandRequested(by) => {
                // An administrator may not be in the call, and be unknown.
                let host = by.map_or_else(
                    || self.host_name(directory),
                    |by| directory.call_name_of(&by),
                );
                self.raise_hand(false, clock, now.unix, out);
                let notice = Draft::new("call.hand_lowered").value("name", host);
                out.notices.raise(now.instant, notice);
            }
            CallEvent::Removed(session) => {
                if let Some(one) = current.participant(&session) {
                    let name = directory.call_name_of(&one.user);
                    let notice = Draft::new("call.removed_other").value("name", name);
                    out.notices.raise(now.instant, notice);
                }
            }
            CallEvent::Reacted(session, emoji, at) => {
                clock.saw(at, now.unix);
                self.reacted(now.instant, session, emoji, at, out);
            }
            CallEvent::Job(JobKind::Recording, job) => {
                clock.saw(job.start_at.max(job.init_at), now.unix);
                self.recording(now, Some(job), directory, clock, out);
            }
            CallEvent::Job(JobKind::Captions, job) => {
                current.captions.take(Some(job));
                out.dirty(Part::Call);
            }
            CallEvent::Job(JobKind::Transcription, _) => {}
            CallEvent::Caption(session, text) => {
                if let Some(one) = current.participant(&session) {
                    let name = directory.call_name_of(&one.user);
                    current.captions.said(now, session, name, &text);
                    out.dirty(Part::Call);
                }
            }
            CallEvent::Rtc(rtc) => {
                (current.streams, current.path) = self.stats.measured(*rtc);
                current.ways = self.stats.ways();
                out.dirty(Part::Call);
            }
            CallEvent::Quality(quality) => {
                self.stats.sampled(now.unix, &quality);
                current.quality = Some(quality);
                self.weak.sample(now.instant, quality.mos, out);
                out.tell(ClientEvent::Quality(quality));
                out.dirty(Part::Call);
            }
            CallEvent::Ended(reason) => return self.ended(now, reason, directory, out),
        }
        false
    }

    pub(super) fn accepted(
        &mut self,
        session: SessionId,
        directory: &mut Directory,
        out: &mut Out,
    ) {
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

    pub(super) fn connected(&mut self, now: Instant, devices: &Devices, out: &mut Out) {
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
            // Unless the person chose otherwise, direct and group calls open by themselves and channels begin muted
            // (calls-v1-rest §10.1).
            current.unmuted = self.preferences.opens(current.kind)
                && !self.listens
                && !devices.microphone_fails();
            current.decided = true;
        }
        let unmuted = current.unmuted;
        // Support looks for these words: calls-v1-rest, the chapter of the client's log.
        tracing::info!(after = ?now.saturating_duration_since(since), again, "rtc connected");
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

    /// The first sound of somebody was played.
    pub(crate) fn first_audio(&self, now: Instant, session: SessionId, out: &mut Out) {
        if let Some(current) = &self.current {
            out.tell(ClientEvent::FirstAudio {
                session,
                after: now.saturating_duration_since(current.asked_at),
            });
        }
    }

    /// A person has closed the warning about the connection.
    pub(crate) fn weak_dismissed(&mut self, now: Instant) {
        self.weak.dismissed(now);
    }
}
