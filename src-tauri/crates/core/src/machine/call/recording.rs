//! The recording: its badge, and what must be said about it to whom (calls-v1-rest §14).

use std::time::{Duration, Instant};

use crate::effect::ClientEvent;
use crate::id::Millis;
use crate::input::Now;
use crate::model::Job;
use crate::port::{Request, RequestError};
use crate::snapshot::{Recording, RecordingPrompt};

use super::super::account::detailed;
use super::super::clock::ServerClock;
use super::super::directory::Directory;
use super::super::notices::Draft;
use super::super::out::{Asked, Out, Part};
use super::Call;

/// So long before the end the host is told that the recording is about to stop.
const SOON: Millis = 10 * 60_000;

/// What is known about the recording of our call.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    job: Option<Job>,
    /// When its failure was heard of, server clock.
    error_at: Millis,
    /// Up to then everything was said. Only times of the server's, so that clocks that differ do no harm.
    dismissed_at: Millis,
    /// When to say that it is about to stop.
    soon_at: Option<Instant>,
    soon: bool,
    soon_dismissed: bool,
}

impl Recorder {
    /// The newest state. `max`: longest recording, minutes.
    pub(super) fn take(&mut self, now: Now, clock: &ServerClock, job: Option<Job>, max: u32) {
        let Some(job) = job else {
            // The state of a call leaves out what is over; that it is over may still have to be said.
            if self.job.as_ref().is_some_and(Job::is_on) {
                *self = Self::default();
            }
            return;
        };
        if self
            .job
            .as_ref()
            .is_none_or(|old| old.init_at != job.init_at)
        {
            let dismissed_at = self.dismissed_at;
            *self = Self {
                dismissed_at,
                ..Self::default()
            };
        }
        if !job.error.is_empty() && self.job.as_ref().is_none_or(|old| old.error.is_empty()) {
            self.error_at = clock.server_now(now.unix);
        }
        self.soon_at = (job.runs() && max > 0 && !self.soon).then(|| {
            let at = job.start_at + Millis::from(max) * 60_000 - SOON;
            let wait = at.saturating_sub(clock.server_now(now.unix)).max(0);
            now.instant + Duration::from_millis(wait.unsigned_abs())
        });
        if !job.runs() {
            self.soon = false;
        }
        self.job = Some(job);
    }

    pub(super) fn is_on(&self) -> bool {
        self.job.as_ref().is_some_and(Job::is_on)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.soon_at
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let due = self.soon_at.is_some_and(|at| at <= now);
        if due {
            self.soon_at = None;
            self.soon = true;
        }
        due
    }

    /// The badge.
    pub(super) fn badge(
        &self,
        host: bool,
        max: u32,
        clock: &ServerClock,
        unix: Millis,
    ) -> Option<Recording> {
        let job = self.job.as_ref().filter(|job| job.is_on())?;
        let runs = job.runs();
        (host || runs).then(|| Recording {
            runs,
            ends_at: (runs && max > 0)
                .then(|| clock.ours(job.start_at, unix) + Millis::from(max) * 60_000),
        })
    }

    /// What is to be said. `host_since`: when the host changed last, server clock.
    pub(super) fn prompt(&self, host: bool, host_since: Millis) -> Option<RecordingPrompt> {
        let job = self.job.as_ref()?;
        let failed = !job.error.is_empty();
        if job.start_at == 0 && !failed {
            return None;
        }
        let ended = job.end_at > job.start_at;
        if (ended || failed) && !host {
            return None;
        }
        let dismissed = self.dismissed_at;
        if failed {
            return (self.error_at > dismissed).then(|| RecordingPrompt::Failed {
                reason: job.error.clone(),
            });
        }
        if host && !ended && self.soon && !self.soon_dismissed {
            return Some(RecordingPrompt::Soon);
        }
        let said = if ended {
            dismissed > job.end_at || host_since > job.end_at
        } else {
            // Who was host when it was dismissed and no longer is has agreed to it; who becomes host has more to do.
            dismissed > job.start_at && (dismissed > host_since || !host)
        };
        (!said).then_some(match (ended, host) {
            (true, _) => RecordingPrompt::Done,
            (false, true) => RecordingPrompt::Host,
            (false, false) => RecordingPrompt::Consent,
        })
    }

    fn dismiss(&mut self, host: bool, host_since: Millis) {
        if self.prompt(host, host_since) == Some(RecordingPrompt::Soon) {
            self.soon_dismissed = true;
            return;
        }
        if let Some(job) = &self.job {
            let times = [job.start_at, job.end_at, self.error_at, host_since];
            self.dismissed_at = times.into_iter().max().unwrap_or(0) + 1;
        }
    }
}

impl Call {
    /// A person closes what is said about the recording.
    pub(crate) fn dismiss_recording_prompt(&mut self, directory: &Directory, out: &mut Out) {
        if let Some(current) = &mut self.current {
            let host = current.host() == Some(directory.me());
            current.recorder.dismiss(host, current.host_since);
            out.dirty(Part::Call);
        }
    }

    /// A person starts or stops the recording.
    pub(crate) fn record(&mut self, now: Instant, on: bool, directory: &Directory, out: &mut Out) {
        let Some(current) = &self.current else {
            out.notices.raise(now, Draft::new("call.not_here"));
            return;
        };
        let code = if current.host() != Some(directory.me()) {
            Some("call.not_host")
        } else if on && current.recorder.is_on() {
            Some("rec.already")
        } else if !on && !current.recorder.is_on() {
            Some("rec.none")
        } else {
            None
        };
        if let Some(code) = code {
            out.notices.raise(now, Draft::new(code));
            return;
        }
        out.notices.solve("rec.refused");
        let channel = current.channel.clone();
        if !out.waits(|asked| *asked == Asked::Record { on }) {
            out.ask(Asked::Record { on }, Request::Record { channel, on });
        }
    }

    /// The server does not record.
    pub(crate) fn not_recorded(now: Instant, error: &RequestError, out: &mut Out) {
        out.notices
            .raise(now, detailed(Draft::new("rec.refused"), error));
    }

    /// The recording has changed.
    pub(super) fn recording(
        &mut self,
        now: Now,
        job: Option<Job>,
        directory: &Directory,
        clock: &ServerClock,
        out: &mut Out,
    ) {
        let max = directory
            .calls
            .config()
            .map_or(0, |config| config.max_recording_minutes);
        let Some(current) = &mut self.current else {
            return;
        };
        let before = current.recorder.is_on();
        current.recorder.take(now, clock, job, max);
        let on = current.recorder.is_on();
        if before != on {
            out.tell(ClientEvent::Recording { on });
        }
        out.dirty(Part::Call);
    }
}
