//! The signaling lock of one session (rtcd `service/rtc/dc/lock.go`).
//!
//! It has no owner: whoever unlocks, unlocks, also the hold of the other side. That is how rtcd behaves
//! and what a client must be tested against ("unlocking without owning breaks the server's round").

/// A lock that is tried, never waited for; who wants to wait tries again when it was unlocked.
#[derive(Debug, Default)]
pub(crate) struct SignalingLock {
    locked: bool,
}

impl SignalingLock {
    /// Takes the lock; `false` when it is taken.
    pub(crate) fn try_lock(&mut self) -> bool {
        !std::mem::replace(&mut self.locked, true)
    }

    /// Releases the lock whoever holds it; `false` when nobody did.
    pub(crate) fn unlock(&mut self) -> bool {
        std::mem::take(&mut self.locked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_try_is_refused_until_it_is_unlocked() {
        let mut lock = SignalingLock::default();
        assert!(lock.try_lock());
        assert!(!lock.try_lock());
        assert!(lock.unlock());
        assert!(lock.try_lock());
    }

    #[test]
    fn unlocking_what_nobody_holds_is_reported() {
        let mut lock = SignalingLock::default();
        assert!(!lock.unlock());
        assert!(lock.try_lock());
        assert!(lock.unlock());
        assert!(!lock.unlock());
    }
}
