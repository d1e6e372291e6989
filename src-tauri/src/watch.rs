//! What the computer around us does: it sleeps and wakes, nobody touches it, it is set to do not disturb.

use std::time::{Duration, Instant, SystemTime};

use calls_core::alert::DesktopNews;

use crate::start::Running;

#[cfg(all(unix, not(target_os = "macos")))]
#[path = "watch/linux.rs"]
mod system;
#[cfg(not(all(unix, not(target_os = "macos"))))]
#[path = "watch/other.rs"]
mod system;

/// How often we look.
const EVERY: Duration = Duration::from_secs(10);

/// After this long nobody is here, as the server reckons too (mattermost-core §4.3).
const IDLE: Duration = Duration::from_secs(300);

/// Whoever is still here is told so again this often.
const AGAIN: Duration = Duration::from_secs(60);

/// More time than this between two looks was slept: a busy machine is late, but not so late.
const SLEPT: Duration = Duration::from_secs(15);

/// Begins to look, on threads of its own: a desktop that hangs keeps nobody waiting.
pub(crate) fn begin(core: &Running) {
    system::begin(core);
    let core = core.clone();
    let spawned = std::thread::Builder::new()
        .name("watch".to_owned())
        .spawn(move || look(&core));
    if let Err(why) = spawned {
        tracing::warn!(%why, "nobody looks whether the computer sleeps");
    }
}

fn look(core: &Running) {
    let mut idleness = system::Idleness::open();
    let mut clocks = Clocks::now();
    let mut told: Option<(bool, Instant)> = None;
    loop {
        std::thread::sleep(EVERY);
        let now = Clocks::now();
        if now.slept_since(&clocks) {
            core.handle().desktop(DesktopNews::Woke);
        }
        clocks = now;
        if let Some(time) = idleness.time() {
            let idle = time >= IDLE;
            let due = told.is_none_or(|(was, at)| was != idle || (!idle && at.elapsed() >= AGAIN));
            if due {
                told = Some((idle, Instant::now()));
                core.handle().desktop(DesktopNews::Idle(idle));
            }
        }
    }
}

/// Both clocks: on some systems the one that never jumps stands still during sleep, on others it runs on.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    steady: Instant,
    wall: SystemTime,
}

impl Clocks {
    fn now() -> Self {
        Self {
            steady: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// Whether more time has passed by either clock than a look takes. A clock that was set by hand looks the same:
    /// then nothing is lost but a ping.
    fn slept_since(&self, before: &Self) -> bool {
        let most = EVERY + SLEPT;
        let wall = self.wall.duration_since(before.wall).unwrap_or_default();
        self.steady.saturating_duration_since(before.steady) > most || wall > most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_noticed_by_whichever_clock_ran_on() {
        let before = Clocks::now();
        let later = |steady: u64, wall: u64| Clocks {
            steady: before.steady + Duration::from_secs(steady),
            wall: before.wall + Duration::from_secs(wall),
        };
        assert!(!later(10, 10).slept_since(&before));
        assert!(
            !later(20, 20).slept_since(&before),
            "a busy machine is late"
        );
        assert!(later(10, 3600).slept_since(&before));
        assert!(later(3600, 3600).slept_since(&before));
        // Set back by hand.
        let back = Clocks {
            wall: before.wall - Duration::from_secs(3600),
            ..later(10, 0)
        };
        assert!(!back.slept_since(&before));
    }
}
