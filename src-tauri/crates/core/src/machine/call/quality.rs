//! When the connection is called weak (calls-v1-rest §10.7).

use std::time::{Duration, Instant};

use super::super::notices::Draft;
use super::super::out::Out;

/// Samples that are judged together: one comes each second, and the official client looks every 10 s.
const WINDOW: u32 = 10;

/// Below this mean opinion score a call is called weak.
const WEAK: f32 = 3.5;

/// After a person has closed the warning it stays away for so long.
const QUIET: Duration = Duration::from_secs(20);

/// Watches the mean opinion score.
#[derive(Debug, Default)]
pub(super) struct Watch {
    sum: f32,
    count: u32,
    quiet_until: Option<Instant>,
}

impl Watch {
    /// A second has passed with this score, 1..4.5; 0 if it could not be told.
    pub(super) fn sample(&mut self, now: Instant, mos: f32, out: &mut Out) {
        if !mos.is_finite() || mos <= 0.0 {
            return;
        }
        self.sum += mos;
        self.count += 1;
        if self.count < WINDOW {
            return;
        }
        let mean = self.sum / self.count as f32;
        (self.sum, self.count) = (0.0, 0);
        if mean >= WEAK {
            out.notices.solve("call.weak");
        } else if self.quiet_until.is_none_or(|until| now >= until)
            && !out.notices.shows("call.weak")
        {
            out.notices.raise(now, Draft::new("call.weak"));
        }
    }

    /// The person has closed the warning.
    pub(super) fn dismissed(&mut self, now: Instant) {
        self.quiet_until = Some(now + QUIET);
    }
}
