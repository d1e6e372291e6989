//! What is said, in writing, while the server sends it (calls-v1-rest §14.6).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::id::{Millis, SessionId};
use crate::input::Now;
use crate::model::Job;
use crate::snapshot::{Caption, Said};

use super::super::directory::Directory;
use super::Current;

/// How long a caption stays.
const SHOWN: Duration = Duration::from_secs(5);

/// Most lines at once: more than so many people talking at the same time nobody reads.
const LINES: usize = 4;

/// Longest caption shown, characters. Longer ones keep their end, which was said last.
const LONGEST: usize = 400;

/// Lines kept to be read again: an hour and more of a lively call. They live as long as the call does, in memory alone.
const KEPT: usize = 500;

/// The captions shown now, and those that were.
#[derive(Debug, Default)]
pub(super) struct Captions {
    job: Option<Job>,
    lines: Vec<Line>,
    past: VecDeque<Past>,
    /// Somebody reads the past ones. It is not told else: with each caption it would go to the page again.
    reading: bool,
}

#[derive(Debug)]
struct Past {
    session: SessionId,
    /// As it was then: who has left is no longer listed.
    name: String,
    text: String,
    at: Millis,
    /// Until then it may grow: the server sends a sentence again with more of it.
    until: Instant,
}

/// Whether a caption is an earlier one with more in it. The last words may have been heard otherwise by then.
fn continues(before: &str, now: &str) -> bool {
    let same = before.chars().zip(now.chars());
    let same = same.take_while(|(old, new)| old == new).count();
    same > 0 && same * 2 >= before.chars().count()
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

    /// Somebody said something. `name`: theirs, on screen.
    pub(super) fn said(&mut self, now: Now, session: SessionId, name: String, text: &str) {
        let text = text.trim();
        let length = text.chars().count();
        let text: String = text.chars().skip(length.saturating_sub(LONGEST)).collect();
        self.lines.retain(|line| line.session != session);
        if text.is_empty() {
            return;
        }
        self.keep(now, &session, name, &text);
        self.lines.push(Line {
            session,
            text,
            until: now.instant + SHOWN,
        });
        if self.lines.len() > LINES {
            self.lines.remove(0);
        }
    }

    fn keep(&mut self, now: Now, session: &SessionId, name: String, text: &str) {
        let until = now.instant + SHOWN;
        let same = self.past.iter_mut().rev().take(LINES);
        let mut same = same.filter(|past| past.session == *session);
        if let Some(past) = same.next()
            && now.instant < past.until
            && continues(&past.text, text)
        {
            text.clone_into(&mut past.text);
            past.until = until;
            return;
        }
        self.past.push_back(Past {
            session: session.clone(),
            name,
            text: text.to_owned(),
            at: now.unix,
            until,
        });
        if self.past.len() > KEPT {
            self.past.pop_front();
        }
    }

    /// Somebody begins, or ceases, to read what was said.
    pub(super) fn read(&mut self, reading: bool) {
        self.reading = reading;
    }

    /// What was said, oldest first, while somebody reads it.
    pub(super) fn draw_past(&self) -> Vec<Said> {
        if !self.reading {
            return Vec::new();
        }
        let rows = self.past.iter().map(|past| Said {
            name: past.name.clone(),
            text: past.text.clone(),
            at: past.at,
        });
        rows.collect()
    }

    /// There is something to read.
    pub(super) fn has_past(&self) -> bool {
        !self.past.is_empty()
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
