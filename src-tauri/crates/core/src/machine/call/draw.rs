//! The call as it is drawn.

use std::cmp::Reverse;

use crate::id::Millis;
use crate::snapshot::{Call as Slice, Microphone, ParticipantRow};

use super::super::clock::ServerClock;
use super::super::devices::Devices;
use super::super::directory::Directory;
use super::{Call, Current};

impl Call {
    /// The slice of the snapshot.
    pub(crate) fn draw(
        &self,
        directory: &Directory,
        devices: &Devices,
        clock: &ServerClock,
        site: &str,
        unix: Millis,
    ) -> Slice {
        let switch_to = self.switch_to.as_ref().map(|(channel, _)| channel.clone());
        let channel = match (&self.current, &self.failure) {
            (Some(current), _) => current.channel.clone(),
            (None, Some(failure)) => failure.channel.clone(),
            (None, None) => {
                return Slice {
                    switch_to,
                    ..Slice::default()
                };
            }
        };
        let place = directory.channel(&channel);
        let mut slice = Slice {
            place: place
                .map(|place| directory.channel_name(place))
                .unwrap_or_default(),
            kind: place.map(|place| place.kind),
            channel: Some(channel),
            switch_to,
            ..Slice::default()
        };
        let Some(current) = &self.current else {
            if let Some(failure) = &self.failure {
                slice.phase = failure.phase();
            }
            return slice;
        };
        slice.phase = current.phase.clone();
        slice.kind = Some(current.kind);
        slice.session.clone_from(&current.session);
        slice.microphone = self.microphone(devices);
        slice.host = current.host().cloned();
        slice.quality = current.quality;
        slice.streams.clone_from(&current.streams);
        slice.path.clone_from(&current.path);
        slice.ways.clone_from(&current.ways);
        if let Some(state) = &current.state {
            slice.started_at = clock.ours(state.start_at, unix);
            slice.thread.clone_from(&state.thread);
        } else if let Some(running) = directory.calls.running(&current.channel) {
            slice.started_at = clock.ours(running.start_at, unix);
        } else {
            slice.started_at = current.asked_unix;
        }
        let config = directory.calls.config();
        let host = current.host() == Some(directory.me());
        slice.can_moderate = current.moderates(directory);
        slice.can_end = current.controls(directory);
        slice.can_record = host && config.is_some_and(|config| config.recordings);
        slice.ending_at = current.ending.map(|ending| ending.at);
        if self.preferences.reactions {
            slice.reactions = current.reactions.draw(current, directory);
        }
        let most = config.map_or(0, |config| config.max_recording_minutes);
        slice.recording = current.recorder.badge(host, most, clock, unix);
        slice.prompt = current.recorder.prompt(host, current.host_since);
        slice.captions_offered = current.captions.offered();
        slice.captions_shown = self.preferences.captions;
        if self.preferences.captions {
            slice.captions = current.captions.draw(current, directory);
        }
        slice.said = current.captions.draw_past();
        slice.said_something = current.captions.has_past();
        slice.calling = current.outgoing.draw();
        slice.link = directory.call_link(site, &current.channel);
        slice.participants = self.rows(current, directory, slice.microphone);
        slice
    }

    /// Everybody, in order: the presenter, hands (earliest first), those who can be heard, reactions (oldest first),
    /// names (calls-v1-rest §11.1).
    fn rows(
        &self,
        current: &Current,
        directory: &Directory,
        microphone: Microphone,
    ) -> Vec<ParticipantRow> {
        let sharing = current
            .state
            .as_ref()
            .and_then(|state| state.sharing.as_ref());
        let mut rows: Vec<_> = current
            .participants
            .iter()
            .map(|one| {
                let me = current.is_me(&one.session);
                ParticipantRow {
                    session: one.session.clone(),
                    user: one.user.clone(),
                    name: directory.call_name_of(&one.user),
                    me,
                    host: current.host() == Some(&one.user),
                    // About ourselves we know better than the server.
                    muted: if me {
                        microphone != Microphone::Open
                    } else {
                        one.muted
                    },
                    speaking: current.speaking.contains(&one.session)
                        && !(me && microphone != Microphone::Open),
                    hand_raised_at: one.hand_raised_at,
                    sharing: sharing == Some(&one.session),
                    volume: self.volumes.get(&one.user).copied().unwrap_or(100),
                    reaction: current
                        .reactions
                        .of(&one.session)
                        .filter(|_| self.preferences.reactions),
                    busy: current.busy.contains(&one.session),
                }
            })
            .collect();
        rows.sort_by_cached_key(|row| {
            (
                Reverse(row.sharing),
                row.hand_raised_at.unwrap_or(Millis::MAX),
                row.muted,
                current.reactions.order(&row.session),
                row.name.to_lowercase(),
                row.session.clone(),
            )
        });
        rows
    }
}
