//! One look at a source: what has changed is found, and fetched.

use std::time::{Duration, Instant};

use super::super::rects::drop_covered;
use super::{Changes, Target, X11Source};
use crate::screen::{Look, Patch, Rect, ScreenError, ScreenSource};
use crate::video::Size;

impl ScreenSource for X11Source {
    fn size(&self) -> Size {
        self.size
    }

    fn look(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(Patch<'_>),
    ) -> Result<Look, ScreenError> {
        let limit = Instant::now() + wait;
        self.hear()?;
        let mut dirty: Vec<Rect> = Vec::new();
        loop {
            if self.gone {
                return Err(ScreenError::Gone);
            }
            if self.moved
                && let Some(size) = self.follow()?
            {
                return Ok(Look::Resized(size));
            }
            self.leave_out(&mut dirty)?;
            if self.damaged {
                self.take_damage(&mut dirty)?;
            }
            let shape = std::mem::take(&mut self.cursor_changed);
            let window = match &self.target {
                Target::Monitor(_) => self.x.root,
                Target::Window { id, .. } => *id,
            };
            let origin = self.origin();
            if self.has_cursor {
                let changes =
                    self.cursor
                        .look(&self.x.connection, window, origin, self.size, shape)?;
                let changes = changes.into_iter().flatten();
                dirty.extend(changes.map(|rect| rect.even_in(self.size)));
            }
            self.compare(&mut dirty)?;
            if std::mem::take(&mut self.fresh) {
                dirty = vec![Rect::all(self.size)];
            }
            // Replies may have brought events along, which make no socket readable any more.
            self.hear()?;
            if !dirty.is_empty() || self.moved || self.damaged || self.gone {
                break;
            }
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Look::Same);
            }
            self.wait(match &self.changes {
                Changes::Told { .. } => left,
                Changes::Compared { due, .. } => {
                    left.min(due.saturating_duration_since(Instant::now()))
                }
            })?;
        }
        drop_covered(&mut dirty);
        for rect in &dirty {
            self.fetch(*rect, take)?;
        }
        Ok(if dirty.is_empty() {
            Look::Same
        } else {
            Look::Changed
        })
    }
}
