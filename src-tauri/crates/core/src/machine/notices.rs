//! What the person is told: raised by the other parts, shown in order, gone when solved, closed or old.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::command::Command;
use crate::notice::{Notice, Severity, severity};

/// How long an [`Severity::Info`] notice stays (interface, component "Notice").
const INFO_STAYS: Duration = Duration::from_secs(5);

/// How many are kept. The interface shows three; more would only be read never.
const KEPT: usize = 12;

/// A notice in the making.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Draft {
    code: &'static str,
    values: BTreeMap<String, String>,
    retry: Option<Command>,
    detail: Option<String>,
}

impl Draft {
    pub(crate) fn new(code: &'static str) -> Self {
        Self {
            code,
            ..Self::default()
        }
    }

    /// Fills a blank of the sentence.
    pub(crate) fn value(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    /// What the button does.
    pub(crate) fn retry(mut self, command: Command) -> Self {
        self.retry = Some(command);
        self
    }

    /// Technical words.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        self.detail = (!detail.is_empty()).then_some(detail);
        self
    }
}

/// The notices shown now.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    shown: Vec<(Notice, Option<Instant>)>,
    last: u32,
    /// Told to scripts at the end of the turn.
    fresh: Vec<(String, Option<String>)>,
    changed: bool,
}

impl Notices {
    /// Shows a notice. One with the same code is replaced in its place.
    pub(crate) fn raise(&mut self, now: Instant, draft: Draft) {
        let severity = severity(draft.code);
        let until = (severity == Severity::Info).then(|| now + INFO_STAYS);
        let at = self
            .shown
            .iter()
            .position(|(old, _)| old.code == draft.code);
        let id = match at {
            Some(at) => self.shown[at].0.id,
            None => {
                self.last += 1;
                self.last
            }
        };
        let notice = Notice {
            id,
            code: draft.code.to_owned(),
            severity,
            values: draft.values,
            retry: draft.retry,
            detail: draft.detail,
        };
        self.fresh
            .push((notice.code.clone(), notice.detail.clone()));
        match at {
            Some(at) => self.shown[at] = (notice, until),
            None => self.shown.push((notice, until)),
        }
        if self.shown.len() > KEPT {
            // The oldest that would go by itself, else the oldest.
            let at = self.shown.iter().position(|(_, until)| until.is_some());
            self.shown.remove(at.unwrap_or(0));
        }
        self.changed = true;
    }

    /// The reason for a notice is gone.
    pub(crate) fn solve(&mut self, code: &str) {
        self.remove(|notice| notice.code == code);
    }

    /// A person closes one; says which.
    pub(crate) fn close(&mut self, id: u32) -> Option<String> {
        let code = self
            .shown
            .iter()
            .find(|(notice, _)| notice.id == id)?
            .0
            .code
            .clone();
        self.remove(|notice| notice.id == id);
        Some(code)
    }

    /// True while a notice with this code is shown.
    pub(crate) fn shows(&self, code: &str) -> bool {
        self.shown.iter().any(|(notice, _)| notice.code == code)
    }

    /// The first notice shown that is so.
    pub(crate) fn find(&self, so: impl Fn(&Notice) -> bool) -> Option<&Notice> {
        self.shown
            .iter()
            .map(|(notice, _)| notice)
            .find(|it| so(it))
    }

    fn remove(&mut self, which: impl Fn(&Notice) -> bool) {
        let before = self.shown.len();
        self.shown.retain(|(notice, _)| !which(notice));
        self.changed |= self.shown.len() != before;
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let before = self.shown.len();
        self.shown
            .retain(|(_, until)| until.is_none_or(|until| now < until));
        self.changed |= self.shown.len() != before;
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.shown.iter().filter_map(|(_, until)| *until).min()
    }

    /// The notices to show, if they have changed since the last time.
    pub(crate) fn take_changed(&mut self) -> Option<Vec<Notice>> {
        std::mem::take(&mut self.changed).then(|| {
            self.shown
                .iter()
                .map(|(notice, _)| notice.clone())
                .collect()
        })
    }

    /// The notices raised since the last time: code and detail.
    pub(crate) fn take_fresh(&mut self) -> Vec<(String, Option<String>)> {
        std::mem::take(&mut self.fresh)
    }
}
