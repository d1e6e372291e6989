//! What is said, in writing, while the server sends it (calls-v1-rest §14.6).

use std::time::{Duration, Instant};

use crate::id::SessionId;
use crate::model::Job;
use crate::snapshot::Caption;

use super::super::directory::Directory;
use super::Current;

/// How long a caption stays.
const SHOWN: Duration = Duration::from_secs(5);

/// Most lines at once: more than so many people talking at the same time nobody reads.
const LINES: usize = 4;

/// Longest caption shown, characters. Longer ones keep their end, which was said last.
const LONGEST: usize = 400;

/// The captions shown now.
#[derive(Debug, Default)]
pub(super) struct Captions {
    job: Option<Job>,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    session: SessionId,
    text: String,
    until: Instant,
}

impl Captions {
    pub(super) fn take(&mut self, job: Option<Job>) {
        self.job = job;
        if !self.offered() {
            self.lines.clear();
        }
    }

    /// The server writes along.
    pub(super) fn offered(&self) -> bool {
        self.job.as_ref().is_some_and(Job::runs)
    }

    pub(super) fn said(&mut self, now: Instant, session: SessionId, text: &str) {
        let text = text.trim();
        let length = text.chars().count();
        let text: String = text.chars().skip(length.saturating_sub(LONGEST)).collect();
        self.lines.retain(|line| line.session != session);
        if text.is_empty() {
            return;
        }
        self.lines.push(Line {
            session,
            text,
            until: now + SHOWN,
        });
        if self.lines.len() > LINES {
            self.lines.remove(0);
        }
    }

    pub(super) fn forget(&mut self, session: &SessionId) {
        self.lines.retain(|line| line.session != *session);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.lines.iter().map(|line| line.until).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let before = self.lines.len();
        self.lines.retain(|line| now < line.until);
        self.lines.len() != before
    }

    pub(super) fn draw(&self, current: &Current, directory: &Directory) -> Vec<Caption> {
        let rows = self.lines.iter().map(|line| {
            let user = current.participant(&line.session).map(|who| &who.user);
            Caption {
                session: line.session.clone(),
                name: user.map_or_else(String::new, |user| directory.call_name_of(user)),
                text: line.text.clone(),
            }
        });
        rows.collect()
    }
}
