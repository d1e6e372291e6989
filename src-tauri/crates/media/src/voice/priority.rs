//! Asks the system to run a thread before ordinary ones: sound that is late is silence.

/// Rank among real-time threads, 0..=99: low, so that the sound server and the kernel's own threads come first.
const RANK: u8 = 10;

/// Raises the current thread, and with it the threads that it starts (device callbacks, where the system's library starts them).
/// Without the right to do so, nothing changes; that is usual for desktop users on Linux, and logged.
pub(crate) fn raise() {
    if let Err(error) = try_raise() {
        tracing::debug!(?error, "the voice thread runs at ordinary priority");
    }
}

#[cfg(unix)]
fn try_raise() -> Result<(), thread_priority::Error> {
    use thread_priority::unix::{
        RealtimeThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };
    let rank = RANK
        .try_into()
        .map_err(|_| thread_priority::Error::Priority("the rank is out of range"))?;
    set_thread_priority_and_policy(
        thread_native_id(),
        thread_priority::ThreadPriority::Crossplatform(rank),
        ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::RoundRobin),
    )
}

#[cfg(not(unix))]
fn try_raise() -> Result<(), thread_priority::Error> {
    let _ = RANK;
    thread_priority::set_current_thread_priority(thread_priority::ThreadPriority::Max)
}
