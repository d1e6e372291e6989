//! Loudness as pages want it: exact for a meter; for the ring around a face only whether it is wide or narrow. Each event
//! wakes two processes, and a voice changes all the time.

use calls_core::snapshot::Levels;

/// Above this a ring becomes wide…
const WIDE: f32 = 0.75;

/// …and below this narrow; in between it stays as it is. `Avatar.svelte` draws by the same two.
const NARROW: f32 = 0.45;

/// What pages were told last.
#[derive(Debug, Default)]
pub(super) struct Loudness {
    shown: Levels,
}

impl Loudness {
    /// What to tell a page that draws a meter; nothing if that is as it was.
    pub(super) fn meter(&mut self, now: &Levels) -> Option<&Levels> {
        self.tell(each(now, |_, level| (level * 100.0).round() / 100.0))
    }

    /// What to tell pages that draw rings only; nothing if all stay as they are.
    pub(super) fn rings(&mut self, now: &Levels) -> Option<&Levels> {
        let ring = |before: f32, level: f32| {
            if level > WIDE || (level >= NARROW && before > WIDE) {
                1.0
            } else {
                0.0
            }
        };
        let shown = &self.shown;
        let newest = each(now, |session, level| {
            let before = session.map_or(Some(&shown.input), |it| shown.sessions.get(it));
            ring(before.copied().unwrap_or_default(), level)
        });
        self.tell(newest)
    }

    fn tell(&mut self, newest: Levels) -> Option<&Levels> {
        if newest == self.shown {
            return None;
        }
        self.shown = newest;
        Some(&self.shown)
    }
}

/// All levels changed in the same way; the microphone's has no session.
fn each(levels: &Levels, change: impl Fn(Option<&str>, f32) -> f32) -> Levels {
    Levels {
        input: change(None, levels.input),
        sessions: (levels.sessions.iter())
            .map(|(session, level)| (session.clone(), change(Some(session), *level)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(input: f32, bob: f32) -> Levels {
        Levels {
            input,
            sessions: [("bob".into(), bob)].into(),
        }
    }

    #[test]
    fn a_meter_is_told_hundredths_and_silence_once() {
        let mut loudness = Loudness::default();
        assert_eq!(
            loudness.meter(&levels(0.123, 0.457)),
            Some(&levels(0.12, 0.46))
        );
        assert_eq!(loudness.meter(&levels(0.1201, 0.4599)), None);
        assert_eq!(loudness.meter(&levels(0.0, 0.0)), Some(&levels(0.0, 0.0)));
        assert_eq!(loudness.meter(&levels(0.0, 0.0)), None);
    }

    #[test]
    fn rings_are_told_when_one_becomes_wide_or_narrow() {
        let mut loudness = Loudness::default();
        assert_eq!(
            loudness.rings(&levels(0.2, 0.6)),
            Some(&levels(0.0, 0.0)),
            "bob is new"
        );
        assert_eq!(loudness.rings(&levels(0.7, 0.74)), None);
        assert_eq!(loudness.rings(&levels(0.3, 0.8)), Some(&levels(0.0, 1.0)));
        assert_eq!(loudness.rings(&levels(0.7, 0.5)), None, "it stays wide");
        assert_eq!(loudness.rings(&levels(0.9, 0.4)), Some(&levels(1.0, 0.0)));
    }

    #[test]
    fn rings_go_on_from_what_a_meter_showed() {
        let mut loudness = Loudness::default();
        loudness.meter(&levels(0.8, 0.5));
        assert_eq!(loudness.rings(&levels(0.6, 0.5)), Some(&levels(1.0, 0.0)));
    }
}
